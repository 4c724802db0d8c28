//! The settings of the analysis, typed: vig removal, fair price, signals, opportunities.
//!
//! Owns their form only; what they mean is the engine's business and what is allowed is the table of keys'. Durations
//! and numbers are within their bounds when they come here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::settings::duration;
use crate::market::devig::Method;

/// How the margin of a book is taken off.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct DevigSettings {
    /// Method for moneylines and for every market that is neither `spreads` nor `totals`.
    pub h2h: Method,
    /// Method for spreads of whole games.
    pub spreads: Method,
    /// Method for totals of whole games.
    pub totals: Method,
    /// A market whose raw probabilities sum to more does not count.
    pub max_overround: f64,
    /// An exchange whose back and lay differ by more probability does not count.
    pub max_exchange_spread: f64,
}

/// The fair price and the consensus of the board.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct FairSettings {
    /// A vote is halved with every so much age.
    #[serde(deserialize_with = "duration")]
    pub half_life: Duration,
    /// Books of a consensus, at least.
    pub min_books: u16,
    /// Independent families of a fair price, at least.
    pub min_families: u16,
    /// A published fair price moves by at least so much probability.
    pub step: f64,
    /// Books with a vote of their own in place of the book table's.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
}

/// MOVE: the market as a whole moved. Also the cooldown: as long as the window.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct MoveSettings {
    /// Window of spreads.
    #[serde(deserialize_with = "duration")]
    pub spreads_window: Duration,
    /// Window of totals.
    #[serde(deserialize_with = "duration")]
    pub totals_window: Duration,
    /// Window of everything else.
    #[serde(deserialize_with = "duration")]
    pub h2h_window: Duration,
    /// Threshold of spreads. Points.
    pub spreads_points: f64,
    /// Threshold of totals. Points.
    pub totals_points: f64,
    /// Threshold of everything else. Probability.
    pub h2h_probability: f64,
    /// Independent books that quote the market at both ends of the window, at least.
    pub books: u16,
}

/// KEY_CROSS: the consensus line crossed a key number. Cooldown: the window.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct KeyCrossSettings {
    /// Window of spreads.
    #[serde(deserialize_with = "duration")]
    pub spreads_window: Duration,
    /// Window of totals.
    #[serde(deserialize_with = "duration")]
    pub totals_window: Duration,
    /// Books that quote the market at both ends of the window, at least.
    pub books: u16,
}

/// MULTIBOOK_SYNC: several books moved the same way. Cooldown: the window.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct MultibookSyncSettings {
    /// Window.
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
    /// Independent books that moved the same way, at least.
    pub books: u16,
    /// Each by at least so many points: spreads and totals.
    pub points: f64,
    /// Each by at least so much probability: everything else.
    pub probability: f64,
}

/// STEAM: many books moved the same way at once, and far.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct SteamSettings {
    /// Window.
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
    /// Independent books that moved the same way, at least.
    pub books: u16,
    /// Threshold of spreads. Points.
    pub spreads_points: f64,
    /// Threshold of totals. Points.
    pub totals_points: f64,
    /// Threshold of everything else. Probability.
    pub h2h_probability: f64,
    /// Time before the same signal may come again.
    #[serde(deserialize_with = "duration")]
    pub cooldown: Duration,
    /// Signals an event, at most.
    pub cap: u16,
}

/// DISLOCATION: one quote far from the fair price of the others.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct DislocationSettings {
    /// Distance of spreads. Points.
    pub spreads_points: f64,
    /// Distance of totals. Points.
    pub totals_points: f64,
    /// Distance of everything else. Probability.
    pub h2h_probability: f64,
    /// Time before the same quote may be named again.
    #[serde(deserialize_with = "duration")]
    pub cooldown: Duration,
    /// Signals an event, at most.
    pub cap: u16,
    /// How far back moves tell whose doing it is.
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
}

/// EXCHANGE_DIVERGENCE: an exchange that is listened to and the books disagree.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct DivergenceSettings {
    /// Distance. Probability.
    pub probability: f64,
    /// How far back moves tell who moved first.
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
    /// Time before the same market may be named again.
    #[serde(deserialize_with = "duration")]
    pub cooldown: Duration,
    /// Signals an event, at most.
    pub cap: u16,
    /// The usual distance by sport key, which is taken off. Probability.
    #[serde(default)]
    pub shift: BTreeMap<String, f64>,
}

/// LIVE_SHOCK: a game in play moved by a great deal. Cooldown: the window.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct LiveShockSettings {
    /// Which games in play are watched.
    pub watch: Watch,
    /// Window.
    #[serde(deserialize_with = "duration")]
    pub window: Duration,
    /// Threshold of spreads. Points.
    pub spreads_points: f64,
    /// Threshold of totals. Points.
    pub totals_points: f64,
    /// Threshold of everything else. Probability.
    pub h2h_probability: f64,
}

/// Which games in play are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// None of them.
    None,
    /// Those on watchlists.
    Watchlists,
    /// All of them.
    All,
}

/// Bets that are worth telling.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct OpportunitySettings {
    /// Expected profit of a single bet on a stake of 1, at least.
    pub min_ev: f64,
    /// A quote older than this cannot be taken.
    #[serde(deserialize_with = "duration")]
    pub max_age: Duration,
    /// The legs of one bet were seen within so long of one another.
    #[serde(deserialize_with = "duration")]
    pub max_skew: Duration,
    /// Above this expected profit an error is more likely than a gift.
    pub suspect_above: f64,
    /// Hold over the best prices, at most.
    pub max_hold: f64,
}
