//! Reading, by anybody.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};

use super::rows::{
    BookRow, BookState, ContractRow, GapRow, Link, LinkHow, LinkState, ListingRow, PricePoint, TradeRow,
};
use super::write::unpack;
use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::time::Timestamp;
use crate::store::{Reader, StoreError};

/// A listing with all that belongs to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExchangeGame {
    /// The game.
    pub listing: ListingRow,
    /// Which of ours it is; `None`: nobody has looked yet.
    pub link: Option<Link>,
    /// Its contracts, moneyline first, then by kind and line.
    pub markets: Vec<MarketNow>,
}

/// A contract and how it stands.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MarketNow {
    /// The contract.
    pub contract: ContractRow,
    /// Its newest book.
    pub book: Option<BookRow>,
    /// When that was last known to be current.
    pub seen: Option<Timestamp>,
}

/// A link that was made or undone.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkLog {
    /// When.
    pub at: Timestamp,
    /// Name of the listing.
    pub slug: String,
    /// Our game.
    pub event: Option<EventId>,
    /// What it became.
    pub state: LinkState,
    /// By whom.
    pub how: LinkHow,
    /// Why.
    pub reasons: String,
}

const LISTING: &str = "e.id, e.key, e.slug, e.title, e.sport, e.date, e.starts, e.first_team, e.other_team, e.is_over,
     e.volume, e.first_seen, e.last_seen";
const LINK: &str = "l.exchange_event, l.event, l.home_first, l.state, l.how, l.confidence, l.reasons, l.at";
const CONTRACT: &str = "id, event, condition, slug, question, kind, about, line, first_outcome, other_outcome,
     first_token, other_token, fee_rate, settlement, why_not, winner, ended_at";
const BOOK: &str = "market, at, changed_at, state, bid_near, ask_near, middle, levels";

impl Reader {
    /// The games of an exchange that start between two instants (or tell no start and were listed since the first), with
    /// their links, contracts and newest books, by start and name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_games(
        &self,
        exchange: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ExchangeGame>, StoreError> {
        let tx = self.connection.unchecked_transaction()?;
        let mut select = tx.prepare_cached(&format!(
            "SELECT {LISTING}, {LINK} FROM exchange_event AS e LEFT JOIN exchange_link AS l ON l.exchange_event = e.id
             WHERE exchange = ?1 AND ((starts >= ?2 AND starts <= ?3) OR (starts IS NULL AND last_seen >= ?2))
             ORDER BY starts IS NULL, starts, slug"
        ))?;
        let rows = select.query_map(params![exchange, from.millis(), to.millis()], |r| {
            Ok(ExchangeGame { listing: listing(r)?, link: link(r, 13)?, markets: Vec::new() })
        })?;
        let mut games: Vec<ExchangeGame> = rows.collect::<Result<_, _>>()?;
        for game in &mut games {
            game.markets = self.exchange_markets(game.listing.id)?;
        }
        Ok(games)
    }

    /// The listings that share a name in addresses, the one that was seen last first: each with the exchange's own number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_namesakes(&self, exchange: &str, slug: &str) -> Result<Vec<ListingRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {LISTING} FROM exchange_event AS e WHERE exchange = ? AND slug = ? ORDER BY last_seen DESC, e.id DESC"
        ))?;
        let rows = select.query_map(params![exchange, slug], listing)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One game of an exchange by its name in addresses, of several with the same name the one that was seen last; or by
    /// the exchange's own number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_game(&self, exchange: &str, name: &str) -> Result<Option<ExchangeGame>, StoreError> {
        let found = self
            .connection
            .prepare_cached(&format!(
                "SELECT {LISTING}, {LINK} FROM exchange_event AS e
                 LEFT JOIN exchange_link AS l ON l.exchange_event = e.id WHERE exchange = ?1 AND (slug = ?2 OR key = ?2)
                 ORDER BY last_seen DESC, e.id DESC LIMIT 1"
            ))?
            .query_row(params![exchange, name], |r| {
                Ok(ExchangeGame { listing: listing(r)?, link: link(r, 13)?, markets: Vec::new() })
            })
            .optional()?;
        let Some(mut game) = found else { return Ok(None) };
        game.markets = self.exchange_markets(game.listing.id)?;
        Ok(Some(game))
    }

    /// The listing that is linked to one of our games.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_game_of(&self, exchange: &str, event: EventId) -> Result<Option<ExchangeGame>, StoreError> {
        let key: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT e.key FROM exchange_link AS l JOIN exchange_event AS e ON e.id = l.exchange_event
                 WHERE l.event = ? AND l.state = 'linked' AND e.exchange = ? ORDER BY l.at DESC, e.id LIMIT 1",
            )?
            .query_row(params![event.0, exchange], |r| r.get(0))
            .optional()?;
        key.map_or(Ok(None), |key| self.exchange_game(exchange, &key))
    }

    fn exchange_markets(&self, event: i64) -> Result<Vec<MarketNow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {CONTRACT} FROM exchange_market WHERE event = ?
             ORDER BY CASE kind WHEN 'moneyline' THEN 0 WHEN 'three_way_leg' THEN 1 WHEN 'spread' THEN 2
             WHEN 'total' THEN 3 ELSE 4 END, line, slug"
        ))?;
        let contracts: Vec<ContractRow> = select.query_map([event], contract)?.collect::<Result<_, _>>()?;
        let mut markets = Vec::with_capacity(contracts.len());
        for contract in contracts {
            let newest = self
                .connection
                .prepare_cached(&format!("SELECT {BOOK} FROM exchange_book WHERE market = ? ORDER BY at DESC LIMIT 1"))?
                .query_row([contract.id], book)
                .optional()?;
            let seen = self
                .connection
                .prepare_cached("SELECT at FROM exchange_seen WHERE market = ?")?
                .query_row([contract.id], |r| r.get(0).map(Timestamp::from_millis))
                .optional()?;
            markets.push(MarketNow { contract, book: newest, seen });
        }
        Ok(markets)
    }

    /// The books of a contract from the one that held at `from` to `to`, oldest first; at most `most`, the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_books(
        &self,
        market: i64,
        from: Timestamp,
        to: Timestamp,
        most: u32,
    ) -> Result<Vec<BookRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {BOOK} FROM exchange_book WHERE market = ?1 AND at <= ?3
             AND at >= coalesce((SELECT max(at) FROM exchange_book WHERE market = ?1 AND at <= ?2), ?2)
             ORDER BY at DESC LIMIT ?4"
        ))?;
        let mut rows: Vec<BookRow> =
            select.query_map(params![market, from.millis(), to.millis(), most], book)?.collect::<Result<_, _>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// The newest trades of a contract up to `to`, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_trades(&self, market: i64, to: Timestamp, most: u32) -> Result<Vec<TradeRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT market, at, first, side, price, size FROM exchange_trade WHERE market = ? AND at <= ?
             ORDER BY at DESC, id DESC LIMIT ?",
        )?;
        let rows = select.query_map(params![market, to.millis(), most], |r| {
            Ok(TradeRow {
                market: r.get(0)?,
                at: Timestamp::from_millis(r.get(1)?),
                first: r.get(2)?,
                side: r.get(3)?,
                price: r.get(4)?,
                size: micros(r, 5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Times in which nothing was heard that touch a span, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_gaps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<GapRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT since, until, why, markets FROM exchange_gap WHERE until >= ? AND since <= ? ORDER BY since, id",
        )?;
        let rows = select.query_map(params![from.millis(), to.millis()], |r| {
            Ok(GapRow {
                since: Timestamp::from_millis(r.get(0)?),
                until: Timestamp::from_millis(r.get(1)?),
                why: r.get(2)?,
                markets: r.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Middles of the past of a contract, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_prices(&self, market: i64, from: Timestamp, to: Timestamp) -> Result<Vec<PricePoint>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT at, price FROM exchange_price WHERE market = ? AND at BETWEEN ? AND ? ORDER BY at",
        )?;
        let rows = select.query_map(params![market, from.millis(), to.millis()], |r| {
            Ok(PricePoint { at: Timestamp::from_millis(r.get(0)?), price: r.get::<_, i64>(1)? as f64 / 1e6 })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// From when to when the past of a contract was asked for, when that was, and how many middles it brought.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_backfill(&self, market: i64) -> Result<Option<(Timestamp, Timestamp, Timestamp, u64)>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT since, until, done_at, points FROM exchange_backfill WHERE market = ?")?
            .query_row([market], |r| {
                let at = |i| r.get(i).map(Timestamp::from_millis);
                Ok((at(0)?, at(1)?, at(2)?, r.get::<_, i64>(3)?.unsigned_abs()))
            })
            .optional()?)
    }

    /// Links that were made or undone, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_link_log(&self, most: u32) -> Result<Vec<LinkLog>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT g.at, e.slug, g.event, g.state, g.how, g.reasons FROM exchange_link_log AS g
             JOIN exchange_event AS e ON e.id = g.exchange_event ORDER BY g.id DESC LIMIT ?",
        )?;
        let rows = select.query_map([most], |r| {
            Ok(LinkLog {
                at: Timestamp::from_millis(r.get(0)?),
                slug: r.get(1)?,
                event: r.get::<_, Option<u32>>(2)?.map(EventId),
                state: LinkState::from_name(&r.get::<_, String>(3)?),
                how: LinkHow::from_name(&r.get::<_, String>(4)?),
                reasons: r.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn listing(r: &Row<'_>) -> rusqlite::Result<ListingRow> {
    let (first, other): (Option<String>, Option<String>) = (r.get(7)?, r.get(8)?);
    Ok(ListingRow {
        id: r.get(0)?,
        key: r.get(1)?,
        slug: r.get(2)?,
        title: r.get(3)?,
        sport: r.get(4)?,
        date: r.get(5)?,
        starts: r.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        teams: first.zip(other).map(|(first, other)| [first, other]),
        over: r.get(9)?,
        volume: r.get(10)?,
        seen: (Timestamp::from_millis(r.get(11)?), Timestamp::from_millis(r.get(12)?)),
    })
}

fn link(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<Link>> {
    let Some(listing) = r.get::<_, Option<i64>>(at)? else { return Ok(None) };
    Ok(Some(Link {
        listing,
        event: r.get::<_, Option<u32>>(at + 1)?.map(EventId),
        home_first: r.get(at + 2)?,
        state: LinkState::from_name(&r.get::<_, String>(at + 3)?),
        how: LinkHow::from_name(&r.get::<_, String>(at + 4)?),
        confidence: r.get(at + 5)?,
        reasons: r.get(at + 6)?,
        at: Timestamp::from_millis(r.get(at + 7)?),
    }))
}

fn contract(r: &Row<'_>) -> rusqlite::Result<ContractRow> {
    Ok(ContractRow {
        id: r.get(0)?,
        event: r.get(1)?,
        condition: r.get(2)?,
        slug: r.get(3)?,
        question: r.get(4)?,
        kind: r.get(5)?,
        about: r.get(6)?,
        line: r.get::<_, Option<i32>>(7)?.map(Line::from_hundredths),
        outcomes: [r.get(8)?, r.get(9)?],
        tokens: [r.get(10)?, r.get(11)?],
        fee_rate: r.get(12)?,
        settlement: r.get(13)?,
        why_not: r.get(14)?,
        winner: r.get(15)?,
        ended_at: r.get::<_, Option<i64>>(16)?.map(Timestamp::from_millis),
    })
}

fn micros(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<u64>> {
    Ok(r.get::<_, Option<i64>>(at)?.and_then(|n| u64::try_from(n).ok()))
}

fn book(r: &Row<'_>) -> rusqlite::Result<BookRow> {
    let levels: Vec<u8> = r.get(7)?;
    let damaged = || rusqlite::Error::FromSqlConversionFailure(7, Type::Blob, "levels cannot be read".into());
    let (bids, asks) = unpack(&levels).ok_or_else(damaged)?;
    Ok(BookRow {
        market: r.get(0)?,
        at: Timestamp::from_millis(r.get(1)?),
        changed_at: r.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
        state: BookState::from_number(r.get(3)?),
        near: [micros(r, 4)?, micros(r, 5)?],
        middle: r.get::<_, Option<i64>>(6)?.map(|m| m as f64 / 1e6),
        bids,
        asks,
    })
}
