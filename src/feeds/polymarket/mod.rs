//! Polymarket: a prediction market with order books. Listings over REST, prices over a live channel, no account.
//!
//! [`ids`] and [`wire`] read what it sends; [`book`], [`pair`] and [`metrics`] make it a market; [`classify`] and
//! [`settlement`] say what a market is about and how it pays; [`matching`] finds the same game elsewhere. [`client`],
//! [`discovery`] and [`socket`] talk to it. Stores nothing and judges no price.

pub mod book;
pub mod classify;
pub mod client;
pub mod discovery;
pub mod error;
pub mod fee;
pub mod ids;
pub mod leagues;
pub mod matching;
pub mod metrics;
pub mod pace;
pub mod pair;
pub mod settlement;
pub mod slug;
pub mod socket;
pub mod wire;

#[cfg(test)]
mod tests;

/// The name of this source in logs and the store.
pub const SOURCE: &str = "polymarket";
