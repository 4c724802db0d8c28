//! What one batch changed: everything the store has to write, and nothing else.

use super::detect::signal::{Signal, SignalType};
use super::grade::close::Close;
use super::grade::clv::ClvRow;
use super::names::NameKind;
use super::opportunity::OpportunityChange;
use super::price::fair::{Consensus, Fair};
use super::price::unit::UnitKey;
use super::status::QuoteValue;
use crate::market::batch::Endpoint;
use crate::market::ids::{BookId, EventId, LookId, MarketId, Slot, SportId};
use crate::market::line::Line;
use crate::market::quality::{Reason, Severity};
use crate::market::selection::Selection;
use crate::market::time::Timestamp;

/// The outcome of applying one batch.
#[derive(Clone, PartialEq, Debug)]
pub struct Changes {
    /// The look itself.
    pub look: Look,
    /// Names that appeared for the first time.
    pub names: Vec<NewName>,
    /// Events that appeared or changed.
    pub events: Vec<EventChange>,
    /// Quotes that appeared, changed their value or changed their status.
    pub quotes: Vec<QuoteChange>,
    /// What was wrong with the data, where it was not wrong in the same way at the last look.
    pub issues: Vec<Issue>,
    /// What is no longer wrong.
    pub cleared: Vec<Cleared>,
    /// Which markets of which events the answer showed, and the provider's time of each: see [`super::seen`].
    pub seen: Vec<u8>,
    /// Whole states of events, so that looking back never has to read a long log: see [`super::image`].
    pub keyframes: Vec<Keyframe>,
    /// Events that the engine let go of, with the number of slots that they have used.
    pub forgotten: Vec<(EventId, u32)>,
    /// Fair prices and consensus of questions where they changed by a step.
    pub points: Vec<Point>,
    /// Signals, new ones and updates.
    pub signals: Vec<Signal>,
    /// Opportunities that appeared, changed or ended.
    pub opportunities: Vec<OpportunityChange>,
    /// Closes taken or taken again.
    pub closes: Vec<Close>,
    /// Signals graded or graded again.
    pub clv: Vec<ClvRow>,
    /// What the detectors could judge at this look, and what not.
    pub tallies: Vec<Tally>,
}

/// A published fair price and consensus of one question, from this look on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Event.
    pub event: EventId,
    /// Question.
    pub key: UnitKey,
    /// Reference line, as the first side sees it.
    pub line: Option<Line>,
    /// The fair price at that line; `None`: there is none any more.
    pub fair: Option<Fair>,
    /// The board consensus; `None`: too few books.
    pub consensus: Option<Consensus>,
    /// Books counted.
    pub books: u16,
}

/// What one detector did at one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Which.
    pub detector: SignalType,
    /// Questions with something to judge that were judged.
    pub evaluated: u32,
    /// Questions with something to judge whose looks were too far apart.
    pub not_evaluable: u32,
    /// The longest gap among those. Milliseconds.
    pub longest_gap_ms: i64,
    /// The gap that would have done, the shortest among those. Milliseconds.
    pub needed_ms: i64,
    /// Moves that were none: a start changed, a market came back.
    pub suppressed: u32,
}

/// One successful answer, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Its number.
    pub id: LookId,
    /// Number of the source's name.
    pub source: u32,
    /// Sport.
    pub sport: SportId,
    /// Which question.
    pub endpoint: Endpoint,
    /// When it was received.
    pub received_at: Timestamp,
    /// Events in the answer that could be used.
    pub events: u32,
    /// Quotes in the answer that could be read.
    pub quotes: u32,
    /// Rows of the change log.
    pub changes: u32,
    /// Issues, those known before included.
    pub issues: u32,
}

/// A name and its new number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewName {
    /// Which list.
    pub kind: NameKind,
    /// Number in the list.
    pub number: u32,
    /// The name.
    pub name: Box<str>,
}

/// Where an event stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum EventStatus {
    /// Not started as far as known.
    #[default]
    Scheduled = 0,
    /// The feed shows a running score.
    Live = 1,
    /// The feed says that it is over.
    Final = 2,
}

impl EventStatus {
    /// `scheduled`, `live`, `final`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Live => "live",
            Self::Final => "final",
        }
    }

    /// The status of a number from the store.
    pub const fn from_number(n: u8) -> Self {
        match n {
            1 => Self::Live,
            2 => Self::Final,
            _ => Self::Scheduled,
        }
    }
}

/// An event as it stands after the batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRow {
    /// Our id.
    pub id: EventId,
    /// Number of the source's name.
    pub source: u32,
    /// The provider's id.
    pub provider_id: Box<str>,
    /// Sport.
    pub sport: SportId,
    /// Home team; empty for outrights.
    pub home: Box<str>,
    /// Away team; empty for outrights.
    pub away: Box<str>,
    /// Scheduled start.
    pub commence: Timestamp,
    /// When the event was first received.
    pub first_seen: Timestamp,
    /// Where it stands.
    pub status: EventStatus,
    /// Points, home and away, once known.
    pub score: Option<(i32, i32)>,
}

/// What happened to an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventChange {
    /// The event afterwards.
    pub row: EventRow,
    /// It appeared with this batch.
    pub new: bool,
    /// Its start is new or was moved: an entry in the history of starts.
    pub start_changed: bool,
    /// Its score or status changed: an entry in the history of scores.
    pub score_changed: bool,
}

/// A row of the change log.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct QuoteChange {
    /// Event.
    pub event: EventId,
    /// Which quote of the event.
    pub slot: Slot,
    /// What the slot stands for, when it is new.
    pub new: Option<QuoteKey>,
    /// The quote from now on.
    pub value: QuoteValue,
}

/// What a slot stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QuoteKey {
    /// Book.
    pub book: BookId,
    /// Market.
    pub market: MarketId,
    /// Outcome.
    pub selection: Selection,
}

/// Something wrong with the data.
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// Event, where it is known.
    pub event: Option<EventId>,
    /// Book, where it is known.
    pub book: Option<BookId>,
    /// Market, where it is known.
    pub market: Option<MarketId>,
    /// What.
    pub reason: Reason,
    /// Whether the value is used all the same.
    pub severity: Severity,
    /// For a person.
    pub detail: String,
}

/// An issue that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cleared {
    /// Event.
    pub event: EventId,
    /// Book, unless it was the event's own issue.
    pub book: Option<BookId>,
    /// Market, unless it was the book's or event's own.
    pub market: Option<MarketId>,
    /// What.
    pub reason: Reason,
}

/// The whole state of an event at a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyframe {
    /// Event.
    pub event: EventId,
    /// Packed state: see [`super::image`].
    pub state: Vec<u8>,
}
