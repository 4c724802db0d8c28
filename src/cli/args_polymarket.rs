//! The definition of `stratum polymarket`.

use clap::{Args, Subcommand};

use super::args::OutputArgs;
use super::when::AsOf;

/// `stratum polymarket`
#[derive(Args, Debug)]
#[command(
    after_help = "Only public data is read: no account, no key, no order. Which sports are followed says odds_api.sports.
A daemon listens by itself once polymarket.on = true is set.

Example:
  stratum polymarket discover --sport basketball_nba
  stratum polymarket status
  stratum polymarket book nba-bos-mia-2026-11-20"
)]
pub struct PolymarketArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: PolymarketAction,
}

/// What `stratum polymarket` can do.
#[derive(Subcommand, Debug)]
pub enum PolymarketAction {
    /// List what Polymarket lists now; needs no store.
    Discover(DiscoverArgs),
    /// Show what is stored of it, how far back, and how the listening goes.
    #[command(after_help = "Example:\n  stratum polymarket status --json")]
    Status(OutputArgs),
    /// Show the order books of a game: prices, costs after the fee, what a stake gets.
    Book(BookArgs),
    /// Say which of our games a listing is; without arguments: try the matching on what is stored.
    Link(LinkArgs),
    /// Say that a listing is none of our games, or take back what was said of it.
    Unlink(UnlinkArgs),
    /// List what the matching leaves to a person, with candidates and reasons.
    Review(ReviewArgs),
    /// Fetch middles of the past; needs the store for itself.
    Backfill(BackfillArgs),
    /// Measure how far the exchange usually stands from the books.
    Shift(ShiftArgs),
}

/// `stratum polymarket discover`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum polymarket discover --sport basketball_nba --json")]
pub struct DiscoverArgs {
    /// Only this sport, by its key or Polymarket's short name; else those of odds_api.sports.
    #[arg(long, value_name = "KEY")]
    pub sport: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum polymarket book`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  stratum polymarket book nba-bos-mia-2026-11-20 --stake 250\n  \
                        stratum polymarket book nba-bos-mia-2026-11-20 --contract nba-bos-mia-2026-11-20-total-221pt5 --live")]
pub struct BookArgs {
    /// The game: its name in Polymarket's addresses, or the address.
    #[arg(value_name = "SLUG")]
    pub slug: String,
    /// Only this contract, by its name.
    #[arg(long, value_name = "SLUG")]
    pub contract: Option<String>,
    /// Ask Polymarket now, and not the store.
    #[arg(long)]
    pub live: bool,
    /// Dollars to place, fees included; else polymarket.stake.
    #[arg(long, value_name = "DOLLARS")]
    pub stake: Option<f64>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum polymarket link`
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  stratum polymarket link\n  stratum polymarket link nba-bos-mia-2026-11-20 41 --dry-run\n  \
                        stratum polymarket link nba-bos-mia-2026-11-20 41"
)]
pub struct LinkArgs {
    /// The game there: its name in Polymarket's addresses, or the address.
    #[arg(value_name = "SLUG", requires = "event")]
    pub slug: Option<String>,
    /// Our game: its number, or the provider's id.
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// Change nothing; show what the matching says.
    #[arg(long)]
    pub dry_run: bool,
    /// Without SLUG: also games that are long over.
    #[arg(long, conflicts_with = "slug")]
    pub all: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum polymarket unlink`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  stratum polymarket unlink nba-bos-mia-2026-11-20\n  \
                        stratum polymarket unlink nba-bos-mia-2026-11-20 --forget")]
pub struct UnlinkArgs {
    /// The game there: its name in Polymarket's addresses, or the address.
    #[arg(value_name = "SLUG")]
    pub slug: String,
    /// Take back what was said of it; the matching decides again.
    #[arg(long)]
    pub forget: bool,
}

/// `stratum polymarket review`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum polymarket review --json")]
pub struct ReviewArgs {
    /// Also games that are long over.
    #[arg(long)]
    pub all: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum polymarket backfill`
#[derive(Args, Debug)]
#[command(
    after_help = "What was fetched is kept, what is known is not asked for again: stop it and start it as you like.
Fine data is forgotten by Polymarket after some weeks. A daemon fetches moneylines every polymarket.history.

Examples:
  stratum polymarket backfill --dry-run
  stratum polymarket backfill --spreads --totals --from now-7d"
)]
pub struct BackfillArgs {
    /// Spreads too.
    #[arg(long)]
    pub spreads: bool,
    /// Totals too.
    #[arg(long)]
    pub totals: bool,
    /// Only this sport, by its key or Polymarket's short name; else those of odds_api.sports.
    #[arg(long, value_name = "KEY")]
    pub sport: Option<String>,
    /// Games that start from then on: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), or such as now-7d.
    #[arg(long, value_name = "TIME", default_value = "now-25d")]
    pub from: AsOf,
    /// Games that start until then.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub to: AsOf,
    /// One middle each so many minutes.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
    /// Fetch nothing; show what is missing.
    #[arg(long)]
    pub dry_run: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum polymarket shift`
#[derive(Args, Debug)]
#[command(after_help = "The line for the settings is printed and never applied by itself.

Example:\n  stratum polymarket shift --sport basketball_nba --days 14")]
pub struct ShiftArgs {
    /// Only this sport, by its key.
    #[arg(long, value_name = "KEY")]
    pub sport: Option<String>,
    /// Games that started within so many days, and those that start soon.
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
