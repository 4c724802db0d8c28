//! The close: what a market said last before the start, and how far that can be trusted.

use serde::{Deserialize, Serialize};

use crate::engine::price::unit::UnitKey;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// How good a close is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Grade {
    /// Five books or more, one of them sharp, seen at most 5 minutes before the start.
    A,
    /// Four books or more, at most 15 minutes before.
    B,
    /// Two books or more, at most 60 minutes before.
    C,
    /// Older or thinner.
    D,
    /// Only prices from after the start: never used.
    F,
}

impl Grade {
    /// Every grade, best first.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::F];

    /// The grade of a close of so many books, seen so many milliseconds before the start.
    pub const fn of(books: usize, sharp: bool, age_ms: i64) -> Self {
        const MINUTE: i64 = 60_000;
        if books >= 5 && sharp && age_ms <= 5 * MINUTE {
            Self::A
        } else if books >= 4 && age_ms <= 15 * MINUTE {
            Self::B
        } else if books >= 2 && age_ms <= 60 * MINUTE {
            Self::C
        } else {
            Self::D
        }
    }

    /// `A` to `F`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }

    /// The grade of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// Why there is no close.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoClose {
    /// No book had the market open at the last look before the start.
    NoQuotes,
    /// Books had it open, but none whose price could be used.
    NoUsableQuotes,
    /// The event was missing from the last answer before the start.
    EventMissing,
    /// The market was first seen after the start.
    OnlyInPlay,
    /// The start was moved later: another close follows once the game is played.
    Postponed,
}

impl NoClose {
    /// As in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoQuotes => "no_quotes",
            Self::NoUsableQuotes => "no_usable_quotes",
            Self::EventMissing => "event_missing",
            Self::OnlyInPlay => "only_in_play",
            Self::Postponed => "postponed",
        }
    }
}

/// One book at the close.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CloseBook {
    /// Book key.
    pub book: String,
    /// Line, as the first side sees it.
    pub line: Option<f64>,
    /// Decimal odds of each side.
    pub prices: [Option<f64>; 3],
    /// Vig-free probability of the first side at that line; `None` where the vig could not be removed.
    pub probability: Option<f64>,
    /// On the question's scale.
    pub value: Option<f64>,
    /// Vote that counted.
    pub weight: f64,
    /// Seconds before the start at which the provider last saw it.
    pub age_seconds: f64,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub excluded: Option<String>,
}

/// The close of one question.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Close {
    /// Our id of the event.
    pub event_id: EventId,
    /// Market key.
    pub market: String,
    /// Player or team, where the market is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// Rises when better data changes the close, from 1.
    pub version: u32,
    /// The start that it was taken for, as known when it was taken.
    pub start: Timestamp,
    /// The look whose state it is.
    pub seen_at: Option<Timestamp>,
    /// Its grade; `None`: there is none.
    pub grade: Option<Grade>,
    /// Why there is none.
    pub reason: Option<NoClose>,
    /// The start was moved later afterwards: another close will follow.
    pub provisional: bool,
    /// Reference line, as the first side sees it.
    pub line: Option<f64>,
    /// Vig-free probability of each side at that line, in the order of the market's sides.
    pub probability: [f64; 3],
    /// On the question's scale: points, or log-odds of the first side.
    pub value: f64,
    /// `points` or `log_odds`.
    pub scale: String,
    /// The line at which the first side is worth even money, where there is a model.
    pub fair_line: Option<f64>,
    /// Of `value`.
    pub standard_error: f64,
    /// Effective number of independent books.
    pub effective_books: f64,
    /// Books that count.
    pub books: u16,
    /// A sharp one is among them.
    pub sharp: bool,
    /// Median over the books that count: seconds before the start at which the provider last saw them.
    pub age_seconds: Option<f64>,
    /// Every book, in the order of their keys.
    pub inputs: Vec<CloseBook>,
    /// The question, for the engine and the store.
    #[serde(skip)]
    pub key: UnitKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_follow_books_and_age() {
        const MINUTE: i64 = 60_000;
        assert_eq!(Grade::of(5, true, 5 * MINUTE), Grade::A);
        assert_eq!(Grade::of(5, false, 5 * MINUTE), Grade::B);
        assert_eq!(Grade::of(5, true, 5 * MINUTE + 1), Grade::B);
        assert_eq!(Grade::of(3, true, MINUTE), Grade::C);
        assert_eq!(Grade::of(9, true, 16 * MINUTE), Grade::C);
        assert_eq!(Grade::of(9, true, 61 * MINUTE), Grade::D);
        assert_eq!(Grade::of(1, true, MINUTE), Grade::D);
    }
}
