//! `stratum report`: how the program has done over some days.

use std::io::Write;

use serde::Serialize;

use super::args::{Global, ReportArgs};
use super::output::{label, stored_rows};
use super::{Exit, Failure, look};
use crate::market::time::Timestamp;
use crate::runtime::report::text;
use crate::store::cycle::Stages;
use crate::store::report::{Report, Sums};

/// One object of the JSON, told apart by `kind`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row {
    /// Everything together.
    Total {
        from: Timestamp,
        until: Timestamp,
        first_cycle: Option<Timestamp>,
        last_cycle: Option<Timestamp>,
        credits_a_day: Option<f64>,
        credits_left: Option<i64>,
        /// Spent by other collectors of the desk on the same keys.
        desk_credits: u64,
        days_left: Option<f64>,
        #[serde(flatten)]
        sums: SumsRow,
    },
    /// One sport.
    Sport {
        name: String,
        #[serde(flatten)]
        sums: SumsRow,
    },
    /// What calls were for.
    Purpose {
        name: String,
        #[serde(flatten)]
        sums: SumsRow,
    },
    /// A part of a cycle.
    Stage { name: &'static str, mean_us: u64, p95_us: u64, slowest_us: u64 },
    /// Why cycles were degraded.
    Degraded { name: String, count: u64 },
    /// New signals of a type.
    Signal { name: String, count: u64 },
    /// Games that have started, and those with a close of grade A or B.
    Closes { started: u64, well: u64 },
    /// Closes of a grade, `none` for those without.
    Grade { name: String, count: u64 },
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct SumsRow {
    cycles: u64,
    failed: u64,
    failure_rate: f64,
    degraded: u64,
    degraded_rate: f64,
    requests: u64,
    credits: u64,
    events: u64,
    quotes: u64,
    changes: u64,
    points: u64,
    signals: u64,
    alerts_queued: u64,
    alerts_sent: u64,
    alerts_failed: u64,
    alert_failure_rate: f64,
    cycle_mean_us: u64,
    cycle_p95_us: u64,
    cycle_slowest_us: u64,
    longest_gap_ms: i64,
}

impl From<&Sums> for SumsRow {
    fn from(s: &Sums) -> Self {
        let [events, quotes, changes, points] = s.counts;
        let [alerts_queued, alerts_sent, alerts_failed] = s.alerts;
        Self {
            cycles: s.cycles,
            failed: s.failed,
            failure_rate: s.failure_rate(),
            degraded: s.degraded,
            degraded_rate: s.degraded_rate(),
            requests: s.requests,
            credits: s.credits,
            events,
            quotes,
            changes,
            points,
            signals: s.signals,
            alerts_queued,
            alerts_sent,
            alerts_failed,
            alert_failure_rate: s.alert_failure_rate(),
            cycle_mean_us: s.took.mean_us,
            cycle_p95_us: s.took.p95_us,
            cycle_slowest_us: s.took.slowest_us,
            longest_gap_ms: s.longest_gap_ms,
        }
    }
}

/// Runs `stratum report`.
///
/// # Errors
/// [`Failure`] when the store cannot be read.
pub fn run(global: &Global, args: &ReportArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    const DAY: i64 = 86_400_000;
    let (reader, _) = look::open(global)?;
    let now = look::now();
    let until = match args.until {
        Some(until) => until.at(now),
        // A simulated market is ahead of the clock on the wall.
        None => reader.newest_cycle()?.map_or(now, |newest| now.max(newest.plus(1))),
    };
    let report = reader.report(until.plus(-i64::from(args.days) * DAY), until)?;
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, rows(&report), demo)?;
    } else {
        label(out, demo)?;
        out.write_all(text(&report).as_bytes())?;
    }
    Ok(Exit::Ok)
}

fn rows(report: &Report) -> Vec<Row> {
    let mut rows = vec![Row::Total {
        from: report.from,
        until: report.until,
        first_cycle: report.covered.map(|c| c.0),
        last_cycle: report.covered.map(|c| c.1),
        credits_a_day: report.credits_a_day(),
        credits_left: report.remaining,
        desk_credits: report.desk_credits,
        days_left: report.days_left(),
        sums: (&report.total).into(),
    }];
    rows.extend(report.sports.iter().map(|(name, s)| Row::Sport { name: name.clone(), sums: s.into() }));
    rows.extend(report.purposes.iter().map(|(name, s)| Row::Purpose { name: name.clone(), sums: s.into() }));
    rows.extend(Stages::NAMES.iter().zip(&report.stages).map(|(name, t)| Row::Stage {
        name,
        mean_us: t.mean_us,
        p95_us: t.p95_us,
        slowest_us: t.slowest_us,
    }));
    let count = |(name, count): &(String, u64)| (name.clone(), *count);
    rows.extend(report.reasons.iter().map(count).map(|(name, count)| Row::Degraded { name, count }));
    rows.extend(report.signals.iter().map(count).map(|(name, count)| Row::Signal { name, count }));
    rows.push(Row::Closes { started: report.closes.started, well: report.closes.well });
    rows.extend(report.closes.grades.iter().map(count).map(|(name, count)| Row::Grade { name, count }));
    rows
}
