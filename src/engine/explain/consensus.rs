//! The derivation of the board consensus: medians over the books, each counted once.

use super::text::{five, four, line, percent};
use super::votes::{input, question, scale_step, unit, value_name, values, vig_step, voted};
use super::{Derivation, Kind, Step, Unit};
use crate::engine::appraise::{Appraisal, BookPart};
use crate::engine::price::fair::{deviation, median, median_line};
use crate::engine::price::scale::Scale;
use crate::market::line::Line;

/// Explains the board consensus of a question.
pub fn consensus(a: &Appraisal) -> Derivation {
    let mut d = Derivation::new(Kind::Consensus, format!("consensus of {}", question(a)), a.as_of);
    d.method = vec![
        format!("vig removed by `{}`, per book at its own line", a.method),
        "medians over the books that count; every book counts once, whatever its weight or age".to_owned(),
    ];
    // A book far from the others is part of the board, though not of the fair price.
    d.inputs = a
        .books
        .iter()
        .map(|p| {
            let mut i = input(a, p);
            (i.aged_weight, i.weight) = (None, None);
            if voted(p) {
                i.excluded = None;
            }
            i
        })
        .collect();
    d.leave_out_excluded();
    let counted: Vec<&BookPart> = a.books.iter().filter(|p| voted(p)).collect();
    let least = a.workings.fair.min_books.max(1);
    d.steps.push(
        Step::new("enough books", format!("at least {least} that count"))
            .from("section 6 of the domain contract")
            .line(format!("{} books", counted.len()))
            .gives("books", counted.len() as f64, Unit::Count),
    );
    if counted.len() < least {
        d.notes.push("too few books: there is no consensus".to_owned());
        return d;
    }
    d.steps.extend([vig_step(a), scale_step(a)]);
    let at = line_step(&mut d, a, &counted);
    let Some((value, p)) = value_steps(&mut d, a, &counted, at) else {
        d.notes.push("the model does not reach the median line: there is no consensus".to_owned());
        return d;
    };
    let probabilities = side_probabilities(&mut d, a, p);
    let spread = spread_step(&mut d, a, &counted);
    if let Some(at) = at {
        d.says("line", at.points(), Unit::Points);
    }
    for (side, p) in a.layout.sides().iter().zip(probabilities) {
        d.says(&format!("{} probability", side.name()), p, Unit::Probability);
    }
    d.says("value", value, unit(a));
    d.says("dispersion", spread, if a.workings.model.is_some() { Unit::Points } else { Unit::Probability });
    d.says("books", counted.len() as f64, Unit::Count);
    let told = a
        .consensus
        .as_ref()
        .is_some_and(|c| c.line == at.map(Line::points) && c.probability.first().is_some_and(|x| (x - p).abs() < 1e-9));
    if !told && values(a) == 1 {
        d.notes.push("these steps do not give the number of the analysis: please report it".to_owned());
    }
    d
}

fn line_step(d: &mut Derivation, a: &Appraisal, counted: &[&BookPart]) -> Option<Line> {
    let mut lines: Vec<Line> = counted.iter().filter_map(|p| p.line.and_then(Line::from_points)).collect();
    lines.sort_unstable();
    let at = median_line(lines.iter().copied(), a.workings.stay.and_then(Line::from_points))?;
    let in_order = lines.iter().map(|l| line(l.points(), &a.market)).collect::<Vec<_>>().join(", ");
    let mut step = Step::new(
        "median line",
        "the line in the middle; of two the one nearer to the published line, without one nearer to zero",
    )
    .line(format!("{in_order}: {}", line(at.points(), &a.market)))
    .gives("line", at.points(), Unit::Points);
    if let Some(stay) = a.workings.stay {
        step = step.with("published line", stay, Unit::Points);
    }
    d.steps.push(step);
    Some(at)
}

fn value_steps(d: &mut Derivation, a: &Appraisal, counted: &[&BookPart], at: Option<Line>) -> Option<(f64, f64)> {
    let mut all: Vec<f64> = counted.iter().filter_map(|p| p.value).collect();
    all.sort_by(f64::total_cmp);
    let value = median(&all)?;
    let in_order = all.iter().map(|v| four(*v)).collect::<Vec<_>>().join(", ");
    d.steps.push(
        Step::new(
            format!("median, {}", value_name(a, 0)),
            "the value in the middle; of an even number the middle between the two",
        )
        .line(format!("{in_order}: {}", four(value)))
        .gives("value", value, unit(a)),
    );
    let p = a.workings.scale().probability(a.layout, at, value)?;
    let formula = match a.workings.scale() {
        Scale::Points(_) => "win / (win + loss) of the model at the median line",
        Scale::LogOdds => "p = 1 / (1 + e^-x)",
    };
    let name = a.layout.sides().first().map_or("first", |s| s.name());
    d.steps.push(Step::new("probability at that line", formula).line(format!("{name}: {}", five(p))).gives(
        format!("{name} probability"),
        p,
        Unit::Probability,
    ));
    Some((value, p))
}

/// Two sides are p and the rest. Of three each one's own median, made to sum to 1.
fn side_probabilities(d: &mut Derivation, a: &Appraisal, p: f64) -> Vec<f64> {
    let sides = a.layout.sides();
    if sides.len() == 2 {
        return vec![p, 1.0 - p];
    }
    let known: Vec<&Vec<f64>> = a.books.iter().filter_map(|b| b.probability.as_ref()).collect();
    let medians: Vec<f64> = (0..sides.len())
        .map(|n| {
            let mut all: Vec<f64> = known.iter().filter_map(|p| p.get(n)).copied().collect();
            all.sort_by(f64::total_cmp);
            median(&all).unwrap_or_default()
        })
        .collect();
    let total: f64 = medians.iter().sum();
    let mut step =
        Step::new("all three sides", "the median of each side over all complete markets, divided by their sum");
    for (side, m) in sides.iter().zip(&medians) {
        step.filled.push(format!("{}: {} / {} = {}", side.name(), five(*m), five(total), five(m / total)));
    }
    d.steps.push(step);
    medians.iter().map(|m| m / total).collect()
}

fn spread_step(d: &mut Derivation, a: &Appraisal, counted: &[&BookPart]) -> f64 {
    let points = a.workings.model.is_some();
    let all: Vec<f64> = counted
        .iter()
        .filter_map(|p| if points { p.value } else { p.probability.as_ref().and_then(|p| p.first()).copied() })
        .collect();
    let spread = deviation(&all);
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let shown = |x: f64| if points { format!("{x:.3} points") } else { percent(x) };
    let of = if points { "values" } else { "vig-free probabilities of the first side" };
    d.steps.push(
        Step::new("dispersion", format!("population standard deviation of the {of}: sqrt(sum (x - mean)^2 / n)"))
            .line(format!("mean {}, n = {}: {}", shown(mean), all.len(), shown(spread)))
            .gives("dispersion", spread, if points { Unit::Points } else { Unit::Probability }),
    );
    spread
}
