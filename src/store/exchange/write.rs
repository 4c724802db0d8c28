//! Writing, by the one writer.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{BookRow, ContractRow, DepthLevel, GapRow, Link, ListingRow, PricePoint, TradeRow};
use crate::market::time::Timestamp;
use crate::store::{Store, StoreError};

/// A listing with its contracts, as an exchange has just told them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NewListing {
    /// The game; its number is not looked at.
    pub listing: ListingRow,
    /// Its contracts; their numbers are not looked at.
    pub contracts: Vec<ContractRow>,
}

/// What was heard since the last time, to be kept together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExchangeRows {
    /// Order books that changed.
    pub books: Vec<BookRow>,
    /// Contracts whose books were known to be current at an instant.
    pub seen: Vec<(i64, Timestamp)>,
    /// Trades.
    pub trades: Vec<TradeRow>,
    /// Times in which nothing was heard.
    pub gaps: Vec<GapRow>,
    /// Contracts that ended: who won, and when.
    pub ended: Vec<(i64, Option<String>, Timestamp)>,
    /// Links that were made, changed or undone.
    pub links: Vec<Link>,
}

impl ExchangeRows {
    /// Nothing is to be kept.
    pub fn is_empty(&self) -> bool {
        self.books.is_empty()
            && self.seen.is_empty()
            && self.trades.is_empty()
            && self.gaps.is_empty()
            && self.ended.is_empty()
            && self.links.is_empty()
    }
}

impl Store {
    /// Keeps listings and their contracts: what is known of them is brought up to date, links are not touched. Answers
    /// their numbers, each with those of its contracts, in the order given.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is kept then.
    pub fn keep_listings(
        &mut self,
        exchange: &str,
        listings: &[NewListing],
        at: Timestamp,
    ) -> Result<Vec<(i64, Vec<i64>)>, StoreError> {
        let tx = self.connection.transaction()?;
        let mut numbers = Vec::with_capacity(listings.len());
        for new in listings {
            let event = keep_listing(&tx, exchange, &new.listing, at)?;
            let contracts: Result<Vec<i64>, _> = new.contracts.iter().map(|c| keep_contract(&tx, event, c)).collect();
            numbers.push((event, contracts?));
        }
        tx.commit()?;
        Ok(numbers)
    }

    /// Keeps what was heard.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is kept then.
    pub fn keep_exchange(&mut self, rows: &ExchangeRows) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let tx = self.connection.transaction()?;
        rows.books.iter().try_for_each(|row| keep_book(&tx, row))?;
        for (market, at) in &rows.seen {
            tx.prepare_cached("INSERT OR REPLACE INTO exchange_seen (market, at) VALUES (?,?)")?
                .execute(params![market, at.millis()])?;
        }
        for t in &rows.trades {
            tx.prepare_cached(
                "INSERT INTO exchange_trade (market, at, first, side, price, size) VALUES (?,?,?,?,?,?)",
            )?
            .execute(params![t.market, t.at.millis(), t.first, t.side, t.price, size(t.size)])?;
        }
        for g in &rows.gaps {
            tx.prepare_cached("INSERT INTO exchange_gap (since, until, why, markets) VALUES (?,?,?,?)")?
                .execute(params![g.since.millis(), g.until.millis(), g.why, g.markets])?;
        }
        for (market, winner, at) in &rows.ended {
            tx.prepare_cached(
                "UPDATE exchange_market SET winner = coalesce(?, winner), ended_at = ?, hub = NULL WHERE id = ?",
            )?
            .execute(params![winner, at.millis(), market])?;
        }
        rows.links.iter().try_for_each(|link| keep_link(&tx, link))?;
        tx.commit()?;
        Ok(())
    }

    /// Keeps middles of the past, those that are known already untouched, and up to where they were asked for. Answers
    /// how many are new.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is kept then.
    pub fn keep_prices(
        &mut self,
        market: i64,
        (since, until): (Timestamp, Timestamp),
        points: &[PricePoint],
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let tx = self.connection.transaction()?;
        let mut new = 0;
        for point in points {
            let millionths = (point.price * 1e6).round() as i64;
            new += tx
                .prepare_cached("INSERT OR IGNORE INTO exchange_price (market, at, price) VALUES (?,?,?)")?
                .execute(params![market, point.at.millis(), millionths])? as u64;
        }
        tx.prepare_cached(
            "INSERT INTO exchange_backfill (market, since, until, done_at, points) VALUES (?,?,?,?,?)
             ON CONFLICT DO UPDATE SET since = min(since, excluded.since), until = max(until, excluded.until),
             done_at = excluded.done_at, points = points + excluded.points, hub = NULL",
        )?
        .execute(params![market, since.millis(), until.millis(), at.millis(), new as i64])?;
        tx.commit()?;
        Ok(new)
    }
}

fn keep_listing(c: &Connection, exchange: &str, l: &ListingRow, at: Timestamp) -> Result<i64, StoreError> {
    let [first, other] = match &l.teams {
        Some([first, other]) => [Some(first), Some(other)],
        None => [None, None],
    };
    Ok(c.prepare_cached(
        "INSERT INTO exchange_event
         (exchange, key, slug, title, sport, date, starts, first_team, other_team, is_over, volume, first_seen, last_seen)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?12)
         ON CONFLICT (exchange, key) DO UPDATE SET slug = excluded.slug, title = excluded.title, sport = excluded.sport,
         date = excluded.date, starts = coalesce(excluded.starts, starts),
         first_team = coalesce(excluded.first_team, first_team), other_team = coalesce(excluded.other_team, other_team),
         is_over = excluded.is_over, volume = coalesce(excluded.volume, volume), last_seen = excluded.last_seen,
         hub = NULL
         RETURNING id",
    )?
    .query_row(
        params![
            exchange,
            l.key,
            l.slug,
            l.title,
            l.sport,
            l.date,
            l.starts.map(Timestamp::millis),
            first,
            other,
            l.over,
            l.volume,
            at.millis()
        ],
        |r| r.get(0),
    )?)
}

fn keep_contract(c: &Connection, event: i64, m: &ContractRow) -> Result<i64, StoreError> {
    let ([first_outcome, other_outcome], [first_token, other_token]) = (&m.outcomes, &m.tokens);
    Ok(c.prepare_cached(
        "INSERT INTO exchange_market
         (event, condition, slug, question, kind, about, line, first_outcome, other_outcome, first_token, other_token,
          fee_rate, settlement, why_not, winner, ended_at)
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
         ON CONFLICT (condition) DO UPDATE SET event = excluded.event, slug = excluded.slug,
         question = excluded.question, kind = excluded.kind, about = excluded.about, line = excluded.line,
         first_outcome = excluded.first_outcome, other_outcome = excluded.other_outcome,
         first_token = excluded.first_token, other_token = excluded.other_token,
         fee_rate = coalesce(excluded.fee_rate, fee_rate), settlement = excluded.settlement,
         why_not = excluded.why_not, winner = coalesce(excluded.winner, winner),
         ended_at = coalesce(excluded.ended_at, ended_at), hub = NULL
         RETURNING id",
    )?
    .query_row(
        params![
            event,
            m.condition,
            m.slug,
            m.question,
            m.kind,
            m.about,
            m.line.map(|l| l.hundredths()),
            first_outcome,
            other_outcome,
            first_token,
            other_token,
            m.fee_rate,
            m.settlement,
            m.why_not,
            m.winner,
            m.ended_at.map(Timestamp::millis)
        ],
        |r| r.get(0),
    )?)
}

fn keep_book(c: &Connection, row: &BookRow) -> rusqlite::Result<()> {
    let (bid, ask, [bid_near, ask_near]) = (row.bid(), row.ask(), row.near);
    c.prepare_cached(
        "INSERT OR REPLACE INTO exchange_book
         (market, at, changed_at, state, bid, ask, bid_size, ask_size, bid_near, ask_near, middle, levels)
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        row.market,
        row.at.millis(),
        row.changed_at.map(Timestamp::millis),
        row.state.number(),
        bid.map(|l| l.price),
        ask.map(|l| l.price),
        size(bid.map(|l| l.size)),
        size(ask.map(|l| l.size)),
        size(bid_near),
        size(ask_near),
        row.middle.map(|m| (m * 1e6).round() as i64),
        pack(&row.bids, &row.asks)
    ])?;
    Ok(())
}

fn keep_link(c: &Connection, link: &Link) -> rusqlite::Result<()> {
    let before: Option<(Option<i64>, String)> = c
        .prepare_cached("SELECT event, state FROM exchange_link WHERE exchange_event = ?")?
        .query_row([link.listing], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let event = link.event.map(|e| i64::from(e.0));
    c.prepare_cached(
        "INSERT OR REPLACE INTO exchange_link (exchange_event, event, home_first, state, how, confidence, reasons, at)
         VALUES (?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        link.listing,
        event,
        link.home_first,
        link.state.name(),
        link.how.name(),
        link.confidence,
        link.reasons,
        link.at.millis()
    ])?;
    // What was looked at again and stayed as it was is no event.
    if before != Some((event, link.state.name().to_owned())) {
        c.prepare_cached(
            "INSERT INTO exchange_link_log (at, exchange_event, event, state, how, reasons) VALUES (?,?,?,?,?,?)",
        )?
        .execute(params![
            link.at.millis(),
            link.listing,
            event,
            link.state.name(),
            link.how.name(),
            link.reasons
        ])?;
    }
    Ok(())
}

fn size(micros: Option<u64>) -> Option<i64> {
    micros.map(|m| i64::try_from(m).unwrap_or(i64::MAX))
}

fn pack(bids: &[DepthLevel], asks: &[DepthLevel]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + 10 * (bids.len() + asks.len()));
    out.push(u8::try_from(bids.len()).unwrap_or(u8::MAX));
    for level in bids.iter().take(usize::from(u8::MAX)).chain(asks) {
        out.extend_from_slice(&level.price.to_le_bytes());
        out.extend_from_slice(&level.size.to_le_bytes());
    }
    out
}

/// Undoes [`pack`]; `None` for bytes that it never gives.
pub(super) fn unpack(bytes: &[u8]) -> Option<(Vec<DepthLevel>, Vec<DepthLevel>)> {
    let (count, rest) = bytes.split_first()?;
    let mut levels = rest.chunks_exact(10).map(|chunk| {
        let (price, size) = chunk.split_at_checked(2)?;
        Some(DepthLevel {
            price: u16::from_le_bytes(price.try_into().ok()?),
            size: u64::from_le_bytes(size.try_into().ok()?),
        })
    });
    let bids: Option<Vec<_>> = levels.by_ref().take(usize::from(*count)).collect();
    let asks: Option<Vec<_>> = levels.collect();
    Some((bids?, asks?))
}

/// Forgets books, trades and gaps older than `before`, but for the newest of each (of books: of each contract); at most `most`
/// rows of each. Answers how many went.
pub(in crate::store) fn forget(c: &Connection, before: Timestamp, most: i64) -> rusqlite::Result<usize> {
    let mut gone = c
        .prepare_cached(
            "DELETE FROM exchange_book WHERE (market, at) IN (
                 SELECT market, at FROM exchange_book AS old WHERE at < ?1
                 AND EXISTS (SELECT 1 FROM exchange_book WHERE market = old.market AND at > old.at) LIMIT ?2)",
        )?
        .execute(params![before.millis(), most])?;
    // The newest row stays: a number that was given is never given again, as a hub knows rows by theirs.
    for sql in [
        "DELETE FROM exchange_trade WHERE id IN (SELECT id FROM exchange_trade WHERE at < ?1
             AND id < (SELECT max(id) FROM exchange_trade) LIMIT ?2)",
        "DELETE FROM exchange_gap WHERE id IN (SELECT id FROM exchange_gap WHERE until < ?1
             AND id < (SELECT max(id) FROM exchange_gap) LIMIT ?2)",
    ] {
        gone += c.prepare_cached(sql)?.execute(params![before.millis(), most])?;
    }
    Ok(gone)
}
