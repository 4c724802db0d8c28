//! What a stake gets out of an order book: levels are taken from the best on, each with the fee that its price has.
//!
//! Owns the arithmetic alone: no order book is kept here, and nobody is asked for one. Prices are probabilities, sizes are
//! shares that pay a dollar each.

use super::books::Fee;

/// What a stake got.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fill {
    /// Shares bought.
    pub shares: f64,
    /// Dollars spent, fees included; less than the stake where the levels do not hold it.
    pub spent: f64,
    /// Dollars a share on average, fees included, between 0 and 1.
    pub cost: f64,
    /// The worst price that had to be taken, without its fee.
    pub worst: f64,
    /// The levels held the whole stake.
    pub complete: bool,
}

/// What a share at price `p` costs a taker with its fee: .53248 for .52 at a rate of .05. `None` for what is no price, and
/// where nothing is left to win.
pub fn cost(p: f64, fee: Fee) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    fee.effective_decimal(1.0 / p).map(|decimal| 1.0 / decimal)
}

/// Buys for `stake` dollars, fees included, from levels of (price, shares), the best first. `None` when the stake is no
/// positive amount or nothing can be bought.
pub fn fill(levels: impl IntoIterator<Item = (f64, f64)>, stake: f64, fee: Fee) -> Option<Fill> {
    if !(stake.is_finite() && stake > 0.0) {
        return None;
    }
    // What is left over by rounding is no money.
    let dust = stake * 1e-12;
    let (mut left, mut shares, mut worst) = (stake, 0.0, None);
    for (price, size) in levels {
        if left <= dust {
            break;
        }
        let Some(each) = cost(price, fee).filter(|_| size > 0.0 && size.is_finite()) else { continue };
        let taken = (left / each).min(size);
        shares += taken;
        left -= taken * each;
        worst = Some(price);
    }
    let spent = stake - left.max(0.0);
    Some(Fill { shares, spent, cost: spent / shares, worst: worst?, complete: left <= dust })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FEE: Fee = Fee::Polymarket(0.05);

    #[test]
    fn a_share_costs_its_price_and_the_fee() {
        assert!((cost(0.52, FEE).expect("a price") - 0.532_48).abs() < 1e-12);
        for none in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(cost(none, FEE), None);
        }
    }

    #[test]
    fn levels_are_taken_from_the_best_on() {
        let levels = [(0.50, 100.0), (0.52, 1000.0)];
        let small = fill(levels, 40.0, Fee::None).expect("filled");
        assert_eq!((small.cost, small.worst, small.complete), (0.5, 0.5, true));
        let large = fill(levels, 102.0, Fee::None).expect("filled");
        assert!((large.shares - 200.0).abs() < 1e-9 && (large.cost - 0.51).abs() < 1e-12);
        let all = fill(levels, 10_000.0, Fee::None).expect("filled in part");
        assert!(!all.complete && (all.spent - 570.0).abs() < 1e-9);
        assert_eq!(fill([], 10.0, FEE), None);
        assert_eq!(fill(levels, 0.0, FEE), None);
        assert_eq!(fill(levels, f64::NAN, FEE), None);
        assert_eq!(fill([(0.5, 0.0), (1.0, 9.0)], 10.0, FEE), None);
    }

    proptest! {
        #[test]
        fn more_never_costs_less_and_never_more_than_the_worst(
            mut prices in proptest::collection::vec(0.01_f64..0.99, 1..6),
            sizes in proptest::collection::vec(0.1_f64..1000.0, 6),
            stake in 0.1_f64..5000.0,
        ) {
            prices.sort_by(f64::total_cmp);
            let levels: Vec<(f64, f64)> = prices.into_iter().zip(sizes).collect();
            let one = fill(levels.clone(), stake, FEE).expect("filled");
            let two = fill(levels.clone(), stake * 2.0, FEE).expect("filled");
            prop_assert!(two.cost >= one.cost - 1e-9 && one.spent <= stake + 1e-9);
            let best = cost(levels[0].0, FEE).expect("a price");
            let worst = cost(one.worst, FEE).expect("a price");
            prop_assert!(one.cost >= best - 1e-9 && one.cost <= worst + 1e-9);
        }
    }
}
