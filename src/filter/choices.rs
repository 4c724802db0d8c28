//! The words of the fields that take a closed list of them.

/// A word that a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The word, as canonical text writes it.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// What it means, in a few words.
    pub note: &'static str,
}

const fn word(name: &'static str, aliases: &'static [&'static str], note: &'static str) -> Choice {
    Choice { name, aliases, note }
}

/// Types of signals: the names of the JSON form in small letters.
pub(super) const TYPES: &[Choice] = &[
    word("move", &[], "the market moved"),
    word("key_cross", &["key", "cross"], "the line reached or crossed a key number"),
    word("multibook_sync", &["sync", "multibook"], "several independent books moved the same way"),
    word("dislocation", &[], "one book is out of line"),
    word("steam", &[], "many books moved at once, and far"),
    word("live_shock", &["shock"], "a watched game in play moved by a great deal"),
    word("exchange_divergence", &["divergence", "exchange"], "an exchange and the books disagree"),
];

/// Tiers.
pub(super) const TIERS: &[Choice] = &[
    word("high", &[], "composite 75 and above"),
    word("medium", &["med"], "composite 55 to 74"),
    word("low", &[], "composite below 55"),
];

/// Sides of a market.
pub(super) const SIDES: &[Choice] = &[
    word("home", &[], "the home team"),
    word("away", &["visitor"], "its opponent"),
    word("draw", &["tie"], "neither wins"),
    word("over", &[], "more than the line"),
    word("under", &[], "less than the line"),
    word("yes", &[], "it comes true"),
    word("no", &[], "it does not"),
    word("named", &[], "an outcome known by its name"),
];

/// Directions.
pub(super) const DIRECTIONS: &[Choice] =
    &[word("up", &[], "the first side's value rose"), word("down", &[], "it fell")];

/// Grades of a close.
pub(super) const GRADES: &[Choice] = &[
    word("a", &[], "five books or more, one sharp, at most 5 minutes before the start"),
    word("b", &[], "four books or more, at most 15 minutes before"),
    word("c", &[], "two books or more, at most an hour before"),
    word("d", &[], "older or thinner"),
    word("f", &[], "only prices from after the start"),
];

/// Steps of the distance to the start.
pub(super) const BUCKETS: &[Choice] = &[
    word("open", &[], "6 hours or more to the start"),
    word("mid", &[], "2 to 6 hours"),
    word("late", &[], "30 minutes to 2 hours"),
    word("pretip", &["pre_tip"], "less than 30 minutes"),
    word("inplay", &["in_play"], "after the start"),
    word("unknown", &[], "the start is not known"),
];

/// Presets of signals.
pub(super) const PRESETS: &[Choice] = &[
    word("high_confidence", &[], "strong, many books, little dispersion"),
    word("low_noise", &[], "fairly strong, short window, least dispersion"),
    word("early_move", &[], "moves of two books or more"),
    word("steam_only", &[], "steam of four books or more"),
];

/// Where an event or a quote stands.
pub(super) const STATUSES: &[Choice] = &[
    word("scheduled", &[], "event: not started as far as known"),
    word("live", &[], "event: a running score"),
    word("final", &[], "event: over"),
    word("open", &[], "quote: shown and fresh"),
    word("suspect", &[], "quote: not to be relied on"),
    word("gone", &[], "quote: the book answered without it"),
    word("stale", &[], "quote: not seen at the book for too long"),
    word("flawed", &[], "quote: it contradicts itself"),
    word("event_missing", &[], "quote: its event was missing from an answer"),
    word("unreadable", &[], "quote: that part of the answer could not be read"),
];

/// The flags, in the order of [`super::Flag::ALL`].
pub(super) const FLAGS: &[Choice] = &[
    word("live", &["inplay"], "a running score"),
    word("pregame", &["pre"], "not started"),
    word("final", &["over", "finished"], "over"),
    word("stale", &[], "not seen at the book for too long"),
    word("suspect", &[], "shown, not to be relied on"),
    word("gone", &[], "the book answered without it"),
    word("watched", &[], "on a watchlist"),
    word("started", &[], "the start has passed"),
    word("actionable", &[], "something can be done about it now"),
    word("best", &[], "the best price of its side"),
    word("suspended", &[], "the book has taken the market down for now"),
];

/// The word of a list that `written` means: by name or alias, with `-`, `_` and blanks alike.
pub(super) fn find(list: &'static [Choice], written: &str) -> Option<&'static Choice> {
    let wanted = super::fold(written);
    let is = |name: &&str| super::fold(name) == wanted;
    list.iter().find(|c| is(&c.name)).or_else(|| list.iter().find(|c| c.aliases.iter().any(is)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::bucket::TimeBucket;

    #[test]
    fn every_list_is_without_doubles() {
        for list in [TYPES, TIERS, SIDES, DIRECTIONS, GRADES, BUCKETS, PRESETS, STATUSES, FLAGS] {
            for choice in list {
                for name in std::iter::once(&choice.name).chain(choice.aliases) {
                    assert_eq!(find(list, name), Some(choice), "{name}");
                }
            }
        }
        assert_eq!(find(TYPES, "Key-Cross").map(|c| c.name), Some("key_cross"));
        assert_eq!(find(TYPES, "storm"), None);
    }

    #[test]
    fn buckets_are_those_of_the_market() {
        for bucket in TimeBucket::ALL {
            assert!(find(BUCKETS, bucket.name()).is_some(), "{}", bucket.name());
        }
        assert_eq!(BUCKETS.len(), TimeBucket::ALL.len());
    }
}
