//! A daemon on the worst of days, logging everything it can: none of its secrets stands in anything it leaves behind.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const FIRST: &str = "5ecret0first0KEY0of0the0test0aaaa";
const SECOND: &str = "5ecret0second0KEY0of0the0test0bbb";
const TOKEN: &str = "5ecretTokenOfTheDiscordWebhook";
const HOOK: &str = "5ecretPathOfTheOtherWebhook";
const SIGNING: &str = "5ecretForSigningDeliveries";
const SECRETS: [&str; 5] = [FIRST, SECOND, TOKEN, HOOK, SIGNING];
/// Every secret begins with it, in whatever case, and so would a part that escaped.
const SIGN: &str = "5ecret";
const LONG: Duration = Duration::from_secs(90);

/// A home, and a server that stands for Discord and repeats the address it was asked at.
struct Desk {
    home: tempfile::TempDir,
    discord: Echo,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { home: tempfile::tempdir().expect("folder"), discord: Echo::start() };
        let rule = ["rules", "add", "All", "--channel", "discord,webhook", "--cooldown", "0s"];
        assert!(desk.command(&rule).status().expect("runs").success());
        desk
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("ODDS_API_KEY", format!("{FIRST},{SECOND}"))
            .env("STRATUM_DISCORD_WEBHOOK", format!("https://discord.com/api/webhooks/123456789/{TOKEN}"))
            .env("STRATUM_TEST_DISCORD_AT", self.discord.url.trim_start_matches("http://"))
            .env("STRATUM_WEBHOOK_URL", format!("https://hooks.example/{HOOK}"))
            .env("STRATUM_WEBHOOK_SECRET", SIGNING)
            .env("STRATUM_LOG_LEVEL", "trace")
            .arg("--data-dir")
            .arg(self.path().join("data"))
            .args(args);
        command
    }

    fn daemon(&self, url: &str, clock: &str) -> Child {
        self.command(&["--daemon"])
            .env("STRATUM_ODDS_API_BASE_URL", url)
            .env("STRATUM_POLLING_PACE", "steady")
            .env("STRATUM_ODDS_API_CLOCK", clock)
            .env("STRATUM_ODDS_API_INTERVAL", "1s")
            .env("STRATUM_ODDS_API_TIMEOUT", "3s")
            // Somebody pasted a key into the wrong field.
            .env("STRATUM_ODDS_API_SPORTS", format!("basketball_nba,icehockey_nhl,{}", FIRST.to_lowercase()))
            .env("STRATUM_ODDS_API_RECORD", self.path().join("tape.jsonl"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts")
    }

    fn store(&self) -> PathBuf {
        self.path().join("data/stratum.db")
    }

    fn count(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(c) = rusqlite::Connection::open_with_flags(self.store(), flags) else { return 0 };
        c.query_row(sql, [], |r| r.get(0)).unwrap_or(0)
    }

    fn until(&self, what: &str, sql: &str, wanted: i64) {
        let end = Instant::now() + LONG;
        while self.count(sql) < wanted {
            assert!(Instant::now() < end, "{what}: {} of {wanted}", self.count(sql));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Looks through everything that is left: files, packed answers, and what `outputs` said.
    fn assert_clean(&self, outputs: &[Output]) {
        let mut found = Vec::new();
        let mut look = |place: String, bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            if let Some(at) = text.find(SIGN) {
                let from = text.floor_char_boundary(at.saturating_sub(120));
                let to = text.floor_char_boundary((at + 80).min(text.len()));
                found.push(format!("{place}: ...{}...", &text[from..to]));
            }
        };
        let mut files = Vec::new();
        everything_under(self.path(), &mut files);
        for part in ["stratum.db", "logs", "tape.jsonl", "desk.db"] {
            assert!(files.iter().any(|f| f.to_string_lossy().contains(part)), "{part} is missing: {files:?}");
        }
        for file in &files {
            look(file.display().to_string(), &std::fs::read(file).expect("reads"));
        }
        let c = rusqlite::Connection::open(self.store()).expect("store");
        let mut select = c.prepare("SELECT bytes, body FROM raw_answer").expect("answers");
        let rows = select.query_map([], |r| Ok((r.get::<_, u32>(0)?, r.get::<_, Vec<u8>>(1)?))).expect("rows");
        let mut answers = 0;
        for row in rows {
            let (bytes, body) = row.expect("row");
            look("a kept answer".into(), &zstd::bulk::decompress(&body, bytes as usize).expect("unpacks"));
            answers += 1;
        }
        assert!(answers > 0, "answers are kept");
        for output in outputs {
            look("standard output".into(), &output.stdout);
            look("standard error".into(), &output.stderr);
        }
        assert!(found.is_empty(), "secrets were found:\n{}", found.join("\n"));
    }
}

fn everything_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            everything_under(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn stop(child: Child) -> Output {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    child.wait_with_output().expect("ends")
}

/// What the user may look at meanwhile and afterwards.
fn looks(desk: &Desk) -> Vec<Output> {
    let all: [&[&str]; 13] = [
        &["alerts", "test", "discord"],
        &["alerts", "test", "webhook"],
        &["alerts", "list", "--json"],
        &["alerts", "log", "--json"],
        &["status"],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["config", "show"],
        &["key", "status"],
        &["key", "status", "--json"],
        &["service", "install", "--dry-run"],
        &["watch", "create", "mine"],
    ];
    let pasted = ["STRATUM_ODDS_API_SPORTS", "STRATUM_BOARD_THEME"];
    let run = |args: &&[&str]| desk.command(args).envs(pasted.map(|name| (name, FIRST.to_lowercase()))).output();
    all.iter().map(|args| run(args).expect("runs")).collect()
}

/// A provider that repeats the whole request, the key with it, in whatever it answers.
struct Echo {
    url: String,
    served: Arc<AtomicUsize>,
    keys: Arc<Mutex<Vec<String>>>,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let (served, keys) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let targets = Arc::new(Mutex::new(Vec::new()));
        let (count, seen, paths) = (Arc::clone(&served), Arc::clone(&keys), Arc::clone(&targets));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                let (count, seen, paths) = (Arc::clone(&count), Arc::clone(&seen), Arc::clone(&paths));
                std::thread::spawn(move || answer(socket, &count, &seen, &paths));
            }
        });
        Self { url, served, keys, targets }
    }

    fn until(&self, wanted: usize) {
        let end = Instant::now() + LONG;
        while self.served.load(Ordering::SeqCst) < wanted {
            assert!(Instant::now() < end, "{} requests", self.served.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Answers to questions for odds on the worst day, in turn.
const ANSWERS: usize = 13;

fn answer(mut socket: TcpStream, count: &AtomicUsize, seen: &Mutex<Vec<String>>, targets: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    targets.lock().expect("targets").push(target.clone());
    let key = target.split("apiKey=").nth(1).unwrap_or_default().to_owned();
    seen.lock().expect("seen").push(key.clone());
    let is_odds = target.contains("/odds?");
    let n = if is_odds { count.fetch_add(1, Ordering::SeqCst) } else { 0 };
    let html = format!("<html><title>{target}</title>{head} {} </html>", key.to_lowercase());
    let error = |code: &str| {
        format!("{{\"message\":\"key {key} at {target}\",\"error_code\":\"{code}\",\"details_url\":\"{target}\"}}")
    };
    let event = format!(
        "[{{\"id\":\"e1\",\"sport_key\":\"basketball_nba\",\"sport_title\":\"{key}\",\"link\":\"{target}\",\
         \"commence_time\":\"2030-01-01T00:00:00Z\",\"home_team\":\"Home\",\"away_team\":\"Away\",\"bookmakers\":[]}}]"
    );
    let quota = "x-requests-remaining: 99\r\nx-requests-used: 1\r\nx-requests-last: 1\r\n";
    let ok = || ("200 OK", quota.to_owned(), event.clone());
    let (status, headers, body) = if target.starts_with("/api/webhooks") {
        ("404 Not Found", String::new(), format!("{{\"message\":\"nothing at {target}\",\"code\":10015}}"))
    } else if !is_odds {
        ("200 OK", quota.to_owned(), format!("[{{\"key\":\"basketball_nba\",\"title\":\"{key}\"}}]"))
    } else {
        match n % ANSWERS {
            0 => ("500 Internal Server Error", String::new(), html),
            1 => ("429 Too Many Requests", "retry-after: 0\r\n".into(), error("EXCEEDED_FREQ_LIMIT")),
            3 => ("302 Found", format!("location: {target}\r\n"), html),
            5 => ("200 OK", quota.into(), html),
            7 if key == FIRST => {
                ("401 Unauthorized", "x-requests-remaining: 0\r\n".into(), error("OUT_OF_USAGE_CREDITS"))
            }
            9 => ("200 OK", "x-cut: 1\r\n".into(), event.clone()),
            // After these the sport is left alone for hours.
            11 => ("422 Unprocessable Entity", format!("x-echo: {target}\r\n"), error("INVALID_REGION")),
            12 => ("200 OK", quota.into(), error("INVALID_MARKET")),
            _ => ok(),
        }
    };
    // One of the answers is cut off.
    let length = if headers.contains("x-cut") { body.len() + 500 } else { body.len() };
    let _ = write!(
        socket,
        "HTTP/1.1 {status}\r\n{headers}content-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

#[test]
fn a_provider_that_repeats_the_key_in_everything_gets_it_kept_nowhere() {
    let desk = Desk::new();
    let echo = Echo::start();
    let daemon = desk.daemon(&echo.url, "local");
    desk.until("answers", "SELECT count(*) FROM fetch_log WHERE outcome = 'data'", 1);
    echo.until(ANSWERS);
    let mut outputs = looks(&desk);
    outputs.push(stop(daemon));
    let keys = echo.keys.lock().expect("keys").clone();
    assert!(keys.iter().any(|k| k == FIRST) && keys.iter().any(|k| k == SECOND), "both keys were sent");
    desk.assert_clean(&outputs);
    assert!(desk.discord.targets.lock().expect("targets").iter().any(|t| t.contains(TOKEN)), "alerts were sent");
    let text: String = outputs.iter().map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).collect();
    assert!(text.contains("***"), "{text}");
}

#[test]
fn faults_of_the_simulator_and_a_network_that_is_gone_leave_no_secret() {
    let desk = Desk::new();
    let mut sim = Command::new(BINARY)
        .args(["sim", "--speed", "30", "--seed", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim");
    let mut url = String::new();
    BufReader::new(sim.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    let url = url.trim().to_owned();
    let post = |body: &str| {
        let mut socket = TcpStream::connect(url.trim_start_matches("http://")).expect("connects");
        let head =
            format!("POST /sim/faults HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {}", body.len());
        write!(socket, "{head}\r\n\r\n{body}").expect("sends");
        let mut said = String::new();
        socket.read_to_string(&mut said).expect("answers");
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    };
    let daemon = desk.daemon(&url, "server");
    let looks_taken = "SELECT count(*) FROM look";
    desk.until("looks", looks_taken, 2);
    post(
        r#"[{"kind":"quota_exhausted","times":1},{"kind":"rate_limited","times":2},{"kind":"server_error","times":1},
            {"kind":"truncated_json","times":1},{"kind":"connection_cut","times":1},{"kind":"slow_body","times":1}]"#,
    );
    desk.until("looks after the faults", looks_taken, desk.count(looks_taken) + 3);
    let mut outputs = looks(&desk);
    // In the end the provider refuses the keys altogether.
    post(r#"{"kind":"deactivated_key"}"#);
    desk.until("a refusal", "SELECT count(*) FROM fetch_log WHERE reason IN ('auth', 'quota')", 1);
    outputs.push(stop(daemon));
    sim.kill().expect("killed");
    sim.wait().expect("ends");

    // Nobody knows the name of the provider any more.
    let daemon = desk.daemon("https://api.stratum.invalid", "local");
    desk.until("a failure", "SELECT count(*) FROM fetch_log WHERE reason = 'transient'", 2);
    outputs.push(stop(daemon));
    outputs.extend(looks(&desk));
    desk.assert_clean(&outputs);
}

#[test]
fn the_search_would_find_what_it_looks_for() {
    assert!(SECRETS.iter().all(|s| s.to_lowercase().starts_with(SIGN)));
}
