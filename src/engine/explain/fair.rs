//! The derivation of a fair price, of all books or as one of them is judged against.
//!
//! Works through the steps of the calculation with the rows of an appraisal alone, so that what it shows is what a
//! person gets with a calculator.

use super::text::{SAME, five, four, line, percent, seconds, sum};
use super::votes::{
    aged, input, margin, minutes, question, scale_step, unit, value, value_name, values, vig_step, voted,
};
use super::words::judged;
use super::{Derivation, Kind, Named, Step, Unit};
use crate::engine::appraise::{Appraisal, BookPart, FairPrice};
use crate::engine::price::fair::{LEAST_MARGIN, USUAL_MARGIN, slope, tuning};
use crate::engine::price::robust::{self, CUT, Estimate, Vote};
use crate::engine::price::scale::{Scale, from_log_odds};
use crate::market::line::Line;

/// Explains the fair price of all books, or with `left_out` the one that this book is judged against: without its whole
/// family. A book without a vote is judged against all.
pub fn fair(a: &Appraisal, left_out: Option<&str>) -> Derivation {
    let judged_part = left_out.and_then(|book| a.books.iter().find(|p| p.book == book));
    let engine = match (left_out, judged_part) {
        (None, _) => a.fair.as_ref(),
        (Some(_), part) => part.and_then(|p| p.without.as_ref()),
    };
    let mut d = Derivation::new(Kind::Fair, subject(a, left_out), a.as_of);
    let family = judged_part.filter(|p| voted(p)).map(|p| p.family.as_str());
    d.method = method(a, family);
    let voting: Vec<&BookPart> = a.books.iter().filter(|p| voted(p)).collect();
    let mut families: Vec<&str> = voting.iter().map(|p| p.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let out = family.and_then(|f| families.binary_search(&f).ok()).map(|n| n as u16);
    d.steps.extend([vig_step(a), scale_step(a), age_step(a, &voting), family_step(a, &voting)]);

    let mut estimates = Vec::new();
    let mut sharp = false;
    for n in 0..values(a) {
        let Some(worked) = work(a, &voting, &families, out, n) else { break };
        if n == 0 {
            let sides = Sides { clip: worked.clip, centre: worked.centre };
            d.inputs = a.books.iter().map(|p| shown(a, p, family, Some(&sides))).collect();
            sharp = worked.sharp;
        }
        if worked.two_camps {
            d.notes.push("the books are in two camps with nobody near the median: all votes count in full".to_owned());
        }
        estimates.push(worked.estimate);
        d.steps.extend(worked.steps);
    }
    if d.inputs.is_empty() {
        d.inputs = a.books.iter().map(|p| shown(a, p, family, None)).collect();
    }
    d.leave_out_excluded();
    let Some(first) = estimates.first().copied() else {
        d.notes.push("no book has a part: there is no fair price".to_owned());
        return d;
    };
    let enough = need_step(a, &first, sharp);
    let met = enough.1;
    d.steps.push(enough.0);
    if !met || estimates.len() < values(a) {
        d.notes.push("too few independent books: there is no fair price".to_owned());
        return d;
    }
    finish(&mut d, a, &estimates);
    check(&mut d, engine);
    d
}

fn subject(a: &Appraisal, left_out: Option<&str>) -> String {
    let without = left_out.map_or_else(String::new, |b| format!(" as {b} is judged against"));
    format!("fair price of {}{without}", question(a))
}

fn method(a: &Appraisal, family: Option<&str>) -> Vec<String> {
    let mut all = vec![
        format!("vig removed by `{}`, per book at its own line", a.method),
        match &a.model {
            Some(label) => format!("lines converted to points by a model ({label})"),
            None => "no model for this market: log-odds, books at the reference line only".to_owned(),
        },
        "weighted mean, robust: full votes near the weighted median, smaller ones farther away".to_owned(),
    ];
    match family {
        Some(family) => all.push(format!("without the family `{family}`: a book is judged by the others")),
        None => all.push("all families with a vote".to_owned()),
    }
    all
}

struct Sides {
    clip: f64,
    centre: f64,
}

fn shown(a: &Appraisal, part: &BookPart, family: Option<&str>, sides: Option<&Sides>) -> super::Input {
    let mut shown = input(a, part);
    if !voted(part) {
        return shown;
    }
    if family == Some(part.family.as_str()) {
        (shown.share, shown.excluded) = (None, Some(judged()));
        return shown;
    }
    if let Some((sides, value)) = sides.zip(part.value) {
        let share = robust::share(value - sides.centre, sides.clip);
        shown.share = Some(share);
        // Far from the median of all is not always far from that of the others.
        shown.excluded = (share <= 0.0).then(|| super::words::excluded("outlier"));
    }
    shown
}

fn age_step(a: &Appraisal, voting: &[&BookPart]) -> Step {
    let half_life = a.workings.fair.half_life_ms as f64 / 1000.0;
    let mut step = Step::new(
        "age decay and margin",
        "w = table weight x (usual margin / margin)^2 x 0.5^(age / half-life); age in whole minutes since the provider saw it",
    )
    .from("section 6 of the domain contract; the margin's part is measured, see `stratum research fair-check`")
    .with("half-life", half_life, Unit::Seconds)
    .with("usual margin", USUAL_MARGIN, Unit::Share)
    .with("least margin", LEAST_MARGIN, Unit::Share);
    for p in voting {
        step.filled.push(format!(
            "{}: {} x ({} / {})^2 x 0.5^({:.0} / {half_life:.0}) = {}",
            p.book,
            p.table_weight,
            four(USUAL_MARGIN),
            four(margin(p)),
            60.0 * minutes(p),
            four(aged(a, p))
        ));
    }
    step
}

fn family_step(a: &Appraisal, voting: &[&BookPart]) -> Step {
    let mut step = Step::new("sisters share a vote", "v = heaviest w of the family x w / sum of w of the family")
        .from("section 6 of the domain contract");
    for p in voting {
        let sisters: Vec<f64> = voting.iter().filter(|s| s.family == p.family).map(|s| aged(a, s)).collect();
        if sisters.len() > 1 {
            let (heaviest, all) = (sisters.iter().copied().fold(0.0, f64::max), sisters.iter().sum::<f64>());
            let own = aged(a, p);
            step.filled.push(format!(
                "{} ({}): {} x {} / {} = {}",
                p.book,
                p.family,
                four(heaviest),
                four(own),
                four(all),
                four(heaviest * own / all)
            ));
        }
    }
    if step.filled.is_empty() {
        step.filled.push("every book here is a family of its own: v = w".to_owned());
    }
    step
}

/// One value worked out.
struct Worked {
    steps: Vec<Step>,
    estimate: Estimate,
    centre: f64,
    clip: f64,
    two_camps: bool,
    sharp: bool,
}

fn work(a: &Appraisal, voting: &[&BookPart], families: &[&str], out: Option<u16>, n: usize) -> Option<Worked> {
    let mut votes: Vec<(Vote, &BookPart)> = voting
        .iter()
        .filter_map(|p| {
            let family = families.binary_search(&p.family.as_str()).ok()? as u16;
            Some((Vote { family, weight: p.weight, value: value(a, p, n)? }, *p))
        })
        .collect();
    votes.sort_by(|x, y| x.0.value.total_cmp(&y.0.value));
    let plain: Vec<Vote> = votes.iter().map(|(v, _)| *v).collect();
    let of_all = robust::weighted_median(&plain, None)?;
    let centre = robust::weighted_median(&plain, out)?;
    let (mut clip, floor, clip_step) = clip(a, of_all, n);
    let estimate = robust::estimate(&plain, out, clip, floor, &mut Vec::new())?;
    let counted = || votes.iter().filter(|(v, _)| Some(v.family) != out);
    let two_camps = counted().all(|(v, _)| v.weight * robust::share(v.value - centre, clip) <= 0.0);
    if two_camps {
        clip = f64::INFINITY;
    }
    let weighed: Vec<(f64, &Vote, &BookPart)> = counted()
        .map(|(v, p)| (v.weight * robust::share(v.value - centre, clip), v, *p))
        .filter(|w| w.0 > 0.0)
        .collect();
    let sharp = weighed.iter().any(|(.., p)| p.kind == "sharp");
    let name = value_name(a, n);
    let total: f64 = counted().map(|(v, _)| v.weight).sum();
    let mut median =
        Step::new(format!("weighted median, {name}"), "values in rising order; where the votes add up to half of all")
            .with("half of all votes", 0.5 * total, Unit::Number);
    let mut up_to = 0.0;
    for (v, p) in counted() {
        up_to += v.weight;
        median.filled.push(format!("{} at {}: votes up to here {}", p.book, four(v.value), four(up_to)));
    }
    let median = median.gives("median", centre, unit(a));
    let mut shares = clip_step;
    for (v, p) in counted() {
        let distance = (v.value - centre).abs();
        let share = robust::share(distance, clip);
        if share < 1.0 {
            shares.filled.push(format!("{}: {} away: share {}", p.book, four(distance), four(share)));
        }
    }
    if shares.filled.is_empty() {
        shares.filled.push("every vote counts in full".to_owned());
    }
    Some(Worked {
        steps: vec![
            median,
            shares,
            mean_step(a, &name, &weighed, &estimate),
            error_step(a, &name, &weighed, &estimate, floor),
        ],
        estimate,
        centre,
        clip,
        two_camps,
        sharp,
    })
}

/// Up to which distance votes count in full. The distance follows from the median of all votes, so that leaving a family
/// out changes nothing but its own vote.
fn clip(a: &Appraisal, of_all: f64, n: usize) -> (f64, f64, Step) {
    let rule = &a.workings.fair;
    let name = format!("clip, {}", value_name(a, n));
    let shares = format!("share = 1 up to c from the median, c / distance up to {CUT:.0} c, then 0");
    let (c, floor) = tuning(a.workings.scale(), a.workings.sd, rule, of_all);
    if a.workings.model.is_some() {
        let step = Step::new(name, format!("{shares}; c = {} x standard deviation of results", rule.clip_share))
            .line(format!("c = {} x {} = {}", rule.clip_share, four(a.workings.sd), four(c)))
            .gives("c", c, Unit::Points);
        return (c, floor, step);
    }
    let (p, slope) = (from_log_odds(of_all), slope(of_all));
    let step = Step::new(name, format!("{shares}; c = {} / (4 p (1 - p)), p at the median of all", rule.clip_log_odds))
        .with("p at the median of all", p, Unit::Probability)
        .line(format!("c = {} / {} = {}", rule.clip_log_odds, five(slope), four(c)))
        .gives("c", c, Unit::LogOdds);
    (c, floor, step)
}

fn mean_step(a: &Appraisal, name: &str, weighed: &[(f64, &Vote, &BookPart)], e: &Estimate) -> Step {
    let total: f64 = weighed.iter().map(|(w, ..)| w).sum();
    let terms: Vec<String> = weighed.iter().map(|(w, v, _)| format!("{} x {}", four(*w), four(v.value))).collect();
    Step::new(format!("mean, {name}"), "W = v x share; mean = sum of W x value / sum of W")
        .line(format!("({}) / {}", sum(&terms, 12), four(total)))
        .line(format!("= {}", four(e.value)))
        .gives("mean", e.value, unit(a))
}

fn error_step(a: &Appraisal, name: &str, weighed: &[(f64, &Vote, &BookPart)], e: &Estimate, floor: f64) -> Step {
    let total: f64 = weighed.iter().map(|(w, ..)| w).sum();
    let spread = weighed.iter().map(|(w, v, _)| w * (v.value - e.value).powi(2)).sum::<f64>() / total;
    let bessel = if e.effective > 1.0 + SAME { e.effective / (e.effective - 1.0) } else { 1.0 };
    Step::new(
        format!("standard error, {name}"),
        "n = (sum W)^2 / sum of (W of a family)^2; s2 = sum W (value - mean)^2 / sum W x n/(n - 1); \
         error = sqrt(max(s2, floor^2) / n)",
    )
    .with("floor", floor, unit(a))
    .line(format!("n = {}^2 / {} = {}", four(total), four(total * total / e.effective), four(e.effective)))
    .line(format!("s2 = {spread:.6} x {bessel:.4} = {:.6}", spread * bessel))
    .line(format!(
        "error = sqrt(max({:.6}, {:.6}) / {}) = {}",
        spread * bessel,
        floor * floor,
        four(e.effective),
        four(e.standard_error)
    ))
    .gives("effective books", e.effective, Unit::Number)
    .gives("standard error", e.standard_error, unit(a))
}

fn need_step(a: &Appraisal, e: &Estimate, sharp: bool) -> (Step, bool) {
    let least = a.workings.fair.min_families;
    let met = e.families >= least || (sharp && e.families >= 2);
    let step = Step::new(
        "enough independent books",
        format!("{least} families whose votes count, or a sharp book and one other"),
    )
    .from("section 6 of the domain contract")
    .line(format!("{} families, {}", e.families, if sharp { "a sharp one among them" } else { "none of them sharp" }))
    .gives("families", f64::from(e.families), Unit::Count)
    .says("enough", if met { "yes" } else { "no" });
    (step, met)
}

/// From the mean back to probabilities at the reference line.
fn finish(d: &mut Derivation, a: &Appraisal, estimates: &[Estimate]) {
    let Some(first) = estimates.first() else { return };
    let scale = a.workings.scale();
    let reference = a.reference_line.and_then(Line::from_points);
    let at = a.reference_line.map_or_else(String::new, |l| format!(" at {}", line(l, &a.market)));
    let name = |n: usize| a.layout.sides().get(n).map_or("", |s| s.name());
    let mut step;
    let mut mean = first.value;
    let probabilities: Vec<f64> = if values(a) == 3 {
        let raw: Vec<f64> = estimates.iter().map(|e| from_log_odds(e.value)).collect();
        let total: f64 = raw.iter().sum();
        step = Step::new("back to a probability", "p = 1 / (1 + e^-x) of each side, divided by their sum");
        for (n, (p, e)) in raw.iter().zip(estimates).enumerate() {
            step.filled.push(format!(
                "{}: 1 / (1 + e^{}) = {}; / {} = {}",
                name(n),
                four(-e.value),
                five(*p),
                five(total),
                five(p / total)
            ));
        }
        mean = raw.first().map_or(mean, |p| crate::engine::price::scale::log_odds(p / total));
        raw.iter().map(|p| p / total).collect()
    } else {
        let Some(p) = scale.probability(a.layout, reference, first.value) else {
            d.notes.push("the model does not reach the reference line: there is no fair price".to_owned());
            return;
        };
        step = match scale {
            Scale::LogOdds => Step::new("back to a probability", "p = 1 / (1 + e^-x); the other side 1 - p")
                .line(format!("{}{at}: 1 / (1 + e^{}) = {}", name(0), four(-first.value), five(p))),
            Scale::Points(_) => model_step(a, first.value, reference, p),
        };
        step.filled.push(format!("{}: 1 - {} = {}", name(1), five(p), five(1.0 - p)));
        vec![p, 1.0 - p]
    };
    for (n, p) in probabilities.iter().enumerate() {
        step.result.push(Named::number(format!("{} probability", name(n)), *p, Unit::Probability));
    }
    d.steps.push(step);
    if let Scale::Points(model) = scale {
        let mut fair =
            Step::new("fair line", "the line at which the model gives the side exactly 50 %, between half points");
        for side in a.layout.sides() {
            if let Ok(at) = model.fair_line(*side, first.value) {
                fair = fair
                    .line(format!(
                        "{}: {:+.2} ({} at {})",
                        side.name(),
                        at.points,
                        percent(at.probability),
                        at.line.points()
                    ))
                    .gives(format!("{} fair line", side.name()), at.points, Unit::Points);
            }
        }
        d.steps.push(fair);
    }
    for (n, p) in probabilities.iter().enumerate() {
        d.says(&format!("{} probability", name(n)), *p, Unit::Probability);
    }
    if let Some(reference) = a.reference_line {
        d.says("reference line", reference, Unit::Points);
    }
    let lines: Vec<Named> = d.step("fair line").map(|s| s.result.clone()).unwrap_or_default();
    d.result.extend(lines);
    d.says(if a.workings.model.is_some() { "value" } else { "log-odds of the first side" }, mean, unit(a));
    d.says("standard error", first.standard_error, unit(a));
    d.says("effective books", first.effective, Unit::Number);
    d.says("families", f64::from(first.families), Unit::Count);
    d.notes.push("a probability at a whole-number line is conditional on no push".to_owned());
    if let Some(age) = oldest(a) {
        d.notes.push(format!("the oldest price on the board that counts was seen {} before", seconds(age)));
    }
}

/// Chances at the reference line by the model, with what pushes.
fn model_step(a: &Appraisal, value: f64, reference: Option<Line>, p: f64) -> Step {
    let scale = a.workings.scale();
    let first = a.layout.sides().first().copied();
    let step = Step::new(
        "back to a probability",
        "chances of the model at the reference line; p = win / (win + loss), refunds left out",
    );
    let settlement = first.and_then(|side| scale.settlement(a.layout, side, reference, value));
    let (Some(side), Some(s), Some(reference)) = (first, settlement, reference) else { return step };
    step.line(format!(
        "{} {}: win {}, push {}, loss {}",
        side.name(),
        line(reference.points(), &a.market),
        five(s.won_share()),
        five(s.push),
        five(s.lost_share())
    ))
    .line(format!(
        "p = {} / ({} + {}) = {}",
        five(s.won_share()),
        five(s.won_share()),
        five(s.lost_share()),
        five(p)
    ))
}

fn oldest(a: &Appraisal) -> Option<f64> {
    a.books.iter().filter(|p| voted(p) && p.excluded.is_none()).map(|p| p.age_seconds).max_by(f64::total_cmp)
}

/// The steps must give what the analysis gave.
fn check(d: &mut Derivation, engine: Option<&FairPrice>) {
    let value = d.value("value").or_else(|| d.value("log-odds of the first side"));
    let same = engine.zip(value).is_some_and(|(e, v)| (e.value - v).abs() <= SAME * v.abs().max(1.0));
    if !same {
        d.notes.push("these steps do not give the number of the analysis: please report it".to_owned());
    }
}
