//! Closes and closing line value of recorded games against the raw lines: the last look before the start says what the
//! books offered last, and plain arithmetic what a signal's entry was worth against it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::raw::{Clocks, Outcomes, decimal, median, millis, number, outcomes, power, rows, sides, text};
use common::{import_with, lines, series, usual};
use rusqlite::Connection;
use serde_json::Value;
use stratum::market::line::Line;
use stratum::market::margin::Models;
use stratum::market::selection::Side;

/// Market, book: line and American price by side, while it is fresh.
type Offers = BTreeMap<(String, String), Outcomes>;

/// One event over all looks.
#[derive(Default)]
struct Game {
    /// What each look showed; `None`: not the event.
    looks: Vec<Option<Offers>>,
    /// The start as known at each look; `None`: the event was not known.
    start: Vec<Option<i64>>,
}

struct Recorded {
    at: Vec<i64>,
    games: BTreeMap<String, Game>,
}

fn read(looks: &[(i64, Vec<u8>)]) -> Recorded {
    let mut recorded = Recorded { at: Vec::new(), games: BTreeMap::new() };
    let mut clocks = Clocks::default();
    for (n, (at, body)) in looks.iter().enumerate() {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        clocks.next_look();
        recorded.at.push(*at);
        for event in body.as_array().expect("events") {
            let id = text(event, "id");
            let game = recorded.games.entry(id.to_owned()).or_default();
            game.looks.resize(n, None);
            game.start.resize(n, game.start.last().copied().flatten());
            game.start.push(Some(millis(text(event, "commence_time"))));
            let mut offers = Offers::new();
            for book in event["bookmakers"].as_array().expect("bookmakers") {
                for market in book["markets"].as_array().expect("markets") {
                    let place = (id.to_owned(), text(book, "key").to_owned(), text(market, "key").to_owned());
                    let update = millis(text(market, "last_update"));
                    if clocks.fresh(&place, update, *at) {
                        offers.insert((place.2, place.1), outcomes(event, market));
                    }
                }
            }
            game.looks.push(Some(offers));
        }
        for game in recorded.games.values_mut() {
            game.looks.resize(n + 1, None);
            game.start.resize(n + 1, game.start.last().copied().flatten());
        }
    }
    recorded
}

impl Recorded {
    /// The last look before an instant.
    fn before(&self, start: i64) -> Option<usize> {
        self.at.iter().rposition(|at| *at < start)
    }

    fn at_close<'r>(&'r self, game: &'r Game, start: i64) -> Option<&'r Offers> {
        game.looks[self.before(start)?].as_ref()
    }
}

fn check(name: &str, games_at_least: usize) {
    let Some(path) = series(name) else { return };
    let recorded = read(&lines(&path));
    let folder = tempfile::tempdir().expect("folder");
    let db = folder.path().join("stratum.db");
    import_with(&db, usual(), path);
    let c = Connection::open(&db).expect("database");
    let ids: BTreeMap<u64, String> = {
        let mut select = c.prepare("SELECT id, provider_id FROM event").expect("events");
        let rows = select.query_map([], |r| Ok((r.get::<_, i64>(0)? as u64, r.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("events")
    };
    let closes = rows(
        &c,
        "SELECT json FROM close AS x WHERE version = (SELECT max(version) FROM close WHERE event = x.event AND
         market = x.market AND subject = x.subject AND own_line = x.own_line) ORDER BY event, market",
    );
    every_version(name, &rows(&c, "SELECT json FROM close"));
    against_raw(name, &recorded, &ids, &closes, games_at_least);
    nothing_forgotten(name, &recorded, &ids, &closes);
    let clv =
        rows(&c, "SELECT json FROM clv AS x WHERE version = (SELECT max(version) FROM clv WHERE signal = x.signal)");
    graded(name, &recorded, &ids, &closes, &clv);
    let signals = rows(&c, "SELECT json FROM signal WHERE version = 1");
    exactly_the_started(name, &recorded, &signals, &clv);
}

/// What holds of any close that was ever taken.
fn every_version(name: &str, closes: &[Value]) {
    for close in closes {
        let start = millis(text(close, "start"));
        if let Some(seen) = close["seen_at"].as_str() {
            assert!(millis(seen) < start, "{name}: a look at or after the start: {close}");
        }
        assert_ne!(close["grade"], "F", "{name}: {close}");
        assert_eq!(close["grade"].is_null(), close["reason"].is_string(), "{name}: a grade or a reason: {close}");
        if close["grade"].is_null() {
            continue;
        }
        let sum: f64 = close["probability"].as_array().expect("probability").iter().map(number).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}: {close}");
        assert!(close["seen_at"].is_string(), "{name}: a close of no look: {close}");
        let counted = close["inputs"].as_array().expect("inputs").iter().filter(|i| i["excluded"].is_null()).count();
        assert_eq!(close["books"], counted, "{name}: {close}");
        let ages = close["inputs"].as_array().expect("inputs").iter().filter(|i| i["excluded"].is_null());
        assert!(ages.map(|i| number(&i["age_seconds"])).all(|age| age >= 0.0), "{name}: {close}");
    }
}

/// Books and lines of each close against the last look before its start.
fn against_raw(name: &str, recorded: &Recorded, ids: &BTreeMap<u64, String>, closes: &[Value], games_at_least: usize) {
    let mut apart: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut chance: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut inputs = 0;
    for close in closes.iter().filter(|c| !c["grade"].is_null()) {
        let game = &recorded.games[&ids[&close["event_id"].as_u64().expect("event")]];
        let market = text(close, "market");
        let start = millis(text(close, "start"));
        let Some(offers) = recorded.at_close(game, start) else {
            panic!("{name}: the last look before {start} did not show the event: {close}");
        };
        let [first, second] = sides(market);
        for input in close["inputs"].as_array().expect("inputs").iter().filter(|i| i["excluded"].is_null()) {
            let book = text(input, "book");
            let offer = offers.get(&(market.to_owned(), book.to_owned()));
            let offer = offer.unwrap_or_else(|| panic!("{name}: {book} had nothing open: {close}"));
            assert_eq!(input["line"].as_f64(), offer[first].0, "{name}: {book}: {close}");
            for (place, side) in [first, second].into_iter().enumerate() {
                let price = number(&input["prices"][place]);
                assert!((price - decimal(offer[side].1)).abs() < 1e-12, "{name}: {book}: {close}");
            }
            inputs += 1;
        }
        let raw: Vec<f64> =
            offers.iter().filter(|((m, _), _)| m == market).filter_map(|(_, s)| s.get(first)?.0).collect();
        if !["A", "B", "C"].contains(&text(close, "grade")) {
            continue;
        }
        // What the books at the close's own line made of it.
        let at_line = offers.iter().filter(|((m, _), _)| m == market).filter_map(|(_, s)| {
            let (a, b) = (s.get(first)?, s.get(second)?);
            (a.0 == close["line"].as_f64()).then(|| power(1.0 / decimal(a.1), 1.0 / decimal(b.1)))
        });
        let chances: Vec<f64> = at_line.collect();
        let probability = number(&close["probability"][0]);
        if chances.len() >= 3 {
            chance.entry(market).or_default().push((probability - median(chances)).abs());
        }
        if let Some(fair_line) = close["fair_line"].as_f64() {
            let line = median(raw.clone());
            if raw.iter().all(|l| *l == line) && (probability - 0.5).abs() > 0.01 {
                // The likelier side at the line gives more than that line for even money.
                let more = if market == "totals" { fair_line > line } else { fair_line < line };
                assert_eq!(more, probability > 0.5, "{name}: {close}");
            }
            apart.entry(market).or_default().push((fair_line - line).abs());
        }
    }
    assert!(inputs > 0, "{name}");
    for (market, apart) in chance {
        let widest = apart.iter().copied().fold(0.0, f64::max);
        let (games, middle) = (apart.len(), median(apart));
        eprintln!("{name}: {market}: {games} games, fair and median chance apart: {middle:.4}, at most {widest:.4}");
        assert!(middle <= 0.01, "{name}: {market}: {middle}");
    }
    for market in ["spreads", "totals"] {
        let apart = apart.remove(market).unwrap_or_default();
        assert!(apart.len() >= games_at_least, "{name}: {} closes of {market}", apart.len());
        let widest = apart.iter().copied().fold(0.0, f64::max);
        let (games, middle) = (apart.len(), median(apart));
        eprintln!("{name}: {market}: {games} games, fair line and median line apart: {middle:.3}, at most {widest:.3}");
        // A run line stands at one and a half whoever plays; all that is known of the game is in its price.
        let run_line = market == "spreads" && (name.starts_with("mlb") || name.starts_with("kbo"));
        assert!(run_line || middle <= 0.25, "{name}: {market}: {middle}");
    }
}

/// Every game that had something open before a start that has passed has a close, or a reason.
fn nothing_forgotten(name: &str, recorded: &Recorded, ids: &BTreeMap<u64, String>, closes: &[Value]) {
    let of =
        |close: &Value| (ids[&close["event_id"].as_u64().expect("event")].clone(), text(close, "market").to_owned());
    let have: BTreeSet<(String, String)> = closes.iter().map(of).collect();
    let mut due = 0;
    for (id, game) in &recorded.games {
        let started = recorded.at.iter().zip(&game.start).any(|(at, start)| start.is_some_and(|s| s <= *at));
        let mut open = BTreeSet::new();
        for (look, offers) in game.looks.iter().enumerate() {
            let pregame = game.start[look].is_some_and(|start| recorded.at[look] < start);
            open.extend(offers.iter().filter(|_| pregame).flat_map(|o| o.keys().map(|(market, _)| market)));
        }
        for market in open.into_iter().filter(|_| started) {
            assert!(have.contains(&(id.clone(), market.clone())), "{name}: {id} {market} has neither close nor reason");
            due += 1;
        }
    }
    assert!(due > 0, "{name}");
}

/// Every graded signal again, from the value of its close.
fn graded(name: &str, recorded: &Recorded, ids: &BTreeMap<u64, String>, closes: &[Value], clv: &[Value]) {
    let models = Models::embedded().expect("models");
    let mut counted = 0;
    for row in clv {
        if row["close"]["grade"].is_null() || row["clv_ev"].is_null() {
            assert!(row["left_out"].is_string() && row["clv_ev"].is_null(), "{name}: {row}");
            continue;
        }
        assert!(row["left_out"].is_null(), "{name}: {row}");
        let market = text(row, "market");
        let close = closes.iter().find(|c| c["event_id"] == row["event_id"] && c["market"] == market);
        let close = close.unwrap_or_else(|| panic!("{name}: no close of {row}"));
        assert_eq!((&row["close"]["grade"], &row["start"]), (&close["grade"], &close["start"]), "{name}: {row}");
        assert!(millis(text(row, "detected_at")) < millis(text(row, "start")), "{name}: {row}");
        let side = text(row, "side");
        let place = sides(market).iter().position(|s| *s == side).expect("a side");
        let entry = &row["entry"];
        let (line, price) = (entry["line"].as_f64(), number(&entry["price"]));
        let found = models.for_sport(text(row, "sport")).map(|f| f.model);
        let (p, ev) = if close["scale"] == "points" {
            let distribution = match market {
                "spreads" => found.and_then(|m| m.margin(None)),
                _ => found.and_then(|m| m.total()),
            };
            let side = [("home", Side::Home), ("away", Side::Away), ("over", Side::Over), ("under", Side::Under)]
                .into_iter()
                .find_map(|(s, side)| (s == text(row, "side")).then_some(side));
            let line = Line::from_points(line.expect("line")).expect("line");
            let settled = distribution.expect("model").settlement(side.expect("side"), line, number(&close["value"]));
            let s = settled.expect("settled");
            // By hand: what is won, half won, half lost and lost.
            let ev = (s.win + 0.5 * s.half_win) * (price - 1.0) - 0.5 * s.half_loss - s.loss;
            let (won, lost) = (s.win + 0.5 * s.half_win, s.loss + 0.5 * s.half_loss);
            (won / (won + lost), ev)
        } else {
            let p = number(&close["probability"][place]);
            (p, p * price - 1.0)
        };
        assert!((number(&row["clv_ev"]) - ev).abs() < 1e-9, "{name}: {ev}: {row}");
        assert!((number(&row["close"]["fair_probability"]) - p).abs() < 1e-9, "{name}: {p}: {row}");
        if let Some(before) = entry["fair_probability"].as_f64() {
            assert!((number(&row["fair_to_fair"]) - (p - before)).abs() < 1e-9, "{name}: {row}");
        }
        // A handicap that was worth more points than it is at the close was worth having, and the same for Under; for
        // Over a lower line was.
        let as_seen = |line: f64| if side == "away" { -line } else { line };
        let close_line = close["line"].as_f64().map(as_seen);
        assert_eq!(row["close"]["line"].as_f64(), close_line, "{name}: {row}");
        match (line, close_line) {
            (Some(line), Some(close_line)) => {
                let points = if side == "over" { close_line - line } else { line - close_line };
                assert_eq!(row["clv_points"].as_f64(), Some(points), "{name}: {row}");
            }
            _ => assert!(row["clv_points"].is_null(), "{name}: {row}"),
        }
        let game = &recorded.games[&ids[&row["event_id"].as_u64().expect("event")]];
        let offers = recorded.at_close(game, millis(text(row, "start"))).expect("shown");
        let last = offers.get(&(market.to_owned(), text(entry, "book").to_owned())).and_then(|o| o.get(side));
        if let Some(told) = row["close"]["price"].as_f64() {
            let (last_line, last_price) = last.expect("the entry's book was there");
            assert_eq!(*last_line, line, "{name}: {row}");
            assert!((told - decimal(*last_price)).abs() < 1e-12, "{name}: {row}");
            assert!((number(&row["clv_price"]) - (price / told - 1.0)).abs() < 1e-12, "{name}: {row}");
        } else {
            assert!(row["clv_price"].is_null(), "{name}: {row}");
        }
        counted += 1;
    }
    eprintln!("{name}: {counted} of {} signals graded", clv.len());
    assert!(counted > 0, "{name}");
}

/// A signal has a row if and only if its game has started since.
fn exactly_the_started(name: &str, recorded: &Recorded, signals: &[Value], clv: &[Value]) {
    let have: BTreeSet<&str> = clv.iter().map(|row| text(row, "signal_id")).collect();
    assert_eq!(have.len(), clv.len());
    let mut want = BTreeSet::new();
    for signal in signals {
        let game = &recorded.games[text(signal, "provider_event_id")];
        let detected = millis(text(signal, "detected_at"));
        let mut later = recorded.at.iter().zip(&game.start).filter(|(at, _)| **at > detected);
        if later.any(|(at, start)| start.is_some_and(|s| s <= *at)) {
            want.insert(text(signal, "id"));
        }
    }
    assert_eq!(have, want, "{name}");
}

#[test]
fn two_days_of_kbo() {
    check("kbo_2026_07_20_21", 4);
}

#[test]
fn three_days_of_mlb() {
    check("mlb_2026_08_03_05", 15);
}

#[test]
fn a_saturday_of_ncaaf() {
    check("ncaaf_2025_11_08", 20);
}

#[test]
fn a_week_of_nfl() {
    check("nfl_2025_week10", 10);
}

#[test]
fn four_weeks_of_nfl() {
    check("nfl_2025_weeks6_9_long", 40);
}

#[test]
fn ten_days_of_wnba() {
    check("wnba_2026_07_14_23", 15);
}

#[test]
fn three_days_of_wnba() {
    check("wnba_2026_08_03_05", 4);
}
