//! `stratum hub status`: who we are at the hub, what is in it, who collects.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::output::json_array;
use crate::cli::{Exit, Failure};
use crate::hub::{HubError, Tier, schema};

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
        Ok(Row {
            hub: facts.id,
            place: url.shown(),
            tier: facts.tier.name(),
            schema: facts.version,
            delay: (facts.tier == Tier::Free).then_some(facts.delay),
            entry: head.try_get(0)?,
            look: head.try_get(1)?,
            round_trip_ms: began.elapsed().as_secs_f64() * 1e3,
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
    Ok(Exit::Ok)
}
