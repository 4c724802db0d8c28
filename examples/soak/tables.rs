//! How many rows each table of the store may hold after a soak, and why no more.
//!
//! A table without a bound is an error: whoever adds one says here what limits it.

use std::path::Path;

use rusqlite::Connection;
use stratum::feeds::sim::Scenario;

/// What is old is looked for so often at the latest, in market time; points once an hour. Seconds.
const CLEAN_UP: i64 = 20 * 60;
const ROUND: i64 = 3600;
/// Prices of a book for a game in three markets, with both sides and what an exchange lays.
const QUOTES: i64 = 10;
/// Questions of a game: its three markets.
const QUESTIONS: i64 = 3;
/// Versions of a close: provisional ones, the last one, and corrections.
const CLOSES: i64 = 6;
/// Kinds of detectors.
const DETECTORS: i64 = 7;

/// What limits a table.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Rows at the most.
    pub rows: i64,
    /// Why no more.
    pub why: &'static str,
    /// Rows that should have gone by their age and are still there.
    pub overdue: i64,
}

/// What was followed.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    games: i64,
    sports: i64,
    books: i64,
    keep: i64,
    looks: i64,
    changes: i64,
}

impl Market {
    /// The market of a scenario after so many looks and changes.
    pub fn of(scenario: &Scenario, keep: i64, looks: i64, changes: u64) -> Self {
        let many = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            games: many(scenario.sports.iter().map(|s| s.games).sum()),
            sports: many(scenario.sports.len()),
            books: many(scenario.books.len()),
            keep,
            looks,
            changes: i64::try_from(changes).unwrap_or(i64::MAX),
        }
    }

    /// Calls within so many seconds: prices every minute, scores every five.
    const fn calls(&self, seconds: i64) -> i64 {
        self.sports * (seconds / 60 + seconds / 300 + 2)
    }

    /// The rows that a table may hold, why, and the question for rows that should have gone. `?1`: the instant before
    /// which nothing is kept.
    fn bound(&self, table: &str) -> (i64, &'static str, Option<&'static str>) {
        let Self { games, books, keep, looks, changes, .. } = *self;
        let questions = games * QUESTIONS;
        let recent = self.calls(keep + CLEAN_UP);
        // A question has at most a point a look.
        let points = questions * (1 + (keep + ROUND + CLEAN_UP) / 60);
        match table {
            "fetch_log" => (recent, "age", Some("SELECT count(*) FROM fetch_log WHERE at < ?1")),
            "cycle" => (recent, "age", Some("SELECT count(*) FROM cycle WHERE at < ?1")),
            "raw_answer" => (recent, "age", Some("SELECT count(*) FROM raw_answer WHERE at < ?1")),
            // At most one version of a signal for each question, detector and look.
            "outbox" => (recent * questions, "age", Some("SELECT count(*) FROM outbox WHERE at < ?1")),
            "delivery_log" => (
                recent * questions,
                "its message",
                Some("SELECT count(*) FROM delivery_log WHERE ?1 > 0 AND outbox NOT IN (SELECT id FROM outbox)"),
            ),
            "alert_cooldown" => (recent * questions, "age", Some("SELECT count(*) FROM alert_cooldown WHERE at < ?1")),
            "point" => (
                points,
                "age, the newest of a question apart",
                Some(
                    "SELECT count(*) FROM point AS p JOIN look ON look.id = p.look JOIN point_newest AS n USING
                 (event, market, subject, own_line) WHERE received_at < ?1 - 3600000 AND p.look < n.look
                 AND EXISTS (SELECT 1 FROM point AS q JOIN look AS l ON l.id = q.look WHERE q.event = p.event AND
                             q.market = p.market AND q.subject = p.subject AND q.own_line = p.own_line
                             AND q.look > p.look AND l.received_at < ?1 - 3600000)",
                ),
            ),
            "opportunity" => (points, "age, as points", None),
            "name" => (200, "names of books, sports and markets", None),
            "scope" => (8, "what is asked for", None),
            "analysis_setting" => (4, "settings", None),
            "credit" | "account" => (0, "a steady beat keeps no ledger", None),
            "event" => (games, "games", None),
            "event_life" => (games, "games", None),
            // When it was told first, and the real kick-off.
            "event_start" => (4 * games, "games", None),
            "point_newest" => (questions, "questions", None),
            "quote" => (games * books * QUOTES, "games and books", None),
            "close" => (questions * CLOSES, "questions", None),
            "quality" => {
                (recent * games, "age", Some("SELECT count(*) FROM quality WHERE at < ?1 AND cleared IS NOT NULL"))
            }
            // The record of the market is kept for ever, on purpose.
            "look" | "look_seen" => (looks, "a row a look", None),
            "change" => (changes, "a row a change", None),
            "keyframe" => (changes / 100 + games, "a state every so many changes", None),
            "event_score" => (looks * games / self.sports, "a score a look", None),
            "tally" => (looks * DETECTORS, "a row a look and detector", None),
            "signal" => (looks * 3, "what the detectors found", None),
            "clv" => (looks * 6, "what became of it", None),
            "exchange_event" | "exchange_market" | "exchange_link" | "exchange_link_log" | "exchange_book"
            | "exchange_seen" | "exchange_trade" | "exchange_gap" | "exchange_price" | "exchange_backfill" => {
                (0, "no exchange is listened to", None)
            }
            "hub"
            | "hub_pushed"
            | "hub_look"
            | "hub_event"
            | "hub_name"
            | "taken_back"
            | "hub_contact"
            | "hub_ahead"
            | "hub_end"
            | "hub_mark"
            | "hub_back"
            | "hub_apart"
            | "hub_exchange"
            | "hub_exchange_market"
            | "hub_exchange_link"
            | "hub_exchange_log"
            | "credit_elsewhere" => (0, "the store is linked to no hub", None),
            _ => (-1, "nobody has said what limits this table", None),
        }
    }
}

/// Every table with its rows and its bound.
pub fn look(store: &Path, market: &Market) -> Vec<(String, i64, Bound)> {
    let c = Connection::open(store).expect("store");
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut names = c.prepare(names).expect("tables");
    let names: Vec<String> =
        names.query_map([], |r| r.get(0)).expect("names").collect::<Result<_, _>>().expect("names");
    let newest: i64 = c.query_row("SELECT max(received_at) FROM look", [], |r| r.get(0)).expect("a look");
    let before = newest - (market.keep + CLEAN_UP) * 1000;
    let rows = |name: &String| -> i64 {
        c.query_row(&format!("SELECT count(*) FROM {name}"), [], |r| r.get(0)).expect("count")
    };
    let bound = |name: &String| {
        let (rows, why, overdue) = market.bound(name);
        let overdue = overdue.map_or(0, |sql| c.query_row(sql, [before], |r| r.get(0)).expect("count"));
        Bound { rows, why, overdue }
    };
    names.iter().map(|name| (name.clone(), rows(name), bound(name))).collect()
}
