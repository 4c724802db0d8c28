//! Several bets on one event taken together: hold, low hold, arbitrage and middles.
//!
//! Odds come in after fees. Whether the legs are fresh, and of the same rules, is the caller's business.

use crate::market::line::Line;
use crate::market::selection::Side;

/// Σ 1/d.
pub fn raw_sum(odds: &[f64]) -> f64 {
    odds.iter().map(|d| 1.0 / d).sum()
}

/// The book's share of the turnover: 1 - 1/S. -110/-110 holds 4.5455 %.
pub fn hold(odds: &[f64]) -> f64 {
    1.0 - 1.0 / raw_sum(odds)
}

/// The margin on top of the fair book: S - 1. Not the same as the hold; both are in use.
pub fn overround(odds: &[f64]) -> f64 {
    raw_sum(odds) - 1.0
}

/// Hold over the best prices of a complete set of legs; `None` when negative, for that is an arbitrage.
pub fn low_hold(best: &[f64]) -> Option<f64> {
    let h = hold(best);
    (best.len() > 1 && h >= 0.0).then_some(h)
}

/// What must be covered for exactly one leg to win.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Home and away, a draw impossible or refunded.
    TwoWay,
    /// Home, draw and away.
    ThreeWay,
    /// A handicap: x on one team, -x on the other.
    Spread,
    /// Over and under the same total.
    Total,
    /// Yes and no.
    YesNo,
}

/// One side of a set of legs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Leg {
    /// Which side.
    pub side: Side,
    /// Its line, from its own side.
    pub line: Option<Line>,
}

/// The legs together are a complete market: exactly one of them wins, or all push together.
///
/// Two of three results are none, nor are -1.5 against -1.5, nor Over 44 against Under 43.5.
pub fn is_partition(shape: Shape, legs: &[Leg]) -> bool {
    let plain = |want: &[Side]| {
        legs.len() == want.len()
            && want.iter().all(|s| legs.iter().filter(|l| l.side == *s && l.line.is_none()).count() == 1)
    };
    match (shape, legs) {
        (Shape::TwoWay, _) => plain(&[Side::Home, Side::Away]),
        (Shape::ThreeWay, _) => plain(&[Side::Home, Side::Draw, Side::Away]),
        (Shape::YesNo, _) => plain(&[Side::Yes, Side::No]),
        (Shape::Spread, [a, b]) => {
            matches!((a.side, b.side), (Side::Home, Side::Away) | (Side::Away, Side::Home))
                && a.line.is_some()
                && a.line == b.line.map(Line::flipped)
        }
        (Shape::Total, [a, b]) => {
            matches!((a.side, b.side), (Side::Over, Side::Under) | (Side::Under, Side::Over))
                && a.line.is_some()
                && a.line == b.line
        }
        _ => false,
    }
}

/// A set of prices that cannot lose.
#[derive(Clone, PartialEq, Debug)]
pub struct Arbitrage {
    /// Σ 1/d, below 1.
    pub sum: f64,
    /// Profit on the whole stake: 1/S - 1 (not 1 - S).
    pub profit: f64,
    /// Share of the whole stake for each leg; they sum to 1.
    pub shares: Vec<f64>,
}

impl Arbitrage {
    /// The arbitrage in the odds of a complete set of legs (see [`is_partition`]); `None` when there is none or an
    /// odds value is not above 1.
    pub fn find(odds: &[f64]) -> Option<Self> {
        if odds.len() < 2 || !odds.iter().all(|d| *d > 1.0 && d.is_finite()) {
            return None;
        }
        let sum = raw_sum(odds);
        (sum < 1.0).then(|| Self { sum, profit: 1.0 / sum - 1.0, shares: odds.iter().map(|d| 1.0 / d / sum).collect() })
    }

    /// Stakes that together are `total`, not rounded.
    pub fn stakes(&self, total: f64) -> Vec<f64> {
        self.shares.iter().map(|s| s * total).collect()
    }

    /// Profit of each result, for stakes as they were placed.
    pub fn profits(odds: &[f64], stakes: &[f64]) -> Vec<f64> {
        let total: f64 = stakes.iter().sum();
        odds.iter().zip(stakes).map(|(d, s)| d * s - total).collect()
    }

    /// The smallest of [`Arbitrage::profits`]: what is sure after rounding. NaN for no legs.
    pub fn worst_profit(odds: &[f64], stakes: &[f64]) -> f64 {
        Self::profits(odds, stakes).into_iter().fold(f64::NAN, f64::min)
    }

    /// The largest stakes in these proportions when legs are capped (`None` is no cap) and the whole may not exceed
    /// `total`.
    pub fn capped_stakes(&self, total: f64, caps: &[Option<f64>]) -> Vec<f64> {
        let room =
            self.shares.iter().zip(caps).filter_map(|(s, cap)| cap.map(|c| c.max(0.0) / s)).fold(total, f64::min);
        self.stakes(room)
    }
}

/// Stakes rounded to whole units so that their sum stays that of the stakes, as nearly as units allow.
///
/// Every stake is rounded to the nearest unit; if the sum then misses, the legs whose rounding went furthest the wrong
/// way give or take a unit. Units that are not positive round nothing.
pub fn round_stakes(stakes: &[f64], unit: f64) -> Vec<f64> {
    if !(unit > 0.0 && unit.is_finite()) {
        return stakes.to_vec();
    }
    let mut units: Vec<f64> = stakes.iter().map(|s| (s / unit).round()).collect();
    let want = (stakes.iter().sum::<f64>() / unit).round();
    for _ in 0..stakes.len() {
        let missing = want - units.iter().sum::<f64>();
        if missing.is_nan() || missing.abs() < 0.5 {
            break;
        }
        let sign = missing.signum();
        let furthest = stakes
            .iter()
            .zip(&units)
            .map(|(s, u)| (s / unit - u) * sign)
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        if let Some(u) = furthest.and_then(|(i, _)| units.get_mut(i)) {
            *u += sign;
        }
    }
    units.into_iter().map(|u| u * unit).collect()
}

/// Two bets on opposite sides at different lines, of which both can win.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Middle {
    /// Odds of the two legs.
    pub odds: [f64; 2],
    /// Chance that both win.
    pub both_win: f64,
    /// Chance that the first wins and the second is refunded, and the other way round.
    pub win_push: [f64; 2],
    /// Chance that the first wins and the second loses, and the other way round.
    pub win_lose: [f64; 2],
}

impl Middle {
    /// Mean profit on a whole stake of 1, divided so that either leg alone returns the same.
    pub fn ev(&self) -> f64 {
        let [a, b] = self.odds;
        // Shares a : b as 1/a : 1/b; each leg then returns r.
        let r = a * b / (a + b);
        let (first, second) = (r / a, r / b);
        let [fp, sp] = self.win_push;
        let [fl, sl] = self.win_lose;
        let lost = 1.0 - self.both_win - fp - sp - fl - sl;
        self.both_win * (2.0 * r - 1.0) + fp * (r + second - 1.0) + sp * (r + first - 1.0) + (fl + sl) * (r - 1.0)
            - lost.max(0.0)
    }

    /// The chance of both winning at which two legs at these odds break even, when otherwise exactly one wins.
    pub fn break_even(odds: [f64; 2]) -> f64 {
        let [a, b] = odds;
        let r = a * b / (a + b);
        1.0 / r - 1.0
    }

    /// The chance of (first wins, second refunded) at which the legs break even, when otherwise exactly one wins.
    pub fn break_even_push(odds: [f64; 2]) -> f64 {
        let [a, b] = odds;
        let r = a * b / (a + b);
        (1.0 - r) / (r / b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const D105: f64 = 1.0 + 100.0 / 105.0;
    const D110: f64 = 1.0 + 100.0 / 110.0;
    const D120: f64 = 1.0 + 100.0 / 120.0;

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got}, wanted {want}");
    }

    #[test]
    fn holds() {
        near(raw_sum(&[D110, D110]), 1.047_619, 1e-6);
        near(hold(&[D110, D110]), 0.045_455, 1e-6);
        near(overround(&[D110, D110]), 0.047_619, 1e-6);
        near(hold(&[2.0, 2.0]), 0.0, 1e-12);
        near(low_hold(&[2.0, D105]).expect("low hold"), 0.012_05, 5e-6);
        assert_eq!(low_hold(&[2.1, D105]), None);
        assert_eq!(low_hold(&[2.1]), None);
    }

    #[test]
    fn two_way_arbitrage() {
        let odds = [2.1, D105];
        let arb = Arbitrage::find(&odds).expect("arbitrage");
        near(arb.sum, 0.988_386, 1e-6);
        near(arb.profit, 0.011_75, 5e-6);
        for (g, w) in arb.stakes(500.0).iter().zip([240.89, 259.11]) {
            near(*g, w, 0.005);
        }
        let rounded = round_stakes(&arb.stakes(500.0), 20.0);
        assert_eq!(rounded, [240.0, 260.0]);
        let profits = Arbitrage::profits(&odds, &rounded);
        near(profits[0], 4.00, 0.005);
        near(profits[1], 7.62, 0.005);
        near(Arbitrage::worst_profit(&odds, &rounded), 4.0, 1e-9);
        let capped = arb.capped_stakes(500.0, &[Some(150.0), None]);
        near(capped[0], 150.0, 1e-9);
        near(capped[1], 161.34, 0.01);
        let profits = Arbitrage::profits(&odds, &[150.0, 160.0]);
        near(profits[0], 5.00, 0.005);
        near(profits[1], 2.38, 0.005);
    }

    #[test]
    fn more_arbitrage() {
        let three = Arbitrage::find(&[2.75, 3.80, 3.10]).expect("arbitrage");
        near(three.sum, 0.949_375, 1e-6);
        near(three.profit, 0.053_3, 5e-5);
        let two = Arbitrage::find(&[3.0, 1.0 + 100.0 / 150.0]).expect("arbitrage");
        near(two.sum, 0.933_333, 1e-6);
        near(two.profit, 0.071_4, 5e-5);
        near(two.shares[0], 0.357_1, 5e-5);
        let field = Arbitrage::find(&[4.0, 4.5, 5.0]).expect("arbitrage");
        near(field.sum, 0.672_222, 1e-6);
        near(field.profit, 0.487_6, 5e-5);
        for (g, w) in field.shares.iter().zip([0.3719, 0.3306, 0.2975]) {
            near(*g, w, 5e-5);
        }
        assert_eq!(Arbitrage::find(&[D110, D110]), None);
        assert_eq!(Arbitrage::find(&[2.0, 2.0]), None);
        // Soccer +120 / draw +230 / +240 is no arbitrage when all three are counted.
        assert_eq!(Arbitrage::find(&[2.2, 3.3, 3.4]), None);
        for bad in [&[2.0][..], &[], &[3.0, 1.0], &[3.0, f64::NAN], &[3.0, f64::INFINITY]] {
            assert_eq!(Arbitrage::find(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_complete_sets_are_markets() {
        let leg = |side, points: Option<f64>| Leg { side, line: points.and_then(Line::from_points) };
        let (home, draw, away) = (leg(Side::Home, None), leg(Side::Draw, None), leg(Side::Away, None));
        assert!(is_partition(Shape::ThreeWay, &[home, away, draw]));
        assert!(!is_partition(Shape::ThreeWay, &[home, away]), "two of three");
        assert!(!is_partition(Shape::ThreeWay, &[home, home, draw]));
        assert!(is_partition(Shape::TwoWay, &[away, home]));
        let (h, a) = (|p| leg(Side::Home, Some(p)), |p| leg(Side::Away, Some(p)));
        assert!(is_partition(Shape::Spread, &[h(-1.5), a(1.5)]));
        assert!(!is_partition(Shape::Spread, &[h(-1.5), a(-1.5)]), "a one-run game loses both");
        assert!(is_partition(Shape::Spread, &[h(0.0), a(0.0)]));
        assert!(!is_partition(Shape::Spread, &[home, away]), "a missing line is not zero");
        assert!(!is_partition(Shape::TwoWay, &[h(-1.5), away]), "a spread is no moneyline");
        let (o, u) = (|p| leg(Side::Over, Some(p)), |p| leg(Side::Under, Some(p)));
        assert!(is_partition(Shape::Total, &[o(44.0), u(44.0)]));
        assert!(!is_partition(Shape::Total, &[o(44.0), u(43.5)]));
        assert!(!is_partition(Shape::Total, &[o(44.0), o(44.0)]));
    }

    #[test]
    fn middles() {
        let vig = [D110, D110];
        near(Middle::break_even(vig), 0.047_619, 1e-6);
        near(Middle::break_even_push(vig), 0.090_909, 1e-6);
        let at = |both_win: f64, win_push: f64| {
            let rest = 0.5 * (1.0 - both_win - win_push);
            Middle { odds: vig, both_win, win_push: [win_push, 0.0], win_lose: [rest, rest] }.ev()
        };
        near(at(1.0 / 21.0, 0.0), 0.0, 1e-12);
        near(at(0.0, 1.0 / 11.0), 0.0, 1e-12);
        // -2.5/+3.5 on a field goal is good, -2.5/+3 about nothing.
        assert!(at(0.094, 0.0) > 0.04);
        near(at(0.0, 0.094), 0.0, 0.002);
        // Home -3 at -110 with away +3.5 at -120: a three-point win refunds the first leg and wins the second.
        let m = Middle { odds: [D110, D120], both_win: 0.0, win_push: [0.0, 0.094], win_lose: [0.453, 0.453] };
        near(m.ev(), -0.019, 5e-4);
    }

    #[test]
    fn rounding_keeps_the_sum() {
        assert_eq!(round_stakes(&[33.4, 33.3, 33.3], 1.0), [34.0, 33.0, 33.0]);
        assert_eq!(round_stakes(&[16.6, 16.7, 16.7], 1.0).iter().sum::<f64>(), 50.0);
        assert_eq!(round_stakes(&[1.5, 2.5], 0.0), [1.5, 2.5]);
        assert_eq!(round_stakes(&[f64::NAN, 2.5], 1.0).len(), 2);
    }
}
