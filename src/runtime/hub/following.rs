//! Takes in what other devices told the hub: stretch by stretch, then whenever the log is announced to have grown. Where
//! announcements do not come through (a transaction pooler, a free login) it is asked often instead.

use std::time::{Duration, Instant};

use super::exchange;
use super::sync::{Syncing, backoff};
use crate::hub::connect::{Connection, Tier, connect, tier_of};
use crate::hub::error::HubError;
use crate::hub::pull::{self, Stretch, View};
use crate::hub::recent::{self, First};
use crate::runtime::keeper::local_now;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::status::hub::Going;
use crate::store::hub::{Incoming, Order};
use crate::store::{Reader, StoreError};

/// With announcements the log is looked at so often all the same.
const ANNOUNCED: Duration = Duration::from_secs(10);
/// Without them.
const ASKED: Duration = Duration::from_secs(1);
/// What is late anyway is asked for so often.
const LATE: Duration = Duration::from_secs(5);
/// An announcement to ourselves takes no longer.
const ECHO: Duration = Duration::from_secs(2);

/// Why following stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("{0}")]
    NotKept(String),
}

/// Runs until it is told to stop.
pub(super) async fn run(syncing: Syncing) {
    let mut backoff = backoff();
    loop {
        syncing.note(|s| s.following = Going::Connecting);
        let began = Instant::now();
        let ended = tokio::select! {
            () = syncing.stop.cancelled() => return,
            () = syncing.closing.cancelled() => return,
            ended = follow(&syncing) => ended,
        };
        match ended {
            Ok(()) => {
                syncing.note(|s| s.following = Going::Off);
                return;
            }
            Err(Stopped::Pipeline(_)) => return,
            Err(e) => {
                let why = syncing.keeper.clean(&e.to_string());
                tracing::warn!(error = %why, "the hub is not followed");
                syncing.note(|s| (s.following, s.trouble) = (Going::Failing, Some(why)));
            }
        }
        if began.elapsed() > Duration::from_secs(30) {
            backoff.worked();
        }
        if !syncing.wait(&mut backoff).await {
            return;
        }
    }
}

/// Follows until something fails. Comes back without an error where there is no hub.
async fn follow(syncing: &Syncing) -> Result<(), Stopped> {
    let Some(link) = Reader::open(&syncing.store)?.hub_link()? else { return Ok(()) };
    let mut hub = connect(&syncing.config.url, "following").await?;
    let tier = tier_of(&mut hub).await?;
    let view = if tier == Tier::Free { View::Reduced } else { View::Whole };
    let head = pull::head(&mut hub, view).await?;
    if head < link.pulled {
        return Err(HubError::Broken {
            what: format!(
                "it knows {head} entries, and this store has taken in {}: it was put back to an earlier moment; see \
                 docs/hub.md, Backup and restore",
                link.pulled
            ),
        }
        .into());
    }
    let announced = view == View::Whole && listens(&mut hub).await?;
    let every = match (view, announced) {
        (View::Reduced, _) => LATE,
        (_, true) => ANNOUNCED,
        (_, false) => ASKED,
    };
    syncing.note(|s| {
        (s.following, s.trouble) = (Going::On, None);
        (s.announced, s.pulled) = (announced, link.pulled);
        s.tier = tier.name().to_owned();
        s.heard = Some(local_now());
    });
    let mut after = link.pulled;
    let mut gap = link.gap;
    if after == 0 && gap.is_none() && syncing.config.collects.is_none() {
        // Whoever judges needs all of it, in order.
        if let Some(first) = recent::first(&mut hub, view, link.number, First::default()).await? {
            after = first.incoming.until;
            gap = match first.incoming.order {
                Order::Recent { gap } => Some((0, gap)),
                _ => None,
            };
            take_in(syncing, first.incoming).await?;
        }
    }
    syncing.note(|s| s.history = gap);
    let mut beside = exchange::Following::new(syncing, tier, link.number)?;
    let mut ahead: Option<Stretch> = None;
    loop {
        let stretch = match ahead.take() {
            Some(stretch) => Some(stretch),
            None => pull::next(&mut hub, view, link.number, after).await?,
        };
        // What is to be taken back may not have come yet.
        let wait = stretch.as_ref().is_some_and(|s| s.incoming.retract.is_some());
        if let Some(open) = gap.filter(|_| stretch.is_none() || wait) {
            gap = history(syncing, &mut hub, view, link.number, open).await?;
            continue;
        }
        let Some(stretch) = stretch else {
            syncing.note(|s| {
                (s.pulled, s.head) = (after, after);
                s.heard = Some(local_now());
            });
            if let Some(beside) = &mut beside
                && beside.step(syncing, &mut hub).await?
            {
                continue;
            }
            let (_, notifications) = hub.parts();
            tokio::select! {
                word = notifications.recv() => if word.is_none() {
                    return Err(HubError::Lost { why: "it was closed".to_owned() }.into());
                },
                () = tokio::time::sleep(every) => {}
            }
            while hub.notifications().try_recv().is_ok() {}
            continue;
        };
        let (until, head) = (stretch.incoming.until, stretch.head);
        let mut again = None;
        let apply = take_in(syncing, stretch.incoming);
        if until < head {
            // The next stretch comes over the line while this one is written.
            let (applied, next) = tokio::join!(apply, pull::next(&mut hub, view, link.number, until));
            again = again.or(applied?);
            ahead = next?;
        } else {
            again = again.or(apply.await?);
        }
        after = until;
        if let Some(from) = again {
            (after, ahead) = (from, None);
        }
        syncing.note(|s| {
            (s.pulled, s.head) = (after, head);
            s.heard = Some(local_now());
        });
    }
}

/// Takes in the next stretch of the history that comes behind; answers what is still to come.
async fn history(
    syncing: &Syncing,
    hub: &mut Connection,
    view: View,
    device: i32,
    (behind, gap): (i64, i64),
) -> Result<Option<(i64, i64)>, Stopped> {
    let stretch = pull::behind(hub, view, device, (behind, gap)).await?;
    let stretch = stretch.ok_or_else(|| HubError::Broken { what: format!("the log has no entry after {behind}") })?;
    let until = stretch.incoming.until;
    take_in(syncing, stretch.incoming).await?;
    let left = (until < gap).then_some((until, gap));
    syncing.note(|s| {
        s.history = left;
        s.heard = Some(local_now());
    });
    Ok(left)
}

/// Has a stretch written; answers from where the log is to be read again, if it is.
async fn take_in(syncing: &Syncing, incoming: Incoming) -> Result<Option<i64>, Stopped> {
    let applied = syncing.way_in.hub_apply(incoming).await?.map_err(|e| Stopped::NotKept(e.to_string()))?;
    if applied.given_up > 0 {
        tracing::warn!(
            looks = applied.given_up,
            "looks that the hub had not taken gave way to another collector's; their answers stay in the archive"
        );
        syncing.note(|s| s.given_up += applied.given_up);
    }
    Ok(applied.again_after)
}

/// Asks for announcements; answers whether they come through.
async fn listens(hub: &mut Connection) -> Result<bool, HubError> {
    let rows = hub.client().query_typed("SELECT value FROM hub.meta WHERE key = 'channel'", &[]).await?;
    let Some(channel) = rows.first() else { return Err(HubError::NotAHub) };
    let channel: String = channel.try_get(0)?;
    // On a channel of our own first: a pooler lends a session for one transaction and hears nothing afterwards.
    let probe = format!("stratum_probe_{}", uuid::Uuid::new_v4().simple());
    hub.client().batch_execute(&format!("LISTEN {probe}")).await?;
    hub.client().batch_execute(&format!("NOTIFY {probe}")).await?;
    let heard = tokio::time::timeout(ECHO, hub.notifications().recv()).await.is_ok_and(|n| n.is_some());
    if !heard {
        return Ok(false);
    }
    hub.client().batch_execute(&format!("UNLISTEN {probe}; LISTEN \"{channel}\"")).await?;
    Ok(true)
}
