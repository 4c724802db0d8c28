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
use super::follow::{FollowConfig, Follower, KeyCheck, check_key};
use super::keeper::{Keeper, local_now};
use super::pipeline::{PipelineError, WayIn};
use super::status::{Following, KeyState, Part};
use crate::feeds::odds_api::client::Client;

/// First wait before polling that ended unexpectedly is started again.
const FIRST: Duration = Duration::from_secs(1);
/// Longest such wait.
const CAP: Duration = Duration::from_secs(60);
/// Polling that ran so long was well; the next unexpected end counts as the first.
const HEALTHY: Duration = Duration::from_secs(120);

/// What the feeder works with.
#[derive(Debug)]
pub(super) struct Feeder {
    pub(super) way_in: WayIn,
    pub(super) follow: Arc<FollowConfig>,
    pub(super) keeper: Keeper,
    /// Try a key before the first question.
    pub(super) check_key: bool,
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
    /// Follows with the newest of `clients` until `stop`.
    ///
    /// # Errors
    /// [`PipelineError`] when the pipeline has ended.
    pub(super) async fn run(
        self,
        mut clients: watch::Receiver<Option<Client>>,
        stop: CancellationToken,
    ) -> Result<(), PipelineError> {
        let result = self.feed(&mut clients, &stop).await;
        self.keeper.following(Following::Stopped);
        result
    }

    async fn feed(
        &self,
        clients: &mut watch::Receiver<Option<Client>>,
        stop: &CancellationToken,
    ) -> Result<(), PipelineError> {
        loop {
            let client = clients.borrow_and_update().clone();
            if let Some(client) = client {
                match self.with_key(client, clients, stop).await {
                    End::Pipeline(e) => return Err(e),
                    End::Stopped if stop.is_cancelled() => return Ok(()),
                    // Another key came.
                    End::Stopped => continue,
                    End::Refused => {}
                }
            }
            self.keeper.following(Following::NoKey);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = clients.changed() => if changed.is_err() {
                    // Nobody is left who could give a key.
                    stop.cancelled().await;
                    return Ok(());
                },
            }
        }
    }

    /// Follows with one key until it is refused, another one comes, or everything stops.
    async fn with_key(
        &self,
        client: Client,
        clients: &mut watch::Receiver<Option<Client>>,
        stop: &CancellationToken,
    ) -> End {
        let turn = stop.child_token();
        let follower = Follower::new(client, self.way_in.clone(), Arc::clone(&self.follow), self.keeper.clone());
        let mut untried = self.check_key;
        let work = keep_running(
            || {
                let check = std::mem::take(&mut untried);
                once(follower.clone(), Arc::clone(&self.follow), self.keeper.clone(), check, turn.clone())
            },
            Backoff::new(FIRST, CAP),
            &turn,
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
            _ = clients.changed() => {
                turn.cancel();
                // An answer that is being judged was paid for.
                work.await
            }
        };
        ended.unwrap_or(End::Stopped)
    }
}

async fn once(
    follower: Follower,
    config: Arc<FollowConfig>,
    keeper: Keeper,
    check: bool,
    stop: CancellationToken,
) -> End {
    if check {
        keeper.following(Following::Checking);
        let checked = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            checked = check_key(follower.client(), &config.sports) => checked,
        };
        match checked {
            KeyCheck::Accepted => keeper.key(KeyState::Accepted),
            KeyCheck::Refused(message) => {
                keeper.key(KeyState::Refused { message });
                return End::Refused;
            }
            KeyCheck::Unknown => {}
        }
    }
    keeper.following(Following::Running);
    match follower.follow(&stop).await {
        Ok(()) => End::Stopped,
        Err(e) => End::Pipeline(e),
    }
}

/// Runs what `start` makes, in a task of its own, until one of them ends by itself. One that panics is started again
/// after a wait that `tell` hears of. `None`: stopped while waiting.
pub(super) async fn keep_running<W>(
    mut start: impl FnMut() -> W,
    mut backoff: Backoff,
    stop: &CancellationToken,
    mut tell: impl FnMut(u32, Duration),
) -> Option<W::Output>
where
    W: Future + Send + 'static,
    W::Output: Send,
{
    loop {
        let began = Instant::now();
        let mut work = Aborting(tokio::spawn(start()));
        match (&mut work.0).await {
            Ok(done) => return Some(done),
            // The runtime is going down.
            Err(e) if e.is_cancelled() => return None,
            Err(_) => {}
        }
        if began.elapsed() >= HEALTHY {
            backoff.worked();
        }
        let wait = backoff.after_failure(roll());
        tell(backoff.failures(), wait);
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(wait) => {}
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
        let done = keep_running(work, quick(), &CancellationToken::new(), |n, wait| told.push((n, wait))).await;
        assert_eq!(done, Some(3));
        assert_eq!(told.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(told.iter().all(|(_, w)| *w >= Duration::from_millis(1) && *w <= Duration::from_millis(4)));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_the_next_start() {
        let stop = CancellationToken::new();
        let long = Backoff::new(Duration::from_secs(3600), Duration::from_secs(3600));
        let work = || async { panic!("on purpose") };
        let ended: Option<()> = keep_running(work, long, &stop, |_, _| stop.cancel()).await;
        assert_eq!(ended, None);
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
