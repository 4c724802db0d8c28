//! The clock of the machine is set hours ahead and back again under the real program, which follows a simulated market over
//! a real socket: it goes on, says what happened in words, pays for nothing twice, polls again and delivers what waited.
//!
//! Other faults are tested by the time of the simulator; here the daemon plans by its own clock.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "faults/desk.rs"]
#[allow(dead_code, reason = "shared with the other faults")]
mod desk;
#[path = "common/faketime.rs"]
mod faketime;

use std::process::Stdio;
use std::time::{Duration, Instant};

use desk::{Desk, LONG, Process, ask};
use faketime::WallClock;
use serde_json::Value;

const HOUR: i64 = 3600;
/// The shortest beat that the settings allow: looks cannot be nearer to each other without something being wrong.
const BEAT: Duration = Duration::from_secs(10);

/// Games of tonight and tomorrow, far enough away that no jump of a few hours begins one, and credits in plenty.
const MARKET: &str = "name = \"clock\"\nseed = 5\ncredits = 15000000\nvolatility = 3.0\n\
    books = [\"pinnacle\", \"draftkings\", \"fanduel\", \"betmgm\", \"bovada\"]\n\
    [[sport]]\nkey = \"basketball_nba\"\ngames = 8\nfirst_in_min = 600\nevery_min = 30\n";

struct Night {
    desk: Desk,
    clock: WallClock,
    daemon: Process,
}

impl Night {
    fn begin() -> Option<Self> {
        let home = tempfile::tempdir().expect("folder");
        let clock = WallClock::new(home.path())?;
        let market = home.path().join("market.toml");
        std::fs::write(&market, MARKET).expect("written");
        let sim_port = desk::free_port();
        let sim = Desk::sim_of(home.path(), sim_port, &["--scenario", &market.display().to_string(), "--speed", "1"]);
        let desk = Desk { home, sim, sim_port, health: desk::free_port(), unprivileged: false };
        let told = desk.home.path().join("told");
        let script = "test -e \"${0%.sh}\" || exit 75\necho \"$1\" >> \"${0%.sh}\"\n";
        std::fs::write(told.with_extension("sh"), script).expect("written");
        std::fs::write(
            desk.settings(),
            format!(
                "[odds_api]\nbase_url = \"{}\"\ninterval = \"10s\"\ntimeout = \"5s\"\nsports = [\"basketball_nba\"]\n\
                 [polling]\nnear = \"10s\"\nnear_from = \"3d\"\nmiddle_from = \"4d\"\n[credits]\ndaily_target = 0\n\
                 [alerts.command]\nrun = [\"/bin/sh\", \"{1}.sh\", \"{{key}}\"]\n\
                 [metrics]\nlisten = \"127.0.0.1:{2}\"\n",
                desk.url(),
                told.display(),
                desk.health
            ),
        )
        .expect("written");
        // A message that waits for a program that will not take it yet.
        let rule = [
            "rules",
            "add",
            "Start",
            "--channel",
            "command",
            "--selection",
            "home",
            "--price",
            "-2000",
            "--cooldown",
            "0s",
        ];
        assert!(desk.command().args(rule).status().expect("runs").success());
        let mut command = desk.command();
        clock.surround(&mut command);
        command.arg("--daemon").stdout(Stdio::null()).stderr(Stdio::piped());
        let daemon = Process(command.spawn().expect("daemon starts"));
        desk.until_ready(2);
        Some(Self { desk, clock, daemon })
    }

    /// Credits that the provider has billed, and those in the ledger of the daemon.
    fn credits(&self) -> (i64, i64) {
        let (_, body) = ask(self.desk.sim_port, "GET", "/sim/state", "").expect("answers");
        let state: Value = serde_json::from_str(&body).expect("JSON");
        (
            state["stats"]["credits_used"].as_i64().expect("credits"),
            self.number("SELECT coalesce(sum(credits), 0) FROM credit"),
        )
    }

    fn number(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let c = rusqlite::Connection::open_with_flags(self.desk.data().join("stratum.db"), flags).expect("store");
        c.query_row(sql, [], |r| r.get(0)).expect("a number")
    }

    /// `stratum status`, by the clock of the machine as it stands.
    fn status(&self) -> Vec<Value> {
        let mut command = self.desk.command();
        self.clock.surround(&mut command);
        let output = command.args(["status", "--json"]).output().expect("runs");
        assert!(output.status.success(), "{}", desk::text(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Sets the clock; the daemon says so in these words, goes on looking at its beat, and pays for no look twice.
    fn set(&mut self, seconds: i64, words: &str) {
        let (before, _) = self.credits();
        self.clock.set(seconds);
        let begin = Instant::now();
        let step = loop {
            let troubles = self.status();
            let step = troubles.iter().find(|r| r["kind"] == "trouble" && r["part"] == "clock").cloned();
            if let Some(step) = step.filter(|s| s["message"].as_str().is_some_and(|m| m.contains(words))) {
                break step;
            }
            assert!(begin.elapsed() < LONG, "never said \"{words}\": {troubles:?}");
            std::thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(step["blocks"], false, "{step}");
        // It goes on by itself, and pays for it.
        while self.credits().0 == before {
            assert!(begin.elapsed() < LONG, "it does not look any more: {:?}", self.status());
            std::thread::sleep(Duration::from_millis(100));
        }
        self.desk.until_ready(0);
        assert!(self.daemon.is_running());
        let (billed, _) = self.credits();
        // A look costs three credits; one may be due at once, because its time has come on the new clock. The list of games,
        // which is a look too, is free.
        let looks = begin.elapsed().as_secs() / BEAT.as_secs() + 2;
        let most = i64::try_from(looks).expect("few") * 3;
        assert!((3..=most).contains(&(billed - before)), "{} credits in {:?}", billed - before, begin.elapsed());
    }
}

#[test]
fn a_clock_that_is_set_hours_ahead_and_back_changes_nothing_but_the_time() {
    let Some(mut night) = Night::begin() else { return };
    let waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND attempts > 0";
    let begin = Instant::now();
    while night.number(waiting) == 0 {
        assert!(begin.elapsed() < LONG, "nothing waits");
        std::thread::sleep(Duration::from_millis(100));
    }
    night.set(5 * HOUR, "the clock was set ahead by 5h");
    // Tried again while the clock is wrong: the next attempt stands five hours away once it is right again.
    let future = chrono::Utc::now().timestamp_millis() + 4 * HOUR * 1000;
    let begin = Instant::now();
    while night.number(&format!("{waiting} AND next_attempt > {future}")) == 0 {
        assert!(begin.elapsed() < LONG, "no attempt on the new time");
        std::thread::sleep(Duration::from_millis(100));
    }
    night.set(0, "the clock was set back by 5h");
    // The program listens from now on: what waited reaches it within the usual pauses.
    std::fs::write(night.desk.home.path().join("told"), "").expect("written");
    let begin = Instant::now();
    while night.number("SELECT count(*) FROM outbox WHERE state = 'waiting'") > 0 {
        assert!(begin.elapsed() < LONG, "{:?}", night.number(waiting));
        std::thread::sleep(Duration::from_millis(200));
    }
    night.set(-9 * HOUR, "the clock was set back by 9h");
    night.set(0, "the clock was set ahead by 9h");

    let keys = std::fs::read_to_string(night.desk.home.path().join("told")).expect("told");
    let mut keys: Vec<&str> = keys.lines().collect();
    let told = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((told, i64::try_from(told).expect("few")), (keys.len(), night.number("SELECT count(*) FROM outbox")));

    // Looks of a sport never go back, whatever the clock did.
    let disorder =
        "SELECT count(*) FROM look AS a JOIN look AS b ON b.id = a.id + 1 WHERE b.received_at < a.received_at";
    assert_eq!(night.number(disorder), 0);
    let log = night.desk.data().join("logs");
    let mut files = Vec::new();
    desk::everything_under(&log, &mut files);
    let log: String = files.iter().map(|f| std::fs::read_to_string(f).unwrap_or_default()).collect();
    for words in ["the clock was set ahead by 5h", "the clock was set back by 5h", "the clock was set back by 9h"] {
        assert!(log.contains(words), "{words}");
    }
    let Night { desk, clock: _clock, daemon } = night;
    let (took, code, said) = daemon.stop();
    assert!(took < Duration::from_secs(5) && code == Some(0), "{took:?} {code:?} {said}");
    // Every credit that was billed stands in the ledger, once.
    let (_, body) = ask(desk.sim_port, "GET", "/sim/state", "").expect("answers");
    let state: Value = serde_json::from_str(&body).expect("JSON");
    let c = rusqlite::Connection::open(desk.data().join("stratum.db")).expect("store");
    let ledger: i64 = c.query_row("SELECT sum(credits) FROM credit", [], |r| r.get(0)).expect("sum");
    assert_eq!(state["stats"]["credits_used"].as_i64(), Some(ledger));
}
