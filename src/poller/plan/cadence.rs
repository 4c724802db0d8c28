//! The looks between the closes: by closeness to the start, as often as the credits allow.

use super::demand::{Band, Segment, segments};
use super::{Call, PlanInput, Wanted, cost};
use crate::feeds::odds_api::breaker::Purpose;
use crate::market::time::Timestamp;
use crate::poller::calendar::{DAY_MS, Period};
use crate::poller::slate::{Game, GameState, SportSlate};
use crate::poller::tier::Tier;

/// A game that nobody reported over is taken to be so long after its start.
pub(super) const LONGEST_GAME_MS: i64 = 12 * 3_600_000;
/// Nothing is stretched further than over the longest stretch of time that is planned.
const LONGEST_GAP_MS: f64 = 2.0 * DAY_MS as f64;
/// While nothing is known of a game under way, it is planned for so long.
const USUAL_GAME_MS: i64 = 4 * 3_600_000;

/// The looks of the cadence in one period.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Live {
    pub(super) calls: Vec<Call>,
    /// There was something to look at.
    pub(super) demand: bool,
    /// Looks come so many times as far apart as the rules ask for.
    pub(super) stretch: f64,
    /// Far from the start only the first market is asked for.
    pub(super) lean: bool,
}

/// The looks of a period that `budget` pays for, around those that are `fixed`.
pub(super) fn live(
    input: &PlanInput<'_>,
    period: &Period,
    looked: &[Option<Timestamp>],
    fixed: &[Call],
    budget: u64,
    low_credits: bool,
) -> Live {
    let lines: Vec<Line<'_>> = input
        .sports
        .iter()
        .enumerate()
        .map(|(i, slate)| Line::of(input, slate, period, looked.get(i).copied().flatten(), fixed, low_credits))
        .collect();
    let demand = lines.iter().any(|l| !l.segments.is_empty());
    let walk = |stretch: f64, lean: bool| -> Vec<Call> { lines.iter().flat_map(|l| l.walk(stretch, lean)).collect() };
    let full = walk(1.0, false);
    if cost(&full) <= budget {
        return Live { calls: full, demand, stretch: 1.0, lean: false };
    }
    let lean = input.prices.lean < input.prices.full;
    let mut calls = walk(1.0, lean);
    let mut stretch = 1.0;
    // Cost falls as one over the stretch, but for looks at the edges of bands: a few steps come near enough.
    for _ in 0..24 {
        let wanted = cost(&calls);
        if wanted <= budget || budget == 0 {
            break;
        }
        // Beyond this a look a day is too much; what remains is left out below.
        stretch = (stretch * (wanted as f64 / budget as f64).max(1.02)).min(LONGEST_GAP_MS / 1000.0);
        calls = walk(stretch, lean);
    }
    calls.sort_by_key(|c| c.at);
    let mut left = budget;
    calls.retain(|c| match left.checked_sub(u64::from(c.cost)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let stretch = if calls.is_empty() { f64::INFINITY } else { stretch };
    Live { calls, demand, stretch, lean }
}

/// One sport, ready to be walked along.
struct Line<'a> {
    slate: &'a SportSlate,
    input: &'a PlanInput<'a>,
    segments: Vec<Segment>,
    last: Option<Timestamp>,
    fixed: Vec<Timestamp>,
    from: Timestamp,
    floor_ms: i64,
}

impl<'a> Line<'a> {
    fn of(
        input: &'a PlanInput<'a>,
        slate: &'a SportSlate,
        period: &Period,
        last: Option<Timestamp>,
        fixed: &[Call],
        low_credits: bool,
    ) -> Self {
        let from = slate.paused_until.map_or(period.from, |p| p.max(period.from));
        let segments = segments(&slate.games, &input.rules.bands, from, period.until);
        let fixed = fixed.iter().filter(|c| c.sport == slate.sport).map(|c| c.at).collect();
        let floor_ms = input.rules.active_ms.max(if low_credits { input.rules.low_credit_ms } else { 1 });
        Self { slate, input, segments, last, fixed, from, floor_ms }
    }

    fn interval(&self, band: Band, stretch: f64) -> i64 {
        let wanted = band.interval(&self.input.rules.bands).max(self.floor_ms);
        // Whole seconds: a plan is read by people.
        ((wanted as f64 * stretch / 1000.0).ceil() as i64).saturating_mul(1000)
    }

    fn walk(&self, stretch: f64, lean: bool) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut fixed = self.fixed.iter().copied().peekable();
        let mut last = self.last;
        for segment in &self.segments {
            let every = self.interval(segment.band, stretch).max(1000);
            let mut at = segment.from;
            loop {
                let due = last.map_or(at, |l| l.plus(every)).max(at).max(self.from);
                // A look that comes soon anyway serves as well.
                if let Some(&next) = fixed.peek()
                    && next < segment.until
                    && next < due.plus(every / 2)
                {
                    fixed.next();
                    last = last.max(Some(next));
                    at = at.max(next);
                    continue;
                }
                if due >= segment.until {
                    break;
                }
                calls.push(self.call(due, segment.band, lean));
                last = Some(due);
                at = due;
            }
            while fixed.peek().is_some_and(|next| *next < segment.until) {
                last = last.max(fixed.next());
            }
        }
        calls
    }

    fn call(&self, at: Timestamp, band: Band, lean: bool) -> Call {
        let lean = lean && band == Band::Far;
        let prices = self.input.prices;
        Call {
            at,
            sport: self.slate.sport.clone(),
            wanted: if lean { Wanted::Lean } else { Wanted::Full },
            purpose: Purpose::Live,
            cost: if lean { prices.lean } else { prices.full },
            tier: Tier::of_look(at, self.slate.games.iter().map(|g| g.start)),
        }
    }
}

/// Scores of sports with games under way, as often as `budget` pays for.
pub(super) fn scores(input: &PlanInput<'_>, period: &Period, scored: &[Option<Timestamp>], budget: u64) -> Vec<Call> {
    let every = input.rules.scores_ms;
    if every <= 0 {
        return Vec::new();
    }
    // Scores of a game that is known to be over are known too; one that nobody reported is asked about for hours.
    let ask = |every: i64| -> Vec<Call> {
        let mut calls = Vec::new();
        for (i, slate) in input.sports.iter().enumerate() {
            let last = scored.get(i).copied().flatten();
            let wanted = |g: &Game| g.state != GameState::Over;
            for at in instants(input, slate, period, last, every, wanted) {
                let (sport, cost) = (slate.sport.clone(), input.prices.scores);
                calls.push(Call { at, sport, wanted: Wanted::Scores, purpose: Purpose::Scores, cost, tier: None });
            }
        }
        calls
    };
    within(budget, every, ask)
}

/// Looks at sports with watched games under way, as often as `budget` pays for, where no look is `reserved` anyway.
pub(super) fn in_play(
    input: &PlanInput<'_>,
    period: &Period,
    looked: &[Option<Timestamp>],
    reserved: &[Call],
    budget: u64,
) -> Vec<Call> {
    if input.rules.in_play_daily == 0 || budget == 0 {
        return Vec::new();
    }
    let every = input.rules.in_play_ms.max(1000);
    let rules_every = every;
    let ask = |every: i64| -> Vec<Call> {
        let mut calls = Vec::new();
        for (i, slate) in input.sports.iter().enumerate() {
            let last = looked.get(i).copied().flatten();
            let taken = |at: Timestamp| {
                reserved.iter().any(|c| c.sport == slate.sport && c.at.since(at).abs() < rules_every / 2)
            };
            for at in instants(input, slate, period, last, every, |g| g.watched && g.state != GameState::Over) {
                if taken(at) {
                    continue;
                }
                calls.push(Call {
                    at,
                    sport: slate.sport.clone(),
                    wanted: Wanted::Full,
                    purpose: Purpose::InPlay,
                    cost: input.prices.full,
                    tier: Tier::of_look(at, slate.games.iter().map(|g| g.start)),
                });
            }
        }
        calls
    };
    within(budget, every, ask)
}

/// The most frequent asking that `budget` pays for, not more often than `every`.
fn within(budget: u64, every: i64, ask: impl Fn(i64) -> Vec<Call>) -> Vec<Call> {
    let mut calls = ask(every);
    let mut stretched = every as f64;
    for _ in 0..24 {
        let wanted = cost(&calls);
        if wanted <= budget || budget == 0 {
            break;
        }
        stretched *= (wanted as f64 / budget as f64).max(1.02);
        if stretched > LONGEST_GAP_MS {
            // Once a day: what is too much even then is left out below.
            calls = ask(LONGEST_GAP_MS as i64);
            break;
        }
        calls = ask((stretched / 1000.0).ceil() as i64 * 1000);
    }
    calls.sort_by(|a, b| (a.at, &a.sport).cmp(&(b.at, &b.sport)));
    let mut left = budget;
    calls.retain(|c| match left.checked_sub(u64::from(c.cost)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    calls
}

/// Every so often while a wanted game of the sport is under way.
fn instants(
    input: &PlanInput<'_>,
    slate: &SportSlate,
    period: &Period,
    last: Option<Timestamp>,
    every: i64,
    wanted: impl Fn(&Game) -> bool,
) -> Vec<Timestamp> {
    let from = slate.paused_until.map_or(period.from, |p| p.max(period.from));
    let mut spans: Vec<(Timestamp, Timestamp)> = slate
        .games
        .iter()
        .filter(|g| wanted(g))
        .map(|g| {
            let usual = g.start.plus(USUAL_GAME_MS);
            // One that is still not over is asked about a while longer, but not for ever.
            let end = if usual > input.now { usual } else { input.now.plus(every.saturating_mul(2)) };
            (g.start.max(from), end.min(g.start.plus(LONGEST_GAME_MS)).min(period.until))
        })
        .filter(|(begin, end)| begin < end)
        .collect();
    spans.sort_unstable();
    let (mut all, mut last) = (Vec::new(), last);
    for (begin, end) in spans {
        let mut at = last.map_or(begin, |l| l.plus(every)).max(begin);
        while at < end {
            all.push(at);
            last = Some(at);
            at = at.plus(every);
        }
    }
    all
}

/// When the free listings are read next: often while a sport has nothing to look at, now and then otherwise.
pub(super) fn listings(input: &PlanInput<'_>, until: Timestamp) -> Vec<Call> {
    let mut calls = Vec::new();
    for slate in input.sports {
        let busy = !segments(&slate.games, &input.rules.bands, input.now, input.now.plus(1)).is_empty();
        let every = if busy { input.rules.listing_ms } else { input.rules.idle_ms }.max(1000);
        let from = slate.paused_until.map_or(input.now, |p| p.max(input.now));
        let at = slate.listed_at.map_or(from, |l| l.plus(every).max(from));
        if at < until {
            let sport = slate.sport.clone();
            let (wanted, purpose) = (Wanted::Listing, Purpose::Discovery);
            calls.push(Call { at, sport, wanted, purpose, cost: 0, tier: None });
        }
    }
    calls
}
