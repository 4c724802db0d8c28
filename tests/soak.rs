//! An hour of market time at a hundred times its speed, after a warm-up: memory, descriptors and tables do not grow.
//!
//! The warm-up is nearly three hours of the same market at twice that speed. In that time everything that has a
//! bound reaches it: the cache of pages of the store (six megabytes, full after some ninety minutes of market time), the
//! rows that age alone limits, and what the allocator keeps. Memory is the program's own, so that the text of an
//! unoptimised program does not make growth look small.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

#[path = "../examples/soak/run.rs"]
mod run;

use run::Soak;

#[test]
fn an_hour_leaves_nothing_behind() {
    let soak = Soak { speed: 100, warm_speed: 200, warm_up: 10_000, warm_looks: 700, seconds: 3_600, keep: 600 };
    let home = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let soaked = runtime.block_on(run::run(soak, Path::new(env!("CARGO_BIN_EXE_stratum")), home.path(), |_| {}));
    let warm = soaked.samples.iter().find(|s| s.at >= soaked.warm).expect("warm").looks;
    let looks = soaked.samples.last().expect("samples").looks - warm;
    println!("{looks} looks in an hour after {warm} of the warm-up, {} failed", soaked.failed);
    // Four sports a minute; a busy machine may leave out some, and takes longer to get warm.
    assert!(
        looks > 150 && warm >= soak.warm_looks && soaked.failed == 0,
        "{warm} and {looks} looks, {} failed",
        soaked.failed
    );
    let (fewest, most) = soaked.descriptors();
    println!("{fewest} to {most} descriptors");
    assert!(fewest > 0 && most <= fewest + 2, "{fewest} to {most} descriptors");
    for (name, rows, bound) in &soaked.tables {
        println!("{name}: {rows} of {} rows ({})", bound.rows, bound.why);
        assert!(*rows <= bound.rows, "{name} has {rows} rows; {} limits it to {}", bound.why, bound.rows);
        assert_eq!(bound.overdue, 0, "rows of {name} should have gone");
    }
    let told = |table: &str| soaked.tables.iter().any(|(name, rows, _)| name == table && *rows > 0);
    assert!(told("outbox") && told("delivery_log") && told("close") && told("raw_answer"), "{:?}", soaked.tables);
    let growth = soaked.growth();
    println!("memory {:+.2} %", growth * 100.0);
    assert!(growth < 0.02, "memory grew by {:.2} %", growth * 100.0);
}
