//! Times as people write them on the command line.

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};

use crate::config::parse_duration;
use crate::market::time::Timestamp;

/// A time on the command line: fixed, or before the moment at which it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsOf {
    /// An instant.
    At(Timestamp),
    /// So many milliseconds before now.
    Ago(i64),
}

impl AsOf {
    /// The instant that is meant.
    pub const fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ms) => now.plus(-ms),
        }
    }
}

/// Why a time was not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a time such as 2026-01-10T23:30:00Z, '2026-01-10 23:30' (UTC), 2026-01-10, now, or now-2h")]
pub struct NotATime;

impl FromStr for AsOf {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("now") {
            let rest = rest.trim();
            if rest.is_empty() {
                return Ok(Self::Ago(0));
            }
            let ago = rest.strip_prefix('-').and_then(|d| parse_duration(d.trim())).ok_or(NotATime)?;
            return i64::try_from(ago.as_millis()).map(Self::Ago).map_err(|_| NotATime);
        }
        if let Some(at) = Timestamp::parse(text) {
            return Ok(Self::At(at));
        }
        for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
            if let Ok(t) = NaiveDateTime::parse_from_str(text, form) {
                return Ok(Self::At(Timestamp::from_chrono(t.and_utc())));
            }
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| NotATime)?;
        let midnight = day.and_hms_opt(0, 0, 0).ok_or(NotATime)?;
        Ok(Self::At(Timestamp::from_chrono(midnight.and_utc())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_mean_the_same() {
        let at = Timestamp::parse("2026-01-10T23:30:00Z").expect("time");
        for text in ["2026-01-10T23:30:00Z", "2026-01-11T00:30:00+01:00", "2026-01-10 23:30", " 2026-01-10 23:30:00 "] {
            assert_eq!(text.parse(), Ok(AsOf::At(at)), "{text}");
        }
        assert_eq!("2026-01-10".parse::<AsOf>().expect("day").at(at), at.plus(-(23 * 60 + 30) * 60_000));
        assert_eq!("now".parse::<AsOf>().expect("now").at(at), at);
        assert_eq!("now-2h".parse::<AsOf>().expect("ago").at(at), at.plus(-7_200_000));
        assert_eq!("now - 90m".parse::<AsOf>().expect("ago").at(at), at.plus(-5_400_000));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "soon", "now+2h", "now-", "now-2", "2h", "2026-13-01", "23:30", "2026-01-10 25:00", "nowhere"]
        {
            assert_eq!(text.parse::<AsOf>(), Err(NotATime), "{text}");
        }
    }
}
