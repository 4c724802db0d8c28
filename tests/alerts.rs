//! Alerts through the real program: rules are kept and checked, what a simulated market does is put into the outbox with
//! its look, nothing is lost when the program is killed, and history is only gone through, never told.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");

struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", self.folder.path()).arg("--data-dir").arg(self.data()).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("runs")
    }

    fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        serde_json::from_str(&self.text(&[args, &["--json"]].concat())).expect("JSON")
    }

    /// What a command says that fails with this code.
    fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        said
    }

    fn sql(&self) -> Connection {
        Connection::open(self.data().join("stratum.db")).expect("opens")
    }

    fn count(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |r| r.get(0)).expect("counts")
    }

    fn demo(&self, seconds: u32) -> Command {
        let mut command = self.command(&["demo", "--headless", "--seed", "7", "--for", &format!("{seconds}s")]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn until(&self, what: &str, sql: &str) {
        let begin = Instant::now();
        let there = || {
            let path = self.data().join("stratum.db");
            let c = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
            c.query_row(sql, [], |r| r.get::<_, i64>(0)).ok().filter(|n| *n > 0)
        };
        while there().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn rules_are_added_shown_changed_and_removed() {
    let home = Home::new();
    assert_eq!(home.json(&["rules", "list"]), Vec::<Value>::new());
    assert!(!home.data().join("desk.db").exists(), "looking makes no file");
    home.text(&["watch", "create", "Tonight"]);
    let steam = ["rules", "add", "Steam", "--channel", "desktop,discord", "--filter", "type:steam sport:nba"];
    let further = ["--min-strength", "60", "--max-age", "45s", "--quiet", "23:00-07:30", "--zone", "Europe/Paris"];
    // A pipe gets no confirmation, and a warning goes where it disturbs nobody.
    assert_eq!(home.text(&[&steam[..], &further, &["--watchlist", "tonight"]].concat()), "");
    home.text(&[
        "rules",
        "add",
        "Wait",
        "--channel",
        "desktop",
        "--selection",
        "BOS",
        "--line",
        "-2.5",
        "--price",
        "-115",
    ]);
    let rows = home.json(&["rules", "list"]);
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!((row["name"].as_str(), row["on"].as_bool(), row["broken"].is_null()), (Some("Steam"), Some(true), true));
    assert_eq!((row["min_strength"].as_i64(), row["max_age_seconds"].as_i64()), (Some(60), Some(45)));
    assert_eq!((row["quiet"]["zone"].as_str(), row["list"]["name"].as_str()), (Some("Europe/Paris"), Some("Tonight")));
    let wait = &rows[1];
    assert_eq!((wait["kinds"][0].as_str(), wait["line"]["market"].as_str()), (Some("line"), Some("spreads")));

    home.text(&["rules", "edit", "steam", "--name", "NBA steam", "--min-strength", "70", "--clear", "quiet,watchlist"]);
    home.text(&["rules", "off", "wait"]);
    let rows = home.json(&["rules", "list"]);
    assert_eq!((rows[0]["name"].as_str(), rows[0]["min_strength"].as_i64()), (Some("NBA steam"), Some(70)));
    assert!(rows[0].get("quiet").is_none() && rows[0].get("list").is_none());
    assert_eq!(rows[0]["filter"], "type:steam sport:nba", "what is not named stays");
    assert_eq!(rows[1]["on"], false);
    let shown = home.text(&["rules", "show", "nba STEAM"]);
    assert!(shown.contains("type:steam sport:nba") && shown.contains("at least 70"), "{shown}");
    home.text(&["rules", "on", "wait"]);
    home.text(&["rules", "remove", "Wait"]);
    assert_eq!(home.json(&["rules", "list"]).len(), 1);

    // A watchlist that goes takes the rule out of force, and says so.
    home.text(&["rules", "edit", "NBA steam", "--watchlist", "Tonight"]);
    home.text(&["watch", "delete", "Tonight", "--yes"]);
    let broken = home.json(&["rules", "list"])[0]["broken"].as_str().expect("broken").to_owned();
    assert!(broken.contains("'Tonight' has been deleted"), "{broken}");
}

#[test]
fn what_makes_no_rule_is_refused_in_words() {
    let home = Home::new();
    home.text(&["rules", "add", "Steam", "--channel", "x"]);
    let add = |args: &[&str]| home.fails(&[&["rules", "add", "New"], args].concat(), 2);
    assert!(add(&[]).contains("needs a channel"));
    assert!(add(&["--channel", "a b"]).contains("'a b'"));
    assert!(add(&["--channel", "x", "--filter", "streng>7"]).contains("did you mean `strength`"));
    assert!(add(&["--channel", "x", "--kind", "tip"]).contains("'tip'"));
    assert!(add(&["--channel", "x", "--kind", "line"]).contains("what to wait for"));
    assert!(add(&["--channel", "x", "--kind", "health", "--filter", "nba"]).contains("says nothing about health"));
    assert!(add(&["--channel", "x", "--selection", "BOS", "--price", "-50"]).contains("are no odds"));
    assert!(add(&["--channel", "x", "--selection", "BOS", "--price", "-110", "--line", "2.6"]).contains("quarters"));
    assert!(add(&["--channel", "x", "--quiet", "midnight"]).contains("23:00-07:30"));
    assert!(add(&["--channel", "x", "--quiet", "23:00-07:00", "--zone", "Mars/Base"]).contains("IANA"));
    assert!(add(&["--channel", "x", "--min-strength", "101"]).contains("from 0 to 100"));
    assert!(add(&["--channel", "x", "--cooldown", "soon"]).contains("duration"));
    assert!(home.fails(&["rules", "add", "steam", "--channel", "x"], 2).contains("'Steam' already"));
    assert!(
        home.fails(&["rules", "add", "New", "--channel", "x", "--watchlist", "Nope"], 3).contains("there are none")
    );
    for args in [&["rules", "show", "Nope"][..], &["rules", "remove", "Nope"], &["rules", "dry-run", "Nope"]] {
        assert!(home.fails(args, 3).contains("there are Steam"), "{args:?}");
    }
    assert!(home.fails(&["alerts", "test", "nope"], 3).contains("no channel 'nope'"));
    assert_eq!(home.json(&["rules", "list"]).len(), 1);
}

#[test]
fn nothing_is_told_without_a_rule() {
    let home = Home::new();
    assert!(home.demo(5).status().expect("runs").success());
    assert!(home.count("SELECT count(*) FROM signal") > 0);
    assert_eq!(home.json(&["alerts", "list"]), Vec::<Value>::new());
    assert_eq!(home.json(&["alerts", "log"]), Vec::<Value>::new());
    assert_eq!(home.json(&["alerts", "quality"])[0]["alerts"], 0);
}

#[test]
fn what_the_market_does_stands_in_the_outbox_and_history_is_never_told() {
    let home = Home::new();
    home.text(&["rules", "add", "All", "--channel", "nowhere", "--cooldown", "0s"]);
    home.text(&["rules", "add", "Strong", "--channel", "nowhere,other", "--min-strength", "60", "--cooldown", "0s"]);
    home.text(&["rules", "add", "Home", "--channel", "nowhere", "--selection", "home", "--price", "-300"]);
    let tape = home.folder.path().join("tape.jsonl");
    let mut demo = home.demo(12);
    assert!(demo.arg("--record").arg(&tape).status().expect("runs").success());
    let rows = home.json(&["alerts", "list", "--limit", "10000"]);
    assert!(!rows.is_empty());
    let mut keys: Vec<&str> = rows.iter().filter_map(|r| r["key"].as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), rows.len(), "a key for each");
    // Every signal once for the channel of all, whichever rules wanted it; strong ones for the other too.
    let signals = home.count("SELECT count(DISTINCT id) FROM signal");
    let told = |channel: &str| rows.iter().filter(|r| r["kind"] == "signal" && r["channel"] == channel).count() as i64;
    assert_eq!(told("nowhere"), signals);
    assert_eq!(told("other"), home.count("SELECT count(DISTINCT id) FROM signal WHERE strength >= 60"));
    assert!(rows.iter().all(|r| r["state"] == "waiting" && r["origin"] == "DEMO"), "{rows:?}");
    assert!(rows.iter().any(|r| r["why"] == "the settings have no channel 'nowhere'"));
    assert!(rows.iter().any(|r| r["kind"] == "line"));
    let log = home.json(&["alerts", "log", "--limit", "10000"]);
    assert!(log.iter().all(|l| l["outcome"] == "later" && l["latency_ms"].is_null()));

    // A message says everything, and that it is a demo.
    let id = rows.iter().find(|r| r["kind"] == "signal").expect("a signal")["id"].to_string();
    let text = home.text(&["alerts", "show", &id]);
    for word in ["[DEMO]", "side", "evidence", "start", "rule All"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(home.fails(&["alerts", "show", "999999"], 3).contains("stratum alerts list"));

    // A dry run over the same evening fires as often as the rule did.
    let dry = home.json(&["rules", "dry-run", "All"]);
    assert_eq!(dry.len() as i64, signals);
    assert!(dry.iter().any(|r| r["fair"].is_number() && r["obtainable_ms"].is_number()), "{dry:?}");
    assert!(dry.iter().all(|r| r["origin"] == "DEMO"));
    let none = home.json(&["rules", "dry-run", "All", "--to", "2001-01-01"]);
    assert!(none.is_empty());
    // Lines are found by going through the looks again, with the same decisions.
    let lines = home.json(&["rules", "dry-run", "Home"]);
    assert_eq!(lines.len(), rows.iter().filter(|r| r["kind"] == "line").count());
    assert!(lines.iter().all(|l| l["kind"] == "line" && l["obtainable_ms"].is_number()), "{lines:?}");
    let table = home.text(&["rules", "dry-run", "strong"]);
    assert!(table.contains("silent: strength") && table.contains("would fire"), "{table}");
    let quality = home.json(&["alerts", "quality"]);
    assert_eq!((quality[0]["by"].as_str(), quality[0]["alerts"].as_i64()), (Some("all"), Some(signals)));
    assert!(quality.iter().any(|r| r["by"] == "rule" && r["name"] == "Strong"));
    assert!(quality.iter().any(|r| r["by"] == "type"));

    // The recording of the evening, imported beside the same rules, tells nothing.
    let other = Home::new();
    other.text(&["rules", "add", "All", "--channel", "nowhere", "--kind", "signal,opener,gone"]);
    other.text(&["import", tape.to_str().expect("path")]);
    assert!(other.count("SELECT count(*) FROM signal") > 0);
    assert_eq!(other.json(&["alerts", "list"]), Vec::<Value>::new());
    assert!(!other.json(&["rules", "dry-run", "All"]).is_empty());
}

#[test]
fn a_killed_program_has_lost_nothing_and_a_running_one_takes_requests() {
    let home = Home::new();
    home.text(&["rules", "add", "All", "--channel", "nowhere", "--cooldown", "0s"]);
    let mut running = Running(home.demo(60).spawn().expect("starts"));
    home.until("a signal is told", "SELECT count(*) FROM outbox WHERE signal IS NOT NULL");

    // A dead letter is put back while the program owns the store: over the desk.
    let busy = home.sql();
    busy.busy_timeout(Duration::from_secs(10)).expect("set");
    busy.execute("UPDATE outbox SET state = 'dead', why = 'made up' WHERE id = 1", []).expect("written");
    let key: String = busy.query_row("SELECT key FROM outbox WHERE id = 1", [], |r| r.get(0)).expect("asked");
    drop(busy);
    assert_eq!(home.json(&["alerts", "list", "--state", "dead"]).len(), 1);
    home.text(&["alerts", "replay", "--dead"]);
    home.until("it waits again", "SELECT count(*) FROM outbox WHERE id = 1 AND state = 'waiting'");
    assert_eq!(home.count(&format!("SELECT count(*) FROM outbox WHERE key = '{key}'")), 1, "the same key");

    // A rule that is added now holds from one of the next looks on.
    home.text(&["rules", "add", "Late", "--channel", "late", "--cooldown", "0s", "--updates"]);
    home.until("the new rule is told of", "SELECT count(*) FROM outbox WHERE channel = 'late'");

    running.0.kill().expect("killed");
    running.0.wait().expect("ended");
    // Every signal that was committed is told, and nothing is told that was not committed.
    let untold = "SELECT count(*) FROM signal AS s WHERE NOT EXISTS
                  (SELECT 1 FROM outbox WHERE signal = s.id AND channel = 'nowhere')";
    assert_eq!(home.count(untold), 0);
    let uncommitted = "SELECT count(*) FROM outbox AS o WHERE signal IS NOT NULL AND NOT EXISTS
                       (SELECT 1 FROM signal WHERE id = o.signal AND version = o.version)";
    assert_eq!(home.count(uncommitted), 0);
    // Without anybody running, a replay is done on the spot.
    home.sql().execute("UPDATE outbox SET state = 'delivered' WHERE id = 1", []).expect("written");
    home.text(&["alerts", "replay", "1"]);
    assert_eq!(home.count("SELECT count(*) FROM outbox WHERE id = 1 AND state = 'waiting'"), 1);
    assert!(home.fails(&["alerts", "replay", "999999"], 3).contains("no message 999999"));
    assert!(Path::new(&home.data().join("desk.db")).exists());
}

/// A program that is told: it appends the key of each message to a file.
#[cfg(unix)]
struct Told {
    script: PathBuf,
    keys: PathBuf,
}

#[cfg(unix)]
impl Told {
    /// `first`: what it does before it does so, in the language of the shell; `$1` is the key.
    fn new(home: &Home, first: &str) -> Self {
        let (script, keys) = (home.folder.path().join("told.sh"), home.folder.path().join("keys.txt"));
        let text = format!("cd {}\n{first}\necho \"$1\" >> keys.txt\n", home.folder.path().display());
        std::fs::write(&script, text).expect("written");
        let run = format!("[alerts.command]\nrun = [\"/bin/sh\", \"{}\", \"{{key}}\"]\n", script.display());
        std::fs::write(home.folder.path().join("stratum.toml"), run).expect("written");
        Self { script, keys }
    }

    fn keys(&self) -> Vec<String> {
        assert!(self.script.exists());
        std::fs::read_to_string(&self.keys).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn demo(home: &Home) -> Running {
        let mut demo = home.demo(120);
        Running(demo.arg("--config").arg(home.folder.path().join("stratum.toml")).spawn().expect("starts"))
    }
}

#[cfg(unix)]
#[test]
fn a_program_is_told_and_told_again_when_it_could_not_listen() {
    let home = Home::new();
    // The first message is refused for now, as are all others until then.
    let told = Told::new(&home, "test -e tried || { touch tried; echo busy >&2; exit 75; }");
    home.text(&["rules", "add", "All", "--channel", "command", "--cooldown", "0s"]);
    let mut running = Told::demo(&home);
    home.until("messages are delivered", "SELECT count(*) >= 5 FROM outbox WHERE state = 'delivered'");
    running.0.kill().expect("killed");
    running.0.wait().expect("ended");
    let log = home.json(&["alerts", "log", "--limit", "10000"]);
    assert_eq!((log[0]["outcome"].as_str(), log[0]["attempt"].as_i64()), (Some("later"), Some(1)), "{log:?}");
    assert!(log[0]["why"].as_str().is_some_and(|why| why.contains("busy")), "{log:?}");
    let delivered: Vec<&Value> = log.iter().filter(|l| l["outcome"] == "delivered").collect();
    assert!(delivered.iter().all(|l| l["latency_ms"].is_number()));
    let keys = told.keys();
    assert!(delivered.iter().all(|l| keys.iter().any(|k| l["key"] == k.as_str())), "{keys:?}");
    let quality = home.json(&["alerts", "quality"]);
    assert!(quality[0]["latency_ms"].is_number() && quality[0]["delivered"].as_i64() >= Some(5), "{quality:?}");
    let test = home
        .command(&["alerts", "test", "command", "--json"])
        .args(["--config"])
        .arg(home.folder.path().join("stratum.toml"))
        .output()
        .expect("runs");
    assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stderr));
    assert!(told.keys().iter().any(|k| k.starts_with("test:")));
}

#[cfg(unix)]
#[test]
fn killed_between_delivery_and_note_it_repeats_the_message_with_its_key() {
    let home = Home::new();
    // The first message is taken, and then nothing is heard for long.
    let told = Told::new(&home, "test -e tried || { touch tried; echo \"$1\" >> keys.txt; sleep 60; }");
    home.text(&["rules", "add", "All", "--channel", "command", "--cooldown", "0s"]);
    let mut running = Told::demo(&home);
    let begin = Instant::now();
    while told.keys().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is told");
        std::thread::sleep(Duration::from_millis(50));
    }
    running.0.kill().expect("killed");
    running.0.wait().expect("ended");
    assert_eq!(home.count("SELECT count(*) FROM outbox WHERE state = 'delivered'"), 0);
    let untold = home.count("SELECT count(*) FROM outbox");

    let mut running = Told::demo(&home);
    let all = format!("SELECT count(*) >= {untold} FROM outbox WHERE state = 'delivered' AND id <= {untold}");
    home.until("everything is delivered", &all);
    running.0.kill().expect("killed");
    running.0.wait().expect("ended");
    let keys = told.keys();
    let times = |key: &str| keys.iter().filter(|k| *k == key).count();
    assert_eq!(times(&keys[0]), 2, "once before the end and once after it: {keys:?}");
    let c = home.sql();
    let mut select = c.prepare("SELECT key FROM outbox WHERE state = 'delivered'").expect("prepared");
    let delivered: Vec<String> =
        select.query_map([], |r| r.get(0)).expect("asked").collect::<Result<_, _>>().expect("read");
    assert!(delivered.iter().all(|key| times(key) >= 1));
}
