//! `stratum polymarket backfill`: middles of the past into the store.
//!
//! Games that were over before anybody listened are found by their series first. Everything is asked for in explicit
//! windows, kept window by window, and never twice; what cannot be had is named and left for the next time.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{Place, runtime, warn};
use crate::cli::args_polymarket::BackfillArgs;
use crate::cli::output::{Align, Table, json_array, printable};
use crate::cli::{Exit, Failure, look, show};
use crate::config::make_private;
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::client::{Client, ListQuery, MAX_HISTORIES};
use crate::feeds::polymarket::discovery::{self, Listing};
use crate::market::time::Timestamp;
use crate::runtime::exchange::history::{self, Missing};
use crate::runtime::exchange::{HistoryConfig, NewPrices, rows};
use crate::runtime::stop::StopFlag;
use crate::store::exchange::NewListing;
use crate::store::{Reader, Store, StoreError};

/// The nominal end of a listing lies so long around the start of its game. Milliseconds.
const END_AROUND: (i64, i64) = (-2 * 86_400_000, 15 * 86_400_000);
/// Failures in a row after which nothing more is asked.
const GIVE_UP: usize = 3;
/// Windows that are listed; the rest is counted.
const LISTED: usize = 40;

/// What it came to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
struct Summary {
    /// Games in the window that the store did not have.
    new_games: usize,
    /// Windows that were missing.
    missing: usize,
    /// Of those: asked for with success.
    windows: usize,
    /// Of those: without any middle.
    empty: usize,
    /// New middles.
    points: u64,
    failed: Vec<Failed>,
    /// Asked to stop before the end.
    stopped: bool,
}

/// Windows that could not be had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Failed {
    contract: String,
    from: Timestamp,
    to: Timestamp,
    why: String,
}

/// A window that is missing, for `--dry-run`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct WindowRow {
    contract: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// The store has the game; otherwise it is found now.
    known: bool,
}

/// Runs it.
pub(super) fn run(place: &Place, args: &BackfillArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = look::now();
    let games = (args.from.at(now), args.to.at(now));
    if games.0 >= games.1 {
        return Err(Failure::Usage(format!("--from {} does not lie before --to {}", games.0, games.1)));
    }
    let sports = place.sports(args.sport.as_deref())?;
    let config = HistoryConfig { spreads: args.spreads, totals: args.totals, games, minutes: args.minutes };
    let client = place.client()?;
    if args.dry_run {
        return dry_run(place, args, &client, &sports, &config, now, out);
    }
    let mut store = writer(place)?;
    let stop = StopFlag::listen()?;
    let runtime = runtime()?;
    let found = runtime.block_on(discover(&client, &sports, games))?;
    let reader = store.reader()?;
    let known = slugs(&reader, games)?;
    let new: Vec<NewListing> = found.iter().map(rows::listing).collect();
    store.keep_listings(SOURCE, &new, now)?;
    let lacking = of_sports(history::missing(&reader, &config, now)?, &reader, &sports, games)?;
    let mut summary = Summary {
        new_games: new.iter().filter(|n| !known.contains(&n.listing.slug)).count(),
        missing: lacking.len(),
        ..Summary::default()
    };
    fetch(&mut store, &client, &runtime, &lacking, args.minutes, &stop, &mut summary, now);
    if args.output.json {
        json_array(out, [&summary])?;
    } else {
        print(out, &summary)?;
    }
    out.flush()?;
    end(&summary)
}

/// The store, for writing.
fn writer(place: &Place) -> Result<Store, Failure> {
    if let Some(folder) = place.store.parent() {
        make_private(folder)?;
    }
    Store::open(&place.store).map_err(|e| match e {
        StoreError::Locked { .. } => Failure::StoreUnavailable(format!(
            "{e}; a daemon or board that listens fetches the moneylines by itself every {} (polymarket.history); stop it \
             to fetch here",
            crate::config::format_duration(place.settings.polymarket.history)
        )),
        e => e.into(),
    })
}

/// The names of the games that the store has.
fn slugs(reader: &Reader, games: (Timestamp, Timestamp)) -> Result<BTreeSet<String>, StoreError> {
    Ok(reader.exchange_games(SOURCE, games.0, games.1)?.into_iter().map(|g| g.listing.slug).collect())
}

/// Of these, those of the sports that are meant.
fn of_sports(
    lacking: Vec<Missing>,
    reader: &Reader,
    sports: &[String],
    games: (Timestamp, Timestamp),
) -> Result<Vec<Missing>, StoreError> {
    let meant: BTreeSet<i64> = reader
        .exchange_games(SOURCE, games.0, games.1)?
        .into_iter()
        .filter(|g| sports.contains(&g.listing.sport))
        .flat_map(|g| g.markets.into_iter().map(|m| m.contract.id))
        .collect();
    Ok(lacking.into_iter().filter(|m| meant.contains(&m.market)).collect())
}

/// The games that start in the window, over or not.
async fn discover(client: &Client, sports: &[String], games: (Timestamp, Timestamp)) -> Result<Vec<Listing>, Failure> {
    let mut all: Vec<Listing> = Vec::new();
    let (leagues, _) = discovery::leagues(client, sports).await?;
    for league in &leagues {
        for closed in [true, false] {
            let query = ListQuery {
                series: Some(league.series.clone()),
                closed: Some(closed),
                end_from: Some(games.0.plus(END_AROUND.0)),
                end_to: Some(games.1.plus(END_AROUND.1)),
                ..ListQuery::default()
            };
            let found = discovery::listings(client, league, &query).await?;
            if found.cut_short.is_some() {
                warn(&format!("{}: the listing is not complete", league.name));
            }
            let within = |l: &Listing| l.start.is_some_and(|start| start >= games.0 && start <= games.1);
            all.extend(found.listings.into_iter().filter(within));
        }
    }
    all.sort_by(|a, b| (a.start, &a.slug).cmp(&(b.start, &b.slug)));
    all.dedup_by(|a, b| a.event_id == b.event_id);
    Ok(all)
}

/// Asks for what is missing, as much at once as goes into one question. Ends after some failures in a row, or when it is
/// asked to; what was kept until then stays.
#[allow(clippy::too_many_arguments, reason = "one caller; each is another thing")]
fn fetch(
    store: &mut Store,
    client: &Client,
    runtime: &tokio::runtime::Runtime,
    lacking: &[Missing],
    minutes: u32,
    stop: &StopFlag,
    summary: &mut Summary,
    now: Timestamp,
) {
    let bar = bar(lacking.len());
    let mut sorted: Vec<&Missing> = lacking.iter().collect();
    sorted.sort_by_key(|m| (m.between, m.market));
    let mut in_a_row = 0;
    for group in sorted.chunk_by(|a, b| a.between == b.between).flat_map(|group| group.chunks(MAX_HISTORIES)) {
        if stop.is_set() {
            summary.stopped = true;
            break;
        }
        let some: Vec<Missing> = group.iter().map(|m| (*m).clone()).collect();
        let mut fail = |why: String| {
            let failed = some.iter().map(|m| Failed {
                contract: m.slug.clone(),
                from: m.between.0,
                to: m.between.1,
                why: why.clone(),
            });
            summary.failed.extend(failed);
        };
        if in_a_row >= GIVE_UP {
            fail("not asked any more after the failures before".to_owned());
            continue;
        }
        let keep = |prices: NewPrices| {
            let kept = store.keep_prices(prices.market, prices.between, &prices.points, prices.at);
            std::future::ready(kept.map_err(|e| e.to_string()))
        };
        match runtime.block_on(history::fetch(client, &some, minutes, keep, |_| {}, now)) {
            Ok(done) => {
                in_a_row = 0;
                summary.windows += done.windows;
                summary.empty += done.empty;
                summary.points += done.points;
            }
            Err(e) => {
                in_a_row += 1;
                fail(e.to_string());
            }
        }
        if let Some(bar) = &bar {
            bar.set_position((summary.windows + summary.failed.len()) as u64);
            bar.set_message(format!("{} middles", summary.points));
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// A bar on the standard error, if that is a terminal.
fn bar(of: usize) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} windows  {msg}  {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar
    })
}

fn print(out: &mut dyn Write, s: &Summary) -> Result<(), Failure> {
    let mut row = |name: &str, value: String| writeln!(out, "{name:<10}  {value}");
    row("new games", s.new_games.to_string())?;
    row("windows", format!("{} of {}", s.windows, s.missing))?;
    row("empty", s.empty.to_string())?;
    row("points", s.points.to_string())?;
    row("failed", s.failed.len().to_string())?;
    Ok(())
}

/// What ends badly says so, window by window.
fn end(s: &Summary) -> Result<Exit, Failure> {
    for f in s.failed.iter().take(LISTED) {
        warn(&format!("{} from {} to {}: {}", f.contract, show::minute(f.from), show::minute(f.to), f.why));
    }
    if s.failed.len() > LISTED {
        warn(&format!("and {} more windows", s.failed.len() - LISTED));
    }
    if s.stopped {
        return Err(Failure::Other("stopped; run the same command again to go on".into()));
    }
    if s.failed.is_empty() {
        return Ok(Exit::Ok);
    }
    Err(Failure::Other(format!(
        "{} of {} windows could not be had; run the same command again to ask for them",
        s.failed.len(),
        s.missing
    )))
}

fn dry_run(
    place: &Place,
    args: &BackfillArgs,
    client: &Client,
    sports: &[String],
    config: &HistoryConfig,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let found = runtime()?.block_on(discover(client, sports, config.games))?;
    let (mut windows, known) = match Reader::open(&place.store) {
        Ok(reader) => {
            let lacking = of_sports(history::missing(&reader, config, now)?, &reader, sports, config.games)?;
            let row = |m: Missing| WindowRow {
                contract: m.slug,
                from: Some(m.between.0),
                to: Some(m.between.1),
                known: true,
            };
            (lacking.into_iter().map(row).collect::<Vec<_>>(), slugs(&reader, config.games)?)
        }
        Err(StoreError::Missing { .. }) => (Vec::new(), BTreeSet::new()),
        Err(e) => return Err(e.into()),
    };
    let unknown: Vec<NewListing> =
        found.iter().map(rows::listing).filter(|n| !known.contains(&n.listing.slug)).collect();
    for new in &unknown {
        let wanted = new.contracts.iter().filter(|c| match c.kind.as_str() {
            "moneyline" | "three_way_leg" => true,
            "spread" => config.spreads,
            "total" => config.totals,
            _ => false,
        });
        windows.extend(wanted.map(|c| WindowRow { contract: c.slug.clone(), from: None, to: None, known: false }));
    }
    if args.output.json {
        json_array(out, &windows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new([
        ("CONTRACT", Align::Left),
        ("FROM (UTC)", Align::Left),
        ("TO (UTC)", Align::Left),
        ("GAME", Align::Left),
    ]);
    for w in windows.iter().take(LISTED) {
        let time = |at: Option<Timestamp>| at.map_or_else(|| show::NONE.to_owned(), show::minute);
        table.row([w.contract.clone(), time(w.from), time(w.to), if w.known { "known" } else { "new" }.to_owned()]);
    }
    if !table.is_empty() {
        table.print(out)?;
    }
    if windows.len() > LISTED {
        writeln!(out, "and {} more", windows.len() - LISTED)?;
    }
    writeln!(
        out,
        "{} windows are missing; {} games are new to {}",
        windows.len(),
        unknown.len(),
        printable(&place.store.display().to_string())
    )?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_named_and_is_a_failure() {
        let mut summary = Summary { missing: 2, windows: 1, points: 60, ..Summary::default() };
        assert_eq!(end(&summary).ok(), Some(Exit::Ok));
        let at = Timestamp::from_secs(1_800_000_000);
        summary.failed.push(Failed { contract: "nba-a-b-2026-11-20".into(), from: at, to: at, why: "busy".into() });
        assert!(end(&summary).is_err_and(|e| e.to_string().starts_with("1 of 2 windows could not be had")));
        summary.stopped = true;
        assert!(end(&summary).is_err_and(|e| e.to_string().contains("again to go on")));
        let mut text = Vec::new();
        print(&mut text, &summary).expect("printed");
        assert!(String::from_utf8(text).expect("text").contains("windows     1 of 2\n"));
    }
}
