//! Alerts: what the user wants to be told of, and how it reaches them.
//!
//! This room decides and delivers. It never asks a source: what it tells of has been committed, and what is to be
//! delivered stands in the store's outbox from that very commit on.
//!
//! ```text
//! rule, quiet       what a rule says, checked
//! rules             all rules made ready; watchlists; what is broken
//! facts, watchlist  what signals and markets tell filters and lists
//! offers, line      markets that come and go; wanted lines and their equivalents
//! decide            from a look's changes to messages: the laws of who is told what, and how often
//! notice            news about the program itself
//! words             what messages say
//! channel(s)        ways to reach the user
//! retry, request    when a message is tried again; what the command line asks for
//! follow_up         what became of an alert
//! dry_run, quality  a rule on history; how good alerts were
//! ```
#![warn(missing_docs)]

pub mod channel;
pub mod channels;
pub mod decide;
pub mod dry_run;
pub mod facts;
pub mod follow_up;
pub mod limits;
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
