//! Keys: what each one does, where, and how people find out.
//!
//! ```text
//! terminal event --> Key --> Matcher --> Action       (one enum for the whole board)
//!                              |
//! assets/keys.toml < keys.toml --> KeyMap --> help, hints, palette, docs/keys.md
//! ```
//!
//! [`Action::ALL`] is the one table: dispatch, help, hints, palette, manual and tests read it, so none of them can
//! tell something else than the others.
//!
//! Owns actions, contexts, keys as text and the key map's file. Knows nothing of pages or of drawing; the time comes
//! in as a value.
#![warn(missing_docs)]

mod action;
mod context;
mod file;
mod help;
mod key;
mod map;
mod matcher;
pub(in crate::board) mod user_file;

pub use action::{Action, Group};
pub use context::{Context, Contexts};
pub use file::{DEFAULT_KEYS, LoadedKeys};
pub use help::{HelpGroup, HelpLine, Hint};
pub use key::{Key, KeyTextError, Sequence};
pub use map::{KeyMap, Lookup, Section};
pub use matcher::{Matched, Matcher, SEQUENCE_TIMEOUT};
pub use user_file::{FileError, Problem};
