//! A session over the simulated market, watched from outside: memory, descriptors, rows.
//!
//! The simulator is a process of its own: it remembers what it has worked out, which is not what is measured here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stratum::alerts::channel::{Attempt, Channel, Sending};
use stratum::alerts::message::Message;
use stratum::alerts::rule::Terms;
use stratum::config::{Sources, load};
use stratum::feeds::odds_api::ask::{Ask, BookFilter};
use stratum::feeds::odds_api::client::ClientConfig;
use stratum::feeds::sim::Scenario;
use stratum::poller::Cadence;
use stratum::runtime::clock::Clock;
use stratum::runtime::follow::FollowConfig;
use stratum::runtime::memory;
use stratum::runtime::pace::Pacing;
use stratum::runtime::pipeline::PipelineConfig;
use stratum::runtime::session::{AlertsConfig, CareConfig, LiveConfig, Session, SessionConfig};
use stratum::runtime::settings::engine_settings;
use stratum::store::Retention;
use stratum::store::desk::{self, Desk};

#[path = "tables.rs"]
mod tables;

pub use tables::Bound;
use tables::Market;

/// How to soak.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// Virtual seconds for each real second, once it is warm.
    pub speed: u32,
    /// The same until then: the sooner what has a bound is full, the better.
    pub warm_speed: u32,
    /// Market time after which nothing may grow any more: what has a bound, above all the store's cache of pages, is
    /// full then. Seconds.
    pub warm_up: i64,
    /// So many looks are taken before that, however long a busy machine takes for them.
    pub warm_looks: u64,
    /// Market time that is watched after that. Seconds.
    pub seconds: i64,
    /// Rows of logs, cycles, answers, messages and points are kept for so long. Market seconds.
    pub keep: i64,
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Market time since the start. Seconds.
    pub at: i64,
    /// Memory of its own: what the program has allocated, without the text of the program. Bytes.
    pub own: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Looks so far.
    pub looks: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Soaked {
    /// Market time at which it was warm. Seconds.
    pub warm: i64,
    /// Every second of real time.
    pub samples: Vec<Sample>,
    /// Rows of each table at the end, how many there may be, and why no more.
    pub tables: Vec<(String, i64, Bound)>,
    /// Calls without a usable answer.
    pub failed: u64,
}

impl Soaked {
    /// Growth of memory from the time after the warm-up to the end, in parts of one: medians of the first and the last
    /// quarter of that time, for a look that is just being judged takes some for a moment.
    pub fn growth(&self) -> f64 {
        let after: Vec<u64> = self.samples.iter().filter(|s| s.at >= self.warm).map(|s| s.own).collect();
        let quarter = (after.len() / 4).max(1);
        let median = |part: &[u64]| {
            let mut sorted = part.to_vec();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied().unwrap_or_default() as f64
        };
        let first = median(after.get(..quarter).unwrap_or(&after));
        let last = median(after.get(after.len().saturating_sub(quarter)..).unwrap_or(&after));
        last / first.max(1.0) - 1.0
    }

    /// The fewest and the most descriptors after the warm-up.
    pub fn descriptors(&self) -> (usize, usize) {
        let after = || self.samples.iter().filter(|s| s.at >= self.warm).map(|s| s.descriptors);
        (after().min().unwrap_or_default(), after().max().unwrap_or_default())
    }
}

impl Sim {
    /// Has it run at another speed from now on.
    fn set_speed(&self, speed: u32) {
        let body = format!("{{\"speed\":{speed}}}");
        let host = self.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(host).expect("the simulator");
        write!(
            socket,
            "POST /sim/clock HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("asked");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// A simulator that ends with its owner.
struct Sim {
    child: Child,
    url: String,
}

impl Sim {
    fn start(program: &Path, home: &Path, speed: u32) -> Self {
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(home.join("sim")).args(["sim", "--seed", "5", "--speed", &speed.to_string()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("simulator");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A channel that takes everything.
#[derive(Debug)]
struct Taking;

impl Channel for Taking {
    fn name(&self) -> &str {
        "taking"
    }

    fn send<'a>(&'a self, _: &'a [Message]) -> Sending<'a> {
        Box::pin(async { Attempt::Delivered })
    }
}

/// What is followed: every minute prices and every five minutes scores, in market time.
fn follow(scenario: &Scenario, speed: u32) -> FollowConfig {
    let markets = ["h2h", "spreads", "totals"].map(str::to_owned);
    let speed = i64::from(speed).max(1);
    FollowConfig {
        sports: scenario.sports.iter().map(|s| s.key.clone()).collect(),
        ask: Ask::new(&markets, BookFilter::choose(&[], &scenario.books)),
        pacing: Pacing::Steady(Cadence { odds_ms: 60_000 / speed, scores_ms: 300_000 / speed }),
        needs: Vec::new(),
        watch_in_play: false,
        clock: Clock::Server,
    }
}

/// Follows the simulated market for as long as `soak` says. `program`: the `stratum` that serves it.
pub async fn run(soak: Soak, program: &Path, home: &Path, mut tell: impl FnMut(Sample)) -> Soaked {
    memory::be_frugal();
    let scenario = Scenario::load("demo").expect("scenario");
    let sim = Sim::start(program, home, soak.warm_speed);
    let settings = load(&Sources::default()).expect("defaults").settings;
    let kept = Some(soak.keep * 1000);
    let retention = Retention {
        raw_ms: kept,
        changes_ms: None,
        logs_ms: kept,
        points_ms: kept,
        cycles_ms: kept,
        exchange_ms: kept,
    };
    let store = home.join("stratum.db");
    let client = ClientConfig { base_url: sim.url.clone(), ..ClientConfig::default() };
    // Every signal is told, and told of again when it changes.
    let terms = Terms { channels: vec!["taking".into()], cooldown_seconds: 0, updates: true, ..Terms::default() };
    let json = terms.to_json().expect("terms");
    Desk::open(&desk::beside(&store)).and_then(|mut d| d.add_alert_rule("All", true, &json)).expect("a rule");
    let mut session = Session::start(SessionConfig {
        leases: None,
        hub: None,
        exchange: None,
        pipeline: PipelineConfig {
            store: store.clone(),
            engine: engine_settings(&settings),
            retention,
            keep_raw: true,
            record: None,
            secret: Vec::new(),
            origin: Some("DEMO".into()),
        },
        follow: follow(&scenario, soak.warm_speed),
        client: client.clone(),
        key: Some("demo".into()),
        check_key: false,
        attach: true,
        alerts: Some(AlertsConfig::beside(&store, vec![Arc::new(Taking)], 0)),
        care: CareConfig { metrics: Some(([127, 0, 0, 1], 0).into()), ..CareConfig::default() },
    })
    .await
    .expect("session");
    let mut samples = Vec::new();
    let mut sample = |at: i64, session: &Session| -> u64 {
        let looks = session.status().borrow().counted.looks;
        let sample = Sample { at, own: own_memory(), descriptors: descriptors(), looks };
        samples.push(sample);
        tell(sample);
        looks
    };
    let mut now = 0;
    let mut warm = 0;
    for (speed, seconds, least) in [(soak.warm_speed, soak.warm_up, soak.warm_looks), (soak.speed, soak.seconds, 0)] {
        let (begin, from) = (Instant::now(), now);
        warm = from;
        if speed != soak.warm_speed {
            sim.set_speed(speed);
            let live = LiveConfig {
                client: client.clone(),
                follow: follow(&scenario, speed),
                engine: engine_settings(&settings),
                retention,
                key: None,
                exchange: None,
            };
            session.apply(live).await.expect("another beat");
        }
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let passed = i64::try_from(begin.elapsed().as_millis()).unwrap_or(i64::MAX);
            now = from + passed * i64::from(speed) / 1000;
            let looks = sample(now, &session);
            // The evening is over at some time, and with it the looks.
            if now >= from + seconds && (looks >= least || now >= from + 2 * seconds) {
                break;
            }
        }
    }
    let failed = session.status().borrow().counted.failed;
    let taken = session.stop().await.expect("stops").taken;
    drop(sim);
    let tables = tables::look(&store, &Market::of(&scenario, soak.keep, taken.looks.into(), taken.changes));
    Soaked { warm, samples, tables, failed }
}

/// Descriptors that the process has open; 0 where the system does not tell.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Memory that is the process's own, without the files mapped into it. Bytes; 0 where the system does not tell.
fn own_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kb| kb * 1024)
}
