//! How numbers of the analysis are written in tables, beside what [`super::show`] does for quotes.

use std::collections::BTreeMap;

use super::show;
use crate::engine::changes::EventRow;
use crate::engine::price::unit::{Layout, UnitKey};
use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::selection::Side;

/// A share as a percentage: `0.5236` with two places is `52.36`. The heading says what it is.
pub fn percent(share: f64, places: usize) -> String {
    number(100.0 * share, places)
}

/// The same with its sign: profits.
pub fn gain(share: f64, places: usize) -> String {
    let text = number(100.0 * share, places);
    if share > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) { format!("+{text}") } else { text }
}

/// A number with so many places; never `-0`.
pub fn number(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if !rest.bytes().any(|b| (b'1'..=b'9').contains(&b)) => rest.to_owned(),
        _ => text,
    }
}

/// What is there as text, or the sign for nothing.
pub fn or_none<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| show::NONE.to_owned(), text)
}

/// A line that need not be one of a book's: two places, handicaps with their sign.
pub fn fair_line(line: Option<f64>, market: &str) -> String {
    or_none(line, |points| show::line(Some((points * 100.0).round() / 100.0), market))
}

/// A line of the first side as seen from a side of the question.
pub fn own_line(layout: Layout, side: Side, first_sees: Option<f64>) -> Option<f64> {
    first_sees.and_then(Line::from_points).map(|line| layout.line_for(line, side).points())
}

/// The line of even money of the first side as seen from a side: fair lines lie between the steps of lines.
pub fn own_fair_line(layout: Layout, side: Side, first_sees: Option<f64>) -> Option<f64> {
    first_sees.map(|points| if (layout, side) == (Layout::Spread, Side::Away) { 0.0 - points } else { points })
}

/// The key of a question's side, by which [`crate::store::query::selection_name`] names it.
pub const fn selection(key: UnitKey, side: Side) -> crate::engine::changes::QuoteKey {
    crate::engine::changes::QuoteKey {
        book: crate::market::ids::BookId(0),
        market: key.market,
        selection: crate::market::selection::Selection { side, subject: key.subject, line: None },
    }
}

/// Who plays, by event.
#[derive(Clone, Debug, Default)]
pub struct Teams(BTreeMap<EventId, String>);

impl Teams {
    /// Of these events.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r EventRow>) -> Self {
        Self(rows.into_iter().map(|r| (r.id, show::teams(&r.away, &r.home))).collect())
    }

    /// `Away @ Home`.
    pub fn name(&self, event: EventId) -> String {
        self.0.get(&event).cloned().unwrap_or_else(|| show::NONE.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages_without_a_negative_zero() {
        assert_eq!((percent(0.523_64, 2), percent(0.5, 1)), ("52.36".into(), "50.0".into()));
        assert_eq!((gain(0.0312, 2), gain(-0.0312, 2)), ("+3.12".into(), "-3.12".into()));
        assert_eq!(
            (gain(-0.000_001, 2), gain(0.000_001, 2), gain(0.0, 2)),
            ("0.00".into(), "0.00".into(), "0.00".into())
        );
    }

    #[test]
    fn lines_are_seen_from_their_own_side() {
        let away = |line| own_line(Layout::Spread, Side::Away, Some(line));
        assert_eq!(
            (away(-3.5), away(0.0), own_line(Layout::Total, Side::Under, Some(44.5))),
            (Some(3.5), Some(0.0), Some(44.5))
        );
        let fair = |side| own_fair_line(Layout::Spread, side, Some(-2.87));
        assert_eq!((fair(Side::Home), fair(Side::Away)), (Some(-2.87), Some(2.87)));
        assert_eq!(own_fair_line(Layout::Spread, Side::Away, Some(0.0)).map(f64::is_sign_negative), Some(false));
        assert_eq!((fair_line(Some(2.866), "spreads"), fair_line(None, "spreads")), ("+2.87".into(), "-".into()));
    }
}
