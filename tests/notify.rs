//! A real notification reaches a real notification service: dunst on a private bus and a screen in memory. And where
//! there is none, or it hangs, nobody waits for it.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stratum::alerts::channel::{Attempt, Channel};
use stratum::alerts::channels::desktop::Desktop;
use stratum::alerts::message::{Fact, Kind, Message, Severity};
use stratum::market::time::Timestamp;

const TITLE: &str = "STEAM Boston Celtics -3.5";

/// Are the programs there? Without them the test is skipped, but never where everything has been installed for it.
fn installed() -> bool {
    let missing: Vec<&str> = ["dbus-daemon", "dbus-send", "Xvfb", "dunst"]
        .into_iter()
        .filter(|p| {
            Command::new("sh")
                .args(["-c", &format!("command -v {p} >/dev/null")])
                .status()
                .map_or(true, |s| !s.success())
        })
        .collect();
    if missing.is_empty() {
        return true;
    }
    let text = format!("{} not installed (Debian: apt-get install dbus dunst xvfb)", missing.join(", "));
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
    eprintln!("skipped: {text}");
    false
}

/// A process that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A private bus that starts nobody by itself.
struct Bus {
    _daemon: Ending,
    address: String,
    home: tempfile::TempDir,
}

impl Bus {
    fn start() -> Self {
        let home = tempfile::tempdir().expect("folder");
        let config = home.path().join("bus.conf");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
             <busconfig><type>session</type><listen>unix:path={}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            home.path().join("bus").display()
        );
        std::fs::write(&config, text).expect("written");
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a bus");
        let address = first_line(&mut daemon);
        Self { _daemon: Ending(daemon), address, home }
    }

    fn service(&self) -> (Ending, Ending) {
        let mut x = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a screen");
        let display = format!(":{}", first_line(&mut x));
        let dunst = Command::new("dunst")
            .args(["-config", "/dev/null"])
            .env("DISPLAY", display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", self.home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dunst");
        let both = (Ending(x), Ending(dunst));
        let end = Instant::now() + Duration::from_secs(30);
        while !self
            .ask(
                "org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus.NameHasOwner",
                &["string:org.freedesktop.Notifications"],
            )
            .contains("boolean true")
        {
            assert!(Instant::now() < end, "dunst does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        both
    }

    fn ask(&self, who: &str, path: &str, method: &str, args: &[&str]) -> String {
        let output = Command::new("dbus-send")
            .args(["--session", "--print-reply", &format!("--dest={who}"), path, method])
            .args(args)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .output()
            .expect("dbus-send");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What dunst has shown so far.
    fn shown(&self) -> String {
        let dunst = |method: &str| {
            let method = format!("org.dunstproject.cmd0.{method}");
            self.ask("org.freedesktop.Notifications", "/org/freedesktop/Notifications", &method, &[])
        };
        dunst("NotificationCloseAll");
        dunst("NotificationListHistory")
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    line.trim().to_owned()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("files").count()
}

/// Sends in a process of its own, as the bus is named by the environment. Answers what came of it and how long it took.
fn send(address: &str) -> (String, Duration) {
    let program: PathBuf = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--ignored", "--exact", "sends_one_notification", "--nocapture"])
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("XDG_RUNTIME_DIR", Path::new("/nonexistent"))
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let of = |name: &str| {
        let line = text.lines().find_map(|l| l.split_once(name)).unwrap_or_else(|| panic!("{text}"));
        line.1.trim().to_owned()
    };
    (of("ATTEMPT "), Duration::from_millis(of("TOOK ").parse().expect("milliseconds")))
}

#[test]
#[ignore = "run by the tests below, in an environment of its own"]
fn sends_one_notification() {
    let message = Message {
        key: "k".into(),
        kind: Kind::Signal,
        severity: Severity::Info,
        origin: Some("DEMO".into()),
        at: Timestamp::from_secs(1_800_000_000),
        title: TITLE.into(),
        text: "6 of 9 books <b>moved</b> & more".into(),
        facts: vec![Fact { label: "entry".into(), value: "DraftKings -3.5 -105".into() }],
        rule: None,
        data: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let channel = Desktop::new();
    let began = Instant::now();
    let attempt = runtime.block_on(channel.send(std::slice::from_ref(&message)));
    println!("\nTOOK {}", began.elapsed().as_millis());
    if attempt == Attempt::Delivered {
        // A season of them leaves nothing open.
        let before = open_files();
        for _ in 0..30 {
            assert_eq!(runtime.block_on(channel.send(std::slice::from_ref(&message))), Attempt::Delivered);
        }
        std::thread::sleep(Duration::from_millis(200));
        assert!(open_files() <= before + 1, "{before} files were open, now {}", open_files());
    }
    println!("ATTEMPT {attempt:?}");
}

#[test]
fn a_notification_reaches_a_real_service() {
    if !installed() {
        return;
    }
    let bus = Bus::start();
    let (before, took) = send(&bus.address);
    assert!(before.starts_with("Later") && before.contains("no notification service runs"), "{before}");
    assert!(took < Duration::from_secs(2), "{took:?}");

    let (_screen, dunst) = bus.service();
    assert_eq!(send(&bus.address).0, "Delivered");
    let shown = bus.shown();
    assert!(shown.contains(&format!("[DEMO] {TITLE}")), "{shown}");
    assert!(shown.contains("entry: DraftKings -3.5 -105"), "{shown}");
    // What is written by others is text and no markup.
    assert!(shown.contains("&lt;b&gt;") || shown.contains("<b>moved</b> & more"), "{shown}");
    assert!(shown.contains("Stratum"), "{shown}");

    // A service that hangs.
    let stopped = Command::new("kill").args(["-STOP", &dunst.0.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    let (hanging, took) = send(&bus.address);
    assert!(hanging.starts_with("Later") && hanging.contains("does not answer"), "{hanging}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn without_a_bus_it_is_told_and_nothing_else_happens() {
    let (attempt, took) = send("unix:path=/nonexistent/bus");
    assert!(attempt.starts_with("Later") && attempt.contains("no session bus"), "{attempt}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}
