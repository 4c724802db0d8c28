//! The judge of quotes: `apply` one batch, get what changed and what it means.
//!
//! Owns the state of every quote and the rules that change it, and what follows from them: fair prices, signals,
//! opportunities, closes (sections 2 and 5 to 11 of the domain contract). Pure: no clock,
//! no I/O, no randomness, no async; the only time it knows is the instant of the batch. The same batches in the same
//! order give the same changes, byte for byte. May use `market` and nothing else of this crate.
#![warn(missing_docs)]

mod analyse;
mod apply;
pub mod appraise;
pub mod as_of;
mod book_pass;
pub mod changes;
mod checks;
pub mod detect;
mod event_pass;
pub mod explain;
pub mod grade;
mod identity;
pub mod image;
mod market_pass;
mod memory;
pub mod names;
pub mod note;
mod open;
pub mod opportunity;
pub mod peek;
pub mod price;
pub mod profile;
pub mod recall;
pub mod restore;
pub mod rules;
mod scope;
pub mod seen;
pub mod settings;
pub mod standing;
mod state;
pub mod status;
#[cfg(test)]
mod tests;
mod varint;

pub use apply::Engine;
pub use changes::Changes;
pub use settings::EngineSettings;
