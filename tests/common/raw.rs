//! Raw answers read by hand, for tests that count again what the engine counted: plain JSON values, one rule a line.
//!
//! Shares no code with the engine.

use std::collections::BTreeMap;

use chrono::DateTime;
use rusqlite::Connection;
use serde_json::Value;

/// A quote that the provider has not seen at the book for longer is suspect.
pub const FRESH_MS: i64 = 300_000;
pub const MINUTE: i64 = 60_000;

pub fn millis(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).expect("time").timestamp_millis()
}

pub fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().expect(field)
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().expect("number")
}

pub fn decimal(american: i64) -> f64 {
    if american > 0 { 1.0 + american as f64 / 100.0 } else { 1.0 + 100.0 / -(american as f64) }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}

/// The exponent k with p^k + q^k = 1 by bisection; the fair probability of the first.
pub fn power(p: f64, q: f64) -> f64 {
    let (mut low, mut high) = (0.5, 64.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f64::powf(p, middle) + f64::powf(q, middle) > 1.0 { low = middle } else { high = middle }
    }
    f64::powf(p, 0.5 * (low + high))
}

/// The side from which lines and chances are told, and the other.
pub fn sides(market: &str) -> [&'static str; 2] {
    if market == "totals" { ["over", "under"] } else { ["home", "away"] }
}

/// Side, line as that side has it, American price.
pub type Outcomes = BTreeMap<String, (Option<f64>, i64)>;

/// The outcomes of a market of an event.
pub fn outcomes(event: &Value, market: &Value) -> Outcomes {
    let side = |name: &str| match name {
        _ if name == text(event, "home_team") => "home".to_owned(),
        _ if name == text(event, "away_team") => "away".to_owned(),
        _ => name.to_lowercase(),
    };
    let told = market["outcomes"].as_array().expect("outcomes").iter();
    told.map(|o| (side(text(o, "name")), (o["point"].as_f64(), o["price"].as_i64().expect("price")))).collect()
}

/// The provider's clocks of markets (event, book, market) from look to look.
#[derive(Default)]
pub struct Clocks {
    before: BTreeMap<(String, String, String), (i64, i64, u32)>,
    now: BTreeMap<(String, String, String), (i64, i64, u32)>,
}

impl Clocks {
    /// The next look begins: a market that it does not show starts afresh.
    pub fn next_look(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// The look at `at` shows a market with the provider's time `update`. It is fresh: not too old, and not standing
    /// still over three looks and five minutes.
    pub fn fresh(&mut self, place: &(String, String, String), update: i64, at: i64) -> bool {
        let clock = match self.before.get(place) {
            Some((same, since, looks)) if *same == update => (update, *since, looks + 1),
            _ => (update, at, 0),
        };
        self.now.insert(place.clone(), clock);
        let frozen = clock.2 >= 3 && at - clock.1 >= FRESH_MS;
        at - update <= FRESH_MS && !frozen
    }
}

/// The rows of a query of JSON.
pub fn rows(c: &Connection, sql: &str) -> Vec<Value> {
    let mut select = c.prepare(sql).expect("query");
    let rows = select.query_map([], |r| r.get::<_, String>(0)).expect("rows");
    rows.map(|r| serde_json::from_str(&r.expect("row")).expect("JSON")).collect()
}
