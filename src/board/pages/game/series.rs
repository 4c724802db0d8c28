//! The lines of the chart: what is measured, and each line's steps on that measure.
//!
//! A book is measured without its vig. The best price is measured with it, as the point at which a bet on it breaks even:
//! where it lies on the far side of the fair line, the bet is worth taking.

use super::data::{BookLine, GameData, State};
use crate::board::format::{self, Odds};
use crate::board::theme::Meaning;
use crate::board::widgets::chart::{Series, Step};
use crate::engine::appraise::Appraisal;
use crate::engine::price::fair::median;
use crate::engine::price::unit::Layout;
use crate::market::line::Line;
use crate::market::price::{Price, decimal_to_american};
use crate::market::selection::Side;

/// What the chart measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Measure {
    /// Line and price together: the line at which the side is even money, or its probability where no model converts.
    #[default]
    Value,
    /// The line alone.
    Line,
    /// The price alone.
    Price,
}

/// A line that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// The published fair price.
    Fair,
    /// The board consensus.
    Consensus,
    /// The median of the sharp books.
    Sharp,
    /// The best price.
    Best,
    /// The middle of the exchange that is listened to.
    Exchange,
    /// A book.
    Book(String),
}

/// What stands on the left axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Unit {
    /// Points; signed for spreads.
    Points {
        /// With a sign.
        signed: bool,
    },
    /// Per cent.
    Percent,
    /// American odds, as the distance from even money.
    American,
    /// Decimal odds.
    Decimal,
}

impl Unit {
    /// The least that the axis spans.
    pub const fn least(self) -> f64 {
        match self {
            Self::Points { .. } => 1.0,
            Self::Percent => 4.0,
            Self::American => 10.0,
            Self::Decimal => 0.1,
        }
    }

    /// A tick in words.
    pub fn label(self, value: f64) -> String {
        match self {
            Self::Points { signed } => {
                let value = (value * 100.0).round() / 100.0;
                if signed {
                    Line::from_points(value).map_or_else(|| format!("{value:+.2}"), format::spread)
                } else {
                    format::points(value)
                }
            }
            Self::Percent => format!("{}%", format::points(value)),
            Self::American => {
                let american = if value >= 0.0 { 100.0 + value } else { value - 100.0 };
                format!("{american:+.0}")
            }
            Self::Decimal => format::decimal(value),
        }
    }

    /// A value that was read off, in words.
    pub fn read(self, value: f64) -> String {
        match self {
            Self::Points { signed } if (value * 2.0).fract() == 0.0 => Self::Points { signed }.label(value),
            Self::Points { signed } => format::fair_line(value, signed),
            Self::Percent => format!("{value:.1}%"),
            _ => self.label(value),
        }
    }

    fn price(self, decimal: f64) -> Option<f64> {
        (decimal > 1.0).then(|| match self {
            Self::American => {
                let american = decimal_to_american(decimal) as f64;
                if american >= 0.0 { american - 100.0 } else { american + 100.0 }
            }
            Self::Percent => 100.0 / decimal,
            _ => decimal,
        })
    }
}

/// How the chart measures a question from one side.
#[derive(Clone, Copy, Debug)]
pub struct Ruler<'a> {
    appraisal: &'a Appraisal,
    measure: Measure,
    side: Side,
    place: usize,
    /// Of the left axis.
    pub unit: Unit,
}

impl<'a> Ruler<'a> {
    /// A ruler. What a market does not have (a line) is measured as value.
    pub fn new(appraisal: &'a Appraisal, measure: Measure, place: usize, odds: Odds) -> Self {
        let layout = appraisal.layout;
        let signed = layout == Layout::Spread;
        let side = layout.sides().get(place).copied().unwrap_or(Side::Home);
        let has_line = appraisal.reference_line.is_some() && appraisal.key.line.is_none();
        let measure = if measure == Measure::Line && !has_line { Measure::Value } else { measure };
        let unit = match measure {
            Measure::Value if appraisal.workings.model.is_some() => Unit::Points { signed },
            Measure::Value => Unit::Percent,
            Measure::Line => Unit::Points { signed },
            Measure::Price => match odds {
                Odds::American => Unit::American,
                Odds::Implied => Unit::Percent,
                Odds::Decimal | Odds::Fractional => Unit::Decimal,
            },
        };
        Self { appraisal, measure, side, place, unit }
    }

    /// What is measured, for the head of the pane.
    pub fn title(&self) -> &'static str {
        match (self.measure, self.unit) {
            (Measure::Value, Unit::Points { .. }) => "line and price as one: the line at even money",
            (Measure::Value, _) => "probability without vig",
            (Measure::Line, _) => "line",
            (Measure::Price, Unit::Percent) => "price, as the probability that it implies",
            (Measure::Price, _) => "price",
        }
    }

    /// In a word.
    pub const fn measure_name(&self) -> &'static str {
        match self.measure {
            Measure::Value => "value",
            Measure::Line => "line",
            Measure::Price => "price",
        }
    }

    fn own(&self, line: Line) -> Line {
        self.appraisal.layout.line_for(line, self.side)
    }

    /// From a value on the question's scale and the side's probability.
    fn value(&self, value: f64, probability: f64) -> Option<f64> {
        match self.appraisal.workings.model {
            Some(model) => model.fair_line(self.side, value).ok().map(|f| f.points),
            None => Some(probability * 100.0),
        }
    }

    /// What a book says.
    fn book(&self, state: &State) -> Option<f64> {
        match self.measure {
            Measure::Value if self.appraisal.workings.model.is_some() => *state.even.get(self.place)?,
            Measure::Value => state.fair.and_then(|f| f.get(self.place).map(|p| p * 100.0)),
            Measure::Line => {
                state.prices.get(self.place).copied().flatten()?;
                state.line.map(|l| self.own(l).points())
            }
            Measure::Price => self.unit.price(state.prices.get(self.place).copied().flatten()?.to_decimal()),
        }
    }

    /// What a bet at a book needs to break even, or the line or price that it gets.
    fn offer(&self, state: &State) -> Option<f64> {
        if self.measure != Measure::Value {
            return self.book(state);
        }
        if self.appraisal.workings.model.is_some() {
            return *state.breaks.get(self.place)?;
        }
        let price: Price = state.prices.get(self.place).copied().flatten()?;
        Some(price.probability() * 100.0)
    }

    /// More is better for whoever bets on the side.
    fn more_is_better(&self) -> bool {
        match (self.measure, self.unit) {
            (_, Unit::Points { .. }) => self.side != Side::Over,
            (_, Unit::Percent) => false,
            _ => true,
        }
    }

    /// A line's steps.
    pub fn steps(&self, data: &GameData, pick: &Pick) -> Vec<Step> {
        match pick {
            Pick::Fair | Pick::Consensus => self.points(data, pick),
            Pick::Sharp => {
                let sharp: Vec<&BookLine> = data.books.iter().filter(|b| b.sharp).collect();
                combine(
                    &sharp,
                    |s| self.book(s),
                    |values| {
                        values.sort_by(f64::total_cmp);
                        median(values)
                    },
                )
            }
            Pick::Best => {
                let all: Vec<&BookLine> = data.books.iter().collect();
                let more = self.more_is_better();
                combine(
                    &all,
                    |s| self.offer(s),
                    |values| {
                        let best = if more { f64::max } else { f64::min };
                        values.iter().copied().reduce(best)
                    },
                )
            }
            Pick::Exchange => self.exchange(data),
            Pick::Book(key) => match data.book(key) {
                Some(book) => combine(&[book], |s| self.book(s), |values| values.first().copied()),
                None => Vec::new(),
            },
        }
    }

    fn exchange(&self, data: &GameData) -> Vec<Step> {
        let Some(beside) = &data.beside else { return Vec::new() };
        let layout = self.appraisal.layout;
        let scale = self.appraisal.workings.scale();
        let measured = |first: f64| {
            let own = match (self.place, layout) {
                (0, _) => first,
                (_, Layout::ThreeWay) => return None,
                _ => 1.0 - first,
            };
            match self.measure {
                Measure::Value => self.value(scale.value(layout, beside.line, first)?, own),
                Measure::Line => beside.line.map(|l| self.own(l).points()),
                Measure::Price => self.unit.price(1.0 / own),
            }
        };
        let mut steps = Vec::with_capacity(beside.steps.len());
        for (at, p) in &beside.steps {
            push(&mut steps, at.millis(), p.filter(|p| *p > 0.0 && *p < 1.0).and_then(measured));
        }
        steps
    }

    fn points(&self, data: &GameData, pick: &Pick) -> Vec<Step> {
        let layout = self.appraisal.layout;
        let mut steps: Vec<Step> = Vec::with_capacity(data.points.len());
        for p in &data.points {
            let of_fair = || {
                let fair = p.point.fair?;
                let probability = *fair.probability.get(self.place)?;
                match self.measure {
                    Measure::Value => self.value(*fair.values.first()?, probability),
                    Measure::Line => p.point.line.map(|l| self.own(l).points()),
                    Measure::Price => self.unit.price(1.0 / probability),
                }
            };
            let of_consensus = || {
                let consensus = p.point.consensus?;
                let probability = match (self.place, layout) {
                    (0, _) => consensus.probability,
                    // Of three sides the others do not follow from the first.
                    (_, Layout::ThreeWay) => return None,
                    _ => 1.0 - consensus.probability,
                };
                match self.measure {
                    Measure::Value => self.value(consensus.value, probability),
                    Measure::Line => consensus.line.map(|l| self.own(l).points()),
                    Measure::Price => self.unit.price(1.0 / probability),
                }
            };
            let value = if *pick == Pick::Fair { of_fair() } else { of_consensus() };
            push(&mut steps, p.at.millis(), value);
        }
        steps
    }
}

fn push(steps: &mut Vec<Step>, at: i64, value: Option<f64>) {
    if steps.last().is_none_or(|s| s.value != value) {
        steps.push(Step { at, value });
    }
}

/// One line of several books: after every look what `join` makes of the values that are there.
fn combine(
    books: &[&BookLine],
    measure: impl Fn(&State) -> Option<f64>,
    join: impl Fn(&mut Vec<f64>) -> Option<f64>,
) -> Vec<Step> {
    let mut changes: Vec<(i64, usize, Option<f64>)> = books
        .iter()
        .enumerate()
        .flat_map(|(place, b)| b.states.iter().map(move |s| (place, s)))
        .map(|(place, s)| (s.at.millis(), place, measure(s)))
        .collect();
    changes.sort_by_key(|(at, place, _)| (*at, *place));
    let mut held: Vec<Option<f64>> = vec![None; books.len()];
    let mut steps = Vec::new();
    let mut values = Vec::with_capacity(books.len());
    for look in changes.chunk_by(|a, b| a.0 == b.0) {
        for (_, place, value) in look {
            if let Some(slot) = held.get_mut(*place) {
                *slot = *value;
            }
        }
        values.clear();
        values.extend(held.iter().flatten());
        let joined = if values.is_empty() { None } else { join(&mut values) };
        if let Some((at, ..)) = look.first() {
            push(&mut steps, *at, joined);
        }
    }
    steps
}

/// The chosen lines, the most important last.
pub fn build(data: &GameData, ruler: &Ruler<'_>, picks: &[Pick], short: impl Fn(&str) -> String) -> Vec<Series> {
    const MARKS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
    let mut series = Vec::with_capacity(picks.len());
    let mut books = 0;
    for pick in picks {
        let (name, meaning, mark) = match pick {
            Pick::Fair => ("fair".to_owned(), Meaning::ChartFair, "*"),
            Pick::Consensus => ("consensus".to_owned(), Meaning::Book6, "%"),
            Pick::Sharp => ("sharp".to_owned(), Meaning::ChartSharp, "+"),
            Pick::Best => ("best".to_owned(), Meaning::ChartBest, "o"),
            Pick::Exchange if data.beside.is_none() => continue,
            Pick::Exchange => ("exchange".to_owned(), Meaning::Book4, "x"),
            Pick::Book(key) => {
                books += 1;
                (short(key), Meaning::book(books - 1), MARKS.get((books - 1) % 6).copied().unwrap_or("1"))
            }
        };
        series.push(Series { name, meaning, mark, steps: ruler.steps(data, pick) });
    }
    series.reverse();
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_in_words() {
        assert_eq!(Unit::American.label(-10.0), "-110");
        assert_eq!(Unit::American.label(0.0), "+100");
        assert_eq!(Unit::American.label(20.0), "+120");
        assert_eq!(Unit::Points { signed: true }.label(-3.5), "-3.5");
        assert_eq!(Unit::Points { signed: true }.label(0.0), "PK");
        assert_eq!(Unit::Points { signed: false }.read(44.26), "44.3");
        assert_eq!(Unit::Percent.label(52.0), "52%");
        assert_eq!(Unit::Percent.read(52.345), "52.3%");
        assert_eq!(Unit::American.price(1.0 + 100.0 / 110.0), Some(-10.0));
    }
}
