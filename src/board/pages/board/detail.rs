//! The cell under the cursor in words: what it is, what it was, what it is worth, and how old it is in three ways.

use ratatui::layout::Rect;

use super::cell;
use crate::board::app::App;
use crate::board::format;
use crate::board::paint::Paint;
use crate::board::theme::Meaning;
use crate::board::widgets::text;
use crate::engine::status::Status;

/// Draws the line.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    paint.fill(area, paint.style(Meaning::Hint));
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    for (told, meaning) in parts(app) {
        // Whole or not at all, but for the first: it says of what all of this is.
        if x >= end || x > area.x + 1 && text::width(&told) > end - x {
            return;
        }
        let style = paint.style(meaning);
        x += paint.text(x, area.y, end - x, &told, style) + 2;
    }
}

/// The parts, the most telling first.
fn parts(app: &App) -> Vec<(String, Meaning)> {
    let Some((game, market, place, book)) = super::current_cell(app) else { return Vec::new() };
    let now = app.now();
    let side = market.sides.get(usize::from(place)).copied();
    let title = app.slate().book(book).map_or("?", |b| &*b.title);
    let who = side.map_or_else(String::new, |s| game.outcome(s, &market.subject));
    let mut parts = vec![(format!("{title}  {who}"), Meaning::Title)];
    let Some(cell) = market.cell(book, place) else {
        let market = format::market_title(&market.market).to_lowercase();
        parts.push((format!("does not quote this {market}"), Meaning::Muted));
        return parts;
    };
    let words = |offer| cell::offer_text(app, market.layout, side, offer);
    parts.push((words(cell.offer), Meaning::Text));
    let stale = cell::is_stale(cell, now, app.at.max_age_ms);
    match cell.status {
        Status::Open if stale => parts.push(("too old".into(), Meaning::Stale)),
        Status::Open => {}
        Status::Gone => parts.push(("taken down".into(), Meaning::Gone)),
        Status::Stale => parts.push(("suspect: its time stands still".into(), Meaning::Suspect)),
        Status::Flawed => parts.push(("suspect: it contradicts itself".into(), Meaning::Suspect)),
        Status::EventMissing => parts.push(("suspect: the game was missing".into(), Meaning::Suspect)),
        Status::Unreadable => parts.push(("suspect: could not be read".into(), Meaning::Suspect)),
    }
    let past = app.pages.board.pasts.get(&game.who.id).and_then(|p| p.get(&cell.slot)).copied();
    if let Some(previous) = cell.previous.or_else(|| past.and_then(|p| p.1)) {
        parts.push((format!("before {}", words(previous)), Meaning::Muted));
    }
    if let Some((opener, _)) = past {
        parts.push((format!("opened {}", words(opener)), Meaning::Muted));
    }
    match cell.ev {
        Some(ev) if cell.status == Status::Open && !stale => {
            let meaning = if ev > 0.0 { Meaning::Positive } else { Meaning::Muted };
            parts.push((format!("EV {} %", format::signed_percent(f64::from(ev))), meaning));
        }
        _ => {}
    }
    if cell.doubtful {
        parts.push(("too good to be believed".into(), Meaning::Warning));
    } else if cell.off_market {
        parts.push(("off the market".into(), Meaning::OffMarket));
    }
    let ago = |t| format::ago(now.since(t));
    let at_book =
        cell.provider_update.map_or_else(|| "time at the book unknown".into(), |t| format!("at the book {}", ago(t)));
    let received = format!("received {}", ago(cell.last_seen));
    let changed = format!("changed {} ago", ago(cell.last_changed));
    parts.extend([at_book, received, changed].map(|told| (told, Meaning::Muted)));
    parts
}
