//! The plan for the next 24 hours: which call when, for what, and what is out of reach.
//!
//! A pure function of the games, the ledger and the rules, worked out anew whenever one of them changes. Closing looks
//! are reserved first; then scores and the user's own budgets; what is left goes to the cadence, stretched for all
//! sports by the same factor when it is short. A look at a sport shows its whole slate for one price, so every paid
//! look counts for every purpose that it serves.

mod allowance;
mod cadence;
mod closes;
mod demand;
mod verdict;

#[cfg(test)]
mod season_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use allowance::Allowance;
pub use closes::MissedClose;
pub use demand::Band;
pub use verdict::{BandVerdict, DetectorNeed, SportVerdict};

use super::calendar::{DAY_MS, Period, periods};
use super::ledger::Ledger;
use super::rules::{PlanRules, Prices};
use super::slate::SportSlate;
use super::tier::Tier;
use crate::feeds::odds_api::breaker::Purpose;
use crate::market::time::Timestamp;

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Wanted {
    /// Odds of all markets of the settings.
    Full,
    /// Odds of the first market only.
    Lean,
    /// Scores.
    Scores,
    /// The free listing.
    Listing,
}

/// One planned call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// When.
    pub at: Timestamp,
    /// Sport key.
    pub sport: Arc<str>,
    /// What.
    pub wanted: Wanted,
    /// What for: whose budget pays.
    pub purpose: Purpose,
    /// The most that it can cost. Credits.
    pub cost: u32,
    /// How near the next start will be.
    pub tier: Option<Tier>,
}

/// Everything that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The plan begins here.
    pub now: Timestamp,
    /// Sports with their games, in the order of the settings.
    pub sports: &'a [SportSlate],
    /// What was spent, and what is left.
    pub ledger: &'a Ledger,
    /// What calls cost.
    pub prices: Prices,
    /// What the user has decided.
    pub rules: &'a PlanRules,
}

/// How the closes of the games that start in these 24 hours are cared for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CloseCover {
    /// Games that start.
    pub games: u32,
    /// Of these, watched.
    pub watched: u32,
    /// With a look near enough for an `A`.
    pub best: u32,
    /// With a look near enough for a `B`.
    pub good: u32,
    /// Watched games with a look near enough for an `A` or a `B`.
    pub watched_good: u32,
    /// Games without, by start.
    pub missed: Vec<MissedClose>,
}

/// The plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// When it was made.
    pub made_at: Timestamp,
    /// Up to here.
    pub until: Timestamp,
    /// Every call, by time, sport and what it asks for.
    pub calls: Vec<Call>,
    /// What may be spent, stretch by stretch.
    pub allowances: Vec<Allowance>,
    /// Looks come so many times as far apart as the rules ask for; infinite: there is nothing left for them.
    pub stretch: f64,
    /// Far from the start only the first market is asked for.
    pub lean: bool,
    /// Few credits are left.
    pub low_credits: bool,
    /// Closes.
    pub closes: CloseCover,
    /// When the credits of this month run out at this pace, if that is before the month ends.
    pub runs_out: Option<Timestamp>,
}

impl Plan {
    /// Credits of all calls.
    pub fn cost(&self) -> u64 {
        self.calls.iter().map(|c| u64::from(c.cost)).sum()
    }

    /// Credits and number of the calls for `purpose`.
    pub fn cost_of(&self, purpose: Purpose) -> (u64, usize) {
        let calls = self.calls.iter().filter(|c| c.purpose == purpose);
        (calls.clone().map(|c| u64::from(c.cost)).sum(), calls.count())
    }
}

/// Makes the plan for the 24 hours from `input.now` on.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let until = input.now.plus(DAY_MS);
    let mut plan = Plan {
        made_at: input.now,
        until,
        calls: Vec::new(),
        allowances: Vec::new(),
        stretch: 1.0,
        lean: false,
        low_credits: input.ledger.remaining().is_some_and(|r| r <= input.rules.low_credits),
        closes: CloseCover::default(),
        runs_out: None,
    };
    let mut left = allowance::Left::of(input);
    // Looks of one stretch of time are the past of the next.
    let mut looked: Vec<Option<Timestamp>> = input.sports.iter().map(|s| s.odds_at).collect();
    let mut scored: Vec<Option<Timestamp>> = input.sports.iter().map(|s| s.scores_at).collect();
    for period in periods(input.now, until) {
        let allowance = left.for_period(input, &period);
        let calls = period_calls(input, &period, &allowance, &mut looked, &mut scored, &mut plan);
        left.planned(&calls);
        plan.calls.extend(calls);
        plan.allowances.push(allowance);
    }
    plan.calls.retain(|c| c.at < until);
    plan.calls.extend(cadence::listings(input, until));
    plan.calls.sort_by(|a, b| (a.at, &a.sport, a.wanted).cmp(&(b.at, &b.sport, b.wanted)));
    plan.closes = closes::cover(input, until, &plan.calls);
    plan.runs_out = verdict::runs_out(input, plan.cost());
    plan
}

fn period_calls(
    input: &PlanInput<'_>,
    period: &Period,
    allowance: &Allowance,
    looked: &mut [Option<Timestamp>],
    scored: &mut [Option<Timestamp>],
    plan: &mut Plan,
) -> Vec<Call> {
    let mut main = allowance.main;
    let reserved = closes::reserve(input, period, looked, main);
    main = main.saturating_sub(cost(&reserved));
    let scores = cadence::scores(input, period, scored, main.min(allowance.main / 10));
    main = main.saturating_sub(cost(&scores));
    let in_play = cadence::in_play(input, period, looked, &reserved, allowance.in_play);
    // Looks that are taken anyway serve the cadence too.
    let mut fixed: Vec<Call> = reserved.into_iter().chain(in_play).collect();
    fixed.sort_by_key(|c| c.at);
    let live = cadence::live(input, period, looked, &fixed, main, plan.low_credits);
    if live.demand {
        // The plan tells the hardest stretch; a period without games says nothing.
        plan.stretch = plan.stretch.max(live.stretch);
        plan.lean |= live.lean;
    }
    let mut calls: Vec<Call> = fixed.into_iter().chain(live.calls).chain(scores).collect();
    calls.sort_by_key(|c| c.at);
    for call in &calls {
        let Some(i) = input.sports.iter().position(|s| s.sport == call.sport) else { continue };
        let last = if call.wanted == Wanted::Scores { scored.get_mut(i) } else { looked.get_mut(i) };
        if let Some(last) = last {
            *last = Some(call.at);
        }
    }
    calls
}

fn cost(calls: &[Call]) -> u64 {
    calls.iter().map(|c| u64::from(c.cost)).sum()
}
