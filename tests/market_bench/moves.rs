//! Markets that move, and single books that do: what is told of it, and what is not.

use stratum::engine::detect::signal::{Direction, Signal, SignalType};
use stratum::engine::rules::MoveRule;

use super::bench::{Bench, defaults};
use super::tape::{EIGHT, NBA, NFL, Tape};

use SignalType::{Dislocation, KeyCross, Move, MultibookSync, Steam};

const MOVES: [SignalType; 3] = [Steam, MultibookSync, Move];

#[test]
fn eight_books_at_once_are_one_steam_and_one_key_crossing() {
    let mut tape = Tape::at_spread(NFL, -2.0);
    tape.stand(20);
    tape.all("spreads", -3.5, -110, -110);
    tape.stand(21);
    let bench = Bench::of(&tape);
    bench.assert_told(&[(Steam, Some("home")), (KeyCross, Some("home"))]);
    let steam = bench.only(Steam);
    assert_eq!((steam.books_affected, steam.panel, steam.opposers, steam.version), (8, 8, 0, 1));
    assert_eq!((steam.market.as_str(), steam.selection.as_str()), ("spreads", "Kansas City Chiefs"));
    assert_eq!((steam.detected_at, steam.window_minutes), (tape.at(20 * 60), 3.0));
    // All books in one look: nobody was first.
    assert_eq!((steam.detail.leader.as_deref(), steam.detail.labels.len()), (None, 1));
    let entry = steam.entry.expect("entry");
    assert_eq!((entry.line, entry.price_american, entry.age_seconds), (Some(-3.5), -110, 20.0));
    let cross = bench.only(KeyCross);
    assert_eq!((cross.from_value, cross.to_value, cross.direction), (-2.0, -3.5, Direction::Down));
    assert_eq!(cross.detail.keys.iter().map(|k| k.number).collect::<Vec<_>>(), [3]);
    assert!(cross.detail.mass.is_some_and(|m| m > 0.05), "{:?}", cross.detail.mass);
}

#[test]
fn totals_that_jump_are_one_steam_over() {
    let mut tape = Tape::of(NFL);
    tape.all("totals", 45.0, -110, -110);
    tape.stand(20);
    tape.all("totals", 46.5, -110, -110);
    tape.stand(21);
    let bench = Bench::of(&tape);
    // Between 45 and 46.5 lies no total that is key, but 45 itself is left.
    bench.assert_told(&[(Steam, Some("over")), (KeyCross, Some("over"))]);
    assert_eq!(bench.only(Steam).entry.expect("entry").line, Some(46.5));
}

#[test]
fn moneylines_that_jump_are_one_steam_and_no_crossing() {
    let mut tape = Tape::of(NFL);
    tape.all("h2h", 0.0, -110, -110);
    tape.stand(20);
    tape.all("h2h", 0.0, -150, 130);
    tape.stand(21);
    let bench = Bench::of(&tape);
    bench.assert_told(&[(Steam, Some("home"))]);
    let steam = bench.only(Steam);
    assert_eq!((steam.unit.as_str(), steam.market.as_str()), ("probability", "h2h"));
    // -150 and +130 without the vig.
    assert!((steam.from_value - 0.5).abs() < 1e-9 && (steam.to_value - 0.58).abs() < 0.005, "{}", steam.to_value);
}

pub fn staggered() -> Tape {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.stand(20);
    for pair in EIGHT.chunks(2) {
        tape.books(pair, "spreads", -4.0, -110, -110);
        tape.look();
    }
    tape.stand(20);
    tape
}

#[test]
fn a_staggered_steam_is_told_when_the_fourth_book_has_moved() {
    let tape = staggered();
    let bench = Bench::of(&tape);
    let steam = bench.only(Steam);
    let first = tape.at(20 * 60);
    assert_eq!((steam.detected_at, steam.side.as_deref()), (tape.at(21 * 60), Some("home")), "{}", bench.told());
    assert_eq!(steam.opposers, 0);
    // Nobody who moved first is said to lag, and there is no signal for the side that the move went against.
    for s in bench.of_type(Dislocation) {
        let book = s.detail.book.as_deref().expect("book");
        assert!(s.detail.label.as_deref() != Some("lagging") || !EIGHT[..4].contains(&book), "{s:#?}");
    }
    assert!(bench.signals().iter().all(|s| s.side.as_deref() == Some("home")), "{}", bench.told());

    let versions = bench.reader().signal_versions(&steam.id).expect("versions");
    let told = &versions[0];
    assert_eq!((told.books_affected, told.panel), (4, 8));
    assert_eq!(told.velocity_minutes, 1.0);
    assert_eq!(told.detail.leader, None, "two books moved in the first look");
    assert_eq!(told.evidence.len(), 8);
    for (i, (evidence, book)) in told.evidence.iter().zip(EIGHT).enumerate() {
        assert_eq!(evidence.book, book);
        assert_eq!(evidence.before.line, Some(-3.0));
        let moved = i < 4;
        assert_eq!(evidence.after.line, Some(if moved { -4.0 } else { -3.0 }));
        let look = first.plus((i as i64 / 2) * 60_000);
        assert_eq!(evidence.moved_at, moved.then_some(look), "{book}");
        assert_eq!(evidence.moved_after, moved.then_some(look.plus(-60_000)), "{book}");
        assert_eq!(evidence.order, moved.then_some(i as u16 / 2 + 1), "{book}");
        assert!((evidence.change - if moved { 1.0 } else { 0.0 }).abs() < 0.2, "{evidence:?}");
    }
}

#[test]
fn the_book_that_is_first_by_itself_leads() {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.stand(20);
    for book in ["fanduel", "bovada", "betmgm", "fanatics", "draftkings"] {
        tape.set(book, "spreads", -4.0, -110, -110);
        tape.look();
        tape.step = 30;
    }
    tape.stand(20);
    let bench = Bench::of(&tape);
    let steam = bench.only(Steam);
    assert_eq!(steam.detail.leader.as_deref(), Some("fanduel"), "{}", bench.told());
    let orders: Vec<_> =
        steam.evidence.iter().map(|e| (e.book.as_str(), e.order)).filter(|(_, o)| o.is_some()).collect();
    let first = [("betmgm", Some(3)), ("bovada", Some(2)), ("fanatics", Some(4)), ("fanduel", Some(1))];
    assert!(first.iter().all(|o| orders.contains(o)), "{orders:?}");
}

#[test]
fn a_single_outlier_is_one_dislocation_worth_taking() {
    for (line, side, taken) in [(-1.5, "home", -1.5), (-4.5, "away", 4.5)] {
        let mut tape = Tape::at_spread(NFL, -3.0);
        tape.stand(20);
        tape.set("fanduel", "spreads", line, -110, -110);
        tape.stand(10);
        let bench = Bench::of(&tape);
        bench.assert_told(&[(Dislocation, Some(side))]);
        let s = bench.only(Dislocation);
        assert_eq!((s.detail.book.as_deref(), s.detail.label.as_deref()), (Some("fanduel"), Some("alone")));
        assert!(s.detail.ev.is_some_and(|ev| ev > 0.0), "{:?}", s.detail);
        let entry = s.entry.as_ref().expect("entry");
        assert_eq!((entry.book.as_str(), entry.line, entry.ev), ("fanduel", Some(taken), s.detail.ev));
        assert!((s.from_value + 3.0).abs() < 0.01 && (s.to_value - line).abs() < 0.01, "{s:#?}");
    }
}

/// On a board that disagrees, a quote that were part of its own yardstick would bend it.
#[test]
fn an_outlier_is_held_against_the_board_without_it() {
    let mut tape = Tape::of(NBA);
    for (book, line) in
        ["betmgm", "bovada", "draftkings", "fanatics", "betrivers"].iter().zip([-2.5, -3.0, -3.5, -3.5, -3.0])
    {
        tape.set(book, "spreads", line, -110, -110);
    }
    let mut without = tape.clone();
    without.stand(20);
    let board = Bench::of(&without);
    board.assert_told(&[]);
    let event = board.reader().events(None).expect("events").remove(0);
    let points = board.reader().points(event.id, tape.at(0), tape.at(0)).expect("points");
    let fair = points[0].point.fair.expect("fair").values[0];

    tape.set("fanduel", "spreads", -5.0, -110, -110);
    tape.stand(20);
    let s = Bench::of(&tape).only(Dislocation);
    assert_eq!(s.detail.book.as_deref(), Some("fanduel"));
    assert!((s.detail.fair_value.expect("fair") - fair).abs() < 1e-9, "{fair} {:?}", s.detail);
}

#[test]
fn a_book_that_does_not_follow_lags() {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.stand(20);
    tape.all("spreads", -5.0, -110, -110);
    tape.set("bovada", "spreads", -3.0, -110, -110);
    tape.stand(10);
    let bench = Bench::of(&tape);
    bench.assert_told(&[(Steam, Some("home")), (Dislocation, Some("home"))]);
    let s = bench.only(Dislocation);
    assert_eq!((s.detail.book.as_deref(), s.detail.label.as_deref()), (Some("bovada"), Some("lagging")));
    assert!(s.detail.ev.is_some_and(|ev| ev > 0.0));
}

#[test]
fn a_move_of_prices_alone_is_a_move_without_a_crossing() {
    for (line, sport) in [(-3.0, NFL), (-4.5, NFL), (-4.0, NBA)] {
        let mut tape = Tape::at_spread(sport, line);
        tape.stand(20);
        tape.all("spreads", line, -135, 115);
        tape.stand(20);
        let bench = Bench::of(&tape);
        bench.assert_none_of(&[KeyCross, Dislocation]);
        let moved: Vec<Signal> = bench.signals().into_iter().filter(|s| MOVES.contains(&s.kind)).collect();
        assert_eq!(moved.len(), 1, "{sport} {line}: {}", bench.told());
        assert_eq!((moved[0].kind, moved[0].side.as_deref()), (Steam, Some("home")));
        assert_eq!(moved[0].entry.as_ref().map(|e| (e.line, e.price_american)), Some((Some(line), -135)));
    }
}

#[test]
fn a_favourite_that_changes_crosses_every_key_in_between() {
    let mut tape = Tape::at_spread(NFL, -1.5);
    tape.stand(20);
    tape.all("spreads", 1.5, -110, -110);
    tape.stand(20);
    let bench = Bench::of(&tape);
    // No margin between -1 and 1 is key.
    bench.assert_told(&[(Steam, Some("away"))]);
    let steam = bench.only(Steam);
    assert_eq!((steam.direction, steam.entry.expect("entry").line), (Direction::Up, Some(-1.5)));

    let mut tape = Tape::at_spread(NFL, -3.5);
    tape.stand(20);
    tape.all("spreads", 3.5, -110, -110);
    tape.stand(20);
    let bench = Bench::of(&tape);
    bench.assert_told(&[(Steam, Some("away")), (KeyCross, Some("away"))]);
    let cross = bench.only(KeyCross);
    let mut keys: Vec<_> = cross.detail.keys.iter().map(|k| k.number).collect();
    keys.sort_unstable();
    assert_eq!(keys, [-3, 3]);
    assert_eq!((cross.from_value, cross.to_value), (-3.5, 3.5));
}

pub fn sparse() -> Tape {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.step = 20 * 60;
    tape.stand(6);
    tape.all("spreads", -4.5, -110, -110);
    tape.stand(3);
    tape
}

#[test]
fn looks_too_far_apart_are_no_ground_for_a_guess() {
    let bench = Bench::of(&sparse());
    bench.assert_none_of(&MOVES);
    for (kind, needed) in [(Steam, 3), (MultibookSync, 5), (Move, 10)] {
        let tally = bench.tally(kind).expect("tally");
        assert!(tally.not_evaluable >= 1, "{tally:?}");
        assert_eq!((tally.longest_gap_ms, tally.needed_ms), (20 * 60_000, needed * 60_000), "{}", kind.name());
    }
}

#[test]
fn windows_that_are_wide_enough_judge_the_same_looks() {
    let mut settings = defaults();
    let wide = |rule: &mut MoveRule| rule.window_ms = [30 * 60_000; 3];
    let rules = &mut settings.rules;
    [&mut rules.steam, &mut rules.sync, &mut rules.market_move].into_iter().for_each(wide);
    let bench = Bench::with(&sparse(), settings);
    let steam = bench.only(Steam);
    assert_eq!((steam.window_minutes, steam.side.as_deref()), (30.0, Some("home")), "{}", bench.told());
    assert_eq!((steam.sampling.longest_gap_seconds, steam.sampling.limit_seconds), (1200.0, 1800.0));
    bench.assert_none_of(&[MultibookSync, Move]);
    assert_eq!(bench.tally(Steam).expect("tally").not_evaluable, 0);
}

/// One book after the other, too slowly for a steam: the market as a whole has moved only after most of them have. Both
/// detectors see one move, and it is told once.
#[test]
fn a_slow_move_is_told_once() {
    let bench = Bench::of(&slow());
    let moved: Vec<Signal> = bench.signals().into_iter().filter(|s| MOVES.contains(&s.kind)).collect();
    assert_eq!(moved.len(), 1, "{}", bench.told());
    assert_eq!((moved[0].kind, moved[0].side.as_deref()), (MultibookSync, Some("home")));
}

/// Five of eight books move by half a point, one a minute.
pub fn slow() -> Tape {
    let mut tape = Tape::at_spread(NBA, -4.0);
    tape.stand(20);
    for book in &EIGHT[..5] {
        tape.set(book, "spreads", -4.5, -110, -110);
        tape.look();
    }
    tape.stand(20);
    tape
}
