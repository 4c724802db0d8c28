//! One game in full: the history of a market as a chart, every book, what to take, the game's own signals, the close.
//!
//! The game is the one under the board's cursor; its data are asked for by game, question and moment, and asked for anew
//! when the slate brings a newer look of it. In the time machine nothing after the moment on show is read.

mod act;
pub mod beside;
mod card;
mod chooser;
pub mod data;
mod devig;
pub mod export;
mod history;
mod layout;
pub mod series;
mod table;
mod tape;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ratatui::layout::Rect;

pub use self::act::{act, click, wheel};
use self::data::{Asked, GameData};
pub use self::layout::{Pane, heading};
use self::series::{Measure, Pick, Ruler};
use super::board;
use crate::board::app::{App, Effect, Job, Showing, Slot};
use crate::board::format;
use crate::board::model::{Game, Market};
use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::chart::Series;
use crate::engine::changes::EventStatus;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::market::ids::{BookId, EventId};
use crate::market::market_key::Stance;
use crate::market::selection::Side;

/// The question on show, as the panes name its sides.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shown {
    /// Places of the sides in the market's order, as they are shown from the left or the top.
    pub places: Vec<(u8, Side)>,
    /// A short name of each of [`Shown::places`].
    pub codes: Vec<String>,
    /// The name of each side in the market's order.
    pub names: Vec<String>,
    /// Layout, where it can be calculated with.
    pub layout: Option<Layout>,
    /// Values are points.
    pub points: bool,
}

impl Shown {
    /// The short name of the side at a place of the market.
    pub fn code_of(&self, place: u8) -> &str {
        let at = self.places.iter().position(|p| p.0 == place);
        at.and_then(|at| self.codes.get(at)).map_or("", String::as_str)
    }
}

/// What the page keeps.
#[derive(Debug)]
pub struct GamePage {
    /// What the store says of the game.
    pub slot: Slot<GameData>,
    /// What was asked last.
    asked: Option<Asked>,
    /// The game as it was when that was asked.
    of: Option<Arc<Game>>,
    /// The question on show.
    pub shown: Option<Shown>,
    /// What the chart measures.
    pub measure: Measure,
    /// The lines of the chart, in the order of the chooser.
    pub picks: Vec<Pick>,
    /// Which of the shown sides chart, order and opener go by.
    pub side: usize,
    /// The time that the chart shows, in milliseconds; `None`: all.
    pub span: Option<i64>,
    /// How long before the end of recorded time it ends, in milliseconds.
    pub back: i64,
    /// The instant of the cross-hair, in milliseconds since 1970.
    pub cross: Option<i64>,
    /// The pane that has the keyboard.
    pub pane: Pane,
    /// The card gives way to both sides without vig.
    pub devig: bool,
    /// Order of the books.
    pub sort: table::Sort,
    /// Turned round.
    pub reverse: bool,
    /// The book under the cursor.
    pub line: usize,
    /// The first book on show.
    pub top: usize,
    /// The first signal on show, from the newest.
    pub signal: usize,
    /// The books in order.
    pub rows: Vec<table::Row>,
    /// The lines of the chart, the most important last.
    pub series: Vec<Series>,
}

impl Default for GamePage {
    fn default() -> Self {
        Self {
            slot: Slot::default(),
            asked: None,
            of: None,
            shown: None,
            measure: Measure::default(),
            picks: vec![Pick::Fair, Pick::Sharp, Pick::Best, Pick::Exchange],
            side: 0,
            span: None,
            back: 0,
            cross: None,
            pane: Pane::default(),
            devig: false,
            sort: table::Sort::default(),
            reverse: false,
            line: 0,
            top: 0,
            signal: 0,
            rows: Vec::new(),
            series: Vec::new(),
        }
    }
}

/// What a person may ask to have explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The game.
    pub event: EventId,
    /// The question.
    pub key: UnitKey,
    /// The book under the cursor.
    pub book: Option<BookId>,
    /// Place of the chosen side in the market's sides.
    pub place: u8,
}

/// What stands under the cursor: game, question, book and side.
pub fn explain_target(app: &App) -> Option<Target> {
    let (game, market) = current(app)?;
    let page = &app.pages.game;
    let key = market?.key;
    let place = page.shown.as_ref().and_then(|s| s.places.get(page.side)).map_or(0, |p| p.0);
    let book = page.rows.get(page.line).and_then(|r| app.slate().names.books.number(&r.key));
    let book = book.and_then(|n| u16::try_from(n).ok()).map(BookId);
    Some(Target { event: game.who.id, key, book, place })
}

/// The game of the page and its question on show; of props the first.
fn current(app: &App) -> Option<(&Arc<Game>, Option<&Market>)> {
    let game = board::current(app)?;
    let wanted = app.prefs.market.as_str();
    let market = game.market(wanted).or_else(|| game.markets.iter().find(|m| &*m.market == wanted));
    Some((game, market))
}

/// The page has come on show.
pub fn entered(app: &mut App) {
    refresh(app);
}

/// The market or the moment on show has changed.
pub fn refresh(app: &mut App) {
    let Some((game, market)) = current(app) else {
        let page = &mut app.pages.game;
        (page.asked, page.of, page.shown) = (None, None, None);
        (page.rows, page.series) = (Vec::new(), Vec::new());
        page.slot = Slot::default();
        return;
    };
    let game = game.clone();
    let past = (!matches!(app.showing, Showing::Live)).then(|| app.until());
    let asked = Asked { event: game.who.id, key: market.map(|m| m.key), past };
    let shown = market.map(|m| shown(&game, m));
    let page = &mut app.pages.game;
    let before = page.asked.replace(asked);
    let same = before.is_some_and(|b| (b.event, b.key) == (asked.event, asked.key));
    let newer = page.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &game));
    page.of = Some(game);
    if !same {
        (page.span, page.back, page.cross) = (None, 0, None);
        (page.line, page.top, page.signal) = (0, 0, 0);
        page.side = page.side.min(shown.as_ref().map_or(0, |s| s.places.len().saturating_sub(1)));
    }
    page.shown = shown;
    // What was read for a later moment is not shown at an earlier one.
    let future = page.slot.data.as_ref().zip(past).is_some_and(|(d, past)| d.at > past);
    let version = match before {
        Some(b) if same && !future && b.past.is_none_or(|was| past.is_some_and(|p| p >= was)) => {
            if newer || b.past != past { page.slot.refresh() } else { None }
        }
        _ => Some(page.slot.ask(same && !future)),
    };
    rebuild(app);
    if let Some(version) = version {
        ask(app, version);
    }
}

fn ask(app: &mut App, version: u64) {
    let Some(asked) = app.pages.game.asked else { return };
    let (engine, at) = (app.at.engine.clone(), app.until());
    let job = Job::reading(
        "game",
        move |reader| data::load(reader, engine, asked, at),
        move |app, found| {
            let found = found.and_then(|data| data.ok_or_else(|| "this game was not known yet".to_owned()));
            if !app.pages.game.slot.answer(version, found) {
                return;
            }
            rebuild(app);
            app.dirty = true;
            if app.pages.game.slot.wants_more()
                && let Some(version) = app.pages.game.slot.refresh()
            {
                ask(app, version);
            }
        },
    );
    app.effect(Effect::Job(job));
}

/// How the panes name the sides of a question.
fn shown(game: &Game, market: &Market) -> Shown {
    let order = board::rows::order(market);
    let places: Vec<(u8, Side)> =
        order.iter().filter_map(|p| market.sides.get(usize::from(*p)).map(|s| (*p, *s))).collect();
    let code = |side: Side| match side {
        Side::Home if !game.who.home_code.is_empty() => game.who.home_code.to_string(),
        Side::Away if !game.who.away_code.is_empty() => game.who.away_code.to_string(),
        _ => game.outcome(side, &market.subject),
    };
    Shown {
        codes: places.iter().map(|(_, side)| code(*side)).collect(),
        names: market.sides.iter().map(|s| game.outcome(*s, &market.subject)).collect(),
        layout: market.layout,
        points: false,
        places,
    }
}

/// Works rows and lines out anew.
pub(super) fn rebuild(app: &mut App) {
    let odds = app.prefs.odds;
    let slate = app.slate().clone();
    let page = &mut app.pages.game;
    let (Some(data), Some(shown)) = (page.slot.data.clone(), page.shown.as_mut()) else {
        (page.rows, page.series) = (Vec::new(), Vec::new());
        return;
    };
    let kept = page.rows.get(page.line).map(|r| r.key.clone());
    page.rows = table::rows(&data, &shown.places, page.side, page.sort, page.reverse);
    // The cursor stays on its book.
    if let Some(at) = kept.and_then(|key| page.rows.iter().position(|r| r.key == key)) {
        page.line = at;
    }
    page.series = match &data.appraisal {
        Some(appraisal) => {
            shown.points = appraisal.workings.model.is_some();
            let place = shown.places.get(page.side).map_or(0, |p| usize::from(p.0));
            let ruler = Ruler::new(appraisal, page.measure, place, odds);
            let short = |key: &str| {
                let column = slate.books.iter().find(|b| &*b.key == key);
                column.map_or_else(|| key.to_owned(), |b| b.short.to_string())
            };
            series::build(&data, &ruler, &page.picks, short)
        }
        None => Vec::new(),
    };
    settle(app);
}

/// Keeps cursor and windows within what there is.
pub(super) fn settle(app: &mut App) {
    let parts = parts(app, crate::board::chrome::body(app));
    let books = parts.books.map_or(1, table::visible).max(1);
    let signals = parts.tape.map_or(1, tape::visible).max(1);
    let page = &mut app.pages.game;
    page.line = page.line.min(page.rows.len().saturating_sub(1));
    page.top = page.top.min(page.line).max((page.line + 1).saturating_sub(books));
    page.top = page.top.min(page.rows.len().saturating_sub(books));
    let all = page.slot.data.as_ref().map_or(0, |d| d.signals.len());
    page.signal = page.signal.min(all.saturating_sub(signals));
}

fn parts(app: &App, area: Rect) -> layout::Parts {
    let sides = app.pages.game.shown.as_ref().map_or(2, |s| s.places.len().clamp(1, 4)) as u16;
    layout::parts(area, sides, app.pages.game.pane)
}

/// Draws the page.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some((game, market)) = current(app) else {
        let said = if app.slate().loaded { "no game under the cursor of the board" } else { "reading the store" };
        paint.centre(area, area.y + area.height / 2, said, paint.style(Meaning::Faint));
        return;
    };
    let parts = parts(app, area);
    head(app, paint, parts.head, game);
    if market.is_none() {
        let title = format::market_title(&app.prefs.market).to_lowercase();
        let told = game.markets.iter().filter(|m| m.spec.stance == Stance::Back);
        let mut has: Vec<String> = told.map(|m| format::market_title(&m.market).to_lowercase()).collect();
        has.sort();
        has.dedup();
        let has = if has.is_empty() { "no market at all".to_owned() } else { has.join(", ") };
        let said = format!("nobody has quoted the {title} of this game; there is {has}");
        paint.centre(area, area.y + area.height / 2, &said, paint.style(Meaning::Faint));
        return;
    }
    let page = &app.pages.game;
    if let Some(why) = page.slot.error.as_ref().filter(|_| !page.slot.is_running()) {
        let row = area.y + area.height / 2;
        let meaning = if page.slot.data.is_some() { Meaning::Warning } else { Meaning::Error };
        if page.slot.data.is_none() {
            paint.centre(area, row, why, paint.style(meaning));
            return;
        }
        paint.right(area.x, area.y, area.width.saturating_sub(1), why, paint.style(meaning));
    }
    if page.slot.data.is_none() {
        let said = "reading the history of this game";
        paint.centre(area, area.y + area.height / 2, said, paint.style(Meaning::Faint));
        return;
    }
    if let Some(area) = parts.brief {
        card::draw_brief(app, paint, area);
    }
    if let Some(area) = parts.chart {
        history::draw(app, paint, area);
    }
    if let Some(area) = parts.card {
        card::draw(app, paint, area);
    }
    if let Some(area) = parts.books {
        table::draw(app, paint, area);
    }
    if let Some(area) = parts.tape {
        tape::draw(app, paint, area);
    }
}

/// Who plays, and how it stands.
fn head(app: &App, paint: &mut Paint<'_>, area: Rect, game: &Game) {
    let now = app.now();
    let zone = app.prefs.zone();
    let score = game.score.map(|(home, away)| format!("{away} : {home}"));
    let (state, meaning) = match game.status {
        EventStatus::Final => ("final".to_owned(), Meaning::Final),
        _ if game.is_live(now) => {
            let on = format::until(game.commence.since(now));
            (format!("{} LIVE {on}", paint.glyph(Glyph::Live)), Meaning::Live)
        }
        _ => {
            (format!("{}  {}", zone.start(game.commence, now), format::until(game.commence.since(now))), Meaning::Text)
        }
    };
    let known = game.score.is_none() && game.is_live(now);
    let words = vec![
        (game.who.sport_short.to_string(), Meaning::Muted),
        (format!("{} @ {}", game.who.away, game.who.home), Meaning::Title),
        (state, meaning),
        (score.unwrap_or_default(), meaning),
        (if known { "no score fed".to_owned() } else { String::new() }, Meaning::Faint),
    ];
    let words: card::Words = words.into_iter().filter(|w| !w.0.is_empty()).collect();
    card::put(paint, Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }, &words);
}
