//! What comes from a hub, written into the store: a stretch of its log in one transaction, with the place up to which
//! the log has been taken in. Looks get numbers of ours in the order of the hub's; a look that is here already stays.

mod giving_up;
mod rows;

use rusqlite::{Connection, TransactionBehavior, params};
use rustc_hash::FxHashMap;

pub(super) use self::rows::here;
use super::super::write::none_if_no_rows;
use super::super::{Store, StoreError};
use super::cell::Cell;
use super::history::note_marks;
use super::incoming::{Applied, AppliedLook, Incoming, IncomingEvent, IncomingLook, Order};
use super::maps::{Maps, our_look};
use super::tables;
use crate::engine::EngineSettings;
use crate::engine::names::NameKind;
use crate::market::time::Timestamp;

impl Store {
    /// Takes in a stretch of the hub's log: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_apply(&mut self, incoming: &Incoming, settings: &EngineSettings) -> Result<Applied, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied = match &incoming.exchange {
            Some(exchange) => super::exchange::take(&tx, exchange).map(|()| Applied::default())?,
            None => Taking::new(&tx)?.take(incoming, settings)?,
        };
        tx.commit()?;
        Ok(applied)
    }
}
/// The present value of a quote while changes are gone through.
#[derive(Clone, Copy)]
pub(super) struct Present {
    line: Option<i64>,
    price: i64,
    status: i64,
    last_seen: Option<i64>,
    provider_update: Option<i64>,
    last_changed: i64,
}

/// Event, market, subject, line of its own.
type Question = (i64, i64, i64, i64);

pub(super) struct Taking<'c> {
    pub(super) c: &'c Connection,
    /// From the hub's numbers to ours.
    pub(super) ours: Maps,
    pub(super) base: i64,
    pub(super) head: i64,
    pub(super) order: Order,
    /// Entries are still to come that are older than what is here.
    pub(super) is_open: bool,
    /// The looks of this stretch that are new here: our number and instant, by the hub's.
    pub(super) looks: FxHashMap<i64, (i64, Timestamp)>,
    pub(super) quotes: FxHashMap<(i64, i64), Present>,
    newest_points: FxHashMap<Question, i64>,
    pub(super) applied: Applied,
}
impl<'c> Taking<'c> {
    fn new(c: &'c Connection) -> Result<Self, StoreError> {
        let (base, head, is_open) =
            c.query_row("SELECT base, head, gap IS NOT NULL FROM hub WHERE id = 1", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })?;
        Ok(Self {
            c,
            ours: Maps::load(c)?.turned(),
            base,
            head,
            order: Order::Next,
            is_open,
            looks: FxHashMap::default(),
            quotes: FxHashMap::default(),
            newest_points: FxHashMap::default(),
            applied: Applied::default(),
        })
    }

    fn take(mut self, incoming: &Incoming, settings: &EngineSettings) -> Result<Applied, StoreError> {
        for (kind, number, name) in &incoming.names {
            self.name(*kind, *number, name)?;
        }
        self.order = incoming.order;
        match incoming.order {
            Order::Next => {}
            Order::Recent { gap } => return self.recent(incoming, gap),
            Order::Behind => return self.behind(incoming),
        }
        if let Some((source, sport, after)) = incoming.retract
            && !self.has_gone_back(incoming)?
        {
            let (source, sport) = (self.number(NameKind::Source, source)?, self.number(NameKind::Sport, sport)?);
            self.go_back(source, sport, after, settings)?;
            // What we wanted to take back from there on is gone.
            self.c
                .prepare_cached("DELETE FROM taken_back WHERE source = ? AND sport = ? AND after >= ?")?
                .execute(params![source, sport, after.millis()])?;
            self.applied.retracted = true;
        }
        if self.own(incoming)? || self.give_up(incoming, settings)? {
            return Ok(self.applied);
        }
        for look in &incoming.looks {
            self.look(look)?;
        }
        self.write(incoming)?;
        self.remember(incoming)?;
        self.c.execute("UPDATE hub SET pulled = max(pulled, ?) WHERE id = 1", [incoming.until])?;
        Ok(self.applied)
    }

    /// The log is read again, and what this entry takes back went long ago: what has come in since is not its business.
    fn has_gone_back(&self, incoming: &Incoming) -> Result<bool, StoreError> {
        let Some((entry, mark)) = incoming.marks.last() else { return Ok(false) };
        Ok(self.c.query_row(
            "SELECT EXISTS (SELECT 1 FROM hub_back JOIN hub_mark USING (entry) WHERE entry = ? AND mark = ?)",
            params![entry, &mark[..]],
            |r| r.get(0),
        )?)
    }

    /// The rows of looks that stand in the store.
    pub(super) fn write(&mut self, incoming: &Incoming) -> Result<(), StoreError> {
        for event in &incoming.events {
            self.event(event)?;
        }
        for (table, rows) in &incoming.rows {
            self.rows(table, rows.as_ref())?;
        }
        self.put_quotes()?;
        self.put_points()
    }

    /// What is needed should the hub forget these entries.
    pub(super) fn remember(&self, incoming: &Incoming) -> Result<(), StoreError> {
        note_marks(self.c, &incoming.marks)?;
        for (entry, source, sport, after) in &incoming.backs {
            let numbers = (self.ours.name(NameKind::Source, *source), self.ours.name(NameKind::Sport, *sport));
            let (Some(source), Some(sport)) = numbers else { continue };
            self.c
                .prepare_cached("INSERT OR REPLACE INTO hub_back (entry, source, sport, after) VALUES (?,?,?,?)")?
                .execute(params![entry, source, sport, after])?;
        }
        Ok(())
    }

    fn number(&self, kind: NameKind, hub: u32) -> Result<u32, StoreError> {
        self.ours.name(kind, hub).ok_or(StoreError::Damaged { what: "name of the hub" })
    }

    fn name(&mut self, kind: NameKind, hub: u32, name: &str) -> Result<(), StoreError> {
        if self.ours.name(kind, hub).is_some() {
            return Ok(());
        }
        let mut find = self.c.prepare_cached("SELECT number FROM name WHERE kind = ? AND name = ?")?;
        let known: Option<u32> =
            find.query_row(params![kind as u8, name], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?;
        let number = match known {
            Some(number) => number,
            None => {
                let mut next = self.c.prepare_cached("SELECT count(*) + 1 FROM name WHERE kind = ?")?;
                let number = next.query_row([kind as u8], |r| r.get(0))?;
                self.c
                    .prepare_cached("INSERT INTO name (kind, number, name) VALUES (?,?,?)")?
                    .execute(params![kind as u8, number, name])?;
                number
            }
        };
        self.c
            .prepare_cached("INSERT OR REPLACE INTO hub_name (kind, number, hub) VALUES (?,?,?)")?
            .execute(params![kind as u8, number, hub])?;
        self.ours.learn_name(kind, hub, number);
        Ok(())
    }

    pub(super) fn look(&mut self, look: &IncomingLook) -> Result<(), StoreError> {
        if our_look(self.c, look.hub)?.is_some() {
            return Ok(());
        }
        let id = self.header(look)?;
        self.c
            .prepare_cached("INSERT INTO hub_look (look, hub, entry) VALUES (?,?,?)")?
            .execute(params![id, look.hub, look.entry])?;
        if !look.rules.is_empty() {
            self.note_rules(id, &look.rules)?;
        }
        if self.order != Order::Next {
            return Ok(());
        }
        let count = |name| u32::try_from(column(look, name).int().unwrap_or(0)).unwrap_or(0);
        let sport = self.number(NameKind::Sport, look.sport)?;
        let sport_key: String = self
            .c
            .prepare_cached("SELECT name FROM name WHERE kind = 1 AND number = ?")?
            .query_row([sport], |r| r.get(0))?;
        self.applied.looks.push(AppliedLook {
            id,
            sport: sport_key,
            endpoint: column(look, "endpoint").text().unwrap_or_default().to_owned(),
            received_at: look.received_at,
            quotes: count("quotes"),
            changes: count("changes"),
            issues: count("issues"),
        });
        Ok(())
    }

    /// The row of a look; answers our number.
    pub(super) fn header(&mut self, look: &IncomingLook) -> Result<i64, StoreError> {
        let column = |name: &str| column(look, name);
        let id: i64 = if look.hub <= self.head {
            self.base + look.hub
        } else {
            self.c
                .prepare_cached("SELECT max(ifnull((SELECT max(id) FROM look), 0), newest) + 1 FROM hub")?
                .query_row([], |r| r.get(0))?
        };
        let scope = column("scope").text().unwrap_or("{}").to_owned();
        self.c.prepare_cached("INSERT OR IGNORE INTO scope (json) VALUES (?)")?.execute([&scope])?;
        let source = self.number(NameKind::Source, look.source)?;
        let sport = self.number(NameKind::Sport, look.sport)?;
        self.c
            .prepare_cached(
                "INSERT OR IGNORE INTO look (id, source, sport, received_at, endpoint, scope, origin, cost, remaining, events,
                 quotes, changes, issues, body_hash, tier)
                 VALUES (?,?,?,?,?,(SELECT id FROM scope WHERE json = ?),?,?,?,?,?,?,?,?,?)",
            )?
            .execute(params![
                id,
                source,
                sport,
                look.received_at.millis(),
                column("endpoint"),
                scope,
                column("origin"),
                column("cost"),
                column("remaining"),
                column("events"),
                column("quotes"),
                column("changes"),
                column("issues"),
                column("body_hash"),
                column("tier"),
            ])?;
        self.looks.insert(look.hub, (id, look.received_at));
        Ok(id)
    }

    /// See [`Store::note_settings`].
    fn note_rules(&self, look: i64, json: &str) -> Result<(), StoreError> {
        self.c
            .prepare_cached(
                "INSERT OR REPLACE INTO analysis_setting (look, json) SELECT ?1, ?2 WHERE ?2 IS NOT
                 (SELECT json FROM analysis_setting WHERE look <= ?1 ORDER BY look DESC LIMIT 1)",
            )?
            .execute(params![look, json])?;
        Ok(())
    }

    /// Our number of a look, whether it is here or still to come.
    pub(super) fn look_here(&self, hub: i64) -> Result<Option<i64>, StoreError> {
        match self.looks.get(&hub) {
            Some((look, _)) => Ok(Some(*look)),
            None => match self.reserved() {
                Some((base, head)) if (1..=head).contains(&hub) => Ok(Some(base + hub)),
                _ => our_look(self.c, hub),
            },
        }
    }

    /// Looks of the hub up to the second number have their number there plus the first here, wherever they are spoken of
    /// before they come.
    fn reserved(&self) -> Option<(i64, i64)> {
        (self.order != Order::Next || self.is_open).then_some((self.base, self.head))
    }

    pub(super) fn event(&mut self, e: &IncomingEvent) -> Result<(), StoreError> {
        let source = self.number(NameKind::Source, e.source)?;
        let sport = self.number(NameKind::Sport, e.sport)?;
        let known = match self.ours.event(e.hub) {
            Some(event) => Some(event),
            None => {
                let mut find = self.c.prepare_cached("SELECT id FROM event WHERE source = ? AND provider_id = ?")?;
                find.query_row(params![source, e.provider_id], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?
            }
        };
        let id: u32 = match known {
            Some(id) => id,
            None => self.c.query_row("SELECT ifnull(max(id), 0) + 1 FROM event", [], |r| r.get(0))?,
        };
        let first_look = self.look_here(e.first_look)?.unwrap_or(0);
        let forgotten = e.forgotten.map(|look| self.look_here(look)).transpose()?.flatten();
        let slots = e.slots.filter(|_| forgotten.is_some());
        self.c
            .prepare_cached(
                "INSERT INTO event (id, source, provider_id, sport, home, away, commence, first_seen, first_look, status,
                 home_score, away_score, forgotten, slots) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)
                 ON CONFLICT (id) DO UPDATE SET home = ?5, away = ?6, commence = ?7, first_seen = min(first_seen, ?8),
                 first_look = CASE WHEN ?9 > 0 THEN ?9 ELSE first_look END, status = ?10, home_score = ?11,
                 away_score = ?12, forgotten = ?13, slots = ?14",
            )?
            .execute(params![
                id,
                source,
                e.provider_id,
                sport,
                e.home,
                e.away,
                e.commence,
                e.first_seen,
                first_look,
                e.status,
                e.home_score,
                e.away_score,
                forgotten,
                slots,
            ])?;
        if self.ours.event(e.hub) != Some(id) {
            self.c
                .prepare_cached("INSERT OR REPLACE INTO hub_event (event, hub) VALUES (?,?)")?
                .execute(params![id, e.hub])?;
            self.ours.learn_event(e.hub, id);
        }
        Ok(())
    }
}

fn column<'l>(look: &'l IncomingLook, name: &str) -> &'l Cell<'static> {
    let at = tables::LOOK_COLUMNS.iter().position(|c| c.name == name);
    at.and_then(|at| look.cells.get(at)).unwrap_or(&Cell::Null)
}
