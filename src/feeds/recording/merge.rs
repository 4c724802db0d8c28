//! Many files as one stream in the order of time.
//!
//! A first pass over every file counts its lines and sees whether they stand in order. A file that does not is copied,
//! unpacked, to a temporary file with an index of its lines, so that memory holds the index only. Files are opened
//! when the stream reaches their first line: those that do not overlap are never open together. What the first pass had
//! to unpack to a temporary file is kept for the second, as long as that does not take too much room.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::unpack::Unpacked;
use super::{Fault, Line, RecordingError, RecordingReader, parse_line};
use crate::market::time::Timestamp;

/// Bytes of temporary files that are kept from the first pass to the second, in all. What is beyond is unpacked again.
const KEPT: u64 = 4 << 30;

/// How much there is, for showing progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Lines that are not blank, readable or not.
    pub lines: u64,
    /// Their bytes after unpacking.
    pub bytes: u64,
    /// Lines without a time that can be read. More may turn out to be unreadable when they are read in full.
    pub unreadable: u64,
}

/// All lines of some files and folders by `captured_at`; ties by path, then by line. Lines without a time come first.
pub fn merged<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Merged, RecordingError> {
    let mut files = Vec::new();
    for path in paths {
        collect(path.as_ref(), &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut merged = Merged { totals: Totals::default(), kept: 0, sources: Vec::new(), queue: BinaryHeap::new() };
    for path in files {
        let source = merged.survey(&path)?;
        merged.totals.files += 1;
        let at = merged.sources.len();
        merged.queue.push(Reverse((source.first, at)));
        merged.sources.push(source);
    }
    Ok(merged)
}

/// A merged stream of lines, see [`merged`].
pub struct Merged {
    totals: Totals,
    /// Bytes of temporary files kept so far.
    kept: u64,
    sources: Vec<Source>,
    /// The time of the next line of each source, and the source.
    queue: BinaryHeap<Reverse<(Option<Timestamp>, usize)>>,
}

struct Source {
    path: PathBuf,
    first: Option<Timestamp>,
    state: SourceState,
    /// The line to hand out next, once the file is open.
    next: Option<Result<Line, RecordingError>>,
}

enum SourceState {
    /// Not open yet; what it was unpacked to, if that was kept.
    Unopened(Option<Unpacked>),
    Sorted(RecordingReader),
    Spooled(Spool),
    Done,
}

impl Merged {
    /// How much there is in all.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The first pass over a file.
    fn survey(&mut self, path: &Path) -> Result<Source, RecordingError> {
        let mut first = None;
        let mut last = None;
        let mut in_order = true;
        let mut reader = RecordingReader::open(path)?;
        while let Some(step) = reader.step() {
            self.totals.lines += 1;
            if step.is_ok() {
                self.totals.bytes += reader.raw().len() as u64;
            }
            match step.and_then(|()| reader.glanced_at()) {
                Ok(at) => {
                    first = first.or(Some(at)).min(Some(at));
                    in_order &= last.is_none_or(|last| last <= at);
                    last = Some(at);
                }
                Err(_) => self.totals.unreadable += 1,
            }
        }
        let unpacked = reader.into_unpacked();
        let state = if in_order {
            let kept = unpacked.filter(|u| self.kept + u.len() <= KEPT);
            self.kept += kept.as_ref().map_or(0, Unpacked::len);
            SourceState::Unopened(kept)
        } else {
            SourceState::Spooled(Spool::of(path, open(path, unpacked)?)?)
        };
        Ok(Source { path: path.to_owned(), first: first.flatten(), state, next: None })
    }
}

fn open(path: &Path, unpacked: Option<Unpacked>) -> Result<RecordingReader, RecordingError> {
    match unpacked {
        Some(unpacked) => Ok(RecordingReader::over(unpacked, Arc::from(path))),
        None => RecordingReader::open(path),
    }
}

impl Source {
    fn advance(&mut self) -> Option<Result<Line, RecordingError>> {
        if let SourceState::Unopened(unpacked) = &mut self.state {
            match open(&self.path, unpacked.take()) {
                Ok(reader) => self.state = SourceState::Sorted(reader),
                Err(e) => {
                    self.state = SourceState::Done;
                    return Some(Err(e));
                }
            }
        }
        let line = match &mut self.state {
            SourceState::Sorted(reader) => reader.next(),
            SourceState::Spooled(spool) => spool.next(),
            SourceState::Unopened(_) | SourceState::Done => None,
        };
        if line.is_none() {
            self.state = SourceState::Done;
        }
        line
    }
}

impl Iterator for Merged {
    type Item = Result<Line, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((at, index)) = self.queue.pop()?;
            let source = self.sources.get_mut(index)?;
            let out = source.next.take();
            let Some(next) = source.advance() else {
                match out {
                    Some(line) => return Some(line),
                    None => continue,
                }
            };
            // An unreadable line comes right after the line before it.
            let key = match &next {
                Ok(line) => line.captured_at.max(at),
                Err(_) => at,
            };
            source.next = Some(next);
            self.queue.push(Reverse((key, index)));
            if out.is_some() {
                return out;
            }
        }
    }
}

/// The lines of a file that is not in order, in a temporary file that nobody else sees.
struct Spool {
    path: Arc<Path>,
    file: File,
    index: std::vec::IntoIter<Indexed>,
    buffer: Vec<u8>,
}

struct Indexed {
    at: Option<Timestamp>,
    line_no: u64,
    what: Result<(u64, usize), RecordingError>,
}

impl Spool {
    fn of(path: &Path, mut reader: RecordingReader) -> Result<Self, RecordingError> {
        let fail = |e| RecordingError::new(path, 0, Fault::Write(e));
        let mut out = BufWriter::with_capacity(1 << 20, tempfile::tempfile().map_err(fail)?);
        let mut index = Vec::new();
        let mut offset = 0;
        let mut last = None;
        while let Some(step) = reader.step() {
            let what = step.and_then(|()| reader.captured_at()).map(|at| {
                last = at;
                (offset, reader.raw().len())
            });
            if what.is_ok() {
                out.write_all(reader.raw()).map_err(fail)?;
                offset += reader.raw().len() as u64;
            }
            index.push(Indexed { at: last, line_no: reader.line_no(), what });
        }
        // Stable: lines of one instant stay in the order of the file.
        index.sort_by_key(|i| i.at);
        let file = out.into_inner().map_err(|e| fail(e.into_error()))?;
        Ok(Self { path: Arc::from(path), file, index: index.into_iter(), buffer: Vec::new() })
    }

    fn read(&mut self, offset: u64, len: usize) -> io::Result<()> {
        self.buffer.resize(len, 0);
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut self.buffer)
    }
}

impl Iterator for Spool {
    type Item = Result<Line, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Indexed { line_no, what, .. } = self.index.next()?;
        let (offset, len) = match what {
            Ok(place) => place,
            Err(e) => return Some(Err(e)),
        };
        Some(
            self.read(offset, len)
                .map_err(Fault::Read)
                .and_then(|()| parse_line(&self.buffer, &self.path, line_no))
                .map_err(|fault| RecordingError::new(&self.path, line_no, fault)),
        )
    }
}

/// A file as it is; of a folder, everything in and below it that is named like a recording.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), RecordingError> {
    let fail = |e| RecordingError::new(path, 0, Fault::Open(e));
    if !std::fs::metadata(path).map_err(fail)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    walk(path, files)?;
    if files.len() == before {
        return Err(RecordingError::new(path, 0, Fault::EmptyFolder));
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), RecordingError> {
    let fail = |e| RecordingError::new(folder, 0, Fault::Open(e));
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        // Links to folders are not followed: they may lead in circles.
        if entry.file_type().map_err(fail)?.is_dir() {
            walk(&entry.path(), files)?;
        } else if named_like_a_recording(&entry.path()) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn named_like_a_recording(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".zst").or_else(|| name.strip_suffix(".gz")).unwrap_or(name);
    [".jsonl", ".ndjson", ".json"].iter().any(|e| name.ends_with(e)) && !name.starts_with('.')
}
