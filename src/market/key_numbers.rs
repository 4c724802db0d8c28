//! Numbers on which games land more often than on their neighbours, and when a line moves on, off or across them.
//!
//! Owns the table of key numbers and the meaning of a crossing. A crossing is a change in the set of results that win,
//! push and lose, in signed space: from -2.5 to +2.5 everything from a win by 2 to a loss by 2 is crossed. Which *line* is
//! compared with which (a consensus line, never a price) is the caller's business.

use serde::Deserialize;

use super::line::Line;
use super::margin::{Distribution, ModelError, Quantity};
use super::selection::Side;

/// What a move did to one result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It now pushes (for quarter lines: a part of the stake does that did not).
    Entered,
    /// It no longer pushes.
    Left,
    /// It wins where it lost, or the other way round.
    Crossed,
}

/// One result whose settlement a move changed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crossing {
    /// The result: the margin of the side's own team (negative when it loses), or the total.
    pub number: i32,
    /// What happened to it.
    pub change: Change,
    /// Part of the stake that it decides otherwise: 1 from loss to win, 0.5 from push to either, 0.25 by a quarter line.
    pub share: f64,
    /// Its weight in the sport's table; 0 for numbers that are not in it.
    pub weight: f64,
}

/// Twice the mean sign of (number - threshold) over the halves of a line: ±2 decided, 0 push, ±1 half.
fn status(number: i32, threshold: i32) -> i32 {
    let at = |x: i32| (number.saturating_mul(100).saturating_sub(x)).signum();
    if threshold.rem_euclid(50) == 25 { at(threshold - 25) + at(threshold + 25) } else { 2 * at(threshold) }
}

/// The result at which a line decides, in hundredths, from the side's own view.
fn threshold(quantity: Quantity, line: Line) -> i32 {
    match quantity {
        Quantity::Margin => -line.hundredths(),
        Quantity::Total => line.hundredths(),
    }
}

/// Every result whose settlement differs between two lines of one side, in rising order, with weight 0.
pub fn changed(quantity: Quantity, from: Line, to: Line) -> impl Iterator<Item = Crossing> {
    let (a, b) = (threshold(quantity, from), threshold(quantity, to));
    let (low, high) = (a.min(b), a.max(b));
    let numbers = (low - 25).div_euclid(100)..=(high + 25).div_euclid(100) + 1;
    numbers.filter_map(move |number| {
        let (before, after) = (status(number, a), status(number, b));
        let change = match (before, after) {
            _ if before == after => return None,
            (2, -2) | (-2, 2) => Change::Crossed,
            _ if after.abs() < before.abs() => Change::Entered,
            _ if after.abs() > before.abs() => Change::Left,
            _ => Change::Crossed,
        };
        Some(Crossing { number, change, share: f64::from((after - before).abs()) / 4.0, weight: 0.0 })
    })
}

/// The probability mass that a move crosses: over all results the chance times the share of the stake decided otherwise.
/// Moves add up: -2.5 to -3 and -3 to -3.5 together weigh what -2.5 to -3.5 does.
///
/// # Errors
/// [`ModelError`] for a side the distribution does not have, or a location outside it.
pub fn mass_crossed(model: &Distribution, side: Side, from: Line, to: Line, location: f64) -> Result<f64, ModelError> {
    let quantity = model.quantity();
    let flip = match (quantity, side) {
        (Quantity::Margin, Side::Home) | (Quantity::Total, Side::Over | Side::Under) => 1,
        (Quantity::Margin, Side::Away) => -1,
        _ => return Err(ModelError::WrongSide { side, quantity }),
    };
    changed(quantity, from, to).map(|c| Ok(c.share * model.chance_of(flip * c.number, location)?)).sum()
}

/// Why a table of key numbers was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyNumbersError {
    /// Not the expected TOML.
    #[error("the key numbers cannot be read: {0}")]
    Syntax(String),
    /// An entry that makes no sense.
    #[error("key numbers of `{sport}`: {what}")]
    Entry {
        /// The first sport key of the entry.
        sport: String,
        /// What is wrong.
        what: String,
    },
}

/// The key numbers of one sport.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SportKeys {
    sports: Vec<String>,
    spreads: Vec<(i32, f64)>,
    totals: Vec<(i32, f64)>,
}

impl SportKeys {
    /// The weight of a margin (its sign does not matter) or total; 0 when it is no key number.
    pub fn weight(&self, quantity: Quantity, number: i32) -> f64 {
        let (list, number) = match quantity {
            Quantity::Margin => (&self.spreads, number.abs()),
            Quantity::Total => (&self.totals, number),
        };
        list.iter().find(|(n, _)| *n == number).map_or(0.0, |(_, w)| *w)
    }

    /// The key numbers of at least `min_weight` that a line of one side left, entered or crossed, in rising order.
    pub fn crossed(&self, quantity: Quantity, from: Line, to: Line, min_weight: f64) -> Vec<Crossing> {
        changed(quantity, from, to)
            .map(|c| Crossing { weight: self.weight(quantity, c.number), ..c })
            .filter(|c| c.weight > 0.0 && c.weight >= min_weight)
            .collect()
    }
}

/// The key numbers of all sports.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyNumbers {
    version: u32,
    min_weight: f64,
    sport: Vec<SportKeys>,
}

const EMBEDDED: &str = include_str!("../../assets/key_numbers.toml");

impl KeyNumbers {
    /// The table that comes with the program.
    ///
    /// # Errors
    /// None, as long as the tests of this crate pass.
    pub fn embedded() -> Result<Self, KeyNumbersError> {
        Self::from_toml(EMBEDDED)
    }

    /// The user's own table, laid out as the embedded one.
    ///
    /// # Errors
    /// [`KeyNumbersError`] says which entry is wrong and why.
    pub fn from_toml(text: &str) -> Result<Self, KeyNumbersError> {
        let table: Self = toml::from_str(text).map_err(|e| KeyNumbersError::Syntax(e.to_string()))?;
        if !(0.0..=1.0).contains(&table.min_weight) {
            return Err(KeyNumbersError::Syntax("min_weight lies between 0 and 1".into()));
        }
        for entry in &table.sport {
            let bad = |what: String| KeyNumbersError::Entry {
                sport: entry.sports.first().cloned().unwrap_or_else(|| "?".into()),
                what,
            };
            if entry.sports.is_empty() {
                return Err(bad("no sport keys".into()));
            }
            for list in [&entry.spreads, &entry.totals] {
                for (i, (number, weight)) in list.iter().enumerate() {
                    if *number < 0 || *number > 1000 {
                        return Err(bad(format!("{number} is no margin or total from 0 to 1000")));
                    }
                    if !(*weight > 0.0 && *weight <= 1.0) {
                        return Err(bad(format!("the weight {weight} of {number} is not above 0 and at most 1")));
                    }
                    if list.iter().take(i).any(|(n, _)| n == number) {
                        return Err(bad(format!("{number} stands there twice")));
                    }
                }
            }
        }
        Ok(table)
    }

    /// Version of the table.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The smallest weight at which a crossing is worth a signal.
    pub const fn min_weight(&self) -> f64 {
        self.min_weight
    }

    /// The numbers for a provider's sport key; an exact key wins over the beginning of one, a longer over a shorter.
    pub fn for_sport(&self, sport: &str) -> Option<&SportKeys> {
        let rank = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => sport.starts_with(start).then_some(start.len()),
            None => (pattern == sport).then_some(usize::MAX),
        };
        let mut best: Option<(usize, &SportKeys)> = None;
        for entry in &self.sport {
            if let Some(r) = entry.sports.iter().filter_map(rank).max()
                && best.is_none_or(|(b, _)| r > b)
            {
                best = Some((r, entry));
            }
        }
        best.map(|(_, entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::margin::Models;

    fn line(points: f64) -> Line {
        Line::from_points(points).expect("line")
    }

    fn keys() -> KeyNumbers {
        KeyNumbers::embedded().expect("embedded")
    }

    fn nfl(from: f64, to: f64) -> Vec<(i32, Change)> {
        let table = keys();
        let sport = table.for_sport("americanfootball_nfl").expect("nfl");
        sport.crossed(Quantity::Margin, line(from), line(to), 0.0).into_iter().map(|c| (c.number, c.change)).collect()
    }

    #[test]
    fn crossings_are_symmetric_and_signed() {
        use Change::{Crossed, Entered, Left};
        assert_eq!(nfl(-2.5, -3.0), [(3, Entered)]);
        assert_eq!(nfl(-3.0, -2.5), [(3, Left)]);
        assert_eq!(nfl(-3.0, -3.5), [(3, Left)], "leaving upward is a crossing too");
        assert_eq!(nfl(-3.5, -3.0), [(3, Entered)]);
        assert_eq!(nfl(-2.5, -3.5), [(3, Crossed)]);
        assert_eq!(nfl(-2.9, -3.1), [(3, Crossed)]);
        assert_eq!(nfl(-9.5, -10.0), [(10, Entered)]);
        assert_eq!(nfl(-4.0, -4.5), [(4, Left)]);
        assert_eq!(nfl(2.5, 3.0), [(-3, Entered)], "the other side of the same move");
        // Through zero everything between is crossed.
        assert_eq!(nfl(-2.5, 2.5), [(-2, Crossed), (-1, Crossed), (1, Crossed), (2, Crossed)]);
        assert_eq!(nfl(-1.5, 1.5), [(-1, Crossed), (1, Crossed)]);
        assert_eq!(nfl(-3.0, -3.0), []);
        assert_eq!(nfl(-3.5, 3.5).len(), 8 - 2, "1, 2 and 3 both ways");
        let all: Vec<i32> = changed(Quantity::Margin, line(-2.5), line(2.5)).map(|c| c.number).collect();
        assert_eq!(all, [-2, -1, 0, 1, 2]);
    }

    #[test]
    fn quarter_lines_move_by_halves() {
        let share = |from: f64, to: f64| -> Vec<(i32, f64)> {
            changed(Quantity::Margin, line(from), line(to)).map(|c| (c.number, c.share)).collect()
        };
        assert_eq!(share(-0.25, 0.0), [(0, 0.25)]);
        assert_eq!(share(-0.5, -0.25), [(0, 0.25)]);
        assert_eq!(share(-0.5, 0.5), [(0, 1.0)]);
        assert_eq!(share(-0.75, -1.0), [(1, 0.25)]);
        assert_eq!(share(-0.25, 0.25), [(0, 0.5)]);
    }

    #[test]
    fn weak_numbers_can_be_left_out() {
        let table = keys();
        let nba = table.for_sport("basketball_nba").expect("nba");
        assert!(nba.crossed(Quantity::Margin, line(-3.5), line(-8.5), table.min_weight()).is_empty());
        let nfl = table.for_sport("americanfootball_nfl").expect("nfl");
        let strong = nfl.crossed(Quantity::Margin, line(-6.5), line(-8.5), 0.5);
        assert_eq!(strong.iter().map(|c| c.number).collect::<Vec<_>>(), [7]);
        let totals = nfl.crossed(Quantity::Total, line(40.5), line(41.5), table.min_weight());
        assert_eq!(totals.first().map(|c| (c.number, c.weight)), Some((41, 1.0)));
        assert!(table.for_sport("tennis_atp").is_none());
        for sport in ["soccer_epl", "baseball_mlb", "icehockey_nhl", "basketball_ncaab", "americanfootball_ncaaf"] {
            assert!(table.for_sport(sport).is_some(), "{sport}");
        }
        let nhl = table.for_sport("icehockey_nhl").expect("nhl");
        assert_eq!(nhl.weight(Quantity::Margin, -1), 1.0);
    }

    #[test]
    fn mass_adds_up_and_is_the_same_from_both_sides() {
        let models = Models::embedded().expect("models");
        let nfl = models.for_sport("americanfootball_nfl").expect("nfl").model.margin(None).expect("margin");
        let mass = |side, a: f64, b: f64| mass_crossed(nfl, side, line(a), line(b), 3.0).expect("mass");
        let whole = mass(Side::Home, -2.5, -3.5);
        assert!((whole - nfl.chance_of(3, 3.0).expect("chance")).abs() < 1e-12);
        assert!((mass(Side::Home, -2.5, -3.0) + mass(Side::Home, -3.0, -3.5) - whole).abs() < 1e-12);
        assert!((mass(Side::Away, 2.5, 3.5) - whole).abs() < 1e-12);
        assert!(whole > 2.0 * mass(Side::Home, -3.5, -4.5), "3 is more than 4");
        assert!(mass_crossed(nfl, Side::Over, line(-2.5), line(-3.5), 3.0).is_err());
        assert!(mass_crossed(nfl, Side::Home, line(-2.5), line(-3.5), 300.0).is_err());
    }

    #[test]
    fn bad_tables_are_refused() {
        let entry = |body: &str| {
            KeyNumbers::from_toml(&format!("version = 1\nmin_weight = 0.3\n[[sport]]\nsports = [\"x\"]\n{body}"))
        };
        assert!(entry("spreads = [[3, 1.0]]\ntotals = []").is_ok());
        for bad in [
            "spreads = [[-3, 1.0]]\ntotals = []",
            "spreads = [[3, 0.0]]\ntotals = []",
            "spreads = [[3, nan]]\ntotals = []",
            "spreads = [[3, 2.0]]\ntotals = []",
            "spreads = [[3, 0.5], [3, 0.4]]\ntotals = []",
        ] {
            assert!(matches!(entry(bad), Err(KeyNumbersError::Entry { .. })), "{bad}");
        }
        assert!(matches!(entry("spreads = []"), Err(KeyNumbersError::Syntax(_))));
        assert!(KeyNumbers::from_toml("version = 1\nmin_weight = nan\nsport = []").is_err());
    }
}
