//! The hub: a hosted PostgreSQL through which a desk shares one feed.
//!
//! Owns everything that is said to that server: its schema, what is told to it and taken from it, who may see what, and
//! who of several collectors asks the sources. The local store stays whole without it. May use `market`, the types of
//! `engine`, and `store`; knows nothing of tasks: `runtime` runs what stands here.
#![warn(missing_docs)]

pub mod answers;
pub mod connect;
pub mod copy;
pub mod credit;
pub mod desk;
pub mod error;
pub mod exchange;
pub mod export;
pub mod history;
pub mod keeping;
pub mod lease;
pub mod link;
pub mod live;
mod pack;
pub mod pull;
pub mod push;
pub mod recent;
mod reduced;
pub mod repair;
pub mod schema;
mod stage;
mod tls;
pub mod url;
pub mod users;
pub mod verify;

pub use connect::{Connection, HubUrl, Tier, connect, tier_of};
pub use error::HubError;
