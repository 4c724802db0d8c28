//! Removing the vig, against the Python packages `shin` and `penaltyblog` and against 40 digits.
//! `fixtures/devig/generate.py` says how the numbers came about and which of their methods is which of ours.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use serde::Deserialize;
use stratum::market::devig::{DevigError, Fair, Method, devig_within};

/// What the domain contract promises.
const TOLERANCE: f64 = 1e-9;
/// What the solvers reach; the packages themselves stay within 1e-12 of the 40 digits.
const TIGHT: f64 = 1e-12;
/// Some of the price sets carry more margin than a main line may: twenty sides, or a bad book.
const ANY_SUM: f64 = 3.0;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    prices: Vec<f64>,
    results: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    package: String,
    theirs: String,
    ours: String,
    probabilities: Vec<f64>,
    parameter: Option<f64>,
}

fn cases() -> Vec<Case> {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/devig/cases.json")).expect("fixture");
    fixture.cases
}

fn raw(prices: &[f64]) -> Vec<f64> {
    prices.iter().map(|d| 1.0 / d).collect()
}

/// Calls `check` with every result that we answer too, and returns how many there were of each package.
fn compare(mut check: impl FnMut(&str, &Reference, &Fair)) -> [usize; 3] {
    let mut counted = [0; 3];
    for case in cases() {
        for reference in &case.results {
            let what = format!("{}: {} {}", case.name, reference.package, reference.theirs);
            let method: Method = reference.ours.parse().expect(&what);
            match devig_within(&raw(&case.prices), method, ANY_SUM) {
                Ok(fair) => {
                    assert_eq!(fair.as_slice().len(), reference.probabilities.len(), "{what}");
                    check(&what, reference, &fair);
                }
                // The packages answer with what is no probability; we refuse, and only then.
                Err(DevigError::Negative(side)) => {
                    assert_eq!(method, Method::Additive, "{what}");
                    assert!(reference.probabilities[side] <= 1e-15, "{what}");
                    continue;
                }
                Err(error) => panic!("{what}: {error}"),
            }
            assert!(reference.probabilities.iter().all(|p| *p > 0.0), "{what}: answered what should be refused");
            let package = ["shin", "penaltyblog", "mpmath"].iter().position(|p| *p == reference.package);
            counted[package.expect(&what)] += 1;
        }
    }
    counted
}

#[test]
fn probabilities_agree_with_the_packages() {
    let counted = compare(|what, reference, fair| {
        let tolerance = if reference.package == "mpmath" { TIGHT } else { TOLERANCE };
        for (ours, theirs) in fair.as_slice().iter().zip(&reference.probabilities) {
            assert!((ours - theirs).abs() <= tolerance, "{what}: {ours} and {theirs}");
        }
    });
    assert_eq!(counted[0], 63, "shin answers every case");
    assert!(counted[1] > 400 && counted[2] > 360, "{counted:?}");
}

#[test]
fn parameters_agree_with_the_packages() {
    let mut compared = 0;
    compare(|what, reference, fair| {
        if let Some(theirs) = reference.parameter {
            let ours = fair.parameter;
            assert!((ours - theirs).abs() <= TOLERANCE * theirs.abs().max(1.0), "{what}: {ours} and {theirs}");
            compared += 1;
        }
    });
    assert!(compared > 600, "{compared}");
}

#[test]
fn worst_case_is_the_smallest_of_all_of_them() {
    for case in cases() {
        let fair = devig_within(&raw(&case.prices), Method::WorstCase, ANY_SUM).expect(&case.name);
        let answered = |r: &&Reference| r.package == "mpmath" && r.probabilities.iter().all(|p| *p > 0.0);
        for (side, ours) in fair.as_slice().iter().enumerate() {
            let theirs =
                case.results.iter().filter(answered).map(|r| r.probabilities[side]).fold(f64::INFINITY, f64::min);
            assert!((ours - theirs).abs() <= TIGHT, "{}, side {side}: {ours} and {theirs}", case.name);
        }
    }
}

#[test]
fn the_price_sets_are_what_they_should_be() {
    let cases = cases();
    assert!(cases.len() >= 60);
    assert!(cases.iter().filter(|c| c.name.starts_with("checklist: ")).count() == 7);
    let with = |sides| cases.iter().filter(|c| c.prices.len() == sides).count();
    assert!(with(2) >= 20 && with(3) >= 15 && with(20) >= 2);
}
