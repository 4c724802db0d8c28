//! What each pane says of the chosen game and contract, line by line, for a width. Pure: knows what is told and in which
//! column, and not where on the screen.

use super::compare;
use super::list::{apart, dollars};
use super::load::{Detail, Listed};
use super::rows::why_none;
use crate::board::app::App;
use crate::board::format::{self, Odds};
use crate::board::pages::tape::row;
use crate::board::paint::Hit;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::{popup, text};
use crate::engine::explain::words;
use crate::market::books::{Books, Fee};
use crate::market::depth;
use crate::market::line::Line as Points;
use crate::market::price::Price;
use crate::store::exchange::{BookRow, BookState, ContractRow, DepthLevel, LinkHow, LinkState, MarketNow};

/// A piece of a line.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    /// Words from a column on.
    At(u16, String, Meaning),
    /// Words that end before a column.
    To(u16, String, Meaning),
    /// A share as a bar of so many columns.
    Bar(u16, u16, f64, Meaning),
}

/// A line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    /// Its pieces.
    pub pieces: Vec<Piece>,
    /// What a click on it means.
    pub hit: Option<Hit>,
    /// It is the chosen one.
    pub chosen: bool,
}

fn line(pieces: Vec<Piece>) -> Line {
    Line { pieces, ..Line::default() }
}

fn said(told: impl Into<String>, meaning: Meaning) -> Line {
    line(vec![Piece::At(1, told.into(), meaning)])
}

fn wrapped(told: &str, width: u16, at: u16, meaning: Meaning) -> Vec<Line> {
    let room = width.saturating_sub(at + 1).max(12);
    popup::wrap(&text::plain(told), room).into_iter().map(|l| line(vec![Piece::At(at, l, meaning)])).collect()
}

/// A price in cents with as many places as it has: `42.0`, `42.05`.
pub fn cents(ten_thousandths: u16) -> String {
    let value = f64::from(ten_thousandths) / 100.0;
    if ten_thousandths.is_multiple_of(10) { format!("{value:.1}") } else { format!("{value:.2}") }
}

/// The fee of a contract: its own, else the usual one of the exchange.
fn fee(contract: &ContractRow) -> Fee {
    contract.fee_rate.map_or_else(|| Books::embedded().resolve(compare::EXCHANGE).fee, Fee::Polymarket)
}

/// An outcome for people: `Gulls -3.5`, `Over 221.5`.
pub fn outcome(contract: &ContractRow, first: bool) -> String {
    let [a, b] = &contract.outcomes;
    let name = text::plain(if first { a } else { b });
    let own = |l: Points| if first { l } else { l.flipped() };
    match (contract.kind.as_str(), contract.line) {
        ("spread", Some(l)) => format!("{name} {}", format::spread(own(l))),
        ("total", Some(l)) => format!("{name} {}", format::total(l)),
        ("moneyline" | "spread" | "total", _) => name,
        ("period", _) => {
            format!("{} {name}", text::plain(&compare::period(contract).unwrap_or_else(|| "part of it:".into())))
        }
        _ => format!("{name}: {}", text::plain(&contract.question)),
    }
}

/// Price and shares of each level, the best first.
type Side = Vec<(f64, f64)>;

/// The book of one outcome: bids and asks, the best first. Those of the other outcome are the mirror of the first's.
fn levels(book: &BookRow, first: bool) -> (Side, Side) {
    let plain = |side: &[DepthLevel]| side.iter().map(|l| (l.probability(), l.shares())).collect();
    let mirrored = |side: &[DepthLevel]| side.iter().map(|l| (1.0 - l.probability(), l.shares())).collect();
    if first { (plain(&book.bids), plain(&book.asks)) } else { (mirrored(&book.asks), mirrored(&book.bids)) }
}

fn ticks(p: f64) -> String {
    cents((p * 10_000.0).round().clamp(0.0, 10_000.0) as u16)
}

/// A column of the contracts: head, width, gives way (the highest first; 0 stays).
const CONTRACT_COLUMNS: [(&str, u16, u8); 8] = [
    ("Bid", 5, 2),
    ("Ask", 5, 0),
    ("Cost", 5, 0),
    ("Odds", 6, 0),
    ("Dec", 5, 5),
    ("Fill", 6, 1),
    ("Books", 5, 3),
    ("EV %", 6, 4),
];

/// Columns of the contracts that fit: head, and the column before which each ends.
fn contract_columns(width: u16, odds: Odds) -> (u16, Vec<(&'static str, u16)>) {
    let mut kept: Vec<(&'static str, u16, u8)> = CONTRACT_COLUMNS.to_vec();
    // The equivalent in the other form is that of American odds where the user's are decimal.
    for column in &mut kept {
        if column.0 == "Dec" && odds == Odds::Decimal {
            (column.0, column.1) = ("Amer", 6);
        }
    }
    const NAME: u16 = 15;
    let needs = |kept: &[(&str, u16, u8)]| 2 + NAME + kept.iter().map(|c| c.1 + 1).sum::<u16>() + 1;
    while needs(&kept) > width {
        let most = kept.iter().map(|c| c.2).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        kept.retain(|c| c.2 != most);
    }
    let name = (NAME + width.saturating_sub(needs(&kept))).min(34);
    let mut x = 2 + name;
    let columns = kept
        .into_iter()
        .map(|(head, width, _)| {
            x += width + 1;
            (head, x)
        })
        .collect();
    (name, columns)
}

/// Every contract, both sides of each.
pub fn contracts(app: &App, listed: &Listed, detail: Option<&Detail>, width: u16) -> Vec<Line> {
    let odds = app.prefs.odds;
    let (name, columns) = contract_columns(width, odds);
    let head = columns.iter().map(|(head, to)| Piece::To(*to, (*head).to_owned(), Meaning::Header)).collect();
    let mut all = vec![line(head)];
    if listed.game.markets.is_empty() {
        all.push(said("the exchange lists no contract of it", Meaning::Faint));
    }
    let under_way = listed.game.listing.starts.is_some_and(|start| start <= app.now());
    for (at, market) in listed.game.markets.iter().enumerate() {
        // A model of whole games says nothing about the rest of one; what the books give to win stands for itself.
        let plain = matches!(market.contract.kind.as_str(), "moneyline" | "three_way_leg");
        let fair = detail.filter(|_| plain || !under_way);
        let fair = fair.and_then(|d| d.fairs.get(at)).and_then(|f| f.as_ref().ok()).copied();
        for first in [true, false] {
            let mut one = side(app, market, first, (fair, under_way), (name, &columns));
            one.hit = Some(Hit::Cell { row: at, column: usize::from(!first) });
            one.chosen = at == app.pages.exchange.contract;
            all.push(one);
        }
    }
    all
}

fn side(
    app: &App,
    market: &MarketNow,
    first: bool,
    (fair, under_way): (Option<f64>, bool),
    (name, columns): (u16, &[(&'static str, u16)]),
) -> Line {
    let contract = &market.contract;
    let ascii = app.looks.glyphs.is_ascii();
    let none = if ascii { "-" } else { "–" };
    let label = text::fit(&outcome(contract, first), name, ascii).into_owned();
    let calculated = compare::market_of(&contract.kind).is_some();
    let mut pieces = vec![Piece::At(2, label, if calculated { Meaning::Text } else { Meaning::Muted })];
    if let Some(told) = ended(contract) {
        pieces.push(Piece::At(3 + name, if first { told } else { String::new() }, Meaning::Final));
        return line(pieces);
    }
    let Some(book) = &market.book else {
        let why = contract.why_not.as_ref().map_or("no book has been heard", |w| w.as_str());
        let told = if first { text::plain(why) } else { String::new() };
        pieces.push(Piece::At(3 + name, told, Meaning::Faint));
        return line(pieces);
    };
    let (bids, asks) = levels(book, first);
    let believed = book.state == BookState::Live && why_none(market) != "crossed";
    let look = |meaning| if believed { meaning } else { Meaning::Stale };
    let fee = fee(contract);
    let (bid, ask) = (bids.first().map(|l| l.0), asks.first().map(|l| l.0));
    let cost = ask.and_then(|p| depth::cost(p, fee)).filter(|_| believed);
    let price = cost.and_then(|c| Price::decimal(1.0 / c).ok());
    let fair = fair.map(|p| if first { p } else { 1.0 - p });
    let fill = depth::fill(asks.iter().copied(), app.at.stake, fee).filter(|_| believed);
    for (head, to) in columns {
        let (told, meaning) = match *head {
            "Bid" => (bid.map(ticks), look(Meaning::Text)),
            "Ask" => (ask.map(ticks), look(Meaning::Text)),
            "Cost" => (cost.map(|c| format!("{:.2}", c * 100.0)), look(Meaning::Text)),
            "Odds" => (price.map(|p| format::price(p, app.prefs.odds)), look(Meaning::Title)),
            "Dec" => (price.map(|p| format::price(p, Odds::Decimal)), look(Meaning::Muted)),
            "Amer" => (price.map(|p| format::price(p, Odds::American)), look(Meaning::Muted)),
            "Fill" => match fill {
                Some(f) if f.complete => (Some(format!("{:.2}", f.cost * 100.0)), Meaning::Text),
                Some(_) => (Some("thin".to_owned()), Meaning::Warning),
                None => (None, Meaning::Faint),
            },
            "Books" => (fair.map(|p| format!("{:.1}", p * 100.0)), Meaning::Fair),
            // While it is played the books are a look behind: nothing is worth taking by their price.
            _ => match fair.zip(cost).filter(|_| !under_way).map(|(p, c)| p / c - 1.0) {
                Some(ev) => {
                    let meaning = if ev > 0.0 { Meaning::Positive } else { Meaning::Muted };
                    (Some(format::signed_percent(ev)), meaning)
                }
                None => (None, Meaning::Faint),
            },
        };
        let absent = told.is_none();
        let meaning = if absent { Meaning::Faint } else { meaning };
        pieces.push(Piece::To(*to, told.unwrap_or_else(|| none.to_owned()), meaning));
    }
    line(pieces)
}

fn ended(contract: &ContractRow) -> Option<String> {
    contract.ended_at?;
    Some(contract.winner.as_ref().map_or("ended".to_owned(), |w| format!("ended: {}", text::plain(w))))
}

/// The five best levels of both sides of the chosen contract, `rows` of each at most.
pub fn ladder(app: &App, market: &MarketNow, width: u16, rows: usize) -> Vec<Line> {
    let mut all = Vec::new();
    let Some(book) = &market.book else {
        let why = market.contract.why_not.as_ref().map_or("no order book has been heard of it", |w| w.as_str());
        return wrapped(why, width, 1, Meaning::Faint);
    };
    let zone = app.prefs.zone();
    match book.state {
        BookState::Unknown => {
            let told = format!("nothing is heard since {}: how it stands is not known", zone.hms(book.at));
            all.extend(wrapped(&told, width, 1, Meaning::Warning));
            if book.bids.is_empty() && book.asks.is_empty() {
                return all;
            }
        }
        BookState::Doubtful => {
            all.extend(wrapped("it contradicts itself and is not believed", width, 1, Meaning::Warning))
        }
        BookState::Live if why_none(market) == "crossed" => {
            all.extend(wrapped("bid and ask cross: it is not believed", width, 1, Meaning::Warning));
        }
        BookState::Live => {}
    }
    let most = book.bids.iter().chain(&book.asks).map(|l| l.shares()).fold(0.0, f64::max).max(1e-9);
    let sure = book.state == BookState::Live && why_none(market) != "crossed";
    let shown = |side: &[DepthLevel]| -> Vec<(DepthLevel, f64)> {
        let mut sum = 0.0;
        let levels = side.iter().take(rows).map(|l| {
            sum += l.dollars();
            (*l, sum)
        });
        levels.collect()
    };
    let one = |word: &str, (l, sum): (DepthLevel, f64), meaning: Meaning| {
        let text = if sure { Meaning::Text } else { Meaning::Stale };
        let mut pieces = vec![
            Piece::At(1, word.to_owned(), Meaning::Muted),
            Piece::To(11, cents(l.price), text),
            Piece::To(20, dollars(l.shares()), text),
            Piece::To(29, format!("${}", dollars(sum)), Meaning::Muted),
        ];
        let bar = width.saturating_sub(31).min(30);
        if bar >= 4 {
            pieces.push(Piece::Bar(30, bar, l.shares() / most, if sure { meaning } else { Meaning::BarEmpty }));
        }
        line(pieces)
    };
    if book.asks.is_empty() {
        all.push(said("no ask: nobody sells, it cannot be bought", Meaning::Warning));
    }
    all.extend(shown(&book.asks).into_iter().rev().map(|l| one("ask", l, Meaning::Down)));
    all.push(between(book, width));
    all.extend(shown(&book.bids).into_iter().map(|l| one("bid", l, Meaning::Up)));
    if book.bids.is_empty() {
        all.push(said("no bid: nobody buys, it cannot be sold", Meaning::Warning));
    }
    all
}

/// What lies between bid and ask.
fn between(book: &BookRow, width: u16) -> Line {
    let mut told: Vec<String> = Vec::new();
    if let (Some(bid), Some(ask)) = (book.bid(), book.ask()) {
        told.push(format!("spread {:.1}", (ask.probability() - bid.probability()) * 100.0));
    }
    if let Some(middle) = book.middle {
        told.push(format!("middle {:.2}", middle * 100.0));
    }
    if let [Some(bids), Some(asks)] = book.near
        && bids + asks > 0
    {
        let share = (bids as f64 - asks as f64) / (bids as f64 + asks as f64) * 100.0;
        told.push(format!("imbalance {share:+.0} %"));
        let near = format!("near {}/{} shares", dollars(bids as f64 / 1e6), dollars(asks as f64 / 1e6));
        told.push(near);
    }
    if told.is_empty() {
        told.push("no middle".to_owned());
    }
    // The last parts give way.
    while told.len() > 1 && text::width(&told.join("  ")) + 2 > width {
        told.pop();
    }
    said(told.join("  "), Meaning::Fair)
}

/// Which game it is and why; of what waits for a person what it could be.
pub fn link(app: &App, listed: &Listed, width: u16) -> Vec<Line> {
    let mut all = Vec::new();
    let link = listed.game.link.as_ref();
    let zone = app.prefs.zone();
    for (at, c) in listed.candidates.iter().enumerate() {
        let chosen = at == app.pages.exchange.candidate;
        let start = c.commence.map_or_else(|| "start unknown".to_owned(), |t| zone.start(t, app.now()));
        let sign = if chosen { app.looks.glyphs.get(Glyph::Cursor) } else { " " };
        all.push(Line {
            pieces: vec![
                Piece::At(0, sign.to_owned(), Meaning::Key),
                Piece::At(
                    2,
                    format!("{:>3.0} %  {}  {start}", c.confidence * 100.0, text::plain(&c.name)),
                    Meaning::Text,
                ),
            ],
            hit: Some(Hit::Item(at)),
            chosen,
        });
        if chosen || listed.candidates.len() <= 3 {
            for reason in &c.reasons {
                all.extend(wrapped(reason, width, 9, Meaning::Muted));
            }
        }
    }
    if !listed.candidates.is_empty() {
        let told = "h l choose, a: it is this one, d: none of these, u: takes it back";
        all.extend(wrapped(told, width, 1, Meaning::Hint));
        return all;
    }
    let Some(link) = link else {
        return vec![said("nobody has looked yet which game it is", Meaning::Faint)];
    };
    for reason in &listed.reasons {
        all.extend(wrapped(reason, width, 1, Meaning::Muted));
    }
    if link.state == LinkState::None {
        all.extend(wrapped("`stratum polymarket link` links it by hand", width, 1, Meaning::Hint));
    }
    if all.is_empty() {
        all.push(said("no reason was kept", Meaning::Faint));
    }
    all
}

/// Which game it is, in a line.
pub fn link_line(app: &App, listed: &Listed) -> (String, Meaning) {
    let zone = app.prefs.zone();
    if let Some(decision) = super::pending(app) {
        let what = match &decision.provider_id {
            Some(id) => match listed.candidates.iter().find(|c| c.provider_id == *id) {
                Some(c) => format!("you said that it is {}", text::plain(&c.name)),
                None => "you said which game it is".to_owned(),
            },
            None => "you said that it is none of ours".to_owned(),
        };
        return (format!("{what}, {}: the session takes it up", zone.hm(decision.at)), Meaning::Warning);
    }
    let Some(link) = &listed.game.link else { return ("not looked at yet".to_owned(), Meaning::Faint) };
    let by = if link.how == LinkHow::User { "by you" } else { "by the rules" };
    match link.state {
        LinkState::Linked => {
            let game = link.event.and_then(|e| app.slate().game(e));
            let name = game.map_or("a game that is not on the board".to_owned(), |g| {
                format!("{} @ {}", text::plain(&g.who.away), text::plain(&g.who.home))
            });
            let sure = if link.how == LinkHow::User {
                String::new()
            } else {
                format!(", {:.0} % sure", link.confidence * 100.0)
            };
            (format!("linked {by} to {name}{sure}"), Meaning::Muted)
        }
        LinkState::Review => {
            let n = listed.candidates.len();
            let games = if n == 1 { "1 game could be meant".to_owned() } else { format!("{n} games could be meant") };
            (format!("to review: {games}"), Meaning::Warning)
        }
        LinkState::Refused => (format!("none of our games, {by}"), Meaning::Muted),
        LinkState::None => ("none of the books' games".to_owned(), Meaning::Muted),
    }
}

/// How the chosen contract pays when things go differently.
pub fn settlement(contract: &ContractRow, width: u16) -> Vec<Line> {
    let facts = compare::facts(contract);
    let mut all = Vec::new();
    for fact in &facts {
        all.extend(wrapped(&compare::fact_words(fact), width, 1, Meaning::Text));
        if let Some(other) = compare::differs(fact, &contract.kind) {
            all.extend(wrapped(&format!("a different bet: {other}"), width, 3, Meaning::Warning));
        }
    }
    // Two rules about one thing contradict each other.
    let mut topics: Vec<&str> = facts.iter().map(|f| f.topic.as_str()).collect();
    topics.sort_unstable();
    if topics.windows(2).any(|w| w.first() == w.get(1)) {
        all.extend(wrapped("its rules say two things about one case: read them", width, 1, Meaning::Warning));
    }
    if all.is_empty() {
        all.extend(wrapped(
            "its text says nothing of overtime, postponement or a tie that can be read",
            width,
            1,
            Meaning::Faint,
        ));
    }
    if !contract.question.is_empty() {
        all.extend(wrapped(&format!("asked: {}", contract.question), width, 1, Meaning::Muted));
    }
    all
}

/// Signals of the game, newest first.
pub fn signals(app: &App, detail: Option<&Detail>, width: u16) -> Vec<Line> {
    let Some(detail) = detail else { return vec![said("reading", Meaning::Faint)] };
    if detail.signals.is_empty() {
        let linked = detail.fairs.iter().any(Result::is_ok);
        let why = if linked { "no signal of this game" } else { "nothing to compare, so no signal" };
        return vec![said(why, Meaning::Faint)];
    }
    let zone = app.prefs.zone();
    let one = |s: &crate::engine::detect::signal::Signal| {
        let told = match &s.detail.label {
            Some(label) => {
                let lag =
                    s.detail.lag_seconds.map_or_else(String::new, |l| format!(", {} before", row::minutes(l / 60.0)));
                // The chance is that of the market's first side.
                let who =
                    if s.market == "totals" { "Over".to_owned() } else { row::short_name(&s.sport, &s.home_team) };
                let chance = s.detail.exchange_probability;
                let chance = chance.map_or_else(String::new, |p| format!("{who} {:.1} %: ", p * 100.0));
                format!("{chance}{}{lag}", words::label(label))
            }
            None => format!("{} {}", text::plain(&s.selection), format::market_title(&s.market).to_lowercase()),
        };
        let pieces = vec![
            Piece::At(1, zone.hms(s.detected_at), Meaning::Muted),
            Piece::At(10, row::kind(s.kind).to_owned(), row::kind_meaning(s.kind)),
            Piece::At(
                22,
                text::fit(&told, width.saturating_sub(23), app.looks.glyphs.is_ascii()).into_owned(),
                Meaning::Text,
            ),
        ];
        Line { pieces, hit: Some(Hit::Signal(s.id.clone())), chosen: false }
    };
    detail.signals.iter().map(one).collect()
}

/// Trades of the chosen contract, newest first, with what was not heard between them.
pub fn trades(app: &App, market: &MarketNow, detail: Option<&Detail>) -> Vec<Line> {
    let Some(detail) = detail else { return vec![said("reading", Meaning::Faint)] };
    if detail.trades.is_empty() {
        return vec![said("no trade has been heard", Meaning::Faint)];
    }
    let zone = app.prefs.zone();
    let [first, other] = &market.contract.outcomes;
    let mut all: Vec<(i64, Line)> = detail
        .trades
        .iter()
        .map(|t| {
            let size = t.size.map_or_else(|| "?".to_owned(), |n| dollars(n as f64 / 1e6));
            let (side, meaning) = match t.side.as_deref() {
                Some("buy") => ("bought", Meaning::Up),
                Some("sell") => ("sold", Meaning::Down),
                _ => ("traded", Meaning::Muted),
            };
            let pieces = vec![
                Piece::At(1, zone.hms(t.at), Meaning::Muted),
                Piece::At(10, side.to_owned(), meaning),
                Piece::To(23, size, Meaning::Text),
                Piece::To(30, cents(t.price), Meaning::Text),
                Piece::At(31, text::plain(if t.first { first } else { other }), Meaning::Muted),
            ];
            (t.at.millis(), line(pieces))
        })
        .collect();
    let oldest = all.last().map_or(i64::MAX, |t| t.0);
    for gap in detail.gaps.iter().filter(|g| g.until.millis() >= oldest) {
        let told = format!(
            "gap {} to {}, {} contracts: {}",
            zone.hms(gap.since),
            zone.hms(gap.until),
            gap.markets,
            text::plain(&gap.why)
        );
        all.push((gap.until.millis(), said(told, Meaning::Warning)));
    }
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    all.into_iter().map(|(_, l)| l).collect()
}

/// The chosen contract beside the books, in a line: prices, distance, and whether it counts.
pub fn beside(app: &App, market: &MarketNow, detail: Option<&Detail>) -> Vec<(String, Meaning)> {
    let mut told = Vec::new();
    let middle = market.book.as_ref().and_then(super::load::middle);
    let who = outcome(&market.contract, true);
    match middle {
        Some(m) => told.push((format!("{who} {:.1}", m * 100.0), Meaning::Title)),
        None => told.push((format!("{who}: {}", why_words(why_none(market))), Meaning::Muted)),
    }
    let Some(detail) = detail else { return told };
    let at = app.pages.exchange.contract;
    match detail.fairs.get(at) {
        Some(Ok(fair)) => {
            told.push((format!("books {:.1}", fair * 100.0), Meaning::Fair));
            if let Some(m) = middle {
                let (distance, meaning) = apart(m - fair, false);
                told.push((format!("{distance} points"), meaning));
            }
            if compare::is_other_bet(&market.contract) {
                told.push(("a different bet".to_owned(), Meaning::Warning));
            }
            if detail.usual.abs() >= 0.0005 {
                told.push((format!("usual {:+.1}", detail.usual * 100.0), Meaning::Muted));
            }
        }
        Some(Err(why)) => told.push(((*why).to_owned(), Meaning::Muted)),
        None => {}
    }
    if let Some(why) = detail.excluded.as_ref().filter(|w| !w.is_empty()) {
        told.push((format!("no vote in the fair price: {why}"), Meaning::Warning));
    }
    told
}

/// Why there is no middle, in words.
pub fn why_words(why: &str) -> &'static str {
    match why {
        "closed" => "it cannot be traded",
        "no book" => "no order book has been heard",
        "ended" => "it has ended",
        "unheard" => "nothing is heard at the moment",
        "crossed" => "bid and ask cross, it is not believed",
        "empty" => "nobody bids or asks",
        "no bid" => "nobody bids",
        "no ask" => "nobody asks",
        "no mid" => "no middle: bid and ask are too far apart, or too little stands behind them",
        _ => "no price",
    }
}
