//! The board in a real pseudo-terminal, from the first frame to the last.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/pty.rs"]
mod pty;

use std::time::{Duration, Instant};

use pty::{LONG, Pty, signal, state_of};

/// The board of the demo in its own home.
fn demo(home: &std::path::Path, size: (u16, u16)) -> Pty {
    Pty::start(env!("CARGO_BIN_EXE_stratum"), &["demo", "--seed", "7"], home, size)
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("folder")
}

#[test]
fn an_evening_on_the_board() {
    let home = home();
    let mut board = demo(home.path(), (160, 45));
    board.sees("DEMO");
    board.until("games with prices", |s| s.contains("PIN") && s.contains("LIVE"));
    board.send("jjl");
    board.send("\r");
    board.until("the page of a game", |s| s.contains("even money") && s.contains("Books"));
    board.send("3");
    board.sees("Tape");
    board.send("1");
    board.sees("h/l books");

    // A list with the game under the cursor.
    board.send("w");
    board.until("a star", |s| s.contains('★'));

    board.send("f");
    board.send("sport:nfl");
    board.send("\r");
    board.until("only one league", |s| s.contains("8 of 28 games"));
    board.send("F");
    board.loses("8 of 28 games");

    // The mouse, focus that goes and comes, and what is pasted.
    for (tab, shows) in [("3 Tape", "evidence"), ("1 Board", "h/l books")] {
        let text = board.text();
        let tabs = text.lines().nth(1).unwrap_or_default();
        let column = tabs[..tabs.find(tab).expect("a tab")].chars().count() + 2;
        board.send(&format!("\u{1b}[O\u{1b}[<0;{column};2M\u{1b}[<0;{column};2m\u{1b}[I"));
        board.sees(shows);
    }
    board.send("f");
    board.send("\u{1b}[200~sport:nhl\u{1b}[201~");
    board.send("\r");
    board.until("the league that was pasted", |s| s.contains("6 of 28 games"));
    board.send("F");
    board.loses("6 of 28 games");

    board.send(":");
    board.send("theme light");
    board.send("\r");
    board.send("?");
    board.until("help", |s| s.contains("Freeze the view"));
    board.send("\u{1b}");
    board.loses("Freeze the view");

    for (columns, rows) in [(200, 60), (60, 16), (40, 10), (120, 40), (160, 45)] {
        board.resize(columns, rows);
        if columns >= 60 {
            board.until("tabs and a clock", |s| s.contains("Board") && s.contains("DEMO"));
        } else {
            board.sees("needs 60 x 16");
        }
    }

    board.send(" ");
    board.sees("FROZEN");
    board.send(" ");
    board.loses("FROZEN");
    board.send("[");
    board.sees("PAST");
    board.send("L");
    board.loses("PAST");

    // Suspended, the terminal is the shell's; let go on, it is the board's again.
    board.send("\u{1a}");
    board.is_in_state('T');
    board.assert_sane();
    board.signal("CONT");
    board.until("the board again", |s| s.contains("DEMO") && s.contains("PIN"));
    assert!(board.is_full_screen());

    board.send("q");
    assert_eq!(board.exit(LONG), 0);
    board.assert_sane();

    // What was chosen is there the next evening.
    let mut again = demo(home.path(), (160, 45));
    again.until("the star is still there", |s| s.contains('★'));
    again.send("q");
    assert_eq!(again.exit(LONG), 0);
}

#[test]
fn a_key_that_comes_in_together_with_a_new_size_is_not_lost() {
    let home = home();
    let mut board = demo(home.path(), (100, 30));
    board.until("games with prices", |s| s.contains("PIN") && s.contains("LIVE"));
    // Both wait when the program is let go on, whichever came first.
    for (n, key_first) in [true, false].into_iter().cycle().take(8).enumerate() {
        board.signal("STOP");
        board.is_in_state('T');
        let rows = if n % 2 == 0 { 45 } else { 30 + n as u16 };
        if key_first {
            board.send(" ");
        }
        board.resize(100 + n as u16, rows);
        if !key_first {
            board.send(" ");
        }
        board.signal("CONT");
        board.sees("FROZEN");
        board.until("the new size", |s| s.lines().count() == usize::from(rows));
        board.send(" ");
        board.loses("FROZEN");
    }
    // The same for many keys at once: every one of them counts.
    board.signal("STOP");
    board.is_in_state('T');
    board.send(&" ".repeat(1_500));
    board.send("?");
    board.signal("CONT");
    board.sees("Freeze the view");
    assert!(!board.text().contains("FROZEN"));
    board.send("\u{1b}");
    board.loses("Freeze the view");
    board.send("q");
    assert_eq!(board.exit(LONG), 0);
}

#[test]
fn every_way_out_gives_the_terminal_back() {
    for way in ["ctrl-c", "TERM", "HUP", "INT", "QUIT"] {
        let home = home();
        let mut board = demo(home.path(), (100, 30));
        board.sees("DEMO");
        if way == "ctrl-c" {
            board.send("\u{3}");
        } else {
            board.signal(way);
        }
        assert_eq!(board.exit(LONG), 0, "{way}");
        board.assert_sane();
    }
}

#[test]
fn a_panic_leaves_a_sane_terminal_and_a_report() {
    let home = home();
    let mut board = demo(home.path(), (100, 30));
    board.sees("DEMO");
    // Only builds with debug assertions listen to this one.
    board.signal("USR2");
    assert_ne!(board.exit(LONG), 0);
    board.assert_sane();
    let text = board.sees("A report is in");
    assert!(text.contains("Everything that was committed is safe"), "{text}");
    let reports: Vec<_> = walk(home.path()).into_iter().filter(|p| p.contains("panic-")).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let report = std::fs::read_to_string(&reports[0]).expect("a report");
    assert!(report.contains("asked for by a signal") && report.contains("version"), "{report}");
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn nothing_is_left_when_the_terminal_closes() {
    // Also under a shell that ignores the hang-up, which then tells nobody.
    for ignored in [false, true] {
        let home = home();
        let binary = env!("CARGO_BIN_EXE_stratum");
        let script = if ignored { format!("trap '' HUP; {binary} demo; exit") } else { format!("{binary} demo; exit") };
        let mut board = Pty::start("/bin/sh", &["-c", &script], home.path(), (100, 30));
        board.sees("DEMO");
        let pids = children(board.pid());
        assert_eq!(pids.len(), 1, "{pids:?}");
        board.close();
        let closed = Instant::now();
        while pids.iter().any(|pid| state_of(*pid).is_some_and(|s| s != 'Z')) {
            assert!(closed.elapsed() < Duration::from_secs(10), "{pids:?} are still there");
            std::thread::sleep(Duration::from_millis(20));
        }
        // Two seconds are promised; a busy machine gets some more.
        assert!(closed.elapsed() < Duration::from_secs(5), "{:?}", closed.elapsed());
    }
}

fn children(pid: i32) -> Vec<i32> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// A simulated source.
struct Sim(std::process::Child, String);

impl Sim {
    fn start(home: &std::path::Path) -> Self {
        use std::io::BufRead;
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_stratum"))
            .env("HOME", home)
            .args(["sim", "--port", "0", "--speed", "20", "--seed", "7"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("sim");
        let mut url = String::new();
        std::io::BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
        Self(child, url.trim().to_owned())
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_first_evening_takes_a_key_and_what_to_follow() {
    let home = home();
    let sim = Sim::start(home.path());
    let settings = home.path().join("stratum.toml");
    let mine = format!(
        "# mine\n[odds_api]\nbase_url = \"{}\" # at home\ninterval = \"2s\"\n[polling]\npace = \"steady\"\n",
        sim.1
    );
    std::fs::write(&settings, mine).expect("settings");
    let data = home.path().join("data");
    let args = ["--config", settings.to_str().expect("text"), "--data-dir", data.to_str().expect("text")];
    let mut board = Pty::start(env!("CARGO_BIN_EXE_stratum"), &args, home.path(), (200, 60));
    board.sees("Welcome to Stratum");
    board.send("k");
    board.sees("Key of The Odds API");
    board.send("0123456789abcdef\r");
    board.sees("Sports to follow");
    // Everything that was followed goes, and the second thought is hockey alone.
    for sport in ["americanfootball_nfl", "basketball_nba", "baseball_mlb"] {
        board.send(sport);
        board.loses("type to find");
        board.send(" \u{1b}");
        // Escape and a letter that comes at once are one key.
        board.sees("type to find");
    }
    board.sees("1 sport ticked");
    board.send("\r");
    board.sees("Books to ask");
    board.send("pinnacle");
    board.until("the book", |s| s.contains("PIN") && !s.contains("type to find"));
    board.send(" ");
    board.send("\r");
    board.sees("following 1 sport at");
    // The next look brings the new book, and nothing but hockey is asked about any more.
    board.until("the new book", |s| s.contains("PIN") && s.contains("NHL"));
    board.send("9");
    board.until("one question", |s| s.contains("icehockey_nhl odds") && !s.contains("basketball_nba odds"));
    let kept = std::fs::read_to_string(&settings).expect("settings");
    assert!(kept.starts_with("# mine\n[odds_api]\nbase_url = ") && kept.contains(" # at home\n"), "{kept}");
    assert!(kept.contains("sports = [\"icehockey_nhl\"]") && kept.contains("\"pinnacle\""), "{kept}");
    let key = walk(home.path()).into_iter().find(|p| p.ends_with("odds_api.key")).expect("the key is kept");
    assert_eq!(std::fs::read_to_string(key).expect("key").trim(), "0123456789abcdef");
    board.send("q");
    assert_eq!(board.exit(LONG), 0);
    board.assert_sane();
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = home();
    let out = assert_cmd::Command::cargo_bin("stratum")
        .expect("binary")
        .env("HOME", home.path())
        .arg("demo")
        .output()
        .expect("runs");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("needs a terminal"));
}

#[test]
fn a_board_follows_a_daemon_and_survives_it() {
    let home = home();
    let data = home.path().join("data");
    let mut daemon = std::process::Command::new(env!("CARGO_BIN_EXE_stratum"))
        .args(["--data-dir", data.to_str().expect("text"), "demo", "--headless", "--seed", "7"])
        .env("HOME", home.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("daemon");
    let store = data.join("stratum.db");
    let end = Instant::now() + LONG;
    while !store.with_extension("db.sock").exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    let args = ["--data-dir", data.to_str().expect("text")];
    let mut board = Pty::start(env!("CARGO_BIN_EXE_stratum"), &args, home.path(), (160, 45));
    board.until("it follows the daemon", |s| s.contains("LIVE daemon") && s.contains("DEMO") && s.contains("PIN"));

    // Alive but silent is told apart from gone.
    let pid = i32::try_from(daemon.id()).expect("a number");
    signal(pid, "STOP");
    board.sees("NO ANSWER");
    signal(pid, "CONT");
    board.sees("LIVE daemon");

    daemon.kill().expect("killed");
    daemon.wait().expect("ended");
    let text = board.sees("NOT FED");
    assert!(text.contains("PIN"), "what is stored stays on show");
    board.send("q");
    assert_eq!(board.exit(LONG), 0);
    board.assert_sane();
}
