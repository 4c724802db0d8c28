//! How it stands with the hub.

use serde::{Deserialize, Serialize};

use crate::market::time::Timestamp;

/// How one direction goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Going {
    /// It does not: this login has nothing to do there.
    #[default]
    Off,
    /// A connection is being made.
    Connecting,
    /// It goes.
    On,
    /// It failed and is tried again.
    Failing,
}

/// How it stands with the hub.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct HubStatus {
    /// Host, port, database and login.
    pub place: String,
    /// What the login may do.
    pub tier: String,
    /// Telling what is collected here.
    pub telling: Going,
    /// Following what others tell.
    pub following: Going,
    /// Exchanging what the users made.
    pub sharing: Going,
    /// Why something of it stays here, for a person.
    pub desk_trouble: Option<String>,
    /// Looks that have not been told.
    pub backlog: u64,
    /// When the oldest of them was received.
    pub oldest: Option<Timestamp>,
    /// Rows that were told in the last second of telling.
    pub rows_per_second: Option<f64>,
    /// Looks told since the start.
    pub told: u64,
    /// The entry of the log that has been taken in.
    pub pulled: i64,
    /// The newest entry of the log, as last heard.
    pub head: i64,
    /// The newest came first: of the history up to the second entry everything up to the first is here.
    #[serde(default)]
    pub history: Option<(i64, i64)>,
    /// The log is announced as it grows; otherwise it is asked for.
    pub announced: bool,
    /// Times that something of an exchange was taken in since the start.
    #[serde(default)]
    pub exchange: u64,
    /// When something was last heard of the hub.
    pub heard: Option<Timestamp>,
    /// Looks of this device that the hub did not take, because another collector had gone on.
    pub given_up: u64,
    /// Why it fails, for a person; holds no secret.
    pub trouble: Option<String>,
}

impl HubStatus {
    /// Looks of the log that are still to come.
    pub const fn behind(&self) -> i64 {
        let behind = self.head - self.pulled;
        if behind < 0 { 0 } else { behind }
    }

    /// In one line.
    pub fn words(&self) -> String {
        let mut words = format!("{} ({}), {}", self.place, self.tier, self.word());
        if self.behind() > 0 {
            words.push_str(&format!(", {} entries behind", self.behind()));
        }
        if let Some((behind, gap)) = self.history {
            words.push_str(&format!(", {} % of the history is here", 100 * behind / gap.max(1)));
        }
        if self.backlog > 0 {
            words.push_str(&format!(", {} looks not told yet", self.backlog));
        }
        if self.tier == "free" {
            words.push_str(", late and without books, components and entries of signals");
        } else if self.following == Going::On && !self.announced {
            words.push_str(", asked every second as announcements do not come through");
        }
        for trouble in [&self.trouble, &self.desk_trouble].into_iter().flatten() {
            words.push_str("; ");
            words.push_str(trouble);
        }
        words
    }

    /// In a word or two, for the head of the screen.
    pub fn word(&self) -> &'static str {
        match (self.telling, self.following) {
            (Going::Failing, _) | (_, Going::Failing) => "away",
            (Going::Connecting, _) | (_, Going::Connecting) => "connecting",
            _ if self.behind() > 0 => "catching up",
            _ if self.history.is_some() => "history comes",
            _ if self.backlog > 0 => "telling",
            _ => "ok",
        }
    }
}
