//! Five hours of market time at a hundred times its speed: memory, descriptors and tables do not grow. The first half is
//! the warm-up: the store's own cache fills up to its bound in that time.
//!
//! Takes three minutes, so it is left out unless asked for: `cargo test --test soak -- --ignored`.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

#[path = "../examples/soak/run.rs"]
mod run;

use run::Soak;

#[test]
#[ignore = "takes three minutes"]
fn five_hours_leave_nothing_behind() {
    let soak = Soak { speed: 100, seconds: 18_000, warm_up: 9_000, keep: 600 };
    let home = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let soaked = runtime.block_on(run::run(soak, Path::new(env!("CARGO_BIN_EXE_stratum")), home.path(), |_| {}));
    let looks = soaked.samples.last().expect("samples").looks;
    assert!(looks > 100 && soaked.failed == 0, "{looks} looks, {} failed", soaked.failed);
    let (fewest, most) = soaked.descriptors(soak.warm_up);
    assert!(most <= fewest + 2, "{fewest} to {most} descriptors");
    for (name, rows, bound) in &soaked.tables {
        assert!(bound.is_none_or(|bound| *rows <= bound), "{name} has {rows} rows");
    }
    let growth = soaked.growth(soak.warm_up);
    assert!(growth < 0.02, "memory grew by {:.2} %", growth * 100.0);
}
