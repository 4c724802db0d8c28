//! `stratum rules dry-run`: a rule on history, as a table or as JSON.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::super::args_alerts::DryRunArgs;
use super::super::output::{Align, Table, label, printable, stored_rows};
use super::super::{Failure, cells, look, show};
use super::{desk_at, named};
use crate::alerts::dry_run::{self, DryRun, Firing};
use crate::alerts::follow_up::{FollowUp, Stayed};
use crate::alerts::quality;
use crate::alerts::rules::RuleSet;
use crate::config::Settings;
use crate::market::time::Timestamp;
use crate::runtime::rehearse;
use crate::runtime::settings::engine_settings;
use crate::store::Reader;

/// Runs it.
pub(super) fn run(
    desk: &Path,
    store: &Path,
    settings: &Settings,
    args: &DryRunArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Some(desk) = desk_at(desk)? else { return Err(look::unknown("alert rule", args.rule.trim(), [])) };
    let rule = named(&desk, &args.rule)?;
    let rules = RuleSet::only(&desk, &rule)?;
    if let Some((name, why)) = rules.broken.first() {
        return Err(Failure::Other(format!("'{name}' cannot be used: {why}")));
    }
    let reader = Reader::open(store)?;
    look::whole_history(&reader)?;
    let now = look::now();
    let from = args.from.map_or(Timestamp::from_millis(i64::MIN), |t| t.at(now));
    let to = args.to.map_or(Timestamp::from_millis(i64::MAX), |t| t.at(now));
    let mut dry = dry_run::run(&reader, &rules, from, to)?;
    if dry_run::BY_LOOKS.into_iter().any(|kind| rules.tells_of(kind)) {
        dry.firings.extend(rehearse::run(&reader, &engine_settings(settings), &rules, from, to)?);
        dry.firings.sort_by(|a, b| (a.at, &a.message.key).cmp(&(b.at, &b.message.key)));
    }
    if !dry.left_out.is_empty() {
        let kinds: Vec<&str> = dry.left_out.iter().map(|k| k.name()).collect();
        let said = format!("history says nothing of these kinds: {}", kinds.join(", "));
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
    at: Timestamp,
    kind: &'static str,
    title: &'f str,
    sport: Option<&'f str>,
    event_id: Option<u32>,
    home_team: Option<&'f str>,
    away_team: Option<&'f str>,
    market: Option<&'f str>,
    selection: Option<&'f str>,
    side: Option<&'f str>,
    start: Option<Timestamp>,
    signal_id: Option<&'f str>,
    #[serde(rename = "type")]
    signal_type: Option<&'static str>,
    version: Option<u32>,
    strength: Option<u8>,
    composite: Option<u8>,
    entry_book: Option<&'f str>,
    entry_line: Option<f64>,
    entry_price: Option<f64>,
    entry_age_seconds: Option<f64>,
    fair: Option<f64>,
    move_1m: Option<f64>,
    move_5m: Option<f64>,
    move_15m: Option<f64>,
    move_close: Option<f64>,
    #[serde(flatten)]
    stayed: Stayed,
}

impl<'f> JsonRow<'f> {
    fn new(firing: &'f Firing) -> Self {
        let (s, up) = (firing.signal.as_ref(), firing.follow_up.as_ref());
        let entry = s.and_then(|s| s.entry_now.as_ref().or(s.entry.as_ref()));
        // Of what is no signal the message itself says what it is about.
        let data = firing.message.data.as_ref();
        let text = |name: &str| data.and_then(|d| d.get(name)).and_then(serde_json::Value::as_str);
        let number = |name: &str| data.and_then(|d| d.get(name)).and_then(serde_json::Value::as_f64);
        Self {
            at: firing.at,
            kind: firing.message.kind.name(),
            title: &firing.message.title,
            sport: text("sport"),
            event_id: number("event_id").map(|id| id as u32),
            home_team: text("home_team"),
            away_team: text("away_team"),
            market: text("market"),
            selection: s.map(|s| s.selection.as_str()),
            side: text("side"),
            start: text("commence_time").and_then(Timestamp::parse),
            signal_id: s.map(|s| s.id.as_str()),
            signal_type: s.map(|s| s.kind.name()),
            version: s.map(|s| s.version),
            strength: s.map(|s| s.strength),
            composite: s.map(|s| s.composite),
            entry_book: entry.map(|e| e.book.as_str()).or_else(|| text("book")),
            entry_line: entry.map_or_else(|| number("line"), |e| e.line),
            entry_price: entry.map(|e| e.price).or_else(|| number("price")),
            entry_age_seconds: entry.map(|e| e.age_seconds).or_else(|| number("age_seconds")),
            fair: up.and_then(|u| u.fair),
            move_1m: up.and_then(|u| u.move_1m),
            move_5m: up.and_then(|u| u.move_5m),
            move_15m: up.and_then(|u| u.move_15m),
            move_close: up.and_then(|u| u.move_close),
            stayed: stayed(firing),
        }
    }
}

/// For how long the price was there.
fn stayed(firing: &Firing) -> Stayed {
    firing.stayed.or_else(|| firing.follow_up.as_ref().map(|u| u.stayed)).unwrap_or_default()
}

/// `5m+`: it was there all the time; `1m..2m`: it was seen after one minute and no more after two.
fn there_for(stayed: &Stayed) -> String {
    let Some(least) = stayed.obtainable_ms else { return show::NONE.to_owned() };
    match stayed.gone_by_ms {
        None => format!("{}+", show::span(least)),
        Some(most) => format!("{}..{}", show::span(least), show::span(most)),
    }
}

fn summary(dry: &DryRun, out: &mut dyn Write) -> Result<(), Failure> {
    let ups: Vec<&FollowUp> = dry.firings.iter().filter_map(|f| f.follow_up.as_ref()).collect();
    let row = quality::Row::new("all", "", &ups, &[]);
    writeln!(out, "signals       {:>8}", dry.signals)?;
    writeln!(out, "would fire    {:>8}", dry.firings.len())?;
    let span = dry.firings.first().zip(dry.firings.last()).map(|(a, b)| b.at.since(a.at));
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
        let up = firing.follow_up.as_ref();
        let moved = |m: Option<f64>| cells::or_none(m, |m| cells::gain(m, 2));
        let [one, five, fifteen, close] = up.map_or([None; 4], FollowUp::moves).map(moved);
        let there = there_for(&stayed(firing));
        table.row([
            show::second(firing.at),
            printable(&firing.message.title).into_owned(),
            cells::or_none(up.and_then(|u| u.fair), |p| cells::percent(p, 1)),
            one,
            five,
            fifteen,
            close,
            there,
        ]);
    }
    table
}
