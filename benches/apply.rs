//! The engine alone: what judging a slate costs when all of it, 5 % of it and nothing of it changed.
#![allow(clippy::expect_used)] // a bench that cannot go on stops

#[path = "common/measure.rs"]
mod measure;
#[path = "common/mod.rs"]
mod slate;

use measure::{Times, timed};
use stratum::engine::{Engine, EngineSettings};

const ROUNDS: u64 = 25;

fn main() {
    println!("engine.apply of {} quotes, median of {ROUNDS} looks", slate::QUOTES);
    for (name, per_mille) in [("every quote changed", 1000), ("5 % changed", 50), ("nothing changed", 0)] {
        let mut engine = Engine::new(EngineSettings::default());
        let first = slate::body(0, per_mille);
        let (rows, first_time) = timed(|| engine.apply(&slate::batch(&first, 0)).quotes.len());
        let (mut times, mut changed) = (Times::default(), Vec::new());
        for look in 1..=ROUNDS {
            let body = slate::body(look, per_mille);
            let batch = slate::batch(&body, look);
            let (changes, time) = timed(|| engine.apply(&batch));
            times.push(time);
            changed.push(changes.quotes.len());
        }
        changed.sort_unstable();
        println!(
            "  {name:<22} {:7.2} ms (worst {:.2}), {} rows; the first look, {rows} rows with its parsing {:.1} ms",
            times.median(),
            times.worst(),
            changed[changed.len() / 2],
            first_time.as_secs_f64() * 1e3
        );
    }
}
