//! A board of hand-made answers that makes the engine tell of every type of signal.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stratum::engine::detect::signal::Signal;
use stratum::engine::grade::clv::ClvRow;
use stratum::engine::rules::{AnalysisRules, InPlayWatch};
use stratum::engine::{Engine, EngineSettings};
use stratum::feeds::odds_api::wire::{self, AnswerInfo};
use stratum::market::batch::{Endpoint, Scope};
use stratum::market::price::OddsFormat;
use stratum::market::time::Timestamp;

const HOME: &str = "Harbor City Gulls";
const AWAY: &str = "Prairie Bison";
const SPORT: &str = "americanfootball_nfl";
const BOOKS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Seconds after the first look at which the game starts.
const START: i64 = 4 * 3600;

/// The instant `secs` seconds after the first look.
fn at(secs: i64) -> Timestamp {
    Timestamp::parse("2026-11-22T14:00:00Z").expect("time").plus(secs * 1000)
}

/// One game, followed minute by minute.
pub struct Board {
    engine: Engine,
    secs: i64,
    /// What each book shows: home line (at -110 on both sides), total, home and away moneyline.
    quotes: BTreeMap<&'static str, (f64, f64, i64, i64)>,
    /// Everything that was told.
    pub signals: Vec<Signal>,
    /// Everything that was graded.
    pub clv: Vec<ClvRow>,
}

impl Board {
    /// Eight independent books that agree, for twenty quiet minutes.
    pub fn new(line: f64) -> Self {
        let rules = AnalysisRules { in_play: InPlayWatch::Everything, ..AnalysisRules::default() };
        let quotes = BOOKS.into_iter().map(|book| (book, (line, 44.5, -150, 130))).collect();
        let engine = Engine::new(EngineSettings { rules, ..EngineSettings::default() });
        let mut board = Self { engine, secs: 0, quotes, signals: Vec::new(), clv: Vec::new() };
        board.wait(20);
        board
    }

    /// Books of this board only.
    pub fn books(mut self, count: usize) -> Self {
        self.quotes.retain(|book, _| BOOKS[..count].contains(book));
        self.wait(20);
        self
    }

    /// Moves the home line of some books, and looks.
    pub fn line(&mut self, books: &str, line: f64) -> &mut Self {
        self.change(books, |q| q.0 = line)
    }

    /// Moves the total of some books, and looks.
    pub fn total(&mut self, books: &str, total: f64) -> &mut Self {
        self.change(books, |q| q.1 = total)
    }

    /// Moves the moneyline of some books, and looks.
    pub fn moneyline(&mut self, books: &str, home: i64, away: i64) -> &mut Self {
        self.change(books, |q| (q.2, q.3) = (home, away))
    }

    fn change(&mut self, books: &str, how: impl Fn(&mut (f64, f64, i64, i64))) -> &mut Self {
        self.quotes.iter_mut().filter(|(book, _)| books.contains(**book)).for_each(|(_, quote)| how(quote));
        self.wait(1)
    }

    /// Looks once a minute.
    pub fn wait(&mut self, minutes: i64) -> &mut Self {
        (0..minutes).for_each(|_| self.look());
        self
    }

    /// Goes on until some minutes after the start; no looks before the last minutes.
    pub fn play(&mut self, minutes: i64) -> &mut Self {
        self.secs = self.secs.max(START - 120);
        self.wait(2 + minutes)
    }

    /// Every book takes everything down.
    pub fn close_shop(&mut self) -> &mut Self {
        self.quotes.clear();
        self.wait(1)
    }

    fn look(&mut self) {
        let seen = at(self.secs).to_string();
        let books: Vec<Value> = self
            .quotes
            .iter()
            .map(|(book, (line, total, home, away))| {
                let market = |key: &str, outcomes: Value| json!({"key": key, "last_update": seen, "outcomes": outcomes});
                let markets = json!([
                    market("h2h", json!([{"name": HOME, "price": home}, {"name": AWAY, "price": away}])),
                    market("spreads", json!([
                        {"name": HOME, "price": -110, "point": line}, {"name": AWAY, "price": -110, "point": -line}
                    ])),
                    market("totals", json!([
                        {"name": "Over", "price": -110, "point": total}, {"name": "Under", "price": -110, "point": total}
                    ])),
                ]);
                json!({"key": book, "title": book, "markets": markets})
            })
            .collect();
        let body = json!([{"id": "e1", "sport_key": SPORT, "commence_time": at(START).to_string(), "home_team": HOME,
                           "away_team": AWAY, "bookmakers": books}])
        .to_string();
        let info = AnswerInfo {
            source: "the-odds-api",
            sport: SPORT,
            endpoint: Endpoint::Odds,
            received_at: at(self.secs),
            scope: Scope::default(),
            format: Some(OddsFormat::American),
        };
        let (batch, _) = wire::read(body.as_bytes(), info).expect("an answer");
        let changes = self.engine.apply(&batch);
        self.signals.extend(changes.signals);
        self.clv.extend(changes.clv);
        self.secs += 60;
    }
}
