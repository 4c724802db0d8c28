//! The outbox: written with the look, once for each key, and never lost.

use super::*;
use crate::store::outbox::{Attempted, Fired, MessageState, NewMessage, Next, OutboxFilter, Outgoing};

fn message(key: &str, channel: &str) -> NewMessage {
    NewMessage {
        key: key.into(),
        channel: channel.into(),
        kind: "signal".into(),
        rule: "Steam".into(),
        subject: "e1:h2h".into(),
        signal: Some(("sig1".into(), 1)),
        at: at(60),
        not_before: Timestamp::from_millis(0),
        why: String::new(),
        message: format!("{{\"key\":{key:?}}}"),
    }
}

fn outgoing(keys: &[(&str, &str)]) -> Outgoing {
    let fired = vec![Fired { rule: 1, subject: "e1:h2h".into(), at: at(60) }];
    Outgoing { messages: keys.iter().map(|(k, c)| message(k, c)).collect(), fired }
}

fn attempt(message: i64, secs: i64, next: Next) -> Attempted {
    Attempted { message, at: at(secs), took_ms: 20, next, why: "because".into() }
}

#[test]
fn a_message_is_written_with_its_look_or_not_at_all() {
    let mut shop = Shop::new();
    let body = json!([event("e1", 3600, vec![book("b1", vec![h2h(0, -110)])])]);
    let changes = shop.look(0, Scope::default(), &body);
    // The same look once more is refused whole: its number is taken.
    let meta = LookMeta::default();
    let refused = shop.store().commit_telling(&changes, &meta, &outgoing(&[("k1", "bell")]), at(1));
    assert!(refused.is_err());
    let reader = shop.store().reader().expect("reader");
    assert_eq!(reader.outbox(&OutboxFilter::default()).expect("rows"), []);
    assert_eq!(shop.store().fired_since(at(0)).expect("rows"), []);
}

#[test]
fn a_key_is_written_once() {
    let mut shop = Shop::new();
    let two = outgoing(&[("k1", "bell"), ("k2", "bell"), ("k1", "bell")]);
    assert_eq!(shop.store().tell(&two, at(70)).expect("told"), 2);
    assert_eq!(shop.store().tell(&two, at(80)).expect("told"), 0);
    let reader = shop.store().reader().expect("reader");
    let rows = reader.outbox(&OutboxFilter::default()).expect("rows");
    let keys: Vec<_> = rows.iter().map(|r| (r.key.as_str(), r.created)).collect();
    assert_eq!(keys, [("k1", at(70)), ("k2", at(70))]);
    assert_eq!(shop.store().keys_since(at(60)).expect("keys"), ["k1", "k2"]);
    assert_eq!(shop.store().keys_since(at(61)).expect("keys"), Vec::<String>::new());
    assert_eq!(shop.store().fired_since(at(60)).expect("rows"), outgoing(&[]).fired);
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_wait_longer() {
    let mut shop = Shop::new();
    const BACK: i64 = 5 * 3600;
    let held = NewMessage { not_before: at(200), why: "quiet hours".into(), ..message("held", "bell") };
    shop.store().tell(&outgoing(&[("tried", "bell")]), at(70)).expect("told");
    shop.store().tell(&Outgoing { messages: vec![held], fired: Vec::new() }, at(70)).expect("told");
    // On the wrong time one is tried and another is written.
    shop.store().note_attempts(&[attempt(1, BACK + 80, Next::At(at(BACK + 90)))]).expect("noted");
    shop.store().tell(&outgoing(&[("new", "bell")]), at(BACK + 85)).expect("told");
    assert_eq!(shop.store().clock_set_back(BACK * 1000, at(86)).expect("set"), 3);
    let due = |secs: i64| -> Vec<String> {
        let reader = shop.store.as_ref().expect("store").reader().expect("reader");
        reader.due("bell", at(secs), 10).expect("rows").into_iter().map(|r| r.key).collect()
    };
    assert_eq!(due(86), ["new"]);
    assert_eq!(due(90), ["tried", "new"], "its pause is as long as it was");
    assert_eq!(due(199), ["tried", "new"]);
    assert_eq!(due(200), ["tried", "held", "new"], "quiet hours end when they end");
}

#[test]
fn attempts_lead_to_an_end_and_back() {
    let mut shop = Shop::new();
    shop.store().tell(&outgoing(&[("k1", "bell"), ("k2", "hook"), ("k3", "bell")]), at(70)).expect("told");
    let reader = shop.store().reader().expect("reader");
    let due = |channel: &str, secs: i64| -> Vec<i64> {
        reader.due(channel, at(secs), 9).expect("due").iter().map(|r| r.id).collect()
    };
    assert_eq!((due("bell", 69), due("bell", 70), due("hook", 70)), (vec![], vec![1, 3], vec![2]));
    assert_eq!(reader.waiting_channels().expect("rows"), [("bell".to_owned(), at(70)), ("hook".to_owned(), at(70))]);
    let notes = [
        attempt(1, 75, Next::Delivered),
        attempt(2, 75, Next::At(at(90))),
        attempt(3, 75, Next::Refused),
        attempt(77, 75, Next::Delivered),
    ];
    shop.store().note_attempts(&notes).expect("noted");
    assert_eq!((due("bell", 99), due("hook", 89), due("hook", 90)), (vec![], vec![], vec![2]));
    let state = |id: i64| {
        let row = reader.outbox_message(id).expect("asked").expect("there");
        (row.state, row.attempts, row.ended)
    };
    assert_eq!(state(1), (MessageState::Delivered, 1, Some(at(75))));
    assert_eq!(state(2), (MessageState::Waiting, 1, None));
    assert_eq!(state(3), (MessageState::Dead, 1, Some(at(75))));
    // A late word about something that has ended changes nothing.
    shop.store().note_attempts(&[attempt(1, 76, Next::Refused)]).expect("noted");
    assert_eq!(state(1).0, MessageState::Delivered);
    let log = reader.delivery_log(None, None, None).expect("log");
    let told: Vec<_> = log.iter().map(|l| (l.message, l.outcome.as_str(), l.latency_ms)).collect();
    assert_eq!(told, [(1, "delivered", Some(5000)), (2, "later", None), (3, "refused", None), (1, "refused", None)]);
    assert_eq!(reader.delivery_log(Some("hook"), None, None).expect("log").len(), 1);
    assert_eq!(reader.delivery_log(None, None, Some(1)).expect("log")[0].message, 1);
    // Put back deliberately, with the same key.
    assert!(shop.store().put_back(1, at(100)).expect("done") && !shop.store().put_back(1, at(100)).expect("done"));
    assert!(!shop.store().put_back(99, at(100)).expect("done"));
    assert_eq!(shop.store().put_back_dead(at(101)).expect("done"), 1);
    assert_eq!((state(1).0, state(3)), (MessageState::Waiting, (MessageState::Waiting, 0, None)));
    assert_eq!(due("bell", 101), [1, 3]);
    assert_eq!(reader.outbox_message(1).expect("asked").expect("there").key, "k1");
}

#[test]
fn what_is_held_is_not_due() {
    let mut shop = Shop::new();
    let mut held = outgoing(&[("k1", "bell")]);
    held.messages[0].not_before = at(500);
    held.messages[0].why = "quiet hours".into();
    shop.store().tell(&held, at(70)).expect("told");
    let reader = shop.store().reader().expect("reader");
    assert_eq!(reader.due("bell", at(499), 9).expect("due"), []);
    assert_eq!(reader.due("bell", at(500), 9).expect("due").len(), 1);
    shop.store().note_attempts(&[attempt(1, 502, Next::Delivered)]).expect("noted");
    let log = reader.delivery_log(None, None, None).expect("log");
    assert_eq!(log[0].latency_ms, Some(2000), "counted from the end of the quiet hours");
}

#[test]
fn ended_messages_go_with_the_logs_and_waiting_ones_stay() {
    let mut shop = Shop::new();
    shop.store().tell(&outgoing(&[("k1", "bell"), ("k2", "bell")]), at(70)).expect("told");
    shop.store().note_attempts(&[attempt(1, 75, Next::Delivered)]).expect("noted");
    let policy = Retention { logs_ms: Some(1000), ..Retention::default() };
    while !shop.store().retain(&policy, at(3600)).expect("kept").is_done() {}
    let reader = shop.store().reader().expect("reader");
    let keys: Vec<_> = reader.outbox(&OutboxFilter::default()).expect("rows").into_iter().map(|r| r.key).collect();
    assert_eq!(keys, ["k2"]);
    assert_eq!(reader.delivery_log(None, None, None).expect("log"), []);
    assert_eq!(shop.store().fired_since(at(0)).expect("rows"), []);
}
