//! The market channel without a socket.

use proptest::prelude::*;

use super::*;

fn open(venue: &Venue, at: Timestamp, tokens: &[String]) -> (Session, Reader) {
    let mut session = Session::new(venue, at);
    let mut reader = Reader::default();
    session.text(venue, at, &subscription(tokens)).iter().for_each(|f| reader.frame(f));
    (session, reader)
}

fn pump(session: &mut Session, venue: &Venue, at: Timestamp, load: usize, reader: &mut Reader) -> Pumped {
    let pumped = session.pump(venue, at, load);
    pumped.frames.iter().for_each(|f| reader.frame(f));
    pumped
}

/// Every open book of the reader is that of the exchange.
fn agrees(venue: &Venue, at: Timestamp, reader: &Reader) {
    for (token, seen) in &reader.books {
        let reply = answer(venue, at, false, "/clob/book", &format!("token_id={token}"), b"");
        if reply.status == 200 {
            let book: Value = serde_json::from_str(&reply.body).expect("json");
            assert_eq!(seen, &Seen::of(&book), "{token} at {at}");
        }
    }
}

fn nba(venue: &Venue) -> Vec<String> {
    tokens(venue, |m| m.event < 3)
}

#[test]
fn the_dump_is_an_array_and_changes_lead_to_the_book() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let ids = nba(&venue);
    let mut session = Session::new(&venue, start());
    let dump = session.text(&venue, start(), &subscription(&ids));
    assert_eq!(dump.len(), 1);
    let books: Value = serde_json::from_str(&dump[0]).expect("json");
    let open = books.as_array().expect("array").len();
    assert!(open > 30 && open <= ids.len(), "{open} of {}", ids.len());
    let mut reader = Reader::default();
    reader.frame(&dump[0]);
    agrees(&venue, start(), &reader);
    for s in [10, 11, 60, 61, 400, 1000] {
        pump(&mut session, &venue, after(s), 0, &mut reader);
        agrees(&venue, after(s), &reader);
    }
    for kind in ["book", "price_change", "last_trade_price", "best_bid_ask"] {
        assert!(reader.kinds.get(kind).is_some_and(|n| *n > 3), "{kind}: {:?}", reader.kinds);
    }
}

/// What the stamps of everything but books say, in milliseconds.
fn stamps(frames: &[String]) -> Vec<i64> {
    let mut out = Vec::new();
    for frame in frames {
        let Ok(frame) = serde_json::from_str::<Value>(frame) else { continue };
        let parts = frame.as_array().cloned().unwrap_or_else(|| vec![frame]);
        let news = parts.iter().filter(|p| !matches!(p["event_type"].as_str(), Some("book" | "new_market")));
        out.extend(news.filter_map(|p| p["timestamp"].as_str()?.parse::<i64>().ok()));
    }
    out
}

#[test]
fn what_is_told_is_stamped_since_the_last_time_and_not_later_than_now() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
    let mut told = 0;
    for n in 1..=6_000 {
        let (last, now) = (start().plus((n - 1) * 10), start().plus(n * 10));
        let load = if n % 100 == 0 { 50 } else { 0 };
        let pumped = pump(&mut session, &venue, now, load, &mut reader);
        let stamps = stamps(&pumped.frames);
        assert!(stamps.iter().all(|at| (last.millis()..=now.millis()).contains(at)), "{stamps:?} at {}", now.millis());
        told += stamps.len();
    }
    assert!(told > 3_000, "{told}");
}

#[test]
fn words_are_answered_and_nonsense_is_no_operation() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let mut session = Session::new(&venue, start());
    let mut say = |text: &str| session.text(&venue, start(), text);
    assert_eq!(say("PING"), ["PONG"]);
    for bad in ["", "{", "[]", "{}", r#"{"operation":"dance","assets_ids":[]}"#, r#"{"type":"user"}"#] {
        assert_eq!(say(bad), ["INVALID OPERATION"], "{bad}");
    }
    let id = venue.catalog.markets.iter().find(|m| m.closes > after(9000)).expect("open").tokens[0].clone();
    assert_eq!(say(&subscription(std::slice::from_ref(&id))).len(), 1);
    assert_eq!(say(&subscription(std::slice::from_ref(&id))), ["NO NEW ASSETS"]);
    assert_eq!(say(&subscription(&["123".into()])), ["NO NEW ASSETS"]);
    let one = |op: &str| serde_json::json!({"assets_ids": [id], "operation": op}).to_string();
    assert!(say(&one("unsubscribe")).is_empty());
    assert!(session.pump(&venue, after(600), 0).frames.is_empty());
    assert_eq!(session.text(&venue, after(600), &one("subscribe")).len(), 1);
}

#[test]
fn above_five_hundred_ids_there_is_no_dump() {
    let venue = venue("demo");
    // A token and a market that are open at the start.
    let ids = tokens(&venue, |m| m.closes > after(9000));
    assert!(ids.len() > 400, "{}", ids.len());
    let load = super::venue("load");
    let many = tokens(&load, |_| true).into_iter().take(502).collect::<Vec<_>>();
    let mut session = Session::new(&load, start());
    assert!(session.text(&load, start(), &subscription(&many)).is_empty());
    assert!(!session.pump(&load, after(60), 0).frames.is_empty());
}

#[test]
fn a_burst_is_sent_whole_and_the_books_agree() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
    let (mut other, mut second) = open(&venue, start(), &nba(&venue));
    let before: usize = reader.kinds.values().sum();
    pump(&mut session, &venue, start(), 2000, &mut reader);
    let sent = reader.kinds.get("price_change").copied().unwrap_or(0);
    assert!((1800..=2000).contains(&sent), "{sent} after {before}");
    agrees(&venue, start(), &reader);
    pump(&mut other, &venue, start(), 0, &mut second);
    assert_eq!(reader.books, second.books);
    pump(&mut session, &venue, after(7), 50, &mut reader);
    agrees(&venue, after(7), &reader);
}

#[test]
fn a_long_way_is_cut_short_by_new_books() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let last = tokens(&venue, |m| m.event == 2);
    let (mut session, mut reader) = open(&venue, start(), &last);
    let pumped = pump(&mut session, &venue, after(9000), 0, &mut reader);
    agrees(&venue, after(9000), &reader);
    assert!(pumped.frames.len() < 3000, "{}", pumped.frames.len());
    // A clock that is set back begins anew.
    pump(&mut session, &venue, after(100), 0, &mut reader);
    agrees(&venue, after(100), &reader);
}

#[test]
fn the_end_is_told_to_those_who_asked_for_it() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let m = venue.catalog.markets.iter().find(|m| m.event == 2 && m.kind == "moneyline").expect("market");
    let (mut session, mut reader) = open(&venue, start(), &m.tokens);
    let mut near = start();
    let mut frames = Vec::new();
    while near < m.closes.plus(60_000) {
        near = near.plus(30_000);
        frames.extend(pump(&mut session, &venue, near, 0, &mut reader).frames);
    }
    assert_eq!(reader.kinds.get("market_resolved"), Some(&1));
    assert_eq!(reader.kinds.get("tick_size_change"), Some(&2), "both tokens, once");
    let last: Value = serde_json::from_str(frames.last().expect("frame")).expect("json");
    let winner = get(&venue, near, &format!("/clob/markets/{}", m.condition), "");
    let winner = winner["tokens"].as_array().and_then(|t| t.iter().find(|t| t["winner"] == true)).cloned();
    assert_eq!(last["winning_asset_id"], winner.expect("winner")["token_id"]);
    assert!(session.pump(&venue, near.plus(600_000), 5).frames.is_empty());
}

#[test]
fn a_market_that_comes_late_is_told_of() {
    let venue = venue("demo");
    let (n, late) = venue
        .catalog
        .markets
        .iter()
        .enumerate()
        .find(|(_, m)| m.listed > after(600) && m.listed < after(9000))
        .expect("a late one");
    let state = venue.snapshot();
    assert_eq!(venue.standing(n, start(), &state), super::super::venue::Standing::Unlisted);
    assert_eq!(refusal(&venue, start(), &format!("/gamma/markets/{}", late.id), "").0, 404);
    assert_eq!(refusal(&venue, start(), &format!("/clob/markets/{}", late.condition), "").0, 404);
    let (mut session, mut reader) = open(&venue, late.listed.plus(-1), &tokens(&venue, |m| m.id == late.id));
    assert!(reader.books.is_empty());
    let pumped = pump(&mut session, &venue, late.listed, 0, &mut reader);
    let told = pumped.frames.iter().find(|f| f.contains("new_market") && f.contains(&late.condition));
    let told: Value = serde_json::from_str(told.expect("told")).expect("json");
    assert_eq!(told["clob_token_ids"][0], late.tokens[0].as_str());
    assert_eq!(reader.books.len(), 2);
    agrees(&venue, late.listed, &reader);
    get(&venue, late.listed, &format!("/gamma/markets/{}", late.id), "");
}

fn fault(kind: FaultKind) -> FaultSpec {
    FaultSpec::new(kind)
}

#[test]
fn a_freeze_leaves_pongs_and_loses_what_happened() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
    venue.set_fault(FaultSpec { for_s: 300.0, ..fault(FaultKind::ExchangeFreeze) }, after(10));
    pump(&mut session, &venue, after(9), 0, &mut reader);
    assert!(pump(&mut session, &venue, after(200), 0, &mut reader).frames.is_empty());
    assert_eq!(session.text(&venue, after(200), "PING"), ["PONG"]);
    let (_, fresh) = open(&venue, after(201), &nba(&venue));
    agrees(&venue, after(201), &fresh);
    pump(&mut session, &venue, after(309), 0, &mut reader);
    let stale = reader.books.clone();
    assert!(!pump(&mut session, &venue, after(500), 0, &mut reader).frames.is_empty());
    assert_ne!(stale, reader.books);
}

#[test]
fn a_drop_closes_sockets_that_were_open() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
    venue.set_fault(fault(FaultKind::ExchangeDrop), start());
    assert!(pump(&mut session, &venue, start(), 0, &mut reader).dropped);
    let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
    assert!(!pump(&mut session, &venue, after(5), 0, &mut reader).dropped);
}

#[test]
fn books_are_bent_and_straightened_on_both_ways() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let id = venue.catalog.markets.iter().position(|m| m.kind == "moneyline" && m.event == 2).expect("open");
    let token = venue.catalog.markets[id].tokens[0].clone();
    let (mut session, mut reader) = open(&venue, start(), &tokens(&venue, |m| m.event == 2));
    let best = |reader: &Reader| reader.books[&token].best();
    for (kind, bent) in [
        (FaultKind::ExchangeCrossed, (|(b, a)| b > a) as fn((Option<f64>, Option<f64>)) -> bool),
        (FaultKind::ExchangeEmptySide, |(b, a)| b.is_some() && a.is_none()),
    ] {
        let spec = FaultSpec { event: Some(2), sport: Some("basketball_nba".into()), ..fault(kind) };
        venue.set_fault(FaultSpec { market: Some("moneyline".into()), ..spec }, start());
        pump(&mut session, &venue, start(), 0, &mut reader);
        assert!(bent(best(&reader)), "{kind:?} {:?}", best(&reader));
        agrees(&venue, start(), &reader);
        venue.clear_faults(start());
        pump(&mut session, &venue, start(), 0, &mut reader);
        assert!(!bent(best(&reader)), "{kind:?}");
        agrees(&venue, start(), &reader);
    }
    venue.set_fault(fault(FaultKind::ExchangeTickChange), after(1));
    pump(&mut session, &venue, after(1), 0, &mut reader);
    assert!(reader.kinds["tick_size_change"] >= 2);
    agrees(&venue, after(1), &reader);
    venue.clear_faults(after(2));
    venue.set_fault(fault(FaultKind::ExchangeResolved), after(3));
    pump(&mut session, &venue, after(3), 0, &mut reader);
    assert!(reader.kinds["market_resolved"] > 5);
    assert_eq!(refusal(&venue, after(3), "/clob/book", &format!("token_id={token}")).0, 404);
    let v = get(&venue, after(3), "/gamma/markets", &format!("clob_token_ids={token}&closed=true"));
    assert_eq!(v[0]["closed"], true);
}

#[test]
fn the_stream_is_disturbed_as_asked() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let clean = |at| {
        let (mut session, _) = open(&venue, start(), &nba(&venue));
        session.pump(&venue, at, 0).frames
    };
    let usual = clean(after(60));
    assert!(usual.len() > 20);
    let with = |kind| {
        venue.set_fault(fault(kind), start());
        let frames = clean(after(60));
        venue.clear_faults(start());
        frames
    };
    let twice = with(FaultKind::ExchangeDuplicate);
    assert_eq!(twice.len(), 2 * usual.len());
    assert!(twice.chunks(2).all(|p| p[0] == p[1]));
    let turned = with(FaultKind::ExchangeReorder);
    assert_ne!(turned, usual);
    assert_eq!((&turned[0], &turned[1]), (&usual[1], &usual[0]));
    let strange = with(FaultKind::ExchangeNonJson);
    assert!(serde_json::from_str::<Value>(&strange[0]).is_err());
    assert_eq!(strange[1..], usual[..]);
    for kind in [FaultKind::ExchangeLegacyChanges, FaultKind::ExchangeLegacyFlat] {
        venue.set_fault(fault(kind), start());
        let (mut session, mut reader) = open(&venue, start(), &nba(&venue));
        let pumped = pump(&mut session, &venue, after(60), 0, &mut reader);
        agrees(&venue, after(60), &reader);
        assert!(!pumped.frames.iter().any(|f| f.contains("price_changes")));
        let key = if kind == FaultKind::ExchangeLegacyFlat { "\"price\"" } else { "\"changes\"" };
        assert!(pumped.frames.iter().any(|f| f.contains("price_change") && f.contains(key)));
        venue.clear_faults(start());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_pushed_leads_from_the_dump_to_the_book(
        from in 0i64..6000,
        waits in proptest::collection::vec((1i64..90_000, 0usize..40), 1..12),
        fault in proptest::option::of((0usize..3, 0f64..200.0, 1f64..200.0)),
    ) {
        let venue = Venue::new(&evening(), start()).expect("venue");
        let kinds = [FaultKind::ExchangeCrossed, FaultKind::ExchangeEmptySide, FaultKind::ExchangeTickChange];
        if let Some((k, from_s, for_s)) = fault {
            let spec = FaultSpec { from_s, for_s, ..FaultSpec::new(kinds[k]) };
            venue.set_fault(spec, after(from));
        }
        let ids = tokens(&venue, |m| m.slow < 3);
        let (mut session, mut reader) = open(&venue, after(from), &ids);
        let mut at = after(from);
        agrees(&venue, at, &reader);
        for (wait, load) in waits {
            at = at.plus(wait);
            pump(&mut session, &venue, at, load, &mut reader);
            agrees(&venue, at, &reader);
        }
    }

    #[test]
    fn nothing_that_is_said_upsets_it(text in "\\PC{0,80}", json in proptest::bool::ANY) {
        let venue = Venue::new(&evening(), start()).expect("venue");
        let mut session = Session::new(&venue, start());
        let text = if json { format!("{{\"assets_ids\":[\"{text}\"],\"type\":\"market\"}}") } else { text };
        session.text(&venue, start(), &text);
        session.pump(&venue, after(1), 3);
    }
}
