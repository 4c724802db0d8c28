//! Every fault that a provider has been seen to make, through the whole way of an answer into a real store: the good
//! rest is stored, the bad part stands in the quality table with its reason.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use stratum::engine::{Engine, EngineSettings};
use stratum::market::batch::{Endpoint, Scope};
use stratum::market::quality::Reason;
use stratum::market::time::Timestamp;
use stratum::runtime::intake::{Answer, IntakeError, Taken, take};
use stratum::store::Store;

const HOME: &str = "Harbor City Gulls";
const AWAY: &str = "Prairie Bison";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_204_800 + secs)
}

fn time(secs: i64) -> String {
    at(secs).to_string()
}

struct House {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
    engine: Engine,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("stratum.db");
        let store = Store::open(&path).expect("store");
        Self { _folder: folder, path, store, engine: Engine::new(EngineSettings::default()) }
    }

    fn bytes(&mut self, secs: i64, body: &[u8]) -> Result<Taken, IntakeError> {
        let answer = Answer {
            source: "the-odds-api",
            sport: "basketball_nba",
            endpoint: Some(Endpoint::Odds),
            received_at: at(secs),
            scope: Scope::default(),
            format: None,
            body,
            origin: None,
            cost: Some(3),
            remaining: Some(400),
        };
        take(&mut self.engine, &mut self.store, &answer).map(|(taken, _)| taken)
    }

    fn look(&mut self, secs: i64, body: &Value) -> Taken {
        self.bytes(secs, body.to_string().as_bytes()).expect("taken")
    }

    /// Reasons in the quality table, in order; `open_only`: those not cleared.
    fn reasons(&self, open_only: bool) -> Vec<Reason> {
        let condition = if open_only { "WHERE cleared IS NULL" } else { "" };
        let numbers: Vec<u8> = column(&self.path, &format!("SELECT reason FROM quality {condition} ORDER BY id"));
        numbers.into_iter().map(|n| Reason::from_number(n).expect("reason")).collect()
    }

    /// `event book market side price status` of every quote.
    fn quotes(&self) -> Vec<String> {
        column(
            &self.path,
            "SELECT printf('%s %s %s %d %d %d', e.provider_id, b.name, m.name, q.side, q.price / 2, q.status & 15)
             FROM quote q JOIN event e ON e.id = q.event JOIN name b ON b.kind = 2 AND b.number = q.book
             JOIN name m ON m.kind = 3 AND m.number = q.market ORDER BY q.event, q.slot",
        )
    }
}

fn column<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> Vec<T> {
    let c = Connection::open(path).expect("database");
    let mut select = c.prepare(sql).expect("query");
    select.query_map([], |r| r.get(0)).expect("rows").collect::<Result<_, _>>().expect("values")
}

fn event(id: &str, books: Value) -> Value {
    json!({"id": id, "sport_key": "basketball_nba", "commence_time": time(3600), "home_team": HOME, "away_team": AWAY,
           "bookmakers": books})
}

fn book(key: &str, markets: Value) -> Value {
    json!({"key": key, "title": key, "last_update": time(0), "markets": markets})
}

fn h2h(outcomes: Value) -> Value {
    json!({"key": "h2h", "last_update": time(0), "outcomes": outcomes})
}

fn good() -> Value {
    h2h(json!([{"name": HOME, "price": -120}, {"name": AWAY, "price": 105}]))
}

fn spread(home: Value, away: Value) -> Value {
    json!({"key": "spreads", "last_update": time(0), "outcomes": [home, away]})
}

fn point(name: &str, point: Value) -> Value {
    json!({"name": name, "price": -110, "point": point})
}

/// The good event that stands beside every bad one, as it must be stored.
const BESIDE: [&str; 2] = ["good b9 h2h 1 -120 0", "good b9 h2h 2 105 0"];

/// An answer with `bad` in front of a good event. Checks that the good event is stored, that `reasons` and nothing else
/// stand in the quality table, and that of the bad part `stored` is left. Then heals the answer.
fn check(what: &str, bad: Value, reasons: &[Reason], stored: &[&str]) {
    let mut house = House::new();
    let beside = event("good", json!([book("b9", json!([good()]))]));
    house.look(0, &json!([bad, beside]));
    let mut want: Vec<String> = stored.iter().map(|s| (*s).to_owned()).collect();
    want.extend(BESIDE.map(str::to_owned));
    assert_eq!(house.quotes(), want, "{what}");
    assert_eq!(house.reasons(false), reasons, "{what}");
    let details: Vec<String> = column(&house.path, "SELECT detail FROM quality");
    assert!(details.iter().all(|d| !d.is_empty()), "{what}");

    // The next answer is a good one: it is stored as if nothing had been, and nothing known stays open.
    let healed =
        event("bad", json!([book("b1", json!([good(), spread(point(HOME, json!(-3.5)), point(AWAY, json!(3.5)))]))]));
    let healed = json!([healed, event("good", json!([book("b9", json!([good()]))]))]);
    house.look(60, &healed);
    // A time that was wrong before seems to go back once.
    house.look(120, &healed);
    for quote in ["bad b1 h2h 1 -120 0", "bad b1 h2h 2 105 0", "bad b1 spreads 1 -110 0", "bad b1 spreads 2 -110 0"] {
        assert!(house.quotes().iter().any(|q| q == quote), "{what}: {quote} in {:?}", house.quotes());
    }
    let open: Vec<i64> = column(
        &house.path,
        "SELECT id FROM quality WHERE cleared IS NULL AND event IS NOT NULL AND reason NOT IN (17, 18)",
    );
    assert!(open.is_empty(), "{what}: {:?} stays open", house.reasons(true));
}

fn one_book(markets: Value) -> Value {
    event("bad", json!([book("b1", markets)]))
}

fn without(mut value: Value, field: &str) -> Value {
    value.as_object_mut().expect("object").remove(field);
    value
}

fn with(mut value: Value, field: &str, other: Value) -> Value {
    value[field] = other;
    value
}

#[test]
fn events_without_what_every_event_has() {
    let bad = one_book(json!([good()]));
    check("no id", without(bad.clone(), "id"), &[Reason::MissingField], &[]);
    check("no start", without(bad.clone(), "commence_time"), &[Reason::MissingField], &[]);
    check("start that is none", with(bad.clone(), "commence_time", json!("soon")), &[Reason::MissingField], &[]);
    for nothing in [json!(null), json!(4), json!("event"), json!([])] {
        check("no event at all", nothing, &[Reason::WrongType], &[]);
    }
}

#[test]
fn events_without_books() {
    check("bookmakers null", event("bad", json!(null)), &[Reason::WrongType], &[]);
    check("bookmakers text", event("bad", json!("none")), &[Reason::WrongType], &[]);
    check("bookmakers empty", event("bad", json!([])), &[], &[]);
    check("bookmakers absent", without(event("bad", json!([])), "bookmakers"), &[], &[]);
}

#[test]
fn books_that_cannot_be_used() {
    let beside = book("b2", json!([good()]));
    let rest = ["bad b2 h2h 1 -120 0", "bad b2 h2h 2 105 0"];
    let cases = [
        ("no key", without(book("b1", json!([good()])), "key"), Reason::MissingField),
        ("null", json!(null), Reason::WrongType),
        ("markets null", book("b1", json!(null)), Reason::WrongType),
        ("markets text", book("b1", json!("x")), Reason::WrongType),
    ];
    for (what, bad, reason) in cases {
        check(what, event("bad", json!([bad, beside.clone()])), &[reason], &rest);
    }
    check(
        "markets absent",
        event("bad", json!([without(book("b1", json!([])), "markets"), beside.clone()])),
        &[],
        &rest,
    );
    check("twice", event("bad", json!([beside, book("b2", json!([h2h(json!([]))]))])), &[Reason::DuplicateBook], &rest);
}

#[test]
fn markets_that_cannot_be_used() {
    let rest = ["bad b1 h2h 1 -120 0", "bad b1 h2h 2 105 0"];
    let cases = [
        ("no key", json!({"outcomes": []}), Reason::MissingField),
        ("null", json!(null), Reason::WrongType),
        ("outcomes null", json!({"key": "totals", "outcomes": null}), Reason::WrongType),
        ("twice", h2h(json!([{"name": HOME, "price": -900}])), Reason::DuplicateMarket),
    ];
    for (what, bad, reason) in cases {
        check(what, one_book(json!([good(), bad])), &[reason], &rest);
    }
}

#[test]
fn outcomes_that_cannot_be_used() {
    let away = json!({"name": AWAY, "price": 105});
    let rest = ["bad b1 h2h 2 105 0"];
    let cases = [
        ("no name", json!({"price": -120}), Reason::MissingField),
        ("no price", json!({"name": HOME}), Reason::MissingField),
        ("price null", json!({"name": HOME, "price": null}), Reason::MissingField),
        ("price text", json!({"name": HOME, "price": "-120"}), Reason::BadPrice),
        ("price 1.0", json!({"name": HOME, "price": 1.0}), Reason::BadPrice),
        ("price 1.91", json!({"name": HOME, "price": 1.91}), Reason::BadPrice),
        ("stranger", json!({"name": "Prairie Owls", "price": -120}), Reason::UnknownTeam),
        ("null", json!(null), Reason::WrongType),
    ];
    for (what, bad, reason) in cases {
        let mut house = House::new();
        house.look(
            0,
            &json!([one_book(json!([h2h(json!([bad, away]))])), event("good", json!([book("b9", json!([good()]))]))]),
        );
        assert!(house.reasons(false).contains(&reason), "{what}: {:?}", house.reasons(false));
        let stored = house.quotes();
        assert_eq!(stored, [&rest[..], &BESIDE[..]].concat(), "{what}");
    }
    let twice = h2h(json!([{"name": HOME, "price": -120}, {"name": AWAY, "price": 105}, {"name": HOME, "price": 400}]));
    check(
        "twice",
        one_book(json!([twice])),
        &[Reason::DuplicateOutcome],
        &["bad b1 h2h 1 -120 0", "bad b1 h2h 2 105 0"],
    );
}

#[test]
fn points_that_cannot_be_used() {
    let rest = "bad b1 spreads 2 -110 0";
    for bad in [json!(null), json!("-3.5"), json!([3]), json!(1e12), json!(0.123)] {
        let mut house = House::new();
        house.look(0, &json!([one_book(json!([spread(point(HOME, bad.clone()), point(AWAY, json!(3.5)))]))]));
        assert!(house.reasons(false).contains(&Reason::BadPoint), "{bad}: {:?}", house.reasons(false));
        assert_eq!(house.quotes(), [rest], "{bad}");
    }
    let zero = spread(point(HOME, json!(0)), point(AWAY, json!(0.0)));
    check("zero is a line", one_book(json!([zero])), &[], &["bad b1 spreads 1 -110 0", rest]);
    let crooked = spread(point(HOME, json!(-3.5)), point(AWAY, json!(4.5)));
    // Stored, and never used: status 3 is flawed.
    let aside = ["bad b1 spreads 1 -110 3", "bad b1 spreads 2 -110 3"];
    check("crooked", one_book(json!([crooked])), &[Reason::SidesDoNotMirror], &aside);
}

#[test]
fn times_that_cannot_be_used() {
    let sides = |status: u8| [format!("bad b1 h2h 1 -120 {status}"), format!("bad b1 h2h 2 105 {status}")];
    let cases: [(&str, Value, &[Reason], u8); 5] = [
        ("text", json!("just now"), &[Reason::BadTimestamp], 0),
        ("list", json!([1]), &[Reason::BadTimestamp], 0),
        ("future", json!(time(3600)), &[Reason::FutureTimestamp], 3),
        ("old", json!(time(-301)), &[], 2),
        ("seconds", json!(at(0).secs()), &[], 0),
    ];
    for (what, update, reasons, status) in cases {
        let stored = sides(status);
        let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
        check(what, one_book(json!([with(good(), "last_update", update)])), reasons, &stored);
    }
}

#[test]
fn what_is_new_is_kept() {
    let strange =
        json!({"key": "race_to_20", "outcomes": [{"name": HOME, "price": -120, "limit": 50}], "extra": {"a": [1]}});
    let bad = with(one_book(json!([strange])), "extra", json!([[[]]]));
    check("unknown market", bad, &[Reason::UnknownMarket], &["bad b1 race_to_20 1 -120 0"]);
}

#[test]
fn swapped_outcomes_and_three_way_markets_are_no_faults() {
    let turned = h2h(json!([{"name": AWAY, "price": 105}, {"name": HOME, "price": -120}]));
    check("swapped", one_book(json!([turned])), &[], &["bad b1 h2h 2 105 0", "bad b1 h2h 1 -120 0"]);
    let mut house = House::new();
    let three =
        h2h(json!([{"name": HOME, "price": 120}, {"name": AWAY, "price": 210}, {"name": "Draw", "price": 240}]));
    house.look(0, &json!([one_book(json!([three]))]));
    assert_eq!(house.quotes().len(), 3);
    assert!(house.reasons(false).is_empty());
}

#[test]
fn what_is_no_answer_changes_nothing() {
    let mut house = House::new();
    let body = json!([one_book(json!([good()]))]);
    house.look(0, &body);
    let before = house.quotes();
    let whole = body.to_string();
    for bytes in [
        &b""[..],
        b"<html><body>502 Bad Gateway</body></html>",
        b"{\"message\":\"Usage quota has been reached\",\"error_code\":\"OUT_OF_USAGE_CREDITS\"}",
        b"null",
        b"\xff\xfe\x00",
        &whole.as_bytes()[..whole.len() / 2],
    ] {
        assert!(matches!(house.bytes(60, bytes), Err(IntakeError::Wire(_))));
    }
    assert_eq!(house.quotes(), before);
    let looks: Vec<i64> = column(&house.path, "SELECT count(*) FROM look");
    assert_eq!(looks, [1]);
    assert_eq!(house.look(120, &body).last_look.0, 2, "no number is lost");
}

#[test]
fn an_empty_answer_is_a_look() {
    let mut house = House::new();
    house.look(0, &json!([one_book(json!([good()]))]));
    assert_eq!(house.look(60, &json!([])).looks, 1);
    assert_eq!(house.quotes(), ["bad b1 h2h 1 -120 4", "bad b1 h2h 2 105 4"], "missing, not gone");
}

#[test]
fn a_frozen_market_turns_suspect_and_then_goes() {
    let mut house = House::new();
    let frozen = json!([one_book(json!([good()]))]);
    let status = |house: &House| house.quotes().iter().map(|q| q.chars().last().expect("status")).collect::<String>();
    for (secs, want) in [(0, "00"), (120, "00"), (240, "00"), (300, "22"), (600, "22")] {
        house.look(secs, &frozen);
        assert_eq!(status(&house), want, "{secs}");
    }
    house.look(900, &json!([one_book(json!([]))]));
    assert_eq!(status(&house), "11");
}

#[test]
fn games_that_move_return_or_come_twice_a_day() {
    let mut house = House::new();
    let game = |id: &str, start: i64| {
        with(event(id, json!([book("b1", json!([good()]))])), "commence_time", json!(time(start)))
    };
    house.look(0, &json!([game("a", 3600), game("b", 20_000)]));
    house.look(60, &json!([game("a", 90_000), game("b", 20_000)]));
    house.look(120, &json!([game("c", 90_000), game("b", 20_000)]));
    let events: Vec<String> = column(&house.path, "SELECT provider_id || ' ' || commence FROM event ORDER BY id");
    let want = [("a", 90_000), ("b", 20_000), ("c", 90_000)].map(|(id, s)| format!("{id} {}", at(s).millis()));
    assert_eq!(events, want);
    let starts: Vec<i64> = column(&house.path, "SELECT commence FROM event_start WHERE event = 1 ORDER BY look");
    assert_eq!(starts, [at(3600).millis(), at(90_000).millis()]);
}

#[test]
fn an_answer_with_several_sports_is_a_look_for_each() {
    let mut house = House::new();
    let other = with(event("mlb", json!([book("b1", json!([good()]))])), "sport_key", json!("baseball_mlb"));
    let taken = house.look(0, &json!([one_book(json!([good()])), other]));
    assert_eq!(taken.looks, 2);
    assert_eq!(house.quotes().len(), 4);
    // Neither part is complete for its sport: what is missing proves nothing.
    house
        .look(60, &json!([one_book(json!([good()])), with(event("x", json!([])), "sport_key", json!("baseball_mlb"))]));
    assert!(house.quotes().iter().all(|q| q.ends_with('0')), "{:?}", house.quotes());
}
