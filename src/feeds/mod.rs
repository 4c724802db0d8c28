//! (room)

pub mod recording;
