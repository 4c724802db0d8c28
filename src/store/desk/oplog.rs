//! The operations in the file: written, read, and what they come to record by record.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::DeskError;
use super::merge::{Action, Body, Clock, Fields, Heads, Kind, Operation, Record, Stamp};
use crate::market::time::Timestamp;

const COLUMNS: &str = "device, n, clock, kind, record, action, payload";

fn decode(r: &Row<'_>) -> Result<Operation, DeskError> {
    Ok(Operation {
        device: id(&r.get::<_, String>(0)?)?,
        n: r.get(1)?,
        clock: Clock(r.get(2)?),
        kind: r.get(3)?,
        record: id(&r.get::<_, String>(4)?)?,
        action: r.get(5)?,
        payload: r.get(6)?,
    })
}

pub(super) fn id(text: &str) -> Result<Uuid, DeskError> {
    Uuid::parse_str(text).map_err(|_| DeskError::Value("id"))
}

/// Under which id this desk numbers its operations; made when it is first needed.
pub(super) fn device(c: &Connection) -> Result<Uuid, DeskError> {
    let found: Option<String> = c.query_row("SELECT device FROM series", [], |r| r.get(0)).optional()?;
    if let Some(found) = found {
        return id(&found);
    }
    let new = Uuid::new_v4();
    c.execute("INSERT INTO series (one, device, told) VALUES (1, ?1, 0)", [new.to_string()])?;
    Ok(new)
}

/// The last operation of a device; 0 for none.
pub(super) fn head(c: &Connection, device: Uuid) -> Result<i64, DeskError> {
    let mut select = c.prepare_cached("SELECT coalesce(max(n), 0) FROM operation WHERE device = ?1")?;
    Ok(select.query_row([device.to_string()], |r| r.get(0))?)
}

/// Of each device the last.
pub(super) fn heads(c: &Connection) -> Result<Heads, DeskError> {
    let mut select = c.prepare_cached("SELECT device, max(n) FROM operation GROUP BY device")?;
    select.query_and_then([], |r| Ok((id(&r.get::<_, String>(0)?)?, r.get(1)?)))?.collect()
}

/// Operations of a device behind `after`, as many as there may be.
pub(super) fn of_device(c: &Connection, device: Uuid, after: i64, most: usize) -> Result<Vec<Operation>, DeskError> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE device = ?1 AND n > ?2 ORDER BY n LIMIT ?3");
    let mut select = c.prepare_cached(&sql)?;
    select.query_and_then(params![device.to_string(), after, most as i64], decode)?.collect()
}

/// Operations on a record.
pub(super) fn on(c: &Connection, kind: &str, record: Uuid) -> Result<Vec<Operation>, DeskError> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE record = ?1 AND kind = ?2");
    let mut select = c.prepare_cached(&sql)?;
    select.query_and_then(params![record.to_string(), kind], decode)?.collect()
}

/// Writes an operation down; `false` when that of this number is there already.
pub(super) fn insert(c: &Connection, o: &Operation) -> Result<bool, DeskError> {
    let mut insert = c.prepare_cached(
        "INSERT INTO operation (device, n, clock, kind, record, action, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (device, n) DO NOTHING",
    )?;
    let row = params![o.device.to_string(), o.n, o.clock.0, o.kind, o.record.to_string(), o.action, o.payload];
    Ok(insert.execute(row)? > 0)
}

/// Writes down what this device does now.
pub(super) fn append(
    c: &Connection,
    kind: Kind,
    record: Uuid,
    action: Action,
    fields: Fields,
    now: Timestamp,
) -> Result<(), DeskError> {
    let device = device(c)?;
    let latest: i64 = c.query_row("SELECT coalesce(max(clock), 0) FROM operation", [], |r| r.get(0))?;
    let mut select = c.prepare_cached(
        "SELECT device, max(n) FROM operation WHERE record = ?1 AND kind = ?2 AND device <> ?3 GROUP BY device",
    )?;
    let about = params![record.to_string(), kind.name(), device.to_string()];
    let seen: Heads = select
        .query_and_then(about, |r| Ok::<_, DeskError>((id(&r.get::<_, String>(0)?)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let operation = Operation {
        device,
        n: head(c, device)? + 1,
        clock: Clock(latest).next(now),
        kind: kind.name().to_owned(),
        record,
        action: action.name().to_owned(),
        payload: Body { fields, seen }.text(),
    };
    insert(c, &operation)?;
    refresh(c, kind, record)
}

/// Works out anew what the operations on a record come to.
pub(super) fn refresh(c: &Connection, kind: Kind, record: Uuid) -> Result<(), DeskError> {
    let state = Record::of(&on(c, kind.name(), record)?);
    let mut write = c.prepare_cached(
        "INSERT INTO record (kind, id, alive, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, id) DO UPDATE SET alive = ?3, state = ?4",
    )?;
    write.execute(params![kind.name(), record.to_string(), state.alive, state_text(&state)])?;
    Ok(())
}

fn state_text(record: &Record) -> String {
    let fields: BTreeMap<&str, Value> = record
        .fields
        .iter()
        .map(|(name, (value, by))| {
            let by = by.map(|s| serde_json::json!([s.clock.0, s.device.to_string(), s.n]));
            (name.as_str(), serde_json::json!([value, by]))
        })
        .collect();
    serde_json::to_string(&fields).unwrap_or_default()
}

fn state_of(alive: bool, text: &str) -> Result<Record, DeskError> {
    type Kept = BTreeMap<String, (Value, Option<(i64, String, i64)>)>;
    let kept: Kept = serde_json::from_str(text).map_err(|_| DeskError::Value("record"))?;
    let mut record = Record { alive, ..Record::default() };
    for (name, (value, by)) in kept {
        let by =
            by.map(|(clock, device, n)| Ok::<_, DeskError>(Stamp { clock: Clock(clock), device: id(&device)?, n }));
        record.fields.insert(name, (value, by.transpose()?));
    }
    Ok(record)
}

/// A record with the row that shows it.
#[derive(Debug)]
pub(super) struct Kept {
    /// Which.
    pub record: Uuid,
    /// What its operations come to.
    pub state: Record,
    /// Its row, or the one that it had.
    pub local: Option<String>,
    /// What the row says; `None`: there is none.
    pub shown: Option<Fields>,
}

const KEPT: &str = "SELECT id, alive, state, local, shown FROM record";

fn kept(r: &Row<'_>) -> Result<Kept, DeskError> {
    let shown: Option<String> = r.get(4)?;
    let shown = shown.map(|s| serde_json::from_str(&s).map_err(|_| DeskError::Value("record"))).transpose()?;
    Ok(Kept {
        record: id(&r.get::<_, String>(0)?)?,
        state: state_of(r.get(1)?, &r.get::<_, String>(2)?)?,
        local: r.get(3)?,
        shown,
    })
}

/// All records of a kind, dead ones too, by id.
pub(super) fn records(c: &Connection, kind: Kind) -> Result<Vec<Kept>, DeskError> {
    let mut select = c.prepare_cached(&format!("{KEPT} WHERE kind = ?1 ORDER BY id"))?;
    select.query_and_then([kind.name()], kept)?.collect()
}

/// The record that a row shows or has shown.
pub(super) fn by_row(c: &Connection, kind: Kind, local: &str) -> Result<Option<Kept>, DeskError> {
    let mut select = c.prepare_cached(&format!("{KEPT} WHERE kind = ?1 AND local = ?2"))?;
    select.query_and_then([kind.name(), local], kept)?.next().transpose()
}

/// The record of this id.
pub(super) fn by_id(c: &Connection, kind: Kind, record: Uuid) -> Result<Option<Kept>, DeskError> {
    let mut select = c.prepare_cached(&format!("{KEPT} WHERE kind = ?1 AND id = ?2"))?;
    select.query_and_then([kind.name(), &record.to_string()], kept)?.next().transpose()
}

/// Notes which row shows a record and what it says.
pub(super) fn show(c: &Connection, kind: Kind, record: Uuid, local: &str, shown: &Fields) -> Result<(), DeskError> {
    // A row shows one record: another that it has shown before lets go of it.
    let mut free =
        c.prepare_cached("UPDATE record SET local = NULL, shown = NULL WHERE kind = ?1 AND local = ?2 AND id <> ?3")?;
    free.execute(params![kind.name(), local, record.to_string()])?;
    let mut write = c.prepare_cached("UPDATE record SET local = ?3, shown = ?4 WHERE kind = ?1 AND id = ?2")?;
    let text = serde_json::to_string(shown).unwrap_or_default();
    write.execute(params![kind.name(), record.to_string(), local, text])?;
    Ok(())
}

/// Notes that no row shows a record any more. It keeps the number of the one that did.
pub(super) fn hide(c: &Connection, kind: Kind, record: Uuid) -> Result<(), DeskError> {
    let mut write = c.prepare_cached("UPDATE record SET shown = NULL WHERE kind = ?1 AND id = ?2")?;
    write.execute([kind.name(), &record.to_string()])?;
    Ok(())
}
