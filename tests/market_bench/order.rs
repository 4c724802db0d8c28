//! The same looks give the same findings: in another store, after a stop at any place, and in the wrong order.

use stratum::engine::EngineSettings;
use stratum::engine::detect::signal::SignalType;
use stratum::engine::rules::InPlayWatch;

use super::bench::{Bench, defaults};
use super::gaps::{spiked, suspended};
use super::moves::{slow, sparse, staggered};
use super::simulated::record;
use super::starts::{in_play, moved_after_its_start};
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
        assert_same(&whole, &bench.everything(), &format!("cut at {cut}"));
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
    assert_same(&whole, &bench.everything(), "every seven looks");
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
        assert_same(&whole, &bench.everything(), &format!("cut at {cut}"));
        bench.assert_live_is_replay();
    }
}

/// Every look of a case is a place to stop at, and either half may come first; so may every second look.
fn in_every_order(name: &str, tape: &Tape, settings: &EngineSettings, cuts: &[usize]) {
    let whole = Bench::with(tape, settings.clone()).everything();
    let apart = |parts: &[&[String]], what: &str| {
        let mut bench = Bench::new(settings.clone());
        parts.iter().for_each(|lines| bench.import(lines));
        assert_same(&whole, &bench.everything(), &format!("{name}: {what}"));
        bench.assert_live_is_replay();
    };
    for cut in cuts {
        let (first, second) = tape.lines.split_at(*cut);
        apart(&[first, second], &format!("stopped before look {cut}"));
        apart(&[second, first], &format!("the looks from {cut} on come first"));
    }
    let every_second = |odd: usize| tape.lines.iter().skip(odd).step_by(2).cloned().collect::<Vec<_>>();
    apart(&[&every_second(1), &every_second(0)], "every second look comes first");
}

#[test]
fn moves_are_the_same_in_every_order() {
    in_every_order("staggered", &staggered(), &defaults(), &[5, 20, 21, 22, 23, 30]);
    in_every_order("slow", &slow(), &defaults(), &[20, 23, 26, 31]);
}

#[test]
fn far_looks_are_the_same_in_every_order() {
    in_every_order("sparse", &sparse(), &defaults(), &[1, 5, 6, 7]);
    let mut wide = defaults();
    wide.rules.steam.window_ms = [30 * 60_000; 3];
    in_every_order("sparse, wide", &sparse(), &wide, &[1, 5, 6, 7]);
}

#[test]
fn gaps_are_the_same_in_every_order() {
    in_every_order("suspended", &suspended(12), &defaults(), &[29, 30, 35, 42, 43]);
    in_every_order("suspended briefly", &suspended(4), &defaults(), &[30, 32, 34, 35, 39]);
    in_every_order("spiked", &spiked(6), &defaults(), &[20, 22, 25, 26, 27]);
}

#[test]
fn starts_are_the_same_in_every_order() {
    let (tape, [first, second]) = moved_after_its_start();
    in_every_order(
        "moved after its start",
        &tape,
        &defaults(),
        &[21, first - 2, first, first + 1, second, second + 10],
    );
}

#[test]
fn games_in_play_are_the_same_in_every_order() {
    let mut settings = defaults();
    settings.rules.in_play = InPlayWatch::Everything;
    in_every_order("in play", &in_play(), &settings, &[29, 30, 31, 41, 42, 50, 60]);
}

#[test]
fn simulated_evenings_are_the_same_in_every_order() {
    in_every_order("steam", &record("steam", 45), &defaults(), &[6, 21, 30]);
}

#[track_caller]
fn assert_same(whole: &[String], parts: &[String], what: &str) {
    for (want, got) in whole.iter().zip(parts) {
        let alike = want.bytes().zip(got.bytes()).take_while(|(a, b)| a == b).count();
        let near = |row: &str| row.get(alike.saturating_sub(60)..(alike + 40).min(row.len())).map(str::to_owned);
        assert!(want == got, "{what}: {:.120}\n want {:?}\n got  {:?}", want, near(want), near(got));
    }
    assert_eq!(whole.len(), parts.len(), "{what}");
}

/// Books are numbered as they are first seen. Which number a book has may not show in any figure, to the last digit.
#[test]
fn books_that_join_later_are_the_same_in_every_order() {
    let mut tape = Tape::of(NBA);
    let lines = [-4.5, -4.0, -4.5, -5.0, -4.5, -4.0, -4.5, -5.0];
    let prices = [(-107, -113), (-112, -108), (-105, -117), (-118, -102), (-109, -111), (-103, -119), (-114, -106)];
    for (n, (book, line)) in EIGHT.iter().rev().zip(lines).enumerate() {
        let (home, away) = prices[n % prices.len()];
        tape.set(book, "spreads", line, home, away);
        tape.set(book, "h2h", 0.0, home - 60, -away + 40);
        tape.stand(2);
    }
    tape.stand(10);
    tape.set("bovada", "h2h", 0.0, 130, -150);
    tape.stand(5);
    tape.books(&EIGHT[..5], "spreads", -6.0, -108, -112);
    tape.stand(15);
    tape.game().start = tape.now;
    tape.stand(3);
    in_every_order("joining", &tape, &defaults(), &[3, 9, 20]);
}
