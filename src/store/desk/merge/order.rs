//! Positions as texts: between any two there is another, so that moving one thing changes one thing.
//!
//! Digits 0-9A-Za-z, compared byte by byte, never with a 0 at the end (a text and the same with zeros behind it would leave
//! no room between them). What is put behind everything gets the next of 62^6 places with room for 62^3 between each.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u64 = 62;
const WIDTH: usize = 6;
const STEP: u64 = BASE * BASE * BASE;
const PLACES: u64 = STEP * STEP;

/// The longest position that is taken from others: a thousand insertions at one place need some 170 digits.
const LONGEST: usize = 4096;

/// The position that a text means; `None` for one that means nothing.
pub fn position(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches('0');
    let fits = !bare.is_empty() && bare.len() <= LONGEST && bare.bytes().all(|b| digit(b).is_some());
    fits.then_some(bare)
}

fn digit(byte: u8) -> Option<u64> {
    DIGITS.iter().position(|d| *d == byte).map(|d| d as u64)
}

fn digits(text: &str) -> Vec<u64> {
    text.bytes().filter_map(digit).collect()
}

fn text(digits: &[u64]) -> String {
    let text: String = digits.iter().filter_map(|d| DIGITS.get(*d as usize)).map(|b| char::from(*b)).collect();
    text.trim_end_matches('0').to_owned()
}

/// One of the coarse places.
fn place(mut value: u64) -> String {
    let mut out = [0; WIDTH];
    for d in out.iter_mut().rev() {
        *d = value % BASE;
        value /= BASE;
    }
    text(&out)
}

fn coarse(position: &str) -> u64 {
    let digits = digits(position);
    (0..WIDTH).fold(0, |value, i| value * BASE + digits.get(i).copied().unwrap_or(0))
}

/// A position behind `low` and before `high`; `None` is the end. Both are positions, and `low` is the lower one.
pub fn between(low: Option<&str>, high: Option<&str>) -> String {
    match (low, high) {
        (None, None) => place(PLACES / 2),
        (Some(low), None) if coarse(low) + STEP < PLACES => place(coarse(low) + STEP),
        (None, Some(high)) if coarse(high) > STEP => place(coarse(high) - STEP),
        (low, high) => middle(&digits(low.unwrap_or_default()), high.map(digits).as_deref()),
    }
}

fn middle(low: &[u64], high: Option<&[u64]>) -> String {
    let mut out = Vec::with_capacity(low.len() + 1);
    let mut below = high;
    for i in 0.. {
        let from = low.get(i).copied().unwrap_or(0);
        let to = below.map_or(BASE, |h| h.get(i).copied().unwrap_or(0));
        if to > from + 1 {
            out.push(u64::midpoint(from, to));
            break;
        }
        out.push(from);
        if to > from {
            // Whatever follows is below `high` already.
            below = None;
        } else if i > low.len().max(high.map_or(0, <[u64]>::len)) {
            // Not a lower and a higher one. Something beyond `low`, at least.
            below = None;
        }
    }
    text(&out)
}

/// Positions for things that are to stand in this order, with what they have now: as few as can be are changed. Answers
/// those to change, by place.
pub fn settle(now: &[Option<&str>]) -> Vec<(usize, String)> {
    let now: Vec<Option<&str>> = now.iter().map(|p| p.and_then(position)).collect();
    let kept = rising(&now);
    let mut changed = Vec::new();
    let mut low: Option<String> = None;
    let mut from = 0;
    for stop in kept.into_iter().map(Some).chain([None]) {
        let to = stop.unwrap_or(now.len());
        let high = stop.and_then(|i| now.get(i).copied().flatten());
        let run: Vec<usize> = (from..to).collect();
        if low.is_none() && high.is_some() {
            // Before everything: from the back, each before the one behind it.
            let mut above = high.map(str::to_owned);
            for i in run.into_iter().rev() {
                let new = between(None, above.as_deref());
                changed.push((i, new.clone()));
                above = Some(new);
            }
        } else {
            for i in run {
                let new = between(low.as_deref(), high);
                changed.push((i, new.clone()));
                low = Some(new);
            }
        }
        low = high.map(str::to_owned).or(low);
        from = to + 1;
    }
    changed.sort_by_key(|(i, _)| *i);
    changed
}

/// Places of a longest rising sequence.
fn rising(now: &[Option<&str>]) -> Vec<usize> {
    // Of each length the place at which the sequence that ends lowest ends, and for each place what it follows.
    let mut ends: Vec<usize> = Vec::new();
    let mut follows: Vec<Option<usize>> = vec![None; now.len()];
    let at = |i: usize| now.get(i).copied().flatten();
    for (i, own) in now.iter().enumerate().filter_map(|(i, p)| p.map(|p| (i, p))) {
        let length = ends.partition_point(|e| at(*e).is_some_and(|p| p < own));
        if let Some(before) = follows.get_mut(i) {
            *before = length.checked_sub(1).and_then(|l| ends.get(l)).copied();
        }
        match ends.get_mut(length) {
            Some(end) => *end = i,
            None => ends.push(i),
        }
    }
    let mut out: Vec<usize> =
        std::iter::successors(ends.last().copied(), |i| follows.get(*i).copied().flatten()).collect();
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_always_room() {
        let (mut low, high) = (between(None, None), between(Some(&between(None, None)), None));
        for _ in 0..1000 {
            let new = between(Some(&low), Some(&high));
            assert!(low < new && new < high, "{low} {new} {high}");
            low = new;
        }
        let mut high = between(None, None);
        for _ in 0..110_000 {
            let new = between(None, Some(&high));
            assert!(new < high && position(&new) == Some(&*new), "{new} {high}");
            high = new;
        }
        assert!(high.len() < LONGEST, "{}", high.len());
        let mut low = between(None, None);
        for _ in 0..110_000 {
            let new = between(Some(&low), None);
            assert!(new > low);
            low = new;
        }
        assert_eq!((position("0"), position(""), position("é"), position("1 ")), (None, None, None, None));
        assert_eq!(position("a00"), Some("a"));
    }

    #[test]
    fn moving_one_thing_changes_one_position() {
        let mut places: Vec<String> = Vec::new();
        for _ in 0..10 {
            places.push(between(places.last().map(String::as_str), None));
        }
        let moved = places.remove(7);
        places.insert(2, moved);
        let now: Vec<_> = places.iter().map(|p| Some(p.as_str())).collect();
        assert_eq!(settle(&now).iter().map(|(i, _)| *i).collect::<Vec<_>>(), [2]);
    }

    proptest! {
        #[test]
        fn settled_things_stand_in_order(now in proptest::collection::vec(proptest::option::of("[0-3]{1,3}"), 0..12)) {
            let mut places: Vec<Option<String>> = now.clone();
            let bare: Vec<_> = now.iter().map(Option::as_deref).collect();
            for (i, new) in settle(&bare) {
                places[i] = Some(new);
            }
            let places: Vec<_> = places.iter().map(|p| position(p.as_deref().expect("each has one")).expect("fits")).collect();
            prop_assert!(places.windows(2).all(|w| w[0] < w[1]), "{:?}", places);
            let now: Vec<_> = places.iter().map(|p| Some(*p)).collect();
            prop_assert!(settle(&now).is_empty());
        }
    }
}
