//! What the market did: moves, crossings, steam, dislocations, shocks.
//!
//! Owns section 7 of the domain contract, a detector a file. A detector is a pure function of two views of one question,
//! now and a window ago, and of the looks between; it never guesses beyond the cadence of the looks. May not touch the
//! store, the clock or the state of quotes.

pub mod composite;
pub mod signal;
pub mod strength;
