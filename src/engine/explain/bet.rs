//! What one bet is worth, step by step: chances of its results, expected profit, stake.

use super::text::{five, percent};
use super::{Step, Unit};
use crate::market::books::Fee;
use crate::market::value::Settlement;

/// The price after the book's fee, in words.
pub(super) fn fee(fee: Fee, price: f64, odds: f64) -> String {
    match fee {
        Fee::None => format!("no fee: odds {odds:.4}"),
        Fee::NetWin(rate) => format!("1 + ({price:.4} - 1) x (1 - {rate}) = {odds:.4}"),
        Fee::Polymarket(rate) | Fee::Kalshi(rate) => {
            format!("q = 1/{price:.4}; 1 / (q + {rate} q (1 - q)) = {odds:.4}")
        }
    }
}

/// Chances of the results at the bet's own line.
pub(super) fn chances(name: String, formula: &str, s: &Settlement) -> Step {
    let mut step = Step::new(name, formula)
        .gives("win", s.win, Unit::Probability)
        .gives("push", s.push, Unit::Probability)
        .gives("loss", s.loss, Unit::Probability);
    let mut line = format!("win {}, push {}, loss {}", five(s.win), five(s.push), five(s.loss));
    if s.half_win != 0.0 || s.half_loss != 0.0 {
        step = step.gives("half win", s.half_win, Unit::Probability).gives("half loss", s.half_loss, Unit::Probability);
        line += &format!(", half win {}, half loss {}", five(s.half_win), five(s.half_loss));
    }
    let (won, lost) = (s.won_share(), s.lost_share());
    step.line(line)
        .line(format!("p = {} / ({} + {}) = {}", five(won), five(won), five(lost), five(s.fair_probability())))
        .gives("fair probability", s.fair_probability(), Unit::Probability)
}

/// Expected profit at odds after fees.
pub(super) fn ev(s: &Settlement, odds: f64) -> Step {
    let won = s.won_share();
    let lost = s.lost_share();
    Step::new("expected profit", "EV = win (d - 1) - loss = (1 - push)(p d - 1); half results count half")
        .from("sections 3 and 8 of the domain contract")
        .with("odds after the fee", odds, Unit::Odds)
        .line(format!("{} x ({odds:.4} - 1) - {} = {}", five(won), five(lost), percent(s.ev(odds))))
        .gives("ev", s.ev(odds), Unit::Share)
}
