//! What the store says of one game up to an instant: its quotes appraised in full, their history, signals and closes.
//!
//! Runs on the thread that reads the store. Nothing after the instant is read.

use rustc_hash::FxHashMap;

use super::beside::Beside;
use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::as_of::LogRow;
use crate::engine::changes::{EventRow, Point, QuoteKey};
use crate::engine::detect::signal::Signal;
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::names::Names;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::price::view::{BookView, DevigRule, Offer as Offers};
use crate::engine::status::QuoteValue;
use crate::market::books::{BookKind, Books};
use crate::market::ids::{BookId, EventId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::store::analysis::PointAt;
use crate::store::{Reader, StoreError};

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The game.
    pub event: EventId,
    /// The question; `None`: the game does not have the market.
    pub key: Option<UnitKey>,
    /// The moment of the time machine; `None`: the present.
    pub past: Option<Timestamp>,
}

/// One book's market from an instant on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct State {
    /// From this instant on.
    pub at: Timestamp,
    /// As the first side sees it.
    pub line: Option<Line>,
    /// Of each side in the layout's order; a side that is not open has none.
    pub prices: [Option<Price>; 3],
    /// Vig-free probabilities; `None` where the vig could not be removed.
    pub fair: Option<[f64; 3]>,
    /// For each side the line at which it is worth even money by this book's prices without their vig.
    pub even: [Option<f64>; 3],
    /// For each side the line at which it is worth even money if a bet at this book's price is worth nothing.
    pub breaks: [Option<f64>; 3],
}

/// One book's market over time.
#[derive(Clone, PartialEq, Debug)]
pub struct BookLine {
    /// Key.
    pub key: String,
    /// A sharp book.
    pub sharp: bool,
    /// In the order of time.
    pub states: Vec<State>,
}

/// A quote of the question, with its first offer.
#[derive(Clone, PartialEq, Debug)]
pub struct Quote {
    /// Number of its book.
    pub id: BookId,
    /// Book key.
    pub book: String,
    /// Side.
    pub side: Side,
    /// As it stands.
    pub value: QuoteValue,
    /// Line and price at first.
    pub opener: Option<(Option<Line>, Price)>,
}

/// One game at one instant.
#[derive(Clone, Debug)]
pub struct GameData {
    /// What was asked.
    pub asked: Asked,
    /// The instant.
    pub at: Timestamp,
    /// The event as it was known then.
    pub row: EventRow,
    /// The question in full, where it can be calculated with.
    pub appraisal: Option<Appraisal>,
    /// Every quote of the question, in the order of books and sides.
    pub quotes: Vec<Quote>,
    /// Every book's past, in the order of their keys.
    pub books: Vec<BookLine>,
    /// Published points of the question, in the order of time.
    pub points: Vec<PointAt>,
    /// Signals of the event, oldest first.
    pub signals: Vec<Signal>,
    /// Those of them that have been graded.
    pub clv: Vec<ClvRow>,
    /// The close of the question.
    pub close: Option<Close>,
    /// The exchange that is listened to, where the game is linked and a contract answers the question.
    pub beside: Option<Beside>,
}

impl GameData {
    /// A book's past.
    pub fn book(&self, key: &str) -> Option<&BookLine> {
        self.books.binary_search_by(|b| b.key.as_str().cmp(key)).ok().and_then(|i| self.books.get(i))
    }

    /// The grading of a signal.
    pub fn clv(&self, signal: &str) -> Option<&ClvRow> {
        self.clv.iter().find(|c| c.signal_id == signal)
    }
}

/// Reads a game; `None` where it was not known yet.
///
/// # Errors
/// [`StoreError`].
pub fn load(
    reader: &Reader,
    engine: EngineSettings,
    asked: Asked,
    at: Timestamp,
) -> Result<Option<GameData>, StoreError> {
    let names = reader.names()?;
    let Some(event) = reader.event_as_of(asked.event, at)? else { return Ok(None) };
    let mut points = reader.points(asked.event, Timestamp::from_millis(i64::MIN), at)?;
    let mut published: Vec<Point> = Vec::new();
    for p in &points {
        match published.last_mut() {
            Some(last) if last.key == p.point.key => *last = p.point,
            _ => published.push(p.point),
        }
    }
    points.retain(|p| Some(p.point.key) == asked.key);
    let mut quotes: Vec<Quote> = event
        .quotes
        .iter()
        .filter(|(_, key, _)| Some(UnitKey::of(key.market, key.selection)) == asked.key)
        .map(|(_, key, value)| Quote {
            id: key.book,
            book: names.book(key.book).to_owned(),
            side: key.selection.side,
            value: *value,
            opener: None,
        })
        .collect();
    quotes.sort_by(|a, b| (&a.book, a.side.number()).cmp(&(&b.book, b.side.number())));
    let row = event.row.clone();
    let mut appraiser = Appraiser::new(engine, names.clone());
    let appraisal =
        appraiser.event(event.row, event.quotes, at, &published).into_iter().find(|a| Some(a.key) == asked.key);
    let mut log = match asked.key {
        Some(key) => reader.market_log(asked.event, key.market, at)?,
        None => Vec::new(),
    };
    log.retain(|(key, _)| Some(UnitKey::of(key.market, key.selection)) == asked.key);
    for quote in &mut quotes {
        let first = log.iter().find(|(key, _)| key.book == quote.id && key.selection.side == quote.side);
        quote.opener = first.map(|(_, row)| (row.line, row.price));
    }
    let books = match &appraisal {
        Some(a) => histories(&log, &names, a.layout, a.workings.scale(), &a.workings.devig),
        None => Vec::new(),
    };
    let close = reader.event_closes(asked.event, at)?.into_iter().find(|c| Some(c.key) == asked.key);
    let signals = reader.event_signals(asked.event, at)?;
    let beside = match &appraisal {
        Some(appraisal) => super::beside::read(reader, asked.event, appraisal, &signals, at)?,
        None => None,
    };
    Ok(Some(GameData {
        asked,
        at,
        row,
        appraisal,
        quotes,
        books,
        points,
        signals,
        clv: reader.event_clv(asked.event, at)?,
        close,
        beside,
    }))
}

/// Every book's past from the log of one question.
fn histories(
    log: &[(QuoteKey, LogRow)],
    names: &Names,
    layout: Layout,
    scale: Scale<'_>,
    devig: &DevigRule,
) -> Vec<BookLine> {
    let table = Books::embedded();
    let mut books: Vec<(BookId, [Option<QuoteValue>; 3], Vec<State>)> = Vec::new();
    // Prices come back: what was solved once is not solved again.
    let mut solved: FxHashMap<(Option<Line>, [i64; 3], bool), Lines> = FxHashMap::default();
    for look in log.chunk_by(|a, b| a.1.look == b.1.look) {
        let mut touched: Vec<usize> = Vec::new();
        for (key, row) in look {
            let Some(place) = layout.place(key.selection.side) else { continue };
            let at = match books.iter().position(|(b, ..)| *b == key.book) {
                Some(at) => at,
                None => {
                    books.push((key.book, [None; 3], Vec::new()));
                    books.len() - 1
                }
            };
            if let Some(slot) = books.get_mut(at).and_then(|(_, quotes, _)| quotes.get_mut(place)) {
                *slot = Some(value_of(row));
            }
            if !touched.contains(&at) {
                touched.push(at);
            }
        }
        let Some((_, first)) = look.first() else { continue };
        for at in touched {
            let Some((book, quotes, states)) = books.get_mut(at) else { continue };
            let mut offers = Offers::default();
            for (side, quote) in layout.sides().iter().zip(quotes.iter()) {
                if let Some(quote) = quote {
                    offers.add(layout, *side, *quote);
                }
            }
            // The scale of log-odds costs nothing; the model is asked only for what it has not been asked yet.
            let view = offers.view(*book, layout, Scale::LogOdds, first.phase, devig);
            let counts = view.own.is_none();
            let codes = view.prices.map(|p| p.map_or(0, Price::code));
            let (even, breaks) =
                *solved.entry((view.line, codes, counts)).or_insert_with(|| lines(layout, scale, &view, counts));
            let fair = counts.then_some(view.fair);
            let state = State { at: first.at, line: view.line, prices: view.prices, fair, even, breaks };
            let same = |s: &State| (s.line, s.prices, s.fair) == (state.line, state.prices, state.fair);
            if !states.last().is_some_and(same) {
                states.push(state);
            }
        }
    }
    let mut told: Vec<BookLine> = books
        .into_iter()
        .map(|(id, _, states)| {
            let key = names.book(id).to_owned();
            let sharp = table.resolve(&key).kind == BookKind::Sharp;
            BookLine { key, sharp, states }
        })
        .collect();
    told.sort_by(|a, b| a.key.cmp(&b.key));
    told
}

type Lines = ([Option<f64>; 3], [Option<f64>; 3]);

/// See [`State::even`] and [`State::breaks`].
fn lines(layout: Layout, scale: Scale<'_>, view: &BookView, counts: bool) -> Lines {
    let mut found: Lines = ([None; 3], [None; 3]);
    let Scale::Points(model) = scale else { return found };
    let value = view.fair.first().filter(|_| counts).and_then(|p| scale.value(layout, view.line, *p));
    let line = |side: Side, location: f64| model.fair_line(side, location).ok().map(|f| f.points);
    for (place, side) in layout.sides().iter().enumerate() {
        let (Some(even), Some(breaks)) = (found.0.get_mut(place), found.1.get_mut(place)) else { continue };
        *even = value.and_then(|v| line(*side, v));
        let own = view.line.map(|l| layout.line_for(l, *side));
        let price = view.prices.get(place).copied().flatten();
        let location = own.zip(price).and_then(|(l, p)| model.location(*side, l, p.probability()).ok());
        *breaks = location.and_then(|l| line(*side, l));
    }
    found
}

fn value_of(row: &LogRow) -> QuoteValue {
    QuoteValue {
        line: row.line,
        price: row.price,
        status: row.status,
        phase: row.phase,
        first_seen: row.at,
        last_changed: row.at,
        last_seen: row.last_seen.unwrap_or(row.at),
        provider_update: row.provider_update,
    }
}
