//! Reads the bodies of The Odds API into batches.
//!
//! One pass over the bytes, no tree in between, strings borrowed. Whatever is not as documented is left out or
//! marked *at its own level* with a [`Defect`](crate::market::batch::Defect); only bytes that are not JSON (or not an
//! answer at all) make the whole body unreadable.

mod build;
mod fields;
mod levels;
mod outcomes;
mod shapes;
#[cfg(test)]
mod tests;

use serde::de::DeserializeSeed;

use crate::market::batch::{Batch, Endpoint, Scope};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;
use build::Builder;
use levels::TopSeed;

/// Why a body could not be read at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// Not JSON, or cut off.
    #[error("the answer is not complete JSON: {0}")]
    NotJson(String),
    /// JSON, but neither a list of events, nor one event, nor a historical wrapper of these.
    #[error("the answer is JSON but holds no events: {0}")]
    NotAnAnswer(&'static str),
}

/// What is known about an answer besides its bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct AnswerInfo<'a> {
    /// Who answered.
    pub source: &'a str,
    /// Sport asked for; may be empty when the events say it themselves.
    pub sport: &'a str,
    /// Which question.
    pub endpoint: Endpoint,
    /// When the answer was received. A historical wrapper's own `timestamp` replaces it.
    pub received_at: Timestamp,
    /// What was asked for.
    pub scope: Scope,
    /// How prices are written; `None` to find it out from the numbers.
    pub format: Option<OddsFormat>,
}

/// The envelope of a historical answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Envelope {
    /// Instant of the snapshot, at or before the instant asked for.
    pub timestamp: Option<Timestamp>,
    /// The snapshot before it.
    pub previous: Option<Timestamp>,
    /// The snapshot after it.
    pub next: Option<Timestamp>,
}

/// Reads one body: a list of events, one event, or a historical wrapper of either.
///
/// # Errors
/// [`WireError`] when nothing of the body can be used.
pub fn read<'a>(body: &'a [u8], info: AnswerInfo<'a>) -> Result<(Batch<'a>, Envelope), WireError> {
    let mut builder = Builder::new(info, body.len());
    let mut de = sonic_rs::Deserializer::from_slice(body);
    // The position inside the error names a line of a machine-written body: the first line of the message is enough.
    let text = |e: sonic_rs::Error| WireError::NotJson(e.to_string().lines().next().unwrap_or_default().to_owned());
    TopSeed(&mut builder).deserialize(&mut de).map_err(text)?;
    de.end().map_err(text)?;
    builder.finish()
}
