use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::market::price::decimal_to_american;
use crate::market::value::half_point_ladder;

fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| Models::embedded().expect("the embedded models"))
}

fn model(sport: &str) -> &'static Model {
    models().for_sport(sport).expect(sport).model
}

fn margin(sport: &str) -> &'static Distribution {
    model(sport).margin(None).expect(sport)
}

fn total(sport: &str) -> &'static Distribution {
    model(sport).total().expect(sport)
}

fn line(points: f64) -> Line {
    Line::from_points(points).expect("line")
}

fn within(got: f64, low: f64, high: f64, what: &str) {
    assert!(got >= low && got <= high, "{what}: {got}, wanted {low} to {high}");
}

#[test]
fn dump() {
    let d = margin("americanfootball_nfl");
    for k in [1, 2, 3, 4, 6, 7, 8, 10, 14, 17] {
        let at = d.location(Side::Home, line(-f64::from(k)), 0.5).expect("location");
        println!("nfl {k} loc {at:.3} p {:.4}", d.chance_of(k, at).expect("p"));
    }
    let d = total("americanfootball_nfl");
    for k in [37, 41, 43, 44, 47, 51] {
        let at = d.location(Side::Over, line(f64::from(k)), 0.5).expect("location");
        println!("nfl total {k} loc {at:.3} p {:.4}", d.chance_of(k, at).expect("p"));
    }
    for s in ["basketball_nba", "basketball_ncaab", "basketball_wnba", "americanfootball_ncaaf"] {
        let d = margin(s);
        for k in [0, 1, 3, 5, 7, 10] {
            let at = d.location(Side::Home, line(-f64::from(k)), 0.5).expect("location");
            println!("{s} {k} loc {at:.3} p {:.4}", d.chance_of(k, at).expect("p"));
        }
    }
    for t in [7.0, 8.5, 9.5] {
        let d = model("baseball_mlb").margin(Some(t)).expect("mlb");
        for ml in [0.42, 0.5, 0.535, 0.6, 0.65] {
            let at = d.location(Side::Home, line(0.0), ml).expect("location");
            let [h, x, a] = d.three_way(at).expect("3");
            println!(
                "mlb {t} ml {ml} loc {at:.3} h1 {:.4} a1 {:.4} -1.5 {:.4} {h:.3} {x} {a:.3}",
                d.chance_of(1, at).expect("p") / h,
                d.chance_of(-1, at).expect("p") / a,
                d.probability(Side::Home, line(-1.5), at).expect("p")
            );
        }
    }
    let d = total("baseball_mlb");
    println!(
        "mlb totals {:?}",
        (4..13).map(|k| (k, (1000.0 * d.chance_of(k, 8.9).expect("p")).round())).collect::<Vec<_>>()
    );
    let d = margin("icehockey_nhl");
    for ml in [0.5, 0.6, 0.7] {
        let at = d.location(Side::Home, line(0.0), ml).expect("location");
        println!(
            "nhl {ml} loc {at:.3} +1 {:.4} -1 {:.4} -1.5 {:.4}",
            d.chance_of(1, at).expect("p"),
            d.chance_of(-1, at).expect("p"),
            d.probability(Side::Home, line(-1.5), at).expect("p")
        );
    }
    let d = total("icehockey_nhl");
    println!(
        "nhl totals {:?}",
        (0..13).map(|k| (k, (1000.0 * d.chance_of(k, 5.5).expect("p")).round())).collect::<Vec<_>>()
    );
    for t in [2.3, 2.7, 3.2] {
        let d = model("soccer_epl").margin(Some(t)).expect("soccer");
        for ml in [0.5, 0.65, 0.85] {
            let at = d.location(Side::Home, line(0.0), ml).expect("location");
            println!("soccer {t} {ml} loc {at:.3} {:?}", d.three_way(at).expect("3"));
        }
    }
}
