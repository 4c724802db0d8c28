//! The state of a quote, and why.

use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::time::Timestamp;

/// What is known of a quote's availability.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Status {
    /// Shown by the book at the last look, fresh.
    Open = 0,
    /// The book was asked for it and answered without it.
    Gone = 1,
    /// Shown, but the provider has not seen the market at the book for too long.
    Stale = 2,
    /// Shown, but the data contradicts itself (sides that do not mirror, a placeholder price, a time in the future).
    Flawed = 3,
    /// Its event was missing from an answer that should have held it. Proves nothing.
    EventMissing = 4,
    /// Shown or not shown, we cannot tell: that part of the answer could not be read.
    Unreadable = 5,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Gone, Self::Stale, Self::Flawed, Self::EventMissing, Self::Unreadable];

    /// `open`, `suspect` or `gone`: the three states of the domain. Only `open` may enter prices and signals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Gone => "gone",
            _ => "suspect",
        }
    }

    /// The exact reason, for explanations.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Flawed => "flawed",
            Self::EventMissing => "event_missing",
            Self::Unreadable => "unreadable",
        }
    }

    /// The quote stood in the last answer that asked for it, with a value we could read.
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Open | Self::Stale | Self::Flawed)
    }

    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_number(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.number() == n)
    }
}

/// Before the start or after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Last seen before the start as it was then known.
    Pregame,
    /// Last seen at or after it.
    InPlay,
}

impl Phase {
    /// The phase of an observation at `seen` of an event that starts at `start`.
    pub fn of(seen: Timestamp, start: Timestamp) -> Self {
        if seen < start { Self::Pregame } else { Self::InPlay }
    }

    /// `pregame` or `in_play`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pregame => "pregame",
            Self::InPlay => "in_play",
        }
    }
}

/// A quote at one instant, with its three clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteValue {
    /// Line, where the market has one.
    pub line: Option<Line>,
    /// Price.
    pub price: Price,
    /// Availability.
    pub status: Status,
    /// Phase of the last look that showed it.
    pub phase: Phase,
    /// When this quote was first received.
    pub first_seen: Timestamp,
    /// When this line and price were first received.
    pub last_changed: Timestamp,
    /// When this line and price were last received.
    pub last_seen: Timestamp,
    /// When the provider last saw the market at the book.
    pub provider_update: Option<Timestamp>,
}

/// Status and phase in one small integer, for the store.
pub fn status_code(status: Status, phase: Phase) -> u8 {
    status.number() | if phase == Phase::InPlay { 16 } else { 0 }
}

/// Undoes [`status_code`]; `None` for a number that it never gives.
pub fn from_status_code(code: u8) -> Option<(Status, Phase)> {
    let phase = match code & 0xf0 {
        0 => Phase::Pregame,
        16 => Phase::InPlay,
        _ => return None,
    };
    Some((Status::from_number(code & 0x0f)?, phase))
}
