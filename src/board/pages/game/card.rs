//! What to take: for each side the best price by what it is worth, until when and down to what, or why there is nothing;
//! what the best prices are worth at the reference line; the close once the game has started.

use ratatui::layout::Rect;

use super::data::GameData;
use super::layout::{Pane, heading};
use crate::board::app::App;
use crate::board::format;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;
use crate::board::widgets::{popup, text};
use crate::engine::appraise::Appraisal;
use crate::engine::explain::words;
use crate::engine::opportunity::card::{Card, CardState, Row};
use crate::engine::price::unit::Layout;
use crate::market::books::Books;
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::selection::Side;

/// A line of text in parts.
pub type Words = Vec<(String, Meaning)>;

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.game;
    paint.zone(area, Hit::Pane(Pane::Card.number()));
    let title = if page.devig { "Both sides without vig" } else { "Card" };
    heading(paint, Rect { height: 1, ..area }, title, "", page.pane == Pane::Card);
    let Some(data) = page.slot.data.as_ref() else { return };
    let lines = if page.devig { super::devig::lines(app, data) } else { lines(app, data) };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let lines = lines.iter().flat_map(|line| popup::fold(line, inner.width));
    let mut lines: Vec<Words> = lines.take(usize::from(area.height.saturating_sub(1))).collect();
    // Where the card is cut, a heading without its lines says nothing.
    while lines.last().is_some_and(|l| l.iter().all(|(_, meaning)| *meaning == Meaning::Header)) {
        lines.pop();
    }
    for (n, line) in lines.into_iter().enumerate() {
        put(paint, Rect { y: area.y + 1 + n as u16, height: 1, ..inner }, &line);
    }
}

/// The card in one line for each side.
pub fn draw_brief(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.game;
    let (Some(data), Some(shown)) = (page.slot.data.as_ref(), page.shown.as_ref()) else { return };
    let Some(appraisal) = data.appraisal.as_ref() else { return };
    let names = shown.codes.iter().map(|c| text::width(c)).max().unwrap_or(0);
    for (n, (place, side)) in shown.places.iter().take(usize::from(area.height)).enumerate() {
        let Some(card) = appraisal.cards.get(usize::from(*place)) else { continue };
        let code = shown.codes.get(n).cloned().unwrap_or_default();
        let mut line: Words = vec![(format!("{code:<width$}", width = usize::from(names)), Meaning::Title)];
        line.push((fair(app, appraisal, usize::from(*place), *side), Meaning::Fair));
        line.extend(verdict(app, data, appraisal, card, *side));
        put(paint, Rect { x: area.x + 1, y: area.y + n as u16, width: area.width.saturating_sub(2), height: 1 }, &line);
    }
}

/// Writes the parts of a line one after the other, as far as they fit whole.
pub fn put(paint: &mut Paint<'_>, area: Rect, line: &Words) {
    let mut x = area.x;
    for (words, meaning) in line {
        if x >= area.right() || x > area.x && text::width(words) > area.right() - x {
            return;
        }
        let style = paint.style(*meaning);
        x += paint.text(x, area.y, area.right() - x, words, style) + 2;
    }
}

/// The whole card.
fn lines(app: &App, data: &GameData) -> Vec<Words> {
    let Some(shown) = app.pages.game.shown.as_ref() else { return Vec::new() };
    let Some(appraisal) = data.appraisal.as_ref() else {
        return vec![vec![("this market cannot be calculated with: prices alone".to_owned(), Meaning::Faint)]];
    };
    let mut lines: Vec<Words> = Vec::new();
    if app.now() >= data.row.commence {
        lines.push(vec![("in play: prices move faster than they are seen".to_owned(), Meaning::Warning)]);
        lines.extend(close(app, data, &shown.places));
    }
    for (place, side) in &shown.places {
        let Some(card) = appraisal.cards.get(usize::from(*place)) else { continue };
        let name = shown.names.get(usize::from(*place)).cloned().unwrap_or_default();
        lines.push(vec![(name, Meaning::Title), (fair(app, appraisal, usize::from(*place), *side), Meaning::Fair)]);
        let indent = |mut words: Words| {
            words.insert(0, (String::new(), Meaning::Text));
            words
        };
        lines.push(indent(verdict(app, data, appraisal, card, *side)));
        if let Some(limits) = limits(app, card, *side, appraisal.layout) {
            lines.push(indent(limits));
        }
    }
    let equal = equivalents(app, appraisal, &shown.places);
    if !equal.is_empty() {
        lines.push(Vec::new());
        lines.push(vec![("Worth at the reference line".to_owned(), Meaning::Header)]);
        lines.extend(equal);
    }
    if let Some(beside) = &data.beside {
        lines.extend(super::beside::lines(app, beside, appraisal));
    }
    lines
}

/// The fair price of a side in words.
fn fair(app: &App, appraisal: &Appraisal, place: usize, side: Side) -> String {
    let Some(fair) = appraisal.fair.as_ref().and_then(|f| f.sides.get(place)) else {
        return "no fair price".to_owned();
    };
    let percent = format!("{:.1} %", fair.fair_probability * 100.0);
    match (fair.fair_line, fair.at_line.and_then(Line::from_points)) {
        (Some(line), Some(at)) => {
            let at = line_words(app, appraisal.layout, side, at);
            format!("fair {}  {percent} at {at}", format::fair_line(line, appraisal.layout == Layout::Spread))
        }
        (_, Some(at)) => format!("fair {percent} at {}", line_words(app, appraisal.layout, side, at)),
        _ => match Price::decimal(1.0 / fair.fair_probability) {
            Ok(price) => format!("fair {percent}  {}", format::price(price, app.prefs.odds)),
            Err(_) => format!("fair {percent}"),
        },
    }
}

fn line_words(app: &App, layout: Layout, side: Side, line: Line) -> String {
    let _ = app;
    match (layout, side) {
        (Layout::Spread, _) => format::spread(line),
        (_, Side::Over) => format!("o{}", format::total(line)),
        (_, Side::Under) => format!("u{}", format::total(line)),
        _ => format::total(line),
    }
}

/// A book's offer in words: `-4.5 -105 FD`.
fn offer(app: &App, layout: Layout, side: Side, line: Option<f64>, price: f64, american: i64, book: &str) -> String {
    // Odds that came as American ones are written as they came.
    let price = Price::american(american)
        .ok()
        .filter(|p| (p.to_decimal() - price).abs() < 1e-6)
        .or_else(|| Price::decimal(price).ok());
    let price = price.map_or_else(|| "?".to_owned(), |p| format::price(p, app.prefs.odds));
    let line = line.and_then(Line::from_points).map(|l| line_words(app, layout, side, l) + " ").unwrap_or_default();
    format!("{line}{price} {}", Books::embedded().resolve(book).short)
}

fn offer_of(app: &App, layout: Layout, side: Side, row: &Row) -> String {
    offer(app, layout, side, row.line, row.price, row.price_american, &row.book)
}

fn worth(row: &Row) -> (String, Meaning) {
    match row.ev {
        Some(ev) => {
            let meaning = if ev > 0.0 { Meaning::Positive } else { Meaning::Muted };
            (format!("EV {} %", format::signed_percent(ev)), meaning)
        }
        None => ("EV unknown".to_owned(), Meaning::Faint),
    }
}

/// What a card comes to.
fn verdict(app: &App, data: &GameData, appraisal: &Appraisal, card: &Card, side: Side) -> Words {
    let layout = appraisal.layout;
    let first = card.rows.first();
    match (card.state, &card.best) {
        (CardState::Take, Some(best)) => {
            let kelly = best.row.kelly.map(|k| (format!("Kelly {:.1} %", k * 100.0), Meaning::Text));
            let over = app.now() > best.limits.valid_until;
            let (verb, meaning) = if over { ("was", Meaning::Stale) } else { ("take", Meaning::Best) };
            let mut words =
                vec![(format!("{verb} {}", offer_of(app, layout, side, &best.row)), meaning), worth(&best.row)];
            words.extend(kelly);
            words
        }
        (CardState::OnlySuspect, _) => {
            let row = card.rows.iter().find(|r| r.suspect && r.untakeable.is_none()).or(first);
            let mut words = vec![("only too good to be believed".to_owned(), Meaning::Warning)];
            words.extend(row.map(|r| (offer_of(app, layout, side, r), Meaning::OffMarket)));
            words.extend(row.map(worth));
            words
        }
        (CardState::NoFairPrice, _) => {
            let mut words = vec![("nothing to say: too few independent books".to_owned(), Meaning::Muted)];
            words.extend(first.map(|r| (format!("highest {}", offer_of(app, layout, side, r)), Meaning::Text)));
            words
        }
        (CardState::NoQuotes, _) => {
            let why = first.and_then(|r| r.untakeable).map_or("no book has the side open", words::untakeable);
            let quoted = data.quotes.iter().any(|q| q.side == side);
            let why = if quoted { why } else { "no book has quoted the side" };
            vec![(format!("nothing to take: {why}"), Meaning::Muted)]
        }
        _ => {
            let mut words = vec![("nothing to do".to_owned(), Meaning::Muted)];
            words.extend(first.map(|r| (format!("best {}", offer_of(app, layout, side, r)), Meaning::Text)));
            words.extend(first.map(worth));
            words
        }
    }
}

/// Until when and down to what the price to take is worth it.
fn limits(app: &App, card: &Card, side: Side, layout: Layout) -> Option<Words> {
    let best = card.best.as_ref()?;
    let until = best.limits.valid_until;
    let left = until.since(app.now());
    let time = app.prefs.zone().hms(until);
    let mut words = if left >= 0 {
        vec![(format!("until {time}, {}", format::until(left)), Meaning::Text)]
    } else {
        vec![(format!("too old since {time}: look again"), Meaning::Warning)]
    };
    if let Ok(price) = Price::decimal(best.limits.break_even) {
        let line = best.limits.line.and_then(Line::from_points);
        let line = line.map(|l| format!("at {} ", line_words(app, layout, side, l))).unwrap_or_default();
        words.push((format!("{line}down to {}", format::price(price, app.prefs.odds)), Meaning::Text));
    }
    Some(words)
}

/// What the best price of each line is worth at the reference line.
fn equivalents(app: &App, appraisal: &Appraisal, places: &[(u8, Side)]) -> Vec<Words> {
    const MOST: usize = 3;
    let (Some(model), Some(reference)) =
        (appraisal.workings.model, appraisal.reference_line.and_then(Line::from_points))
    else {
        return Vec::new();
    };
    let layout = appraisal.layout;
    let mut lines = Vec::new();
    for (place, side) in places {
        let Some(card) = appraisal.cards.get(usize::from(*place)) else { continue };
        let at = layout.line_for(reference, *side);
        let others = card.best_price_per_line.iter().filter_map(|p| {
            let line = p.line.and_then(Line::from_points).filter(|l| *l != at)?;
            let worth = model.convert(*side, line, 1.0 / p.price, at).ok()?;
            let price = Price::decimal(1.0 / worth).ok()?;
            Some((p, price))
        });
        for (p, price) in others.take(MOST) {
            let there = offer(app, layout, *side, p.line, p.price, p.price_american, &p.book);
            let here = format!("{} {}", line_words(app, layout, *side, at), format::price(price, app.prefs.odds));
            let own = card.rows.iter().find(|r| r.book == p.book && r.line == p.line);
            let mut words = vec![(format!("{there:<18}"), Meaning::Text), (format!("~ {here}"), Meaning::Fair)];
            words.extend(own.map(worth));
            lines.push(words);
        }
    }
    lines
}

/// The close and its grade.
fn close(app: &App, data: &GameData, places: &[(u8, Side)]) -> Vec<Words> {
    let Some(close) = data.close.as_ref() else {
        return vec![vec![("Close".to_owned(), Meaning::Header), ("not taken yet".to_owned(), Meaning::Faint)]];
    };
    let Some(grade) = close.grade else {
        let why = close.reason.map_or("none", words::no_close);
        return vec![vec![("Close".to_owned(), Meaning::Header), (why.to_owned(), Meaning::Faint)]];
    };
    let Some(appraisal) = data.appraisal.as_ref() else { return Vec::new() };
    let meaning = match grade.name() {
        "A" | "B" => Meaning::GradeGood,
        "C" => Meaning::GradeMedium,
        _ => Meaning::GradeBad,
    };
    let mut head = vec![
        ("Close".to_owned(), Meaning::Header),
        (format!("grade {}", grade.name()), meaning),
        (format!("{} books", close.books), Meaning::Muted),
    ];
    if let Some(age) = close.age_seconds {
        head.push((format!("{} before the start", format::ago((age * 1000.0) as i64)), Meaning::Muted));
    }
    if close.provisional {
        head.push(("provisional: the start was moved".to_owned(), Meaning::Warning));
    }
    let mut sides: Words = vec![(String::new(), Meaning::Text)];
    for (place, side) in places {
        let p = close.probability.get(usize::from(*place)).copied().unwrap_or_default();
        let code = app.pages.game.shown.as_ref().map_or("", |s| s.code_of(*place));
        let line = close.line.and_then(Line::from_points).map(|l| appraisal.layout.line_for(l, *side));
        let line = line.map(|l| format!(" {}", line_words(app, appraisal.layout, *side, l))).unwrap_or_default();
        sides.push((format!("{code}{line} {:.1} %", p * 100.0), Meaning::Text));
    }
    vec![head, sides]
}
