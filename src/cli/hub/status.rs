//! `stratum hub status`: who we are at the hub, what is in it, who collects.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::output::{json_array, printable};
use crate::cli::show::span;
use crate::cli::{Exit, Failure};
use crate::hub::{Connection, HubError, Tier, schema};

#[derive(Serialize)]
struct Row {
    hub: String,
    place: String,
    tier: &'static str,
    schema: i32,
    /// By how much this login is behind; nothing for those who see everything as it comes.
    delay: Option<String>,
    /// Of the log, as far as this login sees it.
    entry: i64,
    look: i64,
    round_trip_ms: f64,
    /// Nothing for logins that do not see them.
    devices: Vec<Device>,
    /// Bytes of everything that the hub keeps; nothing for logins that may not know.
    bytes: Option<i64>,
}

/// A device of the desk.
#[derive(Serialize)]
struct Device {
    name: String,
    login: String,
    program: String,
    collects: bool,
    /// Seconds since it was heard of.
    seen_s: i64,
    /// Sports that it polls now.
    polls: Vec<String>,
}

/// Who is there, where this login may see it.
async fn devices(c: &mut Connection) -> Result<Vec<Device>, HubError> {
    const ASK: &str = "SELECT d.name, d.login, d.program, d.collects, extract(epoch FROM now() - d.seen_at)::bigint,
        coalesce((SELECT array_agg(l.sport ORDER BY l.sport) FROM hub.lease AS l
                  WHERE l.device = d.id AND l.until > clock_timestamp()), '{}')
        FROM hub.device AS d ORDER BY d.id";
    let rows = match c.client().query_typed(ASK, &[]).await.map_err(HubError::from) {
        Err(HubError::Withheld { .. }) => return Ok(Vec::new()),
        rows => rows?,
    };
    let mut devices = Vec::with_capacity(rows.len());
    for r in &rows {
        devices.push(Device {
            name: r.try_get(0)?,
            login: r.try_get(1)?,
            program: r.try_get(2)?,
            collects: r.try_get(3)?,
            seen_s: r.try_get(4)?,
            polls: r.try_get(5)?,
        });
    }
    Ok(devices)
}

/// How large the hub's tables and indexes are.
async fn bytes(c: &mut Connection) -> Result<Option<i64>, HubError> {
    const ASK: &str = "SELECT sum(pg_catalog.pg_total_relation_size(r.oid))::bigint FROM pg_catalog.pg_class AS r
        JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
        WHERE n.nspname IN ('hub', 'hub_day') AND r.relkind = 'r'";
    match c.client().query_typed_one(ASK, &[]).await.map_err(HubError::from) {
        Err(HubError::Withheld { .. }) => Ok(None),
        row => Ok(row?.try_get(0)?),
    }
}

/// Runs it.
pub(super) fn run(place: &Place, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let row = place.with("status", async |c, url| {
        let facts = schema::facts(c).await?;
        let ask = match facts.tier {
            Tier::Free => "SELECT entry, look FROM hub_free.head",
            _ => "SELECT entry, look FROM hub.head",
        };
        let began = std::time::Instant::now();
        let head = c.client().query_typed_one(ask, &[]).await.map_err(HubError::from)?;
        let round_trip_ms = began.elapsed().as_secs_f64() * 1e3;
        let (devices, bytes) = match facts.tier {
            Tier::Free | Tier::None => (Vec::new(), None),
            _ => (devices(c).await?, bytes(c).await?),
        };
        Ok(Row {
            devices,
            bytes,
            hub: facts.id,
            place: url.shown(),
            tier: facts.tier.name(),
            schema: facts.version,
            delay: (facts.tier == Tier::Free).then_some(facts.delay),
            entry: head.try_get(0)?,
            look: head.try_get(1)?,
            round_trip_ms,
        })
    })?;
    if output.json {
        json_array(out, [row])?;
        return Ok(Exit::Ok);
    }
    writeln!(out, "hub         {} (schema {})", row.hub, row.schema)?;
    writeln!(out, "address     {}", row.place)?;
    writeln!(out, "tier        {}", row.tier)?;
    if let Some(delay) = &row.delay {
        writeln!(
            out,
            "withheld    everything younger than {delay}; of signals all but their outline; closes, values, answers"
        )?;
    }
    writeln!(out, "log         entry {}, look {}", row.entry, row.look)?;
    writeln!(out, "round trip  {:.1} ms", row.round_trip_ms)?;
    if let Some(bytes) = row.bytes {
        writeln!(out, "size        {:.1} MB", bytes as f64 / 1e6)?;
    }
    for d in &row.devices {
        let what = match (d.collects, d.polls.as_slice()) {
            (_, [_, ..]) => format!("polls {}", d.polls.join(", ")),
            (true, []) => "stands by".to_owned(),
            (false, []) => "follows".to_owned(),
        };
        writeln!(
            out,
            "device      {} as {} (stratum {}): {}, heard of {} ago",
            printable(&d.name),
            printable(&d.login),
            printable(&d.program),
            printable(&what),
            span(d.seen_s.saturating_mul(1000))
        )?;
    }
    Ok(Exit::Ok)
}
