//! Every signal, newest first: the list, the evidence of one, the pane beside the board, and what is new.
//!
//! Owns which signals are shown and where the cursor stands. Reads the store through jobs alone; grades and judges
//! nothing itself.

pub mod away;
pub mod evidence;
pub mod facts;
pub mod list;
pub mod load;
pub mod pane;
pub mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ratatui::layout::Rect;

pub use self::away::while_away;
use self::facts::Chosen;
use self::load::{Moment, Opened, Tape};
pub use self::pane::draw_pane;
use self::row::Row;
use crate::board::app::{App, Page, Showing, Slot};
use crate::board::chrome;
use crate::board::keys::Action;
use crate::board::paint::{Hit, Paint};
use crate::engine::detect::signal::{SignalType, Tier};
use crate::engine::grade::record::preset::Preset;
use crate::filter::Filter;
use crate::market::time::Timestamp;

/// What the page keeps.
#[derive(Debug, Default)]
pub struct TapePage {
    /// The newest signals.
    pub slot: Slot<Tape>,
    /// The moment for which they were asked.
    pub moment: Option<Moment>,
    /// The user's filter, read.
    pub parsed: Option<(String, Result<Filter, String>)>,
    /// What the page's own keys chose.
    pub chosen: Chosen,
    /// Places of the rows that pass.
    pub shown: Vec<usize>,
    /// Place under the cursor, among those.
    pub line: usize,
    /// First place on show.
    pub top: usize,
    /// The signal under the cursor, which it follows when new ones come.
    pub follows: Option<String>,
    /// The evidence of the signal under the cursor is on show.
    pub evidence: bool,
    /// The evidence has the keyboard.
    pub reading: bool,
    /// First line of the evidence on show.
    pub scroll: usize,
    /// Versions of the signal that is open.
    pub opened: Slot<Opened>,
    /// The signal and version for which they were asked.
    pub asked: Option<(String, u32)>,
    /// Signals detected after this are new; `None`: nothing has been read yet.
    pub seen: Option<Timestamp>,
    /// Signals detected after this are marked as new while the page is on show.
    pub marked: Option<Timestamp>,
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    app.pages.tape.marked = app.pages.tape.seen;
    refresh(app);
    look(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    load::ask(app);
    choose(app);
}

/// Works out what passes, and keeps the cursor on its signal.
fn choose(app: &mut App) {
    facts::read_filter(app);
    app.pages.tape.shown = facts::passing(app, &app.pages.tape);
    let page = &mut app.pages.tape;
    if let (Some(id), Some(data)) = (&page.follows, &page.slot.data)
        && let Some(at) = page.shown.iter().position(|at| data.rows.get(*at).is_some_and(|row| row.signal.id == *id))
    {
        // The window goes with the cursor, so that what is read does not jump.
        page.top = (page.top + at).saturating_sub(page.line);
        page.line = at;
    }
    settle(app);
    app.dirty = true;
}

/// An answer has come.
fn arrived(app: &mut App) {
    if app.pages.tape.seen.is_none() {
        // What was there when the board was opened is no news.
        let newest = newest(app);
        (app.pages.tape.seen, app.pages.tape.marked) = (newest, newest);
    }
    choose(app);
    look(app);
}

fn newest(app: &App) -> Option<Timestamp> {
    let data = app.pages.tape.slot.data.as_ref()?;
    Some(data.rows.first().map_or(Timestamp::from_millis(i64::MIN), |r| r.signal.detected_at))
}

/// The user sees the newest signals.
fn look(app: &mut App) {
    if app.page == Page::Tape && matches!(app.showing, Showing::Live) {
        app.pages.tape.seen = newest(app).max(app.pages.tape.seen);
    }
}

/// Keeps cursor and window within what there is.
fn settle(app: &mut App) {
    let visible = list::visible(app).max(1);
    let page = &mut app.pages.tape;
    let count = page.shown.len();
    page.line = page.line.min(count.saturating_sub(1));
    page.top = page.top.min(page.line).max((page.line + 1).saturating_sub(visible));
    page.top = page.top.min(count.saturating_sub(visible));
    let id = current(app).map(|row| row.signal.id.clone());
    let page = &mut app.pages.tape;
    if id.is_none() {
        page.evidence = false;
        page.reading = false;
    }
    if page.follows != id {
        page.scroll = 0;
        page.follows = id;
    }
    load::ask_versions(app);
}

/// The row at a place among those that pass.
pub fn row(app: &App, at: usize) -> Option<&Arc<Row>> {
    let page = &app.pages.tape;
    page.slot.data.as_ref()?.rows.get(*page.shown.get(at)?)
}

/// The row under the cursor.
pub fn current(app: &App) -> Option<&Arc<Row>> {
    row(app, app.pages.tape.line)
}

/// The id of the signal under the cursor, for its explanation.
pub fn explain_target(app: &App) -> Option<String> {
    current(app).map(|row| row.signal.id.clone())
}

/// The signal under the cursor in a few words, for the clipboard.
pub fn cell(app: &App) -> Option<String> {
    let s = &current(app)?.signal;
    let market = crate::board::format::market_title(&s.market).to_lowercase();
    Some(format!("{} {} @ {} {market} {}", s.kind.name(), s.away_team, s.home_team, s.composite))
}

/// A signal is new since the page was last looked at.
pub fn is_new(app: &App, row: &Row) -> bool {
    matches!(app.showing, Showing::Live) && app.pages.tape.marked.is_some_and(|at| row.signal.detected_at > at)
}

/// Puts the cursor on a signal, if it is on the tape; `false`: it is not, or does not pass.
pub fn go_to(app: &mut App, id: &str) -> bool {
    let count = app.pages.tape.shown.len();
    let found = (0..count).find(|at| row(app, *at).is_some_and(|r| r.signal.id == id));
    if let Some(at) = found {
        app.pages.tape.line = at;
        settle(app);
        app.dirty = true;
    }
    found.is_some()
}

/// Shows the evidence of a signal, from wherever it was named. Filters that hide it are put aside.
pub fn show(app: &mut App, id: &str) {
    app.go(Page::Tape);
    if !go_to(app, id) {
        app.pages.tape.chosen = Chosen::default();
        app.prefs.filter.clear();
        (app.prefs.sport, app.prefs.list) = (None, None);
        app.moved();
        if !go_to(app, id) {
            app.say("that signal is not on the tape any more");
            return;
        }
    }
    open(app);
}

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let screen = list::visible(app).max(2) as isize - 1;
    let reading = app.pages.tape.evidence && (app.pages.tape.reading || !list::parts(app, chrome::body(app)).split);
    match action {
        A::Up if reading => scroll(app, -1),
        A::Down if reading => scroll(app, 1),
        A::PageUp if reading => scroll(app, -(evidence::height(app) - 1)),
        A::PageDown if reading => scroll(app, evidence::height(app) - 1),
        A::First if reading => scroll(app, isize::MIN / 2),
        A::Last if reading => scroll(app, isize::MAX / 2),
        A::Left if reading && app.pages.tape.reading => app.pages.tape.reading = false,
        A::Left if reading => step(app, -1),
        A::Right if reading => step(app, 1),
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Right | A::NextPane if app.pages.tape.evidence && !reading => app.pages.tape.reading = true,
        A::NextPane if app.pages.tape.reading => app.pages.tape.reading = false,
        A::Open if app.pages.tape.evidence => open_game(app),
        A::Open => open(app),
        A::PageGame => open_game(app),
        A::Back if app.pages.tape.evidence => {
            (app.pages.tape.evidence, app.pages.tape.reading) = (false, false);
            settle(app);
        }
        A::TypeFilter => next_kind(app),
        A::TierFilter => {
            let tier = &mut app.pages.tape.chosen.tier;
            *tier = match tier {
                None => Some(Tier::High),
                Some(Tier::High) => Some(Tier::Medium),
                Some(_) => None,
            };
            let told =
                tier.map_or("every tier", |t| if t == Tier::High { "tier High" } else { "tier Medium and High" });
            chosen(app, told.to_owned());
        }
        A::Preset => {
            let at = app.pages.tape.chosen.preset.and_then(|p| Preset::ALL.iter().position(|o| *o == p));
            let next = Preset::ALL.get(at.map_or(0, |at| at + 1)).copied();
            app.pages.tape.chosen.preset = next;
            chosen(app, next.map_or("no preset".to_owned(), |p| format!("preset {}", p.label())));
        }
        A::ClearFilter => {
            app.pages.tape.chosen = Chosen::default();
            app.prefs.filter.clear();
            (app.prefs.sport, app.prefs.list) = (None, None);
            app.keep_prefs();
            app.moved();
            app.say("all signals");
        }
        _ => return false,
    }
    app.dirty = true;
    true
}

fn chosen(app: &mut App, told: String) {
    choose(app);
    app.say(told);
}

/// Only signals of the next type that there is.
fn next_kind(app: &mut App) {
    let Some(data) = app.pages.tape.slot.data.clone() else { return };
    let mut kinds: Vec<SignalType> = data.rows.iter().map(|r| r.signal.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let next = match app.pages.tape.chosen.kind {
        None => kinds.first().copied(),
        Some(kind) => kinds.into_iter().find(|k| *k > kind),
    };
    app.pages.tape.chosen.kind = next;
    chosen(app, next.map_or("every type".to_owned(), |k| format!("only {}", row::kind(k))));
}

fn step(app: &mut App, by: isize) {
    let page = &mut app.pages.tape;
    let last = page.shown.len().saturating_sub(1) as isize;
    page.line = (page.line as isize).saturating_add(by).clamp(0, last) as usize;
    settle(app);
}

fn scroll(app: &mut App, by: isize) {
    let most = evidence::lines_in_all(app).saturating_sub(evidence::height(app).max(1) as usize) as isize;
    let page = &mut app.pages.tape;
    page.scroll = (page.scroll as isize).saturating_add(by).clamp(0, most) as usize;
}

fn open(app: &mut App) {
    if current(app).is_some() {
        app.pages.tape.evidence = true;
        app.pages.tape.scroll = 0;
        settle(app);
    }
}

/// Goes to the game of the signal under the cursor, in the signal's market.
fn open_game(app: &mut App) {
    let Some(row) = current(app).cloned() else { return };
    let event = row.signal.event_id;
    if app.slate().game(event).is_none() {
        app.say("that game is not on the board any more");
        return;
    }
    app.pages.board.follows = Some((event, 0));
    if app.slate().games.iter().any(|g| g.who.id == event && g.market(&row.signal.market).is_some()) {
        app.prefs.market.clone_from(&row.signal.market);
        app.keep_prefs();
    }
    super::board::refresh(app);
    app.go(Page::Game);
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    match hit {
        Hit::Row(at) => {
            let again = app.pages.tape.line == *at;
            app.pages.tape.line = *at;
            app.pages.tape.reading = false;
            settle(app);
            if double || (again && !app.pages.tape.evidence) {
                open(app);
            }
        }
        Hit::Signal(id) => {
            go_to(app, id);
            open(app);
        }
        Hit::Pane(_) => app.pages.tape.reading = true,
        Hit::Game(_) => open_game(app),
        _ => return false,
    }
    app.dirty = true;
    true
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    if matches!(hit, Some(Hit::Pane(_) | Hit::Game(_))) {
        scroll(app, isize::from(rows));
    } else {
        step(app, isize::from(rows));
    }
    app.dirty = true;
    true
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let parts = list::parts(app, area);
    if let Some(place) = parts.list {
        list::draw(app, paint, place);
    }
    if let Some(place) = parts.evidence {
        evidence::draw(app, paint, place, parts.split);
    }
}

/// Signals that have come since the page was last looked at, for its tab.
pub fn badge(app: &App) -> Option<String> {
    let page = &app.pages.tape;
    let (seen, data) = (page.seen?, page.slot.data.as_ref()?);
    if !matches!(app.showing, Showing::Live) || app.page == Page::Tape {
        return None;
    }
    const MOST: usize = 99;
    let new = data.rows.iter().take(MOST + 1).take_while(|r| r.signal.detected_at > seen).count();
    let (told, more) = (new.min(MOST).to_string(), new > MOST);
    (new > 0).then(|| {
        if app.looks.glyphs.is_ascii() {
            return format!("({told}{})", if more { "+" } else { "" });
        }
        const SMALL: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
        let small = told.chars().filter_map(|c| SMALL.get(c.to_digit(10)? as usize));
        small.copied().chain(more.then_some('⁺')).collect()
    })
}

/// What is shown, for an export: heads, and one row a signal, all that pass.
pub fn table(app: &App) -> (Vec<&'static str>, Vec<Vec<String>>) {
    list::table(app)
}
