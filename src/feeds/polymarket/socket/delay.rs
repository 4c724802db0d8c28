//! How late messages are: from the instant with which the exchange stamped a message when it sent it, to the instant at
//! which the reader had applied it.
//!
//! Only messages that tell of something that has just happened count. A book is none of them, whether it is dumped after a
//! subscription or asked for over REST: its stamp says when the book last changed, which may be hours ago. Two clocks are
//! compared, the exchange's and this machine's; what lies between them is in every figure, and shows in the least of them.

use std::collections::VecDeque;

/// Up to here every millisecond is counted by itself.
const FINE: i64 = 128;
/// Above, each doubling is counted in so many parts.
const PARTS: i64 = 8;
/// Doublings above [`FINE`]: up to two hours.
const DOUBLINGS: usize = 16;
/// Places of a table: what came before its stamp, the fine ones, the rest.
const PLACES: usize = 1 + FINE as usize + PARTS as usize * DOUBLINGS;

/// Delays of messages, counted: exact up to an eighth of a second, to an eighth of the figure above. Takes the same room
/// however many there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delays {
    /// Empty until the first one.
    counts: Vec<u32>,
    messages: u64,
    least: i64,
    most: i64,
}

/// The place of a delay.
fn place(ms: i64) -> usize {
    let at = match ms {
        ..0 => 0,
        0..FINE => 1 + ms,
        _ => {
            let doubling = i64::from((ms / FINE).ilog2());
            1 + FINE + PARTS * doubling + (ms >> doubling) * PARTS / FINE - PARTS
        }
    };
    usize::try_from(at).unwrap_or(0).min(PLACES - 1)
}

/// The longest delay of a place.
fn longest(place: usize) -> i64 {
    let at = i64::try_from(place).unwrap_or(i64::MAX);
    match at - 1 {
        ..0 => -1,
        fine @ 0..FINE => fine,
        coarse => {
            let (doubling, part) = ((coarse - FINE) / PARTS, (coarse - FINE) % PARTS);
            (((PARTS + part + 1) * FINE / PARTS) << doubling) - 1
        }
    }
}

impl Delays {
    /// Counts one. Milliseconds; negative where the clocks differ.
    pub fn note(&mut self, ms: i64) {
        self.counts.resize(PLACES, 0);
        if let Some(count) = self.counts.get_mut(place(ms)) {
            *count = count.saturating_add(1);
        }
        (self.least, self.most) = if self.messages == 0 { (ms, ms) } else { (self.least.min(ms), self.most.max(ms)) };
        self.messages += 1;
    }

    /// Counts those of another table too.
    pub fn add(&mut self, other: &Self) {
        if other.messages == 0 {
            return;
        }
        self.counts.resize(PLACES, 0);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        (self.least, self.most) = if self.messages == 0 {
            (other.least, other.most)
        } else {
            (self.least.min(other.least), self.most.max(other.most))
        };
        self.messages += other.messages;
    }

    /// How many messages.
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// The least and the longest. Milliseconds.
    pub const fn ends(&self) -> Option<(i64, i64)> {
        if self.messages == 0 { None } else { Some((self.least, self.most)) }
    }

    /// Such a share of the messages (0 to 1) was no later than this. Milliseconds.
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let (least, most) = self.ends()?;
        let rank = (share.clamp(0.0, 1.0) * self.messages as f64).ceil().max(1.0) as u64;
        let mut so_far = 0;
        for (place, count) in self.counts.iter().enumerate() {
            so_far += u64::from(*count);
            if so_far >= rank {
                return Some(longest(place).clamp(least, most));
            }
        }
        Some(most)
    }
}

/// The tables of the last publishing intervals.
#[derive(Clone, Debug)]
pub struct Recent {
    tables: VecDeque<Delays>,
    of: usize,
}

impl Recent {
    /// Of so many.
    pub fn new(of: usize) -> Self {
        Self { tables: VecDeque::with_capacity(of), of }
    }

    /// Another one; the oldest is forgotten.
    pub fn push(&mut self, table: Delays) {
        if self.tables.len() >= self.of {
            self.tables.pop_front();
        }
        self.tables.push_back(table);
    }

    /// All together.
    pub fn sum(&self) -> Delays {
        let mut sum = Delays::default();
        self.tables.iter().for_each(|table| sum.add(table));
        sum
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.tables.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_has_a_place_that_is_near_to_it() {
        for ms in (0..200_000).chain([1_000_000, 7_000_000]) {
            let told = longest(place(ms));
            assert!(told >= ms, "{ms}: {told}");
            assert!(if ms < FINE { told == ms } else { told - ms <= ms / 8 }, "{ms}: {told}");
            assert!(place(ms) >= place(ms - 1));
        }
        assert_eq!(place(-5), 0);
        assert_eq!(place(i64::MAX), PLACES - 1);
    }

    #[test]
    fn shares_are_told_between_the_least_and_the_longest() {
        let mut delays = Delays::default();
        assert_eq!((delays.quantile(0.5), delays.ends()), (None, None));
        (1..=100).for_each(|ms| delays.note(ms));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|q| delays.quantile(q)), [1, 50, 99, 100].map(Some));
        delays.note(5_003);
        assert_eq!((delays.quantile(1.0), delays.ends()), (Some(5_003), Some((1, 5_003))));
        delays.note(-40);
        assert_eq!((delays.quantile(0.0), delays.ends()), (Some(-1), Some((-40, 5_003))));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let one = |ms| {
            let mut table = Delays::default();
            table.note(ms);
            table
        };
        let mut recent = Recent::new(2);
        [one(900), Delays::default(), one(3)].into_iter().for_each(|t| recent.push(t));
        assert_eq!((recent.sum().messages(), recent.sum().ends()), (1, Some((3, 3))));
    }
}
