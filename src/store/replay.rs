//! Looks put together again from what is stored of them, one after the other.
//!
//! A look is what it showed (the list of markets and notes), the values that its rows of the change log brought, and
//! for everything else the values that stood before. So a running state of each event is kept while its looks go by;
//! memory holds about one board.

use std::collections::VecDeque;
use std::rc::Rc;

use rusqlite::{Connection, Row, params};
use rustc_hash::FxHashMap;

use super::write::{LookMeta, none_if_no_rows};
use super::{Reader, StoreError, codec};
use crate::engine::changes::{EventRow, QuoteKey};
use crate::engine::image;
use crate::engine::note::EventNote;
use crate::engine::seen::SeenGroup;
use crate::engine::status::from_status_code;
use crate::market::batch::Endpoint;
use crate::market::ids::{BookId, EventId, LookId, MarketId, Slot, SportId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Selection;
use crate::market::time::Timestamp;

/// Rows of the log that are read ahead for an event.
const ROWS_AHEAD: i64 = 512;
/// Events that so many looks have not shown are put away; they are taken up again from their newest keyframe.
const PUT_AWAY_AFTER: u64 = 64;

/// One look, whole.
#[derive(Clone, Debug)]
pub struct StoredLook {
    /// Its number.
    pub id: LookId,
    /// When it was received.
    pub received_at: Timestamp,
    /// Which question.
    pub endpoint: Endpoint,
    /// Scope, origin, credits and hash.
    pub meta: LookMeta,
    /// Quotes that the answer held.
    pub quotes: u32,
    /// Its events in the order of the answer.
    pub events: Vec<StoredEvent>,
}

/// One event as a look showed it.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The event, with its names as they are now.
    pub row: Rc<EventRow>,
    /// Its start as known after the look.
    pub commence: Timestamp,
    /// What was special about the record.
    pub note: EventNote,
    /// Markets shown, the markets of one book together.
    pub groups: Vec<StoredGroup>,
}

/// One market of one book as a look showed it.
#[derive(Clone, Debug)]
pub struct StoredGroup {
    /// The book.
    pub book: BookId,
    /// The market.
    pub market: MarketId,
    /// The provider's time of it.
    pub provider_update: Option<Timestamp>,
    /// Outcomes with a value that could be read.
    pub quotes: Vec<(Selection, Option<Line>, Price)>,
}

/// The looks of one source and sport, oldest first.
#[derive(Debug)]
pub struct Replay<'c> {
    c: &'c Connection,
    source: u32,
    sport: SportId,
    /// Instant and number of the last look handed out.
    after: (Timestamp, LookId),
    tapes: FxHashMap<EventId, Tape>,
    handed_out: u64,
}

impl Reader {
    /// The looks of a source and sport that were received after `after`, oldest first. The reader should stand still
    /// meanwhile: see [`Reader::hold`].
    pub fn replay(&self, source: u32, sport: SportId, after: Timestamp) -> Replay<'_> {
        Replay::new(&self.connection, source, sport, after)
    }

    /// Makes this reader see the present state until it is dropped, whatever is written meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn hold(&self) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_master LIMIT 1;")?;
        Ok(())
    }
}

impl<'c> Replay<'c> {
    pub(super) fn new(c: &'c Connection, source: u32, sport: SportId, after: Timestamp) -> Self {
        let after = (after, LookId(i64::MAX as u64));
        Self { c, source, sport, after, tapes: FxHashMap::default(), handed_out: 0 }
    }

    /// Number of the source, and the sport.
    pub fn whose(&self) -> (u32, SportId) {
        (self.source, self.sport)
    }

    /// The instant of the next look.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn next_at(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.peek()?.map(|(at, _)| at))
    }

    /// Instant and number of the next look.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn peek(&self) -> Result<Option<(Timestamp, LookId)>, StoreError> {
        let mut select = self.c.prepare_cached(
            "SELECT received_at, id FROM look WHERE source = ? AND sport = ? AND (received_at, id) > (?, ?)
             ORDER BY received_at, id LIMIT 1",
        )?;
        let (at, id) = self.after;
        let next = select
            .query_row(params![self.source, self.sport.0, at.millis(), id.0 as i64], |r| {
                Ok((codec::time(r, 0)?, LookId(r.get::<_, i64>(1)? as u64)))
            })
            .map(Some)
            .or_else(none_if_no_rows)?;
        Ok(next)
    }

    /// The next look.
    ///
    /// # Errors
    /// [`StoreError`].
    #[allow(clippy::should_implement_trait)] // an iterator could not be asked for `next_at` between two looks
    pub fn next(&mut self) -> Result<Option<StoredLook>, StoreError> {
        let (at, id) = self.after;
        let mut select = self.c.prepare_cached(
            "SELECT look.id, received_at, endpoint, scope.json, origin, cost, remaining, body_hash, quotes, seen
             FROM look LEFT JOIN scope ON scope.id = look.scope LEFT JOIN look_seen ON look_seen.look = look.id
             WHERE source = ? AND sport = ? AND (received_at, look.id) > (?, ?) ORDER BY received_at, look.id LIMIT 1",
        )?;
        let mut rows = select.query(params![self.source, self.sport.0, at.millis(), id.0 as i64])?;
        let Some(r) = rows.next()? else { return Ok(None) };
        let (mut look, seen) = look_row(r)?;
        drop(rows);
        self.after = (look.received_at, look.id);
        self.handed_out += 1;
        let mut records = Vec::new();
        if let Some(seen) = seen {
            codec::Unpacker::new()?.read_seen(&seen, look.received_at, |event, groups, note| {
                records.push((event, groups.to_vec(), note));
            })?;
        }
        look.events.reserve(records.len());
        for (event, groups, note) in records {
            look.events.extend(self.event(look.id, event, &groups, note)?);
        }
        if self.handed_out.is_multiple_of(PUT_AWAY_AFTER) {
            let since = self.handed_out - PUT_AWAY_AFTER;
            self.tapes.retain(|_, tape| tape.used > since);
        }
        Ok(Some(look))
    }

    fn event(
        &mut self,
        look: LookId,
        event: EventId,
        groups: &[SeenGroup],
        note: EventNote,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let tape = match self.tapes.entry(event) {
            std::collections::hash_map::Entry::Occupied(place) => place.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let Some(tape) = Tape::open(self.c, event, look)? else { return Ok(None) };
                place.insert(tape)
            }
        };
        tape.used = self.handed_out;
        tape.advance(self.c, look)?;
        Ok(Some(StoredEvent {
            row: Rc::clone(&tape.row),
            commence: tape.start(look),
            groups: if groups.is_empty() { Vec::new() } else { tape.groups(look, groups) },
            note,
        }))
    }
}

fn look_row(r: &Row<'_>) -> Result<(StoredLook, Option<Vec<u8>>), StoreError> {
    let endpoint: String = r.get(2)?;
    let hash: Vec<u8> = r.get(7)?;
    let scope: Option<String> = r.get(3)?;
    let meta = LookMeta {
        scope: codec::scope_from_json(scope.as_deref().unwrap_or("{}"))?,
        origin: r.get(4)?,
        cost: r.get(5)?,
        remaining: r.get(6)?,
        body_hash: hash.try_into().map_err(|_| StoreError::Damaged { what: "look" })?,
    };
    let look = StoredLook {
        id: LookId(r.get::<_, i64>(0)? as u64),
        received_at: codec::time(r, 1)?,
        endpoint: Endpoint::from_name(&endpoint).ok_or(StoreError::Damaged { what: "look" })?,
        meta,
        quotes: r.get(8)?,
        events: Vec::new(),
    };
    Ok((look, r.get(9)?))
}

/// The running state of one event.
#[derive(Debug)]
struct Tape {
    row: Rc<EventRow>,
    starts: Vec<(LookId, Timestamp)>,
    /// What each slot stands for, those of later looks included.
    keys: Vec<(Slot, QuoteKey)>,
    /// Slots of each market of each book, as places in `keys`.
    members: FxHashMap<(BookId, MarketId), Vec<u32>>,
    /// By place in `keys`.
    values: Vec<Value>,
    ahead: VecDeque<LogEntry>,
    /// Look and slot of the last row read.
    read: (LookId, i64),
    exhausted: bool,
    used: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Value {
    /// Line and price, where the last look of the event showed it with a value.
    present: Option<(Option<Line>, Price)>,
    /// The look that brought it.
    born: LookId,
}

#[derive(Debug)]
struct LogEntry {
    look: LookId,
    slot: Slot,
    present: Option<(Option<Line>, Price)>,
}

impl Tape {
    /// The event just before a look.
    fn open(c: &Connection, event: EventId, look: LookId) -> Result<Option<Self>, StoreError> {
        let mut find = c.prepare_cached(&format!("SELECT {} FROM event WHERE id = ?", codec::EVENT_COLUMNS))?;
        let Some(row) = find.query_row([event.0], codec::event_row).map(Some).or_else(none_if_no_rows)? else {
            return Ok(None);
        };
        let starts = c
            .prepare_cached("SELECT look, commence FROM event_start WHERE event = ? ORDER BY look")?
            .query_map([event.0], |r| Ok((LookId(r.get::<_, i64>(0)? as u64), codec::time(r, 1)?)))?
            .collect::<Result<_, _>>()?;
        let mut tape = Self {
            row: Rc::new(row),
            starts,
            keys: Vec::new(),
            members: FxHashMap::default(),
            values: Vec::new(),
            ahead: VecDeque::new(),
            read: (LookId(0), -1),
            exhausted: false,
            used: 0,
        };
        let mut select = c.prepare_cached(
            "SELECT slot, book, market, side, subject, own_line FROM quote WHERE event = ? ORDER BY slot",
        )?;
        let mut found = select.query([event.0])?;
        while let Some(r) = found.next()? {
            let (slot, key) = codec::quote_key(r)?;
            tape.members.entry((key.book, key.market)).or_default().push(tape.keys.len() as u32);
            tape.keys.push((slot, key));
        }
        tape.values = vec![Value::default(); tape.keys.len()];
        let keyframe: Option<(i64, Vec<u8>)> = c
            .prepare_cached("SELECT look, state FROM keyframe WHERE event = ? AND look < ? ORDER BY look DESC LIMIT 1")?
            .query_row(params![event.0, look.0 as i64], |r| Ok((r.get(0)?, r.get(1)?)))
            .map(Some)
            .or_else(none_if_no_rows)?;
        if let Some((at, state)) = keyframe {
            let at = LookId(at as u64);
            tape.read = (at, i64::MAX);
            let state = image::unpack(&codec::Unpacker::new()?.unpack(&state)?)
                .ok_or(StoreError::Damaged { what: "keyframe" })?;
            for (slot, value) in state {
                let present = value.status.is_present().then_some((value.line, value.price));
                tape.put(&LogEntry { look: at, slot, present });
            }
        }
        Ok(Some(tape))
    }

    fn put(&mut self, entry: &LogEntry) {
        let Ok(at) = self.keys.binary_search_by_key(&entry.slot, |(slot, _)| *slot) else { return };
        let Some(value) = self.values.get_mut(at) else { return };
        if value.born == LookId(0) {
            value.born = entry.look;
        }
        value.present = entry.present;
    }

    /// Takes in all rows up to a look.
    fn advance(&mut self, c: &Connection, look: LookId) -> Result<(), StoreError> {
        loop {
            while let Some(entry) = self.ahead.front() {
                if entry.look > look {
                    return Ok(());
                }
                if let Some(entry) = self.ahead.pop_front() {
                    self.put(&entry);
                }
            }
            if self.exhausted {
                return Ok(());
            }
            let mut select = c.prepare_cached(
                "SELECT look, slot, line, price, status FROM change WHERE event = ? AND (look, slot) > (?, ?)
                 ORDER BY look, slot LIMIT ?",
            )?;
            let (after, slot) = self.read;
            let mut rows = select.query(params![self.row.id.0, after.0 as i64, slot, ROWS_AHEAD])?;
            while let Some(r) = rows.next()? {
                let (status, _) = from_status_code(r.get(4)?).ok_or(StoreError::Damaged { what: "change" })?;
                let line = r.get::<_, Option<i32>>(2)?.map(Line::from_hundredths);
                let price = Price::from_code(r.get(3)?).ok_or(StoreError::Damaged { what: "price" })?;
                let entry = LogEntry {
                    look: LookId(r.get::<_, i64>(0)? as u64),
                    slot: Slot(r.get(1)?),
                    present: status.is_present().then_some((line, price)),
                };
                self.read = (entry.look, i64::from(entry.slot.0));
                self.ahead.push_back(entry);
            }
            self.exhausted = (self.ahead.len() as i64) < ROWS_AHEAD;
        }
    }

    fn start(&self, look: LookId) -> Timestamp {
        let known = self.starts.partition_point(|(l, _)| *l <= look);
        known.checked_sub(1).and_then(|i| self.starts.get(i)).map_or(self.row.commence, |(_, s)| *s)
    }

    fn groups(&self, look: LookId, seen: &[SeenGroup]) -> Vec<StoredGroup> {
        /// Position in the answer, as far as it can be told: what brought new quotes stood in the order of their
        /// slots.
        const ANYWHERE: Slot = Slot(u32::MAX);
        let mut groups: Vec<(Slot, StoredGroup)> = Vec::with_capacity(seen.len());
        for group in seen {
            let Ok(at) = self.keys.binary_search_by_key(&group.group, |(slot, _)| *slot) else { continue };
            let Some((_, key)) = self.keys.get(at) else { continue };
            let mut born = ANYWHERE;
            let mut quotes = Vec::new();
            for place in self.members.get(&(key.book, key.market)).into_iter().flatten() {
                let (Some((slot, key)), Some(value)) =
                    (self.keys.get(*place as usize), self.values.get(*place as usize))
                else {
                    continue;
                };
                let Some((line, price)) = value.present else { continue };
                if value.born == look {
                    born = born.min(*slot);
                }
                quotes.push((key.selection, line, price));
            }
            let (book, market) = (key.book, key.market);
            groups.push((born, StoredGroup { book, market, provider_update: group.provider_update, quotes }));
        }
        // The markets of one book stand together, whatever their numbers.
        let mut books: FxHashMap<BookId, (Slot, usize)> = FxHashMap::default();
        for (born, group) in &groups {
            let next = books.len();
            let (first, _) = books.entry(group.book).or_insert((ANYWHERE, next));
            *first = (*first).min(*born);
        }
        groups.sort_by_key(|(born, g)| (books.get(&g.book).copied(), *born));
        groups.into_iter().map(|(_, group)| group).collect()
    }
}
