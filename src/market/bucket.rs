//! How far away the start is, in the five steps by which signals are scored and graded.

use super::time::Timestamp;

/// Distance to the scheduled start. Half-open: a game exactly 30 minutes away is [`TimeBucket::Late`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum TimeBucket {
    /// The start is not known.
    Unknown = 0,
    /// 6 hours or more.
    Open = 1,
    /// 2 to 6 hours.
    Mid = 2,
    /// 30 minutes to 2 hours.
    Late = 3,
    /// Less than 30 minutes; the start itself included.
    PreTip = 4,
    /// After the start.
    InPlay = 5,
}

const MINUTE: i64 = 60_000;

impl TimeBucket {
    /// Every bucket, in the order of its number.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Open, Self::Mid, Self::Late, Self::PreTip, Self::InPlay];

    /// The bucket at `now` of a game that starts at `commence`.
    pub const fn at(now: Timestamp, commence: Option<Timestamp>) -> Self {
        match commence {
            None => Self::Unknown,
            Some(start) => Self::of_millis(start.since(now)),
        }
    }

    /// The bucket of so many minutes to the start; negative after it. Not a number is [`TimeBucket::Unknown`].
    pub fn of_minutes(minutes: f64) -> Self {
        if minutes.is_nan() {
            Self::Unknown
        } else if minutes < 0.0 {
            Self::InPlay
        } else if minutes < 30.0 {
            Self::PreTip
        } else if minutes < 120.0 {
            Self::Late
        } else if minutes < 360.0 {
            Self::Mid
        } else {
            Self::Open
        }
    }

    const fn of_millis(to_start: i64) -> Self {
        if to_start < 0 {
            Self::InPlay
        } else if to_start < 30 * MINUTE {
            Self::PreTip
        } else if to_start < 120 * MINUTE {
            Self::Late
        } else if to_start < 360 * MINUTE {
            Self::Mid
        } else {
            Self::Open
        }
    }

    /// The name in signals, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Open => "OPEN",
            Self::Mid => "MID",
            Self::Late => "LATE",
            Self::PreTip => "PRETIP",
            Self::InPlay => "INPLAY",
        }
    }

    /// The bucket of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.name() == name)
    }

    /// The number under which the store keeps it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The bucket of a number from the store.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.number() == n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_edges_belong_to_the_farther_bucket() {
        for (minutes, name) in [
            (-0.001, "INPLAY"),
            (0.0, "PRETIP"),
            (29.999, "PRETIP"),
            (30.0, "LATE"),
            (119.999, "LATE"),
            (120.0, "MID"),
            (359.999, "MID"),
            (360.0, "OPEN"),
            (f64::INFINITY, "OPEN"),
            (f64::NEG_INFINITY, "INPLAY"),
            (f64::NAN, "UNKNOWN"),
        ] {
            assert_eq!(TimeBucket::of_minutes(minutes).name(), name, "{minutes}");
        }
        let now = Timestamp::from_secs(1_000_000);
        assert_eq!(TimeBucket::at(now, None), TimeBucket::Unknown);
        assert_eq!(TimeBucket::at(now, Some(now)), TimeBucket::PreTip);
        assert_eq!(TimeBucket::at(now, Some(now.plus(-1))), TimeBucket::InPlay);
        assert_eq!(TimeBucket::at(now, Some(now.plus(30 * MINUTE - 1))), TimeBucket::PreTip);
        assert_eq!(TimeBucket::at(now, Some(now.plus(30 * MINUTE))), TimeBucket::Late);
    }

    #[test]
    fn names_and_numbers_lead_back() {
        for bucket in TimeBucket::ALL {
            assert_eq!(TimeBucket::from_name(bucket.name()), Some(bucket));
            assert_eq!(TimeBucket::from_number(bucket.number()), Some(bucket));
        }
        assert_eq!(TimeBucket::from_name("open"), None);
        assert_eq!(TimeBucket::from_number(6), None);
    }

    proptest! {
        #[test]
        fn every_distance_has_one_bucket_and_the_two_readings_agree(now in any::<i32>(), ms in -10_000_000_i64..100_000_000) {
            let now = Timestamp::from_secs(i64::from(now));
            let by_time = TimeBucket::at(now, Some(now.plus(ms)));
            prop_assert_eq!(by_time, TimeBucket::of_minutes(ms as f64 / MINUTE as f64));
            prop_assert!(by_time != TimeBucket::Unknown);
        }

        #[test]
        fn time_only_moves_a_game_towards_its_start(a in any::<i64>(), b in any::<i64>(), start in any::<i64>()) {
            let start = Some(Timestamp::from_millis(start));
            let at = |ms| TimeBucket::at(Timestamp::from_millis(ms), start);
            prop_assert!(at(a.min(b)) <= at(a.max(b)));
        }
    }
}
