//! Any sequence of operations leaves what a plain list in memory would hold.

use proptest::prelude::*;

use super::super::text::folded;
use super::super::*;
use super::Home;

#[derive(Clone, Debug)]
enum Op {
    Create(u8),
    Rename(u8, u8),
    Delete(u8),
    Restore(u8),
    MoveList(u8, u8),
    Add(u8, u8, bool),
    Remove(u8, u8),
    MoveRule(u8, u8, u8),
    Toggle(u8, u8, bool),
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let n = || 0..6_u8;
    prop_oneof![
        4 => n().prop_map(Op::Create),
        1 => (n(), n()).prop_map(|(a, b)| Op::Rename(a, b)),
        2 => n().prop_map(Op::Delete),
        2 => n().prop_map(Op::Restore),
        2 => (n(), n()).prop_map(|(a, b)| Op::MoveList(a, b)),
        6 => (n(), n(), any::<bool>()).prop_map(|(a, b, c)| Op::Add(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Op::Remove(a, b)),
        2 => (n(), n(), n()).prop_map(|(a, b, c)| Op::MoveRule(a, b, c)),
        3 => (n(), n(), any::<bool>()).prop_map(|(a, b, c)| Op::Toggle(a, b, c)),
        1 => Just(Op::Reopen),
    ]
}

/// A name; two of the six differ by case only.
fn name(n: u8) -> String {
    ["Tonight", "TONIGHT", "🏀", "東京", "it's \"x\"", "e"].map(str::to_owned)[usize::from(n)].clone()
}

/// A rule; the first two are one, and 4 and 5 are games.
fn rule(n: u8) -> NewRule {
    match n {
        0 => NewRule::team("Miami Heat", None),
        1 => NewRule::team("MIAMI HEAT", None),
        2 => NewRule::league("basketball_nba"),
        3 => NewRule::filter("ev > 2"),
        n => NewRule::game(game(n)),
    }
}

fn game(n: u8) -> Game {
    Game { provider_event_id: format!("g{}", n % 2), label: format!("A @ {n}"), start: None }
}

/// A list as plain data: name, and (what a rule is about, its sign).
#[derive(Clone, PartialEq, Debug)]
struct Plain {
    name: String,
    rules: Vec<(String, bool)>,
}

fn about(rule: &NewRule) -> String {
    format!("{} {}", rule.kind.name(), rule.kind.text_key())
}

#[derive(Default)]
struct Model {
    lists: Vec<Plain>,
    deleted: Vec<(usize, Plain)>,
}

impl Model {
    fn taken(&self, name: &str, except: Option<usize>) -> bool {
        self.lists.iter().enumerate().any(|(i, l)| Some(i) != except && folded(&l.name) == folded(name))
    }

    fn add(&mut self, list: usize, rule: &NewRule, negative: bool) {
        let rules = &mut self.lists[list].rules;
        match rules.iter_mut().find(|(text, _)| *text == about(rule)) {
            Some(there) => there.1 = negative,
            None => rules.push((about(rule), negative)),
        }
    }
}

/// Does `op` to both; positions and lists are taken modulo what is there.
fn apply(op: &Op, desk: &mut Desk, model: &mut Model, undo: &mut Vec<Deleted>) {
    let lists = desk.lists().expect("lists");
    let at = |n: u8| (!lists.is_empty()).then(|| usize::from(n) % lists.len());
    match op {
        Op::Create(n) => {
            let made = desk.create(&name(*n));
            assert_eq!(made.is_err(), model.taken(&name(*n), None));
            if made.is_ok() {
                model.lists.push(Plain { name: name(*n), rules: Vec::new() });
            }
        }
        Op::Rename(a, n) => {
            let Some(i) = at(*a) else { return };
            let renamed = desk.rename(lists[i].id, &name(*n));
            assert_eq!(renamed.is_err(), model.taken(&name(*n), Some(i)));
            if renamed.is_ok() {
                model.lists[i].name = name(*n);
            }
        }
        Op::Delete(a) => {
            let Some(i) = at(*a) else { return };
            undo.push(desk.delete(lists[i].id).expect("deletes"));
            let plain = model.lists.remove(i);
            model.deleted.push((i, plain));
        }
        Op::Restore(a) => {
            if undo.is_empty() {
                return;
            }
            let i = usize::from(*a) % undo.len();
            let (place, plain) = model.deleted[i].clone();
            let restored = desk.restore(&undo[i]);
            assert_eq!(restored.is_err(), model.taken(&plain.name, None));
            if restored.is_ok() {
                undo.remove(i);
                model.deleted.remove(i);
                model.lists.insert(place.min(model.lists.len()), plain);
            }
        }
        Op::MoveList(a, to) => {
            let Some(i) = at(*a) else { return };
            desk.move_to(lists[i].id, usize::from(*to)).expect("moves");
            let plain = model.lists.remove(i);
            model.lists.insert(usize::from(*to).min(model.lists.len()), plain);
        }
        Op::Add(a, n, negative) => {
            let Some(i) = at(*a) else { return };
            let new = NewRule { negative: *negative, ..rule(*n) };
            desk.add_rule(lists[i].id, &new).expect("adds");
            model.add(i, &new, *negative);
        }
        Op::Remove(a, r) | Op::MoveRule(a, r, _) => {
            let Some(i) = at(*a).filter(|i| !model.lists[*i].rules.is_empty()) else { return };
            let r = usize::from(*r) % model.lists[i].rules.len();
            let id = desk.rules(lists[i].id).expect("rules")[r].id;
            let plain = model.lists[i].rules.remove(r);
            if let Op::MoveRule(_, _, to) = op {
                desk.move_rule(id, usize::from(*to)).expect("moves");
                let end = model.lists[i].rules.len();
                model.lists[i].rules.insert(usize::from(*to).min(end), plain);
            } else {
                desk.remove_rule(id).expect("removes");
            }
        }
        Op::Toggle(a, n, by_another) => {
            let Some(i) = at(*a) else { return };
            let new = NewRule::game(game(*n));
            let there = model.lists[i].rules.iter().find(|(text, _)| *text == about(&new)).map(|(_, n)| *n);
            let shown = there != Some(true) && (there.is_some() || *by_another);
            let did = desk.toggle_game(lists[i].id, &game(*n), *by_another).expect("toggles");
            let (says, leaves) = match (shown, *by_another) {
                (true, true) => (Toggled::Excluded, Some(true)),
                (true, false) => (Toggled::Removed, None),
                (false, true) => (Toggled::Added, None),
                (false, false) => (Toggled::Added, Some(false)),
            };
            assert_eq!(did, says);
            match leaves {
                Some(negative) => model.add(i, &new, negative),
                None => model.lists[i].rules.retain(|(text, _)| *text != about(&new)),
            }
        }
        Op::Reopen => *desk = Desk::open(desk.path()).expect("opens"),
    }
}

fn plain(desk: &Desk) -> Vec<Plain> {
    let contents = desk.contents().expect("all");
    for (i, c) in contents.iter().enumerate() {
        assert_eq!((c.list.position, c.list.rules), (i, c.rules.len()));
        assert!(c.rules.iter().enumerate().all(|(i, r)| r.position == i && r.list == c.list.id));
    }
    let rule = |r: &Rule| (format!("{} {}", r.kind.name(), r.kind.text_key()), r.negative);
    contents.iter().map(|c| Plain { name: c.list.name.clone(), rules: c.rules.iter().map(rule).collect() }).collect()
}

proptest! {
    // Every operation waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_desk_is_a_plain_list_of_lists(ops in proptest::collection::vec(op(), 1..40)) {
        let home = Home::new();
        let mut desk = home.desk();
        let (mut model, mut undo) = (Model::default(), Vec::new());
        for op in &ops {
            apply(op, &mut desk, &mut model, &mut undo);
            prop_assert_eq!(&plain(&desk), &model.lists, "after {:?}", op);
        }
        prop_assert_eq!(&plain(&home.desk()), &model.lists);
    }
}
