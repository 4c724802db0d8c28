//! The content of a store without the numbers that depend on the order of import.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use stratum::engine::image;
use stratum::engine::seen::visit_records;
use stratum::market::ids::{BookId, EventId, MarketId, SubjectId};
use stratum::market::time::Timestamp;
use stratum::store::Reader;

struct Names {
    names: HashMap<(i64, i64), String>,
    events: HashMap<i64, String>,
    looks: HashMap<i64, String>,
    quotes: HashMap<(i64, i64), String>,
}

impl Names {
    fn of(&self, kind: i64, number: i64) -> String {
        self.names.get(&(kind, number)).cloned().unwrap_or_else(|| "-".to_owned())
    }
}

fn rows<T>(c: &Connection, sql: &str, mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut select = c.prepare(sql).expect("sql");
    let found = select.query_map([], |r| each(r)).expect("query");
    found.collect::<Result<_, _>>().expect("rows")
}

fn cells(r: &Row<'_>, from: usize) -> String {
    let n = r.as_ref().column_count();
    let cell = |i| match r.get::<_, Value>(i).expect("cell") {
        Value::Null => "-".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(t) => t,
        Value::Blob(b) => b.iter().map(|b| format!("{b:02x}")).collect(),
    };
    (from..n).map(cell).collect::<Vec<_>>().join(" ")
}

fn unzstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::decode_all(bytes).expect("zstd")
}

/// Every table, sorted, with names in place of numbers.
pub fn dump(path: &Path) -> Vec<String> {
    let c = Connection::open(path).expect("open");
    let names: HashMap<_, _> =
        rows(&c, "SELECT kind, number, name FROM name", |r| Ok(((r.get(0)?, r.get(1)?), r.get(2)?)))
            .into_iter()
            .collect();
    let events = rows(&c, "SELECT id, provider_id FROM event", |r| Ok((r.get(0)?, r.get(1)?))).into_iter().collect();
    let looks =
        rows(&c, "SELECT id, received_at, hex(body_hash), endpoint FROM look", |r| Ok((r.get(0)?, cells(r, 1))));
    let mut names = Names { names, events, looks: looks.into_iter().collect(), quotes: HashMap::new() };
    let quotes = rows(&c, "SELECT event, slot, book, market, side, subject, own_line FROM quote", |r| {
        let name = format!(
            "{} {} {} {} {:?}",
            names.of(2, r.get(2)?),
            names.of(3, r.get(3)?),
            r.get::<_, i64>(4)?,
            names.of(4, r.get(5)?),
            r.get::<_, Option<i64>>(6)?
        );
        Ok(((r.get(0)?, r.get(1)?), name))
    });
    names.quotes = quotes.into_iter().collect();
    let mut out = Vec::new();
    out.extend(rows(
        &c,
        "SELECT source, sport, received_at, endpoint, (SELECT json FROM scope WHERE id = scope), origin, cost, remaining,
         events, quotes, changes, issues, body_hash FROM look",
        |r| Ok(format!("look {} {} {}", names.of(5, r.get(0)?), names.of(1, r.get(1)?), cells(r, 2))),
    ));
    let look = |id: Option<i64>| id.map(|id| names.looks[&id].clone());
    out.extend(rows(
        &c,
        "SELECT first_look, forgotten, provider_id, home, away, commence, first_seen, status, home_score, away_score
         FROM event",
        |r| Ok(format!("event {} first {:?} forgotten {:?}", cells(r, 2), look(r.get(0)?), look(r.get(1)?))),
    ));
    for (table, columns) in [("event_start", "commence"), ("event_score", "status, home_score, away_score")] {
        out.extend(rows(&c, &format!("SELECT event, look, {columns} FROM {table}"), |r| {
            Ok(format!("{table} {} {:?} {}", names.events[&r.get(0)?], look(r.get(1)?), cells(r, 2)))
        }));
    }
    out.extend(rows(
        &c,
        "SELECT event, slot, line, price, status, first_seen, last_changed, last_seen, provider_update FROM quote",
        |r| {
            let at = (r.get(0)?, r.get(1)?);
            Ok(format!("quote {} {} {}", names.events[&at.0], names.quotes[&at], cells(r, 2)))
        },
    ));
    out.extend(rows(
        &c,
        "SELECT event, slot, look, line, price, status, last_seen, provider_update FROM change",
        |r| {
            let at = (r.get(0)?, r.get(1)?);
            Ok(format!("change {} {} {:?} {}", names.events[&at.0], names.quotes[&at], look(r.get(2)?), cells(r, 3)))
        },
    ));
    for (event, at, state) in rows(&c, "SELECT event, look, state FROM keyframe", |r| {
        Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, Vec<u8>>(2)?))
    }) {
        for (slot, value) in image::unpack(&unzstd(&state)).expect("keyframe") {
            let quote = &names.quotes[&(event, i64::from(slot.0))];
            out.push(format!("keyframe {} {} {quote} {value:?}", names.events[&event], names.looks[&at]));
        }
    }
    for (at, received, seen) in
        rows(&c, "SELECT look.id, received_at, seen FROM look JOIN look_seen ON look_seen.look = look.id", |r| {
            Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get::<_, Vec<u8>>(2)?))
        })
    {
        let at = &names.looks[&at];
        let whole = visit_records(&unzstd(&seen), Timestamp::from_millis(received), |EventId(event), groups, note| {
            let event = i64::from(event);
            out.push(format!(
                "seen {at} {} {} {} {:?} {:?}",
                names.events[&event], note.without_odds, note.without_start, note.score, note.reasons
            ));
            for group in groups {
                let mut quote = names.quotes[&(event, i64::from(group.group.0))].split(' ');
                let market = (quote.next(), quote.next());
                out.push(format!("seen {at} {} {market:?} {:?}", names.events[&event], group.provider_update));
            }
            for book in note.books {
                let BookId(n) = book.book;
                out.push(format!("note {at} {} {} {:?}", names.events[&event], names.of(2, n.into()), book.reasons));
            }
            for m in note.markets {
                let (BookId(b), MarketId(k)) = (m.book, m.market);
                let mut outcomes: Vec<_> = m
                    .unreadable
                    .iter()
                    .map(|s| {
                        let SubjectId(n) = s.subject;
                        format!("{:?} {} {:?}", s.side, names.of(4, n.into()), s.line)
                    })
                    .collect();
                outcomes.sort();
                out.push(format!(
                    "note {at} {} {} {} {:?} {} {:?} {outcomes:?}",
                    names.events[&event],
                    names.of(2, b.into()),
                    names.of(3, k.into()),
                    m.provider_update,
                    m.damaged,
                    m.reasons
                ));
            }
        });
        assert!(whole);
    }
    out.extend(rows(&c, "SELECT event, look, cleared, book, market, reason, severity FROM quality", |r| {
        let event: Option<i64> = r.get(0)?;
        Ok(format!(
            "quality {:?} {:?} {:?} {} {} {}",
            event.map(|e| &names.events[&e]),
            look(r.get(1)?),
            look(r.get(2)?),
            names.of(2, r.get::<_, Option<i64>>(3)?.unwrap_or(0)),
            names.of(3, r.get::<_, Option<i64>>(4)?.unwrap_or(0)),
            cells(r, 5)
        ))
    }));
    out.extend(analysis(&c, &names));
    out.sort();
    out
}

/// What the analysis found, without our numbers of events in the JSON.
fn analysis(c: &Connection, names: &Names) -> Vec<String> {
    let mut out = Vec::new();
    let keyed = "event, market, subject, own_line, look";
    for (table, columns) in [
        (
            "point",
            "line, value1, value2, value3, fair1, fair2, fair3, standard_error, effective, families, consensus_line,
             consensus, consensus_value, dispersion, consensus_books, books",
        ),
        ("signal", "id, version, type, direction, side, at, strength, composite"),
        ("opportunity", "kind, open, ev, json"),
        ("close", "version, start, grade, reason, provisional"),
    ] {
        let legs = if table == "opportunity" { "legs" } else { "''" };
        out.extend(rows(c, &format!("SELECT {keyed}, {legs}, {columns} FROM {table}"), |r| {
            let legs: String = r.get(5)?;
            let named = |leg: &str| {
                let (side, book) = leg.split_once(':').expect("side and book");
                format!("{side} {}", names.of(2, book.parse().expect("number")))
            };
            let legs: Vec<_> = legs.split(',').filter(|l| !l.is_empty()).map(named).collect();
            Ok(format!(
                "{table} {} {} {} {} {} {legs:?} {}",
                names.events[&r.get(0)?],
                names.of(3, r.get(1)?),
                names.of(4, r.get(2)?),
                r.get::<_, i64>(3)?,
                names.looks[&r.get(4)?],
                cells(r, 6)
            ))
        }));
    }
    let clv = "SELECT event, look, signal, version, market, type, at, start, strength, composite, clv_ev, grade,
               left_out FROM clv";
    out.extend(rows(c, clv, |r| {
        Ok(format!("clv {} {} {}", names.events[&r.get(0)?], names.looks[&r.get(1)?], cells(r, 2)))
    }));
    let tally = "SELECT look, detector, evaluated, not_evaluable, longest_gap_ms, needed_ms, suppressed FROM tally";
    out.extend(rows(c, tally, |r| Ok(format!("tally {} {}", names.looks[&r.get(0)?], cells(r, 1)))));
    out
}

/// The state of every event at about `instants` instants spread over the looks.
pub fn states(path: &Path, instants: usize) -> Vec<String> {
    let c = Connection::open(path).expect("open");
    let reader = Reader::open(path).expect("reader");
    let names = reader.names().expect("names");
    let times = rows(&c, "SELECT DISTINCT received_at FROM look ORDER BY 1", |r| r.get::<_, i64>(0));
    let step = (times.len() / instants).max(1);
    let events = reader.events(None).expect("events");
    let mut out = Vec::new();
    for at in times.iter().step_by(step).chain(times.last()).map(|t| Timestamp::from_millis(*t)) {
        for event in &events {
            let Some(state) = reader.event_as_of(event.id, at).expect("as of") else { continue };
            let row = &state.row;
            out.push(format!("{at} {} {} {:?} {:?}", row.provider_id, row.commence, row.status, row.score));
            for (_, key, value) in &state.quotes {
                let (book, market) = (names.book(key.book), names.market(key.market));
                let s = key.selection;
                let subject = names.subject(s.subject);
                out.push(format!(
                    "{at} {} {book} {market} {:?} {subject} {:?} {value:?}",
                    row.provider_id, s.side, s.line
                ));
            }
        }
    }
    out.sort();
    out
}

/// Fails with the first differences.
pub fn assert_same(what: &str, want: &[String], got: &[String]) {
    if want == got {
        return;
    }
    let count = |lines: &[String]| {
        let mut counts: HashMap<String, i64> = HashMap::new();
        for line in lines {
            *counts.entry(line.clone()).or_default() += 1;
        }
        counts
    };
    let (w, g) = (count(want), count(got));
    let mut lost: Vec<_> = w.iter().filter(|(l, n)| g.get(*l).copied().unwrap_or(0) < **n).map(|(l, _)| l).collect();
    let mut extra: Vec<_> = g.iter().filter(|(l, n)| w.get(*l).copied().unwrap_or(0) < **n).map(|(l, _)| l).collect();
    lost.sort();
    extra.sort();
    let head = |lines: &[&String]| lines.iter().take(12).map(|l| format!("  {l}\n")).collect::<String>();
    panic!("{what}: {} lost\n{}{} too many\n{}", lost.len(), head(&lost), extra.len(), head(&extra));
}
