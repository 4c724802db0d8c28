//! `stratum rules`: the user's alert rules, changed and shown, and tried on history.
//!
//! Writes the desk only, so it works while a daemon owns the market store. Confirmations are for people: they are printed
//! to a terminal and to nothing else.

mod dry_run;
mod terms;

use std::io::{IsTerminal, Write};
use std::path::Path;

use serde::Serialize;

use super::args::{Global, OutputArgs};
use super::args_alerts::{RuleAddArgs, RuleEditArgs, RuleShowArgs, RulesAction, RulesArgs};
use super::output::{Align, Table, json_array, printable};
use super::{Exit, Failure, look, prepare, show};
use crate::alerts::rule::{RuleError, Terms};
use crate::alerts::rules::RuleSet;
use crate::config::{Paths, Settings};
use crate::market::time::Timestamp;
use crate::store::desk::{self, AlertRule, Desk};

/// Runs `stratum rules`.
///
/// # Errors
/// [`Failure::NotFound`] for rules and lists that are not there, [`Failure::Usage`] for terms that make no rule.
pub fn run(global: &Global, args: &RulesArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let settings = loaded.settings;
    let store = paths.store(&settings);
    let path = desk::beside(&store);
    match &args.action {
        RulesAction::Add(args) => add(&path, &paths, &settings, args, out)?,
        RulesAction::List(output) => list(&path, *output, out)?,
        RulesAction::Show(args) => show_rule(&path, &paths, &settings, args, out)?,
        RulesAction::Edit(args) => edit(&path, &paths, &settings, args, out)?,
        RulesAction::Remove(rule) => {
            let mut desk = Desk::open(&path)?;
            let rule = named(&desk, &rule.name)?;
            let removed = desk.remove_alert_rule(rule.id)?;
            tell(out, format_args!("removed '{}'", removed.name))?;
        }
        RulesAction::On(rule) => switch(&path, &rule.name, true, out)?,
        RulesAction::Off(rule) => switch(&path, &rule.name, false, out)?,
        RulesAction::DryRun(args) => dry_run::run(&path, &store, &settings, args, out)?,
    }
    Ok(Exit::Ok)
}

/// The rule that is meant.
fn named(desk: &Desk, name: &str) -> Result<AlertRule, Failure> {
    if let Some(rule) = desk.alert_rule(name)? {
        return Ok(rule);
    }
    let rules = desk.alert_rules()?;
    Err(look::unknown("alert rule", name.trim(), rules.iter().map(|r| r.name.as_str())))
}

fn add(
    path: &Path,
    paths: &Paths,
    settings: &Settings,
    args: &RuleAddArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut desk = Desk::open(path)?;
    let mut made = Terms::default();
    terms::apply(&mut made, &args.terms, &desk, settings)?;
    made.check().map_err(usage)?;
    let rule = desk.add_alert_rule(&args.name, !args.off, &made.to_json().map_err(usage)?)?;
    warn(&made, paths, settings);
    tell(out, format_args!("made '{}': {}", rule.name, terms::sentence(&made)))
}

fn edit(
    path: &Path,
    paths: &Paths,
    settings: &Settings,
    args: &RuleEditArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut desk = Desk::open(path)?;
    let rule = named(&desk, &args.rule)?;
    let mut made = Terms::from_json(&rule.json).map_err(|e| Failure::Other(e.to_string()))?;
    terms::clear(&mut made, &args.clear);
    terms::apply(&mut made, &args.terms, &desk, settings)?;
    made.check().map_err(usage)?;
    let name = args.name.as_deref().unwrap_or(&rule.name);
    let changed = desk.edit_alert_rule(rule.id, name, &made.to_json().map_err(usage)?)?;
    warn(&made, paths, settings);
    tell(out, format_args!("'{}' is now: {}", changed.name, terms::sentence(&made)))
}

fn switch(path: &Path, name: &str, on: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut desk = Desk::open(path)?;
    let rule = named(&desk, name)?;
    let was = desk.switch_alert_rule(rule.id, on)?;
    let (word, already) = (if on { "on" } else { "off" }, if was == on { " already" } else { "" });
    tell(out, format_args!("'{}' is {word}{already}", rule.name))
}

/// What a person should know, on the standard error.
fn warn(made: &Terms, paths: &Paths, settings: &Settings) {
    let channels: Option<Vec<String>> = super::alerts::channels(paths, settings, None)
        .ok()
        .map(|all| all.iter().map(|c| c.name().to_owned()).collect());
    for warning in made.warnings(channels.as_deref()) {
        let _ = writeln!(std::io::stderr(), "stratum: warning: {}", printable(&warning));
    }
}

#[derive(Serialize)]
struct RuleRow {
    name: String,
    on: bool,
    /// Why it cannot be used.
    broken: Option<String>,
    #[serde(flatten)]
    terms: Option<Terms>,
    created_at: Timestamp,
    changed_at: Timestamp,
}

/// Every rule with what is wrong with it; one that is off is looked over all the same.
fn rows(desk: &Desk) -> Result<Vec<RuleRow>, Failure> {
    let mut rows = Vec::new();
    for rule in desk.alert_rules()? {
        let set = RuleSet::only(desk, &rule)?;
        rows.push(RuleRow {
            broken: set.broken.into_iter().next().map(|(_, why)| why),
            terms: Terms::from_json(&rule.json).ok(),
            name: rule.name,
            on: rule.on,
            created_at: rule.created_at,
            changed_at: rule.changed_at,
        });
    }
    Ok(rows)
}

fn list(path: &Path, output: OutputArgs, out: &mut dyn Write) -> Result<(), Failure> {
    // Only looking is no reason to make a file.
    let rows = if path.exists() { rows(&Desk::open(path)?)? } else { Vec::new() };
    if output.json {
        json_array(out, rows)?;
        return Ok(());
    }
    if rows.is_empty() {
        return tell(out, format_args!("there are no rules; `stratum rules add NAME --channel CHANNEL` makes one"));
    }
    let mut table = Table::new([
        ("RULE", Align::Left),
        ("STATE", Align::Left),
        ("KINDS", Align::Left),
        ("CHANNELS", Align::Left),
        ("COOLDOWN", Align::Right),
        ("FILTER", Align::Left),
    ]);
    for row in rows {
        let state = match (&row.broken, row.on) {
            (_, false) => "off",
            (Some(_), true) => "broken",
            (None, true) => "on",
        };
        let cell = |text: &dyn Fn(&Terms) -> String| row.terms.as_ref().map_or_else(|| show::NONE.to_owned(), text);
        let (kinds, channels) = (cell(&terms::kinds), cell(&|t| t.channels.join(",")));
        let (cooldown, filter) = (cell(&|t| terms::seconds(t.cooldown_seconds)), cell(&|t| t.filter.clone()));
        table.row([row.name.clone(), state.to_owned(), kinds, channels, cooldown, filter]);
    }
    Ok(table.print(out)?)
}

fn show_rule(
    path: &Path,
    paths: &Paths,
    settings: &Settings,
    args: &RuleShowArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if !path.exists() {
        return Err(look::unknown("alert rule", args.name.trim(), []));
    }
    let desk = Desk::open(path)?;
    let rule = named(&desk, &args.name)?;
    let row = rows(&desk)?.into_iter().find(|r| r.name == rule.name);
    let Some(row) = row else { return Err(look::unknown("alert rule", args.name.trim(), [])) };
    if args.output.json {
        json_array(out, [row])?;
        return Ok(());
    }
    writeln!(out, "{} ({})", printable(&row.name), if row.on { "on" } else { "off" })?;
    if let Some(why) = &row.broken {
        writeln!(out, "cannot be used: {}", printable(why))?;
    }
    if let Some(made) = &row.terms {
        for (label, value) in terms::facts(made) {
            writeln!(out, "  {label:<14} {}", printable(&value))?;
        }
        warn(made, paths, settings);
    }
    Ok(())
}

fn usage(e: RuleError) -> Failure {
    Failure::Usage(e.to_string())
}

/// Tells a person what was done. A pipe or a file wants results only.
fn tell(out: &mut dyn Write, said: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        writeln!(out, "{}", printable(&said.to_string()))?;
    }
    Ok(())
}

/// The desk, if there is one: only looking is no reason to make a file.
fn desk_at(path: &Path) -> Result<Option<Desk>, Failure> {
    if path.exists() { Ok(Some(Desk::open(path)?)) } else { Ok(None) }
}
