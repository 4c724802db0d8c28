//! What a pane draws with: the buffer, colours by meaning, signs, and the zones that can be clicked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::app::Page;
use super::keys::Action;
use super::theme::{Glyph, Glyphs, Meaning, Theme};
use crate::market::ids::EventId;

/// What a click means. Numbers are as the pane that draws them counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hit {
    /// A tab.
    Page(Page),
    /// A hint or button.
    Act(Action),
    /// A row of the page's main table.
    Row(usize),
    /// A row and a column of the board.
    Cell {
        /// Line of the table.
        row: usize,
        /// Column.
        column: usize,
    },
    /// The head of a column.
    Head(usize),
    /// The border to the right of a column.
    Border(usize),
    /// A game, wherever it is named.
    Game(EventId),
    /// A signal, by its id.
    Signal(String),
    /// A watchlist by its place; `None`: all games.
    List(Option<usize>),
    /// A row of an overlay.
    Item(usize),
    /// A pane of the page.
    Pane(usize),
    /// A place in a chart: column and row within it.
    Chart(u16, u16),
}

/// A part of the frame that can be clicked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Where.
    pub area: Rect,
    /// What it means.
    pub hit: Hit,
}

/// What a pane draws with.
#[derive(Debug)]
pub struct Paint<'a> {
    /// The frame.
    pub buf: &'a mut Buffer,
    /// Colours.
    pub theme: &'a Theme,
    /// Signs.
    pub glyphs: Glyphs,
    /// What can be clicked; later ones lie over earlier ones.
    pub zones: &'a mut Vec<Zone>,
}

impl Paint<'_> {
    /// The style of a meaning, to be laid over whatever is below: the page's background is laid once, by
    /// [`Paint::page`], and that of a row of heads by filling the row with the theme's own style.
    pub fn style(&self, meaning: Meaning) -> Style {
        let mut style = self.theme.style(meaning);
        if matches!(meaning, Meaning::Text | Meaning::Header) {
            style.bg = None;
        }
        style
    }

    /// The style of an empty page.
    pub fn page(&self) -> Style {
        self.theme.style(Meaning::Text)
    }

    /// Writes `text` from (x, y), at most `width` columns, cut off with an ellipsis. Gives the columns taken.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        super::widgets::text::put(self.buf, x, y, width, text, style, self.glyphs.is_ascii())
    }

    /// The same, ending at the right edge of the `width` columns from `x`.
    pub fn right(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) {
        let taken = u16::try_from(text.width()).unwrap_or(u16::MAX).min(width);
        self.text(x + (width - taken), y, taken.max(1).min(width), text, style);
    }

    /// The same, in the middle.
    pub fn centre(&mut self, area: Rect, y: u16, text: &str, style: Style) {
        let taken = u16::try_from(text.width()).unwrap_or(u16::MAX).min(area.width);
        self.text(area.x + (area.width - taken) / 2, y, taken, text, style);
    }

    /// Lays a style over an area.
    pub fn fill(&mut self, area: Rect, style: Style) {
        self.buf.set_style(area.intersection(self.buf.area), style);
    }

    /// Empties an area. What `style` leaves open is the page's own: never the terminal's, which knows no theme.
    pub fn clear(&mut self, area: Rect, style: Style) {
        let page = self.page();
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(page).set_style(style);
                }
            }
        }
    }

    /// Makes an area clickable.
    pub fn zone(&mut self, area: Rect, hit: Hit) {
        self.zones.push(Zone { area, hit });
    }

    /// A sign that the terminal has.
    pub const fn glyph(&self, glyph: Glyph) -> &'static str {
        self.glyphs.get(glyph)
    }

    /// One of two texts: the second where the terminal has only ASCII.
    pub const fn sign(&self, text: &'static str, ascii: &'static str) -> &'static str {
        self.glyphs.pick((text, ascii))
    }
}
