//! One look all the way: parse, apply, commit into a store on disk, beside the raw limits of the same work.
//!
//! The limit is the fastest typed parser on the same bytes, plus as many narrow nine-column rows (one two-column index)
//! into a SQLite file in one WAL transaction. Write-ahead logs are moved into their files between looks, unmeasured on
//! both sides, as the daemon does it when nobody waits. Without the analysis (fair prices, signals, opportunities) and
//! with it.
#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

#[path = "common/measure.rs"]
mod measure;
#[path = "common/mod.rs"]
mod slate;

use std::hint::black_box;

use measure::{Times, timed, verdict};
use rusqlite::{Connection, params};
use stratum::engine::changes::Changes;
use stratum::engine::{Engine, EngineSettings};
use stratum::store::{LookMeta, Store};

const ROUNDS: u64 = 21;

/// Plain rows in a plain table: what SQLite itself takes for so many.
struct Raw(Connection);

impl Raw {
    fn open(path: &std::path::Path) -> rusqlite::Result<Self> {
        let c = Connection::open(path)?;
        c.pragma_update(None, "journal_mode", "WAL")?;
        c.pragma_update(None, "synchronous", "NORMAL")?;
        c.pragma_update(None, "wal_autocheckpoint", 0)?;
        c.pragma_update(None, "cache_size", -8_000)?;
        c.execute_batch(
            "CREATE TABLE row (event INTEGER, look INTEGER, book INTEGER, market INTEGER, side INTEGER, line INTEGER,
             price INTEGER, at INTEGER, seen INTEGER);
             CREATE INDEX row_by_event ON row (event, look);",
        )?;
        Ok(Self(c))
    }

    fn insert(&mut self, changes: &Changes) -> rusqlite::Result<()> {
        let look = changes.look.id.0 as i64;
        let tx = self.0.transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO row VALUES (?,?,?,?,?,?,?,?,?)")?;
            for q in &changes.quotes {
                let v = &q.value;
                insert.execute(params![
                    q.event.0,
                    look,
                    q.slot.0 / 6,
                    q.slot.0 % 6 / 2,
                    q.slot.0 % 2,
                    v.line.map(|l| l.hundredths()),
                    v.price.code(),
                    v.last_changed.millis(),
                    v.last_seen.millis()
                ])?;
            }
        }
        tx.commit()
    }

    fn tidy(&self) {
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
    }
}

#[derive(Default)]
struct Case {
    parse: Times,
    apply: Times,
    commit: Times,
    whole: Times,
    raw_parse: Times,
    raw_insert: Times,
    rows: usize,
}

fn run(per_mille: u64, analysis: bool) -> Case {
    let folder = tempfile::tempdir().expect("folder");
    let mut store = Store::open(&folder.path().join("stratum.db")).expect("store");
    let mut raw = Raw::open(&folder.path().join("raw.db")).expect("raw");
    let mut settings = EngineSettings::default();
    settings.rules.on = analysis;
    let mut engine = Engine::new(settings);
    let first = slate::body(0, per_mille);
    let changes = engine.apply(&slate::batch(&first, 0));
    store.commit(&changes, &LookMeta::default()).expect("commit");
    raw.insert(&changes).expect("insert");
    let mut case = Case::default();
    for look in 1..=ROUNDS {
        store.tidy().expect("tidy");
        raw.tidy();
        let body = slate::body(look, per_mille);
        let (_, parse) = timed(|| {
            sonic_rs::from_slice::<Vec<slate::typed::Event<'_>>>(black_box(&body)).expect("json").len();
        });
        case.raw_parse.push(parse);
        let (changes, whole) = timed(|| {
            let (batch, parse) = timed(|| slate::batch(black_box(&body), look));
            let (changes, apply) = timed(|| engine.apply(&batch));
            let ((), commit) = timed(|| store.commit(&changes, &LookMeta::default()).expect("commit"));
            case.parse.push(parse);
            case.apply.push(apply);
            case.commit.push(commit);
            changes
        });
        case.whole.push(whole);
        let ((), insert) = timed(|| raw.insert(&changes).expect("insert"));
        case.raw_insert.push(insert);
        case.rows = changes.quotes.len();
    }
    case
}

fn main() {
    println!("parse + apply + commit of {} quotes, medians of {ROUNDS} looks", slate::QUOTES);
    // The raw limit knows of quotes only, so the multiples of it are asked of quotes only; with the analysis, which is
    // what the daemon runs, milliseconds are.
    for (name, per_mille, analysis, target) in [
        ("every quote changed, quotes only", 1000, false, 200.0),
        ("5 % changed, quotes only", 50, false, 40.0),
        ("nothing changed, quotes only", 0, false, 25.0),
        ("every quote changed, with the analysis", 1000, true, 200.0),
        ("5 % changed, with the analysis", 50, true, 70.0),
        ("nothing changed, with the analysis", 0, true, 25.0),
    ] {
        let case = run(per_mille, analysis);
        let limit = case.raw_parse.median() + case.raw_insert.median();
        println!("  {name}: {} rows", case.rows);
        println!(
            "    parse {:.2} + apply {:.2} + commit {:.2} = {:.2} ms (worst {:.2})",
            case.parse.median(),
            case.apply.median(),
            case.commit.median(),
            case.whole.median(),
            case.whole.worst()
        );
        println!(
            "    limit: parse {:.2} + insert {:.2} = {limit:.2} ms",
            case.raw_parse.median(),
            case.raw_insert.median()
        );
        verdict("parsing, times the limit", case.parse.median() / case.raw_parse.median(), 1.5, "x");
        verdict("the whole", case.whole.median(), target, "ms");
        if !analysis {
            verdict("the whole, times the limit", case.whole.median() / limit, 2.0, "x");
        }
    }
}
