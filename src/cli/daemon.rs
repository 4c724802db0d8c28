//! `stratum --daemon`: follow the market without a board, in the foreground, until a signal. SIGHUP has it read its settings
//! again.

use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::args::Global;
use super::reload::Reloading;
use super::{Exit, Failure, prepare};
use crate::config::{Paths, Settings, Watch, odds_api_key};
use crate::feeds::odds_api::ask::{Ask, BookFilter};
use crate::feeds::odds_api::client::ClientConfig;
use crate::feeds::odds_api::keys::Keys;
use crate::runtime::clock::Clock;
use crate::runtime::follow::{FollowConfig, stop_on};
use crate::runtime::pipeline::{PipelineConfig, PipelineError, Tally};
use crate::runtime::reload::{reload, sentence};
use crate::runtime::session::{CareConfig, Session, SessionConfig, SessionError};
use crate::runtime::stop::{ReloadSignals, StopSignals, outlive_file_limits};
use crate::runtime::supervisor::{Told, keep_alive, tell};
use crate::runtime::watchdog::GiveUp;
use crate::runtime::{logging, memory, settings};
use crate::store::desk;

/// A session that has not stopped by then is left: five seconds is what supervisors and people wait.
const STOP_WITHIN: Duration = Duration::from_millis(4_000);
/// What runs on without us is not waited for any longer.
const LINGER: Duration = Duration::from_millis(300);

/// Runs the daemon.
///
/// # Errors
/// [`Failure`] when it cannot start, or has to stop early.
pub fn run(global: &Global, record: Option<&Path>, out: &mut dyn Write) -> Result<Exit, Failure> {
    // A path on the command line is meant from where the user stands, not from the data folder.
    let record = record.map(std::path::absolute).transpose()?;
    let flags: Vec<_> =
        record.map(|path| ("odds_api.record", path.to_string_lossy().into_owned())).into_iter().collect();
    memory::be_frugal();
    outlive_file_limits();
    let (paths, loaded) = prepare(global, flags.clone())?;
    paths.make()?;
    let settings = &loaded.settings;
    let log = logging::start(&settings.log, &paths.logs).map_err(|e| Failure::Other(e.to_string()))?;
    let secret = key(&paths, settings)?;
    let hub = super::hub::session::config(&paths, settings, secret.is_some())?;
    // Whoever follows a hub and does not collect for it leaves the asking to others.
    let secret = secret.filter(|_| hub.as_ref().is_none_or(|hub| hub.collects.is_some()));
    if secret.is_none() && hub.is_none() {
        return Err(Failure::Other(format!(
            "there is no key for The Odds API; set ODDS_API_KEY, or put it into {} (chmod 600). \
             `stratum demo --headless` needs none",
            paths.key_file(settings).display()
        )));
    }
    let keys = secret.as_ref().map(|secret| Keys::parse(secret.expose_secret())).transpose();
    let keys = keys.map_err(|e| Failure::Other(e.to_string()))?;
    let config = SessionConfig {
        exchange: settings::exchange_config(
            settings,
            desk::beside(&paths.store(settings)),
            paths.exchange_record(settings),
        ),
        pipeline: PipelineConfig {
            store: paths.store(settings),
            engine: settings::engine_settings(settings),
            retention: settings::retention(&settings.retention),
            keep_raw: true,
            record: paths.record(settings),
            secret: secret.iter().cloned().collect(),
            origin: None,
        },
        follow: follow_config(settings, clock(settings)),
        client: client_config(settings),
        check_key: secret.is_some(),
        key: secret,
        attach: true,
        leases: None,
        hub,
        care: CareConfig {
            // Checked when it was read.
            metrics: settings.metrics.listen.parse().ok(),
            give_up: Some(GiveUp(Box::new(give_up))),
            limits: None,
        },
        alerts: Some(super::alerts::config(&paths, settings, &paths.store(settings), None)?),
    };
    let tally = shortly(runtime()?, async {
        let stop = stop_on(StopSignals::without_hangup()?)?;
        let mut reloads = ReloadSignals::listen()?;
        let mut session = Session::start(config).await.map_err(session_failure)?;
        let checked = tokio::select! {
            checked = session.key_checked() => checked,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(message) = checked {
            stopped(session).await?;
            return Err(Failure::Other(message));
        }
        say_start(&paths, &loaded.settings, keys.as_ref());
        tell(Told::Ready);
        let mut reloading = Reloading::new(paths, loaded, flags, log.level());
        let (ended, alive) = (session.ended(), session.alive());
        tokio::spawn(keep_alive(move || alive.check(), stop.clone()));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = ended.cancelled() => break,
                () = reloads.next() => {
                    let note = reload(&mut reloading, &mut session).await;
                    let _ = writeln!(std::io::stderr(), "stratum: {}", sentence(&note));
                }
            }
        }
        stop.cancel();
        tell(Told::Stopping);
        stopped(session).await
    })?;
    write_tally(out, &tally)?;
    Ok(Exit::Ok)
}

/// The key of The Odds API, from the environment or its file.
pub(super) fn key(paths: &Paths, settings: &Settings) -> Result<Option<SecretString>, Failure> {
    let variable = std::env::var("ODDS_API_KEY").ok();
    Ok(odds_api_key(variable.as_deref(), &paths.key_file(settings))?.map(|(secret, _)| secret))
}

/// Ends the process: nothing goes on in it any more, and whoever watches over it starts it again.
fn give_up(why: &str) {
    /// The log is written by a thread of its own.
    const LAST_LINES: Duration = Duration::from_millis(300);
    let _ = writeln!(std::io::stderr(), "stratum: {why}; the process ends so that it can be started again");
    std::thread::sleep(LAST_LINES);
    std::process::exit(Exit::Stuck as i32);
}

/// Runs `work`, and leaves what is still under way in the background when it has ended: a name that is being looked up
/// cannot be called off, and nobody shall wait for it.
pub(super) fn shortly<T>(runtime: tokio::runtime::Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LINGER);
    done
}

/// Stops a session, and waits no longer for it than a person does.
///
/// # Errors
/// [`Failure::Stuck`] when it did not stop in time; what was committed is safe at any moment.
pub(super) async fn stopped(session: Session) -> Result<Tally, Failure> {
    match tokio::time::timeout(STOP_WITHIN, session.stop()).await {
        Ok(tally) => tally.map_err(pipeline_failure),
        Err(_) => {
            let message = "it did not stop in time and was left; everything that was committed is safe";
            tracing::error!("{message}");
            Err(Failure::Stuck(message.to_owned()))
        }
    }
}

fn say_start(paths: &Paths, settings: &Settings, keys: Option<&Keys>) {
    let Some(keys) = keys else {
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "following the hub");
        let _ = writeln!(
            std::io::stderr(),
            "stratum: following the hub into {}; log in {}; Ctrl-C stops",
            paths.store(settings).display(),
            paths.logs.display(),
        );
        return;
    };
    // A key pasted into the wrong field of the settings is still a key.
    let sports = keys.redact(&settings.odds_api.sports.join(", "));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), sports, "following");
    let pace = match follow_pace(settings) {
        None => "by plan (see `stratum plan`)".to_owned(),
        Some(interval) => format!("every {}", crate::config::format_duration(interval)),
    };
    let _ = writeln!(
        std::io::stderr(),
        "stratum: following {sports} {pace} into {}; log in {}; Ctrl-C stops",
        paths.store(settings).display(),
        paths.logs.display(),
    );
}

/// The steady beat, where the settings ask for one.
fn follow_pace(settings: &Settings) -> Option<Duration> {
    (settings.polling.pace == "steady").then_some(settings.odds_api.interval)
}

/// Which clock the settings say.
pub(super) fn clock(settings: &Settings) -> Clock {
    if settings.odds_api.clock == "server" { Clock::Server } else { Clock::Local }
}

/// How the settings say to reach the source.
pub(super) fn client_config(settings: &Settings) -> ClientConfig {
    ClientConfig {
        base_url: settings.odds_api.base_url.clone(),
        timeout: settings.odds_api.timeout,
        ..ClientConfig::default()
    }
}

/// Lets a session run until it is to stop, or ends by itself.
pub(super) async fn until_stopped(session: Session, stop: &CancellationToken) -> Result<Tally, Failure> {
    tokio::select! {
        () = stop.cancelled() => {}
        () = session.ended().cancelled_owned() => {}
    }
    tell(Told::Stopping);
    stopped(session).await
}

/// What the settings say to follow.
pub(super) fn follow_config(settings: &Settings, clock: Clock) -> FollowConfig {
    let api = &settings.odds_api;
    let mut ask = Ask::new(&api.markets, BookFilter::choose(&api.regions, &api.books));
    ask.format = api.odds_format;
    ask.extras.bet_limits = api.bet_limits;
    FollowConfig {
        sports: api.sports.clone(),
        ask,
        pacing: settings::pacing(settings),
        clock,
        needs: settings::detector_needs(&settings::engine_settings(settings).rules),
        watch_in_play: settings.live_shock.watch == Watch::Watchlists && settings.credits.in_play_daily > 0,
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

/// Why a session did not start, in the terms of exit codes.
pub(super) fn session_failure(e: SessionError) -> Failure {
    match e {
        SessionError::Pipeline(e) => pipeline_failure(e),
        SessionError::Key(_) | SessionError::Client(_) => Failure::Other(e.to_string()),
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
    if tally.lost > 0 {
        writeln!(out, "answers lost    {:>12}", tally.lost)?;
    }
    writeln!(out, "cycle           {mean:>9.1} ms on average, {:.1} ms at most", tally.slowest.as_secs_f64() * 1000.0)
}
