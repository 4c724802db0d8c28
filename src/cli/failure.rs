//! How a command ends.

use std::io;
use std::process::ExitCode;

use crate::config::{ConfigError, KeyError, PathError};
use crate::feeds::recording::RecordingError;

/// Exit codes, part of what scripts may rely on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something went wrong.
    Failure = 1,
    /// The arguments were not understood.
    Usage = 2,
    /// There is no such event, market or time.
    NotFound = 3,
    /// Another process writes to the store, or a newer version made it.
    StoreUnavailable = 4,
    /// A part of the program was stuck and could not be mended from within; whoever watches over it starts it again.
    Stuck = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A folder cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A recording cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Arguments that cannot be meant, told apart only after they were read.
    #[error("{0}; see `stratum --help`")]
    Usage(String),
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The store is locked or made by a newer version.
    #[error("{0}")]
    StoreUnavailable(String),
    /// A part does not come back.
    #[error("{0}")]
    Stuck(String),
    /// Anything else, already in words that tell a person what to do.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The exit code.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::StoreUnavailable(_) => Exit::StoreUnavailable,
            Self::Stuck(_) => Exit::Stuck,
            _ => Exit::Failure,
        }
    }

    /// Whoever read the output has left: no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(e: serde_json::Error) -> Self {
        Self::Io(e.into())
    }
}
