//! Parts that several panes draw with. None of them knows what a market is.

pub mod input;
pub mod list;
pub mod popup;
pub mod text;
