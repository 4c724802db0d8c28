//! A session over the simulated market, watched from outside: memory, descriptors, rows.
//!
//! The simulator is a process of its own: it remembers what it has worked out, which is not what is measured here.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stratum::config::{Sources, load};
use stratum::engine::EngineSettings;
use stratum::feeds::odds_api::ask::{Ask, BookFilter};
use stratum::feeds::odds_api::client::ClientConfig;
use stratum::feeds::sim::Scenario;
use stratum::poller::Cadence;
use stratum::runtime::clock::Clock;
use stratum::runtime::follow::FollowConfig;
use stratum::runtime::memory;
use stratum::runtime::pace::Pacing;
use stratum::runtime::pipeline::PipelineConfig;
use stratum::runtime::session::{CareConfig, Session, SessionConfig};
use stratum::runtime::settings::engine_settings;
use stratum::store::Retention;

/// How to soak.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// Virtual seconds for each real second.
    pub speed: u32,
    /// Market time. Seconds.
    pub seconds: i64,
    /// Market time after which nothing may grow any more. Seconds.
    pub warm_up: i64,
    /// Rows of logs, cycles and answers are kept for so long. Market seconds.
    pub keep: i64,
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Market time since the start. Seconds.
    pub at: i64,
    /// Resident memory. Bytes.
    pub resident: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Looks so far.
    pub looks: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Soaked {
    /// Every second of real time.
    pub samples: Vec<Sample>,
    /// Rows of each table at the end, and how many the bounds allow where there is one.
    pub tables: Vec<(String, i64, Option<i64>)>,
    /// Calls without a usable answer.
    pub failed: u64,
}

impl Soaked {
    /// Growth of memory from the time after the warm-up to the end, in parts of one: medians of the first and the last
    /// quarter of that time, for a look that is just being judged takes some for a moment.
    pub fn growth(&self, warm_up: i64) -> f64 {
        let after: Vec<u64> = self.samples.iter().filter(|s| s.at >= warm_up).map(|s| s.resident).collect();
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
    pub fn descriptors(&self, warm_up: i64) -> (usize, usize) {
        let after = || self.samples.iter().filter(|s| s.at >= warm_up).map(|s| s.descriptors);
        (after().min().unwrap_or_default(), after().max().unwrap_or_default())
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

/// Follows the simulated market for as long as `soak` says. `program`: the `stratum` that serves it.
pub async fn run(soak: Soak, program: &Path, home: &Path, mut tell: impl FnMut(Sample)) -> Soaked {
    memory::be_frugal();
    let scenario = Scenario::load("demo").expect("scenario");
    let sports: Vec<String> = scenario.sports.iter().map(|s| s.key.clone()).collect();
    let books = scenario.books.clone();
    let sim = Sim::start(program, home, soak.speed);
    let settings = load(&Sources::default()).expect("defaults").settings;
    let kept = Some(soak.keep * 1000);
    let store = home.join("stratum.db");
    let markets = ["h2h", "spreads", "totals"].map(str::to_owned);
    let session = Session::start(SessionConfig {
        exchange: None,
        pipeline: PipelineConfig {
            store: store.clone(),
            engine: EngineSettings { ..engine_settings(&settings) },
            retention: Retention {
                raw_ms: kept,
                changes_ms: None,
                logs_ms: kept,
                points_ms: kept,
                cycles_ms: kept,
                exchange_ms: kept,
            },
            keep_raw: true,
            record: None,
            secret: Vec::new(),
            origin: Some("DEMO".into()),
        },
        follow: FollowConfig {
            sports: sports.clone(),
            ask: Ask::new(&markets, BookFilter::choose(&[], &books)),
            // A minute and five minutes of market time.
            pacing: Pacing::Steady(Cadence {
                odds_ms: 60_000 / i64::from(soak.speed).max(1),
                scores_ms: 300_000 / i64::from(soak.speed).max(1),
            }),
            needs: Vec::new(),
            watch_in_play: false,
            clock: Clock::Server,
        },
        client: ClientConfig { base_url: sim.url.clone(), ..ClientConfig::default() },
        key: Some("demo".into()),
        check_key: false,
        attach: true,
        alerts: None,
        care: CareConfig { metrics: Some(([127, 0, 0, 1], 0).into()), ..CareConfig::default() },
    })
    .await
    .expect("session");
    let begin = Instant::now();
    let mut samples = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let at = i64::try_from(begin.elapsed().as_millis()).unwrap_or(i64::MAX) * i64::from(soak.speed) / 1000;
        let looks = session.status().borrow().counted.looks;
        let resident = memory::resident().unwrap_or_default();
        let sample = Sample { at, resident, descriptors: descriptors(), looks };
        samples.push(sample);
        tell(sample);
        if at >= soak.seconds || begin.elapsed() > Duration::from_secs(24 * 3600) {
            break;
        }
    }
    let failed = session.status().borrow().counted.failed;
    let looks = session.stop().await.expect("stops").taken.looks;
    drop(sim);
    // Calls of one sport a minute; what is due to go may stay for as long again as the clean-up takes to come round.
    let calls = i64::try_from(sports.len()).unwrap_or(1) * (soak.keep / 60 + 1) * 2;
    let tables = tables(&store, calls + i64::from(soak.speed) * 4, i64::from(looks));
    Soaked { samples, tables, failed }
}

/// Descriptors that the process has open; 0 where the system does not tell.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn tables(store: &Path, calls: i64, looks: i64) -> Vec<(String, i64, Option<i64>)> {
    let c = rusqlite::Connection::open(store).expect("store");
    let mut names = c.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").expect("tables");
    let names: Vec<String> =
        names.query_map([], |r| r.get(0)).expect("names").collect::<Result<_, _>>().expect("names");
    let count = |name: &String| -> i64 {
        c.query_row(&format!("SELECT count(*) FROM {name}"), [], |r| r.get(0)).expect("count")
    };
    let bound = |name: &String| match name.as_str() {
        "cycle" | "fetch_log" | "raw_answer" => Some(calls),
        // The record of the market is kept for ever, on purpose: a row a look.
        "look" | "look_seen" => Some(looks),
        _ => None,
    };
    names.iter().map(|name| (name.clone(), count(name), bound(name))).collect()
}
