//! One bad thing never spoils what stands beside it, is told once, and is cleared when it ends.

use super::*;
use crate::engine::settings::BookInfo;
use crate::market::line::Line;
use crate::market::quality::Severity;

fn home(price: impl Into<Value>) -> Value {
    json!({"name": HOME, "price": price.into()})
}

fn away(price: impl Into<Value>) -> Value {
    json!({"name": AWAY, "price": price.into()})
}

/// A look with `outcomes` in `key` after one in which both sides were fine, told once and cleared afterwards.
/// Answers the desk as it stood after the bad look.
fn bad_market(desk: Desk, good: &Value, key: &str, outcomes: Vec<Value>, reason: Reason) -> Desk {
    let mut desk = desk;
    let beside = |t| book("b2", vec![total(t, 200.5, -110, -110)]);
    let answer =
        |first: Value, t| json!([event("e1", vec![book("b1", vec![first, total(t, 221.5, -110, -110)]), beside(t)])]);
    let before = desk.look(0, &answer(good.clone(), 0));
    assert!(before.issues.is_empty(), "{:?}", before.issues);

    let bad = |t| market(key, t, outcomes.clone());
    let first = desk.look(60, &answer(bad(60), 60));
    assert!(reasons(&first).contains(&reason), "{reason:?} expected, found {:?}", first.issues);
    for issue in &first.issues {
        assert!(!issue.detail.is_empty());
        assert_eq!(desk.engine.names().market(issue.market.expect("market")), key);
    }
    assert_eq!(desk.all("b1", "totals"), Status::Open, "the market beside it");
    assert_eq!(desk.all("b2", "totals"), Status::Open, "the book beside it");
    let after = desk.engine.clone();
    let settings = (desk.scope.clone(), desk.endpoint, desk.format);

    let again = desk.look(120, &answer(bad(120), 120));
    assert!(again.issues.is_empty(), "told once: {:?}", again.issues);
    assert!(again.cleared.is_empty(), "not over yet: {:?}", again.cleared);
    let healed = desk.look(180, &answer(good.clone(), 180));
    let cleared: Vec<_> = healed.cleared.iter().map(|c| c.reason).collect();
    assert!(cleared.contains(&reason), "cleared {cleared:?}");
    assert_eq!(desk.all("b1", key), Status::Open, "fine again");
    Desk { engine: after, scope: settings.0, endpoint: settings.1, format: settings.2 }
}

fn bad_h2h(outcomes: Vec<Value>, reason: Reason) -> Desk {
    bad_market(Desk::new(), &h2h(0, -110, -105), "h2h", outcomes, reason)
}

/// The home side is put aside with its last good value; the away side is used.
fn assert_home_aside(desk: &Desk, market: &str) {
    let q = desk.quote("b1", market, Side::Home);
    assert_eq!((q.status, q.price.to_american(), q.last_seen), (Status::Unreadable, -110, at(0)));
    assert_eq!(desk.status("b1", market, Side::Away), Status::Open);
}

#[test]
fn a_price_of_one() {
    assert_home_aside(&bad_h2h(vec![home(1.0), away(-105)], Reason::BadPrice), "h2h");
}

#[test]
fn a_price_as_text() {
    assert_home_aside(&bad_h2h(vec![home("-110"), away(-105)], Reason::BadPrice), "h2h");
}

#[test]
fn a_price_of_null() {
    assert_home_aside(&bad_h2h(vec![home(Value::Null), away(-105)], Reason::MissingField), "h2h");
}

#[test]
fn an_american_price_between_minus_and_plus_a_hundred() {
    for price in [-99, -1, 0, 50, 99] {
        assert_home_aside(&bad_h2h(vec![home(price), away(-105)], Reason::BadPrice), "h2h");
    }
}

#[test]
fn a_decimal_price_in_an_american_answer() {
    assert_home_aside(&bad_h2h(vec![home(1.91), away(-105)], Reason::BadPrice), "h2h");
    // As the format that the whole answer speaks it is told from the numbers.
    let mut desk = Desk::new();
    desk.format = None;
    let changes = desk.look(0, &one(vec![h2h(0, -110, -105), market("h2h_q1", 0, vec![home(1.91), away(-120)])]));
    assert!(reasons(&changes).contains(&Reason::BadPrice));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
}

#[test]
fn a_decimal_placeholder() {
    let decimal = |h: f64, a: f64| market("h2h", 0, vec![home(h), away(a)]);
    for price in [1.0, 1.01, 1000.0] {
        let mut desk = Desk::new();
        desk.format = Some(OddsFormat::Decimal);
        let good = json!([event("e1", vec![book("b1", vec![decimal(1.9, 1.95)])])]);
        desk.look(0, &good);
        let bad = desk.look(60, &json!([event("e1", vec![book("b1", vec![decimal(price, 1.95)])])]));
        assert!(reasons(&bad).contains(&Reason::PlaceholderPrice), "{price}: {:?}", bad.issues);
        assert_eq!(desk.status("b1", "h2h", Side::Home).name(), "suspect", "{price}");
        assert_eq!(desk.status("b1", "h2h", Side::Away), Status::Open, "{price}");
    }
}

fn point(name: &str, price: i64, point: impl Into<Value>) -> Value {
    json!({"name": name, "price": price, "point": point.into()})
}

#[test]
fn a_missing_or_unreadable_point() {
    for bad in [
        json!({"name": HOME, "price": -110}),
        point(HOME, -110, Value::Null),
        point(HOME, -110, "-3.5"),
        point(HOME, -110, 1e9),
    ] {
        let good = spread(0, -3.5, -110, -110);
        let desk = bad_market(Desk::new(), &good, "spreads", vec![bad, point(AWAY, -110, 3.5)], Reason::BadPoint);
        assert_home_aside(&desk, "spreads");
    }
}

#[test]
fn a_point_of_zero_is_a_line() {
    let mut desk = Desk::new();
    let changes = desk.look(0, &one(vec![spread(0, 0.0, -110, -110)]));
    assert!(changes.issues.is_empty(), "{:?}", changes.issues);
    assert_eq!(desk.quote("b1", "spreads", Side::Away).line, Line::from_points(0.0));
    let moved = desk.look(60, &one(vec![spread(60, 1.5, -110, -110)]));
    assert_eq!(moved.quotes.len(), 2);
}

#[test]
fn a_name_that_is_no_side() {
    let stranger = json!({"name": "Prairie Owls", "price": -105});
    let desk = bad_h2h(vec![home(-110), stranger], Reason::UnknownTeam);
    assert_eq!(desk.status("b1", "h2h", Side::Home), Status::Open);
    // The away side may be hiding behind the strange name: that it is not there proves nothing.
    assert_eq!(desk.status("b1", "h2h", Side::Away), Status::Unreadable);
}

#[test]
fn an_outcome_without_a_name() {
    for nameless in
        [json!({"price": -105}), json!({"name": null, "price": -105}), json!({"name": 7, "price": -105}), json!(5)]
    {
        let mut desk = Desk::new();
        desk.look(0, &one(vec![h2h(0, -110, -105)]));
        let bad = desk.look(60, &one(vec![market("h2h", 60, vec![home(-110), nameless])]));
        assert!(matches!(reasons(&bad)[..], [Reason::MissingField | Reason::WrongType]), "{:?}", bad.issues);
        assert_eq!(desk.status("b1", "h2h", Side::Home), Status::Open);
        assert_eq!(desk.status("b1", "h2h", Side::Away), Status::Unreadable);
    }
}

#[test]
fn the_same_outcome_twice() {
    let desk = bad_h2h(vec![home(-110), home(-300), away(-105)], Reason::DuplicateOutcome);
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -110, "the first counts");
}

#[test]
fn sides_that_do_not_mirror() {
    let crooked = vec![point(HOME, -110, -3.5), point(AWAY, -110, -3.5)];
    let good = spread(0, -3.5, -110, -110);
    let desk = bad_market(Desk::new(), &good, "spreads", crooked, Reason::SidesDoNotMirror);
    assert_eq!(desk.all("b1", "spreads"), Status::Flawed);
}

#[test]
fn over_and_under_at_different_totals() {
    let mut desk = Desk::new();
    let bad =
        desk.look(0, &one(vec![market("totals", 0, vec![point("Over", -110, 220.5), point("Under", -110, 221.5)])]));
    assert_eq!(reasons(&bad), [Reason::SidesDoNotMirror]);
    assert_eq!(desk.all("b1", "totals"), Status::Flawed);
}

#[test]
fn a_time_in_the_future() {
    let mut desk = Desk::new();
    let near = desk.look(0, &one(vec![h2h(60, -110, -110)]));
    assert!(near.issues.is_empty(), "a minute is a difference of clocks");
    let far = desk.look(60, &one(vec![h2h(121, -110, -110), total(60, 221.5, -110, -110)]));
    assert_eq!(reasons(&far), [Reason::FutureTimestamp]);
    assert_eq!(desk.all("b1", "h2h"), Status::Flawed);
    assert_eq!(desk.all("b1", "totals"), Status::Open);
}

#[test]
fn a_time_that_goes_back_is_told() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(-10, -110, -110)]));
    let back = desk.look(60, &one(vec![h2h(-40, -110, -110)]));
    assert_eq!(reasons(&back), [Reason::TimeWentBack]);
    assert_eq!(desk.all("b1", "h2h"), Status::Open, "a warning is used");
}

#[test]
fn a_time_that_cannot_be_read_does_not_cost_the_prices() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    let mut odd = h2h(60, -120, 100);
    odd["last_update"] = json!("yesterday");
    let changes = desk.look(60, &one(vec![odd]));
    assert_eq!(reasons(&changes), [Reason::BadTimestamp]);
    let q = desk.quote("b1", "h2h", Side::Home);
    assert_eq!((q.status, q.price.to_american(), q.provider_update), (Status::Open, -120, None));
}

#[test]
fn the_same_market_twice() {
    let mut desk = Desk::new();
    let twice = |t| one(vec![h2h(t, -110, -110), h2h(t, -300, 250), total(t, 221.5, -110, -110)]);
    desk.look(0, &one(vec![h2h(0, -110, -110), total(0, 221.5, -110, -110)]));
    let first = desk.look(60, &twice(60));
    assert_eq!(reasons(&first), [Reason::DuplicateMarket]);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -110, "the first counts");
    assert_silent(&desk.look(120, &twice(120)));
    let healed = desk.look(180, &one(vec![h2h(180, -110, -110), total(180, 221.5, -110, -110)]));
    assert_eq!(healed.cleared.iter().map(|c| c.reason).collect::<Vec<_>>(), [Reason::DuplicateMarket]);
}

#[test]
fn the_same_book_twice() {
    let mut desk = Desk::new();
    let b = |t, price| book("b1", vec![h2h(t, price, -110)]);
    desk.look(0, &json!([event("e1", vec![b(0, -110)])]));
    let first = desk.look(60, &json!([event("e1", vec![b(60, -110), b(60, -300)])]));
    assert_eq!(reasons(&first), [Reason::DuplicateBook]);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -110, "the first counts");
    assert_silent(&desk.look(120, &json!([event("e1", vec![b(120, -110), b(120, -300)])])));
    let healed = desk.look(180, &json!([event("e1", vec![b(180, -110)])]));
    assert_eq!(healed.cleared.iter().map(|c| c.reason).collect::<Vec<_>>(), [Reason::DuplicateBook]);
}

#[test]
fn the_issues_of_a_book_end_with_it() {
    let mut desk = Desk::new();
    let b = |t| book("b1", vec![h2h(t, -110, -110)]);
    desk.look(0, &json!([event("e1", vec![b(0), b(0)])]));
    let gone = desk.look(60, &json!([event("e1", Value::Array(vec![]))]));
    assert_eq!(gone.cleared.iter().map(|c| c.reason).collect::<Vec<_>>(), [Reason::DuplicateBook]);
}

#[test]
fn the_same_event_twice() {
    let mut desk = Desk::new();
    let e = |t, price| event("e1", vec![book("b1", vec![h2h(t, price, -110)])]);
    desk.look(0, &json!([e(0, -110)]));
    let first = desk.look(60, &json!([e(60, -110), e(60, -300)]));
    assert_eq!(reasons(&first), [Reason::DuplicateEvent]);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -110, "the first counts");
    assert_silent(&desk.look(120, &json!([e(120, -110), e(120, -300)])));
    let healed = desk.look(180, &json!([e(180, -110)]));
    assert_eq!(healed.cleared.iter().map(|c| c.reason).collect::<Vec<_>>(), [Reason::DuplicateEvent]);
}

#[test]
fn a_broken_market_does_not_cost_its_book() {
    for broken in
        [json!({"last_update": time(60), "outcomes": []}), json!(null), json!("h2h"), json!([1]), json!({"key": 3})]
    {
        let mut desk = Desk::new();
        desk.look(0, &one(vec![h2h(0, -110, -110), total(0, 221.5, -110, -110)]));
        let bad = desk.look(60, &one(vec![broken.clone(), total(60, 222.5, -110, -110)]));
        assert!(!bad.issues.is_empty(), "{broken}");
        assert!(bad.issues.iter().all(|i| i.market.is_none() && i.book.is_some()), "{:?}", bad.issues);
        assert_eq!(desk.quote("b1", "totals", Side::Over).line, Line::from_points(222.5), "{broken}");
        assert_eq!(desk.all("b1", "h2h"), Status::Unreadable, "{broken}: it may have been the broken one");
        let healed = desk.look(120, &one(vec![h2h(120, -110, -110), total(120, 222.5, -110, -110)]));
        assert_eq!((healed.cleared.len(), desk.all("b1", "h2h")), (bad.issues.len(), Status::Open), "{broken}");
    }
}

#[test]
fn a_broken_book_does_not_cost_its_event() {
    for broken in [json!({"title": "?"}), json!(null), json!(7), json!({"key": null, "markets": [h2h(60, 100, -120)]})]
    {
        let mut desk = Desk::new();
        let both =
            |t| json!([event("e1", vec![book("b1", vec![h2h(t, -110, -110)]), book("b2", vec![h2h(t, -105, -115)])])]);
        desk.look(0, &both(0));
        let bad = desk.look(60, &json!([event("e1", vec![broken.clone(), book("b2", vec![h2h(60, -108, -112)])])]));
        assert_eq!(bad.issues.len(), 1, "{broken}: {:?}", bad.issues);
        assert_eq!(desk.quote("b2", "h2h", Side::Home).price.to_american(), -108, "{broken}");
        assert_eq!(desk.all("b1", "h2h"), Status::Unreadable, "{broken}: it may have been the broken one");
        assert_eq!(desk.look(120, &both(120)).cleared.len(), 1, "{broken}");
        assert_eq!(desk.all("b1", "h2h"), Status::Open, "{broken}");
    }
}

#[test]
fn a_book_whose_markets_cannot_be_read_is_unreadable_not_gone() {
    for markets in [json!(null), json!("none"), json!({})] {
        let mut desk = Desk::new();
        desk.look(0, &one(vec![h2h(0, -110, -110)]));
        let bad = desk.look(60, &one(markets.clone()));
        assert_eq!(reasons(&bad), [Reason::WrongType], "{markets}");
        assert_eq!(desk.all("b1", "h2h"), Status::Unreadable, "{markets}");
    }
}

#[test]
fn a_broken_event_does_not_cost_the_batch() {
    let mut nameless = event("x", vec![book("b1", vec![h2h(0, -110, -110)])]);
    nameless.as_object_mut().expect("object").remove("id");
    let mut timeless = event("x", vec![book("b1", vec![h2h(0, -110, -110)])]);
    timeless["commence_time"] = json!("soon");
    for broken in [nameless, timeless, json!(null), json!(3), json!([])] {
        let mut desk = Desk::new();
        let changes = desk.look(0, &json!([broken, event("e1", vec![book("b1", vec![h2h(0, -110, -110)])])]));
        assert!(!changes.issues.is_empty(), "{broken}");
        assert_eq!((changes.look.events, desk.all("b1", "h2h")), (1, Status::Open), "{broken}");
    }
}

#[test]
fn a_known_event_survives_a_start_that_cannot_be_read() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    let mut odd = event("e1", vec![book("b1", vec![h2h(60, -120, 100)])]);
    odd["commence_time"] = json!("soon");
    let changes = desk.look(60, &json!([odd]));
    assert_eq!(reasons(&changes), [Reason::BadTimestamp]);
    assert!(changes.events.is_empty(), "the start stays as it was known");
    assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -120);
}

#[test]
fn an_event_without_teams_keeps_those_known() {
    for missing in ["home_team", "away_team"] {
        let mut desk = Desk::new();
        desk.look(0, &one(vec![h2h(0, -110, -110)]));
        let mut odd = event("e1", vec![book("b1", vec![h2h(60, -120, 100)])]);
        odd.as_object_mut().expect("object").remove(missing);
        let changes = desk.look(60, &json!([odd]));
        assert!(changes.events.is_empty(), "{missing}");
        assert_eq!(desk.quote("b1", "h2h", Side::Home).price.to_american(), -120, "{missing}");
        assert_eq!(desk.all("b1", "h2h"), Status::Open, "{missing}");
    }
}

#[test]
fn an_implausible_sum_of_probabilities_is_told_and_used() {
    for (h, a) in [(-200, -200), (150, 150)] {
        let mut desk = Desk::new();
        let changes = desk.look(0, &one(vec![h2h(0, h, a)]));
        assert_eq!(reasons(&changes), [Reason::VigOutOfRange]);
        assert_eq!(changes.issues[0].severity, Severity::Warning);
        assert_eq!(desk.all("b1", "h2h"), Status::Open);
        assert!(desk.look(60, &one(vec![h2h(60, h, a)])).cleared.is_empty());
        assert_eq!(desk.look(120, &one(vec![h2h(120, -110, -110)])).cleared.len(), 1);
    }
}

#[test]
fn an_exchange_may_add_up_to_less_than_one() {
    let mut settings = EngineSettings::default();
    settings.books.insert("b1".to_owned(), BookInfo { exchange: true, ..BookInfo::default() });
    let mut desk = Desk::with(settings);
    assert!(desk.look(0, &one(vec![h2h(0, 101, 101)])).issues.is_empty());
}

#[test]
fn a_jump_of_the_line_is_told_before_the_start_only() {
    for (start, told) in [(START, true), (30, false)] {
        let mut desk = Desk::new();
        let mut game = |t, line| {
            let mut e = event("e1", vec![book("b1", vec![spread(t, line, -110, -110)])]);
            e["commence_time"] = json!(time(start));
            desk.look(t, &json!([e]))
        };
        game(0, -3.5);
        assert_eq!(!game(60, -14.0).issues.is_empty(), told);
    }
}

#[test]
fn a_market_with_one_side_is_told_and_used() {
    let desk = bad_h2h(vec![home(-110)], Reason::IncompleteMarket);
    assert_eq!(desk.status("b1", "h2h", Side::Home), Status::Open);
    assert_eq!(desk.status("b1", "h2h", Side::Away), Status::Gone);
}

#[test]
fn unknown_markets_books_and_fields_are_kept() {
    let mut settings = EngineSettings::default();
    settings.books.insert("b1".to_owned(), BookInfo::default());
    let mut desk = Desk::with(settings);
    let mut strange = market("corners_race_to_5", 0, vec![home(-110), away(-120)]);
    strange["link"] = json!({"deep": [1, {"x": null}]});
    let changes = desk.look(0, &json!([event("e1", vec![book("newbook", vec![strange, h2h(0, -110, -110)])])]));
    let mut found = reasons(&changes);
    found.sort();
    assert_eq!(found, [Reason::UnknownMarket, Reason::UnknownBook]);
    assert!(changes.issues.iter().all(|i| i.severity == Severity::Warning));
    assert_eq!(desk.all("newbook", "corners_race_to_5"), Status::Open);
    assert_eq!(desk.all("newbook", "h2h"), Status::Open);
    let again = desk.look(60, &json!([event("e1", vec![book("newbook", vec![h2h(60, -110, -110)])])]));
    assert!(again.issues.is_empty(), "told once");
}

#[test]
fn strict_turns_warnings_into_errors() {
    let mut desk = Desk::with(EngineSettings { strict: true, ..EngineSettings::default() });
    let changes = desk.look(0, &one(vec![h2h(0, -200, -200), total(0, 221.5, -110, -110)]));
    assert_eq!(reasons(&changes), [Reason::VigOutOfRange]);
    assert_eq!(changes.issues[0].severity, Severity::Error);
    assert_eq!(desk.all("b1", "h2h"), Status::Flawed);
    assert_eq!(desk.all("b1", "totals"), Status::Open);
    desk.look(60, &one(vec![h2h(60, -200, -200), total(60, 221.5, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Flawed, "as long as it lasts");
    desk.look(120, &one(vec![h2h(120, -110, -110), total(120, 221.5, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
}
