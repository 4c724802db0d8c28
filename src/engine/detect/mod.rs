//! What the market did: moves, crossings, steam, dislocations, shocks.
//!
//! Owns section 7 of the domain contract, a detector a file. A detector is a pure function of two views of one question,
//! now and a window ago, and of the looks between; it never guesses beyond the cadence of the looks. May not touch the
//! store, the clock or the state of quotes.

pub mod composite;
mod dislocation;
pub(crate) mod entry;
mod exchange_divergence;
pub(crate) mod finding;
pub(crate) mod fired;
pub(crate) mod gate;
mod key_cross;
mod live_shock;
pub(crate) mod make;
mod market_move;
pub(crate) mod run;
pub mod signal;
mod steam;
pub mod strength;
mod sync;
pub(crate) mod window;
