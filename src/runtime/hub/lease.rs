//! Keeps the leases of what this session wants to ask for, tells who polls, and lets the desk share its ledger.
//!
//! One task asks the hub; everybody else asks [`Leases`], which judges by the clock at that moment and never waits.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::awake::Awake;
use crate::hub::HubUrl;
use crate::hub::credit::Heard;
use crate::hub::lease::ask::{Hub, Referee};
use crate::hub::lease::{Alone, Lease, LeaseState, Moment, POLYMARKET, Timing};
use crate::poller::calendar::Month;
use crate::runtime::exchange::{self, Listener};
use crate::runtime::feeder::Aborting;
use crate::runtime::keeper::{Keeper, local_now};
use crate::runtime::pipeline::{PipelineError, WayIn};
use crate::runtime::status::{LeaseNote, Stands};
use crate::store::credit::{AccountRow, CreditRow};
use crate::store::credit_elsewhere::HeardCredits;
use crate::store::{Reader, StoreError};

/// With nothing new to tell, what others have spent is heard so often.
const HEAR_EVERY: Duration = Duration::from_secs(15);
/// At the end, saying goodbye may take so long: whoever waits gets the leases soon anyway.
const GOODBYE: Duration = Duration::from_millis(1_500);
/// Whether there are other collectors is looked at so often.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// Whoever waits for the loss of a lease looks at the clock himself so often.
const LOOK: Duration = Duration::from_millis(250);

/// Who polls, by name.
pub type Standings = BTreeMap<String, Lease>;

/// How the leases of a session stand. Clones share everything.
#[derive(Clone, Debug)]
pub struct Leases(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    timing: Timing,
    clock: Awake,
    state: Mutex<LeaseState>,
    /// Who wants what.
    wants: Mutex<BTreeMap<&'static str, BTreeSet<String>>>,
    /// Held, and not wanted any more.
    giving_up: Mutex<BTreeSet<String>>,
    /// Fingerprints of the keys of this device.
    keys: Mutex<BTreeSet<String>>,
    /// Something is to be done before the next question is due.
    wake: Notify,
    standings: watch::Sender<Standings>,
    heard: watch::Sender<Arc<Heard>>,
    /// Why the hub does not answer.
    trouble: watch::Sender<Option<String>>,
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Valid after every statement; a panic elsewhere while it was held spoils nothing.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Leases {
    /// Nothing is held yet. `others`: what the last contact of an earlier life said of other collectors.
    pub fn new(timing: Timing, alone: Alone, others: Option<bool>) -> Self {
        Self(Arc::new(Shared {
            timing,
            clock: Awake::default(),
            state: Mutex::new(LeaseState::new(timing, alone, others)),
            wants: Mutex::default(),
            giving_up: Mutex::default(),
            keys: Mutex::default(),
            wake: Notify::new(),
            standings: watch::Sender::new(Standings::new()),
            heard: watch::Sender::new(Arc::default()),
            trouble: watch::Sender::new(None),
        }))
    }

    fn state<T>(&self, f: impl FnOnce(&mut LeaseState, Moment) -> T) -> T {
        let mut state = locked(&self.0.state);
        // Read with the lock held: an instant that is older than what the state knows would be believed.
        let now = self.0.clock.now();
        f(&mut state, now)
    }

    /// How a name stands at this moment.
    pub fn lease(&self, name: &str) -> Lease {
        self.state(|s, now| s.lease(name, now))
    }

    /// How all wanted names stand, and word of every change.
    pub fn standings(&self) -> watch::Receiver<Standings> {
        self.0.standings.subscribe()
    }

    /// What others of the desk have spent, and word of every change.
    pub fn heard(&self) -> watch::Receiver<Arc<Heard>> {
        self.0.heard.subscribe()
    }

    /// Why the hub does not answer, if it does not.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.0.trouble.subscribe()
    }

    /// At the last contact another collector had been there within a day.
    pub fn others(&self) -> Option<bool> {
        self.state(|s, _| s.others())
    }

    /// Other rules about being alone, from now on.
    pub fn set_alone(&self, alone: Alone) {
        self.state(|s, _| s.set_alone(alone));
        self.publish();
    }

    /// `who` wants to ask for these from now on, and for nothing else. What nobody wants any more is given up.
    pub fn want(&self, who: &'static str, names: BTreeSet<String>) {
        let all: BTreeSet<String> = {
            let mut wants = locked(&self.0.wants);
            if wants.get(who).is_some_and(|w| *w == names) || (names.is_empty() && !wants.contains_key(who)) {
                return;
            }
            wants.insert(who, names);
            wants.values().flatten().cloned().collect()
        };
        let dropped = self.state(|s, now| s.want(all, now));
        locked(&self.0.giving_up).extend(dropped);
        self.publish();
        self.0.wake.notify_one();
    }

    /// The keys whose credits are of interest, by their fingerprints.
    pub fn use_keys(&self, keys: BTreeSet<String>) {
        let mut known = locked(&self.0.keys);
        if *known != keys {
            *known = keys;
            self.0.wake.notify_one();
        }
    }

    /// Waits until this device may no longer ask for `name`.
    pub async fn lost(&self, name: &str) {
        while self.lease(name).is_held() {
            sleep(LOOK).await;
        }
    }

    /// Waits until it may.
    pub async fn held(&self, name: &str) {
        let mut standings = self.standings();
        while !self.lease(name).is_held() {
            tokio::select! {
                // The task that keeps the leases is gone: they stay as they are.
                changed = standings.changed() => if changed.is_err() { std::future::pending::<()>().await },
                () = sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Tells those who listen how things stand.
    fn publish(&self) {
        let all = self.state(|s, now| s.all(now));
        self.0.standings.send_if_modified(|known| {
            let other = *known != all;
            if other {
                *known = all;
            }
            other
        });
    }
}

/// The task that keeps the leases.
#[derive(Debug)]
pub struct Leasing {
    leases: Leases,
    stop: CancellationToken,
    task: Aborting<()>,
}

/// What the task reads of the store: what this device has spent.
#[derive(Clone, Debug)]
pub struct OwnLedger(pub PathBuf);

impl OwnLedger {
    async fn read(&self, since: i64) -> Option<(Vec<CreditRow>, Vec<AccountRow>)> {
        let path = self.0.clone();
        let read = tokio::task::spawn_blocking(move || -> Result<_, StoreError> {
            let reader = Reader::open(&path)?;
            let accounts = reader.accounts()?.into_iter().filter(|a| a.month >= since && a.told_at.is_some());
            Ok((reader.credits(since)?, accounts.collect()))
        });
        match read.await {
            Ok(Ok(read)) => Some(read),
            // A session opens its store moments after it begins.
            Ok(Err(e)) => {
                tracing::debug!(error = %e, "the ledger could not be read for the hub");
                None
            }
            Err(_) => None,
        }
    }
}

impl Leasing {
    /// Begins to ask the hub at `url`, as the device with this number, for what the session that feeds `store` will want.
    pub fn at(url: HubUrl, device: i32, alone: Alone, store: &Path) -> Self {
        // A store that is not there yet, or is of an older program, knows of no contact.
        let others = Reader::open(store).and_then(|r| r.other_collectors()).unwrap_or_default();
        let timing = Timing::default();
        let hub = Hub::new(url, device, timing.patience);
        Self::start(Leases::new(timing, alone, others), hub, OwnLedger(store.to_owned()))
    }

    /// Begins to ask `referee` for what is wanted of `leases`.
    pub fn start(leases: Leases, referee: impl Referee, ledger: OwnLedger) -> Self {
        let stop = CancellationToken::new();
        let work = Work {
            leases: leases.clone(),
            referee,
            ledger,
            told: None,
            exchanged: None,
            failing: false,
            stop: stop.clone(),
        };
        Self { leases, stop, task: Aborting(tokio::spawn(work.run())) }
    }

    /// How they stand.
    pub fn leases(&self) -> Leases {
        self.leases.clone()
    }

    /// Tells what was spent last and gives everything up, so that whoever stands by goes on at once. To be called when
    /// nothing is asked and told any more.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = timeout(GOODBYE, &mut self.task.0).await;
    }
}

type Sums = (Vec<CreditRow>, Vec<AccountRow>);

struct Work<R> {
    leases: Leases,
    referee: R,
    ledger: OwnLedger,
    /// Our sums as they were told last.
    told: Option<Sums>,
    /// When the ledger was exchanged last.
    exchanged: Option<Moment>,
    failing: bool,
    stop: CancellationToken,
}

impl<R: Referee> Work<R> {
    async fn run(mut self) {
        let (leases, stop) = (self.leases.clone(), self.stop.clone());
        loop {
            leases.publish();
            let (due, wanted, runs_out, now) = leases.state(|s, now| {
                let wanted: Vec<String> = s.wanted().iter().cloned().collect();
                (s.next(), wanted, s.runs_out(now), now)
            });
            let giving_up: Vec<String> = locked(&leases.0.giving_up).iter().cloned().collect();
            if !giving_up.is_empty() {
                self.give_up(&giving_up).await;
            }
            if wanted.is_empty() || due > now {
                let wait = if wanted.is_empty() { leases.0.timing.every } else { due.saturating_sub(now) };
                let wait = runs_out.map_or(wait, |at| wait.min(at.saturating_sub(now)));
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = leases.0.wake.notified() => {}
                    // A timer may wake a moment early.
                    () = sleep(wait + Duration::from_millis(1)) => {}
                }
                continue;
            }
            let asked = tokio::select! {
                () = stop.cancelled() => break,
                newly = self.ask(&wanted) => newly,
            };
            if asked.is_some() {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = self.exchange(asked == Some(true)) => {}
                }
            }
        }
        self.goodbye().await;
    }

    /// Asks for the leases. Answers whether the hub answered, and then whether something is ours that was not.
    async fn ask(&mut self, wanted: &[String]) -> Option<bool> {
        let leases = self.leases.clone();
        let sent = leases.0.clock.now();
        let ttl = leases.0.timing.ttl;
        let answer = {
            let question = self.referee.take(wanted, ttl);
            tokio::pin!(question);
            loop {
                // What runs out meanwhile is told although no answer comes.
                tokio::select! {
                    answer = &mut question => break answer,
                    () = sleep(LOOK) => leases.publish(),
                }
            }
        };
        let held = |s: &LeaseState, now| s.all(now).into_values().filter(Lease::is_held).count();
        match answer {
            Ok(answer) => {
                let (before, after, unwanted) = leases.state(|s, now| {
                    let before = held(s, now);
                    let unwanted = s.answered(sent, &answer, now);
                    (before, held(s, now), unwanted)
                });
                locked(&leases.0.giving_up).extend(unwanted);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the hub answers again");
                    leases.0.trouble.send_replace(None);
                }
                Some(after > before)
            }
            Err(e) => {
                self.referee.hang_up();
                leases.state(|s, now| s.failed(sent, now));
                let told = e.to_string();
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(error = %e, "the hub cannot be asked who polls");
                }
                leases.0.trouble.send_if_modified(|t| t.replace(told.clone()).as_ref() != Some(&told));
                leases.publish();
                None
            }
        }
    }

    async fn give_up(&mut self, names: &[String]) {
        match self.referee.release(names).await {
            Ok(()) => locked(&self.leases.0.giving_up).retain(|n| !names.contains(n)),
            // It runs out by itself.
            Err(e) => {
                tracing::debug!(error = %e, "leases could not be given up");
                locked(&self.leases.0.giving_up).clear();
            }
        }
    }

    /// Tells what was spent, and hears what others have spent: at once when something is new or was just taken over.
    async fn exchange(&mut self, at_once: bool) {
        let leases = self.leases.clone();
        let keys: Vec<String> = locked(&leases.0.keys).iter().cloned().collect();
        let now = leases.0.clock.now();
        let since = Month::of(local_now()).0 - 1;
        let Some(sums) = self.ledger.read(since).await else { return };
        let news = self.told.as_ref() != Some(&sums);
        let due = self.exchanged.is_none_or(|at| now.saturating_sub(at) >= HEAR_EVERY);
        if !(news || due || at_once) {
            return;
        }
        let nothing = (Vec::new(), Vec::new());
        let (spent, accounts) = if news { &sums } else { &nothing };
        match self.referee.credits((spent, accounts), &keys, since).await {
            Ok(heard) => {
                (self.told, self.exchanged) = (Some(sums), Some(now));
                leases.0.heard.send_if_modified(|known| {
                    let other = **known != heard;
                    if other {
                        *known = Arc::new(heard);
                    }
                    other
                });
            }
            Err(e) => {
                self.referee.hang_up();
                tracing::warn!(error = %e, "the desk's ledger could not be shared; it is tried again");
            }
        }
    }

    async fn goodbye(&mut self) {
        let leases = self.leases.clone();
        let wanted: Vec<String> = leases.state(|s, now| {
            let all = s.wanted().iter().cloned().collect();
            s.want(BTreeSet::new(), now);
            all
        });
        leases.publish();
        if self.failing {
            // Nobody would hear it.
            return;
        }
        // What was spent last comes first: whoever goes on counts on it.
        self.exchange(true).await;
        let mut names: BTreeSet<String> = wanted.into_iter().collect();
        names.extend(std::mem::take(&mut *locked(&leases.0.giving_up)));
        if !names.is_empty() {
            let names: Vec<String> = names.into_iter().collect();
            if let Err(e) = self.referee.release(&names).await {
                tracing::debug!(error = %e, "leases could not be given up at the end");
            }
        }
    }
}

/// Notes in the status who polls, and in the store whether there are others.
pub(in crate::runtime) async fn note(leases: Leases, keeper: Keeper, way_in: WayIn, stop: CancellationToken) {
    let (mut standings, mut trouble) = (leases.standings(), leases.trouble());
    let mut kept = None;
    loop {
        if let Some(others) = leases.others().filter(|others| kept != Some(*others)) {
            kept = Some(others);
            let heard = HeardCredits { contact: Some((local_now(), others)), ..HeardCredits::default() };
            drop(way_in.hear_credits(heard).await);
        }
        let why = trouble.borrow_and_update().clone();
        let notes: Vec<LeaseNote> = standings
            .borrow_and_update()
            .iter()
            .map(|(name, lease)| {
                let (stands, holder) = match lease {
                    Lease::Held { .. } if why.is_some() => (Stands::Alone, None),
                    Lease::Held { .. } => (Stands::Held, None),
                    Lease::Other { name } => (Stands::Other, Some(keeper.clean(name))),
                    Lease::Unknown => (Stands::Waits, None),
                };
                LeaseNote { name: keeper.clean(name), stands, holder }
            })
            .collect();
        let why = why.map(|why| keeper.clean(&why));
        keeper.change(|s| (s.leases, s.hub_silent) = (notes, why));
        tokio::select! {
            () = stop.cancelled() => return,
            changed = standings.changed() => if changed.is_err() { return },
            changed = trouble.changed() => if changed.is_err() { return },
            () = sleep(NOTE_EVERY) => {}
        }
    }
}

/// Listens to an exchange for as long as this device is the one that does.
///
/// # Errors
/// [`PipelineError`] when the pipeline has ended.
pub(in crate::runtime) async fn listen(
    listener: Listener,
    leases: Option<Leases>,
    stop: CancellationToken,
    leave: CancellationToken,
) -> Result<(), PipelineError> {
    const LISTENING: &str = "listening";
    let Some(leases) = leases else { return exchange::listen(listener, stop, leave).await };
    leases.want(LISTENING, BTreeSet::from([POLYMARKET.to_owned()]));
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = leave.cancelled() => return Ok(()),
            () = leases.held(POLYMARKET) => {}
        }
        let turn = stop.child_token();
        let listening = exchange::listen(listener.clone(), turn.clone(), leave.clone());
        tokio::pin!(listening);
        tokio::select! {
            ended = &mut listening => {
                leases.want(LISTENING, BTreeSet::new());
                return ended;
            }
            () = leases.lost(POLYMARKET) => {
                turn.cancel();
                listening.await?;
            }
        }
    }
}
