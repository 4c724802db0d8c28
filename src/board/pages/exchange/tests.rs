//! The page over a simulated evening with an exchange beside the books, and with everything that an order book can be.

use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use super::*;
use crate::board::app::{Effect, Surroundings};
use crate::board::testing::{self, board, press, settle as answer, start, text};
use crate::board::theme::{Glyphs, PLAIN};
use crate::engine::EngineSettings;
use crate::engine::changes::EventRow;
use crate::feeds::sim::Scenario;
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::line::Line;
use crate::market::price::OddsFormat;
use crate::runtime::intake::{Answer, take};
use crate::runtime::status::{ExchangeStatus, Listening, LiveStatus, SocketNote};
use crate::store::desk::Desk;
use crate::store::exchange::{
    BookRow, BookState, ContractRow, DepthLevel, ExchangeRows, GapRow, Link, LinkHow, ListingRow, NewListing, TradeRow,
};
use crate::store::{Reader, Store};

const MINUTES: i64 = 30;
const MINUTE: i64 = 60_000;

fn at(minute: i64) -> Timestamp {
    start().plus(minute * MINUTE)
}

fn engine() -> EngineSettings {
    let mut loaded = crate::config::load(&crate::config::Sources::default()).expect("the shipped settings");
    loaded.settings.polymarket.on = true;
    crate::runtime::settings::engine_settings(&loaded.settings)
}

/// What a game's first book gives the home team, without its vig.
fn chance(event: &Json) -> Option<f64> {
    let book = event["bookmakers"].as_array()?.first()?;
    let h2h = book["markets"].as_array()?.iter().find(|m| m["key"] == "h2h")?;
    let implied = |name: &Json| {
        let price = h2h["outcomes"].as_array()?.iter().find(|o| o["name"] == *name)?["price"].as_f64()?;
        Some(if price > 0.0 { 100.0 / (price + 100.0) } else { -price / (100.0 - price) })
    };
    let (home, away) = (implied(&event["home_team"])?, implied(&event["away_team"])?);
    Some(home / (home + away))
}

/// Two games to which somebody listens.
#[derive(Default)]
struct Heard {
    /// Their ids.
    ids: Vec<String>,
    /// What the exchange gives the home team of the first of them, by minute.
    chances: Vec<(i64, f64)>,
}

/// A look at the exchange itself. From the eighteenth minute on it stands far from the books in one game.
fn listen(heard: &mut Heard, minute: i64, body: &[u8], own: &mut crate::engine::Engine, store: &mut Store) {
    let events: Json = serde_json::from_slice(body).expect("an answer");
    let events = events.as_array().expect("events");
    if heard.ids.is_empty() {
        let start = |e: &Json| e["commence_time"].as_str().and_then(Timestamp::parse);
        let late = |e: &&Json| start(e).is_some_and(|t| t > at(45));
        heard.ids = events.iter().filter(late).take(2).map(|e| e["id"].as_str().expect("id").to_owned()).collect();
    }
    for (n, id) in heard.ids.clone().iter().enumerate() {
        let event = events.iter().find(|e| e["id"] == **id);
        let Some((event, p)) = event.and_then(|e| Some((e, chance(e)?))) else { continue };
        let p = (p + if n == 0 && minute >= 18 { 0.07 } else { 0.0 }).clamp(0.05, 0.95);
        let mid = (p * 100.0).round() / 100.0;
        if n == 0 {
            heard.chances.push((minute, mid));
        }
        let (bid, ask) = (mid - 0.01, mid + 0.01);
        let seen = at(minute).plus(30_000);
        let two = |key: &str, home: f64, away: f64| {
            json!({"key": key, "last_update": seen.to_wire(), "outcomes": [
                {"name": event["home_team"], "price": 1.0 / home}, {"name": event["away_team"], "price": 1.0 / away}]})
        };
        let markets = [two("h2h", ask, 1.0 - bid), two("h2h_lay", bid, 1.0 - ask), two("h2h_mid", mid, 1.0 - mid)];
        let mut told = event.clone();
        told["bookmakers"] =
            json!([{"key": "polymarket", "title": "Polymarket", "last_update": seen.to_wire(), "markets": markets}]);
        let body = serde_json::to_vec(&json!([told])).expect("JSON");
        let scope = Scope {
            books: Asked::Only(vec!["polymarket".into()]),
            events: Asked::Only(vec![id.clone()]),
            ..Scope::default()
        };
        let answer = Answer {
            // Its games are those of the books.
            source: "the_odds_api",
            sport: "basketball_nba",
            endpoint: Some(Endpoint::Exchange),
            received_at: seen,
            scope,
            format: Some(OddsFormat::Decimal),
            body: &body,
            origin: Some("DEMO"),
            cost: None,
            remaining: None,
        };
        take(own, store, &answer).expect("taken");
    }
}

fn contract(kind: &str, slug: &str, outcomes: [&str; 2], line: Option<f64>) -> ContractRow {
    let settlement = json!([
        {"topic": "overtime", "rule": "counts", "text": "Overtime counts."},
        {"topic": "postponed", "rule": "stays_open", "text": "If postponed it stays open."},
        {"topic": "canceled", "rule": "fifty_fifty", "text": "If canceled it resolves 50-50."},
    ]);
    ContractRow {
        condition: format!("0x{slug}"),
        slug: slug.into(),
        question: format!("{} or {}?", outcomes[0], outcomes[1]),
        kind: kind.into(),
        about: "{}".into(),
        line: line.and_then(Line::from_points),
        outcomes: outcomes.map(str::to_owned),
        tokens: [format!("{slug}1"), format!("{slug}2")],
        fee_rate: Some(0.05),
        settlement: settlement.to_string(),
        ..ContractRow::default()
    }
}

fn levels(from: i32, step: i32, sizes: &[u64]) -> Vec<DepthLevel> {
    let level =
        |(n, size): (usize, &u64)| DepthLevel { price: (from + step * n as i32) as u16, size: size * 1_000_000 };
    sizes.iter().enumerate().map(level).collect()
}

fn book(market: i64, when: Timestamp, mid: i32) -> BookRow {
    BookRow {
        market,
        at: when,
        changed_at: Some(when.plus(-80)),
        near: [Some(1_450_000_000), Some(980_000_000)],
        middle: Some(f64::from(mid) / 10_000.0 + 0.0012),
        bids: levels(mid - 100, -100, &[250, 400, 800, 1_200, 5_000]),
        asks: levels(mid + 100, 100, &[130, 350, 500, 2_000, 900]),
        ..BookRow::default()
    }
}

fn listing(key: usize, first: &str, other: &str, starts: Option<Timestamp>, contracts: Vec<ContractRow>) -> NewListing {
    let word = |name: &str| name.split_whitespace().last().unwrap_or_default().to_owned();
    NewListing {
        listing: ListingRow {
            key: format!("80{key}"),
            slug: format!("nba-{key:02}"),
            title: format!("{} vs. {}", word(first), word(other)),
            sport: "basketball_nba".into(),
            date: "2026-11-20".into(),
            starts,
            teams: Some([first.to_owned(), other.to_owned()]),
            volume: Some(178_000.5),
            ..ListingRow::default()
        },
        contracts,
    }
}

fn linked(listing: i64, event: &EventRow) -> Link {
    Link {
        listing,
        event: Some(event.id),
        home_first: Some(false),
        state: LinkState::Linked,
        confidence: 0.98,
        reasons: r#"["the names mean both teams","both are of 2026-11-20 in the league's own zone"]"#.into(),
        at: at(1),
        ..Link::default()
    }
}

/// A game as the exchange lists it: the away team first.
fn game(key: usize, event: &EventRow) -> NewListing {
    let word = |name: &str| name.split_whitespace().last().unwrap_or_default().to_owned();
    let (away, home) = (word(&event.away), word(&event.home));
    let slug = |what: &str| format!("nba-{key:02}-{what}");
    let mut contracts = vec![contract("moneyline", &slug("ml"), [&away, &home], None)];
    if key == 0 {
        contracts.push(contract("spread", &slug("sp"), [&home, &away], Some(-4.5)));
        contracts.push(contract("total", &slug("to"), ["Over", "Under"], Some(221.5)));
        contracts.push(contract("period", &slug("h1"), [&away, &home], None));
        contracts.push(contract("other", &slug("ot"), ["Yes", "No"], None));
    }
    listing(key, &event.away, &event.home, Some(event.commence), contracts)
}

/// The evening, made once.
fn evening() -> &'static Surroundings {
    static STORE: OnceLock<(tempfile::TempDir, Surroundings)> = OnceLock::new();
    &STORE
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("folder");
            let mut at = testing::surroundings(folder.path().to_owned());
            (at.engine, at.exchange_on) = (engine(), true);
            let mut store = Store::open(&at.store).expect("store");
            let mut scenario = Scenario::load("demo").expect("scenario");
            scenario.sports.truncate(1);
            let mut heard = Heard::default();
            testing::fill_with(&mut store, &scenario, MINUTES, engine(), |minute, body, own, store| {
                listen(&mut heard, minute, body, own, store);
            });
            let reader = Reader::open(&at.store).expect("reader");
            let mut events = reader.events(None).expect("events");
            // The same game may have come under two ids.
            let mut seen: Vec<(Box<str>, Box<str>)> = Vec::new();
            let place = |e: &EventRow| heard.ids.iter().position(|id| *e.provider_id == **id).unwrap_or(usize::MAX);
            events.sort_by_key(|e| (place(e), e.commence, e.id));
            events.retain(|e| {
                let who = (e.home.clone(), e.away.clone());
                let new = !seen.contains(&who);
                seen.push(who);
                new
            });
            keep(&mut store, &events, &heard);
            (folder, at)
        })
        .1
}

#[allow(clippy::too_many_lines, reason = "one evening")]
fn keep(store: &mut Store, events: &[EventRow], heard: &Heard) {
    let mut new: Vec<NewListing> = events.iter().take(6).enumerate().map(|(n, e)| game(n, e)).collect();
    let far = "Ünïted Fußballclub Łódź-Süd der älteren Herren";
    let ml = |key: usize, a: &str, b: &str| vec![contract("moneyline", &format!("nba-{key:02}-ml"), [a, b], None)];
    new.push(listing(6, far, "東京ヤクルトスワローズ", Some(at(400)), ml(6, far, "東京ヤクルトスワローズ")));
    new.push(listing(7, "Bay Bison", "Harbor Gulls", Some(at(410)), ml(7, "Bison", "Gulls")));
    let mut bare = listing(8, "Who", "Whom", None, Vec::new());
    bare.listing.teams = None;
    bare.listing.title = "Will anything happen in the long series between the two of them this week?".into();
    new.push(bare);
    let kept = store.keep_listings("polymarket", &new, at(0)).expect("kept");
    let market = |n: usize| kept[n].1[0];
    let mut rows = ExchangeRows::default();
    for minute in 0..MINUTES {
        let when = at(minute).plus(20_000);
        let wave = ((minute * 7) % 5) as i32 * 100;
        // The first outcome is the away team.
        for (_, p) in heard.chances.iter().filter(|c| c.0 == minute) {
            rows.books.push(book(market(0), when, ((1.0 - p) * 10_000.0).round() as i32));
        }
        rows.seen.push((market(0), at(MINUTES - 1).plus(50_000)));
        for n in [1, 2, 3, 5, 6, 7] {
            rows.books.push(book(market(n), when, 4_300 + wave + 300 * n as i32));
            rows.seen.push((market(n), at(MINUTES - 1).plus(50_000)));
        }
    }
    let end = at(MINUTES - 1).plus(40_000);
    for (n, id) in kept[0].1.iter().enumerate().skip(1).take(3) {
        rows.books.push(book(*id, end, 5_000 + 40 * n as i32));
        rows.seen.push((*id, end));
    }
    // Nobody bids.
    let one_sided =
        BookRow { bids: Vec::new(), middle: None, near: [Some(0), Some(5_000_000)], ..book(market(1), end, 5_000) };
    // Bid over ask.
    let crossed = BookRow {
        state: BookState::Doubtful,
        bids: levels(5_600, -100, &[10, 20]),
        asks: levels(5_500, 100, &[10, 20]),
        middle: None,
        ..book(market(2), end, 5_000)
    };
    // Nothing was heard for six minutes.
    rows.books.retain(|b| b.market != market(3) || b.at < at(20) || b.at > at(26));
    let unknown =
        |n: usize, when| BookRow { market: market(n), at: when, state: BookState::Unknown, ..BookRow::default() };
    rows.books.extend([one_sided, crossed, unknown(3, at(20)), unknown(5, end)]);
    rows.gaps.push(GapRow { since: at(20), until: at(26), why: "the connection brought nothing".into(), markets: 40 });
    for n in 0..9 {
        rows.trades.push(TradeRow {
            market: market(if n < 6 { 0 } else { 3 }),
            at: at(18 + n).plus(7_000),
            first: n % 3 != 0,
            side: [Some("buy".to_owned()), Some("sell".to_owned()), None][n as usize % 3].clone(),
            price: 4_400 + 50 * n as u16,
            size: (n != 4).then_some(25_500_000 * (n as u64 + 1)),
        });
    }
    rows.links.extend([0, 1, 2, 3, 5].map(|n| linked(kept[n].0, &events[n])));
    // As the session keeps them.
    let candidate = |e: &EventRow, confidence: f64| {
        json!({
            "event": e.id.0, "provider_id": &*e.provider_id, "teams": [&*e.home, &*e.away], "commence": e.commence,
            "confidence": confidence, "reasons": ["the names mean both teams", "2 games of this pair could be meant"],
        })
    };
    let both = json!([candidate(&events[6], 0.4), candidate(&events[4], 0.55)]);
    rows.links.push(Link {
        listing: kept[4].0,
        state: LinkState::Review,
        reasons: both.to_string(),
        at: at(2),
        ..Link::default()
    });
    let none = r#"["the books have no game of these teams near that time"]"#;
    rows.links.push(Link { listing: kept[6].0, reasons: none.into(), at: at(2), ..Link::default() });
    rows.links.push(Link {
        listing: kept[7].0,
        state: LinkState::Refused,
        how: LinkHow::User,
        reasons: "[]".into(),
        at: at(3),
        ..Link::default()
    });
    store.keep_exchange(&rows).expect("kept");
}

fn status(now: Timestamp) -> ExchangeStatus {
    let socket = |shard: u32, up: bool| SocketNote {
        shard,
        assets: 180,
        connected_since: up.then(|| now.plus(-600_000)),
        last_data: up.then(|| now.plus(-2_000)),
        messages: 40_000,
        reconnects: 2,
        frozen: 1,
        defects: 0,
        error: (!up).then(|| "refused".into()),
    };
    ExchangeStatus {
        exchange: "polymarket".into(),
        listening: Listening::On,
        discovered: Some(now),
        next_discovery: Some(now.plus(400_000)),
        games: 9,
        linked: 5,
        review: 1,
        contracts: 13,
        sockets: vec![socket(0, true), socket(1, false)],
        messages_per_second: 214.4,
        lag_ms: Some(12),
        checked: (400, 2),
        ..ExchangeStatus::default()
    }
}

/// The page, with a desk of its own.
fn page(width: u16, height: u16) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let around = Surroundings { desk: folder.path().join("desk.db"), ..evening().clone() };
    let mut app = testing::board_over(around, width, height);
    app.link.feeder = crate::board::link::Feeder::Daemon { pid: 4242, version: "0.1.0".into() };
    let exchange = Some(status(app.clocks.local()));
    app.link.status = Some(Box::new(LiveStatus { exchange, ..LiveStatus::default() }));
    app.go(Page::Exchange);
    answer(&mut app);
    (app, folder)
}

fn plain(app: &mut App) {
    app.looks.glyphs = Glyphs::Ascii;
    app.dress(PLAIN);
}

/// The cursor on the listing with this number.
fn on(app: &mut App, key: usize) {
    let slug = format!("nba-{key:02}");
    app.pages.exchange.line = app.pages.exchange.rows.iter().position(|r| r.slug == slug).expect("listed");
    super::settle(app);
    answer(app);
}

#[test]
fn pictures_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let (mut app, _folder) = page(width, height);
        on(&mut app, 0);
        insta::assert_snapshot!(format!("page_{width}x{height}"), text(&mut app));
        app.dress(PLAIN);
        insta::assert_snapshot!(format!("page_{width}x{height}_no_colour"), text(&mut app));
        plain(&mut app);
        insta::assert_snapshot!(format!("page_{width}x{height}_ascii"), text(&mut app));
    }
}

#[test]
fn pictures_of_one_game() {
    for (key, name) in [(1, "one_sided"), (2, "crossed"), (3, "gap"), (4, "review"), (5, "unheard"), (6, "wide_names")]
    {
        let (mut app, _folder) = page(120, 40);
        on(&mut app, key);
        insta::assert_snapshot!(format!("game_{name}_120x40"), text(&mut app));
    }
    let (mut app, _folder) = page(60, 16);
    on(&mut app, 0);
    press(&mut app, &["enter", "l"]);
    insta::assert_snapshot!("game_60x16", text(&mut app));
    for pane in ["ladder", "chart", "settlement", "signals", "link", "trades"] {
        press(&mut app, &["ctrl-w"]);
        insta::assert_snapshot!(format!("game_60x16_{pane}"), text(&mut app));
    }
    press(&mut app, &["esc"]);
    assert!(!app.pages.exchange.open && app.page == Page::Exchange);
}

#[test]
fn what_is_told_is_what_was_kept() {
    let (mut app, _folder) = page(200, 60);
    on(&mut app, 0);
    let row = app.pages.exchange.rows[app.pages.exchange.line].clone();
    let (price, fair) = (row.price.expect("a price"), row.fair.expect("the books' fair price"));
    assert!((row.apart.expect("apart") - (price - fair)).abs() < 1e-9);
    let detail = super::detail(&app).expect("read").clone();
    // The list and the panes tell the same of the books.
    assert!((detail.fairs[0].expect("fair") - fair).abs() < 1e-3, "{:?} {fair}", detail.fairs);
    assert_eq!(detail.excluded.as_deref(), Some(""), "it has a vote");
    assert!(detail.fairs[1].is_ok() && detail.fairs[2].is_ok(), "{:?}", detail.fairs);
    assert!(detail.fairs[3].is_err() && detail.fairs[4].is_err(), "never guessed");
    let told = detail.signals.iter().filter(|s| s.detail.exchange_probability.is_some()).count();
    assert!(told > 0, "{:?}", detail.signals.len());
    assert!(row.lead.is_some());
    let shown = text(&mut app);
    assert!(shown.contains("A DIFFERENT BET") && shown.contains("a sportsbook refunds"), "{shown}");
    assert!(shown.contains("DEMO"));
}

#[test]
fn a_gap_is_a_gap_and_what_is_not_believed_is_no_price() {
    let (mut app, _folder) = page(120, 40);
    on(&mut app, 3);
    let detail = super::detail(&app).expect("read").clone();
    assert!(detail.middle.iter().any(|s| s.value.is_none()));
    assert_eq!(detail.gaps.len(), 1);
    for (key, why) in [(1, "no bid"), (2, "crossed"), (5, "unheard"), (8, "nothing")] {
        let row = app.pages.exchange.rows.iter().find(|r| r.slug == format!("nba-{key:02}")).expect("listed");
        assert_eq!((row.price, row.why, row.apart), (None, why, None), "{key}");
    }
}

#[test]
fn what_is_kept_of_candidates_is_read_in_any_form() {
    let read = |told: Json| super::load::reasons(&told.to_string(), &[]);
    let (texts, none) = read(json!(["a", 3, "b"]));
    assert_eq!((texts, none.len()), (vec!["a".to_owned(), "b".to_owned()], 0));
    let (_, some) =
        read(json!([{"event": "e1", "confidence": 0.2}, {"event": 7}, {"provider_id": "e2", "commence": true}]));
    let told: Vec<_> = some.iter().map(|c| (c.provider_id.as_str(), c.name.as_str(), c.commence)).collect();
    assert_eq!(told, [("e1", "e1", None), ("e2", "e2", None)], "a number alone names no game");
    for torn in ["", "{", "[{\"confidence\":\"x\"}]", "null"] {
        assert_eq!(super::load::reasons(torn, &[]).1, []);
    }
}

#[test]
fn links_are_decided_from_the_keyboard() {
    let (mut app, folder) = page(200, 60);
    let decisions = || {
        let desk = Desk::open(&folder.path().join("desk.db")).expect("desk");
        let all = desk.exchange_decisions("polymarket").expect("read");
        all.into_iter().map(|d| (d.slug, d.provider_id)).collect::<Vec<_>>()
    };
    on(&mut app, 4);
    let likeliest = super::current(&app).expect("a listing").candidates[0].clone();
    assert!(likeliest.event.is_some() && likeliest.name.contains(" @ "));
    press(&mut app, &["a"]);
    assert_eq!(decisions(), [("nba-04".to_owned(), Some(likeliest.provider_id.clone()))]);
    let shown = text(&mut app);
    assert!(shown.contains("u takes it back") && shown.contains("the session takes it up"), "{shown}");
    press(&mut app, &["l", "a"]);
    assert_ne!(decisions()[0].1, Some(likeliest.provider_id));
    press(&mut app, &["d"]);
    assert_eq!(decisions(), [("nba-04".to_owned(), None)]);
    press(&mut app, &["u"]);
    assert!(decisions().is_empty());
    assert!(text(&mut app).contains("the rules decide again"));
    press(&mut app, &["u"]);
    assert!(text(&mut app).contains("nothing was decided"));
    // A link that the rules have made can be refused too; there is nothing to accept.
    on(&mut app, 0);
    press(&mut app, &["a"]);
    assert!(decisions().is_empty());
    press(&mut app, &["d"]);
    assert_eq!(decisions(), [("nba-00".to_owned(), None)]);
    // Not in the past.
    press(&mut app, &["u", "space", "d"]);
    assert!(decisions().is_empty() && text(&mut app).contains("decided in the present"));
}

#[test]
fn from_a_game_to_its_listing_and_back() {
    let (mut app, _folder) = page(80, 24);
    on(&mut app, 3);
    let event = super::current(&app).and_then(|l| l.event()).expect("linked");
    press(&mut app, &["2"]);
    assert_eq!(app.page, Page::Game);
    assert_eq!(super::super::board::current(&app).map(|g| g.who.id), Some(event));
    on(&mut app, 0);
    press(&mut app, &["7"]);
    assert_eq!(app.page, Page::Exchange);
    assert_eq!(super::current(&app).and_then(|l| l.event()), Some(event));
    assert!(app.pages.exchange.open, "the game is on show");
    press(&mut app, &["enter"]);
    assert_eq!(app.page, Page::Game);
}

#[test]
fn the_game_has_the_exchange_in_its_chart_and_on_its_card() {
    let (mut app, _folder) = page(160, 45);
    on(&mut app, 0);
    press(&mut app, &["enter"]);
    let shown = text(&mut app);
    let data = app.pages.game.slot.data.clone().expect("data");
    let beside = data.beside.as_ref().expect("linked");
    assert!(beside.fair.is_some() && beside.steps.iter().any(|s| s.1.is_some()));
    assert!(app.pages.game.series.iter().any(|s| s.name == "exchange" && !s.steps.is_empty()));
    assert!(shown.contains("Exchange") && shown.contains("points"), "{shown}");
    insta::assert_snapshot!("game_page_160x45", shown);
    for market in ["s", "t", "v", "v"] {
        press(&mut app, &[market]);
        let _ = text(&mut app);
    }
    let data = app.pages.game.slot.data.clone().expect("data");
    assert_eq!(data.beside.as_ref().and_then(|b| b.line), Line::from_points(221.5));
}

#[test]
fn the_past_knows_nothing_of_later() {
    let (mut app, _folder) = page(120, 40);
    app.go_to(at(10));
    answer(&mut app);
    let slice = app.pages.exchange.slot.data.clone().expect("listings");
    assert_eq!(slice.until, at(10));
    for listed in &slice.listed {
        let late = listed
            .game
            .markets
            .iter()
            .any(|m| m.book.as_ref().is_some_and(|b| b.at > at(10)) || m.seen.is_some_and(|s| s > at(10)));
        assert!(!late && listed.game.link.as_ref().is_none_or(|l| l.at <= at(10)));
    }
    let detail = super::detail(&app).expect("read").clone();
    assert!(detail.middle.iter().chain(&detail.fair).all(|s| s.at <= at(10).millis()));
    assert!(detail.trades.is_empty() && detail.gaps.is_empty());
    assert!(text(&mut app).contains("as it was kept at"));
    // Before anything was linked nothing was.
    app.go_to(at(0).plus(30_000));
    answer(&mut app);
    let slice = app.pages.exchange.slot.data.clone().expect("listings");
    assert!(slice.listed.iter().all(|l| l.game.link.is_none()));
    app.go_to(at(-60));
    answer(&mut app);
    assert!(app.pages.exchange.rows.is_empty());
    app.go_live();
    answer(&mut app);
    assert_eq!(app.pages.exchange.rows.len(), 9);
}

#[test]
fn rows_are_sorted_and_chosen_from_the_keyboard() {
    let (mut app, _folder) = page(120, 40);
    on(&mut app, 3);
    press(&mut app, &["c"]);
    let apart: Vec<f64> = app.pages.exchange.rows.iter().map(|r| r.apart.map_or(-1.0, f64::abs)).collect();
    assert!(apart.is_sorted_by(|a, b| a >= b), "{apart:?}");
    assert_eq!(super::current(&app).expect("a row").game.listing.slug, "nba-03", "the cursor stays on its listing");
    press(&mut app, &["c"]);
    assert_eq!(app.pages.exchange.rows[0].state, Some(LinkState::Review));
    press(&mut app, &["i"]);
    assert_eq!(app.pages.exchange.rows.len(), 1);
    press(&mut app, &["i", "i"]);
    assert!(app.pages.exchange.rows.iter().all(|r| r.event.is_none()));
    press(&mut app, &["F", "c", "g", "g", "t"]);
    assert_eq!(app.pages.exchange.rows.len(), 9);
    on(&mut app, 0);
    press(&mut app, &["s"]);
    assert_eq!(super::contract(&app).expect("a contract").contract.kind, "spread");
    assert_eq!(super::explain_target(&app).expect("a quote").3, "polymarket");
    press(&mut app, &["+", "+", "-", "0", "p", "M", "w", "x", "esc", "G", "pageup"]);
    let _ = text(&mut app);
}

#[test]
fn what_is_shown_can_be_exported() {
    let (app, _folder) = page(80, 24);
    let table = table(&app).expect("a table");
    assert_eq!((table.rows.len(), table.name.as_str()), (9, "exchange"));
    assert!(table.rows.iter().all(|r| r.len() == table.columns.len()));
    let csv = crate::board::export::write(&table, crate::board::export::Form::Csv, true, app.now());
    assert!(csv.starts_with("origin,as_of,slug,sport,start"), "{csv}");
}

#[test]
fn what_is_under_the_cursor_can_be_copied() {
    let (mut app, _folder) = page(120, 40);
    let copied = |app: &mut App, key: &str| {
        app.effects.clear();
        app.key(crate::board::keys::Key::parse(key).expect("a key"));
        app.effects
            .iter()
            .find_map(|e| if let Effect::Copy(t) = e { Some(t.clone()) } else { None })
            .unwrap_or_default()
    };
    let slug = app.pages.exchange.rows[app.pages.exchange.line].slug.clone();
    assert!(copied(&mut app, "y").contains('c'));
    let row = copied(&mut app, "Y");
    assert!(row.starts_with(&slug) && row.matches('\t').count() > 20, "{row}");
}

#[test]
fn empty_states_say_why() {
    // The demo without an exchange.
    let mut app = board(80, 24);
    app.at.settings = "/somewhere/stratum.toml".into();
    app.go(Page::Exchange);
    answer(&mut app);
    insta::assert_snapshot!("empty_80x24", text(&mut app));
    app.at.exchange_on = true;
    assert!(text(&mut app).contains("polymarket.on is true"));
    let mut app = testing::bare(60, 16);
    app.go(Page::Exchange);
    assert!(text(&mut app).contains("reading the store"));
    let version = app.pages.exchange.slot.ask(false);
    app.pages.exchange.slot.answer(version, Err("no such file".into()));
    assert!(text(&mut app).contains("cannot be read"));
}

#[test]
fn sixty_games_scroll_and_no_size_or_key_breaks_it() {
    let folder = tempfile::tempdir().expect("folder");
    let around = testing::surroundings(folder.path().to_owned());
    let mut store = Store::open(&around.store).expect("store");
    let new: Vec<NewListing> = (0..60)
        .map(|n| {
            listing(
                n,
                "Bay Bison",
                "Harbor Gulls",
                Some(at(n as i64)),
                vec![contract("moneyline", &format!("m{n}"), ["Bison", "Gulls"], None)],
            )
        })
        .collect();
    let kept = store.keep_listings("polymarket", &new, at(0)).expect("kept");
    let books = kept.iter().enumerate().map(|(n, k)| book(k.1[0], at(0), 1_000 + 100 * n as i32)).collect();
    store.keep_exchange(&ExchangeRows { books, ..ExchangeRows::default() }).expect("kept");
    let mut app = testing::bare(80, 24);
    app.at = around;
    app.arrived(Arc::new(crate::board::model::Slate { loaded: true, at: Some(at(1)), ..Default::default() }));
    app.go(Page::Exchange);
    answer(&mut app);
    assert_eq!(app.pages.exchange.rows.len(), 60);
    press(&mut app, &["G"]);
    assert_eq!(app.pages.exchange.line, 59);
    for (width, height) in [(60, 16), (61, 17), (83, 22), (116, 16), (140, 30), (240, 66)] {
        app.resized(Rect::new(0, 0, width, height));
        for key in ["k", "enter", "ctrl-w", "pageup", "+", "l", "esc", "7", "G"] {
            press(&mut app, &[key]);
            let shown = text(&mut app);
            assert_eq!(shown.lines().count(), usize::from(height));
        }
    }
}

#[test]
fn markets_of_bids_and_middles_are_no_markets_of_their_own() {
    let (mut app, _folder) = page(160, 45);
    let stored = app.slate().names.markets.iter().any(|m| m == "h2h_mid");
    assert!(stored && !app.markets().iter().any(|m| m.ends_with("_mid") || m.ends_with("_lay")));
    on(&mut app, 0);
    press(&mut app, &["enter", "p", "p", "p"]);
    assert!(!text(&mut app).contains("mid"), "{}", text(&mut app));
}

#[test]
fn the_tape_tells_of_a_divergence() {
    let (mut app, _folder) = page(200, 60);
    on(&mut app, 0);
    let detail = super::detail(&app).expect("read").clone();
    let signal = detail.signals.first().expect("a divergence").clone();
    assert!(signal.detail.exchange_probability.is_some());
    assert!(click(&mut app, &crate::board::paint::Hit::Signal(signal.id.clone()), true));
    answer(&mut app);
    assert_eq!(app.page, Page::Tape);
    let shown = text(&mut app);
    for told in ["DIVERGENCE", "the exchange gives", "Polymarket against the books", "the exchange moved first"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    app.prefs.filter = "type:exchange_divergence".into();
    app.pages.tape.evidence = false;
    super::super::tape::refresh(&mut app);
    answer(&mut app);
    let rows = app.pages.tape.shown.len();
    assert!(
        rows > 0
            && (0..rows).all(|at| {
                super::super::tape::row(&app, at).is_some_and(|r| r.signal.detail.exchange_probability.is_some())
            })
    );
}

#[test]
fn operations_tell_of_the_exchange() {
    let (mut app, _folder) = page(120, 40);
    app.go(Page::Ops);
    answer(&mut app);
    let shown = text(&mut app);
    assert!(shown.contains("polymarket") && shown.contains("sockets 1/2 up"), "{shown}");
}
