//! What the analysis adds to a look: fair prices, consensus, detectors, opportunities. Two engines take the same looks in
//! turn, one with the analysis and one without; only the difference is the analysis.
#![allow(clippy::expect_used)] // a bench that cannot go on stops

#[path = "common/measure.rs"]
mod measure;
#[path = "common/mod.rs"]
mod slate;

use measure::{Times, timed, verdict};
use stratum::engine::changes::Changes;
use stratum::engine::{Engine, EngineSettings};
use stratum::store::{LookMeta, Store};

const ROUNDS: u64 = 21;
/// Looks that a second slate lives through before it is measured.
const HISTORY: u64 = 200;

struct Side {
    engine: Engine,
    store: Store,
    apply: Times,
    commit: Times,
    _folder: tempfile::TempDir,
}

impl Side {
    fn new(on: bool) -> Self {
        let mut settings = EngineSettings::default();
        settings.rules.on = on;
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("stratum.db")).expect("store");
        let (apply, commit) = (Times::default(), Times::default());
        Self { engine: Engine::new(settings), store, apply, commit, _folder: folder }
    }

    fn look(&mut self, body: &[u8], look: u64, measured: bool) -> Changes {
        let batch = slate::batch(body, look);
        self.store.tidy().expect("tidy");
        let (changes, apply) = timed(|| self.engine.apply(&batch));
        let ((), commit) = timed(|| self.store.commit(&changes, &LookMeta::default()).expect("commit"));
        if measured {
            self.apply.push(apply);
            self.commit.push(commit);
        }
        changes
    }
}

struct Outcome {
    quotes: usize,
    points: usize,
    signals: usize,
    opportunities: usize,
    apply_ms: f64,
    commit_ms: f64,
}

fn run(per_mille: u64, history: u64) -> Outcome {
    let (mut with, mut without) = (Side::new(true), Side::new(false));
    for look in 0..=history {
        let body = slate::body(look, per_mille);
        with.look(&body, look, false);
        without.look(&body, look, false);
    }
    let mut last = None;
    for look in history + 1..=history + ROUNDS {
        let body = slate::body(look, per_mille);
        without.look(&body, look, true);
        last = Some(with.look(&body, look, true));
    }
    let changes = last.expect("looks");
    Outcome {
        quotes: changes.quotes.len(),
        points: changes.points.len(),
        signals: changes.signals.len(),
        opportunities: changes.opportunities.len(),
        apply_ms: with.apply.median() - without.apply.median(),
        commit_ms: with.commit.median() - without.commit.median(),
    }
}

fn main() {
    println!("what the analysis adds to a look of {} quotes, medians of {ROUNDS} looks", slate::QUOTES);
    for (name, per_mille, history) in [
        ("nothing changed", 0, 3),
        ("1 % changed", 10, 3),
        ("5 % changed", 50, 3),
        ("25 % changed", 250, 3),
        ("5 % changed, after a long history", 50, HISTORY),
    ] {
        let o = run(per_mille, history);
        println!(
            "  {name}: {} quotes, {} points, {} signals, {} opportunities: apply +{:.2} ms, commit +{:.2} ms",
            o.quotes, o.points, o.signals, o.opportunities, o.apply_ms, o.commit_ms
        );
        if per_mille == 50 {
            verdict("added", o.apply_ms + o.commit_ms, 30.0, "ms");
        }
    }
}
