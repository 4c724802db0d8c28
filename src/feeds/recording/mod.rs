//! Recordings: what providers answered, one JSON object a line, plain or packed.
//!
//! ```text
//! {"captured_at":"2025-11-09T17:03:11Z","source":"the-odds-api","endpoint":"odds","sport":"americanfootball_nfl",
//!  "asked":{"markets":["h2h","spreads"],"regions":["us"]},"status":200,"body":[ ...the answer as it came... ]}
//! ```
//!
//! `captured_at` and `body` are required; `source`, `endpoint`, `sport`, `asked`, `status`, `headers` and `origin`
//! are optional; other keys are ignored. What `asked` leaves out was not restricted. Files may be packed with gzip or
//! zstd, which is decided by their first bytes and never by their name. A file that is nothing but one answer of the
//! provider is accepted too; its capture time is unknown unless it is a historical answer, which carries its own.
//!
//! This room reads and writes the envelope. What the answer says is the business of the source's own reader. It may
//! use the vocabulary of the market and the file system, nothing else.
#![warn(missing_docs)]

mod body;
#[cfg(unix)]
mod frames;
#[cfg(unix)]
mod history;
mod line;
mod merge;
mod reader;
#[cfg(unix)]
mod unpack;
/// Elsewhere everything is decoded in memory.
#[cfg(not(unix))]
mod unpack {
    #[derive(Clone, Debug)]
    pub(super) enum Unpacked {}

    impl Unpacked {
        pub(super) fn len(&self) -> u64 {
            match *self {}
        }

        pub(super) fn reader(&self) -> Box<dyn std::io::BufRead + Send> {
            match *self {}
        }
    }
}
mod writer;

pub use body::{BodyKind, classify};
pub use line::{Line, parse_line};
pub use merge::{Merged, Totals, merged};
pub use reader::RecordingReader;
pub use writer::{Entry, RecordingWriter};

#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(unix)]
mod unpack_tests;

use std::path::{Path, PathBuf};

/// Longest line that is read, and largest file that may be one single answer. In bytes after unpacking.
pub const MAX_LINE: usize = 256 << 20;

/// Something in a recording that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {fault}", path.display(), LineSuffix(*line_no))]
pub struct RecordingError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; zero when it is about the file as a whole.
    pub line_no: u64,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

impl RecordingError {
    pub(crate) fn new(path: &Path, line_no: u64, fault: Fault) -> Self {
        Self { path: path.to_owned(), line_no, fault }
    }
}

struct LineSuffix(u64);

impl std::fmt::Display for LineSuffix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, ":{n}"),
        }
    }
}

/// What can be wrong with a recording or one of its lines.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file or folder cannot be opened.
    #[error("cannot be opened ({0})")]
    Open(#[source] std::io::Error),
    /// Reading stopped in the middle: a damaged or cut-off file. What came before was read.
    #[error("the file cannot be read any further ({0}); it may be damaged or cut off")]
    Read(#[source] std::io::Error),
    /// Writing failed.
    #[error("cannot be written ({0})")]
    Write(#[source] std::io::Error),
    /// The line is no JSON object.
    #[error("not a JSON object of a recording: {0}")]
    Json(String),
    /// A required key is absent or null.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A key holds something that cannot be understood.
    #[error("`{field}` is {found}, expected {expected}")]
    BadField {
        /// The key.
        field: &'static str,
        /// What stood there, shortened.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// The line is longer than [`MAX_LINE`].
    #[error("longer than {} MB; passed over", MAX_LINE >> 20)]
    TooLong,
    /// The file is neither a recording nor an answer of a provider.
    #[error("neither a recording (one JSON object a line with `captured_at` and `body`) nor an answer of a provider")]
    NotARecording,
    /// A folder without any recording in it.
    #[error("no recordings in this folder (looked for .jsonl, .ndjson and .json, also with .gz or .zst)")]
    EmptyFolder,
}

/// `text` cut to at most `max` characters, for messages.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}...", &text[..at]),
    }
}
