//! A hub that was put back to an earlier moment: what this store remembers of its log, so that the newest entry that
//! both have can be found, and how it goes on from there.
//!
//! Looks that stand in entries beyond that one are not the hub's any more. They stay: what was collected here is told
//! again, and so is what others had told by whoever comes to ask for the sport; where the hub goes on without them they
//! give way as any other look that it never took.

use rusqlite::{Connection, params};

use super::super::write::none_if_no_rows;
use super::super::{Reader, Store, StoreError};
use super::maps::our_look;
use crate::engine::names::NameKind;

/// What an entry of the log is told apart by.
pub type Mark = [u8; 16];

/// So many of the newest entries have their marks remembered.
const DENSE: i64 = 100_000;
/// Of older ones every so many'th.
const SPARSE: i64 = 1024;

/// A look of the hub, by what it is called there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HubLook {
    /// The hub's number.
    pub hub: i64,
    /// The entry of its log.
    pub entry: i64,
    /// When it was received, in milliseconds.
    pub received_at: i64,
}

/// What the hub has of a source and sport that was taken back by an entry that it has forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Our numbers.
    pub source: u32,
    /// Our number.
    pub sport: u32,
    /// Its looks that were received after that.
    pub looks: Vec<HubLook>,
}

/// What a hub holds that was put back to an earlier moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PutBack {
    /// The newest entry that both have.
    pub common: i64,
    /// The newest entry of its log now.
    pub head: i64,
    /// The last look of the common entry.
    pub look: i64,
    /// All its names.
    pub names: Vec<(NameKind, u32, String)>,
    /// All its events: its number, its number of the source, the id at the source.
    pub events: Vec<(u32, u32, String)>,
    /// What this device told it after the common entry: our number, and what it is there.
    pub own: Vec<(i64, HubLook)>,
    /// How far it was told by this device: source and sport in its numbers, look and retraction in ours.
    pub pushed: Vec<(u32, u32, i64, i64)>,
    /// See [`Missing`].
    pub missing: Vec<Missing>,
    /// This device may tell it something.
    pub collects: bool,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PutBackDone {
    /// Looks that the hub has forgotten and this store has.
    pub forgotten: u64,
    /// Streams of looks that are taken back there once more.
    pub retracted: u64,
}

/// Notes marks of entries, rising, and forgets old ones.
pub(super) fn note_marks(c: &Connection, marks: &[(i64, Mark)]) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (marks.first(), marks.last()) else { return Ok(()) };
    let mut put = c.prepare_cached("INSERT OR REPLACE INTO hub_mark (entry, mark) VALUES (?,?)")?;
    for (entry, mark) in marks {
        put.execute(params![entry, &mark[..]])?;
    }
    c.prepare_cached("DELETE FROM hub_mark WHERE entry BETWEEN ? AND ? AND entry % ? <> 0")?.execute([
        first - DENSE,
        last - DENSE,
        SPARSE,
    ])?;
    c.prepare_cached("DELETE FROM hub_back WHERE entry < ?")?.execute([last - DENSE])?;
    Ok(())
}

fn mark(c: &Connection, sql: &str, entry: i64) -> Result<Option<(i64, Mark)>, StoreError> {
    let mut find = c.prepare_cached(sql)?;
    Ok(find.query_row([entry], |r| Ok((r.get(0)?, r.get(1)?))).map(Some).or_else(none_if_no_rows)?)
}

impl Reader {
    /// The mark of the newest entry up to this one that has been taken in, and that entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_mark_until(&self, entry: i64) -> Result<Option<(i64, Mark)>, StoreError> {
        mark(&self.connection, "SELECT entry, mark FROM hub_mark WHERE entry <= ? ORDER BY entry DESC LIMIT 1", entry)
    }

    /// The mark of the oldest entry after this one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_mark_after(&self, entry: i64) -> Result<Option<(i64, Mark)>, StoreError> {
        mark(&self.connection, "SELECT entry, mark FROM hub_mark WHERE entry > ? ORDER BY entry LIMIT 1", entry)
    }

    /// Entries after this one by which looks were taken back: source, sport, and the instant after which, the earliest of
    /// each stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_backs_after(&self, entry: i64) -> Result<Vec<(u32, u32, i64)>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT source, sport, min(after) FROM hub_back WHERE entry > ? GROUP BY source, sport")?;
        let rows = select.query_map([entry], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Goes on with a hub that was put back to an earlier moment, from the newest entry that both have.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn hub_put_back(&mut self, there: &PutBack) -> Result<PutBackDone, StoreError> {
        let tx = self.connection.transaction()?;
        let mut done = PutBackDone::default();
        renumber(&tx, there)?;
        let forgotten: i64 =
            tx.query_row("SELECT count(*) FROM hub_look WHERE entry > ?", [there.common], |r| r.get(0))?;
        tx.execute("DELETE FROM hub_look WHERE entry > ?", [there.common])?;
        let mut known = 0;
        {
            // It may have been told again already, before anybody noticed.
            let mut know = tx.prepare_cached(
                "INSERT OR REPLACE INTO hub_look (look, hub, entry)
                 SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM look WHERE id = ?1 AND received_at = ?4)",
            )?;
            for (ours, look) in &there.own {
                known +=
                    i64::try_from(know.execute(params![ours, look.hub, look.entry, look.received_at])?).unwrap_or(0);
            }
        }
        done.forgotten = u64::try_from(forgotten - known).unwrap_or(0);
        rewind_cursors(&tx, there)?;
        let mut pulled = there.common;
        for missing in &there.missing {
            let Some(first) = earliest_missing(&tx, missing)? else { continue };
            if there.collects {
                // What took their place is here and will be told: the hub has to let go of them first.
                tx.execute(
                    "INSERT INTO taken_back (look, source, sport, after)
                     VALUES ((SELECT ifnull(max(id), 0) FROM look), ?, ?, ?)",
                    params![missing.source, missing.sport, first.received_at - 1],
                )?;
                done.retracted += 1;
            } else {
                pulled = pulled.min(first.entry - 1);
            }
        }
        tx.execute("DELETE FROM hub_mark WHERE entry > ?", [there.common])?;
        tx.execute("DELETE FROM hub_back WHERE entry > ?", [there.common])?;
        tx.execute("DELETE FROM hub_end WHERE of > ?", [there.look])?;
        tx.execute(
            "UPDATE hub SET gap = max(behind, min(gap, ?1)), pulled = min(pulled, ?1), answered = min(answered, ?3), whole = ?2, head = min(head, ?3), history = history + 1,
             newest = max(newest, (SELECT ifnull(max(id), 0) FROM look))",
            params![pulled, there.head, there.look],
        )?;
        tx.commit()?;
        Ok(done)
    }
}

/// The hub's numbers of names and events as they are now: it may have given those of the time that it has forgotten to
/// others.
fn renumber(c: &Connection, there: &PutBack) -> Result<(), StoreError> {
    c.execute("DELETE FROM hub_name", [])?;
    c.execute("DELETE FROM hub_event", [])?;
    let mut name = c.prepare_cached(
        "INSERT INTO hub_name (kind, number, hub) SELECT kind, number, ?3 FROM name WHERE kind = ?1 AND name = ?2",
    )?;
    for (kind, hub, text) in &there.names {
        name.execute(params![*kind as u8, text, hub])?;
    }
    let mut event = c.prepare_cached(
        "INSERT INTO hub_event (event, hub) SELECT event.id, ?3 FROM event
         JOIN hub_name ON hub_name.kind = ?4 AND hub_name.hub = ?1 AND hub_name.number = event.source
         WHERE event.provider_id = ?2",
    )?;
    for (hub, source, id) in &there.events {
        event.execute(params![source, id, hub, NameKind::Source as u8])?;
    }
    Ok(())
}

fn rewind_cursors(c: &Connection, there: &PutBack) -> Result<(), StoreError> {
    c.execute("DELETE FROM hub_pushed", [])?;
    let mut put = c.prepare_cached(
        "INSERT INTO hub_pushed (source, sport, look, retracted)
         SELECT a.number, b.number, ?3, ?4 FROM hub_name AS a, hub_name AS b
         WHERE a.kind = ?5 AND a.hub = ?1 AND b.kind = ?6 AND b.hub = ?2",
    )?;
    for (source, sport, look, retracted) in &there.pushed {
        put.execute(params![source, sport, look, retracted, NameKind::Source as u8, NameKind::Sport as u8])?;
    }
    Ok(())
}

fn earliest_missing(c: &Connection, missing: &Missing) -> Result<Option<HubLook>, StoreError> {
    let mut first: Option<HubLook> = None;
    for look in &missing.looks {
        if first.is_none_or(|f| look.received_at < f.received_at) && our_look(c, look.hub)?.is_none() {
            first = Some(*look);
        }
    }
    Ok(first)
}
