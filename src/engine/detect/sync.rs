//! MULTIBOOK_SYNC: several independent books moved the same way within minutes, whatever the rest did.

use super::finding::{Answer, Extra, Finding};
use super::signal::SignalType;
use super::window::Window;
use crate::engine::rules::{Class, MoveRule};

/// Judges a window. `narrow` as in [`super::market_move::judge`].
pub(crate) fn judge(window: &Window, rule: &MoveRule, class: Class, narrow: f64) -> Answer {
    let window_ms = class.of(&rule.window_ms);
    Answer::judged(window, window_ms, || {
        let least = class.of(&rule.threshold) * narrow;
        let count = |sign: f64| window.movers(sign, least).count();
        let (up, down) = (count(1.0), count(-1.0));
        let sign = if up >= down { 1.0 } else { -1.0 };
        // As many one way as the other is no agreement.
        (up.max(down) >= usize::from(rule.books) && up != down).then(|| Finding {
            kind: SignalType::MultibookSync,
            window_ms,
            limit_ms: window_ms,
            sign,
            magnitude: window.median_of_movers(sign, least).abs(),
            threshold: least,
            mover_least: least,
            lines: None,
            extra: Extra::Nothing,
        })
    })
}
