//! The definition of `stratum key` and `stratum service`.

use clap::{Args, Subcommand, ValueEnum};

use super::args::OutputArgs;

/// `stratum key`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum key set\n  pass show odds-api | stratum key set --add")]
pub struct KeyArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: KeyAction,
}

/// What `stratum key` can do.
#[derive(Subcommand, Debug)]
pub enum KeyAction {
    /// Take a key of The Odds API, typed without an echo or from the standard input, and keep it for you alone.
    ///
    /// Several keys, separated by commas or lines, take turns: when the credits of one are used up, the next one asks.
    #[command(after_help = "Example:\n  stratum key set\n  stratum key set --add < second.key")]
    Set(KeySetArgs),
    /// Show which keys there are, by their fingerprints, and where they come from.
    #[command(after_help = "Example:\n  stratum key status --json")]
    Status(OutputArgs),
    /// Remove the keys that are kept.
    #[command(after_help = "Example:\n  stratum key remove")]
    Remove(KeyPlace),
}

/// `stratum key set`
#[derive(Args, Clone, Copy, Debug)]
pub struct KeySetArgs {
    /// Keep what is there and put the new key behind it.
    #[arg(long)]
    pub add: bool,
    /// Where it is kept.
    #[command(flatten)]
    pub place: KeyPlace,
}

/// Where a key is kept.
#[derive(Args, Clone, Copy, Debug)]
pub struct KeyPlace {
    /// In the keyring of the operating system in place of a file.
    #[arg(long)]
    pub keyring: bool,
}

/// `stratum service`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum service install --dry-run\n  stratum service status")]
pub struct ServiceArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: ServiceAction,
    /// Who runs it: systemd on Linux, launchd on macOS.
    #[arg(long, value_enum, global = true, hide = true)]
    pub manager: Option<Manager>,
}

/// What `stratum service` can do.
#[derive(Subcommand, Debug)]
pub enum ServiceAction {
    /// Write the file that lets the system run the daemon for you, and say how to start it.
    #[command(after_help = "Example:\n  stratum service install --dry-run\n  stratum service install")]
    Install(InstallArgs),
    /// Stop the daemon and remove that file. What was stored stays.
    #[command(after_help = "Example:\n  stratum service uninstall")]
    Uninstall(InstallArgs),
    /// Show whether it is installed and runs, and who writes the store.
    #[command(after_help = "Example:\n  stratum service status --json")]
    Status(OutputArgs),
}

/// `stratum service install` and `uninstall`
#[derive(Args, Clone, Copy, Debug)]
pub struct InstallArgs {
    /// Only print what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Replace or remove a file that was written or changed by somebody else.
    #[arg(long)]
    pub force: bool,
}

/// Who runs services for a user.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manager {
    /// Linux.
    Systemd,
    /// macOS.
    Launchd,
}
