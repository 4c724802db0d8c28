//! Bringing an engine's short memory back: what it keeps of the last minutes, and what lasts longer.
//!
//! Quotes come back exactly by [`super::restore`]. The rest is of two kinds: what the stored tables hold ([`Recall`]),
//! and the history of the last [`Engine::memory_ms`], which an engine of the past ([`Engine::stand`]) gains by applying
//! the stored looks again and hands over ([`Engine::adopt_memory`]). Pure data: where it comes from is the store's
//! business.

use super::apply::Engine;
use super::changes::Point;
use super::detect::signal::{Signal, SignalType};
use super::grade::close::Close;
use super::grade::clv::ClvRow;
use super::opportunity::OpportunityChange;
use super::restore::SportImage;
use super::settings::EngineSettings;
use crate::market::ids::{EventId, LookId, SportId};

/// What the tables hold of one source and sport as of a look, for the events that the engine remembered then.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recall {
    /// Newest fair price and consensus of each question. In the order of events and questions.
    pub points: Vec<Point>,
    /// Newest version of each signal. In the order of first detection, then of ids.
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
    /// How far back the short memory reaches. Milliseconds.
    pub fn memory_ms(_settings: &EngineSettings) -> i64 {
        30 * 60_000
    }

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

    /// Takes in what the tables hold of a source and sport, instead of what it knew of that. Its quotes must be in
    /// place.
    pub fn recall(&mut self, _source: u32, _sport: SportId, _recall: Recall) {}

    /// Takes over the history that `temporary` has gained of a source and sport, in place of its own, leaving it none.
    /// The slots and looks in it are the same in both.
    pub fn adopt_memory(&mut self, _temporary: &mut Self, _source: u32, _sport: SportId) {}
}
