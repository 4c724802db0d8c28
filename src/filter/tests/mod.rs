//! The language as a whole: what is read, what is refused, the laws of matching, and completion.

mod bad;
mod completion;
mod good;
mod laws;
mod saved;

use std::collections::BTreeMap;

use super::{Facts, Flag, NumberField, TextField, fold};

/// A row made of lists.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    texts: BTreeMap<TextField, Vec<String>>,
    numbers: BTreeMap<NumberField, f64>,
    flags: Vec<Flag>,
}

impl Row {
    pub(super) fn text(mut self, field: TextField, values: &[&str]) -> Self {
        self.texts.entry(field).or_default().extend(values.iter().map(|v| fold(v)));
        self
    }

    pub(super) fn number(mut self, field: NumberField, n: f64) -> Self {
        self.numbers.insert(field, n);
        self
    }

    pub(super) fn flag(mut self, flag: Flag) -> Self {
        self.flags.push(flag);
        self
    }
}

impl Facts for Row {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.texts.get(&field).is_some_and(|values| values.iter().any(|v| test(v)))
    }

    fn number(&self, field: NumberField) -> Option<f64> {
        self.numbers.get(&field).copied()
    }

    fn is(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

/// A steam signal on a game between two teams with accents, blanks and dots.
pub(super) fn row() -> Row {
    Row::default()
        .text(TextField::Sport, &["basketball_nba"])
        .text(TextField::Team, &["Boston Celtics", "BOS", "Atlético Los Angeles", "LA"])
        .text(TextField::Game, &["1042", "e5b3c9"])
        .text(TextField::Market, &["alternate_spreads"])
        .text(TextField::Book, &["draftkings", "pinnacle"])
        .text(TextField::Type, &["STEAM"])
        .text(TextField::Tier, &["High"])
        .text(TextField::Side, &["home"])
        .text(TextField::Direction, &["down"])
        .text(TextField::Bucket, &["PRETIP"])
        .text(TextField::Label, &["big move", "v1.2"])
        .text(TextField::List, &["Steam watch"])
        .text(TextField::Preset, &["steam_only"])
        .text(TextField::Status, &["scheduled", "open"])
        .number(NumberField::Ev, 2.5)
        .number(NumberField::Strength, 82.0)
        .number(NumberField::Composite, 74.0)
        .number(NumberField::Books, 6.0)
        .number(NumberField::Age, 12.0)
        .number(NumberField::Lead, -90.0)
        .number(NumberField::Price, 1.0 + 100.0 / 105.0)
        .number(NumberField::Line, -4.5)
        .number(NumberField::Move, 1.5)
        .number(NumberField::Dispersion, 0.4)
        .flag(Flag::Live)
        .flag(Flag::Started)
}
