//! Questions about what the analysis found, answered as typed values: the newest version of each, unless said
//! otherwise.

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use super::analysis_codec as rows;
use super::as_of::last_look;
use super::recall::{open_opportunities, remembered_rows, sports};
use super::{Reader, StoreError, codec};
use crate::engine::changes::Point;
use crate::engine::detect::signal::{Signal, SignalType, Tier};
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::opportunity::OpportunityChange;
use crate::market::ids::{EventId, LookId, MarketId, SportId};
use crate::market::time::Timestamp;

/// Which rows. Whatever is `None` limits nothing.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct AnalysisFilter {
    /// Sport.
    pub sport: Option<SportId>,
    /// Type of the signal. Means nothing for closes.
    pub kind: Option<SignalType>,
    /// Market.
    pub market: Option<MarketId>,
    /// Not before this instant: of detection; of the start for closes.
    pub since: Option<Timestamp>,
    /// Not after this instant.
    pub until: Option<Timestamp>,
    /// Event.
    pub event: Option<EventId>,
    /// Strength at least. Means nothing for closes.
    pub min_strength: Option<u8>,
    /// Composite at least. Means nothing for closes.
    pub min_score: Option<u8>,
    /// Tier at least. Means nothing for closes.
    pub tier: Option<Tier>,
    /// The latest so many.
    pub limit: Option<u32>,
}

/// A published point with its look.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PointAt {
    /// The look from which on it holds.
    pub look: LookId,
    /// When that was received.
    pub at: Timestamp,
    /// The point.
    pub point: Point,
}

/// An opportunity that is there.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenOpportunity {
    /// When it appeared.
    pub since: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// As it is.
    pub change: OpportunityChange,
}

/// What one detector did in one sport over many looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TallySum {
    /// Number of the source's name.
    pub source: u32,
    /// Sport.
    pub sport: SportId,
    /// Detector.
    pub detector: SignalType,
    /// Looks with something to judge.
    pub looks: u64,
    /// Questions judged, one for each look.
    pub evaluated: u64,
    /// Questions whose looks were too far apart.
    pub not_evaluable: u64,
    /// The longest gap among those. Milliseconds.
    pub longest_gap_ms: i64,
    /// The gap that would have done, the shortest among those; 0: there was none. Milliseconds.
    pub needed_ms: i64,
    /// Moves that were none.
    pub suppressed: u64,
}

/// Signals that wait to be graded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ungraded {
    /// All of them.
    pub signals: u64,
    /// Those whose game is scheduled to start later.
    pub unstarted: u64,
    /// The first of those starts.
    pub next_start: Option<Timestamp>,
}

fn earlier(a: Option<Timestamp>, b: Timestamp) -> Option<Timestamp> {
    Some(a.map_or(b, |a| a.min(b)))
}

/// Conditions of one question with their values.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.sql.push_str(" AND ");
            self.sql.push_str(condition);
            self.values.push(value.into());
        }
    }

    /// What all tables of signals share. `market` goes by its own name in each.
    fn of(filter: &AnalysisFilter) -> Self {
        let composite = filter.tier.map(|tier| match tier {
            Tier::Low => 0_u8,
            Tier::Medium => 55,
            Tier::High => 75,
        });
        let mut all = Self::default();
        all.add("sport = ?", filter.sport.map(|s| s.0));
        all.add("type = ?", filter.kind.map(SignalType::number));
        all.add("at >= ?", filter.since.map(Timestamp::millis));
        all.add("at <= ?", filter.until.map(Timestamp::millis));
        all.add("event = ?", filter.event.map(|e| e.0));
        all.add("strength >= ?", filter.min_strength);
        all.add("composite >= ?", filter.min_score.max(composite));
        all
    }

    fn limited(mut self, filter: &AnalysisFilter) -> (String, Vec<Value>) {
        self.values.push(Value::from(filter.limit.map_or(-1, i64::from)));
        (self.sql, self.values)
    }
}

impl Reader {
    /// Signals in the order of their detection, then of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn signals(&self, filter: &AnalysisFilter) -> Result<Vec<Signal>, StoreError> {
        let mut conditions = Conditions::of(filter);
        conditions.add("market = ?", filter.market.map(|m| m.0));
        let (conditions, values) = conditions.limited(filter);
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM signal AS s WHERE version = (SELECT max(version) FROM signal WHERE id = s.id) {conditions}
             ORDER BY at DESC, id DESC LIMIT ?",
            rows::SIGNAL_COLUMNS
        ))?;
        let mut found = select.query(params_from_iter(values))?;
        let mut signals = Vec::new();
        while let Some(r) = found.next()? {
            signals.push(rows::signal(r)?);
        }
        signals.reverse();
        Ok(signals)
    }

    /// The signals whose id begins with `prefix`, in the order of their ids; more than one where it fits several, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn signal(&self, prefix: &str, limit: u32) -> Result<Vec<Signal>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM signal AS s WHERE id >= ?1 AND id < ?2
             AND version = (SELECT max(version) FROM signal WHERE id = s.id) ORDER BY id LIMIT ?3",
            rows::SIGNAL_COLUMNS
        ))?;
        let mut found = select.query(params![prefix, format!("{prefix}\u{10ffff}"), limit])?;
        let mut signals = Vec::new();
        while let Some(r) = found.next()? {
            signals.push(rows::signal(r)?);
        }
        Ok(signals)
    }

    /// Every version of a signal, first to last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn signal_versions(&self, id: &str) -> Result<Vec<Signal>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached(&format!("SELECT {} FROM signal WHERE id = ? ORDER BY version", rows::SIGNAL_COLUMNS))?;
        let mut found = select.query([id])?;
        let mut signals = Vec::new();
        while let Some(r) = found.next()? {
            signals.push(rows::signal(r)?);
        }
        Ok(signals)
    }

    /// Graded signals in the order of their detection, then of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clv_rows(&self, filter: &AnalysisFilter) -> Result<Vec<ClvRow>, StoreError> {
        let mut conditions = Conditions::of(filter);
        conditions.add("market = (SELECT name FROM name WHERE kind = 3 AND number = ?)", filter.market.map(|m| m.0));
        let (conditions, values) = conditions.limited(filter);
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT json FROM clv AS x
             WHERE version = (SELECT max(version) FROM clv WHERE signal = x.signal) {conditions}
             ORDER BY at DESC, signal DESC LIMIT ?"
        ))?;
        let mut found = select.query(params_from_iter(values))?;
        let mut graded = Vec::new();
        while let Some(r) = found.next()? {
            graded.push(rows::clv(r)?);
        }
        graded.reverse();
        Ok(graded)
    }

    /// Closes in the order of their starts, then of events and questions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn closes(&self, filter: &AnalysisFilter) -> Result<Vec<Close>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.add("event IN (SELECT id FROM event WHERE sport = ?)", filter.sport.map(|s| s.0));
        conditions.add("market = ?", filter.market.map(|m| m.0));
        conditions.add("start >= ?", filter.since.map(Timestamp::millis));
        conditions.add("start <= ?", filter.until.map(Timestamp::millis));
        conditions.add("event = ?", filter.event.map(|e| e.0));
        let (conditions, values) = conditions.limited(filter);
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM close AS x WHERE version = (SELECT max(version) FROM close WHERE event = x.event
             AND market = x.market AND subject = x.subject AND own_line = x.own_line) {conditions}
             ORDER BY start DESC, event DESC, market DESC, subject DESC, own_line DESC LIMIT ?",
            rows::CLOSE_COLUMNS
        ))?;
        let mut found = select.query(params_from_iter(values))?;
        let mut closes = Vec::new();
        while let Some(r) = found.next()? {
            closes.push(rows::close(r)?);
        }
        closes.reverse();
        Ok(closes)
    }

    /// The points of an event from `from` to `to`, and before them the one of each question that held at `from`. By
    /// question, then in the order of time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn points(&self, event: EventId, from: Timestamp, to: Timestamp) -> Result<Vec<PointAt>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {}, point.look, received_at FROM point JOIN look ON look.id = point.look
             WHERE event = ? AND received_at <= ?
             ORDER BY market, subject, own_line, point.look",
            rows::POINT_COLUMNS
        ))?;
        let mut found = select.query(params![event.0, to.millis()])?;
        let mut points: Vec<PointAt> = Vec::new();
        while let Some(r) = found.next()? {
            let point = rows::point(r)?;
            let next = PointAt { look: LookId(r.get::<_, i64>(20)? as u64), at: codec::time(r, 21)?, point };
            match points.last_mut() {
                Some(last) if last.point.key == point.key && next.at <= from => *last = next,
                _ => points.push(next),
            }
        }
        Ok(points)
    }

    /// What could be taken at `at`, the best first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_opportunities(&self, at: Timestamp) -> Result<Vec<OpenOpportunity>, StoreError> {
        // One transaction, so that a commit in between is seen whole or not at all.
        let c = self.connection.unchecked_transaction()?;
        let mut time = c.prepare_cached("SELECT received_at FROM look WHERE id = ?")?;
        let mut time_of = |look: LookId| time.query_row([look.0 as i64], |r| codec::time(r, 0));
        let mut all = Vec::new();
        for (source, sport) in sports(&c)? {
            let Some(last) = last_look(&c, source, sport, at)? else { continue };
            for event in remembered_rows(&c, source, sport, last)? {
                open_opportunities(&c, event.id, last, |look, change| all.push((look, change)))?;
            }
        }
        let mut open = Vec::with_capacity(all.len());
        for (look, change) in all {
            let o = &change.opportunity;
            let since: i64 = c
                .prepare_cached(
                    "SELECT min(look) FROM opportunity WHERE event = ?1 AND market = ?2 AND subject = ?3
                     AND own_line = ?4 AND kind = ?5 AND legs = ?6 AND look > ifnull(
                         (SELECT max(look) FROM opportunity WHERE event = ?1 AND market = ?2 AND subject = ?3
                          AND own_line = ?4 AND kind = ?5 AND legs = ?6 AND look <= ?7 AND open = 0), 0)",
                )?
                .query_row(
                    params![
                        o.event.0,
                        o.key.market.0,
                        o.key.subject.0,
                        rows::own_line(o.key),
                        o.kind.number(),
                        rows::legs_key(&o.legs),
                        look.0 as i64
                    ],
                    |r| r.get(0),
                )?;
            open.push(OpenOpportunity { since: time_of(LookId(since as u64))?, changed: time_of(look)?, change });
        }
        open.sort_by(|a, b| {
            let (a, b) = (&a.change.opportunity, &b.change.opportunity);
            b.ev.total_cmp(&a.ev).then_with(|| (a.event, a.key, a.kind).cmp(&(b.event, b.key, b.kind)))
        });
        Ok(open)
    }

    /// What the detectors did at the looks received at or after `since`: by source, sport and detector.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tallies(&self, since: Timestamp) -> Result<Vec<TallySum>, StoreError> {
        self.tallies_between(since, Timestamp::from_millis(i64::MAX))
    }

    /// The same for the looks received from `since` to `until`, both included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tallies_between(&self, since: Timestamp, until: Timestamp) -> Result<Vec<TallySum>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT source, sport, detector, count(*), sum(evaluated), sum(not_evaluable),
                    max(CASE WHEN not_evaluable > 0 THEN longest_gap_ms ELSE 0 END),
                    ifnull(min(CASE WHEN not_evaluable > 0 THEN needed_ms END), 0), sum(suppressed)
             FROM look JOIN tally ON tally.look = look.id WHERE received_at >= ? AND received_at <= ?
             GROUP BY source, sport, detector ORDER BY source, sport, detector",
        )?;
        let mut found = select.query([since.millis(), until.millis()])?;
        let mut sums = Vec::new();
        while let Some(r) = found.next()? {
            let count = |column| r.get::<_, i64>(column).map(|n| n as u64);
            sums.push(TallySum {
                source: r.get(0)?,
                sport: SportId(r.get(1)?),
                detector: rows::signal_type(r.get(2)?)?,
                looks: count(3)?,
                evaluated: count(4)?,
                not_evaluable: count(5)?,
                longest_gap_ms: r.get(6)?,
                needed_ms: r.get(7)?,
                suppressed: count(8)?,
            });
        }
        Ok(sums)
    }

    /// Signals as they stood at `until`: the newest version of each that had been made by then. In the order of their
    /// detection, then of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn signals_as_of(&self, filter: &AnalysisFilter, until: Timestamp) -> Result<Vec<Signal>, StoreError> {
        let mut conditions = Conditions::of(&AnalysisFilter { until: earlier(filter.until, until), ..*filter });
        conditions.add("market = ?", filter.market.map(|m| m.0));
        let (conditions, mut values) = conditions.limited(filter);
        values.insert(0, Value::from(until.millis()));
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {} FROM signal AS s WHERE version = (
                 SELECT max(v.version) FROM signal AS v LEFT JOIN look ON look.id = v.look
                 WHERE v.id = s.id AND ifnull(look.received_at, v.at) <= ?) {conditions}
             ORDER BY at DESC, id DESC LIMIT ?",
            rows::SIGNAL_COLUMNS
        ))?;
        let mut found = select.query(params_from_iter(values))?;
        let mut signals = Vec::new();
        while let Some(r) = found.next()? {
            signals.push(rows::signal(r)?);
        }
        signals.reverse();
        Ok(signals)
    }

    /// Graded signals as they stood at `until`: the newest grading of each that had been made by then. In the order of
    /// their detection, then of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clv_rows_as_of(&self, filter: &AnalysisFilter, until: Timestamp) -> Result<Vec<ClvRow>, StoreError> {
        let mut conditions = Conditions::of(&AnalysisFilter { until: earlier(filter.until, until), ..*filter });
        conditions.add("market = (SELECT name FROM name WHERE kind = 3 AND number = ?)", filter.market.map(|m| m.0));
        let (conditions, mut values) = conditions.limited(filter);
        values.insert(0, Value::from(until.millis()));
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT json FROM clv AS x WHERE version = (
                 SELECT max(v.version) FROM clv AS v LEFT JOIN look ON look.id = v.look
                 WHERE v.signal = x.signal AND ifnull(look.received_at, v.at) <= ?) {conditions}
             ORDER BY at DESC, signal DESC LIMIT ?"
        ))?;
        let mut found = select.query(params_from_iter(values))?;
        let mut graded = Vec::new();
        while let Some(r) = found.next()? {
            graded.push(rows::clv(r)?);
        }
        graded.reverse();
        Ok(graded)
    }

    /// Signals detected from `since` to `until` that had no grading at `until`, and for which games they waited.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ungraded(&self, since: Timestamp, until: Timestamp) -> Result<Ungraded, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT count(*), ifnull(sum(event.commence > ?2), 0),
                    min(CASE WHEN event.commence > ?2 THEN event.commence END)
             FROM signal AS s JOIN event ON event.id = s.event
             WHERE s.version = 1 AND s.at >= ?1 AND s.at <= ?2 AND NOT EXISTS (
                 SELECT 1 FROM clv AS x LEFT JOIN look ON look.id = x.look
                 WHERE x.signal = s.id AND ifnull(look.received_at, x.at) <= ?2)",
        )?;
        Ok(select.query_row([since.millis(), until.millis()], |r| {
            let count = |column| r.get::<_, i64>(column).map(|n| n as u64);
            Ok(Ungraded { signals: count(0)?, unstarted: count(1)?, next_start: codec::optional_time(r, 2)? })
        })?)
    }

    /// The rules of the analysis as JSON, each with the look from which on they were in force, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settings_notes(&self) -> Result<Vec<(LookId, String)>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT look, json FROM analysis_setting ORDER BY look")?;
        let rows = select.query_map([], |r| Ok((LookId(r.get::<_, i64>(0)? as u64), r.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
