//! The Odds API v4: pull only, JSON, the key in the query string, credits per call.
//!
//! [`request`] (with [`ask`]) says what can be asked, what it costs and what the answer covers; [`client`] asks and answers with a
//! typed outcome; the rest are the rules it follows, each a pure function or state machine. Bodies are handed on as
//! they came.

pub mod ask;
pub mod breaker;
pub mod client;
pub mod error;
pub mod fetched;
pub mod keys;
pub mod quota;
pub mod request;
pub mod retry;
pub mod sports;
pub mod wire;

#[cfg(test)]
mod tests;

/// The name of this source in batches, logs and the store.
pub const SOURCE: &str = "the-odds-api";
