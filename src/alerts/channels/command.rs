//! The channel to a program of the user's: an argument list, never a shell.
//!
//! The message goes to its standard input as JSON, and parts of it into arguments where the user has written such as
//! `{title}`. It inherits only what a program needs to find its way, and no secret of ours. Exit code 0 is delivered, 75
//! (`EX_TEMPFAIL`) is for later, anything else is a refusal; whatever runs too long is ended together with what it
//! started.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::ChannelError;
use super::text::{cut, line, lines};
use crate::alerts::channel::{Attempt, Channel, Sending, one_by_one};
use crate::alerts::message::{Message, Severity};

/// The name in rules, tables and settings.
pub const NAME: &str = "command";
/// Try again: `EX_TEMPFAIL` of sysexits(3).
const TRY_AGAIN: i32 = 75;
/// As much of its complaints as is read. Bytes.
const COMPLAINT: u64 = 4 * 1024;
/// Wait for them once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// As much of them as is passed on. Characters.
const SAID: usize = 160;
/// Longest argument made of a message. Characters.
const ARGUMENT: usize = 2_000;
/// What a program needs to find its way; everything else stays here, keys above all.
const INHERITED: [&str; 18] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SYSTEMROOT",
];

/// Parts of a message that an argument may name.
const FIELDS: [&str; 9] = ["title", "text", "facts", "kind", "severity", "origin", "rule", "key", "at"];

/// What to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandConfig {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// It is ended after so long.
    pub limit: Duration,
}

/// Why it cannot be run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// Nothing to run.
    #[error("alerts.command.run names no program")]
    Empty,
    /// What is run may not depend on a message.
    #[error("alerts.command.run: the program itself may hold no braces; they are for its arguments")]
    Program,
    /// A word in braces that is no part of a message.
    #[error("alerts.command.run: {{{0}}} is no part of a message; there are {fields}. Write {{{{ for a brace", fields = FIELDS.join(", "))]
    Field(String),
    /// A brace without its other.
    #[error("alerts.command.run: `{0}` holds a brace without its other; write {{{{ or }}}} for a brace itself")]
    Brace(String),
}

/// A piece of an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Field(&'static str),
}

/// The channel.
#[derive(Debug)]
pub struct Program {
    program: String,
    arguments: Vec<Vec<Piece>>,
    limit: Duration,
    environment: Vec<(&'static str, std::ffi::OsString)>,
}

impl Program {
    /// A channel that runs this.
    ///
    /// # Errors
    /// [`ChannelError::Command`] when the list cannot be understood. Whether there is such a program is found out when
    /// it is run.
    pub fn new(config: &CommandConfig) -> Result<Self, ChannelError> {
        let (program, arguments) = config.run.split_first().ok_or(CommandError::Empty)?;
        if program.is_empty() {
            return Err(CommandError::Empty.into());
        }
        if program.contains(['{', '}']) {
            return Err(CommandError::Program.into());
        }
        let arguments = arguments.iter().map(|a| pieces(a)).collect::<Result<_, _>>()?;
        let environment = INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
        Ok(Self { program: program.clone(), arguments, limit: config.limit, environment })
    }

    fn command(&self, message: &Message) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(|pieces| argument(pieces, message)));
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        // A group of its own, so that what it starts can be ended with it.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    async fn attempt(&self, message: &Message) -> Attempt {
        let input = match serde_json::to_vec(message) {
            Ok(input) => input,
            Err(e) => return Attempt::Refused { why: format!("the message cannot be written: {e}") },
        };
        let child = match self.command(message).spawn() {
            Ok(child) => child,
            // Too many processes or files just now, or a program that is being replaced.
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::ExecutableFileBusy) => {
                return Attempt::Later { after: None, why: format!("{} cannot be run now: {e}", self.program) };
            }
            Err(e) => return Attempt::Refused { why: format!("{} cannot be run: {e}", self.program) },
        };
        let mut running = Running(child);
        match tokio::time::timeout(self.limit, running.finish(&input)).await {
            Err(_) => {
                running.end();
                let limit = self.limit.as_secs_f64();
                Attempt::Later {
                    after: None,
                    why: format!("{} took longer than {limit} s and was ended", self.program),
                }
            }
            Ok(Err(e)) => Attempt::Later { after: None, why: format!("{} got lost: {e}", self.program) },
            Ok(Ok((status, said))) => self.came_to(status, &said),
        }
    }

    fn came_to(&self, status: ExitStatus, said: &[u8]) -> Attempt {
        let said = String::from_utf8_lossy(said);
        let last = said.lines().rev().map(line).find(|l| !l.is_empty()).unwrap_or_default();
        let said = if last.is_empty() { last } else { format!(": {}", cut(&last, SAID)) };
        let program = &self.program;
        match status.code() {
            Some(0) => Attempt::Delivered,
            Some(TRY_AGAIN) => Attempt::Later { after: None, why: format!("{program} asks to try again{said}") },
            Some(code) => Attempt::Refused { why: format!("{program} ended with {code}{said}") },
            // Somebody ended it: the system was short of memory, or a person.
            None => Attempt::Later { after: None, why: format!("{program} was ended by a signal{said}") },
        }
    }
}

impl Channel for Program {
    fn name(&self) -> &str {
        NAME
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        Box::pin(one_by_one(messages, |message| self.attempt(message)))
    }
}

/// A program that runs; it and what it started end when this is dropped.
struct Running(Child);

impl Running {
    /// Hands over the message and waits for the end. Answers how it ended and what it complained about.
    async fn finish(&mut self, input: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
        let (stdin, stderr) = (self.0.stdin.take(), self.0.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Whoever does not care for the message closes the pipe.
                let _ = stdin.write_all(input).await;
            }
        };
        let mut said = Vec::new();
        let listen = async {
            if let Some(stderr) = stderr {
                let mut rest = stderr.take(COMPLAINT);
                let _ = rest.read_to_end(&mut said).await;
                // What is not kept has to be taken away all the same, or the program would wait for ever.
                let _ = tokio::io::copy(&mut rest.into_inner(), &mut tokio::io::sink()).await;
            }
        };
        let wait = self.0.wait();
        let run = async {
            let mut wait = std::pin::pin!(wait);
            tokio::select! {
                status = &mut wait => status,
                () = feed => wait.await,
            }
        };
        let status = {
            let (mut run, mut listen) = (std::pin::pin!(run), std::pin::pin!(listen));
            tokio::select! {
                status = &mut run => {
                    // Its last words are on their way; what it has left running may hold the pipe open for ever.
                    let _ = tokio::time::timeout(LAST_WORDS, listen).await;
                    status?
                }
                () = &mut listen => run.await?,
            }
        };
        Ok((status, said))
    }

    /// Ends it and what it started.
    fn end(&mut self) {
        // Not yet waited for, so the number is still its own.
        if let Some(pid) = self.0.id() {
            end_group(pid);
        }
        let _ = self.0.start_kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "kill(2) on a group of processes has no safe counterpart in std")]
fn end_group(pid: u32) {
    if let Ok(pid) = i32::try_from(pid)
        && pid > 1
    {
        // SAFETY: takes two numbers; the group is that of a child of ours which has not been waited for.
        unsafe {
            libc::kill(-pid, libc::SIGKILL);
        }
    }
}

#[cfg(not(unix))]
const fn end_group(_: u32) {}

/// An argument in its pieces. `{{` and `}}` are braces.
fn pieces(text: &str) -> Result<Vec<Piece>, CommandError> {
    let (mut found, mut plain) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else {
            let inside = from.strip_prefix('{').and_then(|f| f.split_once('}'));
            let (name, after) = inside.ok_or_else(|| CommandError::Brace(text.to_owned()))?;
            let field = FIELDS.into_iter().find(|f| *f == name).ok_or_else(|| CommandError::Field(name.to_owned()))?;
            if !plain.is_empty() {
                found.push(Piece::Text(std::mem::take(&mut plain)));
            }
            found.push(Piece::Field(field));
            rest = after;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || found.is_empty() {
        found.push(Piece::Text(plain));
    }
    Ok(found)
}

/// The argument for a message. What a message says can never be taken for an option.
fn argument(pieces: &[Piece], message: &Message) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field(name) => out.push_str(&cut(&field(name, message), ARGUMENT)),
        }
    }
    if matches!(pieces.first(), Some(Piece::Field(_))) && out.starts_with('-') {
        out.insert(0, ' ');
    }
    out
}

fn field(name: &str, m: &Message) -> String {
    match name {
        "title" => line(&m.headline()),
        "text" => lines(&m.text),
        "facts" => {
            let facts = m.facts.iter().map(|f| format!("{}: {}", line(&f.label), line(&f.value)));
            facts.collect::<Vec<_>>().join("\n")
        }
        "kind" => m.kind.name().to_owned(),
        "severity" => match m.severity {
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
        .to_owned(),
        "origin" => m.origin.as_deref().map(line).unwrap_or_default(),
        "rule" => m.rule.as_deref().map(line).unwrap_or_default(),
        "key" => line(&m.key),
        "at" => m.at.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::super::testing::message;
    use super::*;
    use crate::alerts::message::Fact;

    fn program(run: &[&str], limit: Duration) -> Program {
        let run = run.iter().map(|a| (*a).to_owned()).collect();
        Program::new(&CommandConfig { run, limit }).expect("understood")
    }

    async fn ran(script: &str) -> Attempt {
        program(&["/bin/sh", "-c", script], Duration::from_secs(10)).send(&[message("a")]).await
    }

    #[test]
    fn arguments_are_read_with_their_braces() {
        let wrong = |run: &[&str]| {
            let run = run.iter().map(|a| (*a).to_owned()).collect();
            match Program::new(&CommandConfig { run, limit: Duration::from_secs(1) }) {
                Err(ChannelError::Command(e)) => e,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wrong(&[]), CommandError::Empty);
        assert_eq!(wrong(&[""]), CommandError::Empty);
        assert_eq!(wrong(&["{title}"]), CommandError::Program);
        assert_eq!(wrong(&["x", "{name}"]), CommandError::Field("name".into()));
        assert!(wrong(&["x", "{name}"]).to_string().contains("title, text"));
        for open in ["{title", "a } b", "{"] {
            assert_eq!(wrong(&["x", open]), CommandError::Brace(open.into()));
        }
        let of = |text: &str| argument(&pieces(text).expect("pieces"), &message("k1"));
        assert_eq!(of("a {kind}/{key} {{x}}"), "a signal/k1 {x}");
        assert_eq!(of(""), "");
        assert_eq!(of("$(touch /tmp/x); `id`"), "$(touch /tmp/x); `id`");
    }

    proptest! {
        #[test]
        fn a_text_with_its_braces_doubled_is_itself(text in "\\PC{0,30}|[{}a ]{0,20}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(argument(&pieces(&doubled).expect("pieces"), &message("k")), text.clone());
            // Whatever else is written is understood or refused.
            let _ = pieces(&text);
        }

        #[test]
        fn no_title_makes_an_option_or_a_second_line(title in "[\\x00-\\x7f\u{202e}-]{0,40}") {
            let made = argument(&pieces("{title}").expect("pieces"), &Message { title, ..message("k") });
            prop_assert!(!made.starts_with('-') && !made.chars().any(char::is_control), "{:?}", made);
        }
    }

    #[test]
    fn a_message_is_never_an_option() {
        let m = Message { title: "--delete-all".into(), ..message("k") };
        assert_eq!(argument(&pieces("{title}").expect("pieces"), &m), " --delete-all");
        assert_eq!(argument(&pieces("--title={title}").expect("pieces"), &m), "--title=--delete-all");
    }

    #[tokio::test]
    async fn the_message_is_on_the_standard_input_and_in_the_arguments() {
        let folder = tempfile::tempdir().expect("folder");
        let (stdin, args) = (folder.path().join("stdin"), folder.path().join("args"));
        let script = format!("cat > '{}'; printf '%s|' \"$@\" > '{}'", stdin.display(), args.display());
        let mut m = message("k1");
        m.title = "a'; touch x #\u{7} $(id)".into();
        m.facts = vec![Fact { label: "entry".into(), value: "DK".into() }];
        let channel = program(&["/bin/sh", "-c", &script, "sh", "{title}", "{facts}"], Duration::from_secs(10));
        assert_eq!(channel.send(&[m.clone()]).await, Attempt::Delivered);
        let got: Message = serde_json::from_slice(&std::fs::read(stdin).expect("read")).expect("JSON");
        assert_eq!(got, m);
        assert_eq!(std::fs::read_to_string(args).expect("read"), "a'; touch x # $(id)|entry: DK|");
    }

    #[tokio::test]
    async fn its_exit_code_decides() {
        assert_eq!(ran("exit 0").await, Attempt::Delivered);
        assert_eq!(ran("cat >/dev/null").await, Attempt::Delivered);
        let later = ran("echo try later >&2; exit 75").await;
        assert!(matches!(&later, Attempt::Later { why, .. } if why.contains("try later")), "{later:?}");
        let refused = ran("echo first >&2; printf '\\033[31mno such user\\n' >&2; exit 64").await;
        assert!(
            matches!(&refused, Attempt::Refused { why } if why.ends_with("with 64: [31mno such user")),
            "{refused:?}"
        );
        assert!(matches!(ran("kill -9 $$").await, Attempt::Later { .. }));
        let absent = program(&["/nonexistent/x"], Duration::from_secs(1)).send(&[message("a")]).await;
        assert!(matches!(&absent, Attempt::Refused { why } if why.contains("/nonexistent/x")), "{absent:?}");
    }

    #[tokio::test]
    async fn it_sees_no_more_of_the_environment_than_it_needs() {
        // Cargo sets many variables for a test; none of them may arrive.
        assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO")));
        let said = ran("env | grep -q -e CARGO -e STRATUM -e ODDS && exit 1; [ -n \"$PATH\" ]").await;
        assert_eq!(said, Attempt::Delivered);
    }

    #[tokio::test]
    async fn what_runs_too_long_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().expect("folder");
        let pid = folder.path().join("pid");
        let script = format!("sleep 60 & echo $! > '{}'; wait", pid.display());
        let began = Instant::now();
        let channel = program(&["/bin/sh", "-c", &script], Duration::from_millis(500));
        let said = channel.send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Later { why, .. } if why.contains("was ended")), "{said:?}");
        assert!(began.elapsed() < Duration::from_secs(10));
        let pid = std::fs::read_to_string(pid).expect("written").trim().to_owned();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        if cfg!(target_os = "linux") {
            for _ in 0..100 {
                if gone() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("process {pid} is still there");
        }
    }

    #[tokio::test]
    async fn neither_noise_nor_a_child_left_behind_holds_it_up() {
        let began = Instant::now();
        assert_eq!(ran("head -c 3000000 /dev/zero >&2; exit 0").await, Attempt::Delivered);
        assert_eq!(ran("sleep 30 & exit 0").await, Attempt::Delivered);
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
}
