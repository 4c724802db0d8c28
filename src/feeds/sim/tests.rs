//! The simulator as a whole: determinism, costs, formats, situations, faults, and real HTTP.

use serde_json::Value;

use super::*;
use crate::market::time::Timestamp;

const NBA: &str = "basketball_nba";
const THREE: &str = "apiKey=k&regions=us,eu&markets=h2h,spreads,totals";

fn start() -> Timestamp {
    Timestamp::parse("2026-11-20T22:00:00Z").expect("time")
}

fn scenario(name: &str) -> Scenario {
    Scenario::load(name).expect(name)
}

fn api(name: &str) -> Api {
    Api::of_scenario(&scenario(name), start(), None)
}

fn after(s: i64) -> Timestamp {
    start().plus(s * 1000)
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).expect("json")
}

fn last(answer: &Answer) -> i64 {
    answer.quota.expect("quota").last
}

fn code(answer: &Answer) -> (u16, String) {
    let v: Value = serde_json::from_slice(&answer.body).expect("json");
    assert!(v["message"].is_string() && v["details_url"].as_str().is_some_and(|u| u.starts_with("https://")));
    (answer.status, v["error_code"].as_str().expect("code").to_owned())
}

/// (event index of the answer, book, market) -> the first point and all prices.
fn market<'v>(odds: &'v Value, event: &str, book: &str, key: &str) -> Option<&'v Value> {
    let event = odds.as_array()?.iter().find(|e| e["id"] == event)?;
    let book = event["bookmakers"].as_array()?.iter().find(|b| b["key"] == book)?;
    book["markets"].as_array()?.iter().find(|m| m["key"] == key)
}

/// The first value of the home side (or Over) in a market.
fn side(m: &Value, home: &str, field: &str) -> f64 {
    let outcomes = m["outcomes"].as_array().expect("outcomes");
    let o = outcomes.iter().find(|o| o["name"] == home || o["name"] == "Over").expect("side");
    o[field].as_f64().expect(field)
}

/// Id and home team of the game with this index.
fn game(api: &mut Api, sport: &str, index: usize, at: Timestamp) -> (String, String) {
    let world = api.world().expect("world");
    let event = world.events(at, sport, false).into_iter().find(|e| e.index == index).expect("game");
    (event.id, event.home.to_owned())
}

fn home_point(api: &mut Api, sport: &str, index: usize, key: &str, at: Timestamp) -> Vec<(String, f64)> {
    let (id, home) = game(api, sport, index, at);
    let odds = json(&api.get(at, &format!("/v4/sports/{sport}/odds"), THREE));
    let event = odds.as_array().expect("list").iter().find(|e| e["id"] == id.as_str()).expect("event");
    let books = event["bookmakers"].as_array().expect("books");
    books
        .iter()
        .filter_map(|b| {
            let key_of = b["key"].as_str()?;
            let m = market(&odds, &id, key_of, key)?;
            Some((key_of.to_owned(), side(m, &home, if key == "h2h" { "price" } else { "point" })))
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn points(list: &[(String, f64)]) -> Vec<f64> {
    list.iter().map(|(_, p)| *p).collect()
}

#[test]
fn the_same_question_has_the_same_answer_whatever_was_asked_before() {
    let s = scenario("demo");
    let ask = |world: &mut World, at| world.odds_body(at, &OddsQuery::everything(NBA));
    let mut a = World::new(&s, start());
    let mut b = World::new(&s, start());
    let instants = [0, 60, 300, 3600, 7200].map(after);
    let forwards: Vec<_> = instants.iter().map(|&t| ask(&mut a, t)).collect();
    let backwards: Vec<_> = instants.iter().rev().map(|&t| ask(&mut b, t)).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    assert_ne!(forwards[0], forwards[3]);
    let other = Scenario { seed: 99, ..s };
    assert_ne!(ask(&mut World::new(&other, start()), start()), forwards[0]);
}

#[test]
fn every_market_is_sane_all_evening() {
    let mut api = api("demo");
    for sport in [NBA, "americanfootball_nfl", "baseball_mlb", "icehockey_nhl"] {
        for at in (0..24).map(|i| after(i * 700)) {
            let odds = json(&api.get(at, &format!("/v4/sports/{sport}/odds"), THREE));
            let mut pregame = 0;
            for event in odds.as_array().expect("list") {
                let teams = [event["home_team"].as_str(), event["away_team"].as_str()];
                let commence = Timestamp::parse(event["commence_time"].as_str().expect("time")).expect("time");
                pregame += usize::from(commence > at);
                for book in event["bookmakers"].as_array().expect("books") {
                    for m in book["markets"].as_array().expect("markets") {
                        let update = Timestamp::parse(m["last_update"].as_str().expect("time")).expect("time");
                        let age = at.since(update);
                        assert!((0..=16 * 60_000).contains(&age), "{age} {}", book["key"]);
                        let outcomes = m["outcomes"].as_array().expect("outcomes");
                        assert_eq!(outcomes.len(), 2);
                        let price = |i: usize| outcomes[i]["price"].as_f64().expect("price");
                        assert!(price(0) > 1.0 && price(1) > 1.0);
                        let sum = 1.0 / price(0) + 1.0 / price(1);
                        if m["key"] != "h2h_lay" {
                            assert!(sum > 1.0 && sum < 1.12, "{sum} {m} {}", book["key"]);
                        }
                        let point = |i: usize| outcomes[i]["point"].as_f64();
                        match m["key"].as_str() {
                            Some("spreads") => assert_eq!(point(0).expect("point"), -point(1).expect("point")),
                            Some("totals") => assert_eq!(point(0), point(1)),
                            _ => {
                                assert_eq!(point(0), None);
                                assert!(teams.contains(&outcomes[0]["name"].as_str()));
                            }
                        }
                    }
                }
            }
            if at == start() {
                assert!(pregame > 0);
            }
        }
    }
}

#[test]
fn books_differ_lag_and_follow() {
    // After news, the sharpest book is the first to stand at the new price.
    let s = Scenario { volatility: 3.0, ..scenario("quiet") };
    let mut api = Api::of_scenario(&s, start(), None);
    let (id, home) = game(&mut api, NBA, 0, start());
    let series = |api: &mut Api, book: &str| -> Vec<f64> {
        (0..240)
            .map(|i| {
                let odds = json(&api.get(after(i * 30), &format!("/v4/sports/{NBA}/odds"), THREE));
                side(market(&odds, &id, book, "spreads").expect("market"), &home, "point")
            })
            .collect()
    };
    let (sharp, retail) = (series(&mut api, "pinnacle"), series(&mut api, "betrivers"));
    let miss = |lag: usize| -> f64 { sharp.iter().zip(&retail[lag..]).map(|(a, b)| (a - b).abs()).sum::<f64>() };
    assert_ne!(sharp, retail);
    assert!(miss(4) / (240.0 - 4.0) <= miss(0) / 240.0, "{} {}", miss(4), miss(0));
    // Sister books are one book.
    assert_eq!(series(&mut api, "lowvig"), series(&mut api, "betonlineag"));
}

#[test]
fn costs_follow_the_price_list() {
    let mut api = api("quiet");
    let (id, _) = game(&mut api, NBA, 0, start());
    let date = after(-3600).to_wire();
    let mut cost = |path: &str, query: &str| last(&api.get(start(), path, &format!("apiKey=k&{query}")));
    assert_eq!(cost("/v4/sports/", "all=true"), 0);
    assert_eq!(cost("/v4/sports/basketball_nba/events", ""), 0);
    assert_eq!(cost("/v4/sports/basketball_nba/odds/", "regions=us"), 1);
    assert_eq!(cost("/v4/sports/basketball_nba/odds", "regions=us,eu&markets=h2h,spreads,totals"), 6);
    assert_eq!(cost("/v4/sports/basketball_nba/odds", "regions=us,eu,uk&bookmakers=fanduel&markets=h2h,totals"), 2);
    assert_eq!(cost("/v4/sports/upcoming/odds", "regions=us"), 1);
    assert_eq!(cost("/v4/sports/soccer_epl/odds", "regions=us&markets=h2h,totals"), 0, "empty");
    assert_eq!(cost("/v4/sports/basketball_nba/scores", ""), 1);
    assert_eq!(cost("/v4/sports/basketball_nba/scores", "daysFrom=2"), 2);
    assert_eq!(cost("/v4/sports/basketball_nba/participants", ""), 1);
    let event = format!("/v4/sports/basketball_nba/events/{id}");
    assert_eq!(cost(&format!("{event}/markets"), "regions=us"), 1);
    assert_eq!(cost(&format!("{event}/odds"), "regions=us&markets=h2h,player_points,totals_p1"), 2, "as returned");
    assert_eq!(cost(&format!("{event}/odds"), "regions=us&markets=totals_p1"), 0);
    let past = |rest: &str| format!("/v4/historical/sports/basketball_nba/{rest}");
    assert_eq!(cost(&past("odds"), &format!("regions=us,eu&markets=h2h,totals&date={date}")), 40);
    assert_eq!(cost(&past("events"), &format!("date={date}")), 1);
    assert_eq!(
        cost(&past(&format!("events/{id}/odds")), &format!("regions=us&markets=h2h,player_points&date={date}")),
        20
    );
    let q = api.get(start(), "/v4/sports", "apiKey=k").quota.expect("quota");
    let spent = 1 + 6 + 2 + 1 + 1 + 2 + 1 + 1 + 2 + 40 + 1 + 20;
    assert_eq!((q.used, q.remaining, q.last), (spent, 100_000 - spent, 0));
    assert_eq!(api.stats.credits_used, spent);
}

#[test]
fn refusals_have_status_code_and_body() {
    let s = Scenario { credits: 2, ..scenario("quiet") };
    let mut api = Api::of_scenario(&s, start(), Some("secret".to_owned().into()));
    let mut ask = |path: &str, query: &str| code(&api.get(start(), path, query));
    let odds = "/v4/sports/basketball_nba/odds";
    let is = |status, code: &str| (status, code.to_owned());
    assert_eq!(ask(odds, "regions=us"), is(401, "MISSING_KEY"));
    assert_eq!(ask(odds, "apiKey=other&regions=us"), is(401, "INVALID_KEY"));
    assert_eq!(ask(odds, "apiKey=secret"), is(422, "MISSING_REGION"));
    assert_eq!(ask("/v4/sports/curling/odds", "apiKey=secret&regions=us"), is(404, "UNKNOWN_SPORT"));
    assert_eq!(ask("/v4/nonsense", "apiKey=secret"), is(404, "NOT_FOUND"));
    assert_eq!(ask("/v4/sports", "apiKey=secret&all=1"), is(422, "INVALID_ALL_SPORTS_PARAM"));
    assert_eq!(
        ask("/v4/sports/basketball_nba/scores", "apiKey=secret&daysFrom=4"),
        is(422, "INVALID_SCORES_DAYS_FROM")
    );
    let event = |id: &str| format!("/v4/sports/basketball_nba/events/{id}/odds");
    assert_eq!(ask(&event("short"), "apiKey=secret&regions=us"), is(422, "INVALID_EVENT_ID"));
    assert_eq!(ask(&event(&"0".repeat(32)), "apiKey=secret&regions=us"), is(404, "EVENT_NOT_FOUND"));
    let past = "/v4/historical/sports/basketball_nba/odds";
    assert_eq!(ask(past, "apiKey=secret&regions=us"), is(422, "MISSING_HISTORICAL_TIMESTAMP"));
    for date in ["2026-11-20T20:00:00.000Z", "2026-11-20T20:00:00%2B00:00", "yesterday", "2026-11-01T00:00:00Z"] {
        let query = format!("apiKey=secret&regions=us&date={date}");
        assert_eq!(ask(past, &query), is(422, "INVALID_HISTORICAL_TIMESTAMP"), "{date}");
    }
    assert_eq!(last(&api.get(start(), odds, "apiKey=secret&regions=us&markets=h2h,totals")), 2);
    let broke = api.get(start(), odds, "apiKey=secret&regions=us");
    assert_eq!(code(&broke), is(401, "OUT_OF_USAGE_CREDITS"));
    assert_eq!(broke.quota.expect("quota").remaining, 0);
    assert_eq!(api.get(start(), "/v4/sports", "apiKey=secret").status, 200, "free endpoints go on");
}

#[test]
fn formats_and_flags() {
    let mut api = api("quiet");
    let path = "/v4/sports/basketball_nba/odds";
    let v = json(&api.get(start(), path, &format!("{THREE}&oddsFormat=american&dateFormat=unix")));
    let first = &v[0];
    assert!(first["commence_time"].is_i64() && first["bookmakers"][0]["last_update"].is_i64());
    let price = first["bookmakers"][0]["markets"][0]["outcomes"][0]["price"].as_i64().expect("whole");
    assert!(price.abs() >= 100);
    let flags = "includeLinks=true&includeSids=true&includeBetLimits=true&includeRotationNumbers=true";
    let v = json(&api.get(start(), path, &format!("{THREE}&{flags}")));
    let pinnacle = v[0]["bookmakers"].as_array().expect("books").iter().find(|b| b["key"] == "pinnacle").expect("it");
    assert!(pinnacle["link"].as_str().expect("link").starts_with("https://"));
    assert!(pinnacle["sid"].is_string());
    assert!(pinnacle["markets"][0]["outcomes"][0]["bet_limit"].is_number());
    assert!(v[0]["home_rotation"].is_i64());
    assert!(v[1]["bookmakers"][1]["markets"][0]["outcomes"][0].get("link").is_some());
    // Without flags none of them is there.
    let v = json(&api.get(start(), path, THREE));
    let text = v.to_string();
    for field in ["link", "sid", "bet_limit", "rotation", "multiplier"] {
        assert!(!text.contains(&format!("\"{field}")), "{field}");
    }
    // Windows are inclusive, ids select, exchanges show lays next to h2h.
    let commence = v[2]["commence_time"].as_str().expect("time");
    let one = json(&api.get(
        start(),
        path,
        &format!("{THREE}&commenceTimeFrom={commence}&eventIds={}", v[2]["id"].as_str().expect("id")),
    ));
    assert_eq!(one.as_array().expect("list").len(), 1);
    let lay = json(&api.get(start(), path, "apiKey=k&bookmakers=matchbook&markets=h2h"));
    let keys: Vec<_> = lay[0]["bookmakers"][0]["markets"].as_array().expect("m").iter().map(|m| &m["key"]).collect();
    assert_eq!(keys, ["h2h", "h2h_lay"]);
    let o = |m: usize| lay[0]["bookmakers"][0]["markets"][m]["outcomes"][0]["price"].as_f64().expect("price");
    assert!(o(1) > o(0));
}

#[test]
fn event_odds_have_any_market_and_no_time_of_the_book() {
    let mut api = api("demo");
    let (id, home) = game(&mut api, NBA, 8, start());
    let keys = "h2h,alternate_spreads,team_totals,player_points,totals_h1";
    let path = format!("/v4/sports/{NBA}/events/{id}/odds");
    let v = json(&api.get(start(), &path, &format!("apiKey=k&regions=us&markets={keys}")));
    assert_eq!(v["home_team"], home.as_str());
    let book = v["bookmakers"].as_array().expect("books").iter().find(|b| b["key"] == "draftkings").expect("book");
    assert!(book.get("last_update").is_none());
    let markets = book["markets"].as_array().expect("markets");
    assert_eq!(markets.len(), 5);
    let props = markets.iter().find(|m| m["key"] == "player_points").expect("props");
    assert!(props["outcomes"].as_array().expect("o").iter().all(|o| o["description"].is_string()));
    assert!(markets.iter().all(|m| m["last_update"].is_string()));
    let listed = json(&api.get(start(), &format!("/v4/sports/{NBA}/events/{id}/markets"), "apiKey=k&regions=us"));
    let keys = listed["bookmakers"][0]["markets"].as_array().expect("markets");
    assert!(keys.iter().any(|m| m["key"] == "alternate_totals") && keys[0]["last_update"].is_string());
}

#[test]
fn the_past_is_the_market_as_it_was() {
    let mut api = api("demo");
    let path = format!("/v4/historical/sports/{NBA}/odds");
    let ask = |api: &mut Api, date: &str| json(&api.get(after(7200), &path, &format!("{THREE}&date={date}")));
    let v = ask(&mut api, &after(1000).to_wire());
    let taken = Timestamp::parse(v["timestamp"].as_str().expect("time")).expect("time");
    assert!(taken <= after(1000) && after(1000).since(taken) < 310_000);
    let live = json(&api.get(taken, &format!("/v4/sports/{NBA}/odds"), THREE));
    assert_eq!(v["data"], live);
    // The neighbours lead back to each other.
    let back = ask(&mut api, v["previous_timestamp"].as_str().expect("previous"));
    assert_eq!(back["next_timestamp"], v["timestamp"]);
    assert_eq!(back["timestamp"], v["previous_timestamp"]);
    let end = ask(&mut api, &after(9000).to_wire());
    assert!(end["next_timestamp"].is_null());
    let event = v["data"][0]["id"].as_str().expect("id");
    let one = format!("/v4/historical/sports/{NBA}/events/{event}/odds");
    let one = json(&api.get(after(7200), &one, &format!("{THREE}&date={}", after(1000).to_wire())));
    assert_eq!(one["data"]["id"], event);
}

#[test]
fn games_tip_play_settle_and_leave() {
    let mut api = api("demo");
    let (id, _) = game(&mut api, NBA, 3, start());
    let scores = |api: &mut Api, at, query: &str| {
        let v = json(&api.get(at, &format!("/v4/sports/{NBA}/scores"), &format!("apiKey=k{query}")));
        v.as_array().expect("list").iter().find(|e| e["id"] == id.as_str()).cloned()
    };
    let before = scores(&mut api, start(), "").expect("listed");
    assert!(before["scores"].is_null() && before["completed"] == false);
    let live = scores(&mut api, after(2 * 3600), "").expect("listed");
    assert!(live["scores"][0]["score"].is_string() && live["completed"] == false);
    let late = after(5 * 3600);
    assert_eq!(scores(&mut api, late, ""), None);
    assert_eq!(scores(&mut api, late, "&daysFrom=1").expect("listed")["completed"], true);
    assert_eq!(scores(&mut api, after(2 * 86_400), "&daysFrom=1"), None);
    let odds = json(&api.get(late, &format!("/v4/sports/{NBA}/odds"), THREE));
    assert!(odds.as_array().expect("list").iter().all(|e| e["id"] != id.as_str()));
    // The start is corrected once the game is under way.
    let commence = live["commence_time"].as_str().expect("time");
    assert_ne!(commence, before["commence_time"]);
}

#[test]
fn a_steam_moves_its_books_in_order() {
    let mut api = api("steam");
    let order = ["pinnacle", "betonlineag", "fanduel", "draftkings", "bovada", "betmgm"];
    let before = home_point(&mut api, NBA, 0, "spreads", after(295));
    assert_eq!(median(points(&before)), -3.5);
    let point = |list: &[(String, f64)], book: &str| list.iter().find(|(b, _)| b == book).expect("book").1;
    let first_at = |api: &mut Api, book: &str| {
        (295..420).find(|&s| point(&home_point(api, NBA, 0, "spreads", after(s)), book) <= -4.5).expect("moves")
    };
    let times: Vec<i64> = order.iter().map(|b| first_at(&mut api, b)).collect();
    assert!(times.windows(2).all(|w| w[0] < w[1]), "{times:?}");
    assert_eq!((times[0], times[5]), (300, 390));
    let during = home_point(&mut api, NBA, 0, "spreads", after(500));
    assert_eq!(point(&during, "mybookieag"), point(&before, "mybookieag"), "not among them");
    let later = home_point(&mut api, NBA, 0, "spreads", after(1300));
    assert_eq!(median(points(&later)), -5.0);
}

#[test]
fn scripted_situations_come_about() {
    const NFL: &str = "americanfootball_nfl";
    let mut k = api("key_cross");
    assert_eq!(median(points(&home_point(&mut k, NFL, 0, "spreads", after(200)))), -2.5);
    assert_eq!(median(points(&home_point(&mut k, NFL, 0, "spreads", after(500)))), -3.5);
    assert_eq!(median(points(&home_point(&mut k, NFL, 1, "spreads", after(500)))), 7.5);
    assert_eq!(median(points(&home_point(&mut k, NFL, 1, "spreads", after(900)))), 6.5);

    let mut z = api("zero_cross");
    assert!(median(points(&home_point(&mut z, NFL, 0, "spreads", after(200)))) < 0.0);
    assert!(median(points(&home_point(&mut z, NFL, 0, "spreads", after(500)))) > 0.0);

    let mut o = api("outlier");
    let spread = |list: Vec<(String, f64)>| {
        let out = list.iter().find(|(b, _)| b == "mybookieag").expect("book").1;
        (out - median(points(&list))).abs()
    };
    assert!(spread(home_point(&mut o, NBA, 0, "spreads", after(290))) <= 0.5);
    assert!(spread(home_point(&mut o, NBA, 0, "spreads", after(700))) >= 2.0);
    assert!(spread(home_point(&mut o, NBA, 0, "spreads", after(2300))) <= 0.5);

    let mut p = api("price_only");
    let (id, home) = game(&mut p, NFL, 0, start());
    let look = |p: &mut Api, s| {
        let odds = json(&p.get(after(s), &format!("/v4/sports/{NFL}/odds"), THREE));
        let m = market(&odds, &id, "pinnacle", "spreads").expect("market");
        (side(m, &home, "point"), side(m, &home, "price"))
    };
    let (before, later) = (look(&mut p, 290), look(&mut p, 450));
    assert_eq!(before.0, later.0);
    assert!(before.1 - later.1 > 0.05, "{before:?} {later:?}");

    let mut s = api("simultaneous");
    let moved = |s: &mut Api, at| median(points(&home_point(s, NBA, 0, "spreads", after(at))));
    assert_eq!((moved(&mut s, 299), moved(&mut s, 300)), (-4.5, -6.0));
}

#[test]
fn a_suspended_market_freezes_vanishes_and_reopens() {
    let mut api = api("suspend");
    let (id, _) = game(&mut api, NBA, 0, start());
    let look = |api: &mut Api, s: i64| {
        let odds = json(&api.get(after(s), &format!("/v4/sports/{NBA}/odds"), THREE));
        let m = market(&odds, &id, "fanduel", "spreads").cloned();
        m.map(|m| Timestamp::parse(m["last_update"].as_str().expect("time")).expect("time"))
    };
    let frozen = look(&mut api, 400).expect("still there");
    assert!(frozen <= after(300) && after(300).since(frozen) <= 60_000);
    assert_eq!(look(&mut api, 1100), Some(frozen));
    assert_eq!(look(&mut api, 1201), None);
    assert!(look(&mut api, 2101).expect("reopened") >= after(2040));
    assert_eq!(median(points(&home_point(&mut api, NBA, 0, "spreads", after(2200)))), -1.5);
    let shown = |api: &mut Api, s| home_point(api, NBA, 1, "h2h", after(s)).iter().any(|(b, _)| b == "fanduel");
    assert_eq!([599, 601, 1501].map(|s| shown(&mut api, s)), [true, false, true]);
}

#[test]
fn postponed_games_move_and_far_ones_get_a_new_id() {
    const MLB: &str = "baseball_mlb";
    let mut api = api("postponed");
    let look = |api: &mut Api, index, s| {
        let (id, _) = game(api, MLB, index, after(s));
        let v = json(&api.get(after(s), &format!("/v4/sports/{MLB}/events"), "apiKey=k"));
        let e = v.as_array().expect("list").iter().find(|e| e["id"] == id.as_str()).expect("event").clone();
        (id, Timestamp::parse(e["commence_time"].as_str().expect("time")).expect("time"))
    };
    let (a, b) = (look(&mut api, 0, 500), look(&mut api, 0, 700));
    assert_eq!(a.0, b.0);
    assert_eq!(b.1.since(a.1), 2 * 3_600_000);
    let (a, b) = (look(&mut api, 1, 800), look(&mut api, 1, 1000));
    assert_ne!(a.0, b.0);
    assert_eq!(b.1.since(a.1), 36 * 3_600_000);
}

/// The odds of the quiet scenario with one fault.
fn faulty(spec: FaultSpec) -> Value {
    let mut api = api("quiet");
    api.faults.set(spec, start());
    json(&api.get(start(), &format!("/v4/sports/{NBA}/odds"), THREE))
}

#[test]
fn every_shape_of_bad_content_can_be_had() {
    use FaultKind as K;
    let calm = json(&api("quiet").get(start(), &format!("/v4/sports/{NBA}/odds"), THREE));
    let on = |kind, key: Option<&str>| {
        let spec = FaultSpec {
            event: Some(0),
            book: Some("fanduel".into()),
            market: key.map(str::to_owned),
            ..FaultSpec::new(kind)
        };
        faulty(spec)
    };
    let event = calm[0].clone();
    let id = event["id"].as_str().expect("id");
    let fanduel = |v: &Value, key: &str| market(v, id, "fanduel", key).cloned();
    let outcomes = |v: &Value, key: &str| fanduel(v, key).expect(key)["outcomes"].clone();
    let usual = outcomes(&calm, "spreads");

    let v = outcomes(&on(K::SwappedOutcomes, Some("spreads")), "spreads");
    assert_eq!((&v[0], &v[1]), (&usual[1], &usual[0]));
    assert!(outcomes(&on(K::MissingPoint, Some("spreads")), "spreads")[0].get("point").is_none());
    assert_eq!(outcomes(&on(K::PointZero, Some("spreads")), "spreads")[1]["point"], 0);
    assert_eq!(outcomes(&on(K::PriceOne, None), "h2h")[0]["price"], 1);
    assert_eq!(outcomes(&on(K::NonNumericPrice, None), "totals")[0]["price"], "N/A");
    assert_eq!(outcomes(&on(K::DuplicateOutcome, None), "h2h").as_array().map(Vec::len), Some(3));
    let v = outcomes(&on(K::UnmirroredSides, Some("spreads")), "spreads");
    assert_ne!(v[0]["point"].as_f64().expect("point"), -v[1]["point"].as_f64().expect("point"));
    let v = outcomes(&on(K::WrongTeam, Some("h2h")), "h2h");
    assert!(v[0]["name"] != event["home_team"] && v[0]["name"] != event["away_team"]);
    assert_eq!(outcomes(&on(K::ThreeWay, Some("h2h")), "h2h")[2]["name"], "Draw");
    assert!(fanduel(&on(K::UnknownMarket, None), "coin_toss_spin").is_some());
    assert!(fanduel(&on(K::VanishingMarket, Some("totals")), "totals").is_none());
    assert!(fanduel(&on(K::VanishingBook, None), "h2h").is_none());
    let v = fanduel(&on(K::FutureTimestamp, None), "h2h").expect("h2h");
    assert!(Timestamp::parse(v["last_update"].as_str().expect("time")).expect("time") > after(3000));
    assert!(on(K::UnknownFields, None)[0]["venue"].is_object());
    assert!(on(K::NullBookmakers, None)[0]["bookmakers"].is_null());
    assert_eq!(on(K::EmptyBookmakers, None)[0]["bookmakers"], serde_json::json!([]));

    let ids = |v: &Value| v.as_array().expect("list").iter().filter(|e| e["id"] == id).count();
    assert_eq!(ids(&on(K::VanishingEvent, None)), 0);
    let v = on(K::MovedGame, None);
    let moved = v.as_array().expect("list").iter().find(|e| e["id"] == id).expect("event");
    assert_ne!(moved["commence_time"], event["commence_time"]);
    let pair = |v: &Value| {
        let same = |e: &&Value| e["home_team"] == event["home_team"] && e["away_team"] == event["away_team"];
        v.as_array().expect("list").iter().filter(same).cloned().collect::<Vec<_>>()
    };
    let v = pair(&on(K::NewId, None));
    assert!(v.len() == 1 && v[0]["id"] != id && v[0]["id"].as_str().map(str::len) == Some(32));
    let v = pair(&on(K::Doubleheader, None));
    assert!(v.len() == 2 && v[0]["id"] != v[1]["id"] && v[0]["commence_time"] != v[1]["commence_time"]);
    assert_eq!(faulty(FaultSpec::new(K::EmptyArray)), serde_json::json!([]));
}

#[test]
fn a_new_id_and_an_empty_answer_are_consistent_across_endpoints() {
    let mut api = api("quiet");
    api.faults.set(FaultSpec { event: Some(0), ..FaultSpec::new(FaultKind::NewId) }, start());
    let v = json(&api.get(start(), &format!("/v4/sports/{NBA}/events"), "apiKey=k"));
    let new = v.as_array().expect("list").last().expect("event")["id"].as_str().expect("id").to_owned();
    let one = api.get(start(), &format!("/v4/sports/{NBA}/events/{new}/odds"), "apiKey=k&regions=us");
    assert_eq!(json(&one)["id"], new.as_str());
    api.faults.set(FaultSpec::new(FaultKind::EmptyArray), start());
    assert_eq!(last(&api.get(start(), &format!("/v4/sports/{NBA}/odds"), THREE)), 0);
}

#[test]
fn a_frozen_market_stands_still_and_then_is_gone() {
    let mut api = api("quiet");
    let spec = FaultSpec { market: Some("totals".into()), ..FaultSpec::new(FaultKind::FrozenLastUpdate) };
    api.faults.set(spec, after(100));
    let (id, _) = game(&mut api, NBA, 0, start());
    let look = |api: &mut Api, s, key: &str| {
        let v = json(&api.get(after(s), &format!("/v4/sports/{NBA}/odds"), THREE));
        market(&v, &id, "betmgm", key).map(|m| m["last_update"].clone())
    };
    let frozen = look(&mut api, 200, "totals");
    assert!(frozen.is_some());
    assert_eq!(look(&mut api, 900, "totals"), frozen);
    assert_eq!(look(&mut api, 1001, "totals"), None);
    assert_ne!(look(&mut api, 900, "h2h"), look(&mut api, 200, "h2h"));
}

#[test]
fn a_load_answer_is_whole_and_changes_by_the_asked_share() {
    let s = scenario("load");
    let mut world = World::new(&s, start());
    let query = OddsQuery::everything("basketball_ncaab");
    let quotes = |body: &[u8]| -> Vec<(String, String)> {
        let v: Value = serde_json::from_slice(body).expect("json");
        let mut quotes = Vec::new();
        for e in v.as_array().expect("list") {
            for b in e["bookmakers"].as_array().expect("books") {
                for m in b["markets"].as_array().expect("markets").iter().filter(|m| m["key"] != "h2h_lay") {
                    for o in m["outcomes"].as_array().expect("outcomes") {
                        quotes.push((format!("{}{}{}{}", e["id"], b["key"], m["key"], o["name"]), o.to_string()));
                    }
                }
            }
        }
        quotes
    };
    let (a, b) = (quotes(&world.odds_body(after(30), &query)), quotes(&world.odds_body(after(90), &query)));
    assert_eq!(a.len(), 72_000);
    assert!(a.iter().zip(&b).all(|(x, y)| x.0 == y.0));
    let changed = a.iter().zip(&b).filter(|(x, y)| x.1 != y.1).count() as f64 / 72_000.0;
    assert!((changed - 0.02).abs() < 0.003, "{changed}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_request_can_upset_it(
        path in "(/v4|/historical|/sports|/basketball_nba|/events|/odds|/scores|/é|/%|//){0,7}",
        query in "((apiKey|regions|markets|date|daysFrom|eventIds|commenceTimeTo|all)=[ -~é]{0,30}&?){0,6}",
        seconds in proptest::num::i64::ANY,
    ) {
        let mut api = api("faults");
        let at = Timestamp::from_millis(seconds);
        let answer = api.get(at, &path, &format!("apiKey=k&{query}"));
        proptest::prop_assert!([200, 401, 404, 422, 429, 500].contains(&answer.status));
    }
}

mod http;
