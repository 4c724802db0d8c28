//! (room)

pub mod logging;
