//! The daemon against the simulator, through real processes and sockets: it polls, stores, records, stops on signals,
//! keeps others out, and never shows its key.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";

struct Sim {
    child: Child,
    url: String,
}

impl Sim {
    fn start(args: &[&str], home: &Path) -> Self {
        let mut child = Command::new(BINARY)
            .args(["--data-dir"])
            .arg(home.join("sim"))
            .arg("sim")
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sim starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }

    fn post(&self, path: &str, body: &str) {
        let address = self.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).expect("connects");
        let length = body.len();
        write!(
            socket,
            "POST {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("sends");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Desk {
    home: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("folder") }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", self.path()).arg("--data-dir").arg(self.data());
        command
    }

    fn daemon(&self, sim: &Sim) -> Command {
        let mut command = self.command();
        command
            .arg("--daemon")
            .env("ODDS_API_KEY", KEY)
            .env("STRATUM_ODDS_API_BASE_URL", &sim.url)
            .env("STRATUM_POLLING_PACE", "steady")
            .env("STRATUM_ODDS_API_CLOCK", "server")
            .env("STRATUM_ODDS_API_INTERVAL", "1s")
            .env("STRATUM_ODDS_API_SPORTS", "basketball_nba")
            .env("STRATUM_LOG_LEVEL", "trace")
            .env("STRATUM_ODDS_API_RECORD", self.path().join("tape.jsonl"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.command().args(args).arg("--json").output().expect("runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Waits until so many looks are stored.
    fn until_looks(&self, looks: i64) {
        let begin = Instant::now();
        let path = self.data().join("stratum.db");
        while begin.elapsed() < Duration::from_secs(60) {
            if path.exists()
                && let Ok(c) = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
                && c.query_row("SELECT count(*) FROM look", [], |r| r.get(0)).unwrap_or(0) >= looks
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no {looks} looks within a minute");
    }
}

fn stop(child: Child, signal: &str) -> Output {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    child.wait_with_output().expect("ends")
}

fn everything_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() { everything_under(&path, found) } else { found.push(path) }
    }
}

#[test]
fn it_follows_records_and_stops_on_every_signal() {
    let desk = Desk::new();
    let sim = Sim::start(&["--speed", "30", "--seed", "5"], desk.path());
    let mut looks = 0;
    for signal in ["-TERM", "-INT"] {
        let child = desk.daemon(&sim).spawn().expect("starts");
        looks += 3;
        desk.until_looks(looks);
        let output = stop(child, signal);
        assert!(output.status.success(), "{signal}: {:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("looks"));
    }
    let events = desk.json(&["events"]);
    assert!(!events.is_empty());
    let id = events[0]["event_id"].to_string();
    let quotes = desk.json(&["quotes", &id]);
    assert!(quotes.iter().any(|q| q["status"] == "open"));
    assert_eq!(quotes, desk.json(&["quotes", &id]));

    // The recording of the run, imported elsewhere, gives the same quotes.
    let other = Desk::new();
    let tape = desk.path().join("tape.jsonl");
    let done = other.command().arg("import").arg(&tape).output().expect("runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(quotes, other.json(&["quotes", quotes[0]["provider_event_id"].as_str().expect("id")]));

    // The key stands nowhere: not in logs, not in the store, not in the recording.
    let mut files = Vec::new();
    everything_under(desk.path(), &mut files);
    assert!(files.iter().any(|f| f.to_string_lossy().contains("log")));
    for file in files {
        let bytes = std::fs::read(&file).expect("reads");
        let hit = bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes());
        assert!(!hit, "the key stands in {}", file.display());
    }
}

#[test]
fn two_daemons_never_share_a_store() {
    let desk = Desk::new();
    let sim = Sim::start(&["--speed", "30"], desk.path());
    let first = desk.daemon(&sim).spawn().expect("starts");
    desk.until_looks(1);
    let second = desk.daemon(&sim).output().expect("runs");
    assert_eq!(second.status.code(), Some(4));
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(text.contains(&first.id().to_string()), "{text}");
    let import = desk.command().arg("import").arg(desk.path().join("tape.jsonl")).output().expect("runs");
    assert_eq!(import.status.code(), Some(4));
    assert!(stop(first, "-TERM").status.success());
}

#[test]
fn a_refused_key_is_said_at_once_and_a_missing_one_too() {
    let desk = Desk::new();
    let sim = Sim::start(&[], desk.path());
    sim.post("/sim/faults", r#"{"kind":"invalid_key"}"#);
    let output = desk.daemon(&sim).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.to_lowercase().contains("key"), "{text}");
    assert!(!text.contains(KEY));
    let output = desk.daemon(&sim).env_remove("ODDS_API_KEY").output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ODDS_API_KEY"));
}

#[test]
fn faults_of_the_source_are_logged_and_survived() {
    let desk = Desk::new();
    let sim = Sim::start(&["--speed", "30", "--seed", "9"], desk.path());
    let child = desk.daemon(&sim).spawn().expect("starts");
    desk.until_looks(2);
    sim.post(
        "/sim/faults",
        r#"[{"kind":"truncated_json","times":1},{"kind":"server_error","times":1},{"kind":"price_one","for_s":90},
            {"kind":"null_bookmakers","for_s":90},{"kind":"duplicate_outcome","for_s":90}]"#,
    );
    desk.until_looks(7);
    assert!(stop(child, "-TERM").status.success());
    let c = rusqlite::Connection::open(desk.data().join("stratum.db")).expect("store");
    let issues: i64 = c.query_row("SELECT count(*) FROM quality", [], |r| r.get(0)).expect("count");
    assert!(issues > 0);
    let open: i64 = c.query_row("SELECT count(*) FROM quote WHERE status & 15 = 0", [], |r| r.get(0)).expect("count");
    assert!(open > 0, "the good rest is in use");
    let verdict: String = c.query_row("PRAGMA integrity_check", [], |r| r.get(0)).expect("check");
    assert_eq!(verdict, "ok");
}

#[test]
fn the_report_counts_every_call_and_fits_a_terminal() {
    let desk = Desk::new();
    let sim = Sim::start(&["--speed", "30", "--seed", "5"], desk.path());
    let child = desk.daemon(&sim).spawn().expect("starts");
    desk.until_looks(3);
    let text = desk.command().arg("status").output().expect("runs");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("daemon   follows as planned; polling running, key accepted, store writable"), "{text}");
    assert!(stop(child, "-TERM").status.success());
    assert!(desk.json(&["status"]).iter().all(|r| r["kind"] != "daemon"), "nobody follows any more");
    let rows = desk.json(&["report", "--days", "1"]);
    let of = |kind: &str| rows.iter().filter(|r| r["kind"] == kind).collect::<Vec<_>>();
    let total = of("total")[0];
    let c = rusqlite::Connection::open(desk.data().join("stratum.db")).expect("store");
    let fetches: i64 = c.query_row("SELECT count(*) FROM fetch_log", [], |r| r.get(0)).expect("count");
    let credits: i64 = c.query_row("SELECT sum(cost) FROM fetch_log", [], |r| r.get(0)).expect("sum");
    assert_eq!((total["cycles"].as_i64(), total["credits"].as_i64()), (Some(fetches), Some(credits)));
    assert_eq!((of("sport").len(), of("stage").len(), of("closes").len()), (1, 6, 1));
    let text = desk.command().arg("report").output().expect("runs");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.lines().all(|l| l.chars().count() <= 80) && text.contains("basketball_nba"), "{text}");
}

#[test]
fn a_simulated_market_says_so_wherever_it_is_shown() {
    let desk = Desk::new();
    let done = desk.command().args(["demo", "--headless", "--for", "2s", "--json"]).output().expect("runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let summary: Vec<Value> = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(summary[0]["origin"], "DEMO");
    assert!(summary[0]["looks"].as_u64().is_some_and(|n| n > 0));
    for args in [&["status"][..], &["report"], &["events"], &["quotes", "1"], &["history", "1", "--market", "h2h"]] {
        let rows = desk.json(args);
        assert!(!rows.is_empty() && rows.iter().all(|r| r["origin"] == "DEMO"), "{args:?}");
        let text = desk.command().args(args).output().expect("runs");
        assert!(String::from_utf8_lossy(&text.stdout).starts_with("DEMO"), "{args:?}");
    }
}
