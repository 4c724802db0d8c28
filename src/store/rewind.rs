//! Taking one source and sport back to an earlier instant, so that looks received before others can take their place.
//!
//! Happens inside a transaction that then applies the later looks again; on its own it would lose them. Names, scopes,
//! fetch log and answers stay.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::as_of::{EventAsOf, StallRule, last_look, load};
use super::recall::{point_held, slots_as_of, unborn};
use super::restore::{looks_of, remembered};
use super::write::Together;
use super::{Reader, StoreError, codec};
use crate::engine::EngineSettings;
use crate::engine::changes::Issue;
use crate::engine::recall::SportAsOf;
use crate::engine::restore::SportImage;
use crate::engine::status::status_code;
use crate::market::ids::{BookId, EventId, LookId, MarketId, SportId};
use crate::market::quality::{Reason, Severity};
use crate::market::time::Timestamp;

/// What was taken back.
#[derive(Debug)]
pub struct Rewound {
    /// For [`Engine::stand`](crate::engine::Engine::stand).
    pub then: SportAsOf,
    /// Rows of the fetch log that belong to looks taken back.
    fetches: FxHashMap<LookId, Vec<i64>>,
}

impl Together<'_> {
    /// Numbers of a source and a sport, if both are known.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn numbers(&self, source: &str, sport: &str) -> Result<Option<(u32, SportId)>, StoreError> {
        super::write::source_and_sport(self.connection, source, sport)
    }

    /// Takes a source and sport back to the last look at or before `at`. Numbers of events are kept in the engine and
    /// given again; numbers of looks are not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rewind(
        &self,
        source: u32,
        sport: SportId,
        at: Timestamp,
        settings: &EngineSettings,
    ) -> Result<Rewound, StoreError> {
        let c = self.connection;
        let last = last_look(c, source, sport, at)?.unwrap_or_default();
        let undone = Undone { c, source, sport, last, at };
        let fetches = undone.fetches()?;
        let unborn = unborn(c, source, sport, last)?;
        let let_go = undone.let_go()?;
        let then = undone.changed_events()?;
        undone.note()?;
        undone.delete_quality()?;
        undone.delete_rows(&unborn)?;
        for event in &then {
            put_back(c, event)?;
        }
        undone.put_back_events(&let_go)?;
        let rule = StallRule { looks: settings.frozen_looks, ms: settings.frozen_ms };
        let image =
            SportImage { looks: looks_of(c, source, sport)?, events: remembered(c, source, sport, rule)?, unborn };
        let slots = slots_as_of(c, source, sport, last)?;
        Ok(Rewound { then: SportAsOf { image, slots }, fetches })
    }

    /// A look that was taken back has been applied again under a new number.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn renumber(&self, rewound: &Rewound, old: LookId, new: LookId) -> Result<(), StoreError> {
        for row in rewound.fetches.get(&old).into_iter().flatten() {
            self.connection
                .prepare_cached("UPDATE fetch_log SET look = ? WHERE id = ?")?
                .execute(params![new.0 as i64, row])?;
        }
        Ok(())
    }
}

impl Reader {
    /// What was found wrong at a look, as stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn issues_of(&self, look: LookId) -> Result<Vec<Issue>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT event, book, market, reason, severity, detail FROM quality WHERE look = ? ORDER BY id",
        )?;
        let mut rows = select.query([look.0 as i64])?;
        let mut issues = Vec::new();
        while let Some(r) = rows.next()? {
            let reason = Reason::from_number(r.get(3)?).ok_or(StoreError::Damaged { what: "quality issue" })?;
            let severity: String = r.get(4)?;
            issues.push(Issue {
                event: r.get::<_, Option<u32>>(0)?.map(EventId),
                book: r.get::<_, Option<u16>>(1)?.map(BookId),
                market: r.get::<_, Option<u16>>(2)?.map(MarketId),
                reason,
                severity: if severity == Severity::Error.name() { Severity::Error } else { Severity::Warning },
                detail: r.get(5)?,
            });
        }
        Ok(issues)
    }

    /// See [`Store::knows_look`](super::Store::knows_look).
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn knows_look(&self, source: &str, sport: &str, at: Timestamp, hash: &[u8; 16]) -> Result<bool, StoreError> {
        super::write::knows_look(&self.connection, source, sport, at, hash)
    }
}

/// The looks that are being undone: those of a source and sport after `last`.
struct Undone<'c> {
    c: &'c Connection,
    source: u32,
    sport: SportId,
    last: LookId,
    at: Timestamp,
}

/// The looks undone, with source, sport and instant as the first three parameters.
const LOOKS: &str = "(SELECT id FROM look WHERE source = ?1 AND sport = ?2 AND received_at > ?3)";

impl Undone<'_> {
    fn last(&self) -> i64 {
        self.last.0 as i64
    }

    /// Where the store is linked to a hub it has to hear of this.
    fn note(&self) -> Result<(), StoreError> {
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(
            &format!(
                "INSERT INTO taken_back (look, source, sport, after)
                 SELECT (SELECT ifnull(max(id), 0) FROM look), ?1, ?2, ?3
                 WHERE EXISTS (SELECT 1 FROM hub) AND EXISTS {LOOKS}"
            ),
            looks,
        )?;
        // A number that the hub has heard of is not given again.
        self.c.execute("UPDATE hub SET newest = max(newest, (SELECT ifnull(max(id), 0) FROM look))", [])?;
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(&format!("DELETE FROM hub_look WHERE look IN {LOOKS}"), looks)?;
        Ok(())
    }

    fn fetches(&self) -> Result<FxHashMap<LookId, Vec<i64>>, StoreError> {
        let mut select = self.c.prepare_cached(&format!("SELECT look, id FROM fetch_log WHERE look IN {LOOKS}"))?;
        let mut rows = select.query(params![self.source, self.sport.0, self.at.millis()])?;
        let mut fetches: FxHashMap<LookId, Vec<i64>> = FxHashMap::default();
        while let Some(r) = rows.next()? {
            fetches.entry(LookId(r.get::<_, i64>(0)? as u64)).or_default().push(r.get(1)?);
        }
        Ok(fetches)
    }

    /// Events that came back only later and had been let go of by then: event, look of that, slots given until then.
    fn let_go(&self) -> Result<Vec<(EventId, i64, u32)>, StoreError> {
        let mut select = self.c.prepare_cached(
            "SELECT event, min(look), event_life.forgotten, first_slot FROM event_life JOIN event ON id = event
             WHERE source = ?1 AND sport = ?2 AND look > ?3 GROUP BY event HAVING event_life.forgotten <= ?3",
        )?;
        let rows = select.query_map(params![self.source, self.sport.0, self.last()], |r| {
            Ok((EventId(r.get(0)?), r.get(2)?, r.get(3)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Events with changes to undo, as they were.
    fn changed_events(&self) -> Result<Vec<EventAsOf>, StoreError> {
        let mut select = self.c.prepare_cached(&format!(
            "SELECT {} FROM event WHERE source = ?1 AND sport = ?2 AND first_look <= ?3
             AND EXISTS (SELECT 1 FROM change WHERE change.event = event.id AND change.look > ?3) ORDER BY id",
            codec::EVENT_COLUMNS
        ))?;
        let rows = select
            .query_map(params![self.source, self.sport.0, self.last()], codec::event_row)?
            .collect::<Result<Vec<_>, _>>()?;
        load(self.c, rows, self.last, None)
    }

    fn delete_quality(&self) -> Result<(), StoreError> {
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(&format!("DELETE FROM quality WHERE look IN {LOOKS}"), looks)?;
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(&format!("UPDATE quality SET cleared = NULL WHERE cleared IN {LOOKS}"), looks)?;
        Ok(())
    }

    fn delete_rows(&self, unborn: &[EventId]) -> Result<(), StoreError> {
        for table in ["change", "keyframe", "event_start", "event_score", "event_life"] {
            let sql = format!(
                "DELETE FROM {table} WHERE event IN (SELECT id FROM event WHERE source = ? AND sport = ?) AND look > ?"
            );
            self.c.execute(&sql, params![self.source, self.sport.0, self.last()])?;
        }
        self.put_back_newest_points()?;
        // Only these can have rows after `last`; the logs of the others need not be read.
        for table in ["point", "signal", "opportunity", "close", "clv"] {
            let sql = format!(
                "DELETE FROM {table} WHERE event IN (SELECT id FROM event WHERE source = ?1 AND sport = ?2
                 AND (forgotten IS NULL OR forgotten > ?3)) AND look > ?3"
            );
            self.c.execute(&sql, params![self.source, self.sport.0, self.last()])?;
        }
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(&format!("DELETE FROM tally WHERE look IN {LOOKS}"), looks)?;
        let looks = params![self.source, self.sport.0, self.at.millis()];
        self.c.execute(&format!("DELETE FROM look_seen WHERE look IN {LOOKS}"), looks)?;
        self.c.execute(
            "DELETE FROM look WHERE source = ? AND sport = ? AND received_at > ?",
            params![self.source, self.sport.0, self.at.millis()],
        )?;
        for event in unborn {
            self.c.prepare_cached("DELETE FROM hub_event WHERE event = ?")?.execute([event.0])?;
            self.c.prepare_cached("DELETE FROM quote WHERE event = ?")?.execute([event.0])?;
            self.c.prepare_cached("DELETE FROM event WHERE id = ?")?.execute([event.0])?;
        }
        Ok(())
    }

    /// Each question's newest point is again the one that held after `last`.
    fn put_back_newest_points(&self) -> Result<(), StoreError> {
        let mut select = self.c.prepare_cached(
            "SELECT event, market, subject, own_line, look FROM point_newest
             WHERE event IN (SELECT id FROM event WHERE source = ?1 AND sport = ?2) AND look > ?3",
        )?;
        let moved: Vec<(u32, (i64, i64, i64), i64)> = select
            .query_map(params![self.source, self.sport.0, self.last()], |r| {
                Ok((r.get(0)?, (r.get(1)?, r.get(2)?, r.get(3)?), r.get(4)?))
            })?
            .collect::<Result<_, _>>()?;
        let mut update = self.c.prepare_cached(
            "UPDATE point_newest SET look = ?5 WHERE event = ?1 AND market = ?2 AND subject = ?3 AND own_line = ?4",
        )?;
        let mut delete = self.c.prepare_cached(
            "DELETE FROM point_newest WHERE event = ? AND market = ? AND subject = ? AND own_line = ?",
        )?;
        for (event, question, newest) in moved {
            let (market, subject, own_line) = question;
            match point_held(self.c, EventId(event), question, newest, self.last)? {
                Some(held) => update.execute(params![event, market, subject, own_line, held])?,
                None => delete.execute(params![event, market, subject, own_line])?,
            };
        }
        Ok(())
    }

    /// Starts, scores and what was forgotten.
    fn put_back_events(&self, let_go: &[(EventId, i64, u32)]) -> Result<(), StoreError> {
        self.c.execute(
            "UPDATE event SET
                 commence = ifnull((SELECT s.commence FROM event_start s WHERE s.event = id ORDER BY s.look DESC LIMIT 1),
                                   commence),
                 (status, home_score, away_score) =
                     (SELECT ifnull(max(s.look) * 0 + s.status, 0), s.home_score, s.away_score
                      FROM event_score s WHERE s.event = id)
             WHERE source = ? AND sport = ?",
            params![self.source, self.sport.0],
        )?;
        self.c.execute(
            "UPDATE event SET forgotten = NULL, slots =
                 (SELECT first_slot FROM event_life WHERE event_life.event = id ORDER BY look DESC LIMIT 1)
             WHERE source = ? AND sport = ? AND forgotten > ?",
            params![self.source, self.sport.0, self.last()],
        )?;
        for (event, look, slots) in let_go {
            self.c
                .prepare_cached("UPDATE event SET forgotten = ?, slots = ? WHERE id = ?")?
                .execute(params![look, slots, event.0])?;
        }
        Ok(())
    }
}

/// The quotes of an event, each as its newest row of the log left it.
pub(super) fn put_back(c: &Connection, event: &EventAsOf) -> Result<(), StoreError> {
    let newest = event.quotes.last().map_or(-1, |(slot, ..)| i64::from(slot.0));
    c.prepare_cached(
        // Quotes of earlier lives stay, even where this one has none yet.
        "DELETE FROM quote WHERE event = ?1 AND slot > max(?2, ifnull(
                 (SELECT first_slot - 1 FROM event_life WHERE event = ?1 ORDER BY look DESC LIMIT 1), -1))",
    )?
    .execute(params![event.row.id.0, newest])?;
    let mut update = c.prepare_cached(
        "UPDATE quote SET line = ?, price = ?, status = ?, last_changed = ?, last_seen = ?, provider_update = ?
         WHERE event = ? AND slot = ?",
    )?;
    // The phase of the row is the one of its look; that of the state may be of a later one.
    let mut logged: FxHashMap<u32, u8> = FxHashMap::default();
    let mut log = c.prepare_cached("SELECT slot, status FROM change WHERE event = ? ORDER BY look DESC")?;
    let mut rows = log.query([event.row.id.0])?;
    while logged.len() < event.quotes.len() {
        let Some(r) = rows.next()? else { break };
        let slot = r.get(0)?;
        if event.quotes.binary_search_by_key(&slot, |(s, ..)| s.0).is_ok() {
            logged.entry(slot).or_insert(r.get(1)?);
        }
    }
    drop(rows);
    for (slot, _, v) in &event.quotes {
        let absent = !v.status.is_present();
        let status = logged.get(&slot.0).copied().unwrap_or_else(|| status_code(v.status, v.phase));
        update.execute(params![
            v.line.map(|l| l.hundredths()),
            v.price.code(),
            status,
            v.last_changed.millis(),
            absent.then(|| v.last_seen.millis()),
            v.provider_update.filter(|_| absent).map(Timestamp::millis),
            event.row.id.0,
            slot.0,
        ])?;
    }
    Ok(())
}
