//! Decides: from what a look changed, the rules and what has been told lately to the messages that go out. Pure.
//!
//! Laws: one message for each signal and channel, however many rules want it; an update is told only where a rule asks
//! for updates; the same thing about the same market, type, direction and book is not told again within the cooldown; what
//! falls into quiet hours is held, never dropped. What has been decided takes effect here only with [`State::settle`],
//! once it is committed.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::{Folded, GameNow, MarketFacts, SignalFacts, code};
use super::line;
use super::message::{Fact, Kind, Message};
use super::notice::Notice;
use super::offers::{News, Offered, Turned};
use super::quality::RULES;
use super::rules::{Ready, RuleSet, Silence};
use super::words::{self, Moment};
use crate::engine::changes::{EventRow, EventStatus};
use crate::engine::detect::signal::Signal;
use crate::engine::{Changes, Engine};
use crate::filter::fold;
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
    met: FxHashSet<(i64, Timestamp, EventId)>,
}

/// What a look is to be told of.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// For the outbox.
    pub outgoing: Outgoing,
    turned: Turned,
    met: Vec<((i64, Timestamp, EventId), bool)>,
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
pub fn look(changes: &Changes, engine: &Engine, rules: &RuleSet, state: &State, moment: &Moment<'_>) -> Decision {
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
            let awake: Vec<(&Ready, Vec<String>)> = awake.map(|r| (r, vec![subject.clone()])).collect();
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

    /// Markets that appeared, vanished or returned: one message for each game, kind and channel.
    fn markets(&mut self, news: &[News], engine: &Engine) {
        let same = |a: &News, b: &News| (a.event, a.kind) == (b.event, b.kind);
        for group in news.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            if !self.rules.tells_of(first.kind) {
                continue;
            }
            let Some(row) = engine.event_row(first.event) else { continue };
            self.markets_of(first.kind, &row, group, engine);
        }
    }

    fn markets_of(&mut self, kind: Kind, row: &EventRow, group: &[News], engine: &Engine) {
        let rules = self.rules;
        let names = engine.names();
        // By channel: which markets, and which rules want which of them.
        /// What there is to tell of one thing, and the rules that ask for it with their channels.
        type Wanted<'a> = (Vec<&'a News>, Vec<(&'a Ready, Vec<String>)>);
        let mut wanted: BTreeMap<&str, Wanted<'_>> = BTreeMap::new();
        for rule in rules.rules.iter().filter(|r| r.terms.tells_of(kind)) {
            if too_late(rule, row.commence.since(self.moment.at)) {
                continue;
            }
            let mut passing: Vec<(&News, String)> = Vec::new();
            for news in group {
                let subject = format!("{}:{}:{}", kind.name(), row.provider_id, names.market(news.market));
                let facts = self.market_facts(row, news, engine);
                // A market opens once; a cooldown would only lose the others of the game.
                let cools = kind != Kind::Opener && self.cools(rule, &subject);
                if !cools && rules.passes(rule, &facts).is_ok() {
                    passing.push((news, subject));
                }
            }
            if passing.is_empty() {
                continue;
            }
            for channel in &rule.terms.channels {
                let (markets, by) = wanted.entry(channel).or_default();
                for (news, _) in &passing {
                    if !markets.iter().any(|m| m.market == news.market) {
                        markets.push(news);
                    }
                }
                by.push((rule, passing.iter().map(|(_, subject)| subject.clone()).collect()));
            }
        }
        for (channel, (mut markets, by)) in wanted {
            markets.sort_by_key(|m| m.market);
            let told: Vec<words::MarketNews> = markets
                .iter()
                .map(|m| words::MarketNews {
                    market: names.market(m.market).to_owned(),
                    books: m.books.iter().map(|b| names.book(*b).to_owned()).collect(),
                    was_since: m.was_since,
                })
                .collect();
            let message = words::markets(kind, row, names, &told, self.moment);
            let key = format!("{}:{}:{}:{channel}", kind.name(), row.provider_id, self.moment.at.millis());
            let subject = format!("{}:{}", kind.name(), row.provider_id);
            if !self.told(&key) {
                self.post(channel, key, &by, &subject, None, &message);
            }
        }
    }

    fn market_facts(&self, row: &EventRow, news: &News, engine: &Engine) -> MarketFacts {
        let names = engine.names();
        let books = news.books.iter().map(|b| fold(names.book(*b))).collect();
        let mut facts = facts_of(row, names.sport(row.sport), names.market(news.market), books, self.moment.at);
        facts.watched = !self.rules.lists_of(&facts).is_empty();
        facts
    }

    /// Lines that somebody waits for and that have come. Answers which are there now, of the sport of the look.
    fn lines(&mut self, changes: &Changes, engine: &Engine) -> Vec<((i64, Timestamp, EventId), bool)> {
        let rules = self.rules;
        let mut met = Vec::new();
        for rule in rules.rules.iter().filter(|r| r.terms.tells_of(Kind::Line)) {
            let Some(wish) = &rule.terms.line else { continue };
            for event in engine.remembered(changes.look.source, changes.look.sport) {
                let Some(row) = engine.event_row(event) else { continue };
                let lead = row.commence.since(self.moment.at);
                if lead <= 0 || row.status != EventStatus::Scheduled || too_late(rule, lead) {
                    continue;
                }
                let oldest = rule.terms.max_age_seconds.map_or(i64::MAX, |s| s as i64 * 1000);
                let place = (rule.id, rule.changed_at, event);
                let offer = line::seek(wish, engine, &row, self.moment.at, oldest);
                let was = self.state.met.contains(&place);
                if offer.is_some() != was {
                    met.push((place, offer.is_some()));
                }
                let Some(offer) = offer.filter(|_| !was) else { continue };
                let names = engine.names();
                let books = vec![fold(names.book(offer.book))];
                let sport = names.sport(row.sport);
                let mut facts = facts_of(&row, sport, names.market(offer.market), books, self.moment.at);
                facts.watched = !rules.lists_of(&facts).is_empty();
                facts.side = offer.side.name();
                facts.offer = Some((offer.line.map(crate::market::line::Line::points), offer.price.to_decimal()));
                facts.age = Some(self.moment.at.since(offer.seen) as f64 / 1000.0);
                let subject = format!("line:{}:{}", row.provider_id, offer.side.name());
                if rules.passes(rule, &facts).is_err() || self.cools(rule, &subject) {
                    continue;
                }
                let message = words::line(wish, &offer, &row, names, self.moment);
                for channel in &rule.terms.channels {
                    let at = self.moment.at.millis();
                    let key = format!("line:{}:{}:{at}:{channel}", rule.id, row.provider_id);
                    if !self.told(&key) {
                        self.post(channel, key, &[(rule, vec![subject.clone()])], &subject, None, &message);
                    }
                }
            }
        }
        met
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
            let rules: Vec<(&Ready, Vec<String>)> = rules.into_iter().map(|r| (r, vec![subject.clone()])).collect();
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

fn facts_of(row: &EventRow, sport: &str, market: &str, books: Vec<String>, now: Timestamp) -> MarketFacts {
    let short = |name: &str| fold(&code(sport, name).unwrap_or_default());
    MarketFacts {
        provider_id: row.provider_id.to_string(),
        sport: sport.to_owned(),
        names: [row.home.to_string(), row.away.to_string()],
        folded: Folded {
            teams: vec![fold(&row.home), fold(&row.away), short(&row.home), short(&row.away)],
            sport: fold(sport),
            game: [row.id.0.to_string(), fold(&row.provider_id)],
            market: fold(market),
            books: books.clone(),
        },
        market: market.to_owned(),
        side: "",
        offer: None,
        books: books.len(),
        age: None,
        game: game_now(row, now),
        watched: false,
        now,
    }
}
