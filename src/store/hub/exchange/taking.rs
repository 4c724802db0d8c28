//! Rows of an exchange that come from the hub, written among ours in our numbers: a batch or several in one transaction, with
//! the number of the last. What is heard here and newer stays.

use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

use super::super::cell::Cell;
use super::super::incoming::Rows;
use super::super::maps::Maps;
use super::super::tables::Table;
use super::tables::EXCHANGE;
use super::{ToldExchange, renumber};
use crate::store::{Reader, StoreError};

const PULLED: &str = "pulled";

/// What came of the hub's stream.
#[derive(Default)]
pub struct ExchangeStretch {
    /// Every batch up to this one is in the store afterwards.
    pub until: i64,
    /// Our number at the hub.
    pub device: i32,
    /// Rows, table by table, in the order of [`super::tables::ALL`]. Before its cells each row has the hub's number of a
    /// contract, and the device that told a listing.
    pub rows: Vec<(&'static Table, Box<dyn Rows>)>,
}

impl Reader {
    /// The batch of the hub's stream up to which everything has been taken in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_pulled(&self) -> Result<i64, StoreError> {
        let mut find = self.connection.prepare_cached("SELECT at FROM hub_exchange WHERE kind = ?")?;
        Ok(find.query_row([PULLED], |r| r.get(0)).optional()?.unwrap_or(0))
    }

    /// A link can be made now whose game was not here, or has been taken back and come again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_exchange_ready(&self) -> Result<bool, StoreError> {
        let sql = format!("SELECT EXISTS ({READY}) OR EXISTS ({READY_LOG})");
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |r| r.get(0))?)
    }
}

/// Links that are not as the hub tells them; one that was made here since is another matter.
const READY: &str = "SELECT w.exchange_event FROM hub_exchange_link AS w JOIN hub_event AS h ON h.hub = w.event
     LEFT JOIN exchange_link AS l ON l.exchange_event = w.exchange_event
     WHERE l.exchange_event IS NULL OR (l.hub IS NOT NULL AND l.event IS NOT h.event)";
const READY_LOG: &str = "SELECT g.id, h.event FROM hub_exchange_log AS g JOIN hub_event AS h ON h.hub = g.event";

/// Writes a stretch.
pub(in super::super) fn take(c: &Connection, stretch: &ExchangeStretch) -> Result<(), StoreError> {
    let mut taking =
        Taking { c, ours: Maps::load(c)?.turned(), device: stretch.device.into(), contracts: FxHashMap::default() };
    for (table, rows) in &stretch.rows {
        rows.each(&mut |first, cells| match table.name {
            "exchange_event" => taking.listing(first, cells),
            "exchange_market" => taking.contract(first, cells),
            "exchange_link" => taking.link(cells),
            "exchange_link_log" => taking.link_log(cells),
            "exchange_book" => taking.of_contract(BOOK, 0, cells),
            "exchange_seen" => taking.of_contract(SEEN, 0, cells),
            "exchange_trade" => taking.of_contract(TRADE, 1, cells),
            "exchange_gap" => taking.run(GAP, cells),
            "exchange_price" => taking.of_contract(PRICE, 0, cells),
            "exchange_backfill" => taking.of_contract(BACKFILL, 0, cells),
            _ => Err(StoreError::Damaged { what: "table of the hub" }),
        })?;
    }
    taking.links_that_waited()?;
    c.execute(
        "INSERT INTO hub_exchange (kind, at, id) VALUES (?1, ?2, 0)
         ON CONFLICT (kind) DO UPDATE SET at = max(at, excluded.at)",
        params![PULLED, stretch.until],
    )?;
    Ok(())
}

/// Notes what the hub has taken.
pub(in super::super) fn note(c: &Connection, told: &ToldExchange) -> Result<(), StoreError> {
    let mut cursor = c.prepare_cached("INSERT OR REPLACE INTO hub_exchange (kind, at, id) VALUES (?,?,?)")?;
    for (kind, (at, id)) in &told.cursors {
        cursor.execute(params![kind, at, id])?;
    }
    let mut contract = c.prepare_cached("INSERT OR REPLACE INTO hub_exchange_market (market, hub) VALUES (?,?)")?;
    for (ours, hub) in &told.contracts {
        contract.execute(params![ours, hub])?;
    }
    let mut price = c.prepare_cached("UPDATE exchange_price SET hub = 1 WHERE market = ? AND at BETWEEN ? AND ?")?;
    for range in &told.prices {
        price.execute(params![range.0, range.1, range.2])?;
    }
    Ok(())
}

const BOOK: &str =
    "INSERT OR IGNORE INTO exchange_book (market, at, changed_at, state, bid, ask, bid_size, ask_size, bid_near,
     ask_near, middle, levels, hub) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,1)";
const SEEN: &str = "INSERT INTO exchange_seen (market, at, hub) VALUES (?,?,1)
     ON CONFLICT (market) DO UPDATE SET at = excluded.at, hub = 1 WHERE excluded.at > at";
const TRADE: &str = "INSERT INTO exchange_trade (market, at, first, side, price, size, hub) SELECT ?2,?3,?4,?5,?6,?7,1
     WHERE ?1 IS NOT NULL";
const GAP: &str =
    "INSERT INTO exchange_gap (since, until, why, markets, hub) SELECT ?2,?3,?4,?5,1 WHERE ?1 IS NOT NULL";
const PRICE: &str = "INSERT OR IGNORE INTO exchange_price (market, at, price, hub) VALUES (?,?,?,1)";
const BACKFILL: &str = "INSERT INTO exchange_backfill (market, since, until, done_at, points, hub) VALUES (?,?,?,?,?,1)
     ON CONFLICT (market) DO UPDATE SET since = min(since, excluded.since), until = max(until, excluded.until),
     done_at = max(done_at, excluded.done_at), points = max(points, excluded.points), hub = 1";

const LISTING: &str =
    "INSERT INTO exchange_event (exchange, key, slug, title, sport, date, starts, first_team, other_team,
     is_over, volume, first_seen, last_seen, hub) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,1)
     ON CONFLICT (exchange, key) DO UPDATE SET slug = excluded.slug, title = excluded.title, sport = excluded.sport,
     date = excluded.date, starts = excluded.starts, first_team = excluded.first_team, other_team = excluded.other_team,
     is_over = excluded.is_over, volume = excluded.volume, first_seen = min(first_seen, excluded.first_seen),
     last_seen = excluded.last_seen, hub = 1";
const CONTRACT: &str =
    "INSERT INTO exchange_market (event, condition, slug, question, kind, about, line, first_outcome,
     other_outcome, first_token, other_token, fee_rate, settlement, why_not, winner, ended_at, hub)
     VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1)
     ON CONFLICT (condition) DO UPDATE SET event = excluded.event, slug = excluded.slug, question = excluded.question,
     kind = excluded.kind, about = excluded.about, line = excluded.line, first_outcome = excluded.first_outcome,
     other_outcome = excluded.other_outcome, first_token = excluded.first_token, other_token = excluded.other_token,
     fee_rate = excluded.fee_rate, settlement = excluded.settlement, why_not = excluded.why_not,
     winner = excluded.winner, ended_at = excluded.ended_at, hub = 1
     RETURNING id";

struct Taking<'c> {
    c: &'c Connection,
    /// From the hub's numbers to ours.
    ours: Maps,
    /// Our own number at the hub.
    device: i64,
    /// Contracts: our numbers by the hub's.
    contracts: FxHashMap<i64, i64>,
}

const DAMAGED: StoreError = StoreError::Damaged { what: "rows of an exchange from the hub" };

impl Taking<'_> {
    fn run(&self, sql: &str, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        self.c.prepare_cached(sql)?.execute(rusqlite::params_from_iter(cells))?;
        Ok(())
    }

    fn listing(&self, device: i64, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let [exchange, key, .., last_seen] = cells else { return Err(DAMAGED) };
        let here: Option<(bool, i64)> = self
            .c
            .prepare_cached("SELECT hub IS NULL, last_seen FROM exchange_event WHERE exchange = ? AND key = ?")?
            .query_row(params![exchange, key], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        match here {
            Some((true, seen)) if device == self.device || Some(seen) > last_seen.int() => Ok(()),
            _ => self.run(LISTING, cells),
        }
    }

    fn contract(&mut self, number: i64, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let [key, condition, .., winner, ended_at] = cells else { return Err(DAMAGED) };
        let (listing, is_ours) = self
            .c
            .prepare_cached("SELECT id, hub IS NULL FROM exchange_event WHERE exchange = ? AND key = ?")?
            .query_row(params![EXCHANGE, key], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, bool>(1)?)))
            .optional()?
            .ok_or(DAMAGED)?;
        // Of a listing that was seen here last our contracts are the newer ones too; how one ended is news all the same.
        let here: Option<i64> = self
            .c
            .prepare_cached("SELECT id FROM exchange_market WHERE condition = ? AND hub IS NULL AND ?")?
            .query_row(params![condition, is_ours], |r| r.get(0))
            .optional()?;
        let market = match here {
            Some(market) => {
                self.c
                    .prepare_cached(
                        "UPDATE exchange_market SET winner = coalesce(winner, ?), ended_at = coalesce(ended_at, ?)
                         WHERE id = ?",
                    )?
                    .execute(params![winner, ended_at, market])?;
                market
            }
            None => {
                let listing = Cell::Int(listing);
                let all = std::iter::once(&listing).chain(cells.iter().skip(1));
                self.c.prepare_cached(CONTRACT)?.query_row(rusqlite::params_from_iter(all), |r| r.get(0))?
            }
        };
        self.c
            .prepare_cached("INSERT OR REPLACE INTO hub_exchange_market (market, hub) VALUES (?,?)")?
            .execute(params![market, number])?;
        self.contracts.insert(number, market);
        Ok(())
    }

    /// Rows of a contract, whose number stands at this place.
    fn of_contract(&mut self, sql: &str, place: usize, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let hub = cells.get(place).and_then(Cell::int).ok_or(DAMAGED)?;
        let market = match self.contracts.get(&hub) {
            Some(market) => *market,
            None => {
                let found = self
                    .c
                    .prepare_cached("SELECT market FROM hub_exchange_market WHERE hub = ?")?
                    .query_row([hub], |r| r.get(0))
                    .optional()?
                    .ok_or(StoreError::Damaged { what: "contract of the hub" })?;
                self.contracts.insert(hub, found);
                found
            }
        };
        let market = Cell::Int(market);
        let all = cells.iter().enumerate().map(|(at, cell)| if at == place { &market } else { cell });
        self.c.prepare_cached(sql)?.execute(rusqlite::params_from_iter(all))?;
        Ok(())
    }

    fn listing_of(&self, key: &Cell<'_>) -> Result<i64, StoreError> {
        let mut find = self.c.prepare_cached("SELECT id FROM exchange_event WHERE exchange = ? AND key = ?")?;
        find.query_row(params![EXCHANGE, key], |r| r.get(0)).optional()?.ok_or(DAMAGED)
    }

    fn event(&self, hub: Option<i64>) -> Option<u32> {
        self.ours.event(u32::try_from(hub?).ok()?)
    }

    fn reasons(&self, reasons: &Cell<'_>) -> String {
        renumber(reasons.text().unwrap_or("[]"), |hub| self.ours.event(hub))
    }

    /// A link is remembered as it came; it is made when its game is here.
    fn link(&self, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let [key, event, .., reasons, at] = cells else { return Err(DAMAGED) };
        let listing = self.listing_of(key)?;
        let here: Option<i64> = self
            .c
            .prepare_cached("SELECT at FROM exchange_link WHERE exchange_event = ? AND hub IS NULL")?
            .query_row([listing], |r| r.get(0))
            .optional()?;
        if here > at.int() {
            return Ok(());
        }
        let number = Cell::Int(listing);
        let all = std::iter::once(&number).chain(cells.iter().skip(1));
        self.c
            .prepare_cached(
                "INSERT OR REPLACE INTO hub_exchange_link
                 (exchange_event, event, home_first, state, how, confidence, reasons, at) VALUES (?,?,?,?,?,?,?,?)",
            )?
            .execute(rusqlite::params_from_iter(all))?;
        let ours = self.event(event.int());
        if ours.is_none() && event.int().is_some() {
            return Ok(());
        }
        self.make_link(listing, ours, &self.reasons(reasons))
    }

    fn make_link(&self, listing: i64, event: Option<u32>, reasons: &str) -> Result<(), StoreError> {
        self.c
            .prepare_cached(
                "INSERT OR REPLACE INTO exchange_link
                 (exchange_event, event, home_first, state, how, confidence, reasons, at, hub)
                 SELECT exchange_event, ?2, home_first, state, how, confidence, ?3, at, 1 FROM hub_exchange_link
                 WHERE exchange_event = ?1",
            )?
            .execute(params![listing, event, reasons])?;
        Ok(())
    }

    fn link_log(&self, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        let [_, key, at, event, state, how, reasons] = cells else { return Err(DAMAGED) };
        let ours = self.event(event.int());
        self.c
            .prepare_cached(
                "INSERT INTO exchange_link_log (at, exchange_event, event, state, how, reasons, hub)
                 VALUES (?,?,?,?,?,?,1)",
            )?
            .execute(params![at, self.listing_of(key)?, ours, state, how, self.reasons(reasons)])?;
        if let (None, Some(hub)) = (ours, event.int()) {
            self.c
                .prepare_cached("INSERT INTO hub_exchange_log (id, event) VALUES (?,?)")?
                .execute(params![self.c.last_insert_rowid(), hub])?;
        }
        Ok(())
    }

    /// Links whose game has come since.
    fn links_that_waited(&self) -> Result<(), StoreError> {
        let listings: Vec<i64> =
            self.c.prepare_cached(READY)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        for listing in listings {
            let (event, reasons): (Option<i64>, String) = self
                .c
                .prepare_cached("SELECT event, reasons FROM hub_exchange_link WHERE exchange_event = ?")?
                .query_row([listing], |r| Ok((r.get(0)?, r.get(1)?)))?;
            self.make_link(listing, self.event(event), &self.reasons(&Cell::Text(reasons.into())))?;
        }
        let log: Vec<(i64, i64)> = self
            .c
            .prepare_cached(READY_LOG)?
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (id, event) in log {
            self.c
                .prepare_cached("UPDATE exchange_link_log SET event = ? WHERE id = ?")?
                .execute(params![event, id])?;
            self.c.prepare_cached("DELETE FROM hub_exchange_log WHERE id = ?")?.execute([id])?;
        }
        Ok(())
    }
}
