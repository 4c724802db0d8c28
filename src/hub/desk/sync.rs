//! One round: our operations go to the hub, those of others come here.
//!
//! There is no cursor to get wrong. Both sides know of each device how many operations they have; what one lacks is the
//! difference. So a round may be broken off anywhere, done twice, or by two processes at once.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::wire::{self, There};
use crate::hub::connect::Connection;
use crate::hub::error::HubError;
use crate::store::desk::merge::{Clock, Heads, Operation};
use crate::store::desk::{Desk, DeskError, Series};

/// Operations that are told or asked for at once.
const BATCH: usize = 500;
/// So often a round is begun anew because somebody else was quicker.
const ATTEMPTS: usize = 5;

/// What a round did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// The space of the login: `desk`, or a free login's own.
    pub space: String,
    /// Operations that the hub has now and had not before.
    pub pushed: usize,
    /// Operations that are here now and were not before.
    pub pulled: usize,
    /// Rows of the desk that were written or removed for them.
    pub rows: usize,
    /// Operations of ours that stay here, because of `limit`.
    pub waiting: usize,
    /// Why, for the user.
    pub limit: Option<String>,
    /// This desk turned out to be a copy, or put back from one, and goes on under a new id.
    pub parted: bool,
}

/// Why a round did not come to its end. What it had done by then is kept.
#[derive(Debug, thiserror::Error)]
pub enum DeskSyncError {
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The desk's file.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<tokio_postgres::Error> for DeskSyncError {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Hub(e.into())
    }
}

/// Does a round for the desk at `desk` on the installation `device`. Where nothing is new that is one short question to
/// the hub and some reading of the desk's file.
///
/// # Errors
/// [`DeskSyncError`]; [`HubError::Withheld`] for a login that has no desk at the hub.
pub async fn round(connection: &mut Connection, desk: &Path, device: Uuid) -> Result<Report, DeskSyncError> {
    let mut local = Local::open(desk, device).await?;
    let mut report = Report::default();
    for attempt in 1.. {
        let there = wire::there(connection.client()).await?.ok_or_else(|| HubError::Withheld {
            what: "this login belongs to no tier that has watchlists at the hub".to_owned(),
        })?;
        report.space.clone_from(&there.space);
        match exchange(connection, &mut local, &there, &mut report).await {
            Err(Broken::OutOfStep(why)) if attempt >= ATTEMPTS => {
                return Err(HubError::Denied { why }.into());
            }
            Err(Broken::OutOfStep(_)) => {}
            Err(Broken::Failed(e)) => return Err(e),
            Ok(()) => break,
        }
    }
    Ok(report)
}

enum Broken {
    /// To be begun anew.
    OutOfStep(String),
    Failed(DeskSyncError),
}

impl<E: Into<DeskSyncError>> From<E> for Broken {
    fn from(e: E) -> Self {
        Self::Failed(e.into())
    }
}

async fn exchange(c: &mut Connection, local: &mut Local, there: &There, report: &mut Report) -> Result<(), Broken> {
    let device = local.device;
    let series = local.with(move |desk| desk.series(device)).await?;
    agree(c, local, there, &series, report).await?;
    let heads = local.with(|desk| desk.heads()).await?;
    push_own(c, local, there, &series, report).await?;
    if there.space == "desk" {
        hand_on(c, local, there, &heads, series.device, report).await?;
    }
    pull(c, local, there, report).await
}

/// Sees to it that the hub has ours as they are here. What it has that we do not know of was told in a round whose end we
/// did not see, or by another that numbers alike.
async fn agree(
    c: &mut Connection,
    local: &mut Local,
    there: &There,
    series: &Series,
    report: &mut Report,
) -> Result<(), Broken> {
    let same = series.told_to.as_ref().is_some_and(|(hub, space)| (hub, space) == (&there.hub, &there.space));
    let mut told = if same { series.told } else { 0 };
    let head = there.heads.get(&series.device).copied().unwrap_or(0);
    while told < head {
        let theirs = wire::of_device(c.client(), series.device, told, BATCH as i32).await?;
        let Some(last) = theirs.last().map(|o| o.n) else { break };
        let own = series.device;
        let ours = local.with(move |desk| desk.operations(own, told, BATCH)).await?;
        let differs = theirs.iter().zip(&ours).find(|(t, o)| !t.is_same(o));
        if let Some((theirs, _)) = differs {
            let common = theirs.n - 1;
            local.with(move |desk| desk.part_ways(common)).await?;
            report.parted = true;
            return Err(Broken::OutOfStep("two desks number their changes alike".to_owned()));
        }
        let clocks: Vec<(i64, Clock)> = theirs.iter().map(|o| (o.n, o.clock)).collect();
        let unknown: Vec<Operation> = theirs.into_iter().skip(ours.len()).collect();
        if !unknown.is_empty() {
            let taken = local.with(move |desk| desk.take_in(&unknown)).await?;
            report.pulled += taken.new;
            report.rows += taken.rows;
        }
        local.told(there, own, last, clocks).await?;
        told = last;
    }
    Ok(())
}

/// Tells what is new of ours, all of it or nothing: what is made and deleted again counts for no limit.
async fn push_own(
    c: &mut Connection,
    local: &mut Local,
    there: &There,
    series: &Series,
    report: &mut Report,
) -> Result<(), Broken> {
    let device = series.device;
    let mut after = there.heads.get(&device).copied().unwrap_or(0);
    let mut batch = local.with(move |desk| desk.operations(device, after, BATCH)).await?;
    if batch.is_empty() {
        return Ok(());
    }
    let (mut clocks, mut count) = (Vec::new(), 0);
    let tx = c.client().transaction().await?;
    let told = loop {
        let Some(last) = batch.last().map(|o| o.n) else { break tx.commit().await };
        match wire::append(&tx, &batch).await {
            Ok(kept) => clocks.extend(kept),
            Err(e) => break Err(e),
        }
        (after, count) = (last, count + batch.len());
        batch = local.with(move |desk| desk.operations(device, after, BATCH)).await?;
    };
    match told {
        Ok(()) => {
            local.told(there, device, after, clocks).await?;
            report.pushed += count;
            Ok(())
        }
        Err(e) => match wire::raised(&e) {
            Some((wire::LIMIT, why)) => {
                report.limit = Some(why.to_owned());
                report.waiting = count;
                Ok(())
            }
            Some((wire::OUT_OF_STEP, why)) => Err(Broken::OutOfStep(why.to_owned())),
            _ => Err(e.into()),
        },
    }
}

/// Operations of others that the hub has lost, because it was made anew: whoever has them gives them back.
async fn hand_on(
    c: &mut Connection,
    local: &mut Local,
    there: &There,
    heads: &Heads,
    own: Uuid,
    report: &mut Report,
) -> Result<(), Broken> {
    for (device, head) in heads.clone() {
        let mut after = there.heads.get(&device).copied().unwrap_or(0);
        while device != own && after < head {
            let batch = local.with(move |desk| desk.operations(device, after, BATCH)).await?;
            let Some(last) = batch.last().map(|o| o.n) else { break };
            match wire::append(c.client(), &batch).await {
                Ok(_) => report.pushed += batch.len(),
                Err(e) => match wire::raised(&e) {
                    Some((wire::OUT_OF_STEP, why)) => return Err(Broken::OutOfStep(why.to_owned())),
                    _ => return Err(e.into()),
                },
            }
            after = last;
        }
    }
    Ok(())
}

async fn pull(c: &mut Connection, local: &mut Local, there: &There, report: &mut Report) -> Result<(), Broken> {
    let mut heads = local.with(|desk| desk.heads()).await?;
    // Nothing to ask for, as far as the first question goes: what has come since is for the next round.
    while there.heads.iter().any(|(device, n)| heads.get(device).copied().unwrap_or(0) < *n) {
        let batch = wire::beyond(c.client(), &heads, BATCH as i32).await?;
        if batch.is_empty() {
            break;
        }
        let before = heads.clone();
        let taken = local.with(move |desk| desk.take_in(&batch)).await?;
        report.pulled += taken.new;
        report.rows += taken.rows;
        heads = local.with(|desk| desk.heads()).await?;
        if heads == before {
            break;
        }
    }
    Ok(())
}

/// The desk's file, used on threads that may wait.
struct Local {
    device: Uuid,
    desk: Option<Desk>,
    path: PathBuf,
}

impl Local {
    async fn open(path: &Path, device: Uuid) -> Result<Self, DeskSyncError> {
        let mut local = Self { device, desk: None, path: path.to_owned() };
        local.with(|_| Ok(())).await?;
        Ok(local)
    }

    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Desk) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, DeskSyncError> {
        let (desk, path) = (self.desk.take(), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            let mut desk = match desk {
                Some(desk) => desk,
                None => Desk::open(&path)?,
            };
            let done = work(&mut desk)?;
            Ok::<_, DeskError>((desk, done))
        });
        match done.await {
            Ok(Ok((desk, done))) => {
                self.desk = Some(desk);
                Ok(done)
            }
            Ok(Err(e)) => Err(e.into()),
            Err(_) => Err(HubError::Broken { what: "the desk's thread ended".to_owned() }.into()),
        }
    }

    async fn told(
        &mut self,
        there: &There,
        device: Uuid,
        up_to: i64,
        clocks: Vec<(i64, Clock)>,
    ) -> Result<(), DeskSyncError> {
        let There { hub, space, .. } = there.clone();
        self.with(move |desk| desk.told(&hub, &space, device, up_to, &clocks)).await
    }
}
