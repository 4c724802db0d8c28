//! `stratum rules dry-run`: a rule on history, as a table or as JSON.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::args_alerts::DryRunArgs;
use super::super::output::{Align, Table, label, printable, stored_rows};
use super::super::{Failure, cells, look, show};
use super::{desk_at, named};
use crate::alerts::dry_run::{self, DryRun, Firing};
use crate::alerts::follow_up::FollowUp;
use crate::alerts::quality;
use crate::alerts::rules::RuleSet;
use crate::market::time::Timestamp;
use crate::store::Reader;

/// Runs it.
pub(super) fn run(desk: &PathBuf, store: &Path, args: &DryRunArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(desk) = desk_at(desk)? else { return Err(look::unknown("alert rule", args.rule.trim(), [])) };
    let rule = named(&desk, &args.rule)?;
    let rules = RuleSet::only(&desk, &rule)?;
    if let Some((name, why)) = rules.broken.first() {
        return Err(Failure::Other(format!("'{name}' cannot be used: {why}")));
    }
    let reader = Reader::open(store)?;
    let now = look::now();
    let from = args.from.map_or(Timestamp::from_millis(i64::MIN), |t| t.at(now));
    let to = args.to.map_or(Timestamp::from_millis(i64::MAX), |t| t.at(now));
    let dry = dry_run::run(&reader, &rules, from, to)?;
    if !dry.left_out.is_empty() {
        let kinds: Vec<&str> = dry.left_out.iter().map(|k| k.name()).collect();
        let said = format!("history is gone through for signals only; left out: {}", kinds.join(", "));
        let _ = writeln!(std::io::stderr(), "stratum: warning: {said}");
    }
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, dry.firings.iter().map(JsonRow::new), demo)?;
        return Ok(());
    }
    label(out, demo)?;
    summary(&dry, out)?;
    if !dry.firings.is_empty() {
        writeln!(out)?;
        table(&dry.firings, args.limit).print(out)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct JsonRow<'f> {
    title: &'f str,
    sport: &'f str,
    event_id: u32,
    home_team: &'f str,
    away_team: &'f str,
    market: &'f str,
    selection: &'f str,
    side: Option<&'f str>,
    version: u32,
    strength: u8,
    composite: u8,
    entry_book: Option<&'f str>,
    entry_line: Option<f64>,
    entry_price: Option<f64>,
    entry_age_seconds: Option<f64>,
    #[serde(flatten)]
    follow_up: &'f FollowUp,
}

impl<'f> JsonRow<'f> {
    fn new(firing: &'f Firing) -> Self {
        let s = &firing.signal;
        let entry = s.entry_now.as_ref().or(s.entry.as_ref());
        Self {
            title: &firing.message.title,
            sport: &s.sport,
            event_id: s.event_id.0,
            home_team: &s.home_team,
            away_team: &s.away_team,
            market: &s.market,
            selection: &s.selection,
            side: s.side.as_deref(),
            version: s.version,
            strength: s.strength,
            composite: s.composite,
            entry_book: entry.map(|e| e.book.as_str()),
            entry_line: entry.and_then(|e| e.line),
            entry_price: entry.map(|e| e.price),
            entry_age_seconds: entry.map(|e| e.age_seconds),
            follow_up: &firing.follow_up,
        }
    }
}

fn summary(dry: &DryRun, out: &mut dyn Write) -> Result<(), Failure> {
    let ups: Vec<&FollowUp> = dry.firings.iter().map(|f| &f.follow_up).collect();
    let row = quality::Row::new("all", "", &ups, &[]);
    writeln!(out, "signals       {:>8}", dry.signals)?;
    writeln!(out, "would fire    {:>8}", dry.firings.len())?;
    let span = dry.firings.first().zip(dry.firings.last()).map(|(a, b)| b.follow_up.at.since(a.follow_up.at));
    if let Some(days) = span.map(|ms| ms as f64 / 86_400_000.0).filter(|d| *d >= 1.0) {
        writeln!(out, "a day         {:>8.1}", dry.firings.len() as f64 / days)?;
    }
    for (why, count) in &dry.silent {
        writeln!(out, "silent: {:<14} {count}", why.name())?;
    }
    let moves = [("1 min", row.move_1m), ("5 min", row.move_5m), ("15 min", row.move_15m), ("close", row.move_close)];
    for (name, mean) in moves {
        if let Some(m) = mean.mean {
            writeln!(out, "fair after {name:<7} {:>7} points of % on average, of {}", cells::gain(m, 2), mean.count)?;
        }
    }
    if let Some(share) = row.obtainable_1m.mean {
        writeln!(out, "entry still there after 1 min: {} %, of {}", cells::percent(share, 0), row.obtainable_1m.count)?;
    }
    Ok(())
}

fn table(firings: &[Firing], limit: usize) -> Table {
    let mut table = Table::new([
        ("AT (UTC)", Align::Left),
        ("WHAT", Align::Left),
        ("FAIR %", Align::Right),
        ("1M", Align::Right),
        ("5M", Align::Right),
        ("15M", Align::Right),
        ("CLOSE", Align::Right),
        ("THERE FOR", Align::Right),
    ]);
    for firing in firings.iter().skip(firings.len().saturating_sub(limit)) {
        let up = &firing.follow_up;
        let moved = |m: Option<f64>| cells::or_none(m, |m| cells::gain(m, 2));
        let [one, five, fifteen, close] = up.moves().map(moved);
        let there = cells::or_none(up.obtainable_ms, |ms| {
            format!("{}{}", show::span(ms), if up.still_there { "+" } else { "" })
        });
        table.row([
            show::second(up.at),
            printable(&firing.message.title).into_owned(),
            cells::or_none(up.fair, |p| cells::percent(p, 1)),
            one,
            five,
            fifteen,
            close,
            there,
        ]);
    }
    table
}
