//! Everything that can go wrong around a daemon, through the real program against the simulator: after each fault it
//! is running, says in words what is wrong, and recovers without help.
//!
//! What needs rights that a user may not have is made without them: a disk of its own in a private mount namespace, a limit
//! on the size of files, a file without write permission. Clocks that are set stand in `clock.rs`; here a process is stopped
//! and goes on.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "faults/desk.rs"]
mod desk;

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use desk::{BINARY, Desk, KEY, LONG, NOBODY, Process, ask, everything_under, text};
use serde_json::Value;

#[test]
fn every_way_in_which_a_source_fails_is_told_and_outlived() {
    let desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    // Each call is three attempts where a repeat may help; the fourth fault keeps the trouble in sight for a moment.
    let faults = [
        (r#"{"kind":"server_error","times":4}"#, "transient: "),
        (r#"{"kind":"slow_body","times":4}"#, "no complete answer in time"),
        (r#"{"kind":"connection_cut","times":4}"#, "cut off"),
        (r#"{"kind":"truncated_json","times":2}"#, "malformed: "),
        (r#"{"kind":"rate_limited","times":4}"#, "rate_limited: "),
        (r#"{"kind":"quota_exhausted","times":1}"#, "quota: "),
        (r#"{"kind":"invalid_key","times":1}"#, "the key is refused: "),
        (r#"{"kind":"deactivated_key","times":1}"#, "the key is refused: "),
    ];
    for (fault, words) in faults {
        desk.fault(fault);
        let body = desk.until_said(words);
        assert!(!body.contains('<') && !body.contains(KEY), "{body}");
        desk.until_ready(2);
        desk.no_faults();
    }
    assert!(daemon.is_running());
    let status = desk.one("daemon").expect("answers");
    assert_eq!(
        (&status["ready"], &status["following"], &status["key"]),
        (&true.into(), &"running".into(), &"accepted".into())
    );
    // What was degraded, and why, stands in the report.
    let output = desk.command().args(["report", "--json"]).output().expect("runs");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    for reason in ["transient", "malformed", "rate_limited", "quota", "auth"] {
        assert!(rows.iter().any(|r| r["kind"] == "degraded" && r["name"] == reason), "{reason}: {rows:?}");
    }
    let (took, code, said) = daemon.stop();
    assert!(took < Duration::from_secs(5) && code == Some(0), "{took:?} {code:?} {said}");
    let mut files = Vec::new();
    everything_under(desk.home.path(), &mut files);
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes()), "the key stands in {}", file.display());
    }
    assert!(!said.contains(KEY));
}

#[test]
fn a_storm_of_refusals_is_waited_out() {
    let desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    desk.fault(r#"{"kind":"rate_limited"}"#);
    let begin = Instant::now();
    while desk.metric("stratum_breaker_open{purpose=\"live\"}") != 1.0 {
        assert!(begin.elapsed() < LONG, "the breaker never opened");
        std::thread::sleep(Duration::from_millis(200));
    }
    // While nothing is asked the reason is still the one that the source gave.
    let before = desk.asked();
    std::thread::sleep(Duration::from_secs(3));
    assert!(desk.until_said("rate_limited: ").contains("next try in"));
    assert!(desk.asked() <= before + 1, "a storm is not answered with a storm");
    desk.no_faults();
    desk.until_ready(2);
    assert!(daemon.is_running());
}

#[test]
fn a_source_that_is_gone_or_stalls_comes_back_and_holds_up_no_stop() {
    let mut desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    // Nobody listens any more.
    desk.sim.signal("-KILL");
    let _ = desk.sim.0.wait();
    desk.until_said("no connection");
    desk.sim = Desk::sim(desk.home.path(), desk.sim_port);
    desk.until_ready(2);
    // Somebody listens and says nothing.
    desk.sim.signal("-STOP");
    desk.until_said("in time");
    desk.sim.signal("-CONT");
    desk.until_ready(2);
    assert!(daemon.is_running());
    desk.sim.signal("-STOP");
    std::thread::sleep(Duration::from_millis(1_200));
    let (took, code, said) = daemon.stop();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_name_that_cannot_be_looked_up_is_told_and_settings_are_read_again() {
    let desk = Desk::new();
    desk.write_settings("https://odds.invalid", "[\"basketball_nba\"]");
    let mut daemon = desk.daemon();
    let body = desk.until_said("no connection");
    assert!(body.contains("dns") || body.contains("lookup") || body.contains("resolve"), "{body}");

    // A file that cannot be used changes nothing and says why.
    std::fs::write(desk.settings(), "[odds_api]\ninterval = \"soon\"\n").expect("written");
    daemon.signal("-HUP");
    let problem = desk.until_said("the settings were not taken");
    assert!(problem.contains("odds_api.interval"), "{problem}");

    desk.write_settings(&desk.url(), "[\"basketball_nba\"]");
    daemon.signal("-HUP");
    desk.until_ready(2);

    // Other sports, and one thing that needs a restart.
    desk.write_settings(&desk.url(), "[\"icehockey_nhl\"]");
    let more = std::fs::read_to_string(desk.settings()).expect("read") + "[log]\nlevel = \"debug\"\nfiles = 3\n";
    std::fs::write(desk.settings(), more).expect("written");
    daemon.signal("-HUP");
    let begin = Instant::now();
    while !desk.status().iter().any(|r| r["kind"] == "sport" && r["sport"] == "icehockey_nhl") {
        assert!(begin.elapsed() < LONG, "{:?}", desk.status());
        std::thread::sleep(Duration::from_millis(200));
    }
    let trouble = desk.one("trouble").expect("what needs a restart");
    assert!(trouble["message"].as_str().is_some_and(|m| m.contains("log.files")), "{trouble}");
    assert_eq!(trouble["blocks"], false);
    assert!(daemon.is_running());
    let (_, code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("in force now: odds_api.sports, log.level; needs a restart: log.files"), "{said}");
}

#[test]
fn a_second_daemon_is_told_who_has_the_store() {
    let desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    let second = desk.command().arg("--daemon").output().expect("runs");
    assert_eq!(second.status.code(), Some(4));
    let said = text(&second);
    assert!(said.contains(&daemon.pid().to_string()) && said.contains("--data-dir"), "{said}");
    desk.until_ready(2);
    assert!(daemon.is_running());
}

/// A process that was stopped, as a laptop that slept: noted, and no burst of missed looks.
#[test]
fn a_process_that_was_held_goes_on_without_a_burst() {
    let desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    daemon.signal("-STOP");
    std::thread::sleep(Duration::from_secs(9));
    let before = desk.asked();
    daemon.signal("-CONT");
    let begin = Instant::now();
    let step = loop {
        if let Some(step) = desk.status().into_iter().find(|r| r["kind"] == "trouble" && r["part"] == "clock") {
            break step;
        }
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(step["message"].as_str().is_some_and(|m| m.contains("missed looks are not made up for")), "{step}");
    let burst = desk.asked() - before;
    let elapsed = begin.elapsed().as_secs();
    assert!(burst <= elapsed + 4, "{burst} questions within {elapsed} s");
    desk.until_ready(2);
    assert!(daemon.is_running());
}

#[test]
fn a_limit_on_files_stops_nothing_but_the_writing() {
    let desk = Desk::new();
    let mut daemon = desk.usual_daemon();
    let limit = |bytes: &str| {
        let done =
            Command::new("prlimit").args(["--pid", &daemon.pid().to_string(), &format!("--fsize={bytes}:")]).output();
        done.is_ok_and(|o| o.status.success())
    };
    if !limit("4096") {
        eprintln!("skipped: prlimit is not here");
        return;
    }
    let body = desk.until_said("refuses to write the store");
    assert!(body.contains("nothing that costs credits is asked"), "{body}");
    let trouble = desk.one("trouble").expect("in words");
    assert_eq!((&trouble["part"], &trouble["blocks"]), (&"store".into(), &true.into()));
    let looks = desk.looks();
    let asked = desk.asked();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((desk.looks(), desk.asked()), (looks, asked), "nothing is paid for that cannot be stored");
    assert!(limit("unlimited"));
    desk.until_ready(3);
    assert!(daemon.is_running());
    assert_eq!(desk.metric("stratum_answers_waiting"), 0.0);
    let (_, code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    sound(&desk.data().join("stratum.db"));
}

/// The file is whole, and every look is there with its cycle.
fn sound(store: &Path) {
    let c = rusqlite::Connection::open(store).expect("store");
    let verdict: String = c.query_row("PRAGMA integrity_check", [], |r| r.get(0)).expect("check");
    assert_eq!(verdict, "ok");
    let count = |sql: &str| -> i64 { c.query_row(sql, [], |r| r.get(0)).expect("count") };
    assert_eq!(count("SELECT count(*) FROM look"), count("SELECT count(*) FROM cycle WHERE look IS NOT NULL"));
    assert!(count("SELECT count(*) FROM cycle WHERE degraded = 'store' AND look IS NOT NULL") >= 1, "kept and stored");
    assert_eq!(
        count("SELECT count(*) FROM look WHERE changes <> (SELECT count(*) FROM change WHERE change.look = look.id)"),
        0
    );
}

/// A real file system that is really full: a small one in a mount namespace of the daemon's own.
#[test]
fn a_full_disk_is_told_and_outlived() {
    let desk = Desk::new();
    desk.write_settings(&desk.url(), "[\"basketball_nba\"]");
    std::fs::create_dir(desk.data()).expect("made");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command
        .arg(format!("mount -t tmpfs -o size=32m none '{}' && exec '{BINARY}' \"$@\" --daemon", desk.data().display()));
    command.arg("sh");
    desk.surround(&mut command);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Process(command.spawn().expect("starts"));
    let begin = Instant::now();
    while desk.ready().is_none() {
        if !daemon.is_running() {
            let mut said = String::new();
            let _ = daemon.0.stderr.take().expect("stderr").read_to_string(&mut said);
            assert!(said.contains("unshare") || said.contains("mount"), "{said}");
            eprintln!("skipped: no disk of one's own can be had here: {said}");
            return;
        }
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(100));
    }
    desk.until_ready(2);
    let inside = PathBuf::from(format!("/proc/{}/root{}", daemon.pid(), desk.data().display()));
    let filler = inside.join("filler");
    let mut file = std::fs::File::create(&filler).expect("made");
    let full = loop {
        if let Err(e) = file.write_all(&[0; 1 << 16]) {
            break e;
        }
    };
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let body = desk.until_said("no space is left for the store");
    assert!(body.contains("answers wait in memory"), "{body}");
    assert_eq!(desk.metric("stratum_store_writable"), 0.0);
    let (looks, asked) = (desk.looks(), desk.asked());
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!((desk.looks(), desk.asked()), (looks, asked), "nothing is paid for that cannot be stored");
    drop(file);
    std::fs::remove_file(&filler).expect("room");
    desk.until_ready(3);
    assert!(daemon.is_running());
    // The disk goes with its process. A copy of one that stands still is whole.
    let copy = desk.home.path().join("copy.db");
    daemon.signal("-STOP");
    std::fs::copy(inside.join("stratum.db"), &copy).expect("copied");
    std::fs::copy(inside.join("stratum.db-wal"), copy.with_extension("db-wal")).expect("copied");
    daemon.signal("-CONT");
    let (took, code, said) = daemon.stop();
    assert!(took < Duration::from_secs(5) && code == Some(0), "{took:?} {said}");
    sound(&copy);
}

/// A store without write permission, for a user whom permissions bind.
#[test]
fn a_store_that_may_only_be_read_is_told_and_outlived() {
    let mut desk = Desk::new();
    let (_, code, said) = desk.usual_daemon().stop();
    assert_eq!(code, Some(0), "{said}");
    let store = desk.data().join("stratum.db");
    let root = std::fs::metadata(&store).map(|m| std::os::unix::fs::MetadataExt::uid(&m)).expect("there") == 0;
    if root {
        let mut all = vec![desk.home.path().to_owned(), desk.data(), desk.data().join("logs")];
        everything_under(&desk.data(), &mut all);
        for path in all.iter().chain([&desk.settings()]) {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        desk.unprivileged = true;
    }
    let may = |mode: u32| std::fs::set_permissions(&store, std::fs::Permissions::from_mode(mode)).expect("set");
    may(0o444);
    let mut daemon = desk.daemon();
    let begin = Instant::now();
    while desk.ready().is_none() {
        if !daemon.is_running() && root {
            let mut said = String::new();
            let _ = daemon.0.stderr.take().expect("stderr").read_to_string(&mut said);
            assert!(said.contains("setpriv") || said.contains("Permission denied"), "{said}");
            eprintln!("skipped: the program cannot be run as another user here: {said}");
            return;
        }
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(100));
    }
    let body = desk.until_said("the store may only be read");
    assert!(body.contains("make its file and folder writable again"), "{body}");
    // What is stored can be looked at all the time.
    let output = desk.command().args(["events", "--json"]).output().expect("runs");
    assert!(output.status.success() && output.stdout.len() > 10, "{}", text(&output));
    let trouble = desk.one("trouble").expect("in words");
    assert_eq!(trouble["part"], "store");
    may(0o644);
    desk.until_ready(3);
    assert!(daemon.is_running());
}

#[test]
fn a_damaged_store_ends_with_advice_and_is_not_touched() {
    let desk = Desk::new();
    let (_, code, said) = desk.usual_daemon().stop();
    assert_eq!(code, Some(0), "{said}");
    let store = desk.data().join("stratum.db");
    let mut bytes = std::fs::read(&store).expect("read");
    let damaged = bytes.len() / 2;
    for byte in bytes.iter_mut().skip(4096).take(damaged) {
        *byte = 0x5a;
    }
    std::fs::write(&store, &bytes).expect("written");
    let output = desk.command().arg("--daemon").output().expect("runs");
    let said = text(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("stratum.db is damaged") && said.contains(".recover"), "{said}");
}

/// Lets a file system go on when the test is over, however it ends.
struct Frozen {
    pid: u32,
    folder: PathBuf,
}

impl Frozen {
    fn freeze(pid: u32, folder: &Path) -> Option<Self> {
        let frozen = Self { pid, folder: folder.to_owned() };
        frozen.tell("-f").then_some(frozen)
    }

    fn tell(&self, what: &str) -> bool {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "-m", "fsfreeze", what]).arg(&self.folder);
        command.status().is_ok_and(|s| s.success())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.tell("-u");
    }
}

/// A disk that hangs: whoever writes to it does not come back, and nothing within the process can change that.
#[test]
#[ignore = "needs root for a disk that can be made to hang, and takes more than two minutes"]
fn a_disk_that_hangs_ends_the_process_for_its_supervisor() {
    let desk = Desk::new();
    desk.write_settings(&desk.url(), "[\"basketball_nba\"]");
    std::fs::create_dir(desk.data()).expect("made");
    let image = desk.home.path().join("disk");
    std::fs::File::create(&image).expect("made").set_len(64 << 20).expect("room");
    assert!(Command::new("mkfs.ext4").arg("-q").arg(&image).status().expect("mkfs.ext4").success());
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]).arg(format!(
        "mount -o loop '{}' '{}' && exec '{BINARY}' \"$@\" --daemon",
        image.display(),
        desk.data().display()
    ));
    command.arg("sh");
    desk.surround(&mut command);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Process(command.spawn().expect("starts"));
    desk.until_ready(2);
    // Another process of its mount namespace, which is there for as long as the file system has to be told something.
    let mut beside = Command::new("nsenter");
    beside.args(["-t", &daemon.pid().to_string(), "-m", "sleep", "600"]);
    let beside = Process(beside.spawn().expect("sleeps"));
    let frozen = Frozen::freeze(beside.pid(), &desk.data()).expect("freezes");
    let begin = Instant::now();
    while ask(desk.health, "GET", "/health/live", "").is_none_or(|(code, body)| code != 503 || !body.contains("judge"))
    {
        assert!(begin.elapsed() < LONG, "nobody noticed");
        std::thread::sleep(Duration::from_millis(500));
    }
    while ask(desk.health, "GET", "/health/live", "").is_some() {
        assert!(begin.elapsed() < 2 * LONG, "it never ended");
        std::thread::sleep(Duration::from_millis(500));
    }
    drop(frozen);
    assert_eq!(daemon.0.wait().expect("ends").code(), Some(5));
    let mut said = String::new();
    daemon.0.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert!(said.contains("the judge has been stuck for too long"), "{said}");
}
