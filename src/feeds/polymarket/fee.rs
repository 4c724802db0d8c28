//! What a taker pays beyond the price.
//!
//! Owns the fee schedule of a market. `makerBaseFee` and `takerBaseFee` of Gamma are not what is charged; the schedule
//! is. Agrees with [`crate::market::books::Fee::Polymarket`], which prices and edges use.

use crate::market::books::Fee;

/// The fee of one market: `rate * (p * (1 - p))^exponent` dollars for each share.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FeeSchedule {
    rate: f64,
    exponent: f64,
    taker_only: bool,
    rebate_rate: f64,
}

impl FeeSchedule {
    /// No fee.
    pub const FREE: Self = Self { rate: 0.0, exponent: 1.0, taker_only: true, rebate_rate: 0.0 };

    /// A schedule; `None` unless the rate lies in 0 to 1, the exponent in 0 to 10, and the rebate in 0 to 1.
    pub fn new(rate: f64, exponent: f64, taker_only: bool, rebate_rate: f64) -> Option<Self> {
        let sound =
            (0.0..=1.0).contains(&rate) && (0.0..=10.0).contains(&exponent) && (0.0..=1.0).contains(&rebate_rate);
        sound.then_some(Self { rate, exponent, taker_only, rebate_rate })
    }

    /// A share of `p * (1 - p)`.
    pub const fn rate(self) -> f64 {
        self.rate
    }

    /// The power of `p * (1 - p)`; 1 for sports.
    pub const fn exponent(self) -> f64 {
        self.exponent
    }

    /// Makers pay nothing.
    pub const fn taker_only(self) -> bool {
        self.taker_only
    }

    /// The share of takers' fees that makers get.
    pub const fn rebate_rate(self) -> f64 {
        self.rebate_rate
    }

    /// Dollars of fee for one share bought by a taker at price `p`, 0 to 1.
    pub fn per_share(self, p: f64) -> f64 {
        let variance = (p * (1.0 - p)).max(0.0);
        let power = if self.exponent == 1.0 { variance } else { variance.powf(self.exponent) };
        if power.is_finite() { self.rate * power } else { 0.0 }
    }

    /// What a taker pays for one share at price `p`, the fee included: 0.53248 at 0.52 and a rate of 0.05.
    pub fn cost(self, p: f64) -> f64 {
        p + self.per_share(p)
    }

    /// The same for the market's own arithmetic. `None` for an exponent that it does not know.
    pub fn as_market_fee(self) -> Option<Fee> {
        if self.rate == 0.0 { Some(Fee::None) } else { (self.exponent == 1.0).then_some(Fee::Polymarket(self.rate)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_reference_price() {
        let fee = FeeSchedule::new(0.05, 1.0, true, 0.15).unwrap();
        assert!((fee.cost(0.52) - 0.532_48).abs() < 1e-12);
        assert!((FeeSchedule::FREE.cost(0.52) - 0.52).abs() < 1e-12);
        assert_eq!(fee.per_share(0.0), 0.0);
        assert_eq!(fee.per_share(1.0), 0.0);
        assert_eq!(FeeSchedule::new(1.5, 1.0, true, 0.0), None);
        assert_eq!(FeeSchedule::new(f64::NAN, 1.0, true, 0.0), None);
        assert_eq!(FeeSchedule::new(0.05, 2.0, true, 0.0).unwrap().as_market_fee(), None);
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_market(rate in 0.0f64..0.2, p in 0.01f64..0.99) {
            let fee = FeeSchedule::new(rate, 1.0, true, 0.0).unwrap();
            let cost = fee.cost(p);
            if let Some(net) = fee.as_market_fee().and_then(|f| f.effective_decimal(1.0 / p)) {
                prop_assert!((1.0 / net - cost).abs() < 1e-9);
            }
            prop_assert!(cost >= p);
        }
    }
}
