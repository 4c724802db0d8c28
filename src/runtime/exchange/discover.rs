//! Reading the listings again and again.

use std::time::Duration;

use tokio::sync::mpsc;

use super::ExchangeConfig;
use crate::feeds::polymarket::client::Client;
use crate::feeds::polymarket::discovery::{self, Listing};
use crate::feeds::polymarket::error::AskError;

/// First and longest pause after the listings could not be read.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Reads the listings again and again; never returns. What cannot be read is told in words.
pub(super) async fn discover(
    client: Client,
    config: ExchangeConfig,
    found: mpsc::Sender<Result<Vec<Listing>, String>>,
) {
    let mut pause = FIRST_PAUSE;
    let mut leagues = Vec::new();
    loop {
        let read = async {
            if leagues.is_empty() {
                leagues = discovery::leagues(&client, &config.sports).await?.0;
            }
            let mut all = Vec::new();
            for league in &leagues {
                let games = discovery::games(&client, league).await?;
                if !games.defects.is_empty() {
                    tracing::debug!(league = league.name, defects = games.defects.len(), "parts of the listings");
                }
                all.extend(games.listings);
            }
            Ok::<_, AskError>(all)
        };
        let wait = match read.await {
            Ok(listings) => {
                pause = FIRST_PAUSE;
                let n = listings.len();
                tracing::info!(games = n, leagues = leagues.len(), "polymarket's listings were read");
                if found.send(Ok(listings)).await.is_err() {
                    return;
                }
                // A series changes with the season: the list of leagues is read again now and then, too.
                if n == 0 {
                    leagues.clear();
                }
                config.discover
            }
            Err(e) => {
                let message = format!("polymarket's listings cannot be read: {e}");
                tracing::warn!("{message}");
                if found.send(Err(message)).await.is_err() {
                    return;
                }
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}
