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
mod tests {
    use std::path::Path;

    use tokio::time::timeout;

    use super::*;
    use crate::feeds::odds_api::ask::{Ask, BookFilter};
    use crate::feeds::sim::{Scenario, SimConfig, SimHandle, SimServer};
    use crate::market::batch::Endpoint;
    use crate::market::time::Timestamp;
    use crate::poller::Cadence;
    use crate::runtime::clock::Clock;
    use crate::runtime::link::{Link, LinkEvent, LinkLoss};
    use crate::runtime::pace::Pacing;
    use crate::runtime::status::{MarketClock, StoreState};

    const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
    const LONG: Duration = Duration::from_secs(30);

    async fn sim() -> SimHandle {
        let start = Timestamp::parse("2026-11-20T20:00:00Z").expect("time");
        let scenario = Scenario::load("demo").expect("scenario");
        let config = SimConfig { speed: Some(20), ..SimConfig::scenario(scenario, start) };
        SimServer::start(config).await.expect("sim")
    }

    fn config(home: &Path, sim: &SimHandle, key: Option<&str>) -> SessionConfig {
        SessionConfig {
            exchange: None,
            leases: None,
            hub: None,
            pipeline: PipelineConfig {
                store: home.join("stratum.db"),
                engine: EngineSettings::default(),
                retention: Retention::default(),
                keep_raw: true,
                record: Some(home.join("tape.jsonl")),
                secret: key.map(SecretString::from).into_iter().collect(),
                origin: Some("DEMO".into()),
            },
            follow: FollowConfig {
                sports: vec!["basketball_nba".into()],
                ask: Ask::new(&["h2h".into()], BookFilter::choose(&[], &["pinnacle".into()])),
                pacing: Pacing::Steady(Cadence::of(10_000)),
                clock: Clock::Sim(sim.clock()),
                needs: Vec::new(),
                watch_in_play: false,
            },
            client: ClientConfig { base_url: sim.base_url(), ..ClientConfig::default() },
            key: key.map(SecretString::from),
            check_key: true,
            attach: false,
            care: CareConfig::default(),
            alerts: None,
        }
    }

    async fn status(session: &Session, wanted: impl FnMut(&LiveStatus) -> bool) -> LiveStatus {
        let mut status = session.status();
        let last = session.status().borrow().clone();
        let Ok(found) = timeout(LONG, status.wait_for(wanted)).await else {
            panic!("not in time: {last:#?} and then {:#?}", session.status().borrow());
        };
        found.expect("open").clone()
    }

    #[tokio::test]
    async fn without_a_key_nothing_is_asked_until_there_is_one() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let mut session = Session::start(config(home.path(), &sim, None)).await.expect("starts");
        session.key_checked().await.expect("nothing to refuse");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let before = session.status().borrow().clone();
        assert_eq!((before.key, before.following), (KeyState::Missing, Following::NoKey));
        assert!(before.questions.is_empty() && before.look.0 == 0);
        assert!(session.set_key("two words".into()).await.is_err());
        let mut link = Link::local(&session);
        assert!(matches!(link.next().await, LinkEvent::Connected(c) if c.local && c.look.0 == 0));
        assert!(matches!(link.next().await, LinkEvent::Status(_)));

        session.set_key(KEY.into()).await.expect("taken");
        session.key_checked().await.expect("accepted");
        let after = status(&session, |s| s.counted.looks >= 2 && s.key == KeyState::Accepted).await;
        assert_eq!(after.following, Following::Running);
        assert_eq!(after.origin.as_deref(), Some("DEMO"));
        let question = after.question("basketball_nba", Endpoint::Odds).expect("asked");
        assert!(question.answer.is_some() && !question.is_failing(), "{question:?}");
        assert!(matches!(after.clock, MarketClock::Anchored { speed: 20, .. }), "{:?}", after.clock);
        let heard = async {
            loop {
                if let LinkEvent::Published(p) = link.next().await {
                    return p.look.0;
                }
            }
        };
        assert_eq!(timeout(LONG, heard).await.expect("in time"), 1);
        let tally = session.stop().await.expect("stops");
        assert!(u64::from(tally.taken.looks) >= after.counted.looks);
        let ended = async {
            loop {
                if let LinkEvent::Lost(loss) = link.next().await {
                    return loss;
                }
            }
        };
        assert!(matches!(timeout(LONG, ended).await.expect("in time"), LinkLoss::Ended { .. }));
        let tape = std::fs::read_to_string(home.path().join("tape.jsonl")).expect("recorded");
        assert!(!tape.is_empty() && !tape.contains(KEY));
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn a_refused_key_waits_for_a_better_one_and_is_never_shown() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let fault = serde_json::json!({"kind": "invalid_key", "times": 1}).to_string();
        let url = format!("{}/sim/faults", sim.base_url());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("client");
        assert!(client.post(url).body(fault).send().await.expect("sent").status().is_success());
        let mut config = config(home.path(), &sim, Some(KEY));
        // Somebody pasted the key into the wrong field.
        config.follow.sports.push(KEY.to_lowercase());
        let mut session = Session::start(config).await.expect("starts");
        let message = session.key_checked().await.expect_err("refused");
        assert!(!message.contains(KEY));
        let refused = status(&session, |s| s.following == Following::NoKey).await;
        assert_eq!(refused.key, KeyState::Refused { message });
        assert_eq!(refused.counted.looks, 0);

        session.set_key(KEY.into()).await.expect("taken");
        let both = |s: &LiveStatus| s.counted.looks >= 1 && s.counted.failed >= 1;
        let running = status(&session, both).await;
        let text = format!("{running:?}{}", serde_json::to_string(&running).expect("JSON")).to_lowercase();
        assert!(!text.contains(&KEY.to_lowercase()), "{text}");
        assert!(running.question("***", Endpoint::Odds).is_some_and(|q| q.is_failing()), "{running:?}");
        session.stop().await.expect("stops");
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn a_refused_key_is_told_and_its_end_too_and_signals_arrive() {
        use crate::alerts::message::{Kind, Message};
        use crate::alerts::rule::Terms;
        use crate::alerts::testing::MemoryChannel;

        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let mut config = config(home.path(), &sim, Some(KEY));
        config.follow.ask = Ask::new(&["h2h".into(), "spreads".into()], BookFilter::choose(&["us".into()], &[]));
        let channel = Arc::new(MemoryChannel::new("memory", 3));
        config.alerts =
            Some(AlertsConfig::beside(&config.pipeline.store, vec![Arc::clone(&channel) as Arc<dyn Channel>], 200));
        let mut rules = desk::Desk::open(&desk::beside(&config.pipeline.store)).expect("desk");
        let kinds = vec![Kind::Signal, Kind::Health, Kind::Line];
        let wish = crate::alerts::rule::Wish {
            market: "h2h".into(),
            selection: "home".into(),
            line: None,
            price: "1.01".into(),
            exact: false,
        };
        let terms = Terms { kinds, channels: vec!["memory".into()], line: Some(wish), ..Terms::default() };
        rules.add_alert_rule("all", true, &terms.to_json().expect("JSON")).expect("added");
        // The fault is armed through the session's own client, so that no other is needed.
        let fault = serde_json::json!({"kind": "invalid_key", "times": 1}).to_string();
        let mut session = Session::start(SessionConfig { key: None, ..config }).await.expect("starts");
        let address = sim.base_url().trim_start_matches("http://").to_owned();
        let armed = tokio::task::spawn_blocking(move || {
            use std::io::{Read, Write};
            let mut socket = std::net::TcpStream::connect(address).expect("connects");
            let length = fault.len();
            write!(
                socket,
                "POST /sim/faults HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{fault}"
            )
            .expect("sends");
            let mut answer = String::new();
            socket.read_to_string(&mut answer).expect("answers");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        });
        armed.await.expect("armed");
        session.set_key(KEY.into()).await.expect("taken");
        let told = |wanted: &'static str| {
            let channel = Arc::clone(&channel);
            async move {
                loop {
                    let found = channel.tried().concat().into_iter().find(|m: &Message| m.title.contains(wanted));
                    if let Some(found) = found {
                        return found;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        let refused = timeout(LONG, told("the key is refused")).await.expect("in time");
        assert_eq!((refused.kind, refused.origin.as_deref()), (Kind::Health, Some("DEMO")));
        assert!(!format!("{refused:?}").contains(KEY));
        session.set_key(KEY.into()).await.expect("taken");
        timeout(LONG, told("Over: the key is refused")).await.expect("in time");
        let line = timeout(LONG, told(" at ")).await.expect("in time");
        assert!(line.key.ends_with(":memory"), "{line:?}");
        session.stop().await.expect("stops");
        let keys: Vec<String> = channel.tried().concat().into_iter().map(|m| m.key).collect();
        let unique: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len(), "everything once");
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn a_store_that_fails_ends_the_session_with_its_error() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let mut config = config(home.path(), &sim, Some(KEY));
        config.pipeline.record = None;
        let session = Session::start(config).await.expect("starts");
        status(&session, |s| s.counted.looks >= 1).await;
        let other = rusqlite::Connection::open(home.path().join("stratum.db")).expect("opens");
        other.busy_timeout(Duration::from_secs(10)).expect("set");
        other.execute_batch("DROP TABLE fetch_log").expect("dropped");
        timeout(LONG, session.ended().cancelled()).await.expect("ends by itself");
        let complaint = session.status().borrow().complaint.clone().expect("says why");
        assert_eq!(complaint.part, Part::Store);
        let error = session.stop().await.expect_err("typed");
        assert!(matches!(error, PipelineError::Store(_)), "{error}");
        sim.shutdown().await;
    }

    fn count(home: &Path, sql: &str) -> i64 {
        let c = rusqlite::Connection::open(home.join("stratum.db")).expect("opens");
        c.query_row(sql, [], |r| r.get(0)).expect("count")
    }

    #[tokio::test]
    async fn a_store_that_is_held_is_waited_for_and_nothing_paid_is_lost() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let session = Session::start(config(home.path(), &sim, Some(KEY))).await.expect("starts");
        status(&session, |s| s.counted.looks >= 1).await;
        let other = rusqlite::Connection::open(home.path().join("stratum.db")).expect("opens");
        other.busy_timeout(Duration::from_secs(10)).expect("set");
        let failing = |s: &LiveStatus| matches!(s.store, StoreState::Failing { .. });
        let ill = loop {
            other.execute_batch("BEGIN IMMEDIATE").expect("held");
            let ill = status(&session, failing).await;
            let StoreState::Failing { .. } = ill.store else { panic!("{ill:?}") };
            tokio::time::sleep(Duration::from_millis(200)).await;
            let ill = session.status().borrow().clone();
            if matches!(ill.store, StoreState::Failing { waiting: 1.., .. }) {
                break ill;
            }
            // It met a row of the log instead of an answer; once more.
            other.execute_batch("ROLLBACK").expect("let go");
            status(&session, |s| !failing(s)).await;
        };
        let StoreState::Failing { trouble, message, .. } = &ill.store else { panic!("{ill:?}") };
        assert_eq!(*trouble, crate::store::Trouble::Busy);
        assert!(message.contains("another program holds the store"), "{message}");
        assert!(!crate::runtime::health::is_ready(&ill, crate::runtime::keeper::local_now()));
        let asked = sim.stats().requests;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(sim.stats().requests, asked, "nothing is asked meanwhile");
        other.execute_batch("ROLLBACK").expect("let go");
        let well = status(&session, |s| s.store == StoreState::Writable).await;
        status(&session, |s| s.counted.looks >= well.counted.looks + 2).await;
        session.stop().await.expect("stops");
        // The answer that had to wait is a look like every other.
        let late = "SELECT count(*) FROM cycle WHERE degraded = 'store' AND look IS NOT NULL AND outcome = 'data'";
        assert_eq!(count(home.path(), late), 1);
        assert_eq!(
            count(home.path(), "SELECT count(*) FROM look"),
            count(home.path(), "SELECT count(*) FROM cycle WHERE look IS NOT NULL")
        );
        assert_eq!(count(home.path(), "SELECT count(*) FROM cycle WHERE commit_us = 0"), 0);
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn an_unexpected_end_of_judging_costs_one_answer() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let session = Session::start(config(home.path(), &sim, Some(KEY))).await.expect("starts");
        status(&session, |s| s.counted.looks >= 1).await;
        session.way_in.panic_next().await.expect("asked");
        let after = status(&session, |s| s.counted.failed >= 1).await;
        let reasons: Vec<_> =
            after.questions.iter().filter_map(|q| Some(q.failure.as_ref()?.reason.as_str())).collect();
        assert_eq!(reasons, ["panic"]);
        status(&session, |s| s.counted.looks > after.counted.looks).await;
        session.stop().await.expect("stops");
        assert_eq!(count(home.path(), "SELECT count(*) FROM cycle WHERE degraded = 'panic'"), 1);
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn other_settings_are_put_into_force_while_it_runs() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let first = config(home.path(), &sim, Some(KEY));
        let (client, clock) = (first.client.clone(), first.follow.clock.clone());
        let mut session = Session::start(first).await.expect("starts");
        status(&session, |s| s.counted.looks >= 1).await;
        let live = |client: ClientConfig, sports: &[&str]| LiveConfig {
            client,
            follow: FollowConfig {
                sports: sports.iter().map(|s| (*s).to_owned()).collect(),
                ask: Ask::new(&["h2h".into()], BookFilter::choose(&[], &["pinnacle".into()])),
                pacing: Pacing::Steady(Cadence::of(10_000)),
                clock: clock.clone(),
                needs: Vec::new(),
                watch_in_play: false,
            },
            engine: EngineSettings { max_age_ms: 1234, ..EngineSettings::default() },
            retention: Retention::default(),
            key: None,
            exchange: None,
        };
        session.apply(live(client.clone(), &["icehockey_nhl"])).await.expect("taken");
        let other =
            status(&session, |s| s.question("icehockey_nhl", Endpoint::Odds).is_some_and(|q| q.answer.is_some()));
        let other = other.await;
        assert!(other.question("basketball_nba", Endpoint::Odds).is_none(), "{other:?}");
        // An address that cannot be used changes nothing.
        let odd = ClientConfig { base_url: "http://example.com".into(), ..client };
        assert!(session.apply(live(odd, &["baseball_mlb"])).await.is_err());
        let looks = other.counted.looks;
        let same = status(&session, |s| s.counted.looks > looks).await;
        assert!(same.question("baseball_mlb", Endpoint::Odds).is_none());
        session.stop().await.expect("stops");
        assert_eq!(count(home.path(), "SELECT count(*) FROM analysis_setting"), 2, "the new rules are noted");
        sim.shutdown().await;
    }

    #[tokio::test]
    async fn a_store_that_is_held_by_a_daemon_is_a_typed_error() {
        let (home, sim) = (tempfile::tempdir().expect("folder"), sim().await);
        let _held = crate::store::Store::open(&home.path().join("stratum.db")).expect("store");
        let error = Session::start(config(home.path(), &sim, None)).await.expect_err("held");
        let locked =
            matches!(&error, SessionError::Pipeline(PipelineError::Store(crate::store::StoreError::Locked { .. })));
        assert!(locked, "{error}");
        sim.shutdown().await;
    }
}
