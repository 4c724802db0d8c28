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
