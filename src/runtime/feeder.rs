//! Keeps the polling alive: waits for a key, tries it, follows, and starts again what ended unexpectedly.
//!
//! A panic in the polling never takes the process down and is never repeated in a hurry; only the end of the pipeline,
//! or a stop, ends this.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, roll};
use super::follow::{Ended, FollowConfig, Follower, KeyCheck, Places, check_key};
use super::hub::lease::Leases;
use super::keeper::{Keeper, local_now};
use super::pipeline::{PipelineError, WayIn};
use super::standby::Standby;
use super::status::{Following, KeyState, Part};
use super::watchdog::Pulse;
use crate::feeds::odds_api::client::Client;
use crate::feeds::odds_api::sports::Sport;

/// First wait before polling that ended unexpectedly is started again.
const FIRST: Duration = Duration::from_secs(1);
/// Longest such wait.
const CAP: Duration = Duration::from_secs(60);
/// Polling that ran so long was well; the next unexpected end counts as the first.
const HEALTHY: Duration = Duration::from_secs(120);

/// A refused key is tried again after this.
const KEY_FIRST: Duration = Duration::from_secs(5);
/// And so rarely, once it has been refused for long.
const KEY_CAP: Duration = Duration::from_secs(600);

/// What the feeder works with.
#[derive(Debug)]
pub(super) struct Feeder {
    pub(super) way_in: WayIn,
    pub(super) keeper: Keeper,
    pub(super) pulse: Pulse,
    /// Where things are that following reads.
    pub(super) places: Arc<Places>,
    /// Try a key before the first question.
    pub(super) check_key: bool,
    /// Who of the desk polls; `None`: there is no hub.
    pub(super) leases: Option<Leases>,
    /// What the source lists, as it was answered when the key was tried.
    pub(super) sports: watch::Sender<Vec<Sport>>,
}

/// What is asked, and through what.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    /// `None`: there is no key.
    pub(super) client: Option<Client>,
    pub(super) follow: Arc<FollowConfig>,
    /// Rises with every other key: it has to be tried, and everything is due at once.
    pub(super) key: u32,
}

/// How one stretch of polling with one key ended.
enum End {
    /// It was stopped.
    Stopped,
    /// The key is refused.
    Refused,
    /// The pipeline has ended.
    Pipeline(PipelineError),
}

impl Feeder {
    /// Follows by the newest of `feeds` until `stop`.
    ///
    /// # Errors
    /// [`PipelineError`] when the pipeline has ended.
    pub(super) async fn run(
        self,
        mut feeds: watch::Receiver<Feed>,
        stop: CancellationToken,
    ) -> Result<(), PipelineError> {
        let result = self.feed(&mut feeds, &stop).await;
        self.pulse.rest();
        self.keeper.following(Following::Stopped);
        result
    }

    async fn feed(&self, feeds: &mut watch::Receiver<Feed>, stop: &CancellationToken) -> Result<(), PipelineError> {
        let mut before: Option<(u32, Follower)> = None;
        let mut untried = self.check_key;
        let mut patience = Backoff::new(KEY_FIRST, KEY_CAP);
        loop {
            let mut refused = false;
            let feed = feeds.borrow_and_update().clone();
            if let Some(client) = feed.client {
                let follower = match before.take().filter(|(key, _)| *key == feed.key) {
                    Some((_, before)) => before.going_on(client, Arc::clone(&feed.follow)),
                    None => {
                        untried = self.check_key;
                        patience.worked();
                        let (follow, keeper) = (Arc::clone(&feed.follow), self.keeper.clone());
                        let (way_in, places) = (self.way_in.clone(), Arc::clone(&self.places));
                        let (pulse, leases) = (self.pulse.clone(), self.leases.clone());
                        Follower::new(client, way_in, follow, places, keeper, pulse, leases).await
                    }
                };
                before = Some((feed.key, follower.clone()));
                match self.with_key(follower, &feed.follow, &mut untried, feeds, stop).await {
                    End::Pipeline(e) => return Err(e),
                    End::Stopped if stop.is_cancelled() => return Ok(()),
                    // Another key or other settings came.
                    End::Stopped => continue,
                    // A provider can be wrong about a key for a while: it is tried again, rarely and for free.
                    End::Refused => (untried, refused) = (true, true),
                }
            }
            let again = if refused { Some(patience.after_failure(roll())) } else { None };
            self.pulse.rest();
            self.keeper.following(Following::NoKey);
            Standby::give_up(self.leases.as_ref());
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = elapsed(again) => {}
                changed = feeds.changed() => if changed.is_err() {
                    // Nobody is left who could give a key.
                    stop.cancelled().await;
                    return Ok(());
                },
            }
        }
    }

    /// Follows with one key until it is refused, something else is to be followed, or everything stops.
    async fn with_key(
        &self,
        follower: Follower,
        follow: &Arc<FollowConfig>,
        untried: &mut bool,
        feeds: &mut watch::Receiver<Feed>,
        stop: &CancellationToken,
    ) -> End {
        let turn = stop.child_token();
        let work = keep_running(
            || {
                let check = std::mem::take(untried);
                self.pulse.beat();
                once(
                    follower.clone(),
                    Arc::clone(follow),
                    self.keeper.clone(),
                    check.then(|| self.sports.clone()),
                    turn.clone(),
                )
            },
            Backoff::new(FIRST, CAP),
            &turn,
            &self.pulse,
            |failures, wait| {
                self.keeper.complain(Part::Follow, "polling ended unexpectedly; see the log");
                let at = local_now().plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                self.keeper.following(Following::Restarting { at, failures });
                tracing::error!(failures, ?wait, "polling ended unexpectedly and is started again");
            },
        );
        tokio::pin!(work);
        let ended = tokio::select! {
            ended = &mut work => ended,
            _ = feeds.changed() => {
                turn.cancel();
                // An answer that is being judged was paid for.
                work.await
            }
        };
        ended.unwrap_or(End::Stopped)
    }
}

async fn elapsed(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn once(
    follower: Follower,
    config: Arc<FollowConfig>,
    keeper: Keeper,
    check: Option<watch::Sender<Vec<Sport>>>,
    stop: CancellationToken,
) -> End {
    if let Some(sports) = check {
        keeper.following(Following::Checking);
        let checked = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            checked = check_key(follower.client(), &config.sports) => checked,
        };
        match checked {
            KeyCheck::Accepted(listed) => {
                sports.send_replace(listed);
                keeper.key(KeyState::Accepted);
                follower.key_works();
            }
            KeyCheck::Refused(message) => {
                keeper.key(KeyState::Refused { message });
                return End::Refused;
            }
            KeyCheck::Unknown => {}
        }
    }
    keeper.following(Following::Running);
    match follower.follow(&stop).await {
        Ok(Ended::Stopped) => End::Stopped,
        Ok(Ended::Refused) => End::Refused,
        Err(e) => End::Pipeline(e),
    }
}

/// Runs what `start` makes, in a task of its own, until one of them ends by itself. One that panics, or that is silent for
/// so long that `pulse` is kicked, is started again after a wait that `tell` hears of. `None`: stopped while waiting.
pub(super) async fn keep_running<W>(
    mut start: impl FnMut() -> W,
    mut backoff: Backoff,
    stop: &CancellationToken,
    pulse: &Pulse,
    mut tell: impl FnMut(u32, Duration),
) -> Option<W::Output>
where
    W: Future + Send + 'static,
    W::Output: Send,
{
    loop {
        let began = Instant::now();
        let mut work = Aborting(tokio::spawn(start()));
        let ended = tokio::select! {
            ended = &mut work.0 => Some(ended),
            () = pulse.kicked() => None,
        };
        match ended {
            Some(Ok(done)) => return Some(done),
            // The runtime is going down.
            Some(Err(e)) if e.is_cancelled() => return None,
            Some(Err(_)) | None => {}
        }
        drop(work);
        if began.elapsed() >= HEALTHY {
            backoff.worked();
        }
        let wait = backoff.after_failure(roll());
        tell(backoff.failures(), wait);
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(wait) => pulse.beat(),
        }
    }
}

/// A task that ends when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Aborting<T>(pub(super) JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn quick() -> Backoff {
        Backoff::new(Duration::from_millis(1), Duration::from_millis(4))
    }

    #[tokio::test]
    async fn what_panics_is_started_again_until_it_ends_by_itself() {
        let started = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&started);
        let mut told = Vec::new();
        let work = move || {
            let n = count.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(n >= 3, "on purpose");
                n
            }
        };
        let done =
            keep_running(work, quick(), &CancellationToken::new(), &Pulse::default(), |n, wait| told.push((n, wait)))
                .await;
        assert_eq!(done, Some(3));
        assert_eq!(told.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(told.iter().all(|(_, w)| *w >= Duration::from_millis(1) && *w <= Duration::from_millis(4)));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_the_next_start() {
        let stop = CancellationToken::new();
        let long = Backoff::new(Duration::from_secs(3600), Duration::from_secs(3600));
        let work = || async { panic!("on purpose") };
        let ended: Option<()> = keep_running(work, long, &stop, &Pulse::default(), |_, _| stop.cancel()).await;
        assert_eq!(ended, None);
    }

    #[tokio::test]
    async fn what_is_kicked_is_started_again() {
        let started = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&started);
        let work = move || {
            let n = count.fetch_add(1, Ordering::SeqCst);
            async move {
                if n < 2 {
                    std::future::pending::<()>().await;
                }
            }
        };
        let pulse = Pulse::default();
        let kicks = pulse.clone();
        let kicking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                kicks.kick();
            }
        });
        let mut told = 0;
        let ended = keep_running(work, quick(), &CancellationToken::new(), &pulse, |_, _| told += 1).await;
        kicking.abort();
        assert_eq!((ended, started.load(Ordering::SeqCst), told), (Some(()), 3, 2));
    }

    #[tokio::test]
    async fn a_task_ends_with_its_owner() {
        struct Tells(Option<tokio::sync::oneshot::Sender<()>>);
        impl Drop for Tells {
            fn drop(&mut self) {
                let _ = self.0.take().map(|tx| tx.send(()));
            }
        }
        let (tx, rx) = tokio::sync::oneshot::channel();
        let tells = Tells(Some(tx));
        let task = Aborting(tokio::spawn(async move {
            let _tells = tells;
            std::future::pending::<()>().await;
        }));
        tokio::task::yield_now().await;
        drop(task);
        tokio::time::timeout(Duration::from_secs(5), rx).await.expect("in time").expect("dropped");
    }
}
