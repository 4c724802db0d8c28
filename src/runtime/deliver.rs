//! Delivers what the outbox holds: a task for each channel, so that none waits for another.
//!
//! Reads the store, sends through a [`Channel`], and has the judging thread note what came of it. A message is due until
//! its delivery has been noted; whoever is killed in between sends it again, with the same key. Nothing that was sent is
//! sent again only because the note could not be written: then the note is tried again first.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, roll};
use super::feeder::{Aborting, keep_running};
use super::keeper::{Keeper, local_now};
use super::pipeline::WayIn;
use super::status::Part;
use super::watchdog::Pulse;
use crate::alerts::channel::{Attempt, Channel};
use crate::alerts::message::Message;
use crate::alerts::retry::{Patience, millis, why};
use crate::market::time::Timestamp;
use crate::store::outbox::{Attempted, NewMessage, Next, OutboxRow};
use crate::store::{Reader, StoreError};

/// The outbox is looked at so often, woken or not.
const LOOK: Duration = Duration::from_secs(30);
/// Channels that the settings do not have are looked for so often.
const STRAYS: Duration = Duration::from_secs(60);
/// A channel that has not answered in this time is not waited for any longer. Channels have limits of their own.
const TOO_LONG: Duration = Duration::from_secs(60);
/// At the end an attempt under way is waited for so long; it is made again otherwise.
const LAST_MOMENT: Duration = Duration::from_millis(800);
/// Messages that one question to the store brings.
const AT_ONCE: usize = 100;
/// First wait before a delivery that panicked is started again.
const FIRST: Duration = Duration::from_secs(1);
/// Longest such wait.
const CAP: Duration = Duration::from_secs(60);

/// What delivering works with.
#[derive(Clone, Debug)]
pub(super) struct Delivering {
    pub(super) store: PathBuf,
    pub(super) way_in: WayIn,
    pub(super) wake: watch::Receiver<u64>,
    pub(super) keeper: Keeper,
    pub(super) patience: Patience,
    pub(super) stop: CancellationToken,
}

/// Starts to deliver through `channels`. Dropping what it answers ends it.
pub(super) fn start(delivering: &Delivering, channels: &[Arc<dyn Channel>]) -> Vec<Aborting<()>> {
    let mut tasks = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for channel in channels {
        if names.iter().any(|n| n == channel.name()) {
            tracing::warn!(channel = channel.name(), "two channels have this name; the first counts");
            continue;
        }
        names.push(channel.name().to_owned());
        tasks.push(supervised(delivering.clone(), {
            let channel = Arc::clone(channel);
            move |d| deliver(d, Arc::clone(&channel))
        }));
    }
    tasks.push(supervised(delivering.clone(), move |d| strays(d, names.clone())));
    tasks
}

fn supervised<W>(delivering: Delivering, mut start: impl FnMut(Delivering) -> W + Send + 'static) -> Aborting<()>
where
    W: Future<Output = ()> + Send + 'static,
{
    Aborting(tokio::spawn(async move {
        let (stop, keeper) = (delivering.stop.clone(), delivering.keeper.clone());
        keep_running(
            || start(delivering.clone()),
            Backoff::new(FIRST, CAP),
            &stop,
            // An attempt has a limit of its own; nobody has to look after it.
            &Pulse::default(),
            |failures, wait| {
                keeper.complain(Part::Alerts, "delivering alerts ended unexpectedly; see the log");
                tracing::error!(failures, ?wait, "delivering alerts ended unexpectedly and is started again");
            },
        )
        .await;
    }))
}

/// A reader that outlives the questions, asked where waiting for the disk holds nobody up.
#[derive(Debug, Default)]
struct Asking(Option<Reader>);

impl Asking {
    async fn ask<T: Send + 'static>(
        &mut self,
        store: &std::path::Path,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reader, path) = (self.0.take(), store.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let reader = match reader {
                Some(reader) => reader,
                None => Reader::open(&path)?,
            };
            let answer = question(&reader)?;
            Ok::<_, StoreError>((reader, answer))
        });
        let (reader, answer) = asked.await.map_err(|_| StoreError::Damaged { what: "answer" })??;
        self.0 = Some(reader);
        Ok(answer)
    }
}

/// One channel, until it is stopped.
async fn deliver(mut d: Delivering, channel: Arc<dyn Channel>) {
    let mut asking = Asking::default();
    let mut failures = 0_u32;
    loop {
        let name = channel.name().to_owned();
        let now = local_now();
        let due = asking.ask(&d.store, move |r| r.due(&name, now, AT_ONCE)).await;
        let mut pause = None;
        match due {
            Ok(due) if due.is_empty() => {}
            Ok(due) => {
                let size = channel.batch().max(1);
                for batch in due.chunks(size) {
                    let attempt = match try_batch(&d, &*channel, batch).await {
                        Ok(attempt) => attempt,
                        // The pipeline has ended, or everything stops.
                        Err(()) => return,
                    };
                    match attempt {
                        Attempt::Later { after, .. } => {
                            // What one message met, the next would meet too: the whole channel waits.
                            failures = failures.saturating_add(1);
                            let own = d.patience.wait(failures, roll());
                            pause = Some(after.unwrap_or_default().max(own));
                            break;
                        }
                        Attempt::Delivered | Attempt::Refused { .. } => failures = 0,
                    }
                }
                if pause.is_none() {
                    continue;
                }
            }
            Err(e) => tracing::warn!(error = %e, channel = channel.name(), "the outbox could not be read"),
        }
        if let Some(pause) = pause {
            tracing::info!(channel = channel.name(), ?pause, failures, "a channel is left alone");
            tokio::select! {
                () = d.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => continue,
            }
        }
        let name = channel.name().to_owned();
        let next = asking.ask(&d.store, move |r| r.waiting_channels().map(|all| due_at(&all, &name))).await;
        let wait = next.ok().flatten().map_or(LOOK, |at| until(at).min(LOOK));
        tokio::select! {
            () = d.stop.cancelled() => return,
            woken = d.wake.changed() => if woken.is_err() { return },
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn due_at(all: &[(String, Timestamp)], name: &str) -> Option<Timestamp> {
    all.iter().find(|(n, _)| n == name).map(|(_, at)| *at)
}

/// At least a moment, so that a clock that stands does not make a task run in circles.
fn until(at: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(at.since(local_now())).unwrap_or(0)).max(Duration::from_millis(20))
}

/// Tries one batch and has it noted. `Err`: there is nobody any more to note it.
async fn try_batch(d: &Delivering, channel: &dyn Channel, batch: &[OutboxRow]) -> Result<Attempt, ()> {
    let (mut rows, mut messages, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for row in batch {
        match serde_json::from_str::<Message>(&row.message) {
            Ok(message) => {
                messages.push(Message { key: row.key.clone(), ..message });
                rows.push(row);
            }
            Err(e) => unreadable.push((row, format!("the message cannot be read: {e}"))),
        }
    }
    let mut notes: Vec<Attempted> = Vec::new();
    for (row, why) in unreadable {
        notes.push(Attempted { message: row.id, at: local_now(), took_ms: 0, next: Next::Refused, why });
    }
    let mut attempt = Attempt::Delivered;
    if !messages.is_empty() {
        let began = Instant::now();
        attempt = tokio::select! {
            // What is on its way may arrive: waiting a moment for the word saves a repeat.
            () = async { d.stop.cancelled().await; tokio::time::sleep(LAST_MOMENT).await } => return Err(()),
            sent = tokio::time::timeout(TOO_LONG, channel.send(&messages)) => sent.unwrap_or_else(|_| Attempt::Later {
                after: None,
                why: format!("no answer within {} s", TOO_LONG.as_secs()),
            }),
        };
        let (took_ms, at) = (millis(began.elapsed()), local_now());
        let why = d.keeper.clean(why(&attempt));
        notes.extend(rows.into_iter().map(|row| Attempted {
            message: row.id,
            at,
            took_ms,
            next: d.patience.next(&attempt, row.deliverable_since(), row.attempts, at, roll()),
            why: why.clone(),
        }));
    }
    note(d, notes).await?;
    Ok(attempt)
}

/// Has attempts noted, however long that takes.
async fn note(d: &Delivering, notes: Vec<Attempted>) -> Result<(), ()> {
    let mut backoff = Backoff::new(FIRST, CAP);
    loop {
        match d.way_in.note_attempts(notes.clone()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "what came of a delivery could not be noted; nothing is sent until it is");
                d.keeper.complain(Part::Alerts, &e.to_string());
            }
            Err(_) => return Err(()),
        }
        tokio::select! {
            () = d.stop.cancelled() => return Err(()),
            () = tokio::time::sleep(backoff.after_failure(roll())) => {}
        }
    }
}

/// Starts to deliver what cannot be put into the outbox, because the store cannot be written: once, to whom it may reach.
pub(super) fn start_straight(
    mut messages: mpsc::UnboundedReceiver<Vec<NewMessage>>,
    channels: Vec<Arc<dyn Channel>>,
    keeper: Keeper,
    stop: CancellationToken,
) -> Aborting<()> {
    Aborting(tokio::spawn(async move {
        loop {
            let messages = tokio::select! {
                () = stop.cancelled() => return,
                messages = messages.recv() => match messages {
                    Some(messages) => messages,
                    None => return,
                },
            };
            for m in messages {
                // What would have to be held has nowhere to be held in.
                let awake = m.not_before <= local_now();
                let channel = channels.iter().find(|c| c.name() == m.channel).filter(|_| awake).cloned();
                let Some((channel, message)) = channel.zip(serde_json::from_str::<Message>(&m.message).ok()) else {
                    continue;
                };
                // In a task of its own, so that a channel that panics ends nothing else.
                let sending = tokio::spawn(async move {
                    tokio::time::timeout(TOO_LONG, channel.send(std::slice::from_ref(&message))).await
                });
                match sending.await {
                    Ok(Ok(Attempt::Delivered)) => {}
                    Ok(Ok(attempt)) => {
                        let why = keeper.clean(why(&attempt));
                        tracing::warn!(channel = %m.channel, why, "what could not be stored could not be told either");
                    }
                    _ => tracing::warn!(channel = %m.channel, "what could not be stored could not be told either"),
                }
            }
        }
    }))
}

/// Messages for channels that the settings do not have: they wait, for the settings may get them, and are given up like
/// any other.
async fn strays(mut d: Delivering, known: Vec<String>) {
    let mut asking = Asking::default();
    loop {
        let now = local_now();
        let known = known.clone();
        let due = asking.ask(&d.store, move |r| {
            let mut all = Vec::new();
            for (name, at) in r.waiting_channels()? {
                if at <= now && !known.contains(&name) {
                    all.extend(r.due(&name, now, AT_ONCE)?);
                }
            }
            Ok(all)
        });
        let due = due.await.unwrap_or_default();
        let notes: Vec<Attempted> = due
            .iter()
            .map(|row| {
                let why = format!("the settings have no channel '{}'", row.channel);
                let attempt = Attempt::Later { after: Some(STRAYS), why: why.clone() };
                let next = d.patience.next(&attempt, row.deliverable_since(), row.attempts, now, roll());
                Attempted { message: row.id, at: now, took_ms: 0, next, why }
            })
            .collect();
        if !notes.is_empty() && note(&d, notes).await.is_err() {
            return;
        }
        tokio::select! {
            () = d.stop.cancelled() => return,
            woken = d.wake.changed() => if woken.is_err() { return },
            () = tokio::time::sleep(STRAYS) => {}
        }
    }
}
