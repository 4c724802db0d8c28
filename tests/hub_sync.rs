//! Two stores and a hub: what one tells the other takes in, whole and once, through a real PostgreSQL.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::path::Path;

use postgres::Postgres;
use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::answers;
use stratum::hub::connect::{Connection, HubUrl, Tier, connect};
use stratum::hub::error::HubError;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{PushError, Pusher, Step};
use stratum::hub::recent::{self, First};
use stratum::hub::{link, schema};
use stratum::market::batch::Scope;
use stratum::market::price::OddsFormat;
use stratum::market::time::Timestamp;
use stratum::runtime::intake::{self, Answer};
use stratum::store::Store;
use uuid::Uuid;

const SPORT: &str = "basketball_nba";
const DATABASE: &str = postgres::DATABASE;

/// Answers of an evening: prices that move, a game that comes, one that goes, a market that is taken down.
fn answer(minute: i64) -> String {
    let games = ["Boston Celtics/Miami Heat", "Denver Nuggets/Utah Jazz", "Phoenix Suns/Sacramento Kings"];
    let mut out = Vec::new();
    for (n, game) in games.iter().enumerate() {
        if n == 2 && !(5..40).contains(&minute) {
            continue;
        }
        let (home, away) = game.split_once('/').expect("two teams");
        let mut books = Vec::new();
        for (b, book) in ["pinnacle", "draftkings", "fanduel", "betmgm", "betrivers", "bovada"].iter().enumerate() {
            let step = (minute + b as i64) / 4;
            let line = -3.5 - 0.5 * ((step + n as i64) % 4) as f64;
            let price = -110 - ((minute * 7 + b as i64 * 3 + n as i64) % 9);
            let gone = b == 4 && (12..18).contains(&minute);
            let markets = if gone {
                String::new()
            } else {
                format!(
                    r#"{{"key":"h2h","last_update":"{t}","outcomes":[{{"name":"{home}","price":{h}}},{{"name":"{away}","price":{a}}}]}},
                       {{"key":"spreads","last_update":"{t}","outcomes":[{{"name":"{home}","price":{price},"point":{line}}},{{"name":"{away}","price":-110,"point":{other}}}]}}"#,
                    t = Timestamp::from_millis(at(minute) - 9_000).to_wire(),
                    h = -150 - (step % 5) * 4,
                    a = 130 + (step % 5) * 3,
                    other = -line
                )
            };
            books.push(format!(
                r#"{{"key":"{book}","title":"{book}","last_update":"{t}","markets":[{markets}]}}"#,
                t = Timestamp::from_millis(at(minute) - 9_000).to_wire()
            ));
        }
        out.push(format!(
            r#"{{"id":"game{n}","sport_key":"{SPORT}","sport_title":"NBA","commence_time":"{}","home_team":"{home}","away_team":"{away}","bookmakers":[{}]}}"#,
            Timestamp::from_millis(at(60 + 10 * n as i64)).to_wire(),
            books.join(",")
        ));
    }
    format!("[{}]", out.join(","))
}

fn at(minute: i64) -> i64 {
    1_795_132_800_000 + minute * 60_000
}

fn look(engine: &mut Engine, store: &mut Store, minute: i64) {
    store.note_settings(engine.next_look(), &engine.settings().note()).expect("rules");
    let body = answer(minute);
    let answer = Answer {
        source: "the_odds_api",
        sport: SPORT,
        endpoint: None,
        received_at: Timestamp::from_millis(at(minute)),
        scope: Scope::default(),
        format: Some(OddsFormat::American),
        body: body.as_bytes(),
        origin: None,
        cost: Some(3),
        remaining: Some(1000 - minute),
    };
    intake::take(engine, store, &answer).expect("taken");
}

/// Everything of a store in words that do not depend on its own numbers.
fn told(path: &Path) -> Vec<String> {
    let c = rusqlite::Connection::open(path).expect("store");
    let questions = [
        "SELECT 'look', received_at, endpoint, events, quotes, changes, issues, hex(body_hash), s.json, cost FROM look
         JOIN scope s ON s.id = scope ORDER BY received_at",
        "SELECT 'event', provider_id, home, away, commence, first_seen, status, home_score, slots, forgotten IS NULL,
         (SELECT received_at FROM look WHERE id = first_look), (SELECT received_at FROM look WHERE id = forgotten)
         FROM event ORDER BY provider_id",
        "SELECT 'quote', e.provider_id, slot, b.name, m.name, side, subject, own_line, line, price, q.status, q.first_seen,
         last_changed, last_seen, provider_update FROM quote q JOIN event e ON e.id = event
         JOIN name b ON b.kind = 2 AND b.number = book JOIN name m ON m.kind = 3 AND m.number = market
         ORDER BY e.provider_id, slot",
        "SELECT 'change', e.provider_id, l.received_at, slot, line, price, c.status, last_seen, provider_update
         FROM change c JOIN event e ON e.id = event JOIN look l ON l.id = c.look ORDER BY 2, 3, 4",
        "SELECT 'point', e.provider_id, l.received_at, m.name, subject, own_line, p.line, value1, value2, fair1, fair2,
         standard_error, effective, families, consensus_line, consensus, dispersion, p.books,
         (SELECT received_at FROM look WHERE id = previous)
         FROM point p JOIN event e ON e.id = event JOIN look l ON l.id = p.look JOIN name m ON m.kind = 3 AND m.number = market
         ORDER BY 2, 3, 4, 6",
        "SELECT 'newest', e.provider_id, l.received_at, m.name, own_line FROM point_newest p JOIN event e ON e.id = event
         JOIN look l ON l.id = p.look JOIN name m ON m.kind = 3 AND m.number = market ORDER BY 2, 4, 5",
        "SELECT 'signal', s.id, version, l.received_at, type, direction, side, strength, composite,
         json_remove(json, '$.event_id') FROM signal s JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'issue', l.received_at, e.provider_id, b.name, reason, detail,
         (SELECT received_at FROM look WHERE id = cleared) FROM quality q JOIN look l ON l.id = look
         LEFT JOIN event e ON e.id = q.event LEFT JOIN name b ON b.kind = 2 AND b.number = book ORDER BY 2, q.id",
        "SELECT 'tally', l.received_at, detector, evaluated, not_evaluable FROM tally JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'keyframe', e.provider_id, l.received_at, hex(state) FROM keyframe JOIN event e ON e.id = event
         JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'opportunity', e.provider_id, l.received_at, kind, open, ev, json FROM opportunity o
         JOIN event e ON e.id = event JOIN look l ON l.id = o.look ORDER BY 2, 3, 4, 7",
    ];
    let mut lines = Vec::new();
    for sql in questions {
        let mut select = c.prepare(sql).expect("question");
        let columns = select.column_count();
        let mut rows = select.query([]).expect("rows");
        while let Some(r) = rows.next().expect("row") {
            let cells: Vec<String> =
                (0..columns).map(|i| format!("{:?}", r.get::<_, rusqlite::types::Value>(i).expect("cell"))).collect();
            lines.push(cells.join(" "));
        }
    }
    lines
}

/// A database with a hub, and logins.
struct Desk {
    server: Postgres,
}

impl Desk {
    async fn new() -> Option<Self> {
        let server = Postgres::start()?;
        let mut c = open(&server, postgres::HOSTER).await;
        schema::init(&mut c).await.expect("a hub");
        for (login, group) in [("collector1", "stratum_collector"), ("pro1", "stratum_pro"), ("free1", "stratum_free")]
        {
            let password = format!("{login}-secret");
            c.client()
                .batch_execute(&format!("CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {group}"))
                .await
                .expect("a login");
            server.know(login, &password);
        }
        Some(Self { server })
    }

    async fn connect(&self, login: &str) -> Connection {
        open(&self.server, login).await
    }
}

async fn open(server: &Postgres, login: &str) -> Connection {
    let url = HubUrl::parse(&SecretString::from(server.url_to(login, DATABASE))).expect("address");
    connect(&url.with_ca(Some(&server.ca_file())), "test").await.expect("connected")
}

/// A store that is linked.
async fn join(hub: &mut Connection, store: &mut Store, name: &str) -> i32 {
    let device = Uuid::new_v4();
    let joined = link::join(hub, device, name, true).await.expect("joined");
    let newest = store.newest_look_id().expect("newest");
    store.hub_join(&joined.link(device, newest, Timestamp::from_millis(0))).expect("linked");
    joined.number
}

async fn lease(hub: &mut Connection, device: i32, token: i64) {
    let admin = hub.client();
    admin
        .batch_execute(&format!(
            "DELETE FROM hub.lease; INSERT INTO hub.lease (sport, device, token, until)
             VALUES ('{SPORT}', {device}, {token}, now() + interval '1 hour')"
        ))
        .await
        .expect("a lease");
}

/// Tells everything; answers the steps that told something.
async fn tell(hub: &mut Connection, store: &mut Store, device: i32, token: i64) -> usize {
    let mut pusher = Pusher::new(store.reader().expect("reader"), device).expect("pusher");
    let mut steps = 0;
    for cursor in store.reader().expect("reader").hub_cursors().expect("cursors") {
        let mut cursor = cursor;
        loop {
            match pusher.step(hub, &cursor, token).await.expect("a step") {
                Step::Nothing | Step::Overtaken => break,
                Step::Told { told, .. } => {
                    store.hub_told(&told).expect("noted");
                    cursor = told.cursor.unwrap_or(cursor);
                    pusher.forget().expect("maps");
                    steps += 1;
                }
            }
        }
    }
    steps
}

async fn follow(hub: &mut Connection, store: &mut Store, device: i32, view: View) -> usize {
    let mut looks = 0;
    loop {
        let after = store.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
        let Some(stretch) = pull::next(hub, view, device, after).await.expect("a stretch") else { return looks };
        looks += store.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied").looks.len();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

/// Two linked stores and the connections of their devices.
struct Two {
    desk: Desk,
    home: tempfile::TempDir,
    a: Store,
    b: Store,
    hub: Connection,
    owner: Connection,
    device_a: i32,
    device_b: i32,
}

impl Two {
    async fn new() -> Option<Self> {
        let desk = Desk::new().await?;
        let home = tempfile::tempdir().expect("folder");
        let store = |name: &str| Store::open(&home.path().join(name).join("stratum.db")).expect("store");
        let (mut a, mut b) = (store("a"), store("b"));
        // The second one has met other names before and numbers everything otherwise.
        let other = rusqlite::Connection::open(b.path()).expect("store");
        other
            .execute_batch(
                "INSERT INTO name VALUES (1, 1, 'soccer_epl'), (2, 1, 'matchbook'), (2, 2, 'bovada'), (3, 1, 'totals'),
                 (5, 1, 'elsewhere')",
            )
            .expect("names");
        let mut hub = desk.connect("collector1").await;
        let owner = desk.connect(postgres::HOSTER).await;
        let device_a = join(&mut hub, &mut a, "desk-1").await;
        let device_b = join(&mut hub, &mut b, "desk-2").await;
        Some(Self { desk, home, a, b, hub, owner, device_a, device_b })
    }

    async fn tell_a(&mut self, token: i64) -> usize {
        tell(&mut self.hub, &mut self.a, self.device_a, token).await
    }

    async fn follow_b(&mut self) -> usize {
        follow(&mut self.hub, &mut self.b, self.device_b, View::Whole).await
    }

    fn assert_same(&self) {
        let (a, b) = (told(self.a.path()), told(self.b.path()));
        assert!(
            a.len() > 500 && a.iter().any(|l| l.starts_with("Text(\"signal\")")),
            "something to compare: {}",
            a.len()
        );
        let first = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
    }

    fn looks_at_the_hub(&self) -> String {
        let all = self.desk.server.ask("collector1", DATABASE, "SELECT count(*) FROM hub.look");
        all.lines().map(str::trim).find(|l| l.parse::<i64>().is_ok()).unwrap_or_default().to_owned()
    }
}

fn engine_of(store: &Store) -> Engine {
    store.engine(EngineSettings::default()).expect("engine")
}

#[test]
fn what_one_tells_another_takes_in() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 7).await;
        assert!(two.tell_a(7).await > 0);
        assert_eq!(two.tell_a(7).await, 0, "nothing twice");
        assert_eq!(two.follow_b().await, 20);
        // One by one, as it happens live; games end and are let go of.
        for minute in 20..140 {
            look(&mut engine, &mut two.a, minute);
            if minute % 7 == 0 || minute > 130 {
                two.tell_a(7).await;
                two.follow_b().await;
            }
        }
        two.tell_a(7).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "140");
        // What was pulled is what would have been judged here.
        drop(two.b);
        let checked = assert_cmd::Command::new(env!("CARGO_BIN_EXE_stratum"))
            .arg("--data-dir")
            .arg(two.home.path().join("b"))
            .args(["replay", "--check"])
            .env("HOME", two.home.path())
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    });
}

#[test]
fn an_answer_that_was_lost_is_found_and_nothing_is_told_twice() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..30 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        // Taken there; here the power goes before it is noted.
        assert!(matches!(pusher.step(&mut two.hub, &cursor, 1).await.expect("a step"), Step::Told { .. }));
        drop(pusher);
        for minute in 30..40 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        assert_eq!(two.looks_at_the_hub(), "40");
        two.assert_same();
    });
}

#[test]
fn looks_that_come_late_take_their_place_everywhere() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in (0..60).filter(|m| m % 11 != 5) {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        let settings = EngineSettings::default();
        let rewound = two.a.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(26)), &settings).map(drop)
        });
        rewound.expect("rewound");
        let mut engine = engine_of(&two.a);
        for minute in 27..60 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(1).await;
        two.follow_b().await;
        two.assert_same();
        assert_eq!(
            two.looks_at_the_hub(),
            told(two.a.path()).iter().filter(|l| l.starts_with("Text(\"look\")")).count().to_string()
        );
    });
}

#[test]
fn whoever_returns_late_is_refused_and_gives_way() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..20 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        two.follow_b().await;
        // Cut off, the first one goes on; the second one takes over.
        for minute in 20..25 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_b, 2).await;
        let mut engine_b = engine_of(&two.b);
        for minute in 25..50 {
            look(&mut engine_b, &mut two.b, minute);
        }
        tell(&mut two.hub, &mut two.b, two.device_b, 2).await;
        let reader = two.a.reader().expect("reader");
        let cursor = reader.hub_cursors().expect("cursors")[0];
        let mut pusher = Pusher::new(reader, two.device_a).expect("pusher");
        let refused = pusher.step(&mut two.hub, &cursor, 1).await.expect_err("refused");
        assert!(matches!(refused, PushError::Hub(HubError::Fenced { .. })), "{refused:?}");
        // Even with a lease of its own again it may not put what is old behind what is new.
        lease(&mut two.owner, two.device_a, 3).await;
        assert_eq!(pusher.step(&mut two.hub, &cursor, 3).await.expect("a step"), Step::Overtaken);
        drop(pusher);
        assert_eq!(follow(&mut two.hub, &mut two.a, two.device_a, View::Whole).await, 25);
        two.assert_same();
        assert_eq!(two.looks_at_the_hub(), "45");
        // And it goes on from there.
        let mut engine = engine_of(&two.a);
        for minute in 50..70 {
            look(&mut engine, &mut two.a, minute);
        }
        two.tell_a(3).await;
        two.follow_b().await;
        two.assert_same();
    });
}

#[test]
fn a_free_login_follows_what_it_may_see() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..60 {
            look(&mut engine, &mut two.a, minute);
        }
        lease(&mut two.owner, two.device_a, 1).await;
        two.tell_a(1).await;
        let mut free = two.desk.connect("free1").await;
        let joined = link::join(&mut free, Uuid::new_v4(), "guest", false).await.expect("joined");
        assert_eq!((joined.tier, joined.number, joined.newest_look), (Tier::Free, 0, 0), "nothing is old enough");
        let mut c = Store::open(&two.home.path().join("c.db")).expect("store");
        c.hub_join(&joined.link(Uuid::new_v4(), 0, Timestamp::from_millis(0))).expect("linked");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 0);
        two.owner
            .client()
            .batch_execute(
                "SET ROLE stratum_owner; UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'; RESET ROLE",
            )
            .await
            .expect("without a delay");
        assert_eq!(follow(&mut free, &mut c, 0, View::Reduced).await, 60);
        let part = |path: &Path, kind: &str| -> Vec<String> {
            told(path).into_iter().filter(|l| l.contains(&format!("Text(\"{kind}\")"))).collect()
        };
        for kind in ["quote", "change", "point", "event", "keyframe"] {
            assert_eq!(part(two.a.path(), kind), part(c.path(), kind), "{kind}");
        }
        for kind in ["opportunity", "issue"] {
            assert!(part(c.path(), kind).is_empty(), "{kind}");
        }
        let reader = c.reader().expect("reader");
        let signals = reader.signals(&Default::default()).expect("signals");
        assert!(!signals.is_empty());
        for s in &signals {
            assert!(s.entry.is_none() && s.evidence.is_empty() && s.detail.labels == ["withheld"], "{s:?}");
        }
    });
}

/// What stands now, in words that do not depend on a store's own numbers.
fn present(path: &Path) -> Vec<String> {
    let reader = stratum::store::Reader::open(path).expect("store");
    let c = rusqlite::Connection::open(path).expect("store");
    let mut lines: Vec<String> = told(path)
        .into_iter()
        .filter(|l| ["newest", "quote"].iter().any(|w| l.starts_with(&format!("Text(\"{w}"))))
        .collect();
    let mut select = c.prepare("SELECT id, provider_id FROM event WHERE forgotten IS NULL ORDER BY 2").expect("events");
    let mut rows = select.query([]).expect("rows");
    while let Some(r) = rows.next().expect("row") {
        let (id, name): (u32, String) = (r.get(0).expect("id"), r.get(1).expect("id"));
        let event = stratum::market::ids::EventId(id);
        let state = reader.event_as_of(event, Timestamp::from_millis(i64::MAX)).expect("reads").expect("known");
        let (row, quotes) = (state.row, state.quotes);
        lines.push(format!("{name} {:?} {:?} {:?}", row.commence, row.status, row.score));
        for (slot, key, value) in quotes {
            lines.push(format!("{name} {slot:?} {:?} {value:?}", key.selection.side));
        }
    }
    lines
}

#[test]
fn the_newest_comes_first_and_the_history_behind() {
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        lease(&mut two.owner, two.device_a, 7).await;
        for minute in 0..50 {
            look(&mut engine, &mut two.a, minute);
            if minute % 3 == 0 {
                two.tell_a(7).await;
            }
        }
        two.tell_a(7).await;
        let mut board = Store::open(&two.home.path().join("board").join("stratum.db")).expect("store");
        let mut hub = two.desk.connect("pro1").await;
        let device = join(&mut hub, &mut board, "board").await;
        let short = First { changes: 60, long: 100_000 };
        assert!(recent::first(&mut hub, View::Whole, device, short).await.expect("asked").is_none(), "a short log");
        let first = First { changes: 60, long: 100 };
        let stretch = recent::first(&mut hub, View::Whole, device, first).await.expect("asked").expect("a long log");
        assert!(stretch.changes <= 60 && stretch.incoming.looks.len() < 20, "{stretch:?}");
        board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
        // The board stands as at the collector's, though most of the log is not here.
        let mine = |present: &[String]| -> Vec<String> {
            // Games that have ended come with the history.
            present.iter().filter(|l| !l.contains("Text(\"game2\")")).cloned().collect()
        };
        let same = |a: &Path, b: &Path| {
            let (a, b) = (mine(&present(a)), mine(&present(b)));
            assert!(a.len() > 40, "something to compare: {}", a.len());
            let first = a.iter().zip(&b).find(|(a, b)| a != b);
            assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
        };
        same(two.a.path(), board.path());
        let link = |store: &Store| store.reader().expect("reader").hub_link().expect("link").expect("linked");
        let (mut after, gap) = link(&board).gap.expect("a gap");
        assert!(after == 0 && gap > 5, "{gap}");
        // Live goes on, while the history comes in behind.
        for minute in 50..58 {
            look(&mut engine, &mut two.a, minute);
            two.tell_a(7).await;
            follow(&mut hub, &mut board, device, View::Whole).await;
            same(two.a.path(), board.path());
            let upto = (after + 2).min(gap);
            if after < gap {
                let stretch = pull::behind(&mut hub, View::Whole, device, (after, upto)).await.expect("asked");
                let stretch = stretch.expect("history");
                after = stretch.incoming.until;
                let applied = board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
                assert_eq!((applied.looks.len(), applied.complete), (0, after >= gap));
                same(two.a.path(), board.path());
            }
        }
        // Not before all of it is here.
        let check = || {
            assert_cmd::Command::new(env!("CARGO_BIN_EXE_stratum"))
                .arg("--data-dir")
                .arg(two.home.path().join("board"))
                .args(["replay", "--check"])
                .env("HOME", two.home.path())
                .output()
                .expect("runs")
        };
        let early = check();
        let text = String::from_utf8_lossy(&early.stderr);
        assert!(!early.status.success() && text.contains("% of the hub's history is here"), "{text}");
        while let Some((behind, gap)) = link(&board).gap {
            let stretch =
                pull::behind(&mut hub, View::Whole, device, (behind, gap)).await.expect("asked").expect("history");
            board.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
        }
        let (a, b) = (told(two.a.path()), told(board.path()));
        let first = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
        drop(board);
        let checked = check();
        let text = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{text}{}", String::from_utf8_lossy(&checked.stderr));
    });
}

#[test]
fn answers_as_they_came_follow_the_looks() {
    use stratum::store::raw::{RawAnswer, body_hash};
    runtime().block_on(async {
        let Some(mut two) = Two::new().await else { return };
        let mut engine = Engine::new(EngineSettings::default());
        for minute in 0..40 {
            look(&mut engine, &mut two.a, minute);
            // The newest is still being packed; one was let go of long ago.
            if minute != 39 && minute != 3 {
                let body = answer(minute);
                let body = body.as_bytes();
                let raw = RawAnswer::pack(body, body_hash(body), Timestamp::from_millis(at(minute))).expect("packed");
                two.a.keep_raw(&raw).expect("kept");
            }
        }
        lease(&mut two.owner, two.device_a, 7).await;
        let reader = two.a.reader().expect("reader");
        assert_eq!(
            answers::step(&mut two.hub, &reader, two.device_a).await.expect("asked"),
            None,
            "no look is told yet"
        );
        two.tell_a(7).await;
        let mut steps = 0;
        while let Some(told) = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told") {
            // The answer to it may be lost.
            let again = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told");
            assert_eq!(again.as_ref(), Some(&told));
            two.a.hub_told(&told).expect("noted");
            steps += 1;
        }
        assert!(steps > 0);
        let count = "SET ROLE stratum_owner; SELECT count(*) FROM hub.raw_answer";
        let kept = |server: &Postgres| server.ask(postgres::HOSTER, DATABASE, count);
        assert!(kept(&two.desk.server).ends_with("38"), "{}", kept(&two.desk.server));
        let body = answer(20);
        let mut pro = two.desk.connect("pro1").await;
        let fetched = answers::fetch(&mut pro, &body_hash(body.as_bytes())).await.expect("asked");
        assert_eq!(fetched.as_deref(), Some(body.as_bytes()));
        assert_eq!(answers::fetch(&mut pro, &[0; 16]).await.expect("asked"), None);
        // Nobody else tells for this device, and nobody who only looks on tells at all.
        let sql = format!(
            "SELECT hub.keep_answers({}, ARRAY[1]::bigint[], ARRAY[1]::bigint[], ARRAY['x']::bytea[])",
            two.device_a
        );
        for login in ["pro1", "free1"] {
            let refused = two.desk.server.psql(login, &sql);
            let text = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && text.contains("42501"), "{text}");
        }
        assert!(!two.desk.server.psql("free1", "SELECT * FROM hub.raw_answer").status.success());
        // The newest comes when it is packed.
        let body = answer(39);
        let raw = RawAnswer::pack(body.as_bytes(), body_hash(body.as_bytes()), Timestamp::from_millis(at(39)))
            .expect("packed");
        two.a.keep_raw(&raw).expect("kept");
        let told = answers::step(&mut two.hub, &reader, two.device_a).await.expect("told").expect("one more");
        two.a.hub_told(&told).expect("noted");
        assert!(kept(&two.desk.server).ends_with("39"));
    });
}
