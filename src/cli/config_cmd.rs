//! `stratum config`: the settings in force, where the file lies, a file to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::args::{ConfigAction, ConfigArgs, ConfigInitArgs, Global, OutputArgs};
use super::output::{Align, Table, json_array};
use super::{Exit, Failure, prepare};
use crate::config::{KeyOrigin, Paths, init_text, make_private, odds_api_key};
use crate::feeds::odds_api::keys::Keys;

/// Runs `stratum config`.
pub fn run(global: &Global, args: &ConfigArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &args.action {
        ConfigAction::Show(output) => show(global, *output, out),
        ConfigAction::Path => {
            let paths = Paths::find(global.data_dir.as_deref(), global.config.as_deref())?;
            writeln!(out, "{}", paths.config_file.display())?;
            Ok(Exit::Ok)
        }
        ConfigAction::Init(args) => init(global, *args, out),
    }
}

#[derive(Serialize)]
struct Row {
    setting: String,
    value: serde_json::Value,
    origin: String,
}

fn show(global: &Global, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let mut rows: Vec<Row> = loaded
        .values
        .iter()
        .map(|v| {
            let value = serde_json::to_value(&v.value).unwrap_or_default();
            Row { setting: v.path.clone(), value, origin: v.origin.to_string() }
        })
        .collect();
    let variable = std::env::var("ODDS_API_KEY").ok();
    let found = odds_api_key(variable.as_deref(), &paths.key_file(&loaded.settings));
    if let Ok(Some((keys, _))) = &found
        && let Ok(keys) = Keys::parse(keys.expose_secret())
    {
        rows.iter_mut().for_each(|row| hide(&mut row.value, &keys));
    }
    let (value, origin) = match found {
        Ok(Some((_, KeyOrigin::Environment))) => ("***".into(), "$ODDS_API_KEY".to_owned()),
        Ok(Some((_, KeyOrigin::File(path)))) => ("***".into(), path.display().to_string()),
        Ok(Some((_, KeyOrigin::Keyring))) => ("***".into(), "keyring".to_owned()),
        Ok(None) => (serde_json::Value::Null, "none".to_owned()),
        Err(e) => (serde_json::Value::Null, format!("unusable: {e}")),
    };
    rows.push(Row { setting: "odds_api key".into(), value, origin });
    if output.json {
        json_array(out, rows)?;
    } else {
        let mut table = Table::new([("SETTING", Align::Left), ("VALUE", Align::Left), ("FROM", Align::Left)]);
        for row in rows {
            let value = match row.value {
                serde_json::Value::Null => "-".into(),
                serde_json::Value::String(text) if text == "***" => text,
                value => value.to_string(),
            };
            table.row([row.setting, value, row.origin]);
        }
        table.print(out)?;
    }
    Ok(Exit::Ok)
}

/// A key pasted into the wrong field of the settings is still a key.
fn hide(value: &mut serde_json::Value, keys: &Keys) {
    match value {
        serde_json::Value::String(text) => {
            for key in keys.all().iter().filter(|k| k.is_real()) {
                *text = key.redact(text);
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|v| hide(v, keys)),
        _ => {}
    }
}

fn init(global: &Global, args: ConfigInitArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.stdout {
        out.write_all(init_text().as_bytes())?;
        return Ok(Exit::Ok);
    }
    let paths = Paths::find(global.data_dir.as_deref(), global.config.as_deref())?;
    let file = &paths.config_file;
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        make_private(folder)?;
    }
    if args.force && file.exists() {
        let mut old = file.clone().into_os_string();
        old.push(".old");
        std::fs::rename(file, Path::new(&old)).map_err(|e| named(file, &e))?;
    }
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(mut f) => f.write_all(init_text().as_bytes()).map_err(|e| named(file, &e))?,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::Other(format!(
                "{}: there is a settings file already; edit it, or replace it with --force",
                file.display()
            )));
        }
        Err(e) => return Err(named(file, &e)),
    }
    writeln!(out, "{}", file.display())?;
    Ok(Exit::Ok)
}

fn named(file: &Path, e: &std::io::Error) -> Failure {
    Failure::Other(format!("{}: cannot be written ({e})", file.display()))
}
