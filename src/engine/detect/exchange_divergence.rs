//! EXCHANGE_DIVERGENCE: an exchange that is listened to and the books disagree, both fresh.
//!
//! Compared is the exchange's size-weighted middle at its own line with the books' fair price there, without the exchange.
//! It has a middle only where enough stands behind bid and ask. The usual distance between the two is another convention
//! rather than another opinion (a middle is no vig-free price, long shots and fees weigh differently) and is taken off.
//!
//! Who moved first goes by the looks that bracket each move: the exchange's own looks and those at the books. Brackets that
//! overlap tell nothing, however fine the exchange's own clock is.

use super::finding::{Dislocated, Extra, Finding, Taking};
use super::signal::SignalType;
use super::strength::Divergence;
use super::window::reopened;
use crate::engine::memory::{Question, Sight, Track};
use crate::engine::price::fair::median;
use crate::engine::price::scale::Scale;
use crate::engine::price::view::BookView;
use crate::engine::profile::BookProfile;
use crate::engine::rules::ExchangeRule;
use crate::market::ids::BookId;
use crate::market::time::Timestamp;

/// A side has moved when it moved by this share of the threshold.
const REALLY_MOVED: f64 = 0.4;

/// What the detector is given.
pub(crate) struct Setting<'s> {
    pub(crate) question: &'s Question,
    pub(crate) scale: Scale<'s>,
    pub(crate) rule: &'s ExchangeRule,
    /// By how much the exchange usually stands above the books, in probability of the first side.
    pub(crate) shift: f64,
    /// Quotes older than this are not fresh. Milliseconds.
    pub(crate) max_age_ms: i64,
    pub(crate) at: Timestamp,
}

/// A move: how far in probability of the looked-at side, and the looks that bracket its beginning.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Moved {
    by: f64,
    /// The look before it and the look that showed it.
    between: Option<(Timestamp, Timestamp)>,
}

/// Every exchange that stands apart, in the order of the books' keys.
pub(crate) fn judge(s: &Setting<'_>, profile: impl Fn(BookId) -> BookProfile) -> Vec<Finding> {
    let mut found = Vec::new();
    for (view, track) in s.question.views.iter().zip(&s.question.tracks) {
        let book = profile(view.book);
        let new = track.since == s.at && (track.opened || track.past.is_empty());
        if !book.direct || view.own.is_some() || view.age(s.at) > s.max_age_ms || new {
            continue;
        }
        if reopened(s.question, s.scale, view, track, s.at) || !books_are_fresh(s, &profile) {
            continue;
        }
        found.extend(one(s, view, track, &book, &profile));
    }
    found
}

/// One of the books that vote was seen at its book within the bound: a fair price of nothing but old quotes is none.
fn books_are_fresh(s: &Setting<'_>, profile: &impl Fn(BookId) -> BookProfile) -> bool {
    let votes = |v: &&BookView| v.counts() && !profile(v.book).direct;
    s.question.views.iter().filter(votes).any(|v| v.age(s.at) <= s.max_age_ms)
}

fn one(
    s: &Setting<'_>,
    view: &BookView,
    track: &Track,
    book: &BookProfile,
    profile: &impl Fn(BookId) -> BookProfile,
) -> Option<Finding> {
    let (question, layout) = (s.question, s.question.layout);
    let fair = question.priced.without(book.voter.family)?;
    let sides = layout.sides().len();
    // The chance that the books give a side at the exchange's line.
    let of_books = |place: usize| match s.scale {
        Scale::Points(_) => s.scale.probability(layout, view.line, fair.values.first().copied()?),
        Scale::LogOdds if view.line.is_none() || view.line == question.priced.reference => {
            fair.probability.get(place).copied()
        }
        Scale::LogOdds => None,
    };
    let mut widest: Option<(usize, f64, f64)> = None;
    for place in 0..if sides == 2 { 1 } else { sides } {
        let books = of_books(place)?;
        // What is usual is known of the first side; of three sides the others carry it back in equal parts.
        let usual = if place == 0 { s.shift } else { -s.shift / (sides - 1) as f64 };
        let delta = view.fair.get(place).copied()? - books - usual;
        if widest.is_none_or(|(_, d, _)| delta.abs() > d.abs() + 1e-12) {
            widest = Some((place, delta, books));
        }
    }
    let (place, delta, books) = widest.filter(|(_, d, _)| d.abs() >= s.rule.threshold - 1e-9)?;
    let from = s.at.plus(-s.rule.window_ms);
    let least = REALLY_MOVED * s.rule.threshold;
    let exchange = exchange_move(view, track, place, from, least);
    let others = books_move(s, view, place, from, least, profile);
    let (kind, lag_ms) = who_led(exchange, others);
    // The exchange holds this side for likelier than the books do.
    let points_to = if delta >= 0.0 {
        place
    } else if sides == 2 {
        1 - place.min(1)
    } else {
        best_of_rest(view, fair, place)
    };
    let dear_there = if delta >= 0.0 && sides == 2 {
        1 - place.min(1)
    } else if delta >= 0.0 {
        best_of_rest(view, fair, place)
    } else {
        place
    };
    let taking = match kind {
        Divergence::ExchangeLeads => Taking::Elsewhere,
        Divergence::SportsbookLeads => Taking::Here,
        Divergence::Aligned | Divergence::Opposed => Taking::Nowhere,
    };
    let ev = super::entry::expected(question, s.scale, view, book, fair, dear_there).unwrap_or(f64::NAN);
    // What costs more than it is worth is no reason to take it.
    let taking = if taking == Taking::Here && (ev.is_nan() || ev <= 0.0) { Taking::Nowhere } else { taking };
    let (fair_value, now) = match s.scale {
        Scale::Points(_) => (fair.values.first().copied()?, view.values.first().copied()?),
        Scale::LogOdds => (books, view.fair.get(place).copied()?),
    };
    let points = matches!(s.scale, Scale::Points(_));
    Some(Finding {
        kind: SignalType::ExchangeDivergence,
        window_ms: s.rule.window_ms,
        limit_ms: i64::MAX,
        sign: if points { (now - fair_value).signum() } else { delta.signum() },
        magnitude: delta.abs(),
        threshold: s.rule.threshold,
        mover_least: least,
        lines: None,
        extra: Extra::Book(Dislocated {
            book: view.book,
            label: kind.name(),
            taking,
            lag_ms,
            probability: view.fair.first().copied(),
            ev: if ev.is_finite() { ev } else { 0.0 },
            place: dear_there,
            looked_at: place,
            points_to,
            fair_value,
            standard_error: if points { fair.standard_error } else { fair.standard_error * books * (1.0 - books) },
            delta: now - fair_value,
        }),
    })
}

/// Of three sides, the one besides `place` that the exchange gives too little by most.
fn best_of_rest(view: &BookView, fair: &crate::engine::price::fair::Fair, place: usize) -> usize {
    let short =
        |p: usize| fair.probability.get(p).copied().unwrap_or_default() - view.fair.get(p).copied().unwrap_or_default();
    (0..3).filter(|p| *p != place).max_by(|a, b| short(*a).total_cmp(&short(*b)).then(b.cmp(a))).unwrap_or(0)
}

fn exchange_move(view: &BookView, track: &Track, place: usize, from: Timestamp, least: f64) -> Option<Moved> {
    let then = track.as_of(view, from).filter(|s| s.open)?;
    let now = Sight::of(view);
    // A contract at another line is another contract: how far it moved is not told by its chance.
    if then.line != now.line {
        return None;
    }
    let by = now.fair.get(place)? - then.fair.get(place)?;
    let between = track.first_move(from, &then, view).map(|(at, after)| (after, at));
    (by.abs() >= least).then_some(Moved { by, between })
}

/// The median move of the books that were open at both ends, as chances of the looked-at side at the exchange's line, and
/// the first look that showed one of them on its way.
fn books_move(
    s: &Setting<'_>,
    exchange: &BookView,
    place: usize,
    from: Timestamp,
    least: f64,
    profile: &impl Fn(BookId) -> BookProfile,
) -> Option<Moved> {
    let layout = s.question.layout;
    let chance = |sight: &Sight| match s.scale {
        Scale::Points(_) => s.scale.probability(layout, exchange.line, sight.value),
        Scale::LogOdds => (sight.line == exchange.line).then(|| sight.fair.get(place).copied()).flatten(),
    };
    let mut moves: Vec<(f64, Option<(Timestamp, Timestamp)>)> = Vec::new();
    for (view, track) in s.question.views.iter().zip(&s.question.tracks) {
        if profile(view.book).direct || view.own.is_some() {
            continue;
        }
        let now = Sight::of(view);
        let Some(then) = track.as_of(view, from).filter(|s| s.open) else { continue };
        let (Some(before), Some(after)) = (chance(&then), chance(&now)) else { continue };
        let first = track.first_move(from, &then, view).map(|(at, after)| (after, at));
        moves.push((after - before, first));
    }
    let mut changes: Vec<f64> = moves.iter().map(|(by, _)| *by).collect();
    changes.sort_by(f64::total_cmp);
    let by = median(&changes)?;
    if by.abs() < least {
        return None;
    }
    let same_way = moves.iter().filter(|(m, _)| m * by > 0.0 && m.abs() >= least);
    let between = same_way.filter_map(|(_, b)| *b).min_by_key(|(after, at)| (*at, *after));
    Some(Moved { by, between })
}

/// Who moved first, and how long before the other. Milliseconds.
fn who_led(exchange: Option<Moved>, books: Option<Moved>) -> (Divergence, Option<i64>) {
    match (exchange, books) {
        (None, None) => (Divergence::Aligned, None),
        (Some(_), None) => (Divergence::ExchangeLeads, None),
        (None, Some(_)) => (Divergence::SportsbookLeads, None),
        (Some(e), Some(b)) if e.by * b.by < 0.0 => (Divergence::Opposed, None),
        (Some(e), Some(b)) => match (e.between, b.between) {
            (Some((_, e_at)), Some((b_after, b_at))) if e_at <= b_after => {
                (Divergence::ExchangeLeads, Some(b_at.since(e_at)))
            }
            (Some((e_after, e_at)), Some((_, b_at))) if b_at <= e_after => {
                (Divergence::SportsbookLeads, Some(e_at.since(b_at)))
            }
            _ => (Divergence::Aligned, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(by: f64, after: i64, at: i64) -> Option<Moved> {
        Some(Moved { by, between: Some((Timestamp::from_millis(after), Timestamp::from_millis(at))) })
    }

    #[test]
    fn whoever_moved_first_led() {
        assert_eq!(who_led(None, None), (Divergence::Aligned, None));
        assert_eq!(who_led(moved(0.03, 0, 1000), None), (Divergence::ExchangeLeads, None));
        assert_eq!(who_led(None, moved(0.03, 0, 1000)), (Divergence::SportsbookLeads, None));
        assert_eq!(who_led(moved(0.03, 0, 1000), moved(-0.03, 5000, 6000)), (Divergence::Opposed, None));
        let lead = who_led(moved(0.03, 0, 1000), moved(0.03, 5000, 65_000));
        assert_eq!(lead, (Divergence::ExchangeLeads, Some(64_000)));
        let behind = who_led(moved(0.03, 90_000, 91_000), moved(0.03, 5000, 65_000));
        assert_eq!(behind, (Divergence::SportsbookLeads, Some(26_000)));
    }

    #[test]
    fn looks_that_overlap_tell_nothing() {
        // The books moved at some time between 0 and 60 s, the exchange at 30 s.
        assert_eq!(who_led(moved(0.03, 29_000, 30_000), moved(0.03, 0, 60_000)), (Divergence::Aligned, None));
    }
}
