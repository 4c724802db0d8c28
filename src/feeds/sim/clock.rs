//! The simulator's time: a virtual instant that runs at a multiple of real time, or stands until it is moved.
//!
//! The only place of the room that looks at a real clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::market::time::Timestamp;

/// Fastest speed: an hour a second.
pub const MAX_SPEED: u32 = 3600;

/// Virtual time. Clones share one clock.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Virtual instant at `since`.
    base: Timestamp,
    since: Instant,
    /// Virtual seconds per real second; 0 stands still.
    speed: u32,
}

impl State {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base.plus(elapsed.saturating_mul(i64::from(self.speed)))
    }

    fn rebase(&mut self, base: Timestamp) {
        self.base = base;
        self.since = Instant::now();
    }
}

impl SimClock {
    /// A clock that stands at `start` until it is moved by hand.
    pub fn manual(start: Timestamp) -> Self {
        Self::with_speed(start, 0)
    }

    /// A clock that starts at `start` and runs at `speed` times real time (clamped to 1..=3600).
    pub fn running(start: Timestamp, speed: u32) -> Self {
        Self::with_speed(start, speed.clamp(1, MAX_SPEED))
    }

    /// The same where `start` was the instant at `since`: what has gone by meanwhile is not lost.
    pub fn running_since(start: Timestamp, speed: u32, since: Instant) -> Self {
        Self(Arc::new(Mutex::new(State { base: start, since, speed: speed.clamp(1, MAX_SPEED) })))
    }

    fn with_speed(start: Timestamp, speed: u32) -> Self {
        Self(Arc::new(Mutex::new(State { base: start, since: Instant::now(), speed })))
    }

    /// The virtual instant.
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// Virtual seconds per real second; 0 for a clock that stands.
    pub fn speed(&self) -> u32 {
        self.lock().speed
    }

    /// Moves the clock by `ms` milliseconds (backwards when negative).
    pub fn advance(&self, ms: i64) {
        let mut state = self.lock();
        let now = state.now();
        state.rebase(now.plus(ms));
    }

    /// Sets the clock.
    pub fn set(&self, at: Timestamp) {
        self.lock().rebase(at);
    }

    /// Changes the speed from now on; 0 stops the clock, more than [`MAX_SPEED`] is clamped.
    pub fn set_speed(&self, speed: u32) {
        let mut state = self.lock();
        let now = state.now();
        state.rebase(now);
        state.speed = speed.min(MAX_SPEED);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_is_shared() {
        let clock = SimClock::manual(Timestamp::from_secs(1000));
        let other = clock.clone();
        clock.advance(1500);
        assert_eq!(other.now(), Timestamp::from_millis(1_001_500));
        other.set(Timestamp::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_secs(5));
    }

    #[test]
    fn what_went_by_before_the_clock_was_made_counts() {
        let Some(since) = Instant::now().checked_sub(std::time::Duration::from_secs(2)) else { return };
        let clock = SimClock::running_since(Timestamp::from_secs(100), 10, since);
        assert!(clock.now() >= Timestamp::from_secs(120));
    }

    #[test]
    fn speed_is_clamped() {
        let clock = SimClock::running(Timestamp::from_secs(0), 1_000_000);
        assert_eq!(clock.speed(), MAX_SPEED);
        clock.set_speed(0);
        let now = clock.now();
        assert_eq!(clock.now(), now);
        assert_eq!(SimClock::running(now, 0).speed(), 1);
    }
}
