//! The live market channel: sockets for all wanted tokens, and what they know.
//!
//! Owns the tasks and the shared state. A reader asks [`Live::take_changes`] as often as it likes and gets the tokens
//! that changed, not the messages: a burst neither grows memory nor lags behind. Books are whole again after every
//! interruption, and the interruption is told as a [`Gap`].

mod delay;
mod shard;
mod state;
mod told;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::book::TokenBook;
use super::client::{Client, is_local};
use super::error::SetupError;
use super::ids::TokenId;
use super::pair::PairBook;
use crate::market::time::Timestamp;
pub use delay::{Delays, Recent};
use shard::Command;
use state::State;
pub use told::{Changes, Counts, Gap, GapWhy, Notice, RawFrame, ShardHealth, Trade};

/// Where the channel lives.
pub const DEFAULT_URL: &str = "wss://ws-subscriptions-clob.polymarket.com/ws/market";

/// How the channel is used.
#[derive(Clone, PartialEq, Debug)]
pub struct SocketConfig {
    /// Address. Plain `ws` only on this machine.
    pub url: String,
    /// Tokens on one socket; above some hundreds the first books are lost.
    pub assets_per_socket: usize,
    /// Time between two `PING`s.
    pub ping_every: Duration,
    /// Longest silence on a socket with live markets before it is opened anew.
    pub watchdog: Duration,
    /// Longest wait for the first book of a token before REST is asked.
    pub seed_wait: Duration,
    /// Longest time in which a book may be in doubt before REST is asked.
    pub doubt_wait: Duration,
    /// Time between two comparisons with REST; zero for none.
    pub cross_check_every: Duration,
    /// Books in one comparison.
    pub cross_check_sample: usize,
    /// Of books of which nothing has been heard for so long REST is asked whether they still stand; zero for never.
    pub confirm_after: Duration,
    /// Longest wait for a connection, and for anything that is sent.
    pub connect_timeout: Duration,
    /// First pause after a lost connection; doubles each time.
    pub backoff: Duration,
    /// Longest pause.
    pub backoff_cap: Duration,
    /// Largest frame in bytes.
    pub max_frame: usize,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.to_owned(),
            assets_per_socket: 200,
            ping_every: Duration::from_secs(7),
            watchdog: Duration::from_secs(60),
            seed_wait: Duration::from_secs(5),
            doubt_wait: Duration::from_secs(2),
            cross_check_every: Duration::from_secs(30),
            cross_check_sample: 5,
            confirm_after: Duration::from_secs(45),
            connect_timeout: Duration::from_secs(10),
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            max_frame: 16 * 1024 * 1024,
        }
    }
}

/// A token to follow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wanted {
    /// The token.
    pub token: TokenId,
    /// Its market should be moving: silence is suspicious.
    pub live: bool,
}

/// The channel. Stops when dropped; [`Live::stop`] also waits.
pub struct Live {
    state: Shared,
    wanted: watch::Sender<Vec<Wanted>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("wanted", &self.wanted.borrow().len()).finish_non_exhaustive()
    }
}

/// The state behind its lock.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    /// A task that panicked has left whole books behind: each message is applied whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Starts following nothing; [`Live::want`] tells what to follow. Needs a tokio runtime. Without a client books that
    /// do not come are not asked for over REST, and nothing is compared.
    ///
    /// # Errors
    /// [`SetupError`] when the address cannot be used.
    pub fn start(config: SocketConfig, client: Option<Client>) -> Result<Self, SetupError> {
        check(&config.url)?;
        // An error means that one has been installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (wanted, seen) = watch::channel(Vec::new());
        let (stop, tasks, state) = (CancellationToken::new(), TaskTracker::new(), Shared::default());
        let config = Arc::new(config);
        tasks.spawn(supervise(Arc::clone(&config), state.clone(), seen, stop.clone(), tasks.clone()));
        if let Some(client) = client {
            tasks.spawn(upkeep::run(config, state.clone(), client, stop.clone()));
        }
        Ok(Self { state, wanted, stop, tasks })
    }

    /// What to follow from now on, in place of what was followed so far. Both tokens of a market should stand together.
    pub fn want(&self, tokens: Vec<Wanted>) {
        self.wanted.send_replace(tokens);
    }

    /// What changed since the last call.
    pub fn take_changes(&self) -> Changes {
        self.state.lock().take()
    }

    /// The book of a token as it stands.
    pub fn book(&self, token: &TokenId) -> Option<TokenBook> {
        self.state.lock().book(token.as_str()).cloned()
    }

    /// The book of a market with these two tokens, seen from the first.
    pub fn pair(&self, first: &TokenId, second: &TokenId) -> PairBook {
        let state = self.state.lock();
        PairBook::of(state.book(first.as_str()), state.book(second.as_str()))
    }

    /// The books of several markets at one instant.
    pub fn pairs(&self, markets: &[(TokenId, TokenId)]) -> Vec<PairBook> {
        let state = self.state.lock();
        markets.iter().map(|(a, b)| PairBook::of(state.book(a.as_str()), state.book(b.as_str()))).collect()
    }

    /// Up to when it is known, by our clock, that nothing else has happened in a market with these tokens: their sockets
    /// brought something then, or REST told the same book. An answer to `PING` is no such proof. `None`: nothing is known.
    pub fn heard(&self, markets: &[(TokenId, TokenId)]) -> Vec<Option<Timestamp>> {
        let state = self.state.lock();
        // The two books mirror each other: whichever was heard of last speaks for both.
        markets.iter().map(|(a, b)| state.heard(a.as_str()).max(state.heard(b.as_str()))).collect()
    }

    /// How the sockets do, by their numbers.
    pub fn health(&self) -> Vec<ShardHealth> {
        self.state.lock().health()
    }

    /// Counts of what REST was asked for.
    pub fn counts(&self) -> Counts {
        self.state.lock().counts
    }

    /// Every frame from now on as it came, `room` of them at most until they are taken; what does not fit is lost and
    /// counted in [`Counts::raw_lost`]. One reader at a time: a new one takes the place of the old.
    pub fn raw_frames(&self, room: usize) -> mpsc::Receiver<RawFrame> {
        let (sender, receiver) = mpsc::channel(room.max(1));
        self.state.lock().tap(sender);
        receiver
    }

    /// Closes all sockets and waits for the tasks to end.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn check(url: &str) -> Result<(), SetupError> {
    let wrong = |problem| SetupError::BaseUrl { host: "socket", problem, example: DEFAULT_URL };
    let url = Url::parse(url.trim()).map_err(|_| wrong("cannot be read"))?;
    if url.host_str().is_none() {
        return Err(wrong("has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or password"));
    }
    match url.scheme() {
        "wss" => Ok(()),
        "ws" if is_local(&url) => Ok(()),
        "ws" => Err(wrong("is plain ws, which anybody on the way could change: use wss")),
        _ => Err(wrong("is neither wss nor ws")),
    }
}

/// A running socket, as its owner sees it.
struct Running {
    tokens: BTreeSet<TokenId>,
    commands: mpsc::UnboundedSender<Command>,
    stop: CancellationToken,
}

/// Keeps the sockets in line with what is wanted.
async fn supervise(
    config: Arc<SocketConfig>,
    state: Shared,
    mut wanted: watch::Receiver<Vec<Wanted>>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let mut running: BTreeMap<u32, Running> = BTreeMap::new();
    let mut next: u32 = 0;
    loop {
        let list = wanted.borrow_and_update().clone();
        arrange(&config, &state, &list, &mut running, &mut next, &stop, &tasks);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
        }
    }
}

fn arrange(
    config: &Arc<SocketConfig>,
    state: &Shared,
    list: &[Wanted],
    running: &mut BTreeMap<u32, Running>,
    next: &mut u32,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let keep: BTreeSet<&TokenId> = list.iter().map(|w| &w.token).collect();
    let room = config.assets_per_socket.max(1);
    let mut have: BTreeSet<TokenId> = BTreeSet::new();
    for (number, shard) in running.iter_mut() {
        let gone: Vec<TokenId> = shard.tokens.iter().filter(|t| !keep.contains(t)).cloned().collect();
        if !gone.is_empty() {
            let mut state = state.lock();
            for token in &gone {
                shard.tokens.remove(token);
                state.drop_token(token);
            }
            state.shard(*number).assets = shard.tokens.len();
            drop(state);
            let _ = shard.commands.send(Command::Remove(gone));
        }
        have.extend(shard.tokens.iter().cloned());
    }
    // A socket without tokens is closed.
    running.retain(|number, shard| {
        if shard.tokens.is_empty() {
            shard.stop.cancel();
            state.lock().forget_shard(*number);
        }
        !shard.tokens.is_empty()
    });
    let mut new: Vec<TokenId> = Vec::new();
    {
        let mut state = state.lock();
        for Wanted { token, live } in list {
            state.want(token, *live);
            if have.insert(token.clone()) {
                new.push(token.clone());
            }
        }
    }
    let mut new = new.into_iter().peekable();
    for (number, shard) in running.iter_mut() {
        let free = room.saturating_sub(shard.tokens.len());
        let more: Vec<TokenId> = new.by_ref().take(free).collect();
        if !more.is_empty() {
            shard.tokens.extend(more.iter().cloned());
            state.lock().assign(*number, &more);
            let _ = shard.commands.send(Command::Add(more));
        }
    }
    while new.peek().is_some() {
        let tokens: Vec<TokenId> = new.by_ref().take(room).collect();
        let (commands, inbox) = mpsc::unbounded_channel();
        let (number, stop) = (*next, stop.child_token());
        *next = next.wrapping_add(1);
        state.lock().assign(number, &tokens);
        tasks.spawn(shard::run(number, Arc::clone(config), state.clone(), tokens.clone(), inbox, stop.clone()));
        running.insert(number, Running { tokens: tokens.into_iter().collect(), commands, stop });
    }
}
