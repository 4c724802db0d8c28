//! Gamma: events, markets, sports, series and tags, for finding out what is traded.
//!
//! Owns their typed records. Quotes inside Gamma can be five minutes old; prices come from the CLOB. Bodies are read
//! through a tree, since listings are rare and every field of them can have two types.

use chrono::NaiveDate;
use serde_json::Value;

use super::lenient::{Defect, Fields, Record};
use super::{Read, WireError, json};
use crate::feeds::polymarket::fee::FeeSchedule;
use crate::feeds::polymarket::ids::{
    ConditionId, GammaEventId, GammaMarketId, SeriesId, Shares, Slug, TagId, Tick, TokenId,
};
use crate::market::line::Line;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// One event: a game with all its markets.
#[derive(Clone, PartialEq, Debug)]
pub struct GammaEvent {
    /// Gamma's number.
    pub id: GammaEventId,
    /// Its name in addresses; a game's slug ends with its local date.
    pub slug: Slug,
    /// Mostly the slug again.
    pub ticker: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// The rules, as far as they are the same for all markets.
    pub description: Option<String>,
    /// When trading opened. **Not** the start of the game.
    pub start_date: Option<Timestamp>,
    /// When the record was made.
    pub creation_date: Option<Timestamp>,
    /// Nominal end.
    pub end_date: Option<Timestamp>,
    /// Start of the game.
    pub start_time: Option<Timestamp>,
    /// When it was closed.
    pub closed_time: Option<Timestamp>,
    /// The league's local date of the game.
    pub event_date: Option<NaiveDate>,
    /// Listed. Stays true after the end.
    pub active: bool,
    /// Over.
    pub closed: bool,
    /// Put away.
    pub archived: bool,
    /// The game is being played.
    pub live: bool,
    /// The game is over.
    pub ended: bool,
    /// Its markets exclude each other.
    pub neg_risk: bool,
    /// The game's number; the same for several events of one game.
    pub game_id: Option<String>,
    /// Score as text; its order is not reliable.
    pub score: Option<String>,
    /// Period as text.
    pub period: Option<String>,
    /// Dollars traded.
    pub volume: Option<f64>,
    /// Dollars offered.
    pub liquidity: Option<f64>,
    /// The series that it belongs to.
    pub series: Vec<GammaSeries>,
    /// The slug of its series, where only that is told.
    pub series_slug: Option<String>,
    /// Tags.
    pub tags: Vec<GammaTag>,
    /// Its markets.
    pub markets: Vec<GammaMarket>,
}

/// One market: a question with outcomes, each a token.
#[derive(Clone, PartialEq, Debug)]
pub struct GammaMarket {
    /// Gamma's number.
    pub id: GammaMarketId,
    /// The market on the chain. Missing before it is deployed.
    pub condition_id: Option<ConditionId>,
    /// Its name in addresses.
    pub slug: Slug,
    /// The question.
    pub question: Option<String>,
    /// Short title inside its event.
    pub group_item_title: Option<String>,
    /// The rules.
    pub description: Option<String>,
    /// Names of the outcomes.
    pub outcomes: Vec<String>,
    /// Old prices of the outcomes, 0 to 1; only for a first look.
    pub outcome_prices: Vec<f64>,
    /// Tokens of the outcomes, in the same order. Empty when they could not be read.
    pub tokens: Vec<TokenId>,
    /// `moneyline`, `spreads`, `totals`, `first_half_moneyline` and others: an open set.
    pub sports_market_type: Option<String>,
    /// The point, on spreads and totals.
    pub line: Option<Line>,
    /// Start of the game.
    pub game_start_time: Option<Timestamp>,
    /// Start of the game, the other field of it.
    pub event_start_time: Option<Timestamp>,
    /// Opened for trading.
    pub start_date: Option<Timestamp>,
    /// Nominal end.
    pub end_date: Option<Timestamp>,
    /// When it was closed.
    pub closed_time: Option<Timestamp>,
    /// The game's number.
    pub game_id: Option<String>,
    /// Listed. Stays true after the end.
    pub active: bool,
    /// Over.
    pub closed: bool,
    /// Put away.
    pub archived: bool,
    /// Orders are taken.
    pub accepting_orders: bool,
    /// There is a book.
    pub enable_order_book: bool,
    /// One of several that exclude each other.
    pub neg_risk: bool,
    /// Seconds for which an order waits.
    pub seconds_delay: Option<f64>,
    /// The smallest step of a price.
    pub tick_size: Option<Tick>,
    /// The smallest order.
    pub min_size: Option<Shares>,
    /// An old best bid.
    pub best_bid: Option<f64>,
    /// An old best ask.
    pub best_ask: Option<f64>,
    /// An old difference of both.
    pub spread: Option<f64>,
    /// An old last trade.
    pub last_trade_price: Option<f64>,
    /// Dollars traded.
    pub volume: Option<f64>,
    /// Dollars offered.
    pub liquidity: Option<f64>,
    /// Takers pay.
    pub fees_enabled: Option<bool>,
    /// The kind of fee, such as `sports_fees_v2`.
    pub fee_type: Option<String>,
    /// What takers pay. `None` with `fees_enabled` true means that it is not known.
    pub fee: Option<FeeSchedule>,
    /// How far the resolution is, such as `resolved`.
    pub uma_status: Option<String>,
    /// The steps of the resolution so far.
    pub uma_statuses: Vec<String>,
    /// The events it belongs to: only ids and times, when the market was asked for alone.
    pub events: Vec<GammaEvent>,
}

impl GammaMarket {
    /// Can be traded now; else why not.
    ///
    /// # Errors
    /// The reason, for a person. `active` alone proves nothing: closed markets stay active.
    pub const fn tradable(&self) -> Result<(), &'static str> {
        if self.closed {
            Err("it is closed")
        } else if !self.active {
            Err("it is not active")
        } else if self.archived {
            Err("it is archived")
        } else if !self.enable_order_book {
            Err("it has no order book")
        } else if !self.accepting_orders {
            Err("it takes no orders")
        } else {
            Ok(())
        }
    }

    /// Start of the game, by whichever field tells it. Never the day on which trading opened.
    pub fn start(&self) -> Option<Timestamp> {
        self.game_start_time.or(self.event_start_time).or_else(|| self.events.iter().find_map(|e| e.start_time))
    }
}

/// A series: one league, perhaps of one season.
#[derive(Clone, PartialEq, Debug)]
pub struct GammaSeries {
    /// Its number.
    pub id: SeriesId,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// Listed.
    pub active: Option<bool>,
    /// Over.
    pub closed: Option<bool>,
}

/// A tag.
#[derive(Clone, PartialEq, Debug)]
pub struct GammaTag {
    /// Its number.
    pub id: TagId,
    /// For people.
    pub label: Option<String>,
    /// Its name in addresses.
    pub slug: Option<String>,
}

/// One league of the sports listing.
#[derive(Clone, PartialEq, Debug)]
pub struct GammaSport {
    /// Its short name, such as `nba`.
    pub sport: String,
    /// Its series.
    pub series: Option<SeriesId>,
    /// Its tags.
    pub tags: Vec<TagId>,
    /// Whether the home or the away team stands first.
    pub ordering: Option<String>,
    /// Where its results come from.
    pub resolution: Option<String>,
}

/// A page of a listing.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// Its records and defects.
    pub read: Read<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// How many records stood on the page, the unreadable ones included.
    pub stood: usize,
}

fn page<T>(
    body: &[u8],
    name: &str,
    read_one: impl Fn(&Value, usize, &mut Vec<Defect>) -> Option<T>,
) -> Result<Page<T>, WireError> {
    let value = json(body)?;
    let mut read = Read { items: Vec::new(), defects: Vec::new() };
    let (list, next) = match &value {
        Value::Array(list) => (list.as_slice(), None),
        Value::Object(map) if map.get(name).is_some_and(Value::is_array) => {
            let list = map.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let next = map.get("next_cursor").and_then(Value::as_str).filter(|c| !c.is_empty() && *c != "LTE=");
            (list, next.map(str::to_owned))
        }
        // One object, as the path form answers.
        Value::Object(map) if map.contains_key("id") || map.contains_key("slug") => {
            (std::slice::from_ref(&value), None)
        }
        _ => return Err(WireError::NotAnAnswer("a list of records or a page of one")),
    };
    for (number, one) in list.iter().enumerate() {
        read.items.extend(read_one(one, number, &mut read.defects));
    }
    Ok(Page { stood: list.len(), read, next })
}

/// Reads events: a list, a keyset page, a search answer or one event.
///
/// # Errors
/// [`WireError`] when the body is no such answer.
pub fn events(body: &[u8]) -> Result<Page<GammaEvent>, WireError> {
    page(body, "events", event)
}

/// Reads markets: a list, a keyset page or one market.
///
/// # Errors
/// [`WireError`] when the body is no such answer.
pub fn markets(body: &[u8]) -> Result<Page<GammaMarket>, WireError> {
    page(body, "markets", market)
}

/// Reads the sports listing.
///
/// # Errors
/// [`WireError`] when the body is no list.
pub fn sports(body: &[u8]) -> Result<Read<GammaSport>, WireError> {
    page(body, "sports", sport).map(|p| p.read)
}

/// Reads tags.
///
/// # Errors
/// [`WireError`] when the body is no list.
pub fn tags(body: &[u8]) -> Result<Read<GammaTag>, WireError> {
    page(body, "tags", tag).map(|p| p.read)
}

/// Reads series.
///
/// # Errors
/// [`WireError`] when the body is no list.
pub fn series(body: &[u8]) -> Result<Read<GammaSeries>, WireError> {
    page(body, "series", one_series).map(|p| p.read)
}

/// A field without which a record is useless.
fn needed<T>(value: Option<T>, fields: &mut Fields<'_, '_>, field: &'static str) -> Option<T> {
    if value.is_none() {
        fields.quarantine(field, Reason::MissingField, "without it the record cannot be used".to_owned());
    }
    value
}

fn event(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<GammaEvent> {
    let mut f = Fields::of(value, Record::Event, number, defects)?;
    let id = f.id("id", GammaEventId::parse);
    let id = needed(id, &mut f, "id")?;
    let slug = f.id("slug", Slug::parse);
    let slug = needed(slug, &mut f, "slug")?;
    let mut event = GammaEvent {
        id,
        slug,
        ticker: f.text("ticker"),
        title: f.text("title"),
        description: f.text("description"),
        start_date: f.time("startDate"),
        creation_date: f.time("creationDate"),
        end_date: f.time("endDate"),
        start_time: f.time("startTime"),
        closed_time: f.time("closedTime"),
        event_date: f.date("eventDate"),
        active: f.flag("active").unwrap_or(false),
        closed: f.flag("closed").unwrap_or(false),
        archived: f.flag("archived").unwrap_or(false),
        live: f.flag("live").unwrap_or(false),
        ended: f.flag("ended").unwrap_or(false),
        neg_risk: f.flag("negRisk").unwrap_or(false),
        game_id: f.text("gameId"),
        score: f.text("score"),
        period: f.text("period"),
        volume: f.number("volume"),
        liquidity: f.number("liquidity"),
        series: Vec::new(),
        series_slug: f.text("seriesSlug"),
        tags: Vec::new(),
        markets: Vec::new(),
    };
    let (series, tags, markets) = (f.objects("series"), f.objects("tags"), f.objects("markets"));
    let defects = f.defects();
    event.series = series.iter().enumerate().filter_map(|(i, v)| one_series(v, i, defects)).collect();
    event.tags = tags.iter().enumerate().filter_map(|(i, v)| tag(v, i, defects)).collect();
    event.markets = markets.iter().enumerate().filter_map(|(i, v)| market(v, i, defects)).collect();
    Some(event)
}

fn market(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<GammaMarket> {
    let mut f = Fields::of(value, Record::Market, number, defects)?;
    let id = f.id("id", GammaMarketId::parse);
    let id = needed(id, &mut f, "id")?;
    let slug = f.id("slug", Slug::parse);
    let slug = needed(slug, &mut f, "slug")?;
    let outcomes = f.list("outcomes");
    let tokens = tokens(&mut f, outcomes.len());
    let prices = f.list("outcomePrices");
    let outcome_prices: Option<Vec<f64>> =
        prices.iter().map(|p| p.trim().parse().ok().filter(|p| (0.0..=1.0).contains(p))).collect();
    let fee = match f.get("feeSchedule") {
        Some(value) => fee(value, number, f.defects()),
        None => None,
    };
    let mut market = GammaMarket {
        id,
        condition_id: f.id("conditionId", ConditionId::parse),
        slug,
        question: f.text("question"),
        group_item_title: f.text("groupItemTitle"),
        description: f.text("description"),
        outcomes,
        outcome_prices: outcome_prices.unwrap_or_default(),
        tokens,
        sports_market_type: f.text("sportsMarketType"),
        line: line(&mut f),
        game_start_time: f.time("gameStartTime"),
        event_start_time: f.time("eventStartTime"),
        start_date: f.time("startDate"),
        end_date: f.time("endDate"),
        closed_time: f.time("closedTime"),
        game_id: f.text("gameId"),
        active: f.flag("active").unwrap_or(false),
        closed: f.flag("closed").unwrap_or(false),
        archived: f.flag("archived").unwrap_or(false),
        accepting_orders: f.flag("acceptingOrders").unwrap_or(false),
        enable_order_book: f.flag("enableOrderBook").unwrap_or(false),
        neg_risk: f.flag("negRisk").unwrap_or(false),
        seconds_delay: f.number("secondsDelay"),
        tick_size: f.tick("orderPriceMinTickSize"),
        min_size: f.shares("orderMinSize"),
        best_bid: f.number("bestBid"),
        best_ask: f.number("bestAsk"),
        spread: f.number("spread"),
        last_trade_price: f.number("lastTradePrice"),
        volume: f.number("volumeNum").or_else(|| f.number("volume")),
        liquidity: f.number("liquidityNum").or_else(|| f.number("liquidity")),
        fees_enabled: f.flag("feesEnabled"),
        fee_type: f.text("feeType"),
        fee,
        uma_status: f.text("umaResolutionStatus"),
        uma_statuses: f.list("umaResolutionStatuses"),
        events: Vec::new(),
    };
    let events = f.objects("events");
    let defects = f.defects();
    market.events = events.iter().enumerate().filter_map(|(i, v)| event(v, i, defects)).collect();
    Some(market)
}

/// The tokens, or none when one of them is unreadable or their number is not that of the outcomes.
fn tokens(f: &mut Fields<'_, '_>, outcomes: usize) -> Vec<TokenId> {
    let texts = f.list("clobTokenIds");
    if texts.is_empty() {
        return Vec::new();
    }
    let tokens: Result<Vec<TokenId>, _> = texts.iter().map(|t| TokenId::parse(t)).collect();
    let detail = match tokens {
        Ok(tokens) if tokens.len() == outcomes => return tokens,
        Ok(tokens) => format!("{} tokens for {outcomes} outcomes", tokens.len()),
        Err(why) => why.to_string(),
    };
    f.quarantine("clobTokenIds", Reason::WrongType, detail);
    Vec::new()
}

fn line(f: &mut Fields<'_, '_>) -> Option<Line> {
    let points = f.number("line")?;
    let line = Line::from_points(points);
    if line.is_none() {
        f.quarantine("line", Reason::BadPoint, format!("{points} is no line"));
    }
    line
}

fn fee(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<FeeSchedule> {
    let mut f = Fields::of(value, Record::Market, number, defects)?;
    let rate = f.number("rate")?;
    let exponent = f.number("exponent").unwrap_or(1.0);
    let taker_only = f.flag("takerOnly").unwrap_or(true);
    let rebate_rate = f.number("rebateRate").unwrap_or(0.0);
    let fee = FeeSchedule::new(rate, exponent, taker_only, rebate_rate);
    if fee.is_none() {
        f.quarantine("feeSchedule", Reason::WrongType, format!("rate {rate}, exponent {exponent}"));
    }
    fee
}

fn one_series(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<GammaSeries> {
    let mut f = Fields::of(value, Record::Series, number, defects)?;
    let id = f.id("id", SeriesId::parse);
    Some(GammaSeries {
        id: needed(id, &mut f, "id")?,
        slug: f.text("slug"),
        title: f.text("title"),
        active: f.flag("active"),
        closed: f.flag("closed"),
    })
}

fn tag(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<GammaTag> {
    let mut f = Fields::of(value, Record::Tag, number, defects)?;
    let id = f.id("id", TagId::parse);
    Some(GammaTag { id: needed(id, &mut f, "id")?, label: f.text("label"), slug: f.text("slug") })
}

fn sport(value: &Value, number: usize, defects: &mut Vec<Defect>) -> Option<GammaSport> {
    let mut f = Fields::of(value, Record::Sport, number, defects)?;
    let name = f.text("sport");
    let name = needed(name, &mut f, "sport")?;
    // "1,745,100639" as one text, or a real list.
    let tags = match f.get("tags") {
        Some(Value::String(s)) if !s.trim_start().starts_with('[') => {
            s.split(',').map(|t| t.trim().to_owned()).collect()
        }
        _ => f.list("tags"),
    };
    Some(GammaSport {
        sport: name.to_ascii_lowercase(),
        series: f.id("series", SeriesId::parse),
        tags: tags.iter().filter_map(|t| TagId::parse(t).ok()).collect(),
        ordering: f.text("ordering"),
        resolution: f.text("resolution"),
    })
}
