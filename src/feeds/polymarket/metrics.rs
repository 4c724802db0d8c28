//! What a book means: spread, mid, depth, and what a stake would get.
//!
//! Owns the arithmetic over a [`PairBook`]. Nothing is computed from a book that is not live: no number is better than
//! one that looks right.

use super::book::Standing;
use super::fee::FeeSchedule;
use super::ids::{Shares, Tick};
use super::pair::PairBook;
use super::wire::channel::Level;

/// How far from the best price "near" reaches: two cents.
const NEAR_TICKS: u16 = 200;

/// The widest spread at which the middle says something about the probability, in ticks: 0.05.
pub const WIDEST_FOR_MID: u16 = 500;

/// Figures of a live book, seen from the first outcome.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metrics {
    /// Best bid; `None` when that side is empty.
    pub best_bid: Option<Level>,
    /// Best ask; `None` when that side is empty.
    pub best_ask: Option<Level>,
    /// Best ask less best bid, when there are both.
    pub spread: Option<Tick>,
    /// The middle of both, 0 to 1. Wide spreads have one too: see [`Metrics::probability`].
    pub mid: Option<f64>,
    /// The middle drawn to the side with fewer shares: `(bid * ask_size + ask * bid_size) / (bid_size + ask_size)`.
    pub weighted_mid: Option<f64>,
    /// `(bid depth - ask depth) / (bid depth + ask depth)`: -1 to 1; 0 for an empty book.
    pub imbalance: f64,
    /// Shares of all bids.
    pub bid_depth: Shares,
    /// Shares of all asks.
    pub ask_depth: Shares,
    /// Shares within two cents of the best bid.
    pub bid_near: Shares,
    /// Shares within two cents of the best ask.
    pub ask_near: Shares,
    /// How many bids.
    pub bid_levels: usize,
    /// How many asks.
    pub ask_levels: usize,
}

impl Metrics {
    /// The figures; `None` when the book is not live.
    pub fn of(book: &PairBook) -> Option<Self> {
        if book.standing != Standing::Live {
            return None;
        }
        let (best_bid, best_ask) = (book.bids.first().copied(), book.asks.first().copied());
        let total = |levels: &[Level]| levels.iter().fold(Shares::ZERO, |sum, l| sum.plus(l.size));
        let near = |levels: &[Level], best: Option<Level>| {
            let best = best.map_or(0, |b| b.price.ticks());
            let close = levels.iter().filter(|l| l.price.ticks().abs_diff(best) <= NEAR_TICKS);
            close.fold(Shares::ZERO, |sum, l| sum.plus(l.size))
        };
        let (bid_depth, ask_depth) = (total(&book.bids), total(&book.asks));
        let all = bid_depth.shares() + ask_depth.shares();
        let both = best_bid.zip(best_ask);
        Some(Self {
            best_bid,
            best_ask,
            spread: both.and_then(|(b, a)| Tick::new(a.price.ticks().saturating_sub(b.price.ticks()))),
            mid: both.map(|(b, a)| f64::midpoint(b.price.probability(), a.price.probability())),
            weighted_mid: both.map(|(b, a)| {
                let (p, q, m, n) = (b.price.probability(), a.price.probability(), b.size.shares(), a.size.shares());
                if m + n > 0.0 { (p * n + q * m) / (m + n) } else { f64::midpoint(p, q) }
            }),
            imbalance: if all > 0.0 { (bid_depth.shares() - ask_depth.shares()) / all } else { 0.0 },
            bid_depth,
            ask_depth,
            bid_near: near(&book.bids, best_bid),
            ask_near: near(&book.asks, best_ask),
            bid_levels: book.bids.len(),
            ask_levels: book.asks.len(),
        })
    }

    /// The middle as a probability of the first outcome: only with both sides and a spread of at most 0.05.
    pub fn probability(&self) -> Option<f64> {
        self.mid.filter(|_| self.spread.is_some_and(|s| s.ticks() <= WIDEST_FOR_MID))
    }
}

/// Which outcome is bought.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Buy {
    /// The first outcome: takes the asks.
    First,
    /// The second outcome: takes the bids, each at one less its price.
    Second,
}

/// What a taker would get for a stake.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fill {
    /// Shares bought, each paying a dollar if the outcome comes.
    pub shares: f64,
    /// Dollars spent, fees included.
    pub spent: f64,
    /// Of these, fees.
    pub fees: f64,
    /// Average price of a share without fee.
    pub average: f64,
    /// What a share costs with fee: one over this is the decimal price.
    pub cost: f64,
    /// The worst price that had to be taken.
    pub worst: Tick,
    /// The whole stake could be placed.
    pub complete: bool,
}

impl Fill {
    /// The decimal price of the whole, after fees; `None` when nothing can be won.
    pub fn decimal(&self) -> Option<f64> {
        (self.cost > 0.0 && self.cost < 1.0).then(|| 1.0 / self.cost)
    }
}

/// Buys for `stake` dollars, fees included, from the best price on.
///
/// `None` when the book is not live, the stake is not a positive amount, or there is nothing to buy. A book too thin
/// for the stake gives what it can, and [`Fill::complete`] is false.
pub fn fill(book: &PairBook, buy: Buy, stake: f64, fee: FeeSchedule) -> Option<Fill> {
    if book.standing != Standing::Live || !stake.is_finite() || stake <= 0.0 {
        return None;
    }
    let levels = match buy {
        Buy::First => &book.asks,
        Buy::Second => &book.bids,
    };
    let (mut left, mut shares, mut bare, mut worst) = (stake, 0.0, 0.0, None);
    // What is left over by rounding of floats is no money.
    let dust = stake * 1e-12;
    for level in levels {
        if left <= dust {
            break;
        }
        let price = if buy == Buy::First { level.price } else { level.price.mirrored() };
        let cost = fee.cost(price.probability());
        if cost <= 0.0 {
            continue;
        }
        let take = (left / cost).min(level.size.shares());
        shares += take;
        bare += take * price.probability();
        left -= take * cost;
        worst = Some(price);
    }
    let spent = stake - left.max(0.0);
    (shares > 0.0).then_some(())?;
    Some(Fill {
        shares,
        spent,
        fees: spent - bare,
        average: bare / shares,
        cost: spent / shares,
        worst: worst?,
        complete: left <= dust,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::polymarket::book::NoSeed;
    use crate::feeds::polymarket::pair::Mirror;
    use proptest::prelude::*;

    fn level(price: &str, size: &str) -> Level {
        Level { price: Tick::parse(price).unwrap(), size: Shares::parse(size).unwrap() }
    }

    fn book(bids: &[(&str, &str)], asks: &[(&str, &str)]) -> PairBook {
        PairBook {
            bids: bids.iter().map(|(p, s)| level(p, s)).collect(),
            asks: asks.iter().map(|(p, s)| level(p, s)).collect(),
            standing: Standing::Live,
            mirror: Mirror::Agree,
            changed_at: None,
            received_at: None,
            tick_size: None,
        }
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }

    #[test]
    fn figures_of_a_small_book() {
        let m =
            Metrics::of(&book(&[("0.42", "300"), ("0.40", "100"), ("0.30", "50")], &[("0.43", "100"), ("0.46", "50")]))
                .unwrap();
        assert_eq!(m.spread.unwrap().ticks(), 100);
        near(m.mid.unwrap(), 0.425);
        near(m.weighted_mid.unwrap(), (0.42 * 100.0 + 0.43 * 300.0) / 400.0);
        near(m.imbalance, 300.0 / 600.0);
        assert_eq!((m.bid_near.to_string(), m.ask_near.to_string()), ("400".into(), "100".into()));
        assert_eq!((m.bid_levels, m.ask_levels), (3, 2));
        near(m.probability().unwrap(), 0.425);
    }

    #[test]
    fn an_empty_side_has_no_mid_and_a_wide_one_no_probability() {
        let empty = Metrics::of(&book(&[], &[("0.999", "5")])).unwrap();
        assert_eq!((empty.mid, empty.best_bid, empty.probability()), (None, None, None));
        assert_eq!(Metrics::of(&book(&[], &[])).unwrap().imbalance, 0.0);
        let wide = Metrics::of(&book(&[("0.40", "1")], &[("0.50", "1")])).unwrap();
        assert!(wide.mid.is_some() && wide.probability().is_none());
        let mut dead = book(&[("0.40", "1")], &[("0.50", "1")]);
        dead.standing = Standing::Unseeded(NoSeed::Gap);
        assert_eq!(Metrics::of(&dead), None);
        assert_eq!(fill(&dead, Buy::First, 10.0, FeeSchedule::FREE), None);
    }

    #[test]
    fn a_stake_walks_the_levels() {
        let fee = FeeSchedule::new(0.05, 1.0, true, 0.0).unwrap();
        let book = book(&[("0.48", "1000")], &[("0.52", "100"), ("0.53", "1000")]);
        let small = fill(&book, Buy::First, 10.0, fee).unwrap();
        near(small.cost, 0.532_48);
        near(small.average, 0.52);
        assert!(small.complete);
        let large = fill(&book, Buy::First, 100.0, fee).unwrap();
        assert_eq!(large.worst, Tick::parse("0.53").unwrap());
        near(large.spent, 100.0);
        near(large.fees, large.shares * (large.cost - large.average));
        let all = fill(&book, Buy::First, 1e9, fee).unwrap();
        assert!(!all.complete);
        near(all.shares, 1100.0);
        // The second outcome is bought from the bids.
        near(fill(&book, Buy::Second, 10.0, fee).unwrap().cost, 0.532_48);
        assert_eq!(fill(&book, Buy::First, f64::NAN, fee), None);
    }

    proptest! {
        #[test]
        fn a_fill_spends_no_more_than_the_stake_and_never_improves(
            levels in proptest::collection::vec((1u16..10_000, 1u64..10_000_000_000), 0..20),
            stake in 0.01f64..1e6,
            rate in 0.0f64..0.1,
        ) {
            let mut asks: Vec<Level> = levels
                .iter()
                .map(|(p, s)| Level { price: Tick::new(*p).unwrap(), size: Shares::from_micros(*s).unwrap() })
                .collect();
            asks.sort();
            asks.dedup_by_key(|l| l.price);
            let book = PairBook { asks, ..book(&[], &[]) };
            let fee = FeeSchedule::new(rate, 1.0, true, 0.0).unwrap();
            if let Some(f) = fill(&book, Buy::First, stake, fee) {
                prop_assert!(f.spent <= stake * (1.0 + 1e-9));
                prop_assert!(f.cost + 1e-9 >= f.average);
                prop_assert!(f.average + 1e-9 >= book.asks[0].price.probability());
                prop_assert!(f.average <= f.worst.probability() + 1e-9);
                let double = fill(&book, Buy::First, stake * 2.0, fee).unwrap();
                prop_assert!(double.average + 1e-9 >= f.average);
                prop_assert!(double.shares + 1e-9 >= f.shares);
            }
        }
    }
}
