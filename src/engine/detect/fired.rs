//! What is remembered of a signal that has fired: enough to hold back repeats, to cap, and to grade it.

use super::signal::{Direction, Entry, Signal, SignalType, Tier};
use crate::engine::price::unit::UnitKey;
use crate::market::bucket::TimeBucket;
use crate::market::time::Timestamp;

/// A signal, reduced.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fired {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) kind: SignalType,
    pub(crate) key: UnitKey,
    pub(crate) direction: Direction,
    /// The dislocated book.
    pub(crate) book: Option<String>,
    pub(crate) detected_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) from_value: f64,
    pub(crate) to_value: f64,
    pub(crate) selection: String,
    pub(crate) side: Option<String>,
    pub(crate) entry: Option<Entry>,
    pub(crate) time_bucket: TimeBucket,
    pub(crate) strength: u8,
    pub(crate) composite: u8,
    pub(crate) tier: Tier,
    pub(crate) books_affected: u16,
    pub(crate) dispersion: Option<f64>,
    pub(crate) window_minutes: f64,
    /// Version of its newest CLV row; 0: none.
    pub(crate) clv_version: u32,
    /// Its part in the record of its type: CLV of the newest row, where that counts.
    pub(crate) clv: Option<f64>,
}

impl Fired {
    pub(crate) fn of(signal: &Signal) -> Self {
        Self {
            id: signal.id.clone(),
            version: signal.version,
            kind: signal.kind,
            key: signal.key,
            direction: signal.direction,
            book: signal.detail.book.clone(),
            detected_at: signal.detected_at,
            updated_at: signal.updated_at,
            from_value: signal.from_value,
            to_value: signal.to_value,
            selection: signal.selection.clone(),
            side: signal.side.clone(),
            entry: signal.entry.clone(),
            time_bucket: signal.time_bucket,
            strength: signal.strength,
            composite: signal.composite,
            tier: signal.tier,
            books_affected: signal.books_affected,
            dispersion: signal.detail.dispersion,
            window_minutes: signal.window_minutes,
            clv_version: 0,
            clv: None,
        }
    }

    /// A later version of this signal, as stored.
    pub(crate) fn remember(&mut self, signal: &Signal) {
        self.version = signal.version;
        self.updated_at = signal.updated_at;
        self.to_value = signal.to_value;
    }

    /// A stronger repeat: `signal` becomes the next version of this one, graded by the first entry.
    pub(crate) fn update(&mut self, signal: &mut Signal) {
        self.version += 1;
        self.updated_at = signal.updated_at;
        self.to_value = signal.to_value;
        signal.version = self.version;
        signal.kind = self.kind;
        signal.detected_at = self.detected_at;
        signal.from_value = self.from_value;
        signal.entry_now = std::mem::replace(&mut signal.entry, self.entry.clone());
    }
}
