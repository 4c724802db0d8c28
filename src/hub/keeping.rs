//! How large a hub is, and for how long it keeps what.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::connect::Connection;
use super::error::HubError;

/// Days over which growth is taken.
const RECENT: usize = 7;

/// A table of the hub, all its days together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableSize {
    /// Its name.
    pub table: String,
    /// Bytes of rows and indexes.
    pub bytes: i64,
    /// Bytes of indexes.
    pub index_bytes: i64,
    /// Rows, estimated by the server.
    pub rows: i64,
    /// Days with rows in them; 0 where it is not split by day.
    pub days: usize,
    /// The oldest of these, such as 2026-01-10.
    pub oldest: Option<String>,
    /// Bytes that a day takes: the mean of the last seven that are over.
    pub bytes_per_day: Option<i64>,
}

/// How large the tables are, the largest first.
///
/// # Errors
/// [`HubError`].
pub async fn sizes(hub: &mut Connection) -> Result<Vec<TableSize>, HubError> {
    const ASK: &str = "SELECT regexp_replace(c.relname, '_[0-9]{8}$', ''),
            CASE WHEN n.nspname = 'hub_day' THEN to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') END,
            pg_catalog.pg_total_relation_size(c.oid), pg_catalog.pg_indexes_size(c.oid),
            greatest(c.reltuples::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid), 0), pg_catalog.pg_relation_size(c.oid) > 0,
            CASE WHEN n.nspname = 'hub_day' THEN to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date END
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('hub', 'hub_day') AND c.relkind = 'r' ORDER BY 1, 2";
    let mut tables: BTreeMap<String, (TableSize, Vec<i64>)> = BTreeMap::new();
    for r in hub.client().query_typed(ASK, &[]).await? {
        let (name, day): (String, Option<String>) = (r.try_get(0)?, r.try_get(1)?);
        let (t, over) = tables.entry(name.clone()).or_default();
        t.table = name;
        let bytes: i64 = r.try_get(2)?;
        t.bytes += bytes;
        t.index_bytes += r.try_get::<_, i64>(3)?;
        t.rows += r.try_get::<_, i64>(4)?;
        // Days that are made ahead are empty.
        if day.is_some() && r.try_get(5)? {
            t.days += 1;
            t.oldest = t.oldest.take().or(day);
            if r.try_get::<_, Option<bool>>(6)? == Some(true) {
                over.push(bytes);
            }
        }
    }
    let mut sizes: Vec<TableSize> = tables
        .into_values()
        .map(|(mut t, over)| {
            let last = over.get(over.len().saturating_sub(RECENT)..).unwrap_or_default();
            let n = i64::try_from(last.len()).unwrap_or(i64::MAX);
            t.bytes_per_day = (n > 0).then(|| last.iter().sum::<i64>() / n.max(1));
            t
        })
        .collect();
    sizes.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.table.cmp(&b.table)));
    Ok(sizes)
}

/// For how long things are kept, and what goes next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keeping {
    /// Days; `None`: for ever.
    pub keep_days: Option<i32>,
    /// The first day that stays.
    pub cut: Option<String>,
    /// What holds days that would go otherwise.
    pub held_by: Option<String>,
    /// Days that go.
    pub days: Vec<String>,
    /// Bytes that go with them.
    pub bytes: i64,
}

/// What is kept, and what would go now; with `days`, what would go if things were kept for so many.
///
/// # Errors
/// [`HubError`].
pub async fn keeping(hub: &mut Connection, days: Option<i32>) -> Result<Keeping, HubError> {
    let row = hub.client().query_typed_one("SELECT hub.keep_days()", &[]).await?;
    let set: Option<i32> = row.try_get(0)?;
    let mut keeping = Keeping { keep_days: set, ..Keeping::default() };
    let Some(days) = days.or(set) else { return Ok(keeping) };
    let row = hub
        .client()
        .query_typed_one(
            "SELECT to_char(c.cut, 'YYYY-MM-DD'), c.held_by,
             ARRAY(SELECT to_char(d.day, 'YYYY-MM-DD') FROM hub.day AS d WHERE d.day < c.cut ORDER BY d.day),
             (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(r.oid)), 0)::bigint FROM pg_catalog.pg_class AS r
              JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
              WHERE n.nspname = 'hub_day' AND r.relkind = 'r' AND right(r.relname, 8) < to_char(c.cut, 'YYYYMMDD'))
             FROM hub.retention_cut($1) AS c",
            &[(&days, Type::INT4)],
        )
        .await?;
    (keeping.cut, keeping.held_by) = (row.try_get(0)?, row.try_get(1)?);
    (keeping.days, keeping.bytes) = (row.try_get(2)?, row.try_get(3)?);
    Ok(keeping)
}

/// Says for how many days things are kept from now on; `None`: for ever.
///
/// # Errors
/// [`HubError::Denied`], and any other.
pub async fn keep(hub: &mut Connection, days: Option<i32>, reason: &str) -> Result<(), HubError> {
    hub.client().query_typed("SELECT hub.set_retention($1, $2)", &[(&days, Type::INT4), (&reason, Type::TEXT)]).await?;
    Ok(())
}

/// Has dropped what is to go, if that was not done today or it is `forced`; answers how many days went.
///
/// # Errors
/// [`HubError`].
pub async fn retain(hub: &mut Connection, forced: bool) -> Result<i32, HubError> {
    let row = hub.client().query_typed_one("SELECT dropped FROM hub.retain($1)", &[(&forced, Type::BOOL)]).await?;
    Ok(row.try_get(0)?)
}

/// Tells how far this device has followed the log.
///
/// # Errors
/// [`HubError`].
pub async fn note_followed(hub: &mut Connection, device: i32, entry: i64) -> Result<(), HubError> {
    hub.client()
        .query_typed("SELECT hub.note_followed($1, $2)", &[(&device, Type::INT4), (&entry, Type::INT8)])
        .await?;
    Ok(())
}
