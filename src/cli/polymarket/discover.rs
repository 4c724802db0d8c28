//! `stratum polymarket discover`: what Polymarket lists now.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::{Place, runtime, warn};
use crate::cli::args_polymarket::DiscoverArgs;
use crate::cli::output::{Align, Table, json_array};
use crate::cli::{Exit, Failure, show};
use crate::feeds::polymarket::discovery::{self, CutShort, Found, League, Listing};
use crate::market::time::Timestamp;

/// Defects that are told one by one; the rest is counted.
const TOLD: usize = 10;

/// A game as it is listed.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct GameRow {
    slug: String,
    sport: &'static str,
    title: String,
    /// The first of the title first.
    teams: Option<[String; 2]>,
    start: Option<Timestamp>,
    live: bool,
    over: bool,
    contracts: usize,
    /// How many of each kind.
    kinds: BTreeMap<&'static str, usize>,
    tradable: usize,
    /// Of the first contract that cannot be traded.
    why_not: Option<&'static str>,
    /// Dollars traded.
    volume: Option<f64>,
    /// Dollars offered.
    liquidity: Option<f64>,
}

impl GameRow {
    fn of(l: &Listing) -> Self {
        let mut kinds = BTreeMap::new();
        for market in &l.markets {
            *kinds.entry(market.contract.kind.name()).or_default() += 1;
        }
        Self {
            slug: l.slug.as_str().to_owned(),
            sport: l.sport,
            title: l.title.clone(),
            teams: l.teams.clone(),
            start: l.start,
            live: l.live,
            over: l.over,
            contracts: l.markets.len(),
            kinds,
            tradable: l.markets.iter().filter(|m| m.tradable.is_ok()).count(),
            why_not: l.markets.iter().find_map(|m| m.tradable.err()),
            volume: l.volume,
            liquidity: l.liquidity,
        }
    }

    /// `12 of 13`, or why none can be traded.
    fn tradable(&self) -> String {
        match (self.tradable, self.contracts, self.why_not) {
            (0, 0, _) => "no contracts".to_owned(),
            (0, _, Some(why)) => why.to_owned(),
            (some, all, _) if some == all => "all".to_owned(),
            (some, all, why) => format!("{some} of {all} ({})", why.unwrap_or("unknown")),
        }
    }
}

/// Runs it. A league that cannot be read does not keep the others from being shown, and is a failure at the end.
pub(super) fn run(place: &Place, args: &DiscoverArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let sports = place.sports(args.sport.as_deref())?;
    let client = place.client()?;
    let (leagues, found) = runtime()?.block_on(async {
        let (leagues, defects) = discovery::leagues(&client, &sports).await?;
        let mut found = vec![(None, Ok(Found { defects, ..Found::default() }))];
        for league in &leagues {
            found.push((Some(league.name.clone()), discovery::games(&client, league).await));
        }
        Ok::<_, Failure>((leagues, found))
    })?;
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for (league, found) in &found {
        let league = league.as_deref().unwrap_or("the list of leagues");
        match found {
            Ok(found) => {
                complain(league, found);
                rows.extend(found.listings.iter().map(GameRow::of));
            }
            Err(e) => failed.push(format!("{league}: {e}")),
        }
    }
    rows.sort_by(|a, b| {
        (a.sport, a.start.is_none(), a.start, &a.slug).cmp(&(b.sport, b.start.is_none(), b.start, &b.slug))
    });
    if args.output.json {
        json_array(out, &rows)?;
    } else {
        print(out, &rows, &leagues)?;
    }
    out.flush()?;
    if failed.is_empty() { Ok(Exit::Ok) } else { Err(Failure::Other(failed.join("; "))) }
}

/// What could not be read goes to the standard error.
fn complain(league: &str, found: &Found) {
    for defect in found.defects.iter().take(TOLD) {
        warn(&format!("{league}: {defect}"));
    }
    match found.defects.len().saturating_sub(TOLD) {
        0 => {}
        n => warn(&format!("{league}: and {n} more that could not be read")),
    }
    if let Some(short) = found.cut_short {
        let why = match short {
            CutShort::Repeats => "its pages repeat",
            CutShort::TooLong => "it does not end",
            CutShort::OffsetTooLarge => "the rest is not served by offset",
        };
        warn(&format!("{league}: the listing is not complete: {why}"));
    }
}

fn print(out: &mut dyn Write, rows: &[GameRow], leagues: &[League]) -> Result<(), Failure> {
    let mut table = Table::new([
        ("SLUG", Align::Left),
        ("TITLE", Align::Left),
        ("START (UTC)", Align::Left),
        ("CONTRACTS", Align::Left),
        ("VOLUME $", Align::Right),
        ("TRADABLE", Align::Left),
    ]);
    for row in rows {
        let kinds: Vec<String> = row.kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        table.row([
            row.slug.clone(),
            row.title.clone(),
            row.start.map_or_else(|| show::NONE.to_owned(), show::minute),
            kinds.join(", "),
            row.volume.map_or_else(|| show::NONE.to_owned(), |v| format!("{v:.0}")),
            row.tradable(),
        ]);
    }
    if !table.is_empty() {
        table.print(out)?;
        writeln!(out)?;
    }
    let contracts: usize = rows.iter().map(|r| r.contracts).sum();
    let tradable: usize = rows.iter().map(|r| r.tradable).sum();
    writeln!(
        out,
        "{} games of {} leagues, {contracts} contracts, {tradable} of them can be traded",
        rows.len(),
        leagues.len()
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tradable: usize, contracts: usize, why_not: Option<&'static str>) -> String {
        let row = GameRow {
            slug: String::new(),
            sport: "basketball_nba",
            title: String::new(),
            teams: None,
            start: None,
            live: false,
            over: false,
            contracts,
            kinds: BTreeMap::new(),
            tradable,
            why_not,
            volume: None,
            liquidity: None,
        };
        row.tradable()
    }

    #[test]
    fn it_says_why_nothing_can_be_traded() {
        assert_eq!(row(0, 0, None), "no contracts");
        assert_eq!(row(3, 3, None), "all");
        assert_eq!(row(0, 3, Some("it is closed")), "it is closed");
        assert_eq!(row(1, 3, Some("it is closed")), "1 of 3 (it is closed)");
    }
}
