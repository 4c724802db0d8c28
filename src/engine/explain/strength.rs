//! Strength and composite of a signal as sums of their parts, with the formula of each.

use super::signal::Rule;
use super::{Named, Step, Unit};
use crate::engine::detect::signal::{ScoreSource, Sharp, Signal, SignalType};
use crate::market::bucket::TimeBucket;

/// One part of a score: name, formula, numbers filled in, value.
type Part = (&'static str, &'static str, String, Option<f64>);

/// The strength of a signal of this size.
pub(super) fn strength(s: &Signal, rule: &Rule, size: f64) -> Step {
    let c = &s.components;
    let (window, velocity) = (s.window_minutes, s.velocity_minutes.min(s.window_minutes));
    let (threshold, minutes) = (rule.threshold.max(0.0001), s.minutes_to_tip);
    let parts: Vec<Part> = match s.kind {
        SignalType::Move | SignalType::KeyCross | SignalType::MultibookSync => vec![
            ("magnitude", "min(16 x size in points, 40)", format!("16 x {size:.4}"), c.magnitude),
            (
                "speed",
                "25 x (window - minutes from first to last) / window",
                format!("25 x ({window} - {velocity:.2}) / {window}"),
                c.speed,
            ),
            ("books", "min(3 x books that moved, 15)", format!("3 x {}", s.books_affected), c.books),
            timing(minutes, c.timing),
        ],
        SignalType::Dislocation => vec![
            ("base", "8", "8".to_owned(), c.base),
            (
                "magnitude",
                "min(20 x distance / threshold, 55)",
                format!("20 x {size:.4} / {threshold:.4}"),
                c.magnitude,
            ),
            dispersion(s),
            ("books", "2 x (books of the board - 4), 0 to 15", "books of the board".to_owned(), c.books),
        ],
        SignalType::Steam => vec![
            ("base", "8", "8".to_owned(), c.base),
            ("magnitude", "min(16 x size / threshold, 40)", format!("16 x {size:.4} / {threshold:.4}"), c.magnitude),
            (
                "books",
                "5.5 x (books that moved - least + 1), 0 to 22",
                format!("5.5 x ({} - {} + 1)", s.books_affected, rule.books),
                c.books,
            ),
            (
                "speed",
                "min(6 x (size / window) / (threshold / window), 18)",
                format!("6 x ({size:.4} / {window}) / ({threshold:.4} / {window})"),
                c.speed,
            ),
        ],
        SignalType::LiveShock => vec![
            ("base", "75", "75".to_owned(), c.base),
            (
                "magnitude",
                "25 x (size / threshold - 1), at most 25",
                format!("25 x ({size:.4} / {threshold:.4} - 1)"),
                c.magnitude,
            ),
        ],
        SignalType::ExchangeDivergence => vec![
            ("base", "by who moved first", "base".to_owned(), c.base),
            ("speed", "by the lag", "lag".to_owned(), c.speed),
            ("magnitude", "min(60 x |probability - 0.5|, 30)", "probability".to_owned(), c.magnitude),
        ],
    };
    let step = Step::new("strength", "the sum of its parts, rounded (halves to even), 1 to 100")
        .from("section 17 of the reference description");
    total(step, &parts, "strength", s.strength)
}

fn timing(minutes: f64, value: Option<f64>) -> Part {
    if minutes >= 0.0 {
        let counted = minutes.min(240.0);
        ("timing", "4 + 16 x min(minutes to the start, 240) / 240", format!("4 + 16 x {counted:.1} / 240"), value)
    } else {
        let since = minutes.abs().min(180.0);
        ("timing", "4 - min(minutes since the start, 180) / 15, at least -8", format!("4 - {since:.1} / 15"), value)
    }
}

fn dispersion(s: &Signal) -> Part {
    let filled = match s.detail.dispersion {
        Some(d) => format!("20 / (1 + 2.5 x {d:.4})"),
        None => "not known: 5".to_owned(),
    };
    ("agreement", "20 / (1 + 2.5 x dispersion of the board)", filled, s.components.dispersion)
}

/// The composite of a signal.
pub(super) fn composite(s: &Signal) -> Step {
    let step =
        Step::new("composite", "version 1: the sum of its parts, rounded, 1 to 100; a priority, no chance of winning")
            .from("section 7 of the domain contract");
    if s.score_source == ScoreSource::StrengthFallback {
        let mut step = step.line(format!("an input is missing: the strength stands in, {}", s.strength));
        step.result.push(Named::number("composite", f64::from(s.composite), Unit::Score));
        return step.says("tier", s.tier.name());
    }
    let c = &s.components;
    let (window, velocity) = (s.window_minutes, s.velocity_minutes.min(s.window_minutes));
    let movers = match s.kind {
        SignalType::Dislocation => "15 x movers of the window / panel".to_owned(),
        _ => format!("15 x {} / {}", s.books_affected, s.panel),
    };
    let sharp = match s.sharp {
        Sharp::Agree => "agree",
        Sharp::None => "none",
        Sharp::Oppose => "oppose",
    };
    let bucket = match s.time_bucket {
        TimeBucket::PreTip => "PRETIP",
        TimeBucket::Late => "LATE",
        TimeBucket::Mid => "MID",
        TimeBucket::Open => "OPEN",
        TimeBucket::InPlay => "INPLAY",
        TimeBucket::Unknown => "UNKNOWN",
    };
    let record =
        if c.composite_record == Some(0.0) { "none yet, or no better than even" } else { "graded events of the type" };
    let parts: Vec<Part> = vec![
        ("strength", "0.40 x strength", format!("0.40 x {}", s.strength), c.composite_strength),
        (
            "velocity",
            "15 x (1 - minutes / window)",
            format!("15 x (1 - {velocity:.2} / {window})"),
            c.composite_velocity,
        ),
        ("movers", "15 x movers / panel", movers, c.composite_movers),
        ("sharp", "agree 15, none 0, oppose -10", sharp.to_owned(), c.composite_sharp),
        ("timing", "PRETIP 10, LATE 8, MID 6, OPEN 3, INPLAY 0", bucket.to_owned(), c.composite_timing),
        ("record", "20 x (lower bound - 0.5), -5 to 5, from 30 events", record.to_owned(), c.composite_record),
        ("entry", "-20 when older than fresh", "age of the entry".to_owned(), c.composite_stale_entry),
    ];
    total(step, &parts, "composite", s.composite).says("tier", format!("{} (High >= 75, Medium >= 55)", s.tier.name()))
}

fn total(mut step: Step, parts: &[Part], name: &str, told: u8) -> Step {
    let mut sum = 0.0;
    for (part, formula, filled, value) in parts {
        let Some(value) = value else { continue };
        sum += value;
        step.filled.push(format!("{part}: {formula}: {filled} -> {value:.2}"));
        step.numbers.push(Named::number(*part, *value, Unit::Score));
    }
    step.filled.push(format!("sum {sum:.2}: {told}"));
    step.result.push(Named::number("sum", sum, Unit::Score));
    step.result.push(Named::number(name, f64::from(told), Unit::Score));
    step
}
