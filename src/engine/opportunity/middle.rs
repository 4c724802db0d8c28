//! Middles: two opposite bets at different lines, of which both can win.
//!
//! The expectation of two bets is the sum of their own, so nothing joint has to be known for it; at most one of the two
//! can fail to win, which gives the chance of both. A middle with a profit therefore always holds a leg with a profit.

use super::best::{self, Stand};
use super::question::{Question, Quote};
use super::{Opportunity, OpportunityKind};
use crate::engine::price::fair::Fair;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::rules::OpportunityRule;
use crate::market::line::Line;
use crate::market::value::Settlement;

/// What two opposite bets at different lines are worth together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MiddleValue {
    /// Chance that both win.
    pub both_win: f64,
    /// Chance that the first wins and the second is refunded, and the other way round.
    pub win_push: [f64; 2],
    /// Mean profit on a whole stake of 1, divided so that either leg alone returns the same.
    pub ev: f64,
}

/// Shares of a whole stake with which either leg alone returns the same.
pub fn shares([a, b]: [f64; 2]) -> [f64; 2] {
    [b / (a + b), a / (a + b)]
}

/// What two legs are worth of which at least one wins whatever happens (the first side's line leaves a gap to the
/// second's). Quarter lines are exact in `ev`.
pub fn value([a, b]: [&Settlement; 2], odds: [f64; 2]) -> MiddleValue {
    let [first, second] = shares(odds);
    let [da, db] = odds;
    MiddleValue {
        both_win: (a.win + b.win - 1.0).max(0.0),
        win_push: [b.push, a.push],
        ev: first.mul_add(a.ev(da), second * b.ev(db)),
    }
}

/// Both bets can win: the first side at one line, the second at another, both as the first side sees them.
fn overlap(layout: Layout, first: Line, second: Line) -> bool {
    match layout {
        Layout::Spread => first > second,
        Layout::Total => first < second,
        _ => false,
    }
}

/// A pair of prices and what the fair price says of it.
struct Found {
    legs: [Quote; 2],
    value: MiddleValue,
    standard_error: f64,
    far: bool,
}

/// Adds the best middle with a profit, if there is one.
///
/// Considered are the best prices at each line. The profit must hold against the fair price of all books and without the
/// family of either leg; told is the smallest of the three.
pub(super) fn find(
    question: &Question<'_>,
    rule: &OpportunityRule,
    quotes: &[Quote],
    stands: &[Stand],
    out: &mut Vec<Opportunity>,
) {
    let model = matches!(question.scale, Scale::Points(_));
    let Some(all) = question.priced.all.as_ref().filter(|_| model && stands.len() > 1 && quotes.len() > 1) else {
        return;
    };
    let mut best: Option<Found> = None;
    for a in stands {
        let (Some(line_a), [Some(first), ..]) = (a.line, a.best) else { continue };
        for b in stands {
            let (Some(line_b), [_, Some(second), _]) = (b.line, b.best) else { continue };
            if !overlap(question.layout, line_a, line_b) || !best::close_in_time(&[first, second], rule.max_skew_ms) {
                continue;
            }
            if let Some(found) = judge(question, all, [first, second])
                && best.as_ref().is_none_or(|b| found.value.ev > b.value.ev)
            {
                best = Some(found);
            }
        }
    }
    out.extend(best.map(|found| opportunity(question, rule, &found)));
}

fn judge(question: &Question<'_>, all: &Fair, legs: [Quote; 2]) -> Option<Found> {
    let at = |fair: &Fair| {
        let [first, second] = legs.map(|leg| question.judge(fair, leg.side, leg.line));
        let (first, second) = (first?, second?);
        let value = value([&first.settlement, &second.settlement], legs.map(|l| l.odds));
        let found = Found { legs, value, standard_error: fair.standard_error, far: first.far || second.far };
        (value.ev > 0.0 && value.both_win > 1e-9).then_some(found)
    };
    let mut lowest = at(all)?;
    for leg in legs {
        let found = at(question.priced.without(leg.family)?)?;
        if found.value.ev < lowest.value.ev {
            lowest = found;
        }
    }
    Some(lowest)
}

fn opportunity(question: &Question<'_>, rule: &OpportunityRule, found: &Found) -> Opportunity {
    let shares = shares(found.legs.map(|l| l.odds));
    Opportunity {
        event: question.event,
        key: question.key,
        kind: OpportunityKind::Middle,
        legs: found.legs.iter().zip(shares).map(|(leg, share)| leg.leg(question.layout, share)).collect(),
        ev: found.value.ev,
        edge: None,
        fair_probability: None,
        standard_error: Some(found.standard_error),
        kelly: None,
        chance: Some(found.value.both_win),
        suspect: found.far || found.value.ev > rule.suspect_above,
    }
}
