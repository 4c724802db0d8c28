//! An engine that goes on where it stopped: with its quotes, which the store gives back exactly, and with its short
//! memory, which it gains by going through the last looks again.
//!
//! For each source and sport a second engine is put into the state of a look before the memory begins, is told what the
//! tables held then, applies the stored looks since, and hands over what it remembers of them. It holds one sport at a
//! time and is gone afterwards.

use crate::engine::{Engine, EngineSettings};
use crate::feeds::replay;
use crate::market::ids::SportId;
use crate::market::time::Timestamp;
use crate::store::recall::Past;
use crate::store::{Store, StoreError};

/// An engine in the state that the newest committed look left behind, to go on from.
///
/// # Errors
/// [`StoreError`].
pub fn engine(store: &Store, settings: EngineSettings) -> Result<Engine, StoreError> {
    let mut engine = store.engine(settings)?;
    let reader = store.reader()?;
    reader.hold()?;
    let past = reader.past();
    let mut warming = Warming::new(&engine, past)?;
    for (source, sport) in past.sports()? {
        warming.sport(&mut engine, source, sport)?;
    }
    Ok(engine)
}

/// Gives `engine` the short memory of one source and sport, whose newest look in `past` it stands at.
///
/// # Errors
/// [`StoreError`].
pub(super) fn sport(engine: &mut Engine, past: Past<'_>, source: u32, sport: SportId) -> Result<(), StoreError> {
    Warming::new(engine, past)?.sport(engine, source, sport)
}

struct Warming<'c> {
    past: Past<'c>,
    /// Goes through the looks again.
    again: Engine,
    names: crate::engine::names::Names,
    horizon_ms: i64,
}

impl<'c> Warming<'c> {
    fn new(engine: &Engine, past: Past<'c>) -> Result<Self, StoreError> {
        let again = past.blank(engine.settings().clone())?;
        let horizon_ms = Engine::memory_ms(engine.settings()).max(0);
        Ok(Self { past, again, names: past.names()?, horizon_ms })
    }

    fn sport(&mut self, engine: &mut Engine, source: u32, sport: SportId) -> Result<(), StoreError> {
        let past = self.past;
        let Some((newest, at)) = past.look_at(source, sport, Timestamp::from_millis(i64::MAX))? else { return Ok(()) };
        if past.has_remembered(source, sport)? {
            let first = past.look_at(source, sport, at.plus(-self.horizon_ms))?;
            let look = first.map(|(look, _)| look);
            self.again.stand(source, sport, past.sport_as_of(source, sport, look, engine.settings())?);
            self.again.recall(source, sport, first.map(|(_, at)| at), past.recall(source, sport, look)?);
            let after = first.map_or(Timestamp::from_millis(i64::MIN), |(_, at)| at);
            let mut looks = past.replay(source, sport, after);
            while let Some(look) = looks.next()? {
                // What follows from the number of a look follows again.
                self.again.next_look_is(look.id);
                self.again.apply(&replay::batch(&look, source, sport, &self.names));
            }
            engine.adopt_memory(&mut self.again, source, sport);
            self.again.stand(source, sport, Default::default());
        }
        // A type's record outlives the events that it comes from.
        engine.recall(source, sport, Some(at), past.recall(source, sport, Some(newest))?);
        Ok(())
    }
}
