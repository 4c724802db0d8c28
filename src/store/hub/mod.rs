//! The local side of a hub: which rows are told and how they are found, in which numbers the hub knows them, and how
//! rows that come from it are written.
//!
//! Everything that travels is in the numbers of the hub; this room alone translates. May use `market` and the types of
//! `engine`; knows nothing of networks.

mod ahead;
mod answers;
pub mod cell;
pub mod exchange;
mod history;
mod incoming;
mod link;
pub mod maps;
mod mend;
mod run;
pub mod tables;
mod taking;
#[cfg(test)]
mod tests;

pub use answers::{Answered, Answers};
pub use history::{HubLook, Mark, Missing, PutBack, PutBackDone};
pub use incoming::{Applied, AppliedLook, Early, Incoming, IncomingEvent, IncomingLook, Order, OwnLook, Rows};
pub use link::{Cursor, Link, Retraction, Told};
pub use mend::{Gap, Mending};
pub use run::{Run, RunEvent, RunLook};
