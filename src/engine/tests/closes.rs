//! Closes through the whole engine: from which look they are taken when games begin later than scheduled.

use super::*;
use crate::engine::grade::close::{Close, Grade};

const BOOKS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// The real start, a little later than scheduled.
const REAL: i64 = START + 55;

fn shown(secs: i64, start: i64, line: f64) -> Value {
    let books: Vec<Value> = BOOKS.iter().map(|key| book(key, vec![spread(secs, line, -110, -110)])).collect();
    let mut event = event("e1", books);
    event["commence_time"] = time(start).into();
    json!([event])
}

/// A game in a list of games, or of scores: no books.
fn listed(start: i64) -> Value {
    json!([{"id": "e1", "sport_key": SPORT, "commence_time": time(start), "home_team": HOME, "away_team": AWAY}])
}

/// Version, grade, when it was seen, and the line.
type Told = (u32, Option<Grade>, Option<Timestamp>, Option<f64>);

fn told(closes: &[Close]) -> Vec<Told> {
    closes.iter().map(|c| (c.version, c.grade, c.seen_at, c.line)).collect()
}

#[test]
fn a_list_between_the_schedule_and_the_real_start_costs_no_close() {
    for endpoint in [Endpoint::Events, Endpoint::Scores] {
        let mut desk = Desk::new();
        desk.look(START - 180, &shown(START - 180, START, -3.0));
        desk.look(START - 60, &shown(START - 60, START, -3.5));
        let last = Some(at(START - 60));
        desk.endpoint = endpoint;
        // As scheduled the game has begun by now, so the close is taken.
        let closes = desk.look(START + 3, &listed(START)).closes;
        assert_eq!(told(&closes), [(1, Some(Grade::B), last, Some(-3.5))], "{endpoint:?}");
        assert_eq!(desk.look(START + 30, &listed(START)).closes.len(), 0);
        // The first prices from after the real start tell when that was.
        desk.endpoint = Endpoint::Odds;
        let changes = desk.look(REAL + 90, &shown(REAL + 90, REAL, 9.5));
        assert_eq!(told(&changes.closes), [(2, Some(Grade::B), last, Some(-3.5))], "{endpoint:?}");
        assert_eq!(changes.closes[0].start, at(REAL));
        assert!(changes.signals.is_empty(), "{:?}", changes.signals);
        assert_eq!(desk.look(REAL + 150, &shown(REAL + 150, REAL, 12.5)).closes.len(), 0);
    }
}

#[test]
fn what_was_open_ends_with_the_scheduled_start() {
    let mut desk = Desk::new();
    let mut generous = shown(START - 60, START, -3.5);
    let books = generous[0]["bookmakers"].as_array_mut().expect("books");
    books.push(book("f", vec![spread(START - 60, -3.5, 125, -150)]));
    let before = desk.look(START - 60, &generous);
    assert!(before.opportunities.iter().any(|o| o.open) && before.points.iter().any(|p| p.fair.is_some()));
    desk.endpoint = Endpoint::Events;
    let after = desk.look(START + 3, &listed(START));
    assert_eq!(after.opportunities.len(), before.opportunities.len());
    assert!(after.opportunities.iter().all(|o| !o.open), "nothing can be taken at prices of before the start");
    assert!(!after.points.is_empty() && after.points.iter().all(|p| p.fair.is_none() && p.consensus.is_none()));
    let again = desk.look(START + 30, &listed(START));
    assert!(again.opportunities.is_empty() && again.points.is_empty());
}

#[test]
fn prices_between_the_schedule_and_the_real_start_are_the_close() {
    let mut desk = Desk::new();
    desk.look(START - 60, &shown(START - 60, START, -3.5));
    let closes = desk.look(START + 20, &shown(START + 20, START, -4.0)).closes;
    assert_eq!(told(&closes), [(1, Some(Grade::B), Some(at(START - 60)), Some(-3.5))]);
    desk.endpoint = Endpoint::Scores;
    assert_eq!(desk.look(START + 30, &listed(START)).closes.len(), 0);
    desk.endpoint = Endpoint::Odds;
    let closes = desk.look(REAL + 90, &shown(REAL + 90, REAL, 9.5)).closes;
    assert_eq!(told(&closes), [(2, Some(Grade::B), Some(at(START + 20)), Some(-4.0))]);
}
