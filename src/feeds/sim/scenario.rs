//! Scenarios: TOML files that say what the simulated market looks like and what happens in it.
//!
//! Times in a scenario are seconds after its start, so that the same file plays at any hour.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::books;
use super::faults::FaultSpec;
use super::polymarket::ExchangeSettings;
use super::sports;

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither an embedded scenario nor a readable file.
    #[error("no scenario \"{name}\": embedded are {known}; or give the path of a TOML file ({detail})")]
    NotFound {
        /// What was asked for.
        name: String,
        /// Embedded names.
        known: String,
        /// Why the file could not be read.
        detail: String,
    },
    /// Not TOML, or not of this shape.
    #[error("scenario \"{name}\" cannot be read: {detail}")]
    Syntax {
        /// Its name or path.
        name: String,
        /// Place and reason.
        detail: String,
    },
    /// Readable, but asks for something that does not exist.
    #[error("scenario \"{name}\": {detail}")]
    Invalid {
        /// Its name.
        name: String,
        /// What to change.
        detail: String,
    },
}

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name.
    pub name: String,
    /// One line for a person.
    #[serde(default)]
    pub about: String,
    /// Seed of everything that is drawn.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Virtual seconds per real second.
    #[serde(default = "one")]
    pub speed: u32,
    /// Credits per month.
    #[serde(default = "credits")]
    pub credits: i64,
    /// Requests per real second before 429; 0 is no limit.
    #[serde(default = "thirty")]
    pub requests_per_second: u32,
    /// How far the past reaches back at the start, hours (for the historical endpoints and opening prices).
    #[serde(default = "past_hours")]
    pub past_hours: f64,
    /// Seconds between two historical snapshots.
    #[serde(default = "history_step")]
    pub history_step_s: i64,
    /// Book keys. When empty, the first `book_count` of the table.
    #[serde(default)]
    pub books: Vec<String>,
    /// How many books when none are named.
    #[serde(default = "book_count")]
    pub book_count: usize,
    /// Further sister pairs: the first copies the second.
    #[serde(default)]
    pub sisters: Vec<[String; 2]>,
    /// Scales how often and how far the market moves; 0 stands still.
    #[serde(default = "one_f")]
    pub volatility: f64,
    /// Scales how far books differ from each other.
    #[serde(default = "one_f")]
    pub disagreement: f64,
    /// Share of (book, game) pairs that are on offer.
    #[serde(default = "coverage")]
    pub coverage: f64,
    /// How many hours before the start books begin to offer a game; 0 for as long as the scenario plays.
    #[serde(default)]
    pub offered_hours: f64,
    /// Share of quotes whose price changes from one look of the provider to the next, besides the market's own moves.
    #[serde(default)]
    pub change_fraction: f64,
    /// The exchange beside the books.
    #[serde(default)]
    pub exchange: ExchangeSettings,
    /// Sports and their games.
    #[serde(default, rename = "sport")]
    pub sports: Vec<SportSlate>,
    /// Scripted situations.
    #[serde(default, rename = "event")]
    pub events: Vec<Script>,
    /// Faults.
    #[serde(default, rename = "fault")]
    pub faults: Vec<FaultSpec>,
}

/// The games of a sport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SportSlate {
    /// Sport key.
    pub key: String,
    /// How many games.
    pub games: usize,
    /// Start of the first, minutes after the scenario's start; negative for games under way.
    #[serde(default = "first_in")]
    pub first_in_min: f64,
    /// Minutes between two starts.
    #[serde(default = "every")]
    pub every_min: f64,
    /// The start of each game, minutes after the scenario's start, where they are not evenly spread.
    #[serde(default)]
    pub starts_min: Vec<f64>,
}

impl SportSlate {
    /// The start of a game, minutes after the scenario's start.
    pub fn start_min(&self, game: usize) -> f64 {
        self.starts_min.get(game).copied().unwrap_or(self.first_in_min + self.every_min * game as f64)
    }
}

/// What a scripted event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// The named books (or all) move by `points`, one after another within `over_s`; the others after `followers_s`.
    Steam,
    /// The same, all in one instant.
    Simultaneous,
    /// The line goes from `line` by `points`, across a key number.
    KeyCross,
    /// The line goes from `line` by `points`, from one favourite to the other.
    ZeroCross,
    /// The game stands at `line` (0 unless given).
    Pickem,
    /// The named books stand off the market by `points` for `for_s`.
    Outlier,
    /// The probability of home or Over moves by `prob` at an unchanged line.
    PriceOnly,
    /// The named books drop the game (or, without a game, everything) for `for_s`.
    BookDisappears,
    /// The market freezes, vanishes after 15 minutes, and comes back after `for_s`, moved by `points`.
    Suspend,
    /// The start moves by `hours`; beyond 24 hours the event gets a new id.
    Postponed,
}

/// One scripted event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What happens.
    pub kind: Situation,
    /// When, seconds after the scenario's start.
    pub at_s: f64,
    /// Sport of the game.
    pub sport: String,
    /// Which game of the sport, in order of the slate, from 0. Without it, every game of the sport.
    pub game: Option<usize>,
    /// `h2h`, `spreads` or `totals`.
    #[serde(default = "spreads")]
    pub market: String,
    /// Books concerned, in order. Empty for all.
    #[serde(default)]
    pub books: Vec<String>,
    /// Line before the event: home point or total. Quiets the game's own moves.
    pub line: Option<f64>,
    /// Move of the home point or total; for `h2h` the move of home's probability.
    #[serde(default)]
    pub points: f64,
    /// Move of the probability of home or Over.
    #[serde(default)]
    pub prob: f64,
    /// From the first mover to the last, seconds.
    #[serde(default)]
    pub over_s: f64,
    /// When the books that are not named follow, seconds after the event; without it they never do.
    pub followers_s: Option<f64>,
    /// How long it lasts, seconds; 0 for ever.
    #[serde(default)]
    pub for_s: f64,
    /// How far the start moves.
    #[serde(default)]
    pub hours: f64,
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// The scenarios that come with the program: name and text.
        pub const EMBEDDED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../assets/scenarios/", $name, ".toml")))),*
        ];
    };
}
embedded!(
    "demo",
    "quiet",
    "load",
    "faults",
    "steam",
    "simultaneous",
    "key_cross",
    "zero_cross",
    "outlier",
    "price_only",
    "suspend",
    "postponed",
    "exchange",
);

impl Scenario {
    /// An embedded scenario by name, or a TOML file by path.
    ///
    /// # Errors
    /// [`ScenarioError`], with what to do about it.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, text);
        }
        let text = std::fs::read_to_string(Path::new(name_or_path)).map_err(|e| ScenarioError::NotFound {
            name: name_or_path.to_owned(),
            known: EMBEDDED.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", "),
            detail: e.to_string(),
        })?;
        Self::parse(name_or_path, &text)
    }

    /// Reads a scenario from text; `name` is for messages.
    ///
    /// # Errors
    /// [`ScenarioError::Syntax`] and [`ScenarioError::Invalid`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|e| ScenarioError::Syntax { name: name.to_owned(), detail: e.to_string() })?;
        scenario.check().map_err(|detail| ScenarioError::Invalid { name: name.to_owned(), detail })?;
        Ok(scenario)
    }

    /// The keys of the books on offer, in order.
    pub fn book_keys(&self) -> Vec<&str> {
        if self.books.is_empty() {
            books::BOOKS.iter().take(self.book_count).map(|b| b.key).collect()
        } else {
            self.books.iter().map(String::as_str).collect()
        }
    }

    fn check(&self) -> Result<(), String> {
        let number = |name: &str, x: f64, low: f64, high: f64| {
            if x.is_finite() && x >= low && x <= high {
                Ok(())
            } else {
                Err(format!("{name} must lie between {low} and {high}"))
            }
        };
        number("volatility", self.volatility, 0.0, 20.0)?;
        number("disagreement", self.disagreement, 0.0, 10.0)?;
        number("coverage", self.coverage, 0.0, 1.0)?;
        number("offered_hours", self.offered_hours, 0.0, 10_000.0)?;
        number("change_fraction", self.change_fraction, 0.0, 1.0)?;
        number("past_hours", self.past_hours, 0.0, 240.0)?;
        number("history_step_s", self.history_step_s as f64, 60.0, 86_400.0)?;
        number("speed", f64::from(self.speed), 1.0, f64::from(super::clock::MAX_SPEED))?;
        self.exchange.check()?;
        let keys = self.book_keys();
        if keys.is_empty() {
            return Err("at least one book is needed".into());
        }
        for (i, key) in keys.iter().enumerate() {
            book_known(key)?;
            if keys.iter().take(i).any(|k| k == key) {
                return Err(format!("book \"{key}\" is listed twice"));
            }
        }
        for key in self.sisters.iter().flatten() {
            book_known(key)?;
        }
        for (i, slate) in self.sports.iter().enumerate() {
            sport_known(&slate.key)?;
            if self.sports.iter().take(i).any(|s| s.key == slate.key) {
                return Err(format!("sport \"{}\" is listed twice", slate.key));
            }
            if slate.games > 2000 {
                return Err(format!("{}: at most 2000 games", slate.key));
            }
            number("first_in_min", slate.first_in_min, -100_000.0, 100_000.0)?;
            number("every_min", slate.every_min, 0.0, 10_000.0)?;
            if !slate.starts_min.is_empty() && slate.starts_min.len() != slate.games {
                return Err(format!("{}: {} games need as many starts_min", slate.key, slate.games));
            }
            slate.starts_min.iter().try_for_each(|&start| number("starts_min", start, -100_000.0, 100_000.0))?;
        }
        self.events.iter().try_for_each(|e| self.check_script(e))?;
        self.faults.iter().try_for_each(FaultSpec::check)
    }

    fn check_script(&self, script: &Script) -> Result<(), String> {
        sport_known(&script.sport)?;
        let slate = self
            .sports
            .iter()
            .find(|s| s.key == script.sport)
            .ok_or_else(|| format!("event on {}: the scenario has no such sport", script.sport))?;
        if let Some(game) = script.game.filter(|&g| g >= slate.games) {
            return Err(format!("event on {} game {game}: there are {} games", script.sport, slate.games));
        }
        if !["h2h", "spreads", "totals"].contains(&script.market.as_str()) {
            return Err(format!("event market \"{}\": use h2h, spreads or totals", script.market));
        }
        for key in &script.books {
            book_known(key)?;
        }
        let numbers = [script.at_s, script.points, script.prob, script.over_s, script.for_s, script.hours];
        let all = numbers.into_iter().chain(script.line).chain(script.followers_s);
        if all.into_iter().any(|x| !x.is_finite() || x.abs() > 1e7) {
            return Err("event: a number is not finite or implausibly large".into());
        }
        Ok(())
    }
}

fn book_known(key: &str) -> Result<(), String> {
    books::profile(key).map(|_| ()).ok_or_else(|| format!("unknown book \"{key}\""))
}

fn sport_known(key: &str) -> Result<(), String> {
    let known = || sports::SPORTS.iter().map(|s| s.key).collect::<Vec<_>>().join(", ");
    sports::sport(key).map(|_| ()).ok_or_else(|| format!("unknown sport \"{key}\"; known are {}", known()))
}

fn seed() -> u64 {
    1
}
fn one() -> u32 {
    1
}
fn one_f() -> f64 {
    1.0
}
fn credits() -> i64 {
    100_000
}
fn thirty() -> u32 {
    30
}
fn past_hours() -> f64 {
    12.0
}
fn history_step() -> i64 {
    300
}
fn book_count() -> usize {
    14
}
fn coverage() -> f64 {
    0.97
}
fn first_in() -> f64 {
    60.0
}
fn every() -> f64 {
    15.0
}
fn spreads() -> String {
    "spreads".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_can_be_played() {
        for (name, _) in EMBEDDED {
            let s = Scenario::load(name).expect(name);
            assert_eq!(s.name, *name);
            assert!(!s.sports.is_empty());
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("name=1", "invalid type"),
            ("name='x'\nbooks=['nobook']", "nobook"),
            ("name='x'\n[[sport]]\nkey='curling'\ngames=1", "curling"),
            ("name='x'\nvolatility=-1.0", "volatility"),
            ("name='x'\nspeed=0", "speed"),
            ("name='x'\noffered_hours=-1.0", "offered_hours"),
            ("name='x'\n[[sport]]\nkey='basketball_nba'\ngames=2\nstarts_min=[5.0]", "starts_min"),
            ("name='x'\ncolour='red'", "colour"),
            ("name='x'\n[exchange]\nlead_s=1e9", "lead_s"),
            ("name='x'\n[exchange]\nleads=1", "leads"),
            ("name='x'\n[[event]]\nkind='steam'\nat_s=1\nsport='basketball_nba'", "no such sport"),
            ("name='x'\n[[fault]]\nkind='gremlins'", "gremlins"),
        ] {
            let err = Scenario::parse("t", text).expect_err(text).to_string();
            assert!(err.contains(word), "{text}: {err}");
        }
        let err = Scenario::load("no/such/file.toml").expect_err("absent").to_string();
        assert!(err.contains("demo"), "{err}");
    }
}
