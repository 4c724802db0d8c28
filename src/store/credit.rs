//! The ledger as it is kept, and the games that planning looks at.

use rusqlite::{Connection, Row, params};

use super::write::none_if_no_rows;
use super::{Reader, Store, StoreError, codec};
use crate::engine::changes::EventStatus;
use crate::engine::standing::{Known, Standing};
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// A line of the ledger: what one call, or a day's calls for one purpose, cost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CreditRow {
    /// Fingerprint of the key.
    pub key: String,
    /// Month of the account, counted since the year 0.
    pub month: i64,
    /// Day of the desk, counted since 1970.
    pub day: i64,
    /// What for.
    pub purpose: String,
    /// Calls.
    pub calls: u64,
    /// Credits.
    pub credits: u64,
}

/// What the source says of an account. Credits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccountRow {
    /// Fingerprint of the key.
    pub key: String,
    /// Month of the account, counted since the year 0.
    pub month: i64,
    /// Left.
    pub remaining: Option<u64>,
    /// Used in the month.
    pub used: Option<u64>,
    /// Both together.
    pub limit: Option<u64>,
    /// When it told so.
    pub told_at: Option<Timestamp>,
    /// Spent by somebody else in the month.
    pub elsewhere: u64,
}

/// What a call cost and what the account is after it, to be kept together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Billing {
    /// To be added.
    pub credit: CreditRow,
    /// To take the place of the one before.
    pub account: AccountRow,
}

/// A game, as planning needs to know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GameRow {
    /// Which.
    pub event: EventId,
    /// Its id at the source.
    pub provider_id: Box<str>,
    /// Home team.
    pub home: Box<str>,
    /// Away team.
    pub away: Box<str>,
    /// Its start, as it is scheduled now.
    pub start: Timestamp,
    /// How far it is.
    pub status: EventStatus,
    /// How it stands at the instant that was asked about.
    pub standing: Standing,
}

/// When a sport was asked about last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LastAsked {
    /// Its odds.
    pub odds: Option<Timestamp>,
    /// Its list of games.
    pub listing: Option<Timestamp>,
    /// Its scores.
    pub scores: Option<Timestamp>,
}

pub(super) fn bill(c: &Connection, billing: &Billing) -> rusqlite::Result<()> {
    let credit = &billing.credit;
    c.prepare_cached(
        "INSERT INTO credit (key, month, day, purpose, calls, credits) VALUES (?,?,?,?,?,?)
         ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, credits = credits + excluded.credits",
    )?
    .execute(params![
        credit.key,
        credit.month,
        credit.day,
        credit.purpose,
        credit.calls as i64,
        credit.credits as i64
    ])?;
    keep_account(c, &billing.account)
}

pub(super) fn keep_account(c: &Connection, account: &AccountRow) -> rusqlite::Result<()> {
    let number = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok());
    c.prepare_cached(
        "INSERT OR REPLACE INTO account (key, month, remaining, used, held, told_at, elsewhere) VALUES (?,?,?,?,?,?,?)",
    )?
    .execute(params![
        account.key,
        account.month,
        number(account.remaining),
        number(account.used),
        number(account.limit),
        account.told_at.map(Timestamp::millis),
        account.elsewhere as i64
    ])?;
    Ok(())
}

pub(super) fn note_tier(c: &Connection, look: i64, tier: &str) -> rusqlite::Result<()> {
    c.prepare_cached("UPDATE look SET tier = ? WHERE id = ?")?.execute(params![tier, look])?;
    Ok(())
}

impl Reader {
    /// Accounts, by key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT key, month, remaining, used, held, told_at, elsewhere FROM account ORDER BY key")?;
        let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
        let rows = select.query_map([], |r| {
            Ok(AccountRow {
                key: r.get(0)?,
                month: r.get(1)?,
                remaining: number(r.get(2)?),
                used: number(r.get(3)?),
                limit: number(r.get(4)?),
                told_at: r.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
                elsewhere: number(r.get(6)?).unwrap_or(0),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The ledger from a month on, by key, month, day and purpose.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credits(&self, from_month: i64) -> Result<Vec<CreditRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT key, month, day, purpose, calls, credits FROM credit WHERE month >= ?
             ORDER BY key, month, day, purpose",
        )?;
        let rows = select.query_map([from_month], |r| {
            Ok(CreditRow {
                key: r.get(0)?,
                month: r.get(1)?,
                day: r.get(2)?,
                purpose: r.get(3)?,
                calls: u64::try_from(r.get::<_, i64>(4)?).unwrap_or(0),
                credits: u64::try_from(r.get::<_, i64>(5)?).unwrap_or(0),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Games of a sport that start between two instants, by start and number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn games(
        &self,
        sport: &str,
        between: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Vec<GameRow>, StoreError> {
        games(&self.connection, sport, between, now)
    }

    /// How a game stands at `now`; `None`: there is no such game.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn standing(&self, event: EventId, now: Timestamp) -> Result<Option<Standing>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("SELECT {KNOWN} FROM event WHERE id = ?"))?;
        let known = select.query_row([event.0], |r| known(r, 0));
        Ok(known.map(Some).or_else(none_if_no_rows)?.map(|known| Standing::of(&known, now)))
    }

    /// When a source was asked last about a sport, with an answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_asked(&self, source: &str, sport: &str) -> Result<LastAsked, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT received_at FROM look WHERE source = (SELECT number FROM name WHERE kind = 5 AND name = ?)
             AND sport = (SELECT number FROM name WHERE kind = 1 AND name = ?) AND endpoint = ?
             ORDER BY received_at DESC, id DESC LIMIT 1",
        )?;
        let mut last = |endpoint: &str| -> Result<Option<Timestamp>, StoreError> {
            let found = select.query_row(params![source, sport, endpoint], |r| codec::time(r, 0));
            Ok(found.map(Some).or_else(none_if_no_rows)?)
        };
        Ok(LastAsked { odds: last("odds")?, listing: last("events")?, scores: last("scores")? })
    }
}

impl Store {
    /// See [`Reader::games`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn games(
        &self,
        sport: &str,
        between: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Vec<GameRow>, StoreError> {
        games(&self.connection, sport, between, now)
    }
}

/// Columns of [`Known`]. A game whose every quote waits for it to be listed again (status 4) is missing since the last of
/// them was seen.
const KNOWN: &str = "status, commence,
    coalesce((SELECT commence FROM event_start s WHERE s.event = event.id ORDER BY look LIMIT 1), commence),
    CASE WHEN status = 0 AND NOT EXISTS (SELECT 1 FROM quote q WHERE q.event = event.id AND (q.status & 15) <> 4)
         THEN (SELECT max(last_seen) FROM quote q WHERE q.event = event.id) END";

fn known(r: &Row<'_>, from: usize) -> rusqlite::Result<Known> {
    Ok(Known {
        status: EventStatus::from_number(r.get(from)?),
        start: codec::time(r, from + 1)?,
        first_start: codec::time(r, from + 2)?,
        missing_since: r.get::<_, Option<i64>>(from + 3)?.map(Timestamp::from_millis),
    })
}

fn games(
    c: &Connection,
    sport: &str,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<GameRow>, StoreError> {
    let mut select = c.prepare_cached(&format!(
        "SELECT id, provider_id, home, away, {KNOWN} FROM event
         WHERE sport = (SELECT number FROM name WHERE kind = 1 AND name = ?) AND commence BETWEEN ? AND ?
         ORDER BY commence, id"
    ))?;
    let rows = select.query_map(params![sport, from.millis(), until.millis()], |r| {
        let known = known(r, 4)?;
        Ok(GameRow {
            event: EventId(r.get(0)?),
            provider_id: r.get::<_, String>(1)?.into(),
            home: r.get::<_, String>(2)?.into(),
            away: r.get::<_, String>(3)?.into(),
            start: known.start,
            status: known.status,
            standing: Standing::of(&known, now),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::FetchRecord;
    use crate::store::cycle::CycleRecord;

    #[test]
    fn the_ledger_adds_up_and_the_account_is_the_newest() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("stratum.db");
        let mut store = Store::open(&path).expect("store");
        let billing = |credits: u64, remaining: u64| Billing {
            credit: CreditRow {
                key: "abcd0123".into(),
                month: 24_322,
                day: 20_778,
                purpose: "live".into(),
                calls: 1,
                credits,
            },
            account: AccountRow {
                key: "abcd0123".into(),
                month: 24_322,
                remaining: Some(remaining),
                used: Some(500 - remaining),
                limit: Some(500),
                told_at: Some(Timestamp::from_secs(1_800_000_000)),
                elsewhere: 0,
            },
        };
        for (credits, remaining) in [(3, 497), (1, 496)] {
            let fetch = FetchRecord { billing: Some(billing(credits, remaining)), ..FetchRecord::default() };
            store.log_cycle(&fetch, &CycleRecord::default()).expect("logged");
        }
        store.log_cycle(&FetchRecord::default(), &CycleRecord::default()).expect("nothing billed");
        let reader = Reader::open(&path).expect("reader");
        let kept = reader.credits(24_322).expect("ledger");
        assert_eq!(kept, [CreditRow { calls: 2, credits: 4, ..billing(0, 0).credit }]);
        assert_eq!(reader.credits(24_323).expect("ledger"), []);
        assert_eq!(reader.accounts().expect("accounts"), [billing(0, 496).account]);
        let unknown = reader.last_asked("the-odds-api", "basketball_nba").expect("asked");
        assert_eq!(unknown, LastAsked::default());
    }
}
