//! One simulated game: who, when, how the truth about it drifts, how it is scored.
//!
//! Everything is drawn once, when the world is made: the market's belief as a list of dated steps and the scores as a
//! list of dated points. What holds at an instant is a look-up, so any instant can be asked for in any order.

use super::rng::{Stream, mix, name_tag};
use super::sports::SportProfile;
use crate::market::time::Timestamp;

/// A market drifts only this long before the start.
const QUIET_BEFORE_MS: i64 = 7 * 86_400_000;

/// One belief of the market, valid from its instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From when.
    pub at: Timestamp,
    /// Expected final margin (home minus away), points.
    pub margin: f64,
    /// Expected total, points.
    pub total: f64,
}

/// One change of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// When.
    pub at: Timestamp,
    /// Home points after it.
    pub home: i32,
    /// Away points after it.
    pub away: i32,
}

/// A game.
pub struct Game {
    /// Its sport.
    pub sport: &'static SportProfile,
    /// Place among the games of its sport in the slate.
    pub index: usize,
    /// Coordinate of the game in hashes.
    pub tag: u64,
    /// Home team.
    pub home: &'static str,
    /// Away team.
    pub away: &'static str,
    /// Scheduled start.
    pub scheduled: Timestamp,
    /// Actual start, some minutes later at an odd second.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Beliefs, oldest first; never empty.
    pub path: Vec<Step>,
    /// Scores, oldest first.
    pub scores: Vec<Score>,
}

/// What is going on in a game at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started.
    Pregame,
    /// Under way.
    InPlay,
    /// Over.
    Final,
}

/// How to make a game.
pub struct GameSpec {
    /// Sport.
    pub sport: &'static SportProfile,
    /// Place in the slate of the sport.
    pub index: usize,
    /// Team numbers, home and away.
    pub teams: (usize, usize),
    /// Scheduled start.
    pub scheduled: Timestamp,
    /// When the market opens: the beginning of the world.
    pub opens: Timestamp,
    /// Seed of the scenario.
    pub seed: u64,
    /// Scale of moves; 0 for none.
    pub volatility: f64,
    /// Expected margin and total to start from, where the scenario fixes them.
    pub anchor: (Option<f64>, Option<f64>),
}

impl Game {
    /// Draws a game.
    pub fn new(spec: &GameSpec) -> Self {
        let tag = mix(&[spec.seed, name_tag(spec.sport.key), spec.index as u64]);
        let sport = spec.sport;
        let name = |i: usize| sport.teams.get(i).copied().unwrap_or("Unknown");
        let mut draw = Stream::new(&[tag, 1]);
        let delay_s = 30 + draw.below(390) as i64;
        let start = spec.scheduled.plus(delay_s * 1000);
        let end = start.plus(sport.minutes * 60_000 + draw.below(600) as i64 * 1000);
        let margin = spec.anchor.0.unwrap_or(sport.home_edge + sport.strength * draw.normal());
        let total = spec.anchor.1.unwrap_or(sport.total + sport.total_spread * draw.normal());
        let mut game = Self {
            sport,
            index: spec.index,
            tag,
            home: name(spec.teams.0),
            away: name(spec.teams.1),
            scheduled: spec.scheduled,
            start,
            end,
            path: vec![Step { at: spec.opens, margin, total }],
            scores: Vec::new(),
        };
        game.draw_path(spec);
        game.draw_scores();
        game
    }

    fn draw_path(&mut self, spec: &GameSpec) {
        if spec.volatility <= 0.0 {
            return;
        }
        let mut draw = Stream::new(&[self.tag, 2]);
        let Some(mut step) = self.path.first().copied() else { return };
        let sport = self.sport;
        // Weeks ahead nothing moves that anybody would see.
        step.at = step.at.max(self.start.plus(-QUIET_BEFORE_MS));
        loop {
            // The nearer the start, the busier the market.
            let hours = (self.start.since(step.at) as f64 / 3_600_000.0).max(0.0);
            let per_hour = spec.volatility
                * match hours {
                    h if h > 24.0 => 0.4,
                    h if h > 6.0 => 1.5,
                    h if h > 1.0 => 6.0,
                    _ => 14.0,
                };
            // Waiting time between half and one and a half of its mean.
            let wait_s = 3600.0 / per_hour * (0.5 + draw.unit());
            step.at = step.at.plus((wait_s * 1000.0) as i64);
            if step.at >= self.end {
                return;
            }
            let news = if draw.chance(0.05) { 5.0 } else { 1.0 };
            step.margin += draw.normal() * news * 0.022 * sport.sd_margin;
            step.total += draw.normal() * news * 0.022 * sport.sd_total;
            step.total = step.total.max(sport.total * 0.6);
            self.path.push(step);
        }
    }

    fn draw_scores(&mut self) {
        let mut draw = Stream::new(&[self.tag, 3]);
        let truth = self.path.last().copied().unwrap_or(Step { at: self.start, margin: 0.0, total: self.sport.total });
        let span = self.end.since(self.start) as f64;
        let mut changes: Vec<(Timestamp, bool, i32)> = Vec::new();
        for home in [true, false] {
            let mean = (truth.total + if home { truth.margin } else { -truth.margin }) / 2.0;
            let target = (mean + draw.normal() * self.sport.sd_margin / std::f64::consts::SQRT_2).round() as i32;
            let mut points = 0;
            while points < target {
                let add = self.draw_score(&mut draw);
                points += add;
                let share = 0.01 + 0.97 * draw.unit();
                changes.push((self.start.plus((span * share) as i64), home, add));
            }
        }
        changes.sort_unstable();
        let (mut home, mut away) = (0, 0);
        for (at, for_home, add) in changes {
            *(if for_home { &mut home } else { &mut away }) += add;
            self.scores.push(Score { at, home, away });
        }
        if home == away && !self.sport.draw {
            // Extra time decides it.
            let (first, _) = self.sport.scores.first().copied().unwrap_or((1, 1.0));
            *(if draw.chance(0.5) { &mut home } else { &mut away }) += first;
            let at = self.end.plus(480_000);
            self.end = self.end.plus(500_000);
            self.scores.push(Score { at, home, away });
        }
    }

    fn draw_score(&self, draw: &mut Stream) -> i32 {
        let mut left = draw.unit();
        for &(points, weight) in self.sport.scores {
            left -= weight;
            if left < 0.0 {
                return points;
            }
        }
        1
    }

    /// The phase at an instant.
    pub fn phase(&self, at: Timestamp) -> Phase {
        if at < self.start {
            Phase::Pregame
        } else if at < self.end {
            Phase::InPlay
        } else {
            Phase::Final
        }
    }

    /// Number of the belief that holds at an instant.
    pub fn step_at(&self, at: Timestamp) -> usize {
        self.path.partition_point(|s| s.at <= at).saturating_sub(1)
    }

    /// The score at an instant; `None` before the first whistle.
    pub fn score_at(&self, at: Timestamp) -> Option<(i32, i32)> {
        if at < self.start {
            return None;
        }
        let n = self.scores.partition_point(|s| s.at <= at);
        Some(n.checked_sub(1).and_then(|i| self.scores.get(i)).map_or((0, 0), |s| (s.home, s.away)))
    }

    /// Share of the game still to be played.
    pub fn remaining(&self, at: Timestamp) -> f64 {
        let span = self.end.since(self.start).max(1) as f64;
        (self.end.since(at) as f64 / span).clamp(0.01, 1.0)
    }

    /// The provider's id of the game: 32 hexadecimal digits. Another revision is another id.
    pub fn id(&self, revision: u64) -> String {
        format!("{:016x}{:016x}", mix(&[self.tag, 10, revision]), mix(&[self.tag, 11, revision]))
    }
}

/// Pairs of a round of the circle method: everybody plays once a round, and no pair meets twice before everybody has
/// met. `n` is even.
pub fn pairing(n: usize, round: usize, slot: usize) -> (usize, usize) {
    let ring = n.saturating_sub(1).max(1);
    let seat = |i: usize| if i == 0 { 0 } else { 1 + (i - 1 + round) % ring };
    let (a, b) = (seat(slot), seat(n - 1 - slot));
    if (round + slot).is_multiple_of(2) { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use super::super::sports::sport;
    use super::*;

    fn game(seed: u64) -> Game {
        let opens = Timestamp::from_secs(1_790_000_000);
        Game::new(&GameSpec {
            sport: sport("basketball_nba").expect("nba"),
            index: 3,
            teams: (1, 2),
            scheduled: opens.plus(12 * 3_600_000),
            opens,
            seed,
            volatility: 1.0,
            anchor: (None, None),
        })
    }

    #[test]
    fn a_game_is_drawn_once_and_for_all() {
        let (a, b) = (game(5), game(5));
        assert_eq!(a.path, b.path);
        assert_eq!(a.scores, b.scores);
        assert_eq!(a.id(0), b.id(0));
        assert_ne!(a.id(0), a.id(1));
        assert_eq!(a.id(0).len(), 32);
        assert_ne!(a.path, game(6).path);
    }

    #[test]
    fn it_starts_plays_and_ends_with_a_winner() {
        for seed in 0..50 {
            let g = game(seed);
            assert_eq!(g.score_at(g.start.plus(-1)), None);
            assert_eq!(g.phase(g.scheduled), Phase::Pregame);
            assert_eq!(g.phase(g.start), Phase::InPlay);
            assert_eq!(g.phase(g.end), Phase::Final);
            let (h, a) = g.score_at(g.end).expect("score");
            assert_ne!(h, a);
            assert!((60..180).contains(&h) && (60..180).contains(&a), "{h}:{a}");
            assert!(g.path.len() > 20, "the market moves: {}", g.path.len());
        }
    }

    #[test]
    fn a_round_seats_everybody_once() {
        for round in 0..29 {
            let mut seen: Vec<usize> = (0..15).flat_map(|s| <[usize; 2]>::from(pairing(30, round, s))).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..30).collect::<Vec<_>>());
        }
    }
}
