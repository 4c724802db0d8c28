//! The pipeline from outside: answers go in, are judged and stored by [`super::judge`], and come out announced.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::exchange::{ExchangeNews, NewListings, NewPrices};
use super::intake::Taken;
use super::judge::Judge;
use super::keeper::Keeper;
pub use super::published::Published;
use super::watchdog::Pulse;
use crate::alerts::notice::Notice;
use crate::engine::EngineSettings;
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::recording::RecordingError;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::credit::{Billing, GameRow};
use crate::store::credit_elsewhere::HeardCredits;
use crate::store::hub::{Applied, Incoming, PutBack, PutBackDone, Told};
use crate::store::outbox::{Attempted, NewMessage, Outgoing};
use crate::store::raw::RawAnswer;
use crate::store::{Retention, Store, StoreError};

/// Answers that may wait to be judged; a poller that is faster waits for its place.
const WAITING: usize = 8;
/// Announcements that a slow reader may fall behind; it then reads the store instead.
const BEHIND: usize = 256;

/// What came of one answer.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// What was taken; `None` when there was nothing to take or it could not be read.
    pub taken: Option<Taken>,
    /// Started games of the sport without a final score.
    pub under_way: u64,
    /// Games of the sport, half a day back and eight days ahead, by start and number; `None`: they cannot be told now.
    pub games: Option<Vec<GameRow>>,
    /// Why the answer could not be used after all.
    pub malformed: Option<String>,
}

/// What the planner knows of a call, to be kept with what comes of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Noted {
    /// How near the next start was.
    pub tier: Option<&'static str>,
    /// What goes into the ledger.
    pub billing: Option<Billing>,
}

/// Sums over the life of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// What was taken.
    pub taken: Taken,
    /// Calls that brought no usable answer.
    pub failed: u64,
    /// Credits billed.
    pub credits: u64,
    /// Credits left, as last told.
    pub remaining: Option<u64>,
    /// Time from bytes to commit, all looks together.
    pub took: Duration,
    /// The slowest look.
    pub slowest: Duration,
    /// Answers that were paid for and could not be stored.
    pub lost: u64,
}

/// Why a pipeline did not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// No thread could be started.
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A thread ended by a panic; its report says where.
    #[error("the judging thread ended unexpectedly; see the log")]
    Panicked,
}

/// How to run a pipeline.
#[derive(Debug)]
pub struct PipelineConfig {
    /// The store.
    pub store: PathBuf,
    /// How to judge.
    pub engine: EngineSettings,
    /// What to keep.
    pub retention: Retention,
    /// Keep answers as they came.
    pub keep_raw: bool,
    /// Write answers to this recording too.
    pub record: Option<PathBuf>,
    /// Never to be written into a recording.
    pub secret: Vec<SecretString>,
    /// Named in every look and recorded line, such as `DEMO`.
    pub origin: Option<String>,
}

/// Where the rules of alerts are, and who is woken when there is something to deliver.
#[derive(Debug)]
pub struct Telling {
    /// The desk.
    pub desk: PathBuf,
    /// Changes after each commit that has something to deliver.
    pub wake: watch::Sender<u64>,
    /// What cannot be put into the outbox because the store cannot be written: tried once, without it.
    pub direct: mpsc::UnboundedSender<Vec<NewMessage>>,
}

pub(super) enum Job {
    Fetched {
        fetched: Box<Fetched>,
        noted: Box<Noted>,
        at: Timestamp,
        /// When it was handed over.
        queued: Instant,
        reply: oneshot::Sender<Judged>,
    },
    Raw(RawAnswer),
    /// Note what came of deliveries.
    Attempts {
        attempts: Vec<Attempted>,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Something of the program itself that may be told.
    Notice(Notice),
    /// Deliver this.
    Tell {
        outgoing: Box<Outgoing>,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// What an exchange told.
    Exchange {
        news: Box<ExchangeNews>,
        reply: oneshot::Sender<Result<(), NotKept>>,
    },
    /// What an exchange lists.
    Listings {
        news: Box<NewListings>,
        reply: oneshot::Sender<Result<Numbers, NotKept>>,
    },
    /// Middles of the past of a contract.
    Prices {
        prices: Box<NewPrices>,
        reply: oneshot::Sender<Result<u64, NotKept>>,
    },
    /// Take back what an exchange told of a game since then: it was another game's.
    Disown {
        sport: String,
        event: EventId,
        since: Timestamp,
        reply: oneshot::Sender<Result<u64, NotKept>>,
    },
    /// A stretch of the hub's log.
    HubApply {
        incoming: Box<Incoming>,
        reply: oneshot::Sender<Result<Applied, NotKept>>,
    },
    /// What the hub has taken.
    HubTold {
        told: Box<Told>,
        reply: oneshot::Sender<Result<(), NotKept>>,
    },
    /// The hub was put back to an earlier moment.
    HubPutBack {
        there: Box<PutBack>,
        reply: oneshot::Sender<Result<PutBackDone, NotKept>>,
    },
    /// What the hub told of the desk's credits.
    HearCredits(Box<HeardCredits>),
    /// Watch these games in play.
    InPlay(Vec<String>),
    /// Mask this in the recording too.
    Hide(SecretString),
    /// Judge by these from the next look on, and keep so much.
    Rules {
        engine: Box<EngineSettings>,
        retention: Retention,
    },
    #[cfg(test)]
    Panic,
    Stop,
}

/// Numbers of listings, each with those of its contracts.
pub(super) type Numbers = Vec<(i64, Vec<i64>)>;

/// Something could not be judged or kept now; whoever told it tells it again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotKept(pub String);

/// A running pipeline.
#[derive(Debug)]
pub struct Pipeline {
    way_in: WayIn,
    published: broadcast::Sender<Published>,
    ended: CancellationToken,
    thread: JoinHandle<Result<Tally, PipelineError>>,
}

/// Where answers are handed over. Clones lead to the same pipeline.
#[derive(Clone, Debug)]
pub struct WayIn {
    jobs: SyncSender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fetched { .. } => "Fetched",
            Self::Raw(_) => "Raw",
            Self::Attempts { .. } => "Attempts",
            Self::Notice(_) => "Notice",
            Self::Tell { .. } => "Tell",
            Self::Exchange { .. } => "Exchange",
            Self::Listings { .. } => "Listings",
            Self::Prices { .. } => "Prices",
            Self::Disown { .. } => "Disown",
            Self::HubApply { .. } => "HubApply",
            Self::HubTold { .. } => "HubTold",
            Self::HubPutBack { .. } => "HubPutBack",
            Self::HearCredits(_) => "HearCredits",
            Self::InPlay(_) => "InPlay",
            Self::Hide(_) => "Hide",
            Self::Rules { .. } => "Rules",
            #[cfg(test)]
            Self::Panic => "Panic",
            Self::Stop => "Stop",
        })
    }
}

impl Pipeline {
    /// Opens the store, brings the engine to where it stopped, and starts to judge. What comes of it is noted with
    /// `keeper`, and told of where `telling` says so; `pulse` is its sign of life. Takes as long as the store is large:
    /// seconds at worst.
    ///
    /// # Errors
    /// [`PipelineError`] when the store or the recording cannot be opened.
    pub fn start(
        config: PipelineConfig,
        telling: Option<Telling>,
        keeper: Keeper,
        pulse: Pulse,
    ) -> Result<Self, PipelineError> {
        let store = open(&config.store)?;
        let (jobs, inbox) = sync_channel(WAITING);
        let (published, _) = broadcast::channel(BEHIND);
        let ended = CancellationToken::new();
        let way_in = WayIn { jobs };
        let path = config.store.clone();
        let judge = Judge::new(store, config, way_in.jobs.clone(), published.clone(), keeper, telling, pulse.clone());
        let judge = judge.map_err(|e| match e {
            PipelineError::Store(e) => PipelineError::Store(e.at(&path)),
            other => other,
        })?;
        let (end, rest) = (ended.clone().drop_guard(), pulse.resting_at_the_end());
        let thread = std::thread::Builder::new().name("judge".into()).spawn(move || {
            // However the thread ends, those who wait for its end hear of it, and nobody waits for its signs of life.
            let (_end, _rest) = (end, rest);
            judge.run(&inbox)
        })?;
        Ok(Self { way_in, published, ended, thread })
    }

    /// Announcements from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// The sending end of the announcements, for those who subscribe many times.
    pub fn publisher(&self) -> broadcast::Sender<Published> {
        self.published.clone()
    }

    /// Where answers are handed over.
    pub fn way_in(&self) -> WayIn {
        self.way_in.clone()
    }

    /// Cancelled once the pipeline has ended, by itself or by [`Pipeline::stop`].
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Judges what waits, then stops. On return everything is committed.
    ///
    /// # Errors
    /// What ended the pipeline early, if anything did.
    pub fn stop(self) -> Result<Tally, PipelineError> {
        // A pipeline that has ended by itself takes no job any more; its result tells why.
        let _ = self.way_in.jobs.send(Job::Stop);
        self.thread.join().map_err(|_| PipelineError::Panicked)?
    }
}

/// Opens the store. Whoever asks who writes it holds its lock for a moment; that is no reason not to start.
fn open(path: &Path) -> Result<Store, StoreError> {
    /// Longer than anybody needs to ask.
    const MOMENT: Duration = Duration::from_millis(50);
    match Store::open(path) {
        Err(StoreError::Locked { .. }) => {
            std::thread::sleep(MOMENT);
            Store::open(path)
        }
        opened => opened,
    }
}

impl WayIn {
    /// Hands over what came of a call, received at `at`. Waits while the pipeline is busy with earlier ones.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn judge(&self, fetched: Fetched, at: Timestamp, noted: Noted) -> Result<Judged, PipelineError> {
        let (reply, answer) = oneshot::channel();
        let (fetched, noted) = (Box::new(fetched), Box::new(noted));
        self.send(Job::Fetched { fetched, at, noted, queued: Instant::now(), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Masks `secret` in the recording from the next answer on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn hide(&self, secret: SecretString) -> Result<(), PipelineError> {
        self.send(Job::Hide(secret)).await
    }

    /// Judges by these settings from the next look on, and keeps so much.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn rules(&self, engine: EngineSettings, retention: Retention) -> Result<(), PipelineError> {
        self.send(Job::Rules { engine: Box::new(engine), retention }).await
    }

    /// Has something delivered that no rule asked for. The inner error: it could not be written, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn tell(&self, outgoing: Outgoing) -> Result<Result<(), StoreError>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Tell { outgoing: Box::new(outgoing), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has what an exchange told judged and kept. The inner error: it could not be, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn exchange(&self, news: ExchangeNews) -> Result<Result<(), NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Exchange { news: Box::new(news), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has listings kept, and answers their numbers. The inner error: they could not be, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn exchange_listings(&self, news: NewListings) -> Result<Result<Numbers, NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Listings { news: Box::new(news), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has middles of the past kept, and answers how many are new. The inner error: they could not be.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn exchange_prices(&self, prices: NewPrices) -> Result<Result<u64, NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Prices { prices: Box::new(prices), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Takes back what an exchange told of a game since `since`, and answers how many looks were judged again. The inner
    /// error: it could not be.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn exchange_disown(
        &self,
        sport: String,
        event: EventId,
        since: Timestamp,
    ) -> Result<Result<u64, NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Disown { sport, event, since, reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// From the next look on these games, by the provider's ids, are watched for shocks while they are in play.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn watch_in_play(&self, games: Vec<String>) -> Result<(), PipelineError> {
        self.send(Job::InPlay(games)).await
    }

    /// Has a stretch of the hub's log taken in. The inner error: it could not be, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn hub_apply(&self, incoming: Incoming) -> Result<Result<Applied, NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::HubApply { incoming: Box::new(incoming), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has noted what the hub has taken. The inner error: it could not be, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn hub_told(&self, told: Told) -> Result<Result<(), NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::HubTold { told: Box::new(told), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has the store go on with a hub that was put back. The inner error: it could not, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn hub_put_back(&self, there: PutBack) -> Result<Result<PutBackDone, NotKept>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::HubPutBack { there: Box::new(there), reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Has kept what the hub told of the desk's credits.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn hear_credits(&self, heard: HeardCredits) -> Result<(), PipelineError> {
        self.send(Job::HearCredits(Box::new(heard))).await
    }

    /// The next answer ends unexpectedly.
    #[cfg(test)]
    pub(super) async fn panic_next(&self) -> Result<(), PipelineError> {
        self.send(Job::Panic).await
    }

    /// Says something of the program itself; whether it is told is decided with the rules.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn notice(&self, notice: Notice) -> Result<(), PipelineError> {
        self.send(Job::Notice(notice)).await
    }

    /// Has what came of deliveries noted. The inner error: they could not be written, the pipeline goes on.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub(super) async fn note_attempts(
        &self,
        attempts: Vec<Attempted>,
    ) -> Result<Result<(), StoreError>, PipelineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Attempts { attempts, reply }).await?;
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Asks the pipeline to stop, if there is room to ask; does not wait for it.
    pub(super) fn ask_to_stop(&self) {
        let _ = self.jobs.try_send(Job::Stop);
    }

    async fn send(&self, mut job: Job) -> Result<(), PipelineError> {
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => job = back,
                Err(TrySendError::Disconnected(_)) => return Err(PipelineError::Panicked),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
