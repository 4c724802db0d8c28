//! Explain any number: what went in, what was left out and why, the formula, and the result.
//!
//! A derivation holds plain data that a person can check with a calculator and a page can draw. Nothing here is an
//! opinion of its own: every step uses the numbers of an appraisal, a signal, an opportunity, a close or a CLV row, and a
//! step that does not give the number it explains says so. Pure; knows nothing of stores, commands or screens.

mod bet;
mod close;
mod clv;
mod consensus;
mod fair;
mod opportunity;
mod signal;
mod strength;
#[cfg(test)]
mod tests;
mod text;
mod votes;
pub mod words;

use serde::Serialize;

pub use self::close::close;
pub use self::clv::clv;
pub use self::consensus::consensus;
pub use self::fair::fair;
pub use self::opportunity::opportunity;
pub use self::signal::signal;
use crate::market::time::Timestamp;

/// What is explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A fair price.
    Fair,
    /// The board consensus.
    Consensus,
    /// A signal.
    Signal,
    /// An opportunity.
    Opportunity,
    /// A close.
    Close,
    /// Closing line value of a signal.
    Clv,
}

impl Kind {
    /// As in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fair => "fair",
            Self::Consensus => "consensus",
            Self::Signal => "signal",
            Self::Opportunity => "opportunity",
            Self::Close => "close",
            Self::Clv => "clv",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Of a spread or total.
    Points,
    /// 0 to 1.
    Probability,
    /// ln(p / (1 - p)).
    LogOdds,
    /// Share of a stake, a bankroll or a vote; 0.02 is 2 %.
    Share,
    /// Decimal odds.
    Odds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Whole things: books, families, looks.
    Count,
    /// Points of a score from 1 to 100.
    Score,
    /// A bare number: a parameter, a weight.
    Number,
    /// Words.
    Text,
}

/// A number or a word with its name.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Named {
    /// Name, such as `standard error`.
    pub name: String,
    /// The number; `None`: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The word, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the number counts.
    pub unit: Unit,
}

impl Named {
    /// A number.
    pub fn number(name: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self { name: name.into(), value: Some(value), text: None, unit }
    }

    /// A word.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), value: None, text: Some(text.into()), unit: Unit::Text }
    }
}

/// A reason, as a name for programs and in words for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reason {
    /// Name, such as `vig_too_high`.
    pub name: String,
    /// In words.
    pub words: &'static str,
}

/// What was left out, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeftOut {
    /// Book key, or the name of a number.
    pub what: String,
    /// Why.
    pub reason: Reason,
}

/// What a book did within a window.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Movement {
    /// Line at the window's start, as the first side sees it.
    pub before_line: Option<f64>,
    /// Decimal odds of each side at the window's start.
    pub before_prices: Vec<Option<f64>>,
    /// Value at the window's start: points, or probability.
    pub before_value: f64,
    /// Value at its end.
    pub after_value: f64,
    /// The second less the first.
    pub change: f64,
    /// The look that first showed the change; `None`: it did not move.
    pub moved_at: Option<Timestamp>,
    /// The look before that one.
    pub moved_after: Option<Timestamp>,
    /// Place among those that moved this way, from 1; books that the looks cannot tell apart share one.
    pub order: Option<u16>,
}

/// One price that went in, or did not. Fields that mean nothing for what is explained are `None` or empty.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Input {
    /// Book key.
    pub book: String,
    /// `sharp`, `retail`, `offshore`, `exchange` or `dfs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Books of one family share one vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The side, where the input is a price of one side only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// Line, as the first side sees it; of a price of one side, as that side sees it.
    pub line: Option<f64>,
    /// Decimal odds as quoted, of each side or of the one.
    pub prices: Vec<Option<f64>>,
    /// Decimal odds after the book's fee, of a price of one side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odds: Option<f64>,
    /// Raw probabilities summed, where all sides are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_sum: Option<f64>,
    /// What the removal of the vig solved for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vig_parameter: Option<f64>,
    /// Vig-free probability of each side at its own line; only the first side's where no more was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<Vec<f64>>,
    /// On the scale: points, or log-odds of the first side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Weight in the book table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_weight: Option<f64>,
    /// Weight after age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aged_weight: Option<f64>,
    /// Weight after age and sisters. Of a close: what counted of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Share of the weight that counts, given the distance from the median; of a leg its share of the stake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Seconds since the provider last saw it at the book.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_seconds_ago: Option<f64>,
    /// Seconds since line or price last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_seconds_ago: Option<f64>,
    /// Seconds since it was last received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_seconds_ago: Option<f64>,
    /// What it did within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movement: Option<Movement>,
    /// Why it does not count; `None`: it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Reason>,
}

/// One step: a formula and what it gives with the numbers filled in.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Step {
    /// Name.
    pub name: String,
    /// The formula in words and signs.
    pub formula: String,
    /// Where the formula comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    /// The numbers that go into it, besides those of the inputs.
    pub numbers: Vec<Named>,
    /// The formula with numbers filled in, a line each.
    pub filled: Vec<String>,
    /// What it gives.
    pub result: Vec<Named>,
}

impl Step {
    fn new(name: impl Into<String>, formula: impl Into<String>) -> Self {
        Self { name: name.into(), formula: formula.into(), ..Self::default() }
    }

    fn from(mut self, source: &'static str) -> Self {
        self.source = Some(source);
        self
    }

    fn with(mut self, name: &str, value: f64, unit: Unit) -> Self {
        self.numbers.push(Named::number(name, value, unit));
        self
    }

    fn line(mut self, text: impl Into<String>) -> Self {
        self.filled.push(text.into());
        self
    }

    fn gives(mut self, name: impl Into<String>, value: f64, unit: Unit) -> Self {
        self.result.push(Named::number(name, value, unit));
        self
    }

    fn says(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.result.push(Named::text(name, text));
        self
    }
}

/// How one number came about.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Derivation {
    /// What is explained.
    pub kind: Kind,
    /// Of what.
    pub subject: String,
    /// The instant for which it holds.
    pub as_of: Timestamp,
    /// Prices that went in, or could have.
    pub inputs: Vec<Input>,
    /// The method in words.
    pub method: Vec<String>,
    /// Step by step.
    pub steps: Vec<Step>,
    /// The number, and what belongs to it.
    pub result: Vec<Named>,
    /// What did not count.
    pub excluded: Vec<LeftOut>,
    /// What else has to be known.
    pub notes: Vec<String>,
}

impl Derivation {
    fn new(kind: Kind, subject: String, as_of: Timestamp) -> Self {
        Self {
            kind,
            subject,
            as_of,
            inputs: Vec::new(),
            method: Vec::new(),
            steps: Vec::new(),
            result: Vec::new(),
            excluded: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn says(&mut self, name: &str, value: f64, unit: Unit) {
        self.result.push(Named::number(name, value, unit));
    }

    /// The reasons of the inputs that do not count, in their order.
    fn leave_out_excluded(&mut self) {
        let left = self
            .inputs
            .iter()
            .filter_map(|i| i.excluded.as_ref().map(|reason| LeftOut { what: i.book.clone(), reason: reason.clone() }));
        self.excluded.extend(left);
    }

    /// Whatever stands in the result under this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.result.iter().find(|n| n.name == name).and_then(|n| n.value)
    }

    /// The step of this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.name == name)
    }
}
