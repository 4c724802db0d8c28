//! A run of looks of one source and sport, read for a hub: in the hub's numbers, but for the looks of the run itself,
//! which the hub numbers when it takes them. They are told by their place in the run, from 1; references to them are
//! negative.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{Row, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::write::none_if_no_rows;
use super::super::{Reader, StoreError, codec};
use super::cell::{Cell, EachRow, EachTableRow};
use super::maps::{Maps, hub_look};
use super::tables::{self, By, Column, Means, Table};
use crate::engine::names::NameKind;
use crate::engine::seen;
use crate::market::ids::{BookId, EventId, MarketId, SportId, SubjectId};
use crate::market::time::Timestamp;

/// A look of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct RunLook {
    /// Our number.
    pub id: i64,
    /// When it was received.
    pub received_at: Timestamp,
    /// [`tables::LOOK_COLUMNS`].
    pub cells: Vec<Cell<'static>>,
    /// The rules that it was judged by, as JSON; empty where none are noted.
    pub rules: String,
}

/// An event that the looks of a run may speak of, in the hub's numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunEvent {
    /// Our number.
    pub id: u32,
    /// Its id at the source.
    pub provider_id: String,
    /// Home team.
    pub home: String,
    /// Away team.
    pub away: String,
    /// Its start.
    pub commence: i64,
    /// When it was first received.
    pub first_seen: i64,
    /// Its first look: negative in the run, else the hub's; 0 where the hub does not have it.
    pub first_look: i64,
    /// Where it stands.
    pub status: i64,
    /// Points, home.
    pub home_score: Option<i64>,
    /// Points, away.
    pub away_score: Option<i64>,
    /// The look at which the engine let go of it, in the same numbers.
    pub forgotten: Option<i64>,
    /// Slots given until then.
    pub slots: Option<i64>,
}

/// A run of looks.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Number of the source's name, ours.
    pub source: u32,
    /// Sport, ours.
    pub sport: SportId,
    /// In the order in which they were taken.
    pub looks: Vec<RunLook>,
    places: FxHashMap<i64, i64>,
}

impl Run {
    /// Our number of its last look.
    pub fn last(&self) -> i64 {
        self.looks.last().map_or(0, |l| l.id)
    }

    /// Our number of its first look.
    pub fn first(&self) -> i64 {
        self.looks.first().map_or(0, |l| l.id)
    }

    /// The place of a look, from 1.
    pub fn place(&self, look: i64) -> Option<i64> {
        self.places.get(&look).copied()
    }

    /// The look at a place.
    pub fn look_at(&self, place: i64) -> Option<&RunLook> {
        usize::try_from(place - 1).ok().and_then(|at| self.looks.get(at))
    }
}

/// Looks that the hub has.
const KNOWN: &str = "EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)";
/// Looks that it is to be told.
const UNTOLD: &str = "NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)
     AND NOT EXISTS (SELECT 1 FROM hub_apart WHERE hub_apart.look = look.id)";

impl Reader {
    /// The next looks of a source and sport that are ours and come after `after`, up to so many, or so many rows of the
    /// change log; at least one, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_next_run(
        &self,
        (source, sport): (u32, SportId),
        after: i64,
        most_looks: usize,
        most_changes: i64,
    ) -> Result<Option<Run>, StoreError> {
        self.run_of((source, sport), UNTOLD, after, most_looks, most_changes)
    }

    /// The next looks of a source and sport that the hub has too, and its numbers of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_known_run(
        &self,
        stream: (u32, SportId),
        after: i64,
        most_looks: usize,
    ) -> Result<Option<(Run, Vec<i64>)>, StoreError> {
        let Some(run) = self.run_of(stream, KNOWN, after, most_looks, i64::MAX)? else { return Ok(None) };
        let hubs = run.looks.iter().map(|l| Ok(hub_look(&self.connection, l.id)?.unwrap_or(0)));
        let hubs = hubs.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Some((run, hubs)))
    }

    /// Looks of a source and sport that the hub does not have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_untold(&self, (source, sport): (u32, SportId)) -> Result<u64, StoreError> {
        let mut count = self.connection.prepare_cached(
            "SELECT count(*) FROM look WHERE source = ? AND sport = ?
             AND NOT EXISTS (SELECT 1 FROM hub_look WHERE hub_look.look = look.id)",
        )?;
        let n: i64 = count.query_row(params![source, sport.0], |r| r.get(0))?;
        Ok(u64::try_from(n).unwrap_or(0))
    }

    fn run_of(
        &self,
        (source, sport): (u32, SportId),
        known: &str,
        after: i64,
        most_looks: usize,
        most_changes: i64,
    ) -> Result<Option<Run>, StoreError> {
        let c = &self.connection;
        let columns: Vec<&str> = tables::LOOK_COLUMNS.iter().map(|c| c.name).collect();
        let columns = columns.join(", ").replace("scope", "(SELECT json FROM scope WHERE scope.id = look.scope)");
        let mut select = c.prepare_cached(&format!(
            "SELECT id, {columns} FROM look WHERE source = ? AND sport = ? AND id > ?
             AND {known} ORDER BY id LIMIT ?"
        ))?;
        let mut rules =
            c.prepare_cached("SELECT json FROM analysis_setting WHERE look <= ? ORDER BY look DESC LIMIT 1")?;
        let most = i64::try_from(most_looks.max(1)).unwrap_or(i64::MAX);
        let mut rows = select.query(params![source, sport.0, after, most])?;
        let mut run = Run { source, sport, looks: Vec::new(), places: FxHashMap::default() };
        let mut changes = 0;
        while let Some(r) = rows.next()? {
            let id: i64 = r.get(0)?;
            let cells: Vec<Cell<'static>> =
                (0..tables::LOOK_COLUMNS.len()).map(|at| owned(r, at + 1)).collect::<Result<_, _>>()?;
            let at = |name: &str| tables::LOOK_COLUMNS.iter().position(|c| c.name == name);
            let number = |name: &str| at(name).and_then(|at| cells.get(at)).and_then(Cell::int).unwrap_or(0);
            changes += number("changes");
            if changes > most_changes && !run.looks.is_empty() {
                break;
            }
            let received_at = Timestamp::from_millis(number("received_at"));
            let rules = rules.query_row([id], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?.unwrap_or_default();
            run.looks.push(RunLook { id, received_at, cells, rules });
            run.places.insert(id, i64::try_from(run.looks.len()).unwrap_or(0));
        }
        Ok((!run.looks.is_empty()).then_some(run))
    }

    /// The events that the looks of a run may speak of, in the order of our numbers, as they stand now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_run_events(&self, run: &Run) -> Result<Vec<RunEvent>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, provider_id, home, away, commence, first_seen, first_look, status, home_score, away_score,
             forgotten, slots FROM event
             WHERE source = ?1 AND sport = ?2 AND first_look <= ?4 AND (forgotten IS NULL OR forgotten >= ?3) ORDER BY id",
        )?;
        let mut rows = select.query(params![run.source, run.sport.0, run.first(), run.last()])?;
        let mut events = Vec::new();
        while let Some(r) = rows.next()? {
            let (first_look, forgotten): (i64, Option<i64>) = (r.get(6)?, r.get(10)?);
            let forgotten = forgotten.map(|look| self.look_there(run, look)).transpose()?.flatten();
            events.push(RunEvent {
                id: r.get(0)?,
                provider_id: r.get(1)?,
                home: r.get(2)?,
                away: r.get(3)?,
                commence: r.get(4)?,
                first_seen: r.get(5)?,
                first_look: self.look_there(run, first_look)?.unwrap_or(0),
                status: r.get(7)?,
                home_score: r.get(8)?,
                away_score: r.get(9)?,
                // Of a look that has not been told yet it will be told with that look.
                slots: if forgotten.is_some() { r.get(11)? } else { None },
                forgotten,
            });
        }
        Ok(events)
    }

    fn look_there(&self, run: &Run, look: i64) -> Result<Option<i64>, StoreError> {
        match run.place(look) {
            Some(place) => Ok(Some(-place)),
            None => hub_look(&self.connection, look),
        }
    }

    /// Tells the rows of a run in one of [`tables::PLAIN`]: the place of the look, and the cells in the order of the
    /// table's columns.
    ///
    /// # Errors
    /// [`StoreError`]; what `row` answers.
    pub fn hub_run_rows(
        &self,
        run: &Run,
        table: &Table,
        events: &[RunEvent],
        maps: &Maps,
        row: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        let (columns, name) = (columns.join(", "), table.name);
        let mut take = |r: &Row<'_>| -> Result<(), StoreError> {
            let look = r.get(0)?;
            let Some(place) = run.place(look) else { return Ok(()) };
            let mut cells = Vec::with_capacity(table.columns.len());
            for (at, column) in table.columns.iter().enumerate() {
                cells.push(self.there(run, place, column, r.get_ref(at + 1)?, maps)?);
            }
            row(place, &cells)
        };
        match table.by {
            By::Look => {
                let order = if table.key.is_empty() { String::new() } else { format!(", {}", table.key.join(", ")) };
                let sql = format!("SELECT look, {columns} FROM {name} WHERE look BETWEEN ? AND ? ORDER BY look{order}");
                let mut select = self.connection.prepare_cached(&sql)?;
                let mut rows = select.query([run.first(), run.last()])?;
                while let Some(r) = rows.next()? {
                    take(r)?;
                }
            }
            By::Event => {
                let sql = format!("SELECT look, {columns} FROM {name} WHERE event = ? AND look BETWEEN ? AND ?");
                let mut select = self.connection.prepare_cached(&sql)?;
                for event in events {
                    let mut rows = select.query(params![event.id, run.first(), run.last()])?;
                    while let Some(r) = rows.next()? {
                        take(r)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells what the slots stand for that were born in a run: those of its changes that no earlier look had.
    ///
    /// # Errors
    /// [`StoreError`]; what `row` answers.
    pub fn hub_run_slots(
        &self,
        run: &Run,
        events: &[RunEvent],
        maps: &Maps,
        row: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        let c = &self.connection;
        // Slots are given in rising order and each has a row of the log at its first look.
        let mut highest = c.prepare_cached("SELECT ifnull(max(slot), -1) FROM change WHERE event = ? AND look < ?")?;
        let mut highest_quote = c.prepare_cached(
            "SELECT ifnull(max(CASE WHEN first_seen < ?2 THEN slot END), -1), ifnull(max(slot), -1) FROM quote
             WHERE event = ?1 AND first_seen <= ?2",
        )?;
        let begin = run.looks.first().map_or(0, |l| l.received_at.millis());
        let mut born = c.prepare_cached(
            "SELECT min(look), slot FROM change WHERE event = ? AND look BETWEEN ? AND ? AND slot > ? GROUP BY slot
             ORDER BY slot",
        )?;
        let mut what = c.prepare_cached(
            "SELECT event, slot, book, market, side, subject, own_line FROM quote WHERE event = ? AND slot = ?",
        )?;
        for event in events {
            let any: Option<i64> = {
                let mut any =
                    c.prepare_cached("SELECT max(slot) FROM change WHERE event = ? AND look BETWEEN ? AND ?")?;
                any.query_row(params![event.id, run.first(), run.last()], |r| r.get(0))?
            };
            let Some(newest) = any else { continue };
            // What a quote's first instant tells need not be looked for in a long log.
            let [before, until]: [i64; 2] =
                highest_quote.query_row(params![event.id, begin], |r| Ok([r.get(0)?, r.get(1)?]))?;
            let known: i64 = if before == until {
                before
            } else {
                highest.query_row(params![event.id, run.first()], |r| r.get(0))?
            };
            if newest <= known {
                continue;
            }
            let mut rows = born.query(params![event.id, run.first(), run.last(), known])?;
            while let Some(r) = rows.next()? {
                let (look, slot): (i64, i64) = (r.get(0)?, r.get(1)?);
                let Some(place) = run.place(look) else { continue };
                let mut quotes = what.query(params![event.id, slot])?;
                let Some(q) = quotes.next()? else { continue };
                let mut cells = Vec::with_capacity(tables::SLOT.columns.len());
                for (at, column) in tables::SLOT.columns.iter().enumerate() {
                    cells.push(self.there(run, place, column, q.get_ref(at)?, maps)?);
                }
                row(place, &cells)?;
            }
        }
        Ok(())
    }

    /// Tells the issues of a run, and then those that ended in it: [`tables::QUALITY`], [`tables::QUALITY_END`].
    ///
    /// # Errors
    /// [`StoreError`]; what `row` answers.
    pub fn hub_run_issues(&self, run: &Run, maps: &Maps, row: &mut EachTableRow<'_>) -> Result<(), StoreError> {
        let c = &self.connection;
        let mut select = c.prepare_cached(
            "SELECT look, event, book, market, reason, severity, detail FROM quality WHERE look BETWEEN ? AND ?
             ORDER BY look, id",
        )?;
        let mut rows = select.query([run.first(), run.last()])?;
        let (mut of, mut n) = (0, 0);
        while let Some(r) = rows.next()? {
            let look: i64 = r.get(0)?;
            n = if look == of { n + 1 } else { 0 };
            of = look;
            let Some(place) = run.place(look) else { continue };
            let mut cells = Vec::with_capacity(tables::QUALITY.columns.len());
            cells.push(Cell::Int(n));
            for (at, column) in tables::QUALITY.columns.iter().enumerate().skip(1) {
                cells.push(self.there(run, place, column, r.get_ref(at)?, maps)?);
            }
            row(&tables::QUALITY, place, &cells)?;
        }
        drop(rows);
        let mut ended = c.prepare_cached(
            "SELECT cleared, look, (SELECT count(*) FROM quality AS before WHERE before.look = quality.look
             AND before.id < quality.id) FROM quality WHERE cleared BETWEEN ? AND ? ORDER BY cleared, look, id",
        )?;
        let mut rows = ended.query([run.first(), run.last()])?;
        while let Some(r) = rows.next()? {
            let Some(place) = run.place(r.get(0)?) else { continue };
            let Some(of_look) = self.look_there(run, r.get(1)?)? else { continue };
            row(&tables::QUALITY_END, place, &[Cell::Int(of_look), Cell::Int(r.get(2)?)])?;
        }
        Ok(())
    }

    /// A value in the hub's numbers.
    fn there<'r>(
        &self,
        run: &Run,
        place: i64,
        column: &Column,
        value: ValueRef<'r>,
        maps: &Maps,
    ) -> Result<Cell<'r>, StoreError> {
        let unknown = StoreError::Damaged { what: "number that the hub does not know" };
        let damaged = || StoreError::Damaged { what: column.name };
        if value == ValueRef::Null {
            return Ok(Cell::Null);
        }
        let number = || value.as_i64().map_err(|_| damaged());
        let small = |n: i64| u32::try_from(n).map_err(|_| damaged());
        Ok(match column.means {
            Means::Plain => cell(value).ok_or_else(damaged)?,
            Means::Event => Cell::Int(maps.event(small(number()?)?).ok_or(unknown)?.into()),
            Means::Name(kind) => Cell::Int(maps.name(kind, small(number()?)?).ok_or(unknown)?.into()),
            Means::Look => self.look_there(run, number()?)?.map_or(Cell::Null, Cell::Int),
            Means::Legs => {
                let text = value.as_str().map_err(|_| damaged())?;
                let book = |book| maps.name(NameKind::Book, book);
                Cell::Text(Cow::Owned(renumber_legs(text, book).ok_or(unknown)?))
            }
            Means::EventJson => {
                let text = value.as_str().map_err(|_| damaged())?;
                Cell::Text(Cow::Owned(renumber_json(text, |e| maps.event(e)).ok_or(unknown)?))
            }
            Means::Seen => {
                let at = run.look_at(place).map(|l| l.received_at).ok_or_else(damaged)?;
                let bytes = codec::Unpacker::new()?.unpack(value.as_blob().map_err(|_| damaged())?)?;
                let other = renumber_seen(&bytes, at, maps).ok_or(unknown)?;
                Cell::Bytes(Cow::Owned(codec::Packer::new()?.pack(&other)?))
            }
        })
    }

    /// Names of all books, markets and so on that the hub must know before a run is told: those of [`Maps`] that are
    /// missing are told first. Answers the events of a run that it does not know.
    pub fn hub_unknown_events<'e>(maps: &Maps, events: &'e [RunEvent]) -> Vec<&'e RunEvent> {
        let mut seen = FxHashSet::default();
        events.iter().filter(|e| maps.event(e.id).is_none() && seen.insert(e.id)).collect()
    }
}

fn cell(value: ValueRef<'_>) -> Option<Cell<'_>> {
    Some(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(n) => Cell::Int(n),
        ValueRef::Real(x) => Cell::Real(x),
        ValueRef::Text(t) => Cell::Text(Cow::Borrowed(std::str::from_utf8(t).ok()?)),
        ValueRef::Blob(b) => Cell::Bytes(Cow::Borrowed(b)),
    })
}

fn owned(r: &Row<'_>, at: usize) -> Result<Cell<'static>, StoreError> {
    Ok(match cell(r.get_ref(at)?).ok_or(StoreError::Damaged { what: "look" })? {
        Cell::Null => Cell::Null,
        Cell::Int(n) => Cell::Int(n),
        Cell::Real(x) => Cell::Real(x),
        Cell::Text(t) => Cell::Text(Cow::Owned(t.into_owned())),
        Cell::Bytes(b) => Cell::Bytes(Cow::Owned(b.into_owned())),
    })
}

/// Books of legs in other numbers.
pub(super) fn renumber_legs(legs: &str, book: impl Fn(u32) -> Option<u32>) -> Option<String> {
    let mut out = String::with_capacity(legs.len() + 4);
    for leg in legs.split(',') {
        let (side, number) = leg.split_once(':')?;
        let number = book(number.parse().ok()?)?;
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(side);
        out.push(':');
        out.push_str(&number.to_string());
    }
    Some(out)
}

/// The number of an event that stands in a JSON of ours, in another number. Everything else stays byte for byte.
pub(super) fn renumber_json(json: &str, event: impl Fn(u32) -> Option<u32>) -> Option<String> {
    const FIELD: &str = "\"event_id\":";
    let mut out = String::with_capacity(json.len() + 4);
    let mut rest = json;
    while let Some(at) = rest.find(FIELD) {
        let (before, after) = rest.split_at(at + FIELD.len());
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, behind) = after.split_at(digits);
        out.push_str(before);
        out.push_str(&event(number.parse().ok()?)?.to_string());
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

/// What a look showed, in other numbers.
pub(super) fn renumber_seen(bytes: &[u8], at: Timestamp, maps: &Maps) -> Option<Vec<u8>> {
    let book = |b: BookId| maps.name(NameKind::Book, b.0.into()).and_then(|n| u16::try_from(n).ok()).map(BookId);
    let market =
        |m: MarketId| maps.name(NameKind::Market, m.0.into()).and_then(|n| u16::try_from(n).ok()).map(MarketId);
    seen::renumber(
        bytes,
        at,
        |event| maps.event(event.0).map(EventId),
        |note| {
            for b in &mut note.books {
                b.book = book(b.book)?;
            }
            for m in &mut note.markets {
                (m.book, m.market) = (book(m.book)?, market(m.market)?);
                for selection in &mut m.unreadable {
                    selection.subject = SubjectId(maps.name(NameKind::Subject, selection.subject.0)?);
                }
            }
            Some(())
        },
    )
}
