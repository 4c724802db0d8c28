//! Questions asked of stored data: the same engine over views of the past.
//!
//! Reads the store, never writes it. What is measured here is told, not applied.
#![warn(missing_docs)]

pub mod exchange_shift;
pub mod fair_check;
