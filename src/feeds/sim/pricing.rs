//! From what a book believes to what it quotes: lines, fair probabilities, margin, rounding.
//!
//! A belief is a location (expected margin or total) and a deviation. The spread of margins is a bell curve with
//! heavier key numbers, which is what makes a book move the price at 3 and 7 before it moves the line.

use super::sports::{SportProfile, SpreadStyle};

/// Margins further out than this are not modelled.
const REACH: i32 = 80;
const SIZE: usize = (2 * REACH + 1) as usize;

/// Distribution function of the standard normal (Abramowitz and Stegun 26.2.19, error below 1.5e-7). Only products
/// and one quotient, so that it is the same on every platform.
pub fn normal_cdf(x: f64) -> f64 {
    let a = x.abs();
    let mut poly = 5.383e-6;
    for c in [4.889_06e-5, 3.800_36e-5, 3.277_626_3e-3, 2.114_100_61e-2, 4.986_734_7e-2, 1.0] {
        poly = poly * a + c;
    }
    let p2 = poly * poly;
    let p4 = p2 * p2;
    let p8 = p4 * p4;
    let tail = 0.5 / (p8 * p8);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Probabilities of the final margin (home minus away).
pub struct Margins([f64; SIZE]);

impl Margins {
    /// Of a game with expected margin `m` and deviation `sd` (at least 0.3 is used).
    pub fn new(sport: &SportProfile, m: f64, sd: f64) -> Self {
        let sd = sd.max(0.3);
        let mut p = [0.0; SIZE];
        let mut below = normal_cdf((f64::from(-REACH) - 0.5 - m) / sd);
        let mut sum = 0.0;
        for (slot, k) in p.iter_mut().zip(-REACH..=REACH) {
            let upto = normal_cdf((f64::from(k) + 0.5 - m) / sd);
            *slot = (upto - below) * sport.margin_weight(k);
            sum += *slot;
            below = upto;
        }
        for slot in &mut p {
            *slot /= sum.max(1e-12);
        }
        Self(p)
    }

    fn mass(&self, keep: impl Fn(i32) -> bool) -> f64 {
        self.0.iter().zip(-REACH..=REACH).filter(|&(_, k)| keep(k)).map(|(p, _)| p).sum()
    }

    /// Probability that home covers the home point `hundredths / 100`, given no push.
    pub fn cover(&self, hundredths: i32) -> f64 {
        let win = self.mass(|k| 100 * k + hundredths > 0);
        let lose = self.mass(|k| 100 * k + hundredths < 0);
        win / (win + lose).max(1e-12)
    }

    /// The margin at which the probabilities below and above balance. Key numbers pull it away from the expectation.
    fn median(&self) -> i32 {
        let mut below = 0.0;
        for (p, k) in self.0.iter().zip(-REACH..=REACH) {
            below += p;
            if below >= 0.5 {
                return k;
            }
        }
        REACH
    }

    /// Probabilities of home win, draw, away win.
    pub fn results(&self) -> (f64, f64, f64) {
        (self.mass(|k| k > 0), self.mass(|k| k == 0), self.mass(|k| k < 0))
    }
}

/// What the margin model says of one belief.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginView {
    /// Home point, hundredths.
    pub line: i32,
    /// Probability that home covers it, given no push.
    pub cover: f64,
    /// Home wins.
    pub home: f64,
    /// Neither wins.
    pub draw: f64,
}

/// The line a book hangs for a belief, and the probabilities that go with it.
pub fn margin_view(sport: &SportProfile, m: f64, sd: f64, pregame: bool) -> MarginView {
    let margins = Margins::new(sport, m, sd);
    let (home, draw, _) = margins.results();
    let line = match sport.style {
        SpreadStyle::Fixed(points) if pregame => {
            let p = (points * 100.0) as i32;
            if home >= 0.5 { -p } else { p }
        }
        _ => nearest_even(-100 * margins.median(), |line| margins.cover(line)),
    };
    MarginView { line, cover: margins.cover(line), home, draw }
}

/// The line around `start` at which the probability is nearest to one half. Ties go to the smaller line.
fn nearest_even(start: i32, p: impl Fn(i32) -> f64) -> i32 {
    let mut best = (f64::INFINITY, start);
    for step in -4..=4 {
        let line = start + step * 50;
        let miss = (p(line) - 0.5).abs();
        let closer = miss < best.0 - 1e-9 || (miss < best.0 + 1e-9 && line.abs() < best.1.abs());
        if closer {
            best = (miss, line);
        }
    }
    best.1
}

/// Probability of Over at `hundredths / 100`, given no push, for an expected total `t`.
pub fn over(t: f64, sd: f64, hundredths: i32) -> f64 {
    let line = f64::from(hundredths) / 100.0;
    let sd = sd.max(0.3);
    let half = if hundredths % 100 == 0 { 0.5 } else { 0.0 };
    let over = 1.0 - normal_cdf((line + half - t) / sd);
    let under = normal_cdf((line - half - t) / sd);
    over / (over + under).max(1e-12)
}

/// The total a book hangs, and its probability of Over. Never below half a point.
pub fn total_view(t: f64, sd: f64) -> (i32, f64) {
    let line = nearest_even((t * 2.0).round() as i32 * 50, |line| over(t, sd, line)).max(50);
    (line, over(t, sd, line))
}

/// The expected margin whose fair home point is `hundredths / 100`.
pub fn margin_for_line(sport: &SportProfile, hundredths: i32, sd: f64) -> f64 {
    // Cover grows with the expectation: bisect.
    let centre = -f64::from(hundredths) / 100.0;
    let (mut low, mut high) = (centre - 12.0, centre + 12.0);
    for _ in 0..42 {
        let mid = (low + high) / 2.0;
        if Margins::new(sport, mid, sd).cover(hundredths) < 0.5 {
            low = mid;
        } else {
            high = mid;
        }
    }
    (low + high) / 2.0
}

/// Odds as quoted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Odds {
    /// Decimal odds in thousandths.
    pub milli: u32,
    /// American odds.
    pub american: i32,
}

impl Odds {
    /// Odds of a decimal number in thousandths (at least 1.001).
    pub fn from_milli(milli: u32) -> Self {
        let milli = milli.max(1001);
        let d = f64::from(milli) / 1000.0;
        let american = crate::market::price::decimal_to_american(d).clamp(-100_000, 1_000_000) as i32;
        Self { milli, american }
    }

    /// Odds of an American number; the decimal is rounded to two places as the provider does.
    pub fn from_american(american: i32) -> Self {
        let a = f64::from(american);
        let d = if american > 0 { 1.0 + a / 100.0 } else { 1.0 - 100.0 / a };
        Self { milli: ((d * 100.0).round() as u32 * 10).max(1010), american }
    }
}

/// How finely a book rounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ladder {
    /// American odds in steps of so many cents near even money.
    American(i32),
    /// Decimal odds in steps of a hundredth.
    Decimal,
}

/// The quote for a fair probability: margin added in proportion, then rounded against the bettor.
pub fn quote(fair: f64, margin: f64, ladder: Ladder) -> Odds {
    // Sure things are quoted as nearly sure, so that the two sides still add up to more than one.
    let raw = (fair.clamp(0.015, 0.985) * (1.0 + margin)).min(0.990_1);
    let d = 1.0 / raw;
    match ladder {
        Ladder::Decimal => {
            let step = if d < 4.0 {
                10.0
            } else if d < 10.0 {
                50.0
            } else {
                500.0
            };
            Odds::from_milli((((d * 1000.0 / step).floor() * step) as u32).max(1010))
        }
        Ladder::American(step) => {
            // Cents from even money: -110 is -10, +105 is 5. One scale without the gap between -100 and +100.
            let cents = if d >= 2.0 { 100.0 * (d - 1.0) - 100.0 } else { 100.0 - 100.0 / (d - 1.0) };
            let step = match cents.abs() {
                c if c < 100.0 => f64::from(step),
                c if c < 300.0 => 10.0,
                c if c < 900.0 => 25.0,
                _ => 100.0,
            };
            let cents = ((cents / step).floor() * step) as i32;
            Odds::from_american(if cents >= 0 { cents + 100 } else { cents - 100 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sports::sport;
    use super::*;

    #[test]
    fn the_normal_distribution_matches_the_tables() {
        for (x, want) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)] {
            assert!((normal_cdf(x) - want).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn football_clings_to_three() {
        let nfl = sport("americanfootball_nfl").expect("nfl");
        let width = |line| {
            (0..2000)
                .map(|i| f64::from(i) * 0.005)
                .filter(|&m| margin_view(nfl, m, nfl.sd_margin, true).line == line)
                .count()
        };
        assert!(width(-300) > 2 * width(-450), "{} {}", width(-300), width(-450));
        let back = margin_for_line(nfl, -350, nfl.sd_margin);
        let view = margin_view(nfl, back, nfl.sd_margin, true);
        assert_eq!(view.line, -350);
        for line in [750, 650, -250, 300, 0] {
            let m = margin_for_line(nfl, line, nfl.sd_margin);
            assert_eq!(margin_view(nfl, m, nfl.sd_margin, true).line, line, "{m}");
        }
        assert!((view.cover - 0.5).abs() < 1e-6);
    }

    #[test]
    fn standard_prices() {
        assert_eq!(quote(0.5, 0.0476, Ladder::American(5)).american, -110);
        assert_eq!(quote(0.5, 0.0476, Ladder::American(5)).milli, 1910);
        assert_eq!(quote(0.5, 0.02, Ladder::Decimal).milli, 1960);
        assert_eq!(quote(0.99, 0.05, Ladder::Decimal).milli, 1010);
        assert!(quote(0.0001, 0.05, Ladder::American(5)).american > 5_000);
    }

    #[test]
    fn no_book_gives_money_away() {
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            for (margin, ladder) in
                [(0.012, Ladder::Decimal), (0.045, Ladder::American(5)), (0.03, Ladder::American(1))]
            {
                let sum = 1000.0 / f64::from(quote(p, margin, ladder).milli)
                    + 1000.0 / f64::from(quote(1.0 - p, margin, ladder).milli);
                assert!(sum > 1.0, "{p} {ladder:?} {sum}");
            }
        }
    }
}
