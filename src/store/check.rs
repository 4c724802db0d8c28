//! Comparing a replay with what was stored: the replay writes its findings into a store of its own, by the same code,
//! and the two are held against each other row by row.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::write::write_quotes;
use super::write_analysis::write_analysis;
use super::{StoreError, schema};
use crate::engine::changes::Changes;
use crate::market::ids::{LookId, SportId};
use crate::market::time::Timestamp;

/// What is compared: table, key beside the look, columns. What only helps to find rows is left out.
const TABLES: [(&str, &str, &str); 7] = [
    ("change", "event, slot", "line, price, status, last_seen, provider_update"),
    (
        "point",
        "event, market, subject, own_line",
        "line, value1, value2, value3, fair1, fair2, fair3, standard_error, effective, families, consensus_line,
         consensus, consensus_value, dispersion, consensus_books, books",
    ),
    ("signal", "id, version", "json"),
    ("opportunity", "event, market, subject, own_line, kind, legs", "open, ev, json"),
    ("close", "event, market, subject, own_line, version", "json"),
    ("clv", "signal, version", "json"),
    ("tally", "detector", "evaluated, not_evaluable, longest_gap_ms, needed_ms, suppressed"),
];

/// One row that differs.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Difference {
    /// Table: `change` (quotes), `point` (fair price and consensus), `signal`, `opportunity`, `close`, `clv` or `tally`.
    pub table: &'static str,
    /// Sport key.
    pub sport: String,
    /// The look.
    pub look: u64,
    /// When it was received.
    pub at: Timestamp,
    /// Which row.
    pub key: String,
    /// As stored; `None`: the replay has a row that is not stored.
    pub stored: Option<String>,
    /// As replayed; `None`: the replay does not have it.
    pub replayed: Option<String>,
}

/// What a comparison found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// Rows compared, by table in the order of [`Comparison::tables`].
    pub rows: Vec<u64>,
    /// Rows that differ, by table.
    pub different: Vec<u64>,
    /// The first of them.
    pub shown: Vec<Difference>,
}

impl Comparison {
    /// Names of the tables.
    pub fn tables() -> impl Iterator<Item = &'static str> {
        TABLES.iter().map(|(name, ..)| *name)
    }
}

/// Which looks are compared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// Number of the source's name.
    pub source: u32,
    /// Sport.
    pub sport: SportId,
    /// Received after this.
    pub after: Timestamp,
    /// Received at or before this.
    pub until: Timestamp,
    /// Points and opportunities are kept for looks after this.
    pub kept_after: Timestamp,
}

/// The findings of a replay.
#[derive(Debug)]
pub struct Replayed {
    connection: Connection,
    open: bool,
}

impl Replayed {
    /// A store for findings in the file `path`, which must not be there yet; with the store `live` to compare with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn create(path: &Path, live: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|e| StoreError::opening(path, e))?;
        // Of no use after a crash.
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "foreign_keys", "OFF")?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection, path)?;
        let uri = format!(
            "file:{}?mode=ro",
            live.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
        );
        connection.execute("ATTACH DATABASE ? AS live", [uri])?;
        Ok(Self { connection, open: false })
    }

    /// Writes what a look of the replay gave.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&mut self, changes: &Changes) -> Result<(), StoreError> {
        if !self.open {
            self.connection.execute_batch("BEGIN")?;
            self.open = true;
        }
        write_quotes(&self.connection, changes)?;
        write_analysis(&self.connection, changes)
    }

    /// Compares the looks of a range. At most `show` differences are listed; all are counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn compare(&mut self, range: &Range, sport: &str, show: usize, out: &mut Comparison) -> Result<(), StoreError> {
        if std::mem::take(&mut self.open) {
            self.connection.execute_batch("COMMIT")?;
        }
        out.rows.resize(TABLES.len(), 0);
        out.different.resize(TABLES.len(), 0);
        for (at, table) in TABLES.iter().enumerate() {
            let (rows, different) = self.compare_table(table, range, sport, show, &mut out.shown)?;
            if let (Some(r), Some(d)) = (out.rows.get_mut(at), out.different.get_mut(at)) {
                (*r, *d) = (*r + rows, *d + different);
            }
        }
        Ok(())
    }

    fn compare_table(
        &self,
        (table, key, values): &(&'static str, &'static str, &'static str),
        range: &Range,
        sport: &str,
        show: usize,
        shown: &mut Vec<Difference>,
    ) -> Result<(u64, u64), StoreError> {
        let after = match *table {
            "point" | "opportunity" => range.after.max(range.kept_after),
            _ => range.after,
        };
        let looks = "(SELECT id FROM live.look WHERE source = ?1 AND sport = ?2 AND received_at > ?3
                      AND received_at <= ?4)";
        let limits = params![range.source, range.sport.0, after.millis(), range.until.millis()];
        let count = format!("SELECT count(*) FROM main.{table} WHERE look IN {looks}");
        let rows: i64 = self.connection.query_row(&count, limits, |r| r.get(0))?;
        let columns = format!("look, {key}, {values}");
        let side = |here: &str| format!("SELECT {columns} FROM {here}.{table} WHERE look IN {looks}");
        // One row for each key that differs, with both forms of it.
        let text = |columns: &str| {
            let parts: Vec<String> = columns.split(',').map(|c| format!("ifnull({}, 'null')", c.trim())).collect();
            parts.join(" || ', ' || ")
        };
        let sql = format!(
            "WITH stored AS ({live} EXCEPT {main}), replayed AS ({main} EXCEPT {live}),
             marked AS (SELECT look, {key_text} AS k, {value_text} AS stored, NULL AS replayed FROM stored
                        UNION ALL SELECT look, {key_text}, NULL, {value_text} FROM replayed)
             SELECT m.look, l.received_at, m.k, max(m.stored), max(m.replayed) FROM marked AS m
             JOIN live.look AS l ON l.id = m.look GROUP BY m.look, m.k ORDER BY m.look, m.k",
            live = side("live"),
            main = side("main"),
            key_text = text(key),
            value_text = text(values),
        );
        let mut select = self.connection.prepare(&sql)?;
        let mut found = select.query(params![range.source, range.sport.0, after.millis(), range.until.millis()])?;
        let mut different = 0;
        while let Some(r) = found.next()? {
            different += 1;
            if shown.len() < show {
                shown.push(Difference {
                    table,
                    sport: sport.to_owned(),
                    look: LookId(r.get::<_, i64>(0)? as u64).0,
                    at: Timestamp::from_millis(r.get(1)?),
                    key: r.get(2)?,
                    stored: r.get(3)?,
                    replayed: r.get(4)?,
                });
            }
        }
        Ok((rows as u64, different))
    }
}
