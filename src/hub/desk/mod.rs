//! The user's own things at the hub: watchlists, filters, alert rules, decisions, bets and notes of a desk.
//!
//! The hub keeps operations and knows little of what they mean; what they come to is worked out on each device (see
//! [`crate::store::desk::merge`]). Knows the functions `hub_free.desk_*` of `migrations/postgres/0010_desk.sql`.
//!
//! ```text
//! sync   one round: ours there, theirs here
//! wire   operations as questions to the server
//! ```

mod sync;
mod wire;

pub use sync::{DeskSyncError, Report, round};
