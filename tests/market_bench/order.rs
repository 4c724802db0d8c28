//! The same looks give the same findings: in another store, after a stop at any place, and in the wrong order.

use stratum::engine::detect::signal::SignalType;

use super::bench::{Bench, defaults};
use super::tape::{EIGHT, NBA, Tape};

/// Six steams of one event, with pauses longer than the cooldown; then the game is played.
fn six_steams() -> Tape {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.all("totals", 224.5, -110, -110);
    let mut other = tape.games[0].clone();
    other.id = "feedfacefeedfacefeedfacefeedface".into();
    (other.home, other.away) = ("Denver Nuggets".into(), "Utah Jazz".into());
    tape.games.push(other);
    tape.game().start = 185 * 60;
    tape.stand(20);
    for n in 1..=6 {
        let line = -3.0 - f64::from(n);
        for pair in EIGHT.chunks(3) {
            tape.books(pair, "spreads", line, -110, -110);
            tape.look();
        }
        tape.stand(22);
    }
    // One book that does not follow, and the start.
    tape.set("bovada", "spreads", -6.0, -110, -110);
    tape.stand_until(190 * 60);
    tape
}

#[test]
fn an_event_has_four_steams_at_most() {
    let tape = six_steams();
    let bench = Bench::of(&tape);
    let steams = bench.of_type(SignalType::Steam);
    assert_eq!(steams.len(), 4, "{}", bench.told());
    assert!(steams.iter().all(|s| s.side.as_deref() == Some("home")));
    let last = steams.last().expect("steam").detected_at;
    assert!(last < tape.at(110 * 60), "the first four are told: {}", bench.told());
    assert!(!bench.clv().is_empty() && !bench.closes().is_empty());
}

#[test]
fn two_stores_hold_the_same() {
    let tape = six_steams();
    let (a, b) = (Bench::of(&tape), Bench::of(&tape));
    assert!(a.everything().len() > 10);
    assert_eq!(a.everything(), b.everything());
}

/// Looks at which the program stops: inside the first steam, between two, at the cap, after the last, at the start.
const CUTS: [usize; 8] = [21, 22, 23, 40, 96, 122, 147, 186];

#[test]
fn a_stop_at_any_place_leaves_no_trace() {
    let tape = six_steams();
    let whole = Bench::of(&tape).everything();
    for cut in CUTS {
        let mut bench = Bench::new(defaults());
        bench.import(&tape.lines[..cut]);
        bench.import(&tape.lines[cut..]);
        assert_same(&whole, &bench.everything(), cut);
    }
}

#[test]
fn stops_after_every_few_looks_leave_no_trace() {
    let tape = six_steams();
    let whole = Bench::of(&tape).everything();
    let mut bench = Bench::new(defaults());
    for lines in tape.lines.chunks(7) {
        bench.import(lines);
    }
    assert_same(&whole, &bench.everything(), 7);
}

#[test]
fn the_second_half_first_gives_the_same() {
    let tape = six_steams();
    let whole = Bench::of(&tape).everything();
    for cut in CUTS {
        let mut bench = Bench::new(defaults());
        bench.import(&tape.lines[cut..]);
        bench.import(&tape.lines[..cut]);
        assert_eq!(bench.report.late as usize, cut);
        assert_same(&whole, &bench.everything(), cut);
        bench.assert_live_is_replay();
    }
}

#[track_caller]
fn assert_same(whole: &[String], parts: &[String], cut: usize) {
    for (want, got) in whole.iter().zip(parts) {
        assert_eq!(want, got, "cut at {cut}");
    }
    assert_eq!(whole.len(), parts.len(), "cut at {cut}");
}
