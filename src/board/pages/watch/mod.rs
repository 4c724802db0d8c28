//! Watchlists: the lists, what is in them, and the games that they hold now.
//!
//! ```text
//! act      what keys, clicks and the wheel do
//! draw     the page
//! export   what is seen as a table
//! pane     the lists beside the board
//! activity what happened lately in the games of a list
//! line     a line of text over the page
//! rules    new rules
//! ```

mod act;
pub mod activity;
mod draw;
pub mod export;
pub mod line;
mod pane;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ratatui::layout::Rect;

pub use self::act::{act, add_rule, click, wheel};
use self::activity::Activity;
pub use self::draw::draw;
pub use self::pane::draw as draw_pane;
use crate::board::app::{App, Slot};
use crate::board::desk;
use crate::board::model::Game;
use crate::store::desk::{Desk, DeskError, ListContents, ListId, Rule, RuleId};

/// A part of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// The lists.
    #[default]
    Lists,
    /// The rules of the list under the cursor.
    Rules,
    /// The games that it holds.
    Games,
}

impl Pane {
    const ALL: [Self; 3] = [Self::Lists, Self::Rules, Self::Games];

    const fn place(self) -> usize {
        self as usize
    }
}

/// Something to be done with the user's database.
type Work = Arc<dyn Fn(&mut Desk) -> Result<(), DeskError> + Send + Sync>;

/// Takes a change back.
#[derive(Clone)]
pub struct Undo {
    what: String,
    work: Work,
}

impl std::fmt::Debug for Undo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// What the page keeps.
#[derive(Debug, Default)]
pub struct WatchPage {
    /// The pane with the keyboard.
    pub pane: Pane,
    /// Row under the cursor in each pane. Of lists the first is all games.
    pub at: [usize; 3],
    /// First row on show in each pane.
    pub top: [usize; 3],
    /// The list under the cursor, which it follows; `None`: all games.
    pub list: Option<ListId>,
    /// The rule under the cursor, which it follows.
    pub rule: Option<RuleId>,
    /// What happened lately.
    pub activity: Slot<Activity>,
    /// Changes that can be taken back, the newest last.
    pub undo: Vec<Undo>,
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    if let Some(at) = desk::chosen(app)
        && app.pages.watch.list.is_none()
        && app.pages.watch.at[0] == 0
    {
        app.pages.watch.list = app.desk.lists.get(at).map(|l| l.list.id);
    }
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    activity::ask(app);
    settle(app);
}

/// The list under the cursor; `None`: all games.
pub fn current(app: &App) -> Option<(usize, &ListContents)> {
    let at = app.pages.watch.at[0].checked_sub(1)?;
    app.desk.lists.get(at).map(|l| (at, l))
}

/// The rule under the cursor.
pub fn current_rule(app: &App) -> Option<&Rule> {
    current(app)?.1.rules.get(app.pages.watch.at[1])
}

/// Places of the games on show in the slate.
pub fn games(app: &App) -> Vec<usize> {
    match current(app) {
        None => (0..app.slate().games.len()).collect(),
        Some((at, _)) => desk::held(app).games.get(at).cloned().unwrap_or_default(),
    }
}

/// The game under the cursor.
pub fn current_game(app: &App) -> Option<&Arc<Game>> {
    let at = *games(app).get(app.pages.watch.at[2])?;
    app.slate().games.get(at)
}

/// Where the panes are in the area of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// Lists, rules and games, each with its heading.
    pub panes: [Rect; 3],
}

/// Lists to the left; to the right the rules above the games, or beside them where it is wide.
/// `rules`: how many the list with the most has.
pub fn parts(area: Rect, rules: usize) -> Parts {
    let left = (area.width * 2 / 5).clamp(26, 46);
    let lists = Rect { width: left, ..area };
    let right = Rect { x: area.x + left + 1, width: area.width.saturating_sub(left + 1), ..area };
    if right.width >= 110 {
        let half = right.width / 2;
        let rules = Rect { width: half, ..right };
        return Parts { panes: [lists, rules, Rect { x: right.x + half + 1, width: right.width - half - 1, ..right }] };
    }
    // Rules have the room that they need, and a little to grow; the games have the rest.
    let needed = u16::try_from(rules).unwrap_or(u16::MAX).saturating_add(3);
    let high = needed.min(right.height * 2 / 5).max(4).min(right.height);
    let rules = Rect { height: high, ..right };
    Parts { panes: [lists, rules, Rect { y: right.y + high, height: right.height - high, ..right }] }
}

/// Rules of the list that has the most: the panes stand still while one goes from list to list.
fn most_rules(app: &App) -> usize {
    app.desk.lists.iter().map(|l| l.rules.len()).max().unwrap_or(0)
}

/// Rows that fit under the headings of a pane.
fn room(app: &App, pane: Pane) -> usize {
    let area = parts(crate::board::chrome::body(app), most_rules(app)).panes[pane.place()];
    usize::from(area.height.saturating_sub(draw::head(pane)))
}

/// Keeps the cursors on what they follow, and what is under them in sight.
pub fn settle(app: &mut App) {
    let lists = app.desk.lists.clone();
    let page = &mut app.pages.watch;
    let follow = page.list.and_then(|id| lists.iter().position(|l| l.list.id == id));
    page.at[0] = match follow {
        Some(at) => at + 1,
        None if page.list.is_some() => page.at[0].min(lists.len()),
        None => 0,
    };
    let list = page.at[0].checked_sub(1).and_then(|at| lists.get(at));
    page.list = list.map(|l| l.list.id);
    let rules = list.map_or(&[][..], |l| &l.rules);
    if let Some(at) = page.rule.and_then(|id| rules.iter().position(|r| r.id == id)) {
        page.at[1] = at;
    }
    page.at[1] = page.at[1].min(rules.len().saturating_sub(1));
    page.rule = rules.get(page.at[1]).map(|r| r.id);
    let counts = [lists.len() + 1, rules.len(), games(app).len()];
    for pane in Pane::ALL {
        let visible = room(app, pane).max(1);
        let (page, place) = (&mut app.pages.watch, pane.place());
        page.at[place] = page.at[place].min(counts[place].saturating_sub(1));
        page.top[place] = page.top[place]
            .min(page.at[place])
            .max((page.at[place] + 1).saturating_sub(visible))
            .min(counts[place].saturating_sub(visible));
    }
    app.dirty = true;
}

/// A box in the middle of an area, a little above it.
pub fn over(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 3, width, height)
}
