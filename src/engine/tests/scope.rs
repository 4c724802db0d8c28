//! Absence proves something only about what was asked for.

use super::*;
use crate::engine::settings::BookInfo;

/// Two games, two books, two markets, all open.
fn full(t: i64) -> Value {
    let books = || {
        vec![
            book("b1", vec![h2h(t, -110, -110), total(t, 221.5, -110, -110)]),
            book("b2", vec![h2h(t, -112, -108), total(t, 222.5, -110, -110)]),
        ]
    };
    json!([event("e1", books()), event("e2", books())])
}

fn desk() -> Desk {
    let mut settings = EngineSettings::default();
    for (key, region) in [("b1", "us"), ("b2", "eu")] {
        settings.books.insert(key.to_owned(), BookInfo { regions: vec![region.to_owned()], ..BookInfo::default() });
    }
    let mut desk = Desk::with(settings);
    desk.look(0, &full(0));
    desk
}

#[test]
fn markets_not_asked_for_stay() {
    let mut desk = desk();
    desk.scope.markets = only(&["h2h"]);
    desk.look(60, &one(Value::Array(vec![])));
    assert_eq!(desk.all("b1", "h2h"), Status::Gone);
    assert_eq!(desk.all("b1", "totals"), Status::Open);
}

#[test]
fn books_not_asked_for_stay() {
    let mut desk = desk();
    desk.scope.books = only(&["b1"]);
    desk.look(60, &json!([event("e1", Value::Array(vec![])), event("e2", Value::Array(vec![]))]));
    assert_eq!(desk.all("b1", "h2h"), Status::Gone);
    assert_eq!(desk.all("b2", "h2h"), Status::Open);
}

#[test]
fn books_of_other_regions_stay() {
    let mut desk = desk();
    desk.scope.regions = only(&["eu", "uk"]);
    desk.look(60, &json!([event("e1", Value::Array(vec![]))]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.all("b2", "h2h"), Status::Gone);
}

#[test]
fn named_books_win_over_regions() {
    let mut desk = desk();
    desk.scope.regions = only(&["eu"]);
    desk.scope.books = only(&["b1"]);
    desk.look(60, &json!([event("e1", Value::Array(vec![]))]));
    assert_eq!(desk.all("b1", "h2h"), Status::Gone);
    assert_eq!(desk.all("b2", "h2h"), Status::Open);
}

#[test]
fn a_book_that_the_table_does_not_know_belongs_to_every_region() {
    let mut desk = desk();
    desk.look(60, &json!([event("e1", vec![book("stranger", vec![h2h(60, -110, -110)])])]));
    desk.scope.regions = only(&["eu"]);
    desk.look(120, &json!([event("e1", Value::Array(vec![]))]));
    assert_eq!(desk.all("stranger", "h2h"), Status::Gone);
}

#[test]
fn events_not_asked_for_stay() {
    let mut desk = desk();
    desk.scope.events = only(&["e2"]);
    desk.look(60, &json!([]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert!(desk.quotes("e2", "b1", "h2h").iter().all(|q| q.value.status == Status::EventMissing));
}

#[test]
fn events_outside_the_range_of_starts_stay() {
    for (from, to, covered) in [
        (Some(START), None, true),
        (Some(START + 1), None, false),
        (None, Some(START), true),
        (None, Some(START - 1), false),
    ] {
        let mut desk = desk();
        (desk.scope.commence_from, desk.scope.commence_to) = (from.map(at), to.map(at));
        desk.look(60, &json!([]));
        let want = if covered { Status::EventMissing } else { Status::Open };
        assert_eq!(desk.all("b1", "h2h"), want, "{from:?} {to:?}");
    }
}

#[test]
fn a_missing_event_is_suspect_only_where_it_was_asked_for() {
    let mut desk = desk();
    desk.scope.markets = only(&["totals"]);
    desk.scope.books = only(&["b2"]);
    desk.look(60, &json!([]));
    assert_eq!(desk.all("b2", "totals"), Status::EventMissing);
    assert_eq!(desk.all("b2", "h2h"), Status::Open);
    assert_eq!(desk.all("b1", "totals"), Status::Open);
}

#[test]
fn the_answer_about_one_event_says_nothing_of_the_others() {
    let mut desk = desk();
    desk.endpoint = Endpoint::EventOdds;
    desk.scope.events = only(&["e1"]);
    desk.look(60, &event("e1", vec![book("b1", vec![h2h(60, -110, -110)])]));
    assert!(desk.quotes("e2", "b1", "h2h").iter().all(|q| q.value.status == Status::Open));
    assert_eq!(desk.all("b1", "totals"), Status::Gone);
}

#[test]
fn lists_of_events_and_scores_do_not_touch_quotes() {
    for endpoint in [Endpoint::Events, Endpoint::Scores] {
        let mut desk = desk();
        desk.endpoint = endpoint;
        let mut listed = event("e1", Value::Null);
        listed.as_object_mut().expect("object").remove("bookmakers");
        assert_silent(&desk.look(60, &json!([listed])));
        assert_eq!(desk.all("b1", "h2h"), Status::Open, "{endpoint:?}");
        assert!(desk.quotes("e2", "b1", "h2h").iter().all(|q| q.value.status == Status::Open));
    }
}

#[test]
fn lay_prices_are_asked_for_with_the_market_they_belong_to() {
    let mut desk = Desk::new();
    let lay = |t| market("h2h_lay", t, vec![json!({"name": HOME, "price": -104}), json!({"name": AWAY, "price": 102})]);
    desk.scope.markets = only(&["h2h"]);
    desk.look(0, &one(vec![h2h(0, -110, -106), lay(0)]));
    desk.look(60, &one(vec![h2h(60, -110, -106)]));
    assert_eq!(desk.all("b1", "h2h_lay"), Status::Gone);
}

#[test]
fn what_was_not_asked_for_and_came_all_the_same_is_used() {
    let mut desk = Desk::new();
    desk.scope.markets = only(&["spreads"]);
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
}
