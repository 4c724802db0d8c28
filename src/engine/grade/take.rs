//! Taking the close of an event when it starts, and grading its signals by it.
//!
//! The state that counts is the one of the last look before the start, as the start was known then. A start that is moved
//! later takes the close back until the game is played; one that turns out to have been later than scheduled takes it
//! again. Prices from after the start are never used.

use super::close::{Close, CloseBook, Grade, NoClose};
use super::clv::{CloseSide, ClvRow, NoClv};
use super::pending::Closed;
use crate::engine::apply::{Engine, Pass};
use crate::engine::detect::fired::Fired;
use crate::engine::detect::signal::SignalType;
use crate::engine::memory::{EventMemory, Question};
use crate::engine::price::fair::{self, Fair, FairRule, Priced};
use crate::engine::price::scale::{Scale, first, log_odds};
use crate::engine::price::view::{BookView, Exclusion};
use crate::engine::profile::BookProfile;
use crate::engine::state::EventState;
use crate::market::books::BookKind;
use crate::market::bucket::TimeBucket;
use crate::market::ids::BookId;
use crate::market::line::Line;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::market::value::Settlement;

/// Gains of less than this are none.
const ZERO: f64 = 1e-9;

impl Engine {
    /// The event's start may have moved with this look, or have come: takes closes that are due, and takes back those of
    /// a game that will be played later. Called before the quotes of the look are applied.
    pub(crate) fn follow_start(&mut self, pass: &mut Pass<'_>, event: &mut EventState, before: Timestamp) {
        let Some(mut memory) = event.memory.take() else { return };
        let (start, at) = (event.commence, pass.at);
        if start != before {
            memory.start_moved_at = Some(at);
            if memory.closed_for == Some(before) {
                let last = memory.looks.iter().filter_map(|l| l.at.back()).max().copied();
                if start > at {
                    self.take_back_closes(pass, event, &mut memory);
                } else if start < before || last.is_some_and(|last| last > start) {
                    // Prices of after the start have come in since: the close stays the one that was taken.
                    memory.closed_for = Some(start);
                }
            }
        }
        if start <= at && memory.closed_for != Some(start) {
            // A start told afterwards that lies further back than the memory reaches: how the market stood then is no
            // longer known for certain, nor was that start known then. The schedule as of the last look counts.
            let reach = at.plus(-Self::memory_ms(&self.settings));
            let seen = memory.looks.iter().filter_map(|l| l.at.back()).max().copied();
            let mut views = memory.questions.iter().flat_map(|q| &q.views);
            let missing = views.any(|v| v.own == Some(Exclusion::EventMissing));
            let far = start < reach && (missing || seen.is_some_and(|seen| start < seen));
            self.close(pass, event, &mut memory, if far { before.min(at) } else { start });
            memory.closed_for = Some(start);
        }
        event.memory = Some(memory);
    }

    fn close(&mut self, pass: &mut Pass<'_>, event: &EventState, memory: &mut EventMemory, start: Timestamp) {
        memory.closed_for = Some(start);
        self.profile_books();
        let mut scratch = std::mem::take(&mut self.scratch);
        let profiles = &self.book_profiles;
        let profile = |book: BookId| profiles.get(usize::from(book.0)).copied().unwrap_or_default();
        let rule = FairRule { min_books: 1, min_families: 1, ..self.settings.rules.fair };
        let mut graded: Vec<Taken> = Vec::new();
        for question in &mut memory.questions {
            let spec = self.names.spec(question.key.market);
            let looks = memory.looks.iter().find(|l| l.market == question.key.market);
            let seen_at = looks.and_then(|l| l.at.iter().rev().find(|t| **t <= start)).copied();
            crate::engine::analyse::refresh(question, event, crate::market::ids::LookId(u64::MAX), pass.at);
            let mut views = views_at(question, start, seen_at);
            let told = memory.fired.iter().any(|f| f.key == question.key);
            if views.iter().all(|v| v.own.is_some()) && spec.line_is_identity() && !told {
                continue;
            }
            let (scale, sd) = (question.scale, question.sd);
            let mut priced = Priced::default();
            let voter = |book: BookId| profile(book).voter;
            fair::price(&mut views, question.layout, scale, sd, start, &rule, None, voter, &mut scratch, &mut priced);
            let parts = fair::parts(&views, scale, sd, start, &rule, voter);
            let version =
                memory.closes.iter().find(|c| c.key == question.key).map_or(memory.close_base + 1, |c| c.version + 1);
            let counted = || views.iter().filter(|v| v.counts());
            let sharp = counted().any(|v| profile(v.book).voter.kind == BookKind::Sharp);
            let age = median_age(counted(), start);
            let books = counted().count();
            let graded_as = priced.all.zip(age).map(|(_, age)| Grade::of(books, sharp, age));
            let reason = if graded_as.is_some() { None } else { Some(why(&views)) };
            let fair = priced.all.unwrap_or_default();
            let value = fair.values.first().copied().unwrap_or_default();
            let inputs = inputs(&views, &parts, start, |b| self.names.book(b).to_owned());
            let subject = self.names.subject(question.key.subject);
            pass.out.closes.push(Close {
                event_id: event.id,
                market: self.names.market(question.key.market).to_owned(),
                subject: (!subject.is_empty()).then(|| subject.to_owned()),
                version,
                start,
                seen_at,
                grade: graded_as,
                reason,
                provisional: false,
                line: priced.reference.map(Line::points),
                probability: fair.probability,
                value,
                scale: scale.name().to_owned(),
                fair_line: match scale {
                    Scale::Points(model) if graded_as.is_some() => {
                        model.fair_line(first(question.layout), value).ok().map(|f| f.points)
                    }
                    _ => None,
                },
                standard_error: fair.standard_error,
                effective_books: fair.effective,
                books: books as u16,
                sharp,
                age_seconds: age.map(|a| a as f64 / 1000.0),
                inputs,
                key: question.key,
            });
            memory.closes.retain(|c| c.key != question.key);
            memory.closes.push(Closed { key: question.key, version, start });
            graded.push(Taken {
                question,
                scale,
                fair: priced.all,
                reference: priced.reference,
                grade: graded_as,
                reason,
                views,
            });
        }
        let before = Shares::of(&memory.fired);
        for fired in &mut memory.fired {
            let row = clv(&graded, fired, event, start, pass.at, &self.names, profile);
            pass.out.clv.push(row);
        }
        let after = Shares::of(&memory.fired);
        self.scratch = scratch;
        self.count_record(event, &before, &after);
    }

    /// The game will be played later: it has no close until then.
    fn take_back_closes(&mut self, pass: &mut Pass<'_>, event: &EventState, memory: &mut EventMemory) {
        memory.closed_for = None;
        for closed in &mut memory.closes {
            closed.version += 1;
            closed.start = event.commence;
            let subject = self.names.subject(closed.key.subject);
            pass.out.closes.push(Close {
                event_id: event.id,
                market: self.names.market(closed.key.market).to_owned(),
                subject: (!subject.is_empty()).then(|| subject.to_owned()),
                version: closed.version,
                start: event.commence,
                seen_at: None,
                grade: None,
                reason: Some(NoClose::Postponed),
                provisional: true,
                line: None,
                probability: [0.0; 3],
                value: 0.0,
                scale: String::new(),
                fair_line: None,
                standard_error: 0.0,
                effective_books: 0.0,
                books: 0,
                sharp: false,
                age_seconds: None,
                inputs: Vec::new(),
                key: closed.key,
            });
        }
        let before = Shares::of(&memory.fired);
        for fired in memory.fired.iter_mut().filter(|f| f.clv_version > 0) {
            let mut row = row(fired, event, event.commence, pass.at, &self.names);
            row.close.reason = Some(NoClose::Postponed);
            row.left_out = Some(NoClv::NoClose);
            fired.clv = None;
            pass.out.clv.push(row);
        }
        let after = Shares::of(&memory.fired);
        self.count_record(event, &before, &after);
    }

    fn count_record(&mut self, event: &EventState, before: &Shares, after: &Shares) {
        let records = self.records.entry((event.source, event.sport)).or_default();
        for ((old, new), record) in before.0.iter().zip(&after.0).zip(records.iter_mut()) {
            let (graded, positive) = record;
            if let Some(mean) = old {
                *graded = graded.saturating_sub(1);
                *positive = positive.saturating_sub(u32::from(*mean > ZERO));
            }
            if let Some(mean) = new {
                *graded += 1;
                *positive += u32::from(*mean > ZERO);
            }
        }
    }
}

/// Mean CLV of the signals of one event, by type number: the event's part in each type's record.
struct Shares([Option<f64>; 8]);

impl Shares {
    fn of(fired: &[Fired]) -> Self {
        let mut shares = [None; 8];
        for kind in SignalType::ALL {
            let values: Vec<f64> = fired.iter().filter(|f| f.kind == kind).filter_map(|f| f.clv).collect();
            if let Some(place) = shares.get_mut(usize::from(kind.number()))
                && !values.is_empty()
            {
                *place = Some(values.iter().sum::<f64>() / values.len() as f64);
            }
        }
        Self(shares)
    }
}

/// A question with its close.
struct Taken<'t> {
    question: &'t Question,
    scale: Scale<'static>,
    fair: Option<Fair>,
    reference: Option<Line>,
    grade: Option<Grade>,
    reason: Option<NoClose>,
    views: Vec<BookView>,
}

/// The views as they stood at the start. What was seen again afterwards counts with the clock of the last look before.
fn views_at(question: &Question, start: Timestamp, seen_at: Option<Timestamp>) -> Vec<BookView> {
    let mut views = question.views.clone();
    for (view, track) in views.iter_mut().zip(&question.tracks) {
        if track.since > start {
            match track.as_of(view, start) {
                Some(then) => {
                    view.line = then.line;
                    view.prices = then.prices;
                    view.fair = then.fair;
                    view.own = if then.open { None } else { Some(Exclusion::Incomplete) };
                    view.values = [then.value, log_odds(then.fair[1]), log_odds(then.fair[2])];
                }
                None => view.own = Some(Exclusion::OtherPhase),
            }
        }
        if view.updated > start || view.seen > start {
            let then = seen_at.unwrap_or(start);
            view.updated = view.updated.min(then);
            view.seen = view.seen.min(then);
        }
    }
    views
}

fn median_age<'v>(counted: impl Iterator<Item = &'v BookView>, start: Timestamp) -> Option<i64> {
    let mut ages: Vec<i64> = counted.map(|v| v.age(start)).collect();
    ages.sort_unstable();
    ages.get(ages.len() / 2).copied()
}

fn why(views: &[BookView]) -> NoClose {
    let all = |want: &[Exclusion]| views.iter().all(|v| v.own.is_some_and(|o| want.contains(&o)));
    if all(&[Exclusion::Gone]) {
        NoClose::NoQuotes
    } else if all(&[Exclusion::OtherPhase]) {
        NoClose::OnlyInPlay
    } else if all(&[Exclusion::Gone, Exclusion::EventMissing]) {
        NoClose::EventMissing
    } else {
        NoClose::NoUsableQuotes
    }
}

fn inputs(
    views: &[BookView],
    parts: &[Option<fair::Part>],
    start: Timestamp,
    name: impl Fn(BookId) -> String,
) -> Vec<CloseBook> {
    let mut books: Vec<CloseBook> = views
        .iter()
        .zip(parts)
        .map(|(v, part)| {
            let known = v.own.is_none();
            CloseBook {
                book: name(v.book),
                line: v.line.map(Line::points),
                prices: v.prices.map(|p| p.map(|p| p.to_decimal())),
                probability: v.fair.first().copied().filter(|_| known),
                value: v.values.first().copied().filter(|_| known),
                weight: part.map_or(0.0, |p| p.weight * p.share),
                age_seconds: v.age(start) as f64 / 1000.0,
                excluded: v.excluded.map(|e| e.name().to_owned()),
            }
        })
        .collect();
    books.sort_by(|a, b| a.book.cmp(&b.book));
    books
}

/// The row of a signal, nothing graded yet.
fn row(
    fired: &mut Fired,
    event: &EventState,
    start: Timestamp,
    at: Timestamp,
    names: &crate::engine::names::Names,
) -> ClvRow {
    fired.clv_version += 1;
    ClvRow {
        signal_id: fired.id.clone(),
        version: fired.clv_version,
        kind: fired.kind,
        event_id: event.id,
        sport: names.sport(event.sport).to_owned(),
        market: names.market(fired.key.market).to_owned(),
        selection: fired.selection.clone(),
        side: fired.side.clone(),
        entry: fired.entry.clone(),
        close: CloseSide { line: None, price: None, fair_probability: None, grade: None, reason: None },
        clv_ev: None,
        clv_points: None,
        clv_price: None,
        fair_to_fair: None,
        left_out: None,
        detected_at: fired.detected_at,
        start,
        time_bucket: fired.time_bucket,
        strength: fired.strength,
        composite: fired.composite,
        tier: fired.tier,
        books_affected: fired.books_affected,
        dispersion: fired.dispersion,
        window_minutes: fired.window_minutes,
        graded_at: at,
    }
}

fn clv(
    graded: &[Taken<'_>],
    fired: &mut Fired,
    event: &EventState,
    start: Timestamp,
    at: Timestamp,
    names: &crate::engine::names::Names,
    profile: impl Fn(BookId) -> BookProfile,
) -> ClvRow {
    let mut row = row(fired, event, start, at, names);
    fired.clv = None;
    row.left_out = grade_row(&mut row, graded, fired, names, profile).err();
    if row.counts() {
        fired.clv = row.clv_ev;
    }
    row
}

fn grade_row(
    row: &mut ClvRow,
    graded: &[Taken<'_>],
    fired: &Fired,
    names: &crate::engine::names::Names,
    profile: impl Fn(BookId) -> BookProfile,
) -> Result<(), NoClv> {
    let taken = graded.iter().find(|t| t.question.key == fired.key);
    if let Some(taken) = taken {
        row.close.grade = taken.grade;
        row.close.reason = taken.reason;
    }
    if fired.time_bucket == TimeBucket::InPlay || fired.detected_at >= row.start {
        return Err(NoClv::InPlay);
    }
    let side = row.side.as_deref().ok_or(NoClv::Informational)?;
    let entry = fired.entry.as_ref().ok_or(NoClv::NoEntry)?;
    let taken = taken.ok_or(NoClv::NoClose)?;
    let fair = taken.fair.as_ref().ok_or(NoClv::NoClose)?;
    let layout = taken.question.layout;
    let place = layout.sides().iter().position(|s| s.name() == side).ok_or(NoClv::Informational)?;
    let side = *layout.sides().get(place).ok_or(NoClv::Informational)?;
    let line = entry.line.and_then(Line::from_points);
    row.close.line = taken.reference.map(|l| layout.line_for(l, side).points());
    row.clv_points = entry.line.zip(row.close.line).map(|(e, c)| if side == Side::Over { c - e } else { e - c });
    let book = names.books.number(&entry.book).map(|n| BookId(n as u16));
    let own = taken.views.iter().find(|v| Some(v.book) == book && v.own.is_none());
    row.close.price = own
        .filter(|v| v.line.map(|l| layout.line_for(l, side)) == line)
        .and_then(|v| v.price(place))
        .map(|p| p.to_decimal());
    row.clv_price = row.close.price.map(|c| entry.price / c - 1.0);
    let settlement = match taken.scale {
        Scale::Points(_) => {
            taken.scale.settlement(layout, side, line, fair.values.first().copied().unwrap_or_default())
        }
        Scale::LogOdds => {
            let same = taken.reference.map(|l| layout.line_for(l, side)) == line;
            fair.probability.get(place).filter(|_| same).map(|p| Settlement::conditional(*p, 0.0))
        }
    };
    let settlement = settlement.ok_or(NoClv::BeyondModel)?;
    let odds = book.map_or(crate::market::books::Fee::None, |b| profile(b).fee).effective_decimal(entry.price);
    let p = settlement.fair_probability();
    row.close.fair_probability = Some(p);
    row.fair_to_fair = entry.fair_probability.map(|before| p - before);
    row.clv_ev = Some(settlement.ev(odds.ok_or(NoClv::NoEntry)?));
    Ok(())
}
