//! Quiet hours: a stretch of the user's day in which nothing is delivered. What would be is held until they end.

use chrono::{Days, LocalResult, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::market::time::Timestamp;

/// A stretch of the day in a zone. It may cross midnight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
    zone: Tz,
}

/// As rules keep it.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    from: String,
    to: String,
    zone: String,
}

/// Why a text is no stretch of the day.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuietError {
    /// Not two times.
    #[error("'{0}' are no quiet hours; write such as 23:00-07:30")]
    Form(String),
    /// Begins where it ends.
    #[error("quiet hours that begin and end at {0} would be either none or the whole day; switch the rule off instead")]
    Empty(String),
    /// No such zone.
    #[error("there is no zone '{0}'; write an IANA name such as America/New_York")]
    Zone(String),
}

impl QuietHours {
    /// From `from` up to, and without, `to`, by the clocks of `zone`.
    ///
    /// # Errors
    /// [`QuietError::Empty`].
    pub fn new(from: NaiveTime, to: NaiveTime, zone: Tz) -> Result<Self, QuietError> {
        if from == to {
            return Err(QuietError::Empty(from.format("%H:%M").to_string()));
        }
        Ok(Self { from, to, zone })
    }

    /// Reads `23:00-07:30` in a zone by its IANA name.
    ///
    /// # Errors
    /// [`QuietError`].
    pub fn parse(text: &str, zone: &str) -> Result<Self, QuietError> {
        let form = || QuietError::Form(text.trim().to_owned());
        let (from, to) = text.split_once('-').ok_or_else(form)?;
        let time = |t: &str| NaiveTime::parse_from_str(t.trim(), "%H:%M").map_err(|_| form());
        let zone = zone.trim();
        Self::new(time(from)?, time(to)?, zone.parse().map_err(|_| QuietError::Zone(zone.to_owned()))?)
    }

    /// The zone's IANA name.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// When the quiet hours end that `at` is in; `None`: it is in none.
    pub fn hold_until(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.zone.from_utc_datetime(&at.to_chrono().naive_utc()).date_naive();
        // Yesterday's may reach into today.
        let days = [today.pred_opt(), Some(today)];
        days.into_iter().flatten().find_map(|day| {
            let last = if self.to > self.from { day } else { day.checked_add_days(Days::new(1))? };
            let (from, to) = (self.instant(day, self.from)?, self.instant(last, self.to)?);
            (from <= at && at < to).then_some(to)
        })
    }

    /// The instant of a local time. One that the change of clocks skips is the first one after it.
    fn instant(&self, day: NaiveDate, time: NaiveTime) -> Option<Timestamp> {
        let mut local = day.and_time(time);
        for _ in 0..=24 {
            match self.zone.from_local_datetime(&local) {
                LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => {
                    return Some(Timestamp::from_chrono(t.to_utc()));
                }
                LocalResult::None => local = local.checked_add_signed(chrono::Duration::minutes(15))?,
            }
        }
        None
    }
}

impl std::fmt::Display for QuietHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{} {}", self.from.format("%H:%M"), self.to.format("%H:%M"), self.zone.name())
    }
}

impl From<QuietHours> for Written {
    fn from(q: QuietHours) -> Self {
        let time = |t: NaiveTime| t.format("%H:%M").to_string();
        Self { from: time(q.from), to: time(q.to), zone: q.zone.name().to_owned() }
    }
}

impl TryFrom<Written> for QuietHours {
    type Error = QuietError;

    fn try_from(w: Written) -> Result<Self, QuietError> {
        Self::parse(&format!("{}-{}", w.from, w.to), &w.zone)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    #[test]
    fn a_night_crosses_midnight_in_the_users_zone() {
        let night = QuietHours::parse("23:00 - 07:30", "America/New_York").expect("hours");
        assert_eq!(night.to_string(), "23:00-07:30 America/New_York");
        let end = at("2026-11-21T12:30:00Z");
        for (text, held) in [
            ("2026-11-21T03:59:59Z", None),
            ("2026-11-21T04:00:00Z", Some(end)),
            ("2026-11-21T05:00:00Z", Some(end)),
            ("2026-11-21T12:29:59Z", Some(end)),
            ("2026-11-21T12:30:00Z", None),
            ("2026-11-21T18:00:00Z", None),
        ] {
            assert_eq!(night.hold_until(at(text)), held, "{text}");
        }
        let noon = QuietHours::parse("12:00-13:00", "UTC").expect("hours");
        assert_eq!(noon.hold_until(at("2026-11-21T12:10:00Z")), Some(at("2026-11-21T13:00:00Z")));
        assert_eq!(noon.hold_until(at("2026-11-21T11:59:00Z")), None);
    }

    #[test]
    fn the_change_of_clocks_loses_nothing() {
        // 2026-03-08 02:00 to 03:00 does not exist in New York.
        let skipped = QuietHours::parse("01:00-02:30", "America/New_York").expect("hours");
        assert_eq!(skipped.hold_until(at("2026-03-08T06:30:00Z")), Some(at("2026-03-08T07:00:00Z")));
        // 2026-11-01 01:00 to 02:00 comes twice.
        let twice = QuietHours::parse("23:00-03:00", "America/New_York").expect("hours");
        assert_eq!(twice.hold_until(at("2026-11-01T06:30:00Z")), Some(at("2026-11-01T08:00:00Z")));
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for text in ["", "23:00", "23-7", "25:00-07:00", "a-b", "23:00-07:00-08:00"] {
            assert!(matches!(QuietHours::parse(text, "UTC"), Err(QuietError::Form(_))), "{text}");
        }
        assert!(matches!(QuietHours::parse("07:00-07:00", "UTC"), Err(QuietError::Empty(_))));
        assert!(matches!(QuietHours::parse("07:00-08:00", "Mars/Base"), Err(QuietError::Zone(_))));
        assert!(serde_json::from_str::<QuietHours>(r#"{"from":"1","to":"2","zone":"UTC"}"#).is_err());
        let quiet = QuietHours::parse("22:15-06:00", "Europe/London").expect("hours");
        let text = serde_json::to_string(&quiet).expect("JSON");
        assert_eq!(serde_json::from_str::<QuietHours>(&text).expect("reads"), quiet);
    }

    proptest! {
        #[test]
        fn what_is_held_is_held_to_the_end_of_the_stretch(secs in 1_700_000_000_i64..1_900_000_000, from in 0_u32..1440, to in 0_u32..1440) {
            let time = |m: u32| NaiveTime::from_hms_opt(m / 60, m % 60, 0).expect("time");
            prop_assume!(from != to);
            let quiet = QuietHours::new(time(from), time(to), chrono_tz::America::New_York).expect("hours");
            let at = Timestamp::from_secs(secs);
            if let Some(end) = quiet.hold_until(at) {
                prop_assert!(end > at && end.since(at) <= 25 * 3_600_000);
                prop_assert_eq!(quiet.hold_until(end), None);
            }
        }
    }
}
