//! Every recorded payload is read without loss: what we name is what stood there.

use serde_json::Value;

use super::fixture;
use crate::feeds::polymarket::ids::{Shares, Side, Tick};
use crate::feeds::polymarket::wire::channel::{self, Message, Stated};
use crate::feeds::polymarket::wire::lenient::time;
use crate::feeds::polymarket::wire::{clob, gamma};

fn text(v: &Value, field: &str) -> Option<String> {
    match v.get(field)? {
        Value::String(s) if s.is_empty() => None,
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

fn number(v: &Value, field: &str) -> Option<f64> {
    v.get(field)?.as_f64().or_else(|| v.get(field)?.as_str()?.parse().ok())
}

fn at(v: &Value, field: &str) -> Option<crate::market::time::Timestamp> {
    let text = v.get(field)?.as_str()?;
    Some(time(text).unwrap_or_else(|| panic!("{field}: {text}")))
}

fn flag(v: &Value, field: &str) -> bool {
    v.get(field).and_then(Value::as_bool).unwrap_or(false)
}

fn inner(v: &Value, field: &str) -> Vec<String> {
    v.get(field).and_then(Value::as_str).map(|s| serde_json::from_str(s).expect("inner list")).unwrap_or_default()
}

fn same_market(m: &gamma::GammaMarket, v: &Value) {
    assert_eq!(Some(m.id.to_string()), text(v, "id"));
    assert_eq!(m.condition_id.as_ref().map(ToString::to_string), text(v, "conditionId"));
    assert_eq!(Some(m.slug.to_string()), text(v, "slug"));
    for (ours, field) in [
        (&m.question, "question"),
        (&m.group_item_title, "groupItemTitle"),
        (&m.description, "description"),
        (&m.sports_market_type, "sportsMarketType"),
        (&m.game_id, "gameId"),
        (&m.fee_type, "feeType"),
        (&m.uma_status, "umaResolutionStatus"),
    ] {
        assert_eq!(*ours, text(v, field), "{field}");
    }
    assert_eq!(m.outcomes, inner(v, "outcomes"));
    assert_eq!(m.tokens.iter().map(ToString::to_string).collect::<Vec<_>>(), inner(v, "clobTokenIds"));
    let prices: Vec<f64> = inner(v, "outcomePrices").iter().map(|p| p.parse().unwrap()).collect();
    assert_eq!(m.outcome_prices, prices);
    assert_eq!(m.uma_statuses, inner(v, "umaResolutionStatuses"));
    assert_eq!(m.line.map(|l| l.points()), number(v, "line"));
    for (ours, field) in [
        (m.game_start_time, "gameStartTime"),
        (m.event_start_time, "eventStartTime"),
        (m.start_date, "startDate"),
        (m.end_date, "endDate"),
        (m.closed_time, "closedTime"),
    ] {
        assert_eq!(ours, at(v, field), "{field}");
    }
    for (ours, field) in [
        (m.active, "active"),
        (m.closed, "closed"),
        (m.archived, "archived"),
        (m.accepting_orders, "acceptingOrders"),
        (m.enable_order_book, "enableOrderBook"),
        (m.neg_risk, "negRisk"),
        (m.fees_enabled.unwrap_or(false), "feesEnabled"),
    ] {
        assert_eq!(ours, flag(v, field), "{field}");
    }
    for (ours, field) in [
        (m.seconds_delay, "secondsDelay"),
        (m.tick_size.map(Tick::probability), "orderPriceMinTickSize"),
        (m.min_size.map(Shares::shares), "orderMinSize"),
        (m.best_bid, "bestBid"),
        (m.best_ask, "bestAsk"),
        (m.spread, "spread"),
        (m.last_trade_price, "lastTradePrice"),
        (m.volume, "volumeNum"),
        (m.liquidity, "liquidityNum"),
    ] {
        assert_eq!(ours, number(v, field), "{field}");
    }
    if let Some(fee) = v.get("feeSchedule") {
        let ours = m.fee.expect("fee");
        assert_eq!(Some(ours.rate()), number(fee, "rate"));
        assert_eq!(Some(ours.exponent()), number(fee, "exponent"));
        assert_eq!(Some(ours.rebate_rate()), number(fee, "rebateRate"));
        assert_eq!(ours.taker_only(), flag(fee, "takerOnly"));
    }
    let events = v.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(m.events.len(), events.len());
    m.events.iter().zip(&events).for_each(|(e, v)| same_event(e, v));
}

fn same_event(e: &gamma::GammaEvent, v: &Value) {
    assert_eq!(Some(e.id.to_string()), text(v, "id"));
    assert_eq!(Some(e.slug.to_string()), text(v, "slug"));
    for (ours, field) in [
        (&e.ticker, "ticker"),
        (&e.title, "title"),
        (&e.description, "description"),
        (&e.game_id, "gameId"),
        (&e.score, "score"),
        (&e.period, "period"),
        (&e.series_slug, "seriesSlug"),
    ] {
        assert_eq!(*ours, text(v, field), "{field}");
    }
    for (ours, field) in [
        (e.start_date, "startDate"),
        (e.creation_date, "creationDate"),
        (e.end_date, "endDate"),
        (e.start_time, "startTime"),
        (e.closed_time, "closedTime"),
    ] {
        assert_eq!(ours, at(v, field), "{field}");
    }
    assert_eq!(e.event_date.map(|d| d.to_string()), text(v, "eventDate"));
    for (ours, field) in [
        (e.active, "active"),
        (e.closed, "closed"),
        (e.archived, "archived"),
        (e.live, "live"),
        (e.ended, "ended"),
        (e.neg_risk, "negRisk"),
    ] {
        assert_eq!(ours, flag(v, field), "{field}");
    }
    assert_eq!(e.volume, number(v, "volume"));
    assert_eq!(e.liquidity, number(v, "liquidity"));
    let list = |field: &str| v.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    for (ours, v) in e.series.iter().zip(&list("series")) {
        assert_eq!(Some(ours.id.to_string()), text(v, "id"));
        assert_eq!((&ours.slug, &ours.title), (&text(v, "slug"), &text(v, "title")));
        assert_eq!((ours.active, ours.closed), (v["active"].as_bool(), v["closed"].as_bool()));
    }
    for (ours, v) in e.tags.iter().zip(&list("tags")) {
        assert_eq!(Some(ours.id.to_string()), text(v, "id"));
        assert_eq!((&ours.label, &ours.slug), (&text(v, "label"), &text(v, "slug")));
    }
    assert_eq!((e.series.len(), e.tags.len()), (list("series").len(), list("tags").len()));
    assert_eq!(e.markets.len(), list("markets").len());
    e.markets.iter().zip(&list("markets")).for_each(|(m, v)| same_market(m, v));
}

#[test]
fn gamma_events_and_markets_are_read_whole() {
    for name in ["nautilus_gamma_event", "nautilus_search_response"] {
        let Some(body) = fixture(name) else { return };
        let page = gamma::events(&body).expect(name);
        let value: Value = serde_json::from_slice(&body).unwrap();
        let list = value.get("events").unwrap_or(&value).as_array().unwrap().clone();
        assert_eq!((page.read.items.len(), page.read.defects.as_slice()), (list.len(), [].as_slice()));
        page.read.items.iter().zip(&list).for_each(|(e, v)| same_event(e, v));
    }
    for name in [
        "nautilus_gamma_market",
        "nautilus_gamma_market_closed_binary_accepting_false",
        "nautilus_gamma_market_sports_market_map_handicap",
        "nautilus_gamma_market_sports_market_money_line",
    ] {
        let body = fixture(name).expect(name);
        let page = gamma::markets(&body).expect(name);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((page.read.items.len(), page.read.defects.as_slice()), (1, [].as_slice()), "{name}");
        same_market(&page.read.items[0], &value);
    }
    let body = fixture("nautilus_gamma_market_closed_binary_accepting_false").unwrap();
    let market = &gamma::markets(&body).unwrap().read.items[0];
    assert!(market.active && market.closed && market.tradable() == Err("it is closed"));
}

#[test]
fn tags_and_trades_are_read_whole() {
    let Some(body) = fixture("nautilus_gamma_tags") else { return };
    let tags = gamma::tags(&body).unwrap();
    assert_eq!((tags.items.len(), tags.defects.len()), (5, 0));
    assert_eq!(tags.items[1].label.as_deref(), Some("Sweeden"));
    let body = fixture("nautilus_data_api_trades_response").unwrap();
    let trades = clob::trades(&body).unwrap();
    assert_eq!((trades.items.len(), trades.defects.len()), (3, 0));
    let t = &trades.items[1];
    assert_eq!((t.side, t.price, t.size.to_string().as_str(), t.at.secs()), (Side::Ask, 0.53, "50", 1_709_999_900));
    assert!(t.condition_id.is_some() && t.transaction.is_some());
}

#[test]
fn channel_messages_are_read_whole() {
    let Some(body) = fixture("polymarket_tui_ws_market_book") else { return };
    let frame = channel::read(&body);
    assert_eq!((frame.messages.len(), frame.defects.len()), (1, 0));
    let Message::Book(book) = &frame.messages[0] else { panic!("a book") };
    assert_eq!((book.bids.len(), book.asks.len(), book.incomplete), (0, 5, false));
    assert_eq!(book.at.millis(), 1_783_132_505_573);
    assert_eq!(book.hash.as_deref(), Some("460316ce02d5128c46e7255bca8f72dd8ad43065"));
    assert_eq!(
        (book.tick_size.unwrap().to_string(), book.last_trade.unwrap().to_string()),
        ("0.001".into(), "0.001".into())
    );
    assert_eq!(book.asks[0].size.to_string(), "19500402.66");

    let body = fixture("polymarket_tui_ws_market_price_change").unwrap();
    let frame = channel::read(&body);
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((frame.messages.len(), frame.defects.len()), (3, 0));
    for (message, v) in frame.messages.iter().zip(value.as_array().unwrap()) {
        let Message::PriceChange(change) = message else { panic!("a change") };
        assert_eq!(change.at.millis().to_string(), v["timestamp"]);
        assert_eq!(change.market.as_deref(), v["market"].as_str());
        assert_eq!(change.changes.len(), 2);
        for (c, v) in change.changes.iter().zip(v["price_changes"].as_array().unwrap()) {
            assert_eq!(*c.token, *v["asset_id"].as_str().unwrap());
            assert_eq!(
                (c.price.to_string(), c.size.to_string(), c.side.wire()),
                (v["price"].as_str().unwrap().into(), v["size"].as_str().unwrap().into(), v["side"].as_str().unwrap())
            );
            assert_eq!(c.hash.as_deref(), v["hash"].as_str());
            assert_eq!(c.best_bid, Stated::At(Tick::parse(v["best_bid"].as_str().unwrap()).unwrap()));
            assert_eq!(c.best_ask, Stated::At(Tick::parse(v["best_ask"].as_str().unwrap()).unwrap()));
        }
        // Both tokens of the pair show the same order.
        let (a, b) = (&change.changes[0], &change.changes[1]);
        assert_eq!((a.price, a.size, a.side), (b.price.mirrored(), b.size, b.side.other()));
    }

    let body = fixture("polymarket_tui_ws_market_last_trade_price").unwrap();
    let frame = channel::read(&body);
    let Message::Trade(trade) = &frame.messages[0] else { panic!("a trade") };
    assert_eq!((trade.price.to_string(), trade.size.unwrap().to_string()), ("0.42".into(), "21.42857".into()));
    assert_eq!((trade.side, trade.fee_bps), (Some(Side::Bid), Some(0.0)));
    assert!(trade.transaction.as_deref().is_some_and(|t| t.starts_with("0xf7d8")));

    let body = fixture("nautilus_ws_market_best_bid_ask_msg").unwrap();
    let frame = channel::read(&body);
    let Message::Best(best) = &frame.messages[0] else { panic!("best prices") };
    assert_eq!((best.bid, best.ask), (Stated::At(Tick::new(7300).unwrap()), Stated::At(Tick::new(7700).unwrap())));
    assert_eq!(best.spread.unwrap().ticks(), 400);

    let body = fixture("nautilus_ws_market_new_market_msg").unwrap();
    let frame = channel::read(&body);
    let Message::NewMarket(new) = &frame.messages[0] else { panic!("a new market") };
    assert_eq!((new.tokens.len(), new.outcomes.join("/").as_str(), new.active), (2, "Yes/No", Some(true)));
    assert_eq!((new.sports_market_type.as_deref(), new.line, new.game_start_time), (None, None, None));
    assert_eq!((new.id.as_deref(), new.event_id.as_deref()), (Some("1031769"), Some("125819")));
    assert_eq!(new.tick_size.unwrap().ticks(), 100);
    assert_eq!((new.tags.join(","), new.group_item_title.as_deref()), ("stocks".into(), Some("NVDA above $240")));

    let body = fixture("nautilus_ws_market_resolved_msg").unwrap();
    let frame = channel::read(&body);
    let Message::Resolved(resolved) = &frame.messages[0] else { panic!("a resolution") };
    assert_eq!((resolved.tokens.len(), resolved.outcome.as_deref()), (2, Some("Yes")));
    assert_eq!(resolved.winner, Some(resolved.tokens[0].clone()));
}

#[test]
fn shapes_of_the_reference_are_read() {
    let body = br#"{"market":"0xabc","asset_id":"1111","timestamp":"1795200000123","hash":"9f","bids":[{"price":"0.40","size":"100"},{"price":"0.42","size":"350.5"},{"price":"0.41","size":"0"}],
        "asks":[{"price":"0.45","size":"80"},{"price":".43","size":120}],"min_order_size":"5","tick_size":"0.01","neg_risk":false,"last_trade_price":"0.430"}"#;
    let (book, defects) = clob::book(body).unwrap();
    assert_eq!((book.bids.len(), book.asks.len(), defects.len()), (2, 2, 0));
    assert_eq!((book.min_size.unwrap().to_string(), book.last_trade.unwrap().ticks()), ("5".into(), 4300));
    assert_eq!(clob::midpoint(br#"{"mid":"0.425"}"#), Ok(0.425));
    assert_eq!(clob::price(br#"{"price":"0"}"#), Ok(Tick::ZERO));
    assert!(clob::price(b"{}").is_err());
    assert_eq!(clob::spread(br#"{"spread":"0.01"}"#).unwrap().ticks(), 100);
    assert_eq!(clob::tick_size(br#"{"minimum_tick_size":0.01}"#).unwrap().ticks(), 100);
    assert_eq!(clob::last_trade(br#"{"price":"0.43","side":"BUY"}"#).unwrap().1, Some(Side::Bid));
    let history =
        clob::history(br#"{"history":[{"t":1760000060,"p":0.44},{"t":1760000000,"p":0.43},{"t":"x","p":1}]}"#).unwrap();
    assert_eq!((history.items.len(), history.items[0].price), (2, 0.43));
    assert_eq!(history.defects.iter().filter(|d| d.quarantined).count(), 1);
    let (all, defects) = clob::batch_history(br#"{"history":{"11":[{"t":1760000000,"p":0.5}],"bad":[]}}"#).unwrap();
    assert_eq!((all.len(), defects.len()), (1, 1));
    let (def, _) = clob::definition(br#"{"condition_id":"0xab","tokens":[{"token_id":"1","outcome":"Bison","price":0.4,"winner":false}],"accepting_orders":true,"minimum_tick_size":0.01,"minimum_order_size":5,"neg_risk":false}"#).unwrap();
    assert_eq!(
        (def.tokens.len(), def.accepting_orders, def.min_size.unwrap().to_string()),
        (1, Some(true), "5".into())
    );
    let books = clob::books(br#"[{"asset_id":"1","timestamp":"1795200000123","bids":[],"asks":[]},{"bids":7},{"asset_id":"2","timestamp":"1795200000123","bids":[{"price":"x","size":"1"}],"asks":[]}]"#).unwrap();
    assert_eq!((books.items.len(), books.defects.len()), (2, 2));
    assert!(books.items[1].incomplete);
    for error in
        [&br#"{"error":"Too Many Requests"}"#[..], br#"{"error":"No orderbook exists for the requested token id"}"#]
    {
        assert!(matches!(clob::book(error), Err(super::super::wire::WireError::Said(_))));
        assert!(matches!(clob::trades(error), Err(super::super::wire::WireError::Said(_))));
        assert!(matches!(gamma::events(error), Err(super::super::wire::WireError::Said(_))));
    }
    let sports = gamma::sports(br#"[{"sport":"NBA","image":"x","resolution":"https://nba.com","ordering":"away","tags":"1,745,100639","series":"10345"},{"sport":7},{}]"#).unwrap();
    assert_eq!((sports.items[0].sport.as_str(), sports.items[0].tags.len()), ("nba", 3));
    assert_eq!(sports.items[0].series.as_ref().unwrap().as_str(), "10345");
}

#[test]
fn a_bad_record_is_put_aside_alone() {
    let body = br#"{"events":[{"id":"1","slug":"a-b-c-2026-01-01","markets":[{"id":"5","slug":"m","outcomes":["A","B"],"clobTokenIds":"[\"1\"]","volume":"12.5","line":"x"},{"id":"6"},7]},
        {"id":{},"slug":"x"},"junk",{"id":2,"slug":"two","active":"true","startDate":"yesterday"}],"next_cursor":"abc"}"#;
    let page = gamma::events(body).unwrap();
    assert_eq!((page.read.items.len(), page.stood, page.next.as_deref()), (2, 4, Some("abc")));
    let market = &page.read.items[0].markets[0];
    assert_eq!((market.outcomes.len(), market.tokens.len(), market.volume, market.line), (2, 0, Some(12.5), None));
    assert!(page.read.items[1].active && page.read.items[1].start_date.is_none());
    let put_aside = page.read.defects.iter().filter(|d| d.quarantined).count();
    assert_eq!(put_aside, 5, "{:#?}", page.read.defects);

    let frame = channel::read(br#"[{"event_type":"book","asset_id":"1","timestamp":"1795200000123","bids":7},
        {"event_type":"price_change","timestamp":"1795200000456","price_changes":[{"asset_id":"2","price":"2","size":"1","side":"BUY"},{"asset_id":"3","price":"0.5","size":"1","side":"SELL"}]},
        5, {"event_type":"comet","x":1}, {"event_type":"last_trade_price","asset_id":"4","timestamp":"1795200000456"}]"#);
    assert_eq!(frame.messages.len(), 2, "{frame:#?}");
    assert_eq!(frame.defects.len(), 4, "{:#?}", frame.defects);
    let Message::PriceChange(change) = &frame.messages[0] else { panic!("a change") };
    assert_eq!((change.changes.len(), change.lost.as_slice()), (1, ["2".into()].as_slice()));
}
