//! Single bets whose price is above the fair one.
//!
//! A price is judged at its own line against the fair price without the book's whole family: a book that is part of its
//! own yardstick hides half of what it offers.

use super::question::{Question, Quote};
use super::{Opportunity, OpportunityKind};
use crate::engine::rules::OpportunityRule;

/// Adds the bets worth taking, by falling expected profit.
pub(super) fn find(question: &Question<'_>, rule: &OpportunityRule, quotes: &[Quote], out: &mut Vec<Opportunity>) {
    let from = out.len();
    out.extend(quotes.iter().filter_map(|quote| judge(question, rule, quote)));
    let Some(found) = out.get_mut(from..) else { return };
    found.sort_by(|a, b| {
        let key = |o: &Opportunity| o.legs.first().map(|l| (l.book, l.side));
        b.ev.total_cmp(&a.ev).then(key(a).cmp(&key(b)))
    });
}

fn judge(question: &Question<'_>, rule: &OpportunityRule, quote: &Quote) -> Option<Opportunity> {
    let fair = question.priced.without(quote.family)?;
    // Most prices stand at the reference line, where the probability is already known. A push only takes from a profit.
    if rule.min_ev >= 0.0 && quote.line == question.priced.reference {
        let p = *fair.probability.get(quote.place)?;
        if p.mul_add(quote.odds, -1.0) < rule.min_ev {
            return None;
        }
    }
    let judged = question.judge(fair, quote.side, quote.line)?;
    let ev = judged.settlement.ev(quote.odds);
    // Written so that a value that is no number is no opportunity.
    let worth = ev >= rule.min_ev;
    worth.then(|| Opportunity {
        event: question.event,
        key: question.key,
        kind: OpportunityKind::PositiveEv,
        legs: vec![quote.leg(question.layout, 1.0)],
        ev,
        edge: Some(judged.probability.mul_add(quote.odds, -1.0)),
        fair_probability: Some(judged.probability),
        standard_error: Some(judged.standard_error),
        kelly: Some(judged.settlement.kelly(quote.odds)),
        chance: None,
        suspect: judged.far || ev > rule.suspect_above,
    })
}
