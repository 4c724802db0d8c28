//! The messages of the market channel, as values.
//!
//! Owns what a message says; [`super::channel`] owns how it is written. Texts borrow from the frame.

use std::borrow::Cow;

use super::lenient::{Defect, Scalar};
use crate::feeds::polymarket::ids::{ConditionId, Shares, Side, Tick, TokenId};
use crate::market::line::Line;
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
    pub(super) fn read(scalar: &Scalar<'_>, side: Side) -> Self {
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
