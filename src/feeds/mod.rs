//! Sources of quotes.

pub mod odds_api;
