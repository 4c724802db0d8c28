//! A clock that only goes forward and does not stand still while the machine sleeps, so that nobody who wakes believes
//! that no time has passed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::hub::lease::Moment;
use crate::runtime::jumps::Reading;

/// The clock. Where the system has one that goes on during sleep it is that; elsewhere the clock on the wall pushes it on,
/// which may be too much when that is set ahead, and is too little only when it is set back during sleep.
#[derive(Debug)]
pub struct Awake {
    begin: Instant,
    state: Mutex<(Reading, Moment)>,
}

impl Default for Awake {
    fn default() -> Self {
        let begin = Instant::now();
        Self { begin, state: Mutex::new((Reading::now(begin), Moment::ZERO)) }
    }
}

impl Awake {
    /// Now.
    pub fn now(&self) -> Moment {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Reading::now(self.begin);
        let passed = passed(&state.0, &reading);
        *state = (reading, state.1 + passed);
        state.1
    }
}

/// How much time has passed between two readings: at least so much.
fn passed(before: &Reading, after: &Reading) -> Duration {
    let forward = after.forward.saturating_sub(before.forward);
    let other = match (before.awake, after.awake) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => Duration::from_millis(u64::try_from(after.wall.since(before.wall)).unwrap_or(0)),
    };
    forward.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::time::Timestamp;

    #[test]
    fn sleep_counts_and_nothing_runs_back() {
        let reading = |wall_s: i64, forward_s: u64, awake_s: Option<u64>| Reading {
            wall: Timestamp::from_secs(1_800_000_000 + wall_s),
            forward: Duration::from_secs(forward_s),
            awake: awake_s.map(Duration::from_secs),
        };
        let secs = Duration::from_secs;
        // Slept for an hour; the wall may say what it likes.
        assert_eq!(passed(&reading(0, 0, Some(0)), &reading(-500, 1, Some(3_601))), secs(3_601));
        assert_eq!(passed(&reading(0, 0, Some(0)), &reading(9_000, 1, Some(1))), secs(1));
        // Without a clock that goes on: the wall.
        assert_eq!(passed(&reading(0, 0, None), &reading(3_601, 1, None)), secs(3_601));
        assert_eq!(passed(&reading(0, 0, None), &reading(-3_600, 1, None)), secs(1));
    }

    #[test]
    fn it_goes() {
        let clock = Awake::default();
        let first = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now() - first >= Duration::from_millis(19));
    }
}
