//! `stratum polymarket status`: what is stored of the exchange, how far back, and how the listening goes.

use std::io::Write;

use serde::Serialize;

use super::{OFF, Place, market_now};
use crate::cli::args::OutputArgs;
use crate::cli::output::{Align, Table, label, printable, stored_rows};
use crate::cli::{Exit, Failure, look, show};
use crate::feeds::polymarket::SOURCE;
use crate::market::time::Timestamp;
use crate::runtime::exchange::HistoryConfig;
use crate::runtime::exchange::history::{EXPIRES_MS, FORGOTTEN_MS, missing};
use crate::runtime::status::{ExchangeStatus, Listening};
use crate::store::exchange::{ExchangeTotals, GapRow};

/// Gaps are told of so long. Milliseconds.
const GAPS_MS: i64 = 24 * 3_600_000;

/// One object of the JSON, told apart by `kind`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row {
    Listening(Heard),
    Sport(SportRow),
    Backfill(BackfillRow),
    Gap(Gap),
}

/// How the listening goes.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Heard {
    /// `polymarket.on`.
    on: bool,
    /// The process that listens.
    pid: Option<u32>,
    /// Why nobody can say how it goes.
    unknown: Option<String>,
    #[serde(flatten)]
    status: Option<ExchangeStatus>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct SportRow {
    sport: String,
    games: u64,
    linked: u64,
    review: u64,
    none: u64,
    refused: u64,
    contracts: u64,
    books: u64,
    first_book: Option<Timestamp>,
    last_book: Option<Timestamp>,
    trades: u64,
    backfilled_contracts: u64,
    backfilled_points: u64,
}

impl SportRow {
    fn of(t: ExchangeTotals) -> Self {
        Self {
            sport: t.sport,
            games: t.games,
            linked: t.linked,
            review: t.review,
            none: t.none,
            refused: t.refused,
            contracts: t.contracts,
            books: t.books,
            first_book: t.span.map(|s| s.0),
            last_book: t.span.map(|s| s.1),
            trades: t.trades,
            backfilled_contracts: t.filled,
            backfilled_points: t.points,
        }
    }
}

/// Middles of the past of moneylines that are not fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
struct BackfillRow {
    /// Contracts of games that began within the time for which the exchange keeps fine data.
    missing: usize,
    /// Of those: about to be forgotten there.
    expiring: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Gap {
    since: Timestamp,
    until: Timestamp,
    why: String,
    contracts: u32,
}

impl Gap {
    fn of(g: GapRow) -> Self {
        Self { since: g.since, until: g.until, why: g.why, contracts: g.markets }
    }
}

/// Runs it.
pub(super) fn run(place: &Place, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let now = market_now(&reader)?;
    let sports: Vec<SportRow> = reader.exchange_totals(SOURCE)?.into_iter().map(SportRow::of).collect();
    let past = HistoryConfig { spreads: false, totals: false, games: (now.plus(-FORGOTTEN_MS), now), minutes: 1 };
    let lacking = missing(&reader, &past, now)?;
    let backfill = BackfillRow {
        missing: lacking.len(),
        expiring: lacking.iter().filter(|m| now.since(m.between.1) >= EXPIRES_MS).count(),
    };
    let gaps: Vec<Gap> = reader.exchange_gaps(now.plus(-GAPS_MS), now)?.into_iter().map(Gap::of).collect();
    let heard = heard(place);
    let demo = reader.is_demo()?;
    if output.json {
        let rows = std::iter::once(Row::Listening(heard))
            .chain(sports.into_iter().map(Row::Sport))
            .chain(std::iter::once(Row::Backfill(backfill)))
            .chain(gaps.into_iter().map(Row::Gap));
        stored_rows(out, rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    print_heard(out, &heard, look::now())?;
    writeln!(
        out,
        "history    {} moneylines of the last {} days are not fetched, {} of them are about to be forgotten there",
        backfill.missing,
        FORGOTTEN_MS / 86_400_000,
        backfill.expiring
    )?;
    if sports.is_empty() {
        writeln!(out, "\n{}", place.nothing_stored())?;
        return Ok(Exit::Ok);
    }
    writeln!(out)?;
    sports_table(&sports).print(out)?;
    writeln!(out)?;
    if gaps.is_empty() {
        writeln!(out, "no gaps in the last 24 hours")?;
    } else {
        gaps_table(&gaps).print(out)?;
    }
    Ok(Exit::Ok)
}

fn heard(place: &Place) -> Heard {
    let nobody = Heard { on: place.settings.polymarket.on, pid: None, unknown: None, status: None };
    match crate::cli::status::ask(&place.store) {
        None => nobody,
        Some((pid, Ok(status))) => Heard { pid: Some(pid), status: status.exchange, ..nobody },
        Some((pid, Err(how))) => Heard { pid: Some(pid), unknown: Some(how), ..nobody },
    }
}

fn print_heard(out: &mut dyn Write, heard: &Heard, now: Timestamp) -> Result<(), Failure> {
    let Some(s) = &heard.status else {
        let why = match (&heard.unknown, heard.pid, heard.on) {
            (Some(how), Some(pid), _) => format!("unknown: process {pid} has the store, but {how}"),
            (_, Some(pid), true) => {
                format!(
                    "process {pid} does not listen: it read its settings before polymarket.on was set; SIGHUP (a daemon) or \
                     ctrl-r (a board) has it read them again"
                )
            }
            (_, _, false) => OFF.to_owned(),
            (_, None, true) => "nobody listens: no daemon or board is running".to_owned(),
        };
        writeln!(out, "listening  {}", printable(&why))?;
        return Ok(());
    };
    let state = match s.listening {
        Listening::Starting => "starting",
        Listening::On => "on",
        Listening::Failing => "failing",
    };
    let lag = s.lag_ms.map_or_else(|| show::NONE.to_owned(), |ms| format!("{ms} ms"));
    writeln!(
        out,
        "listening  {state}; {} contracts of {} games ({} linked, {} to review), {:.0} messages/s, lag {lag}",
        s.contracts, s.games, s.linked, s.review, s.messages_per_second
    )?;
    if let Some(d) = &s.delay {
        writeln!(
            out,
            "late       {} ms at the median, {} ms at the 99th percentile, {} ms at the most of {} messages; on the boards \
             after {} ms at the most",
            d.median, d.p99, d.most, d.messages, d.told
        )?;
    }
    writeln!(out, "checked    {} books against REST, {} differed", s.checked.0, s.checked.1)?;
    for socket in &s.sockets {
        let ago = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| show::span(now.since(at)));
        let stands = match (&socket.connected_since, &socket.error) {
            (Some(since), _) => format!("stands for {}", show::span(now.since(*since))),
            (None, Some(error)) => format!("is down: {error}"),
            (None, None) => "is being made".to_owned(),
        };
        writeln!(
            out,
            "socket {:<3} {}; {} outcomes, data {} ago, {} messages, {} reconnects ({} frozen), {} unreadable",
            socket.shard + 1,
            printable(&stands),
            socket.assets,
            ago(socket.last_data),
            socket.messages,
            socket.reconnects,
            socket.frozen,
            socket.defects
        )?;
    }
    if let Some(trouble) = &s.trouble {
        writeln!(out, "wrong      {}", printable(trouble))?;
    }
    Ok(())
}

fn sports_table(rows: &[SportRow]) -> Table {
    let mut table = Table::new([
        ("SPORT", Align::Left),
        ("GAMES", Align::Right),
        ("LINKED", Align::Right),
        ("REVIEW", Align::Right),
        ("NONE", Align::Right),
        ("REFUSED", Align::Right),
        ("CONTRACTS", Align::Right),
        ("BOOKS", Align::Right),
        ("FIRST BOOK (UTC)", Align::Left),
        ("LAST BOOK (UTC)", Align::Left),
        ("TRADES", Align::Right),
        ("BACKFILLED", Align::Right),
        ("POINTS", Align::Right),
    ]);
    for r in rows {
        let time = |at: Option<Timestamp>| at.map_or_else(|| show::NONE.to_owned(), show::minute);
        table.row([
            r.sport.clone(),
            r.games.to_string(),
            r.linked.to_string(),
            r.review.to_string(),
            r.none.to_string(),
            r.refused.to_string(),
            r.contracts.to_string(),
            r.books.to_string(),
            time(r.first_book),
            time(r.last_book),
            r.trades.to_string(),
            r.backfilled_contracts.to_string(),
            r.backfilled_points.to_string(),
        ]);
    }
    table
}

fn gaps_table(gaps: &[Gap]) -> Table {
    let mut table = Table::new([
        ("GAP SINCE (UTC)", Align::Left),
        ("LASTED", Align::Right),
        ("CONTRACTS", Align::Right),
        ("WHY", Align::Left),
    ]);
    for g in gaps {
        table.row([show::second(g.since), show::span(g.until.since(g.since)), g.contracts.to_string(), g.why.clone()]);
    }
    table
}
