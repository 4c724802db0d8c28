//! Telling the hub what the store holds: look by look from where the hub left off, each run whole or not at all.
//!
//! Reads a connection of its own to the store and keeps no more in memory than one run. Whoever owns a [`Pusher`] runs it
//! where waiting for SQLite is no harm, and has what it answers noted in the store before the next step.

use bytes::Bytes;
use futures_util::SinkExt;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;
use tokio_postgres::{Row, Transaction};
use uuid::Uuid;

use super::connect::Connection;
use super::copy::{CopyOut, day_of};
use super::error::HubError;
use crate::engine::names::NameKind;
use crate::store::hub::cell::Cell;
use crate::store::hub::maps::Maps;
use crate::store::hub::tables::{self, Table};
use crate::store::hub::{Cursor, Mark, Run, RunEvent, Told};
use crate::store::{Reader, StoreError};

/// Looks that one run holds at the most.
const MOST_LOOKS: usize = 400;
/// Rows of the change log that one run holds, unless a single look has more.
const MOST_CHANGES: i64 = 60_000;
/// A stream of rows is handed over in pieces of so many bytes.
const PIECE: usize = 256 * 1024;

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
    device: i32,
    /// See [`Link::history`](crate::store::hub::Link).
    history: i64,
    maps: Maps,
    /// Events as the hub has them.
    sent: FxHashMap<u32, RunEvent>,
    days: FxHashSet<i32>,
    rules: FxHashSet<[u8; 32]>,
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
            device,
            history,
            maps,
            sent: FxHashMap::default(),
            days: FxHashSet::default(),
            rules: FxHashSet::default(),
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
            return self.retract(hub, cursor, token, back.id, back.after.millis()).await;
        }
        let stream = (cursor.source, cursor.sport);
        let Some(run) = self.reader.hub_next_run(stream, cursor.look, MOST_LOOKS, MOST_CHANGES)? else {
            return Ok(Step::Nothing);
        };
        let mut told = self.names(hub).await?;
        let events = self.reader.hub_run_events(&run)?;
        self.events(hub, &run, &events, &mut told).await?;
        self.prepare(hub, &run).await?;
        let stages = self.stages(&run, &events)?;
        let changed = self.changed_events(&events);
        let (rows, bytes) = stages.iter().fold((0, 0), |(r, b), s| (r + s.copy.rows(), b + s.copy.len() as u64));
        match self.send(hub, &run, cursor, token, stages, &changed).await? {
            Sent::Taken { entry, base } => {
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
            Sent::Before => self.recover(hub, cursor, told).await,
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
            let hash = rules_hash(&look.rules);
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

    /// The rows of a run, table by table.
    fn stages(&self, run: &Run, events: &[RunEvent]) -> Result<Vec<Stage>, PushError> {
        let days: Vec<i32> = run.looks.iter().map(|l| day_of(l.received_at.millis())).collect();
        let day = |place: i64| usize::try_from(place - 1).ok().and_then(|at| days.get(at)).copied().unwrap_or(0);
        let mut looks = CopyOut::default();
        for (place, look) in (1_i64..).zip(&run.looks) {
            looks.row(tables::LOOK_COLUMNS.len() + 4);
            looks.big(place);
            looks.int(day(place));
            looks.big(look.id);
            looks.bytes(&rules_hash(&look.rules));
            for (column, cell) in tables::LOOK_COLUMNS.iter().zip(&look.cells) {
                looks.cell(column, cell)?;
            }
        }
        let columns: Vec<&str> = tables::LOOK_COLUMNS.iter().map(|c| c.name).collect();
        let columns = format!("id, day, device_look, rules, {}", columns.join(", "));
        let mut stages = vec![Stage { name: "look", columns, copy: looks }];
        let put = |copy: &mut CopyOut, table: &Table, place: i64, cells: &[Cell<'_>]| {
            copy.row(table.columns.len() + 2);
            copy.big(place);
            copy.int(day(place));
            table.columns.iter().zip(cells).try_for_each(|(column, cell)| copy.cell(column, cell))
        };
        for table in tables::PLAIN {
            let mut copy = CopyOut::default();
            self.reader.hub_run_rows(run, table, events, &self.maps, &mut |place, cells| {
                put(&mut copy, table, place, cells)
            })?;
            stages.push(Stage::of(table, copy));
        }
        let mut slots = CopyOut::default();
        self.reader
            .hub_run_slots(run, events, &self.maps, &mut |place, cells| put(&mut slots, &tables::SLOT, place, cells))?;
        stages.push(Stage::of(&tables::SLOT, slots));
        let (mut issues, mut ends) = (CopyOut::default(), CopyOut::default());
        self.reader.hub_run_issues(run, &self.maps, &mut |table, place, cells| {
            let copy = if table.name == tables::QUALITY.name { &mut issues } else { &mut ends };
            put(copy, table, place, cells)
        })?;
        stages.push(Stage::of(&tables::QUALITY, issues));
        stages.push(Stage::of(&tables::QUALITY_END, ends));
        stages.retain(|s| !s.copy.is_empty());
        Ok(stages)
    }

    /// The events of a run that are not as the hub has them.
    fn changed_events(&self, events: &[RunEvent]) -> Vec<RunEvent> {
        events.iter().filter(|e| self.sent.get(&e.id) != Some(*e)).cloned().collect()
    }

    async fn send(
        &self,
        hub: &mut Connection,
        run: &Run,
        cursor: &Cursor,
        token: i64,
        mut stages: Vec<Stage>,
        changed: &[RunEvent],
    ) -> Result<Sent, PushError> {
        let mut events = CopyOut::default();
        for event in changed {
            let id = self.maps.event(event.id).and_then(|id| i32::try_from(id).ok());
            let id = id.ok_or(StoreError::Damaged { what: "event" })?;
            put_event(&mut events, id, event)?;
        }
        stages.push(Stage { name: "event", columns: EVENT_COLUMNS.to_owned(), copy: events });
        let (source, sport) = self.stream(run)?;
        let known = self.reader.hub_mark_until(i64::MAX)?;
        let tx = hub.client().transaction().await?;
        tx.batch_execute(STAGING).await?;
        for stage in stages {
            stage.send(&tx).await?;
        }
        let merged = tx
            .query_typed(
                "SELECT m.entry, m.look, (SELECT e.mark FROM hub.entry AS e WHERE e.seq = $7)
                 FROM hub.merge($1, $2, $3, $4, $5, $6) AS m",
                &[
                    (&self.device, Type::INT4),
                    (&source, Type::INT4),
                    (&sport, Type::INT4),
                    (&token, Type::INT8),
                    (&cursor.look, Type::INT8),
                    (&run.last(), Type::INT8),
                    (&known.map_or(0, |k| k.0), Type::INT8),
                ],
            )
            .await;
        let rows = match merged {
            Ok(rows) => rows,
            Err(e) if e.code().is_some_and(|c| c.code() == TAKEN) => return Ok(Sent::Before),
            Err(e) if e.code().is_some_and(|c| c.code() == OVERTAKEN) => return Ok(Sent::Overtaken),
            Err(e) => return Err(e.into()),
        };
        let row = rows.first().ok_or_else(|| HubError::Broken { what: "no answer to a merge".to_owned() })?;
        let (entry, base) = (row.try_get(0)?, row.try_get(1)?);
        is_known(known, row, 2)?;
        tx.commit().await?;
        Ok(Sent::Taken { entry, base })
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
        let known = self.reader.hub_mark_until(i64::MAX)?;
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
        is_known(known, &answer, 1)?;
        tx.commit().await?;
        self.sent.clear();
        told.entry = answer.try_get(0)?;
        told.cursor = Some(Cursor { retracted: row, ..*cursor });
        Ok(Step::Told { told, rows: 0, bytes: 0 })
    }
}

enum Sent {
    Taken { entry: i64, base: i64 },
    Before,
    Overtaken,
}

/// The temporary tables that a run is staged in; they stay with the connection and are empty after each transaction.
const STAGING: &str = include_str!("staging.sql");

const EVENT_COLUMNS: &str =
    "id, home, away, commence, first_seen, first_look, status, home_score, away_score, forgotten, slots";

struct Stage {
    name: &'static str,
    columns: String,
    copy: CopyOut,
}

impl Stage {
    fn of(table: &Table, copy: CopyOut) -> Self {
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        Self { name: table.name, columns: format!("look, day, {}", columns.join(", ")), copy }
    }

    async fn send(self, tx: &Transaction<'_>) -> Result<(), HubError> {
        let sql = format!("COPY pg_temp.s_{} ({}) FROM STDIN (FORMAT binary)", self.name, self.columns);
        let sink = tx.copy_in(sql.as_str()).await?;
        futures_util::pin_mut!(sink);
        let mut rest = Bytes::from(self.copy.finish());
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE));
            sink.send(piece).await?;
        }
        sink.finish().await?;
        Ok(())
    }
}

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

/// Refuses a hub that was put back to an earlier moment: our numbers are those of another history. `at`: the mark that it has.
fn is_known(known: Option<(i64, Mark)>, row: &Row, at: usize) -> Result<(), HubError> {
    let there = row.try_get::<_, Option<Uuid>>(at)?.map(Uuid::into_bytes);
    if known.is_some_and(|(_, mark)| there != Some(mark)) { Err(HubError::PutBack) } else { Ok(()) }
}

/// How rules are known at the hub.
pub(super) fn rules_hash(rules: &str) -> [u8; 32] {
    Sha256::digest(rules.as_bytes()).into()
}

fn number(n: i32) -> Result<u32, StoreError> {
    u32::try_from(n).map_err(|_| StoreError::Damaged { what: "number of the hub" })
}
