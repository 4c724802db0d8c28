//! The point of a spread or total.

use std::num::NonZeroI32;

/// A line, from the selection's own side: the home team at -3.5 has its opponent at +3.5.
///
/// Kept in hundredths of a point, which holds every quarter line exactly. Zero is a real line (a pick'em).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(
    /// Hundredths, one more where they are not negative: never 0, so that an optional line takes no more room, and in the
    /// order of the lines.
    NonZeroI32,
);

/// Beyond this many points no line is plausible in any sport.
const MAX_POINTS: f64 = 10_000.0;

impl Line {
    /// A line of so many points; `None` when not finite, implausibly large or finer than a hundredth.
    pub fn from_points(points: f64) -> Option<Self> {
        if !points.is_finite() || points.abs() > MAX_POINTS {
            return None;
        }
        let hundredths = (points * 100.0).round();
        ((points * 100.0 - hundredths).abs() < 1e-6).then_some(Self::from_hundredths(hundredths as i32))
    }

    /// Points.
    pub fn points(self) -> f64 {
        f64::from(self.hundredths()) / 100.0
    }

    /// Hundredths of a point, for the store.
    pub const fn hundredths(self) -> i32 {
        let n = self.0.get();
        if n > 0 { n - 1 } else { n }
    }

    /// The line of so many hundredths.
    pub const fn from_hundredths(hundredths: i32) -> Self {
        let n = if hundredths >= 0 { hundredths.saturating_add(1) } else { hundredths };
        match NonZeroI32::new(n) {
            Some(n) => Self(n),
            None => Self(NonZeroI32::MIN),
        }
    }

    /// The same line seen from the other side of a spread.
    pub const fn flipped(self) -> Self {
        Self::from_hundredths(self.hundredths().saturating_neg())
    }

    /// A result can land exactly on this line and the bet is refunded.
    pub const fn can_push(self) -> bool {
        self.hundredths() % 100 == 0
    }

    /// An Asian quarter line: the stake is split over the two neighbouring half lines.
    pub const fn is_quarter(self) -> bool {
        matches!(self.hundredths() % 50, 25 | -25)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+}", self.points())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_exact_and_zero_is_a_line() {
        for p in [-3.5, 0.0, 0.25, -0.75, 221.5] {
            assert_eq!(Line::from_points(p).map(Line::points), Some(p));
        }
        assert!(Line::from_points(0.0).is_some_and(Line::can_push));
        assert!(Line::from_points(-0.25).is_some_and(Line::is_quarter));
        assert!(!Line::from_points(-0.5).is_some_and(Line::is_quarter));
    }

    #[test]
    fn every_line_keeps_its_hundredths_and_its_order() {
        let all: Vec<Line> = (-30_000..=30_000).map(Line::from_hundredths).collect();
        assert!(all.iter().zip(-30_000..).all(|(line, h)| line.hundredths() == h && line.flipped().hundredths() == -h));
        assert!(all.is_sorted() && all.windows(2).all(|w| w[0] != w[1]));
        for h in [i32::MIN, i32::MIN + 1, i32::MAX - 1] {
            assert_eq!(Line::from_hundredths(h).hundredths(), h);
        }
        assert_eq!(size_of::<Option<Line>>(), 4, "a missing line takes no room of its own");
    }

    #[test]
    fn nonsense_is_refused() {
        for p in [f64::NAN, f64::INFINITY, 1e9, 0.123_4] {
            assert_eq!(Line::from_points(p), None);
        }
    }
}
