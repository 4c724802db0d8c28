//! One connection to the market channel, without the socket: text in, frames out.
//!
//! What a connection has sent of a market is a [`Mark`]; a pump sends the way from there to the present. So a slow
//! reader never piles up messages: it gets a longer way, and a new book when the way is too long.

use serde::Deserialize;

use super::super::faults::FaultKind;
use super::book::{self, Ladder};
use super::catalog::MarketSpec;
use super::fair::Outcome;
use super::faults::Opened;
use super::messages::{self, Shape, TokenBook};
use super::venue::{Mark, Standing, State, Venue};
use crate::market::time::Timestamp;

/// Above so many ids the first dump is lost.
const DUMP_LIMIT: usize = 500;
/// After so many missed steps of a market, a new book is sent instead.
const STEPS_LIMIT: usize = 300;
/// Frames that are not JSON.
const STRANGE: &[&str] =
    &["NO NEW ASSETS", "INVALID OPERATION", "<html>502 Bad Gateway</html>", "{\"event_type\":\"bo"];

/// What a client sends.
#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    assets_ids: Vec<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    initial_dump: Option<bool>,
    #[serde(default)]
    custom_feature_enabled: Option<bool>,
}

/// A market that is listened to.
struct Sub {
    market: usize,
    sides: [bool; 2],
    mark: Mark,
    ladder: Ladder,
    /// Nothing is sent of it: it is over, or not there yet.
    resolved: bool,
}

/// A message with what it is sorted by.
struct Message {
    stamp: Timestamp,
    text: String,
}

/// What a pump yields.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pumped {
    /// Frames, in order.
    pub frames: Vec<String>,
    /// The socket is to be closed without a word.
    pub dropped: bool,
}

/// A connection.
pub struct Session {
    opened: Opened,
    subs: Vec<Sub>,
    custom: bool,
    held: Option<String>,
    cursor: usize,
    /// The instant of the last pump.
    pumped: Timestamp,
}

impl Session {
    /// A connection that was opened at an instant.
    pub fn new(venue: &Venue, now: Timestamp) -> Self {
        Self { opened: venue.opened(now), subs: Vec::new(), custom: false, held: None, cursor: 0, pumped: now }
    }

    /// Whether any market is listened to.
    pub fn listens(&self) -> bool {
        !self.subs.is_empty()
    }

    /// Answers a text frame.
    pub fn text(&mut self, venue: &Venue, now: Timestamp, text: &str) -> Vec<String> {
        if text == "PING" {
            return vec!["PONG".into()];
        }
        let frozen = venue.state().faults.strikes_open(FaultKind::ExchangeFreeze, now, self.opened);
        let Ok(request) = serde_json::from_str::<Request>(text) else { return vec!["INVALID OPERATION".into()] };
        let answer = match (request.operation.as_deref(), request.r#type.as_deref()) {
            (Some("subscribe"), _) | (None, Some("market" | "Market" | "MARKET")) => {
                self.subscribe(venue, now, &request)
            }
            (Some("unsubscribe"), _) => {
                self.unsubscribe(venue, &request.assets_ids);
                Vec::new()
            }
            _ => vec!["INVALID OPERATION".into()],
        };
        if frozen { Vec::new() } else { answer }
    }

    fn subscribe(&mut self, venue: &Venue, now: Timestamp, request: &Request) -> Vec<String> {
        if let Some(custom) = request.custom_feature_enabled {
            self.custom = custom;
        }
        let state = venue.state();
        let mut fresh = Vec::new();
        for (market, side) in request.assets_ids.iter().filter_map(|id| venue.token(id)) {
            let at = match self.subs.binary_search_by_key(&market, |s| s.market) {
                Ok(at) => at,
                Err(at) => {
                    let Some(mark) = venue.mark(market, now, &state) else { continue };
                    let ladder = venue.ladder(market, mark);
                    let resolved = venue.standing(market, now, &state) != Standing::Open;
                    self.subs.insert(at, Sub { market, sides: [false; 2], mark, ladder, resolved });
                    at
                }
            };
            let Some(sub) = self.subs.get_mut(at) else { continue };
            if let Some(wanted) = sub.sides.get_mut(side).filter(|w| !**w) {
                *wanted = true;
                fresh.push((market, side));
            }
        }
        if fresh.is_empty() {
            return vec!["NO NEW ASSETS".into()];
        }
        if request.initial_dump == Some(false) || self.tokens() > DUMP_LIMIT {
            return Vec::new();
        }
        // A market that is listened to already may have moved since the last pump: its book is that of the last one.
        let books = fresh.iter().filter_map(|&(market, side)| {
            let sub = self.subs.iter().find(|s| s.market == market && !s.resolved)?;
            Some(book_of(venue, venue.market(market)?, sub, side).json(true))
        });
        let books: Vec<String> = books.collect();
        if books.is_empty() { Vec::new() } else { vec![format!("[{}]", books.join(","))] }
    }

    fn unsubscribe(&mut self, venue: &Venue, ids: &[String]) {
        for (market, side) in ids.iter().filter_map(|id| venue.token(id)) {
            let sub = self.subs.iter_mut().find(|s| s.market == market);
            if let Some(wanted) = sub.and_then(|s| s.sides.get_mut(side)) {
                *wanted = false;
            }
        }
        self.subs.retain(|s| s.sides != [false; 2]);
    }

    fn tokens(&self) -> usize {
        self.subs.iter().flat_map(|s| s.sides).filter(|s| *s).count()
    }

    /// Everything that happened since the last pump, with `load` changes of a load on top.
    pub fn pump(&mut self, venue: &Venue, now: Timestamp, load: usize) -> Pumped {
        let mut state = venue.state();
        if state.faults.strikes_open(FaultKind::ExchangeDrop, now, self.opened) {
            return Pumped { frames: Vec::new(), dropped: true };
        }
        for _ in 0..load {
            self.cursor = (self.cursor + 1) % self.subs.len().max(1);
            if let Some(sub) = self.subs.get(self.cursor).filter(|s| !s.resolved) {
                venue.load(sub.market, now, &mut state);
            }
        }
        let frozen = state.faults.strikes_open(FaultKind::ExchangeFreeze, now, self.opened);
        let shape = if state.faults.socket(FaultKind::ExchangeLegacyFlat, now) {
            Shape::Flat
        } else if state.faults.socket(FaultKind::ExchangeLegacyChanges, now) {
            Shape::Changes
        } else {
            Shape::Current
        };
        let custom = self.custom;
        let mut messages = Vec::new();
        let last = std::mem::replace(&mut self.pumped, now);
        if custom && !frozen && !self.subs.is_empty() {
            let news = venue.catalog.markets.iter().filter(|m| m.listed > last && m.listed <= now);
            messages.extend(news.filter_map(|m| {
                let event = venue.event_of(m)?;
                let start = venue.scheduled(m.fixture, now);
                Some(Message { stamp: m.listed, text: messages::new_market(m, event, start) })
            }));
        }
        for sub in &mut self.subs {
            if frozen {
                // What is missed stays missed.
                if let Some(mark) = venue.mark(sub.market, now, &state).filter(|m| *m != sub.mark) {
                    sub.ladder = venue.ladder(sub.market, mark);
                    sub.mark = mark;
                }
            } else {
                sub.pump(venue, now, &state, shape, custom, &mut messages);
            }
        }
        messages.sort_by_key(|m| m.stamp);
        let frames = messages.into_iter().map(|m| m.text).collect();
        let frames = self.disturb(&mut state, now, frames);
        state.stats.frames += frames.len() as u64;
        Pumped { frames, dropped: false }
    }

    /// Faults of the stream.
    fn disturb(&mut self, state: &mut State, now: Timestamp, frames: Vec<String>) -> Vec<String> {
        let mut out: Vec<String> = Vec::with_capacity(frames.len() + 2);
        if !frames.is_empty() && state.faults.socket(FaultKind::ExchangeNonJson, now) {
            self.cursor += 1;
            out.extend(STRANGE.get(self.cursor % STRANGE.len()).map(|s| (*s).to_owned()));
        }
        let reorder = state.faults.socket(FaultKind::ExchangeReorder, now);
        for frame in frames {
            let copy = state.faults.socket(FaultKind::ExchangeDuplicate, now).then(|| frame.clone());
            match self.held.take() {
                None if reorder => self.held = Some(frame),
                None => out.push(frame),
                Some(held) if reorder => out.extend([frame, held]),
                Some(held) => out.extend([held, frame]),
            }
            out.extend(copy);
        }
        if !reorder {
            out.extend(self.held.take());
        }
        out
    }
}

fn book_of<'v>(venue: &Venue, market: &'v MarketSpec, sub: &Sub, side: usize) -> TokenBook<'v> {
    let last = venue.last_trade(sub.market, sub.mark.step);
    let last = last.map(|t| if t.side == side { t.price } else { 1000 - t.price });
    TokenBook { market, side, ladder: sub.ladder.of(side), stamp: sub.mark.stamp, last }
}

impl Sub {
    fn wanted(&self) -> impl Iterator<Item = usize> + use<> {
        let sides = self.sides;
        (0..2).filter(move |&s: &usize| sides.get(s) == Some(&true))
    }

    fn pump(
        &mut self,
        venue: &Venue,
        now: Timestamp,
        state: &State,
        shape: Shape,
        custom: bool,
        out: &mut Vec<Message>,
    ) {
        let Some(market) = venue.market(self.market) else { return };
        let standing = venue.standing(self.market, now, state);
        if let Standing::Resolved(outcome) = standing {
            if !std::mem::replace(&mut self.resolved, true) && custom {
                let winner = match outcome {
                    Outcome::First => Some(0),
                    Outcome::Second => Some(1),
                    Outcome::Split => None,
                };
                let stamp = market.closes.min(now);
                out.push(Message { stamp, text: messages::resolved(market, winner, stamp) });
            }
            return;
        }
        if standing == Standing::Unlisted {
            self.resolved = true;
            return;
        }
        let Some(mark) = venue.mark(self.market, now, state) else { return };
        let reopened = std::mem::take(&mut self.resolved);
        if mark == self.mark && !reopened {
            return;
        }
        // A clock that was set back begins anew.
        match venue.between(self.market, self.mark, mark, STEPS_LIMIT).filter(|_| !reopened) {
            Some(marks) => {
                for mark in marks {
                    self.advance(venue, market, mark, shape, custom, out);
                }
            }
            None => {
                self.ladder = venue.ladder(self.market, mark);
                self.mark = mark;
                self.books(venue, market, out);
            }
        }
    }

    /// One version on.
    fn advance(
        &mut self,
        venue: &Venue,
        market: &MarketSpec,
        mark: Mark,
        shape: Shape,
        custom: bool,
        out: &mut Vec<Message>,
    ) {
        let after = venue.ladder(self.market, mark);
        let before = std::mem::replace(&mut self.ladder, after);
        let stepped = mark.step != self.mark.step;
        let stamp = mark.stamp;
        self.mark = mark;
        if before.tick != self.ladder.tick {
            for side in self.wanted() {
                let text = messages::tick_change(market, side, before.tick, self.ladder.tick, stamp);
                out.push(Message { stamp, text });
            }
            self.books(venue, market, out);
        } else if let Some(trade) = venue.trade(self.market, mark.step).filter(|_| stepped) {
            // A trade and the books after it come in one frame.
            let mut parts = Vec::with_capacity(3);
            if self.sides.get(trade.side) == Some(&true) {
                parts.push(messages::last_trade(market, &trade, stamp));
            }
            parts.extend(self.wanted().map(|side| book_of(venue, market, self, side).json(true)));
            out.push(Message { stamp, text: format!("[{}]", parts.join(",")) });
        } else {
            let mut changes = book::changes(&before, &self.ladder);
            if changes.is_empty() {
                // Nothing but the stamp is new: the best level is told again.
                let bid = self.ladder.bids.first().map(|l| (true, *l));
                changes.extend(bid.or_else(|| self.ladder.asks.first().map(|l| (false, *l))));
            }
            if changes.is_empty() {
                // A book without any level can only be sent as a whole.
                self.books(venue, market, out);
            } else if shape == Shape::Current {
                let text = messages::price_change(market, &changes, &self.ladder, stamp);
                out.push(Message { stamp, text });
            } else {
                for side in self.wanted() {
                    let all = messages::legacy_change(market, side, &changes, &self.ladder, stamp, shape);
                    out.extend(all.into_iter().map(|text| Message { stamp, text }));
                }
            }
        }
        if custom && before.best() != self.ladder.best() {
            for side in self.wanted() {
                let text = messages::best_bid_ask(market, side, &self.ladder.of(side), stamp);
                out.push(Message { stamp, text });
            }
        }
    }

    fn books(&self, venue: &Venue, market: &MarketSpec, out: &mut Vec<Message>) {
        for side in self.wanted() {
            out.push(Message { stamp: self.mark.stamp, text: book_of(venue, market, self, side).json(true) });
        }
    }
}
