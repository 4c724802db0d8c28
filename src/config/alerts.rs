//! The settings of alerts, typed. Owns their form only; secrets are in none of them.

use std::time::Duration;

use serde::Deserialize;

use super::settings::duration;

/// How alerts reach the user.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct AlertSettings {
    /// So few credits are worth a word.
    pub credits_below: u64,
    /// The desktop.
    pub desktop: DesktopSettings,
    /// The terminal.
    pub bell: BellSettings,
    /// Discord.
    pub discord: DiscordSettings,
    /// Any other server.
    pub webhook: WebhookSettings,
    /// A program.
    pub command: CommandSettings,
    /// Summaries.
    pub digest: DigestSettings,
}

/// Summaries of days or weeks.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct DigestSettings {
    /// `never`, `daily` or `weekly`.
    pub every: String,
    /// Time of the day, in the zone of the board's clocks: `08:00`.
    pub at: String,
    /// Names of channels.
    pub channels: Vec<String>,
}

/// The desktop's notification service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct DesktopSettings {
    /// It is used.
    pub on: bool,
}

/// The terminal of the board.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct BellSettings {
    /// It is used.
    pub on: bool,
    /// `bell`, `osc9` or `osc777`.
    pub how: String,
}

/// A webhook of Discord.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct DiscordSettings {
    /// File of its address; empty for the usual place.
    pub url_file: String,
}

/// A webhook of any other server.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct WebhookSettings {
    /// File of its address; empty for the usual place.
    pub url_file: String,
    /// File of its secret; empty for the usual place.
    pub secret_file: String,
    /// Addresses and ranges that are not public and may be reached all the same.
    pub allow: Vec<String>,
}

/// A program of the user's.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct CommandSettings {
    /// The program and its arguments; empty for none.
    pub run: Vec<String>,
    /// It is ended after so long.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}
