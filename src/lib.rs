//! Stratum: a market board for sports betting.
//!
//! One natural way through the house:
//!
//! ```text
//! feeds --> poller --> engine --> store --> published change --> readers
//! (I/O)     (when)     (pure)     (SQLite)  (one broadcast)
//! ```
//!
//! A quote enters through a feed, is judged once in the engine, is committed once by the store and is announced
//! once after the commit. Nobody downstream asks upstream; anything that can be replayed comes from the store.
//!
//! [`market`] and [`engine`] are pure: time and data come in as values and nothing in them touches a clock, a
//! socket or a file.

pub mod alerts;
pub mod board;
pub mod cli;
pub mod config;
pub mod engine;
pub mod feeds;
pub mod filter;
pub mod hub;
pub mod market;
pub mod poller;
pub mod research;
pub mod runtime;
pub mod store;
