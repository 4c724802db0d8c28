//! The rules of quotes over time, each as a small test on hand-made answers.

use std::fmt::Debug;

use serde_json::{Value, json};

use super::state::QuoteState;
use super::status::{QuoteValue, Status};
use super::{Changes, Engine, EngineSettings};
use crate::feeds::odds_api::wire::{self, AnswerInfo};
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::ids::EventId;
use crate::market::price::OddsFormat;
use crate::market::quality::Reason;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

mod closes;
mod determinism;
mod exchange;
mod identity;
mod quality;
mod quotes;
mod scope;
mod signals;

const HOME: &str = "Harbor City Gulls";
const AWAY: &str = "Prairie Bison";
const SPORT: &str = "basketball_nba";
/// Seconds after the first look at which the games of these tests start.
const START: i64 = 3600;

/// The instant `secs` seconds after the first look.
fn at(secs: i64) -> Timestamp {
    Timestamp::parse("2026-11-20T20:00:00Z").expect("time").plus(secs * 1000)
}

fn time(secs: i64) -> String {
    at(secs).to_string()
}

/// A game of [`HOME`] against [`AWAY`].
fn event(id: &str, books: impl Into<Value>) -> Value {
    json!({"id": id, "sport_key": SPORT, "commence_time": time(START), "home_team": HOME, "away_team": AWAY,
           "bookmakers": books.into()})
}

fn book(key: &str, markets: impl Into<Value>) -> Value {
    json!({"key": key, "title": key, "markets": markets.into()})
}

/// A market that the provider last saw at `update` seconds.
fn market(key: &str, update: i64, outcomes: impl Into<Value>) -> Value {
    json!({"key": key, "last_update": time(update), "outcomes": outcomes.into()})
}

fn h2h(update: i64, home: i64, away: i64) -> Value {
    market("h2h", update, vec![json!({"name": HOME, "price": home}), json!({"name": AWAY, "price": away})])
}

fn spread(update: i64, home_line: f64, home: i64, away: i64) -> Value {
    let outcomes = vec![
        json!({"name": HOME, "price": home, "point": home_line}),
        json!({"name": AWAY, "price": away, "point": -home_line}),
    ];
    market("spreads", update, outcomes)
}

fn total(update: i64, line: f64, over: i64, under: i64) -> Value {
    let outcomes = vec![
        json!({"name": "Over", "price": over, "point": line}),
        json!({"name": "Under", "price": under, "point": line}),
    ];
    market("totals", update, outcomes)
}

/// One event `e1` with one book `b1` with these markets.
fn one(markets: impl Into<Value>) -> Value {
    json!([event("e1", vec![book("b1", markets)])])
}

/// An engine with an answer's particulars set in advance.
struct Desk {
    engine: Engine,
    scope: Scope,
    endpoint: Endpoint,
    format: Option<OddsFormat>,
}

impl Desk {
    fn new() -> Self {
        Self::with(EngineSettings::default())
    }

    fn with(settings: EngineSettings) -> Self {
        Self {
            engine: Engine::new(settings),
            scope: Scope::default(),
            endpoint: Endpoint::Odds,
            format: Some(OddsFormat::American),
        }
    }

    /// Applies an answer received `secs` seconds after the first.
    fn look(&mut self, secs: i64, body: &Value) -> Changes {
        let body = body.to_string();
        let info = AnswerInfo {
            source: "the-odds-api",
            sport: SPORT,
            endpoint: self.endpoint,
            received_at: at(secs),
            scope: self.scope.clone(),
            format: self.format,
        };
        let (batch, _) = wire::read(body.as_bytes(), info).expect("an answer");
        self.engine.apply(&batch)
    }

    fn id(&self, event: &str) -> EventId {
        let source = self.engine.names.sources.number("the-odds-api").expect("source");
        self.engine.aliases[&source][event]
    }

    /// Every quote of a market, in the order of slots.
    fn quotes(&self, event: &str, book: &str, market: &str) -> Vec<QuoteState> {
        let names = &self.engine.names;
        let Some(event) = self.engine.event(self.id(event)) else { return Vec::new() };
        let books = event.books.iter().filter(|b| names.book(b.book) == book);
        let groups = books.flat_map(|b| &b.groups).filter(|g| names.market(g.market) == market);
        groups.flat_map(|g| g.quotes.clone()).collect()
    }

    fn quote(&self, book: &str, market: &str, side: Side) -> QuoteValue {
        let quotes = self.quotes("e1", book, market);
        let found: Vec<_> = quotes.iter().filter(|q| q.selection.side == side).collect();
        assert_eq!(found.len(), 1, "{book} {market} {side:?}: {quotes:?}");
        found[0].value
    }

    fn status(&self, book: &str, market: &str, side: Side) -> Status {
        self.quote(book, market, side).status
    }

    /// The status of all quotes of a market of `e1`, which must be one and the same.
    fn all(&self, book: &str, market: &str) -> Status {
        let quotes = self.quotes("e1", book, market);
        assert!(!quotes.is_empty(), "{book} {market}");
        assert!(quotes.iter().all(|q| q.value.status == quotes[0].value.status), "{quotes:?}");
        quotes[0].value.status
    }
}

fn reasons(changes: &Changes) -> Vec<Reason> {
    changes.issues.iter().map(|i| i.reason).collect()
}

fn only(names: &[&str]) -> Asked {
    Asked::Only(names.iter().map(|n| (*n).to_owned()).collect())
}

/// The changes hold no rows at all: not of events, not of quotes, not of issues.
fn assert_silent(changes: &Changes) {
    fn empty<T: Debug>(what: &[T]) {
        assert!(what.is_empty(), "{what:?}");
    }
    empty(&changes.names);
    empty(&changes.events);
    empty(&changes.quotes);
    empty(&changes.issues);
    empty(&changes.cleared);
    empty(&changes.forgotten);
}
