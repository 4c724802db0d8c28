//! Takes in what other devices told the hub: stretch by stretch, then whenever the log is announced to have grown. Where
//! announcements do not come through (a transaction pooler, a free login) it is asked often instead.

use std::time::{Duration, Instant};

use super::exchange;
use super::sync::{Syncing, backoff};
use crate::hub::connect::{Connection, HubUrl, PATIENCE, Tier, connect, tier_of, within};
use crate::hub::error::HubError;
use crate::hub::history::{self, Standing};
use crate::hub::keeping;
use crate::hub::live::Live;
use crate::hub::pull::{self, Stretch, View};
use crate::hub::push::PushError;
use crate::hub::recent::{self, First};
use crate::runtime::keeper::local_now;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::status::hub::Going;
use crate::store::hub::{Incoming, Link, Order};
use crate::store::{Reader, StoreError};

/// With announcements the log is looked at so often all the same.
const ANNOUNCED: Duration = Duration::from_secs(10);
/// Without them.
const ASKED: Duration = Duration::from_secs(1);
/// What is late anyway is asked for so often.
const LATE: Duration = Duration::from_secs(5);
/// How far it has come is told so often, so that nothing is dropped that is still to be read.
const NOTED: Duration = Duration::from_secs(60);
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

impl From<PushError> for Stopped {
    fn from(e: PushError) -> Self {
        match e {
            PushError::Hub(e) => Self::Hub(e),
            PushError::Store(e) => Self::Store(e),
        }
    }
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
    let reader = Reader::open(&syncing.store)?;
    let Some(link) = reader.hub_link()? else { return Ok(()) };
    let mut hub = connect(&syncing.config.url, "following").await?;
    let tier = within::<_, _, HubError>(PATIENCE, tier_of(&mut hub)).await?;
    let view = View::of(tier);
    let link = same_history(syncing, &mut hub, tier, &reader, link).await?;
    let announced = view == View::Whole && listens(&syncing.config.url, &mut hub).await?;
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
    // Up to here the rows of what we told ourselves are needed too: they are not here any more, or the hub was put back and
    // may have looks that we have let go of.
    let mut own = link.whole;
    let mut mark = reader.hub_mark_until(after)?.filter(|(entry, _)| *entry == after).map(|(_, mark)| mark);
    let mut gap = link.gap;
    let is_new = after == 0 && gap.is_none() && link.history == 0 && reader.hub_mark_until(i64::MAX)?.is_none();
    // Whoever judges needs all of it, in order.
    if is_new
        && syncing.config.collects.is_none()
        && let Some(first) = recent::first(&mut hub, view, link.number, First::default()).await?
    {
        (after, mark) = (first.incoming.until, Some(first.mark));
        gap = match first.incoming.order {
            Order::Recent { gap } => Some((0, gap)),
            _ => None,
        };
        take_in(syncing, first.incoming).await?;
    }
    syncing.note(|s| s.history = gap);
    let mut beside = exchange::Following::new(syncing, tier, link.number)?;
    let mut live = Live::default();
    let mut ahead: Option<Stretch> = None;
    // What there may be news of: without a word it is all looked at.
    let mut look_at = News::ALL;
    let mut all_at = tokio::time::Instant::now();
    let mut noted: Option<Instant> = None;
    loop {
        if link.number > 0 && noted.is_none_or(|at| at.elapsed() > NOTED) {
            match keeping::note_followed(&mut hub, link.number, gap.map_or(after, |g| g.0)).await {
                // Linked under another login, which may follow all the same.
                Ok(()) | Err(HubError::Denied { .. }) => noted = Some(Instant::now()),
                Err(e) => return Err(e.into()),
            }
        }
        let stretch = match ahead.take() {
            Some(stretch) => Some(stretch),
            None if !look_at.log && gap.is_none() => None,
            None => live.next(&mut hub, view, link.number, after, own).await?,
        };
        // What is to be taken back may not have come yet.
        let wait = stretch.as_ref().is_some_and(|s| s.incoming.retract.is_some());
        if let Some(open) = gap.filter(|_| stretch.is_none() || wait) {
            gap = older(syncing, &mut hub, view, link.number, open).await?;
            continue;
        }
        let Some(stretch) = stretch else {
            // A word of the log that brought nothing may be of one that was put back.
            if mark.is_some() && (look_at.standing || look_at.log) {
                let there = history::mark_of(&mut hub, view, after).await?;
                // A free login may be made to see less than it did.
                if there != mark && (there.is_some() || view == View::Whole) {
                    return Err(HubError::PutBack.into());
                }
            }
            if look_at.log {
                syncing.note(|s| {
                    (s.pulled, s.head) = (after, after);
                    s.heard = Some(local_now());
                });
            }
            if look_at.exchange
                && let Some(beside) = &mut beside
                && beside.step(syncing, &mut hub).await?
            {
                // Looks wait for no more than one batch.
                look_at.log = true;
                continue;
            }
            let now = tokio::time::Instant::now();
            look_at = News::wait(&mut hub, (all_at + every).max(now)).await?;
            if look_at.standing {
                all_at = tokio::time::Instant::now();
            } else {
                syncing.note(|s| s.heard = Some(local_now()));
            }
            continue;
        };
        // The entry before may be kept no longer.
        if mark.is_some() && stretch.before.is_some() && stretch.before != mark {
            return Err(HubError::PutBack.into());
        }
        let (until, head, packed) = (stretch.incoming.until, stretch.head, stretch.packed);
        let until_mark = stretch.mark;
        let apply = take_in(syncing, stretch.incoming);
        let applied = if until < head {
            // The next stretch comes over the line while this one is written.
            let (applied, next) = tokio::join!(apply, live.next(&mut hub, view, link.number, until, own));
            ahead = next?;
            applied
        } else {
            // What comes from now on is announced.
            look_at.log = !announced;
            apply.await
        };
        let again = match applied {
            Ok(again) => again,
            Err(Stopped::NotKept(why)) if packed => {
                tracing::warn!(error = %syncing.keeper.clean(&why), until, "what came packed is read from the tables");
                live.distrust(until);
                (ahead, look_at) = (None, News::ALL);
                continue;
            }
            Err(e) => return Err(e),
        };
        mark = Some(until_mark);
        after = until;
        if let Some((from, missing)) = again {
            // Some of it may be what we told: begin anew with what the store says now.
            if Reader::open(&syncing.store)?.hub_link()?.is_some_and(|l| l.whole != link.whole) {
                drop(hub);
                return Box::pin(follow(syncing)).await;
            }
            (after, ahead, mark, own) = (from, None, None, own.max(missing));
            // Names that came with what was let go of are asked for again.
            live = Live::default();
            look_at = News::ALL;
        }
        syncing.note(|s| {
            (s.pulled, s.head) = (after, head);
            s.heard = Some(local_now());
        });
    }
}

/// What there may be news of.
#[derive(Clone, Copy, Debug)]
struct News {
    log: bool,
    exchange: bool,
    /// Whether the hub is still the one that we know.
    standing: bool,
}

impl News {
    const ALL: Self = Self { log: true, exchange: true, standing: true };

    /// Waits for a word from the hub; everything is looked at when it is time for that.
    async fn wait(hub: &mut Connection, until: tokio::time::Instant) -> Result<Self, HubError> {
        let notifications = hub.notifications();
        let mut word = tokio::select! {
            word = notifications.recv() => match word {
                Some(word) => word,
                None => return Err(HubError::Lost { why: "it was closed".to_owned() }),
            },
            () = tokio::time::sleep_until(until) => return Ok(Self::ALL),
        };
        let mut news = Self { log: false, exchange: false, standing: false };
        for words in 1.. {
            match word.payload() {
                "exchange" => news.exchange = true,
                "desk" => {}
                _ => news.log = true,
            }
            match notifications.try_recv() {
                Ok(next) => word = next,
                // Where there was no room for more, more may have been said.
                Err(_) if words >= notifications.max_capacity() => return Ok(Self::ALL),
                Err(_) => return Ok(news),
            }
        }
        Ok(Self::ALL)
    }
}

/// Takes in the next stretch of the history that comes behind; answers what is still to come.
async fn older(
    syncing: &Syncing,
    hub: &mut Connection,
    view: View,
    device: i32,
    (behind, gap): (i64, i64),
) -> Result<Option<(i64, i64)>, Stopped> {
    let stretch = pull::behind(hub, view, device, (behind, gap)).await?;
    let known = Reader::open(&syncing.store)?.hub_mark_until(behind)?.filter(|(entry, _)| *entry == behind);
    let before = stretch.as_ref().and_then(|s| s.before);
    if known.zip(before).is_some_and(|((_, known), before)| known != before) {
        return Err(HubError::PutBack.into());
    }
    // It may be that nothing of it is kept any more.
    let nothing = || Incoming { until: gap, order: Order::Behind, ..Incoming::default() };
    let incoming = stretch.map_or_else(nothing, |s| s.incoming);
    let until = incoming.until;
    take_in(syncing, incoming).await?;
    let left = (until < gap).then_some((until, gap));
    syncing.note(|s| {
        s.history = left;
        s.heard = Some(local_now());
    });
    Ok(left)
}

/// Finds out whether the hub is the one that the store knows; where it was put back, the store goes on from what both have.
async fn same_history(
    syncing: &Syncing,
    hub: &mut Connection,
    tier: Tier,
    reader: &Reader,
    link: Link,
) -> Result<Link, Stopped> {
    let Standing::PutBack { common } = history::standing(hub, tier, reader, &link).await? else { return Ok(link) };
    let there = history::found(hub, tier, reader, &link, common).await?;
    let head = there.head;
    let done = syncing.way_in.hub_put_back(there).await?.map_err(|e| Stopped::NotKept(e.to_string()))?;
    tracing::warn!(
        common,
        head,
        looks = done.forgotten,
        "the hub was put back to an earlier moment: what it has forgotten stays here and is told again"
    );
    Ok(reader.hub_link()?.unwrap_or(link))
}

/// Has a stretch written; answers from where the log is to be read again, if it is, and up to where with what we told
/// ourselves.
async fn take_in(syncing: &Syncing, incoming: Incoming) -> Result<Option<(i64, i64)>, Stopped> {
    let applied = syncing.way_in.hub_apply(incoming).await?.map_err(|e| Stopped::NotKept(e.to_string()))?;
    if applied.given_up > 0 {
        tracing::warn!(
            looks = applied.given_up,
            "looks that the hub had not taken gave way to another collector's; their answers stay in the archive"
        );
        syncing.note(|s| s.given_up += applied.given_up);
    }
    Ok(applied.again_after.map(|after| (after, applied.own_missing.unwrap_or(0))))
}

/// Asks for announcements; answers whether they come through.
async fn listens(url: &HubUrl, hub: &mut Connection) -> Result<bool, HubError> {
    let ask = hub.client().query_typed("SELECT value FROM hub.meta WHERE key = 'channel'", &[]);
    let rows = within::<_, _, HubError>(PATIENCE, ask).await?;
    let Some(channel) = rows.first() else { return Err(HubError::NotAHub) };
    let channel: String = channel.try_get(0)?;
    // On a channel of our own first, and announced by somebody else while we ask nothing: a pooler lends a session for one
    // transaction, may well lend the same one the next time, and hears nothing in between.
    let probe = format!("stratum_probe_{}", uuid::Uuid::new_v4().simple());
    let mut other = connect(url, "probe").await?;
    within::<_, _, HubError>(PATIENCE, hub.client().batch_execute(&format!("LISTEN {probe}"))).await?;
    within::<_, _, HubError>(PATIENCE, other.client().batch_execute(&format!("NOTIFY {probe}"))).await?;
    let heard = tokio::time::timeout(ECHO, hub.notifications().recv()).await.is_ok_and(|n| n.is_some());
    if !heard {
        // Where it can be, what the pooler's session was asked for is taken back.
        within::<_, _, HubError>(PATIENCE, hub.client().batch_execute(&format!("UNLISTEN {probe}"))).await?;
        return Ok(false);
    }
    let listen = format!("UNLISTEN {probe}; LISTEN \"{channel}\"");
    within::<_, _, HubError>(PATIENCE, hub.client().batch_execute(&listen)).await?;
    Ok(true)
}
