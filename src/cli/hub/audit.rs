//! `stratum hub audit`: what was done to users, by whom and why, and whether anybody has changed it.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args_hub::AuditArgs;
use crate::cli::output::{Align, Table, json_array};
use crate::cli::{Exit, Failure};
use crate::hub::users;

#[derive(Serialize)]
struct Row {
    n: i64,
    at: String,
    actor: String,
    action: String,
    subject: String,
    before: Option<String>,
    after: Option<String>,
    reason: String,
}

#[derive(Serialize)]
struct Checked {
    rows: i64,
    last_hash: String,
    first_fault: Option<i64>,
}

/// Runs it.
pub(super) fn run(place: &Place, args: &AuditArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.check {
        return check(place, args, out);
    }
    let found = place.with("audit", async |c, _| users::audit(c, i64::from(args.newest)).await)?;
    let rows = found.into_iter().map(|r| Row {
        n: r.n,
        at: r.at,
        actor: r.actor,
        action: r.action,
        subject: r.subject,
        before: r.before,
        after: r.after,
        reason: r.reason,
    });
    if args.output.json {
        json_array(out, rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new([
        ("N", Align::Right),
        ("AT", Align::Left),
        ("BY", Align::Left),
        ("ACTION", Align::Left),
        ("USER", Align::Left),
        ("BEFORE", Align::Left),
        ("AFTER", Align::Left),
        ("REASON", Align::Left),
    ]);
    for r in rows {
        let (before, after) = (r.before.unwrap_or_default(), r.after.unwrap_or_default());
        table.row([r.n.to_string(), r.at, r.actor, r.action, r.subject, before, after, r.reason]);
    }
    table.print(out)?;
    Ok(Exit::Ok)
}

fn check(place: &Place, args: &AuditArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = place.with("audit", async |c, _| users::audit_check(c).await)?;
    let fault = found.first_fault;
    if args.output.json {
        json_array(out, [Checked { rows: found.rows, last_hash: found.last_hash, first_fault: fault }])?;
    } else if fault.is_none() {
        writeln!(out, "{} rows, all as they were written; the last hash is {}", found.rows, found.last_hash)?;
    }
    match fault {
        None => Ok(Exit::Ok),
        Some(n) => {
            Err(Failure::Other(format!("row {n} of the audit is not as it was written, or one before it is missing")))
        }
    }
}
