//! The command line: arguments in, printing out.
//!
//! Owns the definition of all commands ([`args`]) and one file for each handler. Handlers print to the writer they
//! are given and never to the standard output directly, so that a reader who leaves early (`| head`) ends the program
//! quietly. Results go to the standard output, everything else to the standard error.
#![warn(missing_docs)]

pub mod alerts;
pub mod args;
pub mod args_alerts;
pub mod args_analysis;
pub mod args_hub;
pub mod args_polymarket;
pub mod args_service;
pub mod args_watch;
pub mod board;
pub mod card;
pub mod cells;
pub mod close;
pub mod clv;
pub mod config_cmd;
pub mod consensus;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod explain;
pub mod failure;
pub mod fair;
pub mod filter;
pub mod history;
pub mod hub;
pub mod import;
pub mod key;
pub mod look;
pub mod moment;
pub mod opportunities;
pub mod output;
pub mod plan;
pub mod polymarket;
pub mod quotes;
pub mod reload;
pub mod replay;
pub mod report;
pub mod research;
pub mod rules;
pub mod service;
pub mod shell_files;
pub mod show;
pub mod signals;
pub mod sim;
pub mod status;
pub mod watch;
pub mod when;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::config::{Loaded, Paths, Sources, load};
use args::{Cli, Command, Global};
pub use failure::{Exit, Failure};

/// Runs the program with these arguments and answers its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to the standard output and are no failure. A reader who left is not one either.
            let _ = e.print();
            return if e.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    let stdout = std::io::stdout();
    let mut out = std::io::BufWriter::new(stdout.lock());
    let result = dispatch(&cli, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_broken_pipe() => {
            // What is left in the buffer has no reader.
            let _ = out.into_parts();
            Exit::Ok.into()
        }
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "stratum: {failure}");
            failure.exit().into()
        }
    }
}

fn dispatch(cli: &Cli, out: &mut dyn Write) -> Result<Exit, Failure> {
    if cli.daemon && cli.command.is_some() {
        return Err(Failure::Usage("--daemon stands alone: it takes no command".into()));
    }
    if cli.daemon {
        return daemon::run(&cli.global, cli.record.as_deref(), out);
    }
    match &cli.command {
        Some(Command::Demo(args)) => demo::run(&cli.global, args, out),
        Some(Command::Status(args)) => status::run(&cli.global, args, out),
        Some(Command::Plan(args)) => plan::run(&cli.global, args, out),
        Some(Command::Report(args)) => report::run(&cli.global, args, out),
        Some(Command::Events(args)) => events::run(&cli.global, args, out),
        Some(Command::Quotes(args)) => quotes::run(&cli.global, args, out),
        Some(Command::History(args)) => history::run(&cli.global, args, out),
        Some(Command::Research(args)) => research::run(&cli.global, args, out),
        Some(Command::Import(args)) => import::run(&cli.global, args, out),
        Some(Command::Sim(args)) => sim::run(&cli.global, args, out),
        Some(Command::Key(args)) => key::run(&cli.global, args, out),
        Some(Command::Service(args)) => service::run(&cli.global, args, out),
        Some(Command::Config(args)) => config_cmd::run(&cli.global, args, out),
        Some(Command::Doctor(args)) => doctor::run(&cli.global, args, out),
        Some(Command::Completions(args)) => shell_files::completions(args, out),
        Some(Command::Man(args)) => shell_files::man(args, out),
        Some(Command::Signals(args)) => signals::run(&cli.global, args, out),
        Some(Command::Fair(args)) => fair::run(&cli.global, args, out),
        Some(Command::Consensus(args)) => consensus::run(&cli.global, args, out),
        Some(Command::Opportunities(args)) => opportunities::run(&cli.global, args, out),
        Some(Command::Clv(args)) => clv::run(&cli.global, args, out),
        Some(Command::Close(args)) => close::run(&cli.global, args, out),
        Some(Command::Replay(args)) => replay::run(&cli.global, args, out),
        Some(Command::Explain(args)) => explain::run(&cli.global, args, out),
        Some(Command::Watch(args)) => watch::run(&cli.global, args, out),
        Some(Command::Rules(args)) => rules::run(&cli.global, args, out),
        Some(Command::Alerts(args)) => alerts::run(&cli.global, args, out),
        Some(Command::Polymarket(args)) => polymarket::run(&cli.global, args, out),
        Some(Command::Hub(args)) => hub::run(&cli.global, args, out),
        None => board::run(&cli.global, cli.record.as_deref()),
    }
}

/// What nearly every command begins with: folders and settings. Warnings go to the standard error.
///
/// `flags` are settings that the command's own flags decide, such as `("odds_api.record", path)`.
pub fn prepare(global: &Global, flags: Vec<(&'static str, String)>) -> Result<(Paths, Loaded), Failure> {
    let paths = Paths::find(global.data_dir.as_deref(), global.config.as_deref())?;
    let loaded = load(&sources(&paths, flags))?;
    for warning in &loaded.warnings {
        let _ = writeln!(std::io::stderr(), "stratum: warning: {warning}");
    }
    Ok((paths, loaded))
}

/// The sources of settings of this process.
pub(crate) fn sources(paths: &Paths, flags: Vec<(&'static str, String)>) -> Sources {
    Sources {
        file: Some(paths.config_file.clone()),
        file_required: paths.config_named,
        // Variables that are no text cannot be settings of ours.
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("STRATUM_"))
            .collect(),
        flags,
    }
}
