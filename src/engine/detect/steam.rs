//! STEAM: four or more independent books the same way within three minutes, far, and hardly anyone against it.

use super::finding::{Answer, Extra, Finding};
use super::signal::SignalType;
use super::window::Window;
use crate::engine::rules::{Class, MoveRule};

/// A book takes part when it moved by this share of the threshold.
pub(crate) const PART: f64 = 0.4;
/// Independent books that may have moved the other way.
const OPPOSERS: usize = 1;

/// Judges a window. `narrow` as in [`super::market_move::judge`].
pub(crate) fn judge(window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    let window_ms = class.of(&rule.window_ms);
    Answer::judged(window, window_ms, || {
        let threshold = class.of(&rule.threshold) * narrow;
        let least = PART * threshold;
        let count = |sign: f64| window.movers(sign, least).count();
        let (up, down) = (count(1.0), count(-1.0));
        let (sign, movers, opposers) = if up >= down { (1.0, up, down) } else { (-1.0, down, up) };
        let magnitude = window.median_of_movers(sign, least).abs();
        let steam = movers >= usize::from(rule.books) && opposers <= OPPOSERS && magnitude >= threshold - 1e-6;
        steam.then_some(Finding {
            kind: SignalType::Steam,
            window_ms,
            limit_ms: window_ms,
            sign,
            magnitude,
            threshold,
            mover_least: least,
            lines: None,
            extra: Extra::Nothing,
        })
    })
}
