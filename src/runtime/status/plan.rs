//! The plan in the words in which it is told: to the board, to those who attach, and to scripts.

use serde::{Deserialize, Serialize};

use crate::feeds::odds_api::breaker::Purpose;
use crate::market::time::Timestamp;
use crate::poller::calendar::{Day, Month};
use crate::poller::ledger::Ledger;
use crate::poller::plan::{Plan, SportVerdict};

/// The plan for the next 24 hours. Instants are market time; amounts are credits.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PlanNote {
    /// When it was made.
    pub made_at: Timestamp,
    /// Up to here.
    pub until: Timestamp,
    /// Left in the month; `None`: the account has not told yet.
    pub remaining: Option<u64>,
    /// What the account holds in a month.
    pub limit: Option<u64>,
    /// Spent in this month on the same keys by nobody of the desk.
    pub elsewhere: u64,
    /// Spent in this month on the same keys by other devices of the desk.
    #[serde(default)]
    pub desk: u64,
    /// May be spent on this day of the desk, what was spent included.
    pub day_budget: u64,
    /// Spent on this day by the whole desk.
    pub day_spent: u64,
    /// That part of it which other devices have spent.
    #[serde(default)]
    pub day_desk: u64,
    /// The month would allow so much a day.
    pub month_allows: Option<u64>,
    /// Credits and calls of the plan.
    pub credits: u64,
    /// Calls of the plan.
    pub calls: usize,
    /// By purpose: those that are planned, kept a budget for, or spent on today.
    pub purposes: Vec<PurposeNote>,
    /// Looks come so many times as far apart as asked for; `None`: nothing is left for them.
    pub stretch: Option<f64>,
    /// Far from the start only the first market is asked for.
    pub lean: bool,
    /// Few credits are left.
    pub low_credits: bool,
    /// Closes.
    pub closes: CloseNote,
    /// By sport, in the order of the settings.
    pub sports: Vec<SportNote>,
    /// The month's credits run out then, before it ends.
    pub runs_out: Option<Timestamp>,
}

/// One purpose.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PurposeNote {
    /// Its name, such as `closes`.
    pub purpose: String,
    /// Spent today.
    pub spent: u64,
    /// Planned.
    pub planned: u64,
    /// Planned calls.
    pub calls: usize,
    /// Kept for it today, where it has a budget of its own.
    pub kept: Option<u64>,
}

/// Closes of the games that start within the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CloseNote {
    /// Games.
    pub games: u32,
    /// Near enough for an `A`.
    pub best: u32,
    /// Near enough for an `A` or `B`.
    pub good: u32,
    /// Watched games.
    pub watched: u32,
    /// Watched games near enough for an `A` or `B`.
    pub watched_good: u32,
}

/// One sport.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SportNote {
    /// Sport key.
    pub sport: String,
    /// Games that start within the plan.
    pub games: usize,
    /// Paid calls.
    pub calls: usize,
    /// Their credits.
    pub credits: u64,
    /// Bands that occur, from far to near.
    pub bands: Vec<BandNote>,
}

/// One band of a sport.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BandNote {
    /// `far`, `middle` or `near`.
    pub band: String,
    /// Typical time between two looks. Seconds; `None`: fewer than one look.
    pub every_s: Option<i64>,
    /// Asked for. Seconds.
    pub wanted_s: i64,
    /// Detectors that cannot be judged at this cadence.
    pub not_evaluable: Vec<String>,
}

impl PlanNote {
    /// The plan in words; `clean` masks what must not be told.
    pub fn new(plan: &Plan, verdicts: &[SportVerdict], ledger: &Ledger, clean: impl Fn(&str) -> String) -> Self {
        let today = plan.allowances.first();
        let (month, day) = (Month::of(plan.made_at), Day::of(plan.made_at));
        let kept = |purpose| match purpose {
            Purpose::InPlay => today.map(|a| a.in_play).filter(|c| *c > 0),
            Purpose::Backfill => today.map(|a| a.backfill).filter(|c| *c > 0),
            _ => None,
        };
        let purposes = Purpose::ALL.into_iter().filter_map(|purpose| {
            let (planned, calls) = plan.cost_of(purpose);
            let spent = ledger.spent(month, day, purpose).credits;
            let kept = kept(purpose);
            let told = planned > 0 || spent > 0 || kept.is_some();
            told.then(|| PurposeNote { purpose: purpose.name().to_owned(), spent, planned, calls, kept })
        });
        let closes = &plan.closes;
        Self {
            made_at: plan.made_at,
            until: plan.until,
            remaining: ledger.remaining(),
            limit: ledger.account().limit,
            elsewhere: ledger.strangers_spent(),
            desk: ledger.desk_spent(),
            day_budget: today.map_or(0, |a| a.day),
            day_spent: today.map_or(0, |a| a.spent),
            day_desk: ledger.desk_spent_on(month, day),
            month_allows: today.and_then(|a| a.month_allows),
            credits: plan.cost(),
            calls: plan.calls.iter().filter(|c| c.cost > 0).count(),
            purposes: purposes.collect(),
            stretch: Some(plan.stretch).filter(|s| s.is_finite()),
            lean: plan.lean,
            low_credits: plan.low_credits,
            closes: CloseNote {
                games: closes.games,
                best: closes.best,
                good: closes.good,
                watched: closes.watched,
                watched_good: closes.watched_good,
            },
            sports: verdicts.iter().map(|v| sport(v, &clean)).collect(),
            runs_out: plan.runs_out,
        }
    }
}

fn sport(verdict: &SportVerdict, clean: &impl Fn(&str) -> String) -> SportNote {
    let bands = verdict.bands.iter().map(|b| BandNote {
        band: b.band.name().to_owned(),
        every_s: b.every_ms.map(|ms| ms / 1000),
        wanted_s: b.wanted_ms / 1000,
        not_evaluable: b.not_evaluable.clone(),
    });
    SportNote {
        sport: clean(&verdict.sport),
        games: verdict.games,
        calls: verdict.calls,
        credits: verdict.credits,
        bands: bands.collect(),
    }
}
