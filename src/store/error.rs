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
    /// The file itself is broken.
    #[error(
        "{path} is damaged ({source}); copy it before anything else, then `sqlite3 FILE .recover | sqlite3 NEW` saves \
         what can be read, or move it away to begin anew"
    )]
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A value in the store makes no sense.
    #[error("the store holds a damaged {what}; `sqlite3 FILE 'PRAGMA integrity_check'` tells more")]
    Damaged {
        /// Which kind of value.
        what: &'static str,
    },
}

/// Why the store cannot be written at the moment, although nothing is wrong with what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No space is left.
    Full,
    /// The file or its file system may only be read.
    ReadOnly,
    /// The operating system refuses to read or write.
    Io,
    /// Another program holds it.
    Busy,
}

impl Trouble {
    /// The name in logs, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Io => "io",
            Self::Busy => "busy",
        }
    }

    /// What it is and what a person can do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Full => "no space is left for the store; free some, or keep less (retention)",
            Self::ReadOnly => "the store may only be read; make its file and folder writable again",
            Self::Io => "the operating system refuses to write the store; check the disk and the limits of the process",
            Self::Busy => "another program holds the store; close whatever has it open for writing",
        }
    }

    fn of_sqlite(error: &rusqlite::Error) -> Option<Self> {
        use rusqlite::ErrorCode;
        /// SQLITE_IOERR_CORRUPTFS and SQLITE_IOERR_DATA: the file is damaged, however well it can be written.
        const DAMAGE: [i32; 2] = [10 | (33 << 8), 10 | (32 << 8)];
        let cause = error.sqlite_error()?;
        match cause.code {
            ErrorCode::DiskFull => Some(Self::Full),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(Self::ReadOnly),
            ErrorCode::SystemIoFailure if !DAMAGE.contains(&cause.extended_code) => Some(Self::Io),
            ErrorCode::CannotOpen => Some(Self::Io),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                Some(Self::Busy)
            }
            _ => None,
        }
    }

    /// What a refusal of the file system means.
    pub(super) fn of_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Io,
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => true,
        Some(ErrorCode::SystemIoFailure) => Trouble::of_sqlite(error).is_none(),
        _ => false,
    }
}

impl StoreError {
    /// The store cannot be used now, and may be later, by itself. `None`: waiting does not help.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Sqlite(e) => Trouble::of_sqlite(e),
            Self::Io { source, .. } => Some(Trouble::of_io(source)),
            _ => None,
        }
    }

    /// The same with the file named, where the file itself is broken.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        match self {
            Self::Sqlite(source) if is_damage(&source) => Self::Corrupt { path: path.to_owned(), source },
            other => other,
        }
    }

    /// The file itself is broken.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(source) => is_damage(source),
            Self::Corrupt { .. } | Self::Damaged { .. } => true,
            _ => false,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> StoreError {
        StoreError::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        // Primary and extended codes of SQLite.
        let cases = [
            (13, Some(Trouble::Full)),
            (8, Some(Trouble::ReadOnly)),
            (8 | (4 << 8), Some(Trouble::ReadOnly)),
            (10, Some(Trouble::Io)),
            (10 | (3 << 8), Some(Trouble::Io)),
            (14, Some(Trouble::Io)),
            (5, Some(Trouble::Busy)),
            (6, Some(Trouble::Busy)),
            (11, None),
            (26, None),
            (10 | (33 << 8), None),
            (10 | (32 << 8), None),
            (1, None),
            (19, None),
        ];
        for (code, trouble) in cases {
            assert_eq!(sqlite(code).trouble(), trouble, "{code}");
        }
        assert_eq!(StoreError::Damaged { what: "line" }.trouble(), None);
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do() {
        let path = Path::new("/x/stratum.db");
        for code in [11, 26, 10 | (33 << 8)] {
            let text = sqlite(code).at(path).to_string();
            assert!(text.contains("/x/stratum.db is damaged") && text.contains(".recover"), "{text}");
        }
        assert!(matches!(sqlite(13).at(path), StoreError::Sqlite(_)));
        assert!(matches!(sqlite(10).at(path), StoreError::Sqlite(_)));
    }

    #[test]
    fn refusals_of_the_file_system_have_names() {
        let io = |kind: std::io::ErrorKind| StoreError::io(Path::new("/x"), kind.into()).trouble();
        assert_eq!(io(std::io::ErrorKind::StorageFull), Some(Trouble::Full));
        assert_eq!(io(std::io::ErrorKind::ReadOnlyFilesystem), Some(Trouble::ReadOnly));
        assert_eq!(io(std::io::ErrorKind::PermissionDenied), Some(Trouble::ReadOnly));
        assert_eq!(io(std::io::ErrorKind::Other), Some(Trouble::Io));
    }
}
