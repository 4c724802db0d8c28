//! The derivation of a close from the rows that were stored with it.

use super::text::{at_line, five, four, seconds, sum};
use super::words::{self, excluded};
use super::{Derivation, Input, Kind, LeftOut, Reason, Step, Unit};
use crate::engine::grade::close::{Close, CloseBook, Grade};
use crate::market::market_key::{Family, MarketSpec};

/// Explains a close, or why there is none.
pub fn close(c: &Close) -> Derivation {
    let whom = c.subject.as_ref().map_or_else(String::new, |s| format!(" of {s}"));
    let own = at_line(c.key.line.map(|l| l.points()), &c.market);
    let subject = format!("close of {}{whom}{own} of event {}, version {}", c.market, c.event_id.0, c.version);
    let mut d = Derivation::new(Kind::Close, subject, c.start);
    d.method = vec![
        "the state of the last look before the start, as the start was known when it was taken".to_owned(),
        "priced like any other instant: vig removed per book, weighted robust mean".to_owned(),
    ];
    d.inputs = c.inputs.iter().map(input).collect();
    d.leave_out_excluded();
    d.steps.push(look_step(c));
    let Some(grade) = c.grade else {
        if let Some(why) = c.reason {
            let reason = Reason { name: why.name().to_owned(), words: words::no_close(why) };
            d.notes.push(format!("there is no close: {}", reason.words));
            d.excluded.push(LeftOut { what: "close".to_owned(), reason });
        }
        return d;
    };
    mean_step(&mut d, c);
    if let Some(age) = age_step(c) {
        d.steps.push(age);
    }
    d.steps.push(grade_step(c, grade));
    d.result.push(super::Named::text("grade", grade.name()));
    let sides = sides(&c.market, c.probability[2] > 0.0);
    if let Some(line) = c.line {
        d.says("line", line, Unit::Points);
    }
    for (side, p) in sides.iter().zip(c.probability) {
        d.says(&format!("{side} probability"), p, Unit::Probability);
    }
    if let Some(line) = c.fair_line {
        d.says("fair line of the first side", line, Unit::Points);
    }
    d.says("value", c.value, unit(c));
    d.says("standard error", c.standard_error, unit(c));
    d.says("effective books", c.effective_books, Unit::Number);
    d.says("books", f64::from(c.books), Unit::Count);
    if c.provisional {
        d.notes.push("provisional: the start was moved later afterwards, another close will follow".to_owned());
    }
    d
}

/// Names of the sides, as far as the market tells.
pub(super) fn sides(market: &str, three: bool) -> &'static [&'static str] {
    match MarketSpec::parse(market).family {
        Family::Total | Family::TeamTotal => &["over", "under"],
        Family::Proposition | Family::Other => &["first", "second"],
        Family::BothScore => &["yes", "no"],
        _ if three => &["home", "away", "draw"],
        _ => &["home", "away"],
    }
}

fn unit(c: &Close) -> Unit {
    if c.scale == "points" { Unit::Points } else { Unit::LogOdds }
}

fn input(b: &CloseBook) -> Input {
    Input {
        book: b.book.clone(),
        line: b.line,
        prices: b.prices.iter().copied().filter(Option::is_some).collect(),
        probability: b.probability.map(|p| vec![p]),
        value: b.value,
        weight: Some(b.weight),
        seen_seconds_ago: Some(b.age_seconds),
        excluded: b.excluded.as_deref().map(excluded),
        ..Input::default()
    }
}

fn look_step(c: &Close) -> Step {
    let seen = c.seen_at.map_or_else(|| "none".to_owned(), |t| t.to_string());
    Step::new("which look", "the last one at or before the start")
        .from("section 9 of the domain contract")
        .line(format!("start {}, look {seen}", c.start))
}

fn mean_step(d: &mut Derivation, c: &Close) {
    let counted: Vec<(&CloseBook, f64)> =
        c.inputs.iter().filter(|b| b.weight > 0.0).filter_map(|b| b.value.map(|v| (b, v))).collect();
    let total: f64 = counted.iter().map(|(b, _)| b.weight).sum();
    if c.probability[2] > 0.0 || total <= 0.0 {
        d.notes.push(
            "a market of three ways (or one in two camps) is averaged side by side; only the first side's rows are kept"
                .to_owned(),
        );
        return;
    }
    let mean = counted.iter().map(|(b, v)| b.weight * v).sum::<f64>() / total;
    let terms: Vec<String> = counted.iter().map(|(b, v)| format!("{} x {}", four(b.weight), four(*v))).collect();
    d.steps.push(
        Step::new("mean", "sum of weight x value / sum of weight; weights after age, sisters and distance")
            .from("section 6 of the domain contract")
            .line(format!("({}) / {}", sum(&terms, 12), four(total)))
            .line(format!("= {}", four(mean)))
            .gives("mean", mean, unit(c)),
    );
    if (mean - c.value).abs() > super::text::SAME {
        d.notes.push("the rows kept with the close do not give its value: please report it".to_owned());
    }
    if let Some(p) = c.probability.first() {
        let at = at_line(c.line, &c.market);
        let formula = if c.scale == "points" {
            "the model's win / (win + loss) at the reference line"
        } else {
            "p = 1 / (1 + e^-x)"
        };
        d.steps.push(Step::new("back to a probability", formula).line(format!("first side{at}: {}", five(*p))).gives(
            "probability of the first side",
            *p,
            Unit::Probability,
        ));
    }
}

fn age_step(c: &Close) -> Option<Step> {
    let age = c.age_seconds?;
    let mut ages: Vec<f64> = c.inputs.iter().filter(|b| b.excluded.is_none()).map(|b| b.age_seconds).collect();
    ages.sort_by(f64::total_cmp);
    let shown = ages.iter().map(|a| format!("{a:.0}")).collect::<Vec<_>>().join(", ");
    Some(
        Step::new("age", "median of the books that count: seconds before the start at which the provider saw them")
            .line(format!("{shown}: {}", seconds(age)))
            .gives("age", age, Unit::Seconds),
    )
}

/// Which conditions hold, and which one decided.
fn grade_step(c: &Close, grade: Grade) -> Step {
    let age = c.age_seconds.unwrap_or(f64::INFINITY);
    let mut step =
        Step::new("grade", "A: 5 books, one sharp, 5 min; B: 4 books, 15 min; C: 2 books, 60 min; D: older or thinner")
            .from("section 9 of the domain contract");
    for (name, books, sharp, minutes) in [("A", 5, true, 5.0), ("B", 4, false, 15.0), ("C", 2, false, 60.0)] {
        let mut missing = Vec::new();
        if c.books < books {
            missing.push(format!("{} books of {books}", c.books));
        }
        if sharp && !c.sharp {
            missing.push("no sharp book".to_owned());
        }
        if age > minutes * 60.0 {
            missing.push(format!("{} old, at most {minutes:.0} min", seconds(age)));
        }
        if missing.is_empty() {
            let sharp = if c.sharp { "a sharp one among them" } else { "none of them sharp" };
            step.filled.push(format!("{name} met: {} books, {sharp}, {} old", c.books, seconds(age)));
            break;
        }
        step.filled.push(format!("{name} not met: {}", missing.join(", ")));
    }
    step.says("grade", grade.name())
}
