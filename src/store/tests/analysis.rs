//! What the analysis found: given back as it was put in, as of any look, through upgrades, rewinds and retention.

use super::*;
use crate::engine::changes::{Point, Tally};
use crate::engine::detect::signal::{
    Components, Detail, Direction, Entry, Evidence, KeyCrossed, Sampling, ScoreSource, Sharp, Signal, SignalType,
    Stand, Tier,
};
use crate::engine::grade::close::{Close, CloseBook, Grade, NoClose};
use crate::engine::grade::clv::{CloseSide, ClvRow, NoClv};
use crate::engine::opportunity::{Opportunity, OpportunityChange, OpportunityKind, OpportunityLeg};
use crate::engine::price::fair::{Consensus, Fair};
use crate::engine::price::unit::UnitKey;
use crate::engine::recall::Recall;
use crate::market::bucket::TimeBucket;
use crate::market::ids::{BookId, LookId, MarketId, SportId, SubjectId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::store::analysis::AnalysisFilter;

const WHO: (u32, SportId) = (1, SportId(1));
/// As awkward as doubles come.
const AWKWARD: f64 = 0.1 + 0.2;

fn h2h_key() -> UnitKey {
    UnitKey { market: MarketId(1), subject: SubjectId::NONE, line: None }
}

fn prop_key(points: f64) -> UnitKey {
    UnitKey { market: MarketId(2), subject: SubjectId(7), line: Line::from_points(points) }
}

fn point(event: u32, key: UnitKey, p: f64) -> Point {
    let consensus = Consensus { line: key.line, probability: p + 1e-17, value: p / 3.0, dispersion: AWKWARD, books: 4 };
    Point {
        event: EventId(event),
        key,
        line: key.line,
        fair: Some(Fair {
            values: [p / 7.0, 0.0, 0.0],
            probability: [p, 1.0 - p, 0.0],
            standard_error: AWKWARD / 9.0,
            effective: 3.3,
            families: 4,
        }),
        consensus: Some(consensus),
        books: 5,
    }
}

fn three_way(event: u32) -> Point {
    let fair = Fair {
        values: [-0.7, 0.31, -1.9],
        probability: [0.3, AWKWARD, 0.4 - 1e-16],
        standard_error: 0.01,
        effective: 2.0,
        families: 3,
    };
    Point { fair: Some(fair), consensus: None, ..point(event, h2h_key(), 0.5) }
}

fn entry() -> Entry {
    Entry {
        book: "b1".to_owned(),
        line: Some(-3.5),
        price: 1.909_090_909_090_909_2,
        price_american: -110,
        age_seconds: 12.345,
        ev: Some(-AWKWARD),
        fair_probability: None,
    }
}

fn signal(id: &str, version: u32, event: u32, secs: i64) -> Signal {
    let stand =
        Stand { line: Some(AWKWARD), prices: [Some(1.9), None, Some(1.0 / 3.0)], probability: 0.5, value: -0.0 };
    Signal {
        id: id.to_owned(),
        version,
        schema: 1,
        kind: SignalType::Steam,
        event_id: EventId(event),
        provider_event_id: "e1".to_owned(),
        sport: SPORT.to_owned(),
        home_team: "Gulls \"the\" Æ".to_owned(),
        away_team: "Bison".to_owned(),
        commence_time: at(3600),
        market: "h2h".to_owned(),
        selection: "Gulls".to_owned(),
        side: Some("home".to_owned()),
        direction: Direction::Down,
        window_minutes: AWKWARD,
        unit: "probability".to_owned(),
        from_value: 0.1,
        to_value: 1.0 / 3.0,
        entry: Some(entry()),
        entry_now: None,
        books_affected: 4,
        panel: 6,
        opposers: 1,
        evidence: vec![Evidence {
            book: "b1".to_owned(),
            family: "b".to_owned(),
            before: stand,
            after: stand,
            change: 2.0_f64.powi(-60),
            moved_at: Some(Timestamp::from_millis(at(secs).millis() + 7)),
            moved_after: None,
            order: Some(1),
        }],
        sampling: Sampling { looks: 9, longest_gap_seconds: 61.5, limit_seconds: 75.0, from_look: at(secs - 600) },
        velocity_minutes: 1e-300,
        minutes_to_tip: -1e9 / 7.0,
        time_bucket: TimeBucket::PreTip,
        strength: 60 + version as u8,
        components: Components { magnitude: Some(AWKWARD), composite_record: Some(5e-324), ..Components::default() },
        composite: 70,
        tier: Tier::of(70),
        score_source: ScoreSource::Composite,
        sharp: Sharp::Agree,
        supersedes: Some("older".to_owned()),
        detail: Detail {
            keys: vec![KeyCrossed { number: -3, weight: 0.09 + AWKWARD }],
            labels: vec!["unresolved".to_owned()],
            delta: Some(f64::MAX),
            ..Detail::default()
        },
        detected_at: at(secs),
        updated_at: at(secs + 60),
        key: if version > 1 { prop_key(-20.25) } else { h2h_key() },
    }
}

fn close(event: u32, key: UnitKey, version: u32) -> Close {
    let book = CloseBook {
        book: "b1".to_owned(),
        line: None,
        prices: [Some(2.1), Some(AWKWARD), None],
        probability: None,
        value: Some(-AWKWARD),
        weight: 1.0 / 3.0,
        age_seconds: 4.0,
        excluded: Some("stale".to_owned()),
    };
    Close {
        event_id: EventId(event),
        market: "h2h".to_owned(),
        subject: key.line.map(|_| "Player".to_owned()),
        version,
        start: at(3600),
        seen_at: Some(at(3590)),
        grade: (version > 1).then_some(Grade::B),
        reason: (version == 1).then_some(NoClose::NoQuotes),
        provisional: version == 1,
        line: None,
        probability: [AWKWARD, 1.0 - AWKWARD, 0.0],
        value: AWKWARD,
        scale: "log_odds".to_owned(),
        fair_line: None,
        standard_error: 0.02,
        effective_books: 3.1,
        books: 5,
        sharp: true,
        age_seconds: Some(33.3),
        inputs: vec![book],
        key,
    }
}

fn clv(signal: &str, version: u32, event: u32, secs: i64, value: Option<f64>) -> ClvRow {
    ClvRow {
        signal_id: signal.to_owned(),
        version,
        kind: SignalType::Steam,
        event_id: EventId(event),
        sport: SPORT.to_owned(),
        market: "h2h".to_owned(),
        selection: "Gulls".to_owned(),
        side: Some("home".to_owned()),
        entry: Some(entry()),
        close: CloseSide {
            line: Some(AWKWARD),
            price: None,
            fair_probability: Some(0.52),
            grade: value.map(|_| Grade::A),
            reason: None,
        },
        clv_ev: value,
        clv_points: Some(-0.5),
        clv_price: None,
        fair_to_fair: Some(AWKWARD),
        left_out: value.is_none().then_some(NoClv::NoClose),
        detected_at: at(secs),
        start: at(3600),
        time_bucket: TimeBucket::Late,
        strength: 61,
        composite: 70,
        tier: Tier::Medium,
        books_affected: 4,
        dispersion: None,
        window_minutes: 10.0,
        graded_at: at(3700),
    }
}

fn opportunity(event: u32, key: UnitKey, kind: OpportunityKind, ev: f64, open: bool) -> OpportunityChange {
    let leg = |side, book, price| OpportunityLeg {
        side,
        book: BookId(book),
        line: key.line,
        price,
        odds: AWKWARD + 1.0,
        age_ms: 1234,
        share: 1.0 / 3.0,
    };
    let american = leg(Side::Over, 1, Price::american(-110).expect("price"));
    let decimal = leg(Side::Under, 300, Price::decimal(2.15).expect("price"));
    OpportunityChange {
        opportunity: Opportunity {
            event: EventId(event),
            key,
            kind,
            legs: if kind == OpportunityKind::PositiveEv { vec![american] } else { vec![american, decimal] },
            ev,
            edge: Some(AWKWARD),
            fair_probability: None,
            standard_error: Some(1e-7),
            kelly: None,
            chance: Some(0.05),
            suspect: ev > 0.2,
        },
        open,
    }
}

fn tally(detector: SignalType, evaluated: u32, not_evaluable: u32) -> Tally {
    Tally { detector, evaluated, not_evaluable, longest_gap_ms: 300_000, needed_ms: 60_000, suppressed: 2 }
}

fn two_games(t: i64) -> Value {
    let game = |id: &str, price| event(id, 3600, vec![book("b1", vec![h2h(t, price)])]);
    json!([game("e1", -110 - t % 7), game("e2", -120)])
}

fn recall(shop: &Shop, look: u64) -> Recall {
    let reader = Reader::open(&shop.path()).expect("reader");
    reader.past().recall(WHO.0, WHO.1, Some(LookId(look))).expect("recall")
}

/// Three looks with everything in them, and what is to be recalled after each.
fn three_looks(shop: &mut Shop) -> Vec<Recall> {
    let (h, p) = (h2h_key(), prop_key(-20.25));
    let (ev, arb) = (OpportunityKind::PositiveEv, OpportunityKind::Arbitrage);
    let gone = Point { fair: None, consensus: None, books: 0, line: None, ..point(1, p, 0.5) };
    shop.look_finding(0, Scope::default(), &two_games(0), |c| {
        c.points = vec![three_way(2), point(1, p, 0.61), point(1, h, AWKWARD)];
        c.signals = vec![signal("sig-b", 1, 1, 0), signal("sig-a", 1, 1, 0)];
        c.opportunities = vec![opportunity(1, p, arb, 0.011, true), opportunity(1, h, ev, AWKWARD, true)];
        c.tallies = vec![tally(SignalType::Move, 5, 0), tally(SignalType::Steam, 0, 3)];
    });
    let first = Recall {
        points: vec![point(1, h, AWKWARD), point(1, p, 0.61), three_way(2)],
        signals: vec![signal("sig-a", 1, 1, 0), signal("sig-b", 1, 1, 0)],
        open_opportunities: vec![opportunity(1, h, ev, AWKWARD, true), opportunity(1, p, arb, 0.011, true)],
        ..Recall::default()
    };
    shop.look_finding(60, Scope::default(), &two_games(60), |c| {
        c.points = vec![gone];
        c.signals = vec![signal("sig-a", 2, 1, 0)];
        c.opportunities = vec![opportunity(1, h, ev, 0.02, true), opportunity(1, p, arb, 0.01, false)];
        c.closes = vec![close(1, p, 1), close(1, h, 1), close(1, h, 2)];
        c.clv = vec![clv("sig-a", 1, 1, 0, None), clv("sig-b", 1, 1, 0, Some(AWKWARD))];
        c.tallies = vec![tally(SignalType::Move, 7, 1)];
    });
    let second = Recall {
        points: vec![point(1, h, AWKWARD), gone, three_way(2)],
        signals: vec![signal("sig-a", 1, 1, 0), signal("sig-a", 2, 1, 0), signal("sig-b", 1, 1, 0)],
        closes: vec![close(1, h, 2), close(1, p, 1)],
        clv: vec![clv("sig-a", 1, 1, 0, None), clv("sig-b", 1, 1, 0, Some(AWKWARD))],
        open_opportunities: vec![opportunity(1, h, ev, 0.02, true)],
        record: vec![(SignalType::Steam, 1, 1)],
    };
    shop.look_finding(120, Scope::default(), &two_games(120), |c| {
        c.opportunities = vec![opportunity(1, h, ev, 0.02, false)];
        c.clv = vec![clv("sig-a", 2, 1, 0, Some(-3.0)), clv("sig-c", 1, 2, 30, Some(0.0))];
        c.signals = vec![signal("sig-c", 1, 2, 30)];
    });
    let mut third = second.clone();
    third.open_opportunities.clear();
    third.clv = vec![
        clv("sig-a", 2, 1, 0, Some(-3.0)),
        clv("sig-b", 1, 1, 0, Some(AWKWARD)),
        clv("sig-c", 1, 2, 30, Some(0.0)),
    ];
    third.signals.push(signal("sig-c", 1, 2, 30));
    third.record = vec![(SignalType::Steam, 2, 0)];
    vec![first, second, third]
}

#[test]
fn what_was_found_comes_back_as_of_any_look() {
    let mut shop = Shop::new();
    let want = three_looks(&mut shop);
    for (n, want) in want.iter().enumerate() {
        assert_eq!(&recall(&shop, n as u64 + 1), want, "after look {}", n + 1);
    }
    let reader = Reader::open(&shop.path()).expect("reader");
    assert_eq!(reader.past().recall(WHO.0, WHO.1, None).expect("recall"), Recall::default());
    assert_eq!(reader.past().recall(9, WHO.1, Some(LookId(3))).expect("recall"), Recall::default());
    assert_eq!(recall(&shop, 99), want[2]);
}

#[test]
fn any_number_survives_the_json() {
    let mut shop = Shop::new();
    let mut state = 7_u64;
    for n in 0..400 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = f64::from_bits(state);
        let x = if x.is_finite() { x } else { 0.5 };
        let y = (state >> 11) as f64 / (1_u64 << 53) as f64;
        let id = format!("s{n:03}");
        let mut s = signal(&id, 1, 1, n);
        (s.from_value, s.to_value, s.velocity_minutes) = (x, y, -y * 57.3);
        let mut row = clv(&id, 1, 1, n, Some(y));
        row.fair_to_fair = Some(x);
        let (want, graded) = (s.clone(), row.clone());
        shop.look_finding(n * 60, Scope::default(), &two_games(n * 60), |c| {
            c.signals.push(s);
            c.clv.push(row);
        });
        let reader = shop.store().reader().expect("reader");
        assert_eq!(reader.signal(&id, 2).expect("signal"), [want]);
        let at = Some(at(n));
        let filter = AnalysisFilter { since: at, until: at, ..AnalysisFilter::default() };
        assert_eq!(reader.clv_rows(&filter).expect("rows"), [graded]);
    }
}

#[test]
fn questions_are_answered_by_filter() {
    let mut shop = Shop::new();
    three_looks(&mut shop);
    let reader = Reader::open(&shop.path()).expect("reader");
    let all = AnalysisFilter::default();
    let ids = |f: &AnalysisFilter| -> Vec<String> {
        reader.signals(f).expect("signals").into_iter().map(|s| format!("{}.{}", s.id, s.version)).collect()
    };
    assert_eq!(ids(&all), ["sig-a.2", "sig-b.1", "sig-c.1"]);
    assert_eq!(ids(&AnalysisFilter { limit: Some(2), ..all }), ["sig-b.1", "sig-c.1"], "the latest");
    assert_eq!(ids(&AnalysisFilter { min_strength: Some(62), ..all }), ["sig-a.2"]);
    assert_eq!(ids(&AnalysisFilter { event: Some(EventId(2)), ..all }), ["sig-c.1"]);
    assert_eq!(ids(&AnalysisFilter { since: Some(at(30)), ..all }), ["sig-c.1"]);
    assert_eq!(ids(&AnalysisFilter { until: Some(at(29)), ..all }), ["sig-a.2", "sig-b.1"]);
    assert_eq!(ids(&AnalysisFilter { market: Some(MarketId(2)), ..all }), ["sig-a.2"]);
    assert_eq!(ids(&AnalysisFilter { kind: Some(SignalType::Move), ..all }), [""; 0]);
    assert_eq!(ids(&AnalysisFilter { sport: Some(SportId(2)), ..all }), [""; 0]);
    assert_eq!(ids(&AnalysisFilter { tier: Some(Tier::Medium), ..all }).len(), 3);
    assert_eq!(ids(&AnalysisFilter { tier: Some(Tier::High), ..all }).len(), 0);
    assert_eq!(ids(&AnalysisFilter { tier: Some(Tier::Low), min_score: Some(71), ..all }).len(), 0);

    assert_eq!(reader.signal("sig-", 9).expect("signals").len(), 3);
    assert_eq!(reader.signal("sig-", 2).expect("signals").len(), 2);
    assert_eq!(reader.signal("sig-c", 9).expect("signals"), [signal("sig-c", 1, 2, 30)]);
    assert_eq!(reader.signal("sig_", 9).expect("signals"), []);
    assert_eq!(reader.signal_versions("sig-a").expect("signals"), [signal("sig-a", 1, 1, 0), signal("sig-a", 2, 1, 0)]);

    let rows = reader.clv_rows(&AnalysisFilter { market: Some(MarketId(1)), ..all }).expect("rows");
    assert_eq!(
        rows.iter().map(|r| (&*r.signal_id, r.version)).collect::<Vec<_>>(),
        [("sig-a", 2), ("sig-b", 1), ("sig-c", 1)]
    );
    assert_eq!(reader.closes(&all).expect("closes"), [close(1, h2h_key(), 2), close(1, prop_key(-20.25), 1)]);
    let none = AnalysisFilter { since: Some(at(3601)), ..all };
    assert_eq!(reader.closes(&none).expect("closes"), []);
    assert_eq!(reader.closes(&AnalysisFilter { sport: Some(WHO.1), limit: Some(1), ..all }).expect("closes").len(), 1);

    let points = |from, to| {
        let found = reader.points(EventId(1), at(from), at(to)).expect("points");
        found.iter().map(|p| (p.look.0, p.point.key.market.0, p.point.fair.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(points(0, 120), [(1, 1, true), (1, 2, true), (2, 2, false)]);
    assert_eq!(points(60, 120), [(1, 1, true), (2, 2, false)], "what held at the beginning is part of it");
    assert_eq!(points(0, 59), [(1, 1, true), (1, 2, true)]);

    let open = |secs| {
        let found = reader.open_opportunities(at(secs)).expect("opportunities");
        found
            .iter()
            .map(|o| (o.change.opportunity.ev, o.since.since(at(0)), o.changed.since(at(0))))
            .collect::<Vec<_>>()
    };
    assert_eq!(open(-1), []);
    assert_eq!(open(59), [(AWKWARD, 0, 0), (0.011, 0, 0)], "best first");
    assert_eq!(open(60), [(0.02, 0, 60_000)]);
    assert_eq!(open(120), []);

    let sums = reader.tallies(at(0)).expect("tallies");
    let sums: Vec<_> = sums.iter().map(|t| (t.detector, t.looks, t.evaluated, t.not_evaluable, t.needed_ms)).collect();
    assert_eq!(sums, [(SignalType::Move, 2, 12, 1, 60_000), (SignalType::Steam, 1, 0, 3, 60_000)]);
    assert_eq!(reader.tallies(at(1)).expect("tallies").len(), 1);
}

#[test]
fn settings_are_noted_when_they_change() {
    let mut shop = Shop::new();
    for (look, json) in [(1, "{}"), (5, "{}"), (9, "{\"a\":1}"), (9, "{\"a\":2}"), (12, "{}")] {
        shop.store().note_settings(LookId(look), json).expect("noted");
    }
    let notes = shop.store().reader().expect("reader").settings_notes().expect("notes");
    let notes: Vec<_> = notes.iter().map(|(look, json)| (look.0, &**json)).collect();
    assert_eq!(notes, [(1, "{}"), (9, "{\"a\":2}"), (12, "{}")]);
}

const TABLES: [&str; 7] = ["point", "signal", "opportunity", "close", "clv", "tally", "event_life"];

fn rows(shop: &Shop) -> Vec<i64> {
    TABLES.iter().map(|t| shop.count(t)).collect()
}

#[test]
fn looks_taken_back_take_what_they_found_with_them() {
    let mut shop = Shop::new();
    let want = three_looks(&mut shop);
    let after = rows(&shop);
    // Another sport is no part of it.
    let text =
        json!([{"id": "x", "sport_key": "icehockey_nhl", "commence_time": at(3600).to_string(), "home_team": "A",
                       "away_team": "B", "bookmakers": []}])
        .to_string();
    let info = AnswerInfo {
        source: SOURCE,
        sport: "icehockey_nhl",
        endpoint: Endpoint::Odds,
        received_at: at(130),
        scope: Scope::default(),
        format: None,
    };
    let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
    let mut changes = shop.engine.apply(&batch);
    changes.points.push(point(3, h2h_key(), 0.4));
    changes.tallies.push(tally(SignalType::Move, 1, 1));
    shop.store().commit(&changes, &LookMeta::default()).expect("commit");

    let settings = quotes_only();
    for (secs, looks) in [(90, 2_usize), (60, 2), (59, 1), (-1, 0)] {
        let rewound: Result<_, StoreError> =
            shop.store().together(|together| together.rewind(WHO.0, WHO.1, at(secs), &settings));
        rewound.expect("rewound");
        let want = looks.checked_sub(1).and_then(|n| want.get(n)).cloned().unwrap_or_default();
        assert_eq!(recall(&shop, 99), want, "back to {secs}");
    }
    assert_eq!(rows(&shop), [1, 0, 0, 0, 0, 1, 0]);
    // Applied again under new numbers, everything is there again.
    shop.restart();
    three_looks(&mut shop);
    let mut now = rows(&shop);
    (now[0], now[5]) = (now[0] - 1, now[5] - 1);
    assert_eq!(now, after);
}

/// A store as version 1 wrote it, with the rows of another.
fn as_version_1(of: &Path, path: &Path) {
    let c = Connection::open(path).expect("database");
    c.pragma_update(None, "auto_vacuum", "INCREMENTAL").expect("pragma");
    c.execute_batch(include_str!("../../../migrations/sqlite/0001_store.sql")).expect("schema");
    c.pragma_update(None, "application_id", 0x5354_5241).expect("pragma");
    c.pragma_update(None, "user_version", 1).expect("pragma");
    c.execute("ATTACH ? AS newer", [of.to_str().expect("path")]).expect("attach");
    let tables: Vec<String> = c
        .prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .and_then(|mut s| s.query_map([], |r| r.get(0))?.collect())
        .expect("tables");
    for table in tables {
        let columns: Vec<String> = c
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}', 'main')"))
            .and_then(|mut s| s.query_map([], |r| r.get(0))?.collect())
            .expect("columns");
        let columns = columns.join(", ");
        let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        c.execute(&sql, []).expect("copied");
    }
}

#[test]
fn a_store_of_version_1_is_brought_up_in_place() {
    let mut shop = Shop::new();
    let game = |t: i64, price| json!([event("e1", 3600, vec![book("b1", vec![h2h(t, price)])])]);
    shop.look(0, Scope::default(), &game(0, -110));
    shop.look(60, Scope::default(), &json!([]));
    shop.look(9 * DAY, Scope::default(), &json!([]));
    shop.look(9 * DAY + 60, Scope::default(), &game(9 * DAY + 50, -130));
    let old = shop.folder.path().join("old.db");
    as_version_1(&shop.path(), &old);
    assert!(matches!(Reader::open(&old), Err(StoreError::OlderSchema { found: 1, .. })));
    let before = content(&shop.path());

    let store = Store::open(&old).expect("upgraded");
    let mut upgraded = Shop {
        folder: tempfile::tempdir().expect("folder"),
        engine: store.engine(quotes_only()).expect("engine"),
        store: Some(store),
    };
    let version: i64 =
        Connection::open(&old).and_then(|c| c.pragma_query_value(None, "user_version", |r| r.get(0))).expect("version");
    assert_eq!(version, SCHEMA_VERSION);
    for ((table, want), (_, found)) in before.into_iter().zip(content(&old)) {
        if table == "event_life" {
            assert_eq!(found, [r#"[Integer(1), Integer(4), Integer(2), Null]"#], "what version 1 did not know");
        } else {
            assert_eq!(want, found, "{table}");
        }
    }
    let next = |shop: &mut Shop| {
        let (t, body) = (9 * DAY + 120, game(9 * DAY + 110, -140));
        shop.look_finding(t, Scope::default(), &body, |c| c.points.push(point(1, h2h_key(), 0.5)))
    };
    assert_eq!(next(&mut upgraded), next(&mut shop), "it goes on as if nothing had been");
    upgraded.store = None;
    Store::open(&old).expect("once is enough");
}

fn retain(shop: &mut Shop, days: i64, now: i64) -> usize {
    let policy = Retention {
        raw_ms: None,
        changes_ms: None,
        logs_ms: None,
        points_ms: Some(days * DAY * 1000),
        cycles_ms: None,
        exchange_ms: None,
    };
    retain_all(shop, &policy, at(now)).points
}

#[test]
fn old_points_go_and_what_held_at_the_limit_stays() {
    let mut shop = Shop::new();
    let ev = OpportunityKind::PositiveEv;
    let open = |t: i64| event("e1", 20 * DAY, vec![book("b1", vec![h2h(t, -110)])]);
    let soon_over = |t: i64| event("e2", 3600, vec![book("b1", vec![h2h(t, -110)])]);
    for n in 0..20_i64 {
        let t = n * DAY / 2;
        let body = if n < 3 { json!([open(t), soon_over(t)]) } else { json!([open(t)]) };
        shop.look_finding(t, Scope::default(), &body, |c| {
            let p = 0.3 + n as f64 / 100.0;
            c.points = vec![point(1, h2h_key(), p)];
            c.opportunities = vec![opportunity(1, h2h_key(), ev, p, true)];
            if n == 0 {
                c.points.push(point(1, prop_key(0.5), p));
                c.opportunities.push(opportunity(1, prop_key(0.5), ev, p, true));
                c.signals.push(signal("s", 1, 2, 0));
            }
            if n < 3 {
                c.points.push(point(2, h2h_key(), p));
                c.closes.push(close(2, h2h_key(), n as u32 + 1));
                c.clv.push(clv("s", n as u32 + 1, 2, 0, Some(p)));
            }
        });
    }
    assert_eq!((shop.count("point"), shop.count("opportunity")), (24, 21));
    let (now, kept) = (10 * DAY, [shop.count("close"), shop.count("clv"), shop.count("signal")]);
    let before: Vec<_> = (15..=20).map(|look| recall(&shop, look)).collect();
    // Looks 1 to 15 (of day 7) are older; the 15th holds at the limit. The second event is forgotten.
    assert_eq!(retain(&mut shop, 3, now + DAY / 4), 14 + 3 + 14);
    assert_eq!((shop.count("point"), shop.count("opportunity")), (7, 7));
    assert_eq!([shop.count("close"), shop.count("clv"), shop.count("signal")], kept);
    let after: Vec<_> = (15..=20).map(|look| recall(&shop, look)).collect();
    assert_eq!(before, after, "every look since is known as before");
    assert_eq!(retain(&mut shop, 1, now + DAY / 4), 0, "the next round begins an hour later");
    assert_eq!(retain(&mut shop, 1, now + DAY / 2), 8, "looks 15 to 18 are not needed any more");
    assert_eq!(retain(&mut shop, 1, now + 900 * DAY), 2, "the newest stays, however old");
    assert_eq!((shop.count("point"), shop.count("opportunity")), (2, 2));
}

#[test]
fn a_look_with_a_thousand_points_is_written_quickly() {
    let mut shop = Shop::new();
    let key = |n: u32| UnitKey { market: MarketId(n as u16 % 20), subject: SubjectId(n / 20 % 10), line: None };
    let mut took = Vec::new();
    for look in 0..60_i64 {
        let text = json!([]).to_string();
        let info = AnswerInfo {
            source: SOURCE,
            sport: SPORT,
            endpoint: Endpoint::Odds,
            received_at: at(look * 60),
            scope: Scope::default(),
            format: None,
        };
        let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
        let mut changes = shop.engine.apply(&batch);
        changes.points = (0..1000).map(|n| point(n / 100, key(n), 0.3 + f64::from(n) / 1e4)).collect();
        let began = std::time::Instant::now();
        shop.store().commit(&changes, &LookMeta::default()).expect("commit");
        took.push(began.elapsed());
    }
    took.sort();
    eprintln!("a look with 1000 points: median {:?}, slowest {:?}", took[30], took[59]);
    assert_eq!(shop.count("point"), 60_000);
    // Generous: machines that run tests are busy, and this is not the release build.
    assert!(took[30].as_millis() < 100, "{took:?}");
}
