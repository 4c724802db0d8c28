//! The votes of an appraisal, put together again from its rows: who has a part, with what weight, at which value.

use super::text::{at_line, five, four};
use super::words::{self, devig, excluded};
use super::{Input, Step, Unit};
use crate::engine::appraise::{Appraisal, BookPart};
use crate::engine::price::fair::{LEAST_MARGIN, USUAL_MARGIN};
use crate::engine::price::scale::log_odds;
use crate::engine::price::unit::Layout;
use crate::market::market_key::Family;

/// Who votes: open, with a value at a comparable line, and a weight in the book table. An outlier votes, and then its
/// share is nothing.
pub(super) fn voted(part: &BookPart) -> bool {
    matches!(part.excluded, None | Some("outlier")) && part.value.is_some() && part.table_weight > 0.0
}

/// Whole minutes of age, as they count.
pub(super) fn minutes(part: &BookPart) -> f64 {
    (part.age_seconds / 60.0).floor()
}

/// The margin that counts.
pub(super) fn margin(part: &BookPart) -> f64 {
    part.margin.unwrap_or_default().max(LEAST_MARGIN)
}

/// Weight after margin and age.
pub(super) fn aged(a: &Appraisal, part: &BookPart) -> f64 {
    let half_life = a.workings.fair.half_life_ms.max(1) as f64 / 60_000.0;
    part.table_weight * (USUAL_MARGIN / margin(part)).powi(2) * 0.5_f64.powf(minutes(part) / half_life)
}

/// The value of side `n`: points, or log-odds of that side.
pub(super) fn value(a: &Appraisal, part: &BookPart, n: usize) -> Option<f64> {
    if n == 0 {
        return part.value;
    }
    if a.workings.model.is_some() {
        return None;
    }
    part.probability.as_ref().and_then(|p| p.get(n)).map(|p| log_odds(*p))
}

/// Values that are averaged: one, or one for each of three ways.
pub(super) fn values(a: &Appraisal) -> usize {
    if a.workings.model.is_none() && a.layout == Layout::ThreeWay { 3 } else { 1 }
}

/// Points, or log-odds.
pub(super) fn unit(a: &Appraisal) -> Unit {
    if a.workings.model.is_some() { Unit::Points } else { Unit::LogOdds }
}

/// `spreads of event 12`, with the player and line where the market has them.
pub(super) fn question(a: &Appraisal) -> String {
    let whom = a.subject.as_ref().map_or_else(String::new, |s| format!(" of {s}"));
    format!("{}{whom}{} of event {}", a.market, at_line(a.key.line.map(|l| l.points()), &a.market), a.event_id.0)
}

/// One row as an input. `share` is set by whoever knows the median.
pub(super) fn input(a: &Appraisal, part: &BookPart) -> Input {
    let votes = voted(part);
    Input {
        book: part.book.clone(),
        kind: Some(part.kind),
        family: Some(part.family.clone()),
        line: part.line,
        prices: part.prices.clone(),
        raw_sum: part.raw_sum,
        vig_parameter: part.parameter,
        probability: part.probability.clone(),
        value: part.value,
        table_weight: Some(part.table_weight),
        aged_weight: votes.then(|| aged(a, part)),
        weight: votes.then_some(part.weight),
        share: None,
        seen_seconds_ago: Some(part.age_seconds),
        changed_seconds_ago: Some(part.changed_seconds_ago),
        received_seconds_ago: Some(part.received_seconds_ago),
        excluded: part.excluded.map(excluded),
        ..Input::default()
    }
}

/// How each book's vig was removed.
pub(super) fn vig_step(a: &Appraisal) -> Step {
    let rule = &a.workings.devig;
    let mut step = Step::new("remove the vig", format!("raw q = 1/d; {}", devig(rule.method)))
        .from("section 4 of the domain contract")
        .with("largest sum of raw probabilities", rule.max_sum, Unit::Number);
    for part in a.books.iter().filter(|p| voted(p)) {
        let Some(fair) = &part.probability else { continue };
        let raw: Vec<f64> = part.prices.iter().flatten().map(|d| 1.0 / d).collect();
        let joined = |all: &[f64]| all.iter().map(|p| five(*p)).collect::<Vec<_>>().join(", ");
        let by = match part.parameter {
            Some(parameter) => format!("{} = {parameter:.6}", words::parameter(rule.method)),
            None => "middle of back and lay".to_owned(),
        };
        step.filled.push(format!(
            "{}: q = {}, sum {}, {by}: p = {}",
            part.book,
            joined(&raw),
            five(raw.iter().sum()),
            joined(fair)
        ));
    }
    step
}

/// From line and probability to a value that can be compared.
pub(super) fn scale_step(a: &Appraisal) -> Step {
    let voting = a.books.iter().filter(|p| voted(p));
    if let Some(label) = &a.model {
        let what = if a.layout == Layout::Spread { "expected home margin m" } else { "expected total m" };
        let side = if a.layout == Layout::Spread { "home covers its line" } else { "over wins" };
        let mut step = Step::new(
            "convert to the scale",
            format!("{what} for which the model gives P({side} | no push) = p at the book's own line"),
        )
        .from("section 5 of the domain contract");
        step.numbers.push(super::Named::text("model", label.clone()));
        step.numbers.push(super::Named::number("standard deviation of results", a.workings.sd, Unit::Points));
        for part in voting {
            let (Some(p), Some(value)) = (part.probability.as_ref().and_then(|p| p.first()), part.value) else {
                continue;
            };
            let at = at_line(part.line, &a.market);
            step.filled.push(format!("{}: p = {} at{at}: m = {}", part.book, five(*p), four(value)));
        }
        return step;
    }
    let mut step = Step::new("convert to the scale", "x = ln(p / (1 - p)), books at the reference line only")
        .from("section 5 of the domain contract");
    for part in voting {
        let Some(p) = &part.probability else { continue };
        let all: Vec<String> = p
            .iter()
            .take(values(a))
            .map(|p| format!("ln({} / {}) = {}", five(*p), five(1.0 - p), four(log_odds(*p))))
            .collect();
        step.filled.push(format!("{}: {}", part.book, all.join(", ")));
    }
    step
}

/// A name for the value of side `n`.
pub(super) fn value_name(a: &Appraisal, n: usize) -> String {
    if a.workings.model.is_some() {
        let spread = crate::market::market_key::MarketSpec::parse(&a.market).family == Family::Spread;
        return if spread { "expected home margin".to_owned() } else { "expected total".to_owned() };
    }
    let side = a.layout.sides().get(n).map_or("first", |s| s.name());
    format!("log-odds of {side}")
}
