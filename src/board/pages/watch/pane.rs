//! The lists beside the board, in twenty columns: how many games each holds and whether something happened, and below them
//! how the watched games stand.

use ratatui::layout::Rect;

use super::activity;
use super::draw::state;
use crate::board::app::App;
use crate::board::desk;
use crate::board::model::Game;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    paint.fill(Rect { height: 1, ..area }, paint.style(Meaning::Header));
    paint.text(area.x + 1, area.y, area.width - 1, "Watch", paint.style(Meaning::Header));
    let line = paint.glyph(Glyph::Column);
    for y in area.top()..area.bottom() {
        paint.text(area.right() - 1, y, 1, line, paint.style(Meaning::Border));
    }
    let held = desk::held(app);
    let chosen = desk::chosen(app);
    // The lists may take half of the room, so that games stay in sight.
    let rows = usize::from(area.height / 2).saturating_sub(1).max(2);
    let first = chosen.map_or(0, |at| (at + 2).saturating_sub(rows));
    let mut y = area.y + 1;
    for at in (0..=app.desk.lists.len()).skip(first).take(rows) {
        if y >= area.bottom() {
            return;
        }
        let list = at.checked_sub(1);
        let (name, count, active) = match list {
            None => ("All", app.slate().games.len(), false),
            Some(list) => {
                let Some(contents) = app.desk.lists.get(list) else { continue };
                let places = held.games.get(list).map_or(&[][..], |g| g);
                (contents.list.name.as_str(), places.len(), is_active(app, places))
            }
        };
        let place = Rect { y, height: 1, width: area.width - 1, ..area };
        if chosen == list {
            paint.text(area.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
        }
        let style = paint.style(if chosen == list { Meaning::Title } else { Meaning::Text });
        paint.text(area.x + 2, y, area.width.saturating_sub(10), name, style);
        if active {
            paint.text(area.right() - 7, y, 1, paint.glyph(Glyph::Signal), paint.style(Meaning::Steam));
        }
        paint.right(area.right() - 6, y, 4, &count.to_string(), paint.style(Meaning::Muted));
        paint.zone(place, Hit::List(list));
        y += 1;
    }
    y += 1;
    if let Some(why) = &app.desk.trouble {
        let place = Rect::new(area.x + 2, y, area.width.saturating_sub(4), area.bottom().saturating_sub(y).min(8));
        super::line::wrapped(paint, place, why, Meaning::Error);
        return;
    }
    games(app, paint, Rect { y, height: area.bottom().saturating_sub(y), width: area.width - 1, ..area });
}

/// A signal in any of these games within the last minutes.
fn is_active(app: &App, places: &[usize]) -> bool {
    let Some(activity) = &app.pages.watch.activity.data else { return false };
    // What is known of another hour says nothing of this one.
    let fresh = app.until().since(activity.at).abs() <= activity::LATELY_MS;
    let games = &app.slate().games;
    fresh && places.iter().filter_map(|at| games.get(*at)).any(|g| activity.signals.contains_key(&g.who.id))
}

/// The watched games, or those of the list on show.
fn games(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let held = desk::held(app);
    let chosen = desk::chosen(app);
    let places = chosen.and_then(|list| held.games.get(list));
    let slate = app.slate();
    let watched: Vec<&Game> = match places {
        Some(places) => places.iter().filter_map(|at| slate.games.get(*at)).map(|g| &**g).collect(),
        None => slate.games.iter().filter(|g| held.is_watched(g)).map(|g| &**g).collect(),
    };
    let room = usize::from(area.height);
    let shown = if watched.len() > room { room.saturating_sub(1) } else { watched.len() };
    for (y, game) in (area.y..area.bottom()).zip(watched.iter().take(shown)) {
        let place = Rect { y, height: 1, ..area };
        paint.text(area.x, y, 1, paint.glyph(Glyph::Star), paint.style(Meaning::Watched));
        let (state, meaning) = state(app, game);
        let state = state.split(' ').next_back().unwrap_or_default().to_owned();
        let room = area.width.saturating_sub(4 + text::width(&state));
        paint.text(area.x + 2, y, room, &short(game), paint.style(Meaning::Text));
        paint.right(area.x, y, area.width.saturating_sub(1), &state, paint.style(meaning));
        paint.zone(place, Hit::Game(game.who.id));
    }
    if shown < watched.len() {
        let told = format!("{} more", watched.len() - shown);
        paint.text(area.x + 2, area.bottom().saturating_sub(1), area.width - 2, &told, paint.style(Meaning::Faint));
    }
}

/// `BOS @ MIA`, or as much of the names as tells them.
fn short(game: &Game) -> String {
    let who = &game.who;
    let part = |code: &str, name: &str| -> String {
        if code.is_empty() { text::fit(&text::plain(name), 6, true).into_owned() } else { code.to_owned() }
    };
    if who.away.is_empty() {
        return text::plain(&who.home);
    }
    format!("{} @ {}", part(&who.away_code, &who.away), part(&who.home_code, &who.home))
}
