//! Earlier looks as the store knows them, against what was true at the time.

use super::*;
use crate::engine::image;
use crate::engine::recall::SportAsOf;
use crate::engine::seen::visit_records;
use crate::feeds::replay;
use crate::market::ids::{LookId, SportId};

const WHO: (u32, SportId) = (1, SportId(1));

fn rolls(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |n| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    }
}

/// A run in which events are forgotten and come back; what each look changed.
fn run(seed: u64, looks: i64) -> (Shop, Vec<Changes>) {
    let mut shop = Shop::new();
    let mut roll = rolls(seed);
    let mut t = 0;
    let all = (0..looks).map(|_| {
        let gap = if roll(9) == 0 { 2 * DAY + roll(4 * DAY as u64) as i64 } else { 60 };
        t += gap;
        let (scope, mut body) = hostile(t, &mut roll);
        if gap > 60 && roll(2) == 0 {
            body = json!([]);
        }
        for game in body.as_array_mut().expect("events") {
            // Stored looks have the names of today, so that those of a renamed team cannot give the same.
            game["home_team"] = json!("Gulls");
            game["away_team"] = json!("Bison");
        }
        shop.look(t, scope, &body)
    });
    let all = all.collect();
    (shop, all)
}

fn text(then: &SportAsOf) -> Vec<String> {
    let events = then.image.events.iter().map(|e| {
        let mut e = e.clone();
        e.stalls.sort_by_key(|s| s.group);
        format!("{e:?}")
    });
    let rest = format!("{} {:?} {:?}", then.image.looks, then.image.unborn, then.slots);
    events.chain([rest]).collect()
}

#[test]
fn an_earlier_look_is_what_taking_back_would_leave() {
    let settings = quotes_only();
    let mut returned = 0;
    for seed in 0..4 {
        let (mut shop, all) = run(seed, 60);
        returned += shop.count("event_life");
        let before = content(&shop.path());
        let reader = Reader::open(&shop.path()).expect("reader");
        for look in all.iter().map(|c| c.look) {
            let as_of = reader.past().sport_as_of(WHO.0, WHO.1, Some(look.id), &settings).expect("as of");
            let mut left = None;
            let undo: Result<(), StoreError> = shop.store().together(|together| {
                left = Some(together.rewind(WHO.0, WHO.1, look.received_at, &settings)?.then);
                Err(StoreError::Damaged { what: "nothing: this only takes it back" })
            });
            assert!(undo.is_err());
            assert_eq!(text(&as_of), text(&left.expect("rewound")), "seed {seed}, look {}", look.id);
        }
        assert_eq!(before, content(&shop.path()));
    }
    assert!(returned > 3, "events came back: {returned}");
}

/// What a look showed and kept whole, whatever the order of books in the answer.
fn shown(changes: &Changes) -> Vec<String> {
    let mut all = Vec::new();
    let whole = visit_records(&changes.seen, changes.look.received_at, |event, groups, mut note| {
        note.markets.sort_by_key(|m| (m.book, m.market));
        note.markets.iter_mut().for_each(|m| m.unreadable.sort());
        note.books.sort_by_key(|b| b.book);
        let mut groups = groups.to_vec();
        groups.sort_by_key(|g| g.group);
        all.push(format!("{event} {groups:?} {note:?}"));
    });
    assert!(whole);
    for keyframe in &changes.keyframes {
        let mut state = image::unpack(&keyframe.state).expect("keyframe");
        state.sort_by_key(|(slot, _)| *slot);
        all.push(format!("{} {state:?}", keyframe.event));
    }
    all
}

#[test]
fn an_engine_of_the_past_changes_what_was_changed_then() {
    let settings = quotes_only();
    for seed in 0..4 {
        let (shop, all) = run(seed, 60);
        let reader = Reader::open(&shop.path()).expect("reader");
        let (past, names) = (reader.past(), reader.names().expect("names"));
        let mut engine = past.blank(settings.clone()).expect("engine");
        let starts = std::iter::once(None).chain(all.iter().step_by(7).map(|c| Some(c.look)));
        for first in starts {
            let look = first.map(|l| l.id);
            let then = past.sport_as_of(WHO.0, WHO.1, look, &settings).expect("as of");
            engine.stand(WHO.0, WHO.1, then);
            let after = first.map_or(Timestamp::from_millis(i64::MIN), |l| l.received_at);
            let mut looks = past.replay(WHO.0, WHO.1, after);
            while let Some(look) = looks.next().expect("look") {
                engine.next_look_is(look.id);
                let again = engine.apply(&replay::batch(&look, WHO.0, WHO.1, &names));
                let at_first = &all[look.id.0 as usize - 1];
                let what = format!("seed {seed}, from {first:?}, look {}", look.id);
                assert_eq!(again.look.id, at_first.look.id, "{what}");
                let differs = again.quotes.iter().zip(&at_first.quotes).find(|(a, b)| a != b);
                assert_eq!(differs, None, "{what}");
                assert_eq!(again.quotes.len(), at_first.quotes.len(), "{what}");
                let forgotten = |c: &Changes| c.forgotten.iter().copied().collect::<std::collections::BTreeSet<_>>();
                assert_eq!(forgotten(&again), forgotten(at_first), "{what}");
                assert_eq!(shown(&again), shown(at_first), "{what}");
                let starts = |c: &Changes| {
                    c.events.iter().map(|e| (e.row.id, e.row.commence, e.new, e.start_changed)).collect::<Vec<_>>()
                };
                assert_eq!(starts(&again), starts(at_first), "{what}");
            }
            engine.stand(WHO.0, WHO.1, SportAsOf::default());
        }
    }
}

#[test]
fn looks_taken_back_and_applied_again_leave_the_same() {
    for seed in 0..6 {
        let (mut shop, all) = run(seed, 50);
        if seed % 2 == 1 {
            // What an engine of a later day knows of earlier lives differs.
            shop.restart();
        }
        let known = |shop: &Shop| -> Vec<_> {
            let times = all.iter().map(|c| c.look.received_at.since(at(0)) / 1000);
            let of = |event, t| {
                let reader = Reader::open(&shop.path()).expect("reader");
                reader.event_as_of(EventId(event), at(t)).expect("as of").map(|e| (e.row, e.quotes))
            };
            times.flat_map(|t| (1..=3).map(move |event| (t, event))).map(|(t, event)| (t, of(event, t))).collect()
        };
        let lives = |shop: &Shop| (shop.count("event_life"), shop.count("event WHERE forgotten IS NULL"));
        let (before, had) = (known(&shop), lives(&shop));
        for to in [40, 25, 9] {
            let reader = Reader::open(&shop.path()).expect("reader");
            reader.hold().expect("hold");
            let names = reader.names().expect("names");
            let taken_to = all[to].look.received_at;
            let Shop { store, engine, .. } = &mut shop;
            let again: Result<(), StoreError> = store.as_mut().expect("open").together(|together| {
                let rewound = together.rewind(WHO.0, WHO.1, taken_to, engine.settings())?;
                engine.stand(WHO.0, WHO.1, rewound.then);
                let mut looks = reader.replay(WHO.0, WHO.1, taken_to);
                while let Some(look) = looks.next()? {
                    let changes = engine.apply(&replay::batch(&look, WHO.0, WHO.1, &names));
                    together.commit(&changes, &look.meta)?;
                }
                Ok(())
            });
            again.expect("applied again");
            let differs = known(&shop).into_iter().zip(before.clone()).find(|(a, b)| a != b);
            assert_eq!(differs, None, "seed {seed}, back to {to}");
            assert_eq!(lives(&shop), had, "seed {seed}, back to {to}");
        }
    }
}

#[test]
fn before_the_first_look_there_is_nothing() {
    let (shop, _) = run(1, 10);
    let reader = Reader::open(&shop.path()).expect("reader");
    let then = reader.past().sport_as_of(WHO.0, WHO.1, None, &quotes_only()).expect("as of");
    assert_eq!((then.image.looks, then.image.events.len(), then.slots.len()), (0, 0, 0));
    assert_eq!(then.image.unborn.len() as i64, shop.count("event"));
    assert_eq!(reader.past().look_at(WHO.0, WHO.1, at(-1)).expect("query"), None);
}

#[test]
fn all_looks_come_in_the_order_of_their_numbers() {
    let mut shop = Shop::new();
    let mut want = Vec::new();
    for n in 0..40_i64 {
        let sport = ["basketball_nba", "icehockey_nhl", "baseball_mlb"][(n * n % 7 % 3) as usize];
        let id = format!("{sport}{}", n % 2);
        let mut game = event(&id, 3600, vec![book("b1", vec![h2h(n * 60, -110 - n)])]);
        game["sport_key"] = json!(sport);
        let text = json!([game]).to_string();
        let info = AnswerInfo {
            source: if n % 5 == 0 { "another" } else { SOURCE },
            sport,
            endpoint: Endpoint::Odds,
            // Sports need not be in step.
            received_at: at(n * 60 - if n % 3 == 0 { 7 } else { 0 }),
            scope: Scope::default(),
            format: Some(OddsFormat::American),
        };
        let (batch, _) = wire::read(text.as_bytes(), info).expect("an answer");
        let changes = shop.engine.apply(&batch);
        shop.store().commit(&changes, &LookMeta::default()).expect("commit");
        want.push((changes.look.id, changes.look.source, changes.look.sport, changes.look.quotes as usize));
    }
    let reader = Reader::open(&shop.path()).expect("reader");
    let all = |after| {
        let looks = reader.replay_all(after).expect("replay").map(|look| {
            let (look, source, sport) = look.expect("look");
            let quotes = look.events.iter().flat_map(|e| &e.groups).map(|g| g.quotes.len()).sum();
            (look.id, source, sport, quotes)
        });
        looks.collect::<Vec<_>>()
    };
    assert_eq!(all(Timestamp::from_millis(i64::MIN)), want);
    let late: Vec<_> = all(at(20 * 60));
    assert!(late.len() < want.len() && want.ends_with(&late[2..]), "{late:?}");
    assert_eq!(late.iter().map(|l| l.0).collect::<Vec<LookId>>(), {
        let mut sorted: Vec<_> = late.iter().map(|l| l.0).collect();
        sorted.sort();
        sorted
    });
}
