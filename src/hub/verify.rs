//! Whether a store and its hub hold the same: sums over every look that both have, table by table and day by day.
//!
//! The server sums where the rows are, and sends one line a day. A sum is made of the rows in the hub's numbers, whatever
//! their order: the hash of each row, the hash of the sorted hashes of a look, the hash of those of a day. What looks
//! showed is only counted: it is packed, and the same may be packed in different ways. Of a day that differs the server
//! sends a line a look, so that what differs is known by its looks.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;

use super::connect::Connection;
use super::copy::day_of;
use super::push::PushError;
use crate::engine::names::NameKind;
use crate::store::hub::cell::Cell;
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::{self, By, Column, Kind, LOOK_COLUMNS, Means, Table};
use crate::store::hub::{Cursor, Link, Run};
use crate::store::{Reader, StoreError};

/// Looks that are read from the store at once.
const AT_ONCE: usize = 200;

/// The looks themselves.
pub(super) const LOOK: Table = Table { name: "look", columns: LOOK_COLUMNS, by: By::Look, key: &[] };

/// A sum over the rows of a day, or of a look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// Their hash; empty where they are only counted.
    pub hash: Vec<u8>,
}

/// A day of a table that is not the same in both places.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differing {
    /// The table.
    pub table: &'static str,
    /// Days since 2000-01-01.
    pub day: i32,
    /// Rows here.
    pub here: u64,
    /// Rows there.
    pub there: u64,
    /// The looks that differ, in the hub's numbers, rising.
    pub looks: Vec<i64>,
}

/// What came of comparing one source and sport.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    /// Sport key.
    pub sport: String,
    /// Looks that both have.
    pub looks: u64,
    /// Looks of this store that the hub does not have.
    pub only_here: u64,
    /// Looks of this store that the hub had, of days that it has dropped since.
    pub dropped: u64,
    /// Looks that this store takes the hub to have, and it has not; in its numbers.
    pub lost_there: Vec<i64>,
    /// Looks of the hub that this store should have and has not; in the hub's numbers.
    pub missing_here: Vec<i64>,
    /// Rows that were compared.
    pub rows: u64,
    /// What is not the same.
    pub differing: Vec<Differing>,
}

impl Compared {
    /// Nothing is missing here, and nothing differs.
    pub fn is_same(&self) -> bool {
        self.missing_here.is_empty() && self.lost_there.is_empty() && self.differing.is_empty()
    }
}

/// Hashes of the looks of a day, as they are summed.
#[derive(Default)]
struct Day {
    rows: u64,
    looks: BTreeMap<i64, Vec<[u8; 32]>>,
}

/// Which looks of the hub are compared: those that this store has taken in or told.
struct Of {
    source: i32,
    sport: i32,
    pulled: i64,
    device: i32,
}

/// Compares one source and sport.
///
/// # Errors
/// [`PushError`].
pub async fn compare(
    hub: &mut Connection,
    reader: &Reader,
    cursor: &Cursor,
    mut progress: impl FnMut(u64),
) -> Result<Compared, PushError> {
    let maps = reader.hub_maps()?;
    let sport = reader.name_of(NameKind::Sport, cursor.sport.0.into())?;
    let mut compared = Compared { sport, ..Compared::default() };
    let numbers = (
        maps.name(NameKind::Source, cursor.source).and_then(|n| i32::try_from(n).ok()),
        maps.name(NameKind::Sport, cursor.sport.0.into()).and_then(|n| i32::try_from(n).ok()),
    );
    let (Some(source), Some(sport)) = numbers else { return Ok(compared) };
    let (pulled, device) = reader.hub_link()?.map_or((0, 0), |l: Link| (l.pulled, l.number));
    let of = Of { source, sport, pulled, device };
    let days = days(hub).await?;
    compared.only_here = reader.hub_untold((cursor.source, cursor.sport))?;
    let mut here: BTreeMap<(&'static str, i32), Day> = BTreeMap::new();
    let mut after = 0;
    while let Some((run, hubs)) = reader.hub_known_run((cursor.source, cursor.sport), after, AT_ONCE)? {
        after = run.last();
        sums_here(reader, &run, &hubs, &maps, &mut here)?;
        progress(compared.looks);
    }
    here.retain(|(table, day), held| {
        let kept = days.contains(day);
        if *table == LOOK.name {
            *(if kept { &mut compared.looks } else { &mut compared.dropped }) += held.rows;
        }
        kept
    });
    for table in std::iter::once(LOOK).chain(tables::all()) {
        let there = sums_there(hub, &table, &of).await?;
        let days: BTreeSet<i32> =
            here.keys().filter(|(t, _)| *t == table.name).map(|(_, d)| *d).chain(there.keys().copied()).collect();
        for day in days {
            let mut held = here.remove(&(table.name, day)).unwrap_or_default();
            let ours = summed(&table, &mut held);
            let theirs = there.get(&day).cloned().unwrap_or_default();
            compared.rows += ours.rows;
            if ours == theirs {
                continue;
            }
            let by_look = looks_there(hub, &table, &of, day).await?;
            note(&mut compared, &table, day, (&held, ours.rows), (&by_look, theirs.rows));
        }
    }
    compared.looks -= compared.lost_there.len() as u64;
    // What one of both does not have at all is told once.
    let apart: BTreeSet<i64> = compared.lost_there.iter().chain(&compared.missing_here).copied().collect();
    for differing in &mut compared.differing {
        differing.looks.retain(|look| !apart.contains(look));
    }
    compared.differing.retain(|d| !d.looks.is_empty());
    Ok(compared)
}

/// Notes which looks of a day differ.
fn note(
    compared: &mut Compared,
    table: &Table,
    day: i32,
    (here, rows_here): (&Day, u64),
    (there, rows_there): (&BTreeMap<i64, Sum>, u64),
) {
    let mut looks: BTreeSet<i64> = there.keys().copied().collect();
    looks.extend(here.looks.keys());
    looks.retain(|look| {
        let ours = here.looks.get(look).map(|rows| sum_of_look(table, rows)).unwrap_or_default();
        there.get(look).cloned().unwrap_or_default() != ours
    });
    if table.name == LOOK.name {
        compared.lost_there.extend(looks.iter().filter(|l| !there.contains_key(l)));
        compared.missing_here.extend(looks.iter().filter(|l| !here.looks.contains_key(l)));
    }
    let looks = looks.into_iter().collect();
    compared.differing.push(Differing { table: table.name, day, here: rows_here, there: rows_there, looks });
}

/// How near the next start was is noted beside a look, and may be noted after it was told.
fn is_compared(column: &Column) -> bool {
    column.name != "tier"
}

fn is_counted_only(table: &Table) -> bool {
    table.name == tables::LOOK_SEEN.name
}

/// Of rows whose hashes are sorted.
fn sum_of_look(table: &Table, rows: &[[u8; 32]]) -> Sum {
    let n = rows.len() as u64;
    if is_counted_only(table) {
        return Sum { rows: n, hash: Vec::new() };
    }
    let mut look = Sha256::new();
    rows.iter().for_each(|row| look.update(row));
    Sum { rows: n, hash: look.finalize().to_vec() }
}

fn summed(table: &Table, day: &mut Day) -> Sum {
    if is_counted_only(table) {
        return Sum { rows: day.rows, hash: Vec::new() };
    }
    if day.rows == 0 {
        return Sum::default();
    }
    let mut all = Sha256::new();
    for rows in day.looks.values_mut() {
        rows.sort_unstable();
        all.update(sum_of_look(table, rows).hash);
    }
    Sum { rows: day.rows, hash: all.finalize().to_vec() }
}

fn sums_here(
    reader: &Reader,
    run: &Run,
    hubs: &[i64],
    maps: &Maps,
    sums: &mut BTreeMap<(&'static str, i32), Day>,
) -> Result<(), StoreError> {
    let events = reader.hub_run_events(run)?;
    let number = |place: i64| usize::try_from(place - 1).ok().and_then(|at| hubs.get(at)).copied().unwrap_or(0);
    let mut take = |table: &Table, place: i64, cells: &[Cell<'_>]| {
        let at = run.look_at(place).map_or(0, |l| day_of(l.received_at.millis()));
        let day = sums.entry((table.name, at)).or_default();
        day.rows += 1;
        let mut hash = Sha256::new();
        let compared = |column: &Column| is_compared(column) && !is_counted_only(table);
        for (column, cell) in table.columns.iter().zip(cells).filter(|(column, _)| compared(column)) {
            // References into the run are by place.
            let cell = match cell {
                Cell::Int(n) if column.means == Means::Look && *n < 0 => Cell::Int(number(-n)),
                other => other.clone_ref(),
            };
            hash_cell(&mut hash, column.kind, &cell);
        }
        day.looks.entry(number(place)).or_default().push(hash.finalize().into());
        Ok(())
    };
    for (place, look) in (1_i64..).zip(&run.looks) {
        take(&LOOK, place, &look.cells)?;
    }
    for table in tables::PLAIN {
        reader.hub_run_rows(run, table, &events, maps, &mut |place, cells| take(table, place, cells))?;
    }
    reader.hub_run_slots(run, &events, maps, &mut |place, cells| take(&tables::SLOT, place, cells))?;
    reader.hub_run_issues(run, maps, &mut |table, place, cells| take(table, place, cells))
}

/// A one and the bytes of the value, or a zero: what [`column_bytes`] makes of it there.
fn hash_cell(hash: &mut Sha256, kind: Kind, cell: &Cell<'_>) {
    if *cell == Cell::Null {
        hash.update([0]);
        return;
    }
    hash.update([1]);
    match (kind, cell) {
        (Kind::Small, Cell::Int(n)) => hash.update(i16::try_from(*n).unwrap_or_default().to_be_bytes()),
        (Kind::Int, Cell::Int(n)) => hash.update(i32::try_from(*n).unwrap_or_default().to_be_bytes()),
        (_, Cell::Int(n)) if kind == Kind::Real => {
            #[expect(clippy::cast_precision_loss, reason = "as it was told")]
            hash.update((*n as f64).to_be_bytes());
        }
        (_, Cell::Int(n)) => hash.update(n.to_be_bytes()),
        (_, Cell::Real(x)) => hash.update(x.to_be_bytes()),
        (_, Cell::Text(t)) => hash.update(t.as_bytes()),
        (_, Cell::Bytes(b)) => hash.update(b),
        (_, Cell::Null) => {}
    }
}

fn column_bytes(name: &str, kind: Kind) -> String {
    let send = match kind {
        Kind::Small => "int2send",
        Kind::Int => "int4send",
        Kind::Big => "int8send",
        Kind::Real => "float8send",
        Kind::Text => "textsend",
        Kind::Bytes => "byteasend",
    };
    format!("coalesce('\\x01'::bytea || pg_catalog.{send}(t.{name}), '\\x00'::bytea)")
}

/// Days that the hub keeps.
async fn days(hub: &mut Connection) -> Result<BTreeSet<i32>, PushError> {
    let rows = hub.client().query_typed("SELECT day - date '2000-01-01' FROM hub.day", &[]).await?;
    Ok(rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>()?)
}

/// One row a look: its day, its number, rows, and their hash.
fn by_look(table: &Table, of: &Of, also: &str) -> String {
    let name = table.name;
    let (from, look) = if name == LOOK.name { ("t", "t.id") } else { ("l", "t.look") };
    let compared = format!(
        "{from}.source = {} AND {from}.sport = {} AND ({from}.entry <= {} OR {from}.device = {})",
        of.source, of.sport, of.pulled, of.device
    );
    let only = if name == LOOK.name {
        compared
    } else {
        format!("EXISTS (SELECT FROM hub.look AS l WHERE {compared} AND l.id = t.look AND l.day = t.day)")
    };
    if is_counted_only(table) {
        return format!(
            "SELECT t.day, {look} AS look, count(*) AS n, ''::bytea AS hash FROM hub.{name} AS t
             WHERE {only}{also} GROUP BY t.day, {look}"
        );
    }
    let row: Vec<String> =
        table.columns.iter().filter(|c| is_compared(c)).map(|c| column_bytes(c.name, c.kind)).collect();
    format!(
        "SELECT r.day, r.look, count(*) AS n, sha256(string_agg(r.hash, ''::bytea ORDER BY r.hash)) AS hash
         FROM (SELECT t.day, {look} AS look, sha256({}) AS hash FROM hub.{name} AS t WHERE {only}{also}) AS r
         GROUP BY r.day, r.look",
        row.join(" || ")
    )
}

async fn sums_there(hub: &mut Connection, table: &Table, of: &Of) -> Result<BTreeMap<i32, Sum>, PushError> {
    let hash =
        if is_counted_only(table) { "''::bytea" } else { "sha256(string_agg(d.hash, ''::bytea ORDER BY d.look))" };
    let sql = format!(
        "SELECT d.day - date '2000-01-01', sum(d.n)::bigint, {hash} FROM ({}) AS d GROUP BY d.day",
        by_look(table, of, "")
    );
    sums(hub, &sql).await
}

/// Sums of the looks of a day.
async fn looks_there(hub: &mut Connection, table: &Table, of: &Of, day: i32) -> Result<BTreeMap<i64, Sum>, PushError> {
    let also = format!(" AND t.day = date '2000-01-01' + ({day})");
    let sql = format!("SELECT d.look, d.n, d.hash FROM ({}) AS d", by_look(table, of, &also));
    sums(hub, &sql).await
}

async fn sums<K>(hub: &mut Connection, sql: &str) -> Result<BTreeMap<K, Sum>, PushError>
where
    K: Ord + for<'r> tokio_postgres::types::FromSql<'r>,
{
    let rows = hub.client().query_typed(sql, &[] as &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)]).await?;
    let mut sums = BTreeMap::new();
    for r in &rows {
        let n: i64 = r.try_get(1)?;
        sums.insert(r.try_get(0)?, Sum { rows: u64::try_from(n).unwrap_or(0), hash: r.try_get(2)? });
    }
    Ok(sums)
}
