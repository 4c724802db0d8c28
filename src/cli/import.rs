//! `stratum import`: recordings into the store.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::args::{Global, ImportArgs};
use super::output::{json_array, printable};
use super::{Exit, Failure, prepare, show};
use crate::config::make_private;
use crate::feeds::recording::{Fault, RecordingError};
use crate::runtime::import::{ImportError, ImportReport, Progress, import};
use crate::runtime::settings::engine_settings;
use crate::runtime::stop::StopFlag;
use crate::runtime::warm;
use crate::store::Store;

/// Runs `stratum import`.
pub fn run(global: &Global, args: &ImportArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    look_for(&args.paths)?;
    let path = paths.store(&loaded.settings);
    if let Some(folder) = path.parent() {
        make_private(folder)?;
    }
    let mut store = Store::open(&path)?;
    let settings = engine_settings(&loaded.settings);
    let mut engine = warm::engine(&store, settings.clone())?;
    store.note_settings(engine.next_look(), &settings.note())?;
    let stop = StopFlag::listen()?;
    let mut meter = Meter::new();
    let started = Instant::now();
    let mut stopped = false;
    let result = import(&mut engine, &mut store, &args.paths, |progress| {
        meter.tell(progress, started);
        // Asked after the last line, there is nothing left to stop.
        stopped = stop.is_set() && progress.bytes < progress.of;
        !stopped
    });
    meter.end();
    let report = result.map_err(|e| match e {
        ImportError::Recording(e) => Failure::from(e),
        ImportError::Store(e) => Failure::from(e),
    })?;
    let summary = Summary::new(&report, started.elapsed(), stopped);
    complain(&report, &summary);
    if args.output.json {
        json_array(out, [&summary])?;
    } else {
        print(out, &summary)?;
    }
    out.flush()?;
    if summary.stopped {
        return Err(Failure::Other("stopped; run the same command again to go on".into()));
    }
    if summary.looks + summary.known_looks == 0 && summary.unreadable_lines > 0 {
        return Err(Failure::Other("nothing in these files could be read".into()));
    }
    Ok(Exit::Ok)
}

/// A path that is not there should not leave an empty store behind.
fn look_for(paths: &[PathBuf]) -> Result<(), RecordingError> {
    paths.iter().try_for_each(|path| match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(RecordingError::new(path, 0, Fault::Open(e))),
    })
}

/// What an import did: one flat object.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Summary {
    files: u64,
    lines: u64,
    bytes: u64,
    looks: u64,
    known_looks: u64,
    late_looks: u64,
    events: u64,
    quotes: u64,
    changes: u64,
    issues: u64,
    empty_answers: u64,
    lines_without_look: u64,
    unreadable_lines: u64,
    elapsed_s: f64,
    looks_per_s: f64,
    stopped: bool,
}

impl Summary {
    fn new(report: &ImportReport, elapsed: Duration, stopped: bool) -> Self {
        let taken = &report.taken;
        Self {
            files: report.files,
            lines: report.lines,
            bytes: report.bytes,
            looks: u64::from(taken.looks),
            known_looks: u64::from(taken.known),
            late_looks: report.late,
            events: taken.events,
            quotes: taken.quotes,
            changes: taken.changes,
            issues: taken.issues,
            empty_answers: report.empty,
            lines_without_look: report.no_look,
            unreadable_lines: report.unreadable,
            elapsed_s: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            looks_per_s: rate(taken.looks, elapsed).round(),
            stopped,
        }
    }
}

fn rate(looks: u32, elapsed: Duration) -> f64 {
    f64::from(looks) / elapsed.as_secs_f64().max(1e-3)
}

/// What could not be used goes to the standard error: the rest is in the store all the same.
fn complain(report: &ImportReport, summary: &Summary) {
    let mut err = std::io::stderr().lock();
    let mut say = |text: &str| drop(writeln!(err, "stratum: warning: {}", printable(text)));
    for complaint in &report.complaints {
        say(complaint);
    }
    let rest = summary.unreadable_lines.saturating_sub(report.complaints.len() as u64);
    if rest > 0 {
        say(&format!("and {rest} more lines that could not be read"));
    }
    if summary.looks + summary.known_looks == 0 && summary.unreadable_lines == 0 && !summary.stopped {
        say("these files hold no answer of a provider");
    }
}

fn print(out: &mut dyn Write, s: &Summary) -> Result<(), Failure> {
    let mut row = |name: &str, value: String| writeln!(out, "{name:<20}  {value}");
    row("files", s.files.to_string())?;
    row("lines", format!("{} ({})", s.lines, show::bytes(s.bytes)))?;
    row("looks", s.looks.to_string())?;
    row("known already", s.known_looks.to_string())?;
    row("late looks", s.late_looks.to_string())?;
    row("quotes", s.quotes.to_string())?;
    row("changes", s.changes.to_string())?;
    row("issues", s.issues.to_string())?;
    row("empty answers", s.empty_answers.to_string())?;
    row("lines without a look", s.lines_without_look.to_string())?;
    row("unreadable lines", s.unreadable_lines.to_string())?;
    row("time", format!("{:.1} s, {:.0} looks/s", s.elapsed_s, s.looks_per_s))?;
    Ok(())
}

/// A bar on the standard error, if that is a terminal.
struct Meter(Option<ProgressBar>);

impl Meter {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar.set_message("looking through the files");
            bar.tick();
            bar
        });
        Self(bar)
    }

    fn tell(&mut self, progress: Progress, started: Instant) {
        let Some(bar) = &self.0 else { return };
        if bar.length() != Some(progress.of) {
            bar.set_length(progress.of);
            let parts = "{wide_bar} {decimal_bytes}/{decimal_total_bytes}  {msg}  {eta} left";
            if let Ok(style) = ProgressStyle::with_template(parts) {
                bar.set_style(style.progress_chars("=> "));
            }
        }
        let looks = progress.looks;
        bar.set_message(format!("{looks} looks, {:.0}/s", rate(looks, started.elapsed())));
        bar.set_position(progress.bytes);
    }

    fn end(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}
