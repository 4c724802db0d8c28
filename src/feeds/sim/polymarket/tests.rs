//! The exchange as a whole: determinism, consistency with the books, shapes, the channel, faults.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::{Api, FaultKind, FaultSpec, OddsQuery, Scenario};
use super::*;

mod channel;
mod http;
mod shapes;

fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T22:00:00Z").expect("time")
}

fn after(s: i64) -> Timestamp {
    start().plus(s * 1000)
}

fn scenario(name: &str) -> Scenario {
    Scenario::load(name).expect(name)
}

fn venue(name: &str) -> Venue {
    let mut scenario = scenario(name);
    scenario.exchange.enabled = true;
    Venue::new(&scenario, start()).expect("exchange")
}

/// A small evening: two leagues and soccer, games before, under way and over.
fn evening() -> Scenario {
    let text = "name = 'evening'\nseed = 5\nbook_count = 4\n\
        [[sport]]\nkey = 'basketball_nba'\ngames = 3\nfirst_in_min = -120\nevery_min = 90\n\
        [[sport]]\nkey = 'soccer_epl'\ngames = 2\nfirst_in_min = 30\n";
    Scenario::parse("evening", text).expect("scenario")
}

fn get(venue: &Venue, at: Timestamp, path: &str, query: &str) -> Value {
    let reply = answer(venue, at, false, path, query, b"");
    assert_eq!(reply.status, 200, "{path}?{query}: {}", reply.body);
    serde_json::from_str(&reply.body).expect("json")
}

fn refusal(venue: &Venue, at: Timestamp, path: &str, query: &str) -> (u16, String) {
    let reply = answer(venue, at, false, path, query, b"");
    let body: Value = serde_json::from_str(&reply.body).expect("json");
    (reply.status, body["error"].as_str().expect("error").to_owned())
}

fn number(v: &Value) -> f64 {
    v.as_str().map_or_else(|| v.as_f64(), |t| t.parse().ok()).unwrap_or_else(|| panic!("a number: {v}"))
}

/// What a reader knows of a token: levels by side and price, the last hash and timestamp.
#[derive(Default, Debug, Clone, PartialEq)]
struct Seen {
    levels: BTreeMap<(bool, String), String>,
    hash: String,
    timestamp: String,
}

impl Seen {
    fn of(book: &Value) -> Self {
        let mut seen = Self::default();
        for (bid, side) in [(true, "bids"), (false, "asks")] {
            for level in book[side].as_array().expect(side) {
                let text = |k: &str| level[k].as_str().expect(k).to_owned();
                seen.levels.insert((bid, text("price")), text("size"));
            }
        }
        seen.hash = book["hash"].as_str().expect("hash").to_owned();
        seen.timestamp = book["timestamp"].as_str().expect("timestamp").to_owned();
        seen
    }

    fn best(&self) -> (Option<f64>, Option<f64>) {
        let prices = |bid: bool| {
            self.levels.keys().filter(move |(b, _)| *b == bid).map(|(_, p)| p.parse::<f64>().expect("price"))
        };
        (prices(true).reduce(f64::max), prices(false).reduce(f64::min))
    }
}

/// A plain reader of the channel.
#[derive(Default)]
struct Reader {
    books: BTreeMap<String, Seen>,
    kinds: BTreeMap<String, usize>,
    strange: usize,
}

impl Reader {
    fn frame(&mut self, frame: &str) {
        let Ok(value) = serde_json::from_str::<Value>(frame) else {
            self.strange += 1;
            return;
        };
        match value {
            Value::Array(all) => all.iter().for_each(|m| self.message(m)),
            one => self.message(&one),
        }
    }

    fn message(&mut self, m: &Value) {
        let kind = m["event_type"].as_str().expect("event_type");
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
        let text = |v: &Value| v.as_str().expect("text").to_owned();
        match kind {
            "book" => {
                self.books.insert(text(&m["asset_id"]), Seen::of(m));
            }
            "price_change" => {
                let changes = m.get("price_changes").or(m.get("changes")).and_then(Value::as_array).cloned();
                for c in changes.unwrap_or_else(|| vec![m.clone()]) {
                    let asset = c.get("asset_id").unwrap_or(&m["asset_id"]);
                    let Some(seen) = self.books.get_mut(asset.as_str().expect("asset")) else { continue };
                    let key = (c["side"] == "BUY", text(&c["price"]));
                    match c["size"].as_str().expect("size") {
                        "0" => seen.levels.remove(&key),
                        size => seen.levels.insert(key, size.to_owned()),
                    };
                    seen.hash = text(c.get("hash").unwrap_or(&m["hash"]));
                    seen.timestamp = text(&m["timestamp"]);
                }
            }
            _ => {}
        }
    }
}

fn subscription(tokens: &[String]) -> String {
    serde_json::json!({"assets_ids": tokens, "type": "market", "initial_dump": true, "level": 2,
                       "custom_feature_enabled": true})
    .to_string()
}

/// Every token of the markets that `keep` chooses.
fn tokens(venue: &Venue, keep: impl Fn(&catalog::MarketSpec) -> bool) -> Vec<String> {
    venue.catalog.markets.iter().filter(|m| keep(m)).flat_map(|m| m.tokens.clone()).collect()
}

#[test]
fn two_exchanges_of_one_scenario_tell_the_same_to_the_byte() {
    let (a, b) = (Venue::new(&evening(), start()).expect("a"), Venue::new(&evening(), start()).expect("b"));
    // What was asked before does not matter.
    get(&b, after(5000), "/gamma/events", "limit=100");
    let id = a.catalog.markets[4].tokens[1].clone();
    for (path, query) in [
        ("/gamma/events", "limit=100".to_owned()),
        ("/gamma/markets/keyset", "limit=100&closed=true".to_owned()),
        ("/clob/book", format!("token_id={id}")),
        ("/clob/prices-history", format!("market={id}&startTs={}", after(-7200).secs())),
        ("/data/trades", format!("market={}", a.catalog.markets[4].condition)),
    ] {
        let at = after(777);
        assert_eq!(answer(&a, at, false, path, &query, b""), answer(&b, at, false, path, &query, b""), "{path}");
    }
    let other = Scenario { seed: 6, ..evening() };
    let other = Venue::new(&other, start()).expect("other");
    assert_ne!(other.catalog.markets[0].condition, a.catalog.markets[0].condition);
}

/// Vig-free probability of home at the leading book, by game.
fn fair_at_the_books(api: &mut Api, at: Timestamp, sport: &str) -> BTreeMap<(String, String), f64> {
    let world = api.world().expect("world");
    let body = world.odds_body(at, &OddsQuery::everything(sport));
    let v: Value = serde_json::from_slice(&body).expect("json");
    let mut found = BTreeMap::new();
    for e in v.as_array().expect("events") {
        let book = e["bookmakers"].as_array().and_then(|b| b.iter().find(|b| b["key"] == "pinnacle"));
        let market = book.and_then(|b| b["markets"].as_array()?.iter().find(|m| m["key"] == "h2h"));
        let Some(outcomes) = market.and_then(|m| m["outcomes"].as_array()) else { continue };
        let raw: Vec<f64> = outcomes.iter().map(|o| 1.0 / o["price"].as_f64().expect("price")).collect();
        let name = |k: &str| e[k].as_str().expect(k).to_owned();
        found.insert((name("home_team"), name("away_team")), raw[0] / raw.iter().sum::<f64>());
    }
    found
}

#[test]
fn prices_follow_the_books_of_the_same_seed() {
    let demo = scenario("demo");
    let (venue, mut api) = (Venue::new(&demo, start()).expect("venue"), Api::of_scenario(&demo, start(), None));
    let (mut gaps, mut live) = (Vec::new(), Vec::new());
    for s in [60, 1200, 2300] {
        for sport in ["basketball_nba", "americanfootball_nfl", "baseball_mlb", "icehockey_nhl"] {
            let fair = fair_at_the_books(&mut api, after(s), sport);
            for (n, m) in venue.catalog.markets.iter().enumerate().filter(|(_, m)| m.kind == "moneyline") {
                let game = &venue.fixture(m.fixture).expect("game").game;
                let Some(home) = fair.get(&(game.home.to_owned(), game.away.to_owned())) else { continue };
                if game.sport.key != sport {
                    continue;
                }
                let mark = venue.calm_mark(n, after(s)).expect("mark");
                let mid = f64::from(venue.ladder(n, mark).twice_mid().expect("mid")) / 2000.0;
                // During a game the books are seconds behind.
                let list = if after(s) < game.start { &mut gaps } else { &mut live };
                list.push((mid - (1.0 - home)).abs());
            }
        }
    }
    gaps.sort_by(f64::total_cmp);
    assert!(gaps.len() > 40, "{}", gaps.len());
    assert!(gaps[gaps.len() / 2] < 0.015 && *gaps.last().expect("gap") < 0.05, "{gaps:?}");
    live.sort_by(f64::total_cmp);
    assert!(live.len() > 10 && live[live.len() / 2] < 0.02, "{live:?}");
}

#[test]
fn a_lead_and_a_lag_show_in_a_scripted_move() {
    let mid = |lead_s: f64, s: i64| {
        let mut steam = scenario("steam");
        steam.exchange = ExchangeSettings { lead_s, step_s: 1.0, noise: 0.0, ..ExchangeSettings::default() };
        let script = steam.events.iter().find(|e| e.points != 0.0).expect("script").clone();
        let venue = Venue::new(&steam, start()).expect("venue");
        let n = venue.catalog.markets.iter().position(|m| {
            let game = &venue.fixture(m.fixture).expect("game").game;
            let kind = if script.market == "totals" { "totals" } else { "spreads" };
            game.sport.key == script.sport && script.game.is_none_or(|g| g == game.index) && m.kind == kind
        });
        let n = n.expect("market");
        let at = after(script.at_s as i64 + s);
        venue.ladder(n, venue.calm_mark(n, at).expect("mark")).twice_mid().expect("mid")
    };
    // A spread of two cents instead of one moves the midpoint by half a cent, twice that of a tick here.
    let moved = |a: i32, b: i32| (a - b).abs() > 20;
    assert!(!moved(mid(0.0, -30), mid(0.0, -5)));
    assert!(moved(mid(0.0, -5), mid(0.0, 5)));
    assert!(moved(mid(60.0, -65), mid(60.0, -55)));
    assert!(!moved(mid(-60.0, -5), mid(-60.0, 50)));
    assert!(moved(mid(-60.0, 50), mid(-60.0, 65)));
}

#[test]
fn books_mirror_each_other_and_are_not_crossed() {
    let venue = venue("demo");
    for (n, m) in venue.catalog.markets.iter().enumerate() {
        for s in [0, 600, 7000] {
            let state = venue.state();
            if venue.standing(n, after(s), &state) != super::venue::Standing::Open {
                continue;
            }
            drop(state);
            let books = m.tokens.each_ref().map(|t| get(&venue, after(s), "/clob/book", &format!("token_id={t}")));
            let [a, b] = books.each_ref().map(Seen::of);
            let turned: BTreeMap<(bool, String), String> = b
                .levels
                .iter()
                .map(|((bid, p), size)| {
                    let own = (1000.0 - 1000.0 * p.parse::<f64>().expect("price")).round() as i32;
                    ((!bid, messages::price(own)), size.clone())
                })
                .collect();
            assert_eq!(a.levels, turned, "{}", m.question);
            if let (Some(bid), Some(ask)) = a.best() {
                assert!(bid < ask && ask - bid < 0.021, "{}: {bid} {ask}", m.question);
            }
            assert_eq!(a.timestamp, b.timestamp);
            assert!(a.timestamp.parse::<i64>().expect("ms") <= after(s).millis());
        }
    }
}

#[test]
fn games_end_and_are_resolved() {
    let venue = Venue::new(&evening(), start()).expect("venue");
    let m = &venue.catalog.markets[0];
    let game = &venue.fixture(m.fixture).expect("game").game;
    let late = m.closes.plus(1000);
    let v = get(&venue, late, "/gamma/markets", &format!("slug={}", m.slug));
    assert_eq!(v, serde_json::json!([]), "what is over is found only when it is asked for");
    let v = get(&venue, late, "/gamma/markets", &format!("slug={}&closed=true", m.slug));
    assert_eq!(v[0]["closed"], true);
    assert_eq!(v[0]["active"], true);
    assert_eq!(v[0]["umaResolutionStatus"], "resolved");
    let (home, away) = game.score_at(game.end).expect("score");
    let away_won = away > home;
    assert_eq!(v[0]["outcomePrices"], if away_won { "[\"1\", \"0\"]" } else { "[\"0\", \"1\"]" });
    let (status, why) = refusal(&venue, late, "/clob/book", &format!("token_id={}", m.tokens[0]));
    assert_eq!((status, why.as_str()), (404, "No orderbook exists for the requested token id"));
    let v = get(&venue, late, &format!("/clob/markets/{}", m.condition), "");
    assert_eq!(v["tokens"][usize::from(!away_won)]["winner"], true);
    assert_eq!(v["tokens"][usize::from(away_won)]["winner"], false);
    // Of the three questions about a soccer game, one comes true.
    let soccer: Vec<_> = venue.catalog.markets.iter().filter(|m| m.neg_risk && m.event == soccer(&venue)).collect();
    assert_eq!(soccer.len(), 3);
    let last = soccer.iter().map(|m| m.closes).max().expect("three");
    let yes = soccer
        .iter()
        .filter(|m| get(&venue, last, &format!("/clob/markets/{}", m.condition), "")["tokens"][0]["winner"] == true);
    assert_eq!(yes.count(), 1);
}

#[test]
fn a_postponed_game_keeps_its_ticker_and_moves_its_start() {
    let venue = venue("postponed");
    let event = venue.catalog.events.iter().find(|e| {
        let fixture = venue.fixture(e.fixture).expect("game");
        fixture.effects.moved.is_some_and(|(_, _, new_id)| new_id)
    });
    let event = event.expect("a game that is moved by more than a day");
    let (when, before, _) = venue.fixture(event.fixture).expect("game").effects.moved.expect("moved");
    let look = |at| get(&venue, at, &format!("/gamma/events/{}", event.id), "");
    let (a, b) = (look(when.plus(-1000)), look(when));
    assert_eq!(a["startTime"], before.to_wire());
    assert_ne!(a["startTime"], b["startTime"]);
    assert_eq!((&a["slug"], &a["gameId"]), (&b["slug"], &b["gameId"]));
    assert!(a["slug"].as_str().is_some_and(|s| s.ends_with(&event.date)));
}

/// Number of the first soccer event.
fn soccer(venue: &Venue) -> usize {
    venue.catalog.events.iter().position(|e| e.neg_risk).expect("soccer")
}

#[test]
fn a_scenario_may_have_no_exchange() {
    let mut none = evening();
    none.exchange.enabled = false;
    assert!(Venue::new(&none, start()).is_none());
}
