//! `stratum hub repair`: what differs from the hub is fetched from it again.

use std::io::Write;

use serde::Serialize;

use super::Place;
use super::verify::{day, ranges_of};
use crate::cli::args_hub::RepairArgs;
use crate::cli::output::{json_array, printable};
use crate::cli::{Exit, Failure};
use crate::config::{Paths, Settings};
use crate::hub::repair::{Deed, Repaired, repair};
use crate::hub::verify::Compared;
use crate::hub::{Tier, connect, tier_of};
use crate::runtime::settings::engine_settings;
use crate::store::Store;

#[derive(Serialize, Default)]
struct Row {
    what: &'static str,
    done: bool,
    sport: Option<String>,
    day: Option<String>,
    tables: Vec<&'static str>,
    looks: u64,
    /// In the hub's numbers.
    ranges: Vec<String>,
    collected_here: u64,
    entry: Option<i64>,
    since: Option<String>,
}

/// Runs it.
pub(super) fn run(
    place: &Place,
    paths: &Paths,
    settings: &Settings,
    args: &RepairArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    // Held until the end: nobody writes into it meanwhile.
    let mut store = Store::open(&paths.store(settings))?;
    crate::cli::look::whole_history(&store.reader()?)?;
    if store.reader()?.hub_link()?.is_none() {
        return Err(Failure::NotFound("this store is linked to no hub".to_owned()));
    }
    let url = place.url()?;
    let engine = engine_settings(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let repaired = runtime.block_on(async {
        let mut hub = connect(&url, "repair").await?;
        let tier = tier_of(&mut hub).await?;
        if tier == Tier::Free {
            return Err(Failure::Other(
                "a free login sees a part of the hub only, which cannot be compared".to_owned(),
            ));
        }
        Ok(repair(&mut hub, tier, &mut store, &engine, args.dry_run).await?)
    })?;
    let same = repaired.compared.iter().all(Compared::is_same);
    let left = repaired.deeds.iter().any(|d| matches!(d, Deed::Left { .. }));
    if args.output.json {
        json_array(out, repaired.deeds.iter().map(|d| row(d, !args.dry_run)))?;
    } else {
        for deed in &repaired.deeds {
            tell(deed, args.dry_run, out)?;
        }
        conclude(&repaired, same, args.dry_run, out)?;
    }
    Ok(if left || (!same && !args.dry_run) { Exit::Failure } else { Exit::Ok })
}

fn row(deed: &Deed, done: bool) -> Row {
    match deed {
        Deed::PutBack { common } => Row { what: "hub_put_back", done, entry: Some(*common), ..Row::default() },
        Deed::Replaced(r) => Row {
            what: "replaced",
            done,
            sport: Some(r.sport.clone()),
            day: Some(day(r.day)),
            tables: r.tables.clone(),
            looks: r.looks.len() as u64,
            ranges: ranges_of(&r.looks),
            collected_here: r.collected_here,
            ..Row::default()
        },
        Deed::Disowned { sport, looks } => {
            Row { what: "not_at_the_hub", done, sport: Some(sport.clone()), looks: *looks, ..Row::default() }
        }
        Deed::Read { sport, looks, since } => Row {
            what: "read_again",
            done,
            sport: Some(sport.clone()),
            looks: *looks,
            since: Some(since.to_wire()),
            ..Row::default()
        },
        Deed::Left { sport, looks } => {
            Row { what: "left", done: false, sport: Some(sport.clone()), looks: *looks, ..Row::default() }
        }
    }
}

fn tell(deed: &Deed, dry: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let would = |done: &'static str, would: &'static str| if dry { would } else { done };
    match deed {
        Deed::PutBack { common } => writeln!(
            out,
            "the hub was put back to an earlier moment: this store {} from entry {common}; what the hub has forgotten stays \
             here, and a collector tells it again",
            would("goes on", "would go on")
        )?,
        Deed::Replaced(r) => {
            writeln!(
                out,
                "{} {}: {} fetched for {} looks ({}): {}",
                printable(&r.sport),
                day(r.day),
                would("rows were", "rows would be"),
                r.looks.len(),
                ranges_of(&r.looks).join(", "),
                r.tables.join(", ")
            )?;
            if r.collected_here > 0 {
                writeln!(
                    out,
                    "  {} of them were collected here: what the hub holds of them {} what was judged here, as all who follow \
                     have it so; `stratum replay --check` tells whether it is what this device would find",
                    r.collected_here,
                    would("took the place of", "would take the place of")
                )?;
            }
        }
        Deed::Disowned { sport, looks } => writeln!(
            out,
            "{}: {looks} looks that the hub had are not there any more; they {} here, as looks of this store alone",
            printable(sport),
            would("stay", "would stay")
        )?,
        Deed::Read { sport, looks, since } => writeln!(
            out,
            "{}: {looks} looks were missing; the log {} read again from {} on",
            printable(sport),
            would("was", "would be"),
            since.to_wire()
        )?,
        Deed::Left { sport, looks } => writeln!(
            out,
            "{}: {looks} looks are missing, and looks that the hub was never told stand behind them: let a session tell those \
             first, then repair again",
            printable(sport)
        )?,
    }
    Ok(())
}

fn conclude(repaired: &Repaired, same: bool, dry: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let looks: u64 = repaired.compared.iter().map(|c| c.looks).sum();
    let nothing = repaired.deeds.is_empty();
    match (nothing, dry, same) {
        (true, _, _) => writeln!(out, "nothing to mend: {looks} looks are the same here and at the hub")?,
        (_, true, _) => writeln!(out, "nothing was changed")?,
        (_, _, true) => writeln!(out, "{looks} looks are the same here and at the hub now")?,
        (_, _, false) => writeln!(out, "this store and the hub still differ: see `stratum hub verify`")?,
    }
    Ok(())
}
