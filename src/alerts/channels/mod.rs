//! The channels there are: one file each, and all of them made from one plain configuration.
//!
//! None of them keeps a message; each tries once, within its own time limit, and says what came of it. Addresses and
//! secrets are types that do not print themselves, and what other sides say is cleaned before it is passed on.

pub mod address;
pub mod bell;
pub mod command;
pub mod desktop;
pub mod discord;
mod embed;
mod http;
mod text;
pub mod webhook;

#[cfg(test)]
pub(crate) mod testing;

use std::net::SocketAddr;
use std::sync::Arc;

use super::channel::Channel;
use bell::{Bell, How, Terminal};
use command::{CommandConfig, CommandError, Program};
use desktop::Desktop;
use discord::{Discord, DiscordUrl};
use webhook::{Webhook, WebhookConfig, WebhookError};

/// Every channel's name, in the order in which they are shown.
pub const NAMES: [&str; 5] = [desktop::NAME, bell::NAME, discord::NAME, webhook::NAME, command::NAME];

/// Why a channel cannot be made. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The generic webhook's address or secret.
    #[error("alerts to the webhook: {0}")]
    Webhook(#[from] WebhookError),
    /// The command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The machine lacks something.
    #[error("alerts by {channel} cannot be set up: {why}")]
    Setup {
        /// Which.
        channel: &'static str,
        /// What.
        why: String,
    },
}

/// Which channels there are to be.
#[derive(Clone, Debug, Default)]
pub struct ChannelsConfig {
    /// The desktop.
    pub desktop: bool,
    /// The terminal.
    pub bell: Option<How>,
    /// Discord.
    pub discord: Option<DiscordUrl>,
    /// Stands for Discord, on this machine. For tests.
    pub discord_instead: Option<SocketAddr>,
    /// Another server.
    pub webhook: Option<WebhookConfig>,
    /// A program.
    pub command: Option<CommandConfig>,
}

/// Makes the channels of `config`. `terminal` is where the bell's bytes go; without one the bell refuses.
///
/// # Errors
/// [`ChannelError`] for the first channel that cannot be made.
pub fn build(config: &ChannelsConfig, terminal: Option<Terminal>) -> Result<Vec<Arc<dyn Channel>>, ChannelError> {
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    if config.desktop {
        channels.push(Arc::new(Desktop::new()));
    }
    if let Some(how) = config.bell {
        channels.push(Arc::new(Bell::new(how, terminal)));
    }
    if let Some(url) = config.discord.clone() {
        channels.push(Arc::new(match config.discord_instead {
            None => Discord::new(url)?,
            Some(at) => Discord::instead_at(url, at, None)?,
        }));
    }
    if let Some(webhook) = &config.webhook {
        channels.push(Arc::new(Webhook::new(webhook)?));
    }
    if let Some(command) = &config.command {
        channels.push(Arc::new(Program::new(command)?));
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn channels_come_in_their_order_and_print_no_secret() {
        let config = ChannelsConfig {
            desktop: true,
            bell: Some(How::Osc9),
            discord: Some(DiscordUrl::parse("https://discord.com/api/webhooks/1/5ecret").expect("address")),
            discord_instead: Some("127.0.0.1:9".parse().expect("address")),
            webhook: Some(WebhookConfig {
                url: "http://127.0.0.1/5ecret".into(),
                secret: "5ecret-5ecret-5ecret".into(),
                allow: vec!["127.0.0.1".into()],
            }),
            command: Some(CommandConfig { run: vec!["true".into()], limit: Duration::from_secs(1) }),
        };
        let channels = build(&config, None).expect("all");
        assert_eq!(channels.iter().map(|c| c.name()).collect::<Vec<_>>(), NAMES);
        assert!(!format!("{config:?}{channels:?}").contains("5ecret"));
        assert!(build(&ChannelsConfig::default(), None).expect("none").is_empty());
    }
}
