//! Care of a hub against a real PostgreSQL: one that was put back to an earlier moment, rows that were spoilt, what it
//! holds written to files, and days that are dropped.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/evening.rs"]
mod evening;
#[path = "hub_care/keeping.rs"]
mod keeping;
#[path = "hub_care/mending.rs"]
mod mending;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "hub_care/put_back.rs"]
mod put_back;

use std::path::PathBuf;
use std::process::Command;

use evening::{SPORT, look, told};
use postgres::{DATABASE, HOSTER, Postgres};
use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::{Connection, HubUrl, Tier, connect};
use stratum::hub::history;
use stratum::hub::pull::{self, View};
use stratum::hub::push::{PushError, Pusher, Step};
use stratum::hub::verify::{Compared, compare};
use stratum::hub::{link, schema};
use stratum::market::time::Timestamp;
use stratum::store::Store;
use uuid::Uuid;

/// A server with a hub, and devices of a desk.
struct Desk {
    server: Postgres,
    home: tempfile::TempDir,
    owner: Option<Connection>,
}

impl Desk {
    async fn new() -> Option<Self> {
        let server = Postgres::start()?;
        let mut owner = open(&server, HOSTER).await;
        schema::init(&mut owner).await.expect("a hub");
        for (login, group) in
            [("one", "collector"), ("two", "collector"), ("ann", "pro"), ("guest", "free"), ("boss", "admin")]
        {
            let password = format!("{login}-secret");
            owner
                .client()
                .batch_execute(&format!("CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE stratum_{group}"))
                .await
                .expect("a login");
            server.know(login, &password);
        }
        let home = tempfile::tempdir().expect("folder");
        Some(Self { server, home, owner: Some(owner) })
    }

    async fn device(&self, name: &'static str, login: &'static str) -> Device {
        let mut store = Store::open(&self.home.path().join(name).join("stratum.db")).expect("store");
        let mut hub = open(&self.server, login).await;
        let device = Uuid::new_v4();
        let joined = link::join(&mut hub, device, name, login != "ann").await.expect("joined");
        let newest = store.newest_look_id().expect("newest");
        store.hub_join(&joined.link(device, newest, Timestamp::from_millis(0))).expect("linked");
        Device { store, hub: Some(hub), number: joined.number, login, tier: joined.tier, name, engine: None }
    }

    /// Nobody holds a connection while the server is away.
    async fn reconnect(&mut self, devices: &mut [&mut Device]) {
        self.owner = Some(open(&self.server, HOSTER).await);
        for d in devices.iter_mut() {
            d.hub = Some(open(&self.server, d.login).await);
        }
    }

    /// Keeps the state of the server as it is now.
    async fn keep(&mut self, devices: &mut [&mut Device]) {
        self.server.stop();
        copy(&self.server, "data", "kept");
        self.server.restart();
        self.reconnect(devices).await;
    }

    /// Puts the kept state back.
    async fn put_back(&mut self, devices: &mut [&mut Device]) {
        self.server.stop();
        copy(&self.server, "kept", "data");
        self.server.restart();
        self.reconnect(devices).await;
    }

    async fn lease(&mut self, device: &Device, token: i64) {
        let number = device.number;
        self.sql(&format!(
            "DELETE FROM hub.lease; INSERT INTO hub.lease (sport, device, token, until)
             VALUES ('{SPORT}', {number}, {token}, now() + interval '1 hour')"
        ))
        .await;
    }

    async fn sql(&mut self, sql: &str) {
        let c = self.owner.as_mut().expect("connected").client();
        c.batch_execute(&format!("SET ROLE stratum_owner; {sql}; RESET ROLE")).await.expect("SQL");
    }

    fn ask(&self, sql: &str) -> String {
        let text = self.server.ask(HOSTER, DATABASE, &format!("SET ROLE stratum_owner; {sql}"));
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// The real program, as this device.
    fn run(&self, device: &str, login: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_stratum"))
            .env_clear()
            .env("HOME", self.home.path())
            .env("STRATUM_HUB_URL", self.server.url(login))
            .env("STRATUM_HUB_CA_FILE", self.server.ca_file())
            .arg("--data-dir")
            .arg(self.home.path().join(device))
            .args(args)
            .output()
            .expect("runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

fn copy(server: &Postgres, from: &str, to: &str) {
    let (from, to) = (server.folder().join(from), server.folder().join(to));
    let _ = std::fs::remove_dir_all(&to);
    assert!(Command::new("cp").arg("-a").args([&from, &to]).status().expect("cp").success());
}

async fn open(server: &Postgres, login: &str) -> Connection {
    let url = HubUrl::parse(&SecretString::from(server.url_to(login, DATABASE))).expect("address");
    connect(&url.with_ca(Some(&server.ca_file())), "test").await.expect("connected")
}

struct Device {
    store: Store,
    hub: Option<Connection>,
    number: i32,
    login: &'static str,
    tier: Tier,
    name: &'static str,
    /// Made anew where something else was written than what it judged.
    engine: Option<Engine>,
}

impl Device {
    fn looks(&mut self, minutes: std::ops::Range<i64>) {
        let mut engine =
            self.engine.take().unwrap_or_else(|| self.store.engine(EngineSettings::default()).expect("engine"));
        minutes.for_each(|minute| look(&mut engine, &mut self.store, minute));
        self.engine = Some(engine);
    }

    /// As the session does it: not before the log has been read up to where the hub was put back to.
    async fn tell(&mut self, token: i64) -> Result<u64, PushError> {
        let reader = self.store.reader()?;
        let link = reader.hub_link()?.expect("linked");
        assert!(link.pulled >= link.whole, "{} follows first", self.name);
        let hub = self.hub.as_mut().expect("connected");
        let mut pusher = Pusher::new(reader, self.number)?;
        let mut told_looks = 0;
        for mut cursor in self.store.reader()?.hub_cursors()? {
            while let Step::Told { told, .. } = pusher.step(hub, &cursor, token).await? {
                told_looks += told.looks.len() as u64;
                cursor = told.cursor.unwrap_or(cursor);
                self.store.hub_told(&told)?;
                pusher.forget()?;
            }
        }
        Ok(told_looks)
    }

    /// Tells look by look, so that each is an entry.
    async fn collect(&mut self, minutes: std::ops::Range<i64>, token: i64) {
        for minute in minutes {
            self.looks(minute..minute + 1);
            self.tell(token).await.expect("told");
        }
    }

    /// Finds out whether the hub was put back, and goes on from what both have; answers that entry.
    async fn mend(&mut self) -> Option<i64> {
        let hub = self.hub.as_mut().expect("connected");
        history::mend(hub, self.tier, &mut self.store).await.expect("mended").map(|(common, _)| common)
    }

    async fn follow(&mut self) -> usize {
        let hub = self.hub.as_mut().expect("connected");
        let mut looks = 0;
        loop {
            let link = self.store.reader().expect("reader").hub_link().expect("link").expect("linked");
            let ours = if link.pulled < link.whole { 0 } else { self.number };
            let view = View::of(self.tier);
            let Some(stretch) = pull::next(hub, view, ours, link.pulled).await.expect("a stretch") else {
                return looks;
            };
            let applied = self.store.hub_apply(&stretch.incoming, &EngineSettings::default()).expect("applied");
            if applied.retracted || !applied.looks.is_empty() {
                self.engine = None;
            }
            looks += applied.looks.len();
        }
    }

    async fn compare(&mut self) -> Compared {
        let reader = self.store.reader().expect("reader");
        let cursors = reader.hub_cursors().expect("cursors");
        assert_eq!(cursors.len(), 1);
        compare(self.hub.as_mut().expect("connected"), &reader, &cursors[0], |_| {}).await.expect("compared")
    }

    async fn assert_same(&mut self) {
        let compared = self.compare().await;
        assert!(compared.is_same() && compared.only_here == 0, "{}: {compared:#?}", self.name);
    }

    fn path(&self) -> PathBuf {
        self.store.path().to_owned()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

/// All hold the same, no look twice.
async fn assert_all_same(desk: &Desk, devices: &mut [&mut Device], looks: usize) {
    let mut first: Option<Vec<String>> = None;
    for d in devices.iter_mut() {
        d.assert_same().await;
        let all = told(&d.path());
        assert_eq!(all.iter().filter(|l| l.starts_with("Text(\"look\")")).count(), looks, "{}", d.name);
        let first = first.get_or_insert_with(|| all.clone());
        let apart = first.iter().zip(&all).find(|(a, b)| a != b);
        assert!(apart.is_none() && first.len() == all.len(), "{}: {apart:?}", d.name);
    }
    assert_eq!(desk.ask("SELECT count(*) FROM hub.look"), looks.to_string());
    assert_eq!(desk.ask("SELECT count(DISTINCT (sport, received_at)) FROM hub.look"), looks.to_string());
    assert_eq!(desk.ask("SELECT count(*) = max(seq) FROM hub.entry"), "t");
}
