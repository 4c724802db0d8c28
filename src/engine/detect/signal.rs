//! A signal: one market move (or one quote out of line), a side to take, and the evidence.
//!
//! The JSON form is versioned and only ever grows; `assets/schema/signal.v1.json` describes it.

use serde::{Deserialize, Serialize};

use crate::engine::price::unit::UnitKey;
use crate::market::bucket::TimeBucket;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// Version of the JSON form.
pub const SCHEMA: u32 = 1;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
pub enum SignalType {
    /// The market moved.
    Move = 1,
    /// The consensus line left, reached or crossed a key number.
    KeyCross = 2,
    /// Several independent books moved the same way within minutes.
    MultibookSync = 3,
    /// One book is out of line with the others.
    Dislocation = 4,
    /// Many independent books moved the same way at once, and far.
    Steam = 5,
    /// A watched game in play moved by a great deal.
    LiveShock = 6,
    /// An exchange and the books disagree.
    ExchangeDivergence = 7,
}

impl SignalType {
    /// Every type, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::Move,
        Self::KeyCross,
        Self::MultibookSync,
        Self::Dislocation,
        Self::Steam,
        Self::LiveShock,
        Self::ExchangeDivergence,
    ];

    /// As in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Move => "MOVE",
            Self::KeyCross => "KEY_CROSS",
            Self::MultibookSync => "MULTIBOOK_SYNC",
            Self::Dislocation => "DISLOCATION",
            Self::Steam => "STEAM",
            Self::LiveShock => "LIVE_SHOCK",
            Self::ExchangeDivergence => "EXCHANGE_DIVERGENCE",
        }
    }

    /// The type of a name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(name))
    }

    /// The number under which the store keeps it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type of a number from the store.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.number() == n)
    }
}

/// Which way the first side's value went: the line up (home gets more points, the total is higher) or its chance up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// `to_value` is above `from_value`.
    Up,
    /// `to_value` is below `from_value`.
    Down,
}

/// How urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Tier {
    /// Composite below 55.
    Low,
    /// 55 to 74.
    Medium,
    /// 75 and above.
    High,
}

impl Tier {
    /// The tier of a composite score.
    pub const fn of(composite: u8) -> Self {
        match composite {
            75.. => Self::High,
            55..=74 => Self::Medium,
            _ => Self::Low,
        }
    }

    /// `High`, `Medium` or `Low`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// Where the composite comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// All its inputs were there.
    Composite,
    /// An input was missing; the strength stands in.
    StrengthFallback,
}

/// Which way the sharp books of the panel went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharp {
    /// The same way.
    Agree,
    /// No sharp book in the panel, or none moved.
    None,
    /// The other way.
    Oppose,
}

/// The best obtainable quote for the side to take, at detection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Book key.
    pub book: String,
    /// Line, as the side sees it.
    pub line: Option<f64>,
    /// Decimal odds, as quoted.
    pub price: f64,
    /// American odds.
    pub price_american: i64,
    /// Seconds since the provider last saw it at the book.
    pub age_seconds: f64,
    /// Expected profit on a stake of 1 against the fair price without this book's family, pushes counted, after fees.
    pub ev: Option<f64>,
    /// Vig-free probability of the side at this line, conditional on no push, without this book's family.
    pub fair_probability: Option<f64>,
}

/// A book at one end of the window.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stand {
    /// Line, as the first side sees it.
    pub line: Option<f64>,
    /// Decimal odds of each side, in the order of the market's sides.
    pub prices: [Option<f64>; 3],
    /// Vig-free probability of the first side at that line.
    pub probability: f64,
    /// On the question's scale: points of expected margin or total, or probability.
    pub value: f64,
}

/// What one book of the panel did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Book key.
    pub book: String,
    /// Its family.
    pub family: String,
    /// A window ago.
    pub before: Stand,
    /// Now.
    pub after: Stand,
    /// `after.value - before.value`.
    pub change: f64,
    /// The look that first showed a change within the window; `None`: it did not move.
    pub moved_at: Option<Timestamp>,
    /// The look before that one: the move lies between the two.
    pub moved_after: Option<Timestamp>,
    /// 1 for the first mover. Books that the looks cannot tell apart share a place; `None`: it did not move this way.
    pub order: Option<u16>,
}

/// How well the looks resolve the move.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sampling {
    /// Looks from the window's start to now, both included.
    pub looks: u32,
    /// Longest time between two of them. Seconds.
    pub longest_gap_seconds: f64,
    /// Longest gap at which this detector can still judge. Seconds.
    pub limit_seconds: f64,
    /// The look that stands for the window's start.
    pub from_look: Timestamp,
}

/// The parts of strength and composite, by name.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Components {
    /// Of strength: size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub magnitude: Option<f64>,
    /// Of strength: how quickly.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub speed: Option<f64>,
    /// Of strength: how many books.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub books: Option<f64>,
    /// Of strength: time to the start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timing: Option<f64>,
    /// Of strength: how much the books agree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispersion: Option<f64>,
    /// Of strength: what every signal of the type starts with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base: Option<f64>,
    /// Of the composite: 0.40 of the strength.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_strength: Option<f64>,
    /// Of the composite: velocity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_velocity: Option<f64>,
    /// Of the composite: movers in the panel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_movers: Option<f64>,
    /// Of the composite: sharp books.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_sharp: Option<f64>,
    /// Of the composite: time to the start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_timing: Option<f64>,
    /// Of the composite: the type's record, once 30 events are graded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_record: Option<f64>,
    /// Of the composite: an entry that is not fresh.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub composite_stale_entry: Option<f64>,
}

/// A key number that the consensus line left, reached or crossed.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyCrossed {
    /// The margin or total, as the first side counts it.
    pub number: i32,
    /// Its weight in the sport's table.
    pub weight: f64,
}

/// What only some types have. Every field may be absent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Detail {
    /// Book key of a dislocated quote, or the exchange.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub book: Option<String>,
    /// DISLOCATION: `lagging`, `leading` or `alone`. EXCHANGE_DIVERGENCE: `aligned`, `exchange_leads`,
    /// `sportsbook_leads` or `opposed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// DISLOCATION: expected profit of taking the dislocated quote.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ev: Option<f64>,
    /// DISLOCATION: the fair value without the book's family, on the question's scale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fair_value: Option<f64>,
    /// DISLOCATION: its standard error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub standard_error: Option<f64>,
    /// Signed distance from the fair value, on the question's scale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delta: Option<f64>,
    /// EXCHANGE_DIVERGENCE: seconds between the first to move and the second, where both did and the looks can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag_seconds: Option<f64>,
    /// EXCHANGE_DIVERGENCE: the chance that the exchange gives the first side.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exchange_probability: Option<f64>,
    /// Population standard deviation over the board, in points or probability.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispersion: Option<f64>,
    /// KEY_CROSS: which numbers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keys: Vec<KeyCrossed>,
    /// KEY_CROSS: chance that the result falls on what was crossed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mass: Option<f64>,
    /// The book that moved first, where the looks can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leader: Option<String>,
    /// Why nobody is named as leader, and other labels.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub labels: Vec<String>,
}

/// One signal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Signal {
    /// Derived from the content: source, provider's event id, question, type, direction, instant.
    pub id: String,
    /// Rises with every update of the same signal, from 1.
    pub version: u32,
    /// Version of this form.
    pub schema: u32,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// Our id of the event.
    pub event_id: EventId,
    /// The provider's id of the event.
    pub provider_event_id: String,
    /// Sport key.
    pub sport: String,
    /// Home team.
    pub home_team: String,
    /// Away team.
    pub away_team: String,
    /// Scheduled start, as known at detection.
    pub commence_time: Timestamp,
    /// Market key.
    pub market: String,
    /// The side to take by name; the first side where there is none to take.
    pub selection: String,
    /// The side to take: `home`, `away`, `draw`, `over`, `under`, `yes`, `no`; `None`: informational.
    pub side: Option<String>,
    /// Which way `from_value` to `to_value` went.
    pub direction: Direction,
    /// Window that the detector used. Minutes.
    pub window_minutes: f64,
    /// What `from_value` and `to_value` are: `line` (spreads as the home team sees them, totals) or `probability`.
    pub unit: String,
    /// Where the market was.
    pub from_value: f64,
    /// Where it is.
    pub to_value: f64,
    /// The best obtainable quote at the first detection, by which the signal is graded; `None`: nothing to take.
    pub entry: Option<Entry>,
    /// Of an update: the best obtainable quote now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry_now: Option<Entry>,
    /// Independent books that moved this way; for a dislocation 1.
    pub books_affected: u16,
    /// Independent books in the panel.
    pub panel: u16,
    /// Independent books that moved the other way.
    pub opposers: u16,
    /// Books of the panel, in the order of their keys.
    pub evidence: Vec<Evidence>,
    /// How well the looks resolve it.
    pub sampling: Sampling,
    /// Minutes from the first mover to the last, as far as the looks can tell; at least 0.1.
    pub velocity_minutes: f64,
    /// Minutes until the scheduled start; negative afterwards.
    pub minutes_to_tip: f64,
    /// Bucket of that.
    pub time_bucket: TimeBucket,
    /// 1 to 100.
    pub strength: u8,
    /// What strength and composite are made of.
    pub components: Components,
    /// 1 to 100.
    pub composite: u8,
    /// Of the composite.
    pub tier: Tier,
    /// Where the composite comes from.
    pub score_source: ScoreSource,
    /// Sharp books.
    pub sharp: Sharp,
    /// A weaker signal of the same move that came before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub supersedes: Option<String>,
    /// What only this type has.
    pub detail: Detail,
    /// When it was first detected. Updates keep it.
    pub detected_at: Timestamp,
    /// When this version was made.
    pub updated_at: Timestamp,
    /// The question, for the engine and the store.
    #[serde(skip)]
    pub key: UnitKey,
}
