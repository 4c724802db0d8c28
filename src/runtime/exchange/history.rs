//! Middles of the past: asked for in explicit windows, kept once, resumed where the last time ended.
//!
//! The exchange forgets fine data after some weeks, and what it tells is the middle carried forward, not trades: a calm
//! stretch may be a gap. It fills what was not heard; it never takes the place of what was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ExchangeConfig, NewPrices};
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::client::{Client, MAX_HISTORIES, MAX_HISTORY};
use crate::feeds::polymarket::error::AskError;
use crate::feeds::polymarket::ids::TokenId;
use crate::market::time::Timestamp;
use crate::runtime::clock::Clock;
use crate::runtime::keeper::Keeper;
use crate::runtime::pipeline::WayIn;
use crate::runtime::status::Part;
use crate::store::exchange::PricePoint;
use crate::store::{Reader, StoreError};

/// Games that started longer ago than this have lost fine data already. Milliseconds.
pub(crate) const FORGOTTEN_MS: i64 = 25 * 86_400_000;
/// Games that started longer ago than this are about to. Milliseconds.
pub(crate) const EXPIRES_MS: i64 = 20 * 86_400_000;
/// A game is over so long after its start. Milliseconds.
const GAME_MS: i64 = 6 * 3_600_000;
/// The first asking waits for the listings.
const FIRST: Duration = Duration::from_secs(30);
/// Between two tries after a failure.
const AGAIN: Duration = Duration::from_secs(600);

/// Which pasts to ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryConfig {
    /// Spreads too.
    pub spreads: bool,
    /// Totals too.
    pub totals: bool,
    /// Games that start between these.
    pub games: (Timestamp, Timestamp),
    /// One middle each so many minutes, at least 1.
    pub minutes: u32,
}

/// A past that is to be asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Our number of the contract.
    pub market: i64,
    /// Its name.
    pub slug: String,
    /// Token of its first outcome.
    pub token: TokenId,
    /// The window, at most 15 days.
    pub between: (Timestamp, Timestamp),
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HistoryProgress {
    /// Windows that were asked for.
    pub done: usize,
    /// Of so many.
    pub of: usize,
    /// New middles.
    pub points: u64,
}

/// What it came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HistoryDone {
    /// Windows that were asked for.
    pub windows: usize,
    /// Of those: without any middle.
    pub empty: usize,
    /// New middles.
    pub points: u64,
}

/// Why it ended early; what was kept until then stays.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The exchange did not tell.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// It could not be kept.
    #[error("middles cannot be kept: {0}")]
    Keep(String),
}

/// What is missing in the store, oldest games first: nothing that was asked for already is asked for again.
///
/// # Errors
/// [`StoreError`].
pub fn missing(reader: &Reader, config: &HistoryConfig, now: Timestamp) -> Result<Vec<Missing>, StoreError> {
    let longest = i64::try_from(MAX_HISTORY.as_millis()).unwrap_or(i64::MAX);
    let mut out = Vec::new();
    for game in reader.exchange_games(SOURCE, config.games.0, config.games.1)? {
        let Some(start) = game.listing.starts else { continue };
        let until = now.min(start.plus(GAME_MS));
        for market in &game.markets {
            let contract = &market.contract;
            let wanted = match contract.kind.as_str() {
                "moneyline" | "three_way_leg" => true,
                "spread" => config.spreads,
                "total" => config.totals,
                _ => false,
            };
            let Ok(token) = TokenId::parse(&contract.tokens[0]) else { continue };
            if !wanted {
                continue;
            }
            let known = reader.exchange_backfill(contract.id)?.map(|(_, until, ..)| until);
            let from = known.unwrap_or_else(|| start.plus(-longest + GAME_MS)).max(until.plus(-longest));
            // The exchange tells whole minutes.
            if until.since(from) >= 60_000 {
                let (market, slug) = (contract.id, contract.slug.clone());
                out.push(Missing { market, slug, token, between: (from, until) });
            }
        }
    }
    Ok(out)
}

/// Asks for what is missing and hands it over to `keep`, window by window.
///
/// # Errors
/// [`HistoryError`]; what was kept until then stays, and the next time goes on from there.
pub(crate) async fn fetch<K>(
    client: &Client,
    missing: &[Missing],
    minutes: u32,
    mut keep: impl FnMut(NewPrices) -> K,
    mut progress: impl FnMut(HistoryProgress),
    now: Timestamp,
) -> Result<HistoryDone, HistoryError>
where
    K: Future<Output = Result<u64, String>>,
{
    let mut done = HistoryDone::default();
    // Those of one window can be asked for at once.
    let mut sorted: Vec<&Missing> = missing.iter().collect();
    sorted.sort_by_key(|m| (m.between, m.market));
    for group in sorted.chunk_by(|a, b| a.between == b.between) {
        for some in group.chunks(MAX_HISTORIES) {
            let tokens: Vec<TokenId> = some.iter().map(|m| m.token.clone()).collect();
            let Some((from, to)) = some.first().map(|m| m.between) else { continue };
            let (mut found, _) = client.histories(&tokens, from, to, minutes).await?;
            for one in some {
                let points = found.remove(&one.token).unwrap_or_default();
                done.windows += 1;
                done.empty += usize::from(points.is_empty());
                let points: Vec<PricePoint> =
                    points.into_iter().map(|p| PricePoint { at: p.at, price: p.price }).collect();
                let prices = NewPrices { market: one.market, between: one.between, points, at: now };
                done.points += keep(prices).await.map_err(HistoryError::Keep)?;
                progress(HistoryProgress { done: done.windows, of: missing.len(), points: done.points });
            }
        }
    }
    Ok(done)
}

/// Fetches what is missing again and again; never returns.
pub(super) async fn keep_up(
    client: Client,
    config: ExchangeConfig,
    clock: Clock,
    store: PathBuf,
    way_in: WayIn,
    keeper: Keeper,
) {
    tokio::time::sleep(FIRST).await;
    loop {
        let now = clock.now();
        let (wait, fetched) = match once(&client, &store, &way_in, now).await {
            Ok(done) => {
                if done.windows > 0 {
                    tracing::info!(windows = done.windows, points = done.points, "middles of the past were fetched");
                }
                (config.history, true)
            }
            Err(message) => {
                tracing::warn!("{message}");
                keeper.complain(Part::Exchange, &message);
                (AGAIN.min(config.history), false)
            }
        };
        // What is still missing now could not be had: time is running out for it.
        let expiring = still_expiring(&store, now).await;
        if expiring > 0 {
            tracing::warn!(contracts = expiring, "middles of the past are about to be forgotten by polymarket");
        }
        keeper.change(|s| {
            if let Some(x) = &mut s.exchange {
                x.expiring = expiring;
                if fetched {
                    x.history = Some(now);
                }
            }
        });
        tokio::time::sleep(wait).await;
    }
}

/// What a daemon keeps up with by itself: moneylines of games of which fine data is still there.
const fn kept_up(now: Timestamp) -> HistoryConfig {
    HistoryConfig { spreads: false, totals: false, games: (now.plus(-FORGOTTEN_MS), now), minutes: 1 }
}

/// So many of these are about to be forgotten.
fn expiring(missing: &[Missing], now: Timestamp) -> usize {
    missing.iter().filter(|m| now.since(m.between.1) >= EXPIRES_MS).count()
}

async fn still_expiring(store: &Path, now: Timestamp) -> usize {
    let path = store.to_owned();
    let read = move || missing(&Reader::open(&path)?, &kept_up(now), now);
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(missing)) => expiring(&missing, now),
        Ok(Err(_)) | Err(_) => 0,
    }
}

async fn once(client: &Client, store: &Path, way_in: &WayIn, now: Timestamp) -> Result<HistoryDone, String> {
    let path = store.to_owned();
    let read = move || -> Result<Vec<Missing>, StoreError> { missing(&Reader::open(&path)?, &kept_up(now), now) };
    let missing = tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| e.to_string())?
        .map_err(|e| format!("middles of the past are not fetched: {e}"))?;
    let keep = |prices: NewPrices| async {
        match way_in.exchange_prices(prices).await {
            Ok(Ok(new)) => Ok(new),
            Ok(Err(e)) => Err(e.to_string()),
            Err(e) => Err(e.to_string()),
        }
    };
    fetch(client, &missing, 1, keep, |_| {}, now).await.map_err(|e| format!("middles of the past: {e}"))
}
