//! What runs for the hub.

pub mod awake;
mod desk;
mod exchange;
mod following;
pub mod lease;
pub mod sync;
mod telling;
