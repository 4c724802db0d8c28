//! The track record: which types of signal beat the close, how often, by how much, and how sure that is.
//!
//! Owns the aggregates over graded signals: [`summary()`], [`scorecards`], [`recap()`] and [`by_type`]. Every one is a pure
//! function of the newest version of each row; the order of the rows does not matter. Nothing is left out silently: what
//! does not enter a mean is counted by reason. May not touch the store or the clock, and grades nothing itself.
//!
//! What is counted: a *signal* is a row; a *graded* signal has a CLV against a close of an asked grade; *events* are the
//! games of graded signals. Samples and tiers count events, because signals of one game are not independent.

pub mod filter;
pub mod preset;
pub mod recap;
#[cfg(test)]
mod rows;
pub mod scorecard;
pub mod stats;
pub mod summary;

pub use filter::{Filter, Grades};
pub use preset::Preset;
pub use recap::{Grain, RecapRow, recap, utc_day};
pub use scorecard::{RecordTier, Scorecard, scorecards};
pub use stats::{LeftOut, Sign, Stats};
pub use summary::{SummaryRow, by_type, summary};
