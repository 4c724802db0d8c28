//! The pages. Each keeps its own state, does its own actions, and draws itself as a pure function of the state and the
//! area.

pub mod board;
pub mod sieve;

use ratatui::layout::Rect;

use super::app::{App, Page};
use super::keys::Action;
use super::paint::{Hit, Paint};

/// What every page keeps.
#[derive(Debug, Default)]
pub struct Pages {
    /// All games.
    pub board: board::BoardPage,
}

/// A page has come on show.
pub fn entered(app: &mut App) {
    match app.page {
        Page::Board => board::refresh(app),
        _ => {}
    }
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    // The board's rows are the games that every page goes through.
    board::refresh(app);
    match app.page {
        Page::Board => {}
        _ => {}
    }
}

/// Does an action of the page on show; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    match app.page {
        Page::Board => board::act(app, action),
        _ => false,
    }
}

/// A click on the page on show.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    match app.page {
        Page::Board => board::click(app, hit, double),
        _ => false,
    }
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    match app.page {
        Page::Board => board::wheel(app, hit, rows),
        _ => false,
    }
}

/// Draws the page on show.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    match app.page {
        Page::Board => board::draw(app, paint, area),
        _ => {}
    }
}

/// The game is on a watchlist.
pub fn is_watched(app: &App, game: &crate::board::model::Game) -> bool {
    let _ = (app, game);
    false
}

/// The lists beside the board.
pub fn watch_pane(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let _ = (app, paint, area);
}

/// The newest signals beside the board.
pub fn tape_pane(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let _ = (app, paint, area);
}

/// What is new on a page, for its tab.
pub fn badge(app: &App, page: Page) -> Option<String> {
    let _ = (app, page);
    None
}

/// A second has passed.
pub fn tick(app: &mut App) {
    let _ = app;
}

/// When a light on show changes next, in the board's milliseconds.
pub fn next_light(app: &App) -> Option<u32> {
    match app.page {
        Page::Board => board::next_light(app),
        _ => None,
    }
}

/// Keeps what the user chose.
pub fn keep_prefs(app: &mut App) {
    let _ = app;
}

/// The user comes back after a while.
pub fn while_away(app: &mut App, since: crate::market::time::Timestamp) {
    let _ = (app, since);
}

/// The board has been opened: what was kept is asked for.
pub fn begin(app: &mut App) {
    let _ = app;
}

/// The board is about to be closed: what is to be kept is handed over.
pub fn end(app: &mut App) {
    let _ = app;
}

/// The source does not take the key that was typed.
pub fn key_refused(app: &mut App, message: &str) {
    app.complain(message.to_owned());
}

/// The source takes the key that was typed; it has been kept in a file.
pub fn key_taken(app: &mut App, file: &str) {
    app.say(format!("the key works and is kept in {file}"));
}
