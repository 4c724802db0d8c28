//! Faults: what goes wrong on the way, and what providers really have sent. Switched on by scenario or by hand.
//!
//! Which requests, events or books a fault with a probability strikes is a hash, so a faulty run repeats exactly.

use serde::{Deserialize, Serialize};

use super::fault_shapes;
use super::market_maker::Desk;
use super::rng::{mix, name_tag, unit};
use super::script::{Blind, Featured};
use super::view::EventView;
use crate::market::time::Timestamp;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 `EXCEEDED_FREQ_LIMIT`.
    RateLimited,
    /// 401 `OUT_OF_USAGE_CREDITS`, nothing remaining.
    QuotaExhausted,
    /// 401 `INVALID_KEY`.
    InvalidKey,
    /// 401 `DEACTIVATED_KEY`.
    DeactivatedKey,
    /// 500 with a page of HTML.
    ServerError,
    /// The body drips in over some seconds.
    SlowBody,
    /// 200 with half a body of the right announced length.
    TruncatedJson,
    /// The connection breaks in the middle of the body.
    ConnectionCut,
    /// The quota headers are missing.
    NoQuotaHeaders,
    /// Nobody sees the market anew: `last_update` stands, and after 15 minutes the market is gone.
    FrozenLastUpdate,
    /// The market is not in the answer.
    VanishingMarket,
    /// The book is not in the answer.
    VanishingBook,
    /// The event is not in the answer.
    VanishingEvent,
    /// The start is two hours later.
    MovedGame,
    /// The start is thirty hours later, under a new id.
    NewId,
    /// The same pair meets again four hours later.
    Doubleheader,
    /// Outcomes in the other order.
    SwappedOutcomes,
    /// An outcome without its point.
    MissingPoint,
    /// All points are 0.
    PointZero,
    /// A price of 1.
    PriceOne,
    /// A market key nobody has heard of.
    UnknownMarket,
    /// Fields no document mentions.
    UnknownFields,
    /// An answer without events.
    EmptyArray,
    /// `"bookmakers": null`.
    NullBookmakers,
    /// An event without books.
    EmptyBookmakers,
    /// A price that is a word.
    NonNumericPrice,
    /// An outcome twice.
    DuplicateOutcome,
    /// Two sides of a line that do not mirror.
    UnmirroredSides,
    /// An outcome that names another team.
    WrongTeam,
    /// A draw in a market that has none.
    ThreeWay,
    /// `last_update` an hour ahead.
    FutureTimestamp,
    /// Exchange: sockets that are open stay open and answer `PING`, but no data comes. New ones are well. What was
    /// missed is not sent when it ends.
    ExchangeFreeze,
    /// Exchange: sockets that are open are closed. New ones are well.
    ExchangeDrop,
    /// Exchange: frames come in pairs, the later one first.
    ExchangeReorder,
    /// Exchange: frames come twice.
    ExchangeDuplicate,
    /// Exchange: a bid above the best ask.
    ExchangeCrossed,
    /// Exchange: no asks of the first outcome, no bids of the second.
    ExchangeEmptySide,
    /// Exchange: the price step becomes a tenth of a cent.
    ExchangeTickChange,
    /// Exchange: the market is resolved early, for the likelier outcome.
    ExchangeResolved,
    /// Exchange: frames that are no JSON among the others.
    ExchangeNonJson,
    /// Exchange: no connection. Sockets are not taken, answers break off before they begin.
    ExchangeRefused,
    /// Exchange: 404, for every request or (with sport, event or market) for some books.
    ExchangeNotFound,
    /// Exchange: 422 as for an offset that is too large.
    ExchangeUnprocessable,
    /// Exchange: 429 with `Retry-After`.
    ExchangeRateLimited,
    /// Exchange: 502 with a page of HTML.
    ExchangeServerError,
    /// Exchange: 200 with an error in the body.
    ExchangeErrorInOk,
    /// Exchange: the body drips in over some seconds.
    ExchangeSlow,
    /// Exchange: half a body.
    ExchangeTruncated,
    /// Exchange: the connection breaks in the middle of the body.
    ExchangeCut,
    /// Exchange: `price_change` in the shape of 2024 to September 2025.
    ExchangeLegacyChanges,
    /// Exchange: `price_change` in the flat shape before that.
    ExchangeLegacyFlat,
}

impl FaultKind {
    /// It concerns the exchange; the others concern the sportsbook feed.
    pub const fn is_exchange(self) -> bool {
        self as u8 >= Self::ExchangeFreeze as u8
    }

    /// It concerns single requests to the exchange.
    pub const fn is_exchange_request(self) -> bool {
        matches!(
            self,
            Self::ExchangeRefused
                | Self::ExchangeNotFound
                | Self::ExchangeUnprocessable
                | Self::ExchangeRateLimited
                | Self::ExchangeServerError
                | Self::ExchangeErrorInOk
                | Self::ExchangeSlow
                | Self::ExchangeTruncated
                | Self::ExchangeCut
        )
    }

    /// It concerns the delivery, not the content.
    pub const fn is_transport(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::QuotaExhausted
                | Self::InvalidKey
                | Self::DeactivatedKey
                | Self::ServerError
                | Self::SlowBody
                | Self::TruncatedJson
                | Self::ConnectionCut
                | Self::NoQuotaHeaders
        )
    }
}

/// A fault to switch on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// What.
    pub kind: FaultKind,
    /// When, seconds after the scenario's start; by hand: after now.
    #[serde(default)]
    pub from_s: f64,
    /// For how long, seconds; 0 until it is cleared.
    #[serde(default)]
    pub for_s: f64,
    /// Share of requests (delivery) or of events and books (content) it strikes.
    #[serde(default = "always")]
    pub probability: f64,
    /// At most this many requests (delivery only).
    #[serde(default)]
    pub times: Option<u32>,
    /// Only this sport.
    #[serde(default)]
    pub sport: Option<String>,
    /// Only this game of the sport, in order of the slate, from 0.
    #[serde(default)]
    pub event: Option<usize>,
    /// Only this book; of the exchange: only this part (`gamma`, `clob`, `data`, `ws`; requests only).
    #[serde(default)]
    pub book: Option<String>,
    /// Only this market key; of the exchange: this `sportsMarketType`.
    #[serde(default)]
    pub market: Option<String>,
}

fn always() -> f64 {
    1.0
}

impl FaultSpec {
    /// A fault without limits.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            from_s: 0.0,
            for_s: 0.0,
            probability: 1.0,
            times: None,
            sport: None,
            event: None,
            book: None,
            market: None,
        }
    }

    /// Numbers are in range; says which is not.
    pub fn check(&self) -> Result<(), String> {
        let time = |x: f64| x.is_finite() && (0.0..1e7).contains(&x);
        if !time(self.from_s) || !time(self.for_s) {
            return Err("fault: from_s and for_s must lie between 0 and 10000000".into());
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return Err("fault: probability must lie between 0 and 1".into());
        }
        Ok(())
    }
}

/// A fault that is switched on.
#[derive(Clone, Debug)]
struct Active {
    spec: FaultSpec,
    from: Timestamp,
    until: Option<Timestamp>,
    left: Option<u32>,
}

impl Active {
    fn on(&self, at: Timestamp) -> bool {
        at >= self.from && self.until.is_none_or(|u| at < u) && self.left != Some(0)
    }

    fn strikes(&self, sport: &str, index: usize) -> bool {
        self.spec.sport.as_deref().is_none_or(|s| s == sport) && self.spec.event.is_none_or(|e| e == index)
    }

    /// A share of whatever has this coordinate.
    fn draws(&self, coordinate: u64) -> bool {
        self.spec.probability >= 1.0 || unit(mix(&[coordinate, self.spec.kind as u64])) < self.spec.probability
    }
}

/// All faults of a simulator.
#[derive(Clone, Debug, Default)]
pub struct FaultSwitch {
    active: Vec<Active>,
    requests: u64,
}

impl FaultSwitch {
    /// The faults of a scenario.
    pub fn scripted(specs: &[FaultSpec], start: Timestamp) -> Self {
        let mut switch = Self::default();
        for spec in specs {
            switch.set(spec.clone(), start);
        }
        switch
    }

    /// Switches a fault on, `from_s` after `now`. Those of the exchange are no business of this switch.
    pub fn set(&mut self, spec: FaultSpec, now: Timestamp) {
        if spec.kind.is_exchange() {
            return;
        }
        let from = now.plus((spec.from_s * 1000.0) as i64);
        let until = (spec.for_s > 0.0).then(|| from.plus((spec.for_s * 1000.0) as i64));
        self.active.push(Active { from, until, left: spec.times, spec });
    }

    /// Switches everything off.
    pub fn clear(&mut self) {
        self.active.clear();
    }

    /// What is switched on or waiting.
    pub fn specs(&self) -> Vec<&FaultSpec> {
        self.active.iter().map(|a| &a.spec).collect()
    }

    /// The delivery fault, if any, that strikes this request.
    pub fn transport(&mut self, at: Timestamp, sport: Option<&str>) -> Option<FaultKind> {
        self.requests += 1;
        let request = self.requests;
        let hit = self.active.iter_mut().enumerate().find(|(i, a)| {
            a.spec.kind.is_transport()
                && a.on(at)
                && a.spec.sport.as_deref().is_none_or(|s| Some(s) == sport)
                && a.draws(mix(&[*i as u64, request]))
        });
        let (_, active) = hit?;
        active.left = active.left.map(|n| n.saturating_sub(1));
        Some(active.spec.kind)
    }

    fn content(&self, at: Timestamp) -> impl Iterator<Item = &Active> {
        self.active.iter().filter(move |a| !a.spec.kind.is_transport() && a.on(at))
    }

    /// Books and markets that the provider cannot see in an event.
    pub fn frozen(&self, at: Timestamp, event: &EventView, desks: &[Desk]) -> Vec<Blind> {
        self.content(at)
            .filter(|a| a.spec.kind == FaultKind::FrozenLastUpdate && a.strikes(event.sport, event.index))
            .map(|a| Blind {
                books: desks
                    .iter()
                    .map(|d| {
                        a.spec.book.as_deref().is_none_or(|b| b == d.book.key) && a.draws(pair(&event.id, d.book.key))
                    })
                    .collect(),
                market: a.spec.market.as_deref().and_then(Featured::from_key),
                from: a.from,
                until: a.until,
            })
            .collect()
    }

    /// Bends the list of events.
    pub fn bend_events(&self, at: Timestamp, events: &mut Vec<EventView>) {
        let mut bent = false;
        for a in self.content(at) {
            let hit = |e: &EventView| a.strikes(e.sport, e.index) && a.draws(name_tag(&e.id));
            bent |= fault_shapes::bend_events(a.spec.kind, events, hit);
        }
        if bent {
            events.sort_by(|a, b| a.commence.cmp(&b.commence).then(a.game.cmp(&b.game)));
        }
    }

    /// Bends books, markets and outcomes.
    pub fn bend_quotes(&self, at: Timestamp, events: &mut [EventView]) {
        for a in self.content(at) {
            for event in events.iter_mut().filter(|e| a.strikes(e.sport, e.index)) {
                let id = name_tag(&event.id);
                fault_shapes::bend_event(a.spec.kind, event, a.draws(id));
                let spec = &a.spec;
                let Some(books) = &mut event.books else { continue };
                let hit =
                    |key: &str| spec.book.as_deref().is_none_or(|b| b == key) && a.draws(mix(&[id, name_tag(key)]));
                fault_shapes::bend_books(spec.kind, books, hit, spec.market.as_deref());
            }
        }
    }
}

fn pair(id: &str, book: &str) -> u64 {
    mix(&[name_tag(id), name_tag(book)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_fault_strikes_in_its_time_and_so_often() {
        let start = Timestamp::from_secs(1000);
        let spec = FaultSpec { from_s: 10.0, for_s: 60.0, times: Some(2), ..FaultSpec::new(FaultKind::RateLimited) };
        let mut s = FaultSwitch::scripted(&[spec], start);
        assert_eq!(s.transport(start, None), None);
        assert_eq!(s.transport(start.plus(10_000), None), Some(FaultKind::RateLimited));
        assert_eq!(s.transport(start.plus(20_000), Some("x")), Some(FaultKind::RateLimited));
        assert_eq!(s.transport(start.plus(30_000), None), None, "twice only");
        s.set(FaultSpec { sport: Some("a".into()), ..FaultSpec::new(FaultKind::ServerError) }, start);
        assert_eq!(s.transport(start, Some("b")), None);
        assert_eq!(s.transport(start, Some("a")), Some(FaultKind::ServerError));
        s.clear();
        assert_eq!(s.transport(start, Some("a")), None);
    }

    #[test]
    fn a_probability_strikes_its_share_and_repeats() {
        let run = || {
            let spec = FaultSpec { probability: 0.3, ..FaultSpec::new(FaultKind::ServerError) };
            let mut s = FaultSwitch::scripted(&[spec], Timestamp::default());
            (0..2000).map(|_| s.transport(Timestamp::default(), None).is_some()).collect::<Vec<_>>()
        };
        let hits = run();
        assert_eq!(hits, run());
        let share = hits.iter().filter(|h| **h).count() as f64 / 2000.0;
        assert!((share - 0.3).abs() < 0.04, "{share}");
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for (p, from) in [(1.5, 0.0), (f64::NAN, 0.0), (0.5, -1.0), (0.5, f64::INFINITY)] {
            assert!(FaultSpec { probability: p, from_s: from, ..FaultSpec::new(FaultKind::NewId) }.check().is_err());
        }
    }
}
