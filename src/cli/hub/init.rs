//! `stratum hub init`: makes the hub in its database, or brings it up to date.

use std::io::Write;

use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::output::json_array;
use crate::cli::{Exit, Failure};
use crate::hub::schema;

#[derive(Serialize)]
struct Row {
    hub: String,
    place: String,
    schema: i32,
    applied: Vec<&'static str>,
}

/// Runs it.
pub(super) fn run(place: &Place, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (done, shown) = place.with("init", async |c, url| Ok((schema::init(c).await?, url.shown())))?;
    if output.json {
        json_array(out, [Row { hub: done.id, place: shown, schema: done.version, applied: done.applied }])?;
        return Ok(Exit::Ok);
    }
    match done.applied.as_slice() {
        [] => writeln!(out, "the hub at {shown} is up to date (schema {})", done.version)?,
        applied => {
            writeln!(out, "the hub at {shown} has schema {} now", done.version)?;
            for step in applied {
                writeln!(out, "  {step}")?;
            }
            writeln!(
                out,
                "next: a login for each device, such as `stratum hub user add NAME --tier collector --reason TEXT`"
            )?;
        }
    }
    Ok(Exit::Ok)
}
