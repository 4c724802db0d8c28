//! What keys, clicks and the wheel do on the page of a game.

use super::chooser::Chooser;
use super::history::{self, LEAST_MS};
use super::layout::Pane;
use super::series::{Measure, Pick};
use super::{parts, rebuild, settle, table, tape};
use crate::board::app::App;
use crate::board::keys::Action;
use crate::board::pages::board;
use crate::board::pages::board::rows::Line;
use crate::board::paint::Hit;
use crate::board::widgets::chart_pane;

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let area = parts(app, crate::board::chrome::body(app));
    let screen = match app.pages.game.pane {
        Pane::Tape => area.tape.map_or(1, tape::visible),
        _ => area.books.map_or(1, table::visible),
    };
    let screen = screen.max(2) as isize - 1;
    match action {
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Left => sideways(app, -1),
        A::Right => sideways(app, 1),
        A::NextPane => {
            app.pages.game.pane = app.pages.game.pane.next();
            settle(app);
        }
        A::NextGame => next_game(app, true),
        A::PreviousGame => next_game(app, false),
        A::ZoomIn => zoom(app, 0.5),
        A::ZoomOut => zoom(app, 2.0),
        A::ZoomAll => (app.pages.game.span, app.pages.game.back) = (None, 0),
        A::CrossHair => cross_hair(app),
        A::Series => choose(app),
        A::ChartKind => {
            let has_line = app.pages.game.shown.as_ref().is_some_and(|s| s.points);
            let page = &mut app.pages.game;
            page.measure = match page.measure {
                Measure::Value if has_line => Measure::Line,
                Measure::Value | Measure::Line => Measure::Price,
                Measure::Price => Measure::Value,
            };
            rebuild(app);
        }
        A::BothSides => {
            let page = &mut app.pages.game;
            page.devig = !page.devig;
            // Where the card is folded it is unfolded, and goes back with the same key.
            if page.devig && area.card.is_none() {
                page.pane = Pane::Card;
            } else if !page.devig && page.pane == Pane::Card {
                page.pane = Pane::Books;
            }
            settle(app);
        }
        A::Sort => {
            app.pages.game.sort = app.pages.game.sort.next();
            rebuild(app);
        }
        A::ReverseSort => {
            app.pages.game.reverse = !app.pages.game.reverse;
            rebuild(app);
        }
        // First the cross-hair goes, then the page.
        A::Back if app.pages.game.cross.is_some() => app.pages.game.cross = None,
        _ => return false,
    }
    app.dirty = true;
    true
}

fn step(app: &mut App, by: isize) {
    let page = &mut app.pages.game;
    if page.pane == Pane::Tape {
        page.signal = page.signal.saturating_add_signed(by);
    } else {
        page.line = page.line.saturating_add_signed(by);
    }
    settle(app);
}

/// The cross-hair, or the time on show, or the side.
fn sideways(app: &mut App, by: i64) {
    let Some(window) = history::window(app) else { return side(app, by) };
    let page = &app.pages.game;
    if page.pane != Pane::Chart {
        return side(app, by);
    }
    if let Some(at) = page.cross {
        let column = (window.span() / i64::from(columns(app).max(1))).max(1000);
        let all = history::recorded(app).unwrap_or(window);
        let at = (at + by * column).clamp(all.from, all.to);
        app.pages.game.cross = Some(at);
        // The time on show follows the cross-hair.
        let page = &mut app.pages.game;
        if at < window.from {
            page.back += window.from - at;
        } else if at > window.to {
            page.back = (page.back - (at - window.to)).max(0);
        }
    } else if page.span.is_some() {
        let all = history::recorded(app).unwrap_or(window);
        let page = &mut app.pages.game;
        page.back = (page.back - by * window.span() / 4).clamp(0, (all.span() - window.span()).max(0));
    } else {
        side(app, by);
    }
}

fn columns(app: &App) -> u16 {
    let chart = parts(app, crate::board::chrome::body(app)).chart;
    chart.map_or(80, |area| chart_pane::grid(area).width)
}

fn side(app: &mut App, by: i64) {
    let sides = app.pages.game.shown.as_ref().map_or(0, |s| s.places.len());
    let page = &mut app.pages.game;
    page.side = page.side.saturating_add_signed(by as isize).min(sides.saturating_sub(1));
    rebuild(app);
}

/// Shows less or more time, around the cross-hair where it is on, else up to the same end.
fn zoom(app: &mut App, factor: f64) {
    let (Some(all), Some(window)) = (history::recorded(app), history::window(app)) else { return };
    let page = &mut app.pages.game;
    let span = ((window.span() as f64 * factor) as i64).max(LEAST_MS);
    if span >= all.span() {
        (page.span, page.back) = (None, 0);
        return;
    }
    if let Some(at) = page.cross {
        let share = (window.to - at).clamp(0, window.span()) as f64 / window.span() as f64;
        page.back = (all.to - at - (share * span as f64) as i64).clamp(0, all.span() - span);
    }
    page.span = Some(span);
    page.pane = Pane::Chart;
    settle(app);
}

fn cross_hair(app: &mut App) {
    let window = history::window(app);
    let page = &mut app.pages.game;
    page.cross = match (page.cross, window) {
        (None, Some(window)) => {
            page.pane = Pane::Chart;
            Some(window.to)
        }
        _ => None,
    };
    settle(app);
}

fn choose(app: &mut App) {
    let Some(data) = app.pages.game.slot.data.clone() else { return };
    let mut items = vec![
        (Pick::Fair, "fair price of all books".to_owned()),
        (Pick::Consensus, "board consensus".to_owned()),
        (Pick::Sharp, "median of the sharp books".to_owned()),
        (Pick::Best, "best price, where it breaks even".to_owned()),
    ];
    if data.beside.is_some() {
        items.push((Pick::Exchange, "middle of the exchange".to_owned()));
    }
    let table = crate::market::books::Books::embedded();
    let mut books: Vec<&str> = data.books.iter().map(|b| b.key.as_str()).collect();
    books.sort_by_key(|key| (table.iter().position(|b| b.key == *key).unwrap_or(usize::MAX), (*key).to_owned()));
    items.extend(books.into_iter().map(|key| (Pick::Book(key.to_owned()), table.resolve(key).title.clone())));
    app.overlay(Chooser::new(items));
}

/// To the next or the last game of the board's rows.
fn next_game(app: &mut App, forward: bool) {
    let page = &app.pages.board;
    let game_of = |line: &Line| match line {
        Line::Side { game, .. } => Some(*game),
        Line::Group { .. } => None,
    };
    let here = page.rows.lines.get(page.line).and_then(game_of);
    let other = |at: &usize| {
        let game = page.rows.lines.get(*at).and_then(game_of);
        game.is_some() && game != here
    };
    let found = if forward {
        (page.line..page.rows.lines.len()).find(other)
    } else {
        // From below one comes to its last line; its first one is wanted.
        (0..page.line).rev().find(other).map(|last| {
            let game = page.rows.lines.get(last).and_then(game_of);
            let lines = page.rows.lines.get(..last).unwrap_or_default();
            last - lines.iter().rev().take_while(|l| game_of(l) == game).count()
        })
    };
    match found {
        Some(at) => {
            app.pages.board.line = at;
            app.pages.board.follows = None;
            board::settle(app);
            super::refresh(app);
        }
        None => app.say(if forward { "this is the last game" } else { "this is the first game" }),
    }
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    let _ = double;
    match hit {
        Hit::Row(at) => {
            app.pages.game.line = *at;
            app.pages.game.pane = Pane::Books;
        }
        Hit::Chart(column, _) => {
            let Some(window) = history::window(app) else { return false };
            let columns = usize::from(columns(app));
            app.pages.game.cross = Some(window.instant(usize::from(*column), columns));
            app.pages.game.pane = Pane::Chart;
        }
        Hit::Pane(at) => {
            let Some(pane) = Pane::ALL.get(*at) else { return false };
            app.pages.game.pane = *pane;
        }
        Hit::Signal(_) => app.pages.game.pane = Pane::Tape,
        _ => return false,
    }
    settle(app);
    true
}

/// The wheel zooms the chart and scrolls the other panes; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    match hit {
        Some(Hit::Chart(..)) => zoom(app, if rows < 0 { 0.5 } else { 2.0 }),
        Some(Hit::Signal(_)) => scroll_tape(app, rows),
        Some(Hit::Pane(at)) if Pane::ALL.get(*at) == Some(&Pane::Tape) => scroll_tape(app, rows),
        _ => return false,
    }
    app.dirty = true;
    true
}

fn scroll_tape(app: &mut App, rows: i16) {
    let page = &mut app.pages.game;
    page.signal = page.signal.saturating_add_signed(isize::from(rows));
    settle(app);
}
