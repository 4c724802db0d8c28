//! The shapes of bad content, applied to an answer before it is written.

use std::borrow::Cow;

use super::faults::FaultKind;
use super::pricing::Odds;
use super::rng::{mix, name_tag};
use super::view::{BookView, EventView, MarketView, OutcomeView, PriceView};

const HOUR_MS: i64 = 3_600_000;

/// Faults of the list of events. Answers whether the order of starts may have changed.
pub fn bend_events(kind: FaultKind, events: &mut Vec<EventView>, hit: impl Fn(&EventView) -> bool) -> bool {
    match kind {
        FaultKind::EmptyArray => events.retain(|e| !hit(e)),
        FaultKind::VanishingEvent => events.retain(|e| !hit(e)),
        FaultKind::MovedGame => {
            for e in events.iter_mut().filter(|e| hit(e)) {
                e.commence = e.commence.plus(2 * HOUR_MS);
            }
        }
        FaultKind::NewId => {
            for e in events.iter_mut() {
                if hit(e) {
                    e.id = other_id(&e.id);
                    e.commence = e.commence.plus(30 * HOUR_MS);
                }
            }
        }
        FaultKind::Doubleheader => {
            let second = events.iter().filter(|e| hit(e)).map(|e| EventView {
                id: other_id(&e.id),
                commence: e.commence.plus(4 * HOUR_MS),
                ..e.clone()
            });
            let second: Vec<EventView> = second.collect();
            events.extend(second);
        }
        _ => return false,
    }
    true
}

fn other_id(id: &str) -> String {
    let tag = name_tag(id);
    format!("{:016x}{:016x}", mix(&[tag, 1]), mix(&[tag, 2]))
}

/// Faults of an event as a whole.
pub fn bend_event(kind: FaultKind, event: &mut EventView, hit: bool) {
    match kind {
        FaultKind::NullBookmakers if hit => event.books = None,
        FaultKind::EmptyBookmakers if hit => event.books = Some(Vec::new()),
        FaultKind::UnknownFields if hit => event.extra_fields = true,
        _ => {}
    }
}

/// Faults of books, of one market key or of all.
pub fn bend_books(kind: FaultKind, books: &mut Vec<BookView>, hit: impl Fn(&str) -> bool, market: Option<&str>) {
    let meant = |m: &MarketView| market.is_none_or(|key| m.key == key);
    if kind == FaultKind::VanishingBook {
        books.retain(|b| !hit(b.key));
    }
    for book in books.iter_mut().filter(|b| hit(b.key)) {
        match kind {
            FaultKind::VanishingMarket => book.markets.retain(|m| !meant(m)),
            FaultKind::UnknownMarket => {
                let strange =
                    book.markets.first().map(|m| MarketView { key: Cow::Borrowed("coin_toss_spin"), ..m.clone() });
                book.markets.extend(strange);
            }
            FaultKind::FutureTimestamp => {
                book.last_update = book.last_update.plus(HOUR_MS);
                for m in &mut book.markets {
                    m.last_update = m.last_update.plus(HOUR_MS);
                }
            }
            _ => book.markets.iter_mut().filter(|m| meant(m)).for_each(|m| bend_market(kind, m)),
        }
    }
    books.retain(|b| !b.markets.is_empty());
}

fn bend_market(kind: FaultKind, market: &mut MarketView) {
    let outcomes = &mut market.outcomes;
    let lined = outcomes.iter().any(|o| o.point.is_some());
    match kind {
        FaultKind::SwappedOutcomes => outcomes.reverse(),
        FaultKind::PointZero if lined => outcomes.iter_mut().for_each(|o| o.point = Some(0)),
        FaultKind::UnmirroredSides if lined => {
            if let Some(o) = outcomes.last_mut() {
                o.point = o.point.map(|p| p + 100);
            }
        }
        FaultKind::DuplicateOutcome => {
            let first = outcomes.first().cloned();
            outcomes.extend(first);
        }
        FaultKind::ThreeWay if !lined => {
            let draw = outcomes.first().map(|o| OutcomeView {
                name: "Draw",
                price: PriceView::Odds(Odds::from_milli(15_000)),
                ..o.clone()
            });
            outcomes.extend(draw);
        }
        _ => {
            if let Some(first) = outcomes.first_mut() {
                bend_outcome(kind, first);
            }
        }
    }
}

fn bend_outcome(kind: FaultKind, outcome: &mut OutcomeView) {
    match kind {
        FaultKind::MissingPoint => outcome.point = None,
        FaultKind::PriceOne => outcome.price = PriceView::Odds(Odds { milli: 1000, american: -100_000 }),
        FaultKind::NonNumericPrice => outcome.price = PriceView::Text("N/A"),
        FaultKind::WrongTeam => outcome.name = "Springfield Isotopes",
        _ => {}
    }
}
