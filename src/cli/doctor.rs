//! `stratum doctor`: what a bug report needs, and nothing that is secret.

use std::io::{IsTerminal, Write};
use std::path::Path;

use chrono::{Local, SecondsFormat, Utc};
use serde::Serialize;

use super::args::{DoctorArgs, Global};
use super::output::{Align, Table, json_array};
use super::{Exit, Failure, sources};
use crate::config::{KeyOrigin, Loaded, Paths, load, odds_api_key};
use crate::store::{Reader, SCHEMA_VERSION, StoreError, writer_of};

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be, or plain information.
    Ok,
    /// Odd, or something that is not set up yet.
    Warning,
    /// Keeps something from working.
    Error,
}

/// One line of the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What it belongs to.
    pub area: &'static str,
    /// What was looked at.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub value: String,
}

impl Finding {
    fn new(area: &'static str, name: impl Into<String>, verdict: Verdict, value: impl Into<String>) -> Self {
        Self { area, name: name.into(), verdict, value: value.into() }
    }

    /// Plain information.
    pub fn info(area: &'static str, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(area, name, Verdict::Ok, value)
    }
}

/// Runs `stratum doctor`. Fails when anything is an error, after printing everything.
pub fn run(global: &Global, args: &DoctorArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let findings = findings(global);
    if args.output.json {
        json_array(out, &findings)?;
    } else {
        let columns = ["AREA", "NAME", "STATE", "VALUE"];
        let mut table = Table::new(columns.map(|name| (name, Align::Left)));
        for f in &findings {
            let state = match f.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Error => "error",
            };
            table.row([f.area.to_owned(), f.name.clone(), state.to_owned(), f.value.clone()]);
        }
        table.print(out)?;
    }
    Ok(if findings.iter().any(|f| f.verdict == Verdict::Error) { Exit::Failure } else { Exit::Ok })
}

fn findings(global: &Global) -> Vec<Finding> {
    let mut all = program();
    let paths = match Paths::find(global.data_dir.as_deref(), global.config.as_deref()) {
        Ok(paths) => paths,
        Err(e) => {
            all.push(Finding::new("folders", "home", Verdict::Error, e.to_string()));
            return all;
        }
    };
    for (name, dir) in
        [("data", &paths.data), ("logs", &paths.logs), ("cache", &paths.cache), ("runtime", &paths.runtime)]
    {
        all.push(folder(name, dir));
    }
    let loaded = settings(&paths, &mut all);
    if let Some(loaded) = &loaded {
        all.push(key(&paths, loaded));
        all.extend(alerts(&paths, loaded));
        all.extend(store(&paths.store(&loaded.settings)));
    }
    all.extend(surroundings());
    all
}

fn program() -> Vec<Finding> {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    vec![
        Finding::info("program", "version", format!("{} ({build})", env!("CARGO_PKG_VERSION"))),
        Finding::info("program", "platform", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        Finding::info("program", "sqlite", rusqlite::version()),
        Finding::info(
            "program",
            "processors",
            std::thread::available_parallelism().map_or_else(|_| "unknown".into(), |n| n.to_string()),
        ),
    ]
}

fn folder(name: &str, dir: &Path) -> Finding {
    match std::fs::metadata(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Finding::info("folders", name, format!("{} (made when first needed)", dir.display()))
        }
        Err(e) => Finding::new("folders", name, Verdict::Error, format!("{} ({e})", dir.display())),
        Ok(m) if !m.is_dir() => {
            Finding::new("folders", name, Verdict::Error, format!("{} (is no folder)", dir.display()))
        }
        // Permissions say little about mounts, quotas and containers; a file that was written says it all.
        Ok(m) => match tempfile::Builder::new().prefix(".doctor").tempfile_in(dir) {
            Ok(_) => Finding::info("folders", name, format!("{}{}", dir.display(), mode(&m))),
            Err(e) => {
                let text = format!("{}{} cannot be written to ({})", dir.display(), mode(&m), e.kind());
                Finding::new("folders", name, Verdict::Error, text)
            }
        },
    }
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt;
    format!(" (mode {:03o})", metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> String {
    String::new()
}

fn settings(paths: &Paths, all: &mut Vec<Finding>) -> Option<Loaded> {
    let file = paths.config_file.display();
    match load(&sources(paths, Vec::new())) {
        Ok(loaded) => {
            let found = if loaded.file_found { "" } else { " (not there: defaults)" };
            all.push(Finding::info("settings", "file", format!("{file}{found}")));
            let warnings = loaded.warnings.iter();
            all.extend(warnings.map(|w| Finding::new("settings", "warning", Verdict::Warning, w.to_string())));
            Some(loaded)
        }
        Err(e) => {
            all.push(Finding::new("settings", "file", Verdict::Error, e.to_string()));
            None
        }
    }
}

fn key(paths: &Paths, loaded: &Loaded) -> Finding {
    let file = paths.key_file(&loaded.settings);
    let variable = std::env::var("ODDS_API_KEY").ok();
    match odds_api_key(variable.as_deref(), &file) {
        Ok(Some((_, KeyOrigin::Environment))) => Finding::info("key", "odds_api", "present, from $ODDS_API_KEY"),
        Ok(Some((_, KeyOrigin::File(path)))) => {
            Finding::info("key", "odds_api", format!("present, from {}", path.display()))
        }
        Ok(Some((_, KeyOrigin::Keyring))) => Finding::info("key", "odds_api", "present, from the system's keyring"),
        Ok(None) => {
            let text = format!("none: set ODDS_API_KEY or write {} (chmod 600)", file.display());
            Finding::new("key", "odds_api", Verdict::Warning, text)
        }
        Err(e) => Finding::new("key", "odds_api", Verdict::Error, e.to_string()),
    }
}

/// The channels of alerts; nobody is asked and nothing is sent.
fn alerts(paths: &Paths, loaded: &Loaded) -> Vec<Finding> {
    let made = crate::runtime::channels::from_settings(paths, &loaded.settings, None);
    let channels = match made {
        Ok(channels) => channels,
        Err(e) => return vec![Finding::new("alerts", "channels", Verdict::Error, e.to_string())],
    };
    let named = |name: &&str| channels.iter().any(|c| c.name() == *name);
    let finding = |name| Finding::info("alerts", name, if named(&name) { "set up" } else { "not set up" });
    crate::alerts::channels::NAMES.into_iter().map(finding).collect()
}

/// The store, looked at without making or changing anything.
fn store(path: &Path) -> Vec<Finding> {
    let file = match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::info("store", "file", format!("{} (made when first needed)", path.display()))];
        }
        Err(e) => return vec![Finding::new("store", "file", Verdict::Error, format!("{} ({e})", path.display()))],
        Ok(m) => Finding::info("store", "file", format!("{} ({} bytes){}", path.display(), m.len(), mode(&m))),
    };
    let writer = writer_of(path).map_or_else(|| "none".to_owned(), |pid| format!("process {pid}"));
    let mut found = vec![file, Finding::info("store", "writer", writer)];
    found.extend(super::status::live(path).1.into_iter().map(|ailment| {
        let verdict = if ailment.blocks { Verdict::Error } else { Verdict::Warning };
        Finding::new("daemon", ailment.part, verdict, ailment.message)
    }));
    match Reader::open(path).and_then(|reader| contents(&reader)) {
        Ok(contents) => found.extend(contents),
        Err(e) => found.push(Finding::new("store", "schema", Verdict::Error, e.to_string())),
    }
    found
}

fn contents(reader: &Reader) -> Result<Vec<Finding>, StoreError> {
    let sports = reader.status(&reader.names()?)?;
    let looks: u64 = sports.iter().map(|s| s.looks).sum();
    let newest = sports.iter().map(|s| s.last_look).max();
    Ok(vec![
        // Opening it has proved that the file is ours and of this version.
        Finding::info("store", "schema", format!("{SCHEMA_VERSION}, made by stratum")),
        Finding::info("store", "looks", looks.to_string()),
        Finding::info("store", "newest look", newest.map_or_else(|| "none".to_owned(), |at| at.to_string())),
    ])
}

fn surroundings() -> Vec<Finding> {
    let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let show = |name: &str| variable(name).unwrap_or_else(|| "not set".into());
    let yes = |is: bool| if is { "yes" } else { "no" };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_else(|| "not set".into());
    let now = Utc::now();
    let mut found = vec![
        Finding::info("terminal", "stdin", yes(std::io::stdin().is_terminal())),
        Finding::info("terminal", "stdout", yes(std::io::stdout().is_terminal())),
    ];
    for name in ["TERM", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "COLUMNS"] {
        found.push(Finding::info("terminal", name, show(name)));
    }
    found.push(Finding::info("terminal", "locale", locale));
    found.push(Finding::info("time", "zone", format!("{} (TZ {})", Local::now().offset(), show("TZ"))));
    // A clock that lost its battery judges every quote to be from the future.
    let clock = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let plausible = now.timestamp() > 1_750_000_000;
    found.push(Finding::new("time", "clock", if plausible { Verdict::Ok } else { Verdict::Warning }, clock));
    found
}
