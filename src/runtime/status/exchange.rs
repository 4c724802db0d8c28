//! How an exchange that is listened to stands, in the words in which it is told.

use serde::{Deserialize, Serialize};

use crate::market::time::Timestamp;

/// What the listening does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listening {
    /// The listings have not been read yet.
    #[default]
    Starting,
    /// It listens.
    On,
    /// The listings cannot be read, or no connection stands; it is tried again by itself.
    Failing,
}

/// One connection.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SocketNote {
    /// Which, from 0.
    pub shard: u32,
    /// Outcomes that it listens to.
    pub assets: usize,
    /// Since when it stands; `None`: it does not. By this machine's clock.
    pub connected_since: Option<Timestamp>,
    /// When data came last. By this machine's clock.
    pub last_data: Option<Timestamp>,
    /// Messages so far.
    pub messages: u64,
    /// Times it was made anew.
    pub reconnects: u64,
    /// Of those, times because it brought nothing although it stood.
    pub frozen: u64,
    /// Messages that could not be read.
    pub defects: u64,
    /// Why it does not stand.
    pub error: Option<String>,
}

/// An exchange.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ExchangeStatus {
    /// Which, such as `polymarket`.
    pub exchange: String,
    /// What it does.
    pub listening: Listening,
    /// When the listings were read last, and when they are read next. Market time.
    pub discovered: Option<Timestamp>,
    /// See `discovered`.
    pub next_discovery: Option<Timestamp>,
    /// Games of it within the horizon.
    pub games: usize,
    /// Of those: linked to one of ours.
    pub linked: usize,
    /// Of those: waiting for a person.
    pub review: usize,
    /// Contracts that are listened to.
    pub contracts: usize,
    /// Connections.
    pub sockets: Vec<SocketNote>,
    /// Messages a second over the last publishing interval.
    pub messages_per_second: f64,
    /// How long it took to judge and keep what was heard over the last publishing interval. Milliseconds.
    pub lag_ms: Option<u64>,
    /// From a change, by the exchange's clock, to its being received, by this machine's: the longest of the last 60
    /// publishing intervals. Milliseconds; negative where the clocks differ, `None` in a market that is not of this time.
    #[serde(default)]
    pub delay_ms: Option<i64>,
    /// Books compared with what is asked for, and how many of them differed.
    pub checked: (u64, u64),
    /// What is wrong, for a person.
    pub trouble: Option<String>,
    /// When middles of the past were fetched last.
    pub history: Option<Timestamp>,
    /// Middles of so many contracts are about to be forgotten by the exchange and were not fetched.
    pub expiring: usize,
}
