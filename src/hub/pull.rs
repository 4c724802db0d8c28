//! Following the hub's log: what other devices told, stretch by stretch, in the form in which the store takes it in.
//!
//! Entries are read in their order, which has no gaps; rows are fetched with one COPY a table. What a free login does not
//! see is simply not there: its views end at their horizon and leave out what it may not know.

use std::borrow::Cow;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::connect::{Connection, MUCH_PATIENCE, PATIENCE, within};
use super::copy::{CopyIn, day_of};
use super::error::HubError;
use crate::engine::names::NameKind;
use crate::market::time::Timestamp;
use crate::store::StoreError;
use crate::store::hub::cell::{Cell, EachRow};
use crate::store::hub::tables::{self, Column, Kind, Table};
use crate::store::hub::{Incoming, IncomingEvent, IncomingLook, Mark, Order, OwnLook, Rows};

/// A stretch holds entries with so many rows of the change log, unless a single one has more.
const MOST_CHANGES: i64 = 120_000;
/// Entries that a stretch holds at the most.
const MOST_ENTRIES: i64 = 2_000;
/// No table of a stretch is larger. Bytes.
const MOST_BYTES: usize = 1 << 30;

/// What a login may see of the hub, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// Everything, as it comes in.
    Whole,
    /// Late and reduced.
    Reduced,
}

impl View {
    /// What a login of this tier sees.
    pub fn of(tier: super::Tier) -> Self {
        if tier == super::Tier::Free { Self::Reduced } else { Self::Whole }
    }

    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Whole => "hub",
            Self::Reduced => "hub_free",
        }
    }

    /// Tables that this login sees nothing of.
    pub(super) fn withholds(self, table: &Table) -> bool {
        self == Self::Reduced && matches!(table.name, "opportunity" | "close" | "clv" | "quality" | "quality_end")
    }
}

/// A stretch of the log, and how far the log goes.
#[derive(Debug)]
pub struct Stretch {
    /// What to take in; nothing to write where all of it is our own.
    pub incoming: Incoming,
    /// The newest entry of the log.
    pub head: i64,
    /// Rows of the change log in it.
    pub changes: i64,
    /// Bytes that came over the line.
    pub bytes: u64,
    /// When its last entry came in there. Milliseconds since 1970 by the server's clock.
    pub stored_at: i64,
    /// The mark of the entry before it; nothing where the hub does not have that.
    pub before: Option<Mark>,
    /// The mark of its last entry.
    pub mark: Mark,
    /// It was read as it was packed.
    pub packed: bool,
}

/// An entry of the log.
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) retract: bool,
    device: i32,
    pub(super) source: u32,
    pub(super) sport: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    since: i64,
    until: i64,
    pub(super) changes: i64,
    pub(super) stored_at: i64,
    /// Tables with rows; see [`tables::bit`].
    filled: i32,
    pub(super) mark: Mark,
}

/// Columns of entries `e` after `$1` as [`Entry::read`] reads them: their number is [`ENTRY_COLUMNS`].
pub(super) fn entry_columns(schema: &str, filled: &str) -> String {
    format!(
        "e.seq, e.kind, e.device, e.source, e.sport, e.first, e.last, e.since, e.until, e.changes,
         (extract(epoch FROM e.stored_at) * 1000)::bigint, max(e.seq) OVER (), e.mark,
         (SELECT b.mark FROM {schema}.entry AS b WHERE b.seq = $1), {filled}"
    )
}

/// See [`entry_columns`].
pub(super) const ENTRY_COLUMNS: usize = 15;

impl Entry {
    pub(super) fn read(row: &Row) -> Result<Self, HubError> {
        Ok(Self {
            seq: row.try_get(0)?,
            retract: row.try_get::<_, i16>(1)? == 2,
            device: row.try_get(2)?,
            source: unsigned(row.try_get(3)?)?,
            sport: unsigned(row.try_get(4)?)?,
            first: row.try_get(5)?,
            last: row.try_get(6)?,
            since: row.try_get(7)?,
            until: row.try_get(8)?,
            changes: row.try_get(9)?,
            stored_at: row.try_get(10)?,
            mark: row.try_get::<_, Uuid>(12)?.into_bytes(),
            filled: row.try_get(14)?,
        })
    }
}

/// The newest entry of those that were asked for.
pub(super) fn head_of(row: &Row) -> Result<i64, HubError> {
    Ok(row.try_get(11)?)
}

/// The mark of the entry before those that were asked for, where the hub has it.
pub(super) fn mark_before(row: &Row) -> Result<Option<Mark>, HubError> {
    Ok(row.try_get::<_, Option<Uuid>>(13)?.map(Uuid::into_bytes))
}

/// The next stretch after entry `after`, without the rows of what `device` told itself; `None`: there is none.
///
/// # Errors
/// [`HubError`]; nothing was taken in then.
pub async fn next(hub: &mut Connection, view: View, device: i32, after: i64) -> Result<Option<Stretch>, HubError> {
    between(hub, view, (device, 0), (after, i64::MAX)).await
}

/// As [`next`]; with the rows of what `device` told itself up to entry `own`, because its store does not hold them.
///
/// # Errors
/// [`HubError`]; nothing was taken in then.
pub async fn next_with_own(
    hub: &mut Connection,
    view: View,
    device: i32,
    after: i64,
    own: i64,
) -> Result<Option<Stretch>, HubError> {
    between(hub, view, (device, own), (after, i64::MAX)).await
}

/// The next stretch of the history that comes behind: entries after `after` up to `gap`.
///
/// # Errors
/// [`HubError`]; nothing was taken in then.
pub async fn behind(
    hub: &mut Connection,
    view: View,
    device: i32,
    (after, gap): (i64, i64),
) -> Result<Option<Stretch>, HubError> {
    let mut stretch = between(hub, view, (device, 0), (after, gap)).await?;
    if let Some(stretch) = &mut stretch {
        stretch.incoming.order = Order::Behind;
        // What was taken back by then is no longer there and has never been here.
        stretch.incoming.retract = None;
    }
    Ok(stretch)
}

async fn between(
    hub: &mut Connection,
    view: View,
    (device, own): (i32, i64),
    (after, upto): (i64, i64),
) -> Result<Option<Stretch>, HubError> {
    let begin = hub.client().build_transaction().read_only(true).isolation_level(REPEATABLE).start();
    let tx = within::<_, _, HubError>(PATIENCE, begin).await?;
    let stretch = stretch(&tx, view, (device, own), (after, upto)).await?;
    within::<_, _, HubError>(PATIENCE, tx.commit()).await?;
    Ok(stretch)
}

/// The next stretch within a transaction.
pub(super) async fn stretch(
    tx: &Transaction<'_>,
    view: View,
    (device, own): (i32, i64),
    (after, upto): (i64, i64),
) -> Result<Option<Stretch>, HubError> {
    let schema = view.schema();
    // What is filled is no business of those who see a part.
    let filled = if view == View::Whole { "e.filled" } else { "-1" };
    let rows = within::<_, _, HubError>(
        PATIENCE,
        tx.query_typed(
            &format!(
                "SELECT {} FROM {schema}.entry AS e WHERE e.seq > $1 AND e.seq <= $3 ORDER BY e.seq LIMIT $2",
                entry_columns(schema, filled)
            ),
            &[(&after, Type::INT8), (&MOST_ENTRIES, Type::INT8), (&upto, Type::INT8)],
        ),
    )
    .await?;
    let mut entries = Vec::new();
    let mut changes = 0;
    let mut head = after;
    // Whoever begins, begins with the oldest that is kept; so does the history that comes behind.
    let oldest = rows.first().map_or(Ok(1), |r| r.try_get::<_, i64>(0))?;
    let first = if after == 0 || upto != i64::MAX { oldest } else { after + 1 };
    for row in &rows {
        let entry = Entry::read(row)?;
        head = head_of(row)?;
        if entry.seq != first + i64::try_from(entries.len()).unwrap_or(0) {
            return Err(HubError::Broken { what: format!("the log has no entry before {}", entry.seq) });
        }
        let others = entry.device != device || entry.seq <= own;
        // What is taken back stands alone.
        if !entries.is_empty() && ((others && entry.retract) || changes + entry.changes > MOST_CHANGES) {
            break;
        }
        changes += if others { entry.changes } else { 0 };
        let alone = others && entry.retract;
        entries.push(entry);
        if alone {
            break;
        }
    }
    let (Some(last), Some(first)) = (entries.last(), rows.first()) else { return Ok(None) };
    let (until, stored_at, mark) = (last.seq, last.stored_at, last.mark);
    let before = mark_before(first)?;
    let marks = entries.iter().map(|e| (e.seq, e.mark)).collect();
    let backs = entries.iter().filter(|e| e.retract).map(|e| (e.seq, e.source, e.sport, e.since)).collect();
    let incoming = Incoming { until, marks, backs, ..Incoming::default() };
    let mut stretch = Stretch { incoming, head, changes, bytes: 0, stored_at, before, mark, packed: false };
    let told: Vec<Entry> = entries.extract_if(.., |e| e.device == device && e.seq > own).collect();
    within::<_, _, HubError>(PATIENCE, own_looks(tx, view, device, &told, &mut stretch)).await?;
    if let Some(first) = entries.first() {
        if stretch.incoming.names.is_empty() {
            stretch.incoming.names = within::<_, _, HubError>(PATIENCE, names(tx, view)).await?;
        }
        if first.retract {
            stretch.incoming.retract = Some((first.source, first.sport, Timestamp::from_millis(first.since)));
        }
        let runs: Vec<&Entry> = entries.iter().filter(|e| !e.retract).collect();
        looks(tx, view, (device, own), &runs, &mut stretch).await?;
        within::<_, _, HubError>(PATIENCE, events(tx, view, (after, until), &mut stretch)).await?;
    }
    Ok(Some(stretch))
}

/// The newest entry of the log.
///
/// # Errors
/// [`HubError`].
pub async fn head(hub: &mut Connection, view: View) -> Result<i64, HubError> {
    let sql = format!("SELECT entry FROM {}.head", view.schema());
    let row = within::<_, _, HubError>(PATIENCE, hub.client().query_typed_one(&sql, &[])).await?;
    Ok(row.try_get(0)?)
}

pub(super) const REPEATABLE: tokio_postgres::IsolationLevel = tokio_postgres::IsolationLevel::RepeatableRead;

/// All names: there are few.
pub(super) async fn names(tx: &Transaction<'_>, view: View) -> Result<Vec<(NameKind, u32, String)>, HubError> {
    let sql = format!("SELECT kind, number, name FROM {}.name ORDER BY kind, number", view.schema());
    read_names(&tx.query_typed(&sql, &[]).await?)
}

/// List, number and name.
pub(super) fn read_names(rows: &[Row]) -> Result<Vec<(NameKind, u32, String)>, HubError> {
    let mut names = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = row.try_get::<_, i16>(0)?;
        let Some(kind) = NameKind::ALL.into_iter().find(|k| *k as i16 == kind) else { continue };
        names.push((kind, unsigned(row.try_get(1)?)?, row.try_get(2)?));
    }
    Ok(names)
}

/// Looks `l`, as [`read_looks`] reads them.
pub(super) async fn looks_where(tx: &Transaction<'_>, view: View, wanted: &str) -> Result<Vec<u8>, HubError> {
    let schema = view.schema();
    let columns: Vec<&str> = tables::LOOK_COLUMNS.iter().map(|c| c.name).collect();
    let sql = format!(
        "SELECT l.id, entry, source, sport, (SELECT json FROM {schema}.setting AS s WHERE s.hash = l.rules), {}
         FROM {schema}.look AS l WHERE {wanted} ORDER BY id",
        columns.join(", ")
    );
    copied(tx, &sql).await
}

/// What the device told itself, by its own numbers and the hub's: it may not have heard that it was taken.
async fn own_looks(
    tx: &Transaction<'_>,
    view: View,
    device: i32,
    told: &[Entry],
    stretch: &mut Stretch,
) -> Result<(), HubError> {
    let runs: Vec<&Entry> = told.iter().filter(|e| !e.retract).collect();
    let (Some(first), Some(last), View::Whole) = (runs.first(), runs.last(), view) else { return Ok(()) };
    stretch.incoming.names = names(tx, view).await?;
    let rows = tx
        .query_typed(
            "SELECT device_look, id, entry, source, sport FROM hub.look
             WHERE device = $1 AND id BETWEEN $2 AND $3 AND entry BETWEEN $4 AND $5
             AND day BETWEEN date '2000-01-01' + $6 AND date '2000-01-01' + $7 ORDER BY id",
            &[
                (&device, Type::INT4),
                (&first.first, Type::INT8),
                (&last.last, Type::INT8),
                (&first.seq, Type::INT8),
                (&last.seq, Type::INT8),
                (&runs.iter().map(|e| day_of(e.since)).min().unwrap_or(0), Type::INT4),
                (&runs.iter().map(|e| day_of(e.until)).max().unwrap_or(0), Type::INT4),
            ],
        )
        .await?;
    for r in &rows {
        stretch.incoming.own.push(OwnLook {
            look: r.try_get(0)?,
            hub: r.try_get(1)?,
            entry: r.try_get(2)?,
            source: unsigned(r.try_get(3)?)?,
            sport: unsigned(r.try_get(4)?)?,
        });
    }
    let rows = tx
        .query_typed(
            "SELECT id, source, provider_id FROM hub.event WHERE changed BETWEEN $1 AND $2",
            &[(&first.seq, Type::INT8), (&last.seq, Type::INT8)],
        )
        .await?;
    for r in &rows {
        let event = (unsigned(r.try_get(0)?)?, unsigned(r.try_get(1)?)?, r.try_get(2)?);
        stretch.incoming.own_events.push(event);
    }
    Ok(())
}

/// Looks of the entries, and their rows.
async fn looks(
    tx: &Transaction<'_>,
    view: View,
    (device, own): (i32, i64),
    runs: &[&Entry],
    stretch: &mut Stretch,
) -> Result<(), HubError> {
    let (Some(first), Some(last)) = (runs.iter().map(|e| e.first).min(), runs.iter().map(|e| e.last).max()) else {
        return Ok(());
    };
    let since = runs.iter().map(|e| day_of(e.since)).min().unwrap_or(0);
    let until = runs.iter().map(|e| day_of(e.until)).max().unwrap_or(0);
    let schema = view.schema();
    let range = format!(
        "look BETWEEN {first} AND {last} AND day BETWEEN date '2000-01-01' + ({since}) AND date '2000-01-01' + ({until})"
    );
    let wanted =
        format!("{} AND (device <> {device} OR entry <= {own})", range.replacen("look BETWEEN", "l.id BETWEEN", 1));
    let bytes = looks_where(tx, view, &wanted).await?;
    stretch.bytes += bytes.len() as u64;
    stretch.incoming.looks = read_looks(&bytes).map_err(broken)?;
    if stretch.incoming.looks.is_empty() {
        return Ok(());
    }
    let filled = runs.iter().fold(0, |all, e| all | e.filled);
    // Slots before changes; issues before their ends.
    let order = [tables::SLOT].into_iter().chain(tables::PLAIN.iter().copied());
    for table in order.chain([tables::QUALITY, tables::QUALITY_END]) {
        if view.withholds(&table) || filled & tables::bit(&table) == 0 {
            continue;
        }
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        let by = if table.key.is_empty() { String::new() } else { format!(", {}", table.key.join(", ")) };
        let sql =
            format!("SELECT look, {} FROM {schema}.{} WHERE {range} ORDER BY look{by}", columns.join(", "), table.name);
        let bytes = copied(tx, &sql).await?;
        stretch.bytes += bytes.len() as u64;
        let rows = Copied::new(bytes, &table, view);
        stretch.incoming.rows.push((table, Box::new(rows)));
    }
    Ok(())
}

/// Events that changed in a stretch, and those that its looks may speak of.
async fn events(
    tx: &Transaction<'_>,
    view: View,
    (after, until): (i64, i64),
    stretch: &mut Stretch,
) -> Result<(), HubError> {
    let rows = tx
        .query_typed(
            &format!(
                "SELECT {EVENT} FROM {0}.event WHERE changed > $1 AND changed <= $2
                 UNION SELECT {EVENT} FROM {0}.event WHERE first_look BETWEEN $3 AND $4",
                view.schema()
            ),
            &[
                (&after, Type::INT8),
                (&until, Type::INT8),
                (&stretch.incoming.looks.first().map_or(0, |l| l.hub), Type::INT8),
                (&stretch.incoming.looks.last().map_or(-1, |l| l.hub), Type::INT8),
            ],
        )
        .await?;
    read_events(&rows, stretch)
}

/// Games that were on when look `cut` came, besides those of the stretch.
pub(super) async fn events_on(
    tx: &Transaction<'_>,
    view: View,
    cut: i64,
    stretch: &mut Stretch,
) -> Result<(), HubError> {
    let sql = format!(
        "SELECT {EVENT} FROM {}.event WHERE first_look > 0 AND first_look < $1
         AND (forgotten IS NULL OR forgotten >= $1)",
        view.schema()
    );
    let rows = tx.query_typed(&sql, &[(&cut, Type::INT8)]).await?;
    read_events(&rows, stretch)
}

const EVENT: &str = "id, source, provider_id, sport, home, away, commence, first_seen, first_look, status, home_score,
    away_score, forgotten, slots";

fn read_events(rows: &[Row], stretch: &mut Stretch) -> Result<(), HubError> {
    for r in rows {
        stretch.incoming.events.push(IncomingEvent {
            hub: unsigned(r.try_get(0)?)?,
            source: unsigned(r.try_get(1)?)?,
            provider_id: r.try_get(2)?,
            sport: unsigned(r.try_get(3)?)?,
            home: r.try_get(4)?,
            away: r.try_get(5)?,
            commence: r.try_get(6)?,
            first_seen: r.try_get(7)?,
            first_look: r.try_get(8)?,
            status: r.try_get::<_, i16>(9)?.into(),
            home_score: r.try_get::<_, Option<i32>>(10)?.map(Into::into),
            away_score: r.try_get::<_, Option<i32>>(11)?.map(Into::into),
            forgotten: r.try_get(12)?,
            slots: r.try_get::<_, Option<i32>>(13)?.map(Into::into),
        });
    }
    stretch.incoming.events.sort_by_key(|e| e.hub);
    stretch.incoming.events.dedup_by_key(|e| e.hub);
    Ok(())
}

pub(super) async fn copied(tx: &Transaction<'_>, select: &str) -> Result<Vec<u8>, HubError> {
    let sql = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
    let stream = within::<_, _, HubError>(PATIENCE, tx.copy_out(&sql)).await?;
    futures_util::pin_mut!(stream);
    let mut all = BytesMut::new();
    // Before the first row the server may have to sort.
    let mut limit = MUCH_PATIENCE;
    while let Some(piece) = within::<_, _, HubError>(limit, stream.try_next()).await? {
        limit = PATIENCE;
        all.extend_from_slice(&piece);
        if all.len() > MOST_BYTES {
            return Err(HubError::Broken { what: "an entry of the log is too large".to_owned() });
        }
    }
    Ok(all.into())
}

const HUB: Column = Column { name: "look", kind: Kind::Big, means: tables::Means::Plain };
const NUMBER: Column = Column { name: "number", kind: Kind::Int, means: tables::Means::Plain };
const JSON: Column = Column { name: "json", kind: Kind::Text, means: tables::Means::Plain };

pub(super) fn read_looks(bytes: &[u8]) -> Result<Vec<IncomingLook>, StoreError> {
    let mut stream = CopyIn::new(bytes)?;
    let mut looks = Vec::new();
    let number = |cell: &Cell<'_>| {
        cell.int().and_then(|n| u32::try_from(n).ok()).ok_or(StoreError::Damaged { what: "look of the hub" })
    };
    while stream.next_row()?.is_some() {
        let hub = stream.big()?;
        let entry = stream.cell(&HUB)?.int().unwrap_or(0);
        let (source, sport) = (number(&stream.cell(&NUMBER)?)?, number(&stream.cell(&NUMBER)?)?);
        let rules = stream.cell(&JSON)?.text().unwrap_or_default().to_owned();
        let mut cells: Vec<Cell<'static>> = Vec::with_capacity(tables::LOOK_COLUMNS.len());
        for column in tables::LOOK_COLUMNS {
            cells.push(owned(stream.cell(column)?));
        }
        let at = tables::LOOK_COLUMNS.iter().position(|c| c.name == "received_at");
        let received_at = at.and_then(|at| cells.get(at)).and_then(Cell::int).unwrap_or(0);
        looks.push(IncomingLook {
            hub,
            entry,
            source,
            sport,
            received_at: Timestamp::from_millis(received_at),
            cells,
            rules,
        });
    }
    Ok(looks)
}

pub(super) fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Int(n) => Cell::Int(n),
        Cell::Real(x) => Cell::Real(x),
        Cell::Text(t) => Cell::Text(Cow::Owned(t.into_owned())),
        Cell::Bytes(b) => Cell::Bytes(Cow::Owned(b.into_owned())),
    }
}

/// The rows of a table as they came.
pub(super) struct Copied {
    pub(super) bytes: Vec<u8>,
    pub(super) columns: &'static [Column],
    /// Signals of a free login: what is withheld is put in as nothing, so that they can be read.
    pub(super) reduced: bool,
}

impl Copied {
    pub(super) fn new(bytes: Vec<u8>, table: &Table, view: View) -> Self {
        let reduced = view == View::Reduced && table.name == tables::SIGNAL.name;
        Self { bytes, columns: table.columns, reduced }
    }
}

impl Rows for Copied {
    fn each(&self, row: &mut EachRow<'_>) -> Result<(), StoreError> {
        let mut stream = CopyIn::new(&self.bytes)?;
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        while stream.next_row()?.is_some() {
            let look = stream.big()?;
            cells.clear();
            for column in self.columns {
                let cell = stream.cell(column)?;
                cells.push(match (&cell, self.reduced && column.name == "json") {
                    (Cell::Text(text), true) => Cell::Text(Cow::Owned(super::reduced::completed(text)?)),
                    _ => cell,
                });
            }
            row(look, &cells)?;
        }
        Ok(())
    }
}

pub(super) fn unsigned(n: i32) -> Result<u32, HubError> {
    u32::try_from(n).map_err(|_| HubError::Broken { what: "a number below zero".to_owned() })
}

#[expect(clippy::needless_pass_by_value, reason = "used as the function of map_err")]
pub(super) fn broken(e: StoreError) -> HubError {
    HubError::Broken { what: e.to_string() }
}
