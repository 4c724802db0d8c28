//! The list of signals: one line each where there is room, else two. Only the rows on show are put together.

use ratatui::layout::Rect;

use super::row::{self, Row};
use crate::board::app::App;
use crate::board::format;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::{bars, text};
use crate::board::{chrome, desk};
use crate::engine::detect::signal::SignalType;
use crate::store::analysis::TallySum;

/// Lines above the rows: what is chosen, and the heads.
const HEAD: u16 = 2;
/// From this width on a signal is one line.
const ONE_LINE: u16 = 112;
/// From this width on the evidence stands beside the list.
const SPLIT: u16 = 120;

/// The parts of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// The list, unless the evidence covers it.
    pub list: Option<Rect>,
    /// The evidence, if it is open.
    pub evidence: Option<Rect>,
    /// Both stand side by side.
    pub split: bool,
}

/// Where the parts are in the area of the page.
pub fn parts(app: &App, area: Rect) -> Parts {
    let split = area.width >= SPLIT;
    if !app.pages.tape.evidence {
        return Parts { list: Some(area), evidence: None, split };
    }
    if !split {
        return Parts { list: None, evidence: Some(area), split };
    }
    let width = (area.width / 2).min(96);
    let list = Rect { width: area.width - width, ..area };
    Parts { list: Some(list), evidence: Some(Rect { x: list.right(), width, ..area }), split }
}

const fn height(width: u16) -> u16 {
    if width >= ONE_LINE { 1 } else { 2 }
}

/// Signals that fit.
pub fn visible(app: &App) -> usize {
    let area = chrome::body(app);
    let list = parts(app, area).list.unwrap_or(area);
    usize::from(list.height.saturating_sub(HEAD) / height(list.width))
}

/// A column of the one-line form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Time,
    Kind,
    Game,
    Market,
    Moved,
    Take,
    Price,
    Book,
    Ev,
    Strength,
    Score,
    Books,
    Gap,
    Clv,
    Age,
}

/// Column, head, width, right-aligned, gives way (the highest first; 0 stays).
const COLUMNS: [(Column, &str, u16, bool, u8); 15] = [
    (Column::Time, "Time", 8, false, 0),
    (Column::Kind, "Type", 11, false, 0),
    (Column::Game, "Game", 11, false, 0),
    (Column::Market, "Market", 9, false, 5),
    (Column::Moved, "From, to", 20, false, 0),
    (Column::Take, "Take", 12, false, 0),
    (Column::Price, "Price", 6, true, 0),
    (Column::Book, "Book", 4, false, 0),
    (Column::Ev, "EV %", 6, true, 0),
    (Column::Strength, "Strength", 8, true, 0),
    (Column::Score, "Score", 10, false, 2),
    (Column::Books, "Books", 5, true, 1),
    (Column::Gap, "Gap", 4, true, 3),
    (Column::Clv, "CLV %", 6, true, 4),
    (Column::Age, "Age", 4, true, 0),
];

/// Marks left of a row: cursor, watched or new, and a blank.
const MARKS: u16 = 3;

/// The columns that fit, with their places and widths. The game takes what is left over, up to its full names.
fn plan(width: u16) -> Vec<(Column, &'static str, u16, u16, bool)> {
    let mut kept = COLUMNS.to_vec();
    let needs = |kept: &[(Column, &str, u16, bool, u8)]| MARKS + kept.iter().map(|c| c.2 + 2).sum::<u16>() - 1;
    while needs(&kept) > width {
        let most = kept.iter().map(|c| c.4).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        kept.retain(|c| c.4 != most);
    }
    // Where there is no room for two blanks between columns, one will do.
    let (gap, needed) = if needs(&kept) > width { (1, needs(&kept) - kept.len() as u16) } else { (2, needs(&kept)) };
    let spare = width.saturating_sub(needed).min(30);
    let mut x = MARKS;
    kept.into_iter()
        .map(|(column, head, width, right, _)| {
            let width = if column == Column::Game { width + spare } else { width };
            let placed = (column, head, x, width, right);
            x += width + gap;
            placed
        })
        .collect()
}

/// Draws what is chosen, the heads and the rows on show.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.height <= HEAD {
        return;
    }
    strip(app, paint, Rect { height: 1, ..area });
    let wide = area.width >= ONE_LINE;
    let plan = if wide { plan(area.width) } else { Vec::new() };
    let head = Rect { y: area.y + 1, height: 1, ..area };
    let style = paint.style(Meaning::Header);
    paint.fill(head, style);
    for (_, title, x, width, right) in &plan {
        if *right {
            paint.right(head.x + x, head.y, *width, title, style);
        } else {
            paint.text(head.x + x, head.y, *width, title, style);
        }
    }
    if !wide {
        paint.text(head.x + MARKS, head.y, 30, "Time      Type         Game", style);
        paint.right(head.x, head.y, head.width - 1, "Strength, age", style);
    }
    let body = Rect { y: area.y + HEAD, height: area.height - HEAD, ..area };
    let page = &app.pages.tape;
    if page.shown.is_empty() {
        empty(app, paint, body);
        return;
    }
    let each = height(area.width);
    let fits = usize::from(body.height / each);
    for at in page.top..page.shown.len().min(page.top + fits) {
        let Some(row) = super::row(app, at) else { continue };
        let y = body.y + (at - page.top) as u16 * each;
        let place = Rect { y, height: each, ..body };
        marks(app, paint, place, at, row);
        if wide {
            for (column, _, x, width, right) in &plan {
                let (told, meaning) = cell(app, paint, *column, row, *width);
                let style = paint.style(meaning);
                if *right {
                    paint.right(place.x + x, y, *width, &told, style);
                } else {
                    paint.text(place.x + x, y, *width, &told, style);
                }
            }
        } else {
            two_lines(app, paint, place, row);
        }
        paint.zone(place, Hit::Row(at));
    }
}

/// Cursor, watched, new.
fn marks(app: &App, paint: &mut Paint<'_>, area: Rect, at: usize, row: &Row) {
    if at == app.pages.tape.line {
        paint.fill(area, paint.style(Meaning::Selection));
        let meaning = if app.pages.tape.reading { Meaning::Muted } else { Meaning::Key };
        paint.text(area.x, area.y, 1, paint.glyph(Glyph::Cursor), paint.style(meaning));
    }
    let watched = app.slate().game(row.signal.event_id).is_some_and(|g| desk::is_watched(app, g));
    if super::is_new(app, row) {
        paint.text(area.x + 1, area.y, 1, paint.glyph(Glyph::Live), paint.style(Meaning::Warning));
    } else if watched {
        paint.text(area.x + 1, area.y, 1, paint.glyph(Glyph::Star), paint.style(Meaning::Watched));
    }
}

fn cell(app: &App, paint: &Paint<'_>, column: Column, row: &Row, width: u16) -> (String, Meaning) {
    let s = &row.signal;
    let entry = s.entry.as_ref();
    let none = || (paint.sign("–", "-").to_owned(), Meaning::Faint);
    match column {
        Column::Time => (app.prefs.zone().hms(s.detected_at), Meaning::Muted),
        Column::Kind => (row::kind(s.kind).to_owned(), row::kind_meaning(s.kind)),
        Column::Game => (row.game(width), Meaning::Text),
        Column::Market => (row.market(), Meaning::Muted),
        Column::Moved => (row.moved(paint.glyph(Glyph::Arrow)), Meaning::Text),
        Column::Take => row.take().map_or_else(|| ("no side".to_owned(), Meaning::Faint), |t| (t, Meaning::Text)),
        Column::Price => entry.map_or_else(none, |e| (row::price(e, app.prefs.odds), Meaning::Text)),
        Column::Book => entry.map_or_else(none, |e| (row::book(&e.book), Meaning::Text)),
        Column::Ev => entry.and_then(row::ev).unwrap_or_else(none),
        Column::Strength => {
            let bar = bars::levels(paint.glyphs, f64::from(s.strength) / 100.0, 4);
            (format!("{:>3} {bar}", s.strength), row::tier_meaning(s.tier))
        }
        Column::Score => (format!("{:>3} {:<6}", s.composite, s.tier.name()), row::tier_meaning(s.tier)),
        Column::Books => (row.books(), Meaning::Muted),
        Column::Gap => (format::ago((s.sampling.longest_gap_seconds * 1000.0) as i64), Meaning::Muted),
        Column::Clv => graded(app, row).unwrap_or_else(|| (String::new(), Meaning::Faint)),
        Column::Age => (format::ago(app.now().since(s.detected_at)), Meaning::Muted),
    }
}

/// The closing line value, once there is one.
pub fn graded(app: &App, row: &Row) -> Option<(String, Meaning)> {
    let data = app.pages.tape.slot.data.as_ref()?;
    let clv = data.clv.get(&row.signal.id).filter(|c| c.graded_at <= app.until())?.clv_ev?;
    let meaning = if clv > 0.0 { Meaning::GradeGood } else { Meaning::GradeBad };
    Some((format::signed_percent(clv), meaning))
}

fn two_lines(app: &App, paint: &mut Paint<'_>, area: Rect, row: &Row) {
    let s = &row.signal;
    let (y, mut x) = (area.y, area.x + MARKS);
    let end = area.right() - 1;
    let right = format!("{:>3} {}", s.strength, bars::levels(paint.glyphs, f64::from(s.strength) / 100.0, 4));
    let age = format::ago(app.now().since(s.detected_at));
    paint.right(area.x, y, area.width - 1, &age, paint.style(Meaning::Muted));
    paint.right(area.x, y, area.width - 6, &right, paint.style(row::tier_meaning(s.tier)));
    let room = end - 15;
    for column in [Column::Time, Column::Kind, Column::Game] {
        let width = COLUMNS.iter().find(|c| c.0 == column).map_or(8, |c| c.2);
        let width = if column == Column::Game { room.saturating_sub(x) } else { width };
        let (told, meaning) = cell(app, paint, column, row, width);
        paint.text(x, y, width.min(room.saturating_sub(x)), &told, paint.style(meaning));
        x += width + 2;
    }
    let mut x = area.x + MARKS;
    let y = y + 1;
    let (moved, _) = cell(app, paint, Column::Moved, row, 20);
    x += paint.text(x, y, end - x, &moved, paint.style(Meaning::Muted)).max(20) + 2;
    match (row.take(), &s.entry) {
        (Some(side), Some(entry)) => {
            let price = format!("{side} {} {}", row::price(entry, app.prefs.odds), row::book(&entry.book));
            x += paint.text(x, y, end.saturating_sub(x), &price, paint.style(Meaning::Text)).max(20) + 1;
            if let Some((ev, meaning)) = row::ev(entry)
                && x + 8 <= end
            {
                paint.right(x, y, 8, &format!("{ev} %"), paint.style(meaning));
                x += 10;
            }
        }
        (Some(side), None) => {
            x += paint.text(
                x,
                y,
                end.saturating_sub(x),
                &format!("{side}: nobody offers it"),
                paint.style(Meaning::Muted),
            );
        }
        (None, _) => x += paint.text(x, y, end.saturating_sub(x), "no side to take", paint.style(Meaning::Faint)),
    }
    let tier = format!("{} {}", s.composite, s.tier.name());
    let gap = format!("{}  gap {}", row.span(), format::ago((s.sampling.longest_gap_seconds * 1000.0) as i64));
    let all = format!("{gap}  {tier}");
    let told = [&all, &tier].into_iter().find(|t| x + 2 + text::width(t) <= end);
    if let Some(told) = told {
        paint.right(area.x, y, area.width - 1, told, paint.style(Meaning::Muted));
    }
}

/// What is chosen, and how many pass.
fn strip(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.tape;
    let all = page.slot.data.as_ref().map_or(0, |d| d.rows.len());
    let more = if page.slot.data.as_ref().is_some_and(|d| d.more) { "newest " } else { "" };
    let count = match page.shown.len() {
        n if n == all => format!("{more}{} signals", format::count(all as u64)),
        n => format!("{} of {more}{} signals", format::count(n as u64), format::count(all as u64)),
    };
    let mut x = area.x + MARKS;
    let end = area.right().saturating_sub(1);
    x += paint.text(x, area.y, end.saturating_sub(x), &count, paint.style(Meaning::Title)) + 2;
    let mut told: Vec<String> = Vec::new();
    let chosen = page.chosen;
    told.extend(chosen.kind.map(|k| format!("type {}", row::kind(k))));
    told.extend(chosen.tier.map(|t| format!("tier {} and above", t.name())));
    told.extend(chosen.preset.map(|p| p.label().to_owned()));
    told.extend(app.prefs.sport.clone());
    told.extend(app.prefs.list.as_ref().map(|l| format!("list {l}")));
    told.extend((!app.prefs.filter.is_empty()).then(|| app.prefs.filter.clone()));
    for part in told {
        if x >= end {
            return;
        }
        x += paint.text(x, area.y, end - x, &part, paint.style(Meaning::Key)) + 2;
    }
    if page.slot.error.is_some() && x < end {
        paint.text(x, area.y, end - x, "the store could not be read: this is older", paint.style(Meaning::Error));
    }
}

/// Why there is nothing to be seen.
fn empty(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let lines = reasons(app);
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 3;
    for (y, (told, meaning)) in (top..area.bottom()).zip(&lines) {
        paint.centre(Rect { y, height: 1, ..area }, y, told, paint.style(*meaning));
    }
}

fn reasons(app: &App) -> Vec<(String, Meaning)> {
    let page = &app.pages.tape;
    if let Some((_, Err(why))) = &page.parsed {
        return vec![(why.clone(), Meaning::Error), ("F clears the filter".into(), Meaning::Muted)];
    }
    let Some(data) = &page.slot.data else {
        return match &page.slot.error {
            Some(why) => vec![("the store cannot be read".into(), Meaning::Error), (text::plain(why), Meaning::Muted)],
            None => vec![("reading the store".into(), Meaning::Muted)],
        };
    };
    if data.rows.iter().any(|r| r.signal.detected_at <= app.until()) {
        return vec![("no signal passes".into(), Meaning::Text), ("F shows all again".into(), Meaning::Muted)];
    }
    let mut lines = vec![("no signals yet".to_owned(), Meaning::Text)];
    if data.tallies.is_empty() {
        lines.push(("nothing has been judged in the last six hours".into(), Meaning::Muted));
        return lines;
    }
    let judged: u64 = data.tallies.iter().map(|t| t.evaluated).sum();
    lines.push((format!("{} questions judged in the last six hours", format::count(judged)), Meaning::Muted));
    let blind = blind(&data.tallies);
    if !blind.is_empty() {
        lines.push((String::new(), Meaning::Text));
        lines.push(("looks too far apart to judge:".into(), Meaning::Warning));
        lines.extend(blind.into_iter().map(|told| (told, Meaning::Muted)));
    }
    lines
}

/// The detectors that could not judge some of what they saw, each with what it would need.
fn blind(tallies: &[TallySum]) -> Vec<String> {
    SignalType::ALL
        .into_iter()
        .filter_map(|kind| {
            let own = || tallies.iter().filter(move |t| t.detector == kind);
            let missed: u64 = own().map(|t| t.not_evaluable).sum();
            let all: u64 = missed + own().map(|t| t.evaluated).sum::<u64>();
            let longest = own().map(|t| t.longest_gap_ms).max().unwrap_or(0);
            let needed = own().map(|t| t.needed_ms).filter(|n| *n > 0).min()?;
            (missed > 0).then(|| {
                let share = 100.0 * missed as f64 / all as f64;
                let (longest, needed) = (format::ago(longest), format::ago(needed));
                format!("{}  {share:.0} % not judged  looks up to {longest} apart  needs {needed}", row::kind(kind))
            })
        })
        .collect()
}

/// Heads and rows of all that pass.
pub fn table(app: &App) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let heads = vec![
        "detected_at",
        "type",
        "sport",
        "away_team",
        "home_team",
        "market",
        "from",
        "to",
        "unit",
        "selection",
        "line",
        "price",
        "book",
        "ev_percent",
        "strength",
        "composite",
        "tier",
        "books",
        "panel",
        "longest_gap_seconds",
        "clv_percent",
        "close_grade",
        "id",
    ];
    let data = app.pages.tape.slot.data.as_ref();
    let rows = (0..app.pages.tape.shown.len()).filter_map(|at| {
        let row = super::row(app, at)?;
        let s = &row.signal;
        let entry = s.entry.as_ref();
        let clv = data.and_then(|d| d.clv.get(&s.id)).filter(|c| c.graded_at <= app.until());
        let share = |v: Option<f64>| v.map_or_else(String::new, |v| format!("{:.2}", v * 100.0));
        Some(vec![
            s.detected_at.to_wire(),
            s.kind.name().to_owned(),
            s.sport.clone(),
            text::plain(&s.away_team),
            text::plain(&s.home_team),
            s.market.clone(),
            format!("{:.4}", s.from_value),
            format!("{:.4}", s.to_value),
            s.unit.clone(),
            s.side.as_ref().map_or_else(String::new, |_| text::plain(&s.selection)),
            entry.and_then(|e| e.line).map_or_else(String::new, format::points),
            entry.map_or_else(String::new, |e| row::price(e, app.prefs.odds)),
            entry.map_or_else(String::new, |e| e.book.clone()),
            share(entry.and_then(|e| e.ev)),
            s.strength.to_string(),
            s.composite.to_string(),
            s.tier.name().to_owned(),
            s.books_affected.to_string(),
            s.panel.to_string(),
            format!("{:.0}", s.sampling.longest_gap_seconds),
            share(clv.and_then(|c| c.clv_ev)),
            clv.and_then(|c| c.close.grade).map_or_else(String::new, |g| g.name().to_owned()),
            s.id.clone(),
        ])
    });
    (heads, rows.collect())
}
