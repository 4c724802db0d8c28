//! DISLOCATION: one open, fresh quote far from the fair price of all others.
//!
//! The label tells whose doing it is. `lagging`: another independent book moved away within the window and this one did
//! not. `leading`: it moved away, and it is a sharp book or another independent book went the same way. `alone`: nobody
//! else had a part in it, be it that the book moved away by itself or that it stood there before the window began. A
//! leader is not accused of being wrong: the side to take is the one it points to, elsewhere.

use super::finding::{Dislocated, Extra, Finding, Taking};
use super::signal::SignalType;
use super::window::{reopened, size};
use crate::engine::memory::{Question, Sight};
use crate::engine::price::scale::Scale;
use crate::engine::price::view::BookView;
use crate::engine::profile::BookProfile;
use crate::engine::rules::DislocationRule;
use crate::market::books::BookKind;
use crate::market::ids::BookId;
use crate::market::time::Timestamp;

/// A book has moved when it moved by this share of the threshold; less is a price that follows its own clients.
const REALLY_MOVED: f64 = 0.4;

/// What the detector is given.
pub(crate) struct Setting<'s> {
    pub(crate) question: &'s Question,
    pub(crate) scale: Scale<'s>,
    pub(crate) rule: &'s DislocationRule,
    /// See [`crate::engine::profile::SportProfile::narrow`].
    pub(crate) narrow: f64,
    /// Quotes older than this are not fresh. Milliseconds.
    pub(crate) max_age_ms: i64,
    pub(crate) at: Timestamp,
    /// The start of the window over which moves count for the label.
    pub(crate) from: Timestamp,
}

/// Every dislocated quote of a question, the farthest first (relative to the threshold), then by book.
pub(crate) fn judge(s: &Setting<'_>, profile: impl Fn(BookId) -> BookProfile) -> Vec<Finding> {
    let threshold = s.question.class.of(&s.rule.threshold) * s.narrow;
    let mut found = Vec::new();
    for (view, track) in s.question.views.iter().zip(&s.question.tracks) {
        let book = profile(view.book);
        // A book that has just joined or come back is not judged by its first price.
        let new = track.since == s.at && track.opened;
        let first_look = track.since == s.at && track.past.is_empty();
        if view.own.is_some()
            || view.age(s.at) > s.max_age_ms
            || new
            || first_look
            || !book.takes_single_bets()
            || book.direct
        {
            continue;
        }
        if reopened(s.question, s.scale, view, track, s.at) {
            continue;
        }
        let Some(fair) = s.question.priced.without(book.voter.family) else { continue };
        let own = Sight::of(view);
        let places = if s.scale.has_model() { 1 } else { s.question.layout.sides().len() };
        // Without a model the fair price holds at the reference line only.
        if !s.scale.has_model() && view.line != s.question.priced.reference {
            continue;
        }
        let mut widest: Option<(usize, f64, f64)> = None;
        let mut highest: Option<(usize, f64)> = None;
        for place in 0..places {
            let fair_value = match s.scale {
                Scale::Points(_) => fair.values.first().copied().unwrap_or_default(),
                Scale::LogOdds => fair.probability.get(place).copied().unwrap_or_default(),
            };
            let delta = size(s.scale, &own, place) - fair_value;
            if widest.is_none_or(|(_, d, _)| delta.abs() > d.abs() + 1e-12) {
                widest = Some((place, delta, fair_value));
            }
            if highest.is_none_or(|(_, d)| delta > d + 1e-12) {
                highest = Some((place, delta));
            }
        }
        let Some((place, delta, fair_value)) = widest.filter(|(_, d, _)| d.abs() >= threshold - 1e-6) else { continue };
        let Some((take, ev)) = best_side(s, view.book, &book) else { continue };
        // Of two sides one is the opposite of the other, and points are told of the first only.
        let points_to = match (delta >= 0.0, s.question.layout.sides().len()) {
            (true, _) => place,
            (false, 2) => 1 - place.min(1),
            (false, _) => highest.map_or(place, |(place, _)| place),
        };
        let label = label(s, view.book, &book, (place, delta), threshold, &profile);
        found.push(Finding {
            kind: SignalType::Dislocation,
            window_ms: s.rule.window_ms,
            limit_ms: i64::MAX,
            sign: delta.signum(),
            magnitude: delta.abs(),
            threshold,
            mover_least: threshold,
            lines: None,
            extra: Extra::Book(Dislocated {
                book: view.book,
                label,
                // A leader is not accused of being wrong.
                taking: if label == "leading" { Taking::Elsewhere } else { Taking::Here },
                lag_ms: None,
                probability: None,
                ev,
                place: take,
                looked_at: place,
                points_to,
                fair_value,
                // In the unit of the distance.
                standard_error: match s.scale {
                    Scale::Points(_) => fair.standard_error,
                    Scale::LogOdds => fair.standard_error * fair_value * (1.0 - fair_value),
                },
                delta,
            }),
        });
    }
    // Stable: equal ones stay in the order of the books' keys.
    found.sort_by(|a, b| b.magnitude.total_cmp(&a.magnitude));
    found
}

/// The side of this book that is worth most against the others' fair price, with its expected profit after fees.
fn best_side(s: &Setting<'_>, book: BookId, profile: &BookProfile) -> Option<(usize, f64)> {
    let view = s.question.views.iter().find(|v| v.book == book)?;
    let fair = s.question.priced.without(profile.voter.family)?;
    let mut best: Option<(usize, f64)> = None;
    for place in 0..s.question.layout.sides().len() {
        let Some(ev) = super::entry::expected(s.question, s.scale, view, profile, fair, place) else { continue };
        if best.is_none_or(|(_, b)| ev > b) {
            best = Some((place, ev));
        }
    }
    best
}

/// Whose doing the distance is.
fn label(
    s: &Setting<'_>,
    book: BookId,
    profile: &BookProfile,
    (place, delta): (usize, f64),
    threshold: f64,
    of: &impl Fn(BookId) -> BookProfile,
) -> &'static str {
    // How far each book has come within the window, in the direction of the distance.
    let moved = |b: BookId| -> Option<f64> {
        let (view, track) = s.question.views.iter().zip(&s.question.tracks).find(|(v, _)| v.book == b)?;
        let then = track.as_of(view, s.from).filter(|t| t.open)?;
        let now = Sight::of(view);
        Some((size(s.scale, &now, place) - size(s.scale, &then, place)) * delta.signum())
    };
    let away = moved(book).unwrap_or(0.0);
    let others = || {
        let independent = |v: &&BookView| v.book != book && of(v.book).voter.family != profile.voter.family;
        s.question.views.iter().filter(independent).filter_map(|v| moved(v.book))
    };
    // It closed in on the others, or stood still: they went away from it, or it stood there already.
    if away <= 1e-9 {
        let left = others().any(|m| m <= -REALLY_MOVED * threshold);
        return if left { "lagging" } else { "alone" };
    }
    if profile.voter.kind == BookKind::Sharp {
        return "leading";
    }
    let half = 0.5 * away;
    if others().any(|m| m >= half) { "leading" } else { "alone" }
}
