//! What was done to the desk's tables becomes operations, in the same transaction.
//!
//! Triggers mark every row that is written, whoever writes it; before a change is committed, marked rows are compared with
//! what they said before and the difference is written down. So no edit can be forgotten, and one that changes nothing
//! says nothing.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;
use uuid::Uuid;

use super::materialise::materialise;
use super::merge::layout::{about_key, derived, rule_in};
use super::merge::{Action, Fields, Kind, order};
use super::oplog::{self, Kept};
use super::{DeskError, rows, text};
use crate::market::time::Timestamp;

/// Kinds in the order in which their rows are looked at: rules name their list's record.
const KINDS: [Kind; 5] = [Kind::List, Kind::ListRule, Kind::Filter, Kind::AlertRule, Kind::ExchangeDecision];

/// Turns what was touched into operations.
pub(super) fn capture(c: &Connection, now: Timestamp) -> Result<(), DeskError> {
    let touched = touched(c)?;
    if touched.is_empty() {
        return Ok(());
    }
    written(c, touched, now)?;
    // Who was called `name (2)` may have the name to himself now.
    let told_apart: bool = c.query_row(
        "SELECT EXISTS (SELECT 1 FROM record
                        WHERE kind IN ('list', 'filter', 'alert_rule') AND shown IS NOT NULL
                          AND json_extract(shown, '$.name') IS NOT json_extract(state, '$.name[0]'))",
        [],
        |r| r.get(0),
    )?;
    if told_apart {
        materialise(c)?;
    }
    forget_marks(c)
}

fn written(c: &Connection, mut touched: Touched, now: Timestamp) -> Result<(), DeskError> {
    let lists: BTreeSet<i64> = touched
        .get(&Kind::ListRule)
        .into_iter()
        .flatten()
        .filter_map(|rule| rows::number(rule))
        .map(|rule| list_of(c, rule))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();
    // A list in which something is done is wanted, even if somebody else has deleted it.
    touched.entry(Kind::List).or_default().extend(lists.iter().map(i64::to_string));
    for kind in KINDS {
        let Some(mut locals) = touched.remove(&kind) else { continue };
        let mut places = match kind {
            Kind::List => places(c, kind, "SELECT id FROM watchlist ORDER BY position, id", None)?,
            Kind::ListRule => {
                let mut all = BTreeMap::new();
                for list in &lists {
                    let sql = "SELECT id FROM rule WHERE list = ?1 ORDER BY position, id";
                    all.extend(places(c, kind, sql, Some(*list))?);
                }
                all
            }
            _ => BTreeMap::new(),
        };
        locals.extend(places.keys().cloned());
        for local in locals {
            let place = places.remove(&local);
            row(c, kind, &local, place, now)?;
        }
    }
    Ok(())
}

/// Whoever wrote the rows knows what they say.
pub(super) fn forget_marks(c: &Connection) -> Result<(), DeskError> {
    c.execute("DELETE FROM touched", [])?;
    Ok(())
}

/// Rows by what they are.
type Touched = BTreeMap<Kind, BTreeSet<String>>;

fn touched(c: &Connection) -> Result<Touched, DeskError> {
    let mut select = c.prepare_cached("SELECT kind, local FROM touched")?;
    let marks = select.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    let mut touched = Touched::new();
    for mark in marks {
        let (kind, local) = mark?;
        if let Some(kind) = Kind::of(&kind) {
            touched.entry(kind).or_default().insert(local);
        }
    }
    Ok(touched)
}

fn list_of(c: &Connection, rule: i64) -> Result<Option<i64>, DeskError> {
    let mut select = c.prepare_cached("SELECT list FROM rule WHERE id = ?1")?;
    Ok(select.query_map([rule], |r| r.get(0))?.next().transpose()?)
}

/// Positions that rows need to stand as they do, by row; those that have a fitting one are left out.
fn places(c: &Connection, kind: Kind, sql: &str, list: Option<i64>) -> Result<BTreeMap<String, String>, DeskError> {
    let mut select = c.prepare_cached(sql)?;
    let ids: Vec<String> = select
        .query_map(rusqlite::params_from_iter(list), |r| r.get::<_, i64>(0))?
        .map(|id| Ok(id?.to_string()))
        .collect::<Result<_, DeskError>>()?;
    let mut now = Vec::with_capacity(ids.len());
    for id in &ids {
        let shown = oplog::by_row(c, kind, id)?.and_then(|kept| kept.shown);
        now.push(shown.and_then(|s| s.get("order").and_then(Value::as_str).map(str::to_owned)));
    }
    let now: Vec<_> = now.iter().map(Option::as_deref).collect();
    let settled = order::settle(&now).into_iter();
    Ok(settled.filter_map(|(i, place)| Some((ids.get(i)?.clone(), place))).collect())
}

/// Writes down what became of one row.
fn row(c: &Connection, kind: Kind, local: &str, place: Option<String>, now: Timestamp) -> Result<(), DeskError> {
    let known = oplog::by_row(c, kind, local)?;
    let Some(says) = rows::read(c, kind, local)? else {
        if let Some(Kept { record, shown: Some(_), .. }) = known {
            oplog::append(c, kind, record, Action::Delete, Fields::new(), now)?;
            oplog::hide(c, kind, record)?;
        }
        return Ok(());
    };
    let mut all = says.clone();
    if let Some(place) = &place {
        all.insert("order".to_owned(), place.as_str().into());
    }
    match known {
        Some(Kept { record, state, shown: Some(shown), .. }) => {
            if place.is_none() {
                all.extend(shown.get("order").map(|o| ("order".to_owned(), o.clone())));
            }
            if state.alive {
                let mut changed = says;
                changed.retain(|name, value| shown.get(name) != Some(value));
                if !changed.is_empty() {
                    oplog::append(c, kind, record, Action::Put, changed, now)?;
                }
                if let Some(place) = place {
                    let order = Fields::from([("order".to_owned(), place.into())]);
                    oplog::append(c, kind, record, Action::Order, order, now)?;
                }
            } else {
                oplog::append(c, kind, record, Action::Add, all.clone(), now)?;
            }
            // Most rows are marked because others moved by them.
            if all == shown { Ok(()) } else { oplog::show(c, kind, record, local, &all) }
        }
        known => {
            let record = match known {
                // A rule belongs to its list, which may be another one since.
                Some(known) if kind != Kind::ListRule => known.record,
                _ => free_id(c, kind, &says)?,
            };
            oplog::append(c, kind, record, Action::Add, all.clone(), now)?;
            oplog::show(c, kind, record, local, &all)
        }
    }
}

/// The id of a new record. Equal things are one wherever they are made; what has the id already and is something else by
/// now (a list that was renamed) keeps it.
fn free_id(c: &Connection, kind: Kind, says: &Fields) -> Result<Uuid, DeskError> {
    let word = |name: &str| says.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let parts = match kind {
        Kind::List => vec![text::folded(&word("name"))],
        Kind::ListRule => {
            let about = rule_in(says).map(|rule| about_key(&rule.kind)).unwrap_or_default();
            std::iter::once(word("list")).chain(about).collect()
        }
        Kind::Filter => vec![text::folded(&word("name")), word("text")],
        Kind::AlertRule => vec![text::folded(&word("name")), word("json")],
        Kind::ExchangeDecision => vec![word("exchange"), word("slug")],
        Kind::Bet | Kind::Note => return Ok(Uuid::new_v4()),
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    for again in 0.. {
        let id = derived(kind, &parts, again);
        if oplog::by_id(c, kind, id)?.is_none_or(|kept| kept.shown.is_none()) {
            return Ok(id);
        }
    }
    Ok(Uuid::new_v4())
}
