//! The same answer, later: what was stored while a recording was imported is what its looks give when they are run again.
//!
//! Holds the comparison of `stratum replay --check` to recordings, and to stores that were tampered with: a comparison
//! that sees nothing would pass, too.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use common::{lines, series};
use rusqlite::{Connection, params};
use serde_json::Value;
use stratum::config::{Sources, load};
use stratum::engine::{Engine, EngineSettings};
use stratum::market::time::Timestamp;
use stratum::runtime::again::{Again, run};
use stratum::runtime::import::import;
use stratum::runtime::settings::engine_settings;
use stratum::runtime::warm;
use stratum::store::check::Comparison;
use stratum::store::{Reader, Store};

const SMALL: &str = "kbo_2026_07_20_21";

/// The settings as they come, with the table of books.
fn usual() -> EngineSettings {
    engine_settings(&load(&Sources::default()).expect("defaults").settings)
}

/// Windows that fit recordings in which the looks are minutes apart: detectors with a window have something to say.
fn wide() -> EngineSettings {
    const LONG: i64 = 20 * 60_000;
    let mut settings = usual();
    let rules = &mut settings.rules;
    for rule in [&mut rules.market_move, &mut rules.sync, &mut rules.steam, &mut rules.key_cross] {
        (rule.window_ms, rule.cooldown_ms) = ([LONG; 3], [LONG; 3]);
    }
    settings
}

struct Shop {
    folder: tempfile::TempDir,
    settings: EngineSettings,
}

impl Shop {
    fn new(settings: EngineSettings) -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), settings }
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("stratum.db")
    }

    /// Imports files as a program does that starts, imports and ends.
    fn import(&self, files: &[PathBuf]) {
        let mut store = Store::open(&self.db()).expect("store");
        let mut engine: Engine = warm::engine(&store, self.settings.clone()).expect("engine");
        store.note_settings(engine.next_look(), &self.settings.note()).expect("noted");
        import(&mut engine, &mut store, files, |_| true).expect("import");
    }

    /// Replays the looks of `after < at <= until` and compares.
    fn check(&self, after: Timestamp, until: Timestamp) -> (u64, Comparison) {
        let reader = Reader::open(&self.db()).expect("reader");
        let folder = tempfile::tempdir().expect("folder");
        let again = Again { sport: None, after, until, points_ms: None, show: 50 };
        let file = folder.path().join("replayed.db");
        // Other settings than those noted: the note must win.
        let (sports, comparison) =
            run(&reader, &self.db(), &EngineSettings::default(), &again, Some(&file), |_| true).expect("replay");
        (sports.iter().map(|s| s.looks).sum(), comparison.expect("comparison"))
    }

    fn check_all(&self) -> (u64, Comparison) {
        self.check(Timestamp::from_millis(i64::MIN / 2), Timestamp::from_millis(i64::MAX / 2))
    }

    fn count(&self, table: &str) -> u64 {
        let c = Connection::open(self.db()).expect("database");
        let n: i64 = c.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).expect("count");
        n as u64
    }
}

fn assert_same(comparison: &Comparison, what: &str) {
    let shown: Vec<_> = comparison.shown.iter().take(3).collect();
    assert!(comparison.different.iter().all(|d| *d == 0), "{what}: {:?} {shown:#?}", comparison.different);
    assert!(comparison.shown.is_empty(), "{what}");
}

fn rows(comparison: &Comparison) -> BTreeMap<&'static str, u64> {
    Comparison::tables().zip(comparison.rows.iter().copied()).collect()
}

/// Every row of a recording again. `signals`: the recording is one in which something happens.
fn again(name: &str, signals: bool) {
    let Some(path) = series(name) else { return };
    let shop = Shop::new(usual());
    shop.import(&[path]);
    let (looks, comparison) = shop.check_all();
    assert_same(&comparison, name);
    assert_eq!(looks, shop.count("look"), "{name}: every look");
    for (table, compared) in rows(&comparison) {
        assert_eq!(compared, shop.count(table), "{name}: every row of {table}");
    }
    if signals {
        for table in ["change", "point", "signal", "close", "clv"] {
            assert!(rows(&comparison)[table] > 0, "{name}: {table}");
        }
    }
    eprintln!("{name}: {looks} looks, {:?}", rows(&comparison));
}

#[test]
fn two_days_of_kbo() {
    again(SMALL, true);
}

#[test]
fn three_days_of_mlb() {
    again("mlb_2026_08_03_05", true);
}

#[test]
fn a_saturday_of_ncaaf() {
    again("ncaaf_2025_11_08", true);
}

#[test]
fn a_week_of_nfl() {
    again("nfl_2025_week10", true);
}

#[test]
fn four_weeks_of_nfl() {
    again("nfl_2025_weeks6_9_long", true);
}

#[test]
fn ten_days_of_wnba() {
    again("wnba_2026_07_14_23", true);
}

#[test]
fn three_days_of_wnba() {
    again("wnba_2026_08_03_05", true);
}

#[test]
fn days_with_empty_answers() {
    again("wncaab_2026_02_22_03_04", false);
}

#[test]
fn games_with_a_draw() {
    again("worldcup_2026_07_03_07", true);
}

#[test]
fn a_log_without_looks() {
    again("fetch_log_2026_08_03_05", false);
}

/// Every row of a table, in an order of its own.
fn sorted(db: &Path, table: &str) -> Vec<String> {
    let mut rows = common::dump(db, table);
    rows.sort();
    rows
}

const ANALYSIS: [&str; 7] = ["point", "point_newest", "signal", "opportunity", "close", "clv", "tally"];

/// Writes looks as a recording.
fn write(folder: &Path, name: &str, looks: &[(i64, Vec<u8>)]) -> PathBuf {
    let mut text = String::new();
    for (at, body) in looks {
        let body = std::str::from_utf8(body).expect("text");
        writeln!(text, r#"{{"captured_at":"{}","body":{body}}}"#, Timestamp::from_millis(*at)).expect("string");
    }
    let path = folder.join(name);
    std::fs::write(&path, text).expect("file");
    path
}

/// A recording in several parts, with a start of the program before each, against the same in one go.
fn in_parts(name: &str, settings: EngineSettings, cuts: &[f64]) {
    let Some(path) = series(name) else { return };
    let looks = lines(&path);
    let folder = tempfile::tempdir().expect("folder");
    let (whole, parts) = (Shop::new(settings.clone()), Shop::new(settings));
    whole.import(&[write(folder.path(), "whole.jsonl", &looks)]);
    let mut from = 0;
    for (n, share) in cuts.iter().chain([&1.0]).enumerate() {
        let to = (looks.len() as f64 * share) as usize;
        parts.import(&[write(folder.path(), &format!("part{n}.jsonl"), &looks[from..to])]);
        from = to;
    }
    for table in ANALYSIS {
        let (one, several) = (sorted(&whole.db(), table), sorted(&parts.db(), table));
        for (a, b) in one.iter().zip(&several) {
            assert_eq!(a, b, "{name}: {table}");
        }
        assert_eq!(one.len(), several.len(), "{name}: rows of {table}");
    }
    assert!(whole.count("point") > 0 && whole.count("tally") > 0, "{name}: there is something to compare");
    for table in common::TABLES.iter().filter(|t| **t != "look") {
        // The looks name the file that they came from.
        assert_eq!(sorted(&whole.db(), table), sorted(&parts.db(), table), "{name}: {table}");
    }
    let (_, comparison) = parts.check_all();
    assert_same(&comparison, name);
}

#[test]
fn starts_of_the_program_change_nothing() {
    in_parts(SMALL, usual(), &[0.31, 0.74]);
    in_parts(SMALL, wide(), &[0.31, 0.74]);
}

#[test]
fn many_starts_of_the_program_change_nothing() {
    let cuts: Vec<f64> = (1..24).map(|n| f64::from(n) / 24.0).collect();
    in_parts(SMALL, wide(), &cuts);
}

#[test]
fn starts_between_empty_answers_change_nothing() {
    in_parts("wncaab_2026_02_22_03_04", usual(), &[0.31, 0.74]);
}

#[test]
fn starts_in_a_saturday_of_ncaaf_change_nothing() {
    in_parts("ncaaf_2025_11_08", wide(), &[0.4, 0.8]);
}

/// A replay may begin and end anywhere.
fn in_the_middle(name: &str, settings: EngineSettings) {
    let Some(path) = series(name) else { return };
    let at: Vec<i64> = lines(&path).iter().map(|(at, _)| *at).collect();
    let shop = Shop::new(settings);
    shop.import(&[path]);
    let instant = |share: f64| Timestamp::from_millis(at[(at.len() as f64 * share) as usize]);
    let (end, mut compared) = (Timestamp::from_millis(i64::MAX / 2), 0);
    for (after, until) in [
        (instant(0.2), end),
        (instant(0.5), end),
        (instant(0.5), instant(0.8)),
        (instant(0.8), end),
        (instant(0.9).plus(-1), instant(0.9)),
    ] {
        let (looks, comparison) = shop.check(after, until);
        assert_same(&comparison, &format!("{name} after {after}"));
        assert_eq!(looks as usize, at.iter().filter(|at| **at > after.millis() && **at <= until.millis()).count());
        compared += comparison.rows.iter().sum::<u64>();
    }
    assert!(compared > 0, "{name}");
}

#[test]
fn a_replay_from_the_middle_on() {
    in_the_middle(SMALL, usual());
    in_the_middle(SMALL, wide());
}

#[test]
fn a_replay_from_the_middle_of_a_saturday_on() {
    in_the_middle("ncaaf_2025_11_08", wide());
}

/// What stands in a comparison: table, stored, replayed; one entry for each difference.
fn told(comparison: &Comparison) -> Vec<(&'static str, bool, bool)> {
    let mut told: Vec<_> =
        comparison.shown.iter().map(|d| (d.table, d.stored.is_some(), d.replayed.is_some())).collect();
    told.sort_unstable();
    told
}

/// A byte of one signal, the last bit of one point, one row of CLV less, one close more. The keys of the rows by table.
fn tamper(db: &Path) -> BTreeMap<&'static str, String> {
    let c = Connection::open(db).expect("database");
    let mut keys = BTreeMap::new();
    let (id, version): (String, u32) = c
        .query_row("SELECT id, version FROM signal ORDER BY id LIMIT 1 OFFSET 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
        .expect("signal");
    let sql = r#"UPDATE signal SET json = replace(json, '"schema":1', '"schema":2') WHERE id = ? AND version = ?"#;
    assert_eq!(c.execute(sql, params![id, version]).expect("update"), 1);
    keys.insert("signal", format!("{id}, {version}"));
    type PointKey = (i64, i64, i64, i64, i64, f64);
    let (event, look, market, subject, own_line, fair): PointKey = c
        .query_row(
            "SELECT event, look, market, subject, own_line, fair1 FROM point WHERE fair1 IS NOT NULL
             ORDER BY look, event, market LIMIT 1 OFFSET 7",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)),
        )
        .expect("point");
    let nearly = f64::from_bits(fair.to_bits() + 1);
    let sql = "UPDATE point SET fair1 = ? WHERE event = ? AND look = ? AND market = ? AND subject = ? AND own_line = ?";
    assert_eq!(c.execute(sql, params![nearly, event, look, market, subject, own_line]).expect("update"), 1);
    keys.insert("point", format!("{event}, {market}, {subject}, {own_line}"));
    let signal: String = c.query_row("SELECT min(signal) FROM clv", [], |r| r.get(0)).expect("clv");
    assert_eq!(c.execute("DELETE FROM clv WHERE signal = ? AND version = 1", [&signal]).expect("delete"), 1);
    keys.insert("clv", format!("{signal}, 1"));
    let copied = c
        .execute(
            "INSERT INTO close SELECT event, market, subject, own_line, version + 90, look, start, grade, reason,
             provisional, json FROM close ORDER BY event, market LIMIT 1",
            [],
        )
        .expect("insert");
    assert_eq!(copied, 1);
    keys
}

#[test]
fn the_comparison_is_not_blind() {
    let Some(path) = series(SMALL) else { return };
    let shop = Shop::new(usual());
    shop.import(&[path]);
    let (_, before) = shop.check_all();
    assert_same(&before, SMALL);
    let keys = tamper(&shop.db());
    let (_, after) = shop.check_all();
    // As stored and as replayed, of each: nothing of the missing row is stored, nothing of the additional one replayed.
    let want = [("close", true, false), ("clv", false, true), ("point", true, true), ("signal", true, true)];
    assert_eq!(told(&after), want);
    let different: BTreeMap<_, _> = Comparison::tables().zip(after.different.iter().copied()).collect();
    for table in Comparison::tables() {
        assert_eq!(different[table], u64::from(want.iter().any(|(t, ..)| *t == table)), "{table}");
    }
    for d in &after.shown {
        if let Some(key) = keys.get(d.table) {
            assert_eq!(&d.key, key, "{}", d.table);
        }
        assert_eq!(d.sport, "baseball_kbo");
    }
    let signal = after.shown.iter().find(|d| d.table == "signal").expect("signal");
    let (stored, replayed) = (signal.stored.as_deref().expect("stored"), signal.replayed.as_deref().expect("replayed"));
    assert_eq!(stored.replace(r#""schema":2"#, r#""schema":1"#), replayed);
}

struct Home(tempfile::TempDir);

impl Home {
    fn run(&self, args: &[&str]) -> Output {
        Command::cargo_bin("stratum")
            .expect("program")
            .env_clear()
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("STRATUM_DATA_DIR", self.0.path().join("all"))
            .stdin(Stdio::null())
            .args(args)
            .output()
            .expect("runs")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_program_tells_by_its_exit_code() {
    let Some(path) = series(SMALL) else { return };
    let home = Home(tempfile::tempdir().expect("folder"));
    let output = home.run(&["import", path.to_str().expect("text")]);
    assert!(output.status.success(), "{}", text(&output.stderr));

    let output = home.run(&["replay", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("no difference"), "{}", text(&output.stdout));
    let output = home.run(&["replay", "--check", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    let [sums] = &shown[..] else { panic!("only the sums: {shown:?}") };
    let tables: Vec<&str> = Comparison::tables().collect();
    for table in &tables {
        assert!(sums["rows"][table].is_u64(), "{sums}");
        assert_eq!(sums["different"][table], 0, "{sums}");
    }
    assert_eq!(sums["rows"].as_object().expect("rows").len(), tables.len());
    let output = home.run(&["replay", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    let [sport] = &shown[..] else { panic!("one sport: {shown:?}") };
    assert_eq!(sport["sport"], "baseball_kbo");
    assert!(["looks", "changes", "points", "closes", "graded"].iter().all(|f| sport[f].as_u64() > Some(0)), "{sport}");
    assert!(sport["signals"].as_object().is_some_and(|s| s.values().any(|n| n.as_u64() > Some(0))), "{sport}");

    let keys = tamper(&home.0.path().join("all/stratum.db"));
    let output = home.run(&["replay", "--check"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("4 rows differ"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(&keys["signal"]), "{}", text(&output.stdout));
    let output = home.run(&["replay", "--check", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let shown: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    let (sums, differences) = shown.split_last().expect("sums");
    assert_eq!(differences.len(), 4);
    for d in differences {
        let table = d["table"].as_str().expect("table");
        assert!(tables.contains(&table) && d["key"].is_string() && d["look"].is_u64() && d["at"].is_string(), "{d}");
        assert!(d["stored"].is_string() || d["replayed"].is_string(), "{d}");
        assert_eq!(sums["different"][table], 1);
        if let Some(key) = keys.get(table) {
            assert_eq!(&d["key"], key);
        }
    }
    // Fewer are shown; all are counted.
    let output = home.run(&["replay", "--check", "--json", "--show", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let shown: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1]["different"]["signal"], 1);
}
