//! The user's own things on the board: watchlists, saved filters, and what was chosen, kept from one evening to the next.

use super::app::App;
use super::model::Game;

/// What is known of them.
#[derive(Debug, Default)]
pub struct DeskState {}

/// The board has been opened: what was kept is asked for.
pub fn begin(app: &mut App) {
    let _ = app;
}

/// The board is about to be closed: what is to be kept is handed over.
pub fn end(app: &mut App) {
    let _ = app;
}

/// Keeps what the user chose.
pub fn keep_prefs(app: &mut App) {
    let _ = app;
}

/// The game is on a watchlist.
pub fn is_watched(app: &App, game: &Game) -> bool {
    let _ = (app, game);
    false
}

/// There is a watchlist.
pub fn has_lists(app: &App) -> bool {
    let _ = app;
    false
}

/// The user may have changed lists from the command line.
pub fn refresh(app: &mut App) {
    let _ = app;
}
