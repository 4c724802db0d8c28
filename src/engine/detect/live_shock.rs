//! LIVE_SHOCK: a watched game in play moved by a great deal within minutes. Informational: no side to take.

use super::finding::Answer;
use super::market_move;
use super::signal::SignalType;
use super::window::Window;
use crate::engine::rules::{Class, MoveRule};

/// Judges a window of a game in play. `narrow` as in [`market_move::judge`].
pub(crate) fn judge(window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    market_move::of_the_median(SignalType::LiveShock, window, rule, class, narrow)
}
