//! Months of the account and days of the desk.
//!
//! Credits come back on the 1st of each month at 00:00 UTC. A desk's day begins when the last American game of the
//! night is over, so that no evening is cut in two.

use chrono::{DateTime, Datelike, TimeZone, Utc};

use crate::market::time::Timestamp;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// A desk's day begins so long after midnight UTC: 5 or 6 in the morning in New York.
const DAY_BEGINS_MS: i64 = 10 * 3_600_000;

/// A month of the account, counted from the year 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month(pub i64);

impl Month {
    /// The month that `at` lies in.
    pub fn of(at: Timestamp) -> Self {
        let date = at.to_chrono();
        Self(i64::from(date.year()) * 12 + i64::from(date.month0()))
    }

    /// Its first instant: the credits are back.
    pub fn start(self) -> Timestamp {
        let year = i32::try_from(self.0.div_euclid(12)).unwrap_or(i32::MAX);
        let month = u32::try_from(self.0.rem_euclid(12)).unwrap_or(0) + 1;
        let first: Option<DateTime<Utc>> = Utc.with_ymd_and_hms(year, month, 1, 0, 0, 0).single();
        first.map_or(Timestamp::from_millis(i64::MAX), Timestamp::from_chrono)
    }

    /// The first instant of the next one.
    pub fn end(self) -> Timestamp {
        Self(self.0 + 1).start()
    }

    /// `2026-11`.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// A day of the desk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i64);

impl Day {
    /// The day that `at` lies in.
    pub const fn of(at: Timestamp) -> Self {
        Self((at.millis() - DAY_BEGINS_MS).div_euclid(DAY_MS))
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(DAY_MS).saturating_add(DAY_BEGINS_MS))
    }

    /// The first instant of the next one.
    pub const fn end(self) -> Timestamp {
        Self(self.0 + 1).start()
    }

    /// `2026-11-21`: the date on which most of it lies.
    pub fn name(self) -> String {
        self.start().to_chrono().format("%Y-%m-%d").to_string()
    }
}

/// A stretch of time that lives on one allowance: a day of the desk, cut where the credits come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// From here on.
    pub from: Timestamp,
    /// Up to here.
    pub until: Timestamp,
    /// Its day.
    pub day: Day,
    /// Its month.
    pub month: Month,
    /// Days, this one included, over which what is left of the month has to last; at least 1.
    pub days_left: u32,
}

/// The periods that touch `[from, until)`, in order; the first begins at `from`.
pub fn periods(from: Timestamp, until: Timestamp) -> Vec<Period> {
    let mut all = Vec::new();
    let mut at = from;
    while at < until {
        let (day, month) = (Day::of(at), Month::of(at));
        let end = day.end().min(month.end());
        // The day on which the credits come back belongs to the month that ends as far as that reaches.
        let left = (month.end().since(day.start()) + DAY_MS - 1).div_euclid(DAY_MS).max(1);
        let days_left = u32::try_from(left).unwrap_or(u32::MAX);
        all.push(Period { from: at, until: end, day, month, days_left });
        at = end;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    #[test]
    fn months_turn_at_midnight_utc() {
        let month = Month::of(at("2026-11-30T23:59:59Z"));
        assert_eq!((month.name().as_str(), month.end()), ("2026-11", at("2026-12-01T00:00:00Z")));
        assert_eq!(Month::of(month.end()).start(), month.end());
        assert_eq!(Month::of(at("2026-12-31T12:00:00Z")).end(), at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn an_american_evening_is_one_day() {
        let (early, late) = (at("2026-11-21T18:00:00Z"), at("2026-11-22T09:59:59Z"));
        assert_eq!(Day::of(early), Day::of(late));
        assert_eq!(Day::of(early).name(), "2026-11-21");
        assert_eq!(Day::of(early).end(), at("2026-11-22T10:00:00Z"));
    }

    #[test]
    fn a_period_ends_where_the_credits_come_back() {
        let from = at("2026-11-30T20:00:00Z");
        let all = periods(from, at("2026-12-01T20:00:00Z"));
        let ends: Vec<Timestamp> = all.iter().map(|p| p.until).collect();
        assert_eq!(ends, [at("2026-12-01T00:00:00Z"), at("2026-12-01T10:00:00Z"), at("2026-12-02T10:00:00Z")]);
        assert_eq!(all.iter().map(|p| p.days_left).collect::<Vec<_>>(), [1, 32, 31]);
        assert_eq!(periods(at("2026-11-01T12:00:00Z"), at("2026-11-01T13:00:00Z"))[0].days_left, 30);
        assert_eq!(all[0].from, from);
    }
}
