//! Every endpoint against the reference, and against recorded answers where they are at hand.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// A recorded answer, if the recordings are there.
fn recorded(name: &str) -> Option<Value> {
    let folder = std::env::var_os("STRATUM_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), std::path::PathBuf::from);
    let text = std::fs::read(folder.join("polymarket/fixtures").join(name)).ok()?;
    Some(serde_json::from_slice(&text).expect("json"))
}

fn keys(v: &Value) -> BTreeSet<String> {
    v.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

/// Fields of ours that no recording of that kind has.
fn unknown(ours: &Value, recordings: &[Value]) -> BTreeSet<String> {
    let theirs: BTreeSet<String> = recordings.iter().flat_map(keys).collect();
    if theirs.is_empty() { BTreeSet::new() } else { keys(ours).difference(&theirs).cloned().collect() }
}

fn one(v: Value) -> Value {
    match v {
        Value::Array(mut all) => all.remove(0),
        v => v,
    }
}

#[test]
fn markets_and_events_have_no_field_that_the_exchange_has_not() {
    let venue = venue("demo");
    let names = [
        "nautilus_gamma_market.json",
        "nautilus_gamma_market_closed_binary_accepting_false.json",
        "nautilus_gamma_market_sports_market_map_handicap.json",
        "nautilus_gamma_market_sports_market_money_line.json",
    ];
    let markets: Vec<Value> = names.iter().filter_map(|n| recorded(n)).collect();
    let mut events: Vec<Value> = markets.iter().filter_map(|m| m["events"].get(0).cloned()).collect();
    events.extend(recorded("nautilus_gamma_event.json").map(one));
    let v = get(&venue, after(100), "/gamma/events", "limit=100");
    for event in v.as_array().expect("events") {
        // `tags` and `elapsed` are of the documents.
        let strange: Vec<String> = unknown(event, &events).into_iter().filter(|k| k != "tags").collect();
        assert!(strange.is_empty(), "{strange:?}");
        for market in event["markets"].as_array().expect("markets") {
            let strange: Vec<String> = unknown(market, &markets).into_iter().collect();
            assert!(strange.is_empty(), "{strange:?}");
            for list in ["outcomes", "outcomePrices", "clobTokenIds"] {
                let text = market[list].as_str().expect("text");
                let inner: Vec<String> = serde_json::from_str(text).expect("a list in a string");
                assert_eq!(inner.len(), 2);
            }
            assert!(market["volume"].is_string() && market["volumeNum"].is_number());
            assert!(market["id"].is_string() && market["conditionId"].as_str().is_some_and(|c| c.len() == 66));
        }
        assert!(event["gameId"].is_number());
    }
    let text = v.to_string();
    for odd in ["+00\"", "\"gameStartTime\":\"2026-11-21T", "resolve 50-50", "overtime", "postponed"] {
        assert!(text.contains(odd), "{odd}");
    }
    let tags = get(&venue, after(0), "/gamma/tags", "");
    let recorded_tags: Vec<Value> =
        recorded("nautilus_gamma_tags.json").and_then(|v| v.as_array().cloned()).unwrap_or_default();
    assert!(unknown(&tags[0], &recorded_tags).is_empty());
}

#[test]
fn messages_have_the_recorded_fields() {
    let mut later = evening();
    later.sports[0].first_in_min = 120.0;
    let venue = Venue::new(&later, start()).expect("venue");
    let m = venue.catalog.markets.iter().find(|m| m.event == 0).expect("market");
    let mut session = Session::new(&venue, start());
    let mut all: Vec<Value> = Vec::new();
    let mut take = |frames: Vec<String>| {
        for f in frames {
            match serde_json::from_str(&f).expect("json") {
                Value::Array(list) => all.extend(list),
                one => all.push(one),
            }
        }
    };
    take(session.text(&venue, start(), &subscription(&m.tokens)));
    let mut at = start();
    while at < m.closes.plus(1000) {
        at = at.plus(60_000);
        take(session.pump(&venue, at, 0).frames);
    }
    for (kind, file) in [
        ("book", "polymarket_tui_ws_market_book.json"),
        ("price_change", "polymarket_tui_ws_market_price_change.json"),
        ("last_trade_price", "polymarket_tui_ws_market_last_trade_price.json"),
        ("best_bid_ask", "nautilus_ws_market_best_bid_ask_msg.json"),
        ("market_resolved", "nautilus_ws_market_resolved_msg.json"),
        ("new_market", "nautilus_ws_market_new_market_msg.json"),
    ] {
        let ours = all.iter().find(|v| v["event_type"] == kind).unwrap_or_else(|| panic!("{kind}"));
        let Some(theirs) = recorded(file).map(one) else { continue };
        assert_eq!(keys(ours), keys(&theirs), "{kind}");
        if kind == "price_change" {
            assert_eq!(keys(&ours["price_changes"][0]), keys(&theirs["price_changes"][0]));
        }
    }
}

#[test]
fn lists_are_paged_filtered_and_refuse_depth() {
    let venue = venue("demo");
    let at = after(0);
    let all = get(&venue, at, "/gamma/events", "limit=5000");
    assert_eq!(all.as_array().map(Vec::len), Some(28));
    assert_eq!(get(&venue, at, "/gamma/markets", "limit=5000").as_array().map(Vec::len), Some(100));
    assert_eq!(get(&venue, at, "/gamma/events", "limit=3&offset=26").as_array().map(Vec::len), Some(2));
    let (status, why) = refusal(&venue, at, "/gamma/markets", "offset=2001");
    assert_eq!(status, 422);
    assert!(why.starts_with("offset too large"), "{why}");
    assert_eq!(refusal(&venue, at, "/gamma/events", "limit=x").0, 422);
    // The keyset sees every market once; a wrong name of the cursor gives the first page for ever.
    let (mut seen, mut query) = (Vec::new(), "limit=70".to_owned());
    loop {
        let v = get(&venue, at, "/gamma/markets/keyset", &query);
        seen.extend(v["markets"].as_array().expect("page").iter().map(|m| m["id"].as_str().expect("id").to_owned()));
        let Some(next) = v.get("next_cursor").and_then(Value::as_str) else { break };
        query = format!("limit=70&after_cursor={}", next.replace('=', "%3D").replace('+', "%2B"));
    }
    let n = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), n);
    assert!(n > 200, "{n}");
    let first = get(&venue, at, "/gamma/events/keyset", "limit=2&cursor=abc");
    assert_eq!(first["events"][0]["id"], all[0]["id"]);
    let sports = get(&venue, at, "/gamma/sports", "");
    let nba = sports.as_array().expect("sports").iter().find(|s| s["sport"] == "nba").expect("nba");
    let series = nba["series"].as_str().expect("text");
    let games = get(&venue, at, "/gamma/events", &format!("series_id={series}&active=true&closed=false&limit=100"));
    assert_eq!(games.as_array().map(Vec::len), Some(9));
    assert!(games[0]["slug"].as_str().is_some_and(|s| s.starts_with("nba-") && s.ends_with("-2026-11-20")));
    for (path, query) in [
        (format!("/gamma/events/{}", games[0]["id"].as_str().expect("id")), String::new()),
        (format!("/gamma/events/slug/{}", games[0]["slug"].as_str().expect("slug")), String::new()),
    ] {
        assert_eq!(get(&venue, at, &path, &query)["id"], games[0]["id"]);
    }
    let m = &venue.catalog.markets[1];
    assert_eq!(get(&venue, at, &format!("/gamma/markets/{}", m.id), "")["slug"], m.slug.as_str());
    assert_eq!(get(&venue, at, &format!("/gamma/markets/slug/{}", m.slug), "")["id"], m.id.to_string());
    assert_eq!(get(&venue, at, "/gamma/markets", &format!("condition_ids={}", m.condition))[0]["id"], m.id.to_string());
    assert_eq!(refusal(&venue, at, "/gamma/events/slug/nothing", "").0, 404);
    let team = venue.catalog.events[0].teams[0].to_lowercase();
    let found = get(&venue, at, "/gamma/public-search", &format!("q={team}"));
    assert_eq!(found["events"][0]["id"], all[0]["id"]);
}

#[test]
fn quotes_in_lists_are_minutes_old() {
    let venue = venue("demo");
    let m = &venue.catalog.markets.iter().find(|m| m.closes > after(9000)).expect("open");
    let quote = |s| {
        let v = get(&venue, after(s), &format!("/gamma/markets/{}", m.id), "");
        (v["updatedAt"].clone(), v["bestBid"].clone(), v["volume"].clone())
    };
    assert_eq!(quote(1), quote(299));
    assert_ne!(quote(1), quote(301));
    let reply = answer(&venue, after(1), false, "/gamma/markets", "limit=1", b"");
    assert!(reply.headers.contains(&("cache-control", "public, max-age=300")));
    assert!(reply.headers.contains(&("deprecation", "true")));
}

#[test]
fn prices_are_answered_in_the_exchanges_forms() {
    let venue = venue("quiet");
    let m = &venue.catalog.markets[0];
    let (at, id) = (after(30), &m.tokens[0]);
    let ask = |path: &str, more: &str| get(&venue, at, path, &format!("token_id={id}{more}"));
    assert_eq!(answer(&venue, at, false, "/clob/", "", b"").body, "\"OK\"");
    assert_eq!(answer(&venue, at, false, "/data", "", b"").body, r#"{"data":"OK"}"#);
    let book = ask("/clob/book", "");
    let wanted = [
        "market",
        "asset_id",
        "timestamp",
        "hash",
        "bids",
        "asks",
        "min_order_size",
        "tick_size",
        "neg_risk",
        "last_trade_price",
    ];
    assert_eq!(keys(&book), wanted.into_iter().map(str::to_owned).collect());
    let (bids, asks) = (book["bids"].as_array().expect("bids"), book["asks"].as_array().expect("asks"));
    // The best level is the last.
    let (bid, ask_) = (bids.last().expect("bid")["price"].clone(), asks.last().expect("ask")["price"].clone());
    assert!(number(&bids[0]["price"]) < number(&bid) && number(&asks[0]["price"]) > number(&ask_));
    assert_eq!(book["hash"].as_str().map(str::len), Some(40));
    assert_eq!(ask("/clob/price", "&side=BUY")["price"], bid);
    assert_eq!(ask("/clob/price", "&side=SELL")["price"], ask_);
    let mid = number(&ask("/clob/midpoint", "")["mid"]);
    assert!((mid - (number(&bid) + number(&ask_)) / 2.0).abs() < 1e-9);
    assert!((number(&ask("/clob/spread", "")["spread"]) - (number(&ask_) - number(&bid))).abs() < 1e-9);
    assert!(ask("/clob/tick-size", "")["minimum_tick_size"].is_number());
    assert_eq!(ask("/clob/last-trade-price", "")["price"], book["last_trade_price"]);
    let def = get(&venue, at, &format!("/clob/markets/{}", m.condition), "");
    assert_eq!(def["tokens"][1]["token_id"], m.tokens[1].as_str());
    assert_eq!(keys(&def["tokens"][0]), ["outcome", "price", "token_id", "winner"].map(str::to_owned).into());
    for (query, status, why) in [
        ("", 400, "Invalid token id"),
        ("token_id=abc", 400, "Invalid token id"),
        ("token_id=12", 404, "No orderbook exists for the requested token id"),
    ] {
        assert_eq!(refusal(&venue, at, "/clob/book", query), (status, why.to_owned()));
    }
    let body = serde_json::json!([{"token_id": id}, {"token_id": "12"}, {"token_id": m.tokens[1]}]).to_string();
    let books = answer(&venue, at, true, "/clob/books", "", body.as_bytes());
    let books: Value = serde_json::from_str(&books.body).expect("json");
    assert_eq!(books.as_array().map(Vec::len), Some(2));
    assert_eq!(books[0], book);
    assert_eq!(answer(&venue, at, true, "/clob/books", "", b"nonsense").status, 400);
}

#[test]
fn history_has_windows_and_trades_have_an_end() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let m = venue.catalog.markets.iter().find(|m| m.event == 2 && m.kind == "moneyline").expect("market");
    let (at, id) = (after(60), &m.tokens[0]);
    let (from, to) = (after(-3600).secs(), at.secs());
    let history =
        |token: &str, query: &str| get(&venue, at, "/clob/prices-history", &format!("market={token}&{query}"));
    let window = format!("startTs={from}&endTs={to}&fidelity=5");
    let v = history(id, &window);
    let points = v["history"].as_array().expect("history");
    assert!((11..=13).contains(&points.len()), "{}", points.len());
    assert!(points.windows(2).all(|p| p[1]["t"].as_i64().zip(p[0]["t"].as_i64()).is_some_and(|(b, a)| b - a == 300)));
    let other = history(&m.tokens[1], &window);
    assert!((number(&points[3]["p"]) + number(&other["history"][3]["p"]) - 1.0).abs() < 1e-9);
    let long = format!("market={id}&startTs={}&endTs={to}", to - 1_296_001);
    let (status, why) = refusal(&venue, at, "/clob/prices-history", &long);
    assert_eq!((status, why.as_str()), (400, "invalid filters: 'startTs' and 'endTs' interval is too long"));
    assert_eq!(refusal(&venue, at, "/clob/prices-history", &format!("market={id}&interval=1w&fidelity=1")).0, 400);
    assert!(!history(id, "interval=1h")["history"].as_array().expect("list").is_empty());
    let late = m.closes.plus(1000);
    let over = |q: &str| {
        get(&venue, late, "/clob/prices-history", &format!("market={id}&{q}"))["history"].as_array().map(Vec::len)
    };
    assert_eq!(over("interval=max"), Some(0));
    assert!(over(&format!("startTs={from}")).is_some_and(|n| n > 60));
    let body = serde_json::json!({"markets": [id], "start_ts": from, "end_ts": to, "fidelity": 5}).to_string();
    let batch = answer(&venue, at, true, "/clob/batch-prices-history", "", body.as_bytes());
    let batch: Value = serde_json::from_str(&batch.body).expect("json");
    assert_eq!(batch["history"][id.as_str()], v["history"]);

    let trades = |q: &str| get(&venue, at, "/data/trades", &format!("market={}&{q}", m.condition));
    let page = trades("limit=50");
    let list = page.as_array().expect("trades");
    assert!(list.len() == 50 && list.windows(2).all(|t| t[0]["timestamp"].as_i64() >= t[1]["timestamp"].as_i64()));
    assert_eq!(trades("limit=10&offset=5")[0], list[5]);
    let theirs = recorded("nautilus_data_api_trades_response.json").map(one);
    if let Some(theirs) = theirs {
        assert!(keys(&theirs).is_subset(&keys(&list[0])));
    }
    let (status, why) = refusal(&venue, at, "/data/trades", &format!("market={}&offset=10001", m.condition));
    assert_eq!((status, why.as_str()), (400, "max historical trades offset of 10000 exceeded"));
}

#[test]
fn requests_fail_as_asked() {
    use FaultKind as K;
    let venue = venue("quiet");
    let query = format!("token_id={}", venue.catalog.markets[0].tokens[0]);
    let whole = answer(&venue, start(), false, "/clob/book", &query, b"");
    let once = |kind| {
        venue.set_fault(FaultSpec { times: Some(1), ..FaultSpec::new(kind) }, start());
        answer(&venue, start(), false, "/clob/book", &query, b"")
    };
    for (kind, status) in [
        (K::ExchangeNotFound, 404),
        (K::ExchangeUnprocessable, 422),
        (K::ExchangeRateLimited, 429),
        (K::ExchangeServerError, 502),
        (K::ExchangeErrorInOk, 200),
    ] {
        let reply = once(kind);
        assert_eq!(reply.status, status, "{kind:?}");
        assert_eq!(reply.html, kind == K::ExchangeServerError);
    }
    assert!(once(K::ExchangeRateLimited).headers.contains(&("retry-after", "10")));
    assert_eq!(once(K::ExchangeErrorInOk).body, r#"{"error":"Too Many Requests"}"#);
    assert_eq!(once(K::ExchangeTruncated).body.len(), whole.body.len() / 2);
    assert_eq!(once(K::ExchangeSlow).delivery, super::super::super::Delivery::Slow);
    assert_eq!(once(K::ExchangeCut).delivery, super::super::super::Delivery::Cut);
    assert_eq!(answer(&venue, start(), false, "/clob/book", &query, b""), whole);
    let some = FaultSpec { market: Some("moneyline".into()), ..FaultSpec::new(K::ExchangeNotFound) };
    venue.set_fault(some, start());
    assert_eq!(refusal(&venue, start(), "/clob/book", &query).0, 404);
    get(&venue, start(), "/clob/book", &format!("token_id={}", venue.catalog.markets[1].tokens[0]));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_request_can_upset_it(
        path in "/(gamma|clob|data)(/events|/markets|/keyset|/book|/prices-history|/trades|/slug|/é|/%|//){0,4}",
        query in "((limit|offset|after_cursor|closed|market|token_id|startTs|endTs|fidelity|interval|side)=[ -~é]{0,20}&?){0,6}",
        seconds in proptest::num::i64::ANY,
        post: bool,
    ) {
        let venue = Venue::new(&evening(), start()).expect("venue");
        let reply = answer(&venue, Timestamp::from_millis(seconds), post, &path, &query, query.as_bytes());
        proptest::prop_assert!([200, 400, 404, 405, 422].contains(&reply.status));
    }
}
