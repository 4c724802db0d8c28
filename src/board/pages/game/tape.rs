//! The game's own tape: its signals, newest first, a line each.

use ratatui::layout::Rect;

use super::card::{Words, put};
use super::layout::{Pane, heading};
use crate::board::app::App;
use crate::board::format;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::engine::detect::signal::{Signal, SignalType};
use crate::market::books::Books;
use crate::market::line::Line;
use crate::market::price::Price;

/// The look of a type.
pub const fn meaning(kind: SignalType) -> Meaning {
    match kind {
        SignalType::Move => Meaning::Move,
        SignalType::KeyCross => Meaning::KeyCross,
        SignalType::MultibookSync => Meaning::Sync,
        SignalType::Dislocation => Meaning::Dislocation,
        SignalType::Steam => Meaning::Steam,
        SignalType::LiveShock => Meaning::LiveShock,
        SignalType::ExchangeDivergence => Meaning::ExchangeDivergence,
    }
}

/// Signals that fit under the title.
pub const fn visible(area: Rect) -> usize {
    area.height.saturating_sub(1) as usize
}

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.game;
    paint.zone(area, Hit::Pane(Pane::Tape.number()));
    let signals = page.slot.data.as_ref().map_or(&[][..], |d| &d.signals);
    let about = if signals.is_empty() { String::new() } else { format!("{}", signals.len()) };
    heading(paint, Rect { height: 1, ..area }, "Signals of this game", &about, page.pane == Pane::Tape);
    if signals.is_empty() && page.slot.data.is_some() {
        let said = "none so far";
        paint.text(area.x + 1, area.y + 1, area.width.saturating_sub(2), said, paint.style(Meaning::Faint));
    }
    for (n, signal) in signals.iter().rev().skip(page.signal).take(visible(area)).enumerate() {
        let line = Rect { x: area.x + 1, y: area.y + 1 + n as u16, width: area.width.saturating_sub(2), height: 1 };
        put(paint, line, &words(app, paint, signal));
        paint.zone(line, Hit::Signal(signal.id.clone()));
    }
}

fn words(app: &App, paint: &Paint<'_>, signal: &Signal) -> Words {
    let arrow = paint.glyph(Glyph::Arrow);
    let value = |v: f64| match signal.unit.as_str() {
        "line" if signal.market.contains("spread") => {
            Line::from_points(v).map_or_else(|| format!("{v:+.1}"), format::spread)
        }
        "line" => format::points((v * 100.0).round() / 100.0),
        _ => format!("{:.1}%", v * 100.0),
    };
    let kind = match signal.kind {
        SignalType::MultibookSync => "SYNC",
        SignalType::ExchangeDivergence => "EXCHANGE",
        SignalType::LiveShock => "SHOCK",
        other => other.name(),
    };
    let market = match signal.market.as_str() {
        "h2h" => "ML".to_owned(),
        other => format::market_title(other),
    };
    let mut words = vec![
        (app.prefs.zone().hms(signal.detected_at), Meaning::Muted),
        (format!("{kind:<11}"), meaning(signal.kind)),
        (format!("{:>3}", signal.composite), Meaning::Text),
        (format!("{market:<6} {} {arrow} {}", value(signal.from_value), value(signal.to_value)), Meaning::Text),
    ];
    let graded = app.pages.game.slot.data.as_ref().and_then(|d| d.clv(&signal.id)).and_then(|c| c.clv_ev);
    if let Some(clv) = graded {
        let meaning = if clv > 0.0 { Meaning::GradeGood } else { Meaning::GradeBad };
        words.push((format!("CLV {} %", format::signed_percent(clv)), meaning));
    }
    match &signal.entry {
        Some(entry) => {
            let line = entry.line.map(|l| format!(" {}", value_of_entry(signal, l))).unwrap_or_default();
            let price = Price::american(entry.price_american).ok().or_else(|| Price::decimal(entry.price).ok());
            let price = price.map_or_else(|| "?".to_owned(), |p| format::price(p, app.prefs.odds));
            let book = Books::embedded().resolve(&entry.book).short;
            words.push((format!("took {}{line} {price} {book}", signal.selection), Meaning::Muted));
        }
        None => words.push(("nothing to take".to_owned(), Meaning::Faint)),
    }
    words
}

fn value_of_entry(signal: &Signal, line: f64) -> String {
    let spread = signal.market.contains("spread");
    match Line::from_points(line) {
        Some(line) if spread => format::spread(line),
        Some(line) => format::total(line),
        None => format!("{line}"),
    }
}
