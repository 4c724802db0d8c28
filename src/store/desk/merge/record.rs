//! One record out of its operations: whether it lives, what its fields say, and how that came about.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::operation::{Action, Body, Kind, Operation, Stamp};

/// What a record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Record {
    /// It is there: somebody made or edited it whom no deletion had seen.
    pub alive: bool,
    /// Values with what set them. Those of a dead record stay: an edit that arrives late brings them back.
    pub fields: BTreeMap<String, (Value, Option<Stamp>)>,
}

impl Record {
    /// Out of operations on *one* record, in any order.
    pub fn of<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Self {
        let known = known(operations);
        let mut fields: BTreeMap<String, (Value, Option<Stamp>)> = BTreeMap::new();
        for k in &known {
            if k.action == Action::Delete {
                continue;
            }
            for (name, value) in &k.body.fields {
                let held = fields.get(name).and_then(|(_, by)| *by);
                if held.is_none_or(|by| by < k.stamp) {
                    fields.insert(name.clone(), (value.clone(), Some(k.stamp)));
                }
            }
        }
        Self { alive: known.iter().any(|k| k.gives_life(&known)), fields }
    }

    /// What a field says.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).map(|(value, _)| value)
    }

    /// A field that is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// A field that is a whole number.
    pub fn number(&self, field: &str) -> Option<i64> {
        self.get(field).and_then(Value::as_i64)
    }

    /// What set a field.
    pub fn set_by(&self, field: &str) -> Option<Stamp> {
        self.fields.get(field).and_then(|(_, by)| *by)
    }
}

/// An operation that this program understands.
struct Known<'o> {
    operation: &'o Operation,
    stamp: Stamp,
    action: Action,
    body: Body,
}

fn known<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Vec<Known<'o>> {
    let mut known: Vec<_> = operations
        .into_iter()
        .filter_map(|operation| {
            let action = Action::of(&operation.action)?;
            Some(Known { operation, stamp: operation.stamp(), action, body: operation.body() })
        })
        .collect();
    known.sort_by_key(|k| k.stamp);
    known.dedup_by_key(|k| (k.stamp.device, k.stamp.n));
    known
}

impl Known<'_> {
    /// Its author had seen `other`.
    fn had_seen(&self, other: &Self) -> bool {
        if self.stamp.device == other.stamp.device {
            return other.stamp.n < self.stamp.n;
        }
        self.body.seen.get(&other.stamp.device).is_some_and(|n| *n >= other.stamp.n)
    }

    fn gives_life(&self, all: &[Self]) -> bool {
        matches!(self.action, Action::Add | Action::Put)
            && (Kind::of(&self.operation.kind) == Some(Kind::Bet)
                || !all.iter().any(|d| d.action == Action::Delete && d.had_seen(self)))
    }
}

/// What became of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It holds: a field says what it set, or the record is deleted as it wanted.
    Stands,
    /// Whoever replaced it had seen it.
    Followed,
    /// These fields gave way to somebody who had not seen it.
    Overruled(Vec<String>),
    /// A deletion, but somebody whom it had not seen keeps the record.
    Outlived,
}

/// An operation of a record's history.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// When and by whom.
    pub stamp: Stamp,
    /// What was done.
    pub action: Action,
    /// What it set.
    pub fields: BTreeMap<String, Value>,
    /// What became of it.
    pub fate: Fate,
}

/// All that was done to *one* record, oldest first.
pub fn history<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Vec<Step> {
    let known = known(operations);
    let alive = known.iter().any(|k| k.gives_life(&known));
    let winner = |field: &str| -> Option<(Uuid, i64)> {
        let sets = known.iter().rev().find(|k| k.action != Action::Delete && k.body.fields.contains_key(field))?;
        Some((sets.stamp.device, sets.stamp.n))
    };
    let fate = |k: &Known<'_>| {
        if k.action == Action::Delete {
            let followed = known.iter().any(|o| o.had_seen(k));
            return if !alive || followed { if alive { Fate::Followed } else { Fate::Stands } } else { Fate::Outlived };
        }
        let wins = |field: &str| winner(field) == Some((k.stamp.device, k.stamp.n));
        let replaced = |field: &str| known.iter().any(|o| o.body.fields.contains_key(field) && o.had_seen(k));
        let overruled: Vec<_> = k.body.fields.keys().filter(|f| !wins(f) && !replaced(f)).cloned().collect();
        if !overruled.is_empty() {
            Fate::Overruled(overruled)
        } else if alive && k.body.fields.keys().any(|f| wins(f)) {
            Fate::Stands
        } else {
            Fate::Followed
        }
    };
    known
        .iter()
        .map(|k| Step { stamp: k.stamp, action: k.action, fields: k.body.fields.clone(), fate: fate(k) })
        .collect()
}
