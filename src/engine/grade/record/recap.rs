//! The record day by day, or week by week, by the start of the game.

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::stats::Stats;
use super::summary::grouped;
use crate::engine::grade::clv::ClvRow;
use crate::market::time::Timestamp;

/// Length of a period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// One day.
    #[default]
    Day,
    /// Monday to Sunday, as in ISO 8601.
    Week,
}

impl Grain {
    /// First day of the period that a day belongs to.
    pub fn first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => back(day, u64::from(day.weekday().num_days_from_monday())),
        }
    }

    /// Last day of the period that begins with a day.
    pub fn last_day(self, first: NaiveDate) -> NaiveDate {
        let days = match self {
            Self::Day => 0,
            Self::Week => 6,
        };
        first.checked_add_days(Days::new(days)).unwrap_or(first)
    }

    /// `day` or `week`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// One period.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RecapRow {
    /// Its length.
    pub grain: Grain,
    /// First day, `2026-11-20`.
    #[serde(serialize_with = "as_text")]
    pub from: NaiveDate,
    /// Last day, itself included.
    #[serde(serialize_with = "as_text")]
    pub to: NaiveDate,
    /// What the signals of its games were worth.
    #[serde(flatten)]
    pub stats: Stats,
}

/// The record by period, newest first. `rows`: the newest version of each. `day_of` gives the day of a start, such as
/// [`utc_day`].
pub fn recap(rows: &[ClvRow], grain: Grain, filter: &Filter, day_of: impl Fn(Timestamp) -> NaiveDate) -> Vec<RecapRow> {
    grouped(rows, filter, |row| grain.first_day(day_of(row.start)))
        .into_iter()
        .rev()
        .map(|(from, _, stats)| RecapRow { grain, from, to: grain.last_day(from), stats })
        .collect()
}

/// The calendar day of an instant in UTC.
pub fn utc_day(instant: Timestamp) -> NaiveDate {
    instant.to_chrono().date_naive()
}

fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

fn as_text<S: serde::Serializer>(day: &NaiveDate, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rows::{any_rows, at, row};
    use super::*;

    fn on(event: u32, start: &str, ev: f64) -> ClvRow {
        ClvRow { start: at(start), ..row(event, Some(ev)) }
    }

    #[test]
    fn days_are_newest_first() {
        let rows = [
            on(1, "2026-11-20T23:59:59Z", 0.02),
            on(2, "2026-11-21T00:00:00Z", -0.01),
            on(3, "2026-11-20T00:00:00Z", 0.04),
        ];
        let days = recap(&rows, Grain::Day, &Filter::default(), utc_day);
        let json = serde_json::to_value(&days).unwrap();
        assert_eq!((json[0]["from"].as_str(), json[0]["to"].as_str()), (Some("2026-11-21"), Some("2026-11-21")));
        assert_eq!((json[1]["grain"].as_str(), json[1]["graded"].as_u64()), (Some("day"), Some(2)));
        assert_eq!(days[1].stats.mean_clv_ev, Some(0.03));
        assert_eq!(days[0].stats.mean_clv_ev_low, None);
        // A league's day may end later than the day in UTC.
        let local = recap(&rows, Grain::Day, &Filter::default(), |t| utc_day(t.plus(-5 * 3_600_000)));
        assert_eq!(local.iter().map(|d| d.from.to_string()).collect::<Vec<_>>(), ["2026-11-20", "2026-11-19"]);
    }

    #[test]
    fn weeks_begin_on_monday_even_across_a_year() {
        // 2027-01-03 is a Sunday.
        let rows = [
            on(1, "2026-12-28T00:00:00Z", 0.02),
            on(2, "2027-01-03T23:00:00Z", 0.02),
            on(3, "2027-01-04T00:00:00Z", 0.02),
        ];
        let weeks = recap(&rows, Grain::Week, &Filter::default(), utc_day);
        let spans: Vec<_> = weeks.iter().map(|w| (w.from.to_string(), w.to.to_string(), w.stats.events)).collect();
        assert_eq!(
            spans,
            [
                ("2027-01-04".to_owned(), "2027-01-10".to_owned(), 1),
                ("2026-12-28".to_owned(), "2027-01-03".to_owned(), 2)
            ]
        );
    }

    proptest! {
        #[test]
        fn weeks_are_made_of_days(rows in any_rows()) {
            let days = recap(&rows, Grain::Day, &Filter::default(), utc_day);
            for week in recap(&rows, Grain::Week, &Filter::default(), utc_day) {
                let signals: u32 =
                    days.iter().filter(|d| week.from <= d.from && d.to <= week.to).map(|d| d.stats.signals).sum();
                prop_assert_eq!(signals, week.stats.signals);
            }
        }
    }
}
