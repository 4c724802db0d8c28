//! Signs on the screen, each with a twin in ASCII of the same width, so that a layout never depends on the locale.
//!
//! The lines of charts are drawn in braille by the chart itself.

use ratatui::symbols::border;

/// Which signs a terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Glyphs {
    /// Signs of Unicode, all of them one column wide.
    #[default]
    Unicode,
    /// ASCII alone.
    Ascii,
}

macro_rules! glyphs {
    ($($name:ident $unicode:literal $ascii:literal, $about:literal;)*) => {
        /// A sign by its meaning, one column wide.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Glyph { $(#[doc = $about] $name,)* }

        impl Glyph {
            /// Every sign.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// Every sign's width in columns.
            pub const WIDTH: usize = 1;

            /// What it means.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            const fn twins(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($unicode, $ascii),)* }
            }
        }
    };
}

glyphs! {
    Up "▲" "^", "A value went up";
    Down "▼" "v", "A value went down";
    Best "•" "*", "The best price";
    Stale "◦" "~", "A price that is too old";
    Suspect "?" "?", "A price that is hard to believe";
    Gone "×" "x", "A price that was taken away";
    OffMarket "≠" "!", "A price away from the market";
    Pin "▪" "#", "A row that is kept on top";
    Star "★" "*", "A game that is watched";
    Live "●" "o", "A game in play; a source that answers";
    Idle "○" ".", "A source that is waiting";
    Frozen "‖" "=", "The view is frozen";
    Past "◂" "<", "The view shows the past";
    Playing "▸" ">", "Recorded time is playing";
    Cursor "▸" ">", "The row under the cursor";
    Open "▾" "-", "An entry that is unfolded";
    Folded "▸" "+", "An entry that is folded";
    Arrow "→" ">", "From one value to another";
    Crumb "▸" ">", "Between the parts of where one is";
    Dot "·" "-", "Between two words";
    Ellipsis "…" ".", "Text that goes on";
    Check "✓" "x", "Ticked; good";
    Cross "✗" "!", "Failed";
    Unticked "·" ".", "Not ticked";
    SortUp "↑" "^", "Sorted with the smallest first";
    SortDown "↓" "v", "Sorted with the largest first";
    More "»" ">", "Columns to the right";
    Less "«" "<", "Columns to the left";
    RowsAbove "↑" "^", "Rows above";
    RowsBelow "↓" "v", "Rows below";
    Bar "█" "#", "The filled part of a bar";
    BarHalf "▌" "|", "The half-filled end of a bar";
    BarEmpty "░" ".", "The empty part of a bar";
    ScrollThumb "█" "#", "Where a list is scrolled to";
    ScrollTrack "│" "|", "The way of a scroll bar";
    Column "│" "|", "Between two columns";
    Rule "─" "-", "A line across";
    Mean "┼" "+", "The middle of an interval";
    Whisker "─" "-", "The width of an interval";
    Minus "−" "-", "In front of a negative number where it is not text";
    Signal "◆" "*", "A signal in a chart";
    Tip "┊" "|", "The start of a game in a chart";
    Input "▏" "|", "The cursor of a line of text";
}

/// Levels of a sparkline, from nothing to full.
const RAMP: [[&str; 9]; 2] =
    [[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], [" ", ".", ":", "-", "=", "+", "*", "#", "@"]];

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Glyphs {
    /// Only ASCII may be drawn.
    pub const fn is_ascii(self) -> bool {
        matches!(self, Self::Ascii)
    }

    /// The sign as it can be shown.
    pub const fn get(self, glyph: Glyph) -> &'static str {
        self.pick(glyph.twins())
    }

    /// One of two texts that the caller holds equally wide.
    pub const fn pick<'t>(self, (unicode, ascii): (&'t str, &'t str)) -> &'t str {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }

    /// One column of a sparkline for a share between 0 and 1. Anything above 0 shows at least the lowest mark; what
    /// is no number shows nothing.
    pub fn ramp(self, share: f64) -> &'static str {
        let [unicode, ascii] = &RAMP;
        let ramp = if self.is_ascii() { ascii } else { unicode };
        let level = if share > 0.0 { ((share.min(1.0) * 8.0).round() as usize).max(1) } else { 0 };
        ramp.get(level).copied().unwrap_or(" ")
    }

    /// The lines round a pane.
    pub const fn border(self) -> border::Set<'static> {
        match self {
            Self::Unicode => border::PLAIN,
            Self::Ascii => ASCII_BORDER,
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn twins_are_one_column_wide() {
        let signs = Glyph::ALL.iter().map(|g| g.twins());
        let [unicode, ascii] = RAMP;
        for (unicode, ascii) in signs.chain(unicode.into_iter().zip(ascii)) {
            assert_eq!((unicode.width(), ascii.width()), (Glyph::WIDTH, Glyph::WIDTH), "{unicode} {ascii}");
            assert!(ascii.is_ascii(), "{ascii}");
            assert_eq!(
                (Glyphs::Unicode.pick((unicode, ascii)), Glyphs::Ascii.pick((unicode, ascii))),
                (unicode, ascii)
            );
        }
        for line in [ASCII_BORDER.top_left, ASCII_BORDER.vertical_left, ASCII_BORDER.horizontal_top] {
            assert!(line.is_ascii() && line.width() == 1);
        }
    }

    #[test]
    fn sparklines_show_every_share() {
        for (share, unicode, ascii) in [
            (0.0, " ", " "),
            (-1.0, " ", " "),
            (f64::NAN, " ", " "),
            (1e-9, "▁", "."),
            (0.5, "▄", "="),
            (1.0, "█", "@"),
            (f64::INFINITY, "█", "@"),
        ] {
            assert_eq!((Glyphs::Unicode.ramp(share), Glyphs::Ascii.ramp(share)), (unicode, ascii), "{share}");
        }
    }

    #[test]
    fn up_and_down_differ_by_sign() {
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            assert_ne!(glyphs.get(Glyph::Up), glyphs.get(Glyph::Down));
        }
    }
}
