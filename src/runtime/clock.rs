//! Which clock the looks of a source are stamped with.

use std::time::Duration;

use chrono::Utc;

use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::outcome::Outcome;
use crate::feeds::sim::SimClock;
use crate::market::time::Timestamp;
use crate::runtime::status::MarketClock;

/// A source of instants.
#[derive(Clone, Debug)]
pub enum Clock {
    /// This machine's.
    Local,
    /// The provider's own, from the `Date` of each answer: for recordings that are played by a simulator.
    Server,
    /// The simulator's in this process.
    Sim(SimClock),
}

impl Clock {
    /// Now, for planning.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Local | Self::Server => Timestamp::from_chrono(Utc::now()),
            Self::Sim(clock) => clock.now(),
        }
    }

    /// The instant of an answer that has just arrived.
    pub fn received(&self, fetched: &Fetched) -> Timestamp {
        match (self, &fetched.outcome) {
            (Self::Sim(clock), _) => clock.now(),
            (Self::Server, Outcome::Data { server_date, .. } | Outcome::NoEvents { server_date, .. }) => {
                server_date.unwrap_or(fetched.received_at)
            }
            _ => fetched.received_at,
        }
    }

    /// How market time runs against this machine's, after something was received at `received` (market time) while
    /// this machine had `local`. `None`: that cannot be known yet.
    pub fn against_local(&self, received: Option<Timestamp>, local: Timestamp) -> Option<MarketClock> {
        match self {
            Self::Local => Some(MarketClock::Local),
            // What the provider plays may run at any speed; between two of its answers real time is the best guess.
            Self::Server => received.map(|market| MarketClock::Anchored { market, local, speed: 1 }),
            Self::Sim(clock) => Some(MarketClock::Anchored { market: clock.now(), local, speed: clock.speed() }),
        }
    }

    /// How many times as fast as this machine's time it runs.
    pub fn speed(&self) -> i64 {
        match self {
            Self::Sim(clock) => i64::from(clock.speed()).max(1),
            Self::Local | Self::Server => 1,
        }
    }

    /// How long this machine has to wait until `at`.
    pub fn wait(&self, at: Timestamp) -> Duration {
        let ms = u64::try_from(at.since(self.now())).unwrap_or(0);
        Duration::from_millis(ms / self.speed().unsigned_abs())
    }
}
