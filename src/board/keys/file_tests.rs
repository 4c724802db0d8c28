//! Default and user key maps: laws of the defaults, and files with everything wrong in them.

use proptest::prelude::*;

use super::super::map::Lookup;
use super::*;

fn loaded(text: &str) -> LoadedKeys {
    KeyMap::parse(text).expect("is TOML")
}

fn problems(text: &str) -> Vec<String> {
    loaded(text).problems.iter().map(ToString::to_string).collect()
}

fn keys(map: &KeyMap, action: Action, context: Context) -> Vec<String> {
    map.sequences_of(action, context).map(ToString::to_string).collect()
}

#[test]
fn the_defaults_are_complete_and_free_of_clashes() {
    let empty = KeyMap::of(Bindings::new());
    let default = KeyMap::laid_over(&empty, DEFAULT_KEYS).expect("is TOML");
    assert_eq!(default.problems, []);
    assert_eq!(default.map, KeyMap::default());
    for context in Context::ALL {
        for action in Action::ALL.iter().filter(|a| a.contexts().has(context)) {
            assert!(default.map.sequences_of(*action, context).next().is_some(), "{action:?} in {context:?}");
        }
        let bindings = default.map.in_context(context);
        for (at, (sequence, action)) in bindings.iter().enumerate() {
            assert!(action.contexts().has(context));
            assert_eq!(default.map.lookup(context, sequence.keys()), Lookup::Action(*action));
            let rest = bindings.get(at + 1..).expect("in range");
            let clash = rest.iter().find(|(other, _)| other.clashes(sequence));
            assert!(clash.is_none(), "{context:?}: {sequence} {action:?} {clash:?}");
        }
    }
    // Nothing is shadowed by a page: what is global stays what it is everywhere, where it works.
    for ((section, action), sequences) in default.map.bindings() {
        for context in action.contexts().iter().filter(|_| *section == Section::Global) {
            let own = default.map.bindings().contains_key(&(Section::In(context), *action));
            let all = keys(&default.map, *action, context).len() == sequences.len();
            assert!(own || all, "{action:?} in {context:?}");
        }
    }
}

#[test]
fn the_keys_of_the_design_hold() {
    let map = KeyMap::default();
    for (text, action) in [
        ("j", Action::Down),
        ("k", Action::Up),
        ("h", Action::Left),
        ("l", Action::Right),
        ("enter", Action::Open),
        ("w", Action::ToggleWatch),
        ("s", Action::MarketSpread),
        ("t", Action::MarketTotal),
        ("m", Action::MarketMoneyline),
        ("p", Action::NextMarket),
        ("o", Action::OddsFormat),
        ("/", Action::Find),
        (":", Action::Palette),
        ("space", Action::Freeze),
        ("[", Action::StepBack),
        ("]", Action::StepForward),
        ("?", Action::Help),
        ("q", Action::Quit),
        ("1", Action::PageBoard),
        ("9", Action::PageOps),
        ("g g", Action::First),
        ("G", Action::Last),
        ("ctrl-c", Action::ForceQuit),
        ("`", Action::WatchPane),
        ("\\", Action::TapePane),
    ] {
        let keys = Sequence::parse(text).expect("keys");
        assert_eq!(map.lookup(Context::Board, keys.keys()), Lookup::Action(action), "{text}");
    }
}

#[test]
fn a_users_file_lies_over_the_defaults() {
    let map = loaded("[global]\nquit = [\"Q\", \"ctrl-q\"]\nsuspend = []\n[board]\npin = \"P\"\n").map;
    assert_eq!(keys(&map, Action::Quit, Context::Tape), ["Q", "ctrl-q"]);
    assert_eq!(keys(&map, Action::Suspend, Context::Text), [""; 0]);
    assert_eq!(keys(&map, Action::Pin, Context::Board), ["P"]);
    assert_eq!(keys(&map, Action::Play, Context::Tape), ["P"]);
    assert_eq!(keys(&map, Action::Play, Context::Board), [""; 0], "the page took it");

    // The example of the default file and of the manual.
    assert_eq!(problems("[global]\nquit = [\"Q\", \"ctrl-q\"]\nsuspend = []\n[board]\npin = [\"D\"]\n"), [""; 0]);

    let map = loaded("[board]\nquit = [\"Q\", \"ctrl-q\"]\n").map;
    assert_eq!(keys(&map, Action::Quit, Context::Board), ["Q", "ctrl-q"]);
    assert_eq!(keys(&map, Action::Quit, Context::Game), ["q"]);

    let map = loaded("[board]\nquit = []\n[global]\nback = [\"esc\", \"b\"]\n").map;
    assert_eq!(keys(&map, Action::Quit, Context::Board), [""; 0]);
    assert_eq!(keys(&map, Action::Back, Context::Text), ["esc"], "b types itself");
    assert_eq!(keys(&map, Action::Back, Context::Game), ["esc", "b"]);
    assert_eq!(keys(&map, Action::ForceQuit, Context::Board), ["ctrl-c"]);
}

#[test]
fn a_users_key_is_taken_from_the_default() {
    let both = loaded("[global]\nzone = [\"o\"]\nodds-format = [\"z\"]\n");
    assert_eq!(both.problems, []);
    assert_eq!(keys(&both.map, Action::Zone, Context::Board), ["o"]);
    assert_eq!(keys(&both.map, Action::OddsFormat, Context::Board), ["z"]);

    let one = loaded("[global]\nup = [\"o\"]\n");
    assert_eq!(keys(&one.map, Action::OddsFormat, Context::Board), [""; 0]);
    let said = problems("[global]\nup = [\"o\"]\n");
    assert_eq!(said, ["line 2: `up` takes `o`, and `odds-format` has no key left; give `odds-format` another"]);
    assert_eq!(problems("[global]\nzone = [\"home\"]\n"), [""; 0], "`first` still has `g g`");
    assert_eq!(problems("[global]\nzone = [\"g\"]\n"), [""; 0], "`first` still has home");
    assert_eq!(problems("[global]\nzone = [\"o\"]\nodds-format = []\n"), [""; 0], "unbound on purpose");
    let said = problems("[global]\nzone = [\"a\"]\n");
    assert_eq!(said, ["line 2: `zone` has no key left in [board], which uses these keys itself; add one there"]);
}

#[test]
fn wrong_entries_are_named_by_line_and_the_others_hold() {
    for (text, expected) in [
        ("[bord]\n", "line 1: [bord] is no context; did you mean `board`?"),
        ("board = 3\n", "line 1: `board` must be a section"),
        ("quit = [\"q\"]\n", "line 1: `quit` stands in no section"),
        ("[global]\nqit = [\"q\"]\n", "line 2: `qit` is no action; did you mean `quit`?"),
        ("[global]\nquit = [\"qq\"]\n", "line 2: `quit`: `qq` is no key"),
        ("[global]\nquit = [\n  \"q\",\n  \"blub\"]\n", "line 4: `quit`: `blub` is no key"),
        ("[global]\nquit = [\"\"]\n", "line 2: `quit`: the key is empty"),
        ("[global]\nquit = 4\n", "line 2: `quit` must be keys in quotes"),
        ("[global]\nquit = [\"Q\", 4]\n", "line 2: `quit` must be keys in quotes"),
        ("[global.quit]\n", "line 1: `quit` must be a list of keys"),
        ("[global]\nforce-quit = []\n", "line 2: `force-quit` is fixed to ctrl-c"),
        ("[global]\nzone = [\"ctrl-c\"]\n", "line 2: `zone`: ctrl-c always quits"),
        ("[global]\nzone = [\"g ctrl-C\"]\n", "line 2: `zone`: ctrl-c always quits"),
        ("[tape]\npin = [\"a\"]\n", "line 2: `pin` does not work in [tape]; it works in board"),
        ("[text]\nback = [\"b\"]\n", "line 2: `back`: `b` types itself"),
        ("[global]\nzone = [\"ctrl-i\"]\n", "line 2: `zone`: most terminals send `ctrl-i` as tab"),
        ("[global]\nzone = [\"b\"]\ntheme = [\"b\"]\n", "line 3: `theme`: `b` is already the key of `zone`"),
        ("[global]\nzone = [\"b\"]\ntheme = [\"b b\"]\n", "line 3: `theme`: `b b` can never be typed"),
        ("[global]\nzone = [\"b b\"]\ntheme = [\"b\"]\n", "line 3: `theme`: `b` begins `b b` of `zone`"),
        ("[global]\nzone = [\"b\", \"b\"]\n", "line 2: `zone` has `b` twice"),
    ] {
        let said = problems(&format!("{text}[game]\nseries = [\"A\"]\n"));
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].starts_with(expected), "{said:?}");
        let map = loaded(&format!("{text}[game]\nseries = [\"A\"]\n")).map;
        assert_eq!(keys(&map, Action::Series, Context::Game), ["A"], "{text}");
        assert!(!keys(&map, Action::Quit, Context::Board).is_empty(), "{text}");
    }
}

#[test]
fn an_entry_without_a_good_key_leaves_the_default() {
    assert_eq!(keys(&loaded("[global]\nquit = [\"qq\"]\n").map, Action::Quit, Context::Board), ["q"]);
    let map = loaded("[global]\nzone = [\"b\"]\ntheme = [\"b\"]\n").map;
    assert_eq!(keys(&map, Action::Theme, Context::Board), ["T"]);
}

#[test]
fn files_are_loaded_or_refused_as_a_whole() {
    let dir = tempfile::tempdir().expect("dir");
    let file = dir.path().join("keys.toml");
    assert!(matches!(KeyMap::load(&file), Err(FileError::Read { .. })));
    std::fs::write(&file, "[global]\nquit = [\"Q\"\n").expect("writes");
    assert!(matches!(KeyMap::load(&file), Err(FileError::Syntax { .. })));
    std::fs::write(&file, DEFAULT_KEYS).expect("writes");
    let loaded = KeyMap::load(&file).expect("good");
    assert_eq!((loaded.map, loaded.problems), (KeyMap::default(), vec![]));
}

fn any_entry() -> impl Strategy<Value = String> {
    let ids = Action::ALL.iter().map(|a| a.id()).chain(["nothing", "force-quit"]).collect::<Vec<_>>();
    let keys =
        ["a", "b", "g", "g g", "a b", "a b c", "a b c d", "ctrl-c", "ctrl-x", "esc", "up", "", "??", "G", "enter"];
    (proptest::sample::select(ids), proptest::collection::vec(proptest::sample::select(keys.to_vec()), 0..4))
        .prop_map(|(id, keys)| format!("{id} = {keys:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_map_keeps_the_laws(
        entries in proptest::collection::btree_map("[a-z]{0}", any_entry(), 0..2),
        board in proptest::collection::vec(any_entry(), 0..8),
        global in proptest::collection::vec(any_entry(), 0..8),
    ) {
        let mut text = String::new();
        for (section, lines) in [("global", global), ("board", board), ("text", entries.into_values().collect())] {
            let mut named = BTreeSet::new();
            text += &format!("[{section}]\n");
            for line in lines {
                if named.insert(line.split(' ').next().map(str::to_owned)) {
                    text += &format!("{line}\n");
                }
            }
        }
        let loaded = KeyMap::parse(&text).expect("is TOML");
        let lines = text.lines().count();
        prop_assert!(loaded.problems.iter().all(|p| (1..=lines).contains(&p.line)));
        for context in Context::ALL {
            prop_assert_eq!(loaded.map.lookup(context, &[Key::FORCE_QUIT]), Lookup::Action(Action::ForceQuit));
            let bindings = loaded.map.in_context(context);
            for (at, (sequence, action)) in bindings.iter().enumerate() {
                prop_assert!(action.contexts().has(context));
                let clash = bindings.iter().skip(at + 1).any(|(s, _)| s.clashes(sequence));
                prop_assert!(!clash, "{:?} {} {:?}", context, sequence, action);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]a-z=\"\\n .#{},0-9\\\\-]{0,200}") {
        let _ = KeyMap::parse(&text).map(|l| l.problems.iter().map(ToString::to_string).collect::<String>());
    }
}
