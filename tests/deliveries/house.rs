//! Servers that take alerts, a home with its settings, a simulated market and a daemon that follows it: what tests of
//! deliveries share.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
pub const TOKEN: &str = "5ecretTokenOfTheDiscordWebhook";
pub const HOOK: &str = "5ecretPathOfTheOtherWebhook";
pub const SIGNING: &str = "5ecretForSigningDeliveries";
pub const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
pub const LONG: Duration = Duration::from_secs(90);

/// What a server got.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// The answer to the request of this number: a status line, headers and a body; `None` to keep silent.
pub type Script = dyn Fn(usize) -> Option<(&'static str, &'static str, &'static str)> + Send + Sync;

pub struct Server {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Server {
    pub fn start(
        script: impl Fn(usize) -> Option<(&'static str, &'static str, &'static str)> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("port"), script)
    }

    pub fn on(
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

    pub fn all(&self) -> Vec<Got> {
        self.got.lock().expect("got").clone()
    }

    pub fn until(&self, n: usize) {
        let end = Instant::now() + LONG;
        while self.all().len() < n {
            assert!(Instant::now() < end, "{} of {n} requests", self.all().len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn serve(mut socket: TcpStream, heard: &Mutex<Vec<Got>>, script: &Script) {
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
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Home(pub tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
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

    pub fn command(&self, args: &[&str], discord: Option<SocketAddr>, webhook: Option<SocketAddr>) -> Command {
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

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args, None, None).output().expect("runs")
    }

    pub fn rule(&self, channels: &str) {
        let output = self.run(&["rules", "add", "All", "--channel", channels, "--cooldown", "0s"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Keys of the messages of a channel in a state, sorted.
    pub fn keys(&self, channel: &str, state: &str) -> Vec<String> {
        let rows = self.json(&["alerts", "list", "--channel", channel, "--state", state, "--limit", "10000"]);
        let mut keys: Vec<String> = rows.iter().filter_map(|r| r["key"].as_str()).map(str::to_owned).collect();
        keys.sort_unstable();
        keys
    }

    pub fn until(&self, what: &str, sql: &str) {
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

pub fn stop(mut running: Running) {
    let sent = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().expect("kill");
    assert!(sent.success() && running.0.wait().expect("ends").success());
}

pub fn sim() -> (Running, String) {
    sim_at(20)
}

pub fn sim_at(speed: u32) -> (Running, String) {
    let mut child = Command::new(BINARY)
        .args(["sim", "--speed", &speed.to_string(), "--seed", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    (Running(child), url.trim().to_owned())
}

pub fn daemon(home: &Home, url: &str, discord: Option<SocketAddr>, webhook: Option<SocketAddr>) -> Running {
    daemon_with(home, url, discord, webhook, &[])
}

/// The same with further settings.
pub fn daemon_with(
    home: &Home,
    url: &str,
    discord: Option<SocketAddr>,
    webhook: Option<SocketAddr>,
    settings: &[(&str, &str)],
) -> Running {
    let child = home
        .command(&["--daemon"], discord, webhook)
        .env("STRATUM_ODDS_API_BASE_URL", url)
        .env("STRATUM_ODDS_API_CLOCK", "server")
        .env("STRATUM_ODDS_API_INTERVAL", "1s")
        .env("STRATUM_POLLING_PACE", "steady")
        .env("STRATUM_ODDS_API_SPORTS", "basketball_nba,icehockey_nhl")
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    Running(child)
}
