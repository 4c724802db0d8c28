//! The outbox: messages that are to be delivered, committed with the look that they tell of.
//!
//! Owns the rows, their states and the log of attempts. What a message says, when it is tried and how long is decided
//! elsewhere: here it is JSON with a key. A row is written once for each key, whatever happens; it ends as delivered or
//! as a dead letter, and only a deliberate [`Store::put_back`] makes it wait again.

use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::write::{LookMeta, none_if_no_rows, write_look};
use super::{Reader, Store, StoreError};
use crate::engine::Changes;
use crate::market::time::Timestamp;

/// A message to be delivered on one channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    /// Never used for another.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// What it tells of.
    pub kind: String,
    /// Names of the rules that asked for it.
    pub rule: String,
    /// What a cooldown counts by.
    pub subject: String,
    /// The signal that it tells of, and its version.
    pub signal: Option<(String, u32)>,
    /// When what it tells of happened, in market time.
    pub at: Timestamp,
    /// Not to be delivered earlier, by this machine's clock.
    pub not_before: Timestamp,
    /// Why it is held until then; empty when it is not.
    pub why: String,
    /// The message as JSON.
    pub message: String,
}

/// A rule has fired.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fired {
    /// Number of the rule on the desk.
    pub rule: i64,
    /// What it fired about.
    pub subject: String,
    /// When, in market time.
    pub at: Timestamp,
}

/// What a look, or an event of the program itself, is to be told of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outgoing {
    /// Messages, in the order of delivery.
    pub messages: Vec<NewMessage>,
    /// Rules that fired.
    pub fired: Vec<Fired>,
}

impl Outgoing {
    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.fired.is_empty()
    }
}

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageState {
    /// It is to be delivered.
    Waiting,
    /// It was.
    Delivered,
    /// It was given up.
    Dead,
}

impl MessageState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// As in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A message in the outbox. Times are this machine's, except `at`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// Its number; rises.
    pub id: i64,
    /// Never used for another.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// What it tells of.
    pub kind: String,
    /// Names of the rules that asked for it.
    pub rule: String,
    /// What a cooldown counts by.
    pub subject: String,
    /// The signal that it tells of, and its version.
    pub signal: Option<(String, u32)>,
    /// When what it tells of happened, in market time.
    pub at: Timestamp,
    /// When it was written.
    pub created: Timestamp,
    /// Since when it is to be delivered.
    pub queued: Timestamp,
    /// Held until then.
    pub not_before: Timestamp,
    /// When it is tried next.
    pub next_attempt: Timestamp,
    /// Attempts since `queued`.
    pub attempts: u32,
    /// Where it stands.
    pub state: MessageState,
    /// When it was delivered or given up.
    pub ended: Option<Timestamp>,
    /// Why it waits or was given up; empty for no reason.
    pub why: String,
    /// The message as JSON.
    pub message: String,
}

impl OutboxRow {
    /// Since when it could have been delivered.
    pub fn deliverable_since(&self) -> Timestamp {
        self.queued.max(self.not_before)
    }
}

/// An attempt as it was logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptRow {
    /// The message's number.
    pub message: i64,
    /// The message's key.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// What the message tells of.
    pub kind: String,
    /// When the attempt ended.
    pub at: Timestamp,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// `delivered`, `later`, `refused` or `given_up`.
    pub outcome: String,
    /// For a person; empty for no reason.
    pub why: String,
    /// How long the attempt took. Milliseconds.
    pub took_ms: i64,
    /// Of a delivery: since it could have been delivered. Milliseconds.
    pub latency_ms: Option<i64>,
}

/// What becomes of a message after an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It was delivered.
    Delivered,
    /// It is tried again then.
    At(Timestamp),
    /// It will never be taken.
    Refused,
    /// It has been tried for long enough.
    GivenUp,
}

/// What came of one attempt for one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempted {
    /// The message's number.
    pub message: i64,
    /// When the attempt ended.
    pub at: Timestamp,
    /// How long it took. Milliseconds.
    pub took_ms: i64,
    /// What becomes of the message.
    pub next: Next,
    /// For a person; empty for no reason.
    pub why: String,
}

/// Which rows of the outbox. Whatever is `None` limits nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutboxFilter {
    /// In this state.
    pub state: Option<MessageState>,
    /// For this channel.
    pub channel: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Written at or after this instant.
    pub since: Option<Timestamp>,
    /// The newest so many.
    pub limit: Option<u32>,
}

const COLUMNS: &str = "outbox.id, outbox.key, outbox.channel, outbox.kind, outbox.rule, outbox.subject, outbox.signal,
    outbox.version, outbox.at, outbox.created, outbox.queued, outbox.not_before, outbox.next_attempt, outbox.attempts,
    outbox.state, outbox.ended, outbox.why, outbox.message";

impl Store {
    /// Writes what one batch changed together with what is to be told of it: both or neither. On return it is
    /// committed. `now` is this machine's time. Answers how many messages are new.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; nothing is written then.
    pub fn commit_telling(
        &mut self,
        changes: &Changes,
        meta: &LookMeta,
        outgoing: &Outgoing,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write_look(&tx, changes, meta)?;
        let new = write_outgoing(&tx, outgoing, now)?;
        tx.commit()?;
        Ok(new)
    }

    /// Writes messages that tell of no look. Answers how many are new.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; nothing is written then.
    pub fn tell(&mut self, outgoing: &Outgoing, now: Timestamp) -> Result<usize, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let new = write_outgoing(&tx, outgoing, now)?;
        tx.commit()?;
        Ok(new)
    }

    /// Notes what came of attempts, all together. An attempt for a message that is not waiting (any more) is logged and
    /// changes nothing else.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; nothing is written then.
    pub fn note_attempts(&mut self, attempts: &[Attempted]) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for a in attempts {
            note_attempt(&tx, a)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Makes an ended message wait again, under the same key. `false`: there is no such message, or it waits already.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_back(&mut self, message: i64, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .connection
            .prepare_cached(&format!("{PUT_BACK} AND id = ?2"))?
            .execute(params![now.millis(), message])?;
        Ok(changed > 0)
    }

    /// Makes all dead letters wait again. Answers how many.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_back_dead(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.connection.prepare_cached(&format!("{PUT_BACK} AND state = 'dead'"))?.execute([now.millis()])?)
    }

    /// This machine's clock was set back by so much and now says `now`: what waited for a pause to end, or was written
    /// in a time that has yet to come, waits no longer than before. What is held for quiet hours stays held until their
    /// end. Answers for how many messages that made a difference.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn clock_set_back(&mut self, by_ms: i64, now: Timestamp) -> Result<usize, StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE outbox SET
                 next_attempt = max(next_attempt - ?1, CASE WHEN not_before > queued THEN not_before ELSE 0 END),
                 not_before = CASE WHEN not_before > queued THEN not_before ELSE min(not_before, ?2) END,
                 queued = min(queued, ?2)
             WHERE state = 'waiting' AND next_attempt > ?2",
        )?;
        Ok(update.execute(params![by_ms, now.millis()])?)
    }

    /// The newest instant that a message or a firing tells of, in market time.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_told(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest: Option<i64> = self.connection.query_row(
            "SELECT max(at) FROM (SELECT max(at) AS at FROM outbox UNION ALL SELECT max(at) FROM alert_cooldown)",
            [],
            |r| r.get(0),
        )?;
        Ok(newest.map(Timestamp::from_millis))
    }

    /// When rules fired last about what, at or after `since`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn fired_since(&self, since: Timestamp) -> Result<Vec<Fired>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT rule, subject, at FROM alert_cooldown WHERE at >= ? ORDER BY rule, subject")?;
        let row =
            |r: &Row<'_>| Ok(Fired { rule: r.get(0)?, subject: r.get(1)?, at: Timestamp::from_millis(r.get(2)?) });
        Ok(select.query_map([since.millis()], row)?.collect::<Result<_, _>>()?)
    }

    /// Keys of the messages that tell of something at or after `since`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn keys_since(&self, since: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT key FROM outbox WHERE at >= ? ORDER BY id")?;
        Ok(select.query_map([since.millis()], |r| r.get(0))?.collect::<Result<_, _>>()?)
    }
}

const PUT_BACK: &str = "UPDATE outbox SET state = 'waiting', queued = ?1, not_before = ?1, next_attempt = ?1,
    attempts = 0, ended = NULL, why = 'put back by hand' WHERE state <> 'waiting'";

impl Reader {
    /// Messages in the order in which they were written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR channel = ?2)
             AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR created >= ?4) ORDER BY id DESC LIMIT ?5"
        ))?;
        let values = params![
            filter.state.map(MessageState::name),
            filter.channel,
            filter.kind,
            filter.since.map(Timestamp::millis),
            filter.limit.map_or(-1, i64::from),
        ];
        let mut found = rows(select.query(values)?)?;
        found.reverse();
        Ok(found)
    }

    /// One message by its number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox_message(&self, id: i64) -> Result<Option<OutboxRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?"))?;
        Ok(rows(select.query([id])?)?.pop())
    }

    /// Messages for `channel` that are due at `now`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn due(&self, channel: &str, now: Timestamp, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE state = 'waiting' AND channel = ? AND next_attempt <= ?
             ORDER BY id LIMIT ?"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        rows(select.query(params![channel, now.millis(), limit])?)
    }

    /// Channels with messages that wait, and when the first of those is due, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting_channels(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT channel, min(next_attempt) FROM outbox WHERE state = 'waiting' GROUP BY channel ORDER BY channel",
        )?;
        let row = |r: &Row<'_>| Ok((r.get(0)?, Timestamp::from_millis(r.get(1)?)));
        Ok(select.query_map([], row)?.collect::<Result<_, _>>()?)
    }

    /// Attempts in the order in which they were made; the newest `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn delivery_log(
        &self,
        channel: Option<&str>,
        since: Option<Timestamp>,
        limit: Option<u32>,
    ) -> Result<Vec<AttemptRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT l.outbox, ifnull(o.key, ''), l.channel, ifnull(o.kind, ''), l.at, l.attempt, l.outcome, l.why, l.took,
             l.latency FROM delivery_log AS l LEFT JOIN outbox AS o ON o.id = l.outbox
             WHERE (?1 IS NULL OR l.channel = ?1) AND (?2 IS NULL OR l.at >= ?2) ORDER BY l.id DESC LIMIT ?3",
        )?;
        let row = |r: &Row<'_>| {
            Ok(AttemptRow {
                message: r.get(0)?,
                key: r.get(1)?,
                channel: r.get(2)?,
                kind: r.get(3)?,
                at: Timestamp::from_millis(r.get(4)?),
                attempt: r.get(5)?,
                outcome: r.get(6)?,
                why: r.get(7)?,
                took_ms: r.get(8)?,
                latency_ms: r.get(9)?,
            })
        };
        let values = params![channel, since.map(Timestamp::millis), limit.map_or(-1, i64::from)];
        let mut log = select.query_map(values, row)?.collect::<Result<Vec<_>, _>>()?;
        log.reverse();
        Ok(log)
    }

    /// The newest look at or before `until` that asked for the prices of an event's sport, or of the event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_odds_look(
        &self,
        event: crate::market::ids::EventId,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT received_at FROM look WHERE (source, sport) = (SELECT source, sport FROM event WHERE id = ?)
             AND received_at <= ? AND endpoint LIKE '%odds' ORDER BY received_at DESC LIMIT 1",
        )?;
        let newest: Option<i64> =
            select.query_row(params![event.0, until.millis()], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?;
        Ok(newest.map(Timestamp::from_millis))
    }

    /// Messages that tell of a signal at an instant from `from` to `to` (market time), in the order in which they were
    /// written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn told_signals(&self, from: Timestamp, to: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE signal IS NOT NULL AND at >= ? AND at <= ? ORDER BY id"
        ))?;
        rows(select.query(params![from.millis(), to.millis()])?)
    }
}

/// Removes ended messages that tell of something before `before`, with their attempts, and cooldowns as old.
pub(super) fn forget_old(c: &Connection, before: i64, most: u32) -> Result<usize, StoreError> {
    let old: Vec<i64> = c
        .prepare_cached("SELECT id FROM outbox WHERE at < ? AND state <> 'waiting' ORDER BY at LIMIT ?")?
        .query_map(params![before, most / 4], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let mut removed = 0;
    for id in &old {
        removed += c.prepare_cached("DELETE FROM delivery_log WHERE outbox = ?")?.execute([id])?;
        removed += c.prepare_cached("DELETE FROM outbox WHERE id = ?")?.execute([id])?;
    }
    removed += c
        .prepare_cached(
            "DELETE FROM alert_cooldown WHERE (rule, subject) IN
             (SELECT rule, subject FROM alert_cooldown WHERE at < ? LIMIT ?)",
        )?
        .execute(params![before, most])?;
    Ok(removed)
}

fn write_outgoing(c: &Connection, outgoing: &Outgoing, now: Timestamp) -> Result<usize, StoreError> {
    let mut new = 0;
    for m in &outgoing.messages {
        let (signal, version) = m.signal.as_ref().map(|(id, version)| (id, version)).unzip();
        new += c
            .prepare_cached(
                "INSERT OR IGNORE INTO outbox (key, channel, kind, rule, subject, signal, version, at, created, queued,
                 not_before, next_attempt, attempts, state, why, message)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?9,?10,?10,0,'waiting',?11,?12)",
            )?
            .execute(params![
                m.key,
                m.channel,
                m.kind,
                m.rule,
                m.subject,
                signal,
                version,
                m.at.millis(),
                now.millis(),
                m.not_before.max(now).millis(),
                m.why,
                m.message,
            ])?;
    }
    for f in &outgoing.fired {
        c.prepare_cached("INSERT OR REPLACE INTO alert_cooldown (rule, subject, at) VALUES (?,?,?)")?
            .execute(params![f.rule, f.subject, f.at.millis()])?;
    }
    Ok(new)
}

fn note_attempt(c: &Connection, a: &Attempted) -> Result<(), StoreError> {
    let found = c
        .prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?"))?
        .query_row([a.message], |r| Ok(row(r)))
        .map(Some)
        .or_else(none_if_no_rows)?
        .transpose()?;
    // Retention may have been quicker.
    let Some(there) = found else { return Ok(()) };
    let attempt = there.attempts.saturating_add(1);
    let latency = (a.next == Next::Delivered).then(|| a.at.since(there.deliverable_since()).max(0));
    let outcome = match a.next {
        Next::Delivered => "delivered",
        Next::At(_) => "later",
        Next::Refused => "refused",
        Next::GivenUp => "given_up",
    };
    c.prepare_cached(
        "INSERT INTO delivery_log (outbox, channel, at, attempt, outcome, why, took, latency)
         VALUES (?,?,?,?,?,?,?,?)",
    )?
    .execute(params![a.message, there.channel, a.at.millis(), attempt, outcome, a.why, a.took_ms, latency])?;
    let (state, next, ended) = match a.next {
        Next::Delivered => (MessageState::Delivered, there.next_attempt, Some(a.at)),
        Next::At(next) => (MessageState::Waiting, next, None),
        Next::Refused | Next::GivenUp => (MessageState::Dead, there.next_attempt, Some(a.at)),
    };
    c.prepare_cached(
        "UPDATE outbox SET state = ?2, next_attempt = ?3, ended = ?4, why = ?5, attempts = ?6
         WHERE id = ?1 AND state = 'waiting'",
    )?
    .execute(params![a.message, state.name(), next.millis(), ended.map(Timestamp::millis), a.why, attempt])?;
    Ok(())
}

fn rows(mut found: rusqlite::Rows<'_>) -> Result<Vec<OutboxRow>, StoreError> {
    let mut all = Vec::new();
    while let Some(r) = found.next()? {
        all.push(row(r)?);
    }
    Ok(all)
}

fn row(r: &Row<'_>) -> Result<OutboxRow, StoreError> {
    let time = |column: usize| r.get::<_, i64>(column).map(Timestamp::from_millis);
    let state: String = r.get(14)?;
    let signal: Option<String> = r.get(6)?;
    let version: Option<u32> = r.get(7)?;
    Ok(OutboxRow {
        id: r.get(0)?,
        key: r.get(1)?,
        channel: r.get(2)?,
        kind: r.get(3)?,
        rule: r.get(4)?,
        subject: r.get(5)?,
        signal: signal.map(|id| (id, version.unwrap_or(1))),
        at: time(8)?,
        created: time(9)?,
        queued: time(10)?,
        not_before: time(11)?,
        next_attempt: time(12)?,
        attempts: r.get(13)?,
        state: MessageState::from_name(&state).ok_or(StoreError::Damaged { what: "state of a message" })?,
        ended: r.get::<_, Option<i64>>(15)?.map(Timestamp::from_millis),
        why: r.get(16)?,
        message: r.get(17)?,
    })
}
