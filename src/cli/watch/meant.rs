//! What a person means by a game, a team, a league or a market.
//!
//! Looks into the market store, where there is one, and into the tables that come with the program. A game has to be
//! found; a name that nobody knows is taken as it is, with a warning: the market may bring it tomorrow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use super::super::output::printable;
use super::super::{Failure, look, show};
use crate::engine::changes::{EventRow, EventStatus};
use crate::engine::names::Names;
use crate::market::market_key::{Family, MarketSpec};
use crate::market::sports::{Origin, Sports};
use crate::market::teams::name::comparable;
use crate::market::teams::{Resolution, TeamRef, Teams};
use crate::store::desk::Game;
use crate::store::query::END_OF_TIME;
use crate::store::{Reader, StoreError};

/// How many names are offered.
const OFFERED: usize = 5;
/// A game that began longer ago than this is not meant where another one can be. Milliseconds.
const GOING_ON: i64 = 12 * 3_600_000;

/// Something that was meant, and what to be careful about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meant<T> {
    value: T,
    warning: Option<String>,
}

impl<T> Meant<T> {
    const fn known(value: T) -> Self {
        Self { value, warning: None }
    }

    /// The value; the warning goes to the standard error.
    pub fn told(self) -> T {
        if let Some(warning) = &self.warning {
            let _ = writeln!(std::io::stderr(), "stratum: warning: {}", printable(warning));
        }
        self.value
    }
}

/// What is known of the market.
#[derive(Debug)]
pub struct Market {
    store: Result<(Reader, Names), StoreError>,
}

impl Market {
    /// With the store at `store`, or without one.
    pub fn new(store: &Path) -> Self {
        let open = || {
            let reader = Reader::open(store)?;
            let names = reader.names()?;
            Ok((reader, names))
        };
        Self { store: open() }
    }

    fn names(&self) -> Option<&Names> {
        self.store.as_ref().ok().map(|(_, names)| names)
    }

    /// The one game that fits. Where several do, the one that is not over, if only one is not.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when none fits, or with a list to choose from; failures of the store.
    pub fn game(&self, text: &str) -> Result<Meant<Game>, Failure> {
        let text = text.trim();
        let (reader, names) = match &self.store {
            Ok(open) => open,
            Err(StoreError::Missing { .. }) => return without_store(text),
            Err(e @ (StoreError::NewerSchema { .. } | StoreError::OlderSchema { .. })) => {
                return Err(Failure::StoreUnavailable(e.to_string()));
            }
            Err(e) => return Err(Failure::Other(e.to_string())),
        };
        let found = if text.is_empty() { Vec::new() } else { reader.find_events(text)? };
        let since = look::now().plus(-GOING_ON);
        let mut ahead = found.iter().filter(|e| e.status != EventStatus::Final && e.commence > since);
        if let (Some(only), None) = (ahead.next(), ahead.next()) {
            return Ok(Meant::known(game(only)));
        }
        look::event(reader, names, text, END_OF_TIME).map(|row| Meant::known(game(&row)))
    }

    /// A team's name as the store or the tables spell it.
    ///
    /// # Errors
    /// [`Failure::NotFound`] with the teams that share the name.
    pub fn team(&self, text: &str, sport: Option<&str>) -> Result<Meant<String>, Failure> {
        let text = text.trim();
        let wanted = comparable(text);
        let stored = self.stored_teams(sport)?;
        if let Some(name) = stored.get(&wanted) {
            return Ok(Meant::known(name.clone()));
        }
        let teams = Teams::embedded();
        let table = sport.map(|key| Sports::embedded().resolve(key).teams);
        let leagues = table.as_deref().map_or_else(|| teams.leagues(), |table| vec![table]);
        let title = |team: TeamRef, league: &str| {
            let name = teams.get(team).map_or("", |t| t.name.as_str()).to_owned();
            (name, teams.title(league).unwrap_or(league).to_owned())
        };
        let (mut exact, mut like) = (BTreeSet::new(), Vec::new());
        for league in leagues {
            match teams.resolve(league, text) {
                Resolution::Exact(team) => exact.extend([title(team, league)]),
                Resolution::Ambiguous(sharing) => exact.extend(sharing.into_iter().map(|team| title(team, league))),
                Resolution::Suggested(some) => like.extend(some.into_iter().map(|team| title(team, league).0)),
                Resolution::Unknown => {}
            }
        }
        let names: BTreeSet<&str> = exact.iter().map(|(name, _)| name.as_str()).collect();
        match names.len() {
            0 => {}
            1 => {
                let name = names.first().copied().unwrap_or_default();
                let spelled = stored.get(&comparable(name)).map_or(name, String::as_str);
                return Ok(Meant::known(spelled.to_owned()));
            }
            several => {
                let shown = exact.iter().take(2 * OFFERED).map(|(name, league)| format!("{name} ({league})"));
                let shown = shown.collect::<Vec<_>>().join(", ");
                return Err(Failure::NotFound(format!(
                    "'{text}' means {several} teams, such as {shown}; write the name in full, or add --sport"
                )));
            }
        }
        like.extend(stored.values().cloned());
        Ok(unknown("team", text.to_owned(), &like))
    }

    /// The sport key of a key or of a short name such as `NBA`.
    pub fn league(&self, text: &str) -> Meant<String> {
        let key = text.trim().to_lowercase();
        let table = Sports::embedded();
        let stored = self.names().map(|n| n.sports.iter().map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default();
        let listed = matches!(table.resolve(&key).origin, Origin::Listed | Origin::Variant { .. });
        if listed || stored.contains(&key) {
            return Meant::known(key);
        }
        if let Some(short) = table.keys().find(|k| table.resolve(k).short.eq_ignore_ascii_case(&key)) {
            return Meant::known(short.to_owned());
        }
        let known: Vec<String> = table.keys().map(str::to_owned).chain(stored).collect();
        unknown("league", key, &known)
    }

    /// A market key.
    pub fn market(&self, text: &str) -> Meant<String> {
        let key = text.trim().to_lowercase();
        let stored = self.names().map(|n| n.markets.iter().map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default();
        if MarketSpec::parse(&key).family != Family::Other || stored.contains(&key) {
            return Meant::known(key);
        }
        let usual = ["h2h", "spreads", "totals", "team_totals", "outrights"].map(str::to_owned);
        unknown("market", key, &usual.into_iter().chain(stored).collect::<Vec<_>>())
    }

    /// Comparable names of the teams in the store, and how it spells them.
    fn stored_teams(&self, sport: Option<&str>) -> Result<BTreeMap<String, String>, Failure> {
        let Ok((reader, names)) = &self.store else { return Ok(BTreeMap::new()) };
        let sport = match sport {
            None => None,
            Some(key) => match look::sport(names, key) {
                Ok(id) => Some(id),
                Err(_) => return Ok(BTreeMap::new()),
            },
        };
        let mut teams = BTreeMap::new();
        for event in reader.events(sport)? {
            for name in [event.away, event.home].into_iter().filter(|name| !name.is_empty()) {
                teams.insert(comparable(&name), name.into_string());
            }
        }
        Ok(teams)
    }
}

fn game(row: &EventRow) -> Game {
    Game {
        provider_event_id: row.provider_id.to_string(),
        label: show::teams(&row.away, &row.home),
        start: Some(row.commence),
    }
}

/// Without a store only a provider's id can be meant.
fn without_store(text: &str) -> Result<Meant<Game>, Failure> {
    let id = text.len() >= 8
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        && text.contains(|c: char| c.is_ascii_digit());
    if !id {
        let said = format!("there is no market store yet to find '{text}' in; name the game by the provider's id");
        return Err(Failure::NotFound(said));
    }
    let warning = format!("there is no market store yet; '{text}' is taken for a provider's id");
    let game = Game { provider_event_id: text.to_owned(), label: text.to_owned(), start: None };
    Ok(Meant { value: game, warning: Some(warning) })
}

/// A name that is taken as it is, with those that resemble it.
fn unknown(what: &str, text: String, known: &[String]) -> Meant<String> {
    let like = alike(&text, known);
    let hint = if like.is_empty() { String::new() } else { format!("; did you mean {}?", like.join(", ")) };
    Meant { warning: Some(format!("no {what} '{text}' is known yet, it is taken as it is{hint}")), value: text }
}

/// Those of `known` that contain `text` or are a few letters from it, the closest first.
fn alike<'k>(text: &str, known: &'k [String]) -> Vec<&'k str> {
    // Longer texts than names are no typing errors.
    let wanted: Vec<char> = text.to_lowercase().chars().take(80).collect();
    let part: String = wanted.iter().collect();
    let mut scored: Vec<(usize, &str)> = known
        .iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let letters: Vec<char> = lower.chars().collect();
            let away = distance(&wanted, &letters);
            let close = away <= 1 + wanted.len().max(letters.len()) / 4;
            let within = wanted.len() >= 3 && lower.contains(&part);
            (close || within).then_some((away, name.as_str()))
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// Letters to insert, delete or replace.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let (mut corner, mut left) = (i, i + 1);
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let replaced = corner + usize::from(x != y);
            corner = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere() -> Market {
        Market::new(Path::new("no such folder/stratum.db"))
    }

    #[test]
    fn leagues_by_key_and_short_name() {
        for (text, key) in [
            ("basketball_nba", "basketball_nba"),
            (" NBA ", "basketball_nba"),
            ("nhl", "icehockey_nhl"),
            ("basketball_nba_preseason", "basketball_nba_preseason"),
        ] {
            assert_eq!(nowhere().league(text), Meant::known(key.to_owned()));
        }
        let typo = nowhere().league("basketbal_nba");
        assert_eq!(typo.value, "basketbal_nba");
        let warning = typo.warning.expect("warns");
        assert!(warning.contains("did you mean basketball_nba"), "{warning}");
        assert!(nowhere().league("kabaddi").warning.is_some_and(|w| !w.contains("did you mean")));
    }

    #[test]
    fn markets_by_what_their_key_says() {
        for key in ["h2h", "alternate_spreads", "totals_h1", "player_points"] {
            assert_eq!(nowhere().market(key), Meant::known(key.to_owned()));
        }
        assert!(nowhere().market("spread").warning.is_some_and(|w| w.contains("did you mean spreads")));
    }

    #[test]
    fn teams_by_any_of_their_names() {
        for (text, sport, name) in [
            ("boston celtics", None, "Boston Celtics"),
            ("Celtics", None, "Boston Celtics"),
            ("Giants", Some("americanfootball_nfl"), "New York Giants"),
        ] {
            assert_eq!(nowhere().team(text, sport).expect("one"), Meant::known(name.to_owned()), "{text}");
        }
        let several = nowhere().team("Giants", None).expect_err("two leagues").to_string();
        assert!(
            several.contains("New York Giants (NFL)") && several.contains("San Francisco Giants (MLB)"),
            "{several}"
        );
        let typo = nowhere().team("Bostn Celtics", None).expect("taken");
        assert_eq!(typo.value, "Bostn Celtics");
        assert!(typo.warning.is_some_and(|w| w.contains("did you mean Boston Celtics")));
        assert_eq!(nowhere().team("東京", None).expect("taken").value, "東京");
    }

    #[test]
    fn without_a_store_only_an_id_names_a_game() {
        let id = "e912304de2b2ce35b473ce2ecd3d1502";
        let meant = nowhere().game(id).expect("an id");
        assert_eq!((meant.value.provider_event_id.as_str(), meant.warning.is_some()), (id, true));
        for text in ["Lakers", "", "Los Angeles Lakers 2026"] {
            assert!(matches!(nowhere().game(text), Err(Failure::NotFound(_))), "{text}");
        }
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, want) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("same", "same", 0)] {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&letters(a), &letters(b)), want);
        }
    }
}
