//! What to fetch next, and when.
//!
//! Pure planning: time comes in, due questions come out. Who asks them, and how failures are paused, is the business
//! of the runtime and of the source's client.
#![warn(missing_docs)]

mod cadence;

pub use cadence::{Cadence, Due, Pause, Schedule};
