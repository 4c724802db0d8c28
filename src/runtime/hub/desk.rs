//! Exchanges what the users made: watchlists, rules, filters. Round after round over one connection; a round that finds
//! nothing new is one short question.

use std::time::Duration;

use super::sync::{Syncing, backoff};
use crate::hub::connect::{MUCH_PATIENCE, connect, within};
use crate::hub::desk::{DeskSyncError, round};
use crate::runtime::status::hub::Going;

/// Between two rounds. The watchlists of a desk are no matter of milliseconds.
const EVERY: Duration = Duration::from_secs(3);

/// Runs until it is told to stop.
pub(super) async fn run(syncing: Syncing) {
    let mut backoff = backoff();
    loop {
        let ended = tokio::select! {
            () = syncing.stop.cancelled() => return,
            () = syncing.closing.cancelled() => return,
            ended = exchange(&syncing) => ended,
        };
        if let Err(why) = ended {
            let why = syncing.keeper.clean(&why);
            tracing::warn!(error = %why, "the desk is not exchanged");
            syncing.note(|s| (s.sharing, s.desk_trouble) = (Going::Failing, Some(why)));
        }
        if !syncing.wait(&mut backoff).await {
            return;
        }
    }
}

async fn exchange(syncing: &Syncing) -> Result<(), String> {
    let mut hub = connect(&syncing.config.url, "desk").await.map_err(|e| e.to_string())?;
    loop {
        let round = round(&mut hub, &syncing.config.desk, syncing.config.device);
        // What a round had done by then is kept.
        let report = within::<_, _, DeskSyncError>(MUCH_PATIENCE, round).await.map_err(|e| e.to_string())?;
        syncing.note(|s| (s.sharing, s.desk_trouble) = (Going::On, report.limit.clone()));
        tokio::time::sleep(EVERY).await;
    }
}
