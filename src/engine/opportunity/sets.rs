//! Complete sets of bets at one line: arbitrage where they cannot lose, low hold where they cost little.
//!
//! Legs are the best prices after fees, seen close to one another in time: the difference between two prices of different
//! minutes is a move, not a profit.

use super::best::{self, Stand};
use super::question::{Question, Quote};
use super::{Opportunity, OpportunityKind};
use crate::engine::price::unit::Layout;
use crate::engine::rules::OpportunityRule;
use crate::market::value::{Leg, Shape, is_partition};

/// Adds at most one set a line, in the order of `stands`.
pub(super) fn find(
    question: &Question<'_>,
    rule: &OpportunityRule,
    quotes: &[Quote],
    stands: &[Stand],
    out: &mut Vec<Opportunity>,
) {
    for stand in stands {
        let Some(best) = Set::of(question.layout, stand) else { continue };
        if !best.worth_telling(rule) {
            continue;
        }
        let found = if best::close_in_time(best.legs(), rule.max_skew_ms) {
            Some(best)
        } else {
            closest(question.layout, rule, quotes, stand)
        };
        out.extend(found.filter(|set| set.worth_telling(rule)).and_then(|set| set.opportunity(question, rule)));
    }
}

/// The cheapest set among those seen close to one another. The earliest leg of such a set has all others in its window.
fn closest(layout: Layout, rule: &OpportunityRule, quotes: &[Quote], stand: &Stand) -> Option<Set> {
    let mut cheapest: Option<Set> = None;
    for anchor in quotes.iter().filter(|q| q.line == stand.line) {
        let set = Set::of(layout, &best::within(quotes, anchor, rule.max_skew_ms));
        if let Some(set) = set
            && cheapest.as_ref().is_none_or(|c| set.sum < c.sum)
        {
            cheapest = Some(set);
        }
    }
    cheapest
}

/// One price for every side of a layout.
#[derive(Clone, Copy)]
struct Set {
    legs: [Quote; 3],
    count: usize,
    /// Σ 1/d after fees.
    sum: f64,
}

impl Set {
    /// `None` while a side has no price.
    fn of(layout: Layout, stand: &Stand) -> Option<Self> {
        let count = layout.sides().len();
        let [first, second, third] = stand.best;
        let first = first?;
        // Of two sides the third place only fills the array.
        let third = if count == 3 { third? } else { first };
        let mut set = Self { legs: [first, second?, third], count, sum: 0.0 };
        set.sum = set.legs().iter().map(|l| 1.0 / l.odds).sum();
        Some(set)
    }

    fn legs(&self) -> &[Quote] {
        self.legs.get(..self.count).unwrap_or_default()
    }

    fn hold(&self) -> f64 {
        1.0 - 1.0 / self.sum
    }

    fn worth_telling(&self, rule: &OpportunityRule) -> bool {
        self.sum < 1.0 || self.hold() <= rule.max_hold
    }

    fn opportunity(&self, question: &Question<'_>, rule: &OpportunityRule) -> Option<Opportunity> {
        let layout = question.layout;
        let sides: Vec<Leg> = self.legs().iter().map(|q| Leg { side: q.side, line: q.own_line(layout) }).collect();
        if !is_partition(shape(layout), &sides) {
            return None;
        }
        let certain = self.sum < 1.0;
        // 1/S - 1, and as a loss (1/S - 1 below zero) the hold: both are what comes back of a stake of 1.
        let ev = 1.0 / self.sum - 1.0;
        Some(Opportunity {
            event: question.event,
            key: question.key,
            kind: if certain { OpportunityKind::Arbitrage } else { OpportunityKind::LowHold },
            legs: self.legs().iter().map(|q| q.leg(layout, 1.0 / q.odds / self.sum)).collect(),
            ev,
            edge: None,
            fair_probability: None,
            standard_error: None,
            kelly: None,
            chance: None,
            suspect: certain && ev > rule.suspect_above,
        })
    }
}

const fn shape(layout: Layout) -> Shape {
    match layout {
        Layout::Moneyline => Shape::TwoWay,
        Layout::ThreeWay => Shape::ThreeWay,
        Layout::Spread => Shape::Spread,
        Layout::Total => Shape::Total,
        Layout::YesNo => Shape::YesNo,
    }
}
