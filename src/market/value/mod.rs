//! What a bet is worth: expected value with pushes, stakes, and sets of bets taken together.
//!
//! Pure functions of probabilities and decimal odds. Where the probabilities come from is not known here.
//!
//! Notation: `p` is the vig-free probability *conditional on no push* (what a devigged whole-number line gives), `push`
//! the chance of a refund, `d` decimal odds (stake included), EV the mean profit on a stake of 1.

mod kelly;
mod legs;
mod settlement;

pub use kelly::{StakeLimits, kelly, kelly_exclusive, kelly_push};
pub use legs::{Arbitrage, Leg, Middle, Shape, hold, is_partition, low_hold, overround, raw_sum, round_stakes};
pub use settlement::Settlement;

/// EV without pushes: p d - 1.
pub fn ev(p: f64, d: f64) -> f64 {
    p.mul_add(d, -1.0)
}

/// EV with pushes: (1 - push)(p d - 1).
pub fn ev_push(p: f64, push: f64, d: f64) -> f64 {
    (1.0 - push) * ev(p, d)
}

/// Decimal odds at which a probability is fair. Infinite at 0.
pub fn fair_odds(p: f64) -> f64 {
    1.0 / p
}

/// The push chance at which `whole` odds on a whole-number line and `half` odds on the line half a point worse are
/// worth the same, when the whole line is at `p`.
///
/// The half line wins with p(1 - push), so p(1-P)h - 1 = (1-P)(p w - 1) and P = 1 - 1/(1 + p(h - w)).
pub fn indifferent_push(p: f64, whole: f64, half: f64) -> f64 {
    1.0 - 1.0 / (1.0 + p * (half - whole))
}

/// Vig-free probabilities half a point better, on, and half a point worse than a whole-number line with conditional
/// probability `p` and push chance `push`.
pub fn half_point_ladder(p: f64, push: f64) -> [f64; 3] {
    let win = p * (1.0 - push);
    [win + push, p, win]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::price::decimal_to_american;

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got}, wanted {want}");
    }

    const D110: f64 = 1.0 + 100.0 / 110.0;
    const D105: f64 = 1.0 + 100.0 / 105.0;
    const D120: f64 = 1.0 + 100.0 / 120.0;

    #[test]
    fn expected_values() {
        near(ev(0.5, 2.1), 0.05, 1e-12);
        near(100.0 * ev(0.55, D110), 5.0, 1e-9);
        near(ev(0.5, 2.15), 0.075, 1e-12);
        // Against a price with its margin left in, an ordinary price looks like a bet.
        near(ev(1.0 / D110, 2.05), 0.0738, 1e-4);
        near(ev(0.5, 2.05), 0.025, 1e-12);
    }

    #[test]
    fn whole_against_half_line() {
        near(indifferent_push(0.5, D120, D105), 0.056, 5e-4);
        for (push, half, whole) in [(0.094, -0.116, -0.076), (0.04, -0.063, -0.080)] {
            near(ev(0.5 * (1.0 - push), D105), half, 5e-4);
            near(ev_push(0.5, push, D120), whole, 6e-4);
        }
        let push = indifferent_push(0.5, D120, D105);
        near(ev(0.5 * (1.0 - push), D105), ev_push(0.5, push, D120), 1e-12);
    }

    #[test]
    fn ladders() {
        let american = |p: f64| -100.0 * p / (1.0 - p);
        for (push, want) in [(0.094, 120.8), (0.04, 108.3)] {
            let [better, on, worse] = half_point_ladder(0.5, push);
            near(american(better), -want, 0.05);
            assert_eq!(decimal_to_american(fair_odds(on)), 100);
            near(100.0 * (fair_odds(worse) - 1.0), want, 0.05);
        }
    }
}
