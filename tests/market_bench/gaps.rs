//! Books and markets that go away and come back: their absence and their return are no moves.

use stratum::engine::detect::signal::SignalType;

use super::bench::Bench;
use super::tape::{EIGHT, NBA, NFL, Tape};

use SignalType::{Dislocation, KeyCross, Move, MultibookSync, Steam};

#[test]
fn a_book_or_a_market_that_goes_away_moves_nothing() {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.all("h2h", 0.0, -150, 130);
    tape.set("bovada", "spreads", -2.5, -110, -110);
    tape.set("fanduel", "spreads", -3.5, -110, -110);
    tape.stand(20);
    tape.drop_book("bovada");
    tape.close("fanduel", "spreads");
    tape.stand(15);
    tape.set("bovada", "spreads", -2.5, -110, -110);
    tape.set("fanduel", "spreads", -3.5, -110, -110);
    tape.stand(15);
    Bench::of(&tape).assert_told(&[]);
}

#[test]
fn half_of_the_books_going_away_moves_nothing() {
    let mut tape = Tape::at_spread(NBA, -3.0);
    tape.books(&EIGHT[..4], "spreads", -2.5, -110, -110);
    tape.stand(20);
    EIGHT[..4].iter().for_each(|book| tape.drop_book(book));
    tape.stand(20);
    Bench::of(&tape).assert_told(&[]);
}

/// A book comes back with a price of its own and keeps it for so many looks.
pub fn spiked(looks: usize) -> Tape {
    let mut tape = Tape::at_spread(NFL, -3.0);
    tape.stand(20);
    tape.close("fanduel", "spreads");
    tape.stand(5);
    tape.set("fanduel", "spreads", -8.5, -110, -110);
    tape.stand(looks);
    tape
}

#[test]
fn a_book_that_comes_back_far_away_is_held_for_a_look() {
    Bench::of(&spiked(1)).assert_told(&[]);
    let tape = spiked(6);
    let bench = Bench::of(&tape);
    bench.assert_told(&[(Dislocation, Some("away"))]);
    assert_eq!(bench.only(Dislocation).detected_at, tape.at(26 * 60));
}

#[test]
fn a_spike_of_one_look_upon_return_is_never_told() {
    let mut tape = spiked(1);
    tape.set("fanduel", "spreads", -3.0, -110, -110);
    tape.stand(15);
    Bench::of(&tape).assert_told(&[]);
}

/// All books close a market and open it again somewhere else.
pub fn suspended(looks: usize) -> Tape {
    let mut tape = Tape::at_spread(NFL, -4.5);
    tape.all("h2h", 0.0, -200, 170);
    tape.stand(30);
    EIGHT.iter().for_each(|book| tape.close(book, "spreads"));
    tape.stand(looks);
    tape.all("spreads", -6.5, -110, -110);
    tape.stand(25);
    tape
}

/// The panel of a window are the books that were open at its start, and ten minutes ago nobody was.
#[test]
fn a_market_that_reopens_elsewhere_has_not_moved() {
    Bench::of(&suspended(12)).assert_told(&[]);
}

/// A short break lies inside the window of a move: the same books stood elsewhere before it.
#[test]
fn a_short_suspension_is_seen_through_by_the_windows_that_began_before_it() {
    let bench = Bench::of(&suspended(4));
    bench.assert_none_of(&[Steam, Dislocation]);
    let moved: Vec<_> = bench.signals().into_iter().filter(|s| [Move, MultibookSync].contains(&s.kind)).collect();
    assert!(moved.len() == 1 && moved[0].side.as_deref() == Some("home"), "{}", bench.told());
    assert!(bench.of_type(KeyCross).len() == 1, "{}", bench.told());
}
