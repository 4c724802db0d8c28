//! What is delivered: one message, the same for every channel and at every attempt.

use serde::{Deserialize, Serialize};

use crate::market::time::Timestamp;

/// What a message tells of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A signal.
    Signal,
    /// A price that the user asked for, or its equivalent, can be taken.
    Line,
    /// A market was seen for the first time.
    Opener,
    /// A market is offered nowhere any more.
    Gone,
    /// A market is offered again.
    Reopened,
    /// A book takes more or less than before.
    Limit,
    /// Credits.
    Credits,
    /// The program itself.
    Health,
    /// A summary of a day or a week.
    Digest,
    /// Somebody tries a channel.
    Test,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Signal,
        Self::Line,
        Self::Opener,
        Self::Gone,
        Self::Reopened,
        Self::Limit,
        Self::Credits,
        Self::Health,
        Self::Digest,
        Self::Test,
    ];

    /// Its name in rules, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Line => "line",
            Self::Opener => "opener",
            Self::Gone => "gone",
            Self::Reopened => "reopened",
            Self::Limit => "limit",
            Self::Credits => "credits",
            Self::Health => "health",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// How much it matters; channels may colour by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Worth a look.
    Notice,
    /// Something is wrong, or soon will be.
    Warning,
    /// Something does not work.
    Critical,
}

/// A labelled part of a message, such as `entry` and `DraftKings +3.5 -105`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// A word or two.
    pub label: String,
    /// Its value, as a person reads it.
    pub value: String,
}

/// One message. It holds everything that any channel shows, so that a delivery after a restart is the same delivery.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The same for every attempt of this message on this channel, and never for another.
    pub key: String,
    /// What it tells of.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// Where the data came from, such as `DEMO`; `None` for the real market. Always shown.
    pub origin: Option<String>,
    /// When what it tells of happened, in market time.
    pub at: Timestamp,
    /// One line.
    pub title: String,
    /// A sentence or a few lines; may be empty.
    pub text: String,
    /// Side, entry, fair, evidence, time to start ...; in the order in which they are shown.
    pub facts: Vec<Fact>,
    /// The rule that asked for it, where there was one.
    pub rule: Option<String>,
    /// The published form of what it tells of (a signal's JSON), for machines.
    pub data: Option<serde_json::Value>,
}

impl Message {
    /// The title with the origin before it.
    pub fn headline(&self) -> String {
        match &self.origin {
            Some(origin) => format!("[{origin}] {}", self.title),
            None => self.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).expect("JSON"), format!("\"{}\"", kind.name()));
        }
        assert_eq!(Kind::from_name("tip"), None);
    }
}
