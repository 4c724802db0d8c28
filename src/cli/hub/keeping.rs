//! `stratum hub size` and `stratum hub retention`: how large the hub is, and for how long it keeps what.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::args_hub::{Keep, RetentionArgs};
use crate::cli::output::{Align, Table, json_array, printable};
use crate::cli::{Exit, Failure};
use crate::hub::keeping::{self, TableSize};
use crate::hub::{HubError, tier_of};

#[derive(Serialize)]
struct SizeRow {
    table: String,
    bytes: i64,
    index_bytes: i64,
    rows: i64,
    days: usize,
    oldest: Option<String>,
    bytes_per_day: Option<i64>,
}

/// Shows the sizes.
pub(super) fn size(place: &Place, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let sizes = place.with("size", async |c, _| {
        let tier = tier_of(c).await?;
        if matches!(tier, crate::hub::Tier::Free | crate::hub::Tier::None) {
            let what = format!("a login of the tier {} does not see how large the hub is", tier.name());
            return Err(HubError::Withheld { what });
        }
        keeping::sizes(c).await
    })?;
    if output.json {
        let rows = sizes.into_iter().map(|t| SizeRow {
            table: t.table,
            bytes: t.bytes,
            index_bytes: t.index_bytes,
            rows: t.rows,
            days: t.days,
            oldest: t.oldest,
            bytes_per_day: t.bytes_per_day,
        });
        json_array(out, rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new([
        ("TABLE", Align::Left),
        ("SIZE", Align::Right),
        ("INDEX", Align::Right),
        ("ROWS", Align::Right),
        ("DAYS", Align::Right),
        ("OLDEST", Align::Left),
        ("A DAY", Align::Right),
    ]);
    let mut all = TableSize { table: "all".to_owned(), ..TableSize::default() };
    for t in &sizes {
        all.bytes += t.bytes;
        all.index_bytes += t.index_bytes;
        all.rows += t.rows;
        all.days = all.days.max(t.days);
        all.oldest = [all.oldest.take(), t.oldest.clone()].into_iter().flatten().min();
        all.bytes_per_day = [all.bytes_per_day, t.bytes_per_day].into_iter().flatten().reduce(|a, b| a + b);
    }
    for t in sizes.iter().chain([&all]) {
        table.row([
            t.table.clone(),
            megabytes(t.bytes),
            format!("{} %", if t.bytes > 0 { t.index_bytes * 100 / t.bytes } else { 0 }),
            t.rows.to_string(),
            if t.days > 0 { t.days.to_string() } else { String::new() },
            t.oldest.clone().unwrap_or_default(),
            t.bytes_per_day.map(megabytes).unwrap_or_default(),
        ]);
    }
    table.print(out)?;
    Ok(Exit::Ok)
}

fn megabytes(bytes: i64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[derive(Serialize)]
struct KeepRow {
    keep_days: Option<i32>,
    first_day_kept: Option<String>,
    held_by: Option<String>,
    /// Days that go, or went.
    days: Vec<String>,
    bytes: i64,
    dropped: Option<i32>,
}

/// Shows for how long things are kept, changes it, or carries it out.
pub(super) fn retention(place: &Place, args: &RetentionArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let days = match args.keep {
        Some(Keep::Days(days)) => Some(days),
        _ => None,
    };
    if args.keep.is_some() && !args.dry_run && args.reason.is_none() {
        return Err(Failure::Usage("--keep needs --reason, which goes into the audit".to_owned()));
    }
    let row = place.with("retention", async |c, _| {
        if let (Some(_), Some(reason), false) = (args.keep, &args.reason, args.dry_run) {
            keeping::keep(c, days, reason).await?;
        }
        let found = keeping::keeping(c, days).await?;
        let dropped = if args.now && !args.dry_run { Some(keeping::retain(c, true).await?) } else { None };
        Ok(KeepRow {
            keep_days: found.keep_days,
            first_day_kept: found.cut,
            held_by: found.held_by,
            days: found.days,
            bytes: found.bytes,
            dropped,
        })
    })?;
    if args.output.json {
        json_array(out, [row])?;
        return Ok(Exit::Ok);
    }
    match row.keep_days {
        Some(days) => writeln!(out, "the hub keeps {days} days")?,
        None => writeln!(out, "the hub keeps everything")?,
    }
    if let Some(held_by) = &row.held_by {
        writeln!(out, "held        {}", printable(held_by))?;
    }
    if let Some(first) = &row.first_day_kept {
        let what = match (row.dropped, args.dry_run) {
            (Some(n), _) => format!("{n} days were dropped"),
            (None, true) => format!("{} days would go", row.days.len()),
            (None, false) => format!("{} days go with the next run of a collector", row.days.len()),
        };
        writeln!(out, "before {first}: {what} ({})", megabytes(row.bytes))?;
    }
    Ok(Exit::Ok)
}
