//! How what several devices did to a desk becomes one desk, the same on each. Pure: no file, no network, no clock.
//!
//! Every edit is an [`Operation`]: the n-th of its device, with a [`Clock`] that is behind everything that the device had
//! seen. Operations are only ever added. What the desk holds is a function of the *set* of operations: the order in which
//! they arrive does not matter, and to get one twice does no harm.
//!
//! ```text
//! clock      hybrid logical time: later than all that was seen, near the time of day
//! operation  what was done, by which device, having seen what
//! record     one thing of the desk out of its operations: lives or not, its fields, its history
//! order      positions as texts between which there is always another
//! layout     records put together: lists with their rules, names told apart
//! log        a set of operations in memory
//! ```
//!
//! Laws:
//! - A field says what the last operation that set it says, by clock, device and number.
//! - A deletion takes what its author had seen. An edit that it had not seen keeps the record alive, with all its fields.
//! - A list that was deleted stays as long as a rule lives in it that the deletion had not seen.
//! - Bets are never deleted; what was amended stays in their history.
//! - Nothing is forgotten: [`record::history`] shows every operation and which of them gave way without having been seen.

pub mod clock;
pub mod layout;
pub mod log;
pub mod operation;
pub mod order;
pub mod record;
#[cfg(test)]
mod tests;

pub use clock::{Clock, MOST_AHEAD_MS};
pub use layout::Layout;
pub use log::Log;
pub use operation::{Action, Body, Fields, Heads, Kind, Operation, Stamp};
pub use record::{Fate, Record, Step, history};
