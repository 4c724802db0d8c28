//! `stratum replay`: the stored looks again, through a fresh engine, and compared with what was stored.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::args::Global;
use super::args_analysis::ReplayArgs;
use super::output::{Align, Table, json_array, label};
use super::{Exit, Failure, look, prepare};
use crate::engine::detect::signal::SignalType;
use crate::market::time::Timestamp;
use crate::runtime::again::{Again, SportAgain, run as run_again};
use crate::runtime::settings::{engine_settings, retention};
use crate::runtime::stop::StopFlag;
use crate::store::Reader;
use crate::store::check::{Comparison, Difference};
use crate::store::query::END_OF_TIME;

/// Runs `stratum replay`.
pub fn run(global: &Global, args: &ReplayArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let path = paths.store(&loaded.settings);
    let reader = Reader::open(&path)?;
    look::whole_history(&reader)?;
    let names = reader.names()?;
    let sport = args.sport.as_deref().map(|key| look::sport(&names, key)).transpose()?;
    let now = look::now();
    // The looks *after* an instant are replayed; one millisecond before includes those at it.
    let after = args.from.map_or(Timestamp::from_millis(i64::MIN / 2), |t| t.at(now).plus(-1));
    let until = args.to.map_or(END_OF_TIME, |t| t.at(now));
    if after >= until {
        return Err(Failure::Usage("--from must lie before --to".into()));
    }
    let again =
        Again { sport, after, until, points_ms: retention(&loaded.settings.retention).points_ms, show: args.show };
    let demo = reader.is_demo()?;
    let stop = StopFlag::listen()?;
    let bar = meter();
    let folder = if args.check {
        let folder = tempfile::Builder::new().prefix("stratum-replay-").tempdir()?;
        Some(folder)
    } else {
        None
    };
    let file = folder.as_ref().map(|f| f.path().join("replayed.db"));
    let mut stopped = false;
    let (sports, comparison) =
        run_again(&reader, &path, &engine_settings(&loaded.settings), &again, file.as_deref(), |looks| {
            bar.set_position(looks);
            stopped |= stop.is_set();
            !stopped
        })?;
    bar.finish_and_clear();
    let different: u64 = comparison.iter().flat_map(|c| &c.different).sum();
    if args.output.json {
        match &comparison {
            Some(c) => json_array(out, c.shown.iter().map(Row::Difference).chain(std::iter::once(Row::of(c))))?,
            None => json_array(out, sports.iter().map(Counts::of))?,
        }
    } else {
        label(out, demo)?;
        table(&sports).print(out)?;
        if let Some(c) = &comparison {
            print(out, c, different)?;
        }
    }
    out.flush()?;
    if stopped {
        return Err(Failure::Other("stopped before the last look; what was replayed is told above".into()));
    }
    if different > 0 {
        return Err(Failure::Other(format!("{different} rows differ")));
    }
    Ok(Exit::Ok)
}

fn meter() -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(
        ProgressStyle::with_template("{pos} looks, {per_sec}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

/// What one sport gave, flat.
#[derive(Serialize)]
struct Counts<'c> {
    #[serde(flatten)]
    found: &'c SportAgain,
    signals: std::collections::BTreeMap<&'static str, u64>,
}

impl<'c> Counts<'c> {
    fn of(found: &'c SportAgain) -> Self {
        Self { found, signals: found.by_type().map(|(t, n)| (t.name(), n)).collect() }
    }
}

/// An element of the array of `--check --json`: the differences shown, then the sums.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'r> {
    Difference(&'r Difference),
    Sums {
        rows: std::collections::BTreeMap<&'static str, u64>,
        different: std::collections::BTreeMap<&'static str, u64>,
    },
}

impl Row<'_> {
    fn of(c: &Comparison) -> Self {
        let by_table = |n: &[u64]| Comparison::tables().zip(n.iter().copied()).collect();
        Self::Sums { rows: by_table(&c.rows), different: by_table(&c.different) }
    }
}

fn table(sports: &[SportAgain]) -> Table {
    let mut columns =
        vec![("SPORT", Align::Left), ("LOOKS", Align::Right), ("CHANGES", Align::Right), ("POINTS", Align::Right)];
    columns.extend(SignalType::ALL.iter().map(|t| (t.name(), Align::Right)));
    columns.extend([("CLOSES", Align::Right), ("GRADED", Align::Right)]);
    let mut table = Table::new(columns);
    for s in sports {
        let mut cells = vec![s.sport.clone(), s.looks.to_string(), s.changes.to_string(), s.points.to_string()];
        cells.extend(s.by_type().map(|(_, n)| n.to_string()));
        cells.extend([s.closes.to_string(), s.graded.to_string()]);
        table.row(cells);
    }
    table
}

fn print(out: &mut dyn Write, c: &Comparison, different: u64) -> Result<(), Failure> {
    writeln!(out)?;
    let mut sums = Table::new([("COMPARED", Align::Left), ("ROWS", Align::Right), ("DIFFERENT", Align::Right)]);
    for ((name, rows), differ) in Comparison::tables().zip(&c.rows).zip(&c.different) {
        sums.row([name.to_owned(), rows.to_string(), differ.to_string()]);
    }
    sums.print(out)?;
    for d in &c.shown {
        let side = |text: &Option<String>| text.as_deref().unwrap_or("-").chars().take(600).collect::<String>();
        writeln!(out, "\n{} {} look {} ({}), {}", d.table, d.sport, d.look, d.at, d.key)?;
        writeln!(out, "  stored    {}", side(&d.stored))?;
        writeln!(out, "  replayed  {}", side(&d.replayed))?;
    }
    if different == 0 {
        writeln!(out, "\nno difference")?;
    }
    Ok(())
}
