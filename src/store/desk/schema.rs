//! Versions of the desk's schema, and how its file is made and opened.
//!
//! Nothing is written to a file before it is known to be ours, whole and of a version that we know.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::DeskError;

/// Migrations in order; the version of a desk is the number of those applied. Never edit one, add one.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/desk/0001_desk.sql"),
    include_str!("../../../migrations/desk/0002_alerts.sql"),
    include_str!("../../../migrations/desk/0003_exchange.sql"),
    include_str!("../../../migrations/desk/0004_operations.sql"),
];

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Marks the file as ours ("STRD").
const APPLICATION_ID: i64 = 0x5354_5244;

/// How long one process waits for another.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the desk at `path`, makes it if there is none, and brings it to the present schema.
pub(super) fn open(path: &Path) -> Result<Connection, DeskError> {
    make_folder(path)?;
    make_file(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|e| DeskError::from(e).of(path))?;
    connection.busy_timeout(PATIENCE)?;
    // SQLite does not wait by itself for every lock that recovery and the change to WAL take.
    let deadline = Instant::now() + PATIENCE;
    loop {
        match prepare(&mut connection, path).map_err(|e| e.of(path)) {
            Err(e) if e.is_busy() && Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            Err(e) => return Err(e),
            Ok(()) => return Ok(connection),
        }
    }
}

fn prepare(c: &mut Connection, path: &Path) -> Result<(), DeskError> {
    if identify(c, path)? > 0 {
        // A desk is small: looking it over costs a millisecond or so, and a torn page is found before it is built on.
        let verdict: String = c.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
        if verdict != "ok" {
            return Err(DeskError::damaged(path, verdict));
        }
    }
    let mode: String = c.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        c.pragma_update(None, "journal_mode", "WAL")?;
    }
    // Writes are rare and small, so each may wait for the disk: what was acknowledged survives a power cut too.
    c.pragma_update(None, "synchronous", "FULL")?;
    c.pragma_update(None, "foreign_keys", "ON")?;
    migrate(c, path)
}

/// Refuses what is not ours or too new; answers the version found.
fn identify(c: &Connection, path: &Path) -> Result<i64, DeskError> {
    let found: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let id: i64 = c.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?;
    // Three questions, and another process may make the desk between two of them: id and version come in one commit,
    // so an unmarked file with tables is a stranger only if it still is when asked again.
    if id != APPLICATION_ID && (tables > 0 || found > 0) {
        let again: i64 = c.pragma_query_value(None, "application_id", |r| r.get(0))?;
        if again != APPLICATION_ID {
            return Err(DeskError::NotADesk { path: path.to_owned() });
        }
    }
    if found > SCHEMA_VERSION {
        return Err(DeskError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    Ok(found)
}

/// All missing steps in one transaction; the version is read inside it, as another process may have been quicker.
fn migrate(c: &mut Connection, path: &Path) -> Result<(), DeskError> {
    if identify(c, path)? == SCHEMA_VERSION {
        return Ok(());
    }
    let tx = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = identify(&tx, path)?;
    for sql in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    tx.commit()?;
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), DeskError> {
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| DeskError::io(folder, e))
}

/// Sees to it that there is a file and that only its owner may read it. SQLite gives its side files the same mode.
fn make_file(path: &Path) -> Result<(), DeskError> {
    // Closing any handle of a file drops the POSIX locks that SQLite has on it elsewhere in this process. So the file
    // is opened here only where there was none, and no second thread gets to SQLite before it is closed again.
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    refuse_lost_content(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            keep_private(path);
            Ok(())
        }
        Err(e) => Err(DeskError::io(path, e)),
    }
}

/// A log beside an empty or missing file means that the file was lost; SQLite would throw the log away.
fn refuse_lost_content(path: &Path) -> Result<(), DeskError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // The log first: while a desk is being made, the file gets its content before there is a log.
    let log_size = std::fs::metadata(&log).map_or(0, |m| m.len());
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    if log_size > 0 && size == 0 {
        return Err(DeskError::damaged(path, "the file is empty but its log is not"));
    }
    Ok(())
}

/// Takes the rights of others away, where the file is ours to change. A restored copy often has too many.
#[cfg(unix)]
fn keep_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = std::fs::metadata(path) else { return };
    if found.is_file() && found.permissions().mode() & 0o077 != 0 {
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
}

#[cfg(not(unix))]
fn keep_private(_: &Path) {}
