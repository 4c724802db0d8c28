//! What kind of answer a body is, told from its first bytes where that is possible.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::market::time::Timestamp;

/// How many elements of an array are looked at before it is said to be no answer.
const LOOKED_AT: usize = 16;

/// What a recorded body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyKind<'a> {
    /// An array of events, with or without odds or scores.
    Events,
    /// An empty array: asked and nothing there.
    Empty,
    /// The list of sports.
    Sports,
    /// One event with its odds.
    EventObject,
    /// The wrapper of the historical endpoints.
    Historical {
        /// Instant of the snapshot.
        timestamp: Timestamp,
        /// The snapshot before it.
        previous: Option<Timestamp>,
        /// The snapshot after it.
        next: Option<Timestamp>,
        /// What was the answer then: an array of events or one event.
        data: &'a [u8],
    },
    /// Nothing that a provider answers about events: an error message, a log line, cut-off JSON.
    NotAnAnswer,
}

/// Tells what a body is. Arrays are judged by their first elements, without reading the rest.
pub fn classify(body: &[u8]) -> BodyKind<'_> {
    let body = body.trim_ascii();
    match body.first() {
        Some(b'[') if body[1..].trim_ascii() == b"]" => BodyKind::Empty,
        Some(b'[') => first_elements(body),
        Some(b'{') => object(body),
        _ => BodyKind::NotAnAnswer,
    }
}

fn first_elements(body: &[u8]) -> BodyKind<'_> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(body);
    // The visitor stops early, which the reader reports as an error that is none of ours.
    let _ = reader.deserialize_seq(FirstElements { found: &mut found });
    found.unwrap_or(BodyKind::NotAnAnswer)
}

struct FirstElements<'f> {
    found: &'f mut Option<BodyKind<'static>>,
}

impl<'de> Visitor<'de> for FirstElements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for _ in 0..LOOKED_AT {
            let Some(element) = seq.next_element::<&RawValue>()? else { break };
            let Ok(keys) = serde_json::from_str::<Keys<'_>>(element.get()) else { continue };
            if keys.is_event() {
                *self.found = Some(BodyKind::Events);
                break;
            }
            if keys.key.is_some() && keys.group.is_some() {
                *self.found = Some(BodyKind::Sports);
                break;
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Keys<'a> {
    id: Option<IgnoredAny>,
    commence_time: Option<IgnoredAny>,
    sport_key: Option<IgnoredAny>,
    bookmakers: Option<IgnoredAny>,
    key: Option<IgnoredAny>,
    group: Option<IgnoredAny>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    previous_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    next_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Keys<'_> {
    fn is_event(&self) -> bool {
        self.id.is_some() && (self.commence_time.is_some() || self.sport_key.is_some() || self.bookmakers.is_some())
    }
}

fn object(body: &[u8]) -> BodyKind<'_> {
    let Ok(keys) = serde_json::from_slice::<Keys<'_>>(body) else { return BodyKind::NotAnAnswer };
    if keys.is_event() {
        return BodyKind::EventObject;
    }
    match (keys.timestamp.and_then(time), keys.data) {
        (Some(timestamp), Some(data)) if data.get().starts_with(['[', '{']) => BodyKind::Historical {
            timestamp,
            previous: keys.previous_timestamp.and_then(time),
            next: keys.next_timestamp.and_then(time),
            data: data.get().as_bytes(),
        },
        _ => BodyKind::NotAnAnswer,
    }
}

fn time(raw: &RawValue) -> Option<Timestamp> {
    Timestamp::parse(serde_json::from_str::<&str>(raw.get()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let kind = |text: &'static str| classify(text.as_bytes());
        assert_eq!(kind(" [ \n ] "), BodyKind::Empty);
        assert_eq!(kind(r#"[{"id":"a","commence_time":"x","bookmakers":[]}]"#), BodyKind::Events);
        // One bad element does not spoil the answer, and neither does a cut after the first event.
        assert_eq!(kind(r#"[7,{"id":"a","sport_key":"x"},{"#), BodyKind::Events);
        assert_eq!(kind(r#"[{"key":"basketball_nba","group":"Basketball","title":"NBA"}]"#), BodyKind::Sports);
        assert_eq!(kind(r#"{"id":"a","commence_time":"x"}"#), BodyKind::EventObject);
        let wrapper = r#"{"timestamp":"2021-10-19T11:55:00Z","previous_timestamp":null,"data":[1,2]}"#;
        assert_eq!(
            kind(wrapper),
            BodyKind::Historical {
                timestamp: Timestamp::parse("2021-10-19T11:55:00Z").expect("time"),
                previous: None,
                next: None,
                data: b"[1,2]"
            }
        );
    }

    #[test]
    fn what_is_no_answer_is_said_so() {
        for text in [
            "",
            "null",
            "\"text\"",
            "12",
            "{}",
            "[1]",
            "[{}]",
            "[",
            "{",
            r#"{"lastUpdated":"x","quota":{},"sports":[],"status":"healthy"}"#,
            r#"{"message":"quota","error_code":"OUT_OF_USAGE_CREDITS"}"#,
            r#"{"timestamp":1758168222.1,"data":{"nfl":[]}}"#,
            r#"{"timestamp":"yesterday","data":[]}"#,
            r#"{"timestamp":"2021-10-19T11:55:00Z","data":null}"#,
        ] {
            assert_eq!(classify(text.as_bytes()), BodyKind::NotAnAnswer, "{text}");
        }
    }
}
