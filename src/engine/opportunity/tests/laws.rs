//! What holds for every board.

use proptest::prelude::*;

use super::*;

fn american_price() -> impl Strategy<Value = i64> {
    prop_oneof![-200_i64..=-100, 100_i64..=180]
}

fn spreads() -> impl Strategy<Value = Board> {
    let book = (-8_i32..=-2, american_price(), -150_i64..=-100, 0_i64..500, prop::bool::weighted(0.9));
    prop::collection::vec(book, 4..12).prop_map(|books| {
        let mut board = Board::spread();
        for (half, first, second, age, takes) in books {
            let prices = [Some(american(first)), Some(american(second))];
            board.book(Some(f64::from(half) * 0.5), &prices, age);
            if let Some(taker) = board.takers.last_mut() {
                taker.takes = takes;
            }
        }
        board
    })
}

fn three_ways() -> impl Strategy<Value = Board> {
    let book = (100_i64..180, 180_i64..300, 190_i64..300, 0_i64..500);
    prop::collection::vec(book, 3..9).prop_map(|books| {
        let mut board = Board::new(Layout::ThreeWay, Scale::LogOdds);
        for (home, away, draw, age) in books {
            let prices = [home, away, draw].map(|p| Some(american(p)));
            board.book(None, &prices, age);
        }
        board
    })
}

fn check(board: &mut Board) -> Result<(), TestCaseError> {
    let found = board.all();
    let rule = board.rule;
    for o in &found {
        let share: f64 = o.legs.iter().map(|l| l.share).sum();
        prop_assert!((share - 1.0).abs() < 1e-9);
        prop_assert!(o.ev.is_finite());
        prop_assert!(o.legs.iter().all(|l| l.age_ms <= rule.max_age_ms && board.taker(l.book).takes));
        let ages = o.legs.iter().map(|l| l.age_ms);
        prop_assert!(ages.clone().max().unwrap_or(0) - ages.min().unwrap_or(0) <= rule.max_skew_ms);
        match o.kind {
            OpportunityKind::PositiveEv => {
                let edge = o.edge.unwrap_or(f64::NAN);
                prop_assert!(o.ev >= rule.min_ev && edge >= o.ev - 1e-12, "a push only takes from a profit");
                prop_assert!(o.kelly.is_some_and(|k| k > 0.0 && k <= 1.0));
                prop_assert!(o.suspect || o.ev <= rule.suspect_above);
            }
            OpportunityKind::Arbitrage => {
                prop_assert!(o.ev > 0.0);
                for leg in &o.legs {
                    prop_assert!((leg.share * leg.odds - 1.0 - o.ev).abs() < 1e-9, "every result pays the same");
                }
            }
            OpportunityKind::LowHold => prop_assert!(o.ev <= 0.0 && o.ev >= -rule.max_hold / (1.0 - rule.max_hold)),
            OpportunityKind::Middle => {
                prop_assert!(o.ev > 0.0 && o.chance.is_some_and(|c| c > 0.0 && c < 1.0));
                prop_assert!(o.legs[0].book != o.legs[1].book);
            }
        }
    }
    prop_assert!(found.iter().filter(|o| o.kind == OpportunityKind::Middle).count() <= 1);
    // The same question has the same answer, and what was in the list stays.
    let mut again = found.clone();
    find(&board.question(), &board.rule, |book| board.taker(book), &mut again);
    prop_assert_eq!(&again[found.len()..], &found[..]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn spreads_keep_the_laws(mut board in spreads()) {
        check(&mut board)?;
    }

    #[test]
    fn three_ways_keep_the_laws(mut board in three_ways()) {
        check(&mut board)?;
    }

    #[test]
    fn the_order_of_views_changes_nothing_but_the_last_bits(mut board in spreads(), turn in 0_usize..12) {
        let found = board.all();
        let by = turn % board.views.len();
        board.views.rotate_left(by);
        let turned = board.all();
        prop_assert_eq!(found.len(), turned.len());
        for (a, b) in found.iter().zip(&turned).filter(|(a, _)| a.kind != OpportunityKind::PositiveEv) {
            prop_assert_eq!(a.kind, b.kind);
            prop_assert!((a.ev - b.ev).abs() < 1e-9);
        }
    }

    #[test]
    fn a_better_price_is_never_worth_less(mut board in spreads(), cents in 1_i64..20) {
        board.price();
        let rule = OpportunityRule { min_ev: -1.0, ..board.rule };
        let mut out = Vec::new();
        find(&board.question(), &rule, |book| board.taker(book), &mut out);
        for o in out.iter().filter(|o| o.kind == OpportunityKind::PositiveEv) {
            let leg = o.legs[0];
            let (Some(fair), Some(line)) = (board.priced.without(leg.book.0), leg.line) else { continue };
            let seen = board.layout.line_for(line, leg.side);
            let judged = board.question().judge(fair, leg.side, Some(seen));
            let better = judged.map(|j| j.settlement.ev(leg.odds + cents as f64 / 100.0));
            prop_assert!(better.is_some_and(|b| b >= o.ev));
        }
    }
}

#[test]
fn a_full_board_of_thirty_books() {
    let mut board = Board::spread();
    for book in 0..30_i64 {
        board.at(-3.0 + 0.5 * f64::from(book as i32 % 3 - 1), -110 - book % 5, -110 + book % 4);
    }
    board.price();
    let mut out = Vec::new();
    let question = board.question();
    for _ in 0..200 {
        out.clear();
        find(&question, &board.rule, |book| board.taker(book), &mut out);
    }
    let first = out.clone();
    out.clear();
    find(&question, &board.rule, |book| board.taker(book), &mut out);
    assert_eq!(out, first);
}
