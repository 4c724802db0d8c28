//! What became of alerts, against a market whose every move is known.

use serde_json::{Value, json};

use super::dry_run;
use super::follow_up::{Follower, Stayed};
use super::quality;
use super::rules::RuleSet;
use super::testing::{at, rule, signal};
use crate::engine::detect::signal::{Entry, Signal, SignalType};
use crate::engine::price::unit::UnitKey;
use crate::engine::{Engine, EngineSettings};
use crate::feeds::odds_api::wire::{self, AnswerInfo};
use crate::market::batch::{Endpoint, Scope};
use crate::market::ids::{MarketId, SubjectId};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;
use crate::store::outbox::{Attempted, NewMessage, Next, Outgoing};
use crate::store::{FILE_NAME, LookMeta, Reader, Store};

/// Books of families of their own.
const BOOKS: [&str; 4] = ["pinnacle", "draftkings", "fanduel", "betmgm"];

struct Shop {
    folder: tempfile::TempDir,
    store: Store,
    engine: Engine,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join(FILE_NAME)).expect("store");
        Self { folder, store, engine: Engine::new(EngineSettings::default()) }
    }

    /// A look with these markets of the one game, and signals as if somebody had found them.
    fn look(&mut self, secs: i64, markets: &dyn Fn(&str) -> Value, found: Vec<Signal>) {
        let books: Vec<Value> = BOOKS.iter().map(|b| json!({"key": b, "title": b, "markets": [markets(b)]})).collect();
        let body = json!([{"id": "e1", "sport_key": "basketball_nba", "commence_time": at(3600).to_string(),
            "home_team": "Boston Celtics", "away_team": "Miami Heat", "bookmakers": books}]);
        let text = body.to_string();
        let info = AnswerInfo {
            source: "the-odds-api",
            sport: "basketball_nba",
            endpoint: Endpoint::Odds,
            received_at: at(secs),
            scope: Scope::default(),
            format: Some(OddsFormat::American),
        };
        let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
        let mut changes = self.engine.apply(&batch);
        // Only what the test says has been found.
        changes.signals = found;
        self.store.commit(&changes, &LookMeta::default()).expect("commit");
    }

    fn market(&self, key: &str) -> MarketId {
        MarketId(u16::try_from(self.engine.names().markets.number(key).expect("known")).expect("small"))
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.folder.path().join(FILE_NAME)).expect("reader")
    }
}

fn h2h(secs: i64, home: i64, away: i64) -> Value {
    json!({"key": "h2h", "last_update": at(secs).to_string(), "outcomes": [
        {"name": "Boston Celtics", "price": home}, {"name": "Miami Heat", "price": away}]})
}

fn spread(secs: i64, line: f64) -> Value {
    json!({"key": "spreads", "last_update": at(secs).to_string(), "outcomes": [
        {"name": "Boston Celtics", "price": -110, "point": line},
        {"name": "Miami Heat", "price": -110, "point": -line}]})
}

fn entry(book: &str, line: Option<f64>, price: f64, american: i64) -> Option<Entry> {
    Some(Entry {
        book: book.into(),
        line,
        price,
        price_american: american,
        age_seconds: 1.0,
        ev: None,
        fair_probability: None,
    })
}

/// A signal of a market, made at 60 s, to take the home side at -110.
fn taken(id: &str, shop: &Shop, market: &str, book: &str, line: Option<f64>) -> Signal {
    Signal {
        market: market.into(),
        entry: entry(book, line, 1.909_090_909, -110),
        key: UnitKey { market: shop.market(market), subject: SubjectId::NONE, line: None },
        ..signal(id, 1, 60)
    }
}

/// Evens at first, with a signal at 60 s; at 110 s all but one book go up on the home side; at 700 s they come back.
fn evening(find: impl Fn(&Shop) -> Vec<Signal>) -> Shop {
    let mut shop = Shop::new();
    shop.look(0, &|_| h2h(0, -110, -110), vec![]);
    let found = find(&shop);
    shop.look(60, &|_| h2h(60, -110, -110), found);
    let lazy = |secs: i64| move |b: &str| if b == "betmgm" { h2h(secs, -110, -110) } else { h2h(secs, -200, 170) };
    shop.look(110, &lazy(110), vec![]);
    shop.look(300, &lazy(300), vec![]);
    shop.look(400, &lazy(400), vec![]);
    shop.look(700, &|_| h2h(700, -110, -110), vec![]);
    shop.look(1000, &|_| h2h(1000, -110, -110), vec![]);
    shop
}

fn near(found: Option<f64>, wanted: f64, by: f64) {
    assert!(found.is_some_and(|f| (f - wanted).abs() <= by), "{found:?} is not {wanted}");
}

#[test]
fn moves_are_told_from_the_side_and_entries_by_their_clock() {
    let shop = evening(|_| vec![]);
    let reader = shop.reader();
    let mut follower = Follower::new(&reader).expect("follower");
    let home = taken("s1", &shop, "h2h", "draftkings", None);
    let up = follower.follow(&home, at(60)).expect("followed");
    near(up.fair, 0.5, 1e-6);
    // -200/+170 without its margin is some 64.6 % by any method; one book of four stays behind.
    assert!(up.move_1m.is_some_and(|m| m > 0.1 && m < 0.16), "{up:?}");
    assert_eq!(up.move_5m, up.move_1m);
    near(up.move_15m, 0.0, 0.003);
    let stayed = |least: i64, most: Option<i64>| Stayed {
        obtainable_ms: Some(least),
        gone_by_ms: most,
        still_there: most.is_none(),
    };
    assert_eq!((up.move_close, up.stayed), (None, stayed(0, Some(50_000))));
    assert_eq!((up.stayed.a_minute(), up.is_graded()), (Some(false), true));
    // The other side sees the opposite.
    let away = Signal { side: Some("away".into()), selection: "Miami Heat".into(), ..home.clone() };
    let down = follower.follow(&away, at(60)).expect("followed");
    near(down.move_1m, -up.move_1m.expect("known"), 1e-9);
    // +170 is better than -110: the entry stayed.
    assert_eq!(down.stayed, stayed(940_000, None));
    // A book that never moved.
    let lazy = follower.follow(&taken("s2", &shop, "h2h", "betmgm", None), at(60)).expect("followed");
    assert_eq!((lazy.stayed, lazy.stayed.a_minute()), (stayed(940_000, None), Some(true)));
    // A price that was never there, a book that nobody has seen, nothing to take.
    let dear = Signal { entry: entry("draftkings", None, 2.5, 150), ..home.clone() };
    assert_eq!(follower.follow(&dear, at(60)).expect("followed").stayed, stayed(0, Some(0)));
    let nowhere = Signal { entry: entry("bovada", None, 1.9, -111), ..home.clone() };
    assert_eq!(follower.follow(&nowhere, at(60)).expect("followed").stayed, Stayed::default());
    let informs = Signal { side: None, entry: None, ..home.clone() };
    let nothing = follower.follow(&informs, at(60)).expect("followed");
    assert_eq!((nothing.fair, nothing.is_graded(), nothing.stayed.a_minute()), (None, false, None));
    // What the looks do not reach is not known, and not zero.
    let late_signal = Signal { detected_at: at(980), ..home };
    let late = follower.follow(&late_signal, at(980)).expect("followed");
    assert_eq!((late.move_1m, late.stayed.a_minute()), (None, None));
    assert!(late.fair.is_some() && late.stayed.still_there);
    // Nor do looks that are too far apart: between 400 s and 700 s nobody looked.
    let blind = follower.follow(&Signal { detected_at: at(400), ..late_signal }, at(400)).expect("followed");
    assert_eq!(blind.move_1m, None, "{blind:?}");
    assert!(blind.move_5m.is_some());
}

#[test]
fn another_line_is_carried_to_the_entrys() {
    let mut shop = Shop::new();
    shop.look(0, &|_| spread(0, -3.5), vec![]);
    shop.look(60, &|_| spread(60, -3.5), vec![]);
    shop.look(100, &|_| spread(100, -5.5), vec![]);
    shop.look(400, &|_| spread(400, -5.5), vec![]);
    let reader = shop.reader();
    let mut follower = Follower::new(&reader).expect("follower");
    let up = follower.follow(&taken("s1", &shop, "spreads", "draftkings", Some(-3.5)), at(60)).expect("followed");
    near(up.fair, 0.5, 1e-6);
    // Two points of a spread are worth some 6 % in the NBA.
    assert!(up.move_1m.is_some_and(|m| m > 0.03 && m < 0.1), "{up:?}");
    assert_eq!((up.stayed.obtainable_ms, up.stayed.gone_by_ms), (Some(0), Some(40_000)));
    let better = follower.follow(&taken("s2", &shop, "spreads", "draftkings", Some(-2.5)), at(60)).expect("followed");
    assert!(better.fair > up.fair, "half a point better");
    let dog = Signal { side: Some("away".into()), ..taken("s3", &shop, "spreads", "draftkings", Some(3.5)) };
    let dog = follower.follow(&dog, at(60)).expect("followed");
    near(dog.move_1m, -up.move_1m.expect("known"), 1e-9);
    assert_eq!((dog.stayed.obtainable_ms, dog.stayed.still_there), (Some(340_000), true), "+5.5 is better than +3.5");
}

#[test]
fn a_dry_run_fires_as_the_rule_would_and_grades_what_it_told() {
    let shop = evening(|shop| {
        vec![
            taken("s1", shop, "h2h", "draftkings", None),
            Signal { kind: SignalType::Move, strength: 40, ..taken("s2", shop, "h2h", "betmgm", None) },
            taken("s3", shop, "h2h", "betmgm", None),
        ]
    });
    let rules = RuleSet::new(&[rule(1, "strong", |t| t.min_strength = Some(60))], &[], &[]);
    let reader = shop.reader();
    let all = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    let dry = dry_run::run(&reader, &rules, all.0, all.1).expect("runs");
    // The third is the same thing as the first, and cools.
    assert_eq!(dry.firings.iter().filter_map(|f| f.signal.as_ref()).map(|s| s.id.as_str()).collect::<Vec<_>>(), ["s1"]);
    assert_eq!(dry.signals, 3);
    let silent: Vec<_> = dry.silent.iter().map(|(why, n)| (why.name(), *n)).collect();
    assert_eq!(silent, [("strength", 1), ("cooldown", 1)]);
    assert!(dry.firings[0].follow_up.as_ref().and_then(|u| u.move_1m).is_some_and(|m| m > 0.1));
    let none = dry_run::run(&reader, &rules, at(61), all.1).expect("runs");
    assert_eq!((none.signals, none.firings.len()), (0, 0));
}

#[test]
fn quality_counts_signals_once_and_deliveries_each() {
    let mut shop =
        evening(|shop| vec![taken("s1", shop, "h2h", "draftkings", None), taken("s2", shop, "h2h", "betmgm", None)]);
    let message = |key: &str, signal: &str, rule: &str| NewMessage {
        key: key.into(),
        channel: "a".into(),
        kind: "signal".into(),
        rule: rule.into(),
        subject: String::new(),
        signal: Some((signal.into(), 1)),
        at: at(60),
        not_before: at(0),
        why: String::new(),
        message: "{}".into(),
    };
    let messages = vec![message("k1", "s1", "one\ntwo"), message("k2", "s1", "one"), message("k3", "s2", "two")];
    shop.store.tell(&Outgoing { messages, fired: vec![] }, at(61)).expect("told");
    let attempt = |message, next, secs| Attempted { message, at: at(secs), took_ms: 5, next, why: String::new() };
    shop.store
        .note_attempts(&[
            attempt(1, Next::Delivered, 62),
            attempt(2, Next::Delivered, 64),
            attempt(3, Next::Refused, 64),
        ])
        .expect("noted");
    let rows = quality::quality(&shop.reader(), at(0), at(9999)).expect("counted");
    let names: Vec<_> = rows.iter().map(|r| (r.by, r.name.as_str(), r.alerts, r.delivered, r.dead)).collect();
    assert_eq!(
        names,
        [("all", "", 2, 2, 1), ("rule", "one", 1, 2, 0), ("rule", "two", 2, 1, 1), ("type", "STEAM", 2, 2, 1)]
    );
    let all = &rows[0];
    assert_eq!((all.latency_ms.count, all.latency_ms.mean), (2, Some(2000.0)));
    assert_eq!((all.graded, all.move_1m.count), (2, 2));
    near(all.obtainable_1m.mean, 0.5, 1e-9);
    assert_eq!(all.move_close.mean, None);
    assert_eq!(quality::quality(&shop.reader(), at(61), at(9999)).expect("counted")[0].alerts, 0);
}
