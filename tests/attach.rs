//! Boards on the local socket of a real daemon that follows the simulator: they hear of looks, tell the ways in which a
//! daemon can be gone apart, come back by themselves, and cannot harm it.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use stratum::market::batch::Endpoint;
use stratum::market::ids::LookId;
use stratum::market::time::Timestamp;
use stratum::runtime::attach::PROTOCOL;
use stratum::runtime::attach::client::connect;
use stratum::runtime::attach::place::{Surroundings, places};
use stratum::runtime::attach::server::{MAX_CLIENTS, Server, ServerConfig};
use stratum::runtime::attach::wire::Frame;
use stratum::runtime::link::{Connected, Link, LinkEvent, LinkLoss, LinkTiming, Silence, StoreOwner, probe};
use stratum::runtime::published::Published;
use stratum::runtime::status::{KeyState, LiveStatus};
use stratum::store::Store;
use tokio::time::timeout;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(40);

/// A child that does not outlive its test.
struct Process(Child);

impl Process {
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.pid().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn wait(&mut self) -> std::process::ExitStatus {
        self.0.wait().expect("ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A simulated market and a place for a daemon that follows it.
struct Desk {
    home: tempfile::TempDir,
    data: PathBuf,
    _sim: Process,
    url: String,
}

impl Desk {
    fn new() -> Self {
        Self::within("data")
    }

    fn within(folder: &str) -> Self {
        let home = tempfile::tempdir().expect("folder");
        let data = home.path().join(folder);
        let mut command = Command::new(BINARY);
        command.arg("--data-dir").arg(home.path().join("sim")).args(["sim", "--speed", "30", "--seed", "5"]);
        let mut sim = Process(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sim starts"));
        let mut url = String::new();
        BufReader::new(sim.0.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
        Self { home, data, _sim: sim, url: url.trim().to_owned() }
    }

    fn store(&self) -> PathBuf {
        self.data.join("stratum.db")
    }

    fn socket(&self) -> PathBuf {
        let places = places(&self.store(), &Surroundings::here()).expect("places");
        places.into_iter().next().expect("a place").socket
    }

    fn daemon(&self) -> Process {
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "TMPDIR" || name == "XDG_RUNTIME_DIR"))
            .env("HOME", self.home.path())
            .env("ODDS_API_KEY", KEY)
            .env("STRATUM_ODDS_API_BASE_URL", &self.url)
            .env("STRATUM_POLLING_PACE", "steady")
            .env("STRATUM_ODDS_API_CLOCK", "server")
            .env("STRATUM_ODDS_API_INTERVAL", "1s")
            .env("STRATUM_ODDS_API_SPORTS", "basketball_nba")
            .arg("--data-dir")
            .arg(&self.data)
            .arg("--daemon")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Process(command.spawn().expect("daemon starts"))
    }

    /// A raw line to the daemon, as soon as it listens.
    fn dial(&self) -> UnixStream {
        let begin = Instant::now();
        loop {
            if self.data.exists()
                && let Ok(line) = UnixStream::connect(self.socket())
            {
                line.set_read_timeout(Some(LONG)).expect("timeout");
                return line;
            }
            assert!(begin.elapsed() < LONG, "no socket");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn quick() -> LinkTiming {
    LinkTiming {
        ping_after: Duration::from_millis(1_500),
        answer_within: Duration::from_secs(1),
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(500),
    }
}

async fn next(link: &mut Link) -> LinkEvent {
    timeout(LONG, link.next()).await.expect("something happens")
}

/// The next event that `wanted` wants.
async fn until<T>(link: &mut Link, mut wanted: impl FnMut(LinkEvent) -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = wanted(link.next().await) {
                return found;
            }
        }
    };
    timeout(LONG, found).await.expect("it happens")
}

async fn connected(link: &mut Link) -> Connected {
    until(link, |e| if let LinkEvent::Connected(c) = e { Some(c) } else { None }).await
}

async fn published(link: &mut Link) -> Published {
    until(link, |e| if let LinkEvent::Published(p) = e { Some(p) } else { None }).await
}

async fn lost(link: &mut Link) -> LinkLoss {
    until(link, |e| if let LinkEvent::Lost(l) = e { Some(l) } else { None }).await
}

#[tokio::test]
async fn a_board_follows_a_daemon_and_survives_its_death() {
    let desk = Desk::new();
    let mut link = Link::attach_with(desk.store(), quick());
    assert_eq!(next(&mut link).await, LinkEvent::Lost(LinkLoss::NoDaemon));
    let mut daemon = desk.daemon();
    let to = connected(&mut link).await;
    assert_eq!((to.pid, to.version.as_str(), to.local), (daemon.pid(), env!("CARGO_PKG_VERSION"), false));
    let LinkEvent::Status(status) = next(&mut link).await else { panic!("the status comes first") };
    assert_eq!(status.pid, daemon.pid());
    let (first, second) = (published(&mut link).await, published(&mut link).await);
    assert!(first.look > to.look && second.look > first.look);
    assert_eq!((first.sport.as_str(), first.endpoint), ("basketball_nba", Endpoint::Odds));
    let status = until(&mut link, |e| match e {
        LinkEvent::Status(s) if s.look >= second.look => Some(s),
        _ => None,
    })
    .await;
    assert_eq!(status.key, KeyState::Accepted);
    let question = status.question("basketball_nba", Endpoint::Odds).expect("is asked");
    assert!(question.asked.is_some() && question.due > question.asked, "{question:?}");
    assert!(question.answer.as_ref().is_some_and(|a| a.quotes > 0 && a.outcome == "data"), "{question:?}");
    assert!(status.credits.remaining.is_some() && status.credits.spent > 0 && status.cycle.looks > 1);
    assert!(status.cycle.last.total_us >= status.cycle.last.commit_us && status.cycle.last.commit_us > 0);
    let answers = StoreOwner::Answers { pid: daemon.pid(), version: env!("CARGO_PKG_VERSION").into() };
    assert_eq!(probe(&desk.store()).await, answers);
    let mode = std::fs::metadata(desk.socket()).expect("socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    daemon.signal("-9");
    let begin = Instant::now();
    assert_eq!(lost(&mut link).await, LinkLoss::NoDaemon);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    daemon.wait();
    assert_eq!(probe(&desk.store()).await, StoreOwner::Free);
    assert!(desk.socket().exists(), "a killed process leaves its socket behind");

    let daemon = desk.daemon();
    assert_eq!(connected(&mut link).await.pid, daemon.pid());
    assert!(published(&mut link).await.look > second.look);
}

#[tokio::test]
async fn a_stopped_process_is_alive_but_silent() {
    let desk = Desk::new();
    let daemon = desk.daemon();
    let mut link = Link::attach_with(desk.store(), quick());
    published(&mut link).await;
    daemon.signal("-STOP");
    let silent = LinkLoss::Silent { pid: daemon.pid(), how: Silence::NoAnswer };
    assert_eq!(lost(&mut link).await, silent);
    assert_eq!(probe(&desk.store()).await, StoreOwner::Silent { pid: daemon.pid(), how: Silence::NoAnswer });
    // It says so once, however often it tries.
    let more = timeout(Duration::from_secs(3), link.next()).await;
    assert!(more.is_err(), "{more:?}");
    daemon.signal("-CONT");
    assert_eq!(connected(&mut link).await.pid, daemon.pid());
    published(&mut link).await;
}

#[tokio::test]
async fn a_polite_stop_is_a_goodbye_and_nothing_secret_was_said() {
    let desk = Desk::new();
    let mut daemon = desk.daemon();
    let mut raw = desk.dial();
    writeln!(raw, r#"{{"protocol":{PROTOCOL},"version":"1.2.3"}}"#).expect("sends");
    let mut link = Link::attach_with(desk.store(), quick());
    published(&mut link).await;
    published(&mut link).await;
    let socket = desk.socket();
    daemon.signal("-TERM");
    assert_eq!(lost(&mut link).await, LinkLoss::Goodbye { reason: None });
    assert_eq!(lost(&mut link).await, LinkLoss::NoDaemon);
    assert!(daemon.wait().success());
    assert!(!socket.exists());
    let mut said = String::new();
    raw.read_to_string(&mut said).expect("all of it");
    let frames: Vec<Value> = said.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(frames[0]["protocol"], PROTOCOL);
    assert_eq!(frames[0]["sequence"], 0);
    assert_eq!(frames[1]["frame"], "status");
    assert!(frames.iter().any(|f| f["frame"] == "published"));
    assert_eq!(frames.last().expect("frames")["frame"], "bye");
    assert!(!said.to_lowercase().contains(&KEY.to_lowercase()));
}

#[tokio::test]
async fn another_protocol_is_named_on_both_sides() {
    let home = tempfile::tempdir().expect("folder");
    let path = home.path().join("stratum.db");
    let _held = Store::open(&path).expect("store");
    let socket = places(&path, &Surroundings::here()).expect("places").remove(0).socket;
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("binds");
    std::thread::spawn(move || {
        for line in listener.incoming().flatten() {
            let _ = writeln!(&line, r#"{{"protocol":99,"version":"9.9.9","pid":7}}"#);
        }
    });
    let mut link = Link::attach_with(path, quick());
    let LinkLoss::Version(other) = lost(&mut link).await else { panic!("a mismatch") };
    assert_eq!((other.pid, other.version.as_str(), other.protocol), (7, "9.9.9", 99));

    let desk = Desk::new();
    let _daemon = desk.daemon();
    let mut raw = desk.dial();
    writeln!(raw, r#"{{"protocol":99,"version":"9.9.9"}}"#).expect("sends");
    let mut said = String::new();
    raw.read_to_string(&mut said).expect("closed");
    let last: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["frame"], "refused");
    let message = last["message"].as_str().expect("text");
    assert!(message.contains("9.9.9") && message.contains("99") && message.contains(env!("CARGO_PKG_VERSION")));
}

/// Reads until the line is closed and answers how long that took.
fn until_closed(mut line: UnixStream, begin: Instant) -> Duration {
    let mut said = Vec::new();
    // A line that is closed with something unread on the other side ends with an error; closed is closed.
    if let Err(e) = line.read_to_end(&mut said) {
        assert_ne!(e.kind(), std::io::ErrorKind::WouldBlock, "it was left open");
    }
    begin.elapsed()
}

#[tokio::test]
async fn garbage_and_silence_are_let_go_and_harm_nobody() {
    let desk = Desk::new();
    let _daemon = desk.daemon();
    let mut link = Link::attach(desk.store());
    published(&mut link).await;
    let hello = format!("{{\"protocol\":{PROTOCOL},\"version\":\"1\"}}\n");
    let never: [Vec<u8>; 7] = [
        Vec::new(),
        b"\0\xff\xfe garbage\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        vec![b'['; 100_000],
        b"{\"protocol\":".to_vec(),
        format!("{hello}{{\"frame\":\"pi").into_bytes(),
        format!("{hello}{}", "{\"frame\":\"ping\"}\n".repeat(500)).into_bytes(),
    ];
    let begin = Instant::now();
    let closed: Vec<_> = never
        .into_iter()
        .map(|bytes| {
            let mut line = desk.dial();
            std::thread::spawn(move || {
                // It may be closed before everything was sent.
                let _ = line.write_all(&bytes);
                until_closed(line, begin)
            })
        })
        .collect();
    // The market goes on meanwhile.
    let first = published(&mut link).await.look;
    for thread in closed {
        while !thread.is_finished() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = thread.join().expect("no panic");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    assert!(published(&mut link).await.look > first);
}

#[tokio::test]
async fn as_many_boards_as_there_is_room_for() {
    let desk = Desk::new();
    let daemon = desk.daemon();
    drop(desk.dial());
    let mut boards = Vec::new();
    let begin = Instant::now();
    while boards.len() < MAX_CLIENTS {
        match connect(&desk.store(), Duration::from_secs(5)).await {
            Ok(board) => boards.push(board),
            // The line that was only dialled is still being taken down.
            Err(e) => assert!(begin.elapsed() < LONG, "{e}"),
        }
    }
    let full = connect(&desk.store(), Duration::from_secs(5)).await.expect_err("full").to_string();
    assert!(full.contains("32 boards"), "{full}");
    let silent = probe(&desk.store()).await;
    assert!(
        matches!(&silent, StoreOwner::Silent { pid, how: Silence::Refused(_) } if *pid == daemon.pid()),
        "{silent:?}"
    );
    for board in &mut boards {
        let look = async {
            loop {
                if let Some(Frame::Published { look }) = board.next().await.expect("open") {
                    return look;
                }
            }
        };
        timeout(LONG, look).await.expect("every board hears of looks");
    }
    boards.pop();
    let again = async {
        while connect(&desk.store(), Duration::from_secs(5)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, again).await.expect("there is room again");
}

#[tokio::test]
async fn a_board_that_falls_behind_is_told_to_read_the_store() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("stratum.db");
    let (published, _) = tokio::sync::broadcast::channel(16);
    let (status, watch) = tokio::sync::watch::channel(LiveStatus::default());
    let config = ServerConfig { store: store.clone(), origin: None, published: published.clone(), status: watch };
    let server = Server::start(config).await.expect("listens");
    let mut board = connect(&store, Duration::from_secs(5)).await.expect("connects");
    let look = |n| Published {
        look: LookId(n),
        sport: "basketball_nba".into(),
        endpoint: Endpoint::Odds,
        received_at: Timestamp::from_millis(0),
        quotes: 1,
        changes: 1,
        issues: 0,
        took: Duration::ZERO,
    };
    // Nobody reads, and nobody waits for that.
    let begin = Instant::now();
    for n in 1..=20_000 {
        status.send_modify(|s| s.look = LookId(n));
        published.send(look(n)).expect("the server listens");
        if n % 8 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let lagged = async {
        let mut last = LookId(0);
        loop {
            match board.next().await.expect("open").expect("not closed") {
                Frame::Published { look } => {
                    assert!(look.look > last, "{look:?} after {last}");
                    last = look.look;
                }
                Frame::Lagged { sequence } => {
                    assert!(sequence > last);
                    return sequence;
                }
                _ => {}
            }
        }
    };
    let sequence = timeout(LONG, lagged).await.expect("told");
    published.send(look(20_001)).expect("the server listens");
    let newest = async {
        loop {
            if let Frame::Published { look } = board.next().await.expect("open").expect("not closed") {
                return look.look;
            }
        }
    };
    assert!(timeout(LONG, newest).await.expect("goes on") > sequence || sequence == LookId(20_000));
    server.stop(Some("on purpose".into())).await;
    let bye = async {
        loop {
            if let Some(Frame::Bye { reason }) = board.next().await.expect("open") {
                return reason;
            }
        }
    };
    assert_eq!(timeout(LONG, bye).await.expect("told").as_deref(), Some("on purpose"));
}

#[tokio::test]
async fn a_store_far_down_is_found_all_the_same() {
    let deep = Path::new(&"down".repeat(20)).join("and".repeat(20));
    let desk = Desk::within(deep.to_str().expect("text"));
    let mut daemon = desk.daemon();
    let mut link = Link::attach_with(desk.store(), quick());
    published(&mut link).await;
    let socket = desk.socket();
    assert!(!socket.starts_with(desk.home.path()) && socket.exists(), "{}", socket.display());
    let folder = std::fs::metadata(socket.parent().expect("folder")).expect("folder");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    daemon.signal("-TERM");
    assert!(matches!(lost(&mut link).await, LinkLoss::Goodbye { .. }));
    assert!(daemon.wait().success());
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_live_socket_is_never_taken_away() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("stratum.db");
    let (published, _) = tokio::sync::broadcast::channel(16);
    let (_status, watch) = tokio::sync::watch::channel(LiveStatus::default());
    let config = || ServerConfig {
        store: store.clone(),
        origin: Some("DEMO".into()),
        published: published.clone(),
        status: watch.clone(),
    };
    let server = Server::start(config()).await.expect("listens");
    let second = Server::start(config()).await.expect_err("taken").to_string();
    assert!(second.contains("another process"), "{second}");
    let board = connect(&store, Duration::from_secs(5)).await.expect("the first one answers");
    assert_eq!(board.greeting.origin.as_deref(), Some("DEMO"));
    server.stop(None).await;
    assert!(!home.path().join("stratum.db.sock").exists());
}
