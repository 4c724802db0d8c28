//! Names and their numbers.

use rustc_hash::FxHashMap;

use crate::market::ids::{BookId, MarketId, SportId, SubjectId};
use crate::market::market_key::MarketSpec;

/// A list of names in the order of their first appearance, numbered from 1.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    names: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, u32>,
}

impl Interner {
    /// The number of `name`, and whether it is new.
    pub fn intern(&mut self, name: &str) -> (u32, bool) {
        if let Some(n) = self.numbers.get(name) {
            return (*n, false);
        }
        let n = self.names.len() as u32 + 1;
        self.names.push(name.into());
        self.numbers.insert(name.into(), n);
        (n, true)
    }

    /// The number of a known name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number; empty for 0 and for numbers never given.
    pub fn name(&self, number: u32) -> &str {
        (number as usize).checked_sub(1).and_then(|i| self.names.get(i)).map_or("", |n| n)
    }

    /// Names in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|n| &**n)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// None yet.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// All names that the engine has numbered.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Sport keys.
    pub sports: Interner,
    /// Book keys.
    pub books: Interner,
    /// Market keys.
    pub markets: Interner,
    /// Players and named outcomes.
    pub subjects: Interner,
    /// Sources.
    pub sources: Interner,
}

impl Names {
    /// Sport key of an id.
    pub fn sport(&self, id: SportId) -> &str {
        self.sports.name(u32::from(id.0))
    }

    /// Book key of an id.
    pub fn book(&self, id: BookId) -> &str {
        self.books.name(u32::from(id.0))
    }

    /// Market key of an id.
    pub fn market(&self, id: MarketId) -> &str {
        self.markets.name(u32::from(id.0))
    }

    /// Subject of an id.
    pub fn subject(&self, id: SubjectId) -> &str {
        self.subjects.name(id.0)
    }

    /// The market of an id, taken apart.
    pub fn spec(&self, id: MarketId) -> MarketSpec {
        MarketSpec::parse(self.market(id))
    }
}

/// Which list a new name belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum NameKind {
    /// A sport key.
    Sport = 1,
    /// A book key.
    Book = 2,
    /// A market key.
    Market = 3,
    /// A player or named outcome.
    Subject = 4,
    /// A source.
    Source = 5,
}

impl NameKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Sport, Self::Book, Self::Market, Self::Subject, Self::Source];

    /// The list of this kind.
    pub fn list(self, names: &mut Names) -> &mut Interner {
        match self {
            Self::Sport => &mut names.sports,
            Self::Book => &mut names.books,
            Self::Market => &mut names.markets,
            Self::Subject => &mut names.subjects,
            Self::Source => &mut names.sources,
        }
    }
}
