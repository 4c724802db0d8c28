//! What an answer was asked for. Absence proves something only inside this scope.

use super::names::Names;
use super::settings::EngineSettings;
use super::state::EventState;
use crate::market::batch::{Asked, Scope};
use crate::market::ids::{BookId, MarketId};
use crate::market::market_key::MarketSpec;

/// A [`Scope`] with its answers by number, so that each name is looked up once a look.
pub(crate) struct AskedFor<'s> {
    scope: &'s Scope,
    /// The answer is one of an exchange that is listened to directly.
    exchange: bool,
    /// Indexed by book number; `None` until asked.
    books: Vec<Option<bool>>,
    markets: Vec<Option<bool>>,
}

impl<'s> AskedFor<'s> {
    pub(crate) fn new(scope: &'s Scope, exchange: bool) -> Self {
        Self { scope, exchange, books: Vec::new(), markets: Vec::new() }
    }

    pub(crate) fn book(&mut self, id: BookId, names: &Names, settings: &EngineSettings) -> bool {
        let (scope, exchange) = (self.scope, self.exchange);
        cached(&mut self.books, id.0, || {
            let key = names.book(id);
            if settings.listens_to(key) != exchange {
                return false;
            }
            if scope.books == Asked::All && scope.regions == Asked::All {
                return true;
            }
            match (&scope.books, &scope.regions) {
                (Asked::Only(_), _) => scope.books.covers(key),
                (Asked::All, regions) => match settings.books.get(key) {
                    // A book that the table does not know was shown under some region: take it for this one.
                    None => true,
                    Some(info) => info.regions.is_empty() || info.regions.iter().any(|r| regions.covers(r)),
                },
            }
        })
    }

    pub(crate) fn market(&mut self, id: MarketId, names: &Names) -> bool {
        let scope = self.scope;
        if scope.markets == Asked::All {
            return true;
        }
        cached(&mut self.markets, id.0, || {
            let key = names.market(id);
            // Other prices of an exchange come by themselves next to the market they belong to.
            scope.markets.covers(key) || MarketSpec::back_of(key).is_some_and(|back| scope.markets.covers(back))
        })
    }

    /// Should the answer have contained this event?
    pub(crate) fn event(&self, event: &EventState) -> bool {
        self.scope.events.covers(&event.provider_id)
            && self.scope.commence_from.is_none_or(|from| event.commence >= from)
            && self.scope.commence_to.is_none_or(|to| event.commence <= to)
    }
}

fn cached(known: &mut Vec<Option<bool>>, index: u16, find: impl FnOnce() -> bool) -> bool {
    let index = usize::from(index);
    if known.len() <= index {
        known.resize(index + 1, None);
    }
    *known[index].get_or_insert_with(find)
}
