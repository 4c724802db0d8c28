//! The book of one token, built from messages.
//!
//! Owns the levels and how far they can be trusted. There is no sequence number anywhere, so every level remembers the
//! time of its last word, removed ones included: messages may come late, twice or in another order and leave the same
//! book behind as in the order of time. What a book cannot know it says: [`Standing`].

use super::ids::{Shares, Side, Tick, TokenId};
use super::wire::channel::{BookMessage, Change, Level, Stated};
use crate::market::time::Timestamp;

/// Why there is no book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoSeed {
    /// Nothing has come yet.
    NeverSeen,
    /// The connection was lost; the next `book` makes it whole.
    Gap,
    /// The step of prices changed; the next `book` makes it whole.
    TickSize,
    /// A message about it could not be read.
    LostMessage,
    /// The market is decided.
    Resolved,
}

impl NoSeed {
    /// The name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverSeen => "never_seen",
            Self::Gap => "gap",
            Self::TickSize => "tick_size",
            Self::LostMessage => "lost_message",
            Self::Resolved => "resolved",
        }
    }
}

/// Why a book is not to be believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Doubt {
    /// The best bid is at or above the best ask.
    Crossed,
    /// A message states another best price than the levels give.
    OtherBest,
    /// Some level of the seed could not be read.
    Incomplete,
    /// REST shows another book of the same time.
    OtherAtRest,
}

impl Doubt {
    /// The name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crossed => "crossed",
            Self::OtherBest => "other_best",
            Self::Incomplete => "incomplete",
            Self::OtherAtRest => "other_at_rest",
        }
    }
}

/// How far a book can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// There is none.
    Unseeded(NoSeed),
    /// As good as the feed.
    Live,
    /// Not to be used; ask for it anew.
    Doubtful(Doubt),
}

impl Standing {
    /// Can it be used?
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }

    /// The name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseeded(why) => why.name(),
            Self::Live => "live",
            Self::Doubtful(why) => why.name(),
        }
    }
}

/// What a message did to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// The levels are other ones now.
    Changed,
    /// All was so already.
    Same,
    /// Older than what we know, or said before.
    Old,
    /// There is no seed; kept until there is one.
    Waiting,
}

/// A level with the time of its last word. A size of zero is a level that was removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    price: Tick,
    size: Shares,
    at: Timestamp,
}

/// One list: levels that there are and levels that were removed, each sorted by price.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Ladder {
    live: Vec<Entry>,
    removed: Vec<Entry>,
}

impl Ladder {
    fn find(list: &[Entry], price: Tick) -> Result<usize, usize> {
        list.binary_search_by_key(&price, |e| e.price)
    }

    fn entry(&self, price: Tick) -> Option<Entry> {
        let of = |list: &[Entry]| Self::find(list, price).ok().and_then(|i| list.get(i).copied());
        of(&self.live).or_else(|| of(&self.removed))
    }

    fn set(&mut self, entry: Entry) {
        let (into, out) = if entry.size.is_zero() {
            (&mut self.removed, &mut self.live)
        } else {
            (&mut self.live, &mut self.removed)
        };
        if let Ok(i) = Self::find(out, entry.price) {
            out.remove(i);
        }
        match Self::find(into, entry.price) {
            Ok(i) => {
                if let Some(there) = into.get_mut(i) {
                    *there = entry;
                }
            }
            Err(i) => into.insert(i, entry),
        }
    }

    /// Forgets everything up to an instant.
    fn forget(&mut self, up_to: Timestamp) {
        self.live.retain(|e| e.at > up_to);
        self.removed.retain(|e| e.at > up_to);
    }
}

/// The book of one token.
#[derive(Clone, Debug)]
pub struct TokenBook {
    token: TokenId,
    bids: Ladder,
    asks: Ladder,
    /// Time of the newest `book`; everything else is newer.
    seed: Option<Timestamp>,
    /// Nothing older is taken, be it a book or a change.
    floor: Option<Timestamp>,
    no_seed: NoSeed,
    incomplete: bool,
    /// The newest best prices that a message stated, and when.
    stated: Option<(Timestamp, Stated, Stated)>,
    /// Time of the newest word, and the hash after it.
    newest: Option<Timestamp>,
    hash: Option<Box<str>>,
    /// What was said at the newest instant: the only place where a repetition could do harm.
    said: Vec<(Box<str>, Side, Tick, Shares)>,
    tick_size: Option<Tick>,
    received: Option<Timestamp>,
    rest_differs: bool,
    version: u64,
}

impl TokenBook {
    /// A book without a seed.
    pub const fn new(token: TokenId) -> Self {
        Self {
            token,
            bids: Ladder { live: Vec::new(), removed: Vec::new() },
            asks: Ladder { live: Vec::new(), removed: Vec::new() },
            seed: None,
            floor: None,
            no_seed: NoSeed::NeverSeen,
            incomplete: false,
            stated: None,
            newest: None,
            hash: None,
            said: Vec::new(),
            tick_size: None,
            received: None,
            rest_differs: false,
            version: 0,
        }
    }

    /// Whose it is.
    pub const fn token(&self) -> &TokenId {
        &self.token
    }

    /// Takes a whole book, of the channel or of REST, received at `received`.
    ///
    /// Replaces all that is not newer than the book's own time. An older book than the one we have is ignored.
    pub fn seed(&mut self, book: &BookMessage<'_>, received: Timestamp) -> Applied {
        if self.seed.is_some_and(|s| book.at < s) || self.floor.is_some_and(|f| book.at < f) {
            return Applied::Old;
        }
        let before =
            (self.standing(), self.levels(Side::Bid).collect::<Vec<_>>(), self.levels(Side::Ask).collect::<Vec<_>>());
        for (ladder, levels) in [(&mut self.bids, &book.bids), (&mut self.asks, &book.asks)] {
            ladder.forget(book.at);
            for level in levels {
                // What is newer than the book stays.
                if ladder.entry(level.price).is_none() {
                    ladder.set(Entry { price: level.price, size: level.size, at: book.at });
                }
            }
        }
        self.seed = Some(book.at);
        self.floor = None;
        self.incomplete = book.incomplete;
        self.rest_differs = false;
        if self.stated.is_some_and(|(at, ..)| at <= book.at) {
            self.stated = None;
        }
        if self.newest.is_none_or(|n| n <= book.at) {
            if self.newest != Some(book.at) {
                self.said.clear();
            }
            self.newest = Some(book.at);
            self.hash = book.hash.as_deref().map(Box::from);
        }
        if book.tick_size.is_some() {
            self.tick_size = book.tick_size;
        }
        self.received = Some(received);
        let same =
            before.0 == self.standing() && self.levels(Side::Bid).eq(before.1) && self.levels(Side::Ask).eq(before.2);
        self.answer(!same)
    }

    fn answer(&mut self, changed: bool) -> Applied {
        if changed {
            self.version = self.version.wrapping_add(1);
            Applied::Changed
        } else {
            Applied::Same
        }
    }

    /// Takes one change of time `at`, received at `received`.
    ///
    /// Ignored when it is older than the seed or than what its level was last told. Without a seed it is kept: should a
    /// book that is older than it still come, it counts.
    pub fn change(&mut self, change: &Change<'_>, at: Timestamp, received: Timestamp) -> Applied {
        if self.seed.is_some_and(|s| at < s) || self.floor.is_some_and(|f| at < f) {
            return Applied::Old;
        }
        if self.repeated(change, at) {
            return Applied::Old;
        }
        let ladder = if change.side == Side::Bid { &mut self.bids } else { &mut self.asks };
        let known = ladder.entry(change.price);
        if known.is_some_and(|k| k.at > at) {
            return Applied::Old;
        }
        let was = known.map_or(Shares::ZERO, |k| k.size);
        ladder.set(Entry { price: change.price, size: change.size, at });
        let before = self.standing();
        if self.newest.is_none_or(|n| n <= at) {
            self.newest = Some(at);
            self.hash = change.hash.as_deref().map(Box::from);
        }
        if self.stated.is_none_or(|(t, ..)| t <= at)
            && (change.best_bid, change.best_ask) != (Stated::Silent, Stated::Silent)
        {
            self.stated = Some((at, change.best_bid, change.best_ask));
        }
        self.received = Some(received);
        if self.seed.is_none() {
            return Applied::Waiting;
        }
        let changed = was != change.size || before != self.standing();
        self.answer(changed)
    }

    /// Was exactly this said already at the newest instant? Only hashes can tell that from a change back and forth.
    fn repeated(&mut self, change: &Change<'_>, at: Timestamp) -> bool {
        let Some(hash) = change.hash.as_deref() else { return false };
        match self.newest {
            Some(newest) if newest > at => false,
            Some(newest) if newest == at => {
                let same = |s: &(Box<str>, Side, Tick, Shares)| {
                    &*s.0 == hash && (s.1, s.2, s.3) == (change.side, change.price, change.size)
                };
                if self.said.iter().any(same) {
                    return true;
                }
                // A burst within one millisecond has an end; beyond it a repetition would need a reordering too.
                if self.said.len() < 256 {
                    self.said.push((hash.into(), change.side, change.price, change.size));
                }
                false
            }
            _ => {
                self.said.clear();
                self.said.push((hash.into(), change.side, change.price, change.size));
                false
            }
        }
    }

    /// Best prices that a message stated without a change of the book.
    pub fn state_best(&mut self, bid: Stated, ask: Stated, at: Timestamp) {
        if self.seed.is_none_or(|s| at >= s) && self.stated.is_none_or(|(t, ..)| t <= at) {
            self.stated = Some((at, bid, ask));
        }
    }

    /// The book is void from `at` on: nothing older than that counts any more, and a new `book` is needed.
    pub fn void(&mut self, why: NoSeed, at: Timestamp) -> Applied {
        if self.seed.is_some_and(|s| at < s) || self.floor.is_some_and(|f| at < f) {
            return Applied::Old;
        }
        self.bids.forget(at);
        self.asks.forget(at);
        self.seed = None;
        self.floor = Some(at);
        self.no_seed = why;
        self.stated = self.stated.filter(|(t, ..)| *t > at);
        self.answer(true)
    }

    /// The connection was lost: everything is forgotten, and any `book` that comes is taken.
    pub fn reset(&mut self, why: NoSeed) {
        let token = self.token.clone();
        let (version, tick_size, received) = (self.version.wrapping_add(1), self.tick_size, self.received);
        *self = Self { no_seed: why, version, tick_size, received, ..Self::new(token) };
    }

    /// REST shows another book of the same time than we have.
    pub fn doubt_rest(&mut self) {
        self.rest_differs = true;
        self.version = self.version.wrapping_add(1);
    }

    /// How far it can be trusted.
    pub fn standing(&self) -> Standing {
        if self.seed.is_none() {
            return Standing::Unseeded(self.no_seed);
        }
        if self.incomplete {
            return Standing::Doubtful(Doubt::Incomplete);
        }
        let (bid, ask) = (self.best(Side::Bid), self.best(Side::Ask));
        if let (Some(bid), Some(ask)) = (bid, ask)
            && bid.price >= ask.price
        {
            return Standing::Doubtful(Doubt::Crossed);
        }
        if let Some((at, stated_bid, stated_ask)) = self.stated {
            // A statement says nothing about what came after it.
            let current = self.newest.is_none_or(|n| at >= n);
            let agrees = |stated: Stated, best: Option<Level>| match stated {
                Stated::Silent => true,
                Stated::Empty => best.is_none(),
                Stated::At(tick) => best.is_some_and(|b| b.price == tick),
            };
            if current && !(agrees(stated_bid, bid) && agrees(stated_ask, ask)) {
                return Standing::Doubtful(Doubt::OtherBest);
            }
        }
        if self.rest_differs { Standing::Doubtful(Doubt::OtherAtRest) } else { Standing::Live }
    }

    /// The best level of a side, whatever the standing.
    pub fn best(&self, side: Side) -> Option<Level> {
        let entry = match side {
            Side::Bid => self.bids.live.last(),
            Side::Ask => self.asks.live.first(),
        };
        entry.map(|e| Level { price: e.price, size: e.size })
    }

    /// The levels of a side, the best first, whatever the standing.
    pub fn levels(&self, side: Side) -> impl DoubleEndedIterator<Item = Level> + '_ {
        let list = match side {
            Side::Bid => &self.bids.live,
            Side::Ask => &self.asks.live,
        };
        let len = list.len();
        (0..len).filter_map(move |i| {
            let at = if side == Side::Bid { len - 1 - i } else { i };
            list.get(at).map(|e| Level { price: e.price, size: e.size })
        })
    }

    /// What we know about a price: the size there (perhaps none) and since when. Without a seed, nothing.
    pub(super) fn known(&self, side: Side, price: Tick) -> Option<(Shares, Timestamp)> {
        let seed = self.seed?;
        let ladder = if side == Side::Bid { &self.bids } else { &self.asks };
        // Where nothing was said, the seed said that there is nothing.
        Some(ladder.entry(price).map_or((Shares::ZERO, seed), |e| (e.size, e.at)))
    }

    /// Time of the seed.
    pub const fn seeded_at(&self) -> Option<Timestamp> {
        self.seed
    }

    /// Time of the newest word about it, by the exchange's clock.
    pub const fn changed_at(&self) -> Option<Timestamp> {
        self.newest
    }

    /// When we last received something about it, by our clock.
    pub const fn received_at(&self) -> Option<Timestamp> {
        self.received
    }

    /// The hash after the newest word.
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }

    /// The smallest step of a price.
    pub const fn tick_size(&self) -> Option<Tick> {
        self.tick_size
    }

    /// Notes a new step of prices.
    pub fn set_tick_size(&mut self, step: Tick) {
        self.tick_size = Some(step);
    }

    /// Grows with every change of levels or standing.
    pub const fn version(&self) -> u64 {
        self.version
    }
}
