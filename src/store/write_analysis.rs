//! Writing what the analysis found at a look, within the look's transaction.

use rusqlite::{Connection, params};

use super::analysis_codec::{further_sides, legs_key, opportunity_json, own_line, to_json};
use super::write::none_if_no_rows;
use super::{Store, StoreError};
use crate::engine::changes::{Changes, Point};
use crate::engine::detect::signal::{Direction, Signal};
use crate::engine::grade::close::Close;
use crate::engine::grade::clv::ClvRow;
use crate::engine::opportunity::OpportunityChange;
use crate::market::ids::LookId;
use crate::market::line::Line;

impl Store {
    /// Notes the rules of the analysis, as JSON, that are in force from `look` on. Does nothing where they are those of
    /// before. Looks that are taken back and applied again come under the rules then in force, so that the notes stay
    /// right through that.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn note_settings(&mut self, look: LookId, json: &str) -> Result<(), StoreError> {
        let newest: Option<String> = self
            .connection
            .query_row("SELECT json FROM analysis_setting ORDER BY look DESC LIMIT 1", [], |r| r.get(0))
            .map(Some)
            .or_else(none_if_no_rows)?;
        if newest.as_deref() != Some(json) {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO analysis_setting (look, json) VALUES (?,?)")?
                .execute(params![look.0 as i64, json])?;
        }
        Ok(())
    }
}

pub(super) fn write_analysis(c: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let look = changes.look.id.0 as i64;
    write_points(c, look, &changes.points)?;
    for signal in &changes.signals {
        write_signal(c, changes, signal)?;
    }
    for change in &changes.opportunities {
        write_opportunity(c, look, change)?;
    }
    for close in &changes.closes {
        write_close(c, look, close)?;
    }
    for row in &changes.clv {
        write_clv(c, changes, row)?;
    }
    for t in &changes.tallies {
        c.prepare_cached(
            "INSERT OR REPLACE INTO tally (look, detector, evaluated, not_evaluable, longest_gap_ms, needed_ms,
             suppressed) VALUES (?,?,?,?,?,?,?)",
        )?
        .execute(params![
            look,
            t.detector.number(),
            t.evaluated,
            t.not_evaluable,
            t.longest_gap_ms,
            t.needed_ms,
            t.suppressed
        ])?;
    }
    Ok(())
}

/// In the order of their keys; a question that stands twice has its last word.
fn write_points(c: &Connection, look: i64, points: &[Point]) -> Result<(), StoreError> {
    let mut sorted: Vec<&Point> = points.iter().collect();
    sorted.sort_by_key(|p| (p.event, p.key));
    let twice = |pair: &[&Point]| matches!(pair, [a, b] if (a.event, a.key) == (b.event, b.key));
    let superseded = |at: usize| sorted.get(at..at + 2).is_some_and(twice);
    let mut newest = c.prepare_cached(
        "SELECT look FROM point_newest WHERE event = ? AND market = ? AND subject = ? AND own_line = ?",
    )?;
    let mut move_on = c.prepare_cached(
        "INSERT OR REPLACE INTO point_newest (event, market, subject, own_line, look) VALUES (?,?,?,?,?)",
    )?;
    let mut insert = c.prepare_cached(
        "INSERT INTO point (event, look, market, subject, own_line, previous, line, value1, value2, value3, fair1,
         fair2, fair3, standard_error, effective, families, consensus_line, consensus, consensus_value, dispersion,
         consensus_books, books) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    for (_, p) in sorted.iter().enumerate().filter(|(at, _)| !superseded(*at)) {
        let (event, market, subject, own_line) = (p.event.0, p.key.market.0, p.key.subject.0, own_line(p.key));
        let previous: Option<i64> = newest
            .query_row(params![event, market, subject, own_line], |r| r.get(0))
            .map(Some)
            .or_else(none_if_no_rows)?;
        move_on.execute(params![event, market, subject, own_line, look])?;
        let fair = p.fair.as_ref();
        let [value2, value3, fair2, fair3] = fair.map(further_sides).unwrap_or_default();
        let consensus = p.consensus.as_ref();
        insert.execute(params![
            event,
            look,
            market,
            subject,
            own_line,
            previous,
            p.line.map(Line::hundredths),
            fair.map(|f| f.values[0]),
            value2,
            value3,
            fair.map(|f| f.probability[0]),
            fair2,
            fair3,
            fair.map(|f| f.standard_error),
            fair.map(|f| f.effective),
            fair.map(|f| f.families),
            consensus.and_then(|c| c.line).map(Line::hundredths),
            consensus.map(|c| c.probability),
            consensus.map(|c| c.value),
            consensus.map(|c| c.dispersion),
            consensus.map(|c| c.books),
            p.books,
        ])?;
    }
    Ok(())
}

fn write_signal(c: &Connection, changes: &Changes, s: &Signal) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO signal (id, version, look, event, sport, market, subject, own_line, type, direction, side, at,
         strength, composite, json) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        s.id,
        s.version,
        changes.look.id.0 as i64,
        s.event_id.0,
        changes.look.sport.0,
        s.key.market.0,
        s.key.subject.0,
        own_line(s.key),
        s.kind.number(),
        match s.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        },
        s.side,
        s.detected_at.millis(),
        s.strength,
        s.composite,
        to_json(s, "signal")?,
    ])?;
    Ok(())
}

fn write_opportunity(c: &Connection, look: i64, change: &OpportunityChange) -> Result<(), StoreError> {
    let o = &change.opportunity;
    c.prepare_cached(
        "INSERT OR REPLACE INTO opportunity (event, market, subject, own_line, kind, legs, look, open, ev, json)
         VALUES (?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        o.event.0,
        o.key.market.0,
        o.key.subject.0,
        own_line(o.key),
        o.kind.number(),
        legs_key(&o.legs),
        look,
        change.open,
        o.ev,
        opportunity_json(o)?,
    ])?;
    Ok(())
}

fn write_close(c: &Connection, look: i64, close: &Close) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT OR REPLACE INTO close (event, market, subject, own_line, version, look, start, grade, reason, provisional, json)
         VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        close.event_id.0,
        close.key.market.0,
        close.key.subject.0,
        own_line(close.key),
        close.version,
        look,
        close.start.millis(),
        close.grade.map(|g| g.name()),
        close.reason.map(|r| r.name()),
        close.provisional,
        to_json(close, "close")?,
    ])?;
    Ok(())
}

fn write_clv(c: &Connection, changes: &Changes, row: &ClvRow) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT INTO clv (signal, version, look, event, sport, market, type, at, start, strength, composite, clv_ev,
         grade, left_out, json) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        row.signal_id,
        row.version,
        changes.look.id.0 as i64,
        row.event_id.0,
        changes.look.sport.0,
        row.market,
        row.kind.number(),
        row.detected_at.millis(),
        row.start.millis(),
        row.strength,
        row.composite,
        row.clv_ev,
        row.close.grade.map(|g| g.name()),
        row.left_out.map(|r| r.name()),
        to_json(row, "CLV row")?,
    ])?;
    Ok(())
}
