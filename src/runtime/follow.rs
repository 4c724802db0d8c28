//! Follows the market: asks what is due, hands the answers to the pipeline, until told to stop.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, roll};
use super::clock::Clock;
use super::hub::lease::Leases;
use super::jumps::Backward;
use super::keeper::{Keeper, local_now};
use super::pace::{Known, Pace, Pacing, Task, games_about};
use super::pipeline::{Noted, PipelineError, WayIn};
use super::standby::Standby;
use super::status::{KeyState, PlanNote};
use super::stop::StopSignals;
use super::watchdog::Pulse;
use super::watched::{self, Watched};
use crate::feeds::odds_api::SOURCE;
use crate::feeds::odds_api::ask::Ask;
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::client::Client;
use crate::feeds::odds_api::request::Question;
use crate::feeds::odds_api::sports::{Sport, parse_sports};
use crate::feeds::outcome::{Outcome, Unavailable};
use crate::market::batch::Endpoint;
use crate::market::time::Timestamp;
use crate::poller::plan::DetectorNeed;
use crate::store::Reader;
use crate::store::credit_elsewhere::HeardCredits;

/// What to follow.
#[derive(Clone, Debug)]
pub struct FollowConfig {
    /// Sport keys.
    pub sports: Vec<String>,
    /// Markets, books and form of prices.
    pub ask: Ask,
    /// How often.
    pub pacing: Pacing,
    /// Which clock.
    pub clock: Clock,
    /// How near to each other looks must be for detectors to judge.
    pub needs: Vec<DetectorNeed>,
    /// Games under way on watchlists are judged for shocks.
    pub watch_in_play: bool,
}

/// Where things are that a follower reads.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) store: PathBuf,
    pub(super) desk: PathBuf,
}

/// Watchlists are looked at so often.
const LISTS_EVERY: Duration = Duration::from_secs(30);

/// Never waits longer than this in one go, so that a machine that slept notices.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// While no credits are left, a free question is asked so soon whether that is still so.
const CREDITS_FIRST: Duration = Duration::from_secs(5);
/// And so rarely, once it has been asked for long.
const CREDITS_CAP: Duration = Duration::from_secs(300);

/// How following ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was stopped.
    Stopped,
    /// The source refuses the key.
    Refused,
}

/// What the source says of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyCheck {
    /// It was answered: with these sports, as far as the list could be read.
    Accepted(Vec<Sport>),
    /// It is refused: a sentence for the user.
    Refused(String),
    /// The source could not be had; the polling tries again.
    Unknown,
}

/// Asks whether the key is accepted, by the list of sports, which is free.
pub async fn check_key(client: &Client, sports: &[String]) -> KeyCheck {
    let fetched = client.fetch(&Question::Sports { all: true }.into(), Purpose::Discovery).await;
    match &fetched.outcome {
        Outcome::Unavailable { reason: Unavailable::Auth, message, .. } => KeyCheck::Refused(message.clone()),
        Outcome::Unavailable { reason, message, .. } => {
            tracing::warn!(reason = reason.name(), %message, "the list of sports could not be had");
            KeyCheck::Unknown
        }
        Outcome::Data { body, .. } | Outcome::NoEvents { body, .. } => {
            let known = parse_sports(body).unwrap_or_default();
            if !known.list.is_empty() {
                for sport in sports.iter().filter(|s| !known.list.iter().any(|k| k.key == **s)) {
                    // A key pasted into the wrong field of the settings is still a key.
                    let sport = client.redact(sport);
                    tracing::warn!(sport, "the provider does not list this sport");
                }
            }
            KeyCheck::Accepted(known.list)
        }
    }
}

/// Everything that following needs. Clones share it all, the schedule too: polling that is started again goes on in
/// the beat it had, and asks nothing twice.
#[derive(Clone, Debug)]
pub struct Follower {
    client: Client,
    way_in: WayIn,
    config: Arc<FollowConfig>,
    pace: Arc<Mutex<Pace>>,
    places: Arc<Places>,
    keeper: Keeper,
    pulse: Pulse,
    leases: Option<Leases>,
}

impl Follower {
    /// A follower whose questions are due from now on, as far as they were not asked in an earlier life. `pulse` is its
    /// sign of life. With `leases` it asks only about sports that no other device asks about.
    pub(super) async fn new(
        client: Client,
        way_in: WayIn,
        config: Arc<FollowConfig>,
        places: Arc<Places>,
        keeper: Keeper,
        pulse: Pulse,
        leases: Option<Leases>,
    ) -> Self {
        let now = config.clock.now();
        let known = if matches!(config.pacing, Pacing::Planned(_)) {
            let (store, sports) = (places.store.clone(), config.sports.clone());
            let read = tokio::task::spawn_blocking(move || Known::read(&Reader::open(&store)?, &sports, now)).await;
            match read {
                Ok(Ok(known)) => known,
                Ok(Err(e)) => {
                    tracing::warn!(error = %e, "the ledger could not be read; it begins anew");
                    Known::default()
                }
                Err(_) => Known::default(),
            }
        } else {
            Known::default()
        };
        let pace = Arc::new(Mutex::new(Pace::new(&config, known, now)));
        Self { client, way_in, config, pace, places, keeper, pulse, leases }
    }

    /// One that goes on from here with other settings: sports that stay keep their beat.
    #[must_use]
    pub(super) fn going_on(&self, client: Client, config: Arc<FollowConfig>) -> Self {
        self.pace(|p| p.change(&config, config.clock.now()));
        Self { client, config, ..self.clone() }
    }

    /// The client that asks.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    fn pace<T>(&self, f: impl FnOnce(&mut Pace) -> T) -> T {
        // A plan is valid after every call; a panic elsewhere while it was held spoils nothing.
        f(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Polls until `stop`. Failures of the source are logged and waited for; only a refused key and the pipeline can end
    /// this early.
    ///
    /// # Errors
    /// [`PipelineError`] when the pipeline has ended.
    pub async fn follow(&self, stop: &CancellationToken) -> Result<Ended, PipelineError> {
        let clock = &self.config.clock;
        let mut backward = Backward::new(clock.now());
        let mut gate = self.keeper.gate_opens();
        let mut empty = Backoff::new(CREDITS_FIRST, CREDITS_CAP);
        let mut lists_read: Option<Instant> = None;
        let mut standby = Standby::new(self.leases.as_ref());
        self.note(None, None);
        loop {
            self.pulse.beat();
            let open = *gate.borrow();
            self.obey(&mut standby, open).await;
            if lists_read.is_none_or(|at| at.elapsed() >= LISTS_EVERY) {
                self.read_lists().await;
                lists_read = Some(Instant::now());
            }
            // A simulated clock is moved by hand; real ones are set back by the network or by somebody.
            if let Some(by_ms) = backward.check(clock.now()).filter(|_| !matches!(clock, Clock::Sim(_))) {
                self.pace(|p| p.clock_set_back(by_ms));
                self.note(None, None);
            }
            if self.pace(|p| p.pause()).is_some_and(|p| p.reason == Unavailable::Quota) {
                self.pulse.rest();
                tokio::select! {
                    () = stop.cancelled() => return Ok(Ended::Stopped),
                    () = tokio::time::sleep(empty.after_failure(roll())) => {}
                }
                if self.credits_are_back(stop).await {
                    empty.worked();
                    self.pace(Pace::succeeded);
                    self.note(None, None);
                }
                continue;
            }
            // What cannot be stored shall not be paid for.
            if !*gate.borrow_and_update() {
                tokio::select! {
                    () = stop.cancelled() => return Ok(Ended::Stopped),
                    _ = gate.changed() => {}
                    () = tokio::time::sleep(LONGEST_WAIT) => {}
                }
                continue;
            }
            let Some(task) = self.pace(|p| p.due(clock.now())) else {
                let next = self.pace(|p| p.next(clock.now()));
                let wait = next.map_or(LONGEST_WAIT, |at| clock.wait(at)).min(LONGEST_WAIT);
                tokio::select! {
                    () = stop.cancelled() => return Ok(Ended::Stopped),
                    () = standby.changed() => continue,
                    () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => continue,
                }
            };
            if !standby.may_ask(task.sport()) {
                continue;
            }
            self.pace(|p| p.asked(&task, clock.now()));
            self.note(Some(&task), None);
            let (request, purpose) = task.request(&self.config.ask);
            let fetched = tokio::select! {
                () = stop.cancelled() => return Ok(Ended::Stopped),
                fetched = self.client.fetch(&request, purpose) => fetched,
                // Tries that follow would be somebody else's, and so would be what they bring.
                () = standby.lost(task.sport()) => {
                    tracing::warn!(sport = task.sport(), "a question was given up: this device may not ask any more");
                    continue;
                }
            };
            let at = clock.received(&fetched);
            let key = if let Outcome::Unavailable { reason, message, .. } = &fetched.outcome {
                let pause = self.pace(|p| p.failed(&task, *reason, clock.now()));
                let until = pause.map(|p| p.until.to_string());
                tracing::warn!(reason = reason.name(), %message, until, "no answer");
                (*reason == Unavailable::Auth).then(|| KeyState::Refused { message: message.clone() })
            } else {
                self.pace(|p| p.answered(&task));
                Some(KeyState::Accepted)
            };
            let answered = fetched.outcome.body().map(|_| at);
            // An answer that has arrived was paid for: it is taken even when the stop came meanwhile.
            let noted = Noted { tier: task.tier(), billing: self.pace(|p| p.billed(&task, &fetched, at)) };
            let judged = self.way_in.judge(fetched, at, noted).await?;
            let known = self.pace(|p| p.judged(task.sport(), judged.under_way, judged.games.as_deref()));
            if known {
                // Games that were not there before may be on a list.
                lists_read = None;
            }
            let refused = matches!(key, Some(KeyState::Refused { .. }));
            if let Some(key) = key {
                self.keeper.key(key);
            }
            self.note(None, answered);
            if refused {
                return Ok(Ended::Refused);
            }
        }
    }

    /// Leaves to others what they ask about, takes over what falls to this device, and counts what the desk has spent.
    async fn obey(&self, standby: &mut Standby, open: bool) {
        let Some(leases) = &self.leases else { return };
        let (sports, now) = (&self.config.sports, self.config.clock.now());
        let keys: BTreeSet<String> = self.client.keys().into_iter().map(|k| k.name).collect();
        // Who cannot ask, or not store, leaves it to one who can.
        let asks = open && self.pace(|p| p.pause()).is_none_or(|p| p.reason != Unavailable::Quota);
        standby.want(sports, &keys, asks);
        let mut news = false;
        if let Some(heard) = standby.heard() {
            let accounts = self.pace(|p| p.heard(&heard, &keys, now));
            let kept = HeardCredits { spent: heard.spent.clone(), accounts, contact: None };
            // A pipeline that has ended is noticed with the next answer.
            drop(self.way_in.hear_credits(kept).await);
            news = true;
        }
        let elsewhere = standby.elsewhere(sports);
        if let Some(ours) = self.pace(|p| p.leave(elsewhere)) {
            news = true;
            for sport in &ours {
                tracing::info!(sport, lease = ?leases.lease(sport), "this device polls");
            }
            let ours: Vec<String> = ours.into_iter().collect();
            if !ours.is_empty() && matches!(self.config.pacing, Pacing::Planned(_)) {
                let store = self.places.store.clone();
                let read = move || Known::read(&Reader::open(&store)?, &ours, now);
                match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(known)) => self.pace(|p| p.take_over(known)),
                    Ok(Err(e)) => tracing::warn!(error = %e, "what others have asked could not be read"),
                    Err(_) => {}
                }
            }
        }
        if news {
            self.note(None, None);
        }
    }

    /// The key is accepted after all: a pause because of it is over.
    pub(super) fn key_works(&self) {
        self.pace(Pace::succeeded);
    }

    /// Asks a free question, whose answer says how many credits are left.
    async fn credits_are_back(&self, stop: &CancellationToken) -> bool {
        let question = Question::Sports { all: false }.into();
        let fetched = tokio::select! {
            () = stop.cancelled() => return false,
            fetched = self.client.fetch(&question, Purpose::Discovery) => fetched,
        };
        let left = fetched.quota.remaining.filter(|_| fetched.outcome.body().is_some());
        if let Some(left) = left {
            let at = self.config.clock.received(&fetched);
            self.pace(|p| p.told(&fetched, at));
            let now = local_now();
            self.keeper.change(|s| (s.credits.remaining, s.credits.told_at) = (Some(left), Some(now)));
        }
        left.is_some_and(|left| left > 0)
    }

    /// Tells those who watch what was asked and what is planned.
    fn note(&self, asked: Option<&Task>, answered: Option<Timestamp>) {
        let clock = &self.config.clock;
        let now = local_now();
        let upcoming = self.pace(|p| p.upcoming(clock.now()));
        let told = self.pace(|p| p.plan(clock.now(), &self.config.needs)).map(|(plan, verdicts, ledger)| {
            // A key pasted into the wrong field of the settings is still a key.
            PlanNote::new(&plan, &verdicts, &ledger, |sport| self.keeper.clean(sport))
        });
        let plan: Vec<(String, Endpoint, Timestamp)> = upcoming
            .into_iter()
            .map(|(sport, endpoint, at)| {
                let sport = self.keeper.clean(&sport);
                let wait = i64::try_from(clock.wait(at).as_millis()).unwrap_or(i64::MAX);
                // What is due on this machine's own clock is told exactly, so that telling it again changes nothing.
                let at = if matches!(clock, Clock::Sim(_)) { now.plus(wait) } else { at };
                (sport, endpoint, at)
            })
            .collect();
        let asked = asked.map(|task| (self.keeper.clean(task.sport()), task.endpoint()));
        let followed: Vec<String> = self.config.sports.iter().map(|s| self.keeper.clean(s)).collect();
        self.keeper.change(|s| {
            if let Some(clock) = clock.against_local(answered, now) {
                s.clock = clock;
            }
            for question in &mut s.questions {
                question.due = None;
            }
            s.questions.retain(|q| followed.contains(&q.sport));
            for (sport, endpoint, at) in plan {
                s.question_mut(SOURCE, &sport, endpoint).due = Some(at);
            }
            if let Some((sport, endpoint)) = asked {
                s.question_mut(SOURCE, &sport, endpoint).asked = Some(now);
            }
            s.keys = self.client.keys();
            s.plan = told;
            s.breakers_stand(|purpose| self.client.breaker(purpose), now);
        });
    }

    /// Reads the watchlists, and has the plan and the detectors know the games that they hold.
    async fn read_lists(&self) {
        if !matches!(self.config.pacing, Pacing::Planned(_)) {
            return;
        }
        let (places, config, now) = (Arc::clone(&self.places), Arc::clone(&self.config), self.config.clock.now());
        let read = tokio::task::spawn_blocking(move || -> Result<Watched, String> {
            let lists = watched::lists(&places.desk).map_err(|e| e.to_string())?;
            let mut all = Watched::new();
            if lists.is_empty() {
                return Ok(all);
            }
            let reader = Reader::open(&places.store).map_err(|e| e.to_string())?;
            for sport in &config.sports {
                let games = reader.games(sport, games_about(now), now).map_err(|e| e.to_string())?;
                all.extend(watched::of_sport(&lists, sport, &config.ask.markets, &games, now));
            }
            Ok(all)
        });
        match read.await {
            Ok(Ok(watched)) => {
                let events = watched.keys().copied().collect();
                if self.pace(|p| p.watch(events)) {
                    if self.config.watch_in_play {
                        let ids = watched.into_values().map(String::from).collect();
                        // A pipeline that has ended is noticed with the next answer.
                        drop(self.way_in.watch_in_play(ids).await);
                    }
                    self.note(None, None);
                }
            }
            Ok(Err(e)) => tracing::warn!(error = e, "the watchlists could not be read"),
            Err(_) => {}
        }
    }
}

/// A token that is cancelled when the process is asked to stop. Call it inside the runtime.
///
/// # Errors
/// When the operating system does not let us listen.
pub fn stop_on_signals() -> std::io::Result<CancellationToken> {
    stop_on(StopSignals::listen()?)
}

/// The same with signals of the caller's choice.
///
/// # Errors
/// None today.
pub fn stop_on(mut signals: StopSignals) -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        token.cancel();
    });
    Ok(stop)
}
