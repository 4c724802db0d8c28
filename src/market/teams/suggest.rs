//! Teams whose names resemble one that nobody has. For a person to choose from.

use super::League;
use super::name::comparable;

/// How many are offered.
const OFFERED: usize = 5;
/// Likeness below which a name is not worth showing, in thousandths.
const ENOUGH: u32 = 600;

/// The teams of a league with the names most like `wanted` (already comparable), the best first.
pub(super) fn closest(league: &League, wanted: &str) -> Vec<u16> {
    let mut scored: Vec<(u32, u16)> = (0..)
        .zip(&league.teams)
        .filter_map(|(index, team)| {
            let names = team.own_names().chain(team.common_names());
            let best = names.map(|n| likeness(wanted, &comparable(n))).max()?;
            (best >= ENOUGH).then_some((best, index))
        })
        .collect();
    scored.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    scored.into_iter().take(OFFERED).map(|(_, index)| index).collect()
}

/// 1000 for the same, 0 for nothing in common: the better of shared words and shared letters in order. Whole numbers,
/// so that the order is the same everywhere.
fn likeness(a: &str, b: &str) -> u32 {
    shared_words(a, b).max(shared_letters(a, b))
}

/// Words in common, against the words of both.
fn shared_words(a: &str, b: &str) -> u32 {
    let (a, b): (Vec<_>, Vec<_>) = (a.split(' ').collect(), b.split(' ').collect());
    let common = a.iter().filter(|w| b.contains(w)).count();
    thousandths(2 * common, a.len() + b.len())
}

/// One minus the edit distance, against the longer of both.
fn shared_letters(a: &str, b: &str) -> u32 {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len());
    thousandths(longer - distance(&a, &b).min(longer), longer)
}

fn thousandths(part: usize, whole: usize) -> u32 {
    let share = part.saturating_mul(1000).checked_div(whole).unwrap_or(0).min(1000);
    u32::try_from(share).unwrap_or(1000)
}

/// Levenshtein distance: inserted, deleted and replaced letters.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let replaced = corner + usize::from(x != y);
            corner = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn distances() {
        for (a, b, want) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("same", "same", 0)] {
            assert_eq!(d(a, b), want, "{a} {b}");
        }
        assert_eq!(likeness("kansas state wildcats", "kansas state wildcats"), 1000);
        assert_eq!(shared_words("a b", "b c"), 500);
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_bounded(a in "[a-c ]{0,12}", b in "[a-c ]{0,12}") {
            prop_assert_eq!(d(&a, &b), d(&b, &a));
            prop_assert!(shared_letters(&a, &b) <= 1000);
            prop_assert!(d(&a, &b) <= a.len().max(b.len()));
            prop_assert!(likeness(&a, &b) <= 1000);
        }
    }
}
