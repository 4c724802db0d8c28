//! A killed process loses nothing: SIGKILL at random moments of an import and of polling, a hundred times.
//!
//! After every kill the store must open, pass its integrity check and hold no half look; going on must end in the
//! very state of a run that nobody disturbed.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use stratum::feeds::sim::{OddsQuery, Scenario, World};
use stratum::market::time::Timestamp;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");

/// A small generator of delays, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// A recording of two simulated sports, a look a minute.
fn write_recording(path: &Path, looks: i64) {
    let start = Timestamp::parse("2026-11-20T20:00:00Z").expect("time");
    let mut world = World::new(&Scenario::load("demo").expect("scenario"), start);
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("file"));
    for look in 0..looks {
        let at = start.plus(look * 60_000);
        for sport in ["basketball_nba", "icehockey_nhl"] {
            let body = world.odds_body(at, &OddsQuery::everything(sport));
            let body = String::from_utf8(body).expect("text");
            writeln!(file, r#"{{"captured_at":"{at}","sport":"{sport}","endpoint":"odds","body":{body}}}"#)
                .expect("write");
        }
    }
}

fn import(data: &Path, recording: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--data-dir").arg(data).arg("import").arg(recording);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn open(data: &Path) -> Option<Connection> {
    let path = data.join("stratum.db");
    path.exists().then(|| Connection::open(path).expect("store opens"))
}

/// Whole looks only, and a sound file.
fn check(data: &Path) -> i64 {
    let Some(c) = open(data) else { return 0 };
    let verdict: String = c.query_row("PRAGMA integrity_check", [], |r| r.get(0)).expect("check runs");
    assert_eq!(verdict, "ok");
    let tables: i64 =
        c.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'look'", [], |r| r.get(0)).expect("schema");
    if tables == 0 {
        return 0;
    }
    let half: i64 = c
        .query_row(
            "SELECT count(*) FROM look WHERE changes <> (SELECT count(*) FROM change WHERE change.look = look.id)
             OR NOT EXISTS (SELECT 1 FROM look_seen WHERE look_seen.look = look.id)",
            [],
            |r| r.get(0),
        )
        .expect("looks");
    assert_eq!(half, 0, "half looks");
    let orphans: i64 = c
        .query_row("SELECT count(*) FROM change WHERE look NOT IN (SELECT id FROM look)", [], |r| r.get(0))
        .expect("changes");
    assert_eq!(orphans, 0, "changes without a look");
    c.query_row("SELECT count(*) FROM look", [], |r| r.get(0)).expect("count")
}

/// Every row of every table, as text.
fn dump(data: &Path) -> Vec<String> {
    let c = open(data).expect("store");
    let tables = [
        "name",
        "scope",
        "look",
        "look_seen",
        "event",
        "event_start",
        "event_score",
        "quote",
        "change",
        "keyframe",
        "quality",
    ];
    let mut rows = Vec::new();
    for table in tables {
        let mut select = c
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"))
            .or_else(|_| c.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")))
            .expect("table");
        let columns = select.column_count();
        let mut found = select.query([]).expect("rows");
        while let Some(row) = found.next().expect("row") {
            let values: Vec<String> = (0..columns).map(|i| format!("{:?}", row.get_ref(i).expect("value"))).collect();
            rows.push(format!("{table}: {}", values.join("|")));
        }
    }
    rows
}

#[test]
fn killed_imports_end_where_an_undisturbed_one_does() {
    let dir = tempfile::tempdir().expect("folder");
    let recording = dir.path().join("evening.jsonl");
    write_recording(&recording, 120);
    let calm: PathBuf = dir.path().join("calm");
    assert!(import(&calm, &recording).status().expect("runs").success());
    let all = check(&calm);
    assert_eq!(all, 240);

    let mut dice = Dice(7);
    let (mut kills, mut round) = (0, 0);
    let mut last = None;
    while kills < 70 {
        round += 1;
        let data = dir.path().join(format!("killed{round}"));
        // A run of kills over one store, until it is complete; then another store.
        loop {
            let mut child = import(&data, &recording).spawn().expect("starts");
            std::thread::sleep(Duration::from_millis(dice.roll(400)));
            if let Some(status) = child.try_wait().expect("waits") {
                assert!(status.success());
                break;
            }
            child.kill().expect("kill");
            child.wait().expect("gone");
            kills += 1;
            check(&data);
            if kills >= 70 {
                assert!(import(&data, &recording).status().expect("runs").success());
                break;
            }
        }
        assert_eq!(check(&data), all);
        last = Some(data);
    }
    let last = last.expect("at least one store");
    let (calm, killed) = (dump(&calm), dump(&last));
    for (a, b) in calm.iter().zip(&killed) {
        assert_eq!(a, b);
    }
    assert_eq!(calm.len(), killed.len());
}

#[test]
fn killed_polling_leaves_whole_looks_and_goes_on() {
    let dir = tempfile::tempdir().expect("folder");
    let data = dir.path().join("demo");
    let mut dice = Dice(11);
    let mut before = 0;
    for _ in 0..30 {
        let mut child = Command::new(BINARY)
            .arg("--data-dir")
            .arg(&data)
            .args(["demo", "--headless", "--for", "60s"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(50 + dice.roll(700)));
        child.kill().expect("kill");
        child.wait().expect("gone");
        let looks = check(&data);
        assert!(looks >= before, "{looks} looks after {before}");
        before = looks;
    }
    assert!(before > 0, "something was polled");
}
