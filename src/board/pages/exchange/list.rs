//! The list of games, the line that says how the exchange is listened to, and why there is nothing where there is nothing.

use ratatui::layout::Rect;

use super::load::Slice;
use super::rows::Row;
use crate::board::app::{App, Showing};
use crate::board::format;
use crate::board::link::Feeder;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::market::time::Timestamp;
use crate::runtime::status::{ExchangeStatus, Listening};
use crate::store::exchange::LinkState;

/// Lines above the rows: their heads.
const HEAD: u16 = 1;

/// Rows that fit.
pub fn visible(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(HEAD))
}

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Start,
    Game,
    Link,
    Price,
    Fair,
    Apart,
    Leads,
    Spread,
    Near,
    Age,
}

/// Column, head, width, right-aligned, gives way (the highest first; 0 stays).
const COLUMNS: [(Column, &str, u16, bool, u8); 10] = [
    (Column::Start, "Start", 9, false, 0),
    (Column::Game, "Game, first side", 14, false, 0),
    (Column::Link, "Link", 7, false, 2),
    (Column::Price, "Price", 7, true, 0),
    (Column::Fair, "Books", 5, true, 0),
    (Column::Apart, "+/-", 5, true, 0),
    (Column::Leads, "Leads", 10, false, 3),
    (Column::Spread, "Sprd", 4, true, 4),
    (Column::Near, "Near $", 6, true, 5),
    (Column::Age, "Age", 4, true, 0),
];

/// Cursor and a blank.
const MARKS: u16 = 2;

/// The columns that fit, with their places; the game takes what is left over.
fn plan(width: u16) -> Vec<(Column, &'static str, u16, u16, bool)> {
    let mut kept = COLUMNS.to_vec();
    let needs = |kept: &[(Column, &str, u16, bool, u8)]| MARKS + kept.iter().map(|c| c.2 + 1).sum::<u16>();
    while needs(&kept) > width {
        let most = kept.iter().map(|c| c.4).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        kept.retain(|c| c.4 != most);
    }
    let spare = width.saturating_sub(needs(&kept)).min(36);
    let mut x = MARKS;
    kept.into_iter()
        .map(|(column, head, width, right, _)| {
            let width = if column == Column::Game { width + spare } else { width };
            let placed = (column, head, x, width, right);
            x += width + 1;
            placed
        })
        .collect()
}

/// Draws heads and rows.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.height <= HEAD {
        return;
    }
    let page = &app.pages.exchange;
    let plan = plan(area.width);
    let style = paint.style(Meaning::Header);
    paint.fill(Rect { height: 1, ..area }, style);
    for (_, head, x, width, right) in &plan {
        if *right {
            paint.right(area.x + x, area.y, *width, head, style);
        } else {
            paint.text(area.x + x, area.y, *width, head, style);
        }
    }
    let shown = page.rows.iter().enumerate().skip(page.top).take(visible(area));
    for (y, (at, row)) in (area.y + HEAD..area.bottom()).zip(shown) {
        let place = Rect { y, height: 1, ..area };
        if at == page.line {
            paint.fill(place, paint.style(Meaning::Selection));
            paint.text(place.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
        }
        for (column, _, x, width, right) in &plan {
            let (told, meaning) = cell(app, paint, row, *column, *width);
            if *right {
                paint.right(place.x + x, y, *width, &told, paint.style(meaning));
            } else {
                paint.text(place.x + x, y, *width, &told, paint.style(meaning));
            }
        }
        paint.zone(place, Hit::Row(at));
    }
    let above = page.top > 0;
    let below = page.top + visible(area) < page.rows.len();
    for (there, y, glyph) in [(above, area.y + HEAD, Glyph::RowsAbove), (below, area.bottom() - 1, Glyph::RowsBelow)] {
        if there {
            paint.text(area.right() - 1, y, 1, paint.glyph(glyph), paint.style(Meaning::Key));
        }
    }
}

/// Dollars in at most six columns.
pub fn dollars(value: f64) -> String {
    match value {
        v if !v.is_finite() => "?".to_owned(),
        v if v < 10_000.0 => format!("{v:.0}"),
        v if v < 1_000_000.0 => format!("{:.1}k", v / 1000.0),
        v => format!("{:.1}M", v / 1_000_000.0),
    }
}

/// Who leads, short.
fn lead(label: &str, lag: Option<f64>) -> (String, Meaning) {
    let lag = lag.map_or_else(String::new, |s| format!(" {}", format::ago((s.abs() * 1000.0) as i64)));
    match label {
        "exchange_leads" => (format!("exch{lag}"), Meaning::ExchangeDivergence),
        "sportsbook_leads" => (format!("books{lag}"), Meaning::ExchangeDivergence),
        "aligned" => ("both".to_owned(), Meaning::Muted),
        "opposed" => ("opposed".to_owned(), Meaning::Warning),
        other => (other.to_owned(), Meaning::Muted),
    }
}

fn cell(app: &App, paint: &Paint<'_>, row: &Row, column: Column, width: u16) -> (String, Meaning) {
    let none = || (paint.sign("–", "-").to_owned(), Meaning::Faint);
    let now = app.now();
    let old = row.seen.is_some_and(|at| now.since(at) > app.at.max_age_ms);
    match column {
        Column::Start => match row.starts {
            Some(at) if at <= now => (app.prefs.zone().start(at, now), Meaning::Live),
            Some(at) => (app.prefs.zone().start(at, now), Meaning::Muted),
            None => ("no time".to_owned(), Meaning::Faint),
        },
        Column::Game if text::width(&row.name) > width => (row.short.clone(), Meaning::Text),
        Column::Game => (row.name.clone(), Meaning::Text),
        Column::Link => match row.state {
            Some(LinkState::Linked) => ("linked".to_owned(), Meaning::Muted),
            Some(LinkState::Review) => ("review".to_owned(), Meaning::Warning),
            Some(LinkState::Refused) => ("refused".to_owned(), Meaning::Faint),
            Some(LinkState::None) => none(),
            None => ("new".to_owned(), Meaning::Faint),
        },
        Column::Price => match row.price {
            Some(p) => (format!("{:.1}", p * 100.0), if old { Meaning::Stale } else { Meaning::Text }),
            None => (row.why.to_owned(), Meaning::Faint),
        },
        Column::Fair => row.fair.map_or_else(none, |p| (format!("{:.1}", p * 100.0), Meaning::Fair)),
        Column::Apart => row.apart.map_or_else(none, |d| apart(d, old)),
        Column::Leads => row.lead.as_ref().map_or_else(none, |l| lead(&l.label, l.lag)),
        Column::Spread => row.spread.map_or_else(none, |s| (format!("{:.1}", s * 100.0), Meaning::Muted)),
        Column::Near => row.near.map_or_else(none, |d| (dollars(d), Meaning::Muted)),
        Column::Age => match row.seen {
            Some(at) => (format::ago(now.since(at)), if old { Meaning::Warning } else { Meaning::Muted }),
            None => none(),
        },
    }
}

/// A distance in points of probability, and how it looks.
pub fn apart(distance: f64, old: bool) -> (String, Meaning) {
    // Nothing with a sign would say something that is not so.
    let points = if distance.abs() < 0.0005 { 0.0 } else { distance * 100.0 };
    let meaning = match points {
        _ if old => Meaning::Stale,
        p if p.abs() < 2.0 => Meaning::Muted,
        p if p > 0.0 => Meaning::Up,
        _ => Meaning::Down,
    };
    (format!("{points:+.1}"), meaning)
}

/// How the exchange is listened to, in a line that loses its end first.
pub fn status(app: &App, paint: &mut Paint<'_>, area: Rect) {
    paint.fill(area, paint.style(Meaning::Hint));
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    for (told, meaning) in said(app, paint) {
        if x >= end {
            return;
        }
        x += paint.text(x, area.y, end - x, &told, paint.style(meaning)) + 2;
    }
}

fn said(app: &App, paint: &Paint<'_>) -> Vec<(String, Meaning)> {
    let page = &app.pages.exchange;
    let zone = app.prefs.zone();
    let mut told = Vec::new();
    match &app.showing {
        Showing::Live => told.extend(listening(app, paint)),
        // The state of connections is of the present and has nothing to do with a moment of the past.
        _ => told.push((format!("as it was kept at {}", zone.hms(app.until())), Meaning::Past)),
    }
    if let Some(slice) = &page.slot.data {
        let all = slice.listed.len();
        if page.rows.len() < all {
            told.insert(1.min(told.len()), (format!("{} of {all} games", page.rows.len()), Meaning::Key));
        }
        let review = slice.listed.iter().filter(|l| l.game.link.as_ref().is_some_and(|l| l.state == LinkState::Review));
        let review = review.count();
        if review > 0 {
            told.insert(1.min(told.len()), (format!("{review} to review"), Meaning::Warning));
        }
    }
    let order = format!("by {}{}", page.sort.name(), if page.reverse { ", reversed" } else { "" });
    told.push((order, Meaning::Muted));
    if let Some(why) = page.slot.error.as_ref().filter(|_| page.slot.data.is_some()) {
        told.insert(0, (format!("not up to date: {}", text::plain(why)), Meaning::Warning));
    }
    told
}

fn listening(app: &App, paint: &Paint<'_>) -> Vec<(String, Meaning)> {
    let dot = paint.glyph(Glyph::Live);
    let idle = paint.glyph(Glyph::Idle);
    let Some(status) = app.link.status.as_ref().and_then(|s| s.exchange.as_ref()) else {
        let told = match (&app.link.feeder, app.at.exchange_on) {
            (Feeder::Here | Feeder::Daemon { .. }, true) => "the session does not listen yet",
            (_, true) => "nobody listens: no session runs",
            (_, false) => "not listened to: polymarket.on = true turns it on",
        };
        return vec![(format!("{idle} {told}"), Meaning::Muted)];
    };
    let now = app.clocks.local();
    let mut told = vec![match status.listening {
        Listening::On => (format!("{dot} {}", text::plain(&status.exchange)), Meaning::Ok),
        Listening::Starting => (format!("{idle} {} starting", text::plain(&status.exchange)), Meaning::Muted),
        Listening::Failing => (format!("{idle} {} FAILING", text::plain(&status.exchange)), Meaning::Error),
    }];
    if let Some(trouble) = &status.trouble {
        told.push((text::plain(trouble), Meaning::Error));
    }
    told.push(sockets(status));
    told.push(match last_data(status) {
        Some(at) => (format!("data {} ago", format::ago(now.since(at))), Meaning::Text),
        None => ("no data yet".to_owned(), Meaning::Muted),
    });
    if let Some(ms) = status.lag_ms {
        told.push((format!("lag {ms} ms"), if ms > 1_000 { Meaning::Warning } else { Meaning::Muted }));
    }
    told.push((format!("{:.0} messages/s", status.messages_per_second), Meaning::Muted));
    told.push((format!("{} contracts", status.contracts), Meaning::Muted));
    told
}

fn sockets(status: &ExchangeStatus) -> (String, Meaning) {
    let up = status.sockets.iter().filter(|s| s.connected_since.is_some()).count();
    let all = status.sockets.len();
    let meaning = if up < all { Meaning::Warning } else { Meaning::Text };
    (format!("sockets {up}/{all}"), meaning)
}

/// When any connection brought data last. By this machine's clock.
pub fn last_data(status: &ExchangeStatus) -> Option<Timestamp> {
    status.sockets.iter().filter_map(|s| s.last_data).max()
}

/// Why there is nothing to be seen.
pub fn reasons(app: &App, slice: &Slice) -> Vec<(String, Meaning)> {
    let muted = |told: &str| (told.to_owned(), Meaning::Muted);
    if !slice.listed.is_empty() {
        let page = &app.pages.exchange;
        let mut by = vec![page.links.name().to_owned()];
        by.extend(app.prefs.sport.clone());
        return vec![
            (format!("none of {} listed games is among these", slice.listed.len()), Meaning::Text),
            (by.join(", "), Meaning::Muted),
            muted("F shows all again"),
        ];
    }
    if slice.ever {
        return vec![
            ("no game is listed around this moment".to_owned(), Meaning::Text),
            muted("listings of half a day back and eight days ahead are shown"),
        ];
    }
    let mut told = vec![("no exchange has been listened to yet".to_owned(), Meaning::Text)];
    if app.at.exchange_on {
        told.push(muted("polymarket.on is true: its games appear once the session has read the listings"));
    } else {
        told.push(muted("polymarket.on = true turns it on, in"));
        told.push((app.at.settings.display().to_string(), Meaning::Text));
        told.push(muted("reading needs no account and no key; this machine then calls Polymarket's servers"));
    }
    told
}
