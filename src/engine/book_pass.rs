//! One book of an event: which of its markets the answer shows, and which it no longer does.

use super::apply::{Engine, Pass};
use super::changes::Cleared;
use super::names::NameKind;
use super::note::{BookNote, EventNote, own_reasons};
use super::seen::SeenWriter;
use super::state::{BookState, EventState, Flaws, GroupState};
use super::status::Status;
use crate::market::batch::{Batch, BookObs, EventObs, Place};
use crate::market::ids::{BookId, LookId, MarketId};
use crate::market::market_key::{Family, MarketSpec};
use crate::market::quality::Reason;

impl Engine {
    pub(super) fn apply_books(
        &mut self,
        pass: &mut Pass<'_>,
        batch: &Batch<'_>,
        index: u32,
        obs: &EventObs<'_>,
        event: &mut EventState,
        damaged: bool,
    ) {
        // Most lists never grow again; a vector left to itself would keep room for twice as much.
        reserve_first(&mut event.books, batch.books_of(obs).len());
        for (i, book) in batch.books_of(obs).iter().enumerate() {
            // What others say of an exchange that is listened to would undo what it says itself.
            if self.settings.listens_to(&book.key) != pass.exchange {
                continue;
            }
            let book_index = obs.books.start + i as u32;
            let at = self.find_book(pass, event, i, &book.key);
            self.apply_book(pass, batch, index, book_index, book, event, at);
        }
        // Books that the answer does not show.
        for at in 0..event.books.len() {
            let book = &event.books[at];
            if book.present_in == pass.look || !self.asked_book(pass, book.book) {
                continue;
            }
            for g in 0..event.books[at].groups.len() {
                let market = event.books[at].groups[g].market;
                if pass.asked.market(market, &self.names) {
                    let status = if damaged { Status::Unreadable } else { Status::Gone };
                    end_group(pass, event, at, g, status);
                }
            }
            if !damaged {
                let (id, book) = (event.id, &mut event.books[at]);
                for reason in std::mem::take(&mut book.flaws).cleared_by(Flaws::default()) {
                    pass.out.cleared.push(Cleared { event: id, book: Some(book.book), market: None, reason });
                }
            }
        }
    }

    pub(super) fn asked_book(&self, pass: &mut Pass<'_>, book: BookId) -> bool {
        pass.asked.book(book, &self.names, &self.settings)
    }

    /// The place of a book in the event, made if it is new. `hint`: where it stood if nothing was added or lost.
    fn find_book(&mut self, pass: &mut Pass<'_>, event: &mut EventState, hint: usize, key: &str) -> usize {
        if let Some(book) = event.books.get(hint)
            && self.names.book(book.book) == key
        {
            return hint;
        }
        let number = BookId(self.intern(pass, NameKind::Book, key) as u16);
        if let Some(at) = event.books.iter().position(|b| b.book == number) {
            return at;
        }
        let info = self.settings.books.get(key);
        if info.is_none()
            && !self.settings.books.is_empty()
            && pass.out.names.iter().any(|n| n.kind == NameKind::Book && *n.name == *key)
        {
            let detail = format!("{key} is not in the book table; treated as a retail book of its own");
            pass.issue(Some(event.id), Some(number), None, Reason::UnknownBook, detail);
        }
        event.books.push(BookState {
            book: number,
            max_age_ms: info.and_then(|i| i.max_age_ms).unwrap_or(self.settings.max_age_ms),
            exchange: info.is_some_and(|i| i.exchange),
            direct: info.is_some_and(|i| i.direct),
            flaws: Flaws::default(),
            present_in: LookId(0),
            groups: Vec::new(),
        });
        event.books.len() - 1
    }

    #[allow(clippy::too_many_arguments)]
    fn apply_book(
        &mut self,
        pass: &mut Pass<'_>,
        batch: &Batch<'_>,
        event_index: u32,
        book_index: u32,
        obs: &BookObs<'_>,
        event: &mut EventState,
        at: usize,
    ) {
        let (id, book_id) = (event.id, event.books[at].book);
        let mut flaws = Flaws::default();
        let mut damaged = false;
        if event.books[at].present_in == pass.look {
            // The first of two records of one book counts.
            let reason = Reason::DuplicateBook;
            let known = pass.goes_on(Cleared { event: id, book: Some(book_id), market: None, reason });
            if event.books[at].flaws.add(reason) && !known {
                pass.issue(Some(id), Some(book_id), None, reason, format!("{} stands twice", obs.key));
            }
            return;
        }
        event.books[at].present_in = pass.look;
        for (_, reason, detail) in pass.defects.at(Place::Book(event_index, book_index)).to_vec() {
            damaged = true;
            if flaws.add(reason) && !event.books[at].flaws.has(reason) {
                pass.issue(Some(id), Some(book_id), None, reason, detail);
            }
        }
        for reason in event.books[at].flaws.cleared_by(flaws) {
            pass.out.cleared.push(Cleared { event: id, book: Some(book_id), market: None, reason });
        }
        event.books[at].flaws = flaws;
        reserve_first(&mut event.books[at].groups, batch.markets_of(obs).len());
        for (i, market) in batch.markets_of(obs).iter().enumerate() {
            let market_index = obs.markets.start + i as u32;
            let g = self.find_group(pass, event, at, i, &market.key);
            let place = Place::Market(event_index, book_index, market_index);
            self.apply_market(pass, batch, place, market, event, at, g);
        }
        let counted = event.books[at].groups.iter().any(|g| g.present_in == pass.look && !g.quotes.is_empty());
        if flaws.any() || !counted {
            pass.note.books.push(BookNote { book: book_id, reasons: own_reasons(flaws) });
        }
        for g in 0..event.books[at].groups.len() {
            let group = &event.books[at].groups[g];
            if group.present_in == pass.look || !pass.asked.market(group.market, &self.names) {
                continue;
            }
            // The book is in the answer, so it was asked for; what it no longer shows is gone.
            end_group(pass, event, at, g, if damaged { Status::Unreadable } else { Status::Gone });
        }
    }

    fn find_group(&mut self, pass: &mut Pass<'_>, event: &mut EventState, at: usize, hint: usize, key: &str) -> usize {
        if let Some(group) = event.books[at].groups.get(hint)
            && self.names.market(group.market) == key
        {
            return hint;
        }
        let number = MarketId(self.intern(pass, NameKind::Market, key) as u16);
        if let Some(g) = event.books[at].groups.iter().position(|g| g.market == number) {
            return g;
        }
        let spec = MarketSpec::parse(key);
        if spec.family == Family::Other && pass.out.names.iter().any(|n| n.kind == NameKind::Market && *n.name == *key)
        {
            let detail = format!("{key} is stored and shown, not calculated with");
            pass.issue(Some(event.id), Some(event.books[at].book), Some(number), Reason::UnknownMarket, detail);
        }
        event.books[at].groups.push(GroupState {
            market: number,
            spec,
            three_way: false,
            present_in: LookId(0),
            provider_update: None,
            advanced_at: pass.at,
            stalled_looks: 0,
            flaws: Flaws::default(),
            dirty: false,
            quotes: Vec::new(),
        });
        event.books[at].groups.len() - 1
    }
}

/// Room for exactly as many as the first answer shows.
pub(super) fn reserve_first<T>(list: &mut Vec<T>, count: usize) {
    if list.is_empty() {
        list.reserve_exact(count);
    }
}

/// Ends the quotes of a market that the answer did not show.
pub(super) fn end_group(pass: &mut Pass<'_>, event: &mut EventState, at: usize, g: usize, status: Status) {
    let id = event.id;
    let book = &mut event.books[at];
    let book_id = book.book;
    let group = &mut book.groups[g];
    for quote in &mut group.quotes {
        let before = quote.value.status;
        // Gone stays gone: nothing that proves less can bring a quote back.
        if before == status || before == Status::Gone {
            continue;
        }
        quote.value.status = status;
        pass.row(id, quote, None);
        group.dirty = true;
        event.rows_since_keyframe += 1;
    }
    // A market that comes back starts afresh.
    (group.provider_update, group.stalled_looks) = (None, 0);
    if status == Status::Gone && group.flaws.any() {
        for reason in group.flaws.cleared_by(Flaws::default()) {
            pass.out.cleared.push(Cleared { event: id, book: Some(book_id), market: Some(group.market), reason });
        }
        group.flaws = Flaws::default();
    }
}

/// Notes which markets of the event this look showed.
pub(super) fn write_seen(seen: &mut SeenWriter, event: &EventState, look: LookId, note: &EventNote) {
    let shown = event.groups().filter(|g| g.present_in == look);
    let mut shown: Vec<_> = shown.filter_map(|g| Some((g.number()?, g.provider_update))).collect();
    // The order in which books were first met is lost with a restart; that of the numbers is not.
    shown.sort_unstable_by_key(|(number, _)| *number);
    seen.event(event.id, shown.len(), note);
    for (number, provider_update) in shown {
        seen.group(number, provider_update);
    }
}
