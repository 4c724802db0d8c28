//! What the engine needs to go on where it stopped.

use rusqlite::{Connection, Row, params};

use super::as_of::{EventAsOf, StallRule, last_look, load};
use super::{Store, StoreError, codec};
use crate::engine::changes::EventRow;
use crate::engine::names::NameKind;
use crate::engine::restore::{EngineImage, EventImage};
use crate::engine::{Engine, EngineSettings};
use crate::market::ids::{BookId, EventId, LookId, MarketId, SportId};
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

impl Store {
    /// An engine in the state that the newest committed look left behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn engine(&self, settings: EngineSettings) -> Result<Engine, StoreError> {
        engine(&self.connection, settings)
    }
}

pub(super) fn engine(c: &Connection, settings: EngineSettings) -> Result<Engine, StoreError> {
    let rule = StallRule { looks: settings.frozen_looks, ms: settings.frozen_ms };
    let last: Option<i64> = c.query_row(
        "SELECT max(id) FROM (SELECT max(id) AS id FROM look UNION ALL SELECT newest FROM hub)",
        [],
        |r| r.get(0),
    )?;
    let mut image = EngineImage {
        names: names(c)?,
        last_look: LookId(last.unwrap_or(0) as u64),
        aliases: aliases(c)?,
        looks: looks(c)?,
        events: Vec::new(),
    };
    let mut select = c.prepare("SELECT DISTINCT source, sport FROM event WHERE forgotten IS NULL ORDER BY 1, 2")?;
    let scopes: Vec<(u32, SportId)> =
        select.query_map([], |r| Ok((r.get(0)?, SportId(r.get(1)?))))?.collect::<Result<_, _>>()?;
    for (source, sport) in scopes {
        image.events.extend(remembered(c, source, sport, rule)?);
    }
    Ok(Engine::restore(settings, image))
}

/// The remembered events of one source and sport.
pub(super) fn remembered(
    c: &Connection,
    source: u32,
    sport: SportId,
    rule: StallRule,
) -> Result<Vec<EventImage>, StoreError> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {} FROM event WHERE source = ? AND sport = ? AND forgotten IS NULL ORDER BY id",
        codec::EVENT_COLUMNS
    ))?;
    let rows = select.query_map(params![source, sport.0], codec::event_row)?.collect::<Result<Vec<_>, _>>()?;
    let Some(last) = last_look(c, source, sport, Timestamp::from_millis(i64::MAX))? else { return Ok(Vec::new()) };
    images(c, (source, sport), rows, last, rule, |event| open_issues(c, event))
}

/// Events of one source and sport in full as of look `last`. `open_issues` answers those of an event.
pub(super) fn images(
    c: &Connection,
    (source, sport): (u32, SportId),
    rows: Vec<EventRow>,
    last: LookId,
    rule: StallRule,
    mut open_issues: impl FnMut(EventId) -> Result<Vec<OpenIssue>, StoreError>,
) -> Result<Vec<EventImage>, StoreError> {
    let total = looks_of(c, source, sport)?;
    let mut images = Vec::with_capacity(rows.len());
    for event in load(c, rows, last, Some(rule))? {
        let open_issues = open_issues(event.row.id)?;
        let keyframe_look = total.saturating_sub(looks_after(c, source, sport, event.keyframe_look)?);
        images.push(event_image(event, keyframe_look, open_issues));
    }
    Ok(images)
}

fn looks(c: &Connection) -> Result<Vec<(u32, SportId, u64)>, StoreError> {
    let mut select = c.prepare("SELECT source, sport, count(*) FROM look GROUP BY source, sport ORDER BY 1, 2")?;
    let rows = select.query_map([], |r| Ok((r.get(0)?, SportId(r.get(1)?), r.get::<_, i64>(2)? as u64)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn looks_of(c: &Connection, source: u32, sport: SportId) -> Result<u64, StoreError> {
    let mut select = c.prepare_cached("SELECT count(*) FROM look WHERE source = ? AND sport = ?")?;
    Ok(select.query_row(params![source, sport.0], |r| r.get::<_, i64>(0))? as u64)
}

/// Looks of a source and sport up to one of them, which counts too.
pub(super) fn looks_until(c: &Connection, source: u32, sport: SportId, look: LookId) -> Result<u64, StoreError> {
    Ok(looks_of(c, source, sport)?.saturating_sub(looks_after(c, source, sport, look)?))
}

/// Looks of a source and sport after one of them.
fn looks_after(c: &Connection, source: u32, sport: SportId, look: LookId) -> Result<u64, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT count(*) FROM look WHERE source = ?1 AND sport = ?2 AND id > ?3
         AND received_at >= (SELECT received_at FROM look WHERE id = ?3)",
    )?;
    Ok(select.query_row(params![source, sport.0, look.0 as i64], |r| r.get::<_, i64>(0))? as u64)
}

/// Book, market, reason.
pub(super) type OpenIssue = (Option<BookId>, Option<MarketId>, Reason);

fn event_image(event: EventAsOf, keyframe_look: u64, open_issues: Vec<OpenIssue>) -> EventImage {
    EventImage {
        row: event.row,
        keyframe_look,
        rows_since_keyframe: event.rows_since_keyframe,
        quotes: event.quotes,
        stalls: event.stalls,
        open_issues,
    }
}

pub(super) fn names(c: &Connection) -> Result<Vec<(NameKind, Vec<String>)>, StoreError> {
    let mut select = c.prepare_cached("SELECT number, name FROM name WHERE kind = ? ORDER BY number")?;
    let mut lists = Vec::new();
    for kind in NameKind::ALL {
        let mut list = Vec::new();
        let mut rows = select.query([kind as u8])?;
        while let Some(r) = rows.next()? {
            if r.get::<_, u32>(0)? as usize != list.len() + 1 {
                return Err(StoreError::Damaged { what: "list of names" });
            }
            list.push(r.get(1)?);
        }
        lists.push((kind, list));
    }
    Ok(lists)
}

pub(super) fn aliases(c: &Connection) -> Result<Vec<(EventId, u32, String, u32)>, StoreError> {
    let mut select = c.prepare("SELECT id, source, provider_id, slots FROM event ORDER BY id")?;
    let rows = select
        .query_map([], |r| Ok((EventId(r.get(0)?), r.get(1)?, r.get(2)?, r.get::<_, Option<u32>>(3)?.unwrap_or(0))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn open_issues(c: &Connection, event: EventId) -> Result<Vec<OpenIssue>, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT DISTINCT book, market, reason FROM quality WHERE event = ? AND cleared IS NULL ORDER BY 1, 2, 3",
    )?;
    let mut rows = select.query([event.0])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        found.push(open_issue(r)?);
    }
    Ok(found)
}

/// `book, market, reason`.
pub(super) fn open_issue(r: &Row<'_>) -> Result<OpenIssue, StoreError> {
    let reason = Reason::from_number(r.get(2)?).ok_or(StoreError::Damaged { what: "quality issue" })?;
    let (book, market): (Option<u16>, Option<u16>) = (r.get(0)?, r.get(1)?);
    Ok((book.map(BookId), market.map(MarketId), reason))
}
