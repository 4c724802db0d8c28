//! How often a sport wants to be looked at, instant by instant.

use crate::market::time::Timestamp;
use crate::poller::rules::Bands;
use crate::poller::slate::{Game, GameState};

/// How near the next start is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Band {
    /// Far from it.
    Far,
    /// Between.
    Middle,
    /// Close to it, or just past it.
    Near,
}

impl Band {
    /// All of them, from far to near.
    pub const ALL: [Self; 3] = [Self::Far, Self::Middle, Self::Near];

    /// `far`, `middle` or `near`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Far => "far",
            Self::Middle => "middle",
            Self::Near => "near",
        }
    }

    /// The time between two looks that the rules ask for. Milliseconds.
    pub const fn interval(self, bands: &Bands) -> i64 {
        match self {
            Self::Far => bands.far_ms,
            Self::Middle => bands.middle_ms,
            Self::Near => bands.near_ms,
        }
    }
}

/// A stretch of time in one band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) band: Band,
}

/// The bands of a sport with these games between `from` and `until`, in order and without overlaps; where no game
/// gives a reason to look there is none. Takes n log n time.
pub(super) fn segments(games: &[Game], bands: &Bands, from: Timestamp, until: Timestamp) -> Vec<Segment> {
    // How many games are in which band from an instant on.
    let mut edges: Vec<(Timestamp, usize, i32)> = Vec::with_capacity(games.len() * 6);
    for game in games.iter().filter(|g| g.state != GameState::Over) {
        let start = game.start;
        // The bounds may be set in any order; a band that is empty is left out.
        let near = start.plus(-bands.near_from_ms);
        let middle = start.plus(-bands.middle_from_ms).min(near);
        let far = start.plus(-bands.horizon_ms).min(middle);
        for (band, begin, end) in
            [(0, far, middle), (1, middle, near), (2, near, start.plus(bands.stop_after_ms).max(near))]
        {
            let (begin, end) = (begin.max(from), end.min(until));
            if begin < end {
                edges.push((begin, band, 1));
                edges.push((end, band, -1));
            }
        }
    }
    edges.sort_unstable();
    let (mut counts, mut all) = ([0_i32; 3], Vec::<Segment>::new());
    let mut edges = edges.into_iter().peekable();
    while let Some((at, band, step)) = edges.next() {
        counts[band] += step;
        let Some(&(next, _, _)) = edges.peek() else { break };
        if next == at {
            continue;
        }
        let Some(nearest) = Band::ALL.into_iter().zip(counts).filter(|(_, n)| *n > 0).map(|(b, _)| b).next_back()
        else {
            continue;
        };
        match all.last_mut() {
            Some(last) if last.until == at && last.band == nearest => last.until = next,
            _ => all.push(Segment { from: at, until: next, band: nearest }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::ids::EventId;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(minutes * MINUTE)
    }

    fn game(start: i64) -> Game {
        Game { event: EventId(1), start: at(start), state: GameState::Scheduled, watched: false }
    }

    fn told(games: &[Game], until: i64) -> Vec<(i64, i64, Band)> {
        let minutes = |t: Timestamp| t.since(at(0)) / MINUTE;
        let all = segments(games, &Bands::default(), at(0), at(until));
        all.iter().map(|s| (minutes(s.from), minutes(s.until), s.band)).collect()
    }

    #[test]
    fn a_game_asks_for_more_as_it_comes_nearer() {
        let one = [game(300)];
        assert_eq!(told(&one, 1440), [(0, 120, Band::Far), (120, 240, Band::Middle), (240, 315, Band::Near)]);
        // The band of an instant is the nearest of all games.
        let two = [game(300), game(400)];
        let expected = [
            (0, 120, Band::Far),
            (120, 240, Band::Middle),
            (240, 315, Band::Near),
            (315, 340, Band::Middle),
            (340, 415, Band::Near),
        ];
        assert_eq!(told(&two, 1440), expected);
        assert_eq!(told(&[], 1440), []);
        assert_eq!(told(&[Game { state: GameState::Over, ..game(300) }], 1440), []);
        assert_eq!(told(&[game(20_000)], 1440), [], "beyond the horizon");
        assert_eq!(told(&[game(-20)], 1440), []);
    }
}
