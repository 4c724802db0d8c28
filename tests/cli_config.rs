//! The real program, from its arguments to its exit code: settings, doctor, completions, manual.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;

const SECRET: &str = "5ecret0key0that0must0not0show";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("dir"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("stratum").expect("program");
        command
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().expect("runs")
    }

    fn settings_file(&self) -> std::path::PathBuf {
        self.path().join("config/stratum/stratum.toml")
    }

    fn write_settings(&self, text: &str) {
        std::fs::create_dir_all(self.settings_file().parent().expect("parent")).expect("dir");
        std::fs::write(self.settings_file(), text).expect("writes");
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn json(output: &Output) -> Vec<serde_json::Value> {
    serde_json::from_slice(&output.stdout).expect("a JSON array")
}

fn setting<'a>(rows: &'a [serde_json::Value], name: &str) -> &'a serde_json::Value {
    rows.iter().find(|r| r["setting"] == name).expect(name)
}

#[test]
fn help_tells_exit_codes_and_an_example() {
    let home = Home::new();
    let help = home.run(&["--help"]);
    assert!(help.status.success());
    for part in ["Exit codes", "another process writes to the store", "--data-dir", "--daemon", "Example"] {
        assert!(out(&help).contains(part), "{part}");
    }
    for command in [
        "demo",
        "status",
        "events",
        "quotes",
        "history",
        "polymarket",
        "hub",
        "import",
        "sim",
        "doctor",
        "config",
        "man",
    ] {
        let help = home.run(&[command, "--help"]);
        assert!(help.status.success() && out(&help).contains("Example"), "{command}");
    }
    assert!(out(&home.run(&["--version"])).starts_with("stratum "));
}

#[test]
fn wrong_arguments_end_with_two() {
    let home = Home::new();
    for args in [&["--nothing"][..], &["nothing"], &["config"], &["history", "x"], &["--daemon", "doctor"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(out(&output).is_empty() && !err(&output).is_empty());
    }
}

#[test]
fn the_path_is_told_whether_or_not_the_file_is_there() {
    let home = Home::new();
    assert_eq!(out(&home.run(&["config", "path"])).trim(), home.settings_file().display().to_string());
    assert_eq!(out(&home.run(&["config", "path", "--config", "/x/y.toml"])), "/x/y.toml\n");
    assert_eq!(std::fs::read_dir(home.path()).expect("lists").count(), 0, "asking writes nothing");
}

#[test]
fn init_writes_once_and_what_it_writes_is_valid() {
    let home = Home::new();
    assert!(home.run(&["config", "init"]).status.success());
    let text = std::fs::read_to_string(home.settings_file()).expect("there");
    assert!(text.contains("#interval = \"60s\""));
    assert_eq!(out(&home.run(&["config", "init", "--stdout"])), text);
    let shown = home.run(&["config", "show", "--json"]);
    assert!(err(&shown).is_empty() && json(&shown).iter().all(|r| r["origin"] == "default" || r["origin"] == "none"));
    std::fs::write(home.settings_file(), "[log]\nlevel = \"debug\"\n").expect("writes");
    let again = home.run(&["config", "init"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("--force"));
    assert!(home.run(&["config", "init", "--force"]).status.success());
    assert_eq!(std::fs::read_to_string(home.settings_file()).expect("there"), text);
    let old = home.settings_file().with_extension("toml.old");
    assert!(std::fs::read_to_string(old).expect("kept").contains("debug"));
}

#[test]
fn show_merges_all_layers_with_their_origins() {
    let home = Home::new();
    home.write_settings(
        "[odds_api]\ninterval = \"30s\"\nintervall = \"9s\"\n[quotes.max_age_by_book]\npinnacle = \"2m\"\n",
    );
    let output = home
        .command()
        .args(["config", "show", "--json"])
        .env("STRATUM_ODDS_API_TIMEOUT", "7s")
        .env("STRATUM_ODDS_API_SPORTS", "basketball_nba,icehockey_nhl")
        .env("ODDS_API_KEY", SECRET)
        .output()
        .expect("runs");
    let rows = json(&output);
    assert_eq!(setting(&rows, "odds_api.interval")["value"], "30s");
    assert!(setting(&rows, "odds_api.interval")["origin"].as_str().expect("text").ends_with("stratum.toml:2"));
    assert_eq!(setting(&rows, "odds_api.timeout")["origin"], "$STRATUM_ODDS_API_TIMEOUT");
    assert_eq!(setting(&rows, "odds_api.sports")["value"], serde_json::json!(["basketball_nba", "icehockey_nhl"]));
    assert_eq!(setting(&rows, "quotes.max_age_by_book.pinnacle")["value"], "2m");
    assert_eq!(setting(&rows, "odds_api key")["value"], "***");
    assert!(err(&output).contains("stratum.toml:3: unknown setting `odds_api.intervall`"), "{}", err(&output));
    let text = out(&home.run(&["config", "show"]));
    assert!(text.starts_with("SETTING") && text.lines().all(|l| l.trim_end() == l && !l.contains('\u{1b}')));
}

#[test]
fn broken_settings_name_file_line_and_remedy() {
    let home = Home::new();
    for (text, part) in [
        ("[odds_api\n", ":1:"),
        ("[odds_api]\n\ninterval = 60\n", ":3: `odds_api.interval` must be a duration"),
        ("[odds_api]\nregions = []\n", "name at least one region or book"),
    ] {
        home.write_settings(text);
        let output = home.run(&["config", "show"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(part) && err(&output).contains("stratum.toml"), "{}", err(&output));
        // The doctor must not die of the illness.
        let report = home.run(&["doctor", "--json"]);
        assert_eq!(report.status.code(), Some(1));
        assert!(json(&report).iter().any(|f| f["verdict"] == "error" && f["area"] == "settings"));
    }
    let output = home.run(&["config", "show", "--config", "/nonexistent.toml"]);
    assert!(err(&output).contains("/nonexistent.toml: the settings file cannot be read"), "{}", err(&output));
}

#[test]
fn settings_of_the_analysis_are_shown_and_checked_like_all_others() {
    let home = Home::new();
    home.write_settings("[steam]\nwindow = \"15m\"\n[fair.weights]\npinnacle = 5\n");
    let output =
        home.command().args(["config", "show", "--json"]).env("STRATUM_STEAM_BOOKS", "6").output().expect("runs");
    let rows = json(&output);
    assert_eq!(setting(&rows, "steam.window")["value"], "15m");
    assert_eq!(setting(&rows, "steam.books")["value"], 6);
    assert_eq!(setting(&rows, "steam.books")["origin"], "$STRATUM_STEAM_BOOKS");
    assert_eq!(setting(&rows, "fair.weights.pinnacle")["value"], 5);
    assert_eq!(setting(&rows, "devig.max_overround")["value"], 1.25);
    assert_eq!(setting(&rows, "retention.points")["value"], "14d");
    assert!(err(&output).is_empty(), "{}", err(&output));
    for (text, part) in [
        (
            "[steam]\nwindow = \"2d\"\n",
            ":2: `steam.window` must be a duration such as \"60s\" or \"15m\", from 1s to 1d",
        ),
        ("[devig]\nh2h = \"worst_case\"\n", ":2: `devig.h2h` must be one of multiplicative, additive, power, shin"),
        ("[fair.weights]\npinnacle = -1\n", ":2: `fair.weights.pinnacle` must be a number from 0 to 100, not -1"),
    ] {
        home.write_settings(text);
        let output = home.run(&["config", "show"]);
        assert!(output.status.code() == Some(1) && err(&output).contains(part), "{}", err(&output));
    }
}

#[test]
fn the_key_never_shows() {
    let home = Home::new();
    home.write_settings(&format!("[odds_api]\napi_key = \"{SECRET}\"\n"));
    let file = home.settings_file().with_file_name("odds_api.key");
    std::fs::write(&file, SECRET).expect("writes");
    for mode in [0o600, 0o644] {
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("mode");
        for args in [&["config", "show"][..], &["config", "show", "--json"], &["doctor"], &["doctor", "--json"]] {
            for variable in ["", SECRET, "5ecret0key0that0must0not0show with blanks"] {
                let output = home.command().args(args).env("ODDS_API_KEY", variable).output().expect("runs");
                let all = out(&output) + &err(&output);
                assert!(!all.contains(SECRET), "{mode:o} {args:?}\n{all}");
            }
        }
    }
    let shown = home.run(&["config", "show"]);
    assert!(out(&shown).contains("chmod 600"), "{}", out(&shown));
    assert!(err(&shown).contains("ODDS_API_KEY"));
}

#[test]
fn the_doctor_reports_what_matters() {
    let home = Home::new();
    let data = home.path().join("all");
    let report = home.run(&["--data-dir", data.to_str().expect("text"), "doctor", "--json"]);
    assert!(report.status.success(), "{}", err(&report));
    let rows = json(&report);
    for name in
        ["version", "platform", "sqlite", "data", "logs", "cache", "runtime", "file", "odds_api", "zone", "clock"]
    {
        assert!(rows.iter().any(|r| r["name"] == name), "{name}");
    }
    let at =
        |name: &str| rows.iter().find(|r| r["name"] == name).expect(name)["value"].as_str().expect("text").to_owned();
    assert!(at("data").starts_with(data.to_str().expect("text")));
    assert!(!data.exists(), "looking makes nothing");
    std::fs::create_dir_all(&data).expect("dir");
    std::fs::write(data.join("logs"), "in the way").expect("writes");
    let report = home.command().arg("doctor").env("STRATUM_DATA_DIR", &data).output().expect("runs");
    assert_eq!(report.status.code(), Some(1));
    assert!(out(&report).contains("is no folder"), "{}", out(&report));
}

#[test]
fn completions_and_manual_are_printed() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = home.run(&["completions", shell]);
        assert!(output.status.success() && out(&output).contains("stratum"), "{shell}");
    }
    assert!(out(&home.run(&["man"])).contains(".TH"));
    let dir = home.path().join("man");
    assert!(home.run(&["man", "--dir", dir.to_str().expect("text")]).status.success());
    assert!(dir.join("stratum.1").is_file() && dir.join("stratum-quotes.1").is_file());
}

#[cfg(unix)]
#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let home = Home::new();
    for args in [&["man"][..], &["completions", "bash"], &["config", "show"], &["doctor"], &["--help"]] {
        let mut child = home.command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()), "{args:?}");
    }
}
