//! What keys, clicks and the wheel do on the board.

use std::sync::Arc;

use super::cell::Mode;
use super::columns::{self, Column};
use super::rows::Line;
use super::{Pasts, current, settle};
use crate::board::app::prefs::Sort;
use crate::board::app::{App, Effect, Job, Page, Showing};
use crate::board::keys::Action;
use crate::board::model::Offer;
use crate::board::paint::Hit;

/// Does an action of the board; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let screen = super::visible_lines(app).max(2) as isize - 1;
    match action {
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Left => step_book(app, -1),
        A::Right => step_book(app, 1),
        A::Open => {
            if current(app).is_some() {
                app.go(Page::Game);
            }
        }
        A::Sort => {
            app.prefs.sort = app.prefs.sort.next();
            told(app, format!("sorted by {}", app.prefs.sort.name()));
        }
        A::ReverseSort => {
            app.prefs.reverse = !app.prefs.reverse;
            told(app, "order turned round".into());
        }
        A::GroupRows => {
            app.prefs.group = app.prefs.group.next();
            told(app, format!("grouped by {}", app.prefs.group.name()));
        }
        A::Pin => pin(app),
        A::Ages => mode(app, Mode::Ages),
        A::HistoryMode => {
            let next = match app.pages.board.mode {
                Mode::Current | Mode::Ages => Mode::Opener,
                Mode::Opener => Mode::Previous,
                Mode::Previous => Mode::Current,
            };
            app.pages.board.mode = Mode::Current;
            mode(app, next);
        }
        A::Lights => {
            app.prefs.lights = !app.prefs.lights;
            told(app, if app.prefs.lights { "changes light up".into() } else { "changes do not light up".into() });
        }
        A::ColumnLeft => move_book(app, -1),
        A::ColumnRight => move_book(app, 1),
        A::ColumnWider => widen(app, 1),
        A::ColumnNarrower => widen(app, -1),
        A::ColumnHide => hide(app),
        A::TapePane => {
            let shown = super::parts(app, crate::board::chrome::body(app)).tape.is_some();
            app.prefs.tape_pane = Some(!shown);
            told(app, String::new());
        }
        A::WatchPane => {
            let shown = super::parts(app, crate::board::chrome::body(app)).watch.is_some();
            app.prefs.watch_pane = Some(!shown);
            told(app, String::new());
        }
        A::ClearFilter => {
            app.prefs.filter.clear();
            app.prefs.sport = None;
            app.prefs.list = None;
            told(app, "all games".into());
        }
        _ => return false,
    }
    true
}

/// Keeps a choice, works the lines out anew and says what was done.
fn told(app: &mut App, text: String) {
    app.keep_prefs();
    app.moved();
    if !text.is_empty() {
        app.say(text);
    }
}

/// Moves the cursor by lines.
pub fn step(app: &mut App, by: isize) {
    let page = &mut app.pages.board;
    let last = page.rows.lines.len().saturating_sub(1) as isize;
    let from = page.line as isize;
    let mut to = from.saturating_add(by).clamp(0, last.max(0));
    // The head of a group is passed over, whichever way the cursor goes.
    let is_group = |at: isize| matches!(page.rows.lines.get(at.max(0) as usize), Some(Line::Group { .. }));
    if is_group(to) {
        let on = if by < 0 && to > 0 { to - 1 } else { to + 1 };
        to = if on <= last && !is_group(on) { on } else { from };
        if to == from && by < 0 {
            to = 1.min(last);
        }
    }
    page.line = to.max(0) as usize;
    page.follows = None;
    settle(app);
    app.dirty = true;
    if matches!(app.pages.board.mode, Mode::Opener | Mode::Previous) {
        ask_pasts(app);
    } else {
        ask_past_of_cursor(app);
    }
}

fn step_book(app: &mut App, by: isize) {
    let books = columns::books(app.slate(), &app.prefs).len();
    let page = &mut app.pages.board;
    let to = (page.book as isize + by).clamp(0, books.saturating_sub(1) as isize);
    page.book = to.max(0) as usize;
    settle(app);
    app.dirty = true;
    ask_past_of_cursor(app);
}

fn pin(app: &mut App) {
    let Some(id) = current(app).map(|g| g.who.provider_id.to_string()) else { return };
    match app.prefs.pinned.iter().position(|p| *p == id) {
        Some(at) => {
            app.prefs.pinned.remove(at);
        }
        None => {
            // Games of other nights need no pin any more.
            const MOST: usize = 64;
            app.prefs.pinned.push(id);
            let surplus = app.prefs.pinned.len().saturating_sub(MOST);
            app.prefs.pinned.drain(..surplus);
        }
    }
    told(app, String::new());
}

fn mode(app: &mut App, mode: Mode) {
    let page = &mut app.pages.board;
    page.mode = if page.mode == mode { Mode::Current } else { mode };
    let name = page.mode.name();
    if matches!(page.mode, Mode::Opener | Mode::Previous) {
        ask_pasts(app);
    }
    app.say(format!("cells show {name}"));
}

/// Asks for the openers and earlier offers of the games on show.
fn ask_pasts(app: &mut App) {
    let visible = super::visible_lines(app);
    let page = &app.pages.board;
    let slate = app.slate();
    let mut wanted: Vec<_> = page
        .rows
        .lines
        .iter()
        .skip(page.top)
        .take(visible)
        .filter_map(|l| match l {
            Line::Side { game, .. } => slate.games.get(*game).map(|g| g.who.id),
            Line::Group { .. } => None,
        })
        .filter(|id| !page.pasts.contains_key(id))
        .collect();
    wanted.dedup();
    ask(app, "openers", wanted);
}

/// Asks for those of the game under the cursor.
fn ask_past_of_cursor(app: &mut App) {
    let wanted = current(app).map(|g| g.who.id).filter(|id| !app.pages.board.pasts.contains_key(id));
    ask(app, "opener", wanted.into_iter().collect());
}

fn ask(app: &mut App, kind: &'static str, wanted: Vec<crate::market::ids::EventId>) {
    if wanted.is_empty() {
        return;
    }
    let until = app.until();
    let live = matches!(app.showing, Showing::Live);
    let job = Job::reading(
        kind,
        move |reader| {
            let mut found = Vec::with_capacity(wanted.len());
            for event in wanted {
                let offers = reader.first_and_last_offers(event, until)?;
                let pasts: Pasts = offers
                    .into_iter()
                    .map(|(slot, first, before)| {
                        let offer = |(line, price)| Offer { line, price };
                        (slot, (offer(first), before.map(offer)))
                    })
                    .collect();
                found.push((event, Arc::new(pasts)));
            }
            Ok(found)
        },
        move |app, found| match found {
            // Read for another moment than the one that is on show now.
            Ok(_) if live != matches!(app.showing, Showing::Live) || (!live && app.until() != until) => {}
            Ok(found) => {
                // Bounded: what scrolled out of sight long ago is asked for again when it is needed.
                const MOST: usize = 256;
                if app.pages.board.pasts.len() + found.len() > MOST {
                    app.pages.board.pasts.clear();
                }
                app.pages.board.pasts.extend(found);
                app.dirty = true;
            }
            Err(why) => app.complain(why),
        },
    );
    app.effect(Effect::Job(job));
}

/// Moves the book under the cursor to the left or right.
fn move_book(app: &mut App, by: isize) {
    let mut keys: Vec<String> = columns::books(app.slate(), &app.prefs).iter().map(|b| b.key.to_string()).collect();
    let from = app.pages.board.book;
    let to = from as isize + by;
    if to < 0 || to as usize >= keys.len() {
        return;
    }
    keys.swap(from, to as usize);
    app.prefs.books = keys;
    app.pages.board.book = to as usize;
    told(app, String::new());
}

fn widen(app: &mut App, by: i16) {
    let width = super::plan(app, super::parts(app, crate::board::chrome::body(app)).grid).book_width;
    app.prefs.book_width = Some(width.saturating_add_signed(by).clamp(6, 24));
    told(app, String::new());
}

fn hide(app: &mut App) {
    let books = columns::books(app.slate(), &app.prefs);
    if books.len() < 2 {
        return;
    }
    let Some(book) = books.get(app.pages.board.book) else { return };
    let (key, title) = (book.key.to_string(), book.title.to_string());
    app.prefs.hidden_books.push(key);
    told(app, format!("{title} is hidden; O chooses columns"));
}

/// A click on the board; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    match hit {
        Hit::Row(line) | Hit::Cell { row: line, .. } => {
            app.pages.board.line = *line;
            app.pages.board.follows = None;
            if let Hit::Cell { column, .. } = hit {
                app.pages.board.book = *column;
            }
            settle(app);
            ask_past_of_cursor(app);
            if double {
                app.go(Page::Game);
            }
        }
        Hit::Head(at) => head(app, *at),
        Hit::List(_) | Hit::Game(_) => return crate::board::pages::watch::click(app, hit, double),
        Hit::Signal(id) => crate::board::pages::tape::show(app, id),
        _ => return false,
    }
    true
}

/// A click on a head sorts by it, and turns the order round when it is sorted by it already.
fn head(app: &mut App, at: usize) {
    let plan = super::plan(app, super::parts(app, crate::board::chrome::body(app)).grid);
    let Some(column) = plan.frozen.get(at).map(|p| p.what) else {
        app.pages.board.book = app.pages.board.left + at - plan.frozen.len();
        settle(app);
        return;
    };
    let sort = match column {
        Column::Start => Sort::Start,
        Column::Game => Sort::Name,
        Column::Open | Column::Fair | Column::Consensus => Sort::Drift,
        Column::Best | Column::Ev => Sort::Ev,
        Column::Hold => Sort::Hold,
        Column::Moved => Sort::Moved,
        Column::Books => return,
    };
    if app.prefs.sort == sort {
        app.prefs.reverse = !app.prefs.reverse;
    } else {
        (app.prefs.sort, app.prefs.reverse) = (sort, false);
    }
    told(app, format!("sorted by {}", sort.name()));
}

/// The border to the right of a column is dragged by some columns.
pub fn drag_border(app: &mut App, at: usize, by: i32) {
    let plan = super::plan(app, super::parts(app, crate::board::chrome::body(app)).grid);
    let wider = |width: u16| u16::try_from(i32::from(width) + by).unwrap_or(0);
    if let Some(placed) = plan.frozen.get(at) {
        let width = wider(placed.width).clamp(3, 40);
        if let Some(choice) = app.prefs.columns.iter_mut().find(|c| c.column == placed.what) {
            choice.width = Some(width);
        }
    } else {
        app.prefs.book_width = Some(wider(plan.book_width).clamp(6, 24));
    }
    settle(app);
}

/// The wheel moves the window and takes the cursor along.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    let _ = hit;
    let visible = super::visible_lines(app);
    let page = &mut app.pages.board;
    let most = page.rows.lines.len().saturating_sub(visible);
    page.top = page.top.saturating_add_signed(isize::from(rows)).min(most);
    page.line = page.line.clamp(page.top, (page.top + visible).saturating_sub(1).max(page.top));
    page.follows = None;
    settle(app);
    true
}
