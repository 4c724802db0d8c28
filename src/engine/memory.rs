//! What the analysis remembers of an event: each book's view of each question, now and within the longest window.
//!
//! Owns history in the sense of `as_of`: the state of a book at an instant is the one that the last look at or before it
//! left. What is older than the horizon is dropped; everything in here can be regained by applying the looks of that
//! horizon again, and what lasts longer (published prices, signals, closes) stands in the store.

use std::collections::VecDeque;

use super::changes::Point;
use super::detect::fired::Fired;
use super::grade::pending::Closed;
use super::opportunity::Opportunity;
use super::price::fair::Priced;
use super::price::scale::Scale;
use super::price::unit::{Layout, UnitKey};
use super::price::view::BookView;
use super::profile::SportProfile;
use super::rules::Class;
use super::status::Phase;
use crate::market::ids::MarketId;
use crate::market::line::Line;
use crate::market::market_key::MarketSpec;
use crate::market::price::Price;
use crate::market::time::Timestamp;

/// What a book offered over some time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Sight {
    pub(crate) line: Option<Line>,
    pub(crate) prices: [Option<Price>; 3],
    /// Vig-free probabilities.
    pub(crate) fair: [f64; 3],
    /// First value on the scale.
    pub(crate) value: f64,
    /// Complete, open, readable: may stand in a panel.
    pub(crate) open: bool,
}

impl Sight {
    /// Nothing on offer.
    pub(crate) const SHUT: Self = Self { line: None, prices: [None; 3], fair: [0.0; 3], value: 0.0, open: false };

    pub(crate) fn of(view: &BookView) -> Self {
        Self {
            line: view.line,
            prices: view.prices,
            fair: view.fair,
            value: view.values.first().copied().unwrap_or_default(),
            open: view.own.is_none(),
        }
    }
}

/// A state that has ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Past {
    /// The look that began it.
    pub(crate) since: Timestamp,
    /// The look before that one.
    pub(crate) after: Timestamp,
    pub(crate) sight: Sight,
}

/// One book in one question; its present view stands beside it in [`Question::views`].
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// Place of the book in the event.
    pub(crate) book_at: u16,
    /// Place of the market in the book.
    pub(crate) group_at: u16,
    /// The look that began the present state.
    pub(crate) since: Timestamp,
    /// The look before that one.
    pub(crate) after: Timestamp,
    /// The present state began by opening: the book joined or came back.
    pub(crate) opened: bool,
    /// Earlier states within the horizon, oldest first.
    pub(crate) past: Vec<Past>,
}

impl Track {
    /// The present view gives way to another one.
    pub(crate) fn step(&mut self, before: &BookView, now: &BookView, at: Timestamp, after: Timestamp, horizon: i64) {
        let oldest = at.plus(-horizon);
        // The newest of those that had ended by then is still the state at the horizon's far end.
        let drop = self.past.iter().skip(1).take_while(|p| p.since <= oldest).count();
        let drop = if self.since <= oldest { self.past.len() } else { drop };
        self.past.drain(..drop);
        // Most books move once or twice within the horizon, and there are tens of thousands of them.
        if self.past.len() == self.past.capacity() {
            self.past.reserve_exact(1);
        }
        self.past.push(Past { since: self.since, after: self.after, sight: Sight::of(before) });
        self.opened = before.own.is_some() && now.own.is_none();
        (self.since, self.after) = (at, after);
    }

    /// The state at an instant; `None` where the book was not there yet or that is too long ago.
    pub(crate) fn as_of(&self, now: &BookView, at: Timestamp) -> Option<Sight> {
        if self.since <= at {
            return Some(Sight::of(now));
        }
        self.past.iter().rev().find(|p| p.since <= at).map(|p| p.sight)
    }

    /// The first look after `from` whose state differs in value from the one then, and the look before it.
    pub(crate) fn first_move(&self, from: Timestamp, then: &Sight, now: &BookView) -> Option<(Timestamp, Timestamp)> {
        let moved = |s: &Sight| s.open && (s.value != then.value || s.line != then.line || s.fair != then.fair);
        let past = self.past.iter().filter(|p| p.since > from).find(|p| moved(&p.sight)).map(|p| (p.since, p.after));
        past.or_else(|| (self.since > from && moved(&Sight::of(now))).then_some((self.since, self.after)))
    }
}

/// How a market's values are compared and judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) class: Class,
    pub(crate) scale: Scale<'static>,
    /// See [`SportProfile::sd`].
    pub(crate) sd: f64,
}

impl Measure {
    pub(crate) fn of(sport: &SportProfile, layout: Layout, spec: MarketSpec) -> Self {
        Self { class: sport.class(layout, spec), scale: sport.scale(layout, spec), sd: sport.sd(layout, spec) }
    }
}

/// One question and everything known of it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) key: UnitKey,
    pub(crate) layout: Layout,
    pub(crate) class: Class,
    pub(crate) scale: Scale<'static>,
    pub(crate) sd: f64,
    /// In the order of the books' keys.
    pub(crate) views: Vec<BookView>,
    /// Beside `views`.
    pub(crate) tracks: Vec<Track>,
    /// While the question is being judged; empty between looks, where the prices without each family would take as much
    /// room as the quotes.
    pub(crate) priced: Priced,
    pub(crate) published: Option<Point>,
    /// The last look at which any book's offer changed.
    pub(crate) moved_at: Timestamp,
    /// Changed at the look that is being applied.
    pub(crate) touched: bool,
    pub(crate) open: Vec<Opportunity>,
}

impl Question {
    pub(crate) fn new(key: UnitKey, layout: Layout, measure: &Measure) -> Self {
        Self {
            key,
            layout,
            class: measure.class,
            scale: measure.scale,
            sd: measure.sd,
            views: Vec::new(),
            tracks: Vec::new(),
            priced: Priced::default(),
            published: None,
            moved_at: Timestamp::from_millis(i64::MIN),
            touched: false,
            open: Vec::new(),
        }
    }
}

/// When the answers showed a market.
#[derive(Clone, Debug)]
pub(crate) struct MarketLooks {
    pub(crate) market: MarketId,
    /// At an exchange that is listened to: such looks say nothing of the books, and theirs nothing of it.
    pub(crate) direct: bool,
    /// Within the horizon, and one before; oldest first.
    pub(crate) at: VecDeque<Timestamp>,
}

/// Looks of one market across a window.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Gaps {
    /// The look that stands for the window's start.
    pub(crate) from: Timestamp,
    pub(crate) looks: u32,
    /// Milliseconds.
    pub(crate) longest: i64,
}

impl MarketLooks {
    fn add(&mut self, at: Timestamp, horizon: i64) {
        if self.at.back() == Some(&at) {
            return;
        }
        let oldest = at.plus(-horizon);
        while self.at.get(1).is_some_and(|t| *t <= oldest) {
            self.at.pop_front();
        }
        self.at.push_back(at);
    }

    /// The looks from the one at or before `start` on. `None`: there was none then.
    pub(crate) fn since(&self, start: Timestamp) -> Option<Gaps> {
        let mut found: Option<Gaps> = None;
        let mut before: Option<Timestamp> = None;
        for at in &self.at {
            if *at <= start {
                found = Some(Gaps { from: *at, looks: 1, longest: 0 });
            } else if let (Some(gaps), Some(before)) = (&mut found, before) {
                gaps.looks += 1;
                gaps.longest = gaps.longest.max(at.since(before));
            }
            before = Some(*at);
        }
        found
    }

    /// The last look but the one at `at`.
    pub(crate) fn before(&self, at: Timestamp) -> Option<Timestamp> {
        self.at.iter().rev().find(|t| **t < at).copied()
    }
}

/// Everything remembered of one event.
#[derive(Clone, Debug)]
pub(crate) struct EventMemory {
    pub(crate) phase: Phase,
    /// In the order of their keys.
    pub(crate) questions: Vec<Question>,
    pub(crate) looks: Vec<MarketLooks>,
    /// The look that moved the start.
    pub(crate) start_moved_at: Option<Timestamp>,
    /// Closes were taken for this start.
    pub(crate) closed_for: Option<Timestamp>,
    /// Versions of closes begin after this: an event that was let go of and came back has had closes before.
    pub(crate) close_base: u32,
    /// Newest close of each question that has one.
    pub(crate) closes: Vec<Closed>,
    /// Every signal of the event, in the order in which they fired.
    pub(crate) fired: Vec<Fired>,
}

impl EventMemory {
    pub(crate) fn new(phase: Phase) -> Self {
        Self {
            phase,
            questions: Vec::new(),
            looks: Vec::new(),
            start_moved_at: None,
            closed_for: None,
            close_base: 0,
            closes: Vec::new(),
            fired: Vec::new(),
        }
    }

    /// Place of a question, made if it is new.
    pub(crate) fn question(&mut self, key: UnitKey, layout: Layout, measure: &Measure) -> usize {
        match self.questions.binary_search_by_key(&key, |q| q.key) {
            Ok(at) => at,
            Err(at) => {
                self.questions.insert(at, Question::new(key, layout, measure));
                at
            }
        }
    }

    pub(crate) fn looked(&mut self, market: MarketId, direct: bool, at: Timestamp, horizon: i64) {
        match self.looks.iter_mut().find(|l| l.market == market && l.direct == direct) {
            Some(looks) => looks.add(at, horizon),
            None => self.looks.push(MarketLooks { market, direct, at: VecDeque::from([at]) }),
        }
    }

    pub(crate) fn looks_of(&self, market: MarketId, direct: bool) -> Option<&MarketLooks> {
        self.looks.iter().find(|l| l.market == market && l.direct == direct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full slate has 36,000 views and tracks and remembers as many earlier states: a word more is a third of a
    /// megabyte.
    #[test]
    fn what_is_kept_for_every_book_stays_small() {
        assert_eq!(size_of::<BookView>(), 112);
        assert_eq!(size_of::<Track>(), 48);
        assert_eq!(size_of::<Past>(), 80);
        assert_eq!(size_of::<crate::engine::state::QuoteState>(), 88);
    }
}
