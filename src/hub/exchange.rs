//! What an exchange tells, to the hub and from it: a stream of its own beside the looks, in batches that the hub numbers in
//! the order of their commits. Told by whoever holds the lease of listening; taken in by everybody who sees all.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use tokio_postgres::types::Type;

use super::connect::Connection;
use super::copy::{CopyOut, day_of};
use super::error::HubError;
use super::pull::{Copied, REPEATABLE, View, copied};
use super::push::PushError;
use super::stage::Stage;
use crate::store::hub::cell::{Cell, EachTableRow};
use crate::store::hub::exchange::tables::{self, EXCHANGE};
use crate::store::hub::exchange::{ExchangeScan, ExchangeStretch, ToldExchange};
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::Table;
use crate::store::hub::{Incoming, Rows, Told};
use crate::store::{Reader, StoreError};

/// Listings, contracts and links are looked at so often: they change with minutes.
const FACTS_EVERY: Duration = Duration::from_secs(2);
/// A stretch holds batches with so many rows, unless a single one has more.
const MOST_ROWS: i64 = 60_000;
/// Batches that a stretch holds at the most.
const MOST_ENTRIES: i64 = 2_000;

/// A batch that may have rows in any table.
const ANY: i32 = (1 << tables::ALL.len()) - 1;
/// A day before all others, counted from 2000 on.
const LONG_AGO: i32 = -100_000;

/// The temporary tables that a batch is staged in.
const STAGING: &str = include_str!("exchange_staging.sql");

/// What a step came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExchangeStep {
    /// Everything is told.
    Nothing,
    /// The hub has taken something, or knew it; this is to be noted.
    Told {
        /// What to note.
        told: Box<Told>,
        /// Rows that were sent.
        rows: u64,
        /// There is more to tell at once.
        more: bool,
    },
}

/// Tells one hub what an exchange told one store. After an error another one goes on.
#[derive(Debug)]
pub struct ExchangeTeller {
    reader: Reader,
    device: i32,
    maps: Maps,
    scan: ExchangeScan,
    days: FxHashSet<i32>,
    /// When everything that changes rarely was looked at last.
    facts: Option<Instant>,
    /// Games that the hub had numbered when the numbers were read.
    games: i64,
}

impl ExchangeTeller {
    /// A teller for the store that `reader` reads, which the hub knows as `device`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(reader: Reader, device: i32) -> Result<Self, StoreError> {
        let games = reader.hub_exchange_games()?;
        let (maps, scan) = (reader.hub_maps()?, reader.hub_exchange_scan()?);
        Ok(Self { reader, device, maps, scan, days: FxHashSet::default(), facts: None, games })
    }

    /// Tells the next batch, under the lease with this token; with `all` what changes rarely is looked at too.
    ///
    /// # Errors
    /// [`PushError`]; the hub has taken nothing of the batch then, or all of it: told again it changes nothing.
    pub async fn step(&mut self, hub: &mut Connection, token: i64, all: bool) -> Result<ExchangeStep, PushError> {
        let facts = all || self.facts.is_none_or(|at| at.elapsed() >= FACTS_EVERY);
        let mut staged = Staged::default();
        let mut told = self.reader.hub_exchange_batch(&self.scan, &self.maps, facts, &mut staged.put())?;
        if told.waits {
            // Games may have been told meanwhile.
            let games = self.reader.hub_exchange_games()?;
            if games != self.games {
                (self.maps, self.games, staged) = (self.reader.hub_maps()?, games, Staged::default());
                told = self.reader.hub_exchange_batch(&self.scan, &self.maps, facts, &mut staged.put())?;
            }
        }
        if !told.unknown.is_empty() {
            return self.introduce(hub, token, &told.unknown).await;
        }
        if facts && !told.more {
            self.facts = Some(Instant::now());
        }
        let (rows, more) = (staged.rows(), told.more);
        if rows > 0 {
            self.send(hub, token, staged).await?;
        }
        self.scan.took(&told);
        (told.unknown, told.more, told.waits) = (BTreeSet::new(), false, false);
        if rows == 0 && !more {
            return Ok(ExchangeStep::Nothing);
        }
        Ok(ExchangeStep::Told { told: noted(told), rows, more })
    }

    /// Has the hub number contracts.
    async fn introduce(
        &mut self,
        hub: &mut Connection,
        token: i64,
        contracts: &BTreeSet<i64>,
    ) -> Result<ExchangeStep, PushError> {
        let mut staged = Staged::default();
        self.reader.hub_exchange_facts(contracts, &mut staged.put())?;
        let rows = staged.rows();
        self.send(hub, token, staged).await?;
        let ours = self.reader.hub_exchange_conditions(contracts)?;
        let conditions: Vec<&str> = ours.keys().map(String::as_str).collect();
        let found = hub
            .client()
            .query_typed(
                "SELECT condition, id FROM hub.exchange_market WHERE condition = ANY ($1)",
                &[(&conditions, Type::TEXT_ARRAY)],
            )
            .await?;
        let mut told = ToldExchange::default();
        for row in &found {
            let (condition, number): (&str, i32) = (row.try_get(0)?, row.try_get(1)?);
            let number = u32::try_from(number).map_err(|_| StoreError::Damaged { what: "number of the hub" })?;
            told.contracts.extend(ours.get(condition).map(|ours| (*ours, number)));
        }
        if told.contracts.len() < contracts.len() {
            return Err(HubError::Broken { what: "it has not numbered contracts that it was told".to_owned() }.into());
        }
        self.scan.took(&told);
        Ok(ExchangeStep::Told { told: noted(told), rows, more: true })
    }

    async fn send(&mut self, hub: &mut Connection, token: i64, staged: Staged) -> Result<(), PushError> {
        let missing: Vec<i32> = staged.days.iter().filter(|day| !self.days.contains(day)).copied().collect();
        for day in missing {
            let sql = "SELECT hub.make_days(date '2000-01-01' + $1, date '2000-01-01' + $1)";
            hub.client().query_typed(sql, &[(&day, Type::INT4)]).await?;
            self.days.insert(day);
        }
        let tx = hub.client().transaction().await?;
        tx.batch_execute(STAGING).await?;
        for (table, copy) in staged.tables {
            let day = if tables::split_by(table).is_some() { "day, " } else { "" };
            Stage { name: table.name, columns: format!("{day}{}", columns(table)), copy }.send(&tx).await?;
        }
        let sql = "SELECT hub.tell_exchange($1, $2, $3)";
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
            [(&self.device, Type::INT4), (&EXCHANGE, Type::TEXT), (&token, Type::INT8)];
        tx.query_typed(sql, &params).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn noted(told: ToldExchange) -> Box<Told> {
    Box::new(Told { exchange: Some(Box::new(told)), ..Told::default() })
}

fn columns(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
    columns.join(", ")
}

/// Rows on their way, table by table.
#[derive(Default)]
struct Staged {
    tables: Vec<(&'static Table, CopyOut)>,
    days: BTreeSet<i32>,
}

impl Staged {
    fn put(&mut self) -> Box<EachTableRow<'_>> {
        Box::new(|table: &Table, at: i64, cells: &[Cell<'_>]| {
            let known = self.tables.iter().position(|(t, _)| t.name == table.name);
            if known.is_none() {
                let table = tables::ALL.into_iter().find(|t| t.name == table.name);
                self.tables.extend(table.map(|t| (t, CopyOut::default())));
            }
            let place = known.unwrap_or(self.tables.len().saturating_sub(1));
            let Some((table, copy)) = self.tables.get_mut(place) else { return Ok(()) };
            if tables::split_by(table).is_some() {
                let day = day_of(at);
                self.days.insert(day);
                copy.row(table.columns.len() + 1);
                copy.int(day);
            } else {
                copy.row(table.columns.len());
            }
            table.columns.iter().zip(cells).try_for_each(|(column, cell)| copy.cell(column, cell))
        })
    }

    fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, copy)| copy.rows()).sum()
    }
}

/// A stretch of the stream.
#[derive(Debug)]
pub struct ExchangeNews {
    /// What to take in; `None` where all of it is our own.
    pub incoming: Option<Incoming>,
    /// Its last batch.
    pub until: i64,
}

/// The next stretch after batch `after`, without what `device` told itself; `None`: there is none.
///
/// # Errors
/// [`HubError`]; [`HubError::Broken`] where the hub knows less than it has told, after it was put back to an earlier moment.
pub async fn next(hub: &mut Connection, device: i32, after: i64) -> Result<Option<ExchangeNews>, HubError> {
    let tx = hub.client().build_transaction().read_only(true).isolation_level(REPEATABLE).start().await?;
    let rows = tx
        .query_typed(
            "SELECT h.seq, e.seq, e.device, e.rows, e.filled, e.since - date '2000-01-01', e.until - date '2000-01-01',
             h.dropped
             FROM hub.exchange_head AS h LEFT JOIN hub.exchange_entry AS e ON e.seq > $1 ORDER BY e.seq LIMIT $2",
            &[(&after, Type::INT8), (&MOST_ENTRIES, Type::INT8)],
        )
        .await?;
    let (mut until, mut size, mut filled) = (after, 0, 0);
    let (mut first, mut last) = (i32::MAX, i32::MIN);
    for row in &rows {
        let head: i64 = row.try_get(0)?;
        if head < after {
            let what = format!("it knows {head} batches of the exchange, and this store has taken in {after}");
            return Err(HubError::Broken { what });
        }
        let dropped: i64 = row.try_get(7)?;
        if until < dropped {
            // These are listed no more; whatever is left of them comes now.
            (until, filled, first, last) = (dropped, ANY, LONG_AGO, -LONG_AGO);
        }
        let Some(seq) = row.try_get::<_, Option<i64>>(1)? else { break };
        if seq != until + 1 {
            return Err(HubError::Broken { what: format!("the exchange's stream has no batch before {seq}") });
        }
        let rows: i64 = row.try_get(3)?;
        if until > after && size + rows > MOST_ROWS {
            break;
        }
        until = seq;
        if row.try_get::<_, i32>(2)? != device {
            size += rows;
            filled |= row.try_get::<_, i32>(4)?;
            first = first.min(row.try_get::<_, Option<i32>>(5)?.unwrap_or(first));
            last = last.max(row.try_get::<_, Option<i32>>(6)?.unwrap_or(last));
        }
    }
    if until == after {
        return Ok(None);
    }
    if filled == 0 {
        return Ok(Some(ExchangeNews { incoming: None, until }));
    }
    let mut rows: Vec<(&'static Table, Box<dyn Rows>)> = Vec::new();
    for (bit, table) in tables::ALL.into_iter().enumerate() {
        if filled & (1 << bit) == 0 {
            continue;
        }
        let bytes = copied(&tx, &select(table, device, (after, until), (first, last))).await?;
        rows.push((table, Box::new(Copied::new(bytes, table, View::Whole))));
    }
    tx.commit().await?;
    let stretch = ExchangeStretch { until, device, rows };
    Ok(Some(ExchangeNews { incoming: Some(Incoming { exchange: Some(stretch), ..Incoming::default() }), until }))
}

/// The rows of a table in a stretch. Of what changes the present is read, also where it is a later batch's: rows of the
/// stretch may speak of a contract that was told anew since.
fn select(table: &Table, device: i32, (after, until): (i64, i64), (first, last): (i32, i32)) -> String {
    let columns = columns(table);
    let name = table.name;
    let of_listing = "JOIN hub.exchange_event AS e ON e.id = t.listing";
    match name {
        "exchange_event" => format!("SELECT t.device::bigint, {columns} FROM hub.{name} AS t WHERE t.seq > {after}"),
        "exchange_market" => {
            let columns = qualified(table);
            format!("SELECT t.id::bigint, e.key, {columns} FROM hub.{name} AS t {of_listing} WHERE t.seq > {after}")
        }
        "exchange_link" => {
            let columns = qualified(table);
            format!("SELECT 0::bigint, e.key, {columns} FROM hub.{name} AS t {of_listing} WHERE t.seq > {after}")
        }
        "exchange_link_log" => format!(
            "SELECT 0::bigint, t.row, e.key, t.at, t.event, t.state, t.how, t.reasons FROM hub.{name} AS t {of_listing}
             WHERE t.seq > {after} AND t.seq <= {until} AND t.device <> {device} ORDER BY t.seq, t.row"
        ),
        "exchange_seen" | "exchange_backfill" => {
            format!("SELECT 0::bigint, {columns} FROM hub.{name} AS t WHERE t.seq > {after} AND t.device <> {device}")
        }
        _ => {
            let order = tables::place(table, "row").map_or("t.at", |_| "t.row");
            format!(
                "SELECT 0::bigint, {columns} FROM hub.{name} AS t WHERE t.seq > {after} AND t.seq <= {until}
                 AND t.device <> {device} AND t.day BETWEEN date '2000-01-01' + ({first}) AND date '2000-01-01' + ({last})
                 ORDER BY t.seq, {order}"
            )
        }
    }
}

/// The columns behind the first, as those of `t`.
fn qualified(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().skip(1).map(|c| format!("t.{}", c.name)).collect();
    columns.join(", ")
}
