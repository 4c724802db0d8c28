//! One line of a recording: the envelope around an answer.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use sonic_rs::JsonValueTrait;

use super::{BodyKind, Fault, classify, shortened};
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::time::Timestamp;

/// One recorded answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// When the answer was received, or the instant of the snapshot of a historical answer. `None` only for a file
    /// that is one bare answer without a time of its own.
    pub captured_at: Option<Timestamp>,
    /// Who answered, such as `the-odds-api`.
    pub source: Option<String>,
    /// Which question was asked.
    pub endpoint: Option<Endpoint>,
    /// The sport that was asked for.
    pub sport: Option<String>,
    /// What was asked for.
    pub asked: Option<Scope>,
    /// HTTP status.
    pub status: Option<u16>,
    /// The answer, as it stood in the line: valid JSON.
    pub body: Vec<u8>,
    /// The file.
    pub path: Arc<Path>,
    /// The line in its file, counted from 1.
    pub line_no: u64,
    /// Length of the whole line after unpacking, in bytes.
    pub raw_len: u64,
}

impl Line {
    fn new(path: &Arc<Path>, line_no: u64, raw_len: usize) -> Self {
        Self {
            captured_at: None,
            source: None,
            endpoint: None,
            sport: None,
            asked: None,
            status: None,
            body: Vec::new(),
            path: Arc::clone(path),
            line_no,
            raw_len: raw_len as u64,
        }
    }

    /// A file that is one bare answer, without its body. `None` when it is no answer.
    pub(super) fn bare(bytes: &[u8], path: &Arc<Path>) -> Option<Self> {
        let captured_at = match classify(bytes) {
            BodyKind::NotAnAnswer => return None,
            BodyKind::Historical { timestamp, .. } => Some(timestamp),
            _ => None,
        };
        Some(Self { captured_at, ..Self::new(path, 1, bytes.len()) })
    }

    /// What the body is.
    pub fn kind(&self) -> BodyKind<'_> {
        classify(&self.body)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    captured_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    endpoint: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sport: Option<&'a RawValue>,
    #[serde(borrow, default)]
    asked: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    // A historical answer without an envelope carries its own time.
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AskedWire<'a> {
    markets: Option<Vec<String>>,
    books: Option<Vec<String>>,
    regions: Option<Vec<String>>,
    events: Option<Vec<String>>,
    #[serde(borrow)]
    commence_from: Option<&'a RawValue>,
    #[serde(borrow)]
    commence_to: Option<&'a RawValue>,
}

/// Reads one line. An answer of a historical endpoint is accepted without an envelope.
///
/// A scope, endpoint or time that is there but cannot be understood is an error: guessing it would invent
/// disappearances.
pub fn parse_line(bytes: &[u8], path: &Arc<Path>, line_no: u64) -> Result<Line, Fault> {
    let (mut line, body) = envelope_and_body(bytes, path, line_no)?;
    line.body = body.to_vec();
    Ok(line)
}

/// A line without its body, and the body.
pub(super) fn envelope_and_body<'a>(
    bytes: &'a [u8],
    path: &Arc<Path>,
    line_no: u64,
) -> Result<(Line, &'a [u8]), Fault> {
    let envelope: Envelope<'_> = serde_json::from_slice(bytes).map_err(|e| Fault::Json(e.to_string()))?;
    let mut line = Line::new(path, line_no, bytes.len());
    let Some(body) = envelope.body else {
        return match (envelope.captured_at, envelope.timestamp, envelope.data) {
            (None, Some(timestamp), Some(_)) => {
                line.captured_at = Some(time("timestamp", timestamp)?);
                Ok((line, bytes.trim_ascii()))
            }
            _ => Err(Fault::Missing("body")),
        };
    };
    line.captured_at = Some(time("captured_at", envelope.captured_at.ok_or(Fault::Missing("captured_at"))?)?);
    line.source = text("source", envelope.source)?;
    line.sport = text("sport", envelope.sport)?;
    if let Some(name) = text("endpoint", envelope.endpoint)? {
        let endpoint = Endpoint::from_name(&name).ok_or_else(|| Fault::BadField {
            field: "endpoint",
            found: format!("`{}`", shortened(&name, 40)),
            expected: "the name of an endpoint, such as odds or event_odds",
        })?;
        line.endpoint = Some(endpoint);
    }
    if let Some(raw) = envelope.status {
        let status = raw.get().parse().ok().filter(|s| (100..=999).contains(s));
        line.status = Some(status.ok_or_else(|| bad("status", raw, "an HTTP status"))?);
    }
    if let Some(raw) = envelope.asked {
        line.asked = Some(scope(raw)?);
    }
    Ok((line, body.get().as_bytes()))
}

/// `captured_at` of a line, read up to that key only, which writers put first. `None` does not say that there is none.
pub(super) fn glance(bytes: &[u8]) -> Option<Timestamp> {
    let found = sonic_rs::get_from_slice(bytes, ["captured_at"]).ok()?;
    Timestamp::parse(found.as_str()?)
}

fn bad(field: &'static str, raw: &RawValue, expected: &'static str) -> Fault {
    Fault::BadField { field, found: shortened(raw.get(), 40), expected }
}

fn text(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, Fault> {
    raw.map(|raw| serde_json::from_str(raw.get()).map_err(|_| bad(field, raw, "a text"))).transpose()
}

fn time(field: &'static str, raw: &RawValue) -> Result<Timestamp, Fault> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .and_then(|t| Timestamp::parse(&t.0))
        .ok_or_else(|| bad(field, raw, "a time such as \"2025-11-09T17:03:11Z\""))
}

fn scope(raw: &RawValue) -> Result<Scope, Fault> {
    let wire: AskedWire<'_> = serde_json::from_str(raw.get()).map_err(|e| Fault::BadField {
        field: "asked",
        found: shortened(&e.to_string(), 80),
        expected: "an object with the lists markets, books, regions, events and the times commence_from, commence_to",
    })?;
    let asked = |names: Option<Vec<String>>| names.map_or(Asked::All, Asked::Only);
    Ok(Scope {
        markets: asked(wire.markets),
        books: asked(wire.books),
        regions: asked(wire.regions),
        events: asked(wire.events),
        commence_from: wire.commence_from.map(|raw| time("asked.commence_from", raw)).transpose()?,
        commence_to: wire.commence_to.map(|raw| time("asked.commence_to", raw)).transpose()?,
    })
}
