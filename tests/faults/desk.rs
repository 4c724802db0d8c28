//! A simulated market, a daemon that follows it, and the questions by which it is seen from outside how the daemon does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
pub const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);
/// A user without rights.
pub const NOBODY: u32 = 65_534;

pub struct Process(pub Child);

impl Process {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("waits").is_none()
    }

    /// Asks it to stop and answers how long that took, its code and what it said.
    pub fn stop(mut self) -> (Duration, Option<i32>, String) {
        let begin = Instant::now();
        self.signal("-TERM");
        let code = self.0.wait().expect("ends").code();
        let took = begin.elapsed();
        let mut said = String::new();
        if let Some(mut err) = self.0.stderr.take() {
            err.read_to_string(&mut said).expect("text");
        }
        (took, code, said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that was stopped does not hear of its end otherwise.
        let _ = Command::new("kill").args(["-CONT", &self.pid().to_string()]).stderr(Stdio::null()).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port()
}

/// One question over HTTP: the status and the body. `None`: nobody answers.
pub fn ask(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let length = body.len();
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

pub struct Desk {
    pub home: tempfile::TempDir,
    pub sim: Process,
    pub sim_port: u16,
    pub health: u16,
    /// Nobody shall own what is made here.
    pub unprivileged: bool,
}

impl Desk {
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("folder");
        let sim_port = free_port();
        let sim = Self::sim(home.path(), sim_port);
        Self { home, sim, sim_port, health: free_port(), unprivileged: false }
    }

    pub fn sim(home: &Path, port: u16) -> Process {
        Self::sim_of(home, port, &["--speed", "30", "--seed", "5"])
    }

    pub fn sim_of(home: &Path, port: u16, how: &[&str]) -> Process {
        let mut command = Command::new(BINARY);
        command.arg("--data-dir").arg(home.join("sim")).arg("sim").args(how).args(["--port", &port.to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut sim = Process(command.spawn().expect("sim starts"));
        let mut url = String::new();
        BufReader::new(sim.0.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
        assert!(url.starts_with("http://"), "{url}");
        sim
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.sim_port)
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn settings(&self) -> PathBuf {
        self.home.path().join("stratum.toml")
    }

    /// The settings, from which a daemon reads everything that may change while it runs.
    pub fn write_settings(&self, url: &str, sports: &str) {
        let text = format!(
            "[polling]\npace = \"steady\"\n[odds_api]\nbase_url = \"{url}\"\nclock = \"server\"\ninterval = \"1s\"\ntimeout = \"2s\"\nsports = {sports}\n\
             [metrics]\nlisten = \"127.0.0.1:{}\"\n",
            self.health
        );
        std::fs::write(self.settings(), text).expect("written");
    }

    pub fn command(&self) -> Command {
        let mut command = if self.unprivileged {
            let mut command = Command::new("setpriv");
            let id = NOBODY.to_string();
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups", BINARY]);
            command
        } else {
            Command::new(BINARY)
        };
        self.surround(&mut command);
        command
    }

    pub fn surround(&self, command: &mut Command) {
        command.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        // The socket lies in a folder of the user's own.
        command.env("XDG_RUNTIME_DIR", self.home.path()).env("ODDS_API_KEY", KEY);
        command.arg("--data-dir").arg(self.data()).arg("--config").arg(self.settings());
    }

    pub fn daemon(&self) -> Process {
        let mut command = self.command();
        command.arg("--daemon").stdout(Stdio::null()).stderr(Stdio::piped());
        Process(command.spawn().expect("daemon starts"))
    }

    pub fn usual_daemon(&self) -> Process {
        self.write_settings(&self.url(), "[\"basketball_nba\"]");
        let daemon = self.daemon();
        self.until_ready(1);
        daemon
    }

    pub fn ready(&self) -> Option<(u16, String)> {
        ask(self.health, "GET", "/health/ready", "")
    }

    pub fn metric(&self, series: &str) -> f64 {
        let Some((200, page)) = ask(self.health, "GET", "/metrics", "") else { return f64::NAN };
        let line = page.lines().find_map(|l| l.strip_prefix(series));
        line.and_then(|l| l.trim().parse().ok()).unwrap_or(f64::NAN)
    }

    pub fn looks(&self) -> f64 {
        self.metric("stratum_newest_look")
    }

    /// Follows as planned, and has stored so many looks more than at this moment.
    pub fn until_ready(&self, more: u32) {
        let begin = Instant::now();
        let mut from = None;
        let mut last = None;
        while begin.elapsed() < LONG {
            last = self.ready();
            let looks = self.looks();
            if let Some((200, _)) = last
                && looks >= *from.get_or_insert(looks) + f64::from(more)
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("not ready: {last:?}");
    }

    /// Waits until it says so, and answers the words.
    pub fn until_said(&self, words: &str) -> String {
        let begin = Instant::now();
        let mut heard = Vec::new();
        while begin.elapsed() < LONG {
            if let Some((503, body)) = self.ready() {
                if body.contains(words) {
                    assert_eq!(ask(self.health, "GET", "/health/live", "").map(|a| a.0), Some(200), "alive all along");
                    return body;
                }
                if !heard.contains(&body) {
                    heard.push(body);
                }
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        panic!("never said \"{words}\", but {heard:#?}");
    }

    pub fn fault(&self, spec: &str) {
        let answer = ask(self.sim_port, "POST", "/sim/faults", spec);
        assert_eq!(answer.as_ref().map(|a| a.0), Some(200), "{answer:?}");
    }

    pub fn no_faults(&self) {
        assert_eq!(ask(self.sim_port, "DELETE", "/sim/faults", "").map(|a| a.0), Some(200));
    }

    pub fn asked(&self) -> u64 {
        let (_, body) = ask(self.sim_port, "GET", "/sim/state", "").expect("answers");
        let state: Value = serde_json::from_str(&body).expect("JSON");
        state["stats"]["requests"].as_u64().expect("a count")
    }

    pub fn status(&self) -> Vec<Value> {
        let output = self.command().args(["status", "--json"]).output().expect("runs");
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub fn one(&self, kind: &str) -> Option<Value> {
        self.status().into_iter().find(|r| r["kind"] == kind)
    }
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

pub fn everything_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() { everything_under(&path, found) } else { found.push(path) }
    }
}
