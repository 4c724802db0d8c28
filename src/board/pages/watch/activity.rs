//! What happened lately in the games of a list: signals, and prices that changed.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::board::app::{App, Effect, Job};
use crate::board::desk::held::Held;
use crate::board::model::Game;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;

/// "Lately", in milliseconds.
pub const LATELY_MS: i64 = 15 * 60_000;

/// Signals of the last minutes, as of a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Activity {
    /// The moment.
    pub at: Timestamp,
    /// How many signals of each game.
    pub signals: FxHashMap<EventId, u32>,
}

/// What happened lately.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lately {
    /// Signals.
    pub signals: u32,
    /// Prices that changed.
    pub moves: u32,
}

/// Asks for the signals of the last minutes before the moment on show.
pub fn ask(app: &mut App) {
    let until = app.until();
    if app.pages.watch.activity.data.as_ref().is_some_and(|a| a.at == until) {
        return;
    }
    let Some(version) = app.pages.watch.activity.refresh() else { return };
    let filter =
        AnalysisFilter { since: Some(until.plus(-LATELY_MS)), until: Some(until), ..AnalysisFilter::default() };
    let job = Job::reading(
        "activity of lists",
        move |reader| {
            let mut signals = FxHashMap::default();
            for signal in reader.signals(&filter)? {
                *signals.entry(signal.event_id).or_insert(0) += 1;
            }
            Ok(Activity { at: until, signals })
        },
        move |app, found| {
            app.pages.watch.activity.answer(version, found);
            if app.pages.watch.activity.wants_more() {
                ask(app);
            }
            app.dirty = true;
        },
    );
    app.effect(Effect::Job(job));
}

/// Of one game.
pub fn of_game(app: &App, game: &Game) -> Lately {
    let since = app.now().plus(-LATELY_MS);
    let moved = |c: &&crate::board::model::Cell| c.last_changed > since && c.last_changed > c.first_seen;
    let moves =
        if game.last_changed > since { game.markets.iter().flat_map(|m| &m.cells).filter(moved).count() } else { 0 };
    let signals = app.pages.watch.activity.data.as_ref().and_then(|a| a.signals.get(&game.who.id)).copied();
    Lately { signals: signals.unwrap_or(0), moves: u32::try_from(moves).unwrap_or(u32::MAX) }
}

/// Of all games, and of each list.
pub fn of_lists(app: &App, held: &Held) -> (Lately, Vec<Lately>) {
    let games: Vec<Lately> = app.slate().games.iter().map(|g: &Arc<Game>| of_game(app, g)).collect();
    let sum = |places: &mut dyn Iterator<Item = usize>| {
        places.filter_map(|at| games.get(at)).fold(Lately::default(), |a, b| Lately {
            signals: a.signals + b.signals,
            moves: a.moves.saturating_add(b.moves),
        })
    };
    let lists = held.games.iter().map(|places| sum(&mut places.iter().copied())).collect();
    (sum(&mut (0..games.len())), lists)
}
