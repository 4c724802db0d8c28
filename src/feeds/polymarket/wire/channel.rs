//! The frames of the market channel.
//!
//! Owns the reader of one frame: typed messages that borrow from it, and defects. A frame that is all sound is read in
//! one pass; only when that fails are its messages read one by one, so that a bad one is put aside alone. No bytes make
//! it panic.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Defect, Record, Scalar, note, time};
use crate::feeds::polymarket::ids::{ConditionId, Refused, Shares, Side, Tick, TokenId, short};
use crate::market::line::Line;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// A price and how many shares there are at it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Level {
    /// Price.
    pub price: Tick,
    /// All shares at this price.
    pub size: Shares,
}

/// A best price as a message states it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stated {
    /// The message says nothing.
    #[default]
    Silent,
    /// That side is empty: written as a bid of 0 or an ask of 1.
    Empty,
    /// This price.
    At(Tick),
}

impl Stated {
    fn read(scalar: &Scalar<'_>, side: Side) -> Self {
        match scalar.tick() {
            Some(Ok(Tick::ZERO)) if side == Side::Bid => Self::Empty,
            Some(Ok(Tick::ONE)) if side == Side::Ask => Self::Empty,
            Some(Ok(tick)) => Self::At(tick),
            _ => Self::Silent,
        }
    }
}

/// A whole book of one token.
#[derive(Clone, PartialEq, Debug)]
pub struct BookMessage<'a> {
    /// Whose.
    pub token: Cow<'a, str>,
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// Time of the last change of the book, not of the message.
    pub at: Timestamp,
    /// Changes together with the time.
    pub hash: Option<Cow<'a, str>>,
    /// Bids in the order of the message; sizes of zero are left out.
    pub bids: Vec<Level>,
    /// Asks in the order of the message; sizes of zero are left out.
    pub asks: Vec<Level>,
    /// The last trade, where it is told.
    pub last_trade: Option<Tick>,
    /// The smallest step of a price, where it is told.
    pub tick_size: Option<Tick>,
    /// The smallest order, where it is told.
    pub min_size: Option<Shares>,
    /// Some level could not be read: the book is incomplete.
    pub incomplete: bool,
}

impl BookMessage<'_> {
    /// The same book, independent of the bytes it was read from.
    pub fn into_owned(self) -> BookMessage<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        BookMessage {
            token: own(self.token),
            market: self.market.map(own),
            hash: self.hash.map(own),
            at: self.at,
            bids: self.bids,
            asks: self.asks,
            last_trade: self.last_trade,
            tick_size: self.tick_size,
            min_size: self.min_size,
            incomplete: self.incomplete,
        }
    }
}

/// The new total at one price.
#[derive(Clone, PartialEq, Debug)]
pub struct Change<'a> {
    /// Whose book.
    pub token: Cow<'a, str>,
    /// Which list.
    pub side: Side,
    /// Where.
    pub price: Tick,
    /// All shares that are there now; none removes the level.
    pub size: Shares,
    /// The book's hash after the change.
    pub hash: Option<Cow<'a, str>>,
    /// The best bid after the change.
    pub best_bid: Stated,
    /// The best ask after the change.
    pub best_ask: Stated,
}

/// Changes of the books of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct PriceChange<'a> {
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// When.
    pub at: Timestamp,
    /// The changes, in the order of the message.
    pub changes: Vec<Change<'a>>,
    /// Tokens of changes that could not be read: their books are wrong from here on.
    pub lost: Vec<Cow<'a, str>>,
}

/// One trade.
#[derive(Clone, PartialEq, Debug)]
pub struct TradeMessage<'a> {
    /// The token.
    pub token: Cow<'a, str>,
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// Price.
    pub price: Tick,
    /// Shares; `None` when it is not told.
    pub size: Option<Shares>,
    /// What the taker did.
    pub side: Option<Side>,
    /// When.
    pub at: Timestamp,
    /// Fee in hundredths of a percent, as told; not the charged rate.
    pub fee_bps: Option<f64>,
    /// The transaction.
    pub transaction: Option<Cow<'a, str>>,
}

/// The step of prices changed: the book is void until the next `book`.
#[derive(Clone, PartialEq, Debug)]
pub struct TickSizeChange<'a> {
    /// The token.
    pub token: Cow<'a, str>,
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// The step so far.
    pub old: Option<Tick>,
    /// The step from now on.
    pub new: Option<Tick>,
    /// When.
    pub at: Timestamp,
}

/// Best prices without the book.
#[derive(Clone, PartialEq, Debug)]
pub struct BestPrices<'a> {
    /// The token.
    pub token: Cow<'a, str>,
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// Best bid.
    pub bid: Stated,
    /// Best ask.
    pub ask: Stated,
    /// Their difference as told.
    pub spread: Option<Tick>,
    /// When.
    pub at: Timestamp,
}

/// A market that has come into being. Texts are often empty, which is `None` here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NewMarket {
    /// Gamma's number of the market.
    pub id: Option<String>,
    /// The market.
    pub condition_id: Option<ConditionId>,
    /// The question.
    pub question: Option<String>,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// The rules.
    pub description: Option<String>,
    /// Tokens, in the order of the outcomes.
    pub tokens: Vec<TokenId>,
    /// Names of the outcomes.
    pub outcomes: Vec<String>,
    /// Tags as text.
    pub tags: Vec<String>,
    /// Listed.
    pub active: Option<bool>,
    /// `moneyline`, `spreads` and others.
    pub sports_market_type: Option<String>,
    /// The point.
    pub line: Option<Line>,
    /// Start of the game.
    pub game_start_time: Option<Timestamp>,
    /// The smallest step of a price.
    pub tick_size: Option<Tick>,
    /// Short title inside its event.
    pub group_item_title: Option<String>,
    /// Gamma's number of the event.
    pub event_id: Option<String>,
    /// The event's name in addresses.
    pub event_slug: Option<String>,
    /// The event's title.
    pub event_title: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// A market that is decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved<'a> {
    /// Gamma's number of the market.
    pub id: Option<Cow<'a, str>>,
    /// The market.
    pub market: Option<Cow<'a, str>>,
    /// Its tokens.
    pub tokens: Vec<Cow<'a, str>>,
    /// The token that pays. `None` where nobody won, as at 50-50.
    pub winner: Option<Cow<'a, str>>,
    /// The name of the outcome that won.
    pub outcome: Option<Cow<'a, str>>,
    /// When.
    pub at: Option<Timestamp>,
}

/// One message.
#[derive(Clone, PartialEq, Debug)]
pub enum Message<'a> {
    /// A whole book.
    Book(BookMessage<'a>),
    /// Changes of books.
    PriceChange(PriceChange<'a>),
    /// A trade.
    Trade(TradeMessage<'a>),
    /// A new step of prices.
    TickSize(TickSizeChange<'a>),
    /// Best prices.
    Best(BestPrices<'a>),
    /// A new market.
    NewMarket(Box<NewMarket>),
    /// A decided market.
    Resolved(Resolved<'a>),
    /// A type that we do not know: counted, not used.
    Unknown(Cow<'a, str>),
}

/// What a frame that is not JSON says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextFrame {
    /// The answer to our `PING`.
    Pong,
    /// They ask us.
    Ping,
    /// `NO NEW ASSETS`: all that we subscribed to we had already.
    NoNewAssets,
    /// `INVALID OPERATION`.
    InvalidOperation,
    /// An empty frame.
    Empty,
    /// Anything else.
    Junk,
}

/// A frame, read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Frame<'a> {
    /// Set when the frame is no JSON.
    pub text: Option<TextFrame>,
    /// Its messages.
    pub messages: Vec<Message<'a>>,
    /// What could not be read.
    pub defects: Vec<Defect>,
}

impl Frame<'_> {
    /// Carries something about the market: what a watchdog waits for.
    pub fn is_data(&self) -> bool {
        !self.messages.is_empty()
    }
}

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
