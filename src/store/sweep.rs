//! Removing old points and opportunities, a few at a time.
//!
//! A row goes once another of the same question has taken its place before the limit too, so that the state of every
//! instant after the limit stays known. Of events that the engine has let go of everything before the limit goes.
//! Closes, signals and their grading are no business of this.

use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;

use super::as_of::last_look;
use super::write::none_if_no_rows;
use super::{StoreError, recall};
use crate::market::ids::{LookId, SportId};
use crate::market::time::Timestamp;

/// Events or opportunities that one step looks at, at the most.
const STEP_LOOKED_AT: usize = 50;
/// Rows that one step removes at the most.
const STEP_ROWS: usize = 500;
/// Between the end of one round and the beginning of the next. Milliseconds.
const ROUND_MS: i64 = 3_600_000;

/// How far a round has come.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    place: Place,
    /// Nothing is done before this instant.
    next_round: Option<Timestamp>,
}

/// What has been looked at last.
#[derive(Debug)]
enum Place {
    /// Points of this event.
    Points(i64),
    /// The opportunity of this key.
    Opportunities(recall::OpportunityKey),
}

impl Default for Place {
    fn default() -> Self {
        Self::Points(-1)
    }
}

/// What may go of an event.
struct Limit {
    /// Nothing after this look, the newest that is old enough.
    look: LookId,
    /// What holds after that look stays.
    remembered: bool,
}

impl Sweep {
    /// One step. Answers how many rows it removed and whether the round is over.
    pub(super) fn step(
        &mut self,
        c: &Connection,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(usize, bool), StoreError> {
        if self.next_round.is_some_and(|next| now < next) {
            return Ok((0, true));
        }
        let mut removed = 0;
        for _ in 0..STEP_LOOKED_AT {
            match &mut self.place {
                Place::Points(event) => match next_event(c, *event)? {
                    Some(next) => {
                        let room = STEP_ROWS - removed;
                        let gone = remove_points(c, next, &limit(c, next, before)?, room)?;
                        removed += gone;
                        if gone < room {
                            *event = next;
                        }
                    }
                    None => self.place = Place::Opportunities(recall::first_opportunity(-1)),
                },
                Place::Opportunities(key) => match recall::next_opportunity(c, key)? {
                    Some(next) => {
                        removed += remove_opportunity(c, &next, &limit(c, next.event, before)?)?;
                        *key = next;
                    }
                    None => {
                        *self = Self { place: Place::default(), next_round: Some(now.plus(ROUND_MS)) };
                        return Ok((removed, true));
                    }
                },
            }
            if removed >= STEP_ROWS {
                break;
            }
        }
        Ok((removed, false))
    }
}

fn limit(c: &Connection, event: i64, before: Timestamp) -> Result<Limit, StoreError> {
    let found = c
        .prepare_cached("SELECT source, sport, forgotten IS NULL FROM event WHERE id = ?")?
        .query_row([event], |r| Ok((r.get(0)?, SportId(r.get(1)?), r.get(2)?)))
        .map(Some)
        .or_else(none_if_no_rows)?;
    let Some((source, sport, remembered)) = found else {
        return Ok(Limit { look: LookId::default(), remembered: true });
    };
    Ok(Limit { look: last_look(c, source, sport, before.plus(-1))?.unwrap_or_default(), remembered })
}

fn next_event(c: &Connection, after: i64) -> Result<Option<i64>, StoreError> {
    let mut select = c.prepare_cached("SELECT event FROM point WHERE event > ? ORDER BY event LIMIT 1")?;
    Ok(select.query_row([after], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?)
}

/// Removes up to `room` points of an event.
fn remove_points(c: &Connection, event: i64, limit: &Limit, room: usize) -> Result<usize, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT look, market, subject, own_line FROM point WHERE event = ? AND look <= ?
         ORDER BY look DESC, market DESC, subject DESC, own_line DESC",
    )?;
    let mut rows = select.query(params![event, limit.look.0 as i64])?;
    let mut held: FxHashSet<(i64, i64, i64)> = FxHashSet::default();
    let mut old: Vec<(i64, (i64, i64, i64))> = Vec::new();
    while old.len() < room
        && let Some(r) = rows.next()?
    {
        let question = (r.get(1)?, r.get(2)?, r.get(3)?);
        if !(limit.remembered && held.insert(question)) {
            old.push((r.get(0)?, question));
        }
    }
    drop(rows);
    let mut delete = c.prepare_cached(
        "DELETE FROM point WHERE event = ? AND look = ? AND market = ? AND subject = ? AND own_line = ?",
    )?;
    let mut newest = c.prepare_cached(
        "DELETE FROM point_newest WHERE event = ? AND look = ? AND market = ? AND subject = ? AND own_line = ?",
    )?;
    for (look, (market, subject, own_line)) in &old {
        delete.execute(params![event, look, market, subject, own_line])?;
        if !limit.remembered {
            newest.execute(params![event, look, market, subject, own_line])?;
        }
    }
    Ok(old.len())
}

fn remove_opportunity(c: &Connection, key: &recall::OpportunityKey, limit: &Limit) -> Result<usize, StoreError> {
    let which = "event = ?1 AND market = ?2 AND subject = ?3 AND own_line = ?4 AND kind = ?5 AND legs = ?6";
    // The one that holds at the limit stays.
    let last = if limit.remembered {
        format!("look < (SELECT max(look) FROM opportunity WHERE {which} AND look <= ?7)")
    } else {
        "look <= ?7".to_owned()
    };
    let mut delete = c.prepare_cached(&format!("DELETE FROM opportunity WHERE {which} AND {last}"))?;
    let (market, subject, own_line) = key.question;
    Ok(delete.execute(params![key.event, market, subject, own_line, key.kind, key.legs, limit.look.0 as i64])?)
}
