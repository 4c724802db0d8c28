//! `stratum status`: what is stored, how fresh it is, and what a running daemon says is wrong.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::args::{Global, StatusArgs};
use super::output::{Align, Table, label, printable, stored_rows};
use super::{Exit, Failure, look, prepare, show};
use crate::market::time::Timestamp;
use crate::runtime::health::{self, Ailment};
use crate::runtime::status::hub::HubStatus;
use crate::runtime::status::{ExchangeStatus, LeaseNote, Listening, LiveStatus};
use crate::store::query::{FetchView, IssueCount, SportStatus};
use crate::store::{Reader, SCHEMA_VERSION, writer_of};

/// One object of the JSON, told apart by `kind`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row {
    Store(StoreRow),
    Daemon(Box<DaemonRow>),
    Trouble(Ailment),
    Sport(SportStatus),
    Quality(IssueCount),
    Fetch(FetchView),
}

/// The process that follows.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct DaemonRow {
    pid: u32,
    version: String,
    since: Timestamp,
    /// The market is followed as planned.
    ready: bool,
    following: String,
    key: String,
    store: String,
    next_due: Option<Timestamp>,
    failed_calls: u64,
    settings_read_at: Option<Timestamp>,
    /// The exchange that it listens to.
    exchange: Option<ExchangeStatus>,
    /// Who of the desk polls what; empty: there is no hub.
    leases: Vec<LeaseNote>,
    /// How it stands with the hub.
    hub: Option<HubStatus>,
}

/// The file itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct StoreRow {
    path: String,
    /// The file and its write-ahead log.
    size_bytes: u64,
    schema: i64,
    /// The process that writes now.
    writer_pid: Option<u32>,
    looks: u64,
    newest_look: Option<Timestamp>,
    /// Credits left at the source that was asked last, as it said then.
    credits_left: Option<i64>,
}

/// Runs `stratum status`.
pub fn run(global: &Global, args: &StatusArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let path = paths.store(&loaded.settings);
    let reader = Reader::open(&path)?;
    let names = reader.names()?;
    let (sports, quality, fetches) = (reader.status(&names)?, reader.issues()?, reader.last_fetches()?);
    let store = StoreRow {
        path: path.display().to_string(),
        size_bytes: size(&path),
        schema: SCHEMA_VERSION,
        writer_pid: writer_of(&path),
        looks: sports.iter().map(|s| s.looks).sum(),
        newest_look: sports.iter().map(|s| s.last_look).max(),
        credits_left: fetches.iter().find_map(|f| f.remaining),
    };
    let demo = reader.is_demo()?;
    let live = live(&path);
    if args.output.json {
        let (daemon, troubles) = live;
        let rows = std::iter::once(Row::Store(store))
            .chain(daemon.map(|d| Row::Daemon(Box::new(d))))
            .chain(troubles.into_iter().map(Row::Trouble))
            .chain(sports.into_iter().map(Row::Sport))
            .chain(quality.into_iter().map(Row::Quality))
            .chain(fetches.into_iter().map(Row::Fetch));
        stored_rows(out, rows, demo)?;
    } else {
        let now = look::now();
        label(out, demo)?;
        print_store(out, &store)?;
        print_daemon(out, live.0.as_ref(), &live.1, now)?;
        section(out, sports_table(&sports, now))?;
        section(out, quality_table(&quality))?;
        section(out, fetch_table(&fetches, now))?;
    }
    Ok(Exit::Ok)
}

/// What the process that writes the store says of itself, and what is wrong. Nothing when there is none.
#[cfg(unix)]
pub(super) fn live(store: &Path) -> (Option<DaemonRow>, Vec<Ailment>) {
    let (pid, status) = match ask(store) {
        None => return (None, Vec::new()),
        Some((_, Ok(status))) => (status.pid, *status),
        Some((pid, Err(how))) => {
            let message = format!("process {pid} writes the store, but {how}; it may be starting or importing");
            return (None, vec![Ailment { part: "daemon", since: None, message, blocks: false }]);
        }
    };
    let now = look::now();
    // Words of the status's own form, such as `running`.
    let word = |value: serde_json::Result<serde_json::Value>| {
        let value = value.ok()?;
        Some(value.get("state")?.as_str()?.to_owned())
    };
    let daemon = DaemonRow {
        pid,
        version: status.version.clone(),
        since: status.since,
        ready: health::is_ready(&status, now),
        following: word(serde_json::to_value(&status.following)).unwrap_or_default(),
        key: word(serde_json::to_value(&status.key)).unwrap_or_default(),
        store: word(serde_json::to_value(&status.store)).unwrap_or_default(),
        next_due: status.next_due(),
        failed_calls: status.counted.failed,
        settings_read_at: status.reload.as_ref().map(|r| r.at),
        exchange: status.exchange.clone(),
        leases: status.leases.clone(),
        hub: status.hub.clone(),
    };
    (Some(daemon), health::ailments(&status, now))
}

/// The process that writes the store and what it says of itself, or why it says nothing. `None`: there is none.
#[cfg(unix)]
pub(super) fn ask(store: &Path) -> Option<(u32, Result<Box<LiveStatus>, String>)> {
    use crate::runtime::attach::client::connect;
    /// Longer nobody waits for a status.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
    let pid = writer_of(store)?;
    let connected = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
        .and_then(|runtime| runtime.block_on(connect(store, PATIENCE)).map_err(|e| e.to_string()));
    Some((pid, connected.map(|line| line.status)))
}

#[cfg(not(unix))]
pub(super) fn ask(_: &Path) -> Option<(u32, Result<Box<LiveStatus>, String>)> {
    None
}

#[cfg(not(unix))]
pub(super) fn live(_: &Path) -> (Option<DaemonRow>, Vec<Ailment>) {
    (None, Vec::new())
}

fn print_daemon(
    out: &mut dyn Write,
    daemon: Option<&DaemonRow>,
    troubles: &[Ailment],
    now: Timestamp,
) -> Result<(), Failure> {
    if let Some(d) = daemon {
        let since = show::span(now.since(d.since));
        let how = if d.ready { "follows as planned" } else { "does not follow as planned" };
        writeln!(out, "daemon   {how}; polling {}, key {}, store {}, for {since}", d.following, d.key, d.store)?;
    }
    if let Some(x) = daemon.and_then(|d| d.exchange.as_ref()) {
        let how = match x.listening {
            Listening::Starting => "the listings are being read",
            Listening::On => "is listened to",
            Listening::Failing => "cannot be heard",
        };
        let stand = x.sockets.iter().filter(|s| s.connected_since.is_some()).count();
        writeln!(
            out,
            "exchange {} {how}; {} of {} games linked, {} wait for you, {} contracts over {stand} of {} connections",
            x.exchange,
            x.linked,
            x.games,
            x.review,
            x.contracts,
            x.sockets.len()
        )?;
    }
    if let Some(hub) = daemon.and_then(|d| d.hub.as_ref()) {
        writeln!(out, "hub      {}", printable(&hub.words()))?;
    }
    for lease in daemon.iter().flat_map(|d| &d.leases) {
        writeln!(out, "polls    {}: {}", printable(&lease.name), printable(&lease.words()))?;
    }
    for trouble in troubles {
        writeln!(out, "wrong    {}: {}", trouble.part, printable(&trouble.message))?;
    }
    Ok(())
}

/// Bytes of the store with its write-ahead log.
fn size(path: &Path) -> u64 {
    let wal = path.with_extension("db-wal");
    [path, &wal].iter().filter_map(|p| std::fs::metadata(p).ok()).map(|m| m.len()).sum()
}

fn print_store(out: &mut dyn Write, store: &StoreRow) -> Result<(), Failure> {
    let writer = store.writer_pid.map_or_else(|| "none".to_owned(), |pid| format!("process {pid}"));
    let credits = store.credits_left.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    writeln!(out, "store    {}", printable(&store.path))?;
    writeln!(out, "size     {}, schema {}", show::bytes(store.size_bytes), store.schema)?;
    writeln!(out, "writer   {writer}")?;
    writeln!(out, "credits  {credits}{}", if store.credits_left.is_some() { " left" } else { "" })?;
    Ok(())
}

fn section(out: &mut dyn Write, table: Table) -> Result<(), Failure> {
    if !table.is_empty() {
        writeln!(out)?;
        table.print(out)?;
    }
    Ok(())
}

fn sports_table(sports: &[SportStatus], now: Timestamp) -> Table {
    let mut table = Table::new([
        ("SPORT", Align::Left),
        ("LOOKS", Align::Right),
        ("EVENTS", Align::Right),
        ("CHANGES", Align::Right),
        ("CREDITS", Align::Right),
        ("ISSUES", Align::Right),
        ("FIRST LOOK (UTC)", Align::Left),
        ("LAST LOOK (UTC)", Align::Left),
        ("AGO", Align::Right),
    ]);
    for s in sports {
        table.row([
            s.sport.clone(),
            s.looks.to_string(),
            s.events.to_string(),
            s.changes.to_string(),
            s.credits.to_string(),
            s.open_issues.to_string(),
            show::minute(s.first_look),
            show::minute(s.last_look),
            show::span(now.since(s.last_look)),
        ]);
    }
    table
}

fn quality_table(quality: &[IssueCount]) -> Table {
    let mut table = Table::new([
        ("QUALITY ISSUE", Align::Left),
        ("SEVERITY", Align::Left),
        ("EVER", Align::Right),
        ("OPEN", Align::Right),
    ]);
    for q in quality {
        table.row([q.reason.to_owned(), q.severity.clone(), q.count.to_string(), q.open.to_string()]);
    }
    table
}

fn fetch_table(fetches: &[FetchView], now: Timestamp) -> Table {
    let mut table = Table::new([
        ("LAST FETCH", Align::Left),
        ("SPORT", Align::Left),
        ("AGO", Align::Right),
        ("OUTCOME", Align::Left),
        ("CREDITS LEFT", Align::Right),
        ("MESSAGE", Align::Left),
    ]);
    for f in fetches {
        let outcome = show::status(&f.outcome, f.reason.as_deref());
        table.row([
            f.endpoint.clone(),
            f.sport.clone(),
            show::span(now.since(f.at)),
            outcome,
            f.remaining.map_or_else(|| show::NONE.to_owned(), |n| n.to_string()),
            f.message.clone().unwrap_or_default(),
        ]);
    }
    table
}
