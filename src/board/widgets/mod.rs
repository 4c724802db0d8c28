//! Parts that several panes draw with. None of them knows what a market is.

pub mod bars;
pub mod interval;
pub mod spark;
pub mod chart;
pub mod chart_axis;
pub mod chart_pane;
pub mod text;
