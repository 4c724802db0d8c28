//! The word that somebody probably meant.

/// The candidate nearest to `word`, if one is near enough to be meant; the earlier of two equally near.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(40).collect();
    if word.is_empty() {
        return None;
    }
    // Of one letter nothing is left when it is wrong.
    let allowed = if word.len() == 1 { 0 } else { (word.len() / 3).max(1) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().collect();
        // A beginning counts as one slip, however much of the word is missing.
        let cost = if word.len() >= 2 && letters.starts_with(&word) { 1 } else { distance(&word, &letters) };
        if cost <= allowed && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Letters to add, drop, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut table = vec![0_usize; (a.len() + 1) * width];
    let cell = |i: usize, j: usize| i * width + j;
    let get = |table: &[usize], i: usize, j: usize| table.get(cell(i, j)).copied().unwrap_or(usize::MAX / 2);
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let cost = if i == 0 || j == 0 {
                i + j
            } else {
                let same = a.get(i - 1) == b.get(j - 1);
                let mut least = (get(&table, i - 1, j) + 1).min(get(&table, i, j - 1) + 1);
                least = least.min(get(&table, i - 1, j - 1) + usize::from(!same));
                if i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1) {
                    least = least.min(get(&table, i - 2, j - 2) + 1);
                }
                least
            };
            if let Some(slot) = table.get_mut(cell(i, j)) {
                *slot = cost;
            }
        }
    }
    get(&table, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let words = ["strength", "sport", "team", "ev", "steam"];
        for (typed, meant) in [
            ("streng", Some("strength")),
            ("stregnth", Some("strength")),
            ("sprot", Some("sport")),
            ("SPORT", Some("sport")),
            ("teem", Some("team")),
            ("eb", Some("ev")),
            ("e", None),
            ("xylophone", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
    }
}
