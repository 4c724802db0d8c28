//! Reading tables of teams and laying one over another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::name::comparable;
use super::{League, Team};

/// Why a table of teams cannot be used.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TeamsError {
    /// Not TOML, or a field that a team does not have.
    #[error("the table of teams cannot be read: {0}")]
    Syntax(String),
    /// A field whose value makes no sense.
    #[error("{league}, team \"{team}\": {field} {problem}")]
    Field {
        /// The league.
        league: String,
        /// The team.
        team: String,
        /// The field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// Two teams claim a name that only one may have.
    #[error("{league}: \"{name}\" is claimed by {first} and by {second}; put it under `shared` of both")]
    Clash {
        /// The league.
        league: String,
        /// The name.
        name: String,
        /// A team that has it.
        first: String,
        /// Another.
        second: String,
    },
}

/// A table as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) league: String,
    title: Option<String>,
    #[serde(default)]
    teams: Vec<Entry>,
}

/// A team as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    code: Option<String>,
    city: Option<String>,
    nickname: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    shared: Vec<String>,
    former: Option<bool>,
}

pub(super) fn read(text: &str) -> Result<File, TeamsError> {
    let file: File = toml::from_str(text).map_err(|e| TeamsError::Syntax(e.to_string()))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if file.league.is_empty() || !file.league.chars().all(plain) {
        return Err(TeamsError::Syntax(format!(
            "league \"{}\" must consist of small letters, digits and _, such as nba or soccer_epl",
            file.league
        )));
    }
    Ok(file)
}

/// `base` with a table laid over it, checked and indexed anew.
pub(super) fn lay_over(base: &League, over: File) -> Result<League, TeamsError> {
    let mut teams: BTreeMap<String, Team> = base.teams.iter().map(|t| (t.name.clone(), t.clone())).collect();
    let mut seen = BTreeSet::new();
    for entry in over.teams {
        if !seen.insert(entry.name.clone()) {
            return Err(wrong(&over.league, &entry.name, "name", "stands twice in the table; keep one"));
        }
        let team = entry.over(&over.league, teams.remove(&entry.name))?;
        teams.insert(team.name.clone(), team);
    }
    let title = over
        .title
        .unwrap_or_else(|| if base.title.is_empty() { over.league.to_uppercase() } else { base.title.clone() });
    index(League { key: over.league, title, teams: teams.into_values().collect(), ..League::default() })
}

impl Entry {
    fn over(&self, league: &str, base: Option<Team>) -> Result<Team, TeamsError> {
        let known = base.is_some();
        let base = base.unwrap_or_else(|| Team {
            name: self.name.clone(),
            code: String::new(),
            city: String::new(),
            nickname: self.name.clone(),
            aliases: Vec::new(),
            shared: Vec::new(),
            former: false,
        });
        let mut team = Team {
            code: self.code.clone().unwrap_or(base.code),
            city: self.city.clone().unwrap_or(base.city),
            nickname: self.nickname.clone().unwrap_or(base.nickname),
            former: self.former.unwrap_or(base.former),
            ..base
        };
        team.aliases.extend(self.aliases.iter().cloned());
        team.shared.extend(self.shared.iter().cloned());
        if !known && self.code.is_none() {
            return Err(wrong(league, &team.name, "code", "is missing; give 2 to 4 capitals"));
        }
        if !(2..=4).contains(&team.code.len()) || !team.code.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(wrong(league, &team.name, "code", "must be 2 to 4 capitals"));
        }
        for (field, names) in [("aliases", &team.aliases), ("shared", &team.shared)] {
            if names.iter().any(|n| comparable(n).is_empty()) {
                return Err(wrong(league, &team.name, field, "holds a name without letters"));
            }
        }
        if comparable(&team.name).is_empty() {
            return Err(wrong(league, &team.name, "name", "has no letters"));
        }
        if comparable(&team.nickname).is_empty() {
            return Err(wrong(league, &team.name, "nickname", "has no letters"));
        }
        Ok(team)
    }
}

fn wrong(league: &str, team: &str, field: &'static str, problem: &str) -> TeamsError {
    TeamsError::Field { league: league.to_owned(), team: team.to_owned(), field, problem: problem.to_owned() }
}

/// Fills the indices of a league and refuses names claimed twice.
fn index(mut league: League) -> Result<League, TeamsError> {
    let clash = |name: &str, a: &Team, b: &Team| {
        Err(TeamsError::Clash {
            league: league.key.clone(),
            name: name.to_owned(),
            first: a.name.clone(),
            second: b.name.clone(),
        })
    };
    let mut own: BTreeMap<String, u16> = BTreeMap::new();
    let mut common: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let mut codes: BTreeMap<&str, &Team> = BTreeMap::new();
    for (i, team) in (0..=u16::MAX).zip(&league.teams) {
        if let Some(first) = codes.insert(&team.code, team) {
            return clash(&team.code, first, team);
        }
        for name in team.own_names() {
            if let Some(other) = own.insert(comparable(name), i).filter(|o| *o != i) {
                let first = league.teams.get(usize::from(other)).unwrap_or(team);
                return clash(name, first, team);
            }
        }
        for name in team.common_names() {
            common.entry(comparable(name)).or_default().insert(i);
        }
    }
    league.own = own;
    league.common = common;
    Ok(league)
}
