//! The board. Keys; the other parts are declared where they are added.

pub mod keys;
