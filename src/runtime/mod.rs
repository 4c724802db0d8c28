//! Starts, feeds, supervises and stops the rooms. The only place that knows all of them.

pub mod import;
pub mod intake;
pub mod logging;
pub mod settings;
pub mod stop;
