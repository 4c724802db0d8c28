//! What the analysis needs to know of a sport and of a book, looked up once.

use std::sync::OnceLock;

use super::price::fair::Voter;
use super::price::scale::Scale;
use super::price::unit::Layout;
use super::rules::Class;
use crate::market::books::{BookKind, Fee};
use crate::market::key_numbers::{KeyNumbers, SportKeys};
use crate::market::margin::{Distribution, Models};
use crate::market::market_key::{Family, MarketSpec};
use crate::market::sports::Sports;

/// Points thresholds are meant for sports whose results spread at least so widely; narrower ones get the threshold that
/// is worth the same chance. See [`SportProfile::narrow`].
const SPREAD_CHANCE: f64 = 0.02;
/// The same for totals: in the NFL one point is 3 % of probability.
const TOTAL_CHANCE: f64 = 0.03;
/// A normal density at its centre is this over its standard deviation.
const CENTRE: f64 = 0.398_942_280_401_432_7;

fn models() -> Option<&'static Models> {
    static MODELS: OnceLock<Option<Models>> = OnceLock::new();
    MODELS.get_or_init(|| Models::embedded().ok()).as_ref()
}

fn key_numbers() -> Option<&'static KeyNumbers> {
    static KEYS: OnceLock<Option<KeyNumbers>> = OnceLock::new();
    KEYS.get_or_init(|| KeyNumbers::embedded().ok()).as_ref()
}

/// A distribution of results and how widely it spreads.
#[derive(Clone, Copy, Debug)]
pub struct Results {
    /// The distribution.
    pub model: &'static Distribution,
    /// Standard deviation in the middle of its range, in points.
    pub sd: f64,
}

impl Results {
    fn new(model: &'static Distribution, typical: f64) -> Self {
        let (low, high) = model.range();
        let middle = typical.clamp(low, high);
        let (mut sum, mut squares) = (0.0, 0.0);
        for number in -150..=400 {
            let chance = model.chance_of(number, middle).unwrap_or(0.0);
            let distance = f64::from(number) - middle;
            sum += chance;
            squares += chance * distance * distance;
        }
        Self { model, sd: (squares / sum.max(1e-12)).sqrt() }
    }
}

/// One sport.
#[derive(Clone, Copy, Debug)]
pub struct SportProfile {
    /// The moneyline has a draw.
    pub three_way: bool,
    /// Margins.
    pub margin: Option<Results>,
    /// Totals.
    pub total: Option<Results>,
    /// Key numbers, and the weight from which one counts.
    pub keys: Option<(&'static SportKeys, f64)>,
}

impl SportProfile {
    /// Looks a sport key up. Costs some milliseconds the first time.
    pub fn of(sport: &str) -> Self {
        let found = models().and_then(|m| m.for_sport(sport)).map(|f| f.model);
        let total = found.and_then(|m| m.total());
        let typical = total.map_or(0.0, |t| {
            let (low, high) = t.range();
            0.5 * (low + high)
        });
        Self {
            three_way: Sports::embedded().resolve(sport).three_way,
            margin: found.and_then(|m| m.margin(None)).map(|m| Results::new(m, 0.0)),
            total: total.map(|t| Results::new(t, typical)),
            keys: key_numbers().and_then(|k| k.for_sport(sport).map(|s| (s, k.min_weight()))),
        }
    }

    fn results(&self, layout: Layout, spec: MarketSpec) -> Option<&Results> {
        // A model is one of whole games at the featured line.
        if spec.partial || spec.line_is_identity() {
            return None;
        }
        match (layout, spec.family) {
            (Layout::Spread, Family::Spread) => self.margin.as_ref(),
            (Layout::Total, Family::Total) => self.total.as_ref(),
            _ => None,
        }
    }

    /// The scale of a market.
    pub fn scale(&self, layout: Layout, spec: MarketSpec) -> Scale<'static> {
        self.results(layout, spec).map_or(Scale::LogOdds, |r| Scale::Points(r.model))
    }

    /// The spread of results by which the books' disagreement is judged: their standard deviation, less in sports with
    /// narrow results (books agree more closely there, too); 1 where the scale is log-odds.
    pub fn sd(&self, layout: Layout, spec: MarketSpec) -> f64 {
        let narrow = self.narrow(self.class(layout, spec));
        self.results(layout, spec).map_or(1.0, |r| r.sd * narrow)
    }

    /// Which thresholds a market takes.
    pub fn class(&self, layout: Layout, spec: MarketSpec) -> Class {
        match (self.results(layout, spec), layout) {
            (Some(_), Layout::Spread) => Class::Spread,
            (Some(_), _) => Class::Total,
            (None, _) => Class::Chance,
        }
    }

    /// By what a threshold in points is multiplied. Half a point of a spread is 2 % of probability in football and
    /// basketball, but 5 % in baseball: where results spread less, the threshold that is worth the same chance holds.
    /// Never above 1.
    pub fn narrow(&self, class: Class) -> f64 {
        let (results, points, chance) = match class {
            Class::Spread => (&self.margin, 0.5, SPREAD_CHANCE),
            Class::Total => (&self.total, 1.0, TOTAL_CHANCE),
            Class::Chance => return 1.0,
        };
        results.as_ref().map_or(1.0, |r| (chance * r.sd / CENTRE / points).min(1.0))
    }
}

/// One book.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct BookProfile {
    /// Its vote.
    pub voter: Voter,
    /// What it takes beyond its price.
    pub fee: Fee,
    /// An exchange that is listened to: judged by its own detector.
    #[serde(default)]
    pub direct: bool,
}

impl Default for BookProfile {
    /// A book that no table holds: retail, weight 1, no fee.
    fn default() -> Self {
        Self { voter: Voter { family: 0, kind: BookKind::Retail, weight: 1.0 }, fee: Fee::None, direct: false }
    }
}

impl BookProfile {
    /// A price of this book can be taken on its own: pick'em operators sell multipliers, not prices.
    pub fn takes_single_bets(&self) -> bool {
        self.voter.kind != BookKind::Dfs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_hold_for_wide_sports_and_shrink_for_narrow_ones() {
        let nfl = SportProfile::of("americanfootball_nfl");
        assert_eq!(nfl.narrow(Class::Spread), 1.0);
        assert!(nfl.narrow(Class::Total) > 0.97, "{}", nfl.narrow(Class::Total));
        let nba = SportProfile::of("basketball_nba");
        assert_eq!(nba.narrow(Class::Spread), 1.0);
        let mlb = SportProfile::of("baseball_mlb");
        assert!((0.3..0.6).contains(&mlb.narrow(Class::Spread)), "{}", mlb.narrow(Class::Spread));
        assert!((0.2..0.5).contains(&mlb.narrow(Class::Total)), "{}", mlb.narrow(Class::Total));
        let soccer = SportProfile::of("soccer_epl");
        assert!(soccer.three_way);
        assert!(soccer.narrow(Class::Spread) < 0.3);
    }

    #[test]
    fn standard_deviations_are_those_of_the_models() {
        let sd = |sport: &str| SportProfile::of(sport).margin.map_or(0.0, |r| r.sd);
        assert!((11.5..14.5).contains(&sd("americanfootball_nfl")), "{}", sd("americanfootball_nfl"));
        assert!((3.8..4.9).contains(&sd("baseball_mlb")), "{}", sd("baseball_mlb"));
    }
}
