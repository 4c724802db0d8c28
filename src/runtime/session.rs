//! One session: pipeline, polling and local socket as a unit that is started, watched and stopped together.
//!
//! The board and the daemon both own one. The polling is supervised and may be without a key; the socket is a
//! courtesy, and a session without it goes on; only the pipeline's end is the end of the session.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::attach::server::{Server, ServerConfig};
use super::clock::Clock;
use super::deliver::{self, Delivering};
use super::digest::{self, DigestConfig};
use super::exchange::{ExchangeConfig, Listener, Listening};
use super::feeder::{Aborting, Feed, Feeder};
use super::follow::{FollowConfig, Places};
use super::hub::lease::{self, Leasing};
use super::hub::sync::{HubConfig, Syncs};
use super::keeper::Keeper;
use super::metrics::server::MetricsServer;
use super::pipeline::{Pipeline, PipelineConfig, PipelineError, Tally, Telling, WayIn};
use super::published::Published;
use super::status::{Following, KeyState, LiveStatus, Part, ReloadNote};
use super::watchdog::{Alive, GiveUp, Limits, Pulse, Role, Watchdog};
use super::watchman;
use crate::alerts::channel::Channel;
use crate::alerts::notice::Notice;
use crate::alerts::retry::Patience;
use crate::engine::EngineSettings;
use crate::feeds::odds_api::client::{Client, ClientConfig, ClientError};
use crate::feeds::odds_api::keys::Keys;
use crate::feeds::odds_api::sports::Sport;
use crate::feeds::secret::KeyError;
use crate::store::{Retention, desk};

/// At the end a delivery that is under way is waited for so long; it is tried again otherwise.
const LAST_WORD: Duration = Duration::from_secs(1);

/// How to run a session.
#[derive(Debug)]
pub struct SessionConfig {
    /// How to judge and store.
    pub pipeline: PipelineConfig,
    /// What to follow.
    pub follow: FollowConfig,
    /// How to reach the source.
    pub client: ClientConfig,
    /// The key, or several separated by commas that take turns; without one nothing is asked until [`Session::set_key`].
    pub key: Option<SecretString>,
    /// Try the key with a free question before anything else is asked.
    pub check_key: bool,
    /// Listen on the local socket, so that boards of other processes can follow.
    pub attach: bool,
    /// Tell the user of what the rules on the desk ask for; `None`: nobody is told of anything.
    pub alerts: Option<AlertsConfig>,
    /// The exchange to listen to beside the books.
    pub exchange: Option<ExchangeConfig>,
    /// Who of the desk polls; `None`: there is no hub, and this device does.
    pub leases: Option<Leasing>,
    /// The hub that the store is linked to, if it is to be spoken to.
    pub hub: Option<HubConfig>,
    /// How it is watched over.
    pub care: CareConfig,
}

/// How a session is watched over.
#[derive(Debug, Default)]
pub struct CareConfig {
    /// Listen there for machines that watch.
    pub metrics: Option<SocketAddr>,
    /// Called when a part without which nothing goes on has been stuck for too long. A program that somebody starts
    /// again ends itself then; `None`: it is told, and nothing else.
    pub give_up: Option<GiveUp>,
    /// How long parts may be silent; `None`: as usual.
    pub limits: Option<Limits>,
}

/// Settings that can be put into force while a session runs.
#[derive(Debug)]
pub struct LiveConfig {
    /// How to reach the source.
    pub client: ClientConfig,
    /// What to follow.
    pub follow: FollowConfig,
    /// How to judge, from the next look on.
    pub engine: EngineSettings,
    /// What to keep.
    pub retention: Retention,
    /// The key; `None` leaves the one in use.
    pub key: Option<SecretString>,
    /// The exchange to listen to; `None`: none.
    pub exchange: Option<ExchangeConfig>,
}

/// How to tell.
#[derive(Clone, Debug)]
pub struct AlertsConfig {
    /// The desk with the rules.
    pub desk: PathBuf,
    /// The channels of the settings.
    pub channels: Vec<Arc<dyn Channel>>,
    /// How patiently messages are tried.
    pub patience: Patience,
    /// So few credits are worth a word.
    pub credits_below: u64,
    /// Digests, where some are wanted.
    pub digest: Option<DigestConfig>,
}

impl AlertsConfig {
    /// The rules of the desk beside a store, told through `channels`.
    pub fn beside(store: &Path, channels: Vec<Arc<dyn Channel>>, credits_below: u64) -> Self {
        Self { desk: desk::beside(store), channels, patience: Patience::default(), credits_below, digest: None }
    }
}

/// Why a session did not start or had to end, or a key was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The text cannot be a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source cannot be reached with these settings.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a listener to an exchange is made of, beside how it is to listen.
#[derive(Debug)]
struct Ears {
    clock: Clock,
    store: PathBuf,
    origin: Option<String>,
}

impl Ears {
    fn listener(&self, config: ExchangeConfig, way_in: &WayIn, keeper: &Keeper) -> Listener {
        Listener {
            config,
            way_in: way_in.clone(),
            keeper: keeper.clone(),
            clock: self.clock.clone(),
            store: self.store.clone(),
            origin: self.origin.clone(),
        }
    }
}

/// A running session. Dropping it asks everything to stop without waiting; [`Session::stop`] waits.
#[derive(Debug)]
pub struct Session {
    /// Taken by `stop`.
    pipeline: Option<Pipeline>,
    way_in: WayIn,
    ended: CancellationToken,
    published: broadcast::Sender<Published>,
    keeper: Keeper,
    client: ClientConfig,
    key: Option<SecretString>,
    feeds: watch::Sender<Feed>,
    sports: watch::Receiver<Vec<Sport>>,
    alive: Alive,
    metrics: Option<MetricsServer>,
    _dog: Watchdog,
    _ticking: Aborting<()>,
    feeding: Option<Aborting<Result<(), PipelineError>>>,
    socket: Option<Server>,
    /// Deliveries, and the eye on the session itself.
    telling: Vec<Aborting<()>>,
    /// To an exchange.
    listening: Option<Listening>,
    /// What a listener is made of.
    ears: Ears,
    leasing: Option<Leasing>,
    syncs: Option<Syncs>,
    _lease_notes: Option<Aborting<()>>,
    stop: CancellationToken,
}

impl Session {
    /// Opens the store and begins to follow. Returns as soon as the store is open, which takes seconds at worst; call
    /// it inside a runtime of tokio.
    ///
    /// # Errors
    /// [`SessionError`] when the key or the address of the source cannot be used, or the store cannot be opened (it may
    /// be held by a daemon: see [`super::link::probe`]).
    pub async fn start(config: SessionConfig) -> Result<Self, SessionError> {
        let SessionConfig { pipeline, follow, client, key, check_key, attach, alerts, exchange, leases, hub, care } =
            config;
        let first = key.as_ref().map(|key| make_client(&client, key)).transpose()?;
        let (store, origin) = (pipeline.store.clone(), pipeline.origin.clone());
        let keeper = Keeper::new(origin.as_deref());
        // The key of a simulated market is no secret and may be part of ordinary words.
        for secret in pipeline.secret.iter() {
            if let Ok(keys) = Keys::parse(secret.expose_secret()) {
                keys.all().into_iter().for_each(|key| keeper.hide(key));
            }
        }
        if first.is_some() {
            keeper.key(KeyState::Untried);
            // Nobody shall read "no key" before the polling has had its first turn.
            keeper.following(if check_key { Following::Checking } else { Following::Running });
        }
        let limits = care.limits.unwrap_or_else(|| Limits::usual(client.timeout));
        let dog = Watchdog::start(limits, keeper.clone(), care.give_up).map_err(PipelineError::Thread)?;
        let (wake, woken) = watch::channel(0);
        let (direct, straight) = mpsc::unbounded_channel();
        let telling = alerts.as_ref().map(|a| Telling { desk: a.desk.clone(), wake, direct });
        let pipeline = {
            let (keeper, pulse) = (keeper.clone(), dog.watch(Role::Judge, limits.judge));
            // The store is being opened, which takes as long as it is large.
            pulse.rest();
            tokio::task::spawn_blocking(move || Pipeline::start(pipeline, telling, keeper, pulse))
                .await
                .map_err(|_| PipelineError::Panicked)??
        };
        let (way_in, ended, published) = (pipeline.way_in(), pipeline.ended(), pipeline.publisher());
        let (outbox, linked) = (store.clone(), store.clone());
        let ears = Ears { clock: follow.clock.clone(), store: store.clone(), origin: origin.clone() };
        let (digest_store, digest_origin) = (store.clone(), origin.clone());
        let places = Arc::new(Places { desk: desk::beside(&store), store: store.clone() });
        let socket = if attach {
            let (store, status) = (store.clone(), keeper.subscribe());
            let server = ServerConfig { store, origin, published: published.clone(), status };
            let pulse = dog.watch(Role::Socket, limits.others);
            match Server::start_watched(server, pulse.clone()).await {
                Ok(server) => Some(server),
                Err(e) => {
                    pulse.rest();
                    tracing::warn!(error = %e, "no board can attach to this process");
                    keeper.complain(Part::Attach, &e.to_string());
                    None
                }
            }
        } else {
            None
        };
        let alive = dog.alive();
        let metrics = match care.metrics {
            Some(address) => match MetricsServer::start(address, store, keeper.clone(), alive.clone()).await {
                Ok(server) => Some(server),
                Err(e) => {
                    let message = format!("metrics.listen: nobody can ask at {address}: {e}");
                    tracing::warn!("{message}");
                    keeper.complain(Part::Metrics, &message);
                    None
                }
            },
            None => None,
        };
        let ticking = Aborting(tokio::spawn(tick(dog.watch(Role::Tasks, limits.others))));
        let stop = CancellationToken::new();
        let telling = alerts.map_or_else(Vec::new, |alerts| {
            let delivering = Delivering {
                store: outbox,
                way_in: way_in.clone(),
                wake: woken,
                keeper: keeper.clone(),
                patience: alerts.patience,
                stop: stop.clone(),
            };
            let mut tasks = deliver::start(&delivering, &alerts.channels);
            tasks.push(deliver::start_straight(straight, alerts.channels, keeper.clone(), stop.clone()));
            let watching = watchman::watch(keeper.subscribe(), way_in.clone(), alerts.credits_below, stop.clone());
            tasks.push(Aborting(tokio::spawn(watching)));
            if let Some(config) = alerts.digest {
                let digests = digest::send(config, digest_store, digest_origin, way_in.clone(), stop.clone());
                tasks.push(Aborting(tokio::spawn(digests)));
            }
            tasks
        });
        let leases = leases.or_else(|| {
            let (hub, alone) = hub.as_ref().and_then(|hub| Some((hub, hub.collects?)))?;
            Some(Leasing::at(hub.url.clone(), hub.number, alone, &linked))
        });
        let held = leases.as_ref().map(Leasing::leases);
        // Whoever follows a hub and does not collect for it leaves the listening to others, and hears of it through the hub.
        let exchange = exchange.filter(|_| hub.is_none() || held.is_some());
        let listening =
            exchange.map(|config| Listening::start(ears.listener(config, &way_in, &keeper), held.clone(), &stop));
        let lease_notes = held
            .clone()
            .map(|held| Aborting(tokio::spawn(lease::note(held, keeper.clone(), way_in.clone(), stop.clone()))));
        let syncs = hub
            .map(|hub| {
                let (way, keeper, held) = (way_in.clone(), keeper.clone(), held.clone());
                Syncs::start(hub, linked, way, keeper, held, published.subscribe(), stop.clone())
            })
            .transpose()
            .map_err(PipelineError::Thread)?;
        let (feeds, newest) = watch::channel(Feed { client: first, follow: Arc::new(follow), key: 0 });
        let pulse = dog.watch(Role::Polling, limits.polling);
        let (listed, sports) = watch::channel(Vec::new());
        let (way, keeping) = (way_in.clone(), keeper.clone());
        let feeder = Feeder { way_in: way, keeper: keeping, pulse, places, check_key, sports: listed, leases: held };
        let feeding = Some(Aborting(tokio::spawn(feeder.run(newest, stop.clone()))));
        Ok(Self {
            pipeline: Some(pipeline),
            way_in,
            ended,
            published,
            keeper,
            client,
            key,
            feeds,
            sports,
            alive,
            metrics,
            _dog: dog,
            _ticking: ticking,
            feeding,
            socket,
            telling,
            listening,
            ears,
            leasing: leases,
            syncs,
            _lease_notes: lease_notes,
            stop,
        })
    }

    /// Says something of the program itself; whether it is told is decided with the rules.
    ///
    /// # Errors
    /// [`SessionError::Pipeline`] when the pipeline has ended.
    pub async fn notice(&self, notice: Notice) -> Result<(), SessionError> {
        Ok(self.way_in.notice(notice).await?)
    }

    /// Tells whether every part gives signs of life, such as for a supervisor's watchdog.
    pub fn alive(&self) -> Alive {
        self.alive.clone()
    }

    /// Where machines that watch may ask, if anywhere.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(MetricsServer::address)
    }

    /// Announcements from now on.
    pub fn published(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// The status, and word of every change.
    pub fn status(&self) -> watch::Receiver<LiveStatus> {
        self.keeper.subscribe()
    }

    /// Cancelled once the pipeline has ended by itself; [`Session::stop`] then tells why.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Follows with this key (or these, separated by commas) from now on: everything is due at once.
    ///
    /// # Errors
    /// [`SessionError`] when it cannot be a key, or the pipeline has ended.
    pub async fn set_key(&mut self, key: SecretString) -> Result<(), SessionError> {
        let client = make_client(&self.client, &key)?;
        Keys::parse(key.expose_secret())?.all().into_iter().for_each(|key| self.keeper.hide(key));
        self.way_in.hide(key.clone()).await?;
        self.key = Some(key);
        self.keeper.key(KeyState::Untried);
        // Whoever waits for the check from now on must not take the state before it for its end.
        self.keeper.following(Following::Checking);
        self.feeds.send_modify(|feed| {
            feed.client = Some(client);
            feed.key += 1;
        });
        Ok(())
    }

    /// What the source lists, as it answered when the key was last tried; empty before that.
    pub fn sports(&self) -> Vec<Sport> {
        self.sports.borrow().clone()
    }

    /// Puts other settings into force: questions from now on, rules from the next look on.
    ///
    /// # Errors
    /// [`SessionError`] when they cannot be used, and nothing is different then, or when the pipeline has ended.
    pub async fn apply(&mut self, live: LiveConfig) -> Result<(), SessionError> {
        let LiveConfig { client, follow, engine, retention, key, exchange } = live;
        let exchange = exchange.filter(|_| self.syncs.is_none() || self.leasing.is_some());
        let key = key.or_else(|| self.key.clone());
        let made = key.as_ref().map(|key| make_client(&client, key)).transpose()?;
        let exposed = |key: &Option<SecretString>| key.as_ref().map(|k| k.expose_secret().to_owned());
        let other_key = exposed(&key) != exposed(&self.key);
        let same_source = client == self.client && !other_key;
        if let Some(key) = key.as_ref().filter(|_| other_key) {
            Keys::parse(key.expose_secret())?.all().into_iter().for_each(|key| self.keeper.hide(key));
            self.way_in.hide(key.clone()).await?;
            self.keeper.key(KeyState::Untried);
        }
        // Only while the rules say that it is listened to does it count what it tells, its last word too.
        if exchange.is_none() {
            self.listen_to(None).await;
        }
        self.way_in.rules(engine, retention).await?;
        self.listen_to(exchange).await;
        (self.client, self.key) = (client, key);
        self.feeds.send_modify(|feed| {
            // The one in use knows how its source has been doing.
            if !same_source {
                feed.client = made;
            }
            feed.follow = Arc::new(follow);
            feed.key += u32::from(other_key);
        });
        Ok(())
    }

    /// Listens to an exchange like this from now on, or to none. What goes on as it was is not disturbed.
    async fn listen_to(&mut self, exchange: Option<ExchangeConfig>) {
        if self.listening.as_ref().map(Listening::config) == exchange.as_ref() {
            return;
        }
        if let Some(before) = self.listening.take() {
            before.end(exchange.is_none()).await;
        }
        match exchange {
            Some(config) => {
                let listener = self.ears.listener(config, &self.way_in, &self.keeper);
                let held = self.leasing.as_ref().map(Leasing::leases);
                self.listening = Some(Listening::start(listener, held, &self.stop));
            }
            None => self.keeper.change(|s| s.exchange = None),
        }
    }

    /// Sport keys that are followed now.
    pub fn followed(&self) -> Vec<String> {
        self.feeds.borrow().follow.sports.clone()
    }

    /// Whether an exchange is listened to.
    pub const fn listens(&self) -> bool {
        self.listening.is_some()
    }

    /// Notes what came of reading the settings again.
    pub fn note_reload(&self, note: ReloadNote) {
        if let Some(problem) = &note.problem {
            self.keeper.complain(Part::Settings, problem);
        }
        let clean = note.problem.as_deref().map(|p| self.keeper.clean(p));
        self.keeper.change(|s| s.reload = Some(ReloadNote { problem: clean, ..note }));
    }

    /// Waits until the key has been tried. Without a key, or with a source that cannot be had, there is nothing more to
    /// learn and this returns.
    ///
    /// # Errors
    /// What the source says when it refuses the key.
    pub async fn key_checked(&self) -> Result<(), String> {
        let mut status = self.keeper.subscribe();
        let known = status.wait_for(|s| s.following != Following::Checking).await;
        match known.map(|s| s.key.clone()) {
            Ok(KeyState::Refused { message }) => Err(message),
            _ => Ok(()),
        }
    }

    /// Stops asking, judges what has arrived, says goodbye to attached boards, and closes the store.
    ///
    /// # Errors
    /// What ended the pipeline early, if anything did.
    pub async fn stop(mut self) -> Result<Tally, PipelineError> {
        self.stop.cancel();
        let fed = match self.feeding.take() {
            // A feeder that panicked has nothing to hand over; it is not the pipeline's fault.
            Some(mut feeding) => (&mut feeding.0).await.unwrap_or(Ok(())),
            None => Ok(()),
        };
        // What is being delivered may still be noted; nothing new is begun.
        let deadline = tokio::time::Instant::now() + LAST_WORD;
        for mut task in std::mem::take(&mut self.telling) {
            let _ = tokio::time::timeout_at(deadline, &mut task.0).await;
        }
        // What was asked last has been judged: it is told, and others may go on.
        if let Some(syncs) = self.syncs.take() {
            syncs.last_words(LAST_WORD).await;
        }
        if let Some(leasing) = self.leasing.take() {
            leasing.stop().await;
        }
        // Before the store is free: whoever owns it next wants the place of the socket.
        if let Some(socket) = self.socket.take() {
            let why = self.ended.is_cancelled().then(|| {
                let complaint = self.keeper.subscribe().borrow().complaint.clone();
                complaint.map_or_else(|| "it failed; see its log".to_owned(), |c| c.message)
            });
            socket.stop(why).await;
        }
        let Some(pipeline) = self.pipeline.take() else { return Err(PipelineError::Panicked) };
        let tally =
            tokio::task::spawn_blocking(move || pipeline.stop()).await.map_err(|_| PipelineError::Panicked)??;
        fed?;
        Ok(tally)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.cancel();
        if self.pipeline.is_some() {
            self.way_in.ask_to_stop();
        }
    }
}

/// Signs of life of the runtime come so often: rarely enough that a board at rest stays at rest.
const TICK: Duration = Duration::from_secs(20);

/// A sign of life of the runtime itself.
async fn tick(pulse: Pulse) {
    loop {
        pulse.beat();
        tokio::time::sleep(TICK).await;
    }
}

fn make_client(config: &ClientConfig, key: &SecretString) -> Result<Client, SessionError> {
    Ok(Client::with_keys(config.clone(), Keys::parse(key.expose_secret())?)?)
}

#[cfg(test)]
mod tests;
