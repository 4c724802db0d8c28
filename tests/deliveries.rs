//! Alerts of the real program reach real servers and a program: in Discord's form, signed, under keys that stay the same
//! over pauses, outages and a kill.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const TOKEN: &str = "5ecretTokenOfTheDiscordWebhook";
const HOOK: &str = "5ecretPathOfTheOtherWebhook";
const SIGNING: &str = "5ecretForSigningDeliveries";
const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
const LONG: Duration = Duration::from_secs(90);

/// What a server got.
#[derive(Clone, Debug)]
struct Got {
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// The answer to the request of this number: a status line, headers and a body; `None` to keep silent.
type Script = dyn Fn(usize) -> Option<(&'static str, &'static str, &'static str)> + Send + Sync;

struct Server {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Server {
    fn start(
        script: impl Fn(usize) -> Option<(&'static str, &'static str, &'static str)> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("port"), script)
    }

    fn on(
        listener: TcpListener,
        script: impl Fn(usize) -> Option<(&'static str, &'static str, &'static str)> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("address");
        let got = Arc::new(Mutex::new(Vec::new()));
        let (heard, script): (_, Arc<Script>) = (Arc::clone(&got), Arc::new(script));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
                std::thread::spawn(move || serve(socket, &heard, script.as_ref()));
            }
        });
        Self { address, got }
    }

    fn all(&self) -> Vec<Got> {
        self.got.lock().expect("got").clone()
    }

    fn until(&self, n: usize) {
        let end = Instant::now() + LONG;
        while self.all().len() < n {
            assert!(Instant::now() < end, "{} of {n} requests", self.all().len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn serve(mut socket: TcpStream, heard: &Mutex<Vec<Got>>, script: &Script) {
    let mut reader = BufReader::new(socket.try_clone().expect("socket"));
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let number = {
        let mut heard = heard.lock().expect("heard");
        heard.push(Got { path, headers, body });
        heard.len() - 1
    };
    match script(number) {
        None => std::thread::sleep(LONG),
        Some((status, headers, body)) => {
            let length = body.len();
            let _ = write!(
                socket,
                "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
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

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("folder"));
        let settings = home.0.path().join(".config/stratum");
        std::fs::create_dir_all(&settings).expect("folder");
        let script = home.0.path().join("told");
        std::fs::write(
            settings.join("stratum.toml"),
            format!(
                "[alerts.command]\nrun = [\"/bin/sh\", \"-c\", \"cat >> '{0}'; echo >> '{0}'; env > '{0}.env'\", \"sh\", \"{{title}}\"]\n\
                 [alerts.webhook]\nallow = [\"127.0.0.1\"]\n",
                script.display()
            ),
        )
        .expect("settings");
        home
    }

    fn command(&self, args: &[&str], discord: Option<SocketAddr>, webhook: Option<SocketAddr>) -> Command {
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", "/usr/bin:/bin")
            .env("ODDS_API_KEY", KEY)
            .arg("--data-dir")
            .arg(self.data())
            .args(args);
        if let Some(at) = discord {
            command
                .env("STRATUM_DISCORD_WEBHOOK", format!("https://discord.com/api/webhooks/123456789/{TOKEN}"))
                .env("STRATUM_TEST_DISCORD_AT", at.to_string());
        }
        if let Some(at) = webhook {
            command.env("STRATUM_WEBHOOK_URL", format!("http://{at}/{HOOK}")).env("STRATUM_WEBHOOK_SECRET", SIGNING);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args, None, None).output().expect("runs")
    }

    fn rule(&self, channels: &str) {
        let output = self.run(&["rules", "add", "All", "--channel", channels, "--cooldown", "0s"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Keys of the messages of a channel in a state, sorted.
    fn keys(&self, channel: &str, state: &str) -> Vec<String> {
        let rows = self.json(&["alerts", "list", "--channel", channel, "--state", state, "--limit", "10000"]);
        let mut keys: Vec<String> = rows.iter().filter_map(|r| r["key"].as_str()).map(str::to_owned).collect();
        keys.sort_unstable();
        keys
    }

    fn until(&self, what: &str, sql: &str) {
        let end = Instant::now() + LONG;
        loop {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let counted = rusqlite::Connection::open_with_flags(self.data().join("stratum.db"), flags)
                .and_then(|c| c.query_row(sql, [], |r| r.get::<_, i64>(0)));
            if counted.is_ok_and(|n| n > 0) {
                return;
            }
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn stop(mut running: Running) {
    let sent = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().expect("kill");
    assert!(sent.success() && running.0.wait().expect("ends").success());
}

/// Counted again, without the program's own code.
fn assert_signed(got: &Got) {
    let stamp = &got.headers["stratum-timestamp"];
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING.as_bytes()).expect("key");
    mac.update(format!("{stamp}.").as_bytes());
    mac.update(&got.body);
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(got.headers["stratum-signature"], format!("v1={expected}"));
    let age = chrono::Utc::now().timestamp() - stamp.parse::<i64>().expect("seconds");
    assert!((0..300).contains(&age), "{age}");
}

#[test]
fn an_evening_reaches_discord_a_server_and_a_program() {
    let home = Home::new();
    home.rule("discord,webhook,command");
    let discord = Server::start(|n| match n {
        0 => Some(("429 Too Many Requests", "retry-after: 0.4\r\n", "{\"retry_after\":0.4,\"global\":false}")),
        1 => Some(("500 Internal Server Error", "", "<html>")),
        _ => Some(("200 OK", "x-ratelimit-remaining: 4\r\n", "{\"id\":\"1\"}")),
    });
    let webhook = Server::start(|n| match n {
        0 => Some(("503 Service Unavailable", "retry-after: 1\r\n", "")),
        _ => Some(("204 No Content", "", "")),
    });
    let evening = ["demo", "--headless", "--seed", "7", "--for", "20s"];
    let output = home.command(&evening, Some(discord.address), Some(webhook.address)).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Discord's form.
    let calls = discord.all();
    assert!(calls.len() >= 3, "{}", calls.len());
    let mut embeds = 0;
    for (n, call) in calls.iter().enumerate() {
        assert_eq!(call.path, format!("/api/webhooks/123456789/{TOKEN}?wait=true"));
        let body = call.json();
        assert_eq!(body["allowed_mentions"], serde_json::json!({"parse": []}));
        let shown = body["embeds"].as_array().expect("embeds");
        assert!((1..=10).contains(&shown.len()));
        embeds += if n < 2 { 0 } else { shown.len() };
        for embed in shown {
            assert!(embed["title"].as_str().expect("title").starts_with("[DEMO] "), "{embed}");
            let fields: Vec<_> = embed["fields"].as_array().expect("fields").iter().map(|f| &f["name"]).collect();
            for name in ["side", "entry", "evidence", "start"] {
                assert!(fields.iter().any(|f| f.as_str().expect("name").contains(name)), "{name}: {fields:?}");
            }
        }
    }
    assert_eq!(embeds, home.keys("discord", "delivered").len());

    // Signed deliveries, each under its key.
    let calls = webhook.all();
    calls.iter().for_each(assert_signed);
    assert!(calls.iter().all(|c| c.path == format!("/{HOOK}")));
    let id = |c: &Got| c.headers["stratum-delivery"].clone();
    assert!(calls.iter().all(|c| c.json()["key"].as_str() == Some(&id(c))));
    let again = calls.iter().skip(1).find(|c| id(c) == id(&calls[0])).expect("it is tried again");
    assert_eq!(again.body, calls[0].body, "the same at every attempt");
    let mut taken: Vec<String> = calls.iter().skip(1).map(id).collect();
    taken.sort_unstable();
    assert_eq!(taken, home.keys("webhook", "delivered"));
    assert!(!taken.is_empty());

    // The program got the same, and none of our secrets.
    let told = std::fs::read_to_string(home.0.path().join("told")).expect("told");
    let keys: Vec<Value> = told.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(keys.len(), home.keys("command", "delivered").len());
    let environment = std::fs::read_to_string(home.0.path().join("told.env")).expect("environment");
    assert!(environment.contains("HOME=") && !environment.contains("5ecret") && !environment.contains(KEY));

    // Nothing of them stands in what is left.
    let log = home.run(&["alerts", "log", "--limit", "1000"]);
    let text = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(text.contains("Discord slows this webhook down") && text.contains("status 503"), "{text}");
    for output in [&output, &log] {
        let all = [&output.stdout[..], &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("5ecret"));
    }
}

fn sim() -> (Running, String) {
    let mut child = Command::new(BINARY)
        .args(["sim", "--speed", "20", "--seed", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    (Running(child), url.trim().to_owned())
}

fn daemon(home: &Home, url: &str, discord: Option<SocketAddr>, webhook: Option<SocketAddr>) -> Running {
    let child = home
        .command(&["--daemon"], discord, webhook)
        .env("STRATUM_ODDS_API_BASE_URL", url)
        .env("STRATUM_ODDS_API_CLOCK", "server")
        .env("STRATUM_ODDS_API_INTERVAL", "1s")
        .env("STRATUM_POLLING_PACE", "steady")
        .env("STRATUM_ODDS_API_SPORTS", "basketball_nba,icehockey_nhl")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    Running(child)
}

#[test]
fn a_kill_between_delivery_and_note_brings_the_same_delivery_again() {
    let home = Home::new();
    home.rule("webhook");
    let (_sim, url) = sim();
    let silent = Server::start(|_| None);
    let mut first = daemon(&home, &url, None, Some(silent.address));
    silent.until(1);
    first.0.kill().expect("killed");
    first.0.wait().expect("ended");
    let before = silent.all().remove(0);

    let taking = Server::start(|_| Some(("200 OK", "", "")));
    let second = daemon(&home, &url, None, Some(taking.address));
    taking.until(1);
    home.until("delivered", "SELECT count(*) FROM outbox WHERE state = 'delivered'");
    stop(second);
    let after = taking.all();
    let same = after.iter().find(|g| g.headers["stratum-delivery"] == before.headers["stratum-delivery"]);
    let same = same.expect("the same key");
    assert_eq!(same.body, before.body);
    assert_signed(same);
}

#[test]
fn an_outage_of_discord_is_waited_for() {
    let home = Home::new();
    home.rule("discord");
    let (_sim, url) = sim();
    // A port where nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let at = listener.local_addr().expect("address");
    drop(listener);
    let running = daemon(&home, &url, Some(at), None);
    home.until("two attempts", "SELECT count(*) FROM outbox WHERE attempts >= 2 AND state = 'waiting'");
    let waiting = home.keys("discord", "waiting");
    let discord = Server::on(TcpListener::bind(at).expect("the same port"), |_| Some(("204 No Content", "", "")));
    discord.until(1);
    home.until("delivered", "SELECT count(*) FROM outbox WHERE state = 'delivered'");
    stop(running);
    let delivered = home.keys("discord", "delivered");
    assert!(waiting.iter().any(|k| delivered.contains(k)), "what waited was delivered");
    let why = home.json(&["alerts", "log", "--limit", "10000"]);
    assert!(!serde_json::to_string(&why).expect("JSON").contains("5ecret"));
}

#[test]
fn an_address_inside_is_refused_in_words() {
    let home = Home::new();
    let try_it = |url: &str| {
        let mut command = home.command(&["alerts", "test", "webhook"], None, None);
        let output = command.env("STRATUM_WEBHOOK_URL", url).env("STRATUM_WEBHOOK_SECRET", SIGNING).output();
        let output = output.expect("runs");
        assert!(!output.status.success(), "{url}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(said.contains("alerts.webhook.allow") && !said.contains("5ecret"), "{url}: {said}");
        said
    };
    assert!(try_it("https://169.254.169.254/latest/5ecret").contains("link-local"));
    assert!(try_it("https://[::ffff:10.0.0.1]/5ecret").contains("private"));
    // A name that leads there is found out when it is resolved; what the settings allow is another address.
    let mut command = home.command(&["alerts", "test", "webhook"], None, None);
    command.env("STRATUM_ALERTS_WEBHOOK_ALLOW", "10.9.9.9").env("STRATUM_WEBHOOK_SECRET", SIGNING);
    let output = command.env("STRATUM_WEBHOOK_URL", "https://localhost/5ecret").output().expect("runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert!(!output.status.success() && said.contains("this machine") && !said.contains("5ecret"), "{said}");
}
