//! A weighted mean that one broken book cannot move.
//!
//! One step from the weighted median: votes within `c` of it count in full, farther ones less (`c / distance`), and
//! beyond three times `c` not at all (unless the books are in two camps with nobody between: then all count). `c` is a constant of the scale, not estimated from the votes, so that leaving a
//! book out changes nothing but its own vote.

/// A vote of one book.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Vote {
    /// Place of its family among the families that vote, from 0.
    pub family: u16,
    /// At least 0; sister books share the weight of one.
    pub weight: f64,
    /// The value voted for.
    pub value: f64,
}

/// What the votes say together.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Estimate {
    /// The weighted robust mean.
    pub value: f64,
    /// Its standard error, in units of the value.
    pub standard_error: f64,
    /// (Σ W)² / Σ W² over families: how many equal independent books would weigh the same.
    pub effective: f64,
    /// Families whose vote counts.
    pub families: u16,
}

/// Votes farther than so many `c` from the median do not count.
pub const CUT: f64 = 3.0;

/// Share of a vote that counts, at a distance from the weighted median.
pub fn share(distance: f64, c: f64) -> f64 {
    let d = distance.abs();
    if d <= c {
        1.0
    } else if d <= CUT * c {
        c / d
    } else {
        0.0
    }
}

/// The number of no family.
const NOBODY: u16 = u16::MAX;

/// The weighted median of votes in rising order of their values, without one family. `None` without weight.
pub fn weighted_median(votes: &[Vote], without: Option<u16>) -> Option<f64> {
    let out = without.unwrap_or(NOBODY);
    let mut half = 0.0;
    for vote in votes {
        half += if vote.family == out { 0.0 } else { vote.weight };
    }
    half *= 0.5;
    let mut sum = 0.0;
    let mut below: Option<f64> = None;
    for vote in votes {
        if vote.family == out || vote.weight <= 0.0 {
            continue;
        }
        if let Some(below) = below {
            return Some(0.5 * (below + vote.value));
        }
        sum += vote.weight;
        // Equal weights add up to exactly half but for the last bits.
        if (sum - half).abs() <= 1e-9 * half {
            below = Some(vote.value);
        } else if sum > half {
            return Some(vote.value);
        }
    }
    below
}

/// What `votes` (in rising order of their values) say without one family. `floor`: the smallest spread of a single vote
/// that is believed, for prices come in steps. `sums` is scratch space.
pub fn estimate(votes: &[Vote], without: Option<u16>, c: f64, floor: f64, sums: &mut Vec<f64>) -> Option<Estimate> {
    let centre = weighted_median(votes, without)?;
    let out = without.unwrap_or(NOBODY);
    let cut = CUT * c;
    sums.clear();
    sums.resize(votes.iter().map(|v| usize::from(v.family) + 1).max().unwrap_or(0), 0.0);
    let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
    for vote in votes {
        let distance = vote.value - centre;
        let away = distance.abs();
        if vote.family == out || away > cut {
            continue;
        }
        let w = if away <= c { vote.weight } else { vote.weight * c / away };
        let part = w * distance;
        total += w;
        first += part;
        second += part * distance;
        if let Some(sum) = sums.get_mut(usize::from(vote.family)) {
            *sum += w;
        }
    }
    if total <= 0.0 {
        // Two camps, and nobody near the middle: the error tells of it, not a mean of nothing.
        return c.is_finite().then(|| estimate(votes, without, f64::INFINITY, floor, sums)).flatten();
    }
    let off = first / total;
    let value = centre + off;
    let spread = (second / total - off * off).max(0.0);
    let squares: f64 = sums.iter().map(|w| w * w).sum();
    let effective = total * total / squares;
    let families = sums.iter().filter(|w| **w > 0.0).count() as u16;
    let bessel = if effective > 1.0 + 1e-9 { effective / (effective - 1.0) } else { 1.0 };
    let standard_error = ((spread * bessel).max(floor * floor) / effective).sqrt();
    Some(Estimate { value, standard_error, effective, families })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn votes(values: &[f64]) -> Vec<Vote> {
        let mut votes: Vec<_> =
            values.iter().enumerate().map(|(i, v)| Vote { family: i as u16, weight: 1.0, value: *v }).collect();
        votes.sort_by(|a, b| a.value.total_cmp(&b.value));
        votes
    }

    fn of(votes: &[Vote], without: Option<u16>) -> Estimate {
        estimate(votes, without, 0.5, 0.05, &mut Vec::new()).expect("estimate")
    }

    #[test]
    fn medians() {
        assert_eq!(weighted_median(&votes(&[1.0, 2.0, 9.0]), None), Some(2.0));
        assert_eq!(weighted_median(&votes(&[1.0, 2.0, 3.0, 9.0]), None), Some(2.5));
        assert_eq!(weighted_median(&votes(&[1.0, 2.0, 9.0]), Some(2)), Some(1.5));
        assert_eq!(weighted_median(&[], None), None);
        let heavy = [
            Vote { family: 0, weight: 3.0, value: 1.0 },
            Vote { family: 1, weight: 1.0, value: 2.0 },
            Vote { family: 2, weight: 1.0, value: 3.0 },
        ];
        assert_eq!(weighted_median(&heavy, None), Some(1.0));
    }

    #[test]
    fn a_swapped_book_moves_nothing() {
        let good = of(&votes(&[-3.0; 6]), None);
        let swapped = of(&votes(&[-3.0, -3.0, -3.0, -3.0, -3.0, -3.0, 3.0]), None);
        assert_eq!(good.value, swapped.value);
        assert_eq!(swapped.families, 6);
    }

    #[test]
    fn leaving_a_book_out_is_as_if_it_had_never_been_there() {
        let all = votes(&[-3.1, -2.9, -3.4, -2.2, -3.0]);
        for out in 0..5_u16 {
            let rest: Vec<_> = all.iter().filter(|v| v.family != out).copied().collect();
            let (a, b) = (of(&all, Some(out)), of(&rest, None));
            assert!((a.value - b.value).abs() < 1e-12 && (a.effective - b.effective).abs() < 1e-12);
        }
    }

    #[test]
    fn sisters_count_as_one() {
        let mut all = votes(&[-3.0, -3.2]);
        all.push(Vote { family: 2, weight: 0.5, value: -2.8 });
        all.push(Vote { family: 2, weight: 0.5, value: -2.8 });
        let e = of(&all, None);
        assert_eq!(e.families, 3);
        assert!((e.effective - 3.0).abs() < 1e-12);
        assert!((e.value + 3.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_mean_lies_among_the_votes(values in proptest::collection::vec(-20.0_f64..20.0, 1..12)) {
            let all = votes(&values);
            let e = of(&all, None);
            let (low, high) = (all[0].value, all[all.len() - 1].value);
            prop_assert!(e.value >= low - 1e-9 && e.value <= high + 1e-9);
            prop_assert!(e.effective >= 1.0 - 1e-9 && e.effective <= all.len() as f64 + 1e-9);
            prop_assert!(e.standard_error > 0.0);
        }
    }
}
