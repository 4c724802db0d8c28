//! A line of text that is typed into: its keys, and a window onto it that keeps the cursor in sight.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tui_input::{Input, InputRequest};
use unicode_width::UnicodeWidthChar;

use crate::board::keys::Key;
use crate::board::paint::Paint;
use crate::board::theme::Meaning;

/// More characters than this are not taken.
pub const LONGEST: usize = 1_024;

/// A line of text with its cursor.
#[derive(Clone, Debug, Default)]
pub struct TextLine {
    input: Input,
}

impl TextLine {
    /// A line that says `text`, with the cursor behind it.
    pub fn new(text: &str) -> Self {
        Self { input: Input::new(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()) }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Nothing has been typed.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// The byte in front of which the cursor stands.
    pub fn cursor(&self) -> usize {
        let text = self.text();
        text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at)
    }

    /// Says something else; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Puts `with` in the place of some bytes, and the cursor behind it. Bytes that are no whole characters of the text
    /// change nothing.
    pub fn replace(&mut self, range: Range<usize>, with: &str) {
        let text = self.text();
        let (Some(before), Some(after)) = (text.get(..range.start), text.get(range.end.max(range.start)..)) else {
            return;
        };
        let cursor = before.chars().count() + with.chars().count();
        let whole = format!("{before}{with}{after}");
        self.set(&whole);
        self.input.handle(InputRequest::SetCursor(cursor));
    }

    /// A key that the key map has no action for. `true`: the text has changed.
    pub fn key(&mut self, key: Key) -> bool {
        use InputRequest as R;
        if let Some(c) = key.character() {
            if self.text().chars().count() >= LONGEST {
                return false;
            }
            return self.input.handle(R::InsertChar(c)).is_some();
        }
        let request = match key.to_string().as_str() {
            "backspace" | "ctrl-h" => R::DeletePrevChar,
            "delete" => R::DeleteNextChar,
            "left" | "ctrl-b" => R::GoToPrevChar,
            "right" | "ctrl-f" => R::GoToNextChar,
            "ctrl-left" | "alt-left" | "alt-b" => R::GoToPrevWord,
            "ctrl-right" | "alt-right" | "alt-f" => R::GoToNextWord,
            "home" | "ctrl-a" => R::GoToStart,
            "end" | "ctrl-e" => R::GoToEnd,
            "ctrl-w" | "alt-backspace" | "ctrl-backspace" => R::DeletePrevWord,
            "alt-d" | "ctrl-delete" => R::DeleteNextWord,
            "ctrl-u" => R::DeleteFromStart,
            "ctrl-k" => R::DeleteTillEnd,
            "ctrl-y" => R::Yank,
            _ => return false,
        };
        self.input.handle(request).is_some_and(|changed| changed.value)
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text().chars().count());
        for c in text.chars().filter(|c| !c.is_control()).take(room) {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    /// Columns that are scrolled out of sight on the left in a window of `width`.
    fn skipped(&self, width: u16) -> usize {
        // The cursor needs a column of its own behind the text.
        (columns(self.text().get(..self.cursor()).unwrap_or_default()) + 2).saturating_sub(usize::from(width))
    }

    /// The column of a byte in a window of `width`; `None`: it is out of sight.
    pub fn column(&self, width: u16, byte: usize) -> Option<u16> {
        let before = columns(self.text().get(..byte)?);
        let x = before.checked_sub(self.skipped(width))?;
        u16::try_from(x).ok().filter(|x| *x < width)
    }

    /// Draws it into one line. `error`: bytes that cannot be used.
    pub fn draw(&self, paint: &mut Paint<'_>, area: Rect, error: Option<Range<usize>>) {
        if area.width == 0 {
            return;
        }
        let (plain, wrong) = (paint.style(Meaning::Input), paint.style(Meaning::InputError));
        paint.fill(area, plain);
        let text = self.text();
        let cursor = self.cursor();
        let skip = self.skipped(area.width);
        let mut column = 0_usize;
        for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
            let width = c.width().unwrap_or(0);
            let x = column.checked_sub(skip);
            column += width;
            let Some(x) = x.filter(|x| x + width <= usize::from(area.width)) else { continue };
            let mut style: Style = if error.as_ref().is_some_and(|e| e.contains(&at)) { wrong } else { plain };
            if at == cursor {
                style = style.add_modifier(Modifier::REVERSED);
            }
            let mut letter = [0_u8; 4];
            // A mark without a width of its own belongs to the letter before it.
            if width > 0 || at == text.len() {
                let x = area.x + x as u16;
                paint.text(x, area.y, area.right() - x, c.encode_utf8(&mut letter), style);
            } else if x > 0
                && let Some(cell) = paint.buf.cell_mut((area.x + x as u16 - 1, area.y))
            {
                let joined = format!("{}{c}", cell.symbol());
                cell.set_symbol(&joined);
            }
        }
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::board::looks::Looks;
    use crate::board::theme::Glyphs;

    fn key(text: &str) -> Key {
        Key::parse(text).expect("a key")
    }

    fn drawn(line: &TextLine, width: u16) -> (String, Option<u16>) {
        let area = Rect::new(0, 0, width, 1);
        let mut buf = Buffer::empty(area);
        let theme = Looks::full().theme("");
        let mut zones = Vec::new();
        line.draw(&mut Paint { buf: &mut buf, theme: &theme, glyphs: Glyphs::Unicode, zones: &mut zones }, area, None);
        let cursor = (0..width).find(|x| buf[(*x, 0)].modifier.contains(Modifier::REVERSED));
        ((0..width).map(|x| buf[(x, 0)].symbol().to_owned()).collect(), cursor)
    }

    #[test]
    fn words_are_typed_and_taken_back() {
        let mut line = TextLine::default();
        for c in "ev".chars() {
            assert!(line.key(key(&c.to_string())));
        }
        line.paste(">2\u{7} nba\n");
        assert_eq!(line.text(), "ev>2 nba");
        assert!(line.key(key("ctrl-w")));
        assert_eq!(line.text(), "ev>2 ");
        assert!(!line.key(key("home")), "only the cursor moved");
        assert_eq!(line.cursor(), 0);
        assert!(!line.key(key("f7")));
        line.replace(0..2, "hold");
        assert_eq!((line.text(), line.cursor()), ("hold>2 ", 4));
        line.set("東");
        line.replace(1..2, "x");
        assert_eq!(line.text(), "東", "half a letter is left alone");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut line = TextLine::new("abcdefghij");
        let (told, cursor) = drawn(&line, 6);
        assert_eq!((told.trim_end(), cursor), ("ghij", Some(4)));
        for _ in 0..10 {
            line.key(key("left"));
        }
        let (told, cursor) = drawn(&line, 6);
        assert_eq!((told.as_str(), cursor), ("abcdef", Some(0)));
    }

    proptest! {
        #[test]
        fn any_text_can_be_shown_in_any_width(text in "\\PC{0,40}", width in 1_u16..30, back in 0_usize..50) {
            // A mark without a letter has no place of its own.
            prop_assume!(text.chars().all(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) > 0));
            let mut line = TextLine::new(&text);
            for _ in 0..back {
                line.key(key("left"));
            }
            let (_, cursor) = drawn(&line, width);
            prop_assert!(width < 3 || cursor.is_some(), "{text:?}");
        }
    }
}
