//! To which hub a store is linked and how far each has told the other.

use rusqlite::{Connection, params};

use super::super::write::none_if_no_rows;
use super::super::{Reader, Store, StoreError};
use super::exchange::ToldExchange;
use crate::engine::names::NameKind;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;

/// The hub that a store is linked to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The id that the hub gave itself.
    pub hub: String,
    /// The id that we gave ourselves when we were linked.
    pub device: String,
    /// Our number there.
    pub number: i32,
    /// What our login might do there when we were linked: `collector`, `pro`, `free`...
    pub tier: String,
    /// Every entry of its log up to this one has been taken in.
    pub pulled: i64,
    /// Entries after the first up to the second are still to come: the newest came first.
    pub gap: Option<(i64, i64)>,
    /// Looks of the hub up to `head` have their number there plus this here.
    pub base: i64,
    /// The newest look that the hub had when we were linked.
    pub head: i64,
    /// Since when.
    pub linked_at: Timestamp,
    /// How often the hub was found put back to an earlier moment.
    pub history: i64,
    /// Up to this entry the log is read with what this device told itself, and nothing is told before it has been read.
    pub whole: i64,
}

/// How far the looks of a source and sport have been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Number of the source's name.
    pub source: u32,
    /// Sport.
    pub sport: SportId,
    /// Every look of ours up to this one.
    pub look: i64,
    /// Every row of `taken_back` up to this one.
    pub retracted: i64,
}

/// Looks that were taken back here and have to be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retraction {
    /// Row of `taken_back`.
    pub id: i64,
    /// The newest look of the store at that moment.
    pub look: i64,
    /// Looks received after this are gone.
    pub after: Timestamp,
}

/// What the hub has taken, to be noted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Names: list, our number, the hub's.
    pub names: Vec<(NameKind, u32, u32)>,
    /// Events: our number, the hub's.
    pub events: Vec<(u32, u32)>,
    /// Looks: our number, the hub's.
    pub looks: Vec<(i64, i64)>,
    /// The entry of the hub's log that they stand in.
    pub entry: i64,
    /// How far a source and sport has come, if it has.
    pub cursor: Option<Cursor>,
    /// How far answers have been told, if they have: the hub's number of a look.
    pub answered: Option<i64>,
    /// [`Link::history`] when this was told: what was told to a hub that was put back meanwhile is not noted.
    pub history: i64,
    /// Of an exchange.
    pub exchange: Option<Box<ToldExchange>>,
}

fn link(c: &Connection) -> Result<Option<Link>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT hub, device, number, tier, pulled, base, head, linked_at, behind, gap, history, whole FROM hub WHERE id = 1",
    )?;
    let found = select.query_row([], |r| {
        Ok(Link {
            hub: r.get(0)?,
            device: r.get(1)?,
            number: r.get(2)?,
            tier: r.get(3)?,
            pulled: r.get(4)?,
            base: r.get(5)?,
            head: r.get(6)?,
            linked_at: Timestamp::from_millis(r.get(7)?),
            gap: r.get::<_, Option<i64>>(8)?.zip(r.get(9)?),
            history: r.get(10)?,
            whole: r.get(11)?,
        })
    });
    Ok(found.map(Some).or_else(none_if_no_rows)?)
}

/// Everything that a link has left behind.
fn forget(c: &Connection) -> Result<(), StoreError> {
    let tables = [
        "hub",
        "hub_pushed",
        "hub_look",
        "hub_event",
        "hub_name",
        "taken_back",
        "hub_mark",
        "hub_back",
        "hub_apart",
        "hub_ahead",
        "hub_end",
    ];
    for table in tables {
        c.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}

impl Reader {
    /// The hub that this store is linked to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_link(&self) -> Result<Option<Link>, StoreError> {
        link(&self.connection)
    }

    /// Every source and sport with looks, and how far it has been told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_cursors(&self) -> Result<Vec<Cursor>, StoreError> {
        let mut cursors = Vec::new();
        for (source, sport) in super::super::recall::sports(&self.connection)? {
            cursors.push(self.hub_cursor(source, sport)?);
        }
        Ok(cursors)
    }

    /// Keys of the sports of which this store has looks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sports_with_looks(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        for (_, sport) in super::super::recall::sports(&self.connection)? {
            let key = self.name_of(NameKind::Sport, sport.0.into())?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// How far a source and sport has been told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_cursor(&self, source: u32, sport: SportId) -> Result<Cursor, StoreError> {
        let mut find =
            self.connection.prepare_cached("SELECT look, retracted FROM hub_pushed WHERE source = ? AND sport = ?")?;
        let found: Option<(i64, i64)> = find
            .query_row(params![source, sport.0], |r| Ok((r.get(0)?, r.get(1)?)))
            .map(Some)
            .or_else(none_if_no_rows)?;
        let (look, retracted) = found.unwrap_or((0, 0));
        Ok(Cursor { source, sport, look, retracted })
    }

    /// The next taking back that a source and sport has not told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_next_retraction(&self, cursor: &Cursor) -> Result<Option<Retraction>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT id, look, after FROM taken_back WHERE source = ? AND sport = ? AND id > ? ORDER BY id LIMIT 1",
        )?;
        let found = find.query_row(params![cursor.source, cursor.sport.0, cursor.retracted], |r| {
            Ok(Retraction { id: r.get(0)?, look: r.get(1)?, after: Timestamp::from_millis(r.get(2)?) })
        });
        Ok(found.map(Some).or_else(none_if_no_rows)?)
    }

    /// Looks of ours that have not been told, of the sports that `of` answers to, and the oldest of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_backlog(&self, of: impl Fn(&str) -> bool) -> Result<(u64, Option<Timestamp>), StoreError> {
        let (mut looks, mut oldest) = (0, None);
        for cursor in self.hub_cursors()? {
            if !of(&self.name_of(NameKind::Sport, cursor.sport.0.into())?) {
                continue;
            }
            let mut select = self.connection.prepare_cached(
                "SELECT count(*), min(received_at) FROM look WHERE source = ?1 AND sport = ?2 AND id > ?3
                 AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)
                 AND NOT EXISTS (SELECT 1 FROM hub_apart WHERE hub_apart.look = look.id)",
            )?;
            let (n, first): (i64, Option<i64>) = select
                .query_row(params![cursor.source, cursor.sport.0, cursor.look], |r| Ok((r.get(0)?, r.get(1)?)))?;
            looks += u64::try_from(n).unwrap_or(0);
            oldest = [oldest, first].into_iter().flatten().min();
        }
        Ok((looks, oldest.map(Timestamp::from_millis)))
    }
}

impl Store {
    /// Links this store to a hub.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_join(&mut self, link: &Link) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        forget(&tx)?;
        super::exchange::forget(&tx, true)?;
        tx.execute(
            "INSERT INTO hub (id, hub, device, number, tier, pulled, base, head, linked_at) VALUES (1,?,?,?,?,?,?,?,?)",
            params![
                link.hub,
                link.device,
                link.number,
                link.tier,
                link.pulled,
                link.base,
                link.head,
                link.linked_at.millis()
            ],
        )?;
        tx.commit()?;
        Ok(())
    }

    /// Forgets the hub. What came from it stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_part(&mut self) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        forget(&tx)?;
        super::exchange::forget(&tx, false)?;
        tx.commit()?;
        Ok(())
    }

    /// Moves the write-ahead log into the file, so that the file alone is the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// The newest look of the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_look_id(&self) -> Result<i64, StoreError> {
        Ok(self.connection.query_row("SELECT ifnull(max(id), 0) FROM look", [], |r| r.get(0))?)
    }

    /// Notes what the hub has taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_told(&mut self, told: &Told) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        if let Some(exchange) = &told.exchange {
            super::exchange::note(&tx, exchange)?;
        }
        let history: i64 = tx.query_row("SELECT ifnull(max(history), 0) FROM hub", [], |r| r.get(0))?;
        if history != told.history {
            tx.commit()?;
            return Ok(());
        }
        {
            let mut name = tx.prepare_cached("INSERT OR REPLACE INTO hub_name (kind, number, hub) VALUES (?,?,?)")?;
            for (kind, number, hub) in &told.names {
                name.execute(params![*kind as u8, number, hub])?;
            }
            let mut event = tx.prepare_cached("INSERT OR REPLACE INTO hub_event (event, hub) VALUES (?,?)")?;
            for (ours, hub) in &told.events {
                event.execute(params![ours, hub])?;
            }
            // A look that was taken back in the meantime is none of ours any more.
            let mut look = tx.prepare_cached(
                "INSERT OR REPLACE INTO hub_look (look, hub, entry) SELECT ?1, ?2, ?3
                 WHERE EXISTS (SELECT 1 FROM look WHERE id = ?1)",
            )?;
            for (ours, hub) in &told.looks {
                look.execute(params![ours, hub, told.entry])?;
            }
            if let Some(answered) = told.answered {
                tx.execute("UPDATE hub SET answered = max(answered, ?) WHERE id = 1", [answered])?;
            }
            if let Some(c) = &told.cursor {
                tx.prepare_cached(
                    "INSERT OR REPLACE INTO hub_pushed (source, sport, look, retracted) VALUES (?,?,?,?)",
                )?
                .execute(params![c.source, c.sport.0, c.look, c.retracted])?;
                if told.entry > 0 {
                    tx.prepare_cached(
                        "INSERT OR REPLACE INTO hub_back (entry, source, sport, after)
                         SELECT ?1, source, sport, after FROM taken_back WHERE source = ?2 AND sport = ?3 AND id = ?4",
                    )?
                    .execute(params![told.entry, c.source, c.sport.0, c.retracted])?;
                }
                tx.prepare_cached("DELETE FROM taken_back WHERE source = ? AND sport = ? AND id <= ?")?
                    .execute(params![c.source, c.sport.0, c.retracted])?;
            }
        }
        tx.commit()?;
        Ok(())
    }
}
