//! Desks that have one desk between them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::super::merge::{Fate, Kind, Log, Operation};
use super::super::*;
use super::{Home, game, names, texts};

fn marks(desk: &Desk) -> i64 {
    desk.connection.query_row("SELECT count(*) FROM touched", [], |r| r.get(0)).expect("asks")
}

fn operations(desk: &Desk) -> Vec<Operation> {
    let heads = desk.heads().expect("heads");
    heads.keys().flat_map(|d| desk.operations(*d, 0, 10_000).expect("reads")).collect()
}

/// Gives what `to` lacks of what `from` has.
fn tell(from: &Desk, to: &mut Desk) -> TakenIn {
    let heads = to.heads().expect("heads");
    let told: Vec<_> =
        operations(from).into_iter().filter(|o| o.n > heads.get(&o.device).copied().unwrap_or(0)).collect();
    to.take_in(&told).expect("takes in")
}

fn meet(desks: &mut [Desk]) {
    for _ in 0..2 {
        for i in 0..desks.len() {
            let (first, rest) = desks.split_at_mut(i);
            let Some((from, rest)) = rest.split_first_mut() else { continue };
            for to in first.iter_mut().chain(rest) {
                tell(from, to);
            }
        }
    }
}

/// All that is shared, without what is this file's own.
fn shared(desk: &Desk) -> String {
    let mut out = String::new();
    for list in desk.contents().expect("lists") {
        out += &format!("list {} {}\n", list.list.name, list.list.created_at.millis());
        for rule in list.rules {
            out += &format!("  {} {:?} {}\n", rule.expression(), rule.kind.start(), rule.label);
        }
    }
    for f in desk.filters().expect("filters") {
        out += &format!("filter {} {} {}\n", f.name, f.text, f.saved_at.millis());
    }
    let mut rules: Vec<_> = desk
        .alert_rules()
        .expect("rules")
        .into_iter()
        .map(|r| format!("alert {} {} {}\n", r.name, r.on, r.json))
        .collect();
    rules.sort();
    out += &rules.concat();
    out += &format!("{:?}\n", desk.exchange_decisions("polymarket").expect("decisions"));
    for kind in [Kind::Bet, Kind::Note] {
        out += &format!("{:?}\n", desk.records(kind).expect("records"));
    }
    out
}

/// The tables say what the operations come to, and no more operations come of it.
fn agrees(desk: &mut Desk) {
    let mut log = Log::default();
    operations(desk).into_iter().for_each(|o| log.take(o));
    let layout = log.layout();
    let lists: Vec<_> =
        layout.lists.iter().map(|l| l.list.shown["name"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(names(desk), lists);
    let contents = desk.contents().expect("lists");
    for (there, wanted) in contents.iter().zip(&layout.lists) {
        let about = |text: &Value| text.as_str().unwrap_or_default().to_owned();
        let wanted: Vec<_> =
            wanted.rules.iter().map(|r| (about(&r.shown["text"]), r.shown["negative"] == true)).collect();
        let there: Vec<_> = there.rules.iter().map(|r| (r.kind.text().to_owned(), r.negative)).collect();
        assert_eq!(there, wanted);
    }
    let before = desk.heads().expect("heads");
    desk.set_seen("x", Timestamp::from_millis(1)).expect("any write");
    assert_eq!((desk.heads().expect("heads"), marks(desk)), (before, 0));
}

#[test]
fn every_edit_is_an_operation_and_what_changes_nothing_is_none() {
    let home = Home::new();
    let mut desk = home.desk();
    let count = |desk: &Desk| operations(desk).len();
    let list = desk.create("Tonight").expect("made").id;
    assert_eq!(count(&desk), 1);
    desk.rename(list, "Tonight").expect("the same");
    desk.move_to(list, 0).expect("the same");
    assert_eq!(count(&desk), 1);
    desk.add_rule(list, &NewRule::league("nba")).expect("added");
    desk.add_rule(list, &NewRule::league("nba")).expect("the same");
    assert_eq!(count(&desk), 2);
    desk.add_rule(list, &NewRule::league("nba").excluded()).expect("turned");
    desk.toggle_game(list, &game("g1"), false).expect("in");
    desk.toggle_game(list, &game("g1"), false).expect("out");
    assert_eq!(count(&desk), 5);
    let second = desk.create("Second").expect("made").id;
    desk.move_to(second, 0).expect("moved");
    assert_eq!(operations(&desk).last().map(|o| o.action.clone()).as_deref(), Some("order"));
    let deleted = desk.delete(list).expect("deleted");
    assert_eq!(count(&desk), 9, "the list and its rule");
    desk.restore(&deleted).expect("back");
    assert_eq!(count(&desk), 11);
    assert_eq!(names(&desk), ["Second", "Tonight"]);
    desk.save_filter("f", "live").expect("saved");
    desk.delete_filter("F").expect("gone");
    let alert = desk.add_alert_rule("a", true, "{}").expect("added").id;
    desk.switch_alert_rule(alert, true).expect("the same");
    desk.switch_alert_rule(alert, false).expect("off");
    desk.remove_alert_rule(alert).expect("gone");
    desk.decide_exchange("polymarket", "s", None, Timestamp::from_millis(1)).expect("decided");
    desk.decide_exchange("polymarket", "s", Some("e"), Timestamp::from_millis(2)).expect("decided");
    desk.undecide_exchange("polymarket", "s").expect("undecided");
    assert_eq!(count(&desk), 19);
    desk.set_view("v", "{}").expect("a view is this machine's");
    desk.set_seen("s", Timestamp::from_millis(1)).expect("so is this");
    desk.ask_of_alerts("{}").expect("and this");
    assert_eq!((count(&desk), marks(&desk)), (19, 0));
    agrees(&mut desk);
    // What another program does to the file is found out with the next change.
    let other = rusqlite::Connection::open(home.path()).expect("opens");
    other
        .execute("UPDATE watchlist SET name = 'By hand', name_key = 'by hand' WHERE id = ?1", [second.0])
        .expect("writes");
    other.execute("INSERT OR REPLACE INTO exchange_decision VALUES ('polymarket', 'z', NULL, 1)", []).expect("writes");
    assert_eq!(marks(&desk), 2);
    desk.set_seen("any", Timestamp::from_millis(1)).expect("the next change");
    agrees(&mut desk);
    assert_eq!(count(&desk), 21);
}

#[test]
fn a_desk_of_before_becomes_operations_once() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().parent().expect("folder")).expect("made");
    let old = rusqlite::Connection::open(home.path()).expect("opens");
    for sql in [
        include_str!("../../../../migrations/desk/0001_desk.sql"),
        include_str!("../../../../migrations/desk/0002_alerts.sql"),
        include_str!("../../../../migrations/desk/0003_exchange.sql"),
        "INSERT INTO watchlist VALUES (4, 'Old', 'old', 1, 7), (5, 'Older', 'older', 0, 7);
         INSERT INTO rule VALUES (1, 4, 0, 'league', 'nba', 'nba', '', NULL, 0, 'nba', 7);
         INSERT INTO rule VALUES (2, 4, 1, 'game', 'g', 'g', '', 9, 1, 'A @ B', 7);
         INSERT INTO filter VALUES ('f', 'F', 'live', 7);
         INSERT INTO alert_rule VALUES (3, 'A', 'a', 1, '{\"list\":{\"id\":4,\"name\":\"Old\"}}', 7, 8);
         INSERT INTO exchange_decision VALUES ('polymarket', 's', 'e', 7);
         PRAGMA application_id = 1398035012; PRAGMA user_version = 3;",
    ] {
        old.execute_batch(sql).expect("the schema of before");
    }
    drop(old);
    let mut desk = home.desk();
    assert_eq!(names(&desk), ["Older", "Old"]);
    let before = shared(&desk);
    let installation = Uuid::from_u128(1);
    let series = desk.series(installation).expect("series");
    assert_eq!((series.head, series.told), (7, 0));
    assert_eq!(desk.series(installation).expect("again").head, 7);
    assert_eq!(shared(&desk), before);
    agrees(&mut desk);
    let other = Home::new();
    let mut others = other.desk();
    others.create("own").expect("made");
    tell(&desk, &mut others);
    agrees(&mut others);
    let rule = others.alert_rule("a").expect("asks").expect("there");
    let list = others.find("old").expect("asks").expect("there").id;
    assert_eq!(rule.json, format!(r#"{{"list":{{"id":{},"name":"Old"}}}}"#, list.0), "its list by the number here");
}

#[test]
fn two_people_who_edit_at_once_lose_nothing() {
    let homes = [Home::new(), Home::new()];
    let mut desks: Vec<_> = homes.iter().map(Home::desk).collect();
    // Both make a list of the same name: it is one, with the rules of both.
    for (i, name) in [(0, "Tonight"), (1, "TONIGHT")] {
        let list = desks[i].create(name).expect("made").id;
        desks[i].add_rule(list, &NewRule::league("nba")).expect("added");
        desks[i].add_rule(list, &NewRule::team(format!("Team {i}"), None)).expect("added");
        desks[i].save_filter("Steam", &format!("ev>{i}")).expect("saved");
        desks[i].save_filter("Same", "live").expect("saved");
        desks[i].add_alert_rule("Alert", true, &format!("{{\"a\":{i}}}")).expect("added");
    }
    let board = homes[0].desk();
    let before = board.version().expect("version");
    meet(&mut desks);
    assert_ne!(board.version().expect("version"), before, "whoever shows the desk is told");
    assert_eq!(shared(&desks[0]), shared(&desks[1]));
    for desk in &mut desks {
        agrees(desk);
        let list = desk.lists().expect("lists")[0].id;
        assert_eq!(texts(desk, list).len(), 3);
        let filters: Vec<_> = desk.filters().expect("filters").into_iter().map(|f| f.name).collect();
        assert_eq!(filters, ["Same", "Steam", "Steam (2)"]);
        let rules: Vec<_> = desk
            .alert_rules()
            .expect("rules")
            .into_iter()
            .map(|r| r.name)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        assert_eq!(rules, ["Alert", "Alert (2)"]);
    }
    // One deletes the list while the other adds to it: what the other added stays, in that list.
    let [list, their] = [0, 1].map(|i| desks[i].lists().expect("lists")[0].id);
    let deleted = desks[0].delete(list).expect("deleted");
    desks[1].add_rule(their, &NewRule::market("h2h", None)).expect("added");
    meet(&mut desks);
    for desk in &mut desks {
        assert_eq!(texts(desk, desk.lists().expect("lists")[0].id), ["market:h2h"]);
        agrees(desk);
    }
    assert_eq!(desks[0].lists().expect("lists")[0].id, list, "under its old number");
    assert!(matches!(desks[0].restore(&deleted), Err(DeskError::NotDeleted { .. })));
    // Taking its last rule out leaves an empty list, as anywhere.
    let rule = desks[1].rules(their).expect("rules")[0].id;
    desks[1].remove_rule(rule).expect("removed");
    agrees(&mut desks[1]);
    meet(&mut desks);
    assert_eq!(names(&desks[0]).len(), 1);
    agrees(&mut desks[0]);
}

#[test]
fn a_name_that_becomes_free_goes_to_who_was_told_apart() {
    let homes = [Home::new(), Home::new()];
    let mut desks: Vec<_> = homes.iter().map(Home::desk).collect();
    for (i, desk) in desks.iter_mut().enumerate() {
        let list = desk.create(&format!("list {i}")).expect("made").id;
        desk.rename(list, "Same").expect("renamed");
        desk.save_filter("Same", &format!("ev>{i}")).expect("saved");
    }
    meet(&mut desks);
    for desk in &mut desks {
        assert_eq!(names(desk).into_iter().collect::<BTreeSet<_>>(), ["Same", "Same (2)"].map(str::to_owned).into());
        agrees(desk);
    }
    let first = desks[0].find("same").expect("asks").expect("there").id;
    desks[0].rename(first, "Other").expect("renamed");
    desks[0].delete_filter("same").expect("deleted").expect("was there");
    for _ in 0..2 {
        assert_eq!(names(&desks[0]).into_iter().collect::<BTreeSet<_>>(), ["Other", "Same"].map(str::to_owned).into());
        assert_eq!(desks[0].filters().expect("filters").len(), 1);
        assert_eq!(desks[0].filters().expect("filters")[0].name, "Same");
        agrees(&mut desks[0]);
        meet(&mut desks);
        desks.reverse();
    }
    assert_eq!(shared(&desks[0]), shared(&desks[1]));
}

#[test]
fn bets_keep_their_history_and_notes_can_go() {
    let homes = [Home::new(), Home::new()];
    let mut desks: Vec<_> = homes.iter().map(Home::desk).collect();
    // Edits of one millisecond would be decided by the devices' ids.
    let later = desks
        .pop()
        .expect("two")
        .with_clock(|| Timestamp::from_chrono(chrono::Utc::now() + chrono::Duration::minutes(1)));
    desks.push(later);
    let (bet, note) = (Uuid::new_v4(), Uuid::new_v4());
    let stake = |n: i64| merge::Fields::from([("stake".to_owned(), Value::from(n))]);
    desks[0].put_record(Kind::Bet, bet, stake(10)).expect("made");
    desks[0].put_record(Kind::Note, note, stake(1)).expect("made");
    meet(&mut desks);
    desks[0].put_record(Kind::Bet, bet, stake(20)).expect("amended");
    desks[1].put_record(Kind::Bet, bet, stake(30)).expect("amended");
    assert!(matches!(desks[0].delete_record(Kind::Bet, bet), Err(DeskError::Unfit { .. })));
    assert!(matches!(desks[0].put_record(Kind::List, bet, stake(1)), Err(DeskError::Unfit { .. })));
    assert!(desks[1].delete_record(Kind::Note, note).expect("deleted"));
    assert!(!desks[1].delete_record(Kind::Note, note).expect("gone"));
    meet(&mut desks);
    for desk in &desks {
        assert_eq!(desk.records(Kind::Bet).expect("bets")[0].shown, stake(30));
        assert!(desk.records(Kind::Note).expect("notes").is_empty());
        let fates: Vec<_> = desk.record_history(Kind::Bet, bet).expect("history").into_iter().map(|s| s.fate).collect();
        assert_eq!(fates, [Fate::Followed, Fate::Overruled(vec!["stake".into()]), Fate::Stands]);
    }
}

#[test]
fn a_copy_of_a_desk_goes_on_under_its_own_id() {
    let homes = [Home::new(), Home::new()];
    let mut first = homes[0].desk();
    let list = first.create("one").expect("made").id;
    let series = first.series(Uuid::from_u128(1)).expect("series");
    first.told("h", "desk", series.device, 1, &[]).expect("told");
    first.add_rule(list, &NewRule::league("nba")).expect("added");
    std::fs::create_dir_all(homes[1].path().parent().expect("folder")).expect("made");
    first.connection.execute("VACUUM INTO ?1", [homes[1].path().to_string_lossy()]).expect("copied");
    let mut copy = homes[1].desk();
    let other = copy.series(Uuid::from_u128(2)).expect("series");
    assert_ne!(other.device, series.device);
    assert_eq!((other.head, other.told, other.told_to), (1, 0, None));
    assert_eq!(copy.series(Uuid::from_u128(2)).expect("series").device, other.device);
    first.add_rule(list, &NewRule::league("nhl")).expect("added");
    copy.add_rule(list, &NewRule::league("mlb")).expect("added");
    let mut desks = [first, copy];
    meet(&mut desks);
    assert_eq!(shared(&desks[0]), shared(&desks[1]));
    desks.iter_mut().for_each(agrees);
    assert_eq!(texts(&desks[0], list).len(), 3);
}

#[test]
fn a_desk_on_its_own_does_not_grow_for_ever() {
    let home = Home::new();
    let mut desk = home.desk();
    let list = desk.create("one").expect("made").id;
    let bet = Uuid::new_v4();
    for n in 0..20 {
        desk.toggle_game(list, &game("g"), false).expect("toggled");
        if n % 5 == 0 {
            desk.put_record(Kind::Bet, bet, merge::Fields::from([("stake".to_owned(), Value::from(n))])).expect("bet");
        }
    }
    desk.toggle_game(list, &game("g"), false).expect("toggled");
    desk.save_filter("f", "live").expect("saved");
    desk.put_record(Kind::Note, Uuid::from_u128(1), merge::Fields::new()).expect("note");
    let (before, history) = (shared(&desk), desk.record_history(Kind::Bet, bet).expect("history"));
    let now = Timestamp::from_chrono(chrono::Utc::now());
    let compact =
        |desk: &mut Desk, most| desk.write_bare(|tx| super::super::compact::compact(tx, now, most)).expect("compacts");
    compact(&mut desk, 1000);
    assert_eq!(operations(&desk).len(), 28);
    compact(&mut desk, 20);
    assert_eq!(operations(&desk).len(), 8, "four of the bet, and what there is");
    assert_eq!(shared(&desk), before);
    let steps = desk.record_history(Kind::Bet, bet).expect("history");
    let said = |steps: &[merge::Step]| steps.iter().map(|s| (s.stamp.clock, s.fields.clone())).collect::<Vec<_>>();
    assert_eq!(said(&steps), said(&history));
    agrees(&mut desk);
    // Not once it may be known to others.
    desk.series(Uuid::from_u128(1)).expect("series");
    compact(&mut desk, 1);
    assert_eq!(operations(&desk).len(), 8);
}

#[derive(Clone, Debug)]
enum Deed {
    Create(u8),
    Rename(u8, u8),
    Delete(u8),
    Restore(u8),
    MoveList(u8, u8),
    Add(u8, u8, bool),
    Remove(u8, u8),
    MoveRule(u8, u8, u8),
    Save(u8, u8),
    Forget(u8),
    Alert(u8, u8),
    EditAlert(u8, u8),
    Decide(u8, bool),
    Bet(u8, u8),
    Hear(u8),
}

fn deed() -> impl Strategy<Value = (u8, Deed)> {
    let n = || 0..4_u8;
    let deed = prop_oneof![
        3 => n().prop_map(Deed::Create),
        2 => (n(), n()).prop_map(|(a, b)| Deed::Rename(a, b)),
        2 => n().prop_map(Deed::Delete),
        1 => n().prop_map(Deed::Restore),
        2 => (n(), n()).prop_map(|(a, b)| Deed::MoveList(a, b)),
        5 => (n(), n(), any::<bool>()).prop_map(|(a, b, c)| Deed::Add(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Deed::Remove(a, b)),
        2 => (n(), n(), n()).prop_map(|(a, b, c)| Deed::MoveRule(a, b, c)),
        1 => (n(), n()).prop_map(|(a, b)| Deed::Save(a, b)),
        1 => n().prop_map(Deed::Forget),
        1 => (n(), n()).prop_map(|(a, b)| Deed::Alert(a, b)),
        1 => (n(), n()).prop_map(|(a, b)| Deed::EditAlert(a, b)),
        1 => (n(), any::<bool>()).prop_map(|(a, b)| Deed::Decide(a, b)),
        2 => (n(), n()).prop_map(|(a, b)| Deed::Bet(a, b)),
        5 => (0..3_u8).prop_map(Deed::Hear),
    ];
    (0..3_u8, deed)
}

fn pick<T: Clone>(from: &[T], n: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(n) % from.len()].clone())
}

/// Does it as a user would; what the desk refuses is left.
fn act(desks: &mut [Desk], undo: &mut [Vec<Deleted>; 3], who: u8, deed: &Deed) {
    let me = usize::from(who);
    if let Deed::Hear(from) = deed {
        if *from != who {
            let told = operations(&desks[usize::from(*from)]);
            desks[me].take_in(&told).expect("takes in");
        }
        return;
    }
    let desk = &mut desks[me];
    let lists = desk.lists().expect("lists");
    let rule_of = |desk: &Desk, l: u8, r: u8| {
        let list = pick(&lists, l)?;
        pick(&desk.rules(list.id).expect("rules"), r)
    };
    let name = |n: u8| ["Tonight", "tonight", "🏀", "e"][usize::from(n)];
    let done: Option<Result<(), DeskError>> = match deed {
        Deed::Create(n) => Some(desk.create(name(*n)).map(drop)),
        Deed::Rename(l, n) => pick(&lists, *l).map(|l| desk.rename(l.id, name(*n)).map(drop)),
        Deed::Delete(l) => pick(&lists, *l).map(|l| desk.delete(l.id).map(|d| undo[me].push(d))),
        Deed::Restore(n) => pick(&undo[me], *n).map(|d| desk.restore(&d).map(drop)),
        Deed::MoveList(l, to) => pick(&lists, *l).map(|l| desk.move_to(l.id, usize::from(*to))),
        Deed::Add(l, n, negative) => pick(&lists, *l).map(|l| {
            let rule = NewRule { negative: *negative, ..NewRule::league(format!("sport{n}")) };
            desk.add_rule(l.id, &rule).map(drop)
        }),
        Deed::Remove(l, r) => rule_of(desk, *l, *r).map(|r| desk.remove_rule(r.id).map(drop)),
        Deed::MoveRule(l, r, to) => rule_of(desk, *l, *r).map(|r| desk.move_rule(r.id, usize::from(*to))),
        Deed::Save(n, text) => Some(desk.save_filter(name(*n), &format!("ev>{text}")).map(drop)),
        Deed::Forget(n) => Some(desk.delete_filter(name(*n)).map(drop)),
        Deed::Alert(n, l) => {
            let list = pick(&lists, *l).map_or(0, |l| l.id.0);
            Some(desk.add_alert_rule(name(*n), true, &format!(r#"{{"list":{{"id":{list},"name":"x"}}}}"#)).map(drop))
        }
        Deed::EditAlert(n, to) => pick(&desk.alert_rules().expect("rules"), *n)
            .map(|rule| desk.edit_alert_rule(rule.id, name(*to), &rule.json).map(drop)),
        Deed::Decide(n, one) => {
            let at = Timestamp::from_millis(i64::from(*n));
            Some(desk.decide_exchange("polymarket", &format!("s{n}"), one.then_some("e"), at))
        }
        Deed::Bet(n, stake) => {
            let fields = merge::Fields::from([("stake".to_owned(), Value::from(*stake))]);
            Some(desk.put_record(Kind::Bet, Uuid::from_u128(u128::from(*n)), fields))
        }
        Deed::Hear(_) => None,
    };
    match done {
        None | Some(Ok(())) => {}
        Some(Err(DeskError::NameTaken { .. } | DeskError::RuleNameTaken { .. } | DeskError::NotDeleted { .. })) => {}
        Some(Err(e)) => panic!("{deed:?}: {e}"),
    }
}

/// Lists that alert rules name are compared by what they mean.
fn meant(desk: &Desk) -> String {
    let mut text = shared(desk);
    for list in desk.lists().expect("lists") {
        text = text.replace(&format!(r#""id":{},"#, list.id.0), &format!(r#""id":"{}","#, list.name));
    }
    // Gone lists have numbers of their own everywhere.
    text.lines().filter(|l| !l.starts_with("alert") || l.contains(r#""id":""#)).map(|l| format!("{l}\n")).collect()
}

proptest! {
    // Every operation waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_interleaving_of_offline_edits_on_three_desks_ends_the_same(
        deeds in proptest::collection::vec(deed(), 1..40),
    ) {
        let homes = [Home::new(), Home::new(), Home::new()];
        let mut desks: Vec<_> = homes.iter().map(Home::desk).collect();
        let late = || Timestamp::from_chrono(chrono::Utc::now() - chrono::Duration::minutes(5));
        let third = desks.pop().expect("three").with_clock(late);
        desks.push(third);
        let mut undo = [Vec::new(), Vec::new(), Vec::new()];
        for (who, deed) in &deeds {
            act(&mut desks, &mut undo, *who, deed);
            agrees(&mut desks[usize::from(*who)]);
        }
        meet(&mut desks);
        for i in [1, 2] {
            prop_assert_eq!(desks[0].heads().expect("heads"), desks[i].heads().expect("heads"));
            prop_assert_eq!(meant(&desks[0]), meant(&desks[i]));
        }
        for desk in &mut desks {
            agrees(desk);
            let again = operations(desk);
            prop_assert_eq!(desk.take_in(&again).expect("takes in"), TakenIn::default());
        }
    }
}
