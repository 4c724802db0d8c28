//! The definition of the commands that ask what the market means.

use clap::{Args, Subcommand, ValueEnum};

use super::args::OutputArgs;
use super::when::AsOf;

/// Which signals.
#[derive(Args, Clone, Debug, Default)]
pub struct SignalFilter {
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// Only these types, such as STEAM; several separated by commas.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Only this market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,
    /// Only this event: its number, the provider's id, or a part of a team's name.
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,
    /// Detected at or after: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub since: Option<AsOf>,
    /// Detected before.
    #[arg(long, value_name = "TIME")]
    pub until: Option<AsOf>,
    /// Strength at least, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub min_strength: Option<u8>,
    /// Composite score at least, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub min_score: Option<u8>,
    /// Only this tier of the composite score.
    #[arg(long, value_enum, value_name = "TIER", ignore_case = true)]
    pub tier: Option<TierArg>,
    /// Only these time buckets, such as PRETIP; several separated by commas.
    #[arg(long, value_name = "BUCKET", value_delimiter = ',')]
    pub time_bucket: Vec<String>,
    /// Only moves that took longer than so many minutes from the first book to the last.
    #[arg(long, value_name = "MINUTES")]
    pub velocity_gt: Option<f64>,
    /// A named set of filters.
    #[arg(long, value_enum, value_name = "PRESET")]
    pub preset: Option<PresetArg>,
}

/// Tiers of the composite score.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lower")]
#[allow(missing_docs)]
pub enum TierArg {
    High,
    Medium,
    Low,
}

/// Named sets of filters.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum PresetArg {
    HighConfidence,
    LowNoise,
    EarlyMove,
    SteamOnly,
}

/// `stratum signals`
#[derive(Args, Debug)]
#[command(after_help = "FROM and TO are as the first side sees them: home, over or yes. TAKE may be the other one.

Example:
  stratum signals --sport americanfootball_nfl --type STEAM,KEY_CROSS --min-strength 60 --json")]
pub struct SignalsArgs {
    /// Which ones.
    #[command(flatten)]
    pub filter: SignalFilter,
    /// Show what could not be judged instead, by detector and sport.
    #[arg(long)]
    pub not_evaluable: bool,
    /// Show at most so many, the newest.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How they are printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which questions of which events, and when.
#[derive(Args, Clone, Debug, Default)]
pub struct PriceFilter {
    /// The event: its number, the provider's id, or a part of a team's name; left out: every event not started yet.
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// Only this market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,
    /// As of then: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h. Left out: the newest look.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<AsOf>,
}

/// `stratum fair`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum fair 'Lakers' --market spreads --as-of '2026-01-10 23:30' --json")]
pub struct FairArgs {
    /// Of what.
    #[command(flatten)]
    pub filter: PriceFilter,
    /// Only the fair price without this book's family; `none`: only that of all books.
    #[arg(long, value_name = "BOOK")]
    pub leave_out: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum consensus`
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stratum consensus --sport basketball_nba --market totals\n  stratum consensus 'Lakers' --history --json"
)]
pub struct ConsensusArgs {
    /// Of what.
    #[command(flatten)]
    pub filter: PriceFilter,
    /// Every published point of an event instead of the state at one time.
    #[arg(long, requires = "event")]
    pub history: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum opportunities`
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stratum opportunities --kind positive_ev --min-ev 0.02\n  stratum opportunities 'Lakers' --market spreads --card home"
)]
pub struct OpportunitiesArgs {
    /// Of what.
    #[command(flatten)]
    pub filter: PriceFilter,
    /// Only this kind.
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<KindArg>,
    /// Expected profit at least, as a share of the stake.
    #[arg(long, value_name = "SHARE")]
    pub min_ev: Option<f64>,
    /// Only with all legs at these books; several separated by commas.
    #[arg(long, value_name = "BOOK", value_delimiter = ',')]
    pub books: Vec<String>,
    /// Show those that look too good to be true as well.
    #[arg(long)]
    pub suspect: bool,
    /// Show what every book offers for this side of an event's market instead.
    #[arg(
        long,
        value_name = "SIDE",
        requires = "event",
        requires = "market",
        conflicts_with_all = ["kind", "min_ev", "books", "suspect", "stake"]
    )]
    pub card: Option<String>,
    /// Split this stake over the legs of each arbitrage.
    #[arg(long, value_name = "AMOUNT")]
    pub stake: Option<f64>,
    /// Round stakes to this unit.
    #[arg(long, value_name = "UNIT", default_value = "1", requires = "stake")]
    pub round: f64,
    /// How they are printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Kinds of opportunities.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum KindArg {
    PositiveEv,
    Arbitrage,
    Middle,
    LowHold,
}

/// `stratum clv`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum clv scorecards --sport americanfootball_nfl --json")]
pub struct ClvArgs {
    /// What to show.
    #[command(subcommand)]
    pub view: ClvView,
}

/// Views of closing line value.
#[derive(Subcommand, Debug)]
pub enum ClvView {
    /// By type and market.
    #[command(after_help = "Example:\n  stratum clv summary --since now-30d")]
    Summary(ClvFilter),
    /// By type, market, time bucket and sport, with intervals and tiers.
    #[command(after_help = "Example:\n  stratum clv scorecards --preset steam_only")]
    Scorecards(ClvFilter),
    /// Every graded signal.
    #[command(after_help = "Example:\n  stratum clv records --type MOVE --json")]
    Records(ClvFilter),
    /// By day or week.
    #[command(after_help = "Example:\n  stratum clv recap --by week")]
    Recap(RecapArgs),
}

/// Which graded signals.
#[derive(Args, Clone, Debug, Default)]
pub struct ClvFilter {
    /// Which ones.
    #[command(flatten)]
    pub filter: SignalFilter,
    /// Grades of closes that count; several separated by commas. Left out: A and B, of records every one, and those
    /// without a close (`none`) as well.
    #[arg(long, value_name = "GRADE", value_delimiter = ',')]
    pub grades: Vec<String>,
    /// How they are printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum clv recap`
#[derive(Args, Clone, Debug)]
pub struct RecapArgs {
    /// Which signals.
    #[command(flatten)]
    pub clv: ClvFilter,
    /// By day or by week.
    #[arg(long, value_enum, value_name = "GRAIN", default_value = "day")]
    pub by: GrainArg,
}

/// Spans of a recap.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lower")]
#[allow(missing_docs)]
pub enum GrainArg {
    Day,
    Week,
}

/// `stratum close`
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stratum close 'Lakers'\n  stratum close --sport americanfootball_nfl --grade A,B --json"
)]
pub struct CloseArgs {
    /// The event: its number, the provider's id, or a part of a team's name; left out: every event that has started.
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// Only this market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,
    /// Only these grades; several separated by commas. `none`: those without a close.
    #[arg(long, value_name = "GRADE", value_delimiter = ',')]
    pub grade: Vec<String>,
    /// Starts at or after.
    #[arg(long, value_name = "TIME")]
    pub since: Option<AsOf>,
    /// How they are printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum explain`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  stratum explain 3f2a9c41d07be856             a signal, by its id or the beginning of it
  stratum explain clv 3f2a9c41d07be856         its closing line value
  stratum explain fair 12 --market spreads --as-of '2026-01-10 23:30'
  stratum explain fair 12 --market spreads --book draftkings   what that book is judged against
  stratum explain consensus 12 --market totals
  stratum explain opportunity 12 --market h2h
  stratum explain close 12 --market spreads")]
pub struct ExplainArgs {
    /// A signal's id, or what to explain: signal, clv, fair, consensus, opportunity or close.
    #[arg(value_name = "ID|WHAT")]
    pub what: String,
    /// Then the signal's id, or the event: its number, the provider's id, or a part of a team's name.
    #[arg(value_name = "OF")]
    pub of: Option<String>,
    /// The market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,
    /// Fair price: as this book is judged against.
    #[arg(long, value_name = "BOOK")]
    pub book: Option<String>,
    /// As of then. Left out: the newest look.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<AsOf>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum replay`
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stratum replay --check\n  stratum replay --sport americanfootball_nfl --from '2025-11-08 12:00' --check --json"
)]
pub struct ReplayArgs {
    /// From then on. Left out: everything.
    #[arg(long, value_name = "TIME")]
    pub from: Option<AsOf>,
    /// Until then.
    #[arg(long, value_name = "TIME")]
    pub to: Option<AsOf>,
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// Compare with what is stored and report every difference; exit code 1 if there is any.
    #[arg(long)]
    pub check: bool,
    /// With --check: show at most so many differences; all are counted.
    #[arg(long, value_name = "N", default_value = "20")]
    pub show: usize,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum research`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum research fair-check --sport americanfootball_nfl")]
pub struct ResearchArgs {
    /// What to find out.
    #[command(subcommand)]
    pub question: ResearchQuestion,
}

/// What `stratum research` can find out.
#[derive(Subcommand, Debug)]
pub enum ResearchQuestion {
    /// How well the fair price foretells the close, against the plain median of the other books.
    #[command(
        after_help = "Example:\n  stratum research fair-check --sport americanfootball_nfl --hours 3,12,24 --json"
    )]
    FairCheck(FairCheckArgs),
}

/// `stratum research fair-check`
#[derive(Args, Debug)]
pub struct FairCheckArgs {
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// Hours before the start; several separated by commas.
    #[arg(long, value_name = "HOURS", value_delimiter = ',', default_value = "3,12,24")]
    pub hours: Vec<f64>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
