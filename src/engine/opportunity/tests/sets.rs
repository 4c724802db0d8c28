//! Arbitrage and low hold.

use super::*;
use crate::market::market_key::{MarketSpec, Stance};

fn low(board: &mut Board) -> Vec<Opportunity> {
    board.of(OpportunityKind::LowHold)
}

#[test]
fn the_best_prices_of_both_sides() {
    let mut board = Board::moneyline();
    board.ml(&[110, -130]).ml(&[-125, -105]).ml(&[100, -120]);
    let found = board.arbs();
    assert_eq!(found.len(), 1);
    let o = &found[0];
    near(o.ev, 0.011_75, 5e-6);
    near(500.0 * o.legs[0].share, 240.89, 0.005);
    near(500.0 * o.legs[1].share, 259.11, 0.005);
    assert_eq!((o.legs[0].book, o.legs[1].book, o.suspect), (BookId(0), BookId(1), false));
    let plan = split::plan(&[o.legs[0].odds, o.legs[1].odds], 500.0, 20.0, &[]).expect("plan");
    assert_eq!(plan.stakes, [240.0, 260.0]);
}

#[test]
fn two_of_three_outcomes_are_no_market() {
    let mut board = Board::new(Layout::ThreeWay, Scale::LogOdds);
    let (home, away, draw) = (Some(american(120)), Some(american(240)), Some(american(230)));
    board.book(None, &[home, None, None], 0).book(None, &[None, away, None], 0);
    assert_eq!(board.all(), [], "the draw is missing");
    board.book(None, &[None, None, draw], 0);
    assert_eq!(board.all(), [], "all three cost 1.05");
    let decimal = |d: f64| Some(Price::decimal(d).expect("price"));
    let mut three = Board::new(Layout::ThreeWay, Scale::LogOdds);
    three.book(None, &[decimal(2.75), None, None], 0).book(None, &[None, None, decimal(3.80)], 0).book(
        None,
        &[None, decimal(3.10), None],
        0,
    );
    let found = three.arbs();
    assert_eq!(found.len(), 1);
    near(found[0].ev, 0.053_3, 5e-5);
    assert_eq!(found[0].legs.len(), 3);
}

#[test]
fn minus_one_and_a_half_on_both_teams_is_no_arbitrage() {
    for scale in [Scale::LogOdds, Scale::Points(margin("baseball_mlb"))] {
        let mut board = Board::new(Layout::Spread, scale);
        // The second book gives the away team -1.5: as the home team sees it, +1.5.
        board.at(-1.5, 150, -180).at(1.5, -190, 160);
        assert_eq!(board.arbs(), [], "a one-run game loses both");
    }
    let mut real = Board::new(Layout::Spread, Scale::LogOdds);
    real.at(-1.5, 150, -180).at(-1.5, 135, -145);
    near(real.arbs()[0].ev, 1.0 / (0.4 + 145.0 / 245.0) - 1.0, 1e-12);
    assert_eq!(real.arbs()[0].legs[1].line, Some(line(1.5)));
}

#[test]
fn over_and_under_pair_at_one_total() {
    let mut board = Board::new(Layout::Total, Scale::LogOdds);
    board.at(44.0, 105, -130).at(43.5, -130, 105);
    assert_eq!(board.arbs(), []);
    board.at(44.0, -130, 105);
    let found = board.arbs();
    assert_eq!(found.len(), 1);
    assert!(found[0].legs.iter().all(|l| l.line == Some(line(44.0))));
}

#[test]
fn every_line_is_considered() {
    let mut board = Board::spread();
    board.times(4, -3.0, -110, -110).at(-3.5, 112, -132).at(-3.5, -125, -102).at(-2.5, -130, 110);
    let found = board.arbs();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].legs[0].line, Some(line(-3.5)));
    assert_eq!(found[0].legs[1].line, Some(line(3.5)));
}

#[test]
fn legs_of_different_minutes_are_a_move() {
    let skew = rule().max_skew_ms / 1000;
    let board = |age: i64| {
        let mut board = Board::moneyline();
        board.ml(&[110, -130]).book(None, &[Some(american(-125)), Some(american(-105))], age);
        board
    };
    assert_eq!(board(skew).arbs().len(), 1);
    assert_eq!(board(skew + 1).all(), []);
    // A lower price that was seen together with the other leg still does it.
    let mut second = board(skew + 1);
    second.book(None, &[Some(american(-122)), Some(american(-107))], 5);
    let found = second.arbs();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].legs[1].book, BookId(2));
    assert_eq!(found[0].legs[1].price, american(-107));
}

#[test]
fn old_and_closed_quotes_are_no_legs() {
    let max = rule().max_age_ms / 1000;
    let mut old = Board::moneyline();
    for age in [max + 1, max + 2] {
        old.book(None, &[Some(american(110)), Some(american(-130))], age);
        old.book(None, &[Some(american(-125)), Some(american(-105))], age);
    }
    assert_eq!(old.all(), []);
    let mut gone = Board::moneyline();
    gone.ml(&[-125, -105]);
    let mut offer = Offer::default();
    offer.add(Layout::Moneyline, Side::Home, QuoteValue { status: Status::Gone, ..quote(None, american(110), 0) });
    offer.add(Layout::Moneyline, Side::Away, quote(None, american(-130), 0));
    gone.add(&offer);
    assert_eq!(gone.arbs(), []);
}

#[test]
fn one_book_is_no_arbitrage() {
    let mut board = Board::moneyline();
    board.ml(&[110, 105]);
    assert_eq!(board.all(), []);
    // Nor is an exchange whose back prices cross.
    let mut offer = Offer::default();
    for (side, back, lay) in [(Side::Home, 2.04, 2.06), (Side::Away, 2.02, 2.04)] {
        offer.add(Layout::Moneyline, side, quote(None, Price::decimal(back).expect("price"), 0));
        offer.add_other(Stance::Lay, Layout::Moneyline, side, quote(None, Price::decimal(lay).expect("price"), 0));
    }
    let mut exchange = Board::moneyline();
    exchange.add(&offer);
    assert_eq!(exchange.all(), []);
}

#[test]
fn lay_prices_are_no_legs() {
    let mut offer = Offer::default();
    for (side, back, lay) in [(Side::Home, 1.96, 2.04), (Side::Away, 1.98, 2.06)] {
        offer.add(Layout::Moneyline, side, quote(None, Price::decimal(back).expect("price"), 0));
        offer.add_other(Stance::Lay, Layout::Moneyline, side, quote(None, Price::decimal(lay).expect("price"), 0));
    }
    let mut board = Board::moneyline();
    board.add(&offer).ml(&[-125, 100]);
    assert_eq!(board.arbs(), [], "2.04 is what the other side of the exchange is paid");
    assert_eq!(Layout::of(MarketSpec::parse("h2h_lay"), false, Side::Home), None);
}

#[test]
fn fees_come_before_the_sum() {
    let mut board = Board::moneyline();
    board.ml(&[110, -130]).ml(&[-125, -105]);
    board.takers[0].fee = Fee::NetWin(0.05);
    assert_eq!(board.arbs(), []);
    assert_eq!(low(&mut board).len(), 1);
}

#[test]
fn low_hold_is_worth_telling_up_to_its_limit() {
    let mut board = Board::moneyline();
    board.rule.max_hold = 0.013;
    board.ml(&[100, -120]).ml(&[-125, -105]);
    let found = low(&mut board);
    assert_eq!(found.len(), 1);
    near(found[0].ev, -0.012_05, 5e-6);
    near(found[0].legs.iter().map(|l| l.share).sum(), 1.0, 1e-12);
    assert_eq!(board.arbs(), []);
    board.rule.max_hold = 0.012;
    assert_eq!(board.all(), []);
    let mut none = Board::moneyline();
    none.ml(&[100, -120]).ml(&[-120, 100]);
    assert_eq!(low(&mut none)[0].ev, 0.0, "nothing lost, nothing won");
}

#[test]
fn ten_per_cent_is_an_error_until_a_person_looks() {
    let mut board = Board::moneyline();
    board.ml(&[150, -180]).ml(&[-125, 105]).ml(&[-110, -110]);
    assert!(board.arbs()[0].suspect);
}
