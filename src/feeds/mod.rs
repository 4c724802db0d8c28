//! Where data comes from: a folder per source, each turning its own wire format into batches of the market.
//!
//! Owns every conversation with a provider and what came of it: data, no events, or unavailable with a reason. Judges
//! nothing and stores nothing.
#![warn(missing_docs)]

pub mod odds_api;
pub mod outcome;
pub mod polymarket;
pub mod recording;
pub mod replay;
pub mod secret;
pub mod sim;
