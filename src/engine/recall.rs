//! Bringing an engine's short memory back: what it keeps of the last minutes, and what lasts longer.
//!
//! Quotes come back exactly by [`super::restore`]. The rest is of two kinds: what the stored tables hold ([`Recall`]), and
//! the history of the last [`Engine::memory_ms`], which an engine of the past ([`Engine::stand`]) gains by applying the
//! stored looks again and hands over ([`Engine::adopt_memory`]). Pure data: where it comes from is the store's business.

use super::apply::Engine;
use super::changes::Point;
use super::detect::fired::Fired;
use super::detect::signal::{Signal, SignalType};
use super::grade::close::Close;
use super::grade::clv::ClvRow;
use super::grade::pending::Closed;
use super::memory::{EventMemory, Question};
use super::opportunity::OpportunityChange;
use super::price::unit::UnitKey;
use super::restore::SportImage;
use crate::market::ids::{EventId, LookId, SportId};
use crate::market::time::Timestamp;

/// What the tables hold of one source and sport as of a look, for the events that the engine remembered then.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recall {
    /// Newest fair price and consensus of each question. In the order of events and questions.
    pub points: Vec<Point>,
    /// Every version of each signal, in the order in which they were made.
    pub signals: Vec<Signal>,
    /// Newest version of each close. In the order of events and questions.
    pub closes: Vec<Close>,
    /// Newest grading of each signal. In the order of first detection, then of ids.
    pub clv: Vec<ClvRow>,
    /// Opportunities that have not ended, each as it last changed. In the order of events, questions, kinds and legs.
    pub open_opportunities: Vec<OpportunityChange>,
    /// Over all events of the source and sport, forgotten ones included: (type, graded events, those of them with a
    /// positive mean). In the order of types; types without a graded event are left out.
    pub record: Vec<(SignalType, u32, u32)>,
}

/// One source and sport as of an earlier look, for an engine that is to apply the looks after it again.
#[derive(Clone, Debug, Default)]
pub struct SportAsOf {
    /// Events remembered then.
    pub image: SportImage,
    /// Slots given until then in each event of the source and sport that was known; later events are absent.
    pub slots: Vec<(EventId, u32)>,
}

impl Engine {
    /// Puts one source and sport into an earlier state; looks applied next give the changes that they gave then. All
    /// else stays.
    pub fn stand(&mut self, source: u32, sport: SportId, then: SportAsOf) {
        // An event remembered then may have used more slots in later lives.
        for id in &then.image.unborn {
            self.retired_slots.remove(id);
        }
        self.retired_slots.extend(then.slots);
        self.take_back(source, sport, then.image);
    }

    /// Gives the number `look` to the look that is applied next, which then counts from there.
    pub fn next_look_is(&mut self, look: LookId) {
        self.last_look = LookId(look.0.saturating_sub(1));
    }

    /// Takes in what the tables hold of a source and sport as of its newest look, which was received at `at`. Its quotes
    /// must be in place.
    pub fn recall(&mut self, source: u32, sport: SportId, at: Option<Timestamp>, recall: Recall) {
        let mut record = [(0, 0); 8];
        for (kind, graded, positive) in recall.record {
            if let Some(place) = record.get_mut(usize::from(kind.number())) {
                *place = (graded, positive);
            }
        }
        self.records.insert((source, sport), record);
        for id in self.active.get(&(source, sport)).cloned().unwrap_or_default() {
            let Some(event) = self.events.get_mut((id.0 as usize).wrapping_sub(1)).and_then(Option::as_mut) else {
                continue;
            };
            let start = event.commence;
            let Some(memory) = event.memory.as_mut() else { continue };
            memory.fired.clear();
            memory.closes.clear();
            // Every look closes the games that have started by then.
            memory.closed_for = at.is_some_and(|at| start <= at).then_some(start);
            for question in &mut memory.questions {
                question.published = None;
                question.open.clear();
            }
        }
        for point in recall.points {
            if let Some(question) = self.question_mut(point.event, point.key) {
                question.published = Some(point);
            }
        }
        for change in recall.open_opportunities {
            let opportunity = change.opportunity;
            if let Some(question) = self.question_mut(opportunity.event, opportunity.key) {
                question.open.push(opportunity);
            }
        }
        for signal in &recall.signals {
            let Some(memory) = self.memory_mut(signal.event_id) else { continue };
            match memory.fired.iter_mut().find(|f| f.id == signal.id) {
                // A later version of one that is known.
                Some(fired) => fired.remember(signal),
                None => memory.fired.push(Fired::of(signal)),
            }
        }
        for close in recall.closes {
            if let Some(memory) = self.memory_mut(close.event_id) {
                memory.closes.push(Closed { key: close.key, version: close.version, start: close.start });
            }
        }
        for row in &recall.clv {
            let fired = self.memory_mut(row.event_id).and_then(|m| m.fired.iter_mut().find(|f| f.id == row.signal_id));
            if let Some(fired) = fired {
                fired.clv_version = row.version;
                fired.clv = row.clv_ev.filter(|_| row.counts());
            }
        }
    }

    /// Takes over the history that `temporary` has gained of a source and sport, leaving it none.
    pub fn adopt_memory(&mut self, temporary: &mut Self, source: u32, sport: SportId) {
        for id in self.active.get(&(source, sport)).cloned().unwrap_or_default() {
            let at = (id.0 as usize).wrapping_sub(1);
            let Some(Some(event)) = self.events.get_mut(at) else { continue };
            let Some(mut memory) = temporary.events.get_mut(at).and_then(Option::as_mut).and_then(|e| e.memory.take())
            else {
                continue;
            };
            // Books stand in another order here.
            for question in &mut memory.questions {
                for (view, track) in question.views.iter().zip(&mut question.tracks) {
                    let Some(book_at) = event.books.iter().position(|b| b.book == view.book) else { continue };
                    let groups = event.books.get(book_at).map(|b| &b.groups);
                    let group_at = groups.and_then(|g| g.iter().position(|g| g.market == question.key.market));
                    (track.book_at, track.group_at) = (book_at as u16, group_at.unwrap_or(0) as u16);
                }
            }
            event.memory = Some(memory);
        }
    }

    fn memory_mut(&mut self, event: EventId) -> Option<&mut EventMemory> {
        self.events.get_mut((event.0 as usize).checked_sub(1)?)?.as_mut()?.memory.as_deref_mut()
    }

    fn question_mut(&mut self, event: EventId, key: UnitKey) -> Option<&mut Question> {
        let memory = self.memory_mut(event)?;
        let at = memory.questions.binary_search_by_key(&key, |q| q.key).ok()?;
        memory.questions.get_mut(at)
    }
}
