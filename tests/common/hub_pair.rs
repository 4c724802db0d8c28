//! Two stores and a hub of a real PostgreSQL, driven through the library: what tells, what follows, what both hold.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use std::path::Path;

use secrecy::SecretString;
use stratum::engine::{Engine, EngineSettings};
use stratum::hub::connect::{Connection, HubUrl, connect};
use stratum::hub::pull::{self, View};
use stratum::hub::push::{Pusher, Step};
use stratum::hub::{link, schema, verify};
use stratum::market::batch::Scope;
use stratum::market::price::OddsFormat;
use stratum::market::time::Timestamp;
use stratum::runtime::intake::{self, Answer};
use stratum::store::Store;
use uuid::Uuid;

use crate::postgres::{self, Postgres};

pub const SPORT: &str = "basketball_nba";
pub const DATABASE: &str = postgres::DATABASE;

/// Answers of an evening: prices that move, a game that comes, one that goes, a market that is taken down.
pub fn answer(minute: i64) -> String {
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

pub fn at(minute: i64) -> i64 {
    1_795_132_800_000 + minute * 60_000
}

pub fn look(engine: &mut Engine, store: &mut Store, minute: i64) {
    look_at(engine, store, minute, at(minute));
}

/// What the source shows at a minute, received at an instant by a clock that is wrong.
pub fn look_at(engine: &mut Engine, store: &mut Store, minute: i64, received_at: i64) {
    store.note_settings(engine.next_look(), &engine.settings().note()).expect("rules");
    let body = answer(minute);
    let answer = Answer {
        source: "the_odds_api",
        sport: SPORT,
        endpoint: None,
        received_at: Timestamp::from_millis(received_at),
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
pub fn told(path: &Path) -> Vec<String> {
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
    let (mut looks, mut own) = (0, 0);
    loop {
        let after = store.reader().expect("reader").hub_link().expect("link").expect("linked").pulled;
        let Some(stretch) = pull::next_with_own(hub, view, device, after, own).await.expect("a stretch") else {
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

pub fn engine_of(store: &Store) -> Engine {
    store.engine(EngineSettings::default()).expect("engine")
}
