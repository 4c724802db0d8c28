//! Planning a day: 200 games of five sports, with credits enough, short, and none.
//!
//! Limit: 10 ms a plan.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stratum::market::ids::EventId;
use stratum::market::time::Timestamp;
use stratum::poller::calendar::Month;
use stratum::poller::ledger::{Account, Ledger};
use stratum::poller::plan::{PlanInput, plan};
use stratum::poller::rules::{PlanRules, Prices};
use stratum::poller::slate::{Game, GameState, SportSlate};

fn sports(now: Timestamp) -> Vec<SportSlate> {
    (0..5_u32)
        .map(|s| {
            let mut slate = SportSlate::unknown(&format!("sport_{s}"));
            let game = |n: u32| Game {
                event: EventId(s * 40 + n + 1),
                // From two hours ago over a day, in waves of a few games.
                start: now.plus((i64::from(n / 3) * 115 - 120) * 60_000),
                state: if n < 3 { GameState::Live } else { GameState::Scheduled },
                watched: n.is_multiple_of(4),
            };
            slate.set_games((0..40).map(game).collect());
            slate.listed_at = Some(now);
            slate
        })
        .collect()
}

fn benches(c: &mut Criterion) {
    let now = Timestamp::from_secs(1_795_280_000);
    let sports = sports(now);
    let mut group = c.benchmark_group("plan of 200 games");
    for (name, remaining, daily_target) in
        [("enough", 5_000_000, 0), ("short", 20_000, 1_200), ("hardly any", 150, 1_200)]
    {
        let account = Account {
            remaining: Some(remaining),
            used: Some(0),
            limit: Some(remaining),
            told_at: Some(now),
            elsewhere: 0,
        };
        let ledger = Ledger::restored(Month::of(now), account, []);
        let rules = PlanRules { daily_target, in_play_daily: 200, ..PlanRules::default() };
        group.bench_function(name, |b| {
            b.iter(|| {
                let input = PlanInput {
                    now,
                    sports: black_box(&sports),
                    ledger: &ledger,
                    prices: Prices::of(3, 1),
                    rules: &rules,
                };
                plan(&input)
            });
        });
    }
    group.finish();
}

criterion_group!(plans, benches);
criterion_main!(plans);
