use super::*;
use crate::engine::price::unit::Layout;
use crate::engine::rules::AnalysisRules;
use crate::market::margin::{Distribution, Models};

const NOW: i64 = 1_000_000_000;

fn nfl() -> Distribution {
    let models = Models::embedded().expect("models");
    models.for_sport("americanfootball_nfl").expect("nfl").model.margin(None).expect("margin").clone()
}

fn quote(line: Option<f64>, price: Price) -> QuoteValue {
    let at = Timestamp::from_millis(NOW);
    QuoteValue {
        line: line.and_then(Line::from_points),
        price,
        status: Status::Open,
        phase: Phase::Pregame,
        first_seen: at,
        last_changed: at,
        last_seen: at,
        provider_update: Some(at.plus(-30_000)),
    }
}

fn american(line: Option<f64>, a: i64) -> QuoteValue {
    quote(line, Price::american(a).expect("price"))
}

fn decimal(d: f64) -> QuoteValue {
    quote(None, Price::decimal(d).expect("price"))
}

fn rule() -> DevigRule {
    AnalysisRules::default().devig[2]
}

fn offer(layout: Layout, quotes: &[(Side, QuoteValue)]) -> Offer {
    let mut offer = Offer::default();
    for (side, value) in quotes {
        offer.add(layout, *side, *value);
    }
    offer
}

fn view(offer: &Offer, layout: Layout) -> BookView {
    offer.view(BookId(1), layout, Scale::LogOdds, Phase::Pregame, &rule())
}

fn moneyline(home: QuoteValue, away: QuoteValue) -> BookView {
    view(&offer(Layout::Moneyline, &[(Side::Home, home), (Side::Away, away)]), Layout::Moneyline)
}

#[test]
fn a_complete_market_loses_its_vig() {
    let v = moneyline(american(None, -110), american(None, -110));
    assert!(v.counts() && v.line.is_none());
    assert!((v.fair[0] - 0.5).abs() < 1e-12 && v.values[0].abs() < 1e-12);
    let v = moneyline(american(None, -200), american(None, 170));
    assert!(v.fair[0] > 0.63 && v.fair[0] < 2.0 / 3.0, "{:?}", v.fair);
    assert!((v.fair[0] + v.fair[1] - 1.0).abs() < 1e-12);
    assert!((v.values[0] + v.values[1]).abs() < 1e-9);
}

#[test]
fn three_sides_are_one_market() {
    let sides = [(Side::Home, decimal(2.2)), (Side::Draw, decimal(3.3)), (Side::Away, decimal(3.4))];
    let v = view(&offer(Layout::ThreeWay, &sides), Layout::ThreeWay);
    assert!(v.counts());
    assert!((v.fair.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(v.fair[0] > v.fair[2] && v.fair[2] > v.fair[1], "home, away, draw: {:?}", v.fair);
    let two = view(&offer(Layout::ThreeWay, &sides[..2]), Layout::ThreeWay);
    assert_eq!(two.own, Some(Exclusion::Incomplete), "two of three are no market");
    assert_eq!(two.fair, [0.0; 3]);
    assert!(two.price(0).is_some() && two.price(1).is_none(), "what is there can still be taken");
}

#[test]
fn what_is_not_open_does_not_count() {
    for (status, why) in [
        (Status::Gone, Exclusion::Gone),
        (Status::Stale, Exclusion::Stale),
        (Status::Flawed, Exclusion::Flawed),
        (Status::EventMissing, Exclusion::EventMissing),
        (Status::Unreadable, Exclusion::Unreadable),
    ] {
        let q = QuoteValue { status, ..american(None, -110) };
        let v = moneyline(q, q);
        assert_eq!((v.own, v.excluded), (Some(why), Some(why)));
        assert_eq!(v.prices, [None; 3]);
        let half = moneyline(q, american(None, -110));
        assert!(half.price(0).is_none() && half.price(1).is_some());
        let want = if status == Status::Gone { Exclusion::Incomplete } else { why };
        assert_eq!(half.own, Some(want), "{status:?} beside an open side");
    }
    let in_play = QuoteValue { phase: Phase::InPlay, ..american(None, -110) };
    assert_eq!(moneyline(in_play, in_play).own, Some(Exclusion::OtherPhase));
}

#[test]
fn sums_that_are_no_market() {
    assert_eq!(moneyline(american(None, 110), american(None, 110)).own, Some(Exclusion::NotOneBook));
    assert_eq!(moneyline(american(None, -190), american(None, -190)).own, Some(Exclusion::VigTooHigh));
    assert_eq!(moneyline(american(None, 100), american(None, 100)).own, None, "no margin is a market");
}

#[test]
fn spreads_and_totals_stand_at_one_line() {
    let spread = |home: f64, away: f64| {
        let quotes = [(Side::Home, american(Some(home), -110)), (Side::Away, american(Some(away), -110))];
        view(&offer(Layout::Spread, &quotes), Layout::Spread)
    };
    let v = spread(-3.0, 3.0);
    assert!(v.counts());
    assert_eq!(v.line, Line::from_points(-3.0));
    let v = spread(-3.0, 2.5);
    assert_eq!(v.own, Some(Exclusion::Incomplete));
    assert!(v.price(0).is_some());
    assert!(v.price(1).is_none(), "+2.5 must not be taken for +3");
    let pick = spread(0.0, 0.0);
    assert!(pick.counts() && pick.line == Line::from_points(0.0), "zero is a line");
    let total = [(Side::Over, american(Some(44.5), -110)), (Side::Under, american(Some(44.5), -110))];
    assert_eq!(view(&offer(Layout::Total, &total), Layout::Total).line, Line::from_points(44.5));
}

#[test]
fn a_side_that_is_gone_lends_neither_line_nor_clock() {
    let at = Timestamp::from_millis(NOW);
    let old = at.plus(-3_600_000);
    let gone =
        QuoteValue { status: Status::Gone, last_seen: old, provider_update: Some(old), ..american(Some(-3.0), -110) };
    let quotes = [(Side::Home, gone), (Side::Away, american(Some(3.5), -110))];
    let v = view(&offer(Layout::Spread, &quotes), Layout::Spread);
    assert_eq!(v.line, Line::from_points(-3.5));
    assert!(v.price(1).is_some());
    assert_eq!(v.age(at), 30_000);
    assert_eq!(v.own, Some(Exclusion::Incomplete));
    let both = [(Side::Home, gone), (Side::Away, QuoteValue { status: Status::Gone, ..quotes[1].1 })];
    let v = view(&offer(Layout::Spread, &both), Layout::Spread);
    assert_eq!((v.line, v.age(at)), (Line::from_points(-3.0), 3_600_000), "the last that was known");
}

#[test]
fn clocks_are_those_of_the_oldest_sight_and_the_newest_change() {
    let at = Timestamp::from_millis(NOW);
    let home = QuoteValue { provider_update: Some(at.plus(-50_000)), ..american(None, -110) };
    let away = QuoteValue { provider_update: None, last_seen: at.plus(-90_000), last_changed: at.plus(5), ..home };
    let v = moneyline(home, away);
    assert_eq!((v.updated, v.seen, v.changed), (at.plus(-90_000), at.plus(-90_000), at.plus(5)));
    assert_eq!(v.age(at.plus(-100_000)), 0, "never negative");
}

#[test]
fn the_first_of_two_quotes_counts() {
    let mut o = offer(Layout::Moneyline, &[(Side::Home, american(None, -110)), (Side::Away, american(None, -110))]);
    o.add(Layout::Moneyline, Side::Home, american(None, 900));
    o.add(Layout::Moneyline, Side::Over, american(None, 900));
    assert_eq!(view(&o, Layout::Moneyline).price(0), Price::american(-110).ok());
    assert!(Offer::default().is_empty() && !o.is_empty());
}

fn exchange(back: [f64; 2], lay: [f64; 2]) -> BookView {
    let mut o = offer(Layout::Moneyline, &[(Side::Home, decimal(back[0])), (Side::Away, decimal(back[1]))]);
    o.add_other(Stance::Lay, Layout::Moneyline, Side::Home, decimal(lay[0]));
    o.add_other(Stance::Lay, Layout::Moneyline, Side::Away, decimal(lay[1]));
    view(&o, Layout::Moneyline)
}

#[test]
fn an_exchange_is_worth_the_middle_of_back_and_lay() {
    let v = exchange([1.96, 1.98], [2.02, 2.04]);
    assert!(v.counts());
    let middle = [0.5 * (1.0 / 1.96 + 1.0 / 2.02), 0.5 * (1.0 / 1.98 + 1.0 / 2.04)];
    assert!((v.fair[0] - middle[0] / (middle[0] + middle[1])).abs() < 1e-12);
    assert!((v.fair[0] + v.fair[1] - 1.0).abs() < 1e-12);
    assert_eq!(v.price(0), Price::decimal(1.96).ok(), "only the back price can be taken");
    assert_eq!(exchange([1.80, 1.80], [2.30, 2.30]).own, Some(Exclusion::WideExchange));
    assert_eq!(exchange([2.10, 1.98], [2.00, 2.04]).own, Some(Exclusion::WideExchange), "bid above ask");
}

#[test]
fn a_lay_price_that_is_not_open_is_not_used() {
    let mut o = offer(Layout::Moneyline, &[(Side::Home, decimal(1.91)), (Side::Away, decimal(1.91))]);
    o.add_other(Stance::Lay, Layout::Moneyline, Side::Home, QuoteValue { status: Status::Gone, ..decimal(1.2) });
    o.add_other(Stance::Lay, Layout::Moneyline, Side::Away, decimal(1.92));
    let v = view(&o, Layout::Moneyline);
    assert!(v.counts() && (v.fair[0] - 0.5).abs() < 1e-12, "back prices alone, vig removed");
}

#[test]
fn points_tell_line_and_price_together() {
    let model = nfl();
    let at = |line: f64, home: i64, away: i64| {
        let quotes = [(Side::Home, american(Some(line), home)), (Side::Away, american(Some(-line), away))];
        offer(Layout::Spread, &quotes).view(BookId(1), Layout::Spread, Scale::Points(&model), Phase::Pregame, &rule())
    };
    let three = at(-3.0, -110, -110);
    assert!(three.counts() && three.values[1] == 0.0);
    assert!(at(-3.0, -125, 105).values[0] > three.values[0], "a shorter price is a larger expected margin");
    assert!((at(-3.0, -125, 105).values[0] - at(-3.5, 100, -120).values[0]).abs() < 0.5, "nearly one price");
    assert_eq!(at(-90.0, -110, -110).own, Some(Exclusion::BeyondModel));
    assert!(at(-90.0, -110, -110).price(0).is_some());
}

#[test]
fn the_same_offer_has_other_clocks() {
    let a = moneyline(american(None, -110), american(None, -110));
    let b = BookView { updated: a.updated.plus(5), seen: a.seen.plus(5), excluded: Some(Exclusion::Outlier), ..a };
    assert!(a.same_offer(&b));
    assert!(!a.same_offer(&moneyline(american(None, -110), american(None, -108))));
}
