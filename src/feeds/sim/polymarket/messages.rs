//! The JSON of books and of the market channel.

use std::fmt::Write;

use super::super::rng::mix;
use super::book::{Ladder, Level, Trade};
use super::catalog::{EventSpec, MarketSpec, tenths};
use crate::market::time::Timestamp;

/// The shape of `price_change`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shape {
    /// Both tokens of the pair in `price_changes`, since September 2025.
    #[default]
    Current,
    /// One token with `changes`, before that.
    Changes,
    /// One level at the top, before that.
    Flat,
}

/// The book of one token.
pub struct TokenBook<'a> {
    /// Market.
    pub market: &'a MarketSpec,
    /// Outcome.
    pub side: usize,
    /// The outcome's own ladder.
    pub ladder: Ladder,
    /// Last change.
    pub stamp: Timestamp,
    /// Last traded price of the outcome, thousandths.
    pub last: Option<i32>,
}

impl TokenBook<'_> {
    /// The token id.
    pub fn token(&self) -> &str {
        token(self.market, self.side)
    }

    /// 40 hexadecimal digits of the content.
    pub fn hash(&self) -> String {
        hash(self.token(), self.stamp, &self.ladder)
    }

    /// As an answer of `/book`, or as a message of the market channel.
    pub fn json(&self, message: bool) -> String {
        let mut out = String::with_capacity(1200);
        put(
            &mut out,
            format_args!(
                r#"{{"market":"{}","asset_id":"{}","timestamp":"{}","hash":"{}","bids":"#,
                self.market.condition,
                self.token(),
                self.stamp.millis(),
                self.hash()
            ),
        );
        // Worst first: whoever takes the first level for the best is wrong.
        levels(&mut out, &self.ladder.bids);
        out.push_str(",\"asks\":");
        levels(&mut out, &self.ladder.asks);
        put(&mut out, format_args!(r#","tick_size":"{}""#, tick(self.ladder.tick)));
        if !message {
            put(&mut out, format_args!(r#","min_order_size":"5","neg_risk":{}"#, self.market.neg_risk));
        } else {
            out.push_str(r#","event_type":"book""#);
        }
        match self.last {
            Some(p) => put(&mut out, format_args!(r#","last_trade_price":"{}"}}"#, thousandths(p))),
            None => out.push_str(r#","last_trade_price":""}"#),
        }
        out
    }
}

/// The token of an outcome.
pub fn token(market: &MarketSpec, side: usize) -> &str {
    market.tokens.get(side).map_or("", String::as_str)
}

fn put(out: &mut String, args: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(args);
}

fn levels(out: &mut String, best_first: &[Level]) {
    out.push('[');
    for (i, level) in best_first.iter().rev().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        put(out, format_args!(r#"{comma}{{"price":"{}","size":"{}"}}"#, price(level.price), size(level.size)));
    }
    out.push(']');
}

/// The hash of a token's book.
pub fn hash(token: &str, stamp: Timestamp, ladder: &Ladder) -> String {
    let mut h = blake3::Hasher::new();
    h.update(token.as_bytes());
    h.update(&stamp.millis().to_le_bytes());
    for (mark, side) in [(b"b", &ladder.bids), (b"a", &ladder.asks)] {
        h.update(mark);
        for level in side {
            h.update(&level.price.to_le_bytes());
            h.update(&level.size.to_le_bytes());
        }
    }
    h.finalize().to_hex().as_str().get(..40).unwrap_or_default().to_owned()
}

/// A price: two places, three where they are needed.
pub fn price(thousandths: i32) -> String {
    if thousandths % 10 == 0 {
        format!("{}.{:02}", thousandths / 1000, thousandths % 1000 / 10)
    } else {
        format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
    }
}

/// A price with three places, as last trades have it.
pub fn thousandths(thousandths: i32) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// A size in shares, without trailing zeros.
pub fn size(hundredths: i64) -> String {
    match hundredths % 100 {
        0 => format!("{}", hundredths / 100),
        c if c % 10 == 0 => format!("{}.{}", hundredths / 100, c / 10),
        c => format!("{}.{c:02}", hundredths / 100),
    }
}

/// A price step.
pub fn tick(tick: i32) -> &'static str {
    if tick == super::book::FINE { "0.001" } else { "0.01" }
}

/// The best prices as the channel writes them: `0` and `1` for an empty side.
fn best(ladder: &Ladder) -> (String, String) {
    let (bid, ask) = ladder.best();
    (bid.map_or_else(|| "0".into(), price), ask.map_or_else(|| "1".into(), price))
}

/// One `price_change` of changes to the first outcome's book, whose ladder is `after`.
pub fn price_change(market: &MarketSpec, changes: &[(bool, Level)], after: &Ladder, stamp: Timestamp) -> String {
    let ladders = [after.clone(), after.mirrored()];
    let hashes = [0, 1].map(|side: usize| hash(token(market, side), stamp, ladders.get(side).unwrap_or(after)));
    let bests = ladders.each_ref().map(best);
    let mut out = String::with_capacity(160 + 700 * changes.len());
    put(&mut out, format_args!(r#"{{"market":"{}","price_changes":["#, market.condition));
    for (i, &(bid, level)) in changes.iter().enumerate() {
        for side in 0..2 {
            let comma = if i + side > 0 { "," } else { "" };
            let own = if side == 0 { level.price } else { 1000 - level.price };
            let word = if bid == (side == 0) { "BUY" } else { "SELL" };
            let (hash, (best_bid, best_ask)) =
                if side == 0 { (&hashes[0], &bests[0]) } else { (&hashes[1], &bests[1]) };
            put(
                &mut out,
                format_args!(
                    r#"{comma}{{"asset_id":"{}","price":"{}","size":"{}","side":"{word}","hash":"{hash}","best_bid":"{best_bid}","best_ask":"{best_ask}"}}"#,
                    token(market, side),
                    price(own),
                    size(level.size),
                ),
            );
        }
    }
    put(&mut out, format_args!(r#"],"timestamp":"{}","event_type":"price_change"}}"#, stamp.millis()));
    out
}

/// The same of one token in the older shapes.
pub fn legacy_change(
    market: &MarketSpec,
    side: usize,
    changes: &[(bool, Level)],
    after: &Ladder,
    stamp: Timestamp,
    shape: Shape,
) -> Vec<String> {
    let hash = hash(token(market, side), stamp, &after.of(side));
    let level = |&(bid, level): &(bool, Level)| {
        let own = if side == 0 { level.price } else { 1000 - level.price };
        let word = if bid == (side == 0) { "BUY" } else { "SELL" };
        format!(r#""price":"{}","side":"{word}","size":"{}""#, price(own), size(level.size))
    };
    let head = format!(
        r#"{{"event_type":"price_change","asset_id":"{}","market":"{}","hash":"{hash}","timestamp":"{}""#,
        token(market, side),
        market.condition,
        stamp.millis()
    );
    if shape == Shape::Flat {
        return changes.iter().map(|c| format!("{head},{}}}", level(c))).collect();
    }
    let all: Vec<String> = changes.iter().map(|c| format!("{{{}}}", level(c))).collect();
    vec![format!(r#"{head},"changes":[{}]}}"#, all.join(","))]
}

/// `last_trade_price`.
pub fn last_trade(market: &MarketSpec, trade: &Trade, stamp: Timestamp) -> String {
    let word = if trade.buy { "BUY" } else { "SELL" };
    format!(
        r#"{{"market":"{}","asset_id":"{}","price":"{}","size":"{}","fee_rate_bps":"0","side":"{word}","timestamp":"{}","event_type":"last_trade_price","transaction_hash":"{}"}}"#,
        market.condition,
        token(market, trade.side),
        price(trade.price),
        size(trade.size),
        stamp.millis(),
        transaction(market, trade.step)
    )
}

/// The hash of a trade's transaction.
pub fn transaction(market: &MarketSpec, step: i64) -> String {
    let part = |i: u64| mix(&[market.tag, 40, step.unsigned_abs(), i]);
    format!("0x{:016x}{:016x}{:016x}{:016x}", part(0), part(1), part(2), part(3))
}

/// `tick_size_change`.
pub fn tick_change(market: &MarketSpec, side: usize, from: i32, to: i32, stamp: Timestamp) -> String {
    format!(
        r#"{{"event_type":"tick_size_change","asset_id":"{}","market":"{}","old_tick_size":"{}","new_tick_size":"{}","timestamp":"{}"}}"#,
        token(market, side),
        market.condition,
        tick(from),
        tick(to),
        stamp.millis()
    )
}

/// `best_bid_ask` of one token, from its own ladder.
pub fn best_bid_ask(market: &MarketSpec, side: usize, own: &Ladder, stamp: Timestamp) -> String {
    let (bid, ask) = best(own);
    let (low, high) = own.best();
    format!(
        r#"{{"event_type":"best_bid_ask","market":"{}","asset_id":"{}","best_bid":"{bid}","best_ask":"{ask}","spread":"{}","timestamp":"{}"}}"#,
        market.condition,
        token(market, side),
        price((high.unwrap_or(1000) - low.unwrap_or(0)).max(0)),
        stamp.millis()
    )
}

/// `new_market`.
pub fn new_market(market: &MarketSpec, event: &EventSpec, start: Timestamp) -> String {
    serde_json::json!({
        "event_type": "new_market", "id": market.id.to_string(), "question": market.question,
        "market": market.condition, "slug": market.slug, "description": "", "assets_ids": market.tokens,
        "outcomes": market.outcomes, "timestamp": market.listed.millis().to_string(), "tags": ["sports"],
        "event_message": {"id": event.id.to_string(), "ticker": event.slug, "slug": event.slug,
                          "title": event.title, "description": ""},
        "condition_id": market.condition, "active": true, "clob_token_ids": market.tokens,
        "sports_market_type": market.kind, "line": market.line.map_or_else(String::new, tenths),
        "game_start_time": start.to_wire(), "order_price_min_tick_size": "0.01", "group_item_title": market.group,
    })
    .to_string()
}

/// `market_resolved`. Without a winner when both outcomes pay half.
pub fn resolved(market: &MarketSpec, winner: Option<usize>, stamp: Timestamp) -> String {
    let winning = winner.map_or("", |w| token(market, w));
    let outcome = winner.and_then(|w| market.outcomes.get(w)).map_or("", String::as_str);
    serde_json::json!({
        "event_type": "market_resolved", "id": market.id.to_string(), "market": market.condition,
        "assets_ids": market.tokens, "winning_asset_id": winning, "winning_outcome": outcome,
        "timestamp": stamp.millis().to_string(), "tags": ["sports"],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_exchange_does() {
        assert_eq!([420, 425, 1, 999, 50].map(price), ["0.42", "0.425", "0.001", "0.999", "0.05"]);
        assert_eq!([10_000, 35_050, 2142, 105].map(size), ["100", "350.5", "21.42", "1.05"]);
        assert_eq!(thousandths(430), "0.430");
    }
}
