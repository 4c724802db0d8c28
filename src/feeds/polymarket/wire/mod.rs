//! The wire formats: Gamma, CLOB, data API and the market channel.
//!
//! Each reader takes bytes and gives typed records and the [`Defect`]s of what it could not read. One bad record never
//! spoils its page; only bytes that are no answer at all are a [`WireError`].

pub mod channel;
pub mod clob;
pub mod gamma;
pub mod lenient;
pub mod message;

use serde_json::Value;

use super::ids::short;
pub use lenient::{Defect, Record};

/// Why an answer could not be read at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// Not JSON, or cut off.
    #[error("the answer is not complete JSON: {0}")]
    NotJson(String),
    /// JSON of another shape than documented.
    #[error("the answer is JSON but not {0}")]
    NotAnAnswer(&'static str),
    /// An error inside an answer that claims success.
    #[error("the answer says: {0}")]
    Said(String),
}

/// Records, and what could not be read.
#[derive(Clone, PartialEq, Debug)]
pub struct Read<T> {
    /// The readable records, in the order of the answer.
    pub items: Vec<T>,
    /// What could not be read.
    pub defects: Vec<Defect>,
}

impl<T> Default for Read<T> {
    fn default() -> Self {
        Self { items: Vec::new(), defects: Vec::new() }
    }
}

/// JSON that is not an error: `{"error": ...}` counts as one whatever the status was.
pub(crate) fn json(body: &[u8]) -> Result<Value, WireError> {
    let value: Value = serde_json::from_slice(body).map_err(|e| WireError::NotJson(e.to_string()))?;
    match error_of(&value) {
        Some(said) => Err(WireError::Said(said)),
        None => Ok(value),
    }
}

/// What an error body says.
fn error_of(value: &Value) -> Option<String> {
    match value.get("error")? {
        Value::Null | Value::Bool(false) => None,
        Value::String(s) if s.is_empty() => None,
        Value::String(s) => Some(s.chars().filter(|c| !c.is_control()).take(300).collect()),
        other => Some(short(&other.to_string())),
    }
}

/// What the body of an error answer says, where it says anything.
pub(crate) fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    error_of(&value).or_else(|| Some(short(value.get("message")?.as_str()?)))
}
