//! One market of one book: its outcomes, its time, and whether it holds together.

use super::apply::{Engine, Pass};
use super::book_pass::reserve_first;
use super::changes::{Cleared, NewName, QuoteKey};
use super::checks::{EMPTY_SIDE, PLACEHOLDER, contradiction, missing_side, odd_overround};
use super::identity::{side_of, special_selection};
use super::names::NameKind;
use super::note::{MarketNote, own_reasons};
use super::state::{EventState, Fate, Flaws, GroupState, QuoteState};
use super::status::{Phase, QuoteValue, Status};
use crate::market::batch::{Batch, MarketObs, OutcomeObs, Place};
use crate::market::ids::{BookId, EventId, MarketId, Slot};
use crate::market::line::Line;
use crate::market::market_key::Family;
use crate::market::price::{OddsFormat, Price};
use crate::market::quality::Reason;
use crate::market::selection::{Selection, Side};

/// Issues found in one market during one look.
struct Found {
    /// Those of the look before: told already.
    before: Flaws,
    now: Flaws,
    /// Something inside could not be read, so that absence proves nothing here.
    damaged: bool,
    /// Outcomes shown with something that is no value.
    unreadable: Vec<Selection>,
    event: EventId,
    book: BookId,
    market: MarketId,
}

impl Found {
    fn report(&mut self, pass: &mut Pass<'_>, reason: Reason, detail: impl FnOnce() -> String) {
        self.now.add(reason);
        if !self.before.has(reason) {
            pass.issue(Some(self.event), Some(self.book), Some(self.market), reason, detail());
        }
    }
}

/// An outcome with its place in the market.
struct Reading {
    selection: Selection,
    fate: Fate,
    line: Option<Line>,
    /// `None` for [`Fate::Unreadable`].
    price: Option<Price>,
}

impl Engine {
    /// Applies the outcomes of one market to group `g` of book `at`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn apply_market(
        &mut self,
        pass: &mut Pass<'_>,
        batch: &Batch<'_>,
        place: Place,
        obs: &MarketObs<'_>,
        event: &mut EventState,
        at: usize,
        g: usize,
    ) {
        let Place::Market(event_index, book_index, market_index) = place else { return };
        let EventState { id, commence, home, away, books, next_slot, rows_since_keyframe, .. } = event;
        let Some(book) = books.get_mut(at) else { return };
        let (book_id, max_age, exchange) = (book.book, book.max_age_ms, book.exchange);
        let Some(group) = book.groups.get_mut(g) else { return };
        let mut found = Found {
            before: group.flaws,
            now: Flaws::default(),
            damaged: false,
            unreadable: Vec::new(),
            event: *id,
            book: book_id,
            market: group.market,
        };
        if group.present_in == pass.look {
            let (market, reason) = (group.market, Reason::DuplicateMarket);
            let known = pass.goes_on(Cleared { event: *id, book: Some(book_id), market: Some(market), reason });
            if group.flaws.add(reason) && !known {
                let detail = format!("{} stands twice; the first counts", obs.key);
                pass.issue(Some(*id), Some(book_id), Some(market), reason, detail);
            }
            return;
        }
        group.present_in = pass.look;
        for (_, reason, detail) in pass.defects.at(place).to_vec() {
            found.damaged |= reason != Reason::BadTimestamp;
            found.report(pass, reason, || detail);
        }
        let phase = Phase::of(pass.at, *commence);
        let (stale, future) = self.judge_time(pass, &mut found, group, obs, max_age);

        let mut changed = false;
        reserve_first(&mut group.quotes, batch.outcomes_of(obs).len());
        for (i, outcome) in batch.outcomes_of(obs).iter().enumerate() {
            let number = obs.outcomes.start + i as u32;
            let place = Place::Outcome(event_index, book_index, market_index, number);
            let Some(reading) = self.read_outcome(pass, &mut found, place, outcome, batch.format, group, home, away)
            else {
                continue;
            };
            let jump = match group.spec.family {
                Family::Spread => self.settings.spread_jump,
                _ => self.settings.total_jump,
            };
            changed |= place_outcome(pass, &mut found, group, i, reading, phase, next_slot, jump);
            pass.out.look.quotes += 1;
        }

        group.three_way |= group.quotes.iter().any(|q| q.selection.side == Side::Draw && q.shown_in == pass.look);
        let mut broken = future;
        if let Some((reason, detail)) = contradiction(group, pass.look) {
            found.report(pass, reason, || detail);
            broken = true;
        }
        if !found.damaged
            && let Some(detail) = missing_side(group, pass.look)
        {
            found.report(pass, Reason::IncompleteMarket, || detail);
        }
        // Probabilities are worth summing only where something moved or was odd before.
        if (changed || found.before.has(Reason::VigOutOfRange))
            && let Some(detail) = odd_overround(group, pass.look, exchange, &self.settings)
        {
            found.report(pass, Reason::VigOutOfRange, || detail);
        }
        let status = if broken || (pass.strict && found.now.any()) {
            Status::Flawed
        } else if stale {
            Status::Stale
        } else {
            Status::Open
        };
        *rows_since_keyframe += settle(pass, &found, group, status);
        for reason in found.before.cleared_by(found.now) {
            pass.out.cleared.push(Cleared { event: *id, book: Some(book_id), market: Some(group.market), reason });
        }
        group.flaws = found.now;
        let reasons = own_reasons(found.now);
        if found.damaged || !reasons.is_empty() || !found.unreadable.is_empty() || group.quotes.is_empty() {
            pass.note.markets.push(MarketNote {
                book: found.book,
                market: found.market,
                provider_update: group.provider_update,
                damaged: found.damaged,
                reasons,
                unreadable: found.unreadable,
            });
        }
    }

    /// The provider's time of the market: is it too old, is it from the future?
    fn judge_time(
        &self,
        pass: &mut Pass<'_>,
        found: &mut Found,
        group: &mut GroupState,
        obs: &MarketObs<'_>,
        max_age: i64,
    ) -> (bool, bool) {
        let (now, before) = (obs.last_update, group.provider_update);
        if now.is_some() && now == before {
            group.stalled_looks = group.stalled_looks.saturating_add(1);
        } else {
            (group.advanced_at, group.stalled_looks) = (pass.at, 0);
        }
        if let (Some(now), Some(before)) = (now, before)
            && now < before
        {
            found.report(pass, Reason::TimeWentBack, || format!("from {before} to {now}"));
        }
        group.provider_update = now;
        let Some(update) = now else { return (false, false) };
        let age = pass.at.since(update);
        let future = age < -self.settings.future_skew_ms;
        if future {
            let at = pass.at;
            found.report(pass, Reason::FutureTimestamp, || format!("last_update {update} in an answer of {at}"));
        }
        let frozen = group.stalled_looks >= self.settings.frozen_looks
            && pass.at.since(group.advanced_at) >= self.settings.frozen_ms;
        (age > max_age || frozen, future)
    }

    /// Which selection an outcome is, and its value. `None`: it cannot be told which, and that has been reported.
    #[allow(clippy::too_many_arguments)]
    fn read_outcome(
        &mut self,
        pass: &mut Pass<'_>,
        found: &mut Found,
        place: Place,
        outcome: &OutcomeObs<'_>,
        format: OddsFormat,
        group: &GroupState,
        home: &str,
        away: &str,
    ) -> Option<Reading> {
        let spec = group.spec;
        let mut point_reported = false;
        for (_, reason, detail) in pass.defects.at(place).to_vec() {
            point_reported |= reason == Reason::BadPoint;
            found.report(pass, reason, || detail);
        }
        let Some(side) = side_of(&outcome.name, spec, home, away) else {
            // One of the sides we know may be hiding behind this name.
            found.damaged = true;
            found.report(pass, Reason::UnknownTeam, || format!("{:?} is no side of {home} - {away}", &*outcome.name));
            return None;
        };
        let line = if outcome.point.is_nan() { None } else { Line::from_points(outcome.point) };
        let takes_line = spec.has_line() || spec.line_is_identity();
        let bad_point =
            (spec.has_line() && line.is_none()) || (takes_line && line.is_none() && !outcome.point.is_nan());
        if bad_point && !point_reported {
            found.report(pass, Reason::BadPoint, || match outcome.point.is_nan() {
                true => format!("{}: no point", outcome.name),
                false => format!("{}: point {}", outcome.name, outcome.point),
            });
        }
        let line = if takes_line { line } else { None };
        if spec.line_is_identity() && (bad_point || point_reported) {
            found.damaged = true;
            return None;
        }
        let plain = !spec.line_is_identity() && side != Side::Named && outcome.description.is_none();
        let selection = if plain {
            Selection::of(side)
        } else {
            special_selection(side, outcome, spec, line, &mut self.names, &mut |number, name| {
                pass.out.names.push(NewName { kind: NameKind::Subject, number, name: name.into() });
            })
        };
        let (fate, price) = if bad_point || outcome.price.is_nan() {
            (Fate::Unreadable, None)
        } else {
            read_price(pass, found, outcome, format, spec.family)
        };
        Some(Reading { selection, fate, line, price })
    }
}

fn read_price(
    pass: &mut Pass<'_>,
    found: &mut Found,
    outcome: &OutcomeObs<'_>,
    format: OddsFormat,
    family: Family,
) -> (Fate, Option<Price>) {
    let number = outcome.price;
    let stand_in = format == OddsFormat::Decimal
        && (number <= PLACEHOLDER || (number >= EMPTY_SIDE && family != Family::Outright));
    if stand_in {
        found.report(pass, Reason::PlaceholderPrice, || format!("{}: price {number}", outcome.name));
    }
    match Price::quoted(number, format) {
        Ok(price) if stand_in => (Fate::Placeholder, Some(price)),
        Ok(price) => (Fate::Readable, Some(price)),
        Err(_) if stand_in => (Fate::Unreadable, None),
        Err(error) => {
            found.report(pass, Reason::BadPrice, || format!("{}: price {number}: {error}", outcome.name));
            (Fate::Unreadable, None)
        }
    }
}

/// Puts a reading into its quote, made if it is new. `hint`: where it stood if nothing was added or lost. Answers
/// whether line or price changed.
#[allow(clippy::too_many_arguments)]
fn place_outcome(
    pass: &mut Pass<'_>,
    found: &mut Found,
    group: &mut GroupState,
    hint: usize,
    reading: Reading,
    phase: Phase,
    next_slot: &mut u32,
    jump: f64,
) -> bool {
    let at = match group.quotes.get(hint) {
        Some(quote) if quote.selection == reading.selection => Some(hint),
        _ => group.quotes.iter().position(|q| q.selection == reading.selection),
    };
    let update = group.provider_update;
    let born = |price| QuoteValue {
        line: reading.line,
        price,
        status: Status::Open,
        phase,
        first_seen: pass.at,
        last_changed: pass.at,
        last_seen: pass.at,
        provider_update: update,
    };
    let Some(quote) = at.and_then(|at| group.quotes.get_mut(at)) else {
        // A quote begins with its first readable value.
        let Some(price) = reading.price else {
            found.unreadable.push(reading.selection);
            return false;
        };
        group.quotes.push(QuoteState {
            slot: Slot(*next_slot),
            selection: reading.selection,
            shown_in: pass.look,
            fate: reading.fate,
            touched: true,
            fresh: true,
            value: born(price),
        });
        *next_slot += 1;
        return true;
    };
    if quote.shown_in == pass.look {
        let side = reading.selection.side;
        found.report(pass, Reason::DuplicateOutcome, || format!("{side:?} stands twice; the first counts"));
        return false;
    }
    quote.shown_in = pass.look;
    quote.fate = reading.fate;
    let Some(price) = reading.price else {
        found.unreadable.push(reading.selection);
        return false;
    };
    quote.value.last_seen = pass.at;
    group.dirty |= quote.value.phase != phase;
    quote.value.phase = phase;
    quote.value.provider_update = update;
    if quote.value.price == price && quote.value.line == reading.line {
        return false;
    }
    if let (Some(before), Some(now)) = (quote.value.line, reading.line)
        && phase == Phase::Pregame
        && (now.points() - before.points()).abs() > jump
    {
        found.report(pass, Reason::LineJump, || format!("from {before:?} to {now:?}"));
    }
    quote.value.price = price;
    quote.value.line = reading.line;
    quote.value.last_changed = pass.at;
    quote.touched = true;
    true
}

/// Gives every quote of the market its status after this look and writes the rows. Answers how many.
fn settle(pass: &mut Pass<'_>, found: &Found, group: &mut GroupState, status: Status) -> u32 {
    let mut rows = 0;
    let market = group.market;
    for quote in &mut group.quotes {
        let before = quote.value.status;
        let now = if quote.shown_in == pass.look {
            match quote.fate {
                Fate::Readable => status,
                Fate::Placeholder => Status::Flawed,
                Fate::Unreadable => Status::Unreadable,
            }
        } else if before == Status::Gone {
            Status::Gone
        } else if found.damaged {
            Status::Unreadable
        } else {
            Status::Gone
        };
        quote.value.status = now;
        if now != before || quote.touched {
            quote.touched = false;
            let key = std::mem::take(&mut quote.fresh).then_some(QuoteKey {
                book: found.book,
                market,
                selection: quote.selection,
            });
            pass.row(found.event, quote, key);
            rows += 1;
        }
    }
    group.dirty |= rows > 0;
    rows
}
