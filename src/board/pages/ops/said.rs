//! Lines of a pane, in pieces, and how they are drawn.

use ratatui::layout::Rect;

use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::{popup, text};

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Words.
    Text(String, Meaning),
    /// Words up to a column.
    Right(String, Meaning, u16),
    /// A sign.
    Sign(Glyph, Meaning),
    /// Goes to a column.
    Tab(u16),
    /// Shares of a whole as a row of bars, in thousandths of the highest.
    Ramp(Vec<u16>),
    /// Parts of a whole of so many columns, each drawn in its own way.
    Stack(Vec<u64>, u16),
}

/// One line.
pub type Said = Vec<Piece>;

pub(super) fn words(told: impl Into<String>, meaning: Meaning) -> Piece {
    Piece::Text(told.into(), meaning)
}

pub(super) fn muted(told: impl Into<String>) -> Piece {
    words(told, Meaning::Muted)
}

pub(super) fn plain(told: impl Into<String>) -> Piece {
    words(told, Meaning::Text)
}

/// A name and its value, the value in its own column.
pub(super) fn pair(name: &str, value: impl Into<String>, meaning: Meaning) -> Said {
    vec![muted(name), Piece::Tab(11), words(value, meaning)]
}

pub(super) fn wrapped(told: &str, width: u16, meaning: Meaning) -> Vec<Said> {
    popup::wrap(&text::plain(told), width).into_iter().map(|l| vec![words(l, meaning)]).collect()
}

/// Draws one line.
pub fn put(paint: &mut Paint<'_>, area: Rect, y: u16, said: &[Piece]) {
    let mut x = area.x;
    for piece in said {
        let room = area.right().saturating_sub(x);
        if room == 0 {
            return;
        }
        match piece {
            Piece::Text(told, meaning) => x += paint.text(x, y, room, told, paint.style(*meaning)) + 1,
            Piece::Right(told, meaning, to) => {
                let to = area.x + to.min(&area.width);
                paint.right(x, y, to.saturating_sub(x), told, paint.style(*meaning));
                x = to + 1;
            }
            Piece::Sign(glyph, meaning) => {
                x += paint.text(x, y, room, paint.glyph(*glyph), paint.style(*meaning)) + 1;
            }
            Piece::Tab(to) => x = x.max(area.x + to),
            Piece::Ramp(shares) => {
                for share in shares.iter().take(usize::from(room)) {
                    let sign = paint.glyphs.ramp(f64::from(*share) / 1000.0);
                    // An hour without credits is there too.
                    let (sign, meaning) =
                        if *share == 0 { (paint.sign("·", "."), Meaning::BarEmpty) } else { (sign, Meaning::Bar) };
                    paint.text(x, y, 1, sign, paint.style(meaning));
                    x += 1;
                }
                x += 1;
            }
            Piece::Stack(parts, width) => {
                let width = (*width).min(room);
                let total = parts.iter().sum::<u64>().max(1);
                let (mut sum, mut from) = (0, 0);
                for (at, part) in parts.iter().enumerate() {
                    sum += part;
                    let to = (sum * u64::from(width) / total) as u16;
                    let sign = step_sign(paint, at);
                    for column in from..to {
                        paint.text(x + column, y, 1, sign, paint.style(Meaning::book(at)));
                    }
                    from = to;
                }
                x += width + 1;
            }
        }
    }
}

/// Steps are told apart without colour too.
fn step_sign(paint: &Paint<'_>, at: usize) -> &'static str {
    match at {
        0 => paint.sign("█", "#"),
        1 => paint.sign("▒", "="),
        _ => paint.sign("░", "."),
    }
}
