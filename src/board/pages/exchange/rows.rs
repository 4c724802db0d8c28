//! The rows of the list: what of a listing stands in a line, which pass, and in which order. Pure.

use super::compare::{self, EXCHANGE};
use super::load::{self, Lead, Listed};
use crate::board::model::Slate;
use crate::board::pages::tape::row::short_name;
use crate::engine::price::unit::Layout;
use crate::market::ids::{BookId, EventId};
use crate::market::time::Timestamp;
use crate::store::exchange::{BookState, ExchangeGame, LinkState, MarketNow};

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Soonest first.
    #[default]
    Start,
    /// The farthest apart first.
    Divergence,
    /// What waits for a person first.
    Link,
}

impl Sort {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::Start => Self::Divergence,
            Self::Divergence => Self::Link,
            Self::Link => Self::Start,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Divergence => "divergence",
            Self::Link => "link",
        }
    }
}

/// Which listings are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Links {
    /// Every one.
    #[default]
    All,
    /// Those that wait for a person.
    Review,
    /// Those that are one of our games.
    Linked,
    /// Those that are none.
    Unlinked,
}

impl Links {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Review,
            Self::Review => Self::Linked,
            Self::Linked => Self::Unlinked,
            Self::Unlinked => Self::All,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all listings",
            Self::Review => "to review",
            Self::Linked => "linked",
            Self::Unlinked => "not linked",
        }
    }

    fn keeps(self, state: Option<LinkState>) -> bool {
        match self {
            Self::All => true,
            Self::Review => state == Some(LinkState::Review),
            Self::Linked => state == Some(LinkState::Linked),
            Self::Unlinked => !matches!(state, Some(LinkState::Linked | LinkState::Review)),
        }
    }
}

/// One listing in a line.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its place among the listings that were read.
    pub at: usize,
    /// The exchange's own number.
    pub key: String,
    /// Name in addresses; several listings may share one.
    pub slug: String,
    /// The teams, the one that the prices are of first; of another listing its title.
    pub name: String,
    /// The same with codes, for narrow places.
    pub short: String,
    /// Start.
    pub starts: Option<Timestamp>,
    /// Of its link.
    pub state: Option<LinkState>,
    /// Our game.
    pub event: Option<EventId>,
    /// Middle of the first side. Probability.
    pub price: Option<f64>,
    /// Why there is none, in a word.
    pub why: &'static str,
    /// What the books give that side, without the exchange. Probability.
    pub fair: Option<f64>,
    /// Price less fair. Probability.
    pub apart: Option<f64>,
    /// Who moved first.
    pub lead: Option<Lead>,
    /// Best ask less best bid. Probability.
    pub spread: Option<f64>,
    /// Dollars within two cents of the best price, of the thinner side.
    pub near: Option<f64>,
    /// When its book was last known to be current.
    pub seen: Option<Timestamp>,
}

/// The contract that stands for a game in the list: the moneyline, else the leg of the first team, else what comes first
/// among spreads and totals.
pub fn main(game: &ExchangeGame) -> Option<&MarketNow> {
    let of = |kind: &'static str| game.markets.iter().filter(move |m| m.contract.kind == kind);
    let leg = || {
        let first = game.listing.teams.as_ref().map(|[first, _]| first.to_lowercase())?;
        of("three_way_leg").find(|m| m.contract.about.to_lowercase().contains(&first))
    };
    of("moneyline")
        .next()
        .or_else(leg)
        .or_else(|| of("three_way_leg").next())
        .or_else(|| of("spread").next())
        .or_else(|| of("total").next())
}

/// Why a contract has no middle, in a word; empty: it has one.
pub fn why_none(market: &MarketNow) -> &'static str {
    let Some(book) = &market.book else {
        return if market.contract.why_not.is_some() { "closed" } else { "no book" };
    };
    match (book.state, book.bid(), book.ask()) {
        _ if market.contract.ended_at.is_some() => "ended",
        (BookState::Unknown, ..) => "unheard",
        (BookState::Doubtful, ..) => "crossed",
        (_, None, None) => "empty",
        (_, None, _) => "no bid",
        (_, _, None) => "no ask",
        (_, Some(bid), Some(ask)) if bid.price >= ask.price => "crossed",
        _ if book.middle.is_none() => "no mid",
        _ => "",
    }
}

/// What the slate's books give the first outcome of a contract, without the exchange's own vote.
fn fair(slate: &Slate, book: Option<BookId>, game: &ExchangeGame, market: &MarketNow) -> Option<f64> {
    let contract = &market.contract;
    let side = compare::side_in(game, contract)?;
    let ours = slate.game(game.link.as_ref()?.event?)?;
    let quoted = ours.market(compare::market_of(&contract.kind)?)?;
    let layout = quoted.layout?;
    if (layout == Layout::ThreeWay) != (contract.kind == "three_way_leg") {
        return None;
    }
    let place = layout.place(side)?;
    let at = compare::market_line(contract, side);
    let own = book.and_then(|b| quoted.cell(b, u8::try_from(place).ok()?));
    if let Some(cell) = own {
        return cell.fair.map(f64::from).filter(|_| cell.offer.line == contract.line);
    }
    // The exchange quotes nothing here, so that the fair price of all is one without it.
    let reference = quoted.glance.as_ref().and_then(|g| g.reference);
    quoted.fair_probability(place).filter(|_| at == reference || at.is_none())
}

fn row(at: usize, listed: &Listed, slate: &Slate, book: Option<BookId>) -> Row {
    let (game, event) = (&listed.game, listed.event());
    let market = main(game);
    let told = market.and_then(|m| m.book.as_ref());
    let ended = market.is_some_and(|m| m.contract.ended_at.is_some());
    let price = told.and_then(load::middle).filter(|_| !ended);
    let fair = market.and_then(|m| fair(slate, book, game, m));
    let both = told.and_then(|b| Some((b.bid()?, b.ask()?))).filter(|_| price.is_some());
    let dollars = |near: Option<u64>, price: f64| near.map(|n| n as f64 / 1e6 * price);
    let near = told.zip(both).and_then(|(book, (bid, ask))| {
        let [b, a] = book.near;
        // Whoever asks for the first outcome has put up the price of the other.
        Some(dollars(b, bid.probability())?.min(dollars(a, 1.0 - ask.probability())?))
    });
    let name = match &game.listing.teams {
        // In the order of the outcomes, so that the price is that of whoever is named first.
        Some([a, b]) => format!("{a} v {b}"),
        None => game.listing.title.clone(),
    };
    let code = |team: &str| short_name(&game.listing.sport, team);
    let short = game.listing.teams.as_ref().map(|[a, b]| format!("{} v {}", code(a), code(b)));
    let name = crate::board::widgets::text::plain(&name);
    Row {
        at,
        key: game.listing.key.clone(),
        slug: game.listing.slug.clone(),
        short: short.map_or_else(|| name.clone(), |s| crate::board::widgets::text::plain(&s)),
        name,
        starts: game.listing.starts,
        state: game.link.as_ref().map(|l| l.state),
        event,
        why: market.map_or("nothing", why_none),
        apart: price.zip(fair).map(|(p, f)| p - f),
        price,
        fair,
        lead: listed.lead.clone(),
        spread: both.map(|(b, a)| a.probability() - b.probability()),
        near,
        seen: market.and_then(|m| m.seen.max(m.book.as_ref().map(|b| b.at))),
    }
}

/// The rows that pass, in order. `sport`: only of this one.
pub fn rows<'l>(
    listed: impl IntoIterator<Item = &'l Listed>,
    slate: &Slate,
    links: Links,
    sport: Option<&str>,
    (sort, reverse): (Sort, bool),
) -> Vec<Row> {
    let book = slate.names.books.number(EXCHANGE).and_then(|n| u16::try_from(n).ok()).map(BookId);
    let mut rows: Vec<Row> = listed
        .into_iter()
        .enumerate()
        .filter(|(_, l)| links.keeps(l.game.link.as_ref().map(|l| l.state)))
        .filter(|(_, l)| sport.is_none_or(|s| *s == l.game.listing.sport))
        .map(|(at, l)| row(at, l, slate, book))
        .collect();
    let far = |r: &Row| r.apart.map_or(-1.0, f64::abs);
    let rank = |r: &Row| match r.state {
        Some(LinkState::Review) => 0,
        None => 1,
        Some(LinkState::None) => 2,
        Some(LinkState::Refused) => 3,
        Some(LinkState::Linked) => 4,
    };
    rows.sort_by(|a, b| {
        let by = match sort {
            Sort::Start => std::cmp::Ordering::Equal,
            Sort::Divergence => far(b).total_cmp(&far(a)),
            Sort::Link => rank(a).cmp(&rank(b)),
        };
        let start = (a.starts.is_none(), a.starts).cmp(&(b.starts.is_none(), b.starts));
        let by = if sort == Sort::Start { start } else { by };
        let by = if reverse { by.reverse() } else { by };
        by.then(start).then_with(|| a.slug.cmp(&b.slug))
    });
    rows
}
