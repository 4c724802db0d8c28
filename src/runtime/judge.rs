//! The judging thread: the one owner of engine and store.
//!
//! Answers come in through a bounded channel, are taken one after the other, and are announced after their commit.
//! Compressing answers for the archive happens on another thread; clean-up happens when nothing waits.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::intake::{self, Answer, IntakeError, Taken, Took};
use super::keeper::{CycleWindow, Keeper, local_now};
use super::pipeline::{Job, Judged, PipelineConfig, PipelineError, Tally};
use super::published::Published;
use super::status::{AnswerNote, Cycle, FailureNote, Part, Steps};
use super::teller::{self, Teller};
use super::warm;
use crate::engine::{Changes, Engine};
use crate::feeds::odds_api;
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::outcome::Outcome;
use crate::feeds::recording::{Entry, RecordingWriter};
use crate::market::time::Timestamp;
use crate::store::raw::{RawAnswer, body_hash};
use crate::store::{FetchRecord, LookMeta, Store, StoreError};

/// Clean-up is looked at so often when nothing waits.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// After work, and while there is more to clean up, the thread looks up so soon.
const SOON: Duration = Duration::from_secs(1);
/// With nothing to clean up it sleeps so long.
const IDLE: Duration = Duration::from_secs(10);

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

pub(super) struct Judge {
    store: Store,
    engine: Engine,
    recorder: Option<RecordingWriter>,
    config: PipelineConfig,
    packer: Packer,
    published: broadcast::Sender<Published>,
    keeper: Keeper,
    tally: Tally,
    cycle: CycleWindow,
    /// Tells of looks, where anybody is to be told.
    teller: Option<Teller>,
    /// The newest instant heard of: the clock of the clean-up.
    now: Timestamp,
}

impl Judge {
    pub(super) fn new(
        store: Store,
        engine: Engine,
        recorder: Option<RecordingWriter>,
        config: PipelineConfig,
        back: SyncSender<Job>,
        published: broadcast::Sender<Published>,
        keeper: Keeper,
        teller: Option<Teller>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            store,
            engine,
            recorder,
            config,
            packer: Packer::start(back)?,
            published,
            keeper,
            tally: Tally::default(),
            cycle: CycleWindow::default(),
            teller,
            now: Timestamp::default(),
        })
    }

    /// Judges until it is told to stop.
    pub(super) fn run(mut self, inbox: &Receiver<Job>) -> Result<Tally, PipelineError> {
        let ended = self.judge(inbox);
        if let Err(e) = &ended {
            self.keeper.complain(Part::Store, &e.to_string());
        }
        ended.map(|()| self.tally)
    }

    fn judge(&mut self, inbox: &Receiver<Job>) -> Result<(), PipelineError> {
        let mut tidied = Instant::now();
        let mut wait = SOON;
        loop {
            match inbox.recv_timeout(wait) {
                Ok(Job::Fetched { fetched, at, reply }) => {
                    self.now = self.now.max(at);
                    let judged = self.fetched(*fetched, at)?;
                    // A caller that has gone away no longer wants to know.
                    let _ = reply.send(judged);
                    wait = SOON;
                }
                Ok(Job::Raw(raw)) => {
                    self.store.keep_raw(&raw)?;
                    wait = SOON;
                }
                Ok(Job::Attempts { attempts, reply }) => {
                    let _ = reply.send(self.store.note_attempts(&attempts));
                    wait = SOON;
                }
                Ok(Job::Notice(notice)) => {
                    if let Some(teller) = &mut self.teller
                        && let Err(e) = teller.notice(&mut self.store, &notice)
                    {
                        tracing::warn!(error = %e, trouble = notice.trouble.name(), "a notice could not be stored");
                        self.keeper.complain(Part::Store, &e.to_string());
                    }
                    wait = SOON;
                }
                Ok(Job::Hide(secret)) => self.recorder = self.recorder.take().map(|r| r.hiding(secret)),
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.store.tidy()?;
                    wait = IDLE;
                    if tidied.elapsed() >= TIDY_EVERY {
                        let kept = self.store.retain(&self.config.retention, self.now)?;
                        if kept.is_done() {
                            tidied = Instant::now();
                        } else {
                            wait = SOON;
                        }
                    }
                }
            }
            if let Some(teller) = &mut self.teller {
                teller.poll(&mut self.store)?;
                // The desk is looked at however little happens.
                wait = wait.min(teller::EVERY);
            }
        }
        // Answers that were being packed arrive within moments; none of them is waited for longer.
        while let Ok(job) = inbox.recv_timeout(Duration::from_millis(200)) {
            match job {
                Job::Raw(raw) => self.store.keep_raw(&raw)?,
                // What was delivered in the last moment is not to be delivered again.
                Job::Attempts { attempts, reply } => drop(reply.send(self.store.note_attempts(&attempts))),
                _ => {}
            }
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        Ok(())
    }

    fn fetched(&mut self, mut fetched: Fetched, at: Timestamp) -> Result<Judged, PipelineError> {
        let at = self.forward(&fetched.sport, at)?;
        let mut judged = Judged::default();
        let mut record = fetch_record(&fetched, at);
        let mut cycle = None;
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
                let mut steps = Took::default();
                let teller = &mut self.teller;
                let commit = |engine: &Engine, store: &mut Store, changes: &Changes, meta: &LookMeta| match teller {
                    Some(teller) => teller.commit(engine, store, changes, meta),
                    None => store.commit(changes, meta),
                };
                match intake::take_timed(&mut self.engine, &mut self.store, &answer, &mut steps, commit) {
                    Ok((taken, looks)) => {
                        let took = began.elapsed();
                        cycle = Some(self.cycle.add(in_micros(took, steps)));
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
                        self.keeper.complain(Part::Answer, &e.to_string());
                        record.outcome = "unavailable".into();
                        record.reason = Some("malformed".into());
                        record.message = Some(e.to_string());
                        judged.malformed = Some(e.to_string());
                    }
                    Err(IntakeError::Store(e)) => {
                        // The engine is ahead of the store now; only what is stored counts.
                        tracing::error!(error = %e, "a look could not be stored");
                        self.keeper.complain(Part::Store, &e.to_string());
                        self.engine = Engine::default();
                        self.engine = warm::engine(&self.store, self.config.engine.clone())?;
                        if let Some(teller) = &mut self.teller {
                            teller.stand_by(&self.store, &self.engine)?;
                        }
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
        self.note(&fetched, &record, judged.taken.as_ref(), cycle);
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

    /// Tells those who watch what came of a call.
    fn note(&self, fetched: &Fetched, record: &FetchRecord, taken: Option<&Taken>, cycle: Option<Cycle>) {
        let now = local_now();
        let sport = self.keeper.clean(&fetched.sport);
        let message = record.message.as_deref().map(|m| self.keeper.clean(m)).unwrap_or_default();
        self.keeper.change(|s| {
            let charged = fetched.charged();
            s.credits.spent = s.credits.spent.saturating_add(charged.unwrap_or_default());
            if let Some(remaining) = fetched.quota.remaining {
                s.credits.remaining = Some(remaining);
                s.credits.told_at = Some(now);
            }
            if let Some(cycle) = cycle {
                s.cycle = cycle;
            }
            let question = s.question_mut(odds_api::SOURCE, &sport, fetched.endpoint);
            let Some(taken) = taken else {
                let reason = record.reason.clone().unwrap_or_default();
                question.failure = Some(FailureNote { at: now, reason, message });
                s.counted.failed += 1;
                return;
            };
            question.answer = Some(AnswerNote {
                at: now,
                outcome: record.outcome.clone(),
                credits: charged,
                quotes: taken.quotes,
                changes: taken.changes,
            });
            s.look = s.look.max(taken.last_look);
            s.counted.looks += u64::from(taken.looks);
            s.counted.quotes += taken.quotes;
            s.counted.changes += taken.changes;
            s.counted.issues += taken.issues;
        });
    }

    /// A clock that was set back must not reorder the looks of a sport.
    fn forward(&self, sport: &str, at: Timestamp) -> Result<Timestamp, StoreError> {
        let newest = self.store.newest_look(odds_api::SOURCE, sport)?;
        Ok(match newest.filter(|newest| *newest > at) {
            None => at,
            Some(newest) => {
                tracing::warn!(%at, %newest, sport, "the clock runs behind the newest look; its instant is used");
                self.keeper.complain(Part::Clock, "the clock runs behind the newest look; its instant is used");
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

fn in_micros(total: Duration, took: Took) -> Steps {
    let us = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    Steps { total_us: us(total), read_us: us(took.read), apply_us: us(took.apply), commit_us: us(took.commit) }
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
