//! The judging thread: the one owner of engine and store.
//!
//! Answers come in through a bounded channel, are taken one after the other, and are announced after their commit.
//! Compressing answers for the archive happens on another thread; clean-up happens when nothing waits. While the store
//! cannot be written this thread keeps what was paid for, tries again by itself, and goes on from what is stored.

mod answer;
mod exchange;
mod hub;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::keeper::{CycleWindow, Keeper};
use super::mending::{Mending, Waiting};
use super::pipeline::{Job, Judged, Noted, PipelineConfig, PipelineError, Tally, Telling};
use super::published::Published;
use super::status::{Part, StoreState};
use super::teller::{self, Teller};
use super::watchdog::Pulse;
use super::{memory, pace, warm};
use crate::engine::rules::InPlayWatch;
use crate::engine::{Engine, EngineSettings};
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::recording::RecordingWriter;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;
use crate::store::cycle::CycleRecord;
use crate::store::raw::RawAnswer;
use crate::store::{FetchRecord, Retention, Store, StoreError, Trouble};

/// Clean-up is looked at so often, at a moment when nothing waits.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Or when so much market time has passed, which a simulated market does in moments. Milliseconds.
const TIDY_MARKET_MS: i64 = 10 * 60_000;
/// While there is more to clean up, the next step comes so soon.
const SOON: Duration = Duration::from_millis(100);
/// With nothing to clean up the thread sleeps so long.
const IDLE: Duration = Duration::from_secs(14);
/// Looks come in: the last one was not longer ago.
const BUSY: Duration = Duration::from_secs(120);

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

/// Unexpected ends of judging in a row beyond which something is wrong that another answer does not mend.
const PANICS: u32 = 3;

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
    /// Games that are watched in play, where watchlists say so.
    in_play: Option<Vec<String>>,
    /// Tells of looks, where anybody is to be told.
    teller: Option<Teller>,
    /// The newest instant heard of: the clock of the clean-up.
    now: Timestamp,
    /// What is kept while the store cannot be written.
    mending: Mending,
    /// The engine is not what the store and the settings say: it is made anew before the next answer.
    stale: bool,
    /// The recording failed and is begun again then.
    record_again: Option<Instant>,
    panics: u32,
    #[cfg(test)]
    panics_next: bool,
    pulse: Pulse,
}

/// What one call came to.
#[derive(Default)]
struct Came {
    judged: Judged,
    fetch: FetchRecord,
    cycle: CycleRecord,
}

impl Judge {
    pub(super) fn new(
        store: Store,
        config: PipelineConfig,
        back: SyncSender<Job>,
        published: broadcast::Sender<Published>,
        keeper: Keeper,
        telling: Option<Telling>,
        pulse: Pulse,
    ) -> Result<Self, PipelineError> {
        let recorder = match &config.record {
            None => None,
            Some(path) => {
                let writer = RecordingWriter::append(path)?;
                Some(config.secret.iter().fold(writer, |w, secret| w.hiding(secret.clone())))
            }
        };
        let mut judge = Self {
            store,
            engine: Engine::default(),
            recorder,
            config,
            packer: Packer::start(back)?,
            published,
            keeper,
            tally: Tally::default(),
            cycle: CycleWindow::default(),
            in_play: None,
            teller: None,
            now: Timestamp::default(),
            mending: Mending::default(),
            stale: true,
            record_again: None,
            panics: 0,
            #[cfg(test)]
            panics_next: false,
            pulse,
        };
        // A store that can only be read at the start is told like one that becomes so later.
        let refreshed = judge.refresh();
        judge.mind(refreshed)?;
        if let Some(telling) = telling {
            let (origin, keeper) = (judge.config.origin.clone(), judge.keeper.clone());
            judge.teller = Some(Teller::new(telling, origin, keeper, &judge.store, &judge.engine)?);
        }
        Ok(judge)
    }

    /// Judges until it is told to stop.
    pub(super) fn run(mut self, inbox: &Receiver<Job>) -> Result<Tally, PipelineError> {
        let ended = self.judge(inbox).map_err(|e| match e {
            PipelineError::Store(e) => PipelineError::Store(e.at(self.store.path())),
            other => other,
        });
        if let Err(e) = &ended {
            tracing::error!(error = %e, "the judge cannot go on");
            self.keeper.complain(Part::Store, &e.to_string());
        }
        ended.map(|()| self.tally)
    }

    fn judge(&mut self, inbox: &Receiver<Job>) -> Result<(), PipelineError> {
        let mut tidied = (Instant::now(), self.now);
        // Something was left to clean up the last time.
        let mut more = false;
        let mut worked = None;
        // Whatever was begun with this thread, by others too, has left its peaks behind.
        let mut trim = true;
        loop {
            self.pulse.beat();
            let job = match inbox.try_recv() {
                Ok(job) => Some(job),
                Err(TryRecvError::Disconnected) => break,
                // Nothing waits at this moment: the one in which cleaning up holds nobody up.
                Err(TryRecvError::Empty) => {
                    let due = tidied.0.elapsed() >= TIDY_EVERY || self.now.since(tidied.1) >= TIDY_MARKET_MS;
                    if (due || more) && !self.mending.is_ill() {
                        more = !self.tidy()?;
                        tidied = (Instant::now(), self.now);
                    }
                    // The desk is looked at however little happens.
                    let busy = worked.is_some_and(|at: Instant| at.elapsed() < BUSY);
                    let idle = if self.teller.is_some() && busy { IDLE.min(teller::EVERY) } else { IDLE };
                    let wait = if more || trim { SOON } else { idle };
                    match inbox.recv_timeout(self.mending.wait().map_or(wait, |w| w.min(wait))) {
                        Ok(job) => Some(job),
                        Err(RecvTimeoutError::Disconnected) => break,
                        Err(RecvTimeoutError::Timeout) => {
                            if std::mem::take(&mut trim) {
                                memory::give_back();
                            }
                            None
                        }
                    }
                }
            };
            match job {
                Some(Job::Fetched { fetched, at, noted, queued, reply }) => {
                    if self.now == Timestamp::default() {
                        // The first instant heard of: no time has passed yet.
                        tidied.1 = at;
                    }
                    self.now = self.now.max(at);
                    let judged = self.answer(*fetched, at, *noted, queued.elapsed())?;
                    // A caller that has gone away no longer wants to know.
                    let _ = reply.send(judged);
                    (trim, worked) = (true, Some(Instant::now()));
                }
                Some(Job::Raw(raw)) => self.keep_raw(&raw)?,
                Some(Job::Attempts { attempts, reply }) => drop(reply.send(self.store.note_attempts(&attempts))),
                Some(Job::Notice(notice)) => {
                    if let Some(teller) = &mut self.teller
                        && let Err(e) = teller.notice(&mut self.store, &notice)
                    {
                        tracing::warn!(error = %e, trouble = notice.trouble.name(), "a notice could not be stored");
                        self.keeper.complain(Part::Store, &e.to_string());
                    }
                }
                Some(Job::Hide(secret)) => {
                    self.recorder = self.recorder.take().map(|r| r.hiding(secret.clone()));
                    self.config.secret.push(secret);
                }
                Some(Job::Tell { outgoing, reply }) => {
                    let told = self.store.tell(&outgoing, super::keeper::local_now());
                    if let (Ok(1..), Some(teller)) = (&told, &self.teller) {
                        teller.wake();
                    }
                    let _ = reply.send(told.map(drop));
                }
                Some(Job::Exchange { news, reply }) => {
                    drop(reply.send(self.exchange(*news)?));
                    worked = Some(Instant::now());
                }
                Some(Job::Listings { news, reply }) => drop(reply.send(self.listings(&news)?)),
                Some(Job::Prices { prices, reply }) => drop(reply.send(self.prices(&prices)?)),
                Some(Job::Disown { sport, event, since, reply }) => {
                    drop(reply.send(self.disown(&sport, event, since)?))
                }
                Some(Job::HubApply { incoming, reply }) => {
                    let applied = self.hub_apply(&incoming)?;
                    // A large stretch takes a while to drop; whoever waits need not.
                    let _ = reply.send(applied);
                    (trim, worked) = (true, Some(Instant::now()));
                }
                Some(Job::HubTold { told, reply }) => drop(reply.send(self.hub_told(&told)?)),
                Some(Job::HubPutBack { there, reply }) => drop(reply.send(self.hub_put_back(&there)?)),
                // It is told again with the next change, and the planner knows it already.
                Some(Job::HearCredits(heard)) if !self.mending.is_ill() => {
                    let kept = self.store.hear_credits(&heard);
                    self.mind(kept)?;
                }
                Some(Job::HearCredits(_)) => {}
                Some(Job::InPlay(games)) => {
                    self.in_play = Some(games);
                    self.take_rules(self.config.engine.clone(), self.config.retention);
                }
                Some(Job::Rules { engine, retention }) => self.take_rules(*engine, retention),
                #[cfg(test)]
                Some(Job::Panic) => self.panics_next = true,
                Some(Job::Stop) => break,
                None => {}
            }
            if self.mending.wait().is_some_and(|w| w.is_zero()) {
                self.try_again()?;
            }
            if let Some(teller) = self.teller.as_mut().filter(|_| !self.mending.is_ill()) {
                let polled = teller.poll(&mut self.store);
                self.mind(polled)?;
            }
        }
        self.end(inbox)
    }

    /// Cleans up a little; answers whether nothing is left to clean up.
    fn tidy(&mut self) -> Result<bool, PipelineError> {
        let tidied = self.store.tidy();
        if self.mind(tidied)?.is_none() {
            return Ok(true);
        }
        let kept = self.store.retain(&self.config.retention, self.now);
        Ok(self.mind(kept)?.is_none_or(|kept| kept.is_done()))
    }

    /// Stores what still can be stored, and closes the recording.
    fn end(&mut self, inbox: &Receiver<Job>) -> Result<(), PipelineError> {
        if self.mending.is_ill() {
            self.try_again()?;
        }
        // Answers that were being packed arrive within moments; none of them is waited for longer.
        while let Ok(job) = inbox.recv_timeout(Duration::from_millis(200)) {
            match job {
                Job::Raw(raw) => self.keep_raw(&raw)?,
                // What was delivered in the last moment is not to be delivered again.
                Job::Attempts { attempts, reply } => drop(reply.send(self.store.note_attempts(&attempts))),
                _ => {}
            }
        }
        self.tally.lost = self.mending.lost + self.mending.answers.len() as u64;
        if self.tally.lost > 0 {
            tracing::error!(answers = self.tally.lost, "answers could not be stored and are lost");
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        Ok(())
    }

    fn keep_raw(&mut self, raw: &RawAnswer) -> Result<(), PipelineError> {
        // The archive is a courtesy: while the store cannot be written it goes without.
        if !self.mending.is_ill() {
            let kept = self.store.keep_raw(raw);
            self.mind(kept)?;
        }
        Ok(())
    }

    /// Passes a result on; a failure of the store that waiting may mend becomes a state instead of an end.
    fn mind<T, E: Into<PipelineError>>(&mut self, result: Result<T, E>) -> Result<Option<T>, PipelineError> {
        let e = match result.map_err(Into::into) {
            Ok(value) => return Ok(Some(value)),
            Err(PipelineError::Store(e)) => e,
            Err(other) => return Err(other),
        };
        let Some(trouble) = self.store.diagnose(&e) else { return Err(e.into()) };
        self.mending.failed(trouble, &e.to_string(), &self.keeper);
        Ok(None)
    }

    /// Other settings: in force from the next look on.
    fn take_rules(&mut self, mut engine: EngineSettings, retention: Retention) {
        self.config.retention = retention;
        if let Some(games) = &self.in_play {
            engine.rules.in_play = InPlayWatch::Events(games.clone());
        }
        if self.config.engine != engine {
            self.config.engine = engine;
            self.stale = true;
        }
    }

    /// Makes the engine anew from what is stored, if it has to be.
    fn refresh(&mut self) -> Result<(), PipelineError> {
        if self.stale {
            // What it holds is wrong, and both together would need twice the memory.
            self.engine = Engine::default();
            self.engine = warm::engine(&self.store, self.config.engine.clone())?;
            self.store.note_settings(self.engine.next_look(), &self.config.engine.note())?;
            if let Some(teller) = &mut self.teller {
                teller.stand_by(&self.store, &self.engine)?;
            }
            self.stale = false;
            let newest = LookId(self.engine.next_look().0.saturating_sub(1));
            self.keeper.change(|s| s.look = s.look.max(newest));
            memory::give_back();
        }
        Ok(())
    }

    /// Tries whether the store can be written again, and stores what has waited.
    fn try_again(&mut self) -> Result<(), PipelineError> {
        let stored = self.store_what_waited();
        if self.mind(stored)?.is_some() {
            self.mending.recovered(&self.keeper);
        }
        Ok(())
    }

    fn store_what_waited(&mut self) -> Result<(), PipelineError> {
        if matches!(self.mending.trouble(), Some(Trouble::ReadOnly | Trouble::Io)) {
            self.store.reopen()?;
        }
        self.store.try_write()?;
        self.refresh()?;
        while let Some((fetch, cycle)) = self.mending.rows.front() {
            self.store.log_cycle(fetch, cycle)?;
            self.mending.rows.pop_front();
        }
        while let Some(mut waiting) = self.mending.answers.pop_front() {
            match self.judge_one(&mut waiting, true) {
                Ok(came) => {
                    self.pack(waiting, &came.judged);
                    self.log(&came)?;
                }
                Err(e) => {
                    self.mending.answers.push_front(waiting);
                    return Err(e);
                }
            }
        }
        Ok(())
    }

    /// Takes what came of a call. An answer for which there is no room now is kept in memory.
    fn answer(
        &mut self,
        fetched: Fetched,
        at: Timestamp,
        noted: Noted,
        wait: Duration,
    ) -> Result<Judged, PipelineError> {
        let mut waiting = Waiting { fetched, at, wait, noted, recorded: false };
        if self.mending.is_ill() {
            self.wait_for_room(waiting);
            return Ok(Judged::default());
        }
        let came = self.judge_one(&mut waiting, false);
        let Some(mut came) = self.mind(came)? else {
            self.wait_for_room(waiting);
            return Ok(Judged::default());
        };
        let logged = self.log(&came);
        self.mind(logged)?;
        if !self.mending.is_ill() {
            const WITHIN_MS: i64 = 12 * 3_600_000;
            let under_way = self.store.unfinished(&waiting.fetched.sport, at, WITHIN_MS);
            came.judged.under_way = self.mind(under_way)?.unwrap_or_default();
            let games = self.store.games(&waiting.fetched.sport, pace::games_about(at), at);
            came.judged.games = self.mind(games)?;
        }
        self.pack(waiting, &came.judged);
        Ok(came.judged)
    }

    /// Judges one answer. An unexpected end over it costs this answer alone.
    fn judge_one(&mut self, waiting: &mut Waiting, late: bool) -> Result<Came, PipelineError> {
        self.refresh()?;
        let work = std::panic::AssertUnwindSafe(|| self.fetched(waiting, late));
        match std::panic::catch_unwind(work) {
            Ok(came) => {
                self.panics = 0;
                came
            }
            Err(_) => {
                self.stale = true;
                self.panics += 1;
                tracing::error!(times = self.panics, "judging an answer ended unexpectedly; the engine is made anew");
                self.keeper.complain(Part::Answer, "judging an answer ended unexpectedly; see the log");
                self.keeper.meters().panicked();
                if self.panics >= PANICS { Err(PipelineError::Panicked) } else { Ok(self.failed_on(waiting, "panic")) }
            }
        }
    }

    fn wait_for_room(&mut self, waiting: Waiting) {
        if waiting.fetched.outcome.body().is_some() {
            self.mending.keep(waiting);
            let n = u32::try_from(self.mending.answers.len()).unwrap_or(u32::MAX);
            self.keeper.change(|s| {
                if let StoreState::Failing { waiting, .. } = &mut s.store {
                    *waiting = n;
                }
            });
        } else {
            // Without an answer only the logs want to know.
            let came = self.failed_on(&waiting, "store");
            self.keeper.meters().cycle(&came.fetch, &came.cycle);
            self.mending.keep_rows(came.fetch, came.cycle);
        }
    }

    /// Writes what came of a call into the logs; what cannot be written now waits.
    fn log(&mut self, came: &Came) -> Result<(), StoreError> {
        self.keeper.meters().cycle(&came.fetch, &came.cycle);
        let logged = self.store.log_cycle(&came.fetch, &came.cycle);
        if logged.as_ref().is_err_and(|e| e.trouble().is_some()) {
            self.mending.keep_rows(came.fetch.clone(), came.cycle.clone());
        }
        logged
    }

    fn pack(&self, waiting: Waiting, judged: &Judged) {
        if self.config.keep_raw
            && judged.taken.is_some()
            && let crate::feeds::outcome::Outcome::Data { body, .. } = waiting.fetched.outcome
        {
            let hash = crate::store::raw::body_hash(&body);
            self.packer.pack(body, hash, waiting.at);
        }
    }
}
