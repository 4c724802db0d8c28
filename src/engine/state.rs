//! What the engine remembers of each event.

use super::changes::{EventRow, EventStatus};
use super::memory::EventMemory;
use super::status::QuoteValue;
use crate::market::ids::{BookId, EventId, LookId, MarketId, Slot, SportId};
use crate::market::market_key::{Family, MarketSpec};
use crate::market::quality::Reason;
use crate::market::selection::Selection;
use crate::market::time::Timestamp;

/// A set of [`Reason`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flaws(u32);

impl Flaws {
    /// Adds; answers whether it is new.
    pub(crate) fn add(&mut self, reason: Reason) -> bool {
        let bit = 1_u32 << reason.number();
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    pub(crate) fn has(self, reason: Reason) -> bool {
        self.0 & (1 << reason.number()) != 0
    }

    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    /// What is in `self` and not in `later`.
    pub(crate) fn cleared_by(self, later: Self) -> impl Iterator<Item = Reason> {
        let gone = self.0 & !later.0;
        Reason::ALL.iter().copied().filter(move |r| gone & (1 << r.number()) != 0)
    }
}

/// One game and all its quotes.
#[derive(Clone, Debug)]
pub(crate) struct EventState {
    pub(crate) id: EventId,
    pub(crate) source: u32,
    pub(crate) provider_id: Box<str>,
    pub(crate) sport: SportId,
    pub(crate) home: Box<str>,
    pub(crate) away: Box<str>,
    pub(crate) commence: Timestamp,
    pub(crate) first_seen: Timestamp,
    pub(crate) status: EventStatus,
    pub(crate) score: Option<(i32, i32)>,
    /// The last look whose answer contained this event.
    pub(crate) present_in: LookId,
    pub(crate) flaws: Flaws,
    pub(crate) next_slot: u32,
    /// Slots given in earlier lives of an event that was let go of and came back.
    pub(crate) slots_before: u32,
    /// Rows of the change log since the last keyframe.
    pub(crate) rows_since_keyframe: u32,
    /// The look of the last keyframe; before the first one, the look that brought the event. Counted within its source
    /// and sport.
    pub(crate) keyframe_look: u64,
    pub(crate) books: Vec<BookState>,
    /// What the analysis remembers.
    pub(crate) memory: Option<Box<EventMemory>>,
}

impl EventState {
    pub(crate) fn row(&self) -> EventRow {
        EventRow {
            id: self.id,
            source: self.source,
            provider_id: self.provider_id.clone(),
            sport: self.sport,
            home: self.home.clone(),
            away: self.away.clone(),
            commence: self.commence,
            first_seen: self.first_seen,
            status: self.status,
            score: self.score,
        }
    }

    /// Any quote that the last answer showed.
    pub(crate) fn has_present_quotes(&self) -> bool {
        self.quotes().any(|q| q.value.status.is_present())
    }

    /// Every quote ever received.
    pub(crate) fn quotes(&self) -> impl Iterator<Item = &QuoteState> {
        self.groups().flat_map(|g| &g.quotes)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &GroupState> {
        self.books.iter().flat_map(|b| &b.groups)
    }
}

/// One book in one event.
#[derive(Clone, Debug)]
pub(crate) struct BookState {
    pub(crate) book: BookId,
    pub(crate) max_age_ms: i64,
    pub(crate) exchange: bool,
    /// The exchange is listened to directly.
    pub(crate) direct: bool,
    pub(crate) flaws: Flaws,
    pub(crate) present_in: LookId,
    pub(crate) groups: Vec<GroupState>,
}

/// One market of one book in one event: what is seen, aged and judged together.
#[derive(Clone, Debug)]
pub(crate) struct GroupState {
    pub(crate) market: MarketId,
    pub(crate) spec: MarketSpec,
    /// Must have a Draw.
    pub(crate) three_way: bool,
    pub(crate) present_in: LookId,
    pub(crate) provider_update: Option<Timestamp>,
    /// When `provider_update` was first received.
    pub(crate) advanced_at: Timestamp,
    /// Looks since then that showed the same time, saturating.
    pub(crate) stalled_looks: u8,
    pub(crate) flaws: Flaws,
    /// A value, status or phase changed since the analysis last looked.
    pub(crate) dirty: bool,
    pub(crate) quotes: Vec<QuoteState>,
}

impl GroupState {
    /// The group's number in [`super::seen`]: the lowest slot of its quotes. A group without quotes has none.
    pub(crate) fn number(&self) -> Option<Slot> {
        self.quotes.first().map(|q| q.slot)
    }

    /// The outcomes that a complete market of this kind has; 0 where it is open.
    pub(crate) fn complete_size(&self) -> usize {
        match self.spec.family {
            Family::Moneyline | Family::Moneyline3Way if self.three_way => 3,
            Family::Moneyline3Way | Family::DoubleChance => 3,
            Family::Moneyline | Family::Spread | Family::Total | Family::BothScore | Family::DrawNoBet => 2,
            Family::TeamTotal | Family::Outright | Family::Proposition | Family::Other => 0,
        }
    }
}

/// How a look showed an outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// With a line and a price.
    Readable,
    /// With a price that stands for "nothing here".
    Placeholder,
    /// With something that is no price or no line; the last good value is kept.
    Unreadable,
}

/// One outcome at one book.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuoteState {
    pub(crate) slot: Slot,
    pub(crate) selection: Selection,
    /// The last look that showed it, with a readable value or not.
    pub(crate) shown_in: LookId,
    /// How the current look showed it; means nothing unless `shown_in` is that look.
    pub(crate) fate: Fate,
    /// Its value changed in the current look.
    pub(crate) touched: bool,
    /// Its key has not been given out yet.
    pub(crate) fresh: bool,
    pub(crate) value: QuoteValue,
}

impl QuoteState {
    /// The look showed it with a line and a price.
    pub(crate) fn readable_in(&self, look: LookId) -> bool {
        self.shown_in == look && self.fate != Fate::Unreadable
    }
}
