//! An evening of games for tests of the hub, and what a store holds of it in words that do not depend on its numbers.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use std::path::Path;

use stratum::engine::Engine;
use stratum::market::batch::Scope;
use stratum::market::price::OddsFormat;
use stratum::market::time::Timestamp;
use stratum::runtime::intake::{self, Answer};
use stratum::store::Store;

/// The sport of its games.
pub const SPORT: &str = "basketball_nba";

/// Answers of an evening: prices that move, a game that comes, one that goes, a market that is taken down.
pub fn answer(minute: i64) -> String {
    let games = ["Boston Celtics/Miami Heat", "Denver Nuggets/Utah Jazz", "Phoenix Suns/Sacramento Kings"];
    let mut out = Vec::new();
    for (n, game) in games.iter().enumerate() {
        if n == 2 && !(5..40).contains(&minute) {
            continue;
        }
        let (home, away) = game.split_once('/').expect("two teams");
        let mut books = Vec::new();
        for (b, book) in ["pinnacle", "draftkings", "fanduel", "betmgm", "betrivers", "bovada"].iter().enumerate() {
            let step = (minute + b as i64) / 4;
            let line = -3.5 - 0.5 * ((step + n as i64) % 4) as f64;
            let price = -110 - ((minute * 7 + b as i64 * 3 + n as i64) % 9);
            let gone = b == 4 && (12..18).contains(&minute);
            let markets = if gone {
                String::new()
            } else {
                format!(
                    r#"{{"key":"h2h","last_update":"{t}","outcomes":[{{"name":"{home}","price":{h}}},{{"name":"{away}","price":{a}}}]}},
                       {{"key":"spreads","last_update":"{t}","outcomes":[{{"name":"{home}","price":{price},"point":{line}}},{{"name":"{away}","price":-110,"point":{other}}}]}}"#,
                    t = Timestamp::from_millis(at(minute) - 9_000).to_wire(),
                    h = -150 - (step % 5) * 4,
                    a = 130 + (step % 5) * 3,
                    other = -line
                )
            };
            books.push(format!(
                r#"{{"key":"{book}","title":"{book}","last_update":"{t}","markets":[{markets}]}}"#,
                t = Timestamp::from_millis(at(minute) - 9_000).to_wire()
            ));
        }
        out.push(format!(
            r#"{{"id":"game{n}","sport_key":"{SPORT}","sport_title":"NBA","commence_time":"{}","home_team":"{home}","away_team":"{away}","bookmakers":[{}]}}"#,
            Timestamp::from_millis(at(60 + 10 * n as i64)).to_wire(),
            books.join(",")
        ));
    }
    format!("[{}]", out.join(","))
}

/// The instant of a minute of the evening.
pub fn at(minute: i64) -> i64 {
    1_795_132_800_000 + minute * 60_000
}

/// Asks, judges and stores at a minute.
pub fn look(engine: &mut Engine, store: &mut Store, minute: i64) {
    look_at(engine, store, minute, at(minute));
}

/// What the source shows at a minute, received at an instant by a clock that is wrong.
pub fn look_at(engine: &mut Engine, store: &mut Store, minute: i64, received_at: i64) {
    store.note_settings(engine.next_look(), &engine.settings().note()).expect("rules");
    let body = answer(minute);
    let answer = Answer {
        source: "the_odds_api",
        sport: SPORT,
        endpoint: None,
        received_at: Timestamp::from_millis(received_at),
        scope: Scope::default(),
        format: Some(OddsFormat::American),
        body: body.as_bytes(),
        origin: None,
        cost: Some(3),
        remaining: Some(1000 - minute),
    };
    intake::take(engine, store, &answer).expect("taken");
}

/// Everything of a store in words that do not depend on its own numbers.
pub fn told(path: &Path) -> Vec<String> {
    let c = rusqlite::Connection::open(path).expect("store");
    let questions = [
        "SELECT 'look', received_at, endpoint, events, quotes, changes, issues, hex(body_hash), s.json, cost FROM look
         JOIN scope s ON s.id = scope ORDER BY received_at",
        "SELECT 'event', provider_id, home, away, commence, first_seen, status, home_score, slots, forgotten IS NULL,
         (SELECT received_at FROM look WHERE id = first_look), (SELECT received_at FROM look WHERE id = forgotten)
         FROM event ORDER BY provider_id",
        "SELECT 'quote', e.provider_id, slot, b.name, m.name, side, subject, own_line, line, price, q.status, q.first_seen,
         last_changed, last_seen, provider_update FROM quote q JOIN event e ON e.id = event
         JOIN name b ON b.kind = 2 AND b.number = book JOIN name m ON m.kind = 3 AND m.number = market
         ORDER BY e.provider_id, slot",
        "SELECT 'change', e.provider_id, l.received_at, slot, line, price, c.status, last_seen, provider_update
         FROM change c JOIN event e ON e.id = event JOIN look l ON l.id = c.look ORDER BY 2, 3, 4",
        "SELECT 'point', e.provider_id, l.received_at, m.name, subject, own_line, p.line, value1, value2, fair1, fair2,
         standard_error, effective, families, consensus_line, consensus, dispersion, p.books,
         (SELECT received_at FROM look WHERE id = previous)
         FROM point p JOIN event e ON e.id = event JOIN look l ON l.id = p.look JOIN name m ON m.kind = 3 AND m.number = market
         ORDER BY 2, 3, 4, 6",
        "SELECT 'newest', e.provider_id, l.received_at, m.name, own_line FROM point_newest p JOIN event e ON e.id = event
         JOIN look l ON l.id = p.look JOIN name m ON m.kind = 3 AND m.number = market ORDER BY 2, 4, 5",
        "SELECT 'signal', s.id, version, l.received_at, type, direction, side, strength, composite,
         json_remove(json, '$.event_id') FROM signal s JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'issue', l.received_at, e.provider_id, b.name, reason, detail,
         (SELECT received_at FROM look WHERE id = cleared) FROM quality q JOIN look l ON l.id = look
         LEFT JOIN event e ON e.id = q.event LEFT JOIN name b ON b.kind = 2 AND b.number = book ORDER BY 2, q.id",
        "SELECT 'tally', l.received_at, detector, evaluated, not_evaluable FROM tally JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'keyframe', e.provider_id, l.received_at, hex(state) FROM keyframe JOIN event e ON e.id = event
         JOIN look l ON l.id = look ORDER BY 2, 3",
        "SELECT 'opportunity', e.provider_id, l.received_at, kind, open, ev, json FROM opportunity o
         JOIN event e ON e.id = event JOIN look l ON l.id = o.look ORDER BY 2, 3, 4, 7",
    ];
    let mut lines = Vec::new();
    for sql in questions {
        let mut select = c.prepare(sql).expect("question");
        let columns = select.column_count();
        let mut rows = select.query([]).expect("rows");
        while let Some(r) = rows.next().expect("row") {
            let cells: Vec<String> =
                (0..columns).map(|i| format!("{:?}", r.get::<_, rusqlite::types::Value>(i).expect("cell"))).collect();
            lines.push(cells.join(" "));
        }
    }
    lines
}
