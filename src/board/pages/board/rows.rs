//! Which games stand on the board, in which order. Worked out when the slate or a choice changes, not for every frame.

use std::sync::Arc;

use crate::board::app::App;
use crate::board::app::prefs::{Grouping, Sort};
use crate::board::model::{Game, Market, Slate};
use crate::board::widgets::text;
use crate::engine::changes::EventStatus;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::market::ids::EventId;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// One line of the board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// The head of a group.
    Group {
        /// Its title.
        title: String,
        /// Games in it.
        games: usize,
    },
    /// One side of a game's market.
    Side {
        /// Place of the game in [`Slate::games`].
        game: usize,
        /// The question, where the game has the market.
        question: Option<UnitKey>,
        /// Place of the side in the market's sides.
        place: u8,
        /// Which of the game's lines, from the top.
        at: u8,
        /// How many lines the game has.
        of: u8,
    },
}

/// The lines of the board.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// From the top.
    pub lines: Vec<Line>,
    /// Games that passed the filter.
    pub games: usize,
    /// Games on the slate.
    pub of: usize,
    /// Columns of the longest name.
    pub names: u16,
    /// Layout of the market on show, where any game tells.
    pub layout: Option<Layout>,
}

impl Rows {
    /// The line of a game's side.
    pub fn find(&self, slate: &Slate, event: EventId, at: u8) -> Option<usize> {
        let of = |wanted: Option<u8>| {
            self.lines.iter().position(|l| match l {
                Line::Side { game, at, .. } => {
                    slate.games.get(*game).is_some_and(|g| g.who.id == event) && wanted.is_none_or(|w| *at == w)
                }
                Line::Group { .. } => false,
            })
        };
        of(Some(at)).or_else(|| of(None))
    }
}

/// Places of a market's sides from the top: the away team first, as boards have it; the draw last.
pub fn order(market: &Market) -> Vec<u8> {
    let mut places: Vec<u8> = (0..market.sides.len() as u8).collect();
    if market.layout.is_some() && market.sides.first() == Some(&Side::Home) {
        places.swap(0, 1);
    }
    places
}

/// Works the lines out.
pub fn build(app: &App, passes: &dyn Fn(&Game, Option<&Market>) -> bool) -> Rows {
    let slate = app.slate();
    let prefs = &app.prefs;
    let now = app.now();
    let mut chosen: Vec<(usize, &Arc<Game>, Option<&Market>)> = Vec::new();
    for (at, game) in slate.games.iter().enumerate() {
        if prefs.sport.as_deref().is_some_and(|s| s != &*game.who.sport_key) {
            continue;
        }
        let market = game.market(&prefs.market);
        if passes(game, market) {
            chosen.push((at, game, market));
        }
    }
    let pinned = |g: &Game| prefs.pinned.iter().any(|p| **p == *g.who.provider_id);
    let rank = |g: &'_ Arc<Game>| -> (i32, String) {
        let (number, name) = group_rank(prefs.group, g, now, app);
        (number, name.to_owned())
    };
    chosen.sort_by(|(_, a, ma), (_, b, mb)| {
        let by = compare(prefs.sort, a, *ma, b, *mb);
        let by = if prefs.reverse { by.reverse() } else { by };
        pinned(b)
            .cmp(&pinned(a))
            .then_with(|| rank(a).cmp(&rank(b)))
            .then(by)
            .then((a.commence, a.who.id).cmp(&(b.commence, b.who.id)))
    });
    let mut rows = Rows { games: chosen.len(), of: slate.games.len(), names: 12, ..Rows::default() };
    let mut title: Option<String> = None;
    for (index, game, market) in &chosen {
        let own = group_title(prefs.group, game, now, app, pinned(game));
        if let Some(own) = own {
            if title.as_ref() != Some(&own) {
                rows.lines.push(Line::Group { title: own.clone(), games: 0 });
                title = Some(own);
            }
            if let Some(Line::Group { games, .. }) =
                rows.lines.iter_mut().rev().find(|l| matches!(l, Line::Group { .. }))
            {
                *games += 1;
            }
        }
        rows.names = rows.names.max(text::width(&game.who.home));
        rows.names = rows.names.max(text::width(&game.who.away));
        let places = market.map_or_else(|| vec![0, 1], order);
        // Open-ended markets have as many outcomes as they like: the page of the game shows them.
        let places = if places.len() > 3 || places.is_empty() { vec![0, 1] } else { places };
        let of = places.len().max(2) as u8;
        rows.layout = rows.layout.or_else(|| market.and_then(|m| m.layout));
        for (at, place) in places.iter().enumerate() {
            rows.lines.push(Line::Side {
                game: *index,
                question: market.map(|m| m.key),
                place: *place,
                at: at as u8,
                of,
            });
        }
        if places.len() == 1 {
            rows.lines.push(Line::Side { game: *index, question: None, place: 1, at: 1, of });
        }
    }
    rows
}

fn compare(sort: Sort, a: &Game, ma: Option<&Market>, b: &Game, mb: Option<&Market>) -> std::cmp::Ordering {
    match sort {
        Sort::Start => a.commence.cmp(&b.commence),
        Sort::Sport => a.who.sport_short.cmp(&b.who.sport_short).then(a.commence.cmp(&b.commence)),
        Sort::Ev => best_ev(mb).total_cmp(&best_ev(ma)),
        Sort::Hold => hold(ma).total_cmp(&hold(mb)),
        Sort::Moved => moved(b, mb).cmp(&moved(a, ma)),
        Sort::Drift => drift(mb).total_cmp(&drift(ma)),
        Sort::Name => a.who.away.cmp(&b.who.away),
    }
}

/// The most that any side's best price is worth.
pub fn best_ev(market: Option<&Market>) -> f64 {
    market
        .and_then(|m| m.glance.as_ref())
        .and_then(|g| g.best.iter().flatten().filter_map(|b| b.ev).max_by(f32::total_cmp))
        .map_or(f64::NEG_INFINITY, f64::from)
}

fn hold(market: Option<&Market>) -> f64 {
    market.and_then(|m| m.glance.as_ref()).and_then(|g| g.hold).unwrap_or(f64::INFINITY)
}

fn moved(game: &Game, market: Option<&Market>) -> Timestamp {
    let newest = market.and_then(|m| m.cells.iter().map(|c| c.last_changed).max());
    newest.unwrap_or(game.who.first_seen)
}

/// How far the fair value is from where it opened: points, or log-odds.
pub fn drift(market: Option<&Market>) -> f64 {
    let Some(m) = market else { return -1.0 };
    let now = m.glance.as_ref().and_then(|g| g.fair.as_ref()).and_then(|f| f.values.first());
    let then = m.opening.as_ref().and_then(|p| p.fair.as_ref()).and_then(|f| f.values.first());
    now.zip(then).map_or(-1.0, |(a, b)| (a - b).abs())
}

fn group_rank<'g>(group: Grouping, game: &'g Game, now: Timestamp, app: &App) -> (i32, &'g str) {
    match group {
        Grouping::None => (0, ""),
        Grouping::Sport => (0, &game.who.sport_short),
        Grouping::Day => (app.prefs.zone().day_number(game.commence), ""),
        Grouping::Stage => (i32::from(stage(game, now)), ""),
    }
}

fn stage(game: &Game, now: Timestamp) -> u8 {
    const SOON: i64 = 3 * 3_600_000;
    match game.status {
        EventStatus::Final => 3,
        _ if game.is_live(now) => 0,
        _ if game.commence.since(now) <= SOON => 1,
        _ => 2,
    }
}

fn group_title(group: Grouping, game: &Game, now: Timestamp, app: &App, pinned: bool) -> Option<String> {
    if group == Grouping::None {
        return None;
    }
    if pinned {
        return Some("Pinned".into());
    }
    Some(match group {
        Grouping::None => return None,
        Grouping::Sport => game.who.sport_short.to_string(),
        Grouping::Day => app.prefs.zone().day(game.commence),
        Grouping::Stage => match stage(game, now) {
            0 => "Under way".into(),
            1 => "Within three hours".into(),
            2 => "Later".into(),
            _ => "Over".into(),
        },
    })
}
