//! Devices of a desk as the real program: their daemons, their commands, what their stores hold, and a simulated source.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
/// Longer than anything may take on a busy machine.
pub const LONG: Duration = Duration::from_secs(90);

/// A process that does not outlive the test.
pub struct Running(pub Child);

impl Running {
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.0.wait().expect("ends").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine of the desk.
pub struct Device {
    pub home: PathBuf,
    pub url: String,
    pub ca: PathBuf,
    pub sim: String,
    pub name: &'static str,
    pub key: bool,
    /// More of its environment.
    pub more: Vec<(&'static str, String)>,
}

impl Device {
    pub fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("STRATUM_HUB_URL", &self.url)
            .env("STRATUM_HUB_CA_FILE", &self.ca)
            .env("STRATUM_HUB_ON", "true")
            .env("STRATUM_HUB_NAME", self.name)
            .env("STRATUM_ODDS_API_BASE_URL", &self.sim)
            .env("STRATUM_POLLING_PACE", "steady")
            .env("STRATUM_ODDS_API_CLOCK", "server")
            .env("STRATUM_ODDS_API_INTERVAL", "1s")
            .env("STRATUM_ODDS_API_SPORTS", "basketball_nba")
            .envs(self.more.iter().map(|(name, value)| (*name, value)))
            .arg("--data-dir")
            .arg(self.home.join("data"));
        if self.key {
            command.env("ODDS_API_KEY", "0123456789abcdef0123456789abcdef");
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().expect("runs");
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {text}{errors}");
        text.into_owned()
    }

    pub fn daemon(&self) -> Running {
        let mut command = self.command();
        command.arg("--daemon").stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("starts"))
    }

    /// A daemon that only follows.
    pub fn daemon_without_key(&self) -> Running {
        let mut command = self.command();
        command.env_remove("ODDS_API_KEY").arg("--daemon").stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("starts"))
    }

    pub fn store(&self) -> PathBuf {
        self.home.join("data/stratum.db")
    }

    pub fn ask(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(c) = rusqlite::Connection::open_with_flags(self.store(), flags) else { return -1 };
        c.query_row(sql, [], |r| r.get(0)).unwrap_or(-1)
    }

    pub fn looks(&self) -> i64 {
        self.ask("SELECT count(*) FROM look")
    }

    /// Signals, changes and points by what they are, not by our numbers.
    pub fn content(&self) -> Vec<String> {
        let c = rusqlite::Connection::open(self.store()).expect("store");
        let mut all = Vec::new();
        for sql in [
            "SELECT 'look', received_at, quotes, changes, hex(body_hash), '' FROM look ORDER BY received_at, id",
            "SELECT 'change', e.provider_id, l.received_at, slot, price, c.status FROM change c JOIN event e ON e.id = event
             JOIN look l ON l.id = look ORDER BY 2, 3, 4",
            "SELECT 'quote', e.provider_id, slot, line, price, last_changed FROM quote JOIN event e ON e.id = event
             ORDER BY 2, 3",
            "SELECT 'point', e.provider_id, l.received_at, m.name, fair1, consensus FROM point p JOIN event e ON e.id = event
             JOIN look l ON l.id = p.look JOIN name m ON m.kind = 3 AND m.number = market ORDER BY 2, 3, 4, 5, 6",
            "SELECT 'signal', id, version, strength, composite, json_remove(json, '$.event_id') FROM signal ORDER BY 2, 3",
        ] {
            let mut select = c.prepare(sql).expect("question");
            let columns = select.column_count();
            let mut rows = select.query([]).expect("rows");
            while let Some(r) = rows.next().expect("row") {
                let cell = |i| format!("{:?}", r.get::<_, rusqlite::types::Value>(i).expect("cell"));
                all.push((0..columns).map(cell).collect::<Vec<_>>().join(" "));
            }
        }
        all
    }
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
    begin.elapsed()
}

/// A simulated source, and its address. It runs so many times as fast as this machine's time.
pub fn simulator(home: &Path, speed: u32) -> (Running, String) {
    let mut child = Command::new(BINARY)
        .arg("--data-dir")
        .arg(home)
        .args(["sim", "--speed", &speed.to_string(), "--seed", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim starts");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    (Running(child), url.trim().to_owned())
}
