//! Starts, feeds, supervises and stops the rooms. The only place that knows all of them.

pub mod again;
pub mod attach;
pub mod backoff;
pub mod channels;
pub mod clock;
pub mod feeder;
pub mod follow;
pub mod import;
pub mod intake;
mod judge;
pub mod keeper;
mod late;
pub mod link;
pub mod logging;
pub mod memory;
pub mod pipeline;
pub mod published;
pub mod screen;
pub mod session;
pub mod settings;
pub mod status;
pub mod stop;
pub mod supervisor;
pub mod warm;
