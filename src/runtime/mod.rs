//! Starts, feeds, supervises and stops the rooms. The only place that knows all of them.

pub mod again;
pub mod clock;
pub mod follow;
pub mod import;
pub mod intake;
mod late;
pub mod logging;
pub mod memory;
pub mod pipeline;
pub mod published;
pub mod status;
pub mod settings;
pub mod stop;
pub mod warm;
