//! The files that tell a system how to run the daemon: a user unit of systemd, an agent of launchd. Pure.
//!
//! Each begins with a mark and the hash of what follows, so that what somebody else has written or changed is known.

use std::path::PathBuf;

/// What is to be run.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    /// The program.
    pub(super) program: PathBuf,
    /// What stands behind it.
    pub(super) arguments: Vec<String>,
    /// Optional variables: a file of `NAME=VALUE`, for its owner alone.
    pub(super) environment: PathBuf,
    /// Where launchd puts what the daemon prints.
    pub(super) logs: PathBuf,
}

/// The name of the unit.
pub(super) const UNIT: &str = "stratum.service";
/// The name of the agent.
pub(super) const LABEL: &str = "stratum.daemon";

const MARK: &str = "Written by `stratum service install`";

/// Whose a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// Ours, as it was written.
    Ours,
    /// Ours, and changed since.
    Changed,
    /// Somebody else's.
    Foreign,
}

/// Whose is this text?
pub(super) fn whose(text: &str) -> Whose {
    let Some(at) = text.find(MARK) else { return Whose::Foreign };
    let line = text.get(at..).and_then(|t| t.lines().next()).unwrap_or_default();
    let told = line.split("hash ").nth(1).map(|h| h.chars().take_while(char::is_ascii_hexdigit).collect::<String>());
    let rest = text.get(at..).and_then(|t| t.split_once('\n')).map(|(_, rest)| rest).unwrap_or_default();
    if told.as_deref() == Some(hash(rest).as_str()) { Whose::Ours } else { Whose::Changed }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(16).collect()
}

fn mark(rest: &str) -> String {
    format!("{MARK}; who changes it keeps it. Version {}, hash {}", env!("CARGO_PKG_VERSION"), hash(rest))
}

/// The user unit.
pub(super) fn systemd(daemon: &Daemon) -> String {
    let program = daemon.program.to_string_lossy();
    let command: Vec<String> =
        std::iter::once(program.as_ref()).chain(daemon.arguments.iter().map(String::as_str)).map(word).collect();
    let rest = format!(
        "\
[Unit]
Description=Stratum: follows betting markets and stores every quote
# It is started again however often it fails; RestartSec keeps that calm.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=30
# Arguments that are not understood today will not be tomorrow.
RestartPreventExitStatus=2
TimeoutStartSec=300
TimeoutStopSec=15
WatchdogSec=120
# Optional: variables such as ODDS_API_KEY=..., one a line, in a file for you alone (chmod 600). Better: stratum key set.
EnvironmentFile=-{}
UMask=0077
# What works without privileges of the system. Folders stay as they are: the store may lie anywhere.
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
",
        command.join(" "),
        daemon.environment.to_string_lossy().replace('%', "%%"),
    );
    format!("# {}\n{rest}", mark(&rest))
}

/// A word of a command line of systemd.
fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'=' | b':' | b',' | b'+');
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' | '$' => out.extend([c, c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The agent.
pub(super) fn launchd(daemon: &Daemon) -> String {
    let program = daemon.program.to_string_lossy();
    let words = std::iter::once(program.as_ref()).chain(daemon.arguments.iter().map(String::as_str));
    let arguments: String = words.map(|w| format!("    <string>{}</string>\n", xml(w))).collect();
    let log = xml(&daemon.logs.join("service.log").to_string_lossy());
    let rest = format!(
        "\
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
<dict>
  <key>Label</key>
  <string>{LABEL}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>ExitTimeOut</key>
  <integer>15</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>{log}</string>
  <key>StandardErrorPath</key>
  <string>{log}</string>
</dict>
</plist>
"
    );
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- {} -->\n{rest}", mark(&rest))
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon() -> Daemon {
        Daemon {
            program: "/opt/my tools/stratum".into(),
            arguments: ["--daemon", "--data-dir", "/data/50% \"off\" $HOME"].map(str::to_owned).into(),
            environment: "/home/me/.config/stratum/service.env".into(),
            logs: "/home/me/logs".into(),
        }
    }

    #[test]
    fn words_are_taken_as_they_are() {
        let text = systemd(&daemon());
        let line = text.lines().find(|l| l.starts_with("ExecStart=")).expect("a line");
        assert_eq!(line, "ExecStart=\"/opt/my tools/stratum\" --daemon --data-dir \"/data/50%% \\\"off\\\" $$HOME\"");
        let text = launchd(&Daemon { arguments: vec!["a<b&c".into()], ..daemon() });
        assert!(
            text.contains("<string>/opt/my tools/stratum</string>") && text.contains("<string>a&lt;b&amp;c</string>")
        );
    }

    #[test]
    fn what_others_wrote_or_changed_is_known() {
        for text in [systemd(&daemon()), launchd(&daemon())] {
            assert_eq!(whose(&text), Whose::Ours);
            assert_eq!(whose(&text.replace("30", "31")), Whose::Changed);
            assert_eq!(whose(&format!("{text}\n# mine\n")), Whose::Changed);
        }
        for text in ["", "[Service]\nExecStart=/bin/true\n"] {
            assert_eq!(whose(text), Whose::Foreign);
        }
    }
}
