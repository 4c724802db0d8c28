//! The frames of the market channel.
//!
//! Owns the reader of one frame: typed messages that borrow from it, and defects. A frame that is all sound is read in
//! one pass; only when that fails are its messages read one by one, so that a bad one is put aside alone. No bytes make
//! it panic.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Defect, Record, Scalar, note, time};
pub use super::message::{
    BestPrices, BookMessage, Change, Frame, Level, Message, NewMarket, PriceChange, Resolved, Stated, TextFrame,
    TickSizeChange, TradeMessage,
};
use crate::feeds::polymarket::ids::{ConditionId, Refused, Side, TokenId, short};
use crate::market::line::Line;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

#[derive(Deserialize)]
struct RawLevel<'a> {
    #[serde(borrow, default)]
    price: Scalar<'a>,
    #[serde(borrow, default)]
    size: Scalar<'a>,
}

#[derive(Deserialize)]
struct RawChange<'a> {
    #[serde(borrow, default)]
    asset_id: Scalar<'a>,
    #[serde(borrow, default)]
    price: Scalar<'a>,
    #[serde(borrow, default)]
    size: Scalar<'a>,
    #[serde(borrow, default)]
    side: Scalar<'a>,
    #[serde(borrow, default)]
    hash: Scalar<'a>,
    #[serde(borrow, default)]
    best_bid: Scalar<'a>,
    #[serde(borrow, default)]
    best_ask: Scalar<'a>,
}

/// A book as REST writes it: the fields that both ways have.
#[derive(Deserialize)]
pub(crate) struct RawBook<'a> {
    #[serde(borrow, default)]
    asset_id: Scalar<'a>,
    #[serde(borrow, default)]
    market: Scalar<'a>,
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow, default)]
    hash: Scalar<'a>,
    #[serde(borrow, default)]
    bids: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    asks: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    last_trade_price: Scalar<'a>,
    #[serde(borrow, default)]
    tick_size: Scalar<'a>,
    #[serde(borrow, default)]
    min_order_size: Scalar<'a>,
}

impl<'a> RawBook<'a> {
    /// The book; `None` (and a defect) when it has no token, time or lists.
    pub(crate) fn into_book(self, number: usize, defects: &mut Vec<Defect>) -> Option<BookMessage<'a>> {
        let known = self.bids.is_some() || self.asks.is_some();
        let (id, token) = token_of(&self.asset_id, number);
        let (Some(token), Some(at), true) = (token, self.timestamp.millis(), known) else {
            let detail = format!("asset {}, time {}", self.asset_id.shown(), self.timestamp.shown());
            put_aside(defects, Record::Book, id, "asset_id", Reason::MissingField, detail);
            return None;
        };
        let mut incomplete = false;
        let bids = levels(self.bids, &id, &mut incomplete, defects);
        let asks = levels(self.asks, &id, &mut incomplete, defects);
        Some(BookMessage {
            token,
            market: self.market.text(),
            at,
            hash: self.hash.text(),
            bids,
            asks,
            last_trade: self.last_trade_price.tick().and_then(Result::ok),
            tick_size: self.tick_size.tick().and_then(Result::ok),
            min_size: self.min_order_size.shares().and_then(Result::ok),
            incomplete,
        })
    }
}

/// The union of all messages' fields.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    event_type: Scalar<'a>,
    #[serde(borrow, default)]
    asset_id: Scalar<'a>,
    #[serde(borrow, default)]
    market: Scalar<'a>,
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow, default)]
    hash: Scalar<'a>,
    #[serde(borrow, default)]
    price_changes: Option<Vec<RawChange<'a>>>,
    #[serde(borrow, default)]
    changes: Option<Vec<RawChange<'a>>>,
    #[serde(borrow, default)]
    bids: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    asks: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    buys: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    sells: Option<Vec<RawLevel<'a>>>,
    #[serde(borrow, default)]
    price: Scalar<'a>,
    #[serde(borrow, default)]
    size: Scalar<'a>,
    #[serde(borrow, default)]
    side: Scalar<'a>,
    #[serde(borrow, default)]
    best_bid: Scalar<'a>,
    #[serde(borrow, default)]
    best_ask: Scalar<'a>,
    #[serde(borrow, default)]
    spread: Scalar<'a>,
    #[serde(borrow, default)]
    fee_rate_bps: Scalar<'a>,
    #[serde(borrow, default)]
    transaction_hash: Scalar<'a>,
    #[serde(borrow, default)]
    last_trade_price: Scalar<'a>,
    #[serde(borrow, default)]
    tick_size: Scalar<'a>,
    #[serde(borrow, default)]
    min_order_size: Scalar<'a>,
    #[serde(borrow, default)]
    old_tick_size: Scalar<'a>,
    #[serde(borrow, default)]
    new_tick_size: Scalar<'a>,
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    assets_ids: Option<Vec<Scalar<'a>>>,
    #[serde(borrow, default)]
    winning_asset_id: Scalar<'a>,
    #[serde(borrow, default)]
    winning_outcome: Scalar<'a>,
    // What only a new market has; read again, slowly, when there is one.
    #[serde(borrow, default)]
    question: Scalar<'a>,
    #[serde(borrow, default)]
    slug: Scalar<'a>,
    #[serde(borrow, default)]
    description: Scalar<'a>,
    #[serde(borrow, default)]
    outcomes: Option<Vec<Scalar<'a>>>,
    #[serde(borrow, default)]
    tags: Option<Vec<Scalar<'a>>>,
    #[serde(borrow, default)]
    condition_id: Scalar<'a>,
    #[serde(borrow, default)]
    clob_token_ids: Option<Vec<Scalar<'a>>>,
    #[serde(borrow, default)]
    active: Scalar<'a>,
    #[serde(borrow, default)]
    sports_market_type: Scalar<'a>,
    #[serde(borrow, default)]
    line: Scalar<'a>,
    #[serde(borrow, default)]
    game_start_time: Scalar<'a>,
    #[serde(borrow, default)]
    order_price_min_tick_size: Scalar<'a>,
    #[serde(borrow, default)]
    group_item_title: Scalar<'a>,
    #[serde(borrow, default)]
    event_message: Option<RawEvent<'a>>,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    slug: Scalar<'a>,
    #[serde(borrow, default)]
    title: Scalar<'a>,
}

fn put_aside(
    defects: &mut Vec<Defect>,
    record: Record,
    id: String,
    field: &'static str,
    reason: Reason,
    detail: String,
) {
    note(defects, Defect { record, id, field, reason, quarantined: true, detail });
}

/// The token of a field, and a name for messages about it.
fn token_of<'a>(scalar: &Scalar<'a>, number: usize) -> (String, Option<Cow<'a, str>>) {
    let token = scalar.text().filter(|t| TokenId::is_valid(t));
    (token.as_ref().map_or_else(|| format!("#{number}"), |t| short(t)), token)
}

fn levels(raw: Option<Vec<RawLevel<'_>>>, id: &str, incomplete: &mut bool, defects: &mut Vec<Defect>) -> Vec<Level> {
    let mut out = Vec::with_capacity(raw.as_ref().map_or(0, Vec::len));
    for level in raw.unwrap_or_default() {
        match (level.price.tick(), level.size.shares()) {
            (Some(Ok(price)), Some(Ok(size))) if !size.is_zero() => out.push(Level { price, size }),
            (Some(Ok(_)), Some(Ok(_))) => {}
            _ => {
                *incomplete = true;
                let detail = format!("price {}, size {}", level.price.shown(), level.size.shown());
                put_aside(defects, Record::Level, id.to_owned(), "price", Reason::BadPrice, detail);
            }
        }
    }
    out
}

fn refused(read: Option<Result<impl Sized, Refused>>, shown: String) -> (Reason, String) {
    match read {
        Some(Err(why)) => (Reason::BadPrice, why.to_string()),
        _ => (Reason::MissingField, shown),
    }
}

/// Reads one frame.
pub fn read(bytes: &[u8]) -> Frame<'_> {
    let trimmed = bytes.trim_ascii();
    let mut frame = Frame::default();
    match trimmed.first() {
        Some(b'[') => match serde_json::from_slice::<Vec<Raw<'_>>>(trimmed) {
            Ok(raws) => {
                frame.messages.reserve(raws.len());
                for (number, raw) in raws.into_iter().enumerate() {
                    frame.messages.extend(message(raw, number, &mut frame.defects));
                }
            }
            Err(_) => one_by_one(trimmed, &mut frame),
        },
        Some(b'{') => match serde_json::from_slice::<Raw<'_>>(trimmed) {
            Ok(raw) => frame.messages.extend(message(raw, 0, &mut frame.defects)),
            Err(why) => not_json(&why, trimmed, &mut frame),
        },
        _ => frame.text = Some(text_frame(trimmed)),
    }
    frame
}

fn text_frame(bytes: &[u8]) -> TextFrame {
    match bytes {
        b"" => TextFrame::Empty,
        b"PONG" | b"pong" | b"\"PONG\"" => TextFrame::Pong,
        b"PING" | b"ping" => TextFrame::Ping,
        b"NO NEW ASSETS" => TextFrame::NoNewAssets,
        b"INVALID OPERATION" => TextFrame::InvalidOperation,
        _ => TextFrame::Junk,
    }
}

fn not_json(why: &serde_json::Error, bytes: &[u8], frame: &mut Frame<'_>) {
    let start = bytes.get(..bytes.len().min(60)).unwrap_or_default();
    let detail = format!("{why}: {}", short(&String::from_utf8_lossy(start)));
    if why.is_data() {
        put_aside(&mut frame.defects, Record::Message, "#0".to_owned(), "", Reason::WrongType, detail);
    } else {
        frame.text = Some(TextFrame::Junk);
        put_aside(&mut frame.defects, Record::Frame, String::new(), "", Reason::WrongType, detail);
    }
}

/// An array of which some message is not as it should be.
fn one_by_one<'a>(bytes: &'a [u8], frame: &mut Frame<'a>) {
    let raws: Vec<&'a RawValue> = match serde_json::from_slice(bytes) {
        Ok(raws) => raws,
        Err(why) => return not_json(&why, bytes, frame),
    };
    for (number, raw) in raws.into_iter().enumerate() {
        match serde_json::from_str::<Raw<'a>>(raw.get()) {
            Ok(raw) => frame.messages.extend(message(raw, number, &mut frame.defects)),
            Err(why) => {
                let detail = format!("{why}: {}", short(raw.get()));
                put_aside(&mut frame.defects, Record::Message, format!("#{number}"), "", Reason::WrongType, detail);
            }
        }
    }
}

/// The kind of a message; old tapes carry some without a type, whose shape tells it.
fn kind<'r>(raw: &'r Raw<'_>) -> &'r str {
    match raw.event_type.str() {
        Some(kind) => kind,
        None if raw.price_changes.is_some() || raw.changes.is_some() => "price_change",
        None if raw.bids.is_some() || raw.asks.is_some() || raw.buys.is_some() || raw.sells.is_some() => "book",
        None => "",
    }
}

fn message<'a>(raw: Raw<'a>, number: usize, defects: &mut Vec<Defect>) -> Option<Message<'a>> {
    match kind(&raw) {
        "price_change" => price_change(raw, number, defects).map(Message::PriceChange),
        "book" => {
            let book = RawBook {
                asset_id: raw.asset_id,
                market: raw.market,
                timestamp: raw.timestamp,
                hash: raw.hash,
                bids: raw.bids.or(raw.buys),
                asks: raw.asks.or(raw.sells),
                last_trade_price: raw.last_trade_price,
                tick_size: raw.tick_size,
                min_order_size: raw.min_order_size,
            };
            book.into_book(number, defects).map(Message::Book)
        }
        "last_trade_price" => trade(&raw, number, defects).map(Message::Trade),
        "tick_size_change" => {
            let (token, at) = token_and_time(&raw, number, defects)?;
            let (old, new) = (raw.old_tick_size.tick(), raw.new_tick_size.tick());
            let (old, new) = (old.and_then(Result::ok), new.and_then(Result::ok));
            Some(Message::TickSize(TickSizeChange { token, market: raw.market.text(), old, new, at }))
        }
        "best_bid_ask" => {
            let (token, at) = token_and_time(&raw, number, defects)?;
            Some(Message::Best(BestPrices {
                token,
                market: raw.market.text(),
                bid: Stated::read(&raw.best_bid, Side::Bid),
                ask: Stated::read(&raw.best_ask, Side::Ask),
                spread: raw.spread.tick().and_then(Result::ok),
                at,
            }))
        }
        "new_market" => Some(Message::NewMarket(Box::new(new_market(&raw)))),
        "market_resolved" => Some(Message::Resolved(Resolved {
            id: raw.id.text(),
            market: raw.market.text(),
            tokens: texts(raw.assets_ids.as_deref()).filter(|t| TokenId::is_valid(t)).collect(),
            winner: raw.winning_asset_id.text().filter(|t| TokenId::is_valid(t)),
            outcome: raw.winning_outcome.text(),
            at: raw.timestamp.millis(),
        })),
        "" => {
            let detail = "no event_type, and the shape tells none".to_owned();
            put_aside(defects, Record::Message, format!("#{number}"), "event_type", Reason::MissingField, detail);
            None
        }
        _ => Some(Message::Unknown(raw.event_type.text()?)),
    }
}

fn token_and_time<'a>(raw: &Raw<'a>, number: usize, defects: &mut Vec<Defect>) -> Option<(Cow<'a, str>, Timestamp)> {
    let (id, token) = token_of(&raw.asset_id, number);
    if let (Some(token), Some(at)) = (token, raw.timestamp.millis()) {
        return Some((token, at));
    }
    let detail = format!("asset {}, time {}", raw.asset_id.shown(), raw.timestamp.shown());
    put_aside(defects, Record::Message, id, "asset_id", Reason::MissingField, detail);
    None
}

fn trade<'a>(raw: &Raw<'a>, number: usize, defects: &mut Vec<Defect>) -> Option<TradeMessage<'a>> {
    let (token, at) = token_and_time(raw, number, defects)?;
    let read = raw.price.tick();
    let Some(Ok(price)) = read else {
        let (reason, detail) = refused(read, raw.price.shown());
        put_aside(defects, Record::Message, short(&token), "price", reason, detail);
        return None;
    };
    Some(TradeMessage {
        token,
        market: raw.market.text(),
        price,
        size: raw.size.shares().and_then(Result::ok),
        side: raw.side.str().and_then(Side::parse),
        at,
        fee_bps: raw.fee_rate_bps.number(),
        transaction: raw.transaction_hash.text(),
    })
}

/// All three shapes: `price_changes`, `changes` below a token, and one change at the top.
fn price_change<'a>(raw: Raw<'a>, number: usize, defects: &mut Vec<Defect>) -> Option<PriceChange<'a>> {
    let Some(at) = raw.timestamp.millis() else {
        let detail = raw.timestamp.shown();
        put_aside(defects, Record::Message, format!("#{number}"), "timestamp", Reason::BadTimestamp, detail);
        return None;
    };
    let top = RawChange {
        asset_id: raw.asset_id,
        price: raw.price,
        size: raw.size,
        side: raw.side,
        hash: raw.hash,
        best_bid: raw.best_bid,
        best_ask: raw.best_ask,
    };
    let mut out = PriceChange { market: raw.market.text(), at, changes: Vec::new(), lost: Vec::new() };
    match raw.price_changes.or(raw.changes) {
        Some(list) => {
            out.changes.reserve(list.len());
            for (number, change) in list.iter().enumerate() {
                // Legacy changes have their token and hash at the top.
                read_change(change, &top, number, &mut out, defects);
            }
        }
        None => read_change(&top, &top, number, &mut out, defects),
    }
    (!out.changes.is_empty() || !out.lost.is_empty()).then_some(out)
}

fn read_change<'a>(
    raw: &RawChange<'a>,
    top: &RawChange<'a>,
    number: usize,
    out: &mut PriceChange<'a>,
    defects: &mut Vec<Defect>,
) {
    let (id, token) = token_of(if raw.asset_id.is_present() { &raw.asset_id } else { &top.asset_id }, number);
    let Some(token) = token else {
        return put_aside(defects, Record::Change, id, "asset_id", Reason::MissingField, raw.asset_id.shown());
    };
    let side = raw.side.str().and_then(Side::parse);
    match (side, raw.price.tick(), raw.size.shares()) {
        (Some(side), Some(Ok(price)), Some(Ok(size))) => out.changes.push(Change {
            token,
            side,
            price,
            size,
            hash: raw.hash.text().or_else(|| top.hash.text()),
            best_bid: Stated::read(&raw.best_bid, Side::Bid),
            best_ask: Stated::read(&raw.best_ask, Side::Ask),
        }),
        (side, price, size) => {
            let (reason, detail) = match (side, price) {
                (None, _) => (Reason::MissingField, format!("side {}", raw.side.shown())),
                (_, Some(Err(why))) => (Reason::BadPrice, why.to_string()),
                _ => refused(size, format!("price {}, size {}", raw.price.shown(), raw.size.shown())),
            };
            put_aside(defects, Record::Change, id, "price", reason, detail);
            out.lost.push(token);
        }
    }
}

fn texts<'s, 'a>(list: Option<&'s [Scalar<'a>]>) -> impl Iterator<Item = Cow<'a, str>> + use<'s, 'a> {
    list.unwrap_or_default().iter().filter_map(Scalar::text)
}

fn new_market(raw: &Raw<'_>) -> NewMarket {
    let owned = |s: &Scalar<'_>| s.text().map(Cow::into_owned);
    let list = raw.clob_token_ids.as_deref().filter(|l| !l.is_empty()).or(raw.assets_ids.as_deref());
    let condition = raw.condition_id.text().or_else(|| raw.market.text());
    let event = raw.event_message.as_ref();
    NewMarket {
        id: owned(&raw.id),
        condition_id: condition.and_then(|c| ConditionId::parse(&c).ok()),
        question: owned(&raw.question),
        slug: owned(&raw.slug),
        description: owned(&raw.description),
        tokens: texts(list).filter_map(|t| TokenId::parse(&t).ok()).collect(),
        outcomes: texts(raw.outcomes.as_deref()).map(Cow::into_owned).collect(),
        tags: texts(raw.tags.as_deref()).map(Cow::into_owned).collect(),
        active: raw.active.flag(),
        sports_market_type: owned(&raw.sports_market_type),
        line: raw.line.number().and_then(Line::from_points),
        game_start_time: raw.game_start_time.str().and_then(time),
        tick_size: raw.order_price_min_tick_size.tick().and_then(Result::ok),
        group_item_title: owned(&raw.group_item_title),
        event_id: event.and_then(|e| owned(&e.id)),
        event_slug: event.and_then(|e| owned(&e.slug)),
        event_title: event.and_then(|e| owned(&e.title)),
        at: raw.timestamp.millis(),
    }
}
