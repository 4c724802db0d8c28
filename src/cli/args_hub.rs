//! The definition of `stratum hub`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::args::OutputArgs;
use super::when::AsOf;

/// `stratum hub`
#[derive(Args, Debug)]
#[command(
    after_help = "The hub's address is a secret: it stands in the variable STRATUM_HUB_URL, or in a file that only you can read
(hub.url beside the settings, or hub.url_file). docs/hub.md tells how to set one up.

Example:
  stratum hub init
  stratum hub user add ann --tier pro --reason 'joined the desk'
  stratum hub status"
)]
pub struct HubArgs {
    /// File of the address, in place of the usual one.
    #[arg(long, value_name = "FILE", global = true)]
    pub url_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: HubAction,
}

/// What `stratum hub` can do.
#[derive(Subcommand, Debug)]
pub enum HubAction {
    /// Make the hub in its database, or bring it up to date; may be run again at any time.
    #[command(
        after_help = "Example:\n  stratum hub init\n\nThe login needs CREATEROLE and CREATE on the database, and no more."
    )]
    Init(OutputArgs),
    /// Show the hub: who we are there, what is in it, who collects.
    #[command(after_help = "Example:\n  stratum hub status --json")]
    Status(OutputArgs),
    /// Link this store to the hub, once; with `hub.on = true` it is kept in step from then on.
    Link(HubLinkArgs),
    /// Compare this store with the hub, by sums over every day that both have; exit code 1 where they differ.
    #[command(after_help = "Example:\n  stratum hub verify\n  stratum hub verify --json")]
    Verify(OutputArgs),
    /// Fetch again from the hub what differs from it here; what the hub was never told is not touched.
    Repair(RepairArgs),
    /// Write what the hub holds as lines of JSON, with names in the place of numbers.
    Export(ExportArgs),
    /// Show how large the hub is, table by table, and how it grows.
    #[command(after_help = "Example:\n  stratum hub size\n  stratum hub size --json")]
    Size(OutputArgs),
    /// Show or say for how many days the hub keeps things; collectors carry it out once a day.
    Retention(RetentionArgs),
    /// Forget the hub; what came from it stays.
    #[command(after_help = "Example:\n  stratum hub unlink")]
    Unlink(OutputArgs),
    /// Manage users: who may see what.
    User(UserArgs),
    /// Show what was done to users, by whom and why, and check that nobody has changed it.
    Audit(AuditArgs),
}

/// `stratum hub link`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub link\n  stratum hub link --set-aside")]
pub struct HubLinkArgs {
    /// Where this store and the hub both have a history of a sport: keep this store's file beside, and begin with the hub's.
    #[arg(long)]
    pub set_aside: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum hub repair`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub repair --dry-run\n  stratum hub repair\n\n\
                        For looks that the hub holds the hub is right. Stop the board and the daemon first.")]
pub struct RepairArgs {
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum hub export`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub export --dir desk --from now-7d\n  \
                        stratum hub export quotes signals --sport basketball_nba --from 2026-01-10 --to 2026-01-11 | jq .\n\n\
                        A free login gets what it sees: late, and without closes, values and issues.")]
pub struct ExportArgs {
    /// What: games, looks, quotes (the change log), fair, signals, opportunities, closes, clv, issues; everything if not
    /// named.
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// Write a file of each kind into this folder, instead of all lines to the standard output.
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
    /// From this instant on.
    #[arg(long, value_name = "TIME")]
    pub from: Option<AsOf>,
    /// Up to this instant, and not at it.
    #[arg(long, value_name = "TIME")]
    pub to: Option<AsOf>,
    /// This sport only.
    #[arg(long, value_name = "KEY")]
    pub sport: Option<String>,
}

/// For how long something is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// So many days.
    Days(i32),
    /// For ever.
    ForEver,
}

impl std::str::FromStr for Keep {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" {
            return Ok(Self::ForEver);
        }
        let days = text.strip_suffix('d').and_then(|n| n.parse::<i32>().ok()).filter(|n| (3..=36_500).contains(n));
        days.map(Self::Days).ok_or("expected days such as 90d (3d at least), or forever")
    }
}

/// `stratum hub retention`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub retention\n  stratum hub retention --keep 90d --dry-run\n  \
                        stratum hub retention --keep 90d --reason 'the server is small'\n\n\
                        Whole days (UTC) go. Days that a game needs which is still on stay, and so do those that a device is \
                        just reading.")]
pub struct RetentionArgs {
    /// Keep so many days from now on, such as 90d, or forever.
    #[arg(long, value_name = "DAYS")]
    pub keep: Option<Keep>,
    /// Why; written into the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Carry it out now, and do not wait for a collector.
    #[arg(long)]
    pub now: bool,
    /// Say what would go, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum hub user`
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stratum hub user list\n  stratum hub user add ann --tier pro --reason 'joined the desk'"
)]
pub struct UserArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: UserAction,
}

/// What `stratum hub user` can do.
#[derive(Subcommand, Debug)]
pub enum UserAction {
    /// Make a login, and show its address once: nobody can show it again.
    Add(UserAddArgs),
    /// List the users.
    #[command(after_help = "Example:\n  stratum hub user list --json")]
    List(OutputArgs),
    /// Give a user another tier; what it has open is ended.
    SetTier(UserTierArgs),
    /// Shut a user out, at once.
    Disable(UserDisableArgs),
    /// A new password, shown once; it lets a disabled user in again.
    Rotate(UserRotateArgs),
}

/// Tiers that a user can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum UserTier {
    /// Writes what it collects, sees everything.
    Collector,
    /// Sees everything as it comes.
    Pro,
    /// Sees quotes and consensus late, signals late and in part.
    Free,
    /// Manages users; sees none of the feed.
    Admin,
}

impl UserTier {
    /// Its name at the hub.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::Pro => "pro",
            Self::Free => "free",
            Self::Admin => "admin",
        }
    }
}

/// Why something is done; kept for ever.
#[derive(Args, Clone, Debug)]
pub struct ReasonArgs {
    /// Why; written into the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `stratum hub user add`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub user add ann --tier pro --reason 'joined the desk'\n  \
                        stratum hub user add nuc --tier collector --reason 'second collector' --json")]
pub struct UserAddArgs {
    /// The login's name: small letters, digits and underscores.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it may see and do.
    #[arg(long, value_enum)]
    pub tier: UserTier,
    /// Why.
    #[command(flatten)]
    pub reason: ReasonArgs,
    /// Tell the server the password itself, for a provider that takes no hashed ones; its logs may then hold it.
    #[arg(long)]
    pub in_clear: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum hub user set-tier`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub user set-tier ann free --reason 'trial is over'")]
pub struct UserTierArgs {
    /// The login's name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it may see and do from now on.
    #[arg(value_name = "TIER", value_enum)]
    pub tier: UserTier,
    /// Why.
    #[command(flatten)]
    pub reason: ReasonArgs,
}

/// `stratum hub user disable`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub user disable ann --reason 'left the desk'")]
pub struct UserDisableArgs {
    /// The login's name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Why.
    #[command(flatten)]
    pub reason: ReasonArgs,
}

/// `stratum hub user rotate`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub user rotate ann --reason 'laptop lost'")]
pub struct UserRotateArgs {
    /// The login's name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Why.
    #[command(flatten)]
    pub reason: ReasonArgs,
    /// Tell the server the password itself, for a provider that takes no hashed ones; its logs may then hold it.
    #[arg(long)]
    pub in_clear: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum hub audit`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum hub audit --newest 20\n  stratum hub audit --check\n\n\
                        Write the last hash down somewhere else: it proves later that no row is missing at the end.")]
pub struct AuditArgs {
    /// So many rows, the newest.
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub newest: u32,
    /// Check the chain of hashes and show no rows.
    #[arg(long)]
    pub check: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
