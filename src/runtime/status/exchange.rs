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

/// How late messages are, over the last 60 publishing intervals: from the instant with which the exchange stamped a message
/// when it sent it, by its clock, to the instant at which it was applied here, by this machine's. Books do not count, be
/// they dumped after a subscription or asked for: their stamp says when they last changed. Milliseconds; what lies between
/// the two clocks is in every figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DelayNote {
    /// So many messages.
    pub messages: u64,
    /// The least: a negative one shows that the clocks differ.
    pub least: i64,
    /// Half of them were no later.
    pub median: i64,
    /// 99 of 100 were no later.
    pub p99: i64,
    /// The longest.
    pub most: i64,
    /// From the stamp of the oldest message of an interval to the interval's being judged, kept and announced to the
    /// boards, the longest: the publishing interval is part of it.
    pub told: i64,
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
    /// How late messages are; `None` where none came, and in a market that is not of this time.
    #[serde(default)]
    pub delay: Option<DelayNote>,
    /// Books compared with what is asked for, and how many of them differed.
    pub checked: (u64, u64),
    /// What is wrong, for a person.
    pub trouble: Option<String>,
    /// When middles of the past were fetched last.
    pub history: Option<Timestamp>,
    /// Middles of so many contracts are about to be forgotten by the exchange and were not fetched.
    pub expiring: usize,
}
