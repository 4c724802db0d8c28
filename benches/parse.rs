//! Parsing a full slate, beside the fastest typed parsers on the same bytes.
#![allow(clippy::expect_used)] // a bench that cannot go on stops

#[path = "common/mod.rs"]
mod slate;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

fn parse(c: &mut Criterion) {
    let body = slate::body(1, 50);
    let mut group = c.benchmark_group(format!("parse {} quotes, {} bytes", slate::QUOTES, body.len()));
    group.sample_size(40);
    group.bench_function("limit: sonic-rs, typed structs", |b| {
        b.iter(|| sonic_rs::from_slice::<Vec<slate::typed::Event<'_>>>(black_box(&body)).expect("json").len());
    });
    group.bench_function("limit: serde_json, typed structs", |b| {
        b.iter(|| serde_json::from_slice::<Vec<slate::typed::Event<'_>>>(black_box(&body)).expect("json").len());
    });
    group.bench_function("ours: batch", |b| b.iter(|| slate::batch(black_box(&body), 1).outcomes.len()));
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
