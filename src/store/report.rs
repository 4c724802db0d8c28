//! The operator's report: how the program has done over some days, counted from the cycles and the closes.
//!
//! Numbers only; words are made of them elsewhere.

use std::collections::BTreeMap;

use rusqlite::params;

use super::cycle::{CycleRow, Stages, read_signals};
use super::{Reader, StoreError};
use crate::market::time::Timestamp;

/// How the program has done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// The first and the last cycle within.
    pub covered: Option<(Timestamp, Timestamp)>,
    /// Everything together.
    pub total: Sums,
    /// By sport, in the order of their keys.
    pub sports: Vec<(String, Sums)>,
    /// By purpose, in the order of their names.
    pub purposes: Vec<(String, Sums)>,
    /// How often cycles were degraded, by reason; most often first.
    pub reasons: Vec<(String, u64)>,
    /// New signals by type; most first.
    pub signals: Vec<(String, u64)>,
    /// How long each stage took, in the order of [`Stages::NAMES`].
    pub stages: Vec<Times>,
    /// Credits that the desk's other collectors have told of the days within.
    pub desk_credits: u64,
    /// Credits left, as last told.
    pub remaining: Option<i64>,
    /// Closes.
    pub closes: Closes,
}

/// Sums over cycles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// Cycles.
    pub cycles: u64,
    /// Those without a usable answer.
    pub failed: u64,
    /// Those that were not as they should be, the failed ones included.
    pub degraded: u64,
    /// Attempts sent.
    pub requests: u64,
    /// Credits billed.
    pub credits: u64,
    /// Events received, quotes received, changes stored, points published.
    pub counts: [u64; 4],
    /// New signals.
    pub signals: u64,
    /// Alerts queued, sent, failed.
    pub alerts: [u64; 3],
    /// From bytes to announcement, of cycles that brought a look.
    pub took: Times,
    /// The longest time between two looks. Milliseconds.
    pub longest_gap_ms: i64,
}

impl Sums {
    /// Cycles without a usable answer in all cycles; 0 when there were none.
    pub fn failure_rate(&self) -> f64 {
        share(self.failed, self.cycles)
    }

    /// Degraded cycles in all cycles; 0 when there were none.
    pub fn degraded_rate(&self) -> f64 {
        share(self.degraded, self.cycles)
    }

    /// Failed deliveries in all deliveries; 0 when there were none.
    pub fn alert_failure_rate(&self) -> f64 {
        let [_, sent, failed] = self.alerts;
        share(failed, sent + failed)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Mean and 95th percentile of some durations. Microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// Mean.
    pub mean_us: u64,
    /// All but one in twenty were at least as fast.
    pub p95_us: u64,
    /// The slowest.
    pub slowest_us: u64,
}

impl Times {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let n = times.len();
        let Some(&slowest_us) = times.last() else { return Self::default() };
        let sum: u128 = times.iter().map(|t| u128::from(*t)).sum();
        // The nearest rank: the smallest time that at least 95 of 100 do not exceed.
        let rank = (n * 95).div_ceil(100).saturating_sub(1);
        let mean_us = u64::try_from(sum / n as u128).unwrap_or(u64::MAX);
        Self { mean_us, p95_us: times.get(rank).copied().unwrap_or(slowest_us), slowest_us }
    }
}

/// How well the starts of games were caught.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Closes {
    /// Games whose start lay within.
    pub started: u64,
    /// Those with a close of grade A or B in any market.
    pub well: u64,
    /// Newest closes of all questions by grade, `none` for those without; in the order of the grades.
    pub grades: Vec<(String, u64)>,
}

impl Report {
    /// Credits a day over the time that is covered; `None` when that is less than an hour.
    pub fn credits_a_day(&self) -> Option<f64> {
        const HOUR: i64 = 3_600_000;
        let (first, last) = self.covered?;
        let ms = last.since(first);
        (ms >= HOUR).then(|| self.total.credits as f64 * (24 * HOUR) as f64 / ms as f64)
    }

    /// Days until the credits are used up at the pace so far; `None` when that cannot be told.
    pub fn days_left(&self) -> Option<f64> {
        let pace = self.credits_a_day().filter(|p| *p > 0.0)?;
        self.remaining.map(|left| left.max(0) as f64 / pace)
    }
}

/// Sums on their way.
#[derive(Default)]
struct Counting {
    sums: Sums,
    took: Vec<u64>,
    /// The newest look of each sport.
    last: BTreeMap<String, Timestamp>,
}

impl Counting {
    fn add(&mut self, row: &CycleRow) {
        let s = &mut self.sums;
        s.cycles += 1;
        s.degraded += u64::from(row.degraded.is_some());
        s.requests += row.requests;
        s.credits += row.credits.map_or(0, |c| c.max(0) as u64);
        for (sum, n) in s.counts.iter_mut().zip(row.counts) {
            *sum += n;
        }
        for (sum, n) in s.alerts.iter_mut().zip(row.alerts) {
            *sum += n;
        }
        s.signals += row.signals.as_deref().map_or(0, |t| read_signals(t).map(|(_, n)| n).sum());
        if row.outcome == "unavailable" {
            s.failed += 1;
            return;
        }
        let [_, _, read, apply, commit, publish] = row.stages.values();
        self.took.push(read + apply + commit + publish);
        if let Some(before) = self.last.insert(row.sport.clone(), row.at) {
            s.longest_gap_ms = s.longest_gap_ms.max(row.at.since(before));
        }
    }

    fn end(mut self) -> Sums {
        self.sums.took = Times::of(self.took);
        self.sums
    }
}

fn ended(by: BTreeMap<String, Counting>) -> Vec<(String, Sums)> {
    by.into_iter().map(|(name, counting)| (name, counting.end())).collect()
}

/// Most first, then by name.
fn most_first(by: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut all: Vec<_> = by.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}

impl Reader {
    /// How the program has done from `from` on and before `until`, in market time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn report(&self, from: Timestamp, until: Timestamp) -> Result<Report, StoreError> {
        let mut report = Report { from, until, ..Report::default() };
        let mut total = Counting::default();
        let (mut sports, mut purposes) = (BTreeMap::<_, Counting>::new(), BTreeMap::<_, Counting>::new());
        let (mut reasons, mut signals) = (BTreeMap::new(), BTreeMap::new());
        let mut stages: [Vec<u64>; Stages::NAMES.len()] = Default::default();
        self.each_cycle(from, until, |row| {
            total.add(&row);
            sports.entry(row.sport.clone()).or_default().add(&row);
            purposes.entry(row.purpose.clone()).or_default().add(&row);
            let first = report.covered.map_or(row.at, |(first, _)| first);
            report.covered = Some((first, row.at));
            report.remaining = row.remaining.or(report.remaining);
            if let Some(reason) = &row.degraded {
                *reasons.entry(reason.clone()).or_default() += 1;
            }
            for (name, n) in row.signals.as_deref().into_iter().flat_map(read_signals) {
                *signals.entry(name.to_owned()).or_default() += n;
            }
            if row.outcome != "unavailable" {
                for (all, us) in stages.iter_mut().zip(row.stages.values()) {
                    all.push(us);
                }
            }
        })?;
        report.total = total.end();
        report.sports = ended(sports);
        report.purposes = ended(purposes);
        report.reasons = most_first(reasons);
        report.signals = most_first(signals);
        report.stages = stages.into_iter().map(Times::of).collect();
        report.closes = self.close_coverage(from, until)?;
        report.desk_credits = self.desk_credits(from, until)?;
        Ok(report)
    }

    /// Sums of other devices are kept by the desk's day: days that begin within.
    fn desk_credits(&self, from: Timestamp, until: Timestamp) -> Result<u64, StoreError> {
        /// A desk's day begins at 10:00 UTC.
        const BEGINS_MS: i64 = 10 * 3_600_000;
        let day = |at: Timestamp| at.plus(-BEGINS_MS).millis().div_euclid(86_400_000);
        let days = params![day(from), day(until)];
        let sum: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(sum(credits), 0) FROM credit_elsewhere WHERE day > ? AND day <= ?")?
            .query_row(days, |r| r.get(0))?;
        Ok(u64::try_from(sum).unwrap_or(0))
    }

    fn close_coverage(&self, from: Timestamp, until: Timestamp) -> Result<Closes, StoreError> {
        let span = params![from.millis(), until.millis()];
        let started = self
            .connection
            .prepare_cached("SELECT count(*) FROM event WHERE commence >= ? AND commence < ?")?
            .query_row(span, |r| r.get::<_, i64>(0))?;
        // Of each question the newest version counts.
        let newest = "SELECT event, grade, max(version) FROM close WHERE start >= ? AND start < ?
                      GROUP BY event, market, subject, own_line";
        let well = self
            .connection
            .prepare_cached(&format!("SELECT count(DISTINCT event) FROM ({newest}) WHERE grade IN ('A', 'B')"))?
            .query_row(span, |r| r.get::<_, i64>(0))?;
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT coalesce(grade, 'none') AS g, count(*) FROM ({newest}) GROUP BY g ORDER BY g = 'none', g"
        ))?;
        let grades = select.query_map(span, |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.max(0) as u64)))?;
        let grades = grades.collect::<Result<_, _>>()?;
        Ok(Closes { started: started.max(0) as u64, well: well.max(0) as u64, grades })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::cycle::{CycleRecord, SignalCounts};
    use crate::store::{FetchRecord, Store};

    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(hours * HOUR)
    }

    fn add(store: &mut Store, hours: i64, sport: &str, outcome: &str, degraded: Option<&'static str>, us: u64) {
        let fetch = FetchRecord {
            at: at(hours),
            sport: sport.into(),
            purpose: if hours % 2 == 0 { "live".into() } else { "closes".into() },
            outcome: outcome.into(),
            cost: Some(3),
            remaining: Some(1000 - hours),
            ..FetchRecord::default()
        };
        let mut signals = SignalCounts::default();
        signals[1] = u32::from(outcome == "data");
        let stages = Stages { read_us: us, apply_us: us, ..Stages::default() };
        let cycle = CycleRecord { requests: 2, events: 5, signals, stages, degraded, ..CycleRecord::default() };
        store.log_cycle(&fetch, &cycle).expect("written");
    }

    #[test]
    fn everything_is_counted_once() {
        let home = tempfile::tempdir().expect("folder");
        let mut store = Store::open(&home.path().join("stratum.db")).expect("store");
        for hour in 0..20 {
            add(&mut store, hour, "nba", "data", (hour >= 18).then_some("low_credit"), 100 + hour as u64);
        }
        add(&mut store, 20, "nfl", "unavailable", Some("rate_limited"), 0);
        add(&mut store, 24, "nba", "no_events", None, 10);
        let reader = store.reader().expect("reader");
        let report = reader.report(at(0), at(25)).expect("report");
        let t = &report.total;
        assert_eq!((t.cycles, t.failed, t.degraded, t.requests, t.credits), (22, 1, 3, 44, 66));
        assert_eq!((t.signals, t.longest_gap_ms), (20, 5 * HOUR));
        assert_eq!(
            report.sports.iter().map(|(s, n)| (s.as_str(), n.cycles)).collect::<Vec<_>>(),
            [("nba", 21), ("nfl", 1)]
        );
        assert_eq!(report.purposes.iter().map(|(_, s)| s.cycles).sum::<u64>(), 22);
        assert_eq!(report.reasons, [("low_credit".to_owned(), 2), ("rate_limited".to_owned(), 1)]);
        assert_eq!(report.signals, [("MOVE".to_owned(), 20)]);
        assert_eq!(report.remaining, Some(976));
        assert_eq!(report.covered, Some((at(0), at(24))));
        assert_eq!(report.credits_a_day(), Some(66.0));
        assert!(report.days_left().is_some_and(|d| (d - 976.0 / 66.0).abs() < 1e-9));
        // 20, 200, 202, ..., 238: the 20th of 21.
        assert_eq!((t.took.p95_us, t.took.slowest_us), (236, 238));
        assert!((t.failure_rate() - 1.0 / 22.0).abs() < 1e-12);
        let before = reader.report(at(-24), at(0)).expect("report");
        assert_eq!((before.total.cycles, before.covered, before.credits_a_day()), (0, None, None));
        assert_eq!((before.total.failure_rate(), before.total.alert_failure_rate()), (0.0, 0.0));
    }

    #[test]
    fn the_newest_close_of_a_question_counts() {
        let home = tempfile::tempdir().expect("folder");
        let store = Store::open(&home.path().join("stratum.db")).expect("store");
        let start = at(1).millis();
        store
            .connection
            .execute_batch(&format!(
                "INSERT INTO event (id, source, provider_id, sport, home, away, commence, first_seen, first_look, status)
                 VALUES (1, 1, 'a', 1, 'H', 'A', {start}, 0, 1, 0), (2, 1, 'b', 1, 'H', 'A', {start}, 0, 1, 0);
                 INSERT INTO close VALUES (1, 1, 0, 0, 1, 5, {start}, 'D', NULL, 1, '{{}}'),
                 (1, 1, 0, 0, 2, 6, {start}, 'A', NULL, 0, '{{}}'), (1, 2, 0, 0, 1, 6, {start}, 'B', NULL, 0, '{{}}'),
                 (2, 1, 0, 0, 1, 6, {start}, NULL, 'late', 0, '{{}}');"
            ))
            .expect("rows");
        let closes = store.reader().expect("reader").report(at(0), at(2)).expect("report").closes;
        assert_eq!((closes.started, closes.well), (2, 1));
        assert_eq!(closes.grades, [("A".to_owned(), 1), ("B".to_owned(), 1), ("none".to_owned(), 1)]);
    }
}
