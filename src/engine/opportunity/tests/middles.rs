//! Middles.

use super::middle::{shares, value};
use super::*;
use crate::market::value::Settlement;

const D110: f64 = 1.0 + 100.0 / 110.0;
const D120: f64 = 1.0 + 100.0 / 120.0;

fn middles(board: &mut Board) -> Vec<Opportunity> {
    board.of(OpportunityKind::Middle)
}

#[test]
fn half_a_point_is_no_full_middle() {
    // Home -3 at -110 with away +3.5 at -120: a three-point win refunds the first leg and wins the second.
    let home = Settlement::whole(0.453, 0.094, 0.453);
    let away = Settlement::whole(0.547, 0.0, 0.453);
    let v = value([&home, &away], [D110, D120]);
    near(v.both_win, 0.0, 1e-12);
    near(v.win_push[1], 0.094, 1e-12);
    near(v.ev, -0.019, 5e-4);
    let model = margin("americanfootball_nfl");
    let at = model.location(Side::Home, line(-3.0), 0.5).expect("location");
    let of = |side, points| model.settlement(side, line(points), at).expect("settlement");
    let v = value([&of(Side::Home, -3.0), &of(Side::Away, 3.5)], [D110, D120]);
    near(v.win_push[1], 0.094, 0.015);
    near(v.ev, -0.019, 0.006);
    let mut board = Board::spread();
    board.times(5, -3.0, -110, -110).at(-3.5, 100, -120);
    assert_eq!(middles(&mut board), []);
}

#[test]
fn the_sum_of_two_bets_agrees_with_the_joint_count() {
    let model = margin("americanfootball_nfl");
    for at in [-4.3, 0.0, 2.6, 3.1, 6.9] {
        for (home, away) in [(-2.5, 3.5), (-3.0, 4.0), (-3.0, 3.5), (-2.5, 3.0), (-6.5, 7.5), (1.0, 2.5)] {
            let odds = [D110, 2.05];
            let joint = model.middle([(Side::Home, line(home)), (Side::Away, line(away))], odds, at).expect("middle");
            let of = |side, points| model.settlement(side, line(points), at).expect("settlement");
            let v = value([&of(Side::Home, home), &of(Side::Away, away)], odds);
            near(v.ev, joint.ev(), 1e-9);
            near(v.both_win, joint.both_win, 1e-9);
            near(v.win_push[0], joint.win_push[0], 1e-9);
            near(v.win_push[1], joint.win_push[1], 1e-9);
        }
    }
}

#[test]
fn either_leg_alone_returns_the_same() {
    let odds = [1.8, 2.4];
    let [a, b] = shares(odds);
    near(a + b, 1.0, 1e-12);
    near(a * odds[0], b * odds[1], 1e-12);
}

#[test]
fn a_field_goal_pays_for_the_juice() {
    let mut board = Board::spread();
    board.times(6, -3.0, -110, -110).at(-2.5, -108, -112).at(-3.5, -105, -115);
    let found = middles(&mut board);
    assert_eq!(found.len(), 1, "{found:?}");
    let o = &found[0];
    assert_eq!((o.legs[0].book, o.legs[0].line), (BookId(6), Some(line(-2.5))));
    assert_eq!((o.legs[1].book, o.legs[1].line), (BookId(7), Some(line(3.5))));
    near(o.chance.expect("chance"), 0.094, 0.015);
    assert!(o.ev > 0.02 && o.ev < 0.05, "{}", o.ev);
    near(o.legs.iter().map(|l| l.share).sum(), 1.0, 1e-12);
    assert!(o.edge.is_none() && o.kelly.is_none() && !o.suspect);
}

#[test]
fn no_basketball_number_pays_for_it() {
    let mut board = Board::new(Layout::Spread, Scale::Points(margin("basketball_nba")));
    board.times(6, -3.0, -110, -110).at(-2.5, -110, -110).at(-3.5, -110, -110);
    assert_eq!(middles(&mut board), []);
}

#[test]
fn the_other_way_round_both_lose() {
    // Home -3.5 and away +2.5: a field goal loses both.
    let mut board = Board::spread();
    board.times(6, -3.0, -110, -110).at(-3.5, 130, -150).at(-2.5, -150, 130);
    for o in middles(&mut board) {
        assert!(o.legs[0].line.zip(o.legs[1].line).is_some_and(|(h, a)| h.points() + a.points() > 0.0), "{o:?}");
    }
}

#[test]
fn legs_of_a_middle_are_close_in_time() {
    let mut board = Board::spread();
    board.times(6, -3.0, -110, -110).at(-2.5, -108, -112);
    let late = rule().max_skew_ms / 1000 + 1;
    board.book(Some(-3.5), &[Some(american(-105)), Some(american(-115))], late);
    assert_eq!(middles(&mut board), []);
}

#[test]
fn totals_have_middles_too() {
    let models = Models::embedded().expect("models");
    let model = models.for_sport("americanfootball_nfl").expect("nfl").model.total().expect("total").clone();
    let mut board = Board::new(Layout::Total, Scale::Points(Box::leak(Box::new(model))));
    board.times(6, 44.0, -110, -110).at(42.0, -102, -118).at(46.0, -118, -102);
    let found = middles(&mut board);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].legs[0].side, found[0].legs[0].line), (Side::Over, Some(line(42.0))));
    assert_eq!((found[0].legs[1].side, found[0].legs[1].line), (Side::Under, Some(line(46.0))));
    let mut none = Board::new(Layout::Total, Scale::LogOdds);
    none.times(6, 44.0, -110, -110).at(42.0, -102, -118).at(46.0, -118, -102);
    assert_eq!(middles(&mut none), [], "without a model nobody knows the chance");
}
