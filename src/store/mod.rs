//! The embedded store: everything that was received, judged and can be asked again.
//!
//! Owns the SQLite file. One [`Store`] writes, from one thread, under a lock that no second process gets; any number
//! of [`Reader`]s look at committed states. A look is written in one transaction or not at all. May use `market` and
//! the types of `engine`.

pub mod analysis;
mod analysis_codec;
pub mod as_of;
pub mod check;
mod codec;
pub mod credit;
pub mod credit_elsewhere;
pub mod cycle;
pub mod desk;
pub mod error;
pub mod exchange;
pub mod hub;
mod lock;
mod mend;
pub mod outbox;
pub mod query;
pub mod raw;
pub mod recall;
pub mod replay;
pub mod replay_all;
pub mod report;
mod restore;
mod retention;
pub mod rewind;
mod schema;
pub mod slate;
mod sweep;
#[cfg(test)]
mod tests;
mod write;
mod write_analysis;

use std::path::{Path, PathBuf};

pub use error::{StoreError, Trouble};
pub use lock::writer_of;
pub use retention::{Kept, Retention};
use rusqlite::{Connection, OpenFlags};
pub use schema::SCHEMA_VERSION;
pub use write::{FetchRecord, LookMeta, Together};

/// File name of the store inside the data folder.
pub const FILE_NAME: &str = "stratum.db";

/// The one writer.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    sweep: sweep::Sweep,
    /// Held for as long as the store is open.
    _lock: lock::WriterLock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store at `path` for writing, makes it if there is none, and brings it to the present schema.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process writes it, [`StoreError::NewerSchema`] when a newer program made
    /// it, [`StoreError::NotAStore`] when the file is something else.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| StoreError::io(folder, e))?;
        }
        let lock = lock::WriterLock::take(path)?;
        let mut connection = Connection::open(path).map_err(|e| StoreError::opening(path, e))?;
        schema::identify(&connection, path)?;
        schema::tune_writer(&connection).map_err(|e| StoreError::opening(path, e))?;
        schema::migrate(&mut connection, path)?;
        Ok(Self { connection, path: path.to_owned(), sweep: sweep::Sweep::default(), _lock: lock })
    }

    /// Where the store lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A reader of the same file.
    ///
    /// # Errors
    /// As for [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }
}

/// A read-only view of committed states. Each question sees one consistent state.
pub struct Reader {
    connection: Connection,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Opens the store at `path` for reading.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none, [`StoreError::NewerSchema`] and [`StoreError::OlderSchema`] when
    /// another version of the program made it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| StoreError::opening(path, e))?;
        schema::tune_reader(&connection).map_err(|e| StoreError::opening(path, e))?;
        schema::check(&connection, path)?;
        Ok(Self { connection })
    }

    /// Another reader of the same store, for another thread.
    ///
    /// # Errors
    /// As for [`Reader::open`].
    pub fn again(&self) -> Result<Self, StoreError> {
        Self::open(Path::new(self.connection.path().unwrap_or_default()))
    }
}
