//! The channels of the settings: puts together what the settings say, what the environment and private files hold, and
//! what the machine has.

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::alerts::channel::Channel;
use crate::alerts::channels::bell::{How, Terminal};
use crate::alerts::channels::command::CommandConfig;
use crate::alerts::channels::discord::{DiscordUrl, DiscordUrlError};
use crate::alerts::channels::webhook::WebhookConfig;
use crate::alerts::channels::{ChannelError, ChannelsConfig, build};
use crate::config::{KeyError, Paths, Settings, owner_secret};

/// Holds the address of a Discord webhook.
pub const DISCORD_VARIABLE: &str = "STRATUM_DISCORD_WEBHOOK";
/// Holds the address of another webhook.
pub const WEBHOOK_VARIABLE: &str = "STRATUM_WEBHOOK_URL";
/// Holds what deliveries to it are signed with.
pub const SECRET_VARIABLE: &str = "STRATUM_WEBHOOK_SECRET";
/// An address on this machine that stands for Discord. Read in builds for tests only.
const INSTEAD_VARIABLE: &str = "STRATUM_TEST_DISCORD_AT";

/// Why there are no channels. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// A file or variable cannot be used.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// What is said to be the address of a Discord webhook is none.
    #[error("the address of the Discord webhook (${DISCORD_VARIABLE} or its file): {0}")]
    Discord(#[from] DiscordUrlError),
    /// An address without a secret.
    #[error(
        "there is an address of a webhook, but no secret to sign with; set ${SECRET_VARIABLE}, or write {0} \
             (chmod 600)"
    )]
    NoSecret(String),
    /// A channel cannot be made.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

/// Which channels the settings say. `variable` reads the environment.
///
/// # Errors
/// [`ChannelsError`] tells what to do.
pub fn config(
    paths: &Paths,
    settings: &Settings,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<ChannelsConfig, ChannelsError> {
    let alerts = &settings.alerts;
    let secret = |name: &str, file: &Path| owner_secret(name, variable(name).as_deref(), file);
    let discord = match secret(DISCORD_VARIABLE, &paths.beside(&alerts.discord.url_file, "discord.webhook"))? {
        None => None,
        Some((url, _)) => Some(DiscordUrl::parse(url.expose_secret())?),
    };
    let webhook = match secret(WEBHOOK_VARIABLE, &paths.beside(&alerts.webhook.url_file, "webhook.url"))? {
        None => None,
        Some((url, _)) => {
            let file = paths.beside(&alerts.webhook.secret_file, "webhook.secret");
            let found = secret(SECRET_VARIABLE, &file)?;
            let (secret, _) = found.ok_or_else(|| ChannelsError::NoSecret(file.display().to_string()))?;
            Some(WebhookConfig { url, secret, allow: alerts.webhook.allow.clone() })
        }
    };
    let discord_instead =
        if cfg!(debug_assertions) { variable(INSTEAD_VARIABLE).and_then(|at| at.parse().ok()) } else { None };
    Ok(ChannelsConfig {
        desktop: alerts.desktop.on,
        bell: How::from_name(&alerts.bell.how).filter(|_| alerts.bell.on),
        discord,
        discord_instead,
        webhook,
        command: Some(CommandConfig { run: alerts.command.run.clone(), limit: alerts.command.timeout })
            .filter(|c| !c.run.is_empty()),
    })
}

/// The channels of the settings and of this process's environment. `terminal`: where the bell's bytes go.
///
/// # Errors
/// [`ChannelsError`] tells what to do.
pub fn from_settings(
    paths: &Paths,
    settings: &Settings,
    terminal: Option<Terminal>,
) -> Result<Vec<Arc<dyn Channel>>, ChannelsError> {
    let config = config(paths, settings, &|name| std::env::var(name).ok())?;
    Ok(build(&config, terminal)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn found(home: &Path, text: &str, variables: &[(&str, &str)]) -> Result<ChannelsConfig, String> {
        let file = home.join("stratum.toml");
        std::fs::write(&file, text).expect("written");
        let settings = load(&Sources { file: Some(file.clone()), ..Sources::default() }).expect("settings").settings;
        let paths = Paths::find(Some(home), Some(&file)).expect("paths");
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        config(&paths, &settings, &variable).map_err(|e| e.to_string())
    }

    fn private(file: &Path, text: &str) {
        std::fs::write(file, text).expect("written");
        #[cfg(unix)]
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mode");
    }

    const DISCORD: &str = "https://discord.com/api/webhooks/1/5ecret";

    #[test]
    fn nothing_said_is_desktop_and_bell() {
        let home = tempfile::tempdir().expect("folder");
        let config = found(home.path(), "", &[]).expect("config");
        assert!(config.desktop && config.bell == Some(How::Bell));
        assert!(config.discord.is_none() && config.webhook.is_none() && config.command.is_none());
        let off =
            "[alerts.desktop]\non = false\n[alerts.bell]\non = false\n[alerts.command]\nrun = [\"x\", \"{title}\"]\n";
        let config = found(home.path(), off, &[]).expect("config");
        assert!(!config.desktop && config.bell.is_none());
        assert_eq!(config.command.map(|c| c.run.len()), Some(2));
    }

    #[test]
    fn secrets_come_from_variables_or_private_files() {
        let home = tempfile::tempdir().expect("folder");
        let config = found(home.path(), "", &[(DISCORD_VARIABLE, DISCORD)]).expect("config");
        assert!(config.discord.is_some() && !format!("{config:?}").contains("5ecret"));
        private(&home.path().join("discord.webhook"), DISCORD);
        private(&home.path().join("my.url"), "https://hook.example/5ecret");
        private(&home.path().join("webhook.secret"), "5ecret-5ecret-5ecret");
        let text = "[alerts.webhook]\nurl_file = \"my.url\"\nallow = [\"10.0.0.0/8\"]\n";
        let config = found(home.path(), text, &[]).expect("config");
        assert!(config.discord.is_some());
        assert_eq!(config.webhook.as_ref().map(|w| w.allow.clone()), Some(vec!["10.0.0.0/8".to_owned()]));
        assert_eq!(build(&config, None).expect("channels").len(), 4);
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_secret() {
        let home = tempfile::tempdir().expect("folder");
        for (variables, part) in [
            (&[(DISCORD_VARIABLE, "https://evil.example/api/webhooks/1/5ecret")][..], "its host must be discord.com"),
            (&[(WEBHOOK_VARIABLE, "https://hook.example/5ecret")], "no secret to sign with"),
            (&[(WEBHOOK_VARIABLE, "two\nlines 5ecret")], "more than one line"),
        ] {
            let said = found(home.path(), "", variables).expect_err("refused");
            assert!(said.contains(part) && !said.contains("5ecret"), "{said}");
        }
        #[cfg(unix)]
        {
            std::fs::write(home.path().join("discord.webhook"), DISCORD).expect("written");
            let said = found(home.path(), "", &[]).expect_err("open to others");
            assert!(said.contains("chmod 600"), "{said}");
        }
    }
}
