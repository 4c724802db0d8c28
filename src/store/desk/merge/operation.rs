//! What was done: one edit of one record by one device.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Clock;

/// Values by the name of their field.
pub type Fields = BTreeMap<String, Value>;

/// Of each device the number of its last operation. As a device's operations are numbered without gaps and taken in
/// order, this says exactly which ones are meant.
pub type Heads = BTreeMap<Uuid, i64>;

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A watchlist.
    List,
    /// A rule of one.
    ListRule,
    /// A saved filter.
    Filter,
    /// An alert rule.
    AlertRule,
    /// Which game a listing of an exchange is.
    ExchangeDecision,
    /// A bet: never deleted, amendments stay visible.
    Bet,
    /// A note.
    Note,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::List, Self::ListRule, Self::Filter, Self::AlertRule, Self::ExchangeDecision, Self::Bet, Self::Note];

    /// As it is written in operations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::ListRule => "list_rule",
            Self::Filter => "filter",
            Self::AlertRule => "alert_rule",
            Self::ExchangeDecision => "exchange_decision",
            Self::Bet => "bet",
            Self::Note => "note",
        }
    }

    /// The kind of this name; `None` for one of a later program.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// It has a table of its own on the desk; the others are read from the operations.
    pub const fn has_table(self) -> bool {
        !matches!(self, Self::Bet | Self::Note)
    }
}

/// What is done to a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is made, or made again, with these fields.
    Add,
    /// Some fields are set.
    Put,
    /// It is deleted.
    Delete,
    /// It is put in another place. Keeps nothing alive: others are moved aside by the way.
    Order,
}

impl Action {
    /// As it is written in operations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Order => "order",
        }
    }

    /// The action of this name; `None` for one of a later program.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Add, Self::Put, Self::Delete, Self::Order].into_iter().find(|a| a.name() == name)
    }
}

/// When and by whom: the total order of operations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp {
    /// When.
    pub clock: Clock,
    /// By which device.
    pub device: Uuid,
    /// Its how manieth.
    pub n: i64,
}

/// The content of an operation.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Body {
    /// Fields that it sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: Fields,
    /// Which operations of *other* devices on the same record its author had seen. Of its own it has seen all before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: Heads,
}

impl Body {
    /// As it is kept and sent.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// One edit of one record by one device.
///
/// Kind, action and content are kept as they were written, so that those of a later program are handed on whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// Whose.
    pub device: Uuid,
    /// Its how manieth, from 1 without gaps.
    pub n: i64,
    /// When.
    pub clock: Clock,
    /// Name of the [`Kind`].
    pub kind: String,
    /// Which record.
    pub record: Uuid,
    /// Name of the [`Action`].
    pub action: String,
    /// A [`Body`] as JSON.
    pub payload: String,
}

impl Operation {
    /// Its place in the order of all.
    pub const fn stamp(&self) -> Stamp {
        Stamp { clock: self.clock, device: self.device, n: self.n }
    }

    /// Its content; empty where that makes no sense.
    pub fn body(&self) -> Body {
        serde_json::from_str(&self.payload).unwrap_or_default()
    }

    /// The same edit: everything but its clock, which the hub may have set back.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.device, self.n, self.record) == (other.device, other.n, other.record)
            && (&self.kind, &self.action, &self.payload) == (&other.kind, &other.action, &other.payload)
    }
}
