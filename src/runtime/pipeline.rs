//! The judging thread: the one owner of engine and store.
//!
//! Answers come in through a bounded channel, are taken one after the other, and are announced after their commit.
//! Compressing answers for the archive happens on another thread; clean-up happens when nothing waits.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::{broadcast, oneshot};

use super::intake::{self, Answer, IntakeError, Taken};
use super::{memory, warm};
use crate::engine::{Engine, EngineSettings};
use crate::feeds::odds_api;
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::outcome::Outcome;
use crate::feeds::recording::{Entry, RecordingError, RecordingWriter};
use crate::market::batch::Endpoint;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;
use crate::store::raw::{RawAnswer, body_hash};
use crate::store::{FetchRecord, Retention, Store, StoreError};

/// Answers that may wait to be judged; a poller that is faster waits for its place.
const WAITING: usize = 8;
/// Announcements that a slow reader may fall behind; it then reads the store instead.
const BEHIND: usize = 256;
/// Clean-up is looked at so often when nothing waits.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A committed look, announced.
#[derive(Clone, PartialEq, Debug)]
pub struct Published {
    /// Number of the look; never repeats, always rises.
    pub look: LookId,
    /// Sport key.
    pub sport: String,
    /// Which question.
    pub endpoint: Endpoint,
    /// When it was received.
    pub received_at: Timestamp,
    /// Quotes in it.
    pub quotes: u32,
    /// Rows of the change log.
    pub changes: u32,
    /// Issues found.
    pub issues: u32,
    /// From bytes to commit.
    pub took: Duration,
}

/// What came of one answer.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// What was taken; `None` when there was nothing to take or it could not be read.
    pub taken: Option<Taken>,
    /// Started games of the sport without a final score.
    pub under_way: u64,
    /// Why the answer could not be used after all.
    pub malformed: Option<String>,
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
    pub secret: Option<SecretString>,
    /// Named in every look and recorded line, such as `DEMO`.
    pub origin: Option<String>,
}

enum Job {
    Fetched { fetched: Box<Fetched>, at: Timestamp, reply: oneshot::Sender<Judged> },
    Raw(RawAnswer),
    Stop,
}

/// A running pipeline.
#[derive(Debug)]
pub struct Pipeline {
    jobs: SyncSender<Job>,
    published: broadcast::Sender<Published>,
    thread: JoinHandle<Result<Tally, PipelineError>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fetched { .. } => "Fetched",
            Self::Raw(_) => "Raw",
            Self::Stop => "Stop",
        })
    }
}

impl Pipeline {
    /// Opens the store, brings the engine to where it stopped, and starts to judge.
    ///
    /// # Errors
    /// [`PipelineError`] when the store or the recording cannot be opened.
    pub fn start(config: PipelineConfig) -> Result<Self, PipelineError> {
        let mut store = Store::open(&config.store)?;
        let engine = warm::engine(&store, config.engine.clone())?;
        store.note_settings(engine.next_look(), &config.engine.note())?;
        memory::give_back();
        let recorder = match &config.record {
            None => None,
            Some(path) => {
                let writer = RecordingWriter::append(path)?;
                Some(match &config.secret {
                    Some(secret) => writer.hiding(secret.clone()),
                    None => writer,
                })
            }
        };
        let (jobs, inbox) = sync_channel(WAITING);
        let (published, _) = broadcast::channel(BEHIND);
        let packer = Packer::start(jobs.clone())?;
        let judge = Judge {
            store,
            engine,
            recorder,
            config,
            packer,
            published: published.clone(),
            tally: Tally::default(),
            now: Timestamp::default(),
        };
        let thread = std::thread::Builder::new().name("judge".into()).spawn(move || judge.run(&inbox))?;
        Ok(Self { jobs, published, thread })
    }

    /// Announcements from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// Hands over what came of a call, received at `at`. Waits while the pipeline is busy with earlier ones.
    ///
    /// # Errors
    /// [`PipelineError::Panicked`] when the pipeline has ended.
    pub async fn judge(&self, fetched: Fetched, at: Timestamp) -> Result<Judged, PipelineError> {
        let (reply, answer) = oneshot::channel();
        let mut job = Job::Fetched { fetched: Box::new(fetched), at, reply };
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => job = back,
                Err(TrySendError::Disconnected(_)) => return Err(PipelineError::Panicked),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        answer.await.map_err(|_| PipelineError::Panicked)
    }

    /// Judges what waits, then stops. On return everything is committed.
    ///
    /// # Errors
    /// What ended the pipeline early, if anything did.
    pub fn stop(self) -> Result<Tally, PipelineError> {
        // A pipeline that has ended by itself takes no job any more; its result tells why.
        let _ = self.jobs.send(Job::Stop);
        self.thread.join().map_err(|_| PipelineError::Panicked)?
    }
}

/// Compresses answers away from the judging thread.
struct Packer {
    inbox: SyncSender<(Vec<u8>, [u8; 16], Timestamp)>,
}

impl Packer {
    fn start(back: SyncSender<Job>) -> std::io::Result<Self> {
        let (inbox, work) = sync_channel::<(Vec<u8>, [u8; 16], Timestamp)>(2);
        std::thread::Builder::new().name("packer".into()).spawn(move || {
            for (body, hash, at) in work {
                match RawAnswer::pack(&body, hash, at) {
                    // The judge never waits for this thread, so this wait ends. An error means that it is gone.
                    Ok(raw) => drop(back.send(Job::Raw(raw))),
                    Err(e) => tracing::warn!(error = %e, "an answer was not kept"),
                }
            }
        })?;
        Ok(Self { inbox })
    }

    /// Hands over an answer, unless two are waiting already: the archive is no reason to be late.
    fn pack(&self, body: Vec<u8>, hash: [u8; 16], at: Timestamp) {
        if self.inbox.try_send((body, hash, at)).is_err() {
            tracing::warn!("an answer was not kept: the archive is behind");
        }
    }
}

struct Judge {
    store: Store,
    engine: Engine,
    recorder: Option<RecordingWriter>,
    config: PipelineConfig,
    packer: Packer,
    published: broadcast::Sender<Published>,
    tally: Tally,
    /// The newest instant heard of: the clock of the clean-up.
    now: Timestamp,
}

impl Judge {
    fn run(mut self, inbox: &Receiver<Job>) -> Result<Tally, PipelineError> {
        let mut tidied = Instant::now();
        loop {
            match inbox.recv_timeout(Duration::from_secs(1)) {
                Ok(Job::Fetched { fetched, at, reply }) => {
                    self.now = self.now.max(at);
                    let judged = self.fetched(*fetched, at)?;
                    // A caller that has gone away no longer wants to know.
                    let _ = reply.send(judged);
                }
                Ok(Job::Raw(raw)) => self.store.keep_raw(&raw)?,
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.store.tidy()?;
                    if tidied.elapsed() >= TIDY_EVERY {
                        let kept = self.store.retain(&self.config.retention, self.now)?;
                        if kept.is_done() {
                            tidied = Instant::now();
                        }
                    }
                }
            }
        }
        // Answers that were being packed arrive within moments; none of them is waited for longer.
        while let Ok(job) = inbox.recv_timeout(Duration::from_millis(200)) {
            if let Job::Raw(raw) = job {
                self.store.keep_raw(&raw)?;
            }
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        Ok(self.tally)
    }

    fn fetched(&mut self, mut fetched: Fetched, at: Timestamp) -> Result<Judged, PipelineError> {
        let at = self.forward(&fetched.sport, at)?;
        let mut judged = Judged::default();
        let mut record = fetch_record(&fetched, at);
        if let Some(cost) = fetched.charged() {
            self.tally.credits += cost;
        }
        self.tally.remaining = fetched.quota.remaining.or(self.tally.remaining);
        match &fetched.outcome {
            Outcome::Data { body, format, .. } | Outcome::NoEvents { body, format, .. } => {
                self.record(&fetched, body, at)?;
                let answer = Answer {
                    source: odds_api::SOURCE,
                    sport: &fetched.sport,
                    endpoint: Some(fetched.endpoint),
                    received_at: at,
                    scope: fetched.scope.clone(),
                    format: Some(*format),
                    body,
                    origin: Some(self.config.origin.as_deref().unwrap_or(fetched.purpose.name())),
                    cost: fetched.charged().and_then(|c| i64::try_from(c).ok()),
                    remaining: fetched.quota.remaining.and_then(|c| i64::try_from(c).ok()),
                };
                let began = Instant::now();
                match intake::take(&mut self.engine, &mut self.store, &answer) {
                    Ok((taken, looks)) => {
                        let took = began.elapsed();
                        self.tally.taken.add(taken);
                        self.tally.took += took;
                        self.tally.slowest = self.tally.slowest.max(took);
                        record.look = Some(taken.last_look);
                        judged.taken = Some(taken);
                        self.announce(&looks, took);
                    }
                    Err(IntakeError::Wire(e)) => {
                        tracing::warn!(sport = %fetched.sport, endpoint = fetched.endpoint.name(), error = %e,
                            "an answer could not be read");
                        record.outcome = "unavailable".into();
                        record.reason = Some("malformed".into());
                        record.message = Some(e.to_string());
                        judged.malformed = Some(e.to_string());
                    }
                    Err(IntakeError::Store(e)) => {
                        // The engine is ahead of the store now; only what is stored counts.
                        tracing::error!(error = %e, "a look could not be stored");
                        self.engine = Engine::default();
                        self.engine = warm::engine(&self.store, self.config.engine.clone())?;
                        record.outcome = "unavailable".into();
                        record.reason = Some("store".into());
                        record.message = Some(e.to_string());
                    }
                }
            }
            Outcome::Unavailable { .. } => {}
        }
        if judged.taken.is_none() {
            self.tally.failed += 1;
        }
        if judged.malformed.is_some() {
            fetched.report_malformed();
        }
        self.store.log_fetch(&record)?;
        const WITHIN_MS: i64 = 12 * 3_600_000;
        judged.under_way = self.store.unfinished(&fetched.sport, at, WITHIN_MS)?;
        if self.config.keep_raw
            && judged.taken.is_some()
            && let Outcome::Data { body, .. } = fetched.outcome
        {
            let hash = body_hash(&body);
            self.packer.pack(body, hash, at);
        }
        Ok(judged)
    }

    /// A clock that was set back must not reorder the looks of a sport.
    fn forward(&self, sport: &str, at: Timestamp) -> Result<Timestamp, StoreError> {
        let newest = self.store.newest_look(odds_api::SOURCE, sport)?;
        Ok(match newest.filter(|newest| *newest > at) {
            None => at,
            Some(newest) => {
                tracing::warn!(%at, %newest, sport, "the clock runs behind the newest look; its instant is used");
                newest
            }
        })
    }

    fn announce(&self, looks: &[crate::engine::changes::Look], took: Duration) {
        for look in looks {
            let published = Published {
                look: look.id,
                sport: self.engine.names().sport(look.sport).to_owned(),
                endpoint: look.endpoint,
                received_at: look.received_at,
                quotes: look.quotes,
                changes: look.changes,
                issues: look.issues,
                took,
            };
            tracing::debug!(look = look.id.0, sport = %published.sport, changes = look.changes, ?took, "look");
            // Nobody listening is fine: the store has it.
            let _ = self.published.send(published);
        }
    }

    fn record(&mut self, fetched: &Fetched, body: &[u8], at: Timestamp) -> Result<(), PipelineError> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        recorder.write(&Entry {
            source: Some(odds_api::SOURCE),
            endpoint: Some(fetched.endpoint),
            sport: Some(&fetched.sport),
            asked: Some(&fetched.scope),
            status: Some(200),
            origin: self.config.origin.as_deref(),
            ..Entry::new(at, body)
        })?;
        Ok(())
    }
}

fn fetch_record(fetched: &Fetched, at: Timestamp) -> FetchRecord {
    let (reason, message) = match &fetched.outcome {
        Outcome::Unavailable { reason, message, .. } => (Some(reason.name().to_owned()), Some(message.clone())),
        Outcome::Data { .. } | Outcome::NoEvents { .. } => (None, None),
    };
    FetchRecord {
        at,
        source: odds_api::SOURCE.to_owned(),
        endpoint: fetched.endpoint.name().to_owned(),
        sport: fetched.sport.clone(),
        purpose: fetched.purpose.name().to_owned(),
        outcome: if reason.is_some() { "unavailable".to_owned() } else { fetched.outcome.name().to_owned() },
        reason,
        http: fetched.attempts.last().and_then(|a| a.status),
        attempts: u32::try_from(fetched.attempts.len()).unwrap_or(u32::MAX),
        elapsed_ms: u64::try_from(fetched.elapsed.as_millis()).unwrap_or(u64::MAX),
        bytes: fetched.outcome.body().map_or(0, |b| b.len() as u64),
        cost: fetched.charged().and_then(|c| i64::try_from(c).ok()),
        remaining: fetched.quota.remaining.and_then(|c| i64::try_from(c).ok()),
        look: None,
        message,
    }
}
