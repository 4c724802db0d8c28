//! How far a rate, a mean or a median can be trusted.
//!
//! Owns the three intervals of the track record, all at 95 %, all in closed form: nothing is drawn at random, so the same
//! rows give the same interval. Signals of one game share that game's surprises; wherever rows are counted here, the game
//! is what is independent. Knows nothing of signals.

/// Φ⁻¹(0.975).
pub const Z: f64 = 1.959_963_984_540_054;

/// Both ends of a 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One observation and the event it belongs to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Observation {
    /// Observations with the same number are not independent.
    pub event: u32,
    /// The value.
    pub value: f64,
}

/// Wilson's score interval for `successes` of `trials`; `None` without trials.
///
/// (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). Source: E. B. Wilson (1927), Journal of the American Statistical
/// Association 22, 209-212; without correction for continuity. The ends lie in [0, 1] and are of use even when every
/// trial, or none, was a success.
pub fn wilson(successes: u32, trials: u32) -> Option<Interval> {
    (trials > 0).then(|| f64::from(successes) / f64::from(trials)).and_then(|p| wilson_of(p, f64::from(trials)))
}

/// [`wilson`] for a rate and an *effective* number of trials, which need not be whole. `None` unless `rate` lies in
/// [0, 1] and `trials` is positive and finite.
pub fn wilson_of(rate: f64, trials: f64) -> Option<Interval> {
    let sound = (0.0..=1.0).contains(&rate) && trials > 0.0 && trials.is_finite();
    if !sound {
        return None;
    }
    let z2n = Z * Z / trials;
    let centre = (rate + 0.5 * z2n) / (1.0 + z2n);
    let half = Z / (1.0 + z2n) * (rate * (1.0 - rate) / trials + 0.25 * z2n / trials).sqrt();
    // At the ends centre and half are equal but for the last bits.
    let low = if rate == 0.0 { 0.0 } else { (centre - half).clamp(0.0, rate) };
    let high = if rate == 1.0 { 1.0 } else { (centre + half).clamp(rate, 1.0) };
    Some(Interval { low, high })
}

/// How many events of equal size are worth as much as events of these sizes: (Σ m)² / Σ m². 0 for none.
///
/// Source: L. Kish (1965), *Survey Sampling*. It is the number of independent trials behind a rate over all rows if the
/// rows of one event always go the same way: the most cautious reading, and exactly the number of events where each has
/// as many rows as the others. A rate over rows takes its [`wilson_of`] from here, so that its unit is the event.
pub fn effective_events(rows_per_event: impl IntoIterator<Item = u32>) -> f64 {
    let (sum, squares) = rows_per_event.into_iter().fold((0.0, 0.0), |(s, q), m| {
        let m = f64::from(m);
        (s + m, q + m * m)
    });
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// The mean; `None` without observations.
pub fn mean(observations: &[Observation]) -> Option<f64> {
    (!observations.is_empty())
        .then(|| observations.iter().map(|o| o.value).sum::<f64>() / observations.len() as f64)
        .filter(|m| m.is_finite())
}

/// The interval of the mean, clustered by event. Observations of one event stand next to each other. `None` with fewer
/// than two events: what a single game says about other games is not known.
///
/// With N observations in G events, u_g the sum over event g of (x - mean):
/// mean ± t(G-1) √( G/(G-1) Σ u_g² / N² ). The sandwich variance of a mean with the usual small-sample factor (CR1; its
/// second part (N-1)/(N-K) is 1 for a mean) and Student's t with G-1 degrees of freedom. Source: A. C. Cameron and
/// D. L. Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 50(2), 317-372,
/// sections II.B and VI. With one observation an event it is the textbook interval of a mean.
pub fn mean_interval(observations: &[Observation]) -> Option<Interval> {
    let mean = mean(observations)?;
    let half = clustered_half_width(observations, |x| x - mean)?;
    Some(Interval { low: mean - half, high: mean + half })
}

/// The median, the mean of the two in the middle for an even number; `None` without observations.
pub fn median(observations: &[Observation]) -> Option<f64> {
    let sorted = sorted(observations);
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(low + 0.5 * (high - low)).filter(|m| m.is_finite())
}

/// The interval of the median, clustered by event: the observations at the ranks where the clustered interval of the
/// share that is at most the median ends. Observations of one event stand next to each other. `None` with fewer than two
/// events, or where the interval of the share reaches beyond the observations (a handful of events).
///
/// Source: R. S. Woodruff (1952), "Confidence Intervals for Medians and Other Position Measures", Journal of the
/// American Statistical Association 47, 635-646, with the variance of [`mean_interval`] for the share.
pub fn median_interval(observations: &[Observation]) -> Option<Interval> {
    let median = median(observations)?;
    let below = observations.iter().filter(|o| o.value <= median).count() as f64 / observations.len() as f64;
    let half = clustered_half_width(observations, |x| if x <= median { 1.0 - below } else { -below })?;
    let sorted = sorted(observations);
    let n = sorted.len() as f64;
    let (first, last) = (((0.5 - half) * n).floor(), ((0.5 + half) * n).ceil());
    if first < 0.0 || last > n {
        return None;
    }
    let at = |rank: f64| sorted.get((rank.max(1.0) as usize).saturating_sub(1)).copied();
    Some(Interval { low: at(first)?.min(median), high: at(last)?.max(median) })
}

/// t √variance of the mean of a residual whose mean is zero.
fn clustered_half_width(observations: &[Observation], residual: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut events, mut squares) = (0_u32, 0.0);
    for cluster in observations.chunk_by(|a, b| a.event == b.event) {
        let sum: f64 = cluster.iter().map(|o| residual(o.value)).sum();
        events += 1;
        squares += sum * sum;
    }
    let t = student(events.checked_sub(1)?)?;
    let g = f64::from(events);
    let variance = g / (g - 1.0) * squares / (observations.len() as f64 * observations.len() as f64);
    Some(t * variance.sqrt()).filter(|h| h.is_finite())
}

fn sorted(observations: &[Observation]) -> Vec<f64> {
    let mut values: Vec<f64> = observations.iter().map(|o| o.value).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The 0.975 quantile of Student's t; `None` without degrees of freedom.
///
/// From a table up to 30, above it from the expansion around the normal quantile (Abramowitz and Stegun 26.7.5), whose
/// error there is below 1e-7.
pub fn student(degrees: u32) -> Option<f64> {
    let place = usize::try_from(degrees.checked_sub(1)?).ok()?;
    if let Some(t) = STUDENT.get(place) {
        return Some(*t);
    }
    let n = f64::from(degrees);
    let x = Z;
    let x2 = x * x;
    let g1 = x * (x2 + 1.0) / 4.0;
    let g2 = x * ((5.0 * x2 + 16.0) * x2 + 3.0) / 96.0;
    let g3 = x * (((3.0 * x2 + 19.0) * x2 + 17.0) * x2 - 15.0) / 384.0;
    let g4 = x * ((((79.0 * x2 + 776.0) * x2 + 1482.0) * x2 - 1920.0) * x2 - 945.0) / 92_160.0;
    Some(x + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n)
}

/// 0.975 quantiles for 1 to 30 degrees of freedom, from the incomplete beta function at 40 digits.
const STUDENT: [f64; 30] = [
    12.706_204_736_174_705,
    4.302_652_729_749_464,
    3.182_446_305_283_709_5,
    2.776_445_105_197_794_3,
    2.570_581_835_636_315_5,
    2.446_911_851_144_97,
    2.364_624_251_592_785_3,
    2.306_004_135_204_166_7,
    2.262_157_162_798_205_3,
    2.228_138_851_986_275,
    2.200_985_160_091_639_7,
    2.178_812_829_667_229,
    2.160_368_656_462_792_6,
    2.144_786_687_917_804,
    2.131_449_545_559_775_5,
    2.119_905_299_221_254_6,
    2.109_815_577_833_317,
    2.100_922_040_241_038_7,
    2.093_024_054_408_309_6,
    2.085_963_447_265_865,
    2.079_613_844_727_680_4,
    2.073_873_067_904_026_3,
    2.068_657_610_419_048_6,
    2.063_898_561_628_026,
    2.059_538_552_753_297_7,
    2.055_529_438_642_873,
    2.051_830_516_480_285_5,
    2.048_407_141_795_245_4,
    2.045_229_642_132_704_3,
    2.042_272_456_301_238,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::devig::normal;

    fn rows(pairs: &[(u32, f64)]) -> Vec<Observation> {
        pairs.iter().map(|&(event, value)| Observation { event, value }).collect()
    }

    fn near(got: Interval, low: f64, high: f64, tolerance: f64) {
        assert!((got.low - low).abs() < tolerance && (got.high - high).abs() < tolerance, "{got:?}, {low} to {high}");
    }

    #[test]
    fn wilson_as_published() {
        assert!((Z - normal::quantile(0.975)).abs() < 1e-14);
        // scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
        for (k, n, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889_2),
            (10, 10, 0.722_467_200_137_110_7, 1.0),
            (1, 1, 0.206_549_314_377_237_45, 1.0),
            (15, 30, 0.331_541_256_405_337_66, 0.668_458_743_594_662_3),
            (54, 100, 0.442_648_603_233_682_3, 0.634_391_916_909_759_9),
            (290, 500, 0.536_289_456_803_553_9, 0.622_490_648_722_597_7),
        ] {
            near(wilson(k, n).unwrap(), low, high, 1e-12);
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson_of(f64::NAN, 10.0), None);
        assert_eq!(wilson_of(0.5, f64::NAN), None);
        assert_eq!(wilson_of(1.1, 10.0), None);
    }

    #[test]
    fn student_against_forty_digits() {
        assert_eq!(student(0), None);
        for (degrees, t, tolerance) in [
            (1, 12.706_204_736_174_705, 1e-15),
            (30, 2.042_272_456_301_238, 1e-15),
            (31, 2.039_513_446_396_408_6, 1e-7),
            (40, 2.021_075_390_306_273_3, 1e-7),
            (60, 2.000_297_822_014_260_4, 1e-8),
            (100, 1.983_971_518_523_552_2, 1e-9),
            (500, 1.964_719_837_467_367_8, 1e-12),
            (100_000, 1.959_987_707_534_609_5, 1e-12),
        ] {
            let got = student(degrees).unwrap();
            assert!((got - t).abs() <= tolerance, "{degrees}: {got}");
        }
    }

    #[test]
    fn clustered_means_by_hand() {
        // Mean 1/60. Sums of residuals: 1/60, -1.6/60, 0.6/60; variance 3/2 x (1 + 2.56 + 0.36)/3600/36.
        let three = rows(&[(1, 0.02), (1, 0.03), (2, -0.01), (3, 0.05), (3, 0.01), (3, 0.0)]);
        assert!((mean(&three).unwrap() - 1.0 / 60.0).abs() < 1e-15);
        near(mean_interval(&three).unwrap(), -0.012_314_939_970_420_529, 0.045_648_273_303_753_86, 1e-14);
        // The same values in six events: the textbook interval, standard error s/√n = 0.00881917.
        let six: Vec<_> = three.iter().zip(1..).map(|(o, event)| Observation { event, ..*o }).collect();
        near(mean_interval(&six).unwrap(), -0.006_003_734_206_112_016_5, 0.039_337_067_539_445_35, 1e-14);
    }

    #[test]
    fn one_event_has_no_interval() {
        assert_eq!(mean_interval(&rows(&[(7, 0.01), (7, 0.02), (7, 0.03)])), None);
        assert_eq!(median_interval(&rows(&[(7, 0.01), (7, 0.02), (7, 0.03)])), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(median(&[]), None);
        assert_eq!(mean_interval(&[]), None);
        assert_eq!(median_interval(&[]), None);
    }

    #[test]
    fn medians_of_many_and_few() {
        let values: Vec<_> = (1..=99).map(|i| Observation { event: i, value: f64::from(i) }).collect();
        assert_eq!(median(&values), Some(50.0));
        assert_eq!(median(&values[..98]), Some(49.5));
        // The share at most 50 is 50/99, its variance (50/99)(49/99)/98, t(98) 1.984467: half a width of 0.100226.
        // Ranks floor(99 x 0.399774) = 39 and ceil(99 x 0.600226) = 60.
        near(median_interval(&values).unwrap(), 39.0, 60.0, 1e-9);
        assert_eq!(median_interval(&values[..3]), None, "three events say next to nothing about a median");
    }

    #[test]
    fn events_of_equal_size_count_as_events() {
        assert_eq!(effective_events([1; 12]), 12.0);
        assert_eq!(effective_events([4; 12]), 12.0);
        assert_eq!(effective_events([9, 1]), 100.0 / 82.0);
        assert_eq!(effective_events([]), 0.0);
    }

    fn observations() -> impl Strategy<Value = Vec<Observation>> {
        prop::collection::vec((0_u32..12, -0.5_f64..0.5), 1..60).prop_map(|mut pairs| {
            pairs.sort_by_key(|p| p.0);
            rows(&pairs)
        })
    }

    proptest! {
        #[test]
        fn wilson_holds_the_rate_and_narrows(k in 0_u32..500, more in 0_u32..500, times in 2_u32..20) {
            let n = k + more.max(1);
            let one = wilson(k, n).unwrap();
            let rate = f64::from(k) / f64::from(n);
            prop_assert!(0.0 <= one.low && one.low <= rate && rate <= one.high && one.high <= 1.0);
            let many = wilson(k * times, n * times).unwrap();
            prop_assert!(many.low >= one.low && many.high <= one.high);
            let other = wilson(n - k, n).unwrap();
            prop_assert!((other.low - (1.0 - one.high)).abs() < 1e-12);
        }

        #[test]
        fn intervals_hold_their_centre_and_move_with_it(o in observations(), shift in -3.0_f64..3.0) {
            let moved: Vec<_> = o.iter().map(|o| Observation { value: o.value + shift, ..*o }).collect();
            if let Some(i) = mean_interval(&o) {
                let m = mean(&o).unwrap();
                prop_assert!(i.low <= m && m <= i.high);
                let j = mean_interval(&moved).unwrap();
                prop_assert!((j.low - i.low - shift).abs() < 1e-9 && (j.high - i.high - shift).abs() < 1e-9);
            } else {
                prop_assert_eq!(o.iter().map(|o| o.event).collect::<std::collections::BTreeSet<_>>().len(), 1);
            }
            if let Some(i) = median_interval(&o) {
                let m = median(&o).unwrap();
                prop_assert!(i.low <= m && m <= i.high);
            }
        }

        #[test]
        fn saying_everything_twice_adds_no_certainty(o in observations()) {
            let twice: Vec<_> = o.iter().flat_map(|o| [*o, *o]).collect();
            match (mean_interval(&o), mean_interval(&twice)) {
                (Some(a), Some(b)) => {
                    prop_assert!((a.low - b.low).abs() < 1e-12 && (a.high - b.high).abs() < 1e-12);
                }
                (a, b) => prop_assert_eq!(a, b),
            }
        }

        #[test]
        fn student_falls_towards_the_normal(degrees in 1_u32..5000) {
            prop_assert!(student(degrees).unwrap() > student(degrees + 1).unwrap());
            prop_assert!(student(degrees).unwrap() > Z);
        }

        #[test]
        fn effective_events_never_exceed_events(sizes in prop::collection::vec(1_u32..50, 1..40)) {
            let n = effective_events(sizes.iter().copied());
            prop_assert!(n >= 1.0 - 1e-12 && n <= sizes.len() as f64 + 1e-9);
        }
    }
}
