//! Reads one file of a recording, line by line, in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::line::{envelope_and_body, glance};
use super::unpack::Unpacked;
use super::{Fault, Line, MAX_LINE, RecordingError, parse_line};
use crate::market::time::Timestamp;

/// Unpacked bytes kept ready.
const BUFFER: usize = 1 << 20;
/// Largest zstd window that is decoded in memory, as a power of two: 8 MB. Longer ones go through a temporary file.
#[cfg(unix)]
const ZSTD_WINDOW_LOG: u32 = 23;
/// Largest zstd window that is decoded, as a power of two: 128 MB.
#[cfg(not(unix))]
const ZSTD_WINDOW_LOG: u32 = 27;

/// The lines of one file. Unreadable lines come as errors and the next call goes on with the line after them.
pub struct RecordingReader {
    path: Arc<Path>,
    input: Box<dyn BufRead + Send>,
    /// The line stepped to last, with its blanks.
    buffer: Vec<u8>,
    line_no: u64,
    state: State,
    /// Where the content lies, when it was unpacked to a temporary file.
    unpacked: Option<Unpacked>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Lines,
    /// The first line is too long, and has been passed over.
    FirstTooLong,
    /// The whole file is one answer, already in `buffer`; `true` once it was handed out.
    OneAnswer(bool),
    /// The file is nothing of ours.
    NotARecording,
    Done,
}

impl RecordingReader {
    /// Opens a file; what is packed is seen from its first bytes.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path: Arc<Path> = Arc::from(path.as_ref());
        let fail = |e| RecordingError::new(&path, 0, Fault::Open(e));
        let file = File::open(&path).map_err(fail)?;
        if file.metadata().map_err(fail)?.is_dir() {
            return Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
        }
        match opened(file).map_err(fail)? {
            Opened::Stream(input) => Ok(Self::from_reader(input, path)),
            Opened::Unpacked(unpacked) => Ok(Self::over(unpacked, path)),
        }
    }

    /// Reads a file that was unpacked already.
    pub(super) fn over(unpacked: Unpacked, path: Arc<Path>) -> Self {
        Self { unpacked: Some(unpacked.clone()), ..Self::from_reader(unpacked.reader(), path) }
    }

    /// What the file was unpacked to, to be read once more with [`Self::over`]. `None` for files that are decoded
    /// while they are read.
    pub(super) fn into_unpacked(self) -> Option<Unpacked> {
        self.unpacked
    }

    /// Reads lines that are already unpacked; `path` is only named in errors.
    pub fn from_reader(input: Box<dyn BufRead + Send>, path: Arc<Path>) -> Self {
        let mut reader = Self { path, input, buffer: Vec::new(), line_no: 0, state: State::Lines, unpacked: None };
        reader.look_at_the_beginning();
        reader
    }

    /// The file.
    pub fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Decides whether the file is a recording or one bare answer. Whatever was read for that is put back.
    fn look_at_the_beginning(&mut self) {
        let mut head = Vec::new();
        let mut first = Vec::new();
        let mut lines = 0;
        // Leading blank lines belong to neither.
        loop {
            lines += 1;
            match read_line(&mut *self.input, &mut first, MAX_LINE) {
                Ok(Step::Line) => {}
                Ok(Step::TooLong) => {
                    self.line_no = lines;
                    self.state = State::FirstTooLong;
                    return;
                }
                Ok(Step::End) => return self.put_back(head, None),
                Err(e) => return self.put_back(head, Some(e)),
            }
            head.extend_from_slice(&first);
            if !trimmed(&first, lines == 1).is_empty() || head.len() > MAX_LINE {
                break;
            }
        }
        let beginning = trimmed(&first, lines == 1);
        if memchr::memmem::find(&first, b"\"captured_at\"").is_some() || parse_line(beginning, &self.path, 1).is_ok() {
            return self.put_back(head, None);
        }
        let spread_over_lines = beginning.starts_with(b"[") || beginning == b"{";
        let room = MAX_LINE.saturating_sub(head.len()) as u64 + 1;
        let failure = (&mut self.input).take(room).read_to_end(&mut head).err();
        let document = trimmed(&head, true);
        if failure.is_none() && head.len() <= MAX_LINE && serde_json::from_slice::<&RawValue>(document).is_ok() {
            self.buffer = head;
            self.state = State::OneAnswer(false);
        } else if spread_over_lines && failure.is_none() {
            self.state = State::NotARecording;
        } else {
            self.put_back(head, failure);
        }
    }

    fn put_back(&mut self, head: Vec<u8>, failure: Option<io::Error>) {
        let rest = std::mem::replace(&mut self.input, Box::new(io::empty()));
        let rest: Box<dyn BufRead + Send> = match failure {
            None => rest,
            Some(e) => Box::new(Broken(Some(e))),
        };
        self.input = Box::new(Cursor::new(head).chain(rest));
    }

    /// Steps to the next line that is not blank; [`Self::raw`] and [`Self::line`] are then about it.
    pub(super) fn step(&mut self) -> Option<Result<(), RecordingError>> {
        let fault = match self.state {
            State::Lines => match self.step_line()? {
                Ok(()) => return Some(Ok(())),
                Err(fault) => fault,
            },
            State::Done | State::OneAnswer(true) => return None,
            State::FirstTooLong => {
                self.state = State::Lines;
                Fault::TooLong
            }
            State::OneAnswer(false) => {
                self.state = State::OneAnswer(true);
                self.line_no = 1;
                return Some(Ok(()));
            }
            State::NotARecording => {
                self.state = State::Done;
                Fault::NotARecording
            }
        };
        Some(Err(RecordingError::new(&self.path, self.line_no, fault)))
    }

    fn step_line(&mut self) -> Option<Result<(), Fault>> {
        loop {
            self.line_no += 1;
            match read_line(&mut *self.input, &mut self.buffer, MAX_LINE) {
                Ok(Step::End) => {
                    self.state = State::Done;
                    return None;
                }
                Ok(Step::Line) if self.raw().is_empty() => {}
                Ok(Step::Line) => return Some(Ok(())),
                Ok(Step::TooLong) => return Some(Err(Fault::TooLong)),
                Err(e) => {
                    self.state = State::Done;
                    return Some(Err(Fault::Read(e)));
                }
            }
        }
    }

    /// The bytes of the line stepped to, without blanks at its ends.
    pub(super) fn raw(&self) -> &[u8] {
        trimmed(&self.buffer, self.line_no == 1)
    }

    /// The number of the line stepped to, counted from 1.
    pub(super) const fn line_no(&self) -> u64 {
        self.line_no
    }

    /// Reads the line stepped to.
    pub(super) fn line(&self) -> Result<Line, RecordingError> {
        self.envelope().map(|(line, body)| Line { body: body.to_vec(), ..line })
    }

    /// When the line stepped to was captured, without copying its body.
    pub(super) fn captured_at(&self) -> Result<Option<Timestamp>, RecordingError> {
        self.envelope().map(|(line, _)| line.captured_at)
    }

    /// When the line stepped to was captured, without looking at the rest of the line where that is possible. The
    /// rest may turn out to be unreadable.
    pub(super) fn glanced_at(&self) -> Result<Option<Timestamp>, RecordingError> {
        match glance(self.raw()) {
            Some(at) => Ok(Some(at)),
            None => self.captured_at(),
        }
    }

    fn envelope(&self) -> Result<(Line, &[u8]), RecordingError> {
        let raw = self.raw();
        envelope_and_body(raw, &self.path, self.line_no)
            .or_else(|fault| match self.state {
                State::OneAnswer(_) if matches!(fault, Fault::Missing(_) | Fault::Json(_)) => {
                    Ok((Line::bare(raw, &self.path).ok_or(Fault::NotARecording)?, raw))
                }
                _ => Err(fault),
            })
            .map_err(|fault| RecordingError::new(&self.path, self.line_no, fault))
    }
}

impl Iterator for RecordingReader {
    type Item = Result<Line, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.step()?.and_then(|()| self.line()))
    }
}

/// Without blanks at both ends, and without a byte order mark at the beginning of a file.
fn trimmed(line: &[u8], first: bool) -> &[u8] {
    let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    line.trim_ascii()
}

enum Opened {
    Stream(Box<dyn BufRead + Send>),
    Unpacked(Unpacked),
}

/// The unpacked content of a file; what it is packed with is seen from its first bytes.
pub(super) fn unpacked(file: File) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match opened(file)? {
        Opened::Stream(input) => input,
        Opened::Unpacked(unpacked) => unpacked.reader(),
    })
}

fn opened(mut file: File) -> io::Result<Opened> {
    let mut magic = Vec::with_capacity(4);
    (&mut file).take(4).read_to_end(&mut magic)?;
    let zstd = matches!(magic.as_slice(), [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
    #[cfg(unix)]
    if zstd && file.metadata()?.is_file() {
        use std::io::{Seek, SeekFrom};
        file.seek(SeekFrom::Start(0))?;
        let frames = super::frames::frames(&mut BufReader::new(&file))?;
        if frames.window > 1 << ZSTD_WINDOW_LOG {
            return Ok(Opened::Unpacked(Unpacked::of(file, &frames)?));
        }
        file.seek(SeekFrom::Start(magic.len() as u64))?;
    }
    let whole = Cursor::new(magic.clone()).chain(file);
    Ok(Opened::Stream(match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(BufReader::new(whole))))
        }
        // A frame, or a skippable frame in front of one.
        _ if zstd => {
            let mut decoder = zstd::Decoder::new(whole)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        _ => Box::new(BufReader::with_capacity(BUFFER, whole)),
    }))
}

enum Step {
    End,
    Line,
    /// Passed over up to its end.
    TooLong,
}

/// Reads up to and with the next line feed, keeping at most `limit` bytes.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Step> {
    line.clear();
    let mut too_long = false;
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', chunk);
        let taken = end.map_or(chunk.len(), |at| at + 1);
        if too_long || line.len() + taken > limit {
            too_long = true;
            line.clear();
        } else {
            line.extend_from_slice(&chunk[..taken]);
        }
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => Step::End,
        (true, false) => Step::Line,
        (true, true) => Step::TooLong,
    })
}

/// Fails once, then ends.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Broken {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _: usize) {}
}
