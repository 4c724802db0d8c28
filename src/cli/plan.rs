//! `stratum plan`: what polling will cost and bring in the next 24 hours, as it is or as it would be.

use std::io::Write;
use std::path::Path;

use chrono::Utc;
use serde::Serialize;

use super::args::{Global, PlanArgs};
use super::daemon::{clock, follow_config};
use super::output::{Align, Table, printable};
use super::{Exit, Failure, show, sources};
use crate::config::{Loaded, Paths, load, setting};
use crate::market::time::Timestamp;
use crate::poller::plan::Wanted;
use crate::runtime::planning::{Made, Supposed, make};
use crate::runtime::status::{LeaseNote, PlanNote, SportNote, standing_by};
use crate::store::desk;

/// Games without a close that are named; the rest is counted.
const NAMED: usize = 8;

/// Runs `stratum plan`.
///
/// # Errors
/// [`Failure`] when the settings or the store cannot be read, or a supposition makes no sense.
pub fn run(global: &Global, args: &PlanArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let paths = Paths::find(global.data_dir.as_deref(), global.config.as_deref())?;
    let (loaded, supposed) = suppose(&paths, &args.what_if)?;
    let settings = loaded.settings;
    let store = paths.store(&settings);
    let mut follow = follow_config(&settings, clock(&settings));
    let leases = leases(&store);
    follow.sports.retain(|sport| !leases.iter().any(|l| l.name == *sport && l.stands_by()));
    let now = Timestamp::from_chrono(Utc::now());
    let made = make(&store, &desk::beside(&store), &follow, supposed, now)?;
    if args.output.json {
        serde_json::to_writer(&mut *out, &Whole::of(&made, &leases, args.calls)).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        tell(out, &made, &leases, settings.polling.pace == "steady")?;
        if args.calls {
            calls(out, &made)?;
        }
    }
    Ok(Exit::Ok)
}

/// Who of the desk polls what, as far as a session that runs says so.
fn leases(store: &Path) -> Vec<LeaseNote> {
    super::status::ask(store).and_then(|(_, status)| status.ok()).map(|s| s.leases).unwrap_or_default()
}

/// The settings with what is supposed over them.
fn suppose(paths: &Paths, what_if: &[String]) -> Result<(Loaded, Supposed), Failure> {
    let (mut flags, mut supposed) = (Vec::new(), Supposed::default());
    for text in what_if {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::Usage(format!("--what-if {}: write it as name=value", printable(text))));
        };
        let credits = || {
            let plain: String = value.chars().filter(|c| !matches!(c, ',' | '_')).collect();
            plain.parse::<u64>().map_err(|_| Failure::Usage(format!("--what-if {name}: a number of credits is wanted")))
        };
        match name.trim() {
            "remaining" => supposed.remaining = Some(credits()?),
            "monthly" => supposed.monthly = Some(credits()?),
            name => match setting(name) {
                Some(path) => flags.push((path, value.to_owned())),
                None => {
                    return Err(Failure::Usage(format!(
                        "--what-if {}: there is no such setting; besides settings there are remaining and monthly",
                        printable(name)
                    )));
                }
            },
        }
    }
    Ok((load(&sources(paths, flags))?, supposed))
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    note: &'a PlanNote,
    out_of_reach: Vec<OutOfReach<'a>>,
    unknown_sports: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    leases: &'a [LeaseNote],
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<Vec<CallRow<'a>>>,
}

#[derive(Serialize)]
struct OutOfReach<'a> {
    event: u32,
    sport: &'a str,
    start: Timestamp,
    watched: bool,
}

#[derive(Serialize)]
struct CallRow<'a> {
    at: Timestamp,
    sport: &'a str,
    asks: &'static str,
    purpose: &'static str,
    credits: u32,
    tier: Option<&'static str>,
}

impl<'a> Whole<'a> {
    fn of(made: &'a Made, leases: &'a [LeaseNote], with_calls: bool) -> Self {
        let missed = made.plan.closes.missed.iter();
        let missed =
            missed.map(|m| OutOfReach { event: m.event.0, sport: &m.sport, start: m.start, watched: m.watched });
        let planned = with_calls.then(|| {
            let row = |c: &'a crate::poller::plan::Call| CallRow {
                at: c.at,
                sport: &c.sport,
                asks: asks(c.wanted),
                purpose: c.purpose.name(),
                credits: c.cost,
                tier: c.tier.map(|t| t.name()),
            };
            made.plan.calls.iter().map(row).collect()
        });
        Self { note: &made.note, out_of_reach: missed.collect(), unknown_sports: &made.unknown, leases, planned }
    }
}

const fn asks(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Full => "odds",
        Wanted::Lean => "odds_first_market",
        Wanted::Scores => "scores",
        Wanted::Listing => "events",
    }
}

fn tell(out: &mut dyn Write, made: &Made, leases: &[LeaseNote], steady: bool) -> std::io::Result<()> {
    let n = &made.note;
    if steady {
        writeln!(out, "polling.pace is steady: this is what a plan would do, not what is done.\n")?;
    }
    writeln!(out, "From {} for 24 hours", show::minute(n.made_at))?;
    match (n.remaining, n.limit) {
        (Some(left), Some(limit)) => writeln!(out, "credits        {left} of {limit} left this month"),
        (Some(left), None) => writeln!(out, "credits        {left} left this month"),
        _ => writeln!(out, "credits        not known yet: the first answer tells"),
    }?;
    let share = n.month_allows.map(|a| format!("; the month allows {a} a day")).unwrap_or_default();
    let others = if n.day_desk > 0 { format!(" ({} of it by the desk's others)", n.day_desk) } else { String::new() };
    writeln!(out, "today          {} of {} spent{others}{share}", n.day_spent, n.day_budget)?;
    writeln!(out, "planned        {} credits in {} calls", n.credits, n.calls)?;
    if n.desk > 0 {
        writeln!(out, "desk           {} credits of this month were spent by the desk's other collectors", n.desk)?;
    }
    if n.elsewhere > 0 {
        writeln!(out, "elsewhere      {} credits of this month were spent by others on the same key", n.elsewhere)?;
    }
    if let Some(end) = n.runs_out {
        writeln!(out, "RUNS OUT       {}, before the month ends", show::minute(end))?;
    }
    let c = &n.closes;
    writeln!(
        out,
        "closes         {} of {} games near enough for an A or B ({} for an A); watched {} of {}",
        c.good, c.games, c.best, c.watched_good, c.watched
    )?;
    let cadence = match n.stretch {
        None => "nothing is left for looks between the closes".to_owned(),
        Some(1.0) => "as the settings ask".to_owned(),
        Some(times) => format!("{times:.1} times as far apart as the settings ask"),
    };
    let lean = if n.lean { "; far from the start only the first market" } else { "" };
    let low = if n.low_credits { "; few credits are left" } else { "" };
    writeln!(out, "looks          {cadence}{lean}{low}\n")?;
    purposes(out, n)?;
    sports(out, &n.sports)?;
    for (words, names) in standing_by(leases) {
        let names: Vec<_> = names.iter().map(|n| printable(n)).collect();
        writeln!(out, "\n{}: {}, so nothing is planned here", names.join(", "), printable(&words))?;
    }
    missed(out, made)?;
    if !made.unknown.is_empty() {
        let names: Vec<_> = made.unknown.iter().map(|s| printable(s)).collect();
        writeln!(out, "\nNot asked yet, so their games are not known: {}", names.join(", "))?;
    }
    Ok(())
}

fn purposes(out: &mut dyn Write, n: &PlanNote) -> std::io::Result<()> {
    if n.purposes.is_empty() {
        return Ok(());
    }
    let mut table = Table::new([
        ("for", Align::Left),
        ("spent today", Align::Right),
        ("planned", Align::Right),
        ("calls", Align::Right),
        ("kept for it", Align::Right),
    ]);
    for p in &n.purposes {
        let kept = p.kept.map_or_else(|| show::NONE.to_owned(), |k| k.to_string());
        let calls = if p.planned > 0 { p.calls } else { 0 };
        table.row([p.purpose.clone(), p.spent.to_string(), p.planned.to_string(), calls.to_string(), kept]);
    }
    table.print(out)?;
    writeln!(out)
}

fn sports(out: &mut dyn Write, sports: &[SportNote]) -> std::io::Result<()> {
    let mut table = Table::new([
        ("sport", Align::Left),
        ("games", Align::Right),
        ("calls", Align::Right),
        ("credits", Align::Right),
        ("far", Align::Right),
        ("middle", Align::Right),
        ("near", Align::Right),
        ("cannot be judged", Align::Left),
    ]);
    for s in sports {
        let every = |name: &str| match s.bands.iter().find(|b| b.band == name) {
            None => show::NONE.to_owned(),
            Some(b) => b.every_s.map_or_else(|| "no look".to_owned(), every_so_often),
        };
        let blind: Vec<String> = s
            .bands
            .iter()
            .filter(|b| !b.not_evaluable.is_empty())
            .map(|b| format!("{}: {}", b.band, b.not_evaluable.join(" ")))
            .collect();
        table.row([
            printable(&s.sport).into_owned(),
            s.games.to_string(),
            s.calls.to_string(),
            s.credits.to_string(),
            every("far"),
            every("middle"),
            every("near"),
            if blind.is_empty() { show::NONE.to_owned() } else { blind.join("; ") },
        ]);
    }
    table.print(out)
}

/// `2m43s`, `15m`, `1h05m`.
fn every_so_often(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

fn missed(out: &mut dyn Write, made: &Made) -> std::io::Result<()> {
    let missed = &made.plan.closes.missed;
    if missed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nOut of reach: no close of grade A or B for {} games", missed.len())?;
    for m in missed.iter().take(NAMED) {
        let watched = if m.watched { "  watched" } else { "" };
        writeln!(out, "  {}  {}  game {}{watched}", show::minute(m.start), printable(&m.sport), m.event)?;
    }
    if missed.len() > NAMED {
        writeln!(out, "  and {} more", missed.len() - NAMED)?;
    }
    Ok(())
}

fn calls(out: &mut dyn Write, made: &Made) -> std::io::Result<()> {
    writeln!(out)?;
    let mut table = Table::new([
        ("at (UTC)", Align::Left),
        ("sport", Align::Left),
        ("asks", Align::Left),
        ("for", Align::Left),
        ("credits", Align::Right),
        ("tier", Align::Left),
    ]);
    for c in &made.plan.calls {
        table.row([
            show::second(c.at),
            printable(&c.sport).into_owned(),
            asks(c.wanted).to_owned(),
            c.purpose.name().to_owned(),
            c.cost.to_string(),
            c.tier.map_or(show::NONE, |t| t.name()).to_owned(),
        ]);
    }
    table.print(out)
}
