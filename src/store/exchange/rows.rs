//! The rows.

use serde::{Deserialize, Serialize};

use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::time::Timestamp;

/// A game as an exchange lists it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListingRow {
    /// Our number of it; 0 before it is stored.
    pub id: i64,
    /// The exchange's own id.
    pub key: String,
    /// Name in addresses.
    pub slug: String,
    /// For people.
    pub title: String,
    /// Sport key.
    pub sport: String,
    /// Day of the game where it is played, as `2026-11-20`.
    pub date: String,
    /// Start, where it tells one.
    pub starts: Option<Timestamp>,
    /// The teams in the order of the title.
    pub teams: Option<[String; 2]>,
    /// The game is over.
    pub over: bool,
    /// Dollars traded, as last told.
    pub volume: Option<f64>,
    /// When it was first and last listed.
    pub seen: (Timestamp, Timestamp),
}

/// A contract: two outcomes of which one will pay a dollar.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ContractRow {
    /// Our number of it; 0 before it is stored.
    pub id: i64,
    /// Our number of the listing.
    pub event: i64,
    /// Condition id.
    pub condition: String,
    /// Name in addresses.
    pub slug: String,
    /// What is asked.
    pub question: String,
    /// `moneyline`, `spread`, `total`, `period`, `player_prop`, `three_way_leg` or `other`.
    pub kind: String,
    /// What the kind needs, as JSON: `team`, `leg`, `period`, `why`.
    pub about: String,
    /// Line of the first outcome.
    pub line: Option<Line>,
    /// Names of the outcomes.
    pub outcomes: [String; 2],
    /// Their tokens.
    pub tokens: [String; 2],
    /// Fee a taker pays: this times `p (1 - p)` a share.
    pub fee_rate: Option<f64>,
    /// Rules of settlement, as JSON: an array of `topic`, `rule`, `text`.
    pub settlement: String,
    /// Why it cannot be traded; `None`: it can.
    pub why_not: Option<String>,
    /// The outcome that won.
    pub winner: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How sure a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It is this game.
    Linked,
    /// A person has to say.
    Review,
    /// None of our games is it.
    #[default]
    None,
    /// A person has said that it is none.
    Refused,
}

impl LinkState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Linked, Self::Review, Self::None, Self::Refused];

    /// As in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Review => "review",
            Self::None => "none",
            Self::Refused => "refused",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|s| s.name() == name).unwrap_or_default()
    }
}

/// Who made a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkHow {
    /// The rules of matching.
    #[default]
    Auto,
    /// A person.
    User,
}

impl LinkHow {
    /// As in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::User => "user",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        if name == "user" { Self::User } else { Self::Auto }
    }
}

/// Which of our games a listing is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// Our number of the listing.
    pub listing: i64,
    /// Our game, where there is one.
    pub event: Option<EventId>,
    /// The first team of the title is the home team, where that is known.
    pub home_first: Option<bool>,
    /// How sure.
    pub state: LinkState,
    /// By whom.
    pub how: LinkHow,
    /// From 0 to 1.
    pub confidence: f64,
    /// Why, as a JSON array of texts; of a review an array of objects with `event`, `confidence`, `reasons`.
    pub reasons: String,
    /// Since when.
    pub at: Timestamp,
}

/// Whether a stored book can be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookState {
    /// Yes.
    #[default]
    Live,
    /// It is crossed or contradicts itself.
    Doubtful,
    /// Nothing is heard: from here on it is not known.
    Unknown,
}

impl BookState {
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Doubtful => 1,
            Self::Unknown => 2,
        }
    }

    pub(super) const fn from_number(n: u8) -> Self {
        match n {
            0 => Self::Live,
            1 => Self::Doubtful,
            _ => Self::Unknown,
        }
    }
}

/// One price of an order book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DepthLevel {
    /// Ten-thousandths of a dollar.
    pub price: u16,
    /// Millionths of a share.
    pub size: u64,
}

impl DepthLevel {
    /// The price as a probability.
    pub fn probability(self) -> f64 {
        f64::from(self.price) / 10_000.0
    }

    /// Shares.
    pub fn shares(self) -> f64 {
        self.size as f64 / 1e6
    }

    /// What taking all of it costs, in dollars before fees.
    pub fn dollars(self) -> f64 {
        self.probability() * self.shares()
    }
}

/// An order book from an instant on, seen from the first outcome.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BookRow {
    /// Our number of the contract.
    pub market: i64,
    /// When it was received.
    pub at: Timestamp,
    /// When it changed, by the exchange's clock.
    pub changed_at: Option<Timestamp>,
    /// Whether it can be believed.
    pub state: BookState,
    /// Within two cents of the best, of each side. Millionths of a share.
    pub near: [Option<u64>; 2],
    /// The middle weighted by size, where there is one. Probability.
    pub middle: Option<f64>,
    /// The best five bids, the best first.
    pub bids: Vec<DepthLevel>,
    /// The best five asks, the best first.
    pub asks: Vec<DepthLevel>,
}

impl BookRow {
    /// The highest bid.
    pub fn bid(&self) -> Option<DepthLevel> {
        self.bids.first().copied()
    }

    /// The lowest ask.
    pub fn ask(&self) -> Option<DepthLevel> {
        self.asks.first().copied()
    }
}

/// A trade.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TradeRow {
    /// Our number of the contract.
    pub market: i64,
    /// By the exchange's clock.
    pub at: Timestamp,
    /// Shares of the first outcome, else of the other.
    pub first: bool,
    /// `buy` or `sell`: of the taker.
    pub side: Option<String>,
    /// Ten-thousandths of a dollar, of that outcome.
    pub price: u16,
    /// Millionths of a share.
    pub size: Option<u64>,
}

/// A time in which nothing was heard.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GapRow {
    /// From.
    pub since: Timestamp,
    /// To.
    pub until: Timestamp,
    /// Why.
    pub why: String,
    /// Of how many contracts.
    pub markets: u32,
}

/// A middle of the past.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PricePoint {
    /// When.
    pub at: Timestamp,
    /// Probability of the first outcome.
    pub price: f64,
}
