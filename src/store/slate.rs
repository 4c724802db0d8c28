//! What one look changed, for a reader that keeps a slate of its own and follows the announcements.
//!
//! Cheaper than looking at the whole board again: it reads the rows of the log that the look brought and the list of
//! what it showed.

use rusqlite::params;

use super::write::none_if_no_rows;
use super::{Reader, StoreError, analysis_codec as rows, codec};
use crate::engine::as_of::LogRow;
use crate::engine::changes::{EventRow, Point, QuoteKey};
use crate::engine::detect::signal::Signal;
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::seen::SeenGroup;
use crate::market::ids::{EventId, LookId, MarketId, Slot, SportId};
use crate::market::line::Line;
use crate::market::price::Price;
use crate::market::time::Timestamp;

/// A line and a price as stored.
type OfferCode = (Option<i32>, i64);
/// A quote, its first offer, and the one before the present one.
pub type FirstAndBefore = (Slot, (Option<Line>, Price), Option<(Option<Line>, Price)>);

/// One look, as what it changed.
#[derive(Clone, PartialEq, Debug)]
pub struct LookDelta {
    /// Its number.
    pub look: LookId,
    /// Sport.
    pub sport: SportId,
    /// When it was received.
    pub received_at: Timestamp,
    /// Events that it showed or changed, as they are known now.
    pub events: Vec<EventDelta>,
}

/// One event of it.
#[derive(Clone, PartialEq, Debug)]
pub struct EventDelta {
    /// The event.
    pub row: EventRow,
    /// Rows of the log, in the order of slots.
    pub rows: Vec<LogRow>,
    /// What the rows' slots are, where the look was the first to show them.
    pub new: Vec<(Slot, QuoteKey)>,
    /// Markets that the look showed.
    pub seen: Vec<SeenGroup>,
}

impl Reader {
    /// What a look changed; `None` if there is no such look.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_delta(&self, look: LookId) -> Result<Option<LookDelta>, StoreError> {
        let tx = self.connection.unchecked_transaction()?;
        let id = look.0 as i64;
        let head = tx
            .prepare_cached(
                "SELECT source, sport, received_at, look_seen.seen FROM look
                 LEFT JOIN look_seen ON look_seen.look = look.id WHERE look.id = ?",
            )?
            .query_row([id], |r| {
                Ok((r.get::<_, u32>(0)?, SportId(r.get(1)?), codec::time(r, 2)?, r.get::<_, Option<Vec<u8>>>(3)?))
            })
            .map(Some)
            .or_else(none_if_no_rows)?;
        let Some((source, sport, received_at, packed)) = head else { return Ok(None) };
        let mut shown: Vec<(EventId, Vec<SeenGroup>)> = Vec::new();
        if let Some(packed) = packed {
            codec::Unpacker::new()?.read_seen(&packed, received_at, |event, groups, _| {
                match shown.iter_mut().find(|(e, _)| *e == event) {
                    // A provider that lists a game twice.
                    Some((_, known)) => known.extend_from_slice(groups),
                    None => shown.push((event, groups.to_vec())),
                }
            })?;
        }
        let mut ids: Vec<EventId> = tx
            .prepare_cached("SELECT id FROM event WHERE source = ? AND sport = ? AND forgotten IS NULL")?
            .query_map(params![source, sport.0], |r| Ok(EventId(r.get(0)?)))?
            .collect::<Result<_, _>>()?;
        ids.extend(shown.iter().map(|(e, _)| *e));
        ids.sort_unstable();
        ids.dedup();
        shown.sort_by_key(|(e, _)| *e);
        let mut find = tx.prepare_cached(&format!("SELECT {} FROM event WHERE id = ?", codec::EVENT_COLUMNS))?;
        let mut log = tx.prepare_cached(
            "SELECT look, slot, line, price, status, last_seen, provider_update FROM change
             WHERE event = ? AND look = ? ORDER BY slot",
        )?;
        let mut keys = tx.prepare_cached(
            "SELECT slot, book, market, side, subject, own_line FROM quote
             WHERE event = ? AND slot >= ? AND first_seen = ? ORDER BY slot",
        )?;
        let mut events = Vec::with_capacity(ids.len());
        for event in ids {
            let seen = shown.binary_search_by_key(&event, |(e, _)| *e).ok().and_then(|i| shown.get_mut(i));
            let seen = seen.map(|(_, groups)| std::mem::take(groups)).unwrap_or_default();
            let mut rows = Vec::new();
            let mut found = log.query(params![event.0, id])?;
            while let Some(r) = found.next()? {
                rows.push(codec::log_row(r, |_| Ok(received_at))?);
            }
            if rows.is_empty() && seen.is_empty() {
                continue;
            }
            let row = find.query_row([event.0], codec::event_row)?;
            let mut new = Vec::new();
            if let Some(lowest) = rows.first().map(|r| r.slot) {
                let mut found = keys.query(params![event.0, lowest.0, received_at.millis()])?;
                while let Some(r) = found.next()? {
                    new.push(codec::quote_key(r)?);
                }
            }
            events.push(EventDelta { row, rows, new, seen });
        }
        Ok(Some(LookDelta { look, sport, received_at, events }))
    }

    /// The first point of every question of an event that had a fair price, as known at `until`: where its market opened.
    /// In the order of the questions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn opening_points(&self, event: EventId, until: Timestamp) -> Result<Vec<Point>, StoreError> {
        // The key is in the order of looks: openers come first, and those of late questions soon after.
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM point JOIN look ON look.id = point.look
             WHERE event = ? AND fair1 IS NOT NULL AND received_at <= ? ORDER BY point.look LIMIT 512",
            rows::POINT_COLUMNS
        ))?;
        let mut first: Vec<Point> = Vec::new();
        let mut found = select.query(params![event.0, until.millis()])?;
        while let Some(r) = found.next()? {
            let point = rows::point(r)?;
            if !first.iter().any(|p| p.key == point.key) {
                first.push(point);
            }
        }
        first.sort_by_key(|p| p.key);
        Ok(first)
    }

    /// What every quote of an event was offered at first, and before the offer that stood at `until` where it had changed.
    /// In the order of slots. Reads the event's whole log: some milliseconds for a busy game.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn first_and_last_offers(&self, event: EventId, until: Timestamp) -> Result<Vec<FirstAndBefore>, StoreError> {
        let last: i64 = self
            .connection
            .prepare_cached("SELECT ifnull(max(id), 0) FROM look WHERE received_at <= ?")?
            .query_row([until.millis()], |r| r.get(0))?;
        let mut select = self
            .connection
            .prepare_cached("SELECT slot, line, price FROM change WHERE event = ? AND look <= ? ORDER BY look")?;
        let mut offers: Vec<Option<(OfferCode, OfferCode, Option<OfferCode>)>> = Vec::new();
        let mut found = select.query(params![event.0, last])?;
        while let Some(r) = found.next()? {
            let (slot, now): (usize, OfferCode) = (r.get::<_, u32>(0)? as usize, (r.get(1)?, r.get(2)?));
            if offers.len() <= slot {
                offers.resize(slot + 1, None);
            }
            let Some(known) = offers.get_mut(slot) else { continue };
            match known {
                None => *known = Some((now, now, None)),
                Some((_, last, before)) if *last != now => (*before, *last) = (Some(*last), now),
                Some(_) => {}
            }
        }
        let offer = |(line, price): OfferCode| {
            let price = Price::from_code(price).ok_or(StoreError::Damaged { what: "price" })?;
            Ok::<_, StoreError>((line.map(Line::from_hundredths), price))
        };
        let mut all = Vec::new();
        for (slot, known) in (0..).zip(offers) {
            if let Some((first, _, before)) = known {
                all.push((Slot(slot), offer(first)?, before.map(offer).transpose()?));
            }
        }
        Ok(all)
    }

    /// The events of a sport that start between two instants, soonest first, as they are known now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn slate_events(&self, from: Timestamp, to: Timestamp) -> Result<Vec<EventRow>, StoreError> {
        let mut find = self.connection.prepare_cached(&format!(
            "SELECT {} FROM event WHERE commence BETWEEN ? AND ? ORDER BY commence, id",
            codec::EVENT_COLUMNS
        ))?;
        let rows = find.query_map(params![from.millis(), to.millis()], codec::event_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest published point of every question of an event, in the order of the questions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_points(&self, event: EventId) -> Result<Vec<Point>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM point_newest JOIN point USING (event, market, subject, own_line, look)
             WHERE event = ? ORDER BY market, subject, own_line",
            rows::POINT_COLUMNS
        ))?;
        let found = select.query_map([event.0], rows::point)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The instant of the look next to `at`: the first one after it, or the last one before it. Of all sports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn neighbour_look(&self, at: Timestamp, forward: bool) -> Result<Option<Timestamp>, StoreError> {
        // One sport after the other, so that each can be answered from the index.
        let pairs: Vec<(u32, u16)> = self
            .connection
            .prepare_cached("SELECT DISTINCT source, sport FROM look")?
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut find = self.connection.prepare_cached(if forward {
            "SELECT min(received_at) FROM look WHERE source = ? AND sport = ? AND received_at > ?"
        } else {
            "SELECT max(received_at) FROM look WHERE source = ? AND sport = ? AND received_at < ?"
        })?;
        let mut nearest: Option<Timestamp> = None;
        for (source, sport) in pairs {
            let found = find.query_row(params![source, sport, at.millis()], |r| codec::optional_time(r, 0))?;
            nearest = match (nearest, found) {
                (Some(a), Some(b)) => Some(if forward { a.min(b) } else { a.max(b) }),
                (a, b) => a.or(b),
            };
        }
        Ok(nearest)
    }

    /// The instant of the signal next to `at`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn neighbour_signal(&self, at: Timestamp, forward: bool) -> Result<Option<Timestamp>, StoreError> {
        let mut find = self.connection.prepare_cached(if forward {
            "SELECT min(at) FROM signal WHERE at > ?"
        } else {
            "SELECT max(at) FROM signal WHERE at < ?"
        })?;
        Ok(find.query_row([at.millis()], |r| codec::optional_time(r, 0))?)
    }
}

/// One event as it was known at an instant: what the page of a game draws.
impl Reader {
    /// The change log of one market of an event up to `until`, in the order of looks, then of slots.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn market_log(
        &self,
        event: EventId,
        market: MarketId,
        until: Timestamp,
    ) -> Result<Vec<(QuoteKey, LogRow)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT change.look, change.slot, change.line, change.price, change.status, change.last_seen,
                    change.provider_update, look.received_at, quote.slot, quote.book, quote.market, quote.side,
                    quote.subject, quote.own_line
             FROM change JOIN quote ON quote.event = change.event AND quote.slot = change.slot
             JOIN look ON look.id = change.look
             WHERE change.event = ?1 AND quote.market = ?2 AND look.received_at <= ?3
             ORDER BY change.look, change.slot",
        )?;
        let mut found = select.query(params![event.0, market.0, until.millis()])?;
        let mut log = Vec::new();
        while let Some(r) = found.next()? {
            let row = codec::log_row(r, |_| Ok(codec::time(r, 7)?))?;
            let (_, key) = codec::quote_key_at(r, 8)?;
            log.push((key, row));
        }
        Ok(log)
    }

    /// The signals of an event in the versions that stood at `until`, in the order of their detection, then of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn event_signals(&self, event: EventId, until: Timestamp) -> Result<Vec<Signal>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM signal WHERE event = ? AND at <= ? ORDER BY at, id, version",
            rows::SIGNAL_COLUMNS
        ))?;
        let mut found = select.query(params![event.0, until.millis()])?;
        let mut signals: Vec<Signal> = Vec::new();
        while let Some(r) = found.next()? {
            let signal = rows::signal(r)?;
            if signal.updated_at > until {
                continue;
            }
            match signals.last_mut() {
                Some(last) if last.id == signal.id => *last = signal,
                _ => signals.push(signal),
            }
        }
        Ok(signals)
    }

    /// The closes of an event in the versions that stood at `until`, in the order of the questions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn event_closes(&self, event: EventId, until: Timestamp) -> Result<Vec<Close>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM close WHERE event = ?
             AND (SELECT received_at FROM look WHERE look.id = close.look) <= ?
             ORDER BY market, subject, own_line, version",
            rows::CLOSE_COLUMNS
        ))?;
        let mut found = select.query(params![event.0, until.millis()])?;
        let mut closes: Vec<Close> = Vec::new();
        while let Some(r) = found.next()? {
            let close = rows::close(r)?;
            match closes.last_mut() {
                Some(last) if last.key == close.key => *last = close,
                _ => closes.push(close),
            }
        }
        Ok(closes)
    }

    /// The graded signals of an event in the versions that stood at `until`, in the order of the signals' ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn event_clv(&self, event: EventId, until: Timestamp) -> Result<Vec<ClvRow>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT json FROM clv WHERE event = ?
             AND (SELECT received_at FROM look WHERE look.id = clv.look) <= ?
             ORDER BY signal, version",
        )?;
        let mut found = select.query(params![event.0, until.millis()])?;
        let mut graded: Vec<ClvRow> = Vec::new();
        while let Some(r) = found.next()? {
            let row = rows::clv(r)?;
            match graded.last_mut() {
                Some(last) if last.signal_id == row.signal_id => *last = row,
                _ => graded.push(row),
            }
        }
        Ok(graded)
    }
}
