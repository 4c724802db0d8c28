//! Scripted events, worked out for one game: what applies to which book from which instant on.

use super::books::BookProfile;
use super::game::Game;
use super::pricing::{margin_for_line, margin_view};
use super::scenario::{Script, Situation};
use crate::market::time::Timestamp;

/// How long the provider keeps a frozen market in its answers.
pub const FROZEN_KEPT_MS: i64 = 15 * 60_000;

/// The three featured markets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Featured {
    /// Moneyline.
    H2h,
    /// Spread.
    Spreads,
    /// Total.
    Totals,
}

impl Featured {
    /// The market of a key.
    pub fn from_key(key: &str) -> Option<Self> {
        match key {
            "h2h" => Some(Self::H2h),
            "spreads" => Some(Self::Spreads),
            "totals" => Some(Self::Totals),
            _ => None,
        }
    }
}

/// A change of belief that each book takes over at its own instant.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Added to the expected margin.
    pub margin: f64,
    /// Added to the expected total.
    pub total: f64,
    /// Added to the probability of home or Over of one market, at an unchanged line.
    pub prob: Option<(Featured, f64)>,
    /// From when, by number of the book.
    pub at: Vec<Option<Timestamp>>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// Books or a market that the provider does not see, or no longer sees anew.
#[derive(Clone, Debug)]
pub struct Blind {
    /// Whether each book is concerned.
    pub books: Vec<bool>,
    /// Market, or all.
    pub market: Option<Featured>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

impl Blind {
    /// It holds at an instant for a book and market.
    pub fn covers(&self, book: usize, market: Option<Featured>, at: Timestamp) -> bool {
        self.books.get(book).copied().unwrap_or(false)
            && (self.market.is_none() || self.market == market)
            && at >= self.from
            && self.until.is_none_or(|u| at < u)
    }
}

/// Everything that is scripted for a game.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Changes of belief.
    pub shifts: Vec<Shift>,
    /// Absent at once.
    pub dropped: Vec<Blind>,
    /// Frozen, then absent.
    pub frozen: Vec<Blind>,
    /// When the start moved, what it was before, and whether it got a new id then.
    pub moved: Option<(Timestamp, Timestamp, bool)>,
}

impl Effects {
    /// The latest instant at or before `at` at which a script changes something for this book: the provider looks
    /// then, so that the order of movers shows.
    pub fn last_change(&self, book: usize, at: Timestamp) -> Option<Timestamp> {
        let starts = self.shifts.iter().filter_map(|s| s.at.get(book).copied().flatten());
        let ends = self.shifts.iter().filter_map(|s| s.until);
        starts.chain(ends).filter(|&t| t <= at).max()
    }

    /// Adds one scripted event. `start` is the scenario's, `books` those on offer in their order.
    pub fn add(&mut self, script: &Script, game: &Game, start: Timestamp, books: &[&'static BookProfile]) {
        let at = start.plus((script.at_s * 1000.0) as i64);
        let until = (script.for_s > 0.0).then(|| at.plus((script.for_s * 1000.0) as i64));
        let market = Featured::from_key(&script.market);
        let named: Vec<bool> =
            books.iter().map(|b| script.books.is_empty() || script.books.iter().any(|k| k == b.key)).collect();
        let (margin, total) = self.size(script, game, at);
        let shift = Shift { margin, total, prob: None, at: times(script, at, books), until: None };
        match script.kind {
            Situation::Steam | Situation::KeyCross | Situation::ZeroCross => self.shifts.push(shift),
            Situation::Simultaneous => {
                let at = named.iter().map(|&n| n.then_some(at)).collect();
                self.shifts.push(Shift { at, ..shift });
            }
            Situation::Pickem => {}
            Situation::Outlier => {
                let at = named.iter().map(|&n| n.then_some(at)).collect();
                self.shifts.push(Shift { at, until, ..shift });
            }
            Situation::PriceOnly => {
                let prob = market.map(|m| (m, script.prob));
                self.shifts.push(Shift { margin: 0.0, total: 0.0, prob, until, ..shift });
            }
            Situation::BookDisappears => {
                self.dropped.push(Blind { books: named, market: None, from: at, until });
            }
            Situation::Suspend => {
                self.frozen.push(Blind { books: named.clone(), market, from: at, until });
                if let (Some(until), true) = (until, script.points != 0.0) {
                    let at = named.iter().map(|&n| n.then_some(until)).collect();
                    self.shifts.push(Shift { at, ..shift });
                }
            }
            Situation::Postponed => {
                let before = game.scheduled.plus(-((script.hours * 3_600_000.0) as i64));
                self.moved = Some((at, before, script.hours.abs() > 24.0));
            }
        }
    }

    /// What a scripted move means for the expected margin and total.
    fn size(&self, script: &Script, game: &Game, at: Timestamp) -> (f64, f64) {
        let sport = game.sport;
        match Featured::from_key(&script.market) {
            Some(Featured::Totals) => (0.0, script.points),
            // The density of the normal at its centre turns a probability into points.
            Some(Featured::H2h) => (script.points * sport.sd_margin / 0.398_942, 0.0),
            _ => {
                let base = game.path.get(game.step_at(at)).map_or(0.0, |s| s.margin);
                let before = base + self.shifts.iter().filter(|s| s.until.is_none()).map(|s| s.margin).sum::<f64>();
                let line = margin_view(sport, before, sport.sd_margin, true).line;
                let target = line + (script.points * 100.0).round() as i32;
                let fair = |line| margin_for_line(sport, line, sport.sd_margin);
                (fair(target) - fair(line), 0.0)
            }
        }
    }
}

/// When each book makes a scripted move: the named ones one after another, the others after the followers' delay.
fn times(script: &Script, at: Timestamp, books: &[&'static BookProfile]) -> Vec<Option<Timestamp>> {
    let movers = if script.books.is_empty() { books.len() } else { script.books.len() };
    let gap_ms = script.over_s * 1000.0 / (movers.max(2) - 1) as f64;
    books
        .iter()
        .enumerate()
        .map(|(i, book)| {
            let order = if script.books.is_empty() { Some(i) } else { script.books.iter().position(|k| k == book.key) };
            match order {
                Some(n) => Some(at.plus((gap_ms * n as f64) as i64)),
                None => script.followers_s.map(|s| at.plus((s * 1000.0) as i64)),
            }
        })
        .collect()
}
