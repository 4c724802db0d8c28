//! What is remembered of a close: its version, and what it was taken for.

use crate::engine::price::unit::UnitKey;
use crate::market::time::Timestamp;

/// A close, reduced.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Closed {
    pub(crate) key: UnitKey,
    pub(crate) version: u32,
    pub(crate) start: Timestamp,
}
