//! Closing line value of one signal: what its entry was worth against the vig-free close.

use serde::{Deserialize, Serialize};

use super::close::{Grade, NoClose};
use crate::engine::detect::signal::{Entry, SignalType, Tier};
use crate::market::bucket::TimeBucket;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// Why a signal has no closing line value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoClv {
    /// It recommends no side.
    Informational,
    /// It recommends a side that nobody offered.
    NoEntry,
    /// It was detected in play.
    InPlay,
    /// The market has no close.
    NoClose,
    /// The model does not carry the close to the entry's line.
    BeyondModel,
}

impl NoClv {
    /// As in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::NoEntry => "no_entry",
            Self::InPlay => "in_play",
            Self::NoClose => "no_close",
            Self::BeyondModel => "beyond_model",
        }
    }
}

/// The close as a CLV row shows it, from the side of the entry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CloseSide {
    /// Reference line of the close, as the entry's side sees it.
    pub line: Option<f64>,
    /// The entry's book's own closing price (decimal) where it still had the entry's line.
    pub price: Option<f64>,
    /// Vig-free probability of the side at the entry's line, conditional on no push.
    pub fair_probability: Option<f64>,
    /// Grade of the close.
    pub grade: Option<Grade>,
    /// Why there is no close.
    pub reason: Option<NoClose>,
}

/// One row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClvRow {
    /// The signal.
    pub signal_id: String,
    /// Rises with every regrading, from 1.
    pub version: u32,
    /// Type of the signal.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// Our id of the event.
    pub event_id: EventId,
    /// Sport key.
    pub sport: String,
    /// Market key.
    pub market: String,
    /// The side taken, by name.
    pub selection: String,
    /// The side taken.
    pub side: Option<String>,
    /// What was obtainable at detection.
    pub entry: Option<Entry>,
    /// The close.
    pub close: CloseSide,
    /// Expected profit of the entry against the vig-free close at the entry's own line, pushes counted, after fees.
    pub clv_ev: Option<f64>,
    /// Points: spreads and Under: entry less close; Over: close less entry.
    pub clv_points: Option<f64>,
    /// Price at the same book and line: entry over close, less 1.
    pub clv_price: Option<f64>,
    /// Fair at the close less fair at detection, of the side at the entry's line: skill without the price paid.
    pub fair_to_fair: Option<f64>,
    /// Why `clv_ev` is missing.
    pub left_out: Option<NoClv>,
    /// When the signal was detected.
    pub detected_at: Timestamp,
    /// The start that the close was taken for.
    pub start: Timestamp,
    /// Time bucket of the signal.
    pub time_bucket: TimeBucket,
    /// Strength of the signal.
    pub strength: u8,
    /// Composite of the signal.
    pub composite: u8,
    /// Tier of the signal.
    pub tier: Tier,
    /// Independent books that moved.
    pub books_affected: u16,
    /// Dispersion of the board at detection, where known.
    pub dispersion: Option<f64>,
    /// Window of the detector. Minutes.
    pub window_minutes: f64,
    /// When this row was made.
    pub graded_at: Timestamp,
}

impl ClvRow {
    /// It is part of the record of its type: graded against a close of grade A or B.
    pub fn counts(&self) -> bool {
        self.clv_ev.is_some() && matches!(self.close.grade, Some(Grade::A | Grade::B))
    }
}
