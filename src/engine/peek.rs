//! What may be asked of the engine between two looks: events, their quotes, and how lines convert.
//!
//! Reading only: nothing here changes what the next look gives. Answers are for those who look at every commit before it
//! is announced (alerts); everybody else asks the store.

use super::apply::Engine;
use super::changes::{EventRow, QuoteKey};
use super::status::QuoteValue;
use crate::market::ids::{EventId, MarketId, SportId};
use crate::market::margin::Distribution;
use crate::market::market_key::{Family, Stance};

impl Engine {
    /// An event that the engine remembers, as it stands.
    pub fn event_row(&self, id: EventId) -> Option<EventRow> {
        self.event(id).map(super::state::EventState::row)
    }

    /// The events that the engine remembers of a source and sport, in the order of their numbers.
    pub fn remembered(&self, source: u32, sport: SportId) -> Vec<EventId> {
        let mut ids = self.active.get(&(source, sport)).cloned().unwrap_or_default();
        ids.sort_unstable();
        ids
    }

    /// Every source and sport of which the engine remembers events, in the order of their numbers.
    pub fn remembered_sports(&self) -> Vec<(u32, SportId)> {
        let mut all: Vec<_> = self.active.keys().copied().collect();
        all.sort_unstable();
        all
    }

    /// Looks applied of a source and sport.
    pub fn looks_applied(&self, source: u32, sport: SportId) -> u64 {
        self.looks.get(&(source, sport)).copied().unwrap_or_default()
    }

    /// Every quote of an event, gone ones included. By book in the order in which books were first met.
    pub fn quotes_of(&self, id: EventId) -> impl Iterator<Item = (QuoteKey, QuoteValue)> + '_ {
        let books = self.event(id).map_or(&[][..], |e| &e.books);
        books.iter().flat_map(|b| {
            b.groups.iter().flat_map(move |g| {
                g.quotes
                    .iter()
                    .map(move |q| (QuoteKey { book: b.book, market: g.market, selection: q.selection }, q.value))
            })
        })
    }

    /// The model by which lines of a market of whole games convert; `None`: there is none for the sport or the market.
    pub fn conversion(&self, sport: SportId, market: MarketId) -> Option<&'static Distribution> {
        let spec = self.names.spec(market);
        let profile = (*self.sports.get(usize::from(sport.0))?)?;
        if spec.partial || spec.stance != Stance::Back {
            return None;
        }
        match spec.family {
            Family::Spread => profile.margin.map(|r| r.model),
            Family::Total => profile.total.map(|r| r.model),
            _ => None,
        }
    }
}
