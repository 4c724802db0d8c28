//! Hand-made recordings: a board of offers that changes by plain statements, and looks at it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stratum::market::time::Timestamp;

pub const NFL: &str = "americanfootball_nfl";
pub const NBA: &str = "basketball_nba";

/// Eight books of eight families.
pub const EIGHT: [&str; 8] =
    ["betmgm", "betonlineag", "betrivers", "bovada", "draftkings", "fanatics", "fanduel", "williamhill_us"];

/// How long before a look the provider has seen the market. Seconds.
const SEEN_BEFORE: i64 = 20;

/// One book's offer of one market.
#[derive(Clone, PartialEq, Debug)]
pub enum Offer {
    /// Line of home, or the total (no meaning for the moneyline); American prices of home or Over, and of the other
    /// side.
    Good(f64, i64, i64),
    /// The outcomes as they stand in the answer.
    Outcomes(Value),
}

/// One game and what its books offer.
#[derive(Clone, Debug)]
pub struct Game {
    pub id: String,
    pub home: String,
    pub away: String,
    /// Scheduled start, seconds since [`Tape::zero`].
    pub start: i64,
    /// By book and market.
    pub offers: BTreeMap<(String, String), Offer>,
}

impl Game {
    fn body(&self, tape: &Tape) -> Value {
        let mut books: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for ((book, market), offer) in &self.offers {
            let outcomes = match offer {
                Offer::Outcomes(outcomes) => outcomes.clone(),
                Offer::Good(line, first, second) => match &**market {
                    "h2h" => json!([{"name": self.home, "price": first}, {"name": self.away, "price": second}]),
                    "totals" => json!([{"name": "Over", "price": first, "point": line},
                                       {"name": "Under", "price": second, "point": line}]),
                    _ => json!([{"name": self.home, "price": first, "point": line},
                                {"name": self.away, "price": second, "point": -line}]),
                },
            };
            let seen = tape.at(tape.now - SEEN_BEFORE).to_wire();
            books.entry(book).or_default().push(json!({"key": market, "last_update": seen, "outcomes": outcomes}));
        }
        let books: Vec<Value> =
            books.into_iter().map(|(key, markets)| json!({"key": key, "title": key, "markets": markets})).collect();
        json!({"id": self.id, "sport_key": tape.sport, "commence_time": tape.at(self.start).to_wire(),
               "home_team": self.home, "away_team": self.away, "bookmakers": books})
    }
}

/// A recording that is being made.
#[derive(Clone, Debug)]
pub struct Tape {
    pub sport: &'static str,
    /// Seconds between two looks.
    pub step: i64,
    /// When the next look is, in seconds since [`Tape::zero`].
    pub now: i64,
    /// The first is the one that all statements without a game are about.
    pub games: Vec<Game>,
    pub lines: Vec<String>,
}

impl Tape {
    /// A tape of one game that starts in six hours, a look every minute.
    pub fn of(sport: &'static str) -> Self {
        let (home, away) =
            if sport == NBA { ("Boston Celtics", "Miami Heat") } else { ("Kansas City Chiefs", "Buffalo Bills") };
        let game = Game {
            id: "0badc0de0badc0de0badc0de0badc0de".into(),
            home: home.into(),
            away: away.into(),
            start: 6 * 3600,
            offers: BTreeMap::new(),
        };
        Self { sport, step: 60, now: 0, games: vec![game], lines: Vec::new() }
    }

    /// A tape of a game in which all eight books offer this spread at -110 on both sides.
    pub fn at_spread(sport: &'static str, line: f64) -> Self {
        let mut tape = Self::of(sport);
        tape.all("spreads", line, -110, -110);
        tape
    }

    /// The first instant of every tape.
    pub fn zero() -> Timestamp {
        Timestamp::parse("2026-10-18T11:00:00Z").expect("time")
    }

    /// The instant so many seconds after [`Tape::zero`].
    pub fn at(&self, seconds: i64) -> Timestamp {
        Self::zero().plus(seconds * 1000)
    }

    pub fn game(&mut self) -> &mut Game {
        &mut self.games[0]
    }

    /// A book offers a market from now on.
    pub fn set(&mut self, book: &str, market: &str, line: f64, first: i64, second: i64) {
        self.game().offers.insert((book.into(), market.into()), Offer::Good(line, first, second));
    }

    /// So do these books.
    pub fn books(&mut self, books: &[&str], market: &str, line: f64, first: i64, second: i64) {
        books.iter().for_each(|book| self.set(book, market, line, first, second));
    }

    /// So do all eight books.
    pub fn all(&mut self, market: &str, line: f64, first: i64, second: i64) {
        self.books(&EIGHT, market, line, first, second);
    }

    /// A book does not offer a market any more.
    pub fn close(&mut self, book: &str, market: &str) {
        self.game().offers.remove(&(book.to_owned(), market.to_owned()));
    }

    /// A book is in no answer any more.
    pub fn drop_book(&mut self, book: &str) {
        self.game().offers.retain(|(b, _), _| b != book);
    }

    /// One look; time goes on by a step.
    pub fn look(&mut self) {
        let body: Vec<Value> = self.games.iter().map(|game| game.body(self)).collect();
        let line = json!({"captured_at": self.at(self.now).to_wire(), "sport": self.sport, "body": body});
        self.lines.push(line.to_string());
        self.now += self.step;
    }

    /// So many looks, nothing changes.
    pub fn stand(&mut self, looks: usize) {
        (0..looks).for_each(|_| self.look());
    }

    /// Looks until `seconds` after [`Tape::zero`], that one included.
    pub fn stand_until(&mut self, seconds: i64) {
        while self.now <= seconds {
            self.look();
        }
    }
}
