//! A distribution tabulated over locations, so that a quote costs two short column reads and no exponentials.
//!
//! Between two neighbouring locations the distribution is their mixture. A mixture is itself a distribution, its mean
//! is exactly the location asked for, every chance is linear in it and rises with it: so chances are monotone in the
//! location by construction, and the location of a given chance has a closed form. The grid is fine enough that the mixture
//! differs from the family by less than the family's own error.

use super::base::Base;

/// The grid of locations.
#[derive(Clone, Copy, PartialEq, Debug, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Smallest location, in points.
    pub from: f64,
    /// Largest location.
    pub to: f64,
    /// Distance between neighbours.
    pub step: f64,
}

impl Grid {
    /// How many locations; `None` for a grid that is none or too large.
    pub fn count(&self) -> Option<usize> {
        let cells = ((self.to - self.from) / self.step).round();
        (self.from.is_finite() && self.step > 0.0 && (1.0..=5000.0).contains(&cells)).then(|| cells as usize + 1)
    }

    /// The first and last location.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.from, self.from + self.step * self.count().unwrap_or(1).saturating_sub(1) as f64)
    }
}

/// A place between two grid locations: index of the left one and the share of the right one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Cell {
    index: usize,
    share: f64,
}

/// P(M <= m) for every number m and every location of the grid.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Table {
    from: f64,
    step: f64,
    /// Locations.
    rows: usize,
    /// The number of the first column; that column is all 0, the last all 1.
    first: i32,
    columns: usize,
    /// Column after column.
    below: Vec<f64>,
}

/// The columns needed for one line: chances below and at or below, for one or (quarter lines) two thresholds.
pub(super) struct Columns<'t> {
    /// P(M < x) and P(M <= x) for the lower threshold, then for the upper.
    pairs: [[&'t [f64]; 2]; 2],
    single: bool,
}

impl Columns<'_> {
    /// (mean chance above, mean chance below) at a grid row.
    fn ends(&self, row: usize) -> (f64, f64) {
        let pair = |[lower, upper]: [&[f64]; 2]| {
            (1.0 - upper.get(row).copied().unwrap_or(1.0), lower.get(row).copied().unwrap_or(0.0))
        };
        let [first, second] = self.pairs;
        let (up, down) = pair(first);
        if self.single {
            return (up, down);
        }
        let (up2, down2) = pair(second);
        (0.5 * (up + up2), 0.5 * (down + down2))
    }

    /// (mean chance above, mean chance below) inside a cell.
    pub(super) fn at(&self, cell: Cell) -> (f64, f64) {
        let (up, down) = self.ends(cell.index);
        if cell.share == 0.0 {
            return (up, down);
        }
        let (up1, down1) = self.ends(cell.index + 1);
        (up + cell.share * (up1 - up), down + cell.share * (down1 - down))
    }
}

impl Table {
    /// Tabulates a base over a grid. `None` when a location has no distribution in this base.
    pub(super) fn build(base: &Base, grid: Grid) -> Option<Self> {
        let rows = grid.count()?;
        let columns = base.len() + 1;
        let mut below = vec![0.0; rows * columns];
        let mut pmf = Vec::with_capacity(base.len());
        let (mut theta, mut rise) = (0.0, 0.0);
        for row in 0..rows {
            let found = base.theta_of_mean(grid.from + row as f64 * grid.step, theta + rise, &mut pmf)?;
            // The tilt is nearly linear in the mean: the last difference is a good guess of the next.
            rise = if row == 0 { 0.0 } else { found - theta };
            theta = found;
            let mut sum = 0.0;
            for (i, p) in pmf.iter().enumerate() {
                sum += p;
                let value = if i + 1 == pmf.len() { 1.0 } else { sum.min(1.0) };
                *below.get_mut((i + 1) * rows + row)? = value;
            }
        }
        Some(Self { from: grid.from, step: grid.step, rows, first: base.lowest() - 1, columns, below })
    }

    /// P(M <= m) over all locations.
    fn column(&self, m: i32) -> &[f64] {
        let i = (m.saturating_sub(self.first)).clamp(0, self.columns as i32 - 1) as usize;
        self.below.get(i * self.rows..(i + 1) * self.rows).unwrap_or_default()
    }

    /// The columns for a threshold in hundredths of a point.
    pub(super) fn columns(&self, threshold: i32) -> Columns<'_> {
        let pair = |x: i32| {
            let m = x.div_euclid(100);
            let upper = self.column(m);
            let lower = if x.rem_euclid(100) == 0 { self.column(m.saturating_sub(1)) } else { upper };
            [lower, upper]
        };
        let quarter = threshold.rem_euclid(50) == 25;
        let [low, high] = if quarter { [threshold - 25, threshold + 25] } else { [threshold; 2] };
        Columns { pairs: [pair(low), pair(high)], single: !quarter }
    }

    /// Where a location lies; `None` outside the grid.
    pub(super) fn cell(&self, location: f64) -> Option<Cell> {
        let x = (location - self.from) / self.step;
        let last = (self.rows - 1) as f64;
        if x.is_nan() || x < -1e-9 || x > last + 1e-9 {
            return None;
        }
        let index = x.clamp(0.0, last - 1.0).floor();
        Some(Cell { index: index as usize, share: (x - index).clamp(0.0, 1.0) })
    }

    /// P(M = m).
    pub(super) fn mass(&self, m: i32, cell: Cell) -> f64 {
        let (up, down) = self.columns(m.saturating_mul(100)).at(cell);
        (1.0 - up - down).max(0.0)
    }

    /// The smallest and largest number with a chance.
    pub(super) const fn numbers(&self) -> std::ops::RangeInclusive<i32> {
        self.first + 1..=self.first + self.columns as i32 - 1
    }

    /// The location at which the chance above, given that it is above or below, is `p`; `None` outside the grid.
    pub(super) fn solve(&self, columns: &Columns<'_>, p: f64) -> Option<f64> {
        let gap = |row: usize| {
            let (up, down) = columns.ends(row);
            up * (1.0 - p) - down * p
        };
        // `gap` rises with the location. Find the cell in which it changes sign.
        let (mut low, mut high) = (0, self.rows - 1);
        let (mut at_low, mut at_high) = (gap(low), gap(high));
        if !(at_low <= 0.0 && at_high >= 0.0) {
            return None;
        }
        while high - low > 1 {
            let middle = (low + high) / 2;
            let at = gap(middle);
            if at <= 0.0 {
                (low, at_low) = (middle, at);
            } else {
                (high, at_high) = (middle, at);
            }
        }
        let width = at_high - at_low;
        let share = if width > 0.0 { -at_low / width } else { 0.5 };
        Some(self.from + self.step * (low as f64 + share))
    }
}
