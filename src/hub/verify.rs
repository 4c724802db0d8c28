//! Whether a store and its hub hold the same: sums over every look that both have, table by table and day by day.
//!
//! The server sums where the rows are, and sends one line a day. A sum is made of the rows in the hub's numbers, whatever
//! their order: the hash of each row, the hash of the sorted hashes of a look, the hash of those of a day. What looks
//! showed is only counted: it is packed, and the same may be packed in different ways.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;

use super::connect::Connection;
use super::copy::day_of;
use super::push::PushError;
use crate::engine::names::NameKind;
use crate::store::hub::cell::Cell;
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::{self, Kind, Means, Table};
use crate::store::hub::{Cursor, Run};
use crate::store::{Reader, StoreError};

/// Looks that are read from the store at once.
const AT_ONCE: usize = 200;

/// A sum over the rows of a day.
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
    /// Looks of the hub that this store does not have.
    pub only_there: u64,
    /// Rows that were compared.
    pub rows: u64,
    /// What is not the same.
    pub differing: Vec<Differing>,
}

impl Compared {
    /// Nothing is missing here, and nothing differs.
    pub fn is_same(&self) -> bool {
        self.only_there == 0 && self.differing.is_empty()
    }
}

/// Hashes of the looks of a day, as they are summed.
#[derive(Default)]
struct Day {
    rows: u64,
    looks: BTreeMap<i64, Vec<[u8; 32]>>,
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
    compared.only_here = reader.hub_untold((cursor.source, cursor.sport))?;
    let mut here: BTreeMap<(&'static str, i32), Day> = BTreeMap::new();
    let mut after = 0;
    while let Some((run, hubs)) = reader.hub_known_run((cursor.source, cursor.sport), after, AT_ONCE)? {
        after = run.last();
        compared.looks += run.looks.len() as u64;
        sums_here(reader, &run, &hubs, &maps, &mut here)?;
        progress(compared.looks);
    }
    let rows = hub
        .client()
        .query_typed(
            "SELECT count(*) FROM hub.look WHERE source = $1 AND sport = $2",
            &[(&source, Type::INT4), (&sport, Type::INT4)],
        )
        .await?;
    let there: i64 = rows.first().map_or(Ok(0), |r| r.try_get(0))?;
    compared.only_there = u64::try_from(there).unwrap_or(0).saturating_sub(compared.looks);
    for table in tables::all() {
        let there = sums_there(hub, &table, source, sport).await?;
        let days: Vec<i32> =
            here.keys().filter(|(t, _)| *t == table.name).map(|(_, d)| *d).chain(there.keys().copied()).collect();
        let mut days = days;
        days.sort_unstable();
        days.dedup();
        for day in days {
            let ours = here.remove(&(table.name, day)).map_or_else(Sum::default, |d| summed(&table, d));
            let theirs = there.get(&day).cloned().unwrap_or_default();
            compared.rows += ours.rows;
            if ours != theirs {
                compared.differing.push(Differing { table: table.name, day, here: ours.rows, there: theirs.rows });
            }
        }
    }
    Ok(compared)
}

fn is_counted_only(table: &Table) -> bool {
    table.name == tables::LOOK_SEEN.name
}

fn summed(table: &Table, day: Day) -> Sum {
    if is_counted_only(table) {
        return Sum { rows: day.rows, hash: Vec::new() };
    }
    let mut all = Sha256::new();
    for (_, mut rows) in day.looks {
        rows.sort_unstable();
        let mut look = Sha256::new();
        rows.iter().for_each(|row| look.update(row));
        all.update(look.finalize());
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
        if !is_counted_only(table) {
            let mut hash = Sha256::new();
            for (column, cell) in table.columns.iter().zip(cells) {
                // References into the run are by place.
                let cell = match cell {
                    Cell::Int(n) if column.means == Means::Look && *n < 0 => Cell::Int(number(-n)),
                    other => other.clone_ref(),
                };
                hash_cell(&mut hash, column.kind, &cell);
            }
            day.looks.entry(number(place)).or_default().push(hash.finalize().into());
        }
        Ok(())
    };
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

async fn sums_there(
    hub: &mut Connection,
    table: &Table,
    source: i32,
    sport: i32,
) -> Result<BTreeMap<i32, Sum>, PushError> {
    let name = table.name;
    let of = "FROM hub.look AS l WHERE l.source = $1 AND l.sport = $2";
    let sql = if is_counted_only(table) {
        format!(
            "SELECT t.day - date '2000-01-01', count(*), ''::bytea FROM hub.{name} AS t
             WHERE EXISTS (SELECT {of} AND l.id = t.look AND l.day = t.day) GROUP BY t.day"
        )
    } else {
        let row: Vec<String> = table.columns.iter().map(|c| column_bytes(c.name, c.kind)).collect();
        format!(
            "SELECT d.day - date '2000-01-01', sum(d.n)::bigint, sha256(string_agg(d.hash, ''::bytea ORDER BY d.look))
             FROM (SELECT r.day, r.look, count(*) AS n, sha256(string_agg(r.hash, ''::bytea ORDER BY r.hash)) AS hash
                   FROM (SELECT t.day, t.look, sha256({}) AS hash FROM hub.{name} AS t
                         WHERE EXISTS (SELECT {of} AND l.id = t.look AND l.day = t.day)) AS r
                   GROUP BY r.day, r.look) AS d
             GROUP BY d.day",
            row.join(" || ")
        )
    };
    let rows = hub.client().query_typed(&sql, &[(&source, Type::INT4), (&sport, Type::INT4)]).await?;
    let mut sums = BTreeMap::new();
    for r in &rows {
        let n: i64 = r.try_get(1)?;
        sums.insert(r.try_get(0)?, Sum { rows: u64::try_from(n).unwrap_or(0), hash: r.try_get(2)? });
    }
    Ok(sums)
}
