//! The parts of a question: whose quotes, of which markets and events, and how they are written.
//!
//! Names of markets, books and regions are open sets that only the provider knows; they are tidied, never judged.

use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

/// Books per started group when books are named: each group costs as much as a region.
const BOOKS_PER_REGION: usize = 10;

/// How the answer writes times: as text or as whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DateFormat {
    /// `"2026-11-20T20:01:40Z"`.
    #[default]
    Iso,
    /// `1795204900`.
    Unix,
}

/// Whose quotes are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BookFilter {
    /// All books of these regions.
    Regions(Vec<String>),
    /// These books, from any region.
    Books(Vec<String>),
}

impl BookFilter {
    /// Books win over regions when both are given, as at the provider.
    pub fn choose(regions: &[String], books: &[String]) -> Self {
        match clean(books) {
            books if books.is_empty() => Self::Regions(clean(regions)),
            books => Self::Books(books),
        }
    }

    /// The price of this choice in regions: each started group of ten books counts as one.
    pub fn region_count(&self) -> u32 {
        let n = match self {
            Self::Regions(names) => clean(names).len(),
            Self::Books(names) => clean(names).len().div_ceil(BOOKS_PER_REGION),
        };
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

/// Fields of an answer that come only when asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extras {
    /// Deep links to the bet slip.
    pub links: bool,
    /// The books' own ids.
    pub sids: bool,
    /// Bet limits, mainly of exchanges.
    pub bet_limits: bool,
    /// Multipliers of fantasy sites; single events only.
    pub multipliers: bool,
    /// Rotation numbers of US sports.
    pub rotation_numbers: bool,
}

/// Which quotes are wanted and how they are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Market keys; an open set that only the provider knows. Empty means `h2h`.
    pub markets: Vec<String>,
    /// Whose quotes.
    pub books: BookFilter,
    /// How prices are written.
    pub format: OddsFormat,
    /// Further fields.
    pub extras: Extras,
}

impl Ask {
    /// These markets of these books, without further fields, in the native format of the regions; in American odds
    /// when books are named, whose region is not known here.
    pub fn new(markets: &[String], books: BookFilter) -> Self {
        let format = match &books {
            BookFilter::Regions(regions) => region_default_format(regions),
            BookFilter::Books(_) => OddsFormat::American,
        };
        Self { markets: clean(markets), books, format, extras: Extras::default() }
    }

    /// Market keys as they are sent.
    pub(super) fn sent_markets(&self) -> Vec<String> {
        match clean(&self.markets) {
            markets if markets.is_empty() => vec!["h2h".to_owned()],
            markets => markets,
        }
    }

    pub(super) fn market_count(&self) -> u32 {
        u32::try_from(self.sent_markets().len()).unwrap_or(u32::MAX)
    }
}

/// Which events of a sport are wanted. The default is all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// Provider ids; empty means all.
    pub events: Vec<String>,
    /// Starting at or after this instant (whole seconds).
    pub commence_from: Option<Timestamp>,
    /// Starting at or before this instant (whole seconds).
    pub commence_to: Option<Timestamp>,
}

/// The format in which the books of these regions quote: American when every region is one of the `us` family, else
/// decimal, which is what European and Australian books round to.
pub fn region_default_format<S: AsRef<str>>(regions: &[S]) -> OddsFormat {
    let is_us = |region: &S| {
        let region = region.as_ref().trim();
        region.strip_prefix("us").is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    if !regions.is_empty() && regions.iter().all(is_us) { OddsFormat::American } else { OddsFormat::Decimal }
}

/// Trimmed, without empty names and repetitions, in the order given.
pub(super) fn clean(names: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names.iter().map(|n| n.trim()).filter(|n| !n.is_empty()) {
        if !out.iter().any(|n| n == name) {
            out.push(name.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_decide_the_default_format() {
        for (regions, format) in [
            (&["us"][..], OddsFormat::American),
            (&["us", "us2", "us_dfs", "us_ex"], OddsFormat::American),
            (&["us", "eu"], OddsFormat::Decimal),
            (&["uk"], OddsFormat::Decimal),
            (&["usx"], OddsFormat::Decimal),
            (&[], OddsFormat::Decimal),
        ] {
            assert_eq!(region_default_format(regions), format, "{regions:?}");
        }
    }

    #[test]
    fn names_are_tidied_before_they_are_counted() {
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(clean(&names(&[" us", "", "eu ", "us", " "])), names(&["us", "eu"]));
        assert_eq!(BookFilter::choose(&names(&["us", "us"]), &names(&[" "])), BookFilter::Regions(names(&["us"])));
        for (books, regions) in [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3)] {
            let keys: Vec<String> = (0..books).map(|i| format!("book{i}")).collect();
            assert_eq!(BookFilter::choose(&[], &keys).region_count(), regions);
        }
        assert_eq!(Ask::new(&[], BookFilter::Regions(vec![])).market_count(), 1, "the provider's default is h2h");
    }
}
