//! Rows of an exchange that the hub does not have: what is new since they were told last.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use rustc_hash::{FxHashMap, FxHasher};

use super::super::cell::{Cell, EachTableRow};
use super::super::maps::Maps;
use super::super::tables::Table;
use super::renumber;
use super::tables::{BACKFILL, FACTS, Found, LINK, LINK_LOG, PRICE, SOURCES, Source, place, split_by};
use crate::store::{Reader, StoreError};

/// Rows that are looked through at once, of one kind.
const MOST: i64 = 20_000;
/// ... of those with long texts.
const MOST_FACTS: i64 = 2_000;
/// Rows of which it is remembered how they were told; more are told again, which changes nothing.
const MOST_REMEMBERED: usize = 200_000;

const BACKFILLS: &str = "backfill";

const CONTRACTS: &str = "SELECT EXISTS (SELECT 1 FROM exchange_market AS m JOIN exchange_event AS e ON e.id = m.event
     WHERE m.id = ?)";
const GAMES: &str = "SELECT EXISTS (SELECT 1 FROM event WHERE id = ?)";

/// What the hub has taken of a batch, to be noted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToldExchange {
    /// How far a kind of rows has been told.
    pub cursors: Vec<(&'static str, (i64, i64))>,
    /// Contracts: our number, the hub's.
    pub contracts: Vec<(i64, u32)>,
    /// Middles of the past: of a contract, from and to.
    pub prices: Vec<(i64, i64, i64)>,
    /// Rows that were told, by kind and number, and what they said.
    hashes: Vec<((usize, i64), u64)>,
    /// In the middle of a kind: from here on.
    inside: Vec<(&'static str, Option<(i64, i64)>)>,
    /// Contracts that the hub has not numbered: they are told before anything is told of them.
    pub unknown: BTreeSet<i64>,
    /// There is more to be looked through.
    pub more: bool,
    /// A link waits for its game to be told.
    pub waits: bool,
}

/// How far the rows of a store have been told.
#[derive(Debug, Default)]
pub struct ExchangeScan {
    cursors: FxHashMap<String, (i64, i64)>,
    inside: FxHashMap<&'static str, (i64, i64)>,
    told: FxHashMap<(usize, i64), u64>,
    contracts: FxHashMap<i64, u32>,
}

impl ExchangeScan {
    /// The hub has taken this.
    pub fn took(&mut self, told: &ToldExchange) {
        if self.told.len() > MOST_REMEMBERED {
            self.told.clear();
        }
        self.told.extend(told.hashes.iter().copied());
        self.cursors.extend(told.cursors.iter().map(|(name, at)| ((*name).to_owned(), *at)));
        self.contracts.extend(told.contracts.iter().copied());
        for (name, at) in &told.inside {
            match at {
                Some(at) => drop(self.inside.insert(name, *at)),
                None => drop(self.inside.remove(name)),
            }
        }
    }

    fn cursor(&self, name: &str) -> (i64, i64) {
        self.cursors.get(name).copied().unwrap_or((0, 0))
    }

    /// Where a kind is to be read from.
    fn from(&self, source: &Source) -> (i64, i64) {
        let (at, id) = self.cursor(source.name);
        match (self.inside.get(source.name), source.found) {
            (Some(inside), _) => *inside,
            (None, Found::Added) => (at, id),
            // Of what was told last more may have changed at the same instant.
            (None, Found::Changed) => (at, i64::MIN),
            (None, Found::Compared) => (0, 0),
        }
    }
}

impl Reader {
    /// How far what an exchange told has been told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_scan(&self) -> Result<ExchangeScan, StoreError> {
        let c = &self.connection;
        let mut scan = ExchangeScan::default();
        let mut select = c.prepare("SELECT kind, at, id FROM hub_exchange")?;
        let mut rows = select.query([])?;
        while let Some(r) = rows.next()? {
            scan.cursors.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
        }
        let mut select = c.prepare("SELECT market, hub FROM hub_exchange_market")?;
        let mut rows = select.query([])?;
        while let Some(r) = rows.next()? {
            scan.contracts.insert(r.get(0)?, r.get(1)?);
        }
        Ok(scan)
    }

    /// A batch of rows that the hub does not have, in its numbers; `row` hears of each with the instant by whose day it is
    /// kept. With `facts` listings, contracts and links are looked at too. Rows of contracts that the hub has not numbered
    /// are left out and their contracts named; nothing of the batch is to be told then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_batch(
        &self,
        scan: &ExchangeScan,
        maps: &Maps,
        facts: bool,
        row: &mut EachTableRow<'_>,
    ) -> Result<ToldExchange, StoreError> {
        let mut batch = Batch { c: &self.connection, scan, maps, row, told: ToldExchange::default() };
        for (kind, source) in SOURCES.iter().enumerate() {
            if (facts || !source.is_fact) && batch.source(kind, source)? {
                batch.told.more = true;
                return Ok(batch.told);
            }
        }
        batch.told.more = batch.backfills()?;
        Ok(batch.told)
    }

    /// How many games the hub has numbered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_games(&self) -> Result<i64, StoreError> {
        Ok(self.connection.prepare_cached("SELECT count(*) FROM hub_event")?.query_row([], |r| r.get(0))?)
    }

    /// Listings and contracts that the hub has not numbered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_facts(&self, contracts: &BTreeSet<i64>, row: &mut EachTableRow<'_>) -> Result<(), StoreError> {
        let wanted = serde_json::to_string(contracts).unwrap_or_default();
        for (table, sql) in FACTS {
            let mut select = self.connection.prepare_cached(sql)?;
            let mut rows = select.query([&wanted])?;
            while let Some(r) = rows.next()? {
                row(table, 0, &cells(r, 0, table)?)?;
            }
        }
        Ok(())
    }

    /// Our numbers of contracts, by their conditions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_conditions(&self, contracts: &BTreeSet<i64>) -> Result<FxHashMap<String, i64>, StoreError> {
        let wanted = serde_json::to_string(contracts).unwrap_or_default();
        let mut select = self.connection.prepare_cached(
            "SELECT condition, id FROM exchange_market WHERE id IN (SELECT value FROM json_each(?1))",
        )?;
        let found = select.query_map([wanted], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

struct Batch<'a, 'r> {
    c: &'a Connection,
    scan: &'a ExchangeScan,
    maps: &'a Maps,
    row: &'a mut EachTableRow<'r>,
    told: ToldExchange,
}

/// Whether a row can be told now.
enum Ready {
    Yes,
    /// Its game has to be known there first.
    Waits,
    /// Its contract has no number: it is left out.
    Never,
}

impl Batch<'_, '_> {
    /// Rows of one kind; answers whether there are more than are looked through at once.
    fn source(&mut self, kind: usize, source: &Source) -> Result<bool, StoreError> {
        let most = if source.is_fact { MOST_FACTS } else { MOST };
        let (from, after) = self.scan.from(source);
        let mut select = self.c.prepare_cached(source.select)?;
        let mut rows = select.query(params![from, after, most])?;
        let (mut read, mut last, mut waits) = (0, None, false);
        while let Some(r) = rows.next()? {
            let (here, number) = ((r.get(0)?, r.get(1)?), r.get(2)?);
            read += 1;
            if r.get::<_, bool>(3)? {
                let mut cells = cells(r, 4, source.table)?;
                match self.translate(source.table, &mut cells)? {
                    Ready::Yes => self.tell(kind, source, number, &cells)?,
                    // What is in order stays in order.
                    Ready::Waits if source.found == Found::Added => {
                        waits = true;
                        break;
                    }
                    Ready::Waits | Ready::Never => {}
                }
            }
            last = Some(here);
        }
        let more = read >= most && !waits;
        if let Some(last) = last {
            if source.found != Found::Compared {
                self.told.cursors.push((source.name, last));
            }
            if more && source.found != Found::Added {
                self.told.inside.push((source.name, Some(last)));
            }
        }
        if !more {
            self.told.inside.push((source.name, None));
        }
        Ok(more)
    }

    fn tell(&mut self, kind: usize, source: &Source, number: i64, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        if source.found != Found::Added {
            let hash = hash_of(cells);
            if self.scan.told.get(&(kind, number)) == Some(&hash) {
                return Ok(());
            }
            self.told.hashes.push(((kind, number), hash));
        }
        self.put(source.table, cells)
    }

    fn put(&mut self, table: &Table, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let at = split_by(table).and_then(|column| place(table, column)).and_then(|at| cells.get(at));
        (self.row)(table, at.and_then(Cell::int).unwrap_or(0), cells)
    }

    /// The hub's numbers in place of ours.
    fn translate(&mut self, table: &Table, cells: &mut [Cell<'_>]) -> Result<Ready, StoreError> {
        let of = |event: i64| u32::try_from(event).ok().and_then(|e| self.maps.event(e));
        for (column, cell) in table.columns.iter().zip(cells.iter_mut()) {
            let is_link = table.name == LINK.name || table.name == LINK_LOG.name;
            match (column.name, &*cell) {
                ("market", Cell::Int(market)) => match self.scan.contracts.get(market) {
                    Some(hub) => *cell = Cell::Int((*hub).into()),
                    None => {
                        if self.is_there(CONTRACTS, *market)? {
                            self.told.unknown.insert(*market);
                        }
                        return Ok(Ready::Never);
                    }
                },
                ("event", Cell::Int(event)) => match of(*event) {
                    Some(hub) => *cell = Cell::Int(hub.into()),
                    // A game that was taken back for good is told of by nobody.
                    None if table.name == LINK_LOG.name && !self.is_there(GAMES, *event)? => *cell = Cell::Null,
                    None => {
                        self.told.waits = true;
                        return Ok(Ready::Waits);
                    }
                },
                ("reasons", Cell::Text(reasons)) if is_link => {
                    let reasons = renumber(reasons, |event| self.maps.event(event));
                    *cell = Cell::Text(reasons.into());
                }
                _ => {}
            }
        }
        Ok(Ready::Yes)
    }

    fn is_there(&self, sql: &str, id: i64) -> Result<bool, StoreError> {
        Ok(self.c.prepare_cached(sql)?.query_row([id], |r| r.get(0))?)
    }

    /// What was fetched of the past, contract by contract: its middles first, then up to where they go. Answers whether
    /// there is more.
    fn backfills(&mut self) -> Result<bool, StoreError> {
        let (from, after) = self.scan.cursor(BACKFILLS);
        let mut select = self.c.prepare_cached(
            "SELECT done_at, market, hub IS NULL, market, since, until, done_at, points FROM exchange_backfill
             WHERE done_at >= ?1 AND (done_at, market) > (?1, ?2) ORDER BY done_at, market LIMIT ?3",
        )?;
        let mut prices = self.c.prepare_cached(
            "SELECT market, at, price FROM exchange_price WHERE market = ? AND hub IS NULL ORDER BY at LIMIT ?",
        )?;
        let mut rows = select.query(params![from, after, MOST_FACTS])?;
        let (mut left, mut read, mut last) = (MOST, 0, None);
        while let Some(r) = rows.next()? {
            let (here, market): ((i64, i64), i64) = ((r.get(0)?, r.get(1)?), r.get(1)?);
            read += 1;
            let mut told = cells(r, 3, &BACKFILL)?;
            match self.translate(&BACKFILL, &mut told)? {
                Ready::Yes => {}
                Ready::Waits | Ready::Never => {
                    last = Some(here);
                    continue;
                }
            }
            let (mut first, mut until) = (None, 0);
            let mut points = prices.query(params![market, left])?;
            while let Some(p) = points.next()? {
                let mut price = cells(p, 0, &PRICE)?;
                self.translate(&PRICE, &mut price)?;
                self.put(&PRICE, &price)?;
                left -= 1;
                until = p.get(1)?;
                first = first.or(Some(until));
            }
            if let Some(first) = first {
                self.told.prices.push((market, first, until));
            }
            if left == 0 {
                // The rest of this contract comes next.
                self.told.cursors.extend(last.map(|last| (BACKFILLS, last)));
                return Ok(true);
            }
            if r.get::<_, bool>(2)? {
                self.put(&BACKFILL, &told)?;
            }
            last = Some(here);
        }
        self.told.cursors.extend(last.map(|last| (BACKFILLS, last)));
        Ok(read >= MOST_FACTS)
    }
}

/// The cells of a row, from a column on.
fn cells(r: &Row<'_>, from: usize, table: &Table) -> Result<Vec<Cell<'static>>, StoreError> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for at in from..from + table.columns.len() {
        cells.push(match r.get_ref(at)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(n) => Cell::Int(n),
            ValueRef::Real(x) => Cell::Real(x),
            // No text of the server's holds a zero byte.
            ValueRef::Text(t) => Cell::Text(String::from_utf8_lossy(t).replace('\0', "").into()),
            ValueRef::Blob(b) => Cell::Bytes(b.to_owned().into()),
        });
    }
    Ok(cells)
}

fn hash_of(cells: &[Cell<'_>]) -> u64 {
    let mut hasher = FxHasher::default();
    for cell in cells {
        match cell {
            Cell::Null => 0_u8.hash(&mut hasher),
            Cell::Int(n) => n.hash(&mut hasher),
            Cell::Real(x) => x.to_bits().hash(&mut hasher),
            Cell::Text(t) => t.hash(&mut hasher),
            Cell::Bytes(b) => b.hash(&mut hasher),
        }
    }
    hasher.finish()
}
