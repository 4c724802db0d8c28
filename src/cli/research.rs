//! `stratum research`: questions asked of the stored data.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::args::Global;
use super::args_analysis::{FairCheckArgs, ResearchArgs, ResearchQuestion};
use super::output::{Align, Table, json_array};
use super::{Exit, Failure, look, prepare};
use crate::research::fair_check::{FairCheck, FairCheckRow, fair_check};
use crate::runtime::settings::engine_settings;
use crate::store::Reader;

/// Runs `stratum research`.
pub fn run(global: &Global, args: &ResearchArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &args.question {
        ResearchQuestion::FairCheck(args) => fair(global, args, out),
    }
}

fn fair(global: &Global, args: &FairCheckArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let reader = Reader::open(&paths.store(&loaded.settings))?;
    look::whole_history(&reader)?;
    let names = reader.names()?;
    let sport = args.sport.as_deref().map(|key| look::sport(&names, key)).transpose()?;
    if let Some(bad) = args.hours.iter().find(|h| !(h.is_finite() && **h > 0.0)) {
        return Err(Failure::Usage(format!("--hours takes positive numbers, not {bad}")));
    }
    let check = FairCheck { sport, hours: args.hours.clone() };
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target).with_message("games");
    let rows = fair_check(&reader, &engine_settings(&loaded.settings), &check, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    if args.output.json {
        json_array(out, &rows)?;
    } else {
        table(&rows).print(out)?;
    }
    Ok(Exit::Ok)
}

fn table(rows: &[FairCheckRow]) -> Table {
    let mut table = Table::new([
        ("SPORT", Align::Left),
        ("MARKET", Align::Left),
        ("HOURS", Align::Right),
        ("GAMES", Align::Right),
        ("PAIRS", Align::Right),
        ("UNIT", Align::Left),
        ("FAIR", Align::Right),
        ("MEDIAN", Align::Right),
        ("RATIO", Align::Right),
        ("95 %", Align::Left),
    ]);
    for r in rows {
        let interval = match (r.ratio_low, r.ratio_high) {
            (Some(low), Some(high)) => format!("{low:.3} to {high:.3}"),
            _ => String::new(),
        };
        table.row([
            r.sport.clone(),
            r.market.clone(),
            r.hours.to_string(),
            r.games.to_string(),
            r.pairs.to_string(),
            r.scale.to_owned(),
            format!("{:.4}", r.rmse_fair),
            format!("{:.4}", r.rmse_median),
            format!("{:.3}", r.ratio),
            interval,
        ]);
    }
    table
}
