//! Three devices that edit while they are apart and meet now and then, in every way that chance thinks of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::layout::{derived, fields, list_fields, rule_fields};
use super::operation::{Action, Body, Fields, Heads, Kind, Operation};
use super::{Clock, Fate, Log, MOST_AHEAD_MS, history, order};
use crate::market::time::Timestamp;
use crate::store::desk::rule::NewRule;

/// One operation by who did it and its how manieth.
type Which = (Uuid, i64);

struct Device {
    id: Uuid,
    log: Log,
    /// How far its clock is from the right one.
    skew: i64,
}

impl Device {
    fn new(n: u8, skew: i64) -> Self {
        Self { id: Uuid::from_u128(u128::from(n) + 1), log: Log::default(), skew }
    }

    fn append(&mut self, kind: Kind, record: Uuid, action: Action, fields: Fields, now: i64) -> Which {
        let latest = self.log.iter().map(|o| o.clock).max().unwrap_or_default();
        let mut seen = Heads::new();
        for o in self.log.on(kind, record).filter(|o| o.device != self.id) {
            let n = seen.entry(o.device).or_insert(0);
            *n = o.n.max(*n);
        }
        let operation = Operation {
            device: self.id,
            n: self.log.head(self.id) + 1,
            clock: latest.next(Timestamp::from_millis(now + self.skew)),
            kind: kind.name().into(),
            record,
            action: action.name().into(),
            payload: Body { fields, seen }.text(),
        };
        let which = (operation.device, operation.n);
        self.log.take(operation);
        which
    }

    /// Lists as they stand, with the rules of each.
    fn lists(&self) -> Vec<(Uuid, Vec<Uuid>)> {
        let all = self.log.layout().lists.into_iter();
        all.map(|l| (l.list.record, l.rules.into_iter().map(|r| r.record).collect())).collect()
    }

    /// A place behind `at` others of these.
    fn place(&self, kind: Kind, others: &[Uuid], at: usize) -> Fields {
        let records = self.log.records();
        let place = |i: usize| {
            others.get(i).and_then(|id| records.get(&(kind, *id))).and_then(|r| r.text("order")).map(str::to_owned)
        };
        let (mut low, high) = (at.checked_sub(1).and_then(place), place(at));
        if low >= high && high.is_some() {
            // Two made at the same place: behind both.
            low = high.clone();
        }
        let high = high.filter(|h| low.as_ref().is_none_or(|l| l < h));
        fields([("order", order::between(low.as_deref(), high.as_deref()).into())])
    }
}

#[derive(Clone, Debug)]
enum Edit {
    MakeList(u8),
    Rename(u8, u8),
    DeleteList(u8),
    MoveList(u8, u8),
    AddRule(u8, u8, bool),
    Turn(u8, u8),
    RemoveRule(u8, u8),
    MoveRule(u8, u8, u8),
    Bet(u8, u8),
    Amend(u8, u8),
}

#[derive(Clone, Debug)]
enum Deed {
    Edit(u8, Edit),
    /// One hears from another: so many of what it lacks.
    Hear(u8, u8, u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    let n = || 0..4_u8;
    let edit = prop_oneof![
        3 => n().prop_map(Edit::MakeList),
        1 => (n(), n()).prop_map(|(a, b)| Edit::Rename(a, b)),
        2 => n().prop_map(Edit::DeleteList),
        2 => (n(), n()).prop_map(|(a, b)| Edit::MoveList(a, b)),
        6 => (n(), n(), any::<bool>()).prop_map(|(a, b, c)| Edit::AddRule(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Edit::Turn(a, b)),
        3 => (n(), n()).prop_map(|(a, b)| Edit::RemoveRule(a, b)),
        2 => (n(), n(), n()).prop_map(|(a, b, c)| Edit::MoveRule(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Edit::Bet(a, b)),
        2 => (n(), n()).prop_map(|(a, b)| Edit::Amend(a, b)),
    ];
    prop_oneof![
        5 => (0..3_u8, edit).prop_map(|(d, e)| Deed::Edit(d, e)),
        2 => (0..3_u8, 0..3_u8, 1..20_u8).prop_map(|(a, b, n)| Deed::Hear(a, b, n)),
    ]
}

fn pick<T: Clone>(from: &[T], n: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(n) % from.len()].clone())
}

/// What happened, noted without any of the cleverness under test.
#[derive(Default)]
struct Truth {
    /// Operations by record and by deletion: what was there when it was deleted.
    taken: BTreeSet<Which>,
    /// Every operation that makes or edits a rule.
    given: BTreeMap<Which, Uuid>,
    bets: BTreeSet<Uuid>,
    amendments: usize,
}

fn edit(device: &mut Device, edit: &Edit, now: i64, truth: &mut Truth) {
    let lists = device.lists();
    let ids: Vec<Uuid> = lists.iter().map(|(id, _)| *id).collect();
    let at = Timestamp::from_millis(now);
    let delete = |device: &mut Device, kind, record, truth: &mut Truth| {
        truth.taken.extend(device.log.on(kind, record).map(|o| (o.device, o.n)));
        device.append(kind, record, Action::Delete, Fields::new(), now);
    };
    match edit {
        Edit::MakeList(n) => {
            let name = format!("list {n}");
            let id = derived(Kind::List, &[&name], 0);
            if !ids.contains(&id) {
                let mut fields = list_fields(&name, at);
                fields.extend(device.place(Kind::List, &ids, ids.len()));
                device.append(Kind::List, id, Action::Add, fields, now);
            }
        }
        Edit::Rename(l, n) => {
            let Some(id) = pick(&ids, *l) else { return };
            let name = fields([("name", format!("list {n}").into())]);
            device.append(Kind::List, id, Action::Put, name, now);
        }
        Edit::DeleteList(l) => {
            let Some((id, rules)) = pick(&lists, *l) else { return };
            for rule in rules {
                delete(device, Kind::ListRule, rule, truth);
            }
            delete(device, Kind::List, id, truth);
        }
        Edit::MoveList(l, to) => {
            let Some(id) = pick(&ids, *l) else { return };
            let others: Vec<Uuid> = ids.iter().copied().filter(|o| *o != id).collect();
            let place = device.place(Kind::List, &others, usize::from(*to).min(others.len()));
            device.append(Kind::List, id, Action::Order, place, now);
        }
        Edit::AddRule(l, n, negative) => {
            let Some((list, rules)) = pick(&lists, *l) else { return };
            let id = derived(Kind::ListRule, &[&list.to_string(), &n.to_string()], 0);
            let rule = NewRule { negative: *negative, ..NewRule::league(format!("sport{n}")) };
            let rule = rule.checked().expect("fits");
            let mut fields = rule_fields(list, &rule, at);
            fields.extend(device.place(Kind::ListRule, &rules, rules.len()));
            let which = device.append(Kind::ListRule, id, Action::Add, fields, now);
            truth.given.insert(which, id);
        }
        Edit::Turn(l, n) => {
            let Some(rule) = pick(&lists, *l).and_then(|(_, rules)| pick(&rules, *n)) else { return };
            let sign = fields([("negative", (*n % 2 == 0).into())]);
            let which = device.append(Kind::ListRule, rule, Action::Put, sign, now);
            truth.given.insert(which, rule);
        }
        Edit::RemoveRule(l, n) => {
            let Some(rule) = pick(&lists, *l).and_then(|(_, rules)| pick(&rules, *n)) else { return };
            delete(device, Kind::ListRule, rule, truth);
        }
        Edit::MoveRule(l, n, to) => {
            let Some((_, rules)) = pick(&lists, *l) else { return };
            let Some(rule) = pick(&rules, *n) else { return };
            let others: Vec<Uuid> = rules.iter().copied().filter(|o| *o != rule).collect();
            let place = device.place(Kind::ListRule, &others, usize::from(*to).min(others.len()));
            device.append(Kind::ListRule, rule, Action::Order, place, now);
        }
        Edit::Bet(n, stake) => {
            let id = Uuid::from_u128((u128::from(*n) << 64) | (device.id.as_u128() << 32) | now as u128);
            truth.bets.insert(id);
            let fields = fields([("stake", (*stake).into()), ("note", "x".into())]);
            device.append(Kind::Bet, id, Action::Add, fields, now);
        }
        Edit::Amend(n, stake) => {
            let bets: Vec<Uuid> = device.log.layout().others.into_iter().map(|(_, p)| p.record).collect();
            let Some(bet) = pick(&bets, *n) else { return };
            truth.amendments += 1;
            device.append(Kind::Bet, bet, Action::Put, fields([("stake", (*stake).into())]), now);
        }
    }
}

fn hear(devices: &mut [Device; 3], who: u8, from: u8, most: usize) {
    let heads = devices[usize::from(who)].log.heads().clone();
    let heard: Vec<Operation> = devices[usize::from(from)].log.beyond(&heads).take(most).cloned().collect();
    for operation in heard {
        devices[usize::from(who)].log.take(operation);
    }
}

fn lived(deeds: &[Deed], skews: [i64; 3]) -> ([Device; 3], Truth) {
    let mut devices = [Device::new(0, skews[0]), Device::new(1, skews[1]), Device::new(2, skews[2])];
    let mut truth = Truth::default();
    for (i, deed) in deeds.iter().enumerate() {
        let now = 1_800_000_000_000 + i as i64 * 1000;
        match deed {
            Deed::Edit(who, what) => edit(&mut devices[usize::from(*who)], what, now, &mut truth),
            Deed::Hear(who, from, n) => hear(&mut devices, *who, *from, usize::from(*n)),
        }
    }
    (devices, truth)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_interleaving_of_edits_and_meetings_ends_the_same_everywhere(
        deeds in proptest::collection::vec(deed(), 0..60),
        skews in proptest::array::uniform3(-300_000..300_000_i64),
        shuffle in any::<prop::sample::Index>(),
        seed in proptest::collection::vec(any::<u32>(), 200),
    ) {
        let (mut devices, truth) = lived(&deeds, skews);
        // Everybody hears from everybody, with everything said twice.
        for _ in 0..2 {
            for who in 0..3 {
                for from in 0..3 {
                    hear(&mut devices, who, from, usize::MAX);
                }
            }
        }
        let all: Vec<Operation> = devices[0].log.iter().cloned().collect();
        // In any order, with repeats.
        let mut mixed: Vec<(u32, Operation)> = Vec::new();
        for (i, operation) in all.iter().enumerate() {
            mixed.push((seed[i % seed.len()], operation.clone()));
            if i % 3 == 0 {
                mixed.push((seed[(i * 7 + shuffle.index(97)) % seed.len()], operation.clone()));
            }
        }
        mixed.sort_by_key(|(key, _)| *key);
        let mut fresh = Log::default();
        for (_, operation) in mixed {
            fresh.take(operation);
        }
        let layout = fresh.layout();
        for device in &devices {
            prop_assert_eq!(device.log.heads(), fresh.heads());
            prop_assert_eq!(&device.log.layout(), &layout);
        }
        // Nothing is lost that nobody took.
        let shown: BTreeSet<Uuid> = layout.lists.iter().flat_map(|l| l.rules.iter().map(|r| r.record)).collect();
        for (which, rule) in &truth.given {
            if !truth.taken.contains(which) {
                prop_assert!(shown.contains(rule), "{:?} of {} is gone", which, rule);
            }
        }
        // And nothing comes back that everybody took.
        for rule in &shown {
            prop_assert!(truth.given.iter().any(|(which, of)| of == rule && !truth.taken.contains(which)));
        }
        let bets: BTreeSet<Uuid> = layout.others.iter().map(|(_, p)| p.record).collect();
        prop_assert_eq!(&bets, &truth.bets);
        let amended: usize = bets.iter().map(|b| history(fresh.on(Kind::Bet, *b)).len() - 1).sum();
        prop_assert!(amended >= truth.amendments, "every amendment is in the history");
        // Names are told apart, and positions are the same everywhere.
        let names: Vec<_> = layout.lists.iter().map(|l| l.list.shown.get("name").and_then(Value::as_str)).collect();
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}

fn name(to: &str) -> Fields {
    fields([("name", to.into())])
}

/// All hear from all.
fn meet(devices: &mut [&mut Device]) {
    let mut all = Log::default();
    for device in devices.iter() {
        device.log.iter().for_each(|o| all.take(o.clone()));
    }
    for device in devices.iter_mut() {
        all.iter().for_each(|o| device.log.take(o.clone()));
    }
}

#[test]
fn a_deletion_takes_only_what_it_had_seen_and_both_are_in_the_history() {
    let (mut a, mut b) = (Device::new(0, 0), Device::new(1, 0));
    let note = Uuid::from_u128(99);
    a.append(Kind::Note, note, Action::Add, name("first"), 1);
    meet(&mut [&mut a, &mut b]);
    a.append(Kind::Note, note, Action::Delete, Fields::new(), 2);
    assert!(a.log.layout().others.is_empty());
    b.append(Kind::Note, note, Action::Put, fields([("text", "kept".into())]), 1);
    meet(&mut [&mut a, &mut b]);
    for device in [&a, &b] {
        let others = device.log.layout().others;
        assert_eq!(others[0].1.shown, fields([("name", "first".into()), ("text", "kept".into())]));
        let fates: Vec<_> = history(device.log.on(Kind::Note, note)).into_iter().map(|s| (s.action, s.fate)).collect();
        assert!(fates.contains(&(Action::Delete, Fate::Outlived)), "{fates:?}");
    }
    a.append(Kind::Note, note, Action::Delete, Fields::new(), 3);
    meet(&mut [&mut a, &mut b]);
    assert!(b.log.layout().others.is_empty());
    let last = history(b.log.on(Kind::Note, note)).pop().expect("steps");
    assert_eq!((last.action, last.fate), (Action::Delete, Fate::Stands));
}

#[test]
fn what_two_say_at_once_of_one_field_is_seen_in_the_history() {
    let (mut a, mut b) = (Device::new(0, 0), Device::new(1, 0));
    let bet = Uuid::from_u128(99);
    a.append(Kind::Bet, bet, Action::Add, fields([("stake", 10.into()), ("price", 191.into())]), 1);
    meet(&mut [&mut a, &mut b]);
    a.append(Kind::Bet, bet, Action::Put, fields([("stake", 20.into())]), 5);
    b.append(Kind::Bet, bet, Action::Put, fields([("stake", 30.into()), ("book", "x".into())]), 9);
    a.append(Kind::Bet, bet, Action::Delete, Fields::new(), 10);
    meet(&mut [&mut a, &mut b]);
    let steps = history(a.log.on(Kind::Bet, bet));
    assert_eq!(steps, history(b.log.on(Kind::Bet, bet)));
    assert_eq!(steps[0].fate, Fate::Stands, "its price still holds");
    assert_eq!(steps[1].fate, Fate::Overruled(vec!["stake".into()]));
    assert_eq!(steps[2].fate, Fate::Stands);
    let shown = a.log.layout().others[0].1.shown.clone();
    assert_eq!(shown, fields([("stake", 30.into()), ("price", 191.into()), ("book", "x".into())]), "bets stay");
}

#[test]
fn a_clock_far_in_the_future_does_not_win_for_ever() {
    let day = 86_400_000;
    let (mut a, mut b, mut c) = (Device::new(0, 3650 * day), Device::new(1, -300_000), Device::new(2, 300_000));
    let note = Uuid::from_u128(99);
    // What the hub does with what it is told at `now`.
    let tell = |from: &mut Device, now: i64| {
        let mut bounded = Log::default();
        let mut before = Clock::default();
        for o in from.log.iter().filter(|o| o.device == from.id) {
            before = o.clock.bounded(Timestamp::from_millis(now), before);
            bounded.take(Operation { clock: before, ..o.clone() });
        }
        from.log.iter().filter(|o| o.device != from.id).for_each(|o| bounded.take(o.clone()));
        from.log = bounded;
    };
    let now = 1_800_000_000_000;
    a.append(Kind::Note, note, Action::Add, name("from 2037"), now);
    tell(&mut a, now);
    // Whoever has not seen it wins a quarter of an hour later, even with a clock that is five minutes late.
    c.append(Kind::Note, note, Action::Add, name("c"), now);
    b.append(Kind::Note, note, Action::Put, name("b"), now + MOST_AHEAD_MS + 300_001);
    meet(&mut [&mut a, &mut b, &mut c]);
    let says = |d: &Device| d.log.layout().others[0].1.shown["name"].clone();
    assert_eq!((says(&a), says(&c)), ("b".into(), "b".into()));
    // Whoever has seen it wins at once.
    let mut a = Device::new(0, 3650 * day);
    a.append(Kind::Note, note, Action::Add, name("from 2037"), now);
    tell(&mut a, now);
    let mut b = Device::new(1, -300_000);
    meet(&mut [&mut a, &mut b]);
    b.append(Kind::Note, note, Action::Put, name("seen"), now + 1);
    meet(&mut [&mut a, &mut b]);
    assert_eq!(says(&a), "seen");
    // And the one with the wrong clock is right again once it has been set.
    a.skew = 0;
    a.append(Kind::Note, note, Action::Put, name("mended"), now + 2);
    tell(&mut a, now + 2);
    meet(&mut [&mut a, &mut b]);
    assert_eq!(says(&b), "mended");
}

#[test]
fn names_that_meet_are_told_apart_the_same_everywhere() {
    let (mut a, mut b) = (Device::new(0, 0), Device::new(1, 0));
    let long = "é".repeat(64);
    for (device, n, at) in [(&mut a, 1_u128, 5), (&mut b, 2, 4)] {
        device.append(
            Kind::Filter,
            Uuid::from_u128(n),
            Action::Add,
            fields([("name", "Steam".into()), ("text", "x".into())]),
            at,
        );
        device.append(
            Kind::Filter,
            Uuid::from_u128(n + 10),
            Action::Add,
            fields([("name", long.clone().into()), ("text", "x".into())]),
            at,
        );
    }
    b.append(
        Kind::Filter,
        Uuid::from_u128(7),
        Action::Add,
        fields([("name", "STEAM (2)".into()), ("text", "x".into())]),
        9,
    );
    b.append(
        Kind::Filter,
        Uuid::from_u128(8),
        Action::Add,
        fields([("name", "bad\u{1b}[2J".into()), ("text", "x".into())]),
        9,
    );
    meet(&mut [&mut a, &mut b]);
    assert_eq!(a.log.layout(), b.log.layout());
    let names: BTreeMap<_, _> = a
        .log
        .layout()
        .filters
        .into_iter()
        .map(|p| (p.record.as_u128(), p.shown["name"].as_str().map(str::to_owned)))
        .collect();
    let name = |n: u128| names[&n].clone().unwrap_or_default();
    assert_eq!((name(2), name(1), name(7)), ("Steam".into(), "Steam (3)".into(), "STEAM (2)".into()));
    assert_eq!((name(12), name(11)), (long.clone(), format!("{} (2)", "é".repeat(60))));
    assert_eq!(name(8), "bad [2J");
}

#[test]
fn a_later_programs_operations_are_kept_and_change_nothing() {
    let mut a = Device::new(0, 0);
    let note = Uuid::from_u128(1);
    a.append(Kind::Note, note, Action::Add, name("x"), 1);
    let before = a.log.layout();
    for (kind, action, payload) in [("note", "fold", "{}"), ("poem", "add", "{}"), ("note", "put", "[1]")] {
        let n = a.log.head(a.id) + 1;
        let (kind, action, payload) = (kind.to_owned(), action.to_owned(), payload.to_owned());
        a.log.take(Operation { device: a.id, n, clock: Clock(1 << 60), kind, record: note, action, payload });
    }
    assert_eq!((a.log.layout(), a.log.head(a.id)), (before, 4));
}
