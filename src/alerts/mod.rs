//! Alerts: what the user wants to be told of, and how it reaches them.
//!
//! This room decides and delivers. It never asks a source: what it tells of has been committed, and what is to be
//! delivered stands in the store's outbox from that very commit on.
#![warn(missing_docs)]

pub mod channel;
pub mod channels;
pub mod decide;
pub mod dry_run;
pub mod facts;
pub mod follow_up;
pub mod line;
pub mod message;
pub mod notice;
pub mod offers;
pub mod quality;
pub mod quiet;
pub mod request;
pub mod retry;
pub mod rule;
pub mod rules;
pub mod watchlist;
pub mod words;

#[cfg(test)]
mod follow_up_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
