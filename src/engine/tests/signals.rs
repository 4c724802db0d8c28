//! Market moves through the whole engine: which of them are signals, and of what kind.

use super::*;
use crate::engine::detect::signal::{Signal, SignalType};
use crate::engine::price::fair::Voter;
use crate::engine::profile::BookProfile;
use crate::engine::settings::BookInfo;
use crate::market::books::BookKind;

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

#[test]
fn a_book_out_of_line_from_the_first_look_lags_behind_nobody() {
    for ticks in [false, true] {
        let mut desk = Desk::new();
        let quotes = at_line(-3.0, &[("d", -1.5)]);
        let mut signals = stand(&mut desk, 0, 60, &quotes);
        if ticks {
            // A cent on one book is no move of the market away from `d`.
            desk = Desk::new();
            let mut first = quotes.clone();
            first[0].2 = -109;
            signals = stand(&mut desk, 0, 0, &first);
            signals.extend(stand(&mut desk, 60, 60, &quotes));
        }
        assert_eq!(kinds(&signals), vec![(SignalType::Dislocation, Some("home"))], "{signals:#?}");
        let detail = &signals[0].detail;
        assert_eq!((detail.book.as_deref(), detail.label.as_deref()), (Some("d"), Some("alone")), "ticks {ticks}");
    }
}

/// A slate of moneylines with a draw: key, home, draw, away.
fn draws(secs: i64, quotes: &[(&str, i64, i64, i64)]) -> Value {
    let market = |home: i64, draw: i64, away: i64| {
        let outcomes = vec![
            json!({"name": HOME, "price": home}),
            json!({"name": AWAY, "price": away}),
            json!({"name": "Draw", "price": draw}),
        ];
        market("h2h", secs, outcomes)
    };
    let books: Vec<Value> = quotes.iter().map(|(key, h, d, a)| book(key, vec![market(*h, *d, *a)])).collect();
    let mut event = event("e1", books);
    event["commence_time"] = time(4 * 3600).into();
    json!([event])
}

/// The one dislocation of a sharp book that goes from the board's prices to `to` while the rest moves by a cent.
fn led(to: (i64, i64, i64)) -> Signal {
    let mut settings = EngineSettings::default();
    let voter = Voter { family: 0, kind: BookKind::Sharp, weight: 1.0 };
    let profile = BookProfile { voter, ..BookProfile::default() };
    settings.books.insert("pinnacle".into(), BookInfo { profile, ..BookInfo::default() });
    let mut desk = Desk::with(settings);
    let all = |home: i64, sharp: (i64, i64, i64)| -> Vec<(&'static str, i64, i64, i64)> {
        let rest = EIGHT.iter().map(|key| (*key, home, 230, 190));
        rest.chain([("pinnacle", sharp.0, sharp.1, sharp.2)]).collect()
    };
    for secs in (0..=1200).step_by(60) {
        let quiet = desk.look(secs, &draws(secs, &all(152, (152, 230, 190)))).signals;
        assert_eq!(kinds(&quiet), vec![]);
    }
    let signals = desk.look(1260, &draws(1260, &all(150, to))).signals;
    assert_eq!(signals.len(), 1, "{signals:#?}");
    signals.into_iter().next().expect("one")
}

#[test]
fn a_leader_among_three_sides_points_to_the_side_that_it_raised() {
    // The board's own tick is one of the home side.
    for (to, side, looked_at) in [
        ((165, 185, 205), "draw", "up"),
        ((172, 260, 140), "away", "up"),
        // Home fell by most: neither that side nor the one that the tick was of is what the leader points to.
        ((215, 215, 160), "away", "down"),
        ((215, 195, 180), "draw", "down"),
    ] {
        let s = led(to);
        let detail = &s.detail;
        assert_eq!((detail.book.as_deref(), detail.label.as_deref()), (Some("pinnacle"), Some("leading")), "{s:#?}");
        assert_eq!(s.side.as_deref(), Some(side), "{to:?} {s:#?}");
        let entry = s.entry.as_ref().expect("entry");
        assert!(entry.book != "pinnacle", "{to:?}");
        assert!(entry.ev.is_none_or(|ev| ev < 0.2), "{to:?}");
        assert_eq!(detail.delta.expect("delta") > 0.0, looked_at == "up", "{to:?}");
        // The panel is told of the side that the distance is of, and the leader's own move of it shows there.
        let own = s.evidence.iter().find(|e| e.book == "pinnacle").expect("in the panel");
        assert!((own.after.value - s.to_value).abs() < 1e-9, "{to:?} {own:#?}");
    }
}
