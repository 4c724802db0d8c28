//! The best obtainable quote for a side: what a signal's recommendation is graded by.

use crate::engine::memory::Question;
use crate::engine::price::fair::Fair;
use crate::engine::price::scale::Scale;
use crate::engine::price::view::BookView;
use crate::engine::profile::BookProfile;
use crate::market::ids::BookId;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::market::value::Settlement;

/// A quote to take.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Take {
    pub(crate) book: BookId,
    pub(crate) ev: Option<f64>,
    /// Vig-free probability at its line, without its family.
    pub(crate) fair: Option<f64>,
}

/// Chances of a bet on the side at `place`, at a view's own line, against a fair price.
pub(crate) fn settlement(
    question: &Question,
    scale: Scale<'_>,
    view: &BookView,
    fair: &Fair,
    place: usize,
) -> Option<Settlement> {
    let layout = question.layout;
    let side = *layout.sides().get(place)?;
    match scale {
        Scale::Points(_) => {
            let own = view.line.map(|l| layout.line_for(l, side));
            scale.settlement(layout, side, own, fair.values.first().copied()?)
        }
        Scale::LogOdds if view.line == question.priced.reference || view.line.is_none() => {
            Some(Settlement::conditional(*fair.probability.get(place)?, 0.0))
        }
        Scale::LogOdds => None,
    }
}

/// Expected profit on a stake of 1, pushes counted, after fees.
pub(crate) fn expected(
    question: &Question,
    scale: Scale<'_>,
    view: &BookView,
    profile: &BookProfile,
    fair: &Fair,
    place: usize,
) -> Option<f64> {
    let odds = profile.fee.effective_decimal(view.price(place)?.to_decimal())?;
    Some(settlement(question, scale, view, fair, place)?.ev(odds))
}

/// The best quote for the side at `place`: the highest expected profit; without a fair price the best line, then the best
/// price. Only open, fresh ones; ties to the lower book number. Each book is judged by a fair price of its own, the
/// others'; that never makes a quote the best while another has as good a line and a better price, or the reverse.
pub(crate) fn best(
    question: &Question,
    scale: Scale<'_>,
    place: usize,
    at: Timestamp,
    max_age_ms: i64,
    not: Option<BookId>,
    profile: impl Fn(BookId) -> BookProfile,
) -> Option<Take> {
    let side = *question.layout.sides().get(place)?;
    let mut quotes: Vec<(&BookView, BookProfile, f64, f64)> = Vec::with_capacity(question.views.len());
    for (view, track) in question.views.iter().zip(&question.tracks) {
        let book = profile(view.book);
        let Some(price) = view.price(place) else { continue };
        if Some(view.book) == not || view.age(at) > max_age_ms || !book.takes_single_bets() {
            continue;
        }
        if super::window::reopened(question, scale, view, track, at) {
            continue;
        }
        // For the first side of a spread and for Under a higher line is better.
        let line = view.line.map_or(0.0, |l| {
            let own = question.layout.line_for(l, side).points();
            if side == Side::Over { -own } else { own }
        });
        let odds = book.fee.effective_decimal(price.to_decimal()).unwrap_or_default();
        quotes.push((view, book, line, odds));
    }
    let mut best: Option<(Take, f64, f64)> = None;
    for &(view, book, line, odds) in &quotes {
        if quotes.iter().any(|&(_, _, l, o)| l >= line && o >= odds && (l > line || o > odds)) {
            continue;
        }
        let fair = question.priced.without(book.voter.family);
        let ev = fair.and_then(|f| expected(question, scale, view, &book, f, place));
        let probability = fair.and_then(|f| settlement(question, scale, view, f, place)).map(|s| s.fair_probability());
        let take = Take { book: view.book, ev, fair: probability };
        let better = match &best {
            None => true,
            Some((b, l, o)) => {
                let (new, old) = (ev.unwrap_or(f64::NEG_INFINITY), b.ev.unwrap_or(f64::NEG_INFINITY));
                new.total_cmp(&old).then(line.total_cmp(l)).then(odds.total_cmp(o)).is_gt()
            }
        };
        if better {
            best = Some((take, line, odds));
        }
    }
    best.map(|(take, ..)| take)
}
