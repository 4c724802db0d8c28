//! Was it any good: closes, closing line value, and the record of each type of signal.
//!
//! Owns section 9 of the domain contract. A close is a graded answer or a reason for its absence, never zero and never a
//! price from after the start. May not touch the store or the clock.

pub mod close;
pub mod clv;
pub mod interval;
pub(crate) mod pending;
pub mod record;
mod take;
