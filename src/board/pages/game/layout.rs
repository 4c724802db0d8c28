//! Where the panes of the page are: a pure function of its size.

use ratatui::layout::Rect;

use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;

/// A pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// Line history.
    Chart,
    /// What to take.
    Card,
    /// Every book.
    #[default]
    Books,
    /// The game's signals.
    Tape,
}

impl Pane {
    /// Every pane, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Books, Self::Chart, Self::Card, Self::Tape];

    /// The next one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }

    /// For its zone.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|p| *p == self).unwrap_or(0)
    }
}

/// The parts of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// The game in a line.
    pub head: Rect,
    /// See [`Pane::Chart`].
    pub chart: Option<Rect>,
    /// See [`Pane::Card`].
    pub card: Option<Rect>,
    /// The card in a line for each side.
    pub brief: Option<Rect>,
    /// See [`Pane::Books`].
    pub books: Option<Rect>,
    /// See [`Pane::Tape`].
    pub tape: Option<Rect>,
}

/// From this size on everything is seen at once.
const WIDE: (u16, u16) = (140, 30);
/// From this size on chart and table are seen together.
const MIDDLE: (u16, u16) = (76, 19);

/// Where the parts are. `sides`: lines of the brief card; `pane`: which one has the keyboard.
pub fn parts(area: Rect, sides: u16, pane: Pane) -> Parts {
    let head = Rect { height: 1.min(area.height), ..area };
    let rest = Rect { y: area.y + head.height, height: area.height - head.height, ..area };
    let none = Parts { head, ..Parts::default() };
    if area.width >= WIDE.0 && area.height >= WIDE.1 {
        let left = rest.width * 3 / 5;
        let top = rest.height / 2;
        // A table of books wants its columns, a line of the tape fewer.
        let table = (rest.width * 2 / 3).max(left);
        let below = Rect { y: rest.y + top, height: rest.height - top, ..rest };
        return Parts {
            chart: Some(Rect { width: left, height: top, ..rest }),
            card: Some(Rect { x: rest.x + left + 1, width: rest.width - left - 1, height: top, ..rest }),
            books: Some(Rect { width: table, ..below }),
            tape: Some(Rect { x: below.x + table + 1, width: below.width - table - 1, ..below }),
            ..none
        };
    }
    if area.width >= MIDDLE.0 && area.height >= MIDDLE.1 && matches!(pane, Pane::Books | Pane::Chart) {
        let brief = Rect { height: sides.max(1), ..rest };
        let rest = Rect { y: rest.y + brief.height, height: rest.height - brief.height, ..rest };
        let top = rest.height * 9 / 20;
        return Parts {
            brief: Some(brief),
            chart: Some(Rect { height: top, ..rest }),
            books: Some(Rect { y: rest.y + top, height: rest.height - top, ..rest }),
            ..none
        };
    }
    match pane {
        Pane::Chart => Parts { chart: Some(rest), ..none },
        Pane::Card => Parts { card: Some(rest), ..none },
        Pane::Books => Parts { books: Some(rest), ..none },
        Pane::Tape => Parts { tape: Some(rest), ..none },
    }
}

/// The line over a pane: its title, what it shows, and whether it has the keyboard.
pub fn heading(paint: &mut Paint<'_>, area: Rect, title: &str, about: &str, focus: bool) {
    let border = paint.style(if focus { Meaning::BorderFocus } else { Meaning::Border });
    for x in area.x..area.right() {
        paint.text(x, area.y, 1, paint.glyph(Glyph::Rule), border);
    }
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    for (words, meaning) in [(title, Meaning::Title), (about, Meaning::Muted)] {
        if words.is_empty() || x + 3 >= end {
            continue;
        }
        let width = (text::width(words) + 2).min(end - x);
        paint.text(x, area.y, 1, " ", paint.style(meaning));
        let taken = paint.text(x + 1, area.y, width.saturating_sub(2), words, paint.style(meaning));
        paint.text(x + 1 + taken, area.y, 1, " ", paint.style(meaning));
        x += taken + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_and_never_leave_the_page() {
        for width in 60..220 {
            for height in 13..70 {
                let area = Rect::new(0, 2, width, height);
                for pane in Pane::ALL {
                    let p = parts(area, 2, pane);
                    let all: Vec<Rect> =
                        [Some(p.head), p.chart, p.card, p.brief, p.books, p.tape].into_iter().flatten().collect();
                    for (i, a) in all.iter().enumerate() {
                        assert_eq!(a.intersection(area), *a, "{width}x{height} {a:?}");
                        assert!(all.iter().skip(i + 1).all(|b| a.intersection(*b).is_empty()), "{width}x{height}");
                    }
                    let own = [p.books, p.chart, p.card, p.tape].get(pane.number()).copied().flatten();
                    assert!(own.is_some(), "{pane:?} is not seen at {width}x{height}");
                }
            }
        }
    }
}
