//! The alerts' place in the judging thread: what of a look is told, within the look's own transaction.
//!
//! Owns the rules in force, as the desk has them, and what has been told lately. The judging thread is the only writer of
//! the outbox; whoever delivers is woken after a commit. A desk that cannot be read leaves the rules as they were.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::jumps::Backward;
use super::keeper::{Keeper, local_now};
use super::pipeline::Telling;
use super::status::Part;
use crate::alerts::decide::{self, Decision, State};
use crate::alerts::limits::Limits;
use crate::alerts::message::Kind;
use crate::alerts::notice::Notice;
use crate::alerts::request::Request;
use crate::alerts::rule::LONGEST_COOLDOWN;
use crate::alerts::rules::{Ready, RuleSet};
use crate::alerts::words::Moment;
use crate::engine::{Changes, Engine};
use crate::market::batch::Batch;
use crate::market::time::Timestamp;
use crate::store::desk::{Desk, DeskError, Version};
use crate::store::outbox::NewMessage;
use crate::store::{LookMeta, Store, StoreError};

/// The desk is looked at so often while looks come in; more rarely when nothing happens at all.
pub(super) const EVERY: Duration = Duration::from_secs(3);
/// A desk that could not be opened is tried again after so long.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// Decides within the judging thread.
pub(super) struct Teller {
    desk: PathBuf,
    open: Option<Desk>,
    version: Option<Version>,
    looked: Option<Instant>,
    failed: Option<Instant>,
    /// The desk was read, and what it asks for has not been looked at since.
    unread: bool,
    /// Notices that the clock was set back: the outbox waits by it.
    backward: Backward,
    rules: RuleSet,
    /// What books took at the last answers.
    limits: Limits,
    state: State,
    origin: Option<String>,
    wake: watch::Sender<u64>,
    direct: mpsc::UnboundedSender<Vec<NewMessage>>,
    keeper: Keeper,
}

impl Teller {
    /// A teller that stands where the last one stopped.
    pub(super) fn new(
        telling: Telling,
        origin: Option<String>,
        keeper: Keeper,
        store: &Store,
        engine: &Engine,
    ) -> Result<Self, StoreError> {
        let Telling { desk, wake, direct } = telling;
        let mut teller = Self {
            desk,
            open: None,
            version: None,
            looked: None,
            failed: None,
            unread: false,
            backward: Backward::new(local_now()),
            rules: RuleSet::default(),
            state: State::default(),
            limits: Limits::default(),
            origin,
            wake,
            direct,
            keeper,
        };
        teller.read_desk();
        teller.stand_by(store, engine)?;
        Ok(teller)
    }

    /// Remembers anew what store and engine know: at the start, and after the engine was begun again.
    pub(super) fn stand_by(&mut self, store: &Store, engine: &Engine) -> Result<(), StoreError> {
        let newest = store.newest_told()?.unwrap_or_else(local_now);
        let since = newest.plus(-i64::try_from(LONGEST_COOLDOWN).unwrap_or(i64::MAX).saturating_mul(1000));
        let (fired, keys) = (store.fired_since(since)?, store.keys_since(since)?);
        // A rule that is newer than the newest look has not been asked about what stands there now.
        let looked = store.reader()?.newest()?.map(|(_, at)| at);
        let known = |rule: &Ready| looked.is_some_and(|at| rule.changed_at <= at);
        self.state = State::new(fired, keys, newest, engine, &self.rules, known);
        Ok(())
    }

    /// Writes a look and what is to be told of it.
    pub(super) fn commit(
        &mut self,
        engine: &Engine,
        store: &mut Store,
        changes: &Changes,
        meta: &LookMeta,
        batch: &Batch<'_>,
    ) -> Result<(), StoreError> {
        self.refresh();
        let origin = self.origin.clone();
        let wall = local_now();
        if changes.look.endpoint.is_historical() {
            // The past is learnt from, never told.
            return store.commit(changes, meta);
        }
        let late_ms = self.keeper.market_time(wall).since(changes.look.received_at);
        let moment = Moment { at: changes.look.received_at, wall, origin: origin.as_deref(), late_ms };
        let limits = if self.rules.tells_of(Kind::Limit) { self.limits.moved(batch) } else { Vec::new() };
        let decision = decide::look(changes, engine, &self.rules, &self.state, &moment, &limits);
        let new = store.commit_telling(changes, meta, &decision.outgoing, wall)?;
        self.limits.settle(batch);
        self.settle(decision, new, changes.look.received_at);
        Ok(())
    }

    /// Something was written to the outbox by another way.
    pub(super) fn wake(&self) {
        self.wake.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Writes what is to be told of the program itself.
    pub(super) fn notice(&mut self, store: &mut Store, notice: &Notice) -> Result<(), StoreError> {
        self.refresh();
        let origin = self.origin.clone();
        let wall = local_now();
        let moment = Moment { at: wall, wall, origin: origin.as_deref(), late_ms: 0 };
        let mut notice = notice.clone();
        notice.text = self.keeper.clean(&notice.text);
        let decision = decide::notice(&notice, &self.rules, &self.state, &moment);
        if decision.outgoing.is_empty() {
            return Ok(());
        }
        match store.tell(&decision.outgoing, wall) {
            Ok(new) => {
                self.settle(decision, new, wall);
                Ok(())
            }
            Err(e) => {
                // That the store cannot be written is itself worth telling, and it cannot wait for the store.
                let _ = self.direct.send(decision.outgoing.messages.clone());
                self.settle(decision, 0, wall);
                Err(e)
            }
        }
    }

    fn settle(&mut self, decision: Decision, new: usize, at: Timestamp) {
        self.state.settle(decision);
        self.state.forget(at);
        if new > 0 {
            self.wake.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    /// Looks whether the desk has changed, and does what it asks for; and whether the clock was set back. Cheap; call it whenever there is time.
    pub(super) fn poll(&mut self, store: &mut Store) -> Result<(), StoreError> {
        self.refresh();
        let wall = local_now();
        if let Some(by_ms) = self.backward.check(wall)
            && store.clock_set_back(by_ms, wall)? > 0
        {
            self.wake();
        }
        // Whoever read the rules anew may have been a look; requests are looked for here alone.
        if !self.unread {
            return Ok(());
        }
        let Some(desk) = &mut self.open else { return Ok(()) };
        let requests = match desk.alert_requests() {
            Ok(requests) => requests,
            Err(e) => {
                self.complain(&e);
                return Ok(());
            }
        };
        let Some(last) = requests.last().map(|r| r.id) else {
            self.unread = false;
            return Ok(());
        };
        let now = local_now();
        for request in &requests {
            match Request::from_json(&request.json) {
                Some(Request::PutBack { message }) => drop(store.put_back(message, now)?),
                Some(Request::PutBackDead) => drop(store.put_back_dead(now)?),
                None => tracing::warn!("a request of another version of the program was left out"),
            }
        }
        // Done twice does no harm; forgotten before it was done would.
        if let Err(e) = desk.done_with_alert_requests(last) {
            self.complain(&e);
        }
        self.unread = false;
        self.wake.send_modify(|n| *n = n.wrapping_add(1));
        Ok(())
    }

    /// Reads the desk anew if somebody has changed it.
    fn refresh(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let Some(desk) = &self.open else {
            if self.failed.is_none_or(|at| at.elapsed() >= TRY_AGAIN) {
                self.read_desk();
            }
            return;
        };
        match desk.version() {
            Ok(version) if Some(version) == self.version => {}
            Ok(_) => self.read_desk(),
            Err(e) => {
                self.complain(&e);
                self.open = None;
            }
        }
    }

    fn read_desk(&mut self) {
        match self.try_read() {
            Ok(rules) => {
                for (name, why) in &rules.broken {
                    tracing::warn!(rule = %name, %why, "an alert rule cannot be used");
                }
                self.rules = rules;
                self.failed = None;
                self.unread = true;
            }
            Err(e) => {
                self.complain(&e);
                (self.open, self.failed) = (None, Some(Instant::now()));
            }
        }
    }

    fn try_read(&mut self) -> Result<RuleSet, DeskError> {
        let desk = match self.open.take() {
            Some(desk) => desk,
            None => Desk::open(&self.desk)?,
        };
        // The version first: what changes while the rules are read is seen the next time.
        let version = desk.version()?;
        let rules = RuleSet::of(&desk)?;
        (self.open, self.version) = (Some(desk), Some(version));
        Ok(rules)
    }

    fn complain(&self, e: &DeskError) {
        tracing::warn!(error = %e, "the alert rules could not be read; those of before stay in force");
        self.keeper.complain(Part::Alerts, &e.to_string());
    }
}
