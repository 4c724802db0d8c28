//! The derivation of something that can be taken: a single bet, an arbitrage, a low hold, a middle.

use super::bet;
use super::text::{SAME, at_line, five, four, percent, seconds};
use super::votes::question;
use super::words::{self, judged};
use super::{Derivation, Input, Kind, LeftOut, Step, Unit};
use crate::engine::appraise::{Appraisal, BookPart, FairPrice};
use crate::engine::names::Names;
use crate::engine::opportunity::{Opportunity, OpportunityKind, OpportunityLeg, middle};
use crate::engine::price::scale::Scale;
use crate::market::value::Settlement;

/// Explains an opportunity of an appraisal. `names` are those that the appraisal was made with.
pub fn opportunity(a: &Appraisal, o: &Opportunity, names: &Names) -> Derivation {
    let legs: Vec<Leg<'_>> = o.legs.iter().map(|leg| Leg::of(a, leg, names)).collect();
    let bets = legs.iter().map(|l| l.name(a)).collect::<Vec<_>>().join(" and ");
    let subject = format!("{} in {}: {bets}", o.kind.name(), question(a));
    let mut d = Derivation::new(Kind::Opportunity, subject, a.as_of);
    d.method =
        vec![words::opportunity(o.kind).to_owned(), "open, fresh quotes only; fees are part of the price".to_owned()];
    d.inputs = legs.iter().map(|l| l.input()).collect();
    d.steps.push(fees(&legs));
    match o.kind {
        OpportunityKind::PositiveEv => single(&mut d, a, o, &legs),
        OpportunityKind::Arbitrage | OpportunityKind::LowHold => set(&mut d, a, o, &legs),
        OpportunityKind::Middle => middle_steps(&mut d, a, o, &legs),
    }
    let above = a.workings.opportunity.suspect_above;
    if o.suspect {
        d.notes.push(format!(
            "held as suspect: above {} or farther from the reference line than the model carries a price, an error is \
             more likely than a gift",
            percent(above)
        ));
    }
    let max_age = a.workings.opportunity.max_age_ms as f64 / 1000.0;
    d.notes.push(format!("a quote older than {} cannot be taken", seconds(max_age)));
    d
}

/// A leg with its book's row.
struct Leg<'l> {
    leg: &'l OpportunityLeg,
    book: &'l str,
    part: Option<&'l BookPart>,
}

impl<'l> Leg<'l> {
    fn of(a: &'l Appraisal, leg: &'l OpportunityLeg, names: &'l Names) -> Self {
        let book = names.book(leg.book);
        Self { leg, book, part: a.books.iter().find(|p| p.book == book) }
    }

    fn line(&self) -> Option<f64> {
        self.leg.line.map(|l| l.points())
    }

    fn name(&self, a: &Appraisal) -> String {
        let price = crate::market::price::decimal_to_american(self.leg.price.to_decimal());
        format!("{}{} at {} {price:+}", self.leg.side.name(), at_line(self.line(), &a.market), self.book)
    }

    fn input(&self) -> Input {
        Input {
            book: self.book.to_owned(),
            kind: self.part.map(|p| p.kind),
            family: self.part.map(|p| p.family.clone()),
            side: Some(self.leg.side.name().to_owned()),
            line: self.line(),
            prices: vec![Some(self.leg.price.to_decimal())],
            odds: Some(self.leg.odds),
            share: Some(self.leg.share),
            seen_seconds_ago: Some(self.leg.age_ms as f64 / 1000.0),
            changed_seconds_ago: self.part.map(|p| p.changed_seconds_ago),
            received_seconds_ago: self.part.map(|p| p.received_seconds_ago),
            ..Input::default()
        }
    }
}

fn fees(legs: &[Leg<'_>]) -> Step {
    let mut step = Step::new("fees", "decimal odds after what the book takes beyond its price");
    for l in legs {
        let fee = l.part.map(|p| p.fee).unwrap_or_default();
        step = step.line(format!("{}: {}", l.book, bet::fee(fee, l.leg.price.to_decimal(), l.leg.odds)));
        step = step.gives(format!("{} odds", l.book), l.leg.odds, Unit::Odds);
    }
    step
}

/// Chances of a leg against a fair price; without a model only the one at the reference line is known.
fn settlement(a: &Appraisal, fair: &FairPrice, leg: &OpportunityLeg) -> Option<Settlement> {
    match a.workings.scale() {
        scale @ Scale::Points(_) => scale.settlement(a.layout, leg.side, leg.line, fair.value),
        Scale::LogOdds => {
            let place = a.layout.place(leg.side)?;
            Some(Settlement::conditional(fair.sides.get(place)?.fair_probability, 0.0))
        }
    }
}

fn chance_formula(a: &Appraisal) -> &'static str {
    if a.workings.model.is_some() {
        "the model's chances at the bet's own line, at the fair value; p = win / (win + loss)"
    } else {
        "the fair probability at the reference line; without a model a push counts as impossible"
    }
}

fn fair_step(a: &Appraisal, name: &str, fair: &FairPrice, without: Option<&str>) -> Step {
    let mut step = Step::new(name, "weighted robust mean of the books, back at the reference line").line(format!(
        "value {} +- {}, {} families, {:.2} effective books",
        four(fair.value),
        four(fair.standard_error),
        fair.families,
        fair.effective_books
    ));
    if let Some(family) = without {
        step.formula = format!("weighted robust mean of all families but `{family}`");
    }
    for side in &fair.sides {
        let at = at_line(side.at_line, &a.market);
        step.filled.push(format!("{}{at}: p = {}", side.side, five(side.fair_probability)));
        step = step.gives(format!("{} probability", side.side), side.fair_probability, Unit::Probability);
    }
    step.gives("value", fair.value, super::votes::unit(a)).gives(
        "standard error",
        fair.standard_error,
        super::votes::unit(a),
    )
}

fn single(d: &mut Derivation, a: &Appraisal, o: &Opportunity, legs: &[Leg<'_>]) {
    let Some(l) = legs.first() else { return };
    let Some((part, fair)) = l.part.and_then(|p| p.without.as_ref().map(|f| (p, f))) else {
        d.notes.push("there is no fair price without this book's family".to_owned());
        return;
    };
    let sisters = a.books.iter().filter(|p| p.family == part.family);
    d.excluded.extend(sisters.map(|p| LeftOut { what: p.book.clone(), reason: judged() }));
    d.steps.push(fair_step(a, "fair price without the family", fair, Some(&part.family)));
    let Some(s) = settlement(a, fair, l.leg) else {
        d.notes.push("the model does not reach this line".to_owned());
        return;
    };
    let (odds, p) = (l.leg.odds, s.fair_probability());
    d.steps.push(bet::chances(format!("chances of {}", l.name(a)), chance_formula(a), &s));
    d.steps.push(bet::ev(&s, odds));
    let edge = p.mul_add(odds, -1.0);
    d.steps.push(
        Step::new("edge", "p d - 1, conditional on no push")
            .line(format!("{} x {odds:.4} - 1 = {}", five(p), percent(edge)))
            .gives("edge", edge, Unit::Share),
    );
    d.steps.push(kelly_step(&s, odds));
    d.says("ev", s.ev(odds), Unit::Share);
    d.says("edge", edge, Unit::Share);
    d.says("fair probability", p, Unit::Probability);
    d.says("break-even odds", 1.0 / p, Unit::Odds);
    d.says("kelly", s.kelly(odds), Unit::Share);
    d.says("standard error", fair.standard_error, super::votes::unit(a));
    same(d, s.ev(odds), o.ev);
}

fn kelly_step(s: &Settlement, odds: f64) -> Step {
    let (b, f) = (odds - 1.0, s.kelly(odds));
    if s.half_win != 0.0 || s.half_loss != 0.0 {
        return Step::new("full Kelly", "the f that maximises the sum of chance x ln(1 + f x net), at least 0")
            .line(format!("f = {}", percent(f)))
            .gives("kelly", f, Unit::Share);
    }
    Step::new("full Kelly", "f = (win b - loss) / (b (win + loss)), b = d - 1, between 0 and 1")
        .line(format!(
            "({} x {b:.4} - {}) / ({b:.4} x {}) = {}",
            five(s.win),
            five(s.loss),
            five(s.win + s.loss),
            percent(f)
        ))
        .gives("kelly", f, Unit::Share)
}

fn skew_step(a: &Appraisal, legs: &[Leg<'_>]) -> Step {
    let ages = legs.iter().map(|l| l.leg.age_ms as f64 / 1000.0);
    let (least, most) = ages.fold((f64::INFINITY, 0.0_f64), |(low, high), age| (low.min(age), high.max(age)));
    let limit = a.workings.opportunity.max_skew_ms as f64 / 1000.0;
    Step::new("legs seen close together", "oldest less youngest age; two prices of different minutes are a move")
        .with("at most", limit, Unit::Seconds)
        .line(format!("{most:.0} s - {least:.0} s = {:.0} s, at most {limit:.0} s", most - least))
        .gives("skew", most - least, Unit::Seconds)
}

fn set(d: &mut Derivation, a: &Appraisal, o: &Opportunity, legs: &[Leg<'_>]) {
    let cost: f64 = legs.iter().map(|l| 1.0 / l.leg.odds).sum();
    let terms = legs.iter().map(|l| format!("1/{:.4}", l.leg.odds)).collect::<Vec<_>>().join(" + ");
    d.steps.push(
        Step::new("cost of a sure 1", "S = sum of 1/d over all sides, after fees")
            .from("section 8 of the domain contract")
            .line(format!("{terms} = {cost:.6}"))
            .gives("S", cost, Unit::Number),
    );
    let mut shares = Step::new("stakes", "share of the whole stake = (1/d) / S: every result returns the same");
    for l in legs {
        shares = shares
            .line(format!("{}: (1/{:.4}) / {cost:.6} = {}", l.name(a), l.leg.odds, percent(l.leg.share)))
            .gives(format!("{} share", l.book), 1.0 / l.leg.odds / cost, Unit::Share);
    }
    d.steps.push(shares);
    d.steps.push(skew_step(a, legs));
    let profit = 1.0 / cost - 1.0;
    let (name, formula) = match o.kind {
        OpportunityKind::LowHold => ("hold", "hold = 1 - 1/S: what the prices together take"),
        _ => ("certain profit", "profit = 1/S - 1, whatever happens"),
    };
    let shown = if o.kind == OpportunityKind::LowHold { -profit } else { profit };
    d.steps.push(Step::new(name, formula).line(format!("1/{cost:.6}: {}", percent(shown))).gives(
        name,
        shown,
        Unit::Share,
    ));
    d.says("ev", profit, Unit::Share);
    d.says("S", cost, Unit::Number);
    same(d, profit, o.ev);
}

/// Both bets can win; the profit told is the smallest of those against all books and without either leg's family.
fn middle_steps(d: &mut Derivation, a: &Appraisal, o: &Opportunity, legs: &[Leg<'_>]) {
    let [first, second] = legs else { return };
    let odds = [first.leg.odds, second.leg.odds];
    let shares = middle::shares(odds);
    d.steps.push(
        Step::new("stakes", "shares d2/(d1 + d2) and d1/(d1 + d2): either bet alone returns the same")
            .line(format!("{} and {}", percent(shares[0]), percent(shares[1])))
            .gives("first share", shares[0], Unit::Share)
            .gives("second share", shares[1], Unit::Share),
    );
    d.steps.push(skew_step(a, legs));
    let yardsticks = [
        ("all books", a.fair.as_ref()),
        ("without the first bet's family", first.part.and_then(|p| p.without.as_ref())),
        ("without the second bet's family", second.part.and_then(|p| p.without.as_ref())),
    ];
    let mut lowest: Option<(f64, f64, &str)> = None;
    for (name, fair) in yardsticks {
        let Some(fair) = fair else { continue };
        let Some((x, y)) = settlement(a, fair, first.leg).zip(settlement(a, fair, second.leg)) else { continue };
        let v = middle::value([&x, &y], odds);
        d.steps.push(
            Step::new(
                format!("worth against the fair price, {name}"),
                "both win = win1 + win2 - 1 (one of them always wins); EV = share1 EV1 + share2 EV2",
            )
            .with("value", fair.value, Unit::Points)
            .line(format!(
                "first: win {}, push {}, EV {}; second: win {}, push {}, EV {}",
                five(x.win),
                five(x.push),
                percent(x.ev(odds[0])),
                five(y.win),
                five(y.push),
                percent(y.ev(odds[1]))
            ))
            .line(format!(
                "both win {} + {} - 1 = {}; EV = {}",
                five(x.win),
                five(y.win),
                five(v.both_win),
                percent(v.ev)
            ))
            .gives("both win", v.both_win, Unit::Probability)
            .gives("ev", v.ev, Unit::Share),
        );
        if lowest.is_none_or(|(ev, ..)| v.ev < ev) {
            lowest = Some((v.ev, v.both_win, name));
        }
    }
    let Some((ev, both, name)) = lowest else {
        d.notes.push("the model does not reach these lines".to_owned());
        return;
    };
    d.steps.push(Step::new("the smallest counts", "of the three profits").line(format!("{name}: {}", percent(ev))));
    d.says("ev", ev, Unit::Share);
    d.says("both win", both, Unit::Probability);
    same(d, ev, o.ev);
}

fn same(d: &mut Derivation, got: f64, told: f64) {
    if (got - told).abs() > SAME {
        d.notes.push("these steps do not give the number of the analysis: please report it".to_owned());
    }
}
