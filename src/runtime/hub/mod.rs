//! What runs for the hub.

pub mod awake;
pub mod lease;
