//! What a poller has to know of the desk's other collectors before it asks: which sports are theirs, and what they spent.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

use super::hub::lease::{Leases, Standings};
use crate::hub::credit::Heard;

/// Whoever asks the odds wants leases under this name.
const POLLING: &str = "polling";

/// The leases as one poller sees them. Without a hub everything may be asked.
#[derive(Debug)]
pub(super) struct Standby(Option<Seen>);

#[derive(Debug)]
struct Seen {
    leases: Leases,
    standings: watch::Receiver<Standings>,
    heard: watch::Receiver<Arc<Heard>>,
}

impl Standby {
    pub(super) fn new(leases: Option<&Leases>) -> Self {
        Self(leases.map(|leases| {
            let (standings, mut heard) = (leases.standings(), leases.heard());
            // What was heard before there was a poller counts too.
            heard.mark_changed();
            Seen { leases: leases.clone(), standings, heard }
        }))
    }

    /// Nothing is asked any more for now: somebody else may.
    pub(super) fn give_up(leases: Option<&Leases>) {
        if let Some(leases) = leases {
            leases.want(POLLING, BTreeSet::new());
        }
    }

    /// Wants to ask about these sports, or about none, with these keys.
    pub(super) fn want(&self, sports: &[String], keys: &BTreeSet<String>, asks: bool) {
        if let Some(seen) = &self.0 {
            let wanted = if asks { sports.iter().cloned().collect() } else { BTreeSet::new() };
            seen.leases.want(POLLING, wanted);
            seen.leases.use_keys(keys.clone());
        }
    }

    /// Those of `sports` that this device must not ask about at this moment.
    pub(super) fn elsewhere(&mut self, sports: &[String]) -> BTreeSet<String> {
        let Some(seen) = &mut self.0 else { return BTreeSet::new() };
        seen.standings.mark_unchanged();
        sports.iter().filter(|sport| !seen.leases.lease(sport).is_held()).cloned().collect()
    }

    /// This device may ask about `sport` at this moment.
    pub(super) fn may_ask(&self, sport: &str) -> bool {
        self.0.as_ref().is_none_or(|seen| seen.leases.lease(sport).is_held())
    }

    /// What others have spent, if that is news.
    pub(super) fn heard(&mut self) -> Option<Arc<Heard>> {
        let seen = self.0.as_mut()?;
        seen.heard.has_changed().ok().filter(|changed| *changed)?;
        Some(Arc::clone(&seen.heard.borrow_and_update()))
    }

    /// Waits until something is different.
    pub(super) async fn changed(&mut self) {
        let Some(seen) = &mut self.0 else { return std::future::pending().await };
        let ended = tokio::select! {
            changed = seen.standings.changed() => changed.is_err(),
            // Left for `heard` to find.
            changed = async { seen.heard.changed().await.map(|()| seen.heard.mark_changed()) } => changed.is_err(),
        };
        if ended {
            std::future::pending().await
        }
    }

    /// Waits until this device may no longer ask about `sport`.
    pub(super) async fn lost(&self, sport: &str) {
        match &self.0 {
            Some(seen) => seen.leases.lost(sport).await,
            None => std::future::pending().await,
        }
    }
}
