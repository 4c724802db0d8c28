//! How to divide a stake over the legs of an arbitrage: rounding, limits, and what is sure afterwards.
//!
//! A refunded line returns every stake: then the profit is nothing, not a loss.

use serde::Serialize;

use crate::market::value::{Arbitrage, raw_sum, round_stakes};

/// Why no division exists.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum SplitError {
    /// The prices cost at least what they return.
    #[error("the prices sum to {0:.4}; below 1 they would be an arbitrage")]
    NoArbitrage(f64),
    /// A stake must be positive.
    #[error("a total stake of {0} cannot be divided")]
    Total(f64),
    /// A unit must be positive; 0 is "do not round".
    #[error("stakes cannot be rounded to units of {0}; 0 leaves them as they are")]
    Unit(f64),
    /// One limit for every leg, or none at all.
    #[error("{limits} limits were given for {legs} legs")]
    Limits {
        /// Limits given.
        limits: usize,
        /// Legs.
        legs: usize,
    },
    /// A leg is left without a stake by its limit, or the total is too small for the unit.
    #[error("leg {0} is left without a stake; raise its limit or the total, or take a smaller unit")]
    Empty(usize),
}

/// Stakes, and what they bring.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Split {
    /// Stake of each leg, in the order of the odds.
    pub stakes: Vec<f64>,
    /// All of them together.
    pub staked: f64,
    /// Profit if this leg wins, in the order of the odds.
    pub profits: Vec<f64>,
    /// The smallest of them: what is sure. Rounding can make it a loss.
    pub worst: f64,
    /// `worst` as a share of what is staked.
    pub worst_rate: f64,
}

impl Split {
    /// Of stakes as they are, rounded and limited by whoever places them.
    pub fn of(odds: &[f64], stakes: Vec<f64>) -> Self {
        let staked: f64 = stakes.iter().sum();
        let profits = Arbitrage::profits(odds, &stakes);
        let worst = Arbitrage::worst_profit(odds, &stakes);
        Self { staked, profits, worst, worst_rate: if staked > 0.0 { worst / staked } else { 0.0 }, stakes }
    }

    /// Something is sure to be won.
    pub fn is_sure(&self) -> bool {
        self.worst > 0.0
    }
}

/// Divides `total` over the legs of an arbitrage so that every result returns the same, as nearly as `unit` (0: no
/// rounding) and the largest stake of each leg (`caps`; empty or `None`: no limit) allow. Odds are those after fees. No
/// stake exceeds its limit and the sum does not exceed the total.
///
/// # Errors
/// [`SplitError`] says which number is in the way.
pub fn plan(odds: &[f64], total: f64, unit: f64, caps: &[Option<f64>]) -> Result<Split, SplitError> {
    let arbitrage = Arbitrage::find(odds).ok_or_else(|| SplitError::NoArbitrage(raw_sum(odds)))?;
    if !(total > 0.0 && total.is_finite()) {
        return Err(SplitError::Total(total));
    }
    if !(unit >= 0.0 && unit.is_finite()) {
        return Err(SplitError::Unit(unit));
    }
    if !caps.is_empty() && caps.len() != odds.len() {
        return Err(SplitError::Limits { limits: caps.len(), legs: odds.len() });
    }
    // Limits in whole units: what is rounded to the nearest unit then stays within them.
    let whole = |x: f64| if unit > 0.0 { (x / unit + 1e-9).floor() * unit } else { x };
    let caps: Vec<Option<f64>> = caps.iter().map(|cap| cap.map(whole)).collect();
    let stakes = round_stakes(&arbitrage.capped_stakes(whole(total), &caps), unit);
    match stakes.iter().position(|s| s.is_nan() || *s <= 0.0) {
        Some(leg) => Err(SplitError::Empty(leg)),
        None => Ok(Split::of(odds, stakes)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const D105: f64 = 1.0 + 100.0 / 105.0;

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got}, wanted {want}");
    }

    #[test]
    fn five_hundred_over_two_legs() {
        let odds = [2.1, D105];
        let exact = plan(&odds, 500.0, 0.0, &[]).expect("plan");
        near(exact.stakes[0], 240.89, 0.005);
        near(exact.stakes[1], 259.11, 0.005);
        near(exact.worst_rate, 0.011_75, 5e-6);
        let rounded = plan(&odds, 500.0, 20.0, &[]).expect("plan");
        assert_eq!(rounded.stakes, [240.0, 260.0]);
        near(rounded.profits[0], 4.00, 0.005);
        near(rounded.profits[1], 7.62, 0.005);
        near(rounded.worst, 4.00, 0.005);
        let capped = plan(&odds, 500.0, 10.0, &[Some(150.0), None]).expect("plan");
        assert_eq!(capped.stakes, [150.0, 160.0]);
        near(capped.profits[0], 5.00, 0.005);
        near(capped.profits[1], 2.38, 0.005);
        assert!(capped.is_sure());
    }

    #[test]
    fn three_legs() {
        let odds = [2.75, 3.80, 3.10];
        let exact = plan(&odds, 1000.0, 0.0, &[]).expect("plan");
        near(exact.worst_rate, 0.053_3, 5e-5);
        assert!(exact.profits.iter().all(|p| (p - exact.worst).abs() < 1e-9));
        let rounded = plan(&odds, 1000.0, 5.0, &[None, Some(200.0), None]).expect("plan");
        assert_eq!(rounded.stakes[1], 200.0);
        assert!(rounded.is_sure() && rounded.staked < 1000.0);
    }

    #[test]
    fn rounding_can_eat_the_profit_and_says_so() {
        let split = plan(&[2.1, D105], 100.0, 50.0, &[]).expect("plan");
        assert_eq!(split.stakes, [50.0, 50.0]);
        near(split.worst, -2.38, 0.005);
        assert!(!split.is_sure());
    }

    #[test]
    fn what_cannot_be_divided() {
        let odds = [2.1, D105];
        assert!(matches!(plan(&[1.9, 1.9], 100.0, 1.0, &[]), Err(SplitError::NoArbitrage(s)) if s > 1.0));
        assert!(matches!(plan(&[2.1], 100.0, 1.0, &[]), Err(SplitError::NoArbitrage(_))));
        for total in [0.0, -5.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(plan(&odds, total, 1.0, &[]), Err(SplitError::Total(_))));
        }
        assert_eq!(plan(&odds, 100.0, -1.0, &[]), Err(SplitError::Unit(-1.0)));
        assert_eq!(plan(&odds, 100.0, 1.0, &[None]), Err(SplitError::Limits { limits: 1, legs: 2 }));
        assert_eq!(plan(&odds, 100.0, 1.0, &[Some(0.5), None]), Err(SplitError::Empty(0)));
        assert_eq!(plan(&odds, 10.0, 20.0, &[]), Err(SplitError::Empty(0)));
    }

    proptest! {
        #[test]
        fn limits_and_totals_hold(
            a in 1.2..6.0_f64, c in 2.0..9.0_f64, gift in 0.001..0.2_f64, total in 20.0..5000.0_f64,
            unit in prop::sample::select(vec![0.0, 0.01, 1.0, 5.0]), cap in prop::option::of(10.0..1000.0_f64),
        ) {
            // The third price completes the set to a sum below 1.
            let rest = 1.0 - gift - 1.0 / a - 1.0 / c;
            prop_assume!(rest > 0.02);
            let odds = [a, 1.0 / rest, c];
            if let Ok(split) = plan(&odds, total, unit, &[cap, None, cap]) {
                prop_assert!(split.staked <= total + 1e-6);
                for place in [0, 2] {
                    prop_assert!(cap.is_none_or(|cap| split.stakes[place] <= cap + 1e-6));
                }
                let worst = split.profits.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!((worst - split.worst).abs() < 1e-9);
                // A leg is off by less than a unit, and the stakes by less than a unit and a half each.
                let loss = unit * (3.0 + odds.iter().copied().fold(0.0, f64::max));
                prop_assert!(split.worst >= -loss);
            }
        }
    }
}
