//! What stands around every page: the state of things above, the tabs, the keys below, and messages that pass.

use ratatui::layout::Rect;

use super::app::{App, Page, Showing, Tone};
use super::format;
use super::link::Feeder;
use super::pages;
use super::paint::{Hit, Paint};
use super::theme::{Glyph, Meaning};
use super::widgets::text;
use crate::market::sports::Sports;
use crate::market::time::Timestamp;
use crate::runtime::status::{KeyState, standing_by};

/// The least that can be drawn on.
pub const LEAST: (u16, u16) = (60, 16);

/// The area of the page.
pub fn body(app: &App) -> Rect {
    let area = app.area;
    let head = 2 + u16::from(has_banner(app));
    let foot = 1;
    Rect { y: area.y + head, height: area.height.saturating_sub(head + foot), ..area }
}

const fn has_banner(app: &App) -> bool {
    !matches!(app.showing, Showing::Live)
}

/// Draws the whole frame.
pub fn draw(app: &App, paint: &mut Paint<'_>) {
    let area = app.area;
    paint.clear(area, paint.page());
    if !fits(app) {
        too_small(paint, area);
        return;
    }
    header(app, paint, Rect { height: 1, ..area });
    tabs(app, paint, Rect { y: area.y + 1, height: 1, ..area });
    if has_banner(app) {
        banner(app, paint, Rect { y: area.y + 2, height: 1, ..area });
    }
    let body = body(app);
    pages::draw(app, paint, body);
    hints(app, paint, Rect { y: area.bottom() - 1, height: 1, ..area });
    for overlay in &app.overlays {
        overlay.draw(app, paint, body);
    }
    toasts(app, paint, body);
}

/// Draws the first row alone, in which the clocks are.
pub fn draw_head(app: &App, paint: &mut Paint<'_>) {
    let row = Rect { height: 1, ..app.area };
    paint.clear(row, paint.page());
    header(app, paint, row);
}

/// The terminal is large enough for a board.
pub fn fits(app: &App) -> bool {
    app.area.width >= LEAST.0 && app.area.height >= LEAST.1
}

fn too_small(paint: &mut Paint<'_>, area: Rect) {
    let lines = [format!("{} x {}", area.width, area.height), format!("needs {} x {}", LEAST.0, LEAST.1)];
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        paint.text(area.x, y, area.width, line, paint.style(Meaning::Text));
    }
}

/// A piece of the header.
struct Piece {
    text: String,
    meaning: Meaning,
    /// Gives way when there is no room: the highest first. 0 stays.
    gives_way: u8,
}

fn piece(text: impl Into<String>, meaning: Meaning, gives_way: u8) -> Piece {
    Piece { text: text.into(), meaning, gives_way }
}

fn header(app: &App, paint: &mut Paint<'_>, area: Rect) {
    paint.fill(area, paint.theme.style(Meaning::Header));
    let mut left = vec![piece("stratum", Meaning::Title, 2)];
    if app.is_demo() {
        left.push(piece(" DEMO ", Meaning::Demo, 0));
    }
    left.extend(feeder(app, paint));
    left.extend(sports(app));
    left.extend(source(app));
    left.extend(elsewhere(app));
    left.extend(hub(app));
    left.extend(credits(app));
    if let Some(cycle) = app.link.status.as_ref().map(|s| s.cycle).filter(|c| c.looks > 0) {
        let ms = cycle.last.total_us as f64 / 1000.0;
        left.push(piece(format!("cycle {ms:.0} ms"), Meaning::Muted, 7));
    }
    let now = app.clocks.market();
    let zone = app.prefs.zone();
    let mut right = vec![piece(format!("{} {}", zone.hms(now), zone.abbreviation(now)), Meaning::Text, 0)];
    let utc = format!("{} UTC", format::Zone::default().hms(now));
    // A zone of another name may have the same clock.
    if right.first().is_some_and(|own| own.text != utc) {
        right.insert(0, piece(utc, Meaning::Muted, 5));
    }
    fold(&mut left, &mut right, area.width);
    let mut x = area.x + 1;
    for piece in &left {
        let style = paint.style(piece.meaning);
        x += paint.text(x, area.y, area.right().saturating_sub(x), &piece.text, style) + 2;
    }
    let width: u16 = right.iter().map(|p| text::width(&p.text) + 2).sum();
    let mut x = area.right().saturating_sub(width.saturating_sub(1));
    for piece in &right {
        let style = paint.style(piece.meaning);
        x += paint.text(x, area.y, area.right().saturating_sub(x), &piece.text, style) + 2;
    }
}

/// Leaves pieces out until the rest fits.
fn fold(left: &mut Vec<Piece>, right: &mut Vec<Piece>, width: u16) {
    let needs = |list: &[Piece]| list.iter().map(|p| text::width(&p.text) + 2).sum::<u16>();
    while needs(left) + needs(right) > width {
        let most = left.iter().chain(right.iter()).map(|p| p.gives_way).max().unwrap_or(0);
        if most == 0 {
            return;
        }
        left.retain(|p| p.gives_way != most);
        right.retain(|p| p.gives_way != most);
    }
}

/// Whether the market is being followed, and by whom.
fn feeder(app: &App, paint: &Paint<'_>) -> Vec<Piece> {
    let dot = paint.glyph(Glyph::Live);
    match &app.link.feeder {
        Feeder::Here => vec![piece(format!("{dot} LIVE"), Meaning::Ok, 1)],
        Feeder::Daemon { .. } => vec![piece(format!("{dot} LIVE daemon"), Meaning::Ok, 1)],
        Feeder::Unknown => vec![piece(paint.sign("○ …", "o ..."), Meaning::Muted, 1)],
        Feeder::Lost { silent, since, .. } => {
            let at = app.live.at.unwrap_or(*since);
            let old = format::ago(app.clocks.market().since(at));
            let what = if *silent { "NO ANSWER" } else { "NOT FED" };
            vec![piece(format!("{} {what}  newest {old} ago", paint.glyph(Glyph::Idle)), Meaning::Error, 0)]
        }
    }
}

/// Games of each sport.
fn sports(app: &App) -> Option<Piece> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for game in &app.slate().games {
        match counts.iter_mut().find(|(s, _)| *s == &*game.who.sport_short) {
            Some((_, n)) => *n += 1,
            None => counts.push((&game.who.sport_short, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let told: Vec<String> = counts.iter().take(5).map(|(s, n)| format!("{s} {n}")).collect();
    (!told.is_empty()).then(|| piece(told.join("  "), Meaning::Text, 4))
}

/// The source: how old its last answer is, or what is wrong with it, and when it is asked next.
fn source(app: &App) -> Vec<Piece> {
    let Some(status) = &app.link.status else { return Vec::new() };
    // Status times are this machine's, whatever the market's clock does.
    let now = app.clocks.local();
    let ago = |at: Timestamp| format::ago(now.since(at));
    let mut pieces = Vec::new();
    let failing = status.questions.iter().filter(|q| q.is_failing()).count();
    let newest = status.questions.iter().filter_map(|q| q.answer.as_ref()).map(|a| a.at).max();
    match (failing, newest) {
        (0, Some(at)) => pieces.push(piece(format!("odds api ok {}", ago(at)), Meaning::Text, 3)),
        // What follows a hub without a key of its own asks nobody.
        (0, None) if status.hub.is_some() && status.key == KeyState::Missing => {}
        (0, None) => pieces.push(piece("odds api: no answer yet", Meaning::Muted, 3)),
        (n, _) => {
            let why = status
                .questions
                .iter()
                .filter(|q| q.is_failing())
                .filter_map(|q| q.failure.as_ref())
                .max_by_key(|f| f.at);
            let why = why.map_or("", |f| &f.reason);
            pieces.push(piece(format!("odds api: {n} failing ({why})"), Meaning::Error, 1));
        }
    }
    if let Some(at) = status.next_due().filter(|_| app.link.is_alive()) {
        let ms = at.since(now).max(0) / 1000;
        pieces.push(piece(format!("next {}:{:02}", ms / 60, ms % 60), Meaning::Muted, 6));
    }
    pieces
}

/// What others of the desk poll, or what waits to be told who does.
fn elsewhere(app: &App) -> Option<Piece> {
    let status = app.link.status.as_ref()?;
    let told: Vec<String> = standing_by(&status.leases)
        .into_iter()
        .map(|(words, names)| {
            let short = |n: &String| match n.strip_prefix("exchange:") {
                Some(exchange) => exchange.to_owned(),
                None => Sports::embedded().resolve(n).short,
            };
            format!("{}: {words}", names.iter().map(short).collect::<Vec<_>>().join(" "))
        })
        .collect();
    let meaning = if status.hub_silent.is_some() { Meaning::Warning } else { Meaning::Text };
    (!told.is_empty()).then(|| piece(text::plain(&told.join(", ")), meaning, 2))
}

/// How it stands with the hub, where there is one.
fn hub(app: &App) -> Option<Piece> {
    let hub = app.link.status.as_ref()?.hub.as_ref()?;
    let word = hub.word();
    let meaning = if word == "away" { Meaning::Warning } else { Meaning::Muted };
    let tier = if hub.tier == "free" { " (free: late)" } else { "" };
    Some(piece(format!("hub {word}{tier}"), meaning, 4))
}

fn credits(app: &App) -> Option<Piece> {
    let credits = &app.link.status.as_ref()?.credits;
    let left = credits.remaining?;
    const FEW: u64 = 200;
    let meaning = if left <= FEW { Meaning::Warning } else { Meaning::Text };
    Some(piece(format!("credits {}", format::count(left)), meaning, 3))
}

fn tabs(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let mut x = area.x + 1;
    let narrow = area.width < 84;
    for page in Page::ALL {
        let label = if narrow && page != app.page && page != Page::Board {
            format!("{}", page.digit())
        } else {
            format!("{} {}", page.digit(), page.title())
        };
        let label = match pages::badge(app, page) {
            Some(badge) => format!(" {label} {badge} "),
            None => format!(" {label} "),
        };
        let meaning = if page == app.page { Meaning::TabActive } else { Meaning::TabInactive };
        let style = paint.style(meaning);
        let taken = paint.text(x, area.y, area.right().saturating_sub(x), &label, style);
        paint.zone(Rect::new(x, area.y, taken, 1), Hit::Page(page));
        x += taken;
    }
    let crumbs = crumbs(app);
    let sign = paint.sign(" ▸ ", " > ");
    let mut parts: Vec<String> = crumbs;
    while !parts.is_empty() {
        let told = parts.join(sign);
        let width = text::width(&told) + 2;
        if x + width <= area.right() {
            paint.right(area.x, area.y, area.width - 1, &told, paint.style(Meaning::Muted));
            return;
        }
        parts.pop();
    }
}

/// What is shown, in a few words: market, odds, order.
fn crumbs(app: &App) -> Vec<String> {
    let prefs = &app.prefs;
    let mut parts = Vec::new();
    match app.page {
        Page::Board | Page::Game => {
            parts.push(format::market_title(&prefs.market));
            parts.push(prefs.odds.name().to_owned());
            if app.page == Page::Board {
                parts.push(format!("by {}{}", prefs.sort.name(), if prefs.reverse { ", reversed" } else { "" }));
                let rows = &app.pages.board.rows;
                if rows.games < rows.of {
                    parts.insert(0, format!("{} of {} games", rows.games, rows.of));
                }
                if app.pages.board.mode != pages::board::Mode::Current {
                    parts.insert(0, app.pages.board.mode.name().to_uppercase());
                }
                if let Some(sport) = &prefs.sport {
                    parts.insert(0, sport.clone());
                }
                if let Some(list) = &prefs.list {
                    parts.insert(0, list.clone());
                }
                if !prefs.filter.is_empty() {
                    parts.insert(0, prefs.filter.clone());
                }
            }
        }
        _ => {}
    }
    parts
}

fn banner(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let zone = app.prefs.zone();
    let market = app.clocks.market();
    let (style, told) = match &app.showing {
        Showing::Live => return,
        Showing::Frozen { at, .. } => {
            let since = format::ago(market.since(*at));
            let told = format!("FROZEN at {}  {since} ago  the market goes on  ␣ lets it go", zone.hms(*at));
            (paint.style(Meaning::Frozen), told)
        }
        Showing::Past { at, playing, slate } => {
            let back = format::ago(market.since(*at));
            let mut told = format!("PAST  {} {}  {back} ago", zone.full(*at), zone.abbreviation(*at));
            if let Some(playing) = playing {
                told.push_str(&format!("  playing {}x", playing.speed));
            }
            if slate.at != Some(*at) {
                told.push_str("  reading");
            }
            told.push_str("  [ ] looks  { } signals  P plays  L back to the present");
            (paint.style(Meaning::Past), told)
        }
    };
    let told = if app.looks.glyphs.is_ascii() { told.replace('␣', "space") } else { told };
    paint.fill(area, style);
    paint.text(area.x + 1, area.y, area.width - 2, &told, style);
}

fn hints(app: &App, paint: &mut Paint<'_>, area: Rect) {
    paint.fill(area, paint.style(Meaning::Hint));
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    let pending = app.matcher.pending(app.looks.glyphs.is_ascii());
    if !pending.is_empty() {
        x += paint.text(x, area.y, 8, &pending, paint.style(Meaning::Input)) + 2;
    }
    for hint in app.keys.hints(app.context(), app.looks.glyphs.is_ascii()) {
        let width = text::width(&hint.keys) + 1 + text::width(hint.label);
        if x + width > end {
            break;
        }
        let from = x;
        x += paint.text(x, area.y, end - x, &hint.keys, paint.style(Meaning::Key)) + 1;
        x += paint.text(x, area.y, end - x, hint.label, paint.style(Meaning::Hint));
        paint.zone(Rect::new(from, area.y, width, 1), Hit::Act(hint.action));
        x += 2;
    }
}

fn toasts(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let most = area.width.saturating_sub(4).min(72);
    let mut y = area.bottom();
    for toast in app.toasts.iter().collect::<Vec<_>>().into_iter().rev() {
        if y <= area.y {
            return;
        }
        y -= 1;
        let meaning = if toast.tone == Tone::Error { Meaning::ToastError } else { Meaning::Toast };
        let told = format!(" {} ", text::plain(&toast.text));
        let width = text::width(&told).min(most);
        let place = Rect::new(area.right() - width - 1, y, width, 1);
        paint.clear(place, paint.style(meaning));
        paint.text(place.x, y, width, &told, paint.style(meaning));
    }
}
