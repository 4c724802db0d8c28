//! The exchange's faults that are switched on: which of them strikes a request, a market or a socket.

use super::super::faults::{FaultKind, FaultSpec};
use super::super::rng::{mix, unit};
use crate::market::time::Timestamp;

/// What is done to the book of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bend {
    /// A bid above the best ask.
    pub crossed: bool,
    /// No asks of the first outcome.
    pub empty: bool,
    /// The fine price step.
    pub fine: bool,
    /// Resolved early.
    pub resolved: bool,
    /// When this last changed.
    pub since: Option<Timestamp>,
}

/// What a fault that concerns a market looks at.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Sport key.
    pub sport: &'a str,
    /// Place of the game among those of its sport.
    pub event: usize,
    /// `sportsMarketType`.
    pub kind: &'a str,
    /// Coordinate of the market.
    pub tag: u64,
}

/// When and in which order a socket was opened.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Virtual instant.
    pub at: Timestamp,
    /// Number among sockets and faults.
    pub order: u64,
}

#[derive(Clone, Debug)]
struct Active {
    spec: FaultSpec,
    from: Timestamp,
    until: Option<Timestamp>,
    left: Option<u32>,
    order: u64,
}

impl Active {
    fn on(&self, at: Timestamp) -> bool {
        at >= self.from && self.until.is_none_or(|u| at < u) && self.left != Some(0)
    }

    fn draws(&self, coordinate: u64) -> bool {
        self.spec.probability >= 1.0 || unit(mix(&[coordinate, self.spec.kind as u64])) < self.spec.probability
    }

    fn concerns(&self, place: Place<'_>) -> bool {
        let spec = &self.spec;
        spec.sport.as_deref().is_none_or(|s| s == place.sport)
            && spec.event.is_none_or(|e| e == place.event)
            && spec.market.as_deref().is_none_or(|m| m == place.kind)
            && self.draws(place.tag)
    }

    /// A market is meant, not all of them.
    fn narrow(&self) -> bool {
        self.spec.sport.is_some() || self.spec.event.is_some() || self.spec.market.is_some()
    }
}

/// All faults of an exchange.
#[derive(Clone, Debug, Default)]
pub struct ExchangeFaults {
    active: Vec<Active>,
    draws: u64,
    order: u64,
}

impl ExchangeFaults {
    /// Switches a fault on, `from_s` after `now`.
    pub fn set(&mut self, spec: FaultSpec, now: Timestamp) {
        let from = now.plus((spec.from_s * 1000.0) as i64);
        let until = (spec.for_s > 0.0).then(|| from.plus((spec.for_s * 1000.0) as i64));
        let order = self.next_order();
        self.active.push(Active { from, until, left: spec.times, spec, order });
    }

    /// Ends everything. What has bent books is remembered, as books change when it ends.
    pub fn clear(&mut self, now: Timestamp) {
        self.active.retain(|a| a.from <= now);
        for a in &mut self.active {
            a.until = Some(a.until.map_or(now, |u| u.min(now)));
        }
    }

    /// What is switched on or waiting at an instant.
    pub fn specs(&self, now: Timestamp) -> Vec<&FaultSpec> {
        self.active.iter().filter(|a| a.until.is_none_or(|u| now < u)).map(|a| &a.spec).collect()
    }

    /// The place of a socket in the order of things.
    pub fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// The fault, if any, that strikes a request to a part of the exchange (`gamma`, `clob`, `data`, `ws`).
    pub fn request(&mut self, at: Timestamp, part: &str) -> Option<FaultKind> {
        self.draws += 1;
        let draw = self.draws;
        let hit = self.active.iter_mut().enumerate().find(|(i, a)| {
            a.spec.kind.is_exchange_request()
                && !a.narrow()
                && a.on(at)
                && a.spec.book.as_deref().is_none_or(|b| b == part)
                && a.draws(mix(&[*i as u64, draw]))
        });
        let (_, active) = hit?;
        active.left = active.left.map(|n| n.saturating_sub(1));
        Some(active.spec.kind)
    }

    /// Requests for this market are answered 404.
    pub fn hidden(&self, at: Timestamp, place: Place<'_>) -> bool {
        let missing = |a: &&Active| a.spec.kind == FaultKind::ExchangeNotFound && a.narrow();
        self.active.iter().filter(missing).any(|a| a.on(at) && a.concerns(place))
    }

    /// What is done to the book of a market at an instant.
    pub fn bend(&self, at: Timestamp, place: Place<'_>) -> Bend {
        let mut bend = Bend::default();
        for a in &self.active {
            let flag = match a.spec.kind {
                FaultKind::ExchangeCrossed => &mut bend.crossed,
                FaultKind::ExchangeEmptySide => &mut bend.empty,
                FaultKind::ExchangeTickChange => &mut bend.fine,
                FaultKind::ExchangeResolved => &mut bend.resolved,
                _ => continue,
            };
            if at < a.from || !a.concerns(place) {
                continue;
            }
            *flag |= a.on(at);
            let edge = a.until.filter(|&u| u <= at).unwrap_or(a.from);
            bend.since = bend.since.max(Some(edge));
        }
        bend
    }

    /// A fault of this kind strikes a socket that was open before it began: one that is opened later is well.
    pub fn strikes_open(&self, kind: FaultKind, at: Timestamp, opened: Opened) -> bool {
        self.active.iter().filter(|a| a.spec.kind == kind && a.on(at)).any(|a| {
            let before = opened.at < a.from || (opened.at == a.from && opened.order < a.order);
            before && a.draws(mix(&[opened.order, 1]))
        })
    }

    /// A fault of this kind is on for sockets; counts against its `times`.
    pub fn socket(&mut self, kind: FaultKind, at: Timestamp) -> bool {
        self.draws += 1;
        let draw = self.draws;
        let Some(a) = self.active.iter_mut().find(|a| a.spec.kind == kind && a.on(at) && a.draws(draw)) else {
            return false;
        };
        a.left = a.left.map(|n| n.saturating_sub(1));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { sport: "basketball_nba", event: 0, kind: "moneyline", tag: 5 };

    #[test]
    fn a_bent_book_knows_when_it_was_bent_and_straightened() {
        let t = Timestamp::from_secs;
        let mut faults = ExchangeFaults::default();
        let spec = FaultSpec { from_s: 10.0, for_s: 20.0, ..FaultSpec::new(FaultKind::ExchangeCrossed) };
        faults.set(spec, t(100));
        assert_eq!(faults.bend(t(109), PLACE), Bend::default());
        let bend = faults.bend(t(110), PLACE);
        assert!(bend.crossed && bend.since == Some(t(110)));
        let bend = faults.bend(t(130), PLACE);
        assert!(!bend.crossed && bend.since == Some(t(130)));
        let elsewhere = FaultSpec { event: Some(3), ..FaultSpec::new(FaultKind::ExchangeEmptySide) };
        faults.set(elsewhere, t(130));
        assert!(!faults.bend(t(131), PLACE).empty);
        assert!(faults.bend(t(131), Place { event: 3, ..PLACE }).empty);
        faults.clear(t(140));
        assert!(faults.specs(t(140)).is_empty());
        let bend = faults.bend(t(140), Place { event: 3, ..PLACE });
        assert!(!bend.empty && bend.since == Some(t(140)));
    }

    #[test]
    fn a_freeze_strikes_sockets_that_were_open_and_no_others() {
        let now = Timestamp::from_secs(100);
        let mut faults = ExchangeFaults::default();
        let old = Opened { at: now, order: faults.next_order() };
        faults.set(FaultSpec::new(FaultKind::ExchangeFreeze), now);
        let new = Opened { at: now, order: faults.next_order() };
        assert!(faults.strikes_open(FaultKind::ExchangeFreeze, now, old));
        assert!(!faults.strikes_open(FaultKind::ExchangeFreeze, now, new));
        assert!(!faults.strikes_open(FaultKind::ExchangeDrop, now, old));
    }

    #[test]
    fn requests_are_struck_by_part_and_count() {
        let now = Timestamp::from_secs(100);
        let mut faults = ExchangeFaults::default();
        let spec =
            FaultSpec { book: Some("clob".into()), times: Some(1), ..FaultSpec::new(FaultKind::ExchangeServerError) };
        faults.set(spec, now);
        assert_eq!(faults.request(now, "gamma"), None);
        assert_eq!(faults.request(now, "clob"), Some(FaultKind::ExchangeServerError));
        assert_eq!(faults.request(now, "clob"), None);
    }
}
