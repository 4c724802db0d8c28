//! Reading the settings again in a running daemon: all of it is checked first, and a file that cannot be used changes
//! nothing.

use std::io::Write;

use super::daemon::{client_config, clock, follow_config, key};
use super::sources;
use crate::config::{Loaded, Paths, Resolved, Settings, load};
use crate::runtime::keeper::local_now;
use crate::runtime::logging::Level;
use crate::runtime::reload::{Changed, compare};
use crate::runtime::session::{LiveConfig, Session};
use crate::runtime::settings;
use crate::runtime::status::ReloadNote;

/// What is needed to read the settings again.
pub(super) struct Reloading {
    paths: Paths,
    /// As they were at the start: some parts hold on to them.
    begun: Loaded,
    /// In force.
    values: Vec<Resolved>,
    flags: Vec<(&'static str, String)>,
    level: Level,
}

impl Reloading {
    /// With the settings that are in force, and the flags that go over them.
    pub(super) fn new(paths: Paths, begun: Loaded, flags: Vec<(&'static str, String)>, level: Level) -> Self {
        let values = begun.values.clone();
        Self { paths, begun, values, flags, level }
    }

    /// Reads them again, puts into force what can be, and tells what came of it: in the log, on the standard error and in
    /// the status.
    pub(super) async fn reload(&mut self, session: &mut Session) {
        let note = match self.take(session).await {
            Ok(changed) => {
                let list = |all: &[String]| if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
                let (applied, restart) = (list(&changed.live), list(&changed.restart));
                tracing::info!(applied, restart, "the settings were read again");
                say(&format!("settings read again; in force now: {applied}; needs a restart: {restart}"));
                ReloadNote { at: local_now(), applied: changed.live, restart: changed.restart, problem: None }
            }
            Err(problem) => {
                tracing::error!(problem, "the settings were read again and not taken");
                say(&format!("the settings were not taken, nothing was changed: {problem}"));
                let (applied, restart) = (Vec::new(), Vec::new());
                ReloadNote { at: local_now(), applied, restart, problem: Some(problem) }
            }
        };
        session.note_reload(note);
    }

    async fn take(&mut self, session: &mut Session) -> Result<Changed, String> {
        let read = load(&sources(&self.paths, self.flags.clone())).map_err(|e| e.to_string())?;
        for warning in &read.warnings {
            tracing::warn!("settings: {warning}");
        }
        let live = live(&self.paths, &read.settings, &self.begun.settings)?;
        let changed = compare(&self.values, &read.values);
        session.apply(live).await.map_err(|e| e.to_string())?;
        self.level.set(&read.settings.log.level);
        // What needs a restart is still to be told the next time.
        let waits = |path: &str| changed.restart.iter().any(|r| r == path);
        let before: Vec<_> = self.values.drain(..).filter(|v| waits(&v.path)).collect();
        self.values = read.values.into_iter().filter(|v| !waits(&v.path)).chain(before).collect();
        Ok(changed)
    }
}

/// What can be put into force of settings that were read again, in a session that began with `begun`.
///
/// # Errors
/// Why the key cannot be read.
pub(super) fn live(paths: &Paths, new: &Settings, begun: &Settings) -> Result<LiveConfig, String> {
    Ok(LiveConfig {
        client: client_config(new),
        follow: follow_config(new, clock(begun)),
        engine: settings::engine_settings(new),
        retention: settings::retention(&new.retention),
        key: key(paths, new).map_err(|e| e.to_string())?,
    })
}

fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "stratum: {what}");
}
