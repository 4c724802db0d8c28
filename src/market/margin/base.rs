//! The shape of a result before a game's strengths are put into it.
//!
//! A base is a mass b(m) for every whole number m: a smooth kernel times a weight per number (football's 3 and 7,
//! soccer's draw). A game with location parameter θ has P(m) ∝ b(m) e^{θm}. This one family is a normal (kernel
//! e^{-m²/2σ²}, θ = μ/σ²), a Skellam, a Poisson or a negative binomial distribution when all weights are 1, and for any
//! weights the chance of exceeding a line rises strictly with θ. Games are addressed by their mean, not by θ.

use serde::Deserialize;

/// The smooth part of a base.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kernel {
    /// Normal with this standard deviation in points.
    Normal {
        /// Standard deviation of the result around its mean.
        sd: f64,
    },
    /// Difference of two Poisson counts, each with this rate when the teams are equal.
    Skellam {
        /// Goals of one team.
        rate: f64,
    },
    /// Sum of counts: negative binomial with this size (variance = mean + mean²/size).
    NegativeBinomial {
        /// Size; large values approach Poisson.
        size: f64,
    },
}

impl Kernel {
    /// ln of the kernel at `m`, up to a constant. Minus infinity where impossible.
    pub fn ln_mass(self, m: i32) -> f64 {
        let x = f64::from(m);
        match self {
            Self::Normal { sd } => -0.5 * (x / sd) * (x / sd),
            Self::Skellam { rate } => ln_bessel(m.unsigned_abs(), 2.0 * rate),
            Self::NegativeBinomial { .. } if m < 0 => f64::NEG_INFINITY,
            // Γ(m + size)/(m! Γ(size) size^m), whose tilts are the negative binomials of all means. The factor size^m is a
            // tilt too and keeps θ near ln mean.
            Self::NegativeBinomial { size } => {
                (0..m).map(|i| ((f64::from(i) + size) / size / (f64::from(i) + 1.0)).ln()).sum()
            }
        }
    }

    /// Parameters within what the arithmetic can hold.
    pub fn is_sound(self) -> bool {
        match self {
            Self::Normal { sd } => (0.2..200.0).contains(&sd),
            Self::Skellam { rate } => (0.05..50.0).contains(&rate),
            Self::NegativeBinomial { size } => (0.5..1e9).contains(&size),
        }
    }
}

/// ln I_n(x), the modified Bessel function of the first kind, by its power series.
fn ln_bessel(n: u32, x: f64) -> f64 {
    let half = 0.5 * x;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..500u32 {
        term *= half * half / (f64::from(k) * f64::from(k + n));
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    let lead: f64 = (1..=n).map(|i| (half / f64::from(i)).ln()).sum();
    lead + f64::ln(sum)
}

/// Unnormalised masses of the whole numbers `lowest ..`, as logarithms.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    lowest: i32,
    ln_mass: Vec<f64>,
    /// exp(ln_mass - largest).
    mass: Vec<f64>,
}

impl Base {
    /// Kernel times `weight(m)` over `lowest..=highest`. A weight of 0 makes a number impossible.
    pub fn new(kernel: Kernel, lowest: i32, highest: i32, weight: impl Fn(i32) -> f64) -> Self {
        let ln_mass: Vec<f64> = (lowest..=highest).map(|m| kernel.ln_mass(m) + weight(m).ln()).collect();
        let top = ln_mass.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mass = ln_mass.iter().map(|b| (b - top).exp()).collect();
        Self { lowest, ln_mass, mass }
    }

    /// The smallest number.
    pub const fn lowest(&self) -> i32 {
        self.lowest
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.ln_mass.len()
    }

    /// There are no numbers.
    pub fn is_empty(&self) -> bool {
        self.ln_mass.is_empty()
    }

    /// Writes the probabilities at tilt `theta` and returns (mean, variance).
    pub fn tilted(&self, theta: f64, out: &mut Vec<f64>) -> (f64, f64) {
        let value = |i: usize| f64::from(self.lowest) + i as f64;
        out.clear();
        let half = 0.5 * theta * self.mass.len() as f64;
        if half.abs() < 100.0 {
            // Growing by a constant factor from number to number, which stays far from the ends of a double's range.
            let (mut factor, ratio) = ((-half).exp(), theta.exp());
            out.extend(self.mass.iter().map(|b| {
                let p = b * factor;
                factor *= ratio;
                p
            }));
        } else {
            out.extend(self.ln_mass.iter().enumerate().map(|(i, b)| b + theta * value(i)));
            let top = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            out.iter_mut().for_each(|p| *p = (*p - top).exp());
        }
        let (mut sum, mut first) = (0.0, 0.0);
        for (i, p) in out.iter().enumerate() {
            sum += p;
            first += p * value(i);
        }
        let mean = first / sum;
        let mut variance = 0.0;
        for (i, p) in out.iter_mut().enumerate() {
            *p /= sum;
            variance += *p * (value(i) - mean) * (value(i) - mean);
        }
        (mean, variance)
    }

    /// The tilt with this mean, from a first guess; `None` when the numbers cannot have it. Leaves the probabilities at
    /// that tilt in `pmf`.
    ///
    /// The derivative of the mean in θ is the variance, so this is Newton, kept in a bracket.
    pub fn theta_of_mean(&self, mean: f64, guess: f64, pmf: &mut Vec<f64>) -> Option<f64> {
        let (mut low, mut high) = (-60.0, 60.0);
        let mut theta = guess;
        for _ in 0..300 {
            let (got, variance) = self.tilted(theta, pmf);
            let miss = mean - got;
            if miss.abs() < 1e-11 * mean.abs().max(1.0) {
                return Some(theta);
            }
            if miss > 0.0 {
                low = theta
            } else {
                high = theta
            }
            let next = theta + miss / variance;
            theta = if next > low && next < high { next } else { 0.5 * (low + high) };
        }
        // Within rounding of a mean that lies in the numbers' inside.
        let (got, _) = self.tilted(theta, pmf);
        ((got - mean).abs() < 1e-9 * mean.abs().max(1.0)).then_some(theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_holds_the_named_distributions() {
        let mut p = Vec::new();
        let normal = Base::new(Kernel::Normal { sd: 13.0 }, -120, 120, |_| 1.0);
        let theta = normal.theta_of_mean(3.0, 0.0, &mut p).expect("mean");
        let (mean, variance) = normal.tilted(theta, &mut p);
        assert!((mean - 3.0).abs() < 1e-9 && (variance - 169.0).abs() < 1e-6 && (theta - 3.0 / 169.0).abs() < 1e-9);

        // Skellam with rates 1.6 and 1.1.
        let (h, a): (f64, f64) = (1.6, 1.1);
        let skellam = Base::new(Kernel::Skellam { rate: (h * a).sqrt() }, -25, 25, |_| 1.0);
        let theta = skellam.theta_of_mean(h - a, 0.0, &mut p).expect("mean");
        let (_, variance) = skellam.tilted(theta, &mut p);
        assert!((variance - (h + a)).abs() < 1e-9, "{variance}");
        assert!((theta - 0.5 * (h / a).ln()).abs() < 1e-9);

        let counts = Base::new(Kernel::NegativeBinomial { size: 7.0 }, 0, 150, |_| 1.0);
        let theta = counts.theta_of_mean(8.8, 0.0, &mut p).expect("mean");
        let (_, variance) = counts.tilted(theta, &mut p);
        assert!((variance - (8.8 + 8.8 * 8.8 / 7.0)).abs() < 1e-6, "{variance}");
    }

    #[test]
    fn impossible_means_are_refused() {
        let base = Base::new(Kernel::Normal { sd: 3.0 }, -10, 10, |_| 1.0);
        let mut p = Vec::new();
        assert_eq!(base.theta_of_mean(11.0, 0.0, &mut p), None);
        assert_eq!(base.theta_of_mean(f64::NAN, 0.0, &mut p), None);
    }
}
