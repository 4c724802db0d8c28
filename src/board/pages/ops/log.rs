//! The end of the log: the last lines of the newest file.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::board::format::Zone;
use crate::board::widgets::text;
use crate::market::time::Timestamp;

/// So much of the end of the file is read.
const BYTES: u64 = 64 * 1024;
/// At most so many lines are kept.
const LINES: usize = 300;

/// How much weight a line has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Everything, for those who look for something.
    #[default]
    All,
    /// Ordinary events.
    Info,
    /// Something to look at.
    Warn,
    /// Something is broken.
    Error,
}

impl Level {
    /// The next, round and round.
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Info,
            Self::Info => Self::Warn,
            Self::Warn => Self::Error,
            Self::Error => Self::All,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Info => "info and worse",
            Self::Warn => "warnings and errors",
            Self::Error => "errors",
        }
    }

    /// Of a line, in either form of the log.
    fn of(line: &str) -> Self {
        let head: String = line.chars().take(200).collect();
        let has = |word: &str| {
            head.split_whitespace().nth(1) == Some(word) || head.contains(&format!("\"level\":\"{word}\""))
        };
        match () {
            () if has("ERROR") => Self::Error,
            () if has("WARN") => Self::Warn,
            () if has("INFO") => Self::Info,
            () => Self::All,
        }
    }
}

/// The last lines, oldest first, without control characters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tail {
    /// Name of the file.
    pub file: String,
    /// Lines.
    pub lines: Vec<(Level, String)>,
}

/// Reads the end of the newest log in `folder`. `Ok(None)`: there is no log.
///
/// # Errors
/// A sentence for the user.
pub fn tail(folder: &Path) -> Result<Option<Tail>, String> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("{} cannot be read: {e}", folder.display())),
    };
    let mut files: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| n.starts_with("stratum") && n.ends_with(".log"))
        .collect();
    // Names have the day in them: the last one is the newest.
    files.sort();
    let Some(file) = files.pop() else { return Ok(None) };
    let wrong = |e: std::io::Error| format!("{file} cannot be read: {e}");
    let mut open = std::fs::File::open(folder.join(&file)).map_err(wrong)?;
    let len = open.metadata().map_err(wrong)?.len();
    let from = len.saturating_sub(BYTES);
    open.seek(SeekFrom::Start(from)).map_err(wrong)?;
    let mut bytes = Vec::new();
    open.take(BYTES).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(Some(Tail { lines: lines(&bytes, from > 0), file }))
}

/// A line as the pane shows it: the time of day, how grave it is, which part of the program, and what it says. A line in
/// another form stays as it is.
pub fn short(line: &str, zone: Zone) -> String {
    let parsed = || {
        let (stamp, rest) = line.split_once(' ')?;
        let at = Timestamp::parse(stamp)?;
        let (level, rest) = rest.trim_start().split_once(' ')?;
        let (target, said) = rest.split_once(": ")?;
        let room = target.rsplit("::").next().filter(|_| !target.contains(' '))?;
        Some(format!("{} {level:<5} {room}: {said}", zone.hms(at)))
    };
    parsed().unwrap_or_else(|| line.to_owned())
}

/// `cut`: the beginning may be the end of a line.
fn lines(bytes: &[u8], cut: bool) -> Vec<(Level, String)> {
    let told = String::from_utf8_lossy(bytes);
    let mut all: Vec<(Level, String)> = told
        .lines()
        .skip(usize::from(cut))
        .filter(|l| !l.trim().is_empty())
        .map(|l| (Level::of(l), text::plain(l)))
        .collect();
    let surplus = all.len().saturating_sub(LINES);
    all.drain(..surplus);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_shortly_or_as_it_is() {
        let line = "2026-11-30T21:03:04.066273Z  INFO stratum::runtime::exchange::links: a game was linked event=21";
        assert_eq!(short(line, Zone::default()), "21:03:04 INFO  links: a game was linked event=21");
        let other = r#"{"timestamp":"2026-11-30T21:03:04Z","level":"INFO","message":"a: b"}"#;
        assert_eq!(short(other, Zone::default()), other);
        assert_eq!(short("no form at all", Zone::default()), "no form at all");
    }

    #[test]
    fn the_newest_file_is_read_from_its_end() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(tail(folder.path()), Ok(None));
        assert_eq!(tail(&folder.path().join("none")), Ok(None));
        std::fs::write(folder.path().join("stratum.2026-11-20.log"), "old").expect("written");
        let mut long = "x".repeat(70_000);
        long.push_str("\n2026-11-21T00:00:00Z  WARN stratum: a\u{1b}[31m b\n{\"level\":\"ERROR\"}\n\nplain\n");
        std::fs::write(folder.path().join("stratum.2026-11-21.log"), long).expect("written");
        std::fs::write(folder.path().join("zzz"), "other").expect("written");
        let read = tail(folder.path()).expect("read").expect("a log");
        assert_eq!(read.file, "stratum.2026-11-21.log");
        let told: Vec<_> = read.lines.iter().map(|(l, t)| (*l, t.as_str())).collect();
        assert_eq!(
            told,
            [
                (Level::Warn, "2026-11-21T00:00:00Z  WARN stratum: a [31m b"),
                (Level::Error, "{\"level\":\"ERROR\"}"),
                (Level::All, "plain"),
            ]
        );
    }

    #[test]
    fn broken_letters_do_not_stop_it() {
        assert_eq!(lines(b"\xff\xfe ok\n", false).len(), 1);
        assert_eq!(lines(&b"a\n".repeat(1000), false).len(), LINES);
    }
}
