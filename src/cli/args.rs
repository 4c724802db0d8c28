//! The definition of all commands. Handlers live in a file each; nothing here does anything.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::args_alerts::{AlertsArgs, RulesArgs};
use super::args_analysis as analysis;
use super::args_hub::HubArgs;
use super::args_polymarket::PolymarketArgs;
use super::args_service::{KeyArgs, ServiceArgs};
use super::args_watch::WatchArgs;
use super::when::AsOf;
use crate::config::parse_duration;
use crate::feeds::sim::MAX_SPEED;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something went wrong
  2  the arguments were not understood
  3  there is no such event, market or time
  4  another process writes to the store, or a newer version made it
  5  a part of a running daemon was stuck: start it again

Examples:
  stratum demo                       the board over a simulated market: no key, no network
  stratum --daemon                   follow the market without a board
  stratum quotes 'Lakers' --json     what the store knows, for scripts";

/// A market board for sports betting: every quote stored, every number explained.
#[derive(Parser, Debug)]
#[command(name = "stratum", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// Follow the market without a board: fetch, judge, store, until stopped; SIGHUP has it read its settings again.
    #[arg(long)]
    pub daemon: bool,
    /// With --daemon: record every answer to this file; packed if it ends in .zst or .gz.
    #[arg(long, value_name = "FILE", requires = "daemon")]
    pub record: Option<PathBuf>,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command, before or after its name.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Folder for everything that is written: database, logs, cache.
    #[arg(long, global = true, value_name = "DIR", env = "STRATUM_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Settings file.
    #[arg(long, global = true, value_name = "FILE", env = "STRATUM_CONFIG")]
    pub config: Option<PathBuf>,
}

/// All commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the whole pipeline over a simulated market; needs no key and no network.
    Demo(DemoArgs),
    /// Show what is stored, how fresh it is, and what is wrong.
    Status(StatusArgs),
    /// What polling will cost and bring in the next 24 hours, and what it would with other settings.
    Plan(PlanArgs),
    /// Show how the program has done over some days.
    Report(ReportArgs),
    /// List the events in the store.
    Events(EventsArgs),
    /// Show the quotes of an event, now or at an earlier time.
    Quotes(QuotesArgs),
    /// Show every change of a market of an event.
    History(HistoryArgs),
    /// List what the market did: moves, crossings, steam, dislocations.
    Signals(analysis::SignalsArgs),
    /// Show vig-free fair prices: of all books, and without each.
    Fair(analysis::FairArgs),
    /// Show what the board as a whole says.
    Consensus(analysis::ConsensusArgs),
    /// Show what could be taken: positive expectation, arbitrage, middles, low hold.
    Opportunities(analysis::OpportunitiesArgs),
    /// Show closing line value and the record of each type of signal.
    Clv(analysis::ClvArgs),
    /// Show graded closes.
    Close(analysis::CloseArgs),
    /// Show how a number came about.
    Explain(analysis::ExplainArgs),
    /// Run the stored looks through a fresh engine, and compare.
    Replay(analysis::ReplayArgs),
    /// Ask questions of the stored data.
    Research(analysis::ResearchArgs),
    /// The exchange Polymarket beside the books: list, look, link, fill up.
    Polymarket(PolymarketArgs),
    /// The hub of a desk: one feed shared through a hosted PostgreSQL.
    Hub(HubArgs),
    /// Keep watchlists: games, teams, leagues, markets and filters.
    Watch(WatchArgs),
    /// Keep alert rules: what to be told of, and where.
    Rules(RulesArgs),
    /// Show and try what alerts have told.
    Alerts(AlertsArgs),
    /// Read recordings into the store.
    Import(ImportArgs),
    /// Serve a simulated or recorded market over HTTP, as the provider would.
    Sim(SimArgs),
    /// Keep keys of The Odds API: type one without an echo, see which there are.
    Key(KeyArgs),
    /// Let the system run the daemon for you: systemd or launchd.
    Service(ServiceArgs),
    /// Show what a bug report needs.
    Doctor(DoctorArgs),
    /// Show, find or write the settings.
    Config(ConfigArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man(ManArgs),
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct OutputArgs {
    /// Print a JSON array of flat objects.
    #[arg(long)]
    pub json: bool,
}

/// `stratum demo`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum demo --headless --for 60s --seed 7 --record demo.jsonl.zst")]
pub struct DemoArgs {
    /// Run without a board and print what happened at the end.
    #[arg(long)]
    pub headless: bool,
    /// Stop after this time.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub for_: Option<Duration>,
    /// The same seed gives the same market.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Scenario to play: a name, or a file.
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Record every answer to this file; packed if it ends in .zst or .gz.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// How the summary is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum status`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum status --json")]
pub struct StatusArgs {
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum plan`
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  stratum plan\n  stratum plan --what-if monthly=100000 --what-if credits.daily_target=0\n  \
                        stratum plan --what-if remaining=800 --what-if odds_api.markets=h2h"
)]
pub struct PlanArgs {
    /// Plan as if a setting had this value, or as if this many credits were left (`remaining`) or held in a month
    /// (`monthly`). May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub what_if: Vec<String>,
    /// Print every call too.
    #[arg(long)]
    pub calls: bool,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum report`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum report --days 7")]
pub struct ReportArgs {
    /// Days to look back.
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Until then: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub until: Option<AsOf>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum events`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum events --sport basketball_nba --as-of now-2h")]
pub struct EventsArgs {
    /// Only this sport, by its key.
    #[arg(long, value_name = "SPORT")]
    pub sport: Option<String>,
    /// As of then: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<AsOf>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum quotes`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum quotes 'Lakers' --market spreads --as-of '2026-01-10 23:30'")]
pub struct QuotesArgs {
    /// The event: its number, the provider's id, or a part of a team's name.
    #[arg(value_name = "EVENT")]
    pub event: String,
    /// As of then: RFC 3339, `YYYY-MM-DD HH:MM` (UTC), now, or such as now-2h.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<AsOf>,
    /// Only this market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,
    /// Only this book, by its key.
    #[arg(long, value_name = "BOOK")]
    pub book: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum history`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum history 'Lakers' --market spreads --book pinnacle --json")]
pub struct HistoryArgs {
    /// The event: its number, the provider's id, or a part of a team's name.
    #[arg(value_name = "EVENT")]
    pub event: String,
    /// The market, such as h2h, spreads or totals.
    #[arg(long, value_name = "MARKET")]
    pub market: String,
    /// Only this book, by its key.
    #[arg(long, value_name = "BOOK")]
    pub book: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum import`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum import recordings/ nfl_week10.jsonl.zst")]
pub struct ImportArgs {
    /// Recordings, or folders of them; read together in the order of time.
    #[arg(value_name = "PATH", required = true, num_args = 1..)]
    pub paths: Vec<PathBuf>,
    /// How the summary is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum sim`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum sim --recording nfl_week10.jsonl.zst --speed 60 --port 8080")]
pub struct SimArgs {
    /// Play this recording instead of making up a market.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "seed"])]
    pub recording: Option<PathBuf>,
    /// How many times faster than real time, in whole numbers; the scenario's own when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SPEED)))]
    pub speed: Option<u32>,
    /// Port on this machine; 0 takes a free one and prints it.
    #[arg(long, value_name = "PORT", default_value = "0")]
    pub port: u16,
    /// Scenario to play: a name, or a file.
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// The same seed gives the same market.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// `stratum doctor`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum doctor --json > report.json")]
pub struct DoctorArgs {
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `stratum config`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stratum config show")]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What `stratum config` can do.
#[derive(Subcommand, Debug)]
pub enum ConfigAction {
    /// Print every setting in force and where it came from; secrets as ***.
    #[command(after_help = "Example:\n  stratum config show --json")]
    Show(OutputArgs),
    /// Print the path of the settings file, whether or not it is there.
    #[command(after_help = "Example:\n  $EDITOR \"$(stratum config path)\"")]
    Path,
    /// Write a settings file that lists and explains everything.
    #[command(after_help = "Example:\n  stratum config init")]
    Init(ConfigInitArgs),
}

/// `stratum config init`
#[derive(Args, Clone, Copy, Debug)]
pub struct ConfigInitArgs {
    /// Print it instead.
    #[arg(long)]
    pub stdout: bool,
    /// Replace a file that is there; it is kept beside with `.old` behind its name.
    #[arg(long, conflicts_with = "stdout")]
    pub force: bool,
}

/// `stratum completions`
#[derive(Args, Clone, Copy, Debug)]
#[command(after_help = "Example:\n  stratum completions bash > ~/.local/share/bash-completion/completions/stratum")]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Shells with completions.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lower")]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    PowerShell,
    Zsh,
}

/// `stratum man`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  stratum man > stratum.1\n  stratum man --dir man/")]
pub struct ManArgs {
    /// Write a page for each command into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(d) if !d.is_zero() => Ok(d),
        _ => Err("expected a duration such as 60s, 15m or 2h".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("stratum").chain(args.iter().copied()))
    }

    #[test]
    fn the_definition_is_sound_and_every_command_has_an_example() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        command.build();
        let mut open = vec![&command];
        while let Some(c) = open.pop() {
            open.extend(c.get_subcommands());
            let help = c.get_after_help().map(ToString::to_string).unwrap_or_default();
            if !is_below_help(&command, c) {
                assert!(help.contains("Example"), "{}", c.get_name());
                assert!(c.get_about().is_some(), "{}", c.get_name());
            }
        }
    }

    fn is_below_help(root: &clap::Command, c: &clap::Command) -> bool {
        fn within(at: &clap::Command, c: &clap::Command) -> bool {
            std::ptr::eq(at, c) || at.get_subcommands().any(|s| within(s, c))
        }
        fn any_help(at: &clap::Command, c: &clap::Command) -> bool {
            at.get_subcommands().any(|s| if s.get_name() == "help" { within(s, c) } else { any_help(s, c) })
        }
        any_help(root, c)
    }

    #[test]
    fn global_options_go_before_and_after() {
        for args in [
            &["--data-dir", "/x", "doctor"][..],
            &["doctor", "--data-dir", "/x"],
            &["config", "show", "--data-dir", "/x"],
        ] {
            assert_eq!(parse(args).expect("parses").global.data_dir.as_deref(), Some(std::path::Path::new("/x")));
        }
        assert!(parse(&["--daemon"]).expect("parses").daemon);
        assert!(parse(&[]).expect("parses").command.is_none());
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for args in [
            &["demo", "--for", "60"][..],
            &["demo", "--for", "0s"],
            &["sim", "--speed", "0"],
            &["sim", "--speed", "NaN"],
            &["sim", "--speed", "1.5"],
            &["sim", "--speed", "3601"],
            &["sim", "--recording", "a", "--seed", "1"],
            &["history", "x"],
            &["quotes"],
            &["quotes", "x", "--as-of", "soon"],
            &["import"],
            &["completions", "cmd"],
            &["nothing"],
        ] {
            assert!(parse(args).is_err(), "{args:?}");
        }
        assert!(parse(&["quotes", "x", "--as-of", "now-2h", "--market", "h2h", "--json"]).is_ok());
    }
}
