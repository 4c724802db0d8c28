//! The scale on which the books of one question are compared.
//!
//! Spreads and totals of a sport with a model: expected margin or total in points, so that -3 at -125 and -3.5 at +105
//! are nearly one value. Everything else: log-odds of each outcome, at one line.

use crate::market::line::Line;
use crate::market::margin::Distribution;
use crate::market::selection::Side;
use crate::market::value::Settlement;

use super::unit::Layout;

/// How values of one question are compared.
#[derive(Clone, Copy, Debug)]
pub enum Scale<'m> {
    /// Points of expected margin or total.
    Points(&'m Distribution),
    /// Log-odds; books at different lines cannot be compared.
    LogOdds,
}

impl Scale<'_> {
    /// `points` or `log_odds`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Points(_) => "points",
            Self::LogOdds => "log_odds",
        }
    }

    /// Lines are converted into one another.
    pub const fn has_model(&self) -> bool {
        matches!(self, Self::Points(_))
    }

    /// The value of the first side's vig-free probability at its line. `None` beyond the model's reach.
    pub fn value(&self, layout: Layout, line: Option<Line>, probability: f64) -> Option<f64> {
        match self {
            Self::LogOdds => Some(log_odds(probability)),
            Self::Points(model) => model.location(first(layout), line?, probability).ok(),
        }
    }

    /// Vig-free probability of the first side at a line, conditional on no push; the inverse of [`Scale::value`].
    pub fn probability(&self, layout: Layout, line: Option<Line>, value: f64) -> Option<f64> {
        match self {
            Self::LogOdds => Some(from_log_odds(value)),
            Self::Points(model) => model.probability(first(layout), line?, value).ok(),
        }
    }

    /// Chances of the results of a bet on `side` at its own line. Without a model a whole-number line is treated as if it
    /// could not push, which is what its vig-free probability is conditional on.
    pub fn settlement(&self, layout: Layout, side: Side, own_line: Option<Line>, value: f64) -> Option<Settlement> {
        match self {
            Self::Points(model) => model.settlement(side, own_line?, value).ok(),
            Self::LogOdds => {
                let p = from_log_odds(value);
                let p = if layout.place(side)? == 0 { p } else { 1.0 - p };
                Some(Settlement::conditional(p, 0.0))
            }
        }
    }
}

/// The side that values are told from.
pub fn first(layout: Layout) -> Side {
    layout.sides().first().copied().unwrap_or(Side::Home)
}

/// ln(p / (1 - p)).
pub fn log_odds(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// The probability of log-odds.
pub fn from_log_odds(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
