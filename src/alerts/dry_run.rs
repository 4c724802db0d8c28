//! A rule on history: how often it would have fired, and what became of what it would have told.
//!
//! The stored signals are gone through in the order in which they were made, version by version, with the very decisions
//! of live alerts and a clock of their own. Nothing is written and nothing is sent.

use std::collections::BTreeMap;

use super::decide::{self, State};
use super::facts::GameNow;
use super::follow_up::{FollowUp, Follower, Stayed};
use super::message::{Kind, Message};
use super::rules::{RuleSet, Silence};
use super::words::Moment;
use crate::engine::changes::EventStatus;
use crate::engine::detect::signal::Signal;
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;
use crate::store::{Reader, StoreError};

/// One time that the rule would have fired.
#[derive(Clone, PartialEq, Debug)]
pub struct Firing {
    /// When.
    pub at: Timestamp,
    /// What it would have told.
    pub message: Message,
    /// The version of the signal, where it is one.
    pub signal: Option<Signal>,
    /// What became of it, where there was something to take.
    pub follow_up: Option<FollowUp>,
    /// For how long the price of a line could be taken.
    pub stayed: Option<Stayed>,
}

/// What a rule would have done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DryRun {
    /// Signals that were there.
    pub signals: u64,
    /// When it would have fired, in the order of time.
    pub firings: Vec<Firing>,
    /// Versions of signals of which it would have said nothing, by the reason, in the order in which they are asked.
    pub silent: BTreeMap<Silence, u64>,
    /// Kinds of the rule that history cannot tell of.
    pub left_out: Vec<Kind>,
}

/// Kinds that are found by going through the looks again, not among the stored signals.
pub const BY_LOOKS: [Kind; 4] = [Kind::Line, Kind::Opener, Kind::Gone, Kind::Reopened];

/// Runs the only rule of `rules` over the signals made from `from` to `to`. Other kinds than signals are not looked for.
///
/// # Errors
/// [`StoreError`].
pub fn run(reader: &Reader, rules: &RuleSet, from: Timestamp, to: Timestamp) -> Result<DryRun, StoreError> {
    let mut dry = DryRun::default();
    if let Some(rule) = rules.rules.first() {
        dry.left_out =
            rule.terms.kinds.iter().copied().filter(|k| *k != Kind::Signal && !BY_LOOKS.contains(k)).collect();
    }
    if !rules.tells_of(Kind::Signal) {
        return Ok(dry);
    }
    let found = reader.signals(&AnalysisFilter { since: Some(from), until: Some(to), ..AnalysisFilter::default() })?;
    dry.signals = found.len() as u64;
    let mut versions: Vec<Signal> = Vec::with_capacity(found.len());
    for signal in found {
        if signal.version == 1 {
            versions.push(signal);
        } else {
            versions.extend(reader.signal_versions(&signal.id)?);
        }
    }
    versions.retain(|s| s.updated_at <= to);
    versions.sort_by(|a, b| (a.updated_at, &a.id, a.version).cmp(&(b.updated_at, &b.id, b.version)));
    let mut state = State::default();
    let mut follower = Follower::new(reader)?;
    let origin = if reader.is_demo()? { Some(crate::store::query::DEMO) } else { None };
    for signal in versions {
        let at = signal.updated_at;
        let live = at >= signal.commence_time;
        let status = if live { EventStatus::Live } else { EventStatus::Scheduled };
        let game = GameNow { commence: signal.commence_time, status, live };
        let moment = Moment { at, wall: at, origin, late_ms: 0 };
        let (decision, silences) = decide::signal(&signal, Some(game), rules, &state, &moment);
        // One firing, however many channels it would have gone to.
        let told = decision.outgoing.messages.first().map(|m| serde_json::from_str::<Message>(&m.message));
        state.settle(decision);
        match told {
            Some(Ok(message)) => {
                let follow_up = Some(follower.follow(&signal, at)?);
                dry.firings.push(Firing { at, message, signal: Some(signal), follow_up, stayed: None });
            }
            _ => {
                for why in silences {
                    *dry.silent.entry(why).or_default() += 1;
                }
            }
        }
    }
    Ok(dry)
}
