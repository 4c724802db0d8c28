//! How a game stands: what the feed says of it, and what follows from what the feed no longer says.
//!
//! The feed knows scheduled, live and final. That a game was put off or called off it tells only by moving the start or by
//! no longer listing the game; the list proves it once several answers in a row leave it out. Pure; time is a value.

use super::changes::EventStatus;
use crate::market::time::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A game is taken off only when it has been missing for so long: lists have gaps.
const MISSING_MS: i64 = 30 * MINUTE_MS;
/// A start that moved by at least this is another day's; less is a delay.
const POSTPONED_MS: i64 = 12 * HOUR_MS;
/// A game that nobody lists any more so long after its start is not going to be played under this number.
const CANCELLED_MS: i64 = 48 * HOUR_MS;
/// By then every game is over.
const LONGEST_MS: i64 = 12 * HOUR_MS;

/// What is known of a game.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// What the feed said last.
    pub status: EventStatus,
    /// The start that was told first.
    pub first_start: Timestamp,
    /// The start as it is told now.
    pub start: Timestamp,
    /// The last answer that showed it, where later answers that should have held it did not.
    pub missing_since: Option<Timestamp>,
}

/// How a game stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// To be played at its start.
    Scheduled,
    /// To be played on another day than was told first.
    Postponed,
    /// No longer listed before its start: postponed without a date, or cancelled.
    Withdrawn,
    /// Not listed again within two days of its start.
    Cancelled,
    /// Under way.
    Live,
    /// Over.
    Final,
    /// Must be over, and the feed never told its result.
    Unreported,
}

impl Standing {
    /// Works it out at `now`.
    pub fn of(known: &Known, now: Timestamp) -> Self {
        match known.status {
            EventStatus::Final => return Self::Final,
            EventStatus::Live if now < known.start.plus(2 * LONGEST_MS) => return Self::Live,
            EventStatus::Live => return Self::Unreported,
            EventStatus::Scheduled => {}
        }
        // One that vanishes after its start was played, or at least begun.
        let gone = known.missing_since.filter(|since| *since < known.start && now.since(*since) >= MISSING_MS);
        if gone.is_some() {
            return if now >= known.start.plus(CANCELLED_MS) { Self::Cancelled } else { Self::Withdrawn };
        }
        if now >= known.start.plus(LONGEST_MS) {
            return Self::Unreported;
        }
        if known.start.since(known.first_start) >= POSTPONED_MS { Self::Postponed } else { Self::Scheduled }
    }

    /// `scheduled`, `postponed`, `withdrawn`, `cancelled`, `live`, `final` or `unreported`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Postponed => "postponed",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Live => "live",
            Self::Final => "final",
            Self::Unreported => "unreported",
        }
    }

    /// Why it stands so, where the feed itself did not say it.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Postponed => Some("its start moved to another day"),
            Self::Withdrawn => Some("no longer listed before its start: postponed without a date, or cancelled"),
            Self::Cancelled => Some("not listed again within two days of its start"),
            Self::Unreported => Some("it must be over, and no result was told"),
            Self::Scheduled | Self::Live | Self::Final => None,
        }
    }

    /// Nothing is to be asked about it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Cancelled | Self::Final | Self::Unreported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(hours * HOUR_MS)
    }

    fn known(status: EventStatus, first: i64, start: i64, missing: Option<i64>) -> Known {
        Known { status, first_start: at(first), start: at(start), missing_since: missing.map(at) }
    }

    #[test]
    fn what_the_feed_says_goes_first() {
        use EventStatus::{Final, Live, Scheduled};
        for (known, now, expected) in [
            (known(Scheduled, 5, 5, None), 0, Standing::Scheduled),
            (known(Scheduled, 5, 5, None), 6, Standing::Scheduled),
            (known(Live, 5, 5, None), 6, Standing::Live),
            (known(Live, 5, 5, Some(6)), 8, Standing::Live),
            (known(Final, 5, 5, Some(8)), 100, Standing::Final),
            // A delay of hours is no other day.
            (known(Scheduled, 5, 10, None), 6, Standing::Scheduled),
            (known(Scheduled, 5, 29, None), 6, Standing::Postponed),
            (known(Scheduled, 5, 5, None), 17, Standing::Unreported),
            (known(Live, 5, 5, None), 29, Standing::Unreported),
        ] {
            assert_eq!(Standing::of(&known, at(now)), expected, "{known:?} {now}");
        }
    }

    #[test]
    fn a_game_that_is_no_longer_listed_is_off_and_comes_back_with_the_list() {
        let gone = known(EventStatus::Scheduled, 5, 5, Some(1));
        assert_eq!(Standing::of(&gone, at(1).plus(MISSING_MS - 1)), Standing::Scheduled);
        assert_eq!(Standing::of(&gone, at(2)), Standing::Withdrawn);
        assert_eq!(Standing::of(&gone, at(5 + 48)), Standing::Cancelled);
        assert!(Standing::Withdrawn.is_over() && Standing::Withdrawn.reason().is_some());
        let back = known(EventStatus::Scheduled, 5, 53, None);
        assert_eq!(Standing::of(&back, at(10)), Standing::Postponed);
        assert!(!Standing::Postponed.is_over());
        // It vanished while it was being played: that is no cancellation.
        let played = known(EventStatus::Scheduled, 5, 5, Some(6));
        assert_eq!(Standing::of(&played, at(8)), Standing::Scheduled);
    }
}
