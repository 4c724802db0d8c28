//! `stratum service` and `stratum key` through the real program: a home of their own, and a `systemctl` that only
//! writes down what it is asked.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/pty.rs"]
mod pty;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use stratum::feeds::secret::ApiKey;

const BINARY: &str = env!("CARGO_BIN_EXE_stratum");
const FIRST: &str = "5ecret0first0key0of0the0test";
const SECOND: &str = "5ecret0second0key0of0the0test";

struct Home(tempfile::TempDir);

impl Home {
    /// `systemctl` answers what stands in the file `answer`, and fails when there is a file `fails`.
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("folder"));
        std::fs::create_dir(home.path().join("bin")).expect("folder");
        for name in ["systemctl", "launchctl"] {
            let script = home.path().join("bin").join(name);
            std::fs::write(
                &script,
                "#!/bin/sh\necho \"${0##*/} $*\" >> \"$HOME/asked\"\ncat \"$HOME/answer\" 2>/dev/null\n\
                 [ -e \"$HOME/fails\" ] && { echo 'Failed to connect to bus' >&2; exit 1; }\nexit 0\n",
            )
            .expect("script");
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("mode");
        }
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn unit(&self) -> PathBuf {
        self.path().join(".config/systemd/user/stratum.service")
    }

    fn key_file(&self) -> PathBuf {
        self.path().join(".config/stratum/odds_api.key")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        let path = format!("{}:/usr/bin:/bin", self.path().join("bin").display());
        command.env_clear().env("HOME", self.path()).env("PATH", path).args(args).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("runs")
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", all(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    fn asked(&self) -> String {
        std::fs::read_to_string(self.path().join("asked")).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("written");
    }

    fn feed(&self, args: &[&str], text: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("fed");
        child.wait_with_output().expect("ends")
    }
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn name_of(key: &str) -> String {
    ApiKey::parse(key).expect("key").fingerprint()
}

#[test]
fn a_unit_is_written_shown_and_removed() {
    let home = Home::new();
    let shown = home.ok(&["service", "install", "--dry-run", "--data-dir", "data dir"]);
    assert!(!home.unit().exists() && home.asked().is_empty(), "a dry run does nothing");
    let here = std::env::current_dir().expect("here").join("data dir");
    assert!(shown.contains(&format!("--daemon --data-dir \"{}\"", here.display())), "{shown}");
    assert!(shown.contains("Type=notify") && shown.contains("Restart=on-failure") && shown.contains(BINARY), "{shown}");

    let said = home.ok(&["service", "install"]);
    assert!(said.contains("wrote ") && said.contains("systemctl --user enable --now stratum.service"), "{said}");
    assert!(said.contains("no key yet") && said.contains("stratum key set"), "{said}");
    assert_eq!(home.asked(), "systemctl --user daemon-reload\n");
    assert_eq!(mode(&home.unit()), 0o644);
    assert!(home.ok(&["service", "install"]).contains("already as it should be"));
    // A newer version of ours may take the place of an older one.
    assert!(home.ok(&["service", "install", "--data-dir", "/elsewhere"]).contains("wrote "));

    let removed = home.ok(&["service", "uninstall"]);
    assert!(removed.contains("removed ") && !home.unit().exists(), "{removed}");
    let asked = home.asked();
    assert!(asked.contains("systemctl --user disable --now stratum.service\n"), "{asked}");
    assert!(asked.ends_with("systemctl --user daemon-reload\n"), "{asked}");
    assert!(home.ok(&["service", "uninstall"]).contains("no service is installed"));
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let home = Home::new();
    home.ok(&["service", "install"]);
    let ours = std::fs::read_to_string(home.unit()).expect("unit");
    for theirs in [ours.replace("RestartSec=30", "RestartSec=5"), "[Service]\nExecStart=/bin/true\n".into()] {
        std::fs::write(home.unit(), &theirs).expect("written");
        for args in [&["service", "install"][..], &["service", "uninstall"]] {
            let output = home.run(args);
            assert_eq!(output.status.code(), Some(1));
            assert!(all(&output).contains("--force"), "{}", all(&output));
            assert_eq!(std::fs::read_to_string(home.unit()).expect("unit"), theirs);
        }
        home.ok(&["service", "install", "--force"]);
        assert_eq!(std::fs::read_to_string(home.unit()).expect("unit"), ours);
    }
    std::fs::write(home.unit(), "mine").expect("written");
    home.ok(&["service", "uninstall", "--force"]);
    assert!(!home.unit().exists());
}

#[test]
fn without_a_manager_the_file_is_written_all_the_same() {
    let home = Home::new();
    home.write("fails", "");
    let said = home.ok(&["service", "install"]);
    assert!(said.contains("did not work: systemctl --user daemon-reload (Failed to connect to bus)"), "{said}");
    assert!(home.unit().exists());
    std::fs::remove_file(home.path().join("bin/systemctl")).expect("removed");
    let mut command = home.command(&["service", "install"]);
    let said = command.env("PATH", home.path().join("bin")).output().expect("runs");
    assert!(all(&said).contains("could not run systemctl"), "{}", all(&said));
    let status = home.command(&["service", "status"]).env("PATH", home.path().join("bin")).output().expect("runs");
    assert_eq!(status.status.code(), Some(1));
    assert!(all(&status).contains("the system does not answer"), "{}", all(&status));
}

#[test]
fn status_asks_the_manager_and_looks_at_the_store() {
    let home = Home::new();
    let none = home.run(&["service", "status", "--json"]);
    assert_eq!(none.status.code(), Some(3));
    home.ok(&["service", "install"]);
    home.write("answer", "ActiveState=active\nUnitFileState=enabled\nMainPID=4711\nNRestarts=2\n");
    let data = home.path().join(".local/share/stratum");
    std::fs::create_dir_all(&data).expect("folder");
    let store = stratum::store::Store::open(&data.join("stratum.db")).expect("store");
    let rows: Vec<Value> = serde_json::from_str(&home.ok(&["service", "status", "--json"])).expect("JSON");
    let row = &rows[0];
    assert_eq!(
        (&row["installed"], &row["enabled"], &row["active"]),
        (&"yes".into(), &"enabled".into(), &"active".into())
    );
    assert_eq!((&row["pid"], &row["restarts"]), (&4711.into(), &2.into()));
    assert_eq!((&row["writer"], &row["writer_pid"]), (&"silent".into(), &std::process::id().into()));
    let text = home.ok(&["service", "status"]);
    assert!(
        text.contains("active, process 4711, restarted 2 times") && text.contains("which does not answer"),
        "{text}"
    );
    drop(store);
    home.write("answer", "ActiveState=failed\nUnitFileState=\nMainPID=0\nNRestarts=0\n");
    let output = home.run(&["service", "status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(all(&output).contains("failed") && all(&output).contains("nobody"), "{}", all(&output));
}

#[test]
fn an_agent_for_the_other_system_is_sound() {
    let home = Home::new();
    let shown = home.ok(&["service", "install", "--dry-run", "--manager", "launchd"]);
    assert!(shown.starts_with("<?xml") && shown.contains("<string>--daemon</string>"), "{shown}");
    let said = home.ok(&["service", "--manager", "launchd", "install"]);
    assert!(said.contains("launchctl bootstrap gui/$(id -u)"), "{said}");
    assert!(home.path().join("Library/LaunchAgents/stratum.daemon.plist").is_file());
    home.write("answer", "gui/0/stratum.daemon = {\n\tstate = running\n\tpid = 99\n\truns = 3\n}\n");
    let rows: Vec<Value> =
        serde_json::from_str(&home.ok(&["service", "status", "--json", "--manager", "launchd"])).expect("JSON");
    assert_eq!((&rows[0]["active"], &rows[0]["pid"], &rows[0]["restarts"]), (&"active".into(), &99.into(), &2.into()));
    home.ok(&["service", "uninstall", "--manager", "launchd"]);
    assert!(home.asked().contains("launchctl bootout gui/"), "{}", home.asked());
}

#[test]
fn the_unit_is_one_to_systemd() {
    let home = Home::new();
    home.ok(&["service", "install", "--data-dir", "/tmp/50% \"off\" $HOME"]);
    let verify = || {
        let mut command = Command::new("systemd-analyze");
        command.args(["--user", "verify"]).arg(home.unit());
        command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path()).output()
    };
    let Ok(output) = verify() else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    let text = all(&output);
    assert!(output.status.success() && !text.contains("stratum.service"), "{text}");
    // It would have said so.
    let unit = std::fs::read_to_string(home.unit()).expect("unit");
    std::fs::write(home.unit(), unit.replace("RestartSec=", "RestartSeconds=")).expect("written");
    let text = all(&verify().expect("runs"));
    assert!(text.contains("RestartSeconds"), "{text}");
}

#[test]
fn whoever_started_the_daemon_hears_that_it_is_ready_alive_and_stopping() {
    let home = Home::new();
    let socket = home.path().join("notify");
    let ear = UnixDatagram::bind(&socket).expect("socket");
    ear.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let mut sim = Command::new(BINARY)
        .args(["sim", "--speed", "20"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim");
    let mut url = String::new();
    let stdout = sim.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut url).expect("its address");
    let mut daemon = home
        .command(&["--daemon"])
        .env("ODDS_API_KEY", FIRST)
        .env("STRATUM_ODDS_API_BASE_URL", url.trim())
        .env("STRATUM_POLLING_PACE", "steady")
        .env("STRATUM_ODDS_API_CLOCK", "server")
        .env("STRATUM_ODDS_API_SPORTS", "basketball_nba")
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "300000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("daemon");
    let hear = |wanted: &str| {
        let mut bytes = [0_u8; 4096];
        for _ in 0..1000 {
            let n = ear.recv(&mut bytes).expect(wanted);
            if String::from_utf8_lossy(&bytes[..n]).lines().any(|l| l == wanted) {
                return;
            }
        }
        panic!("never heard {wanted}");
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    pty::signal(i32::try_from(daemon.id()).expect("pid"), "TERM");
    hear("STOPPING=1");
    assert!(daemon.wait().expect("ends").success());
    sim.kill().expect("killed");
    sim.wait().expect("ends");
}

#[test]
fn keys_are_kept_for_their_owner_alone_and_never_shown() {
    let home = Home::new();
    assert_eq!(home.run(&["key", "status"]).status.code(), Some(3));
    assert_eq!(home.run(&["key", "remove"]).status.code(), Some(3));
    let said = home.feed(&["key", "set"], &format!("{FIRST}\n"));
    assert!(said.status.success(), "{}", all(&said));
    assert!(all(&said).contains(&name_of(FIRST)) && !all(&said).contains(FIRST), "{}", all(&said));
    assert_eq!(mode(&home.key_file()), 0o600);
    let said = home.feed(&["key", "set", "--add"], SECOND);
    assert!(all(&said).contains(&format!("keys {}, {}", name_of(FIRST), name_of(SECOND))), "{}", all(&said));
    assert_eq!(std::fs::read_to_string(home.key_file()).expect("kept"), format!("{FIRST}\n{SECOND}\n"));
    let rows: Vec<Value> = serde_json::from_str(&home.ok(&["key", "status", "--json"])).expect("JSON");
    let names: Vec<_> = rows.iter().map(|r| r["key"].as_str().expect("name").to_owned()).collect();
    assert_eq!(names, [name_of(FIRST), name_of(SECOND)]);
    for args in [&["key", "status"][..], &["config", "show"], &["doctor"]] {
        let text = all(&home.run(args));
        assert!(!text.contains(FIRST) && !text.contains(SECOND), "{text}");
    }
    // Nonsense changes nothing.
    for bad in ["", "two words", "\"quoted\""] {
        let said = home.feed(&["key", "set"], bad);
        assert_eq!(said.status.code(), Some(1), "{}", all(&said));
    }
    assert!(std::fs::read_to_string(home.key_file()).expect("kept").contains(FIRST));
    std::fs::set_permissions(home.key_file(), std::fs::Permissions::from_mode(0o644)).expect("mode");
    assert!(all(&home.run(&["key", "status"])).contains("chmod 600"));
    std::fs::set_permissions(home.key_file(), std::fs::Permissions::from_mode(0o600)).expect("mode");
    home.ok(&["key", "remove"]);
    assert!(!home.key_file().exists());
    if !cfg!(feature = "keyring") {
        let said = home.feed(&["key", "set", "--keyring"], FIRST);
        assert!(all(&said).contains("without the feature `keyring`"), "{}", all(&said));
    }
}

#[test]
fn a_typed_key_is_not_echoed() {
    let home = Home::new();
    let mut terminal = pty::Pty::start(BINARY, &["key", "set"], home.path(), (100, 20));
    terminal.sees("not shown");
    terminal.send(&format!("{FIRST}\r"));
    terminal.sees("for you alone");
    assert_eq!(terminal.exit(Duration::from_secs(20)), 0);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains(FIRST), "{raw:?}");
    assert_eq!(std::fs::read_to_string(home.key_file()).expect("kept"), format!("{FIRST}\n"));
}
