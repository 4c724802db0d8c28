//! What a contract is worth at an instant: the simulator's own belief about the game, seen as early or as late as the
//! exchange sees it, and who wins in the end.
//!
//! Pure look-ups, like everything that makes prices here.

use super::super::game::{Game, Phase};
use super::super::pricing::{Margins, over};
use super::super::rng::{mix, signed, unit};
use super::super::script::Effects;
use super::super::world::Fixture;
use crate::market::time::Timestamp;

/// During the game everybody is this much quicker, as the books are.
const LIVE_PACE: f64 = 0.08;

/// What a contract is about; the first outcome wins when it comes true.
#[derive(Clone, Debug, PartialEq)]
pub enum Bet {
    /// A team wins the game, extra time included.
    Win {
        /// The home team.
        home: bool,
    },
    /// A team wins after `line` points are added to it.
    Spread {
        /// The home team.
        home: bool,
        /// Hundredths, always on a half.
        line: i32,
    },
    /// Both teams score more than `line` hundredths.
    Over {
        /// Hundredths, always on a half.
        line: i32,
    },
    /// A team leads at half time.
    FirstHalf {
        /// The home team.
        home: bool,
    },
    /// A team wins in ninety minutes (the contract of soccer).
    Result {
        /// Home, draw or away: 1, 0, -1.
        side: i32,
    },
    /// Something that the model of the game does not know: a player's figure.
    Other {
        /// Coordinate.
        tag: u64,
    },
}

/// How a contract ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first outcome won.
    First,
    /// The second outcome won.
    Second,
    /// Each is worth half.
    Split,
}

/// The belief about a game as the exchange holds it.
struct Sight {
    margin: f64,
    sd_margin: f64,
    total: f64,
    sd_total: f64,
    /// Extra probability of home or Over: moneyline, spread, total.
    extra: [f64; 3],
    /// Share of the game still to be played.
    rest: f64,
    score: Option<(i32, i32)>,
    /// Expected margin of a whole game.
    strength: f64,
}

/// When a script moves the true price, and by how much: with the first book that moves.
fn moved(effects: &Effects, at: Timestamp) -> (f64, f64, [f64; 3]) {
    let (mut margin, mut total, mut extra) = (0.0, 0.0, [0.0; 3]);
    for shift in &effects.shifts {
        // A book that stands off the market for a while is alone with its opinion.
        let alone = shift.until.is_some() && shift.prob.is_none();
        let first = shift.at.iter().flatten().min();
        if alone || first.is_none_or(|&t| at < t) || shift.until.is_some_and(|u| at >= u) {
            continue;
        }
        margin += shift.margin;
        total += shift.total;
        if let Some((market, prob)) = shift.prob {
            extra[market as usize] += prob;
        }
    }
    (margin, total, extra)
}

fn sight(fixture: &Fixture, at: Timestamp, lead_s: f64) -> Sight {
    let game = &fixture.game;
    let sport = game.sport;
    let pregame = game.phase(at) == Phase::Pregame;
    let lead_ms = lead_s * 1000.0 * if pregame { 1.0 } else { LIVE_PACE };
    let seen = at.plus(lead_ms as i64);
    let (shift_margin, shift_total, extra) = moved(&fixture.effects, seen);
    let (margin, total) = game.path.get(game.step_at(seen)).map_or((0.0, sport.total), |s| (s.margin, s.total));
    let (margin, total) = (margin + shift_margin, total + shift_total);
    let score = game.score_at(seen).filter(|_| !pregame);
    let Some((home, away)) = score else {
        let (sd_margin, sd_total) = (sport.sd_margin, sport.sd_total);
        return Sight { margin, sd_margin, total, sd_total, extra, rest: 1.0, score: None, strength: margin };
    };
    let rest = game.remaining(seen);
    let root = rest.sqrt();
    Sight {
        margin: f64::from(home - away) + margin * rest,
        sd_margin: (sport.sd_margin * root).max(0.6),
        total: f64::from(home + away) + total * rest,
        sd_total: (sport.sd_total * root).max(0.6),
        extra,
        rest,
        score,
        strength: margin,
    }
}

/// Probability that the first outcome of a contract wins, between 0.0005 and 0.9995.
pub fn probability(fixture: &Fixture, bet: &Bet, at: Timestamp, lead_s: f64) -> f64 {
    let game = &fixture.game;
    if at >= settled_at(game, bet) {
        return match outcome(game, bet) {
            Outcome::First => 0.9995,
            Outcome::Second => 0.0005,
            Outcome::Split => 0.5,
        };
    }
    let s = sight(fixture, at, lead_s);
    let sport = game.sport;
    let margins = |m, sd| Margins::new(sport, m, sd);
    let side = |home: bool, p: f64| if home { p } else { 1.0 - p };
    let p = match *bet {
        Bet::Win { home } => {
            let (win, draw, _) = margins(s.margin, s.sd_margin).results();
            side(home, win / (1.0 - draw).max(1e-9) + s.extra[0])
        }
        Bet::Spread { home, line } => {
            let line = if home { line } else { -line };
            side(home, margins(s.margin, s.sd_margin).cover(line) + s.extra[1])
        }
        Bet::Over { line } => over(s.total, s.sd_total, line) + s.extra[2],
        Bet::Result { side } => {
            let (win, draw, lose) = margins(s.margin, s.sd_margin).results();
            match side {
                1 => win + s.extra[0],
                0 => draw,
                _ => lose - s.extra[0],
            }
        }
        Bet::FirstHalf { home } => {
            // Half the game; what is left of it in play.
            let rest = (s.rest - 0.5).max(0.0);
            let lead = s.score.map_or(0.0, |(h, a)| f64::from(h - a));
            let halves = margins(lead + s.strength * rest, (sport.sd_margin * rest.sqrt()).max(0.6));
            let (win, draw, _) = halves.results();
            // A tie pays half.
            side(home, win + draw / 2.0)
        }
        Bet::Other { tag } => {
            let hour = at.secs().div_euclid(900).unsigned_abs();
            0.5 + 0.16 * signed(tag) + 0.015 * signed(mix(&[tag, hour]))
        }
    };
    p.clamp(0.0005, 0.9995)
}

/// When it is known how a contract ends.
pub fn settled_at(game: &Game, bet: &Bet) -> Timestamp {
    match bet {
        Bet::FirstHalf { .. } => game.start.plus(game.end.since(game.start) / 2),
        _ => game.end,
    }
}

/// How a contract ends.
pub fn outcome(game: &Game, bet: &Bet) -> Outcome {
    let (home, away) = game.score_at(settled_at(game, bet)).unwrap_or_default();
    let wins = |first: bool| if first { Outcome::First } else { Outcome::Second };
    match *bet {
        Bet::Win { home: for_home } | Bet::FirstHalf { home: for_home } => match home - away {
            0 => Outcome::Split,
            lead => wins((lead > 0) == for_home),
        },
        Bet::Spread { home: for_home, line } => {
            let lead = if for_home { home - away } else { away - home };
            wins(100 * lead + line > 0)
        }
        Bet::Over { line } => wins(100 * (home + away) > line),
        Bet::Result { side } => wins((home - away).signum() == side),
        Bet::Other { tag } => wins(unit(mix(&[tag, 9])) < 0.5),
    }
}
