//! `stratum hub export`: what the hub holds, as lines of JSON, to the standard output or into files.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio_postgres::types::Type;

use super::Place;
use crate::cli::args_hub::ExportArgs;
use crate::cli::output::printable;
use crate::cli::{Exit, Failure};
use crate::hub::export::{self, ExportError, KINDS, Kind, Wanted};
use crate::hub::pull::View;
use crate::hub::{Connection, HubError, Tier, connect, tier_of};
use crate::market::time::Timestamp;

/// How far it has come is told so often.
const TELL: Duration = Duration::from_secs(1);

impl From<ExportError> for Failure {
    fn from(e: ExportError) -> Self {
        match e {
            ExportError::Hub(e) => e.into(),
            ExportError::Out(e) => e.into(),
        }
    }
}

/// Runs it.
pub(super) fn run(place: &Place, args: &ExportArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = Timestamp::from_chrono(chrono::Utc::now());
    let wanted = Wanted {
        from: args.from.map_or(0, |t| t.at(now).millis()),
        // A game starts in the future, a look does not.
        until: args.to.map_or(i64::MAX, |t| t.at(now).millis()),
        sport: args.sport.clone(),
    };
    if wanted.from >= wanted.until {
        return Err(Failure::Usage("--from has to be before --to".to_owned()));
    }
    let kinds = kinds(&args.what)?;
    let url = place.url()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut hub = connect(&url, "export").await?;
        let tier = tier_of(&mut hub).await?;
        if matches!(tier, Tier::Admin | Tier::None) {
            let what = format!("a login of the tier {} sees nothing of the feed", tier.name());
            return Err(HubError::Withheld { what }.into());
        }
        let view = View::of(tier);
        known_sport(&mut hub, view, &wanted).await?;
        let days = export::days(&mut hub, view, &wanted).await?;
        if let Some(dir) = &args.dir {
            std::fs::create_dir_all(dir)?;
        }
        for kind in kinds {
            if !kind.is_shown(view) {
                let _ = writeln!(std::io::stderr(), "stratum: {}: the hub withholds this from a free login", kind.name);
                continue;
            }
            let mut progress = Progress::new(kind.name);
            let n = match &args.dir {
                Some(dir) => to_file(&mut hub, view, kind, &days, &wanted, dir, &mut progress).await?,
                None => {
                    let mark = format!("{{\"kind\":\"{}\",", kind.name);
                    export::lines(&mut hub, view, kind, &days, &wanted, |line| {
                        progress.one();
                        out.write_all(mark.as_bytes())?;
                        out.write_all(line.strip_prefix('{').unwrap_or(line).as_bytes())?;
                        out.write_all(b"\n")
                    })
                    .await?
                }
            };
            progress.end();
            if args.dir.is_some() {
                writeln!(out, "{n} lines in {}.ndjson", kind.name)?;
            }
        }
        Ok(Exit::Ok)
    })
}

/// Those that are wanted, in their order.
fn kinds(what: &[String]) -> Result<Vec<&'static Kind>, Failure> {
    let known = |name: &String| KINDS.iter().any(|k| k.name == name);
    if let Some(name) = what.iter().find(|name| !known(name)) {
        let all: Vec<&str> = KINDS.iter().map(|k| k.name).collect();
        return Err(Failure::Usage(format!(
            "there is nothing called {}; there are {}",
            printable(name),
            all.join(", ")
        )));
    }
    Ok(KINDS.iter().filter(|k| what.is_empty() || what.iter().any(|name| name == k.name)).collect())
}

async fn known_sport(hub: &mut Connection, view: View, wanted: &Wanted) -> Result<(), Failure> {
    let Some(sport) = &wanted.sport else { return Ok(()) };
    let schema = if view == View::Whole { "hub" } else { "hub_free" };
    let sql = format!("SELECT 1 FROM {schema}.name WHERE kind = 1 AND name = $1");
    let rows = hub.client().query_typed(&sql, &[(sport, Type::TEXT)]).await.map_err(HubError::from)?;
    if rows.is_empty() {
        return Err(Failure::NotFound(format!("the hub knows no sport {}", printable(sport))));
    }
    Ok(())
}

/// Into a file that has its name once it is whole.
async fn to_file(
    hub: &mut Connection,
    view: View,
    kind: &Kind,
    days: &[i32],
    wanted: &Wanted,
    dir: &Path,
    progress: &mut Progress,
) -> Result<u64, Failure> {
    let (path, part) = (dir.join(format!("{}.ndjson", kind.name)), dir.join(format!("{}.ndjson.part", kind.name)));
    let mut file = BufWriter::new(File::create(&part)?);
    let n = export::lines(hub, view, kind, days, wanted, |line| {
        progress.one();
        file.write_all(line.as_bytes())?;
        file.write_all(b"\n")
    })
    .await?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&part, &path)?;
    Ok(n)
}

/// How far it has come, for whoever sits at a terminal.
struct Progress {
    name: &'static str,
    lines: u64,
    told: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new(name: &'static str) -> Self {
        Self { name, lines: 0, told: std::io::stderr().is_terminal().then(Instant::now), shown: false }
    }

    fn one(&mut self) {
        self.lines += 1;
        // The clock is not asked for every line.
        if self.lines.is_multiple_of(512) && self.told.is_some_and(|t| t.elapsed() >= TELL) {
            (self.told, self.shown) = (Some(Instant::now()), true);
            let _ = write!(std::io::stderr(), "\r{}: {} lines", self.name, self.lines);
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = writeln!(std::io::stderr(), "\r{}: {} lines", self.name, self.lines);
        }
    }
}
