//! The desk as its users meet it. Laws against a plain model are in [`model`], several desks that meet in [`shared`],
//! files that are damaged or used by several processes in [`files`].

mod files;
mod model;
mod shared;

use super::*;

pub(super) struct Home(tempfile::TempDir);

impl Home {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("folder"))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("data/desk.db")
    }

    pub(super) fn desk(&self) -> Desk {
        Desk::open(&self.path()).expect("opens")
    }
}

fn game(id: &str) -> Game {
    Game {
        provider_event_id: id.to_owned(),
        label: "Miami Heat @ Boston Celtics".to_owned(),
        start: Some(Timestamp::from_secs(1_800_000_000)),
    }
}

fn names(desk: &Desk) -> Vec<String> {
    let lists = desk.lists().expect("lists");
    assert!(lists.iter().enumerate().all(|(i, l)| l.position == i), "dense: {lists:?}");
    lists.into_iter().map(|l| l.name).collect()
}

fn texts(desk: &Desk, list: ListId) -> Vec<String> {
    let rules = desk.rules(list).expect("rules");
    assert!(rules.iter().enumerate().all(|(i, r)| r.position == i), "dense: {rules:?}");
    rules.iter().map(Rule::expression).collect()
}

#[test]
fn a_list_lives_through_everything() {
    let home = Home::new();
    let mut desk = home.desk();
    let tonight = desk.create(" Tonight ").expect("made");
    assert_eq!((tonight.name.as_str(), tonight.position, tonight.rules), ("Tonight", 0, 0));
    for name in ["🏀 O'Neil \"x\"; DROP TABLE rule --", "東京", "%_"] {
        desk.create(name).expect("made");
    }
    assert!(matches!(desk.create("tONIGHT"), Err(DeskError::NameTaken { name }) if name == "Tonight"));
    assert_eq!(desk.rename(tonight.id, "TONIGHT").expect("only the case").name, "TONIGHT");
    assert!(matches!(desk.rename(tonight.id, "東京"), Err(DeskError::NameTaken { .. })));
    desk.move_to(tonight.id, 2).expect("moves");
    assert_eq!(names(&desk), ["🏀 O'Neil \"x\"; DROP TABLE rule --", "東京", "TONIGHT", "%_"]);
    desk.move_to(tonight.id, usize::MAX).expect("to the end");
    desk.add_rule(tonight.id, &NewRule::league("basketball_nba")).expect("rule");
    desk.add_rule(tonight.id, &NewRule::game(game("a1")).excluded()).expect("rule");
    drop(desk);

    let mut desk = home.desk();
    let found = desk.find("  tonight").expect("asks").expect("there");
    assert_eq!((found.id, found.position, found.rules), (tonight.id, 3, 2));
    assert_eq!(desk.find("nothing").expect("asks"), None);
    let before = desk.contents().expect("all");
    let deleted = desk.delete(tonight.id).expect("deleted");
    assert_eq!(deleted.0.rules.len(), 2);
    assert_eq!(names(&desk).len(), 3);
    assert!(matches!(desk.rules(tonight.id), Err(DeskError::NoList)));
    assert!(matches!(desk.delete(tonight.id), Err(DeskError::NoList)));
    desk.restore(&deleted).expect("undone");
    assert_eq!(desk.contents().expect("all"), before);
    assert!(matches!(desk.restore(&deleted), Err(DeskError::NotDeleted { .. })));
    desk.delete(tonight.id).expect("deleted");
    desk.create("Tonight").expect("another");
    assert!(matches!(desk.restore(&deleted), Err(DeskError::NameTaken { .. })));
    assert_eq!(names(&desk).len(), 4);
}

#[test]
fn one_rule_about_one_thing() {
    let home = Home::new();
    let mut desk = home.desk();
    let list = desk.create("x").expect("made").id;
    let team = NewRule::team("Boston Celtics", None);
    let first = desk.add_rule(list, &team).expect("adds");
    assert!(matches!(first, Added::New(_)));
    let again = desk.add_rule(list, &NewRule::team("BOSTON celtics ", None)).expect("adds");
    assert!(matches!(&again, Added::Same(rule) if rule.id == first.rule().id));
    desk.add_rule(list, &NewRule::team("Boston Celtics", Some("basketball_nba".into()))).expect("another sport");
    let turned = desk.add_rule(list, &team.excluded()).expect("turns");
    assert!(matches!(&turned, Added::Turned(rule) if rule.negative && rule.position == 0));
    assert_eq!(texts(&desk, list), [r#"-(team:"Boston Celtics")"#, r#"team:"Boston Celtics" sport:basketball_nba"#]);
    let later = Game { start: Some(Timestamp::from_secs(1_900_000_000)), label: "moved".into(), ..game("a1") };
    desk.add_rule(list, &NewRule::game(game("a1"))).expect("adds");
    let known = desk.add_rule(list, &NewRule::game(Game { start: None, ..later.clone() })).expect("same");
    assert_eq!(known.rule().kind.start(), game("a1").start, "an unknown start does not wipe a known one");
    let Added::Same(rule) = desk.add_rule(list, &NewRule::game(later.clone())).expect("same") else {
        panic!("the same game");
    };
    assert_eq!((rule.kind.start(), rule.label.as_str()), (later.start, "moved"));
    assert!(matches!(desk.add_rule(ListId(99), &NewRule::league("x")), Err(DeskError::NoList)));
    assert!(matches!(desk.remove_rule(RuleId(99)), Err(DeskError::NoRule)));
    assert!(matches!(desk.move_rule(RuleId(99), 0), Err(DeskError::NoRule)));
}

#[test]
fn toggling_takes_a_game_in_and_out_whatever_brings_it_in() {
    let home = Home::new();
    let mut desk = home.desk();
    let list = desk.create("x").expect("made").id;
    let toggle = |desk: &mut Desk, by_another| desk.toggle_game(list, &game("a1"), by_another).expect("toggles");
    let holds = |desk: &Desk, by_another| {
        matches(&desk.rules(list).expect("rules"), |kind| match kind {
            RuleKind::Game { provider_event_id, .. } => provider_event_id == "a1",
            _ => by_another,
        })
    };
    assert_eq!(toggle(&mut desk, false), Toggled::Added);
    assert_eq!(toggle(&mut desk, false), Toggled::Removed);
    assert_eq!(texts(&desk, list), [""; 0]);
    desk.add_rule(list, &NewRule::league("basketball_nba")).expect("a broader rule");
    assert_eq!(toggle(&mut desk, true), Toggled::Excluded);
    assert_eq!(texts(&desk, list), ["sport:basketball_nba", r#"-(game:"a1")"#]);
    assert_eq!(toggle(&mut desk, true), Toggled::Added);
    assert_eq!(texts(&desk, list), ["sport:basketball_nba"]);
    // Whatever the state, one toggle changes what the list shows, and says so.
    for before in [None, Some(false), Some(true)] {
        for by_another in [false, true] {
            for rule in desk.rules(list).expect("rules").into_iter().skip(1) {
                desk.remove_rule(rule.id).expect("removes");
            }
            if let Some(negative) = before {
                desk.add_rule(list, &NewRule { negative, ..NewRule::game(game("a1")) }).expect("adds");
            }
            for _ in 0..4 {
                let was = holds(&desk, by_another);
                let did = toggle(&mut desk, by_another);
                assert_eq!(holds(&desk, by_another), !was, "{before:?} {by_another}");
                assert_eq!(did == Toggled::Added, !was);
            }
        }
    }
    assert!(matches!(desk.toggle_game(ListId(99), &game("a1"), false), Err(DeskError::NoList)));
    assert!(matches!(desk.toggle_game(list, &game(""), false), Err(DeskError::Unfit { .. })));
}

#[test]
fn small_things_with_a_name() {
    let home = Home::new();
    let mut desk = home.desk();
    assert_eq!(desk.save_filter("Steam", "type:steam").expect("saves"), None);
    let before = desk.save_filter("STEAM", " type:steam strength>60 ").expect("saves").expect("replaced");
    assert_eq!((before.name.as_str(), before.text.as_str()), ("Steam", "type:steam"));
    desk.save_filter("🏀", "sport:nba").expect("saves");
    let all: Vec<_> = desk.filters().expect("all").into_iter().map(|f| (f.name, f.text)).collect();
    assert_eq!(all, [("STEAM".into(), "type:steam strength>60".into()), ("🏀".into(), "sport:nba".to_owned())]);
    assert!(desk.delete_filter("steam").expect("deletes").is_some_and(|f| f.name == "STEAM"));
    assert_eq!(desk.delete_filter("steam").expect("deletes"), None);
    assert!(matches!(desk.save_filter("x", " "), Err(DeskError::Unfit { .. })));

    assert_eq!(desk.view("board").expect("asks"), None);
    let exact = r#"{"columns":["start", "best"],"odds":"american"} "#;
    desk.set_view("board", exact).expect("sets");
    assert_eq!(desk.view("board").expect("asks").as_deref(), Some(exact));
    let large = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    desk.set_view("board", &large(LARGEST_VIEW)).expect("the largest");
    for bad in ["", "{", "{} {}", &large(LARGEST_VIEW + 1)] {
        assert!(matches!(desk.set_view("board", bad), Err(DeskError::Unfit { .. })));
    }
    assert_eq!(desk.view("board").expect("asks").map(|v| v.len()), Some(LARGEST_VIEW));

    assert_eq!(desk.seen("board").expect("asks"), None);
    for at in [5, 3] {
        desk.set_seen("board", Timestamp::from_millis(at)).expect("sets");
        assert_eq!(desk.seen("board").expect("asks"), Some(Timestamp::from_millis(at)));
    }
}

#[test]
fn a_version_changes_with_what_others_write() {
    let home = Home::new();
    let (mut ours, mut theirs) = (home.desk(), home.desk());
    let before = ours.version().expect("version");
    ours.create("mine").expect("made");
    assert_eq!(ours.version().expect("version"), before, "our own changes do not count");
    theirs.create("theirs").expect("made");
    let after = ours.version().expect("version");
    assert_ne!(after, before);
    assert_eq!(names(&ours), ["mine", "theirs"]);
    assert_eq!(ours.version().expect("version"), after);
}
