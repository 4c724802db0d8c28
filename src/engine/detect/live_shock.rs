//! LIVE_SHOCK: a watched game in play moved by a great deal within minutes. Informational: no side to take.

use super::finding::{Answer, Extra, Finding};
use super::signal::SignalType;
use super::window::Window;
use crate::engine::rules::{Class, MoveRule};

/// Judges a window of a game in play. `narrow` as in [`super::market_move::judge`].
pub(crate) fn judge(window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    let window_ms = class.of(&rule.window_ms);
    Answer::judged(window, window_ms, || {
        let threshold = class.of(&rule.threshold) * narrow;
        let change = window.median_change();
        let panel = window.families.len() >= usize::from(rule.books);
        (panel && change.abs() >= threshold - 1e-6).then(|| Finding {
            kind: SignalType::LiveShock,
            window_ms,
            limit_ms: window_ms,
            sign: change.signum(),
            magnitude: change.abs(),
            threshold,
            mover_least: 0.4 * threshold,
            lines: None,
            extra: Extra::Nothing,
        })
    })
}
