//! A chart in its place: legend, axes, marks, the lines, the cross-hair and what it reads.

use ratatui::layout::Rect;

use super::chart::{Range, Series, Window, plot};
use super::{chart_axis, text};
use crate::board::format::Zone;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::market::time::Timestamp;

/// Columns of the labels on the left.
pub const LABELS: u16 = 7;

/// Everything that is drawn.
pub struct Chart<'a> {
    /// Lines, the most important last: it lies on top.
    pub series: &'a [Series],
    /// The time on show.
    pub window: Window,
    /// The values on show.
    pub range: Range,
    /// A tick in words, at most [`LABELS`] less one columns.
    pub label: &'a dyn Fn(f64) -> String,
    /// A value of the read-out in words.
    pub read: &'a dyn Fn(f64) -> String,
    /// The user's zone.
    pub zone: Zone,
    /// The value of the opening.
    pub open: Option<f64>,
    /// The start of the game.
    pub tip: Option<i64>,
    /// Signals.
    pub signals: &'a [i64],
    /// Where the cross-hair stands.
    pub cross: Option<i64>,
}

/// The part of an area that the lines have: above it the legend, below it the times and the read-out.
pub fn grid(area: Rect) -> Rect {
    Rect {
        x: area.x + LABELS.min(area.width),
        y: area.y + 1.min(area.height),
        width: area.width.saturating_sub(LABELS + 1),
        height: area.height.saturating_sub(3),
    }
}

/// Draws the chart and makes its columns clickable: [`Hit::Chart`] with the column within [`grid`].
pub fn draw(paint: &mut Paint<'_>, area: Rect, chart: &Chart<'_>) {
    let grid = grid(area);
    if grid.width < 8 || grid.height < 2 {
        paint.text(area.x, area.y, area.width, "no room for the chart", paint.style(Meaning::Faint));
        return;
    }
    legend(paint, Rect { x: grid.x, width: grid.width, height: 1, ..area }, chart);
    values(paint, grid, chart);
    times(paint, grid, chart);
    marks(paint, grid, chart);
    lines(paint, grid, chart);
    cross(paint, grid, area.x, chart);
    for x in 0..grid.width {
        paint.zone(Rect { x: grid.x + x, width: 1, ..grid }, Hit::Chart(x, 0));
    }
}

fn legend(paint: &mut Paint<'_>, area: Rect, chart: &Chart<'_>) {
    let mut x = area.x;
    for series in chart.series.iter().rev() {
        let sign = if paint.glyphs.is_ascii() { series.mark } else { "━" };
        let needs = 2 + text::width(&series.name);
        if x + needs > area.right() {
            paint.text(x, area.y, 1, paint.glyph(Glyph::Ellipsis), paint.style(Meaning::Faint));
            return;
        }
        let style = paint.style(series.meaning);
        paint.text(x, area.y, 1, sign, style);
        paint.text(x + 2, area.y, needs, &series.name, paint.style(Meaning::Muted));
        x += needs + 2;
    }
}

fn values(paint: &mut Paint<'_>, grid: Rect, chart: &Chart<'_>) {
    let style = paint.style(Meaning::Muted);
    let most = usize::from(grid.height / 3).clamp(2, 8);
    for value in chart_axis::ticks(chart.range, most) {
        let Some(row) = chart.range.row(value, usize::from(grid.height)) else { continue };
        let y = grid.y + row as u16;
        paint.right(grid.x - LABELS, y, LABELS - 1, &(chart.label)(value), style);
        let faint = paint.style(Meaning::Border);
        for x in (grid.x..grid.right()).step_by(4) {
            paint.text(x, y, 1, paint.glyph(Glyph::Dot), faint);
        }
    }
}

fn times(paint: &mut Paint<'_>, grid: Rect, chart: &Chart<'_>) {
    let style = paint.style(Meaning::Muted);
    let days = chart.window.span() > 36 * 3_600_000;
    for at in chart_axis::times(chart.window, usize::from(grid.width / 14).clamp(2, 12), chart.zone) {
        let Some(column) = chart.window.column(at, usize::from(grid.width)) else { continue };
        let told = Timestamp::from_millis(at);
        let words = if days { chart.zone.day(told) } else { chart.zone.hm(told) };
        let width = text::width(&words);
        let x = (grid.x + column as u16).saturating_sub(width / 2).clamp(grid.x, grid.right() - width.min(grid.width));
        paint.text(x, grid.bottom(), width, &words, style);
    }
}

fn marks(paint: &mut Paint<'_>, grid: Rect, chart: &Chart<'_>) {
    if let Some(row) = chart.open.and_then(|v| chart.range.row(v, usize::from(grid.height))) {
        let style = paint.style(Meaning::ChartOpen);
        for x in (grid.x..grid.right()).step_by(2) {
            paint.text(x, grid.y + row as u16, 1, paint.glyph(Glyph::Rule), style);
        }
        let word = "open";
        paint.text(grid.right().saturating_sub(5), grid.y + row as u16, 4, word, style);
    }
    if let Some(column) = chart.tip.and_then(|t| chart.window.column(t, usize::from(grid.width))) {
        let style = paint.style(Meaning::ChartTip);
        for y in grid.y..grid.bottom() {
            paint.text(grid.x + column as u16, y, 1, paint.glyph(Glyph::Tip), style);
        }
    }
}

fn lines(paint: &mut Paint<'_>, grid: Rect, chart: &Chart<'_>) {
    let plot = plot(chart.series, chart.window, chart.range, usize::from(grid.width), usize::from(grid.height));
    let ascii = paint.glyphs.is_ascii();
    for y in 0..grid.height {
        for x in 0..grid.width {
            let Some(cell) = plot.cell(usize::from(x), usize::from(y)).filter(|c| c.dots != 0) else { continue };
            let Some(series) = chart.series.get(usize::from(cell.series)) else { continue };
            let style = paint.style(series.meaning);
            if let Some(place) = paint.buf.cell_mut((grid.x + x, grid.y + y)) {
                if ascii {
                    place.set_symbol(series.mark);
                } else {
                    place.set_char(char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '));
                }
                place.set_style(style);
            }
        }
    }
    let style = paint.style(Meaning::ChartSignal);
    for at in chart.signals {
        if let Some(column) = chart.window.column(*at, usize::from(grid.width)) {
            paint.text(grid.x + column as u16, grid.y, 1, paint.glyph(Glyph::Signal), style);
        }
    }
}

fn cross(paint: &mut Paint<'_>, grid: Rect, left: u16, chart: &Chart<'_>) {
    let Some(at) = chart.cross else { return };
    let y = grid.bottom() + 1;
    let style = paint.style(Meaning::ChartCross);
    if let Some(column) = chart.window.column(at, usize::from(grid.width)) {
        let x = grid.x + column as u16;
        for y in grid.y..grid.bottom() {
            let empty = paint.buf.cell((x, y)).is_some_and(|c| {
                let symbol = c.symbol();
                symbol == " " || symbol == paint.glyph(Glyph::Dot) || symbol == paint.glyph(Glyph::Rule)
            });
            if empty {
                paint.text(x, y, 1, paint.glyph(Glyph::Column), style);
            }
        }
    }
    let words = chart.zone.hms(Timestamp::from_millis(at));
    let mut x = left + paint.text(left, y, 8, &words, paint.style(Meaning::Text)) + 2;
    for series in chart.series.iter().rev() {
        let value = series.value_at(at).map_or_else(|| paint.sign("–", "-").to_owned(), |v| (chart.read)(v));
        let needs = text::width(&series.name) + 1 + text::width(&value);
        if x + needs > grid.right() {
            return;
        }
        x += paint.text(x, y, needs, &series.name, paint.style(series.meaning)) + 1;
        x += paint.text(x, y, needs, &value, paint.style(Meaning::Text)) + 2;
    }
}
