//! Bars of a share: a short one made of levels for rows, and a plain one on its track for panes.

use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Glyphs, Meaning};

/// A share between 0 and 1 as `columns` marks that fill up from the left: `▇▇▇▄`. Columns that stay empty are blank, so
/// that bars of one list end under one another. What is no number is empty.
pub fn levels(glyphs: Glyphs, share: f64, columns: u16) -> String {
    let filled = if share.is_finite() { share.clamp(0.0, 1.0) * f64::from(columns) } else { 0.0 };
    // Never the full block: bars of neighbouring lines would run into each other.
    const HIGHEST: f64 = 7.0 / 8.0;
    (0..columns).map(|at| glyphs.ramp((filled - f64::from(at)).clamp(0.0, 1.0) * HIGHEST)).collect()
}

/// Draws a share between 0 and 1 on its track.
pub fn share(paint: &mut Paint<'_>, x: u16, y: u16, width: u16, share: f64, meaning: Meaning) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let halves = (share * f64::from(width) * 2.0).round() as u16;
    let (full, half) = (halves / 2, halves % 2);
    let (bar, track) = (paint.style(meaning), paint.style(Meaning::BarEmpty));
    for at in 0..width {
        let (sign, style) = match at {
            _ if at < full => (Glyph::Bar, bar),
            _ if at == full && half > 0 => (Glyph::BarHalf, bar),
            _ => (Glyph::BarEmpty, track),
        };
        paint.text(x + at, y, 1, paint.glyph(sign), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_fills_from_the_left() {
        assert_eq!(levels(Glyphs::Unicode, 1.0, 4), "▇▇▇▇");
        assert_eq!(levels(Glyphs::Unicode, 0.5, 4), "▇▇  ");
        assert_eq!(levels(Glyphs::Ascii, 0.625, 4), "##= ");
        for share in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(levels(Glyphs::Unicode, share, 3), "   ", "{share}");
        }
        assert_eq!(levels(Glyphs::Unicode, 7.0, 2), "▇▇");
        assert_eq!(levels(Glyphs::Unicode, 0.01, 4), "▁   ", "more than nothing is seen");
    }
}
