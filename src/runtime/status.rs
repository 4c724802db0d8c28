//! What a running session knows about itself: who follows what, since when, how well, and what it complained about.
//!
//! Plain values for the board and for the local socket. All instants are this machine's time, except where they say
//! *market*; nothing here is ever secret ([`super::keeper`] masks keys in every text that others wrote).

mod exchange;
pub mod hub;
mod lease;
mod plan;

pub use exchange::{DelayNote, ExchangeStatus, Listening, SocketNote};
pub use lease::{LeaseNote, Stands, standing_by};
pub use plan::{BandNote, CloseNote, PlanNote, PurposeNote, SportNote};
use serde::{Deserialize, Serialize};

use super::published::endpoint_name;
use crate::feeds::odds_api::breaker::BreakerView;
use crate::feeds::odds_api::keys::KeyView;
use crate::market::batch::Endpoint;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;
use crate::store::Trouble;

/// The state of a session.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LiveStatus {
    /// Version of the program that follows.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Named in every look, such as `DEMO`; `None` for the real market.
    pub origin: Option<String>,
    /// Since when it runs.
    pub since: Timestamp,
    /// How its market time runs against this machine's.
    pub clock: MarketClock,
    /// The newest committed look; 0 before the first.
    pub look: LookId,
    /// What the polling does.
    pub following: Following,
    /// How the key stands.
    pub key: KeyState,
    /// The keys by their fingerprints, in the user's order; empty before the first question.
    #[serde(default)]
    pub keys: Vec<KeyView>,
    /// Every question that is asked again and again, in the order of the settings; odds of a sport before its scores.
    pub questions: Vec<QuestionStatus>,
    /// The breakers of the source, one for each purpose, always in the same order.
    pub breakers: Vec<BreakerStatus>,
    /// Credits.
    pub credits: Credits,
    /// How long looks took.
    pub cycle: Cycle,
    /// Sums since the start.
    pub counted: Counted,
    /// What the engine, the store or another part complained about last.
    pub complaint: Option<Complaint>,
    /// Whether the store can be written.
    #[serde(default)]
    pub store: StoreState,
    /// Parts that have been silent for longer than they may.
    #[serde(default)]
    pub stuck: Vec<Stuck>,
    /// The last time that this machine's clocks did not run as they should.
    #[serde(default)]
    pub clock_step: Option<ClockStep>,
    /// The last time that the settings were read again.
    #[serde(default)]
    pub reload: Option<ReloadNote>,
    /// The plan for the next 24 hours; `None`: it follows a steady beat.
    #[serde(default)]
    pub plan: Option<PlanNote>,
    /// The exchange that is listened to; `None`: none is.
    #[serde(default)]
    pub exchange: Option<ExchangeStatus>,
    /// Who of the desk polls what; empty: there is no hub.
    #[serde(default)]
    pub leases: Vec<LeaseNote>,
    /// How it stands with the hub; `None`: there is none.
    #[serde(default)]
    pub hub: Option<hub::HubStatus>,
    /// Why the hub cannot be asked who polls; `None`: it can, or there is none.
    #[serde(default)]
    pub hub_silent: Option<String>,
}

impl LiveStatus {
    /// The question about `endpoint` of `sport`, if it was ever planned or asked.
    pub fn question(&self, sport: &str, endpoint: Endpoint) -> Option<&QuestionStatus> {
        self.questions.iter().find(|q| q.sport == sport && q.endpoint == endpoint)
    }

    /// The same to change; made when it was never heard of.
    pub(super) fn question_mut(&mut self, source: &str, sport: &str, endpoint: Endpoint) -> &mut QuestionStatus {
        let at = self.questions.iter().position(|q| q.source == source && q.sport == sport && q.endpoint == endpoint);
        let at = at.unwrap_or_else(|| {
            // Beside the other questions about the sport, if there are any.
            let after = self.questions.iter().rposition(|q| q.source == source && q.sport == sport);
            let at = after.map_or(self.questions.len(), |i| i + 1);
            self.questions.insert(at, QuestionStatus::new(source, sport, endpoint));
            at
        });
        &mut self.questions[at]
    }

    /// Another device asks about `sport`, or it waits to be told who does.
    pub fn stands_by(&self, sport: &str) -> bool {
        self.leases.iter().any(|l| l.name == sport && l.stands_by())
    }

    /// The earliest instant at which something is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.questions.iter().filter_map(|q| q.due).min()
    }
}

/// How market time runs. Looks are stamped with market time; in a simulated market it is not this machine's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MarketClock {
    /// They are the same.
    #[default]
    Local,
    /// It was `market` when this machine had `local`, and runs `speed` times as fast.
    Anchored {
        /// Market time.
        market: Timestamp,
        /// This machine's time.
        local: Timestamp,
        /// Market seconds for each real second; 0 stands still.
        speed: u32,
    },
}

impl MarketClock {
    /// Market time when this machine has `local`.
    pub const fn market_at(&self, local: Timestamp) -> Timestamp {
        match *self {
            Self::Local => local,
            Self::Anchored { market, local: anchor, speed } => {
                market.plus(local.since(anchor).saturating_mul(speed as i64))
            }
        }
    }
}

/// What the polling does.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Following {
    /// Nothing is asked: there is no usable key.
    #[default]
    NoKey,
    /// The key is being tried.
    Checking,
    /// Questions are asked as they fall due.
    Running,
    /// It ended unexpectedly and is started again.
    Restarting {
        /// When.
        at: Timestamp,
        /// Unexpected ends in a row.
        failures: u32,
    },
    /// It was stopped, or what it feeds has ended.
    Stopped,
}

/// How the key stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum KeyState {
    /// There is none.
    #[default]
    Missing,
    /// There is one; the source has not said anything about it yet.
    Untried,
    /// The source has answered it.
    Accepted,
    /// The source refuses it; nothing more is asked until there is another.
    Refused {
        /// For a person.
        message: String,
    },
}

/// One question and how it went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuestionStatus {
    /// Who is asked.
    pub source: String,
    /// Sport key.
    pub sport: String,
    /// Which question.
    #[serde(with = "endpoint_name")]
    pub endpoint: Endpoint,
    /// When it was asked last.
    pub asked: Option<Timestamp>,
    /// The last answer.
    pub answer: Option<AnswerNote>,
    /// The last time it got none. Older than the answer: that trouble is over.
    pub failure: Option<FailureNote>,
    /// When it will be asked next; `None`: it is not planned, such as scores while no game is under way.
    pub due: Option<Timestamp>,
}

impl QuestionStatus {
    fn new(source: &str, sport: &str, endpoint: Endpoint) -> Self {
        Self {
            source: source.to_owned(),
            sport: sport.to_owned(),
            endpoint,
            asked: None,
            answer: None,
            failure: None,
            due: None,
        }
    }

    /// The last call got no usable answer.
    pub fn is_failing(&self) -> bool {
        self.failure.as_ref().is_some_and(|f| self.answer.as_ref().is_none_or(|a| f.at > a.at))
    }
}

/// An answer in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnswerNote {
    /// When it had arrived.
    pub at: Timestamp,
    /// `data` or `no_events`.
    pub outcome: String,
    /// What it cost, where the source said so.
    pub credits: Option<u64>,
    /// Quotes in it.
    pub quotes: u64,
    /// Rows of the change log.
    pub changes: u64,
}

/// Why there was no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FailureNote {
    /// When the call was given up.
    pub at: Timestamp,
    /// One of the names of [`crate::feeds::outcome::Unavailable`], or `store`.
    pub reason: String,
    /// For a person.
    pub message: String,
}

/// How a breaker stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open,
    /// One call is out to try.
    HalfOpen,
}

/// The breaker of one purpose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BreakerStatus {
    /// Name of the purpose, such as `live`.
    pub purpose: String,
    /// How it stands.
    pub state: BreakerState,
    /// Failed calls in a row while it is closed.
    pub failures: u32,
    /// Open: until then.
    pub until: Option<Timestamp>,
}

impl BreakerStatus {
    /// Takes over what the breaker looks like at `now`. A wait that is computed anew differs by moments from the one
    /// before; the instant told first stays, so that nobody is woken for it.
    pub(super) fn update(&mut self, view: BreakerView, now: Timestamp) {
        const SAME_MS: i64 = 1_000;
        let (state, failures, until) = match view {
            BreakerView::Closed { failures } => (BreakerState::Closed, failures, None),
            BreakerView::HalfOpen => (BreakerState::HalfOpen, 0, None),
            BreakerView::Open { wait } => {
                let until = now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                // A wait that is over counts down no further: the next call will be the probe.
                let known = self.until.filter(|k| wait.is_zero() || until.since(*k).abs() < SAME_MS);
                (BreakerState::Open, 0, Some(known.unwrap_or(until)))
            }
        };
        (self.state, self.failures, self.until) = (state, failures, until);
    }
}

/// Credits of the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Credits {
    /// Left, as last told.
    pub remaining: Option<u64>,
    /// When the source told so last.
    pub told_at: Option<Timestamp>,
    /// Billed since the start of the session.
    pub spent: u64,
}

/// How long one look took. Microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Steps {
    /// From bytes to commit.
    pub total_us: u64,
    /// Reading the bytes.
    pub read_us: u64,
    /// Judging.
    pub apply_us: u64,
    /// Writing.
    pub commit_us: u64,
}

/// How long the newest looks took: at most the last 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cycle {
    /// How many these are.
    pub looks: u32,
    /// The newest.
    pub last: Steps,
    /// On average.
    pub mean: Steps,
    /// All but one in twenty were at least as fast. Microseconds.
    pub p95_us: u64,
    /// The slowest. Microseconds.
    pub slowest_us: u64,
}

/// Sums since the start of the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Looks.
    pub looks: u64,
    /// Quotes received.
    pub quotes: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Quality issues.
    pub issues: u64,
    /// Calls that brought no usable answer.
    pub failed: u64,
}

/// Whether the store can be written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StoreState {
    /// It can, as far as anybody has noticed.
    #[default]
    Writable,
    /// It cannot. What is stored stays, nothing that costs credits is asked, and it is tried again by itself.
    Failing {
        /// Since when.
        since: Timestamp,
        /// Which kind.
        trouble: Trouble,
        /// For a person.
        message: String,
        /// How often it was tried again.
        tries: u32,
        /// When it is tried next.
        next_try: Timestamp,
        /// Answers that were paid for and wait in memory to be stored.
        waiting: u32,
    },
}

/// A part that has been silent for too long.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stuck {
    /// Name of the part, such as `judge`.
    pub part: String,
    /// When that was noticed.
    pub since: Timestamp,
    /// How long it may be silent. Milliseconds.
    pub limit_ms: u64,
    /// What is done about it, for a person.
    pub message: String,
}

/// How a clock did not run as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The clock on the wall was set ahead.
    Ahead,
    /// It was set back.
    Back,
    /// The machine slept.
    Slept,
    /// The clock on the wall ran ahead: set, or the machine slept; this system does not tell which.
    AheadOrSlept,
    /// The process was stopped, or got no time to run.
    Held,
}

/// A clock did not run as it should.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockStep {
    /// When it was noticed.
    pub at: Timestamp,
    /// How.
    pub kind: StepKind,
    /// By how much. Milliseconds, never negative.
    pub by_ms: i64,
    /// For a person.
    pub message: String,
}

/// What came of reading the settings again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReloadNote {
    /// When.
    pub at: Timestamp,
    /// Settings that are in force now.
    pub applied: Vec<String>,
    /// Settings that have changed and need a restart.
    pub restart: Vec<String>,
    /// Why nothing was changed.
    pub problem: Option<String>,
}

/// Which part complained.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An answer could not be read.
    Answer,
    /// The store.
    Store,
    /// The polling.
    Follow,
    /// The local socket.
    Attach,
    /// The clock of this machine.
    Clock,
    /// The recording.
    Recording,
    /// What watches over the other parts.
    Watchdog,
    /// The settings.
    Settings,
    /// The port for machines that watch.
    Metrics,
    /// The alerts.
    Alerts,
    /// The listening to an exchange.
    Exchange,
}

/// Something that went wrong inside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Complaint {
    /// When.
    pub at: Timestamp,
    /// Who complains.
    pub part: Part,
    /// For a person.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::feeds::odds_api::keys::Standing;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + s)
    }

    #[test]
    fn questions_of_a_sport_stay_together() {
        let mut status = LiveStatus::default();
        for sport in ["nba", "nfl"] {
            status.question_mut("a", sport, Endpoint::Odds).asked = Some(at(0));
        }
        status.question_mut("a", "nba", Endpoint::Scores).due = Some(at(9));
        status.question_mut("a", "nba", Endpoint::Odds).due = Some(at(5));
        let order: Vec<_> = status.questions.iter().map(|q| (q.sport.as_str(), q.endpoint)).collect();
        assert_eq!(order, [("nba", Endpoint::Odds), ("nba", Endpoint::Scores), ("nfl", Endpoint::Odds)]);
        assert_eq!(status.next_due(), Some(at(5)));
        assert!(status.question("nfl", Endpoint::Scores).is_none());
    }

    #[test]
    fn a_failure_counts_until_the_next_answer() {
        let mut q = QuestionStatus::new("a", "nba", Endpoint::Odds);
        assert!(!q.is_failing());
        q.failure = Some(FailureNote { at: at(1), reason: "transient".into(), message: String::new() });
        assert!(q.is_failing());
        let outcome = "data".to_owned();
        q.answer = Some(AnswerNote { at: at(2), outcome, credits: None, quotes: 0, changes: 0 });
        assert!(!q.is_failing());
    }

    #[test]
    fn market_time_runs_at_its_own_speed() {
        assert_eq!(MarketClock::Local.market_at(at(7)), at(7));
        let clock = MarketClock::Anchored { market: at(1000), local: at(0), speed: 20 };
        assert_eq!(clock.market_at(at(3)), at(1060));
        assert_eq!(clock.market_at(at(-1)), at(980));
        let stands = MarketClock::Anchored { market: at(1000), local: at(0), speed: 0 };
        assert_eq!(stands.market_at(at(50)), at(1000));
    }

    #[test]
    fn an_open_breaker_keeps_the_instant_it_told_first() {
        let mut b = BreakerStatus { purpose: "live".into(), state: BreakerState::Closed, failures: 2, until: None };
        let open = |ms| BreakerView::Open { wait: Duration::from_millis(ms) };
        b.update(open(60_000), at(0));
        assert_eq!((b.state, b.until), (BreakerState::Open, Some(at(60))));
        let told = b.clone();
        b.update(open(49_998), at(10));
        b.update(open(0), at(61));
        assert_eq!(b, told);
        b.update(open(120_000), at(61));
        assert_eq!(b.until, Some(at(181)));
        b.update(BreakerView::HalfOpen, at(181));
        b.update(BreakerView::Closed { failures: 0 }, at(182));
        assert_eq!((b.state, b.until), (BreakerState::Closed, None));
    }

    #[test]
    fn it_survives_the_way_through_json() {
        let mut status = LiveStatus {
            clock: MarketClock::Anchored { market: at(5), local: at(6), speed: 3 },
            following: Following::Restarting { at: at(1), failures: 2 },
            key: KeyState::Refused { message: "no".into() },
            keys: vec![KeyView {
                name: "0123abcd".into(),
                in_use: true,
                remaining: Some(3),
                standing: Standing::Exhausted { until: at(9) },
            }],
            complaint: Some(Complaint { at: at(1), part: Part::Store, message: "full".into() }),
            store: StoreState::Failing {
                since: at(1),
                trouble: Trouble::ReadOnly,
                message: "no".into(),
                tries: 3,
                next_try: at(2),
                waiting: 1,
            },
            stuck: vec![Stuck { part: "judge".into(), since: at(1), limit_ms: 30_000, message: "silent".into() }],
            clock_step: Some(ClockStep { at: at(1), kind: StepKind::AheadOrSlept, by_ms: 5, message: "slept".into() }),
            reload: Some(ReloadNote { at: at(1), applied: vec!["a".into()], restart: vec![], problem: None }),
            ..LiveStatus::default()
        };
        status.question_mut("a", "nba", Endpoint::Odds).failure =
            Some(FailureNote { at: at(1), reason: "auth".into(), message: "no".into() });
        let text = serde_json::to_string(&status).expect("JSON");
        assert_eq!(serde_json::from_str::<LiveStatus>(&text).expect("reads"), status);
        // One that does not know of these yet can be read too.
        let mut old: serde_json::Value = serde_json::from_str(&text).expect("reads");
        for field in ["store", "stuck", "clock_step", "reload"] {
            assert!(old.as_object_mut().expect("an object").remove(field).is_some(), "{field}");
        }
        let old: LiveStatus = serde_json::from_value(old).expect("reads");
        assert_eq!((old.store, old.reload), (StoreState::Writable, None));
    }
}
