//! One distribution: the chances of every line at every location, and the way back from a price to the location.

use std::sync::OnceLock;

use super::base::Base;
use super::table::{Cell, Grid, Table};
use super::{ModelError, Provenance, Quantity};
use crate::market::line::Line;
use crate::market::selection::Side;
use crate::market::value::{Middle, Settlement};

/// The distribution of a margin or total, for every location.
#[derive(Clone, Debug)]
pub struct Distribution {
    quantity: Quantity,
    base: Base,
    grid: Grid,
    /// Made when it is first asked for: a table takes hundreds of kilobytes, and nobody follows all sports. `None`: some
    /// location of the grid has no distribution.
    table: OnceLock<Option<Table>>,
    reach: f64,
    max_shift: f64,
    provenance: Provenance,
}

/// The same questions get the same answers: what has been tabulated so far does not matter.
impl PartialEq for Distribution {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |d: &Self| (d.quantity, d.grid, d.reach, d.max_shift);
        numbers(self) == numbers(other) && self.base == other.base && self.provenance == other.provenance
    }
}

/// One line of a ladder.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rung {
    /// The line, from the side's own view.
    pub line: Line,
    /// Chances of its results.
    pub settlement: Settlement,
    /// Vig-free probability, conditional on no push.
    pub fair: f64,
    /// How much the fair probability rises from the line half a point worse to this one; 0 on the first rung.
    pub half_point: f64,
}

/// The line at which a side is worth even money.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FairLine {
    /// Interpolated between half points so that the side is exactly 50 %, from the side's own view.
    pub points: f64,
    /// The whole or half line nearest to 50 %.
    pub line: Line,
    /// Vig-free probability at that line.
    pub probability: f64,
}

/// A line as a question about the result.
#[derive(Clone, Copy)]
struct Question {
    /// In hundredths of a point.
    threshold: i32,
    /// Wins above the threshold (else below).
    above: bool,
}

impl Distribution {
    /// Tabulates a base. `None` when some location of the grid has no distribution in it.
    ///
    /// `reach`: the largest distance between a line and the location that is answered; `max_shift`: the largest distance
    /// between two lines over which a price is carried.
    pub fn new(
        quantity: Quantity,
        base: &Base,
        grid: Grid,
        reach: f64,
        max_shift: f64,
        provenance: Provenance,
    ) -> Option<Self> {
        let made = Self::untabulated(quantity, base.clone(), grid, reach, max_shift, provenance);
        made.is_sound().then_some(made)
    }

    /// The same, tabulated when it is first asked for. Where the grid has a location without a distribution, every
    /// location is [`ModelError::OffGrid`].
    pub(super) const fn untabulated(
        quantity: Quantity,
        base: Base,
        grid: Grid,
        reach: f64,
        max_shift: f64,
        provenance: Provenance,
    ) -> Self {
        Self { quantity, base, grid, table: OnceLock::new(), reach, max_shift, provenance }
    }

    /// Every location of the grid has a distribution. Tabulates it.
    pub(super) fn is_sound(&self) -> bool {
        self.table().is_ok()
    }

    fn table(&self) -> Result<&Table, ModelError> {
        self.table.get_or_init(|| Table::build(&self.base, self.grid)).as_ref().ok_or(ModelError::OffGrid)
    }

    /// What it is about.
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Where it comes from.
    pub const fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The largest distance between a line and the location that is answered, in points.
    pub const fn reach(&self) -> f64 {
        self.reach
    }

    /// The largest distance between two lines over which [`Distribution::convert`] carries a price.
    pub const fn max_shift(&self) -> f64 {
        self.max_shift
    }

    /// The smallest and largest location, in points.
    pub fn range(&self) -> (f64, f64) {
        self.grid.range()
    }

    /// The location (expected margin of the home team, or expected total) of a line with its vig-free probability,
    /// conditional on no push. A moneyline is the line 0 with the draw left out.
    ///
    /// # Errors
    /// [`ModelError`] for a wrong side, an impossible probability, and locations the model does not reach.
    pub fn location(&self, side: Side, line: Line, p: f64) -> Result<f64, ModelError> {
        if !(p > 0.0 && p < 1.0) {
            return Err(ModelError::NotAProbability(p));
        }
        let q = self.question(side, line)?;
        let above = if q.above { p } else { 1.0 - p };
        let table = self.table()?;
        let location = table.solve(&table.columns(q.threshold), above).ok_or(ModelError::OffGrid)?;
        self.within_reach(q, location)?;
        Ok(location)
    }

    /// Vig-free probability of a side at a line, conditional on no push.
    ///
    /// # Errors
    /// [`ModelError`] for a wrong side and for lines or locations the model does not reach.
    pub fn probability(&self, side: Side, line: Line, location: f64) -> Result<f64, ModelError> {
        let (win, loss) = self.shares(side, line, location)?;
        if win <= 0.0 || loss <= 0.0 {
            return Err(ModelError::Certain(line.points()));
        }
        Ok(win / (win + loss))
    }

    /// Chance of a full refund at a line. For quarter lines half of the stake can be refunded, see
    /// [`Distribution::settlement`].
    ///
    /// # Errors
    /// As [`Distribution::probability`].
    pub fn push(&self, side: Side, line: Line, location: f64) -> Result<f64, ModelError> {
        Ok(self.settlement(side, line, location)?.push)
    }

    /// Chances of all results of a bet at a line.
    ///
    /// # Errors
    /// As [`Distribution::probability`].
    pub fn settlement(&self, side: Side, line: Line, location: f64) -> Result<Settlement, ModelError> {
        let q = self.question(side, line)?;
        self.within_reach(q, location)?;
        let table = self.table()?;
        let cell = table.cell(location).ok_or(ModelError::OffGrid)?;
        if !line.is_quarter() {
            return Ok(Self::plain(table, q, cell));
        }
        let neighbour = |by: i32| Self::plain(table, Question { threshold: q.threshold + by, ..q }, cell);
        let (easier, harder) = if q.above { (-25, 25) } else { (25, -25) };
        Ok(Settlement::quarter(neighbour(easier), neighbour(harder)))
    }

    /// Carries a vig-free probability from one line to another.
    ///
    /// # Errors
    /// [`ModelError::TooFar`] beyond [`Distribution::max_shift`], else as [`Distribution::location`].
    pub fn convert(&self, side: Side, from: Line, p: f64, to: Line) -> Result<f64, ModelError> {
        let distance = (from.points() - to.points()).abs();
        if distance > self.max_shift {
            return Err(ModelError::TooFar { distance, limit: self.max_shift });
        }
        let location = self.location(side, from, p)?;
        self.probability(side, to, location)
    }

    /// Chance that the margin or total is exactly `number`.
    ///
    /// # Errors
    /// [`ModelError::OffGrid`] for a location outside the model.
    pub fn chance_of(&self, number: i32, location: f64) -> Result<f64, ModelError> {
        let table = self.table()?;
        let cell = table.cell(location).ok_or(ModelError::OffGrid)?;
        Ok(table.mass(number, cell))
    }

    /// Chances of (home, draw, away). Defined for margins only.
    ///
    /// # Errors
    /// [`ModelError::OffGrid`] for a location outside the model, [`ModelError::WrongSide`] for a total.
    pub fn three_way(&self, location: f64) -> Result<[f64; 3], ModelError> {
        let q = self.question(Side::Home, Line::from_hundredths(0))?;
        let table = self.table()?;
        let cell = table.cell(location).ok_or(ModelError::OffGrid)?;
        let s = Self::plain(table, q, cell);
        Ok([s.win, s.push, s.loss])
    }

    /// The line at which a side is even money.
    ///
    /// # Errors
    /// [`ModelError`] for a wrong side or a location outside the model.
    pub fn fair_line(&self, side: Side, location: f64) -> Result<FairLine, ModelError> {
        // In half points, from the side's own view: its chance rises with a spread line, falls (for Over) with a total.
        let own = match side {
            Side::Home => -location,
            _ => location,
        };
        let at = |half_points: i32| Line::from_hundredths(half_points.saturating_mul(50));
        let better = if matches!(side, Side::Over) { -1 } else { 1 };
        let mut step = (2.0 * own).round() as i32;
        let mut p = self.probability(side, at(step), location)?;
        let towards = if p >= 0.5 { -better } else { better };
        loop {
            let next = self.probability(side, at(step + towards), location)?;
            if (next >= 0.5) != (p >= 0.5) || p == 0.5 {
                let share = if p == next { 0.0 } else { (p - 0.5) / (p - next) };
                let points = 0.5 * (f64::from(step) + share * f64::from(towards));
                let (line, probability) =
                    if (p - 0.5).abs() <= (next - 0.5).abs() { (at(step), p) } else { (at(step + towards), next) };
                return Ok(FairLine { points, line, probability });
            }
            (step, p) = (step + towards, next);
        }
    }

    /// Lines from `half_points` half points worse to as many better than `around`, worst first, with what each half
    /// point is worth. Lines beyond the reach are left out.
    ///
    /// # Errors
    /// [`ModelError::WrongSide`].
    pub fn ladder(&self, side: Side, around: Line, half_points: u8, location: f64) -> Result<Vec<Rung>, ModelError> {
        self.question(side, around)?;
        let n = i32::from(half_points);
        let sign = if matches!(side, Side::Over) { -50 } else { 50 };
        let mut rungs: Vec<Rung> = Vec::with_capacity(2 * usize::from(half_points) + 1);
        for i in -n..=n {
            let line = Line::from_hundredths(around.hundredths() + sign * i);
            let Ok(settlement) = self.settlement(side, line, location) else { continue };
            let fair = settlement.fair_probability();
            let half_point = rungs.last().map_or(0.0, |worse| fair - worse.fair);
            rungs.push(Rung { line, settlement, fair, half_point });
        }
        Ok(rungs)
    }

    /// The chances of two opposite legs taken together, at these odds. Half results of quarter lines count as pushes.
    ///
    /// # Errors
    /// As [`Distribution::probability`] for either leg.
    pub fn middle(&self, legs: [(Side, Line); 2], odds: [f64; 2], location: f64) -> Result<Middle, ModelError> {
        let [first, second] = legs;
        let (a, b) = (self.question(first.0, first.1)?, self.question(second.0, second.1)?);
        self.within_reach(a, location)?;
        self.within_reach(b, location)?;
        let table = self.table()?;
        let cell = table.cell(location).ok_or(ModelError::OffGrid)?;
        let mut m = Middle { odds, both_win: 0.0, win_push: [0.0; 2], win_lose: [0.0; 2] };
        for number in table.numbers() {
            let mass = table.mass(number, cell);
            match (a.result(number), b.result(number)) {
                (1, 1) => m.both_win += mass,
                (1, 0) => m.win_push[0] += mass,
                (0, 1) => m.win_push[1] += mass,
                (1, -1) => m.win_lose[0] += mass,
                (-1, 1) => m.win_lose[1] += mass,
                _ => {}
            }
        }
        Ok(m)
    }

    fn question(&self, side: Side, line: Line) -> Result<Question, ModelError> {
        let points = line.hundredths();
        match (self.quantity, side) {
            (Quantity::Margin, Side::Home) => Ok(Question { threshold: -points, above: true }),
            (Quantity::Margin, Side::Away) => Ok(Question { threshold: points, above: false }),
            (Quantity::Total, Side::Over) => Ok(Question { threshold: points, above: true }),
            (Quantity::Total, Side::Under) => Ok(Question { threshold: points, above: false }),
            (quantity, side) => Err(ModelError::WrongSide { side, quantity }),
        }
    }

    fn within_reach(&self, q: Question, location: f64) -> Result<(), ModelError> {
        let line = f64::from(q.threshold) / 100.0;
        let distance = (line - location).abs();
        if distance <= self.reach {
            return Ok(());
        }
        if location.is_nan() {
            return Err(ModelError::OffGrid);
        }
        Err(ModelError::BeyondReach { line, location, distance, reach: self.reach })
    }

    /// Mean shares of the stake (won, lost).
    fn shares(&self, side: Side, line: Line, location: f64) -> Result<(f64, f64), ModelError> {
        let q = self.question(side, line)?;
        self.within_reach(q, location)?;
        let table = self.table()?;
        let cell = table.cell(location).ok_or(ModelError::OffGrid)?;
        let (up, down) = table.columns(q.threshold).at(cell);
        Ok(if q.above { (up, down) } else { (down, up) })
    }

    /// Whole and half lines only.
    fn plain(table: &Table, q: Question, cell: Cell) -> Settlement {
        let (up, down) = table.columns(q.threshold).at(cell);
        let push = if q.threshold.rem_euclid(100) == 0 { (1.0 - up - down).max(0.0) } else { 0.0 };
        if q.above { Settlement::whole(up, push, down) } else { Settlement::whole(down, push, up) }
    }
}

impl Question {
    /// 1 for a win, 0 for a push or half result, -1 for a loss.
    fn result(self, number: i32) -> i32 {
        let distance = number * 100 - self.threshold;
        let distance = if self.above { distance } else { -distance };
        if distance.abs() <= 25 && (self.threshold.rem_euclid(50) == 25 || distance == 0) {
            0
        } else {
            distance.signum()
        }
    }
}
