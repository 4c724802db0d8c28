//! One row for each call to a source, whatever came of it: what it cost, what it brought, how long it took, and why it
//! was not as it should be.
//!
//! Written in one transaction with the row of the fetch log.

use rusqlite::{TransactionBehavior, params};

use super::write::log_fetch;
use super::{FetchRecord, Store, StoreError};
use crate::engine::detect::signal::SignalType;
use crate::market::ids::LookId;
use crate::market::time::Timestamp;

/// New signals by type number; index 0 is unused.
pub type SignalCounts = [u32; SignalType::ALL.len() + 1];

/// How long the stages of one cycle took. Microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stages {
    /// Until the judge had time.
    pub wait_us: u64,
    /// The call with all its attempts and pauses.
    pub fetch_us: u64,
    /// Reading the bytes.
    pub read_us: u64,
    /// Judging.
    pub apply_us: u64,
    /// Writing.
    pub commit_us: u64,
    /// Announcing.
    pub publish_us: u64,
}

impl Stages {
    /// Names of the stages, in the order of time; see [`Stages::values`].
    pub const NAMES: [&'static str; 6] = ["wait", "fetch", "read", "apply", "commit", "publish"];

    /// In the order of [`Stages::NAMES`].
    pub const fn values(&self) -> [u64; 6] {
        [self.wait_us, self.fetch_us, self.read_us, self.apply_us, self.commit_us, self.publish_us]
    }
}

/// One cycle.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CycleRecord {
    /// The last look that came of it.
    pub look: Option<LookId>,
    /// Attempts sent.
    pub requests: u32,
    /// Events in the answer.
    pub events: u64,
    /// Quotes in the answer.
    pub quotes: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Published fair prices and consensus points.
    pub points: u64,
    /// New signals.
    pub signals: SignalCounts,
    /// Alerts that became due.
    pub alerts_queued: u32,
    /// Alerts delivered since the last cycle.
    pub alerts_sent: u32,
    /// Deliveries that failed since the last cycle.
    pub alerts_failed: u32,
    /// Where the time went.
    pub stages: Stages,
    /// Why it was not as it should be, in one word; `None`: it was.
    pub degraded: Option<&'static str>,
}

impl Store {
    /// Logs a call twice over: in the fetch log, and as a cycle.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; neither is written then.
    pub fn log_cycle(&mut self, fetch: &FetchRecord, cycle: &CycleRecord) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        log_fetch(&tx, fetch)?;
        if let Some(billing) = &fetch.billing {
            super::credit::bill(&tx, billing)?;
        }
        if let (Some(look), Some(tier)) = (fetch.look, fetch.tier) {
            super::credit::note_tier(&tx, look.0 as i64, tier)?;
        }
        let s = cycle.stages;
        tx.prepare_cached(
            "INSERT INTO cycle (at, source, sport, endpoint, purpose, outcome, look, requests, credits, remaining, events,
             quotes, changes, points, signals, alerts_queued, alerts_sent, alerts_failed, wait_us, fetch_us, read_us,
             apply_us, commit_us, publish_us, degraded)
             VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        )?
        .execute(params![
            fetch.at.millis(),
            fetch.source,
            fetch.sport,
            fetch.endpoint,
            fetch.purpose,
            fetch.outcome,
            cycle.look.map(|l| l.0 as i64),
            cycle.requests,
            fetch.cost,
            fetch.remaining,
            cycle.events as i64,
            cycle.quotes as i64,
            cycle.changes as i64,
            cycle.points as i64,
            written(&cycle.signals),
            cycle.alerts_queued,
            cycle.alerts_sent,
            cycle.alerts_failed,
            s.wait_us as i64,
            s.fetch_us as i64,
            s.read_us as i64,
            s.apply_us as i64,
            s.commit_us as i64,
            s.publish_us as i64,
            cycle.degraded,
        ])?;
        tx.commit()?;
        Ok(())
    }
}

/// `STEAM:1,MOVE:2`, in the order of the types; `None` without any.
fn written(signals: &SignalCounts) -> Option<String> {
    let told = SignalType::ALL.iter().filter_map(|t| {
        let n = signals.get(*t as usize).copied().filter(|n| *n > 0)?;
        Some(format!("{}:{n}", t.name()))
    });
    let text = told.collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}

/// Back from [`written`]. What is not understood counts for nothing.
pub(super) fn read_signals(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.split(',').filter_map(|part| {
        let (name, n) = part.split_once(':')?;
        Some((name, n.parse().ok()?))
    })
}

/// A row as the report reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct CycleRow {
    /// When.
    pub at: Timestamp,
    /// Sport key.
    pub sport: String,
    /// What for.
    pub purpose: String,
    /// `data`, `no_events` or `unavailable`.
    pub outcome: String,
    /// Attempts sent.
    pub requests: u64,
    /// Credits billed.
    pub credits: Option<i64>,
    /// Credits left.
    pub remaining: Option<i64>,
    /// Events, quotes, changes and points.
    pub counts: [u64; 4],
    /// See [`CycleRecord::signals`], as written.
    pub signals: Option<String>,
    /// Alerts queued, sent and failed.
    pub alerts: [u64; 3],
    /// Stages.
    pub stages: Stages,
    /// Why it was degraded.
    pub degraded: Option<String>,
}

impl super::Reader {
    /// The newest cycle; a simulated market may be ahead of this machine.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_cycle(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest: Option<i64> = self.connection.query_row("SELECT max(at) FROM cycle", [], |r| r.get(0))?;
        Ok(newest.map(Timestamp::from_millis))
    }

    /// Hears every cycle from `from` on and before `until`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn each_cycle(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut hear: impl FnMut(CycleRow),
    ) -> Result<(), StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT at, sport, purpose, outcome, requests, credits, remaining, events, quotes, changes, points, signals,
             alerts_queued, alerts_sent, alerts_failed, wait_us, fetch_us, read_us, apply_us, commit_us, publish_us,
             degraded FROM cycle WHERE at >= ? AND at < ? ORDER BY at, id",
        )?;
        let mut rows = select.query(params![from.millis(), until.millis()])?;
        while let Some(r) = rows.next()? {
            let count = |i: usize| -> rusqlite::Result<u64> { Ok(r.get::<_, i64>(i)?.max(0) as u64) };
            hear(CycleRow {
                at: Timestamp::from_millis(r.get(0)?),
                sport: r.get(1)?,
                purpose: r.get(2)?,
                outcome: r.get(3)?,
                requests: count(4)?,
                credits: r.get(5)?,
                remaining: r.get(6)?,
                counts: [count(7)?, count(8)?, count(9)?, count(10)?],
                signals: r.get(11)?,
                alerts: [count(12)?, count(13)?, count(14)?],
                stages: Stages {
                    wait_us: count(15)?,
                    fetch_us: count(16)?,
                    read_us: count(17)?,
                    apply_us: count(18)?,
                    commit_us: count(19)?,
                    publish_us: count(20)?,
                },
                degraded: r.get(21)?,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_read_back_as_it_was_written() {
        let home = tempfile::tempdir().expect("folder");
        let mut store = Store::open(&home.path().join("stratum.db")).expect("store");
        let at = Timestamp::from_secs(1_800_000_000);
        let fetch = FetchRecord {
            at,
            sport: "basketball_nba".into(),
            purpose: "live".into(),
            outcome: "data".into(),
            cost: Some(3),
            remaining: Some(497),
            ..FetchRecord::default()
        };
        let mut signals = SignalCounts::default();
        signals[SignalType::Steam as usize] = 1;
        signals[SignalType::Move as usize] = 2;
        let cycle = CycleRecord {
            look: Some(LookId(7)),
            requests: 2,
            events: 9,
            quotes: 500,
            changes: 12,
            points: 4,
            signals,
            alerts_queued: 1,
            alerts_sent: 2,
            alerts_failed: 3,
            stages: Stages { wait_us: 1, fetch_us: 2, read_us: 3, apply_us: 4, commit_us: 5, publish_us: 6 },
            degraded: Some("low_credit"),
        };
        store.log_cycle(&fetch, &cycle).expect("written");
        store.log_cycle(&FetchRecord { at: at.plus(1000), ..fetch }, &CycleRecord::default()).expect("written");
        let reader = store.reader().expect("reader");
        let mut rows = Vec::new();
        reader.each_cycle(at, at.plus(1000), |row| rows.push(row)).expect("read");
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.counts, row.alerts, row.requests), ([9, 500, 12, 4], [1, 2, 3], 2));
        assert_eq!(row.signals.as_deref(), Some("MOVE:2,STEAM:1"));
        assert_eq!(row.stages.values(), [1, 2, 3, 4, 5, 6]);
        assert_eq!((row.credits, row.remaining, row.degraded.as_deref()), (Some(3), Some(497), Some("low_credit")));
        let fetches: i64 =
            store.connection.query_row("SELECT count(*) FROM fetch_log", [], |r| r.get(0)).expect("count");
        assert_eq!(fetches, 2);
    }

    #[test]
    fn nonsense_counts_for_nothing() {
        assert_eq!(read_signals("MOVE:2,STEAM,x:y,:3").collect::<Vec<_>>(), [("MOVE", 2), ("", 3)]);
        assert_eq!(written(&SignalCounts::default()), None);
    }
}
