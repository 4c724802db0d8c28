//! How the session stands that feeds the store: in this process, in a daemon, or nowhere.

use crate::market::time::Timestamp;
use crate::runtime::status::LiveStatus;

/// Who feeds the store.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Feeder {
    /// Not known yet.
    #[default]
    Unknown,
    /// This process.
    Here,
    /// Another process that answers.
    Daemon {
        /// Its process.
        pid: u32,
        /// Its version.
        version: String,
    },
    /// Nobody, or nobody that answers.
    Lost {
        /// For a person: why, and what to do.
        why: String,
        /// Another process holds the store and does not answer.
        silent: bool,
        /// Since when, in market time.
        since: Timestamp,
    },
}

/// What the board knows of the session.
#[derive(Clone, Debug, Default)]
pub struct LinkState {
    /// Who feeds the store.
    pub feeder: Feeder,
    /// How it goes; the last word, however old, once there was one.
    pub status: Option<Box<LiveStatus>>,
}

impl LinkState {
    /// Something feeds the store and says so.
    pub fn is_alive(&self) -> bool {
        matches!(self.feeder, Feeder::Here | Feeder::Daemon { .. })
    }
}
