//! Reading the settings again where the program found them at its start: all of it is checked first, and a file that cannot
//! be used changes nothing.

use super::daemon::{client_config, clock, follow_config, key};
use super::sources;
use crate::config::{Loaded, Paths, Resolved, load};
use crate::runtime::logging::Level;
use crate::runtime::reload::{Changed, Rereading, compare};
use crate::runtime::session::LiveConfig;
use crate::runtime::settings;
use crate::store::desk;

/// What is needed to read the settings again.
pub(super) struct Reloading {
    paths: Paths,
    /// As they were at the start: some parts hold on to them.
    begun: Loaded,
    /// In force.
    values: Vec<Resolved>,
    flags: Vec<(&'static str, String)>,
    level: Level,
    stake: f64,
    /// Read and not yet in force.
    next: Option<(Loaded, Changed)>,
}

impl Reloading {
    /// With the settings that are in force, and the flags that go over them.
    pub(super) fn new(paths: Paths, begun: Loaded, flags: Vec<(&'static str, String)>, level: Level) -> Self {
        let (values, stake) = (begun.values.clone(), begun.settings.polymarket.stake);
        Self { paths, begun, values, flags, level, stake, next: None }
    }
}

impl Rereading for Reloading {
    fn read(&mut self) -> Result<(LiveConfig, Changed), String> {
        let read = load(&sources(&self.paths, self.flags.clone())).map_err(|e| e.to_string())?;
        for warning in &read.warnings {
            tracing::warn!("settings: {warning}");
        }
        let (new, begun) = (&read.settings, &self.begun.settings);
        let key = key(&self.paths, new).map_err(|e| e.to_string())?;
        let changed = compare(&self.values, &read.values);
        let live = LiveConfig {
            client: client_config(new),
            follow: follow_config(new, clock(begun)),
            engine: settings::engine_settings(new),
            retention: settings::retention(&new.retention),
            key,
            exchange: settings::exchange_config(
                new,
                desk::beside(&self.paths.store(begun)),
                self.paths.exchange_record(new),
            ),
        };
        self.next = Some((read, changed.clone()));
        Ok((live, changed))
    }

    fn stake(&self) -> f64 {
        self.stake
    }

    fn taken(&mut self) {
        let Some((read, changed)) = self.next.take() else { return };
        self.stake = read.settings.polymarket.stake;
        self.level.set(&read.settings.log.level);
        // What needs a restart is still to be told the next time.
        let waits = |path: &str| changed.restart.iter().any(|r| r == path);
        let before: Vec<_> = self.values.drain(..).filter(|v| waits(&v.path)).collect();
        self.values = read.values.into_iter().filter(|v| !waits(&v.path)).chain(before).collect();
    }
}
