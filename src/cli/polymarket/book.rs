//! `stratum polymarket book`: the order books of a game, with what a price costs after the fee and what a stake gets.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::{Place, market_now, runtime, slug, suggestions, warn};
use crate::cli::args_polymarket::BookArgs;
use crate::cli::cells::or_none;
use crate::cli::output::{Align, Table, label, printable, stored_rows};
use crate::cli::{Exit, Failure, look, show};
use crate::feeds::polymarket::book::{NoSeed, Standing, TokenBook};
use crate::feeds::polymarket::client::{Client, MAX_BOOKS};
use crate::feeds::polymarket::discovery;
use crate::feeds::polymarket::fee::FeeSchedule;
use crate::feeds::polymarket::ids::{Shares, Slug, Tick, TokenId};
use crate::feeds::polymarket::leagues;
use crate::feeds::polymarket::metrics::{Buy, Metrics, fill};
use crate::feeds::polymarket::pair::{Mirror, PairBook};
use crate::feeds::polymarket::slug::GameSlug;
use crate::feeds::polymarket::wire::channel::Level;
use crate::market::price::decimal_to_american;
use crate::market::time::Timestamp;
use crate::runtime::exchange::rows;
use crate::store::StoreError;
use crate::store::exchange::{BookRow, BookState, ContractRow, DepthLevel, ExchangeGame, MarketNow};

/// Levels of each side that are shown.
const LEVELS: usize = 5;

/// A contract with its book, wherever it comes from.
struct Shown {
    contract: ContractRow,
    book: PairBook,
    /// `live`, `doubtful`, `unknown` or `no_book`.
    state: &'static str,
    /// Since when the book holds, and until when it was known to.
    since: Option<Timestamp>,
    seen: Option<Timestamp>,
}

/// One contract, for programs.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct ContractOut {
    game: String,
    contract: String,
    question: String,
    #[serde(rename = "type")]
    kind: String,
    /// Of the first outcome.
    line: Option<f64>,
    source: &'static str,
    state: &'static str,
    since: Option<Timestamp>,
    seen: Option<Timestamp>,
    age_seconds: Option<f64>,
    fee_rate: Option<f64>,
    spread: Option<f64>,
    /// Probability of the first outcome halfway between bid and ask, where these are at most .05 apart.
    middle: Option<f64>,
    /// The same, drawn to the side with fewer shares.
    weighted_middle: Option<f64>,
    /// -1 to 1: above 0 more shares are bid for than asked.
    imbalance: Option<f64>,
    outcomes: Vec<OutcomeOut>,
    /// Of the first outcome, the best first: price and shares.
    bids: Vec<(f64, f64)>,
    asks: Vec<(f64, f64)>,
    /// Why it cannot be traded.
    why_not: Option<String>,
    winner: Option<String>,
    /// What its rules say: topic, rule and sentence.
    settlement: serde_json::Value,
}

/// One outcome, as a taker meets it.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct OutcomeOut {
    outcome: String,
    bid: Option<f64>,
    ask: Option<f64>,
    /// What a share costs at the ask with the fee; `None`: there is no ask, or the fee is not known.
    cost: Option<f64>,
    /// One over the cost.
    decimal: Option<f64>,
    american: Option<i64>,
    stake: f64,
    /// Shares that the stake gets.
    shares: Option<f64>,
    spent: Option<f64>,
    /// What one of them costs on the average, with the fee.
    fill_cost: Option<f64>,
    fill_decimal: Option<f64>,
    worst: Option<f64>,
    /// The whole stake could be placed.
    complete: Option<bool>,
}

/// Runs it.
pub(super) fn run(place: &Place, args: &BookArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let stake = args.stake.unwrap_or(place.settings.polymarket.stake);
    if !(stake.is_finite() && stake > 0.0) {
        return Err(Failure::Usage(format!("--stake takes a positive amount of dollars, not {stake}")));
    }
    let (mut game, demo, now) = if args.live { game_now(place, args)? } else { stored(place, args)? };
    if let Some(wanted) = &args.contract {
        let wanted = slug(wanted)?;
        let names: Vec<String> = game.markets.iter().map(|m| m.contract.slug.clone()).collect();
        game.markets.retain(|m| m.contract.slug == wanted);
        if game.markets.is_empty() {
            let near = suggestions(&wanted, names.iter().map(String::as_str));
            let there = if near.is_empty() { names.join(", ") } else { near.join(", ") };
            return Err(Failure::NotFound(format!(
                "{} has no contract '{}'; there are {}",
                printable(&game.listing.slug),
                printable(&wanted),
                printable(&there)
            )));
        }
    }
    let shown = if args.live { asked(&place.client()?, &game)? } else { game.markets.iter().map(of_store).collect() };
    let rows: Vec<ContractOut> = shown.iter().map(|s| contract_out(&game, s, stake, args.live, now)).collect();
    if args.output.json {
        stored_rows(out, &rows, demo)?;
    } else {
        label(out, demo)?;
        print(out, &game, &rows, args.contract.is_some(), stake, now)?;
    }
    Ok(Exit::Ok)
}

fn stored(place: &Place, args: &BookArgs) -> Result<(ExchangeGame, bool, Timestamp), Failure> {
    let reader = place.reader()?;
    let game = place.game(&reader, &args.slug)?;
    Ok((game, reader.is_demo()?, market_now(&reader)?))
}

/// The game as the store has it, else as Polymarket lists it: the store need not be there.
fn game_now(place: &Place, args: &BookArgs) -> Result<(ExchangeGame, bool, Timestamp), Failure> {
    let name = slug(&args.slug)?;
    let reader = match crate::store::Reader::open(&place.store) {
        Ok(reader) => Some(reader),
        Err(StoreError::Missing { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    if let Some(reader) = &reader
        && let Some(game) = reader.exchange_game(crate::feeds::polymarket::SOURCE, &name)?
    {
        return Ok((game, reader.is_demo()?, look::now()));
    }
    let unfit =
        || Failure::NotFound(format!("'{}' is no name of a game of a league that is followed", printable(&name)));
    let sport = GameSlug::parse(&name).and_then(|s| leagues::sport_key(&s.league)).ok_or_else(unfit)?;
    let wire = Slug::parse(&name).map_err(|_| unfit())?;
    let page = runtime()?.block_on(place.client()?.event_by_slug(&wire))?;
    let event = page.read.items.into_iter().next().ok_or_else(unfit)?;
    let listing = discovery::listing(event, sport).ok_or_else(unfit)?;
    let new = rows::listing(&listing);
    let markets = new.contracts.into_iter().map(|contract| MarketNow { contract, book: None, seen: None }).collect();
    Ok((ExchangeGame { listing: new.listing, link: None, markets }, false, look::now()))
}

/// The books as Polymarket has them now.
fn asked(client: &Client, game: &ExchangeGame) -> Result<Vec<Shown>, Failure> {
    let mut tokens = Vec::new();
    for token in game.markets.iter().flat_map(|m| &m.contract.tokens) {
        match TokenId::parse(token) {
            Ok(token) => tokens.push(token),
            Err(e) => warn(&format!("a token cannot be asked about: {e}")),
        }
    }
    let mut books: BTreeMap<String, TokenBook> = BTreeMap::new();
    runtime()?.block_on(async {
        for some in tokens.chunks(MAX_BOOKS) {
            let (read, at) = client.books(some).await?;
            for defect in &read.defects {
                warn(&defect.to_string());
            }
            for message in &read.items {
                let Some(token) = some.iter().find(|t| t.as_str() == message.token) else { continue };
                let mut book = TokenBook::new(token.clone());
                book.seed(message, at);
                books.insert(token.as_str().to_owned(), book);
            }
        }
        Ok::<_, Failure>(())
    })?;
    let shown = game.markets.iter().map(|m| {
        let [first, other] = &m.contract.tokens;
        let pair = PairBook::of(books.get(first), books.get(other));
        let state = match pair.standing {
            Standing::Live => "live",
            Standing::Doubtful(_) => "doubtful",
            Standing::Unseeded(_) => "no_book",
        };
        let (since, seen) = (pair.changed_at, pair.received_at);
        Shown { contract: m.contract.clone(), book: pair, state, since, seen }
    });
    Ok(shown.collect())
}

/// A book of the store, of which the best five levels are kept.
fn of_store(market: &MarketNow) -> Shown {
    let empty = BookRow { state: BookState::Unknown, ..BookRow::default() };
    let row = market.book.as_ref();
    let book = row.unwrap_or(&empty);
    let levels = |all: &[DepthLevel]| -> Vec<Level> {
        let level = |l: &DepthLevel| Some(Level { price: Tick::new(l.price)?, size: Shares::from_micros(l.size)? });
        all.iter().filter_map(level).collect()
    };
    let live = book.state == BookState::Live;
    Shown {
        contract: market.contract.clone(),
        book: PairBook {
            bids: levels(&book.bids),
            asks: levels(&book.asks),
            standing: if live { Standing::Live } else { Standing::Unseeded(NoSeed::Gap) },
            mirror: Mirror::Agree,
            changed_at: book.changed_at,
            received_at: row.map(|b| b.at),
            tick_size: None,
        },
        state: match (row, book.state) {
            (None, _) => "no_book",
            (_, BookState::Live) => "live",
            (_, BookState::Doubtful) => "doubtful",
            (_, BookState::Unknown) => "unknown",
        },
        since: row.map(|b| b.at),
        seen: market.seen.max(row.map(|b| b.at)),
    }
}

fn contract_out(game: &ExchangeGame, s: &Shown, stake: f64, live: bool, now: Timestamp) -> ContractOut {
    let (c, metrics) = (&s.contract, Metrics::of(&s.book));
    let fee = c.fee_rate.and_then(|rate| FeeSchedule::new(rate, 1.0, true, 0.0));
    let pairs = |levels: &[Level]| -> Vec<(f64, f64)> {
        levels.iter().take(LEVELS).map(|l| (l.price.probability(), l.size.shares())).collect()
    };
    let [first, other] = &c.outcomes;
    // Between prices that are far apart the middle says nothing.
    let near = metrics.filter(|m| m.probability().is_some());
    ContractOut {
        game: game.listing.slug.clone(),
        contract: c.slug.clone(),
        question: c.question.clone(),
        kind: c.kind.clone(),
        line: c.line.map(|l| l.points()),
        source: if live { "clob" } else { "store" },
        state: s.state,
        since: s.since,
        seen: s.seen,
        age_seconds: s.seen.map(|at| now.since(at).max(0) as f64 / 1000.0),
        fee_rate: c.fee_rate,
        spread: metrics.and_then(|m| m.spread).map(Tick::probability),
        middle: near.and_then(|m| m.mid).map(round),
        weighted_middle: near.and_then(|m| m.weighted_mid).map(round),
        imbalance: metrics.filter(|m| m.bid_levels + m.ask_levels > 0).map(|m| round(m.imbalance)),
        outcomes: vec![
            outcome_out(first, &s.book, Buy::First, fee, stake),
            outcome_out(other, &s.book, Buy::Second, fee, stake),
        ],
        bids: pairs(&s.book.bids),
        asks: pairs(&s.book.asks),
        why_not: c.why_not.clone(),
        winner: c.winner.clone(),
        settlement: serde_json::from_str(&c.settlement).unwrap_or_default(),
    }
}

fn outcome_out(name: &str, book: &PairBook, buy: Buy, fee: Option<FeeSchedule>, stake: f64) -> OutcomeOut {
    let own = if buy == Buy::First { book.clone() } else { book.turned() };
    let best = |levels: &[Level]| {
        let level = levels.first().filter(|_| book.standing == Standing::Live)?;
        Some(level.price.probability())
    };
    let ask = best(&own.asks);
    let cost = ask.zip(fee).map(|(ask, fee)| fee.cost(ask)).filter(|c| *c > 0.0);
    let decimal = cost.filter(|c| *c < 1.0).map(|c| 1.0 / c);
    let filled = fee.and_then(|fee| fill(book, buy, stake, fee));
    OutcomeOut {
        outcome: name.to_owned(),
        bid: best(&own.bids),
        ask,
        cost: cost.map(round),
        decimal: decimal.map(round),
        american: decimal.map(decimal_to_american),
        stake,
        shares: filled.map(|f| round(f.shares)),
        spent: filled.map(|f| round(f.spent)),
        fill_cost: filled.map(|f| round(f.cost)),
        fill_decimal: filled.and_then(|f| f.decimal()).map(round),
        worst: filled.map(|f| f.worst.probability()),
        complete: filled.map(|f| f.complete),
    }
}

/// To millionths, as the exchange counts.
fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

fn print(
    out: &mut dyn Write,
    game: &ExchangeGame,
    rows: &[ContractOut],
    one: bool,
    stake: f64,
    now: Timestamp,
) -> Result<(), Failure> {
    let l = &game.listing;
    let start = l.starts.map_or_else(|| "start not told".to_owned(), |at| format!("{} UTC", show::minute(at)));
    writeln!(out, "{}  {}  {}  {start}", printable(&l.slug), printable(&l.title), printable(&l.sport))?;
    let link = match &game.link {
        Some(link) => match link.event {
            Some(event) => format!("{} to event {event} by {}", link.state.name(), link.how.name()),
            None => link.state.name().to_owned(),
        },
        None => "not looked at".to_owned(),
    };
    writeln!(out, "link: {link}")?;
    if rows.is_empty() {
        writeln!(out, "it has no contracts")?;
        return Ok(());
    }
    writeln!(out)?;
    table(rows, stake, now).print(out)?;
    // Dozens of ladders would hide the one that is looked for.
    for row in rows.iter().filter(|r| one || matches!(r.kind.as_str(), "moneyline" | "three_way_leg")) {
        ladder(out, row)?;
    }
    Ok(())
}

fn cents(price: Option<f64>) -> String {
    or_none(price, |p| {
        let text = format!("{p:.4}");
        // Tenths of a cent only where there are any.
        text.strip_suffix("00").map_or_else(|| text.clone(), str::to_owned)
    })
}

fn table(rows: &[ContractOut], stake: f64, now: Timestamp) -> Table {
    let mut table = Table::new([
        ("CONTRACT", Align::Left),
        ("OUTCOME", Align::Left),
        ("LINE", Align::Right),
        ("BID", Align::Right),
        ("ASK", Align::Right),
        ("SPREAD", Align::Right),
        ("MIDDLE", Align::Right),
        ("IMBAL", Align::Right),
        ("COST", Align::Right),
        ("DEC", Align::Right),
        ("AMER", Align::Right),
        ("FILL COST", Align::Right),
        ("FILLED $", Align::Right),
        ("AGE", Align::Right),
        ("STATE", Align::Left),
    ]);
    for row in rows {
        for (place, o) in row.outcomes.iter().enumerate() {
            let first = place == 0;
            let line = row.line.map(|line| if row.kind == "spread" && !first { 0.0 - line } else { line });
            let market = if row.kind == "spread" { "spreads" } else { "totals" };
            let only_first = |text: String| if first { text } else { String::new() };
            table.row([
                only_first(row.kind.clone()),
                o.outcome.clone(),
                show::line(line, market),
                cents(o.bid),
                cents(o.ask),
                only_first(cents(row.spread)),
                or_none(row.middle, |m| format!("{:.4}", if first { m } else { 1.0 - m })),
                only_first(or_none(row.imbalance, |i| format!("{i:+.2}"))),
                or_none(o.cost, |c| format!("{c:.5}")),
                or_none(o.decimal, show::decimal),
                or_none(o.american, show::american),
                or_none(o.fill_cost, |c| format!("{c:.5}")),
                or_none(o.spent, |s| format!("{s:.0} of {stake:.0}")),
                only_first(or_none(row.seen, |at| show::span(now.since(at)))),
                only_first(match (&row.winner, &row.why_not) {
                    (Some(winner), _) => format!("won by {winner}"),
                    (None, Some(why)) => why.clone(),
                    (None, None) => row.state.to_owned(),
                }),
            ]);
        }
    }
    table
}

fn ladder(out: &mut dyn Write, row: &ContractOut) -> Result<(), Failure> {
    let first = row.outcomes.first().map_or("", |o| o.outcome.as_str());
    writeln!(out, "\n{}: {}", printable(&row.contract), printable(first))?;
    let fee =
        row.fee_rate.map_or_else(|| "fee not told".to_owned(), |rate| format!("fee {rate} x p x (1 - p) a share"));
    writeln!(out, "{fee}")?;
    let mut table = Table::new([
        ("BID SHARES", Align::Right),
        ("BID", Align::Right),
        ("ASK", Align::Right),
        ("ASK SHARES", Align::Right),
    ]);
    let depth = row.bids.len().max(row.asks.len());
    for at in 0..depth {
        let (bid, ask) = (row.bids.get(at), row.asks.get(at));
        let shares = |l: Option<&(f64, f64)>| l.map_or_else(String::new, |l| format!("{:.0}", l.1));
        let price = |l: Option<&(f64, f64)>| l.map_or_else(String::new, |l| cents(Some(l.0)));
        table.row([shares(bid), price(bid), price(ask), shares(ask)]);
    }
    if depth == 0 {
        writeln!(out, "no orders ({})", row.state)?;
    } else {
        table.print(out)?;
    }
    for fact in row.settlement.as_array().into_iter().flatten() {
        let word = |key: &str| fact.get(key).and_then(|v| v.as_str()).unwrap_or_default().replace('_', " ");
        let text = fact.get("text").and_then(|v| v.as_str()).unwrap_or_default();
        writeln!(out, "{}: {} ({})", printable(&word("topic")), printable(&word("rule")), printable(text))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(state: BookState) -> MarketNow {
        let level = |price, size| DepthLevel { price, size };
        MarketNow {
            contract: ContractRow {
                slug: "nba-bos-mia-2026-11-20".into(),
                kind: "moneyline".into(),
                outcomes: ["Celtics".into(), "Heat".into()],
                fee_rate: Some(0.05),
                settlement: r#"[{"topic":"canceled","rule":"fifty_fifty","text":"If canceled, 50-50."}]"#.into(),
                ..ContractRow::default()
            },
            book: Some(BookRow {
                state,
                at: Timestamp::from_millis(1000),
                bids: vec![level(5000, 400_000_000)],
                asks: vec![level(5200, 100_000_000), level(5300, 1_000_000_000)],
                ..BookRow::default()
            }),
            seen: None,
        }
    }

    fn out(state: BookState, stake: f64) -> ContractOut {
        let game = ExchangeGame::default();
        contract_out(&game, &of_store(&market(state)), stake, false, Timestamp::from_millis(6000))
    }

    #[test]
    fn a_price_of_52_costs_53248() {
        let row = out(BookState::Live, 10.0);
        let [first, other] = row.outcomes.as_slice() else { panic!("two outcomes") };
        assert_eq!((first.ask, first.cost, first.american), (Some(0.52), Some(0.532_48), Some(-114)));
        assert_eq!((first.fill_cost, first.complete, first.spent), (Some(0.532_48), Some(true), Some(10.0)));
        // The other outcome is bought from whoever bids for the first.
        assert_eq!((other.bid, other.ask, other.cost), (Some(0.48), Some(0.5), Some(0.5125)));
        assert_eq!((row.spread, row.middle, row.age_seconds), (Some(0.02), Some(0.51), Some(5.0)));
        // A stake that the first level does not hold pays more, one that no level holds is not placed whole.
        let large = out(BookState::Live, 100.0);
        assert!(large.outcomes[0].fill_cost > Some(0.532_48) && large.outcomes[0].worst == Some(0.53));
        assert_eq!(out(BookState::Live, 1e6).outcomes[0].complete, Some(false));
    }

    #[test]
    fn what_is_not_known_has_no_price() {
        for state in [BookState::Unknown, BookState::Doubtful] {
            let row = out(state, 10.0);
            assert_eq!((row.middle, row.outcomes[0].ask, row.outcomes[0].shares), (None, None, None));
        }
        let mut silent = market(BookState::Live);
        silent.contract.fee_rate = None;
        let row = contract_out(&ExchangeGame::default(), &of_store(&silent), 10.0, false, Timestamp::default());
        assert_eq!((row.outcomes[0].ask, row.outcomes[0].cost, row.outcomes[0].shares), (Some(0.52), None, None));
        if let Some(book) = &mut silent.book {
            book.bids = vec![DepthLevel { price: 4000, size: 1_000_000 }];
        }
        let wide = contract_out(&ExchangeGame::default(), &of_store(&silent), 10.0, false, Timestamp::default());
        assert_eq!((wide.spread, wide.middle), (Some(0.12), None), "no middle between prices that are far apart");
        silent.book = None;
        assert_eq!(of_store(&silent).state, "no_book");
    }

    #[test]
    fn the_table_and_the_ladder_of_a_contract() {
        let rows = [out(BookState::Live, 10.0)];
        let mut text = Vec::new();
        table(&rows, 10.0, Timestamp::from_millis(6000)).print(&mut text).expect("printed");
        ladder(&mut text, &rows[0]).expect("printed");
        let text = String::from_utf8(text).expect("text");
        let celtics = text.lines().find(|l| l.contains("Celtics")).expect("a row");
        for cell in ["0.50", "0.52", "0.5100", "0.53248", "1.878", "-114", "10 of 10", "5s", "live"] {
            assert!(celtics.split_whitespace().collect::<Vec<_>>().join(" ").contains(cell), "{cell}: {text}");
        }
        assert!(text.contains("canceled: fifty fifty (If canceled, 50-50.)"), "{text}");
        assert!(text.contains("400  0.50  0.52         100"), "{text}");
        assert_eq!((cents(Some(0.52)), cents(Some(0.525)), cents(None)), ("0.52".into(), "0.5250".into(), "-".into()));
    }
}
