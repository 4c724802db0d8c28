//! The actionable card: what every book offers for one side, best first, or that there is nothing to take.
//!
//! Sorted by what a bet is worth, with its sign: the price that differs most from the others is often the worst.

use serde::Serialize;

use super::question::{Question, Taker, Untakeable};
use crate::engine::price::scale::first;
use crate::engine::price::unit::Layout;
use crate::engine::price::view::BookView;
use crate::engine::rules::OpportunityRule;
use crate::market::ids::{BookId, EventId};
use crate::market::line::Line;
use crate::market::price::{Price, decimal_to_american};
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::market::value::fair_odds;

/// What the card comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// A price above the fair one can be taken.
    Take,
    /// The only prices above the fair one are too good to be believed.
    OnlySuspect,
    /// No price that can be taken is above the fair one.
    NothingToTake,
    /// Prices can be taken, but nothing says what they are worth.
    NoFairPrice,
    /// No price can be taken.
    NoQuotes,
}

/// One book's price for the side.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// Book.
    pub book: String,
    /// Line, as the side sees it.
    pub line: Option<f64>,
    /// Decimal odds, as quoted.
    pub price: f64,
    /// American odds.
    pub price_american: i64,
    /// Decimal odds after the fee.
    pub odds: Option<f64>,
    /// Seconds since the provider last saw it at the book.
    pub age_seconds: f64,
    /// Seconds since line or price last changed. Says nothing about freshness.
    pub changed_seconds_ago: f64,
    /// Expected profit on a stake of 1 against the fair price without this book's family, pushes counted, after fees.
    pub ev: Option<f64>,
    /// p d - 1, conditional on no push.
    pub edge: Option<f64>,
    /// Vig-free probability at this line, conditional on no push, without this book's family.
    pub fair_probability: Option<f64>,
    /// Share of the bankroll by the full Kelly criterion.
    pub kelly: Option<f64>,
    /// Too good to be believed, or farther from the others than the model carries a price.
    pub suspect: bool,
    /// Why it cannot be taken; `None`: it can.
    pub untakeable: Option<Untakeable>,
}

/// Until when, and down to what, a price is worth taking.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Limits {
    /// Without a newer look it is too old after this instant.
    pub valid_until: Timestamp,
    /// At this line and no other, as the side sees it.
    pub line: Option<f64>,
    /// Decimal odds after fees at which nothing is gained at this line.
    pub break_even: f64,
    /// The same as American odds.
    pub break_even_american: i64,
}

/// The price to take.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Best {
    /// Its row.
    #[serde(flatten)]
    pub row: Row,
    /// How long and how far it is worth taking.
    pub limits: Limits,
}

/// A line and a price that go together.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LinePrice {
    /// Line, as the side sees it.
    pub line: Option<f64>,
    /// Decimal odds, as quoted.
    pub price: f64,
    /// American odds.
    pub price_american: i64,
    /// Book; of several the one whose bet is worth most.
    pub book: String,
}

/// Everything about one side of one question.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Card {
    /// Event.
    pub event_id: EventId,
    /// `home`, `away`, `draw`, `over`, `under`, `yes` or `no`.
    pub side: &'static str,
    /// The instant it holds for.
    pub at: Timestamp,
    /// What it comes to.
    pub state: CardState,
    /// Line at which `fair_probability` holds, as the side sees it.
    pub reference_line: Option<f64>,
    /// Vig-free probability of the side by all books.
    pub fair_probability: Option<f64>,
    /// Standard error of the fair value, on `scale`.
    pub standard_error: Option<f64>,
    /// `points` or `log_odds`.
    pub scale: &'static str,
    /// Independent families behind the fair price.
    pub families: u16,
    /// The price to take, if there is one.
    pub best: Option<Best>,
    /// Every book's price: those that can be taken first, the most valuable first.
    pub rows: Vec<Row>,
    /// The highest odds at each line, the line best for the side first.
    pub best_price_per_line: Vec<LinePrice>,
    /// The line best for the side at each price, the highest odds first.
    pub best_line_per_price: Vec<LinePrice>,
}

/// A row with what is needed to sort it.
struct Entry {
    book: BookId,
    line: Option<Line>,
    price: Price,
    updated: Timestamp,
    row: Row,
}

/// The card of one side. `None` for a side that the question does not have.
pub fn card(
    question: &Question<'_>,
    side: Side,
    rule: &OpportunityRule,
    books: impl Fn(BookId) -> Taker,
    name: impl Fn(BookId) -> String,
) -> Option<Card> {
    let place = question.layout.place(side)?;
    let mut entries: Vec<Entry> = question
        .views
        .iter()
        .filter_map(|view| entry(question, side, view, view.price(place)?, rule, &books(view.book), name(view.book)))
        .collect();
    if question.torn(&books) {
        entries.iter_mut().for_each(|e| (e.row.ev, e.row.edge, e.row.kelly) = (None, None, None));
    }
    entries.sort_by(|a, b| {
        let ev = |e: &Entry| e.row.ev.unwrap_or(f64::NEG_INFINITY);
        a.row
            .untakeable
            .is_some()
            .cmp(&b.row.untakeable.is_some())
            .then(ev(b).total_cmp(&ev(a)))
            .then(b.price.to_decimal().total_cmp(&a.price.to_decimal()))
            .then(a.book.cmp(&b.book))
    });
    let can_take = |e: &&Entry| e.row.untakeable.is_none();
    let positive = |e: &&Entry| e.row.ev.is_some_and(|ev| ev > 0.0);
    let best = entries.iter().filter(can_take).filter(positive).find(|e| !e.row.suspect);
    let state = if best.is_some() {
        CardState::Take
    } else if !entries.iter().any(|e| can_take(&e)) {
        CardState::NoQuotes
    } else if entries.iter().filter(can_take).any(|e| positive(&e)) {
        CardState::OnlySuspect
    } else if entries.iter().filter(can_take).all(|e| e.row.ev.is_none()) {
        CardState::NoFairPrice
    } else {
        CardState::NothingToTake
    };
    let best = best.and_then(|entry| {
        let break_even = fair_odds(entry.row.fair_probability?);
        Some(Best {
            row: entry.row.clone(),
            limits: Limits {
                valid_until: entry.updated.plus(rule.max_age_ms),
                line: entry.row.line,
                break_even,
                break_even_american: decimal_to_american(break_even),
            },
        })
    });
    let all = question.priced.all.as_ref();
    let own = |line: Line| question.layout.line_for(line, side).points();
    Some(Card {
        event_id: question.event,
        side: side.name(),
        at: question.at,
        state,
        reference_line: question.priced.reference.map(own),
        fair_probability: all.and_then(|fair| fair.probability.get(place)).copied(),
        standard_error: all.map(|fair| fair.standard_error),
        scale: question.scale.name(),
        families: all.map_or(0, |fair| fair.families),
        best,
        best_price_per_line: per_line(question.layout, side, &entries),
        best_line_per_price: per_price(question.layout, side, &entries),
        rows: entries.into_iter().map(|e| e.row).collect(),
    })
}

fn entry(
    question: &Question<'_>,
    side: Side,
    view: &BookView,
    price: Price,
    rule: &OpportunityRule,
    taker: &Taker,
    book: String,
) -> Option<Entry> {
    let odds = taker.fee.effective_decimal(price.to_decimal());
    let untakeable = question.untakeable(view, taker, rule).or_else(|| odds.is_none().then_some(Untakeable::Fee));
    let judged = question.priced.without(taker.family).and_then(|fair| question.judge(fair, side, view.line));
    let both = judged.zip(odds);
    let ev = both.map(|(j, d)| j.settlement.ev(d));
    let line = view.line.map(|l| question.layout.line_for(l, side));
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let row = Row {
        book,
        line: line.map(Line::points),
        price: price.to_decimal(),
        price_american: price.to_american(),
        odds,
        age_seconds: seconds(view.age(question.at)),
        changed_seconds_ago: seconds(question.at.since(view.changed).max(0)),
        ev,
        edge: both.map(|(j, d)| j.probability.mul_add(d, -1.0)),
        fair_probability: judged.map(|j| j.probability),
        kelly: both.map(|(j, d)| j.settlement.kelly(d)),
        suspect: judged.is_some_and(|j| j.far) || ev.is_some_and(|ev| ev > rule.suspect_above),
        untakeable,
    };
    Some(Entry { book: view.book, line, price, updated: view.updated, row })
}

/// How good a line is for its own side: more points given, or a lower bar to get over.
fn goodness(layout: Layout, side: Side, line: Option<Line>) -> i32 {
    let points = line.map_or(0, Line::hundredths);
    if layout == Layout::Total && side == first(layout) { -points } else { points }
}

fn pair(entry: &Entry) -> LinePrice {
    LinePrice {
        line: entry.row.line,
        price: entry.row.price,
        price_american: entry.row.price_american,
        book: entry.row.book.clone(),
    }
}

fn takeable(entries: &[Entry]) -> Vec<&Entry> {
    entries.iter().filter(|e| e.row.untakeable.is_none()).collect()
}

/// Odds as they are compared: after the fee.
fn odds(entry: &Entry) -> f64 {
    entry.row.odds.unwrap_or_default()
}

fn per_line(layout: Layout, side: Side, entries: &[Entry]) -> Vec<LinePrice> {
    let mut sorted = takeable(entries);
    sorted.sort_by(|a, b| {
        let line = |e: &Entry| goodness(layout, side, e.line);
        line(b).cmp(&line(a)).then(odds(b).total_cmp(&odds(a))).then(a.book.cmp(&b.book))
    });
    sorted.dedup_by_key(|e| e.line);
    sorted.into_iter().map(pair).collect()
}

fn per_price(layout: Layout, side: Side, entries: &[Entry]) -> Vec<LinePrice> {
    let mut sorted = takeable(entries);
    sorted.sort_by(|a, b| {
        let line = |e: &Entry| goodness(layout, side, e.line);
        odds(b).total_cmp(&odds(a)).then(line(b).cmp(&line(a))).then(a.book.cmp(&b.book))
    });
    sorted.dedup_by(|a, b| odds(a) == odds(b));
    sorted.into_iter().map(pair).collect()
}
