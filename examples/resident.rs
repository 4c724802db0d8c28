//! What a process that holds a full slate takes of memory: `cargo run --release --example resident`.
//!
//! Loads the slate of the benches twenty times through parse, apply and commit, 5 % of the markets moving each time, as
//! the daemon does, and reads the process's own figures from `/proc` (so Linux only).
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

#[path = "../benches/common/mod.rs"]
mod slate;

use stratum::engine::{Engine, EngineSettings};
use stratum::store::{LookMeta, Store};

const LIMIT_MIB: f64 = 48.0;

fn status(field: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

fn main() {
    let mut told = std::env::args().skip(1);
    let folder = tempfile::tempdir().expect("folder");
    // The bodies come from a file, as from a socket, and are let go of after their look.
    if told.next().is_none() {
        for look in 0..20 {
            std::fs::write(folder.path().join(format!("{look}")), slate::body(look, 50)).expect("write");
        }
        // A fresh process, so that making the bodies leaves no mark.
        let me = std::env::current_exe().expect("path");
        let done = std::process::Command::new(me).arg(folder.path()).status().expect("run");
        std::process::exit(done.code().unwrap_or(1));
    }
    stratum::runtime::memory::be_frugal();
    let bodies = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or_default());
    println!("resident memory with {} quotes, MiB (limit {LIMIT_MIB})", slate::QUOTES);
    println!("  {:<22} {:6.1} now", "at the start", status("VmRSS"));
    let mut store = Store::open(&bodies.join("stratum.db")).expect("store");
    let mut engine = Engine::new(EngineSettings::default());
    for look in 0..20_u64 {
        {
            let body = std::fs::read(bodies.join(format!("{look}"))).expect("read");
            let batch = slate::batch(&body, look);
            let changes = engine.apply(&batch);
            store.commit(&changes, &LookMeta::default()).expect("commit");
        }
        store.tidy().expect("tidy");
        if matches!(look, 0 | 1 | 9 | 19) {
            let (now, peak) = (status("VmRSS"), status("VmHWM"));
            println!("  {:<22} {now:6.1} now {peak:6.1} at the most", format!("after look {}", look + 1));
        }
    }
    println!("  {} quotes in the engine", engine.quotes_in_memory());
}
