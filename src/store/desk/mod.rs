//! The user's own small database: watchlists, saved filters, views. What the *user* made, apart from what the market
//! said.
//!
//! Owns `desk.db`, beside the market store but no part of it: it can be written while a daemon owns that store, by
//! several processes at once, and nothing is lost when that store is deleted. May not know what a filter means, which
//! games there are, or anything of the market but its times.
//!
//! ```text
//! lists    watchlists: make, rename, order, delete and undo
//! rules    what is in a list: add, remove, order, toggle a game
//! rule     what one rule says
//! saved    named filters, views, and when something was last seen
//! alerts   alert rules, and requests to whoever owns the market store
//! exchange which of our games a listing of an exchange is, where a person has said so
//! shared   the desk as one of several: operations told and taken in, records without a table, history
//! merge    how operations of several devices become one desk (pure)
//! capture  what is done to the tables becomes operations
//! compact  the operations of a desk that is nobody else's are put together
//! oplog    the operations in the file, and what they come to by record
//! rows     rows as fields of operations
//! materialise  what the operations come to is put into the tables
//! text     which texts are kept and when two names are one
//! schema   the file: made, opened, brought up to date, refused
//! ```
//!
//! Every change is one short transaction that waits for other writers and for the disk; every question sees one
//! consistent state. Positions count from 0 without gaps after every change.

mod alerts;
mod capture;
mod compact;
mod error;
mod exchange;
mod lists;
mod materialise;
pub mod merge;
mod oplog;
mod rows;
mod rule;
mod rules;
mod saved;
mod schema;
mod shared;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

pub use alerts::{AlertRequest, AlertRule, AlertRuleId, MOST_ALERT_RULES};
pub use error::DeskError;
pub use exchange::ExchangeDecision;
pub use lists::{Deleted, ListContents, ListId, Watchlist};
pub use rule::{Game, NewRule, Rule, RuleId, RuleKind, matches};
pub use rules::{Added, Toggled};
use rusqlite::{Connection, Transaction, TransactionBehavior};
pub use saved::SavedFilter;
pub use schema::SCHEMA_VERSION;
pub use shared::{Series, TakenIn};
pub use text::{LARGEST_VIEW, LONGEST_FILTER, LONGEST_NAME};

use crate::market::time::Timestamp;

/// File name of the desk inside the folder of the market store.
pub const FILE_NAME: &str = "desk.db";

/// Where the desk lies that belongs to the market store at `store`.
pub fn beside(store: &Path) -> PathBuf {
    store.with_file_name(FILE_NAME)
}

/// Tells states of the desk apart. See [`Desk::version`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version(i64);

/// The desk, open for reading and writing. Any number of processes may have it open.
pub struct Desk {
    connection: Connection,
    path: PathBuf,
    now: fn() -> Timestamp,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Desk {
    /// Opens the desk at `path`, makes it (and its folder) for this user only if there is none, and brings it to the
    /// present schema.
    ///
    /// # Errors
    /// [`DeskError::NewerSchema`], [`DeskError::NotADesk`] and [`DeskError::Damaged`] with the file left as it was,
    /// [`DeskError::Busy`] after 5 s, [`DeskError::Io`].
    pub fn open(path: &Path) -> Result<Self, DeskError> {
        let connection = schema::open(path).map_err(|e| e.of(path))?;
        Ok(Self { connection, path: path.to_owned(), now: || Timestamp::from_chrono(chrono::Utc::now()) })
    }

    /// Where the desk lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Differs from the version before when anybody *else* (another process, another open desk) has written since.
    /// Our own changes do not count: whoever makes them knows. Costs a look into shared memory, so it may be asked
    /// once a second. Versions of different open desks do not compare.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn version(&self) -> Result<Version, DeskError> {
        let version = self.connection.pragma_query_value(None, "data_version", |r| r.get(0));
        version.map(Version).map_err(|e| DeskError::from(e).of(&self.path))
    }

    /// The same desk on a machine whose clock says this.
    #[must_use]
    pub fn with_clock(self, now: fn() -> Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Does `work` whole or not at all, alone among all writers. What it does to rows becomes operations.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, DeskError>) -> Result<T, DeskError> {
        let now = (self.now)();
        self.write_bare(|tx| {
            let done = work(tx)?;
            capture::capture(tx, now)?;
            compact::compact(tx, now, compact::MOST_ALONE)?;
            Ok(done)
        })
    }

    /// The same for those who know what of it becomes operations.
    fn write_bare<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, DeskError>) -> Result<T, DeskError> {
        let within = |c: &mut Connection| {
            let tx = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        };
        within(&mut self.connection).map_err(|e: DeskError| e.of(&self.path))
    }

    /// Answers from one consistent state.
    fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, DeskError>) -> Result<T, DeskError> {
        let within = || {
            let tx = self.connection.unchecked_transaction()?;
            let answer = question(&tx)?;
            tx.finish()?;
            Ok(answer)
        };
        within().map_err(|e: DeskError| e.of(&self.path))
    }
}

/// `ids` with `id` moved to `position`, or to the end where there are not so many.
fn moved(mut ids: Vec<i64>, id: i64, position: usize) -> Vec<i64> {
    ids.retain(|other| *other != id);
    ids.insert(position.min(ids.len()), id);
    ids
}

/// A position or a count as SQLite has it.
fn count(value: i64, what: &'static str) -> Result<usize, DeskError> {
    usize::try_from(value).map_err(|_| DeskError::Value(what))
}
