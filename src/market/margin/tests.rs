use std::sync::OnceLock;

use proptest::prelude::*;

use super::base::{Base, Kernel};
use super::*;
use crate::market::line::Line;
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

/// Chance of winning by exactly `k` for a side that is even money at -k.
fn push_at(d: &Distribution, side: Side, points: f64) -> f64 {
    let at = d.location(side, line(points), 0.5).expect("location");
    d.push(side, line(points), at).expect("push")
}

#[test]
fn every_model_says_where_it_comes_from() {
    assert!(models().version() >= 1);
    for m in models().all() {
        let parts = m.margin.iter().map(|(_, d)| d).chain(m.total());
        for d in parts {
            let p = d.provenance();
            assert!(!p.source.is_empty() && p.version >= 1 && !p.from.is_empty() && !p.to.is_empty(), "{}", m.name());
            assert_eq!(matches!(p.basis, Basis::Fitted | Basis::Published), p.sample > 0, "{}: {p:?}", m.name());
            assert!(d.max_shift() <= d.reach());
        }
    }
    assert_eq!(margin("americanfootball_nfl").provenance().basis, Basis::Fitted);
    assert_eq!(margin("basketball_wnba").provenance().basis, Basis::Normal);
    assert_eq!(margin("americanfootball_ncaaf").provenance().basis, Basis::Assumed);
}

#[test]
fn sports_find_their_model() {
    let found = |s: &str| models().for_sport(s).map(|f| (f.model.name().to_owned(), f.borrowed));
    assert_eq!(found("basketball_nba"), Some(("nba".into(), false)));
    assert_eq!(found("basketball_ncaab"), Some(("ncaab".into(), false)));
    assert_eq!(found("basketball_wncaab"), Some(("ncaab".into(), true)), "the men's, labelled");
    assert_eq!(found("basketball_euroleague"), Some(("basketball".into(), false)));
    assert_eq!(found("soccer_epl"), Some(("soccer".into(), false)));
    assert_eq!(found("tennis_atp_wimbledon"), None);
    assert_eq!(found(""), None);
}

#[test]
fn football_numbers() {
    let nfl = margin("americanfootball_nfl");
    // Favourites win by exactly 3 near a spread of 3 in 8.5 to 9.4 %, by 7 in 6 %, by 10 in 3.6 to 5.1 %.
    within(push_at(nfl, Side::Home, -3.0), 0.080, 0.098, "3");
    within(push_at(nfl, Side::Away, -3.0), 0.080, 0.098, "3, road favourite");
    within(push_at(nfl, Side::Home, -7.0), 0.050, 0.068, "7");
    within(push_at(nfl, Side::Home, -10.0), 0.034, 0.058, "10");
    within(push_at(nfl, Side::Home, -14.0), 0.040, 0.060, "14");
    for dull in [2.0, 4.0, 5.0, 8.0] {
        within(push_at(nfl, Side::Home, -dull), 0.015, 0.036, "a dull number");
    }
    let tie = nfl.three_way(0.0).expect("pick'em")[1];
    within(tie, 0.001, 0.009, "ties are rare but happen");
    let totals = total("americanfootball_nfl");
    for (k, low, high) in [(37.0, 0.03, 0.048), (41.0, 0.03, 0.046), (44.0, 0.03, 0.046), (51.0, 0.03, 0.058)] {
        within(push_at(totals, Side::Over, k), low, high, "total");
    }
    let college = margin("americanfootball_ncaaf");
    assert!(push_at(college, Side::Home, -3.0) < push_at(nfl, Side::Home, -3.0), "flatter than the NFL");
    assert!(push_at(college, Side::Home, -3.0) > push_at(college, Side::Home, -4.0));
    assert!(college.three_way(0.0).expect("no ties")[1] < 1e-12);
}

#[test]
fn basketball_numbers() {
    let nba = margin("basketball_nba");
    for k in 2..=12 {
        within(push_at(nba, Side::Home, -f64::from(k)), 0.025, 0.043, "nba");
    }
    assert!(nba.push(Side::Home, line(0.0), 0.5).is_ok_and(|p| p < 1e-12), "overtime");
    for sport in ["basketball_ncaab", "basketball_wnba"] {
        within(push_at(margin(sport), Side::Home, -5.0), 0.03, 0.04, sport);
    }
    within(push_at(total("basketball_nba"), Side::Over, 225.0), 0.018, 0.026, "nba total");
}

#[test]
fn baseball_numbers() {
    for (t, home_one, away_one) in [(7.5, 0.355, 0.243), (8.5, 0.312, 0.251), (9.5, 0.299, 0.213)] {
        let d = model("baseball_mlb").margin(Some(t)).expect("band");
        let at = d.location(Side::Home, line(0.0), 0.535).expect("location");
        let [home, draw, away] = d.three_way(at).expect("moneyline");
        assert!(draw < 1e-12);
        within(d.chance_of(1, at).expect("1") / home, home_one - 0.01, home_one + 0.01, "home by one");
        within(d.chance_of(-1, at).expect("-1") / away, away_one - 0.01, away_one + 0.01, "road by one");
    }
    let d = total("baseball_mlb");
    for (k, share) in [(5, 0.095), (7, 0.108), (8, 0.078), (9, 0.101), (11, 0.077)] {
        within(d.chance_of(k, 8.9).expect("total"), share - 0.002, share + 0.002, "total");
    }
}

#[test]
fn hockey_numbers() {
    let d = margin("icehockey_nhl");
    let one = d.chance_of(1, 0.2).expect("1") + d.chance_of(-1, 0.2).expect("-1");
    within(one, 0.44, 0.48, "one goal");
    assert!(d.three_way(0.2).expect("moneyline")[1] < 1e-12, "someone wins the shootout");
    let t = total("icehockey_nhl");
    let at = |k| t.chance_of(k, 5.5).expect("total");
    assert!(at(5) > at(7) && at(7) > at(6) && at(3) > at(4), "odd totals lead");
}

#[test]
fn soccer_draws() {
    let at = |t: f64, p: f64| {
        let d = model("soccer_epl").margin(Some(t)).expect("band");
        d.three_way(d.location(Side::Home, line(0.0), p).expect("location")).expect("three-way")
    };
    within(at(2.7, 0.5)[1], 0.25, 0.31, "even teams");
    assert!(at(2.3, 0.5)[1] > at(2.7, 0.5)[1] && at(2.7, 0.5)[1] > at(3.2, 0.5)[1], "fewer goals, more draws");
    within(at(3.2, 0.85)[1], 0.14, 0.22, "a favourite");
    let [home, draw, away] = at(2.7, 0.6);
    assert!((home + draw + away - 1.0).abs() < 1e-12 && (home / (home + away) - 0.6).abs() < 1e-9);
}

#[test]
fn ladders_and_conversions_agree_with_the_push_formula() {
    let nfl = margin("americanfootball_nfl");
    let at = nfl.location(Side::Home, line(-3.0), 0.5).expect("location");
    let push = nfl.push(Side::Home, line(-3.0), at).expect("push");
    let want = half_point_ladder(0.5, push);
    let rungs = nfl.ladder(Side::Home, line(-3.0), 1, at).expect("ladder");
    let fair: Vec<f64> = rungs.iter().map(|r| r.fair).collect();
    for (got, want) in fair.iter().zip([want[2], want[1], want[0]]) {
        assert!((got - want).abs() < 1e-9, "{got} {want}");
    }
    assert_eq!(rungs.iter().map(|r| r.line.points()).collect::<Vec<_>>(), [-3.5, -3.0, -2.5]);
    assert!((rungs[1].half_point - (fair[1] - fair[0])).abs() < 1e-12);
    within(decimal_to_american(1.0 / fair[2]).abs() as f64, 115.0, 123.0, "-2.5 is about -118");
    // -3 at -120 against -3.5 at -105: equal at 5.6 %, so here the whole line is better.
    let half = nfl.convert(Side::Home, line(-3.0), 0.5, line(-3.5)).expect("converted");
    assert!(half * (1.0 + 100.0 / 105.0) - 1.0 < (1.0 - push) * (0.5 * (1.0 + 100.0 / 120.0) - 1.0));
    let overs = total("americanfootball_nfl").ladder(Side::Over, line(44.0), 2, 44.0).expect("ladder");
    assert!(overs.iter().map(|r| r.line.points()).eq([45.0, 44.5, 44.0, 43.5, 43.0]));
    assert!(overs.windows(2).all(|w| w[1].fair > w[0].fair));
}

#[test]
fn middles_count_what_both_legs_do() {
    let nfl = margin("americanfootball_nfl");
    let at = nfl.location(Side::Home, line(-3.0), 0.5).expect("location");
    let three = nfl.chance_of(3, at).expect("3");
    let odds = [1.0 + 100.0 / 110.0; 2];
    let full = nfl.middle([(Side::Home, line(-2.5)), (Side::Away, line(3.5))], odds, at).expect("middle");
    assert!((full.both_win - three).abs() < 1e-12 && full.win_push == [0.0, 0.0]);
    assert!(full.ev() > 0.0, "a field goal pays for the juice");
    let half = nfl.middle([(Side::Home, line(-3.0)), (Side::Away, line(3.5))], odds, at).expect("middle");
    assert_eq!(half.both_win, 0.0, "half a point is no full middle");
    assert!((half.win_push[1] - three).abs() < 1e-12);
    assert!((half.win_lose[0] + half.win_lose[1] + three - 1.0).abs() < 1e-9);
    let none = margin("basketball_nba").middle([(Side::Home, line(-2.5)), (Side::Away, line(3.5))], odds, 3.0);
    assert!(none.expect("middle").ev() < 0.0, "no basketball number pays for it");
}

#[test]
fn refusals_have_types() {
    let nfl = margin("americanfootball_nfl");
    assert!(matches!(nfl.location(Side::Over, line(-3.0), 0.5), Err(ModelError::WrongSide { .. })));
    assert!(matches!(nfl.location(Side::Draw, line(-3.0), 0.5), Err(ModelError::WrongSide { .. })));
    assert!(matches!(total("basketball_nba").three_way(220.0), Err(ModelError::WrongSide { .. })));
    for p in [0.0, 1.0, -0.2, f64::NAN, f64::INFINITY] {
        assert!(matches!(nfl.location(Side::Home, line(-3.0), p), Err(ModelError::NotAProbability(_))));
    }
    assert!(matches!(
        nfl.location(Side::Home, line(-3.0), 0.001),
        Err(ModelError::OffGrid | ModelError::BeyondReach { .. })
    ));
    assert!(matches!(nfl.location(Side::Home, line(-300.0), 0.5), Err(ModelError::OffGrid)));
    assert!(matches!(nfl.probability(Side::Home, line(-20.5), 3.0), Err(ModelError::BeyondReach { .. })));
    assert_eq!(nfl.probability(Side::Home, line(-3.0), f64::NAN), Err(ModelError::OffGrid));
    assert_eq!(nfl.chance_of(3, f64::INFINITY), Err(ModelError::OffGrid));
    assert_eq!(nfl.chance_of(i32::MAX, 3.0), Ok(0.0));
    assert_eq!(
        nfl.convert(Side::Home, line(-3.0), 0.5, line(-6.5)),
        Err(ModelError::TooFar { distance: 3.5, limit: 3.0 })
    );
}

#[test]
fn bad_files_are_refused() {
    let good = r#"
version = 1
[[model]]
name = "x"
sports = ["a_*"]
[[model.margin]]
basis = "normal"
source = "s"
sample = 0
from = "-"
to = "-"
version = 1
lowest = -60
highest = 60
grid = { from = -10.0, to = 10.0, step = 0.5 }
reach = 8.0
max_shift = 3.0
kernel = { kind = "normal", sd = 10.0 }
weights = [0.0, 1.5]
"#;
    let own = Models::from_toml(good).expect("good");
    assert_eq!(own.for_sport("a_b").map(|f| f.model.name()), Some("x"));
    for (from, to) in [
        ("sd = 10.0", "sd = 0.0"),
        ("sd = 10.0", "sd = nan"),
        ("step = 0.5", "step = 0.0"),
        ("step = 0.5", "step = 0.000001"),
        ("to = 10.0", "to = 70.0"),
        ("weights = [0.0, 1.5]", "weights = [0.0, 0.0]"),
        ("weights = [0.0, 1.5]", "weights = [0.0, -1.0]"),
        ("weights = [0.0, 1.5]", "weights = [0.0, nan]"),
        ("weights = [0.0, 1.5]", "first = 3\nweights = [1.0]"),
        ("weights = [0.0, 1.5]", "weights = [1.0]\nhome_weights = [1.0]"),
        ("lowest = -60", "lowest = 60"),
        ("highest = 60", "highest = 2000000000"),
        ("reach = 8.0", "reach = -1.0"),
        ("reach = 8.0", "total_up_to = 8.0\nreach = 8.0"),
        ("\"a_*\"", "\"a_*b\""),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        assert!(matches!(Models::from_toml(&text), Err(ModelFileError::Entry { .. })), "{to}");
    }
    for (from, to) in [("basis = \"normal\"", "basis = \"guess\""), ("lowest", "lowset"), ("sample = 0", "sample = -1")]
    {
        assert!(matches!(Models::from_toml(&good.replace(from, to)), Err(ModelFileError::Syntax(_))), "{to}");
    }
}

#[test]
fn the_embedded_models_pass_what_is_asked_of_a_users_file() {
    let checked = Models::from_toml(super::EMBEDDED).expect("sound");
    assert_eq!(&checked, models(), "tabulated or not, they are the same");
}

#[test]
fn a_grid_beyond_the_numbers_has_no_answers_and_no_panic() {
    let base = Base::new(Kernel::Normal { sd: 3.0 }, -5, 5, |_| 1.0);
    let grid = Grid { from: -9.0, to: 9.0, step: 0.5 };
    let provenance = || models().all()[0].margin(None).expect("margin").provenance().clone();
    assert_eq!(Distribution::new(Quantity::Margin, &base, grid, 8.0, 3.0, provenance()), None);
    let unsound = Distribution::untabulated(Quantity::Margin, base, grid, 8.0, 3.0, provenance());
    let line = Line::from_hundredths(-150);
    assert_eq!(unsound.location(Side::Home, line, 0.5), Err(ModelError::OffGrid));
    assert_eq!(unsound.probability(Side::Home, line, 0.0), Err(ModelError::OffGrid));
    assert_eq!(unsound.chance_of(3, 0.0), Err(ModelError::OffGrid));
    assert_eq!(unsound.range(), (-9.0, 9.0));
}

/// Every distribution, with the margin's two sides or the total's.
fn distributions() -> Vec<(String, &'static Distribution, Side, Side)> {
    let mut all = Vec::new();
    for m in models().all() {
        for (_, d) in &m.margin {
            all.push((m.name().to_owned(), d, Side::Home, Side::Away));
        }
        if let Some(d) = m.total() {
            all.push((m.name().to_owned(), d, Side::Over, Side::Under));
        }
    }
    all
}

proptest! {
    #[test]
    fn chances_fall_as_the_line_asks_more(x in 0.05..0.95f64) {
        for (name, d, side, other) in distributions() {
            let (from, to) = d.range();
            let at = from + x * (to - from);
            let centre = if side == Side::Over { at } else { -at };
            let centre = (centre * 4.0).round() as i32 * 25;
            let mut last: Option<(Line, f64)> = None;
            for step in -40..=40 {
                let line = Line::from_hundredths(centre + 25 * step);
                let Ok(p) = d.probability(side, line, at) else { continue };
                // The other side has the rest.
                let mirrored = if side == Side::Over { line } else { line.flipped() };
                let rest = d.probability(other, mirrored, at).expect("other side");
                prop_assert!((p + rest - 1.0).abs() < 1e-12, "{} {:?}", name, line);
                let s = d.settlement(side, line, at).expect("settlement");
                prop_assert!((s.total() - 1.0).abs() < 1e-12, "{} {:?} {:?}", name, line, s);
                prop_assert!((s.fair_probability() - p).abs() < 1e-12, "{} {:?}", name, line);
                if let Some((before, q)) = last {
                    let eases = if side == Side::Over { p < q } else { p > q };
                    // Only an impossible level score leaves two neighbouring lines alike.
                    let level = side == Side::Home && line.hundredths().abs() <= 50 && d.chance_of(0, at).is_ok_and(|c| c < 1e-12);
                    prop_assert!(eases || (level && (p - q).abs() < 1e-9), "{} {:?} {:?} {} {}", name, before, line, q, p);
                }
                last = Some((line, p));
            }
            prop_assert!(last.is_some());
        }
    }

    #[test]
    fn location_to_price_and_back(x in 0.02..0.98f64, shift in -12i32..=12) {
        for (name, d, side, other) in distributions() {
            let (from, to) = d.range();
            let at = from + x * (to - from);
            for side in [side, other] {
                let centre = if matches!(side, Side::Home) { -at } else { at };
                let line = Line::from_hundredths((centre * 4.0).round() as i32 * 25 + shift * 25);
                let Ok(p) = d.probability(side, line, at) else { continue };
                let back = d.location(side, line, p).expect("location");
                prop_assert!((back - at).abs() < 1e-6, "{} {:?} {:?}: {} {}", name, side, line, at, back);
                let higher = d.location(side, line, p + 1e-4 * (1.0 - p));
                if let Ok(higher) = higher {
                    let towards = matches!(side, Side::Home | Side::Over);
                    prop_assert!((higher > back) == towards, "{} {:?}", name, side);
                }
            }
        }
    }

    #[test]
    fn fair_lines_are_fair(x in 0.02..0.98f64) {
        for (name, d, side, other) in distributions() {
            let (from, to) = d.range();
            let at = from + x * (to - from);
            let fair = d.fair_line(side, at).expect("fair line");
            prop_assert!((fair.points - fair.line.points()).abs() <= 0.5 + 1e-9, "{} {:?}", name, fair);
            let rest = d.fair_line(other, at).expect("fair line");
            let mirrored = if side == Side::Over { rest.points } else { -rest.points };
            prop_assert!((fair.points - mirrored).abs() < 0.5 + 1e-9, "{} {} {:?} {:?}", name, at, fair, rest);
            for by in [50, -50] {
                let neighbour = d.probability(side, Line::from_hundredths(fair.line.hundredths() + by), at);
                if let Ok(p) = neighbour {
                    prop_assert!((fair.probability - 0.5).abs() <= (p - 0.5).abs() + 1e-12, "{} {:?}", name, fair);
                }
            }
        }
    }
}
