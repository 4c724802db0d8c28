//! Versions of the schema, and how connections are set up.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;

/// Migrations in order; the version of a store is the number of those applied.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_store.sql"),
    include_str!("../../migrations/sqlite/0002_analysis.sql"),
    include_str!("../../migrations/sqlite/0003_cycle.sql"),
    include_str!("../../migrations/sqlite/0004_alerts.sql"),
    include_str!("../../migrations/sqlite/0005_credit.sql"),
    include_str!("../../migrations/sqlite/0006_exchange.sql"),
    include_str!("../../migrations/sqlite/0007_hub.sql"),
    include_str!("../../migrations/sqlite/0008_hub_history.sql"),
    include_str!("../../migrations/sqlite/0009_hub_care.sql"),
    include_str!("../../migrations/sqlite/0010_hub_exchange.sql"),
];

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Marks the file as ours ("STRA").
const APPLICATION_ID: i64 = 0x5354_5241;

pub(super) fn tune_writer(c: &Connection) -> rusqlite::Result<()> {
    c.busy_timeout(std::time::Duration::from_secs(5))?;
    // WAL with NORMAL survives a killed process with every commit; a power cut may cost the newest commits, never
    // the file.
    c.pragma_update(None, "journal_mode", "WAL")?;
    c.pragma_update(None, "synchronous", "NORMAL")?;
    c.pragma_update(None, "foreign_keys", "OFF")?;
    c.pragma_update(None, "cache_size", -6_000)?;
    c.pragma_update(None, "temp_store", "MEMORY")?;
    // Checkpoints are run between commits, not inside them: see `Store::tidy`.
    c.pragma_update(None, "wal_autocheckpoint", 0)?;
    c.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    c.set_prepared_statement_cache_capacity(96);
    Ok(())
}

pub(super) fn tune_reader(c: &Connection) -> rusqlite::Result<()> {
    c.busy_timeout(std::time::Duration::from_secs(5))?;
    c.pragma_update(None, "cache_size", -2_000)?;
    c.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn version(c: &Connection) -> rusqlite::Result<i64> {
    c.pragma_query_value(None, "user_version", |r| r.get(0))
}

fn application_id(c: &Connection) -> rusqlite::Result<i64> {
    c.pragma_query_value(None, "application_id", |r| r.get(0))
}

/// Refuses what a reader cannot read.
pub(super) fn check(c: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(c).map_err(|e| StoreError::opening(path, e))?;
    if application_id(c)? != APPLICATION_ID {
        return Err(StoreError::NotAStore { path: path.to_owned(), reason: "another program made it".to_owned() });
    }
    match found.cmp(&SCHEMA_VERSION) {
        std::cmp::Ordering::Greater => {
            Err(StoreError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        std::cmp::Ordering::Less => Err(StoreError::OlderSchema { path: path.to_owned(), found }),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

/// Refuses what a writer may not touch, before anything of it is changed; answers the version found.
pub(super) fn identify(c: &Connection, path: &Path) -> Result<i64, StoreError> {
    let found = version(c).map_err(|e| StoreError::opening(path, e))?;
    let id = application_id(c).map_err(|e| StoreError::opening(path, e))?;
    let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?;
    if id != APPLICATION_ID && (tables > 0 || found > 0) {
        return Err(StoreError::NotAStore { path: path.to_owned(), reason: "another program made it".to_owned() });
    }
    if found > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    Ok(found)
}

/// Brings a store to the present schema, step by step, each step whole or not at all.
pub(super) fn migrate(c: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = identify(c, path)?;
    if found == 0 {
        // Only possible while the file is empty: freed pages can then be given back in small steps.
        c.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        c.execute_batch("VACUUM")?;
    }
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let step = c.transaction()?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", index as i64 + 1)?;
        step.commit()?;
    }
    Ok(())
}
