//! The CLOB over REST, and trades of the data API: books, prices, history, market definitions.
//!
//! Owns their typed records. Levels come in any order and are sorted by the book, not here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::channel::{BookMessage, RawBook};
use super::lenient::{Defect, Fields, Record, note};
use super::{Read, WireError, json};
use crate::feeds::polymarket::ids::{ConditionId, Shares, Side, Slug, Tick, TokenId, short};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// Reads the answer of `/book`. Defects are the levels that could not be read.
///
/// # Errors
/// [`WireError`] when the body is no book or tells an error.
pub fn book(body: &[u8]) -> Result<(BookMessage<'_>, Vec<Defect>), WireError> {
    let raw: RawBook<'_> = match serde_json::from_slice(body) {
        Ok(raw) => raw,
        Err(why) => {
            json(body)?;
            return Err(WireError::NotJson(why.to_string()));
        }
    };
    let mut defects = Vec::new();
    match raw.into_book(0, &mut defects) {
        Some(book) => Ok((book, defects)),
        None => {
            json(body)?;
            Err(WireError::NotAnAnswer("a book"))
        }
    }
}

/// Reads the answer of `/books`.
///
/// # Errors
/// [`WireError`] when the body is no list.
pub fn books(body: &[u8]) -> Result<Read<BookMessage<'_>>, WireError> {
    let raws: Vec<&serde_json::value::RawValue> = match serde_json::from_slice(body) {
        Ok(raws) => raws,
        Err(_) => {
            json(body)?;
            return Err(WireError::NotAnAnswer("a list of books"));
        }
    };
    let mut read = Read::default();
    for (number, raw) in raws.into_iter().enumerate() {
        match serde_json::from_str::<RawBook<'_>>(raw.get()) {
            Ok(book) => read.items.extend(book.into_book(number, &mut read.defects)),
            Err(why) => note(
                &mut read.defects,
                Defect {
                    record: Record::Book,
                    id: format!("#{number}"),
                    field: "",
                    reason: Reason::WrongType,
                    quarantined: true,
                    detail: short(&why.to_string()),
                },
            ),
        }
    }
    Ok(read)
}

fn one<T>(
    body: &[u8],
    what: &'static str,
    read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
) -> Result<T, WireError> {
    let value = json(body)?;
    let mut defects = Vec::new();
    let mut fields = Fields::of(&value, Record::Answer, 0, &mut defects).ok_or(WireError::NotAnAnswer(what))?;
    read(&mut fields).ok_or(WireError::NotAnAnswer(what))
}

/// Reads `{"mid":"0.425"}`: a probability, finer than a tick.
///
/// # Errors
/// [`WireError`] when there is none.
pub fn midpoint(body: &[u8]) -> Result<f64, WireError> {
    one(body, "a midpoint", |f| f.number("mid").filter(|p| (0.0..=1.0).contains(p)))
}

/// Reads `{"price":"0.42"}`.
///
/// # Errors
/// [`WireError`] when there is none: no price is not a price of 0.
pub fn price(body: &[u8]) -> Result<Tick, WireError> {
    one(body, "a price", |f| f.tick("price"))
}

/// Reads `{"spread":"0.01"}`.
///
/// # Errors
/// [`WireError`] when there is none.
pub fn spread(body: &[u8]) -> Result<Tick, WireError> {
    one(body, "a spread", |f| f.tick("spread"))
}

/// Reads `{"price":"0.43","side":"BUY"}`.
///
/// # Errors
/// [`WireError`] when there is none.
pub fn last_trade(body: &[u8]) -> Result<(Tick, Option<Side>), WireError> {
    one(body, "a last trade", |f| {
        let side = f.text("side").and_then(|s| Side::parse(&s));
        f.tick("price").map(|p| (p, side))
    })
}

/// Reads `{"minimum_tick_size":0.01}`.
///
/// # Errors
/// [`WireError`] when there is none.
pub fn tick_size(body: &[u8]) -> Result<Tick, WireError> {
    one(body, "a tick size", |f| f.tick("minimum_tick_size").filter(|t| *t != Tick::ZERO))
}

/// One point of a price history: a forward-filled midpoint, not a trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HistoryPoint {
    /// When.
    pub at: Timestamp,
    /// The midpoint, 0 to 1.
    pub price: f64,
}

fn points(list: &Value, defects: &mut Vec<Defect>) -> Option<Vec<HistoryPoint>> {
    let mut out = Vec::new();
    for (number, value) in list.as_array()?.iter().enumerate() {
        let Some(mut f) = Fields::of(value, Record::Point, number, defects) else { continue };
        let (at, price) = (f.epoch("t"), f.number("p"));
        match (at, price) {
            (Some(at), Some(price)) if (0.0..=1.0).contains(&price) => out.push(HistoryPoint { at, price }),
            _ => f.quarantine("p", Reason::BadPrice, short(&value.to_string())),
        }
    }
    // Servers sort it; nothing says that they must.
    out.sort_by_key(|p| p.at);
    out.dedup_by_key(|p| p.at);
    Some(out)
}

/// Reads `/prices-history`, in the order of time, each instant once.
///
/// # Errors
/// [`WireError`] when the body is no history.
pub fn history(body: &[u8]) -> Result<Read<HistoryPoint>, WireError> {
    let value = json(body)?;
    let mut defects = Vec::new();
    let items = value.get("history").and_then(|h| points(h, &mut defects));
    Ok(Read { items: items.ok_or(WireError::NotAnAnswer("a price history"))?, defects })
}

/// Histories by token.
pub type Histories = BTreeMap<TokenId, Vec<HistoryPoint>>;

/// Reads `/batch-prices-history`.
///
/// # Errors
/// [`WireError`] when the body is no such answer.
pub fn batch_history(body: &[u8]) -> Result<(Histories, Vec<Defect>), WireError> {
    let value = json(body)?;
    let map = value.get("history").and_then(Value::as_object).ok_or(WireError::NotAnAnswer("price histories"))?;
    let (mut all, mut defects) = (BTreeMap::new(), Vec::new());
    for (token, list) in map {
        match (TokenId::parse(token), points(list, &mut defects)) {
            (Ok(token), Some(points)) => drop(all.insert(token, points)),
            _ => note(
                &mut defects,
                Defect {
                    record: Record::Answer,
                    id: short(token),
                    field: "history",
                    reason: Reason::WrongType,
                    quarantined: true,
                    detail: short(&list.to_string()),
                },
            ),
        }
    }
    Ok((all, defects))
}

/// One token of a market's definition.
#[derive(Clone, PartialEq, Debug)]
pub struct DefinedToken {
    /// The token.
    pub token: TokenId,
    /// The outcome's name.
    pub outcome: String,
    /// An old price, 0 to 1.
    pub price: Option<f64>,
    /// It won.
    pub winner: Option<bool>,
}

/// What the CLOB says a market is.
#[derive(Clone, PartialEq, Debug)]
pub struct MarketDefinition {
    /// The market.
    pub condition_id: ConditionId,
    /// The question.
    pub question: Option<String>,
    /// Its name in addresses.
    pub slug: Option<Slug>,
    /// Its tokens.
    pub tokens: Vec<DefinedToken>,
    /// Listed.
    pub active: Option<bool>,
    /// Over.
    pub closed: Option<bool>,
    /// Orders are taken.
    pub accepting_orders: Option<bool>,
    /// The smallest step of a price.
    pub tick_size: Option<Tick>,
    /// The smallest order.
    pub min_size: Option<Shares>,
    /// One of several that exclude each other.
    pub neg_risk: Option<bool>,
    /// Start of the game.
    pub game_start_time: Option<Timestamp>,
    /// Seconds for which an order waits.
    pub seconds_delay: Option<f64>,
}

/// Reads `/markets/{condition_id}`.
///
/// # Errors
/// [`WireError`] when the body is no definition.
pub fn definition(body: &[u8]) -> Result<(MarketDefinition, Vec<Defect>), WireError> {
    const WHAT: &str = "a market definition";
    let value = json(body)?;
    let mut defects = Vec::new();
    let mut f = Fields::of(&value, Record::Market, 0, &mut defects).ok_or(WireError::NotAnAnswer(WHAT))?;
    let condition_id = f.id("condition_id", ConditionId::parse).ok_or(WireError::NotAnAnswer(WHAT))?;
    let list = f.objects("tokens");
    let mut definition = MarketDefinition {
        condition_id,
        question: f.text("question"),
        slug: f.id("market_slug", Slug::parse),
        tokens: Vec::new(),
        active: f.flag("active"),
        closed: f.flag("closed"),
        accepting_orders: f.flag("accepting_orders"),
        tick_size: f.tick("minimum_tick_size"),
        min_size: f.shares("minimum_order_size"),
        neg_risk: f.flag("neg_risk"),
        game_start_time: f.time("game_start_time"),
        seconds_delay: f.number("seconds_delay"),
    };
    for (number, value) in list.iter().enumerate() {
        let Some(mut f) = Fields::of(value, Record::Market, number, &mut defects) else { continue };
        let token = f.id("token_id", TokenId::parse);
        match (token, f.text("outcome")) {
            (Some(token), Some(outcome)) => definition.tokens.push(DefinedToken {
                token,
                outcome,
                price: f.number("price"),
                winner: f.flag("winner"),
            }),
            _ => f.quarantine("token_id", Reason::MissingField, short(&value.to_string())),
        }
    }
    Ok((definition, defects))
}

/// One trade of the data API.
#[derive(Clone, PartialEq, Debug)]
pub struct DataTrade {
    /// The token.
    pub token: TokenId,
    /// The market.
    pub condition_id: Option<ConditionId>,
    /// What the taker did.
    pub side: Side,
    /// The price; trades can be finer than the book's ticks.
    pub price: f64,
    /// Shares.
    pub size: Shares,
    /// When, in whole seconds.
    pub at: Timestamp,
    /// The transaction: with token, side and size the only identity a trade has.
    pub transaction: Option<String>,
}

/// Reads `/trades`, the newest first.
///
/// # Errors
/// [`WireError`] when the body is no list or tells an error, which this API does inside a 200.
pub fn trades(body: &[u8]) -> Result<Read<DataTrade>, WireError> {
    let value = json(body)?;
    let list = value.as_array().ok_or(WireError::NotAnAnswer("a list of trades"))?;
    let mut read = Read::default();
    for (number, value) in list.iter().enumerate() {
        let Some(mut f) = Fields::of(value, Record::Trade, number, &mut read.defects) else { continue };
        let (token, side) = (f.id("asset", TokenId::parse), f.text("side").and_then(|s| Side::parse(&s)));
        let price = f.number("price").filter(|p| (0.0..=1.0).contains(p));
        let (size, at) = (f.shares("size"), f.epoch("timestamp"));
        match (token, side, price, size, at) {
            (Some(token), Some(side), Some(price), Some(size), Some(at)) => {
                let condition_id = f.id("conditionId", ConditionId::parse);
                let transaction = f.text("transactionHash");
                read.items.push(DataTrade { token, condition_id, side, price, size, at, transaction });
            }
            _ => f.quarantine("", Reason::MissingField, short(&value.to_string())),
        }
    }
    Ok(read)
}
