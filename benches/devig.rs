//! Removing the vig, on the price sets that the Python packages are timed with (`devig_packages.py`).
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use stratum::market::devig::{DEFAULT_MAX_SUM, Method, devig_into};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    prices: Vec<f64>,
}

/// The price sets of `N` sides with a margin that a main line may have. `devig_packages.py` chooses the same.
fn markets<const N: usize>() -> Vec<[f64; N]> {
    let text = include_str!("../tests/fixtures/devig/cases.json");
    let fixture: Fixture = serde_json::from_str(text).expect("fixture");
    let has_margin = |prices: &[f64; N]| {
        let sum: f64 = prices.iter().map(|d| 1.0 / d).sum();
        sum > 1.0 + 1e-9 && sum <= DEFAULT_MAX_SUM
    };
    fixture.cases.into_iter().filter_map(|c| c.prices.try_into().ok()).filter(has_margin).collect()
}

fn sides<const N: usize>(c: &mut Criterion) {
    let markets = markets::<N>();
    let mut group = c.benchmark_group(format!("devig {N} sides"));
    group.throughput(Throughput::Elements(markets.len() as u64));
    for method in [Method::Shin, Method::Power] {
        group.bench_function(method.name(), |b| {
            b.iter(|| {
                let mut out = [0.0; N];
                for prices in black_box(&markets) {
                    let raw = prices.map(|d| 1.0 / d);
                    devig_into(&raw, method, DEFAULT_MAX_SUM, &mut out).expect("a market");
                    black_box(&out);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sides::<2>, sides::<3>);
criterion_main!(benches);
