//! The real program over a store: a recording goes in, and what was in it comes out again.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};
use stratum::store::Store;

const T1: &str = "2026-01-10T22:00:00Z";
const T2: &str = "2026-01-10T22:01:00Z";
const T3: &str = "2026-01-10T22:02:00Z";
const T4: &str = "2026-01-10T22:03:00Z";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("dir"))
    }

    /// A home with the recording imported.
    fn filled() -> Self {
        let home = Self::new();
        let output = home.run(&["import", &home.recording()]);
        assert!(output.status.success(), "{}", err(&output));
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn store(&self) -> PathBuf {
        self.path().join("all/stratum.db")
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("stratum").expect("program");
        command
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("STRATUM_DATA_DIR", self.path().join("all"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().expect("runs")
    }

    fn rows(&self, args: &[&str]) -> Vec<Value> {
        let output = self.command().args(args).arg("--json").output().expect("runs");
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).expect("a JSON array")
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("text").to_owned()
    }

    /// Four looks at two games. Book `betmgm` moves at the second look and is gone from the third, which also moves
    /// the start of the second game; the fourth is like the third.
    fn recording(&self) -> String {
        let moved = "2026-01-11T01:30:00Z";
        let looks = [
            (
                T1,
                vec![
                    lakers(&[book("fanduel", T1, -110, -3.5), book("betmgm", T1, -105, -3.0)]),
                    heat("2026-01-11T00:30:00Z"),
                ],
            ),
            (
                T2,
                vec![
                    lakers(&[book("fanduel", T2, -110, -3.5), book("betmgm", T2, -115, -3.5)]),
                    heat("2026-01-11T00:30:00Z"),
                ],
            ),
            (T3, vec![lakers(&[book("fanduel", T3, -112, -3.5)]), heat(moved)]),
            (T4, vec![lakers(&[book("fanduel", T4, -112, -3.5)]), heat(moved)]),
        ];
        let lines: String = looks
            .iter()
            .map(|(at, events)| {
                json!({"captured_at": at, "source": "the-odds-api", "endpoint": "odds", "sport": "basketball_nba",
                       "asked": {"markets": ["spreads"], "regions": ["us"]}, "status": 200, "body": events})
                .to_string()
                    + "\n"
            })
            .collect();
        self.write("nba.jsonl", &lines)
    }
}

fn game(id: &str, start: &str, home: &str, away: &str, books: &[Value]) -> Value {
    json!({"id": id, "sport_key": "basketball_nba", "sport_title": "NBA", "commence_time": start,
           "home_team": home, "away_team": away, "bookmakers": books})
}

fn lakers(books: &[Value]) -> Value {
    game("aaa111", "2026-01-11T00:00:00Z", "Boston Celtics", "Los Angeles Lakers", books)
}

fn heat(start: &str) -> Value {
    game("bbb222", start, "Los Angeles Clippers", "Miami Heat", &[])
}

fn book(key: &str, at: &str, price: i64, point: f64) -> Value {
    json!({"key": key, "title": key, "last_update": at, "markets": [{"key": "spreads", "last_update": at, "outcomes": [
        {"name": "Boston Celtics", "price": price, "point": point},
        {"name": "Los Angeles Lakers", "price": -220 - price, "point": -point}]}]})
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn of_book<'r>(rows: &'r [Value], book: &str) -> Vec<&'r Value> {
    rows.iter().filter(|r| r["book"] == book && r["side"] == "home").collect()
}

#[test]
fn an_import_tells_what_it_took_and_takes_nothing_twice() {
    let home = Home::new();
    let recording = home.recording();
    let first = home.rows(&["import", &recording]);
    let [summary] = first.as_slice() else { panic!("one object: {first:?}") };
    assert_eq!(
        (summary["files"].as_u64(), summary["lines"].as_u64(), summary["looks"].as_u64()),
        (Some(1), Some(4), Some(4))
    );
    // Twice two sides, then two moved, then two gone and two moved, then nothing.
    assert_eq!((summary["quotes"].as_u64(), summary["changes"].as_u64()), (Some(12), Some(10)));
    let before = home.run(&["quotes", "Celtics", "--json"]).stdout;
    let again = home.rows(&["import", &recording]);
    assert_eq!((again[0]["looks"].as_u64(), again[0]["known_looks"].as_u64()), (Some(0), Some(4)));
    assert_eq!(home.run(&["quotes", "Celtics", "--json"]).stdout, before);
    let text = home.run(&["import", &recording]);
    assert!(out(&text).contains("known already         4") && err(&text).is_empty(), "{}{}", out(&text), err(&text));
}

#[test]
fn the_status_adds_up() {
    let home = Home::filled();
    let rows = home.rows(&["status"]);
    assert!(rows.iter().all(|r| r.as_object().is_some_and(|o| o.values().all(|v| !v.is_object() && !v.is_array()))));
    let kind = |kind: &str| rows.iter().filter(|r| r["kind"] == kind).collect::<Vec<_>>();
    let [store] = kind("store")[..] else { panic!("{rows:?}") };
    assert_eq!((store["looks"].as_u64(), store["writer_pid"].as_u64()), (Some(4), None));
    assert!(store["size_bytes"].as_u64() > Some(1000) && store["newest_look"] == T4);
    let [sport] = kind("sport")[..] else { panic!("{rows:?}") };
    assert_eq!(
        (sport["events"].as_u64(), sport["looks"].as_u64(), sport["changes"].as_u64()),
        (Some(2), Some(4), Some(10))
    );
    assert_eq!(
        (&sport["sport"], &sport["first_look"], &sport["last_look"]),
        (&json!("basketball_nba"), &json!(T1), &json!(T4))
    );
    let text = out(&home.run(&["status"]));
    assert!(
        text.contains("stratum.db") && text.contains("2026-01-10 22:03") && text.contains("writer   none"),
        "{text}"
    );
    let report = home.rows(&["doctor"]);
    let value =
        |name: &str| report.iter().find(|r| r["area"] == "store" && r["name"] == name).expect(name)["value"].clone();
    assert_eq!((value("looks"), value("newest look"), value("writer")), (json!("4"), json!(T4), json!("none")));
    assert!(value("schema").as_str().is_some_and(|v| v.contains("made by stratum")));
}

#[test]
fn events_are_told_as_they_were_known() {
    let home = Home::filled();
    let ids = |rows: &[Value]| {
        rows.iter().map(|r| r["provider_event_id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    let now = home.rows(&["events"]);
    assert_eq!(ids(&now), ["aaa111", "bbb222"]);
    assert_eq!(now[1]["commence_time"], "2026-01-11T01:30:00Z");
    let then = home.rows(&["events", "--as-of", T2]);
    assert_eq!(ids(&then), ["aaa111", "bbb222"]);
    assert_eq!(then[1]["commence_time"], "2026-01-11T00:30:00Z");
    assert!(
        home.rows(&["events", "--as-of", "2026-01-10 21:59"]).is_empty(),
        "nothing was known before the first look"
    );
    // Of the present more is known than the feed says.
    assert!(now.iter().all(|e| e["standing"] == "unreported" && e["standing_reason"].is_string()), "{now:?}");
    let feed = |rows: &[Value]| -> Vec<Value> {
        let mut rows = rows.to_vec();
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.retain(|name, _| !name.starts_with("standing"));
        }
        rows
    };
    assert_eq!(home.rows(&["events", "--sport", "basketball_nba", "--as-of", "now"]), feed(&now));
    let text = out(&home.run(&["events"]));
    assert!(text.contains("2026-01-11 01:30  Miami Heat @ Los Angeles Clippers "), "{text}");
    let none = home.run(&["events", "--sport", "icehockey_nhl"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(err(&none).contains("basketball_nba") && out(&none).is_empty());
}

#[test]
fn quotes_are_those_of_the_instant() {
    let home = Home::filled();
    let at = |time: &str| home.rows(&["quotes", "Celtics", "--as-of", time]);
    let first = at(T1);
    assert_eq!(first.len(), 4);
    assert_eq!(
        (&of_book(&first, "betmgm")[0]["line"], &of_book(&first, "betmgm")[0]["price_american"]),
        (&json!(-3.0), &json!(-105))
    );
    // A moment before the second look the first still holds, however close.
    assert_eq!(at("2026-01-10T22:00:59Z"), first);
    let second = at(T2);
    assert_eq!(
        (&of_book(&second, "betmgm")[0]["line"], &of_book(&second, "betmgm")[0]["status"]),
        (&json!(-3.5), &json!("open"))
    );
    assert_eq!(
        (&of_book(&second, "fanduel")[0]["last_changed"], &of_book(&second, "fanduel")[0]["last_seen"]),
        (&json!(T1), &json!(T2))
    );
    let newest = home.rows(&["quotes", "Celtics"]);
    assert_eq!(
        (&of_book(&newest, "betmgm")[0]["status"], &of_book(&newest, "betmgm")[0]["last_seen"]),
        (&json!("gone"), &json!(T2))
    );
    assert_eq!(
        (&of_book(&newest, "fanduel")[0]["price_american"], &of_book(&newest, "fanduel")[0]["provider_update"]),
        (&json!(-112), &json!(T4))
    );
    for row in &newest {
        assert_eq!(row["phase"], "pregame");
        assert!(row.as_object().is_some_and(|o| o.values().all(|v| !v.is_object() && !v.is_array())), "flat: {row}");
    }
    let one = home.rows(&["quotes", "1", "--book", "fanduel", "--market", "spreads"]);
    assert!(one.len() == 2 && one.iter().all(|r| r["book"] == "fanduel"));
    assert!(home.rows(&["quotes", "bbb222"]).is_empty(), "a game without quotes is no failure");
}

#[test]
fn the_same_question_has_the_same_answer() {
    let home = Home::filled();
    for args in [
        &["quotes", "aaa111", "--json"][..],
        &["quotes", "aaa111", "--json", "--as-of", T2, "--market", "spreads"],
        &["quotes", "aaa111"],
        &["history", "aaa111", "--market", "spreads", "--json"],
    ] {
        let first = home.run(args);
        assert!(first.status.success() && !first.stdout.is_empty());
        assert_eq!(home.run(args).stdout, first.stdout, "{args:?}");
    }
    // Another store from the same recording, too.
    assert_eq!(Home::filled().run(&["quotes", "1", "--json"]).stdout, home.run(&["quotes", "1", "--json"]).stdout);
}

#[test]
fn quotes_read_well() {
    let home = Home::filled();
    let text = out(&home.run(&["quotes", "Celtics"]));
    assert!(text.contains("1 Los Angeles Lakers @ Boston Celtics\n"), "{text}");
    assert!(text.contains("as of 2026-01-10 22:03:00 UTC, the newest look"), "{text}");
    let row = |book: &str| text.lines().find(|l| l.starts_with("Boston Celtics") && l.contains(book)).expect(book);
    let fields = |book: &str| row(book).split_whitespace().skip(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(fields("fanduel"), ["-3.5", "-112", "1.893", "0s", "1m", "pregame", "open"]);
    assert_eq!(fields("betmgm"), ["-3.5", "-115", "1.870", "2m", "2m", "pregame", "gone"]);
    assert!(text.contains("+3.5"), "the other side has the other sign: {text}");
    assert!(text.lines().all(|l| l.len() <= 100 && l.trim_end() == l && !l.contains('\u{1b}')), "{text}");
    let then = out(&home.run(&["quotes", "Celtics", "--as-of", "2026-01-10 22:01:30"]));
    assert!(then.contains("as of 2026-01-10 22:01:30 UTC\n") && then.contains("30s"), "{then}");
}

#[test]
fn history_has_a_row_for_each_change() {
    let home = Home::filled();
    let rows = home.rows(&["history", "Lakers", "--market", "spreads", "--book", "betmgm"]);
    let told: Vec<_> = of_book(&rows, "betmgm")
        .iter()
        .map(|r| (r["at"].as_str(), r["line"].as_f64(), r["price_american"].as_i64(), r["status"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(T1), Some(-3.0), Some(-105), Some("open")),
            (Some(T2), Some(-3.5), Some(-115), Some("open")),
            (Some(T3), Some(-3.5), Some(-115), Some("gone")),
        ]
    );
    assert_eq!(home.rows(&["history", "Lakers", "--market", "spreads"]).len(), 10);
    let text = out(&home.run(&["history", "Lakers", "--market", "spreads"]));
    assert!(text.contains("2026-01-10 22:02:00  Boston Celtics"), "{text}");
}

#[test]
fn what_is_not_there_ends_with_three() {
    let home = Home::filled();
    for (args, part) in [
        (&["quotes", "Knicks"][..], "stratum events"),
        (&["quotes", "99"], "no event fits"),
        (&["quotes", "Celtics", "--market", "totals"], "spreads"),
        (&["quotes", "Celtics", "--book", "pinnacle"], "betmgm, fanduel"),
        (&["quotes", "Celtics", "--as-of", "2026-01-10 21:00"], "first seen at 2026-01-10T22:00:00Z"),
        (&["history", "Celtics", "--market", "h2h"], "spreads"),
        (&["history", "Celtics", "--market", "spreads", "--book", "pinnacle"], "betmgm, fanduel"),
    ] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert!(err(&output).contains(part) && out(&output).is_empty(), "{args:?}: {}", err(&output));
    }
    assert_eq!(home.run(&["quotes", " "]).status.code(), Some(2));
    assert_eq!(home.run(&["quotes", "x", "--as-of", "soon"]).status.code(), Some(2));
    // Both games have a team of Los Angeles: neither is preferred.
    let several = home.run(&["quotes", "los angeles", "--json"]);
    assert_eq!(several.status.code(), Some(3));
    let said = err(&several);
    assert!(said.contains("fits 2 events") && said.contains("number"), "{said}");
    assert!(said.contains("Los Angeles Lakers @ Boston Celtics") && said.contains("2026-01-11 01:30"), "{said}");
    assert!(out(&several).is_empty());
}

#[test]
fn without_a_store_there_is_advice() {
    let home = Home::new();
    for args in [&["status"][..], &["events"], &["quotes", "x"], &["history", "x", "--market", "h2h"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(err(&output).contains("stratum import"), "{}", err(&output));
    }
    let missing = home.run(&["import", "/nonexistent.jsonl"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("/nonexistent.jsonl: cannot be opened"), "{}", err(&missing));
    assert!(!home.store().exists(), "looking makes nothing");
}

#[test]
fn a_store_that_cannot_be_had_ends_with_four() {
    let home = Home::new();
    let recording = home.recording();
    let held = Store::open(&home.store()).expect("opens");
    let output = home.run(&["import", &recording]);
    assert_eq!(output.status.code(), Some(4));
    let pid = std::process::id();
    assert!(err(&output).contains(&format!("process {pid}")), "{}", err(&output));
    // Readers are not kept out, and are told who writes.
    let status = home.rows(&["status"]);
    assert_eq!(status[0]["writer_pid"], pid);
    drop(held);
    let newer = rusqlite::Connection::open(home.store()).expect("opens");
    newer.pragma_update(None, "user_version", 9999).expect("writes");
    drop(newer);
    for args in [&["import", &recording][..], &["status"], &["quotes", "x"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(4), "{args:?}");
        assert!(err(&output).contains("update stratum"), "{}", err(&output));
    }
    let report = home.run(&["doctor"]);
    assert!(report.status.code() == Some(1) && out(&report).contains("update stratum"));
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("all")).expect("dir");
    std::fs::write(home.store(), "a letter to a friend, long enough to be taken for a page of something")
        .expect("writes");
    let recording = home.recording();
    for args in [&["import", &recording][..], &["status"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(err(&output).contains("is not a store"), "{}", err(&output));
    }
    assert!(std::fs::read_to_string(home.store()).expect("there").starts_with("a letter"));
}

#[test]
fn broken_lines_are_named_and_the_rest_is_taken() {
    let home = Home::new();
    let good = std::fs::read_to_string(home.recording()).expect("reads");
    let (first, rest) = good.split_once('\n').expect("lines");
    let mixed = home.write(
        "mixed.jsonl",
        &format!(
            "{first}\n{{\"captured_at\": oops\n{{\"captured_at\":\"{T1}\",\"body\":{{\"message\":\"quota\"}}}}\n{rest}"
        ),
    );
    let output = home.run(&["import", &mixed, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("mixed.jsonl:2"), "{}", err(&output));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (rows[0]["looks"].as_u64(), rows[0]["unreadable_lines"].as_u64(), rows[0]["lines_without_look"].as_u64()),
        (Some(4), Some(1), Some(1))
    );
    let home = Home::new();
    let broken = home.write("broken.jsonl", "{\"captured_at\": oops\n");
    let output = home.run(&["import", &broken]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("could be read") && err(&output).contains("broken.jsonl"), "{}", err(&output));
    // A log of something else holds no look, which is worth a word and no failure.
    let log = home.write("log.jsonl", &format!("{{\"captured_at\":\"{T1}\",\"body\":{{\"status\":\"healthy\"}}}}\n"));
    let output = home.run(&["import", &log]);
    assert_eq!(output.status.code(), Some(0));
    assert!(err(&output).contains("no answer of a provider"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let home = Home::filled();
    for args in
        [&["status"][..], &["events", "--json"], &["quotes", "Celtics"], &["history", "Celtics", "--market", "spreads"]]
    {
        let mut child = home.command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()), "{args:?}");
    }
}

/// A simulator that is stopped whatever happens to the test.
struct Sim {
    child: Child,
    address: String,
}

impl Sim {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home
            .command()
            .args(["sim", "--port", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("reads");
        let address = line.trim().strip_prefix("http://").expect(&line).to_owned();
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(&self.address).expect("connects");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n").expect("asks");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answers");
        answer
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
        self.child.wait().expect("ends").code()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn the_simulator_serves_until_it_is_told_to_stop() {
    let home = Home::new();
    for signal in ["-TERM", "-INT"] {
        let sim = Sim::start(&home, &["--scenario", "quiet", "--seed", "7"]);
        let sports = sim.get("/v4/sports?apiKey=demo");
        assert!(sports.starts_with("HTTP/1.1 200") && sports.contains("\"key\""), "{sports}");
        assert_eq!(sim.stop(signal), Some(0), "{signal}");
    }
    assert!(!home.store().exists(), "the simulator writes nothing");
}

#[cfg(unix)]
#[test]
fn a_recording_is_played_from_its_first_answer() {
    let home = Home::new();
    let sim = Sim::start(&home, &["--recording", &home.recording()]);
    let odds = sim.get("/v4/sports/basketball_nba/odds?apiKey=demo&regions=us&markets=spreads&oddsFormat=american");
    assert!(odds.starts_with("HTTP/1.1 200") && odds.contains("betmgm") && odds.contains("-105"), "{odds}");
    assert!(sim.get("/sim/state").contains("2026-01-10T22:00:0"), "{}", sim.get("/sim/state"));
    assert_eq!(sim.stop("-TERM"), Some(0));
}

#[test]
fn a_simulator_that_cannot_start_says_why() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = taken.local_addr().expect("address").port().to_string();
    let empty = home.write("empty.jsonl", "");
    for (args, part) in [
        (&["--scenario", "nothing_like_it"][..], "demo"),
        (&["--recording", "/nonexistent.jsonl"], "cannot be opened"),
        (&["--recording", &empty], "no answer with odds"),
        (&["--scenario", "quiet", "--port", &port], "choose another port"),
    ] {
        let output = home.command().arg("sim").args(args).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(err(&output).contains(part), "{args:?}: {}", err(&output));
    }
    assert_eq!(home.run(&["sim", "--speed", "0"]).status.code(), Some(2));
}
