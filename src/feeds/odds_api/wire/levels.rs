//! The levels of an answer: the whole, its events, their books, their markets.
//!
//! Each level is a serde seed over the shared [`Builder`]. A record is pushed when its closing brace is reached, so
//! that its children (pushed before it) form one contiguous range.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::build::Builder;
use super::fields::{Field, FieldSeed, Scalar, ScalarSeed, Skip, skip_map, skip_seq};
use super::outcomes::{OutcomesSeed, ScoresSeed};
use super::shapes::{expecting, no_list, no_record, otherwise, seed};
use crate::market::batch::{BookObs, EventObs, MarketObs, Place, ScoreObs};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

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

/// What a historical wrapper wraps: a list or an event, never another wrapper.
struct DataSeed<'b, 'a>(&'b mut Builder<'a>);
seed!(DataSeed, ());

impl DataSeed<'_, '_> {
    fn other(self, _: Scalar<'_>) {}
}

impl<'de> Visitor<'de> for DataSeed<'_, 'de> {
    type Value = ();
    expecting!("a list of events or an event");
    otherwise!('de, ());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        TopSeed(self.0).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        EventSeed(self.0).read(map, false)
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
        while let Some(key) = map.next_key_seed(FieldSeed)? {
            match key {
                Field::Data if top => {
                    // A null here is an empty answer that a proxy has mangled; not an answer.
                    map.next_value_seed(DataSeed(b))?;
                }
                Field::Timestamp if top => b.envelope.timestamp = b_time(b, map.next_value_seed(ScalarSeed)?),
                Field::Previous if top => b.envelope.previous = b_time(b, map.next_value_seed(ScalarSeed)?),
                Field::Next if top => b.envelope.next = b_time(b, map.next_value_seed(ScalarSeed)?),
                Field::Id => {
                    fields += 1;
                    let v = map.next_value_seed(ScalarSeed)?;
                    id = b.text(place, "id", v);
                }
                Field::SportKey => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    sport = b.text(place, "sport_key", v);
                }
                Field::CommenceTime => {
                    fields += 1;
                    let v = map.next_value_seed(ScalarSeed)?;
                    bad_start = v != Scalar::Null;
                    commence = b.time(place, "commence_time", v);
                }
                Field::HomeTeam => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    home = b.text(place, "home_team", v);
                }
                Field::AwayTeam => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    away = b.text(place, "away_team", v);
                }
                Field::Bookmakers => {
                    fields += 1;
                    has_odds = map.next_value_seed(BooksSeed(b, index))?;
                    books = marks.0..b.books();
                }
                Field::Completed => {
                    completed = match map.next_value_seed(ScalarSeed)? {
                        Scalar::Bool(v) => Some(v),
                        _ => None,
                    }
                }
                Field::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    last_update = b.time(place, "last_update", v);
                }
                Field::Scores => scores = map.next_value_seed(ScoresSeed(b, index))?,
                _ => map.next_value_seed(Skip::VALUE)?,
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
    no_list!('de, ());

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
    no_record!('de, bool);
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
    no_list!('de, ());

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let place = Place::Book(event, b.books());
        let (mut key, mut title, mut updated) = (None, None, None);
        let marks = (b.markets(), b.outcomes());
        while let Some(field) = map.next_key_seed(FieldSeed)? {
            match field {
                Field::Key => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    key = b.text(place, "bookmaker key", v);
                }
                Field::Title => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    title = b.text(place, "title", v);
                }
                Field::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    updated = b.time(place, "last_update", v);
                }
                Field::Markets => map.next_value_seed(MarketsSeed(b, event))?,
                _ => map.next_value_seed(Skip::VALUE)?,
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
    no_record!('de, ());
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
    no_list!('de, ());

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let (book, index) = (b.books(), b.markets());
        let place = Place::Market(event, book, index);
        let (mut key, mut updated) = (None, None);
        let mark = b.outcomes();
        while let Some(field) = map.next_key_seed(FieldSeed)? {
            match field {
                Field::Key => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    key = b.text(place, "market key", v);
                }
                Field::LastUpdate => {
                    let v = map.next_value_seed(ScalarSeed)?;
                    updated = b.time(place, "last_update", v);
                }
                Field::Outcomes => map.next_value_seed(OutcomesSeed(b, event))?,
                _ => map.next_value_seed(Skip::VALUE)?,
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
