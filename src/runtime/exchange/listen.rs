//! The listening itself: one task that owns what is known of the exchange, and beside it those that read its listings and its
//! past.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::discover::discover;
use super::state::State;
use super::{ExchangeConfig, history, raw};
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::client::Client;
use crate::feeds::polymarket::socket::Live;
use crate::runtime::clock::Clock;
use crate::runtime::feeder::Aborting;
use crate::runtime::hub::lease::{self, Leases};
use crate::runtime::keeper::Keeper;
use crate::runtime::pipeline::{PipelineError, WayIn};
use crate::runtime::status::{self, ExchangeStatus, Part};

/// Games and decisions are looked at so often.
const RELINK: Duration = Duration::from_secs(10);
/// One that is ended is waited for so long.
const LAST_WORD: Duration = Duration::from_secs(3);

/// What the task needs.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Listener {
    pub(in crate::runtime) config: ExchangeConfig,
    pub(in crate::runtime) way_in: WayIn,
    pub(in crate::runtime) keeper: Keeper,
    pub(in crate::runtime) clock: Clock,
    pub(in crate::runtime) store: PathBuf,
    pub(in crate::runtime) origin: Option<String>,
}

/// A running listener, which is asked to stop when it is dropped.
#[derive(Debug)]
pub(in crate::runtime) struct Listening {
    config: ExchangeConfig,
    task: Aborting<Result<(), PipelineError>>,
    stop: CancellationToken,
    leave: CancellationToken,
}

impl Listening {
    /// Starts one, which also ends with `stop`; with `held` it listens only while this device is the one of the desk that does.
    pub(in crate::runtime) fn start(l: Listener, held: Option<Leases>, stop: &CancellationToken) -> Self {
        let (config, stop, leave) = (l.config.clone(), stop.child_token(), CancellationToken::new());
        let task = Aborting(tokio::spawn(lease::listen(l, held, stop.clone(), leave.clone())));
        Self { config, task, stop, leave }
    }

    /// How it listens.
    pub(in crate::runtime) const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// Ends it and waits. `for_good`: nobody listens after it, so that nothing that it told may be taken for current.
    pub(in crate::runtime) async fn end(mut self, for_good: bool) {
        if for_good {
            self.leave.cancel()
        } else {
            self.stop.cancel()
        }
        if tokio::time::timeout(LAST_WORD, &mut self.task.0).await.is_err() {
            tracing::warn!("the listening did not stop in time and was left");
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Listens until it is told to stop or, having taken back what it told as current, to `leave`.
///
/// # Errors
/// [`PipelineError`] when the pipeline has ended.
pub(in crate::runtime) async fn listen(
    l: Listener,
    stop: CancellationToken,
    leave: CancellationToken,
) -> Result<(), PipelineError> {
    let fail = |message: String| {
        tracing::error!("{message}");
        l.keeper.complain(Part::Exchange, &message);
        let status = ExchangeStatus {
            exchange: SOURCE.to_owned(),
            listening: status::Listening::Failing,
            trouble: Some(message),
            ..ExchangeStatus::default()
        };
        l.keeper.change(|s| s.exchange = Some(status));
    };
    let client = match Client::new(l.config.client.clone()) {
        Ok(client) => client,
        Err(e) => {
            fail(format!("polymarket: {e}"));
            return Ok(());
        }
    };
    let live = match Live::start(l.config.socket.clone(), Some(client.clone())) {
        Ok(live) => live,
        Err(e) => {
            fail(format!("polymarket: {e}"));
            return Ok(());
        }
    };
    if let Some(path) = l.config.record.clone() {
        let (frames, origin, keeper) = (live.raw_frames(raw::ROOM), l.origin.clone(), l.keeper.clone());
        tokio::task::spawn_blocking(move || raw::write(&path, frames, origin.as_deref(), &keeper));
    }
    let (found, mut discovered) = mpsc::channel(1);
    let discovering = discover(client.clone(), l.config.clone(), found);
    let remembering = history::keep_up(
        client,
        l.config.clone(),
        l.clock.clone(),
        l.store.clone(),
        l.way_in.clone(),
        l.keeper.clone(),
    );
    let mut state = State::new();
    state.recall(&l).await;
    let mut publish = interval(l.config.publish);
    publish.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut relink = interval(RELINK);
    relink.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(discovering, remembering);
    let ended = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            () = leave.cancelled() => break state.leave(&l, &live).await,
            () = &mut discovering => {}
            () = &mut remembering => {}
            Some(read) = discovered.recv() => match read {
                Ok(listings) => {
                    if let Err(e) = state.listed(&l, listings, l.clock.now()).await {
                        break Err(e);
                    }
                    state.relink(&l, &live).await;
                }
                Err(message) => {
                    l.keeper.complain(Part::Exchange, &message);
                    state.unread = Some(message);
                }
            },
            _ = relink.tick() => state.relink(&l, &live).await,
            _ = publish.tick() => if let Err(e) = state.publish(&l, &live).await {
                break Err(e);
            },
        }
    };
    live.stop().await;
    ended
}
