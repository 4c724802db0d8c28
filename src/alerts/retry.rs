//! When a message is tried again, and when it has been tried for long enough. Pure.

use std::time::Duration;

use super::channel::Attempt;
use crate::market::time::Timestamp;
use crate::store::outbox::Next;

/// How patiently messages are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Wait after the first failure.
    pub first: Duration,
    /// Longest wait, unless the other side asks for a longer one.
    pub cap: Duration,
    /// A message that could not be delivered for so long is given up.
    pub give_up: Duration,
}

impl Default for Patience {
    /// 2 s, doubling up to 10 min, for a day.
    fn default() -> Self {
        Self { first: Duration::from_secs(2), cap: Duration::from_secs(600), give_up: Duration::from_secs(86_400) }
    }
}

impl Patience {
    /// How long to wait after so many failures in a row, at least 1; `roll` in 0..1 takes away up to half of it, so that
    /// what failed together does not come back together.
    pub fn wait(&self, failures: u32, roll: f64) -> Duration {
        let grown = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.cap.max(self.first));
        let roll = if roll.is_finite() { roll.clamp(0.0, 1.0) } else { 0.0 };
        grown.mul_f64(1.0 - 0.5 * roll).max(self.first.min(grown))
    }

    /// What becomes of a message that has been deliverable since `since` and failed `failures` times before this attempt,
    /// which ended at `now`.
    pub fn next(&self, attempt: &Attempt, since: Timestamp, failures: u32, now: Timestamp, roll: f64) -> Next {
        let after = match attempt {
            Attempt::Delivered => return Next::Delivered,
            Attempt::Refused { .. } => return Next::Refused,
            Attempt::Later { after, .. } => *after,
        };
        let deadline = since.plus(millis(self.give_up));
        if now >= deadline {
            return Next::GivenUp;
        }
        let wait = self.wait(failures.saturating_add(1), roll).max(after.unwrap_or_default());
        // One more attempt when the time is over, unless the other side wants to be left alone until later.
        let at = now.plus(millis(wait));
        let no_sooner = now.plus(millis(after.unwrap_or_default()));
        Next::At(at.min(deadline.max(no_sooner)))
    }
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Why it went as it did, for a person; empty for a delivery.
pub fn why(attempt: &Attempt) -> &str {
    match attempt {
        Attempt::Delivered => "",
        Attempt::Later { why, .. } | Attempt::Refused { why } => why,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn later(after: Option<u64>) -> Attempt {
        Attempt::Later { after: after.map(Duration::from_secs), why: "429".into() }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_795_200_000 + secs)
    }

    #[test]
    fn waits_grow_and_honour_what_the_other_side_asks() {
        let p = Patience::default();
        let next = |failures, after| p.next(&later(after), at(0), failures, at(10), 0.0);
        assert_eq!(next(0, None), Next::At(at(12)));
        assert_eq!(next(1, None), Next::At(at(14)));
        assert_eq!(next(30, None), Next::At(at(610)));
        assert_eq!(next(0, Some(90)), Next::At(at(100)));
        assert_eq!(p.next(&Attempt::Delivered, at(0), 0, at(1), 0.0), Next::Delivered);
        assert_eq!(p.next(&Attempt::Refused { why: "404".into() }, at(0), 0, at(1), 0.0), Next::Refused);
    }

    #[test]
    fn after_a_day_a_message_is_given_up_with_a_last_attempt() {
        let p = Patience::default();
        assert_eq!(p.next(&later(None), at(0), 99, at(86_000), 0.0), Next::At(at(86_400)));
        assert_eq!(p.next(&later(None), at(0), 99, at(86_400), 0.0), Next::GivenUp);
        // Nobody is asked sooner than they want to be.
        assert_eq!(p.next(&later(Some(3600)), at(0), 99, at(86_000), 0.0), Next::At(at(89_600)));
    }

    proptest! {
        #[test]
        fn no_wait_is_outside_its_bounds(failures in 0_u32..100, roll in any::<f64>(), after in proptest::option::of(0_u64..10_000), passed in 0_i64..100_000) {
            let p = Patience::default();
            match p.next(&later(after), at(0), failures, at(passed), roll) {
                Next::At(next) => {
                    prop_assert!(next >= at(passed).plus(after.unwrap_or(0) as i64 * 1000));
                    prop_assert!(next > at(passed));
                    prop_assert!(next <= at(passed).plus(millis(p.cap).max(after.unwrap_or(0) as i64 * 1000)));
                }
                other => prop_assert_eq!((other, passed >= 86_400), (Next::GivenUp, true)),
            }
        }
    }
}
