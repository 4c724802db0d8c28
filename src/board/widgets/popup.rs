//! The frame of what lies over a page: where it stands, its border and its title.

use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Widget};

use super::text;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;

/// Where in the area of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the middle.
    Middle,
    /// At the lower edge, in the whole width: what is above stays in sight.
    Bottom,
}

/// The outer area of a frame whose inside is to be `inner` columns and rows, as far as they fit.
pub fn place(area: Rect, place: Place, inner: (u16, u16)) -> Rect {
    let height = inner.1.saturating_add(2).min(area.height);
    match place {
        Place::Middle => {
            let width = inner.0.saturating_add(4).min(area.width);
            Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
        }
        Place::Bottom => Rect::new(area.x, area.bottom() - height, area.width, height),
    }
}

/// What can be drawn on within a frame: a column of air at each side.
pub const fn inside(outer: Rect) -> Rect {
    Rect {
        x: outer.x + if outer.width >= 4 { 2 } else { 0 },
        y: outer.y + if outer.height >= 2 { 1 } else { 0 },
        width: outer.width.saturating_sub(4),
        height: outer.height.saturating_sub(2),
    }
}

/// Draws a frame with a title above and a word about its keys below; gives what is inside.
pub fn draw(paint: &mut Paint<'_>, outer: Rect, title: &str, foot: &str) -> Rect {
    let outer = outer.intersection(paint.buf.area);
    let style = paint.style(Meaning::Text);
    paint.clear(outer, style);
    Block::new()
        .borders(Borders::ALL)
        .border_set(paint.glyphs.border())
        .border_style(paint.style(Meaning::BorderFocus))
        .style(style)
        .render(outer, paint.buf);
    let room = outer.width.saturating_sub(4);
    let label = format!(" {title} ");
    paint.text(outer.x + 2, outer.y, room, &label, paint.style(Meaning::Title));
    if !foot.is_empty() && outer.height > 2 {
        let label = format!(" {foot} ");
        let width = text::width(&label).min(room);
        paint.text(
            outer.right().saturating_sub(width + 2),
            outer.bottom() - 1,
            width,
            &label,
            paint.style(Meaning::Hint),
        );
    }
    // A click inside must not fall through to the page, and must not close it.
    paint.zone(outer, Hit::Pane(usize::MAX));
    inside(outer)
}

/// A pane of a page with a border and a title, brighter when it has the keyboard; gives what is inside.
pub fn pane(paint: &mut Paint<'_>, area: Rect, title: &str, note: &str, focus: bool) -> Rect {
    let meaning = if focus { Meaning::BorderFocus } else { Meaning::Border };
    Block::new()
        .borders(Borders::ALL)
        .border_set(paint.glyphs.border())
        .border_style(paint.style(meaning))
        .render(area.intersection(paint.buf.area), paint.buf);
    let room = area.width.saturating_sub(4);
    let taken = paint.text(area.x + 2, area.y, room, &format!(" {title} "), paint.style(Meaning::Title));
    let note = if note.is_empty() { String::new() } else { format!(" {note} ") };
    let width = text::width(&note);
    if width > 0 && taken + width < room {
        paint.text(area.right() - 2 - width, area.y, width, &note, paint.style(Meaning::Muted));
    }
    inside(area)
}

/// `text` in lines of at most `width` columns, broken between words; a word that is too long is broken anywhere.
pub fn wrap(told: &str, width: u16) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in told.split(' ') {
        let mut word = word.to_owned();
        let gap = u16::from(!line.is_empty());
        if text::width(&line) + gap + text::width(&word) <= width {
            if gap > 0 {
                line.push(' ');
            }
            line.push_str(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while text::width(&word) > width {
            let mut head = String::new();
            let mut rest = String::new();
            for c in word.chars() {
                let fits = rest.is_empty() && (head.is_empty() || text::width(&head) + char_width(c) <= width);
                if fits { head.push(c) } else { rest.push(c) }
            }
            lines.push(head);
            if rest == word {
                break;
            }
            word = rest;
        }
        line = word;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Words of a line, two columns apart, in as many lines as they need: a group of words that does not fit goes to the next
/// line, two columns in, and is broken there where it has to be.
pub fn fold(line: &[(String, Meaning)], width: u16) -> Vec<Vec<(String, Meaning)>> {
    const IN: u16 = 2;
    let mut lines: Vec<Vec<(String, Meaning)>> = vec![Vec::new()];
    let mut taken = 0;
    for (told, meaning) in line {
        let needs = text::width(told);
        if taken > 0 && taken + needs > width {
            for part in wrap(told, width.saturating_sub(IN)) {
                // The gap behind an empty word is the way in.
                taken = IN + text::width(&part) + 2;
                lines.push(vec![(String::new(), *meaning), (part, *meaning)]);
            }
        } else {
            taken += needs + 2;
            if let Some(last) = lines.last_mut() {
                last.push((told.clone(), *meaning));
            }
        }
    }
    lines
}

fn char_width(c: char) -> u16 {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_never_leaves_its_area() {
        let area = Rect::new(3, 2, 20, 6);
        for at in [Place::Middle, Place::Bottom] {
            for inner in [(4, 1), (100, 100), (16, 4)] {
                let outer = place(area, at, inner);
                assert_eq!(outer.intersection(area), outer);
            }
        }
        assert_eq!(place(area, Place::Middle, (4, 1)), Rect::new(9, 3, 8, 3));
        assert_eq!(place(area, Place::Bottom, (4, 1)), Rect::new(3, 5, 20, 3));
    }

    #[test]
    fn words_that_do_not_fit_go_on_in_the_next_line() {
        let line =
            [("Close", Meaning::Header), ("the market was first seen late", Meaning::Faint), ("ok", Meaning::Ok)];
        let line = line.map(|(told, meaning)| (told.to_owned(), meaning));
        let told = |width| -> Vec<String> {
            let lines = fold(&line, width);
            lines.iter().map(|l| l.iter().map(|w| w.0.as_str()).collect::<Vec<_>>().join("  ")).collect()
        };
        assert_eq!(told(60), ["Close  the market was first seen late  ok"]);
        assert_eq!(told(40), ["Close  the market was first seen late", "  ok"]);
        assert_eq!(told(20), ["Close", "  the market was", "  first seen late", "  ok"].map(str::to_owned));
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_letter_and_the_width(told in "[a-z東é ]{0,80}", width in 2_u16..30) {
            let lines = wrap(&told, width);
            prop_assert!(lines.iter().all(|l| text::width(l) <= width), "{lines:?}");
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&told));
        }
    }
}
