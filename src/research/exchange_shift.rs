//! How far does an exchange usually stand from the books? Its middle less the vig-free fair price of the books without it,
//! every quarter of an hour of the last day before the start, by sport and market.
//!
//! The fair price is worked out anew from the quotes of each instant: the published one has the exchange among its voters.
//!
//! Part of that distance is convention and no opinion: a middle is not a vig-free price, and long shots are dear there.
//! Each game counts once, by its median, so that one long game does not rule. What is measured is told, not applied.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser, FairPrice};
use crate::feeds::polymarket::classify::same_team;
use crate::feeds::polymarket::fee::FeeSchedule;
use crate::market::line::Line;
use crate::market::time::Timestamp;
use crate::store::exchange::{BookRow, BookState, ContractRow, ExchangeGame, LinkState, PricePoint};
use crate::store::{Reader, StoreError};

/// Between two comparisons. Milliseconds.
const STEP: i64 = 15 * 60_000;
/// From so long before the start on. Milliseconds.
const BEFORE: i64 = 24 * 3_600_000;
/// A book that did not change for longer may be none of today's: nobody may have listened. Milliseconds.
const HOLDS: i64 = 60 * 60_000;
/// The same for middles of the past, which come by the minute. Milliseconds.
const POINT_HOLDS: i64 = 15 * 60_000;
/// Books of a day, at most.
const MOST: u32 = 500_000;

/// What to measure.
#[derive(Clone, PartialEq, Debug)]
pub struct ShiftQuestion {
    /// The exchange, such as `polymarket`.
    pub exchange: &'static str,
    /// Sport key; `None`: every sport.
    pub sport: Option<String>,
    /// Games that start between these.
    pub games: (Timestamp, Timestamp),
    /// Nothing later is looked at.
    pub now: Timestamp,
    /// The rules by which a fair price is made.
    pub engine: EngineSettings,
}

/// The result for one sport and market.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShiftRow {
    /// Sport key.
    pub sport: String,
    /// Market key.
    pub market: String,
    /// Games.
    pub games: usize,
    /// Instants at which both had a price.
    pub pairs: usize,
    /// Median over games of the middle less the fair price, of the home team or Over.
    pub median: f64,
    /// A tenth of the games lies below.
    pub low: f64,
    /// A tenth of the games lies above.
    pub high: f64,
    /// Median over games of what the side that the books hold for less likely costs, fee included, less its fair price.
    pub long_shot: Option<f64>,
    /// The same of the other side.
    pub favourite: Option<f64>,
}

/// What one instant says.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pair {
    delta: f64,
    /// Cost less fair price: of the long shot, of the favourite.
    costs: [Option<f64>; 2],
}

/// What the exchange says of the first side at an instant.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Told {
    middle: f64,
    /// Cost of the first side and of the rest, fee included.
    costs: [Option<f64>; 2],
}

/// What a contract is among the questions of our game.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seat {
    market: &'static str,
    /// The first outcome is the first side.
    first: bool,
    /// As the first side sees it.
    line: Option<Line>,
    /// Of three results.
    leg: bool,
}

/// Measures.
///
/// # Errors
/// [`StoreError`].
pub fn exchange_shift(reader: &Reader, question: &ShiftQuestion) -> Result<Vec<ShiftRow>, StoreError> {
    let mut appraiser = Appraiser::new(question.engine.clone(), reader.names()?);
    let mut by_market: BTreeMap<(String, &'static str), Vec<Vec<Pair>>> = BTreeMap::new();
    for game in reader.exchange_games(question.exchange, question.games.0, question.games.1)? {
        let sport = game.listing.sport.clone();
        if question.sport.as_ref().is_some_and(|s| *s != sport) {
            continue;
        }
        for (market, pairs) in of_game(reader, &mut appraiser, question.exchange, &game, question.now)? {
            by_market.entry((sport.clone(), market)).or_default().push(pairs);
        }
    }
    Ok(by_market.into_iter().filter_map(|((sport, market), games)| row(sport, market, &games)).collect())
}

/// The pairs of one game, by market.
fn of_game(
    reader: &Reader,
    appraiser: &mut Appraiser,
    exchange: &str,
    game: &ExchangeGame,
    now: Timestamp,
) -> Result<BTreeMap<&'static str, Vec<Pair>>, StoreError> {
    let mut found: BTreeMap<&'static str, Vec<Pair>> = BTreeMap::new();
    let (Some(start), Some(link)) = (game.listing.starts, &game.link) else { return Ok(found) };
    let (Some(event), Some(home_first), LinkState::Linked) = (link.event, link.home_first, link.state) else {
        return Ok(found);
    };
    let (from, to) = (start.plus(-BEFORE), start.min(now));
    if from > to {
        return Ok(found);
    }
    let mut said: BTreeMap<Timestamp, Vec<(Seat, Told)>> = BTreeMap::new();
    for market in &game.markets {
        let Some(seat) = seat(&market.contract, game.listing.teams.as_ref(), home_first) else { continue };
        let books = reader.exchange_books(market.contract.id, from, to, MOST)?;
        let prices = reader.exchange_prices(market.contract.id, from.plus(-POINT_HOLDS), to)?;
        let fee = market.contract.fee_rate.and_then(|rate| FeeSchedule::new(rate, 1.0, true, 0.0));
        // Counted back from the end: of a game that is ahead, now is looked at too.
        let mut at = to;
        while at >= from {
            if let Some(told) = told(&books, &prices, at, &seat, fee) {
                said.entry(at).or_default().push((seat, told));
            }
            at = at.plus(-STEP);
        }
    }
    for (at, told) in said {
        let Some(then) = reader.event_as_of(event, at)? else { continue };
        let appraisals = appraiser.event(then.row, then.quotes, at, &[]);
        for (seat, told) in told {
            let of_books =
                appraisals.iter().find(|a| a.market == seat.market && a.subject.is_none() && a.key.line.is_none());
            let fair = of_books.and_then(|a| without(a, exchange)).and_then(|fair| first_side(fair, &seat));
            if let Some(fair) = fair {
                found.entry(seat.market).or_default().push(pair(fair, told));
            }
        }
    }
    Ok(found)
}

fn pair(fair: f64, told: Told) -> Pair {
    let [first, rest] = told.costs;
    let over = [first.map(|c| c - fair), rest.map(|c| c - (1.0 - fair))];
    // At even money neither is the long shot; the first counts as the favourite.
    let costs = if fair < 0.5 { over } else { [over[1], over[0]] };
    Pair { delta: told.middle - fair, costs }
}

/// The newest of `rows`, which are in the order of time, that holds at `at`.
fn as_of<T>(rows: &[T], at: Timestamp, time: impl Fn(&T) -> Timestamp) -> Option<&T> {
    rows.get(rows.partition_point(|r| time(r) <= at).checked_sub(1)?)
}

/// The fair price without the exchange; where it did not quote, that of all.
fn without<'a>(appraisal: &'a Appraisal, exchange: &str) -> Option<&'a FairPrice> {
    match appraisal.books.iter().find(|b| b.book == exchange) {
        Some(part) => part.without.as_ref(),
        None => appraisal.fair.as_ref(),
    }
}

/// The fair probability of the first side, where it is of the same question.
fn first_side(fair: &FairPrice, seat: &Seat) -> Option<f64> {
    let first = fair.sides.first()?;
    let line = first.at_line.and_then(Line::from_points);
    // Two results are not compared with three.
    let same = line == seat.line && (fair.sides.len() == 3) == seat.leg;
    let p = first.fair_probability;
    (same && p > 0.0 && p < 1.0).then_some(p)
}

/// What the exchange said at `at`: its book, else, where no book is known, what it told of the past.
fn told(
    books: &[BookRow],
    prices: &[PricePoint],
    at: Timestamp,
    seat: &Seat,
    fee: Option<FeeSchedule>,
) -> Option<Told> {
    let turned = |p: f64| if seat.first { p } else { 1.0 - p };
    if let Some(book) = as_of(books, at, |b| b.at).filter(|b| at.since(b.at) <= HOLDS) {
        let middle = book.middle.filter(|_| book.state == BookState::Live)?;
        let cost = |p: Option<f64>| p.zip(fee).map(|(p, fee)| fee.cost(p));
        let first = cost(book.ask().map(|l| l.probability()));
        let rest = cost(book.bid().map(|l| 1.0 - l.probability()));
        let costs = if seat.first { [first, rest] } else { [rest, first] };
        return Some(Told { middle: turned(middle), costs });
    }
    let point = as_of(prices, at, |p| p.at).filter(|p| at.since(p.at) <= POINT_HOLDS)?;
    Some(Told { middle: turned(point.price), costs: [None, None] })
}

/// What a contract is in a game of ours; `None`: nothing that is compared, or it cannot be told.
fn seat(c: &ContractRow, teams: Option<&[String; 2]>, home_first: bool) -> Option<Seat> {
    let is_home = |name: &str| {
        let [first, other] = teams?;
        match (same_team(name, first), same_team(name, other)) {
            (true, false) => Some(home_first),
            (false, true) => Some(!home_first),
            _ => None,
        }
    };
    let about = |key: &str| {
        let json: serde_json::Value = serde_json::from_str(&c.about).ok()?;
        Some(json.get(key)?.as_str()?.to_owned())
    };
    let [first, other] = &c.outcomes;
    let is = |name: &str, word: &str| name.eq_ignore_ascii_case(word);
    match c.kind.as_str() {
        "moneyline" => Some(Seat { market: "h2h", first: is_home(first)?, line: None, leg: false }),
        // Of three results only the home team's has a fair price that is published.
        "three_way_leg" if is(first, "yes") && is_home(&about("leg")?)? => {
            Some(Seat { market: "h2h", first: true, line: None, leg: true })
        }
        "spread" => {
            let home = is_home(&about("team")?)?;
            let line = c.line?;
            let line = if home { line } else { line.flipped() };
            Some(Seat { market: "spreads", first: home, line: Some(line), leg: false })
        }
        "total" if is(first, "over") || is(first, "yes") => {
            Some(Seat { market: "totals", first: true, line: Some(c.line?), leg: false })
        }
        "total" if is(first, "under") && is(other, "over") => {
            Some(Seat { market: "totals", first: false, line: Some(c.line?), leg: false })
        }
        _ => None,
    }
}

/// Each game counts once.
fn row(sport: String, market: &str, games: &[Vec<Pair>]) -> Option<ShiftRow> {
    let of = |value: &dyn Fn(&Pair) -> Option<f64>| -> Vec<f64> {
        let one = |pairs: &Vec<Pair>| {
            let mut values: Vec<f64> = pairs.iter().filter_map(value).collect();
            values.sort_by(f64::total_cmp);
            quantile(&values, 0.5)
        };
        let mut medians: Vec<f64> = games.iter().filter_map(one).collect();
        medians.sort_by(f64::total_cmp);
        medians
    };
    let deltas = of(&|p| Some(p.delta));
    Some(ShiftRow {
        sport,
        market: market.to_owned(),
        games: deltas.len(),
        pairs: games.iter().map(Vec::len).sum(),
        median: quantile(&deltas, 0.5)?,
        low: quantile(&deltas, 0.1)?,
        high: quantile(&deltas, 0.9)?,
        long_shot: quantile(&of(&|p| p.costs[0]), 0.5),
        favourite: quantile(&of(&|p| p.costs[1]), 0.5),
    })
}

/// A quantile of sorted values, between two of them where it falls there.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * sorted.len().checked_sub(1)? as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let low = *sorted.get(below)?;
    Some(sorted.get(below + 1).map_or(low, |high| low + part * (high - low)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::appraise::SideFair;

    fn contract(kind: &str, about: &str, outcomes: [&str; 2], line: Option<f64>) -> ContractRow {
        ContractRow {
            kind: kind.into(),
            about: about.into(),
            outcomes: outcomes.map(str::to_owned),
            line: line.and_then(Line::from_points),
            ..ContractRow::default()
        }
    }

    fn placed(c: &ContractRow) -> Option<Seat> {
        // Celtics at Heat: the home team is the second of the listing.
        seat(c, Some(&["Celtics".into(), "Heat".into()]), false)
    }

    #[test]
    fn contracts_are_seen_from_the_home_team_or_over() {
        let line = |p| Line::from_points(p);
        let h2h = placed(&contract("moneyline", "{}", ["Celtics", "Heat"], None)).expect("seat");
        assert_eq!((h2h.market, h2h.first, h2h.line), ("h2h", false, None));
        let spread =
            placed(&contract("spread", r#"{"team":"Celtics"}"#, ["Celtics", "Heat"], Some(-3.5))).expect("seat");
        assert_eq!((spread.first, spread.line), (false, line(3.5)));
        let total = placed(&contract("total", "{}", ["Over", "Under"], Some(221.5))).expect("seat");
        assert_eq!((total.first, total.line), (true, line(221.5)));
        let leg =
            |team: &str| placed(&contract("three_way_leg", &format!(r#"{{"leg":"{team}"}}"#), ["Yes", "No"], None));
        assert_eq!((leg("Heat").map(|s| s.leg), leg("Celtics"), leg("draw")), (Some(true), None, None));
        for (kind, about) in [("player_prop", "{}"), ("spread", "{"), ("spread", r#"{"team":"Jazz"}"#)] {
            assert_eq!(placed(&contract(kind, about, ["Celtics", "Heat"], Some(1.5))), None, "{kind} {about}");
        }
        assert_eq!(seat(&contract("moneyline", "{}", ["Celtics", "Heat"], None), None, true), None);
    }

    #[test]
    fn the_exchange_has_no_vote_in_what_it_is_compared_with() {
        let price = |p: f64, line: Option<f64>| FairPrice {
            sides: [("home", p), ("away", 1.0 - p)]
                .map(|(side, fair_probability)| SideFair {
                    side,
                    selection: side.to_owned(),
                    fair_line: None,
                    fair_probability,
                    at_line: line,
                })
                .to_vec(),
            value: 0.0,
            standard_error: 0.0,
            effective_books: 3.0,
            families: 3,
        };
        let seat = |line: Option<f64>| Seat {
            market: "spreads",
            first: true,
            line: line.and_then(Line::from_points),
            leg: false,
        };
        assert_eq!(first_side(&price(0.6, Some(-3.5)), &seat(Some(-3.5))), Some(0.6));
        assert_eq!(first_side(&price(0.6, Some(-3.0)), &seat(Some(-3.5))), None, "another line");
        assert_eq!(first_side(&price(0.6, None), &Seat { leg: true, ..seat(None) }), None, "two of three results");
    }

    fn book(minute: i64, bid: u16, ask: u16, middle: Option<f64>) -> BookRow {
        let level = |price| crate::store::exchange::DepthLevel { price, size: 1_000_000 };
        BookRow { at: at(minute), bids: vec![level(bid)], asks: vec![level(ask)], middle, ..BookRow::default() }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    #[test]
    fn books_hold_for_an_hour_and_the_past_fills_what_nobody_heard() {
        let seat = Seat { market: "h2h", first: false, line: None, leg: false };
        let fee = FeeSchedule::new(0.05, 1.0, true, 0.0);
        let books = [book(0, 5100, 5200, Some(0.515)), book(30, 5000, 5200, None)];
        let prices = [PricePoint { at: at(10), price: 0.4 }, PricePoint { at: at(120), price: 0.45 }];
        let told = |minute| told(&books, &prices, at(minute), &seat, fee);
        let first = told(15).expect("told");
        // Seen from the other outcome: the first one's ask of .52 is what the rest costs.
        assert!((first.middle - 0.485).abs() < 1e-12 && (first.costs[1].expect("cost") - 0.532_48).abs() < 1e-12);
        assert_eq!(told(31), None, "too little stands there: nothing is said, and the past does not say it instead");
        assert_eq!(told(125), Some(Told { middle: 0.55, costs: [None, None] }));
        assert_eq!((told(110), told(140), told(-1)), (None, None, None));
    }

    #[test]
    fn the_long_shot_is_the_side_that_the_books_hold_for_less_likely() {
        let near = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-12);
        let told = Told { middle: 0.31, costs: [Some(0.33), Some(0.72)] };
        let low = pair(0.3, told);
        assert!(near(Some(low.delta), 0.01) && near(low.costs[0], 0.03) && near(low.costs[1], 0.02));
        let high = pair(0.7, Told { middle: 0.69, costs: [Some(0.72), Some(0.33)] });
        assert!(near(high.costs[0], 0.03) && near(high.costs[1], 0.02));
    }

    #[test]
    fn every_game_counts_once() {
        let pairs = |delta: f64, n: usize| vec![Pair { delta, costs: [None, None] }; n];
        let games = [pairs(0.1, 96), pairs(0.01, 1), pairs(0.02, 3)];
        let row = row("s".into(), "h2h", &games).expect("row");
        assert_eq!((row.games, row.pairs, row.median, row.long_shot), (3, 100, 0.02, None));
        assert!((row.low - 0.012).abs() < 1e-12 && (row.high - 0.084).abs() < 1e-12);
        assert_eq!(super::row("s".into(), "h2h", &[]), None);
        assert_eq!((quantile(&[], 0.5), quantile(&[1.0], 0.9)), (None, Some(1.0)));
    }
}
