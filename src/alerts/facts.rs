//! What a signal tells a filter: the same on the tape, in alerts and in a dry run.
//!
//! Texts are folded once for each signal and kept in [`Folded`]. May not know where signals come from or who asks.

use crate::engine::changes::EventStatus;
use crate::engine::detect::signal::{Direction, Signal};
use crate::engine::grade::clv::ClvRow;
use crate::engine::grade::record::preset::Preset;
use crate::filter::{Facts, Filter, Flag, NumberField, TextField, fold};
use crate::market::sports::Sports;
use crate::market::teams::Teams;
use crate::market::teams::name::comparable;
use crate::market::time::Timestamp;

use super::watchlist::Subject;

/// Texts of a signal as filters see them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folded {
    /// Names and codes of both teams.
    pub teams: Vec<String>,
    /// Sport key.
    pub sport: String,
    /// Our number and the provider's id.
    pub game: [String; 2],
    /// Market key.
    pub market: String,
    /// The book to take it at, the dislocated one and the leader.
    pub books: Vec<String>,
}

impl Folded {
    /// The texts of a signal between teams that go by these short names.
    pub fn new(signal: &Signal, home: &str, away: &str) -> Self {
        let detail = &signal.detail;
        let books = [signal.entry.as_ref().map(|e| &e.book), detail.book.as_ref(), detail.leader.as_ref()];
        Self {
            teams: [&signal.home_team, &signal.away_team, home, away].map(fold).into(),
            sport: fold(&signal.sport),
            game: [signal.event_id.0.to_string(), fold(&signal.provider_event_id)],
            market: fold(&signal.market),
            books: books.into_iter().flatten().map(|b| fold(b)).collect(),
        }
    }

    /// The texts of a signal, with the codes of its teams where they have some.
    pub fn of(signal: &Signal) -> Self {
        let short = |name: &str| code(&signal.sport, name).unwrap_or_default();
        Self::new(signal, &short(&signal.home_team), &short(&signal.away_team))
    }
}

/// The code of a team, where the league's table knows it.
pub fn code(sport: &str, name: &str) -> Option<String> {
    let (teams, sport) = (Teams::embedded(), Sports::embedded().resolve(sport));
    let code = teams.resolve(&sport.teams, name).exact().and_then(|t| teams.get(t)).map(|t| t.code.clone());
    code.filter(|c| !c.is_empty())
}

/// Where a signal's game stands now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GameNow {
    /// Scheduled start, as now known.
    pub commence: Timestamp,
    /// What the feed says.
    pub status: EventStatus,
    /// It is being played, as far as can be told.
    pub live: bool,
}

/// A signal with what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct SignalFacts<'a> {
    /// The signal.
    pub signal: &'a Signal,
    /// Its texts.
    pub folded: &'a Folded,
    /// Its grading, once there is one.
    pub clv: Option<&'a ClvRow>,
    /// Its game, while that is known.
    pub game: Option<GameNow>,
    /// The game is on a watchlist.
    pub watched: bool,
    /// Folded names of the lists that hold the game, where they were asked.
    pub lists: &'a [&'a str],
    /// The moment.
    pub now: Timestamp,
}

impl SignalFacts<'_> {
    /// A preset lets it through.
    pub fn keeps(&self, preset: Preset) -> bool {
        let s = self.signal;
        preset.keeps(s.kind, s.strength, s.books_affected, s.detail.dispersion, s.window_minutes)
    }

    fn start(&self) -> Timestamp {
        self.game.map_or(self.signal.commence_time, |g| g.commence)
    }
}

impl Facts for SignalFacts<'_> {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let (s, folded) = (self.signal, self.folded);
        match field {
            TextField::Sport => test(&folded.sport),
            TextField::Team => folded.teams.iter().any(|t| !t.is_empty() && test(t)),
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
            TextField::List => self.lists.iter().any(|l| test(l)),
        }
    }

    fn number(&self, field: NumberField) -> Option<f64> {
        let s = self.signal;
        let entry = s.entry.as_ref();
        match field {
            NumberField::Ev => entry.and_then(|e| e.ev).map(|v| v * 100.0),
            NumberField::Strength => Some(f64::from(s.strength)),
            NumberField::Composite => Some(f64::from(s.composite)),
            NumberField::Books => Some(f64::from(s.books_affected)),
            NumberField::Age => Some(self.now.since(s.detected_at) as f64 / 1000.0),
            NumberField::Lead => Some(self.start().since(self.now) as f64 / 1000.0),
            NumberField::Price => entry.map(|e| e.price),
            NumberField::Line => entry.and_then(|e| e.line),
            NumberField::Move => (s.unit == "line").then(|| (s.to_value - s.from_value).abs()),
            NumberField::Dispersion => s.detail.dispersion,
            NumberField::Clv => self.clv.and_then(|c| c.clv_ev).map(|v| v * 100.0),
            NumberField::Hold => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        let s = self.signal;
        let start = self.start();
        let status = self.game.map(|g| g.status);
        match flag {
            Flag::Live => self.game.is_some_and(|g| g.live),
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

/// The game of a signal, as watchlists see it.
/// A team of this comparable name plays in the game of a signal.
pub fn plays(signal: &Signal, wanted: &str) -> bool {
    [&signal.home_team, &signal.away_team].into_iter().any(|t| comparable(t) == wanted)
}

impl Subject for SignalFacts<'_> {
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

/// A market of a game, without a signal: openers, markets that vanish, wanted lines.
#[derive(Clone, PartialEq, Debug)]
pub struct MarketFacts {
    /// The provider's id of the event.
    pub provider_id: String,
    /// Sport key, as the source writes it.
    pub sport: String,
    /// Names of the teams: home, away.
    pub names: [String; 2],
    /// Folded texts.
    pub folded: Folded,
    /// Market key.
    pub market: String,
    /// Side in question; empty for the market as a whole.
    pub side: &'static str,
    /// Line and decimal odds in question.
    pub offer: Option<(Option<f64>, f64)>,
    /// Books that offer it.
    pub books: usize,
    /// Seconds since it was seen at the book.
    pub age: Option<f64>,
    /// Where the game stands.
    pub game: GameNow,
    /// The game is on a watchlist.
    pub watched: bool,
    /// The moment.
    pub now: Timestamp,
}

impl Facts for MarketFacts {
    fn text(&self, field: TextField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        match field {
            TextField::Sport => test(&self.folded.sport),
            TextField::Team => self.folded.teams.iter().any(|t| !t.is_empty() && test(t)),
            TextField::Game => self.folded.game.iter().any(|g| test(g)),
            TextField::Market => test(&self.folded.market),
            TextField::Book => self.folded.books.iter().any(|b| test(b)),
            TextField::Side => !self.side.is_empty() && test(self.side),
            TextField::Status => test(&fold(self.game.status.name())),
            TextField::Bucket => {
                let bucket = crate::market::bucket::TimeBucket::at(self.now, Some(self.game.commence));
                test(&fold(bucket.name()))
            }
            _ => false,
        }
    }

    fn number(&self, field: NumberField) -> Option<f64> {
        match field {
            NumberField::Lead => Some(self.game.commence.since(self.now) as f64 / 1000.0),
            NumberField::Line => self.offer.and_then(|(line, _)| line),
            NumberField::Price => self.offer.map(|(_, price)| price),
            NumberField::Books => Some(self.books as f64),
            NumberField::Age => self.age,
            _ => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        match flag {
            Flag::Live => self.game.live,
            Flag::Pregame => self.game.status != EventStatus::Final && self.now < self.game.commence,
            Flag::Final => self.game.status == EventStatus::Final,
            Flag::Started => self.now >= self.game.commence,
            Flag::Watched => self.watched,
            _ => false,
        }
    }

    fn words(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        [TextField::Team, TextField::Sport, TextField::Market, TextField::Book].into_iter().any(|f| self.text(f, test))
    }
}

/// The game of the market, as watchlists see it.
impl Subject for MarketFacts {
    fn provider_id(&self) -> &str {
        &self.provider_id
    }

    fn sport(&self) -> &str {
        &self.sport
    }

    fn has_team(&self, wanted: &str) -> bool {
        self.names.iter().any(|t| comparable(t) == wanted)
    }

    fn has_market(&self, key: &str) -> bool {
        self.market == key
    }

    fn passes(&self, filter: &Filter) -> bool {
        filter.matches(self)
    }
}
