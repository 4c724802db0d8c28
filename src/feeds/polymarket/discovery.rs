//! What is traded: leagues, games, and their markets as typed listings.
//!
//! Owns the way from the sports listing to [`Listing`]s. Series and tags are read at run time, since they change with
//! the season. Only games are listed; futures and anything whose slug names no game are counted and left out.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::classify::{Contract, Kind, classify_in, teams_of_title};
use super::client::{Client, ListQuery, PAGE};
use super::error::AskError;
use super::fee::FeeSchedule;
use super::ids::{ConditionId, GammaEventId, GammaMarketId, SeriesId, Shares, Slug, TagId, Tick, TokenId};
use super::leagues;
use super::matching::Game;
use super::settlement::Settlement;
use super::slug::GameSlug;
use super::wire::WireError;
use super::wire::gamma::{GammaEvent, GammaMarket, GammaSport, Page};
use super::wire::lenient::Defect;
use crate::market::sports::Sports;
use crate::market::time::Timestamp;

/// Pages of one league at most: a listing that never ends is not read for ever.
const MAX_PAGES: usize = 100;

/// A league that both Polymarket and we have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct League {
    /// Our sport key.
    pub sport: &'static str,
    /// Polymarket's short name.
    pub name: String,
    /// Its series.
    pub series: SeriesId,
    /// Its tags.
    pub tags: Vec<TagId>,
}

/// One market of a game.
#[derive(Clone, PartialEq, Debug)]
pub struct ListedMarket {
    /// Gamma's number.
    pub id: GammaMarketId,
    /// The market on the chain.
    pub condition_id: Option<ConditionId>,
    /// Its name in addresses.
    pub slug: Slug,
    /// The question.
    pub question: Option<String>,
    /// What it is about, with names and tokens of the outcomes.
    pub contract: Contract,
    /// Tokens in the order of the outcomes.
    pub tokens: Vec<TokenId>,
    /// What takers pay; `None` when the market has a fee that is not told.
    pub fee: Option<FeeSchedule>,
    /// How it pays when things go differently.
    pub settlement: Settlement,
    /// Can be traded, or why not.
    pub tradable: Result<(), &'static str>,
    /// Start of the game as the market tells it.
    pub start: Option<Timestamp>,
    /// When it was closed.
    pub closed_time: Option<Timestamp>,
    /// The smallest step of a price.
    pub tick_size: Option<Tick>,
    /// The smallest order.
    pub min_size: Option<Shares>,
    /// Dollars traded.
    pub volume: Option<f64>,
    /// Dollars offered.
    pub liquidity: Option<f64>,
}

/// A game with its markets.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing {
    /// Gamma's number of the event.
    pub event_id: GammaEventId,
    /// Its name in addresses.
    pub slug: Slug,
    /// For people.
    pub title: String,
    /// Our sport key.
    pub sport: &'static str,
    /// What the slug says: codes and local date.
    pub game_slug: GameSlug,
    /// The teams' names in the order of the main market's outcomes, else of the title.
    pub teams: Option<[String; 2]>,
    /// Start of the game; never the day on which trading opened.
    pub start: Option<Timestamp>,
    /// The game's number at Polymarket; the same for several listings of one game.
    pub game_id: Option<String>,
    /// The game is being played.
    pub live: bool,
    /// The game or the listing is over.
    pub over: bool,
    /// Dollars traded.
    pub volume: Option<f64>,
    /// Dollars offered.
    pub liquidity: Option<f64>,
    /// Its markets.
    pub markets: Vec<ListedMarket>,
}

impl Listing {
    /// What matching has to know.
    pub fn game(&self) -> Game {
        Game {
            sport: self.sport.to_owned(),
            names: self.teams.clone(),
            codes: self.game_slug.pair().map(|(a, b)| [a.to_owned(), b.to_owned()]),
            date: Some(self.date()),
            start: self.start,
        }
    }

    /// The league's local date.
    pub const fn date(&self) -> NaiveDate {
        self.game_slug.date
    }

    /// The market on who wins, where it is one market.
    pub fn moneyline(&self) -> Option<&ListedMarket> {
        self.markets.iter().find(|m| m.contract.kind == Kind::Moneyline)
    }

    /// The tokens of markets that can be traded, pair by pair.
    pub fn tradable_tokens(&self) -> impl Iterator<Item = &TokenId> {
        self.markets.iter().filter(|m| m.tradable.is_ok()).flat_map(|m| &m.tokens)
    }
}

/// What was found of a league.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// Games, in the order of start and slug.
    pub listings: Vec<Listing>,
    /// What could not be read.
    pub defects: Vec<Defect>,
    /// Events that are no games of this league.
    pub not_games: usize,
    /// Pages read.
    pub pages: usize,
    /// Why the listing is not complete; `None` when it is.
    pub cut_short: Option<CutShort>,
}

/// Why a listing was not read to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CutShort {
    /// The cursor came back, or a page brought nothing new.
    Repeats,
    /// No end after [`MAX_PAGES`] pages.
    TooLong,
    /// Offsets beyond this one are not served.
    OffsetTooLarge,
}

/// The leagues of a sports listing that we follow; without `wanted` keys, all of them. One league may have several
/// names; the first series of each sport and every other one of it are kept, each once.
pub fn leagues_of(listing: &[GammaSport], wanted: &[String]) -> Vec<League> {
    let mut out: Vec<League> = Vec::new();
    for sport in listing {
        let Some(key) = leagues::sport_key(&sport.sport) else { continue };
        let Some(series) = sport.series.clone() else { continue };
        let asked = wanted.is_empty() || wanted.iter().any(|w| w == key);
        if asked && !out.iter().any(|l| l.series == series) {
            out.push(League { sport: key, name: sport.sport.clone(), series, tags: sport.tags.clone() });
        }
    }
    out
}

/// Asks for the leagues.
///
/// # Errors
/// [`AskError`].
pub async fn leagues(client: &Client, wanted: &[String]) -> Result<(Vec<League>, Vec<Defect>), AskError> {
    let read = client.sports().await?;
    Ok((leagues_of(&read.items, wanted), read.defects))
}

/// Asks for the games of a league that are not over.
///
/// # Errors
/// [`AskError`] of the first page; when a later one fails, it is the error of all: half a slate is not a slate.
pub async fn games(client: &Client, league: &League) -> Result<Found, AskError> {
    let query = ListQuery {
        series: Some(league.series.clone()),
        active: Some(true),
        closed: Some(false),
        ..ListQuery::default()
    };
    listings(client, league, &query).await
}

/// Asks for the events of a query, by cursor, and by offset where there is no cursor.
///
/// # Errors
/// As [`games`].
pub async fn listings(client: &Client, league: &League, query: &ListQuery) -> Result<Found, AskError> {
    match by_cursor(client, league, query).await {
        Err(AskError::NotFound { .. } | AskError::Refused { .. } | AskError::Malformed(WireError::NotAnAnswer(_))) => {
            tracing::debug!(league = league.name, "no listing by cursor; asking by offset");
            by_offset(client, league, query).await
        }
        other => other,
    }
}

/// Takes a page; tells whether it brought anything new.
fn take(found: &mut Found, seen: &mut BTreeSet<GammaEventId>, page: Page<GammaEvent>, league: &League) -> bool {
    found.pages += 1;
    found.defects.extend(page.read.defects);
    let before = seen.len();
    for event in page.read.items {
        if !seen.insert(event.id.clone()) {
            continue;
        }
        match listing(event, league.sport) {
            Some(listing) => found.listings.push(listing),
            None => found.not_games += 1,
        }
    }
    seen.len() > before
}

fn finish(mut found: Found) -> Found {
    found.listings.sort_by(|a, b| (a.start, &a.slug).cmp(&(b.start, &b.slug)));
    found
}

async fn by_cursor(client: &Client, league: &League, query: &ListQuery) -> Result<Found, AskError> {
    let (mut found, mut seen) = (Found::default(), BTreeSet::new());
    let mut cursors: BTreeSet<String> = BTreeSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = client.events_page(query, cursor.as_deref()).await?;
        let (next, stood) = (page.next.clone(), page.stood);
        let new = take(&mut found, &mut seen, page, league);
        let Some(next) = next else { return Ok(finish(found)) };
        if stood == 0 {
            return Ok(finish(found));
        }
        let repeats = !cursors.insert(next.clone());
        found.cut_short = match () {
            () if repeats || !new => Some(CutShort::Repeats),
            () if found.pages >= MAX_PAGES => Some(CutShort::TooLong),
            () => None,
        };
        if found.cut_short.is_some() {
            return Ok(finish(found));
        }
        cursor = Some(next);
    }
}

async fn by_offset(client: &Client, league: &League, query: &ListQuery) -> Result<Found, AskError> {
    let (mut found, mut seen) = (Found::default(), BTreeSet::new());
    let mut offset = 0;
    loop {
        let page = match client.events_at(query, offset).await {
            Ok(page) => page,
            Err(AskError::OffsetTooLarge) if found.pages > 0 => {
                found.cut_short = Some(CutShort::OffsetTooLarge);
                return Ok(finish(found));
            }
            Err(other) => return Err(other),
        };
        let stood = page.stood;
        let new = take(&mut found, &mut seen, page, league);
        if stood < PAGE {
            return Ok(finish(found));
        }
        if !new || found.pages >= MAX_PAGES {
            found.cut_short = Some(if new { CutShort::TooLong } else { CutShort::Repeats });
            return Ok(finish(found));
        }
        offset += stood;
    }
}

/// An event as a listing of a sport; `None` when its slug is not that of a game of that sport.
pub fn listing(event: GammaEvent, sport: &'static str) -> Option<Listing> {
    let of_slug = |slug: &str| GameSlug::parse(slug).filter(|s| leagues::sport_key(&s.league) == Some(sport));
    let game_slug = of_slug(event.slug.as_str()).or_else(|| of_slug(event.ticker.as_deref()?))?;
    let title = event.title.clone().unwrap_or_default();
    let closed = event.closed;
    let table = Sports::embedded().resolve(sport).teams;
    let markets: Vec<ListedMarket> =
        event.markets.into_iter().map(|m| listed(m, &title, &table, event.description.as_deref())).collect();
    let main = markets.iter().find(|m| m.contract.kind == Kind::Moneyline);
    let named = main.and_then(|m| match m.contract.outcomes.as_slice() {
        [a, b] => Some([a.name.clone(), b.name.clone()]),
        _ => None,
    });
    // A market of a half may start with the game or later; the whole game's tell its start.
    let start = main.and_then(|m| m.start).or_else(|| markets.iter().filter_map(|m| m.start).min());
    Some(Listing {
        event_id: event.id,
        slug: event.slug,
        sport,
        game_slug,
        teams: named.or_else(|| teams_of_title(&title)),
        start: start.or(event.start_time),
        game_id: event.game_id,
        live: event.live,
        over: closed || event.ended,
        volume: event.volume,
        liquidity: event.liquidity,
        markets,
        title,
    })
}

fn listed(market: GammaMarket, title: &str, table: &str, event_rules: Option<&str>) -> ListedMarket {
    let contract = classify_in(&market, Some(title).filter(|t| !t.is_empty()), Some(table));
    let rules = market.description.as_deref().or(event_rules).unwrap_or_default();
    let fee = match (market.fee, market.fees_enabled) {
        (_, Some(false)) => Some(FeeSchedule::FREE),
        (Some(fee), _) => Some(fee),
        (None, Some(true)) => None,
        // Old markets say nothing about fees and had none.
        (None, None) => Some(FeeSchedule::FREE),
    };
    let tradable = if market.tokens.is_empty() { Err("it has no tokens") } else { market.tradable() };
    ListedMarket {
        start: market.start(),
        settlement: Settlement::read(rules),
        fee,
        tradable,
        contract,
        id: market.id,
        condition_id: market.condition_id,
        slug: market.slug,
        question: market.question,
        tokens: market.tokens,
        closed_time: market.closed_time,
        tick_size: market.tick_size,
        min_size: market.min_size,
        volume: market.volume,
        liquidity: market.liquidity,
    }
}
