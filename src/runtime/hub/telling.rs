//! Tells the hub what this store holds, as long as this device may: run after run, and then whenever a look is committed.
//! What cannot be told now waits in the store, where it lies anyway.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::exchange;
use super::sync::{Syncing, backoff};
use crate::engine::names::NameKind;
use crate::hub::answers;
use crate::hub::connect::{PATIENCE, Tier, connect, tier_of, within};
use crate::hub::error::HubError;
use crate::hub::keeping;
use crate::hub::lease::Lease;
use crate::hub::pull::{self, View};
use crate::hub::push::{PushError, Pusher, Step};
use crate::runtime::keeper::local_now;
use crate::runtime::pipeline::PipelineError;
use crate::runtime::published::Published;
use crate::runtime::status::hub::Going;
use crate::store::hub::Cursor;
use crate::store::{Reader, StoreError};

/// Without any word of a look the store is asked so often whether something waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Whoever polls looks so often whether there is something to drop; it is done once a day.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
/// What was heard of an exchange is looked for so often by whoever listens to it.
const HEARD_EVERY: Duration = Duration::from_millis(500);
/// Looks that are committed together are told together.
const GATHER: Duration = Duration::from_millis(20);

/// Why telling stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("{0}")]
    NotNoted(String),
    #[error("the hub was put back to an earlier moment; it is told again what it has forgotten")]
    OtherHistory,
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
pub(super) async fn run(syncing: Syncing, mut published: broadcast::Receiver<Published>) {
    let mut backoff = backoff();
    loop {
        syncing.note(|s| s.telling = Going::Connecting);
        let began = Instant::now();
        let ended = tokio::select! {
            () = syncing.stop.cancelled() => return,
            ended = tell(&syncing, &mut published) => ended,
        };
        match ended {
            Ok(()) => {
                syncing.note(|s| s.telling = Going::Off);
                return;
            }
            Err(Stopped::Pipeline(_)) => return,
            Err(e) => {
                let why = syncing.keeper.clean(&e.to_string());
                tracing::warn!(error = %why, "the hub is not told");
                let backlog = Reader::open(&syncing.store).and_then(|r| r.hub_backlog(|s| is_ours(&syncing, s))).ok();
                syncing.note(|s| {
                    (s.telling, s.trouble) = (Going::Failing, Some(why));
                    if let Some((looks, oldest)) = backlog {
                        (s.backlog, s.oldest) = (looks, oldest);
                    }
                });
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

/// This device asks about a sport, and will tell of it.
fn is_ours(syncing: &Syncing, sport: &str) -> bool {
    syncing.leases.as_ref().is_some_and(|l| l.lease(sport).is_held())
}

/// Tells until something fails. Comes back without an error when there is nothing to tell from here.
async fn tell(syncing: &Syncing, published: &mut broadcast::Receiver<Published>) -> Result<(), Stopped> {
    let reader = Reader::open(&syncing.store)?;
    let Some(link) = reader.hub_link()? else { return Ok(()) };
    let mut hub = connect(&syncing.config.url, "telling").await?;
    let tier = within::<_, _, HubError>(PATIENCE, tier_of(&mut hub)).await?;
    syncing.note(|s| s.tier = tier.name().to_owned());
    if !matches!(tier, Tier::Collector | Tier::Owner) {
        return Ok(());
    }
    let Some(leases) = syncing.leases.clone() else { return Ok(()) };
    let mut pusher = Pusher::new(reader, link.number)?;
    let mut beside = exchange::Telling::new(link.number);
    syncing.note(|s| {
        (s.telling, s.trouble) = (Going::On, None);
        s.heard = Some(local_now());
    });
    let mut retained: Option<Instant> = None;
    loop {
        let last = syncing.closing.is_cancelled();
        let mut sent = (0_u64, Duration::ZERO);
        let link = pusher.reader().hub_link()?.unwrap_or_else(|| link.clone());
        if link.history != pusher.history() {
            return Err(Stopped::OtherHistory);
        }
        // After the hub was put back others may have told what we hold too: nothing is told before that has been read.
        // It may have been put back once more meanwhile, and not come so far again.
        let ready = link.pulled >= link.whole || link.pulled >= pull::head(&mut hub, View::Whole).await?;
        for cursor in pusher.reader().hub_cursors()?.into_iter().filter(|_| ready) {
            let began = Instant::now();
            sent.0 += tell_one(syncing, &mut hub, &mut pusher, &leases, cursor).await?;
            sent.1 += began.elapsed();
        }
        if syncing.config.answers {
            tell_answers(syncing, &mut hub, &pusher, link.number).await?;
        }
        let more = beside.step(syncing, &mut hub, &leases, last).await?;
        let (looks, oldest) = pusher.reader().hub_backlog(|s| leases.lease(s).is_held())?;
        syncing.note(|s| {
            (s.backlog, s.oldest) = (looks, oldest);
            s.heard = Some(local_now());
            if sent.0 > 0 {
                s.rows_per_second = Some(sent.0 as f64 / sent.1.as_secs_f64().max(0.001));
            }
        });
        if more {
            continue;
        }
        if last {
            return Ok(());
        }
        let polls = || Ok::<_, StoreError>(pusher.reader().sports_with_looks()?.iter().any(|s| is_ours(syncing, s)));
        if retained.is_none_or(|at| at.elapsed() > RETAIN_EVERY) && polls()? {
            retained = Some(Instant::now());
            match keeping::retain(&mut hub, false).await {
                Ok(0) => {}
                Ok(days) => tracing::info!(days, "the hub has dropped days that it does not keep"),
                // Somebody reads them just now.
                Err(e @ HubError::Slow { .. }) => tracing::info!(error = %e, "the hub drops nothing now"),
                Err(e) => return Err(e.into()),
            }
        }
        tokio::select! {
            () = syncing.closing.cancelled() => {}
            word = published.recv() => match word {
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => tokio::time::sleep(GATHER).await,
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
            // What an exchange told is kept moments after the looks that were made of it.
            () = tokio::time::sleep(if beside.is_on() { HEARD_EVERY } else { LOOK_EVERY }) => {}
        }
        while !matches!(
            published.try_recv(),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed)
        ) {}
    }
}

/// Tells answers as they came, as long as no look waits.
async fn tell_answers(
    syncing: &Syncing,
    hub: &mut crate::hub::connect::Connection,
    pusher: &Pusher,
    device: i32,
) -> Result<(), Stopped> {
    while let Some(told) = answers::step(hub, pusher.reader(), device).await? {
        let noted = syncing.way_in.hub_told(told).await?;
        noted.map_err(|e| Stopped::NotNoted(e.to_string()))?;
        let looks = pusher.reader().hub_backlog(|sport| is_ours(syncing, sport))?.0;
        if looks > 0 || syncing.closing.is_cancelled() {
            break;
        }
    }
    Ok(())
}

/// Tells everything of one source and sport; answers the rows.
async fn tell_one(
    syncing: &Syncing,
    hub: &mut crate::hub::connect::Connection,
    pusher: &mut Pusher,
    leases: &Leases,
    mut cursor: Cursor,
) -> Result<u64, Stopped> {
    let sport = pusher.reader().name_of(NameKind::Sport, cursor.sport.0.into())?;
    let mut sent = 0;
    loop {
        let Lease::Held { token } = leases.lease(&sport) else { return Ok(sent) };
        let step = tokio::select! {
            step = pusher.step(hub, &cursor, token) => step,
            // An answer that has not come by then is of no use, and may never come: the next lease is told of over a new
            // connection.
            () = leases.lost(&sport) => return Err(HubError::Lost { why: "the lease ran out meanwhile".to_owned() }.into()),
        };
        let step = match step {
            Ok(step) => step,
            // The lease has changed hands: the next look at it says so too.
            Err(PushError::Hub(HubError::Fenced { .. })) => {
                tracing::warn!(sport, "the hub does not take what another collector has taken over");
                return Ok(sent);
            }
            Err(e) => return Err(e.into()),
        };
        match step {
            Step::Nothing => return Ok(sent),
            Step::Overtaken => {
                tracing::warn!(sport, "another collector has gone on with this sport; what was not told here goes");
                return Ok(sent);
            }
            Step::Told { told, rows, .. } => {
                sent += rows;
                let (looks, next) = (told.looks.len() as u64, told.cursor);
                let noted = syncing.way_in.hub_told(told).await?;
                noted.map_err(|e| Stopped::NotNoted(e.to_string()))?;
                syncing.note(|s| s.told += looks);
                if let Some(next) = next {
                    if next.retracted != cursor.retracted {
                        pusher.forget()?;
                    }
                    cursor = next;
                }
            }
        }
    }
}

use super::lease::Leases;
