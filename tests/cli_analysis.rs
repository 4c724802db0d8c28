//! The real program asked what the market means: over a game written by hand, and over a recorded day where it is at
//! hand.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};
use stratum::market::time::Timestamp;

const START: &str = "2025-11-09T18:00:00Z";
const NEXT_DAY: &str = "2025-11-10T18:00:00Z";
const MINUTE: i64 = 60_000;
/// Book and minutes before the start at which it moves.
const BOOKS: [(&str, i64); 8] = [
    ("pinnacle", 19),
    ("draftkings", 18),
    ("fanduel", 18),
    ("betmgm", 18),
    ("williamhill_us", 17),
    ("betrivers", 17),
    ("bovada", 17),
    ("mybookieag", 17),
];

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("dir"))
    }

    /// With these recordings imported.
    fn with(recording: &Path) -> Self {
        let home = Self::new();
        let output = home.run(&["import", recording.to_str().expect("text")]);
        assert!(output.status.success(), "{}", err(&output));
        home
    }

    /// With the game of this file.
    fn filled() -> Self {
        let folder = tempfile::tempdir().expect("dir");
        let path = folder.path().join("nfl.jsonl");
        std::fs::write(&path, recording()).expect("writes");
        Self::with(&path)
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("stratum").expect("program");
        command
            .env_clear()
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("STRATUM_DATA_DIR", self.0.path().join("all"))
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

    fn table(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success() && err(&output).is_empty(), "{args:?}: {}", err(&output));
        out(&output)
    }

    fn fails(&self, args: &[&str], code: i32, with: &str) {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
        assert!(output.stdout.is_empty() && err(&output).contains(with), "{args:?}: {}", err(&output));
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// A market of two outcomes: name, American odds, line.
fn market(key: &str, at: Timestamp, outcomes: [(&str, i64, Option<f64>); 2]) -> Value {
    let outcomes = outcomes.map(|(name, price, point)| match point {
        None => json!({"name": name, "price": price}),
        Some(point) => json!({"name": name, "price": price, "point": point}),
    });
    json!({"key": key, "last_update": at.to_wire(), "outcomes": outcomes})
}

fn book(key: &str, at: Timestamp, markets: Vec<Value>) -> Value {
    json!({"key": key, "title": key, "last_update": at.to_wire(), "markets": markets})
}

/// The game: eight books at -2.5, looked at every minute; within three looks all go to -4; a last look a minute before
/// the start, and one in play. The game of the next day has an arbitrage, a bet worth taking and one too good to be true.
fn recording() -> String {
    let start = Timestamp::parse(START).expect("time");
    let mut lines = String::new();
    for before in (1..=30).rev().chain([-3]) {
        let at = start.plus(-before * MINUTE);
        let today = BOOKS.map(|(key, moves)| {
            let line = match before {
                ..0 => -7.5,
                b if b <= moves => -4.0,
                _ => -2.5,
            };
            let spread =
                market("spreads", at, [("Detroit Lions", -110, Some(line)), ("Chicago Bears", -110, Some(-line))]);
            book(key, at, vec![spread])
        });
        let next = BOOKS.map(|(key, _)| {
            let (over, under) = match key {
                "fanduel" => (105, -130),
                "draftkings" => (-130, 105),
                _ => (-110, -110),
            };
            let (home, away) = if key == "bovada" { (150, -180) } else { (-110, -110) };
            let total = market("totals", at, [("Over", over, Some(44.5)), ("Under", under, Some(44.5))]);
            book(
                key,
                at,
                vec![total, market("h2h", at, [("Green Bay Packers", home, None), ("Minnesota Vikings", away, None)])],
            )
        });
        let game = |id: &str, when: &str, home: &str, away: &str, books: &[Value]| {
            json!({"id": id, "sport_key": "americanfootball_nfl", "sport_title": "NFL", "commence_time": when,
                   "home_team": home, "away_team": away, "bookmakers": books})
        };
        let body = [
            game("aaa111", START, "Detroit Lions", "Chicago Bears", &today),
            game("bbb222", NEXT_DAY, "Green Bay Packers", "Minnesota Vikings", &next),
        ];
        let line = json!({"captured_at": at.to_wire(), "source": "the-odds-api", "endpoint": "odds",
                          "sport": "americanfootball_nfl",
                          "asked": {"markets": ["h2h", "spreads", "totals"], "regions": ["us", "eu"]},
                          "status": 200, "body": body});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}

fn before(minutes: i64) -> String {
    Timestamp::parse(START).expect("time").plus(-minutes * MINUTE).to_wire()
}

fn has(row: &Value, fields: &[&str]) {
    for field in fields {
        assert!(row.get(field).is_some(), "{field} is missing: {row}");
    }
}

fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field].as_str().unwrap_or_default()
}

fn number(row: &Value, field: &str) -> f64 {
    row[field].as_f64().unwrap_or(f64::NAN)
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn the_move_is_told_and_filters_hold() {
    let home = Home::filled();
    let all = home.rows(&["signals"]);
    let fields = [
        "id",
        "version",
        "type",
        "event_id",
        "sport",
        "market",
        "selection",
        "side",
        "direction",
        "window_minutes",
        "from_value",
        "to_value",
        "entry",
        "books_affected",
        "evidence",
        "sampling",
        "minutes_to_tip",
        "time_bucket",
        "strength",
        "components",
        "composite",
        "tier",
        "score_source",
        "detected_at",
    ];
    all.iter().for_each(|row| has(row, &fields));
    let types: BTreeSet<&str> = all.iter().map(|s| text(s, "type")).collect();
    // The steam is told instead of the move and the sync that it is made of.
    assert!(types.contains("KEY_CROSS") && types.contains("STEAM"), "{types:?}");
    assert!(all.is_sorted_by_key(|s| text(s, "detected_at").to_owned()));
    let of = |args: &[&str]| home.rows(&[&["signals"], args].concat());
    let count = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|s| keep(s)).count();

    let some = of(&["--type", "steam,KEY_CROSS"]);
    assert!(some.iter().all(|s| ["STEAM", "KEY_CROSS"].contains(&text(s, "type"))));
    assert_eq!(some.len(), count(&|s| ["STEAM", "KEY_CROSS"].contains(&text(s, "type"))));
    let steam = of(&["--type", "STEAM"]);
    assert_eq!((text(&steam[0], "selection"), &steam[0]["unit"]), ("Detroit Lions", &json!("line")));
    for tier in ["High", "Medium", "Low"] {
        let only = of(&["--tier", &tier.to_lowercase()]);
        assert_eq!(only.len(), count(&|s| text(s, "tier") == tier), "that tier exactly");
    }
    assert_eq!(of(&["--min-score", "55"]).len(), count(&|s| s["composite"].as_u64() >= Some(55)));
    assert_eq!(of(&["--min-strength", "60"]).len(), count(&|s| s["strength"].as_u64() >= Some(60)));
    assert_eq!(of(&["--velocity-gt", "1"]).len(), count(&|s| number(s, "velocity_minutes") > 1.0));
    assert_eq!(
        of(&["--time-bucket", "pretip,LATE"]).len(),
        count(&|s| ["PRETIP", "LATE"].contains(&text(s, "time_bucket")))
    );
    assert!(of(&["--time-bucket", "OPEN"]).iter().all(|s| text(s, "time_bucket") == "OPEN"));
    assert!(
        of(&["--preset", "steam_only"])
            .iter()
            .all(|s| text(s, "type") == "STEAM" && number(s, "books_affected") >= 4.0)
    );
    assert_eq!(of(&["--since", &before(18)]).len() + of(&["--until", &before(18)]).len(), all.len());
    assert_eq!(of(&["--limit", "2"]), all[all.len() - 2..]);
    assert_eq!(of(&["--event", "Lions", "--market", "spreads"]).len(), count(&|s| s["event_id"] == 1));

    let table = home.table(&["signals"]);
    assert_eq!(table.lines().count(), all.len() + 1);
    assert!(
        table.starts_with("DETECTED (UTC)") && table.contains("STEAM") && table.contains(text(&steam[0], "id")),
        "{table}"
    );
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let home = Home::filled();
    home.fails(&["signals", "--type", "STORM"], 2, "KEY_CROSS");
    home.fails(&["signals", "--time-bucket", "NOON"], 2, "PRETIP");
    home.fails(&["signals", "--tier", "huge"], 2, "medium");
    home.fails(&["signals", "--preset", "best"], 2, "steam_only");
    home.fails(&["signals", "--sport", "icehockey_nhl"], 3, "americanfootball_nfl");
    home.fails(&["signals", "--market", "spread"], 3, "spreads");
    home.fails(&["signals", "--event", "Knicks"], 3, "Knicks");
    home.fails(&["signals", "--not-evaluable", "--market", "spreads"], 2, "--market");
    home.fails(&["clv", "summary", "--grades", "F"], 2, "A, B, C or D");
    home.fails(&["clv", "records", "--grades", "E"], 2, "A, B, C, D, F, none");
    home.fails(&["close", "--grade", "E"], 2, "A, B, C, D, F, none");
    home.fails(&["close", "--market", "spread"], 3, "totals");
    home.fails(&["fair", "--leave-out", "my_uncle"], 3, "pinnacle");
    home.fails(&["fair", "Lions", "--market", "totals"], 3, "spreads");
    home.fails(&["fair", "Lions", "--as-of", "2025-11-09 12:00"], 3, "first seen");
    home.fails(&["consensus", "--history"], 2, "EVENT");
    home.fails(&["opportunities", "--books", "my_uncle"], 3, "pinnacle");
    home.fails(&["opportunities", "--stake", "-5"], 2, "");
    home.fails(&["opportunities", "Packers", "--market", "totals", "--card", "home"], 3, "over, under");
    home.fails(&["opportunities", "--card", "home"], 2, "EVENT");
}

#[test]
fn what_could_not_be_judged_is_counted() {
    let home = Home::filled();
    let rows = home.rows(&["signals", "--not-evaluable"]);
    let fields = [
        "detector",
        "sport",
        "evaluated",
        "not_evaluable",
        "share_not_evaluable",
        "longest_gap_seconds",
        "needed_gap_seconds",
        "suppressed",
    ];
    rows.iter().for_each(|row| has(row, &fields));
    let steam = rows.iter().find(|r| r["detector"] == "STEAM").expect("steam");
    assert!(steam["evaluated"].as_u64() > Some(0));
    let all = number(steam, "evaluated") + number(steam, "not_evaluable");
    near(number(steam, "share_not_evaluable"), number(steam, "not_evaluable") / all);
    let one = home.rows(&["signals", "--not-evaluable", "--type", "STEAM"]);
    assert_eq!(one, std::slice::from_ref(steam));
    assert!(home.table(&["signals", "--not-evaluable"]).contains("NEEDS GAPS UP TO"));
}

#[test]
fn fair_prices_are_those_of_the_others() {
    let home = Home::filled();
    let at = before(25);
    let rows = home.rows(&["fair", "--as-of", &at]);
    let fields = [
        "event_id",
        "market",
        "selection",
        "side",
        "left_out_book",
        "fair_line",
        "fair_probability",
        "at_line",
        "standard_error",
        "effective_books",
        "families",
        "books",
        "excluded",
        "method",
        "scale",
        "model",
        "as_of",
    ];
    rows.iter().for_each(|row| has(row, &fields));
    // Three questions of two sides, priced by all and without each of eight books.
    assert_eq!(rows.len(), 3 * 2 * 9);
    for row in &rows {
        assert_eq!(row["as_of"], at.as_str());
        let list = |of: &str| row[of].as_array().expect("list").clone();
        let (books, excluded) = (list("books"), list("excluded"));
        assert_eq!(books.len() + excluded.len(), 8, "every book has a part or a reason: {row}");
        if let Some(out) = row["left_out_book"].as_str() {
            assert!(
                books.iter().all(|b| b["book"] != out)
                    && excluded.iter().any(|b| b["book"] == out && b["reason"] == "left_out")
            );
        }
        // What is told is what the price is made of.
        let (mut sum, mut weight) = (0.0, 0.0);
        for b in &books {
            let w = number(b, "weight") * number(b, "share");
            (sum, weight) = (sum + w * number(b, "value"), weight + w);
        }
        near(sum / weight, number(row, "value"));
    }
    let side = |side: &str, out: Value| {
        rows.iter()
            .find(|r| r["market"] == "spreads" && r["side"] == side && r["left_out_book"] == out)
            .expect("row")
            .clone()
    };
    let (lions, bears) = (side("home", Value::Null), side("away", Value::Null));
    assert_eq!((lions["at_line"].as_f64(), bears["at_line"].as_f64()), (Some(-2.5), Some(2.5)));
    near(number(&lions, "fair_probability") + number(&bears, "fair_probability"), 1.0);
    near(number(&lions, "fair_probability"), 0.5);
    let none = home.rows(&["fair", "--as-of", &at, "--leave-out", "none"]);
    assert!(none.len() == 6 && none.iter().all(|r| r["left_out_book"].is_null()));
    let one = home.rows(&["fair", "Lions", "--as-of", &at, "--leave-out", "fanduel"]);
    assert!(one.len() == 2 && one.iter().all(|r| r["left_out_book"] == "fanduel"));
    assert_eq!(one[0], side("home", json!("fanduel")));
    // The newest look is in play for the first game: without a name only the second is meant, and ages count to it.
    let newest = home.rows(&["fair", "--leave-out", "none"]);
    assert!(newest.iter().all(|r| r["event_id"] == 2 && r["as_of"] == before(-3).as_str()), "{newest:?}");
    assert!(newest.iter().all(|r| r["books"].as_array().expect("books").iter().all(|b| b["age_seconds"] == 0.0)));
    let table = home.table(&["fair", "--as-of", &at, "--leave-out", "none"]);
    assert!(table.lines().count() == 7 && table.contains("50.00") && table.contains("+2.5"), "{table}");
}

#[test]
fn the_consensus_is_the_stored_one() {
    let home = Home::filled();
    let rows = home.rows(&["consensus", "--as-of", &before(25)]);
    let fields = [
        "event_id",
        "market",
        "selection",
        "side",
        "line",
        "probability",
        "price_decimal",
        "price_american",
        "dispersion",
        "books",
        "excluded",
        "as_of",
    ];
    rows.iter().for_each(|row| has(row, &fields));
    assert_eq!(rows.len(), 6);
    for row in &rows {
        near(number(row, "price_decimal") * number(row, "probability"), 1.0);
        assert_eq!(row["books"], 8);
    }
    let history = home.rows(&["consensus", "Lions", "--history"]);
    assert!(history.len() >= 4 && history.is_sorted_by_key(|r| text(r, "at").to_owned()));
    let lines: Vec<f64> = history.iter().filter(|r| r["side"] == "home").map(|r| number(r, "line")).collect();
    assert!(lines.first() == Some(&-2.5) && lines.contains(&-4.0), "{lines:?}");
    for point in history.iter().filter(|r| !r["probability"].is_null()) {
        let then = home.rows(&["consensus", "Lions", "--as-of", text(point, "at")]);
        let same = then.iter().find(|r| r["side"] == point["side"]).expect("row");
        near(number(same, "line"), number(point, "line"));
        near(number(same, "probability"), number(point, "probability"));
        let fair = home.rows(&["fair", "Lions", "--leave-out", "none", "--as-of", text(point, "at")]);
        let same = fair.iter().find(|r| r["side"] == point["side"]).expect("row");
        near(number(same, "fair_probability"), number(point, "fair_probability"));
        near(number(same, "fair_line"), number(point, "fair_line"));
    }
    assert!(home.table(&["consensus", "Lions", "--history"]).starts_with("AT (UTC)"));
    assert!(home.table(&["consensus", "Lions", "--as-of", &before(25)]).contains("Detroit Lions"));
}

#[test]
fn opportunities_are_sorted_staked_and_held_back() {
    let home = Home::filled();
    let rows = home.rows(&["opportunities"]);
    let fields = [
        "kind",
        "event_id",
        "market",
        "selection",
        "legs",
        "ev",
        "edge",
        "fair_probability",
        "standard_error",
        "kelly",
        "chance",
        "suspect",
        "as_of",
    ];
    rows.iter().for_each(|row| has(row, &fields));
    assert!(rows.iter().all(|r| r["suspect"] == false && r["event_id"] == 2));
    assert!(rows.is_sorted_by(|a, b| number(a, "ev") >= number(b, "ev")));
    let all = home.rows(&["opportunities", "--suspect"]);
    let gift = all.iter().find(|r| r["suspect"] == true).expect("a gift");
    assert_eq!((text(gift, "selection"), text(&gift["legs"][0], "book")), ("Green Bay Packers", "bovada"));
    assert_eq!(rows.len(), all.iter().filter(|r| r["suspect"] == false).count());
    let table = home.table(&["opportunities"]);
    let hidden = all.len() - rows.len();
    assert!(table.trim_end().ends_with(&format!("{hidden} more too good to be true; --suspect shows them")), "{table}");

    let staked =
        home.rows(&["opportunities", "--kind", "arbitrage", "--market", "totals", "--stake", "500", "--round", "10"]);
    let [arbitrage] = &staked[..] else { panic!("{staked:?}") };
    let legs = arbitrage["legs"].as_array().expect("legs");
    let books: Vec<&str> = legs.iter().map(|l| text(l, "book")).collect();
    assert_eq!(books, ["fanduel", "draftkings"]);
    let stakes: f64 = legs.iter().map(|l| number(l, "stake")).sum();
    near(stakes, number(arbitrage, "staked"));
    for (leg, profit) in legs.iter().zip(arbitrage["profits"].as_array().expect("profits")) {
        assert_eq!(number(leg, "stake") % 10.0, 0.0);
        near(profit.as_f64().expect("profit"), number(leg, "stake") * number(leg, "odds") - stakes);
        has(leg, &["side", "selection", "line", "price", "price_american", "age_seconds", "share"]);
    }
    near(number(arbitrage, "worst"), 12.5);
    let table =
        home.table(&["opportunities", "--kind", "arbitrage", "--market", "totals", "--stake", "500", "--round", "10"]);
    assert!(table.contains("250 on Over 44.5 +105 fanduel") && table.contains("WORST"), "{table}");

    // Where one of its legs is out of reach it is none, and the best of the rest is looked for.
    let few = home.rows(&["opportunities", "--books", "fanduel,betmgm", "--suspect"]);
    let own = |l: &Value| ["fanduel", "betmgm"].contains(&text(l, "book"));
    assert!(few.iter().all(|r| r["legs"].as_array().expect("legs").iter().all(own)), "{few:?}");
    assert!(few.iter().all(|r| r["kind"] != "arbitrage"));
    assert!(few.iter().any(|r| r["kind"] == "positive_ev"), "{few:?}");
    assert!(home.rows(&["opportunities", "--min-ev", "0.01"]).iter().all(|r| number(r, "ev") >= 0.01));
}

#[test]
fn a_card_says_what_to_take_or_that_there_is_nothing() {
    let home = Home::filled();
    let card = |args: &[&str]| home.rows(&[&["opportunities", "Packers"], args].concat());
    let over = card(&["--market", "totals", "--card", "over"]);
    assert_eq!((over.len(), text(&over[0], "state"), text(&over[0]["best"], "book")), (1, "take", "fanduel"));
    assert_eq!(over[0]["rows"].as_array().map(Vec::len), Some(8));
    let away = card(&["--market", "h2h", "--card", "Minnesota Vikings"]);
    assert_eq!((text(&away[0], "state"), &away[0]["best"]), ("nothing_to_take", &Value::Null));
    let home_side = card(&["--market", "h2h", "--card", "home"]);
    assert_eq!(text(&home_side[0], "state"), "only_suspect");
    let table = home.table(&["opportunities", "Packers", "--market", "h2h", "--card", "away"]);
    assert!(table.contains("nothing to take: no price is above the fair one"), "{table}");
    assert!(
        home.table(&["opportunities", "Packers", "--market", "totals", "--card", "over"])
            .contains("take 44.5 +105 at fanduel")
    );
}

#[test]
fn closes_gradings_and_signals_agree() {
    let home = Home::filled();
    let closes = home.rows(&["close"]);
    let fields = [
        "event_id",
        "market",
        "selection",
        "side",
        "version",
        "start",
        "seen_at",
        "grade",
        "reason",
        "provisional",
        "line",
        "fair_line",
        "fair_probability",
        "price",
        "scale",
        "value",
        "standard_error",
        "effective_books",
        "books",
        "sharp",
        "age_seconds",
    ];
    closes.iter().for_each(|row| has(row, &fields));
    let [lions, bears] = &closes[..] else { panic!("one question of two sides: {closes:?}") };
    assert_eq!((text(lions, "grade"), lions["line"].as_f64(), bears["line"].as_f64()), ("A", Some(-4.0), Some(4.0)));
    assert_eq!((text(lions, "start"), text(lions, "seen_at")), (START, before(1).as_str()));
    near(number(lions, "fair_probability"), 0.5);
    near(number(lions, "price"), 2.0);
    assert_eq!(home.rows(&["close", "Lions", "--grade", "A,B"]).len(), 2);
    assert!(home.rows(&["close", "--grade", "none"]).is_empty() && home.rows(&["close", "Packers"]).is_empty());
    assert!(home.rows(&["close", "--since", NEXT_DAY]).is_empty());
    assert!(home.table(&["close"]).contains("Detroit Lions"));

    let signals: BTreeMap<String, Value> =
        home.rows(&["signals", "--event", "Lions"]).into_iter().map(|s| (text(&s, "id").to_owned(), s)).collect();
    let records = home.rows(&["clv", "records", "--event", "Lions"]);
    assert!(!records.is_empty() && records.is_sorted_by_key(|r| text(r, "detected_at").to_owned()));
    for row in &records {
        has(
            row,
            &[
                "signal_id",
                "type",
                "event_id",
                "market",
                "selection",
                "entry",
                "close",
                "clv_ev",
                "clv_points",
                "clv_price",
            ],
        );
        let signal = &signals[text(row, "signal_id")];
        for same in ["type", "event_id", "market", "selection", "side", "entry", "detected_at", "time_bucket"] {
            assert_eq!(row[same], signal[same], "{same}");
        }
        let close = if row["side"] == "home" { lions } else { bears };
        assert_eq!((&row["close"]["grade"], &row["close"]["line"]), (&close["grade"], &close["line"]));
        if row["left_out"].is_null() {
            near(number(row, "clv_points"), number(&row["entry"], "line") - number(close, "line"));
        }
    }
    let steam = records.iter().find(|r| r["type"] == "STEAM").expect("steam is graded");
    assert!(number(steam, "clv_ev").is_finite());

    let every = home.rows(&["clv", "records"]);
    let counts = |row: &&Value| ["A", "B"].contains(&text(&row["close"], "grade")) && row["clv_ev"].is_number();
    let summary = home.rows(&["clv", "summary"]);
    let sum = |rows: &[Value], field: &str| rows.iter().map(|r| number(r, field)).sum::<f64>();
    assert_eq!(sum(&summary, "signals"), every.len() as f64);
    assert_eq!(sum(&summary, "graded"), every.iter().filter(counts).count() as f64);
    let cards = home.rows(&["clv", "scorecards"]);
    has(
        &cards[0],
        &["type", "market", "time_bucket", "sport", "tier", "mean_clv_ev", "positive_rate", "events", "months"],
    );
    assert_eq!(sum(&cards, "signals"), every.len() as f64);
    let days = home.rows(&["clv", "recap"]);
    assert!(days.iter().any(|d| d["from"] == "2025-11-09" && d["to"] == "2025-11-09"), "{days:?}");
    let weeks = home.rows(&["clv", "recap", "--by", "week"]);
    assert_eq!((&weeks[0]["from"], &weeks[0]["to"]), (&json!("2025-11-03"), &json!("2025-11-09")));

    assert!(home.rows(&["clv", "records", "--type", "STEAM"]).iter().all(|r| r["type"] == "STEAM"));
    assert!(home.rows(&["clv", "records", "--grades", "C"]).is_empty());
    assert!(home.rows(&["clv", "summary", "--preset", "steam_only"]).is_empty(), "one game is too little for a preset");
    let slow = home.rows(&["clv", "records", "--velocity-gt", "1"]);
    assert!(slow.iter().all(|r| number(&signals[text(r, "signal_id")], "velocity_minutes") > 1.0));
    for view in ["summary", "scorecards", "records", "recap"] {
        let table = home.table(&["clv", view]);
        assert!(table.contains("CLV %") && table.lines().count() > 1, "{table}");
    }
}

#[test]
fn an_empty_store_has_no_answers_and_no_failures() {
    let home = Home::new();
    let path = home.0.path().join("empty.jsonl");
    std::fs::write(&path, "").expect("writes");
    home.run(&["import", path.to_str().expect("text")]);
    for args in [&["signals"][..], &["fair"], &["consensus"], &["opportunities"], &["close"], &["clv", "summary"]] {
        assert!(home.rows(args).is_empty(), "{args:?}");
        assert_eq!(home.table(args).lines().count(), 1, "{args:?}: the heading");
    }
}

#[test]
fn a_recorded_day_agrees_with_itself() {
    let Some(file) = common::series("ncaaf_2025_11_08") else { return };
    let home = Home::with(&file);
    let signals: BTreeMap<String, Value> =
        home.rows(&["signals"]).into_iter().map(|s| (text(&s, "id").to_owned(), s)).collect();
    let records = home.rows(&["clv", "records"]);
    let closes: BTreeMap<(String, String, String), Value> = home
        .rows(&["close"])
        .into_iter()
        .map(|c| ((c["event_id"].to_string(), text(&c, "market").to_owned(), text(&c, "selection").to_owned()), c))
        .collect();
    assert!(!signals.is_empty() && !records.is_empty() && !closes.is_empty());
    for row in &records {
        assert!(signals.contains_key(text(row, "signal_id")));
        let key = (row["event_id"].to_string(), text(row, "market").to_owned(), text(row, "selection").to_owned());
        if !row["close"]["grade"].is_null() {
            let close = closes.get(&key).expect("its close");
            assert_eq!(row["close"]["grade"], close["grade"]);
            assert!(!row["left_out"].is_null() || row["close"]["line"] == close["line"], "{row} {close}");
            assert!(text(close, "seen_at") <= text(close, "start"));
        }
        assert!(row["clv_ev"].is_number() || !row["left_out"].is_null(), "a value or a reason: {row}");
    }
    for close in closes.values() {
        assert!(close["fair_probability"].is_number() || !close["reason"].is_null(), "{close}");
    }
    for row in home.rows(&["fair", "--as-of", "2025-11-08 17:30", "--sport", "americanfootball_ncaaf"]) {
        let books = row["books"].as_array().expect("books");
        assert!(row["fair_probability"].is_number() || row["reason"] == "too_few_independent_books");
        let family = row["left_out_book"].as_str();
        assert!(books.iter().all(|b| Some(text(b, "book")) != family));
        let weight: f64 = books.iter().map(|b| number(b, "weight") * number(b, "share")).sum();
        let sum: f64 = books.iter().map(|b| number(b, "weight") * number(b, "share") * number(b, "value")).sum();
        if row["value"].is_number() {
            near(sum / weight, number(&row, "value"));
        }
    }
}
