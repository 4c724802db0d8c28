//! One answer of a provider, read but not yet judged.
//!
//! A batch is flat: four arrays, each level pointing at its range in the next. Strings are borrowed from the answer's
//! bytes wherever the answer wrote them without escapes. What could not be read stands in [`Batch::defects`], with
//! its place, so that the readable rest is still used.

use std::borrow::Cow;
use std::ops::Range;

use super::price::OddsFormat;
use super::quality::Reason;
use super::time::Timestamp;

/// Which question an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Endpoint {
    /// List of sports.
    Sports,
    /// List of events without odds.
    Events,
    /// Featured odds of all events of a sport.
    Odds,
    /// Any markets of one event.
    EventOdds,
    /// Scores and status.
    Scores,
    /// [`Endpoint::Odds`] as of an earlier time.
    HistoricalOdds,
    /// [`Endpoint::Events`] as of an earlier time.
    HistoricalEvents,
    /// [`Endpoint::EventOdds`] as of an earlier time.
    HistoricalEventOdds,
    /// What an exchange that is listened to shows of some events. Speaks of no other book, and is no look at the books.
    Exchange,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 9] = [
        Self::Sports,
        Self::Events,
        Self::Odds,
        Self::EventOdds,
        Self::Scores,
        Self::HistoricalOdds,
        Self::HistoricalEvents,
        Self::HistoricalEventOdds,
        Self::Exchange,
    ];

    /// The name in recordings, logs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sports => "sports",
            Self::Events => "events",
            Self::Odds => "odds",
            Self::EventOdds => "event_odds",
            Self::Scores => "scores",
            Self::HistoricalOdds => "historical_odds",
            Self::HistoricalEvents => "historical_events",
            Self::HistoricalEventOdds => "historical_event_odds",
            Self::Exchange => "exchange",
        }
    }

    /// The endpoint of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }

    /// The answer is about a moment of the past.
    pub const fn is_historical(self) -> bool {
        matches!(self, Self::HistoricalOdds | Self::HistoricalEvents | Self::HistoricalEventOdds)
    }

    /// The answer is about one event.
    pub const fn is_single_event(self) -> bool {
        matches!(self, Self::EventOdds | Self::HistoricalEventOdds)
    }
}

/// Which of some names a question asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Asked {
    /// All there are: everything that this source has shown for this sport.
    #[default]
    All,
    /// These only.
    Only(Vec<String>),
}

impl Asked {
    /// Was `name` asked for?
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|n| n == name),
        }
    }
}

/// What an answer was asked for. Absence from the answer proves something only inside this scope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Market keys.
    pub markets: Asked,
    /// Book keys. When `Only`, it wins over `regions`, as at the provider.
    pub books: Asked,
    /// Regions of books.
    pub regions: Asked,
    /// Event ids of the provider.
    pub events: Asked,
    /// Only events that start at or after this instant.
    pub commence_from: Option<Timestamp>,
    /// Only events that start at or before this instant.
    pub commence_to: Option<Timestamp>,
}

/// One event of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct EventObs<'a> {
    /// The provider's id.
    pub id: Cow<'a, str>,
    /// Sport key; empty when the answer gave none.
    pub sport: Cow<'a, str>,
    /// Scheduled start; `None` when it could not be read (there is a defect then).
    pub commence: Option<Timestamp>,
    /// Home team; `None` for outrights.
    pub home: Option<Cow<'a, str>>,
    /// Away team; `None` for outrights.
    pub away: Option<Cow<'a, str>>,
    /// The answer listed bookmakers for this event (even if none): it says something about quotes.
    pub has_odds: bool,
    /// Its books, in [`Batch::books`].
    pub books: Range<u32>,
    /// Score and status, in answers that carry them.
    pub score: Option<ScoreObs>,
}

/// What a score answer says of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScoreObs {
    /// The game is over.
    pub completed: bool,
    /// Points of the home team.
    pub home: Option<i32>,
    /// Points of the away team.
    pub away: Option<i32>,
    /// When the provider last saw the score.
    pub last_update: Option<Timestamp>,
}

/// One book in one event.
#[derive(Clone, PartialEq, Debug)]
pub struct BookObs<'a> {
    /// Book key.
    pub key: Cow<'a, str>,
    /// Display name.
    pub title: Cow<'a, str>,
    /// Its markets, in [`Batch::markets`].
    pub markets: Range<u32>,
}

/// One market of one book.
#[derive(Clone, PartialEq, Debug)]
pub struct MarketObs<'a> {
    /// Market key.
    pub key: Cow<'a, str>,
    /// When the provider last saw this market at the book: the market's own time, else the book's.
    pub last_update: Option<Timestamp>,
    /// Its outcomes, in [`Batch::outcomes`].
    pub outcomes: Range<u32>,
}

/// One outcome. Numbers that could not be read are NaN and have a defect.
#[derive(Clone, PartialEq, Debug)]
pub struct OutcomeObs<'a> {
    /// Team, `Over`, `Under`, `Draw`, `Yes`, `No`, or a name.
    pub name: Cow<'a, str>,
    /// Whom a proposition is about.
    pub description: Option<Cow<'a, str>>,
    /// Price as written, in the batch's format.
    pub price: f64,
    /// Point as written; NaN when there is none.
    pub point: f64,
    /// What the book takes at most, in its currency; 0 when the answer does not say.
    pub limit: f64,
}

/// The level at which something is wrong. Indices point into the batch's arrays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// The answer as a whole.
    Batch,
    /// An event.
    Event(u32),
    /// A book: event and book index.
    Book(u32, u32),
    /// A market: event, book and market index.
    Market(u32, u32, u32),
    /// An outcome: event, book, market and outcome index.
    Outcome(u32, u32, u32, u32),
}

/// A part of an answer that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defect {
    /// The place it belongs to. For a record left out altogether, the place of what contained it.
    pub place: Place,
    /// Why.
    pub reason: Reason,
    /// For a person: the field and what stood there, shortened.
    pub detail: String,
}

/// One successful answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch<'a> {
    /// Who answered, such as `the-odds-api`.
    pub source: &'a str,
    /// The sport that was asked for; the events' own sport keys win where they differ.
    pub sport: Cow<'a, str>,
    /// Which question.
    pub endpoint: Endpoint,
    /// When the answer was received; for historical answers, the instant of the snapshot.
    pub received_at: Timestamp,
    /// What was asked for.
    pub scope: Scope,
    /// How prices are written.
    pub format: OddsFormat,
    /// Events.
    pub events: Vec<EventObs<'a>>,
    /// Books of all events.
    pub books: Vec<BookObs<'a>>,
    /// Markets of all books.
    pub markets: Vec<MarketObs<'a>>,
    /// Outcomes of all markets.
    pub outcomes: Vec<OutcomeObs<'a>>,
    /// What could not be read.
    pub defects: Vec<Defect>,
}

impl<'a> Batch<'a> {
    /// A batch without content.
    pub fn empty(source: &'a str, sport: &'a str, endpoint: Endpoint, received_at: Timestamp) -> Self {
        Self {
            source,
            sport: Cow::Borrowed(sport),
            endpoint,
            received_at,
            scope: Scope::default(),
            format: OddsFormat::American,
            events: Vec::new(),
            books: Vec::new(),
            markets: Vec::new(),
            outcomes: Vec::new(),
            defects: Vec::new(),
        }
    }

    /// One batch for each sport in the answer, in the order of their first events.
    ///
    /// An answer usually is about one sport; `upcoming` mixes them. A mixed answer is complete for none of its sports,
    /// so each part was asked for its own events only.
    pub fn split_by_sport(mut self) -> Vec<Self> {
        let first = self.events.iter().find(|e| !e.sport.is_empty()).map(|e| e.sport.clone());
        let Some(first) = first else { return vec![self] };
        let differs = |e: &EventObs<'_>| !e.sport.is_empty() && e.sport != first;
        if !self.events.iter().any(differs) {
            self.sport = first;
            return vec![self];
        }
        let mut sports: Vec<Cow<'a, str>> = Vec::new();
        for event in &mut self.events {
            if event.sport.is_empty() {
                event.sport = first.clone();
            }
            if !sports.contains(&event.sport) {
                sports.push(event.sport.clone());
            }
        }
        let part = |sport: Cow<'a, str>| {
            let mut part = self.clone();
            let keep: Vec<bool> = part.events.iter().map(|e| e.sport == sport).collect();
            let number = |old: u32| keep.iter().take(old as usize).filter(|k| **k).count() as u32;
            part.defects.retain_mut(|d| {
                let event = match &mut d.place {
                    Place::Batch => return true,
                    Place::Event(e) | Place::Book(e, _) | Place::Market(e, ..) | Place::Outcome(e, ..) => e,
                };
                let kept = keep.get(*event as usize).copied().unwrap_or(false);
                *event = number(*event);
                kept
            });
            part.events.retain(|e| e.sport == sport);
            part.scope.events = Asked::Only(part.events.iter().map(|e| e.id.to_string()).collect());
            part.sport = sport;
            part
        };
        sports.into_iter().map(part).collect()
    }

    /// Books of an event. Empty for a range that does not fit.
    pub fn books_of(&self, event: &EventObs<'_>) -> &[BookObs<'a>] {
        slice(&self.books, &event.books)
    }

    /// Markets of a book. Empty for a range that does not fit.
    pub fn markets_of(&self, book: &BookObs<'_>) -> &[MarketObs<'a>] {
        slice(&self.markets, &book.markets)
    }

    /// Outcomes of a market. Empty for a range that does not fit.
    pub fn outcomes_of(&self, market: &MarketObs<'_>) -> &[OutcomeObs<'a>] {
        slice(&self.outcomes, &market.outcomes)
    }
}

fn slice<'v, T>(items: &'v [T], range: &Range<u32>) -> &'v [T] {
    items.get(range.start as usize..range.end as usize).unwrap_or_default()
}
