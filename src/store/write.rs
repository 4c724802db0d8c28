//! Writing: one look, one transaction.

use rusqlite::{Connection, TransactionBehavior, params};

use super::write_analysis::write_analysis;
use super::{Store, StoreError, codec};
use crate::engine::changes::{Changes, QuoteChange};
use crate::engine::status::status_code;
use crate::market::batch::Scope;
use crate::market::ids::{LookId, SportId};
use crate::market::time::Timestamp;

/// The write-ahead log is moved into the file once it is this long. Bytes.
const CHECKPOINT_AT: i64 = 16 * 1024 * 1024;

/// What is known of a look besides its changes.
#[derive(Clone, Debug, Default)]
pub struct LookMeta {
    /// What was asked for.
    pub scope: Scope,
    /// Where it came from: a recording's name, or the purpose of a live call.
    pub origin: Option<String>,
    /// Credits that it cost, as billed.
    pub cost: Option<i64>,
    /// Credits left afterwards.
    pub remaining: Option<i64>,
    /// Of the answer's bytes: see [`super::raw::body_hash`].
    pub body_hash: [u8; 16],
}

/// One attempt to fetch, for the log.
#[derive(Clone, Debug, Default)]
pub struct FetchRecord {
    /// When it ended.
    pub at: Timestamp,
    /// Who was asked.
    pub source: String,
    /// Which question.
    pub endpoint: String,
    /// Sport key; may be empty.
    pub sport: String,
    /// What for.
    pub purpose: String,
    /// `data`, `no_events` or `unavailable`.
    pub outcome: String,
    /// Why unavailable.
    pub reason: Option<String>,
    /// HTTP status of the last attempt.
    pub http: Option<u16>,
    /// Attempts made.
    pub attempts: u32,
    /// All attempts together. Milliseconds.
    pub elapsed_ms: u64,
    /// Size of the body.
    pub bytes: u64,
    /// Credits billed.
    pub cost: Option<i64>,
    /// Credits left.
    pub remaining: Option<i64>,
    /// The look that came of it.
    pub look: Option<LookId>,
    /// For a person. Never holds a key.
    pub message: Option<String>,
    /// How near the next start was.
    pub tier: Option<&'static str>,
    /// What goes into the ledger.
    pub billing: Option<super::credit::Billing>,
}

impl Store {
    /// Writes what one batch changed. On return it is committed.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; nothing of the look is written then.
    pub fn commit(&mut self, changes: &Changes, meta: &LookMeta) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write_look(&tx, changes, meta)?;
        tx.commit()?;
        Ok(())
    }

    /// Runs several commits as one transaction: all of them or none.
    ///
    /// # Errors
    /// Whatever `work` answers; nothing is written then.
    pub fn together<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Together<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let result = work(&Together { connection: &tx })?;
        tx.commit().map_err(StoreError::from)?;
        Ok(result)
    }

    /// Logs an attempt to fetch.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn log_fetch(&mut self, r: &FetchRecord) -> Result<(), StoreError> {
        log_fetch(&self.connection, r)
    }

    /// Moves the write-ahead log into the file when it has grown. Call it between looks, when nobody waits.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]. A log that a reader still needs is no error; it is moved another time.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        let wal = self.path.with_extension("db-wal");
        let size = std::fs::metadata(&wal).map_or(0, |m| m.len() as i64);
        if size >= CHECKPOINT_AT {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Was this very answer applied before?
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn knows_look(
        &self,
        source: &str,
        sport: &str,
        at: Timestamp,
        body_hash: &[u8; 16],
    ) -> Result<bool, StoreError> {
        knows_look(&self.connection, source, sport, at, body_hash)
    }

    /// The instant of the newest look of a source and sport.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_look(&self, source: &str, sport: &str) -> Result<Option<Timestamp>, StoreError> {
        newest_look(&self.connection, source, sport)
    }
}

pub(super) fn log_fetch(c: &Connection, r: &FetchRecord) -> Result<(), StoreError> {
    let mut insert = c.prepare_cached(
        "INSERT INTO fetch_log (at, source, endpoint, sport, purpose, outcome, reason, http, attempts, elapsed_ms,
         bytes, cost, remaining, look, message) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    insert.execute(params![
        r.at.millis(),
        r.source,
        r.endpoint,
        r.sport,
        r.purpose,
        r.outcome,
        r.reason,
        r.http,
        r.attempts,
        r.elapsed_ms as i64,
        r.bytes as i64,
        r.cost,
        r.remaining,
        r.look.map(|l| l.0 as i64),
        r.message,
    ])?;
    Ok(())
}

/// A transaction of several looks.
#[derive(Debug)]
pub struct Together<'c> {
    pub(super) connection: &'c Connection,
}

impl Together<'_> {
    /// See [`Store::commit`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn commit(&self, changes: &Changes, meta: &LookMeta) -> Result<(), StoreError> {
        write_look(self.connection, changes, meta)
    }

    /// See [`Store::knows_look`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn knows_look(&self, source: &str, sport: &str, at: Timestamp, hash: &[u8; 16]) -> Result<bool, StoreError> {
        knows_look(self.connection, source, sport, at, hash)
    }

    /// See [`Store::newest_look`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_look(&self, source: &str, sport: &str) -> Result<Option<Timestamp>, StoreError> {
        newest_look(self.connection, source, sport)
    }
}

/// Numbers of a source and a sport, if both are known.
pub(super) fn source_and_sport(
    c: &Connection,
    source: &str,
    sport: &str,
) -> Result<Option<(u32, SportId)>, StoreError> {
    let mut find = c.prepare_cached("SELECT number FROM name WHERE kind = ? AND name = ?")?;
    let mut number = |kind: u8, name: &str| -> rusqlite::Result<Option<u32>> {
        find.query_row(params![kind, name], |r| r.get(0)).map(Some).or_else(none_if_no_rows)
    };
    let (Some(source), Some(sport)) = (number(5, source)?, number(1, sport)?) else { return Ok(None) };
    Ok(Some((source, SportId(u16::try_from(sport).map_err(|_| StoreError::Damaged { what: "sport" })?))))
}

pub(super) fn none_if_no_rows<T>(e: rusqlite::Error) -> rusqlite::Result<Option<T>> {
    if e == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(e) }
}

pub(super) fn knows_look(
    c: &Connection,
    source: &str,
    sport: &str,
    at: Timestamp,
    hash: &[u8; 16],
) -> Result<bool, StoreError> {
    let Some((source, sport)) = source_and_sport(c, source, sport)? else { return Ok(false) };
    let mut find = c.prepare_cached(
        "SELECT 1 FROM look WHERE source = ? AND sport = ? AND received_at = ? AND body_hash = ? LIMIT 1",
    )?;
    Ok(find.exists(params![source, sport.0, at.millis(), &hash[..]])?)
}

fn newest_look(c: &Connection, source: &str, sport: &str) -> Result<Option<Timestamp>, StoreError> {
    let Some((source, sport)) = source_and_sport(c, source, sport)? else { return Ok(None) };
    let mut find = c.prepare_cached("SELECT max(received_at) FROM look WHERE source = ? AND sport = ?")?;
    let newest: Option<i64> = find.query_row(params![source, sport.0], |r| r.get(0))?;
    Ok(newest.map(Timestamp::from_millis))
}

pub(super) fn write_look(c: &Connection, changes: &Changes, meta: &LookMeta) -> Result<(), StoreError> {
    let look = &changes.look;
    let id = look.id.0 as i64;
    for name in &changes.names {
        c.prepare_cached("INSERT OR IGNORE INTO name (kind, number, name) VALUES (?,?,?)")?.execute(params![
            name.kind as u8,
            name.number,
            name.name
        ])?;
    }
    let scope = codec::scope_to_json(&meta.scope);
    c.prepare_cached("INSERT OR IGNORE INTO scope (json) VALUES (?)")?.execute([&scope])?;
    c.prepare_cached(
        "INSERT INTO look (id, source, sport, received_at, endpoint, scope, origin, cost, remaining, events, quotes,
         changes, issues, body_hash) VALUES (?,?,?,?,?,(SELECT id FROM scope WHERE json = ?),?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        id,
        look.source,
        look.sport.0,
        look.received_at.millis(),
        look.endpoint.name(),
        scope,
        meta.origin,
        meta.cost,
        meta.remaining,
        look.events,
        look.quotes,
        look.changes,
        look.issues,
        &meta.body_hash[..],
    ])?;
    let mut packer = codec::Packer::new()?;
    if !changes.seen.is_empty() {
        c.prepare_cached("INSERT INTO look_seen (look, seen) VALUES (?,?)")?
            .execute(params![id, packer.pack(&changes.seen)?])?;
    }
    write_events(c, changes)?;
    write_quotes(c, changes)?;
    for keyframe in &changes.keyframes {
        c.prepare_cached("INSERT OR REPLACE INTO keyframe (event, look, state) VALUES (?,?,?)")?.execute(params![
            keyframe.event.0,
            id,
            packer.pack(&keyframe.state)?
        ])?;
    }
    write_quality(c, changes)?;
    write_analysis(c, changes)
}

fn write_events(c: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let look = changes.look.id.0 as i64;
    for change in &changes.events {
        let row = &change.row;
        let (home_score, away_score) = row.score.unzip();
        if change.new {
            c.prepare_cached(
                "INSERT INTO event_life (event, look, first_slot, forgotten)
                 SELECT id, ?, slots, forgotten FROM event WHERE id = ? AND forgotten IS NOT NULL",
            )?
            .execute(params![look, row.id.0])?;
        }
        c.prepare_cached(
            "INSERT INTO event (id, source, provider_id, sport, home, away, commence, first_seen, first_look, status,
             home_score, away_score) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)
             ON CONFLICT (id) DO UPDATE SET home = ?5, away = ?6, commence = ?7, status = ?10, home_score = ?11,
             away_score = ?12, forgotten = NULL",
        )?
        .execute(params![
            row.id.0,
            row.source,
            row.provider_id,
            row.sport.0,
            row.home,
            row.away,
            row.commence.millis(),
            row.first_seen.millis(),
            look,
            row.status as u8,
            home_score,
            away_score,
        ])?;
        if change.start_changed {
            c.prepare_cached("INSERT OR REPLACE INTO event_start (event, look, commence) VALUES (?,?,?)")?
                .execute(params![row.id.0, look, row.commence.millis()])?;
        }
        if change.score_changed {
            c.prepare_cached(
                "INSERT OR REPLACE INTO event_score (event, look, status, home_score, away_score) VALUES (?,?,?,?,?)",
            )?
            .execute(params![row.id.0, look, row.status as u8, home_score, away_score])?;
        }
    }
    for (event, slots) in &changes.forgotten {
        c.prepare_cached("UPDATE event SET forgotten = ?, slots = ? WHERE id = ?")?
            .execute(params![look, slots, event.0])?;
        // Nobody follows it any more; should it come back, it begins without issues.
        c.prepare_cached("UPDATE quality SET cleared = ? WHERE event = ? AND cleared IS NULL")?
            .execute(params![look, event.0])?;
    }
    Ok(())
}

/// Rows in the order of their keys go into the trees without searching back and forth.
///
/// Tens of thousands of rows go this way at once: the statements keep their bindings from row to row, so that only
/// what differs is bound again.
pub(super) fn write_quotes(c: &Connection, changes: &Changes) -> Result<(), StoreError> {
    if changes.quotes.is_empty() {
        return Ok(());
    }
    let mut sorted: Vec<&QuoteChange> = changes.quotes.iter().collect();
    sorted.sort_unstable_by_key(|q| (q.event, q.slot));
    let mut insert = c.prepare_cached(
        "INSERT INTO change (event, look, slot, line, price, status, last_seen, provider_update)
         VALUES (?,?,?,?,?,?,?,?)",
    )?;
    insert.raw_bind_parameter(2, changes.look.id.0 as i64)?;
    let mut event = None;
    for quote in &sorted {
        let v = &quote.value;
        if event != Some(quote.event) {
            event = Some(quote.event);
            insert.raw_bind_parameter(1, quote.event.0)?;
        }
        let (last_seen, update) = absent_clocks(quote);
        insert.raw_bind_parameter(3, quote.slot.0)?;
        insert.raw_bind_parameter(4, v.line.map(|l| l.hundredths()))?;
        insert.raw_bind_parameter(5, v.price.code())?;
        insert.raw_bind_parameter(6, status_code(v.status, v.phase))?;
        insert.raw_bind_parameter(7, last_seen)?;
        insert.raw_bind_parameter(8, update)?;
        insert.raw_execute()?;
    }
    write_present(c, &sorted)
}

/// The present value of every quote that is new or has changed. `sorted` by event and slot.
fn write_present(c: &Connection, sorted: &[&QuoteChange]) -> Result<(), StoreError> {
    let mut insert = c.prepare_cached(
        "INSERT OR REPLACE INTO quote (event, slot, book, market, side, subject, own_line, line, price, status,
         first_seen, last_changed, last_seen, provider_update) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    let mut update = c.prepare_cached(
        "UPDATE quote SET line = ?, price = ?, status = ?, last_changed = ?, last_seen = ?, provider_update = ?
         WHERE event = ? AND slot = ?",
    )?;
    let mut event = None;
    for quote in sorted {
        let v = &quote.value;
        let (line, price) = (v.line.map(|l| l.hundredths()), v.price.code());
        let status = status_code(v.status, v.phase);
        let (last_seen, provider_update) = absent_clocks(quote);
        let Some(key) = &quote.new else {
            if event != Some(quote.event) {
                event = Some(quote.event);
                update.raw_bind_parameter(7, quote.event.0)?;
            }
            update.raw_bind_parameter(1, line)?;
            update.raw_bind_parameter(2, price)?;
            update.raw_bind_parameter(3, status)?;
            update.raw_bind_parameter(4, v.last_changed.millis())?;
            update.raw_bind_parameter(5, last_seen)?;
            update.raw_bind_parameter(6, provider_update)?;
            update.raw_bind_parameter(8, quote.slot.0)?;
            update.raw_execute()?;
            continue;
        };
        insert.execute(params![
            quote.event.0,
            quote.slot.0,
            key.book.0,
            key.market.0,
            key.selection.side.number(),
            key.selection.subject.0,
            key.selection.line.map(|l| l.hundredths()),
            line,
            price,
            status,
            v.first_seen.millis(),
            v.last_changed.millis(),
            last_seen,
            provider_update,
        ])?;
    }
    Ok(())
}

/// The clocks of a quote that the look did not show; those of the others stand in `look_seen`.
fn absent_clocks(quote: &QuoteChange) -> (Option<i64>, Option<i64>) {
    if quote.value.status.is_present() {
        (None, None)
    } else {
        (Some(quote.value.last_seen.millis()), quote.value.provider_update.map(Timestamp::millis))
    }
}

fn write_quality(c: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let look = changes.look.id.0 as i64;
    for issue in &changes.issues {
        c.prepare_cached(
            "INSERT INTO quality (look, at, event, book, market, reason, severity, detail) VALUES (?,?,?,?,?,?,?,?)",
        )?
        .execute(params![
            look,
            changes.look.received_at.millis(),
            issue.event.map(|e| e.0),
            issue.book.map(|b| b.0),
            issue.market.map(|m| m.0),
            issue.reason.number(),
            issue.severity.name(),
            issue.detail,
        ])?;
    }
    for cleared in &changes.cleared {
        c.prepare_cached(
            "UPDATE quality SET cleared = ? WHERE event = ? AND book IS ? AND market IS ? AND reason = ?
             AND cleared IS NULL",
        )?
        .execute(params![
            look,
            cleared.event.0,
            cleared.book.map(|b| b.0),
            cleared.market.map(|m| m.0),
            cleared.reason.number()
        ])?;
    }
    Ok(())
}
