//! What can go wrong with the store, in words that say what to do.

use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the store.
    #[error("{path} is being written by another stratum{}; stop that one or choose another --data-dir", .pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    Locked {
        /// The store.
        path: PathBuf,
        /// The process that holds it, where it could be read.
        pid: Option<u32>,
    },
    /// A newer program made it.
    #[error("{path} has schema {found}, this stratum knows up to {known}; update stratum, nothing was changed")]
    NewerSchema {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An older program made it and only a writer may bring it up to date.
    #[error("{path} has the older schema {found}; open it once with a command that writes, such as `stratum --daemon`")]
    OlderSchema {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Not one of ours.
    #[error("{path} is not a store of stratum: {reason}")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing yet.
    #[error("no store at {path} yet; run `stratum --daemon`, `stratum import` or `stratum demo --headless` first")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A value in the store makes no sense.
    #[error("the store holds a damaged {what}; `sqlite3 FILE 'PRAGMA integrity_check'` tells more")]
    Damaged {
        /// Which kind of value.
        what: &'static str,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn opening(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::NotAStore { path: path.to_owned(), reason: error.to_string() }
            }
            _ => Self::Sqlite(error),
        }
    }
}
