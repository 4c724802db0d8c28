//! Feeding recordings through the engine in virtual time.
//!
//! The looks of a recording are applied in the order in which they were captured, as if they arrived now. A look that
//! is in the store already changes nothing, so that an import can be stopped anywhere and started again.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::intake::{self, Answer, Taken};
use crate::engine::Engine;
use crate::feeds::odds_api;
use crate::feeds::recording::{BodyKind, Line, RecordingError, RecordingReader, merged};
use crate::market::batch::Scope;
use crate::store::raw::body_hash;
use crate::store::{Store, StoreError};

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
    let mut lines = merged(paths.iter().map(AsRef::as_ref))?;
    let totals = lines.totals();
    let mut report = ImportReport { files: totals.files, ..ImportReport::default() };
    let mut sports = Sports::default();
    let mut ended = false;
    while !ended {
        let mut chunk = Vec::with_capacity(LOOKS_A_COMMIT);
        let mut bytes = 0;
        while chunk.len() < LOOKS_A_COMMIT && bytes < BYTES_A_COMMIT && !ended {
            match lines.next() {
                Some(line) => {
                    report.lines += 1;
                    let line = usable(line, &mut report);
                    bytes += line.as_ref().map_or(0, |l| l.body.len());
                    chunk.extend(line);
                }
                None => ended = true,
            }
        }
        take_chunk(engine, store, &chunk, &mut sports, &mut report)?;
        store.tidy()?;
        if !progress(Progress { bytes: report.bytes, of: totals.bytes, looks: report.taken.looks }) {
            break;
        }
    }
    Ok(report)
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

fn take_chunk(
    engine: &mut Engine,
    store: &mut Store,
    chunk: &[Line],
    sports: &mut Sports,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    if chunk.is_empty() {
        return Ok(());
    }
    store.together(|together| {
        for line in chunk {
            let Some(captured_at) = line.captured_at else { continue };
            let source = line.source.as_deref().unwrap_or(odds_api::SOURCE);
            let sport = sports.of(line);
            let origin = line.path.file_name().map(|n| n.to_string_lossy().into_owned());
            let answer = Answer {
                source,
                sport: &sport,
                endpoint: line.endpoint,
                received_at: captured_at,
                scope: line.asked.clone().unwrap_or_else(Scope::default),
                format: None,
                body: &line.body,
                origin: origin.as_deref(),
                cost: None,
                remaining: None,
            };
            let batches = match intake::read(&answer) {
                Ok(batches) => batches,
                Err(e) => {
                    report.unreadable += 1;
                    report.complain(format!("{}:{}: {e}", line.path.display(), line.line_no));
                    continue;
                }
            };
            let hash = body_hash(&line.body);
            for batch in batches {
                if batch.sport.is_empty() {
                    report.unreadable += 1;
                    report.complain(format!(
                        "{}:{}: an empty answer, and nothing says of which sport",
                        line.path.display(),
                        line.line_no
                    ));
                    continue;
                }
                if together.knows_look(source, &batch.sport, batch.received_at, &hash)? {
                    report.taken.known += 1;
                    continue;
                }
                if let Some(newest) = together.newest_look(source, &batch.sport)?
                    && batch.received_at < newest
                {
                    return Err(ImportError::Store(StoreError::Late { at: batch.received_at, newest }));
                }
                let changes = engine.apply(&batch);
                together.commit(&changes, &intake::meta(&answer, &batch, hash))?;
                report.taken.count(&changes);
            }
        }
        Ok(())
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
