//! A set of operations in memory.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::operation::{Heads, Kind, Operation};
use super::{Layout, Record};

/// Operations by device and number, each device's without gaps from its first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Log {
    operations: BTreeMap<(Uuid, i64), Operation>,
    heads: Heads,
    /// Came before those that they follow.
    waiting: BTreeMap<(Uuid, i64), Operation>,
}

impl Log {
    /// Takes an operation in; one that is there already, or there in another form, changes nothing. One whose
    /// predecessors are missing waits for them.
    pub fn take(&mut self, operation: Operation) {
        let key = (operation.device, operation.n);
        if self.operations.contains_key(&key) || operation.n < 1 {
            return;
        }
        self.waiting.entry(key).or_insert(operation);
        let mut next = self.head(key.0) + 1;
        while let Some(follows) = self.waiting.remove(&(key.0, next)) {
            self.operations.insert((key.0, next), follows);
            self.heads.insert(key.0, next);
            next += 1;
        }
    }

    /// The last operation of a device; 0 for none.
    pub fn head(&self, device: Uuid) -> i64 {
        self.heads.get(&device).copied().unwrap_or(0)
    }

    /// Of each device the last.
    pub const fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Those that somebody lacks who has `heads`.
    pub fn beyond(&self, heads: &Heads) -> impl Iterator<Item = &Operation> {
        self.operations.values().filter(|o| o.n > heads.get(&o.device).copied().unwrap_or(0))
    }

    /// All of them, by device and number.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    /// Those on one record.
    pub fn on(&self, kind: Kind, record: Uuid) -> impl Iterator<Item = &Operation> {
        self.operations.values().filter(move |o| o.record == record && o.kind == kind.name())
    }

    /// Every record, dead ones too.
    pub fn records(&self) -> BTreeMap<(Kind, Uuid), Record> {
        let mut by_record: BTreeMap<(Kind, Uuid), Vec<&Operation>> = BTreeMap::new();
        for operation in self.operations.values() {
            if let Some(kind) = Kind::of(&operation.kind) {
                by_record.entry((kind, operation.record)).or_default().push(operation);
            }
        }
        by_record.into_iter().map(|(key, all)| (key, Record::of(all))).collect()
    }

    /// What the desk holds.
    pub fn layout(&self) -> Layout {
        Layout::of(self.records().iter().map(|((kind, id), record)| (*kind, *id, record)))
    }
}
