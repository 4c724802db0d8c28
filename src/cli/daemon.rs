//! `stratum --daemon`: follow the market without a board, in the foreground, until a signal.

use std::io::Write;
use std::path::Path;

use secrecy::ExposeSecret;

use super::args::Global;
use super::{Exit, Failure, prepare};
use crate::config::{Paths, Settings, odds_api_key};
use crate::feeds::odds_api::ask::{Ask, BookFilter};
use crate::feeds::odds_api::client::{Client, ClientConfig};
use crate::feeds::secret::ApiKey;
use crate::poller::Cadence;
use crate::runtime::clock::Clock;
use crate::runtime::follow::{FollowConfig, check_key, follow, stop_on_signals};
use crate::runtime::pipeline::{Pipeline, PipelineConfig, PipelineError, Tally};
use crate::runtime::{logging, memory, settings};

/// Runs the daemon.
///
/// # Errors
/// [`Failure`] when it cannot start, or has to stop early.
pub fn run(global: &Global, record: Option<&Path>, out: &mut dyn Write) -> Result<Exit, Failure> {
    // A path on the command line is meant from where the user stands, not from the data folder.
    let record = record.map(std::path::absolute).transpose()?;
    let flags = record.map(|path| ("odds_api.record", path.to_string_lossy().into_owned()));
    memory::be_frugal();
    let (paths, loaded) = prepare(global, flags.into_iter().collect())?;
    paths.make()?;
    let settings = loaded.settings;
    let _log = logging::start(&settings.log, &paths.logs).map_err(|e| Failure::Other(e.to_string()))?;
    let variable = std::env::var("ODDS_API_KEY").ok();
    let key = odds_api_key(variable.as_deref(), &paths.key_file(&settings))?;
    let Some((secret, _)) = key else {
        return Err(Failure::Other(format!(
            "there is no key for The Odds API; set ODDS_API_KEY, or put it into {} (chmod 600). \
             `stratum demo --headless` needs none",
            paths.key_file(&settings).display()
        )));
    };
    let api_key = ApiKey::parse(secret.expose_secret()).map_err(|e| Failure::Other(e.to_string()))?;
    let client = client(&settings, api_key)?;
    let pipeline = PipelineConfig {
        store: paths.store(&settings),
        engine: settings::engine_settings(&settings),
        retention: settings::retention(&settings.retention),
        keep_raw: true,
        record: paths.record(&settings),
        secret: Some(secret),
        origin: None,
    };
    let tally = runtime()?.block_on(async {
        let stop = stop_on_signals()?;
        let pipeline = Pipeline::start(pipeline).map_err(pipeline_failure)?;
        tokio::select! {
            checked = check_key(&client, &settings.odds_api.sports) => checked.map_err(Failure::Other)?,
            () = stop.cancelled() => {}
        }
        say_start(&paths, &settings);
        let config = follow_config(&settings, clock(&settings));
        let followed = follow(&client, &pipeline, config, stop).await;
        let tally = tokio::task::spawn_blocking(move || pipeline.stop())
            .await
            .map_err(|_| pipeline_failure(PipelineError::Panicked))?
            .map_err(pipeline_failure)?;
        followed.map_err(pipeline_failure)?;
        Ok::<_, Failure>(tally)
    })?;
    write_tally(out, &tally)?;
    Ok(Exit::Ok)
}

fn say_start(paths: &Paths, settings: &Settings) {
    let sports = settings.odds_api.sports.join(", ");
    tracing::info!(version = env!("CARGO_PKG_VERSION"), sports, "following");
    let _ = writeln!(
        std::io::stderr(),
        "stratum: following {sports} every {} into {}; log in {}; Ctrl-C stops",
        crate::config::format_duration(settings.odds_api.interval),
        paths.store(settings).display(),
        paths.logs.display(),
    );
}

fn clock(settings: &Settings) -> Clock {
    if settings.odds_api.clock == "server" { Clock::Server } else { Clock::Local }
}

/// A client by the settings.
pub(super) fn client(settings: &Settings, key: ApiKey) -> Result<Client, Failure> {
    let config = ClientConfig {
        base_url: settings.odds_api.base_url.clone(),
        timeout: settings.odds_api.timeout,
        ..ClientConfig::default()
    };
    Client::new(config, key).map_err(|e| Failure::Other(e.to_string()))
}

/// What the settings say to follow.
pub(super) fn follow_config(settings: &Settings, clock: Clock) -> FollowConfig {
    let api = &settings.odds_api;
    let mut ask = Ask::new(&api.markets, BookFilter::choose(&api.regions, &api.books));
    ask.format = api.odds_format;
    FollowConfig {
        sports: api.sports.clone(),
        ask,
        cadence: Cadence::of(i64::try_from(api.interval.as_millis()).unwrap_or(i64::MAX)),
        clock,
    }
}

/// The runtime of a headless program: little to do, so few threads.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

/// A pipeline's end in the terms of exit codes.
pub(super) fn pipeline_failure(e: PipelineError) -> Failure {
    match e {
        PipelineError::Store(e) => e.into(),
        PipelineError::Recording(e) => Failure::Recording(e),
        other => Failure::Other(other.to_string()),
    }
}

/// The sums at the end.
pub(super) fn write_tally(out: &mut dyn Write, tally: &Tally) -> std::io::Result<()> {
    let t = &tally.taken;
    let mean = if t.looks == 0 { 0.0 } else { tally.took.as_secs_f64() * 1000.0 / f64::from(t.looks) };
    writeln!(out, "looks           {:>12}", t.looks)?;
    writeln!(out, "quotes received {:>12}", t.quotes)?;
    writeln!(out, "changes stored  {:>12}", t.changes)?;
    writeln!(out, "quality issues  {:>12}", t.issues)?;
    writeln!(out, "credits spent   {:>12}", tally.credits)?;
    if let Some(left) = tally.remaining {
        writeln!(out, "credits left    {left:>12}")?;
    }
    writeln!(out, "failed calls    {:>12}", tally.failed)?;
    writeln!(out, "cycle           {mean:>9.1} ms on average, {:.1} ms at most", tally.slowest.as_secs_f64() * 1000.0)
}
