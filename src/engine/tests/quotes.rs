//! Clocks, changes, disappearance, age, phase.

use super::*;
use crate::engine::settings::BookInfo;
use crate::engine::status::Phase;
use crate::market::line::Line;

#[test]
fn a_quote_has_three_clocks_and_the_providers_time() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(-30, -110, -110)]));
    desk.look(60, &one(vec![h2h(20, -120, 100)]));
    desk.look(120, &one(vec![h2h(70, -120, 100)]));
    let q = desk.quote("b1", "h2h", Side::Home);
    assert_eq!((q.first_seen, q.last_changed, q.last_seen), (at(0), at(60), at(120)));
    assert_eq!(q.provider_update, Some(at(70)));
    assert_eq!((q.price.to_american(), q.status), (-120, Status::Open));
}

#[test]
fn an_unchanged_look_writes_no_rows_but_is_a_look() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110), spread(0, -3.5, -110, -110), total(0, 221.5, -110, -110)]));
    let again =
        desk.look(60, &one(vec![h2h(60, -110, -110), spread(60, -3.5, -110, -110), total(60, 221.5, -110, -110)]));
    assert_silent(&again);
    assert_eq!((again.look.id.0, again.look.quotes, again.look.changes), (2, 6, 0));
    assert!(!again.seen.is_empty(), "that it was seen is kept");
    assert_eq!(desk.quote("b1", "totals", Side::Under).last_seen, at(60));
}

#[test]
fn a_change_of_price_or_line_is_appended_for_that_outcome_alone() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![spread(0, -3.5, -110, -110)]));
    let price = desk.look(60, &one(vec![spread(60, -3.5, -115, -110)]));
    assert_eq!(price.quotes.len(), 1);
    assert_eq!(price.quotes[0].value.price.to_american(), -115);
    assert_eq!(price.quotes[0].new, None);
    let line = desk.look(120, &one(vec![spread(120, -4.0, -115, -110)]));
    assert_eq!(line.quotes.len(), 2, "both sides carry the line");
    let q = desk.quote("b1", "spreads", Side::Away);
    assert_eq!((q.line, q.last_changed, q.first_seen), (Line::from_points(4.0), at(120), at(0)));
}

#[test]
fn asked_for_and_absent_is_gone_once_and_comes_back_in_its_slot() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110), total(0, 221.5, -110, -110)]));
    let lost = desk.look(60, &one(vec![h2h(60, -110, -110)]));
    assert_eq!(lost.quotes.len(), 2, "a tombstone each");
    assert_eq!(desk.all("b1", "totals"), Status::Gone);
    assert_eq!(desk.quote("b1", "totals", Side::Over).last_seen, at(0));
    assert_silent(&desk.look(120, &one(vec![h2h(120, -110, -110)])));

    let back = desk.look(180, &one(vec![h2h(180, -110, -110), total(180, 221.5, -110, -110)]));
    assert_eq!(
        back.quotes.iter().map(|q| (q.slot, q.new)).collect::<Vec<_>>(),
        lost.quotes.iter().map(|q| (q.slot, None)).collect::<Vec<_>>()
    );
    let q = desk.quote("b1", "totals", Side::Over);
    assert_eq!((q.status, q.first_seen, q.last_changed, q.last_seen), (Status::Open, at(0), at(0), at(180)));
}

#[test]
fn one_outcome_can_be_gone_alone() {
    let mut desk = Desk::new();
    let three = |t| {
        vec![market(
            "h2h",
            t,
            vec![
                json!({"name": HOME, "price": 120}),
                json!({"name": AWAY, "price": 210}),
                json!({"name": "Draw", "price": 240}),
            ],
        )]
    };
    desk.look(0, &one(three(0)));
    let two = desk.look(60, &one(vec![h2h(60, 120, 210)]));
    assert_eq!(two.quotes.len(), 1);
    assert_eq!(desk.status("b1", "h2h", Side::Draw), Status::Gone);
    assert_eq!(desk.status("b1", "h2h", Side::Home), Status::Open);
}

#[test]
fn an_empty_list_of_books_is_an_answer_and_null_is_none() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    let null = desk.look(60, &json!([event("e1", Value::Null)]));
    assert!(null.quotes.is_empty(), "null proves nothing");
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).last_seen, at(0));
    desk.look(120, &json!([event("e1", Value::Array(vec![]))]));
    assert_eq!(desk.all("b1", "h2h"), Status::Gone);
}

#[test]
fn an_event_that_is_missing_makes_suspect_not_gone_and_comes_back() {
    let mut desk = Desk::new();
    let other = |t| event("e2", vec![book("b1", vec![h2h(t, 150, -170)])]);
    let game = |t| event("e1", vec![book("b1", vec![h2h(t, -110, -110)])]);
    desk.look(0, &json!([game(0), other(0)]));
    let missing = desk.look(60, &json!([other(60)]));
    assert_eq!(missing.quotes.len(), 2);
    let q = desk.quote("b1", "h2h", Side::Home);
    assert_eq!((q.status.name(), q.status, q.last_seen), ("suspect", Status::EventMissing, at(0)));
    assert_silent(&desk.look(120, &json!([other(120)])));
    desk.look(180, &json!([game(180), other(180)]));
    let q = desk.quote("b1", "h2h", Side::Home);
    assert_eq!((q.status, q.first_seen, q.last_changed, q.last_seen), (Status::Open, at(0), at(0), at(180)));
}

#[test]
fn an_empty_answer_makes_suspect_and_gone_stays_gone() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110), total(0, 221.5, -110, -110)]));
    desk.look(60, &one(vec![h2h(60, -110, -110)]));
    desk.look(120, &json!([]));
    assert_eq!(desk.all("b1", "h2h"), Status::EventMissing);
    assert_eq!(desk.all("b1", "totals"), Status::Gone, "what proves less changes nothing");
}

#[test]
fn a_pause_between_looks_changes_nothing() {
    // A failed fetch never reaches the engine; what it leaves behind is a longer pause.
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(0, -110, -110)]));
    assert_silent(&desk.look(7200 - START, &one(vec![h2h(7190 - START, -110, -110)])));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
}

#[test]
fn older_than_five_minutes_at_receipt_is_suspect() {
    let mut desk = Desk::new();
    desk.look(0, &one(vec![h2h(-300, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open, "exactly five minutes are not more than five");
    let stale = desk.look(60, &one(vec![h2h(-241, -110, -110)]));
    assert_eq!((desk.all("b1", "h2h"), stale.quotes.len()), (Status::Stale, 2));
    desk.look(120, &one(vec![h2h(100, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).last_changed, at(0), "a status is no change of price");
}

fn patient(book: &str) -> EngineSettings {
    let mut settings = EngineSettings::default();
    settings.books.insert(book.to_owned(), BookInfo { max_age_ms: Some(3_600_000), ..BookInfo::default() });
    settings
}

#[test]
fn a_book_may_have_its_own_limit_of_age() {
    let mut desk = Desk::with(patient("b1"));
    let body =
        json!([event("e1", vec![book("b1", vec![h2h(-3600, -110, -110)]), book("b2", vec![h2h(-3600, -110, -110)])])]);
    desk.look(0, &body);
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.all("b2", "h2h"), Status::Stale);
}

#[test]
fn a_time_that_stands_still_over_three_looks_and_five_minutes_is_suspect() {
    // The age alone would be fine for this book.
    let mut desk = Desk::with(patient("b1"));
    for t in [0, 100, 200, 299] {
        desk.look(t, &one(vec![h2h(0, -110, -110)]));
        assert_eq!(desk.all("b1", "h2h"), Status::Open, "three looks, not yet five minutes: {t}");
    }
    desk.look(300, &one(vec![h2h(0, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Stale);
    desk.look(360, &one(vec![h2h(350, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Open, "it moves again");

    let mut desk = Desk::with(patient("b1"));
    for t in [0, 200, 400] {
        desk.look(t, &one(vec![h2h(0, -110, -110)]));
        assert_eq!(desk.all("b1", "h2h"), Status::Open, "five minutes, not yet three looks: {t}");
    }
    desk.look(600, &one(vec![h2h(0, -110, -110)]));
    assert_eq!(desk.all("b1", "h2h"), Status::Stale);
}

#[test]
fn a_market_without_a_time_is_not_judged_by_age() {
    let mut desk = Desk::new();
    let bare = json!({"key": "h2h", "outcomes": [{"name": HOME, "price": -110}, {"name": AWAY, "price": -110}]});
    for t in [0, 400, 800, 1200, 1600] {
        desk.look(t, &one(vec![bare.clone()]));
    }
    assert_eq!(desk.all("b1", "h2h"), Status::Open);
    assert_eq!(desk.quote("b1", "h2h", Side::Home).provider_update, None);
}

#[test]
fn the_phase_is_that_of_the_last_look_that_showed_the_quote() {
    let mut desk = Desk::new();
    desk.look(START - 1, &one(vec![h2h(START - 2, -110, -110), total(START - 2, 221.5, -110, -110)]));
    assert_eq!(desk.quote("b1", "h2h", Side::Home).phase, Phase::Pregame);
    let started = desk.look(START, &one(vec![h2h(START - 1, -110, -110)]));
    assert_eq!(desk.quote("b1", "h2h", Side::Home).phase, Phase::InPlay, "the start itself is in play");
    assert_eq!(desk.quote("b1", "totals", Side::Over).phase, Phase::Pregame, "last seen before the start");
    assert!(started.quotes.iter().all(|q| q.value.status == Status::Gone), "the phase alone is no row of the log");
}

#[test]
fn every_change_of_an_event_can_be_found_in_its_keyframe() {
    let mut desk = Desk::new();
    let mut frames = 0;
    for n in 0..600 {
        let changes = desk.look(n, &one(vec![h2h(n, -110 - n % 7, -110 + n % 3)]));
        for frame in changes.keyframes {
            frames += 1;
            let values = crate::engine::image::unpack(&frame.state).expect("own bytes");
            let want: Vec<_> = desk.quotes("e1", "b1", "h2h").iter().map(|q| (q.slot, q.value)).collect();
            assert_eq!(values, want);
        }
    }
    assert!(frames >= 1, "a thousand rows without a keyframe");
}
