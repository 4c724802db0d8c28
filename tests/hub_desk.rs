//! Desks that edit while they are apart and meet at a real server.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use postgres::{Checked, HOSTER, Postgres};
use secrecy::SecretString;
use stratum::hub::desk::{DeskSyncError, Report, round};
use stratum::hub::{Connection, HubError, HubUrl, connect, schema};
use stratum::market::time::Timestamp;
use stratum::store::desk::merge::{Fields, Kind};
use stratum::store::desk::{Desk, ListId, NewRule};
use uuid::Uuid;

fn server() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).as_ref()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(future)
}

/// A hub in a database of its own, with logins: pros `ann` and `carl`, free ones `bob` and `desk`, and `eve`, who is nobody.
struct Hub {
    server: &'static Postgres,
    database: String,
}

impl Hub {
    fn new(name: &str) -> Option<Self> {
        let server = server()?;
        Some(Self::on(server, name))
    }

    fn on(server: &'static Postgres, name: &str) -> Self {
        // Roles belong to the whole server, and making them is nothing for two at once.
        static MAKING: Mutex<()> = Mutex::new(());
        let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let database = server.database(name);
        let url = HubUrl::parse(&SecretString::from(server.url_to(HOSTER, &database))).expect("address");
        run(async { schema::init(&mut connect(&url, "test").await.expect("connects")).await.expect("a hub") });
        for (login, group) in [
            ("ann", "stratum_pro"),
            ("carl", "stratum_collector"),
            ("bob", "stratum_free"),
            ("desk", "stratum_free"),
            ("eve", ""),
        ] {
            server.know(login, "of a test");
            let grant = if group.is_empty() { String::new() } else { format!("GRANT {group} TO {login};") };
            let made = format!(
                "SET ROLE stratum_owner;
                 DO $$ BEGIN CREATE ROLE {login} LOGIN PASSWORD 'of a test'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
                 {grant}"
            );
            server.psql_in(HOSTER, &database, &made).checked();
        }
        Self { server, database }
    }

    async fn connect(&self, login: &str) -> Connection {
        let url = HubUrl::parse(&SecretString::from(self.server.url_to(login, &self.database))).expect("address");
        connect(&url, "test").await.expect("connects")
    }

    fn ask(&self, sql: &str) -> String {
        self.server.ask(HOSTER, &self.database, &format!("SET ROLE stratum_owner; {sql}"))
    }
}

/// One device's desk.
struct Device {
    _folder: tempfile::TempDir,
    path: PathBuf,
    id: Uuid,
}

impl Device {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        Self { path: folder.path().join("desk.db"), _folder: folder, id: Uuid::new_v4() }
    }

    fn desk(&self) -> Desk {
        Desk::open(&self.path).expect("desk")
    }

    fn list(&self, name: &str) -> ListId {
        let mut desk = self.desk();
        let found = desk.find(name).expect("asks");
        found.map_or_else(|| desk.create(name).expect("made").id, |l| l.id)
    }

    fn add(&self, list: &str, rule: &str) {
        let list = self.list(list);
        self.desk().add_rule(list, &NewRule::league(rule)).expect("added");
    }

    fn bet(&self, bet: Uuid, stake: i64) {
        self.bets([bet], stake);
    }

    fn bets(&self, bets: impl IntoIterator<Item = Uuid>, stake: i64) {
        let mut desk = self.desk();
        for bet in bets {
            let fields = Fields::from([("stake".to_owned(), stake.into())]);
            desk.put_record(Kind::Bet, bet, fields).expect("bet");
        }
    }

    async fn round(&self, c: &mut Connection) -> Report {
        round(c, &self.path, self.id).await.expect("round")
    }

    /// All that is shared.
    fn shared(&self) -> String {
        let desk = self.desk();
        let mut out = String::new();
        for list in desk.contents().expect("lists") {
            let rules: Vec<_> = list.rules.iter().map(|r| format!("{} {}", r.expression(), r.label)).collect();
            out += &format!("{}: {}\n", list.list.name, rules.join(", "));
        }
        for filter in desk.filters().expect("filters") {
            out += &format!("{} = {}\n", filter.name, filter.text);
        }
        let mut rules: Vec<_> = desk
            .alert_rules()
            .expect("rules")
            .into_iter()
            .map(|r| format!("{} {} {}\n", r.name, r.on, r.json))
            .collect();
        rules.sort();
        format!("{out}{}{:?}", rules.concat(), desk.records(Kind::Bet).expect("bets"))
    }

    fn lists(&self) -> Vec<(String, Vec<String>)> {
        let contents = self.desk().contents().expect("lists").into_iter();
        contents.map(|l| (l.list.name, l.rules.into_iter().map(|r| r.kind.text().to_owned()).collect())).collect()
    }
}

#[test]
fn three_desks_that_edit_apart_have_one_desk_when_they_meet() {
    let Some(hub) = Hub::new("meet") else { return };
    let devices = [Device::new(), Device::new(), Device::new()];
    run(async {
        let mut links = [hub.connect("ann").await, hub.connect("ann").await, hub.connect("carl").await];
        let bet = Uuid::new_v4();
        for (i, device) in devices.iter().enumerate() {
            device.add("Tonight", "nba");
            device.add("tonight", &format!("own{i}"));
            let mut desk = device.desk();
            desk.save_filter("Steam", &format!("ev>{i}")).expect("saved");
            desk.add_alert_rule("Alert", true, &format!("{{\"a\":{}}}", i % 2)).expect("added");
        }
        devices[0].bet(bet, 10);
        for _ in 0..2 {
            for (device, c) in devices.iter().zip(&mut links) {
                device.round(c).await;
            }
        }
        for device in &devices {
            assert_eq!(device.shared(), devices[0].shared());
            assert_eq!(device.lists().len(), 1);
            assert_eq!(device.lists()[0].1.len(), 4, "{:?}", device.lists());
        }
        // Nothing new: nothing is said.
        let before = hub.ask("SELECT count(*) FROM hub.desk_op");
        for (device, c) in devices.iter().zip(&mut links) {
            let report = device.round(c).await;
            assert_eq!(report, Report { space: "desk".into(), ..Report::default() });
        }
        assert_eq!(hub.ask("SELECT count(*) FROM hub.desk_op"), before);
        // Apart again: one deletes the list, another adds to it, both amend the bet.
        let list = devices[0].list("Tonight");
        devices[0].desk().delete(list).expect("deleted");
        devices[0].bet(bet, 20);
        devices[1].add("Tonight", "late");
        devices[2].bet(bet, 30);
        for _ in 0..2 {
            for (device, c) in devices.iter().zip(&mut links) {
                device.round(c).await;
            }
        }
        for device in &devices {
            assert_eq!(device.shared(), devices[0].shared());
            assert_eq!(device.lists(), [("Tonight".to_owned(), vec!["late".to_owned()])]);
            assert_eq!(device.desk().record_history(Kind::Bet, bet).expect("history").len(), 3);
        }
    });
}

#[test]
fn a_desk_that_was_put_back_or_copied_goes_its_own_way_and_loses_nothing() {
    let Some(hub) = Hub::new("copies") else { return };
    let (device, other) = (Device::new(), Device::new());
    run(async {
        let mut c = hub.connect("ann").await;
        device.add("Tonight", "one");
        device.round(&mut c).await;
        let kept = device.path.with_extension("kept");
        let copy = |from: &Path, to: &Path| {
            let _ = std::fs::remove_file(to);
            let sql = format!("VACUUM INTO '{}'", to.display());
            rusqlite::Connection::open(from).expect("opens").execute_batch(&sql).expect("copied");
        };
        copy(&device.path, &kept);
        device.add("Tonight", "two");
        assert_eq!(device.round(&mut c).await.pushed, 1);
        // The copy of before is put back, and used before the hub is asked.
        for side in ["desk.db", "desk.db-wal", "desk.db-shm"] {
            let _ = std::fs::remove_file(device.path.with_file_name(side));
        }
        copy(&kept, &device.path);
        device.add("Tonight", "three");
        let report = device.round(&mut c).await;
        assert!(report.parted && report.pushed == 1 && report.pulled == 1, "{report:?}");
        assert_eq!(device.lists()[0].1.len(), 3);
        // Put back and not used: it only learns what it had forgotten.
        for side in ["desk.db", "desk.db-wal", "desk.db-shm"] {
            let _ = std::fs::remove_file(device.path.with_file_name(side));
        }
        copy(&kept, &device.path);
        let report = device.round(&mut c).await;
        assert!(!report.parted && report.pulled == 2, "{report:?}");
        // The same file on another machine.
        copy(&device.path, &other.path);
        other.add("Tonight", "four");
        device.add("Tonight", "five");
        for _ in 0..2 {
            device.round(&mut c).await;
            other.round(&mut c).await;
        }
        assert_eq!(device.shared(), other.shared());
        assert_eq!(device.lists()[0].1.len(), 5);
    });
}

#[test]
fn a_clock_far_ahead_is_set_right_by_the_hub() {
    let Some(hub) = Hub::new("clocks") else { return };
    let (ahead, right) = (Device::new(), Device::new());
    run(async {
        let mut c = hub.connect("ann").await;
        let ten_years = || Timestamp::from_chrono(chrono::Utc::now() + chrono::Duration::days(3650));
        ahead.desk().with_clock(ten_years).save_filter("f", "live").expect("saved");
        ahead.round(&mut c).await;
        right.round(&mut c).await;
        right.desk().save_filter("f", "ev>1").expect("saved");
        right.round(&mut c).await;
        ahead.round(&mut c).await;
        for device in [&ahead, &right] {
            assert_eq!(device.desk().filters().expect("filters")[0].text, "ev>1");
        }
        let latest = hub.ask("SELECT max(clock >> 16) < extract(epoch FROM now()) * 1000 + 660000 FROM hub.desk_op");
        assert_eq!(latest, "t");
        // What the device itself keeps is the hub's.
        ahead.desk().save_filter("f", "ev>2").expect("saved");
        ahead.round(&mut c).await;
        right.round(&mut c).await;
        assert_eq!(right.shared(), ahead.shared());
        assert_eq!(right.desk().filters().expect("filters")[0].text, "ev>2");
    });
}

#[test]
fn rounds_at_once_and_servers_that_die_store_everything_once() {
    let Some(server) = Postgres::start() else { return };
    let server: &'static Postgres = Box::leak(Box::new(server));
    let hub = Hub::on(server, "dying");
    let device = Device::new();
    run(async {
        device.bets((0..700).map(Uuid::from_u128), 1);
        let (mut a, mut b) = (hub.connect("ann").await, hub.connect("carl").await);
        let (first, second) =
            tokio::join!(round(&mut a, &device.path, device.id), round(&mut b, &device.path, device.id));
        let (first, second) = (first.expect("round"), second.expect("round"));
        assert_eq!(hub.ask("SELECT count(*), max(n) FROM hub.desk_op"), "700|700", "{first:?} {second:?}");
        // The server dies while it is told.
        device.bets((0..700).map(Uuid::from_u128), 2);
        let told = round(&mut a, &device.path, device.id);
        let killed = async {
            tokio::time::sleep(Duration::from_millis(40)).await;
            tokio::task::spawn_blocking(move || server.kill()).await.expect("killed");
        };
        let (told, ()) = tokio::join!(told, killed);
        server.restart();
        let mut c = hub.connect("ann").await;
        device.round(&mut c).await;
        assert_eq!(hub.ask("SELECT count(*), max(n) FROM hub.desk_op"), "1400|1400", "{told:?}");
        let other = Device::new();
        let report = other.round(&mut c).await;
        assert_eq!((report.pulled, report.rows), (1400, 0));
        assert_eq!(other.shared(), device.shared());
    });
    server.stop();
}

#[test]
fn a_free_login_has_a_space_of_its_own_and_three_items() {
    let Some(hub) = Hub::new("free") else { return };
    let (pro, free, second, named) = (Device::new(), Device::new(), Device::new(), Device::new());
    run(async {
        let (mut ann, mut bob, mut desk) =
            (hub.connect("ann").await, hub.connect("bob").await, hub.connect("desk").await);
        let channel = hub.ask("SELECT value FROM hub.meta WHERE key = 'channel'");
        let mut listener = hub.connect("carl").await;
        listener.client().batch_execute(&format!("LISTEN {channel}")).await.expect("listens");
        for n in 0..5 {
            free.add("Mine", &format!("league{n}"));
        }
        let report = free.round(&mut bob).await;
        assert_eq!((report.space.as_str(), report.pushed, report.waiting), ("login:bob", 0, 6));
        let why = report.limit.expect("a limit");
        assert!(why.contains("at most 3 watched items") && why.contains("has 5"), "{why}");
        assert_eq!(free.lists()[0].1.len(), 5, "nothing is lost here");
        // With three left all of it goes, what was deleted too.
        for rule in free.desk().rules(free.list("Mine")).expect("rules").into_iter().skip(3) {
            free.desk().remove_rule(rule.id).expect("removed");
        }
        let report = free.round(&mut bob).await;
        assert_eq!((report.pushed, report.limit), (8, None));
        second.round(&mut bob).await;
        assert_eq!(second.shared(), free.shared());
        // A fourth from the other device does not get in, and comes back out.
        second.add("Mine", "fourth");
        assert!(second.round(&mut bob).await.limit.is_some());
        second.add("Mine", "fourth");
        let gone = second.desk().rules(second.list("Mine")).expect("rules")[0].id;
        second.desk().remove_rule(gone).expect("removed");
        assert_eq!(second.round(&mut bob).await.limit, None);
        free.round(&mut bob).await;
        assert_eq!(second.shared(), free.shared());
        // Two devices at once do not find room for two.
        for rule in free.desk().rules(free.list("Mine")).expect("rules").into_iter().skip(2) {
            free.desk().remove_rule(rule.id).expect("removed");
        }
        free.round(&mut bob).await;
        second.round(&mut bob).await;
        free.add("Mine", "x");
        second.add("Mine", "y");
        let mut again = hub.connect("bob").await;
        let (a, b) = tokio::join!(round(&mut bob, &free.path, free.id), round(&mut again, &second.path, second.id));
        let limits = [a.expect("round").limit, b.expect("round").limit];
        assert_eq!(limits.iter().filter(|l| l.is_some()).count(), 1, "{limits:?}");
        // A login called as the shared space is no way into it.
        pro.add("Desk", "secret");
        pro.round(&mut ann).await;
        let report = named.round(&mut desk).await;
        assert_eq!((report.space.as_str(), report.pulled), ("login:desk", 0));
        assert!(named.lists().is_empty());
        assert_eq!(pro.lists().len(), 1);
        // Only news of the shared space are announced.
        let news = tokio::time::timeout(Duration::from_secs(30), listener.notifications().recv()).await;
        let news = news.expect("in time").expect("open");
        assert_eq!(news.payload(), "desk");
        assert!(listener.notifications().try_recv().is_err());
        let mut eve = hub.connect("eve").await;
        let e = round(&mut eve, &named.path, named.id).await.expect_err("nobody");
        assert!(matches!(&e, DeskSyncError::Hub(HubError::Withheld { .. })), "{e:?}");
    });
    // Over plain SQL: no table, no other space, no way round the function.
    let said = |login: &str, sql: &str| {
        let out = hub.server.psql_in(login, &hub.database, sql);
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    };
    for sql in [
        "SELECT * FROM hub.desk_op",
        "SELECT * FROM hub.desk_head",
        "INSERT INTO hub.desk_space VALUES ('desk')",
        "SELECT hub.desk_items('desk')",
        "DELETE FROM hub.desk_op",
    ] {
        let out = said("bob", sql);
        assert!(out.contains("42501") && !out.contains("secret"), "{sql}: {out}");
    }
    assert!(!said("bob", "SELECT * FROM hub_free.desk_beyond('{}', '{}', 1000)").contains("secret"));
    assert!(said("ann", "SELECT DISTINCT space FROM hub.desk_op").trim() == "desk");
    for sql in [
        "UPDATE hub.desk_op SET n = n",
        "DELETE FROM hub.desk_op",
        "TRUNCATE hub.desk_op",
        "INSERT INTO hub.desk_head VALUES ('desk', gen_random_uuid(), 1, 1)",
    ] {
        assert!(said("ann", sql).contains("42501"), "{sql}");
        assert!(said("carl", sql).contains("42501"), "{sql}");
    }
    for sql in ["UPDATE hub.desk_op SET n = n", "DELETE FROM hub.desk_op", "TRUNCATE hub.desk_op"] {
        let out = said(HOSTER, &format!("SET ROLE stratum_owner; {sql}"));
        assert!(out.contains("SH002"), "{sql}: {out}");
    }
    // By hand too: the limit holds at the end of the transaction, whatever was done to put it off.
    let by_hand = |n: i64, device: u8| {
        format!(
            "BEGIN; SET CONSTRAINTS ALL DEFERRED; SELECT count(*) FROM hub_free.desk_append('{}', {n}, '{{1,2,3,4}}',
             array_fill('list_rule'::text, '{{4}}'), ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 4)),
             array_fill('add'::text, '{{4}}'), array_fill('{{}}'::text, '{{4}}')); COMMIT;",
            Uuid::from_u128(u128::from(device))
        )
    };
    let out = said("desk", &by_hand(1, 1));
    assert!(out.contains("SH011"), "{out}");
    let out = said("desk", &by_hand(3, 1));
    assert!(out.contains("SH012"), "{out}");
}
