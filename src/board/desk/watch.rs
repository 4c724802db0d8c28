//! A game into a watchlist or out of it, and which list is on show.

use super::{change, choose, chosen, held};
use crate::alerts::watchlist::Subject;
use crate::board::app::{App, Page};
use crate::board::facts::{NamedGame, Row, WholeGame};
use crate::board::keys::Action;
use crate::board::model::Game;
use crate::board::pages;
use crate::engine::detect::signal::Signal;
use crate::market::ids::EventId;
use crate::store::desk::{Game as Remembered, Toggled};

/// The name of the first list, made when a game is watched and there is none.
pub const FIRST_LIST: &str = "Watch";

/// Does what keys of lists ask for on any page; `false`: it is not for here.
pub fn act(app: &mut App, action: Action) -> bool {
    match action {
        Action::ToggleWatch => {
            // Elsewhere the page itself knows which game is under its cursor.
            let event = match app.page {
                Page::Board | Page::Game => pages::board::current(app).map(|g| g.who.id),
                _ => return false,
            };
            match event {
                Some(event) => toggle(app, event),
                None => app.say("there is no game under the cursor"),
            }
        }
        Action::NextList => next_list(app),
        _ => return false,
    }
    true
}

/// Goes through all games, the first list, the second, and so on.
pub fn next_list(app: &mut App) {
    if app.desk.lists.is_empty() {
        app.say("there is no list yet: w watches a game, 5 shows the lists");
        return;
    }
    let next = chosen(app).map_or(0, |at| at + 1);
    choose(app, Some(next).filter(|at| *at < app.desk.lists.len()));
    let name = app.prefs.list.clone();
    app.say(name.map_or_else(|| "all games".to_owned(), |name| format!("list: {name}")));
}

/// Takes a game of the slate into the active list, or out of it: the list on show, else the first one.
pub fn toggle(app: &mut App, event: EventId) {
    toggle_in(app, chosen(app).unwrap_or(0), event);
}

/// The same with a list by its place.
pub fn toggle_in(app: &mut App, list: usize, event: EventId) {
    let Some(game) = app.slate().game(event).cloned() else {
        app.say("this game is not on the board any more");
        return;
    };
    let held = held(app);
    let row = Row::new(&held.ground, &game, None, app.now(), app.at.max_age_ms, &[]);
    let by_another = by_another(app, list, &WholeGame { row });
    write(app, list, remembered(&game), by_another);
}

/// Takes the game of a signal into the active list or out of it, on the slate or not.
pub fn toggle_signal(app: &mut App, signal: &Signal) {
    if app.slate().game(signal.event_id).is_some() {
        return toggle(app, signal.event_id);
    }
    let list = chosen(app).unwrap_or(0);
    let by_another = by_another(app, list, &NamedGame::new(signal));
    let game = Remembered {
        provider_event_id: signal.provider_event_id.clone(),
        label: format!("{} @ {}", signal.away_team, signal.home_team),
        start: Some(signal.commence_time),
    };
    write(app, list, game, by_another);
}

fn by_another(app: &App, list: usize, of: &dyn Subject) -> bool {
    app.desk.compiled.get(list).is_some_and(|l| l.holds_by_another(of))
}

/// A game as lists remember it.
pub fn remembered(game: &Game) -> Remembered {
    let who = &game.who;
    let label = if who.away.is_empty() { who.home.to_string() } else { format!("{} @ {}", who.away, who.home) };
    Remembered { provider_event_id: who.provider_id.to_string(), label, start: Some(game.commence) }
}

fn write(app: &mut App, list: usize, game: Remembered, by_another: bool) {
    if !app.desk.loaded && app.desk.trouble.is_none() {
        app.say("the lists are still being read");
        return;
    }
    let label = game.label.clone();
    let known = app.desk.lists.get(list).map(|l| (l.list.id, l.list.name.clone()));
    change(
        app,
        "watch game",
        move |desk| {
            let (id, name) = match known {
                Some(known) => known,
                // Another process may have made it meanwhile.
                None => {
                    let list = match desk.find(FIRST_LIST)? {
                        Some(list) => list,
                        None => desk.create(FIRST_LIST)?,
                    };
                    (list.id, list.name)
                }
            };
            Ok((desk.toggle_game(id, &game, by_another)?, name))
        },
        move |app, done| {
            let Some((toggled, list)) = done else { return };
            app.say(match toggled {
                Toggled::Added => format!("{label} is in '{list}' now"),
                Toggled::Removed => format!("{label} is no longer in '{list}'"),
                Toggled::Excluded => {
                    format!("{label} is excluded from '{list}': a rule of the list would bring it in")
                }
            });
        },
    );
}
