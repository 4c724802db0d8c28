//! Starts, feeds, supervises and stops the rooms. The only place that knows all of them.

pub mod import;
pub mod intake;
mod late;
pub mod logging;
