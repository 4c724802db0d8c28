//! Any past instant, rebuilt by the store, against the same instant counted out by hand from the raw lines.
//!
//! The counting below shares no code with the engine: plain JSON values, text keys, one rule a line.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::DateTime;
use common::{Lcg, import_new, lines, series};
use rusqlite::Connection;
use serde_json::Value;
use stratum::market::ids::EventId;
use stratum::market::selection::Side;
use stratum::market::time::Timestamp;
use stratum::store::Reader;

/// Book, market, side.
type Key = (String, String, String);

/// A quote as counted out by hand. Times in milliseconds.
#[derive(Clone, PartialEq, Debug)]
struct Quote {
    line: Option<f64>,
    price: i64,
    status: &'static str,
    phase: &'static str,
    first_seen: i64,
    last_changed: i64,
    last_seen: i64,
    provider_update: Option<i64>,
}

/// The provider's time of one market of one book.
#[derive(Clone)]
struct Clock {
    update: i64,
    advanced_at: i64,
    same_looks: u32,
}

/// One event as counted out by hand.
#[derive(Clone, Default)]
struct Plain {
    quotes: BTreeMap<Key, Quote>,
    clocks: BTreeMap<(String, String), Clock>,
    commence: i64,
}

fn millis(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).expect("time").timestamp_millis()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().expect(field)
}

impl Plain {
    /// The answer did not hold the event: nothing is known any more of what was on show.
    fn missing(&mut self) {
        self.clocks.clear();
        self.quotes.values_mut().filter(|q| q.status != "gone").for_each(|q| q.status = "suspect");
    }

    fn look(&mut self, at: i64, event: &Value) {
        self.commence = millis(text(event, "commence_time"));
        let phase = if at < self.commence { "pregame" } else { "in_play" };
        let mut shown = Vec::new();
        let mut markets_shown = Vec::new();
        for book in event["bookmakers"].as_array().expect("bookmakers") {
            for market in book["markets"].as_array().expect("markets") {
                let place = (text(book, "key").to_owned(), text(market, "key").to_owned());
                let update = millis(text(market, "last_update"));
                let clock = match self.clocks.remove(&place) {
                    Some(c) if c.update == update => Clock { same_looks: c.same_looks + 1, ..c },
                    _ => Clock { update, advanced_at: at, same_looks: 0 },
                };
                let frozen = clock.same_looks >= 3 && at - clock.advanced_at >= 300_000;
                let status = if at - update > 300_000 || frozen { "suspect" } else { "open" };
                self.clocks.insert(place.clone(), clock);
                markets_shown.push(place.clone());
                for outcome in market["outcomes"].as_array().expect("outcomes") {
                    let name = text(outcome, "name");
                    let side = if name == text(event, "home_team") {
                        "home"
                    } else if name == text(event, "away_team") {
                        "away"
                    } else {
                        name
                    };
                    let key = (place.0.clone(), place.1.clone(), side.to_lowercase());
                    let (line, price) = (outcome["point"].as_f64(), outcome["price"].as_i64().expect("price"));
                    let before = self.quotes.get(&key);
                    let same = before.is_some_and(|q| q.line == line && q.price == price);
                    let quote = Quote {
                        line,
                        price,
                        status,
                        phase,
                        first_seen: before.map_or(at, |q| q.first_seen),
                        last_changed: before.filter(|_| same).map_or(at, |q| q.last_changed),
                        last_seen: at,
                        provider_update: Some(update),
                    };
                    self.quotes.insert(key.clone(), quote);
                    shown.push(key);
                }
            }
        }
        for (key, quote) in &mut self.quotes {
            if !shown.contains(key) {
                quote.status = "gone";
            }
        }
        self.clocks.retain(|place, _| markets_shown.contains(place));
    }
}

/// What the store says, in the same words.
fn stored(reader: &Reader, names: &BTreeMap<(u8, u32), String>, event: u32, at: i64) -> Option<Plain> {
    let found = reader.event_as_of(EventId(event), Timestamp::from_millis(at)).expect("as_of")?;
    let mut quotes = BTreeMap::new();
    for (_, key, value) in found.quotes {
        let side = match key.selection.side {
            Side::Home => "home",
            Side::Away => "away",
            Side::Draw => "draw",
            Side::Over => "over",
            Side::Under => "under",
            other => panic!("{other:?}"),
        };
        assert_eq!(key.selection.line, None, "featured markets");
        let place = (names[&(2, u32::from(key.book.0))].clone(), names[&(3, u32::from(key.market.0))].clone());
        let quote = Quote {
            line: value.line.map(|l| l.points()),
            price: value.price.to_american(),
            status: value.status.name(),
            phase: value.phase.name(),
            first_seen: value.first_seen.millis(),
            last_changed: value.last_changed.millis(),
            last_seen: value.last_seen.millis(),
            provider_update: value.provider_update.map(Timestamp::millis),
        };
        assert!(quotes.insert((place.0, place.1, side.to_owned()), quote).is_none(), "a quote stands twice");
    }
    Some(Plain { quotes, clocks: BTreeMap::new(), commence: found.row.commence.millis() })
}

fn assert_equal(want: Option<&Plain>, got: Option<&Plain>, what: &str) {
    let (Some(want), Some(got)) = (want, got) else {
        assert_eq!(want.is_some(), got.is_some(), "{what}: known");
        return;
    };
    assert_eq!(want.commence, got.commence, "{what}: start");
    for (key, quote) in &want.quotes {
        assert_eq!(Some(quote), got.quotes.get(key), "{what}: {key:?}");
    }
    assert_eq!(want.quotes.len(), got.quotes.len(), "{what}: quotes");
}

/// A question: event (its place in the list of events) and instant; asked in the order of the instants.
struct Question {
    at: i64,
    event: usize,
}

fn check(name: &str, pairs: usize, vanished: usize) {
    let Some(path) = series(name) else { return };
    let looks = lines(&path);
    assert!(looks.windows(2).all(|w| w[0].0 < w[1].0), "one look an instant, in order");
    let bodies: Vec<(i64, Value)> =
        looks.iter().map(|(at, body)| (*at, serde_json::from_slice(body).expect("JSON"))).collect();
    drop(looks);

    let folder = tempfile::tempdir().expect("folder");
    let db = folder.path().join("stratum.db");
    let report = import_new(&db, &[path]);
    assert_eq!(report.taken.looks as usize, bodies.len());
    let reader = Reader::open(&db).expect("reader");
    let (names, ids) = names_and_ids(&db);

    // Events in the order of their first look, with where they stand in each look.
    let mut events: Vec<String> = Vec::new();
    let mut spans: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (i, (_, body)) in bodies.iter().enumerate() {
        for event in body.as_array().expect("events") {
            let id = text(event, "id");
            spans.entry(id.to_owned()).and_modify(|s| s.1 = i).or_insert_with(|| {
                events.push(id.to_owned());
                (i, i)
            });
        }
    }

    let mut random = Lcg(20_251_110);
    let (first, last) = (bodies[0].0, bodies[bodies.len() - 1].0);
    let mut questions = Vec::new();
    for n in 0..pairs {
        let event = random.below(events.len());
        let span = spans[&events[event]];
        // Mostly while the event is on the board, or a few looks around.
        let look = (span.0 + random.below(span.1 - span.0 + 8)).saturating_sub(3).min(bodies.len() - 1);
        let look_at = bodies[look].0;
        let at = match n % 6 {
            0 => look_at,
            1 => look_at - 1,
            2 => look_at + 1 + random.below(600_000) as i64,
            3 => first + random.below((last - first) as usize) as i64,
            4 if n % 12 == 4 => first - 1 - random.below(1_000_000) as i64,
            4 => last + 1 + random.below(1_000_000_000) as i64,
            _ => bodies[span.0].0 - (n % 2) as i64,
        };
        questions.push(Question { at, event });
    }
    // Every event at the very end.
    questions.extend((0..events.len()).map(|event| Question { at: last, event }));

    // Books that were on show in one look and not in the next, while the event still was.
    let mut losses: Vec<(usize, usize, String)> = Vec::new();
    let books = |look: usize, id: &str| -> Option<Vec<String>> {
        let event = bodies[look].1.as_array()?.iter().find(|e| e["id"] == id)?;
        Some(event["bookmakers"].as_array()?.iter().map(|b| text(b, "key").to_owned()).collect())
    };
    for look in 1..bodies.len() {
        for (n, id) in events.iter().enumerate() {
            let (Some(before), Some(now)) = (books(look - 1, id), books(look, id)) else { continue };
            losses.extend(before.into_iter().filter(|b| !now.contains(b)).map(|b| (look, n, b)));
        }
    }
    let losses: Vec<_> = (0..vanished.min(losses.len())).map(|_| losses[random.below(losses.len())].clone()).collect();
    for (look, event, book) in &losses {
        let id = ids[&events[*event]];
        let statuses = |at: i64| -> Vec<&'static str> {
            let plain = stored(&reader, &names, id, at).expect("known");
            plain
                .quotes
                .iter()
                .filter(|(k, _)| k.0 == *book && present_before(&bodies[look - 1].1, &events[*event], k))
                .map(|(_, q)| q.status)
                .collect()
        };
        let (before, now) = (bodies[look - 1].0, bodies[*look].0);
        for at in [before, now - 1] {
            assert!(!statuses(at).is_empty() && !statuses(at).contains(&"gone"), "{book} was on show at {at}");
        }
        assert!(statuses(now).iter().all(|s| *s == "gone"), "{book} is gone at {now}");
        questions.extend([before, now - 1, now].map(|at| Question { at, event: *event }));
    }

    questions.sort_by_key(|q| (q.at, q.event));
    let mut plain: Vec<Option<Plain>> = vec![None; events.len()];
    let mut next = 0;
    for question in &questions {
        while next < bodies.len() && bodies[next].0 <= question.at {
            let (at, body) = &bodies[next];
            for (n, id) in events.iter().enumerate() {
                match body.as_array().expect("events").iter().find(|e| e["id"] == **id) {
                    Some(event) => plain[n].get_or_insert_default().look(*at, event),
                    None => {
                        if let Some(event) = &mut plain[n] {
                            event.missing();
                        }
                    }
                }
            }
            next += 1;
        }
        let id = &events[question.event];
        let got = stored(&reader, &names, ids[id], question.at);
        let what = format!("{name}, event {id}, at {}", Timestamp::from_millis(question.at));
        assert_equal(plain[question.event].as_ref(), got.as_ref(), &what);
    }
    eprintln!("{name}: {} questions, {} of them about {} lost books", questions.len(), losses.len() * 3, losses.len());
}

/// The market was in that look: gone already before is another story.
fn present_before(body: &Value, id: &str, key: &Key) -> bool {
    let event = body.as_array().expect("events").iter().find(|e| e["id"] == id).expect("event");
    let of = |list: &Value, name: &str| list.as_array().expect("list").iter().find(|x| x["key"] == name).cloned();
    of(&event["bookmakers"], &key.0).and_then(|b| of(&b["markets"], &key.1)).is_some()
}

type Names = BTreeMap<(u8, u32), String>;

fn names_and_ids(db: &Path) -> (Names, BTreeMap<String, u32>) {
    let c = Connection::open(db).expect("database");
    let mut select = c.prepare("SELECT kind, number, name FROM name").expect("names");
    let names = select
        .query_map([], |r| Ok(((r.get(0)?, r.get(1)?), r.get(2)?)))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("names");
    let mut select = c.prepare("SELECT provider_id, id FROM event").expect("events");
    let ids =
        select.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).expect("rows").collect::<Result<_, _>>().expect("ids");
    (names, ids)
}

#[test]
fn a_week_of_nfl() {
    check("nfl_2025_week10", 90, 10);
}

#[test]
fn a_saturday_of_ncaaf() {
    check("ncaaf_2025_11_08", 90, 10);
}

#[test]
fn days_with_empty_answers() {
    check("wncaab_2026_02_22_03_04", 120, 10);
}

#[test]
fn two_days_of_kbo() {
    check("kbo_2026_07_20_21", 90, 10);
}
