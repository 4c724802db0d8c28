//! One answer on its way through the judge: recorded, read, applied, committed, announced, and put into the status.

use std::time::{Duration, Instant};

use super::{Came, Judge};
use crate::engine::changes::Look;
use crate::engine::{Changes, Engine};
use crate::feeds::odds_api;
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::outcome::Outcome;
use crate::feeds::recording::{Entry, RecordingError, RecordingWriter};
use crate::market::batch::Batch;
use crate::market::time::Timestamp;
use crate::runtime::intake::{self, Answer, IntakeError, Taken, Took};
use crate::runtime::keeper::local_now;
use crate::runtime::mending::Waiting;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::published::Published;
use crate::runtime::status::{AnswerNote, Cycle, FailureNote, Part, Steps};
use crate::store::cycle::{CycleRecord, Stages};
use crate::store::raw::body_hash;
use crate::store::{FetchRecord, LookMeta, Store, StoreError};

/// An account with so few credits left makes a cycle a degraded one.
const LOW_CREDITS: u64 = 200;
/// A recording that failed is begun again after this.
const RECORD_AGAIN: Duration = Duration::from_secs(60);

impl Judge {
    /// Takes what came of a call as far as the commit. `late`: it has waited for the store.
    ///
    /// # Errors
    /// [`PipelineError::Store`] when nothing of it could be stored; the call may be made again.
    pub(super) fn fetched(&mut self, waiting: &mut Waiting, late: bool) -> Result<Came, PipelineError> {
        #[cfg(test)]
        assert!(!std::mem::take(&mut self.panics_next), "on purpose");
        let (at, behind) = self.forward(waiting, late)?;
        let mut came = Came { fetch: fetch_record(waiting, at), ..Came::default() };
        let mut degraded = waiting.fetched.outcome.unavailable().map(|reason| reason.name());
        let (mut steps, mut publish, mut cycle) = (Took::default(), Duration::ZERO, None);
        if waiting.fetched.outcome.body().is_some() && !waiting.recorded {
            self.record(waiting, at);
            waiting.recorded = true;
        }
        let fetched = &waiting.fetched;
        if let Outcome::Data { body, format, .. } | Outcome::NoEvents { body, format, .. } = &fetched.outcome {
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
            // It may have been committed after all when that was said to have failed.
            let known = late && self.store.knows_look(odds_api::SOURCE, &fetched.sport, at, &body_hash(body))?;
            let began = Instant::now();
            let teller = &mut self.teller;
            let commit = |engine: &Engine, store: &mut Store, changes: &Changes, meta: &LookMeta, batch: &Batch<'_>| {
                match teller {
                    Some(teller) => teller.commit(engine, store, changes, meta, batch),
                    None => store.commit(changes, meta),
                }
            };
            let take = || intake::take_timed(&mut self.engine, &mut self.store, &answer, &mut steps, commit);
            match if known { Ok(Default::default()) } else { take() } {
                Ok((taken, looks)) => {
                    let took = began.elapsed();
                    cycle = Some(self.cycle.add(in_micros(took, steps)));
                    self.tally.taken.add(taken);
                    self.tally.took += took;
                    self.tally.slowest = self.tally.slowest.max(took);
                    came.fetch.look = Some(taken.last_look);
                    came.judged.taken = Some(taken);
                    let began = Instant::now();
                    self.announce(&looks, took);
                    publish = began.elapsed();
                }
                Err(IntakeError::Wire(e)) => {
                    tracing::warn!(sport = %fetched.sport, endpoint = fetched.endpoint.name(), error = %e,
                        "an answer could not be read");
                    self.keeper.complain(Part::Answer, &e.to_string());
                    degraded = Some("malformed");
                    refuse(&mut came.fetch, "malformed", e.to_string());
                    came.judged.malformed = Some(e.to_string());
                }
                Err(IntakeError::Store(e)) => {
                    // The engine is ahead of the store now; only what is stored counts.
                    self.stale = true;
                    if e.trouble().is_some() || e.is_damage() {
                        return Err(e.into());
                    }
                    tracing::error!(error = %e, "a look could not be stored");
                    self.keeper.complain(Part::Store, &e.to_string());
                    degraded = Some("store");
                    refuse(&mut came.fetch, "store", e.to_string());
                }
            }
        }
        let low = fetched.quota.remaining.is_some_and(|left| left <= LOW_CREDITS);
        let degraded =
            degraded.or(late.then_some("store")).or(behind.then_some("clock")).or(low.then_some("low_credit"));
        self.count(fetched);
        if came.judged.taken.is_none() {
            self.tally.failed += 1;
        }
        if came.judged.malformed.is_some() {
            waiting.fetched.report_malformed();
        }
        came.cycle = cycle_record(waiting, &came, steps, publish, degraded);
        let row = &mut came.cycle;
        [row.alerts_queued, row.alerts_sent, row.alerts_failed] = self.keeper.meters().take_alerts();
        self.note(&waiting.fetched, &came.fetch, came.judged.taken.as_ref(), cycle);
        Ok(came)
    }

    /// A call of which nothing will be stored, and why.
    pub(super) fn failed_on(&mut self, waiting: &Waiting, why: &'static str) -> Came {
        let mut came = Came { fetch: fetch_record(waiting, waiting.at), ..Came::default() };
        if waiting.fetched.outcome.body().is_some() {
            refuse(&mut came.fetch, why, "judging this answer ended unexpectedly; see the log".to_owned());
        }
        self.count(&waiting.fetched);
        self.tally.failed += 1;
        came.cycle = cycle_record(waiting, &came, Took::default(), Duration::ZERO, Some(why));
        self.note(&waiting.fetched, &came.fetch, None, None);
        came
    }

    fn count(&mut self, fetched: &Fetched) {
        self.tally.credits += fetched.charged().unwrap_or_default();
        self.tally.remaining = fetched.quota.remaining.or(self.tally.remaining);
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
                // "Not asked, because earlier calls failed" explains nothing: what they failed of does.
                let known = question.failure.take().filter(|_| reason == "paused");
                question.failure = Some(match known {
                    Some(known) => FailureNote { at: now, ..known },
                    None => FailureNote { at: now, reason, message },
                });
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

    /// A clock that was set back, or runs behind that of a collector which polled before, must not reorder the looks of a
    /// sport, nor give two of them the same instant: what they found would bear the same id. Answers whether it was.
    fn forward(&self, waiting: &Waiting, late: bool) -> Result<(Timestamp, bool), StoreError> {
        let (sport, at) = (&waiting.fetched.sport, waiting.at);
        let newest = self.store.newest_look(odds_api::SOURCE, sport)?;
        let Some(newest) = newest.filter(|newest| *newest > at) else { return Ok((at, false)) };
        // The commit that was said to have failed may be that newest one.
        let known = match waiting.fetched.outcome.body() {
            Some(body) if late => self.store.knows_look(odds_api::SOURCE, sport, newest, &body_hash(body))?,
            _ => false,
        };
        let at = if known { newest } else { Timestamp::from_millis(newest.millis() + 1) };
        tracing::warn!(at = %waiting.at, %newest, sport, "the clock runs behind the newest look; its instant is used");
        self.keeper.complain(Part::Clock, "the clock runs behind the newest look; its instant is used");
        Ok((at, true))
    }

    pub(super) fn announce(&self, looks: &[Look], took: Duration) {
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

    /// Writes an answer into the recording. A recording that fails is no reason not to follow: it is begun again later.
    fn record(&mut self, waiting: &Waiting, at: Timestamp) {
        if self.record_again.is_some_and(|again| Instant::now() >= again) {
            self.record_again = None;
            if let Some(path) = &self.config.record {
                match RecordingWriter::append(path) {
                    Ok(writer) => {
                        tracing::warn!("the recording goes on");
                        let writer = self.config.secret.iter().fold(writer, |w, secret| w.hiding(secret.clone()));
                        self.recorder = Some(writer);
                    }
                    Err(e) => self.stop_recording(&e),
                }
            }
        }
        let Some(recorder) = &mut self.recorder else { return };
        let fetched = &waiting.fetched;
        let written = recorder.write(&Entry {
            source: Some(odds_api::SOURCE),
            endpoint: Some(fetched.endpoint),
            sport: Some(&fetched.sport),
            asked: Some(&fetched.scope),
            status: Some(200),
            origin: self.config.origin.as_deref(),
            ..Entry::new(at, fetched.outcome.body().unwrap_or_default())
        });
        if let Err(e) = written {
            self.stop_recording(&e);
        }
    }

    fn stop_recording(&mut self, error: &RecordingError) {
        // Its end is cut off; beginning again mends it.
        self.recorder = None;
        self.record_again = Some(Instant::now() + RECORD_AGAIN);
        let message = format!("nothing is recorded for now: {error}; it is tried again by itself");
        tracing::error!("{message}");
        self.keeper.complain(Part::Recording, &message);
    }
}

fn refuse(fetch: &mut FetchRecord, reason: &str, message: String) {
    fetch.outcome = "unavailable".into();
    fetch.reason = Some(reason.to_owned());
    fetch.message = Some(message);
}

fn us(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

fn in_micros(total: Duration, took: Took) -> Steps {
    Steps { total_us: us(total), read_us: us(took.read), apply_us: us(took.apply), commit_us: us(took.commit) }
}

fn cycle_record(
    waiting: &Waiting,
    came: &Came,
    took: Took,
    publish: Duration,
    degraded: Option<&'static str>,
) -> CycleRecord {
    let taken = came.judged.taken.unwrap_or_default();
    CycleRecord {
        look: came.fetch.look,
        requests: came.fetch.attempts,
        events: taken.events,
        quotes: taken.quotes,
        changes: taken.changes,
        points: taken.points,
        signals: taken.signals,
        stages: Stages {
            wait_us: us(waiting.wait),
            fetch_us: us(waiting.fetched.elapsed),
            read_us: us(took.read),
            apply_us: us(took.apply),
            commit_us: us(took.commit),
            publish_us: us(publish),
        },
        degraded,
        ..CycleRecord::default()
    }
}

fn fetch_record(waiting: &Waiting, at: Timestamp) -> FetchRecord {
    let fetched = &waiting.fetched;
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
        tier: waiting.noted.tier,
        billing: waiting.noted.billing.clone(),
    }
}
