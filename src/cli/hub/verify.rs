//! `stratum hub verify`: whether this store and the hub hold the same.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::output::{json_array, printable};
use crate::cli::{Exit, Failure};
use crate::config::{Paths, Settings};
use crate::hub::history::{Standing, standing};
use crate::hub::push::PushError;
use crate::hub::verify::{Compared, compare};
use crate::hub::{HubError, Tier, connect, tier_of};
use crate::store::Reader;

#[derive(Serialize)]
struct Row {
    sport: String,
    same: bool,
    looks: u64,
    rows: u64,
    only_here: u64,
    only_there: u64,
    /// Looks that this store takes the hub to have, and it has not.
    lost_there: u64,
    /// Looks of days that the hub has dropped.
    dropped: u64,
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
    crate::cli::look::whole_history(&reader)?;
    if reader.hub_link()?.is_none() {
        return Err(Failure::NotFound("this store is linked to no hub".to_owned()));
    }
    let url = place.url()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let compared = runtime.block_on(async {
        let mut hub = connect(&url, "verify").await.map_err(PushError::Hub)?;
        let tier = tier_of(&mut hub).await.map_err(PushError::Hub)?;
        if tier == Tier::Free {
            return Ok(None);
        }
        // One state of the store from beginning to end.
        reader.hold()?;
        if let Some(link) = reader.hub_link()? {
            let standing = standing(&mut hub, tier, &reader, &link).await?;
            if let Standing::PutBack { .. } = standing {
                return Err(PushError::Hub(HubError::PutBack));
            }
        }
        let mut all = Vec::new();
        for cursor in reader.hub_cursors()? {
            all.push(compare(&mut hub, &reader, &cursor, |_| {}).await?);
        }
        Ok::<_, PushError>(Some(all))
    });
    let Some(compared) = compared? else {
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
            writeln!(out, "`stratum hub repair` fetches from the hub what differs")?;
        }
    }
    Ok(if same { Exit::Ok } else { Exit::Failure })
}

/// Numbers as ranges, such as `4-6`.
pub(super) fn ranges_of(looks: &[i64]) -> Vec<String> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for look in looks {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *look => *last = *look,
            _ => ranges.push((*look, *look)),
        }
    }
    ranges.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect()
}

/// A day for people.
pub(super) fn day(day: i32) -> String {
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
        only_there: c.missing_here.len() as u64,
        lost_there: c.lost_there.len() as u64,
        dropped: c.dropped,
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
    if c.dropped > 0 {
        writeln!(out, "  {} looks are of days that the hub keeps no more", c.dropped)?;
    }
    if !c.missing_here.is_empty() {
        let looks = ranges_of(&c.missing_here).join(", ");
        writeln!(out, "  {} looks are at the hub alone (its numbers {looks})", c.missing_here.len())?;
    }
    if !c.lost_there.is_empty() {
        writeln!(out, "  {} looks that the hub had are not there any more", c.lost_there.len())?;
    }
    for d in &c.differing {
        let looks = ranges_of(&d.looks).join(", ");
        writeln!(out, "  {} {}: {} rows here, {} there; looks {looks}", day(d.day), d.table, d.here, d.there)?;
    }
    Ok(())
}
