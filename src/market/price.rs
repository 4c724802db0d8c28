//! Prices as they came, and as decimal odds.
//!
//! A price keeps the form in which the source quoted it (American or decimal), so that storing and showing it loses
//! nothing. Arithmetic is done on decimal odds or probabilities only, never on American numbers: they jump from
//! -100 to +100 and their mean is meaningless.

use std::num::NonZeroI64;

/// Why a number is not a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PriceError {
    /// American odds between -100 and +100 (exclusive) do not exist.
    #[error("American odds are at most -100 or at least +100")]
    AmericanRange,
    /// Decimal odds must be above 1 and at most 100,000.
    #[error("decimal odds lie above 1 and at most 100000")]
    DecimalRange,
    /// Not a number at all.
    #[error("not a finite number")]
    NotFinite,
}

/// The form in which a source quotes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OddsFormat {
    /// -110, +150.
    American,
    /// 1.909, 2.5.
    Decimal,
}

/// A price: the odds at which a book takes a bet.
///
/// Eight bytes. American odds are kept as the whole number that came, decimal odds in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price {
    /// `American a -> 2a`, `decimal d -> 2 round(10^6 d) + 1`: one integer that the store can hold narrowly. Never 0, so
    /// that an optional price takes no more room.
    code: NonZeroI64,
}

/// Largest American odds accepted, either sign.
const MAX_AMERICAN: i64 = 10_000_000;
/// Largest decimal odds accepted.
const MAX_DECIMAL: f64 = 100_000.0;

impl Price {
    /// American odds, a whole number of at least 100 in size.
    ///
    /// # Errors
    /// [`PriceError::AmericanRange`] for numbers between -100 and 100 and beyond ten million.
    pub const fn american(a: i64) -> Result<Self, PriceError> {
        // Not `abs`: the smallest integer has none.
        if (a > -100 && a < 100) || a > MAX_AMERICAN || a < -MAX_AMERICAN {
            return Err(PriceError::AmericanRange);
        }
        match NonZeroI64::new(a * 2) {
            Some(code) => Ok(Self { code }),
            None => Err(PriceError::AmericanRange),
        }
    }

    /// Decimal odds, kept to six places.
    ///
    /// # Errors
    /// [`PriceError::DecimalRange`] at or below 1 and above 100,000; [`PriceError::NotFinite`] for NaN and infinities.
    pub fn decimal(d: f64) -> Result<Self, PriceError> {
        if !d.is_finite() {
            return Err(PriceError::NotFinite);
        }
        if d > MAX_DECIMAL {
            return Err(PriceError::DecimalRange);
        }
        let micros = (d * 1e6).round() as i64;
        if micros <= 1_000_000 {
            return Err(PriceError::DecimalRange);
        }
        NonZeroI64::new(micros * 2 + 1).map(|code| Self { code }).ok_or(PriceError::DecimalRange)
    }

    /// A number read from a source that quotes in `format`. American odds with a fraction are refused.
    ///
    /// # Errors
    /// As for [`Price::american`] and [`Price::decimal`].
    pub fn quoted(number: f64, format: OddsFormat) -> Result<Self, PriceError> {
        match format {
            OddsFormat::Decimal => Self::decimal(number),
            OddsFormat::American if !number.is_finite() => Err(PriceError::NotFinite),
            OddsFormat::American if number.fract() != 0.0 || number.abs() > MAX_AMERICAN as f64 => {
                Err(PriceError::AmericanRange)
            }
            OddsFormat::American => Self::american(number as i64),
        }
    }

    /// The form in which this price was quoted.
    pub const fn format(self) -> OddsFormat {
        if self.code.get() & 1 == 0 { OddsFormat::American } else { OddsFormat::Decimal }
    }

    /// Decimal odds: what a stake of 1 returns, stake included.
    pub fn to_decimal(self) -> f64 {
        let n = self.code.get() >> 1;
        match self.format() {
            OddsFormat::Decimal => n as f64 / 1e6,
            OddsFormat::American if n > 0 => 1.0 + n as f64 / 100.0,
            OddsFormat::American => 1.0 + 100.0 / -(n as f64),
        }
    }

    /// American odds: the native number, or the nearest whole number for a decimal price. Even money is +100
    /// unless the source itself said -100.
    pub fn to_american(self) -> i64 {
        match self.format() {
            OddsFormat::American => self.code.get() >> 1,
            OddsFormat::Decimal => decimal_to_american(self.to_decimal()),
        }
    }

    /// Raw implied probability 1/d, margin included.
    pub fn probability(self) -> f64 {
        1.0 / self.to_decimal()
    }

    /// One integer that holds the price with its format, for the store.
    pub const fn code(self) -> i64 {
        self.code.get()
    }

    /// The price of a code; `None` for an integer that [`Price::code`] never gives.
    pub fn from_code(code: i64) -> Option<Self> {
        let n = code >> 1;
        let valid = if code & 1 == 0 {
            n.abs() >= 100 && n.abs() <= MAX_AMERICAN
        } else {
            n > 1_000_000 && n <= (MAX_DECIMAL * 1e6) as i64
        };
        NonZeroI64::new(code).filter(|_| valid).map(|code| Self { code })
    }
}

/// American odds of decimal odds `d` > 1, to the nearest whole number; even money is +100.
///
/// Prices shorter than -10,000,000 or so have no faithful whole number; the result saturates there.
pub fn decimal_to_american(d: f64) -> i64 {
    let a = if d >= 2.0 { (100.0 * (d - 1.0)).round() } else { -(100.0 / (d - 1.0)).round() };
    if a == -100.0 { 100 } else { a as i64 }
}

impl std::fmt::Debug for Price {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.format() {
            OddsFormat::American => write!(f, "{:+}", self.code.get() >> 1),
            OddsFormat::Decimal => write!(f, "{}", self.to_decimal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_american_number_survives_the_trip_through_decimal() {
        for a in (-100_000..=-101).chain(100..=100_000) {
            let price = Price::american(a).expect("in range");
            assert_eq!(decimal_to_american(price.to_decimal()), a);
            assert_eq!(Price::from_code(price.code()), Some(price));
            assert_eq!(price.to_american(), a);
        }
        assert_eq!(decimal_to_american(Price::american(-100).expect("even").to_decimal()), 100);
    }

    #[test]
    fn reference_conversions() {
        let d = |a| Price::american(a).expect("valid").to_decimal();
        assert_eq!(d(150), 2.5);
        assert_eq!(d(100), 2.0);
        assert!((d(-150) - 1.666_667).abs() < 1e-6);
        assert!((d(-110) - 1.909_091).abs() < 1e-6);
        let p = |a| Price::american(a).expect("valid").probability();
        for (a, want) in
            [(-110, 0.523_810), (100, 0.5), (-100, 0.5), (150, 0.4), (-150, 0.6), (250, 0.285_714), (-250, 0.714_286)]
        {
            assert!((p(a) - want).abs() < 1e-6, "{a}");
        }
        // Rounded half away from zero, not truncated.
        assert_eq!(decimal_to_american(1.91), -110);
        assert_eq!(decimal_to_american(2.57), 157);
        assert_eq!(decimal_to_american(2.5), 150);
    }

    #[test]
    fn impossible_prices_cannot_be_made() {
        for a in [-99, 0, 1, 53, 99, i64::MIN, i64::MAX] {
            assert_eq!(Price::american(a), Err(PriceError::AmericanRange), "{a}");
        }
        for d in [1.0, 0.0, -2.0, 1.000_000_1] {
            assert_eq!(Price::decimal(d), Err(PriceError::DecimalRange), "{d}");
        }
        assert_eq!(Price::decimal(f64::NAN), Err(PriceError::NotFinite));
        assert_eq!(Price::quoted(1.91, OddsFormat::American), Err(PriceError::AmericanRange));
        for code in [0, 1, 2, 198, -198, 2_000_001, i64::MAX, i64::MIN] {
            assert_eq!(Price::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn a_missing_price_takes_no_room_of_its_own() {
        assert_eq!(size_of::<Option<Price>>(), 8);
    }

    #[test]
    fn decimals_keep_their_places() {
        for d in [1.001, 1.91, 2.345_678, 1000.0] {
            let price = Price::decimal(d).expect("valid");
            assert_eq!(price.to_decimal(), d);
            assert_eq!(Price::from_code(price.code()), Some(price));
        }
    }
}
