//! What the command line asks of whoever owns the store, over the desk.

use serde::{Deserialize, Serialize};

/// Something to be done with the outbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// Makes an ended message wait again, under the same key.
    PutBack {
        /// Its number.
        message: i64,
    },
    /// Makes all dead letters wait again.
    PutBackDead,
}

impl Request {
    /// As the desk keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the desk keeps; `None`: a newer program asked for something that this one does not know.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_survive_the_desk() {
        for request in [Request::PutBack { message: 7 }, Request::PutBackDead] {
            assert_eq!(Request::from_json(&request.to_json()), Some(request));
        }
        assert_eq!(Request::from_json(r#"{"do":"dance"}"#), None);
    }
}
