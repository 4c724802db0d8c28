//! A week of a season in virtual time: the planner asks, a provider of paper answers and bills.

use std::collections::BTreeMap;

use super::Wanted;
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::quota::Quota;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::poller::calendar::{DAY_MS, Day, Month};
use crate::poller::ledger::{Account, Bill, Ledger};
use crate::poller::planner::Planner;
use crate::poller::rules::{PlanRules, Prices};
use crate::poller::slate::{Game, GameState};

const MINUTE: i64 = 60_000;
const SPORTS: [&str; 3] = ["americanfootball_nfl", "basketball_nba", "icehockey_nhl"];

fn monday() -> Timestamp {
    Timestamp::parse("2026-11-16T10:00:00Z").expect("time")
}

/// Three American sports, starts as they usually are (UTC).
fn week() -> Vec<(usize, Timestamp)> {
    let at = |day: i64, hour: i64, minute: i64| monday().plus(((day * 24 + hour - 10) * 60 + minute) * MINUTE);
    let mut starts = vec![(0, at(0, 25, 15)), (0, at(3, 25, 15))];
    for (hour, minute, games) in [(14, 30, 1), (18, 0, 8), (21, 5, 2), (21, 25, 2), (25, 20, 1)] {
        starts.extend(std::iter::repeat_n((0, at(6, hour, minute)), games));
    }
    for day in 0..7 {
        for (hour, minute, games) in [(24, 0, 2), (24, 30, 2), (25, 0, 2), (26, 30, 1), (27, 0, 1)] {
            starts.extend(std::iter::repeat_n((1, at(day, hour, minute)), games));
        }
        for (hour, minute, games) in [(24, 7, 4), (25, 7, 1), (27, 7, 2), (27, 37, 1)] {
            starts.extend(std::iter::repeat_n((2, at(day, hour, minute)), games));
        }
    }
    starts
}

struct Report {
    spent: u64,
    worst_day: i64,
    good: usize,
    best: usize,
    watched: usize,
    watched_good: usize,
    games: usize,
    by_purpose: BTreeMap<&'static str, u64>,
}

fn run(monthly: u64, rules: PlanRules, days: i64) -> Report {
    let end = monday().plus(days * DAY_MS);
    let starts: Vec<(usize, Timestamp)> = week().into_iter().filter(|(_, start)| *start < end).collect();
    let games: Vec<(usize, Game)> = (1_u32..)
        .zip(&starts)
        .map(|(n, (sport, start))| {
            let watched = n % 3 == 0;
            (*sport, Game { event: EventId(n), start: *start, state: GameState::Scheduled, watched })
        })
        .collect();
    let names: Vec<String> = SPORTS.iter().map(|s| (*s).to_owned()).collect();
    // A week in the middle of a month that was spent evenly so far.
    let used = monthly / 2;
    let account =
        Account { remaining: Some(monthly - used), used: Some(used), limit: Some(monthly), ..Account::default() };
    let ledger = Ledger::restored(Month::of(monday()), account, []);
    let mut planner = Planner::new(&names, Prices::of(3, 1), rules, ledger);
    planner.watch(games.iter().filter(|(_, g)| g.watched).map(|(_, g)| g.event).collect());
    let mut now = monday();
    let (mut remaining, mut used) = (monthly - used, used);
    let mut report = Report {
        spent: 0,
        worst_day: i64::MIN,
        good: 0,
        best: 0,
        watched: games.iter().filter(|(_, g)| g.watched).count(),
        watched_good: 0,
        games: games.len(),
        by_purpose: BTreeMap::new(),
    };
    let mut newest: BTreeMap<EventId, Timestamp> = BTreeMap::new();
    let mut by_day: BTreeMap<Day, (u64, u64)> = BTreeMap::new();
    while now < end {
        let Some(call) = planner.due(now) else {
            now = planner.next(now).map_or(end, |next| next.max(now.plus(1)));
            continue;
        };
        let allowed = planner.plan(now).allowances.first().map_or(0, |a| a.day);
        planner.asked(&call, now);
        let sport = SPORTS.iter().position(|s| **s == *call.sport).expect("sport");
        // An answer takes a second; games begin a few minutes late and last two and a half hours.
        now = now.plus(1000);
        let cost = if call.wanted == Wanted::Listing { 0 } else { u64::from(call.cost) };
        assert!(cost <= remaining, "the account is overdrawn");
        (remaining, used) = (remaining - cost, used + cost);
        report.spent += cost;
        *report.by_purpose.entry(call.purpose.name()).or_default() += cost;
        let day = by_day.entry(Day::of(now)).or_default();
        *day = (day.0 + cost, allowed.max(day.1));
        let told = Quota { remaining: Some(remaining), used: Some(used), last: Some(cost) };
        planner.billed(&Bill { at: now, purpose: call.purpose, planned: u64::from(call.cost), cost: Some(cost) }, told);
        planner.answered(&call);
        let states = games.iter().filter(|(s, g)| *s == sport && g.start < now.plus(8 * DAY_MS)).map(|(_, g)| {
            let state = match now.since(g.start) {
                ..0 => GameState::Scheduled,
                since if since > 150 * MINUTE => GameState::Over,
                _ => GameState::Live,
            };
            Game { state, ..*g }
        });
        planner.set_games(&call.sport, states.collect());
        if call.wanted == Wanted::Full {
            for (_, game) in games.iter().filter(|(s, g)| *s == sport && g.start > now) {
                newest.insert(game.event, now);
            }
        }
    }
    for (spent, allowed) in by_day.values() {
        report.worst_day = report.worst_day.max(*spent as i64 - *allowed as i64);
    }
    for (_, game) in &games {
        let before = newest.get(&game.event).map_or(i64::MAX, |t| game.start.since(*t));
        report.best += usize::from(before <= 5 * MINUTE);
        report.good += usize::from(before <= 15 * MINUTE);
        report.watched_good += usize::from(before <= 15 * MINUTE && game.watched);
    }
    report
}

fn told(name: &str, r: &Report) {
    println!(
        "{name}: {} credits, {} of {} games with an A, {} with an A or B, watched {} of {}; {:?}; worst day {}",
        r.spent, r.best, r.games, r.good, r.watched_good, r.watched, r.by_purpose, r.worst_day
    );
}

#[test]
fn a_week_on_500_credits_a_month() {
    let r = run(500, PlanRules::default(), 7);
    told("500", &r);
    assert!(r.spent <= 250 && r.worst_day <= 3, "{} {}", r.spent, r.worst_day);
    // Two or three calls a day for games of three sports: watched games come first.
    assert!(r.watched_good * r.games > r.good * r.watched, "watched games come first");
}

#[test]
fn a_week_on_20_000_credits_a_month() {
    let r = run(20_000, PlanRules::default(), 7);
    told("20,000", &r);
    assert!(r.worst_day <= 3, "{}", r.worst_day);
    assert!(r.watched_good * 100 >= r.watched * 95);
    assert!(r.best * 100 >= r.games * 95);
    // What there is is used: the cadence gets most of it.
    assert!(r.by_purpose["live"] > r.spent / 2);
}

#[test]
fn a_week_on_100_000_credits_a_month() {
    let capped = run(100_000, PlanRules::default(), 7);
    told("100,000, daily target 1,200", &capped);
    assert!(capped.spent <= 7 * 1_203 && capped.worst_day <= 3);
    let free = run(100_000, PlanRules { daily_target: 0, ..PlanRules::default() }, 2);
    told("100,000, no daily target", &free);
    assert_eq!((free.best, free.good), (free.games, free.games));
    assert!(free.spent > 2 * 1_203 && free.worst_day <= 3);
}

#[test]
fn games_under_way_live_on_their_own_budget() {
    let rules = PlanRules { in_play_daily: 200, ..PlanRules::default() };
    let r = run(20_000, rules, 3);
    told("20,000, in play 200 a day", &r);
    assert!(r.by_purpose["in_play"] > 200 && r.by_purpose["in_play"] <= 3 * 200);
    assert!(r.watched_good * 100 >= r.watched * 95 && r.worst_day <= 3);
    assert!(!run(500, PlanRules::default(), 1).by_purpose.contains_key(Purpose::InPlay.name()));
}
