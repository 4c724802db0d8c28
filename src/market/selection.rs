//! One outcome of one market of one event.

use super::ids::SubjectId;
use super::line::Line;
use super::market_key::Family;

/// Which side of the market an outcome is.
///
/// Roles, not positions: a provider may list the away team first, and neutral-site games have an arbitrary home.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// The team the source calls home (or the first participant, in sports without a home side).
    Home = 1,
    /// Its opponent.
    Away = 2,
    /// Neither wins.
    Draw = 3,
    /// More than the line.
    Over = 4,
    /// Less than the line.
    Under = 5,
    /// The proposition comes true.
    Yes = 6,
    /// It does not.
    No = 7,
    /// An outcome known only by its name, kept as the subject.
    Named = 8,
}

impl Side {
    /// Every side, in the order of its number.
    pub const ALL: [Self; 8] =
        [Self::Home, Self::Away, Self::Draw, Self::Over, Self::Under, Self::Yes, Self::No, Self::Named];

    /// The number under which the store keeps it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The side of a number from the store.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.number() == n)
    }

    /// Its name in JSON, in ids and in formulas: `home`, `away` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Away => "away",
            Self::Draw => "draw",
            Self::Over => "over",
            Self::Under => "under",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Named => "named",
        }
    }

    /// The side that wins when this one loses, in a two-way market.
    pub const fn opposite(self) -> Option<Self> {
        Some(match self {
            Self::Home => Self::Away,
            Self::Away => Self::Home,
            Self::Over => Self::Under,
            Self::Under => Self::Over,
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Draw | Self::Named => return None,
        })
    }
}

/// An outcome within its market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Selection {
    /// Which side.
    pub side: Side,
    /// Player, team or name the outcome is about; [`SubjectId::NONE`] for a side of the game.
    pub subject: SubjectId,
    /// The line, where it is part of what the outcome *is* (alternates, props). `None` where the line is a value that
    /// moves (featured spreads and totals) or does not exist.
    pub line: Option<Line>,
}

impl Selection {
    /// A plain side of the game.
    pub const fn of(side: Side) -> Self {
        Self { side, subject: SubjectId::NONE, line: None }
    }
}

/// What a person calls a side of a market of `family` between `home` and `away`, about the player or team `whom` (empty:
/// about nobody).
pub fn selection_name(side: Side, (home, away): (&str, &str), whom: &str, family: Family) -> String {
    let name = match side {
        Side::Home => home,
        Side::Away => away,
        Side::Draw => "Draw",
        Side::Over => "Over",
        Side::Under => "Under",
        Side::Yes => "Yes",
        Side::No => "No",
        Side::Named => return whom.to_owned(),
    };
    match whom {
        "" => name.to_owned(),
        // A team's own total may name the team twice: as its subject and as its side.
        whom if family == Family::TeamTotal && whom == name => name.to_owned(),
        whom => format!("{whom} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_have_names_of_their_own() {
        let mut names: Vec<_> = Side::ALL.iter().map(|s| s.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Side::ALL.len());
        assert_eq!(Side::Home.name(), "home");
    }

    #[test]
    fn selections_are_called_by_whom_they_are_about() {
        let name = |side, whom, family| selection_name(side, ("Gulls", "Bison"), whom, family);
        assert_eq!(name(Side::Away, "", Family::Moneyline), "Bison");
        assert_eq!(name(Side::Over, "A. Player", Family::Proposition), "A. Player Over");
        assert_eq!(name(Side::Over, "Gulls", Family::TeamTotal), "Gulls Over");
        assert_eq!(name(Side::Home, "Gulls", Family::TeamTotal), "Gulls");
        assert_eq!(name(Side::Named, "A. Player", Family::Outright), "A. Player");
    }

    #[test]
    fn sides_have_stable_numbers_and_opposites() {
        for side in Side::ALL {
            assert_eq!(Side::from_number(side.number()), Some(side));
            if let Some(other) = side.opposite() {
                assert_eq!(other.opposite(), Some(side));
            }
        }
        assert_eq!(Side::from_number(0), None);
        assert_eq!(Side::from_number(9), None);
    }
}
