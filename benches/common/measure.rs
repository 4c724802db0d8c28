//! Medians of steps that change state as they go, each beside its raw limit.
//!
//! A look cannot be applied twice, so these benches do not repeat one closure: they walk through a series of looks and
//! measure ours and the limit in turn, so that a busy machine slows both alike.
#![allow(dead_code, reason = "each bench takes what it needs")]

use std::time::{Duration, Instant};

/// Runs `work` and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let out = work();
    (out, start.elapsed())
}

/// Times of one step over all rounds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The median in milliseconds; of an even number of rounds the lower of the middle two.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    }

    pub fn worst(&self) -> f64 {
        self.0.iter().max().map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    }
}

/// One figure beside its target.
pub fn verdict(what: &str, value: f64, target: f64, unit: &str) {
    let word = if value <= target { "ok" } else { "MISSED" };
    println!("    {what:<44} {value:9.2} {unit:<4} target {target:6.1} {unit:<4} {word}");
}
