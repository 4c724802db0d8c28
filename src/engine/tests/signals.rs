//! Market moves through the whole engine: which of them are signals, and of what kind.

use super::*;
use crate::engine::detect::signal::{Signal, SignalType};

/// A slate of books at one moment: key, home line, home price, away price.
type Quotes<'q> = &'q [(&'q str, f64, i64, i64)];

const EIGHT: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn slate(secs: i64, quotes: Quotes<'_>) -> Value {
    let books: Vec<Value> =
        quotes.iter().map(|(key, line, home, away)| book(key, vec![spread(secs, *line, *home, *away)])).collect();
    let mut event = event("e1", books);
    event["commence_time"] = time(4 * 3600).into();
    json!([event])
}

/// Every book at one line, -110 on both sides, but for some.
fn at_line(line: f64, others: &[(&'static str, f64)]) -> Vec<(&'static str, f64, i64, i64)> {
    EIGHT
        .iter()
        .map(|key| {
            let own = others.iter().find(|(k, _)| k == key).map_or(line, |(_, l)| *l);
            (*key, own, -110, -110)
        })
        .collect()
}

fn kinds(signals: &[Signal]) -> Vec<(SignalType, Option<&str>)> {
    signals.iter().map(|s| (s.kind, s.side.as_deref())).collect()
}

/// Looks every minute from `from` to `to`, all alike.
fn stand(desk: &mut Desk, from: i64, to: i64, quotes: Quotes<'_>) -> Vec<Signal> {
    (from..=to).step_by(60).flat_map(|secs| desk.look(secs, &slate(secs, quotes)).signals).collect()
}

#[test]
fn a_quiet_market_and_a_cold_start_are_silent() {
    let mut desk = Desk::new();
    let quotes: Vec<_> =
        EIGHT.iter().enumerate().map(|(i, key)| (*key, -2.5 - 0.5 * (i % 4) as f64, -110, -110)).collect();
    assert_eq!(kinds(&stand(&mut desk, 0, 1800, &quotes)), vec![]);
}

#[test]
fn eight_books_at_once_are_one_steam_and_its_key_crossing() {
    let mut desk = Desk::new();
    assert_eq!(kinds(&stand(&mut desk, 0, 1200, &at_line(-2.0, &[]))), vec![]);
    let signals = stand(&mut desk, 1260, 3000, &at_line(-3.5, &[]));
    assert_eq!(kinds(&signals), vec![(SignalType::Steam, Some("home"))], "{signals:#?}");
    let steam = &signals[0];
    assert_eq!((steam.books_affected, steam.opposers, steam.panel), (8, 0, 8));
    assert!((steam.from_value + 2.0).abs() < 0.2 && (steam.to_value + 3.5).abs() < 0.2, "{steam:#?}");
    assert_eq!(steam.detail.labels, ["leader_unknown"]);
    assert!(steam.entry.is_some());
}

#[test]
fn staggered_steam_accuses_nobody_of_lagging_who_moved_first() {
    let mut desk = Desk::new();
    stand(&mut desk, 0, 1200, &at_line(-3.0, &[]));
    let mut all = Vec::new();
    for (i, movers) in [2, 4, 6, 8].into_iter().enumerate() {
        let secs = 1260 + 60 * i as i64;
        let moved: Vec<_> = EIGHT[..movers].iter().map(|k| (*k, -4.0)).collect();
        let signals = desk.look(secs, &slate(secs, &at_line(-3.0, &moved))).signals;
        if movers == 4 {
            assert!(kinds(&signals).contains(&(SignalType::Steam, Some("home"))), "{signals:#?}");
        }
        all.extend(signals);
    }
    assert_eq!(all.iter().filter(|s| s.kind == SignalType::Steam && s.version == 1).count(), 1);
    for s in all.iter().filter(|s| s.kind == SignalType::Dislocation) {
        let book = s.detail.book.as_deref().expect("book");
        assert!(s.detail.label.as_deref() != Some("lagging") || !["a", "b"].contains(&book), "{s:#?}");
    }
}

#[test]
fn a_single_outlier_is_one_dislocation_worth_taking() {
    let mut desk = Desk::new();
    stand(&mut desk, 0, 1200, &at_line(-3.0, &[]));
    let signals = stand(&mut desk, 1260, 1860, &at_line(-3.0, &[("d", -1.5)]));
    assert_eq!(kinds(&signals), vec![(SignalType::Dislocation, Some("home"))], "{signals:#?}");
    let s = &signals[0];
    assert_eq!((s.detail.book.as_deref(), s.detail.label.as_deref()), (Some("d"), Some("alone")));
    assert!(s.detail.ev.expect("ev") > 0.0);
    assert_eq!(s.entry.as_ref().expect("entry").book, "d");
}
