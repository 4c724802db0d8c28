//! What a market key says.
//!
//! Keys are an open set: a provider adds new ones at will. A key is read by its parts (lay, alternate, family,
//! period), and one that is not understood is [`Family::Other`]: stored, shown, never calculated with.

/// What kind of bet a market is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Who wins; two-way, or three-way in sports where the draw is offered.
    Moneyline,
    /// Who wins in regulation; always three-way.
    Moneyline3Way,
    /// Handicap.
    Spread,
    /// Points of both teams together.
    Total,
    /// Points of one team.
    TeamTotal,
    /// Winner of a competition.
    Outright,
    /// Both teams to score.
    BothScore,
    /// Moneyline with the stake back on a draw.
    DrawNoBet,
    /// Two of three results.
    DoubleChance,
    /// Anything about one player.
    Proposition,
    /// A key we do not know.
    Other,
}

/// Which price of an exchange a market holds. What is not [`Stance::Back`] is never mixed with what is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Stance {
    /// What a bet on the outcome costs: every ordinary market, and the asks of an exchange.
    #[default]
    Back,
    /// What a bet against it brings: the bids of an exchange (`_lay`).
    Lay,
    /// Between the two, weighted by what stands behind them (`_mid`). Told where both are near and enough stands behind
    /// them; nobody can take it.
    Mid,
}

/// A market key taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MarketSpec {
    /// What kind of bet.
    pub family: Family,
    /// Which price of an exchange.
    pub stance: Stance,
    /// Many lines side by side, so that the line is part of the selection.
    pub alternate: bool,
    /// Whole game (`false`) or a part of it such as `h1`, `q3`, `1st_5_innings` (`true`).
    pub partial: bool,
}

impl MarketSpec {
    /// Takes a key apart. Never fails: what is not understood is [`Family::Other`].
    pub fn parse(key: &str) -> Self {
        let other = Self { family: Family::Other, stance: Stance::Back, alternate: false, partial: false };
        if key.starts_with("player_") || key.starts_with("batter_") || key.starts_with("pitcher_") {
            return Self { family: Family::Proposition, alternate: key.ends_with("_alternate"), ..other };
        }
        let (rest, alternate) = strip(key, "alternate_");
        let (rest, stance) = match (rest.strip_suffix("_lay"), rest.strip_suffix("_mid")) {
            (Some(back), _) => (back, Stance::Lay),
            (None, Some(back)) => (back, Stance::Mid),
            (None, None) => (rest, Stance::Back),
        };
        // Longest names first: `h2h_3_way` also begins with `h2h`.
        const NAMES: [(&str, Family); 9] = [
            ("h2h_3_way", Family::Moneyline3Way),
            ("team_totals", Family::TeamTotal),
            ("double_chance", Family::DoubleChance),
            ("draw_no_bet", Family::DrawNoBet),
            ("outrights", Family::Outright),
            ("spreads", Family::Spread),
            ("totals", Family::Total),
            ("btts", Family::BothScore),
            ("h2h", Family::Moneyline),
        ];
        for (name, family) in NAMES {
            if let Some(tail) = rest.strip_prefix(name) {
                return match tail.strip_prefix('_') {
                    None if tail.is_empty() => Self { family, stance, alternate, partial: false },
                    Some(period) if is_period(period) => Self { family, stance, alternate, partial: true },
                    _ => other,
                };
            }
        }
        other
    }

    /// The key of the prices that can be backed, of a key that holds others.
    pub fn back_of(key: &str) -> Option<&str> {
        key.strip_suffix("_lay").or_else(|| key.strip_suffix("_mid"))
    }

    /// The outcomes of such a market carry a point.
    pub const fn has_line(self) -> bool {
        matches!(self.family, Family::Spread | Family::Total | Family::TeamTotal)
    }

    /// The line belongs to the identity of the selection rather than being its changing value.
    pub const fn line_is_identity(self) -> bool {
        self.alternate || matches!(self.family, Family::Proposition | Family::TeamTotal | Family::Other)
    }
}

fn strip<'a>(key: &'a str, prefix: &str) -> (&'a str, bool) {
    key.strip_prefix(prefix).map_or((key, false), |rest| (rest, true))
}

fn is_period(text: &str) -> bool {
    matches!(text, "q1" | "q2" | "q3" | "q4" | "h1" | "h2" | "p1" | "p2" | "p3")
        || (text.starts_with("1st_") && text.ends_with("_innings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart() {
        let spec = MarketSpec::parse;
        assert_eq!(spec("h2h").family, Family::Moneyline);
        assert_eq!(spec("h2h_lay").stance, Stance::Lay);
        assert_eq!(spec("h2h").stance, Stance::Back);
        let mid = spec("alternate_spreads_mid");
        assert_eq!((mid.family, mid.stance, mid.alternate), (Family::Spread, Stance::Mid, true));
        assert_eq!(MarketSpec::back_of("spreads_mid"), Some("spreads"));
        assert_eq!(MarketSpec::back_of("spreads"), None);
        assert!(!spec("h2h_lay").partial);
        assert_eq!(spec("h2h_3_way_h1").family, Family::Moneyline3Way);
        assert!(spec("h2h_3_way_h1").partial);
        assert!(spec("alternate_spreads").alternate);
        assert!(spec("alternate_totals_1st_5_innings").partial);
        assert!(spec("alternate_totals_1st_5_innings").line_is_identity());
        assert!(!spec("totals").line_is_identity());
        assert_eq!(spec("player_points_alternate").family, Family::Proposition);
        for unknown in ["h2hx", "spreads_corners", "", "totals_cards", "something_new"] {
            assert_eq!(spec(unknown).family, Family::Other, "{unknown}");
        }
    }
}
