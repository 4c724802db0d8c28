//! An answer before it is written: what a look at the world sees. Faults bend this; the writer prints it.

use std::borrow::Cow;

use super::pricing::Odds;
use crate::market::time::Timestamp;

/// One event.
#[derive(Clone, Debug)]
pub struct EventView {
    /// Number of the game in the world.
    pub game: usize,
    /// Place among the games of its sport.
    pub index: usize,
    /// Provider id.
    pub id: String,
    /// Sport key.
    pub sport: &'static str,
    /// Sport title.
    pub title: &'static str,
    /// Start as the provider gives it now.
    pub commence: Timestamp,
    /// Home team.
    pub home: &'static str,
    /// Away team.
    pub away: &'static str,
    /// Rotation numbers, home and away.
    pub rotation: Option<(u32, u32)>,
    /// Books. `None` writes null.
    pub books: Option<Vec<BookView>>,
    /// Write fields that no document mentions.
    pub extra_fields: bool,
}

/// One book in an event.
#[derive(Clone, Debug)]
pub struct BookView {
    /// Key.
    pub key: &'static str,
    /// Name.
    pub title: &'static str,
    /// When the provider last looked.
    pub last_update: Timestamp,
    /// Markets.
    pub markets: Vec<MarketView>,
}

/// One market.
#[derive(Clone, Debug)]
pub struct MarketView {
    /// Key.
    pub key: Cow<'static, str>,
    /// When the provider last saw it.
    pub last_update: Timestamp,
    /// Outcomes.
    pub outcomes: Vec<OutcomeView>,
}

/// A price as it will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceView {
    /// Odds.
    Odds(Odds),
    /// Something that is no number, written as a string.
    Text(&'static str),
}

/// One outcome.
#[derive(Clone, Debug)]
pub struct OutcomeView {
    /// Team, `Over`, `Under`, `Draw`.
    pub name: &'static str,
    /// Whom a proposition is about.
    pub description: Option<Cow<'static, str>>,
    /// Price.
    pub price: PriceView,
    /// Point in hundredths.
    pub point: Option<i32>,
    /// Bet limit, whole units.
    pub limit: Option<u32>,
}
