//! Which games the user watches: the watchlists of the desk, asked of the games in the store.
//!
//! Blocking; for those who may wait for a disk.

use std::collections::BTreeMap;
use std::path::Path;

use crate::alerts::facts::{Folded, GameNow, MarketFacts, code};
use crate::alerts::watchlist::Compiled;
use crate::engine::changes::EventStatus;
use crate::filter::fold;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::credit::GameRow;
use crate::store::desk::{Desk, DeskError};

/// Games by our number, with the provider's id.
pub type Watched = BTreeMap<EventId, Box<str>>;

/// The watchlists of the desk at `path`, made ready; none where there is no desk yet.
///
/// # Errors
/// [`DeskError`] when the desk cannot be read.
pub fn lists(path: &Path) -> Result<Vec<Compiled>, DeskError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let desk = Desk::open(path)?;
    let saved = desk.filters()?;
    Ok(desk.contents()?.iter().map(|list| Compiled::new(list, &saved)).collect())
}

/// The games of a sport that some list holds, by any of these markets.
pub fn of_sport(lists: &[Compiled], sport: &str, markets: &[String], games: &[GameRow], now: Timestamp) -> Watched {
    let held = |game: &&GameRow| {
        let mut facts = facts(sport, game, now);
        markets.iter().any(|market| {
            facts.market.clone_from(market);
            facts.folded.market = fold(market);
            lists.iter().any(|list| list.holds(&facts))
        })
    };
    games.iter().filter(held).map(|g| (g.event, g.provider_id.clone())).collect()
}

fn facts(sport: &str, game: &GameRow, now: Timestamp) -> MarketFacts {
    let short = |name: &str| code(sport, name).unwrap_or_default();
    let folded = Folded {
        teams: [&*game.home, &*game.away, &short(&game.home), &short(&game.away)].map(fold).into(),
        sport: fold(sport),
        game: [game.event.0.to_string(), fold(&game.provider_id)],
        market: String::new(),
        books: Vec::new(),
    };
    let live = game.status == EventStatus::Live || game.status == EventStatus::Scheduled && now >= game.start;
    MarketFacts {
        provider_id: game.provider_id.to_string(),
        sport: sport.to_owned(),
        names: [game.home.to_string(), game.away.to_string()],
        folded,
        market: String::new(),
        side: "",
        offer: None,
        books: 0,
        age: None,
        game: GameNow { commence: game.start, status: game.status, live },
        watched: true,
        now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::desk::NewRule;

    fn game(n: u32, home: &str, away: &str) -> GameRow {
        GameRow {
            event: EventId(n),
            provider_id: format!("p{n}").into(),
            home: home.into(),
            away: away.into(),
            start: Timestamp::from_secs(1_800_000_000),
            status: EventStatus::Scheduled,
            standing: crate::engine::standing::Standing::Scheduled,
        }
    }

    #[test]
    fn what_a_list_holds_is_watched() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("desk.db");
        assert!(lists(&path).expect("no desk yet").is_empty());
        let mut desk = Desk::open(&path).expect("desk");
        let list = desk.create("Tonight").expect("list");
        desk.add_rule(list.id, &NewRule::team("Boston Celtics", None)).expect("rule");
        desk.add_rule(list.id, &NewRule::filter("team:heat")).expect("rule");
        let games =
            [game(1, "Boston Celtics", "New York Knicks"), game(2, "Utah Jazz", "Miami Heat"), game(3, "A", "B")];
        let lists = lists(&path).expect("lists");
        let markets = ["h2h".to_owned()];
        let now = Timestamp::from_secs(1_799_990_000);
        let watched = of_sport(&lists, "basketball_nba", &markets, &games, now);
        assert_eq!(watched.keys().map(|e| e.0).collect::<Vec<_>>(), [1, 2]);
        assert!(of_sport(&lists, "basketball_nba", &[], &games, now).is_empty());
    }
}
