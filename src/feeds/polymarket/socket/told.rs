//! What the channel tells its reader: changes, trades, gaps and other notices, frames as they came, and how the sockets do.

use std::sync::Arc;

use super::delay::Delays;
use crate::feeds::polymarket::ids::{Shares, Side, Tick, TokenId};
use crate::feeds::polymarket::wire::channel::NewMarket;
use crate::market::time::Timestamp;

/// Why there is a gap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GapWhy {
    /// The socket was closed or broke.
    Lost,
    /// No data came although there should have been some: the silent freeze.
    Frozen,
    /// Our `PING` was not answered.
    NoPong,
}

impl GapWhy {
    /// The name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Frozen => "frozen",
            Self::NoPong => "no_pong",
        }
    }
}

/// A time in which changes of some tokens may have been missed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The last data before it, by our clock.
    pub from: Timestamp,
    /// The first data after it, by our clock.
    pub to: Timestamp,
    /// Why.
    pub why: GapWhy,
    /// Which socket.
    pub shard: u32,
    /// Whose books have a hole.
    pub tokens: Arc<[TokenId]>,
}

/// One trade.
#[derive(Clone, PartialEq, Debug)]
pub struct Trade {
    /// The token.
    pub token: TokenId,
    /// Price.
    pub price: Tick,
    /// Shares, where told.
    pub size: Option<Shares>,
    /// What the taker did.
    pub side: Option<Side>,
    /// When, by the exchange's clock.
    pub at: Timestamp,
    /// When we heard of it.
    pub received_at: Timestamp,
    /// The transaction, where told.
    pub transaction: Option<String>,
}

/// Something that happened beside prices.
#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// Changes were missed.
    Gap(Gap),
    /// A market is decided.
    Resolved {
        /// Its tokens.
        tokens: Vec<TokenId>,
        /// The one that pays; `None` where none does alone.
        winner: Option<TokenId>,
        /// The name of the outcome.
        outcome: Option<String>,
        /// When we heard of it.
        received_at: Timestamp,
    },
    /// The step of prices changed.
    TickSize {
        /// The token.
        token: TokenId,
        /// The new step, where told.
        new: Option<Tick>,
        /// When, by the exchange's clock.
        at: Timestamp,
    },
    /// A market has come into being.
    NewMarket(Box<NewMarket>),
    /// REST showed another book than ours, which was replaced.
    Disagreed {
        /// The token.
        token: TokenId,
        /// When it was found out.
        received_at: Timestamp,
    },
}

/// A frame as it came, for a reader that keeps them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawFrame {
    /// Which socket.
    pub shard: u32,
    /// When we received it.
    pub received_at: Timestamp,
    /// Its text; bytes that are no text are left out.
    pub text: String,
}

/// How a socket does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShardHealth {
    /// Its number.
    pub shard: u32,
    /// Tokens it is subscribed to.
    pub assets: usize,
    /// Connected since; `None` while it is not.
    pub connected_since: Option<Timestamp>,
    /// The last frame with data.
    pub last_data: Option<Timestamp>,
    /// The last answer to our `PING`. Proves the connection and nothing else: a socket that has frozen answers too.
    pub last_pong: Option<Timestamp>,
    /// Messages read.
    pub messages: u64,
    /// Frames read, of any kind.
    pub frames: u64,
    /// Times it was connected again.
    pub reconnects: u64,
    /// Times the watchdog ended a frozen connection.
    pub watchdog_fires: u64,
    /// Records that could not be read.
    pub defects: u64,
    /// Messages of unknown type.
    pub unknown: u64,
    /// Frames that were neither JSON nor a known word.
    pub junk: u64,
    /// Messages about tokens that nobody wants.
    pub strangers: u64,
    /// Why the last connection ended, for a person.
    pub last_error: Option<String>,
}

/// Counts over all sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Books fetched over REST to make a book whole.
    pub rest_seeds: u64,
    /// Books compared with REST.
    pub checked: u64,
    /// Of these, how many differed and were replaced.
    pub disagreed: u64,
    /// Questions over REST that failed.
    pub rest_failures: u64,
    /// Raw frames that their reader was too slow for.
    pub raw_lost: u64,
}

/// What changed since the reader last asked.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Changes {
    /// Tokens whose book or standing changed, sorted.
    pub tokens: Vec<TokenId>,
    /// Trades in the order in which they came.
    pub trades: Vec<Trade>,
    /// Trades that were dropped because nobody asked for too long.
    pub trades_lost: u64,
    /// Notices in the order in which they came.
    pub notices: Vec<Notice>,
    /// Notices that were dropped because nobody asked for too long.
    pub notices_lost: u64,
    /// How late the messages were; see [`Delays`] for which count.
    pub delays: Delays,
    /// The oldest stamp among them.
    pub oldest: Option<Timestamp>,
}
