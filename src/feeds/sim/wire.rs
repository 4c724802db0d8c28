//! Writes answers as The Odds API v4 does, straight into bytes: an answer of 72,000 quotes must not wait for a tree.

use std::io::Write;

use super::view::{BookView, EventView, MarketView, OutcomeView, PriceView};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

/// How timestamps are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DateFormat {
    /// `2026-11-20T20:01:40Z`
    #[default]
    Iso,
    /// Whole seconds, as a number.
    Unix,
}

/// What to write and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Form of prices.
    pub odds: OddsFormat,
    /// Form of times.
    pub dates: DateFormat,
    /// Write `link`.
    pub links: bool,
    /// Write `sid`.
    pub sids: bool,
    /// Write `bet_limit`.
    pub limits: bool,
    /// Write `multiplier`.
    pub multipliers: bool,
    /// Write rotation numbers.
    pub rotation: bool,
    /// Write `last_update` of books (event odds have none).
    pub book_update: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            odds: OddsFormat::Decimal,
            dates: DateFormat::Iso,
            links: false,
            sids: false,
            limits: false,
            multipliers: false,
            rotation: false,
            book_update: true,
        }
    }
}

/// A growing JSON text.
pub struct Writer {
    out: Vec<u8>,
    style: Style,
    /// The last time written, with its text: neighbours mostly share it.
    last: Option<(Timestamp, Vec<u8>)>,
}

impl Writer {
    /// An empty text.
    pub fn new(style: Style, capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), style, last: None }
    }

    /// The finished text.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Bytes as they are.
    pub fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A JSON string.
    pub fn string(&mut self, text: &str) {
        self.out.push(b'"');
        if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
            self.raw(text);
        } else {
            for c in text.chars() {
                match c {
                    '"' => self.raw("\\\""),
                    '\\' => self.raw("\\\\"),
                    c if u32::from(c) < 0x20 => self.format(format_args!("\\u{:04x}", u32::from(c))),
                    c => self.raw(c.encode_utf8(&mut [0; 4])),
                }
            }
        }
        self.out.push(b'"');
    }

    /// A whole number.
    pub fn int(&mut self, n: i64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = n.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if n < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(&digits[at..]);
    }

    /// `scaled / 10^places`, without trailing zeros.
    fn decimal(&mut self, scaled: i64, places: u32) {
        let unit = 10u64.pow(places);
        if scaled < 0 {
            self.out.push(b'-');
        }
        let abs = scaled.unsigned_abs();
        self.int((abs / unit) as i64);
        let mut fraction = abs % unit;
        if fraction == 0 {
            return;
        }
        self.out.push(b'.');
        let mut place = unit / 10;
        while fraction > 0 {
            self.out.push(b'0' + (fraction / place) as u8);
            fraction %= place;
            place = (place / 10).max(1);
        }
    }

    fn format(&mut self, args: std::fmt::Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.out.write_fmt(args);
    }

    /// A time in the asked form.
    pub fn time(&mut self, at: Timestamp) {
        if self.style.dates == DateFormat::Unix {
            return self.int(at.secs());
        }
        match &self.last {
            Some((known, text)) if *known == at => self.out.extend_from_slice(text),
            _ => {
                let text = format!("\"{}\"", at.to_wire()).into_bytes();
                self.out.extend_from_slice(&text);
                self.last = Some((at, text));
            }
        }
    }

    /// A list of events with their books.
    pub fn events_with_odds(&mut self, events: &[EventView]) {
        self.list(events, Self::event_with_odds);
    }

    /// A list of events without books.
    pub fn events(&mut self, events: &[EventView]) {
        self.list(events, |w, e| {
            w.event_head(e);
            w.raw("}");
        });
    }

    /// Items between brackets.
    pub fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.out.push(b'[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            one(self, item);
        }
        self.out.push(b']');
    }

    /// The fields that every event has, without the closing brace.
    pub fn event_head(&mut self, e: &EventView) {
        self.raw("{\"id\":");
        self.string(&e.id);
        self.raw(",\"sport_key\":");
        self.string(e.sport);
        self.raw(",\"sport_title\":");
        self.string(e.title);
        self.raw(",\"commence_time\":");
        self.time(e.commence);
        self.raw(",\"home_team\":");
        self.string(e.home);
        self.raw(",\"away_team\":");
        self.string(e.away);
        if self.style.rotation {
            for (name, n) in [("home", e.rotation.map(|r| r.0)), ("away", e.rotation.map(|r| r.1))] {
                self.format(format_args!(",\"{name}_rotation\":"));
                match n {
                    Some(n) => self.int(i64::from(n)),
                    None => self.raw("null"),
                }
            }
        }
        if e.extra_fields {
            self.raw(",\"neutral_site\":false,\"venue\":{\"name\":\"Arena\",\"roof\":[\"open\",null]}");
        }
    }

    /// One event with its books.
    pub fn event_with_odds(&mut self, e: &EventView) {
        self.event_head(e);
        self.raw(",\"bookmakers\":");
        match &e.books {
            None => self.raw("null"),
            Some(books) => self.list(books, |w, b| w.book(b, e)),
        }
        self.raw("}");
    }

    fn book(&mut self, b: &BookView, e: &EventView) {
        self.raw("{\"key\":");
        self.string(b.key);
        self.raw(",\"title\":");
        self.string(b.title);
        if self.style.book_update {
            self.raw(",\"last_update\":");
            self.time(b.last_update);
        }
        if self.style.links {
            self.format(format_args!(",\"link\":\"https://{}.example/event/{}\"", b.key, e.id));
        }
        if self.style.sids {
            self.raw(",\"sid\":");
            self.string(e.id.get(..8).unwrap_or_default());
        }
        self.raw(",\"markets\":");
        self.list(&b.markets, Self::market);
        self.raw("}");
    }

    fn market(&mut self, m: &MarketView) {
        self.raw("{\"key\":");
        self.string(&m.key);
        self.raw(",\"last_update\":");
        self.time(m.last_update);
        if self.style.links {
            self.raw(",\"link\":null");
        }
        if self.style.sids {
            self.raw(",\"sid\":null");
        }
        self.raw(",\"outcomes\":");
        self.list(&m.outcomes, Self::outcome);
        self.raw("}");
    }

    fn outcome(&mut self, o: &OutcomeView) {
        self.raw("{\"name\":");
        self.string(o.name);
        if let Some(description) = &o.description {
            self.raw(",\"description\":");
            self.string(description);
        }
        self.raw(",\"price\":");
        match (o.price, self.style.odds) {
            (PriceView::Odds(odds), OddsFormat::Decimal) => self.decimal(i64::from(odds.milli), 3),
            (PriceView::Odds(odds), OddsFormat::American) => self.int(i64::from(odds.american)),
            (PriceView::Text(text), _) => self.string(text),
        }
        if let Some(point) = o.point {
            self.raw(",\"point\":");
            self.decimal(i64::from(point), 2);
        }
        if self.style.links {
            self.raw(",\"link\":null");
        }
        if self.style.sids {
            self.raw(",\"sid\":null");
        }
        if self.style.limits {
            self.raw(",\"bet_limit\":");
            match o.limit {
                Some(limit) => self.int(i64::from(limit)),
                None => self.raw("null"),
            }
        }
        if self.style.multipliers {
            self.raw(",\"multiplier\":null");
        }
        self.raw("}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(f: impl FnOnce(&mut Writer)) -> String {
        let mut w = Writer::new(Style::default(), 16);
        f(&mut w);
        String::from_utf8(w.finish()).expect("utf-8")
    }

    #[test]
    fn numbers_are_written_shortly() {
        for (scaled, places, want) in [
            (1910, 3, "1.91"),
            (2000, 3, "2"),
            (1005, 3, "1.005"),
            (-350, 2, "-3.5"),
            (0, 2, "0"),
            (25, 2, "0.25"),
            (-25, 2, "-0.25"),
            (22_150, 2, "221.5"),
        ] {
            assert_eq!(text(|w| w.decimal(scaled, places)), want);
        }
        assert_eq!(text(|w| w.int(i64::MIN)), i64::MIN.to_string());
        assert_eq!(text(|w| w.int(0)), "0");
    }

    #[test]
    fn strings_are_escaped() {
        for s in ["plain", "St. John's", "a\"b\\c", "tab\there", "Montréal"] {
            let back: String = serde_json::from_str(&text(|w| w.string(s))).expect("json");
            assert_eq!(back, s);
        }
    }
}
