//! Telling the hub what the store holds: look by look from where the hub left off, each run whole or not at all.
//!
//! Reads a connection of its own to the store and keeps no more in memory than one run. Whoever owns a [`Pusher`] runs it
//! where waiting for SQLite is no harm, and has what it answers noted in the store before the next step.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::mpsc;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::connect::{Connection, MUCH_PATIENCE, PATIENCE, no_answer, within};
use super::copy::{CopyOut, day_of};
use super::error::HubError;
use super::pack::{self, Packing};
use super::stage::{self, Stage, Work};
use crate::engine::names::NameKind;
use crate::store::hub::maps::Maps;
use crate::store::hub::{Cursor, Mark, Run, RunEvent, Told};
use crate::store::{Reader, StoreError};

/// Looks that one run holds at the most.
const MOST_LOOKS: usize = 400;
/// Rows of the change log that one run holds, unless a single look has more.
const MOST_CHANGES: i64 = 60_000;

/// What the hub's functions raise when a run, or a part of it, has been taken already.
const TAKEN: &str = "SH012";
/// ... when another collector has told later looks of the sport.
const OVERTAKEN: &str = "SH013";

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The store here.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tokio_postgres::Error> for PushError {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Hub(e.into())
    }
}

/// What a step came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is nothing to tell.
    Nothing,
    /// The hub has taken something; this is to be noted, and the next step follows.
    Told {
        /// What to note.
        told: Told,
        /// Rows that were sent.
        rows: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Another collector has told later looks of this sport: ours go when his come.
    Overtaken,
}

/// Tells one hub what one store holds.
#[derive(Debug)]
pub struct Pusher {
    reader: Reader,
    /// What reads the rows of a run, on a thread of its own; not here while it does.
    staging: Option<Reader>,
    device: i32,
    /// See [`Link::history`](crate::store::hub::Link).
    history: i64,
    maps: Maps,
    /// Events as the hub has them.
    sent: FxHashMap<u32, RunEvent>,
    days: FxHashSet<i32>,
    rules: FxHashSet<[u8; 32]>,
    /// Whether the hub has packs; asked once.
    packs: Option<bool>,
}

impl Pusher {
    /// A pusher for the store that `reader` reads, which the hub knows as `device`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(reader: Reader, device: i32) -> Result<Self, StoreError> {
        let history = reader.hub_link()?.map_or(0, |l| l.history);
        let maps = reader.hub_maps()?;
        Ok(Self {
            reader,
            staging: None,
            device,
            history,
            maps,
            sent: FxHashMap::default(),
            days: FxHashSet::default(),
            rules: FxHashSet::default(),
            packs: None,
        })
    }

    /// The history of the hub that this pusher began with.
    pub const fn history(&self) -> i64 {
        self.history
    }

    /// The store.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Something of the store was taken back, or the hub was told by somebody else: what is remembered of it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&mut self) -> Result<(), StoreError> {
        self.maps = self.reader.hub_maps()?;
        self.sent.clear();
        Ok(())
    }

    /// Tells the next run of a source and sport, under the lease with this token.
    ///
    /// # Errors
    /// [`PushError`]; the hub has taken nothing of the run then, or all of it and we do not know: the next step finds out.
    pub async fn step(&mut self, hub: &mut Connection, cursor: &Cursor, token: i64) -> Result<Step, PushError> {
        if let Some(back) = self.reader.hub_next_retraction(cursor)? {
            return within(MUCH_PATIENCE, self.retract(hub, cursor, token, back.id, back.after.millis())).await;
        }
        let stream = (cursor.source, cursor.sport);
        let Some(run) = self.reader.hub_next_run(stream, cursor.look, MOST_LOOKS, MOST_CHANGES)? else {
            return Ok(Step::Nothing);
        };
        let mut told = within::<_, PushError, PushError>(PATIENCE, self.names(hub)).await?;
        let events = self.reader.hub_run_events(&run)?;
        within::<_, PushError, PushError>(PATIENCE, self.events(hub, &run, &events, &mut told)).await?;
        within::<_, PushError, PushError>(MUCH_PATIENCE, self.prepare(hub, &run)).await?;
        let changed = self.changed_events(&events);
        let work = Arc::new(Work { run, events, maps: self.maps.clone() });
        let run = &work.run;
        match self.send(hub, &work, cursor, token, &changed).await? {
            Sent::Taken { entry, base, rows, bytes } => {
                told.entry = entry;
                told.looks = run.looks.iter().zip(base + 1..).map(|(l, hub)| (l.id, hub)).collect();
                told.cursor = Some(Cursor { look: run.last(), ..*cursor });
                for event in changed {
                    // References into the run are the hub's numbers from now on.
                    let absolute = |look: i64| if look < 0 { base - look } else { look };
                    let first_look = absolute(event.first_look);
                    let forgotten = event.forgotten.map(absolute);
                    self.sent.insert(event.id, RunEvent { first_look, forgotten, ..event });
                }
                Ok(Step::Told { told, rows, bytes })
            }
            Sent::Before => within(MUCH_PATIENCE, self.recover(hub, cursor, told)).await,
            Sent::Overtaken => Ok(Step::Overtaken),
        }
    }

    /// Has the hub number the names that it does not know.
    async fn names(&mut self, hub: &mut Connection) -> Result<Told, PushError> {
        let mut told = Told { history: self.history, ..Told::default() };
        let unknown = self.reader.hub_unknown_names(&self.maps)?;
        if unknown.is_empty() {
            return Ok(told);
        }
        let kinds: Vec<i16> = unknown.iter().map(|n| n.kind as i16).collect();
        let names: Vec<&str> = unknown.iter().map(|n| n.name.as_str()).collect();
        let rows = hub
            .client()
            .query_typed(
                "SELECT * FROM hub.numbers_of_names($1, $2)",
                &[(&kinds, Type::INT2_ARRAY), (&names, Type::TEXT_ARRAY)],
            )
            .await?;
        for (name, row) in unknown.iter().zip(&rows) {
            let number = number(row.try_get::<_, i32>(0)?)?;
            self.maps.learn_name(name.kind, name.number, number);
            told.names.push((name.kind, name.number, number));
        }
        Ok(told)
    }

    /// Has the hub number the events of a run that it does not know.
    async fn events(
        &mut self,
        hub: &mut Connection,
        run: &Run,
        events: &[RunEvent],
        told: &mut Told,
    ) -> Result<(), PushError> {
        let unknown = Reader::hub_unknown_events(&self.maps, events);
        if unknown.is_empty() {
            return Ok(());
        }
        let (source, sport) = self.stream(run)?;
        let ids: Vec<&str> = unknown.iter().map(|e| e.provider_id.as_str()).collect();
        let home: Vec<&str> = unknown.iter().map(|e| e.home.as_str()).collect();
        let away: Vec<&str> = unknown.iter().map(|e| e.away.as_str()).collect();
        let commence: Vec<i64> = unknown.iter().map(|e| e.commence).collect();
        let seen: Vec<i64> = unknown.iter().map(|e| e.first_seen).collect();
        let rows = hub
            .client()
            .query_typed(
                "SELECT * FROM hub.numbers_of_events($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (&source, Type::INT4),
                    (&sport, Type::INT4),
                    (&ids, Type::TEXT_ARRAY),
                    (&home, Type::TEXT_ARRAY),
                    (&away, Type::TEXT_ARRAY),
                    (&commence, Type::INT8_ARRAY),
                    (&seen, Type::INT8_ARRAY),
                ],
            )
            .await?;
        for (event, row) in unknown.iter().zip(&rows) {
            let number = number(row.try_get::<_, i32>(0)?)?;
            self.maps.learn_event(event.id, number);
            told.events.push((event.id, number));
        }
        Ok(())
    }

    /// Source and sport of a run in the hub's numbers.
    fn stream(&self, run: &Run) -> Result<(i32, i32), StoreError> {
        const UNKNOWN: StoreError = StoreError::Damaged { what: "source or sport" };
        let source = self.maps.name(NameKind::Source, run.source).ok_or(UNKNOWN)?;
        let sport = self.maps.name(NameKind::Sport, run.sport.0.into()).ok_or(UNKNOWN)?;
        Ok((i32::try_from(source).map_err(|_| UNKNOWN)?, i32::try_from(sport).map_err(|_| UNKNOWN)?))
    }

    /// Partitions for the days of a run, and the rules that its looks were judged by.
    async fn prepare(&mut self, hub: &mut Connection, run: &Run) -> Result<(), PushError> {
        let days = run.looks.iter().map(|l| day_of(l.received_at.millis()));
        let (first, last) = days.fold((i32::MAX, i32::MIN), |(a, b), day| (a.min(day), b.max(day)));
        if (first..=last).any(|day| !self.days.contains(&day)) {
            hub.client()
                .query_typed(
                    "SELECT hub.make_days(date '2000-01-01' + $1, date '2000-01-01' + $2)",
                    &[(&first, Type::INT4), (&last, Type::INT4)],
                )
                .await?;
            self.days.extend(first..=last);
        }
        for look in &run.looks {
            let hash = stage::rules_hash(&look.rules);
            if !self.rules.contains(&hash) {
                hub.client()
                    .query_typed(
                        "SELECT hub.know_rules($1, $2)",
                        &[(&&hash[..], Type::BYTEA), (&look.rules, Type::TEXT)],
                    )
                    .await?;
                self.rules.insert(hash);
            }
        }
        Ok(())
    }

    /// The events of a run that are not as the hub has them.
    fn changed_events(&self, events: &[RunEvent]) -> Vec<RunEvent> {
        events.iter().filter(|e| self.sent.get(&e.id) != Some(*e)).cloned().collect()
    }

    async fn send(
        &mut self,
        hub: &mut Connection,
        work: &Arc<Work>,
        cursor: &Cursor,
        token: i64,
        changed: &[RunEvent],
    ) -> Result<Sent, PushError> {
        let run = &work.run;
        let mut events = CopyOut::default();
        for event in changed {
            let id = self.maps.event(event.id).and_then(|id| i32::try_from(id).ok());
            let id = id.ok_or(StoreError::Damaged { what: "event" })?;
            put_event(&mut events, id, event)?;
        }
        let events = Stage { name: "event", columns: EVENT_COLUMNS.to_owned(), copy: events };
        let (source, sport) = self.stream(run)?;
        let known = self.known()?;
        let packs = match self.packs {
            Some(packs) => packs,
            None => *self.packs.insert(pack::are_kept(hub.client()).await?),
        };
        let tx = within::<_, _, HubError>(PATIENCE, hub.client().transaction()).await?;
        within::<_, _, HubError>(PATIENCE, tx.batch_execute(STAGING)).await?;
        // The server takes in one table while the next is read here.
        let reader = match self.staging.take() {
            Some(reader) => reader,
            None => self.reader.again()?,
        };
        let (put, mut stages) = mpsc::channel(2);
        let read = tokio::task::spawn_blocking({
            let work = Arc::clone(work);
            move || {
                let read = stage::all(&reader, &work, &mut |stage| put.blocking_send(stage).is_ok());
                (reader, read)
            }
        });
        let (mut rows, mut bytes) = (0, 0);
        let mut pack = Packing::default();
        while let Some(stage) = stages.recv().await {
            (rows, bytes) = (rows + stage.copy.rows(), bytes + stage.copy.len() as u64);
            let name = stage.name;
            pack.put(name, stage.send(&tx).await?);
        }
        let (reader, read) = read.await.map_err(|_| StoreError::Damaged { what: "run" })?;
        self.staging = Some(reader);
        read?;
        events.send(&tx).await?;
        let pack = if packs { pack.finish(run, changed, &self.maps)? } else { None };
        let known_entry = known.map_or(0, |k| k.0);
        let last = run.last();
        let mut which = vec![
            (&self.device as &(dyn ToSql + Sync), Type::INT4),
            (&source, Type::INT4),
            (&sport, Type::INT4),
            (&token, Type::INT8),
            (&cursor.look, Type::INT8),
            (&last, Type::INT8),
            (&known_entry, Type::INT8),
        ];
        if pack.is_some() {
            which.push((&pack, Type::BYTEA));
        }
        let merge = format!(
            "SELECT m.entry, m.look, (SELECT e.mark FROM hub.entry AS e WHERE e.seq = $7)
             FROM hub.merge($1, $2, $3, $4, $5, $6{}) AS m",
            if pack.is_some() { ", $8" } else { "" }
        );
        let merged = tokio::time::timeout(MUCH_PATIENCE, tx.query_typed(&merge, &which))
            .await
            .map_err(|_| no_answer(MUCH_PATIENCE))?;
        let merged = match merged {
            Ok(merged) => merged,
            Err(e) if e.code().is_some_and(|c| c.code() == TAKEN) => return Ok(Sent::Before),
            Err(e) if e.code().is_some_and(|c| c.code() == OVERTAKEN) => return Ok(Sent::Overtaken),
            Err(e) => return Err(e.into()),
        };
        let row = merged.first().ok_or_else(|| HubError::Broken { what: "no answer to a merge".to_owned() })?;
        let (entry, base) = (row.try_get(0)?, row.try_get(1)?);
        is_known(known, row, 2, entry)?;
        within::<_, _, HubError>(PATIENCE, tx.commit()).await?;
        Ok(Sent::Taken { entry, base, rows, bytes })
    }

    /// The newest entry of the hub that the store knows, and its mark.
    fn known(&self) -> Result<Option<(i64, Mark)>, PushError> {
        // The numbers in memory are of the history that this pusher began with.
        if self.reader.hub_link()?.map_or(0, |l| l.history) != self.history {
            return Err(HubError::PutBack.into());
        }
        Ok(self.reader.hub_mark_until(i64::MAX)?)
    }

    /// The hub has taken more than we know: its answer was lost.
    async fn recover(&mut self, hub: &mut Connection, cursor: &Cursor, mut told: Told) -> Result<Step, PushError> {
        let (source, sport) = (
            self.maps.name(NameKind::Source, cursor.source).unwrap_or(0),
            self.maps.name(NameKind::Sport, cursor.sport.0.into()).unwrap_or(0),
        );
        let rows = hub
            .client()
            .query_typed(
                "SELECT l.device_look, l.id, l.entry FROM hub.look AS l JOIN hub.pushed AS p USING (device, source, sport)
                 WHERE l.device = $1 AND l.source = $2 AND l.sport = $3 AND l.device_look > $4 AND l.device_look <= p.look
                 ORDER BY l.device_look LIMIT 5000",
                &[
                    (&self.device, Type::INT4),
                    (&i32::try_from(source).unwrap_or(0), Type::INT4),
                    (&i32::try_from(sport).unwrap_or(0), Type::INT4),
                    (&cursor.look, Type::INT8),
                ],
            )
            .await?;
        for row in &rows {
            let (ours, hub, entry): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if told.entry != 0 && entry != told.entry {
                break;
            }
            told.entry = entry;
            told.looks.push((ours, hub));
        }
        let look = match told.looks.last() {
            Some((look, _)) => *look,
            // It has been taken and taken back since.
            None => {
                let rows = hub
                    .client()
                    .query_typed(
                        "SELECT look FROM hub.pushed WHERE device = $1 AND source = $2 AND sport = $3",
                        &[
                            (&self.device, Type::INT4),
                            (&i32::try_from(source).unwrap_or(0), Type::INT4),
                            (&i32::try_from(sport).unwrap_or(0), Type::INT4),
                        ],
                    )
                    .await?;
                let look = rows.first().map_or(Ok(0), |r| r.try_get(0))?;
                // It has taken less than it had.
                if look < cursor.look {
                    return Err(HubError::PutBack.into());
                }
                look
            }
        };
        told.cursor = Some(Cursor { look, ..*cursor });
        Ok(Step::Told { told, rows: 0, bytes: 0 })
    }

    async fn retract(
        &mut self,
        hub: &mut Connection,
        cursor: &Cursor,
        token: i64,
        row: i64,
        after: i64,
    ) -> Result<Step, PushError> {
        let mut told = self.names(hub).await?;
        let numbers = (
            self.maps.name(NameKind::Source, cursor.source).and_then(|n| i32::try_from(n).ok()),
            self.maps.name(NameKind::Sport, cursor.sport.0.into()).and_then(|n| i32::try_from(n).ok()),
        );
        let (Some(source), Some(sport)) = numbers else {
            return Err(StoreError::Damaged { what: "source or sport" }.into());
        };
        let known = self.known()?;
        let tx = hub.client().transaction().await?;
        let answer = tx
            .query_typed_one(
                "SELECT hub.retract($1, $2, $3, $4, $5, $6), (SELECT e.mark FROM hub.entry AS e WHERE e.seq = $7)",
                &[
                    (&self.device, Type::INT4),
                    (&source, Type::INT4),
                    (&sport, Type::INT4),
                    (&token, Type::INT8),
                    (&after, Type::INT8),
                    (&row, Type::INT8),
                    (&known.map_or(0, |k| k.0), Type::INT8),
                ],
            )
            .await
            .map_err(HubError::from)?;
        is_known(known, &answer, 1, answer.try_get(0).map_err(HubError::from)?)?;
        tx.commit().await?;
        self.sent.clear();
        told.entry = answer.try_get(0)?;
        told.cursor = Some(Cursor { retracted: row, ..*cursor });
        Ok(Step::Told { told, rows: 0, bytes: 0 })
    }
}

enum Sent {
    Taken { entry: i64, base: i64, rows: u64, bytes: u64 },
    Before,
    Overtaken,
}

/// The temporary tables that a run is staged in; they stay with the connection and are empty after each transaction.
const STAGING: &str = include_str!("staging.sql");

const EVENT_COLUMNS: &str =
    "id, home, away, commence, first_seen, first_look, status, home_score, away_score, forgotten, slots";

fn put_event(copy: &mut CopyOut, id: i32, event: &RunEvent) -> Result<(), StoreError> {
    const NUMBER: StoreError = StoreError::Damaged { what: "event" };
    let int = |n: i64| i32::try_from(n).map_err(|_| NUMBER);
    let optional = |copy: &mut CopyOut, n: Option<i64>| -> Result<(), StoreError> {
        match n {
            None => copy.null(),
            Some(n) => copy.int(int(n)?),
        }
        Ok(())
    };
    copy.row(11);
    copy.int(id);
    copy.bytes(event.home.as_bytes());
    copy.bytes(event.away.as_bytes());
    copy.big(event.commence);
    copy.big(event.first_seen);
    copy.big(event.first_look);
    copy.int(int(event.status)?);
    optional(copy, event.home_score)?;
    optional(copy, event.away_score)?;
    match event.forgotten {
        None => copy.null(),
        Some(look) => copy.big(look),
    }
    optional(copy, event.slots)
}

/// Refuses a hub that was put back to an earlier moment: our numbers are those of another history. `at`: the mark that it has
/// of the newest entry that we know; `entry`: the one that it has just made.
fn is_known(known: Option<(i64, Mark)>, row: &Row, at: usize, entry: i64) -> Result<(), HubError> {
    let there = row.try_get::<_, Option<Uuid>>(at)?.map(Uuid::into_bytes);
    let is_other = known.is_some_and(|(newest, mark)| match there {
        Some(there) => there != mark,
        // It may be kept no longer; a hub that was put back has not come so far.
        None => newest >= entry,
    });
    if is_other { Err(HubError::PutBack) } else { Ok(()) }
}

fn number(n: i32) -> Result<u32, StoreError> {
    u32::try_from(n).map_err(|_| StoreError::Damaged { what: "number of the hub" })
}
