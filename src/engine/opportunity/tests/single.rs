//! Single bets, with the wrong answers that other tools give to the same boards.

use super::*;

/// Six books at -110/-110 and one at +115, all at -3.
fn seven(scale: Scale<'static>) -> Board {
    let mut board = Board::new(Layout::Spread, scale);
    board.times(6, -3.0, -110, -110).at(-3.0, 115, -135);
    board
}

fn only(found: &[Opportunity]) -> &Opportunity {
    assert_eq!(found.len(), 1, "{found:?}");
    &found[0]
}

#[test]
fn the_priced_book_is_no_part_of_its_own_yardstick() {
    let found = seven(nfl()).ev();
    let o = only(&found);
    let Scale::Points(model) = nfl() else { unreachable!("a model") };
    let at = model.location(Side::Home, line(-3.0), 0.5).expect("location");
    let push = model.push(Side::Home, line(-3.0), at).expect("push");
    assert!(push > 0.07, "three is a key number");
    near(o.edge.expect("edge"), 0.075, 1e-6);
    near(o.ev, (1.0 - push) * 0.075, 1e-6);
    near(o.fair_probability.expect("probability"), 0.5, 1e-6);
    let leg = o.legs[0];
    assert_eq!((leg.book, leg.side, leg.line, leg.share), (BookId(6), Side::Home, Some(line(-3.0)), 1.0));
    assert_eq!((leg.odds, leg.age_ms, o.suspect), (2.15, 0, false));
    let (win, loss) = (0.5 * (1.0 - push), 0.5 * (1.0 - push));
    near(o.kelly.expect("kelly"), crate::market::value::kelly_push(win, loss, 2.15), 1e-6);
    assert!(o.standard_error.is_some_and(|s| s > 0.0));
    // Without a model nothing is known of the push; the edge is the same.
    let found = seven(Scale::LogOdds).ev();
    near(only(&found).edge.expect("edge"), 0.075, 1e-9);
    near(only(&found).ev, 0.075, 1e-9);
}

#[test]
fn books_at_another_number_switch_nothing_off() {
    for others in [1, 3] {
        let found = {
            let mut board = seven(Scale::LogOdds);
            board.times(others, -2.5, -110, -110);
            board.ev()
        };
        near(only(&found).edge.expect("edge"), 0.075, 1e-9);
        // Converted to one line: at the price that -2.5 has when -3 is even, they change nothing.
        let model = margin("americanfootball_nfl");
        let at = model.location(Side::Home, line(-3.0), 0.5).expect("location");
        let p = model.probability(Side::Home, line(-2.5), at).expect("probability");
        let prices = [p, 1.0 - p].map(|p| Price::decimal(1.0 / (p + 0.01)).ok());
        let mut board = seven(nfl());
        for _ in 0..others {
            board.book(Some(-2.5), &prices, 0);
        }
        let found = board.ev();
        near(only(&found).edge.expect("edge"), 0.075, 0.003);
        // At -110 they disagree about the favourite by more than half a point, and are heard, but not obeyed.
        let mut board = seven(nfl());
        board.times(others, -2.5, -110, -110);
        let found = board.ev();
        let o = found.iter().find(|o| o.legs[0].book == BookId(6)).expect("still there");
        assert!(o.edge.is_some_and(|e| e > 0.04 && e < 0.075), "{:?}", o.edge);
    }
}

#[test]
fn an_incomplete_market_has_prices_too() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.book(None, &[Some(american(115)), None], 0);
    let found = board.ev();
    near(only(&found).ev, 0.075, 1e-9);
}

#[test]
fn even_money_gives_no_false_value() {
    let mut board = Board::moneyline();
    for prices in [[-110, -110], [100, -120], [-110, -110], [100, -110], [-105, -115], [100, -120], [-110, -110]] {
        board.ml(&prices);
    }
    assert_eq!(board.ev(), [], "+100 beside -110 is a margin, not an edge");
    let mut level = Board::moneyline();
    for _ in 0..4 {
        level.ml(&[-110, -110]).ml(&[100, -120]);
    }
    assert_eq!(level.ev(), []);
}

#[test]
fn only_open_fresh_quotes_are_judged() {
    let board = |change: fn(QuoteValue) -> QuoteValue| {
        let mut board = Board::moneyline();
        for _ in 0..6 {
            board.ml(&[-110, -110]);
        }
        let mut offer = Offer::default();
        offer.add(Layout::Moneyline, Side::Home, change(quote(None, american(115), 0)));
        offer.add(Layout::Moneyline, Side::Away, quote(None, american(-135), 0));
        board.add(&offer);
        board
    };
    assert_eq!(board(|q| q).ev().len(), 1);
    for status in [Status::Gone, Status::Stale, Status::Flawed, Status::EventMissing, Status::Unreadable] {
        let mut board = board(|q| q);
        let mut offer = Offer::default();
        offer.add(Layout::Moneyline, Side::Home, QuoteValue { status, ..quote(None, american(115), 0) });
        offer.add(Layout::Moneyline, Side::Away, QuoteValue { status, ..quote(None, american(-135), 0) });
        board.add(&offer);
        let found = board.ev();
        assert!(found.iter().all(|o| o.legs[0].book != BookId(7)), "{status:?}");
    }
    assert_eq!(board(|q| QuoteValue { phase: Phase::InPlay, ..q }).ev(), []);
    let old = |ms: i64| {
        let mut board = Board::moneyline();
        for _ in 0..6 {
            board.ml(&[-110, -110]);
        }
        board.book(None, &[Some(american(115)), Some(american(-135))], ms / 1000);
        board.ev().len()
    };
    assert_eq!((old(rule().max_age_ms), old(rule().max_age_ms + 1000)), (1, 0));
}

#[test]
fn a_contradiction_is_no_gift() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[115, 115]);
    assert_eq!(board.all(), [], "both sides above even at one book is an error of the data");
    let mut reopened = Board::moneyline();
    for _ in 0..6 {
        reopened.ml(&[-110, -110]);
    }
    reopened.ml(&[115, -135]);
    assert_eq!(reopened.ev().len(), 1);
    reopened.views[6].own = Some(crate::engine::price::view::Exclusion::Reopened);
    assert_eq!(reopened.ev(), []);
}

#[test]
fn too_good_is_suspect() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[130, -160]);
    let found = board.ev();
    assert!(only(&found).suspect);
    near(only(&found).ev, 0.15, 1e-9);
    // A line that the model does not carry prices to is not believed either.
    let mut far = Board::spread();
    far.times(6, -3.0, -110, -110).at(-7.0, 330, -450).at(-3.0, 115, -135);
    let found = far.ev();
    assert!(found.iter().filter(|o| o.legs[0].line == Some(line(-7.0))).all(|o| o.suspect));
    assert!(found.iter().any(|o| !o.suspect));
}

#[test]
fn sisters_are_not_judged_by_each_other() {
    let mut board = Board::moneyline();
    for _ in 0..4 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[115, -135]).ml(&[115, -135]);
    board.takers[5].family = 4;
    let found = board.ev();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|o| (o.ev - 0.075).abs() < 1e-9));
    assert!(found[0].legs[0].book < found[1].legs[0].book, "ties in the order of books");
}

#[test]
fn fees_and_books_out_of_reach() {
    let mut board = Board::moneyline();
    for _ in 0..6 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[115, -135]);
    board.takers[6].fee = Fee::NetWin(0.02);
    let found = board.ev();
    near(only(&found).ev, 0.5 * (1.0 + 1.15 * 0.98) - 1.0, 1e-9);
    assert_eq!(only(&found).legs[0].price, american(115), "shown as quoted");
    board.takers[6].fee = Fee::NetWin(0.14);
    assert_eq!(board.ev(), []);
    board.takers[6] = Taker { takes: false, fee: Fee::None, family: 6, direct: false };
    assert_eq!(board.ev(), [], "a pick'em card is no price to take");
}

#[test]
fn three_ways_are_judged_side_by_side() {
    let mut board = Board::new(Layout::ThreeWay, Scale::LogOdds);
    for _ in 0..5 {
        board.ml(&[120, 240, 230]);
    }
    board.ml(&[120, 240, 270]);
    let found = board.ev();
    let o = only(&found);
    let p = o.fair_probability.expect("probability");
    assert_eq!(o.legs[0].side, Side::Draw);
    near(o.ev, p * 3.7 - 1.0, 1e-12);
    assert!(p > 0.27 && p < 1.0 / 3.3);
}

#[test]
fn too_few_others_judge_nobody() {
    let mut board = Board::moneyline();
    board.ml(&[-110, -110]).ml(&[-110, -110]).ml(&[115, -135]);
    assert_eq!(board.ev(), [], "two books are no market");
    assert_eq!(Board::moneyline().all(), []);
}

#[test]
fn the_most_valuable_comes_first() {
    let mut board = Board::moneyline();
    for _ in 0..8 {
        board.ml(&[-110, -110]);
    }
    board.ml(&[108, -128]).ml(&[-132, 112]).ml(&[106, -126]);
    let found = board.ev();
    assert!(found.len() == 3 && found.is_sorted_by(|a, b| a.ev >= b.ev), "{found:?}");
    assert_eq!(found[0].legs[0].side, Side::Away);
}
