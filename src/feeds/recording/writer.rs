//! Writes a recording: one answer a line, on disk after every line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Fault, RecordingError, RecordingReader};
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::time::Timestamp;

/// Headers worth keeping: credits, dates and caching. Any other may carry something that is nobody's business.
const KEPT_HEADERS: [&str; 10] = [
    "age",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "retry-after",
    "x-ratelimit-remaining",
    "x-requests-last",
    "x-requests-remaining",
    "x-requests-used",
];

/// One answer to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When it was received.
    pub captured_at: Timestamp,
    /// Who answered.
    pub source: Option<&'a str>,
    /// Which question.
    pub endpoint: Option<Endpoint>,
    /// The sport asked for.
    pub sport: Option<&'a str>,
    /// What was asked for.
    pub asked: Option<&'a Scope>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Headers of the answer; only harmless ones are written.
    pub headers: &'a [(&'a str, &'a str)],
    /// Where the data comes from, such as `DEMO`.
    pub origin: Option<&'a str>,
    /// The answer. What is not JSON is written as a JSON string.
    pub body: &'a [u8],
}

impl<'a> Entry<'a> {
    /// An entry with what every line has.
    pub const fn new(captured_at: Timestamp, body: &'a [u8]) -> Self {
        Self {
            captured_at,
            source: None,
            endpoint: None,
            sport: None,
            asked: None,
            status: None,
            headers: &[],
            origin: None,
            body,
        }
    }
}

/// Writes lines to one file.
pub struct RecordingWriter {
    path: PathBuf,
    out: Option<Out>,
    secrets: Vec<SecretString>,
    lines: u64,
}

enum Out {
    Plain(File),
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

impl RecordingWriter {
    /// A new file, packed when its name ends in `.zst` or `.gz`. Refuses to overwrite one that is there.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        Self::over(path, file.map_err(|e| RecordingError::new(path, 0, Fault::Open(e)))?)
    }

    /// Adds to a file, or begins it. A file whose end was cut off by a crash is repaired first: its complete lines
    /// are kept.
    pub fn append(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let fail = |e| RecordingError::new(path, 0, Fault::Open(e));
        if Packing::of(path) != Packing::Plain && path.exists() && !ends_well(path).map_err(fail)? {
            rewrite(path)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(fail)?;
        if Packing::of(path) == Packing::Plain {
            end_last_line(&mut file).map_err(fail)?;
        }
        Self::over(path, file)
    }

    fn over(path: &Path, file: File) -> Result<Self, RecordingError> {
        let out = match Packing::of(path) {
            Packing::Plain => Out::Plain(file),
            Packing::Gzip => Out::Gzip(GzEncoder::new(file, Compression::default())),
            Packing::Zstd => Out::Zstd(
                zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)
                    .map_err(|e| RecordingError::new(path, 0, Fault::Write(e)))?,
            ),
        };
        Ok(Self { path: path.to_owned(), out: Some(out), secrets: Vec::new(), lines: 0 })
    }

    /// Whatever an answer echoes of this secret is replaced by `***`. Several are separated by commas.
    #[must_use]
    pub fn hiding(mut self, secret: SecretString) -> Self {
        let parts = secret.expose_secret().split(',').map(str::trim).filter(|p| !p.is_empty());
        self.secrets.extend(parts.map(SecretString::from));
        self
    }

    /// Writes one line and hands it to the system.
    pub fn write(&mut self, entry: &Entry<'_>) -> Result<(), RecordingError> {
        let mut line = self.line_of(entry).map_err(|e| self.error(e.into()))?;
        line.push(b'\n');
        let written = match &mut self.out {
            Some(Out::Plain(w)) => w.write_all(&line),
            Some(Out::Gzip(w)) => w.write_all(&line).and_then(|()| w.flush()),
            Some(Out::Zstd(w)) => w.write_all(&line).and_then(|()| w.flush()),
            None => Err(io::Error::other("the recording is closed")),
        };
        written.map_err(|e| self.error(e))?;
        self.lines += 1;
        Ok(())
    }

    /// Lines written so far.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file properly and waits until it is on disk.
    pub fn finish(mut self) -> Result<(), RecordingError> {
        self.close().map_err(|e| self.error(e))
    }

    fn close(&mut self) -> io::Result<()> {
        let file = match self.out.take() {
            None => return Ok(()),
            Some(Out::Plain(file)) => file,
            Some(Out::Gzip(w)) => w.finish()?,
            Some(Out::Zstd(w)) => w.finish()?,
        };
        file.sync_all()
    }

    fn error(&self, e: io::Error) -> RecordingError {
        RecordingError::new(&self.path, 0, Fault::Write(e))
    }

    fn line_of(&self, entry: &Entry<'_>) -> serde_json::Result<Vec<u8>> {
        let mut body = String::from_utf8_lossy(entry.body).into_owned();
        for secret in &self.secrets {
            body = body.replace(secret.expose_secret(), "***");
        }
        let body = match serde_json::from_str::<&RawValue>(&body) {
            // Inside JSON a line feed can only be a blank.
            Ok(raw) => RawValue::from_string(raw.get().replace(['\n', '\r'], " "))?,
            Err(_) => serde_json::value::to_raw_value(&body)?,
        };
        let headers: serde_json::Map<String, serde_json::Value> = entry
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), (*value).into()))
            .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()))
            .collect();
        let mut line = Vec::with_capacity(body.get().len() + 512);
        serde_json::to_writer(
            &mut line,
            &Wire {
                captured_at: entry.captured_at,
                source: entry.source,
                endpoint: entry.endpoint.map(Endpoint::name),
                sport: entry.sport,
                asked: entry.asked.map(AskedOut::from),
                status: entry.status,
                headers: (!headers.is_empty()).then_some(headers),
                origin: entry.origin,
                body: &body,
            },
        )?;
        Ok(line)
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        // Every line has been flushed already; only the trailer of a packed file could be missing.
        let _ = self.close();
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    captured_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sport: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<AskedOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a str>,
    body: &'a RawValue,
}

#[derive(Serialize)]
struct AskedOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    markets: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    books: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commence_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commence_to: Option<Timestamp>,
}

impl<'a> From<&'a Scope> for AskedOut<'a> {
    fn from(scope: &'a Scope) -> Self {
        fn names(asked: &Asked) -> Option<&[String]> {
            match asked {
                Asked::All => None,
                Asked::Only(names) => Some(names),
            }
        }
        Self {
            markets: names(&scope.markets),
            books: names(&scope.books),
            regions: names(&scope.regions),
            events: names(&scope.events),
            commence_from: scope.commence_from,
            commence_to: scope.commence_to,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|e| e.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The last line of a plain file ends with a line feed; one that was cut off must not swallow the next.
fn end_last_line(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// Can a packed file be read to its end, and does its last line end there?
fn ends_well(path: &Path) -> io::Result<bool> {
    let mut input = super::reader::unpacked(File::open(path)?)?;
    let mut last = b'\n';
    loop {
        let taken = match input.fill_buf() {
            Ok([]) => return Ok(last == b'\n'),
            Ok(chunk) => {
                last = chunk.last().copied().unwrap_or(last);
                chunk.len()
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => return Ok(false),
        };
        input.consume(taken);
    }
}

/// Packs the complete lines of a damaged file anew and puts the result in its place.
fn rewrite(path: &Path) -> Result<(), RecordingError> {
    let fail = |e| RecordingError::new(path, 0, Fault::Write(e));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".repair");
    // The packing goes by the name, so the extension has to stay last.
    let mut repaired = path.with_file_name(name);
    repaired
        .as_mut_os_string()
        .push(path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy())));
    let file = File::create(&repaired).map_err(fail)?;
    let mut writer = RecordingWriter::over(&repaired, file)?;
    let mut reader = RecordingReader::open(path)?;
    while let Some(step) = reader.step() {
        if step.is_ok() {
            let out = match &mut writer.out {
                Some(Out::Plain(w)) => w as &mut dyn Write,
                Some(Out::Gzip(w)) => w,
                Some(Out::Zstd(w)) => w,
                None => break,
            };
            out.write_all(reader.raw()).and_then(|()| out.write_all(b"\n")).map_err(fail)?;
        }
    }
    writer.finish()?;
    std::fs::rename(&repaired, path).map_err(fail)
}
