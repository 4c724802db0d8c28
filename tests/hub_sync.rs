//! Two stores and a hub: what one tells the other takes in, whole and once, through a real PostgreSQL.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/evening.rs"]
mod evening;
#[path = "common/postgres.rs"]
mod postgres;

use std::path::Path;

use evening::{SPORT, at, look, told};
use postgres::Postgres;
use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::{Connection, HubUrl, Tier, connect};
use stratum::hub::error::HubError;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{PushError, Pusher, Step};
use stratum::hub::{link, schema};
use stratum::market::time::Timestamp;
use stratum::store::Store;
use uuid::Uuid;

const DATABASE: &str = postgres::DATABASE;

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
