//! The operator's report in words, at most 80 columns wide: for `stratum report`, and for the daily and weekly digest.

use std::fmt::Write;

use crate::market::time::Timestamp;
use crate::store::cycle::Stages;
use crate::store::report::{Report, Sums};
use crate::store::{Reader, StoreError};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The report of the days before `until`, as text.
///
/// # Errors
/// [`StoreError`].
pub fn digest(reader: &Reader, until: Timestamp, days: u32) -> Result<String, StoreError> {
    Ok(text(&reader.report(until.plus(-i64::from(days) * DAY), until)?))
}

/// A report as text, with an end of line after every line.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = write(report, &mut out);
    out
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let minute = |at: Timestamp| at.to_chrono().format("%Y-%m-%d %H:%M").to_string();
    writeln!(out, "period    {} to {} UTC", minute(report.from), minute(report.until))?;
    let Some((first, last)) = report.covered else {
        writeln!(out, "covered   nothing: no call to a source was made in this time")?;
        return closes(report, out);
    };
    writeln!(out, "covered   {} to {}", minute(first), minute(last))?;
    let t = &report.total;
    let [events, quotes, changes, points] = t.counts;
    writeln!(
        out,
        "cycles    {} ({} failed, {}; {} degraded, {})",
        t.cycles,
        t.failed,
        percent(t.failure_rate()),
        t.degraded,
        percent(t.degraded_rate())
    )?;
    writeln!(out, "received  {events} events, {quotes} quotes, {changes} changes, {points} points")?;
    writeln!(out, "credits   {} billed in {} requests{}", t.credits, t.requests, pace(report))?;
    if report.desk_credits > 0 {
        writeln!(out, "desk      {} more were spent by its other collectors", report.desk_credits)?;
    }
    if t.took.slowest_us > 0 {
        let ms = |us: u64| us as f64 / 1e3;
        let (mean, p95, slowest) = (ms(t.took.mean_us), ms(t.took.p95_us), ms(t.took.slowest_us));
        writeln!(out, "cycle     {mean:.1} ms on average, p95 {p95:.1} ms, at most {slowest:.1} ms")?;
    }
    let [queued, sent, failed] = t.alerts;
    writeln!(out, "alerts    {queued} queued, {sent} sent, {failed} failed ({})", percent(t.alert_failure_rate()))?;
    closes(report, out)?;
    sums("SPORT", &report.sports, true, out)?;
    sums("PURPOSE", &report.purposes, false, out)?;
    stages(report, out)?;
    counted("DEGRADED BECAUSE", &report.reasons, out)?;
    counted("NEW SIGNALS", &report.signals, out)
}

fn pace(report: &Report) -> String {
    let mut text = String::new();
    if let Some(pace) = report.credits_a_day() {
        let _ = write!(text, ", {pace:.0} a day");
    }
    if let Some(left) = report.remaining {
        let _ = write!(text, "; {left} left");
    }
    if let Some(days) = report.days_left() {
        let _ = write!(text, " for {days:.0} days");
    }
    text
}

fn closes(report: &Report, out: &mut String) -> std::fmt::Result {
    let c = &report.closes;
    let share = if c.started == 0 { 0.0 } else { c.well as f64 / c.started as f64 };
    write!(out, "closes    {} of {} games with one of grade A or B ({})", c.well, c.started, percent(share))?;
    for (i, (grade, n)) in c.grades.iter().enumerate() {
        write!(out, "{} {grade} {n}", if i == 0 { ";" } else { "," })?;
    }
    writeln!(out)
}

fn sums(title: &str, rows: &[(String, Sums)], gaps: bool, out: &mut String) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let gap = if gaps { format!("{:>7}", "GAP") } else { String::new() };
    writeln!(out, "\n{title:<28}{:>7}{:>7}{:>9}{:>9}{:>9}{gap}", "CYCLES", "FAILED", "DEGRADED", "CREDITS", "P95 MS")?;
    for (name, s) in rows {
        let gap = if gaps { format!("{:>7}", span(s.longest_gap_ms)) } else { String::new() };
        let p95 = s.took.p95_us as f64 / 1e3;
        let name = if name.is_empty() { "-" } else { cut(name, 27) };
        writeln!(out, "{name:<28}{:>7}{:>7}{:>9}{:>9}{p95:>9.1}{gap}", s.cycles, s.failed, s.degraded, s.credits)?;
    }
    Ok(())
}

fn stages(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n{:<28}{:>12}{:>12}{:>12}", "STAGE", "MEAN MS", "P95 MS", "MOST MS")?;
    for (name, t) in Stages::NAMES.iter().zip(&report.stages) {
        let ms = |us: u64| us as f64 / 1e3;
        writeln!(out, "{name:<28}{:>12.2}{:>12.2}{:>12.2}", ms(t.mean_us), ms(t.p95_us), ms(t.slowest_us))?;
    }
    Ok(())
}

fn counted(title: &str, rows: &[(String, u64)], out: &mut String) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title:<28}{:>12}", "COUNT")?;
    for (name, n) in rows {
        writeln!(out, "{:<28}{n:>12}", cut(name, 27))?;
    }
    Ok(())
}

fn cut(name: &str, width: usize) -> &str {
    name.get(..name.floor_char_boundary(width)).unwrap_or(name)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn span(ms: i64) -> String {
    match ms / 1000 {
        s @ ..120 => format!("{s}s"),
        s @ 120..7200 => format!("{}m", s / 60),
        s => format!("{}h", s / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::report::{Closes, Times};

    fn full() -> Report {
        let at = Timestamp::from_secs(1_800_000_000);
        let big = Sums {
            cycles: 40_320,
            failed: 1_234,
            degraded: 12_345,
            requests: 45_678,
            credits: 120_960,
            counts: [1_000_000, 200_000_000, 3_000_000, 400_000],
            signals: 9_999,
            alerts: [1_000, 900, 100],
            took: Times { mean_us: 12_345, p95_us: 45_678, slowest_us: 1_234_567 },
            longest_gap_ms: 86_400_000,
        };
        Report {
            from: at.plus(-7 * DAY),
            until: at,
            covered: Some((at.plus(-7 * DAY), at)),
            total: big.clone(),
            sports: vec![("americanfootball_nfl_preseason_long".into(), big.clone()), (String::new(), big.clone())],
            purposes: vec![("live".into(), big)],
            reasons: vec![("rate_limited".into(), 12)],
            signals: vec![("STEAM".into(), 7)],
            stages: vec![Times { mean_us: 1, p95_us: 2_345_678, slowest_us: 99_999_999 }; 6],
            desk_credits: 54_321,
            remaining: Some(19_000),
            closes: Closes { started: 120, well: 114, grades: vec![("A".into(), 300), ("none".into(), 20)] },
        }
    }

    #[test]
    fn it_fits_a_terminal_and_tells_the_totals() {
        let text = text(&full());
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
        assert!(text.contains("114 of 120 games with one of grade A or B (95.0 %); A 300, none 20"), "{text}");
        assert!(text.contains("17280 a day; 19000 left for 1 days"), "{text}");
        assert!(text.contains("900 sent, 100 failed (10.0 %)"), "{text}");
        assert!(text.contains("americanfootball_nfl_presea "), "{text}");
    }

    #[test]
    fn nothing_is_told_as_nothing() {
        let text = text(&Report::default());
        assert!(text.contains("no call to a source was made"), "{text}");
        assert!(!text.contains("NaN"), "{text}");
    }
}
