//! Text by what a terminal shows: wide letters take two columns, marks take none.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Writes `text` from (x, y), at most `width` columns; what does not fit ends in an ellipsis. Gives the columns taken.
/// Outside the buffer nothing is written.
pub fn put(buf: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style, ascii: bool) -> u16 {
    let area = buf.area;
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() || width == 0 {
        return 0;
    }
    let width = width.min(area.right() - x);
    if text.len() <= usize::from(width) && text.is_ascii() {
        buf.set_stringn(x, y, text, usize::from(width), style);
        return text.len() as u16;
    }
    let cut = fit(text, width, ascii);
    let taken = cut.width().min(usize::from(width));
    buf.set_stringn(x, y, cut.as_ref(), usize::from(width), style);
    taken as u16
}

/// `text` in at most `width` columns, with an ellipsis in the last one if anything is missing.
pub fn fit(text: &str, width: u16, ascii: bool) -> std::borrow::Cow<'_, str> {
    let width = usize::from(width);
    if text.width() <= width {
        return text.into();
    }
    let ellipsis = if ascii { "." } else { "…" };
    let Some(room) = width.checked_sub(1) else { return "".into() };
    let mut cut = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if taken + columns > room {
            break;
        }
        taken += columns;
        cut.push(c);
    }
    let trimmed = cut.trim_end();
    format!("{trimmed}{ellipsis}").into()
}

/// Columns that `text` takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// What a feed or a file says, safe to be drawn: no control characters.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cut_by_columns() {
        assert_eq!(fit("Boston Celtics", 14, false), "Boston Celtics");
        assert_eq!(fit("Boston Celtics", 8, false), "Boston…");
        assert_eq!(fit("Atlético Madrid", 9, false), "Atlético…");
        assert_eq!(fit("東京ヤクルト", 5, false), "東京…");
        assert_eq!(fit("東京ヤクルト", 6, true), "東京.");
        assert_eq!(fit("abc", 0, false), "");
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_its_place(text in "\\PC{0,40}", room in 0_u16..30) {
            prop_assert!(fit(&text, room, false).width() <= usize::from(room));
            let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, 40, 1));
            let taken = put(&mut buf, 3, 0, room, &text, Style::new(), false);
            prop_assert!(taken <= room);
            for x in (3 + room).min(39)..40 {
                prop_assert_eq!(buf[(x, 0)].symbol(), " ");
            }
        }
    }
}
