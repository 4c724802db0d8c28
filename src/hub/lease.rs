//! Who of several collectors asks a source: what one of them may believe of its leases, and until when.
//!
//! Pure: instants come in as values of a clock that only goes forward and does not stand still while the machine sleeps.
//! A lease runs by the server's clock from the moment at which the server took the question; the holder counts from before
//! it was asked, and a little less, so that he stops before anybody else can begin, whatever his own clock shows and
//! however late the answer comes.

pub mod ask;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The lease of listening to Polymarket.
pub const POLYMARKET: &str = "exchange:polymarket";

/// An instant: how far a clock has come since some zero that never changes while the program runs.
pub type Moment = Duration;

/// How long leases run, and how often they are renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// A lease runs so long at the server.
    pub ttl: Duration,
    /// The hub is asked so often.
    pub every: Duration,
    /// The holder stops so much earlier: a call that it has begun has left by then, and no two clocks run alike.
    pub margin: Duration,
    /// After a question without an answer the next one comes so soon, and more rarely up to `every` if that does not help.
    pub again: Duration,
    /// A question is given up after so long.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(10),
            every: Duration::from_secs(3),
            margin: Duration::from_millis(500),
            again: Duration::from_millis(300),
            patience: Duration::from_millis(2_500),
        }
    }
}

/// What a collector does once its lease has run out and the hub cannot be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Alone {
    /// Goes on if no other collector had been there for a day when the hub was reached last; waits otherwise.
    #[default]
    Auto,
    /// Goes on with what it asked for. Two that cannot reach the hub may then both pay.
    Poll,
    /// Asks nothing until the hub answers again.
    Wait,
}

impl Alone {
    /// The word of the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Poll => "poll",
            Self::Wait => "wait",
        }
    }

    /// What this word means.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Auto, Self::Poll, Self::Wait].into_iter().find(|a| a.name() == name)
    }
}

/// How a name stands, as far as this device may believe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lease {
    /// This device asks. What it writes is taken as long as nobody holds a higher token; 0: none was ever given.
    Held {
        /// Rises with every change of hands.
        token: i64,
    },
    /// Another one does.
    Other {
        /// The device's name.
        name: String,
    },
    /// Nobody may be sure: the hub has not been asked yet, or cannot be reached.
    Unknown,
}

impl Lease {
    /// This device asks.
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// What the hub says of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// Which.
    pub name: String,
    /// The token of whoever holds it, or held it last.
    pub token: i64,
    /// We hold it.
    pub mine: bool,
    /// Who does; `None`: nobody.
    pub holder: Option<String>,
    /// Still runs so long.
    pub left: Duration,
}

/// What the hub says when it is asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// By name.
    pub leases: Vec<Granted>,
    /// Another collector was there within a day.
    pub others: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Known {
    Mine {
        token: i64,
        until: Moment,
    },
    Theirs {
        /// `None`: nobody's when we asked, and yet not to be had.
        name: Option<String>,
    },
}

/// What one device believes of its leases.
#[derive(Clone, Debug)]
pub struct LeaseState {
    timing: Timing,
    alone: Alone,
    wanted: BTreeSet<String>,
    known: BTreeMap<String, Known>,
    /// At the last contact another collector had been there within a day; `None`: there was no contact yet.
    others: Option<bool>,
    /// When the newest question was sent that was answered.
    answered: Option<Moment>,
    /// When the newest question was sent that was not answered, if none has been since.
    failed: Option<Moment>,
    failures: u32,
    next: Moment,
}

impl LeaseState {
    /// Nothing is known yet. `others`: what the last contact of an earlier life said.
    pub fn new(timing: Timing, alone: Alone, others: Option<bool>) -> Self {
        Self {
            timing,
            alone,
            wanted: BTreeSet::new(),
            known: BTreeMap::new(),
            others,
            answered: None,
            failed: None,
            failures: 0,
            next: Moment::ZERO,
        }
    }

    /// The names that are wanted from now on. Answers those that are held and are to be given up: from now on nobody here
    /// believes to hold them.
    pub fn want(&mut self, wanted: BTreeSet<String>, now: Moment) -> Vec<String> {
        if wanted == self.wanted {
            return Vec::new();
        }
        let dropped: Vec<String> = self.wanted.difference(&wanted).cloned().collect();
        self.wanted = wanted;
        self.next = now;
        let held = |name: &String| matches!(self.known.remove(name), Some(Known::Mine { .. }));
        dropped.into_iter().filter(held).collect()
    }

    /// Other rules about being alone.
    pub const fn set_alone(&mut self, alone: Alone) {
        self.alone = alone;
    }

    /// The names to ask the hub for.
    pub const fn wanted(&self) -> &BTreeSet<String> {
        &self.wanted
    }

    /// When the hub is to be asked next.
    pub const fn next(&self) -> Moment {
        self.next
    }

    /// At the last contact another collector had been there within a day.
    pub const fn others(&self) -> Option<bool> {
        self.others
    }

    /// The hub does not answer.
    pub const fn is_failing(&self) -> bool {
        self.failed.is_some()
    }

    /// Takes what the hub has answered to the question that was sent at `sent`. Answers names that it gave to us and that
    /// nobody wants any more.
    pub fn answered(&mut self, sent: Moment, answer: &Answer, now: Moment) -> Vec<String> {
        // An answer that another one has overtaken is no news.
        if self.answered.is_some_and(|newest| sent < newest) {
            return Vec::new();
        }
        (self.answered, self.failed, self.failures) = (Some(sent), None, 0);
        self.others = Some(answer.others);
        self.next = sent + self.timing.every;
        let mut unwanted = Vec::new();
        let mut told = BTreeSet::new();
        for lease in &answer.leases {
            if !self.wanted.contains(&lease.name) {
                if lease.mine {
                    unwanted.push(lease.name.clone());
                }
                continue;
            }
            told.insert(lease.name.clone());
            let known = if lease.mine {
                Known::Mine { token: lease.token, until: sent + self.timing.ttl.saturating_sub(self.timing.margin) }
            } else {
                // It falls free then; what should be free and is not was being written a moment ago.
                self.next = self.next.min(now + lease.left.max(self.timing.again));
                Known::Theirs { name: lease.holder.clone() }
            };
            self.known.insert(lease.name.clone(), known);
        }
        self.known.retain(|name, _| told.contains(name));
        unwanted
    }

    /// The question that was sent at `sent` got no answer.
    pub fn failed(&mut self, sent: Moment, now: Moment) {
        if self.answered.is_none_or(|newest| sent >= newest) {
            self.failed = Some(self.failed.map_or(sent, |f| f.max(sent)));
        }
        let wait = self.timing.again.saturating_mul(1 << self.failures.min(8)).min(self.timing.every);
        self.failures = self.failures.saturating_add(1);
        self.next = now + wait;
    }

    /// The hub cannot be reached, as far as was tried within the time that a lease runs, and this device goes on without.
    /// Who has slept knows nothing of that until it has tried.
    fn goes_on_alone(&self, now: Moment) -> bool {
        let tried = self.failed.is_some_and(|at| now.saturating_sub(at) <= self.timing.ttl);
        tried
            && match self.alone {
                Alone::Wait => false,
                Alone::Poll => true,
                Alone::Auto => self.others == Some(false),
            }
    }

    /// How a name stands at `now`.
    pub fn lease(&self, name: &str, now: Moment) -> Lease {
        if !self.wanted.contains(name) {
            return Lease::Unknown;
        }
        match self.known.get(name) {
            Some(Known::Mine { token, until }) if now < *until => Lease::Held { token: *token },
            Some(Known::Mine { token, .. }) if self.goes_on_alone(now) => Lease::Held { token: *token },
            None if self.goes_on_alone(now) => Lease::Held { token: 0 },
            Some(Known::Theirs { name: Some(name) }) => Lease::Other { name: name.clone() },
            Some(Known::Mine { .. } | Known::Theirs { name: None }) | None => Lease::Unknown,
        }
    }

    /// All wanted names.
    pub fn all(&self, now: Moment) -> BTreeMap<String, Lease> {
        self.wanted.iter().map(|name| (name.clone(), self.lease(name, now))).collect()
    }

    /// When something that is held now runs out, if no answer comes.
    pub fn runs_out(&self, now: Moment) -> Option<Moment> {
        let lease = self.known.values().filter_map(|k| match k {
            Known::Mine { until, .. } => Some(*until),
            Known::Theirs { .. } => None,
        });
        // Going on alone is believed for a while too.
        let alone = self.failed.map(|at| at + self.timing.ttl + Duration::from_millis(1));
        lease.chain(alone).filter(|at| *at > now).min()
    }
}
