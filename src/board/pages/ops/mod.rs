//! Sources, credits, quality, times and the log.

mod credits;
pub mod data;
pub mod layout;
pub mod log;
pub mod panes;
pub mod said;
#[cfg(test)]
mod tests;

use ratatui::layout::Rect;

pub use self::layout::Pane;
use self::layout::Plan;
use self::said::{Piece, Said};
use crate::board::app::{App, Effect, Job, Slot};
use crate::board::chrome;
use crate::board::export::{Table, Value};
use crate::board::keys::Action;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;
use crate::board::widgets::{list, popup};
use crate::market::ids::LookId;
use crate::market::time::Timestamp;

/// The store is asked at most this often. The board's milliseconds.
const ASK_MS: u32 = 5_000;
/// The log is read at most this often. The board's milliseconds.
const LOG_MS: u32 = 2_000;

/// What the page keeps.
#[derive(Debug, Default)]
pub struct OpsPage {
    /// What the store answered.
    pub facts: Slot<data::Facts>,
    /// The end of the log.
    pub tail: Slot<Option<log::Tail>>,
    /// The pane that has the keyboard.
    pub focus: Pane,
    /// Lines that are scrolled out of sight at the top of each pane; the log counts from its end.
    pub scroll: [usize; Pane::COUNT],
    /// Which lines of the log are shown.
    pub level: log::Level,
    /// What overlays remember from one opening to the next.
    pub kept: crate::board::overlays::Kept,
    asked: Option<(u32, Option<LookId>, Timestamp)>,
    read: Option<u32>,
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    app.pages.ops.asked = None;
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    ask(app);
    read_log(app);
}

fn ask(app: &mut App) {
    let (tick, look, live) = (app.tick(), app.slate().look, matches!(app.showing, crate::board::app::Showing::Live));
    // The present goes on by itself; a moment is asked for once.
    let moment = if live { Timestamp::default() } else { app.until() };
    if let Some((when, seen, at)) = app.pages.ops.asked
        && at == moment
        && (seen == look || tick.saturating_sub(when) < ASK_MS)
    {
        return;
    }
    let moved = app.pages.ops.asked.is_some_and(|(_, _, at)| at != moment);
    let slot = &mut app.pages.ops.facts;
    let Some(version) = (if moved { Some(slot.ask(false)) } else { slot.refresh() }) else { return };
    app.pages.ops.asked = Some((tick, look, moment));
    let (store, until) = (app.at.store.clone(), app.until());
    let job = Job::reading(
        "ops",
        move |reader| data::read(reader, &store, until),
        move |app, found| {
            if app.pages.ops.facts.answer(version, found) {
                app.dirty = true;
            }
        },
    );
    app.effect(Effect::Job(job));
}

fn read_log(app: &mut App) {
    let tick = app.tick();
    if app.pages.ops.read.is_some_and(|when| tick.saturating_sub(when) < LOG_MS) {
        return;
    }
    let Some(version) = app.pages.ops.tail.refresh() else { return };
    app.pages.ops.read = Some(tick);
    let job = Job::desk(
        "log",
        |room| log::tail(&room.at.logs),
        move |app, found| {
            let before = app.pages.ops.tail.data.clone();
            if app.pages.ops.tail.answer(version, found) && app.pages.ops.tail.data != before {
                app.dirty = true;
            }
        },
    );
    app.effect(Effect::Job(job));
}

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    match action {
        Action::NextPane => {
            let at = app.pages.ops.focus as usize;
            app.pages.ops.focus = Pane::ALL.get((at + 1) % Pane::COUNT).copied().unwrap_or_default();
        }
        Action::LogLevel => {
            app.pages.ops.level = app.pages.ops.level.next();
            app.pages.ops.focus = Pane::Log;
            set_scroll(app, Pane::Log, 0);
            let told = format!("log: {}", app.pages.ops.level.name());
            app.say(told);
        }
        _ => {
            let pane = app.pages.ops.focus;
            let (said, room) = view(app, pane);
            // The end of a log is where it is read from.
            let last = said.len().saturating_sub(room);
            let from = at_top(app, pane, last);
            let Some(to) = list::scrolled(from, said.len(), room, action) else { return false };
            set_scroll(app, pane, if pane == Pane::Log { last - to } else { to });
        }
    }
    true
}

/// The first line of a pane on show, of which at most `last` can be scrolled away.
fn at_top(app: &App, pane: Pane, last: usize) -> usize {
    let scroll = app.pages.ops.scroll.get(pane as usize).copied().unwrap_or(0).min(last);
    if pane == Pane::Log { last - scroll } else { scroll }
}

fn set_scroll(app: &mut App, pane: Pane, to: usize) {
    if let Some(scroll) = app.pages.ops.scroll.get_mut(pane as usize) {
        *scroll = to;
    }
}

/// What a pane says, and how many lines of it fit.
fn view(app: &App, pane: Pane) -> (Vec<Said>, usize) {
    let plan = plan(app, chrome::body(app));
    let place = plan.placed.iter().find(|(p, _)| *p == pane).map(|(_, place)| popup::inside(*place));
    let place = place.unwrap_or_default();
    (panes::lines(app, pane, place.width), usize::from(place.height))
}

fn plan(app: &App, area: Rect) -> Plan {
    let width = match area.width {
        150.. => area.width / 3,
        96.. => area.width / 2,
        _ => area.width,
    };
    let lines = Pane::ALL.map(|pane| {
        let width = if pane == Pane::Log { area.width } else { width };
        panes::lines(app, pane, width.saturating_sub(4)).len()
    });
    layout::plan(area, &lines, app.pages.ops.focus)
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, _: bool) -> bool {
    let Hit::Pane(at) = hit else { return false };
    let Some(pane) = Pane::ALL.get(*at) else { return false };
    app.pages.ops.focus = *pane;
    true
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, _: i16) -> bool {
    // It scrolls the pane that it is over.
    if let Some(hit) = hit {
        click(app, hit, false);
    }
    false
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let plan = plan(app, area);
    if let Some(line) = plan.fold_line {
        let mut x = line.x + 1;
        x += paint.text(x, line.y, line.width, "more:", paint.style(Meaning::Muted)) + 2;
        for pane in &plan.folded {
            let room = line.right().saturating_sub(x);
            let taken = paint.text(x, line.y, room, pane.title(), paint.style(Meaning::Hint));
            paint.zone(Rect::new(x, line.y, taken, 1), Hit::Pane(*pane as usize));
            x += taken + 2;
        }
    }
    for (pane, place) in &plan.placed {
        paint.zone(*place, Hit::Pane(*pane as usize));
        let focus = *pane == app.pages.ops.focus;
        let inner = popup::pane(paint, *place, pane.title(), &panes::note(app, *pane), focus);
        let said = panes::lines(app, *pane, inner.width);
        let room = usize::from(inner.height);
        let top = at_top(app, *pane, said.len().saturating_sub(room));
        for (row, line) in said.iter().skip(top).take(room).enumerate() {
            said::put(paint, inner, inner.y + row as u16, line);
        }
        list::scroll_bar(paint, Rect { x: place.right().saturating_sub(1), width: 1, ..inner }, top, said.len());
    }
}

/// A second has passed while the page is on show.
pub fn tick(app: &mut App) {
    ask(app);
    read_log(app);
    // Ages and countdowns go on.
    app.dirty = true;
}

/// What the pane with the keyboard says, for the clipboard.
pub fn text(app: &App) -> String {
    let told = |piece: &Piece| match piece {
        Piece::Text(told, _) | Piece::Right(told, ..) => Some(told.trim().to_owned()),
        Piece::Sign(..) | Piece::Tab(_) | Piece::Ramp(_) | Piece::Stack(..) => None,
    };
    let (said, _) = view(app, app.pages.ops.focus);
    let lines: Vec<String> =
        said.iter().map(|line| line.iter().filter_map(told).collect::<Vec<_>>().join(" ")).collect();
    lines.join("\n")
}

/// The questions and how they went, for export.
pub fn table(app: &App) -> Option<Table> {
    let status = app.link.status.as_ref()?;
    let columns = [
        "source", "sport", "question", "asked", "answered", "outcome", "credits", "quotes", "changes", "failed",
        "reason", "message", "due",
    ];
    let time = |at: Option<Timestamp>| at.map_or(Value::None, Value::Time);
    let count = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok()).map_or(Value::None, Value::Integer);
    let rows = status
        .questions
        .iter()
        .map(|q| {
            let (answer, failure) = (q.answer.as_ref(), q.failure.as_ref());
            vec![
                Value::from(q.source.as_str()),
                Value::from(q.sport.as_str()),
                Value::from(q.endpoint.name()),
                time(q.asked),
                time(answer.map(|a| a.at)),
                Value::from(answer.map_or("", |a| a.outcome.as_str())),
                count(answer.and_then(|a| a.credits)),
                count(answer.map(|a| a.quotes)),
                count(answer.map(|a| a.changes)),
                time(failure.map(|f| f.at)),
                Value::from(failure.map_or("", |f| f.reason.as_str())),
                Value::from(failure.map_or("", |f| f.message.as_str())),
                time(q.due),
            ]
        })
        .collect();
    Some(Table { name: "sources".into(), columns: columns.map(str::to_owned).to_vec(), rows })
}
