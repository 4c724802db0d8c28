//! The files of the log: one a day, begun anew when it grows large, the oldest removed when there are too many days or
//! all of them together are too large.
//!
//! A line that cannot be written is lost and nothing else: the log is no reason to stop.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, Utc};

/// A file of a day may take this part of what all may take.
const PARTS: u64 = 4;
/// Smaller than this no file is closed. Bytes.
const SMALLEST: u64 = 64 * 1024;

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    /// Days.
    pub(super) days: usize,
    /// All files together. Bytes.
    pub(super) bytes: u64,
}

impl Bounds {
    fn part(self) -> u64 {
        (self.bytes / PARTS).max(SMALLEST)
    }
}

/// Writes to the file of the day: `stratum.2026-11-21.log`; earlier parts of it are `stratum.2026-11-21.001.log`.
pub(super) struct LogFile {
    folder: PathBuf,
    bounds: Bounds,
    open: Option<Open>,
    today: fn() -> NaiveDate,
}

struct Open {
    file: File,
    day: NaiveDate,
    bytes: u64,
}

impl LogFile {
    /// Opens the file of today.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(folder: &Path, bounds: Bounds) -> io::Result<Self> {
        Self::open_at(folder, bounds, || Utc::now().date_naive())
    }

    fn open_at(folder: &Path, bounds: Bounds, today: fn() -> NaiveDate) -> io::Result<Self> {
        let mut log = Self { folder: folder.to_owned(), bounds, open: None, today };
        log.ready()?;
        Ok(log)
    }

    /// The file to write to, of this day and not too large.
    fn ready(&mut self) -> io::Result<&mut Open> {
        let day = (self.today)();
        if self.open.as_ref().is_some_and(|o| o.day != day || o.bytes >= self.bounds.part()) {
            self.open = None;
        }
        if self.open.is_none() {
            let path = self.folder.join(format!("stratum.{day}.log"));
            let large = std::fs::metadata(&path).is_ok_and(|m| m.len() >= self.bounds.part());
            if large {
                std::fs::rename(&path, self.next_part(day))?;
            }
            let file = OpenOptions::new().append(true).create(true).open(&path)?;
            let bytes = file.metadata()?.len();
            self.open = Some(Open { file, day, bytes });
            self.prune();
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("no file"))
    }

    fn next_part(&self, day: NaiveDate) -> PathBuf {
        let newest =
            files(&self.folder).into_iter().filter(|f| f.day == day && f.part < u32::MAX).map(|f| f.part).max();
        self.folder.join(format!("stratum.{day}.{:03}.log", newest.map_or(1, |n| n + 1)))
    }

    /// Removes the oldest files. What cannot be removed stays.
    fn prune(&self) {
        let mut all = files(&self.folder);
        all.sort_by(|a, b| b.day.cmp(&a.day).then(b.part.cmp(&a.part)));
        let (mut days, mut bytes) = (Vec::new(), self.bounds.part());
        for (i, file) in all.iter().enumerate() {
            if !days.contains(&file.day) {
                days.push(file.day);
            }
            // The newest one is being written; room for all of it is counted already.
            bytes += if i == 0 { 0 } else { file.bytes };
            if i > 0 && (days.len() > self.bounds.days || bytes > self.bounds.bytes) {
                let _ = std::fs::remove_file(&file.path);
            }
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let open = self.ready()?;
        let written = open.file.write(bytes)?;
        open.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |o| o.file.flush())
    }
}

/// A file of the log.
struct Found {
    path: PathBuf,
    day: NaiveDate,
    /// [`u32::MAX`] for the one without a number, which is the newest of its day.
    part: u32,
    bytes: u64,
}

/// The files of the log in a folder; whatever else lies there is not ours.
fn files(folder: &Path) -> Vec<Found> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let found = entries.filter_map(Result::ok).filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let middle = name.strip_prefix("stratum.")?.strip_suffix(".log")?;
        let (day, part) = match middle.split_once('.') {
            Some((day, part)) => (day, part.parse().ok()?),
            None => (middle, u32::MAX),
        };
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        Some(Found { path: entry.path(), day, part, bytes: entry.metadata().ok()?.len() })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, d).expect("a day")
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("folder")
            .map(|e| e.expect("entry").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_together_never_take_more_than_they_may() {
        let home = tempfile::tempdir().expect("folder");
        std::fs::write(home.path().join("mine.txt"), "mine").expect("written");
        std::fs::write(home.path().join("stratum.old.log"), "not a day").expect("written");
        let bounds = Bounds { days: 14, bytes: 512 * 1024 };
        let mut log = LogFile::open_at(home.path(), bounds, || day(21)).expect("opens");
        let line = [b'x'; 1000];
        for n in 0..3_000 {
            log.write_all(&line).expect("written");
            if n % 100 == 0 {
                let total: u64 = files(home.path()).iter().map(|f| f.bytes).sum();
                assert!(total <= bounds.bytes + 1000, "{total}");
            }
        }
        let names = names(home.path());
        assert!(names.contains(&"mine.txt".to_owned()) && names.contains(&"stratum.old.log".to_owned()));
        // The newest has no number and sorts last, as those who read the log expect.
        assert_eq!(names.iter().rfind(|n| n.starts_with("stratum.2026")).expect("one"), "stratum.2026-11-21.log");
        assert!(names.iter().any(|n| n.ends_with(".022.log")), "{names:?}");
    }

    #[test]
    fn old_days_go() {
        let home = tempfile::tempdir().expect("folder");
        for d in 1..=9 {
            std::fs::write(home.path().join(format!("stratum.2026-11-0{d}.log")), "old").expect("written");
        }
        let bounds = Bounds { days: 3, bytes: 1 << 20 };
        let mut log = LogFile::open_at(home.path(), bounds, || day(10)).expect("opens");
        log.write_all(b"new\n").expect("written");
        assert_eq!(names(home.path()), ["stratum.2026-11-08.log", "stratum.2026-11-09.log", "stratum.2026-11-10.log"]);
    }

    #[test]
    fn a_folder_that_comes_back_is_written_to_again() {
        let home = tempfile::tempdir().expect("folder");
        let folder = home.path().join("logs");
        std::fs::create_dir(&folder).expect("made");
        let mut log = LogFile::open_at(&folder, Bounds { days: 3, bytes: 1 << 20 }, || day(10)).expect("opens");
        log.open = None;
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(log.write_all(b"lost\n").is_err());
        std::fs::create_dir(&folder).expect("made");
        log.write_all(b"kept\n").expect("written");
        assert_eq!(std::fs::read_to_string(folder.join("stratum.2026-11-10.log")).expect("read"), "kept\n");
    }
}
