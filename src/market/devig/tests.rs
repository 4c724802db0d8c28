use proptest::prelude::*;

use super::*;
use Method::{Additive, Multiplicative, OddsRatio, Power, Probit, Shin, WorstCase};

fn raw(prices: &[f64]) -> Vec<f64> {
    prices.iter().map(|d| 1.0 / d).collect()
}

fn fair(prices: &[f64], method: Method) -> Fair {
    devig(&raw(prices), method).expect("a market")
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got}, wanted {want}");
}

/// (method, fair probabilities of the first outcomes, parameter): six decimals, computed independently.
type Row = (Method, &'static [f64], f64);

#[test]
fn reference_table() {
    const ANY: f64 = f64::NAN;
    let even = [1.909_090_909_090_909, 1.909_090_909_090_909];
    let table: &[(&[f64], &[Row])] = &[
        (
            &even,
            &[
                (Multiplicative, &[0.5], ANY),
                (Additive, &[0.5], ANY),
                (Power, &[0.5], 1.071_943),
                (OddsRatio, &[0.5], 1.1),
                (Probit, &[0.5], 0.059_717),
                (Shin, &[0.5], 0.047_619),
            ],
        ),
        (
            &[1.50, 2.74],
            &[
                (Multiplicative, &[0.646_226], ANY),
                (Additive, &[0.650_852], ANY),
                (Power, &[0.653_152], 1.050_510),
                (OddsRatio, &[0.651_018], 1.072_113),
                (Probit, &[0.650_983], 0.042_752),
                (Shin, &[0.650_852], 0.031_727),
            ],
        ),
        (
            &[5.0 / 3.0, 2.10],
            &[
                (Multiplicative, &[0.557_522], ANY),
                (Additive, &[0.561_905], ANY),
                (Power, &[0.564_348], 1.119_921),
                (OddsRatio, &[0.562_272], 1.167_748),
                (Probit, &[0.562_193], 0.096_815),
                (Shin, &[0.561_905], 0.076_274),
            ],
        ),
        (
            &[1.10, 8.00],
            &[
                (Multiplicative, &[0.879_121], ANY),
                (Additive, &[0.892_045], ANY),
                (Power, &[0.899_887], 1.106_766),
                (OddsRatio, &[0.893_238], 1.195_229),
                (Probit, &[0.893_023], 0.092_414),
                (Shin, &[0.892_045], 0.035_885),
            ],
        ),
        (
            &[1.02, 21.0],
            &[
                (Multiplicative, &[0.953_678], ANY),
                (Additive, &[0.966_387], ANY),
                (Power, &[0.976_026], 1.225_406),
                (OddsRatio, &[0.969_347], 1.581_139),
                (Probit, &[0.968_920], 0.196_763),
                (Shin, &[0.966_387], 0.033_122),
            ],
        ),
        (
            &[2.60, 2.40, 4.30],
            &[
                (Multiplicative, &[0.372_026, 0.403_028, 0.224_946], ANY),
                (Additive, &[0.373_335, 0.405_387, 0.221_278], ANY),
                (Power, &[0.372_984, 0.405_107, 0.221_908], 1.032_137),
                (OddsRatio, &[0.372_429, 0.404_131, 0.223_440], 1.053_174),
                (Probit, &[0.372_600, 0.404_382, 0.223_018], 0.031_593),
                (Shin, &[0.372_994, 0.404_779, 0.222_227], 0.016_943),
            ],
        ),
        (
            &[1.30, 5.50, 11.0],
            &[
                (Multiplicative, &[0.738_255, 0.174_497, 0.087_248], ANY),
                (Additive, &[0.755_245, 0.167_832, 0.076_923], ANY),
                (Power, &[0.757_191, 0.164_105, 0.078_703], 1.060_126),
                (OddsRatio, &[0.750_356, 0.166_931, 0.082_713], 1.109_001),
                (Probit, &[0.751_256, 0.166_941, 0.081_803], 0.057_868),
                (Shin, &[0.750_905, 0.169_398, 0.079_697], 0.021_543),
            ],
        ),
    ];
    for (prices, rows) in table {
        for (method, want, parameter) in *rows {
            let got = fair(prices, *method);
            for (g, w) in got.as_slice().iter().zip(*want) {
                close(*g, *w, 1e-6, method.name());
            }
            if !parameter.is_nan() {
                close(got.parameter, *parameter, 1e-6, method.name());
            }
            close(got.as_slice().iter().sum(), 1.0, 1e-12, method.name());
        }
        let worst = fair(prices, WorstCase);
        assert!(!worst.is_distribution());
        for (i, w) in worst.as_slice().iter().enumerate() {
            let least = rows.iter().filter_map(|r| r.1.get(i)).copied().fold(f64::INFINITY, f64::min);
            if rows.iter().all(|r| r.1.len() > i) {
                close(*w, least, 1e-6, "worst case");
            }
        }
    }
}

#[test]
fn older_golden_values() {
    let f = fair(&[1.0 + 100.0 / 150.0, 2.3], Multiplicative);
    close(f.as_slice()[0], 0.579_832, 1e-6, "-150");
    close(f.as_slice()[1], 0.420_168, 1e-6, "+130");
    let f = fair(&[2.2, 3.5, 3.4], Multiplicative);
    for (g, w) in f.as_slice().iter().zip([0.439_4, 0.276_2, 0.284_3]) {
        close(*g, w, 5e-5, "three-way");
    }
    assert_eq!(devig(&[0.55, 0.55], Multiplicative).map(|f| f.as_slice().to_vec()), Ok(vec![0.5, 0.5]));
}

#[test]
fn refusals_have_types() {
    let q = |a, b| devig(&[a, b], Method::default());
    assert_eq!(q(0.5, f64::NAN), Err(DevigError::SideMissing(1)));
    assert_eq!(devig_sides([None, Some(0.5)], Power, 1.25), Err(DevigError::SideMissing(0)));
    assert_eq!(devig(&[0.5], Power), Err(DevigError::TooFewSides(1)));
    assert_eq!(devig(&[], Power), Err(DevigError::TooFewSides(0)));
    for bad in [0.0, 1.0, -0.1, 1.5, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(q(0.5, bad), Err(DevigError::NotAProbability { side: 1, value: bad }));
    }
    assert_eq!(q(0.5, 0.49), Err(DevigError::SumBelowOne(0.99)));
    assert!(matches!(q(0.65, 0.65), Err(DevigError::SumAboveLimit { .. })));
    assert!(devig_within(&[0.65, 0.65], Power, 1.31).is_ok());
    // A long shot in a market with much margin.
    assert_eq!(devig(&[0.6, 0.57, 0.02], Additive), Err(DevigError::Negative(2)));
    let worst = devig(&[0.6, 0.57, 0.02], WorstCase).expect("the others answer");
    assert!(worst.as_slice().iter().all(|p| *p > 0.0));
    assert_eq!(devig_into(&[0.5, 0.52], Power, 1.25, &mut [0.0; 3]), Err(DevigError::Room { room: 3, needed: 2 }));
    assert_eq!("goto".parse::<Method>(), Err(UnknownMethod("goto".into())));
    assert_eq!("odds_ratio".parse(), Ok(OddsRatio));
}

#[test]
fn extremes_stay_numbers() {
    for prices in [&[1.001, 1000.0][..], &[1.000_001, 5.0], &[1.000_002, 90_000.0], &[1.001, 1000.0, 1000.0]] {
        for method in Method::DISTRIBUTIONS.into_iter().chain([WorstCase]) {
            let Ok(f) = devig(&raw(prices), method) else {
                assert_eq!(method, Additive, "{prices:?}");
                continue;
            };
            assert!(f.as_slice().iter().all(|p| *p > 0.0 && *p < 1.0), "{prices:?} {method:?} {f:?}");
        }
    }
    for method in Method::DISTRIBUTIONS {
        assert_eq!(fair(&[2.0, 2.0], method).as_slice(), [0.5, 0.5], "no margin");
        let f = devig(&[0.6, 0.4 - 1e-12], method).expect("rounding is no arbitrage");
        close(f.as_slice().iter().sum(), 1.0, 1e-15, "sum");
    }
}

#[test]
fn a_long_field_works() {
    let q: Vec<f64> = (0..40).map(|i| 0.15 / f64::from(i + 4)).map(|q| q * 3.3).collect();
    for method in [Multiplicative, Power, Shin, OddsRatio, Probit] {
        let f = devig_within(&q, method, 1.6).expect("a field");
        close(f.as_slice().iter().sum(), 1.0, 1e-12, method.name());
    }
}

#[test]
fn the_band_holds_every_method() {
    let q = raw(&[1.30, 5.50, 11.0]);
    let band = band(&q, 1.25).expect("band");
    for method in Method::DISTRIBUTIONS {
        let f = devig(&q, method).expect("fair");
        for ((low, high), p) in band.iter().zip(f.as_slice()) {
            assert!(low <= p && p <= high);
        }
    }
}

/// A market of `n` sides: fair probabilities and a power-shaped margin on them, so that q stays below 1.
fn market(n: usize) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (prop::collection::vec(0.002..1.0f64, n), 0.80..0.999f64).prop_map(|(weights, k)| {
        let total: f64 = weights.iter().sum();
        let fair: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let quoted = fair.iter().map(|p| p.powf(k)).collect();
        (fair, quoted)
    })
}

proptest! {
    #[test]
    fn laws((_, q) in (2usize..8).prop_flat_map(market)) {
        let sum: f64 = q.iter().sum();
        for method in Method::DISTRIBUTIONS {
            let Ok(f) = devig_within(&q, method, 3.0) else {
                prop_assert_eq!(method, Additive);
                continue;
            };
            let p = f.as_slice();
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{:?} {}", method, p.iter().sum::<f64>() - 1.0);
            prop_assert!(p.iter().all(|p| *p > 0.0 && *p < 1.0), "{:?} {:?}", method, p);
            for (i, a) in q.iter().enumerate() {
                // No method raises a side.
                prop_assert!(p[i] <= a + 1e-12, "{:?}", method);
                for (j, b) in q.iter().enumerate() {
                    if a > b {
                        prop_assert!(p[i] >= p[j], "{:?} keeps the order", method);
                    }
                }
            }
            let mut back: Vec<f64> = q.clone();
            back.reverse();
            let r = devig_within(&back, method, 3.0).expect("reversed");
            for (a, b) in p.iter().zip(r.as_slice().iter().rev()) {
                prop_assert!((a - b).abs() < 1e-12, "{:?} does not depend on the order", method);
            }
            prop_assert!(f.raw_sum == sum);
        }
    }

    #[test]
    fn identities_of_two_sides(q1 in 0.01..0.99f64, over in 0.000_1..0.2f64) {
        let q2 = 1.0 - q1 + over * q1.min(1.0 - q1);
        prop_assume!(q2 < 1.0);
        let get = |m| devig(&[q1, q2], m).expect("market").as_slice()[0];
        prop_assert!((get(Shin) - get(Additive)).abs() < 1e-12);
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let f = devig(&[q1, q2], OddsRatio).expect("market");
        prop_assert!((logit(q1) - logit(f.as_slice()[0]) - f.parameter.ln()).abs() < 1e-9);
        prop_assert!((logit(q2) - logit(f.as_slice()[1]) - f.parameter.ln()).abs() < 1e-9);
        // Shin's z solves Shin's own equation.
        let s = devig(&[q1, q2], Shin).expect("market");
        let z = s.parameter;
        for (q, p) in [q1, q2].iter().zip(s.as_slice()) {
            let want = ((z * z + 4.0 * (1.0 - z) * q * q / (q1 + q2)).sqrt() - z) / (2.0 * (1.0 - z));
            prop_assert!((p - want).abs() < 1e-9);
        }
    }

    #[test]
    fn putting_the_margin_back((fair, q) in (2usize..6).prop_flat_map(market)) {
        let f = devig_within(&q, Power, 3.0).expect("market");
        for (a, b) in f.as_slice().iter().zip(&fair) {
            prop_assert!((a - b).abs() < 1e-10, "power undoes a power");
        }
        for method in [Shin, OddsRatio, Probit, Power] {
            let f = devig_within(&q, method, 3.0).expect("market");
            let p = f.as_slice();
            for (p, q) in p.iter().zip(&q) {
                let again = match method {
                    Power => p.powf(1.0 / f.parameter),
                    OddsRatio => f.parameter * p / (1.0 - p + f.parameter * p),
                    Probit => normal::cdf(normal::quantile(*p) + f.parameter),
                    _ => ((p * p * (1.0 - f.parameter) + f.parameter * p) * f.raw_sum).sqrt(),
                };
                prop_assert!((again - q).abs() < 1e-9, "{:?} {} {}", method, again, q);
            }
        }
    }
}
