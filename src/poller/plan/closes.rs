//! Closing looks: the last pregame prices of every game, with as few calls as that takes.
//!
//! One look shows all games of a sport, so games that start together share it. Looks are placed as late as the first
//! of their games allows, which is known to need the fewest.

use std::sync::Arc;

use super::{Call, PlanInput, Wanted};
use crate::feeds::odds_api::breaker::Purpose;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::poller::calendar::Period;
use crate::poller::plan::CloseCover;
use crate::poller::slate::{Game, GameState, SportSlate};
use crate::poller::tier::Tier;

/// A game whose close is out of reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissedClose {
    /// Which game.
    pub event: EventId,
    /// Sport key.
    pub sport: Arc<str>,
    /// Its start.
    pub start: Timestamp,
    /// The user watches it.
    pub watched: bool,
}

/// A look that serves the closes of some games.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Timestamp,
    sport: usize,
    games: u32,
    watched: u32,
}

/// The closing looks of a period that `budget` pays for: for all games as near to the start as an `A` needs if it
/// reaches that far, else as an `B` needs, watched games first.
pub(super) fn reserve(input: &PlanInput<'_>, period: &Period, looked: &[Option<Timestamp>], budget: u64) -> Vec<Call> {
    let price = u64::from(input.prices.full.max(1));
    let affordable = usize::try_from(budget / price).unwrap_or(usize::MAX);
    let window = &input.rules.closes;
    let all = |g: &Game| g.state == GameState::Scheduled;
    let best = looks(input, period, looked, window.best_ms, &[], all);
    let chosen = if best.len() <= affordable {
        best
    } else {
        let good = looks(input, period, looked, window.good_ms, &[], all);
        if good.len() <= affordable {
            good
        } else {
            let watched = looks(input, period, looked, window.good_ms, &[], |g| all(g) && g.watched);
            let mut chosen = best_first(watched, affordable);
            // What is left goes to games that no chosen look serves.
            let rest = looks(input, period, looked, window.good_ms, &chosen, all);
            chosen.extend(best_first(rest, affordable - chosen.len()));
            chosen
        }
    };
    let mut calls: Vec<Call> = chosen.iter().map(|look| call(input, look)).collect();
    calls.sort_by(|a, b| (a.at, &a.sport).cmp(&(b.at, &b.sport)));
    calls
}

fn best_first(mut looks: Vec<Look>, affordable: usize) -> Vec<Look> {
    looks.sort_by_key(|l| (std::cmp::Reverse((l.watched, l.games)), l.at, l.sport));
    looks.truncate(affordable);
    looks
}

fn call(input: &PlanInput<'_>, look: &Look) -> Call {
    let slate = &input.sports[look.sport];
    Call {
        at: look.at,
        sport: slate.sport.clone(),
        wanted: Wanted::Full,
        purpose: Purpose::Closes,
        cost: input.prices.full,
        tier: Tier::of_look(look.at, slate.games.iter().map(|g| g.start)),
    }
}

/// The fewest looks that show each wanted game of the period at most `early` before its start, beyond those that
/// `given` looks show already.
fn looks(
    input: &PlanInput<'_>,
    period: &Period,
    looked: &[Option<Timestamp>],
    early: i64,
    given: &[Look],
    wanted: impl Fn(&Game) -> bool,
) -> Vec<Look> {
    let latest = input.rules.closes.latest_ms;
    let mut all = Vec::new();
    for (sport, slate) in input.sports.iter().enumerate() {
        let usable_from = slate.paused_until.map_or(period.from, |p| p.max(period.from));
        let mut current: Option<Look> = None;
        let mut taken: Vec<Timestamp> = given.iter().filter(|l| l.sport == sport).map(|l| l.at).collect();
        taken.extend(looked.get(sport).copied().flatten());
        for game in slate.games.iter().filter(|g| wanted(g)) {
            // Too late for the best instant is not too late.
            let last_chance = game.start.plus(-latest).max(usable_from);
            if last_chance >= game.start || last_chance >= period.until || last_chance < period.from {
                continue;
            }
            let from = game.start.plus(-early);
            if taken.iter().any(|t| *t >= from && *t < game.start) {
                continue;
            }
            match &mut current {
                Some(look) if look.at >= from && look.at < game.start => {
                    look.games += 1;
                    look.watched += u32::from(game.watched);
                }
                _ => {
                    all.extend(current.take());
                    current = Some(Look { at: last_chance, sport, games: 1, watched: u32::from(game.watched) });
                }
            }
        }
        all.extend(current);
    }
    all
}

/// How the closes of the games that start until `until` are cared for by `calls`, those taken already included.
pub(super) fn cover(input: &PlanInput<'_>, until: Timestamp, calls: &[Call]) -> CloseCover {
    let mut cover = CloseCover::default();
    for slate in input.sports {
        let mut times: Vec<Timestamp> = looks_at(slate, calls).chain(slate.odds_at).collect();
        times.sort_unstable();
        for game in slate.games.iter().filter(|g| g.state == GameState::Scheduled) {
            if game.start <= input.now || game.start > until {
                continue;
            }
            cover.games += 1;
            cover.watched += u32::from(game.watched);
            let newest = times[..times.partition_point(|t| *t < game.start)].last();
            let before = newest.map(|t| game.start.since(*t));
            cover.best += u32::from(before.is_some_and(|b| b <= input.rules.closes.best_ms));
            if before.is_some_and(|b| b <= input.rules.closes.good_ms) {
                cover.good += 1;
                cover.watched_good += u32::from(game.watched);
            } else {
                let (event, start, watched) = (game.event, game.start, game.watched);
                cover.missed.push(MissedClose { event, sport: slate.sport.clone(), start, watched });
            }
        }
    }
    cover.missed.sort_by_key(|m| (m.start, m.event));
    cover
}

fn looks_at<'a>(slate: &'a SportSlate, calls: &'a [Call]) -> impl Iterator<Item = Timestamp> + 'a {
    let full = calls.iter().filter(|c| c.wanted == Wanted::Full && c.sport == slate.sport);
    full.map(|c| c.at)
}
