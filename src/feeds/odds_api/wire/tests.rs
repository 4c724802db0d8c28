//! Answers as documented, answers as they go wrong, and bytes that are neither.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::market::batch::{Defect, Place};
use crate::market::quality::Reason;

const NOW: &str = "2026-11-20T20:00:00Z";

fn info() -> AnswerInfo<'static> {
    AnswerInfo {
        source: "the-odds-api",
        sport: "basketball_nba",
        endpoint: Endpoint::Odds,
        received_at: ts(NOW),
        scope: Scope::default(),
        format: None,
    }
}

fn ts(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("time")
}

fn read_text(body: &str) -> Result<(Batch<'_>, Envelope), WireError> {
    read(body.as_bytes(), info())
}

fn batch(body: &str) -> Batch<'_> {
    read_text(body).expect("an answer").0
}

/// A small answer with everything in it: two books, three markets, an unknown field at every level.
const ANSWER: &str = r#"[
 {"id":"e1","sport_key":"basketball_nba","sport_title":"NBA","commence_time":"2026-11-21T00:10:00Z",
  "home_team":"Harbor City Gulls","away_team":"Prairie Bison","new_field":{"a":[1,2,{"b":null}]},
  "bookmakers":[
   {"key":"b1","title":"Book One","last_update":"2026-11-20T19:59:30Z","link":"https://x.example/1","sid":null,
    "markets":[
     {"key":"h2h","last_update":"2026-11-20T19:59:20Z","sid":"9","outcomes":[
       {"name":"Harbor City Gulls","price":-150,"link":null,"bet_limit":500},{"name":"Prairie Bison","price":130}]},
     {"key":"spreads","last_update":"2026-11-20T19:59:21Z","outcomes":[
       {"name":"Harbor City Gulls","price":-110,"point":-3.5},{"name":"Prairie Bison","price":-110,"point":3.5}]}]},
   {"key":"b2","title":"Book Two","last_update":"2026-11-20T19:59:40Z","markets":[
     {"key":"totals","last_update":"2026-11-20T19:59:41Z","outcomes":[
       {"name":"Over","price":-105,"point":221.5},{"name":"Under","price":-115,"point":221.5}]}]}]},
 {"id":"e2","sport_key":"basketball_nba","commence_time":"2026-11-21T02:40:00Z","home_team":"Owls","away_team":"Foxes",
  "bookmakers":[]}
]"#;

#[test]
fn a_full_answer_is_read_whole() {
    let batch = batch(ANSWER);
    assert!(batch.defects.is_empty(), "{:?}", batch.defects);
    let sizes = (batch.events.len(), batch.books.len(), batch.markets.len(), batch.outcomes.len());
    assert_eq!(sizes, (2, 2, 3, 6));
    assert_eq!(batch.format, OddsFormat::American);
    let event = &batch.events[0];
    assert_eq!((&*event.id, &*event.sport), ("e1", "basketball_nba"));
    assert_eq!(event.commence, Some(ts("2026-11-21T00:10:00Z")));
    assert_eq!(event.home.as_deref(), Some("Harbor City Gulls"));
    let books = batch.books_of(event);
    assert_eq!(books.iter().map(|b| &*b.key).collect::<Vec<_>>(), ["b1", "b2"]);
    let markets = batch.markets_of(&books[0]);
    assert_eq!(markets[1].last_update, Some(ts("2026-11-20T19:59:21Z")));
    let outcomes = batch.outcomes_of(&markets[1]);
    assert_eq!((outcomes[1].price, outcomes[1].point), (-110.0, 3.5));
    assert!(batch.outcomes_of(&markets[0])[0].point.is_nan());
    assert!(batch.events[1].has_odds, "an empty list of bookmakers says something");
    assert!(matches!(event.id, Cow::Borrowed(_)), "strings without escapes are not copied");
}

#[test]
fn times_come_as_text_or_as_seconds() {
    let iso = r#"[{"id":"e","commence_time":"2026-11-21T00:10:00Z","bookmakers":[{"key":"b","last_update":"2026-11-20T19:59:30Z","markets":[]}]}]"#;
    let unix =
        r#"[{"id":"e","commence_time":1795219800,"bookmakers":[{"key":"b","last_update":1795204770,"markets":[]}]}]"#;
    assert_eq!(batch(iso).events[0].commence, Some(ts("2026-11-21T00:10:00Z")));
    assert_eq!(batch(iso).events, batch(unix).events);
    for bad in [r#""soon""#, "1e300", "true", "[1]", "{}"] {
        let body = iso.replace(r#""2026-11-21T00:10:00Z""#, bad);
        let batch = batch(&body);
        assert_eq!(batch.events[0].commence, None, "{bad}");
        assert_eq!(batch.defects[0].reason, Reason::BadTimestamp, "{bad}");
        assert_eq!(batch.defects[0].place, Place::Event(0), "{bad}");
    }
}

fn priced(prices: &[&str]) -> String {
    let outcomes: Vec<_> =
        prices.iter().enumerate().map(|(i, p)| format!(r#"{{"name":"n{i}","price":{p}}}"#)).collect();
    format!(
        r#"[{{"id":"e","commence_time":"{NOW}","bookmakers":[{{"key":"b","markets":[{{"key":"h2h","outcomes":[{}]}}]}}]}}]"#,
        outcomes.join(",")
    )
}

#[test]
fn the_format_of_prices_is_told_from_the_numbers() {
    let format = |prices: &[&str]| batch(&priced(prices)).format;
    assert_eq!(format(&["-110", "-110"]), OddsFormat::American);
    assert_eq!(format(&["1.91", "1.91"]), OddsFormat::Decimal);
    assert_eq!(format(&["2", "3", "11"]), OddsFormat::Decimal, "whole numbers below 100");
    assert_eq!(format(&["101.0", "1.01", "1.02"]), OddsFormat::Decimal, "a long shot among decimals");
    assert_eq!(format(&["-110", "1.0", "100"]), OddsFormat::American, "a stand-in among Americans");
    assert_eq!(format(&[]), OddsFormat::American);
    let told = AnswerInfo { format: Some(OddsFormat::American), ..info() };
    let body = priced(&["1.91"]);
    assert_eq!(read(body.as_bytes(), told).expect("an answer").0.format, OddsFormat::American);
}

#[test]
fn a_market_without_a_time_has_the_time_of_its_book() {
    for body in [
        r#"[{"id":"e","bookmakers":[{"key":"b","last_update":"2026-11-20T19:59:30Z","markets":[{"key":"h2h","outcomes":[]},{"key":"totals","last_update":"2026-11-20T19:58:00Z","outcomes":[]}]}]}]"#,
        // The time may stand behind the markets.
        r#"[{"id":"e","bookmakers":[{"key":"b","markets":[{"key":"h2h","outcomes":[]},{"key":"totals","last_update":"2026-11-20T19:58:00Z","outcomes":[]}],"last_update":"2026-11-20T19:59:30Z"}]}]"#,
    ] {
        let batch = batch(body);
        assert_eq!(batch.markets[0].last_update, Some(ts("2026-11-20T19:59:30Z")));
        assert_eq!(batch.markets[1].last_update, Some(ts("2026-11-20T19:58:00Z")));
    }
}

#[test]
fn the_answer_about_one_event_is_an_object() {
    let body = r#"{"id":"e1","sport_key":"basketball_nba","commence_time":"2026-11-21T00:10:00Z","home_team":"A",
      "away_team":"B","bookmakers":[{"key":"b1","title":"B","markets":[{"key":"player_points",
      "last_update":"2026-11-20T19:59:30Z","outcomes":[{"name":"Over","description":"A. Guard","price":-110,"point":20.5}]}]}]}"#;
    let batch = batch(body);
    assert!(batch.defects.is_empty(), "{:?}", batch.defects);
    assert_eq!(batch.markets[0].last_update, Some(ts("2026-11-20T19:59:30Z")));
    assert_eq!(batch.outcomes[0].description.as_deref(), Some("A. Guard"));
}

#[test]
fn historical_wrappers_carry_the_instant() {
    let times =
        r#""timestamp":"2026-11-20T19:55:38Z","previous_timestamp":"2026-11-20T19:50:38Z","next_timestamp":null"#;
    let one = &ANSWER[ANSWER.find('{').expect("event")..ANSWER.find(r#" {"id":"e2""#).expect("event") - 2];
    for (data, events) in [(ANSWER, 2), (one, 1), ("[]", 0)] {
        for body in [format!("{{{times},\"data\":{data}}}"), format!("{{\"data\":{data},{times}}}")] {
            let (batch, envelope) = read_text(&body).expect("an answer");
            assert_eq!(batch.received_at, ts("2026-11-20T19:55:38Z"));
            assert_eq!(envelope.timestamp, Some(ts("2026-11-20T19:55:38Z")));
            assert_eq!(envelope.previous, Some(ts("2026-11-20T19:50:38Z")));
            assert_eq!(envelope.next, None);
            assert_eq!(batch.events.len(), events);
            assert!(batch.defects.is_empty(), "{:?}", batch.defects);
        }
    }
}

#[test]
fn escaped_strings_are_unescaped() {
    let body = r#"[{"id":"e","commence_time":"2026-11-21T00:10:00Z","home_team":"Montr\u00e9al \"M\"","away_team":"D\/C","bookmakers":[{"k\u0065y":"b1","markets":[]}]}]"#;
    let batch = batch(body);
    assert_eq!(batch.events[0].home.as_deref(), Some("Montréal \"M\""));
    assert_eq!(batch.events[0].away.as_deref(), Some("D/C"));
    assert_eq!(&*batch.books[0].key, "b1", "names of fields may be escaped too");
}

#[test]
fn scores_are_read_by_name() {
    let body = r#"[{"id":"e","sport_key":"s","commence_time":"2026-11-21T00:10:00Z","completed":true,"home_team":"A","away_team":"B",
      "scores":[{"name":"B","score":"99"},{"name":"A","score":"101"}],"last_update":"2026-11-21T03:00:00Z"},
      {"id":"f","sport_key":"s","commence_time":"2026-11-21T00:10:00Z","completed":false,"home_team":"A","away_team":"B","scores":null,"last_update":null}]"#;
    let batch = batch(body);
    assert!(batch.defects.is_empty(), "{:?}", batch.defects);
    let score = batch.events[0].score.expect("score");
    assert_eq!((score.completed, score.home, score.away), (true, Some(101), Some(99)));
    assert!(!batch.events[0].has_odds);
    let none = batch.events[1].score.expect("score");
    assert_eq!((none.completed, none.home, none.away), (false, None, None));
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in [
        "",
        " ",
        "null",
        "true",
        "17",
        r#""text""#,
        "{}",
        r#"{"message":"quota"}"#,
        r#"{"data":null}"#,
        r#"{"timestamp":"2026-11-20T19:55:38Z"}"#,
    ] {
        assert!(read_text(body).is_err(), "{body}");
    }
    for body in
        ["<html>", "[", "[{]", "[}", "[]]", "[] x", r#"[{"id":"e"}"#, "\u{feff}[", "[{\"id\":\"\u{1}\"}", "[nul]"]
    {
        assert!(matches!(read_text(body), Err(WireError::NotJson(_))), "{body}");
    }
    assert!(batch("[]").events.is_empty(), "an empty list is an answer");
}

#[test]
fn depth_is_limited() {
    for n in [1_000, 100_000] {
        let (open, close) = ("[".repeat(n), "]".repeat(n));
        for body in [
            format!("{open}{close}"),
            open.clone(),
            format!(r#"[{{"id":"e","x":{open}{close}}}]"#),
            format!(r#"[{{"id":{open}{close}}}]"#),
            format!(r#"[{{"id":"e","bookmakers":{open}{close}}}]"#),
            format!(r#"[{{"id":"e","x":{}1{}}}]"#, r#"{"y":"#.repeat(n), "}".repeat(n)),
            r#"{"data":"#.repeat(n),
        ] {
            assert!(read_text(&body).is_err(), "{n}: {}", &body[..40.min(body.len())]);
        }
    }
    let (open, close) = ("[".repeat(20), "]".repeat(20));
    assert_eq!(batch(&format!(r#"[{{"id":"e","x":{open}{close},"commence_time":"{NOW}"}}]"#)).events.len(), 1);
}

#[test]
fn cut_off_anywhere_is_an_error_and_no_more() {
    for end in 0..ANSWER.len() {
        assert!(read(&ANSWER.as_bytes()[..end], info()).is_err(), "cut at {end}");
    }
}

#[test]
fn one_bad_thing_leaves_the_rest() {
    // What is put in place of what, where the defect stands, and how many events, books, markets, outcomes are left.
    let cases: &[(&str, &str, Place, Reason, [usize; 4])] = &[
        (r#""id":"e1""#, r#""id":null"#, Place::Batch, Reason::MissingField, [1, 0, 0, 0]),
        (r#""id":"e1""#, r#""id":5"#, Place::Batch, Reason::MissingField, [1, 0, 0, 0]),
        (r#"{"id":"e2""#, r#"7, {"id":"e2""#, Place::Batch, Reason::WrongType, [2, 2, 3, 6]),
        (r#""2026-11-21T00:10:00Z""#, "null", Place::Event(0), Reason::MissingField, [2, 2, 3, 6]),
        (r#""2026-11-21T00:10:00Z""#, r#""soon""#, Place::Event(0), Reason::BadTimestamp, [2, 2, 3, 6]),
        (r#""bookmakers":[]"#, r#""bookmakers":null"#, Place::Event(1), Reason::WrongType, [2, 2, 3, 6]),
        (r#""key":"b1""#, r#""key":null"#, Place::Event(0), Reason::MissingField, [2, 1, 1, 2]),
        (r#""key":"b1""#, r#""no_key":1"#, Place::Event(0), Reason::MissingField, [2, 1, 1, 2]),
        (r#"{"key":"b2""#, r#"null, {"key":"b2""#, Place::Event(0), Reason::WrongType, [2, 2, 3, 6]),
        (r#""key":"h2h""#, r#""key":""#, Place::Batch, Reason::MissingField, [0, 0, 0, 0]),
        (r#""key":"h2h","#, "", Place::Book(0, 0), Reason::MissingField, [2, 2, 2, 4]),
        (
            r#""outcomes":[
       {"name":"Over""#,
            r#""outcomes":[4,
       {"name":"Over""#,
            Place::Market(0, 1, 2),
            Reason::WrongType,
            [2, 2, 3, 6],
        ),
        (r#"{"name":"Over","#, "{", Place::Market(0, 1, 2), Reason::MissingField, [2, 2, 3, 5]),
        (r#""price":130"#, r#""price":"130""#, Place::Outcome(0, 0, 0, 1), Reason::BadPrice, [2, 2, 3, 6]),
        (r#""price":130"#, r#""price":null"#, Place::Outcome(0, 0, 0, 1), Reason::MissingField, [2, 2, 3, 6]),
        (r#""point":3.5"#, r#""point":[3.5]"#, Place::Outcome(0, 0, 1, 3), Reason::BadPoint, [2, 2, 3, 6]),
        (r#""2026-11-20T19:59:21Z""#, r#""then""#, Place::Market(0, 0, 1), Reason::BadTimestamp, [2, 2, 3, 6]),
    ];
    for (what, with, place, reason, left) in cases {
        assert!(ANSWER.contains(what), "{what}");
        let body = ANSWER.replacen(what, with, 1);
        if *with == r#""key":""# {
            assert!(read_text(&body).is_err(), "a string without an end");
            continue;
        }
        let batch = batch(&body);
        let found = batch.defects.iter().any(|d| d.place == *place && d.reason == *reason);
        assert!(found, "{with}: {place:?} {reason:?} expected, found {:?}", batch.defects);
        let sizes = [batch.events.len(), batch.books.len(), batch.markets.len(), batch.outcomes.len()];
        assert_eq!(sizes, *left, "{with}");
        assert_consistent(&batch);
    }
}

/// Every range lies in its array, and every defect in the batch.
fn assert_consistent(batch: &Batch<'_>) {
    let within = |range: &std::ops::Range<u32>, len: usize| range.start <= range.end && range.end as usize <= len;
    assert!(batch.events.iter().all(|e| within(&e.books, batch.books.len())));
    assert!(batch.books.iter().all(|b| within(&b.markets, batch.markets.len())));
    assert!(batch.markets.iter().all(|m| within(&m.outcomes, batch.outcomes.len())));
    for Defect { place, .. } in &batch.defects {
        let fits = |index: u32, len: usize| (index as usize) < len;
        let ok = match *place {
            Place::Batch => true,
            Place::Event(e) => fits(e, batch.events.len()),
            Place::Book(e, b) => fits(e, batch.events.len()) && fits(b, batch.books.len()),
            Place::Market(e, b, m) => {
                fits(e, batch.events.len()) && fits(b, batch.books.len()) && fits(m, batch.markets.len())
            }
            Place::Outcome(e, b, m, o) => {
                fits(e, batch.events.len())
                    && fits(b, batch.books.len())
                    && fits(m, batch.markets.len())
                    && fits(o, batch.outcomes.len())
            }
        };
        assert!(ok, "{place:?} lies outside");
    }
}

#[test]
fn a_flood_of_defects_is_counted_not_kept() {
    let body = format!("[{}1]", "1,".repeat(30_000));
    let batch = batch(&body);
    assert!(batch.defects.len() <= 10_001);
    assert_eq!(batch.defects.last().map(|d| d.reason), Some(Reason::TooMany));
}

#[test]
fn duplicate_fields_do_not_break_the_ranges() {
    let doubled =
        ANSWER.replacen(r#""bookmakers":[]"#, r#""bookmakers":[{"key":"x","markets":[]}],"bookmakers":[]"#, 1);
    let doubled = doubled.replacen(r#""sid":"9","#, r#""outcomes":[{"name":"a","price":-110}],"#, 1);
    assert_consistent(&batch(&doubled));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        let _ = read(&bytes, info());
    }

    #[test]
    fn any_text_in_brackets_is_survived(text in r#"[\[\]{}",:0-9a-z\\ .-]{0,60}"#) {
        let _ = read_text(&format!("[{text}]"));
        let _ = read_text(&format!(r#"[{{"id":"e","bookmakers":[{text}]}}]"#));
    }

    #[test]
    fn any_mutation_is_survived(
        edits in proptest::collection::vec((0..ANSWER.len(), 0_u8..4, any::<u8>(), 0..40_usize), 1..5),
    ) {
        let mut bytes = ANSWER.as_bytes().to_vec();
        for (at, kind, byte, length) in edits {
            let at = at.min(bytes.len().saturating_sub(1));
            let end = (at + length).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.drain(at..end)),
                _ => { let copy = bytes[at..end].to_vec(); bytes.splice(at..at, copy); }
            }
            if bytes.is_empty() { break; }
        }
        if let Ok((batch, _)) = read(&bytes, info()) {
            assert_consistent(&batch);
        }
    }

    /// Values of any JSON type in the place of every value: nothing but a defect or a smaller batch comes of it.
    #[test]
    fn any_value_anywhere_is_survived(place in 0..60_usize, value in prop_oneof![
        Just("null"), Just("true"), Just("-1e308"), Just("1e999"), Just("\"\""), Just("[]"), Just("{}"), Just("[[{}]]"), Just("\"\\ud800\""),
    ]) {
        let colons: Vec<usize> = ANSWER.match_indices("\":").map(|(i, _)| i + 2).collect();
        let at = colons[place % colons.len()];
        let rest = &ANSWER[at..];
        let end = at + serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>().next()
            .map_or(0, |_| { let mut s = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>(); s.next(); s.byte_offset() });
        let body = format!("{}{value}{}", &ANSWER[..at], &ANSWER[end..]);
        if let Ok((batch, _)) = read_text(&body) {
            assert_consistent(&batch);
        }
    }
}
