//! `stratum polymarket shift`: how far the exchange usually stands from the books, measured on the store.

use std::io::Write;

use super::{OVER_MS, Place, market_now};
use crate::cli::args_polymarket::ShiftArgs;
use crate::cli::cells::or_none;
use crate::cli::output::{Align, Table, label, stored_rows};
use crate::cli::{Exit, Failure};
use crate::feeds::polymarket::SOURCE;
use crate::research::exchange_shift::{ShiftQuestion, ShiftRow, exchange_shift};
use crate::runtime::settings::engine_settings;

const DAY_MS: i64 = 86_400_000;

/// Runs it.
pub(super) fn run(place: &Place, args: &ShiftArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let sport = match &args.sport {
        Some(_) => place.sports(args.sport.as_deref())?.into_iter().next(),
        None => None,
    };
    let now = market_now(&reader)?;
    let games = (now.plus(-i64::from(args.days) * DAY_MS), now.plus(OVER_MS));
    let engine = engine_settings(&place.settings);
    let rows = exchange_shift(&reader, &ShiftQuestion { exchange: SOURCE, sport, games, now, engine })?;
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    if rows.is_empty() {
        let none = reader.exchange_totals(SOURCE)?.is_empty();
        let why = "no linked game has both a middle and a fair price in the last 24 hours before its start";
        writeln!(out, "{}", if none { place.nothing_stored() } else { why.to_owned() })?;
        return Ok(Exit::Ok);
    }
    table(&rows).print(out)?;
    if let Some(line) = setting(&rows) {
        writeln!(out, "\nFor the settings; nothing is applied by itself:\n\n[exchange_divergence]\n{line}")?;
    }
    Ok(Exit::Ok)
}

fn table(rows: &[ShiftRow]) -> Table {
    let mut table = Table::new([
        ("SPORT", Align::Left),
        ("MARKET", Align::Left),
        ("GAMES", Align::Right),
        ("PAIRS", Align::Right),
        ("MEDIAN", Align::Right),
        ("10 %", Align::Right),
        ("90 %", Align::Right),
        ("LONG SHOT COSTS", Align::Right),
        ("FAVOURITE COSTS", Align::Right),
    ]);
    for r in rows {
        table.row([
            r.sport.clone(),
            r.market.clone(),
            r.games.to_string(),
            r.pairs.to_string(),
            probability(r.median),
            probability(r.low),
            probability(r.high),
            or_none(r.long_shot, probability),
            or_none(r.favourite, probability),
        ]);
    }
    table
}

/// With its sign, never `-0.0000`.
fn probability(x: f64) -> String {
    let text = format!("{x:+.4}");
    if text == "-0.0000" { "+0.0000".to_owned() } else { text }
}

/// The line for the settings: of who wins, the one question that is the same in every sport.
fn setting(rows: &[ShiftRow]) -> Option<String> {
    let parts: Vec<String> = rows
        .iter()
        .filter(|r| r.market == "h2h")
        .map(|r| format!("{} = {:.4}", r.sport, (r.median * 1e4).round() / 1e4 + 0.0))
        .collect();
    (!parts.is_empty()).then(|| format!("shift = {{ {} }}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sport: &str, market: &str, median: f64) -> ShiftRow {
        ShiftRow {
            sport: sport.into(),
            market: market.into(),
            games: 3,
            pairs: 120,
            median,
            low: -0.012,
            high: 0.004,
            long_shot: Some(0.021),
            favourite: None,
        }
    }

    #[test]
    fn the_line_can_be_put_into_the_settings() {
        let rows = [
            row("basketball_nba", "h2h", -0.004_04),
            row("basketball_nba", "totals", 0.5),
            row("icehockey_nhl", "h2h", -0.000_001),
        ];
        let line = setting(&rows).expect("line");
        assert_eq!(line, "shift = { basketball_nba = -0.0040, icehockey_nhl = 0.0000 }");
        let read: toml::Value = toml::from_str(&format!("[exchange_divergence]\n{line}")).expect("settings");
        assert_eq!(read["exchange_divergence"]["shift"]["basketball_nba"].as_float(), Some(-0.004));
        assert_eq!(setting(&rows[1..2]), None);
    }

    #[test]
    fn the_table_has_signs() {
        let mut text = Vec::new();
        table(&[row("basketball_nba", "h2h", -0.000_001)]).print(&mut text).expect("printed");
        let text = String::from_utf8(text).expect("text");
        let cells: Vec<&str> = text.lines().nth(1).expect("row").split_whitespace().collect();
        assert_eq!(cells[4..], ["+0.0000", "-0.0120", "+0.0040", "+0.0210", "-"]);
    }
}
