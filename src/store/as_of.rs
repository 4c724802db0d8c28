//! Any past instant, rebuilt exactly: `as_of`.
//!
//! For each event: its newest keyframe at or before the instant, the rows of the log since, and then the looks
//! backwards until every quote that was on show has its clocks. The cost follows the quotes of the events asked for,
//! not the length of the log.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::write::none_if_no_rows;
use super::{Reader, StoreError, codec};
use crate::engine::as_of::Fold;
use crate::engine::changes::{EventRow, EventStatus, QuoteKey};
use crate::engine::image;
use crate::engine::restore::Stall;
use crate::engine::status::QuoteValue;
use crate::market::ids::{EventId, LookId, Slot, SportId};
use crate::market::time::Timestamp;

/// An event with all its quotes at one instant.
#[derive(Clone, Debug)]
pub struct EventAsOf {
    /// The event as it was known then.
    pub row: EventRow,
    /// Its quotes, gone ones included, in the order of their slots.
    pub quotes: Vec<(Slot, QuoteKey, QuoteValue)>,
    /// Look of the last keyframe before, or of the first appearance.
    pub(super) keyframe_look: LookId,
    /// Rows of the log since then.
    pub(super) rows_since_keyframe: u32,
    /// How long the provider's time of each market had stood still, where that was asked for.
    pub(super) stalls: Vec<Stall>,
}

/// How far back the standing still of a provider's time matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct StallRule {
    pub(super) looks: u8,
    pub(super) ms: i64,
}

/// Past so many looks an unresolved clock stays as the log gave it. Never reached by a store that we wrote.
const MAX_LOOKS_BACK: usize = 100_000;

impl Reader {
    /// The event of our id as it was at `at`; `None` if it was not known yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn event_as_of(&self, event: EventId, at: Timestamp) -> Result<Option<EventAsOf>, StoreError> {
        // One transaction, so that a commit in between is seen whole or not at all.
        let tx = self.connection.unchecked_transaction()?;
        let mut find = tx.prepare_cached(&format!("SELECT {} FROM event WHERE id = ?", codec::EVENT_COLUMNS))?;
        let Some(row) = find.query_row([event.0], codec::event_row).map(Some).or_else(none_if_no_rows)? else {
            return Ok(None);
        };
        let Some(last) = last_look(&tx, row.source, row.sport, at)? else { return Ok(None) };
        Ok(load(&tx, vec![row], last, None)?.pop())
    }

    /// The whole board of a sport at `at`: events that start between `from` and `to`, in the order of their starts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn board_as_of(
        &self,
        sport: SportId,
        at: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<EventAsOf>, StoreError> {
        let tx = self.connection.unchecked_transaction()?;
        let mut find = tx.prepare_cached(&format!(
            "SELECT {} FROM event WHERE sport = ? AND commence BETWEEN ? AND ? ORDER BY source, commence, id",
            codec::EVENT_COLUMNS
        ))?;
        let rows: Vec<EventRow> = find
            .query_map(params![sport.0, from.millis(), to.millis()], codec::event_row)?
            .collect::<Result<_, _>>()?;
        let mut board = Vec::with_capacity(rows.len());
        let mut rest = rows.as_slice();
        while let Some(first) = rest.first() {
            let split = rest.iter().position(|r| r.source != first.source).unwrap_or(rest.len());
            let (same, other) = rest.split_at(split);
            if let Some(last) = last_look(&tx, first.source, sport, at)? {
                board.extend(load(&tx, same.to_vec(), last, None)?);
            }
            rest = other;
        }
        board.sort_by_key(|e| (e.row.commence, e.row.id));
        Ok(board)
    }
}

/// The newest look of a source and sport at or before `at`.
pub(super) fn last_look(
    c: &Connection,
    source: u32,
    sport: SportId,
    at: Timestamp,
) -> Result<Option<LookId>, StoreError> {
    let mut find = c.prepare_cached(
        "SELECT id FROM look WHERE source = ? AND sport = ? AND received_at <= ?
         ORDER BY received_at DESC, id DESC LIMIT 1",
    )?;
    let id: Option<i64> =
        find.query_row(params![source, sport.0, at.millis()], |r| r.get(0)).map(Some).or_else(none_if_no_rows)?;
    Ok(id.map(|id| LookId(id as u64)))
}

/// One event on its way.
struct Loading {
    row: EventRow,
    keys: Vec<(Slot, QuoteKey)>,
    /// For each key its market's number: the lowest slot of the same book and market.
    groups: Vec<Slot>,
    starts: Vec<(LookId, Timestamp)>,
    fold: Fold,
    keyframe_look: LookId,
    stalls: Vec<(Stall, bool)>,
}

impl Loading {
    /// The start as it was known at a look.
    fn start(&self, look: LookId) -> Timestamp {
        let known = self.starts.partition_point(|(l, _)| *l <= look);
        known.checked_sub(1).and_then(|i| self.starts.get(i)).map_or(self.row.commence, |(_, s)| *s)
    }
}

/// Loads events of one source and sport as of look `last`. Events that appeared later are left out.
pub(super) fn load(
    c: &Connection,
    rows: Vec<EventRow>,
    last: LookId,
    stall_rule: Option<StallRule>,
) -> Result<Vec<EventAsOf>, StoreError> {
    let Some((source, sport)) = rows.first().map(|r| (r.source, r.sport)) else { return Ok(Vec::new()) };
    let mut times = LookTimes { c, known: FxHashMap::default() };
    let mut unpacker = codec::Unpacker::new()?;
    let mut loading = Vec::with_capacity(rows.len());
    for row in rows {
        loading.extend(begin(c, row, last, &mut times, &mut unpacker)?);
    }
    let index: FxHashMap<EventId, usize> = loading.iter().enumerate().map(|(i, l)| (l.row.id, i)).collect();
    walk_back(c, &mut unpacker, (source, sport, last), &mut loading, &index, stall_rule)?;
    Ok(loading.into_iter().map(finish).collect())
}

struct LookTimes<'c> {
    c: &'c Connection,
    known: FxHashMap<LookId, Timestamp>,
}

impl LookTimes<'_> {
    fn of(&mut self, look: LookId) -> Result<Timestamp, StoreError> {
        if let Some(at) = self.known.get(&look) {
            return Ok(*at);
        }
        let mut find = self.c.prepare_cached("SELECT received_at FROM look WHERE id = ?")?;
        let at = find.query_row([look.0 as i64], |r| codec::time(r, 0))?;
        self.known.insert(look, at);
        Ok(at)
    }
}

/// Keyframe, rows, keys and starts of one event.
fn begin(
    c: &Connection,
    mut row: EventRow,
    last: LookId,
    times: &mut LookTimes<'_>,
    unpacker: &mut codec::Unpacker,
) -> Result<Option<Loading>, StoreError> {
    let (event, upto) = (row.id.0, last.0 as i64);
    let first_look: i64 =
        c.prepare_cached("SELECT first_look FROM event WHERE id = ?")?.query_row([event], |r| r.get(0))?;
    if first_look > upto {
        return Ok(None);
    }
    let mut keyframe_look = LookId(first_look as u64);
    let mut start_values = Vec::new();
    let mut after = first_look - 1;
    let keyframe: Option<(i64, Vec<u8>)> = c
        .prepare_cached("SELECT look, state FROM keyframe WHERE event = ? AND look <= ? ORDER BY look DESC LIMIT 1")?
        .query_row(params![event, upto], |r| Ok((r.get(0)?, r.get(1)?)))
        .map(Some)
        .or_else(none_if_no_rows)?;
    if let Some((look, state)) = keyframe {
        keyframe_look = LookId(look as u64);
        after = look;
        start_values = image::unpack(&unpacker.unpack(&state)?).ok_or(StoreError::Damaged { what: "keyframe" })?;
    }
    let mut fold = Fold::new(start_values);
    let mut select = c.prepare_cached(
        "SELECT look, slot, line, price, status, last_seen, provider_update FROM change
         WHERE event = ? AND look > ? AND look <= ? ORDER BY look, slot",
    )?;
    let mut log = select.query(params![event, after, upto])?;
    while let Some(r) = log.next()? {
        fold.push(&codec::log_row(r, |look| times.of(look))?);
    }
    drop(log);

    let mut select = c.prepare_cached(
        "SELECT slot, book, market, side, subject, own_line FROM quote WHERE event = ? ORDER BY slot",
    )?;
    let mut keys = Vec::new();
    let mut groups = Vec::new();
    let mut lowest: FxHashMap<_, Slot> = FxHashMap::default();
    let mut found = select.query([event])?;
    while let Some(r) = found.next()? {
        let (slot, key) = codec::quote_key(r)?;
        groups.push(*lowest.entry((key.book, key.market)).or_insert(slot));
        keys.push((slot, key));
    }
    drop(found);

    let starts: Vec<(LookId, Timestamp)> = c
        .prepare_cached("SELECT look, commence FROM event_start WHERE event = ? ORDER BY look")?
        .query_map([event], |r| Ok((LookId(r.get::<_, i64>(0)? as u64), codec::time(r, 1)?)))?
        .collect::<Result<_, _>>()?;
    let score = c
        .prepare_cached(
            "SELECT status, home_score, away_score FROM event_score WHERE event = ? AND look <= ?
             ORDER BY look DESC LIMIT 1",
        )?
        .query_row(params![event, upto], |r| {
            let score: (Option<i32>, Option<i32>) = (r.get(1)?, r.get(2)?);
            Ok((EventStatus::from_number(r.get(0)?), score.0.zip(score.1)))
        })
        .map(Some)
        .or_else(none_if_no_rows)?;
    (row.status, row.score) = score.unwrap_or_default();
    let mut loading = Loading { row, keys, groups, starts, fold, keyframe_look, stalls: Vec::new() };
    loading.row.commence = loading.start(last);
    Ok(Some(loading))
}

/// Visits the looks from `last` backwards until every clock is known (and every stall, where asked for).
fn walk_back(
    c: &Connection,
    unpacker: &mut codec::Unpacker,
    (source, sport, last): (u32, SportId, LookId),
    loading: &mut [Loading],
    index: &FxHashMap<EventId, usize>,
    stall_rule: Option<StallRule>,
) -> Result<(), StoreError> {
    let mut select = c.prepare_cached(
        "SELECT look.id, look.received_at, look_seen.seen FROM look LEFT JOIN look_seen ON look_seen.look = look.id
         WHERE source = ?1 AND sport = ?2 AND received_at <= (SELECT received_at FROM look WHERE id = ?3) AND id <= ?3
         ORDER BY received_at DESC, id DESC",
    )?;
    let newest = c
        .prepare_cached("SELECT received_at FROM look WHERE id = ?")?
        .query_row([last.0 as i64], |r| codec::time(r, 0))?;
    let mut looks = select.query(params![source, sport.0, last.0 as i64])?;
    for _ in 0..MAX_LOOKS_BACK {
        let waiting = loading.iter().any(|l| !l.fold.is_resolved());
        let Some(r) = (if waiting || stall_rule.is_some() { looks.next()? } else { None }) else { break };
        let look = LookId(r.get::<_, i64>(0)? as u64);
        let at = codec::time(r, 1)?;
        if let Some(packed) = r.get_ref(2)?.as_blob_or_null().map_err(|_| StoreError::Damaged { what: "look" })? {
            unpacker.read_seen(packed, at, |event, seen| {
                let Some(l) = index.get(&event).and_then(|i| loading.get_mut(*i)) else { return };
                // Groups come in rising order of their numbers but for rare books that appeared late.
                let find = |group: Slot| seen.iter().find(|g| g.group == group).map(|g| g.provider_update);
                if !l.fold.is_resolved() {
                    let start = l.start(look);
                    let (keys, groups) = (&l.keys, &l.groups);
                    let sorted: FxHashMap<Slot, Option<Timestamp>> =
                        seen.iter().map(|g| (g.group, g.provider_update)).collect();
                    l.fold.seen(at, start, |slot| {
                        let at = keys.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
                        sorted.get(groups.get(at)?).copied()
                    });
                }
                if let Some(rule) = stall_rule {
                    for group in seen {
                        match l.stalls.iter_mut().find(|(s, _)| s.group == group.group) {
                            None => {
                                let stall = Stall {
                                    group: group.group,
                                    provider_update: group.provider_update,
                                    advanced_at: at,
                                    stalled_looks: 0,
                                };
                                l.stalls.push((stall, group.provider_update.is_none()));
                            }
                            Some((_, true)) => {}
                            Some((stall, done)) => {
                                if stall.provider_update == group.provider_update {
                                    stall.advanced_at = at;
                                    stall.stalled_looks = stall.stalled_looks.saturating_add(1);
                                    *done = stall.stalled_looks >= rule.looks && newest.since(at) >= rule.ms;
                                } else {
                                    *done = true;
                                }
                            }
                        }
                    }
                    // A market that the newer look showed and this one did not had come afresh.
                    for (stall, done) in l.stalls.iter_mut().filter(|(_, done)| !done) {
                        *done = find(stall.group).is_none();
                    }
                }
            })?;
        }
        if let Some(rule) = stall_rule {
            let long_enough = newest.since(at) >= rule.ms.max(1);
            let settled = loading.iter().all(|l| l.fold.is_resolved() && l.stalls.iter().all(|(_, done)| *done));
            if long_enough && settled {
                break;
            }
        }
    }
    Ok(())
}

fn finish(l: Loading) -> EventAsOf {
    let rows_since_keyframe = l.fold.rows();
    let keys = &l.keys;
    let quotes = l
        .fold
        .into_quotes()
        .into_iter()
        .filter_map(|(slot, value)| {
            let at = keys.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
            Some((slot, keys.get(at)?.1, value))
        })
        .collect();
    EventAsOf {
        row: l.row,
        quotes,
        keyframe_look: l.keyframe_look,
        rows_since_keyframe,
        stalls: l.stalls.into_iter().map(|(s, _)| s).collect(),
    }
}
