//! What a detector answers: something, nothing, or that it cannot judge.

use super::signal::{KeyCrossed, SignalType};
use super::window::Window;
use crate::market::ids::BookId;

/// Something that a detector found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: SignalType,
    /// Over which window.
    pub(crate) window_ms: i64,
    /// Longest gap between looks at which it can still be judged.
    pub(crate) limit_ms: i64,
    /// +1: the looked-at side's value rose; -1: it fell.
    pub(crate) sign: f64,
    /// How far, on the scale of thresholds; at least 0.
    pub(crate) magnitude: f64,
    /// The threshold that it passed.
    pub(crate) threshold: f64,
    /// A family moved when it moved by at least this.
    pub(crate) mover_least: f64,
    /// Line before and after, where the finding is about lines.
    pub(crate) lines: Option<(f64, f64)>,
    pub(crate) extra: Extra,
}

/// What only some types have.
#[derive(Clone, Debug, Default)]
pub(crate) enum Extra {
    #[default]
    Nothing,
    Keys {
        keys: Vec<KeyCrossed>,
        mass: Option<f64>,
    },
    Book(Dislocated),
}

/// Where a finding about one quote is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taking {
    /// That very quote.
    Here,
    /// The side that it points to, elsewhere.
    Elsewhere,
    /// Nowhere: it is told for information.
    Nowhere,
}

/// A quote out of line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dislocated {
    pub(crate) book: BookId,
    /// `lagging`, `leading` or `alone`; of an exchange who moved first.
    pub(crate) label: &'static str,
    pub(crate) taking: Taking,
    /// Between the first to move and the second, of an exchange. Milliseconds.
    pub(crate) lag_ms: Option<i64>,
    /// Distance in probability and the chance that the exchange gives, of an exchange.
    pub(crate) probability: Option<f64>,
    /// Expected profit of taking it.
    pub(crate) ev: f64,
    /// Place of the side that is worth taking at this book.
    pub(crate) place: usize,
    /// Place of the side that the distance is of.
    pub(crate) looked_at: usize,
    /// Place of the side whose chance it holds higher than the others do, by most.
    pub(crate) points_to: usize,
    pub(crate) fair_value: f64,
    pub(crate) standard_error: f64,
    pub(crate) delta: f64,
}

/// The answer of a detector.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Nothing there.
    Nothing,
    /// The looks are too far apart to tell.
    NotEvaluable {
        /// The gap that would have done.
        limit_ms: i64,
        /// The gap that there was.
        gap_ms: i64,
    },
    /// There it is.
    Found(Box<Finding>),
}

impl Answer {
    /// Answers [`Answer::NotEvaluable`] where the looks of the window are farther apart than `limit_ms`.
    pub(crate) fn judged(window: &Window, limit_ms: i64, judge: impl FnOnce() -> Option<Finding>) -> Self {
        if window.gaps.longest > limit_ms {
            return Self::NotEvaluable { limit_ms, gap_ms: window.gaps.longest };
        }
        judge().map_or(Self::Nothing, |f| Self::Found(Box::new(f)))
    }
}
