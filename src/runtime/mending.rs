//! The patience of the judge while the store cannot be written: since when, what is kept in memory meanwhile, and when
//! it is tried again.
//!
//! A paid answer that cannot be stored would be wasted, so nothing that costs credits is asked meanwhile, and what was
//! under way when it began is kept here until it can be stored.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::backoff::{Backoff, roll};
use super::keeper::{Keeper, local_now};
use super::pipeline::Noted;
use super::status::{Part, StoreState};
use crate::feeds::odds_api::fetched::Fetched;
use crate::market::time::Timestamp;
use crate::store::cycle::CycleRecord;
use crate::store::{FetchRecord, Trouble};

/// First wait before it is tried again.
const FIRST: Duration = Duration::from_secs(1);
/// Longest such wait: nobody shall wait long once there is room again.
const CAP: Duration = Duration::from_secs(20);
/// Answers that are kept. More than that cannot be under way at once.
const ANSWERS: usize = 16;
/// Rows of the logs that are kept.
const ROWS: usize = 256;

/// An answer that waits to be stored.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) fetched: Fetched,
    pub(super) at: Timestamp,
    /// How long it had waited for the judge.
    pub(super) wait: Duration,
    /// What the planner knows of the call.
    pub(super) noted: Noted,
    /// It stands in the recording already.
    pub(super) recorded: bool,
}

/// What the judge keeps while the store is in trouble.
#[derive(Debug)]
pub(super) struct Mending {
    /// Since when, and of which kind; `None`: all is well.
    ill: Option<(Timestamp, Trouble)>,
    backoff: Backoff,
    next_try: Instant,
    tries: u32,
    pub(super) answers: VecDeque<Waiting>,
    pub(super) rows: VecDeque<(FetchRecord, CycleRecord)>,
    /// Answers that had to be let go.
    pub(super) lost: u64,
}

impl Default for Mending {
    fn default() -> Self {
        Self {
            ill: None,
            backoff: Backoff::new(FIRST, CAP),
            next_try: Instant::now(),
            tries: 0,
            answers: VecDeque::new(),
            rows: VecDeque::new(),
            lost: 0,
        }
    }
}

impl Mending {
    /// The store cannot be written at the moment.
    pub(super) const fn is_ill(&self) -> bool {
        self.ill.is_some()
    }

    /// Which kind of trouble it is.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.ill.map(|(_, trouble)| trouble)
    }

    /// Keeps an answer, and lets the oldest go when there are too many.
    pub(super) fn keep(&mut self, waiting: Waiting) {
        if self.answers.len() >= ANSWERS {
            self.answers.pop_front();
            self.lost += 1;
        }
        self.answers.push_back(waiting);
    }

    /// Keeps rows of the logs.
    pub(super) fn keep_rows(&mut self, fetch: FetchRecord, cycle: CycleRecord) {
        if self.rows.len() >= ROWS {
            self.rows.pop_front();
        }
        self.rows.push_back((fetch, cycle));
    }

    /// How long until it is tried again; `None` while all is well.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.ill.map(|_| self.next_try.saturating_duration_since(Instant::now()))
    }

    /// It failed, for the first time or once more.
    pub(super) fn failed(&mut self, trouble: Trouble, said: &str, keeper: &Keeper) {
        let now = local_now();
        let first = self.ill.is_none();
        let since = self.ill.map_or(now, |(since, _)| since);
        self.ill = Some((since, trouble));
        let wait = self.backoff.after_failure(roll());
        self.next_try = Instant::now() + wait;
        self.tries = if first { 0 } else { self.tries.saturating_add(1) };
        let message = format!("{} ({said}); it is tried again by itself", trouble.advice());
        if first {
            tracing::error!(trouble = trouble.name(), "{message}");
            keeper.complain(Part::Store, &message);
            keeper.meters().store_failed(trouble.name());
        } else {
            tracing::debug!(trouble = trouble.name(), tries = self.tries, "{message}");
        }
        keeper.gate(false);
        let (tries, message) = (self.tries, keeper.clean(&message));
        let waiting = u32::try_from(self.answers.len()).unwrap_or(u32::MAX);
        let next_try = now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        keeper.change(|s| {
            s.store = StoreState::Failing { since, trouble, message, tries, next_try, waiting };
        });
    }

    /// Everything is stored that waited: questions may be asked again.
    pub(super) fn recovered(&mut self, keeper: &Keeper) {
        let Some((since, trouble)) = self.ill.take() else { return };
        self.backoff.worked();
        let ms = local_now().since(since);
        tracing::warn!(trouble = trouble.name(), ms, "the store can be written again; following goes on");
        keeper.change(|s| s.store = StoreState::Writable);
        keeper.gate(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_closes_the_gate_and_its_end_opens_it() {
        let keeper = Keeper::new(None);
        let mut mending = Mending::default();
        assert_eq!((mending.is_ill(), mending.wait()), (false, None));
        mending.failed(Trouble::Full, "disk full", &keeper);
        mending.failed(Trouble::Io, "odd", &keeper);
        assert!(!*keeper.gate_opens().borrow());
        let status = keeper.subscribe().borrow().clone();
        let StoreState::Failing { since, trouble, tries, next_try, message, .. } = status.store else {
            panic!("{status:?}")
        };
        assert_eq!((trouble, tries), (Trouble::Io, 1));
        assert!(next_try > since && message.contains("(odd)"), "{message}");
        // What was said first stays on record.
        assert!(status.complaint.expect("one").message.contains("no space is left"));
        assert!(mending.wait().is_some_and(|w| w <= CAP));
        mending.recovered(&keeper);
        assert!(*keeper.gate_opens().borrow() && !mending.is_ill());
        assert_eq!(keeper.subscribe().borrow().store, StoreState::Writable);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut mending = Mending::default();
        for _ in 0..ROWS + 5 {
            mending.keep_rows(FetchRecord::default(), CycleRecord::default());
        }
        assert_eq!(mending.rows.len(), ROWS);
    }
}
