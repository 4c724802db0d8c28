//! Soaks a session in the simulated market and prints how memory, descriptors and tables have done.
//!
//! `cargo build --release && cargo run --release --example soak -- [market hours] [speed]`; five hours at 100 times real
//! speed by default. The first half is the warm-up: the store's own cache fills up to its bound in that time.
#![allow(clippy::expect_used, reason = "a tool for developers")]

#[path = "run.rs"]
mod run;

use run::Soak;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: i64| arguments.next().map_or(usual, |a| a.parse().expect("a whole number"));
    let (hours, speed) = (number(5), number(100));
    let soak = Soak {
        speed: u32::try_from(speed).expect("a speed"),
        seconds: hours * 3600,
        warm_up: hours * 3600 / 2,
        keep: 600,
    };
    let home = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    println!("market s  looks  resident kB  descriptors");
    // Beside the folder of examples.
    let program = std::env::current_exe().expect("a path").with_file_name("../stratum");
    let soaked = runtime.block_on(run::run(soak, &program, home.path(), |s| {
        println!("{:>8}  {:>5}  {:>11}  {:>11}", s.at, s.looks, s.resident / 1024, s.descriptors);
    }));
    println!("\ntable                      rows      bound");
    for (name, rows, bound) in &soaked.tables {
        println!("{name:<20}  {rows:>9}  {:>9}", bound.map_or_else(|| "-".to_owned(), |b| b.to_string()));
    }
    let (fewest, most) = soaked.descriptors(soak.warm_up);
    println!("\nfailed calls       {}", soaked.failed);
    println!("descriptors        {fewest} to {most} after the warm-up");
    println!("growth of memory   {:+.2} % after the warm-up", soaked.growth(soak.warm_up) * 100.0);
}
