//! The board. Keys and themes; the other parts are declared where they are added.

pub mod keys;
pub mod theme;
