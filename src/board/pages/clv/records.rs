//! The records behind a number: every signal of a group with its entry, its close, what it was worth, or why it was left
//! out.

use ratatui::layout::Rect;

use super::load::Record;
use super::view::{GroupRow, left_out};
use crate::board::app::App;
use crate::board::format;
use crate::board::pages::tape::row;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::engine::grade::clv::ClvRow;
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec};

/// Lines above the records.
const HEAD: u16 = 3;

/// Records that fit.
pub fn visible(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(HEAD))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Kind,
    Game,
    Market,
    Take,
    Entry,
    Close,
    Grade,
    Clv,
    Points,
    Note,
}

/// Column, head, width, right-aligned, gives way (the highest first; 0 stays).
const COLUMNS: [(Column, &str, u16, bool, u8); 10] = [
    (Column::Time, "Detected", 9, false, 0),
    (Column::Kind, "Type", 11, false, 2),
    (Column::Game, "Game", 11, false, 0),
    (Column::Market, "Market", 9, false, 4),
    (Column::Take, "Take", 12, false, 0),
    (Column::Entry, "Entry", 10, false, 3),
    (Column::Close, "Close", 5, true, 5),
    (Column::Grade, "Gr", 2, false, 1),
    (Column::Clv, "CLV %", 6, true, 0),
    (Column::Points, "Pts", 5, true, 6),
];

/// Draws the records of a group.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, record: &Record, group: &GroupRow) {
    if area.height <= HEAD {
        return;
    }
    let (x, end) = (area.x + 2, area.right().saturating_sub(1));
    let taken = paint.text(x, area.y, end - x, &group.title, paint.style(Meaning::Title)) + 2;
    let count = format!("{} records", format::count(group.rows.len() as u64));
    paint.text(x + taken, area.y, end.saturating_sub(x + taken), &count, paint.style(Meaning::Muted));
    let mut at = x;
    for (told, meaning) in super::draw::sentence(&group.stats) {
        if at + text::width(&told) > end {
            break;
        }
        at += paint.text(at, area.y + 1, end - at, &told, paint.style(meaning)) + 2;
    }
    let mut kept = COLUMNS.to_vec();
    let needs = |kept: &[(Column, &str, u16, bool, u8)]| 2 + kept.iter().map(|c| c.2 + 2).sum::<u16>();
    // The reason why something was left out needs some room of its own where there is any.
    while needs(&kept) > area.width && kept.iter().any(|c| c.4 > 0) {
        let most = kept.iter().map(|c| c.4).max().unwrap_or(0);
        kept.retain(|c| c.4 != most);
    }
    kept.push((Column::Note, "", area.width.saturating_sub(needs(&kept) + 1), false, 0));
    let head = Rect { y: area.y + 2, height: 1, ..area };
    let style = paint.style(Meaning::Header);
    paint.fill(head, style);
    let mut placed = Vec::with_capacity(kept.len());
    let mut at = 2;
    for (column, title, width, right, _) in kept {
        if right {
            paint.right(head.x + at, head.y, width, title, style);
        } else {
            paint.text(head.x + at, head.y, width, title, style);
        }
        placed.push((column, at, width, right));
        at += width + 2;
    }
    let page = &app.pages.clv;
    let rows = record.view.rows.get(group.rows.clone()).unwrap_or_default();
    let body = Rect { y: area.y + HEAD, height: area.height - HEAD, ..area };
    let shown = rows.iter().enumerate().skip(page.record_top).take(usize::from(body.height));
    for (y, (number, row)) in (body.y..).zip(shown) {
        let place = Rect { y, height: 1, ..body };
        if number == page.record {
            paint.fill(place, paint.style(Meaning::Selection));
            paint.text(place.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
        }
        for (column, at, width, right) in &placed {
            let (told, meaning) = cell(app, paint, record, *column, row);
            let style = paint.style(meaning);
            if *right {
                paint.right(place.x + at, y, *width, &told, style);
            } else {
                paint.text(place.x + at, y, *width, &told, style);
            }
        }
        paint.zone(place, Hit::Row(number));
    }
}

fn cell(app: &App, paint: &Paint<'_>, record: &Record, column: Column, r: &ClvRow) -> (String, Meaning) {
    let none = || (paint.sign("–", "-").to_owned(), Meaning::Faint);
    let counted = record.view.choice.counted;
    match column {
        Column::Time => (app.prefs.zone().start(r.detected_at, app.now()), Meaning::Muted),
        Column::Kind => (row::kind(r.kind).to_owned(), row::kind_meaning(r.kind)),
        Column::Game => (game(record, r), Meaning::Text),
        Column::Market => {
            (if r.market == "h2h" { "ML".into() } else { format::market_title(&r.market) }, Meaning::Muted)
        }
        Column::Take => take(record, r).map_or_else(|| ("no side".into(), Meaning::Faint), |t| (t, Meaning::Text)),
        Column::Entry => match &r.entry {
            Some(e) => (format!("{:>5} {}", row::price(e, app.prefs.odds), row::book(&e.book)), Meaning::Text),
            None => none(),
        },
        Column::Close => line(r, r.close.line).map_or_else(none, |l| (l, Meaning::Text)),
        Column::Grade => r.close.grade.map_or_else(none, |g| (g.name().to_owned(), Meaning::Text)),
        Column::Clv => match r.clv_ev {
            Some(v) if left_out(r, counted).is_empty() => {
                (format::signed_percent(v), if v > 0.0 { Meaning::GradeGood } else { Meaning::GradeBad })
            }
            Some(v) => (format::signed_percent(v), Meaning::Faint),
            None => none(),
        },
        Column::Points => r.clv_points.map_or_else(none, |p| (format!("{p:+.1}"), Meaning::Muted)),
        Column::Note => (left_out(r, counted), Meaning::Muted),
    }
}

fn game(record: &Record, r: &ClvRow) -> String {
    record
        .teams
        .get(&r.event_id)
        .map_or_else(|| format!("game {}", r.event_id.0), |(away, home)| format!("{away} @ {home}"))
}

fn line(r: &ClvRow, points: Option<f64>) -> Option<String> {
    let line = points.and_then(Line::from_points)?;
    let spread = MarketSpec::parse(&r.market).family == Family::Spread;
    Some(if spread { format::spread(line) } else { format::total(line) })
}

fn take(record: &Record, r: &ClvRow) -> Option<String> {
    let teams = record.teams.get(&r.event_id);
    let total = MarketSpec::parse(&r.market).family == Family::Total;
    let side = match (r.side.as_deref()?, teams) {
        ("home", Some((_, home))) => home.clone(),
        ("away", Some((away, _))) => away.clone(),
        ("over", _) if total => "Over".to_owned(),
        ("under", _) if total => "Under".to_owned(),
        ("draw", _) => "Draw".to_owned(),
        _ => text::plain(&r.selection),
    };
    let line = r.entry.as_ref().and_then(|e| line(r, e.line));
    Some(line.map_or_else(|| side.clone(), |l| format!("{side} {l}")))
}

/// Heads and rows of the records of a group.
pub fn table(app: &App, record: &Record, rows: &[ClvRow]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let heads = vec![
        "detected_at",
        "start",
        "type",
        "sport",
        "game",
        "market",
        "selection",
        "line",
        "price",
        "book",
        "close_line",
        "close_fair_percent",
        "grade",
        "clv_percent",
        "clv_points",
        "clv_price_percent",
        "left_out",
        "signal",
    ];
    let share = |v: Option<f64>| v.map_or_else(String::new, |v| format!("{:.3}", v * 100.0));
    let points = |v: Option<f64>| v.map_or_else(String::new, format::points);
    let rows = rows.iter().map(|r| {
        let entry = r.entry.as_ref();
        vec![
            r.detected_at.to_wire(),
            r.start.to_wire(),
            r.kind.name().to_owned(),
            r.sport.clone(),
            game(record, r),
            r.market.clone(),
            r.side.as_ref().map_or_else(String::new, |_| text::plain(&r.selection)),
            points(entry.and_then(|e| e.line)),
            entry.map_or_else(String::new, |e| row::price(e, app.prefs.odds)),
            entry.map_or_else(String::new, |e| e.book.clone()),
            points(r.close.line),
            share(r.close.fair_probability),
            r.close.grade.map_or_else(String::new, |g| g.name().to_owned()),
            share(r.clv_ev),
            points(r.clv_points),
            share(r.clv_price),
            left_out(r, record.view.choice.counted),
            r.signal_id.clone(),
        ]
    });
    (heads, rows.collect())
}
