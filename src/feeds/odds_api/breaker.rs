//! The breaker: stops asking a source that keeps failing, and finds out with one call whether it has recovered.
//!
//! A pure state machine; time comes in as the duration since some fixed start, on a clock that never goes back. There
//! is one breaker per [`Purpose`], so that an outage of the history never silences live polling. It counts calls, not
//! attempts, and only failures that are the source's own.

use std::time::Duration;

/// What a call is for. Each purpose fails and recovers on its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Regular polling before the start.
    Live,
    /// Capturing the last prices before a start.
    Closes,
    /// History.
    Backfill,
    /// Polling games that have started.
    InPlay,
    /// Lists of sports and events.
    Discovery,
    /// Scores and results.
    Scores,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [Self::Live, Self::Closes, Self::Backfill, Self::InPlay, Self::Discovery, Self::Scores];

    /// The name in logs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Closes => "closes",
            Self::Backfill => "backfill",
            Self::InPlay => "in_play",
            Self::Discovery => "discovery",
            Self::Scores => "scores",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// When a breaker opens and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerConfig {
    /// Failed calls in a row that open it; at least 1.
    pub threshold: u32,
    /// First pause. Doubles with every failed probe.
    pub pause: Duration,
    /// Longest pause.
    pub cap: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { threshold: 3, pause: Duration::from_secs(60), cap: Duration::from_secs(15 * 60) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Duration, trips: u32 },
    HalfOpen { trips: u32 },
}

/// What a breaker looks like from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerView {
    /// Calls pass; this many calls in a row have failed.
    Closed {
        /// Failed calls in a row.
        failures: u32,
    },
    /// No call passes before this long from now; zero when the next call will be the probe.
    Open {
        /// Time left.
        wait: Duration,
    },
    /// One call is out to try.
    HalfOpen,
}

/// The right to make one call. To be given back with what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Ticket {
    epoch: u64,
}

/// What came of a call, as far as the health of the source goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The source answered in its own voice, even if only to refuse.
    Sound,
    /// The source failed. It may have said how long to stay away.
    Failed {
        /// The wish of the source, honoured up to the cap.
        retry_after: Option<Duration>,
    },
    /// The call was abandoned before anything was known.
    Abandoned,
}

/// One breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: State,
    /// Changes with every change of state: what comes back from an earlier epoch says nothing about this one.
    epoch: u64,
}

impl Breaker {
    /// A closed breaker.
    pub const fn new(config: BreakerConfig) -> Self {
        Self { config, state: State::Closed { failures: 0 }, epoch: 0 }
    }

    /// May a call be made now?
    ///
    /// # Errors
    /// How long to wait. While a probe is out, the first pause (the probe decides sooner, as a rule).
    pub fn admit(&mut self, now: Duration) -> Result<Ticket, Duration> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until, trips } if now >= until => self.go(State::HalfOpen { trips }),
            State::Open { until, .. } => return Err(until - now),
            State::HalfOpen { .. } => return Err(self.config.pause.min(self.config.cap)),
        }
        Ok(Ticket { epoch: self.epoch })
    }

    /// Takes note of what came of a call.
    pub fn settle(&mut self, ticket: Ticket, verdict: Verdict, now: Duration) {
        if ticket.epoch != self.epoch {
            return;
        }
        match (self.state, verdict) {
            (State::Closed { failures }, Verdict::Failed { retry_after }) => {
                let failures = failures.saturating_add(1);
                if failures >= self.config.threshold {
                    self.open(1, retry_after, now);
                } else {
                    self.state = State::Closed { failures };
                }
            }
            (State::Closed { .. }, Verdict::Sound) => self.state = State::Closed { failures: 0 },
            (State::HalfOpen { .. }, Verdict::Sound) => self.go(State::Closed { failures: 0 }),
            (State::HalfOpen { trips }, Verdict::Failed { retry_after }) => {
                self.open(trips.saturating_add(1), retry_after, now);
            }
            // The probe never came back: let the next call be one.
            (State::HalfOpen { trips }, Verdict::Abandoned) => self.go(State::Open { until: now, trips }),
            (State::Closed { .. }, Verdict::Abandoned) | (State::Open { .. }, _) => {}
        }
    }

    /// How it stands.
    pub fn view(&self, now: Duration) -> BreakerView {
        match self.state {
            State::Closed { failures } => BreakerView::Closed { failures },
            State::Open { until, .. } => BreakerView::Open { wait: until.saturating_sub(now) },
            State::HalfOpen { .. } => BreakerView::HalfOpen,
        }
    }

    fn open(&mut self, trips: u32, retry_after: Option<Duration>, now: Duration) {
        let doublings = trips.saturating_sub(1).min(31);
        let pause = self.config.pause.saturating_mul(1 << doublings).max(retry_after.unwrap_or_default());
        self.go(State::Open { until: now.saturating_add(pause.min(self.config.cap)), trips });
    }

    fn go(&mut self, state: State) {
        self.state = state;
        self.epoch = self.epoch.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAILED: Verdict = Verdict::Failed { retry_after: None };

    fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn call(breaker: &mut Breaker, verdict: Verdict, now: Duration) {
        let ticket = breaker.admit(now).expect("admitted");
        breaker.settle(ticket, verdict, now);
    }

    #[test]
    fn three_failed_calls_open_it_and_success_starts_the_count_again() {
        let mut b = Breaker::new(BreakerConfig::default());
        call(&mut b, FAILED, s(0));
        call(&mut b, FAILED, s(1));
        call(&mut b, Verdict::Sound, s(2));
        call(&mut b, FAILED, s(3));
        call(&mut b, FAILED, s(4));
        assert_eq!(b.view(s(4)), BreakerView::Closed { failures: 2 });
        call(&mut b, FAILED, s(5));
        assert_eq!(b.admit(s(5)), Err(s(60)));
        assert_eq!(b.admit(s(64)), Err(s(1)));
        assert!(b.admit(s(65)).is_ok());
    }

    #[test]
    fn exactly_one_probe_passes() {
        let mut b = Breaker::new(BreakerConfig::default());
        for t in 0..3 {
            call(&mut b, FAILED, s(t));
        }
        let probe = b.admit(s(100)).expect("probe");
        for _ in 0..5 {
            assert!(b.admit(s(100)).is_err());
        }
        assert_eq!(b.view(s(100)), BreakerView::HalfOpen);
        b.settle(probe, Verdict::Sound, s(101));
        assert_eq!(b.view(s(101)), BreakerView::Closed { failures: 0 });
    }

    #[test]
    fn pauses_double_to_the_cap_and_start_over_after_recovery() {
        let mut b = Breaker::new(BreakerConfig::default());
        let mut now = s(0);
        for _ in 0..3 {
            call(&mut b, FAILED, now);
        }
        for expected in [60, 120, 240, 480, 900, 900, 900] {
            assert_eq!(b.view(now), BreakerView::Open { wait: s(expected) });
            now += s(expected);
            call(&mut b, FAILED, now);
        }
        now += s(900);
        call(&mut b, Verdict::Sound, now);
        for _ in 0..3 {
            call(&mut b, FAILED, now);
        }
        assert_eq!(b.view(now), BreakerView::Open { wait: s(60) });
    }

    #[test]
    fn an_abandoned_probe_gives_its_place_to_the_next_call() {
        let mut b = Breaker::new(BreakerConfig::default());
        for _ in 0..3 {
            call(&mut b, FAILED, s(0));
        }
        let probe = b.admit(s(60)).expect("probe");
        b.settle(probe, Verdict::Abandoned, s(61));
        let again = b.admit(s(61)).expect("second probe");
        assert!(b.admit(s(61)).is_err());
        b.settle(again, FAILED, s(62));
        assert_eq!(b.view(s(62)), BreakerView::Open { wait: s(120) });
    }

    #[test]
    fn late_answers_of_calls_made_before_it_opened_change_nothing() {
        let mut b = Breaker::new(BreakerConfig::default());
        let slow: Vec<Ticket> = (0..4).map(|_| b.admit(s(0)).expect("closed")).collect();
        for _ in 0..3 {
            call(&mut b, FAILED, s(1));
        }
        let before = b.view(s(2));
        b.settle(slow[0], FAILED, s(2));
        b.settle(slow[1], Verdict::Sound, s(2));
        b.settle(slow[2], Verdict::Abandoned, s(2));
        assert_eq!(b.view(s(2)), before);
        let probe = b.admit(s(61)).expect("probe");
        b.settle(slow[3], Verdict::Sound, s(61));
        assert_eq!(b.view(s(61)), BreakerView::HalfOpen);
        b.settle(probe, FAILED, s(61));
        assert_eq!(b.view(s(61)), BreakerView::Open { wait: s(120) });
    }

    #[test]
    fn the_wish_of_the_source_lengthens_a_pause_up_to_the_cap() {
        for (wish, wait) in [(10, 60), (300, 300), (1_000_000, 900)] {
            let mut b = Breaker::new(BreakerConfig { threshold: 1, ..BreakerConfig::default() });
            call(&mut b, Verdict::Failed { retry_after: Some(s(wish)) }, s(0));
            assert_eq!(b.view(s(0)), BreakerView::Open { wait: s(wait) });
        }
    }

    #[test]
    fn names_and_places_of_purposes_are_unique() {
        for (i, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(purpose.index(), i);
            assert!(Purpose::ALL[..i].iter().all(|p| p.name() != purpose.name()));
        }
    }

    proptest! {
        /// Whatever happens: no wait above the cap, never two probes, and patience always leads to a call.
        #[test]
        fn laws(steps in proptest::collection::vec((0u8..4, 0u64..2000, any::<Option<u32>>()), 1..200)) {
            let config = BreakerConfig::default();
            let mut b = Breaker::new(config);
            let mut now = Duration::ZERO;
            let mut out: Vec<Ticket> = Vec::new();
            for (what, pass, wish) in steps {
                now += s(pass);
                let half_open = b.view(now) == BreakerView::HalfOpen;
                match (what, out.pop()) {
                    (0, ticket) => {
                        out.extend(ticket);
                        match b.admit(now) {
                            Ok(ticket) => {
                                prop_assert!(!half_open, "a second probe");
                                out.push(ticket);
                            }
                            Err(wait) => prop_assert!(wait <= config.cap && wait > Duration::ZERO),
                        }
                    }
                    (1, Some(t)) => b.settle(t, Verdict::Sound, now),
                    (2, Some(t)) => b.settle(t, Verdict::Failed { retry_after: wish.map(|w| s(w.into())) }, now),
                    (_, Some(t)) => b.settle(t, Verdict::Abandoned, now),
                    (_, None) => {}
                }
                if let BreakerView::Open { wait } = b.view(now) {
                    prop_assert!(wait <= config.cap);
                    prop_assert!(b.clone().admit(now + wait).is_ok());
                }
            }
        }
    }
}
