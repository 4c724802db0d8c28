//! Stored looks as batches again.
//!
//! What a look showed is put into the form in which it came, so that the engine judges it as it did then: applied to
//! an engine in the state before the look, the batch gives the same changes. Only the wording of complaints is lost.
#![warn(missing_docs)]

use std::borrow::Cow;

use crate::engine::names::Names;
use crate::engine::note::{BookNote, MarketNote};
use crate::market::batch::{Batch, BookObs, Defect, EventObs, MarketObs, OutcomeObs, Place};
use crate::market::ids::SportId;
use crate::market::line::Line;
use crate::market::price::{OddsFormat, Price};
use crate::market::quality::Reason;
use crate::market::selection::{Selection, Side};
use crate::store::replay::{StoredEvent, StoredGroup, StoredLook};

/// The detail of defects that are told again.
pub const AGAIN: &str = "as received; the wording was not kept";

/// The batch of a look of `source` and `sport`.
pub fn batch<'a>(look: &'a StoredLook, source: u32, sport: SportId, names: &'a Names) -> Batch<'a> {
    let mut batch = Batch::empty(names.sources.name(source), names.sport(sport), look.endpoint, look.received_at);
    batch.scope = look.meta.scope.clone();
    // All prices of an answer are written in one form.
    let first = look.events.iter().flat_map(|e| &e.groups).flat_map(|g| &g.quotes).next();
    batch.format = first.map_or(OddsFormat::American, |(_, _, price)| price.format());
    let mut builder = Builder { batch, names };
    for event in &look.events {
        builder.event(event);
    }
    builder.batch
}

struct Builder<'a> {
    batch: Batch<'a>,
    names: &'a Names,
}

impl<'a> Builder<'a> {
    fn defects(&mut self, place: Place, reasons: &[Reason]) {
        for reason in reasons {
            self.batch.defects.push(Defect { place, reason: *reason, detail: AGAIN.to_owned() });
        }
    }

    fn event(&mut self, event: &'a StoredEvent) {
        let index = self.batch.events.len() as u32;
        self.defects(Place::Event(index), &event.note.reasons);
        let books = self.batch.books.len() as u32;
        let mut groups = event.groups.as_slice();
        let noted = |b: &'a BookNote| groups_of(&event.groups, b).is_none();
        while let Some(first) = groups.first() {
            let split = groups.iter().position(|g| g.book != first.book).unwrap_or(groups.len());
            let (of_book, rest) = groups.split_at(split);
            let note = event.note.books.iter().find(|n| n.book == first.book);
            self.book(index, event, self.names.book(first.book), of_book, note);
            groups = rest;
        }
        for note in event.note.books.iter().filter(|n| noted(n)) {
            self.book(index, event, self.names.book(note.book), &[], Some(note));
        }
        let team = |name: &'a str| (!name.is_empty()).then_some(Cow::Borrowed(name));
        self.batch.events.push(EventObs {
            id: Cow::Borrowed(&event.row.provider_id),
            sport: self.batch.sport.clone(),
            commence: (!event.note.without_start).then_some(event.commence),
            home: team(&event.row.home),
            away: team(&event.row.away),
            has_odds: !event.note.without_odds,
            books: books..self.batch.books.len() as u32,
            score: event.note.score,
        });
    }

    fn book(
        &mut self,
        event_index: u32,
        event: &'a StoredEvent,
        key: &'a str,
        groups: &'a [StoredGroup],
        note: Option<&'a BookNote>,
    ) {
        let index = self.batch.books.len() as u32;
        if let Some(note) = note {
            self.defects(Place::Book(event_index, index), &note.reasons);
        }
        let markets = self.batch.markets.len() as u32;
        let notes = &event.note.markets;
        let is_of = |n: &MarketNote, g: &StoredGroup| n.book == g.book && n.market == g.market;
        for group in groups {
            let note = notes.iter().find(|n| is_of(n, group));
            let key = self.names.market(group.market);
            self.market(event_index, index, event, key, group.provider_update, &group.quotes, note);
        }
        let book = note.map(|n| n.book).or(groups.first().map(|g| g.book));
        for note in notes.iter().filter(|n| Some(n.book) == book && !groups.iter().any(|g| is_of(n, g))) {
            let key = self.names.market(note.market);
            self.market(event_index, index, event, key, note.provider_update, &[], Some(note));
        }
        let markets = markets..self.batch.markets.len() as u32;
        self.batch.books.push(BookObs { key: Cow::Borrowed(key), title: Cow::Borrowed(""), markets });
    }

    #[allow(clippy::too_many_arguments)]
    fn market(
        &mut self,
        event_index: u32,
        book_index: u32,
        event: &'a StoredEvent,
        key: &'a str,
        last_update: Option<crate::market::time::Timestamp>,
        quotes: &[(Selection, Option<Line>, Price)],
        note: Option<&'a MarketNote>,
    ) {
        let index = self.batch.markets.len() as u32;
        let start = self.batch.outcomes.len() as u32;
        for (selection, line, price) in quotes {
            let price = match price.format() {
                OddsFormat::American => price.to_american() as f64,
                OddsFormat::Decimal => price.to_decimal(),
            };
            self.outcome(event, *selection, price, line.or(selection.line).map_or(f64::NAN, Line::points));
        }
        if let Some(note) = note {
            for selection in &note.unreadable {
                self.outcome(event, *selection, f64::NAN, selection.line.map_or(0.0, Line::points));
            }
            // A defect of the market itself says that something is missing; one of an outcome does not.
            let outcome = (self.batch.outcomes.len() as u32 > start).then_some(Place::Outcome(
                event_index,
                book_index,
                index,
                start,
            ));
            let market = Place::Market(event_index, book_index, index);
            let place = outcome.filter(|_| !note.damaged).unwrap_or(market);
            self.defects(place, &note.reasons);
        }
        let outcomes = start..self.batch.outcomes.len() as u32;
        self.batch.markets.push(MarketObs { key: Cow::Borrowed(key), last_update, outcomes });
    }

    fn outcome(&mut self, event: &'a StoredEvent, selection: Selection, price: f64, point: f64) {
        let subject = self.names.subject(selection.subject);
        let name = match selection.side {
            Side::Home => &*event.row.home,
            Side::Away => &*event.row.away,
            Side::Draw => "Draw",
            Side::Over => "Over",
            Side::Under => "Under",
            Side::Yes => "Yes",
            Side::No => "No",
            Side::Named => subject,
        };
        let about = selection.side != Side::Named && !subject.is_empty();
        let description = about.then_some(Cow::Borrowed(subject));
        self.batch.outcomes.push(OutcomeObs { name: Cow::Borrowed(name), description, price, point, limit: 0.0 });
    }
}

fn groups_of<'g>(groups: &'g [StoredGroup], note: &BookNote) -> Option<&'g StoredGroup> {
    groups.iter().find(|g| g.book == note.book)
}
