//! What comes from a hub: a stretch of its log, in the hub's numbers, and what came of taking it in.

use super::super::StoreError;
use super::cell::{Cell, EachRow};
use super::exchange::ExchangeStretch;
use super::history::Mark;
use super::tables::Table;
use crate::engine::names::NameKind;
use crate::market::time::Timestamp;

/// Rows of one table, in the order of their looks.
pub trait Rows: Send {
    /// Tells each row: the hub's number of its look, and the cells in the order of the table's columns.
    ///
    /// # Errors
    /// When the rows cannot be read, and whatever `row` answers.
    fn each(&self, row: &mut EachRow<'_>) -> Result<(), StoreError>;
}

/// A look of the hub.
#[derive(Clone, PartialEq, Debug)]
pub struct IncomingLook {
    /// The hub's number.
    pub hub: i64,
    /// The entry of the log in which it stands.
    pub entry: i64,
    /// The hub's number of its source.
    pub source: u32,
    /// The hub's number of its sport.
    pub sport: u32,
    /// When it was received.
    pub received_at: Timestamp,
    /// [`tables::LOOK_COLUMNS`].
    pub cells: Vec<Cell<'static>>,
    /// The rules that it was judged by, as JSON; empty where none are noted.
    pub rules: String,
}

/// An event of the hub as it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingEvent {
    /// The hub's number.
    pub hub: u32,
    /// The hub's number of its source.
    pub source: u32,
    /// Its id at the source.
    pub provider_id: String,
    /// The hub's number of its sport.
    pub sport: u32,
    /// Home team.
    pub home: String,
    /// Away team.
    pub away: String,
    /// Its start.
    pub commence: i64,
    /// When it was first received.
    pub first_seen: i64,
    /// Its first look, the hub's number.
    pub first_look: i64,
    /// Where it stands.
    pub status: i64,
    /// Points, home.
    pub home_score: Option<i64>,
    /// Points, away.
    pub away_score: Option<i64>,
    /// The look at which the engine let go of it, the hub's number.
    pub forgotten: Option<i64>,
    /// Slots given until then.
    pub slots: Option<i64>,
}

/// Where a stretch stands among what is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// After everything else.
    #[default]
    Next,
    /// The newest of the log into a new store; the entries up to `gap` come later.
    Recent {
        /// The last entry that comes later.
        gap: i64,
    },
    /// Among those that come later.
    Behind,
}

/// What the newest looks of the log need from before them: rows of looks that come later, which are then whole.
#[derive(Default)]
pub struct Early {
    /// The looks.
    pub looks: Vec<IncomingLook>,
    /// Rows of theirs, table by table; those of slots before those of changes.
    pub rows: Vec<(Table, Box<dyn Rows>)>,
}

/// A look that this device told itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnLook {
    /// Our number.
    pub look: i64,
    /// The hub's.
    pub hub: i64,
    /// The entry of the log in which it stands.
    pub entry: i64,
    /// The hub's number of its source.
    pub source: u32,
    /// The hub's number of its sport.
    pub sport: u32,
}

/// A stretch of the hub's log.
#[derive(Default)]
pub struct Incoming {
    /// Where it stands.
    pub order: Order,
    /// What it needs from before it.
    pub early: Option<Early>,
    /// Every entry up to this one is in the store afterwards.
    pub until: i64,
    /// Marks of its entries, rising.
    pub marks: Vec<(i64, Mark)>,
    /// Entries by which looks were taken back, our own included: entry, source and sport (the hub's numbers), after when.
    pub backs: Vec<(i64, u32, u32, i64)>,
    /// Names that are new there: list, the hub's number, name.
    pub names: Vec<(NameKind, u32, String)>,
    /// Looks of a source and sport (the hub's numbers) received after the instant are taken back, before anything else.
    pub retract: Option<(u32, u32, Timestamp)>,
    /// Looks that this device told itself.
    pub own: Vec<OwnLook>,
    /// Events that it told, or told anew: the hub's number, its number of the source, the id at the source.
    pub own_events: Vec<(u32, u32, String)>,
    /// Looks, in the hub's order.
    pub looks: Vec<IncomingLook>,
    /// Events that changed or that the rows speak of.
    pub events: Vec<IncomingEvent>,
    /// Rows, table by table; those of slots before those of changes.
    pub rows: Vec<(Table, Box<dyn Rows>)>,
    /// What an exchange told; it comes alone.
    pub exchange: Option<ExchangeStretch>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("until", &self.until).field("looks", &self.looks.len()).finish_non_exhaustive()
    }
}

/// A look that has been written, for the announcement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppliedLook {
    /// Our number.
    pub id: i64,
    /// Sport key.
    pub sport: String,
    /// Name of the endpoint.
    pub endpoint: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// Quotes in it.
    pub quotes: u32,
    /// Rows of the change log.
    pub changes: u32,
    /// Issues found.
    pub issues: u32,
}

/// What came of a stretch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Looks written, in order.
    pub looks: Vec<AppliedLook>,
    /// Looks of ours that the hub never took and that had to go, because another collector had gone on without them.
    pub given_up: u64,
    /// Looks of the hub went with them: the log is to be read again from this entry on.
    pub again_after: Option<i64>,
    /// Looks that this device told itself are not here any more: up to this entry their rows are needed too.
    pub own_missing: Option<i64>,
    /// Looks were taken back, or history came in behind: what was read of the store is to be read again.
    pub retracted: bool,
    /// All history is here.
    pub complete: bool,
}
