//! What can go wrong with the desk, in words that say what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A failure of the desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A newer program made it.
    #[error("{path} has schema {found}, this stratum knows up to {known}; update stratum, nothing was changed")]
    NewerSchema {
        /// The desk.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A database, but not one of ours.
    #[error("{path} is not a desk of stratum: another program made it; move it aside, nothing was changed")]
    NotADesk {
        /// The file.
        path: PathBuf,
    },
    /// The file, or a value in it, is damaged.
    #[error(
        "{path} is damaged ({reason}); nothing was changed. Put a copy of it back, rescue it with \
         `sqlite3 FILE .recover`, or move it aside to begin with an empty one"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process would not let go of it.
    #[error("{path} has been busy with another process for 5 s; try again")]
    Busy {
        /// The desk.
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
    /// SQLite refused: the disk is full, or the file is not ours to write.
    #[error("{path} cannot be used: {source}; check who owns it and whether the disk is full")]
    Refused {
        /// The desk.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// SQLite refused. Becomes one of the others before it leaves this module.
    #[error("the desk failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A value makes no sense. Becomes [`Self::Damaged`] before it leaves this module.
    #[error("the desk holds a damaged {0}")]
    Value(&'static str),
    /// The watchlist is not there, or no more.
    #[error("there is no such watchlist any more")]
    NoList,
    /// The rule is not there, or no more.
    #[error("there is no such rule any more")]
    NoRule,
    /// Names are unique, whatever their case.
    #[error("there is a watchlist '{name}' already; names differ by more than case")]
    NameTaken {
        /// The name that is there.
        name: String,
    },
    /// Names of alert rules are unique, whatever their case.
    #[error("there is an alert rule '{name}' already; names differ by more than case")]
    RuleNameTaken {
        /// The name that is there.
        name: String,
    },
    /// What is to be restored is there.
    #[error("the watchlist '{name}' is there already")]
    NotDeleted {
        /// Its present name.
        name: String,
    },
    /// A text that cannot be kept.
    #[error("{what} {problem}")]
    Unfit {
        /// Which text.
        what: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl DeskError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn unfit(what: &'static str, problem: impl Into<String>) -> Self {
        Self::Unfit { what, problem: problem.into() }
    }

    /// The same failure, knowing of which file.
    pub(super) fn of(self, path: &Path) -> Self {
        match self {
            Self::Sqlite(e) => match e.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::damaged(path, e.to_string()),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path: path.to_owned() },
                _ => Self::Refused { path: path.to_owned(), source: e },
            },
            Self::Value(what) => Self::damaged(path, format!("a {what} in it makes no sense")),
            other => other,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}
