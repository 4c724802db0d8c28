//! The board's clocks: real time for flashes and toasts, market time for everything that the market says.

use std::time::{Duration, Instant};

use crate::market::time::Timestamp;
use crate::runtime::status::MarketClock;

/// Instants as they were last read. The board never reads a clock itself.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    epoch: Instant,
    now: Instant,
    local: Timestamp,
    /// How market time runs against this machine's.
    pub market: MarketClock,
}

impl Clocks {
    /// Clocks of a board that was opened at `epoch`, when this machine had `local`.
    pub fn new(epoch: Instant, local: Timestamp) -> Self {
        Self { epoch, now: epoch, local, market: MarketClock::Local }
    }

    /// Reads them: it is `now`, and this machine has `local`.
    pub fn read(&mut self, now: Instant, local: Timestamp) {
        (self.now, self.local) = (now, local);
    }

    /// The present, for deadlines.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// This machine's time.
    pub fn local(&self) -> Timestamp {
        self.local
    }

    /// Market time.
    pub fn market(&self) -> Timestamp {
        self.market.market_at(self.local)
    }

    /// Milliseconds since the board was opened.
    pub fn tick(&self) -> u32 {
        self.tick_of(self.now)
    }

    /// The same of another instant.
    pub fn tick_of(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u32::MAX)
    }

    /// The instant of a number of milliseconds.
    pub fn instant_of(&self, tick: u32) -> Instant {
        self.epoch + Duration::from_millis(u64::from(tick))
    }
}
