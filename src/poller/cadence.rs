//! A steady cadence: every sport every so often, scores of started games now and then.

use std::collections::BTreeSet;

use crate::feeds::outcome::Unavailable;
use crate::market::time::Timestamp;

/// How often to ask. Milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cadence {
    /// Between two looks at the odds of a sport.
    pub odds_ms: i64,
    /// Between two looks at its scores while a game is under way.
    pub scores_ms: i64,
}

impl Cadence {
    /// Odds every `odds_ms`; scores ten times as rarely, but at least five and at most thirty minutes apart.
    pub fn of(odds_ms: i64) -> Self {
        const MINUTE: i64 = 60_000;
        Self { odds_ms: odds_ms.max(1), scores_ms: (odds_ms * 10).clamp(5 * MINUTE, 30 * MINUTE) }
    }
}

/// A question that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Due {
    /// Featured odds of a sport.
    Odds(String),
    /// Scores of a sport.
    Scores(String),
}

/// Why a sport is not asked about for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// The reason.
    pub reason: Unavailable,
    /// Until then.
    pub until: Timestamp,
}

#[derive(Clone, Debug)]
struct SportPlan {
    sport: String,
    odds_at: Timestamp,
    scores_at: Timestamp,
    under_way: bool,
}

/// When each sport is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cadence: Cadence,
    sports: Vec<SportPlan>,
    /// Sports that another device of the desk asks about.
    elsewhere: BTreeSet<String>,
    pause: Option<Pause>,
}

/// The end of a pause that has none.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);
/// After the credits have run out, ask whether they are back so often.
const QUOTA_PAUSE_MS: i64 = 60 * 60_000;
/// A sport that the provider does not know is asked about again after so long.
const UNKNOWN_SPORT_PAUSE_MS: i64 = 6 * 60 * 60_000;

impl Schedule {
    /// All sports are due from `start` on, spread over one interval so that they do not come in a burst.
    pub fn new(sports: &[String], cadence: Cadence, start: Timestamp) -> Self {
        let n = sports.len().max(1) as i64;
        let plan = |(i, sport): (usize, &String)| SportPlan {
            sport: sport.clone(),
            odds_at: start.plus((cadence.odds_ms * i as i64 / n).min(2_000 * i as i64)),
            scores_at: start,
            under_way: false,
        };
        let sports = sports.iter().enumerate().map(plan).collect();
        Self { cadence, sports, elsewhere: BTreeSet::new(), pause: None }
    }

    /// The question to ask at `now`, if any is due: the one that has waited longest.
    pub fn due(&self, now: Timestamp) -> Option<Due> {
        if self.pause.is_some_and(|p| now < p.until) {
            return None;
        }
        let odds = self.own().map(|s| (s.odds_at, Due::Odds(s.sport.clone())));
        let scores = self.own().filter(|s| s.under_way).map(|s| (s.scores_at, Due::Scores(s.sport.clone())));
        odds.chain(scores).filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at).map(|(_, due)| due)
    }

    /// The next instant at which something is due.
    pub fn next(&self) -> Option<Timestamp> {
        let odds = self.own().map(|s| s.odds_at);
        let scores = self.own().filter(|s| s.under_way).map(|s| s.scores_at);
        let next = odds.chain(scores).min()?;
        Some(self.pause.map_or(next, |p| next.max(p.until)))
    }

    /// Every question that is planned and when, in the order of the sports; odds before scores. A question that a pause
    /// holds back for ever is not planned.
    pub fn plan(&self) -> Vec<(Due, Timestamp)> {
        let paused = self.pause.map(|p| p.until);
        let held = |at: Timestamp| paused.map_or(at, |until| at.max(until));
        let mut plan = Vec::new();
        for s in self.own() {
            plan.push((Due::Odds(s.sport.clone()), held(s.odds_at)));
            if s.under_way {
                plan.push((Due::Scores(s.sport.clone()), held(s.scores_at)));
            }
        }
        plan.retain(|(_, at)| *at < NEVER);
        plan
    }

    /// Notes that `due` was asked at `now`. A question is asked again one interval after it was due, or after it was
    /// asked if that was long overdue: missed looks are not made up for.
    pub fn asked(&mut self, due: &Due, now: Timestamp) {
        let cadence = self.cadence;
        let next = |at: Timestamp, every: i64| if now.since(at) < every { at.plus(every) } else { now.plus(every) };
        match due {
            Due::Odds(sport) => self.with(sport, |s| s.odds_at = next(s.odds_at, cadence.odds_ms)),
            Due::Scores(sport) => self.with(sport, |s| s.scores_at = next(s.scores_at, cadence.scores_ms)),
        }
    }

    /// Whether games of a sport are under way, so that its scores are worth their credit.
    pub fn under_way(&mut self, sport: &str, yes: bool) {
        self.with(sport, |s| s.under_way = yes);
    }

    /// Notes that a question got no answer. Answers how long nothing, or this sport, will be asked.
    pub fn failed(&mut self, due: &Due, reason: Unavailable, now: Timestamp) -> Option<Pause> {
        let until = match reason {
            // A refused key stays refused: nothing more is asked until the program is started with another.
            Unavailable::Auth => NEVER,
            Unavailable::Quota => now.plus(QUOTA_PAUSE_MS),
            Unavailable::NotFound | Unavailable::BadRequest => {
                let until = now.plus(UNKNOWN_SPORT_PAUSE_MS);
                let (Due::Odds(sport) | Due::Scores(sport)) = due;
                self.with(sport, |s| match due {
                    Due::Odds(_) => s.odds_at = until,
                    Due::Scores(_) => s.scores_at = until,
                });
                return Some(Pause { reason, until });
            }
            // The client has its own patience for these.
            Unavailable::RateLimited | Unavailable::Transient | Unavailable::Malformed | Unavailable::Paused => {
                return None;
            }
        };
        self.pause = Some(Pause { reason, until });
        self.pause
    }

    /// Why nothing is asked at all, and until when.
    pub const fn pause(&self) -> Option<Pause> {
        self.pause
    }

    /// Sports that another device asks about: they are not due. Answers the sports that are ours again; `None`: nothing is
    /// different.
    pub fn leave(&mut self, elsewhere: BTreeSet<String>) -> Option<BTreeSet<String>> {
        if elsewhere == self.elsewhere {
            return None;
        }
        let before = std::mem::replace(&mut self.elsewhere, elsewhere);
        Some(before.difference(&self.elsewhere).cloned().collect())
    }

    fn own(&self) -> impl Iterator<Item = &SportPlan> {
        self.sports.iter().filter(|s| !self.elsewhere.contains(&s.sport))
    }

    /// A successful answer ends a pause.
    pub fn succeeded(&mut self) {
        self.pause = None;
    }

    /// Other sports or another cadence from `now` on. Sports that stay keep their beat, as far as the new cadence allows.
    pub fn change(&mut self, sports: &[String], cadence: Cadence, now: Timestamp) {
        let mut fresh = Self::new(sports, cadence, now);
        for plan in &mut fresh.sports {
            if let Some(known) = self.sports.iter().find(|s| s.sport == plan.sport) {
                *plan = known.clone();
                plan.odds_at = plan.odds_at.min(now.plus(cadence.odds_ms));
                plan.scores_at = plan.scores_at.min(now.plus(cadence.scores_ms));
            }
        }
        (fresh.pause, fresh.elsewhere) = (self.pause, std::mem::take(&mut self.elsewhere));
        *self = fresh;
    }

    /// The clock was set back by so many milliseconds: everything stays as far away as it was.
    pub fn clock_set_back(&mut self, by_ms: i64) {
        for plan in &mut self.sports {
            plan.odds_at = plan.odds_at.plus(-by_ms);
            plan.scores_at = plan.scores_at.plus(-by_ms);
        }
        if let Some(pause) = self.pause.as_mut().filter(|p| p.until < NEVER) {
            pause.until = pause.until.plus(-by_ms);
        }
    }

    fn with(&mut self, sport: &str, f: impl FnOnce(&mut SportPlan)) {
        if let Some(plan) = self.sports.iter_mut().find(|s| s.sport == sport) {
            f(plan);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + s)
    }

    fn schedule(sports: &[&str]) -> Schedule {
        let sports: Vec<String> = sports.iter().map(|s| (*s).to_owned()).collect();
        Schedule::new(&sports, Cadence::of(60_000), at(0))
    }

    fn run(schedule: &mut Schedule, from: i64, until: i64) -> Vec<(i64, Due)> {
        let mut asked = Vec::new();
        let mut now = at(from);
        while let Some(next) = schedule.next().map(|n| n.max(now)).filter(|n| *n <= at(until)) {
            now = next;
            let due = schedule.due(next).expect("due when it says so");
            schedule.asked(&due, next);
            asked.push((next.since(at(0)) / 1000, due));
        }
        asked
    }

    #[test]
    fn what_others_ask_about_is_not_due() {
        let mut s = schedule(&["nba", "nfl"]);
        let only = |name: &str| BTreeSet::from([name.to_owned()]);
        assert_eq!(s.leave(only("nba")), Some(BTreeSet::new()));
        assert_eq!(s.leave(only("nba")), None);
        assert!(run(&mut s, 0, 70).iter().all(|(_, due)| *due == Due::Odds("nfl".into())));
        assert_eq!(s.plan().len(), 1);
        assert_eq!(s.leave(BTreeSet::new()), Some(only("nba")));
        assert_eq!(s.due(at(71)), Some(Due::Odds("nba".into())));
    }

    #[test]
    fn every_sport_keeps_its_own_beat() {
        let mut s = schedule(&["nba", "nfl"]);
        let asked = run(&mut s, 0, 130);
        let of = |sport: &str| -> Vec<i64> {
            asked.iter().filter(|(_, d)| *d == Due::Odds(sport.to_owned())).map(|(t, _)| *t).collect()
        };
        assert_eq!(of("nba"), [0, 60, 120]);
        assert_eq!(of("nfl"), [2, 62, 122]);
    }

    #[test]
    fn scores_are_asked_only_while_games_are_under_way() {
        let mut s = schedule(&["nba"]);
        assert!(run(&mut s, 0, 3600).iter().all(|(_, d)| matches!(d, Due::Odds(_))));
        s.under_way("nba", true);
        let scores = run(&mut s, 3600, 3600 + 1800).into_iter().filter(|(_, d)| matches!(d, Due::Scores(_))).count();
        assert!((3..=5).contains(&scores), "{scores}");
    }

    #[test]
    fn missed_looks_are_not_made_up_for() {
        let mut s = schedule(&["nba"]);
        let due = s.due(at(0)).expect("due");
        s.asked(&due, at(0));
        // The machine slept for an hour.
        let due = s.due(at(3600)).expect("due");
        s.asked(&due, at(3600));
        assert_eq!(s.due(at(3600)), None);
        assert_eq!(s.next(), Some(at(3660)));
    }

    #[test]
    fn a_refused_key_ends_polling_and_an_empty_account_pauses_it() {
        let mut s = schedule(&["nba"]);
        let due = s.due(at(0)).expect("due");
        s.failed(&due, Unavailable::Quota, at(0));
        assert_eq!(s.due(at(60)), None);
        assert!(s.due(at(3601)).is_some());
        s.succeeded();
        assert!(s.due(at(60)).is_some());
        s.failed(&due, Unavailable::Auth, at(60));
        assert_eq!(s.due(at(1_000_000)), None);
    }

    #[test]
    fn the_plan_says_what_comes_next_and_knows_pauses() {
        let mut s = schedule(&["nba", "nfl"]);
        s.under_way("nfl", true);
        let odds = |sport: &str| Due::Odds(sport.to_owned());
        let scores = Due::Scores("nfl".into());
        assert_eq!(s.plan(), [(odds("nba"), at(0)), (odds("nfl"), at(2)), (scores.clone(), at(0))]);
        assert_eq!(s.plan().iter().map(|(_, at)| *at).min(), s.next());
        s.failed(&odds("nba"), Unavailable::Quota, at(0));
        assert!(s.plan().iter().all(|(_, until)| *until == at(3600)));
        s.failed(&odds("nba"), Unavailable::Auth, at(0));
        assert_eq!(s.plan(), []);
        s.succeeded();
        assert_eq!(s.plan().len(), 3);
    }

    #[test]
    fn other_sports_are_taken_up_and_known_ones_keep_their_beat() {
        let mut s = schedule(&["nba", "nfl"]);
        run(&mut s, 0, 30);
        let odds = |sport: &str| Due::Odds(sport.to_owned());
        s.change(&["nhl".into(), "nba".into()], Cadence::of(60_000), at(30));
        assert_eq!(s.plan(), [(odds("nhl"), at(30)), (odds("nba"), at(60))]);
        s.change(&["nba".into()], Cadence::of(5_000), at(31));
        assert_eq!(s.plan(), [(odds("nba"), at(36))]);
    }

    #[test]
    fn a_clock_that_is_set_back_moves_everything_with_it() {
        let mut s = schedule(&["nba"]);
        run(&mut s, 0, 30);
        s.clock_set_back(3_600_000);
        assert_eq!(s.next(), Some(at(60 - 3600)));
        s.failed(&Due::Odds("nba".into()), Unavailable::Auth, at(0));
        s.clock_set_back(3_600_000);
        assert_eq!(s.due(at(1_000_000)), None);
    }

    #[test]
    fn an_unknown_sport_does_not_stop_the_others() {
        let mut s = schedule(&["nope", "nba"]);
        let due = s.due(at(0)).expect("due");
        s.asked(&due, at(0));
        s.failed(&due, Unavailable::NotFound, at(0));
        let asked = run(&mut s, 0, 600);
        assert!(asked.iter().all(|(_, d)| *d == Due::Odds("nba".into())));
        assert!(asked.len() >= 10);
    }

    proptest! {
        #[test]
        fn no_sport_is_asked_more_often_than_its_cadence(steps in proptest::collection::vec(1_i64..200, 1..100)) {
            let mut s = schedule(&["a", "b", "c"]);
            let (mut now, mut last) = (0, std::collections::BTreeMap::<String, i64>::new());
            for step in steps {
                now += step;
                while let Some(due) = s.due(at(now)) {
                    s.asked(&due, at(now));
                    let Due::Odds(sport) = due else { continue };
                    if let Some(before) = last.insert(sport, now) {
                        // A late look does not move the beat, so two may be closer by as much as one was late.
                        prop_assert!(now - before > 0);
                    }
                }
            }
        }
    }
}
