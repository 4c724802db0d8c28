//! Listening to an exchange beside the books: its listings are read again and again, each of its games is linked to one of
//! ours where that is certain, its order books are followed as they change, and what they say is handed over to the judge
//! like any other answer.
//!
//! ```text
//! discover   reads the listings
//! linker     which of our games each is
//! listen     the task itself
//! state      what is known: listings, contracts, games of ours
//! links      which of our games each listing is, and what is listened to
//! publish    hands over what changed
//! quotes     order books as quotes
//! rows       order books and listings as they are kept
//! history    middles of the past
//! raw        frames as they came, where somebody wants them
//! ```

mod discover;
pub(crate) mod history;
pub(crate) mod linker;
mod links;
mod listen;
mod publish;
mod quotes;
mod raw;
pub(crate) mod rows;
mod state;

use std::path::PathBuf;
use std::time::Duration;

pub use history::{HistoryConfig, HistoryDone, HistoryError, HistoryProgress};
pub use linker::ReviewCandidate;
pub(super) use listen::{Listener, Listening, listen};

use crate::feeds::polymarket::client::ClientConfig;
use crate::feeds::polymarket::socket::SocketConfig;
use crate::market::batch::Batch;
use crate::market::time::Timestamp;
use crate::store::exchange::{ExchangeRows, NewListing, PricePoint};

/// How to listen.
#[derive(Clone, PartialEq, Debug)]
pub struct ExchangeConfig {
    /// How to ask.
    pub client: ClientConfig,
    /// How to listen.
    pub socket: SocketConfig,
    /// Sports to follow: those of the books.
    pub sports: Vec<String>,
    /// Games that start within so long, in market time.
    pub horizon: Duration,
    /// How often listings are read.
    pub discover: Duration,
    /// How often what was heard is judged and kept.
    pub publish: Duration,
    /// Outcomes that are listened to, at most.
    pub max_assets: usize,
    /// Dollars within two cents of bid and ask, each, for a middle to be told.
    pub min_depth: f64,
    /// How often middles of the past are fetched.
    pub history: Duration,
    /// Frames are written there as they came.
    pub record: Option<PathBuf>,
    /// The desk with what a person has decided.
    pub desk: PathBuf,
}

/// What the listening hands over at once.
#[derive(Debug, Default)]
pub(super) struct ExchangeNews {
    /// Looks, one a sport.
    pub looks: Vec<Batch<'static>>,
    /// What is to be kept beside them.
    pub rows: ExchangeRows,
    /// Named in each look.
    pub origin: Option<String>,
}

/// Middles of the past to keep.
#[derive(Debug)]
pub(crate) struct NewPrices {
    pub market: i64,
    pub between: (Timestamp, Timestamp),
    pub points: Vec<PricePoint>,
    pub at: Timestamp,
}

/// Listings to keep.
#[derive(Debug, Default)]
pub(super) struct NewListings {
    pub listings: Vec<NewListing>,
    pub at: Timestamp,
}
