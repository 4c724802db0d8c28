//! Looking back in a store of ten million changes, and what a change costs on disk.
//!
//! The store is built once, through the engine and the store themselves (some minutes), and kept in `target/` for the
//! next run. Raise [`STAMP`] when what is written changes.
#![allow(clippy::expect_used)] // a bench that cannot go on stops

#[path = "common/measure.rs"]
mod measure;
#[path = "common/mod.rs"]
mod slate;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use measure::{Times, timed, verdict};
use stratum::engine::{Engine, EngineSettings};
use stratum::market::ids::{EventId, SportId};
use stratum::market::time::Timestamp;
use stratum::store::{LookMeta, Reader, Store, StoreError};

const STAMP: u32 = 3;
const CHANGES: u64 = 10_000_000;
/// Changed markets of a thousand, a look.
const PER_MILLE: u64 = 50;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-as-of")
}

/// One look a minute at one slate, 5 % of the markets moving each time, until the log is long enough.
fn build(path: &Path) {
    let body = slate::body(0, 0);
    let mut batch = slate::batch(&body, 0);
    let mut store = Store::open(path).expect("store");
    let mut engine = Engine::new(EngineSettings::default());
    let (mut look, mut rows) = (0_u64, 0_u64);
    while rows < CHANGES {
        // Sixteen looks a transaction: only to be done sooner.
        store
            .together(|tx| -> Result<(), StoreError> {
                for _ in 0..16 {
                    batch.received_at = slate::start().plus(look as i64 * 60_000);
                    slate::advance(&mut batch, look, PER_MILLE);
                    let changes = engine.apply(&batch);
                    rows += changes.quotes.len() as u64;
                    tx.commit(&changes, &LookMeta::default())?;
                    look += 1;
                }
                Ok(())
            })
            .expect("commit");
        store.tidy().expect("tidy");
        if look % 320 == 0 {
            println!("  building: {rows} changes in {look} looks");
        }
    }
}

fn main() {
    let path = folder().join(format!("{STAMP}.db"));
    let stamp = folder().join(format!("{STAMP}.done"));
    if !stamp.exists() {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).expect("folder");
        let ((), took) = timed(|| build(&path));
        println!("  built in {:.0} s", took.as_secs_f64());
        std::fs::write(&stamp, "").expect("stamp");
    }
    let reader = Reader::open(&path).expect("store");
    let names = reader.names().expect("names");
    let status = reader.status(&names).expect("status");
    let (changes, looks) = (status[0].changes, status[0].looks);
    let bytes = std::fs::metadata(&path).expect("file").len();
    println!("as_of in a store of {changes} changes, {looks} looks, {:.0} MiB", bytes as f64 / 1048576.0);
    verdict("bytes of store a change", bytes as f64 / changes as f64, 60.0, "B");

    // Instants all over the history, none of them at a look.
    let span = status[0].last_look.since(status[0].first_look);
    let instant = |i: u64| slate::start().plus((span as u64 / 1000 * (37 * i % 1000)) as i64 + 30_123);
    let (mut one, mut board) = (Times::default(), Times::default());
    for i in 0..200 {
        let event = EventId((i as u32 * 53) % slate::EVENTS as u32 + 1);
        let (found, time) = timed(|| reader.event_as_of(event, black_box(instant(i))).expect("as_of"));
        assert_eq!(found.expect("event").quotes.len(), slate::QUOTES / slate::EVENTS);
        one.push(time);
    }
    for i in 0..21 {
        let (from, to) = (Timestamp::from_secs(0), Timestamp::from_secs(1 << 40));
        let (found, time) = timed(|| reader.board_as_of(SportId(1), instant(i * 13), from, to).expect("as_of"));
        assert_eq!(found.iter().map(|e| e.quotes.len()).sum::<usize>(), slate::QUOTES);
        board.push(time);
    }
    verdict("one event, median of 200 instants", one.median(), 5.0, "ms");
    verdict("one event, worst", one.worst(), 5.0, "ms");
    verdict("the board of 400 events, median of 21", board.median(), 100.0, "ms");
    verdict("the board of 400 events, worst", board.worst(), 100.0, "ms");
    drop(reader);
    let store = Store::open(&path).expect("store");
    let (engine, time) = timed(|| store.engine(EngineSettings::default()).expect("engine"));
    println!(
        "    the engine, put back after a restart         {:9.2} ms for {} quotes",
        time.as_secs_f64() * 1e3,
        engine.quotes_in_memory()
    );
}
