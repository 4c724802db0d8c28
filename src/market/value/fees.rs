//! Fees are part of the price one pays, never of the fair probability.

/// What a venue takes.
#[derive(Clone, Copy, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fee {
    /// Nothing besides the margin.
    #[default]
    None,
    /// A share of the net winnings of a market, as at betting exchanges.
    Commission {
        /// Share, such as 0.02.
        rate: f64,
    },
    /// `rate · p (1 - p)` a share, charged to the taker (Polymarket).
    TakerCurve {
        /// Rate, such as 0.05.
        rate: f64,
    },
    /// `rate · n p (1 - p)` an order, rounded up to a whole cent (Kalshi, rate 0.07).
    OrderCurve {
        /// Rate, such as 0.07.
        rate: f64,
    },
}

/// Why no price with fees exists.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum FeeError {
    /// A share costs between 0 and 1 (exclusive).
    #[error("a share at {0} has no price: it lies between 0 and 1")]
    SharePrice(f64),
    /// Decimal odds must be above 1.
    #[error("decimal odds of {0} have no price: they lie above 1")]
    Odds(f64),
    /// A number of shares must be positive.
    #[error("an order of {0} shares is none")]
    Quantity(f64),
    /// A fee outside 0 to 1, or one that leaves nothing to win.
    #[error("a fee rate of {0} leaves nothing to win")]
    Rate(f64),
}

impl Fee {
    fn rate(self) -> Result<f64, FeeError> {
        let rate = match self {
            Self::None => 0.0,
            Self::Commission { rate } | Self::TakerCurve { rate } | Self::OrderCurve { rate } => rate,
        };
        if (0.0..1.0).contains(&rate) { Ok(rate) } else { Err(FeeError::Rate(rate)) }
    }

    /// The fee in dollars for buying `shares` shares that pay 1 each, at `price`. Commission is taken at settlement and
    /// is no part of it.
    ///
    /// # Errors
    /// [`FeeError`] for numbers that are no order.
    pub fn on_order(self, price: f64, shares: f64) -> Result<f64, FeeError> {
        let rate = self.rate()?;
        if !(price > 0.0 && price < 1.0) {
            return Err(FeeError::SharePrice(price));
        }
        if !(shares > 0.0 && shares.is_finite()) {
            return Err(FeeError::Quantity(shares));
        }
        let curve = rate * shares * price * (1.0 - price);
        Ok(match self {
            Self::None | Self::Commission { .. } => 0.0,
            Self::TakerCurve { .. } => curve,
            // The rounding of the product must not add a cent to an exact amount.
            Self::OrderCurve { .. } => (curve * 100.0 - 1e-9).ceil().max(0.0) / 100.0,
        })
    }

    /// What a share really costs in an order of `shares`: the probability at which buying it breaks even.
    ///
    /// # Errors
    /// As [`Fee::on_order`], and [`FeeError::Rate`] when fees eat all there is to win.
    pub fn effective_price(self, price: f64, shares: f64) -> Result<f64, FeeError> {
        let cost = price + self.on_order(price, shares)? / shares;
        let effective = match self {
            // Of the winnings 1 - price a share `rate` goes to the venue: cost / payout.
            Self::Commission { rate } => price / (1.0 - rate * (1.0 - price)),
            _ => cost,
        };
        if effective < 1.0 { Ok(effective) } else { Err(FeeError::Rate(self.rate()?)) }
    }

    /// Decimal odds after fees. [`Fee::OrderCurve`] is taken without its rounding, which needs a size; see
    /// [`Fee::effective_price`].
    ///
    /// # Errors
    /// [`FeeError::Odds`] for odds of 1 or less, [`FeeError::Rate`] for an impossible rate.
    pub fn effective_odds(self, d: f64) -> Result<f64, FeeError> {
        let rate = self.rate()?;
        if !(d > 1.0 && d.is_finite()) {
            return Err(FeeError::Odds(d));
        }
        Ok(match self {
            Self::None => d,
            Self::Commission { .. } => 1.0 + (d - 1.0) * (1.0 - rate),
            Self::TakerCurve { .. } | Self::OrderCurve { .. } => {
                let price = 1.0 / d;
                let effective = price + rate * price * (1.0 - price);
                1.0 / effective
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_fees() {
        let polymarket = Fee::TakerCurve { rate: 0.05 };
        assert!((polymarket.effective_price(0.52, 1.0).expect("price") - 0.53248).abs() < 1e-12);
        assert!((polymarket.effective_odds(1.0 / 0.52).expect("odds") - 1.0 / 0.53248).abs() < 1e-12);
        let kalshi = Fee::OrderCurve { rate: 0.07 };
        assert_eq!(kalshi.on_order(0.52, 100.0), Ok(1.75));
        assert!((kalshi.effective_price(0.52, 100.0).expect("price") - 0.5375).abs() < 1e-12);
        // An exact amount of cents is not rounded up: 0.07 * 100 * 0.5 * 0.5.
        assert_eq!(kalshi.on_order(0.5, 100.0), Ok(1.75));
        assert_eq!(kalshi.on_order(0.5, 400.0), Ok(7.0));
        let exchange = Fee::Commission { rate: 0.02 };
        assert!((exchange.effective_odds(2.5).expect("odds") - 2.47).abs() < 1e-12);
        let price = exchange.effective_price(0.4, 10.0).expect("price");
        assert!((1.0 / price - exchange.effective_odds(2.5).expect("odds")).abs() < 1e-12);
        assert_eq!(Fee::None.effective_odds(2.5), Ok(2.5));
    }

    #[test]
    fn nonsense_is_refused() {
        let fee = Fee::TakerCurve { rate: 0.05 };
        for price in [0.0, 1.0, -0.1, f64::NAN] {
            assert!(matches!(fee.effective_price(price, 1.0), Err(FeeError::SharePrice(_))));
        }
        for shares in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(fee.effective_price(0.5, shares), Err(FeeError::Quantity(_))));
        }
        for d in [1.0, 0.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(fee.effective_odds(d), Err(FeeError::Odds(_))));
        }
        for rate in [-0.1, 1.0, f64::NAN] {
            assert!(matches!(Fee::Commission { rate }.effective_odds(2.0), Err(FeeError::Rate(_))));
        }
        assert!(Fee::OrderCurve { rate: 0.07 }.effective_price(0.995, 1.0).is_err(), "a cent on top of 99.5");
    }
}
