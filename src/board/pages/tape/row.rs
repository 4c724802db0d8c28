//! A signal as a row: what of it is written where. Pure: nothing here knows where on the screen it stands.

use crate::alerts::facts::{Folded, code};
use crate::board::format::{self, Odds};
use crate::board::theme::Meaning;
use crate::board::widgets::text;
use crate::engine::detect::signal::{Entry, Signal, SignalType, Stand, Tier};
use crate::market::books::Books;
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec};
use crate::market::price::Price;

/// A signal with what is looked up of it once.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The signal.
    pub signal: Signal,
    /// Short name of the home team: its code, where the league's table knows it.
    pub home: String,
    /// The same of the other.
    pub away: String,
    /// What the market is about.
    pub family: Family,
    /// Texts as filters see them.
    pub folded: Folded,
}

impl Row {
    /// A row of a signal.
    pub fn new(signal: Signal) -> Self {
        let (home, away) = (short_name(&signal.sport, &signal.home_team), short_name(&signal.sport, &signal.away_team));
        let folded = Folded::new(&signal, &home, &away);
        let family = MarketSpec::parse(&signal.market).family;
        Self { signal, home, away, family, folded }
    }

    /// `BOS @ MIA`, or in full in a place of forty columns.
    pub fn game(&self, width: u16) -> String {
        let full = format!("{} @ {}", self.signal.away_team, self.signal.home_team);
        // All of a list in one form: wide enough for nearly every name, or codes.
        if width >= 40 { full } else { format!("{} @ {}", self.away, self.home) }
    }

    /// The market in a few letters.
    pub fn market(&self) -> String {
        match self.signal.market.as_str() {
            "h2h" => "ML".to_owned(),
            other => format::market_title(other),
        }
    }

    /// Whose value [`Row::moved`] shows: the first side.
    pub fn first_side(&self) -> String {
        match self.family {
            Family::Moneyline | Family::Moneyline3Way | Family::Spread | Family::DrawNoBet => self.home.clone(),
            Family::Total => "Total".to_owned(),
            _ => self.signal.selection.clone(),
        }
    }

    /// A value of the first side in the unit of the signal.
    pub fn value(&self, value: f64) -> String {
        if self.signal.unit == "probability" {
            format!("{:.1}", value * 100.0)
        } else {
            format::fair_line(value, self.family == Family::Spread)
        }
    }

    /// `BOS -3.5 → -5.0`.
    pub fn moved(&self, arrow: &str) -> String {
        let s = &self.signal;
        let percent = if s.unit == "probability" { " %" } else { "" };
        format!("{} {} {arrow} {}{percent}", self.first_side(), self.value(s.from_value), self.value(s.to_value))
    }

    /// The side to take with the line of its entry: `BOS -4.5`; `None`: informational.
    pub fn take(&self) -> Option<String> {
        let s = &self.signal;
        let side = match s.side.as_deref()? {
            "home" => self.home.clone(),
            "away" => self.away.clone(),
            "over" if self.family == Family::Total => "Over".to_owned(),
            "under" if self.family == Family::Total => "Under".to_owned(),
            "draw" => "Draw".to_owned(),
            _ => s.selection.clone(),
        };
        let line = s.entry.as_ref().and_then(|e| self.line(e.line));
        Some(line.map_or(side.clone(), |line| format!("{side} {line}")))
    }

    /// A line of a book, as its side sees it.
    pub fn line(&self, points: Option<f64>) -> Option<String> {
        let line = points.and_then(Line::from_points)?;
        Some(if self.family == Family::Spread { format::spread(line) } else { format::total(line) })
    }

    /// One book at one end of the window: line and price of the first side.
    pub fn stand(&self, stand: &Stand, odds: Odds) -> String {
        let price = stand.prices.first().copied().flatten().and_then(|d| Price::decimal(d).ok());
        let price = price.map_or_else(String::new, |p| format::price(p, odds));
        match self.line(stand.line) {
            Some(line) => format!("{line} {price}"),
            None => price,
        }
    }

    /// Independent books that moved, of how many; of a comparison of prices the book that is compared.
    pub fn books(&self) -> String {
        let s = &self.signal;
        match s.kind {
            SignalType::Dislocation | SignalType::ExchangeDivergence => {
                s.detail.book.as_deref().map_or_else(|| s.books_affected.to_string(), book)
            }
            _ => format!("{}/{}", s.books_affected, s.panel),
        }
    }

    /// `6 books`: how many moved, or which.
    pub fn who(&self) -> String {
        let s = &self.signal;
        match s.kind {
            SignalType::Dislocation | SignalType::ExchangeDivergence => {
                s.detail.book.as_deref().map_or_else(String::new, |b| format!("at {}", book(b)))
            }
            _ => format!("{} {}", s.books_affected, if s.books_affected == 1 { "book" } else { "books" }),
        }
    }

    /// `6 books 2m10s`: how many moved and within how long, as far as the looks can tell.
    pub fn span(&self) -> String {
        let s = &self.signal;
        match s.kind {
            SignalType::Dislocation | SignalType::ExchangeDivergence => self.who(),
            _ => format!("{} {}", self.who(), minutes(s.velocity_minutes)),
        }
    }
}

/// The code of a team where the league's table knows it, else a part of its name.
pub fn short_name(sport: &str, name: &str) -> String {
    code(sport, name).unwrap_or_else(|| shortened(name))
}

/// The last word of a name; of a long one its beginning.
fn shortened(name: &str) -> String {
    let last = name.split_whitespace().last().unwrap_or(name);
    text::fit(last, 10, true).into_owned()
}

/// A span of minutes: `45s`, `2m10s`, `12m`.
pub fn minutes(minutes: f64) -> String {
    let seconds = if minutes.is_finite() { (minutes * 60.0).round().clamp(0.0, 1e9) as i64 } else { 0 };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..6000 if seconds % 60 == 0 => format!("{}m", seconds / 60),
        60..600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format::ago(seconds.saturating_mul(1000)),
    }
}

/// Short name of a book.
pub fn book(key: &str) -> String {
    Books::embedded().resolve(key).short
}

/// Name of a book for people.
pub fn book_title(key: &str) -> String {
    Books::embedded().resolve(key).title
}

/// The price of an entry. American odds stay what the book wrote where the two forms are one price.
pub fn price(entry: &Entry, odds: Odds) -> String {
    let american = Price::american(entry.price_american).ok().filter(|a| (a.to_decimal() - entry.price).abs() < 1e-6);
    let price = match odds {
        Odds::American => Price::american(entry.price_american).ok(),
        _ => american.or_else(|| Price::decimal(entry.price).ok()),
    };
    price.map_or_else(|| "?".to_owned(), |p| format::price(p, odds))
}

/// The type, written out.
pub const fn kind(kind: SignalType) -> &'static str {
    match kind {
        SignalType::Move => "MOVE",
        SignalType::KeyCross => "KEY CROSS",
        SignalType::MultibookSync => "SYNC",
        SignalType::Dislocation => "DISLOCATION",
        SignalType::Steam => "STEAM",
        SignalType::LiveShock => "LIVE SHOCK",
        SignalType::ExchangeDivergence => "DIVERGENCE",
    }
}

/// How a type looks.
pub const fn kind_meaning(kind: SignalType) -> Meaning {
    match kind {
        SignalType::Move => Meaning::Move,
        SignalType::KeyCross => Meaning::KeyCross,
        SignalType::MultibookSync => Meaning::Sync,
        SignalType::Dislocation => Meaning::Dislocation,
        SignalType::Steam => Meaning::Steam,
        SignalType::LiveShock => Meaning::LiveShock,
        SignalType::ExchangeDivergence => Meaning::ExchangeDivergence,
    }
}

/// How a tier looks.
pub const fn tier_meaning(tier: Tier) -> Meaning {
    match tier {
        Tier::High => Meaning::TierHigh,
        Tier::Medium => Meaning::TierMedium,
        Tier::Low => Meaning::TierLow,
    }
}

/// `+2.9 %` and how it looks; `None`: not known.
pub fn ev(entry: &Entry) -> Option<(String, Meaning)> {
    let ev = entry.ev.filter(|v| v.is_finite())?;
    Some((format::signed_percent(ev), if ev > 0.0 { Meaning::Positive } else { Meaning::Muted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        for (m, text) in [
            (0.1, "6s"),
            (1.0, "1m"),
            (2.166, "2m10s"),
            (9.99, "9m59s"),
            (12.0, "12m"),
            (12.5, "12m"),
            (f64::NAN, "0s"),
        ] {
            assert_eq!(minutes(m), text, "{m}");
        }
        assert_eq!(shortened("Harbor City Gulls"), "Gulls");
        assert_eq!(shortened(""), "");
    }

    #[test]
    fn an_entry_keeps_what_the_book_wrote() {
        let entry = |price, price_american| Entry {
            book: "fanduel".into(),
            line: None,
            price,
            price_american,
            age_seconds: 3.0,
            ev: Some(f64::NAN),
            fair_probability: None,
        };
        assert_eq!(price(&entry(1.909_090_909_090_909, -110), Odds::American), "-110");
        assert_eq!(price(&entry(1.909_090_909_090_909, -110), Odds::Fractional), "10/11");
        assert_eq!(price(&entry(2.55, 155), Odds::Decimal), "2.55");
        assert_eq!(price(&entry(f64::NAN, 0), Odds::Decimal), "?");
        assert_eq!(ev(&entry(2.0, 100)), None);
    }
}
