//! Clocks that do not run as they should: set by hand or by the network, a machine that slept, a process that was held.
//!
//! Two clocks tell it: the one on the wall and one that only ever goes forward. Where the system has a third one that
//! goes on during sleep, sleep is told from a clock that was set ahead. Comparing is pure; [`Reading::now`] alone looks
//! at clocks.

use std::time::{Duration, Instant};

use super::keeper::local_now;
use super::status::{ClockStep, StepKind};
use crate::market::time::Timestamp;

/// Clocks that differ by less run as they should: the network corrects them by little all the time. Milliseconds.
const MINOR_MS: i64 = 2_000;
/// Longer than it asked for a thread does not sleep, unless it is held. Milliseconds.
const HELD_MS: i64 = 5_000;

/// What the clocks said at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The clock on the wall.
    pub wall: Timestamp,
    /// A clock that only goes forward and stands still while the machine sleeps.
    pub forward: Duration,
    /// One that only goes forward and does not stand still, where there is one.
    pub awake: Option<Duration>,
}

impl Reading {
    /// What they say now. `begin`: the zero of the forward clock.
    pub fn now(begin: Instant) -> Self {
        Self { wall: local_now(), forward: begin.elapsed(), awake: since_boot() }
    }

    /// What has happened since `before`, if anything has, given that about `asked` was to pass.
    pub fn since(&self, before: &Self, asked: Duration) -> Option<(StepKind, i64)> {
        let ms = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        let forward = ms(self.forward.saturating_sub(before.forward));
        let awake = match (self.awake, before.awake) {
            (Some(now), Some(then)) => Some(ms(now.saturating_sub(then))),
            _ => None,
        };
        let wall = self.wall.since(before.wall);
        if let Some(awake) = awake
            && awake - forward > MINOR_MS
        {
            return Some((StepKind::Slept, awake - forward));
        }
        let ahead = wall - awake.unwrap_or(forward);
        match ahead {
            MINOR_MS.. if awake.is_some() => Some((StepKind::Ahead, ahead)),
            MINOR_MS.. => Some((StepKind::AheadOrSlept, ahead)),
            ..0 if ahead <= -MINOR_MS => Some((StepKind::Back, -ahead)),
            _ if forward - ms(asked) > HELD_MS => Some((StepKind::Held, forward - ms(asked))),
            _ => None,
        }
    }
}

/// What to tell of a step.
pub fn told(kind: StepKind, by_ms: i64, at: Timestamp) -> ClockStep {
    /// From here on nobody wants to read seconds.
    const LONG_MS: i64 = 600_000;
    let step = if by_ms >= LONG_MS { 60_000 } else { 1_000 };
    let rounded = by_ms.saturating_add(step / 2) / step * step;
    let span = crate::config::format_duration(Duration::from_millis(u64::try_from(rounded).unwrap_or(0)));
    let message = match kind {
        StepKind::Ahead => format!("the clock was set ahead by {span}; looks of that time are missing"),
        StepKind::Back => format!("the clock was set back by {span}; looks keep their order"),
        StepKind::Slept => format!("the machine slept for {span}; missed looks are not made up for"),
        StepKind::AheadOrSlept => {
            format!("the clock ran ahead by {span}: it was set, or the machine slept; missed looks are not made up for")
        }
        StepKind::Held => format!("the process was held for {span}; missed looks are not made up for"),
    };
    ClockStep { at, kind, by_ms, message }
}

/// Notices that a clock was set back, for those who plan by it.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    real: Instant,
    wall: Timestamp,
}

impl Backward {
    /// From now on, with this on the clock.
    pub fn new(wall: Timestamp) -> Self {
        Self { real: Instant::now(), wall }
    }

    /// By how many milliseconds the clock was set back since the last call; `None`: it was not.
    pub fn check(&mut self, wall: Timestamp) -> Option<i64> {
        self.check_at(wall, Instant::now())
    }

    fn check_at(&mut self, wall: Timestamp, real: Instant) -> Option<i64> {
        let passed = i64::try_from(real.saturating_duration_since(self.real).as_millis()).unwrap_or(i64::MAX);
        let behind = self.wall.plus(passed).since(wall);
        *self = Self { real, wall };
        (behind >= MINOR_MS).then_some(behind)
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library has no clock that goes on during sleep")]
fn since_boot() -> Option<Duration> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours that outlives the call.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    let (seconds, nanos) = (u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
    (done == 0).then(|| Duration::new(seconds, nanos))
}

#[cfg(not(target_os = "linux"))]
const fn since_boot() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TICK: Duration = Duration::from_secs(1);

    fn reading(wall_s: i64, forward_s: u64, awake_s: Option<u64>) -> Reading {
        Reading {
            wall: Timestamp::from_secs(1_800_000_000 + wall_s),
            forward: Duration::from_secs(forward_s),
            awake: awake_s.map(Duration::from_secs),
        }
    }

    #[test]
    fn each_way_is_told_apart() {
        let full = reading(0, 0, Some(0));
        let cases = [
            (reading(1, 1, Some(1)), None),
            (reading(3601, 1, Some(3601)), Some((StepKind::Slept, 3_600_000))),
            (reading(3601, 1, Some(1)), Some((StepKind::Ahead, 3_600_000))),
            (reading(-3599, 1, Some(1)), Some((StepKind::Back, 3_600_000))),
            (reading(61, 61, Some(61)), Some((StepKind::Held, 60_000))),
        ];
        for (after, expected) in cases {
            assert_eq!(after.since(&full, TICK), expected, "{after:?}");
        }
        let bare = reading(0, 0, None);
        assert_eq!(reading(3601, 1, None).since(&bare, TICK), Some((StepKind::AheadOrSlept, 3_600_000)));
        assert_eq!(reading(-99, 1, None).since(&bare, TICK), Some((StepKind::Back, 100_000)));
    }

    #[test]
    fn the_words_name_the_span() {
        let step = told(StepKind::Slept, 7_200_000, Timestamp::default());
        assert_eq!(step.message, "the machine slept for 2h; missed looks are not made up for");
        // Clocks are read one after the other.
        let near = |ms| told(StepKind::Back, ms, Timestamp::default()).message;
        assert_eq!(near(32_399_993), "the clock was set back by 9h; looks keep their order");
        assert_eq!(near(59_600), "the clock was set back by 1m; looks keep their order");
        assert_eq!(near(2_400), "the clock was set back by 2s; looks keep their order");
    }

    #[test]
    fn setting_back_is_noticed_once() {
        let (real, wall) = (Instant::now(), Timestamp::from_secs(1_800_000_000));
        let mut clock = Backward { real, wall };
        assert_eq!(clock.check_at(wall.plus(30_000), real + TICK * 30), None);
        assert_eq!(clock.check_at(wall.plus(31_000 - 600_000), real + TICK * 31), Some(600_000));
        assert_eq!(clock.check_at(wall.plus(32_000 - 600_000), real + TICK * 32), None);
        // Ahead is no concern of planning: what is overdue is asked once.
        assert_eq!(clock.check_at(wall.plus(9_000_000), real + TICK * 33), None);
    }

    #[test]
    fn real_clocks_run_as_they_should() {
        let begin = Instant::now();
        let before = Reading::now(begin);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(Reading::now(begin).since(&before, Duration::from_millis(20)), None);
    }

    proptest! {
        #[test]
        fn no_reading_is_too_odd(a in any::<[i32; 3]>(), b in any::<[i32; 3]>(), third in any::<bool>()) {
            let of = |n: [i32; 3]| reading(n[0].into(), n[1].unsigned_abs().into(), third.then(|| n[2].unsigned_abs().into()));
            if let Some((_, by)) = of(a).since(&of(b), TICK) {
                prop_assert!(by > 0);
            }
        }
    }
}
