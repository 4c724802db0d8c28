//! How near the next start was when a look was taken.

use crate::market::time::Timestamp;

const HOUR_MS: i64 = 3_600_000;

/// The tier of a look, by the hours before the nearest start that it could still show pregame prices of. Both ends of
/// a tier are told apart one way only: exactly 3 hours before is `Pregame`, exactly 12 `Sharp`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// 72 hours before or earlier.
    Opening,
    /// 24 to 72 hours before.
    Early,
    /// 12 to 24 hours before.
    Sharp,
    /// 3 to 12 hours before.
    Pregame,
    /// The last 3 hours.
    Closing,
}

impl Tier {
    /// The tier at `now` for a game that starts at `start`; `None` once it has started.
    pub const fn of(now: Timestamp, start: Timestamp) -> Option<Self> {
        let before = start.since(now);
        match before {
            i64::MIN..=0 => None,
            b if b < 3 * HOUR_MS => Some(Self::Closing),
            b if b < 12 * HOUR_MS => Some(Self::Pregame),
            b if b < 24 * HOUR_MS => Some(Self::Sharp),
            b if b < 72 * HOUR_MS => Some(Self::Early),
            _ => Some(Self::Opening),
        }
    }

    /// The tier of a look at games that start at `starts`: that of the nearest start ahead.
    pub fn of_look(now: Timestamp, starts: impl IntoIterator<Item = Timestamp>) -> Option<Self> {
        starts.into_iter().filter_map(|start| Self::of(now, start)).max()
    }

    /// Its name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Early => "early",
            Self::Sharp => "sharp",
            Self::Pregame => "pregame",
            Self::Closing => "closing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_before_the_start_has_one_tier() {
        let start = Timestamp::from_secs(1_800_000_000);
        let tier = |ms_before: i64| Tier::of(start.plus(-ms_before), start);
        let h = HOUR_MS;
        for (before, expected) in [
            (-1, None),
            (0, None),
            (1, Some(Tier::Closing)),
            (3 * h - 1, Some(Tier::Closing)),
            (3 * h, Some(Tier::Pregame)),
            (12 * h, Some(Tier::Sharp)),
            (24 * h, Some(Tier::Early)),
            (72 * h - 1, Some(Tier::Early)),
            (72 * h, Some(Tier::Opening)),
        ] {
            assert_eq!(tier(before), expected, "{before}");
        }
    }

    #[test]
    fn a_look_has_the_tier_of_the_nearest_start_ahead() {
        let now = Timestamp::from_secs(1_800_000_000);
        let starts = [-1, 30, 5].map(|h| now.plus(h * HOUR_MS));
        assert_eq!(Tier::of_look(now, starts), Some(Tier::Pregame));
        assert_eq!(Tier::of_look(now, [now]), None);
        assert!(Tier::Closing > Tier::Opening);
    }
}
