//! `stratum clv`: what signals were worth against the close, one by one and together.

use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::{ClvArgs, ClvFilter, ClvView, RecapArgs};
use super::cells::{self, Teams};
use super::filter::{self, Wanted, WantedGrades, bucket_name};
use super::output::{Align, Table, label, stored_rows};
use super::signals::entry;
use super::{Exit, Failure, look, show};
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::{ClvRow, NoClv};
use crate::engine::grade::record::scorecard::{RecordTier, Scorecard, scorecards};
use crate::engine::grade::record::stats::Stats;
use crate::engine::grade::record::summary::{SummaryRow, summary};
use crate::engine::grade::record::{Filter, Grades, RecapRow, recap, utc_day};
use crate::engine::names::Names;
use crate::store::Reader;

/// Runs `stratum clv`.
pub fn run(global: &Global, args: &ClvArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    match &args.view {
        ClvView::Records(args) => records(&reader, &names, args, out),
        ClvView::Summary(args) => {
            let (rows, filter) = asked(&reader, &names, args)?;
            print(&reader, args, out, &summary(&rows, &filter), summary_table)
        }
        ClvView::Scorecards(args) => {
            let (rows, filter) = asked(&reader, &names, args)?;
            print(&reader, args, out, &scorecards(&rows, &filter), scorecard_table)
        }
        ClvView::Recap(RecapArgs { clv: args, by }) => {
            let (rows, filter) = asked(&reader, &names, args)?;
            print(&reader, args, out, &recap(&rows, filter::grain(*by), &filter, utc_day), recap_table)
        }
    }
}

fn print<T: Serialize>(
    reader: &Reader,
    args: &ClvFilter,
    out: &mut dyn Write,
    rows: &[T],
    table: impl Fn(&[T]) -> Table,
) -> Result<Exit, Failure> {
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, rows, demo)?;
    } else {
        label(out, demo)?;
        table(rows).print(out)?;
    }
    Ok(Exit::Ok)
}

/// The gradings that an aggregate is asked about, and what of them counts.
fn asked(reader: &Reader, names: &Names, args: &ClvFilter) -> Result<(Vec<ClvRow>, Filter), Failure> {
    let wanted = Wanted::new(reader, names, &args.filter)?;
    let filter = Filter { grades: counting(&args.grades)?, preset: wanted.preset, min_samples: None };
    Ok((wanted.gradings(reader)?, filter))
}

/// Grades that count in a mean: a close of prices from after the start, or none, never does.
fn counting(words: &[String]) -> Result<Grades, Failure> {
    let wanted = WantedGrades::new(words)?;
    if wanted.is_empty() {
        return Ok(Grades::DEFAULT);
    }
    if wanted.none || wanted.grades.contains(&Grade::F) {
        return Err(Failure::Usage("only closes of grade A, B, C or D can count".into()));
    }
    Ok(wanted.grades.into_iter().collect())
}

fn records(reader: &Reader, names: &Names, args: &ClvFilter, out: &mut dyn Write) -> Result<Exit, Failure> {
    let wanted = Wanted::new(reader, names, &args.filter)?;
    let grades = WantedGrades::new(&args.grades)?;
    let preset = Filter { preset: wanted.preset, ..Filter::default() };
    let mut rows = wanted.gradings(reader)?;
    rows.retain(|row| preset.keeps(row) && grades.keeps(row.close.grade));
    let teams = Teams::of(&reader.events(wanted.query.sport)?);
    print(reader, args, out, &rows, |rows| record_table(rows, &teams))
}

fn record_table(rows: &[ClvRow], teams: &Teams) -> Table {
    let mut table = Table::new([
        ("DETECTED (UTC)", Align::Left),
        ("TYPE", Align::Left),
        ("EVENT", Align::Right),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("TAKE", Align::Left),
        ("ENTRY", Align::Left),
        ("CLOSE", Align::Right),
        ("CLOSE FAIR %", Align::Right),
        ("GRADE", Align::Left),
        ("CLV %", Align::Right),
        ("POINTS", Align::Right),
        ("PRICE %", Align::Right),
        ("BUCKET", Align::Left),
        ("LEFT OUT", Align::Left),
        ("SIGNAL", Align::Left),
    ]);
    for r in rows {
        let left_out = match (r.left_out, r.close.reason) {
            (Some(NoClv::NoClose), Some(why)) => format!("no_close ({})", why.name()),
            (Some(why), _) => why.name().to_owned(),
            (None, _) => String::new(),
        };
        table.row([
            show::second(r.detected_at),
            r.kind.name().to_owned(),
            r.event_id.0.to_string(),
            teams.name(r.event_id),
            r.market.clone(),
            if r.side.is_some() { r.selection.clone() } else { "informational".to_owned() },
            entry(r.entry.as_ref(), &r.market),
            show::line(r.close.line, &r.market),
            cells::or_none(r.close.fair_probability, |p| cells::percent(p, 2)),
            cells::or_none(r.close.grade, |g| g.name().to_owned()),
            cells::or_none(r.clv_ev, |v| cells::gain(v, 2)),
            cells::or_none(r.clv_points, |p| format!("{:+}", (p * 100.0).round() / 100.0 + 0.0)),
            cells::or_none(r.clv_price, |v| cells::gain(v, 2)),
            bucket_name(r.time_bucket).to_owned(),
            left_out,
            r.signal_id.clone(),
        ]);
    }
    table
}

/// What every table of the record shows of a group.
const STATS: [(&str, Align); 9] = [
    ("SIGNALS", Align::Right),
    ("GRADED", Align::Right),
    ("EVENTS", Align::Right),
    ("POSITIVE %", Align::Right),
    ("95 %", Align::Left),
    ("MEAN CLV %", Align::Right),
    ("95 %", Align::Left),
    ("MEDIAN CLV %", Align::Right),
    ("LEFT OUT", Align::Left),
];

fn stats(s: &Stats) -> [String; 9] {
    let range = |low: Option<f64>, high: Option<f64>, text: fn(f64, usize) -> String, places| match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", text(low, places), text(high, places)),
        _ => show::NONE.to_owned(),
    };
    [
        s.signals.to_string(),
        s.graded.to_string(),
        s.events.to_string(),
        cells::or_none(s.positive_rate, |r| cells::percent(r, 1)),
        range(s.positive_rate_low, s.positive_rate_high, cells::percent, 1),
        cells::or_none(s.mean_clv_ev, |v| cells::gain(v, 2)),
        range(s.mean_clv_ev_low, s.mean_clv_ev_high, cells::gain, 2),
        cells::or_none(s.median_clv_ev, |v| cells::gain(v, 2)),
        left_out(s),
    ]
}

/// `5 informational, 2 no_quotes`: every reason that there is.
fn left_out(s: &Stats) -> String {
    let l = &s.left_out;
    let reasons = [
        (l.informational, "informational"),
        (l.no_entry, "no_entry"),
        (l.in_play, "in_play"),
        (l.beyond_model, "beyond_model"),
        (l.no_quotes, "no_quotes"),
        (l.no_usable_quotes, "no_usable_quotes"),
        (l.event_missing, "event_missing"),
        (l.only_in_play, "only_in_play"),
        (l.postponed, "postponed"),
        (l.no_close, "no_close"),
        (l.grade, "grade"),
        (l.unexplained, "unexplained"),
    ];
    let told: Vec<String> = reasons.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    told.join(", ")
}

fn summary_table(rows: &[SummaryRow]) -> Table {
    let mut table = Table::new([("TYPE", Align::Left), ("MARKET", Align::Left)].into_iter().chain(STATS));
    for r in rows {
        table.row([r.kind.name().to_owned(), r.market.clone()].into_iter().chain(stats(&r.stats)));
    }
    table
}

fn scorecard_table(rows: &[Scorecard]) -> Table {
    let keys = [
        ("TIER", Align::Left),
        ("TYPE", Align::Left),
        ("MARKET", Align::Left),
        ("BUCKET", Align::Left),
        ("SPORT", Align::Left),
    ];
    let last = [("MONTHS", Align::Right), ("SAME SIGN %", Align::Right)];
    let mut table = Table::new(keys.into_iter().chain(STATS).chain(last));
    for r in rows {
        let keys = [
            tier(r.tier).to_owned(),
            r.kind.name().to_owned(),
            r.market.clone(),
            bucket_name(r.time_bucket).to_owned(),
            r.sport.clone(),
        ];
        let last = [r.months.len().to_string(), cells::or_none(r.months_same_sign, |s| cells::percent(s, 0))];
        table.row(keys.into_iter().chain(stats(&r.stats)).chain(last));
    }
    table
}

const fn tier(tier: RecordTier) -> &'static str {
    match tier {
        RecordTier::S => "S",
        RecordTier::A => "A",
        RecordTier::B => "B",
        RecordTier::C => "C",
    }
}

fn recap_table(rows: &[RecapRow]) -> Table {
    let mut table = Table::new([("FROM", Align::Left), ("TO", Align::Left)].into_iter().chain(STATS));
    for r in rows {
        table.row([r.from.to_string(), r.to.to_string()].into_iter().chain(stats(&r.stats)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn grades_that_cannot_count_are_refused() {
        assert_eq!(counting(&[]).expect("grades"), Grades::DEFAULT);
        assert_eq!(counting(&texts(&["a", "b", "c", "d"])).expect("grades"), Grades::ALL);
        for wrong in ["F", "none", "E"] {
            assert!(counting(&texts(&["A", wrong])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_left_out_is_told_by_reason() {
        let mut s = Stats { signals: 8, graded: 1, ..Stats::default() };
        assert_eq!(left_out(&s), "");
        s.left_out.informational = 5;
        s.left_out.no_quotes = 2;
        assert_eq!(left_out(&s), "5 informational, 2 no_quotes");
        let cells = stats(&s);
        assert_eq!((cells[0].as_str(), cells[1].as_str(), cells[3].as_str(), cells[5].as_str()), ("8", "1", "-", "-"));
    }
}
