//! The one table of fields: parsing, completion, messages and the reference page all read it.

use super::choices::{self, Choice};

/// A field whose values are texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TextField {
    /// Sport key, such as `basketball_nba`; a league is one.
    Sport,
    /// Names (and codes) of the teams or participants.
    Team,
    /// Our number of the event, and the provider's ids of it.
    Game,
    /// Market key, such as `alternate_spreads`.
    Market,
    /// Book keys.
    Book,
    /// Type of the signal.
    Type,
    /// Tier of the signal.
    Tier,
    /// Side of the market.
    Side,
    /// Which way the first side's value went.
    Direction,
    /// Grade of the close.
    Grade,
    /// Distance to the start, in steps: the names of [`crate::market::bucket::TimeBucket`].
    Bucket,
    /// Labels that the user gave.
    Label,
    /// Names of the watchlists that hold it.
    List,
    /// Signal presets that keep it.
    Preset,
    /// Where the event or the quote stands.
    Status,
}

/// A field whose value is a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NumberField {
    /// Expected profit on a stake of 100: percent.
    Ev,
    /// What the book keeps: percent.
    Hold,
    /// Strength of the signal, 0 to 100.
    Strength,
    /// Composite score, 0 to 100.
    Composite,
    /// How many books.
    Books,
    /// Seconds since it was seen or happened.
    Age,
    /// Seconds until the start; negative after it.
    Lead,
    /// Decimal odds.
    Price,
    /// Line, as the side sees it, in points.
    Line,
    /// How far the line moved, in points; never negative.
    Move,
    /// How far the books lie apart, in points.
    Dispersion,
    /// Closing line value: percent.
    Clv,
}

/// A thing that is so or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Flag {
    /// The feed shows a running score.
    Live,
    /// Not started.
    Pregame,
    /// Over.
    Final,
    /// Not seen at the book for too long.
    Stale,
    /// Shown, and not to be relied on.
    Suspect,
    /// The book answered without it.
    Gone,
    /// On a watchlist.
    Watched,
    /// The start has passed.
    Started,
    /// Something can be done about it now.
    Actionable,
    /// The best price of its side.
    Best,
    /// The book has taken the market down for now.
    Suspended,
}

impl Flag {
    /// Every flag, in the order of the reference.
    pub const ALL: [Self; 11] = [
        Self::Live,
        Self::Pregame,
        Self::Final,
        Self::Stale,
        Self::Suspect,
        Self::Gone,
        Self::Watched,
        Self::Started,
        Self::Actionable,
        Self::Best,
        Self::Suspended,
    ];

    /// The word after `is:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Pregame => "pregame",
            Self::Final => "final",
            Self::Stale => "stale",
            Self::Suspect => "suspect",
            Self::Gone => "gone",
            Self::Watched => "watched",
            Self::Started => "started",
            Self::Actionable => "actionable",
            Self::Best => "best",
            Self::Suspended => "suspended",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// How numbers of a field are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Without a unit.
    Plain,
    /// With or without `%`; 2 is 2 %.
    Percent,
    /// With `s`, `m`, `h` or `d`.
    Time,
    /// American or decimal odds.
    Price,
}

/// What a field takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FieldKind {
    /// Any text.
    Text(TextField),
    /// One of these words.
    Choice(TextField, &'static [Choice]),
    /// A number.
    Number(NumberField, Unit),
    /// One of the flags.
    Flag(&'static [Choice]),
}

impl FieldKind {
    /// The closed list of words that the field takes, if it has one.
    pub const fn choices(self) -> Option<&'static [Choice]> {
        match self {
            Self::Choice(_, list) | Self::Flag(list) => Some(list),
            Self::Text(_) | Self::Number(..) => None,
        }
    }
}

/// One field.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FieldInfo {
    /// The name, as canonical text writes it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: FieldKind,
    /// One line for people.
    pub description: &'static str,
    /// A whole term.
    pub example: &'static str,
}

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: FieldKind,
    description: &'static str,
    example: &'static str,
) -> FieldInfo {
    FieldInfo { name, aliases, kind, description, example }
}

use FieldKind::{Choice as One, Number as Num, Text};

/// Every field, in the order of the reference.
pub const FIELDS: &[FieldInfo] = &[
    field(
        "sport",
        &["league"],
        Text(TextField::Sport),
        "sport or league: its key, part of it or a short name",
        "sport:nba",
    ),
    field("team", &["teams"], Text(TextField::Team), "a team or participant, from the start of a word", "team:celtics"),
    field("game", &["event", "id"], Text(TextField::Game), "one event: our number or a provider's id", "game:1042"),
    field(
        "market",
        &["markets"],
        Text(TextField::Market),
        "kind of bet with its alternates and parts, or a key",
        "market:spread",
    ),
    field("book", &["bookmaker"], Text(TextField::Book), "a book: its key, name or column heading", "book:dk,fd"),
    field("type", &["signal", "kind"], One(TextField::Type, choices::TYPES), "type of the signal", "type:steam"),
    field("tier", &[], One(TextField::Tier, choices::TIERS), "how urgent the signal is", "tier:high"),
    field("side", &[], One(TextField::Side, choices::SIDES), "side of the market", "side:over"),
    field(
        "direction",
        &["dir"],
        One(TextField::Direction, choices::DIRECTIONS),
        "which way the value went",
        "direction:up",
    ),
    field("grade", &[], One(TextField::Grade, choices::GRADES), "grade of the close", "grade:a,b"),
    field("bucket", &[], One(TextField::Bucket, choices::BUCKETS), "distance to the start, in steps", "bucket:late"),
    field("label", &["tag"], Text(TextField::Label), "a label of yours, from the start of a word", "label:sharp"),
    field("list", &["watchlist"], Text(TextField::List), "a watchlist by its name", "list:\"steam watch\""),
    field(
        "preset",
        &[],
        One(TextField::Preset, choices::PRESETS),
        "a preset that keeps the signal",
        "preset:low_noise",
    ),
    field(
        "status",
        &[],
        One(TextField::Status, choices::STATUSES),
        "where the event or the quote stands",
        "status:suspect",
    ),
    field("is", &[], FieldKind::Flag(choices::FLAGS), "something that is so or not", "is:live"),
    field("ev", &["edge"], Num(NumberField::Ev, Unit::Percent), "expected profit, in percent of the stake", "ev>2"),
    field("hold", &["vig"], Num(NumberField::Hold, Unit::Percent), "what the book keeps, in percent", "hold<4.5%"),
    field("strength", &[], Num(NumberField::Strength, Unit::Plain), "strength of the signal, 0 to 100", "strength>=70"),
    field(
        "composite",
        &["score"],
        Num(NumberField::Composite, Unit::Plain),
        "composite score, 0 to 100",
        "composite:55..74",
    ),
    field("books", &[], Num(NumberField::Books, Unit::Plain), "how many books", "books>=5"),
    field("age", &[], Num(NumberField::Age, Unit::Time), "time since it was seen or happened", "age<30s"),
    field(
        "lead",
        &["start", "starts"],
        Num(NumberField::Lead, Unit::Time),
        "time until the start, negative after it",
        "lead:0..2h",
    ),
    field(
        "price",
        &["odds"],
        Num(NumberField::Price, Unit::Price),
        "odds, American or decimal, compared as decimal",
        "price>-110",
    ),
    field("line", &["point"], Num(NumberField::Line, Unit::Plain), "the line, as the side sees it", "line:-3.5..-2.5"),
    field("move", &["moved"], Num(NumberField::Move, Unit::Plain), "how far the line moved, either way", "move>=1"),
    field(
        "dispersion",
        &[],
        Num(NumberField::Dispersion, Unit::Plain),
        "how far the books lie apart, in points",
        "dispersion<=0.7",
    ),
    field("clv", &[], Num(NumberField::Clv, Unit::Percent), "closing line value, in percent", "clv>0"),
];

/// The field of a name or alias, whatever its case.
pub fn field_of(name: &str) -> Option<&'static FieldInfo> {
    let is = |n: &&str| n.eq_ignore_ascii_case(name);
    FIELDS.iter().find(|f| is(&f.name) || f.aliases.iter().any(is))
}

/// The names of all fields and then their aliases.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|f| f.name).chain(FIELDS.iter().flat_map(|f| f.aliases.iter().copied()))
}

impl TextField {
    /// The name in the language.
    pub fn name(self) -> &'static str {
        let is = |f: &&FieldInfo| matches!(f.kind, Text(t) | One(t, _) if t == self);
        FIELDS.iter().find(is).map_or("", |f| f.name)
    }
}

impl NumberField {
    /// The name in the language.
    pub fn name(self) -> &'static str {
        self.info().map_or("", |f| f.name)
    }

    /// How its numbers are written.
    pub fn unit(self) -> Unit {
        match self.info().map(|f| f.kind) {
            Some(Num(_, unit)) => unit,
            _ => Unit::Plain,
        }
    }

    fn info(self) -> Option<&'static FieldInfo> {
        FIELDS.iter().find(|f| matches!(f.kind, Num(n, _) if n == self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_lead_to_their_field() {
        let all: Vec<_> = names().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for name in all {
            assert!(field_of(&name.to_uppercase()).is_some(), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
        }
        assert_eq!(field_of("streng"), None);
    }

    #[test]
    fn every_field_is_reached_by_its_kind_and_its_example_parses() {
        for info in FIELDS {
            match info.kind {
                Text(field) | One(field, _) => assert_eq!(field.name(), info.name),
                Num(field, unit) => assert_eq!((field.name(), field.unit()), (info.name, unit)),
                FieldKind::Flag(_) => {}
            }
            let filter = Filter::parse(info.example).expect(info.example);
            assert!(filter.to_string().starts_with(info.name), "{}", info.example);
            assert!(!info.description.ends_with('.'));
        }
    }

    #[test]
    fn the_table_of_flags_is_the_list_of_flags() {
        let listed: Vec<_> = choices::FLAGS.iter().map(|c| c.name).collect();
        assert_eq!(listed, Flag::ALL.map(Flag::name));
        assert!(Flag::ALL.into_iter().all(|f| Flag::from_name(f.name()) == Some(f)));
    }
}
