//! One outcome of one market of one event.

use super::ids::SubjectId;
use super::line::Line;

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

#[cfg(test)]
mod tests {
    use super::*;

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
