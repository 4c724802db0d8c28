//! The order book of a market at an instant: price grid, ladder, last trade.
//!
//! A market changes in numbered steps on a grid of its own. The book after a step is a function of the step and of the
//! fair probability then; so any step can be asked for, and the changes between two instants are the differences
//! between the steps. Prices are in thousandths, sizes in hundredths of a share. Only the first outcome has a ladder;
//! that of the second is its mirror.

use super::super::rng::{mix, unit};
use super::catalog::MarketSpec;
use crate::market::time::Timestamp;

/// Levels on each side.
pub const LEVELS: i64 = 8;
/// Price steps: a cent, and a tenth of it near 0 and 1.
pub const COARSE: i32 = 10;
/// The fine step.
pub const FINE: i32 = 1;
/// Every so many steps there is a trade.
const TRADE_EVERY: i64 = 7;

/// The instants at which a market changes.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// First instant.
    pub opens: Timestamp,
    /// When the pace becomes that of the game.
    pub live: Timestamp,
    /// When it ends.
    pub closes: Timestamp,
    /// Milliseconds between two steps before the game.
    pub calm_ms: i64,
    /// During it.
    pub live_ms: i64,
    /// Milliseconds by which this market's steps are later than the full ones.
    pub phase_ms: i64,
}

impl Grid {
    fn before_live(&self) -> i64 {
        self.live.since(self.opens).max(0) / self.calm_ms
    }

    /// The number of the last step at or before an instant; never below 0.
    pub fn step(&self, at: Timestamp) -> i64 {
        let at = at.plus(-self.phase_ms).min(self.closes);
        let calm = at.min(self.live).since(self.opens).max(0) / self.calm_ms;
        let live = at.since(self.live).max(0) / self.live_ms;
        calm + live
    }

    /// When a step happens.
    pub fn at(&self, step: i64) -> Timestamp {
        let calm = self.before_live();
        let base = if step <= calm {
            self.opens.plus(step.max(0) * self.calm_ms)
        } else {
            self.live.max(self.opens).plus((step - calm) * self.live_ms)
        };
        base.plus(self.phase_ms)
    }
}

/// One price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Thousandths.
    pub price: i32,
    /// Hundredths of a share; 0 in a change removes the level.
    pub size: i64,
}

/// The book of the first outcome, best first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ladder {
    /// Bids, highest first.
    pub bids: Vec<Level>,
    /// Asks, lowest first.
    pub asks: Vec<Level>,
    /// Price step.
    pub tick: i32,
}

impl Ladder {
    /// The book of the second outcome.
    pub fn mirrored(&self) -> Self {
        let turn = |levels: &[Level]| levels.iter().map(|l| Level { price: 1000 - l.price, size: l.size }).collect();
        Self { bids: turn(&self.asks), asks: turn(&self.bids), tick: self.tick }
    }

    /// The book of an outcome.
    pub fn of(&self, side: usize) -> Self {
        if side == 0 { self.clone() } else { self.mirrored() }
    }

    /// Best bid and ask, thousandths.
    pub fn best(&self) -> (Option<i32>, Option<i32>) {
        (self.bids.first().map(|l| l.price), self.asks.first().map(|l| l.price))
    }

    /// Twice the midpoint, thousandths.
    pub fn twice_mid(&self) -> Option<i32> {
        let (bid, ask) = self.best();
        Some(bid? + ask?)
    }
}

/// What differs between two ladders of one outcome: new totals of levels, 0 for those that are gone. `true` for bids.
pub fn changes(before: &Ladder, after: &Ladder) -> Vec<(bool, Level)> {
    let mut out = Vec::new();
    for (bid, old, new) in [(true, &before.bids, &after.bids), (false, &before.asks, &after.asks)] {
        for level in old.iter().filter(|l| !new.iter().any(|n| n.price == l.price)) {
            out.push((bid, Level { size: 0, ..*level }));
        }
        for level in new.iter().filter(|l| !old.contains(l)) {
            out.push((bid, *level));
        }
    }
    out
}

/// The ladder of a market after a step, around a fair probability. `step` counts every change of a size, those of a
/// load included; `epoch` changes now and then, and with it how wide the spread is.
pub fn ladder(market: &MarketSpec, epoch: i64, step: i64, fair: f64, tick: i32) -> Ladder {
    // The spread is one step of the price, and two for some of the time.
    let wide = unit(mix(&[market.tag, 3, epoch.unsigned_abs()])) < if market.slow == 1 { 0.15 } else { 0.4 };
    let width = if wide { 2 } else { 1 };
    let ticks = fair * 1000.0 / f64::from(tick);
    let bid = (ticks - f64::from(width) / 2.0).round() as i32;
    let top = 1000 / tick;
    let bid = bid.clamp(0, top - 1);
    let ask = (bid + width).min(top);
    let side = |best: i32, way: i32, slot: i64| -> Vec<Level> {
        let price = |k: i64| (best + way * k as i32) * tick;
        (0..LEVELS)
            .map(|k| (k, price(k)))
            .filter(|&(_, p)| p > 0 && p < 1000)
            .map(|(k, price)| Level { price, size: size(market, step, 2 * k + slot, k, price) })
            .collect()
    };
    Ladder { bids: side(bid, -1, 0), asks: side(ask, 1, 1), tick }
}

/// The size of a level. One slot is quoted anew at each step.
fn size(market: &MarketSpec, step: i64, slot: i64, depth: i64, price: i32) -> i64 {
    let version = (step + 2 * LEVELS - slot).div_euclid(2 * LEVELS);
    let bits = mix(&[market.tag, 4, price.unsigned_abs().into(), version.unsigned_abs(), slot.unsigned_abs()]);
    let decay = (0..depth).fold(1.0, |d, _| d * 0.82);
    let shares = market.depth * decay * (0.4 + 1.2 * unit(bits));
    // Round orders mostly, odd ones now and then.
    let cents = if bits.is_multiple_of(4) { (shares * 100.0) as i64 } else { (shares / 5.0).ceil() as i64 * 500 };
    cents.max(500)
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Number of its step.
    pub step: i64,
    /// Which outcome was traded.
    pub side: usize,
    /// The taker bought.
    pub buy: bool,
    /// Thousandths.
    pub price: i32,
    /// Hundredths of a share.
    pub size: i64,
}

/// The last step at or before `step` at which there was a trade, if any.
pub fn trade_step(market: &MarketSpec, step: i64) -> Option<i64> {
    let every = TRADE_EVERY + market.slow;
    let offset = (mix(&[market.tag, 5]) % every.unsigned_abs()) as i64;
    let last = (step - offset).div_euclid(every) * every + offset;
    (last >= 0).then_some(last)
}

/// The trade of a step, at the ladder of that step.
pub fn trade(market: &MarketSpec, step: i64, ladder: &Ladder) -> Option<Trade> {
    let bits = mix(&[market.tag, 6, step.unsigned_abs()]);
    let (bid, ask) = (ladder.bids.first(), ladder.asks.first());
    let lifted = bits.is_multiple_of(2);
    let level = if lifted { ask.or(bid) } else { bid.or(ask) }?;
    let lifted = ask.is_some_and(|a| a.price == level.price);
    // Buying one outcome is selling the other.
    let side = ((bits >> 1) % 2) as usize;
    let buy = lifted == (side == 0);
    let price = if side == 0 { level.price } else { 1000 - level.price };
    let share = unit(mix(&[bits, 1]));
    let size = ((level.size as f64 * share * share) as i64).max(100);
    Some(Trade { step, side, buy, price, size })
}

/// How many trades there were up to a step.
pub fn trades_until(market: &MarketSpec, step: i64) -> i64 {
    trade_step(market, step).map_or(0, |last| last / (TRADE_EVERY + market.slow) + 1)
}

/// The step of the trade before.
pub fn trade_before(market: &MarketSpec, step: i64) -> Option<i64> {
    trade_step(market, step - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::scenario::Scenario;
    use super::super::super::world::World;
    use super::super::catalog::Catalog;
    use super::*;

    fn market() -> MarketSpec {
        let world = World::new(&Scenario::load("quiet").expect("quiet"), Timestamp::from_secs(1_795_212_000));
        Catalog::of(&world).markets.remove(0)
    }

    #[test]
    fn steps_and_instants_agree() {
        let t = Timestamp::from_secs;
        let grid =
            Grid { opens: t(1000), live: t(1107), closes: t(1207), calm_ms: 10_000, live_ms: 2000, phase_ms: 137 };
        assert_eq!(grid.step(t(0)), 0);
        assert_eq!(grid.step(t(9_999_999)), 10 + 50);
        for step in 0..=60 {
            let at = grid.at(step);
            assert_eq!(grid.step(at), step, "{step}");
            assert_eq!(grid.step(at.plus(-1)), (step - 1).max(0));
        }
    }

    proptest! {
        #[test]
        fn a_ladder_is_sorted_uncrossed_and_mirrors(step in 0i64..100_000, fair in 0.0005f64..0.9995, fine: bool) {
            let market = market();
            let ladder = ladder(&market, step / 40, step, fair, if fine { FINE } else { COARSE });
            prop_assert!(ladder.bids.is_sorted_by(|a, b| a.price > b.price));
            prop_assert!(ladder.asks.is_sorted_by(|a, b| a.price < b.price));
            if let (Some(bid), Some(ask)) = ladder.best() {
                prop_assert!(bid < ask && ask - bid <= 2 * ladder.tick);
                prop_assert!((f64::from(bid + ask) / 2000.0 - fair).abs() <= 0.011);
            }
            prop_assert!(!ladder.bids.is_empty() || !ladder.asks.is_empty());
            prop_assert!(ladder.bids.iter().chain(&ladder.asks).all(|l| l.size > 0 && (1..1000).contains(&l.price)));
            prop_assert_eq!(&ladder.mirrored().mirrored(), &ladder);
            if let Some(t) = trade(&market, step, &ladder) {
                let own = ladder.of(t.side);
                let hit = if t.buy { own.asks.first() } else { own.bids.first() };
                prop_assert_eq!(hit.map(|l| l.price), Some(t.price));
            }
        }

        #[test]
        fn changes_lead_from_one_ladder_to_the_next(a in 0i64..1000, b in 0i64..1000, p in 0.01f64..0.99, q in 0.01f64..0.99) {
            let market = market();
            let (old, new) = (ladder(&market, a / 40, a, p, COARSE), ladder(&market, b / 40, b, q, COARSE));
            let mut book = old.clone();
            for (bid, level) in changes(&old, &new) {
                let side = if bid { &mut book.bids } else { &mut book.asks };
                side.retain(|l| l.price != level.price);
                if level.size > 0 {
                    side.push(level);
                }
            }
            book.bids.sort_by_key(|l| -l.price);
            book.asks.sort_by_key(|l| l.price);
            prop_assert_eq!(book, new);
        }
    }
}
