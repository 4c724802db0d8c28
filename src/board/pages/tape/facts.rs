//! What a signal tells a filter, and which signals pass all that the user chose.

use super::TapePage;
use super::row::Row;
use crate::alerts::facts::{GameNow, SignalFacts};
use crate::board::app::App;
use crate::board::model::Game;
use crate::engine::detect::signal::SignalType;
use crate::engine::grade::clv::ClvRow;
use crate::engine::grade::record::preset::Preset;
use crate::market::time::Timestamp;

/// A signal of a row, with what is known around it.
pub fn of<'a>(
    row: &'a Row,
    clv: Option<&'a ClvRow>,
    game: Option<&Game>,
    watched: bool,
    now: Timestamp,
) -> SignalFacts<'a> {
    let game = game.map(|g| GameNow { commence: g.commence, status: g.status, live: g.is_live(now) });
    // Names of lists are the desk's; a signal is asked for its game there.
    SignalFacts { signal: &row.signal, folded: &row.folded, clv, game, watched, lists: &[], now }
}

/// The filter of the page's own keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chosen {
    /// Only this type.
    pub kind: Option<SignalType>,
    /// Only this tier and those above.
    pub tier: Option<crate::engine::detect::signal::Tier>,
    /// Only what this preset keeps.
    pub preset: Option<Preset>,
}

/// Reads the user's filter anew if it has changed.
pub fn read_filter(app: &mut App) {
    let page = &mut app.pages.tape;
    if page.parsed.as_ref().is_none_or(|(text, _)| *text != app.prefs.filter) {
        let parsed = crate::board::desk::filter(app).map(|f| f.map(|f| (*f).clone()).unwrap_or_default());
        let page = &mut app.pages.tape;
        page.parsed = Some((app.prefs.filter.clone(), parsed));
    }
}

/// Places of the rows that pass, in their order. Nothing passes a filter that cannot be read.
pub fn passing(app: &App, page: &TapePage) -> Vec<usize> {
    let Some(data) = &page.slot.data else { return Vec::new() };
    let filter = match &page.parsed {
        Some((_, Err(_))) => return Vec::new(),
        Some((_, Ok(filter))) => Some(filter).filter(|f| !f.is_empty()),
        None => None,
    };
    let (now, until, slate) = (app.now(), app.until(), app.slate());
    let games: rustc_hash::FxHashMap<_, _> = slate.games.iter().map(|g| (g.who.id, &**g)).collect();
    let in_list = crate::board::pages::sieve::signals(app);
    let passes = |row: &Row| {
        let s = &row.signal;
        // While an answer is under way the last one may know more than the moment on show.
        if s.detected_at > until || app.prefs.sport.as_ref().is_some_and(|sport| *sport != s.sport) {
            return false;
        }
        let chosen = page.chosen;
        if chosen.kind.is_some_and(|k| k != s.kind) || chosen.tier.is_some_and(|t| s.tier < t) {
            return false;
        }
        let game = games.get(&s.event_id).copied();
        let watched = game.is_some_and(|g| crate::board::desk::is_watched(app, g));
        if !in_list(s) {
            return false;
        }
        let clv = data.clv.get(&s.id).filter(|c| c.graded_at <= until);
        let facts = of(row, clv, game, watched, now);
        chosen.preset.is_none_or(|p| facts.keeps(p)) && filter.is_none_or(|f| f.matches(&facts))
    };
    data.rows.iter().enumerate().filter(|(_, row)| passes(row)).map(|(at, _)| at).collect()
}
