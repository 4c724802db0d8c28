//! The table of the board: only the lines and columns on show are put together.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::cell::{self, Mode};
use super::columns::{Column, Placed};
use super::rows::Line;
use crate::board::app::App;
use crate::board::format;
use crate::board::model::{Game, Market, Slate};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::engine::changes::EventStatus;
use crate::engine::price::unit::Layout;
use crate::market::ids::BookId;

/// Lines of the heads.
pub const HEAD: u16 = 1;

/// Draws the heads and the lines on show.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.height <= HEAD || area.width < 20 {
        return;
    }
    let slate = app.slate();
    let plan = super::plan(app, area);
    heads(app, paint, area, &plan);
    let page = &app.pages.board;
    let body = Rect { y: area.y + HEAD, height: area.height - HEAD, ..area };
    if page.rows.lines.is_empty() {
        empty(app, paint, body);
        return;
    }
    let shown = page.rows.lines.iter().enumerate().skip(page.top).take(usize::from(body.height));
    for (y, (index, line)) in (body.y..).zip(shown) {
        match line {
            Line::Group { title, games } => group(paint, Rect { y, height: 1, ..body }, title, *games),
            Line::Side { game, question, place, at, .. } => {
                let Some(game) = slate.games.get(*game) else { continue };
                let market = question.and_then(|q| game.question(q));
                let line = LineView { index, game, market, place: *place, at: *at };
                side(app, paint, Rect { y, height: 1, ..body }, &plan, &line);
            }
        }
    }
    scrollbar(app, paint, body);
}

struct LineView<'a> {
    index: usize,
    game: &'a Game,
    market: Option<&'a Market>,
    place: u8,
    at: u8,
}

fn heads(app: &App, paint: &mut Paint<'_>, area: Rect, plan: &super::Plan) {
    let style = paint.style(Meaning::Header);
    paint.fill(Rect { height: 1, ..area }, paint.theme.style(Meaning::Header));
    for (at, placed) in plan.frozen.iter().enumerate() {
        let title = placed.what.title();
        let zone = Rect::new(area.x + placed.x, area.y, placed.width, 1);
        if numeric(placed.what) {
            paint.right(zone.x, zone.y, zone.width, title, style);
        } else {
            paint.text(zone.x, zone.y, zone.width, title, style);
        }
        paint.zone(zone, Hit::Head(at));
        paint.zone(Rect::new(zone.right(), zone.y, 1, 1), Hit::Border(at));
    }
    let books = super::columns::books(app.slate(), &app.prefs);
    for (at, placed) in plan.books.iter().enumerate() {
        let number = app.pages.board.left + at;
        let short = books.get(number).map_or("?", |b| &*b.short);
        let zone = Rect::new(area.x + placed.x, area.y, placed.width, 1);
        let style = if number == app.pages.board.book { style.patch(paint.style(Meaning::TabActive)) } else { style };
        // Over the price, before the column of the sign.
        paint.right(zone.x, zone.y, zone.width.saturating_sub(1), short, style);
        paint.zone(zone, Hit::Head(plan.frozen.len() + at));
        paint.zone(Rect::new(zone.right(), zone.y, 1, 1), Hit::Border(plan.frozen.len() + at));
    }
    // More books to either side.
    if app.pages.board.left > 0
        && let Some(first) = plan.books.first()
    {
        let sign = paint.glyph(Glyph::Less);
        paint.text(area.x + first.x.saturating_sub(1), area.y, 1, sign, paint.style(Meaning::Key));
    }
    if app.pages.board.left + plan.books.len() < books.len() {
        let sign = paint.glyph(Glyph::More);
        paint.text(area.right() - 1, area.y, 1, sign, paint.style(Meaning::Key));
    }
}

fn group(paint: &mut Paint<'_>, area: Rect, title: &str, games: usize) {
    let style = paint.style(Meaning::Title);
    let taken = paint.text(area.x + 2, area.y, area.width.saturating_sub(3), title, style);
    paint.text(area.x + 3 + taken, area.y, 12, &format!("{games}"), paint.style(Meaning::Muted));
}

fn side(app: &App, paint: &mut Paint<'_>, area: Rect, plan: &super::Plan, line: &LineView<'_>) {
    let page = &app.pages.board;
    let cursor = page.rows.lines.get(page.line).is_some_and(|l| match l {
        Line::Side { game, .. } => app.slate().games.get(*game).is_some_and(|g| g.who.id == line.game.who.id),
        Line::Group { .. } => false,
    });
    let on_line = line.index == page.line;
    if cursor {
        paint.fill(area, paint.style(Meaning::Selection));
    }
    marks(app, paint, area, line, on_line);
    paint.zone(area, Hit::Row(line.index));
    for placed in &plan.frozen {
        let cell = Rect::new(area.x + placed.x, area.y, placed.width, 1);
        frozen(app, paint, cell, placed, line);
    }
    let lay = line.market.and_then(|m| m.layout);
    for (at, placed) in plan.books.iter().enumerate() {
        let cell = Rect::new(area.x + placed.x, area.y, placed.width, 1);
        let here = on_line && page.left + at == page.book;
        book(app, paint, cell, line, placed.what, lay, here);
        paint.zone(cell, Hit::Cell { row: line.index, column: page.left + at });
    }
}

/// Pinned, watched, and where the cursor is.
fn marks(app: &App, paint: &mut Paint<'_>, area: Rect, line: &LineView<'_>, on_line: bool) {
    if on_line {
        paint.text(area.x, area.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
    }
    if line.at == 0 && crate::board::desk::is_watched(app, line.game) {
        paint.text(area.x + 1, area.y, 1, paint.glyph(Glyph::Star), paint.style(Meaning::Watched));
    } else if line.at == 1 && app.prefs.pinned.iter().any(|p| **p == *line.game.who.provider_id) {
        paint.text(area.x + 1, area.y, 1, paint.glyph(Glyph::Pin), paint.style(Meaning::Pinned));
    }
}

const fn numeric(column: Column) -> bool {
    !matches!(column, Column::Start | Column::Game | Column::Best)
}

fn frozen(app: &App, paint: &mut Paint<'_>, area: Rect, placed: &Placed<Column>, line: &LineView<'_>) {
    let glance = line.market.and_then(|m| m.glance.as_deref());
    let place = usize::from(line.place);
    let layout = line.market.and_then(|m| m.layout);
    match placed.what {
        Column::Start => start(app, paint, area, line),
        Column::Game => team(app, paint, area, line),
        Column::Open => {
            let style = paint.style(Meaning::Muted);
            let text = line.market.and_then(|m| opening_text(app, m, place)).unwrap_or_default();
            paint.right(area.x, area.y, area.width, &text, style);
        }
        Column::Fair => {
            let text = line.market.and_then(|m| fair_text(app, m, place));
            match text {
                Some(text) => paint.right(area.x, area.y, area.width, &text, paint.style(Meaning::Fair)),
                None => paint.right(area.x, area.y, area.width, paint.sign("–", "-"), paint.style(Meaning::Faint)),
            }
        }
        Column::Best => best(app, paint, area, line, layout),
        Column::Ev => {
            if let Some(ev) = glance.and_then(|g| g.best.get(place)).and_then(Option::as_ref).and_then(|b| b.ev) {
                let meaning = if ev > 0.0 { Meaning::Positive } else { Meaning::Muted };
                paint.right(area.x, area.y, area.width, &format::signed_percent(f64::from(ev)), paint.style(meaning));
            }
        }
        Column::Hold => {
            if let Some(hold) = glance.and_then(|g| g.hold).filter(|_| line.at == 0) {
                let meaning = if hold < 0.0 { Meaning::Positive } else { Meaning::Muted };
                paint.right(area.x, area.y, area.width, &format!("{:.1}", hold * 100.0), paint.style(meaning));
            }
        }
        Column::Consensus => {
            if let Some(consensus) = glance.and_then(|g| g.consensus.as_ref()) {
                let text = match consensus.line {
                    Some(l) => {
                        let side = line.market.and_then(|m| m.sides.get(place)).copied();
                        let own = layout.zip(side).map_or(l, |(layout, side)| layout.line_for(l, side));
                        if layout == Some(Layout::Spread) { format::spread(own) } else { format::total(own) }
                    }
                    None => {
                        let p = if place == 0 { consensus.probability } else { 1.0 - consensus.probability };
                        format!("{:.1}", p * 100.0)
                    }
                };
                paint.right(area.x, area.y, area.width, &text, paint.style(Meaning::Muted));
            }
        }
        Column::Moved => {
            let newest = line
                .market
                .and_then(|m| m.cells.iter().filter(|c| usize::from(c.place) == place).map(|c| c.last_changed).max());
            if let Some(at) = newest {
                paint.right(area.x, area.y, area.width, &format::ago(app.now().since(at)), paint.style(Meaning::Muted));
            }
        }
        Column::Books => {
            if let Some(fair) = glance.and_then(|g| g.fair.as_ref()).filter(|_| line.at == 0) {
                paint.right(area.x, area.y, area.width, &fair.families.to_string(), paint.style(Meaning::Muted));
            }
        }
    }
}

/// The fair line of a side, or the fair price where the market has no line.
pub fn fair_text(app: &App, market: &Market, place: usize) -> Option<String> {
    match market.layout {
        Some(layout @ (Layout::Spread | Layout::Total)) => {
            market.fair_line(place).map(|l| format::fair_line(l, layout == Layout::Spread))
        }
        _ => market.fair_probability(place).and_then(|p| fair_price(app, p)),
    }
}

/// The first fair line of a side, or the first fair price.
pub fn opening_text(app: &App, market: &Market, place: usize) -> Option<String> {
    let point = market.opening.as_deref()?;
    match market.layout {
        Some(layout @ (Layout::Spread | Layout::Total)) => {
            let side = *market.sides.get(place)?;
            let line = layout.line_for(point.line?, side);
            Some(if layout == Layout::Spread { format::spread(line) } else { format::total(line) })
        }
        _ => point.fair.as_ref().and_then(|f| f.probability.get(place)).and_then(|p| fair_price(app, *p)),
    }
}

fn fair_price(app: &App, p: f64) -> Option<String> {
    let price = crate::market::price::Price::decimal(1.0 / p).ok()?;
    Some(format::price(price, app.prefs.odds))
}

fn start(app: &App, paint: &mut Paint<'_>, area: Rect, line: &LineView<'_>) {
    let (game, now) = (line.game, app.now());
    let live = game.is_live(now);
    let (text, meaning) = match (line.at, game.status) {
        (0, EventStatus::Final) => ("Final".to_owned(), Meaning::Final),
        (0, _) if live => (format!("{} LIVE", paint.glyph(Glyph::Live)), Meaning::Live),
        (0, _) => {
            let zone = app.prefs.zone();
            let long = zone.start(game.commence, now);
            let fits = text::width(&long) <= area.width;
            (if fits { long } else { zone.start_short(game.commence, now) }, Meaning::Text)
        }
        (1, _) if live || game.status == EventStatus::Final => match game.score {
            // As the lines have it: away first.
            Some((home, away)) => (format!("{away}-{home}"), Meaning::Text),
            None if live => (format::until(game.commence.since(now)), Meaning::Muted),
            None => (String::new(), Meaning::Muted),
        },
        (1, _) => (format::until(game.commence.since(now)), Meaning::Muted),
        _ => (String::new(), Meaning::Muted),
    };
    paint.text(area.x, area.y, area.width, &text, paint.style(meaning));
}

fn team(app: &App, paint: &mut Paint<'_>, area: Rect, line: &LineView<'_>) {
    let who = &line.game.who;
    let (name, code) = match line.at {
        0 => (&*who.away, &*who.away_code),
        1 => (&*who.home, &*who.home_code),
        _ => ("Draw", ""),
    };
    let name = text::plain(name);
    // A name that does not fit is told by its code, where that is known.
    let told = if text::width(&name) > area.width && !code.is_empty() && area.width < 14 { code } else { &name };
    let meaning = if line.game.status == EventStatus::Final { Meaning::Final } else { Meaning::Text };
    let style = if line.at > 1 { paint.style(Meaning::Muted) } else { paint.style(meaning) };
    paint.text(area.x, area.y, area.width, told, style);
    let found = &app.pages.board.found;
    if !found.is_empty() {
        mark_found(paint, area, told, found);
    }
}

/// Marks what was looked for.
fn mark_found(paint: &mut Paint<'_>, area: Rect, told: &str, found: &str) {
    let (lower, wanted) = (told.to_lowercase(), found.to_lowercase());
    // Only where folding the case did not move anything.
    if lower.len() != told.len() {
        return;
    }
    if let Some((before, rest)) = lower.find(&wanted).and_then(|at| Some((told.get(..at)?, told.get(at..)?))) {
        let x = area.x + text::width(before);
        let width = text::width(rest.get(..wanted.len()).unwrap_or_default());
        if x + width <= area.right() {
            paint.fill(Rect::new(x, area.y, width, 1), paint.style(Meaning::Match));
        }
    }
}

fn best(app: &App, paint: &mut Paint<'_>, area: Rect, line: &LineView<'_>, layout: Option<Layout>) {
    let place = usize::from(line.place);
    let Some(market) = line.market else {
        paint.text(area.x, area.y, area.width, paint.sign("–", "-"), paint.style(Meaning::Faint));
        return;
    };
    let Some(best) = market.glance.as_deref().and_then(|g| g.best.get(place)).and_then(Option::as_ref) else {
        paint.text(area.x, area.y, area.width, paint.sign("–", "-"), paint.style(Meaning::Faint));
        return;
    };
    // A best price that nobody has confirmed for too long is none any more.
    let stale = market.cell(best.book, line.place).is_none_or(|c| cell::is_stale(c, app.now(), app.at.max_age_ms));
    let style = paint.style(if stale { Meaning::Stale } else { Meaning::Best });
    let side = market.sides.get(place).copied();
    let offer = crate::board::model::Offer { line: best.line, price: best.price };
    let (text, price) = cell::offer(app, layout, side, offer);
    let short = app.slate().book_short(best.book);
    let book = if area.width >= 17 { 4 } else { 3 };
    let room = area.width.saturating_sub(book + 1);
    let wide = app.prefs.odds.width();
    if text.is_empty() {
        paint.right(area.x, area.y, room, &price, style);
    } else {
        paint.right(area.x, area.y, room.saturating_sub(wide + 1), &text, style);
        paint.right(area.x + room.saturating_sub(wide), area.y, wide.min(room), &price, style);
    }
    paint.text(
        area.x + room + 1,
        area.y,
        book,
        short,
        paint.style(if stale { Meaning::Stale } else { Meaning::Muted }),
    );
}

fn book(
    app: &App,
    paint: &mut Paint<'_>,
    area: Rect,
    line: &LineView<'_>,
    book: BookId,
    layout: Option<Layout>,
    here: bool,
) {
    let place = line.place;
    let found = line.market.and_then(|m| Some((m, m.cell(book, place)?)));
    let Some((market, quote)) = found else {
        if here {
            paint.fill(area, paint.style(Meaning::CursorCell));
        }
        return;
    };
    let best = market
        .glance
        .as_deref()
        .and_then(|g| g.best.get(usize::from(place)))
        .and_then(Option::as_ref)
        .is_some_and(|b| b.book == book);
    let told = cell::tell(app, paint, market, quote, best);
    let side = market.sides.get(usize::from(place)).copied();
    if let Some(under) = told.under {
        paint.fill(area, under);
    }
    let (lines, price) = match app.pages.board.mode {
        Mode::Current => (told.line, told.price),
        Mode::Ages => {
            let ages = ages(app, quote);
            paint.right(area.x, area.y, area.width, &ages, paint.style(Meaning::Muted));
            if here {
                paint.fill(area, paint.style(Meaning::CursorCell));
            }
            return;
        }
        mode => {
            let past = app.pages.board.pasts.get(&line.game.who.id).and_then(|p| p.get(&quote.slot));
            let offer = match mode {
                Mode::Opener => past.map(|p| p.0),
                _ => quote.previous.or_else(|| past.and_then(|p| p.1)),
            };
            match offer {
                Some(offer) => cell::offer(app, layout, side, offer),
                None => (String::new(), paint.sign("–", "-").to_owned()),
            }
        }
    };
    let style = if app.pages.board.mode == Mode::Current { told.style } else { paint.style(Meaning::Muted) };
    let room = area.width.saturating_sub(1);
    let wide = app.prefs.odds.width().min(room);
    if lines.is_empty() {
        paint.right(area.x, area.y, room, &price, style);
    } else {
        let left = room.saturating_sub(wide + 1);
        let needs = text::width(&price).max(wide);
        paint.right(area.x, area.y, left.min(room.saturating_sub(needs + 1)), &lines, style);
        paint.right(area.x + room - needs.min(room), area.y, needs.min(room), &price, style);
    }
    let sign = if told.sign == " " { Style::new() } else { told.style.remove_modifier(Modifier::CROSSED_OUT) };
    paint.text(area.right() - 1, area.y, 1, told.sign, sign);
    if here {
        paint.fill(area, paint.style(Meaning::CursorCell));
    }
}

/// Seen at the book, received, changed.
fn ages(app: &App, quote: &crate::board::model::Cell) -> String {
    let now = app.now();
    let told = |t| format::ago(now.since(t));
    let at_book = quote.provider_update.map_or_else(|| "?".to_owned(), told);
    format!("{at_book:>3} {:>3} {:>3}", told(quote.last_seen), told(quote.last_changed))
}

/// Why there is nothing to be seen.
fn empty(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let slate = app.slate();
    let lines = reasons(app, slate);
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (y, (text, meaning)) in (top..area.bottom()).zip(&lines) {
        paint.centre(Rect { y, height: 1, ..area }, y, text, paint.style(*meaning));
    }
}

fn reasons(app: &App, slate: &Slate) -> Vec<(String, Meaning)> {
    if let Some(error) = &app.pages.board.filter_error {
        return vec![(error.clone(), Meaning::Error), ("F clears the filter".into(), Meaning::Muted)];
    }
    if let Some(trouble) = &slate.trouble {
        return vec![("the store cannot be read".into(), Meaning::Error), (trouble.to_string(), Meaning::Muted)];
    }
    if !slate.loaded {
        return vec![("reading the store".into(), Meaning::Muted)];
    }
    if slate.games.is_empty() {
        let wait = app.link.status.as_ref().and_then(|s| s.next_due());
        let mut lines = vec![("no games in the store yet".to_owned(), Meaning::Text)];
        lines.push(match wait {
            Some(at) => (format!("the next look is due at {}", app.prefs.zone().hms(at)), Meaning::Muted),
            None if app.link.is_alive() => ("waiting for the first answer".into(), Meaning::Muted),
            None => ("nothing feeds it: see page 9".into(), Meaning::Muted),
        });
        return lines;
    }
    let mut lines = vec![("no game passes".to_owned(), Meaning::Text)];
    let mut by = Vec::new();
    if let Some(sport) = &app.prefs.sport {
        by.push(format!("sport {sport}"));
    }
    if !app.prefs.filter.is_empty() {
        by.push(format!("filter {}", app.prefs.filter));
    }
    if let Some(list) = &app.prefs.list {
        by.push(format!("list {list}"));
    }
    lines.push((by.join("  ·  "), Meaning::Muted));
    lines.push(("F shows all again".into(), Meaning::Muted));
    lines
}

/// How much of the board is on show, and which part.
fn scrollbar(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let (lines, visible) = (app.pages.board.rows.lines.len(), usize::from(area.height));
    if lines <= visible || visible == 0 {
        return;
    }
    let thumb = (visible * visible / lines).clamp(1, visible);
    let from = app.pages.board.top * (visible - thumb) / (lines - visible).max(1);
    let x = area.right() - 1;
    for y in from..(from + thumb).min(visible) {
        let y = area.y + y as u16;
        let free = paint.buf.cell((x, y)).is_some_and(|c| c.symbol() == " ");
        if free {
            paint.text(x, y, 1, paint.glyph(Glyph::ScrollTrack), paint.style(Meaning::Border));
        }
    }
}
