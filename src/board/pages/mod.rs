//! The pages. Each keeps its own state, does its own actions, and draws itself as a pure function of the state and the
//! area.

pub mod board;
pub mod clv;
pub mod exchange;
pub mod game;
pub mod ops;
pub mod sieve;
pub mod tape;
pub mod watch;
pub mod welcome;

use ratatui::layout::Rect;

use super::app::{App, Page};
use super::keys::Action;
use super::paint::{Hit, Paint};

/// What every page keeps.
#[derive(Debug, Default)]
pub struct Pages {
    /// All games.
    pub board: board::BoardPage,
    /// One game.
    pub game: game::GamePage,
    /// Signals.
    pub tape: tape::TapePage,
    /// Closing line value.
    pub clv: clv::ClvPage,
    /// Watchlists.
    pub watch: watch::WatchPage,
    /// The exchange.
    pub exchange: exchange::ExchangePage,
    /// Sources, credits, log.
    pub ops: ops::OpsPage,
}

/// A page has come on show.
pub fn entered(app: &mut App) {
    match app.page {
        Page::Board => board::refresh(app),
        Page::Game => game::entered(app),
        Page::Tape => tape::entered(app),
        Page::Clv => clv::entered(app),
        Page::Watch => watch::entered(app),
        Page::Exchange => exchange::entered(app),
        Page::Ops => ops::entered(app),
    }
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    // The board's rows are the games that every page goes through; the tape and the lists stand beside it.
    board::refresh(app);
    tape::refresh(app);
    match app.page {
        Page::Board => watch::activity::ask(app),
        Page::Tape => {}
        Page::Game => game::refresh(app),
        Page::Clv => clv::refresh(app),
        Page::Watch => watch::refresh(app),
        Page::Exchange => exchange::refresh(app),
        Page::Ops => ops::refresh(app),
    }
}

/// Does an action of the page on show; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    match app.page {
        Page::Board => board::act(app, action),
        Page::Game => game::act(app, action),
        Page::Tape => tape::act(app, action),
        Page::Clv => clv::act(app, action),
        Page::Watch => watch::act(app, action),
        Page::Exchange => exchange::act(app, action),
        Page::Ops => ops::act(app, action),
    }
}

/// A click on the page on show.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    match app.page {
        Page::Board => board::click(app, hit, double),
        Page::Game => game::click(app, hit, double),
        Page::Tape => tape::click(app, hit, double),
        Page::Clv => clv::click(app, hit, double),
        Page::Watch => watch::click(app, hit, double),
        Page::Exchange => exchange::click(app, hit, double),
        Page::Ops => ops::click(app, hit, double),
    }
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    match app.page {
        Page::Board => board::wheel(app, hit, rows),
        Page::Game => game::wheel(app, hit, rows),
        Page::Tape => tape::wheel(app, hit, rows),
        Page::Clv => clv::wheel(app, hit, rows),
        Page::Watch => watch::wheel(app, hit, rows),
        Page::Exchange => exchange::wheel(app, hit, rows),
        Page::Ops => ops::wheel(app, hit, rows),
    }
}

/// Draws the page on show.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    match app.page {
        Page::Board => board::draw(app, paint, area),
        Page::Game => game::draw(app, paint, area),
        Page::Tape => tape::draw(app, paint, area),
        Page::Clv => clv::draw(app, paint, area),
        Page::Watch => watch::draw(app, paint, area),
        Page::Exchange => exchange::draw(app, paint, area),
        Page::Ops => ops::draw(app, paint, area),
    }
}

/// What is new on a page, for its tab.
pub fn badge(app: &App, page: Page) -> Option<String> {
    match page {
        Page::Tape => tape::badge(app),
        _ => None,
    }
}

/// A second has passed.
pub fn tick(app: &mut App) {
    super::desk::tick(app);
    if app.page == Page::Ops {
        ops::tick(app);
    } else if app.page == Page::Exchange {
        exchange::tick(app);
    }
}

/// When a light on show changes next, in the board's milliseconds.
pub fn next_light(app: &App) -> Option<u32> {
    match app.page {
        Page::Board => board::next_light(app),
        _ => None,
    }
}

/// The user comes back after a while.
pub fn while_away(app: &mut App, since: crate::market::time::Timestamp) {
    tape::while_away(app, since);
}
