//! How much books take, and when that changes.
//!
//! The feed tells limits of few books, and only when it is asked for them. They are compared from answer to answer and are
//! kept nowhere else: after a start the first answer is what later ones are compared with, so nothing is told of it.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::market::batch::{Batch, OutcomeObs};

/// A change smaller than this share of the limit before is no news: limits in other currencies move with the exchange.
const LEAST: f64 = 0.2;
/// Limits that are remembered at most; beyond it remembering begins anew.
const MOST: usize = 200_000;

/// A limit that changed.
#[derive(Clone, PartialEq, Debug)]
pub struct LimitMove {
    /// The provider's id of the event.
    pub provider_id: String,
    /// Book key.
    pub book: String,
    /// Market key.
    pub market: String,
    /// The outcome, as the answer names it.
    pub outcome: String,
    /// Before, in the book's currency.
    pub from: f64,
    /// Now.
    pub to: f64,
}

/// The limits of the answers so far.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    known: FxHashMap<u64, f64>,
}

/// Stands for one outcome of one book. Where the line is part of the outcome, it is part of this too.
fn place(event: &str, book: &str, market: &str, outcome: &OutcomeObs<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    (event, book, market, &outcome.name, &outcome.description).hash(&mut hasher);
    if market.starts_with("alternate") && outcome.point.is_finite() {
        outcome.point.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

fn told<'b>(batch: &'b Batch<'_>) -> impl Iterator<Item = (&'b str, &'b str, &'b str, &'b OutcomeObs<'b>)> {
    batch.events.iter().flat_map(move |event| {
        batch.books_of(event).iter().flat_map(move |book| {
            batch.markets_of(book).iter().flat_map(move |market| {
                let outcomes = batch.outcomes_of(market).iter();
                outcomes.filter(|o| o.limit > 0.0).map(move |o| (&*event.id, &*book.key, &*market.key, o))
            })
        })
    })
}

impl Limits {
    /// What an answer says otherwise than the one before did, in the order of the answer.
    pub fn moved(&self, batch: &Batch<'_>) -> Vec<LimitMove> {
        let mut moves = Vec::new();
        for (event, book, market, outcome) in told(batch) {
            let Some(&from) = self.known.get(&place(event, book, market, outcome)) else { continue };
            let to = outcome.limit;
            if (to - from).abs() >= LEAST * from {
                moves.push(LimitMove {
                    provider_id: event.to_owned(),
                    book: book.to_owned(),
                    market: market.to_owned(),
                    outcome: outcome.name.to_string(),
                    from,
                    to,
                });
            }
        }
        moves
    }

    /// Takes an answer over, once it is committed. A change that was too small to tell stays compared with what it came
    /// from, so that small steps add up.
    pub fn settle(&mut self, batch: &Batch<'_>) {
        if self.known.len() > MOST {
            self.known.clear();
        }
        for (event, book, market, outcome) in told(batch) {
            let known = self.known.entry(place(event, book, market, outcome)).or_insert(outcome.limit);
            if (outcome.limit - *known).abs() >= LEAST * *known {
                *known = outcome.limit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::odds_api::wire::{AnswerInfo, read};
    use crate::market::batch::{Endpoint, Scope};
    use crate::market::price::OddsFormat;
    use crate::market::time::Timestamp;

    fn answer(limit: &str) -> String {
        format!(
            r#"[{{"id":"e1","sport_key":"basketball_nba","commence_time":"2026-11-22T00:00:00Z","home_team":"Gulls",
               "away_team":"Bison","bookmakers":[{{"key":"betfair_ex_uk","title":"B","last_update":"2026-11-21T19:00:00Z",
               "markets":[{{"key":"h2h","outcomes":[{{"name":"Gulls","price":-110,{limit}"sid":"9"}},
               {{"name":"Bison","price":-105}}]}}]}}]}}]"#
        )
    }

    fn batch(text: &str) -> Batch<'_> {
        let info = AnswerInfo {
            source: "the-odds-api",
            sport: "basketball_nba",
            endpoint: Endpoint::Odds,
            received_at: Timestamp::from_secs(1_795_290_000),
            scope: Scope::default(),
            format: Some(OddsFormat::American),
        };
        read(text.as_bytes(), info).expect("an answer").0
    }

    #[test]
    fn a_limit_is_compared_with_the_answer_before() {
        let mut limits = Limits::default();
        let mut says = |limit: &str| {
            let text = answer(limit);
            let batch = batch(&text);
            let moves = limits.moved(&batch);
            limits.settle(&batch);
            moves.iter().map(|m| (m.outcome.clone(), m.from, m.to)).collect::<Vec<_>>()
        };
        assert_eq!(says(r#""bet_limit":500,"#), [], "the first answer is no news");
        assert_eq!(says(r#""bet_limit":500.0,"#), []);
        assert_eq!(says(r#""bet_limit":450,"#), [], "a small step");
        assert_eq!(
            says(r#""bet_limit":390,"#),
            [("Gulls".to_owned(), 500.0, 390.0)],
            "two small steps are a large one"
        );
        for nothing in ["", r#""bet_limit":null,"#, r#""bet_limit":"many","#, r#""bet_limit":0,"#, r#""bet_limit":-5,"#]
        {
            assert_eq!(says(nothing), [], "{nothing}");
        }
        assert_eq!(says(r#""bet_limit":2000,"#), [("Gulls".to_owned(), 390.0, 2000.0)]);
    }
}
