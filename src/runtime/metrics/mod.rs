//! What machines that watch may ask: counts in the text form of Prometheus (0.0.4), and whether the program is alive and
//! ready.
//!
//! Counting costs a lock a cycle. The form is written by hand: it is a dozen lines, and the usual crate writes the newer
//! OpenMetrics form instead.

mod page;
pub mod server;
mod text;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::engine::detect::signal::SignalType;
use crate::store::FetchRecord;
use crate::store::cycle::{CycleRecord, SignalCounts};

/// Upper bounds of the buckets of a cycle, bytes to announcement. Microseconds.
pub(super) const CYCLE_BOUNDS: [u64; 10] =
    [2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000];
/// Upper bounds of the buckets of a call. Microseconds.
pub(super) const FETCH_BOUNDS: [u64; 9] =
    [50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 15_000_000, 60_000_000];

/// Counts since the start of the session.
#[derive(Debug, Default)]
pub struct Meters(Mutex<Counts>);

/// The counts themselves. Names come from the settings and from lists of ours, so there are never many.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// By sport, endpoint, purpose, and `data`, `no_events` or why not.
    pub(super) calls: BTreeMap<[String; 4], u64>,
    pub(super) requests: u64,
    /// By purpose.
    pub(super) credits: BTreeMap<String, u64>,
    /// By sport: quotes, changes, points.
    pub(super) brought: BTreeMap<String, [u64; 3]>,
    pub(super) signals: SignalCounts,
    /// Queued, sent, failed.
    pub(super) alerts: [u64; 3],
    /// The same since the last cycle.
    alerts_new: [u32; 3],
    /// By reason.
    pub(super) degraded: BTreeMap<&'static str, u64>,
    pub(super) cycle: Histogram<{ CYCLE_BOUNDS.len() }>,
    pub(super) fetch: Histogram<{ FETCH_BOUNDS.len() }>,
    pub(super) panics: u64,
    /// By part.
    pub(super) stuck: BTreeMap<&'static str, u64>,
    /// By kind.
    pub(super) store_failures: BTreeMap<&'static str, u64>,
}

/// Durations in buckets.
#[derive(Clone, Debug)]
pub(super) struct Histogram<const N: usize> {
    /// Not added up; the last one is for what is above every bound.
    pub(super) buckets: [u64; N],
    pub(super) count: u64,
    pub(super) sum_us: u64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { buckets: [0; N], count: 0, sum_us: 0 }
    }
}

impl<const N: usize> Histogram<N> {
    fn add(&mut self, us: u64, bounds: &[u64; N]) {
        if let Some(bucket) = bounds.iter().position(|b| us <= *b).and_then(|i| self.buckets.get_mut(i)) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(us);
    }
}

impl Meters {
    fn with<T>(&self, f: impl FnOnce(&mut Counts) -> T) -> T {
        // Counts are right after every statement; a panic elsewhere while they were held spoils nothing.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts one cycle.
    pub(super) fn cycle(&self, fetch: &FetchRecord, cycle: &CycleRecord) {
        self.with(|c| {
            let came = fetch.reason.clone().unwrap_or_else(|| fetch.outcome.clone());
            *c.calls.entry([fetch.sport.clone(), fetch.endpoint.clone(), fetch.purpose.clone(), came]).or_default() +=
                1;
            c.requests += u64::from(cycle.requests);
            *c.credits.entry(fetch.purpose.clone()).or_default() += fetch.cost.map_or(0, |n| n.max(0) as u64);
            let brought = c.brought.entry(fetch.sport.clone()).or_default();
            for (sum, n) in brought.iter_mut().zip([cycle.quotes, cycle.changes, cycle.points]) {
                *sum += n;
            }
            for (sum, n) in c.signals.iter_mut().zip(cycle.signals) {
                *sum = sum.saturating_add(n);
            }
            if let Some(reason) = cycle.degraded {
                *c.degraded.entry(reason).or_default() += 1;
            }
            let s = &cycle.stages;
            if cycle.requests > 0 {
                c.fetch.add(s.fetch_us, &FETCH_BOUNDS);
            }
            if cycle.look.is_some() {
                c.cycle.add(s.read_us + s.apply_us + s.commit_us + s.publish_us, &CYCLE_BOUNDS);
            }
        });
    }

    /// Counts alerts: queued, sent, failed. The next cycle takes them into its row.
    pub fn alerts(&self, new: [u32; 3]) {
        self.with(|c| {
            for ((sum, fresh), n) in c.alerts.iter_mut().zip(&mut c.alerts_new).zip(new) {
                *sum += u64::from(n);
                *fresh = fresh.saturating_add(n);
            }
        });
    }

    /// Alerts since the last time this was asked.
    pub(super) fn take_alerts(&self) -> [u32; 3] {
        self.with(|c| std::mem::take(&mut c.alerts_new))
    }

    /// Counts an unexpected end of judging.
    pub(super) fn panicked(&self) {
        self.with(|c| c.panics += 1);
    }

    /// Counts a part that was found stuck.
    pub(super) fn stuck(&self, part: &'static str) {
        self.with(|c| *c.stuck.entry(part).or_default() += 1);
    }

    /// Counts a time at which the store could not be written any more.
    pub(super) fn store_failed(&self, kind: &'static str) {
        self.with(|c| *c.store_failures.entry(kind).or_default() += 1);
    }

    pub(super) fn counts(&self) -> Counts {
        self.with(|c| c.clone())
    }
}

/// New signals with the names of their types, in the order of the types.
pub(super) fn by_type(signals: &SignalCounts) -> impl Iterator<Item = (&'static str, u32)> {
    SignalType::ALL.into_iter().filter_map(|t| Some((t.name(), *signals.get(t as usize)?)))
}
