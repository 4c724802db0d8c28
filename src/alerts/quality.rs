//! How good alerts are: for each rule and each type, what the fair price did after them, whether their entry could be had,
//! and how long they took to arrive.
//!
//! Figures for the board and for `stratum alerts quality`; nothing here is judged, only counted. A mean always stands
//! beside the number of alerts that it is of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::follow_up::{FollowUp, Follower};
use crate::market::time::Timestamp;
use crate::store::outbox::OutboxRow;
use crate::store::{Reader, StoreError};

/// A mean and what it is of.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Mean {
    /// Of so many.
    pub count: u64,
    /// `None`: of none.
    pub mean: Option<f64>,
}

impl Mean {
    /// The mean of those that are there.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0);
        for value in values.into_iter().flatten().filter(|v| v.is_finite()) {
            count += 1;
            sum += value;
        }
        Self { count, mean: (count > 0).then(|| sum / count as f64) }
    }
}

/// Alerts that belong together.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// `rule`, `type` or `all`.
    pub by: &'static str,
    /// Name of the rule or type; empty for all.
    pub name: String,
    /// Signals told of.
    pub alerts: u64,
    /// Of which something is known of what the fair price did.
    pub graded: u64,
    /// Fair move towards the side after a minute, in probability.
    pub move_1m: Mean,
    /// After five minutes.
    pub move_5m: Mean,
    /// After fifteen minutes.
    pub move_15m: Mean,
    /// To the close.
    pub move_close: Mean,
    /// Share of those whose fair price went towards the side by the close, or as far as is known.
    pub towards: Mean,
    /// Share of entries that could be had for a minute, of those of which the looks can tell.
    pub obtainable_1m: Mean,
    /// From the look to the delivery, quiet hours aside. Milliseconds.
    pub latency_ms: Mean,
    /// Deliveries, one for each channel.
    pub delivered: u64,
    /// Given up.
    pub dead: u64,
}

impl Row {
    /// The figures of some alerts.
    pub fn new(by: &'static str, name: &str, ups: &[&FollowUp], sent: &[&OutboxRow]) -> Self {
        use crate::store::outbox::MessageState;
        let share = |yes: Option<bool>| yes.map(|y| if y { 1.0 } else { 0.0 });
        let moves = |at: usize| Mean::of(ups.iter().map(|u| u.moves().get(at).copied().flatten()));
        let last = |u: &&FollowUp| u.moves().into_iter().rev().flatten().next();
        let ended = |state| sent.iter().filter(|m| m.state == state).count() as u64;
        let latency = |m: &&OutboxRow| {
            let delivered = m.ended.filter(|_| m.state == MessageState::Delivered)?;
            Some(delivered.since(m.deliverable_since()).max(0) as f64)
        };
        Self {
            by,
            name: name.to_owned(),
            alerts: ups.len() as u64,
            graded: ups.iter().filter(|u| u.is_graded()).count() as u64,
            move_1m: moves(0),
            move_5m: moves(1),
            move_15m: moves(2),
            move_close: moves(3),
            towards: Mean::of(ups.iter().map(|u| share(last(u).map(|m| m > 0.0)))),
            obtainable_1m: Mean::of(ups.iter().map(|u| share(u.stayed.a_minute()))),
            latency_ms: Mean::of(sent.iter().map(latency)),
            delivered: ended(MessageState::Delivered),
            dead: ended(MessageState::Dead),
        }
    }
}

/// The quality of the alerts about signals from `from` to `to` (market time): all of them first, then by rule, then by
/// type, each in the order of names.
///
/// # Errors
/// [`StoreError`].
pub fn quality(reader: &Reader, from: Timestamp, to: Timestamp) -> Result<Vec<Row>, StoreError> {
    let sent = reader.told_signals(from, to)?;
    let mut follower = Follower::new(reader)?;
    // A signal on two channels is one alert; an update of it is told of again but follows the first.
    let mut ups: BTreeMap<&str, FollowUp> = BTreeMap::new();
    for row in &sent {
        let Some((id, version)) = &row.signal else { continue };
        if ups.contains_key(id.as_str()) {
            continue;
        }
        let versions = reader.signal_versions(id)?;
        // Late looks may have taken the signal back since.
        let Some(signal) = versions.iter().find(|s| s.version == *version).or(versions.last()) else { continue };
        ups.insert(id, follower.follow(signal, row.at)?);
    }
    let of = |rows: &[&OutboxRow]| -> Vec<&FollowUp> {
        let ids: BTreeSet<&str> = rows.iter().filter_map(|r| r.signal.as_ref()).map(|(id, _)| id.as_str()).collect();
        ids.into_iter().filter_map(|id| ups.get(id)).collect()
    };
    let all: Vec<&OutboxRow> = sent.iter().collect();
    let mut rows = vec![Row::new("all", "", &of(&all), &all)];
    let mut by_rule: BTreeMap<&str, Vec<&OutboxRow>> = BTreeMap::new();
    let mut by_type: BTreeMap<&str, Vec<&OutboxRow>> = BTreeMap::new();
    for row in &sent {
        for rule in row.rule.split(RULES) {
            by_rule.entry(rule).or_default().push(row);
        }
        if let Some(up) = row.signal.as_ref().and_then(|(id, _)| ups.get(id.as_str())) {
            by_type.entry(up.kind.name()).or_default().push(row);
        }
    }
    rows.extend(by_rule.iter().map(|(name, sent)| Row::new("rule", name, &of(sent), sent)));
    rows.extend(by_type.iter().map(|(name, sent)| Row::new("type", name, &of(sent), sent)));
    Ok(rows)
}

/// Between the names of several rules in the outbox; no name has it.
pub const RULES: char = '\n';
