//! Watches over the parts that run by themselves: each gives a sign of life, and one that is silent for longer than it
//! may is named, started again where that can help, and otherwise ends the process for its supervisor to start again.
//!
//! Runs on a thread of its own, so that a runtime in which nothing moves any more is noticed too. Silence is counted in
//! the watchdog's own ticks: a machine that slept or a process that was stopped has not been silent.
//!
//! What cannot be mended from within is a thread that does not come back, such as one that waits for a disk that is gone:
//! nothing can take its work away from it. After [`Limits::judge_exit`] the owner is told, and a daemon ends itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::jumps::{self, Reading};
use super::keeper::{Keeper, local_now};
use super::status::{Part, StepKind, Stuck};

/// Between two rounds while something is expected to be told within seconds.
const TICK: Duration = Duration::from_secs(1);
/// And while nothing is: a program at rest shall rest.
const LONG_TICK: Duration = Duration::from_secs(5);

/// Parts that are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The thread that judges and stores.
    Judge,
    /// The task that asks.
    Polling,
    /// What runs all tasks.
    Tasks,
    /// The local socket.
    Socket,
    /// The delivery of alerts.
    Deliverer,
}

impl Role {
    /// The name in logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Polling => "polling",
            Self::Tasks => "tasks",
            Self::Socket => "socket",
            Self::Deliverer => "deliverer",
        }
    }

    /// The whole process is of no use without it, and it cannot be started again by itself.
    const fn is_vital(self) -> bool {
        matches!(self, Self::Judge | Self::Tasks)
    }
}

/// How long parts may be silent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The judge is named after this. A look takes milliseconds, a store that is held five seconds.
    pub judge: Duration,
    /// The judge and the tasks are given up after this.
    pub judge_exit: Duration,
    /// Polling is started again after this; must be longer than the longest call.
    pub polling: Duration,
    /// Everything else is named after this.
    pub others: Duration,
}

impl Limits {
    /// The usual limits, given how long one attempt to ask may take.
    pub fn usual(timeout: Duration) -> Self {
        // Three attempts, two pauses of at most fifteen seconds between them, and as much again for good measure.
        let polling = timeout * 3 + Duration::from_secs(90);
        let seconds = Duration::from_secs;
        Self { judge: seconds(30), judge_exit: seconds(120), polling, others: seconds(45) }
    }
}

/// A sign of life. Clones are of the same part.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Beats>);

#[derive(Debug, Default)]
struct Beats {
    count: AtomicU64,
    /// The part waits for something that may never come, such as a key.
    resting: AtomicBool,
    /// Told when the part shall be started again.
    kick: Notify,
}

impl Pulse {
    /// Still alive.
    pub fn beat(&self) {
        self.0.resting.store(false, Ordering::Relaxed);
        self.0.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Alive, and silent from now on for as long as it likes.
    pub fn rest(&self) {
        self.0.resting.store(true, Ordering::Relaxed);
    }

    /// Whoever holds this is expected to be silent once it is dropped.
    pub(super) fn resting_at_the_end(&self) -> RestAtEnd {
        RestAtEnd(self.clone())
    }

    /// Asks for the part to be started again.
    pub(super) fn kick(&self) {
        self.0.kick.notify_one();
    }

    /// Waits until the part shall be started again.
    pub async fn kicked(&self) {
        self.0.kick.notified().await;
    }
}

/// Lets a part rest when it is dropped.
#[derive(Debug)]
pub(super) struct RestAtEnd(Pulse);

impl Drop for RestAtEnd {
    fn drop(&mut self) {
        self.0.rest();
    }
}

/// A part as the watchdog sees it.
#[derive(Debug)]
struct Watched {
    role: Role,
    pulse: Pulse,
    limit: Duration,
    heard: u64,
    silent: Duration,
    /// Silent for longer than it may, and told so.
    told: bool,
    /// When it is kicked again.
    kick_at: Duration,
}

/// What a round found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Finding {
    Stuck(Role),
    Kick(Role),
    Well(Role),
    GiveUp(Role),
}

#[derive(Debug)]
struct Round {
    watched: Vec<Watched>,
    judge_exit: Duration,
    given_up: bool,
}

impl Round {
    fn part(&mut self, role: Role, limit: Duration) -> Pulse {
        let pulse = Pulse::default();
        let (heard, silent) = (0, Duration::ZERO);
        self.watched.push(Watched { role, pulse: pulse.clone(), limit, heard, silent, told: false, kick_at: limit });
        pulse
    }

    /// `passed` since the last round.
    fn go(&mut self, passed: Duration) -> Vec<Finding> {
        // Whoever slept together with us has not been silent.
        let passed = passed.min(2 * self.tick());
        let mut found = Vec::new();
        for w in &mut self.watched {
            let count = w.pulse.0.count.load(Ordering::Relaxed);
            if count != w.heard || w.pulse.0.resting.load(Ordering::Relaxed) {
                (w.heard, w.silent, w.kick_at) = (count, Duration::ZERO, w.limit);
                if std::mem::take(&mut w.told) {
                    found.push(Finding::Well(w.role));
                }
                continue;
            }
            w.silent += passed;
            if w.silent >= w.limit && !std::mem::replace(&mut w.told, true) {
                found.push(Finding::Stuck(w.role));
            }
            if w.role == Role::Polling && w.silent >= w.kick_at {
                // Where the judge is stuck, polling waits for it and is not to blame.
                w.kick_at = w.silent + w.limit;
                found.push(Finding::Kick(w.role));
            }
            if w.role.is_vital() && w.silent >= self.judge_exit && !self.given_up {
                self.given_up = true;
                found.push(Finding::GiveUp(w.role));
            }
        }
        if found.iter().any(|f| matches!(f, Finding::Kick(_))) && self.is_stuck(Role::Judge) {
            found.retain(|f| !matches!(f, Finding::Kick(_)));
        }
        found
    }

    /// Between two rounds: a quarter of the shortest silence that matters.
    fn tick(&self) -> Duration {
        let shortest = self.watched.iter().map(|w| w.limit).chain([self.judge_exit]).min().unwrap_or(LONG_TICK);
        (shortest / 4).clamp(TICK, LONG_TICK)
    }

    fn is_stuck(&self, role: Role) -> bool {
        self.watched.iter().any(|w| w.role == role && w.told)
    }

    fn stuck(&self) -> Vec<Role> {
        self.watched.iter().filter(|w| w.told).map(|w| w.role).collect()
    }
}

/// Called once with what has to be told when the process is of no use any more.
pub struct GiveUp(pub Box<dyn Fn(&str) + Send>);

impl std::fmt::Debug for GiveUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GiveUp")
    }
}

/// The watchdog of a session. Dropping it ends it.
#[derive(Debug)]
pub struct Watchdog {
    round: Arc<Mutex<Round>>,
    end: Arc<AtomicBool>,
    thread: std::thread::Thread,
}

/// Tells whether the parts of a session are alive. Clones tell the same.
#[derive(Clone, Debug)]
pub struct Alive(Arc<Mutex<Round>>);

impl Alive {
    /// No part has been silent for longer than it may: what a supervisor wants to know.
    pub fn check(&self) -> bool {
        self.stuck().is_empty()
    }

    /// Names of the parts that have been silent for longer than they may.
    pub fn stuck(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stuck().into_iter().map(Role::name).collect()
    }
}

impl Watchdog {
    /// Starts to watch.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(limits: Limits, keeper: Keeper, give_up: Option<GiveUp>) -> std::io::Result<Self> {
        let round = Round { watched: Vec::new(), judge_exit: limits.judge_exit, given_up: false };
        let (round, end) = (Arc::new(Mutex::new(round)), Arc::new(AtomicBool::new(false)));
        let (watched, ended) = (Arc::clone(&round), Arc::clone(&end));
        let thread = std::thread::Builder::new().name("watchdog".into()).spawn(move || {
            let begin = Instant::now();
            let mut before = Reading::now(begin);
            loop {
                let tick = watched.lock().unwrap_or_else(PoisonError::into_inner).tick();
                std::thread::park_timeout(tick);
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let now = Reading::now(begin);
                note_step(&keeper, &before, &now, tick);
                let passed = now.forward.saturating_sub(before.forward);
                before = now;
                let mut round = watched.lock().unwrap_or_else(PoisonError::into_inner);
                for finding in round.go(passed) {
                    act(finding, &round, &keeper, give_up.as_ref());
                }
            }
        })?;
        Ok(Self { round, end, thread: thread.thread().clone() })
    }

    /// Watches over a part from now on; it has to give a sign of life at least every `limit`.
    pub fn watch(&self, role: Role, limit: Duration) -> Pulse {
        self.round.lock().unwrap_or_else(PoisonError::into_inner).part(role, limit)
    }

    /// See [`Alive`].
    pub fn alive(&self) -> Alive {
        Alive(Arc::clone(&self.round))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

fn note_step(keeper: &Keeper, before: &Reading, now: &Reading, tick: Duration) {
    let Some((kind, by_ms)) = now.since(before, tick) else { return };
    let step = jumps::told(kind, by_ms, local_now());
    if matches!(kind, StepKind::Back | StepKind::Ahead) {
        keeper.complain(Part::Clock, &step.message);
    }
    tracing::warn!(by_ms, "{}", step.message);
    keeper.change(|s| s.clock_step = Some(step));
}

fn act(finding: Finding, round: &Round, keeper: &Keeper, give_up: Option<&GiveUp>) {
    let of = |role: Role| round.watched.iter().find(|w| w.role == role);
    match finding {
        Finding::Stuck(role) => {
            let limit = of(role).map_or(Duration::ZERO, |w| w.limit);
            let then = match role {
                Role::Polling => "it is started again",
                _ if role.is_vital() && give_up.is_some() => "the process ends if it stays so",
                _ => "the rest goes on",
            };
            let message = format!(
                "the {} has given no sign of life for {}; {then}",
                role.name(),
                crate::config::format_duration(limit)
            );
            tracing::error!(part = role.name(), "{message}");
            keeper.complain(Part::Watchdog, &message);
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            let stuck = Stuck { part: role.name().to_owned(), since: local_now(), limit_ms, message };
            keeper.change(|s| s.stuck.push(stuck));
            keeper.meters().stuck(role.name());
        }
        Finding::Well(role) => {
            tracing::warn!(part = role.name(), "the {} gives signs of life again", role.name());
            keeper.change(|s| s.stuck.retain(|s| s.part != role.name()));
        }
        Finding::Kick(role) => {
            if let Some(w) = of(role) {
                w.pulse.kick();
            }
        }
        Finding::GiveUp(role) => {
            let message = format!("the {} has been stuck for too long", role.name());
            tracing::error!(part = role.name(), "{message}");
            if let Some(give_up) = give_up {
                (give_up.0)(&message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> Round {
        Round { watched: Vec::new(), judge_exit: Duration::from_secs(120), given_up: false }
    }

    fn go(round: &mut Round, seconds: u64) -> Vec<Finding> {
        (0..seconds).flat_map(|_| round.go(TICK)).collect()
    }

    #[test]
    fn silence_is_named_once_and_so_is_its_end() {
        let mut round = round();
        let pulse = round.part(Role::Socket, Duration::from_secs(10));
        assert_eq!(go(&mut round, 9), []);
        pulse.beat();
        assert_eq!(go(&mut round, 10), []);
        assert_eq!(go(&mut round, 100), [Finding::Stuck(Role::Socket)]);
        assert!(round.is_stuck(Role::Socket));
        pulse.beat();
        assert_eq!(go(&mut round, 1), [Finding::Well(Role::Socket)]);
        assert!(!round.is_stuck(Role::Socket));
    }

    #[test]
    fn polling_is_kicked_again_and_again_unless_the_judge_is_to_blame() {
        let mut round = round();
        let _polling = round.part(Role::Polling, Duration::from_secs(10));
        let stuck = Finding::Stuck(Role::Polling);
        let kick = Finding::Kick(Role::Polling);
        assert_eq!(go(&mut round, 31), [stuck, kick, kick, kick]);
        let mut both = super::tests::round();
        let _judge = both.part(Role::Judge, Duration::from_secs(5));
        let _polling = both.part(Role::Polling, Duration::from_secs(10));
        assert_eq!(go(&mut both, 31), [Finding::Stuck(Role::Judge), stuck]);
    }

    #[test]
    fn a_vital_part_is_given_up_once() {
        let mut round = round();
        let judge = round.part(Role::Judge, Duration::from_secs(30));
        assert_eq!(go(&mut round, 119), [Finding::Stuck(Role::Judge)]);
        assert_eq!(go(&mut round, 500), [Finding::GiveUp(Role::Judge)]);
        judge.beat();
        assert_eq!(go(&mut round, 1), [Finding::Well(Role::Judge)]);
    }

    #[test]
    fn whoever_rests_or_slept_with_us_is_not_silent() {
        let mut round = round();
        let pulse = round.part(Role::Polling, Duration::from_secs(10));
        pulse.rest();
        assert_eq!(go(&mut round, 1000), []);
        pulse.beat();
        round.go(TICK);
        // The machine slept for a day.
        assert_eq!(round.go(Duration::from_secs(86_400)), []);
        // No more of it counts than two rounds, of which one takes a quarter of the limit.
        assert_eq!(go(&mut round, 4), []);
        assert_eq!(go(&mut round, 1), [Finding::Stuck(Role::Polling), Finding::Kick(Role::Polling)]);
    }

    #[tokio::test]
    async fn what_is_stuck_stands_in_the_status_and_ends_a_process_that_is_of_no_use() {
        let keeper = Keeper::new(None);
        let (tell, told) = std::sync::mpsc::channel();
        let limits = Limits { judge_exit: Duration::from_secs(2), ..Limits::usual(Duration::from_secs(1)) };
        let give_up = GiveUp(Box::new(move |why| drop(tell.send(why.to_owned()))));
        let dog = Watchdog::start(limits, keeper.clone(), Some(give_up)).expect("thread");
        let alive = dog.alive();
        let judge = dog.watch(Role::Judge, Duration::from_millis(500));
        let mut status = keeper.subscribe();
        let stuck = status.wait_for(|s| !s.stuck.is_empty());
        let stuck = tokio::time::timeout(Duration::from_secs(20), stuck).await.expect("in time").expect("open").clone();
        assert!(stuck.stuck[0].message.contains("the judge has given no sign of life"), "{stuck:?}");
        assert!(!alive.check() && alive.stuck() == ["judge"]);
        let why = tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(20))).await.expect("task");
        assert_eq!(why.expect("given up"), "the judge has been stuck for too long");
        judge.beat();
        tokio::time::timeout(Duration::from_secs(20), status.wait_for(|s| s.stuck.is_empty()))
            .await
            .expect("in time")
            .expect("open");
        assert!(alive.check());
    }
}
