//! What a row of the board tells a filter: a game and one of its questions, with every book in it.
//!
//! Texts are folded once for each game, market and book and kept in a [`Ground`]; a row only points at them. May not know
//! lists or pages: which lists hold a game comes in as a value.
//!
//! A row stands for many prices. `status:` asks for any of them; `is:stale`, `is:suspect` and `is:gone` ask whether the row
//! as a whole is so: nothing in it is fresh.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::model::{Cell, Game, Identity, Market, Slate};
use super::pages::board::rows;
use crate::alerts::facts::plays;
use crate::alerts::watchlist::Subject;
use crate::engine::appraise::glance::BestPrice;
use crate::engine::changes::EventStatus;
use crate::engine::price::unit::Layout;
use crate::engine::status::Status;
use crate::filter::{Filter, Flag, NumberField, TextField, fold};
use crate::market::bucket::TimeBucket;
use crate::market::ids::EventId;
use crate::market::market_key::Stance;
use crate::market::selection::Side;
use crate::market::teams::name::comparable;
use crate::market::time::Timestamp;

/// The texts of a game, folded.
#[derive(Clone, Debug)]
pub struct FoldedGame {
    who: Arc<Identity>,
    /// Names and codes; codes may be empty.
    teams: [String; 4],
    comparable: [String; 2],
    sport: String,
    ids: [String; 2],
}

impl FoldedGame {
    fn new(who: &Arc<Identity>) -> Self {
        Self {
            who: who.clone(),
            teams: [&who.home, &who.away, &who.home_code, &who.away_code].map(|t| fold(t)),
            comparable: [&who.home, &who.away].map(|t| comparable(t)),
            sport: fold(&who.sport_key),
            ids: [who.id.0.to_string(), fold(&who.provider_id)],
        }
    }

    fn is_of(&self, who: &Arc<Identity>) -> bool {
        Arc::ptr_eq(&self.who, who)
            || (self.who.provider_id == who.provider_id
                && self.who.home == who.home
                && self.who.away == who.away
                && self.who.sport_key == who.sport_key
                && self.who.home_code == who.home_code
                && self.who.away_code == who.away_code)
    }
}

/// Folded texts of everything on a slate. Cheap to copy; made anew only for what is new.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    games: FxHashMap<EventId, Arc<FoldedGame>>,
    /// By the number of the market.
    markets: Arc<Vec<String>>,
    /// By the number of the book: key and heading.
    books: Arc<Vec<[String; 2]>>,
}

impl Ground {
    /// The texts of a slate; what is known from `self` is taken over.
    #[must_use]
    pub fn of(&self, slate: &Slate) -> Self {
        let known = |who: &Arc<Identity>| self.games.get(&who.id).filter(|g| g.is_of(who)).cloned();
        let games = slate
            .games
            .iter()
            .map(|g| (g.who.id, known(&g.who).unwrap_or_else(|| Arc::new(FoldedGame::new(&g.who)))))
            .collect();
        let names = &slate.names;
        let markets = if self.markets.len() == names.markets.len() + 1 {
            self.markets.clone()
        } else {
            Arc::new(std::iter::once(String::new()).chain(names.markets.iter().map(fold)).collect())
        };
        let mut books = vec![<[String; 2]>::default(); names.books.len() + 1];
        for book in slate.books.iter() {
            if let Some(place) = books.get_mut(usize::from(book.id.0)) {
                *place = [fold(&book.key), fold(&book.short)];
            }
        }
        Self { games, markets, books: Arc::new(books) }
    }
}

/// One row, as filters see it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The game.
    pub game: &'a Game,
    /// The question; `None`: the game does not have it.
    pub market: Option<&'a Market>,
    /// The instant on show.
    pub now: Timestamp,
    /// How old a price may be before it is stale. Milliseconds.
    pub max_age_ms: i64,
    /// Folded names of the lists that hold the game.
    pub lists: &'a [&'a str],
    ground: &'a Ground,
    folded: Option<&'a FoldedGame>,
}

impl<'a> Row<'a> {
    /// A row of the slate that `ground` was made of.
    pub fn new(
        ground: &'a Ground,
        game: &'a Game,
        market: Option<&'a Market>,
        now: Timestamp,
        max_age_ms: i64,
        lists: &'a [&'a str],
    ) -> Self {
        let folded = ground.games.get(&game.who.id).map(|g| &**g);
        Self { game, market, now, max_age_ms, lists, ground, folded }
    }

    fn cells(&self) -> &'a [Cell] {
        self.market.map_or(&[], |m| &m.cells)
    }

    fn is_fresh(&self, cell: &Cell) -> bool {
        cell.status == Status::Open && cell.age(self.now) <= self.max_age_ms
    }

    fn any_fresh(&self) -> bool {
        self.cells().iter().any(|c| self.is_fresh(c))
    }

    /// The best price that is worth most, with its place.
    fn best(&self) -> Option<(usize, &'a BestPrice)> {
        let best = &self.market?.glance.as_ref()?.best;
        let worth = |b: &BestPrice| b.ev.map_or(f64::NEG_INFINITY, f64::from);
        best.iter()
            .enumerate()
            .filter_map(|(at, b)| Some((at, b.as_ref()?)))
            .max_by(|a, b| worth(a.1).total_cmp(&worth(b.1)).then(b.0.cmp(&a.0)))
    }

    /// Ages of the best prices, in milliseconds.
    fn best_ages(&self) -> impl Iterator<Item = i64> + '_ {
        let best = self.market.and_then(|m| m.glance.as_ref()).map(|g| &g.best);
        let cells = best.into_iter().flatten().enumerate().filter_map(|(at, b)| {
            let cell = self.market?.cell(b.as_ref()?.book, u8::try_from(at).ok()?)?;
            (cell.takeable && cell.status == Status::Open).then_some(cell)
        });
        cells.map(|c| c.age(self.now))
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Home => "home",
        Side::Away => "away",
        Side::Draw => "draw",
        Side::Over => "over",
        Side::Under => "under",
        Side::Yes => "yes",
        Side::No => "no",
        Side::Named => "named",
    }
}

const fn status_names(status: Status) -> [&'static str; 2] {
    match status {
        Status::Open => ["open", ""],
        Status::Gone => ["gone", ""],
        Status::Stale => ["suspect", "stale"],
        Status::Flawed => ["suspect", "flawed"],
        Status::EventMissing => ["suspect", "event missing"],
        Status::Unreadable => ["suspect", "unreadable"],
    }
}

const fn bucket_name(bucket: TimeBucket) -> &'static str {
    match bucket {
        TimeBucket::Unknown => "unknown",
        TimeBucket::Open => "open",
        TimeBucket::Mid => "mid",
        TimeBucket::Late => "late",
        TimeBucket::PreTip => "pretip",
        TimeBucket::InPlay => "inplay",
    }
}

impl crate::filter::Facts for Row<'_> {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut some = |text: &str| !text.is_empty() && test(text);
        match field {
            TextField::Team => self.folded.is_some_and(|g| g.teams.iter().any(|t| some(t))),
            TextField::Sport => self.folded.is_some_and(|g| some(&g.sport)),
            TextField::Game => self.folded.is_some_and(|g| g.ids.iter().any(|t| some(t))),
            TextField::Market => {
                self.market.and_then(|m| self.ground.markets.get(usize::from(m.key.market.0))).is_some_and(|t| some(t))
            }
            TextField::Book => self.cells().chunk_by(|a, b| a.book == b.book).any(|cells| {
                let here = cells.iter().any(|c| c.status.is_present());
                let book = cells.first().and_then(|c| self.ground.books.get(usize::from(c.book.0)));
                here && book.is_some_and(|texts| texts.iter().any(|t| some(t)))
            }),
            TextField::Side => self.market.is_some_and(|m| m.sides.iter().any(|s| some(side_name(*s)))),
            TextField::Bucket => some(bucket_name(TimeBucket::at(self.now, Some(self.game.commence)))),
            TextField::List => self.lists.iter().any(|t| some(t)),
            TextField::Status => {
                let own = match self.game.status {
                    EventStatus::Scheduled => "scheduled",
                    EventStatus::Live => "live",
                    EventStatus::Final => "final",
                };
                some(own)
                    || self.cells().iter().any(|c| {
                        let stale = c.status == Status::Open && c.age(self.now) > self.max_age_ms;
                        status_names(c.status).iter().any(|t| some(t)) || (stale && some("stale"))
                    })
            }
            TextField::Type
            | TextField::Tier
            | TextField::Direction
            | TextField::Grade
            | TextField::Label
            | TextField::Preset => false,
        }
    }

    fn number(&self, field: NumberField) -> Option<f64> {
        let glance = self.market.and_then(|m| m.glance.as_deref());
        match field {
            NumberField::Ev => self.best().and_then(|(_, b)| b.ev).map(|ev| f64::from(ev) * 100.0),
            NumberField::Hold => glance.and_then(|g| g.hold).map(|h| h * 100.0),
            NumberField::Books => {
                let books = self.cells().chunk_by(|a, b| a.book == b.book);
                Some(books.filter(|cells| cells.iter().any(|c| c.status.is_present())).count() as f64)
            }
            NumberField::Age => self.best_ages().min().map(|ms| ms as f64 / 1000.0),
            NumberField::Lead => Some(self.game.commence.since(self.now) as f64 / 1000.0),
            NumberField::Price => self.best().map(|(_, b)| b.price.to_decimal()),
            NumberField::Line => glance.and_then(|g| g.reference).map(crate::market::line::Line::points),
            NumberField::Move => {
                let points = matches!(glance.map(|g| g.layout), Some(Layout::Spread | Layout::Total));
                Some(rows::drift(self.market)).filter(|d| points && *d >= 0.0)
            }
            NumberField::Dispersion => glance.and_then(|g| g.consensus.as_ref()).map(|c| c.dispersion),
            NumberField::Strength | NumberField::Composite | NumberField::Clv => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        let over = self.game.status == EventStatus::Final;
        let started = self.now >= self.game.commence;
        let pregame = self.game.status == EventStatus::Scheduled && !started;
        match flag {
            Flag::Live => self.game.status == EventStatus::Live,
            Flag::Pregame => pregame,
            Flag::Final => over,
            Flag::Started => started,
            Flag::Stale => {
                !self.any_fresh() && self.cells().iter().any(|c| matches!(c.status, Status::Open | Status::Stale))
            }
            Flag::Suspect => {
                !self.any_fresh() && self.cells().iter().any(|c| !matches!(c.status, Status::Open | Status::Gone))
            }
            Flag::Gone => !self.cells().is_empty() && self.cells().iter().all(|c| c.status == Status::Gone),
            Flag::Watched => !self.lists.is_empty(),
            Flag::Actionable => {
                pregame
                    && self.best().is_some_and(|(_, b)| b.ev.is_some_and(|ev| ev > 0.0))
                    && self.best_ages().any(|age| age <= self.max_age_ms)
            }
            Flag::Best => self.best().is_some(),
            Flag::Suspended => false,
        }
    }

    fn words(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        // Every row has every book: finding one by its name would find nothing out.
        [TextField::Team, TextField::Sport, TextField::Market].into_iter().any(|f| self.text(f, test))
    }
}

/// A game of the slate as lists see it: with all its questions.
#[derive(Clone, Copy, Debug)]
pub struct WholeGame<'a> {
    /// A row of it, without a question.
    pub row: Row<'a>,
}

impl Subject for WholeGame<'_> {
    fn provider_id(&self) -> &str {
        &self.row.game.who.provider_id
    }

    fn sport(&self) -> &str {
        &self.row.game.who.sport_key
    }

    fn has_team(&self, wanted: &str) -> bool {
        self.row.folded.is_some_and(|g| g.comparable.iter().any(|t| t == wanted))
    }

    fn has_market(&self, key: &str) -> bool {
        self.row.game.markets.iter().any(|m| &*m.market == key)
    }

    /// Some question of the game passes.
    fn passes(&self, filter: &Filter) -> bool {
        let mut markets = self.row.game.markets.iter().filter(|m| m.spec.stance == Stance::Back).peekable();
        if markets.peek().is_none() {
            return filter.matches(&self.row);
        }
        markets.any(|m| filter.matches(&Row { market: Some(m), ..self.row }))
    }
}

/// A game that is on the slate no more, as a signal names it: filters learn who played, and nothing else.
#[derive(Clone, Debug)]
pub struct NamedGame<'a> {
    signal: &'a crate::engine::detect::signal::Signal,
}

impl<'a> NamedGame<'a> {
    /// The game of a signal.
    pub const fn new(signal: &'a crate::engine::detect::signal::Signal) -> Self {
        Self { signal }
    }
}

impl Subject for NamedGame<'_> {
    fn provider_id(&self) -> &str {
        &self.signal.provider_event_id
    }

    fn sport(&self) -> &str {
        &self.signal.sport
    }

    fn has_team(&self, wanted: &str) -> bool {
        plays(self.signal, wanted)
    }

    fn has_market(&self, key: &str) -> bool {
        self.signal.market == key
    }

    fn passes(&self, filter: &Filter) -> bool {
        filter.matches(self)
    }
}

impl crate::filter::Facts for NamedGame<'_> {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let s = self.signal;
        match field {
            TextField::Team => test(&fold(&s.home_team)) || test(&fold(&s.away_team)),
            TextField::Sport => test(&fold(&s.sport)),
            TextField::Market => test(&fold(&s.market)),
            TextField::Game => test(&fold(&s.provider_event_id)) || test(&s.event_id.0.to_string()),
            _ => false,
        }
    }

    fn number(&self, _: NumberField) -> Option<f64> {
        None
    }

    fn is(&self, _: Flag) -> bool {
        false
    }
}
