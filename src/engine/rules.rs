//! What the user may decide about fair prices, signals, opportunities and closes.

use crate::market::devig::Method;

use super::price::fair::FairRule;
use super::price::view::DevigRule;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// Rules of one kind of move.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct MoveRule {
    /// Window for spreads, totals and everything else, milliseconds.
    pub window_ms: [i64; 3],
    /// Independent books in the panel, at least; for sync and steam: books that moved the same way.
    pub books: u16,
    /// Threshold for spreads (points), totals (points) and everything else (probability).
    pub threshold: [f64; 3],
    /// Milliseconds before the same signal may fire again.
    pub cooldown_ms: [i64; 3],
    /// Signals an event, at most.
    pub cap: u16,
}

/// Rules of dislocations.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DislocationRule {
    /// Distance from the fair value: spreads, totals (points), everything else (probability).
    pub threshold: [f64; 3],
    /// Milliseconds before the same quote may be named again.
    pub cooldown_ms: i64,
    /// Signals an event, at most.
    pub cap: u16,
    /// How far back moves count for the label, milliseconds.
    pub window_ms: i64,
}

/// Rules of EXCHANGE_DIVERGENCE.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ExchangeRule {
    /// Distance of the exchange's middle from the books' fair price, less the usual one, in probability.
    pub threshold: f64,
    /// How far back moves count for who moved first, milliseconds.
    pub window_ms: i64,
    /// Milliseconds before the same question may be named again.
    pub cooldown_ms: i64,
    /// Signals an event, at most.
    pub cap: u16,
    /// By how much the exchange usually stands above the books, by sport key, in probability of the first side: another
    /// convention rather than another opinion. Measured, see `stratum polymarket shift`.
    pub shift: std::collections::BTreeMap<String, f64>,
}

impl Default for ExchangeRule {
    fn default() -> Self {
        Self {
            threshold: 0.03,
            window_ms: 15 * MINUTE,
            cooldown_ms: 900 * SECOND,
            cap: 2,
            shift: std::collections::BTreeMap::new(),
        }
    }
}

/// Which games in play are watched for shocks.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub enum InPlayWatch {
    /// None.
    #[default]
    Nothing,
    /// Every game.
    Everything,
    /// These provider ids.
    Events(Vec<String>),
}

/// Rules of opportunities.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct OpportunityRule {
    /// Expected profit of a single bet, at least.
    pub min_ev: f64,
    /// Legs must have been seen within so many milliseconds of one another.
    pub max_skew_ms: i64,
    /// A quote older than this cannot be taken. Milliseconds.
    pub max_age_ms: i64,
    /// Above this profit an error is more likely than a gift.
    pub suspect_above: f64,
    /// Hold over the best prices that is worth telling, at most.
    pub max_hold: f64,
}

/// All rules of the analysis.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct AnalysisRules {
    /// The analysis runs at all.
    pub on: bool,
    /// Vig removal by market: spreads, totals, everything else.
    pub devig: [DevigRule; 3],
    /// Fair price and consensus.
    pub fair: FairRule,
    /// MOVE.
    pub market_move: MoveRule,
    /// KEY_CROSS: window and panel as here; thresholds have no meaning.
    pub key_cross: MoveRule,
    /// MULTIBOOK_SYNC.
    pub sync: MoveRule,
    /// STEAM.
    pub steam: MoveRule,
    /// LIVE_SHOCK.
    pub live_shock: MoveRule,
    /// DISLOCATION.
    pub dislocation: DislocationRule,
    /// EXCHANGE_DIVERGENCE.
    #[serde(default)]
    pub exchange: ExchangeRule,
    /// Games in play to watch.
    pub in_play: InPlayWatch,
    /// What can be taken.
    pub opportunity: OpportunityRule,
}

impl AnalysisRules {
    /// The sum of raw probabilities above which no two-way market is real, whatever its kind: beyond it a quote is
    /// reported as flawed. Each kind's own limit decides what has its vig removed.
    pub fn max_sum(&self) -> f64 {
        self.devig.iter().map(|rule| rule.max_sum).fold(0.0, f64::max)
    }

    /// The longest window of any detector. Milliseconds.
    pub fn longest_window_ms(&self) -> i64 {
        [&self.market_move, &self.key_cross, &self.sync, &self.steam, &self.live_shock]
            .iter()
            .flat_map(|r| r.window_ms)
            .chain([self.dislocation.window_ms, self.exchange.window_ms])
            .max()
            .unwrap_or(0)
    }
}

impl Default for AnalysisRules {
    fn default() -> Self {
        let devig = DevigRule { method: Method::Power, max_sum: 1.25, max_exchange_spread: 0.04 };
        let ten = [10 * MINUTE, 15 * MINUTE, 10 * MINUTE];
        let five = [5 * MINUTE; 3];
        let three = [3 * MINUTE; 3];
        Self {
            on: true,
            devig: [devig; 3],
            fair: FairRule {
                half_life_ms: 10 * MINUTE,
                min_books: 5,
                min_families: 3,
                clip_share: 0.05,
                clip_log_odds: 0.10,
                step: 0.001,
            },
            market_move: MoveRule {
                window_ms: ten,
                books: 3,
                threshold: [0.5, 1.0, 0.02],
                cooldown_ms: ten,
                cap: u16::MAX,
            },
            key_cross: MoveRule { window_ms: ten, books: 5, threshold: [0.0; 3], cooldown_ms: ten, cap: u16::MAX },
            sync: MoveRule { window_ms: five, books: 3, threshold: [0.5, 0.5, 0.01], cooldown_ms: five, cap: u16::MAX },
            steam: MoveRule {
                window_ms: three,
                books: 4,
                threshold: [0.5, 1.0, 0.02],
                cooldown_ms: [900 * SECOND; 3],
                cap: 4,
            },
            live_shock: MoveRule {
                window_ms: five,
                books: 3,
                threshold: [4.5, 6.5, 0.15],
                cooldown_ms: five,
                cap: u16::MAX,
            },
            dislocation: DislocationRule {
                threshold: [1.0, 2.0, 0.03],
                cooldown_ms: 900 * SECOND,
                cap: 6,
                window_ms: 10 * MINUTE,
            },
            exchange: ExchangeRule::default(),
            in_play: InPlayWatch::Nothing,
            opportunity: OpportunityRule {
                min_ev: 0.005,
                max_skew_ms: 2 * MINUTE,
                max_age_ms: 5 * MINUTE,
                suspect_above: 0.10,
                max_hold: 0.01,
            },
        }
    }
}

/// Which of three thresholds a market takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Class {
    /// Spreads on the scale of points.
    Spread = 0,
    /// Totals on the scale of points.
    Total = 1,
    /// Everything else: probability.
    Chance = 2,
}

impl Class {
    /// The value for this class.
    pub fn of<T: Copy>(self, values: &[T; 3]) -> T {
        let [spread, total, chance] = *values;
        match self {
            Self::Spread => spread,
            Self::Total => total,
            Self::Chance => chance,
        }
    }
}
