//! For tests: a channel that keeps what it is given and answers what it is told to, and a signal to tell of.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::channel::{Attempt, Channel, Sending};
use super::message::{Kind, Message};
use super::rule::Terms;
use crate::engine::detect::signal::{
    Components, Detail, Direction, Entry, Evidence, SCHEMA, Sampling, ScoreSource, Sharp, Signal, SignalType, Stand,
    Tier,
};
use crate::engine::price::unit::UnitKey;
use crate::market::bucket::TimeBucket;
use crate::market::ids::{EventId, MarketId, SubjectId};
use crate::market::time::Timestamp;
use crate::store::desk::{AlertRule, AlertRuleId};

/// A channel in memory.
#[derive(Debug)]
pub(crate) struct MemoryChannel {
    name: String,
    batch: usize,
    script: Mutex<VecDeque<Attempt>>,
    sent: Mutex<Vec<Vec<Message>>>,
}

impl MemoryChannel {
    pub(crate) fn new(name: &str, batch: usize) -> Self {
        Self { name: name.to_owned(), batch, script: Mutex::default(), sent: Mutex::default() }
    }

    /// What the next attempts come to; after them everything is delivered.
    pub(crate) fn script(&self, attempts: impl IntoIterator<Item = Attempt>) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).extend(attempts);
    }

    /// Every batch that was tried.
    pub(crate) fn tried(&self) -> Vec<Vec<Message>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Channel for MemoryChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(messages.to_vec());
        let next = self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Box::pin(async move { next.unwrap_or(Attempt::Delivered) })
    }
}

pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_200_000 + secs)
}

/// A steam on Boston's spread, an hour before the start.
pub(crate) fn signal(id: &str, version: u32, secs: i64) -> Signal {
    let stand =
        |line, value| Stand { line: Some(line), prices: [Some(1.91), Some(1.91), None], probability: 0.5, value };
    let mover = |book: &str, order| Evidence {
        book: book.into(),
        family: book.into(),
        before: stand(-3.5, 3.5),
        after: stand(-4.5, 4.5),
        change: 1.0,
        moved_at: Some(at(secs - 60)),
        moved_after: None,
        order: Some(order),
    };
    Signal {
        id: id.into(),
        version,
        schema: SCHEMA,
        kind: SignalType::Steam,
        event_id: EventId(1),
        provider_event_id: "e1".into(),
        sport: "basketball_nba".into(),
        home_team: "Boston Celtics".into(),
        away_team: "Miami Heat".into(),
        commence_time: at(3600),
        market: "spreads".into(),
        selection: "Boston Celtics".into(),
        side: Some("home".into()),
        direction: Direction::Down,
        window_minutes: 5.0,
        unit: "line".into(),
        from_value: -3.5,
        to_value: -4.5,
        entry: Some(Entry {
            book: "draftkings".into(),
            line: Some(-4.0),
            price: 1.909_090_909,
            price_american: -110,
            age_seconds: 12.0,
            ev: Some(0.016),
            fair_probability: Some(0.532),
        }),
        entry_now: None,
        books_affected: 4,
        panel: 6,
        opposers: 0,
        evidence: vec![mover("pinnacle", 1), mover("fanduel", 2)],
        sampling: Sampling { looks: 9, longest_gap_seconds: 61.0, limit_seconds: 75.0, from_look: at(secs - 300) },
        velocity_minutes: 2.0,
        minutes_to_tip: 50.0,
        time_bucket: TimeBucket::PreTip,
        strength: 70,
        components: Components::default(),
        composite: 71,
        tier: Tier::Medium,
        score_source: ScoreSource::Composite,
        sharp: Sharp::Agree,
        supersedes: None,
        detail: Detail { dispersion: Some(0.5), ..Detail::default() },
        detected_at: at(secs),
        updated_at: at(secs),
        key: UnitKey { market: MarketId(2), subject: SubjectId::NONE, line: None },
    }
}

/// A rule as the desk keeps it.
pub(crate) fn rule(id: i64, name: &str, change: impl FnOnce(&mut Terms)) -> AlertRule {
    let mut terms = Terms { kinds: vec![Kind::Signal], channels: vec!["a".into()], ..Terms::default() };
    change(&mut terms);
    terms.check().expect("a rule");
    AlertRule {
        id: AlertRuleId(id),
        name: name.into(),
        on: true,
        json: terms.to_json().expect("JSON"),
        created_at: at(0),
        changed_at: at(0),
    }
}
