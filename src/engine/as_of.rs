//! The state of an event at an earlier instant, from the change log.
//!
//! A row of the log holds the line, price and status of a quote from one look on. What the log does not repeat (that
//! an unchanged quote was seen again, and the provider's time of it) stands in what each look saw, and is filled in by
//! walking the looks backwards until every quote is found.

use super::status::{Phase, QuoteValue, Status};
use crate::market::ids::{LookId, Slot};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::time::Timestamp;

/// One row of the change log, as stored.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogRow {
    /// The look.
    pub look: LookId,
    /// When the look was received.
    pub at: Timestamp,
    /// Which quote of the event.
    pub slot: Slot,
    /// Line from now on.
    pub line: Option<Line>,
    /// Price from now on.
    pub price: Price,
    /// Status from now on.
    pub status: Status,
    /// Phase of the last look that showed it.
    pub phase: Phase,
    /// For quotes that this look did not show: when they were last seen. `None`: shown by this look.
    pub last_seen: Option<Timestamp>,
    /// For quotes that this look did not show: the provider's time when last seen.
    pub provider_update: Option<Timestamp>,
}

/// A quote that is being put together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Folded {
    /// Which quote of the event.
    pub slot: Slot,
    /// The quote. Its clocks of the last look are right only once [`Folded::resolved`].
    pub value: QuoteValue,
    /// The clocks are final.
    pub resolved: bool,
}

/// Puts the state of one event together: keyframe first, then rows in the order of the log, then looks backwards.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    /// In the order of slots.
    quotes: Vec<Folded>,
    unresolved: usize,
    rows: u32,
}

impl Fold {
    /// Starts from the values of a keyframe, or from nothing.
    pub fn new(keyframe: Vec<(Slot, QuoteValue)>) -> Self {
        let quotes: Vec<_> = keyframe
            .into_iter()
            .map(|(slot, value)| Folded { slot, value, resolved: !value.status.is_present() })
            .collect();
        let unresolved = quotes.iter().filter(|q| !q.resolved).count();
        Self { quotes, unresolved, rows: 0 }
    }

    /// Adds the next row of the log.
    pub fn push(&mut self, row: &LogRow) {
        self.rows += 1;
        let (line, price) = (row.line, row.price);
        let last_seen = row.last_seen.unwrap_or(row.at);
        let at = match self.quotes.binary_search_by_key(&row.slot, |q| q.slot) {
            Ok(at) => at,
            Err(at) => {
                let value = QuoteValue {
                    line,
                    price,
                    status: row.status,
                    phase: row.phase,
                    first_seen: row.at,
                    last_changed: row.at,
                    last_seen,
                    provider_update: None,
                };
                self.quotes.insert(at, Folded { slot: row.slot, value, resolved: true });
                at
            }
        };
        let Some(quote) = self.quotes.get_mut(at) else { return };
        if quote.value.line != line || quote.value.price != price {
            quote.value.last_changed = row.at;
        }
        let value = &mut quote.value;
        (value.line, value.price, value.status, value.phase) = (line, price, row.status, row.phase);
        (value.last_seen, value.provider_update) = (last_seen, row.provider_update);
        let resolved = row.last_seen.is_some();
        match (quote.resolved, resolved) {
            (true, false) => self.unresolved += 1,
            (false, true) => self.unresolved -= 1,
            _ => {}
        }
        quote.resolved = resolved;
    }

    /// Every quote has its clocks.
    pub fn is_resolved(&self) -> bool {
        self.unresolved == 0
    }

    /// Rows pushed.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Tells of a look at `at`, newest first, in an event that then started at `start`. `shown` answers whether the look
    /// showed the market of a quote, and the provider's time of it.
    pub fn seen(&mut self, at: Timestamp, start: Timestamp, shown: impl Fn(Slot) -> Option<Option<Timestamp>>) {
        for quote in self.quotes.iter_mut().filter(|q| !q.resolved) {
            let Some(update) = shown(quote.slot) else { continue };
            quote.value.last_seen = at;
            quote.value.provider_update = update;
            quote.value.phase = Phase::of(at, start);
            quote.resolved = true;
            self.unresolved -= 1;
        }
    }

    /// The quotes in the order of slots.
    pub fn into_quotes(self) -> Vec<(Slot, QuoteValue)> {
        self.quotes.into_iter().map(|q| (q.slot, q.value)).collect()
    }
}
