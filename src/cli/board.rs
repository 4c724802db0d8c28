//! `stratum` without a command: the board, over the market of the settings.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use super::args::Global;
use super::daemon::{client_config, clock, follow_config, runtime};
use super::reload::Reloading;
use super::{Exit, Failure, prepare};
use crate::board::app::{Follows, Surroundings};
use crate::board::files::Files;
use crate::config::{Paths, Settings, odds_api_key};
use crate::runtime::pipeline::PipelineConfig;
use crate::runtime::screen::{ScreenConfig, ScreenEnd, ScreenError, show};
use crate::runtime::session::{CareConfig, SessionConfig};
use crate::runtime::{logging, memory, settings};
use crate::store::desk;

/// What is still running when the board has ended is not waited for any longer.
const LINGER: Duration = Duration::from_millis(200);

/// Bells that may wait to be rung.
pub(super) const BELLS: usize = 16;

/// Shows the board.
///
/// # Errors
/// [`Failure`] when it cannot be shown.
pub fn run(global: &Global, record: Option<&Path>) -> Result<Exit, Failure> {
    let record = record.map(std::path::absolute).transpose()?;
    let flags: Vec<_> =
        record.map(|path| ("odds_api.record", path.to_string_lossy().into_owned())).into_iter().collect();
    memory::be_frugal();
    let (paths, loaded) = prepare(global, flags.clone())?;
    paths.make()?;
    let own = loaded.settings.clone();
    let log = logging::start(&own.log, &paths.logs).map_err(|e| Failure::Other(e.to_string()))?;
    let variable = std::env::var("ODDS_API_KEY").ok();
    let key = odds_api_key(variable.as_deref(), &paths.key_file(&own))?.map(|(secret, _)| secret);
    let hub = super::hub::session::config(&paths, &own, key.is_some())?;
    // Whoever follows a hub and does not collect for it leaves the asking to others.
    let key = key.filter(|_| hub.as_ref().is_none_or(|hub| hub.collects.is_some()));
    let (terminal, bells) = mpsc::channel(BELLS);
    let session = SessionConfig {
        exchange: settings::exchange_config(&own, desk::beside(&paths.store(&own)), paths.exchange_record(&own)),
        pipeline: PipelineConfig {
            store: paths.store(&own),
            engine: settings::engine_settings(&own),
            retention: settings::retention(&own.retention),
            keep_raw: true,
            record: paths.record(&own),
            secret: key.iter().cloned().collect(),
            origin: None,
        },
        follow: follow_config(&own, clock(&own)),
        client: client_config(&own),
        key,
        check_key: true,
        attach: true,
        leases: None,
        hub,
        care: CareConfig::default(),
        alerts: Some(super::alerts::config(&paths, &own, &paths.store(&own), Some(terminal))?),
    };
    let at = surroundings(&paths, &own, paths.store(&own), false);
    let base = screen(&paths, &own, at);
    let reread = Box::new(Reloading::new(paths, loaded, flags, log.level()));
    let config = ScreenConfig { session: Some(session), bells: Some(bells), reread: Some(reread), ..base };
    match shown(runtime()?, config)? {
        ScreenEnd::Demo => demo_instead(global),
        ScreenEnd::Quit => Ok(Exit::Ok),
        ScreenEnd::Gone => Ok(Exit::Failure),
    }
}

/// The board of these settings, without a session.
pub(super) fn screen(paths: &Paths, own: &Settings, at: Surroundings) -> ScreenConfig {
    ScreenConfig {
        at,
        session: None,
        files: Files { keys: paths.keys_file(), settings: paths.config_file.clone(), themes: paths.themes() },
        look: own.board.clone(),
        key_file: paths.key_file(own),
        bells: None,
        reread: None,
        stop_after: None,
    }
}

/// Files and settings of a board over `store`.
pub(super) fn surroundings(paths: &Paths, own: &Settings, store: std::path::PathBuf, demo: bool) -> Surroundings {
    Surroundings {
        desk: desk::beside(&store),
        logs: if demo { store.parent().unwrap_or(&paths.data).join("logs") } else { paths.logs.clone() },
        exports: if demo { store.parent().unwrap_or(&paths.data).join("exports") } else { paths.exports() },
        engine: settings::engine_settings(own),
        max_age_ms: i64::try_from(own.quotes.max_age.as_millis()).unwrap_or(i64::MAX),
        settings: paths.config_file.clone(),
        follows: Follows {
            sports: own.odds_api.sports.clone(),
            regions: own.odds_api.regions.clone(),
            books: own.odds_api.books.clone(),
            markets: own.odds_api.markets.len(),
        },
        exchange_on: own.polymarket.on,
        stake: own.polymarket.stake,
        demo,
        store,
    }
}

/// Shows a board and waits for its end. `background`: where the session runs, so that the thread that draws has nothing
/// else to do.
pub(super) fn shown(background: tokio::runtime::Runtime, config: ScreenConfig) -> Result<ScreenEnd, Failure> {
    let foreground = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let end = foreground.block_on(show(config, background.handle())).map_err(|e| match e {
        ScreenError::NoTerminal => Failure::Usage(e.to_string()),
        ScreenError::Terminal(_) => Failure::Other(e.to_string()),
    });
    foreground.shutdown_timeout(LINGER);
    background.shutdown_timeout(LINGER);
    end
}

/// The user has chosen the simulated market on the first evening: this program once more, as `stratum demo`.
fn demo_instead(global: &Global) -> Result<Exit, Failure> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    if let Some(file) = &global.config {
        command.arg("--config").arg(file);
    }
    command.arg("demo");
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut command).into());
    #[cfg(not(unix))]
    Ok(if command.status()?.success() { Exit::Ok } else { Exit::Failure })
}
