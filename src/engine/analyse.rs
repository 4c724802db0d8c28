//! After the quotes of an event have been judged: what they mean.
//!
//! Owns the order of things at one look: views of what changed, prices of what is affected, published points, signals,
//! opportunities. Work follows change: a question is looked at when one of its quotes changed, and while a move of it is
//! inside the longest window.

use super::apply::{Engine, Pass};
use super::changes::Point;
use super::detect::run::Scene;
use super::memory::{EventMemory, Measure, Question, Track};
use super::names::Names;
use super::open;
use super::opportunity::{self, Taker};
use super::price::fair;
use super::price::unit::{Layout, UnitKey};
use super::price::view::{BookView, Offer};
use super::profile::{BookProfile, SportProfile};
use super::rules::InPlayWatch;
use super::settings::EngineSettings;
use super::state::{BookState, EventState, GroupState};
use super::status::Phase;
use crate::market::ids::{BookId, LookId, SportId};
use crate::market::market_key::{MarketSpec, Stance};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// Room is made for so many books of a question at a time: there are thousands of questions.
const MORE_BOOKS: usize = 4;

/// Kept beyond the longest window, so that its far end is always known.
const MARGIN_MS: i64 = 60_000;

impl Engine {
    /// How far back the memory of the analysis reaches. Milliseconds.
    pub fn memory_ms(settings: &EngineSettings) -> i64 {
        settings.rules.longest_window_ms() + MARGIN_MS
    }

    /// What is known of a book.
    pub(super) fn profile(&self, book: BookId) -> BookProfile {
        self.book_profiles.get(usize::from(book.0)).copied().unwrap_or_default()
    }

    /// What is known of the sport, looked up once.
    pub(super) fn sport_profile(&mut self, sport: SportId) -> SportProfile {
        let at = usize::from(sport.0);
        if self.sports.len() <= at {
            self.sports.resize(at + 1, None);
        }
        if let Some(Some(profile)) = self.sports.get(at) {
            return *profile;
        }
        let profile = SportProfile::of(self.names.sport(sport));
        if let Some(place) = self.sports.get_mut(at) {
            *place = Some(profile);
        }
        profile
    }

    /// Looks up books that are new.
    pub(super) fn profile_books(&mut self) {
        if self.book_profiles.is_empty() {
            self.book_profiles.push(BookProfile::default());
        }
        for number in self.book_profiles.len()..=self.names.books.len() {
            let key = self.names.books.name(number as u32);
            let profile = self.settings.books.get(key).map_or_else(BookProfile::default, |info| info.profile);
            let family = match self.settings.books.get(key).map(|info| &*info.family) {
                Some(family) if !family.is_empty() => family,
                _ => key,
            };
            let at = self.families.iter().position(|f| f == family).unwrap_or_else(|| {
                self.families.push(family.to_owned());
                self.families.len() - 1
            });
            let mut profile = profile;
            profile.voter.family = at as u16;
            profile.direct = self.settings.listens_to(key);
            self.book_profiles.push(profile);
        }
    }

    /// The quotes of `event` have been judged at this look: prices, signals and opportunities follow.
    pub(super) fn analyse(&mut self, pass: &mut Pass<'_>, event: &mut EventState) {
        if !self.settings.rules.on {
            return;
        }
        self.profile_books();
        let sport = self.sport_profile(event.sport);
        let phase = Phase::of(pass.at, event.commence);
        let mut memory = event.memory.take().unwrap_or_else(|| {
            let mut memory = Box::new(EventMemory::new(phase));
            if event.slots_before > 0 {
                // A later life: closes of the start that has passed were taken in an earlier one.
                memory.close_base = pass.look.0 as u32;
                memory.closed_for = (event.commence <= pass.at).then_some(event.commence);
            }
            memory
        });
        let started = memory.phase != phase;
        // A list of games or of scores shows no prices: those that were seen last stay what they were, for many games
        // begin later than scheduled, and their close is taken from them once more. They are no longer prices of this
        // side of the start, though: nothing can be taken at them, and nothing has moved that could be judged.
        if started && !event.books.iter().flat_map(|b| &b.groups).any(|g| g.dirty || g.present_in == pass.look) {
            self.put_away(pass, event, &mut memory);
            event.memory = Some(memory);
            return;
        }
        memory.phase = phase;
        let horizon = Self::memory_ms(&self.settings);
        self.update_views(&mut memory, event, &sport, Step::Look { look: pass.look, at: pass.at, started, horizon });
        self.judge(pass, event, &mut memory, &sport);
        event.memory = Some(memory);
    }

    /// The start has come as scheduled, and prices of after it are not known: what was published and open ends.
    fn put_away(&mut self, pass: &mut Pass<'_>, event: &EventState, memory: &mut EventMemory) {
        let rules = &self.settings.rules;
        for question in &mut memory.questions {
            question.priced = fair::Priced::default();
            publish(question, event, rules.fair.step, &mut pass.out.points);
            self.scratch_open.clear();
            open::follow(&rules.opportunity, &mut question.open, &mut self.scratch_open, &mut pass.out.opportunities);
        }
    }

    /// Builds the views of an event that was brought back from the store.
    pub(super) fn remember_views(&mut self, event: &mut EventState) {
        if !self.settings.rules.on {
            return;
        }
        self.profile_books();
        let sport = self.sport_profile(event.sport);
        // Every look showed quotes of one phase; what was shown last tells which.
        let newest = event.quotes().filter(|q| q.value.status.is_present()).max_by_key(|q| (q.value.last_seen, q.slot));
        let phase = newest.map_or(Phase::Pregame, |q| q.value.phase);
        let mut memory = Box::new(EventMemory::new(phase));
        self.update_views(&mut memory, event, &sport, Step::Restore);
        event.memory = Some(memory);
    }

    fn update_views(&self, memory: &mut EventMemory, event: &mut EventState, sport: &SportProfile, step: Step) {
        let draws = three_way_markets(event);
        // A market turns out to have a draw: its questions begin anew.
        for market in &draws {
            if memory.questions.iter().any(|q| q.key.market == *market && q.layout == Layout::Moneyline) {
                memory.questions.retain(|q| q.key.market != *market);
                event
                    .books
                    .iter_mut()
                    .flat_map(|b| &mut b.groups)
                    .filter(|g| g.market == *market)
                    .for_each(|g| g.dirty = true);
            }
        }
        let mut offers: Vec<(UnitKey, Layout, Offer)> = Vec::new();
        for (book_at, book) in event.books.iter_mut().enumerate() {
            spread_others(book);
            for group_at in 0..book.groups.len() {
                let Some(group) = book.groups.get(group_at) else { continue };
                match step {
                    Step::Look { look, at, started, horizon } => {
                        if group.present_in == look {
                            memory.looked(group.market, book.direct, at, horizon);
                        }
                        if !group.dirty && !started {
                            continue;
                        }
                    }
                    Step::Restore => {
                        if let Some(seen) = group.quotes.iter().map(|q| q.value.last_seen).max() {
                            let looks = memory.looks_of(group.market, book.direct);
                            let last = looks.and_then(|l| l.at.back().copied());
                            if last.is_none_or(|last| seen > last) {
                                memory.looks.retain(|l| l.market != group.market || l.direct != book.direct);
                                memory.looked(group.market, book.direct, seen, 0);
                            }
                        }
                    }
                }
                offers.clear();
                let three_way = sport.three_way || draws.contains(&group.market);
                gather(group, three_way, &mut offers);
                add_others(book, group, &mut offers);
                let spec = group.spec;
                for (key, layout, offer) in &offers {
                    let measure = Measure::of(sport, *layout, spec);
                    let rule = measure.class.of(&self.settings.rules.devig);
                    let view = offer.view(book.book, *layout, measure.scale, memory.phase, &rule);
                    let after = match step {
                        Step::Look { at, .. } => {
                            memory.looks_of(key.market, book.direct).and_then(|l| l.before(at)).unwrap_or(at)
                        }
                        Step::Restore => view.changed,
                    };
                    let at = memory.question(*key, *layout, &measure);
                    let Some(question) = memory.questions.get_mut(at) else { continue };
                    place(question, view, (book_at as u16, group_at as u16), step, after, &self.names);
                }
                if let Some(group) = book.groups.get_mut(group_at) {
                    group.dirty = false;
                }
            }
        }
    }

    fn judge(&mut self, pass: &mut Pass<'_>, event: &EventState, memory: &mut EventMemory, sport: &SportProfile) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let rules = &self.settings.rules;
        let longest = rules.longest_window_ms();
        let profiles = &self.book_profiles;
        let profile = |book: BookId| profiles.get(usize::from(book.0)).copied().unwrap_or_default();
        let records = self.records.get(&(event.source, event.sport)).copied().unwrap_or_default();
        let EventMemory { phase, questions, looks, start_moved_at, fired, .. } = memory;
        let scene = Scene {
            rules,
            names: &self.names,
            source: self.names.sources.name(event.source),
            profiles,
            families: &self.families,
            sport,
            event,
            phase: *phase,
            at: pass.at,
            max_age_ms: rules.opportunity.max_age_ms,
            start_moved_at: *start_moved_at,
            watched: watched(&rules.in_play, event),
            records: &records,
        };
        let confused = event.flaws.has(Reason::IdentityChanged);
        for question in questions.iter_mut() {
            let mut touched = std::mem::take(&mut question.touched);
            let moving = question.moved_at > pass.at.plus(-longest);
            let looks_at = |direct| looks.iter().find(|l| l.market == question.key.market && l.direct == direct);
            let looks = looks_at(false);
            // A book that was new at the look before was held back then, and is confirmed now.
            let before = looks_at(pass.exchange).and_then(|l| l.before(pass.at));
            touched |= question.tracks.iter().any(|t| t.opened && Some(t.since) == before);
            // Nothing changed with this look, but the window's start did: only a move that it now shows in full is news.
            // The books were not looked at: no window of theirs has anything new to show.
            let moving = moving && !pass.exchange;
            if !(touched || moving && looks.is_some_and(|l| scene.may_show(question, l))) {
                continue;
            }
            refresh(question, event, pass.look, pass.at);
            let stay = question.published.and_then(|p| p.consensus).and_then(|c| c.line);
            let voter = |book: BookId| profile(book).voter;
            let (layout, scale, sd) = (question.layout, question.scale, question.sd);
            question.priced = std::mem::take(&mut self.scratch_priced);
            let (views, priced) = (&mut question.views, &mut question.priced);
            fair::price(views, layout, scale, sd, pass.at, &rules.fair, stay, voter, &mut scratch, priced);
            publish(question, event, rules.fair.step, &mut pass.out.points);
            if !confused && let Some(looks) = looks {
                let (tallies, out) = (&mut pass.tallies, &mut pass.out.signals);
                if pass.exchange {
                    scene.run_exchange(question, looks, touched, fired, tallies, out);
                } else {
                    scene.run(question, looks, touched, fired, tallies, out);
                }
            }
            if !touched {
                self.scratch_priced = std::mem::take(&mut question.priced);
                continue;
            }
            self.scratch_open.clear();
            if *phase == Phase::Pregame {
                let asked = opportunity::Question {
                    event: event.id,
                    key: question.key,
                    layout,
                    scale,
                    views: &question.views,
                    priced: &question.priced,
                    at: pass.at,
                    in_play: false,
                };
                let taker = |book: BookId| {
                    let p = profile(book);
                    Taker { family: p.voter.family, fee: p.fee, takes: p.takes_single_bets(), direct: p.direct }
                };
                opportunity::find(&asked, &open::wider(&rules.opportunity), taker, &mut self.scratch_open);
            }
            open::follow(&rules.opportunity, &mut question.open, &mut self.scratch_open, &mut pass.out.opportunities);
            self.scratch_priced = std::mem::take(&mut question.priced);
        }
        self.scratch = scratch;
    }
}

/// At which occasion views are made.
#[derive(Clone, Copy)]
enum Step {
    /// A look.
    Look {
        look: LookId,
        at: Timestamp,
        /// The game started, or its start was moved later, with this look.
        started: bool,
        horizon: i64,
    },
    /// The event was brought back from the store.
    Restore,
}

/// Puts a view into its question.
///
/// In the order of the books' keys: sums must not depend on the order in which books were first met.
fn place(
    question: &mut Question,
    view: BookView,
    (book_at, group_at): (u16, u16),
    step: Step,
    after: Timestamp,
    names: &Names,
) {
    let key = names.book(view.book);
    let found = question.views.iter().position(|v| v.book == view.book);
    match found.ok_or_else(|| question.views.partition_point(|v| names.book(v.book) < key)) {
        Err(at) => {
            let (since, opened) = match step {
                Step::Look { at, .. } => (at, true),
                Step::Restore => (view.changed, false),
            };
            question.moved_at = question.moved_at.max(since);
            question.touched |= matches!(step, Step::Look { .. });
            if question.views.len() == question.views.capacity() {
                question.views.reserve_exact(MORE_BOOKS);
                question.tracks.reserve_exact(MORE_BOOKS);
            }
            question.views.insert(at, view);
            question.tracks.insert(at, Track { book_at, group_at, since, after, opened, past: Vec::new() });
        }
        Ok(at) => {
            let (Some(before), Some(track)) = (question.views.get_mut(at), question.tracks.get_mut(at)) else { return };
            (track.book_at, track.group_at) = (book_at, group_at);
            if let Step::Look { at, started, horizon, .. } = step {
                if started {
                    // What was quoted before the start says nothing about moves after it.
                    track.past.clear();
                    (track.since, track.after, track.opened) = (at, after, false);
                    question.touched = true;
                    question.moved_at = at;
                } else if !view.same_offer(before) {
                    track.step(before, &view, at, after, horizon);
                    question.touched = true;
                    question.moved_at = at;
                }
            }
            *before = view;
        }
    }
}

/// The quotes of one group by question.
fn gather(group: &GroupState, three_way: bool, offers: &mut Vec<(UnitKey, Layout, Offer)>) {
    for quote in &group.quotes {
        let Some(layout) = Layout::of(group.spec, three_way, quote.selection.side) else { continue };
        let key = UnitKey::of(group.market, quote.selection);
        let at = match offers.binary_search_by_key(&key, |(k, ..)| *k) {
            Ok(at) => at,
            Err(at) => {
                offers.insert(at, (key, layout, Offer::default()));
                at
            }
        };
        if let Some((_, layout, offer)) = offers.get_mut(at) {
            offer.add(*layout, quote.selection.side, quote.value);
        }
    }
}

/// An exchange's lay prices, and what lies between them, beside its back prices.
fn add_others(book: &BookState, group: &GroupState, offers: &mut [(UnitKey, Layout, Offer)]) {
    if !book.exchange {
        return;
    }
    for other in book.groups.iter().filter(|g| g.spec.stance != Stance::Back && same_bet(g.spec, group.spec)) {
        for (key, layout, offer) in offers.iter_mut() {
            for quote in &other.quotes {
                // Of alternate lines each has its own.
                if UnitKey::of(group.market, quote.selection) == *key {
                    offer.add_other(other.spec.stance, *layout, quote.selection.side, quote.value);
                }
            }
        }
    }
    if book.direct {
        offers.iter_mut().for_each(|(.., offer)| offer.needs_both_sides());
    }
}

/// Two markets are the same but for which price they hold.
fn same_bet(a: MarketSpec, b: MarketSpec) -> bool {
    (a.family, a.partial, a.alternate) == (b.family, b.partial, b.alternate)
}

/// A change of lay prices is a change of the market beside them.
fn spread_others(book: &mut BookState) {
    if !book.exchange || !book.groups.iter().any(|g| g.spec.stance != Stance::Back && g.dirty) {
        return;
    }
    let changed: Vec<MarketSpec> =
        book.groups.iter().filter(|g| g.spec.stance != Stance::Back && g.dirty).map(|g| g.spec).collect();
    for group in &mut book.groups {
        if group.spec.stance == Stance::Back && changed.iter().any(|spec| same_bet(*spec, group.spec)) {
            group.dirty = true;
        }
    }
}

fn three_way_markets(event: &EventState) -> Vec<crate::market::ids::MarketId> {
    let mut markets: Vec<_> =
        event.groups().filter(|g| g.three_way && g.spec.stance == Stance::Back).map(|g| g.market).collect();
    markets.sort_unstable();
    markets.dedup();
    markets
}

/// The clocks of views whose offers did not change.
pub(super) fn refresh(question: &mut Question, event: &EventState, look: LookId, at: Timestamp) {
    for (view, track) in question.views.iter_mut().zip(&question.tracks) {
        let group = event.books.get(usize::from(track.book_at)).and_then(|b| b.groups.get(usize::from(track.group_at)));
        let Some(group) = group.filter(|_| view.own.is_none()) else { continue };
        if group.present_in == look {
            view.seen = at;
        }
        view.updated = group.provider_update.unwrap_or(view.seen);
    }
}

/// Publishes the question's price where it moved by a step.
fn publish(question: &mut Question, event: &EventState, step: f64, points: &mut Vec<Point>) {
    let priced = &question.priced;
    let now = Point {
        event: event.id,
        key: question.key,
        line: priced.reference,
        fair: priced.all,
        consensus: priced.consensus,
        books: priced.books,
    };
    let moved = match &question.published {
        None => now.fair.is_some() || now.consensus.is_some(),
        Some(before) => {
            let far = |a: f64, b: f64| (a - b).abs() >= step - 1e-12;
            let fair = match (&before.fair, &now.fair) {
                (Some(a), Some(b)) => a.probability.iter().zip(b.probability).any(|(a, b)| far(*a, b)),
                (a, b) => a.is_some() != b.is_some(),
            };
            let board = match (&before.consensus, &now.consensus) {
                (Some(a), Some(b)) => a.line != b.line || far(a.probability, b.probability),
                (a, b) => a.is_some() != b.is_some(),
            };
            before.line != now.line || fair || board
        }
    };
    if moved {
        question.published = Some(now);
        points.push(now);
    }
}

fn watched(watch: &InPlayWatch, event: &EventState) -> bool {
    match watch {
        InPlayWatch::Nothing => false,
        InPlayWatch::Everything => true,
        InPlayWatch::Events(ids) => ids.iter().any(|id| **id == *event.provider_id),
    }
}
