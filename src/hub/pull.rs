//! Following the hub's log: what other devices told, stretch by stretch, in the form in which the store takes it in.
//!
//! Entries are read in their order, which has no gaps; rows are fetched with one COPY a table. What a free login does not
//! see is simply not there: its views end at their horizon and leave out what it may not know.

use std::borrow::Cow;

use bytes::BytesMut;
use futures_util::TryStreamExt;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::connect::Connection;
use super::copy::{CopyIn, day_of};
use super::error::HubError;
use crate::engine::names::NameKind;
use crate::market::time::Timestamp;
use crate::store::StoreError;
use crate::store::hub::cell::{Cell, EachRow};
use crate::store::hub::tables::{self, Column, Kind, Table};
use crate::store::hub::{Incoming, IncomingEvent, IncomingLook, Mark, Rows};

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
    fn withholds(self, table: &Table) -> bool {
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
}

struct Entry {
    seq: i64,
    retract: bool,
    device: i32,
    source: u32,
    sport: u32,
    first: i64,
    last: i64,
    since: i64,
    until: i64,
    changes: i64,
    stored_at: i64,
    mark: Mark,
}

/// The next stretch after entry `after`, without what `device` told itself; `None`: there is none.
///
/// # Errors
/// [`HubError`]; nothing was taken in then.
pub async fn next(hub: &mut Connection, view: View, device: i32, after: i64) -> Result<Option<Stretch>, HubError> {
    let tx = hub.client().build_transaction().read_only(true).isolation_level(REPEATABLE).start().await?;
    let schema = view.schema();
    let rows = tx
        .query_typed(
            &format!(
                "SELECT seq, kind, device, source, sport, first, last, since, until, changes,
                 (extract(epoch FROM stored_at) * 1000)::bigint, max(seq) OVER (), mark,
                 (SELECT b.mark FROM {schema}.entry AS b WHERE b.seq = $1) FROM {schema}.entry
                 WHERE seq > $1 ORDER BY seq LIMIT $2"
            ),
            &[(&after, Type::INT8), (&MOST_ENTRIES, Type::INT8)],
        )
        .await?;
    let mut entries = Vec::new();
    let mut changes = 0;
    let mut head = after;
    // Whoever begins, begins with the oldest that is kept.
    let oldest = rows.first().map_or(Ok(1), |r| r.try_get::<_, i64>(0))?;
    let first = if after == 0 { oldest } else { after + 1 };
    for row in &rows {
        let entry = Entry {
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
        };
        head = row.try_get(11)?;
        if entry.seq != first + i64::try_from(entries.len()).unwrap_or(0) {
            return Err(HubError::Broken { what: format!("the log has no entry before {}", entry.seq) });
        }
        let others = entry.device != device;
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
    let before = first.try_get::<_, Option<Uuid>>(13)?.map(Uuid::into_bytes);
    let marks = entries.iter().map(|e| (e.seq, e.mark)).collect();
    let backs = entries.iter().filter(|e| e.retract).map(|e| (e.seq, e.source, e.sport, e.since)).collect();
    let incoming = Incoming { until, marks, backs, ..Incoming::default() };
    let mut stretch = Stretch { incoming, head, changes, bytes: 0, stored_at, before, mark };
    entries.retain(|e| e.device != device);
    if let Some(first) = entries.first() {
        stretch.incoming.names = names(&tx, view).await?;
        if first.retract {
            stretch.incoming.retract = Some((first.source, first.sport, Timestamp::from_millis(first.since)));
        }
        let runs: Vec<&Entry> = entries.iter().filter(|e| !e.retract).collect();
        looks(&tx, view, device, &runs, &mut stretch).await?;
        events(&tx, view, (after, until), &mut stretch).await?;
    }
    tx.commit().await?;
    Ok(Some(stretch))
}

/// The newest entry of the log.
///
/// # Errors
/// [`HubError`].
pub async fn head(hub: &mut Connection, view: View) -> Result<i64, HubError> {
    let sql = format!("SELECT entry FROM {}.head", view.schema());
    Ok(hub.client().query_typed_one(&sql, &[]).await?.try_get(0)?)
}

const REPEATABLE: tokio_postgres::IsolationLevel = tokio_postgres::IsolationLevel::RepeatableRead;

/// All names: there are few.
pub(super) async fn names(tx: &Transaction<'_>, view: View) -> Result<Vec<(NameKind, u32, String)>, HubError> {
    let sql = format!("SELECT kind, number, name FROM {}.name ORDER BY kind, number", view.schema());
    let rows = tx.query_typed(&sql, &[]).await?;
    let mut names = Vec::with_capacity(rows.len());
    for row in &rows {
        let kind = row.try_get::<_, i16>(0)?;
        let Some(kind) = NameKind::ALL.into_iter().find(|k| *k as i16 == kind) else { continue };
        names.push((kind, unsigned(row.try_get(1)?)?, row.try_get(2)?));
    }
    Ok(names)
}

/// Looks of the entries, and their rows.
async fn looks(
    tx: &Transaction<'_>,
    view: View,
    device: i32,
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
    let columns: Vec<&str> = tables::LOOK_COLUMNS.iter().map(|c| c.name).collect();
    let columns = columns.join(", ");
    let looks = format!(
        "SELECT l.id, entry, source, sport, (SELECT json FROM {schema}.setting AS s WHERE s.hash = l.rules), {columns}
         FROM {schema}.look AS l WHERE {} AND device <> {device} ORDER BY id",
        range.replacen("look BETWEEN", "l.id BETWEEN", 1)
    );
    let bytes = copied(tx, &looks).await?;
    stretch.bytes += bytes.len() as u64;
    stretch.incoming.looks = read_looks(&bytes).map_err(broken)?;
    if stretch.incoming.looks.is_empty() {
        return Ok(());
    }
    // Slots before changes; issues before their ends.
    let order = [tables::SLOT].into_iter().chain(tables::PLAIN.iter().copied());
    for table in order.chain([tables::QUALITY, tables::QUALITY_END]) {
        if view.withholds(&table) {
            continue;
        }
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        let by = if table.key.is_empty() { String::new() } else { format!(", {}", table.key.join(", ")) };
        let sql =
            format!("SELECT look, {} FROM {schema}.{} WHERE {range} ORDER BY look{by}", columns.join(", "), table.name);
        let bytes = copied(tx, &sql).await?;
        stretch.bytes += bytes.len() as u64;
        let reduced = view == View::Reduced && table.name == tables::SIGNAL.name;
        let rows = Copied { bytes, columns: table.columns, reduced };
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
                "SELECT id, source, provider_id, sport, home, away, commence, first_seen, first_look, status, home_score,
                 away_score, forgotten, slots FROM {0}.event WHERE changed > $1 AND changed <= $2
                 UNION
                 SELECT id, source, provider_id, sport, home, away, commence, first_seen, first_look, status, home_score,
                 away_score, forgotten, slots FROM {0}.event WHERE first_look BETWEEN $3 AND $4",
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
    for r in &rows {
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
    Ok(())
}

pub(super) async fn copied(tx: &Transaction<'_>, select: &str) -> Result<Vec<u8>, HubError> {
    let stream = tx.copy_out(&format!("COPY ({select}) TO STDOUT (FORMAT binary)")).await?;
    futures_util::pin_mut!(stream);
    let mut all = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
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

fn read_looks(bytes: &[u8]) -> Result<Vec<IncomingLook>, StoreError> {
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

fn owned(cell: Cell<'_>) -> Cell<'static> {
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
fn broken(e: StoreError) -> HubError {
    HubError::Broken { what: e.to_string() }
}
