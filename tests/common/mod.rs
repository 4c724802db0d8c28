//! What several tests of the whole need: recorded data where it is at hand, and the content of a store as text.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used)]

pub mod raw;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use stratum::engine::{Engine, EngineSettings};
use stratum::feeds::recording::RecordingReader;
use stratum::runtime::import::{ImportReport, import};
use stratum::store::Store;

/// A file of recorded data: below `STRATUM_TEST_DATA`, or in `../shared/data` beside the project. `None` (with a word
/// on the error output) where there is none.
pub fn recorded(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STRATUM_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there; set STRATUM_TEST_DATA to the folder of recorded data", path.display());
    None
}

/// A recorded time series.
pub fn series(name: &str) -> Option<PathBuf> {
    recorded(&format!("odds_api/timeseries/{name}.jsonl.zst"))
}

/// The lines of a recording, unpacked: when captured (milliseconds) and the body.
pub fn lines(path: &Path) -> Vec<(i64, Vec<u8>)> {
    RecordingReader::open(path)
        .expect("recording")
        .map(|line| line.expect("line"))
        .map(|line| (line.captured_at.expect("captured_at").millis(), line.body))
        .collect()
}

/// The settings of a program that nobody has configured, the table of books included.
pub fn usual() -> EngineSettings {
    stratum::runtime::settings::engine_settings(
        &stratum::config::load(&stratum::config::Sources::default()).expect("defaults").settings,
    )
}

/// Imports a recording into a new store at `path` with these settings.
pub fn import_with(path: &Path, settings: EngineSettings, file: PathBuf) {
    let mut store = Store::open(path).expect("store");
    let mut engine = Engine::new(settings);
    import(&mut engine, &mut store, &[file], |_| true).expect("import");
}

/// Imports files into the store at `path`, which is opened and closed; the engine is the store's own.
pub fn import_into(path: &Path, files: &[PathBuf]) -> ImportReport {
    let mut store = Store::open(path).expect("store");
    let mut engine = stratum::runtime::warm::engine(&store, EngineSettings::default()).expect("engine");
    import(&mut engine, &mut store, files, |_| true).expect("import")
}

/// As [`import_into`], into a new store with a new engine.
pub fn import_new(path: &Path, files: &[PathBuf]) -> ImportReport {
    let mut store = Store::open(path).expect("store");
    let mut engine = Engine::new(EngineSettings::default());
    import(&mut engine, &mut store, files, |_| true).expect("import")
}

/// Tables whose content follows from the looks alone.
pub const TABLES: [&str; 12] = [
    "name",
    "scope",
    "event",
    "event_life",
    "event_start",
    "event_score",
    "quote",
    "change",
    "keyframe",
    "look",
    "look_seen",
    "quality",
];

/// Every row of a table, one a line, in the order of its keys.
pub fn dump(path: &Path, table: &str) -> Vec<String> {
    let c = Connection::open(path).expect("database");
    let mut select = c
        .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"))
        .or_else(|_| c.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")))
        .expect("table");
    let columns = select.column_count();
    let mut rows = select.query([]).expect("rows");
    let mut out = Vec::new();
    while let Some(row) = rows.next().expect("row") {
        let mut text = String::new();
        for i in 0..columns {
            match row.get_ref(i).expect("column") {
                ValueRef::Null => text.push_str("null"),
                ValueRef::Integer(n) => write!(text, "{n}").expect("string"),
                ValueRef::Real(n) => write!(text, "{n}").expect("string"),
                ValueRef::Text(t) => text.push_str(&String::from_utf8_lossy(t)),
                ValueRef::Blob(b) => b.iter().for_each(|b| write!(text, "{b:02x}").expect("string")),
            }
            text.push('|');
        }
        out.push(text);
    }
    out
}

/// Both stores hold the same rows in every table; the first difference is shown.
pub fn assert_same_content(a: &Path, b: &Path, what: &str) {
    for table in TABLES {
        let (left, right) = (dump(a, table), dump(b, table));
        for (l, r) in left.iter().zip(&right) {
            assert_eq!(l, r, "{what}: table {table}");
        }
        assert_eq!(left.len(), right.len(), "{what}: rows of {table}");
    }
}

/// A small generator of numbers, the same on every machine.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}
