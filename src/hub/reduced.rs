//! Signals of a free login: what is withheld is put in as nothing and labelled, so that everything that reads signals can
//! read these.

use serde_json::{Map, Value, json};

use crate::store::StoreError;

/// The label that tells a reader why there is so little.
pub const WITHHELD: &str = "withheld";

/// A reduced signal in the whole form.
///
/// # Errors
/// [`StoreError::Damaged`] when it is no signal.
pub fn completed(text: &str) -> Result<String, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged { what: "signal of the hub" };
    let mut signal: Map<String, Value> = serde_json::from_str(text).map_err(|_| DAMAGED)?;
    let at = signal.get("detected_at").cloned().unwrap_or_else(|| json!("1970-01-01T00:00:00Z"));
    let nothing = [
        ("entry", Value::Null),
        ("books_affected", json!(0)),
        ("panel", json!(0)),
        ("opposers", json!(0)),
        ("evidence", json!([])),
        ("sampling", json!({"looks": 0, "longest_gap_seconds": 0.0, "limit_seconds": 0.0, "from_look": at})),
        ("velocity_minutes", json!(0.1)),
        ("components", json!({})),
        ("score_source", json!("strength_fallback")),
        ("sharp", json!("none")),
        ("detail", json!({"labels": [WITHHELD]})),
    ];
    for (field, value) in nothing {
        signal.entry(field).or_insert(value);
    }
    serde_json::to_string(&signal).map_err(|_| DAMAGED)
}
