//! Settings, folders and secrets.
//!
//! ```text
//! defaults (config/stratum.toml, embedded) < settings file < environment < flags
//! ```
//!
//! One table, [`keys::KEYS`], names every setting with its type and bounds; reading, checking, showing, the names of
//! environment variables and the advice about misspelt names all come from it. The commented default file is the
//! documentation, and a test keeps the two equal.
//!
//! Owns what may be set and where files lie. May use the vocabulary of the market, the file system and the
//! environment; starts nothing.
#![warn(missing_docs)]

mod alerts;
mod analysis;
mod duration;
mod keep;
pub mod keyring;
mod keys;
mod layers;
mod paths;
mod secret;
mod settings;

pub use alerts::{
    AlertSettings, BellSettings, CommandSettings, DesktopSettings, DigestSettings, DiscordSettings, WebhookSettings,
};
pub use analysis::{
    DevigSettings, DislocationSettings, FairSettings, KeyCrossSettings, LiveShockSettings, MoveSettings,
    MultibookSyncSettings, OpportunitySettings, SteamSettings, Watch,
};
pub use duration::{format_duration, parse_duration};
pub use keep::{KeepError, keep_names};
pub use layers::{ConfigError, Loaded, Origin, Resolved, Sources, Warning, load};
pub use paths::{PathError, Paths, make_private};
pub use secret::{KeyError, KeyOrigin, check_key_file, checked as checked_keys, keep_key, odds_api_key, owner_secret};
pub use settings::{
    Alone, BoardSettings, HubSettings, Keep, LogFormat, LogSettings, MetricsSettings, OddsApiSettings, QuoteSettings,
    RetentionSettings, Settings, StoreSettings,
};

/// The default settings with their explanations.
pub const DEFAULT_TEXT: &str = include_str!("../../config/stratum.toml");

/// The name of a setting, if there is one of this name.
pub fn setting(name: &str) -> Option<&'static str> {
    keys::find(name).map(|key| key.path).filter(|path| *path == name)
}

/// What `config init` writes: the default text with every setting commented out, so that a later version's better
/// default is not held back by a copy of the old one.
pub fn init_text() -> String {
    let mut text = String::with_capacity(DEFAULT_TEXT.len() + 64);
    for line in DEFAULT_TEXT.lines() {
        let is_setting = !line.is_empty() && !line.starts_with(['#', '[']);
        text.push_str(if is_setting { "#" } else { "" });
        text.push_str(line);
        text.push('\n');
    }
    text
}
