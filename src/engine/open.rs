//! Opportunities from look to look: which appeared, changed or ended.

use super::opportunity::{Opportunity, OpportunityChange, OpportunityKind};
use super::rules::OpportunityRule;
use crate::market::ids::BookId;
use crate::market::selection::Side;

/// A change of the expected profit by less is none.
const STEP: f64 = 0.005;
/// What is open stays open until it is worth less than the least by this, so that it does not come and go at the edge.
const SLACK: f64 = 0.0025;

/// The rule by which to look for what may stay open.
pub(crate) fn wider(rule: &OpportunityRule) -> OpportunityRule {
    OpportunityRule { min_ev: rule.min_ev - SLACK, ..*rule }
}

/// What makes two the same opportunity: the kind and where its bets are placed.
fn identity(o: &Opportunity) -> (OpportunityKind, impl Iterator<Item = (Side, BookId)>) {
    (o.kind, o.legs.iter().map(|l| (l.side, l.book)))
}

fn same(a: &Opportunity, b: &Opportunity) -> bool {
    let ((kind, legs), (other, others)) = (identity(a), identity(b));
    kind == other && legs.eq(others)
}

fn changed(a: &Opportunity, b: &Opportunity) -> bool {
    let offer = |o: &Opportunity| o.legs.iter().map(|l| (l.line, l.price)).collect::<Vec<_>>();
    (a.ev - b.ev).abs() >= STEP || a.suspect != b.suspect || offer(a) != offer(b)
}

/// Compares what was open with what is `found` now by the [`wider`] rule, tells the differences, and makes `open` the present state. What is
/// open keeps the values that were told last.
pub(crate) fn follow(
    rule: &OpportunityRule,
    open: &mut Vec<Opportunity>,
    found: &mut Vec<Opportunity>,
    out: &mut Vec<OpportunityChange>,
) {
    // What holds little is a figure of the board, not something that comes and goes.
    found.retain(|f| f.kind != OpportunityKind::LowHold);
    open.retain(|o| {
        let stays = found.iter().any(|f| same(f, o));
        if !stays {
            out.push(OpportunityChange { opportunity: o.clone(), open: false });
        }
        stays
    });
    for now in found.drain(..) {
        match open.iter_mut().find(|o| same(o, &now)) {
            Some(before) if changed(before, &now) => {
                out.push(OpportunityChange { opportunity: now.clone(), open: true });
                *before = now;
            }
            Some(_) => {}
            None if now.kind == OpportunityKind::PositiveEv && now.ev < rule.min_ev => {}
            None => {
                out.push(OpportunityChange { opportunity: now.clone(), open: true });
                open.push(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::opportunity::OpportunityLeg;
    use crate::engine::price::unit::UnitKey;
    use crate::market::ids::EventId;
    use crate::market::price::Price;

    fn at(book: u16, american: i64, ev: f64) -> Opportunity {
        let price = Price::american(american).expect("price");
        let leg = OpportunityLeg {
            side: Side::Home,
            book: BookId(book),
            line: None,
            price,
            odds: price.to_decimal(),
            age_ms: 0,
            share: 1.0,
        };
        Opportunity {
            event: EventId(1),
            key: UnitKey::default(),
            kind: OpportunityKind::PositiveEv,
            legs: vec![leg],
            ev,
            edge: Some(ev),
            fair_probability: Some(0.5),
            standard_error: None,
            kelly: None,
            chance: None,
            suspect: false,
        }
    }

    #[test]
    fn only_differences_are_told() {
        let rule = crate::engine::rules::AnalysisRules::default().opportunity;
        let (mut open, mut out) = (Vec::new(), Vec::new());
        let mut look = |found: &[Opportunity]| {
            out.clear();
            follow(&rule, &mut open, &mut found.to_vec(), &mut out);
            out.iter().map(|c| (c.opportunity.legs[0].book.0, c.open)).collect::<Vec<_>>()
        };
        assert_eq!(look(&[at(1, 110, 0.03), at(2, 105, 0.01)]), [(1, true), (2, true)]);
        assert_eq!(look(&[at(1, 110, 0.033), at(2, 105, 0.01)]), []);
        // Small steps add up to a told one: the comparison is with what was told.
        assert_eq!(look(&[at(1, 110, 0.036), at(2, 104, 0.01)]), [(1, true), (2, true)]);
        // At the edge it stays, but nothing begins there.
        assert_eq!(look(&[at(1, 110, 0.036), at(2, 104, 0.0055)]), []);
        assert_eq!(look(&[at(1, 110, 0.036), at(2, 104, 0.0051), at(3, 104, 0.004)]), []);
        assert_eq!(look(&[at(1, 110, 0.036)]), [(2, false)]);
    }
}
