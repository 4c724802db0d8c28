//! Boards on which nothing happens, or nothing that a market did: no signal may come of them.

use serde_json::json;
use stratum::engine::detect::signal::SignalType;

use super::bench::Bench;
use super::tape::{EIGHT, NBA, NFL, Offer, Tape};

#[test]
fn a_quiet_market_tells_nothing() {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.all("totals", 44.5, -110, -110);
    tape.all("h2h", 0.0, -150, 130);
    tape.stand(60);
    let bench = Bench::of(&tape);
    bench.assert_told(&[]);
    assert!(bench.clv().is_empty() && bench.closes().is_empty());
}

/// Lines that differ, each with the price that goes with it, and with the same price everywhere.
#[test]
fn a_cold_start_on_different_lines_tells_nothing() {
    let lines = [-2.5, -3.0, -3.0, -3.5, -3.5, -4.0, -3.0, -3.5];
    let fair = |line: f64| match line {
        -2.5 => (-135, 115),
        -3.0 => (-115, -105),
        -3.5 => (105, -125),
        _ => (110, -130),
    };
    for (sport, fairly) in [(NFL, true), (NBA, false)] {
        let mut tape = Tape::of(sport);
        for (book, line) in EIGHT.iter().zip(lines) {
            let (home, away) = if fairly { fair(line) } else { (-110, -110) };
            tape.set(book, "spreads", line, home, away);
        }
        tape.stand(30);
        Bench::of(&tape).assert_told(&[]);
    }
}

/// Around the 3 of the NFL half a point at the same price is worth more than the vig: such a board holds quotes that
/// are worth taking, which is told as that. Nobody has moved.
#[test]
fn a_cold_start_across_a_key_number_is_no_move() {
    let mut tape = Tape::of(NFL);
    for (book, line) in EIGHT.iter().zip([-2.5, -3.0, -3.0, -3.5, -3.5, -4.0, -3.0, -3.5]) {
        tape.set(book, "spreads", line, -110, -110);
    }
    tape.stand(1);
    Bench::of(&tape).assert_told(&[]);
    tape.stand(30);
    for s in Bench::of(&tape).signals() {
        assert_eq!(s.kind, SignalType::Dislocation);
        assert!(s.detail.ev.is_some_and(|ev| ev > 0.0), "{:#?}", s.detail);
    }
}

#[test]
fn books_that_join_one_by_one_move_nothing() {
    let mut tape = Tape::of(NBA);
    for (book, line) in EIGHT.iter().zip([-2.5, -2.5, -3.0, -3.0, -3.5, -3.5, -3.5, -3.5]) {
        tape.set(book, "spreads", line, -110, -110);
        tape.stand(2);
    }
    tape.stand(20);
    Bench::of(&tape).assert_told(&[]);
}

/// The pick'em on which medians of American prices saw six dislocations.
#[test]
fn a_pickem_has_no_dislocation() {
    let mut tape = Tape::of(NFL);
    let spreads = [
        (0.0, -110, -110),
        (0.0, -108, -112),
        (0.0, -106, -114),
        (-1.0, 104, -126),
        (1.0, -126, 104),
        (-1.0, 100, -120),
        (1.0, -120, 100),
        (0.0, -110, -110),
    ];
    let moneylines =
        [(-110, -110), (-105, -115), (100, -120), (-118, 100), (-115, -105), (-108, -112), (-110, 100), (100, -110)];
    for ((book, (line, home, away)), (h, a)) in EIGHT.iter().zip(spreads).zip(moneylines) {
        tape.set(book, "spreads", line, home, away);
        tape.set(book, "h2h", 0.0, h, a);
    }
    tape.stand(30);
    let bench = Bench::of(&tape);
    bench.assert_told(&[]);
    let reader = bench.reader();
    let event = reader.events(None).expect("events").remove(0);
    let points = reader.points(event.id, tape.at(0), tape.at(tape.now)).expect("points");
    assert!(!points.is_empty());
    // The consensus of a pick'em is even money, not some 5 %.
    for consensus in points.iter().filter_map(|p| p.point.consensus) {
        assert!((consensus.probability - 0.5).abs() < 0.03, "{consensus:?}");
    }
}

#[test]
fn one_book_that_jitters_is_no_news() {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.all("h2h", 0.0, -150, 130);
    for n in 0..60 {
        let (home, away) = if n % 2 == 0 { (-105, -115) } else { (-115, -105) };
        tape.set("fanduel", "spreads", -3.0, home, away);
        let (home, away) = if n % 2 == 0 { (-145, 125) } else { (-155, 135) };
        tape.set("bovada", "h2h", 0.0, home, away);
        tape.look();
    }
    Bench::of(&tape).assert_told(&[]);
}

#[test]
fn half_a_point_paid_for_in_juice_is_hardly_a_move() {
    let mut tape = Tape::of(NFL);
    tape.all("spreads", -3.0, -120, 100);
    tape.stand(20);
    tape.all("spreads", -3.5, 100, -120);
    tape.stand(20);
    let bench = Bench::of(&tape);
    bench.assert_none_of(&[SignalType::Steam, SignalType::MultibookSync, SignalType::Move, SignalType::Dislocation]);
    // The line did leave the 3, and that is told as what it is.
    let cross = bench.only(SignalType::KeyCross);
    assert_eq!((cross.from_value, cross.to_value), (-3.0, -3.5));
}

#[test]
fn sister_books_are_one_opinion() {
    let kambi = ["betrivers", "ballybet", "betparx"];
    let betonline = ["betonlineag", "lowvig"];
    let others = ["draftkings", "fanduel", "betmgm", "williamhill_us", "fanatics", "bovada"];
    for movers in [&kambi[..], &[&kambi[..], &betonline[..]].concat()] {
        let mut tape = Tape::of(NFL);
        for books in [&kambi[..], &betonline, &others] {
            tape.books(books, "spreads", -4.5, -110, -110);
            tape.books(books, "totals", 44.5, -110, -110);
        }
        tape.stand(20);
        tape.books(movers, "spreads", -5.0, -110, -110);
        tape.books(movers, "totals", 45.5, -110, -110);
        tape.stand(20);
        Bench::of(&tape).assert_told(&[]);
    }
}

#[test]
fn data_that_contradicts_itself_tells_nothing() {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.all("h2h", 0.0, -150, 130);
    tape.stand(15);
    let (home, away) = (tape.game().home.clone(), tape.game().away.clone());
    let side = |name: &str, price: serde_json::Value, point: f64| json!({"name": name, "price": price, "point": point});
    let wrong = |a: serde_json::Value, b: serde_json::Value| Offer::Outcomes(json!([a, b]));
    let good = tape.clone();
    for _ in 0..6 {
        let offers = [
            // Points that do not mirror.
            ("draftkings", wrong(side(&home, json!(-110), -8.5), side(&away, json!(-110), 3.5))),
            ("fanduel", wrong(side(&home, json!(-110), -8.5), side(&away, json!(-110), -8.5))),
            // Prices that are none.
            ("betmgm", wrong(side(&home, json!(0), -8.5), side(&away, json!(-110), 8.5))),
            ("bovada", wrong(side(&home, json!("soon"), -8.5), side(&away, json!(null), 8.5))),
            // A market of one side, and one of a stranger.
            ("fanatics", Offer::Outcomes(json!([side(&home, json!(-110), -8.5)]))),
            ("betrivers", wrong(side("Springfield", json!(-110), -8.5), side(&away, json!(-110), 8.5))),
        ];
        for (book, offer) in offers {
            tape.game().offers.insert((book.into(), "spreads".into()), offer);
        }
        tape.look();
        // ... and in between everything is as it was.
        tape.games.clone_from(&good.games);
        tape.look();
    }
    tape.stand(15);
    Bench::of(&tape).assert_told(&[]);
}
