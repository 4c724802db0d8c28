//! What is told by the exchange, as it is kept.

use serde_json::json;

use super::quotes::Told;
use crate::feeds::polymarket::book::Standing;
use crate::feeds::polymarket::classify::{Contract, Kind, Leg};
use crate::feeds::polymarket::discovery::{ListedMarket, Listing};
use crate::feeds::polymarket::metrics::Metrics;
use crate::feeds::polymarket::pair::PairBook;
use crate::feeds::polymarket::wire::channel::Level;
use crate::market::time::Timestamp;
use crate::store::exchange::{BookRow, BookState, ContractRow, DepthLevel, ListingRow, NewListing};

/// Levels of each side that are kept.
const LEVELS: usize = 5;

/// A listing with those of its contracts that have two tokens and a condition: others cannot be traded in any way.
pub(crate) fn listing(l: &Listing) -> NewListing {
    NewListing {
        listing: ListingRow {
            key: l.event_id.as_str().to_owned(),
            slug: l.slug.as_str().to_owned(),
            title: l.title.clone(),
            sport: l.sport.to_owned(),
            date: l.date().to_string(),
            starts: l.start,
            teams: l.teams.clone(),
            over: l.over,
            volume: l.volume,
            ..ListingRow::default()
        },
        contracts: contracts(l).map(contract).collect(),
    }
}

/// The contracts of a listing that are kept, in their order.
pub(crate) fn contracts(l: &Listing) -> impl Iterator<Item = &ListedMarket> {
    l.markets.iter().filter(|m| m.condition_id.is_some() && m.tokens.len() == 2 && m.contract.outcomes.len() == 2)
}

fn contract(m: &ListedMarket) -> ContractRow {
    let name = |i: usize| m.contract.outcomes.get(i).map(|o| o.name.clone()).unwrap_or_default();
    let token = |i: usize| m.tokens.get(i).map(|t| t.as_str().to_owned()).unwrap_or_default();
    let line = match &m.contract.kind {
        Kind::Spread { line, .. } | Kind::Total { line } => Some(*line),
        _ => None,
    };
    let facts: Vec<_> = m
        .settlement
        .facts()
        .iter()
        .map(|f| json!({"topic": f.topic.name(), "rule": f.rule.name(), "text": f.text}))
        .collect();
    ContractRow {
        condition: m.condition_id.as_ref().map(|c| c.as_str().to_owned()).unwrap_or_default(),
        slug: m.slug.as_str().to_owned(),
        question: m.question.clone().unwrap_or_default(),
        kind: m.contract.kind.name().to_owned(),
        about: about(&m.contract).to_string(),
        line,
        outcomes: [name(0), name(1)],
        tokens: [token(0), token(1)],
        fee_rate: m.fee.map(|f| f.rate()),
        settlement: serde_json::Value::from(facts).to_string(),
        why_not: m.tradable.err().map(str::to_owned),
        ended_at: m.closed_time,
        ..ContractRow::default()
    }
}

fn about(contract: &Contract) -> serde_json::Value {
    match &contract.kind {
        Kind::Spread { team, .. } => json!({"team": team}),
        Kind::Period { period } => json!({"period": period}),
        Kind::ThreeWayLeg(Leg::Team(team)) => json!({"leg": team}),
        Kind::ThreeWayLeg(Leg::Draw) => json!({"leg": "draw"}),
        Kind::Other(why) => json!({"why": why.to_string()}),
        Kind::Moneyline | Kind::Total { .. } | Kind::PlayerProp => json!({}),
    }
}

/// A book as it is kept.
pub(super) fn book(market: i64, pair: &PairBook, told: Option<&Told>, at: Timestamp) -> BookRow {
    let levels = |all: &[Level]| -> Vec<DepthLevel> {
        all.iter().take(LEVELS).map(|l| DepthLevel { price: l.price.ticks(), size: l.size.micros() }).collect()
    };
    let state = match pair.standing {
        Standing::Live => BookState::Live,
        Standing::Doubtful(_) => BookState::Doubtful,
        Standing::Unseeded(_) => return BookRow { market, at, state: BookState::Unknown, ..BookRow::default() },
    };
    let metrics = Metrics::of(pair);
    BookRow {
        market,
        at,
        changed_at: pair.changed_at,
        state,
        near: [metrics.map(|m| m.bid_near.micros()), metrics.map(|m| m.ask_near.micros())],
        middle: told.and_then(|t| t.middle),
        bids: levels(&pair.bids),
        asks: levels(&pair.asks),
    }
}

/// Two books say the same, but for their times.
pub(crate) fn same(a: &BookRow, b: &BookRow) -> bool {
    (a.state, a.near, a.middle, &a.bids, &a.asks) == (b.state, b.near, b.middle, &b.bids, &b.asks)
}
