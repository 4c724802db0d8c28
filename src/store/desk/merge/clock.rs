//! Hybrid logical time: near the time of day, but later than everything that was seen.
//!
//! Two devices whose clocks differ still order what one did after seeing the other's work. A clock that runs far ahead
//! would win every conflict until the day that it shows. So nobody but its own device ever sees such a time: the hub puts
//! no operation further ahead than [`MOST_AHEAD_MS`] of its own clock (and none before the one that the same device told
//! before), and the device takes over what the hub made of it.

use crate::market::time::Timestamp;

/// How far an operation's clock may be ahead of the hub's at the moment when it is stored: twice the five minutes by which
/// the clocks of devices may well differ.
pub const MOST_AHEAD_MS: i64 = 600_000;

/// Bits of the counter that tells operations of one millisecond apart.
const COUNTER: u32 = 16;

/// A hybrid logical time: milliseconds since 1970, and a counter in the lowest 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Clock(pub i64);

impl Clock {
    /// The first instant of a millisecond.
    pub const fn at(time: Timestamp) -> Self {
        let ms = time.millis();
        let most = i64::MAX >> COUNTER;
        Self(if ms < 0 {
            0
        } else if ms > most {
            most << COUNTER
        } else {
            ms << COUNTER
        })
    }

    /// The time of day in it.
    pub const fn time(self) -> Timestamp {
        Timestamp::from_millis(self.0 >> COUNTER)
    }

    /// The clock of something done now by one who has seen things up to `self`.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self(self.0.saturating_add(1)).max(Self::at(now))
    }

    /// As the hub keeps it, whose own time is `now` and to which the same device told `before` last.
    #[must_use]
    pub fn bounded(self, now: Timestamp, before: Self) -> Self {
        let most = Self::at(Timestamp::from_millis(now.millis().saturating_add(MOST_AHEAD_MS)));
        self.min(most).max(before).max(Self(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn it_rises_whatever_the_time_of_day_does() {
        let mut clock = Clock::default();
        for now in [5, 5, 3, 9, -1, 9] {
            let next = clock.next(at(now));
            assert!(next > clock);
            clock = next;
        }
        assert_eq!(clock.time(), at(9));
        assert_eq!(Clock(i64::MAX).next(at(0)), Clock(i64::MAX));
        assert!(Clock::at(at(i64::MAX)) > Clock::at(at(1 << 40)));
    }

    #[test]
    fn one_that_is_far_ahead_is_brought_back_and_keeps_its_order() {
        let ahead = Clock::at(at(4_000_000_000_000));
        let first = ahead.bounded(at(1_000), Clock::default());
        assert_eq!(first.time(), at(1_000 + MOST_AHEAD_MS));
        assert_eq!(ahead.next(at(0)).bounded(at(500), first), first, "the hub's own clock went back");
        assert_eq!(Clock::at(at(7)).bounded(at(1_000), Clock::default()), Clock::at(at(7)));
    }
}
