//! The levels of an answer: events, books, markets, outcomes, scores.
//!
//! Each level is a serde seed over the shared [`Builder`]. A record is pushed when its closing brace is reached, so
//! that its children (pushed before it) form one contiguous range.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::fields::{Key, KeySeed, Scalar, ScalarSeed, Skip, skip_map, skip_seq};
use super::{AnswerInfo, Envelope, WireError};
use crate::market::batch::{Batch, BookObs, Defect, EventObs, MarketObs, OutcomeObs, Place, ScoreObs};
use crate::market::price::OddsFormat;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// Beyond this many defects of one answer only the count of the rest is kept.
const MAX_DEFECTS: usize = 10_000;

pub(super) struct Builder<'a> {
    batch: Batch<'a>,
    envelope: Envelope,
    format: Option<OddsFormat>,
    /// Something that is an answer was found: a list, an event, or a wrapper with data.
    answered: bool,
    dropped_defects: u64,
    /// Providers repeat one time for many markets in a row.
    last_time: (Cow<'a, str>, Timestamp),
    /// Any price between -1 and 1000 that American odds cannot be, counted against those that only they can be.
    decimal_votes: u32,
    american_votes: u32,
}

impl<'a> Builder<'a> {
    pub(super) fn new(info: AnswerInfo<'a>, bytes: usize) -> Self {
        let mut batch = Batch::empty(info.source, info.sport, info.endpoint, info.received_at);
        batch.scope = info.scope;
        // A full answer takes some 95 bytes an outcome and half as many markets as outcomes.
        batch.outcomes.reserve(bytes / 110);
        batch.markets.reserve(bytes / 230);
        Self {
            batch,
            envelope: Envelope::default(),
            format: info.format,
            answered: false,
            dropped_defects: 0,
            last_time: (Cow::Borrowed(""), Timestamp::default()),
            decimal_votes: 0,
            american_votes: 0,
        }
    }

    pub(super) fn finish(mut self) -> Result<(Batch<'a>, Envelope), WireError> {
        if !self.answered {
            return Err(WireError::NotAnAnswer("neither a list of events, an event, nor a wrapper with data"));
        }
        if self.dropped_defects > 0 {
            let detail = format!("{} more defects not listed", self.dropped_defects);
            self.batch.defects.push(Defect { place: Place::Batch, reason: Reason::TooMany, detail });
        }
        self.batch.format = self.format.unwrap_or(if self.decimal_votes > self.american_votes {
            OddsFormat::Decimal
        } else {
            OddsFormat::American
        });
        if let Some(at) = self.envelope.timestamp {
            self.batch.received_at = at;
        }
        Ok((self.batch, self.envelope))
    }

    fn defect(&mut self, place: Place, reason: Reason, detail: impl Into<String>) {
        if self.batch.defects.len() < MAX_DEFECTS {
            self.batch.defects.push(Defect { place, reason, detail: detail.into() });
        } else {
            self.dropped_defects += 1;
        }
    }

    fn text(&mut self, place: Place, field: &str, value: Scalar<'a>) -> Option<Cow<'a, str>> {
        match value.into_text() {
            Ok(text) => text.filter(|t| !t.is_empty()),
            Err(other) => {
                self.defect(place, Reason::WrongType, format!("{field}: {}", other.describe()));
                None
            }
        }
    }

    fn time(&mut self, place: Place, field: &str, value: Scalar<'a>) -> Option<Timestamp> {
        if let Scalar::Text(text) = &value
            && *text == self.last_time.0
        {
            return Some(self.last_time.1);
        }
        let text = match &value {
            Scalar::Text(Cow::Borrowed(t)) => Some(*t),
            _ => None,
        };
        match value.into_time() {
            Ok(time) => {
                if let (Some(text), Some(time)) = (text, time) {
                    self.last_time = (Cow::Borrowed(text), time);
                }
                time
            }
            Err(other) => {
                self.defect(place, Reason::BadTimestamp, format!("{field}: {}", other.describe()));
                None
            }
        }
    }

    fn events(&self) -> u32 {
        self.batch.events.len() as u32
    }

    fn books(&self) -> u32 {
        self.batch.books.len() as u32
    }

    fn markets(&self) -> u32 {
        self.batch.markets.len() as u32
    }

    fn outcomes(&self) -> u32 {
        self.batch.outcomes.len() as u32
    }
}

/// For the visit functions of everything but the one expected shape: say what stood there and go on.
macro_rules! otherwise {
    ($de:lifetime, $value:ty) => {
        fn visit_bool<E: Error>(self, v: bool) -> Result<$value, E> {
            Ok(self.other(Scalar::Bool(v)))
        }
        fn visit_i64<E: Error>(self, v: i64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v as f64)))
        }
        fn visit_u64<E: Error>(self, v: u64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v as f64)))
        }
        fn visit_f64<E: Error>(self, v: f64) -> Result<$value, E> {
            Ok(self.other(Scalar::Number(v)))
        }
        fn visit_str<E: Error>(self, v: &str) -> Result<$value, E> {
            Ok(self.other(Scalar::Text(Cow::Owned(v.to_owned()))))
        }
        fn visit_unit<E: Error>(self) -> Result<$value, E> {
            Ok(self.other(Scalar::Null))
        }
    };
}

macro_rules! seed {
    ($name:ident, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, 'de> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<$value, D::Error> {
                d.deserialize_any(self)
            }
        }
    };
}

macro_rules! expecting {
    ($text:literal) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str($text)
        }
    };
}

/// The whole body: a list, an event, or a wrapper.
pub(super) struct TopSeed<'b, 'a>(pub(super) &'b mut Builder<'a>);
seed!(TopSeed, ());

impl TopSeed<'_, '_> {
    fn other(self, _: Scalar<'_>) {}
}

impl<'de> Visitor<'de> for TopSeed<'_, 'de> {
    type Value = ();
    expecting!("a list of events, an event or a historical wrapper");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.answered = true;
        while seq.next_element_seed(EventSeed(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        EventSeed(self.0).read(map, true)
    }
}

/// One event; at the top it may turn out to be a wrapper.
struct EventSeed<'b, 'a>(&'b mut Builder<'a>);
seed!(EventSeed, ());

impl<'a> EventSeed<'_, 'a> {
    fn other(self, value: Scalar<'_>) {
        self.0.defect(Place::Batch, Reason::WrongType, format!("event: {}", value.describe()));
    }

    fn read<A: MapAccess<'a>>(self, mut map: A, top: bool) -> Result<(), A::Error> {
        let b = self.0;
        let index = b.events();
        let place = Place::Event(index);
        let (mut id, mut sport, mut commence, mut home, mut away) = (None, None, None, None, None);
        let mut books = b.books()..b.books();
        let marks = (b.books(), b.markets(), b.outcomes());
        let (mut has_odds, mut fields) = (false, 0_u32);
        let mut scores: Option<Vec<(Cow<'a, str>, i32)>> = None;
        let mut completed = None;
        let mut last_update = None;
        let mut bad_start = false;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Data if top => {
                    // A null here is an empty answer that a proxy has mangled; not an answer.
                    map.next_value_seed(TopSeed(b))?;
                }
                Key::Timestamp if top => b.envelope.timestamp = b_time(b, map.next_value_seed(ScalarSeed)?),
                Key::Previous if top => b.envelope.previous = b_time(b, map.next_value_seed(ScalarSeed)?),
                Key::Next if top => b.envelope.next = b_time(b, map.next_value_seed(ScalarSeed)?),
                Key::Id => {
                    fields += 1;
                    let v = map.next_value_seed(ScalarSeed)?;
                    id = b.text(place, "id", v);
                }
                Key::SportKey => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    sport = b.text(place, "sport_key", v);
                }
                Key::CommenceTime => {
                    fields += 1;
                    let v = map.next_value_seed(ScalarSeed)?;
                    bad_start = v != Scalar::Null;
                    commence = b.time(place, "commence_time", v);
                }
                Key::HomeTeam => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    home = b.text(place, "home_team", v);
                }
                Key::AwayTeam => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    away = b.text(place, "away_team", v);
                }
                Key::Bookmakers => {
                    fields += 1;
                    has_odds = map.next_value_seed(BooksSeed(b, index))?;
                    books = marks.0..b.books();
                }
                Key::Completed => {
                    completed = match map.next_value_seed(ScalarSeed)? {
                        Scalar::Bool(v) => Some(v),
                        _ => None,
                    }
                }
                Key::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    last_update = b.time(place, "last_update", v);
                }
                Key::Scores => scores = map.next_value_seed(ScoresSeed(b, index))?,
                _ => map.next_value_seed(Skip)?,
            }
        }
        if top && b.answered {
            return Ok(());
        }
        if top && fields == 0 {
            return Ok(()); // an object, but no event: finish() says that it is no answer
        }
        b.answered = true;
        let Some(id) = id else {
            b.batch.books.truncate(marks.0 as usize);
            b.batch.markets.truncate(marks.1 as usize);
            b.batch.outcomes.truncate(marks.2 as usize);
            b.batch.defects.retain(|d| event_of(d.place) != Some(index));
            b.defect(Place::Batch, Reason::MissingField, "event without id");
            return Ok(());
        };
        if commence.is_none() && !bad_start {
            b.defect(place, Reason::MissingField, "no commence_time");
        }
        let score = completed.map(|completed| {
            let of = |team: &Option<Cow<'_, str>>| {
                let team = team.as_ref()?;
                scores.as_ref()?.iter().find(|(name, _)| name == team).map(|(_, score)| *score)
            };
            ScoreObs { completed, home: of(&home), away: of(&away), last_update }
        });
        b.batch.events.push(EventObs {
            id,
            sport: sport.unwrap_or_default(),
            commence,
            home,
            away,
            has_odds,
            books,
            score,
        });
        Ok(())
    }
}

fn b_time<'a>(b: &mut Builder<'a>, value: Scalar<'a>) -> Option<Timestamp> {
    b.time(Place::Batch, "timestamp", value)
}

fn event_of(place: Place) -> Option<u32> {
    match place {
        Place::Batch => None,
        Place::Event(e) | Place::Book(e, _) | Place::Market(e, _, _) | Place::Outcome(e, _, _, _) => Some(e),
    }
}

impl<'de> Visitor<'de> for EventSeed<'_, 'de> {
    type Value = ();
    expecting!("an event");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        skip_seq(seq)?;
        self.other(Scalar::Compound);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.read(map, false)
    }
}

/// The books of an event; answers whether there was a list.
struct BooksSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(BooksSeed, bool);

impl BooksSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) -> bool {
        self.0.defect(Place::Event(self.1), Reason::WrongType, format!("bookmakers: {}", value.describe()));
        false
    }
}

impl<'de> Visitor<'de> for BooksSeed<'_, 'de> {
    type Value = bool;
    expecting!("a list of bookmakers");
    otherwise!('de, bool);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element_seed(BookSeed(self.0, self.1))?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        skip_map(map)?;
        Ok(self.other(Scalar::Compound))
    }
}

struct BookSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(BookSeed, ());

impl BookSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) {
        self.0.defect(Place::Event(self.1), Reason::WrongType, format!("bookmaker: {}", value.describe()));
    }
}

impl<'de> Visitor<'de> for BookSeed<'_, 'de> {
    type Value = ();
    expecting!("a bookmaker");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        skip_seq(seq)?;
        self.other(Scalar::Compound);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let place = Place::Book(event, b.books());
        let (mut key, mut title, mut updated) = (None, None, None);
        let marks = (b.markets(), b.outcomes());
        while let Some(field) = map.next_key_seed(KeySeed)? {
            match field {
                Key::Key => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    key = b.text(place, "bookmaker key", v);
                }
                Key::Title => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    title = b.text(place, "title", v);
                }
                Key::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    updated = b.time(place, "last_update", v);
                }
                Key::Markets => map.next_value_seed(MarketsSeed(b, event))?,
                _ => map.next_value_seed(Skip)?,
            }
        }
        let Some(key) = key else {
            b.batch.markets.truncate(marks.0 as usize);
            b.batch.outcomes.truncate(marks.1 as usize);
            let index = b.books();
            b.batch.defects.retain(|d| {
                !matches!(d.place,
                Place::Book(e, k) | Place::Market(e, k, _) | Place::Outcome(e, k, _, _) if e == event && k == index)
            });
            b.defect(Place::Event(event), Reason::MissingField, "bookmaker without key");
            return Ok(());
        };
        if updated.is_some() {
            for market in b.batch.markets.iter_mut().skip(marks.0 as usize) {
                market.last_update = market.last_update.or(updated);
            }
        }
        let markets = marks.0..b.markets();
        b.batch.books.push(BookObs { key, title: title.unwrap_or_default(), markets });
        Ok(())
    }
}

struct MarketsSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(MarketsSeed, ());

impl MarketsSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) {
        let place = Place::Book(self.1, self.0.books());
        self.0.defect(place, Reason::WrongType, format!("markets: {}", value.describe()));
    }
}

impl<'de> Visitor<'de> for MarketsSeed<'_, 'de> {
    type Value = ();
    expecting!("a list of markets");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(MarketSeed(self.0, self.1))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        skip_map(map)?;
        self.other(Scalar::Compound);
        Ok(())
    }
}

struct MarketSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(MarketSeed, ());

impl MarketSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) {
        let place = Place::Book(self.1, self.0.books());
        self.0.defect(place, Reason::WrongType, format!("market: {}", value.describe()));
    }
}

impl<'de> Visitor<'de> for MarketSeed<'_, 'de> {
    type Value = ();
    expecting!("a market");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        skip_seq(seq)?;
        self.other(Scalar::Compound);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let (book, index) = (b.books(), b.markets());
        let place = Place::Market(event, book, index);
        let (mut key, mut updated) = (None, None);
        let mark = b.outcomes();
        while let Some(field) = map.next_key_seed(KeySeed)? {
            match field {
                Key::Key => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    key = b.text(place, "market key", v);
                }
                Key::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    updated = b.time(place, "last_update", v);
                }
                Key::Outcomes => map.next_value_seed(OutcomesSeed(b, event))?,
                _ => map.next_value_seed(Skip)?,
            }
        }
        let Some(key) = key else {
            b.batch.outcomes.truncate(mark as usize);
            b.batch
                .defects
                .retain(|d| !matches!(d.place, Place::Market(_, _, m) | Place::Outcome(_, _, m, _) if m == index));
            b.defect(Place::Book(event, book), Reason::MissingField, "market without key");
            return Ok(());
        };
        let outcomes = mark..b.outcomes();
        b.batch.markets.push(MarketObs { key, last_update: updated, outcomes });
        Ok(())
    }
}

struct OutcomesSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(OutcomesSeed, ());

impl OutcomesSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) {
        let place = Place::Market(self.1, self.0.books(), self.0.markets());
        self.0.defect(place, Reason::WrongType, format!("outcomes: {}", value.describe()));
    }
}

impl<'de> Visitor<'de> for OutcomesSeed<'_, 'de> {
    type Value = ();
    expecting!("a list of outcomes");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(OutcomeSeed(self.0, self.1))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        skip_map(map)?;
        self.other(Scalar::Compound);
        Ok(())
    }
}

struct OutcomeSeed<'b, 'a>(&'b mut Builder<'a>, u32);
seed!(OutcomeSeed, ());

impl OutcomeSeed<'_, '_> {
    fn other(self, value: Scalar<'_>) {
        let place = Place::Market(self.1, self.0.books(), self.0.markets());
        self.0.defect(place, Reason::WrongType, format!("outcome: {}", value.describe()));
    }
}

impl<'de> Visitor<'de> for OutcomeSeed<'_, 'de> {
    type Value = ();
    expecting!("an outcome");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        skip_seq(seq)?;
        self.other(Scalar::Compound);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let market = Place::Market(event, b.books(), b.markets());
        let place = Place::Outcome(event, b.books(), b.markets(), b.outcomes());
        let (mut name, mut description) = (None, None);
        let (mut price, mut point) = (Scalar::Null, Scalar::Null);
        while let Some(field) = map.next_key_seed(KeySeed)? {
            match field {
                Key::Name => name = Some(map.next_value_seed(ScalarSeed)?),
                Key::Description => description = Some(map.next_value_seed(ScalarSeed)?),
                Key::Price => price = map.next_value_seed(ScalarSeed)?,
                Key::Point => point = map.next_value_seed(ScalarSeed)?,
                _ => map.next_value_seed(Skip)?,
            }
        }
        let name = match name.map(Scalar::into_text) {
            Some(Ok(Some(name))) if !name.is_empty() => name,
            Some(Err(other)) => {
                b.defect(market, Reason::WrongType, format!("outcome name: {}", other.describe()));
                return Ok(());
            }
            _ => {
                b.defect(market, Reason::MissingField, "outcome without name");
                return Ok(());
            }
        };
        let description = match description {
            Some(value) => b.text(place, "description", value),
            None => None,
        };
        let price = match price {
            Scalar::Number(n) => n,
            Scalar::Null => {
                b.defect(place, Reason::MissingField, format!("{name}: no price"));
                f64::NAN
            }
            other => {
                b.defect(place, Reason::BadPrice, format!("{name}: price {}", other.describe()));
                f64::NAN
            }
        };
        if b.format.is_none() {
            if price.fract() != 0.0 || price.abs() < 100.0 {
                b.decimal_votes += 1;
            } else {
                b.american_votes += 1;
            }
        }
        let point = match point {
            Scalar::Number(n) => n,
            Scalar::Null => f64::NAN,
            other => {
                b.defect(place, Reason::BadPoint, format!("{name}: point {}", other.describe()));
                f64::NAN
            }
        };
        b.batch.outcomes.push(OutcomeObs { name, description, price, point });
        Ok(())
    }
}

/// The scores of an event: name and points.
struct ScoresSeed<'b, 'a>(&'b mut Builder<'a>, u32);

type Scores<'a> = Option<Vec<(Cow<'a, str>, i32)>>;

impl<'de> DeserializeSeed<'de> for ScoresSeed<'_, 'de> {
    type Value = Scores<'de>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Scores<'de>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> ScoresSeed<'_, 'a> {
    fn other(self, value: Scalar<'_>) -> Scores<'a> {
        if value != Scalar::Null {
            self.0.defect(Place::Event(self.1), Reason::WrongType, format!("scores: {}", value.describe()));
        }
        None
    }
}

impl<'de> Visitor<'de> for ScoresSeed<'_, 'de> {
    type Value = Scores<'de>;
    expecting!("a list of scores");
    otherwise!('de, Scores<'de>);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scores<'de>, A::Error> {
        let mut scores = Vec::new();
        while let Some(score) = seq.next_element_seed(ScoreSeed(self.0, self.1))? {
            scores.extend(score);
        }
        Ok(Some(scores))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scores<'de>, A::Error> {
        skip_map(map)?;
        Ok(self.other(Scalar::Compound))
    }
}

struct ScoreSeed<'b, 'a>(&'b mut Builder<'a>, u32);

type Score<'a> = Option<(Cow<'a, str>, i32)>;
seed!(ScoreSeed, Score<'de>);

impl<'a> ScoreSeed<'_, 'a> {
    fn other(self, value: Scalar<'_>) -> Score<'a> {
        self.0.defect(Place::Event(self.1), Reason::WrongType, format!("score: {}", value.describe()));
        None
    }
}

impl<'de> Visitor<'de> for ScoreSeed<'_, 'de> {
    type Value = Score<'de>;
    expecting!("a score");
    otherwise!('de, Score<'de>);

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Score<'de>, A::Error> {
        skip_seq(seq)?;
        Ok(self.other(Scalar::Compound))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Score<'de>, A::Error> {
        let (mut name, mut score) = (None, Scalar::Null);
        while let Some(field) = map.next_key_seed(KeySeed)? {
            match field {
                Key::Name => name = map.next_value_seed(ScalarSeed)?.into_text().ok().flatten(),
                Key::Score => score = map.next_value_seed(ScalarSeed)?,
                _ => map.next_value_seed(Skip)?,
            }
        }
        // The provider writes points as text; whole points only.
        let points = match &score {
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Number(n) if n.fract() == 0.0 && n.abs() < 1e6 => Some(*n as i32),
            _ => None,
        };
        match (name, points) {
            (Some(name), Some(points)) => Ok(Some((name, points))),
            (_, None) if score == Scalar::Null => Ok(None),
            _ => Ok(self.other(score)),
        }
    }
}
