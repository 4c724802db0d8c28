//! Laws of a plan, whatever the slate, the account and the rules.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::market::ids::EventId;
use crate::poller::calendar::{Day, Month};
use crate::poller::ledger::{Account, Bill};
use crate::poller::slate::{Game, GameState};

const MINUTE: i64 = 60_000;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("time")
}

fn now() -> Timestamp {
    at("2026-11-21T17:00:00Z")
}

fn slate(sport: &str, starts: &[i64]) -> SportSlate {
    let mut slate = SportSlate::unknown(sport);
    let game = |(n, minutes): (u32, &i64)| {
        let start = now().plus(minutes * MINUTE);
        let state = if *minutes < 0 { GameState::Live } else { GameState::Scheduled };
        Game { event: EventId(n), start, state, watched: n % 2 == 0 }
    };
    slate.set_games((1_u32..).zip(starts).map(game).collect());
    slate.listed_at = Some(now());
    slate
}

fn ledger(remaining: u64) -> Ledger {
    let limit = 20_000.max(remaining);
    let account = Account {
        remaining: Some(remaining),
        used: Some(limit - remaining),
        limit: Some(limit),
        told_at: Some(now()),
        elsewhere: 0,
    };
    Ledger::restored(Month::of(now()), account, [])
}

fn made(sports: &[SportSlate], ledger: &Ledger, rules: &PlanRules) -> Plan {
    plan(&PlanInput { now: now(), sports, ledger, prices: Prices::of(3, 1), rules })
}

fn minutes(calls: &[Call], purpose: Purpose) -> Vec<i64> {
    calls.iter().filter(|c| c.purpose == purpose).map(|c| c.at.since(now()) / MINUTE).collect()
}

#[test]
fn with_credits_enough_the_cadence_is_the_one_asked_for() {
    let rules = PlanRules { daily_target: 0, ..PlanRules::default() };
    let plan = made(&[slate("nba", &[240])], &ledger(5_000_000), &rules);
    assert_eq!((plan.stretch, plan.lean, plan.runs_out), (1.0, false, None));
    let live = minutes(&plan.calls, Purpose::Live);
    assert_eq!(live[..4], [0, 15, 30, 45]);
    assert!(live.contains(&65) && live.contains(&70) && live.contains(&182) && live.contains(&183));
    // The close is a look like any other: nothing is asked twice.
    assert_eq!(minutes(&plan.calls, Purpose::Closes), [239]);
    assert!(!live.contains(&239) && live.contains(&240) && !live.contains(&256));
    assert_eq!((plan.closes.games, plan.closes.best, plan.closes.missed.len()), (1, 1, 0));
    // 4 in the far band, 24 in the middle, 75 in the near one.
    assert_eq!(live.len() + 1, 4 + 24 + 75);
}

#[test]
fn nothing_is_asked_when_nothing_is_on() {
    let plan = made(&[slate("nba", &[])], &ledger(5_000), &PlanRules::default());
    assert_eq!(plan.cost(), 0);
    let listing: Vec<&Call> = plan.calls.iter().filter(|c| c.wanted == Wanted::Listing).collect();
    assert_eq!((listing.len(), listing[0].at.since(now())), (1, 5 * MINUTE));
    let unknown = SportSlate::unknown("nba");
    assert_eq!(made(&[unknown], &ledger(5_000), &PlanRules::default()).calls[0].at, now());
}

#[test]
fn games_that_start_together_share_a_closing_look() {
    let plan = made(&[slate("nba", &[120, 120, 122, 150])], &ledger(600), &PlanRules::default());
    assert_eq!(minutes(&plan.calls, Purpose::Closes), [119, 149]);
    assert_eq!((plan.closes.games, plan.closes.best), (4, 4));
}

#[test]
fn short_of_credits_a_look_serves_more_games_and_watched_ones_come_first() {
    // Ten days are left: six credits are two looks.
    let starts = [60, 68, 200, 300];
    let plan = made(&[slate("nba", &starts)], &ledger(60), &PlanRules::default());
    assert_eq!(plan.allowances[0].day, 6);
    // Games 2 (68) and 4 (300) are watched; the look for game 1 serves game 2 too.
    assert_eq!(minutes(&plan.calls, Purpose::Closes), [67, 299]);
    assert_eq!((plan.closes.watched_good, plan.closes.watched), (2, 2));
    let missed: Vec<u32> = plan.closes.missed.iter().map(|m| m.event.0).collect();
    assert_eq!(missed, [1, 3]);
    assert!(plan.stretch.is_infinite() && plan.low_credits);
}

#[test]
fn a_short_budget_stretches_all_sports_alike_and_asks_for_less_far_out() {
    let sports = [slate("nba", &[600]), slate("nhl", &[600])];
    let plan = made(&sports, &ledger(3_000), &PlanRules::default());
    assert!(plan.lean && plan.stretch > 1.0, "{plan:?}");
    let of = |sport: &str| plan.calls.iter().filter(|c| *c.sport == *sport && c.cost > 0).count();
    assert!(of("nba").abs_diff(of("nhl")) <= 1);
    assert!(plan.calls.iter().any(|c| c.wanted == Wanted::Lean && c.cost == 1));
    let near = |c: &&Call| c.wanted == Wanted::Lean && c.at > now().plus((600 - 180) * MINUTE);
    assert_eq!(plan.calls.iter().find(near), None);
}

#[test]
fn few_credits_are_told_and_looks_are_rare() {
    let rules = PlanRules { daily_target: 0, ..PlanRules::default() };
    let late = at("2026-11-30T12:00:00Z");
    let mut sport = SportSlate::unknown("nba");
    sport.set_games(vec![Game {
        event: EventId(1),
        start: late.plus(60 * MINUTE),
        state: GameState::Scheduled,
        watched: false,
    }]);
    let account =
        Account { remaining: Some(200), used: Some(300), limit: Some(500), told_at: Some(late), elsewhere: 0 };
    let ledger = Ledger::restored(Month::of(late), account, []);
    let input = PlanInput { now: late, sports: &[sport], ledger: &ledger, prices: Prices::of(3, 1), rules: &rules };
    let plan = plan(&input);
    assert!(plan.low_credits);
    let looks: Vec<Timestamp> = plan.calls.iter().filter(|c| c.wanted == Wanted::Full).map(|c| c.at).collect();
    assert!(looks.windows(2).all(|w| w[1].since(w[0]) >= 7 * MINUTE), "{looks:?}");
    assert!(minutes_of(&looks, late).contains(&59), "the close is taken all the same");
}

fn minutes_of(looks: &[Timestamp], from: Timestamp) -> Vec<i64> {
    looks.iter().map(|t| t.since(from) / MINUTE).collect()
}

#[test]
fn the_verdict_says_what_the_cadence_cannot_judge() {
    let needs = [("steam", 3), ("move", 10)]
        .map(|(name, m)| DetectorNeed { name: name.to_owned(), longest_gap_ms: m * MINUTE });
    let sports = [slate("nba", &[400])];
    let (ledger, rules) = (ledger(5_000_000), PlanRules { daily_target: 0, ..PlanRules::default() });
    let input = PlanInput { now: now(), sports: &sports, ledger: &ledger, prices: Prices::of(3, 1), rules: &rules };
    let verdicts = plan(&input).verdicts(&input, &needs);
    let told: Vec<(&str, Option<i64>, usize)> = verdicts[0]
        .bands
        .iter()
        .map(|b| (b.band.name(), b.every_ms.map(|e| e / MINUTE), b.not_evaluable.len()))
        .collect();
    assert_eq!(told, [("far", Some(15), 2), ("middle", Some(5), 1), ("near", Some(1), 0)]);
}

#[test]
fn when_others_spend_on_the_key_the_end_is_told() {
    let account = Account {
        remaining: Some(1_000),
        used: Some(19_000),
        limit: Some(20_000),
        told_at: Some(now()),
        elsewhere: 15_000,
    };
    let ledger = Ledger::restored(Month::of(now()), account, []);
    let plan = made(&[slate("nba", &[400])], &ledger, &PlanRules::default());
    let end = plan.runs_out.expect("runs out");
    assert!(end.since(now()) < 2 * DAY_MS);
}

/// Any few sports with any games.
fn any_sports() -> impl Strategy<Value = Vec<SportSlate>> {
    let starts = proptest::collection::vec(-300_i64..2_000, 0..30);
    proptest::collection::vec((starts, proptest::option::of(0_i64..60)), 1..5).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(i, (starts, ago))| {
                let mut sport = slate(&format!("sport_{i}"), &starts);
                sport.odds_at = ago.map(|m| now().plus(-m * MINUTE));
                sport
            })
            .collect()
    })
}

fn any_rules() -> impl Strategy<Value = PlanRules> {
    (0_u64..3_000, 0_u64..300, 0_u64..100, prop_oneof![Just(0), Just(15 * MINUTE)]).prop_map(
        |(daily_target, in_play_daily, backfill_daily, scores_ms)| PlanRules {
            daily_target,
            in_play_daily,
            backfill_daily,
            scores_ms,
            ..PlanRules::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No stretch of time is planned to cost more than it may.
    #[test]
    fn no_plan_exceeds_its_budget(
        sports in any_sports(),
        rules in any_rules(),
        remaining in 0_u64..30_000,
        spent in 0_u64..500,
    ) {
        let mut ledger = ledger(remaining);
        let bill = Bill { at: now(), purpose: Purpose::Live, planned: spent, cost: Some(spent) };
        ledger.enter(&bill, crate::feeds::odds_api::quota::Quota::default());
        let plan = made(&sports, &ledger, &rules);
        let left = ledger.remaining().expect("known");
        prop_assert!(plan.cost() <= left, "{} of {left}", plan.cost());
        for allowance in &plan.allowances {
            let of_period = |c: &&Call| c.at >= allowance.from && c.at < allowance.until;
            let planned: u64 = plan.calls.iter().filter(of_period).map(|c| u64::from(c.cost)).sum();
            prop_assert!(planned + allowance.spent <= allowance.day.max(allowance.spent), "{planned} {allowance:?}");
            if rules.daily_target > 0 {
                prop_assert!(planned <= rules.daily_target);
            }
        }
    }

    /// Calls are in order, within the plan, and none is planned for a moment that has passed.
    #[test]
    fn calls_are_in_order_and_within_the_plan(sports in any_sports(), rules in any_rules(), remaining in 0_u64..30_000) {
        let plan = made(&sports, &ledger(remaining), &rules);
        prop_assert!(plan.calls.windows(2).all(|w| w[0].at <= w[1].at));
        prop_assert!(plan.calls.iter().all(|c| c.at >= now() && c.at < plan.until));
        let mut per_sport: std::collections::BTreeMap<Arc<str>, Vec<Timestamp>> = Default::default();
        for call in plan.calls.iter().filter(|c| matches!(c.wanted, Wanted::Full | Wanted::Lean)) {
            per_sport.entry(call.sport.clone()).or_default().push(call.at);
        }
        for looks in per_sport.values() {
            prop_assert!(looks.windows(2).all(|w| w[0] < w[1]), "a sport is not asked twice at once: {looks:?}");
        }
    }

    /// With credits for all closes every game has one, and planning again at any later moment never gives one up.
    #[test]
    fn every_close_is_taken_when_the_credits_exist(sports in any_sports()) {
        let rules = PlanRules { daily_target: 0, ..PlanRules::default() };
        let plan = made(&sports, &ledger(2_000_000), &rules);
        prop_assert_eq!(plan.closes.missed.len(), 0, "{:?}", plan.closes.missed);
        prop_assert_eq!(plan.closes.good, plan.closes.games);
    }
}

#[test]
fn days_of_a_week_share_what_is_left() {
    let plan = made(&[slate("nba", &[400, 1_300])], &ledger(2_000), &PlanRules::default());
    // Ten days, this one included: 21 to 30 November.
    assert_eq!(plan.allowances[0].day, 200);
    assert_eq!(Day::of(plan.allowances[1].from), Day(Day::of(now()).0 + 1));
}
