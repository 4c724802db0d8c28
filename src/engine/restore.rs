//! Putting an engine back into the state it had after some look, from what the store kept.

use super::apply::Engine;
use super::changes::{EventRow, Issue, QuoteKey};
use super::names::{NameKind, Names};
use super::settings::EngineSettings;
use super::state::{BookState, EventState, Fate, Flaws, GroupState, QuoteState};
use super::status::QuoteValue;
use crate::market::ids::{BookId, EventId, LookId, MarketId, Slot, SportId};
use crate::market::market_key::MarketSpec;
use crate::market::quality::Reason;
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// Everything the engine needs to know again.
#[derive(Clone, Debug, Default)]
pub struct EngineImage {
    /// Names by list, in the order of their numbers.
    pub names: Vec<(NameKind, Vec<String>)>,
    /// Number of the last look.
    pub last_look: LookId,
    /// Looks applied per source and sport.
    pub looks: Vec<(u32, SportId, u64)>,
    /// Every event ever numbered: source number, provider id, and the slots given so far.
    pub aliases: Vec<(EventId, u32, String, u32)>,
    /// Events to remember in full.
    pub events: Vec<EventImage>,
}

/// One source and sport as of an earlier look.
#[derive(Clone, Debug, Default)]
pub struct SportImage {
    /// Looks applied until then.
    pub looks: u64,
    /// Events to remember in full.
    pub events: Vec<EventImage>,
    /// Events that appeared only later.
    pub unborn: Vec<EventId>,
}

/// One event in full.
#[derive(Clone, Debug)]
pub struct EventImage {
    /// The event.
    pub row: EventRow,
    /// Look of its last keyframe, or of its first appearance, counted from 1 within its source and sport.
    pub keyframe_look: u64,
    /// Rows of the change log since then.
    pub rows_since_keyframe: u32,
    /// Every slot: what it stands for and its value.
    pub quotes: Vec<(Slot, QuoteKey, QuoteValue)>,
    /// How long the provider's time of a market has stood still.
    pub stalls: Vec<Stall>,
    /// Issues that have not ended: book, market, reason.
    pub open_issues: Vec<(Option<BookId>, Option<MarketId>, Reason)>,
}

/// How long the provider's time of one market has stood still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stall {
    /// Lowest slot of the market's quotes.
    pub group: Slot,
    /// The time.
    pub provider_update: Option<Timestamp>,
    /// When it was first received, as far back as matters.
    pub advanced_at: Timestamp,
    /// Looks since then that showed the same time, as far back as matters.
    pub stalled_looks: u8,
}

impl Engine {
    /// An engine in the state of `image`.
    pub fn restore(settings: EngineSettings, image: EngineImage) -> Self {
        let mut engine = Self::new(settings);
        engine.last_look = image.last_look;
        engine.looks = image.looks.into_iter().map(|(source, sport, n)| ((source, sport), n)).collect();
        for (kind, names) in image.names {
            let list = kind.list(&mut engine.names);
            for name in names {
                list.intern(&name);
            }
        }
        let count = image.aliases.iter().map(|(id, ..)| id.0).max().unwrap_or(0) as usize;
        engine.events.resize_with(count, || None);
        for (id, source, provider_id, slots) in image.aliases {
            engine.aliases.entry(source).or_default().insert(provider_id.into(), id);
            engine.retired_slots.insert(id, slots);
        }
        engine.remember(image.events);
        engine
    }

    /// Takes one source and sport back to an earlier look. Everything else stays, and so do the numbers of its events.
    pub fn take_back(&mut self, source: u32, sport: SportId, then: SportImage) {
        self.looks.insert((source, sport), then.looks);
        for id in &then.unborn {
            self.retired_slots.remove(id);
        }
        for id in self.active.remove(&(source, sport)).unwrap_or_default() {
            if let Some(place) = self.events.get_mut((id.0 as usize).wrapping_sub(1)) {
                *place = None;
            }
        }
        self.remember(then.events);
    }

    fn remember(&mut self, mut events: Vec<EventImage>) {
        let engine = self;
        // The order of remembered events must not depend on the order in which the store found them.
        events.sort_by_key(|e| e.row.id);
        for event in events {
            let id = event.row.id;
            let key = (event.row.source, event.row.sport);
            let slots = engine.retired_slots.remove(&id).unwrap_or(0);
            let mut state = build_event(&engine.names, &engine.settings, event, slots);
            engine.remember_views(&mut state);
            if let Some(place) = engine.events.get_mut((id.0 as usize).wrapping_sub(1)) {
                *place = Some(Box::new(state));
                engine.active.entry(key).or_default().push(id);
            }
        }
    }
}

impl Engine {
    /// Notes an issue that an answer had and its stored form cannot show, so that it ends with the next look.
    pub fn remember_issue(&mut self, issue: &Issue) {
        let Some(event) = issue.event.and_then(|id| self.events.get_mut((id.0 as usize).checked_sub(1)?)) else {
            return;
        };
        let Some(event) = event.as_deref_mut() else { return };
        match (issue.book, issue.market) {
            (Some(book), Some(market)) => {
                group_of(&self.names, &self.settings, event, book, market).flaws.add(issue.reason);
            }
            (Some(book), None) => {
                book_of(&self.names, &self.settings, event, book).flaws.add(issue.reason);
            }
            _ => {
                event.flaws.add(issue.reason);
            }
        }
    }
}

pub(super) fn build_event(names: &Names, settings: &EngineSettings, image: EventImage, slots: u32) -> EventState {
    let row = image.row;
    let mut event = EventState {
        id: row.id,
        source: row.source,
        provider_id: row.provider_id,
        sport: row.sport,
        home: row.home,
        away: row.away,
        commence: row.commence,
        first_seen: row.first_seen,
        status: row.status,
        score: row.score,
        present_in: LookId(0),
        flaws: Flaws::default(),
        next_slot: slots,
        slots_before: 0,
        rows_since_keyframe: image.rows_since_keyframe,
        keyframe_look: image.keyframe_look,
        books: Vec::new(),
        memory: None,
    };
    let mut quotes = image.quotes;
    quotes.sort_unstable_by_key(|(slot, ..)| *slot);
    for (slot, key, value) in quotes {
        event.next_slot = event.next_slot.max(slot.0 + 1);
        let group = group_of(names, settings, &mut event, key.book, key.market);
        group.three_way |= key.selection.side == Side::Draw;
        if value.status.is_present() {
            group.provider_update = value.provider_update;
        }
        group.quotes.push(QuoteState {
            slot,
            selection: key.selection,
            shown_in: LookId(0),
            fate: Fate::Unreadable,
            touched: false,
            fresh: false,
            value,
        });
    }
    // As tight as a slate that was received.
    event.books.shrink_to_fit();
    for book in &mut event.books {
        book.groups.shrink_to_fit();
        book.groups.iter_mut().for_each(|g| g.quotes.shrink_to_fit());
    }
    for stall in image.stalls {
        let groups = event.books.iter_mut().flat_map(|b| &mut b.groups);
        if let Some(group) = groups.into_iter().find(|g| g.number() == Some(stall.group)) {
            group.provider_update = stall.provider_update;
            group.advanced_at = stall.advanced_at;
            group.stalled_looks = stall.stalled_looks;
        }
    }
    for (book, market, reason) in image.open_issues {
        // Facts about a name: told once, never ended.
        if matches!(reason, Reason::UnknownBook | Reason::UnknownMarket | Reason::RescheduleCandidate) {
            continue;
        }
        match (book, market) {
            (Some(book), Some(market)) => {
                group_of(names, settings, &mut event, book, market).flaws.add(reason);
            }
            (Some(book), None) => {
                book_of(names, settings, &mut event, book).flaws.add(reason);
            }
            _ => {
                event.flaws.add(reason);
            }
        }
    }
    event
}

fn book_of<'e>(names: &Names, settings: &EngineSettings, event: &'e mut EventState, book: BookId) -> &'e mut BookState {
    let at = event.books.iter().position(|b| b.book == book).unwrap_or_else(|| {
        let info = settings.books.get(names.book(book));
        event.books.push(BookState {
            book,
            max_age_ms: info.and_then(|i| i.max_age_ms).unwrap_or(settings.max_age_ms),
            exchange: info.is_some_and(|i| i.exchange),
            direct: info.is_some_and(|i| i.direct),
            flaws: Flaws::default(),
            present_in: LookId(0),
            groups: Vec::new(),
        });
        event.books.len() - 1
    });
    &mut event.books[at]
}

fn group_of<'e>(
    names: &Names,
    settings: &EngineSettings,
    event: &'e mut EventState,
    book: BookId,
    market: MarketId,
) -> &'e mut GroupState {
    let groups = &mut book_of(names, settings, event, book).groups;
    let g = groups.iter().position(|g| g.market == market).unwrap_or_else(|| {
        groups.push(GroupState {
            market,
            spec: MarketSpec::parse(names.market(market)),
            three_way: false,
            present_in: LookId(0),
            provider_update: None,
            advanced_at: Timestamp::default(),
            stalled_looks: 0,
            flaws: Flaws::default(),
            dirty: false,
            quotes: Vec::new(),
        });
        groups.len() - 1
    });
    &mut groups[g]
}
