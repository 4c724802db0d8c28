//! What is priced together: one question about one event, asked of every book.

use crate::market::ids::{MarketId, SubjectId};
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec, Stance};
use crate::market::selection::{Selection, Side};

/// One question: a featured market at whatever line each book has, or a proposition at its own line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnitKey {
    /// Market.
    pub market: MarketId,
    /// Player or team, where the market is about one.
    pub subject: SubjectId,
    /// The line, where it is part of the question (alternates, team totals, propositions); for spreads as the home team
    /// sees it.
    pub line: Option<Line>,
}

impl UnitKey {
    /// The question that an outcome answers.
    pub fn of(market: MarketId, selection: Selection) -> Self {
        let line = match selection.side {
            Side::Away => selection.line.map(Line::flipped),
            _ => selection.line,
        };
        Self { market, subject: selection.subject, line }
    }
}

/// The outcomes of a question, in the order in which they are calculated with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Home or away; a draw is impossible or refunded.
    Moneyline,
    /// Home, away or draw.
    ThreeWay,
    /// Home and away at mirrored lines.
    Spread,
    /// Over and under one line.
    Total,
    /// Yes or no.
    YesNo,
}

impl Layout {
    /// The layout of a market. `None`: open-ended or unknown markets, which are shown and never calculated with, and
    /// other prices of an exchange, which never mix with back prices.
    pub fn of(spec: MarketSpec, three_way: bool, side: Side) -> Option<Self> {
        if spec.stance != Stance::Back {
            return None;
        }
        match spec.family {
            Family::Moneyline if three_way => Some(Self::ThreeWay),
            Family::Moneyline | Family::DrawNoBet => Some(Self::Moneyline),
            Family::Moneyline3Way => Some(Self::ThreeWay),
            Family::Spread => Some(Self::Spread),
            Family::Total | Family::TeamTotal => Some(Self::Total),
            Family::BothScore => Some(Self::YesNo),
            Family::Proposition => match side {
                Side::Over | Side::Under => Some(Self::Total),
                Side::Yes | Side::No => Some(Self::YesNo),
                _ => None,
            },
            Family::Outright | Family::DoubleChance | Family::Other => None,
        }
    }

    /// Its outcomes. The first is the one that lines and moves are told from.
    pub const fn sides(self) -> &'static [Side] {
        match self {
            Self::Moneyline | Self::Spread => &[Side::Home, Side::Away],
            Self::ThreeWay => &[Side::Home, Side::Away, Side::Draw],
            Self::Total => &[Side::Over, Side::Under],
            Self::YesNo => &[Side::Yes, Side::No],
        }
    }

    /// Place of an outcome in [`Layout::sides`].
    pub fn place(self, side: Side) -> Option<usize> {
        self.sides().iter().position(|s| *s == side)
    }

    /// A line of this layout as seen from one of its sides.
    pub const fn line_for(self, line: Line, side: Side) -> Line {
        match (self, side) {
            (Self::Spread, Side::Away) => line.flipped(),
            _ => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_an_alternate_line_answer_one_question() {
        let market = MarketId(3);
        let of = |side, points| {
            UnitKey::of(market, Selection { side, subject: SubjectId::NONE, line: Line::from_points(points) })
        };
        assert_eq!(of(Side::Home, -3.5), of(Side::Away, 3.5));
        assert_ne!(of(Side::Home, -3.5), of(Side::Away, -3.5));
        assert_eq!(of(Side::Over, 44.5), of(Side::Under, 44.5));
    }

    #[test]
    fn layouts_follow_the_market() {
        let of = |key, three_way, side| Layout::of(MarketSpec::parse(key), three_way, side);
        assert_eq!(of("h2h", false, Side::Home), Some(Layout::Moneyline));
        assert_eq!(of("h2h", true, Side::Home), Some(Layout::ThreeWay));
        assert_eq!(of("h2h_lay", false, Side::Home), None);
        assert_eq!(of("player_points", false, Side::Over), Some(Layout::Total));
        assert_eq!(of("player_anytime_td", false, Side::Yes), Some(Layout::YesNo));
        assert_eq!(of("outrights", false, Side::Named), None);
        assert_eq!(Layout::Spread.line_for(Line::from_hundredths(-350), Side::Away), Line::from_hundredths(350));
        assert_eq!(Layout::Total.line_for(Line::from_hundredths(4450), Side::Under), Line::from_hundredths(4450));
    }
}
