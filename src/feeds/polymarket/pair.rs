//! The two books of a market as one, seen from its first outcome.
//!
//! Owns the merging. The exchange shows every order twice: a bid for the second outcome at q is an ask for the first at
//! 1 - q, and both books list it with the same size. So sizes are never added. For each price the book that heard of it
//! last has the word (a book that shows nothing there heard so with its seed); where both speak of the same instant and
//! differ, the smaller size is taken, since nobody should be promised shares that one of them denies. That is exact when
//! one of the books lags, where the maximum would bring removed orders back to life.

use super::book::{Doubt, NoSeed, Standing, TokenBook};
use super::ids::{Shares, Side, Tick};
use super::wire::channel::Level;
use crate::market::time::Timestamp;

/// Do the two books mirror each other?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mirror {
    /// Level by level.
    Agree,
    /// Some levels differ.
    Differ {
        /// How many.
        levels: usize,
        /// The best of them, as a side and price of the first outcome.
        side: Side,
        /// Its price.
        price: Tick,
        /// The size in the first outcome's book.
        first: Shares,
        /// The size in the second outcome's book.
        second: Shares,
    },
    /// Only the first outcome's book can be used.
    OnlyFirst,
    /// Only the second outcome's book can be used.
    OnlySecond,
}

/// One market's book, seen from its first outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairBook {
    /// Bids, the best (highest) first.
    pub bids: Vec<Level>,
    /// Asks, the best (lowest) first.
    pub asks: Vec<Level>,
    /// How far it can be trusted.
    pub standing: Standing,
    /// Whether the two sources agree.
    pub mirror: Mirror,
    /// Time of the newest word, by the exchange's clock.
    pub changed_at: Option<Timestamp>,
    /// When we last received something, by our clock.
    pub received_at: Option<Timestamp>,
    /// The smallest step of a price.
    pub tick_size: Option<Tick>,
}

/// The side of the second outcome's book on which an order of the first appears.
const fn seen(side: Side) -> Side {
    side.other()
}

impl PairBook {
    /// Merges the books of both outcomes. Either may be missing.
    pub fn of(first: Option<&TokenBook>, second: Option<&TokenBook>) -> Self {
        let standing =
            |book: Option<&TokenBook>| book.map_or(Standing::Unseeded(NoSeed::NeverSeen), TokenBook::standing);
        let (one, two) = (standing(first), standing(second));
        let newest = |f: fn(&TokenBook) -> Option<Timestamp>| first.and_then(f).max(second.and_then(f));
        let mut pair = Self {
            bids: Vec::new(),
            asks: Vec::new(),
            standing: one,
            mirror: Mirror::Agree,
            changed_at: newest(|b| b.changed_at()),
            received_at: newest(|b| b.received_at()),
            tick_size: first.and_then(|b| b.tick_size()).or_else(|| second.and_then(|b| b.tick_size())),
        };
        match (one.is_live(), two.is_live()) {
            (true, true) => {
                if let (Some(first), Some(second)) = (first, second) {
                    pair.merge(first, second);
                }
            }
            (true, false) => {
                pair.mirror = Mirror::OnlyFirst;
                if let Some(book) = first {
                    (pair.bids, pair.asks) = (book.levels(Side::Bid).collect(), book.levels(Side::Ask).collect());
                }
            }
            (false, true) => {
                pair.mirror = Mirror::OnlySecond;
                if let Some(book) = second {
                    let turned = |l: Level| Level { price: l.price.mirrored(), size: l.size };
                    pair.bids = book.levels(Side::Ask).map(turned).collect();
                    pair.asks = book.levels(Side::Bid).map(turned).collect();
                }
                pair.standing = two;
            }
            // A doubtful book says more than a missing one.
            (false, false) => {
                if matches!(two, Standing::Doubtful(_)) && matches!(one, Standing::Unseeded(_)) {
                    pair.standing = two;
                }
            }
        }
        if let (Some(bid), Some(ask)) = (pair.bids.first(), pair.asks.first())
            && bid.price >= ask.price
        {
            pair.standing = Standing::Doubtful(Doubt::Crossed);
        }
        pair
    }

    fn merge(&mut self, first: &TokenBook, second: &TokenBook) {
        let mut differ: Option<Mirror> = None;
        for side in [Side::Bid, Side::Ask] {
            let mut prices: Vec<Tick> = first.levels(side).map(|l| l.price).collect();
            prices.extend(second.levels(seen(side)).map(|l| l.price.mirrored()));
            prices.sort_unstable();
            prices.dedup();
            if side == Side::Bid {
                prices.reverse();
            }
            for price in prices {
                let one = first.known(side, price);
                let two = second.known(seen(side), price.mirrored());
                let (Some((a, at_a)), Some((b, at_b))) = (one, two) else { continue };
                if a != b {
                    differ = Some(match differ {
                        Some(Mirror::Differ { levels, side, price, first, second }) => {
                            Mirror::Differ { levels: levels + 1, side, price, first, second }
                        }
                        _ => Mirror::Differ { levels: 1, side, price, first: a, second: b },
                    });
                }
                let size = match at_a.cmp(&at_b) {
                    std::cmp::Ordering::Greater => a,
                    std::cmp::Ordering::Less => b,
                    std::cmp::Ordering::Equal => a.min(b),
                };
                if !size.is_zero() {
                    match side {
                        Side::Bid => self.bids.push(Level { price, size }),
                        Side::Ask => self.asks.push(Level { price, size }),
                    }
                }
            }
        }
        if let Some(differ) = differ {
            self.mirror = differ;
        }
    }

    /// The same book seen from the second outcome.
    #[must_use]
    pub fn turned(&self) -> Self {
        let turned = |l: &Level| Level { price: l.price.mirrored(), size: l.size };
        Self {
            bids: self.asks.iter().map(turned).collect(),
            asks: self.bids.iter().map(turned).collect(),
            ..self.clone()
        }
    }
}
