//! Intervals as whiskers on an axis that all rows of a table share, with zero marked.

use ratatui::layout::Rect;

use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};

/// An axis, symmetrical about zero.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Axis {
    /// The value at its right end; its left end is the same below zero.
    pub reach: f64,
}

impl Axis {
    /// The shortest of a few round axes on which these values lie. What is no number is passed over. `least` and
    /// `most` bound it: what lies outside is drawn as an arrow at the edge.
    pub fn over(values: impl IntoIterator<Item = f64>, least: f64, most: f64) -> Self {
        let far = values.into_iter().filter(|v| v.is_finite()).map(f64::abs).fold(least, f64::max).min(most);
        let step = 10_f64.powf(far.log10().floor());
        let reach = [1.0, 2.0, 3.0, 5.0, 10.0].into_iter().map(|m| m * step).find(|r| *r >= far * (1.0 - 1e-9));
        Self { reach: reach.unwrap_or(far) }
    }

    /// The column of a value on an axis of `width` columns, from 0, and whether it lies outside.
    pub fn column(self, value: f64, width: u16) -> (u16, bool) {
        let last = f64::from(width.saturating_sub(1));
        let at = ((value / self.reach + 1.0) / 2.0 * last).round();
        (at.clamp(0.0, last) as u16, value.abs() > self.reach * (1.0 + 1e-9))
    }
}

/// Draws a mean with the ends of its interval, where it has one.
pub fn whisker(paint: &mut Paint<'_>, area: Rect, axis: Axis, mean: f64, ends: Option<(f64, f64)>, meaning: Meaning) {
    if area.width < 3 || area.height == 0 || !mean.is_finite() {
        return;
    }
    let (x, y, width) = (area.x, area.y, area.width);
    let style = paint.style(meaning);
    zero(paint, area, axis);
    if let Some((low, high)) = ends.filter(|(low, high)| low.is_finite() && high.is_finite()) {
        let ((from, beyond_left), (to, beyond_right)) = (axis.column(low, width), axis.column(high, width));
        for at in from..=to {
            paint.text(x + at, y, 1, paint.glyph(Glyph::Whisker), style);
        }
        let ends = [(from, beyond_left, ("├", "|"), ("◂", "<")), (to, beyond_right, ("┤", "|"), ("▸", ">"))];
        for (at, beyond, end, arrow) in ends {
            let sign = if beyond { arrow } else { end };
            paint.text(x + at, y, 1, paint.glyphs.pick(sign), style);
        }
    }
    let (at, beyond) = axis.column(mean, width);
    let sign = match (beyond, mean < 0.0) {
        (true, true) => ("◂", "<"),
        (true, false) => ("▸", ">"),
        (false, _) => ("●", "o"),
    };
    paint.text(x + at, y, 1, paint.glyphs.pick(sign), style);
}

/// Marks zero.
pub fn zero(paint: &mut Paint<'_>, area: Rect, axis: Axis) {
    let at = axis.column(0.0, area.width).0;
    paint.text(area.x + at, area.y, 1, paint.sign("┊", ":"), paint.style(Meaning::Border));
}

/// Writes the ends and the zero of the axis over its columns; `text` writes a value.
pub fn scale(paint: &mut Paint<'_>, area: Rect, axis: Axis, text: impl Fn(f64) -> String) {
    let style = paint.style(Meaning::Header);
    let (low, high) = (text(-axis.reach), text(axis.reach));
    paint.text(area.x, area.y, area.width, &low, style);
    paint.right(area.x, area.y, area.width, &high, style);
    let at = axis.column(0.0, area.width).0;
    paint.text(area.x + at, area.y, 1, "0", style);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_axis_is_round_and_bounded() {
        let of = |values: &[f64]| Axis::over(values.iter().copied(), 0.01, 0.2).reach;
        assert!((of(&[]) - 0.01).abs() < 1e-12);
        assert!((of(&[0.013, -0.004]) - 0.02).abs() < 1e-12);
        assert!((of(&[-0.041]) - 0.05).abs() < 1e-12);
        assert!((of(&[7.0]) - 0.2).abs() < 1e-12);
        assert!((of(&[f64::NAN, f64::INFINITY]) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn zero_is_in_the_middle() {
        let axis = Axis { reach: 0.05 };
        assert_eq!(axis.column(0.0, 21), (10, false));
        assert_eq!(axis.column(-0.05, 21), (0, false));
        assert_eq!(axis.column(0.3, 21), (20, true));
    }

    proptest! {
        #[test]
        fn nothing_is_outside_the_axis(value in -1e9_f64..1e9, width in 1_u16..200, far in 1e-6_f64..1e6) {
            let axis = Axis::over([far], 1e-6, 1e6);
            prop_assert!(axis.reach >= far * (1.0 - 1e-9));
            prop_assert!(axis.column(value, width).0 < width);
        }
    }
}
