//! Parts that several panes draw with. None of them knows what a market is.

pub mod bars;
pub mod chart;
pub mod chart_axis;
pub mod chart_pane;
pub mod input;
pub mod interval;
pub mod list;
pub mod popup;
pub mod spark;
pub mod text;
