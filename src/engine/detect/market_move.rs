//! MOVE: the market as a whole moved. The median book of the panel changed by the threshold within the window; a price
//! that moves at an unchanged line counts by what it is worth in points.

use super::finding::{Answer, Extra, Finding};
use super::signal::SignalType;
use super::window::Window;
use crate::engine::rules::{Class, MoveRule};

/// Judges a window. `narrow` scales thresholds in points, see [`crate::engine::profile::SportProfile::narrow`].
pub(crate) fn judge(window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    of_the_median(SignalType::Move, window, rule, class, narrow)
}

/// A finding where the median family of a panel that is large enough moved by the threshold.
pub(super) fn of_the_median(kind: SignalType, window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    let window_ms = class.of(&rule.window_ms);
    Answer::judged(window, window_ms, || {
        let threshold = class.of(&rule.threshold) * narrow;
        let change = window.median_change();
        let panel = window.families.len() >= usize::from(rule.books);
        (panel && change.abs() >= threshold - 1e-6).then(|| Finding {
            kind,
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
