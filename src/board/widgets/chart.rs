//! Step lines on a grid of dots, two across and four down in every cell: from series, window and size to cells.
//!
//! A value holds until the next one; where there is none the line breaks. However many values fall into one column of
//! dots, the highest and the lowest of them are drawn. Pure: knows neither colours nor a terminal.

use crate::board::theme::Meaning;

/// From this instant on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// Milliseconds since 1970.
    pub at: i64,
    /// On the chart's scale; `None`: there is none, the line breaks.
    pub value: Option<f64>,
}

/// One line of a chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// For legend and read-out.
    pub name: String,
    /// Its colour.
    pub meaning: Meaning,
    /// Its mark where there is no braille.
    pub mark: &'static str,
    /// In the order of time.
    pub steps: Vec<Step>,
}

impl Series {
    /// The value in force at an instant.
    pub fn value_at(&self, at: i64) -> Option<f64> {
        let after = self.steps.partition_point(|s| s.at <= at);
        self.steps.get(after.checked_sub(1)?)?.value
    }

    /// Values in force at some time within a window.
    pub fn within(&self, window: Window) -> impl Iterator<Item = f64> + '_ {
        let from = self.steps.partition_point(|s| s.at <= window.from).saturating_sub(1);
        self.steps.iter().skip(from).take_while(move |s| s.at <= window.to).filter_map(|s| s.value)
    }
}

/// The time that is shown, both ends included; `from` before `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Milliseconds since 1970.
    pub from: i64,
    /// Milliseconds since 1970.
    pub to: i64,
}

impl Window {
    /// Its length in milliseconds, at least 1.
    pub fn span(self) -> i64 {
        self.to.saturating_sub(self.from).max(1)
    }

    /// Which of `columns` an instant falls into; `None` outside.
    pub fn column(self, at: i64, columns: usize) -> Option<usize> {
        if at < self.from || at > self.to || columns == 0 {
            return None;
        }
        let share = (at - self.from) as f64 / self.span() as f64;
        Some(((share * columns as f64) as usize).min(columns - 1))
    }

    /// The instant in the middle of one of `columns`.
    pub fn instant(self, column: usize, columns: usize) -> i64 {
        let share = (column as f64 + 0.5) / columns.max(1) as f64;
        self.from + (share * self.span() as f64) as i64
    }
}

/// The values that are shown; `low` below `high`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// At the lower edge.
    pub low: f64,
    /// At the upper edge.
    pub high: f64,
}

impl Range {
    /// Which of `rows`, from the top, a value falls into. What lies outside stands at the edge.
    pub fn row(self, value: f64, rows: usize) -> Option<usize> {
        let last = rows.checked_sub(1)?;
        let share = (self.high - value) / (self.high - self.low);
        share.is_finite().then(|| ((share * last as f64).round().max(0.0) as usize).min(last))
    }
}

/// A cell of the grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cell {
    /// Dots of all lines, as in U+2800 and following.
    pub dots: u8,
    /// Place of the line that lies on top.
    pub series: u8,
}

/// A drawn grid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plot {
    width: usize,
    cells: Vec<Cell>,
}

impl Plot {
    /// The cell in a column and row; `None` outside.
    pub fn cell(&self, column: usize, row: usize) -> Option<Cell> {
        (column < self.width).then(|| self.cells.get(row * self.width + column).copied()).flatten()
    }

    fn dot(&mut self, x: usize, y: usize, series: u8) {
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let bit = BITS.get(x % 2).and_then(|b| b.get(y % 4)).copied().unwrap_or_default();
        if let Some(cell) = self.cells.get_mut(y / 4 * self.width + x / 2) {
            cell.dots |= bit;
            cell.series = series;
        }
    }
}

/// Draws the lines, later ones over earlier ones. Cost: the steps within the window and the dots drawn.
pub fn plot<'s>(
    series: impl IntoIterator<Item = &'s Series>,
    window: Window,
    range: Range,
    width: usize,
    height: usize,
) -> Plot {
    let mut plot = Plot { width, cells: vec![Cell::default(); width * height] };
    if width == 0 || height == 0 {
        return plot;
    }
    let (columns, rows) = (width * 2, height * 4);
    for (place, series) in (0..=u8::MAX).zip(series) {
        let row = |value: Option<f64>| value.and_then(|v| range.row(v, rows));
        let from = series.steps.partition_point(|s| s.at <= window.from);
        let mut held = from.checked_sub(1).and_then(|i| series.steps.get(i)).and_then(|s| row(s.value));
        let mut at = 0;
        // Jumps within one column are one upright line.
        let mut upright: Option<(usize, usize, usize)> = None;
        for step in series.steps.iter().skip(from).take_while(|s| s.at <= window.to) {
            let Some(column) = window.column(step.at, columns) else { continue };
            let next = row(step.value);
            if let Some(y) = held
                && column > at
            {
                (at..=column).for_each(|x| plot.dot(x, y, place));
            }
            at = column;
            if let (Some(a), Some(b)) = (held, next) {
                let (low, high) = (a.min(b), a.max(b));
                upright = match upright {
                    Some((x, l, h)) if x == column && low <= h + 1 && l <= high + 1 => {
                        Some((x, l.min(low), h.max(high)))
                    }
                    other => {
                        plot.upright(other, place);
                        Some((column, low, high))
                    }
                };
            } else if let Some(y) = held.or(next) {
                plot.dot(column, y, place);
            }
            held = next;
        }
        plot.upright(upright, place);
        if let Some(y) = held {
            (at..columns).for_each(|x| plot.dot(x, y, place));
        }
    }
    plot
}

impl Plot {
    fn upright(&mut self, line: Option<(usize, usize, usize)>, series: u8) {
        if let Some((x, low, high)) = line {
            (low..=high).for_each(|y| self.dot(x, y, series));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(steps: Vec<(i64, Option<f64>)>) -> Series {
        let steps = steps.into_iter().map(|(at, value)| Step { at, value }).collect();
        Series { name: String::new(), meaning: Meaning::ChartFair, mark: "*", steps }
    }

    const WINDOW: Window = Window { from: 0, to: 1000 };
    const RANGE: Range = Range { low: 0.0, high: 10.0 };

    fn lit(plot: &Plot, x: usize, y: usize) -> bool {
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        plot.cell(x / 2, y / 4).is_some_and(|c| c.dots & BITS[x % 2][y % 4] != 0)
    }

    #[test]
    fn a_price_holds_until_it_changes_and_a_gap_stays_empty() {
        let line = series(vec![(0, Some(0.0)), (250, Some(10.0)), (500, None), (750, Some(0.0))]);
        let plot = plot([&line], WINDOW, RANGE, 10, 2);
        assert!((0..=5).all(|x| lit(&plot, x, 7)), "held below");
        assert!((5..=10).all(|x| lit(&plot, x, 0)), "held above");
        assert!((0..8).all(|y| lit(&plot, 5, y)), "the jump");
        assert!((11..15).all(|x| (0..8).all(|y| !lit(&plot, x, y))), "the gap");
        assert!((15..20).all(|x| lit(&plot, x, 7)));
        assert_eq!((line.value_at(-1), line.value_at(300), line.value_at(600)), (None, Some(10.0), None));
    }

    #[test]
    fn nothing_fits_into_nothing() {
        let line = series(vec![(0, Some(1.0)), (1, Some(f64::NAN)), (2, Some(f64::INFINITY))]);
        for (width, height) in [(0, 0), (0, 3), (3, 0), (1, 1)] {
            let plot = plot([&line], WINDOW, RANGE, width, height);
            assert!(plot.cell(width, 0).is_none() && plot.cell(0, height).is_none());
        }
    }

    fn any_steps() -> impl Strategy<Value = Vec<(i64, Option<f64>)>> {
        proptest::collection::vec((-200_i64..1200, proptest::option::weighted(0.8, 0.0_f64..10.0)), 0..60).prop_map(
            |mut steps| {
                steps.sort_by_key(|s| s.0);
                steps.dedup_by_key(|s| s.0);
                steps
            },
        )
    }

    proptest! {
        #[test]
        fn every_value_is_seen_and_gaps_stay_gaps(steps in any_steps(), width in 1_usize..40, height in 1_usize..12) {
            let line = series(steps.clone());
            let plot = plot([&line], WINDOW, RANGE, width, height);
            let (columns, rows) = (width * 2, height * 4);
            for (at, value) in &steps {
                if let (Some(x), Some(v)) = (WINDOW.column(*at, columns), value) {
                    prop_assert!(lit(&plot, x, RANGE.row(*v, rows).expect("a row")), "a spike at {at}");
                }
            }
            // A column in which the line has no value at any time has no dot, and one that has has.
            for x in 0..columns {
                let within = |at: i64| WINDOW.column(at, columns) == Some(x);
                let instants: Vec<i64> = (0..=1000).filter(|at| within(*at)).collect();
                let present = instants.iter().any(|at| line.value_at(*at).is_some());
                let seen = (0..rows).any(|y| lit(&plot, x, y));
                if present {
                    prop_assert!(seen, "column {x} lost");
                } else if let Some(first) = instants.first() {
                    // The end of a line is drawn where it breaks.
                    let ends = steps.iter().any(|(at, v)| within(*at) && v.is_none());
                    prop_assert!(!seen || ends, "column {x} from {first} invented");
                }
            }
        }
    }
}
