//! How long to wait before something that failed is tried again: longer each time, up to a cap, spread by chance.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Waits that grow from `first` to `cap`. Every wait lies between the two, both included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Nothing has failed yet. A cap below `first` counts as `first`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap: cap.max(first), failures: 0 }
    }

    /// Counts a failure and answers how long to wait; `roll` in 0..1 decides where between half of the grown wait and
    /// all of it, so that many who lost the same thing do not come back at once.
    pub fn after_failure(&mut self, roll: f64) -> Duration {
        // 2^20 times any first wait is above every cap in use; more doublings would only overflow.
        let grown = self.first.saturating_mul(1 << self.failures.min(20)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        let roll = if roll.is_finite() { roll.clamp(0.0, 1.0) } else { 1.0 };
        grown.mul_f64(0.5 + 0.5 * roll).clamp(self.first, self.cap)
    }

    /// Failures since the last success.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// It worked: the next failure starts from the first wait again.
    pub const fn worked(&mut self) {
        self.failures = 0;
    }
}

/// A number in 0..1. The standard library's hash keys are random for each map and need no generator.
pub fn roll() -> f64 {
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn waits_double_to_the_cap_and_start_over_after_a_success() {
        let mut b = Backoff::new(ms(500), ms(10_000));
        let waits: Vec<u128> = (0..7).map(|_| b.after_failure(1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        assert_eq!(b.failures(), 7);
        b.worked();
        assert_eq!(b.after_failure(1.0), ms(500));
    }

    #[test]
    fn chance_takes_away_at_most_half() {
        let mut b = Backoff::new(ms(500), ms(10_000));
        for _ in 0..3 {
            b.after_failure(0.0);
        }
        assert_eq!(b.clone().after_failure(0.0), ms(2000));
        assert_eq!(b.clone().after_failure(0.5), ms(3000));
        assert_eq!(b.after_failure(f64::NAN), ms(4000));
    }

    proptest! {
        #[test]
        fn no_wait_is_outside_its_bounds(first in 1u64..5_000, cap in 0u64..100_000, rolls in proptest::collection::vec(any::<f64>(), 1..200)) {
            let mut b = Backoff::new(ms(first), ms(cap));
            for r in rolls {
                let wait = b.after_failure(r);
                prop_assert!(wait >= ms(first) && wait <= ms(cap.max(first)), "{wait:?}");
            }
        }

        #[test]
        fn rolls_are_fractions(_again in 0..50u8) {
            prop_assert!((0.0..1.0).contains(&roll()));
        }
    }
}
