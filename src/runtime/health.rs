//! What is wrong with a session, in words: for `stratum status`, for machines that watch, and for alerts.
//!
//! Pure: the status and an instant come in. Whether a sport is late follows from its own plan, never from a fixed age.

use serde::Serialize;

use super::status::{BreakerState, Following, KeyState, LiveStatus, QuestionStatus, Stands, StoreState};
use crate::market::time::Timestamp;

/// A question may be so late before that is worth telling: one call with its pauses, and another one before it.
/// Milliseconds.
const LATE_MS: i64 = 120_000;
/// What has passed is told for so long. Milliseconds.
const RECENT_MS: i64 = 15 * 60_000;

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ailment {
    /// `store`, `key`, `polling`, `source`, `watchdog`, `exchange`, `hub`, `clock` or `settings`.
    pub part: &'static str,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// For a person.
    pub message: String,
    /// The market is not followed as planned because of it.
    pub blocks: bool,
}

/// Nothing keeps the market from being followed as planned.
pub fn is_ready(status: &LiveStatus, now: Timestamp) -> bool {
    !ailments(status, now).iter().any(|a| a.blocks)
}

/// Everything that is wrong at `now` (this machine's time), the worst first.
pub fn ailments(status: &LiveStatus, now: Timestamp) -> Vec<Ailment> {
    let mut all = Vec::new();
    let mut say = |part, since, message: String, blocks| all.push(Ailment { part, since, message, blocks });
    let mut asks = true;
    if let StoreState::Failing { since, message, waiting, next_try, .. } = &status.store {
        asks = false;
        let paid = match waiting {
            0 => String::new(),
            n => format!("; {n} answers wait in memory"),
        };
        let next = seconds(next_try.since(now));
        let rest = format!("{paid}; nothing that costs credits is asked, next try in {next}");
        say("store", Some(*since), format!("{message}{rest}"), true);
    }
    for stuck in &status.stuck {
        say("watchdog", Some(stuck.since), stuck.message.clone(), true);
    }
    match &status.key {
        KeyState::Refused { message } => {
            asks = false;
            say("key", None, format!("the key is refused: {message}"), true);
        }
        KeyState::Missing => {
            asks = false;
            say("key", None, "there is no key".to_owned(), true);
        }
        KeyState::Untried => say("key", None, "the source has not said anything about the key yet".to_owned(), true),
        KeyState::Accepted => {}
    }
    match &status.following {
        Following::Running => {}
        // The key says it.
        Following::NoKey => asks = false,
        Following::Checking => say("polling", None, "the key is being tried".to_owned(), true),
        Following::Restarting { at, failures } => {
            asks = false;
            let wait = seconds(at.since(now));
            say("polling", None, format!("polling ended unexpectedly ({failures} in a row), again in {wait}"), true);
        }
        Following::Stopped => {
            asks = false;
            say("polling", None, "polling has stopped".to_owned(), true);
        }
    }
    let waiting: Vec<&str> =
        status.leases.iter().filter(|l| l.stands == Stands::Waits).map(|l| l.name.as_str()).collect();
    if let Some(why) = &status.hub_silent {
        let (what, blocks) = if waiting.is_empty() {
            ("what is polled here goes on".to_owned(), false)
        } else {
            (format!("{} waits until it says who polls (hub.alone)", waiting.join(", ")), true)
        };
        say("hub", None, format!("{why}; {what}"), blocks);
    }
    for question in status.questions.iter().filter(|q| !status.stands_by(&q.sport)) {
        if let Some((since, message)) = wrong(status, question, asks, now) {
            say("source", since, message, true);
        }
    }
    if let Some(x) = &status.exchange {
        // The books are followed all the same.
        if let Some(trouble) = &x.trouble {
            say("exchange", x.discovered, format!("{}: {trouble}; it is tried again by itself", x.exchange), false);
        }
        if x.expiring > 0 {
            let message = format!(
                "{} is about to forget the past of {} contracts; `stratum polymarket backfill` fetches it",
                x.exchange, x.expiring
            );
            say("exchange", x.history, message, false);
        }
    }
    if let Some(step) = status.clock_step.as_ref().filter(|s| now.since(s.at) < RECENT_MS) {
        say("clock", Some(step.at), step.message.clone(), false);
    }
    if let Some((at, problem)) = status.reload.as_ref().and_then(|r| Some((r.at, r.problem.as_ref()?))) {
        say("settings", Some(at), format!("the settings were not taken: {problem}"), false);
    }
    if let Some(note) = status.reload.as_ref().filter(|r| !r.restart.is_empty()) {
        let message = format!("these settings need a restart: {}", note.restart.join(", "));
        say("settings", Some(note.at), message, false);
    }
    all
}

/// What is wrong with a question; `asks`: nothing else keeps it from being asked.
fn wrong(status: &LiveStatus, q: &QuestionStatus, asks: bool, now: Timestamp) -> Option<(Option<Timestamp>, String)> {
    let name = format!("{} {}", q.sport, q.endpoint.name());
    let answered = q.answer.as_ref().map(|a| a.at);
    if let Some(failure) = q.failure.as_ref().filter(|_| q.is_failing()) {
        let last = match answered {
            Some(at) => format!("no answer since {at}"),
            None => "no answer yet".to_owned(),
        };
        let open = status.breakers.iter().filter(|b| b.state == BreakerState::Open).filter_map(|b| b.until).min();
        let next = match (q.due, open) {
            (None, _) => "; it is not asked again for now".to_owned(),
            (Some(due), open) => {
                let wait = open.map_or(due, |o| o.max(due)).since(now);
                format!("; next try in {}", seconds(wait))
            }
        };
        return Some((answered, format!("{name}: {last} ({}: {}){next}", failure.reason, failure.message)));
    }
    if asks && answered.is_none() && q.asked.is_some() {
        return Some((None, format!("{name}: no answer yet")));
    }
    let due = q.due.filter(|_| asks)?;
    let late = now.since(due);
    // Asked since it was due: the answer is under way.
    let asked = q.asked.is_some_and(|at| at >= due && now.since(at) < LATE_MS);
    (late > LATE_MS && !asked).then(|| (answered, format!("{name}: overdue by {}", seconds(late))))
}

fn seconds(ms: i64) -> String {
    crate::config::format_duration(std::time::Duration::from_secs(u64::try_from(ms / 1000).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::batch::Endpoint;
    use crate::runtime::status::ExchangeStatus;
    use crate::runtime::status::{AnswerNote, ClockStep, FailureNote, ReloadNote, StepKind, Stuck};
    use crate::store::Trouble;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + s)
    }

    fn well() -> LiveStatus {
        let mut status = LiveStatus { key: KeyState::Accepted, following: Following::Running, ..LiveStatus::default() };
        let q = status.question_mut("s", "nba", Endpoint::Odds);
        let outcome = "data".to_owned();
        q.asked = Some(at(0));
        q.answer = Some(AnswerNote { at: at(1), outcome, credits: None, quotes: 1, changes: 1 });
        q.due = Some(at(60));
        status
    }

    fn said(status: &LiveStatus, now: Timestamp) -> String {
        ailments(status, now).iter().map(|a| format!("{} {}", a.part, a.message)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_exchange_that_is_not_heard_is_told_and_blocks_nothing() {
        let mut status = LiveStatus { key: KeyState::Accepted, following: Following::Running, ..LiveStatus::default() };
        let mut exchange = ExchangeStatus { exchange: "polymarket".into(), ..ExchangeStatus::default() };
        status.exchange = Some(exchange.clone());
        assert!(ailments(&status, at(0)).is_empty());
        (exchange.expiring, exchange.trouble) = (3, Some("connection 1 does not stand: refused".into()));
        status.exchange = Some(exchange);
        let told = ailments(&status, at(0));
        assert_eq!(
            told.iter().map(|a| (a.part, a.blocks)).collect::<Vec<_>>(),
            [("exchange", false), ("exchange", false)]
        );
        assert!(told[0].message.contains("does not stand") && is_ready(&status, at(0)), "{told:?}");
    }

    #[test]
    fn nothing_is_wrong_when_all_is_well() {
        assert_eq!(ailments(&well(), at(30)), []);
        assert!(is_ready(&well(), at(30)));
    }

    #[test]
    fn a_sport_is_late_by_its_own_plan() {
        let mut status = well();
        assert!(is_ready(&status, at(60 + 119)));
        assert!(said(&status, at(60 + 121)).contains("nba odds: overdue by"));
        // A plan of days is no reason to complain.
        status.question_mut("s", "nba", Endpoint::Odds).due = Some(at(200_000));
        assert!(is_ready(&status, at(199_999)));
        // No plan at all: scores while no game is under way.
        status.question_mut("s", "nba", Endpoint::Odds).due = None;
        assert!(is_ready(&status, at(900_000)));
    }

    #[test]
    fn before_the_first_answer_nothing_is_as_planned() {
        let mut status = well();
        status.question_mut("s", "nfl", Endpoint::Odds).due = Some(at(600));
        assert!(is_ready(&status, at(30)), "it is not due yet");
        status.question_mut("s", "nfl", Endpoint::Odds).asked = Some(at(600));
        assert_eq!(said(&status, at(601)).lines().next(), Some("source nba odds: overdue by 541s"));
        assert!(said(&status, at(601)).contains("nfl odds: no answer yet"));
        status = well();
        status.key = KeyState::Untried;
        assert!(!is_ready(&status, at(30)));
    }

    #[test]
    fn a_failure_is_told_with_its_reason_and_the_next_try() {
        let mut status = well();
        let message = "no connection: failed to look up the address".to_owned();
        let q = status.question_mut("s", "nba", Endpoint::Odds);
        q.failure = Some(FailureNote { at: at(61), reason: "transient".into(), message });
        q.due = Some(at(121));
        let text = said(&status, at(62));
        assert!(text.contains("nba odds: no answer since 2027-01-15T08:00:01Z (transient: no connection"), "{text}");
        assert!(text.contains("next try in 59s"), "{text}");
        assert!(!is_ready(&status, at(62)));
    }

    #[test]
    fn a_store_that_cannot_be_written_explains_late_questions() {
        let mut status = well();
        let (since, trouble, tries, next_try, waiting) = (at(5), Trouble::Full, 3, at(1000), 2);
        status.store = StoreState::Failing { since, trouble, message: "no space".into(), tries, next_try, waiting };
        let all = ailments(&status, at(990));
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].message.contains("2 answers wait") && all[0].message.contains("next try in 10s"), "{all:?}");
    }

    #[test]
    fn every_other_state_has_words() {
        let mut status = well();
        status.key = KeyState::Refused { message: "not valid".into() };
        status.following = Following::NoKey;
        assert_eq!(said(&status, at(30)), "key the key is refused: not valid");
        status.key = KeyState::Accepted;
        status.following = Following::Restarting { at: at(40), failures: 2 };
        assert!(said(&status, at(30)).contains("(2 in a row), again in 10s"));
        status.following = Following::Running;
        status.stuck.push(Stuck { part: "judge".into(), since: at(1), limit_ms: 1, message: "the judge".into() });
        assert!(!is_ready(&status, at(30)));
        status.stuck.clear();
        let (kind, by_ms) = (StepKind::Slept, 1);
        status.clock_step = Some(ClockStep { at: at(10), kind, by_ms, message: "slept".into() });
        let restart = vec!["store.path".to_owned()];
        status.reload = Some(ReloadNote { at: at(10), applied: vec![], restart, problem: Some("line 3".into()) });
        let text = said(&status, at(30));
        assert!(text.contains("clock slept") && text.contains("line 3") && text.contains("store.path"), "{text}");
        assert!(is_ready(&status, at(30)));
        assert!(!said(&status, at(3000)).contains("slept"));
    }
}
