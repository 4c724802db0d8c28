//! A burst on the exchange's channel, through the real program: 5,000 messages a second for a minute reach a board in a
//! pseudo-terminal, and its keys are pressed meanwhile: `cargo run --release --example burst`. Linux only; build the
//! program of the same profile first.
#![allow(clippy::expect_used, reason = "a measurement that cannot be set up has nothing to say")]

#[path = "../tests/common/pty.rs"]
mod pty;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pty::Pty;

const FORMATS: [&str; 4] = ["American", "Decimal", "Fractional", "Implied %"];
const PER_SECOND: u32 = 5_000;
const LASTING: Duration = Duration::from_secs(60);
const SCENARIO: &str = "name = 'burst'\nseed = 3\nbook_count = 12\n[exchange]\nstep_s = 10\nlive_step_s = 2\n\
    [[sport]]\nkey = 'basketball_nba'\ngames = 12\nfirst_in_min = -30\nevery_min = 20\n";

struct Sim(Child, u16);

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let me = std::env::current_exe().expect("path");
    let program = me.parent().and_then(|p| p.parent()).expect("target").join("stratum");
    let program = program.to_str().expect("text");
    let home = tempfile::tempdir().expect("folder");
    let sim = simulator(program, home.path());
    let url = format!("http://127.0.0.1:{}", sim.1);
    let key = home.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").expect("written");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("private");
    let settings = format!(
        "[polling]\npace = \"steady\"\n[odds_api]\nbase_url = \"{url}\"\ninterval = \"30s\"\n\
         key_file = \"{}\"\nsports = [\"basketball_nba\"]\n[polymarket]\non = true\ngamma_url = \"{url}/gamma\"\n\
         clob_url = \"{url}/clob\"\ndata_url = \"{url}/data\"\n\
         socket_url = \"ws://127.0.0.1:{}/clob/ws/market\"\n",
        key.display(),
        sim.1
    );
    let file = home.path().join("stratum.toml");
    std::fs::write(&file, settings).expect("written");
    let args = ["--config", file.to_str().expect("text"), "--data-dir", home.path().to_str().expect("text")];
    let mut board = Pty::start(program, &args, home.path(), (200, 60));
    board.sees("NBA 12");
    std::thread::sleep(Duration::from_secs(15));
    let status = || -> Option<serde_json::Value> {
        let out = Command::new(program)
            .args(args)
            .args(["status", "--json"])
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .output()
            .ok()?;
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&out.stdout).ok()?;
        rows.into_iter().find(|r| r["kind"] == "daemon").map(|r| r["exchange"].clone())
    };
    let calm = status().expect("status");
    println!("before: {}", told(&calm));
    let before = resident(board.pid());
    post(sim.1, "/sim/load", &format!("{{\"per_second\":{PER_SECOND},\"for_s\":{}}}", LASTING.as_secs()));
    let (begin, mut took, mut n) = (Instant::now(), Vec::new(), 0_usize);
    let mut peak = before;
    while begin.elapsed() < LASTING {
        let next = FORMATS[(n + 1) % FORMATS.len()];
        let pressed = Instant::now();
        board.send("o");
        while !board.text().lines().nth(1).is_some_and(|tabs| tabs.contains(next)) {
            assert!(pressed.elapsed() < Duration::from_secs(5), "no frame");
            std::thread::sleep(Duration::from_micros(200));
        }
        took.push(pressed.elapsed().as_secs_f64() * 1000.0);
        n += 1;
        std::thread::sleep(Duration::from_millis(60 + (n as u64 * 7) % 31));
        peak = peak.max(resident(board.pid()));
    }
    // Once, and not meanwhile: the asking is a process of its own that wants a core.
    let s = status().expect("status");
    let lag = s["lag_ms"].as_u64().unwrap_or(0);
    let most = s["messages_per_second"].as_f64().unwrap_or(0.0);
    println!("after: {}", told(&s));
    println!("before the burst: {}", late(&calm));
    println!("in the burst: {} (limit 250 at the most)", late(&s));
    took.sort_by(f64::total_cmp);
    println!("{most:.0} messages a second; judging and keeping the last second of it {lag} ms");
    println!(
        "key press to frame: {:.1} ms at the median, {:.1} ms at the 99th percentile, {:.1} at the most, of {}",
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1],
        took.len()
    );
    println!("resident: {before:.1} MiB before, {peak:.1} at most, {:.1} after", resident(board.pid()));
    board.send("q");
    board.exit(Duration::from_secs(20));
}

fn told(s: &serde_json::Value) -> String {
    format!("{} games linked, {} contracts, sockets {}", s["linked"], s["contracts"], s["sockets"])
}

/// How late messages were in the last minute.
fn late(s: &serde_json::Value) -> String {
    let d = &s["delay"];
    format!(
        "{} messages, from being sent to being applied {} ms at the least, {} at the median, {} at the 99th percentile, {} \
         at the most; from being sent to being judged, kept and announced to the board {} at the most",
        d["messages"], d["least"], d["median"], d["p99"], d["most"], d["told"]
    )
}

fn simulator(program: &str, home: &std::path::Path) -> Sim {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let scenario = home.join("burst.toml");
    std::fs::write(&scenario, SCENARIO).expect("written");
    let mut child = Command::new(program)
        .args(["sim", "--speed", "1", "--port", &port.to_string(), "--scenario"])
        .arg(&scenario)
        .env("HOME", home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the simulator");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("output")).read_line(&mut line).expect("its address");
    Sim(child, port)
}

fn post(port: u16, path: &str, body: &str) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("the simulator");
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nhost: x\r\nuser-agent: burst\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn resident(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
