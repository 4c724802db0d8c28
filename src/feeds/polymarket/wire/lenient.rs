//! Fields that are not what they ought to be: numbers as text, lists as text, three styles of time.
//!
//! Owns the reading of single fields and the typed notes about what could not be read ([`Defect`]). A field that cannot
//! be read is absent and noted; whether its record can do without it is the business of the record's reader.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::feeds::polymarket::ids::{Refused, Shares, Tick, short};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// What sort of record a defect was found in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Record {
    /// The answer as a whole.
    Answer,
    /// A league of the sports listing.
    Sport,
    /// A series.
    Series,
    /// A tag.
    Tag,
    /// An event.
    Event,
    /// A market.
    Market,
    /// A book.
    Book,
    /// A level of a book.
    Level,
    /// A point of a price history.
    Point,
    /// A trade.
    Trade,
    /// A frame of the channel.
    Frame,
    /// A message of the channel.
    Message,
    /// One change of a `price_change` message.
    Change,
}

impl Record {
    /// The name in logs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Sport => "sport",
            Self::Series => "series",
            Self::Tag => "tag",
            Self::Event => "event",
            Self::Market => "market",
            Self::Book => "book",
            Self::Level => "level",
            Self::Point => "point",
            Self::Trade => "trade",
            Self::Frame => "frame",
            Self::Message => "message",
            Self::Change => "change",
        }
    }
}

/// Something that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defect {
    /// In what.
    pub record: Record,
    /// The record's id or slug as far as known, else its number in the list.
    pub id: String,
    /// The field; empty for the record as a whole.
    pub field: &'static str,
    /// Why.
    pub reason: Reason,
    /// The record was put aside; otherwise only the field is absent.
    pub quarantined: bool,
    /// For a person: what stood there, shortened.
    pub detail: String,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {} {}: {}", self.record.name(), self.id, self.field, self.reason.name(), self.detail)
    }
}

/// More defects than that are counted and not kept: a hostile answer must not fill the memory.
pub const MAX_DEFECTS: usize = 1000;

/// Notes a defect unless there are too many already.
pub(crate) fn note(defects: &mut Vec<Defect>, defect: Defect) {
    if defects.len() < MAX_DEFECTS {
        defects.push(defect);
    }
}

/// Reads one of the three styles of time: `2026-11-21T00:10:00Z`, with fractions, or `2026-11-21 00:10:00+00`. Also
/// `2024-08-02 00:00:00`, which means UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let clock = rest.strip_prefix([' ', 'T'])?;
    let (clock, zone) = match clock.find(['+', '-', 'Z']) {
        Some(at) => clock.split_at_checked(at)?,
        None => (clock, "Z"),
    };
    let zone = match zone.len() {
        1 => "Z".to_owned(),
        3 => format!("{zone}:00"),
        5 => format!("{}:{}", zone.get(..3)?, zone.get(3..)?),
        _ => zone.to_owned(),
    };
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    Timestamp::parse(&format!("{date}T{clock}{zone}"))
}

/// A time of the channel: milliseconds since the epoch as text or number.
pub fn millis(text: &str) -> Option<Timestamp> {
    let ms: i64 = text.trim().parse().ok()?;
    // 2001 to 2286: anything else is seconds, microseconds or junk.
    (1_000_000_000_000..10_000_000_000_000).contains(&ms).then(|| Timestamp::from_millis(ms))
}

/// A scalar of any JSON type, borrowed where it can be. Reading one never fails: lists and objects are [`Scalar::Other`].
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) enum Scalar<'a> {
    #[default]
    Missing,
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Other,
}

impl<'a> Scalar<'a> {
    /// There is something.
    pub(crate) fn is_present(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The text; a whole number as its digits; `None` for nothing and for empty text.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.clone()),
            Self::Int(n) => Some(Cow::Owned(n.to_string())),
            _ => None,
        }
    }

    pub(crate) fn str(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The price; `None` when nothing stands there.
    pub(crate) fn tick(&self) -> Option<Result<Tick, Refused>> {
        match self {
            Self::Missing => None,
            Self::Text(text) if text.is_empty() => None,
            Self::Text(text) => Some(Tick::parse(text)),
            Self::Int(n) => Some(Tick::from_f64(*n as f64)),
            Self::Float(x) => Some(Tick::from_f64(*x)),
            Self::Bool(_) | Self::Other => Some(Err(Refused::NotANumber("(not a scalar)".to_owned()))),
        }
    }

    /// The size; `None` when nothing stands there.
    pub(crate) fn shares(&self) -> Option<Result<Shares, Refused>> {
        match self {
            Self::Missing => None,
            Self::Text(text) if text.is_empty() => None,
            Self::Text(text) => Some(Shares::parse(text)),
            Self::Int(n) => Some(Shares::from_f64(*n as f64)),
            Self::Float(x) => Some(Shares::from_f64(*x)),
            Self::Bool(_) | Self::Other => Some(Err(Refused::NotANumber("(not a scalar)".to_owned()))),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|x: &f64| x.is_finite()),
            Self::Int(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    pub(crate) fn millis(&self) -> Option<Timestamp> {
        match self {
            Self::Text(text) => millis(text),
            Self::Int(n) => millis(&n.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            Self::Text(t) if t.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(t) if t.eq_ignore_ascii_case("false") => Some(false),
            Self::Int(0) => Some(false),
            Self::Int(1) => Some(true),
            _ => None,
        }
    }

    /// What stands there, for a message.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Missing => "nothing".to_owned(),
            Self::Text(text) => short(text),
            Self::Int(n) => n.to_string(),
            Self::Float(x) => x.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Other => "a list or an object".to_owned(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any JSON")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(v.to_owned())))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Int(v))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(v).map_or(Scalar::Float(v as f64), Scalar::Int))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Float(v))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Bool(v))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Missing)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

/// Reads the fields of one object and notes what it cannot read.
pub(crate) struct Fields<'v, 'd> {
    map: &'v Map<String, Value>,
    record: Record,
    id: String,
    defects: &'d mut Vec<Defect>,
}

impl<'v, 'd> Fields<'v, 'd> {
    /// The fields of an object; something else is noted and gives `None`.
    pub(crate) fn of(value: &'v Value, record: Record, number: usize, defects: &'d mut Vec<Defect>) -> Option<Self> {
        let Value::Object(map) = value else {
            let detail = format!("not an object: {}", short(&value.to_string()));
            let id = format!("#{number}");
            note(defects, Defect { record, id, field: "", reason: Reason::WrongType, quarantined: true, detail });
            return None;
        };
        let known = ["slug", "id", "conditionId", "asset_id", "sport", "market"];
        let id = known.iter().find_map(|k| map.get(*k)).map(|v| match v {
            Value::String(s) => short(s),
            other => short(&other.to_string()),
        });
        Some(Self { map, record, id: id.unwrap_or_else(|| format!("#{number}")), defects })
    }

    /// What stands in a field; null is nothing.
    pub(crate) fn get(&self, field: &str) -> Option<&'v Value> {
        self.map.get(field).filter(|v| !v.is_null())
    }

    pub(crate) fn defects(&mut self) -> &mut Vec<Defect> {
        self.defects
    }

    /// The record is put aside.
    pub(crate) fn quarantine(&mut self, field: &'static str, reason: Reason, detail: String) {
        self.say(field, reason, detail, true);
    }

    fn say(&mut self, field: &'static str, reason: Reason, detail: String, quarantined: bool) {
        let (record, id) = (self.record, self.id.clone());
        note(self.defects, Defect { record, id, field, reason, quarantined, detail });
    }

    fn wrong<T>(&mut self, field: &'static str, reason: Reason, value: &Value) -> Option<T> {
        self.say(field, reason, short(&value.to_string()), false);
        None
    }

    /// Text; a number as its digits. Empty text is nothing.
    pub(crate) fn text(&mut self, field: &'static str) -> Option<String> {
        match self.get(field)? {
            Value::String(s) if s.is_empty() => None,
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            other => self.wrong(field, Reason::WrongType, other),
        }
    }

    /// A text that `parse` understands; what it does not is noted.
    pub(crate) fn id<T>(&mut self, field: &'static str, parse: impl Fn(&str) -> Result<T, Refused>) -> Option<T> {
        let text = self.text(field)?;
        match parse(&text) {
            Ok(id) => Some(id),
            Err(why) => {
                self.say(field, Reason::WrongType, why.to_string(), false);
                None
            }
        }
    }

    /// A number or a number as text.
    pub(crate) fn number(&mut self, field: &'static str) -> Option<f64> {
        let value = self.get(field)?;
        let number = match value {
            Value::Number(n) => n.as_f64(),
            Value::String(s) if s.trim().is_empty() => return None,
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|n: &f64| n.is_finite()) {
            Some(n) => Some(n),
            None => self.wrong(field, Reason::WrongType, value),
        }
    }

    /// A price on the grid of ticks.
    pub(crate) fn tick(&mut self, field: &'static str) -> Option<Tick> {
        let value = self.get(field)?;
        let read = match value {
            Value::Number(n) => n.as_f64().map(Tick::from_f64),
            Value::String(s) if s.trim().is_empty() => return None,
            Value::String(s) => Some(Tick::parse(s)),
            _ => None,
        };
        match read {
            Some(Ok(tick)) => Some(tick),
            _ => self.wrong(field, Reason::BadPrice, value),
        }
    }

    /// A size.
    pub(crate) fn shares(&mut self, field: &'static str) -> Option<Shares> {
        let value = self.get(field)?;
        let read = match value {
            Value::Number(n) => n.as_f64().map(Shares::from_f64),
            Value::String(s) if s.trim().is_empty() => return None,
            Value::String(s) => Some(Shares::parse(s)),
            _ => None,
        };
        match read {
            Some(Ok(shares)) => Some(shares),
            _ => self.wrong(field, Reason::WrongType, value),
        }
    }

    pub(crate) fn flag(&mut self, field: &'static str) -> Option<bool> {
        let value = self.get(field)?;
        match value {
            Value::Bool(b) => Some(*b),
            Value::String(s) if s.is_empty() => None,
            Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(n) if n.as_u64() == Some(0) => Some(false),
            Value::Number(n) if n.as_u64() == Some(1) => Some(true),
            other => self.wrong(field, Reason::WrongType, other),
        }
    }

    pub(crate) fn time(&mut self, field: &'static str) -> Option<Timestamp> {
        let value = self.get(field)?;
        let read = match value {
            Value::String(s) if s.is_empty() => return None,
            Value::String(s) => time(s),
            _ => None,
        };
        read.or_else(|| self.wrong(field, Reason::BadTimestamp, value))
    }

    /// Milliseconds or seconds since the epoch, as number or text.
    pub(crate) fn epoch(&mut self, field: &'static str) -> Option<Timestamp> {
        let value = self.get(field)?;
        let read = match value {
            Value::String(s) => s.trim().parse::<i64>().ok(),
            Value::Number(n) => n.as_i64(),
            _ => None,
        };
        let read = read.and_then(|n| match n {
            1_000_000_000..=9_999_999_999 => Some(Timestamp::from_secs(n)),
            1_000_000_000_000..=9_999_999_999_999 => Some(Timestamp::from_millis(n)),
            _ => None,
        });
        read.or_else(|| self.wrong(field, Reason::BadTimestamp, value))
    }

    pub(crate) fn date(&mut self, field: &'static str) -> Option<NaiveDate> {
        let value = self.get(field)?;
        let read = value.as_str().and_then(|s| s.get(..10)).and_then(|s| s.parse().ok());
        read.or_else(|| self.wrong(field, Reason::BadTimestamp, value))
    }

    /// A list of texts: a real array, or JSON text of one inside a string. Missing is an empty list.
    pub(crate) fn list(&mut self, field: &'static str) -> Vec<String> {
        let Some(value) = self.get(field) else { return Vec::new() };
        let inner;
        let items = match value {
            Value::Array(items) => items,
            Value::String(s) if s.trim().is_empty() => return Vec::new(),
            Value::String(s) => match serde_json::from_str(s) {
                Ok(Value::Array(items)) => {
                    inner = items;
                    &inner
                }
                _ => return self.wrong(field, Reason::WrongType, value).unwrap_or_default(),
            },
            other => return self.wrong(field, Reason::WrongType, other).unwrap_or_default(),
        };
        let texts: Option<Vec<String>> = items
            .iter()
            .map(|item| match item {
                Value::String(s) => Some(s.clone()),
                Value::Number(n) => Some(n.to_string()),
                _ => None,
            })
            .collect();
        // A list with a hole would put the rest at the wrong places.
        texts.unwrap_or_else(|| self.wrong(field, Reason::WrongType, value).unwrap_or_default())
    }

    /// A list of objects; missing is empty.
    pub(crate) fn objects(&mut self, field: &'static str) -> &'v [Value] {
        match self.get(field) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.say(field, Reason::WrongType, short(&other.to_string()), false);
                &[]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_styles_of_time() {
        let at = Timestamp::parse("2026-11-21T00:10:00Z");
        for text in
            ["2026-11-21T00:10:00Z", "2026-11-21T00:10:00.000123Z", "2026-11-21 00:10:00+00", "2026-11-21 00:10:00"]
        {
            assert_eq!(time(text), at, "{text}");
        }
        assert_eq!(time("2026-11-20 19:10:00-05"), at);
        assert_eq!(time("2026-11-20 19:10:00-0500"), at);
        assert_eq!(time("2024-03-07 20:44:01.258+00"), Timestamp::parse("2024-03-07T20:44:01.258Z"));
        for text in
            ["", "2026-11-21", "tomorrow", "2026-13-01 00:00:00+00", "2026-11-2100:00:00", "é026-11-21 00:00:00"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_and_nothing_else() {
        assert_eq!(millis("1795200000123"), Some(Timestamp::from_millis(1_795_200_000_123)));
        for text in ["", "1795200000", "x", "-1795200000123", "1795200000123456"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = (time(&text), millis(&text));
        }
    }
}
