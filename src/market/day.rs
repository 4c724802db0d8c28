//! The slate day: the local day by which a league counts its games.
//!
//! A slate day is neither a UTC day (20:10 in New York is tomorrow in UTC) nor midnight to midnight (a game that
//! tips at 00:10 belongs to the evening before). It runs from the roll-over hour of one local date to that of the
//! next, in the league's own zone, so that it has 23 or 25 hours when the clocks change.

use std::ops::Range;

use chrono::{Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::time::Timestamp;

/// How a league counts its days.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SlateClock {
    zone: Tz,
    rollover_hour: u8,
}

impl SlateClock {
    /// Days of `zone` that begin at `rollover_hour` o'clock (0 to 23); `None` for another hour.
    pub const fn new(zone: Tz, rollover_hour: u8) -> Option<Self> {
        if rollover_hour > 23 { None } else { Some(Self { zone, rollover_hour }) }
    }

    /// Days of `zone` that begin at midnight.
    pub const fn midnight(zone: Tz) -> Self {
        Self { zone, rollover_hour: 0 }
    }

    /// The zone.
    pub const fn zone(self) -> Tz {
        self.zone
    }

    /// The local hour at which a day begins.
    pub const fn rollover_hour(self) -> u8 {
        self.rollover_hour
    }

    /// The slate day of an instant, named by the local date on which it began.
    pub fn day_of(self, at: Timestamp) -> NaiveDate {
        let local = self.zone.from_utc_datetime(&at.to_chrono().naive_utc()).naive_local();
        let shifted = local.checked_sub_signed(Duration::hours(i64::from(self.rollover_hour))).unwrap_or(local);
        let guess = shifted.date();
        // When the clocks change at the roll-over hour itself, subtracting hours is off by a day at the edge.
        if at < self.start_of(guess) {
            return guess.pred_opt().unwrap_or(guess);
        }
        match guess.succ_opt() {
            Some(next) if at >= self.start_of(next) => next,
            _ => guess,
        }
    }

    /// The instants of a slate day: from its start up to, and without, the start of the next.
    pub fn range(self, day: NaiveDate) -> Range<Timestamp> {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        self.start_of(day)..self.start_of(next)
    }

    /// The slate day that is under way at `now`, with its instants.
    pub fn tonight(self, now: Timestamp) -> (NaiveDate, Range<Timestamp>) {
        let day = self.day_of(now);
        (day, self.range(day))
    }

    fn start_of(self, day: NaiveDate) -> Timestamp {
        let hour = NaiveTime::from_hms_opt(u32::from(self.rollover_hour), 0, 0).unwrap_or_default();
        self.instant(day.and_time(hour))
    }

    /// The first instant that shows this local time, or, where the clocks skip it, the instant of the skip.
    fn instant(self, local: NaiveDateTime) -> Timestamp {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => Timestamp::from_millis(t.timestamp_millis()),
            LocalResult::None => self.after_gap(local),
        }
    }

    /// The end of the gap around a local time that does not exist. Gaps end on a quarter of an hour and, but for the
    /// few zones that once skipped a date, last less than a day.
    fn after_gap(self, local: NaiveDateTime) -> Timestamp {
        for quarter in 1..=(2 * 96) {
            let later = local.checked_add_signed(Duration::minutes(15 * quarter)).unwrap_or(local);
            if let Some(t) = self.zone.from_local_datetime(&later).earliest() {
                return Timestamp::from_millis(t.timestamp_millis());
            }
        }
        Timestamp::from_chrono(local.and_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::New_York, Asia::Seoul, Europe::London};
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    fn clock(zone: Tz, hour: u8) -> SlateClock {
        SlateClock::new(zone, hour).expect("hour")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).expect("date")
    }

    #[test]
    fn a_prime_time_game_is_tomorrow_in_utc_and_tonight_in_new_york() {
        let nba = clock(New_York, 6);
        assert_eq!(nba.day_of(at("2026-11-21T01:10:00Z")), date(2026, 11, 20)); // 20:10 ET
        let (day, range) = nba.tonight(at("2026-11-20T23:00:00Z"));
        assert_eq!(day, date(2026, 11, 20));
        assert!(range.contains(&at("2026-11-21T01:10:00Z")));
        assert_eq!(range, at("2026-11-20T11:00:00Z")..at("2026-11-21T11:00:00Z"));
    }

    #[test]
    fn a_game_after_midnight_belongs_to_the_evening_before() {
        let nba = clock(New_York, 6);
        assert_eq!(nba.day_of(at("2026-11-21T05:30:00Z")), date(2026, 11, 20)); // 00:30 ET
        assert_eq!(nba.day_of(at("2026-11-21T10:59:59.999Z")), date(2026, 11, 20));
        assert_eq!(nba.day_of(at("2026-11-21T11:00:00Z")), date(2026, 11, 21)); // 06:00 ET
    }

    #[test]
    fn the_clocks_go_back_on_the_first_of_november() {
        let midnight = clock(New_York, 0);
        let range = midnight.range(date(2026, 11, 1));
        assert_eq!(range, at("2026-11-01T04:00:00Z")..at("2026-11-02T05:00:00Z"));
        assert_eq!(range.end.since(range.start), 25 * HOUR);
        // 01:30 twice: both are of that day.
        for twice in ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"] {
            assert_eq!(midnight.day_of(at(twice)), date(2026, 11, 1));
        }
        // With the roll-over in the repeated hour the day begins at the first 01:00, once.
        let one = clock(New_York, 1);
        assert_eq!(one.range(date(2026, 11, 1)).start, at("2026-11-01T05:00:00Z"));
        assert_eq!(one.day_of(at("2026-11-01T06:10:00Z")), date(2026, 11, 1));
        assert_eq!(clock(New_York, 6).range(date(2026, 10, 31)).end, at("2026-11-01T11:00:00Z"));
    }

    #[test]
    fn the_clocks_go_forward_on_the_eighth_of_march() {
        let range = clock(New_York, 0).range(date(2026, 3, 8));
        assert_eq!(range.end.since(range.start), 23 * HOUR);
        // 02:00 does not exist: the day begins when the clocks show 03:00.
        let two = clock(New_York, 2);
        assert_eq!(two.range(date(2026, 3, 8)).start, at("2026-03-08T07:00:00Z"));
        assert_eq!(two.day_of(at("2026-03-08T06:59:59Z")), date(2026, 3, 7));
        assert_eq!(two.day_of(at("2026-03-08T07:00:00Z")), date(2026, 3, 8));
    }

    #[test]
    fn london_and_new_york_are_four_hours_apart_for_some_weeks() {
        let gap = |d| clock(New_York, 6).range(d).start.since(clock(London, 6).range(d).start);
        assert_eq!(gap(date(2026, 3, 7)), 5 * HOUR);
        assert_eq!(gap(date(2026, 3, 8)), 4 * HOUR);
        assert_eq!(gap(date(2026, 3, 28)), 4 * HOUR);
        assert_eq!(gap(date(2026, 3, 29)), 5 * HOUR);
        assert_eq!(gap(date(2026, 10, 24)), 5 * HOUR);
        assert_eq!(gap(date(2026, 10, 25)), 4 * HOUR);
        assert_eq!(gap(date(2026, 10, 31)), 4 * HOUR);
        assert_eq!(gap(date(2026, 11, 1)), 5 * HOUR);
    }

    #[test]
    fn korea_plays_today_while_new_york_sleeps() {
        let kbo = clock(Seoul, 6);
        assert_eq!(kbo.day_of(at("2026-07-21T09:30:00Z")), date(2026, 7, 21)); // 18:30 in Seoul
        assert_eq!(clock(New_York, 6).day_of(at("2026-07-21T09:30:00Z")), date(2026, 7, 20));
    }

    #[test]
    fn a_date_that_a_zone_skipped_is_empty() {
        // Samoa jumped over 30 December 2011.
        let apia = clock(chrono_tz::Pacific::Apia, 0);
        let range = apia.range(date(2011, 12, 30));
        assert_eq!(range.start, range.end);
        assert_eq!(apia.day_of(range.start), date(2011, 12, 31));
    }

    #[test]
    fn there_is_no_hour_24() {
        assert_eq!(SlateClock::new(London, 24), None);
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_exactly_one_day(secs in 1_500_000_000_i64..2_000_000_000, hour in 0_u8..24, zone in 0_usize..5) {
            let zones = [New_York, London, Seoul, chrono_tz::Australia::Lord_Howe, chrono_tz::America::Sao_Paulo];
            let clock = clock(zones[zone], hour);
            let t = Timestamp::from_secs(secs);
            let day = clock.day_of(t);
            prop_assert!(clock.range(day).contains(&t));
            let next = day.succ_opt().expect("date");
            prop_assert_eq!(clock.range(day).end, clock.range(next).start);
        }

        #[test]
        fn no_instant_is_too_strange(ms in any::<i64>(), hour in 0_u8..24) {
            let _ = clock(New_York, hour).tonight(Timestamp::from_millis(ms));
        }
    }
}
