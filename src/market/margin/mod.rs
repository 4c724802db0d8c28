//! From a price at one line to the price at any other: how results are distributed around what the market expects.
//!
//! Owns the models of margin (home minus away) and total per sport, read from a data file that names its sources. From a
//! line and a vig-free probability follows the *location*, the expected margin or total; from the location follow the
//! win, push and loss chances at every line. Knows nothing of quotes, books or time.

pub mod base;
mod distribution;
mod file;
mod table;

use serde::Deserialize;

pub use self::distribution::{Distribution, FairLine, Rung};
pub use self::table::Grid;
use super::selection::Side;

/// What a distribution is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Home minus away.
    Margin,
    /// Both teams together.
    Total,
}

/// How much stands behind a distribution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Fitted to results and closing lines, game by game.
    Fitted,
    /// Fitted to published frequencies of results.
    Published,
    /// Carried over from a related sport.
    Assumed,
    /// A plain normal approximation.
    Normal,
}

impl Basis {
    /// The label shown beside numbers from this model.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fitted => "fitted",
            Self::Published => "published frequencies",
            Self::Assumed => "assumed",
            Self::Normal => "normal approximation",
        }
    }
}

/// Where a distribution comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provenance {
    /// Kind of evidence.
    pub basis: Basis,
    /// In words.
    pub source: String,
    /// Games.
    pub sample: u32,
    /// First day or season of the sample.
    pub from: String,
    /// Last day or season of the sample.
    pub to: String,
    /// Rises whenever the numbers change.
    pub version: u32,
}

/// Why a model has no answer.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum ModelError {
    /// Over asked of a margin, Home of a total, or a side that is neither.
    #[error("{side:?} is no side of a {quantity:?}")]
    WrongSide {
        /// The side asked for.
        side: Side,
        /// What the distribution is about.
        quantity: Quantity,
    },
    /// Not strictly between 0 and 1.
    #[error("{0} is no probability between 0 and 1")]
    NotAProbability(f64),
    /// The line is further from the location than the model can be trusted.
    #[error("a line at {line} is {distance:.1} from the expected {location:.1}; the model reaches {reach}")]
    BeyondReach {
        /// The line as a result: a home margin, or a total.
        line: f64,
        /// The location.
        location: f64,
        /// Their distance.
        distance: f64,
        /// The largest distance answered.
        reach: f64,
    },
    /// No location in the model's range fits.
    #[error("the expected result is outside the model's range")]
    OffGrid,
    /// No result is on the other side of the line, so that no price is fair.
    #[error("no result lies beyond a line at {0}: the bet is decided in advance")]
    Certain(f64),
    /// The lines are too far apart to carry a price from one to the other.
    #[error("the lines are {distance} apart; prices are carried over at most {limit}")]
    TooFar {
        /// Distance in points.
        distance: f64,
        /// The limit.
        limit: f64,
    },
}

/// Why a data file of models was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModelFileError {
    /// Not the expected TOML.
    #[error("the margin models cannot be read: {0}")]
    Syntax(String),
    /// An entry that makes no sense.
    #[error("margin model `{model}`, {part}: {what}")]
    Entry {
        /// Name of the model.
        model: String,
        /// Which part.
        part: &'static str,
        /// What is wrong, and what would be right.
        what: String,
    },
}

/// The models of one sport.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    name: String,
    sports: Vec<String>,
    borrowed: Vec<String>,
    /// By expected total: (largest total it holds for, distribution).
    margin: Vec<(f64, Distribution)>,
    total: Option<Distribution>,
}

impl Model {
    /// Its name, such as `nfl`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The margin, for a game with this expected total where that is known. Where a sport's margins depend on the total
    /// and it is not known, the band in the middle.
    pub fn margin(&self, expected_total: Option<f64>) -> Option<&Distribution> {
        let band = match expected_total {
            Some(t) if t.is_finite() => self.margin.iter().position(|(up_to, _)| t <= *up_to),
            _ => Some(self.margin.len().saturating_sub(1) / 2 + usize::from(self.margin.len() == 2)),
        };
        band.and_then(|i| self.margin.get(i)).map(|(_, d)| d)
    }

    /// The total.
    pub const fn total(&self) -> Option<&Distribution> {
        self.total.as_ref()
    }
}

/// A sport's model, and whether it is its own.
#[derive(Clone, Copy, Debug)]
pub struct Found<'m> {
    /// The model.
    pub model: &'m Model,
    /// The model was made for another competition of the same game; show its numbers with that label.
    pub borrowed: bool,
}

/// All models, by sport key.
#[derive(Clone, PartialEq, Debug)]
pub struct Models {
    version: u32,
    models: Vec<Model>,
}

/// The models that come with the program.
const EMBEDDED: &str = include_str!("../../../assets/margin_models.toml");

impl Models {
    /// The models that come with the program. Each is tabulated when it is first asked for: keep the result.
    ///
    /// # Errors
    /// None, as long as the tests of this crate pass.
    pub fn embedded() -> Result<Self, ModelFileError> {
        file::parse(EMBEDDED)
    }

    /// Models from the user's own file; its layout is that of the embedded one.
    ///
    /// # Errors
    /// [`ModelFileError`] says which entry is wrong and why.
    pub fn from_toml(text: &str) -> Result<Self, ModelFileError> {
        let models = file::parse(text)?;
        file::check(&models)?;
        Ok(models)
    }

    /// Version of the data file.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Every model, in the order of the file.
    pub fn all(&self) -> &[Model] {
        &self.models
    }

    /// The model for a provider's sport key. An exact key wins over the beginning of one, a longer beginning over a
    /// shorter, a sport's own model over a borrowed one.
    pub fn for_sport(&self, sport: &str) -> Option<Found<'_>> {
        let rank = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => sport.starts_with(start).then_some(start.len()),
            None => (pattern == sport).then_some(usize::MAX),
        };
        let mut best: Option<(usize, Found<'_>)> = None;
        for model in &self.models {
            for (patterns, borrowed) in [(&model.sports, false), (&model.borrowed, true)] {
                for r in patterns.iter().filter_map(rank) {
                    if best.as_ref().is_none_or(|(b, f)| r > *b || (r == *b && f.borrowed && !borrowed)) {
                        best = Some((r, Found { model, borrowed }));
                    }
                }
            }
        }
        best.map(|(_, found)| found)
    }
}

#[cfg(test)]
mod tests;
