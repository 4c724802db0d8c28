//! The actionable card.

use super::card::{Card, CardState, card};
use super::*;

fn of(board: &mut Board, side: Side) -> Card {
    board.price();
    let name = |book: BookId| format!("book{}", book.0);
    card(&board.question(), side, &board.rule, |book| board.taker(book), name).expect("card")
}

#[test]
fn the_best_book_is_the_most_valuable_not_the_most_different() {
    // Consensus -3.5; the same side at -2.5, -3.5 and -5.5.
    let mut board = Board::spread();
    board.times(6, -3.5, -110, -110).at(-2.5, -125, 105).at(-5.5, -110, -110);
    let got = of(&mut board, Side::Home);
    assert_eq!(got.state, CardState::Take);
    let best = got.best.as_ref().expect("best");
    assert_eq!((best.row.book.as_str(), best.row.line), ("book6", Some(-2.5)));
    assert_eq!(got.rows.last().map(|r| r.book.as_str()), Some("book7"), "-5.5 is the worst");
    assert!(got.rows.is_sorted_by(|a, b| a.ev >= b.ev), "{:?}", got.rows);
    assert!(got.rows.last().and_then(|r| r.ev).is_some_and(|ev| ev < -0.1), "with its sign");
    assert_eq!(best.limits.line, Some(-2.5));
    assert_eq!(best.limits.valid_until, NOW.plus(rule().max_age_ms));
    assert!(best.limits.break_even < best.row.price && best.limits.break_even > 1.0);
    assert_eq!((got.side, got.reference_line, got.scale), ("home", Some(-3.5), "points"));
    let away = of(&mut board, Side::Away);
    assert_eq!(away.best.expect("best").row.line, Some(5.5));
    assert_eq!(away.reference_line, Some(3.5));
}

#[test]
fn nothing_to_take_is_an_answer() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    let got = of(&mut board, Side::Home);
    assert_eq!((got.state, got.best.is_none(), got.rows.len()), (CardState::NothingToTake, true, 6));
    near(got.rows[0].ev.expect("ev"), 0.5 * (1.0 + 100.0 / 110.0) - 1.0, 1e-9);
    near(got.fair_probability.expect("fair"), 0.5, 1e-12);
    board.ml(&[140, -170]);
    assert_eq!(of(&mut board, Side::Home).state, CardState::OnlySuspect);
    let mut few = Board::moneyline();
    few.ml(&[-110, -110]).ml(&[105, -125]);
    let got = of(&mut few, Side::Home);
    assert_eq!((got.state, got.families), (CardState::NoFairPrice, 0));
    assert!(got.rows.iter().all(|r| r.ev.is_none()));
    assert_eq!(got.rows[0].price_american, 105, "then the higher price first");
    assert_eq!(of(&mut Board::moneyline(), Side::Home).state, CardState::NoQuotes);
    let name = |_| String::new();
    assert!(card(&few.question(), Side::Over, &few.rule, |b| few.taker(b), name).is_none());
}

#[test]
fn what_cannot_be_taken_is_shown_last_with_its_reason() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.book(None, &[Some(american(115)), Some(american(-135))], 3600);
    board.ml(&[112, -132]);
    board.takers[7].takes = false;
    board.ml(&[120, 120]);
    let got = of(&mut board, Side::Home);
    assert_eq!(got.state, CardState::NothingToTake);
    let why: Vec<_> = got.rows.iter().map(|r| (r.book.as_str(), r.untakeable)).skip(6).collect();
    let mut sorted = why.clone();
    sorted.sort_by_key(|(book, _)| *book);
    assert_eq!(
        sorted,
        [
            ("book6", Some(Untakeable::TooOld)),
            ("book7", Some(Untakeable::OutOfReach)),
            ("book8", Some(Untakeable::NotOneBook)),
        ]
    );
    let old = got.rows.iter().find(|r| r.book == "book6").expect("row");
    assert!(old.age_seconds == 3600.0 && old.ev.is_some_and(|ev| ev > 0.0));
    assert!(got.best_price_per_line.iter().all(|l| l.price_american == -110));
}

#[test]
fn prices_per_line_and_lines_per_price() {
    let mut board = Board::spread();
    board.times(4, -3.0, -110, -110).at(-3.0, -105, -115).at(-3.5, 100, -120).at(-2.5, -125, 105).at(-3.5, -105, -115);
    let got = of(&mut board, Side::Home);
    let per_line: Vec<_> = got.best_price_per_line.iter().map(|l| (l.line, l.price_american)).collect();
    assert_eq!(per_line, [(Some(-2.5), -125), (Some(-3.0), -105), (Some(-3.5), 100)]);
    let per_price: Vec<_> = got.best_line_per_price.iter().map(|l| (l.price_american, l.line)).collect();
    assert_eq!(per_price, [(100, Some(-3.5)), (-105, Some(-3.0)), (-110, Some(-3.0)), (-125, Some(-2.5))]);
    let mut total = Board::new(Layout::Total, Scale::LogOdds);
    total.times(4, 44.5, -110, -110).at(43.5, -110, -110);
    let over: Vec<_> = of(&mut total, Side::Over).best_line_per_price.iter().map(|l| l.line).collect();
    let under: Vec<_> = of(&mut total, Side::Under).best_line_per_price.iter().map(|l| l.line).collect();
    assert_eq!((over, under), (vec![Some(43.5)], vec![Some(44.5)]), "over the lower, under the higher");
}

#[test]
fn the_json_form() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[110, -130]);
    let json = serde_json::to_value(of(&mut board, Side::Home)).expect("json");
    assert_eq!(json["state"], "take");
    assert_eq!(json["best"]["book"], "book6");
    assert_eq!(json["best"]["price_american"], 110);
    assert_eq!(json["best"]["limits"]["break_even_american"], 100);
    assert_eq!(json["rows"][0]["untakeable"], serde_json::Value::Null);
    assert_eq!(json["event_id"], 7);
}

#[test]
fn in_play_nothing_is_worth_anything_once_the_exchange_has_moved_since_the_look_at_the_books() {
    let card_of = |exchange_age: i64, in_play: bool| {
        let mut board = Board::moneyline();
        for _ in 0..6 {
            board.book(None, &[Some(american(-110)), Some(american(-110))], 20);
        }
        board.book(None, &[Some(american(120)), Some(american(-140))], exchange_age);
        board.takers[6].direct = true;
        board.price();
        let question = Question { in_play, ..board.question() };
        card(&question, Side::Home, &board.rule, |book| board.taker(book), |b| format!("book{}", b.0)).expect("card")
    };
    // It stood so when the books were looked at, or the game has not begun.
    for card in [card_of(20, true), card_of(5, false)] {
        assert!(card.rows.iter().all(|r| r.ev.is_some()), "{:?}", card.rows);
    }
    let torn = card_of(5, true);
    assert_eq!(torn.rows.len(), 7, "prices are shown all the same");
    assert!(torn.rows.iter().all(|r| r.ev.is_none() && r.edge.is_none() && r.kelly.is_none()), "{:?}", torn.rows);
    assert!(torn.best.is_none());
}
