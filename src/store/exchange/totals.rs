//! What is kept of an exchange, counted.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use crate::market::time::Timestamp;
use crate::store::{Reader, StoreError};

/// One sport of an exchange, counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExchangeTotals {
    /// Sport key.
    pub sport: String,
    /// Games that were listed.
    pub games: u64,
    /// Of those: linked to one of ours.
    pub linked: u64,
    /// Of those: waiting for a person.
    pub review: u64,
    /// Of those: said to be none by a person.
    pub refused: u64,
    /// Of those: without one of ours.
    pub none: u64,
    /// Contracts.
    pub contracts: u64,
    /// Order books as they changed.
    pub books: u64,
    /// The first and the last of them.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Trades.
    pub trades: u64,
    /// Contracts whose past was asked for.
    pub filled: u64,
    /// Middles of the past.
    pub points: u64,
}

impl Reader {
    /// What is kept of an exchange, by sport.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exchange_totals(&self, exchange: &str) -> Result<Vec<ExchangeTotals>, StoreError> {
        let tx = self.connection.unchecked_transaction()?;
        let mut by_sport: BTreeMap<String, ExchangeTotals> = BTreeMap::new();
        let mut select = tx.prepare_cached(
            "SELECT e.sport, count(*), sum(coalesce(l.state, 'none') = 'linked'), sum(coalesce(l.state, 'none') = 'review'),
             sum(coalesce(l.state, 'none') = 'refused'), sum(coalesce(l.state, 'none') = 'none')
             FROM exchange_event AS e LEFT JOIN exchange_link AS l ON l.exchange_event = e.id
             WHERE exchange = ? GROUP BY e.sport",
        )?;
        let mut rows = select.query([exchange])?;
        while let Some(r) = rows.next()? {
            let sport: String = r.get(0)?;
            let row = by_sport.entry(sport.clone()).or_default();
            row.sport = sport;
            (row.games, row.linked, row.review) = (count(r, 1)?, count(r, 2)?, count(r, 3)?);
            (row.refused, row.none) = (count(r, 4)?, count(r, 5)?);
        }
        // Rows that belong to a contract, counted by the sport of its game.
        let counted = |table: &str, extra: &str| {
            format!(
                "SELECT e.sport, count(*), {extra} FROM {table} AS t
                 JOIN exchange_market AS m ON m.id = t.{} JOIN exchange_event AS e ON e.id = m.event
                 WHERE e.exchange = ? GROUP BY e.sport",
                if table == "exchange_market" { "id" } else { "market" }
            )
        };
        for (table, extra) in [
            ("exchange_market", "NULL, NULL"),
            ("exchange_book", "min(t.at), max(t.at)"),
            ("exchange_trade", "NULL, NULL"),
            ("exchange_backfill", "NULL, NULL"),
            ("exchange_price", "NULL, NULL"),
        ] {
            let mut select = tx.prepare_cached(&counted(table, extra))?;
            let mut rows = select.query(params![exchange])?;
            while let Some(r) = rows.next()? {
                let Some(row) = by_sport.get_mut(&r.get::<_, String>(0)?) else { continue };
                let n = count(r, 1)?;
                match table {
                    "exchange_market" => row.contracts = n,
                    "exchange_book" => {
                        row.books = n;
                        let (first, last): (Option<i64>, Option<i64>) = (r.get(2)?, r.get(3)?);
                        row.span = first.zip(last).map(|(a, b)| (Timestamp::from_millis(a), Timestamp::from_millis(b)));
                    }
                    "exchange_trade" => row.trades = n,
                    "exchange_backfill" => row.filled = n,
                    _ => row.points = n,
                }
            }
        }
        Ok(by_sport.into_values().collect())
    }

    /// When the newest look was received; the clock of a simulated market may run ahead of the one on the wall.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_look(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT received_at FROM look ORDER BY id DESC LIMIT 1")?;
        let mut rows = select.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Timestamp::from_millis(row.get(0)?)))
    }
}

fn count(r: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(r.get::<_, i64>(at)?.unsigned_abs())
}
