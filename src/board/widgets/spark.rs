//! Small columns: a histogram over some lines.

use ratatui::layout::Rect;

use crate::board::paint::Paint;
use crate::board::theme::Meaning;

/// Draws counts as columns, the highest over the whole height of the area, each `wide` columns wide. `meaning` gives the
/// look of a column by its place. What does not fit to the right is left out.
pub fn columns(paint: &mut Paint<'_>, area: Rect, counts: &[u32], wide: u16, meaning: impl Fn(usize) -> Meaning) {
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 || wide == 0 {
        return;
    }
    for (place, count) in counts.iter().enumerate() {
        let x = area.x.saturating_add(u16::try_from(place).unwrap_or(u16::MAX).saturating_mul(wide));
        if x.saturating_add(wide) > area.right() {
            return;
        }
        let style = paint.style(meaning(place));
        let filled = f64::from(*count) / f64::from(most) * f64::from(area.height);
        for line in 0..area.height {
            let level = (filled - f64::from(line)).clamp(0.0, 1.0);
            // A count is seen, however small beside the others.
            let level = if line == 0 && *count > 0 { level.max(0.125) } else { level };
            let sign = paint.glyphs.ramp(level);
            for column in 0..wide {
                paint.text(x + column, area.bottom() - 1 - line, 1, sign, style);
            }
        }
    }
}
