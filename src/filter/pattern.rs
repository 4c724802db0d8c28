//! How one value of a filter is looked for in the text of a row. Both are folded; nothing is allocated.

use super::fold;

/// Where in the text the pattern must lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It is the whole text.
    Whole,
    /// It begins the text and ends with a word.
    FirstWords,
    /// It is one or more whole words of the text.
    Words,
    /// It begins at the beginning of a word.
    WordStart,
    /// Anywhere.
    Anywhere,
}

/// A folded text, in pieces between its `*`s.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pattern {
    place: Place,
    first: String,
    /// What follows each `*`.
    rest: Vec<String>,
}

impl Pattern {
    pub(super) fn new(place: Place, text: &str) -> Self {
        let folded = fold(text);
        let mut pieces = folded.split('*').map(str::to_owned);
        Self { place, first: pieces.next().unwrap_or_default(), rest: pieces.collect() }
    }

    /// The folded text fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        if !self.rest.is_empty() {
            return match self.place {
                Place::Whole | Place::FirstWords => self.glob(text),
                Place::Words | Place::WordStart => word_starts(text).any(|tail| self.glob(tail)),
                Place::Anywhere => memchr::memmem::find(text.as_bytes(), self.first.as_bytes())
                    .and_then(|at| text.get(at + self.first.len()..))
                    .is_some_and(|tail| self.pieces(tail).is_some()),
            };
        }
        match self.place {
            Place::Whole => text == self.first,
            Place::FirstWords => starts_with_words(text, &self.first),
            Place::Words => word_starts(text).any(|tail| starts_with_words(tail, &self.first)),
            Place::WordStart => word_starts(text).any(|tail| tail.starts_with(&self.first)),
            Place::Anywhere => memchr::memmem::find(text.as_bytes(), self.first.as_bytes()).is_some(),
        }
    }

    /// The whole of `text` is the pieces with anything between them.
    fn glob(&self, text: &str) -> bool {
        let Some(tail) = text.strip_prefix(self.first.as_str()) else { return false };
        let Some((last, middle)) = self.rest.split_last() else { return tail.is_empty() };
        // The leftmost place of each piece leaves the most for those after it; the last one must lie at the end.
        find_all(middle, tail).is_some_and(|tail| tail.ends_with(last.as_str()))
    }

    /// What remains after the pieces behind the first, if they are all there.
    fn pieces<'t>(&self, text: &'t str) -> Option<&'t str> {
        find_all(&self.rest, text)
    }
}

fn find_all<'t>(pieces: &[String], text: &'t str) -> Option<&'t str> {
    pieces.iter().try_fold(text, |tail, piece| {
        memchr::memmem::find(tail.as_bytes(), piece.as_bytes()).and_then(|at| tail.get(at + piece.len()..))
    })
}

/// The text from each of its words on.
fn word_starts(text: &str) -> impl Iterator<Item = &str> {
    let later = memchr::memchr_iter(b' ', text.as_bytes()).filter_map(|at| text.get(at + 1..));
    std::iter::once(text).chain(later)
}

fn starts_with_words(text: &str, words: &str) -> bool {
    text.strip_prefix(words).is_some_and(|tail| tail.is_empty() || tail.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_place_means_what_it_says() {
        for (place, pattern, text, fits) in [
            (Place::Whole, "totals", "totals", true),
            (Place::Whole, "totals", "alternate totals", false),
            (Place::FirstWords, "h2h", "h2h lay", true),
            (Place::FirstWords, "h2h", "h2hx", false),
            (Place::Words, "nba", "basketball nba", true),
            (Place::Words, "nba", "basketball wnba", false),
            (Place::Words, "nba", "basketball nba preseason", true),
            (Place::Words, "nb", "basketball nba", false),
            (Place::WordStart, "celt", "boston celtics", true),
            (Place::WordStart, "la", "atlanta hawks", false),
            (Place::WordStart, "la", "dallas la", true),
            (Place::Anywhere, "lant", "atlanta hawks", true),
            (Place::Anywhere, "x", "atlanta hawks", false),
            (Place::Whole, "b*t", "boston", false),
            (Place::Whole, "b*on", "boston", true),
            (Place::Whole, "*", "", true),
            (Place::Whole, "a*a", "a", false),
            (Place::Whole, "a*b*c", "aXbXbXc", true),
            (Place::WordStart, "cel*s", "boston celtics", true),
            (Place::WordStart, "elt*", "boston celtics", false),
            (Place::Anywhere, "bos*cel", "new boston celtics", true),
            (Place::Anywhere, "cel*bos", "new boston celtics", false),
        ] {
            assert_eq!(Pattern::new(place, pattern).fits(&fold(text)), fits, "{place:?} {pattern} {text}");
        }
    }

    /// The plainest matcher there is.
    fn slow_glob(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| slow_glob(rest, &text[n..])),
            Some((c, rest)) => text.split_first().is_some_and(|(t, tail)| t == c && slow_glob(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_the_plain_matcher(pattern in "[ab*]{1,6}", text in "[abé]{0,8}") {
            let plain: Vec<char> = fold(&text).chars().collect();
            let wanted = slow_glob(&pattern.chars().collect::<Vec<_>>(), &plain);
            prop_assert_eq!(Pattern::new(Place::Whole, &pattern).fits(&fold(&text)), wanted);
        }

        #[test]
        fn a_narrower_place_fits_no_more(pattern in "[ab ]{1,3}", text in "[ab ]{0,8}") {
            let fits = |place| Pattern::new(place, &pattern).fits(&fold(&text));
            prop_assert!(!fits(Place::Whole) || fits(Place::FirstWords));
            prop_assert!(!fits(Place::FirstWords) || fits(Place::Words));
            prop_assert!(!fits(Place::Words) || fits(Place::WordStart));
            prop_assert!(!fits(Place::WordStart) || fits(Place::Anywhere));
        }
    }
}
