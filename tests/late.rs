//! Recordings imported in the wrong order must leave the store as if they had come in the right one, and stored looks
//! applied again must give what they gave at first. The real recordings are optional: without them those tests say so
//! and pass. They are looked for in `$STRATUM_TEST_DATA`, then in `../shared/data` beside the project.

#![allow(clippy::expect_used)] // helpers of tests fail by panicking

#[path = "late/dump.rs"]
mod dump;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use dump::{assert_same, dump, states};
use stratum::engine::{Engine, EngineSettings};
use stratum::feeds::replay;
use stratum::market::time::Timestamp;
use stratum::runtime::import::{ImportError, ImportReport, import};
use stratum::runtime::warm;
use stratum::store::{Store, StoreError};

fn settings() -> EngineSettings {
    EngineSettings::default()
}

fn take(store: &Path, file: &Path) -> Result<ImportReport, ImportError> {
    let mut store = Store::open(store)?;
    let mut engine = warm::engine(&store, settings())?;
    import(&mut engine, &mut store, &[file], |_| true)
}

fn data(file: &str) -> Option<Vec<String>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path =
        std::env::var_os("STRATUM_TEST_DATA").map_or(beside, PathBuf::from).join("odds_api/timeseries").join(file);
    let Ok(packed) = std::fs::File::open(&path) else {
        eprintln!("skipped: no {file} (set STRATUM_TEST_DATA to the folder of recordings)");
        return None;
    };
    let mut decoder = zstd::stream::Decoder::new(packed).expect("zstd");
    decoder.window_log_max(27).expect("window");
    let mut text = String::new();
    decoder.read_to_string(&mut text).expect("text");
    Some(text.lines().map(str::to_owned).collect())
}

/// Imports parts one after the other; compares with all lines in one go. `parts` in the order of import.
fn check(parts: &[Vec<String>], instants: usize) -> Vec<ImportReport> {
    let folder = tempfile::tempdir().expect("folder");
    let (wrong, right) = (folder.path().join("wrong.db"), folder.path().join("right.db"));
    // One name for all, so that the origin is the same.
    let file = folder.path().join("part.jsonl");
    let mut reports = Vec::new();
    for part in parts {
        std::fs::write(&file, part.join("\n")).expect("write");
        reports.push(take(&wrong, &file).expect("import"));
    }
    let all: Vec<String> = parts.iter().flatten().cloned().collect();
    std::fs::write(&file, all.join("\n")).expect("write");
    take(&right, &file).expect("import");
    assert_same("tables", &dump(&right), &dump(&wrong));
    assert_same("states", &states(&right, instants), &states(&wrong, instants));

    // The same again changes nothing, and a restarted engine goes on as if nothing had been.
    let before = dump(&wrong);
    for part in parts {
        std::fs::write(&file, part.join("\n")).expect("write");
        let report = take(&wrong, &file).expect("import");
        assert_eq!((report.taken.looks, report.late), (0, 0));
    }
    assert_same("after the same again", &before, &dump(&wrong));
    reports
}

fn odd_and_even(lines: &[String]) -> [Vec<String>; 2] {
    let part = |odd: usize| lines.iter().enumerate().filter(|(i, _)| i % 2 == odd).map(|(_, l)| l.clone()).collect();
    [part(1), part(0)]
}

/// A line of a hand-made recording at minute `minute`.
fn line(minute: i64, extra: &str, body: &str) -> String {
    let at = Timestamp::parse("2026-01-10T18:00:00Z").expect("time").plus(minute * 60_000).to_wire();
    format!(r#"{{"captured_at":"{at}","sport":"basketball_nba"{extra},"body":{body}}}"#)
}

fn price(minute: i64, salt: i64) -> i64 {
    -101 - (minute / 3 * 7 + salt * 5) % 17
}

fn market(key: &str, minute: i64, outcomes: &str) -> String {
    let seen = Timestamp::parse("2026-01-10T17:59:30Z").expect("time").plus(minute * 60_000).to_wire();
    format!(r#"{{"key":"{key}","last_update":"{seen}","outcomes":[{outcomes}]}}"#)
}

/// Two books with three kinds of markets; what each minute shows differs.
fn event(id: &str, minute: i64, start: &str, salt: i64) -> String {
    let mut books = String::new();
    for b in 0..3 {
        if (minute + salt + b) % 5 == 0 {
            continue; // not shown this time
        }
        let p = price(minute + b, salt);
        let mut markets = market(
            "h2h",
            minute,
            &format!(r#"{{"name":"Home {salt}","price":{p}}},{{"name":"Away {salt}","price":{}}}"#, -p),
        );
        if (minute + b) % 3 != 0 {
            let line = 3.5 + ((minute / 4) % 3) as f64;
            write!(
                markets,
                ",{}",
                market(
                    "spreads",
                    minute,
                    &format!(
                        r#"{{"name":"Home {salt}","price":{p},"point":-{line}}},{{"name":"Away {salt}","price":-110,"point":{line}}}"#
                    )
                )
            )
            .expect("string");
        }
        if (minute + b) % 4 == 1 {
            let whom = format!("Player {}", minute % 3);
            write!(
                markets,
                ",{}",
                market(
                    "player_points",
                    minute,
                    &format!(r#"{{"name":"Over","description":"{whom}","price":{p},"point":20.5}}"#)
                )
            )
            .expect("string");
        }
        if (minute + salt + b) % 7 == 3 {
            // Parts that cannot be read.
            markets = market(
                "h2h",
                minute,
                &format!(r#"{{"name":"Home {salt}","price":null}},{{"name":"Someone","price":{p}}}"#),
            );
        }
        if !books.is_empty() {
            books.push(',');
        }
        write!(books, r#"{{"key":"book{b}","title":"Book","markets":[{markets}]}}"#).expect("string");
    }
    format!(
        r#"{{"id":"{id}","sport_key":"basketball_nba","commence_time":"{start}","home_team":"Home {salt}","away_team":"Away {salt}","bookmakers":[{books}]}}"#
    )
}

fn hand_made() -> Vec<String> {
    let mut lines = Vec::new();
    for minute in 0..60 {
        let start = if minute < 20 { "2026-01-10T19:00:00Z" } else { "2026-01-10T18:40:00Z" };
        let mut events = vec![event("a", minute, start, 1)];
        if minute >= 7 && minute % 11 != 0 {
            events.push(event("b", minute, "2026-01-10T20:00:00Z", 2));
        }
        if minute % 2 == 1 {
            // Shown by every other look only.
            events.push(event("c", minute, "2026-01-11T20:00:00Z", 3));
        }
        if minute == 13 {
            events.push(event("a", minute, start, 1)); // twice in one answer
        }
        if minute % 9 == 4 {
            events.push(r#"{"id":"d","sport_key":"basketball_nba","commence_time":"2026-01-12T20:00:00Z","home_team":"Home 4","away_team":"Away 4"}"#.to_owned());
        }
        if minute == 31 {
            events.push(event("b", minute, "never", 2)); // no start; already there or not
        }
        if minute == 41 {
            // Other teams under a known id.
            events.retain(|e| !e.contains(r#""id":"b""#));
            events.push(event("b", minute, "2026-01-10T20:00:00Z", 9));
        }
        lines.push(line(minute, "", &format!("[{}]", events.join(","))));
        if minute % 8 == 6 {
            let (h, a) = (minute, minute / 2);
            let scores = format!(
                r#"[{{"id":"a","sport_key":"basketball_nba","commence_time":"{start}","completed":{},"home_team":"Home 1","away_team":"Away 1","scores":[{{"name":"Home 1","score":"{h}"}},{{"name":"Away 1","score":"{a}"}}],"last_update":null}}]"#,
                minute > 50
            );
            lines.push(line(minute, r#","endpoint":"scores""#, &scores));
        }
        if minute % 10 == 5 {
            let single = event("b", minute, "2026-01-10T20:00:00Z", 2);
            lines.push(line(minute, r#","endpoint":"event_odds","asked":{"markets":["h2h"],"events":["b"]}"#, &single));
        }
        if minute % 13 == 12 {
            lines.push(line(minute, "", "[]"));
        }
    }
    lines
}

#[test]
fn odd_and_even_looks_in_the_wrong_order() {
    let reports = check(&odd_and_even(&hand_made()), 100);
    assert!(reports[1].late > 30, "{reports:?}");
}

#[test]
fn later_half_first() {
    let lines = hand_made();
    let (first, second) = lines.split_at(lines.len() / 2);
    check(&[second.to_vec(), first.to_vec()], 100);
}

#[test]
fn three_parts_with_repeated_looks() {
    let lines = hand_made();
    let part = |keep: &dyn Fn(usize) -> bool| -> Vec<String> {
        lines.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, l)| l.clone()).collect()
    };
    let reports = check(&[part(&|i| i % 3 == 1 || i > 50), part(&|i| i % 3 == 2 || i > 50), part(&|i| i % 3 == 0)], 60);
    assert!(reports[1].taken.known > 5);
}

#[test]
fn an_error_in_the_middle_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let (store, file) = (folder.path().join("stratum.db"), folder.path().join("part.jsonl"));
    let [odd, even] = odd_and_even(&hand_made());
    std::fs::write(&file, odd.join("\n")).expect("write");
    take(&store, &file).expect("import");
    let c = rusqlite::Connection::open(&store).expect("open");
    c.execute("UPDATE look SET endpoint = 'broken' WHERE id = (SELECT max(id) - 3 FROM look)", []).expect("damage");
    drop(c);
    let before = dump(&store);
    std::fs::write(&file, even.join("\n")).expect("write");
    let error = take(&store, &file).expect_err("damaged");
    assert!(matches!(error, ImportError::Store(StoreError::Damaged { .. })), "{error}");
    assert_same("after the error", &before, &dump(&store));
}

#[test]
fn real_looks_in_the_wrong_order() {
    for file in ["ncaaf_2025_11_08.jsonl.zst", "kbo_2026_07_20_21.jsonl.zst"] {
        let Some(lines) = data(file) else { continue };
        let (first, second) = lines.split_at(lines.len() / 2);
        check(&[second.to_vec(), first.to_vec()], 8);
        check(&odd_and_even(&lines), 8);
    }
}

#[test]
fn real_weeks_in_the_wrong_order() {
    let (Some(week10), Some(before)) = (data("nfl_2025_week10.jsonl.zst"), data("nfl_2025_weeks6_9_long.jsonl.zst"))
    else {
        return;
    };
    let last = before.len().saturating_sub(150);
    check(&[week10, before[last..].to_vec()], 6);
}

#[test]
fn live_is_replay() {
    for file in ["ncaaf_2025_11_08.jsonl.zst", "kbo_2026_07_20_21.jsonl.zst", "wncaab_2026_02_22_03_04.jsonl.zst"] {
        if let Some(lines) = data(file) {
            replay_is_same(&lines);
        }
    }
}

#[test]
fn hand_made_live_is_replay() {
    replay_is_same(&hand_made());
}

/// Replays all looks of a store through a fresh engine into another store.
fn replay_is_same(lines: &[String]) {
    let folder = tempfile::tempdir().expect("folder");
    let (live, again) = (folder.path().join("live.db"), folder.path().join("again.db"));
    let file = folder.path().join("part.jsonl");
    std::fs::write(&file, lines.join("\n")).expect("write");
    take(&live, &file).expect("import");
    let reader = Store::open(&live).expect("store").reader().expect("reader");
    let names = reader.names().expect("names");
    let mut store = Store::open(&again).expect("store");
    let mut engine = Engine::new(settings());
    let c = rusqlite::Connection::open(&live).expect("open");
    let mut select = c.prepare("SELECT DISTINCT source, sport FROM look ORDER BY 1, 2").expect("sql");
    let sports: Vec<(u32, u16)> =
        select.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).expect("query").collect::<Result<_, _>>().expect("rows");
    for (source, sport) in sports {
        let sport = stratum::market::ids::SportId(sport);
        let mut looks = reader.replay(source, sport, Timestamp::from_millis(i64::MIN));
        while let Some(look) = looks.next().expect("look") {
            let batch = replay::batch(&look, source, sport, &names);
            let mut changes = engine.apply(&batch);
            changes.look.quotes = look.quotes;
            store.commit(&changes, &look.meta).expect("commit");
        }
    }
    let unlike = |path: &Path| -> Vec<String> {
        // Issues of the answer as such, and the counts of all issues, are no part of what a look showed.
        let mut lines = dump(path);
        lines.retain(|l| !l.starts_with("quality") && !l.starts_with("look "));
        lines
    };
    assert_same("tables", &unlike(&live), &unlike(&again));
    let rows = |path: &Path| -> Vec<String> {
        let c = rusqlite::Connection::open(path).expect("open");
        let mut select =
            c.prepare("SELECT event, look, slot, price, status FROM change ORDER BY 1, 2, 3").expect("sql");
        let rows = select.query_map([], |r| {
            let row: (u32, i64, u32, i64, u8) = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?);
            Ok(format!("{row:?}"))
        });
        rows.expect("query").collect::<Result<_, _>>().expect("rows")
    };
    assert_same("numbers", &rows(&live), &rows(&again));
}
