//! The tables of teams: which team of a league a name means.
//!
//! Owns the facts of `assets/teams/*.toml`, the form in which names are compared ([`name`]), and suggestions for
//! names that nobody has (`suggest`). A name is compared exactly, but for case, accents, punctuation and the
//! readings of "St". What only resembles a name is suggested to a person and never matched. May not know any event.

pub mod name;
mod suggest;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use self::name::comparable;
pub use self::table::TeamsError;

const EMBEDDED: [&str; 6] = [
    include_str!("../../../assets/teams/nfl.toml"),
    include_str!("../../../assets/teams/nba.toml"),
    include_str!("../../../assets/teams/mlb.toml"),
    include_str!("../../../assets/teams/nhl.toml"),
    include_str!("../../../assets/teams/wnba.toml"),
    include_str!("../../../assets/teams/ncaa.toml"),
];

/// A team of a table. Means something only together with the [`Teams`] it came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TeamRef {
    league: u16,
    team: u16,
}

/// What a name means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// This team.
    Exact(TeamRef),
    /// One of these, in alphabetical order: several teams share the name.
    Ambiguous(Vec<TeamRef>),
    /// Nobody has this name; these have one like it, the best first. For a person to decide, never a match.
    Suggested(Vec<TeamRef>),
    /// Nothing like it, or no table for this league.
    Unknown,
}

impl Resolution {
    /// The team, where there is no doubt.
    pub const fn exact(&self) -> Option<TeamRef> {
        match self {
            Self::Exact(team) => Some(*team),
            _ => None,
        }
    }
}

/// One team.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Team {
    /// Canonical name.
    pub name: String,
    /// 2 to 4 capitals, unique in the league.
    pub code: String,
    /// The place or school; empty where the name has none.
    pub city: String,
    /// The rest of the name.
    pub nickname: String,
    /// Other names that mean this team alone.
    pub aliases: Vec<String>,
    /// Names that it shares with others.
    pub shared: Vec<String>,
    /// Plays no more; known from history only.
    pub former: bool,
}

impl Team {
    /// The names that mean this team whatever others are called.
    fn own_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The names that mean this team unless another has them too.
    fn common_names(&self) -> impl Iterator<Item = &str> {
        [self.code.as_str(), self.city.as_str(), self.nickname.as_str()]
            .into_iter()
            .chain(self.shared.iter().map(String::as_str))
            .filter(|n| !n.is_empty())
    }
}

/// One league: its teams in alphabetical order, and where each comparable name leads.
#[derive(Clone, PartialEq, Debug, Default)]
struct League {
    key: String,
    title: String,
    teams: Vec<Team>,
    own: BTreeMap<String, u16>,
    common: BTreeMap<String, BTreeSet<u16>>,
}

/// The teams of all leagues.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Teams {
    /// In the order in which tables were given, so that a [`TeamRef`] stays valid when a league is added.
    leagues: Vec<League>,
}

impl Teams {
    /// The tables that come with the program: `nfl`, `nba`, `mlb`, `nhl`, `wnba`, `ncaa`.
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<Teams> = OnceLock::new();
        // A test proves that the embedded texts parse; without them every name would be unknown.
        TABLE.get_or_init(|| Self::parse(&EMBEDDED).unwrap_or_default())
    }

    /// Reads tables, one league each.
    ///
    /// # Errors
    /// [`TeamsError`] with the league and team to mend.
    pub fn parse(texts: &[&str]) -> Result<Self, TeamsError> {
        texts.iter().try_fold(Self::default(), |teams, text| teams.with_overrides(text))
    }

    /// These tables with another laid over them, for one league: to a team that we have, aliases and shared names are
    /// added and other fields replaced; other teams and leagues are added. References of the old tables do not hold
    /// in the new ones.
    ///
    /// # Errors
    /// [`TeamsError`] with the league and team to mend; the tables themselves are unchanged.
    pub fn with_overrides(&self, text: &str) -> Result<Self, TeamsError> {
        let mut all = self.clone();
        let over = table::read(text)?;
        match all.leagues.iter_mut().find(|l| l.key == over.league) {
            Some(league) => *league = table::lay_over(league, over)?,
            None => all.leagues.push(table::lay_over(&League::default(), over)?),
        }
        Ok(all)
    }

    /// The keys of the leagues, sorted.
    pub fn leagues(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.leagues.iter().map(|l| l.key.as_str()).collect();
        keys.sort_unstable();
        keys
    }

    /// The league's title, such as `NFL`.
    pub fn title(&self, league: &str) -> Option<&str> {
        self.league(league).map(|(_, l)| l.title.as_str())
    }

    /// The team of a reference.
    pub fn get(&self, team: TeamRef) -> Option<&Team> {
        self.leagues.get(usize::from(team.league))?.teams.get(usize::from(team.team))
    }

    /// The teams of a league in alphabetical order; none for a league without a table.
    pub fn teams(&self, league: &str) -> impl Iterator<Item = (TeamRef, &Team)> {
        self.league(league)
            .into_iter()
            .flat_map(|(index, l)| l.teams.iter().zip(0..).map(move |(t, i)| (TeamRef { league: index, team: i }, t)))
    }

    /// What a name means in a league: the `teams` of [`super::sports::Sport`], such as `nba`.
    pub fn resolve(&self, league: &str, name: &str) -> Resolution {
        let Some((index, league)) = self.league(league) else { return Resolution::Unknown };
        let of = |team: u16| TeamRef { league: index, team };
        let wanted = comparable(name);
        if wanted.is_empty() {
            return Resolution::Unknown;
        }
        if let Some(team) = league.own.get(&wanted) {
            return Resolution::Exact(of(*team));
        }
        if let Some(sharing) = league.common.get(&wanted) {
            return match sharing.first() {
                Some(only) if sharing.len() == 1 => Resolution::Exact(of(*only)),
                _ => Resolution::Ambiguous(sharing.iter().copied().map(of).collect()),
            };
        }
        let like = suggest::closest(league, &wanted);
        if like.is_empty() { Resolution::Unknown } else { Resolution::Suggested(like.into_iter().map(of).collect()) }
    }

    fn league(&self, key: &str) -> Option<(u16, &League)> {
        (0..).zip(&self.leagues).find(|(_, l)| l.key == key)
    }
}

#[cfg(test)]
mod tests;
