//! Closing line value.

use ratatui::layout::Rect;

use crate::board::app::App;
use crate::board::keys::Action;
use crate::board::paint::{Hit, Paint};

/// What the page keeps.
#[derive(Debug, Default)]
pub struct ClvPage {}

/// The page has come on show.
pub fn entered(app: &mut App) {
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    let _ = app;
}

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    let _ = (app, action);
    false
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    let _ = (app, hit, double);
    false
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    let _ = (app, hit, rows);
    false
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let _ = (app, paint, area);
}
