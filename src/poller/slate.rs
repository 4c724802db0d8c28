//! The games of a sport, as far as planning needs to know them.

use std::sync::Arc;

use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// How far a game is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GameState {
    /// Not known to have started.
    Scheduled,
    /// Under way.
    Live,
    /// Over, cancelled or postponed without a date: no reason to ask anything.
    Over,
}

/// A game.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Game {
    /// Which.
    pub event: EventId,
    /// Its start, as it is scheduled now.
    pub start: Timestamp,
    /// How far it is.
    pub state: GameState,
    /// The user watches it.
    pub watched: bool,
}

/// A sport with its games, and what was asked about it last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SportSlate {
    /// Sport key.
    pub sport: Arc<str>,
    /// Its games, by start and then by number.
    pub games: Vec<Game>,
    /// When its odds were asked for last.
    pub odds_at: Option<Timestamp>,
    /// When its free listing was read last; `None`: never, so its games may not be known.
    pub listed_at: Option<Timestamp>,
    /// When its scores were asked for last.
    pub scores_at: Option<Timestamp>,
    /// Not asked before then.
    pub paused_until: Option<Timestamp>,
}

impl SportSlate {
    /// A sport of which nothing is known.
    pub fn unknown(sport: &str) -> Self {
        Self {
            sport: sport.into(),
            games: Vec::new(),
            odds_at: None,
            listed_at: None,
            scores_at: None,
            paused_until: None,
        }
    }

    /// Takes over what is known of its games.
    pub fn set_games(&mut self, mut games: Vec<Game>) {
        games.sort_by_key(|g| (g.start, g.event));
        self.games = games;
    }
}
