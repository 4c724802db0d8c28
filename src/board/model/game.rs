//! One game of the slate: its markets, and every book's price in them.

use std::sync::Arc;

use crate::engine::appraise::glance::{Glance, Judged};
use crate::engine::changes::{EventRow, EventStatus, Point, QuoteKey};
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::status::{Phase, QuoteValue, Status};
use crate::market::ids::{BookId, EventId, Slot, SportId};
use crate::market::line::Line;
use crate::market::market_key::MarketSpec;
use crate::market::price::Price;
use crate::market::selection::{Selection, Side};
use crate::market::time::Timestamp;

/// What of a game never changes while it is on the slate, or hardly ever.
#[derive(Clone, PartialEq, Debug)]
pub struct Identity {
    /// Our number.
    pub id: EventId,
    /// The provider's id.
    pub provider_id: Box<str>,
    /// Number of the source.
    pub source: u32,
    /// Number of the sport.
    pub sport: SportId,
    /// Sport key.
    pub sport_key: Box<str>,
    /// Such as `NBA`.
    pub sport_short: Box<str>,
    /// Team that is named first by the provider.
    pub home: Box<str>,
    /// The other.
    pub away: Box<str>,
    /// Two to four capitals, where the league's table knows the team.
    pub home_code: Box<str>,
    /// The same of the other.
    pub away_code: Box<str>,
    /// When the game was first received.
    pub first_seen: Timestamp,
}

/// A line and a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// As its side sees it.
    pub line: Option<Line>,
    /// As quoted.
    pub price: Price,
}

/// Which way a price last went: the side is now held to be more likely (shorter odds, or a harder line), or less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Turn {
    /// It has not been seen to change.
    #[default]
    None,
    /// Held to be more likely than before.
    Up,
    /// Held to be less likely than before.
    Down,
}

/// One book's price for one side of one question.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cell {
    /// Number of the quote in its event.
    pub slot: Slot,
    /// Book.
    pub book: BookId,
    /// Place of its side in [`Market::sides`].
    pub place: u8,
    /// What is offered.
    pub offer: Offer,
    /// Whether it can be relied on.
    pub status: Status,
    /// Before the start, or under way.
    pub phase: Phase,
    /// When it was first received.
    pub first_seen: Timestamp,
    /// When line and price were first received.
    pub last_changed: Timestamp,
    /// When they were last received.
    pub last_seen: Timestamp,
    /// When the provider last saw the market at the book.
    pub provider_update: Option<Timestamp>,
    /// What was offered before, once it has been seen to change.
    pub previous: Option<Offer>,
    /// Which way it went then.
    pub turn: Turn,
    /// When this board saw it change, in milliseconds since the board was opened; 0: not while it was open.
    pub lit: u32,
    /// See [`Judged::ev`].
    pub ev: Option<f32>,
    /// See [`Judged::fair`].
    pub fair: Option<f32>,
    /// See [`Judged::off_market`].
    pub off_market: bool,
    /// It can be taken, as of the look that brought it.
    pub takeable: bool,
    /// Too good to be believed.
    pub doubtful: bool,
}

impl Cell {
    fn new(slot: Slot, key: &QuoteKey, place: u8, value: &QuoteValue) -> Self {
        Self {
            slot,
            book: key.book,
            place,
            offer: Offer { line: value.line, price: value.price },
            status: value.status,
            phase: value.phase,
            first_seen: value.first_seen,
            last_changed: value.last_changed,
            last_seen: value.last_seen,
            provider_update: value.provider_update,
            previous: None,
            turn: Turn::None,
            lit: 0,
            ev: None,
            fair: None,
            off_market: false,
            takeable: false,
            doubtful: false,
        }
    }

    /// When the provider last saw it at the book; where that is missing, when it was last received.
    pub fn updated(&self) -> Timestamp {
        self.provider_update.unwrap_or(self.last_seen)
    }

    /// Milliseconds since then; never negative.
    pub fn age(&self, now: Timestamp) -> i64 {
        now.since(self.updated()).max(0)
    }

    fn value(&self) -> QuoteValue {
        QuoteValue {
            line: self.offer.line,
            price: self.offer.price,
            status: self.status,
            phase: self.phase,
            first_seen: self.first_seen,
            last_changed: self.last_changed,
            last_seen: self.last_seen,
            provider_update: self.provider_update,
        }
    }
}

/// One question about a game.
#[derive(Clone, PartialEq, Debug)]
pub struct Market {
    /// The question.
    pub key: UnitKey,
    /// Market key.
    pub market: Arc<str>,
    /// Player or team, where the market is about one; else empty.
    pub subject: Arc<str>,
    /// What the key says.
    pub spec: MarketSpec,
    /// Its outcomes, where the market is one that can be calculated with.
    pub layout: Option<Layout>,
    /// In the order of [`Layout::sides`]; in other markets in the order of their numbers.
    pub sides: Vec<Side>,
    /// In the order of books and places.
    pub cells: Vec<Cell>,
    /// What the prices say together; `None` in markets that cannot be calculated with.
    pub glance: Option<Box<Glance>>,
    /// The first published fair price, once it has been asked for.
    pub opening: Option<Box<Point>>,
}

impl Market {
    /// The price of a book for the side at `place`.
    pub fn cell(&self, book: BookId, place: u8) -> Option<&Cell> {
        let at = self.cells.binary_search_by_key(&(book, place), |c| (c.book, c.place)).ok()?;
        self.cells.get(at)
    }

    /// Books that quote it, in the order of their numbers.
    pub fn books(&self) -> impl Iterator<Item = BookId> + '_ {
        self.cells.chunk_by(|a, b| a.book == b.book).filter_map(|c| c.first()).map(|c| c.book)
    }

    /// The fair line of a side, as the side sees it, in points: where a bet at even money is worth nothing.
    pub fn fair_line(&self, place: usize) -> Option<f64> {
        self.glance.as_ref().and_then(|g| g.fair_lines.get(place).copied().flatten())
    }

    /// The vig-free probability of a side at the reference line.
    pub fn fair_probability(&self, place: usize) -> Option<f64> {
        self.glance.as_ref().and_then(|g| g.fair.as_ref()).and_then(|f| f.probability.get(place).copied())
    }

    /// Takes over what a glance says of its prices.
    pub(super) fn judge(&mut self, glance: Glance) {
        for cell in &mut self.cells {
            let key = (cell.book, cell.place);
            let judged = glance.judged.binary_search_by_key(&key, |j| (j.book, j.place)).ok();
            let judged: Option<&Judged> = judged.and_then(|i| glance.judged.get(i));
            cell.ev = judged.and_then(|j| j.ev);
            cell.fair = judged.and_then(|j| j.fair);
            cell.off_market = judged.is_some_and(|j| j.off_market);
            cell.takeable = judged.is_some_and(|j| j.untakeable.is_none());
            cell.doubtful = judged.is_some_and(|j| j.suspect);
        }
        // What was taken over is not kept twice.
        self.glance = Some(Box::new(Glance { judged: Vec::new(), ..glance }));
    }
}

/// One game.
#[derive(Clone, PartialEq, Debug)]
pub struct Game {
    /// Who plays.
    pub who: Arc<Identity>,
    /// Scheduled start.
    pub commence: Timestamp,
    /// Scheduled, under way or over.
    pub status: EventStatus,
    /// Points of the home and the away team.
    pub score: Option<(i32, i32)>,
    /// In the order of market, subject and line as numbers.
    pub markets: Vec<Market>,
    /// The last instant at which any of its prices changed.
    pub last_changed: Timestamp,
    /// The last instant at which any of its prices was received.
    pub last_seen: Timestamp,
}

impl Game {
    /// The main question of a market.
    pub fn market(&self, key: &str) -> Option<&Market> {
        self.markets.iter().find(|m| &*m.market == key && m.key.line.is_none() && m.subject.is_empty())
    }

    /// A question.
    pub fn question(&self, key: UnitKey) -> Option<&Market> {
        self.markets.iter().find(|m| m.key == key)
    }

    /// Number of prices.
    pub fn quotes(&self) -> usize {
        self.markets.iter().map(|m| m.cells.len()).sum()
    }

    /// Under way at `now`, by the feed's word or by the clock.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.status {
            EventStatus::Live => true,
            EventStatus::Final => false,
            EventStatus::Scheduled => now >= self.commence,
        }
    }

    /// The name of a side's outcome in a question of this game.
    pub fn outcome(&self, side: Side, subject: &str) -> String {
        let plain = match side {
            Side::Home => return self.who.home.to_string(),
            Side::Away => return self.who.away.to_string(),
            Side::Draw => "Draw",
            Side::Over => "Over",
            Side::Under => "Under",
            Side::Yes => "Yes",
            Side::No => "No",
            Side::Named => return subject.to_owned(),
        };
        if subject.is_empty() { plain.to_owned() } else { format!("{subject} {plain}") }
    }

    pub(super) fn event_row(&self) -> EventRow {
        EventRow {
            id: self.who.id,
            source: self.who.source,
            provider_id: self.who.provider_id.clone(),
            sport: self.who.sport,
            home: self.who.home.clone(),
            away: self.who.away.clone(),
            commence: self.commence,
            first_seen: self.who.first_seen,
            status: self.status,
            score: self.score,
        }
    }

    /// Every quote as the engine knows it, in the order of slots.
    pub(super) fn values(&self) -> Vec<(Slot, QuoteKey, QuoteValue)> {
        let mut all: Vec<_> = self
            .markets
            .iter()
            .flat_map(|m| {
                m.cells.iter().filter_map(|c| {
                    let side = *m.sides.get(usize::from(c.place))?;
                    let line = m.key.line.map(|l| if side == Side::Away { l.flipped() } else { l });
                    let selection = Selection { side, subject: m.key.subject, line };
                    let key = QuoteKey { book: c.book, market: m.key.market, selection };
                    Some((c.slot, key, c.value()))
                })
            })
            .collect();
        all.sort_unstable_by_key(|(slot, _, _)| *slot);
        all
    }
}

/// Which way an offer went, as its own side sees it. A line that asks more of the side, or shorter odds at the same
/// line, say that it is held to be more likely. Of an over, a higher line; of an under, a lower one.
pub fn turn(side: Side, before: Offer, after: Offer) -> Turn {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let by_line = match (before.line, after.line) {
        (Some(b), Some(a)) => match side {
            Side::Over | Side::Yes => a.cmp(&b),
            _ => b.cmp(&a),
        },
        _ => Equal,
    };
    let by_price = before.price.to_decimal().total_cmp(&after.price.to_decimal());
    match by_line.then(by_price) {
        Greater => Turn::Up,
        Less => Turn::Down,
        Equal => Turn::None,
    }
}

pub(super) fn cell(slot: Slot, key: &QuoteKey, place: u8, value: &QuoteValue) -> Cell {
    Cell::new(slot, key, place, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(line: Option<f64>, american: i64) -> Offer {
        Offer {
            line: line.map(|l| Line::from_points(l).expect("line")),
            price: Price::american(american).expect("price"),
        }
    }

    #[test]
    fn a_side_goes_up_when_more_is_asked_of_it() {
        let of = |side, b: (f64, i64), a: (f64, i64)| turn(side, offer(Some(b.0), b.1), offer(Some(a.0), a.1));
        assert_eq!(of(Side::Home, (-3.5, -110), (-5.0, -108)), Turn::Up);
        assert_eq!(of(Side::Away, (3.5, -110), (5.0, -102)), Turn::Down, "the other side of the same move");
        assert_eq!(of(Side::Over, (44.5, -110), (45.5, -110)), Turn::Up);
        assert_eq!(of(Side::Under, (44.5, -110), (45.5, -110)), Turn::Down);
        assert_eq!(of(Side::Home, (-3.5, -110), (-3.5, -120)), Turn::Up);
        assert_eq!(of(Side::Home, (-3.5, -110), (-3.5, -110)), Turn::None);
        assert_eq!(turn(Side::Home, offer(None, 120), offer(None, 110)), Turn::Up);
        assert_eq!(turn(Side::Draw, offer(None, 220), offer(None, 240)), Turn::Down);
    }
}
