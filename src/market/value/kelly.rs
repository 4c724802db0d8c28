//! Stakes that maximise the growth of a bankroll, as a fraction of it.

use super::settlement::Settlement;

/// Full Kelly without pushes: (p d - 1)/(d - 1), at least 0.
///
/// Zero for no edge, for odds of 1 or less and for anything that is not a number: never a "minimum bet".
pub fn kelly(p: f64, d: f64) -> f64 {
    kelly_push(p, 1.0 - p, d)
}

/// Full Kelly when the rest is refunded: (w b - l)/(b (w + l)) with b = d - 1, between 0 and 1.
pub fn kelly_push(win: f64, loss: f64, d: f64) -> f64 {
    let b = d - 1.0;
    let f = (win * b - loss) / (b * (win + loss));
    if b > 0.0 && f > 0.0 { f.min(1.0) } else { 0.0 }
}

impl Settlement {
    /// Full Kelly for a bet with any of the five results, between 0 and 1.
    ///
    /// Maximises Σ prob ln(1 + f net). Without half results this is [`kelly_push`].
    pub fn kelly(&self, d: f64) -> f64 {
        if self.half_win == 0.0 && self.half_loss == 0.0 {
            return kelly_push(self.win, self.loss, d);
        }
        if d.is_nan() || d <= 1.0 || self.ev(d).is_nan() || self.ev(d) <= 0.0 {
            return 0.0;
        }
        let outcomes = self.outcomes(d);
        // The slope of the growth falls in f; it is positive at 0 because EV is.
        let slope = |f: f64| outcomes.iter().map(|(p, net)| p * net / (1.0 + f * net)).sum::<f64>();
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let f = 0.5 * (low + high);
            if slope(f) > 0.0 { low = f } else { high = f }
        }
        low
    }
}

/// Full Kelly over outcomes that exclude each other (one of a field wins): the fraction for each, zero for those not
/// worth taking.
///
/// Takes outcomes by falling p d while p d exceeds the reserve R = (1 - Σp)/(1 - Σ1/d) of those taken; the stake is
/// p - R/d. Pairs that are no probability and price get no stake. If the prices alone are an arbitrage over the whole
/// field (Σ1/d <= 1 with Σp = 1) the whole bankroll is divided in proportion to p.
pub fn kelly_exclusive(p: &[f64], d: &[f64]) -> Vec<f64> {
    let mut stakes = vec![0.0; p.len()];
    let mut order: Vec<(usize, f64, f64)> = p
        .iter()
        .zip(d)
        .enumerate()
        .filter(|(_, (p, d))| **p > 0.0 && **p <= 1.0 && **d > 1.0 && d.is_finite())
        .map(|(i, (p, d))| (i, *p, *d))
        .collect();
    order.sort_by(|a, b| (b.1 * b.2).total_cmp(&(a.1 * a.2)).then(a.0.cmp(&b.0)));
    let (mut chance, mut cost, mut reserve, mut taken) = (0.0, 0.0, 1.0, 0);
    for (_, p, d) in &order {
        if p * d <= reserve {
            break;
        }
        chance += p;
        cost += 1.0 / d;
        taken += 1;
        // Σ1/d reaching 1 means that the outcomes taken so far already pay back more than they cost.
        reserve = if cost < 1.0 { ((1.0 - chance) / (1.0 - cost)).max(0.0) } else { 0.0 };
    }
    for (i, p, d) in order.into_iter().take(taken) {
        if let Some(stake) = stakes.get_mut(i) {
            *stake = (p - reserve / d).max(0.0);
        }
    }
    stakes
}

/// How a full Kelly fraction becomes a stake.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StakeLimits {
    /// Share of full Kelly, such as 0.25.
    pub fraction: f64,
    /// Largest share of the bankroll.
    pub cap: f64,
    /// Largest stake the book takes, where the feed says so.
    pub book_limit: Option<f64>,
}

impl StakeLimits {
    /// The stake for a full Kelly fraction; zero when there is no edge or no bankroll.
    pub fn stake(&self, full: f64, bankroll: f64) -> f64 {
        let share = (full * self.fraction).min(self.cap);
        if !(share > 0.0 && bankroll > 0.0) {
            return 0.0;
        }
        let stake = share * bankroll;
        self.book_limit.map_or(stake, |limit| stake.min(limit.max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const D110: f64 = 1.0 + 100.0 / 110.0;

    #[test]
    fn reference_fractions() {
        let quarter = StakeLimits { fraction: 0.25, cap: 0.05, book_limit: None };
        assert!((kelly(0.55, D110) - 0.055).abs() < 1e-12);
        assert!((quarter.stake(kelly(0.55, D110), 10_000.0) - 137.50).abs() < 1e-9);
        assert_eq!(kelly(0.40, D110), 0.0);
        assert_eq!(kelly(1.0, 3.0), 1.0);
        assert_eq!(quarter.stake(1.0, 10_000.0), 500.0);
        assert_eq!(StakeLimits { book_limit: Some(60.0), ..quarter }.stake(1.0, 10_000.0), 60.0);
        let d105 = 1.0 + 100.0 / 105.0;
        assert!((kelly_push(0.48, 0.43, d105) - 0.0313).abs() < 5e-5);
        assert_eq!(kelly(0.48, d105), 0.0, "without the push there is no bet");
    }

    #[test]
    fn nonsense_gets_no_stake() {
        for (p, d) in [(f64::NAN, 2.0), (0.6, 1.0), (0.6, 0.5), (0.6, f64::NAN), (0.0, 2.0), (-1.0, 2.0)] {
            assert_eq!(kelly(p, d), 0.0, "{p} {d}");
        }
        assert_eq!(kelly_push(0.0, 0.0, 2.0), 0.0);
        let limits = StakeLimits { fraction: 0.5, cap: 0.1, book_limit: Some(-5.0) };
        assert_eq!(limits.stake(f64::NAN, 100.0), 0.0);
        assert_eq!(limits.stake(0.2, -100.0), 0.0);
        assert_eq!(limits.stake(0.2, 100.0), 0.0);
        assert_eq!(kelly_exclusive(&[0.5, f64::NAN, 2.0], &[f64::INFINITY, 2.0, 2.0]), [0.0, 0.0, 0.0]);
        assert_eq!(kelly_exclusive(&[], &[]), Vec::<f64>::new());
    }

    #[test]
    fn exclusive_outcomes() {
        let got = kelly_exclusive(&[0.45, 0.30, 0.25], &[2.25, 3.1, 4.2]);
        for (g, w) in got.iter().zip([0.03, 0.0, 0.025]) {
            assert!((g - w).abs() < 1e-9, "{got:?}");
        }
        // One outcome is ordinary Kelly.
        assert!((kelly_exclusive(&[0.55], &[D110])[0] - 0.055).abs() < 1e-12);
        assert_eq!(kelly_exclusive(&[0.4, 0.3, 0.3], &[2.4, 3.2, 3.2]), [0.0; 3]);
    }

    fn growth(p: &[f64], d: &[f64], f: &[f64]) -> f64 {
        let rest = 1.0 - f.iter().sum::<f64>();
        let missing = 1.0 - p.iter().sum::<f64>();
        p.iter().zip(d).zip(f).map(|((p, d), f)| p * (rest + f * d).ln()).sum::<f64>() + missing.max(0.0) * rest.ln()
    }

    proptest! {
        #[test]
        fn exclusive_stakes_cannot_be_bettered(
            w in prop::collection::vec(0.05..1.0f64, 3), edge in prop::collection::vec(0.85..1.15f64, 3),
            nudge in prop::collection::vec(-0.01..0.01f64, 3),
        ) {
            let total: f64 = w.iter().sum::<f64>() * 1.05;
            let p: Vec<f64> = w.iter().map(|w| w / total).collect();
            let d: Vec<f64> = p.iter().zip(&edge).map(|(p, e)| (e / p).max(1.01)).collect();
            prop_assume!(d.iter().map(|d| 1.0 / d).sum::<f64>() > 1.0);
            let best = kelly_exclusive(&p, &d);
            prop_assert!(best.iter().all(|f| *f >= 0.0) && best.iter().sum::<f64>() < 1.0);
            let other: Vec<f64> = best.iter().zip(&nudge).map(|(f, n)| (f + n).max(0.0)).collect();
            prop_assume!(other.iter().sum::<f64>() < 1.0);
            prop_assert!(growth(&p, &d, &best) >= growth(&p, &d, &other) - 1e-12);
        }

        #[test]
        fn quarter_line_stakes_cannot_be_bettered(
            win in 0.3..0.6f64, half in 0.0..0.2f64, d in 1.6..2.6f64, other in 0.0..0.9f64,
        ) {
            let s = Settlement { win, half_win: 0.0, push: 0.0, half_loss: half, loss: 1.0 - win - half };
            let g = |f: f64| s.outcomes(d).iter().map(|(p, net)| p * (1.0 + f * net).ln()).sum::<f64>();
            prop_assert!(g(s.kelly(d)) >= g(other) - 1e-12);
            if s.ev(d) <= 0.0 {
                prop_assert_eq!(s.kelly(d), 0.0);
            }
        }
    }
}
