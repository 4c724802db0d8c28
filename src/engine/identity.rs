//! Which event and which outcome a record means.

use super::names::Names;
use super::state::EventState;
use crate::market::batch::OutcomeObs;
use crate::market::ids::SubjectId;
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec};
use crate::market::selection::{Selection, Side};

/// What the teams of a known event look like in a new answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TeamsNow {
    Same,
    /// Home and away changed places, as happens at neutral sites. Outcomes go by name, so nothing else changes.
    Swapped,
    /// One name changed: a placeholder was filled in or a team renamed.
    Renamed,
    /// Both names changed: this is another game under an old id.
    Different,
}

pub(crate) fn compare_teams(event: &EventState, home: &str, away: &str) -> TeamsNow {
    let (h, a) = (&*event.home, &*event.away);
    if h == home && a == away {
        TeamsNow::Same
    } else if h == away && a == home {
        TeamsNow::Swapped
    } else if h == home || a == away || h == away || a == home {
        TeamsNow::Renamed
    } else {
        TeamsNow::Different
    }
}

/// The side that an outcome's name stands for in a game between `home` and `away`.
///
/// `None`: the name is neither a team nor a known word.
#[inline]
pub(crate) fn side_of(name: &str, spec: MarketSpec, home: &str, away: &str) -> Option<Side> {
    match spec.family {
        Family::Total => match name {
            "Over" => Some(Side::Over),
            "Under" => Some(Side::Under),
            _ => None,
        },
        Family::Moneyline | Family::Moneyline3Way | Family::Spread | Family::DrawNoBet if !home.is_empty() => {
            if name == home {
                Some(Side::Home)
            } else if name == away {
                Some(Side::Away)
            } else if name == "Draw" || name == "Tie" {
                Some(Side::Draw)
            } else {
                None
            }
        }
        _ => Some(match name {
            "Over" => Side::Over,
            "Under" => Side::Under,
            "Yes" => Side::Yes,
            "No" => Side::No,
            "Draw" => Side::Draw,
            _ if !home.is_empty() && name == home => Side::Home,
            _ if !away.is_empty() && name == away => Side::Away,
            _ => Side::Named,
        }),
    }
}

/// The selection of an outcome that is not a plain side of the game.
pub(crate) fn special_selection(
    side: Side,
    outcome: &OutcomeObs<'_>,
    spec: MarketSpec,
    line: Option<Line>,
    names: &mut Names,
    on_new: &mut impl FnMut(u32, &str),
) -> Selection {
    let mut intern = |name: &str| {
        let (number, new) = names.subjects.intern(name);
        if new {
            on_new(number, name);
        }
        SubjectId(number)
    };
    let subject = match (side, &outcome.description) {
        (Side::Named, None) => intern(&outcome.name),
        (Side::Named, Some(whom)) => intern(&format!("{whom}: {}", outcome.name)),
        (_, Some(whom)) => intern(whom),
        (_, None) => SubjectId::NONE,
    };
    Selection { side, subject, line: if spec.line_is_identity() { line } else { None } }
}
