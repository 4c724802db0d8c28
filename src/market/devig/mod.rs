//! Removing a book's margin: from what it quotes to what it would call fair.
//!
//! Owns the seven methods and the refusals. Works on raw probabilities 1/d of *all* sides of *one* market of *one* book
//! at one line and one time; bringing those together, and judging a line, is the caller's business. Two and three sides
//! cost no allocation.

mod methods;
pub(crate) mod normal;

use std::str::FromStr;

/// How the margin is taken off. With raw probabilities q and their sum S:
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// q / S.
    Multiplicative,
    /// q - (S - 1)/n. Refused where a side would fall to zero or below.
    Additive,
    /// q^k with sum 1.
    #[default]
    Power,
    /// Shin (1993), with an insider share z. For two sides the same as additive.
    Shin,
    /// q / (c + q - c q): a constant shift of the log-odds (also called logarithmic).
    OddsRatio,
    /// Φ(Φ⁻¹(q) - s): a constant shift of the normal scores.
    Probit,
    /// Per side the smallest answer of the other methods. Not a distribution: it sums to less than 1.
    WorstCase,
}

impl Method {
    /// The methods that answer with a distribution.
    pub const DISTRIBUTIONS: [Self; 6] =
        [Self::Multiplicative, Self::Additive, Self::Power, Self::Shin, Self::OddsRatio, Self::Probit];

    /// The name in settings, tables and explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Multiplicative => "multiplicative",
            Self::Additive => "additive",
            Self::Power => "power",
            Self::Shin => "shin",
            Self::OddsRatio => "odds_ratio",
            Self::Probit => "probit",
            Self::WorstCase => "worst_case",
        }
    }

    /// The answer sums to 1.
    pub const fn is_distribution(self) -> bool {
        !matches!(self, Self::WorstCase)
    }
}

/// A name that is no method.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is no way to remove a margin; use multiplicative, additive, power, shin, odds_ratio, probit or worst_case"
)]
pub struct UnknownMethod(pub String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        Self::DISTRIBUTIONS
            .into_iter()
            .chain([Self::WorstCase])
            .find(|m| m.name() == text)
            .ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

/// Above this sum of raw probabilities a two-way main line is no real market.
pub const DEFAULT_MAX_SUM: f64 = 1.25;

/// Sums this little below 1 are rounding of a market without margin, not an arbitrage.
const SUM_SLACK: f64 = 1e-9;

/// Why a market has no fair probabilities.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum DevigError {
    /// A side has no price. Positions count from zero.
    #[error("side {0} of the market has no price: a margin can only be removed from a complete market")]
    SideMissing(usize),
    /// Fewer than two sides.
    #[error("a market has at least two sides, this one has {0}")]
    TooFewSides(usize),
    /// Not strictly between 0 and 1.
    #[error("{value} (side {side}) is no probability between 0 and 1")]
    NotAProbability {
        /// Position of the side, from zero.
        side: usize,
        /// What stood there.
        value: f64,
    },
    /// An arbitrage inside one book is bad data; several books' best prices are not one market.
    #[error("the raw probabilities add up to {0:.6}, below 1: this is not one book's market")]
    SumBelowOne(f64),
    /// No plausible margin.
    #[error("the raw probabilities add up to {sum:.6}, above the limit of {limit}")]
    SumAboveLimit {
        /// What they add up to.
        sum: f64,
        /// The limit.
        limit: f64,
    },
    /// Only [`Method::Additive`]: the margin is larger than the side.
    #[error("the additive method would make side {0} negative; use another method")]
    Negative(usize),
    /// The output slice is not as long as the input.
    #[error("room for {room} probabilities, {needed} needed")]
    Room {
        /// Length given.
        room: usize,
        /// Length needed.
        needed: usize,
    },
}

/// Fair probabilities of a market, with what is needed to explain them.
#[derive(Clone, PartialEq, Debug)]
pub struct Fair {
    sides: Sides,
    /// The method.
    pub method: Method,
    /// What the method solved for: S, the amount taken off, k, z, c or the shift. NaN for worst case.
    pub parameter: f64,
    /// Sum of the raw probabilities.
    pub raw_sum: f64,
}

/// Most markets have two or three sides and stay on the stack.
#[derive(Clone, PartialEq, Debug)]
enum Sides {
    Few([f64; 4], u8),
    Many(Box<[f64]>),
}

impl Fair {
    /// The probabilities, in the order of the sides given.
    pub fn as_slice(&self) -> &[f64] {
        match &self.sides {
            Sides::Few(p, n) => p.get(..usize::from(*n)).unwrap_or_default(),
            Sides::Many(p) => p,
        }
    }

    /// The probability of a side.
    pub fn get(&self, side: usize) -> Option<f64> {
        self.as_slice().get(side).copied()
    }

    /// The probabilities sum to 1. False for worst case, which must not be used over several outcomes together.
    pub const fn is_distribution(&self) -> bool {
        self.method.is_distribution()
    }
}

/// Fair probabilities of a complete market from its raw ones (1/d), with [`DEFAULT_MAX_SUM`]. NaN is a missing side.
///
/// # Errors
/// See [`DevigError`].
pub fn devig(raw: &[f64], method: Method) -> Result<Fair, DevigError> {
    devig_within(raw, method, DEFAULT_MAX_SUM)
}

/// [`devig`] with the caller's limit on the sum: markets with many sides carry more margin.
///
/// # Errors
/// See [`DevigError`].
pub fn devig_within(raw: &[f64], method: Method, max_sum: f64) -> Result<Fair, DevigError> {
    let mut few = [0.0; 4];
    if let Some(out) = few.get_mut(..raw.len()) {
        let (parameter, raw_sum) = devig_into(raw, method, max_sum, out)?;
        return Ok(Fair { sides: Sides::Few(few, raw.len() as u8), method, parameter, raw_sum });
    }
    let mut many = vec![0.0; raw.len()].into_boxed_slice();
    let (parameter, raw_sum) = devig_into(raw, method, max_sum, &mut many)?;
    Ok(Fair { sides: Sides::Many(many), method, parameter, raw_sum })
}

/// [`devig_within`] for sides of which some may have no price.
///
/// # Errors
/// [`DevigError::SideMissing`] for the first `None`, else as [`devig`].
pub fn devig_sides<const N: usize>(
    sides: [Option<f64>; N],
    method: Method,
    max_sum: f64,
) -> Result<[f64; N], DevigError> {
    let mut out = [0.0; N];
    devig_into(&sides.map(|s| s.unwrap_or(f64::NAN)), method, max_sum, &mut out)?;
    Ok(out)
}

/// Writes the fair probabilities to `out` and returns (parameter, raw sum). Never allocates, except worst case beyond
/// four sides.
///
/// # Errors
/// See [`DevigError`]; `out` holds nothing useful then.
pub fn devig_into(raw: &[f64], method: Method, max_sum: f64, out: &mut [f64]) -> Result<(f64, f64), DevigError> {
    let sum = checked_sum(raw, max_sum)?;
    if out.len() != raw.len() {
        return Err(DevigError::Room { room: out.len(), needed: raw.len() });
    }
    Ok((apply(raw, sum, method, out)?, sum))
}

/// The smallest and largest fair probability of each side over all methods that can answer: how much the choice of a
/// method matters.
///
/// # Errors
/// As [`devig_within`].
pub fn band(raw: &[f64], max_sum: f64) -> Result<Vec<(f64, f64)>, DevigError> {
    let sum = checked_sum(raw, max_sum)?;
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); raw.len()];
    let mut one = vec![0.0; raw.len()];
    for method in Method::DISTRIBUTIONS {
        if apply(raw, sum, method, &mut one).is_ok() {
            for ((low, high), p) in range.iter_mut().zip(&one) {
                *low = low.min(*p);
                *high = high.max(*p);
            }
        }
    }
    Ok(range)
}

fn checked_sum(raw: &[f64], max_sum: f64) -> Result<f64, DevigError> {
    if raw.len() < 2 {
        return Err(DevigError::TooFewSides(raw.len()));
    }
    let mut sum = 0.0;
    for (side, &value) in raw.iter().enumerate() {
        if value.is_nan() {
            return Err(DevigError::SideMissing(side));
        }
        if value <= 0.0 || value >= 1.0 {
            return Err(DevigError::NotAProbability { side, value });
        }
        sum += value;
    }
    if sum < 1.0 - SUM_SLACK {
        return Err(DevigError::SumBelowOne(sum));
    }
    if sum > max_sum {
        return Err(DevigError::SumAboveLimit { sum, limit: max_sum });
    }
    Ok(sum)
}

/// Applies a method to checked input and returns its parameter.
fn apply(raw: &[f64], sum: f64, method: Method, out: &mut [f64]) -> Result<f64, DevigError> {
    if sum <= 1.0 + 1e-14 && method.is_distribution() {
        // No margin: nothing to solve for, and the iterations below want a root away from their start.
        methods::multiplicative(raw, sum, out);
        return Ok(match method {
            Method::Additive | Method::Shin | Method::Probit => 0.0,
            _ => 1.0,
        });
    }
    let parameter = match method {
        Method::Multiplicative => methods::multiplicative(raw, sum, out),
        Method::Additive => {
            let excess = methods::additive(raw, sum, out);
            if let Some(side) = out.iter().position(|p| *p <= 0.0) {
                return Err(DevigError::Negative(side));
            }
            excess
        }
        Method::Power => methods::power(raw, out),
        Method::Shin => methods::shin(raw, sum, out),
        Method::OddsRatio => methods::odds_ratio(raw, out),
        Method::Probit => methods::probit(raw, out),
        Method::WorstCase => {
            out.fill(f64::INFINITY);
            let mut few = [0.0; 4];
            let mut many;
            let one = if let Some(one) = few.get_mut(..raw.len()) {
                one
            } else {
                many = vec![0.0; raw.len()];
                many.as_mut_slice()
            };
            for method in Method::DISTRIBUTIONS {
                // Additive may refuse; the others answer for it.
                if apply(raw, sum, method, one).is_ok() {
                    for (p, q) in out.iter_mut().zip(&*one) {
                        *p = p.min(*q);
                    }
                }
            }
            f64::NAN
        }
    };
    Ok(parameter)
}

#[cfg(test)]
mod tests;
