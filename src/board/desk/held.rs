//! Which games of the slate on show each list holds: worked out when the slate, a list or (where time matters) the minute
//! changes, and only for games that changed. Everything that draws looks it up.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::alerts::watchlist::Compiled;
use crate::board::facts::{Ground, Row, WholeGame};
use crate::board::model::{Game, Slate};
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// What the lists hold of one slate.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The slate that it is about.
    pub slate: Arc<Slate>,
    /// For each list the places of its games in the slate.
    pub games: Vec<Vec<usize>>,
    /// Folded texts of the slate.
    pub ground: Ground,
    lists_version: u64,
    minute: i64,
    by_game: FxHashMap<EventId, (Arc<Game>, Arc<[bool]>)>,
    watched: FxHashSet<Box<str>>,
}

/// The minute of an instant: what depends on time is worked out anew in each.
pub const fn minute(now: Timestamp) -> i64 {
    now.millis().div_euclid(60_000)
}

impl Held {
    /// It is about this slate, these lists, and this minute as far as that matters.
    pub fn is_of(&self, slate: &Arc<Slate>, lists_version: u64, timed: bool, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.slate, slate) && self.lists_version == lists_version && (!timed || self.minute == minute(now))
    }

    /// Works it out; what is the same is taken over.
    #[must_use]
    pub fn renewed(
        &self,
        slate: &Arc<Slate>,
        lists: &[Compiled],
        lists_version: u64,
        now: Timestamp,
        max_age_ms: i64,
    ) -> Self {
        let ground = self.ground.of(slate);
        let timed = lists.iter().any(|l| l.timed);
        let same = self.lists_version == lists_version && (!timed || self.minute == minute(now));
        let mut games = vec![Vec::new(); lists.len()];
        let mut by_game = FxHashMap::default();
        let mut watched = FxHashSet::default();
        for (at, game) in slate.games.iter().enumerate() {
            let known = self.by_game.get(&game.who.id).filter(|(was, _)| same && Arc::ptr_eq(was, game));
            let holds: Arc<[bool]> = match known {
                Some((_, holds)) => holds.clone(),
                None => {
                    // Lists are asked without lists: a rule that asks for lists finds none.
                    let whole = WholeGame { row: Row::new(&ground, game, None, now, max_age_ms, &[]) };
                    lists.iter().map(|l| l.holds(&whole)).collect()
                }
            };
            for (games, _) in games.iter_mut().zip(holds.iter()).filter(|(_, holds)| **holds) {
                games.push(at);
            }
            if holds.contains(&true) {
                watched.insert(game.who.provider_id.clone());
            }
            by_game.insert(game.who.id, (game.clone(), holds));
        }
        Self { slate: slate.clone(), games, ground, lists_version, minute: minute(now), by_game, watched }
    }

    /// Some list holds the game.
    pub fn is_watched(&self, game: &Game) -> bool {
        self.watched.contains(&game.who.provider_id)
    }

    /// For each list whether it holds the game; `None`: the game is not on the slate.
    pub fn lists_of(&self, event: EventId) -> Option<&[bool]> {
        self.by_game.get(&event).map(|(_, holds)| &**holds)
    }

    /// The list at `list` holds the game; `None`: the game is not on the slate.
    pub fn holds(&self, list: usize, event: EventId) -> Option<bool> {
        self.lists_of(event).map(|holds| holds.get(list).copied().unwrap_or(false))
    }
}
