//! One question as the finders see it: which prices can be taken, and what a price is worth.

use serde::Serialize;

use crate::engine::price::fair::{Fair, Priced};
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::price::view::{BookView, Exclusion};
use crate::engine::rules::OpportunityRule;
use crate::market::books::Fee;
use crate::market::ids::{BookId, EventId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::market::value::Settlement;

/// One question about one event at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Event.
    pub event: EventId,
    /// Question.
    pub key: UnitKey,
    /// Its outcomes.
    pub layout: Layout,
    /// How values are compared.
    pub scale: Scale<'a>,
    /// Every book's market, each book once.
    pub views: &'a [BookView],
    /// What those views say together.
    pub priced: &'a Priced,
    /// The instant.
    pub at: Timestamp,
    /// The game is on.
    pub in_play: bool,
}

/// What taking a price at a book involves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Taker {
    /// Number of its family, as in [`Priced::without`].
    pub family: u16,
    /// What it takes beyond its price.
    pub fee: Fee,
    /// Bets can be placed there: not a pick'em operator, not a book out of the user's reach.
    pub takes: bool,
    /// It is listened to, between two looks at the others.
    pub direct: bool,
}

/// Why no price of a book can be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Untakeable {
    /// No bets are placed at this book.
    OutOfReach,
    /// The provider has not seen it at the book for too long.
    TooOld,
    /// Back after a suspension, not confirmed yet.
    Reopened,
    /// The data contradicts itself.
    Flawed,
    /// Its own prices sum to less than 1: one of them is an error.
    NotOneBook,
    /// Nothing is left of the price after the fee.
    Fee,
}

/// What a bet is worth, price aside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judgement {
    /// Chances of its results.
    pub settlement: Settlement,
    /// Vig-free probability, conditional on no push.
    pub probability: f64,
    /// Standard error of the fair value, on the question's scale.
    pub standard_error: f64,
    /// The line is farther from the reference line than the model carries a price; always `false` without a model.
    pub far: bool,
}

/// A price that can be taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Quote {
    pub(super) place: usize,
    pub(super) side: Side,
    /// As the first side sees it.
    pub(super) line: Option<Line>,
    pub(super) book: BookId,
    pub(super) family: u16,
    pub(super) price: Price,
    /// After the fee.
    pub(super) odds: f64,
    pub(super) updated: Timestamp,
    pub(super) age_ms: i64,
}

impl Question<'_> {
    /// Why nothing of a book can be taken; `None` if its open sides can.
    ///
    /// A market with one side missing, too much vig or a line that nobody else has still has prices one can take.
    pub fn untakeable(&self, view: &BookView, taker: &Taker, rule: &OpportunityRule) -> Option<Untakeable> {
        if !taker.takes {
            return Some(Untakeable::OutOfReach);
        }
        match view.own {
            Some(Exclusion::Reopened) => return Some(Untakeable::Reopened),
            Some(Exclusion::Flawed) => return Some(Untakeable::Flawed),
            Some(Exclusion::NotOneBook) => return Some(Untakeable::NotOneBook),
            _ => {}
        }
        // An exchange is priced by the middle of back and lay, so its back prices have not been summed yet.
        let (mut sum, mut open) = (0.0, 0);
        for price in view.prices.iter().flatten() {
            (sum, open) = (sum + price.probability(), open + 1);
        }
        if open == self.layout.sides().len() && sum < 1.0 - 1e-9 {
            return Some(Untakeable::NotOneBook);
        }
        (view.age(self.at) > rule.max_age_ms).then_some(Untakeable::TooOld)
    }

    /// In play, an exchange that is listened to has moved since the others were looked at: its prices and theirs are of two
    /// moments, and what lies between them is the score rather than an edge. Nothing is worth anything until the next look.
    pub fn torn(&self, books: impl Fn(BookId) -> Taker) -> bool {
        if !self.in_play {
            return false;
        }
        let priced = || self.views.iter().filter(|v| v.prices.iter().any(Option::is_some));
        let looked = priced().filter(|v| !books(v.book).direct).map(|v| v.seen).max();
        looked.is_some_and(|looked| priced().any(|v| books(v.book).direct && v.changed > looked))
    }

    /// Every price that can be taken, in the order of the views.
    pub(super) fn quotes(&self, rule: &OpportunityRule, books: impl Fn(BookId) -> Taker) -> Vec<Quote> {
        let sides = self.layout.sides();
        let mut quotes = Vec::with_capacity(self.views.len() * sides.len());
        for view in self.views.iter().filter(|v| v.prices.iter().any(Option::is_some)) {
            let taker = books(view.book);
            if self.untakeable(view, &taker, rule).is_some() {
                continue;
            }
            for (place, side) in sides.iter().enumerate() {
                let Some(price) = view.price(place) else { continue };
                let Some(odds) = taker.fee.effective_decimal(price.to_decimal()) else { continue };
                quotes.push(Quote {
                    place,
                    side: *side,
                    line: view.line,
                    book: view.book,
                    family: taker.family,
                    price,
                    odds,
                    updated: view.updated,
                    age_ms: view.age(self.at),
                });
            }
        }
        quotes
    }

    /// A bet on a side at a line (as the first side sees it) against a fair price. `None` beyond the model, and without
    /// a model at any line but the reference line.
    ///
    /// Without a model the chance of a refund is not known and taken as none: the sign of the expectation is right, its
    /// size is that of the part of the stake that is decided.
    pub fn judge(&self, fair: &Fair, side: Side, line: Option<Line>) -> Option<Judgement> {
        let (settlement, far) = match self.scale {
            Scale::LogOdds => {
                if line != self.priced.reference {
                    return None;
                }
                let p = *fair.probability.get(self.layout.place(side)?)?;
                (Settlement::conditional(p, 0.0), false)
            }
            Scale::Points(model) => {
                let own = line.map(|l| self.layout.line_for(l, side));
                let value = *fair.values.first()?;
                let settlement = self.scale.settlement(self.layout, side, own, value)?;
                let far = match (line, self.priced.reference) {
                    (Some(line), Some(reference)) => (line.points() - reference.points()).abs() > model.max_shift(),
                    _ => false,
                };
                (settlement, far)
            }
        };
        let probability = settlement.fair_probability();
        probability.is_finite().then_some(Judgement {
            settlement,
            probability,
            standard_error: fair.standard_error,
            far,
        })
    }
}

impl Quote {
    /// The line as its own side sees it.
    pub(super) fn own_line(&self, layout: Layout) -> Option<Line> {
        self.line.map(|l| layout.line_for(l, self.side))
    }

    /// As a leg with a share of the whole stake.
    pub(super) fn leg(&self, layout: Layout, share: f64) -> super::OpportunityLeg {
        super::OpportunityLeg {
            side: self.side,
            book: self.book,
            line: self.own_line(layout),
            price: self.price,
            odds: self.odds,
            age_ms: self.age_ms,
            share,
        }
    }
}
