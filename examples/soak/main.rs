//! Soaks a session in the simulated market and prints how memory, descriptors and tables have done.
//!
//! `cargo build --release && cargo run --release --example soak -- [market hours] [speed]`; an hour at 100 times real
//! speed by default, after nearly three hours of warm-up at twice that: the store's own cache fills up to its
//! bound in that time.
#![allow(clippy::expect_used, reason = "a tool for developers")]

#[path = "run.rs"]
mod run;

use run::Soak;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: i64| arguments.next().map_or(usual, |a| a.parse().expect("a whole number"));
    let (hours, speed) = (number(1), number(100));
    let speed = u32::try_from(speed).expect("a speed");
    let soak = Soak {
        speed,
        warm_speed: speed.saturating_mul(2),
        warm_up: 10_000,
        warm_looks: 700,
        seconds: hours * 3600,
        keep: 600,
    };
    let home = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    println!("market s  looks       own kB  descriptors");
    // Beside the folder of examples.
    let program = std::env::current_exe().expect("a path").with_file_name("../stratum");
    let soaked = runtime.block_on(run::run(soak, &program, home.path(), |s| {
        println!("{:>8}  {:>5}  {:>11}  {:>11}", s.at, s.looks, s.own / 1024, s.descriptors);
    }));
    println!("\ntable                      rows      bound    overdue");
    for (name, rows, bound) in &soaked.tables {
        println!("{name:<20}  {rows:>9}  {:>9}  {:>9}  {}", bound.rows, bound.overdue, bound.why);
    }
    let (fewest, most) = soaked.descriptors();
    println!("\nfailed calls       {}", soaked.failed);
    println!("descriptors        {fewest} to {most} after the warm-up");
    println!("growth of memory   {:+.2} % after the warm-up", soaked.growth() * 100.0);
}
