//! Closing line value: what signals were worth against the close, with intervals, and the records behind every number.
//!
//! Owns what is chosen and where the cursor stands. Every number is the engine's; nothing is judged here.

pub mod aside;
pub mod draw;
pub mod load;
pub mod records;
#[cfg(test)]
mod tests;
pub mod view;

use std::ops::Range;

use ratatui::layout::Rect;

use self::load::Record;
use self::view::{Choice, GroupRow};
use super::tape::load::Moment;
use crate::board::app::{App, Slot};
use crate::board::chrome;
use crate::board::format::{self, Zone};
use crate::board::keys::Action;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;
use crate::board::widgets::text;
use crate::engine::grade::record::preset::Preset;

/// What the page keeps.
#[derive(Debug, Default)]
pub struct ClvPage {
    /// The record.
    pub slot: Slot<Record>,
    /// What was asked last.
    pub asked: Option<(Moment, Choice, Zone)>,
    /// The moment of which the rows are.
    pub read: Option<Moment>,
    /// What is to be shown.
    pub choice: Choice,
    /// Group under the cursor.
    pub line: usize,
    /// First group on show.
    pub top: usize,
    /// The records of the group are on show.
    pub open: bool,
    /// Record under the cursor.
    pub record: usize,
    /// First record on show.
    pub record_top: usize,
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    load::ask(app);
    settle(app);
}

/// Keeps cursors and windows within what there is.
fn settle(app: &mut App) {
    let area = chrome::body(app);
    let page = &mut app.pages.clv;
    let groups = page.slot.data.as_ref().map_or(0, |d| d.view.groups.len());
    let window = |at: &mut usize, top: &mut usize, count: usize, visible: usize| {
        let visible = visible.max(1);
        *at = (*at).min(count.saturating_sub(1));
        *top = (*top).min(*at).max((*at + 1).saturating_sub(visible)).min(count.saturating_sub(visible));
    };
    window(&mut page.line, &mut page.top, groups, draw::visible(area, groups));
    let records = group(page).map_or(0, |g| g.rows.len());
    page.open &= groups > 0;
    window(&mut page.record, &mut page.record_top, records, records::visible(area));
    app.dirty = true;
}

fn group(page: &ClvPage) -> Option<&GroupRow> {
    page.slot.data.as_ref()?.view.groups.get(page.line)
}

/// The row of the page's table under the cursor.
pub fn row(app: &App) -> usize {
    let page = &app.pages.clv;
    if page.open { page.record } else { page.line }
}

/// The group under the cursor in a few words, for the clipboard.
pub fn cell(app: &App) -> Option<String> {
    let group = group(&app.pages.clv)?;
    let mean = group.stats.mean_clv_ev.map_or_else(|| "-".to_owned(), |v| format!("{:+.2} %", v * 100.0));
    Some(format!("{} CLV {mean} of {} graded", group.title, group.stats.graded))
}

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let area = chrome::body(app);
    let page = &app.pages.clv;
    let groups = page.slot.data.as_ref().map_or(0, |d| d.view.groups.len());
    let screen = if page.open { records::visible(area) } else { draw::visible(area, groups) }.max(2) as isize - 1;
    match action {
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Open if app.pages.clv.open => show_signal(app),
        A::Open => {
            let page = &mut app.pages.clv;
            (page.open, page.record, page.record_top) = (group(page).is_some(), 0, 0);
        }
        A::Back if app.pages.clv.open => app.pages.clv.open = false,
        A::GroupRows => {
            let choice = &mut app.pages.clv.choice;
            choice.group = choice.group.next();
            let told = format!("by {}", choice.group.name());
            chosen(app, told);
        }
        A::Period => {
            let choice = &mut app.pages.clv.choice;
            choice.period = choice.period.next();
            let told = format!("games of {}", choice.period.name());
            chosen(app, told);
        }
        A::RecordKind => {
            let choice = &mut app.pages.clv.choice;
            choice.counted = choice.counted.next();
            let told = format!("{} count", choice.counted.name());
            chosen(app, told);
        }
        A::Preset => {
            let choice = &mut app.pages.clv.choice;
            let at = choice.preset.and_then(|p| Preset::ALL.iter().position(|o| *o == p));
            choice.preset = Preset::ALL.get(at.map_or(0, |at| at + 1)).copied();
            let told = choice.preset.map_or("no preset".to_owned(), |p| format!("preset {}", p.label()));
            chosen(app, told);
        }
        A::ClearFilter => {
            let group = app.pages.clv.choice.group;
            app.pages.clv.choice = Choice { group, ..Choice::default() };
            app.prefs.sport = None;
            app.keep_prefs();
            chosen(app, "all graded signals".to_owned());
        }
        _ => return false,
    }
    app.dirty = true;
    true
}

fn chosen(app: &mut App, told: String) {
    let page = &mut app.pages.clv;
    (page.open, page.line, page.top) = (false, 0, 0);
    refresh(app);
    app.say(told);
}

fn step(app: &mut App, by: isize) {
    let page = &mut app.pages.clv;
    let groups = page.slot.data.as_ref().map_or(0, |d| d.view.groups.len());
    let records = group(page).map_or(0, |g| g.rows.len());
    let (at, count) = if page.open { (&mut page.record, records) } else { (&mut page.line, groups) };
    *at = (*at as isize).saturating_add(by).clamp(0, count.saturating_sub(1) as isize) as usize;
    settle(app);
}

/// Shows the evidence of the record under the cursor.
fn show_signal(app: &mut App) {
    let page = &app.pages.clv;
    let id = page.slot.data.as_ref().zip(group(page)).and_then(|(data, group)| {
        let row = data.view.rows.get(group.rows.start + page.record)?;
        Some(row.signal_id.clone())
    });
    if let Some(id) = id {
        super::tape::show(app, &id);
    }
}

/// The id of the signal under the cursor, for its explanation.
pub fn explain_target(app: &App) -> Option<String> {
    let page = &app.pages.clv;
    let (data, group) = page.slot.data.as_ref().zip(group(page)).filter(|_| page.open)?;
    data.view.rows.get(group.rows.start + page.record).map(|r| r.signal_id.clone())
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    let Hit::Row(at) = hit else { return false };
    let page = &mut app.pages.clv;
    if page.open {
        page.record = *at;
    } else {
        page.line = *at;
    }
    settle(app);
    if double {
        act(app, Action::Open);
    }
    true
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    let _ = hit;
    step(app, isize::from(rows));
    true
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.clv;
    let Some(record) = &page.slot.data else {
        let told = match &page.slot.error {
            Some(why) => {
                vec![("the store cannot be read".to_owned(), Meaning::Error), (text::plain(why), Meaning::Muted)]
            }
            None => vec![("reading the store".to_owned(), Meaning::Muted)],
        };
        lines(paint, area, &told);
        return;
    };
    if record.view.groups.is_empty() {
        lines(paint, area, &reasons(app, record));
        return;
    }
    if let Some(group) = group(page).filter(|_| page.open) {
        records::draw(app, paint, area, record, group);
        return;
    }
    let (cards, beside) = draw::parts(area, record.view.groups.len());
    draw::draw(app, paint, cards, &record.view);
    if let Some(place) = beside {
        aside::draw(paint, place, &record.view);
    }
}

fn lines(paint: &mut Paint<'_>, area: Rect, lines: &[(String, Meaning)]) {
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 3;
    for (y, (told, meaning)) in (top..area.bottom()).zip(lines) {
        paint.centre(Rect { y, height: 1, ..area }, y, told, paint.style(*meaning));
    }
}

/// Why there is nothing to be seen.
fn reasons(app: &App, record: &Record) -> Vec<(String, Meaning)> {
    if record.view.of > 0 {
        let choice = &record.view.choice;
        let mut by = vec![choice.period.name().to_owned()];
        by.extend(choice.preset.map(|p| p.label().to_owned()));
        by.extend(choice.sport.clone());
        return vec![
            (format!("none of {} graded signals is among these", format::count(record.view.of as u64)), Meaning::Text),
            (by.join(", "), Meaning::Muted),
            ("F shows all again".to_owned(), Meaning::Muted),
        ];
    }
    let mut told = vec![
        ("nothing is graded yet".to_owned(), Meaning::Text),
        ("a signal is graded against the close, once its game has started".to_owned(), Meaning::Muted),
    ];
    let waiting = record.waiting;
    if waiting.signals == 0 {
        told.push(("there are no signals that wait for one".to_owned(), Meaning::Muted));
        return told;
    }
    let plural = |n: u64, one: &str, many: &str| {
        if n == 1 { format!("1 {one}") } else { format!("{} {many}", format::count(n)) }
    };
    if waiting.unstarted > 0 {
        let start = waiting
            .next_start
            .map_or_else(String::new, |at| format!(", the first at {}", app.prefs.zone().start(at, app.now())));
        let told_of = plural(waiting.unstarted, "signal waits for its game", "signals wait for their games");
        told.push((format!("{told_of} to start{start}"), Meaning::Text));
    }
    let started = waiting.signals.saturating_sub(waiting.unstarted);
    if started > 0 {
        let told_of = plural(started, "signal's game should have started", "signals' games should have started");
        told.push((format!("{told_of}: the next look grades them"), Meaning::Muted));
    }
    told
}

/// What is shown, for an export: the groups, or the records of the one that is open.
pub fn table(app: &App) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let page = &app.pages.clv;
    let heads = vec![
        "group",
        "tier",
        "games",
        "signals",
        "graded",
        "positive_percent",
        "positive_low",
        "positive_high",
        "mean_clv_percent",
        "mean_low",
        "mean_high",
        "median_clv_percent",
    ];
    let Some(record) = &page.slot.data else { return (heads, Vec::new()) };
    if let Some(group) = group(page).filter(|_| page.open) {
        let span: Range<usize> = group.rows.clone();
        return records::table(app, record, record.view.rows.get(span).unwrap_or_default());
    }
    let share = |v: Option<f64>| v.map_or_else(String::new, |v| format!("{:.3}", v * 100.0));
    let rows = record.view.groups.iter().map(|g| {
        let s = &g.stats;
        vec![
            g.title.clone(),
            format!("{:?}", g.tier),
            s.events.to_string(),
            s.signals.to_string(),
            s.graded.to_string(),
            share(s.positive_rate),
            share(s.positive_rate_low),
            share(s.positive_rate_high),
            share(s.mean_clv_ev),
            share(s.mean_clv_ev_low),
            share(s.mean_clv_ev_high),
            share(s.median_clv_ev),
        ]
    });
    (heads, rows.collect())
}
