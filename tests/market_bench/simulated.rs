//! Scripted evenings of the simulator, asked once a minute and recorded, through the same pipeline.

use std::collections::BTreeMap;

use stratum::engine::detect::signal::SignalType;
use stratum::feeds::sim::{Api, Scenario};

use super::bench::Bench;
use super::tape::{NBA, Tape};

use SignalType::{KeyCross, Move, MultibookSync, Steam};

/// What was answered in so many minutes.
pub fn record(scenario: &str, minutes: usize) -> Tape {
    let mut api = Api::of_scenario(&Scenario::load(scenario).expect("scenario"), Tape::zero(), None);
    let mut tape = Tape::of(NBA);
    for _ in 0..minutes {
        let at = tape.at(tape.now);
        let query = "apiKey=k&regions=us,eu&markets=h2h,spreads,totals&oddsFormat=american";
        let answer = api.get(at, &format!("/v4/sports/{NBA}/odds"), query);
        assert_eq!(answer.status, 200);
        let body = String::from_utf8(answer.body).expect("text");
        tape.lines.push(format!(r#"{{"captured_at":"{}","sport":"{NBA}","body":{body}}}"#, at.to_wire()));
        tape.now += tape.step;
    }
    tape
}

fn check(scenario: &str) {
    let bench = Bench::of(&record(scenario, 45));
    assert!(!bench.of_type(Steam).is_empty(), "{scenario}: {}", bench.told());
    // Scripted markets move once: nobody is told to take both sides.
    let mut sides: BTreeMap<_, Vec<Option<String>>> = BTreeMap::new();
    for s in bench.signals().into_iter().filter(|s| [Steam, MultibookSync, Move, KeyCross].contains(&s.kind)) {
        let sides = sides.entry((s.event_id, s.market)).or_default();
        if !sides.contains(&s.side) {
            sides.push(s.side);
        }
    }
    assert!(sides.values().all(|s| s.len() == 1), "{scenario}: {}", bench.told());
}

#[test]
fn a_scripted_steam_is_told_for_one_side() {
    check("steam");
}

#[test]
fn a_scripted_jump_of_all_books_is_told_for_one_side() {
    check("simultaneous");
}

#[test]
fn a_scripted_quiet_evening_is_quiet() {
    Bench::of(&record("quiet", 45)).assert_none_of(&[Steam, MultibookSync, Move, KeyCross]);
}
