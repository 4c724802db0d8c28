//! Unpacks zstd files with a long window to a temporary file, in little memory.
//!
//! A decoder has to look back as far as the window of the file, 128 MB and more for recordings that were packed for
//! the last byte, and ordinarily it keeps that much in memory. Here it looks back into the temporary file instead.
//! The unpacked content stays there, to be read as often as needed, and vanishes with the last reader.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use zstd::zstd_safe::{self, DCtx, DParameter, InBuffer, OutBuffer};

use super::frames::{Frames, LARGEST_BLOCK};
use super::history::History;

/// The longest content that is unpacked, in bytes: 64 GB.
pub(super) const MAX_UNPACKED: u64 = 64 << 30;
/// Pages behind are dropped each time so many bytes have been unpacked.
const DROP_EVERY: usize = 2 << 20;
/// How far behind the end of what was written the decoder may write in one call: a block, its literals, and slack.
const AHEAD: u64 = 1 << 20;
/// The largest window a file can ask for, as a power of two.
const WINDOW_LOG_MAX: u32 = if cfg!(target_pointer_width = "64") { 31 } else { 30 };
/// Unpacked bytes kept ready by a reader.
const BUFFER: usize = 1 << 20;

/// The content of a packed file. Clones share the temporary file.
#[derive(Clone, Debug)]
pub(super) struct Unpacked {
    file: Arc<File>,
    len: u64,
    /// Why there is no more: a damaged or cut-off file.
    fault: Option<(io::ErrorKind, String)>,
}

impl Unpacked {
    /// Unpacks a file from its beginning. A damaged file is no error: its readers come to the damage.
    ///
    /// # Errors
    /// When the content would be longer than [`MAX_UNPACKED`] or there is no room for it, in words for a person.
    pub(super) fn of(mut packed: File, frames: &Frames) -> io::Result<Self> {
        let folder = std::env::temp_dir();
        let no_room = |e: io::Error| {
            let kind = e.kind();
            let text = format!(
                "it unpacks to up to {} MB, which could not be written to {} ({e}); make room there or let TMPDIR name \
                 another folder",
                frames.at_most.div_ceil(1 << 20),
                folder.display()
            );
            io::Error::new(kind, text)
        };
        if frames.at_most > MAX_UNPACKED {
            let text = format!("it would unpack to more than {} GB", MAX_UNPACKED >> 30);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        packed.seek(SeekFrom::Start(0))?;
        let mut history =
            tempfile::tempfile_in(&folder).and_then(|file| History::new(file, frames.at_most)).map_err(no_room)?;
        let mut decoder = Decoder::new(BufReader::new(packed.take(frames.foreign.unwrap_or(u64::MAX))), frames)?;
        let fault = loop {
            history.reserve(decoder.unpacked as u64 + AHEAD).map_err(no_room)?;
            match decoder.step(&mut history) {
                Ok(true) => {}
                Ok(false) if frames.foreign.is_some() => break Some(io::Error::other("Unknown frame descriptor")),
                Ok(false) => break None,
                Err(e) => break Some(e),
            }
        };
        let len = decoder.unpacked as u64;
        let file = history.into_file(len).map_err(no_room)?;
        Ok(Self { file: Arc::new(file), len, fault: fault.map(|e| (e.kind(), e.to_string())) })
    }

    /// Bytes of content.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Reads the content from its beginning.
    pub(super) fn reader(&self) -> Box<dyn BufRead + Send> {
        Box::new(BufReader::with_capacity(BUFFER, Content { of: self.clone(), at: 0 }))
    }
}

/// Reads the content, then fails once if there should have been more.
struct Content {
    of: Unpacked,
    at: u64,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.of.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        match self.of.fault.take_if(|_| read == 0 && !buffer.is_empty()) {
            Some((kind, text)) => Err(io::Error::new(kind, text)),
            None => Ok(read),
        }
    }
}

/// zstd, one block a step.
struct Decoder<R> {
    packed: R,
    context: DCtx<'static>,
    /// What the decoder wants next: a block and the header behind it.
    wanted: usize,
    chunk: Vec<u8>,
    unpacked: usize,
    dropped_at: usize,
    window: usize,
}

impl<R: Read> Decoder<R> {
    fn new(packed: R, frames: &Frames) -> io::Result<Self> {
        let mut context = DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(said)?;
        context.set_parameter(DParameter::StableOutBuffer(true)).map_err(said)?;
        Ok(Self {
            packed,
            context,
            wanted: 0,
            chunk: Vec::new(),
            unpacked: 0,
            dropped_at: 0,
            window: usize::try_from(frames.window).unwrap_or(usize::MAX),
        })
    }

    /// Goes on by a block at the most; `false` at the end.
    ///
    /// More at a time would be faster for nobody, and a few bytes can stand for gigabytes: only so it is known how
    /// much room the next call needs.
    fn step(&mut self, history: &mut History) -> io::Result<bool> {
        let between_frames = self.wanted == 0;
        let ask = if between_frames { DCtx::in_size().min(5) } else { self.wanted.min(LARGEST_BLOCK as usize + 64) };
        self.chunk.clear();
        (&mut self.packed).take(ask as u64).read_to_end(&mut self.chunk)?;
        if self.chunk.is_empty() {
            return match between_frames {
                true => Ok(false),
                false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete frame")),
            };
        }
        let mut input = InBuffer::around(&self.chunk);
        while input.pos() < self.chunk.len() {
            let before = (input.pos(), self.unpacked);
            let mut output = OutBuffer::around_pos(history, self.unpacked);
            let wanted = self.context.decompress_stream(&mut output, &mut input);
            self.unpacked = output.pos();
            self.wanted = wanted.map_err(said)?;
            if (input.pos(), self.unpacked) == before {
                return Err(io::Error::other("the decoder does not go on"));
            }
        }
        if self.unpacked - self.dropped_at >= DROP_EVERY {
            self.dropped_at = self.unpacked;
            history.drop_pages(self.unpacked.saturating_sub(self.window.saturating_add(2 * DROP_EVERY)), self.unpacked);
        }
        Ok(true)
    }
}

fn said(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}
