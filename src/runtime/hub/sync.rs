//! The tasks of a session that is linked to a hub: one tells what is collected here, one takes in what others tell, one
//! exchanges what the users made. Each has a connection and a thread of its own, so that neither the board nor the polling ever waits for them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lease::Leases;
use super::{desk, following, telling};
use uuid::Uuid;

use crate::hub::connect::HubUrl;
use crate::hub::lease::Alone;
use crate::runtime::backoff::{Backoff, roll};
use crate::runtime::keeper::Keeper;
use crate::runtime::pipeline::WayIn;
use crate::runtime::published::Published;
use crate::runtime::status::hub::HubStatus;

/// The first and the longest wait before a hub that is away is tried again.
const FIRST: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(15);

/// How to sync.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The hub.
    pub url: HubUrl,
    /// This device, as it named itself when it was linked.
    pub device: Uuid,
    /// Its number there; 0: it looks on.
    pub number: i32,
    /// It may ask the sources: what it does when it cannot reach the hub. `None`: it never asks.
    pub collects: Option<Alone>,
    /// Answers are told as they came, too.
    pub answers: bool,
    /// What the user made.
    pub desk: PathBuf,
}

/// What both tasks need.
#[derive(Clone, Debug)]
pub(super) struct Syncing {
    pub(super) config: HubConfig,
    pub(super) store: PathBuf,
    pub(super) way_in: WayIn,
    pub(super) keeper: Keeper,
    pub(super) leases: Option<Leases>,
    /// The session is coming to its end: what has been collected is still told.
    pub(super) closing: CancellationToken,
    /// Nothing is done any more.
    pub(super) stop: CancellationToken,
}

impl Syncing {
    /// Changes the status of the hub.
    pub(super) fn note(&self, change: impl FnOnce(&mut HubStatus)) {
        self.keeper.change(|s| change(s.hub.get_or_insert_default()));
    }

    /// Waits before the next try; answers whether there is to be one.
    pub(super) async fn wait(&self, backoff: &mut Backoff) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = self.closing.cancelled() => false,
            () = tokio::time::sleep(backoff.after_failure(roll())) => true,
        }
    }
}

pub(super) fn backoff() -> Backoff {
    Backoff::new(FIRST, CAP)
}

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub struct Syncs {
    telling: std::thread::JoinHandle<()>,
    _others: [std::thread::JoinHandle<()>; 2],
    _end: DropGuard,
}

impl Syncs {
    /// Starts them.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        config: HubConfig,
        store: PathBuf,
        way_in: WayIn,
        keeper: Keeper,
        leases: Option<Leases>,
        published: broadcast::Receiver<Published>,
        closing: CancellationToken,
    ) -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let end = stop.clone().drop_guard();
        let syncing = Syncing { config, store, way_in, keeper, leases, closing, stop };
        syncing.note(|s| s.place = syncing.config.url.shown());
        let (tell, share, follow) = (syncing.clone(), syncing.clone(), syncing);
        let telling = on_a_thread("hub-tell", move || telling::run(tell, published))?;
        let others = [
            on_a_thread("hub-follow", move || following::run(follow))?,
            on_a_thread("hub-desk", move || desk::run(share))?,
        ];
        Ok(Self { telling, _others: others, _end: end })
    }

    /// Waits until what has been collected is told, and no longer than this. What is not told by then lies in the store and
    /// is told the next time.
    pub async fn last_words(&self, within: Duration) {
        const LOOK: Duration = Duration::from_millis(20);
        let told = async {
            while !self.telling.is_finished() {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(within, told).await;
    }
}

fn on_a_thread<F: Future<Output = ()>>(
    name: &str,
    task: impl FnOnce() -> F + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(task()),
        Err(e) => tracing::error!(error = %e, "no runtime for the hub"),
    })
}
