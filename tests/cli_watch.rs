//! The real program and its watchlists: while a daemon owns the market store, without one, and after it was deleted.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};
use stratum::store::Store;
use stratum::store::desk::Desk;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("dir"))
    }

    /// A home whose market store knows three games.
    fn filled() -> Self {
        let home = Self::new();
        let path = home.0.path().join("nba.jsonl");
        let games = [
            game("aaa111", "2026-01-11T00:00:00Z", "Boston Celtics", "Los Angeles Lakers"),
            game("bbb222", "2026-01-11T01:00:00Z", "Los Angeles Clippers", "Miami Heat"),
            game("ccc333", "2026-01-13T00:00:00Z", "Miami Heat", "Boston Celtics"),
        ];
        let line = json!({"captured_at": "2026-01-10T22:00:00Z", "source": "the-odds-api", "endpoint": "odds",
            "sport": "basketball_nba", "asked": {"markets": ["spreads"], "regions": ["us"]}, "status": 200,
            "body": games});
        std::fs::write(&path, format!("{line}\n")).expect("writes");
        done(&home.run(&["import", path.to_str().expect("text")]));
        home
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("all")
    }

    fn desk(&self) -> PathBuf {
        self.folder().join("desk.db")
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::cargo_bin("stratum")
            .expect("program")
            .env_clear()
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("STRATUM_DATA_DIR", self.folder())
            .stdin(Stdio::null())
            .args(args)
            .output()
            .expect("runs")
    }

    fn watch(&self, args: &[&str]) -> Output {
        self.run(&[&["watch"], args].concat())
    }

    /// Runs a command that changes something: nothing of it is for a pipe.
    fn change(&self, args: &[&str]) -> String {
        let output = self.watch(args);
        done(&output);
        assert_eq!(out(&output), "", "{args:?}");
        err(&output)
    }

    fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.watch(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{args:?}");
        err(&output)
    }

    fn rows(&self, args: &[&str]) -> Vec<Value> {
        let output = self.watch(&[&["list"], args, &["--json"]].concat());
        done(&output);
        serde_json::from_slice(&output.stdout).expect("a JSON array")
    }

    fn names(&self) -> Vec<String> {
        let rows = self.rows(&[]);
        assert!((1..).zip(&rows).all(|(n, r)| r["position"] == json!(n)), "{rows:?}");
        rows.iter().map(|r| r["name"].as_str().expect("text").to_owned()).collect()
    }

    fn expressions(&self, list: &str) -> Vec<String> {
        let rows = self.rows(&[list]);
        assert!((1..).zip(&rows).all(|(n, r)| r["number"] == json!(n)), "{rows:?}");
        rows.iter().map(|r| r["expression"].as_str().expect("text").to_owned()).collect()
    }
}

fn game(id: &str, start: &str, home: &str, away: &str) -> Value {
    json!({"id": id, "sport_key": "basketball_nba", "sport_title": "NBA", "commence_time": start,
           "home_team": home, "away_team": away, "bookmakers": []})
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", err(output));
}

#[test]
fn lists_are_kept_while_a_daemon_owns_the_store() {
    let home = Home::filled();
    let store = home.folder().join("stratum.db");
    let daemon = Store::open(&store).expect("the store is ours now");
    assert_eq!(home.change(&["create", "Tonight"]), "");
    assert_eq!(home.change(&["add", "tonight", "--league", "NBA"]), "");
    assert_eq!(home.change(&["add", "Tonight", "--game", "lakers"]), "");
    assert_eq!(home.change(&["add", "Tonight", "--team", "heat", "--sport", "nba", "--not"]), "");
    assert_eq!(home.change(&["add", "Tonight", "--market", "spreads"]), "");
    assert_eq!(home.change(&["add", "Tonight", "--filter", "-ev<2"]), "");
    home.change(&["add", "Tonight", "--game", "aaa111"]);
    let said = [
        "sport:basketball_nba",
        r#"game:"aaa111""#,
        r#"-(team:"Miami Heat" sport:basketball_nba)"#,
        "market:spreads",
        "(-ev<2)",
    ];
    assert_eq!(home.expressions("Tonight"), said);
    drop(daemon);

    let game = home.rows(&["Tonight"]).swap_remove(1);
    for (field, is) in [
        ("kind", json!("game")),
        ("not", json!(false)),
        ("text", json!("aaa111")),
        ("sport", Value::Null),
        ("start", json!("2026-01-11T00:00:00Z")),
        ("label", json!("Los Angeles Lakers @ Boston Celtics")),
    ] {
        assert_eq!(game[field], is, "{field}");
    }
    // The market store is gone; what the user made is not.
    for name in ["stratum.db", "stratum.db-wal", "stratum.db-shm", "stratum.lock"] {
        let _ = std::fs::remove_file(home.folder().join(name));
    }
    assert_eq!(home.expressions("Tonight"), said);
    let table = home.watch(&["list", "Tonight"]);
    assert!(out(&table).starts_with("RULE  NOT  KIND    ABOUT"), "{}", out(&table));
    assert!(out(&table).contains("Los Angeles Lakers @ Boston Celtics"), "{}", out(&table));
}

#[test]
fn lists_are_made_renamed_moved_and_deleted() {
    let home = Home::new();
    assert_eq!(home.names(), [""; 0]);
    assert_eq!(out(&home.watch(&["list"])), "");
    assert!(!home.desk().exists(), "looking makes no file");
    let longest = "🏀".repeat(64);
    for name in ["  a ", "O'Neil \"b\"", "東京", &longest] {
        home.change(&["create", name]);
    }
    assert_eq!(home.names(), ["a", "O'Neil \"b\"", "東京", &longest]);
    home.change(&["move", "東京", "1"]);
    home.change(&["move", "A", "99"]);
    home.change(&["rename", &longest, "É"]);
    assert_eq!(home.names(), ["東京", "O'Neil \"b\"", "É", "a"]);
    assert!(out(&home.watch(&["list"])).starts_with("LIST  NAME"));
    assert!(home.fails(&["create", "é"], 1).contains("'É'"));
    assert!(home.fails(&["rename", "a", "東京"], 1).contains("already"));
    home.fails(&["create", &"x".repeat(65)], 2);
    home.fails(&["create", "a\nb"], 2);
    home.fails(&["create", " "], 2);
    let unknown = home.fails(&["delete", "nobody", "--yes"], 3);
    assert!(unknown.contains("no watchlist 'nobody'") && unknown.contains("東京"), "{unknown}");
    assert!(home.fails(&["delete", "a"], 2).contains("--yes"), "there is no terminal to ask on");
    home.change(&["delete", "a", "--yes"]);
    assert_eq!(home.names(), ["東京", "O'Neil \"b\"", "É"]);
}

#[test]
fn rules_go_by_their_number() {
    let home = Home::new();
    home.change(&["create", "x"]);
    for market in ["h2h", "spreads", "totals"] {
        home.change(&["add", "x", "--market", market]);
    }
    home.change(&["remove", "x", "2"]);
    assert_eq!(home.expressions("x"), ["market:h2h", "market:totals"]);
    assert!(home.fails(&["remove", "x", "3"], 3).contains("2 rules"));
    home.change(&["add", "x", "--market", "h2h", "--not"]);
    assert_eq!(home.expressions("x"), ["-(market:h2h)", "market:totals"]);
    for wrong in [
        &["add", "x"][..],
        &["add", "x", "--team", "a", "--league", "b"],
        &["add", "x", "--league", "nba", "--sport", "nba"],
        &["add", "x", "--filter", "  "],
        &["add", "x", "--team", ""],
        &["remove", "x", "0"],
        &["move", "x", "0"],
        &["nothing"],
    ] {
        home.fails(wrong, 2);
    }
    home.fails(&["add", "y", "--market", "h2h"], 3);
    home.fails(&["list", "y"], 3);
}

#[test]
fn a_game_has_to_be_one_game() {
    let home = Home::filled();
    home.change(&["create", "x"]);
    let several = home.fails(&["add", "x", "--game", "celtics"], 3);
    assert!(several.contains("fits 2 events") && several.contains("Boston Celtics @ Miami Heat"), "{several}");
    assert!(home.fails(&["add", "x", "--game", "knicks"], 3).contains("no event fits 'knicks'"));
    home.change(&["add", "x", "--game", "celtics @ miami"]);
    assert_eq!(home.expressions("x"), [r#"game:"ccc333""#]);

    let empty = Home::new();
    empty.change(&["create", "x"]);
    assert!(empty.fails(&["add", "x", "--game", "celtics"], 3).contains("no market store yet"));
    let warned = empty.change(&["add", "x", "--game", "e912304de2b2ce35b473ce2ecd3d1502"]);
    assert!(warned.contains("warning") && warned.contains("provider's id"), "{warned}");
}

#[test]
fn names_that_nobody_knows_are_taken_with_a_warning() {
    let home = Home::filled();
    home.change(&["create", "x"]);
    for (flag, text, hint) in [
        ("--team", "Bostn Celtics", "did you mean Boston Celtics?"),
        ("--league", "basketball_nbb", "did you mean basketball_nba"),
        ("--market", "spread", "did you mean spreads?"),
        ("--team", "FC \"東京\"", "no team"),
    ] {
        let warned = home.change(&["add", "x", flag, text]);
        assert!(warned.contains("stratum: warning: ") && warned.contains(hint), "{warned}");
    }
    assert_eq!(
        home.expressions("x"),
        [r#"team:"Bostn Celtics""#, "sport:basketball_nbb", "market:spread", r#"team:"FC \"東京\"""#]
    );
    assert!(home.fails(&["add", "x", "--team", "Giants"], 3).contains("San Francisco Giants (MLB)"));
}

#[test]
fn two_programs_write_at_once() {
    let home = Home::new();
    home.change(&["create", "x"]);
    std::thread::scope(|s| {
        for writer in 0..4 {
            let home = &home;
            s.spawn(move || {
                for n in 0..5 {
                    let key = format!("player_{writer}_{n}");
                    assert_eq!(home.change(&["add", "x", "--market", &key]), "");
                }
            });
        }
    });
    let mut rules = home.expressions("x");
    rules.sort();
    rules.dedup();
    assert_eq!(rules.len(), 20);
}

#[test]
fn a_desk_that_cannot_be_used_is_left_alone() {
    let home = Home::new();
    home.change(&["create", "x"]);
    let set = |sql: &str| {
        rusqlite::Connection::open(home.desk()).expect("opens").execute_batch(sql).expect("runs");
    };
    let bytes = |path: &Path| std::fs::read(path).expect("reads");
    set("PRAGMA user_version = 99");
    let before = bytes(&home.desk());
    assert!(home.fails(&["create", "y"], 4).contains("update stratum"));
    assert_eq!(bytes(&home.desk()), before);
    set(&format!("PRAGMA user_version = {}", stratum::store::desk::SCHEMA_VERSION));
    assert_eq!(home.names(), ["x"]);

    let damaged = b"not a database at all, and long enough to see".to_vec();
    for side in ["desk.db-wal", "desk.db-shm"] {
        let _ = std::fs::remove_file(home.folder().join(side));
    }
    std::fs::write(home.desk(), &damaged).expect("writes");
    for args in [&["list"][..], &["create", "y"], &["delete", "x", "--yes"]] {
        let said = home.fails(args, 1);
        assert!(said.contains("is damaged") && said.contains("desk.db"), "{said}");
    }
    assert_eq!(bytes(&home.desk()), damaged);
}

#[test]
fn a_board_notices_what_a_command_did() {
    let home = Home::new();
    home.change(&["create", "x"]);
    let board = Desk::open(&home.desk()).expect("opens");
    let before = board.version().expect("version");
    home.change(&["create", "y"]);
    assert_ne!(board.version().expect("version"), before);
    assert_eq!(board.lists().expect("lists").len(), 2);
}

/// The program on a terminal of its own: what it showed, and whether it succeeded.
#[cfg(unix)]
fn on_a_terminal(home: &Home, args: &[&str], typed: &str) -> (String, bool) {
    use std::io::{Read, Write};

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 100, ..PtySize::default() }).expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stratum"));
    command.env_clear();
    command.env("HOME", home.0.path());
    command.env("STRATUM_DATA_DIR", home.folder());
    command.arg("watch");
    command.args(args);
    let mut child = pty.slave.spawn_command(command).expect("starts");
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().expect("reader");
    let mut writer = pty.master.take_writer().expect("writer");
    writer.write_all(typed.as_bytes()).expect("types");
    let mut shown = Vec::new();
    // A terminal whose program has ended answers with an error on some systems.
    let _ = reader.read_to_end(&mut shown);
    (String::from_utf8_lossy(&shown).into_owned(), child.wait().expect("ends").success())
}

#[cfg(unix)]
#[test]
fn a_person_is_asked_and_told() {
    let home = Home::new();
    let (shown, ok) = on_a_terminal(&home, &["create", "Tonight"], "");
    assert!(ok && shown.contains("made 'Tonight'"), "{shown}");
    let (shown, ok) = on_a_terminal(&home, &["add", "Tonight", "--league", "nba", "--not"], "");
    assert!(ok && shown.contains("has the rule 'not league basketball_nba'"), "{shown}");
    for no in ["n\n", "\n", "nonsense\n"] {
        let (shown, ok) = on_a_terminal(&home, &["delete", "tonight"], no);
        assert!(!ok && shown.contains("Delete 'Tonight' with 1 rule? [y/N]"), "{shown}");
        assert_eq!(home.names(), ["Tonight"]);
    }
    let (shown, ok) = on_a_terminal(&home, &["delete", "tonight"], "y\n");
    assert!(ok && shown.contains("deleted 'Tonight', 1 rule"), "{shown}");
    let (shown, ok) = on_a_terminal(&home, &["list"], "");
    assert!(ok && shown.contains("there are no watchlists"), "{shown}");
}
