//! Which games pass: the user's filter and the watchlist on show.
//!
//! A list is asked about a game as a whole; the filter about the game and the market on the board. What is asked of every
//! game for every frame of a replay is looked up, not read: filter and lists are made ready when they change.

use crate::board::app::App;
use crate::board::desk;
use crate::board::facts::{NamedGame, Row};
use crate::board::model::{Game, Market};
use crate::engine::detect::signal::Signal;

/// Answers for a game and its market.
pub type Passes = Box<dyn Fn(&Game, Option<&Market>) -> bool>;

/// What passes on the board, and why the filter cannot be used, if it cannot. A filter that cannot be used lets all
/// through, and so does a list that has not been read.
pub fn board(app: &App) -> (Passes, Option<String>) {
    let (filter, error) = match desk::filter(app) {
        Ok(filter) => (filter, None),
        Err(why) => (None, Some(why)),
    };
    let list = desk::chosen(app);
    if filter.is_none() && list.is_none() {
        return (Box::new(|_, _| true), error);
    }
    let held = desk::held(app);
    let lists = app.desk.compiled.clone();
    let (now, max_age) = (app.now(), app.at.max_age_ms);
    let passes = move |game: &Game, market: Option<&Market>| {
        if list.is_some_and(|list| held.holds(list, game.who.id) == Some(false)) {
            return false;
        }
        let Some(filter) = &filter else { return true };
        let holds = held.lists_of(game.who.id).unwrap_or_default();
        let mut names = [""; 8];
        let mut many = Vec::new();
        let holding = lists.iter().zip(holds).filter(|(_, h)| **h).map(|(l, _)| l.folded.as_str());
        let mut count = 0;
        for (at, name) in holding.enumerate() {
            if let Some(place) = names.get_mut(at) {
                *place = name;
                count = at + 1;
            } else {
                // Hardly anybody has a game in so many lists.
                if many.is_empty() {
                    many.extend(names);
                }
                many.push(name);
            }
        }
        let names = if many.is_empty() { names.get(..count).unwrap_or_default() } else { &many };
        filter.matches(&Row::new(&held.ground, game, market, now, max_age, names))
    };
    (Box::new(passes), error)
}

/// Answers for signals whether their game is in the list on show; all are, where none is chosen.
pub fn signals(app: &App) -> Box<dyn Fn(&Signal) -> bool> {
    let Some(list) = desk::chosen(app) else { return Box::new(|_| true) };
    let (held, lists) = (desk::held(app), app.desk.compiled.clone());
    Box::new(move |signal| {
        held.holds(list, signal.event_id)
            .unwrap_or_else(|| lists.get(list).is_none_or(|l| l.holds(&NamedGame::new(signal))))
    })
}

/// The signal's game is in the list on show. For many signals see [`signals`].
pub fn passes_signal(app: &App, signal: &Signal) -> bool {
    signals(app)(signal)
}

#[cfg(test)]
mod tests {
    use crate::board::app::App;
    use crate::board::testing;
    use crate::filter::Filter;

    fn games(app: &mut App, filter: &str) -> (usize, Option<String>) {
        app.prefs.filter = filter.into();
        app.moved();
        (app.pages.board.rows.games, app.pages.board.filter_error.clone())
    }

    #[test]
    fn the_filter_chooses_rows() {
        let mut app = testing::board(160, 45);
        let all = app.slate().games.len();
        assert_eq!(games(&mut app, "").0, all);
        let nba = app.slate().games.iter().filter(|g| &*g.who.sport_key == "basketball_nba").count();
        assert_eq!(games(&mut app, "sport:nba").0, nba);
        assert_eq!(games(&mut app, "celtics"), (1, None));
        assert_eq!(games(&mut app, "montreal").0, 1, "accents do not matter");
        assert_eq!(games(&mut app, "team:bos").0, games(&mut app, "boston").0);
        assert_eq!(games(&mut app, "is:pregame").0 + games(&mut app, "is:started").0, all);
        assert_eq!(games(&mut app, "book:pinnacle books>=3").0, games(&mut app, "book:pin books>=3").0);
        assert_eq!(games(&mut app, "market:totals").0, 0, "the market on the board is the spread");
        let (some, few) = (games(&mut app, "ev>-100").0, games(&mut app, "ev>0").0);
        assert!(some > few && few > 0, "{some} {few}");
        assert!(games(&mut app, "lead:0..1h").0 > 0 && games(&mut app, "age<10m").0 > 0);
        assert!(games(&mut app, "move>=1").0 > 0 && games(&mut app, "side:home line<0").0 > 0);
        assert_eq!(games(&mut app, "side:over").0, 0);
        assert_eq!(games(&mut app, "is:watched").0, 0);
        assert!(
            games(&mut app, "status:gone").0 > 0 && games(&mut app, "is:gone").0 < games(&mut app, "status:gone").0
        );
    }

    #[test]
    fn a_filter_that_cannot_be_used_says_why_and_hides_nothing() {
        let mut app = testing::board(160, 45);
        let all = app.slate().games.len();
        let (shown, why) = games(&mut app, "streng>7");
        assert_eq!(shown, all);
        assert!(why.is_some_and(|w| w.contains("strength")));
        assert_eq!(games(&mut app, "").1, None);
    }

    /// 400 games in some ten milliseconds without optimisation is well under two with it.
    #[test]
    fn many_games_are_sieved_fast() {
        let mut app = testing::board(160, 45);
        let mut slate = (*app.live).clone();
        let own = slate.games.clone();
        while slate.games.len() < 400 {
            slate.games.extend(own.iter().cloned());
        }
        slate.games.truncate(400);
        app.arrived(std::sync::Arc::new(slate));
        app.prefs.filter = "(celtics or sport:nhl or ev>1) -is:gone books>=2 lead>-3h".into();
        assert!(Filter::parse(&app.prefs.filter).is_ok());
        let (passes, _) = super::board(&app);
        let (slate, began) = (app.slate().clone(), std::time::Instant::now());
        let kept = slate.games.iter().filter(|g| passes(g, g.market("spreads"))).count();
        let took = began.elapsed();
        assert!(kept > 0 && kept < 400);
        assert!(took.as_millis() < 40, "{took:?}");
    }
}
