//! `stratum demo`: the whole pipeline over a simulated market. No key, no network.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;

use super::args::{DemoArgs, Global};
use super::daemon::{client_config, follow_config, runtime, session_failure, shortly, until_stopped, write_tally};
use super::{Exit, Failure, board, output, prepare};
use crate::config::{Paths, Settings};
use crate::feeds::sim::{Scenario, SimConfig, SimHandle, SimServer};
use crate::market::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::follow::stop_on_signals;
use crate::runtime::pipeline::{PipelineConfig, Tally};
use crate::runtime::screen::{ScreenConfig, ScreenEnd};
use crate::runtime::session::{CareConfig, Session, SessionConfig};
use crate::runtime::{logging, memory, settings};
use crate::store::desk;
use crate::store::query::DEMO;
use crate::store::{FILE_NAME, Reader};

/// Virtual seconds that pass in one real second: an evening is over in minutes, and every book is seen to move.
const SPEED: u32 = 20;
/// Virtual time between two looks.
const INTERVAL: Duration = Duration::from_secs(60);

/// Runs the demo.
///
/// # Errors
/// [`Failure`] when it cannot start, or has to stop early.
pub fn run(global: &Global, args: &DemoArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut scenario =
        Scenario::load(args.scenario.as_deref().unwrap_or("demo")).map_err(|e| Failure::Other(e.to_string()))?;
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    let (paths, loaded) = prepare(global, Vec::new())?;
    let mut own = loaded.settings;
    own.odds_api.sports = scenario.sports.iter().map(|s| s.key.clone()).collect();
    own.odds_api.interval = INTERVAL;
    // Simulated credits are no credits, and a market at many times real speed is to be seen moving.
    own.polling.pace = "steady".to_owned();
    own.odds_api.books = scenario.books.clone();
    // A scenario without names of its own has as many books as it likes, from everywhere.
    let everywhere = ["us", "us2", "uk", "eu", "au"].map(str::to_owned);
    own.odds_api.regions = if scenario.books.is_empty() { everywhere.to_vec() } else { Vec::new() };
    own.odds_api.record = String::new();
    own.polymarket.on = scenario.exchange.enabled;
    let folder = demo_folder(global, &paths.data)?;
    let _log = logging::start(&own.log, &folder.join("logs")).map_err(|e| Failure::Other(e.to_string()))?;
    let store = folder.join(FILE_NAME);
    let pipeline = PipelineConfig {
        store: store.clone(),
        engine: settings::engine_settings(&own),
        retention: settings::retention(&own.retention),
        keep_raw: true,
        record: args.record.clone(),
        secret: Vec::new(),
        origin: Some(DEMO.into()),
    };
    let limit = args.for_;
    if !args.headless {
        return on_screen(&paths, own, pipeline, scenario, limit);
    }
    let tally = shortly(runtime()?, async {
        let stop = stop_on_signals()?;
        let start = Timestamp::from_chrono(Utc::now());
        let sim = SimConfig { speed: Some(SPEED), ..SimConfig::scenario(scenario, start) };
        let sim = SimServer::start(sim).await.map_err(|e| Failure::Other(e.to_string()))?;
        at_simulator(&mut own, &sim);
        let config = SessionConfig {
            exchange: settings::exchange_config(&own, desk::beside(&store), None),
            pipeline,
            follow: follow_config(&own, Clock::Sim(sim.clock())),
            client: client_config(&own),
            key: Some("demo".into()),
            check_key: false,
            attach: true,
            leases: None,
            hub: None,
            care: CareConfig::default(),
            alerts: Some(super::alerts::config(&paths, &own, &store, None)?),
        };
        let session = Session::start(config).await.map_err(session_failure)?;
        let _ = writeln!(
            std::io::stderr(),
            "stratum: DEMO: a simulated market at {SPEED} times real speed into {}; {}",
            store.display(),
            match limit {
                Some(t) => format!("for {}", crate::config::format_duration(t)),
                None => "Ctrl-C stops".into(),
            }
        );
        if let Some(limit) = limit {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(limit).await;
                stop.cancel();
            });
        }
        let tally = until_stopped(session, &stop).await;
        sim.shutdown().await;
        tally
    })?;
    print_summary(args, out, &tally, &store)?;
    Ok(Exit::Ok)
}

/// The demo on the board.
fn on_screen(
    paths: &Paths,
    mut own: Settings,
    pipeline: PipelineConfig,
    scenario: Scenario,
    limit: Option<Duration>,
) -> Result<Exit, Failure> {
    memory::be_frugal();
    let at = board::surroundings(paths, &own, pipeline.store.clone(), true);
    let runtime = runtime()?;
    let start = Timestamp::from_chrono(Utc::now());
    let sim = SimConfig { speed: Some(SPEED), ..SimConfig::scenario(scenario, start) };
    let sim = runtime.block_on(SimServer::start(sim)).map_err(|e| Failure::Other(e.to_string()))?;
    at_simulator(&mut own, &sim);
    let (terminal, bells) = mpsc::channel(board::BELLS);
    let alerts = super::alerts::config(paths, &own, &pipeline.store, Some(terminal))?;
    let session = SessionConfig {
        exchange: settings::exchange_config(&own, desk::beside(&pipeline.store), None),
        pipeline,
        follow: follow_config(&own, Clock::Sim(sim.clock())),
        client: client_config(&own),
        key: Some("demo".into()),
        check_key: false,
        attach: true,
        leases: None,
        hub: None,
        care: CareConfig::default(),
        alerts: Some(alerts),
    };
    let config = ScreenConfig {
        session: Some(session),
        bells: Some(bells),
        stop_after: limit,
        ..board::screen(paths, &own, at)
    };
    let end = board::shown(runtime, config)?;
    Ok(if end == ScreenEnd::Gone { Exit::Failure } else { Exit::Ok })
}

/// Points everything at the simulator.
fn at_simulator(own: &mut Settings, sim: &SimHandle) {
    own.odds_api.base_url = sim.base_url();
    let urls = sim.exchange_urls();
    let p = &mut own.polymarket;
    (p.gamma_url, p.clob_url, p.data_url, p.socket_url) = (urls.gamma, urls.clob, urls.data, urls.channel);
}

/// A folder of the demo's own, so that simulated quotes never stand beside real ones. It begins empty each time.
fn demo_folder(global: &Global, data: &std::path::Path) -> Result<PathBuf, Failure> {
    // Somebody who names a folder wants the store there, to look at it afterwards.
    let folder = if global.data_dir.is_some() { data.to_owned() } else { data.join("demo") };
    // One that is running keeps its store; a second one looks at it.
    let running = crate::store::writer_of(&folder.join(FILE_NAME)).is_some();
    if global.data_dir.is_none() && folder.exists() && !running {
        for name in [FILE_NAME, "stratum.db-wal", "stratum.db-shm"] {
            match std::fs::remove_file(folder.join(name)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

#[derive(serde::Serialize)]
struct Summary {
    origin: &'static str,
    store: String,
    events: usize,
    looks: u32,
    quotes: u64,
    changes: u64,
    quality_issues: u64,
    credits_spent: u64,
    credits_left: Option<u64>,
    failed_calls: u64,
    cycle_ms_mean: f64,
    cycle_ms_max: f64,
}

fn print_summary(args: &DemoArgs, out: &mut dyn Write, tally: &Tally, store: &std::path::Path) -> Result<(), Failure> {
    let reader = Reader::open(store)?;
    let events = reader.events(None)?;
    if args.output.json {
        let looks = tally.taken.looks;
        let summary = Summary {
            origin: DEMO,
            store: store.display().to_string(),
            events: events.len(),
            looks,
            quotes: tally.taken.quotes,
            changes: tally.taken.changes,
            quality_issues: tally.taken.issues,
            credits_spent: tally.credits,
            credits_left: tally.remaining,
            failed_calls: tally.failed,
            cycle_ms_mean: tally.took.as_secs_f64() * 1000.0 / f64::from(looks.max(1)),
            cycle_ms_max: tally.slowest.as_secs_f64() * 1000.0,
        };
        output::json_array(out, &[summary])?;
        return Ok(());
    }
    writeln!(out, "DEMO: every number below comes from a simulated market")?;
    writeln!(out, "events          {:>12}", events.len())?;
    write_tally(out, tally)?;
    if let Some(event) = events.first() {
        let dir = store.parent().unwrap_or(store).display();
        writeln!(out)?;
        writeln!(out, "Look at it:  stratum --data-dir {dir} quotes {}", event.id)?;
    }
    Ok(())
}
