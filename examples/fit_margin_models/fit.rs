//! The fitting itself: from games or published frequencies to a kernel and weights.

use stratum::market::line::Line;
use stratum::market::margin::base::{Base, Kernel};
use stratum::market::margin::{Basis, Distribution, Grid, Provenance, Quantity};
use stratum::market::selection::Side;

use super::Res;

/// A game: the line, the vig-free probability of home or over at it, and what happened.
#[derive(Clone, Copy)]
pub struct Game {
    pub line: Line,
    pub fair: f64,
    pub result: i32,
    /// How much it counts: older games less.
    pub count: f64,
}

/// Which numbers share a weight, and which have one.
#[derive(Clone, Copy, PartialEq)]
pub enum Weights {
    /// By size: |m| from 0 to the limit.
    Size(i32),
    /// By number, from .. to.
    Number(i32, i32),
    /// None.
    Flat,
}

#[derive(Clone)]
pub struct Spec {
    pub quantity: Quantity,
    pub kernel: Kernel,
    pub fit_kernel: bool,
    pub weights: Weights,
    /// A level score cannot happen.
    pub no_draw: bool,
    pub prior: f64,
    pub lowest: i32,
    pub highest: i32,
    pub grid: Grid,
}

pub struct Fit {
    pub kernel: Kernel,
    pub weights: Vec<f64>,
    pub games: f64,
    /// Root mean square distance of results from locations.
    pub sd: f64,
}

impl Spec {
    fn base(&self, kernel: Kernel, weights: &[f64]) -> Base {
        Base::new(kernel, self.lowest, self.highest, |m| match self.weights {
            Weights::Size(_) => usize::try_from(m.abs()).ok().and_then(|i| weights.get(i)).copied().unwrap_or(1.0),
            Weights::Number(first, _) => {
                usize::try_from(m - first).ok().and_then(|i| weights.get(i)).copied().unwrap_or(1.0)
            }
            Weights::Flat => {
                if m == 0 && self.no_draw {
                    0.0
                } else {
                    1.0
                }
            }
        })
    }

    pub fn distribution(&self, kernel: Kernel, weights: &[f64]) -> Res<Distribution> {
        let provenance = Provenance {
            basis: Basis::Fitted,
            source: String::new(),
            sample: 0,
            from: String::new(),
            to: String::new(),
            version: 0,
        };
        Distribution::new(self.quantity, &self.base(kernel, weights), self.grid, 1e6, 1e6, provenance)
            .ok_or_else(|| "the grid does not fit the numbers".into())
    }

    fn slot(&self, m: i32) -> Option<usize> {
        match self.weights {
            Weights::Size(last) => (m.abs() <= last).then_some(m.unsigned_abs() as usize),
            Weights::Number(first, last) => (first..=last).contains(&m).then_some((m - first) as usize),
            Weights::Flat => None,
        }
    }

    pub fn fit(&self, games: &[Game]) -> Res<Fit> {
        let slots = match self.weights {
            Weights::Size(last) => last as usize + 1,
            Weights::Number(first, last) => (last - first) as usize + 1,
            Weights::Flat => usize::from(self.no_draw),
        };
        let mut weights = vec![1.0; slots];
        if self.no_draw
            && let Some(w) = weights.first_mut()
        {
            *w = 0.0;
        }
        let mut kernel = self.kernel;
        let side = if self.quantity == Quantity::Margin { Side::Home } else { Side::Over };
        let (mut sample, mut sd) = (0.0, 0.0);
        for _ in 0..60 {
            let model = self.distribution(kernel, &weights)?;
            // Many games share a line: each location once.
            let mut by_location: Vec<(f64, f64)> = Vec::new();
            let mut observed = vec![0.0; slots];
            let (mut square, mut variance) = (0.0, 0.0);
            let mut used = 0.0;
            sample = 0.0;
            for g in games {
                let Ok(location) = model.location(side, g.line, g.fair) else { continue };
                used += g.count;
                sample += 1.0;
                by_location.push((location, g.count));
                if let Some(o) = self.slot(g.result).and_then(|i| observed.get_mut(i)) {
                    *o += g.count;
                }
                square += g.count * (f64::from(g.result) - location).powi(2);
            }
            by_location.sort_by(|a, b| a.0.total_cmp(&b.0));
            by_location.dedup_by(|b, a| {
                let same = (a.0 - b.0).abs() < 1e-9;
                if same {
                    a.1 += b.1;
                }
                same
            });
            let mut expected = vec![0.0; slots];
            for (location, count) in &by_location {
                let mut moment = 0.0;
                for m in self.lowest..=self.highest {
                    let mass = count * model.chance_of(m, *location).unwrap_or(0.0);
                    moment += mass * (f64::from(m) - location).powi(2);
                    if let Some(e) = self.slot(m).and_then(|i| expected.get_mut(i)) {
                        *e += mass;
                    }
                }
                variance += moment;
            }
            for ((w, o), e) in weights.iter_mut().zip(&observed).zip(&expected) {
                if *w > 0.0 {
                    *w *= (o + self.prior) / (e + self.prior * *w);
                }
            }
            straighten(self, &mut weights, |i| expected.get(i).copied().unwrap_or(0.0));
            if self.fit_kernel {
                let ratio = square / variance;
                kernel = match kernel {
                    Kernel::Normal { sd } => Kernel::Normal { sd: sd * ratio.powf(0.4) },
                    Kernel::Skellam { rate } => Kernel::Skellam { rate: rate * ratio.powf(0.7) },
                    // Narrower counts have a larger size.
                    Kernel::NegativeBinomial { size } => {
                        Kernel::NegativeBinomial { size: (size * ratio.powf(-4.0)).clamp(1.0, 1e4) }
                    }
                };
            }
            sd = (square / used).sqrt();
        }
        Ok(Fit { kernel, weights, games: sample, sd })
    }
}

/// Weights per number that grow by a constant factor from number to number are a tilt, which the location takes back:
/// they mean nothing inside the list but would leave a step at its end. Divides that trend out, and the mean level with it.
pub fn straighten(spec: &Spec, weights: &mut [f64], importance: impl Fn(usize) -> f64) {
    if !matches!(spec.weights, Weights::Number(..)) {
        return;
    }
    let points: Vec<(f64, f64, f64)> =
        weights.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(i, w)| (i as f64, w.ln(), importance(i))).collect();
    let mass: f64 = points.iter().map(|p| p.2).sum();
    let mean_x = points.iter().map(|p| p.2 * p.0).sum::<f64>() / mass;
    let mean_y = points.iter().map(|p| p.2 * p.1).sum::<f64>() / mass;
    let covariance: f64 = points.iter().map(|p| p.2 * (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let variance: f64 = points.iter().map(|p| p.2 * (p.0 - mean_x).powi(2)).sum();
    let slope = covariance / variance;
    for (i, w) in weights.iter_mut().enumerate() {
        *w *= (-mean_y - slope * (i as f64 - mean_x)).exp();
    }
}

/// Weights that give these shares of games when strengths are spread normally with `spread` around `centre`.
pub fn fit_frequencies(spec: &Spec, target: &[(i32, f64)], centre: f64, spread: f64) -> Res<Fit> {
    let scale: f64 = target.iter().map(|t| t.1).sum();
    let mut games = Vec::new();
    for (m, share) in target {
        games.push((*m, 20_000.0 * share / scale));
    }
    // Strengths as 41 slices of a normal distribution; results spread over them do not matter, only their sums do.
    let slices: Vec<(f64, f64)> = (-20..=20)
        .map(|i| {
            let z = f64::from(i) * 0.15;
            (centre + spread * z, (-0.5 * z * z).exp())
        })
        .collect();
    let mass: f64 = slices.iter().map(|s| s.1).sum();
    let slots = match spec.weights {
        Weights::Number(first, last) => (last - first) as usize + 1,
        Weights::Size(last) => last as usize + 1,
        Weights::Flat => 0,
    };
    let mut weights = vec![1.0; slots];
    let level = spec.slot(0);
    if let Some(w) = level.and_then(|i| weights.get_mut(i)) {
        *w = 0.0;
    }
    for _ in 0..400 {
        let model = spec.distribution(spec.kernel, &weights)?;
        let mut expected = vec![0.0; slots];
        for m in spec.lowest..=spec.highest {
            if let Some(e) = spec.slot(m).and_then(|i| expected.get_mut(i)) {
                for (at, share) in &slices {
                    *e += share / mass * 20_000.0 * model.chance_of(m, *at)?;
                }
            }
        }
        let mut observed = vec![0.0; slots];
        for (m, count) in &games {
            if let Some(o) = spec.slot(*m).and_then(|i| observed.get_mut(i)) {
                *o += count;
            }
        }
        for ((w, o), e) in weights.iter_mut().zip(&observed).zip(&expected) {
            if *w > 0.0 && *e > 0.0 && *o > 0.0 {
                *w *= (o / e).powf(0.7);
            }
        }
    }
    straighten(spec, &mut weights, |_| 1.0);
    Ok(Fit { kernel: spec.kernel, weights, games: 0.0, sd: 0.0 })
}

/// Weights of totals that give published shares (percent) at a mean; the other numbers take the mean odd or even weight
/// of the published ones.
pub fn fit_totals(spec: &Spec, mean: f64, published: &[(i32, f64)]) -> Res<Vec<f64>> {
    let Weights::Number(first, last) = spec.weights else { return Err("totals have a weight per number".into()) };
    let mut weights = vec![1.0; (last - first) as usize + 1];
    for _ in 0..300 {
        let model = spec.distribution(spec.kernel, &weights)?;
        let (mut parity, mut counts) = ([0.0, 0.0], [0.0, 0.0]);
        for (k, share) in published {
            let got = model.chance_of(*k, mean)?;
            if let Some(w) = weights.get_mut((k - first) as usize) {
                *w *= (share / 100.0 / got).powf(0.7);
                let i = (k.rem_euclid(2)) as usize;
                parity[i] += w.ln();
                counts[i] += 1.0;
            }
        }
        for (k, w) in (first..=last).zip(weights.iter_mut()) {
            if published.iter().all(|(n, _)| *n != k) {
                let i = (k.rem_euclid(2)) as usize;
                *w = if counts[i] > 0.0 { (parity[i] / counts[i]).exp() } else { 1.0 };
            }
        }
        // A common factor means nothing; the odd and even weights of numbers far out shall lie around 1.
        let level = (0.5 * (parity[0] / counts[0] + parity[1] / counts[1])).exp();
        weights.iter_mut().for_each(|w| *w /= level);
    }
    Ok(weights)
}
