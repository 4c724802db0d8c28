//! The board: every game, every book, one market at a time.

pub mod act;
pub mod cell;
pub mod columns;
pub mod detail;
pub mod grid;
pub mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

pub use self::act::{act, click, drag_border, wheel};
pub use self::cell::Mode;
use self::columns::Plan;
use self::rows::{Line, Rows};
use crate::board::app::{App, Effect};
use crate::board::model::worker::Order;
use crate::board::model::{Game, Market};
use crate::board::paint::Paint;
use crate::market::ids::{BookId, EventId, Slot};

/// What each quote of a game was at first, and before its present offer.
pub type Pasts = FxHashMap<Slot, (crate::board::model::Offer, Option<crate::board::model::Offer>)>;

/// What the board keeps.
#[derive(Debug, Default)]
pub struct BoardPage {
    /// Lines in their order.
    pub rows: Rows,
    /// The line under the cursor.
    pub line: usize,
    /// First line on show.
    pub top: usize,
    /// Place of the book under the cursor among the books on the board.
    pub book: usize,
    /// First book on show.
    pub left: usize,
    /// What a cell shows.
    pub mode: Mode,
    /// The game under the cursor, which it follows when lines move.
    pub follows: Option<(EventId, u8)>,
    /// Openers and earlier offers of games, once asked for.
    pub pasts: FxHashMap<EventId, Arc<Pasts>>,
    /// Games whose opening fair price has been asked for.
    pub asked: rustc_hash::FxHashSet<EventId>,
    /// The text that is looked for, for marking it.
    pub found: String,
    /// Why the filter cannot be used.
    pub filter_error: Option<String>,
}

/// Width of the pane with lists.
pub const WATCH_WIDTH: u16 = 20;
/// Width of the pane with signals.
pub const TAPE_WIDTH: u16 = 31;

/// The parts of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// Lists, if they are on show.
    pub watch: Option<Rect>,
    /// Heads and lines.
    pub grid: Rect,
    /// Signals, if they are on show.
    pub tape: Option<Rect>,
    /// The cell under the cursor in words.
    pub detail: Option<Rect>,
}

/// Where the parts are in the area of the page.
pub fn parts(app: &App, area: Rect) -> Parts {
    let mut rest = area;
    let detail = (area.height >= 12).then(|| {
        rest.height -= 1;
        Rect::new(area.x, rest.bottom(), area.width, 1)
    });
    let fits = |width: u16, from: u16| area.width >= from && area.width > width + 40;
    let shown = |choice: Option<bool>, width: u16, from: u16| match choice {
        Some(on) => on && area.width > width + 40,
        None => fits(width, from),
    };
    // Without a list the pane has nothing to say.
    let from = if !app.desk.lists.is_empty() { 150 } else { u16::MAX };
    let watch = shown(app.prefs.watch_pane, WATCH_WIDTH, from).then(|| {
        let pane = Rect { width: WATCH_WIDTH, ..rest };
        rest.x += WATCH_WIDTH;
        rest.width -= WATCH_WIDTH;
        pane
    });
    let tape = (shown(app.prefs.tape_pane, TAPE_WIDTH, 130) && rest.width > TAPE_WIDTH + 40).then(|| {
        rest.width -= TAPE_WIDTH;
        Rect { x: rest.right(), width: TAPE_WIDTH, ..rest }
    });
    Parts { watch, grid: rest, tape, detail }
}

/// Lines that fit under the heads.
pub fn visible_lines(app: &App) -> usize {
    let grid = parts(app, crate::board::chrome::body(app)).grid;
    usize::from(grid.height.saturating_sub(grid::HEAD))
}

/// The columns as they are placed now.
pub fn plan(app: &App, grid: Rect) -> Plan {
    let books = columns::books(app.slate(), &app.prefs);
    let rows = &app.pages.board.rows;
    let natural = columns::natural_book_width(rows.layout, app.prefs.odds.width());
    columns::plan(grid.width, &app.prefs, &books, app.pages.board.left, natural, rows.names)
}

/// Works the lines out anew, and keeps the cursor on its game.
pub fn refresh(app: &mut App) {
    let (passes, error) = super::sieve::board(app);
    let rows = rows::build(app, &passes);
    drop(passes);
    app.pages.board.filter_error = error;
    app.pages.board.rows = rows;
    let slate = app.slate().clone();
    let page = &mut app.pages.board;
    if let Some((event, at)) = page.follows
        && let Some(line) = page.rows.find(&slate, event, at)
    {
        page.line = line;
    }
    settle(app);
    ask_openers(app);
}

/// Keeps cursor and window within what there is.
pub fn settle(app: &mut App) {
    let visible = visible_lines(app).max(1);
    let books = columns::books(app.slate(), &app.prefs).len();
    let page = &mut app.pages.board;
    let last = page.rows.lines.len().saturating_sub(1);
    page.line = page.line.min(last);
    if matches!(page.rows.lines.get(page.line), Some(Line::Group { .. })) && page.line < last {
        page.line += 1;
    }
    // A game is seen whole, with the head of its group.
    let (from, to) = match page.rows.lines.get(page.line) {
        Some(Line::Side { at, of, .. }) => {
            let first = page.line - usize::from(*at).min(page.line);
            (first, (first + usize::from(*of) - 1).min(last))
        }
        _ => (page.line, page.line),
    };
    let head = usize::from(from > 0 && matches!(page.rows.lines.get(from - 1), Some(Line::Group { .. })));
    if page.top > from - head {
        page.top = from - head;
    }
    if to >= page.top + visible {
        page.top = to + 1 - visible;
    }
    page.top = page.top.min((last + 1).saturating_sub(visible));
    page.book = page.book.min(books.saturating_sub(1));
    let room = plan(app, parts(app, crate::board::chrome::body(app)).grid).room.max(1);
    let page = &mut app.pages.board;
    if page.left > page.book {
        page.left = page.book;
    }
    if page.book >= page.left + room {
        page.left = page.book + 1 - room;
    }
    page.left = page.left.min(books.saturating_sub(room));
    let line = page.rows.lines.get(page.line).cloned();
    if let Some(Line::Side { game, at, .. }) = line {
        let id = app.slate().games.get(game).map(|g| g.who.id);
        app.pages.board.follows = id.map(|id| (id, at));
    }
}

/// Asks for the opening fair prices of games that have come on the slate.
fn ask_openers(app: &mut App) {
    if !app.live.loaded {
        return;
    }
    let new: Vec<EventId> =
        app.live.games.iter().map(|g| g.who.id).filter(|id| !app.pages.board.asked.contains(id)).collect();
    if !new.is_empty() {
        app.pages.board.asked.extend(new.iter().copied());
        app.effect(Effect::Slate(Order::Openers(new)));
    }
}

/// The game under the cursor.
pub fn current(app: &App) -> Option<&Arc<Game>> {
    match app.pages.board.rows.lines.get(app.pages.board.line)? {
        Line::Side { game, .. } => app.slate().games.get(*game),
        Line::Group { .. } => None,
    }
}

/// The market, the place of the side and the book under the cursor.
pub fn current_cell(app: &App) -> Option<(&Arc<Game>, &Market, u8, BookId)> {
    let Line::Side { game, question, place, .. } = app.pages.board.rows.lines.get(app.pages.board.line)? else {
        return None;
    };
    let game = app.slate().games.get(*game)?;
    let market = game.question((*question)?)?;
    let book = columns::books(app.slate(), &app.prefs).get(app.pages.board.book)?.id;
    Some((game, market, *place, book))
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let parts = parts(app, area);
    grid::draw(app, paint, parts.grid);
    if let Some(pane) = parts.watch {
        super::watch::draw_pane(app, paint, pane);
    }
    if let Some(pane) = parts.tape {
        super::tape::draw_pane(app, paint, pane);
    }
    if let Some(line) = parts.detail {
        detail::draw(app, paint, line);
    }
}

/// When a light on show changes next, in the board's milliseconds.
pub fn next_light(app: &App) -> Option<u32> {
    if !app.prefs.lights {
        return None;
    }
    let grid = parts(app, crate::board::chrome::body(app)).grid;
    let plan = plan(app, grid);
    let (page, slate, tick) = (&app.pages.board, app.slate(), app.tick());
    let mut next: Option<u32> = None;
    let lines = page.rows.lines.iter().skip(page.top).take(visible_lines(app));
    for line in lines {
        let Line::Side { game, question: Some(key), place, .. } = line else { continue };
        let Some(market) = slate.games.get(*game).and_then(|g| g.question(*key)) else { continue };
        for placed in &plan.books {
            let step = market.cell(placed.what, *place).and_then(|c| cell::next_step(c, tick));
            next = match (next, step) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    next
}
