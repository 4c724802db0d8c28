//! How values of the market are written in tables. JSON never passes through here.

use crate::market::market_key::{Family, MarketSpec};
use crate::market::time::Timestamp;

/// Nothing to show.
pub const NONE: &str = "-";

/// `2026-01-10 23:30`, in UTC.
pub fn minute(at: Timestamp) -> String {
    at.to_chrono().format("%Y-%m-%d %H:%M").to_string()
}

/// `2026-01-10 23:30:05`, in UTC; milliseconds are left out.
pub fn second(at: Timestamp) -> String {
    at.to_chrono().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span of milliseconds in at most five letters: `32s`, `14m`, `2h05`, `12d`. Negative spans show as `0s`.
pub fn span(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m", s / 60),
        3600..172_800 => format!("{}h{:02}", s / 3600, s % 3600 / 60),
        _ => format!("{}d", s / 86_400),
    }
}

/// American odds with their sign.
pub fn american(price: i64) -> String {
    format!("{price:+}")
}

/// Decimal odds with three places, the finest step of exchanges.
pub fn decimal(price: f64) -> String {
    format!("{price:.3}")
}

/// A line: handicaps with their sign, totals without.
pub fn line(line: Option<f64>, market: &str) -> String {
    match line {
        None => NONE.to_owned(),
        Some(points) if MarketSpec::parse(market).family == Family::Spread && points != 0.0 => format!("{points:+}"),
        Some(points) => points.to_string(),
    }
}

/// `Away @ Home`; what is not an encounter of two has no names.
pub fn teams(away: &str, home: &str) -> String {
    match (away, home) {
        ("", "") => NONE.to_owned(),
        ("", one) | (one, "") => one.to_owned(),
        (away, home) => format!("{away} @ {home}"),
    }
}

/// A status with its reason: `suspect (stale)`. Of long reasons the part that tells them apart.
pub fn status(status: &str, reason: Option<&str>) -> String {
    reason.map_or_else(
        || status.to_owned(),
        |reason| format!("{status} ({})", reason.strip_prefix("event_").unwrap_or(reason)),
    )
}

/// A number of bytes as people read it.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut size = n as f64;
    let mut name = "B";
    for unit in UNITS {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        name = unit;
    }
    if name == "B" { format!("{n} B") } else { format!("{size:.1} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short_and_never_negative() {
        for (s, text) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h00"),
            (172_799, "47h59"),
            (172_800, "2d"),
        ] {
            assert_eq!(span(s * 1000), text);
        }
        assert!(span(i64::MAX).ends_with('d') && span(i64::MIN) == "0s");
    }

    #[test]
    fn numbers_are_written_as_in_the_trade() {
        assert_eq!((american(-110), american(150)), ("-110".into(), "+150".into()));
        assert_eq!((decimal(1.5), decimal(1.0 + 100.0 / 110.0)), ("1.500".into(), "1.909".into()));
        let spread = |p| line(Some(p), "spreads");
        assert_eq!((spread(3.5), spread(-3.0), spread(0.0)), ("+3.5".into(), "-3".into(), "0".into()));
        assert_eq!((line(Some(221.5), "totals"), line(None, "h2h")), ("221.5".into(), "-".into()));
        assert_eq!((bytes(999), bytes(1_000), bytes(12_340_000)), ("999 B".into(), "1.0 kB".into(), "12.3 MB".into()));
    }

    #[test]
    fn names_of_encounters() {
        assert_eq!(teams("A", "B"), "A @ B");
        assert_eq!((teams("", ""), teams("", "B")), ("-".into(), "B".into()));
        assert_eq!(status("suspect", Some("stale")), "suspect (stale)");
        assert_eq!(
            (status("open", None), status("suspect", Some("event_missing"))),
            ("open".into(), "suspect (missing)".into())
        );
    }
}
