//! Keeps the status of a session: takes notes from the polling and the judging, and tells when something has changed.
//!
//! The one way into [`LiveStatus`]: what others wrote is masked here, so that no key ever stands in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::metrics::Meters;
use super::status::{BreakerState, BreakerStatus, Complaint, Cycle, Following, KeyState, LiveStatus, Part, Steps};
use crate::feeds::odds_api::breaker::{BreakerView, Purpose};
use crate::feeds::secret::ApiKey;
use crate::market::time::Timestamp;

/// Looks whose times are kept.
const WINDOW: usize = 64;
/// Longest text of others that is kept. Bytes.
const LONGEST: usize = 500;

/// Keeps one status. Clones keep the same one.
#[derive(Clone, Debug)]
pub struct Keeper(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    status: watch::Sender<LiveStatus>,
    /// Every key that was ever used.
    hidden: Mutex<Vec<ApiKey>>,
    /// Answers can be stored: paid questions may be asked.
    gate: watch::Sender<bool>,
    meters: Meters,
}

impl Keeper {
    /// The status of a session that begins now.
    pub fn new(origin: Option<&str>) -> Self {
        let breaker = |purpose: Purpose| BreakerStatus {
            purpose: purpose.name().to_owned(),
            state: BreakerState::Closed,
            failures: 0,
            until: None,
        };
        let status = LiveStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            origin: origin.map(str::to_owned),
            since: local_now(),
            breakers: Purpose::ALL.into_iter().map(breaker).collect(),
            ..LiveStatus::default()
        };
        let (status, gate) = (watch::Sender::new(status), watch::Sender::new(true));
        Self(Arc::new(Kept { status, hidden: Mutex::default(), gate, meters: Meters::default() }))
    }

    /// The status, and word of every change.
    pub fn subscribe(&self) -> watch::Receiver<LiveStatus> {
        self.0.status.subscribe()
    }

    /// Counts for machines that watch.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// Lets paid questions pass, or holds them.
    pub fn gate(&self, open: bool) {
        self.0.gate.send_replace(open);
    }

    /// Whether paid questions may pass, and word of every change.
    pub fn gate_opens(&self) -> watch::Receiver<bool> {
        self.0.gate.subscribe()
    }

    /// Market time when this machine has `local`, as far as known.
    pub fn market_time(&self, local: Timestamp) -> Timestamp {
        self.0.status.borrow().clock.market_at(local)
    }

    /// Masks this key in every text from now on.
    pub fn hide(&self, key: ApiKey) {
        self.0.hidden.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }

    /// Changes the status. Whoever listens hears of it only when something is different afterwards.
    pub fn change(&self, change: impl FnOnce(&mut LiveStatus)) {
        self.0.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }

    /// `text` without keys, and shortened.
    pub fn clean(&self, text: &str) -> String {
        let hidden = self.0.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clean = hidden.iter().fold(text.to_owned(), |text, key| key.redact(&text));
        if clean.len() > LONGEST {
            clean.truncate(clean.floor_char_boundary(LONGEST));
            clean.push('…');
        }
        clean
    }

    /// Notes that something went wrong inside.
    pub fn complain(&self, part: Part, message: &str) {
        let message = self.clean(message);
        self.change(|s| s.complaint = Some(Complaint { at: local_now(), part, message }));
    }

    /// Notes what the polling does.
    pub fn following(&self, following: Following) {
        self.change(|s| s.following = following);
    }

    /// Notes how the key stands.
    pub fn key(&self, key: KeyState) {
        let key = match key {
            KeyState::Refused { message } => KeyState::Refused { message: self.clean(&message) },
            other => other,
        };
        self.change(|s| s.key = key);
    }
}

impl LiveStatus {
    /// Takes over how all breakers stand.
    pub(super) fn breakers_stand(&mut self, view: impl Fn(Purpose) -> BreakerView, now: Timestamp) {
        for (status, purpose) in self.breakers.iter_mut().zip(Purpose::ALL) {
            status.update(view(purpose), now);
        }
    }
}

/// This machine's time.
pub fn local_now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}

/// The times of the newest looks.
#[derive(Debug, Default)]
pub(super) struct CycleWindow(VecDeque<Steps>);

impl CycleWindow {
    /// Adds a look and answers how the window stands.
    pub(super) fn add(&mut self, steps: Steps) -> Cycle {
        if self.0.len() >= WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(steps);
        let n = self.0.len().max(1) as u64;
        let mean = |of: fn(&Steps) -> u64| self.0.iter().map(of).fold(0, u64::saturating_add) / n;
        let mut totals: Vec<u64> = self.0.iter().map(|s| s.total_us).collect();
        totals.sort_unstable();
        // The nearest rank: the smallest time that at least 95 of 100 looks do not exceed.
        let rank = (totals.len() * 95).div_ceil(100).saturating_sub(1);
        Cycle {
            looks: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            last: steps,
            mean: Steps {
                total_us: mean(|s| s.total_us),
                read_us: mean(|s| s.read_us),
                apply_us: mean(|s| s.apply_us),
                commit_us: mean(|s| s.commit_us),
            },
            p95_us: totals.get(rank).copied().unwrap_or_default(),
            slowest_us: totals.last().copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::ids::LookId;

    const KEY: &str = "0123456789abcdefSECRET";

    #[test]
    fn only_changes_are_told() {
        let keeper = Keeper::new(Some("DEMO"));
        let mut heard = keeper.subscribe();
        heard.mark_unchanged();
        keeper.change(|s| s.look = LookId(0));
        keeper.following(Following::NoKey);
        assert!(!heard.has_changed().expect("open"));
        keeper.change(|s| s.look = LookId(1));
        assert!(heard.has_changed().expect("open"));
        let status = heard.borrow_and_update().clone();
        assert_eq!((status.look, status.origin.as_deref()), (LookId(1), Some("DEMO")));
        assert_eq!(status.breakers.len(), Purpose::ALL.len());
    }

    #[test]
    fn a_key_never_stands_in_a_status() {
        let keeper = Keeper::new(None);
        keeper.hide(ApiKey::parse(KEY).expect("key"));
        keeper.complain(Part::Store, &format!("cannot read /tmp/{KEY}/x and {}", KEY.to_lowercase()));
        keeper.key(KeyState::Refused { message: format!("{KEY} is not valid") });
        let status = keeper.subscribe().borrow().clone();
        let text = format!("{status:?} {}", serde_json::to_string(&status).expect("JSON")).to_lowercase();
        assert!(!text.contains(&KEY.to_lowercase()), "{text}");
        assert!(text.contains("*** is not valid"), "{text}");
        assert!(!format!("{keeper:?}").contains(KEY));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let clean = Keeper::new(None).clean(&"ä".repeat(1_000));
        assert!(clean.len() <= LONGEST + 3 && clean.ends_with('…'), "{}", clean.len());
    }

    #[test]
    fn the_window_holds_the_newest_64_looks() {
        let mut window = CycleWindow::default();
        let steps = |total_us| Steps { total_us, ..Steps::default() };
        assert_eq!(window.add(steps(7)), Cycle { looks: 1, last: steps(7), mean: steps(7), p95_us: 7, slowest_us: 7 });
        let mut cycle = Cycle::default();
        for us in 1..=164 {
            cycle = window.add(steps(us));
        }
        // 101 to 164.
        assert_eq!((cycle.looks, cycle.last.total_us, cycle.mean.total_us), (64, 164, 132));
        assert_eq!((cycle.p95_us, cycle.slowest_us), (161, 164));
    }
}
