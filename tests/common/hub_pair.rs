//! Two stores and a hub of a real PostgreSQL, driven through the library: what tells, what follows, what both hold.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::{Connection, HubUrl, connect};
use stratum::hub::live::Live;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{Pusher, Step};
use stratum::hub::{link, schema, verify};
use stratum::market::time::Timestamp;
use stratum::store::Store;
use uuid::Uuid;

use crate::evening::{SPORT, told};
use crate::postgres::{self, Postgres};

pub const DATABASE: &str = postgres::DATABASE;

/// A database with a hub, and logins.
pub struct Desk {
    pub server: Postgres,
}

impl Desk {
    pub async fn at(server: Postgres) -> Self {
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
        Self { server }
    }

    pub async fn connect(&self, login: &str) -> Connection {
        open(&self.server, login).await
    }
}

pub async fn open(server: &Postgres, login: &str) -> Connection {
    open_at(server, login, server.port()).await
}

/// Through what listens at another port.
pub async fn open_at(server: &Postgres, login: &str, port: u16) -> Connection {
    let url = server.url_to(login, DATABASE).replace(&format!(":{}/", server.port()), &format!(":{port}/"));
    let url = HubUrl::parse(&SecretString::from(url)).expect("address");
    connect(&url.with_ca(Some(&server.ca_file())), "test").await.expect("connected")
}

/// A store that is linked.
pub async fn join(hub: &mut Connection, store: &mut Store, name: &str) -> i32 {
    let device = Uuid::new_v4();
    let joined = link::join(hub, device, name, true).await.expect("joined");
    let newest = store.newest_look_id().expect("newest");
    store.hub_join(&joined.link(device, newest, Timestamp::from_millis(0))).expect("linked");
    joined.number
}

pub async fn lease(hub: &mut Connection, device: i32, token: i64) {
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
pub async fn tell(hub: &mut Connection, store: &mut Store, device: i32, token: i64) -> usize {
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

pub async fn follow(hub: &mut Connection, store: &mut Store, device: i32, view: View) -> usize {
    let (mut looks, mut own, mut live) = (0, 0, Live::default());
    // Whoever knows where the log ends reads what is packed.
    let head = pull::head(hub, view).await.expect("head");
    assert!(live.next(hub, view, device, head, own).await.expect("asked").is_none());
    loop {
        let after = store.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
        let Some(stretch) = live.next(hub, view, device, after, own).await.expect("a stretch") else {
            return looks;
        };
        let applied = store.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
        own = own.max(applied.own_missing.unwrap_or(0));
        looks += applied.looks.len();
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

/// Two linked stores and the connections of their devices.
pub struct Two {
    pub desk: Desk,
    pub home: tempfile::TempDir,
    pub a: Store,
    pub b: Store,
    pub hub: Connection,
    pub owner: Connection,
    pub device_a: i32,
    pub device_b: i32,
}

impl Two {
    pub async fn new() -> Option<Self> {
        Some(Self::at(Postgres::start()?).await)
    }

    /// At a server that may be about to fail.
    pub async fn at(server: Postgres) -> Self {
        let desk = Desk::at(server).await;
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
        Self { desk, home, a, b, hub, owner, device_a, device_b }
    }

    pub async fn tell_a(&mut self, token: i64) -> usize {
        tell(&mut self.hub, &mut self.a, self.device_a, token).await
    }

    pub async fn follow_b(&mut self) -> usize {
        follow(&mut self.hub, &mut self.b, self.device_b, View::Whole).await
    }

    pub fn assert_same(&self) {
        let (a, b) = (told(self.a.path()), told(self.b.path()));
        assert!(
            a.len() > 500 && a.iter().any(|l| l.starts_with("Text(\"signal\")")),
            "something to compare: {}",
            a.len()
        );
        let first = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(first.is_none() && a.len() == b.len(), "{} and {} lines: {first:?}", a.len(), b.len());
    }

    /// Both stores hold what the hub holds, the hub holds every look once, and took none of an old holder.
    pub async fn assert_whole(&mut self) {
        for store in [&self.a, &self.b] {
            let reader = store.reader().expect("reader");
            let cursors = reader.hub_cursors().expect("cursors");
            assert!(!cursors.is_empty());
            for cursor in cursors {
                let compared = verify::compare(&mut self.hub, &reader, &cursor, |_| {}).await.expect("compared");
                assert!(compared.is_same() && compared.only_here == 0 && compared.looks > 0, "{compared:?}");
            }
        }
        assert_once(&self.desk.server, DATABASE);
    }

    pub fn looks_at_the_hub(&self) -> String {
        let all = self.desk.server.ask("collector1", DATABASE, "SELECT count(*) FROM hub.look");
        all.lines().map(str::trim).find(|l| l.parse::<i64>().is_ok()).unwrap_or_default().to_owned()
    }
}

/// The hub holds no look twice, and took none of a holder who was one no more.
pub fn assert_once(server: &Postgres, database: &str) {
    let twice =
        "SELECT count(*) FROM (SELECT FROM hub.look GROUP BY device, source, sport, device_look HAVING count(*) > 1) t";
    let alone = "SELECT count(*) FROM hub.look l WHERE NOT EXISTS (SELECT FROM hub.entry e WHERE e.seq = l.entry
                 AND e.device = l.device AND e.kind = 1 AND l.id BETWEEN e.first AND e.last)";
    let stale = "SELECT count(*) FROM (SELECT token, max(token) OVER (PARTITION BY sport ORDER BY seq) AS newest
                 FROM hub.entry) e WHERE token < newest";
    for sql in [twice, alone, stale] {
        assert_eq!(server.ask(postgres::SUPERUSER, database, sql), "0", "{sql}");
    }
}

/// As the program makes it: with what it remembers of the last looks.
pub fn engine_of(store: &Store) -> Engine {
    stratum::runtime::warm::engine(store, EngineSettings::default()).expect("engine")
}
