//! A store that begins with the newest of the hub's log: the present of the games that are on first, their history and
//! everything else behind it, and at the end nothing that a store would not hold that was told all of it in order.
//!
//! Looks of before have their numbers reserved (those at the hub, moved on), so that they can be spoken of before they
//! come. A look that is in the table `look` and not in `hub_look` has come early and in part.

use rusqlite::params;
use rustc_hash::FxHashMap;

use super::super::as_of::{last_look, load};
use super::super::rewind::put_back;
use super::super::{StoreError, codec};
use super::incoming::{Applied, Incoming};
use super::maps::our_look;
use super::taking::Taking;
use crate::engine::changes::EventRow;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;

/// What is later than everything.
const NOW: Timestamp = Timestamp::from_millis(i64::MAX);

impl Taking<'_> {
    /// The newest of the log, into a store that has nothing of it yet.
    pub(super) fn recent(mut self, incoming: &Incoming, gap: i64) -> Result<Applied, StoreError> {
        self.reserve(incoming)?;
        let early = incoming.early.as_ref();
        for look in early.map(|e| e.looks.as_slice()).unwrap_or_default() {
            self.header(look)?;
        }
        for look in &incoming.looks {
            self.look(look)?;
        }
        for event in &incoming.events {
            self.event(event)?;
        }
        for (table, rows) in early.map(|e| e.rows.as_slice()).unwrap_or_default() {
            self.rows(table, rows.as_ref())?;
        }
        self.write(incoming)?;
        for event in &incoming.events {
            let Some(id) = self.ours.event(event.hub) else { continue };
            self.c.execute(
                "INSERT OR REPLACE INTO hub_ahead (event, slot) SELECT ?1, ifnull((SELECT first_slot FROM event_life
                 WHERE event = ?1 ORDER BY look DESC LIMIT 1), 0)",
                [id],
            )?;
        }
        self.present()?;
        self.remember(incoming)?;
        self.c.execute("UPDATE hub SET pulled = ?, behind = 0, gap = ? WHERE id = 1", [incoming.until, gap])?;
        self.applied.retracted = true;
        Ok(self.applied)
    }

    /// Numbers for all looks up to the newest of these: the hub has gone on since this store was linked.
    fn reserve(&mut self, incoming: &Incoming) -> Result<(), StoreError> {
        self.head = incoming.looks.iter().map(|l| l.hub).max().unwrap_or(0);
        self.base =
            self.c.query_row("SELECT max(ifnull((SELECT max(id) FROM look), 0), newest) FROM hub", [], |r| r.get(0))?;
        self.c.execute("UPDATE hub SET base = ?, head = ? WHERE id = 1", [self.base, self.head])?;
        Ok(())
    }

    /// A stretch of what comes behind.
    pub(super) fn behind(mut self, incoming: &Incoming) -> Result<Applied, StoreError> {
        for look in &incoming.looks {
            self.look(look)?;
        }
        for event in &incoming.events {
            self.event(event)?;
        }
        for (table, rows) in &incoming.rows {
            self.rows(table, rows.as_ref())?;
        }
        let ahead = self.ahead()?;
        self.quotes.retain(|(event, slot), _| ahead.get(event).is_none_or(|first| slot < first));
        self.put_quotes()?;
        self.put_points()?;
        self.remember(incoming)?;
        self.c.execute("UPDATE hub SET behind = ? WHERE id = 1", [incoming.until])?;
        let gap: Option<i64> = self.c.query_row("SELECT gap FROM hub WHERE id = 1", [], |r| r.get(0))?;
        if gap.is_some_and(|gap| incoming.until >= gap) {
            self.complete()?;
        }
        Ok(self.applied)
    }

    /// Games whose present is here, and from which slot on.
    fn ahead(&self) -> Result<FxHashMap<i64, i64>, StoreError> {
        let mut select = self.c.prepare_cached("SELECT event, slot FROM hub_ahead")?;
        Ok(select.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?)
    }

    /// Everything is here.
    fn complete(&mut self) -> Result<(), StoreError> {
        self.present()?;
        let mut select = self.c.prepare("SELECT look, of, n FROM hub_end ORDER BY look, of, n")?;
        let ends: Vec<(i64, i64, i64)> =
            select.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect::<Result<_, _>>()?;
        let mut end = self.c.prepare(
            "UPDATE quality SET cleared = ?1 WHERE id = (SELECT id FROM quality WHERE look = ?2 ORDER BY id LIMIT 1 OFFSET ?3)",
        )?;
        for (look, of, n) in ends {
            if let Some(of) = our_look(self.c, of)? {
                end.execute(params![look, of, n])?;
            }
        }
        // Rules are noted where they change; what came first could not know of those before.
        self.c.execute_batch(
            "DELETE FROM analysis_setting WHERE json IS (SELECT a.json FROM analysis_setting AS a
                 WHERE a.look < analysis_setting.look ORDER BY a.look DESC LIMIT 1);
             DELETE FROM hub_ahead;
             DELETE FROM hub_end;
             UPDATE hub SET behind = NULL, gap = NULL;",
        )?;
        (self.applied.complete, self.applied.retracted) = (true, true);
        Ok(())
    }

    /// The quotes of the games that are ahead, as their logs say they stand now.
    fn present(&self) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {} FROM event WHERE id IN (SELECT event FROM hub_ahead) AND first_look > 0
             ORDER BY source, sport, id",
            codec::EVENT_COLUMNS
        );
        let rows: Vec<EventRow> = self.c.prepare(&sql)?.query_map([], codec::event_row)?.collect::<Result<_, _>>()?;
        let mut streams: Vec<((u32, SportId), Vec<EventRow>)> = Vec::new();
        for row in rows {
            match streams.last_mut() {
                Some((stream, rows)) if *stream == (row.source, row.sport) => rows.push(row),
                _ => streams.push(((row.source, row.sport), vec![row])),
            }
        }
        for ((source, sport), rows) in streams {
            let Some(last) = last_look(self.c, source, sport, NOW)? else { continue };
            for event in load(self.c, rows, last, None)? {
                put_back(self.c, &event)?;
            }
        }
        Ok(())
    }
}
