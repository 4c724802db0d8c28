//! The way of one answer: read, judged by the engine, committed by the store.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::engine::changes::Look;
use crate::engine::{Changes, Engine};
use crate::feeds::odds_api::wire::{self, AnswerInfo, WireError};
use crate::market::batch::{Asked, Batch, Endpoint, Scope};
use crate::market::ids::LookId;
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;
use crate::store::cycle::SignalCounts;
use crate::store::raw::body_hash;
use crate::store::{LookMeta, Store, StoreError};

/// An answer as it came, with what is known about it.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// Who answered.
    pub source: &'a str,
    /// Sport asked for; may be empty when the events say it themselves.
    pub sport: &'a str,
    /// Which question, where it is known.
    pub endpoint: Option<Endpoint>,
    /// When it was received.
    pub received_at: Timestamp,
    /// What was asked for.
    pub scope: Scope,
    /// How prices are written, where it is known.
    pub format: Option<OddsFormat>,
    /// The bytes.
    pub body: &'a [u8],
    /// Where it came from, for the look.
    pub origin: Option<&'a str>,
    /// Credits billed.
    pub cost: Option<i64>,
    /// Credits left.
    pub remaining: Option<i64>,
}

/// Why an answer did not become a look.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The bytes are no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an answer came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Looks written: one for each sport in the answer.
    pub looks: u32,
    /// Looks that were in the store already.
    pub known: u32,
    /// The last of them.
    pub last_look: LookId,
    /// Events in the answer.
    pub events: u64,
    /// Quotes in the answer.
    pub quotes: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Issues found.
    pub issues: u64,
    /// Published fair prices and consensus points.
    pub points: u64,
    /// New signals; updates of earlier ones are not counted.
    pub signals: SignalCounts,
}

impl Taken {
    /// Adds another to this one.
    pub fn add(&mut self, other: Self) {
        self.looks += other.looks;
        self.known += other.known;
        self.last_look = self.last_look.max(other.last_look);
        self.events += other.events;
        self.quotes += other.quotes;
        self.changes += other.changes;
        self.issues += other.issues;
        self.points += other.points;
        for (sum, n) in self.signals.iter_mut().zip(other.signals) {
            *sum += n;
        }
    }

    pub(super) fn count(&mut self, changes: &Changes) {
        self.looks += 1;
        self.last_look = changes.look.id;
        self.events += u64::from(changes.look.events);
        self.quotes += u64::from(changes.look.quotes);
        self.changes += u64::from(changes.look.changes);
        self.issues += u64::from(changes.look.issues);
        self.points += changes.points.len() as u64;
        for signal in changes.signals.iter().filter(|s| s.version == 1) {
            if let Some(n) = self.signals.get_mut(signal.kind as usize) {
                *n += 1;
            }
        }
    }
}

/// Reads an answer into batches of one sport each.
///
/// # Errors
/// [`WireError`] when nothing of it can be used.
pub fn read<'a>(answer: &Answer<'a>) -> Result<Vec<Batch<'a>>, WireError> {
    let info = AnswerInfo {
        source: answer.source,
        sport: answer.sport,
        endpoint: answer.endpoint.unwrap_or(Endpoint::Odds),
        received_at: answer.received_at,
        scope: answer.scope.clone(),
        format: answer.format,
    };
    let (mut batch, envelope) = wire::read(answer.body, info)?;
    let historical = envelope.timestamp.is_some();
    if answer.endpoint.is_none() {
        let listing = !batch.events.is_empty() && batch.events.iter().all(|e| !e.has_odds);
        let scores = listing && batch.events.iter().any(|e| e.score.is_some());
        let single = first_byte(answer.body) == Some(b'{') && !historical;
        batch.endpoint = match (listing, historical) {
            _ if scores => Endpoint::Scores,
            (true, false) => Endpoint::Events,
            (true, true) => Endpoint::HistoricalEvents,
            (false, true) => Endpoint::HistoricalOdds,
            (false, false) if single => Endpoint::EventOdds,
            (false, false) => Endpoint::Odds,
        };
    }
    if batch.endpoint.is_single_event() && batch.scope.events == Asked::All {
        batch.scope.events = Asked::Only(batch.events.iter().map(|e| e.id.to_string()).collect());
    }
    Ok(batch.split_by_sport())
}

fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|b| !b.is_ascii_whitespace())
}

/// What the store should know of an answer besides what changed.
pub fn meta(answer: &Answer<'_>, batch: &Batch<'_>, hash: [u8; 16]) -> LookMeta {
    LookMeta {
        scope: batch.scope.clone(),
        origin: answer.origin.map(str::to_owned),
        cost: answer.cost,
        remaining: answer.remaining,
        body_hash: hash,
    }
}

/// Takes one answer all the way: on return its looks are committed.
///
/// # Errors
/// [`IntakeError`]; nothing is written for the part that failed.
pub fn take(engine: &mut Engine, store: &mut Store, answer: &Answer<'_>) -> Result<(Taken, Vec<Look>), IntakeError> {
    take_timed(engine, store, answer, &mut Took::default(), |_, store, changes, meta, _| store.commit(changes, meta))
}

/// How long the steps of one answer took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Took {
    /// Reading the bytes.
    pub read: Duration,
    /// Judging.
    pub apply: Duration,
    /// Writing.
    pub commit: Duration,
}

/// [`take`] with a commit of one's own, and how long its steps took.
///
/// # Errors
/// [`IntakeError`]; nothing is written for the part that failed.
pub fn take_timed(
    engine: &mut Engine,
    store: &mut Store,
    answer: &Answer<'_>,
    took: &mut Took,
    mut commit: impl FnMut(&Engine, &mut Store, &Changes, &LookMeta, &Batch<'_>) -> Result<(), StoreError>,
) -> Result<(Taken, Vec<Look>), IntakeError> {
    let mut began = Instant::now();
    let mut lap = || {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut began, now))
    };
    let hash = body_hash(answer.body);
    let mut taken = Taken::default();
    let mut all = Vec::new();
    let batches = read(answer)?;
    took.read += lap();
    for batch in batches {
        let changes = engine.apply(&batch);
        took.apply += lap();
        commit(engine, store, &changes, &meta(answer, &batch, hash), &batch)?;
        took.commit += lap();
        taken.count(&changes);
        all.push(changes.look);
    }
    Ok((taken, all))
}

/// The sport that the first event of an answer names.
pub fn sport_of<'a>(batches: &'a [Batch<'a>]) -> Option<Cow<'a, str>> {
    batches.first().map(|b| b.sport.clone()).filter(|s| !s.is_empty())
}
