//! `stratum key`: take, show and remove keys of The Odds API, without ever showing one.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::args::{Global, OutputArgs};
use super::args_service::{KeyAction, KeyArgs, KeyPlace, KeySetArgs};
use super::output::{Align, Table, json_array};
use super::{Exit, Failure, prepare};
use crate::config::{KeyOrigin, checked_keys, keep_key, keyring, odds_api_key};
use crate::feeds::odds_api::keys::{KeyView, Keys, Standing};
use crate::feeds::secret::ApiKey;
use crate::market::time::Timestamp;
use crate::runtime::attach::client::connect;
use crate::store::writer_of;

/// Larger than any list of keys. Bytes.
const LARGEST: u64 = 64 * 1024;
/// Wait for a daemon that may know more.
const WAIT: Duration = Duration::from_secs(1);

/// Runs `stratum key`.
///
/// # Errors
/// [`Failure`] when a key cannot be read, used or kept.
pub fn run(global: &Global, args: &KeyArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let file = paths.key_file(&loaded.settings);
    match &args.action {
        KeyAction::Set(args) => {
            set(&file, *args, out)?;
            if let Some(pid) = writer_of(&paths.store(&loaded.settings)) {
                writeln!(out, "process {pid} goes on with what it has; a daemon reads keys again on: kill -HUP {pid}")?;
            }
            Ok(Exit::Ok)
        }
        KeyAction::Remove(place) => remove(&file, *place, out),
        KeyAction::Status(output) => status(&paths.store(&loaded.settings), &file, *output, out),
    }
}

fn set(file: &Path, args: KeySetArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let typed = checked_keys(read()?.expose_secret()).map_err(|why| Failure::Other(format!("no key: {why}")))?;
    let text = if args.add {
        let kept = if args.place.keyring {
            keyring::read()
        } else {
            odds_api_key(None, file)?.filter(|(_, from)| matches!(from, KeyOrigin::File(_))).map(|(k, _)| k)
        };
        let before = kept.map(|k| format!("{},", k.expose_secret())).unwrap_or_default();
        let all = format!("{before}{}", typed.expose_secret());
        checked_keys(&all).map_err(|why| Failure::Other(format!("no key: {why}")))?
    } else {
        typed
    };
    let keys = Keys::parse(text.expose_secret()).map_err(|e| Failure::Other(e.to_string()))?;
    if args.place.keyring {
        keyring::keep(&text).map_err(Failure::Other)?;
        writeln!(out, "kept in the keyring of the system: {}", names(&keys))?;
        if file.exists() {
            writeln!(out, "{} is read first: remove it with `stratum key remove`", file.display())?;
        }
    } else {
        let lines = SecretString::from(text.expose_secret().replace(',', "\n") + "\n");
        keep_key(file, &lines)
            .map_err(|e| Failure::Other(format!("{}: the key cannot be kept: {e}", file.display())))?;
        writeln!(out, "kept in {}, for you alone: {}", file.display(), names(&keys))?;
    }
    if std::env::var("ODDS_API_KEY").is_ok_and(|v| !v.trim().is_empty()) {
        writeln!(out, "the variable ODDS_API_KEY is set and wins over it")?;
    }
    Ok(())
}

fn names(keys: &Keys) -> String {
    let all: Vec<String> = keys.all().iter().map(|k| k.fingerprint()).collect();
    format!("{} {}", if all.len() == 1 { "key" } else { "keys" }, all.join(", "))
}

/// A key from the terminal without an echo, or from the standard input.
fn read() -> Result<SecretString, Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(SecretString::from(rpassword::prompt_password("Key of The Odds API (not shown): ")?));
    }
    let mut text = String::new();
    std::io::stdin().take(LARGEST).read_to_string(&mut text)?;
    Ok(SecretString::from(text))
}

fn remove(file: &Path, place: KeyPlace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (place, removed) = if place.keyring {
        ("the keyring of the system".to_owned(), keyring::remove().map_err(Failure::Other)?)
    } else {
        let removed = match std::fs::remove_file(file) {
            Ok(()) => true,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
            Err(e) => return Err(Failure::Other(format!("{}: {e}", file.display()))),
        };
        (file.display().to_string(), removed)
    };
    if !removed {
        return Err(Failure::NotFound(format!("no key is kept in {place}")));
    }
    writeln!(out, "removed from {place}")?;
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Row {
    key: String,
    from: String,
    order: usize,
    state: &'static str,
    remaining: Option<u64>,
    until: Option<Timestamp>,
}

fn status(store: &Path, file: &Path, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let variable = std::env::var("ODDS_API_KEY").ok();
    let found = odds_api_key(variable.as_deref(), file)?;
    let Some((text, origin)) = found else {
        if output.json {
            json_array(out, Vec::<Row>::new())?;
        }
        let place = file.display();
        return Err(Failure::NotFound(format!("there is no key; `stratum key set` keeps one in {place}")));
    };
    let keys = Keys::parse(text.expose_secret()).map_err(|e| Failure::Other(e.to_string()))?;
    let from = match origin {
        KeyOrigin::Environment => "$ODDS_API_KEY".to_owned(),
        KeyOrigin::File(path) => path.display().to_string(),
        KeyOrigin::Keyring => "the keyring of the system".to_owned(),
    };
    let known = told(store);
    let row = |(at, key): (usize, ApiKey)| {
        let name = key.fingerprint();
        let view = known.iter().find(|k| k.name == name);
        let (state, until) = match view {
            None => ("unknown", None),
            Some(KeyView { standing: Standing::Usable, in_use: true, .. }) => ("in use", None),
            Some(KeyView { standing: Standing::Usable, .. }) => ("in reserve", None),
            Some(KeyView { standing: Standing::Exhausted { until }, .. }) => ("used up", Some(*until)),
            Some(KeyView { standing: Standing::Refused, .. }) => ("refused", None),
        };
        Row { key: name, from: from.clone(), order: at + 1, state, remaining: view.and_then(|v| v.remaining), until }
    };
    let rows: Vec<Row> = keys.all().into_iter().enumerate().map(row).collect();
    if output.json {
        json_array(out, rows)?;
        return Ok(Exit::Ok);
    }
    let columns = [("KEY", Align::Left), ("STATE", Align::Left), ("CREDITS LEFT", Align::Right), ("FROM", Align::Left)];
    let mut table = Table::new(columns);
    for row in rows {
        let until = row.until.map(|u| format!(" until {u}")).unwrap_or_default();
        let left = row.remaining.map_or_else(|| "-".to_owned(), |n| n.to_string());
        table.row([row.key, format!("{}{until}", row.state), left, row.from]);
    }
    table.print(out)?;
    Ok(Exit::Ok)
}

/// What a running daemon knows of the keys; nothing when there is none.
fn told(store: &Path) -> Vec<KeyView> {
    let Ok(runtime) = super::daemon::runtime() else { return Vec::new() };
    let line = runtime.block_on(connect(store, WAIT));
    line.map(|line| line.status.keys.clone()).unwrap_or_default()
}
