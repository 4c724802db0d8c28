//! What could be taken right now: positive expectation, arbitrage, middles, low hold.
//!
//! Owns section 8 of the domain contract. Only open, fresh quotes enter; legs must have been seen close to one another in
//! time; what looks too good is held as suspect. Pure functions of one question at one instant.

mod best;
pub mod card;
mod ev;
pub mod middle;
mod question;
mod sets;
pub mod split;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::question::{Judgement, Question, Taker, Untakeable};
use super::rules::OpportunityRule;
use crate::engine::price::unit::UnitKey;
use crate::market::ids::{BookId, EventId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;

/// What kind of opportunity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum OpportunityKind {
    /// One price above the fair one.
    PositiveEv = 1,
    /// Prices that together cannot lose.
    Arbitrage = 2,
    /// Two lines between which both bets win.
    Middle = 3,
    /// Prices that together cost little.
    LowHold = 4,
}

impl OpportunityKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::PositiveEv, Self::Arbitrage, Self::Middle, Self::LowHold];

    /// As in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PositiveEv => "positive_ev",
            Self::Arbitrage => "arbitrage",
            Self::Middle => "middle",
            Self::LowHold => "low_hold",
        }
    }

    /// The number under which the store keeps it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number from the store.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.number() == n)
    }
}

/// One bet of an opportunity.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OpportunityLeg {
    /// Side to take.
    pub side: Side,
    /// Book.
    pub book: BookId,
    /// Line, as the side sees it.
    pub line: Option<Line>,
    /// Price as quoted.
    pub price: Price,
    /// Decimal odds after the book's fee.
    pub odds: f64,
    /// Milliseconds since the provider last saw it at the book.
    pub age_ms: i64,
    /// Share of the whole stake; 1 for a single bet.
    pub share: f64,
}

/// Something that could be taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Opportunity {
    /// Event.
    pub event: EventId,
    /// Question.
    pub key: UnitKey,
    /// What kind.
    pub kind: OpportunityKind,
    /// One bet, or one for each side, in the order of the market's sides.
    pub legs: Vec<OpportunityLeg>,
    /// Expected profit on a stake of 1, pushes counted, after fees. Arbitrage: the profit that is certain (1/S - 1). Low
    /// hold: the hold, as a loss.
    pub ev: f64,
    /// p d - 1 of a single bet, conditional on no push.
    pub edge: Option<f64>,
    /// Vig-free probability of a single bet at its line, conditional on no push, without the book's family.
    pub fair_probability: Option<f64>,
    /// Standard error of the fair value, on the question's scale.
    pub standard_error: Option<f64>,
    /// Share of the bankroll by the full Kelly criterion.
    pub kelly: Option<f64>,
    /// Middle: chance that both bets win.
    pub chance: Option<f64>,
    /// Above what is plausible: held until a person looks.
    pub suspect: bool,
}

/// What happened to an opportunity at a look.
#[derive(Clone, PartialEq, Debug)]
pub struct OpportunityChange {
    /// As it is now, or as it last was when it ended.
    pub opportunity: Opportunity,
    /// It is there; `false`: it ended with this look.
    pub open: bool,
}

/// Adds everything that could be taken to `out`: single bets by falling expected profit, then arbitrages and low holds
/// by rising line, then the best middle. `books` tells of a book; it is asked once a view.
///
/// One call is some microseconds: a question is looked at whenever one of its quotes changed.
pub fn find(
    question: &Question<'_>,
    rule: &OpportunityRule,
    books: impl Fn(BookId) -> Taker,
    out: &mut Vec<Opportunity>,
) {
    let quotes = question.quotes(rule, books);
    if quotes.is_empty() {
        return;
    }
    ev::find(question, rule, &quotes, out);
    let stands = best::stands(&quotes);
    sets::find(question, rule, &quotes, &stands, out);
    middle::find(question, rule, &quotes, &stands, out);
}
