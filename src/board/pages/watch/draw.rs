//! The page: lists, rules and games as they are now.

use ratatui::layout::Rect;

use super::activity::{self, Lately};
use super::{Pane, current, games, parts};
use crate::board::app::App;
use crate::board::desk;
use crate::board::model::Game;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::engine::changes::EventStatus;
use crate::store::desk::{Rule, RuleKind};

/// Rows above the rows of a pane.
pub const fn head(_: Pane) -> u16 {
    1
}

/// Rows of the games pane are told from those of the others by what is added to their number.
pub const GAMES: usize = 1 << 20;
/// The same of rules.
pub const RULES: usize = 1 << 21;

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let places = parts(area, super::most_rules(app)).panes;
    let line = paint.glyph(Glyph::Column);
    for y in area.top()..area.bottom() {
        paint.text(places[0].right(), y, 1, line, paint.style(Meaning::Border));
        if places[2].x > places[1].right() {
            paint.text(places[1].right(), y, 1, line, paint.style(Meaning::Border));
        }
    }
    lists(app, paint, places[0]);
    rules(app, paint, places[1]);
    held_games(app, paint, places[2]);
}

/// The heading of a pane; columns of it are named at the right.
fn heading(app: &App, paint: &mut Paint<'_>, area: Rect, pane: Pane, title: &str, right: &str) {
    let here = app.pages.watch.pane == pane;
    paint.fill(Rect { height: 1, ..area }, paint.style(Meaning::Header));
    if here {
        paint.text(area.x, area.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
    }
    let style = paint.style(if here { Meaning::Title } else { Meaning::Header });
    let room = area.width.saturating_sub(3 + text::width(right));
    paint.text(area.x + 2, area.y, room, title, style);
    paint.right(area.x, area.y, area.width.saturating_sub(1), right, paint.style(Meaning::Header));
    paint.zone(Rect { height: 1, ..area }, Hit::Pane(pane.place()));
}

fn row(app: &App, paint: &mut Paint<'_>, area: Rect, pane: Pane, at: usize) {
    let page = &app.pages.watch;
    if page.at[pane.place()] != at {
        return;
    }
    // The list stays marked while its rules have the keyboard.
    if page.pane == pane || pane == Pane::Lists {
        paint.fill(area, paint.style(Meaning::Selection));
    }
    if page.pane == pane {
        paint.text(area.x, area.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
    }
}

/// Rows of a pane that are on show: where, and which.
fn visible(app: &App, area: Rect, pane: Pane, count: usize) -> impl Iterator<Item = (Rect, usize)> + use<> {
    let top = app.pages.watch.top[pane.place()];
    let from = area.y + head(pane);
    (from..area.bottom()).zip(top..count).map(move |(y, at)| (Rect { y, height: 1, ..area }, at))
}

fn lists(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let wide = area.width >= 40;
    heading(app, paint, area, Pane::Lists, "Lists", if wide { "games  signals moves 15m" } else { "games  15m" });
    let held = desk::held(app);
    let (all, each) = activity::of_lists(app, &held);
    let most = each.iter().chain([&all]).map(|l| weight(*l)).max().unwrap_or(0);
    for (place, at) in visible(app, area, Pane::Lists, app.desk.lists.len() + 1) {
        row(app, paint, place, Pane::Lists, at);
        let list = at.checked_sub(1);
        let (name, count, lately) = match list {
            None => ("All games", app.slate().games.len(), all),
            Some(list) => {
                let Some(contents) = app.desk.lists.get(list) else { continue };
                let count = held.games.get(list).map_or(0, Vec::len);
                (contents.list.name.as_str(), count, each.get(list).copied().unwrap_or_default())
            }
        };
        let shown = desk::chosen(app) == list;
        let style = paint.style(if shown { Meaning::Title } else { Meaning::Text });
        let tail = if wide { 24 } else { 12 };
        let room = place.width.saturating_sub(tail + 3);
        paint.text(place.x + 2, place.y, room, name, style);
        let end = place.right().saturating_sub(1);
        let mut x = end.saturating_sub(tail);
        paint.right(x, place.y, 5, &count.to_string(), paint.style(Meaning::Text));
        x += 6;
        bar(paint, x, place.y, 6, weight(lately), most);
        x += 7;
        if wide {
            number(paint, x, place.y, 4, lately.signals, Meaning::Text);
            number(paint, x + 5, place.y, 6, lately.moves, Meaning::Muted);
        }
        paint.zone(place, Hit::List(list));
    }
    notes(app, paint, area);
}

/// Why there are no lists, or how to make the first.
fn notes(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let y = area.y + head(Pane::Lists) + 2;
    let place = Rect { x: area.x + 2, y, width: area.width.saturating_sub(3), height: area.bottom().saturating_sub(y) };
    if let Some(why) = &app.desk.trouble {
        super::line::wrapped(paint, place, why, Meaning::Error);
    } else if !app.desk.loaded {
        super::line::wrapped(paint, place, "the lists are being read", Meaning::Faint);
    } else if app.desk.lists.is_empty() {
        let told = "there is no list yet: a makes one, and w on the board watches a game";
        super::line::wrapped(paint, place, told, Meaning::Muted);
    }
}

fn weight(lately: Lately) -> u32 {
    // A signal says more than a price that moved.
    lately.signals.saturating_mul(20).saturating_add(lately.moves)
}

fn number(paint: &mut Paint<'_>, x: u16, y: u16, width: u16, n: u32, meaning: Meaning) {
    let (text, meaning) =
        if n == 0 { (paint.sign("·", "-").to_owned(), Meaning::Faint) } else { (n.to_string(), meaning) };
    paint.right(x, y, width, &text, paint.style(meaning));
}

/// How much of `most` there is, in halves of columns.
pub fn bar(paint: &mut Paint<'_>, x: u16, y: u16, width: u16, part: u32, most: u32) {
    let halves = if most == 0 { 0 } else { (u64::from(part) * u64::from(width) * 2).div_ceil(u64::from(most)) };
    for at in 0..width {
        let filled = halves.saturating_sub(u64::from(at) * 2);
        let (glyph, meaning) = match filled {
            0 => (Glyph::BarEmpty, Meaning::BarEmpty),
            1 => (Glyph::BarHalf, Meaning::Bar),
            _ => (Glyph::Bar, Meaning::Bar),
        };
        paint.text(x + at, y, 1, paint.glyph(glyph), paint.style(meaning));
    }
}

fn rules(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some((at, list)) = current(app) else {
        heading(app, paint, area, Pane::Rules, "Rules", "");
        let place = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: 2 };
        super::line::wrapped(paint, place, "every game on the board; lists have rules", Meaning::Muted);
        return;
    };
    heading(app, paint, area, Pane::Rules, &format!("Rules of '{}'", list.list.name), "");
    let broken = app.desk.compiled.get(at).map_or(&[][..], |c| &c.broken);
    for (place, at) in visible(app, area, Pane::Rules, list.rules.len()) {
        let Some(rule) = list.rules.get(at) else { continue };
        row(app, paint, place, Pane::Rules, at);
        let not = if rule.negative { "not" } else { "" };
        paint.text(place.x + 2, place.y, 3, not, paint.style(Meaning::Warning));
        paint.text(place.x + 6, place.y, 7, rule.kind.name(), paint.style(Meaning::Muted));
        let room = place.width.saturating_sub(15);
        let (x, y) = (place.x + 14, place.y);
        if let Some((_, why)) = broken.iter().find(|(id, _)| *id == rule.id) {
            let told = format!("{}  cannot be used: {why}", rule.kind.text());
            paint.text(x, y, room, &told, paint.style(Meaning::Error));
        } else {
            let (about, more) = about(app, rule);
            let tail = text::width(&more).min(room / 2);
            let taken =
                paint.text(x, y, room.saturating_sub(tail + 1), &text::plain(&about), paint.style(Meaning::Text));
            if taken > 0 && tail > 0 {
                paint.right(x, y, room, &more, paint.style(Meaning::Muted));
            }
        }
        paint.zone(place, Hit::Row(RULES + at));
    }
    if list.rules.is_empty() {
        let place = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: 2 };
        super::line::wrapped(paint, place, "no rule yet, so no game: r adds one", Meaning::Muted);
    }
}

/// A rule for people, and what belongs to the right of it.
fn about(app: &App, rule: &Rule) -> (String, String) {
    match &rule.kind {
        RuleKind::Game { start, provider_event_id } => {
            let here = app.slate().games.iter().find(|g| *g.who.provider_id == **provider_event_id);
            let start = here.map(|g| g.commence).or(*start);
            let when = start.map_or_else(String::new, |at| app.prefs.zone().start(at, app.now()));
            let gone = if here.is_none() { "not on the board  " } else { "" };
            (rule.label.clone(), format!("{gone}{when}"))
        }
        RuleKind::Filter { text } => (text.clone(), String::new()),
        kind => (rule.label.clone(), kind.sport().unwrap_or_default().to_owned()),
    }
}

fn held_games(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let places = games(app);
    let title = match current(app) {
        None => format!("All games  {}", places.len()),
        Some(_) => format!("Games now  {}", places.len()),
    };
    heading(app, paint, area, Pane::Games, &title, if area.width >= 50 { "signals moves 15m" } else { "15m" });
    for (place, at) in visible(app, area, Pane::Games, places.len()) {
        let Some(game) = places.get(at).and_then(|g| app.slate().games.get(*g)) else { continue };
        row(app, paint, place, Pane::Games, at);
        self::game(app, paint, place, game);
        paint.zone(place, Hit::Row(GAMES + at));
    }
    if places.is_empty() {
        let told = match current(app) {
            _ if !app.slate().loaded => "the board is being read",
            Some((_, list)) if list.rules.is_empty() => "none",
            Some(_) => "no game on the board fits these rules now",
            None => "there is no game on the board",
        };
        let place = Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(3), height: 2 };
        super::line::wrapped(paint, place, told, Meaning::Muted);
    }
}

/// When it starts, or how it stands, in at most nine columns; and how that looks.
pub fn state(app: &App, game: &Game) -> (String, Meaning) {
    let now = app.now();
    match (game.status, game.score) {
        (EventStatus::Final, _) => ("final".into(), Meaning::Final),
        (EventStatus::Live, Some((home, away))) => (format!("{away}-{home}"), Meaning::Live),
        (EventStatus::Live, None) => ("LIVE".into(), Meaning::Live),
        _ if game.is_live(now) => ("LIVE".into(), Meaning::Live),
        _ => (app.prefs.zone().start(game.commence, now), Meaning::Muted),
    }
}

fn game(app: &App, paint: &mut Paint<'_>, place: Rect, game: &Game) {
    let (state, meaning) = state(app, game);
    paint.text(place.x + 2, place.y, 9, &state, paint.style(meaning));
    let wide = place.width >= 50;
    let tail = if wide { 18 } else { 7 };
    let who = &game.who;
    let room = place.width.saturating_sub(13 + tail);
    let full = if who.away.is_empty() { who.home.to_string() } else { format!("{} @ {}", who.away, who.home) };
    let short = format!("{} @ {}", who.away_code, who.home_code);
    let codes = !who.away_code.is_empty() && !who.home_code.is_empty();
    let told = if text::width(&full) > room && codes { short } else { full };
    paint.text(place.x + 12, place.y, room, &text::plain(&told), paint.style(Meaning::Text));
    let lately = activity::of_game(app, game);
    let end = place.right().saturating_sub(1);
    if wide {
        number(paint, end - 18, place.y, 7, lately.signals, Meaning::Text);
        number(paint, end - 10, place.y, 5, lately.moves, Meaning::Muted);
    } else {
        number(paint, end - 5, place.y, 5, weight(lately).min(9999), Meaning::Muted);
    }
}
