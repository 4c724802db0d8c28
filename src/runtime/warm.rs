//! An engine that goes on where it stopped: with its quotes, which the store gives back exactly, and with its short
//! memory, which it gains by going through the last looks again.
//!
//! For each source and sport a second engine is put into the state of a look before the memory begins, is told what the
//! tables held then, applies the stored looks since, and hands over what it remembers of them. It holds one sport at a
//! time and is gone afterwards.

use crate::engine::names::Names;
use crate::engine::recall::SportAsOf;
use crate::engine::{Engine, EngineSettings};
use crate::feeds::replay;
use crate::market::ids::{LookId, SportId};
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

/// An engine with these settings that stands where the look before `look` left it, as after a start of the program.
///
/// # Errors
/// [`StoreError`].
pub(super) fn standing_before(
    past: Past<'_>,
    source: u32,
    sport: SportId,
    look: LookId,
    settings: &EngineSettings,
) -> Result<Engine, StoreError> {
    let mut blank = past.blank(settings.clone())?;
    let before = past.look_before(source, sport, look)?;
    let mut warming = Warming::new(&blank, past)?;
    if let Some((_, at)) = before {
        warming.go_through(source, sport, at.plus(-warming.horizon_ms), Some(look))?;
    } else {
        warming.again.stand(source, sport, past.sport_as_of(source, sport, None, settings)?);
    }
    let newest = before.map(|(look, _)| look);
    warming.again.recall(source, sport, before.map(|(_, at)| at), past.recall(source, sport, newest)?);
    std::mem::swap(&mut blank, &mut warming.again);
    Ok(blank)
}

struct Warming<'c> {
    past: Past<'c>,
    /// Goes through the looks again.
    again: Engine,
    names: Names,
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
        let newest = past.look_at(source, sport, Timestamp::from_millis(i64::MAX))?;
        if let Some((_, at)) = newest
            && past.has_remembered(source, sport)?
        {
            self.go_through(source, sport, at.plus(-self.horizon_ms), None)?;
        }
        // Where there is nothing to remember, nothing takes the place of what the engine may have had.
        engine.adopt_memory(&mut self.again, source, sport);
        self.again.stand(source, sport, SportAsOf::default());
        // A type's record outlives the events that it comes from.
        let (look, at) = (newest.map(|(look, _)| look), newest.map(|(_, at)| at));
        engine.recall(source, sport, at, past.recall(source, sport, look)?);
        Ok(())
    }

    /// Applies the looks since `from` again, up to the one before `end`, beginning with the state at that instant.
    fn go_through(
        &mut self,
        source: u32,
        sport: SportId,
        from: Timestamp,
        end: Option<LookId>,
    ) -> Result<(), StoreError> {
        let (past, again) = (self.past, &mut self.again);
        let first = past.look_at(source, sport, from)?;
        let look = first.map(|(look, _)| look);
        let then = past.sport_as_of(source, sport, look, again.settings())?;
        again.stand(source, sport, then);
        again.recall(source, sport, first.map(|(_, at)| at), past.recall(source, sport, look)?);
        let after = first.map_or(Timestamp::from_millis(i64::MIN), |(_, at)| at);
        let mut looks = past.replay(source, sport, after);
        while let Some(look) = looks.next()? {
            if end.is_some_and(|end| look.id >= end) {
                break;
            }
            // What follows from the number of a look follows again.
            again.next_look_is(look.id);
            again.apply(&replay::batch(&look, source, sport, &self.names));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::odds_api;
    use crate::market::price::OddsFormat;
    use crate::runtime::intake::{self, Answer};

    fn quotes_only() -> EngineSettings {
        let mut settings = EngineSettings::default();
        settings.rules.on = false;
        settings
    }

    fn answer(minute: i64) -> String {
        let at = |m: i64| Timestamp::from_secs(1_795_200_000 + m * 60).to_string();
        let game = |id: &str| {
            let price = -110 - minute % 5;
            format!(
                r#"{{"id":"{id}","sport_key":"basketball_nba","commence_time":"{}","home_team":"Gulls",
                "away_team":"{id}","bookmakers":[{{"key":"b1","title":"b1","markets":[{{"key":"h2h","last_update":"{}","outcomes":[
                {{"name":"Gulls","price":{price}}},{{"name":"{id}","price":-105}}]}}]}}]}}"#,
                at(300),
                at(minute - minute % 3)
            )
        };
        let games: Vec<_> = (0..=minute / 20).map(|n| game(&format!("g{n}"))).collect();
        format!("[{}]", games.join(","))
    }

    fn take(engine: &mut Engine, store: &mut Store, minute: i64) {
        let body = answer(minute);
        let answer = Answer {
            source: odds_api::SOURCE,
            sport: "basketball_nba",
            endpoint: None,
            received_at: Timestamp::from_secs(1_795_200_000 + minute * 60),
            scope: Default::default(),
            format: Some(OddsFormat::American),
            body: body.as_bytes(),
            origin: None,
            cost: None,
            remaining: None,
        };
        intake::take(engine, store, &answer).expect("taken");
    }

    #[test]
    fn the_looks_gone_through_again_end_where_the_engine_stands() {
        let folder = tempfile::tempdir().expect("folder");
        let mut store = Store::open(&folder.path().join("stratum.db")).expect("store");
        let mut engine = Engine::new(quotes_only());
        for minute in 0..90 {
            take(&mut engine, &mut store, minute);
        }
        let reader = store.reader().expect("reader");
        let past = reader.past();
        let mut warming = Warming::new(&engine, past).expect("warming");
        let (source, sport) = past.sports().expect("sports")[0];
        for minutes in [1, 30, 1000] {
            let from = Timestamp::from_secs(1_795_200_000 + (89 - minutes) * 60);
            warming.go_through(source, sport, from, None).expect("gone through");
            assert_eq!(warming.again.last_look(), engine.last_look(), "{minutes} minutes");
            let state = |e: &Engine| format!("{:?}", e.events);
            assert_eq!(state(&warming.again), state(&engine), "{minutes} minutes");
            warming.again.stand(source, sport, SportAsOf::default());
            assert_eq!(warming.again.quotes_in_memory(), 0, "nothing is left behind");
        }
        drop(warming);
        drop(reader);
        let mut warm = super::engine(&store, quotes_only()).expect("engine");
        assert_eq!(warm.last_look(), engine.last_look());
        assert_eq!(warm.quotes_in_memory(), engine.quotes_in_memory());
        take(&mut warm, &mut store, 90);
        assert_eq!(warm.last_look().0, 91);
    }
}
