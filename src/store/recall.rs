//! Any earlier look of a source and sport, in the form in which an engine goes on from it: see
//! [`crate::engine::recall`]. Reads only.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::analysis_codec::{self as rows, BEFORE_ALL};
use super::as_of::{StallRule, last_look};
use super::replay::Replay;
use super::restore::{self, OpenIssue, images, looks_until};
use super::write::{Together, none_if_no_rows};
use super::{Reader, StoreError, codec};
use crate::engine::changes::{EventRow, Point};
use crate::engine::detect::signal::SignalType;
use crate::engine::names::Names;
use crate::engine::opportunity::OpportunityChange;
use crate::engine::recall::{Recall, SportAsOf};
use crate::engine::restore::{EngineImage, SportImage};
use crate::engine::{Engine, EngineSettings};
use crate::market::ids::{EventId, LookId, SportId};
use crate::market::time::Timestamp;

/// The looks of a store up to now, to go back among.
#[derive(Clone, Copy, Debug)]
pub struct Past<'c> {
    c: &'c Connection,
}

impl Reader {
    /// What this reader sees. It should stand still meanwhile: see [`Reader::hold`].
    pub fn past(&self) -> Past<'_> {
        Past { c: &self.connection }
    }
}

impl Together<'_> {
    /// What has been written so far, this transaction included.
    pub fn past(&self) -> Past<'_> {
        Past { c: self.connection }
    }
}

/// Every source and sport with a look, in the order of their numbers.
pub(super) fn sports(c: &Connection) -> Result<Vec<(u32, SportId)>, StoreError> {
    // One step for each, along the index, however many looks there are.
    let mut select = c.prepare_cached(
        "SELECT source, sport FROM look WHERE (source, sport) > (?, ?) ORDER BY source, sport LIMIT 1",
    )?;
    let mut found: Vec<(u32, SportId)> = Vec::new();
    loop {
        let (source, sport) = found.last().map_or((-1, -1), |(source, sport)| (i64::from(*source), i64::from(sport.0)));
        let next = select
            .query_row([source, sport], |r| Ok((r.get(0)?, SportId(r.get(1)?))))
            .map(Some)
            .or_else(none_if_no_rows)?;
        let Some(next) = next else { return Ok(found) };
        found.push(next);
    }
}

impl<'c> Past<'c> {
    /// Every source and sport with a look, in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sports(&self) -> Result<Vec<(u32, SportId)>, StoreError> {
        sports(self.c)
    }

    /// All names and their numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names(&self) -> Result<Names, StoreError> {
        let mut names = Names::default();
        for (kind, list) in restore::names(self.c)? {
            for name in list {
                kind.list(&mut names).intern(&name);
            }
        }
        Ok(names)
    }

    /// The newest look of a source and sport at or before `at`, with its instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_at(
        &self,
        source: u32,
        sport: SportId,
        at: Timestamp,
    ) -> Result<Option<(LookId, Timestamp)>, StoreError> {
        let Some(look) = last_look(self.c, source, sport, at)? else { return Ok(None) };
        let mut find = self.c.prepare_cached("SELECT received_at FROM look WHERE id = ?")?;
        Ok(Some((look, find.query_row([look.0 as i64], |r| codec::time(r, 0))?)))
    }

    /// The last look of a source and sport before one of its looks, and when it was received.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_before(
        &self,
        source: u32,
        sport: SportId,
        look: LookId,
    ) -> Result<Option<(LookId, Timestamp)>, StoreError> {
        let mut find = self.c.prepare_cached(
            "SELECT id, received_at FROM look WHERE source = ?1 AND sport = ?2 AND id < ?3
             AND received_at <= (SELECT received_at FROM look WHERE id = ?3) ORDER BY received_at DESC, id DESC LIMIT 1",
        )?;
        let mut rows = find.query(params![source, sport.0, look.0 as i64])?;
        match rows.next()? {
            None => Ok(None),
            Some(r) => Ok(Some((LookId(r.get::<_, i64>(0)? as u64), codec::time(r, 1)?))),
        }
    }

    /// The looks of a source and sport that were received after `after`, oldest first.
    pub fn replay(&self, source: u32, sport: SportId, after: Timestamp) -> Replay<'c> {
        Replay::new(self.c, source, sport, after)
    }

    /// An engine that knows all names and the numbers of all events, those of later looks included, so that looks
    /// applied again give the same numbers; and nothing else. For [`Engine::stand`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn blank(&self, settings: EngineSettings) -> Result<Engine, StoreError> {
        let image = EngineImage {
            names: restore::names(self.c)?,
            aliases: restore::aliases(self.c)?,
            ..EngineImage::default()
        };
        Ok(Engine::restore(settings, image))
    }

    /// Does the engine remember an event of a source and sport after its newest look?
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_remembered(&self, source: u32, sport: SportId) -> Result<bool, StoreError> {
        let mut find = self
            .c
            .prepare_cached("SELECT 1 FROM event WHERE source = ? AND sport = ? AND forgotten IS NULL LIMIT 1")?;
        Ok(find.exists(params![source, sport.0])?)
    }

    /// One source and sport as of one of its looks; `None`: before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sport_as_of(
        &self,
        source: u32,
        sport: SportId,
        look: Option<LookId>,
        settings: &EngineSettings,
    ) -> Result<SportAsOf, StoreError> {
        let last = look.unwrap_or_default();
        let unborn = unborn(self.c, source, sport, last)?;
        if look.is_none() {
            let image = SportImage { looks: 0, events: Vec::new(), unborn };
            return Ok(SportAsOf { image, slots: Vec::new() });
        }
        let image = sport_image_as_of(self.c, source, sport, last, unborn, settings)?;
        Ok(SportAsOf { image, slots: slots_as_of(self.c, source, sport, last)? })
    }

    /// What the tables hold of one source and sport as of one of its looks; `None`: before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn recall(&self, source: u32, sport: SportId, look: Option<LookId>) -> Result<Recall, StoreError> {
        let Some(look) = look else { return Ok(Recall::default()) };
        let mut recall = Recall { record: record(self.c, source, sport, look)?, ..Recall::default() };
        for event in remembered_rows(self.c, source, sport, look)? {
            points(self.c, event.id, look, &mut recall.points)?;
            signals(self.c, event.id, look, &mut recall)?;
            closes(self.c, event.id, look, &mut recall)?;
            open_opportunities(self.c, event.id, look, |_, change| recall.open_opportunities.push(change))?;
        }
        recall.signals.sort_by(|a, b| (a.updated_at, &a.id, a.version).cmp(&(b.updated_at, &b.id, b.version)));
        recall.clv.sort_by(|a, b| (a.detected_at, &a.signal_id).cmp(&(b.detected_at, &b.signal_id)));
        Ok(recall)
    }
}

/// Events of a source and sport that were known only after look `last`.
pub(super) fn unborn(c: &Connection, source: u32, sport: SportId, last: LookId) -> Result<Vec<EventId>, StoreError> {
    let mut select =
        c.prepare_cached("SELECT id FROM event WHERE source = ? AND sport = ? AND first_look > ? ORDER BY id")?;
    let rows = select.query_map(params![source, sport.0, last.0 as i64], |r| Ok(EventId(r.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The events that the engine remembered after look `last`, in the order of their numbers.
pub(super) fn remembered_rows(
    c: &Connection,
    source: u32,
    sport: SportId,
    last: LookId,
) -> Result<Vec<EventRow>, StoreError> {
    // An event that came back later was let go of before that: before or after `last`.
    let mut select = c.prepare_cached(&format!(
        "SELECT {} FROM event WHERE source = ?1 AND sport = ?2 AND first_look <= ?3
         AND (forgotten IS NULL OR forgotten > ?3)
         AND NOT EXISTS (SELECT 1 FROM event_life AS life WHERE life.event = id AND look > ?3 AND life.forgotten <= ?3)
         ORDER BY id",
        codec::EVENT_COLUMNS
    ))?;
    let rows = select.query_map(params![source, sport.0, last.0 as i64], codec::event_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Events, and what there was to know of each, after look `last` of a source and sport.
fn sport_image_as_of(
    c: &Connection,
    source: u32,
    sport: SportId,
    last: LookId,
    unborn: Vec<EventId>,
    settings: &EngineSettings,
) -> Result<SportImage, StoreError> {
    let rule = StallRule { looks: settings.frozen_looks, ms: settings.frozen_ms };
    let events = remembered_rows(c, source, sport, last)?;
    let mut issues = open_issues_as_of(c, last, &events)?;
    let events = images(c, (source, sport), events, last, rule, |id| Ok(issues.remove(&id).unwrap_or_default()))?;
    Ok(SportImage { looks: looks_until(c, source, sport, last)?, events, unborn })
}

/// Slots given up to look `last` in each event known then, as far as they do not follow from its quotes.
pub(super) fn slots_as_of(
    c: &Connection,
    source: u32,
    sport: SportId,
    last: LookId,
) -> Result<Vec<(EventId, u32)>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT id, CASE WHEN forgotten <= ?3 THEN ifnull(slots, 0) ELSE ifnull(
             (SELECT first_slot FROM event_life AS life WHERE life.event = id AND look > ?3 AND life.forgotten <= ?3
              ORDER BY look LIMIT 1),
             ifnull((SELECT first_slot FROM event_life AS life WHERE life.event = id AND look <= ?3
                     ORDER BY look DESC LIMIT 1), 0)) END
         FROM event WHERE source = ?1 AND sport = ?2 AND first_look <= ?3 ORDER BY id",
    )?;
    let rows = select.query_map(params![source, sport.0, last.0 as i64], |r| Ok((EventId(r.get(0)?), r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Issues of events that had not ended after look `last`, those that have ended since included.
fn open_issues_as_of(
    c: &Connection,
    last: LookId,
    events: &[EventRow],
) -> Result<FxHashMap<EventId, Vec<OpenIssue>>, StoreError> {
    let mut open: FxHashMap<EventId, Vec<OpenIssue>> = events.iter().map(|e| (e.id, Vec::new())).collect();
    let mut select =
        c.prepare_cached("SELECT book, market, reason FROM quality WHERE event = ? AND cleared IS NULL AND look <= ?")?;
    for (event, issues) in &mut open {
        let mut rows = select.query(params![event.0, last.0 as i64])?;
        while let Some(r) = rows.next()? {
            issues.push(restore::open_issue(r)?);
        }
    }
    let mut select = c.prepare_cached(
        "SELECT book, market, reason, event FROM quality WHERE cleared > ?1 AND look <= ?1 AND event IS NOT NULL",
    )?;
    let mut rows = select.query([last.0 as i64])?;
    while let Some(r) = rows.next()? {
        if let Some(issues) = open.get_mut(&EventId(r.get(3)?)) {
            issues.push(restore::open_issue(r)?);
        }
    }
    for issues in open.values_mut() {
        issues.sort_unstable_by_key(|(book, market, reason)| (*book, *market, reason.number()));
        issues.dedup();
    }
    Ok(open)
}

/// The newest point of each question of an event up to `look`.
fn points(c: &Connection, event: EventId, look: LookId, out: &mut Vec<Point>) -> Result<(), StoreError> {
    let mut select = c.prepare_cached(
        "SELECT market, subject, own_line, look FROM point_newest WHERE event = ? ORDER BY market, subject, own_line",
    )?;
    let mut fetch = c.prepare_cached(&format!(
        "SELECT {} FROM point WHERE event = ? AND look = ? AND market = ? AND subject = ? AND own_line = ?",
        rows::POINT_COLUMNS
    ))?;
    let mut newest = select.query([event.0])?;
    while let Some(r) = newest.next()? {
        let question = (r.get(0)?, r.get(1)?, r.get(2)?);
        if let Some(held) = point_held(c, event, question, r.get(3)?, look)? {
            let (market, subject, own_line) = question;
            let point = fetch.query_row(params![event.0, held, market, subject, own_line], rows::point);
            out.extend(point.map(Some).or_else(none_if_no_rows)?);
        }
    }
    Ok(())
}

/// The look of the point of a question that held after look `last`, found by going back from the newest. Points wanted
/// are almost always within hours of it.
pub(super) fn point_held(
    c: &Connection,
    event: EventId,
    (market, subject, own_line): (i64, i64, i64),
    newest: i64,
    last: LookId,
) -> Result<Option<i64>, StoreError> {
    let mut previous = c.prepare_cached(
        "SELECT previous FROM point WHERE event = ? AND look = ? AND market = ? AND subject = ? AND own_line = ?",
    )?;
    let mut look = newest;
    while look > last.0 as i64 {
        let before: Option<Option<i64>> = previous
            .query_row(params![event.0, look, market, subject, own_line], |r| r.get(0))
            .map(Some)
            .or_else(none_if_no_rows)?;
        // Always earlier; a damaged store must not make this run for ever.
        let Some(before) = before.flatten().filter(|before| *before < look) else { return Ok(None) };
        look = before;
    }
    Ok(Some(look))
}

fn signals(c: &Connection, event: EventId, look: LookId, recall: &mut Recall) -> Result<(), StoreError> {
    let mut select =
        c.prepare_cached(&format!("SELECT {} FROM signal AS s WHERE event = ?1 AND look <= ?2", rows::SIGNAL_COLUMNS))?;
    let mut found = select.query(params![event.0, look.0 as i64])?;
    while let Some(r) = found.next()? {
        recall.signals.push(rows::signal(r)?);
    }
    let mut select = c.prepare_cached(
        "SELECT json FROM clv AS x WHERE event = ?1 AND look <= ?2
         AND version = (SELECT max(version) FROM clv WHERE signal = x.signal AND look <= ?2)",
    )?;
    let mut found = select.query(params![event.0, look.0 as i64])?;
    while let Some(r) = found.next()? {
        recall.clv.push(rows::clv(r)?);
    }
    Ok(())
}

fn closes(c: &Connection, event: EventId, look: LookId, recall: &mut Recall) -> Result<(), StoreError> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {} FROM close AS x WHERE event = ?1 AND look <= ?2
         AND version = (SELECT max(version) FROM close WHERE event = ?1 AND market = x.market AND subject = x.subject
                        AND own_line = x.own_line AND look <= ?2)
         ORDER BY market, subject, own_line",
        rows::CLOSE_COLUMNS
    ))?;
    let mut found = select.query(params![event.0, look.0 as i64])?;
    while let Some(r) = found.next()? {
        recall.closes.push(rows::close(r)?);
    }
    Ok(())
}

/// Which opportunity, in the order of the table's key.
#[derive(Clone, Debug)]
pub(super) struct OpportunityKey {
    pub(super) event: i64,
    /// Market, subject and line of the question.
    pub(super) question: (i64, i64, i64),
    pub(super) kind: u8,
    pub(super) legs: String,
}

/// Comes before every opportunity of an event, for [`next_opportunity`].
pub(super) fn first_opportunity(event: i64) -> OpportunityKey {
    OpportunityKey { event, question: BEFORE_ALL, kind: 0, legs: String::new() }
}

/// The opportunity after another: from one to the next along the key, however long the log of each.
pub(super) fn next_opportunity(c: &Connection, after: &OpportunityKey) -> Result<Option<OpportunityKey>, StoreError> {
    let mut step = c.prepare_cached(
        "SELECT event, market, subject, own_line, kind, legs FROM opportunity
         WHERE (event, market, subject, own_line, kind, legs) > (?, ?, ?, ?, ?, ?)
         ORDER BY event, market, subject, own_line, kind, legs LIMIT 1",
    )?;
    let (market, subject, own_line) = after.question;
    let next = step.query_row(params![after.event, market, subject, own_line, after.kind, after.legs], |r| {
        let question = (r.get(1)?, r.get(2)?, r.get(3)?);
        Ok(OpportunityKey { event: r.get(0)?, question, kind: r.get(4)?, legs: r.get(5)? })
    });
    Ok(next.map(Some).or_else(none_if_no_rows)?)
}

/// The opportunities of an event that had not ended after `look`, each with the look of its last change.
pub(super) fn open_opportunities(
    c: &Connection,
    event: EventId,
    look: LookId,
    mut found: impl FnMut(LookId, OpportunityChange),
) -> Result<(), StoreError> {
    let mut newest = c.prepare_cached(&format!(
        "SELECT {}, look FROM opportunity WHERE event = ? AND market = ? AND subject = ? AND own_line = ? AND kind = ?
         AND legs = ? AND look <= ? ORDER BY look DESC LIMIT 1",
        rows::OPPORTUNITY_COLUMNS
    ))?;
    let mut at = first_opportunity(i64::from(event.0));
    while let Some(next) = next_opportunity(c, &at)?.filter(|next| next.event == at.event) {
        at = next;
        let (market, subject, own_line) = at.question;
        let mut row = newest.query(params![at.event, market, subject, own_line, at.kind, at.legs, look.0 as i64])?;
        if let Some(r) = row.next()?
            && r.get(6)?
        {
            found(LookId(r.get::<_, i64>(9)? as u64), rows::opportunity(r)?);
        }
    }
    Ok(())
}

/// Means no further from zero than this are none: neither positive nor negative.
const ZERO: f64 = 1e-9;

/// Each type's record over all events of a source and sport: see [`Recall::record`]. Closes of grades A and B count.
fn record(
    c: &Connection,
    source: u32,
    sport: SportId,
    look: LookId,
) -> Result<Vec<(SignalType, u32, u32)>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT type, count(*), sum(mean > ?4) FROM (
             SELECT type, avg(clv_ev) AS mean FROM clv AS x
             WHERE event IN (SELECT id FROM event WHERE source = ?1 AND sport = ?2) AND look <= ?3
             AND version = (SELECT max(version) FROM clv WHERE signal = x.signal AND look <= ?3)
             AND grade IN ('A', 'B') AND clv_ev IS NOT NULL GROUP BY type, event)
         GROUP BY type ORDER BY type",
    )?;
    let mut found = select.query(params![source, sport.0, look.0 as i64, ZERO])?;
    let mut record = Vec::new();
    while let Some(r) = found.next()? {
        record.push((rows::signal_type(r.get(0)?)?, r.get(1)?, r.get(2)?));
    }
    Ok(record)
}
