//! A slate of the size that a desk polls: 400 events x 30 books x 3 markets = 72,000 quotes, some 6.8 MB of JSON.
#![allow(dead_code)]

use std::fmt::Write;

use stratum::feeds::odds_api::wire::{self, AnswerInfo};
use stratum::market::batch::{Batch, Endpoint, Scope};
use stratum::market::price::OddsFormat;
use stratum::market::time::Timestamp;

pub const EVENTS: usize = 400;
pub const BOOKS: usize = 30;
pub const QUOTES: usize = EVENTS * BOOKS * 6;

/// The instant of the first look.
pub fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T20:00:00Z").expect("time")
}

/// How long before a look the provider saw a book of an event: 0 to 49 s, in no order that packing could profit from.
/// All markets of the book share it.
fn seconds_ago(book: u64, look: u64) -> i64 {
    let scrambled = (book.wrapping_mul(0x9E37_79B1) ^ look.wrapping_mul(0xC2B2_AE3D)).wrapping_mul(0x27D4_EB2F);
    ((scrambled >> 16) % 50) as i64
}

/// The body of look number `look`, 60 s apart, in which `per_mille` thousandths of the markets have moved since the
/// look before.
pub fn body(look: u64, per_mille: u64) -> Vec<u8> {
    let mut out = String::with_capacity(7_000_000);
    let now = start().plus(look as i64 * 60_000);
    out.push('[');
    for e in 0..EVENTS {
        if e > 0 {
            out.push(',');
        }
        let start = now.plus((3600 + 600 * (e as i64 % 100)) * 1000 - look as i64 * 60_000).to_wire();
        write!(
            out,
            r#"{{"id":"{e:032x}","sport_key":"basketball_nba","sport_title":"NBA","commence_time":"{start}","home_team":"Harbor City Gulls {e}","away_team":"Prairie Bison {e}","bookmakers":["#
        )
        .expect("string");
        for b in 0..BOOKS {
            if b > 0 {
                out.push(',');
            }
            let seen = now.plus(-seconds_ago((e * BOOKS + b) as u64, look) * 1000).to_wire();
            write!(out, r#"{{"key":"book_{b:02}","title":"Book {b:02}","last_update":"{seen}","markets":["#)
                .expect("string");
            for (m, key) in ["h2h", "spreads", "totals"].iter().enumerate() {
                if m > 0 {
                    out.push(',');
                }
                let n = ((e * BOOKS + b) * 3 + m) as u64;
                // A market moves in a look when a scramble of its number and the look says so.
                let moves = (1..=look)
                    .filter(|l| (n.wrapping_mul(0x9E37_79B9) ^ l.wrapping_mul(0x85EB_CA6B)) % 1000 < per_mille)
                    .count() as i64;
                let tick = (n as i64 * 7 + moves * 3) % 17;
                let (p1, p2) = (-101 - tick, -119 + tick);
                write!(out, r#"{{"key":"{key}","last_update":"{seen}","outcomes":["#).expect("string");
                match *key {
                    "h2h" => write!(
                        out,
                        r#"{{"name":"Harbor City Gulls {e}","price":{p1}}},{{"name":"Prairie Bison {e}","price":{p2}}}"#
                    ),
                    "spreads" => write!(
                        out,
                        r#"{{"name":"Harbor City Gulls {e}","price":{p1},"point":-3.5}},{{"name":"Prairie Bison {e}","price":{p2},"point":3.5}}"#
                    ),
                    _ => write!(
                        out,
                        r#"{{"name":"Over","price":{p1},"point":221.5}},{{"name":"Under","price":{p2},"point":221.5}}"#
                    ),
                }
                .expect("string");
                out.push_str("]}");
            }
            out.push_str("]}");
        }
        out.push_str("]}");
    }
    out.push(']');
    out.into_bytes()
}

/// Moves a batch on to look number `look`: times advance, and `per_mille` thousandths of its markets get new prices.
/// The same as reading the next body, without the cost of writing and reading it.
pub fn advance(batch: &mut Batch<'_>, look: u64, per_mille: u64) {
    let now = batch.received_at;
    for (n, market) in batch.markets.iter_mut().enumerate() {
        let (n, book) = (n as u64, n as u64 / 3);
        market.last_update = Some(now.plus(-seconds_ago(book, look) * 1000));
        let draw = (n.wrapping_mul(0x9E37_79B1) ^ look.wrapping_mul(0xC2B2_AE3D)).wrapping_mul(0x27D4_EB2F) >> 16;
        if draw % 1000 < per_mille {
            let (from, to) = (market.outcomes.start as usize, market.outcomes.end as usize);
            let tick = ((draw >> 12) % 16) as f64;
            if let Some([one, other]) = batch.outcomes.get_mut(from..to) {
                let step = if one.price == -101.0 - tick { 16.0 } else { tick };
                (one.price, other.price) = (-101.0 - step, -119.0 + step);
            }
        }
    }
}

/// The batch of a body.
pub fn batch(body: &[u8], look: u64) -> Batch<'_> {
    wire::read(body, info(look)).expect("batch").0
}

pub fn info(look: u64) -> AnswerInfo<'static> {
    AnswerInfo {
        source: "the-odds-api",
        sport: "basketball_nba",
        endpoint: Endpoint::Odds,
        received_at: start().plus(look as i64 * 60_000),
        scope: Scope::default(),
        format: Some(OddsFormat::American),
    }
}

/// The answer as plain typed structs: the raw limit of parsing.
pub mod typed {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub struct Event<'a> {
        pub id: &'a str,
        pub sport_key: &'a str,
        pub commence_time: &'a str,
        pub home_team: &'a str,
        pub away_team: &'a str,
        #[serde(borrow)]
        pub bookmakers: Vec<Book<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Book<'a> {
        pub key: &'a str,
        pub title: &'a str,
        pub last_update: &'a str,
        #[serde(borrow)]
        pub markets: Vec<Market<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Market<'a> {
        pub key: &'a str,
        pub last_update: &'a str,
        #[serde(borrow)]
        pub outcomes: Vec<Outcome<'a>>,
    }

    #[derive(Deserialize)]
    pub struct Outcome<'a> {
        pub name: &'a str,
        pub price: f64,
        #[serde(default)]
        pub point: Option<f64>,
    }
}
