//! The desk as one of several: what it tells to others, what it takes from them, and records that have no table.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::capture::{capture, forget_marks};
use super::materialise::materialise;
use super::merge::layout::{Placed, bare};
use super::merge::{Action, Clock, Fields, Heads, Kind, Operation, Step, history};
use super::{Desk, DeskError, oplog};

/// How this desk numbers its operations, and what a hub has of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// The id under which its operations go.
    pub device: Uuid,
    /// The last of them.
    pub head: i64,
    /// The hub, and the space there, that has them up to `told` with the clocks that they have here.
    pub told_to: Option<(String, String)>,
    /// See `told_to`.
    pub told: i64,
}

/// What became of operations that were taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TakenIn {
    /// Were not here before.
    pub new: usize,
    /// Rows of the desk that were written or removed for them.
    pub rows: usize,
}

impl Desk {
    /// How this desk numbers its operations on this installation. What was changed behind the program's back is written
    /// down first. A desk that was copied from another installation goes on under an id of its own, as two that number
    /// alike would be taken for one.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn series(&mut self, installation: Uuid) -> Result<Series, DeskError> {
        let now = (self.now)();
        self.write_bare(|tx| {
            capture(tx, now)?;
            let device = oplog::device(tx)?;
            let sql = "SELECT installation FROM series";
            let kept: Option<String> = tx.query_row(sql, [], |r| r.get(0))?;
            match kept {
                Some(kept) if kept == installation.to_string() => {}
                kept => {
                    if kept.is_some() {
                        renumber(tx, device, told(tx)?)?;
                    }
                    tx.execute("UPDATE series SET installation = ?1", [installation.to_string()])?;
                }
            }
            let device = oplog::device(tx)?;
            let sql = "SELECT hub, space, told FROM series";
            let (hub, space, told): (Option<String>, Option<String>, i64) =
                tx.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
            Ok(Series { device, head: oplog::head(tx, device)?, told_to: hub.zip(space), told })
        })
    }

    /// Of each device the last operation that is here.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn heads(&self) -> Result<Heads, DeskError> {
        self.read(oplog::heads)
    }

    /// Operations of a device behind `after`, `most` at the most.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn operations(&self, device: Uuid, after: i64, most: usize) -> Result<Vec<Operation>, DeskError> {
        self.read(|c| oplog::of_device(c, device, after, most))
    }

    /// Takes operations of others in: those that follow what is here of their device and are not here yet. The tables
    /// show them afterwards, and nothing of it counts as an edit of ours.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn take_in(&mut self, operations: &[Operation]) -> Result<TakenIn, DeskError> {
        let now = (self.now)();
        self.write_bare(|tx| {
            capture(tx, now)?;
            let mut heads = oplog::heads(tx)?;
            let mut done = TakenIn::default();
            let mut records = BTreeSet::new();
            for operation in operations {
                let head = heads.entry(operation.device).or_insert(0);
                if operation.n == *head + 1 && oplog::insert(tx, operation)? {
                    *head += 1;
                    done.new += 1;
                    records.extend(Kind::of(&operation.kind).map(|kind| (kind, operation.record)));
                }
            }
            done.rows = refreshed(tx, &records)?;
            Ok(done)
        })
    }

    /// The hub has our operations up to `up_to`, with these clocks: later than it allows are none.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn told(
        &mut self,
        hub: &str,
        space: &str,
        device: Uuid,
        up_to: i64,
        clocks: &[(i64, Clock)],
    ) -> Result<(), DeskError> {
        let now = (self.now)();
        self.write_bare(|tx| {
            capture(tx, now)?;
            if oplog::device(tx)? != device {
                return Ok(());
            }
            let mut records = BTreeSet::new();
            for (n, clock) in clocks {
                let row = tx
                    .query_row(
                        "UPDATE operation SET clock = ?3 WHERE device = ?1 AND n = ?2 AND clock <> ?3
                         RETURNING kind, record",
                        params![device.to_string(), n, clock.0],
                        |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)),
                    )
                    .optional()?;
                if let Some((kind, record)) = row {
                    let record = oplog::id(&record)?;
                    records.extend(Kind::of(&kind).map(|kind| (kind, record)));
                }
            }
            let up_to = up_to.min(oplog::head(tx, device)?);
            tx.execute("UPDATE series SET hub = ?1, space = ?2, told = ?3", params![hub, space, up_to])?;
            refreshed(tx, &records)?;
            Ok(())
        })
    }

    /// The hub has something else under the numbers of ours behind `common`: the file was put back from a copy, or has
    /// one that goes its own way. What stands behind `common` here goes on under a new id, and the hub's can be taken in.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn part_ways(&mut self, common: i64) -> Result<(), DeskError> {
        let now = (self.now)();
        self.write_bare(|tx| {
            capture(tx, now)?;
            let device = oplog::device(tx)?;
            renumber(tx, device, common)
        })
    }

    /// The records of a kind that live, by id. For bets and notes; others are asked for as what they are.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn records(&self, kind: Kind) -> Result<Vec<Placed>, DeskError> {
        self.read(|c| {
            let kept = oplog::records(c, kind)?.into_iter();
            Ok(kept.filter(|k| k.state.alive).map(|k| bare(k.record, &k.state)).collect())
        })
    }

    /// Sets fields of a record without a table, and makes it where it is not there.
    ///
    /// # Errors
    /// [`DeskError::Unfit`] for a kind that has one.
    pub fn put_record(&mut self, kind: Kind, record: Uuid, fields: Fields) -> Result<(), DeskError> {
        if kind.has_table() {
            return Err(DeskError::unfit("the record", "has a table of its own"));
        }
        let size = serde_json::to_string(&fields).map_or(0, |t| t.len());
        if size > super::text::LARGEST_VIEW {
            let problem = format!("has {size} bytes; {} are the most", super::text::LARGEST_VIEW);
            return Err(DeskError::unfit("the record", problem));
        }
        let now = (self.now)();
        self.write(|tx| {
            let there = oplog::by_id(tx, kind, record)?.is_some_and(|k| k.state.alive);
            oplog::append(tx, kind, record, if there { Action::Put } else { Action::Add }, fields, now)
        })
    }

    /// Deletes a note. Answers whether it was there.
    ///
    /// # Errors
    /// [`DeskError::Unfit`] for a bet, which can only be amended, and for a kind that has a table.
    pub fn delete_record(&mut self, kind: Kind, record: Uuid) -> Result<bool, DeskError> {
        if kind != Kind::Note {
            return Err(DeskError::unfit("the record", "is not deleted; amend it instead"));
        }
        let now = (self.now)();
        self.write(|tx| {
            let there = oplog::by_id(tx, kind, record)?.is_some_and(|k| k.state.alive);
            if there {
                oplog::append(tx, kind, record, Action::Delete, Fields::new(), now)?;
            }
            Ok(there)
        })
    }

    /// All that was done to a record by anybody, and which of it gave way to somebody who had not seen it.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn record_history(&self, kind: Kind, record: Uuid) -> Result<Vec<Step>, DeskError> {
        self.read(|c| Ok(history(&oplog::on(c, kind.name(), record)?)))
    }

    /// The records of a kind with the names or labels that they have or had: what there is a history of.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn all_records(&self, kind: Kind) -> Result<Vec<(Uuid, bool, Fields)>, DeskError> {
        self.read(|c| {
            let kept = oplog::records(c, kind)?.into_iter();
            Ok(kept.map(|k| (k.record, k.state.alive, bare(k.record, &k.state).shown)).collect())
        })
    }
}

/// Works out records anew and brings the tables to what they say.
fn refreshed(tx: &Transaction<'_>, records: &BTreeSet<(Kind, Uuid)>) -> Result<usize, DeskError> {
    for (kind, record) in records {
        oplog::refresh(tx, *kind, *record)?;
    }
    if !records.iter().any(|(kind, _)| kind.has_table()) {
        return Ok(0);
    }
    let rows = materialise(tx)?;
    forget_marks(tx)?;
    Ok(rows)
}

/// How far some hub has ours.
fn told(tx: &Transaction<'_>) -> Result<i64, DeskError> {
    Ok(tx.query_row("SELECT told FROM series", [], |r| r.get(0))?)
}

/// Gives this desk a new id, and the operations of the old one behind `common` to it.
fn renumber(tx: &Transaction<'_>, old: Uuid, common: i64) -> Result<(), DeskError> {
    let new = Uuid::new_v4();
    let mut records = BTreeSet::new();
    for (n, operation) in (1..).zip(oplog::of_device(tx, old, common, usize::MAX >> 1)?) {
        tx.execute("DELETE FROM operation WHERE device = ?1 AND n = ?2", params![old.to_string(), operation.n])?;
        let mut body = operation.body();
        if common > 0 {
            // What went without saying: all that the old id had done.
            body.seen.insert(old, common);
        }
        records.extend(Kind::of(&operation.kind).map(|kind| (kind, operation.record)));
        oplog::insert(tx, &Operation { device: new, n, payload: body.text(), ..operation })?;
    }
    let sql = "UPDATE series SET device = ?1, hub = NULL, space = NULL, told = 0";
    tx.execute(sql, [new.to_string()])?;
    refreshed(tx, &records)?;
    Ok(())
}
