//! The endpoints of the order book service: books, prices, history, definitions; and the trades of the Data service.

use serde_json::{Map, Value, json};

use super::super::query::Params;
use super::book::COARSE;
use super::fair::Outcome;
use super::gamma;
use super::messages::{self, TokenBook, price, thousandths};
use super::reply::Reply;
use super::venue::{Standing, State, Venue};
use crate::market::time::Timestamp;

/// Longest window of a history, seconds.
const WINDOW_S: i64 = 1_296_000;
/// Most tokens of a batch.
const BATCH: usize = 20;
/// Most books of a batch.
const BOOKS: usize = 500;
/// Most points of an answer: a fidelity of a minute over the longest window is beyond it.
const POINTS: i64 = 25_000;
/// Deepest offset of trades.
const TRADES_DEEPEST: usize = 10_000;

/// Answers `GET` below `/clob`.
pub fn get(venue: &Venue, now: Timestamp, parts: &[&str], params: &Params) -> Reply {
    let state = venue.snapshot();
    route(venue, now, parts, params, &state).unwrap_or_else(|refused| refused)
}

/// Answers `POST` below `/clob`.
pub fn post(venue: &Venue, now: Timestamp, parts: &[&str], body: &[u8]) -> Reply {
    let state = venue.snapshot();
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Reply::refuse(400, "Invalid payload") };
    match parts {
        ["books"] => books(venue, now, &value, &state),
        ["batch-prices-history"] => batch_history(venue, now, &value),
        _ => Reply::not_found(),
    }
}

fn route(venue: &Venue, now: Timestamp, parts: &[&str], params: &Params, state: &State) -> Result<Reply, Reply> {
    let book = || token_book(venue, now, params.get("token_id"), state);
    let mid = |b: &TokenBook<'_>| b.ladder.twice_mid().ok_or_else(|| Reply::refuse(404, "No orderbook exists"));
    match parts {
        [] => Ok(Reply::ok("\"OK\"")),
        ["time"] => Ok(Reply::ok(now.secs().to_string())),
        ["book"] => Ok(Reply::ok(book()?.json(false))),
        ["midpoint"] => {
            let book = book()?;
            let twice = mid(&book)?;
            let text = if twice % 2 == 0 { price(twice / 2) } else { format!("0.{:04}", twice * 5) };
            Ok(Reply::json(&json!({ "mid": text })))
        }
        ["price"] => {
            let book = book()?;
            let (bid, ask) = book.ladder.best();
            let best = match params.get("side") {
                Some("BUY" | "buy") => bid,
                Some("SELL" | "sell") => ask,
                _ => return Err(Reply::refuse(400, "Invalid side")),
            };
            Ok(Reply::json(&json!({"price": best.map_or_else(|| "0".to_owned(), price)})))
        }
        ["spread"] => {
            let book = book()?;
            mid(&book)?;
            let (bid, ask) = book.ladder.best();
            Ok(Reply::json(&json!({"spread": price((ask.unwrap_or(1000) - bid.unwrap_or(0)).max(0))})))
        }
        ["last-trade-price"] => {
            let book = book()?;
            let (n, side) = token(venue, params.get("token_id"))?;
            let trade = venue.last_trade(n, venue.step(n, now));
            let word = trade.map_or("", |t| if t.buy == (t.side == side) { "BUY" } else { "SELL" });
            Ok(Reply::json(&json!({"price": book.last.map_or_else(|| "0.5".to_owned(), thousandths), "side": word})))
        }
        ["tick-size"] => {
            let book = book()?;
            let tick = if book.ladder.tick == COARSE { 0.01 } else { 0.001 };
            Ok(Reply::json(&json!({ "minimum_tick_size": tick })))
        }
        ["neg-risk"] => Ok(Reply::json(&json!({"neg_risk": book()?.market.neg_risk}))),
        ["prices-history"] => history(venue, now, params, state),
        ["markets", condition] => {
            let listed = |n: &usize| venue.standing(*n, now, state) != Standing::Unlisted;
            let n = venue.condition(condition).filter(listed);
            let n = n.ok_or_else(|| Reply::refuse(404, "market not found"))?;
            Ok(Reply::json(&definition(venue, n, now, state)))
        }
        _ => Err(Reply::not_found()),
    }
}

fn token(venue: &Venue, id: Option<&str>) -> Result<(usize, usize), Reply> {
    let id = id.ok_or_else(|| Reply::refuse(400, "Invalid token id"))?;
    if !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reply::refuse(400, "Invalid token id"));
    }
    venue.token(id).ok_or_else(Reply::no_book)
}

/// The book of a token; what is closed has none.
fn token_book<'v>(venue: &'v Venue, now: Timestamp, id: Option<&str>, state: &State) -> Result<TokenBook<'v>, Reply> {
    let (n, side) = token(venue, id)?;
    let market = venue.market(n).ok_or_else(Reply::no_book)?;
    let open = venue.standing(n, now, state) == Standing::Open;
    if !open || state.faults.hidden(now, venue.place(market)) {
        return Err(Reply::no_book());
    }
    let mark = venue.mark(n, now, state).ok_or_else(Reply::no_book)?;
    let last = venue.last_trade(n, mark.step);
    let last = last.map(|t| if t.side == side { t.price } else { 1000 - t.price });
    Ok(TokenBook { market, side, ladder: venue.ladder(n, mark).of(side), stamp: mark.stamp, last })
}

fn books(venue: &Venue, now: Timestamp, body: &Value, state: &State) -> Reply {
    let Some(list) = body.as_array().filter(|l| l.len() <= BOOKS) else { return Reply::refuse(400, "Invalid payload") };
    // Tokens without a book are left out.
    let books = list.iter().filter_map(|v| token_book(venue, now, v.get("token_id")?.as_str(), state).ok());
    let books: Vec<String> = books.map(|b| b.json(false)).collect();
    Reply::ok(format!("[{}]", books.join(",")))
}

fn definition(venue: &Venue, n: usize, now: Timestamp, state: &State) -> Value {
    let Some(m) = venue.market(n) else { return Value::Null };
    let Some(event) = venue.event_of(m) else { return Value::Null };
    let standing = venue.standing(n, now, state);
    let closed = standing != Standing::Open;
    let mid = venue.mark(n, now, state).and_then(|mark| venue.ladder(n, mark).twice_mid());
    let first = match standing {
        Standing::Resolved(Outcome::First) => 1.0,
        Standing::Resolved(Outcome::Second) => 0.0,
        Standing::Resolved(Outcome::Split) => 0.5,
        Standing::Open | Standing::Unlisted => mid.map_or(0.5, |m| f64::from(m) / 2000.0),
    };
    let tokens: Vec<Value> = (0..2usize)
        .map(|side| {
            let p: f64 = if side == 0 { first } else { 1.0 - first };
            let winner = standing == Standing::Resolved(if side == 0 { Outcome::First } else { Outcome::Second });
            json!({"token_id": messages::token(m, side), "outcome": m.outcomes.get(side),
                   "price": (p * 10_000.0).round() / 10_000.0, "winner": winner})
        })
        .collect();
    json!({
        "enable_order_book": true, "active": true, "closed": closed, "archived": false, "accepting_orders": !closed,
        "accepting_order_timestamp": venue.opens().to_wire(), "minimum_order_size": 5,
        "minimum_tick_size": gamma::tick(venue, n, now, state), "condition_id": m.condition,
        "question_id": m.question_id, "question": m.question, "description": "", "market_slug": m.slug,
        "end_date_iso": format!("{}T00:00:00Z", event.date), "game_start_time": gamma::start(venue, event, now).to_wire(),
        "seconds_delay": 3, "fpmm": "", "maker_base_fee": 0, "taker_base_fee": 0, "notifications_enabled": true,
        "neg_risk": m.neg_risk, "neg_risk_market_id": "", "neg_risk_request_id": "", "icon": "", "image": "",
        "rewards": {"rates": null, "min_size": 50, "max_spread": 4.5}, "is_50_50_outcome": false, "tokens": tokens,
        "tags": ["Sports", event.league.title],
    })
}

/// The window of a history: seconds.
struct Window {
    from: i64,
    to: i64,
    every: i64,
}

fn whole(params: &Params, name: &str) -> Result<Option<i64>, Reply> {
    let refused = |_| Reply::refuse(400, &format!("invalid filters: '{name}'"));
    params.get(name).map(|v| v.parse::<i64>().map_err(refused)).transpose()
}

fn window(from: Option<i64>, to: Option<i64>, fidelity: Option<i64>, now: Timestamp) -> Result<Window, Reply> {
    let (Some(from), to) = (from, to.unwrap_or(now.secs())) else {
        return Err(Reply::refuse(400, "invalid filters: 'startTs' or 'interval' is required"));
    };
    if to < from {
        return Err(Reply::refuse(400, "invalid filters: 'startTs' must be before 'endTs'"));
    }
    if to.saturating_sub(from) > WINDOW_S {
        return Err(Reply::refuse(400, "invalid filters: 'startTs' and 'endTs' interval is too long"));
    }
    Ok(Window { from, to, every: fidelity.unwrap_or(1).clamp(1, 100_000) * 60 })
}

fn history(venue: &Venue, now: Timestamp, params: &Params, state: &State) -> Result<Reply, Reply> {
    let id = params.get("market").ok_or_else(|| Reply::refuse(400, "market is required"))?;
    let fidelity = whole(params, "fidelity")?;
    let window = match params.get("interval") {
        None => window(whole(params, "startTs")?, whole(params, "endTs")?, fidelity, now)?,
        Some(interval) => {
            let (seconds, least) = match interval {
                "1h" => (3600, 1),
                "6h" => (21_600, 1),
                "1d" => (86_400, 1),
                "1w" => (604_800, 5),
                "1m" => (2_678_400, 10),
                "max" | "all" => (2_678_400, 1),
                _ => return Err(Reply::refuse(400, "invalid filters: 'interval'")),
            };
            if fidelity.is_some_and(|f| f < least) {
                let why = format!("invalid filters: minimum 'fidelity' for '{interval}' range is {least}");
                return Err(Reply::refuse(400, &why));
            }
            let to = now.secs();
            Window { from: to - seconds, to, every: fidelity.unwrap_or(least.max(1)).max(1) * 60 }
        }
    };
    let Some((n, side)) = venue.token(id) else { return Ok(Reply::json(&json!({"history": []}))) };
    // What is over has a history only in explicit windows.
    let over = venue.standing(n, now, state) != Standing::Open;
    if over && params.get("interval").is_some() {
        return Ok(Reply::json(&json!({"history": []})));
    }
    Ok(Reply::json(&json!({"history": points(venue, n, side, &window, now)})))
}

/// Midpoints at full multiples of the fidelity, some seconds late as on the exchange; the last one fills forward.
fn points(venue: &Venue, n: usize, side: usize, window: &Window, now: Timestamp) -> Vec<Value> {
    let Some(market) = venue.market(n) else { return Vec::new() };
    let from = window.from.max(venue.opens().max(market.listed).secs());
    let to = window.to.min(now.secs()).min(market.closes.secs() - 1);
    let first = from.div_euclid(window.every) * window.every + 3;
    let mut last = None;
    let mut list = Vec::new();
    for i in 0..POINTS {
        let t = first + i * window.every;
        if t > to {
            break;
        }
        if t < from {
            continue;
        }
        let at = Timestamp::from_secs(t);
        // History knows no faults and no load.
        let mark = venue.calm_mark(n, at);
        let mid = mark.and_then(|m| venue.ladder(n, m).twice_mid());
        last = mid.map(|m| f64::from(m) / 2000.0).or(last);
        if let Some(p) = last {
            let own = if side == 0 { p } else { 1.0 - p };
            list.push(json!({"t": t, "p": (own * 10_000.0).round() / 10_000.0}));
        }
    }
    list
}

fn batch_history(venue: &Venue, now: Timestamp, body: &Value) -> Reply {
    let ids = body.get("markets").and_then(Value::as_array);
    let Some(ids) = ids.filter(|l| l.len() <= BATCH) else { return Reply::refuse(400, "Invalid payload") };
    let whole = |name: &str| body.get(name).and_then(Value::as_i64);
    let window = match window(whole("start_ts"), whole("end_ts"), whole("fidelity"), now) {
        Ok(window) => window,
        Err(refused) => return refused,
    };
    let mut out = Map::new();
    for id in ids.iter().filter_map(Value::as_str) {
        let list = venue.token(id).map_or_else(Vec::new, |(n, side)| points(venue, n, side, &window, now));
        out.insert(id.to_owned(), json!(list));
    }
    Reply::json(&json!({ "history": out }))
}

/// Answers `GET` below `/data`.
pub fn data(venue: &Venue, now: Timestamp, parts: &[&str], params: &Params) -> Reply {
    match parts {
        [] => Reply::json(&json!({"data": "OK"})),
        ["trades"] => trades(venue, now, params).unwrap_or_else(|refused| refused),
        _ => Reply::not_found(),
    }
}

fn trades(venue: &Venue, now: Timestamp, params: &Params) -> Result<Reply, Reply> {
    let refused = |name: &str| Reply::refuse(400, &format!("invalid {name}"));
    let count = |name: &str, usual: usize| match params.get(name) {
        None => Ok(usual),
        Some(v) => v.parse::<usize>().map_err(|_| refused(name)),
    };
    let (limit, offset) = (count("limit", 100)?.min(500), count("offset", 0)?);
    if offset > TRADES_DEEPEST {
        return Err(Reply::refuse(400, "max historical trades offset of 10000 exceeded"));
    }
    let least = match params.get("filterType") {
        Some("CASH") => params.get("filterAmount").and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0),
        _ => 0.0,
    };
    let conditions = params.list("market");
    let wanted: Vec<usize> = conditions.iter().filter_map(|c| venue.condition(c)).collect();
    let mut found = Vec::new();
    for n in wanted {
        let Some(market) = venue.market(n) else { continue };
        let mut step = super::book::trade_step(market, venue.step(n, now));
        while let Some(s) = step.filter(|_| found.len() < 50_000) {
            // Only those that the page may need are priced.
            found.push((venue.step_at(n, s), n, s));
            step = super::book::trade_before(market, s);
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let rows = found
        .into_iter()
        .filter(|(at, n, _)| *at >= venue.opens() && venue.market(*n).is_some_and(|m| *at >= m.listed))
        .filter_map(|(at, n, s)| Some((at, n, venue.trade(n, s)?)))
        .filter(|(_, _, t)| t.size as f64 / 100.0 * f64::from(t.price) / 1000.0 >= least)
        .skip(offset)
        .take(limit);
    let rows = rows.filter_map(|(at, n, t)| {
        let m = venue.market(n)?;
        let event = venue.event_of(m)?;
        let wallet = messages::transaction(m, -t.step - 1);
        Some(json!({
            "proxyWallet": wallet.get(..42), "side": if t.buy { "BUY" } else { "SELL" },
            "asset": messages::token(m, t.side), "conditionId": m.condition, "size": t.size as f64 / 100.0,
            "price": f64::from(t.price) / 1000.0, "timestamp": at.secs(), "title": m.question, "slug": m.slug,
            "eventSlug": event.slug, "outcome": m.outcomes.get(t.side), "outcomeIndex": t.side,
            "transactionHash": messages::transaction(m, t.step), "icon": "", "name": "", "pseudonym": "",
        }))
    });
    Ok(Reply::json(&rows.collect()))
}
