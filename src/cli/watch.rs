//! `stratum watch`: the user's watchlists, changed and shown.
//!
//! Owns the printing and the questions; what is meant by a name is found in [`meant`]. Writes the desk only, so it
//! works while a daemon owns the market store. Confirmations are for people: they are printed to a terminal and to
//! nothing else.

mod meant;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::args::Global;
use super::args_watch::{WatchAction, WatchAddArgs, WatchArgs, WatchListArgs};
use super::output::{Align, Table, json_array, printable};
use super::{Exit, Failure, look, prepare, show};
use crate::market::time::Timestamp;
use crate::store::desk::{self, Added, Desk, DeskError, NewRule, Rule, Watchlist};

/// Runs `stratum watch`.
///
/// # Errors
/// [`Failure::NotFound`] for lists, rules and games that are not there, [`Failure::Usage`] for texts that cannot be
/// meant, [`Failure::StoreUnavailable`] for a desk that a newer version made.
pub fn run(global: &Global, args: &WatchArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    run_with(global, args, out, check_filter)
}

/// The one place that decides whether a text is a filter.
fn check_filter(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    match crate::filter::Filter::parse(text) {
        Ok(_) => Ok(()),
        // Saved filters are in the desk, and may come later than the rule that names them: the board says which are not.
        Err(_) if crate::filter::Filter::parse_with(text, &|_| Some(String::new())).is_ok() => Ok(()),
        Err(e) => Err(format!("{e}\n{}", e.caret())),
    }
}

fn run_with(
    global: &Global,
    args: &WatchArgs,
    out: &mut dyn Write,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let store = paths.store(&loaded.settings);
    let path = desk::beside(&store);
    match &args.action {
        WatchAction::List(args) => list(path, args, out)?,
        WatchAction::Create { name } => {
            let list = Desk::open(&path)?.create(name)?;
            tell(out, format_args!("made '{}'", list.name))?;
        }
        WatchAction::Rename { old, new } => {
            let mut desk = Desk::open(&path)?;
            let list = named(&desk, old)?;
            let renamed = desk.rename(list.id, new)?;
            tell(out, format_args!("'{}' is called '{}' now", list.name, renamed.name))?;
        }
        WatchAction::Delete { name, yes } => {
            let mut desk = Desk::open(&path)?;
            let list = named(&desk, name)?;
            if !yes {
                confirm(&list)?;
            }
            let deleted = desk.delete(list.id)?;
            tell(out, format_args!("deleted '{}', {}", list.name, rules(deleted.0.rules.len())))?;
        }
        WatchAction::Move { name, position } => {
            let mut desk = Desk::open(&path)?;
            let list = named(&desk, name)?;
            let position = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
            desk.move_to(list.id, position)?;
        }
        WatchAction::Add(args) => {
            let mut desk = Desk::open(&path)?;
            let list = named(&desk, &args.list)?;
            let rule = new_rule(args, &meant::Market::new(&store), check)?;
            let said = match desk.add_rule(list.id, &rule)? {
                Added::New(rule) => format!("'{}' has {}", list.name, describe(&rule)),
                Added::Turned(rule) => format!("'{}' has {} now instead of its opposite", list.name, describe(&rule)),
                Added::Same(rule) => format!("'{}' had {} already", list.name, describe(&rule)),
            };
            tell(out, format_args!("{said}"))?;
        }
        WatchAction::Remove { list, number } => {
            let mut desk = Desk::open(&path)?;
            let list = named(&desk, list)?;
            let there = desk.rules(list.id)?;
            let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
            let Some(rule) = there.get(at) else {
                let has = rules(there.len());
                return Err(Failure::NotFound(format!("'{}' has {has}, so there is no rule {number}", list.name)));
            };
            let removed = desk.remove_rule(rule.id)?;
            tell(out, format_args!("'{}' no longer has {}", list.name, describe(&removed)))?;
        }
    }
    Ok(Exit::Ok)
}

/// The list that is meant.
fn named(desk: &Desk, name: &str) -> Result<Watchlist, Failure> {
    if let Some(list) = desk.find(name)? {
        return Ok(list);
    }
    let lists = desk.lists()?;
    Err(look::unknown("watchlist", name.trim(), lists.iter().map(|l| l.name.as_str())))
}

fn new_rule(
    args: &WatchAddArgs,
    market: &meant::Market,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<NewRule, Failure> {
    let what = &args.what;
    let sport = args.sport.as_deref().map(|text| market.league(text).told()).filter(|s| !s.is_empty());
    let rule = if let Some(text) = &what.game {
        NewRule::game(market.game(text)?.told())
    } else if let Some(text) = &what.team {
        NewRule::team(market.team(text, sport.as_deref())?.told(), sport)
    } else if let Some(text) = &what.league {
        NewRule::league(market.league(text).told())
    } else if let Some(text) = &what.market {
        NewRule::market(market.market(text).told(), sport)
    } else {
        let text = what.filter.as_deref().unwrap_or_default();
        check(text).map_err(|why| Failure::Usage(format!("'{}' is no filter: {why}", printable(text))))?;
        NewRule::filter(text)
    };
    Ok(if args.not { rule.excluded() } else { rule })
}

#[derive(Serialize)]
struct ListRow {
    position: usize,
    name: String,
    rules: usize,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct RuleRow<'r> {
    number: usize,
    kind: &'static str,
    not: bool,
    text: &'r str,
    sport: Option<&'r str>,
    start: Option<Timestamp>,
    label: &'r str,
    expression: String,
    created_at: Timestamp,
}

impl<'r> RuleRow<'r> {
    fn new((number, rule): (usize, &'r Rule)) -> Self {
        Self {
            number,
            kind: rule.kind.name(),
            not: rule.negative,
            text: rule.kind.text(),
            sport: rule.kind.sport(),
            start: rule.kind.start(),
            label: &rule.label,
            expression: rule.expression(),
            created_at: rule.created_at,
        }
    }
}

fn list(path: PathBuf, args: &WatchListArgs, out: &mut dyn Write) -> Result<(), Failure> {
    // Only looking is no reason to make a file.
    let desk = if path.exists() { Some(Desk::open(&path)?) } else { None };
    match (&args.name, desk) {
        (None, desk) => lists(&desk.map_or_else(|| Ok(Vec::new()), |d| d.lists())?, args, out),
        (Some(name), None) => Err(look::unknown("watchlist", name.trim(), [])),
        (Some(name), Some(desk)) => {
            let list = named(&desk, name)?;
            rules_of(&desk.rules(list.id)?, args, out)
        }
    }
}

fn lists(lists: &[Watchlist], args: &WatchListArgs, out: &mut dyn Write) -> Result<(), Failure> {
    if args.output.json {
        let row = |l: &Watchlist| ListRow {
            position: l.position + 1,
            name: l.name.clone(),
            rules: l.rules,
            created_at: l.created_at,
        };
        json_array(out, lists.iter().map(row))?;
        return Ok(());
    }
    if lists.is_empty() {
        return tell(out, format_args!("there are no watchlists; `stratum watch create NAME` makes one"));
    }
    let mut table = Table::new([("LIST", Align::Right), ("NAME", Align::Left), ("RULES", Align::Right)]);
    for list in lists {
        table.row([(list.position + 1).to_string(), list.name.clone(), list.rules.to_string()]);
    }
    Ok(table.print(out)?)
}

fn rules_of(rules: &[Rule], args: &WatchListArgs, out: &mut dyn Write) -> Result<(), Failure> {
    if args.output.json {
        json_array(out, (1..).zip(rules).map(RuleRow::new))?;
        return Ok(());
    }
    if rules.is_empty() {
        return tell(out, format_args!("it has no rules; `stratum watch add LIST --team NAME` adds one"));
    }
    let mut table = Table::new([
        ("RULE", Align::Right),
        ("NOT", Align::Left),
        ("KIND", Align::Left),
        ("ABOUT", Align::Left),
        ("SPORT", Align::Left),
        ("START (UTC)", Align::Left),
    ]);
    for (number, rule) in (1_usize..).zip(rules) {
        table.row([
            number.to_string(),
            if rule.negative { "not".to_owned() } else { String::new() },
            rule.kind.name().to_owned(),
            rule.label.clone(),
            rule.kind.sport().unwrap_or_default().to_owned(),
            rule.kind.start().map(show::minute).unwrap_or_default(),
        ]);
    }
    Ok(table.print(out)?)
}

/// `the rule 'not team Miami Heat'`
fn describe(rule: &Rule) -> String {
    let not = if rule.negative { "not " } else { "" };
    format!("the rule '{not}{} {}'", rule.kind.name(), rule.label)
}

fn rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}

/// Tells a person what was done. A pipe or a file wants results only.
fn tell(out: &mut dyn Write, said: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        writeln!(out, "{}", printable(&said.to_string()))?;
    }
    Ok(())
}

/// Asks on the terminal. Anything but yes keeps the list.
fn confirm(list: &Watchlist) -> Result<(), Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Failure::Usage("there is no terminal to ask on; --yes deletes without asking".into()));
    }
    let mut err = std::io::stderr();
    write!(err, "Delete '{}' with {}? [y/N] ", printable(&list.name), rules(list.rules))?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Other("nothing was deleted".into())),
    }
}

impl From<DeskError> for Failure {
    fn from(e: DeskError) -> Self {
        match e {
            DeskError::NewerSchema { .. } | DeskError::Busy { .. } => Self::StoreUnavailable(e.to_string()),
            DeskError::NoList | DeskError::NoRule => Self::NotFound(e.to_string()),
            DeskError::Unfit { .. } | DeskError::RuleNameTaken { .. } => Self::Usage(e.to_string()),
            _ => Self::Other(e.to_string()),
        }
    }
}
