//! Decides: from what a look changed, the rules and what has been told lately to the messages that go out. Pure.
//!
//! Laws: one message for each signal and channel, however many rules want it; an update is told only where a rule asks
//! for updates; the same thing about the same market, type, direction and book is not told again within the cooldown; what
//! falls into quiet hours is held, never dropped. What has been decided takes effect here only with [`State::settle`],
//! once it is committed.

mod market;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use self::market::Awaited;
use super::facts::{Folded, GameNow, SignalFacts};
use super::limits::LimitMove;
use super::line;
use super::message::{Fact, Kind, Message};
use super::notice::Notice;
use super::offers::{Offered, Turned};
use super::quality::RULES;
use super::rules::{Ready, RuleSet, Silence};
use super::words::{self, Moment};
use crate::engine::changes::{EventRow, EventStatus};
use crate::engine::detect::signal::Signal;
use crate::engine::{Changes, Engine};
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::outbox::{Fired, NewMessage, Outgoing};

/// A look that is told so long after it was received says so: the store could not be written meanwhile.
const LATE_MS: i64 = 120_000;
/// A trouble that goes on is told of again after so long.
const REMIND_MS: i64 = 6 * 3_600_000;

/// What has been told lately, and how the markets stood.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By rule and subject: when it fired last.
    fired: FxHashMap<(i64, String), Timestamp>,
    /// With the instant of what they tell of.
    keys: FxHashMap<String, Timestamp>,
    offered: Offered,
    /// Lines that were there at the last look: rule, when it was last changed, event.
    met: FxHashSet<Awaited>,
}

/// What a look is to be told of.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// For the outbox.
    pub outgoing: Outgoing,
    turned: Turned,
    met: Vec<(Awaited, bool)>,
}

impl State {
    /// What is remembered of earlier at `at`: firings and keys as the outbox has them, markets and lines as the engine
    /// has them. Lines that stand there now are news for rules that are not `known` to have been asked about them.
    pub fn new(
        fired: Vec<Fired>,
        keys: Vec<String>,
        at: Timestamp,
        engine: &Engine,
        rules: &RuleSet,
        known: impl Fn(&Ready) -> bool,
    ) -> Self {
        let mut state = Self::without_markets(fired, keys, at);
        state.offered = Offered::of(engine);
        for rule in rules.rules.iter().filter(|r| r.terms.tells_of(Kind::Line) && known(r)) {
            for (source, sport) in engine.remembered_sports() {
                for event in engine.remembered(source, sport) {
                    let Some((wish, row)) = rule.terms.line.as_ref().zip(engine.event_row(event)) else { continue };
                    // The age of a quote depends on the clock, which stood still while nobody looked.
                    if line::seek(wish, engine, &row, Timestamp::default(), i64::MAX).is_some() {
                        state.met.insert((rule.id, rule.changed_at, event));
                    }
                }
            }
        }
        state
    }

    /// The same, knowing nothing of markets: for signals and notices alone.
    pub fn without_markets(fired: Vec<Fired>, keys: Vec<String>, at: Timestamp) -> Self {
        Self {
            fired: fired.into_iter().map(|f| ((f.rule, f.subject), f.at)).collect(),
            keys: keys.into_iter().map(|k| (k, at)).collect(),
            ..Self::default()
        }
    }

    /// Takes over what was decided, once it is committed.
    pub fn settle(&mut self, decision: Decision) {
        let Decision { outgoing, turned, met } = decision;
        self.offered.settle(turned);
        for (key, there) in met {
            if there {
                self.met.insert(key);
            } else {
                self.met.remove(&key);
            }
        }
        self.keys.extend(outgoing.messages.into_iter().map(|m| (m.key, m.at)));
        self.fired.extend(outgoing.fired.into_iter().map(|f| ((f.rule, f.subject), f.at)));
    }

    /// Forgets what no rule can ask for any more at `now`.
    pub fn forget(&mut self, now: Timestamp) {
        let longest = i64::try_from(super::rule::LONGEST_COOLDOWN).unwrap_or(i64::MAX).saturating_mul(1000);
        self.fired.retain(|_, at| now.since(*at) <= longest);
        self.keys.retain(|_, at| now.since(*at) <= longest);
    }

    /// Keys that are kept in memory.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }
}

/// What a look is to be told of. `engine` has applied it already.
pub fn look(
    changes: &Changes,
    engine: &Engine,
    rules: &RuleSet,
    state: &State,
    moment: &Moment<'_>,
    limits: &[LimitMove],
) -> Decision {
    let turned = state.offered.turned(changes, engine);
    if rules.is_empty() {
        return Decision { turned, ..Decision::default() };
    }
    let game = |event: EventId| engine.event_row(event).map(|row| game_now(&row, moment.at));
    let mut desk = Desk::new(rules, state, moment);
    for signal in &changes.signals {
        desk.signal(signal, game(signal.event_id));
    }
    desk.markets(&turned.news, engine);
    desk.limits(limits, changes, engine);
    let met = desk.lines(changes, engine);
    Decision { outgoing: desk.out, turned, met }
}

/// What signals are to be told of, without an engine: for history.
pub fn signal(
    signal: &Signal,
    game: Option<GameNow>,
    rules: &RuleSet,
    state: &State,
    moment: &Moment<'_>,
) -> (Decision, Vec<Silence>) {
    let mut desk = Desk::new(rules, state, moment);
    let silences = desk.signal(signal, game);
    (Decision { outgoing: desk.out, ..Decision::default() }, silences)
}

/// What a notice is to be told of.
pub fn notice(notice: &Notice, rules: &RuleSet, state: &State, moment: &Moment<'_>) -> Decision {
    let mut desk = Desk::new(rules, state, moment);
    desk.notice(notice);
    Decision { outgoing: desk.out, ..Decision::default() }
}

/// Where a game stands at `now`.
pub fn game_now(row: &EventRow, now: Timestamp) -> GameNow {
    let live = row.status == EventStatus::Live || (row.status == EventStatus::Scheduled && now >= row.commence);
    GameNow { commence: row.commence, status: row.status, live }
}

/// Whether a rule wants a signal, cooldown aside.
pub fn wants(rules: &RuleSet, rule: &Ready, facts: &SignalFacts<'_>) -> Result<(), Silence> {
    let (terms, s) = (&rule.terms, facts.signal);
    if !terms.tells_of(Kind::Signal) {
        return Err(Silence::Kind);
    }
    rules.passes(rule, facts)?;
    let lead = facts.game.map_or(s.commence_time, |g| g.commence).since(facts.now);
    let entry = s.entry_now.as_ref().or(s.entry.as_ref());
    let dispersion = |most| s.detail.dispersion.is_some_and(|d| d > most);
    let checks = [
        (terms.min_strength.is_some_and(|least| s.strength < least), Silence::Strength),
        (terms.min_composite.is_some_and(|least| s.composite < least), Silence::Composite),
        (terms.min_books.is_some_and(|least| s.books_affected < least), Silence::Books),
        (terms.max_dispersion.is_some_and(dispersion), Silence::Dispersion),
        (too_late(rule, lead), Silence::Lead),
        (terms.max_age_seconds.is_some_and(|most| entry.is_none_or(|e| e.age_seconds > most as f64)), Silence::Age),
    ];
    checks.into_iter().find(|(silent, _)| *silent).map_or(Ok(()), |(_, why)| Err(why))
}

fn too_late(rule: &Ready, lead_ms: i64) -> bool {
    let least = rule.terms.min_lead_seconds.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1000));
    least.is_some_and(|least| lead_ms < least)
}

/// What a cooldown of a signal counts by: a question of a game, the type, the direction, and the book that it is about.
pub fn subject(s: &Signal) -> String {
    let line = s.key.line.map(|l| l.hundredths().to_string()).unwrap_or_default();
    let direction = match s.direction {
        crate::engine::detect::signal::Direction::Up => "up",
        crate::engine::detect::signal::Direction::Down => "down",
    };
    format!(
        "{}:{}:{}:{line}:{}:{direction}:{}",
        s.provider_event_id,
        s.market,
        s.key.subject.0,
        s.kind.name(),
        s.detail.book.as_deref().unwrap_or_default()
    )
}

/// Rules that want a message, with what each fires about.
type Wanting<'r> = Vec<(&'r Ready, Vec<String>)>;

/// One look's messages in the making.
struct Desk<'a> {
    rules: &'a RuleSet,
    state: &'a State,
    moment: &'a Moment<'a>,
    out: Outgoing,
    keys: FxHashSet<String>,
    fired: FxHashSet<(i64, String)>,
}

impl<'a> Desk<'a> {
    fn new(rules: &'a RuleSet, state: &'a State, moment: &'a Moment<'a>) -> Self {
        Self { rules, state, moment, out: Outgoing::default(), keys: FxHashSet::default(), fired: FxHashSet::default() }
    }

    fn told(&self, key: &str) -> bool {
        self.keys.contains(key) || self.state.keys.contains_key(key)
    }

    fn cools(&self, rule: &Ready, subject: &str) -> bool {
        let cooldown = i64::try_from(rule.terms.cooldown_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let about = (rule.id, subject.to_owned());
        if cooldown > 0 && self.fired.contains(&about) {
            return true;
        }
        self.state.fired.get(&about).is_some_and(|at| {
            let passed = self.moment.at.since(*at);
            // A clock that was set back does not silence a rule for longer than its cooldown.
            passed.abs() < cooldown
        })
    }

    /// Puts a message for one channel out. `rules`: those that want it, with what each fires about.
    fn post(
        &mut self,
        channel: &str,
        key: String,
        rules: &[(&Ready, Vec<String>)],
        subject: &str,
        signal: Option<(String, u32)>,
        message: &Message,
    ) {
        let held = rules.iter().map(|(r, _)| r.terms.quiet.as_ref().and_then(|q| q.hold_until(self.moment.at)));
        // Whoever is awake first decides: no rule is silenced by another's night.
        let held = held.min().flatten();
        let wait = held.map_or(0, |until| until.since(self.moment.at));
        let names: Vec<&str> = rules.iter().map(|(r, _)| r.name.as_str()).collect();
        let mut message = Message { key: key.clone(), rule: Some(names.join(", ")), ..message.clone() };
        if let Some(until) = held {
            let told = format!("held since {} for quiet hours until {}", words::clock(message.at), words::clock(until));
            message.facts.push(Fact { label: "held".into(), value: told });
        }
        if self.moment.late_ms >= LATE_MS {
            let told = format!("{} after it happened: look again", words::span(self.moment.late_ms as f64 / 1000.0));
            message.facts.push(Fact { label: "told".into(), value: told });
        }
        let Ok(json) = serde_json::to_string(&message) else { return };
        self.out.messages.push(NewMessage {
            key: key.clone(),
            channel: channel.to_owned(),
            kind: message.kind.name().to_owned(),
            rule: names.join(&RULES.to_string()),
            subject: subject.to_owned(),
            signal,
            at: self.moment.at,
            not_before: self.moment.wall.plus(wait),
            why: held.map(|_| "quiet hours".to_owned()).unwrap_or_default(),
            message: json,
        });
        self.keys.insert(key);
        for (rule, subjects) in rules {
            for subject in subjects {
                if self.fired.insert((rule.id, subject.clone())) {
                    self.out.fired.push(Fired { rule: rule.id, subject: subject.clone(), at: self.moment.at });
                }
            }
        }
    }

    fn signal(&mut self, s: &Signal, game: Option<GameNow>) -> Vec<Silence> {
        let folded = Folded::of(s);
        let bare = SignalFacts {
            signal: s,
            folded: &folded,
            clv: None,
            game,
            watched: false,
            lists: &[],
            now: self.moment.at,
        };
        let lists = self.rules.lists_of(&bare);
        let facts = SignalFacts { watched: !lists.is_empty(), lists: &lists, ..bare };
        let mut silences = Vec::new();
        let mut wanting: Vec<&Ready> = Vec::new();
        for rule in &self.rules.rules {
            match wants(self.rules, rule, &facts) {
                Ok(()) => wanting.push(rule),
                Err(why) => silences.push(why),
            }
        }
        if wanting.is_empty() {
            return silences;
        }
        let subject = subject(s);
        let start = facts.game.map_or(s.commence_time, |g| g.commence);
        let message = words::signal(s, start, self.moment);
        // All channels are looked at before any message counts as fired.
        let cooled: Vec<&Ready> = wanting.iter().copied().filter(|r| self.cools(r, &subject)).collect();
        for (channel, rules) in by_channel(&wanting) {
            let first = format!("signal:{}:{channel}", s.id);
            let told = self.told(&first);
            let awake =
                rules.into_iter().filter(|r| (!told || r.terms.updates) && !cooled.iter().any(|c| c.id == r.id));
            let awake: Wanting<'_> = awake.map(|r| (r, vec![subject.clone()])).collect();
            let key = if told { format!("signal:{}:v{}:{channel}", s.id, s.version) } else { first };
            if awake.is_empty() {
                if !told {
                    silences.push(Silence::Cooldown);
                }
            } else if !self.told(&key) {
                self.post(channel, key, &awake, &subject, Some((s.id.clone(), s.version)), &message);
            }
        }
        silences
    }

    fn notice(&mut self, n: &Notice) {
        let kind = n.trouble.kind();
        let (subject, trouble) = (n.subject(), n.trouble_subject());
        let at = |rule: &Ready, subject: &str| self.state.fired.get(&(rule.id, subject.to_owned())).copied();
        let wanting: Vec<&Ready> = self
            .rules
            .rules
            .iter()
            .filter(|r| r.terms.tells_of(kind))
            .filter(|r| {
                let (told, over) = (at(r, &trouble), at(r, &n.end_subject()));
                if n.over {
                    // The end of what nobody heard of is no news.
                    told.is_some_and(|told| over.is_none_or(|over| over < told))
                } else if told.is_some_and(|told| over.is_none_or(|over| over < told)) {
                    // It goes on: a word now and then, so that it is not forgotten.
                    told.is_some_and(|told| self.moment.at.since(told) >= REMIND_MS) && !self.cools(r, &subject)
                } else {
                    !self.cools(r, &subject)
                }
            })
            .collect();
        let mut message = self.moment.message(kind, n.severity(), n.title());
        message.text.clone_from(&n.text);
        message.facts.push(Fact { label: "at".into(), value: words::clock(self.moment.at) });
        message.data =
            Some(serde_json::json!({"trouble": n.trouble.name(), "of": n.of, "over": n.over, "text": n.text}));
        for (channel, rules) in by_channel(&wanting) {
            let rules: Wanting<'_> = rules.into_iter().map(|r| (r, vec![subject.clone()])).collect();
            let key = format!("{subject}:{}:{channel}", self.moment.at.millis());
            if !self.told(&key) {
                self.post(channel, key, &rules, &subject, None, &message);
            }
        }
    }
}

fn by_channel<'r>(rules: &[&'r Ready]) -> BTreeMap<&'r str, Vec<&'r Ready>> {
    let mut channels: BTreeMap<&str, Vec<&Ready>> = BTreeMap::new();
    for rule in rules {
        for channel in &rule.terms.channels {
            let there = channels.entry(channel).or_default();
            if !there.iter().any(|r| r.id == rule.id) {
                there.push(rule);
            }
        }
    }
    channels
}
