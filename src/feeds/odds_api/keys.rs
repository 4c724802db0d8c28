//! Several keys that take turns: when the credits of one are used up, the next one asks.
//!
//! A key that has run dry is left alone until the first of the next month (UTC) by the provider's clock. While all of
//! them are dry, the one that was tried longest ago is tried again, so that credits that were bought meanwhile are
//! noticed. A refused key is no empty one: as long as it is the user's first choice, the refusal is passed on, for
//! somebody has to hear of it; only in a rotation it is passed over. Keys are told apart by their fingerprints.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::quota::Quota;
use crate::feeds::secret::{ApiKey, KeyError};
use crate::market::time::Timestamp;

/// How a key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Standing {
    /// It may be used.
    #[default]
    Usable,
    /// Its credits are used up.
    Exhausted {
        /// When they are expected back.
        until: Timestamp,
    },
    /// The source refuses it.
    Refused,
}

/// A key as others may see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyView {
    /// Its fingerprint.
    pub name: String,
    /// It asks the next question.
    pub in_use: bool,
    /// Credits left, as last told.
    pub remaining: Option<u64>,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// The key for one attempt.
#[derive(Clone, Debug)]
pub(super) struct Pick {
    pub(super) at: usize,
    pub(super) key: ApiKey,
    pub(super) name: String,
}

/// The keys, in the order of the user's choice; never empty. Clones share everything.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Mutex<Ring>>);

#[derive(Debug)]
struct Ring {
    slots: Vec<Slot>,
    /// Counts marks, so that the oldest one is known.
    marks: u64,
    /// The provider's clock minus ours. Milliseconds.
    ahead: i64,
}

#[derive(Debug)]
struct Slot {
    key: ApiKey,
    name: String,
    standing: Standing,
    remaining: Option<u64>,
    marked: u64,
}

impl Keys {
    /// A single key.
    pub fn one(key: ApiKey) -> Self {
        Self::of(vec![key])
    }

    /// Keys separated by commas, each counted once.
    ///
    /// # Errors
    /// [`KeyError`] for the first that cannot be one, or when there is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        let keys = parts.map(ApiKey::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self::of(keys)) }
    }

    fn of(keys: Vec<ApiKey>) -> Self {
        let mut slots: Vec<Slot> = Vec::with_capacity(keys.len());
        for key in keys {
            let name = key.fingerprint();
            if slots.iter().all(|s| s.name != name) {
                slots.push(Slot { key, name, standing: Standing::Usable, remaining: None, marked: 0 });
            }
        }
        Self(Arc::new(Mutex::new(Ring { slots, marks: 0, ahead: 0 })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Ring) -> T) -> T {
        // A ring is valid after every statement; a panic elsewhere while it was held spoils nothing.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys themselves, for those who mask them.
    pub fn all(&self) -> Vec<ApiKey> {
        self.with(|r| r.slots.iter().map(|s| s.key.clone()).collect())
    }

    /// `text` with every occurrence of any of the keys masked.
    pub fn redact(&self, text: &str) -> String {
        self.all().iter().fold(text.to_owned(), |text, key| key.redact(&text))
    }

    /// How they stand, in the user's order. `local` is this machine's time.
    pub fn view(&self, local: Timestamp) -> Vec<KeyView> {
        self.with(|r| {
            let now = local.plus(r.ahead);
            let next = r.next(now);
            let view = |(i, s): (usize, &Slot)| {
                // What was expected back by now is believed to be back.
                let back = matches!(s.standing, Standing::Exhausted { until } if until <= now);
                let standing = if back { Standing::Usable } else { s.standing };
                KeyView { name: s.name.clone(), in_use: i == next, remaining: s.remaining, standing }
            };
            r.slots.iter().enumerate().map(view).collect()
        })
    }

    /// The key that asks at `local`.
    pub(super) fn pick(&self, local: Timestamp) -> Pick {
        self.with(|r| {
            let at = r.next(local.plus(r.ahead));
            let slot = &r.slots[at];
            Pick { at, key: slot.key.clone(), name: slot.name.clone() }
        })
    }

    /// The source answered `pick`.
    pub(super) fn answered(&self, pick: &Pick, quota: &Quota, local: Timestamp, server: Option<Timestamp>) {
        self.with(|r| {
            r.clock(local, server);
            if let Some(slot) = r.slots.get_mut(pick.at) {
                slot.remaining = quota.remaining.or(slot.remaining);
                // A question that costs nothing is answered to an empty key too.
                if !(quota.is_exhausted() && matches!(slot.standing, Standing::Exhausted { .. })) {
                    slot.standing = Standing::Usable;
                }
            }
        });
    }

    /// The credits of `pick` are used up. Is there another key to ask with, which is not one of `tried`?
    pub(super) fn exhausted(&self, pick: &Pick, local: Timestamp, server: Option<Timestamp>, tried: &[usize]) -> bool {
        self.with(|r| {
            r.clock(local, server);
            let now = local.plus(r.ahead);
            r.mark(pick.at, Standing::Exhausted { until: next_month(now) });
            if let Some(slot) = r.slots.get_mut(pick.at) {
                slot.remaining = Some(0);
            }
            let next = r.next(now);
            next != pick.at && !tried.contains(&next)
        })
    }

    /// The source refuses `pick`. Answers `true` when it was only a turn in a rotation and another key, which is not one
    /// of `tried`, can ask in its place.
    pub(super) fn refused(&self, pick: &Pick, local: Timestamp, tried: &[usize]) -> bool {
        self.with(|r| {
            let rotating = r.slots.iter().any(|s| matches!(s.standing, Standing::Exhausted { .. }));
            if !rotating {
                return false;
            }
            r.mark(pick.at, Standing::Refused);
            let next = r.next(local.plus(r.ahead));
            next != pick.at && !tried.contains(&next)
        })
    }

    /// Somebody is empty, so a refusal of all others is a matter of credits.
    pub(super) fn any_exhausted(&self) -> bool {
        self.with(|r| r.slots.iter().any(|s| matches!(s.standing, Standing::Exhausted { .. })))
    }
}

impl Ring {
    fn clock(&mut self, local: Timestamp, server: Option<Timestamp>) {
        if let Some(server) = server {
            self.ahead = server.since(local);
        }
    }

    fn mark(&mut self, at: usize, standing: Standing) {
        self.marks += 1;
        let marks = self.marks;
        if let Some(slot) = self.slots.get_mut(at) {
            (slot.standing, slot.marked) = (standing, marks);
        }
    }

    /// The first usable key; with none, the empty one that was tried longest ago; with none of those either, the first.
    fn next(&self, now: Timestamp) -> usize {
        let usable = |s: &Slot| match s.standing {
            Standing::Usable => true,
            Standing::Exhausted { until } => until <= now,
            Standing::Refused => false,
        };
        let empty = || {
            let all = self.slots.iter().enumerate();
            let all = all.filter(|(_, s)| matches!(s.standing, Standing::Exhausted { .. }));
            all.min_by_key(|(_, s)| s.marked).map(|(i, _)| i)
        };
        self.slots.iter().position(usable).or_else(empty).unwrap_or(0)
    }
}

/// Midnight UTC at which the month after `now` begins.
pub fn next_month(now: Timestamp) -> Timestamp {
    let t = now.to_chrono();
    let (year, month) = if t.month() == 12 { (t.year() + 1, 1) } else { (t.year(), t.month() + 1) };
    let first = NaiveDate::from_ymd_opt(year, month, 1).and_then(|d| d.and_hms_opt(0, 0, 0));
    // A year that no calendar has is no reason to wait.
    first.map_or(now, |at| Timestamp::from_chrono(at.and_utc()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    fn three() -> Keys {
        Keys::parse("first1, second2,first1,third3").expect("keys")
    }

    const MID: &str = "2026-11-20T10:00:00Z";

    #[test]
    fn empty_keys_are_passed_over_until_the_month_ends() {
        let (keys, now) = (three(), at(MID));
        assert_eq!(keys.all().len(), 3);
        let first = keys.pick(now);
        assert_eq!(first.at, 0);
        keys.answered(&first, &Quota { remaining: Some(7), ..Quota::default() }, now, None);
        assert_eq!(keys.view(now)[0].remaining, Some(7));
        assert!(keys.exhausted(&first, now, None, &[0]));
        let second = keys.pick(now);
        assert_eq!(second.at, 1);
        assert!(keys.exhausted(&second, now, None, &[0, 1]));
        assert_eq!(keys.pick(now).at, 2);
        let view = keys.view(now);
        assert_eq!(view.iter().map(|v| v.in_use).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(view[0].standing, Standing::Exhausted { until: at("2026-12-01T00:00:00Z") });
        assert_eq!(view[0].remaining, Some(0));
        // The month has ended: the first choice is the first again.
        assert_eq!(keys.pick(at("2026-11-30T23:59:59Z")).at, 2);
        assert_eq!(keys.pick(at("2026-12-01T00:00:00Z")).at, 0);
        assert_eq!(keys.view(at("2026-12-01T00:00:00Z"))[0].standing, Standing::Usable);
    }

    #[test]
    fn the_clock_of_the_provider_decides_when_the_month_ends() {
        let (keys, local) = (three(), at(MID));
        let first = keys.pick(local);
        assert!(keys.exhausted(&first, local, Some(at("2026-01-31T23:59:00Z")), &[0]));
        assert_eq!(keys.pick(local).at, 1);
        assert_eq!(keys.pick(local.plus(59_000)).at, 1);
        assert_eq!(keys.pick(local.plus(60_000)).at, 0);
    }

    #[test]
    fn when_all_are_empty_each_is_tried_now_and_then() {
        let (keys, now) = (three(), at(MID));
        let mut tried = Vec::new();
        loop {
            let pick = keys.pick(now);
            tried.push(pick.at);
            if !keys.exhausted(&pick, now, None, &tried) {
                break;
            }
        }
        assert_eq!(tried, [0, 1, 2]);
        // The next call: again each once, and then no more.
        let again = keys.pick(now);
        assert_eq!(again.at, 0);
        // The free list of sports says nothing about credits.
        keys.answered(&again, &Quota { remaining: Some(0), ..Quota::default() }, now, None);
        assert!(matches!(keys.view(now)[0].standing, Standing::Exhausted { .. }));
        // Credits were bought.
        keys.answered(&again, &Quota::default(), now, None);
        assert_eq!(keys.view(now)[0].standing, Standing::Usable);
        assert_eq!(keys.pick(now).at, 0);
    }

    #[test]
    fn a_refusal_is_passed_on_unless_it_came_in_a_rotation() {
        let (keys, now) = (three(), at(MID));
        let first = keys.pick(now);
        assert!(!keys.refused(&first, now, &[0]), "the user must hear of it");
        assert_eq!(keys.pick(now).at, 0);
        assert!(keys.exhausted(&first, now, None, &[0]));
        let second = keys.pick(now);
        assert!(keys.refused(&second, now, &[0, 1]));
        assert_eq!((keys.pick(now).at, keys.view(now)[1].standing), (2, Standing::Refused));
        assert!(keys.any_exhausted());
    }

    #[test]
    fn nothing_that_is_shown_holds_a_key() {
        let keys = three();
        let text =
            format!("{keys:?} {:?} {}", keys.pick(at(MID)), serde_json::to_string(&keys.view(at(MID))).expect("JSON"));
        assert!(!text.contains("first1") && !text.contains("second2"), "{text}");
        assert_eq!(keys.redact("first1 and THIRD3"), "*** and ***");
        assert!(Keys::parse(" , ").is_err() && Keys::parse("a b").is_err());
    }

    proptest! {
        #[test]
        fn the_next_month_is_its_first_midnight(secs in 0_i64..4_000_000_000) {
            let now = Timestamp::from_secs(secs);
            let next = next_month(now);
            let t = next.to_chrono();
            prop_assert!(next > now && next.since(now) <= 31 * 86_400_000);
            prop_assert_eq!((t.day(), next.millis() % 86_400_000), (1, 0));
        }

        #[test]
        fn a_call_always_ends(events in prop::collection::vec(0_u8..3, 0..40)) {
            let (keys, now) = (three(), at(MID));
            let mut events = events.into_iter();
            'calls: loop {
                let mut tried = Vec::new();
                loop {
                    let Some(event) = events.next() else { break 'calls };
                    let pick = keys.pick(now);
                    prop_assert!(!tried.contains(&pick.at), "no key twice in a call");
                    tried.push(pick.at);
                    let more = match event {
                        0 => { keys.answered(&pick, &Quota::default(), now, None); false }
                        1 => keys.exhausted(&pick, now, None, &tried),
                        _ => keys.refused(&pick, now, &tried),
                    };
                    if !more { break; }
                }
            }
        }
    }
}
