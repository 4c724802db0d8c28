//! Plays a recording back: at a virtual instant, each sport answers the newest body recorded at or before it.
//!
//! Knows nothing of files: frames come from an iterator, oldest first. Only the newest frame of a sport is kept.

use std::collections::BTreeMap;
use std::iter::Peekable;

use serde_json::Value;

use crate::market::price::{OddsFormat, Price};
use crate::market::time::Timestamp;

/// One recorded answer of `/v4/sports/{sport}/odds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When it was received.
    pub captured_at: Timestamp,
    /// Sport asked for.
    pub sport: String,
    /// Body as received.
    pub body: Vec<u8>,
}

/// Frames, oldest first.
pub type Frames = Box<dyn Iterator<Item = Frame> + Send>;

/// A recording being played.
pub struct Playback {
    frames: Peekable<Frames>,
    format: OddsFormat,
    newest: BTreeMap<String, Frame>,
}

impl Playback {
    /// Plays `frames`, whose prices are written in `format`.
    pub fn new(frames: Frames, format: OddsFormat) -> Self {
        Self { frames: frames.peekable(), format, newest: BTreeMap::new() }
    }

    /// When the next frame was received: before the first question, the beginning of the recording.
    pub fn next_at(&mut self) -> Option<Timestamp> {
        self.frames.peek().map(|f| f.captured_at)
    }

    /// Sports seen up to `at`.
    pub fn sports(&mut self, at: Timestamp) -> Vec<String> {
        self.advance(at);
        self.newest.keys().cloned().collect()
    }

    /// The newest body of a sport at `at`, with prices in the asked format. `None` when there is none yet.
    ///
    /// A body already in the asked format is given byte for byte, whatever markets and books were asked for; one that
    /// cannot be parsed is never touched. Time does not run backwards: an earlier `at` answers what was played last.
    pub fn body(&mut self, at: Timestamp, sport: &str, format: OddsFormat) -> Option<Vec<u8>> {
        self.advance(at);
        let body = &self.newest.get(sport)?.body;
        if format == self.format {
            return Some(body.clone());
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return Some(body.clone()) };
        convert(&mut value, self.format, format);
        Some(value.to_string().into_bytes())
    }

    /// The newest body without its books: what `/events` would have said.
    pub fn events(&mut self, at: Timestamp, sport: &str) -> Vec<u8> {
        self.advance(at);
        let Some(frame) = self.newest.get(sport) else { return b"[]".to_vec() };
        let Ok(Value::Array(mut events)) = serde_json::from_slice::<Value>(&frame.body) else { return b"[]".to_vec() };
        for event in events.iter_mut().filter_map(Value::as_object_mut) {
            event.remove("bookmakers");
        }
        Value::Array(events).to_string().into_bytes()
    }

    /// One event of the newest bodies, with its books.
    pub fn event(&mut self, at: Timestamp, sport: &str, id: &str, format: OddsFormat) -> Option<Value> {
        self.advance(at);
        let frame = self.newest.get(sport)?;
        let Ok(Value::Array(events)) = serde_json::from_slice::<Value>(&frame.body) else { return None };
        let mut event = events.into_iter().find(|e| e.get("id").and_then(Value::as_str) == Some(id))?;
        convert(&mut event, self.format, format);
        Some(event)
    }

    fn advance(&mut self, at: Timestamp) {
        while let Some(frame) = self.frames.next_if(|f| f.captured_at <= at) {
            self.newest.insert(frame.sport.clone(), frame);
        }
    }
}

/// Rewrites every `price` below `value`.
fn convert(value: &mut Value, from: OddsFormat, to: OddsFormat) {
    if from == to {
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|v| convert(v, from, to)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if name != "price" {
                    convert(field, from, to);
                } else if let Some(price) = field.as_f64().and_then(|p| Price::quoted(p, from).ok()) {
                    *field = match to {
                        OddsFormat::American => Value::from(price.to_american()),
                        OddsFormat::Decimal => Value::from((price.to_decimal() * 100.0).round() / 100.0),
                    };
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(s: i64, sport: &str, body: &str) -> Frame {
        Frame { captured_at: Timestamp::from_secs(s), sport: sport.into(), body: body.into() }
    }

    fn playback() -> Playback {
        let frames = vec![
            frame(10, "a", r#"[{"id":"x","bookmakers":[{"price":-110}]}]"#),
            frame(20, "b", "[]"),
            frame(30, "a", r#"[{"id":"y","bookmakers":[]}]"#),
        ];
        Playback::new(Box::new(frames.into_iter()), OddsFormat::American)
    }

    #[test]
    fn the_newest_body_at_or_before_the_instant_is_served() {
        let mut p = playback();
        let american = OddsFormat::American;
        assert_eq!(p.next_at(), Some(Timestamp::from_secs(10)));
        assert_eq!(p.body(Timestamp::from_secs(9), "a", american), None);
        let first = p.body(Timestamp::from_secs(29), "a", american).expect("body");
        assert!(String::from_utf8_lossy(&first).contains("-110"));
        assert_eq!(p.sports(Timestamp::from_secs(29)), ["a", "b"]);
        let second = p.body(Timestamp::from_secs(30), "a", american).expect("body");
        assert!(String::from_utf8_lossy(&second).contains("\"y\""));
        assert_eq!(p.events(Timestamp::from_secs(30), "a"), br#"[{"id":"y"}]"#);
        assert_eq!(p.events(Timestamp::from_secs(30), "none"), b"[]");
    }

    #[test]
    fn prices_are_turned_into_the_asked_format() {
        let body = playback().body(Timestamp::from_secs(10), "a", OddsFormat::Decimal).expect("body");
        assert!(String::from_utf8_lossy(&body).contains("1.91"));
    }

    #[test]
    fn a_broken_body_is_given_as_it_is() {
        let frames = vec![frame(1, "a", "[{")];
        let mut p = Playback::new(Box::new(frames.into_iter()), OddsFormat::American);
        assert_eq!(p.body(Timestamp::from_secs(1), "a", OddsFormat::Decimal), Some(b"[{".to_vec()));
        assert_eq!(p.events(Timestamp::from_secs(1), "a"), b"[]");
    }
}
