//! Single values, read leniently: a value of another type is reported, never fatal.

use std::borrow::Cow;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::market::time::Timestamp;

/// A scalar as it stood in the answer.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    /// An array or object, skipped.
    Compound,
}

impl<'a> Scalar<'a> {
    /// Text, or what stood there instead.
    pub(super) fn into_text(self) -> Result<Option<Cow<'a, str>>, Self> {
        match self {
            Self::Null => Ok(None),
            Self::Text(t) => Ok(Some(t)),
            other => Err(other),
        }
    }

    /// An instant: RFC 3339 text or whole seconds of the epoch.
    pub(super) fn into_time(self) -> Result<Option<Timestamp>, Self> {
        match self {
            Self::Null => Ok(None),
            // f64 holds every second of the next centuries exactly.
            Self::Number(n) if n.is_finite() && n.abs() < 1e11 => Ok(Some(Timestamp::from_millis((n * 1000.0) as i64))),
            Self::Text(t) => match Timestamp::parse(&t) {
                Some(at) => Ok(Some(at)),
                None => Err(Self::Text(t)),
            },
            other => Err(other),
        }
    }

    /// For a person, shortened.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) => n.to_string(),
            Self::Text(t) => format!("{:?}", t.chars().take(40).collect::<String>()),
            Self::Compound => "an array or object".to_owned(),
        }
    }
}

/// Reads any value as a [`Scalar`].
pub(super) struct ScalarSeed;

impl<'de> serde::de::DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Scalar<'de>, D::Error> {
        d.deserialize_any(ScalarVisitor(MAX_DEPTH))
    }
}

/// Levels of nesting inside a value that nobody wants; real answers have one or two.
const MAX_DEPTH: u8 = 24;

/// With the levels that may still follow.
struct ScalarVisitor(u8);

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(v as f64))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(v as f64))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(v))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(v))
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Scalar<'de>, A::Error> {
        skip_seq_within(seq, self.0)?;
        Ok(Scalar::Compound)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar<'de>, A::Error> {
        skip_map_within(map, self.0)?;
        Ok(Scalar::Compound)
    }
}

/// Skips a value of any shape.
///
/// Not `serde::de::IgnoredAny`: the parser skips that without a limit of depth, so that a hostile answer could
/// exhaust the stack. This way counts.
pub(super) struct Skip(u8);

impl Skip {
    /// A value of an ordinary record.
    pub(super) const VALUE: Self = Self(MAX_DEPTH);
}

impl<'de> serde::de::DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.0.checked_sub(1) {
            Some(left) => d.deserialize_any(ScalarVisitor(left)).map(drop),
            None => Err(serde::de::Error::custom("nested too deeply")),
        }
    }
}

pub(super) fn skip_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<(), A::Error> {
    skip_seq_within(seq, MAX_DEPTH)
}

pub(super) fn skip_map<'de, A: MapAccess<'de>>(map: A) -> Result<(), A::Error> {
    skip_map_within(map, MAX_DEPTH)
}

fn skip_seq_within<'de, A: SeqAccess<'de>>(mut seq: A, levels: u8) -> Result<(), A::Error> {
    while seq.next_element_seed(Skip(levels))?.is_some() {}
    Ok(())
}

fn skip_map_within<'de, A: MapAccess<'de>>(mut map: A, levels: u8) -> Result<(), A::Error> {
    while map.next_key_seed(Skip(levels.max(1)))?.is_some() {
        map.next_value_seed(Skip(levels))?;
    }
    Ok(())
}

/// A field name of the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    SportKey,
    CommenceTime,
    HomeTeam,
    AwayTeam,
    Bookmakers,
    Key,
    Title,
    LastUpdate,
    Markets,
    Outcomes,
    Name,
    Description,
    Price,
    Point,
    BetLimit,
    Completed,
    Scores,
    Score,
    Data,
    Timestamp,
    Previous,
    Next,
    Other,
}

pub(super) struct FieldSeed;

impl<'de> serde::de::DeserializeSeed<'de> for FieldSeed {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Field, D::Error> {
        d.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field name")
    }

    #[inline]
    fn visit_str<E>(self, v: &str) -> Result<Field, E> {
        Ok(match v {
            "name" => Field::Name,
            "price" => Field::Price,
            "point" => Field::Point,
            "bet_limit" => Field::BetLimit,
            "key" => Field::Key,
            "last_update" => Field::LastUpdate,
            "outcomes" => Field::Outcomes,
            "title" => Field::Title,
            "markets" => Field::Markets,
            "id" => Field::Id,
            "sport_key" => Field::SportKey,
            "commence_time" => Field::CommenceTime,
            "home_team" => Field::HomeTeam,
            "away_team" => Field::AwayTeam,
            "bookmakers" => Field::Bookmakers,
            "description" => Field::Description,
            "completed" => Field::Completed,
            "scores" => Field::Scores,
            "score" => Field::Score,
            "data" => Field::Data,
            "timestamp" => Field::Timestamp,
            "previous_timestamp" => Field::Previous,
            "next_timestamp" => Field::Next,
            _ => Field::Other,
        })
    }
}
