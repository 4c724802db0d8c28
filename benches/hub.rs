//! A hub on this machine: telling it a week of history beside the raw limit of the server, a board that is linked to it for
//! the first time, and the way of a change from one collector to the screens of fifty boards.
//!
//! `cargo bench --bench hub`, or a part: `-- push`, `-- follow`, `-- boards`. Needs the server programs of PostgreSQL, which
//! it starts for itself in a temporary folder, with the durability that a server has by default. The store of ten million
//! changes is built once and kept in `target/`; `HUB_CHANGES` asks for fewer. The boards run the program of the release
//! profile, which has to be built first.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

#[path = "hub/boards.rs"]
mod boards;
#[path = "hub/bootstrap.rs"]
mod bootstrap;
#[path = "common/measure.rs"]
mod measure;
#[path = "../tests/common/postgres.rs"]
mod postgres;
#[path = "../tests/common/pty.rs"]
mod pty;
#[path = "hub/raw.rs"]
mod raw;
#[path = "common/mod.rs"]
mod slate;

use std::path::{Path, PathBuf};
use std::time::Duration;

use measure::timed;
use postgres::Postgres;
use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::{Connection, HubUrl, connect};
use stratum::hub::push::{Pusher, Step};
use stratum::hub::{link, schema};
use stratum::market::time::Timestamp;
use stratum::store::{LookMeta, Store, StoreError};
use uuid::Uuid;

const STAMP: u32 = 1;
/// Changed markets of a thousand, a look.
const PER_MILLE: u64 = 50;
/// A look so often: ten million changes are a week.
const EVERY_MS: i64 = 224_000;
const SETTINGS: &str = "
fsync = on
full_page_writes = on
synchronous_commit = on
shared_buffers = 256MB
max_wal_size = 4GB
";

fn changes() -> u64 {
    std::env::var("HUB_CHANGES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000_000)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-hub")
}

/// Looks at one slate, 5 % of the markets moving each time, until the log is long enough.
fn build(path: &Path) {
    let body = slate::body(0, 0);
    let mut batch = slate::batch(&body, 0);
    let mut store = Store::open(path).expect("store");
    let mut engine = Engine::new(EngineSettings::default());
    let (mut look, mut rows) = (0_u64, 0_u64);
    while rows < changes() {
        store
            .together(|tx| -> Result<(), StoreError> {
                for _ in 0..16 {
                    batch.received_at = slate::start().plus(look as i64 * EVERY_MS);
                    slate::advance(&mut batch, look, PER_MILLE);
                    let changes = engine.apply(&batch);
                    rows += changes.quotes.len() as u64;
                    tx.commit(&changes, &LookMeta::default())?;
                    look += 1;
                }
                Ok(())
            })
            .expect("commit");
        store.tidy().expect("tidy");
        if look % 320 == 0 {
            println!("  building: {rows} changes in {look} looks");
        }
    }
}

/// The store of a collector.
fn stored() -> PathBuf {
    let path = folder().join(format!("{STAMP}-{}.db", changes()));
    let stamp = path.with_extension("done");
    if !stamp.exists() {
        std::fs::create_dir_all(folder()).expect("folder");
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        let ((), took) = timed(|| build(&path));
        println!("  built in {:.0} s", took.as_secs_f64());
        std::fs::write(&stamp, "").expect("stamp");
    }
    path
}

/// A server with an empty hub, and logins.
pub struct Desk {
    pub server: Postgres,
}

impl Desk {
    pub async fn new() -> Option<Self> {
        let server = Postgres::start_with(SETTINGS)?;
        let desk = Self { server };
        let mut c = desk.open(postgres::HOSTER).await;
        schema::init(&mut c).await.expect("a hub");
        for (login, group) in [("collector1", "stratum_collector"), ("pro1", "stratum_pro")] {
            let password = format!("{login}-secret");
            let sql = format!("CREATE ROLE {login} LOGIN PASSWORD '{password}' IN ROLE {group}");
            c.client().batch_execute(&sql).await.expect("a login");
            desk.server.know(login, &password);
        }
        Some(desk)
    }

    pub async fn open(&self, login: &str) -> Connection {
        let url = SecretString::from(self.server.url_to(login, postgres::DATABASE));
        let url = HubUrl::parse(&url).expect("address");
        connect(&url.with_ca(Some(&self.server.ca_file())), "bench").await.expect("connected")
    }

    /// Gives a device every sport for an hour.
    pub async fn lease(&self, device: i32) {
        let sql = format!(
            "INSERT INTO hub.lease (sport, device, token, until)
             VALUES ('basketball_nba', {device}, 1, now() + interval '1 hour')
             ON CONFLICT (sport) DO UPDATE SET device = excluded.device, until = excluded.until, token = 1"
        );
        self.open(postgres::HOSTER).await.client().batch_execute(&sql).await.expect("a lease");
    }
}

/// Links a store.
pub async fn join(hub: &mut Connection, store: &mut Store, name: &str, collects: bool) -> i32 {
    let device = Uuid::new_v4();
    let joined = link::join(hub, device, name, collects).await.expect("joined");
    let newest = store.newest_look_id().expect("newest");
    store.hub_join(&joined.link(device, newest, Timestamp::from_millis(0))).expect("linked");
    joined.number
}

/// Tells everything, each run in turn with as many rows written by the server's own COPY.
async fn push(desk: &Desk) {
    let path = stored();
    let mut store = Store::open(&path).expect("store");
    let mut hub = desk.open("collector1").await;
    let device = join(&mut hub, &mut store, "collector", true).await;
    desk.lease(device).await;
    let mut pusher = Pusher::new(store.reader().expect("reader"), device).expect("pusher");
    let mut limit = raw::Raw::new(desk).await;
    let Some(mut cursor) = store.reader().expect("reader").hub_cursors().expect("cursors").first().copied() else {
        return;
    };
    let (mut ours, mut rows, mut bytes, mut steps) = (Duration::ZERO, 0_u64, 0_u64, 0_u64);
    loop {
        let begin = std::time::Instant::now();
        let step = pusher.step(&mut hub, &cursor, 1).await.expect("a step");
        let Step::Told { told, rows: n, bytes: b } = step else { break };
        store.hub_told(&told).expect("noted");
        ours += begin.elapsed();
        cursor = told.cursor.unwrap_or(cursor);
        (rows, bytes, steps) = (rows + n, bytes + b, steps + 1);
        limit.copy(told.entry, n).await;
        if steps % 20 == 0 {
            println!("  {rows} rows told in {:.0} s; {}", ours.as_secs_f64(), limit.so_far());
        }
    }
    let rate = rows as f64 / ours.as_secs_f64();
    println!("telling: {rows} rows, {:.0} MiB in {steps} runs: {rate:.0} rows/s", bytes as f64 / 1048576.0);
    limit.verdict(rate);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |part: &str| words.is_empty() || words.iter().any(|w| w == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    if asked("push") || asked("follow") {
        runtime.block_on(async {
            let Some(desk) = Desk::new().await else { return };
            push(&desk).await;
            if asked("follow") {
                bootstrap::follow(&desk).await;
            }
        });
    }
    if asked("boards") {
        for packed in [true, false] {
            runtime.block_on(async {
                let Some(desk) = Desk::new().await else { return };
                boards::fifty(&desk, packed).await;
            });
        }
    }
}
