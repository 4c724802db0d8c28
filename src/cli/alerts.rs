//! `stratum alerts`: the outbox, the log of deliveries, and channels tried by hand.
//!
//! Reads the store; what has to be written is asked of whoever owns it, or done here where nobody does.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::args::{Global, OutputArgs};
use super::args_alerts::{
    AlertListArgs, AlertLogArgs, AlertQualityArgs, AlertReplayArgs, AlertShowArgs, AlertTestArgs, AlertsAction,
    AlertsArgs, StateArg,
};
use super::output::{Align, Table, json_array, printable};
use super::{Exit, Failure, cells, look, prepare, show};
use crate::alerts::channel::{Attempt, Channel};
use crate::alerts::channels::bell::Terminal;
use crate::alerts::message::{Fact, Kind, Message, Severity};
use crate::alerts::quality::{self, Mean, RULES};
use crate::alerts::request::Request;
use crate::alerts::retry::{millis, why};
use crate::config::{Paths, Settings};
use crate::market::time::Timestamp;
use crate::runtime::channels::from_settings;
use crate::runtime::session::AlertsConfig;
use crate::store::desk::{self, Desk};
use crate::store::outbox::{AttemptRow, MessageState, OutboxFilter, OutboxRow};
use crate::store::{Reader, Store, StoreError};

/// The channels of the settings; `terminal` is where the bell's bytes go.
///
/// # Errors
/// [`Failure`] when one of them cannot be used.
pub fn channels(
    paths: &Paths,
    settings: &Settings,
    terminal: Option<Terminal>,
) -> Result<Vec<Arc<dyn Channel>>, Failure> {
    from_settings(paths, settings, terminal).map_err(|e| Failure::Other(e.to_string()))
}

/// How a session over `store` tells its user.
///
/// # Errors
/// [`Failure`] when a channel or the digest of the settings cannot be used.
pub fn config(
    paths: &Paths,
    settings: &Settings,
    store: &Path,
    terminal: Option<Terminal>,
) -> Result<AlertsConfig, Failure> {
    let digest = crate::runtime::settings::digest(settings).map_err(Failure::Usage)?;
    let channels = channels(paths, settings, terminal)?;
    Ok(AlertsConfig { digest, ..AlertsConfig::beside(store, channels, settings.alerts.credits_below) })
}

/// Runs `stratum alerts`.
///
/// # Errors
/// [`Failure::NotFound`] for messages and channels that are not there.
pub fn run(global: &Global, args: &AlertsArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let settings = loaded.settings;
    let store = paths.store(&settings);
    match &args.action {
        AlertsAction::List(args) => list(&store, args, out)?,
        AlertsAction::Show(args) => show_message(&store, args, out)?,
        AlertsAction::Log(args) => log(&store, args, out)?,
        AlertsAction::Replay(args) => replay(&store, args, out)?,
        AlertsAction::Channels(output) => list_channels(&paths, &settings, *output, out)?,
        AlertsAction::Test(args) => return test(&paths, &settings, args, out),
        AlertsAction::Quality(args) => show_quality(&store, args, out)?,
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct MessageRow {
    id: i64,
    key: String,
    state: &'static str,
    channel: String,
    kind: String,
    rules: Vec<String>,
    title: String,
    origin: Option<String>,
    signal_id: Option<String>,
    version: Option<u32>,
    at: Timestamp,
    created: Timestamp,
    queued: Timestamp,
    not_before: Timestamp,
    /// Of one that waits.
    next_attempt: Option<Timestamp>,
    attempts: u32,
    ended: Option<Timestamp>,
    /// From the look to the delivery, quiet hours aside.
    latency_ms: Option<i64>,
    why: String,
}

impl MessageRow {
    fn new(row: &OutboxRow) -> Self {
        let message: Option<Message> = serde_json::from_str(&row.message).ok();
        let delivered = row.ended.filter(|_| row.state == MessageState::Delivered);
        Self {
            id: row.id,
            key: row.key.clone(),
            state: row.state.name(),
            channel: row.channel.clone(),
            kind: row.kind.clone(),
            rules: row.rule.split(RULES).filter(|r| !r.is_empty()).map(str::to_owned).collect(),
            title: message.as_ref().map_or_else(String::new, |m| m.title.clone()),
            origin: message.and_then(|m| m.origin),
            signal_id: row.signal.as_ref().map(|(id, _)| id.clone()),
            version: row.signal.as_ref().map(|(_, version)| *version),
            at: row.at,
            created: row.created,
            queued: row.queued,
            not_before: row.not_before,
            next_attempt: (row.state == MessageState::Waiting).then_some(row.next_attempt),
            attempts: row.attempts,
            ended: row.ended,
            latency_ms: delivered.map(|at| at.since(row.deliverable_since()).max(0)),
            why: row.why.clone(),
        }
    }

    /// The title with the origin before it.
    fn headline(&self) -> String {
        self.origin.as_ref().map_or_else(|| self.title.clone(), |origin| format!("[{origin}] {}", self.title))
    }
}

fn list(store: &Path, args: &AlertListArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let filter = OutboxFilter {
        state: args.state.map(|s| match s {
            StateArg::Waiting => MessageState::Waiting,
            StateArg::Delivered => MessageState::Delivered,
            StateArg::Dead => MessageState::Dead,
        }),
        channel: args.channel.clone(),
        kind: None,
        since: args.since.map(|t| t.at(look::now())),
        limit: Some(args.limit),
    };
    let rows = Reader::open(store)?.outbox(&filter)?;
    if args.output.json {
        json_array(out, rows.iter().map(MessageRow::new))?;
        return Ok(());
    }
    let mut table = Table::new([
        ("ID", Align::Right),
        ("AT (UTC)", Align::Left),
        ("STATE", Align::Left),
        ("CHANNEL", Align::Left),
        ("KIND", Align::Left),
        ("TRIES", Align::Right),
        ("TOOK", Align::Right),
        ("NEXT (UTC)", Align::Left),
        ("WHAT", Align::Left),
        ("WHY", Align::Left),
    ]);
    for row in rows.iter().map(MessageRow::new) {
        table.row([
            row.id.to_string(),
            show::second(row.at),
            row.state.to_owned(),
            row.channel.clone(),
            row.kind.clone(),
            row.attempts.to_string(),
            cells::or_none(row.latency_ms, took),
            cells::or_none(row.next_attempt, show::second),
            row.headline(),
            row.why.clone(),
        ]);
    }
    Ok(table.print(out)?)
}

fn took(ms: i64) -> String {
    if ms < 10_000 { format!("{:.2}s", ms as f64 / 1000.0) } else { show::span(ms) }
}

fn there(reader: &Reader, id: i64) -> Result<OutboxRow, Failure> {
    let found = reader.outbox_message(id)?;
    found.ok_or_else(|| {
        Failure::NotFound(format!("there is no message {id} in the outbox; `stratum alerts list` shows those that are"))
    })
}

fn show_message(store: &Path, args: &AlertShowArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let row = there(&Reader::open(store)?, args.id)?;
    let message: Message = serde_json::from_str(&row.message)
        .map_err(|e| Failure::Other(format!("message {} cannot be read: {e}", args.id)))?;
    if args.output.json {
        json_array(out, [message])?;
        return Ok(());
    }
    writeln!(out, "{}", printable(&message.headline()))?;
    if !message.text.is_empty() {
        writeln!(out, "{}", printable(&message.text))?;
    }
    for fact in &message.facts {
        writeln!(out, "  {:<10} {}", printable(&fact.label), printable(&fact.value))?;
    }
    let rule = message.rule.as_deref().unwrap_or(show::NONE);
    writeln!(out, "rule {}; channel {}; {}", printable(rule), row.channel, row.state.name())?;
    Ok(())
}

#[derive(Serialize)]
struct LogRow<'r> {
    message: i64,
    key: &'r str,
    channel: &'r str,
    kind: &'r str,
    at: Timestamp,
    attempt: u32,
    outcome: &'r str,
    took_ms: i64,
    latency_ms: Option<i64>,
    why: &'r str,
}

impl<'r> LogRow<'r> {
    fn new(row: &'r AttemptRow) -> Self {
        Self {
            message: row.message,
            key: &row.key,
            channel: &row.channel,
            kind: &row.kind,
            at: row.at,
            attempt: row.attempt,
            outcome: &row.outcome,
            took_ms: row.took_ms,
            latency_ms: row.latency_ms,
            why: &row.why,
        }
    }
}

fn log(store: &Path, args: &AlertLogArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let since = args.since.map(|t| t.at(look::now()));
    let rows = Reader::open(store)?.delivery_log(args.channel.as_deref(), since, Some(args.limit))?;
    if args.output.json {
        json_array(out, rows.iter().map(LogRow::new))?;
        return Ok(());
    }
    let mut table = Table::new([
        ("AT (UTC)", Align::Left),
        ("MESSAGE", Align::Right),
        ("CHANNEL", Align::Left),
        ("KIND", Align::Left),
        ("TRY", Align::Right),
        ("OUTCOME", Align::Left),
        ("TOOK", Align::Right),
        ("LATENCY", Align::Right),
        ("WHY", Align::Left),
    ]);
    for row in rows {
        table.row([
            show::second(row.at),
            row.message.to_string(),
            row.channel,
            row.kind,
            row.attempt.to_string(),
            row.outcome,
            took(row.took_ms),
            cells::or_none(row.latency_ms, took),
            row.why,
        ]);
    }
    Ok(table.print(out)?)
}

fn replay(store: &Path, args: &AlertReplayArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let reader = Reader::open(store)?;
    let request = match args.id {
        Some(id) => {
            let row = there(&reader, id)?;
            if row.state == MessageState::Waiting {
                return tell(out, format_args!("message {id} waits already"));
            }
            Request::PutBack { message: id }
        }
        None => Request::PutBackDead,
    };
    drop(reader);
    match Store::open(store) {
        Ok(mut store) => {
            let now = look::now();
            let count = match request {
                Request::PutBack { message } => usize::from(store.put_back(message, now)?),
                Request::PutBackDead => store.put_back_dead(now)?,
            };
            let plural = if count == 1 { "message waits" } else { "messages wait" };
            tell(out, format_args!("{count} {plural} again; delivered as soon as a daemon or a board runs"))
        }
        // Whoever owns the store looks at the desk every second.
        Err(StoreError::Locked { .. }) => {
            Desk::open(&desk::beside(store))?.ask_of_alerts(&request.to_json())?;
            tell(out, format_args!("asked of the stratum that is running"))
        }
        Err(e) => Err(e.into()),
    }
}

fn list_channels(paths: &Paths, settings: &Settings, output: OutputArgs, out: &mut dyn Write) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Row {
        name: String,
        batch: usize,
    }
    let rows: Vec<Row> = channels(paths, settings, None)?
        .iter()
        .map(|c| Row { name: c.name().to_owned(), batch: c.batch().max(1) })
        .collect();
    if output.json {
        json_array(out, rows)?;
        return Ok(());
    }
    if rows.is_empty() {
        return tell(out, format_args!("the settings have no channels"));
    }
    let mut table = Table::new([("CHANNEL", Align::Left), ("AT ONCE", Align::Right)]);
    for row in rows {
        table.row([row.name, row.batch.to_string()]);
    }
    Ok(table.print(out)?)
}

fn test(paths: &Paths, settings: &Settings, args: &AlertTestArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let all = channels(paths, settings, None)?;
    let wanted = args.channel.trim();
    let Some(channel) = all.iter().find(|c| c.name() == wanted) else {
        return Err(look::unknown("channel", wanted, all.iter().map(|c| c.name())));
    };
    let now = look::now();
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value };
    let message = Message {
        key: format!("test:{}:{}", now.millis(), channel.name()),
        kind: Kind::Test,
        severity: Severity::Info,
        origin: None,
        at: now,
        title: "A test message of stratum".to_owned(),
        text: "If you can read this, the channel works. Nothing happened in the market.".to_owned(),
        facts: vec![
            fact("channel", channel.name().to_owned()),
            fact("version", env!("CARGO_PKG_VERSION").to_owned()),
            fact("sent", now.to_string()),
        ],
        rule: None,
        data: None,
    };
    let began = Instant::now();
    let runtime = super::daemon::runtime()?;
    let attempt = runtime.block_on(channel.send(std::slice::from_ref(&message)));
    let took_ms = millis(began.elapsed());
    let (outcome, exit) = match &attempt {
        Attempt::Delivered => ("delivered", Exit::Ok),
        Attempt::Later { .. } => ("later", Exit::Failure),
        Attempt::Refused { .. } => ("refused", Exit::Failure),
    };
    let after_seconds = match &attempt {
        Attempt::Later { after, .. } => after.map(|a| a.as_secs_f64()),
        _ => None,
    };
    if args.output.json {
        let row = serde_json::json!({
            "channel": channel.name(), "outcome": outcome, "took_ms": took_ms, "why": why(&attempt),
            "after_seconds": after_seconds, "key": message.key,
        });
        json_array(out, [row])?;
    } else {
        match &attempt {
            Attempt::Delivered => writeln!(out, "{}: delivered in {}", channel.name(), took(took_ms))?,
            other => {
                let again = after_seconds.map(|s| format!("; not before {s:.0} s")).unwrap_or_default();
                writeln!(out, "{}: {outcome}: {}{again}", channel.name(), printable(why(other)))?;
            }
        }
    }
    Ok(exit)
}

fn show_quality(store: &Path, args: &AlertQualityArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let now = look::now();
    let from = args.from.map_or(Timestamp::from_millis(i64::MIN), |t| t.at(now));
    let to = args.to.map_or(Timestamp::from_millis(i64::MAX), |t| t.at(now));
    let rows = quality::quality(&Reader::open(store)?, from, to)?;
    if args.output.json {
        json_array(out, rows.iter().map(flat))?;
        return Ok(());
    }
    let mut table = Table::new([
        ("BY", Align::Left),
        ("NAME", Align::Left),
        ("ALERTS", Align::Right),
        ("GRADED", Align::Right),
        ("1M", Align::Right),
        ("5M", Align::Right),
        ("15M", Align::Right),
        ("CLOSE", Align::Right),
        ("TOWARDS %", Align::Right),
        ("THERE 1M %", Align::Right),
        ("LATENCY", Align::Right),
        ("DELIVERED", Align::Right),
        ("DEAD", Align::Right),
    ]);
    for row in rows {
        let gain = |m: Mean| cells::or_none(m.mean, |m| cells::gain(m, 2));
        let share = |m: Mean| cells::or_none(m.mean, |m| cells::percent(m, 0));
        table.row([
            row.by.to_owned(),
            row.name.clone(),
            row.alerts.to_string(),
            row.graded.to_string(),
            gain(row.move_1m),
            gain(row.move_5m),
            gain(row.move_15m),
            gain(row.move_close),
            share(row.towards),
            share(row.obtainable_1m),
            cells::or_none(row.latency_ms.mean, |ms| took(ms as i64)),
            row.delivered.to_string(),
            row.dead.to_string(),
        ]);
    }
    Ok(table.print(out)?)
}

/// A row of the quality table as one flat object: a mean beside its count.
fn flat(row: &quality::Row) -> BTreeMap<String, serde_json::Value> {
    let mut flat = BTreeMap::new();
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(row) else { return flat };
    for (name, value) in fields {
        match value {
            serde_json::Value::Object(mut mean) => {
                flat.insert(format!("{name}_count"), mean.remove("count").unwrap_or_default());
                flat.insert(name, mean.remove("mean").unwrap_or_default());
            }
            other => {
                flat.insert(name, other);
            }
        }
    }
    flat
}

/// Tells a person what was done. A pipe or a file wants results only.
fn tell(out: &mut dyn Write, said: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        writeln!(out, "{}", printable(&said.to_string()))?;
    }
    Ok(())
}
