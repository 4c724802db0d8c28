//! A rule on history for what is not among the stored signals: lines, openers, markets that vanish and return.
//!
//! The stored looks go through an engine again, sport by sport, with the very decisions of live alerts. Signals are left
//! to the store, which has them as they were made. Nothing is written and nothing is sent.

use super::warm;
use crate::alerts::decide::{self, State};
use crate::alerts::dry_run::Firing;
use crate::alerts::follow_up::{Follower, Taken};
use crate::alerts::message::{Kind, Message};
use crate::alerts::rules::RuleSet;
use crate::alerts::words::Moment;
use crate::engine::EngineSettings;
use crate::engine::names::Names;
use crate::feeds::replay;
use crate::market::ids::{EventId, MarketId, SubjectId};
use crate::market::line::Line;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::store::query::DEMO;
use crate::store::{Reader, StoreError};

/// What the only rule of `rules` would have told of the looks from `from` to `to`, apart from signals. By sport, then in
/// the order of time.
///
/// # Errors
/// [`StoreError`].
pub fn run(
    reader: &Reader,
    settings: &EngineSettings,
    rules: &RuleSet,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Firing>, StoreError> {
    reader.hold()?;
    let past = reader.past();
    let names = past.names()?;
    let origin = if reader.is_demo()? { Some(DEMO) } else { None };
    let follower = Follower::new(reader)?;
    let mut firings = Vec::new();
    for (source, sport) in past.sports()? {
        let mut looks = past.replay(source, sport, from.plus(-1));
        let mut standing = None;
        while let Some(at) = looks.next_at()? {
            if at > to {
                break;
            }
            let Some(look) = looks.next()? else { break };
            let (engine, state) = match &mut standing {
                Some(standing) => standing,
                None => {
                    let engine = warm::standing_before(past, source, sport, look.id, settings)?;
                    // What stood there before is no news.
                    let state = State::new(Vec::new(), Vec::new(), at, &engine, rules, |_| true);
                    standing.insert((engine, state))
                }
            };
            engine.next_look_is(look.id);
            let mut changes = engine.apply(&replay::batch(&look, source, sport, &names));
            changes.signals.clear();
            let moment = Moment { at, wall: at, origin, late_ms: 0 };
            let decision = decide::look(&changes, engine, rules, state, &moment, &[]);
            for told in once(&decision.outgoing.messages, rules) {
                let stayed = match told.kind {
                    Kind::Line => taken(&told, &names).map(|(t, start)| follower.stayed(&t, at, start)).transpose()?,
                    _ => None,
                };
                firings.push(Firing { at, message: told, signal: None, follow_up: None, stayed });
            }
            state.settle(decision);
        }
    }
    Ok(firings)
}

/// One message of each, however many channels it would have gone to.
fn once(messages: &[crate::store::outbox::NewMessage], rules: &RuleSet) -> Vec<Message> {
    let channel = rules.rules.first().and_then(|r| r.terms.channels.first());
    let first = messages.iter().filter(|m| Some(&m.channel) == channel);
    first.filter_map(|m| serde_json::from_str(&m.message).ok()).collect()
}

/// The price that a message about a line tells of, and when its game starts.
fn taken<'m>(message: &'m Message, names: &Names) -> Option<(Taken<'m>, Timestamp)> {
    let data = message.data.as_ref()?;
    let text = |name: &str| data.get(name).and_then(serde_json::Value::as_str);
    let number = |name: &str| data.get(name).and_then(serde_json::Value::as_f64);
    let market = u16::try_from(names.markets.number(text("market")?)?).ok()?;
    let side = Side::ALL.into_iter().find(|side| Some(side.name()) == text("side"))?;
    let taken = Taken {
        event: EventId(number("event_id")? as u32),
        market: MarketId(market),
        subject: SubjectId::NONE,
        book: text("book")?,
        side,
        line: number("line").and_then(Line::from_points),
        odds: number("price")?,
    };
    Some((taken, Timestamp::parse(text("commence_time")?)?))
}
