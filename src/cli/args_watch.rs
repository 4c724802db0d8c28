//! The definition of `stratum watch`.

use clap::{Args, Subcommand};

use super::args::OutputArgs;

/// `stratum watch`
#[derive(Args, Debug)]
#[command(after_help = "A list shows a game when a rule brings it in and no rule with --not keeps it out.
Lists can be changed while a daemon or a board is running.

Example:
  stratum watch create Tonight
  stratum watch add Tonight --league basketball_nba
  stratum watch add Tonight --team 'Miami Heat' --not
  stratum watch list Tonight")]
pub struct WatchArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: WatchAction,
}

/// What `stratum watch` can do.
#[derive(Subcommand, Debug)]
pub enum WatchAction {
    /// Show all watchlists, or the rules of one.
    List(WatchListArgs),
    /// Make an empty watchlist.
    #[command(after_help = "Example:\n  stratum watch create Tonight")]
    Create {
        /// Its name: 1 to 64 characters; names differ by more than case.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Give a watchlist another name.
    #[command(after_help = "Example:\n  stratum watch rename Tonight 'NBA tonight'")]
    Rename {
        /// Its name.
        #[arg(value_name = "OLD")]
        old: String,
        /// Its new name.
        #[arg(value_name = "NEW")]
        new: String,
    },
    /// Delete a watchlist and its rules.
    #[command(after_help = "Example:\n  stratum watch delete Tonight --yes")]
    Delete {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// Do not ask; needed where there is no terminal.
        #[arg(long)]
        yes: bool,
    },
    /// Put a watchlist at another place among the lists.
    #[command(after_help = "Example:\n  stratum watch move Tonight 1")]
    Move {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// Its new place, from 1; beyond the last it becomes the last.
        #[arg(value_name = "POSITION", value_parser = clap::value_parser!(u32).range(1..))]
        position: u32,
    },
    /// Add a rule to a watchlist; one that is there already stays as it is.
    Add(WatchAddArgs),
    /// Remove a rule from a watchlist.
    #[command(after_help = "Example:\n  stratum watch list Tonight\n  stratum watch remove Tonight 2")]
    Remove {
        /// The watchlist.
        #[arg(value_name = "LIST")]
        list: String,
        /// The rule's number, as `stratum watch list LIST` shows it.
        #[arg(value_name = "RULE-NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
    },
}

/// `stratum watch list`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum watch list\n  stratum watch list Tonight --json")]
pub struct WatchListArgs {
    /// The rules of this watchlist.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum watch add`
#[derive(Args, Debug)]
#[command(after_help = "Example:
  stratum watch add Tonight --game 'Lakers @ Celtics'
  stratum watch add Tonight --team 'Boston Celtics' --sport basketball_nba
  stratum watch add Tonight --league icehockey_nhl --not")]
pub struct WatchAddArgs {
    /// The watchlist.
    #[arg(value_name = "LIST")]
    pub list: String,
    /// What the rule is about.
    #[command(flatten)]
    pub what: WatchWhat,
    /// With --team or --market: only in this sport, by its key or short name.
    #[arg(long, value_name = "SPORT", conflicts_with_all = ["game", "league", "filter"])]
    pub sport: Option<String>,
    /// Keep out what the rule is about.
    #[arg(long)]
    pub not: bool,
}

/// What a rule is about: one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct WatchWhat {
    /// One game: its number, the provider's id, or a part of a team's name.
    #[arg(long, value_name = "TEXT")]
    pub game: Option<String>,
    /// All games of a team.
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// All games of a league: its sport key or short name, such as basketball_nba or NBA.
    #[arg(long, value_name = "KEY")]
    pub league: Option<String>,
    /// All games with a market, such as h2h, spreads or totals.
    #[arg(long, value_name = "KEY")]
    pub market: Option<String>,
    /// Whatever a filter lets through.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub filter: Option<String>,
}
