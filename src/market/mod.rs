//! The vocabulary of the market and its mathematics.
//!
//! Owns what the words mean: events, markets, selections, books, prices, lines, and everything that can be
//! computed from them without knowing the time or touching the outside. May use nothing else of this crate and no
//! I/O crate.
#![warn(missing_docs)]

pub mod batch;
pub mod books;
pub mod bucket;
pub mod day;
pub mod depth;
pub mod devig;
pub mod identity;
pub mod ids;
pub mod key_numbers;
pub mod line;
pub mod margin;
pub mod market_key;
pub mod price;
pub mod quality;
pub mod selection;
pub mod sports;
pub mod teams;
pub mod time;
pub mod value;
