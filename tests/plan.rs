//! Polling by plan through the real program: what is asked, what it costs, what survives a kill, and `stratum plan`.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const KEY: &str = "0123456789abcdefSECRETfedcba9876543210";
const SPORTS: &str = "basketball_nba,icehockey_nhl";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sim(home: &Path) -> (Running, String) {
    let mut child = Command::new(BINARY)
        .arg("--data-dir")
        .arg(home.join("sim"))
        .args(["sim", "--speed", "1", "--seed", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim starts");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    (Running(child), url.trim().to_owned())
}

struct Desk {
    home: tempfile::TempDir,
    url: String,
}

impl Desk {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("STRATUM_ODDS_API_BASE_URL", &self.url)
            .env("STRATUM_ODDS_API_SPORTS", SPORTS)
            .arg("--data-dir")
            .arg(self.home.path().join("data"))
            .args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("runs")
    }

    fn daemon(&self) -> Running {
        let mut command = self.command(&["--daemon"]);
        command.env("ODDS_API_KEY", KEY).stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("starts"))
    }

    fn plan(&self, args: &[&str]) -> Value {
        let output = self.run(&[&["plan", "--json"], args].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// One number of the store; 0 while there is no store.
    fn number(&self, sql: &str) -> i64 {
        let path = self.home.path().join("data").join("stratum.db");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let asked = rusqlite::Connection::open_with_flags(path, flags).and_then(|c| c.query_row(sql, [], |r| r.get(0)));
        asked.unwrap_or(0)
    }

    fn until(&self, what: &str, sql: &str, at_least: i64) {
        let begin = Instant::now();
        while self.number(sql) < at_least {
            assert!(begin.elapsed() < Duration::from_secs(90), "never: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

const ODDS: &str = "SELECT count(*) FROM look WHERE endpoint = 'odds'";
const LISTINGS: &str = "SELECT count(*) FROM look WHERE endpoint = 'events'";
const BILLED: &str = "SELECT coalesce(sum(credits), 0) FROM credit";

#[test]
fn the_plan_is_followed_billed_and_survives_a_kill() {
    let home = tempfile::tempdir().expect("folder");
    let (_sim, url) = sim(home.path());
    let desk = Desk { home, url };
    let mut daemon = desk.daemon();
    // The games are not known at first: the free lists come before anything that costs.
    desk.until("a look at either sport", ODDS, 2);
    assert_eq!(desk.number(LISTINGS), 2);
    assert!(desk.number("SELECT min(id) FROM look WHERE endpoint = 'events'") == 1);
    std::thread::sleep(Duration::from_secs(1));
    daemon.0.kill().expect("killed");
    daemon.0.wait().expect("ended");
    let (looks, billed) = (desk.number(ODDS), desk.number(BILLED));
    assert_eq!(desk.number("SELECT count(*) FROM look WHERE endpoint = 'odds' AND tier IS NULL"), 0);
    assert!(billed >= 3 * looks, "three markets of one region a look: {billed}");
    let left = desk.number("SELECT remaining FROM account");
    assert_eq!(desk.number("SELECT held FROM account") - left, billed, "the ledger agrees with the account");

    // Whoever comes next goes on where it was: nothing is asked, and paid for, a second time.
    let again = desk.daemon();
    let begin = Instant::now();
    let status = loop {
        let output = desk.run(&["status"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains("polling running") || begin.elapsed() > Duration::from_secs(60) {
            break said;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(status.contains("polling running"), "{status}");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(desk.number(ODDS), looks, "{status}");
    assert_eq!(desk.number(LISTINGS), 2);
    drop(again);

    let plan = desk.plan(&["--calls"]);
    assert_eq!(plan["remaining"], left);
    assert_eq!(plan["day_spent"], billed);
    assert_eq!(plan["day_budget"], 1200);
    let planned = plan["planned"].as_array().expect("calls");
    let credits: u64 = planned.iter().filter_map(|c| c["credits"].as_u64()).sum();
    assert_eq!(plan["credits"], credits);
    assert!(credits + u64::try_from(billed).expect("credits") <= 2400, "two days touch the next 24 hours");
    let games = plan["closes"]["games"].as_u64().expect("number");
    assert!(games > 0 && plan["closes"]["good"] == games, "{plan}");
    let closes = planned.iter().filter(|c| c["purpose"] == "closes").count();
    assert!(closes > 0 && planned.iter().all(|c| c["purpose"] != "in_play"));
    assert!(plan["unknown_sports"].as_array().expect("list").is_empty());

    // A game on a list comes first when credits are short.
    let added = desk.run(&["watch", "create", "Tonight"]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let nba = desk.run(&["watch", "add", "Tonight", "--league", "basketball_nba"]);
    assert!(nba.status.success(), "{}", String::from_utf8_lossy(&nba.stderr));
    let watched = desk.plan(&[]);
    assert!(watched["closes"]["watched"].as_u64().expect("number") > 0, "{watched}");

    // What if there were hardly any, or plenty.
    let poor = desk.plan(&["--what-if", "remaining=3", "--what-if", "credits.daily_target=0"]);
    assert_eq!((poor["remaining"].as_u64(), poor["stretch"].as_f64()), (Some(3), None));
    assert!(!poor["out_of_reach"].as_array().expect("list").is_empty());
    let rich = desk.plan(&["--what-if", "monthly=15000000", "--what-if", "credits.daily_target=0"]);
    assert_eq!(rich["stretch"].as_f64(), Some(1.0));
    assert_eq!(rich["lean"], false);
    let text = desk.run(&["plan"]);
    let text = String::from_utf8_lossy(&text.stdout);
    for part in ["credits", "closes", "basketball_nba", "near"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    for (wrong, said) in [
        ("remaining", "write it as name=value"),
        ("remaining=many", "a number of credits"),
        ("odds_api.intervall=3s", "there is no such setting"),
        ("odds_api.interval=soon", "must be a duration"),
    ] {
        let output = desk.run(&["plan", "--what-if", wrong]);
        assert!(!output.status.success() && output.stdout.is_empty());
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.contains(said), "{wrong}: {err}");
    }
}
