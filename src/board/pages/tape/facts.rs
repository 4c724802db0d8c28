//! What a signal tells a filter, and which signals pass all that the user chose.

use super::TapePage;
use super::row::Row;
use crate::board::app::App;
use crate::board::model::Game;
use crate::engine::changes::EventStatus;
use crate::engine::detect::signal::{Direction, SignalType};
use crate::engine::grade::clv::ClvRow;
use crate::engine::grade::record::preset::Preset;
use crate::filter::{Facts, Flag, NumberField, TextField, fold};
use crate::market::time::Timestamp;

/// A signal with what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct SignalFacts<'a> {
    /// The signal.
    pub row: &'a Row,
    /// Its grading, once there is one.
    pub clv: Option<&'a ClvRow>,
    /// Its game, while that is on the slate.
    pub game: Option<&'a Game>,
    /// The game is on a watchlist.
    pub watched: bool,
    /// The moment on show.
    pub now: Timestamp,
}

impl SignalFacts<'_> {
    fn keeps(&self, preset: Preset) -> bool {
        let s = &self.row.signal;
        preset.keeps(s.kind, s.strength, s.books_affected, s.detail.dispersion, s.window_minutes)
    }
}

impl Facts for SignalFacts<'_> {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let (s, folded) = (&self.row.signal, &self.row.folded);
        match field {
            TextField::Sport => test(&folded.sport),
            TextField::Team => folded.teams.iter().any(|t| test(t)),
            TextField::Game => folded.game.iter().any(|g| test(g)),
            TextField::Market => test(&folded.market),
            TextField::Book => folded.books.iter().any(|b| test(b)),
            TextField::Type => test(&fold(s.kind.name())),
            TextField::Tier => test(&fold(s.tier.name())),
            TextField::Side => s.side.as_deref().is_some_and(|side| test(&fold(side))),
            TextField::Direction => test(match s.direction {
                Direction::Up => "up",
                Direction::Down => "down",
            }),
            TextField::Grade => self.clv.and_then(|c| c.close.grade).is_some_and(|g| test(&fold(g.name()))),
            TextField::Bucket => test(&fold(s.time_bucket.name())),
            TextField::Preset => Preset::ALL.into_iter().any(|p| self.keeps(p) && test(&fold(p.key()))),
            TextField::Label => s.detail.label.iter().chain(&s.detail.labels).any(|l| test(&fold(l))),
            TextField::Status => self.game.is_some_and(|g| test(&fold(g.status.name()))),
            // Names of lists are the desk's; a signal is asked for its game there.
            TextField::List => false,
        }
    }

    fn number(&self, field: NumberField) -> Option<f64> {
        let s = &self.row.signal;
        let entry = s.entry.as_ref();
        match field {
            NumberField::Ev => entry.and_then(|e| e.ev).map(|v| v * 100.0),
            NumberField::Strength => Some(f64::from(s.strength)),
            NumberField::Composite => Some(f64::from(s.composite)),
            NumberField::Books => Some(f64::from(s.books_affected)),
            NumberField::Age => Some(self.now.since(s.detected_at) as f64 / 1000.0),
            NumberField::Lead => {
                let start = self.game.map_or(s.commence_time, |g| g.commence);
                Some(start.since(self.now) as f64 / 1000.0)
            }
            NumberField::Price => entry.map(|e| e.price),
            NumberField::Line => entry.and_then(|e| e.line),
            NumberField::Move => (s.unit == "line").then(|| (s.to_value - s.from_value).abs()),
            NumberField::Dispersion => s.detail.dispersion,
            NumberField::Clv => self.clv.and_then(|c| c.clv_ev).map(|v| v * 100.0),
            NumberField::Hold => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        let s = &self.row.signal;
        let start = self.game.map_or(s.commence_time, |g| g.commence);
        let status = self.game.map(|g| g.status);
        match flag {
            Flag::Live => self.game.is_some_and(|g| g.is_live(self.now)),
            Flag::Pregame => status != Some(EventStatus::Final) && self.now < start,
            Flag::Final => status == Some(EventStatus::Final),
            Flag::Started => self.now >= start,
            Flag::Watched => self.watched,
            Flag::Actionable => s.side.is_some() && s.entry.is_some() && self.now < start,
            // These are of prices, and a signal keeps only what was.
            Flag::Stale | Flag::Suspect | Flag::Gone | Flag::Best | Flag::Suspended => false,
        }
    }

    fn words(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let fields = [TextField::Team, TextField::Sport, TextField::Market, TextField::Book, TextField::Type];
        fields.into_iter().any(|f| self.text(f, test))
    }
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
        let facts = SignalFacts { row, clv, game, watched, now };
        chosen.preset.is_none_or(|p| facts.keeps(p)) && filter.is_none_or(|f| f.matches(&facts))
    };
    data.rows.iter().enumerate().filter(|(_, row)| passes(row)).map(|(at, _)| at).collect()
}
