//! The innermost levels: outcomes of a market, scores of an event.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::build::Builder;
use super::fields::{Field, FieldSeed, Scalar, ScalarSeed, Skip, skip_map, skip_seq};
use super::shapes::{expecting, no_list, no_record, otherwise, seed};
use crate::market::batch::{OutcomeObs, Place};
use crate::market::quality::Reason;

/// The outcomes of a market of the event with this index.
pub(super) struct OutcomesSeed<'b, 'a>(pub(super) &'b mut Builder<'a>, pub(super) u32);
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
    no_record!('de, ());
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
    no_list!('de, ());

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(b, event) = self;
        let market = Place::Market(event, b.books(), b.markets());
        let place = Place::Outcome(event, b.books(), b.markets(), b.outcomes());
        let (mut name, mut description) = (None, None);
        let (mut price, mut point, mut limit) = (Scalar::Null, Scalar::Null, Scalar::Null);
        while let Some(field) = map.next_key_seed(FieldSeed)? {
            match field {
                Field::Name => name = Some(map.next_value_seed(ScalarSeed)?),
                Field::Description => description = Some(map.next_value_seed(ScalarSeed)?),
                Field::Price => price = map.next_value_seed(ScalarSeed)?,
                Field::Point => point = map.next_value_seed(ScalarSeed)?,
                Field::BetLimit => limit = map.next_value_seed(ScalarSeed)?,
                _ => map.next_value_seed(Skip::VALUE)?,
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
        // A courtesy of some books: what cannot be read spoils no quote.
        let limit = if let Scalar::Number(n) = limit { n.max(0.0) } else { 0.0 };
        b.batch.outcomes.push(OutcomeObs { name, description, price, point, limit });
        Ok(())
    }
}

/// The scores of an event: name and points.
pub(super) struct ScoresSeed<'b, 'a>(pub(super) &'b mut Builder<'a>, pub(super) u32);

pub(super) type Scores<'a> = Option<Vec<(Cow<'a, str>, i32)>>;

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
    no_record!('de, Scores<'de>);
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
    no_list!('de, Score<'de>);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Score<'de>, A::Error> {
        let (mut name, mut score) = (None, Scalar::Null);
        while let Some(field) = map.next_key_seed(FieldSeed)? {
            match field {
                Field::Name => name = map.next_value_seed(ScalarSeed)?.into_text().ok().flatten(),
                Field::Score => score = map.next_value_seed(ScalarSeed)?,
                _ => map.next_value_seed(Skip::VALUE)?,
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
