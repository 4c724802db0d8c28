//! The five results a bet can have, and what a price is worth against them.

/// Chances of the five results of one bet. They sum to 1.
///
/// Only quarter lines have half results; only whole-number lines (and the quarter lines next to them) refund.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Settlement {
    /// The whole stake wins.
    pub win: f64,
    /// Half wins, half is refunded.
    pub half_win: f64,
    /// Refunded.
    pub push: f64,
    /// Half loses, half is refunded.
    pub half_loss: f64,
    /// The whole stake loses.
    pub loss: f64,
}

impl Settlement {
    /// A bet that wins, pushes or loses.
    pub const fn whole(win: f64, push: f64, loss: f64) -> Self {
        Self { win, half_win: 0.0, push, half_loss: 0.0, loss }
    }

    /// From a probability conditional on no push, and the push chance.
    pub fn conditional(p: f64, push: f64) -> Self {
        Self::whole(p * (1.0 - push), push, (1.0 - p) * (1.0 - push))
    }

    /// A quarter line, half the stake on each of its neighbours: `easier` wins whenever `harder` does.
    ///
    /// One of the two is a whole-number line whose push is the half result: a loss of the harder line and a push of the
    /// easier is half lost, a win of the easier and a push of the harder is half won.
    pub fn quarter(easier: Self, harder: Self) -> Self {
        Self {
            win: harder.win,
            half_win: harder.push,
            push: (easier.win - harder.win - harder.push).max(0.0),
            half_loss: easier.push,
            loss: easier.loss,
        }
    }

    /// Results with their net profit on a stake of 1 at decimal odds `d`.
    pub fn outcomes(&self, d: f64) -> [(f64, f64); 5] {
        let b = d - 1.0;
        [(self.win, b), (self.half_win, 0.5 * b), (self.push, 0.0), (self.half_loss, -0.5), (self.loss, -1.0)]
    }

    /// Mean profit on a stake of 1 at decimal odds `d`.
    pub fn ev(&self, d: f64) -> f64 {
        self.outcomes(d).iter().map(|(p, net)| p * net).sum()
    }

    /// Share of the stake that is decided in the bettor's favour, on average.
    pub fn won_share(&self) -> f64 {
        self.win + 0.5 * self.half_win
    }

    /// Share of the stake that is decided against the bettor, on average.
    pub fn lost_share(&self) -> f64 {
        self.loss + 0.5 * self.half_loss
    }

    /// Vig-free probability, conditional on the stake being decided: the fair price is 1 over it. NaN if nothing can be
    /// decided.
    pub fn fair_probability(&self) -> f64 {
        let won = self.won_share();
        won / (won + self.lost_share())
    }

    /// The same bet from the other side.
    pub const fn flipped(self) -> Self {
        Self { win: self.loss, half_win: self.half_loss, push: self.push, half_loss: self.half_win, loss: self.win }
    }

    /// Sum of all chances; 1 up to rounding.
    pub fn total(&self) -> f64 {
        self.win + self.half_win + self.push + self.half_loss + self.loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_lines_of_a_soccer_game() {
        let (home, draw, away) = (0.45, 0.28, 0.27);
        let level = Settlement::whole(home, draw, away);
        let minus_half = Settlement::whole(home, 0.0, draw + away);
        let plus_half = Settlement::whole(home + draw, 0.0, away);

        let minus_quarter = Settlement::quarter(level, minus_half);
        assert_eq!(minus_quarter, Settlement { win: home, half_win: 0.0, push: 0.0, half_loss: draw, loss: away });
        assert!((minus_quarter.ev(1.95) - 0.0175).abs() < 1e-12);
        assert!((minus_quarter.ev(1.95) - 0.5 * (level.ev(1.95) + minus_half.ev(1.95))).abs() < 1e-12);

        let plus_quarter = Settlement::quarter(plus_half, level);
        assert!((plus_quarter.half_win - draw).abs() < 1e-12);
        assert_eq!(plus_quarter.half_loss, 0.0);
        assert!((plus_quarter.ev(1.95) - 0.5 * (level.ev(1.95) + plus_half.ev(1.95))).abs() < 1e-12);
        for s in [minus_quarter, plus_quarter] {
            assert!((s.total() - 1.0).abs() < 1e-12);
            assert!(s.ev(1.0 / s.fair_probability()).abs() < 1e-12);
            assert!((s.fair_probability() + s.flipped().fair_probability() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_whole_line_agrees_with_the_formula() {
        let s = Settlement::conditional(0.52, 0.09);
        assert!((s.ev(1.95) - 0.91 * (0.52 * 1.95 - 1.0)).abs() < 1e-12);
        assert!((s.fair_probability() - 0.52).abs() < 1e-12);
    }
}
