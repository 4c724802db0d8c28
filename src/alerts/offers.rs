//! Which markets of which games are on offer, and what a look changed about that.
//!
//! A market is on offer when a book shows it, fresh or not; it is gone when every book that had it has answered without
//! it. An answer in which the whole game was missing proves nothing and changes nothing here.

use rustc_hash::FxHashMap;

use super::message::Kind;
use crate::engine::changes::EventStatus;
use crate::engine::names::NameKind;
use crate::engine::status::Status;
use crate::engine::{Changes, Engine};
use crate::market::ids::{BookId, EventId, MarketId};
use crate::market::time::Timestamp;

/// How a market of a game stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Standing {
    offered: bool,
    /// The look that made it so; `None`: before we looked.
    since: Option<Timestamp>,
}

/// How all markets stand. Can be had anew from the engine at any time, but for how long they have stood so.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offered {
    markets: FxHashMap<(EventId, MarketId), Standing>,
}

/// What a look changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turned {
    /// What is worth telling, in the order of events, then kinds, then markets.
    pub news: Vec<News>,
    standing: Vec<((EventId, MarketId), Standing)>,
    forgotten: Vec<EventId>,
}

/// A market that appeared, vanished or returned before its game has started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// Event.
    pub event: EventId,
    /// [`Kind::Opener`], [`Kind::Gone`] or [`Kind::Reopened`].
    pub kind: Kind,
    /// Market.
    pub market: MarketId,
    /// Since when it had been as it was before; `None`: not known, or never.
    pub was_since: Option<Timestamp>,
    /// Books that offer it now, or offered it last.
    pub books: Vec<BookId>,
}

/// What the books of a market say of it now. `None`: nothing that proves anything.
fn offered(engine: &Engine, event: EventId, market: MarketId) -> Option<bool> {
    let mut all_gone = None;
    for (_, value) in engine.quotes_of(event).filter(|(key, _)| key.market == market) {
        if value.status.is_present() {
            return Some(true);
        }
        all_gone = Some(all_gone.unwrap_or(true) && value.status == Status::Gone);
    }
    (all_gone == Some(true)).then_some(false)
}

impl Offered {
    /// How everything stands that the engine remembers.
    pub fn of(engine: &Engine) -> Self {
        let mut markets = FxHashMap::default();
        for (source, sport) in engine.remembered_sports() {
            for event in engine.remembered(source, sport) {
                for (key, value) in engine.quotes_of(event) {
                    let standing: &mut Standing =
                        markets.entry((event, key.market)).or_insert(Standing { offered: false, since: None });
                    // Whatever may still be there counts as there, so that its return is no news.
                    standing.offered |= value.status != Status::Gone;
                }
            }
        }
        Self { markets }
    }

    /// What a look changed. The engine has applied it already.
    pub fn turned(&self, changes: &Changes, engine: &Engine) -> Turned {
        let look = &changes.look;
        let mut turned =
            Turned { forgotten: changes.forgotten.iter().map(|(event, _)| *event).collect(), ..Turned::default() };
        let first_look = engine.looks_applied(look.source, look.sport) <= 1;
        let touched = touched(changes, engine);
        for (event, market) in touched {
            let Some(now) = offered(engine, event, market) else { continue };
            let before = self.markets.get(&(event, market)).copied();
            let kind = match (before.map(|b| b.offered), now) {
                (None, true) => Kind::Opener,
                (Some(false), true) => Kind::Reopened,
                (Some(true), false) => Kind::Gone,
                (None, false) | (Some(true), true) | (Some(false), false) => continue,
            };
            let standing = Standing { offered: now, since: Some(look.received_at) };
            turned.standing.push(((event, market), standing));
            // Everything is new at the first look, and at the first with a market that was not asked for before.
            let new_name =
                |n: &crate::engine::changes::NewName| n.kind == NameKind::Market && n.number == u32::from(market.0);
            let unasked = kind == Kind::Opener && (first_look || changes.names.iter().any(new_name));
            let open = engine
                .event_row(event)
                .is_some_and(|row| row.status == EventStatus::Scheduled && look.received_at < row.commence);
            if open && !unasked {
                let books = books(engine, event, market, now);
                turned.news.push(News { event, kind, market, was_since: before.and_then(|b| b.since), books });
            }
        }
        turned.news.sort_by_key(|n| (n.event, n.kind, n.market));
        turned
    }

    /// Takes over what a look changed, once that is committed.
    pub fn settle(&mut self, turned: Turned) {
        self.markets.extend(turned.standing);
        if !turned.forgotten.is_empty() {
            self.markets.retain(|(event, _), _| !turned.forgotten.contains(event));
        }
    }
}

fn touched(changes: &Changes, engine: &Engine) -> Vec<(EventId, MarketId)> {
    // Rows of known quotes do not repeat whose they are, so the events that have rows are looked over whole.
    let mut events: Vec<EventId> = changes.quotes.iter().map(|q| q.event).collect();
    events.dedup();
    let mut touched: Vec<(EventId, MarketId)> = Vec::new();
    for event in events {
        let from = touched.len();
        for (key, _) in engine.quotes_of(event) {
            if !touched.get(from..).unwrap_or_default().contains(&(event, key.market)) {
                touched.push((event, key.market));
            }
        }
    }
    touched.sort_unstable();
    touched.dedup();
    touched
}

/// Books in the order of their numbers.
fn books(engine: &Engine, event: EventId, market: MarketId, offered: bool) -> Vec<BookId> {
    let of_market = engine.quotes_of(event).filter(|(key, _)| key.market == market);
    let mut books: Vec<BookId> =
        of_market.filter(|(_, v)| !offered || v.status.is_present()).map(|(key, _)| key.book).collect();
    books.sort_unstable();
    books.dedup();
    books
}
