//! What comes from a hub, written into the store: a stretch of its log in one transaction, with the place up to which
//! the log has been taken in. Looks get numbers of ours in the order of the hub's; a look that is here already stays.

use std::borrow::Cow;

use rusqlite::{Connection, TransactionBehavior, params};
use rustc_hash::FxHashMap;

use super::super::write::{Together, none_if_no_rows};
use super::super::{Store, StoreError, codec};
use super::cell::{Cell, EachRow};
use super::exchange::ExchangeStretch;
use super::history::{Mark, note_marks};
use super::maps::{Maps, our_look};
use super::run::{renumber_json, renumber_legs, renumber_seen};
use super::tables::{self, Column, Means, Table};
use crate::engine::EngineSettings;
use crate::engine::names::NameKind;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;

/// Rows of one table, in the order of their looks.
pub trait Rows: Send {
    /// Tells each row: the hub's number of its look, and the cells in the order of the table's columns.
    ///
    /// # Errors
    /// When the rows cannot be read, and whatever `row` answers.
    fn each(&self, row: &mut EachRow<'_>) -> Result<(), StoreError>;
}

/// A look of the hub.
#[derive(Clone, PartialEq, Debug)]
pub struct IncomingLook {
    /// The hub's number.
    pub hub: i64,
    /// The entry of the log in which it stands.
    pub entry: i64,
    /// The hub's number of its source.
    pub source: u32,
    /// The hub's number of its sport.
    pub sport: u32,
    /// When it was received.
    pub received_at: Timestamp,
    /// [`tables::LOOK_COLUMNS`].
    pub cells: Vec<Cell<'static>>,
    /// The rules that it was judged by, as JSON; empty where none are noted.
    pub rules: String,
}

/// An event of the hub as it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingEvent {
    /// The hub's number.
    pub hub: u32,
    /// The hub's number of its source.
    pub source: u32,
    /// Its id at the source.
    pub provider_id: String,
    /// The hub's number of its sport.
    pub sport: u32,
    /// Home team.
    pub home: String,
    /// Away team.
    pub away: String,
    /// Its start.
    pub commence: i64,
    /// When it was first received.
    pub first_seen: i64,
    /// Its first look, the hub's number.
    pub first_look: i64,
    /// Where it stands.
    pub status: i64,
    /// Points, home.
    pub home_score: Option<i64>,
    /// Points, away.
    pub away_score: Option<i64>,
    /// The look at which the engine let go of it, the hub's number.
    pub forgotten: Option<i64>,
    /// Slots given until then.
    pub slots: Option<i64>,
}

/// Where a stretch stands among what is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// After everything else.
    #[default]
    Next,
    /// The newest of the log into a new store; the entries up to `gap` come later.
    Recent {
        /// The last entry that comes later.
        gap: i64,
    },
    /// Among those that come later.
    Behind,
}

/// What the newest looks of the log need from before them: rows of looks that come later, which are then whole.
#[derive(Default)]
pub struct Early {
    /// The looks.
    pub looks: Vec<IncomingLook>,
    /// Rows of theirs, table by table; those of slots before those of changes.
    pub rows: Vec<(Table, Box<dyn Rows>)>,
}

/// A look that this device told itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnLook {
    /// Our number.
    pub look: i64,
    /// The hub's.
    pub hub: i64,
    /// The entry of the log in which it stands.
    pub entry: i64,
    /// The hub's number of its source.
    pub source: u32,
    /// The hub's number of its sport.
    pub sport: u32,
}

/// A stretch of the hub's log.
#[derive(Default)]
pub struct Incoming {
    /// Where it stands.
    pub order: Order,
    /// What it needs from before it.
    pub early: Option<Early>,
    /// Every entry up to this one is in the store afterwards.
    pub until: i64,
    /// Marks of its entries, rising.
    pub marks: Vec<(i64, Mark)>,
    /// Entries by which looks were taken back, our own included: entry, source and sport (the hub's numbers), after when.
    pub backs: Vec<(i64, u32, u32, i64)>,
    /// Names that are new there: list, the hub's number, name.
    pub names: Vec<(NameKind, u32, String)>,
    /// Looks of a source and sport (the hub's numbers) received after the instant are taken back, before anything else.
    pub retract: Option<(u32, u32, Timestamp)>,
    /// Looks that this device told itself.
    pub own: Vec<OwnLook>,
    /// Events that it told, or told anew: the hub's number, its number of the source, the id at the source.
    pub own_events: Vec<(u32, u32, String)>,
    /// Looks, in the hub's order.
    pub looks: Vec<IncomingLook>,
    /// Events that changed or that the rows speak of.
    pub events: Vec<IncomingEvent>,
    /// Rows, table by table; those of slots before those of changes.
    pub rows: Vec<(Table, Box<dyn Rows>)>,
    /// What an exchange told; it comes alone.
    pub exchange: Option<ExchangeStretch>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("until", &self.until).field("looks", &self.looks.len()).finish_non_exhaustive()
    }
}

/// A look that has been written, for the announcement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppliedLook {
    /// Our number.
    pub id: i64,
    /// Sport key.
    pub sport: String,
    /// Name of the endpoint.
    pub endpoint: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// Quotes in it.
    pub quotes: u32,
    /// Rows of the change log.
    pub changes: u32,
    /// Issues found.
    pub issues: u32,
}

/// What came of a stretch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Looks written, in order.
    pub looks: Vec<AppliedLook>,
    /// Looks of ours that the hub never took and that had to go, because another collector had gone on without them.
    pub given_up: u64,
    /// Looks of the hub went with them: the log is to be read again from this entry on.
    pub again_after: Option<i64>,
    /// Looks that this device told itself are not here any more: up to this entry their rows are needed too.
    pub own_missing: Option<i64>,
    /// Looks were taken back, or history came in behind: what was read of the store is to be read again.
    pub retracted: bool,
    /// All history is here.
    pub complete: bool,
}

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

    /// Takes a source and sport back, without telling the hub, which knows.
    fn go_back(
        &mut self,
        source: u32,
        sport: u32,
        after: Timestamp,
        settings: &EngineSettings,
    ) -> Result<(), StoreError> {
        let sport = SportId(u16::try_from(sport).map_err(|_| StoreError::Damaged { what: "sport" })?);
        let told: i64 = self.c.query_row("SELECT ifnull(max(id), 0) FROM taken_back", [], |r| r.get(0))?;
        Together { connection: self.c }.rewind(source, sport, after, settings)?;
        self.c.execute("DELETE FROM taken_back WHERE id > ?", [told])?;
        // Games that were first seen later are gone, and what the hub calls them with them.
        self.ours = Maps::load(self.c)?.turned();
        Ok(())
    }

    /// Notes what the hub has of ours: its answer may have been lost. Answers whether something of it is not here any more,
    /// and the rows are needed.
    fn own(&mut self, incoming: &Incoming) -> Result<bool, StoreError> {
        for (hub, source, provider_id) in &incoming.own_events {
            if self.ours.event(*hub).is_some() {
                continue;
            }
            let source = self.number(NameKind::Source, *source)?;
            let mut find = self.c.prepare_cached("SELECT id FROM event WHERE source = ? AND provider_id = ?")?;
            let known: Option<u32> =
                find.query_row(params![source, provider_id], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?;
            if let Some(event) = known {
                self.c
                    .prepare_cached("INSERT OR REPLACE INTO hub_event (event, hub) VALUES (?,?)")?
                    .execute(params![event, hub])?;
                self.ours.learn_event(*hub, event);
            }
        }
        let mut missing = false;
        for own in &incoming.own {
            if our_look(self.c, own.hub)?.is_some() {
                continue;
            }
            let noted = self
                .c
                .prepare_cached(
                    "INSERT OR REPLACE INTO hub_look (look, hub, entry) SELECT ?1, ?2, ?3
                     WHERE EXISTS (SELECT 1 FROM look WHERE id = ?1)",
                )?
                .execute(params![own.look, own.hub, own.entry])?;
            // What we took back ourselves the hub will hear of.
            let (source, sport) =
                (self.number(NameKind::Source, own.source)?, self.number(NameKind::Sport, own.sport)?);
            missing |= noted == 0
                && !self
                    .c
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM taken_back WHERE source = ? AND sport = ?)")?
                    .query_row(params![source, sport], |r| r.get(0))?;
        }
        if missing {
            self.applied.again_after = Some(self.c.query_row("SELECT pulled FROM hub WHERE id = 1", [], |r| r.get(0))?);
            self.applied.own_missing = Some(incoming.until);
        }
        Ok(missing)
    }

    /// Looks of ours that the hub has not taken go before looks of another collector of the same sport are written. Answers
    /// whether looks of the hub had to go with them.
    fn give_up(&mut self, incoming: &Incoming, settings: &EngineSettings) -> Result<bool, StoreError> {
        let mut streams: Vec<(u32, u32)> = Vec::new();
        for look in &incoming.looks {
            let stream = (self.number(NameKind::Source, look.source)?, self.number(NameKind::Sport, look.sport)?);
            if !streams.contains(&stream) && our_look(self.c, look.hub)?.is_none() {
                streams.push(stream);
            }
        }
        let mut again: Option<i64> = None;
        for (source, sport) in streams {
            let untold = "source = ?1 AND sport = ?2
                 AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)
                 AND NOT EXISTS (SELECT 1 FROM hub_apart WHERE hub_apart.look = look.id)";
            // What was there before the hub heard of the sport is not the hub's business.
            let (n, oldest): (i64, Option<i64>) = self.c.query_row(
                &format!(
                    "SELECT count(*), min(received_at) FROM look WHERE {untold} AND id > ifnull(
                     (SELECT look FROM hub_pushed WHERE source = ?1 AND sport = ?2), 0)
                     AND NOT EXISTS (SELECT 1 FROM hub WHERE gap IS NOT NULL AND look.id BETWEEN base + 1 AND base + head)"
                ),
                params![source, sport],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )?;
            // Nor does the hub hear any more of what we wanted to take back: its looks of that time come again.
            let back: Option<i64> = self.c.query_row(
                "SELECT min(after) + 1 FROM taken_back WHERE source = ? AND sport = ?",
                params![source, sport],
                |r| r.get(0),
            )?;
            let Some(oldest) = [oldest, back].into_iter().flatten().min() else { continue };
            if back.is_some() {
                self.c.execute("DELETE FROM taken_back WHERE source = ? AND sport = ?", params![source, sport])?;
                self.c.execute("UPDATE hub SET whole = max(whole, ?)", [incoming.until])?;
                let before: i64 = self.c.query_row(
                    "SELECT ifnull(max(entry), 1) FROM hub_look JOIN look ON look.id = hub_look.look
                     WHERE source = ? AND sport = ? AND received_at < ?",
                    params![source, sport, oldest],
                    |r| r.get(0),
                )?;
                again = Some(again.map_or(before, |a| a.min(before)));
            }
            let lost: Option<i64> = self.c.query_row(
                "SELECT min(entry) FROM hub_look JOIN look ON look.id = hub_look.look
                 WHERE source = ? AND sport = ? AND received_at >= ?",
                params![source, sport, oldest],
                |r| r.get(0),
            )?;
            self.go_back(source, sport, Timestamp::from_millis(oldest - 1), settings)?;
            self.applied.given_up += u64::try_from(n).unwrap_or(0);
            self.applied.retracted = true;
            again = [again, lost].into_iter().flatten().min();
        }
        if let Some(entry) = again {
            self.c.execute("UPDATE hub SET pulled = ? WHERE id = 1", [entry - 1])?;
            self.applied.again_after = Some(entry - 1);
        }
        Ok(again.is_some())
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

    pub(super) fn rows(&mut self, table: &Table, rows: &dyn Rows) -> Result<(), StoreError> {
        match table.name {
            "slot" => return self.slots(rows),
            "change" => return self.changes(rows),
            "quality_end" => return self.issue_ends(rows),
            _ => {}
        }
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).filter(|n| *n != "n").collect();
        let marks = vec!["?"; columns.len() + 1].join(",");
        // An issue has its instant in a column of its own.
        let at = table.name == tables::QUALITY.name;
        let (also, mark) = if at { (", at", ",?") } else { ("", "") };
        let sql =
            format!("INSERT OR IGNORE INTO {} (look, {}{also}) VALUES ({marks}{mark})", table.name, columns.join(", "));
        let mut insert = self.c.prepare_cached(&sql)?;
        let (looks, ours, c, reserved) = (&self.looks, &self.ours, self.c, self.reserved());
        let mut newest: Vec<(Question, i64)> = Vec::new();
        rows.each(&mut |hub, cells| {
            // Looks that were here before have their rows.
            let Some((look, received_at)) = looks.get(&hub).copied() else { return Ok(()) };
            insert.raw_bind_parameter(1, look)?;
            let mut place = 2;
            let mut question = [0_i64; 4];
            for (index, (column, cell)) in table.columns.iter().zip(cells).enumerate() {
                if column.name == "n" {
                    continue;
                }
                let value = here(c, looks, ours, received_at, reserved, column, cell)?;
                if let (Some(part), Some(n)) = (question.get_mut(index), value.int()) {
                    *part = n;
                }
                insert.raw_bind_parameter(place, value)?;
                place += 1;
            }
            if at {
                insert.raw_bind_parameter(place, received_at.millis())?;
            }
            insert.raw_execute()?;
            if table.name == tables::POINT.name {
                newest.push((question.into(), look));
            }
            Ok(())
        })?;
        drop(insert);
        for (question, look) in newest {
            self.newest_points.entry(question).and_modify(|l| *l = (*l).max(look)).or_insert(look);
        }
        Ok(())
    }

    /// What new slots stand for. Their values come with the change log.
    fn slots(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        let mut insert = self.c.prepare_cached(
            "INSERT OR IGNORE INTO quote (event, slot, book, market, side, subject, own_line, line, price, status,
             first_seen, last_changed) VALUES (?,?,?,?,?,?,?,NULL,0,1,?,?)",
        )?;
        let (looks, ours, c, reserved) = (&self.looks, &self.ours, self.c, self.reserved());
        rows.each(&mut |hub, cells| {
            let Some((_, at)) = looks.get(&hub).copied() else { return Ok(()) };
            for (index, (column, cell)) in tables::SLOT.columns.iter().zip(cells).enumerate() {
                insert.raw_bind_parameter(index + 1, here(c, looks, ours, at, reserved, column, cell)?)?;
            }
            insert.raw_bind_parameter(8, at.millis())?;
            insert.raw_bind_parameter(9, at.millis())?;
            insert.raw_execute()?;
            Ok(())
        })
    }

    fn changes(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        const DAMAGED: StoreError = StoreError::Damaged { what: "change of the hub" };
        let mut insert = self.c.prepare_cached(
            "INSERT OR IGNORE INTO change (event, look, slot, line, price, status, last_seen, provider_update)
             VALUES (?,?,?,?,?,?,?,?)",
        )?;
        let mut find =
            self.c.prepare_cached("SELECT line, price, last_changed FROM quote WHERE event = ? AND slot = ?")?;
        let (looks, ours, quotes) = (&self.looks, &self.ours, &mut self.quotes);
        rows.each(&mut |hub, cells| {
            let Some((look, at)) = looks.get(&hub).copied() else { return Ok(()) };
            let [event, slot, line, price, status, last_seen, provider_update] = cells else { return Err(DAMAGED) };
            let event = event.int().and_then(|e| u32::try_from(e).ok()).and_then(|e| ours.event(e)).ok_or(DAMAGED)?;
            let (event, slot) = (i64::from(event), slot.int().ok_or(DAMAGED)?);
            let (price, status) = (price.int().ok_or(DAMAGED)?, status.int().ok_or(DAMAGED)?);
            let (line, last_seen, provider_update) = (line.int(), last_seen.int(), provider_update.int());
            insert.raw_bind_parameter(1, event)?;
            insert.raw_bind_parameter(2, look)?;
            insert.raw_bind_parameter(3, slot)?;
            insert.raw_bind_parameter(4, line)?;
            insert.raw_bind_parameter(5, price)?;
            insert.raw_bind_parameter(6, status)?;
            insert.raw_bind_parameter(7, last_seen)?;
            insert.raw_bind_parameter(8, provider_update)?;
            insert.raw_execute()?;
            let before = match quotes.get(&(event, slot)) {
                Some(p) => Some((p.line, p.price, p.last_changed)),
                None => find
                    .query_row([event, slot], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
                    .map(Some)
                    .or_else(none_if_no_rows)?,
            };
            let last_changed = match before {
                Some((l, p, changed)) if l == line && p == price => changed,
                _ => at.millis(),
            };
            let present = Present { line, price, status, last_seen, provider_update, last_changed };
            quotes.insert((event, slot), present);
            Ok(())
        })
    }

    pub(super) fn put_quotes(&mut self) -> Result<(), StoreError> {
        let mut quotes: Vec<_> = std::mem::take(&mut self.quotes).into_iter().collect();
        quotes.sort_unstable_by_key(|(key, _)| *key);
        let mut update = self.c.prepare_cached(
            "UPDATE quote SET line = ?, price = ?, status = ?, last_changed = ?, last_seen = ?, provider_update = ?
             WHERE event = ? AND slot = ?",
        )?;
        for ((event, slot), p) in quotes {
            update.execute(params![
                p.line,
                p.price,
                p.status,
                p.last_changed,
                p.last_seen,
                p.provider_update,
                event,
                slot
            ])?;
        }
        Ok(())
    }

    pub(super) fn put_points(&mut self) -> Result<(), StoreError> {
        let mut points: Vec<_> = std::mem::take(&mut self.newest_points).into_iter().collect();
        points.sort_unstable();
        let mut move_on = self.c.prepare_cached(
            "INSERT INTO point_newest (event, market, subject, own_line, look) VALUES (?,?,?,?,?)
             ON CONFLICT DO UPDATE SET look = max(look, excluded.look)",
        )?;
        for ((event, market, subject, own_line), look) in points {
            move_on.execute(params![event, market, subject, own_line, look])?;
        }
        Ok(())
    }

    fn issue_ends(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        let c = self.c;
        let mut end = c.prepare_cached(
            "UPDATE quality SET cleared = ?1 WHERE id = (SELECT id FROM quality WHERE look = ?2 ORDER BY id LIMIT 1 OFFSET ?3)",
        )?;
        let mut later = c.prepare_cached("INSERT OR IGNORE INTO hub_end (look, of, n) VALUES (?,?,?)")?;
        let wait = self.is_open || self.order != Order::Next;
        let looks = &self.looks;
        rows.each(&mut |hub, cells| {
            let Some((look, _)) = looks.get(&hub).copied() else { return Ok(()) };
            let [of_look, of_n] = cells else { return Err(StoreError::Damaged { what: "issue of the hub" }) };
            let of_look = of_look.int().unwrap_or(0);
            let of = match looks.get(&of_look) {
                Some((of, _)) => Some(*of),
                None => our_look(c, of_look)?,
            };
            match of {
                Some(of) => end.execute(params![look, of, of_n.int()])?,
                None if wait => later.execute(params![look, of_look, of_n.int()])?,
                None => 0,
            };
            Ok(())
        })
    }
}

fn column<'l>(look: &'l IncomingLook, name: &str) -> &'l Cell<'static> {
    let at = tables::LOOK_COLUMNS.iter().position(|c| c.name == name);
    at.and_then(|at| look.cells.get(at)).unwrap_or(&Cell::Null)
}

/// A value in our numbers.
pub(super) fn here<'v>(
    c: &Connection,
    looks: &FxHashMap<i64, (i64, Timestamp)>,
    ours: &Maps,
    at: Timestamp,
    reserved: Option<(i64, i64)>,
    column: &Column,
    cell: &'v Cell<'v>,
) -> Result<Cell<'v>, StoreError> {
    let unknown = || StoreError::Damaged { what: "number of the hub" };
    if *cell == Cell::Null {
        return Ok(Cell::Null);
    }
    let number = || cell.int().and_then(|n| u32::try_from(n).ok()).ok_or_else(unknown);
    Ok(match column.means {
        Means::Plain => cell.clone_ref(),
        Means::Event => Cell::Int(ours.event(number()?).ok_or_else(unknown)?.into()),
        Means::Name(kind) => Cell::Int(ours.name(kind, number()?).ok_or_else(unknown)?.into()),
        Means::Look => {
            let hub = cell.int().ok_or_else(unknown)?;
            match looks.get(&hub) {
                Some((look, _)) => Cell::Int(*look),
                None => match reserved {
                    Some((base, head)) if (1..=head).contains(&hub) => Cell::Int(base + hub),
                    _ => our_look(c, hub)?.map_or(Cell::Null, Cell::Int),
                },
            }
        }
        Means::Legs => {
            let text = cell.text().ok_or_else(unknown)?;
            let book = |book| ours.name(NameKind::Book, book);
            Cell::Text(Cow::Owned(renumber_legs(text, book).ok_or_else(unknown)?))
        }
        Means::EventJson => {
            let text = cell.text().ok_or_else(unknown)?;
            Cell::Text(Cow::Owned(renumber_json(text, |e| ours.event(e)).ok_or_else(unknown)?))
        }
        Means::Seen => {
            let bytes = codec::Unpacker::new()?.unpack(cell.bytes().ok_or_else(unknown)?)?;
            let other = renumber_seen(&bytes, at, ours).ok_or_else(unknown)?;
            Cell::Bytes(Cow::Owned(codec::Packer::new()?.pack(&other)?))
        }
    })
}
