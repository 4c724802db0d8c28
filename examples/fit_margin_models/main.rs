//! Fits the margin and total models and prints their data file.
//!
//! `cargo run --example fit_margin_models -- DATA > assets/margin_models.toml`
//!
//! DATA is a folder with closing lines and results: `nfl*.csv.gz` (nflverse games table), `nba*.csv.gz` (results with
//! closing spread and total), `ncaam_lines*.csv.gz` and `ncaam_scores*.csv.gz`, `football_data_co_uk/*.csv.gz`. Sports
//! without such data are fitted to published frequencies of results, or carried over from a related sport; every entry
//! of the output says which.
//!
//! Method. A game's location follows from its closing line and price under the model being fitted; then each number's
//! weight is moved until the model expects it as often as it happened, with a gamma prior of mean 1 worth `prior`
//! games, so that rare numbers stay near the smooth kernel; then the kernel is widened or narrowed until the spread of
//! results around their locations agrees. Repeated to a standstill.

mod fit;
mod output;
mod tables;

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use stratum::market::devig::{self, Method};
use stratum::market::line::Line;
use stratum::market::margin::base::Kernel;
use stratum::market::margin::{Grid, Quantity};
use stratum::market::selection::Side;

use fit::{Fit, Game, Spec, Weights, fit_frequencies, fit_totals};
use output::{About, HEADER, OTHERS, entry, model};
use tables::{find, read};

type Res<T> = Result<T, Box<dyn Error>>;

fn main() -> Res<()> {
    let folder = std::env::args().nth(1).ok_or("usage: fit_margin_models DATA")?;
    let folder = Path::new(&folder);
    println!("{HEADER}");
    nfl_and_college(folder)?;
    basketball(folder)?;
    baseball()?;
    hockey()?;
    soccer(folder)?;
    println!("{OTHERS}");
    Ok(())
}

const NFL_GRID: Grid = Grid { from: -30.0, to: 30.0, step: 0.25 };

fn nfl_and_college(folder: &Path) -> Res<()> {
    let table = read(&find(folder, "nfl", ".csv.gz")?)?;
    let (mut margins, mut totals) = (Vec::new(), Vec::new());
    let (mut first, mut last) = (String::from("9999"), String::new());
    for row in table.rows() {
        let get = |name: &str| table.number(row, name);
        let (Some(home), Some(away)) = (get("home_score"), get("away_score")) else { continue };
        let (Some(spread), Some(total)) = (get("spread_line"), get("total_line")) else { continue };
        let day = table.text(row, "gameday").unwrap_or_default();
        if day < first.as_str() {
            first = day.to_owned();
        }
        if day > last.as_str() {
            last = day.to_owned();
        }
        // The table counts the spread from the home side as points given.
        let p = two_way(get("home_spread_odds"), get("away_spread_odds"));
        // The longer extra point of 2015 and what followed changed the numbers; older games still say something.
        let count = if get("season").is_some_and(|s| s >= 2015.0) { 1.0 } else { 0.5 };
        margins.push(Game { count, ..game(-spread, p, home - away)? });
        let p = two_way(get("over_odds"), get("under_odds"));
        totals.push(Game { count, ..game(total, p, home + away)? });
    }
    let spec = Spec {
        quantity: Quantity::Margin,
        kernel: Kernel::Normal { sd: 13.0 },
        fit_kernel: true,
        weights: Weights::Size(28),
        no_draw: false,
        prior: 3.0,
        lowest: -80,
        highest: 80,
        grid: NFL_GRID,
    };
    let margin = spec.fit(&margins)?;
    let total_spec = Spec {
        quantity: Quantity::Total,
        kernel: Kernel::Normal { sd: 13.3 },
        weights: Weights::Number(13, 75),
        prior: 25.0,
        lowest: 0,
        highest: 130,
        grid: Grid { from: 25.0, to: 70.0, step: 0.25 },
        ..spec.clone()
    };
    let total = total_spec.fit(&totals)?;
    let source = "nflverse games table: final scores, closing spread, total and their prices; seasons before 2015 \
                  count half";
    model("nfl", &["americanfootball_nfl"], &["americanfootball_nfl_preseason", "americanfootball_ufl"]);
    entry(
        "margin",
        &spec,
        &margin,
        &About { basis: "fitted", source, days: (&first, &last), up_to: None },
        (14.0, 3.0),
    );
    entry(
        "total",
        &total_spec,
        &total,
        &About { basis: "fitted", source, days: (&first, &last), up_to: None },
        (17.0, 4.0),
    );

    // College: no clean set at hand. The same numbers lead, less sharply; no ties; wider.
    let weights: Vec<f64> =
        margin.weights.iter().enumerate().map(|(i, w)| if i == 0 { 0.0 } else { w.powf(0.6) }).collect();
    let college = Fit { kernel: Kernel::Normal { sd: COLLEGE_SD }, weights, games: 0.0, sd: COLLEGE_SD };
    let college_spec =
        Spec { lowest: -110, highest: 110, grid: Grid { from: -55.0, to: 55.0, step: 0.5 }, ..spec.clone() };
    let weights = total.weights.iter().map(|w| w.powf(0.5)).collect();
    let college_total = Fit { kernel: Kernel::Normal { sd: 16.5 }, weights, games: 0.0, sd: 16.5 };
    let college_total_spec = Spec { highest: 150, grid: Grid { from: 25.0, to: 95.0, step: 0.5 }, ..total_spec };
    let source = "the NFL weights to the power 0.6 (totals 0.5): college numbers lead alike but flatter; no ties; \
                  standard deviation widened by what recorded moneylines against spreads of one week of 2025 imply for both \
                  leagues. Not fitted to results";
    model("ncaaf", &["americanfootball_ncaaf"], &["americanfootball_cfl"]);
    entry(
        "margin",
        &college_spec,
        &college,
        &About { basis: "assumed", source, days: ("2010", "2025"), up_to: None },
        (17.0, 3.0),
    );
    entry(
        "total",
        &college_total_spec,
        &college_total,
        &About { basis: "assumed", source, days: ("2010", "2025"), up_to: None },
        (20.0, 4.0),
    );
    Ok(())
}

/// The NFL's 13.0, widened by what moneylines against spreads say of both in the same week: 13.4 against 10.8.
const COLLEGE_SD: f64 = 16.0;

fn basketball(folder: &Path) -> Res<()> {
    let table = read(&find(folder, "nba", ".csv.gz")?)?;
    let (mut margins, mut totals, mut last) = (Vec::new(), Vec::new(), String::new());
    for row in table.rows() {
        let get = |name: &str| table.number(row, name);
        // The game has changed: threes and pace made results wider than in older seasons.
        if get("season").is_none_or(|s| s < 2015.0) {
            continue;
        }
        let (Some(home), Some(away)) = (get("score_home"), get("score_away")) else { continue };
        let (Some(spread), Some(total)) = (get("spread"), get("total")) else { continue };
        let given = if table.text(row, "whos_favored") == Some("home") { spread } else { -spread };
        if (home + away - total).abs() > 90.0 || total < 150.0 {
            continue; // misread rows of the archive
        }
        let day = table.text(row, "date").unwrap_or_default();
        if day > last.as_str() {
            last = day.to_owned();
        }
        margins.push(game(-given, 0.5, home - away)?);
        totals.push(game(total, 0.5, home + away)?);
    }
    let spec = Spec {
        quantity: Quantity::Margin,
        kernel: Kernel::Normal { sd: 12.7 },
        fit_kernel: true,
        weights: Weights::Size(25),
        no_draw: true,
        prior: 200.0,
        lowest: -100,
        highest: 100,
        grid: Grid { from: -30.0, to: 30.0, step: 0.25 },
    };
    let total_spec = Spec {
        quantity: Quantity::Total,
        kernel: Kernel::Normal { sd: 17.7 },
        weights: Weights::Flat,
        no_draw: false,
        lowest: 90,
        highest: 360,
        grid: Grid { from: 150.0, to: 280.0, step: 0.5 },
        ..spec.clone()
    };
    let (margin, total) = (spec.fit(&margins)?, total_spec.fit(&totals)?);
    let source = "results with closing spread and total, seasons 2014-15 to 2018-19, 2021-22 and 2023-24 (archive of \
                  sportsbookreviewsonline as a Kaggle set); prices taken as even";
    model("nba", &["basketball_nba"], &["basketball_nba_preseason", "basketball_nba_summer_league"]);
    let days = ("2014-10-28", last.as_str());
    entry("margin", &spec, &margin, &About { basis: "fitted", source, days, up_to: None }, (16.0, 4.0));
    entry("total", &total_spec, &total, &About { basis: "fitted", source, days, up_to: None }, (24.0, 6.0));

    // WNBA: no results with lines at hand. Basketball's numbers are nearly flat, so a normal distribution serves.
    let flat = |sd: f64, no_draw: bool| Fit {
        kernel: Kernel::Normal { sd },
        weights: if no_draw { vec![0.0] } else { Vec::new() },
        games: 0.0,
        sd,
    };
    let source = "normal distribution without a level score; standard deviation from the relation of recorded moneylines \
                  and spreads of July 2026. Not fitted to results";
    model("wnba", &["basketball_wnba"], &[]);
    let wnba = Spec { weights: Weights::Flat, ..spec.clone() };
    entry(
        "margin",
        &wnba,
        &flat(12.0, true),
        &About { basis: "normal", source, days: ("2026-07-14", "2026-07-23"), up_to: None },
        (16.0, 4.0),
    );
    let source = "normal distribution; standard deviation scaled down from the NBA by the square root of the mean total. \
                  Not fitted to results";
    let wnba_total =
        Spec { lowest: 60, highest: 270, grid: Grid { from: 125.0, to: 205.0, step: 0.5 }, ..total_spec.clone() };
    entry(
        "total",
        &wnba_total,
        &flat(15.8, false),
        &About { basis: "normal", source, days: ("2014", "2024"), up_to: None },
        (24.0, 6.0),
    );

    let (margins, totals) = college_games(folder)?;
    let spec = Spec {
        kernel: Kernel::Normal { sd: 11.0 },
        prior: 150.0,
        lowest: -110,
        highest: 110,
        grid: Grid { from: -45.0, to: 45.0, step: 0.5 },
        ..spec
    };
    let total_spec = Spec { lowest: 40, highest: 260, grid: Grid { from: 95.0, to: 200.0, step: 0.5 }, ..total_spec };
    let (margin, total) = (spec.fit(&margins)?, total_spec.fit(&totals)?);
    let source = "men's games: lines minutes before the start joined with final scores by team names and date; prices \
                  taken as even. Small sample: weights lie close to flat";
    model("ncaab", &["basketball_ncaab"], &["basketball_wncaab"]);
    let days = ("2020-11-26", "2021-04-05");
    entry("margin", &spec, &margin, &About { basis: "fitted", source, days, up_to: None }, (16.0, 4.0));
    entry("total", &total_spec, &total, &About { basis: "fitted", source, days, up_to: None }, (22.0, 6.0));
    Ok(())
}

/// Day number, home points, away points.
type Played = (i64, f64, f64);

fn college_games(folder: &Path) -> Res<(Vec<Game>, Vec<Game>)> {
    let scores = read(&find(folder, "ncaam_scores", ".csv.gz")?)?;
    let mut played: HashMap<(String, String), Vec<Played>> = HashMap::new();
    for row in scores.rows() {
        let (Some(home), Some(away)) = (scores.text(row, "home_team"), scores.text(row, "away_team")) else { continue };
        let (Some(h), Some(a)) = (scores.number(row, "home_score"), scores.number(row, "away_score")) else { continue };
        let Some(day) = scores.text(row, "date").and_then(day_number) else { continue };
        played.entry((home.to_lowercase(), away.to_lowercase())).or_default().push((day, h, a));
    }
    let lines = read(&find(folder, "ncaam_lines", ".csv.gz")?)?;
    let (mut margins, mut totals) = (Vec::new(), Vec::new());
    for row in lines.rows() {
        let (Some(home), Some(away)) = (lines.text(row, "home_team"), lines.text(row, "away_team")) else { continue };
        let (Some(spread), Some(total)) = (lines.number(row, "spread"), lines.number(row, "total")) else { continue };
        let Some(day) = lines.text(row, "commence_time").and_then(day_number) else { continue };
        let (home, away) = (home.to_lowercase(), away.to_lowercase());
        // Sources disagree about the home team of neutral games.
        for (key, sign) in [((home.clone(), away.clone()), 1.0), ((away, home), -1.0)] {
            let found = played.get(&key).and_then(|g| g.iter().find(|(d, ..)| (d - day).abs() <= 1));
            if let Some((_, h, a)) = found {
                margins.push(game(spread, 0.5, sign * (h - a))?);
                totals.push(game(total, 0.5, h + a)?);
                break;
            }
        }
    }
    Ok((margins, totals))
}

/// Published MLB margins 2018-2026, n 19853: percent of games won by 1, 2 ... 9.
const MLB_MARGINS: [f64; 9] = [27.8, 18.0, 14.2, 11.7, 8.5, 6.2, 4.4, 3.0, 2.2];
/// Share of home wins, and the share of wins by one run among home and road wins by total band.
const MLB_HOME_WINS: f64 = 0.535;
const MLB_BANDS: [(Option<f64>, f64, f64); 3] =
    [(Some(7.75), 0.355, 0.243), (Some(8.75), 0.312, 0.251), (None, 0.299, 0.213)];

fn baseball() -> Res<()> {
    model("mlb", &["baseball_mlb"], &["baseball_mlb_preseason", "baseball_ncaa", "baseball_kbo", "baseball_npb"]);
    let source = "published frequencies 2018-2026 (n 19853): winning margins, one-run shares of home and road wins by \
                  total; larger margins divided alike between home and road. Strengths of the games assumed normal with \
                  standard deviation 0.75 runs";
    let spec = Spec {
        quantity: Quantity::Margin,
        kernel: Kernel::Normal { sd: 4.4 },
        fit_kernel: false,
        weights: Weights::Number(-16, 16),
        no_draw: false,
        prior: 0.0,
        lowest: -30,
        highest: 30,
        grid: Grid { from: -5.0, to: 5.0, step: 0.05 },
    };
    // Beyond nine runs the margins fall by a constant ratio that uses up the rest.
    let mut shape: Vec<f64> = MLB_MARGINS.to_vec();
    let rest = 100.0 - shape.iter().sum::<f64>();
    let last = 2.2;
    let ratio = rest / (rest + last);
    for i in 0..7 {
        shape.push(last * ratio.powi(i + 1));
    }
    let total: f64 = shape.iter().sum();
    let larger = 1.0 - shape[0] / total;
    for (up_to, home_one, away_one) in MLB_BANDS {
        let mut target = Vec::new();
        for (i, s) in shape.iter().enumerate() {
            let share = s / total;
            let (home, away) = if i == 0 {
                (home_one, away_one)
            } else {
                (share * (1.0 - home_one) / larger, share * (1.0 - away_one) / larger)
            };
            target.push((i as i32 + 1, home * MLB_HOME_WINS));
            target.push((-(i as i32) - 1, away * (1.0 - MLB_HOME_WINS)));
        }
        // The strengths must average to the mean of the results that they shall give.
        let mass: f64 = target.iter().map(|(_, share)| share).sum();
        let centre = target.iter().map(|(m, share)| f64::from(*m) * share).sum::<f64>() / mass;
        let fit = fit_frequencies(&spec, &target, centre, 0.75)?;
        let fit = Fit { games: 19_853.0, ..fit };
        let about = About { basis: "published", source, days: ("2018", "2026"), up_to };
        entry("margin", &spec, &fit, &about, (4.5, 2.0));
    }
    let total_spec = Spec {
        quantity: Quantity::Total,
        // Variance about 20 at a mean of 8.8.
        kernel: Kernel::NegativeBinomial { size: 7.0 },
        weights: Weights::Number(0, 25),
        lowest: 0,
        highest: 60,
        grid: Grid { from: 4.0, to: 16.0, step: 0.05 },
        ..spec
    };
    let weights = fit_totals(&total_spec, 8.9, &[(5, 9.5), (7, 10.8), (8, 7.8), (9, 10.1), (11, 7.7)])?;
    let fit = Fit { kernel: total_spec.kernel, weights, games: 19_853.0, sd: 0.0 };
    let source = "negative binomial of size 7 with published shares 2018-2026 of 5, 7, 8, 9 and 11 runs; other numbers \
                  follow the mean odd and even weights, for a game cannot end level. Not fitted to lines";
    entry(
        "total",
        &total_spec,
        &fit,
        &About { basis: "published", source, days: ("2018", "2026"), up_to: None },
        (5.0, 2.0),
    );
    Ok(())
}

fn hockey() -> Res<()> {
    model("nhl", &["icehockey_nhl"], &["icehockey_nhl_preseason", "icehockey_ahl"]);
    let spec = Spec {
        quantity: Quantity::Margin,
        kernel: Kernel::Normal { sd: 2.4 },
        fit_kernel: false,
        weights: Weights::Size(7),
        no_draw: true,
        prior: 0.0,
        lowest: -15,
        highest: 15,
        grid: Grid { from: -3.0, to: 3.0, step: 0.025 },
    };
    let mut target = Vec::new();
    for (i, share) in [46.2, 21.5, 20.5, 7.7, 2.8, 0.9, 0.3].iter().enumerate() {
        // Both ways alike: the location already carries the home ice.
        let m = i as i32 + 1;
        target.push((m, share / 200.0));
        target.push((-m, share / 200.0));
    }
    let fit = fit_frequencies(&spec, &target, 0.0, 0.5)?;
    let fit = Fit { games: 6911.0, ..fit };
    let source = "published frequencies of regular-season games 2012-2018 (n 6911), overtime and shootout included: \
                  winning margins. Strengths of the games assumed normal with standard deviation 0.5 goals";
    entry(
        "margin",
        &spec,
        &fit,
        &About { basis: "published", source, days: ("2012", "2018"), up_to: None },
        (2.75, 2.0),
    );
    let total_spec = Spec {
        quantity: Quantity::Total,
        kernel: Kernel::NegativeBinomial { size: 60.0 },
        weights: Weights::Number(0, 15),
        no_draw: false,
        lowest: 0,
        highest: 30,
        grid: Grid { from: 3.5, to: 9.5, step: 0.025 },
        ..spec
    };
    let weights = fit_totals(&total_spec, 5.5, &[(3, 15.6), (4, 9.7), (5, 25.0), (6, 10.3), (7, 17.5)])?;
    let fit = Fit { kernel: total_spec.kernel, weights, games: 6911.0, sd: 0.0 };
    let source = "negative binomial of size 60 with published shares 2012-2018 of 3 to 7 goals; other numbers follow the \
                  mean odd and even weights (a tie after regulation plus one goal is odd). Scoring is higher today: the \
                  location carries that, the weights may not";
    entry(
        "total",
        &total_spec,
        &fit,
        &About { basis: "published", source, days: ("2012", "2018"), up_to: None },
        (2.75, 2.0),
    );
    Ok(())
}

fn soccer(folder: &Path) -> Res<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("football_data_co_uk"))?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.to_string_lossy().ends_with(".csv.gz"))
        .collect();
    files.sort();
    let mut played: Vec<(f64, f64, f64, f64)> = Vec::new(); // goals home, away; vig-free home (no draw), over 2.5
    for file in files {
        let table = read(&file)?;
        for row in table.rows() {
            let get = |name: &str| table.number(row, name);
            let (Some(home), Some(away)) = (get("FTHG"), get("FTAG")) else { continue };
            let prices = [["PSCH", "PSCD", "PSCA"], ["AvgCH", "AvgCD", "AvgCA"]];
            let Some(fair) = prices.iter().find_map(|names| fair_of(&names.map(get), 1.15)) else { continue };
            let totals = [["PC>2.5", "PC<2.5"], ["AvgC>2.5", "AvgC<2.5"]];
            let Some(over) = totals.iter().find_map(|names| fair_of(&names.map(get), 1.15)) else { continue };
            if let ([h, _, a], [o, _]) = (fair.as_slice(), over.as_slice()) {
                played.push((home, away, h / (h + a), *o));
            }
        }
    }
    let total_spec = Spec {
        quantity: Quantity::Total,
        kernel: Kernel::NegativeBinomial { size: 100.0 },
        fit_kernel: true,
        weights: Weights::Number(0, 6),
        no_draw: false,
        prior: 60.0,
        lowest: 0,
        highest: 25,
        grid: Grid { from: 0.8, to: 6.0, step: 0.025 },
    };
    let line = Line::from_hundredths(250);
    let totals: Vec<Game> =
        played.iter().map(|(h, a, _, over)| Game { line, fair: *over, result: (h + a) as i32, count: 1.0 }).collect();
    let total = total_spec.fit(&totals)?;
    let totals_model = total_spec.distribution(total.kernel, &total.weights)?;

    let source = "football-data.co.uk, Premier League, Bundesliga and La Liga: final scores, closing prices 1X2 and over \
                  and under 2.5 (Pinnacle, else the average), margin removed by power; home strength from home against \
                  away without the draw";
    let days = ("2021-08-13", "2025-05-25");
    model("soccer", &["soccer_*"], &[]);
    let bands = [(Some(2.55), f64::NEG_INFINITY, 2.55), (Some(2.95), 2.55, 2.95), (None, 2.95, f64::INFINITY)];
    for (up_to, from, to) in bands {
        let spec = Spec {
            quantity: Quantity::Margin,
            kernel: Kernel::Skellam { rate: 1.3 },
            weights: Weights::Size(4),
            prior: 60.0,
            lowest: -20,
            highest: 20,
            grid: Grid { from: -3.5, to: 3.5, step: 0.025 },
            ..total_spec.clone()
        };
        let mut games = Vec::new();
        for (h, a, home, over) in &played {
            let Ok(expected) = totals_model.location(Side::Over, line, *over) else { continue };
            if expected > from && expected <= to {
                games.push(Game { line: Line::from_hundredths(0), fair: *home, result: (h - a) as i32, count: 1.0 });
            }
        }
        let fit = spec.fit(&games)?;
        entry("margin", &spec, &fit, &About { basis: "fitted", source, days, up_to }, (3.5, 1.5));
    }
    entry("total", &total_spec, &total, &About { basis: "fitted", source, days, up_to: None }, (3.5, 1.5));
    Ok(())
}

fn game(line: f64, p: f64, result: f64) -> Res<Game> {
    let line = Line::from_points(line).ok_or("a line that is none")?;
    Ok(Game { line, fair: p, result: result.round() as i32, count: 1.0 })
}

/// Vig-free probability of the first of two American prices; even where a price is missing or odd.
fn two_way(a: Option<f64>, b: Option<f64>) -> f64 {
    let raw = |a: f64| if a >= 100.0 { 100.0 / (a + 100.0) } else { -a / (100.0 - a) };
    match (a, b) {
        (Some(a), Some(b)) => devig::devig(&[raw(a), raw(b)], Method::Power)
            .ok()
            .and_then(|f| f.get(0))
            .filter(|p| (0.35..0.65).contains(p))
            .unwrap_or(0.5),
        _ => 0.5,
    }
}

/// Fair probabilities of decimal prices, when all are there.
fn fair_of<const N: usize>(prices: &[Option<f64>; N], max_sum: f64) -> Option<Vec<f64>> {
    devig::devig_sides(prices.map(|d| d.map(|d| 1.0 / d)), Method::Power, max_sum).ok().map(|p| p.to_vec())
}

/// Days since an epoch, of a text that begins with YYYY-MM-DD.
fn day_number(text: &str) -> Option<i64> {
    let date: chrono::NaiveDate = text.get(..10)?.parse().ok()?;
    Some(i64::from(chrono::Datelike::num_days_from_ce(&date)))
}
