//! Beside the scorecards: how CLV and positive rates are spread, and what days and weeks brought.

use ratatui::layout::Rect;

use super::draw::worth;
use super::view::{FEW, View};
use crate::alerts::quality;
use crate::board::format;
use crate::board::paint::Paint;
use crate::board::theme::Meaning;
use crate::board::widgets::{spark, text};
use crate::engine::grade::record::RecapRow;

/// Draws as much as fits: both distributions side by side or one over the other, then weeks and days.
pub fn draw(paint: &mut Paint<'_>, area: Rect, view: &View) {
    let mut inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    // What was told of stands at the foot, however little is graded.
    let told = view.alerts.iter().any(|r| r.alerts > 0);
    let lines = if told { (view.alerts.len() as u16 + 1).min(inner.height / 3) } else { 0 };
    if lines >= 2 {
        let foot = Rect { y: inner.bottom() - lines, height: lines, ..inner };
        alerts(paint, foot, &view.alerts);
        inner.height -= lines + 1;
    }
    if view.total.graded == 0 || inner.height < 4 {
        return;
    }
    let mut y = inner.y;
    let left = |y: u16| inner.bottom().saturating_sub(y);
    // Side by side where it is wide and low.
    if inner.width >= 68 {
        let height = (left(y)).min(9);
        values(paint, Rect { y, width: 40, height, ..inner }, view);
        games(paint, Rect { x: inner.x + 46, y, width: 22, height }, view);
        y += height + 1;
    } else {
        if left(y) >= 8 {
            values(paint, Rect { y, height: 8, ..inner }, view);
            y += 9;
        }
        if left(y) >= 14 {
            games(paint, Rect { y, height: 6, ..inner }, view);
            y += 7;
        }
    }
    for (title, rows) in [("By week", &view.weeks), ("By day", &view.days)] {
        if left(y) < 3 || rows.is_empty() {
            return;
        }
        // Weeks leave room for the days.
        let most = if title == "By week" { (left(y) / 3).max(2) } else { left(y) };
        let height = (rows.len() as u16 + 1).min(most);
        recap(paint, Rect { y, height, ..inner }, title, rows);
        y += height + 1;
    }
}

/// CLV in steps of one percent, two columns each; below zero and above it look different, and zero is marked below.
fn values(paint: &mut Paint<'_>, area: Rect, view: &View) {
    let few = view.total.events < FEW;
    let title = format!("Signals by CLV, {} of {} games", view.total.graded, view.total.events);
    head(paint, area, &title);
    let wide = (area.width / 20).min(2);
    let width = 20 * wide;
    let bars = Rect { y: area.y + 1, width, height: area.height.saturating_sub(2), ..area };
    spark::columns(paint, bars, &view.values, wide, |at| match at {
        _ if few => Meaning::Bar,
        0..10 => Meaning::GradeBad,
        _ => Meaning::GradeGood,
    });
    let y = area.bottom() - 1;
    let style = paint.style(Meaning::Muted);
    paint.text(area.x, y, 4, "-10%", style);
    paint.text(area.x + width / 2, y, 1, "0", style);
    paint.right(area.x, y, width, "+10%", style);
}

/// Games by the share of their signals that beat the close, two columns each.
fn games(paint: &mut Paint<'_>, area: Rect, view: &View) {
    head(paint, area, "Games by positive %");
    let bars = Rect { y: area.y + 1, width: 20, height: area.height.saturating_sub(2), ..area };
    spark::columns(paint, bars, &view.games, 2, |_| Meaning::Bar);
    let y = area.bottom() - 1;
    let style = paint.style(Meaning::Muted);
    paint.text(area.x, y, 2, "0", style);
    paint.text(area.x + 9, y, 3, "50", style);
    paint.right(area.x, y, 20, "100%", style);
}

/// What the fair price did after alerts, in points of probability towards their side, and how many entries could be had
/// for a minute.
fn alerts(paint: &mut Paint<'_>, area: Rect, rows: &[quality::Row]) {
    head(paint, area, "Alerts, 14 d");
    let columns = [(13, 5), (19, 6), (26, 6), (33, 6)];
    let style = paint.style(Meaning::Header);
    for ((at, width), head) in columns.into_iter().zip(["sent", "15 m", "close", "had %"]) {
        paint.right(area.x + at, area.y, width, head, style);
    }
    for (y, row) in (area.y + 1..area.bottom()).zip(rows) {
        // As signals are called elsewhere on the board.
        let name = if row.name.is_empty() { "all" } else { row.name.trim_start_matches("MULTIBOOK_") };
        let name = text::fit(&text::plain(name), 12, true).into_owned();
        paint.text(area.x, y, 12, &name, paint.style(if row.by == "all" { Meaning::Text } else { Meaning::Muted }));
        let none = paint.sign("–", "-").to_owned();
        let points = |m: &quality::Mean| m.mean.map_or_else(|| none.clone(), |v| format!("{:+.1}", v * 100.0));
        let told = [
            row.alerts.to_string(),
            points(&row.move_15m),
            points(&row.move_close),
            row.obtainable_1m.mean.map_or_else(|| none.clone(), |v| format!("{:.0}", v * 100.0)),
        ];
        for ((at, width), cell) in columns.into_iter().zip(told) {
            paint.right(area.x + at, y, width, &cell, paint.style(Meaning::Text));
        }
    }
}

fn head(paint: &mut Paint<'_>, area: Rect, title: &str) {
    paint.text(area.x, area.y, area.width, title, paint.style(Meaning::Header));
}

fn recap(paint: &mut Paint<'_>, area: Rect, title: &str, rows: &[RecapRow]) {
    head(paint, area, title);
    let x = area.x;
    // Name, games, graded, positive, mean.
    let columns = [(12, 5), (18, 6), (25, 6), (32, 7)];
    let style = paint.style(Meaning::Header);
    for ((at, width), head) in columns.into_iter().zip(["games", "graded", "pos %", "CLV %"]) {
        paint.right(x + at, area.y, width, head, style);
    }
    for (y, row) in (area.y + 1..area.bottom()).zip(rows) {
        let s = &row.stats;
        let name = match row.grain {
            crate::engine::grade::record::Grain::Day => row.from.format("%a %d %b").to_string(),
            crate::engine::grade::record::Grain::Week => row.from.format("from %d %b").to_string(),
        };
        paint.text(x, y, 11, &name, paint.style(Meaning::Text));
        let none = paint.sign("–", "-").to_owned();
        let few = if s.events < FEW { Meaning::Warning } else { Meaning::Text };
        let told = [
            (s.events.to_string(), few),
            (s.graded.to_string(), Meaning::Muted),
            (s.positive_rate.map_or(none.clone(), |r| format!("{:.1}", r * 100.0)), Meaning::Muted),
            (s.mean_clv_ev.map_or(none, format::signed_percent), worth(s)),
        ];
        for ((at, width), (text, meaning)) in columns.into_iter().zip(told) {
            paint.right(x + at, y, width, &text, paint.style(meaning));
        }
    }
}
