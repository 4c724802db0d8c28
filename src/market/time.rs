//! Instants. Always UTC, in whole milliseconds; local days are the business of [`super::day`].

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Timelike, Utc};

/// An instant in UTC, in milliseconds since 1970-01-01.
///
/// The default is the epoch itself and means nothing in particular.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// The instant `s` seconds after the epoch.
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `self` moved by `ms` milliseconds.
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339. `2026-11-20T20:01:40Z` takes a few nanoseconds, other forms somewhat more.
    ///
    /// Answers `None` for anything that is not a full date and time with a zone.
    pub fn parse(text: &str) -> Option<Self> {
        parse_plain(text.as_bytes()).or_else(|| {
            let t = DateTime::parse_from_rfc3339(text).ok()?;
            Some(Self(t.timestamp_millis()))
        })
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`: the only form that the historical endpoints of The Odds API accept.
    pub fn to_wire(self) -> String {
        self.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The same instant for chrono. Instants outside chrono's range clamp to the epoch.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The instant of a chrono time.
    pub fn from_chrono(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_millis())
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` and nothing else.
fn parse_plain(b: &[u8]) -> Option<Timestamp> {
    let b: &[u8; 20] = b.try_into().ok()?;
    if b[4] != b'-' || b[7] != b'-' || b[10] != b'T' || b[13] != b':' || b[16] != b':' || b[19] != b'Z' {
        return None;
    }
    let two = |i: usize| -> Option<u32> {
        let (h, l) = (b[i].wrapping_sub(b'0'), b[i + 1].wrapping_sub(b'0'));
        (h < 10 && l < 10).then(|| u32::from(h) * 10 + u32::from(l))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    let days = i64::from(date.num_days_from_ce()) - 719_163;
    Some(Timestamp::from_secs(days * 86_400 + i64::from(hour * 3600 + minute * 60 + second)))
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC; milliseconds only where there are any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = self.to_chrono();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )?;
        match self.0.rem_euclid(1000) {
            0 => f.write_str("Z"),
            ms => write!(f, ".{ms:03}Z"),
        }
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a time in RFC 3339"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_survives_a_round_trip() {
        for text in ["2026-11-20T20:01:40Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"] {
            let t = Timestamp::parse(text).expect(text);
            assert_eq!(t.to_wire(), text);
            assert_eq!(t.to_string(), text);
            assert_eq!(Some(t.millis()), DateTime::parse_from_rfc3339(text).ok().map(|c| c.timestamp_millis()));
        }
    }

    #[test]
    fn milliseconds_and_offsets_are_understood() {
        let t = Timestamp::parse("2026-01-02T03:04:05.678+01:00").expect("time");
        assert_eq!(t.to_string(), "2026-01-02T02:04:05.678Z");
        assert_eq!(t.to_wire(), "2026-01-02T02:04:05Z");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
