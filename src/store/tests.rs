//! The store as a whole: who may open it, what it keeps, and that it gives back exactly what was put in.

mod analysis;
mod outbox;
mod past;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::lock::writer_of;
use super::raw::{RawAnswer, body_hash};
use super::*;
use crate::engine::rules::AnalysisRules;
use crate::engine::status::{QuoteValue, Status};
use crate::engine::{Changes, Engine, EngineSettings};
use crate::feeds::odds_api::wire::{self, AnswerInfo};
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::ids::{EventId, Slot};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

const SOURCE: &str = "the-odds-api";
const SPORT: &str = "basketball_nba";
const DAY: i64 = 86_400;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_200_000 + secs)
}

/// These tests are about quotes, and about findings that they make up themselves. What the analysis finds goes through
/// restarts and late looks in `tests/`.
fn quotes_only() -> EngineSettings {
    EngineSettings { rules: AnalysisRules { on: false, ..AnalysisRules::default() }, ..EngineSettings::default() }
}

/// A store in a folder of its own, and the engine that feeds it.
struct Shop {
    folder: tempfile::TempDir,
    store: Option<Store>,
    engine: Engine,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join(FILE_NAME)).expect("store");
        Self { folder, store: Some(store), engine: Engine::new(quotes_only()) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE_NAME)
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().expect("open")
    }

    /// Closes the store and goes on with an engine from what it holds.
    fn restart(&mut self) {
        self.store = None;
        let store = Store::open(&self.path()).expect("store");
        self.engine = store.engine(quotes_only()).expect("engine");
        self.store = Some(store);
    }

    fn look(&mut self, secs: i64, scope: Scope, body: &Value) -> Changes {
        self.look_finding(secs, scope, body, |_| {})
    }

    /// A look at which `find` adds what an analysis found.
    fn look_finding(&mut self, secs: i64, scope: Scope, body: &Value, find: impl FnOnce(&mut Changes)) -> Changes {
        let text = body.to_string();
        let info = AnswerInfo {
            source: SOURCE,
            sport: SPORT,
            endpoint: Endpoint::Odds,
            received_at: at(secs),
            scope: scope.clone(),
            format: Some(OddsFormat::American),
        };
        let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
        let mut changes = self.engine.apply(&batch);
        find(&mut changes);
        let meta = LookMeta { scope, body_hash: body_hash(text.as_bytes()), ..LookMeta::default() };
        self.store().commit(&changes, &meta).expect("commit");
        changes
    }

    fn sql(&self) -> Connection {
        Connection::open(self.path()).expect("database")
    }

    fn count(&self, table: &str) -> i64 {
        self.sql().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).expect("count")
    }

    fn as_of(&self, event: u32, secs: i64) -> Vec<(Slot, QuoteValue)> {
        let found = Reader::open(&self.path()).expect("reader").event_as_of(EventId(event), at(secs)).expect("as_of");
        found.expect("known").quotes.into_iter().map(|(slot, _, value)| (slot, value)).collect()
    }

    /// What the engine holds of an event.
    fn held(&self, event: u32) -> Vec<(Slot, QuoteValue)> {
        let event = self.engine.events[event as usize - 1].as_ref().expect("remembered");
        let mut quotes: Vec<_> = event.quotes().map(|q| (q.slot, q.value)).collect();
        quotes.sort_by_key(|(slot, _)| *slot);
        quotes
    }
}

fn event(id: &str, start: i64, books: Vec<Value>) -> Value {
    json!({"id": id, "sport_key": SPORT, "commence_time": at(start).to_string(), "home_team": "Gulls",
           "away_team": "Bison", "bookmakers": books})
}

fn book(key: &str, markets: Vec<Value>) -> Value {
    json!({"key": key, "title": key, "markets": markets})
}

fn h2h(update: i64, home: i64) -> Value {
    json!({"key": "h2h", "last_update": at(update).to_string(),
           "outcomes": [{"name": "Gulls", "price": home}, {"name": "Bison", "price": -105}]})
}

fn one(update: i64, price: i64) -> Value {
    json!([event("e1", 3600, vec![book("b1", vec![h2h(update, price)])])])
}

#[test]
fn a_second_writer_is_refused_and_told_the_process() {
    let mut shop = Shop::new();
    let path = shop.path();
    match Store::open(&path) {
        Err(StoreError::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    assert_eq!(writer_of(&path), Some(std::process::id()));
    assert!(Reader::open(&path).is_ok(), "readers are welcome");
    shop.store = None;
    assert_eq!(writer_of(&path), None, "the lock ends with the writer, whatever the file says");
    assert!(Store::open(&path).is_ok());
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_alone() {
    let mut shop = Shop::new();
    shop.look(0, Scope::default(), &one(0, -110));
    let path = shop.path();
    shop.store = None;
    shop.sql().pragma_update(None, "user_version", SCHEMA_VERSION + 7).expect("version");
    let before = std::fs::read(&path).expect("file");
    for refused in [Store::open(&path).err(), Reader::open(&path).err()] {
        match refused {
            Some(StoreError::NewerSchema { found, known, .. }) => {
                assert_eq!((found, known), (SCHEMA_VERSION + 7, SCHEMA_VERSION));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(std::fs::read(&path).expect("file") == before, "nothing was changed");
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let noise = folder.path().join("noise.db");
    std::fs::write(&noise, (0..9000_u32).map(|i| ((i * 7919) >> 3) as u8).collect::<Vec<_>>()).expect("file");
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).and_then(|c| c.execute_batch("CREATE TABLE song (title TEXT)")).expect("database");
    let versioned = folder.path().join("versioned.db");
    Connection::open(&versioned).and_then(|c| c.pragma_update(None, "user_version", 3)).expect("database");
    for path in [noise, foreign, versioned] {
        let before = std::fs::read(&path).expect("file");
        for refused in [Store::open(&path).err(), Reader::open(&path).err()] {
            assert!(matches!(refused, Some(StoreError::NotAStore { .. })), "{}: {refused:?}", path.display());
        }
        assert!(std::fs::read(&path).expect("file") == before, "{} was changed", path.display());
    }
}

#[test]
fn a_reader_does_not_make_a_store() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join(FILE_NAME);
    match Reader::open(&path) {
        Err(error @ StoreError::Missing { .. }) => assert!(error.to_string().contains("stratum import"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(!path.exists());
}

#[test]
fn a_new_store_has_no_past() {
    let mut shop = Shop::new();
    let reader = Reader::open(&shop.path()).expect("reader");
    assert!(reader.event_as_of(EventId(1), at(0)).expect("as_of").is_none());
    shop.restart();
    assert_eq!(shop.engine.last_look().0, 0);
}

#[test]
fn a_look_is_known_by_source_sport_instant_and_bytes() {
    let mut shop = Shop::new();
    let body = one(0, -110);
    shop.look(0, Scope::default(), &body);
    let hash = body_hash(body.to_string().as_bytes());
    let store = shop.store();
    let knows = |source: &str, sport: &str, secs, hash| store.knows_look(source, sport, at(secs), hash).expect("query");
    assert!(knows(SOURCE, SPORT, 0, &hash));
    assert!(!knows("another", SPORT, 0, &hash));
    assert!(!knows(SOURCE, "baseball_mlb", 0, &hash));
    assert!(!knows(SOURCE, SPORT, 1, &hash));
    assert!(!knows(SOURCE, SPORT, 0, &body_hash(b"[]")));
    assert_eq!(store.newest_look(SOURCE, SPORT).expect("query"), Some(at(0)));
    assert_eq!(store.newest_look("another", SPORT).expect("query"), None);
}

#[test]
fn a_look_is_written_once_or_not_at_all() {
    let mut shop = Shop::new();
    let changes = shop.look(0, Scope::default(), &one(0, -110));
    let rows = shop.count("change");
    assert!(shop.store().commit(&changes, &LookMeta::default()).is_err(), "the number of a look is never used twice");
    assert_eq!((shop.count("look"), shop.count("change")), (1, rows));

    let more = shop.engine.apply(&crate::market::batch::Batch::empty(SOURCE, SPORT, Endpoint::Odds, at(60)));
    let failed: Result<(), StoreError> = shop.store().together(|t| {
        t.commit(&more, &LookMeta::default())?;
        Err(StoreError::Damaged { what: "test" })
    });
    assert!(failed.is_err());
    assert_eq!((shop.count("look"), shop.count("change")), (1, rows), "all of them or none");
}

#[test]
fn an_answer_is_kept_once() {
    let mut shop = Shop::new();
    let body = vec![b'x'; 10_000];
    let hash = body_hash(&body);
    for secs in [5, 60, 30] {
        let raw = RawAnswer::pack(&body, hash, at(secs)).expect("packed");
        assert!(raw.packed.len() < 1000);
        shop.store().keep_raw(&raw).expect("kept");
    }
    assert_eq!(shop.count("raw_answer"), 1);
    let last: i64 = shop.sql().query_row("SELECT at FROM raw_answer", [], |r| r.get(0)).expect("row");
    assert_eq!(last, at(60).millis(), "the last time it came");
    let reader = Reader::open(&shop.path()).expect("reader");
    assert_eq!(reader.raw_answer(&hash).expect("query"), Some(body));
    assert_eq!(reader.raw_answer(&body_hash(b"other")).expect("query"), None);
}

/// Removes until nothing is left to remove; answers the sum.
fn retain_all(shop: &mut Shop, policy: &Retention, now: Timestamp) -> Kept {
    let mut sum = Kept::default();
    for _ in 0..1000 {
        let step = shop.store().retain(policy, now).expect("retention");
        if step.is_done() {
            return sum;
        }
        assert!(step.raw <= 50 && step.logs <= 1000 && step.events <= 2, "a small step: {step:?}");
        sum.raw += step.raw;
        sum.logs += step.logs;
        sum.events += step.events;
        sum.points += step.points;
    }
    panic!("never done");
}

#[test]
fn old_answers_and_logs_go_and_newer_ones_stay() {
    let mut shop = Shop::new();
    for n in 0..120_i64 {
        let body = n.to_string().into_bytes();
        let raw = RawAnswer::pack(&body, body_hash(&body), at(n * DAY / 10)).expect("packed");
        shop.store().keep_raw(&raw).expect("kept");
        let record = FetchRecord { at: at(n * DAY / 10), source: SOURCE.to_owned(), ..FetchRecord::default() };
        shop.store().log_fetch(&record).expect("logged");
    }
    let policy = Retention {
        raw_ms: Some(4 * DAY * 1000),
        changes_ms: None,
        logs_ms: Some(2 * DAY * 1000),
        points_ms: None,
        cycles_ms: None,
        exchange_ms: None,
    };
    let sum = retain_all(&mut shop, &policy, at(12 * DAY));
    assert_eq!((sum.raw, sum.logs), (80, 100));
    assert_eq!((shop.count("raw_answer"), shop.count("fetch_log")), (40, 20));
    let forever = Retention {
        raw_ms: None,
        changes_ms: None,
        logs_ms: None,
        points_ms: None,
        cycles_ms: None,
        exchange_ms: None,
    };
    assert!(shop.store().retain(&forever, at(1000 * DAY)).expect("retention").is_done());
}

#[test]
fn issues_go_once_they_have_ended() {
    let mut shop = Shop::new();
    shop.look(0, Scope::default(), &one(0, 50));
    shop.look(60, Scope::default(), &one(60, -110));
    let still_bad = json!([event("e1", 3600, vec![book("b1", vec![h2h(120, 50)])])]);
    shop.look(120, Scope::default(), &still_bad);
    let open = |shop: &Shop| -> i64 {
        shop.sql().query_row("SELECT count(*) FROM quality WHERE cleared IS NULL", [], |r| r.get(0)).expect("count")
    };
    let (all, before) = (shop.count("quality"), open(&shop));
    assert!(before > 0 && all > before);
    let policy = Retention {
        raw_ms: None,
        changes_ms: None,
        logs_ms: Some(DAY * 1000),
        points_ms: None,
        cycles_ms: None,
        exchange_ms: None,
    };
    retain_all(&mut shop, &policy, at(30 * DAY));
    assert_eq!((shop.count("quality"), open(&shop)), (before, before), "what is not over stays");
}

#[test]
fn changes_go_with_their_event_and_only_when_it_is_forgotten() {
    let mut shop = Shop::new();
    let old = |t| event("e1", 3600, vec![book("b1", vec![h2h(t, -110)])]);
    let open = |t| event("e2", 3600, vec![book("b1", vec![h2h(t, -120)])]);
    shop.look(0, Scope::default(), &json!([old(0), open(0)]));
    shop.look(60, Scope::default(), &json!([open(60)]));
    shop.look(6 * DAY, Scope::default(), &json!([open(6 * DAY)]));
    let policy = Retention {
        raw_ms: None,
        changes_ms: Some(DAY * 1000),
        logs_ms: None,
        points_ms: None,
        cycles_ms: None,
        exchange_ms: None,
    };
    let sum = retain_all(&mut shop, &policy, at(7 * DAY));
    assert_eq!(sum.events, 1, "the other is still on show");
    let of = |table: &str, event: u32| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE event = {event}");
        shop.sql().query_row(&sql, [], |r| r.get(0)).expect("count")
    };
    assert_eq!((of("change", 1), of("quote", 1), of("keyframe", 1)), (0, 0, 0));
    assert!(of("change", 2) > 0 && of("quote", 2) > 0);
    assert_eq!(shop.count("event"), 2, "that there was a game is remembered");
    assert!(shop.as_of(1, 30).is_empty());
    assert_eq!(shop.as_of(2, 60).len(), 2);
    shop.restart();
    let back = shop.look(7 * DAY, Scope::default(), &json!([old(7 * DAY), open(7 * DAY)]));
    let slots: Vec<_> = back.quotes.iter().filter(|q| q.new.is_some()).map(|q| q.slot.0).collect();
    assert_eq!(slots, [2, 3], "slots are never given twice");
}

#[test]
fn keyframes_save_reading_and_change_no_answer() {
    let mut shop = Shop::new();
    let mut held = Vec::new();
    for n in 0..1500_i64 {
        let t = n * 60;
        let body = match n % 50 {
            49 => json!([]),
            48 => json!([event("e1", 3600, Vec::new())]),
            _ => one(t - 20 * (n % 17), -110 - n % 5),
        };
        shop.look(t, Scope::default(), &body);
        if n % 37 == 0 || n > 1490 {
            held.push((t, shop.held(1)));
        }
    }
    assert!(shop.count("keyframe") >= 2);
    let check = |shop: &Shop| {
        for (t, want) in &held {
            assert_eq!(&shop.as_of(1, *t), want, "at {t}");
            assert_eq!(&shop.as_of(1, *t + 59), want, "until the next look");
        }
    };
    check(&shop);
    // A keyframe is really what is read: with the log before it taken away the later answers stay the same.
    let sql = shop.sql();
    let last: i64 = sql.query_row("SELECT max(look) FROM keyframe", [], |r| r.get(0)).expect("keyframe");
    sql.execute_batch("CREATE TABLE kept AS SELECT * FROM change").expect("copy");
    sql.execute("DELETE FROM change WHERE look <= ?", [last]).expect("delete");
    let (t, want) = held.last().expect("some");
    assert_eq!(&shop.as_of(1, *t), want);
    sql.execute_batch("DELETE FROM change; INSERT INTO change SELECT * FROM kept; DELETE FROM keyframe").expect("back");
    check(&shop);
}

#[test]
fn an_event_that_was_forgotten_and_returns_has_both_its_lives() {
    let mut shop = Shop::new();
    let game = |t, price| json!([event("e1", 3600, vec![book("b1", vec![h2h(t, price)])])]);
    shop.look(0, Scope::default(), &game(0, -110));
    let first = shop.held(1);
    shop.look(60, Scope::default(), &json!([]));
    assert_eq!(shop.look(9 * DAY, Scope::default(), &json!([])).forgotten.len(), 1);
    shop.look(9 * DAY + 60, Scope::default(), &game(9 * DAY + 50, -130));
    shop.look(9 * DAY + 120, Scope::default(), &game(9 * DAY + 110, -130));
    let second = shop.held(1);
    assert_eq!(shop.as_of(1, 30), first);
    let now = shop.as_of(1, 9 * DAY + 120);
    let present: Vec<_> = now.into_iter().filter(|(_, v)| v.status == Status::Open).collect();
    assert_eq!(present, second);
    shop.restart();
    let present: Vec<_> = shop.held(1).into_iter().filter(|(_, v)| v.status == Status::Open).collect();
    assert_eq!(present, second);
    let next = shop.look(9 * DAY + 180, Scope::default(), &game(9 * DAY + 170, -130));
    assert!(next.quotes.is_empty() && next.issues.is_empty(), "{:?}", next.quotes);
}

/// The rows of every table that follows from the looks.
fn content(path: &Path) -> Vec<(&'static str, Vec<String>)> {
    let c = Connection::open(path).expect("database");
    let tables = [
        "name",
        "event",
        "event_life",
        "event_life",
        "event_start",
        "event_score",
        "quote",
        "change",
        "keyframe",
        "look",
        "look_seen",
        "quality",
    ];
    tables
        .into_iter()
        .map(|table| {
            let mut select = c.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).expect("table");
            let columns = select.column_count();
            let row = |r: &rusqlite::Row<'_>| {
                (0..columns).map(|i| r.get(i)).collect::<Result<Vec<rusqlite::types::Value>, _>>()
            };
            let rows = select.query_map([], row).expect("rows");
            (table, rows.map(|r| format!("{:?}", r.expect("row"))).collect())
        })
        .collect()
}

/// Anything that may come, from a small generator of numbers.
fn hostile(t: i64, mut roll: impl FnMut(u64) -> u64) -> (Scope, Value) {
    let mut scope = Scope::default();
    if roll(3) == 0 {
        scope.markets = Asked::Only(vec![["h2h", "spreads", "player_points"][roll(3) as usize].to_owned()]);
    }
    if roll(5) == 0 {
        scope.books = Asked::Only(vec![format!("b{}", roll(3)), "b1".to_owned()]);
    }
    let mut events = Vec::new();
    for e in 0..3 {
        if roll(6) == 0 {
            continue;
        }
        let mut books = Vec::new();
        for b in 0..3 {
            if roll(6) == 0 {
                continue;
            }
            // Times that stand still now and then.
            let update = t - t % [60, 600, 1200][roll(3) as usize];
            let price = -110 - roll(3) as i64;
            let mut markets = Vec::new();
            if scope.markets.covers("h2h") && roll(6) > 0 {
                markets.push(h2h(update, if roll(9) == 0 { 7 } else { price }));
            }
            let time = at(update).to_string();
            let away_line = if roll(4) == 0 { 4.0 } else { 3.5 };
            match roll(12) {
                0..=2 => markets.push(json!({"key": "spreads", "last_update": time, "outcomes": [
                    {"name": "Gulls", "price": price, "point": -3.5}, {"name": "Bison", "price": price, "point": away_line}]})),
                3 | 4 => markets.push(json!({"key": "player_points", "last_update": time, "outcomes": [
                    {"name": "Over", "description": format!("P{}", roll(3)), "price": price, "point": 20.5}]})),
                5 => markets.push(h2h(update, price)),
                6 => markets.push(json!({"key": "brand_new", "outcomes": [{"name": "Yes", "price": price}]})),
                7 => markets.push(json!({"outcomes": 5})),
                8 => markets.push(json!({"key": "spreads", "last_update": "x", "outcomes": [{"name": "Gulls", "price": 3}]})),
                _ => {}
            }
            books.push(book(&format!("b{b}"), markets));
            if roll(15) == 0 {
                books.push(if roll(2) == 0 { json!(null) } else { book(&format!("b{b}"), Vec::new()) });
            }
        }
        let mut game = event(&format!("e{e}"), 3600 + 600 * roll(2) as i64, books);
        if roll(12) == 0 {
            game["home_team"] = json!(if roll(2) == 0 { "Gulls II" } else { "Owls" });
        }
        if roll(30) == 0 {
            game["away_team"] = json!("Foxes");
        }
        events.push(game);
    }
    (scope, Value::Array(events))
}

/// Without the order of endings, and without what only the store remembers of events that came back.
fn comparable(mut changes: Changes) -> Changes {
    changes.cleared.sort_by_key(|c| (c.event, c.book, c.market, c.reason));
    changes.forgotten.sort_unstable();
    changes.keyframes.sort_by_key(|k| k.event);
    changes.events.iter_mut().for_each(|e| e.row.first_seen = Timestamp::default());
    changes
}

#[test]
fn a_restart_after_any_look_leaves_no_trace() {
    for seed in 0..6_u64 {
        let mut state = seed;
        let mut roll = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let (mut whole, mut broken) = (Shop::new(), Shop::new());
        for n in 0..80 {
            let t = n * 60 + if n > 70 { 7 * DAY } else { 0 };
            let (scope, body) = hostile(t, &mut roll);
            let undisturbed = whole.look(t, scope.clone(), &body);
            broken.restart();
            let restarted = broken.look(t, scope, &body);
            let (restarted, undisturbed) = (comparable(restarted), comparable(undisturbed));
            let what = format!("seed {seed}, look {}", n + 1);
            assert_eq!(restarted.quotes, undisturbed.quotes, "{what}");
            assert_eq!(restarted.issues, undisturbed.issues, "{what}");
            assert_eq!(restarted.cleared, undisturbed.cleared, "{what}");
            assert_eq!(restarted, undisturbed, "seed {seed}, look {}", n + 1);
        }
        for ((table, a), (_, b)) in content(&whole.path()).into_iter().zip(content(&broken.path())) {
            assert_eq!(a, b, "seed {seed}, table {table}");
        }
    }
}

#[test]
fn a_game_that_answers_leave_out_is_withdrawn_and_its_return_is_told() {
    let mut shop = Shop::new();
    let hour = 3600;
    let game = |start: i64, update: i64| json!([event("a", start, vec![book("pinnacle", vec![h2h(update, -110)])])]);
    shop.look(0, Scope::default(), &game(10 * hour, 0));
    let standing = |shop: &Shop, secs: i64| {
        let reader = Reader::open(&shop.path()).expect("reader");
        let games = reader.games("basketball_nba", (at(-DAY), at(9 * DAY)), at(secs)).expect("games");
        let one = reader.standing(EventId(1), at(secs)).expect("reads").expect("known");
        assert_eq!(games.iter().map(|g| g.standing).collect::<Vec<_>>(), [one]);
        one.name()
    };
    assert_eq!(standing(&shop, 60), "scheduled");
    // One answer without it proves little; half an hour without it does.
    shop.look(60, Scope::default(), &json!([]));
    assert_eq!(standing(&shop, 120), "scheduled");
    shop.look(hour, Scope::default(), &json!([]));
    assert_eq!(standing(&shop, hour), "withdrawn");
    assert_eq!(standing(&shop, 10 * hour + 2 * DAY), "cancelled");
    // It comes back, two days later.
    shop.look(2 * hour, Scope::default(), &game(58 * hour, 2 * hour));
    assert_eq!(standing(&shop, 2 * hour), "postponed");
}
