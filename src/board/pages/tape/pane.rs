//! The newest signals beside the board: three lines each.

use ratatui::layout::Rect;

use super::row;
use crate::board::app::App;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::{bars, text};

/// Draws the pane: a border to its left, a head, and as many signals as fit.
pub fn draw_pane(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.width < 12 || area.height < 2 {
        return;
    }
    for y in area.top()..area.bottom() {
        paint.text(area.x, y, 1, paint.glyph(Glyph::Column), paint.style(Meaning::Border));
    }
    let inner = Rect { x: area.x + 1, width: area.width - 1, ..area };
    let head = paint.style(Meaning::Header);
    paint.fill(Rect { height: 1, ..inner }, head);
    paint.text(inner.x + 1, inner.y, inner.width - 1, "Tape", head);
    let page = &app.pages.tape;
    let (x, width) = (inner.x + 1, inner.width - 2);
    if page.shown.is_empty() {
        let told = match (&page.slot.data, &page.parsed) {
            (_, Some((_, Err(_)))) => "the filter cannot be used",
            (None, _) => "reading the store",
            (Some(data), _) if data.rows.is_empty() => "no signals yet",
            _ => "no signal passes",
        };
        paint.text(x, inner.y + 1, width, told, paint.style(Meaning::Faint));
        return;
    }
    let mut y = inner.y + 1;
    for at in 0..page.shown.len() {
        let Some(row) = super::row(app, at) else { break };
        if y + 3 > inner.bottom() {
            return;
        }
        let s = &row.signal;
        let bar = format!("{:>3} {}", s.strength, bars::levels(paint.glyphs, f64::from(s.strength) / 100.0, 4));
        paint.right(x, y, width, &bar, paint.style(row::tier_meaning(s.tier)));
        let time = app.prefs.zone().hms(s.detected_at);
        let taken = paint.text(x, y, width, &time, paint.style(Meaning::Muted)) + 1;
        let room = width.saturating_sub(taken + 8);
        paint.text(x + taken, y, room, row::kind(s.kind), paint.style(row::kind_meaning(s.kind)));
        let moved = row.moved(paint.glyph(Glyph::Arrow));
        let taken = paint.text(x, y + 1, width, &moved, paint.style(Meaning::Text)) + 2;
        // Whole, or without its time, or not at all.
        let room = width.saturating_sub(taken);
        let (span, short) = (row.span(), row.who());
        if let Some(told) = [span, short].iter().find(|t| text::width(t) <= room) {
            paint.right(x + taken, y + 1, room, told, paint.style(Meaning::Muted));
        }
        let (told, meaning) = match (row.take(), &s.entry) {
            (Some(side), Some(e)) => {
                (format!("{side} {} {}", row::price(e, app.prefs.odds), row::book(&e.book)), Meaning::Text)
            }
            (Some(side), None) => (format!("{side}: no offer"), Meaning::Muted),
            (None, _) => ("no side to take".to_owned(), Meaning::Faint),
        };
        let ev = s.entry.as_ref().and_then(row::ev);
        let room = if ev.is_some() { width.saturating_sub(8) } else { width };
        paint.text(x, y + 2, room, &told, paint.style(meaning));
        if let Some((ev, meaning)) = ev {
            paint.right(x, y + 2, width, &format!("{ev} %"), paint.style(meaning));
        }
        paint.zone(Rect { y, height: 3, ..inner }, Hit::Signal(s.id.clone()));
        // A blank line between signals where there is plenty of room.
        y += if inner.height >= 40 { 4 } else { 3 };
    }
}
