//! What to fetch next, and when.
//!
//! Pure planning: time comes in, due questions come out. Who asks them, and how failures are paused, is the business
//! of the runtime and of the source's client. [`ledger`] knows what was spent and what is left, [`plan`] says which
//! calls that pays for, [`cadence`] is the steady beat of demos and recordings that cost nothing.
#![warn(missing_docs)]

mod cadence;
pub mod calendar;
pub mod ledger;
pub mod plan;
pub mod planner;
pub mod rules;
pub mod slate;
pub mod tier;

pub use cadence::{Cadence, Due, Pause, Schedule};
