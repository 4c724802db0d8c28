//! Numbers and times as the board writes them: short, of even width, and never rounded into something else.

use chrono::{Datelike, TimeZone};
use chrono_tz::Tz;

use crate::market::line::Line;
use crate::market::price::{OddsFormat, Price};
use crate::market::time::Timestamp;

/// How odds are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Odds {
    /// `-110`.
    #[default]
    American,
    /// `1.91`.
    Decimal,
    /// `10/11`.
    Fractional,
    /// `52.4%`: the raw probability that the price implies, vig included.
    Implied,
}

impl Odds {
    /// Every format, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::American, Self::Decimal, Self::Fractional, Self::Implied];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::American => "American",
            Self::Decimal => "Decimal",
            Self::Fractional => "Fractional",
            Self::Implied => "Implied %",
        }
    }

    /// The next in [`Odds::ALL`].
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|o| *o == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }

    /// Columns that a price takes at most, common prices taken.
    pub const fn width(self) -> u16 {
        match self {
            Self::American | Self::Implied => 5,
            Self::Decimal => 5,
            Self::Fractional => 6,
        }
    }
}

/// A price.
pub fn price(price: Price, odds: Odds) -> String {
    match odds {
        Odds::American => american(price),
        Odds::Decimal => decimal(price.to_decimal()),
        Odds::Fractional => fractional(price),
        Odds::Implied => implied(price.probability()),
    }
}

fn american(price: Price) -> String {
    let a = price.to_american();
    // Six digits and more are long shots of which nobody reads the last digit.
    match a.abs() {
        0..100_000 => format!("{a:+}"),
        100_000..1_000_000 => format!("{:+}k", a / 1000),
        _ => format!("{:+}M", a / 1_000_000),
    }
}

/// Decimal odds.
pub fn decimal(d: f64) -> String {
    if d < 1.1 {
        format!("{d:.3}")
    } else if d < 100.0 {
        format!("{d:.2}")
    } else if d < 1000.0 {
        format!("{d:.1}")
    } else {
        format!("{d:.0}")
    }
}

fn implied(p: f64) -> String {
    let percent = p * 100.0;
    if percent < 99.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// The traditional fraction where there is one close by, else hundredths.
fn fractional(price: Price) -> String {
    let profit = price.to_decimal() - 1.0;
    let whole = match price.format() {
        OddsFormat::American => {
            let a = price.to_american();
            if a > 0 { Some((a, 100)) } else { Some((100, -a)) }
        }
        OddsFormat::Decimal => None,
    };
    if let Some((n, d)) = whole {
        let g = gcd(n, d);
        if d / g <= 20 || n / g <= 20 {
            return format!("{}/{}", n / g, d / g);
        }
    }
    let best = (1_i64..=20)
        .map(|d| ((profit * d as f64).round().max(1.0) as i64, d))
        .min_by(|a, b| {
            let off = |(n, d): (i64, i64)| (n as f64 / d as f64 - profit).abs();
            off(*a).total_cmp(&off(*b)).then(a.1.cmp(&b.1))
        })
        .unwrap_or((1, 1));
    let g = gcd(best.0, best.1);
    format!("{}/{}", best.0 / g, best.1 / g)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// A spread: `-3.5`, `+7`, `PK`.
pub fn spread(line: Line) -> String {
    if line.hundredths() == 0 { "PK".into() } else { format!("{}{}", sign(line.points()), points(line.points().abs())) }
}

/// A total: `44.5`.
pub fn total(line: Line) -> String {
    points(line.points())
}

/// Points without a sign where there is none: halves with one place, quarters with two.
pub fn points(value: f64) -> String {
    let hundredths = (value * 100.0).round() as i64;
    if hundredths % 100 == 0 {
        format!("{}", hundredths / 100)
    } else if hundredths % 10 == 0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A fair line, which is no line of a book: one place, signed for spreads.
pub fn fair_line(value: f64, signed: bool) -> String {
    // A minus in front of nothing would say something that is not so.
    let value = if value.abs() < 0.05 { 0.0 } else { value };
    if signed { format!("{value:+.1}") } else { format!("{value:.1}") }
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 { "-" } else { "+" }
}

/// A share as percent with sign and one place: `+2.9`.
pub fn signed_percent(share: f64) -> String {
    let percent = share * 100.0;
    let percent = if percent.abs() < 0.05 { 0.0 } else { percent };
    if percent.abs() >= 1000.0 { format!("{percent:+.0}") } else { format!("{percent:+.1}") }
}

/// How long ago, at most four columns: `12s`, `41m`, `5h`, `12d`.
pub fn ago(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s {
        0..100 => format!("{s}s"),
        100..6000 => format!("{}m", s / 60),
        6000..172_800 => format!("{}h", s / 3600),
        _ => format!("{}d", (s / 86_400).min(999)),
    }
}

/// Until a start: `in 41m`, `in 3h05`, `in 2d`; after it how long it has been under way: `41m`.
pub fn until(ms: i64) -> String {
    let ahead = ms >= 0;
    let minutes = ms.abs() / 60_000;
    let text = match minutes {
        0 => format!("{}s", ms.abs() / 1000),
        1..100 => format!("{minutes}m"),
        100..2880 => format!("{}h{:02}", minutes / 60, minutes % 60),
        _ => format!("{}d", minutes / 1440),
    };
    if ahead { format!("in {text}") } else { text }
}

/// A market by its key, for people.
pub fn market_title(key: &str) -> String {
    match key {
        "h2h" => "Moneyline".into(),
        "spreads" => "Spread".into(),
        "totals" => "Total".into(),
        "h2h_3_way" => "Moneyline 3-way".into(),
        _ => {
            let words = key.replace('_', " ").replace("h2h", "moneyline");
            let mut letters = words.chars();
            letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
        }
    }
}

/// Large numbers with a thin gap between thousands: `18 402`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// The user's zone, with its name for the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Zone {
    /// The zone of this machine's settings: `TZ` where it names one, else the system's.
    pub fn local() -> Self {
        let named = std::env::var("TZ").ok().and_then(|z| z.trim_start_matches(':').parse().ok());
        let system = || iana_time_zone::get_timezone().ok().and_then(|z| z.parse().ok());
        Self(named.or_else(system).unwrap_or(Tz::UTC))
    }

    /// A zone by its IANA name.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// `16:04`.
    pub fn hm(self, at: Timestamp) -> String {
        self.0.from_utc_datetime(&at.to_chrono().naive_utc()).format("%H:%M").to_string()
    }

    /// `16:04:07`.
    pub fn hms(self, at: Timestamp) -> String {
        self.0.from_utc_datetime(&at.to_chrono().naive_utc()).format("%H:%M:%S").to_string()
    }

    /// `Sat 21 Nov`.
    pub fn day(self, at: Timestamp) -> String {
        self.0.from_utc_datetime(&at.to_chrono().naive_utc()).format("%a %d %b").to_string()
    }

    /// Number of the local day, for grouping.
    pub fn day_number(self, at: Timestamp) -> i32 {
        self.0.from_utc_datetime(&at.to_chrono().naive_utc()).date_naive().num_days_from_ce()
    }

    /// `2026-11-21 16:04:07`.
    pub fn full(self, at: Timestamp) -> String {
        self.0.from_utc_datetime(&at.to_chrono().naive_utc()).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `EST`, or an offset where the zone has no letters.
    pub fn abbreviation(self, at: Timestamp) -> String {
        let name = self.0.from_utc_datetime(&at.to_chrono().naive_utc()).format("%Z").to_string();
        if name.starts_with(['+', '-']) { format!("UTC{name}") } else { name }
    }

    /// `19:10` today, `Sat 19:10` within a week, else `21 Nov`: as seen on the day of `now`. At most 9 columns.
    pub fn start(self, at: Timestamp, now: Timestamp) -> String {
        let (t, n) = (
            self.0.from_utc_datetime(&at.to_chrono().naive_utc()),
            self.0.from_utc_datetime(&now.to_chrono().naive_utc()),
        );
        let days = t.date_naive().num_days_from_ce() - n.date_naive().num_days_from_ce();
        match days {
            0 => t.format("%H:%M").to_string(),
            -6..=6 => t.format("%a %H:%M").to_string(),
            _ => t.format("%d %b").to_string(),
        }
    }

    /// The same in at most 7 columns, where how long it is until then stands beside it: `00:20` within a day, `Sat 19h` within
    /// a week.
    pub fn start_short(self, at: Timestamp, now: Timestamp) -> String {
        let long = self.start(at, now);
        match long.split_once(' ') {
            Some((_, time)) if time.contains(':') && (0..86_400_000).contains(&at.since(now)) => time.to_owned(),
            Some((day, time)) if time.contains(':') => format!("{day} {}h", time.split(':').next().unwrap_or_default()),
            _ => long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(n: i64) -> Price {
        Price::american(n).expect("price")
    }

    #[test]
    fn odds_in_every_format() {
        for (p, american, decimal, fraction, percent) in [
            (a(-110), "-110", "1.91", "10/11", "52.4%"),
            (a(100), "+100", "2.00", "1/1", "50.0%"),
            (a(150), "+150", "2.50", "3/2", "40.0%"),
            (a(-200), "-200", "1.50", "1/2", "66.7%"),
            (a(-10_000), "-10000", "1.010", "1/100", "99.0%"),
            (a(250_000), "+250k", "2501", "2500/1", "0.0%"),
            (a(5_000_000), "+5M", "50001", "50000/1", "0.0%"),
        ] {
            assert_eq!(price(p, Odds::American), american);
            assert_eq!(price(p, Odds::Decimal), decimal);
            assert_eq!(price(p, Odds::Fractional), fraction);
            assert_eq!(price(p, Odds::Implied), percent);
        }
        assert_eq!(price(Price::decimal(1.909).expect("price"), Odds::Fractional), "10/11");
    }

    #[test]
    fn lines() {
        let l = |p: f64| Line::from_points(p).expect("line");
        for (p, signed, plain) in [
            (-3.5, "-3.5", "-3.5"),
            (7.0, "+7", "7"),
            (0.0, "PK", "0"),
            (-0.25, "-0.25", "-0.25"),
            (44.5, "+44.5", "44.5"),
        ] {
            assert_eq!(spread(l(p)), signed);
            assert_eq!(total(l(p)), plain);
        }
        assert_eq!(fair_line(-0.01, true), "+0.0");
        assert_eq!(fair_line(-5.13, true), "-5.1");
    }

    #[test]
    fn times() {
        assert_eq!(ago(12_000), "12s");
        assert_eq!(ago(99_999), "99s");
        assert_eq!(ago(100_000), "1m");
        assert_eq!(ago(5_999_000), "99m");
        assert_eq!(ago(6_000_000), "1h");
        assert_eq!(ago(-5), "0s");
        assert_eq!(until(41 * 60_000), "in 41m");
        assert_eq!(until(185 * 60_000), "in 3h05");
        assert_eq!(until(-30 * 60_000), "30m");
        assert_eq!(count(18_402), "18 402");
        assert_eq!(count(7), "7");
        let zone = Zone::parse("America/New_York").expect("zone");
        let at = Timestamp::parse("2026-11-21T21:04:07Z").expect("time");
        assert_eq!(zone.hms(at), "16:04:07");
        assert_eq!(zone.abbreviation(at), "EST");
        assert_eq!(zone.start(at, at), "16:04");
        assert_eq!(zone.start(at.plus(86_400_000), at), "Sun 16:04");
        assert_eq!(zone.start_short(at, at), "16:04");
        assert_eq!(zone.start_short(at.plus(10 * 3_600_000), at), "02:04");
        assert_eq!(zone.start_short(at.plus(86_400_000), at), "Sun 16h");
        assert_eq!(zone.start_short(at.plus(30 * 86_400_000), at), zone.start(at.plus(30 * 86_400_000), at));
        assert_eq!(Zone::parse("Asia/Dubai").expect("zone").abbreviation(at), "UTC+04");
    }

    #[test]
    fn signs_of_nothing() {
        assert_eq!(signed_percent(-0.000_1), "+0.0");
        assert_eq!(signed_percent(0.029), "+2.9");
        assert_eq!(signed_percent(-0.124), "-12.4");
    }
}
