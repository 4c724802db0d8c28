//! `stratum service`: lets systemd or launchd run the daemon for one user.
//!
//! Writes one file and asks the system to read it again; starting is left to the user, who is told how. A file that
//! somebody else has written or changed is never touched without `--force`.

mod files;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::args::{Global, OutputArgs};
use super::args_service::{InstallArgs, Manager, ServiceAction, ServiceArgs};
use super::output::{Align, Table, json_array};
use super::{Exit, Failure, prepare};
use crate::config::{KeyOrigin, Loaded, Paths, odds_api_key};
use crate::runtime::link::{StoreOwner, probe};
use files::{Daemon, LABEL, UNIT, Whose};

/// Longest wait for an answer of the system's own program.
const ANSWER: Duration = Duration::from_secs(15);

/// Runs `stratum service`.
///
/// # Errors
/// [`Failure`] when the file cannot be written or removed, or is somebody else's.
pub fn run(global: &Global, args: &ServiceArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let manager = manager(args.manager)?;
    match &args.action {
        ServiceAction::Install(args) => install(global, manager, *args, out),
        ServiceAction::Uninstall(args) => uninstall(manager, *args, out),
        ServiceAction::Status(output) => status(global, manager, *output, out),
    }
}

fn manager(named: Option<Manager>) -> Result<Manager, Failure> {
    match (named, std::env::consts::OS) {
        (Some(manager), _) => Ok(manager),
        (None, "linux") => Ok(Manager::Systemd),
        (None, "macos") => Ok(Manager::Launchd),
        (None, os) => Err(Failure::Other(format!(
            "services are set up for systemd and launchd, and {os} has neither; run `stratum --daemon` by other means"
        ))),
    }
}

/// Where the file belongs.
fn place(manager: Manager) -> Result<PathBuf, Failure> {
    let base = directories::BaseDirs::new().ok_or(crate::config::PathError::NoHome)?;
    Ok(match manager {
        Manager::Systemd => base.config_dir().join("systemd/user").join(UNIT),
        Manager::Launchd => base.home_dir().join("Library/LaunchAgents").join(format!("{LABEL}.plist")),
    })
}

fn daemon(global: &Global, paths: &Paths) -> Result<Daemon, Failure> {
    let mut arguments = vec!["--daemon".to_owned()];
    // The service starts elsewhere, and with another environment.
    for (flag, path) in [("--data-dir", &global.data_dir), ("--config", &global.config)] {
        if let Some(path) = path {
            let path = std::path::absolute(path)?;
            let text = path.to_str().ok_or_else(|| Failure::Other(format!("{flag}: the path is not valid UTF-8")))?;
            arguments.extend([flag.to_owned(), text.to_owned()]);
        }
    }
    let environment = std::path::absolute(paths.beside("", "service.env"))?;
    Ok(Daemon { program: std::env::current_exe()?, arguments, environment, logs: std::path::absolute(&paths.logs)? })
}

fn install(global: &Global, manager: Manager, args: InstallArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let (file, daemon) = (place(manager)?, daemon(global, &paths)?);
    let text = match manager {
        Manager::Systemd => files::systemd(&daemon),
        Manager::Launchd => files::launchd(&daemon),
    };
    if args.dry_run {
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let before = read(&file)?;
    may_touch(&file, before.as_deref(), args.force, "replace")?;
    if before.as_deref() == Some(text.as_str()) {
        writeln!(out, "{} is already as it should be", file.display())?;
    } else {
        write(&file, &text)?;
        writeln!(out, "wrote {}", file.display())?;
    }
    if manager == Manager::Launchd {
        // launchd makes the log but not its folder.
        paths.make()?;
    } else {
        told(out, "systemctl", &["--user", "daemon-reload"])?;
    }
    warn(&paths, &loaded, &daemon, out)?;
    match manager {
        Manager::Systemd => {
            writeln!(out, "start it now and at every login with:  systemctl --user enable --now {UNIT}")?;
            writeln!(out, "keep it running when you log out with: loginctl enable-linger")?;
        }
        Manager::Launchd => {
            writeln!(
                out,
                "start it now and at every login with:  launchctl bootstrap gui/$(id -u) '{}'",
                file.display()
            )?;
        }
    }
    Ok(Exit::Ok)
}

/// The service does not see the variables of this shell.
fn warn(paths: &Paths, loaded: &Loaded, daemon: &Daemon, out: &mut dyn Write) -> Result<(), Failure> {
    let variable = std::env::var("ODDS_API_KEY").ok();
    let file = paths.key_file(&loaded.settings);
    let in_environment = || {
        let text = std::fs::read_to_string(&daemon.environment).unwrap_or_default();
        text.lines().any(|l| l.trim_start().starts_with("ODDS_API_KEY="))
    };
    match odds_api_key(None, &file) {
        Ok(Some((_, KeyOrigin::File(_) | KeyOrigin::Keyring | KeyOrigin::Environment))) => {}
        Ok(None) if in_environment() => {}
        Ok(None) => {
            let seen =
                if variable.is_some() { "; the variable ODDS_API_KEY of this shell does not reach it" } else { "" };
            writeln!(out, "the service has no key yet{seen}: run `stratum key set`")?;
        }
        Err(e) => writeln!(out, "the service cannot use its key: {e}")?,
    }
    let settings = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut named: Vec<String> = settings.filter(|n| n.starts_with("STRATUM_")).collect();
    named.retain(|n| !matches!(n.as_str(), "STRATUM_DATA_DIR" | "STRATUM_CONFIG"));
    named.sort_unstable();
    if !named.is_empty() {
        let file = daemon.environment.display();
        writeln!(out, "variables of this shell do not reach it either ({}); put them into {file}", named.join(", "))?;
    }
    Ok(())
}

fn uninstall(manager: Manager, args: InstallArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let file = place(manager)?;
    let Some(text) = read(&file)? else {
        writeln!(out, "no service is installed ({} is not there)", file.display())?;
        return Ok(Exit::Ok);
    };
    may_touch(&file, Some(&text), args.force, "remove")?;
    if args.dry_run {
        writeln!(out, "would stop the service and remove {}", file.display())?;
        return Ok(Exit::Ok);
    }
    match manager {
        Manager::Systemd => told(out, "systemctl", &["--user", "disable", "--now", UNIT])?,
        Manager::Launchd => told(out, "launchctl", &["bootout", &format!("{}/{LABEL}", domain())])?,
    }
    std::fs::remove_file(&file).map_err(|e| Failure::Other(format!("{}: {e}", file.display())))?;
    writeln!(out, "removed {}", file.display())?;
    if manager == Manager::Systemd {
        told(out, "systemctl", &["--user", "daemon-reload"])?;
    }
    writeln!(out, "the store, the settings and the key are where they were")?;
    Ok(Exit::Ok)
}

/// How it stands.
#[derive(Serialize)]
struct Row {
    file: String,
    installed: &'static str,
    enabled: Option<String>,
    active: Option<String>,
    pid: Option<u32>,
    restarts: Option<u32>,
    store: String,
    writer: &'static str,
    writer_pid: Option<u32>,
    writer_version: Option<String>,
}

fn status(global: &Global, manager: Manager, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let file = place(manager)?;
    let installed = read(&file)?.map(|text| match files::whose(&text) {
        Whose::Ours => "yes",
        Whose::Changed => "yes, changed since",
        Whose::Foreign => "yes, by somebody else",
    });
    let (enabled, active, pid, restarts) = match manager {
        Manager::Systemd => systemd_says(),
        Manager::Launchd => launchd_says(),
    };
    let store = paths.store(&loaded.settings);
    let owner = super::daemon::runtime()?.block_on(probe(&store));
    let (writer, writer_pid, writer_version) = match owner {
        StoreOwner::Free | StoreOwner::Ours => ("nobody", None, None),
        StoreOwner::Answers { pid, version } => ("answers", Some(pid), Some(version)),
        StoreOwner::Silent { pid, .. } => ("silent", Some(pid), None),
        StoreOwner::Other(other) => ("another version", Some(other.pid), Some(other.version)),
    };
    let row = Row {
        file: file.display().to_string(),
        installed: installed.unwrap_or("no"),
        enabled,
        active,
        pid: pid.filter(|p| *p > 0),
        restarts,
        store: store.display().to_string(),
        writer,
        writer_pid,
        writer_version,
    };
    let runs = row.active.as_deref() == Some("active");
    if output.json {
        json_array(out, [&row])?;
    } else {
        show(&row, out)?;
    }
    Ok(match (installed, runs) {
        (None, _) => Exit::NotFound,
        (Some(_), true) => Exit::Ok,
        (Some(_), false) => Exit::Failure,
    })
}

fn show(row: &Row, out: &mut dyn Write) -> Result<(), Failure> {
    let unknown = || "unknown (the system does not answer)".to_owned();
    let writer = match (row.writer_pid, row.writer) {
        (None, _) => "nobody".to_owned(),
        (Some(pid), "answers") if row.pid == Some(pid) => format!("this service (process {pid})"),
        (Some(pid), "answers") => format!("process {pid}, which is not this service"),
        (Some(pid), "silent") => format!("process {pid}, which does not answer (it may be starting or importing)"),
        (Some(pid), how) => format!("process {pid} ({how})"),
    };
    let mut table = Table::new([("WHAT", Align::Left), ("HOW", Align::Left)]);
    let active = row.active.clone().unwrap_or_else(unknown);
    let process = row.pid.map(|p| format!(", process {p}")).unwrap_or_default();
    let restarts = row.restarts.filter(|r| *r > 0).map(|r| format!(", restarted {r} times")).unwrap_or_default();
    for (what, how) in [
        ("installed", row.installed.to_owned()),
        ("file", row.file.clone()),
        ("starts at login", row.enabled.clone().unwrap_or_else(unknown)),
        ("runs", format!("{active}{process}{restarts}")),
        ("store", row.store.clone()),
        ("written by", writer),
    ] {
        table.row([what.to_owned(), how]);
    }
    table.print(out)?;
    Ok(())
}

type Says = (Option<String>, Option<String>, Option<u32>, Option<u32>);

fn systemd_says() -> Says {
    let properties = "--property=ActiveState,UnitFileState,MainPID,NRestarts";
    let Ok((true, text)) = ask("systemctl", &["--user", "show", UNIT, properties]) else {
        return (None, None, None, None);
    };
    let of = |name: &str| {
        let mut lines = text.lines().filter_map(|l| l.split_once('='));
        lines.find(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| v.trim().to_owned())
    };
    let number = |name| of(name).and_then(|v| v.parse().ok());
    (of("UnitFileState").or(Some("no".into())), of("ActiveState"), number("MainPID"), number("NRestarts"))
}

fn launchd_says() -> Says {
    match ask("launchctl", &["print", &format!("{}/{LABEL}", domain())]) {
        Err(_) => (None, None, None, None),
        Ok((false, _)) => (Some("no".into()), Some("not loaded".into()), None, None),
        Ok((true, text)) => {
            let of = |name: &str| {
                let mut lines = text.lines().filter_map(|l| l.trim().split_once(" = "));
                lines.find(|(n, _)| *n == name).map(|(_, v)| v.to_owned())
            };
            let state = of("state").map(|s| if s == "running" { "active".to_owned() } else { s });
            let restarts = of("runs").and_then(|r| r.parse::<u32>().ok()).map(|r| r.saturating_sub(1));
            (Some("yes".into()), state, of("pid").and_then(|p| p.parse().ok()), restarts)
        }
    }
}

fn domain() -> String {
    #[cfg(unix)]
    let user = crate::runtime::attach::place::Surroundings::here().uid;
    #[cfg(not(unix))]
    let user = 0;
    format!("gui/{user}")
}

/// Runs a program of the system and tells how it went; it is no failure of ours when it does not work.
fn told(out: &mut dyn Write, program: &str, args: &[&str]) -> Result<(), Failure> {
    let line = format!("{program} {}", args.join(" "));
    match ask(program, args) {
        Ok((true, _)) => writeln!(out, "ran {line}")?,
        Ok((false, said)) => {
            let said = said.lines().next().unwrap_or("it did not say why").to_owned();
            writeln!(out, "did not work: {line} ({said}); run it yourself once it does")?;
        }
        Err(e) => writeln!(out, "could not run {line} ({e}); run it yourself where there is one")?,
    }
    Ok(())
}

/// Runs a program for a while. Answers whether it succeeded, and what it said.
fn ask(program: &str, args: &[&str]) -> std::io::Result<(bool, String)> {
    let mut child =
        Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let end = Instant::now() + ANSWER;
    // What these programs say fits into a pipe.
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not answer"));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said)?;
    }
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said)?;
    }
    Ok((status.success(), said))
}

fn read(file: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::Other(format!("{}: {e}", file.display()))),
    }
}

fn may_touch(file: &Path, text: Option<&str>, force: bool, verb: &str) -> Result<(), Failure> {
    let how = match text.map(files::whose) {
        None | Some(Whose::Ours) => return Ok(()),
        Some(_) if force => return Ok(()),
        Some(Whose::Changed) => "was changed after it was written",
        Some(Whose::Foreign) => "was not written by this program",
    };
    Err(Failure::Other(format!("{} {how}; look at it, and {verb} it with --force", file.display())))
}

/// Writes the file whole or not at all.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Other(format!("{}: {e}", file.display()));
    let folder = file.parent().ok_or_else(|| failed(std::io::Error::other("it has no folder")))?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    new.write_all(text.as_bytes()).map_err(failed)?;
    #[cfg(unix)]
    new.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644)).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(file).map_err(|e| failed(e.error))?;
    Ok(())
}
