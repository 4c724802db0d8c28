//! Feeding recordings through the engine in virtual time.
//!
//! The looks of a recording are applied in the order in which they were captured, as if they arrived now. A look that
//! is in the store already changes nothing, so that an import can be stopped anywhere and started again. Looks older
//! than those in the store are worked in at their place: see `late.rs`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::intake::{self, Answer, Taken};
use super::late;
use crate::engine::Engine;
use crate::feeds::odds_api;
use crate::feeds::recording::{BodyKind, Line, Merged, RecordingError, RecordingReader, merged};
use crate::market::batch::{Batch, Scope};
use crate::store::raw::body_hash;
use crate::store::{LookMeta, Store, StoreError};

/// Looks that one transaction holds at the most.
const LOOKS_A_COMMIT: usize = 32;
/// ... and bytes of answers, one answer more than that at the most.
const BYTES_A_COMMIT: usize = 4 << 20;
/// Complaints that a report lists; the rest is counted.
const LISTED: usize = 20;

/// What an import did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportReport {
    /// Files read.
    pub files: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes of lines, unpacked.
    pub bytes: u64,
    /// What was taken.
    pub taken: Taken,
    /// Looks older than the newest of their sport, worked in at their place.
    pub late: u64,
    /// Answers without any event.
    pub empty: u64,
    /// Lines that hold no look, such as the log of a collector.
    pub no_look: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// The first complaints about lines, for a person.
    pub complaints: Vec<String>,
}

impl ImportReport {
    fn complain(&mut self, text: String) {
        if self.complaints.len() < LISTED {
            self.complaints.push(text);
        }
    }
}

/// A failure that ends an import. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder cannot be read at all.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes of lines, unpacked.
    pub bytes: u64,
    /// Bytes in all.
    pub of: u64,
    /// Looks written so far.
    pub looks: u32,
}

/// Imports files and folders. `progress` is told after every commit and answers whether to go on.
///
/// # Errors
/// [`ImportError`]. Single lines that cannot be used are no error; they are in the report.
pub fn import<P: AsRef<Path>>(
    engine: &mut Engine,
    store: &mut Store,
    paths: &[P],
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<ImportReport, ImportError> {
    let lines = merged(paths.iter().map(AsRef::as_ref))?;
    let totals = lines.totals();
    let report = ImportReport { files: totals.files, ..ImportReport::default() };
    let mut feed = Feed { lines, put_back: VecDeque::new(), sports: Sports::default(), report };
    loop {
        let mut chunk = Vec::with_capacity(LOOKS_A_COMMIT);
        let mut bytes = 0;
        while chunk.len() < LOOKS_A_COMMIT
            && bytes < BYTES_A_COMMIT
            && let Some(line) = feed.next()
        {
            bytes += line.body.len();
            chunk.push(line);
        }
        if chunk.is_empty() {
            break;
        }
        let taken = take_chunk(engine, store, &chunk, &mut feed)?;
        let mut on_commit = |report: &ImportReport| {
            progress(Progress { bytes: report.bytes, of: totals.bytes, looks: report.taken.looks })
        };
        let mut go_on = true;
        if taken < chunk.len() {
            feed.put_back.extend(chunk.drain(taken..));
            go_on = late::work_in(engine, store, &mut feed, &mut on_commit)?;
        }
        store.tidy()?;
        if !go_on || !on_commit(&feed.report) {
            break;
        }
    }
    Ok(feed.report)
}

/// The usable lines of an import, one after the other, and what has become of them.
pub(super) struct Feed {
    lines: Merged,
    /// Lines to be handed out again, before all others.
    put_back: VecDeque<Line>,
    sports: Sports,
    pub(super) report: ImportReport,
}

impl Feed {
    /// The next line that holds a look.
    pub(super) fn next(&mut self) -> Option<Line> {
        if let Some(line) = self.put_back.pop_front() {
            return Some(line);
        }
        loop {
            let line = self.lines.next()?;
            self.report.lines += 1;
            if let Some(line) = usable(line, &mut self.report) {
                return Some(line);
            }
        }
    }

    /// Hands a line out again next time.
    pub(super) fn put_back(&mut self, line: Line) {
        self.put_back.push_front(line);
    }

    /// Reads a line into batches with what the store should know of each, and gives each to `take` together with its
    /// source. What cannot be read is counted.
    pub(super) fn read<R>(&mut self, line: &Line, take: impl FnOnce(&mut ImportReport, &[Read<'_>]) -> R) -> Option<R> {
        let captured_at = line.captured_at?;
        let sport = self.sports.of(line);
        let origin = line.path.file_name().map(|n| n.to_string_lossy().into_owned());
        let answer = Answer {
            source: line.source.as_deref().unwrap_or(odds_api::SOURCE),
            sport: &sport,
            endpoint: line.endpoint,
            received_at: captured_at,
            scope: line.asked.clone().unwrap_or_default(),
            format: None,
            body: &line.body,
            origin: origin.as_deref(),
            cost: None,
            remaining: None,
        };
        let mut complain = |text: String| {
            self.report.unreadable += 1;
            self.report.complain(format!("{}:{}: {text}", line.path.display(), line.line_no));
        };
        let batches = match intake::read(&answer) {
            Ok(batches) => batches,
            Err(e) => {
                complain(e.to_string());
                return None;
            }
        };
        let hash = body_hash(&line.body);
        let mut read = Vec::with_capacity(batches.len());
        for batch in batches {
            if batch.sport.is_empty() {
                complain("an empty answer, and nothing says of which sport".to_owned());
            } else {
                read.push(Read { meta: intake::meta(&answer, &batch, hash), batch });
            }
        }
        Some(take(&mut self.report, &read))
    }
}

/// A look that was read.
pub(super) struct Read<'a> {
    pub(super) batch: Batch<'a>,
    pub(super) meta: LookMeta,
}

/// A line that holds a look; anything else is counted.
fn usable(line: Result<Line, RecordingError>, report: &mut ImportReport) -> Option<Line> {
    let line = match line {
        Ok(line) => line,
        Err(e) => {
            report.unreadable += 1;
            report.complain(e.to_string());
            return None;
        }
    };
    report.bytes += line.raw_len;
    let place = || format!("{}:{}", line.path.display(), line.line_no);
    match line.kind() {
        BodyKind::NotAnAnswer | BodyKind::Sports => {
            report.no_look += 1;
            return None;
        }
        BodyKind::Empty => report.empty += 1,
        BodyKind::Events | BodyKind::EventObject | BodyKind::Historical { .. } => {}
    }
    if line.status.is_some_and(|s| !(200..300).contains(&s)) {
        report.no_look += 1;
        return None;
    }
    if line.captured_at.is_none() {
        report.unreadable += 1;
        report.complain(format!("{}: an answer without the time at which it was captured", place()));
        return None;
    }
    Some(line)
}

/// Takes lines up to the first that holds a late look. Answers how many.
fn take_chunk(engine: &mut Engine, store: &mut Store, chunk: &[Line], feed: &mut Feed) -> Result<usize, ImportError> {
    store.together(|together| {
        for (i, line) in chunk.iter().enumerate() {
            let late = feed.read(line, |report, looks| -> Result<bool, ImportError> {
                let mut unknown = Vec::with_capacity(looks.len());
                for look in looks {
                    let (source, sport, at) = (look.batch.source, &*look.batch.sport, look.batch.received_at);
                    if together.knows_look(source, sport, at, &look.meta.body_hash)? {
                        report.taken.known += 1;
                    } else if together.newest_look(source, sport)?.is_some_and(|newest| at < newest) {
                        return Ok(true);
                    } else {
                        unknown.push(look);
                    }
                }
                for look in unknown {
                    let changes = engine.apply(&look.batch);
                    together.commit(&changes, &look.meta)?;
                    report.taken.count(&changes);
                }
                Ok(false)
            });
            if late.transpose()?.unwrap_or(false) {
                return Ok(i);
            }
        }
        Ok(chunk.len())
    })
}

/// The sport of answers that do not say it: an empty list, mostly. It is the sport of the rest of its file.
#[derive(Default)]
struct Sports {
    by_file: FxHashMap<PathBuf, String>,
}

impl Sports {
    fn of(&mut self, line: &Line) -> String {
        if let Some(sport) = &line.sport {
            return sport.clone();
        }
        if line.kind() != BodyKind::Empty {
            return String::new();
        }
        if let Some(sport) = self.by_file.get(&*line.path) {
            return sport.clone();
        }
        let sport = RecordingReader::open(&line.path)
            .into_iter()
            .flatten()
            .flatten()
            .find_map(|l| l.sport.clone().or_else(|| first_sport(&l)))
            .unwrap_or_default();
        self.by_file.insert(line.path.to_path_buf(), sport.clone());
        sport
    }
}

/// The sport key of the first event of a line.
fn first_sport(line: &Line) -> Option<String> {
    let answer = Answer {
        source: odds_api::SOURCE,
        sport: "",
        endpoint: None,
        received_at: line.captured_at.unwrap_or_default(),
        scope: Scope::default(),
        format: None,
        body: &line.body,
        origin: None,
        cost: None,
        remaining: None,
    };
    let batches = intake::read(&answer).ok()?;
    intake::sport_of(&batches).map(|s| s.into_owned())
}
