//! The methods themselves: raw probabilities `q` with a sum above 1 in, fair ones out, and the parameter that was
//! solved for. Two sides have a closed form in all methods but power, and a Newton iteration that cannot overshoot there.
//! Callers have checked that every q lies in (0, 1) and that the sum is at least 1.

use super::normal;

/// More steps than any solvable input needs; the functions below converge quadratically.
const MAX_STEPS: usize = 200;

pub(super) fn multiplicative(q: &[f64], sum: f64, out: &mut [f64]) -> f64 {
    for (p, q) in out.iter_mut().zip(q) {
        *p = q / sum;
    }
    sum
}

/// The same amount off every side. Returns it; results may be negative.
pub(super) fn additive(q: &[f64], sum: f64, out: &mut [f64]) -> f64 {
    let excess = (sum - 1.0) / q.len() as f64;
    for (p, q) in out.iter_mut().zip(q) {
        *p = q - excess;
    }
    excess
}

/// q^k with sum 1. Returns k >= 1.
///
/// With the favourite f, f^k + rest(k) = 1 is written ln(1 - f^k) - ln rest(k) = 0: concave and increasing in k, so
/// Newton started left of the root (k = 1) climbs to it without overshooting, and quickly, because both terms are
/// nearly linear.
pub(super) fn power(q: &[f64], out: &mut [f64]) -> f64 {
    if let ([q1, q2], [p1, p2]) = (q, &mut *out) {
        let swapped = q2 > q1;
        let (high, low) = if swapped { (*q2, *q1) } else { (*q1, *q2) };
        let (a, b) = (-high.ln(), -low.ln());
        // Σ q^k is convex and falls, so its own tangent at k = 1 also ends left of the root, close by for usual margins.
        let mut k = 1.0 + (q1 + q2 - 1.0) / (a * high + b * low);
        for _ in 0..MAX_STEPS {
            let rest = -(-a * k).exp_m1();
            let step = -(rest.ln() + b * k) / (a * (1.0 - rest) / rest + b);
            k += step;
            // What is left after a step this small is about its square.
            if step.abs() < 1e-7 * k {
                break;
            }
        }
        let small = -(-a * k).exp_m1();
        (*p1, *p2) = if swapped { (small, 1.0 - small) } else { (1.0 - small, small) };
        return k;
    }
    let favourite = q.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    for (p, q) in out.iter_mut().zip(q) {
        *p = -q.ln();
    }
    let mut k = 1.0;
    for _ in 0..MAX_STEPS {
        let (mut complement, mut pull) = (1.0, 0.0);
        let (mut rest, mut moment) = (0.0, 0.0);
        for (i, a) in out.iter().enumerate() {
            if i == favourite {
                complement = -(-a * k).exp_m1();
                pull = a * (1.0 - complement) / complement;
            } else {
                let e = (-a * k).exp();
                rest += e;
                moment += a * e;
            }
        }
        let step = -(complement.ln() - rest.ln()) / (pull + moment / rest);
        k += step;
        if step.abs() < 1e-9 * k {
            break;
        }
    }
    for a in out.iter_mut() {
        *a = (-*a * k).exp();
    }
    k
}

/// Shin (1993): a share z of the stakes knows the result. Returns z in [0, 1).
pub(super) fn shin(q: &[f64], sum: f64, out: &mut [f64]) -> f64 {
    if let [q1, q2] = q {
        // For two sides Shin is additive, and z has a closed form (Jullien and Salanié).
        let gap = (q1 - q2) * (q1 - q2);
        additive(q, sum, out);
        return (sum - 1.0) * (sum - gap) / (sum * (1.0 - gap));
    }
    // g(z) = Σ sqrt(z² + 4(1-z)q²/S) - n z - 2(1-z) is convex with g(0) > 0, the root we want and a root at 1:
    // Newton from 0 climbs to the first without overshooting.
    let n = q.len() as f64;
    let mut z = 0.0;
    for _ in 0..MAX_STEPS {
        let (mut g, mut slope) = (-n * z - 2.0 * (1.0 - z), 2.0 - n);
        for q in q {
            let c = q * q / sum;
            let root = (z * z + 4.0 * (1.0 - z) * c).sqrt();
            g += root;
            slope += (z - 2.0 * c) / root;
        }
        let step = -g / slope;
        z += step;
        if step.abs() < 1e-14 {
            break;
        }
    }
    for (p, q) in out.iter_mut().zip(q) {
        let c = q * q / sum;
        // The form without cancellation for small q.
        *p = 2.0 * c / ((z * z + 4.0 * (1.0 - z) * c).sqrt() + z);
    }
    z
}

/// A constant shift of the logits: q / (c + q - c q). Returns c >= 1.
pub(super) fn odds_ratio(q: &[f64], out: &mut [f64]) -> f64 {
    for (p, q) in out.iter_mut().zip(q) {
        *p = q / (1.0 - q);
    }
    let c = if let [o1, o2] = &*out {
        (o1 * o2).sqrt()
    } else {
        let total: f64 = out.iter().sum();
        let shift = falling_root(total.ln().max(0.0), |s| {
            let c = s.exp();
            out.iter().fold((-1.0, 0.0), |(f, d), o| {
                let p = o / (c + o);
                (f + p, d - p * (1.0 - p))
            })
        });
        shift.exp()
    };
    for o in out.iter_mut() {
        *o /= c + *o;
    }
    c
}

/// A constant shift of the normal scores: Φ(Φ⁻¹(q) - s). Returns s >= 0.
pub(super) fn probit(q: &[f64], out: &mut [f64]) -> f64 {
    for (p, q) in out.iter_mut().zip(q) {
        *p = normal::quantile(*q);
    }
    let shift = if let [x1, x2] = &*out {
        0.5 * (x1 + x2)
    } else {
        // Shifted so far that the favourite alone is 1/n, the sum is at most 1.
        let highest = out.iter().copied().fold(f64::MIN, f64::max);
        let far = highest - normal::quantile(1.0 / q.len() as f64);
        falling_root(far.max(0.0), |s| {
            out.iter().fold((-1.0, 0.0), |(f, d), x| (f + normal::cdf(x - s), d - normal::density(x - s)))
        })
    };
    for x in out.iter_mut() {
        *x = normal::cdf(*x - shift);
    }
    shift
}

/// The root in [0, high] of a falling function given with its derivative: Newton, kept in the bracket by bisection.
fn falling_root(mut high: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut low = 0.0;
    let mut x = 0.0;
    for _ in 0..MAX_STEPS {
        let (value, slope) = f(x);
        if value > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let newton = x - value / slope;
        let next = if newton >= low && newton <= high { newton } else { 0.5 * (low + high) };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-15 * x.max(1.0) {
            break;
        }
    }
    x
}
