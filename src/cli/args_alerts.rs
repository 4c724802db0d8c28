//! The definition of `stratum rules` and `stratum alerts`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::args::OutputArgs;
use super::when::AsOf;
use crate::config::parse_duration;

/// `stratum rules`
#[derive(Args, Debug)]
#[command(
    after_help = "Nothing is ever told without a rule. Rules can be changed while a daemon or a board is running;
they hold from the next look on.

Example:
  stratum rules add Steam --channel desktop --filter 'type:steam sport:nba' --min-strength 60 --max-age 60s
  stratum rules add 'Celtics -2.5' --channel discord --selection BOS --line -2.5 --price -115
  stratum rules add Desk --channel desktop --kind credits,health
  stratum rules dry-run Steam --from now-7d"
)]
pub struct RulesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What `stratum rules` can do.
#[derive(Subcommand, Debug)]
pub enum RulesAction {
    /// Add a rule.
    #[command(after_help = "Example:
  stratum rules add Steam --channel desktop --filter 'type:steam' --quiet 23:00-07:30
  stratum rules add Openers --channel discord --kind opener --watchlist Tonight")]
    Add(RuleAddArgs),
    /// List the rules.
    #[command(after_help = "Example:\n  stratum rules list --json")]
    List(OutputArgs),
    /// Show what a rule asks for.
    #[command(after_help = "Example:\n  stratum rules show Steam")]
    Show(RuleShowArgs),
    /// Change a rule: what is given replaces what was there.
    #[command(after_help = "Example:
  stratum rules edit Steam --min-strength 70 --clear quiet
  stratum rules edit Steam --name 'NBA steam'")]
    Edit(RuleEditArgs),
    /// Remove a rule. What it has put into the outbox is still delivered.
    #[command(after_help = "Example:\n  stratum rules remove Steam")]
    Remove(RuleName),
    /// Switch a rule on.
    #[command(after_help = "Example:\n  stratum rules on Steam")]
    On(RuleName),
    /// Switch a rule off.
    #[command(after_help = "Example:\n  stratum rules off Steam")]
    Off(RuleName),
    /// Show how often a rule would have fired, and what became of what it would have told.
    #[command(after_help = "Example:\n  stratum rules dry-run Steam --from '2026-11-01' --to '2026-11-08' --json")]
    DryRun(DryRunArgs),
}

/// A rule by its name.
#[derive(Args, Debug)]
pub struct RuleName {
    /// The rule's name, whatever its case.
    #[arg(value_name = "RULE")]
    pub name: String,
}

/// `stratum rules show`
#[derive(Args, Debug)]
pub struct RuleShowArgs {
    /// The rule's name, whatever its case.
    #[arg(value_name = "RULE")]
    pub name: String,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum rules add`
#[derive(Args, Debug)]
pub struct RuleAddArgs {
    /// Its name: 1 to 64 characters; names differ by more than case.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Add it switched off.
    #[arg(long)]
    pub off: bool,
    /// What it asks for.
    #[command(flatten)]
    pub terms: TermsArgs,
}

/// `stratum rules edit`
#[derive(Args, Debug)]
pub struct RuleEditArgs {
    /// The rule's name, whatever its case.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Its new name.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What it shall ask for no more; several separated by commas.
    #[arg(long, value_enum, value_name = "FIELD", value_delimiter = ',')]
    pub clear: Vec<Clearable>,
    /// What it asks for from now on.
    #[command(flatten)]
    pub terms: TermsArgs,
}

/// What may be taken out of a rule.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Clearable {
    Filter,
    MinStrength,
    MinComposite,
    MinBooks,
    MaxDispersion,
    MinLead,
    MaxAge,
    Quiet,
    Watchlist,
    Line,
    Updates,
}

/// What a rule asks for.
#[derive(Args, Debug, Default)]
pub struct TermsArgs {
    /// What it tells of: signal, line, opener, gone, reopened, limit, credits, health; several separated by commas.
    /// Signals, where nothing is said.
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<String>,
    /// Channels of the settings; several separated by commas.
    #[arg(long = "channel", value_name = "CHANNEL", value_delimiter = ',')]
    pub channels: Vec<String>,
    /// Only what this filter lets through.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Of signals: strength at least, 0 to 100.
    #[arg(long, value_name = "N")]
    pub min_strength: Option<u8>,
    /// Of signals: composite score at least, 0 to 100.
    #[arg(long, value_name = "N")]
    pub min_composite: Option<u8>,
    /// Of signals: independent books at least.
    #[arg(long, value_name = "N")]
    pub min_books: Option<u16>,
    /// Of signals: dispersion of the board at the most.
    #[arg(long, value_name = "N")]
    pub max_dispersion: Option<f64>,
    /// Time before the start at least.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub min_lead: Option<Duration>,
    /// Age of the price at the most; what has no price to take is left out then.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_age: Option<Duration>,
    /// The same thing is not told of again within this time; 0s for always.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub cooldown: Option<Duration>,
    /// What falls into these hours is held until they end, such as 23:00-07:30.
    #[arg(long, value_name = "FROM-TO")]
    pub quiet: Option<String>,
    /// The zone of the quiet hours, such as America/New_York; that of the board, where nothing is said.
    #[arg(long, value_name = "ZONE", requires = "quiet")]
    pub zone: Option<String>,
    /// Only what this watchlist holds.
    #[arg(long, value_name = "LIST")]
    pub watchlist: Option<String>,
    /// Wait for a price of this side: a team, home, away, draw, over or under.
    #[arg(long, value_name = "SIDE", requires = "price")]
    pub selection: Option<String>,
    /// The price to wait for, at least: American such as -115, or decimal such as 1.87.
    #[arg(long, value_name = "ODDS", allow_hyphen_values = true, requires = "selection")]
    pub price: Option<String>,
    /// The line to wait for, as the side sees it.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true, requires = "selection")]
    pub line: Option<f64>,
    /// The market to wait in; found out from side and line where nothing is said.
    #[arg(long, value_name = "MARKET", requires = "selection")]
    pub market: Option<String>,
    /// Only the line itself or a better one, no equivalents.
    #[arg(long, requires = "selection")]
    pub exact: bool,
    /// Of signals: tell of updates too.
    #[arg(long)]
    pub updates: bool,
}

/// `stratum rules dry-run`
#[derive(Args, Debug)]
pub struct DryRunArgs {
    /// The rule's name, whatever its case. It may be off.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Signals from then on: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-7d. All of them, where nothing is
    /// said.
    #[arg(long, value_name = "TIME")]
    pub from: Option<AsOf>,
    /// Signals until then.
    #[arg(long, value_name = "TIME")]
    pub to: Option<AsOf>,
    /// Firings that are listed in a table, the latest of them.
    #[arg(long, value_name = "N", default_value = "40")]
    pub limit: usize,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum alerts`
#[derive(Args, Debug)]
#[command(after_help = "Example:
  stratum alerts test discord
  stratum alerts list --state dead
  stratum alerts replay --dead
  stratum alerts quality --from now-30d")]
pub struct AlertsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: AlertsAction,
}

/// What `stratum alerts` can do.
#[derive(Subcommand, Debug)]
pub enum AlertsAction {
    /// Show the outbox: what waits, what was delivered, what was given up.
    #[command(after_help = "Example:\n  stratum alerts list --state waiting --json")]
    List(AlertListArgs),
    /// Show one message of the outbox, as it is delivered.
    #[command(after_help = "Example:\n  stratum alerts show 12")]
    Show(AlertShowArgs),
    /// Show every attempt to deliver, with how long it took.
    #[command(after_help = "Example:\n  stratum alerts log --channel discord --since now-1d")]
    Log(AlertLogArgs),
    /// Deliver a message once more, under its old key. Works while a daemon or a board is running.
    #[command(after_help = "Example:\n  stratum alerts replay 12\n  stratum alerts replay --dead")]
    Replay(AlertReplayArgs),
    /// List the channels of the settings.
    #[command(after_help = "Example:\n  stratum alerts channels")]
    Channels(OutputArgs),
    /// Send a test message through a channel right now, and say what came back.
    #[command(after_help = "Example:\n  stratum alerts test discord")]
    Test(AlertTestArgs),
    /// Show how good alerts were: what the fair price did afterwards, and whether the entry could be had.
    #[command(after_help = "Example:\n  stratum alerts quality --from now-30d --json")]
    Quality(AlertQualityArgs),
}

/// Where a message stands.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lower")]
#[allow(missing_docs)]
pub enum StateArg {
    Waiting,
    Delivered,
    Dead,
}

/// `stratum alerts list`
#[derive(Args, Debug)]
pub struct AlertListArgs {
    /// Only messages in this state.
    #[arg(long, value_enum, value_name = "STATE")]
    pub state: Option<StateArg>,
    /// Only messages for this channel.
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Written at or after: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub since: Option<AsOf>,
    /// The newest so many.
    #[arg(long, value_name = "N", default_value = "100")]
    pub limit: u32,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum alerts show`
#[derive(Args, Debug)]
pub struct AlertShowArgs {
    /// Its number, as `stratum alerts list` shows it.
    #[arg(value_name = "ID")]
    pub id: i64,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum alerts log`
#[derive(Args, Debug)]
pub struct AlertLogArgs {
    /// Only attempts through this channel.
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Made at or after: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub since: Option<AsOf>,
    /// The newest so many.
    #[arg(long, value_name = "N", default_value = "100")]
    pub limit: u32,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum alerts replay`
#[derive(Args, Debug)]
#[group(id = "which", required = true, multiple = false)]
pub struct AlertReplayArgs {
    /// Number of a message, as `stratum alerts list` shows it.
    #[arg(value_name = "ID", group = "which")]
    pub id: Option<i64>,
    /// All messages that were given up.
    #[arg(long, group = "which")]
    pub dead: bool,
}

/// `stratum alerts test`
#[derive(Args, Debug)]
pub struct AlertTestArgs {
    /// The channel, by its name in the settings.
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum alerts quality`
#[derive(Args, Debug)]
pub struct AlertQualityArgs {
    /// Alerts from then on: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-30d.
    #[arg(long, value_name = "TIME")]
    pub from: Option<AsOf>,
    /// Alerts until then.
    #[arg(long, value_name = "TIME")]
    pub to: Option<AsOf>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => parse_duration(text).ok_or_else(|| "expected a duration such as 45s, 15m or 2h".into()),
    }
}
