//! What a plan means: the cadence it can sustain, what cannot be judged with it, and when the credits run out.

use std::sync::Arc;

use super::demand::{Band, segments};
use super::{Plan, PlanInput, Wanted};
use crate::market::time::Timestamp;
use crate::poller::calendar::{DAY_MS, Month};

/// The longest gap between looks at which a detector can still be judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetectorNeed {
    /// Name of the detector.
    pub name: String,
    /// Milliseconds.
    pub longest_gap_ms: i64,
}

/// What one band of a sport gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BandVerdict {
    /// Which.
    pub band: Band,
    /// Time in it within the plan. Milliseconds.
    pub lasts_ms: i64,
    /// Looks in it.
    pub looks: usize,
    /// The typical time between two looks; `None`: fewer than one look.
    pub every_ms: Option<i64>,
    /// The rules ask for this.
    pub wanted_ms: i64,
    /// Detectors that cannot be judged at this cadence, in the order given.
    pub not_evaluable: Vec<String>,
}

/// What a sport gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SportVerdict {
    /// Sport key.
    pub sport: Arc<str>,
    /// Games that start within the plan.
    pub games: usize,
    /// Paid calls, and their credits.
    pub calls: usize,
    /// Credits.
    pub credits: u64,
    /// The bands that occur, from far to near.
    pub bands: Vec<BandVerdict>,
}

impl Plan {
    /// What every sport gets, in the order of `input`, which must be the one that the plan was made from.
    pub fn verdicts(&self, input: &PlanInput<'_>, needs: &[DetectorNeed]) -> Vec<SportVerdict> {
        input.sports.iter().map(|slate| self.verdict(input, slate, needs)).collect()
    }

    fn verdict(
        &self,
        input: &PlanInput<'_>,
        slate: &crate::poller::slate::SportSlate,
        needs: &[DetectorNeed],
    ) -> SportVerdict {
        let own = self.calls.iter().filter(|c| c.sport == slate.sport && c.wanted != Wanted::Listing);
        let looks: Vec<Timestamp> =
            own.clone().filter(|c| matches!(c.wanted, Wanted::Full | Wanted::Lean)).map(|c| c.at).collect();
        let stretches = segments(&slate.games, &input.rules.bands, self.made_at, self.until);
        let bands = Band::ALL.into_iter().filter_map(|band| {
            let of_band = stretches.iter().filter(|s| s.band == band);
            let lasts_ms: i64 = of_band.clone().map(|s| s.until.since(s.from)).sum();
            let within = |t: Timestamp| stretches.iter().any(|s| s.band == band && s.from <= t && t < s.until);
            let looks_in = looks.iter().filter(|t| within(**t)).count();
            (lasts_ms > 0).then(|| {
                let every_ms = typical_gap(&looks, within);
                let too_far = |need: &&DetectorNeed| every_ms.is_none_or(|every| every > need.longest_gap_ms);
                let not_evaluable = needs.iter().filter(too_far).map(|n| n.name.clone()).collect();
                let wanted_ms = band.interval(&input.rules.bands).max(input.rules.active_ms);
                BandVerdict { band, lasts_ms, looks: looks_in, every_ms, wanted_ms, not_evaluable }
            })
        });
        SportVerdict {
            sport: slate.sport.clone(),
            games: slate.games.iter().filter(|g| g.start > self.made_at && g.start <= self.until).count(),
            calls: own.clone().count(),
            credits: own.clone().map(|c| u64::from(c.cost)).sum(),
            bands: bands.collect(),
        }
    }
}

/// The median time from a look inside to the look before it.
fn typical_gap(looks: &[Timestamp], within: impl Fn(Timestamp) -> bool) -> Option<i64> {
    let mut gaps: Vec<i64> =
        looks.windows(2).filter(|pair| within(pair[1])).map(|pair| pair[1].since(pair[0])).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

/// When the credits run out if every day costs as much as this one, with what others spend on the same key.
pub(super) fn runs_out(input: &PlanInput<'_>, a_day: u64) -> Option<Timestamp> {
    let account = input.ledger.account();
    let left = account.remaining?;
    let month = Month::of(input.now);
    let gone = (input.now.since(month.start()) as f64 / DAY_MS as f64).max(0.5);
    let pace = a_day as f64 + account.elsewhere as f64 / gone;
    if pace <= 0.0 {
        return None;
    }
    let days = left as f64 / pace;
    let end = input.now.plus((days * DAY_MS as f64).min(1e15) as i64);
    // Plans spend what there is; only what falls short by hours is worth a word.
    (month.end().since(end) > 6 * 3_600_000).then_some(end)
}
