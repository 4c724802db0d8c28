use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::engine::price::view::{DevigRule, Offer};
use crate::engine::rules::AnalysisRules;
use crate::engine::status::{Phase, QuoteValue, Status};
use crate::market::margin::{Distribution, Models};
use crate::market::price::Price;
use crate::market::selection::Side;

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
const SD: f64 = 12.8;

fn nfl() -> &'static Distribution {
    static MODELS: OnceLock<Models> = OnceLock::new();
    let models = MODELS.get_or_init(|| Models::embedded().expect("models"));
    models.for_sport("americanfootball_nfl").expect("nfl").model.margin(None).expect("margin")
}

fn rule() -> FairRule {
    AnalysisRules::default().fair
}

fn devig() -> DevigRule {
    AnalysisRules::default().devig[2]
}

fn quote(line: Option<f64>, american: i64) -> QuoteValue {
    QuoteValue {
        line: line.and_then(Line::from_points),
        price: Price::american(american).expect("price"),
        status: Status::Open,
        phase: Phase::Pregame,
        first_seen: NOW,
        last_changed: NOW,
        last_seen: NOW,
        provider_update: Some(NOW),
    }
}

fn offered(book: u16, layout: Layout, scale: Scale<'_>, quotes: &[(Side, QuoteValue)]) -> BookView {
    let mut offer = Offer::default();
    for (side, value) in quotes {
        offer.add(layout, *side, *value);
    }
    offer.view(BookId(book), layout, scale, Phase::Pregame, &devig())
}

/// A spread in the NFL, as the home team sees it.
fn spread(book: u16, line: f64, home: i64, away: i64) -> BookView {
    let quotes = [(Side::Home, quote(Some(line), home)), (Side::Away, quote(Some(-line), away))];
    offered(book, Layout::Spread, Scale::Points(nfl()), &quotes)
}

fn moneyline(book: u16, home: i64, away: i64) -> BookView {
    let quotes = [(Side::Home, quote(None, home)), (Side::Away, quote(None, away))];
    offered(book, Layout::Moneyline, Scale::LogOdds, &quotes)
}

fn total(book: u16, line: f64, over: i64, under: i64) -> BookView {
    let quotes = [(Side::Over, quote(Some(line), over)), (Side::Under, quote(Some(line), under))];
    offered(book, Layout::Total, Scale::LogOdds, &quotes)
}

fn three_way(book: u16, home: i64, away: i64, draw: i64) -> BookView {
    let quotes = [(Side::Home, quote(None, home)), (Side::Away, quote(None, away)), (Side::Draw, quote(None, draw))];
    offered(book, Layout::ThreeWay, Scale::LogOdds, &quotes)
}

/// Every book a family of its own, with one vote.
fn alone(book: BookId) -> Voter {
    Voter { family: book.0, kind: BookKind::Retail, weight: 1.0 }
}

fn priced(views: &mut [BookView], layout: Layout, voter: impl Fn(BookId) -> Voter) -> Priced {
    let scale = if layout == Layout::Spread { Scale::Points(nfl()) } else { Scale::LogOdds };
    let mut out = Priced::default();
    price(views, layout, scale, SD, NOW, &rule(), None, voter, &mut Scratch::default(), &mut out);
    out
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got}, wanted {want}");
}

fn all(p: &Priced) -> Fair {
    p.all.expect("fair price")
}

#[test]
fn a_book_with_swapped_sides_moves_nothing() {
    let mut six: Vec<_> = (1..=6).map(|b| spread(b, -3.0, -110, -110)).collect();
    let without = priced(&mut six, Layout::Spread, alone);
    let mut seven = six.clone();
    seven.push(spread(7, 3.0, -110, -110));
    let with = priced(&mut seven, Layout::Spread, alone);
    assert_eq!(all(&with).values, all(&without).values);
    assert_eq!(all(&with).families, 6);
    assert_eq!(seven[6].excluded, Some(Exclusion::Outlier));
    assert!(seven[..6].iter().all(BookView::counts));
    assert_eq!((with.reference, with.books), (Line::from_points(-3.0), 7));
    near(all(&with).probability[0], 0.5, 1e-6);
    let consensus = with.consensus.expect("consensus");
    assert_eq!((consensus.line, consensus.books), (Line::from_points(-3.0), 7));
    assert!(consensus.dispersion > 1.0, "the board shows that somebody disagrees");
    let p = parts(&seven, Scale::Points(nfl()), SD, NOW, &rule(), alone);
    assert_eq!(p[6].map(|p| p.share), Some(0.0));
    let first = p[0].expect("a vote");
    near(first.weight, 1.0, 1e-12);
    assert_eq!(first.share, 1.0);
}

#[test]
fn sisters_share_one_vote_and_leave_together() {
    let sisters = |book: BookId| Voter { family: if book.0 >= 3 { 3 } else { book.0 }, ..alone(book) };
    let one = vec![moneyline(1, -110, -110), moneyline(2, -120, 100), moneyline(3, -140, 120)];
    let mut many = one.clone();
    many.extend((4..=7).map(|b| moneyline(b, -140, 120)));
    let (a, b) = (priced(&mut one.clone(), Layout::Moneyline, sisters), priced(&mut many, Layout::Moneyline, sisters));
    near(all(&a).values[0], all(&b).values[0], 1e-9);
    near(all(&a).effective, all(&b).effective, 1e-9);
    assert_eq!((all(&b).families, b.without.len()), (3, 3));
    assert!(b.without(3).is_none(), "two families are left, neither of them sharp");
    let mut more = many.clone();
    more.push(moneyline(20, -115, -105));
    let voter = |book: BookId| if book.0 == 20 { alone(book) } else { sisters(book) };
    let got = priced(&mut more, Layout::Moneyline, voter);
    let mut rest = vec![more[0], more[1], more[7]];
    near(got.without(3).expect("fair").values[0], all(&priced(&mut rest, Layout::Moneyline, voter)).values[0], 1e-12);
}

#[test]
fn a_fair_price_needs_three_families_or_a_sharp_one_and_another() {
    let sharp = |book: BookId| Voter { kind: BookKind::Sharp, ..alone(book) };
    let one_sharp = |book: BookId| if book.0 == 1 { sharp(book) } else { alone(book) };
    let views: Vec<_> = (1..=3).map(|b| moneyline(b, -110, -110)).collect();
    let fair = |n: usize, voter: &dyn Fn(BookId) -> Voter| priced(&mut views[..n].to_vec(), Layout::Moneyline, voter);
    assert!(fair(2, &alone).all.is_none());
    let three = fair(3, &alone);
    assert!(three.all.is_some());
    assert!((1..=3).all(|f| three.without(f).is_none()), "nobody can be judged by two books");
    let two = fair(2, &one_sharp);
    assert!(two.all.is_some());
    assert!(two.without(1).is_none() && two.without(2).is_none());
    let three = fair(3, &one_sharp);
    assert!(three.without(2).is_some() && three.without(1).is_none());
    assert!(fair(1, &one_sharp).all.is_none());
    assert!(fair(0, &alone).all.is_none());
}

#[test]
fn leaving_a_family_out_is_as_if_it_had_never_been_there() {
    let views: Vec<_> = [(-110, -110), (-125, 105), (-115, -105), (100, -120), (-130, 110)]
        .iter()
        .zip(1..)
        .map(|((home, away), book)| spread(book, -3.0, *home, *away))
        .collect();
    let got = priced(&mut views.clone(), Layout::Spread, alone);
    for view in &views {
        let mut rest: Vec<_> = views.iter().filter(|v| v.book != view.book).copied().collect();
        let want = all(&priced(&mut rest, Layout::Spread, alone));
        let out = got.without(view.book.0).expect("fair");
        near(out.values[0], want.values[0], 1e-12);
        near(out.standard_error, want.standard_error, 1e-12);
        near(out.effective, want.effective, 1e-12);
        assert_ne!(out.values, all(&got).values);
    }
    assert_eq!(got.without(99), got.all.as_ref(), "who has no vote is judged against all");
}

#[test]
fn the_reference_line_is_the_modal_one_and_ties_go_to_the_sharper() {
    let mut views = vec![
        spread(1, -3.0, -110, -110),
        spread(2, -3.0, -110, -110),
        spread(3, -3.5, -105, -115),
        spread(4, -2.5, -120, 100),
    ];
    assert_eq!(priced(&mut views, Layout::Spread, alone).reference, Line::from_points(-3.0));
    let heavy = |book: BookId| Voter { weight: if book.0 == 3 { 2.0 } else { 1.0 }, ..alone(book) };
    assert_eq!(priced(&mut views, Layout::Spread, heavy).reference, Line::from_points(-3.5));
    let sisters = |book: BookId| Voter { family: if book.0 <= 2 { 1 } else { book.0 }, ..alone(book) };
    let light = |book: BookId| Voter { weight: if book.0 == 4 { 1.5 } else { 1.0 }, ..sisters(book) };
    assert_eq!(priced(&mut views, Layout::Spread, light).reference, Line::from_points(-2.5), "two sisters stand once");
    let mut even = vec![spread(1, -3.5, -110, -110), spread(2, -3.0, -110, -110)];
    assert_eq!(priced(&mut even, Layout::Spread, alone).reference, Line::from_points(-3.0), "then the nearer to zero");
}

#[test]
fn without_a_model_other_lines_cannot_be_compared() {
    let mut views: Vec<_> = (1..=4).map(|b| total(b, 8.5, -110, -110)).collect();
    views.push(total(5, 9.0, -110, -110));
    let got = priced(&mut views, Layout::Total, alone);
    assert_eq!(views[4].excluded, Some(Exclusion::OtherLine));
    assert_eq!((got.reference, got.books, all(&got).families), (Line::from_points(8.5), 4, 4));
    near(all(&got).probability[0], 0.5, 1e-12);
    // With a model the same disagreement is one more opinion.
    let mut points: Vec<_> = (1..=4).map(|b| spread(b, -3.0, -110, -110)).collect();
    points.push(spread(5, -2.5, -122, 102));
    let got = priced(&mut points, Layout::Spread, alone);
    assert!(points.iter().all(BookView::counts));
    assert_eq!(all(&got).families, 5);
    // What stood elsewhere counts again as soon as the others come to its line.
    for (book, view) in views.iter_mut().enumerate().take(4) {
        *view = total(book as u16 + 1, 9.0, -110, -110);
    }
    assert_eq!(priced(&mut views, Layout::Total, alone).books, 5);
    assert!(views.iter().all(BookView::counts));
}

#[test]
fn the_board_needs_its_books() {
    let views: Vec<_> = (1..=5).map(|b| moneyline(b, -110, -110)).collect();
    let consensus = |n: usize, voter: &dyn Fn(BookId) -> Voter| {
        priced(&mut views[..n].to_vec(), Layout::Moneyline, voter).consensus
    };
    assert!(consensus(4, &alone).is_none());
    assert_eq!(consensus(5, &alone).map(|c| c.books), Some(5));
    let silent = |book: BookId| Voter { weight: if book.0 == 5 { 0.0 } else { 1.0 }, ..alone(book) };
    assert!(consensus(5, &silent).is_none(), "a book without a vote is shown and not counted");
    let mut all = views;
    priced(&mut all, Layout::Moneyline, silent);
    assert_eq!(all[4].excluded, Some(Exclusion::NoVote));
}

#[test]
fn medians_across_even_money() {
    // Half at -110 and half at +100: the mean of the American numbers, -5, would be a chance of 4.8 %.
    let sides = [(-110, -110), (-110, -110), (-110, -110), (100, -120), (100, -120), (100, -120)];
    let mut views: Vec<_> = sides.iter().zip(1..).map(|((h, a), b)| moneyline(b, *h, *a)).collect();
    let got = priced(&mut views, Layout::Moneyline, alone);
    let consensus = got.consensus.expect("consensus");
    let lower = views[3].fair[0];
    near(consensus.probability, 0.5 * (0.5 + lower), 1e-4);
    assert!(consensus.probability > 0.48 && consensus.probability < 0.5);
    near(all(&got).probability[0], consensus.probability, 1e-3);
    // -105/+105 both ways: even.
    let mut level: Vec<_> =
        [(-115, 105), (105, -115)].iter().cycle().take(6).zip(1..).map(|((h, a), b)| moneyline(b, *h, *a)).collect();
    let got = priced(&mut level, Layout::Moneyline, alone);
    near(got.consensus.expect("consensus").probability, 0.5, 1e-12);
    near(all(&got).probability[0], 0.5, 1e-12);
}

#[test]
fn medians_of_numbers_and_lines() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[1.0]), Some(1.0));
    assert_eq!(median(&[1.0, 2.0]), Some(1.5));
    assert_eq!(median(&[1.0, 2.0, 7.0]), Some(2.0));
    let lines = |points: &[f64], stay: Option<f64>| {
        median_line(points.iter().filter_map(|p| Line::from_points(*p)), stay.and_then(Line::from_points))
            .map(Line::points)
    };
    assert_eq!(lines(&[], None), None);
    assert_eq!(lines(&[-3.5, -2.5, -3.0], None), Some(-3.0));
    assert_eq!(lines(&[-3.0, -3.5], None), Some(-3.0), "a line that somebody has");
    assert_eq!(lines(&[-3.0, -3.5], Some(-4.0)), Some(-3.5), "a split board stays where it was");
    assert_eq!(lines(&[-0.5, 0.5], None), lines(&[0.5, -0.5], None));
}

#[test]
fn three_ways_sum_to_one() {
    let mut views = vec![
        three_way(1, 120, 240, 230),
        three_way(2, 125, 230, 220),
        three_way(3, 110, 260, 225),
        three_way(4, 118, 235, 240),
        three_way(5, 122, 245, 228),
    ];
    let got = priced(&mut views, Layout::ThreeWay, alone);
    for fair in [Some(&all(&got)), got.without(1), got.without(5)] {
        let p = fair.expect("fair").probability;
        near(p.iter().sum::<f64>(), 1.0, 1e-12);
        assert!(p[0] > 0.42 && p[0] < 0.45 && p[1] < p[2] + 0.02, "{p:?}");
    }
    assert!(views.iter().all(BookView::counts));
}

#[test]
fn dispersion_is_that_of_the_population() {
    near(deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), 2.0, 1e-12);
    assert_eq!(deviation(&[3.0]), 0.0);
    let mut views: Vec<_> =
        [(-110, -110), (-120, 100)].iter().cycle().take(6).zip(1..).map(|((h, a), b)| moneyline(b, *h, *a)).collect();
    let got = priced(&mut views, Layout::Moneyline, alone).consensus.expect("consensus");
    near(got.dispersion, 0.5 * (views[1].fair[0] - 0.5), 1e-12);
}

#[test]
fn older_votes_weigh_less() {
    let mut views = vec![moneyline(1, -110, -110), moneyline(2, -110, -110), moneyline(3, -118, -102)];
    let fresh = all(&priced(&mut views, Layout::Moneyline, alone)).values[0];
    views[2].updated = NOW.plus(-rule().half_life_ms);
    let aged = all(&priced(&mut views, Layout::Moneyline, alone)).values[0];
    let third = views[2].values[0];
    // Its margin differs a little from that of the others.
    let margin = (1.0 / 21.0 / (views[2].raw_sum - 1.0)).powi(2);
    near(fresh, margin * third / (2.0 + margin), 1e-9);
    near(aged, 0.5 * margin * third / (2.0 + 0.5 * margin), 1e-9);
}

#[test]
fn votes_with_less_margin_weigh_more_up_to_a_point() {
    let weight = |home, away| {
        let mut views = vec![moneyline(1, -110, -110), moneyline(2, -110, -110), moneyline(3, home, away)];
        priced(&mut views, Layout::Moneyline, alone);
        parts(&views, Scale::LogOdds, SD, NOW, &rule(), alone)[2].expect("a vote").weight
    };
    near(weight(-110, -110), 1.0, 1e-9);
    near(weight(-106, -106), (103.0_f64 / 63.0).powi(2), 1e-9);
    near(weight(-120, -120), (11.0_f64 / 21.0).powi(2), 1e-9);
    // Below a margin of 2.5 % nothing is gained.
    near(weight(-102, -102), weight(-101, -101), 1e-9);
}

#[test]
fn an_exclusion_by_the_book_itself_stays() {
    let mut views: Vec<_> = (1..=4).map(|b| moneyline(b, -110, -110)).collect();
    views.push(moneyline(5, 110, 110));
    let got = priced(&mut views, Layout::Moneyline, alone);
    assert_eq!(views[4].excluded, Some(Exclusion::NotOneBook));
    assert_eq!(got.books, 4);
    near(all(&got).probability[0], 0.5, 1e-12);
}

#[test]
fn nothing_of_an_earlier_question_remains() {
    let mut scratch = Scratch::default();
    let mut out = Priced::default();
    let mut run = |views: &mut [BookView]| {
        price(views, Layout::Moneyline, Scale::LogOdds, SD, NOW, &rule(), None, alone, &mut scratch, &mut out);
        out.clone()
    };
    run(&mut (1..=6).map(|b| moneyline(b, -150, 130)).collect::<Vec<_>>());
    assert_eq!(run(&mut []), Priced::default());
    let three: Vec<_> = (1..=3).map(|b| moneyline(b, -110, -110)).collect();
    assert_eq!(run(&mut three.clone()), priced(&mut three.clone(), Layout::Moneyline, alone));
}

fn spreads() -> impl Strategy<Value = Vec<BookView>> {
    let book = (-8_i32..=0, 0_i64..=4, prop::bool::ANY);
    prop::collection::vec(book, 1..10).prop_map(|books| {
        let view = |(book, (half, cents, flip)): (usize, (i32, i64, bool))| {
            let (home, away) = (-110 - 5 * cents, -110 + 5 * cents.min(2));
            let (home, away) = if flip { (away, home) } else { (home, away) };
            spread(book as u16 + 1, f64::from(half) * 0.5, home, away)
        };
        books.into_iter().enumerate().map(view).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_books_changes_nothing(views in spreads(), turn in 0_usize..10) {
        let mut turned = views.clone();
        turned.rotate_left(turn % views.len());
        turned.reverse();
        let (a, b) = (priced(&mut views.clone(), Layout::Spread, alone), priced(&mut turned, Layout::Spread, alone));
        prop_assert_eq!(a.reference, b.reference);
        prop_assert_eq!(a.books, b.books);
        prop_assert_eq!(a.all.is_some(), b.all.is_some());
        prop_assert_eq!(a.consensus.map(|c| (c.line, c.books)), b.consensus.map(|c| (c.line, c.books)));
        let families: Vec<u16> = a.without.iter().map(|(f, _)| *f).collect();
        prop_assert!(families.is_sorted());
        for family in families {
            let (a, b) = (a.without(family), b.without(family));
            prop_assert_eq!(a.is_some(), b.is_some());
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert!((a.values[0] - b.values[0]).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_fair_price_is_a_distribution_among_its_books(views in spreads()) {
        let mut views = views;
        let got = priced(&mut views, Layout::Spread, alone);
        let values: Vec<f64> = views.iter().filter(|v| v.own.is_none()).map(|v| v.values[0]).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for fair in got.without.iter().filter_map(|(_, f)| f.as_ref()).chain(got.all.as_ref()) {
            prop_assert!((fair.probability.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(fair.probability[0] > 0.0 && fair.probability[0] < 1.0);
            prop_assert!(fair.values[0] >= low - 1e-9 && fair.values[0] <= high + 1e-9);
            prop_assert!(fair.standard_error > 0.0 && fair.families >= rule().min_families);
        }
    }
}
