//! Numbers as they stand in the formula lines of derivations.

use crate::market::market_key::{Family, MarketSpec};

/// Differences below this are rounding.
pub(super) const SAME: f64 = 1e-9;

/// A line, with its sign where it is a handicap.
pub(super) fn line(line: f64, market: &str) -> String {
    if MarketSpec::parse(market).family == Family::Spread && line != 0.0 {
        format!("{line:+}")
    } else {
        line.to_string()
    }
}

/// ` -3.5`, or nothing where there is no line.
pub(super) fn at_line(of: Option<f64>, market: &str) -> String {
    of.map_or_else(String::new, |l| format!(" {}", line(l, market)))
}

/// A probability or share as percent, two places.
pub(super) fn percent(p: f64) -> String {
    format!("{:.2} %", 100.0 * p)
}

/// A value on a scale, or a weight: four places.
pub(super) fn four(x: f64) -> String {
    format!("{x:.4}")
}

/// A probability in a formula: five places.
pub(super) fn five(x: f64) -> String {
    format!("{x:.5}")
}

/// Seconds as people say them.
pub(super) fn seconds(s: f64) -> String {
    if s < 120.0 { format!("{s:.0} s") } else { format!("{:.1} min", s / 60.0) }
}

/// Terms joined by plus signs: at most `most` of them, then how many more.
pub(super) fn sum(terms: &[String], most: usize) -> String {
    let shown = terms.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(" + ");
    match terms.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} + {more} more"),
    }
}
