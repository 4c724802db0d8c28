//! When the next frame may be drawn: at most 60 a second, and what a key asks for at once where that allows it.
//!
//! The rate is counted over time, not from frame to frame: a frame of the market that has just been drawn does not hold up
//! the answer to a key, the next frame of the market waits for it instead.

use std::time::{Duration, Instant};

/// Frames of the market are at least so far apart; 60 a second are never reached.
const FRAME: Duration = Duration::from_millis(17);

/// Counts frames.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When the next frame would be due if all had been drawn at the even rate.
    due: Instant,
}

impl Pace {
    /// Nothing was drawn before `now`.
    pub const fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// The first instant at which a frame may be drawn. `asked`: somebody waits for it.
    pub fn next(&self, asked: bool) -> Instant {
        // One frame may be drawn ahead of its time for somebody who waits.
        if asked { self.due.checked_sub(FRAME).unwrap_or(self.due) } else { self.due }
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.due = self.due.max(now) + FRAME;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_key_is_answered_at_once_after_a_frame_of_the_market() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.drawn(start);
        assert_eq!(pace.next(false), start + FRAME);
        assert!(pace.next(true) <= start + MS);
        pace.drawn(start + MS);
        // The market waits for it, and so does a key that is held down.
        assert_eq!(pace.next(false), start + 2 * FRAME);
        assert_eq!(pace.next(true), start + FRAME);
    }

    #[test]
    fn never_more_than_60_a_second_however_much_is_asked_for() {
        let start = Instant::now();
        for asked in [true, false] {
            let (mut pace, mut frames, mut now) = (Pace::new(start), Vec::new(), start);
            while now < start + Duration::from_secs(4) {
                if now >= pace.next(asked) {
                    pace.drawn(now);
                    frames.push(now);
                }
                now += MS;
            }
            for (n, first) in frames.iter().enumerate() {
                let within = frames[n..].iter().take_while(|f| **f < *first + Duration::from_secs(1)).count();
                assert!(within <= 60, "{within}");
            }
            assert!(frames.len() > 220);
        }
    }
}
