//! `stratum hub verify`: whether this store and the hub hold the same.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::output::{json_array, printable};
use crate::cli::{Exit, Failure};
use crate::config::{Paths, Settings};
use crate::hub::push::PushError;
use crate::hub::verify::{Compared, compare};
use crate::hub::{Tier, connect, tier_of};
use crate::store::Reader;

#[derive(Serialize)]
struct Row {
    sport: String,
    same: bool,
    looks: u64,
    rows: u64,
    only_here: u64,
    only_there: u64,
    differing: Vec<String>,
}

/// Runs it.
pub(super) fn run(
    place: &Place,
    paths: &Paths,
    settings: &Settings,
    output: OutputArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let reader = Reader::open(&paths.store(settings))?;
    if reader.hub_link()?.is_none() {
        return Err(Failure::NotFound("this store is linked to no hub".to_owned()));
    }
    let url = place.url()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let compared = runtime.block_on(async {
        let mut hub = connect(&url, "verify").await.map_err(PushError::Hub)?;
        if tier_of(&mut hub).await.map_err(PushError::Hub)? == Tier::Free {
            return Ok(None);
        }
        // One state of the store from beginning to end.
        reader.hold()?;
        let mut all = Vec::new();
        for cursor in reader.hub_cursors()? {
            all.push(compare(&mut hub, &reader, &cursor, |_| {}).await?);
        }
        Ok::<_, PushError>(Some(all))
    });
    let compared = compared.map_err(|e| match e {
        PushError::Hub(e) => Failure::from(e),
        PushError::Store(e) => Failure::from(e),
    })?;
    let Some(compared) = compared else {
        return Err(Failure::Other("a free login sees a part of the hub only, which cannot be compared".to_owned()));
    };
    let same = compared.iter().all(Compared::is_same);
    if output.json {
        json_array(out, compared.iter().map(row))?;
    } else {
        for c in &compared {
            tell(c, out)?;
        }
        if !same {
            writeln!(
                out,
                "what differs comes again with `stratum hub unlink` and `stratum hub link --set-aside`, which keeps this file"
            )?;
        }
    }
    Ok(if same { Exit::Ok } else { Exit::Failure })
}

fn day(day: i32) -> String {
    let epoch = chrono::NaiveDate::from_ymd_opt(2000, 1, 1);
    let date = epoch.and_then(|d| d.checked_add_signed(chrono::Duration::days(day.into())));
    date.map_or_else(|| day.to_string(), |d| d.to_string())
}

fn row(c: &Compared) -> Row {
    Row {
        sport: c.sport.clone(),
        same: c.is_same(),
        looks: c.looks,
        rows: c.rows,
        only_here: c.only_here,
        only_there: c.only_there,
        differing: c.differing.iter().map(|d| format!("{} {}", day(d.day), d.table)).collect(),
    }
}

fn tell(c: &Compared, out: &mut dyn Write) -> Result<(), Failure> {
    let sport = printable(&c.sport);
    let how = if c.is_same() { "the same" } else { "NOT the same" };
    writeln!(out, "{sport}: {how}, {} looks and {} rows compared", c.looks, c.rows)?;
    if c.only_here > 0 {
        writeln!(out, "  {} looks are here alone: not told yet, or older than what the hub began with", c.only_here)?;
    }
    if c.only_there > 0 {
        writeln!(out, "  {} looks are at the hub alone", c.only_there)?;
    }
    for d in &c.differing {
        writeln!(out, "  {} {}: {} rows here, {} there", day(d.day), d.table, d.here, d.there)?;
    }
    Ok(())
}
