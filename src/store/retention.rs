//! What is kept for how long.
//!
//! Old rows go in small steps, so that a look never waits for a clean-up; freed pages are given back to the file
//! system a few at a time.

use rusqlite::params;

use super::outbox::forget_old;
use super::{Store, StoreError};
use crate::market::time::Timestamp;

/// How long to keep what. `None`: for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Answers as they came. Milliseconds.
    pub raw_ms: Option<i64>,
    /// The change log of finished events. Milliseconds since their start.
    pub changes_ms: Option<i64>,
    /// Fetch log, ended quality issues, and alerts that were delivered or given up. Milliseconds.
    pub logs_ms: Option<i64>,
    /// Fair prices, consensus and opportunities that others have taken the place of. Milliseconds. Closes, signals and
    /// their grading stay for ever.
    pub points_ms: Option<i64>,
    /// Rows about cycles. Milliseconds.
    pub cycles_ms: Option<i64>,
    /// Order books, trades and gaps of exchanges. Milliseconds. Listings, links and middles stay for ever.
    pub exchange_ms: Option<i64>,
}

impl Default for Retention {
    /// Raw answers 7 days, changes for ever, logs and cycles 30 days, points for ever, order books 14 days.
    fn default() -> Self {
        const DAY: i64 = 86_400_000;
        let month = Some(30 * DAY);
        Self {
            raw_ms: Some(7 * DAY),
            changes_ms: None,
            logs_ms: month,
            points_ms: None,
            cycles_ms: month,
            exchange_ms: Some(14 * DAY),
        }
    }
}

/// What one step removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// Answers.
    pub raw: usize,
    /// Rows of logs.
    pub logs: usize,
    /// Events with their quotes and changes.
    pub events: usize,
    /// Points and opportunities.
    pub points: usize,
    /// Points and opportunities have not all been looked at yet.
    pub more: bool,
}

impl Kept {
    /// Nothing was left to remove.
    pub fn is_done(&self) -> bool {
        *self == Self::default()
    }
}

/// Rows that one step removes at the most.
const STEP_ROWS: u32 = 500;
/// Pages that one step gives back at the most.
const STEP_PAGES: u32 = 256;

impl Store {
    /// Removes a little of what has outlived `policy` at `now`. Call again until [`Kept::is_done`].
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn retain(&mut self, policy: &Retention, now: Timestamp) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        let before = |ms: i64| now.plus(-ms).millis();
        let tx = self.connection.transaction()?;
        if let Some(ms) = policy.raw_ms {
            kept.raw = tx
                .prepare_cached(
                    "DELETE FROM raw_answer WHERE hash IN (SELECT hash FROM raw_answer WHERE at < ? LIMIT ?)",
                )?
                .execute(params![before(ms), STEP_ROWS / 10])?;
        }
        if let Some(ms) = policy.logs_ms {
            kept.logs = tx
                .prepare_cached("DELETE FROM fetch_log WHERE id IN (SELECT id FROM fetch_log WHERE at < ? LIMIT ?)")?
                .execute(params![before(ms), STEP_ROWS])?;
            kept.logs += tx
                .prepare_cached(
                    "DELETE FROM quality WHERE id IN (SELECT id FROM quality WHERE at < ?1
                     AND (cleared IS NOT NULL OR event IS NULL OR event NOT IN
                          (SELECT id FROM event WHERE forgotten IS NULL)) LIMIT ?2)",
                )?
                .execute(params![before(ms), STEP_ROWS])?;
            kept.logs += forget_old(&tx, before(ms), STEP_ROWS)?;
        }
        if let Some(ms) = policy.cycles_ms {
            kept.logs += tx
                .prepare_cached("DELETE FROM cycle WHERE id IN (SELECT id FROM cycle WHERE at < ? LIMIT ?)")?
                .execute(params![before(ms), STEP_ROWS])?;
        }
        if let Some(ms) = policy.exchange_ms {
            kept.logs += super::exchange::forget(&tx, now.plus(-ms), i64::from(STEP_ROWS))?;
        }
        if let Some(ms) = policy.changes_ms {
            // Whole events only: half a history would answer wrongly for every earlier instant.
            let old: Vec<u32> = tx
                .prepare_cached(
                    "SELECT id FROM event WHERE commence < ? AND forgotten IS NOT NULL
                     AND EXISTS (SELECT 1 FROM quote WHERE event = event.id) ORDER BY commence, id LIMIT 2",
                )?
                .query_map([before(ms)], |r| r.get(0))?
                .collect::<Result<_, _>>()?;
            for event in &old {
                for table in ["change", "keyframe", "quote"] {
                    tx.prepare_cached(&format!("DELETE FROM {table} WHERE event = ?"))?.execute([event])?;
                }
            }
            kept.events = old.len();
        }
        if let Some(ms) = policy.points_ms {
            let (points, over) = self.sweep.step(&tx, now.plus(-ms), now)?;
            (kept.points, kept.more) = (points, !over);
        }
        tx.commit()?;
        // Answers one row a page that it frees.
        let mut give_back = self.connection.prepare(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
        let mut pages = give_back.query([])?;
        while pages.next()?.is_some() {}
        Ok(kept)
    }
}
