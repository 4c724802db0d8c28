//! The real program explains every kind of number of a small recording.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};
use stratum::engine::detect::signal::Signal;
use stratum::market::time::Timestamp;
use stratum::store::Reader;
use stratum::store::analysis::AnalysisFilter;

const START: &str = "2026-01-11T18:00:00Z";
const BOOKS: [&str; 8] =
    ["betmgm", "betrivers", "bovada", "draftkings", "fanatics", "fanduel", "pinnacle", "williamhill_us"];

struct Home(tempfile::TempDir);

impl Home {
    fn filled() -> Self {
        let home = Self(tempfile::tempdir().expect("dir"));
        let path = home.path().join("nfl.jsonl");
        std::fs::write(&path, recording()).expect("writes");
        let output = home.run(&["import", path.to_str().expect("text")]);
        assert!(output.status.success(), "{}", err(&output));
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::cargo_bin("stratum")
            .expect("program")
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("STRATUM_DATA_DIR", self.path().join("all"))
            .stdin(Stdio::null())
            .args(args)
            .output()
            .expect("runs")
    }

    fn text(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        let text = String::from_utf8(output.stdout).expect("text");
        let long: Vec<&str> = text.lines().filter(|l| l.chars().count() > 102).collect();
        assert!(long.is_empty(), "too wide: {long:#?}");
        text
    }

    /// The derivations of the JSON form; each also has a text form.
    fn explained(&self, args: &[&str]) -> Vec<Value> {
        let text = self.text(args);
        let mut args = args.to_vec();
        args.push("--json");
        let output = self.run(&args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
        for d in &all {
            for step in d["steps"].as_array().expect("steps") {
                assert!(text.contains(step["name"].as_str().expect("name")), "{step} in {text}");
            }
        }
        all
    }

    fn store(&self) -> std::path::PathBuf {
        self.path().join("all/stratum.db")
    }

    fn signals(&self) -> Vec<Signal> {
        Reader::open(&self.store()).expect("store").signals(&AnalysisFilter::default()).expect("signals")
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Twenty quiet looks a minute apart, the move, three more, and one after the start. One book pays more than the others
/// for the home side once all have moved.
fn recording() -> String {
    let first = Timestamp::parse(START).expect("time").plus(-26 * 60_000);
    let minutes = (0..24).chain([28]);
    minutes
        .map(|minute| {
            let at = first.plus(minute * 60_000).to_wire();
            let home = if minute < 20 { -2.0 } else { -3.5 };
            let books: Vec<Value> = BOOKS
                .iter()
                .map(|key| {
                    let prices = if *key == "fanduel" && minute >= 20 { (108, -128) } else { (-110, -110) };
                    book(key, &at, home, prices)
                })
                .collect();
            let games = [
                game("aaa111", START, "Kansas City Chiefs", "Buffalo Bills", &books),
                game("bbb222", "2026-01-18T18:00:00Z", "Denver Broncos", "Kansas City Chiefs", &[]),
            ];
            json!({"captured_at": at, "source": "the-odds-api", "endpoint": "odds", "sport": "americanfootball_nfl",
                   "asked": {"markets": ["spreads"], "regions": ["us", "eu"]}, "status": 200, "body": games})
            .to_string()
                + "\n"
        })
        .collect()
}

fn game(id: &str, start: &str, home: &str, away: &str, books: &[Value]) -> Value {
    json!({"id": id, "sport_key": "americanfootball_nfl", "sport_title": "NFL", "commence_time": start,
           "home_team": home, "away_team": away, "bookmakers": books})
}

fn book(key: &str, at: &str, home: f64, (home_price, away_price): (i64, i64)) -> Value {
    json!({"key": key, "title": key, "last_update": at, "markets": [{"key": "spreads", "last_update": at, "outcomes": [
        {"name": "Kansas City Chiefs", "price": home_price, "point": home},
        {"name": "Buffalo Bills", "price": away_price, "point": -home}]}]})
}

fn number(d: &Value, name: &str) -> f64 {
    let all = d["result"].as_array().expect("result");
    let found = all.iter().find(|n| n["name"] == name).unwrap_or_else(|| panic!("{name} in {all:#?}"));
    found["value"].as_f64().expect("number")
}

/// Before the start, after the move.
const MOVED: &str = "2026-01-11T17:57:30Z";

#[test]
fn every_kind_is_explained_as_text_and_as_json() {
    let home = Home::filled();
    let signals = home.signals();
    let steam = signals.iter().find(|s| s.kind.name() == "STEAM").expect("steam");

    let by_id = home.explained(&["explain", &steam.id[..10]]);
    let by_kind = home.explained(&["explain", "signal", &steam.id]);
    assert_eq!(by_id, by_kind);
    let d = &by_id[0];
    assert_eq!((d["kind"].as_str(), d["inputs"].as_array().map(Vec::len)), (Some("signal"), Some(8)));
    assert_eq!(number(d, "strength"), f64::from(steam.strength));
    let text = home.text(&["explain", &steam.id]);
    assert!(text.contains("leader unknown") && text.contains("INPUTS") && text.contains("ORDER"), "{text}");
    assert!(!text.contains("please report"), "{text}");

    let fair = home.explained(&["explain", "fair", "aaa111", "--market", "spreads", "--as-of", MOVED]);
    assert_eq!(fair.len(), 1);
    let sum = number(&fair[0], "home probability") + number(&fair[0], "away probability");
    assert!((sum - 1.0).abs() < 1e-12);
    let input = &fair[0]["inputs"][0];
    for field in ["seen_seconds_ago", "changed_seconds_ago", "received_seconds_ago", "weight", "share", "raw_sum"] {
        assert!(input[field].is_number(), "{field} of {input}");
    }

    let without = home.explained(&["explain", "fair", "aaa111", "--book", "fanduel", "--as-of", MOVED]);
    assert!(number(&without[0], "home probability") > number(&fair[0], "home probability"));
    assert_eq!(without[0]["excluded"][0]["what"], "fanduel");
    let text = home.text(&["explain", "fair", "aaa111", "--book", "fanduel", "--as-of", MOVED]);
    assert!(text.contains("no part of its own yardstick") && !text.contains("please report"), "{text}");

    let board = home.explained(&["explain", "consensus", "aaa111", "--as-of", MOVED]);
    assert_eq!((number(&board[0], "line"), number(&board[0], "books")), (-3.5, 8.0));

    let found = home.explained(&["explain", "opportunity", "aaa111", "--as-of", MOVED]);
    let best = found.iter().find(|d| d["subject"].as_str().is_some_and(|s| s.contains("positive_ev"))).expect("a bet");
    // Half a point off a key number, 50 % at -3.5: 0.5 x 2.08 - 1.
    assert!((number(best, "ev") - 0.04).abs() < 1e-6, "{best:#}");
    assert_eq!(best["inputs"][0]["book"], "fanduel");

    let closes = home.explained(&["explain", "close", "aaa111", "--market", "spreads"]);
    assert_eq!(closes[0]["result"][0]["text"], "A");
    let text = home.text(&["explain", "close", "aaa111"]);
    assert!(text.contains("A met: 8 books") && !text.contains("please report"), "{text}");

    let clv = home.explained(&["explain", "clv", &steam.id]);
    assert!((number(&clv[0], "clv ev")).is_finite());
    assert_eq!(number(&clv[0], "points"), 0.0);
    let text = home.text(&["explain", "clv", &steam.id]);
    assert!(text.contains("expected profit") && !text.contains("the stored number stands"), "{text}");
}

#[test]
fn the_newest_look_counts_where_no_instant_is_named() {
    let home = Home::filled();
    let fair = home.explained(&["explain", "fair", "aaa111"]);
    assert_eq!(fair[0]["as_of"], "2026-01-11T18:02:00Z");
    // The game is under way, so that nothing can be taken: an answer, not a failure.
    assert_eq!(home.explained(&["explain", "opportunity", "aaa111"]), Vec::<Value>::new());
    assert!(home.text(&["explain", "opportunity", "aaa111"]).contains("nothing can be taken"));
}

#[test]
fn what_is_not_there_or_fits_several_ends_with_3_and_nonsense_with_2() {
    let home = Home::filled();
    let id = home.signals().first().expect("signal").id.clone();
    twin(&home, &id);
    let code = |args: &[&str]| {
        let output = home.run(args);
        (output.status.code(), err(&output))
    };
    let (exit, text) = code(&["explain", &id[..6]]);
    assert_eq!(exit, Some(3));
    assert!(text.contains("several signals") && text.contains(&id), "{text}");
    let (exit, text) = code(&["explain", "fair", "chiefs"]);
    assert_eq!(exit, Some(3));
    assert!(text.contains("fits 2 events") && text.contains("Broncos"), "{text}");
    for args in [
        ["explain", "fair", "lakers"].as_slice(),
        &["explain", "ffffffffffffffff0"],
        &["explain", "fair", "aaa111", "--market", "totals"],
        &["explain", "fair", "aaa111", "--book", "nobody"],
        &["explain", "fair", "aaa111", "--as-of", "2026-01-01"],
        &["explain", "close", "bbb222"],
    ] {
        let (exit, text) = code(args);
        assert_eq!(exit, Some(3), "{args:?}: {text}");
    }
    for args in [
        ["explain", "fair"].as_slice(),
        &["explain", "weather", "aaa111"],
        &["explain", "close", "aaa111", "--book", "fanduel"],
        &["explain", "signal", &id, "--market", "spreads"],
    ] {
        let (exit, text) = code(args);
        assert_eq!(exit, Some(2), "{args:?}: {text}");
    }
}

/// A second signal whose id begins like the first one's.
fn twin(home: &Home, id: &str) {
    let store = rusqlite::Connection::open(home.store()).expect("store");
    let mut columns = store.prepare("SELECT name FROM pragma_table_info('signal')").expect("columns");
    let names: Vec<String> =
        columns.query_map([], |r| r.get(0)).expect("columns").map(|name| name.expect("name")).collect();
    let taken: Vec<String> =
        names.iter().map(|n| if n == "id" { "substr(id, 1, 8) || 'zzzzzzzz'".to_owned() } else { n.clone() }).collect();
    let sql = format!("INSERT INTO signal ({}) SELECT {} FROM signal WHERE id = ?", names.join(", "), taken.join(", "));
    assert!(store.execute(&sql, [id]).expect("a twin") >= 1);
}
