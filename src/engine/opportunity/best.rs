//! The best price of each side at each line.

use super::question::Quote;
use crate::market::line::Line;

/// The best prices at one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// As the first side sees it.
    pub(super) line: Option<Line>,
    /// Of each side, in the order of the layout.
    pub(super) best: [Option<Quote>; 3],
}

impl Stand {
    const fn at(line: Option<Line>) -> Self {
        Self { line, best: [None; 3] }
    }

    fn offer(&mut self, quote: &Quote) {
        if let Some(best) = self.best.get_mut(quote.place)
            && best.as_ref().is_none_or(|b| better(quote, b))
        {
            *best = Some(*quote);
        }
    }
}

/// Higher odds, then the fresher. Among equals the one that stands first stays: books stand in the order in which the event
/// met them, which is the same in every store, as their numbers are not.
pub(super) fn better(a: &Quote, b: &Quote) -> bool {
    a.odds.total_cmp(&b.odds).then(a.updated.cmp(&b.updated)).is_gt()
}

/// The best prices at every line, in rising order of lines.
pub(super) fn stands(quotes: &[Quote]) -> Vec<Stand> {
    let mut stands: Vec<Stand> = Vec::with_capacity(4);
    for quote in quotes {
        let at = match stands.iter().position(|s| s.line == quote.line) {
            Some(at) => at,
            None => {
                stands.push(Stand::at(quote.line));
                stands.len() - 1
            }
        };
        if let Some(stand) = stands.get_mut(at) {
            stand.offer(quote);
        }
    }
    stands.sort_unstable_by_key(|s| s.line);
    stands
}

/// The best prices at `line` among quotes seen from `anchor` on, for at most `skew_ms` milliseconds.
pub(super) fn within(quotes: &[Quote], anchor: &Quote, skew_ms: i64) -> Stand {
    let mut stand = Stand::at(anchor.line);
    for quote in quotes.iter().filter(|q| q.line == anchor.line) {
        if (0..=skew_ms).contains(&quote.updated.since(anchor.updated)) {
            stand.offer(quote);
        }
    }
    stand
}

/// The bets were seen within `skew_ms` milliseconds of one another.
pub(super) fn close_in_time(legs: &[Quote], skew_ms: i64) -> bool {
    let first = legs.iter().map(|l| l.updated).min();
    let last = legs.iter().map(|l| l.updated).max();
    first.zip(last).is_none_or(|(first, last)| last.since(first) <= skew_ms)
}
