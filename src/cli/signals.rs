//! `stratum signals`: what the market did, and what could not be judged.

use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::{SignalFilter, SignalsArgs};
use super::filter::{Wanted, bucket_name};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, cells, look, show};
use crate::engine::detect::signal::{Entry, Signal, SignalType};
use crate::engine::names::Names;
use crate::market::time::Timestamp;
use crate::store::Reader;
use crate::store::analysis::TallySum;

/// What one detector could judge in one sport, and what not.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct TallyRow {
    detector: &'static str,
    sport: String,
    source: String,
    /// Looks with something to judge.
    looks: u64,
    /// Questions judged, one for each look.
    evaluated: u64,
    /// Questions whose looks were too far apart.
    not_evaluable: u64,
    /// Of all questions.
    share_not_evaluable: Option<f64>,
    /// The longest gap between looks that was too long.
    longest_gap_seconds: Option<f64>,
    /// The longest gap at which all of them could have been judged: the cadence it would need.
    needed_gap_seconds: Option<f64>,
    /// Moves that were none: a book that joined, a start that moved, a market that reopened.
    suppressed: u64,
}

impl TallyRow {
    fn new(sum: &TallySum, names: &Names) -> Self {
        let all = sum.evaluated + sum.not_evaluable;
        let seconds = |ms: i64| (ms > 0).then_some(ms as f64 / 1000.0);
        Self {
            detector: sum.detector.name(),
            sport: names.sport(sum.sport).to_owned(),
            source: names.sources.name(sum.source).to_owned(),
            looks: sum.looks,
            evaluated: sum.evaluated,
            not_evaluable: sum.not_evaluable,
            share_not_evaluable: (all > 0).then(|| sum.not_evaluable as f64 / all as f64),
            longest_gap_seconds: seconds(sum.longest_gap_ms),
            needed_gap_seconds: seconds(sum.needed_ms),
            suppressed: sum.suppressed,
        }
    }
}

/// Runs `stratum signals`.
pub fn run(global: &Global, args: &SignalsArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    let wanted = Wanted::new(&reader, &names, &args.filter)?;
    let demo = reader.is_demo()?;
    if args.not_evaluable {
        let rows = tallies(&reader, &names, &args.filter, &wanted)?;
        if args.output.json {
            stored_rows(out, &rows, demo)?;
        } else {
            label(out, demo)?;
            tally_table(&rows).print(out)?;
        }
        return Ok(Exit::Ok);
    }
    let signals = wanted.signals(&reader, args.limit)?;
    if args.output.json {
        stored_rows(out, &signals, demo)?;
    } else {
        label(out, demo)?;
        table(&signals).print(out)?;
    }
    Ok(Exit::Ok)
}

/// What the detectors could not judge. Only sport, types and `--since` have a meaning for it.
fn tallies(reader: &Reader, names: &Names, filter: &SignalFilter, wanted: &Wanted) -> Result<Vec<TallyRow>, Failure> {
    let meaningless = [
        ("--market", filter.market.is_some()),
        ("--event", filter.event.is_some()),
        ("--until", filter.until.is_some()),
        ("--min-strength", filter.min_strength.is_some()),
        ("--min-score", filter.min_score.is_some()),
        ("--tier", filter.tier.is_some()),
        ("--time-bucket", !filter.time_bucket.is_empty()),
        ("--velocity-gt", filter.velocity_gt.is_some()),
        ("--preset", filter.preset.is_some()),
    ];
    if let Some((flag, _)) = meaningless.iter().find(|(_, given)| *given) {
        return Err(Failure::Usage(format!("{flag} says nothing about what could not be judged")));
    }
    let since = wanted.query.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    let sums = reader.tallies(since)?;
    let meant = |t: &&TallySum| wanted.has_type(t.detector) && wanted.query.sport.is_none_or(|s| s == t.sport);
    Ok(sums.iter().filter(meant).map(|t| TallyRow::new(t, names)).collect())
}

fn tally_table(rows: &[TallyRow]) -> Table {
    let mut table = Table::new([
        ("DETECTOR", Align::Left),
        ("SPORT", Align::Left),
        ("LOOKS", Align::Right),
        ("JUDGED", Align::Right),
        ("NOT EVALUABLE", Align::Right),
        ("%", Align::Right),
        ("LONGEST GAP", Align::Right),
        ("NEEDS GAPS UP TO", Align::Right),
        ("SUPPRESSED", Align::Right),
    ]);
    for r in rows {
        let gap = |seconds: Option<f64>| cells::or_none(seconds, |s| show::span((s * 1000.0) as i64));
        table.row([
            r.detector.to_owned(),
            r.sport.clone(),
            r.looks.to_string(),
            r.evaluated.to_string(),
            r.not_evaluable.to_string(),
            cells::or_none(r.share_not_evaluable, |s| cells::percent(s, 1)),
            gap(r.longest_gap_seconds),
            gap(r.needed_gap_seconds),
            r.suppressed.to_string(),
        ]);
    }
    table
}

fn table(signals: &[Signal]) -> Table {
    let mut table = Table::new([
        ("DETECTED (UTC)", Align::Left),
        ("TYPE", Align::Left),
        ("EVENT", Align::Right),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("TAKE", Align::Left),
        ("FROM", Align::Right),
        ("TO", Align::Right),
        ("ENTRY", Align::Left),
        ("BOOKS", Align::Right),
        ("STRENGTH", Align::Right),
        ("SCORE", Align::Right),
        ("TIER", Align::Left),
        ("BUCKET", Align::Left),
        ("ID", Align::Left),
    ]);
    for s in signals {
        let take = if s.side.is_some() { s.selection.clone() } else { "informational".to_owned() };
        table.row([
            show::second(s.detected_at),
            s.kind.name().to_owned(),
            s.event_id.0.to_string(),
            show::teams(&s.away_team, &s.home_team),
            s.market.clone(),
            take,
            value(s, s.from_value),
            value(s, s.to_value),
            entry(s.entry.as_ref(), &s.market),
            books(s),
            s.strength.to_string(),
            s.composite.to_string(),
            s.tier.name().to_owned(),
            bucket_name(s.time_bucket).to_owned(),
            s.id.clone(),
        ]);
    }
    table
}

/// A line, or a probability with its sign.
fn value(signal: &Signal, value: f64) -> String {
    if signal.unit == "probability" {
        format!("{} %", cells::percent(value, 1))
    } else {
        cells::fair_line(Some(value), &signal.market)
    }
}

/// Book, line and price that were obtainable.
pub fn entry(entry: Option<&Entry>, market: &str) -> String {
    cells::or_none(entry, |e| {
        let price = show::american(e.price_american);
        match e.line {
            None => format!("{} {price}", e.book),
            line => format!("{} {} {price}", e.book, show::line(line, market)),
        }
    })
}

/// Movers of the panel; of a comparison of prices just those.
fn books(signal: &Signal) -> String {
    match signal.kind {
        SignalType::Dislocation | SignalType::ExchangeDivergence => signal.books_affected.to_string(),
        _ => format!("{}/{}", signal.books_affected, signal.panel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::names::NameKind;
    use crate::market::ids::SportId;

    fn sum(evaluated: u64, not_evaluable: u64, needed_ms: i64) -> TallySum {
        TallySum {
            source: 1,
            sport: SportId(1),
            detector: SignalType::Steam,
            looks: 3,
            evaluated,
            not_evaluable,
            longest_gap_ms: if not_evaluable > 0 { 600_000 } else { 0 },
            needed_ms,
            suppressed: 1,
        }
    }

    #[test]
    fn a_tally_tells_the_share_and_the_cadence_that_it_would_need() {
        let mut names = Names::default();
        NameKind::Sport.list(&mut names).intern("americanfootball_nfl");
        let row = TallyRow::new(&sum(3, 1, 180_000), &names);
        assert_eq!((row.detector, row.sport.as_str()), ("STEAM", "americanfootball_nfl"));
        assert_eq!(row.share_not_evaluable, Some(0.25));
        assert_eq!((row.longest_gap_seconds, row.needed_gap_seconds), (Some(600.0), Some(180.0)));
        let all = TallyRow::new(&sum(3, 0, 0), &names);
        assert_eq!((all.share_not_evaluable, all.longest_gap_seconds, all.needed_gap_seconds), (Some(0.0), None, None));
        assert_eq!(TallyRow::new(&sum(0, 0, 0), &names).share_not_evaluable, None, "nothing to judge is no share");
    }

    #[test]
    fn an_entry_is_book_line_and_price() {
        let mut e = Entry {
            book: "fanduel".into(),
            line: Some(-3.0),
            price: 1.909,
            price_american: -110,
            age_seconds: 3.0,
            ev: None,
            fair_probability: None,
        };
        assert_eq!(entry(Some(&e), "spreads"), "fanduel -3 -110");
        e.line = None;
        assert_eq!((entry(Some(&e), "h2h"), entry(None, "h2h")), ("fanduel -110".into(), "-".into()));
    }
}
