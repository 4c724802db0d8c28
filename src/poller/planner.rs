//! The planner at work: keeps what a plan is made from, makes it anew when something changed, and says what is due.
//!
//! No clock and no I/O: instants come in, due calls go out. What has to survive a restart is the ledger and the instants
//! of the last looks, which the store keeps.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Pause;
use super::ledger::{Bill, Ledger, Turn};
use super::plan::{Call, DetectorNeed, Plan, PlanInput, SportVerdict, Wanted, plan};
use super::rules::{PlanRules, Prices};
use super::slate::{Game, SportSlate};
use crate::feeds::odds_api::quota::Quota;
use crate::feeds::outcome::Unavailable;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// A plan is made anew at least so often.
const FRESH_MS: i64 = 15 * 60_000;
/// A call that is later than this is no longer worth what it was planned for: the plan is made anew instead.
const LATE_MS: i64 = 30_000;
/// The end of a pause that has none.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);
/// Free questions to an account that is used up are asked so often.
const EMPTY_MS: i64 = 60 * 60_000;
/// A sport that the provider does not know is asked about again after so long.
const UNKNOWN_SPORT_MS: i64 = 6 * 60 * 60_000;
/// A call without an answer is tried again after so long, doubling up to [`LONGEST_RETRY_MS`].
const RETRY_MS: i64 = 15_000;
/// The longest wait for another try.
const LONGEST_RETRY_MS: i64 = 5 * 60_000;

/// Plans and remembers.
#[derive(Clone, Debug)]
pub struct Planner {
    rules: PlanRules,
    prices: Prices,
    ledger: Ledger,
    sports: Vec<SportSlate>,
    failures: Vec<u32>,
    watched: BTreeSet<EventId>,
    /// Sports that another device of the desk asks about.
    elsewhere: BTreeSet<String>,
    plan: Option<Plan>,
    pause: Option<Pause>,
}

impl Planner {
    /// A planner for these sports, which have not been asked about.
    pub fn new(sports: &[String], prices: Prices, rules: PlanRules, ledger: Ledger) -> Self {
        let sports: Vec<SportSlate> = sports.iter().map(|s| SportSlate::unknown(s)).collect();
        let failures = vec![0; sports.len()];
        let (watched, elsewhere) = (BTreeSet::new(), BTreeSet::new());
        Self { rules, prices, ledger, sports, failures, watched, elsewhere, plan: None, pause: None }
    }

    /// The ledger.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The sports with their games.
    pub fn sports(&self) -> &[SportSlate] {
        &self.sports
    }

    /// The rules in force.
    pub const fn rules(&self) -> &PlanRules {
        &self.rules
    }

    /// A pause of everything, if there is one.
    pub const fn pause(&self) -> Option<Pause> {
        self.pause
    }

    /// The ledger as it stands after a call.
    pub fn set_ledger(&mut self, ledger: Ledger) {
        self.ledger = ledger;
        self.plan = None;
    }

    /// A pause because of the key or its credits is over.
    pub fn unpause(&mut self) {
        self.pause = None;
    }

    /// The clock was set back by so much: nothing was asked in the future.
    pub fn clock_set_back(&mut self, by_ms: i64) {
        for slate in &mut self.sports {
            for at in [&mut slate.odds_at, &mut slate.listed_at, &mut slate.scores_at, &mut slate.paused_until] {
                *at = at.map(|t| t.plus(-by_ms));
            }
        }
        self.pause = self.pause.map(|p| if p.until < NEVER { Pause { until: p.until.plus(-by_ms), ..p } } else { p });
        self.plan = None;
    }

    /// Other rules, sports or prices from now on. What is known of a sport that stays is kept.
    pub fn set_rules(&mut self, sports: &[String], prices: Prices, rules: PlanRules) {
        let known = std::mem::take(&mut self.sports);
        let of = |name: &String| known.iter().find(|s| *s.sport == **name).cloned();
        self.sports = sports.iter().map(|s| of(s).unwrap_or_else(|| SportSlate::unknown(s))).collect();
        self.failures = vec![0; self.sports.len()];
        (self.rules, self.prices, self.plan) = (rules, prices, None);
    }

    /// Sports that another device asks about: nothing is planned for them. Answers the sports that are ours again; `None`:
    /// nothing is different.
    pub fn leave(&mut self, elsewhere: BTreeSet<String>) -> Option<BTreeSet<String>> {
        if elsewhere == self.elsewhere {
            return None;
        }
        self.plan = None;
        let before = std::mem::replace(&mut self.elsewhere, elsewhere);
        Some(before.difference(&self.elsewhere).cloned().collect())
    }

    /// The sports that are planned for.
    fn own(&self) -> Cow<'_, [SportSlate]> {
        if self.elsewhere.is_empty() {
            return Cow::Borrowed(&self.sports);
        }
        self.sports.iter().filter(|s| !self.elsewhere.contains(&*s.sport)).cloned().collect()
    }

    /// The games that the user watches. `true`: they are others than before.
    pub fn watch(&mut self, watched: BTreeSet<EventId>) -> bool {
        if watched == self.watched {
            return false;
        }
        self.watched = watched;
        for slate in &mut self.sports {
            for game in &mut slate.games {
                game.watched = self.watched.contains(&game.event);
            }
        }
        self.plan = None;
        true
    }

    /// What is known of a sport's games now, and what was asked about it in an earlier life.
    pub fn remember(&mut self, known: SportSlate) {
        if let Some(slate) = self.sports.iter_mut().find(|s| s.sport == known.sport) {
            let paused = slate.paused_until;
            *slate = known;
            // What the provider does not know it does not know from whoever asks.
            slate.paused_until = slate.paused_until.max(paused);
            for game in &mut slate.games {
                game.watched = self.watched.contains(&game.event);
            }
            self.plan = None;
        }
    }

    /// The games of a sport as the store knows them now. Answers whether they are others than before.
    pub fn set_games(&mut self, sport: &str, mut games: Vec<Game>) -> bool {
        let Some(slate) = self.sports.iter_mut().find(|s| *s.sport == *sport) else { return false };
        for game in &mut games {
            game.watched = self.watched.contains(&game.event);
        }
        games.sort_by_key(|g| (g.start, g.event));
        let ids = |games: &[Game]| games.iter().map(|g| g.event).collect::<BTreeSet<_>>();
        if slate.games == games {
            return false;
        }
        let others = ids(&slate.games) != ids(&games);
        slate.games = games;
        self.plan = None;
        others
    }

    /// The plan as it stands at `now`.
    pub fn plan(&mut self, now: Timestamp) -> &Plan {
        if self.ledger.at(now).is_some() {
            self.plan = None;
        }
        let stale = |plan: &Plan| {
            let late = plan.calls.first().is_some_and(|c| now.since(c.at) > LATE_MS);
            late || now.since(plan.made_at) >= FRESH_MS || now < plan.made_at
        };
        let kept = self.plan.take().filter(|plan| !stale(plan));
        let made = kept.unwrap_or_else(|| {
            let (own, ledger, rules) = (self.own(), &self.ledger, &self.rules);
            plan(&PlanInput { now, sports: &own, ledger, prices: self.prices, rules })
        });
        self.plan.insert(made)
    }

    /// What every sport gets, and what cannot be judged with it.
    pub fn verdicts(&mut self, now: Timestamp, needs: &[DetectorNeed]) -> Vec<SportVerdict> {
        let plan = self.plan(now).clone();
        let (own, ledger, rules) = (self.own(), &self.ledger, &self.rules);
        plan.verdicts(&PlanInput { now, sports: &own, ledger, prices: self.prices, rules }, needs)
    }

    fn held_until(&self, call: &Call) -> Option<Timestamp> {
        let pause = self.pause?;
        // The free listing of an account without credits still answers.
        let free = pause.reason == Unavailable::Quota && call.cost == 0;
        (!free).then_some(pause.until)
    }

    /// The call that is due at `now`, if any.
    pub fn due(&mut self, now: Timestamp) -> Option<Call> {
        self.plan(now);
        let plan = self.plan.as_ref()?;
        let mut due = plan.calls.iter().take_while(|c| c.at <= now);
        due.find(|c| self.held_until(c).is_none_or(|until| until <= now)).cloned()
    }

    /// When something is due next.
    pub fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.plan(now);
        let plan = self.plan.as_ref()?;
        let fresh = plan.made_at.plus(FRESH_MS);
        let held = |c: &Call| self.held_until(c).map_or(c.at, |until| c.at.max(until));
        plan.calls.iter().map(held).min().map_or(Some(fresh), |at| Some(at.min(fresh)))
    }

    /// Notes that `call` is asked at `now`, so that it is not due again whatever comes of it.
    pub fn asked(&mut self, call: &Call, now: Timestamp) {
        if let Some(slate) = self.sports.iter_mut().find(|s| s.sport == call.sport) {
            let asked = match call.wanted {
                Wanted::Full | Wanted::Lean => &mut slate.odds_at,
                Wanted::Scores => &mut slate.scores_at,
                Wanted::Listing => &mut slate.listed_at,
            };
            *asked = Some(now);
        }
        self.plan = None;
    }

    /// Enters what a call cost, and what its answer said about the account.
    pub fn billed(&mut self, bill: &Bill, told: Quota) -> Option<Turn> {
        self.plan = None;
        self.ledger.enter(bill, told)
    }

    /// Notes an answer.
    pub fn answered(&mut self, call: &Call) {
        if self.pause.is_some_and(|p| p.reason != Unavailable::Quota || call.cost > 0) {
            self.pause = None;
        }
        if let Some(i) = self.sports.iter().position(|s| s.sport == call.sport) {
            self.sports[i].paused_until = None;
            self.failures[i] = 0;
        }
    }

    /// Notes that a call got no answer. Answers what is paused because of it.
    pub fn failed(&mut self, call: &Call, reason: Unavailable, now: Timestamp) -> Option<Pause> {
        self.plan = None;
        let i = self.sports.iter().position(|s| s.sport == call.sport)?;
        match reason {
            // A refused key stays refused: nothing more is asked until there is another.
            Unavailable::Auth => self.pause = Some(Pause { reason, until: NEVER }),
            Unavailable::Quota => self.pause = Some(Pause { reason, until: self.quota_pause(now) }),
            Unavailable::NotFound | Unavailable::BadRequest => {
                let until = now.plus(UNKNOWN_SPORT_MS);
                self.sports[i].paused_until = Some(until);
                return Some(Pause { reason, until });
            }
            Unavailable::RateLimited | Unavailable::Transient | Unavailable::Malformed | Unavailable::Paused => {
                self.failures[i] = self.failures[i].saturating_add(1);
                let wait = RETRY_MS.saturating_mul(1 << (self.failures[i] - 1).min(10)).min(LONGEST_RETRY_MS);
                // What was asked for has not been had: it is due again after the wait, closes above all.
                let slate = &mut self.sports[i];
                match call.wanted {
                    Wanted::Full | Wanted::Lean => slate.odds_at = None,
                    Wanted::Scores => slate.scores_at = None,
                    Wanted::Listing => slate.listed_at = None,
                }
                slate.paused_until = Some(now.plus(wait));
                return None;
            }
        }
        self.pause
    }

    /// Credits come back with the month; whether somebody has bought more is asked now and then.
    fn quota_pause(&self, now: Timestamp) -> Timestamp {
        now.plus(EMPTY_MS).min(self.ledger.month().end().max(now.plus(1000)))
    }
}
