//! The derivation of a signal: the rule, the panel before and after, who moved, the entry, the scores.

use super::strength;
use super::text::{at_line, five, four, line, percent, seconds};
use super::words;
use super::{Derivation, Input, Kind, Movement, Named, Step, Unit};
use crate::engine::detect::signal::{Entry, Evidence, Signal, SignalType};
use crate::engine::price::fair::median;
use crate::engine::profile::SportProfile;
use crate::engine::rules::{AnalysisRules, Class, MoveRule};
use crate::market::books::Books;
use crate::market::market_key::{Family, MarketSpec};

/// Explains a signal. `rules` are those in force when it was made, as far as known: signals keep their window, not their
/// thresholds.
pub fn signal(s: &Signal, rules: &AnalysisRules) -> Derivation {
    let side = s.side.as_deref().unwrap_or("informational");
    let subject = format!(
        "{} {} version {}: {} {} ({side}), {} @ {}",
        s.kind.name(),
        s.id,
        s.version,
        s.market,
        s.selection,
        s.away_team,
        s.home_team
    );
    let mut d = Derivation::new(Kind::Signal, subject, s.updated_at);
    let rule = Rule::of(s, rules);
    d.method = vec![
        words::signal_type(s.kind).to_owned(),
        "movement is within a book open at both ends of the window; sister books are one opinion".to_owned(),
    ];
    d.inputs = s.evidence.iter().map(input).collect();
    let size = Size::of(s, &rule);
    d.steps.push(rule_step(s, &rule));
    if !s.evidence.is_empty() {
        d.steps.push(panel_step(s, &rule, &size));
        d.steps.push(order_step(s));
    }
    d.steps.push(size_step(s, &rule, &size));
    d.steps.push(sampling_step(s));
    for (name, entry) in [("entry", &s.entry), ("entry now", &s.entry_now)] {
        if let Some(entry) = entry {
            d.steps.push(entry_step(name, entry, s));
        }
    }
    d.steps.push(strength::strength(s, &rule, size.of_formula));
    d.steps.push(strength::composite(s));
    let unit = if s.unit == "line" { Unit::Points } else { Unit::Probability };
    d.says("from", s.from_value, unit);
    d.says("to", s.to_value, unit);
    d.says("size", size.value, unit);
    d.says("strength", f64::from(s.strength), Unit::Score);
    d.says("composite", f64::from(s.composite), Unit::Score);
    d.result.push(Named::text("tier", s.tier.name()));
    notes(&mut d, s, &rule);
    d
}

fn notes(d: &mut Derivation, s: &Signal, rule: &Rule) {
    d.notes.push(words::score_source(s.score_source).to_owned());
    if !s.evidence.is_empty() {
        d.notes.push(words::sharp(s.sharp).to_owned());
    }
    d.notes.extend(s.detail.label.iter().chain(&s.detail.labels).map(|l| words::label(l)));
    if let Some(id) = &s.supersedes {
        d.notes.push(format!("takes the place of the weaker signal {id} of the same move"));
    }
    if s.side.is_none() {
        d.notes.push("informational: there is no side to take".to_owned());
    } else if s.entry.is_none() {
        d.notes.push("nobody offered a price for the side when it was made".to_owned());
    }
    if s.version > 1 {
        d.notes.push(format!(
            "updated: first made {}, evidence and scores are those of {}; the entry stays the first",
            s.detected_at, s.updated_at
        ));
    }
    if (rule.window_minutes - s.window_minutes).abs() > 1e-9 {
        d.notes.push(format!(
            "the rules have changed since: the window was {} min and is {} min now, thresholds may differ as well",
            s.window_minutes, rule.window_minutes
        ));
    }
}

/// The rule that a signal was made by, with thresholds as they hold for its market and sport.
pub(super) struct Rule {
    pub(super) class: Class,
    pub(super) window_minutes: f64,
    /// Of the size; 0 where there is none.
    pub(super) threshold: f64,
    /// By what the setting was multiplied for the sport.
    pub(super) narrow: f64,
    /// A family moved when it moved by at least this.
    pub(super) least: f64,
    pub(super) books: u16,
}

impl Rule {
    fn of(s: &Signal, rules: &AnalysisRules) -> Self {
        let family = MarketSpec::parse(&s.market).family;
        let class = match (s.unit.as_str(), family) {
            ("line", Family::Spread) => Class::Spread,
            ("line", _) => Class::Total,
            _ => Class::Chance,
        };
        let narrow = SportProfile::of(&s.sport).narrow(class);
        let of = |rule: &MoveRule| (class.of(&rule.window_ms), class.of(&rule.threshold) * narrow, rule.books);
        let dislocation = &rules.dislocation;
        let (window_ms, threshold, books) = match s.kind {
            SignalType::Move => of(&rules.market_move),
            SignalType::KeyCross => (class.of(&rules.key_cross.window_ms), 0.0, rules.key_cross.books),
            SignalType::MultibookSync => of(&rules.sync),
            SignalType::Steam => of(&rules.steam),
            SignalType::LiveShock => of(&rules.live_shock),
            SignalType::Dislocation => (dislocation.window_ms, class.of(&dislocation.threshold) * narrow, 0),
            SignalType::ExchangeDivergence => (rules.exchange.window_ms, rules.exchange.threshold, 0),
        };
        let least = match s.kind {
            SignalType::Move | SignalType::Steam | SignalType::LiveShock => 0.4 * threshold,
            SignalType::KeyCross => 0.0,
            _ => threshold,
        };
        Self { class, window_minutes: window_ms as f64 / 60_000.0, threshold, narrow, least, books }
    }

    fn unit(&self) -> Unit {
        if self.class == Class::Chance { Unit::Probability } else { Unit::Points }
    }

    /// A size in the rule's unit.
    pub(super) fn shown(&self, x: f64) -> String {
        if self.class == Class::Chance { percent(x) } else { format!("{x:.3} points") }
    }
}

fn rule_step(s: &Signal, rule: &Rule) -> Step {
    let formula = match s.kind {
        SignalType::Move | SignalType::LiveShock => "median change of the families of the panel >= threshold",
        SignalType::KeyCross => "the median line goes on, off or across a key number of the sport",
        SignalType::MultibookSync => "enough families the same way, each >= threshold, and fewer the other way",
        SignalType::Steam => {
            "enough families the same way, each >= 40 % of the threshold, median of them >= threshold, at most one against"
        }
        SignalType::Dislocation => "distance of the quote from the fair price without its family >= threshold",
        SignalType::ExchangeDivergence => {
            "distance of the exchange's middle from the books' fair price, less the usual one, >= threshold"
        }
    };
    let mut step = Step::new("rule", formula).from("section 7 of the domain contract").with(
        "window",
        s.window_minutes,
        Unit::Minutes,
    );
    step.filled.push(format!("window {} min", s.window_minutes));
    if rule.threshold > 0.0 {
        step = step
            .with("threshold", rule.threshold, rule.unit())
            .line(format!("threshold {}", rule.shown(rule.threshold)));
        if rule.narrow < 1.0 {
            step = step
                .with("narrowed by", rule.narrow, Unit::Number)
                .line(format!("the setting times {}: results of this sport spread less", four(rule.narrow)));
        }
    }
    if rule.least > 0.0 && rule.least < rule.threshold {
        step = step.line(format!("a family moved when it changed by {} or more", rule.shown(rule.least)));
    }
    if rule.books > 0 {
        step = step
            .with("books, at least", f64::from(rule.books), Unit::Count)
            .line(format!("at least {} books", rule.books));
    }
    step
}

fn input(e: &Evidence) -> Input {
    let some = |prices: &[Option<f64>; 3]| prices.iter().copied().filter(Option::is_some).collect::<Vec<_>>();
    Input {
        book: e.book.clone(),
        family: Some(e.family.clone()),
        line: e.after.line,
        prices: some(&e.after.prices),
        probability: Some(vec![e.after.probability]),
        value: Some(e.after.value),
        movement: Some(Movement {
            before_line: e.before.line,
            before_prices: some(&e.before.prices),
            before_value: e.before.value,
            after_value: e.after.value,
            change: e.change,
            moved_at: e.moved_at,
            moved_after: e.moved_after,
            order: e.order,
        }),
        ..Input::default()
    }
}

/// How far the market or the quote went.
struct Size {
    /// Family and its change, in the order of names.
    families: Vec<(String, f64)>,
    /// +1: the first side's value rose.
    sign: f64,
    /// At least 0, in the rule's unit.
    value: f64,
    /// As the formula of strength takes it.
    of_formula: f64,
}

impl Size {
    fn of(s: &Signal, rule: &Rule) -> Self {
        let families = families(&s.evidence);
        let changes: Vec<f64> = families.iter().map(|(_, c)| *c).collect();
        let least = (rule.least - 1e-6).max(1e-9);
        let movers = |sign: f64| changes.iter().filter(move |c| **c * sign >= least).copied();
        let line_change = s.to_value - s.from_value;
        let (sign, value) = match s.kind {
            SignalType::KeyCross => {
                let up = if rule.class == Class::Spread { -1.0 } else { 1.0 };
                (line_change.signum() * up, line_change.abs())
            }
            SignalType::Dislocation | SignalType::ExchangeDivergence => {
                let delta = s.detail.delta.unwrap_or_default();
                (delta.signum(), delta.abs())
            }
            SignalType::MultibookSync | SignalType::Steam => {
                let sign = if movers(1.0).count() >= movers(-1.0).count() { 1.0 } else { -1.0 };
                (sign, middle(movers(sign)).abs())
            }
            SignalType::Move | SignalType::LiveShock => {
                let change = middle(changes.iter().copied());
                (change.signum(), change.abs())
            }
        };
        // The formula of moves counts points of a spread in a sport whose results spread as widely as football's.
        let of_formula = match (s.kind, rule.class) {
            (SignalType::Move | SignalType::MultibookSync, Class::Chance) => {
                crate::engine::detect::strength::points_of_probability(value)
            }
            (SignalType::Move | SignalType::MultibookSync, _) if rule.narrow > 0.0 => value / rule.narrow,
            _ => value,
        };
        Self { families, sign, value, of_formula }
    }
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    median(&all).unwrap_or_default()
}

/// Each family moves by the median of its members.
fn families(evidence: &[Evidence]) -> Vec<(String, f64)> {
    let mut names: Vec<&str> = evidence.iter().map(|e| e.family.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| (name.to_owned(), middle(evidence.iter().filter(|e| e.family == name).map(|e| e.change))))
        .collect()
}

fn panel_step(s: &Signal, rule: &Rule, size: &Size) -> Step {
    let count = |sign: f64| size.families.iter().filter(|(_, c)| *c * sign >= (rule.least - 1e-6).max(1e-9)).count();
    let (with, against) = (count(size.sign), count(-size.sign));
    let mut step = Step::new("panel", "families open at both ends; each moves by the median change of its books");
    for (family, change) in &size.families {
        step.filled.push(format!("{family}: {change:+.4}"));
    }
    step.line(format!("{} families, {with} this way, {against} the other way", size.families.len()))
        .gives("panel", f64::from(s.panel), Unit::Count)
        .gives("moved this way", with as f64, Unit::Count)
        .gives("moved the other way", f64::from(s.opposers), Unit::Count)
}

fn order_step(s: &Signal) -> Step {
    let mut step =
        Step::new("order of movers", "by the look that first showed the change; one look cannot tell two books apart");
    let mut moved: Vec<&Evidence> = s.evidence.iter().filter(|e| e.order.is_some()).collect();
    moved.sort_by(|a, b| a.order.cmp(&b.order).then_with(|| a.book.cmp(&b.book)));
    for group in moved.chunk_by(|a, b| a.order == b.order) {
        let Some(first) = group.first() else { continue };
        let names = group.iter().map(|e| e.book.as_str()).collect::<Vec<_>>().join(", ");
        let at = first.moved_at.map_or_else(|| "unknown".to_owned(), |t| t.to_string());
        step.filled.push(format!("{}. {names}, seen at {at}", first.order.unwrap_or_default()));
    }
    if let Some(leader) = &s.detail.leader {
        step = step.says("leader", leader.clone());
    }
    step.gives("minutes from first to last", s.velocity_minutes, Unit::Minutes)
}

fn size_step(s: &Signal, rule: &Rule, size: &Size) -> Step {
    let spread = rule.class == Class::Spread;
    let told = |x: f64| {
        if s.unit == "line" {
            line((x * 100.0).round() / 100.0, if spread { "spreads" } else { "totals" })
        } else {
            five(x)
        }
    };
    let step = match s.kind {
        SignalType::Dislocation => {
            let d = &s.detail;
            let book = d.book.as_deref().unwrap_or("the book");
            let (fair, delta) = (d.fair_value.unwrap_or_default(), d.delta.unwrap_or_default());
            let mut step =
                Step::new("distance", "value of the quote less the fair value without its family").line(format!(
                    "{book}: {} - {} = {delta:+.4}; standard error of the fair value {}",
                    four(fair + delta),
                    four(fair),
                    four(d.standard_error.unwrap_or_default())
                ));
            if let Some(ev) = d.ev {
                step = step.line(format!("taking it is worth {}", percent(ev))).gives("ev", ev, Unit::Share);
            }
            step
        }
        SignalType::KeyCross => {
            let mut step = Step::new("key numbers", "what the median line left, reached or crossed, in signed space")
                .line(format!("line {} to {}", told(s.from_value), told(s.to_value)));
            for key in &s.detail.keys {
                step.filled.push(format!("{}: weight {}", key.number, four(key.weight)));
            }
            if let Some(mass) = s.detail.mass {
                step = step.line(format!("chance of a result on what was crossed {}", percent(mass))).gives(
                    "mass",
                    mass,
                    Unit::Probability,
                );
            }
            step
        }
        SignalType::Steam | SignalType::MultibookSync => {
            Step::new("size", "median change of the families that moved this way")
        }
        _ => Step::new("size", "median change of the families of the panel"),
    };
    let step = step.line(format!("{} to {}: size {}", told(s.from_value), told(s.to_value), rule.shown(size.value)));
    step.gives("size", size.value, rule.unit())
}

fn sampling_step(s: &Signal) -> Step {
    let p = &s.sampling;
    let mut step = Step::new("sampling", "the longest gap between looks must not exceed the limit of the detector")
        .line(format!("{} looks since {}", p.looks, p.from_look))
        .gives("longest gap", p.longest_gap_seconds, Unit::Seconds);
    if p.limit_seconds > 0.0 {
        step = step.line(format!("longest gap {}, limit {}", seconds(p.longest_gap_seconds), seconds(p.limit_seconds)));
        step = step.with("limit", p.limit_seconds, Unit::Seconds);
    } else {
        step = step.line(format!(
            "longest gap {}; judged at one look, so that no gap matters",
            seconds(p.longest_gap_seconds)
        ));
    }
    step
}

fn entry_step(name: &str, e: &Entry, s: &Signal) -> Step {
    let odds = Books::embedded().resolve(&e.book).fee.effective_decimal(e.price).unwrap_or(e.price);
    let mut step =
        Step::new(name, "the best obtainable quote; EV = (1 - push)(p d - 1) against the others' fair price")
            .line(format!(
                "{}{} at {} {:+} ({:.4}, after the fee {odds:.4}), seen {} before",
                s.selection,
                at_line(e.line, &s.market),
                e.book,
                e.price_american,
                e.price,
                seconds(e.age_seconds)
            ))
            .with("odds after the fee", odds, Unit::Odds);
    match (e.fair_probability, e.ev) {
        (Some(p), Some(ev)) => {
            let edge = p.mul_add(odds, -1.0);
            step = step.line(format!("p d - 1 = {} x {odds:.4} - 1 = {}; EV {}", five(p), percent(edge), percent(ev)));
            let push = 1.0 - ev / edge;
            if edge.abs() > 1e-6 && push > 1e-6 {
                step = step.line(format!("so that the chance of a push is {}", percent(push)));
            }
            step = step.gives("fair probability", p, Unit::Probability).gives("ev", ev, Unit::Share);
        }
        _ => step = step.line("no fair price without the book's family: no EV"),
    }
    step
}
