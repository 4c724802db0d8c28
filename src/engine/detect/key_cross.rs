//! KEY_CROSS: the consensus line left, reached or crossed a key number of the sport, in signed space. The juice is no
//! cross: -3 at -120 and -3 at +100 stand on the same number.

use super::finding::{Answer, Extra, Finding};
use super::signal::{KeyCrossed, SignalType};
use super::window::Window;
use crate::engine::price::fair::median_line;
use crate::engine::price::scale::{Scale, first};
use crate::engine::price::unit::Layout;
use crate::engine::rules::{Class, MoveRule};
use crate::market::key_numbers::{SportKeys, mass_crossed};
use crate::market::line::Line;
use crate::market::margin::Quantity;

/// That a line changed is known however far the looks are apart, only not when; beyond this it is no news.
pub(crate) const LIMIT_MS: i64 = 60 * 60_000;

/// The consensus line at both ends of the window, over the books that were there at both. A split board stays where it
/// is: a line in the middle of two counts as the one it came from, or as the one it goes to.
pub(crate) fn lines(window: &Window) -> Option<(Line, Line)> {
    let before = || window.members.iter().filter_map(|m| m.before.line);
    let after = || window.members.iter().filter_map(|m| m.after.line);
    let to = median_line(after(), median_line(before(), None))?;
    let from = median_line(before(), Some(to))?;
    let to = median_line(after(), Some(from))?;
    Some((from, to))
}

/// Judges a window.
pub(crate) fn judge(
    window: &Window,
    rule: &MoveRule,
    class: Class,
    layout: Layout,
    scale: Scale<'_>,
    keys: Option<(&SportKeys, f64)>,
) -> Answer {
    let (Scale::Points(model), Some((keys, min_weight))) = (scale, keys) else { return Answer::Nothing };
    let window_ms = class.of(&rule.window_ms);
    let limit_ms = LIMIT_MS.max(window_ms);
    Answer::judged(window, limit_ms, || {
        if window.families.len() < 3 || window.members.len() < usize::from(rule.books) {
            return None;
        }
        let (from, to) = lines(window)?;
        if from == to {
            return None;
        }
        let quantity = if class == Class::Spread { Quantity::Margin } else { Quantity::Total };
        let side = first(layout);
        let crossed = keys.crossed(quantity, from, to, min_weight);
        if crossed.is_empty() {
            return None;
        }
        // Which way the value went: a home line that falls means that home is expected to win by more.
        let change = to.points() - from.points();
        let sign = if class == Class::Spread { -change.signum() } else { change.signum() };
        let (_, value) = window.medians();
        Some(Finding {
            kind: SignalType::KeyCross,
            window_ms,
            limit_ms,
            sign,
            magnitude: change.abs(),
            threshold: 0.5,
            mover_least: 0.0,
            lines: Some((from.points(), to.points())),
            extra: Extra::Keys {
                keys: crossed.iter().map(|c| KeyCrossed { number: c.number, weight: c.weight }).collect(),
                mass: mass_crossed(model, side, from, to, value).ok(),
            },
        })
    })
}
