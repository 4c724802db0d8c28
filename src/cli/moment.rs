//! Which events a command about prices is asked of, at which instant, and what their quotes said then.
//!
//! Without `--as-of` the instant is the newest look at the sport, and ages count up to it: stores often hold recorded
//! days, and the clock on the wall would call all of their quotes old.

use std::collections::BTreeMap;

use super::args::Global;
use super::args_analysis::PriceFilter;
use super::{Failure, filter, look, prepare};
use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::changes::EventRow;
use crate::engine::names::Names;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::engine::profile::SportProfile;
use crate::market::ids::{EventId, SportId};
use crate::market::market_key::Family;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::runtime::settings::engine_settings;
use crate::store::Reader;
use crate::store::as_of::EventAsOf;
use crate::store::query::END_OF_TIME;

/// Starts that were moved since are looked for so far back. Milliseconds.
const MOVED_WITHIN: i64 = 14 * 24 * 3_600_000;

/// A store and the rules by which its quotes are judged.
pub struct Asked {
    /// The store.
    pub reader: Reader,
    /// Its names.
    pub names: Names,
    /// What the user has decided.
    pub settings: EngineSettings,
}

/// What one event's quotes said at one instant.
pub struct Appraised {
    /// The event as it was known then.
    pub row: EventRow,
    /// Its questions, in the order of market, subject and line; only those of the market asked for.
    pub questions: Vec<Appraisal>,
}

impl Asked {
    /// Opens the store.
    pub fn open(global: &Global) -> Result<Self, Failure> {
        let (paths, loaded) = prepare(global, Vec::new())?;
        let reader = Reader::open(&paths.store(&loaded.settings))?;
        super::look::warn_of_a_gap(&reader)?;
        let names = reader.names()?;
        Ok(Self { reader, names, settings: engine_settings(&loaded.settings) })
    }

    /// Everything that was asked for, event by event in the order of their starts.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a sport, market or event that is not there.
    pub fn appraise(&self, filter: &PriceFilter) -> Result<Vec<Appraised>, Failure> {
        let sport = filter::sport(&self.names, filter.sport.as_deref())?;
        filter::market(&self.names, filter.market.as_deref())?;
        let mut appraiser = Appraiser::new(self.settings.clone(), self.names.clone());
        let mut all = Vec::new();
        for (event, at) in self.events(filter, sport)? {
            let published: Vec<_> = self.reader.points(event.row.id, at, at)?.into_iter().map(|p| p.point).collect();
            let row = event.row.clone();
            let mut questions = appraiser.event(event.row, event.quotes, at, &published);
            if let Some(market) = &filter.market {
                if filter.event.is_some() && !questions.iter().any(|q| q.market == *market) {
                    return Err(look::unknown("market", market, questions.iter().map(|q| q.market.as_str())));
                }
                questions.retain(|q| q.market == *market);
            }
            all.push(Appraised { row, questions });
        }
        Ok(all)
    }

    fn events(&self, filter: &PriceFilter, sport: Option<SportId>) -> Result<Vec<(EventAsOf, Timestamp)>, Failure> {
        let given = filter.as_of.map(filter::instant);
        let newest = self.newest_looks()?;
        if let Some(text) = &filter.event {
            let row = look::event(&self.reader, &self.names, text, given.unwrap_or(END_OF_TIME))?;
            if sport.is_some_and(|s| s != row.sport) {
                let other = self.names.sport(row.sport);
                return Err(Failure::NotFound(format!("event {} is one of {other}", row.id.0)));
            }
            let at = given.or_else(|| newest.get(&row.sport).copied()).unwrap_or(row.first_seen);
            let Some(event) = self.reader.event_as_of(row.id, at)? else {
                return Err(Failure::NotFound(format!("event {} was not known at {at}", row.id.0)));
            };
            return Ok(vec![(event, at)]);
        }
        let mut events = Vec::new();
        for (of, last) in newest {
            if sport.is_some_and(|s| s != of) {
                continue;
            }
            let at = given.unwrap_or(last);
            let board = self.reader.board_as_of(of, at, at.plus(-MOVED_WITHIN), END_OF_TIME)?;
            events.extend(board.into_iter().filter(|e| e.row.commence > at).map(|e| (e, at)));
        }
        events.sort_by_key(|(e, _)| (e.row.commence, e.row.id));
        Ok(events)
    }

    /// The newest look at each sport, whoever answered.
    fn newest_looks(&self) -> Result<BTreeMap<SportId, Timestamp>, Failure> {
        let mut newest = BTreeMap::new();
        for status in self.reader.status(&self.names)? {
            let last = newest.entry(look::sport(&self.names, &status.sport)?).or_insert(status.last_look);
            *last = (*last).max(status.last_look);
        }
        Ok(newest)
    }
}

/// Finds out the outcomes of stored questions, which the store does not keep.
#[derive(Default)]
pub struct Layouts {
    three_way: BTreeMap<SportId, bool>,
    /// Propositions are over-under or yes-no: their quotes tell which.
    asked: BTreeMap<(EventId, UnitKey), Option<Layout>>,
}

impl Layouts {
    /// The outcomes of a question of an event; `None` where not even its quotes tell.
    pub fn of(
        &mut self,
        reader: &Reader,
        names: &Names,
        row: &EventRow,
        key: UnitKey,
    ) -> Result<Option<Layout>, Failure> {
        let three_way =
            self.three_way.entry(row.sport).or_insert_with(|| SportProfile::of(names.sport(row.sport)).three_way);
        let spec = names.spec(key.market);
        if spec.family != Family::Proposition {
            return Ok(Layout::of(spec, *three_way, Side::Named));
        }
        if let Some(known) = self.asked.get(&(row.id, key)) {
            return Ok(*known);
        }
        for (_, quote, _) in reader.event_as_of(row.id, END_OF_TIME)?.map(|e| e.quotes).unwrap_or_default() {
            let layout = Layout::of(names.spec(quote.market), *three_way, quote.selection.side);
            self.asked.entry((row.id, UnitKey::of(quote.market, quote.selection))).or_insert(layout);
        }
        Ok(*self.asked.entry((row.id, key)).or_insert(None))
    }
}
