//! From a key press to the frame that shows it, and what an idle board costs, through a real pseudo-terminal:
//! `cargo run --release --example latency`. Linux only.
//!
//! Runs the demo of 72,000 quotes in the `stratum` of the same profile, presses keys at odd moments while looks come in,
//! and waits until the screen shows what each key asks for.
#![allow(clippy::expect_used, reason = "a measurement that cannot be set up has nothing to say")]

#[path = "../tests/common/pty.rs"]
mod pty;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pty::Pty;

const FORMATS: [&str; 4] = ["American", "Decimal", "Fractional", "Implied %"];
const PRESSES: usize = 400;

fn main() {
    let me = std::env::current_exe().expect("path");
    let program = me.parent().and_then(|p| p.parent()).expect("target").join("stratum");
    let program = program.to_str().expect("text");
    let home = tempfile::tempdir().expect("folder");
    let began = Instant::now();
    let mut board = Pty::start(program, &["demo", "--scenario", "load"], home.path(), (200, 60));
    board.sees("DEMO");
    println!("first frame after {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    board.sees("400");
    println!("400 games on the screen after {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    std::thread::sleep(Duration::from_secs(8));
    let mut took = Vec::with_capacity(PRESSES);
    for n in 0..PRESSES {
        let next = FORMATS[(n + 1) % FORMATS.len()];
        let pressed = Instant::now();
        board.send("o");
        while !board.text().lines().nth(1).is_some_and(|tabs| tabs.contains(next)) {
            assert!(pressed.elapsed() < Duration::from_secs(5), "no frame");
            std::thread::sleep(Duration::from_micros(200));
        }
        took.push(pressed.elapsed().as_secs_f64() * 1000.0);
        std::thread::sleep(Duration::from_millis(23 + (n as u64 * 7) % 31));
    }
    took.sort_by(f64::total_cmp);
    println!(
        "key press to frame: {:.1} ms at the median, {:.1} ms at the 99th percentile (limit 16), {:.1} at the most",
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1]
    );
    println!("resident: {:.1} MiB (limit 64)", resident(board.pid()));
    let (cpu, wakes, bytes) = idle(&board, Duration::from_secs(10));
    println!("while looks come in: {cpu:.2} % of a core, {wakes:.1} wake-ups and {bytes:.0} bytes a second");
    board.send("q");
    board.exit(Duration::from_secs(20));

    // An idle board: nothing feeds the store.
    let data = home.path().join("data");
    let seeded = std::process::Command::new(program)
        .args(["--data-dir", data.to_str().expect("text"), "demo", "--headless", "--scenario", "load", "--for", "8s"])
        .env("HOME", home.path())
        .output()
        .expect("a store");
    assert!(seeded.status.success());
    let args = ["--data-dir", data.to_str().expect("text")];
    let began = Instant::now();
    let mut board = Pty::start(program, &args, home.path(), (200, 60));
    board.sees("stratum");
    println!("over a stored slate: first frame after {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    board.sees("400");
    println!("with its games after {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    // Ages are told in seconds for the first hundred of them.
    std::thread::sleep(Duration::from_secs(110));
    let (cpu, wakes, bytes) = idle(&board, Duration::from_secs(60));
    println!(
        "idle: {cpu:.3} % of a core (limit 0.2), {wakes:.1} wake-ups a second (limit 2), {bytes:.0} bytes a second"
    );
    println!("resident: {:.1} MiB", resident(board.pid()));
    board.send("q");
    board.exit(Duration::from_secs(20));
}

fn resident(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

/// Ticks of processor time of the process, with threads that have ended, and the voluntary switches of each thread.
fn used(pid: i32) -> (f64, BTreeMap<String, f64>) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let of = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let ticks = of(11) + of(12);
    let mut switches = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("voluntary_ctxt")).unwrap_or_default();
        let n = line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
        switches.insert(task.file_name().to_string_lossy().into_owned(), n);
    }
    (ticks, switches)
}

/// Percent of a core, wake-ups and bytes a second over some time.
fn idle(board: &Pty, time: Duration) -> (f64, f64, f64) {
    let (ticks, switches) = used(board.pid());
    let bytes = board.raw().len();
    std::thread::sleep(time);
    let (more_ticks, more_switches) = used(board.pid());
    let seconds = time.as_secs_f64();
    // The kernel counts processor time in hundredths of a second.
    let cpu = (more_ticks - ticks) / seconds;
    // A thread that came or went meanwhile is not counted.
    let wakes: f64 = more_switches.iter().filter_map(|(task, n)| Some(n - switches.get(task)?)).sum();
    (cpu, wakes / seconds, (board.raw().len() - bytes) as f64 / seconds)
}
