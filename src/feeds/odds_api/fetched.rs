//! What one call of the client hands back: the outcome, and everything the logs and the ledger want to know about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::feeds::outcome::{AttemptClass, Outcome};
use crate::market::batch::{Endpoint, Scope};
use crate::market::time::Timestamp;

use super::breaker::{Breaker, BreakerConfig, BreakerView, Purpose, Ticket, Verdict};
use super::quota::Quota;

/// One attempt of a call: a row of the fetch log, failed attempts included.
#[derive(Clone, PartialEq, Debug)]
pub struct AttemptLog {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, the body included.
    pub elapsed: Duration,
    /// HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// How it ended.
    pub class: AttemptClass,
    /// Size of the body, decompressed, as far as it was read.
    pub bytes: usize,
    /// Credits reported with it.
    pub quota: Quota,
    /// For a person, when it failed; free of secrets.
    pub message: Option<String>,
    /// Pause between it and the next attempt; zero for the last.
    pub wait: Duration,
}

/// What came of one call. Printable as it is: neither the key nor a body shows.
#[derive(Debug)]
pub struct Fetched {
    /// Path and query without the key.
    pub request: String,
    /// Fingerprint of the key that asked last; `None` when nothing was sent.
    pub key: Option<String>,
    /// The endpoint asked.
    pub endpoint: Endpoint,
    /// The sport asked about; empty for the list of sports.
    pub sport: String,
    /// What a successful answer covers.
    pub scope: Scope,
    /// What the call was for.
    pub purpose: Purpose,
    /// When the last byte had arrived, or the call was given up.
    pub received_at: Timestamp,
    /// Duration of the whole call, pauses included.
    pub elapsed: Duration,
    /// Every attempt in order; empty when nothing was sent.
    pub attempts: Vec<AttemptLog>,
    /// The latest credits reported by any attempt.
    pub quota: Quota,
    /// Data, no events, or why not.
    pub outcome: Outcome,
    /// What the breaker is still to be told.
    pub verdict: PendingVerdict,
}

impl Fetched {
    /// Credits charged by all attempts together, as reported; `None` when no attempt reported any.
    pub fn charged(&self) -> Option<u64> {
        self.attempts.iter().filter_map(|a| a.quota.last).reduce(u64::saturating_add)
    }

    /// The body turned out to be unreadable: counts as a failed call, like an outage.
    pub fn report_malformed(&mut self) {
        self.verdict.malformed();
    }
}

/// The breakers of all purposes and their common clock.
#[derive(Debug)]
pub(super) struct Breakers {
    all: Mutex<[Breaker; Purpose::ALL.len()]>,
    start: Instant,
}

impl Breakers {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { all: Mutex::new(std::array::from_fn(|_| Breaker::new(config))), start: Instant::now() }
    }

    fn with<T>(&self, purpose: Purpose, f: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        // A breaker is valid after every statement; a panic elsewhere while it was held spoils nothing.
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut all[purpose.index()], self.start.elapsed())
    }

    pub(super) fn admit(self: &Arc<Self>, purpose: Purpose) -> Result<PendingVerdict, Duration> {
        let ticket = self.with(purpose, Breaker::admit)?;
        let call = Call { breakers: Arc::clone(self), purpose, ticket };
        Ok(PendingVerdict { call: Some(call), on_drop: Verdict::Abandoned })
    }

    pub(super) fn view(&self, purpose: Purpose) -> BreakerView {
        self.with(purpose, |breaker, now| breaker.view(now))
    }
}

#[derive(Debug)]
struct Call {
    breakers: Arc<Breakers>,
    purpose: Purpose,
    ticket: Ticket,
}

/// What the breaker will be told of a call when this is dropped.
///
/// A body that arrived is taken to be sound unless [`PendingVerdict::malformed`] says otherwise, so keep this until
/// the body has been parsed. While the call is under way it stands for "abandoned": a cancelled call frees its place.
#[derive(Debug)]
pub struct PendingVerdict {
    call: Option<Call>,
    on_drop: Verdict,
}

impl PendingVerdict {
    /// A verdict that nobody waits for.
    pub const fn none() -> Self {
        Self { call: None, on_drop: Verdict::Abandoned }
    }

    /// The body could not be read after all.
    pub fn malformed(&mut self) {
        self.on_drop = Verdict::Failed { retry_after: None };
        self.settle();
    }

    pub(super) const fn assume(&mut self, verdict: Verdict) {
        self.on_drop = verdict;
    }

    pub(super) fn settle(&mut self) {
        if let Some(call) = self.call.take() {
            let verdict = self.on_drop;
            call.breakers.with(call.purpose, |breaker, now| breaker.settle(call.ticket, verdict, now));
        }
    }
}

impl Default for PendingVerdict {
    fn default() -> Self {
        Self::none()
    }
}

impl Drop for PendingVerdict {
    fn drop(&mut self) {
        self.settle();
    }
}
