//! Round numbers and round times along the edges of a chart.

use chrono::{Offset, TimeZone};

use super::chart::{Range, Window};
use crate::board::format::Zone;
use crate::market::time::Timestamp;

/// A range that holds all values with a little room, at least `least` wide. Without values one around 0.
pub fn range(values: impl Iterator<Item = f64>, least: f64) -> Range {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|v| v.is_finite()) {
        (low, high) = (low.min(value), high.max(value));
    }
    if low > high {
        (low, high) = (0.0, 0.0);
    }
    let room = ((high - low) * 0.06).max((least - (high - low)) * 0.5).max(f64::EPSILON);
    Range { low: low - room, high: high + room }
}

/// The smallest of 1, 2, 5 times a power of ten that gives at most `most` ticks.
pub fn step(range: Range, most: usize) -> f64 {
    let wanted = (range.high - range.low) / most.max(1) as f64;
    if !(wanted.is_finite() && wanted > 0.0) {
        return 1.0;
    }
    let power = 10.0_f64.powf(wanted.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|s| *s >= wanted).unwrap_or(10.0 * power)
}

/// Round values within a range, at most `most` of them, rising.
pub fn ticks(range: Range, most: usize) -> Vec<f64> {
    let step = step(range, most);
    let first = (range.low / step).ceil() as i64;
    let last = (range.high / step).floor() as i64;
    (first..=last.min(first.saturating_add(most as i64))).map(|n| n as f64 * step).collect()
}

/// Round times of the user's day within a window, at most `most` of them. Milliseconds since 1970.
pub fn times(window: Window, most: usize, zone: Zone) -> Vec<i64> {
    const MINUTES: [i64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080];
    let Some(wanted) = window.span().checked_div(most.max(1) as i64) else { return Vec::new() };
    let Some(step) = MINUTES.into_iter().map(|m| m * 60_000).find(|s| *s >= wanted) else { return Vec::new() };
    let utc = Timestamp::from_millis(window.to).to_chrono().naive_utc();
    let offset = i64::from(zone.0.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1000;
    let first = (window.from + offset).div_euclid(step) * step - offset;
    (0..=most as i64 + 1).map(|n| first + n * step).filter(|t| *t >= window.from && *t <= window.to).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        let of = |low, high, most| ticks(Range { low, high }, most);
        assert_eq!(of(-5.3, -2.9, 5), [-5.0, -4.5, -4.0, -3.5, -3.0]);
        assert_eq!(of(48.1, 55.0, 4), [50.0, 52.0, 54.0]);
        let zone = Zone::parse("America/New_York").expect("zone");
        let at = |t: &str| Timestamp::parse(t).expect("time").millis();
        let window = Window { from: at("2026-11-20T23:01:00Z"), to: at("2026-11-20T23:41:00Z") };
        let told: Vec<String> =
            times(window, 5, zone).into_iter().map(|t| zone.hm(Timestamp::from_millis(t))).collect();
        assert_eq!(told, ["18:10", "18:20", "18:30", "18:40"]);
    }

    #[test]
    fn a_flat_line_has_room() {
        let flat = range([-3.5, -3.5].into_iter(), 1.0);
        assert!(flat.low <= -3.9 && flat.high >= -3.1, "{flat:?}");
        let none = range(std::iter::empty(), 1.0);
        assert!(none.low < none.high);
    }

    proptest! {
        #[test]
        fn values_lie_within_and_ticks_are_few(values in proptest::collection::vec(-1e4_f64..1e4, 1..20), most in 1_usize..9) {
            let range = range(values.iter().copied(), 1.0);
            prop_assert!(values.iter().all(|v| range.low <= *v && *v <= range.high));
            let ticks = ticks(range, most);
            prop_assert!(ticks.len() <= most + 1);
            prop_assert!(ticks.iter().all(|t| range.low - 1e-6 <= *t && *t <= range.high + 1e-6));
        }
    }
}
